//! Slow answers on paper: a shard in front of a CAKE that lets some events hang.

use super::super::{CircuitBreaker, Lane, Sent, Signal, SignalSource};
use crate::delivery::schedule;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const START_MS: u64 = 1_000_000;
const TIMEOUT_MS: u64 = 15_000;
const STEP_MS: u64 = 100;

/// CAKE's answer to a request: what it means, and how long it takes.
type Answer = (Signal, u64);

const GOOD: Answer = (Signal::Healthy, 100);

#[derive(Clone, Copy)]
struct Event {
    offer: u64,
    accepted_ms: u64,
    attempts: u32,
    sent_ms: Option<u64>,
}

struct UnderWay {
    event: usize,
    is_oldest: bool,
    started_ms: u64,
    answer: Answer,
}

struct World {
    breaker: CircuitBreaker,
    events: Vec<Event>,
    /// What waits, by offer: when each is due.
    waiting: BTreeMap<u64, BTreeSet<(u64, usize)>>,
    under_way: Vec<UnderWay>,
    now_ms: u64,
    random: u32,
    told: u32,
    requests: u64,
}

impl World {
    fn new(random: u32) -> Self {
        Self {
            breaker: CircuitBreaker::default(),
            events: Vec::new(),
            waiting: BTreeMap::new(),
            under_way: Vec::new(),
            now_ms: START_MS,
            random: random.max(1),
            told: 0,
            requests: 0,
        }
    }

    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }

    fn accept(&mut self, offer: u64) {
        self.wait_until(self.now_ms, offer, self.events.len());
        self.events.push(Event {
            offer,
            accepted_ms: self.now_ms,
            attempts: 0,
            sent_ms: None,
        });
    }

    fn wait_until(&mut self, due_ms: u64, offer: u64, event: usize) {
        self.waiting
            .entry(offer)
            .or_default()
            .insert((due_ms, event));
    }

    /// What is due, of one offer after another.
    fn due(&self, offers: impl Fn(u64) -> bool) -> impl Iterator<Item = &BTreeSet<(u64, usize)>> {
        self.waiting
            .iter()
            .filter(move |(offer, _)| offers(**offer))
            .map(|(_, due)| due)
    }

    fn offer_of(&self, event: usize) -> u64 {
        self.events.get(event).map_or(0, |event| event.offer)
    }

    /// Chooses an event as js/forwarder/delivery.ts does.
    fn take(&mut self) -> Option<(usize, bool)> {
        let sent = self.under_way.iter().map(|it| Sent {
            kind: self.offer_of(it.event),
            at_ms: it.started_ms,
        });
        let sent: Vec<_> = sent.collect();
        let offers: Vec<_> = sent.iter().map(|sent| sent.kind).collect();
        self.breaker.see(sent.into_iter(), self.now_ms);
        let oldest = self.under_way.iter().filter(|it| it.is_oldest).count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let lane = self
            .breaker
            .lane(self.now_ms, count(offers.len()), count(oldest), 0);
        let is_due = |(due_ms, _): &(u64, usize)| *due_ms <= self.now_ms;
        let oldest = |offers: &dyn Fn(u64) -> bool| {
            let firsts = self.due(offers).filter_map(BTreeSet::first);
            firsts.min().copied().filter(is_due)
        };
        let newest = |offers: &dyn Fn(u64) -> bool| {
            let is_unfailed = |(due_ms, event): &&(u64, usize)| {
                *due_ms <= self.now_ms && self.events.get(*event).is_some_and(|it| it.attempts == 0)
            };
            let lasts = self
                .due(offers)
                .filter_map(|due| due.iter().rev().find(is_unfailed));
            lasts.max().copied()
        };
        let (place, is_oldest) = match lane {
            Lane::Nothing => None,
            Lane::Oldest => oldest(&|_| true).map(|place| (place, true)),
            Lane::Newest | Lane::Anywhere => {
                let troubled = self.breaker.offers_in_trouble();
                let other = newest(&|offer| !troubled.contains(&offer));
                let any = other.or_else(|| newest(&|_| true));
                any.or_else(|| oldest(&|_| true))
                    .map(|place| (place, false))
            }
            Lane::Free => {
                let held = self.breaker.held(self.now_ms, &offers, 0);
                oldest(&|offer| !held.kinds.contains(&offer)).map(|place| (place, true))
            }
        }?;
        let offer = self.offer_of(place.1);
        self.waiting.entry(offer).or_default().remove(&place);
        Some((place.1, is_oldest))
    }

    fn step(&mut self, answer: &mut impl FnMut(&Event, u32) -> Answer) {
        let now_ms = self.now_ms;
        for it in std::mem::take(&mut self.under_way) {
            let (signal, after_ms) = it.answer;
            if now_ms < it.started_ms + after_ms {
                self.under_way.push(it);
                continue;
            }
            let draw = self.random();
            let Some(event) = self.events.get_mut(it.event) else {
                continue;
            };
            event.attempts += 1;
            let sent = Some(Sent {
                kind: event.offer,
                at_ms: it.started_ms,
            });
            let source = SignalSource {
                event: it.event as u64,
                offer: event.offer,
                refused_before_ms: None,
                started_ms: it.started_ms,
                sent,
                now_ms,
                random: draw,
            };
            self.breaker.record(signal, source);
            self.told += u32::from(self.breaker.tell_slow(sent, now_ms));
            if signal == Signal::Healthy {
                event.sent_ms = Some(now_ms);
            } else if let Some(ms) = schedule::wait_ms(event.attempts, draw, None) {
                let offer = event.offer;
                self.wait_until(now_ms + ms, offer, it.event);
            }
        }
        while let Some((event, is_oldest)) = self.take() {
            let draw = self.random();
            let Some(known) = self.events.get(event) else {
                continue;
            };
            self.requests += 1;
            self.under_way.push(UnderWay {
                event,
                is_oldest,
                started_ms: now_ms,
                answer: answer(known, draw),
            });
        }
        self.now_ms += STEP_MS;
    }

    /// Runs for some seconds, in each of which five events come, of the offers that `next` names.
    fn run(
        &mut self,
        seconds: u64,
        mut next: impl FnMut(u32) -> u64,
        mut answer: impl FnMut(&Event, u32) -> Answer,
    ) {
        for step in 0..seconds * 1_000 / STEP_MS {
            if step % 2 == 0 {
                let draw = self.random();
                self.accept(next(draw));
            }
            self.step(&mut answer);
        }
    }

    /// How long the events of some offers waited, in seconds: 95 % of them, and the last.
    fn waits(&self, is_meant: impl Fn(u64) -> bool) -> (u64, u64) {
        let meant = self.events.iter().filter(|event| is_meant(event.offer));
        let wait_of = |event: &Event| event.sent_ms.unwrap_or(self.now_ms) - event.accepted_ms;
        let mut waits: Vec<_> = meant.map(|event| wait_of(event) / 1_000).collect();
        waits.sort_unstable();
        let last = waits.len() - 1;
        (waits[last * 95 / 100], waits[last])
    }
}

/// The ways in which an answer is slow: it never comes, or comes late and says nothing, or a limit, or all is well.
fn any_slow_answer() -> impl Strategy<Value = Answer> {
    prop::sample::select(vec![
        (Signal::Failing, TIMEOUT_MS),
        (Signal::Failing, 13_500),
        (Signal::Failing, 6_000),
        (Signal::Healthy, 12_000),
        (Signal::Limited(Some(1_000)), 13_500),
    ])
}

fn is_one_in(number: u32, draw: u32) -> bool {
    draw.is_multiple_of(number)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_slow_offer_keeps_no_other_waiting(
        slow in any_slow_answer(), one_in in prop::sample::select(vec![50, 10, 5, 2]), random in 1_u32..,
    ) {
        let mut world = World::new(random);
        let offer = |draw: u32| if is_one_in(one_in, draw >> 8) { 777 } else { 1 + u64::from(draw % 3) };
        world.run(900, offer, |event, _| if event.offer == 777 { slow } else { GOOD });
        let (most, max) = world.waits(|offer| offer != 777);
        // A limit may be the shard's: it rests as it was asked, and then feels its way.
        let allowed = if matches!(slow.0, Signal::Limited(_)) { 15 } else { 2 };
        prop_assert!(most <= allowed, "95 % of the others within {most} s, all within {max} s");
        prop_assert!(max <= 60, "{max} s");
        // Operators hear of it, once.
        prop_assert_eq!(world.told, 1);
    }

    #[test]
    fn slow_offers_among_good_ones_keep_none_of_these_waiting(
        slow in any_slow_answer(), offers in 2_u64..6, random in 1_u32..,
    ) {
        let mut world = World::new(random);
        let is_slow = |offer: u64| offer >= 700;
        let offer = |draw: u32| if is_one_in(5, draw >> 8) { 700 + u64::from(draw) % offers } else { 1 + u64::from(draw % 3) };
        world.run(900, offer, |event, _| if is_slow(event.offer) { slow } else { GOOD });
        let (most, max) = world.waits(|offer| !is_slow(offer));
        prop_assert!(most <= 15, "95 % of the others within {most} s, all within {max} s");
        prop_assert!(max <= 120, "{max} s");
    }

    /// It may be an affiliate or a click that hangs.
    #[test]
    fn an_offer_of_which_some_events_hang_keeps_no_other_waiting(
        slow in any_slow_answer(), random in 1_u32..,
    ) {
        let mut world = World::new(random);
        let offer = |draw: u32| if is_one_in(3, draw >> 8) { 777 } else { 1 + u64::from(draw % 3) };
        world.run(900, offer, |event, draw| if event.offer == 777 && is_one_in(4, draw) { slow } else { GOOD });
        let (most, max) = world.waits(|offer| offer != 777);
        prop_assert!(most <= 30, "95 % of the others within {most} s, all within {max} s");
        prop_assert!(max <= 120, "{max} s");
    }

    #[test]
    fn a_burst_of_a_slow_offer_holds_the_others_for_one_timeout(
        slow in any_slow_answer(), bad in 10_usize..600, is_in_front: bool, random in 1_u32..,
    ) {
        let mut world = World::new(random);
        world.run(10, |draw| 1 + u64::from(draw % 3), |_, _| GOOD);
        let good = |world: &mut World| (0..300).for_each(|at| world.accept(1 + at % 3));
        if !is_in_front { good(&mut world); }
        (0..bad).for_each(|_| world.accept(777));
        if is_in_front { good(&mut world); }
        world.run(900, |draw| 1 + u64::from(draw % 3), |event, _| if event.offer == 777 { slow } else { GOOD });
        let (most, max) = world.waits(|offer| offer != 777);
        prop_assert!(most <= 30, "95 % of the others within {most} s, all within {max} s");
        prop_assert!(max <= 60, "{max} s");
    }

    /// One slow answer is none.
    #[test]
    fn an_offer_that_is_quick_again_has_all_connections(random in 1_u32..) {
        let mut world = World::new(random);
        let offer = |draw: u32| if is_one_in(5, draw >> 8) { 777 } else { 1 };
        world.run(300, offer, |event, _| if event.offer == 777 { (Signal::Failing, TIMEOUT_MS) } else { GOOD });
        world.run(900, offer, |_, _| GOOD);
        prop_assert!(world.breaker.slow_kinds(world.now_ms).is_empty());
        world.run(900, offer, |_, _| GOOD);
        let waiting = world.due(|_| true).flatten();
        let due = waiting.filter(|(due_ms, _)| *due_ms + STEP_MS < world.now_ms);
        prop_assert!(due.count() <= 1);
    }
}

#[test]
fn a_cake_that_is_slow_for_all_has_all_connections() {
    let mut world = World::new(7);
    world.run(60, |draw| 1 + u64::from(draw % 4), |_, _| GOOD);
    world.run(
        3_600,
        |draw| 1 + u64::from(draw % 4),
        |_, _| (Signal::Healthy, 4_000),
    );
    assert!(world.breaker.slow_kinds(world.now_ms).is_empty());
    // Five connections carry 1.25 a second.
    let sent = world.events.iter().filter(|event| event.sent_ms.is_some());
    assert!(sent.count() >= 4_000);
}

#[test]
fn a_cake_that_answers_nothing_is_an_outage() {
    for offers in [1, 2, 40] {
        let mut world = World::new(7);
        let next = |draw: u32| 1 + u64::from(draw) % offers;
        world.run(60, next, |_, _| GOOD);
        let before = world.requests;
        world.run(3_600, next, |_, _| (Signal::Failing, TIMEOUT_MS));
        let asked = world.requests - before;
        assert!(asked <= 150, "{offers} offers: {asked} requests in an hour");
        world.run(3_600, next, |_, _| GOOD);
        let unsent = world.events.iter().filter(|event| event.sent_ms.is_none());
        assert!(unsent.count() <= 20, "{offers} offers");
    }
}
