//! Attempts by property, with a simulated CAKE, a forwarder's rows, and accidents between them.

use super::look_up_tests::report;
use super::tests::{START_MS, api, text_of};
use super::*;
use crate::api::Answer;
use proptest::prelude::*;

const DAY_MS: u64 = 86_400_000;
/// How long a request may take.
const TIMEOUT_MS: u64 = 15_000;

/// How much longer than that CAKE may be at work.
const SLOW_MS: u64 = 45_000;

/// The fate of one request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Well,
    LostOnTheWay,
    LostOnTheWayBack,
    /// Recorded long after the forwarder has given up waiting.
    Slow,
    /// Recorded, but answered by an HTML page.
    Unclear,
    /// Recorded, but answered by a no and a yes together; or a look-up that says two things.
    SaysBoth,
    /// Recorded, but answered by the record of another offer; or a list with rows missing.
    OfAnother,
    Status(u16),
    No,
    DailyCap,
    Duplicate,
    /// The object dies while the request is under way. The request arrives.
    Crash,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Well),
        2 => Just(Fate::LostOnTheWay),
        2 => Just(Fate::LostOnTheWayBack),
        1 => Just(Fate::Slow),
        1 => Just(Fate::Unclear),
        1 => Just(Fate::SaysBoth),
        1 => Just(Fate::OfAnother),
        3 => prop::sample::select(vec![302, 400, 401, 403, 404, 408, 409, 425, 429, 500, 503])
            .prop_map(Fate::Status),
        1 => Just(Fate::No),
        1 => Just(Fate::DailyCap),
        1 => Just(Fate::Duplicate),
        1 => Just(Fate::Crash),
    ]
}

#[derive(Clone, Debug)]
struct Recorded {
    id: u64,
    click: usize,
    unique: usize,
}

/// Orders from this number on were reported by others, days before.
const OTHERS: usize = 100;

/// The clicks are of the year's first day.
const SINCE_THE_CLICK: &str = "start_date=2025-12-31&";

/// A CAKE, reduced to its conversions.
struct Cake {
    deduplicates: bool,
    has_report: bool,
    /// Does Get Click name the last conversion of a click, rather than the first?
    names_last: bool,
    recorded: Vec<Recorded>,
    /// What it is still at work on: when it will be done, click and unique id.
    at_work: Vec<(u64, usize, usize)>,
}

impl Cake {
    /// Records what it has been at work on until now.
    fn work_until(&mut self, now_ms: u64) {
        let (done, left) = std::mem::take(&mut self.at_work)
            .into_iter()
            .partition(|(done_ms, ..)| *done_ms <= now_ms);
        self.at_work = left;
        let done: Vec<(u64, usize, usize)> = done;
        for (_, click, unique) in done {
            self.record(click, unique);
        }
    }

    fn record(&mut self, click: usize, unique: usize) -> u64 {
        let known = self.recorded.iter().find(|each| each.unique == unique);
        if let (true, Some(known)) = (self.deduplicates, known) {
            return known.id;
        }
        let id = self.recorded.len() as u64 + 1;
        self.recorded.push(Recorded { id, click, unique });
        id
    }

    fn click(&self, click: usize) -> String {
        let mut of_click = self.recorded.iter().filter(|each| each.click == click);
        let one = if self.names_last {
            of_click.next_back()
        } else {
            of_click.next()
        };
        let id = one.map_or(0, |each| each.id);
        format!(
            r#"{{"request_status":"Success","response":{{"clicks":[{{"click_id":"c{click}","click_date":"2026-01-01 10:00:00","offer_id":1,"affiliate_id":2,"converted":{},"conversion_id":{id}}}]}}}}"#,
            id > 0
        )
    }

    /// The report of the days that `url` asks for.
    fn report(&self, url: &str) -> (u16, String) {
        if !self.has_report {
            return (404, String::new());
        }
        let rows: Vec<_> = self
            .recorded
            .iter()
            .filter(|each| each.unique < OTHERS || url.contains(SINCE_THE_CLICK))
            .map(|each| {
                format!(
                    r#"{{"conversion_id":{},"offer_id":1,"unique_id":"u{}","conversion_date":"{}"}}"#,
                    each.id,
                    each.unique,
                    if each.unique < OTHERS { "2026-01-15 12:00:00" } else { "2026-01-01 12:00:00" }
                )
            })
            .collect();
        (200, report(&rows.join(",")))
    }
}

/// A stored event, and this object's knowledge of it.
struct Stored {
    row: Row,
    click: usize,
    state: State,
    next_ms: Option<u64>,
    conversion_id: Option<u64>,
    knowledge: Knowledge,
}

/// Records an event as `fate` has it. Returns the answer; `None` where none arrives.
fn answer_of(cake: &mut Cake, click: usize, unique: usize, fate: Fate) -> Option<(u16, String)> {
    let yes = |id: u64| {
        (
            200,
            format!(r#"{{"conversion":{{"conversion_id":{id},"unique_id":"u{unique}"}}}}"#),
        )
    };
    let no = |message: &str| Some((200, format!(r#"{{"success":false,"message":"{message}"}}"#)));
    match fate {
        Fate::Well => Some(yes(cake.record(click, unique))),
        Fate::LostOnTheWay | Fate::Slow => None,
        Fate::LostOnTheWayBack | Fate::Crash => {
            cake.record(click, unique);
            None
        }
        Fate::Unclear => {
            cake.record(click, unique);
            Some((200, "<html>".to_owned()))
        }
        Fate::SaysBoth => {
            let (_, body) = yes(cake.record(click, unique));
            Some((409, body))
        }
        Fate::OfAnother => {
            cake.record(click, unique);
            let body = r#"{"conversion":{"conversion_id":9999,"offer":{"offer_id":2}}}"#;
            Some((200, body.to_owned()))
        }
        Fate::Status(status) => Some((status, String::new())),
        Fate::DailyCap => no("Affiliate has already reached its daily cap"),
        // A duplicate is refused only where it is one.
        Fate::Duplicate if cake.recorded.iter().any(|each| each.unique == unique) => {
            no("Duplicate transaction id")
        }
        Fate::No | Fate::Duplicate => no("Offer is closed"),
    }
}

/// A look-up's answer that contradicts itself, of a click and of an event.
fn two_faced(click: usize) -> String {
    format!(
        r#"{{"request_status":"Success","response":{{"clicks":[{{"click_id":"c{click}","offer_id":1,"converted":true,"converted":false,"conversion_id":0}}],"data":{{"conversions":[],"conversions":[]}}}}}}"#
    )
}

/// A look-up's answer with fewer rows than its count.
fn in_part(click: usize) -> String {
    format!(
        r#"{{"request_status":"Success","response":{{"clicks":[{{"click_id":"c{click}","offer_id":1,"converted":false}}],"data":{{"conversions":[]}},"total_rows":2}}}}"#
    )
}

fn siblings_of(all: &[Stored], index: usize) -> Vec<Sibling> {
    let click = all[index].click;
    all.iter()
        .enumerate()
        .filter(|(at, each)| *at != index && each.click == click)
        .map(|(_, each)| Sibling {
            is_delivered: each.state == State::Delivered,
            is_not_recorded: !each.row.is_in_doubt
                && each.state != State::Delivered
                && (each.state != State::Pending || each.knowledge == Knowledge::NotRecorded),
            conversion_id: each.conversion_id,
            accepted_ms: each.row.accepted_utc_ms,
            unique_id: Event::from_text(&each.row.text)
                .ok()
                .and_then(|event| event.asked().unique_id.map(str::to_owned)),
            click_id: format!("c{}", each.click),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Events of few clicks meet any CAKE and any accidents.
    #[test]
    fn nothing_is_counted_twice_or_called_delivered_that_is_not_and_everything_ends(
        clicks in proptest::collection::vec(0_usize..2, 1..5),
        fates in proptest::collection::vec(any_fate(), 0..60),
        pixels in proptest::collection::vec(0_usize..2, 0..3),
        deduplicates in any::<bool>(), has_report in any::<bool>(), names_last in any::<bool>(),
        randoms in any::<u32>(),
    ) {
        let mut cake = Cake { deduplicates, has_report, names_last, recorded: Vec::new(), at_work: Vec::new() };
        // Others have reported earlier orders of the clicks.
        for (at, click) in pixels.into_iter().enumerate() {
            cake.record(click, OTHERS + at);
        }
        let route = api();
        let mut breaker = CircuitBreaker::default();
        let mut quiet_from_ms = START_MS + TIMEOUT_MS;
        let mut now_ms = START_MS;
        let mut all: Vec<_> = clicks
            .iter()
            .enumerate()
            .map(|(index, click)| Stored {
                row: Row {
                    number: index as u64,
                    text: text_of(&format!("c{click}"), 1, &format!("u{index}")),
                    accepted_utc_ms: START_MS,
                    changed_ms: START_MS,
                    ..Row::default()
                },
                click: *click,
                state: State::Pending,
                next_ms: Some(START_MS),
                conversion_id: None,
                knowledge: Knowledge::NotRecorded,
            })
            .collect();
        let mut fates = fates.into_iter();
        for turn in 0..2_000_u32 {
            let due = all.iter().enumerate().filter_map(|(at, each)| Some((each.next_ms?, at))).min();
            let Some((due_ms, index)) = due else { break };
            now_ms = now_ms.max(due_ms).max(breaker.stalled_until_ms(now_ms.max(due_ms))) + 1;
            cake.work_until(now_ms);
            let at = Moment { now_ms, utc_ms: now_ms, random: randoms.wrapping_mul(turn) };
            let facts = Facts { is_deduplicated: deduplicates, knowledge: all[index].knowledge, quiet_from_ms };
            let siblings = siblings_of(&all, index);
            let row = all[index].row.clone();
            let mut attempt = Attempt::new(&route, row.clone(), facts, now_ms);
            let mut step = attempt.start(&mut breaker, at);
            let mut has_crashed = false;
            let transition = loop {
                step = match step {
                    Step::Store(transition) => break Some(transition),
                    Step::AskFamily | Step::NoteSending => panic!("no correction"),
                    Step::AskSiblings { .. } | Step::AskOthers { .. } => attempt.next(Input::Siblings(Some(&siblings)), &mut breaker, at),
                    Step::Fetch { url, .. } => {
                        let is_write = url.contains("/2/conversion.json");
                        // Without accidents left, every request succeeds.
                        let fate = fates.next().unwrap_or(Fate::Well);
                        if is_write && matches!(fate, Fate::Slow) {
                            cake.at_work.push((now_ms + SLOW_MS, all[index].click, index));
                        }
                        let told = if is_write {
                            answer_of(&mut cake, all[index].click, index, fate)
                        } else {
                            match fate {
                                Fate::Well | Fate::Duplicate if url.contains("report") => Some(cake.report(&url)),
                                Fate::Well | Fate::Duplicate => Some((200, cake.click(all[index].click))),
                                Fate::Status(status) => Some((status, String::new())),
                                Fate::No | Fate::DailyCap => Some((200, r#"{"success":false}"#.to_owned())),
                                Fate::Unclear => Some((200, "<html>".to_owned())),
                                Fate::SaysBoth => Some((200, two_faced(all[index].click))),
                                Fate::OfAnother => Some((200, in_part(all[index].click))),
                                _ => None,
                            }
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
            // An event that waits has a time, and a finished one has none.
            prop_assert_eq!(transition.next_ms.is_some(), transition.state == State::Pending);
            prop_assert!(transition.next_ms.is_none_or(|next_ms| next_ms >= now_ms));
            prop_assert!(transition.attempts <= row.attempts + 1);
            let recorded: Vec<_> = cake.recorded.iter().filter(|each| each.unique == index).map(|each| each.id).collect();
            if transition.state == State::Delivered {
                prop_assert!(!recorded.is_empty(), "delivered, but not recorded: {:?}", transition);
                if let Some(id) = transition.conversion_id {
                    prop_assert!(recorded.contains(&id), "another's conversion: {:?}", transition);
                }
            } else if !recorded.is_empty() && !transition.counted.is_empty() {
                prop_assert!(transition.is_in_doubt, "recorded, and no doubt: {:?}", transition);
            }
            let stored = &mut all[index];
            stored.row.attempts = transition.attempts;
            stored.row.is_in_doubt = transition.is_in_doubt;
            stored.row.code = transition.code;
            if !transition.counted.is_empty() {
                stored.row.changed_ms = now_ms;
                stored.knowledge = if transition.is_in_doubt { Knowledge::InDoubt } else { Knowledge::NotRecorded };
            }
            stored.state = transition.state;
            stored.next_ms = transition.next_ms;
            stored.conversion_id = transition.conversion_id;
            prop_assert!(now_ms < START_MS + 400 * DAY_MS);
        }
        cake.work_until(u64::MAX);
        for (index, stored) in all.iter().enumerate() {
            let count = cake.recorded.iter().filter(|each| each.unique == index).count();
            prop_assert!(count <= 1, "{count} times");
            prop_assert!(stored.next_ms.is_none(), "it never ends");
        }
    }
}
