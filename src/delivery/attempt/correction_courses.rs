//! Corrections by property, with a simulated CAKE, a forwarder's rows, and accidents between them.

use super::correction_tests::{YES, as_it_was_made, changes, correction_text, joined, no};
use super::tests::{START_MS, api, text_of};
use super::*;
use crate::api::Answer;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TIMEOUT_MS: u64 = 15_000;

/// The fate of one request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Well,
    LostOnTheWay,
    LostOnTheWayBack,
    /// Carried out, but answered by an HTML page.
    Unclear,
    Status(u16),
    Limited,
    /// The object dies while the request is under way. The request arrives.
    Crash,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => Just(Fate::Well),
        2 => Just(Fate::LostOnTheWay),
        2 => Just(Fate::LostOnTheWayBack),
        1 => Just(Fate::Unclear),
        2 => prop::sample::select(vec![302, 408, 425, 429, 500, 503]).prop_map(Fate::Status),
        1 => Just(Fate::Limited),
        2 => Just(Fate::Crash),
    ]
}

/// The events that are handed over, in this order.
#[derive(Clone, Copy, Debug)]
enum Given {
    Conversion(usize),
    /// A conversion's payout, as a total in cents.
    Total(usize, i64),
    /// An amount added to a conversion's payout, in cents.
    Added(usize, i64),
}

impl Given {
    fn conversion(self) -> usize {
        match self {
            Self::Conversion(at) | Self::Total(at, _) | Self::Added(at, _) => at,
        }
    }
}

fn any_given() -> impl Strategy<Value = Given> {
    prop_oneof![
        1 => (0_usize..2).prop_map(Given::Conversion),
        2 => (0_usize..2, 0_i64..100_000).prop_map(|(at, cents)| Given::Total(at, cents)),
        3 => (0_usize..2, 1_i64..500).prop_map(|(at, cents)| Given::Added(at, cents)),
    ]
}

/// CAKE's record of a conversion: its payout in cents, and the corrections it got, in order.
#[derive(Debug, Default)]
struct Kept {
    cents: i64,
    corrections: Vec<usize>,
}

struct Stored {
    row: Row,
    given: Given,
    state: State,
    next_ms: Option<u64>,
    knowledge: Knowledge,
    transition: Option<Transition>,
}

const BASE_CENTS: i64 = 1_000_000;

/// Carries out a request that reaches CAKE.
fn carry_out(cake: &mut BTreeMap<usize, Kept>, index: usize, given: Given) -> (u16, String) {
    let at = given.conversion();
    match (given, cake.get_mut(&at)) {
        (Given::Conversion(_), None) => {
            let kept = Kept {
                cents: BASE_CENTS,
                ..Kept::default()
            };
            cake.insert(at, kept);
        }
        (Given::Conversion(_), Some(_)) => {}
        (_, None) => return (200, no("Conversion Not Found")),
        (Given::Total(_, cents), Some(kept)) => {
            kept.cents = cents;
            kept.corrections.push(index);
        }
        (Given::Added(_, cents), Some(kept)) => {
            kept.cents += cents;
            kept.corrections.push(index);
        }
    }
    let body = match given {
        Given::Conversion(_) => format!(
            r#"{{"conversion":{{"conversion_id":{},"unique_id":"u{at}"}}}}"#,
            at + 1
        ),
        _ => YES.to_owned(),
    };
    (200, body)
}

/// The outbox's answer about a correction's family.
fn family_of(all: &[Stored], index: usize) -> Family {
    let at = all[index].given.conversion();
    let is_correction = |each: &Stored| !matches!(each.given, Given::Conversion(_));
    let parent = all
        .iter()
        .find(|each| each.given.conversion() == at && !is_correction(each));
    let mut others = all
        .iter()
        .enumerate()
        .filter(|(_, each)| is_correction(each) && each.given.conversion() == at);
    let earlier = others
        .clone()
        .find(|(other, each)| *other < index && each.state == State::Pending);
    Family {
        conversion: parent.map(|each| Parent {
            state: each.state.word().to_owned(),
            code: each.row.code.clone(),
            message: String::new(),
            next_ms: each.next_ms,
            conversion_id: None,
            age_ms: all[index]
                .row
                .accepted_utc_ms
                .checked_sub(each.row.accepted_utc_ms)
                .filter(|_| each.row.number < index as u64),
        }),
        earlier_ms: earlier.map(|(_, each)| each.next_ms.unwrap_or_default()),
        has_later: others.any(|(other, each)| {
            other > index && (each.state == State::Delivered || each.row.is_in_doubt)
        }),
        // Those are for rows of a copy alone.
        delivered: Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Hands over conversions and corrections of few sales, in any order and at any time, with any
    /// accidents. CAKE's totals must be the sum of the accepted events.
    #[test]
    fn cakes_totals_are_the_sum_of_what_was_accepted(
        given in proptest::collection::vec((any_given(), 0_u64..200_000), 1..12),
        fates in proptest::collection::vec(any_fate(), 0..50),
        replays in proptest::collection::vec(any::<prop::sample::Index>(), 0..3),
        // CAKE's column may cut notes or hide them, and write them in capitals.
        column in prop_oneof![4 => Just(usize::MAX), 1 => prop::sample::select(vec![0, 2, 3, 7, 50])],
        is_upper in prop::bool::weighted(0.1),
        randoms in any::<u32>(),
    ) {
        let route = api();
        let mut cake: BTreeMap<usize, Kept> = BTreeMap::new();
        // CAKE has the other sales from elsewhere: this forwarder has never seen them.
        for at in 0..2 {
            if !given.iter().any(|(each, _)| matches!(each, Given::Conversion(own) if *own == at)) {
                cake.insert(at, Kept { cents: BASE_CENTS, ..Kept::default() });
            }
        }
        let mut breaker = CircuitBreaker::default();
        let mut quiet_from_ms = START_MS + TIMEOUT_MS;
        let mut now_ms = START_MS;
        let mut due_ms = START_MS;
        let mut known = std::collections::BTreeSet::new();
        let mut all: Vec<Stored> = Vec::new();
        for (given, wait_ms) in given {
            let index = all.len();
            let text = match given {
                // A repeated conversion is a duplicate.
                Given::Conversion(at) if !known.insert(at) => continue,
                Given::Conversion(at) => text_of(&format!("c{at}"), 1, &format!("u{at}")),
                Given::Total(at, cents) => correction_text(
                    &format!("r{index}"), &format!("u{at}"), &format!(r#""payout":"{}.{:02}""#, cents / 100, cents % 100),
                ),
                Given::Added(at, cents) => correction_text(
                    &format!("r{index}"), &format!("u{at}"), &format!(r#""payoutAdded":"{}.{:02}""#, cents / 100, cents % 100),
                ),
            };
            due_ms += wait_ms;
            all.push(Stored {
                row: Row { number: index as u64, text, accepted_utc_ms: due_ms, changed_ms: due_ms, ..Row::default() },
                given,
                state: State::Pending,
                next_ms: Some(due_ms),
                knowledge: Knowledge::NotRecorded,
                transition: None,
            });
        }
        let mut fates = fates.into_iter();
        let mut replays = replays.into_iter();
        let mut was_replayed = false;
        for turn in 0..4_000_u32 {
            let due = all.iter().enumerate().filter_map(|(at, each)| Some((each.next_ms?, at))).min();
            let Some((due_ms, index)) = due else {
                // An operator replays a failed event.
                let Some(replay) = replays.next() else { break };
                let failed: Vec<_> = (0..all.len()).filter(|at| all[*at].state != State::Delivered).collect();
                if !failed.is_empty() {
                    was_replayed = true;
                    let stored = &mut all[*replay.get(&failed)];
                    stored.state = State::Pending;
                    stored.row.attempts = 0;
                    stored.next_ms = Some(now_ms);
                    stored.knowledge = if stored.row.is_in_doubt { Knowledge::InDoubt } else { Knowledge::NotRecorded };
                }
                continue;
            };
            now_ms = now_ms.max(due_ms).max(breaker.stalled_until_ms(now_ms.max(due_ms))) + 1;
            let at = Moment { now_ms, utc_ms: now_ms, random: randoms.wrapping_mul(turn) };
            let facts = Facts { is_deduplicated: true, knowledge: all[index].knowledge, quiet_from_ms };
            // Only events accepted by now exist.
            let there = all.iter().take_while(|each| each.row.accepted_utc_ms <= now_ms).count().max(index + 1);
            let family = family_of(&all[..there], index);
            let (row, given) = (all[index].row.clone(), all[index].given);
            let mut attempt = Attempt::new(&route, row.clone(), facts, now_ms);
            let mut step = attempt.start(&mut breaker, at);
            let mut has_crashed = false;
            let transition = loop {
                step = match step {
                    Step::Store(transition) => break Some(transition),
                    Step::NoteSending => {
                        all[index].row.is_in_doubt = true;
                        attempt.next(Input::Noted(true), &mut breaker, at)
                    }
                    Step::AskSiblings { .. } | Step::AskOthers { .. } => attempt.next(Input::Siblings(Some(&[])), &mut breaker, at),
                    Step::AskFamily => attempt.next(Input::Family(Some(family.clone())), &mut breaker, at),
                    Step::Fetch { url, .. } => {
                        let is_write = !url.contains("EventConversionChanges");
                        // Without accidents left, every request succeeds.
                        let fate = fates.next().unwrap_or(Fate::Well);
                        let reaches = matches!(
                            fate,
                            Fate::Well | Fate::LostOnTheWayBack | Fate::Unclear | Fate::Crash
                        );
                        let truth = reaches.then(|| {
                            if is_write {
                                return carry_out(&mut cake, index, given);
                            }
                            let rows: Vec<_> = cake.iter().map(|(at, kept)| {
                                let notes: Vec<_> = kept.corrections.iter().map(|each| format!("[r{each}]")).collect();
                                let note: String = notes.join(" ").chars().take(column).collect();
                                (*at as u64 + 1, format!("u{at}"), if is_upper { note.to_uppercase() } else { note })
                            }).collect();
                            let rows: Vec<_> = rows.iter().map(|(id, unique, note)| (*id, unique.as_str(), Some(note.as_str()))).collect();
                            // Nothing has changed a row without a correction.
                            let rows = rows.iter().map(|row| match cake.get(&(usize::try_from(row.0).unwrap_or_default() - 1)) {
                                Some(kept) if kept.corrections.is_empty() => as_it_was_made(&changes(&[*row])),
                                _ => changes(&[*row]),
                            });
                            (200, joined(rows))
                        });
                        let told = match fate {
                            Fate::Well => truth,
                            Fate::Unclear => Some((200, "<html>".to_owned())),
                            Fate::Status(status) => Some((status, String::new())),
                            Fate::Limited => Some((200, no("Restricted"))),
                            Fate::LostOnTheWay | Fate::LostOnTheWayBack | Fate::Crash => None,
                        };
                        if matches!(fate, Fate::Crash) {
                            has_crashed = true;
                            break None;
                        }
                        match told {
                            None => attempt.next(Input::Failed(Error::network()), &mut breaker, at),
                            Some((status, body)) => {
                                let answer = Answer::new(status, &body);
                                attempt.next(Input::Answered(&answer), &mut breaker, at)
                            }
                        }
                    }
                };
            };
            if has_crashed {
                breaker = CircuitBreaker::default();
                quiet_from_ms = now_ms + TIMEOUT_MS;
                for each in &mut all {
                    each.knowledge = Knowledge::Unknown;
                }
                continue;
            }
            let Some(transition) = transition else { continue };
            prop_assert_eq!(transition.next_ms.is_some(), transition.state == State::Pending);
            prop_assert!(transition.next_ms.is_none_or(|next_ms| next_ms >= now_ms));
            prop_assert!(was_replayed || transition.code != "overtaken", "out of turn");
            let stored = &mut all[index];
            stored.row.attempts = transition.attempts;
            stored.row.is_in_doubt = transition.is_in_doubt;
            stored.row.code.clone_from(&transition.code);
            if !transition.counted.is_empty() {
                stored.row.changed_ms = now_ms;
                stored.knowledge = if transition.is_in_doubt { Knowledge::InDoubt } else { Knowledge::NotRecorded };
            }
            stored.state = transition.state;
            stored.next_ms = transition.next_ms;
            stored.transition = Some(transition);
        }
        for (index, stored) in all.iter().enumerate() {
            prop_assert!(stored.next_ms.is_none(), "it never ends: {:?}", stored.transition);
            if matches!(stored.given, Given::Conversion(_)) { continue }
            let times = cake.get(&stored.given.conversion())
                .map_or(0, |kept| kept.corrections.iter().filter(|each| **each == index).count());
            let adds = matches!(stored.given, Given::Added(..));
            let shows_notes = column == usize::MAX && !is_upper;
            match stored.state {
                // A total may be set twice.
                State::Delivered if !adds && !shows_notes => prop_assert!(times >= 1, "{:?}", stored.transition),
                State::Delivered => prop_assert_eq!(times, 1, "{:?}", stored.transition),
                _ if stored.row.is_in_doubt && !adds && !shows_notes => {}
                _ if stored.row.is_in_doubt => prop_assert!(times <= 1),
                _ => prop_assert_eq!(times, 0, "adds {}: {:?}", adds, stored.transition),
            }
        }
        for (at, kept) in &cake {
            prop_assert!(kept.corrections.is_sorted(), "out of order: {:?}", kept);
            // The sum of the corrections that CAKE got.
            let mut cents = BASE_CENTS;
            for index in &kept.corrections {
                match all[*index].given {
                    Given::Total(_, total) => cents = total,
                    Given::Added(_, added) => cents += added,
                    Given::Conversion(_) => {}
                }
            }
            prop_assert_eq!(kept.cents, cents);
            let accepted = all.iter().filter(|each| each.given.conversion() == *at && !matches!(each.given, Given::Conversion(_)));
            let is_whole = accepted.clone().all(|each| each.state == State::Delivered);
            if is_whole && column == usize::MAX && !is_upper {
                prop_assert_eq!(kept.corrections.len(), accepted.count());
            }
        }
    }
}
