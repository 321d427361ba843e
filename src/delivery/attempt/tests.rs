//! Attempts by table, and by property: a CAKE, a forwarder's rows, and whatever
//! may happen to both.

use super::*;
use crate::api::Account;
use crate::delivery::event::{Caller, RequestBody, read};
use proptest::prelude::*;

const CANARY: &str = "CANARY-KEY";
const DAY_MS: u64 = 86_400_000;
/// 2026-01-15 12:00 UTC.
const START_MS: u64 = 1_768_478_400_000;
/// How long a request may take.
const TIMEOUT_MS: u64 = 15_000;

fn api() -> Route {
    Route::Api(Account::new("https://a.example", CANARY).unwrap())
}

fn text_of(click: &str, offer: u64, unique: &str) -> String {
    let body = format!(r#"{{"clickId":"{click}","offerId":{offer},"uniqueId":"{unique}"}}"#);
    let caller = Caller {
        is_signed: true,
        click_id: None,
    };
    match read(&body, caller).unwrap() {
        RequestBody::One(event) => event.text().unwrap(),
        RequestBody::Many(_) => panic!("several"),
    }
}

fn row() -> Row {
    Row {
        number: 1,
        text: text_of("abc", 1, "ORD-1"),
        accepted_utc_ms: START_MS,
        changed_ms: START_MS,
        ..Row::default()
    }
}

const FRESH: Facts = Facts {
    is_deduplicated: true,
    knowledge: Knowledge::NotRecorded,
    quiet_from_ms: 0,
};

fn moment(now_ms: u64) -> Moment {
    Moment {
        now_ms,
        utc_ms: now_ms,
        random: 1 << 31,
    }
}

/// What is fetched, in order, and the transition; `answers` are given in turn.
fn run(
    row: &Row,
    facts: Facts,
    breaker: &mut CircuitBreaker,
    answers: &[(u16, &str)],
    siblings: &[Sibling],
) -> (Vec<String>, Transition) {
    let route = api();
    let now = moment(row.changed_ms + 100_000);
    let mut attempt = Attempt::new(&route, row, facts, now.now_ms);
    let mut answers = answers.iter();
    let mut asked = Vec::new();
    let mut step = attempt.start(breaker, now);
    for _ in 0..100 {
        step = match step {
            Step::Store(transition) => return (asked, transition),
            Step::AskSiblings => {
                asked.push("siblings".to_owned());
                attempt.next(Input::Siblings(Some(siblings)), breaker, now)
            }
            Step::Fetch { url, .. } => {
                let path = url.split(['?']).next().unwrap_or_default();
                asked.push(
                    path.trim_start_matches("https://a.example/api/2/")
                        .to_owned(),
                );
                match answers.next() {
                    None => attempt.next(Input::Failed(Error::Network), breaker, now),
                    Some((status, body)) => {
                        let answer = Answer::new(*status, body);
                        attempt.next(Input::Answered(&answer), breaker, now)
                    }
                }
            }
        };
    }
    panic!("the attempt never ends");
}

fn first(status: u16, body: &str) -> Transition {
    let mut breaker = CircuitBreaker::default();
    run(&row(), FRESH, &mut breaker, &[(status, body)], &[]).1
}

/// State, code, attempts, doubt, alert.
fn seen(transition: &Transition) -> (&'static str, &str, u32, bool, bool) {
    let Transition {
        state,
        code,
        attempts,
        is_in_doubt,
        is_alert,
        ..
    } = transition;
    (state.word(), code, *attempts, *is_in_doubt, *is_alert)
}

#[test]
fn the_first_attempts_transitions() {
    for (status, body, expected) in [
        (
            200,
            r#"{"conversion":{"conversion_id":7}}"#,
            ("delivered", "", 1, false, false),
        ),
        (
            200,
            r#"{"success":false,"message":"Offer is closed"}"#,
            ("refused", "refused", 1, false, false),
        ),
        (409, "", ("refused", "http_status", 1, false, false)),
        (404, "", ("refused", "http_status", 1, false, false)),
        (401, "", ("pending", "unauthorized", 0, false, true)),
        (429, "", ("pending", "rate_limited", 1, false, false)),
        (503, "", ("pending", "http_status", 1, true, false)),
        (302, "", ("pending", "redirected", 1, true, true)),
        (
            200,
            "<html>",
            ("pending", "unexpected_answer", 1, true, true),
        ),
    ] {
        assert_eq!(seen(&first(status, body)), expected, "{status} {body}");
    }
}

#[test]
fn a_no_after_a_doubt_is_refused_and_stays_in_doubt() {
    let doubted = Row {
        is_in_doubt: true,
        attempts: 1,
        ..row()
    };
    let mut breaker = CircuitBreaker::default();
    for (status, body) in [
        (409, ""),
        (400, ""),
        (
            200,
            r#"{"success":false,"message":"Affiliate has already reached its daily cap"}"#,
        ),
    ] {
        let (_, end) = run(&doubted, FRESH, &mut breaker, &[(status, body)], &[]);
        assert_eq!(
            (end.state, end.is_in_doubt),
            (State::Refused, true),
            "{body}"
        );
    }
    let body = r#"{"success":false,"message":"Duplicate transaction id"}"#;
    let (_, end) = run(&doubted, FRESH, &mut breaker, &[(200, body)], &[]);
    assert_eq!((end.state, end.is_in_doubt), (State::Delivered, false));
}

const IN_DOUBT: Facts = Facts {
    is_deduplicated: false,
    knowledge: Knowledge::InDoubt,
    quiet_from_ms: 0,
};

fn click(offer: u64, converted: &str) -> String {
    format!(
        r#"{{"request_status":"Success","response":{{"clicks":[{{"click_id":"abc","offer_id":{offer},"affiliate_id":2{converted}}}]}}}}"#
    )
}

fn report(rows: &str) -> String {
    format!(r#"{{"request_status":"Success","response":{{"data":{{"conversions":[{rows}]}}}}}}"#)
}

#[test]
fn a_look_up_settles_a_doubt_only_if_it_is_about_this_event() {
    const RECORDED: &str = r#"{"conversion":{"conversion_id":9}}"#;
    let ours = r#"{"conversion_id":8,"offer_id":1,"unique_id":"ORD-1"}"#;
    let others = r#"{"conversion_id":7,"offer_id":1,"unique_id":"ORD-0"},{"conversion_id":6,"offer_id":2,"unique_id":"ORD-1"}"#;
    let converted = click(1, r#","converted":true,"conversion_id":7"#);
    let sibling = |conversion_id, is_not_recorded| Sibling {
        is_not_recorded,
        conversion_id,
    };
    let none: &[Sibling] = &[];
    for (name, click, siblings, reported, id, path) in [
        (
            ".NET's 0 is none",
            click(1, r#","converted":false,"conversion_id":0"#),
            none.to_vec(),
            String::new(),
            9,
            "click conversion",
        ),
        (
            "no such click",
            r#"{"response":{"clicks":[]}}"#.to_owned(),
            none.to_vec(),
            String::new(),
            9,
            "click conversion",
        ),
        (
            "its only event",
            converted.clone(),
            none.to_vec(),
            String::new(),
            7,
            "click siblings",
        ),
        (
            "a sibling has another conversion, and one has none",
            converted.clone(),
            vec![sibling(Some(5), false), sibling(None, true)],
            String::new(),
            7,
            "click siblings",
        ),
        (
            "a sibling has this conversion, and the report has ours",
            converted.clone(),
            vec![sibling(Some(7), false)],
            report(&[others, ours].join(",")),
            8,
            "click siblings report",
        ),
        (
            "a sibling may have it, and the report has not ours",
            converted.clone(),
            vec![sibling(None, false)],
            report(others),
            9,
            "click siblings report report conversion",
        ),
        (
            "another offer's click",
            click(2, r#","converted":true,"conversion_id":7"#),
            none.to_vec(),
            report(""),
            9,
            "click report conversion",
        ),
        (
            "converted as nothing",
            click(1, r#","converted":true,"conversion_id":0"#),
            none.to_vec(),
            report(ours),
            8,
            "click report",
        ),
        (
            "not a word of conversions",
            click(1, ""),
            none.to_vec(),
            report(ours),
            8,
            "click report",
        ),
    ] {
        let mut answers = vec![(200, click.as_str())];
        if !reported.is_empty() {
            answers.push((200, reported.as_str()));
        }
        // Without a total a list ends where a page is empty.
        let end = report("");
        if path.contains("report report") {
            answers.push((200, end.as_str()));
        }
        answers.push((200, RECORDED));
        let mut breaker = CircuitBreaker::default();
        let (asked, end) = run(&row(), IN_DOUBT, &mut breaker, &answers, &siblings);
        let asked: Vec<_> = asked
            .iter()
            .map(|path| match path.as_str() {
                "click.json" => "click",
                "conversion.json" => "conversion",
                "report/conversion.json" => "report",
                other => other,
            })
            .collect();
        assert_eq!(asked.join(" "), path, "{name}");
        assert_eq!(
            (end.state, end.conversion_id),
            (State::Delivered, Some(id)),
            "{name}"
        );
    }
}

#[test]
fn where_nobody_can_tell_the_event_stays_in_doubt_with_an_alert() {
    let converted = click(1, r#","converted":true,"conversion_id":7"#);
    let sibling = [Sibling {
        is_not_recorded: false,
        conversion_id: Some(7),
    }];
    let without_ids = report(r#"{"conversion_id":7,"offer_id":1}"#);
    for (answers, code) in [
        (
            vec![(200, converted.as_str()), (404, "")],
            "unexpected_answer",
        ),
        (
            vec![
                (200, converted.as_str()),
                (200, r#"{"success":false,"message":"no such report"}"#),
            ],
            "unexpected_answer",
        ),
        (
            vec![(200, converted.as_str()), (200, without_ids.as_str())],
            "outcome_unknown",
        ),
        (vec![(200, "<html>")], "unexpected_answer"),
        (
            vec![(200, r#"{"success":false,"message":"Conversion Not Found"}"#)],
            "unexpected_answer",
        ),
    ] {
        let mut breaker = CircuitBreaker::default();
        let (asked, end) = run(&row(), IN_DOUBT, &mut breaker, &answers, &sibling);
        assert_eq!(seen(&end), ("pending", code, 1, true, true), "{answers:?}");
        assert!(!asked.contains(&"conversion.json".to_owned()));
    }
}

#[test]
fn what_is_missing_in_the_report_is_believed_after_a_minute() {
    let facts = IN_DOUBT;
    let recent = Row {
        is_in_doubt: true,
        attempts: 1,
        ..row()
    };
    let route = api();
    let mut breaker = CircuitBreaker::default();
    let now = moment(recent.changed_ms + 5_000);
    let mut attempt = Attempt::new(&route, &recent, facts, now.now_ms);
    let Step::Fetch { .. } = attempt.start(&mut breaker, now) else {
        panic!("nothing is asked");
    };
    let other = click(2, r#","converted":true,"conversion_id":7"#);
    let step = attempt.next(
        Input::Answered(&Answer::new(200, &other)),
        &mut breaker,
        now,
    );
    assert!(
        matches!(&step, Step::Fetch { url, .. } if url.contains("start_date=2026-01-14&end_date=2026-01-17&offer_id=1&")),
        "{step:?}"
    );
    let empty = report("");
    let step = attempt.next(
        Input::Answered(&Answer::new(200, &empty)),
        &mut breaker,
        now,
    );
    let Step::Store(end) = step else {
        panic!("{step:?}")
    };
    assert_eq!(
        (end.next_ms, end.attempts, end.counted),
        (Some(recent.changed_ms + 60_000), 1, "")
    );
}

#[test]
fn after_a_start_what_may_be_under_way_elsewhere_is_left_alone() {
    let facts = Facts {
        is_deduplicated: false,
        knowledge: Knowledge::Unknown,
        quiet_from_ms: START_MS + 200_000,
    };
    let mut breaker = CircuitBreaker::default();
    let (asked, end) = run(&row(), facts, &mut breaker, &[], &[]);
    assert_eq!(asked, [""; 0]);
    assert_eq!((end.next_ms, end.attempts), (Some(START_MS + 200_000), 0));
}

#[test]
fn the_schedule_used_up_is_dead_and_a_refused_key_uses_nothing_up() {
    let last = Row {
        attempts: 11,
        ..row()
    };
    let fails = |status| {
        let mut breaker = CircuitBreaker::default();
        run(&last, FRESH, &mut breaker, &[(status, "")], &[]).1
    };
    assert_eq!(fails(503).state, State::Dead);
    assert_eq!(
        (fails(401).state, fails(401).attempts),
        (State::Pending, 11)
    );
}

#[test]
fn a_refusal_of_the_key_is_the_events_own_where_others_pass() {
    let mut breaker = CircuitBreaker::default();
    let good = Row { number: 2, ..row() };
    let yes = [(200, r#"{"conversion_id":7}"#)];
    let mut bad = row();
    let mut attempts = Vec::new();
    for _ in 0..40 {
        run(&good, FRESH, &mut breaker, &yes, &[]);
        let (_, end) = run(&bad, FRESH, &mut breaker, &[(403, "")], &[]);
        attempts.push(end.attempts);
        if end.next_ms.is_none() {
            assert_eq!(end.state, State::Dead);
            break;
        }
        bad = Row {
            attempts: end.attempts,
            code: end.code,
            changed_ms: bad.changed_ms,
            ..bad
        };
    }
    // The first is a look for nothing; then each counts.
    assert_eq!(attempts, (0..=12).collect::<Vec<_>>());
}

#[test]
fn no_key_is_in_what_is_stored() {
    let account = Account::new("https://a.example", CANARY).unwrap();
    for body in [
        r#"{"success":false,"message":"no ?api_key=CANARY-KEY"}"#,
        "<html>/api/2/conversion.json?api_key=CANARY-KEY</html>",
    ] {
        let route = api();
        let row = row();
        let mut breaker = CircuitBreaker::default();
        let mut attempt = Attempt::new(&route, &row, FRESH, START_MS);
        let _ = attempt.start(&mut breaker, moment(START_MS));
        let answer = Answer::new(200, body).with_account(&account);
        let step = attempt.next(Input::Answered(&answer), &mut breaker, moment(START_MS));
        let Step::Store(end) = step else {
            panic!("{step:?}")
        };
        assert!(!end.to_json(false).contains("CANARY"));
    }
}

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Well,
    LostOnTheWay,
    LostOnTheWayBack,
    /// Recorded, and answered by a page.
    Unclear,
    Status(u16),
    No,
    DailyCap,
    Duplicate,
    /// The object dies while the request is under way, which arrives.
    Crash,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Well),
        2 => Just(Fate::LostOnTheWay),
        2 => Just(Fate::LostOnTheWayBack),
        1 => Just(Fate::Unclear),
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

/// A CAKE, as far as conversions concern it.
struct Cake {
    deduplicates: bool,
    has_report: bool,
    /// Of a click's conversions Get Click names the last one.
    names_last: bool,
    recorded: Vec<Recorded>,
}

impl Cake {
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
            r#"{{"request_status":"Success","response":{{"clicks":[{{"click_id":"c{click}","offer_id":1,"affiliate_id":2,"converted":{},"conversion_id":{id}}}]}}}}"#,
            id > 0
        )
    }

    fn report(&self) -> (u16, String) {
        if !self.has_report {
            return (404, String::new());
        }
        let rows: Vec<_> = self
            .recorded
            .iter()
            .map(|each| {
                format!(
                    r#"{{"conversion_id":{},"offer_id":1,"unique_id":"u{}"}}"#,
                    each.id, each.unique
                )
            })
            .collect();
        (200, report(&rows.join(",")))
    }
}

/// An event in the rows, and what this object knows of it.
struct Stored {
    row: Row,
    click: usize,
    state: State,
    next_ms: Option<u64>,
    conversion_id: Option<u64>,
    knowledge: Knowledge,
}

/// Hands an event over to `fate`, and gives back what of it is an input.
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
        Fate::LostOnTheWay => None,
        Fate::LostOnTheWayBack | Fate::Crash => {
            cake.record(click, unique);
            None
        }
        Fate::Unclear => {
            cake.record(click, unique);
            Some((200, "<html>".to_owned()))
        }
        Fate::Status(status) => Some((status, String::new())),
        Fate::No => no("Offer is closed"),
        Fate::DailyCap => no("Affiliate has already reached its daily cap"),
        // Said where it is so, and nowhere else.
        Fate::Duplicate if cake.recorded.iter().any(|each| each.unique == unique) => {
            no("Duplicate transaction id")
        }
        Fate::Duplicate => no("Offer is closed"),
    }
}

fn siblings_of(all: &[Stored], index: usize) -> Vec<Sibling> {
    let click = all[index].click;
    all.iter()
        .enumerate()
        .filter(|(at, each)| *at != index && each.click == click)
        .map(|(_, each)| Sibling {
            is_not_recorded: !each.row.is_in_doubt
                && each.state != State::Delivered
                && (each.state != State::Pending || each.knowledge == Knowledge::NotRecorded),
            conversion_id: each.conversion_id,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Events of few clicks, in front of a CAKE and a world of accidents.
    #[test]
    fn nothing_is_counted_twice_or_called_delivered_that_is_not_and_everything_ends(
        clicks in proptest::collection::vec(0_usize..2, 1..5),
        fates in proptest::collection::vec(any_fate(), 0..60),
        deduplicates in any::<bool>(), has_report in any::<bool>(), names_last in any::<bool>(),
        randoms in any::<u32>(),
    ) {
        let mut cake = Cake { deduplicates, has_report, names_last, recorded: Vec::new() };
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
            let at = Moment { now_ms, utc_ms: now_ms, random: randoms.wrapping_mul(turn) };
            let facts = Facts { is_deduplicated: deduplicates, knowledge: all[index].knowledge, quiet_from_ms };
            let siblings = siblings_of(&all, index);
            let row = all[index].row.clone();
            let mut attempt = Attempt::new(&route, &row, facts, now_ms);
            let mut step = attempt.start(&mut breaker, at);
            let mut has_crashed = false;
            let transition = loop {
                step = match step {
                    Step::Store(transition) => break Some(transition),
                    Step::AskSiblings => attempt.next(Input::Siblings(Some(&siblings)), &mut breaker, at),
                    Step::Fetch { url, .. } => {
                        let is_write = url.contains("/2/conversion.json");
                        // All is well where no accident is left.
                        let fate = fates.next().unwrap_or(Fate::Well);
                        let told = if is_write {
                            answer_of(&mut cake, all[index].click, index, fate)
                        } else {
                            match fate {
                                Fate::Well | Fate::Duplicate if url.contains("report") => Some(cake.report()),
                                Fate::Well | Fate::Duplicate => Some((200, cake.click(all[index].click))),
                                Fate::Status(status) => Some((status, String::new())),
                                Fate::No | Fate::DailyCap => Some((200, r#"{"success":false}"#.to_owned())),
                                Fate::Unclear => Some((200, "<html>".to_owned())),
                                _ => None,
                            }
                        };
                        if matches!(fate, Fate::Crash) {
                            has_crashed = true;
                            break None;
                        }
                        match told {
                            None => attempt.next(Input::Failed(Error::Network), &mut breaker, at),
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
            // What waits has a time, and what is over has none.
            prop_assert_eq!(transition.next_ms.is_some(), transition.state == State::Pending);
            prop_assert!(transition.next_ms.is_none_or(|next_ms| next_ms >= now_ms));
            prop_assert!(transition.attempts <= row.attempts + 1);
            let recorded: Vec<_> = cake.recorded.iter().filter(|each| each.unique == index).map(|each| each.id).collect();
            if transition.state == State::Delivered {
                prop_assert!(!recorded.is_empty(), "delivered, but not recorded: {:?}", transition);
                if let Some(id) = transition.conversion_id {
                    prop_assert!(recorded.contains(&id), "another's conversion: {:?}", transition);
                }
            } else if !recorded.is_empty() && transition.counted != "" {
                prop_assert!(transition.is_in_doubt, "recorded, and no doubt: {:?}", transition);
            }
            let stored = &mut all[index];
            stored.row.attempts = transition.attempts;
            stored.row.is_in_doubt = transition.is_in_doubt;
            stored.row.code = transition.code;
            if transition.counted != "" {
                stored.row.changed_ms = now_ms;
                stored.knowledge = if transition.is_in_doubt { Knowledge::InDoubt } else { Knowledge::NotRecorded };
            }
            stored.state = transition.state;
            stored.next_ms = transition.next_ms;
            stored.conversion_id = transition.conversion_id;
            prop_assert!(now_ms < START_MS + 400 * DAY_MS);
        }
        for index in 0..all.len() {
            let count = cake.recorded.iter().filter(|each| each.unique == index).count();
            prop_assert!(count <= 1, "{count} times");
            prop_assert!(all[index].next_ms.is_none(), "it never ends");
        }
    }
}
