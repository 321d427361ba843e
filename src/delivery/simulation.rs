//! The schedule and the breaker under an outage, on paper: as many shards as a
//! forwarder has, each with its five connections, and a CAKE that is away for
//! some hours. Seconds are steps; nothing here runs but the rules themselves.
#![expect(
    clippy::cast_precision_loss,
    reason = "seconds and events are far below 2^52"
)]

use super::circuit_breaker::{CircuitBreaker, Heard, Lane, Signal};
use super::schedule;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// An outage, and who meets it.
struct Outage {
    /// Events a second that pages and backends hand over.
    rate: u64,
    shards: usize,
    hours: u64,
    /// How long CAKE takes for an answer, in milliseconds.
    latency_ms: u64,
}

/// What came of it.
#[derive(Debug)]
struct Course {
    /// The most events that waited.
    deepest: u64,
    /// From CAKE's return until no more waited than before, in seconds.
    catch_up_s: u64,
    /// Requests a second to CAKE while it was away, on average.
    asked_per_s: f64,
    /// The most requests to CAKE within one second after its return.
    peak_per_s: u64,
    /// Attempts of an event, at most.
    attempts: u32,
    dead: u64,
}

#[derive(Default)]
struct Shard {
    breaker: CircuitBreaker,
    /// Tells the events apart.
    number: u64,
    /// Not sent yet: the second of acceptance, and how many.
    fresh: VecDeque<(u64, u64)>,
    /// To be sent again: when due, after how many attempts.
    again: BinaryHeap<Reverse<(u64, u32)>>,
    depth: u64,
}

impl Shard {
    fn accept(&mut self, second: u64, events: u64) {
        self.fresh.push_back((second, events));
        self.depth += events;
    }

    /// The event that has been due for longest, by its attempts so far.
    fn take(&mut self, now: u64) -> Option<u32> {
        let fresh = self.fresh.front().map(|(due, _)| *due);
        let again = self.again.peek().map(|Reverse((due, _))| *due);
        match (fresh, again) {
            (fresh, Some(due)) if due <= now && fresh.is_none_or(|other| due <= other) => {
                self.again.pop().map(|Reverse((_, attempts))| attempts)
            }
            (Some(due), _) if due <= now => {
                let (_, left) = self.fresh.front_mut()?;
                *left -= 1;
                if *left == 0 {
                    self.fresh.pop_front();
                }
                Some(0)
            }
            _ => None,
        }
    }
}

/// A generator of Marsaglia's: the same course each time.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

fn run(outage: &Outage) -> Course {
    let begin = 600;
    let end = begin + outage.hours * 3_600;
    let mut shards: Vec<Shard> = (0..outage.shards).map(|_| Shard::default()).collect();
    let mut random = Random(2_463_534_242);
    let mut course = Course {
        deepest: 0,
        catch_up_s: 0,
        asked_per_s: 0.0,
        peak_per_s: 0,
        attempts: 0,
        dead: 0,
    };
    let (mut second, mut asked, mut before) = (0_u64, 0_u64, 0_u64);
    loop {
        // The shards divide the rate.
        let each = outage.rate / shards.len() as u64;
        for shard in &mut shards {
            shard.accept(second, each);
        }
        let is_away = (begin..end).contains(&second);
        let mut sent = 0;
        for shard in &mut shards {
            // In one second a connection carries so many requests.
            let mut room = u64::from(shard.breaker.at_once()) * 1_000 / outage.latency_ms;
            while room > 0 && shard.breaker.lane(second * 1_000, 0, 0) != Lane::Nothing {
                let Some(attempts) = shard.take(second) else {
                    break;
                };
                room -= 1;
                sent += 1;
                let signal = if is_away {
                    Signal::Failing
                } else {
                    Signal::Healthy
                };
                shard.number += 1;
                let heard = Heard {
                    event: shard.number,
                    refused_before_ms: None,
                    started_ms: second * 1_000,
                    now_ms: second * 1_000,
                    random: random.next(),
                };
                shard.breaker.record(signal, heard);
                course.attempts = course.attempts.max(attempts + 1);
                let wait = schedule::wait_ms(attempts + 1, random.next(), None);
                if let Some(ms) = wait.filter(|_| is_away) {
                    let next = second + ms.div_ceil(1_000);
                    shard.again.push(Reverse((next, attempts + 1)));
                } else {
                    shard.depth -= 1;
                    course.dead += u64::from(is_away);
                }
            }
        }
        let depth: u64 = shards.iter().map(|shard| shard.depth).sum();
        course.deepest = course.deepest.max(depth);
        if is_away {
            asked += sent;
        } else if second >= end {
            course.peak_per_s = course.peak_per_s.max(sent);
            if depth <= before || second > end + 30 * 86_400 {
                course.catch_up_s = second - end;
                course.asked_per_s = asked as f64 / (end - begin) as f64;
                return course;
            }
        } else {
            before = before.max(depth);
        }
        second += 1;
    }
}

/// The table of docs/scale.md; `cargo test --features forwarder simulation -- --nocapture`
/// prints it.
#[test]
fn an_outage_of_three_days_is_caught_up_without_a_stampede_and_nothing_dies() {
    println!(
        "| outage | shards | deepest queue | caught up after | asked meanwhile | most after it | attempts |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (hours, shards) in [(1, 4), (12, 4), (72, 4), (72, 20)] {
        let outage = Outage {
            rate: 100,
            shards,
            hours,
            latency_ms: 100,
        };
        let course = run(&outage);
        println!(
            "| {hours} h | {shards} | {} | {:.1} h | {:.2} a second | {} a second | {} |",
            course.deepest,
            course.catch_up_s as f64 / 3_600.0,
            course.asked_per_s,
            course.peak_per_s,
            course.attempts,
        );
        assert_eq!(course.dead, 0, "{course:?}");
        // Every event of the outage has waited, and hardly one more.
        let events = hours * 3_600 * 100;
        assert!(
            (events..events + 2_000).contains(&course.deepest),
            "{course:?}"
        );
        // Five connections a shard, whatever has gathered.
        let most = shards as u64 * 5 * 10;
        assert!(course.peak_per_s <= most, "{course:?}");
        // At the rate that is left beside what goes on coming in.
        let at_best = events / (most - 100);
        assert!(
            course.catch_up_s <= at_best + at_best / 5 + 120,
            "{course:?}"
        );
        // A shard asks once a minute or so whether CAKE is back.
        assert!(
            course.asked_per_s < shards as f64 / 20.0 + 1.0,
            "{course:?}"
        );
    }
}
