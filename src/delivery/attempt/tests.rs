//! Attempts by table.

use super::*;
use crate::api::{Account, Answer};
use crate::delivery::event::{Caller, RequestBody, read};

const CANARY: &str = "CANARY-KEY";
/// 2026-01-15 12:00 UTC.
pub(super) const START_MS: u64 = 1_768_478_400_000;

pub(super) fn api() -> Route {
    Route::Api(Account::new("https://a.example", CANARY).unwrap())
}

pub(super) fn text_of(click: &str, offer: u64, unique: &str) -> String {
    let body = format!(r#"{{"clickId":"{click}","offerId":{offer},"uniqueId":"{unique}"}}"#);
    let caller = Caller {
        is_signed: true,
        click_id: None,
        is_pixel: true,
        latest: None,
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

/// Returns the fetched services in order, and the transition. `answers` are given in turn.
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
            Step::AskFamily | Step::NoteSending => panic!("no correction"),
            Step::AskSiblings => attempt.next(Input::Siblings(Some(siblings)), breaker, now),
            Step::Fetch { url, .. } => {
                let path = url.split(['?']).next().unwrap_or_default();
                asked.push(
                    path.trim_start_matches("https://a.example/api/2/")
                        .to_owned(),
                );
                match answers.next() {
                    None => attempt.next(Input::Failed(Error::network()), breaker, now),
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
            400,
            r#"{"success":false,"message":"Duplicate transaction id ORD-2"}"#,
        ),
        (
            404,
            r#"{"success":false,"message":"Duplicate transaction id"}"#,
        ),
        (
            200,
            r#"{"success":false,"message":"Conversion already exists for this click"}"#,
        ),
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
    for status in [200, 400, 409, 422] {
        let (_, end) = run(&doubted, FRESH, &mut breaker, &[(status, body)], &[]);
        assert_eq!((end.state, end.is_in_doubt), (State::Delivered, false));
    }
}

#[test]
fn the_words_of_cake_behind_a_status_are_kept() {
    let body = r#"{"success":false,"message":"Offer is closed"}"#;
    for status in [200, 400, 401, 403, 404, 409, 422, 500, 503] {
        let end = first(status, body);
        let said = &end.upstream_message;
        assert!(said.contains("Offer is closed"), "{status} {said}");
    }
    for status in [400, 401, 500] {
        assert_eq!(first(status, "").upstream_message, "");
    }
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

pub(super) fn report(rows: &str) -> String {
    format!(r#"{{"request_status":"Success","response":{{"data":{{"conversions":[{rows}]}}}}}}"#)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn a_look_up_settles_a_doubt_only_if_it_is_about_this_event() {
    const RECORDED: &str = r#"{"conversion":{"conversion_id":9}}"#;
    let ours = r#"{"conversion_id":8,"offer_id":1,"unique_id":"ORD-1"}"#;
    let others = r#"{"conversion_id":7,"offer_id":1,"unique_id":"ORD-0"},{"conversion_id":6,"offer_id":2,"unique_id":"ORD-1"}"#;
    let converted = click(1, r#","converted":true,"conversion_id":7"#);
    let sibling = |conversion_id: Option<u64>, is_not_recorded| Sibling {
        is_not_recorded,
        is_delivered: conversion_id.is_some(),
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
            "click",
        ),
        (
            "a sibling has another conversion, and one has none",
            converted.clone(),
            vec![sibling(Some(5), false), sibling(None, true)],
            String::new(),
            7,
            "click",
        ),
        (
            "a sibling has this conversion, and the report has ours",
            converted.clone(),
            vec![sibling(Some(7), false)],
            report(&[others, ours].join(",")),
            8,
            "click report",
        ),
        (
            "a sibling may have it, and the report has not ours",
            converted.clone(),
            vec![sibling(None, false)],
            report(others),
            9,
            "click report report conversion",
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
            "converted is neither true nor false",
            click(1, r#","converted":"perhaps","conversion_id":null"#),
            none.to_vec(),
            report(ours),
            8,
            "click report",
        ),
        (
            "converted is false, as a conversion",
            click(1, r#","converted":false,"conversion_id":7"#),
            none.to_vec(),
            report(ours),
            8,
            "click report",
        ),
        (
            "two rows of the click that disagree",
            r#"{"response":{"clicks":[{"click_id":"abc","offer_id":1,"converted":false},{"click_id":"ABC","offer_id":1,"converted":true,"conversion_id":7}]}}"#.to_owned(),
            none.to_vec(),
            report(ours),
            8,
            "click report",
        ),
        (
            "not converted, though a sibling is delivered",
            click(1, r#","converted":false,"conversion_id":0"#),
            vec![sibling(Some(7), false)],
            report(&[others, ours].join(",")),
            8,
            "click report",
        ),
        (
            "no such click, though a sibling is delivered",
            r#"{"response":{"clicks":[]}}"#.to_owned(),
            vec![sibling(Some(7), false)],
            report(ours),
            8,
            "click report",
        ),
        (
            "a row without a unique id of another click or offer",
            click(1, r#","converted":false"#),
            vec![sibling(Some(7), false)],
            report(r#"{"conversion_id":5,"offer_id":1,"click_id":"zzz"},{"conversion_id":4,"offer_id":2},{"conversion_id":6,"offer_id":2,"unique_id":"ORD-1"}"#),
            9,
            "click report report conversion",
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
        // Without a total the next page begins with the last row read. No row after it is the end.
        let end = report(r#"{"conversion_id":6,"offer_id":2,"unique_id":"ORD-1"}"#);
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
        is_delivered: true,
        conversion_id: Some(7),
    }];
    let without_ids = report(r#"{"conversion_id":7,"offer_id":1}"#);
    let not_converted = click(1, r#","converted":false,"conversion_id":0"#);
    let as_the_siblings = report(r#"{"conversion_id":7,"offer_id":1,"unique_id":"ORD-1"}"#);
    let as_nothing = report(
        r#"{"conversion_id":7,"offer_id":1,"unique_id":"ORD-0"},{"conversion_id":0,"offer_id":1,"unique_id":"ORD-1"}"#,
    );
    // Such a row settles nothing until the whole report is read.
    let last = r#"{"conversion_id":7,"offer_id":1,"unique_id":"ORD-0"}"#;
    let end = report(last);
    let nameless = [
        r#"{"conversion_id":8,"offer_id":1}"#,
        r#"{"conversion_id":8,"offer_id":1,"unique_id":" "}"#,
        r#"{"conversion_id":8,"unique_id":"","click_id":"ABC"}"#,
        r#"{"conversion_id":8,"offer_id":1,"unique_id":"ord-1"}"#,
    ]
    .map(|row| report(&[row, last].join(",")));
    for reported in &nameless {
        let answers = [
            (200, converted.as_str()),
            (200, reported.as_str()),
            (200, end.as_str()),
        ];
        let mut breaker = CircuitBreaker::default();
        let (asked, seen_end) = run(&row(), IN_DOUBT, &mut breaker, &answers, &sibling);
        assert_eq!(
            seen(&seen_end),
            ("pending", "outcome_unknown", 1, true, true),
            "{reported}"
        );
        assert!(!asked.contains(&"conversion.json".to_owned()));
    }
    for (answers, code) in [
        (
            vec![(200, converted.as_str()), (200, as_the_siblings.as_str())],
            "outcome_unknown",
        ),
        (
            vec![(200, converted.as_str()), (200, as_nothing.as_str())],
            "outcome_unknown",
        ),
        (
            vec![(200, not_converted.as_str()), (404, "")],
            "unexpected_answer",
        ),
        (
            vec![(200, converted.as_str()), (404, "")],
            "unexpected_answer",
        ),
        (
            vec![(200, converted.as_str()), (403, "")],
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
fn trouble_of_a_look_up_stops_no_conversion() {
    let converted = click(1, r#","converted":true,"conversion_id":7"#);
    let sibling = [Sibling {
        is_not_recorded: false,
        is_delivered: true,
        conversion_id: Some(7),
    }];
    let row_of = |number| Row { number, ..row() };
    // An account without the report, in any words.
    for answer in [
        (401, ""),
        (403, ""),
        (404, ""),
        (200, r#"{"success":false,"message":"Invalid API Key"}"#),
    ] {
        let mut breaker = CircuitBreaker::default();
        for number in 0..20 {
            let answers = [(200, converted.as_str()), answer];
            let (_, end) = run(&row_of(number), IN_DOUBT, &mut breaker, &answers, &sibling);
            assert_eq!(end.counted, "retried", "{answer:?}");
            assert!(breaker.rest_reason(end.next_ms.unwrap()).is_empty());
        }
    }
    // A limit by the report or Get Click pauses look-ups, but not sends.
    let limits = [
        vec![(200, converted.as_str()), (429, "")],
        vec![(429, "")],
        vec![(200, "Restricted")],
    ];
    for answers in limits {
        let mut breaker = CircuitBreaker::default();
        let (_, end) = run(&row_of(1), IN_DOUBT, &mut breaker, &answers, &sibling);
        assert_eq!(seen(&end), ("pending", "rate_limited", 1, true, false));
        let (asked, end) = run(&row_of(2), IN_DOUBT, &mut breaker, &[], &sibling);
        assert_eq!((asked.len(), end.counted, end.attempts), (0, "", 0));
        assert!(end.next_ms.unwrap() > START_MS + 100_000);
        let yes = r#"{"conversion":{"conversion_id":8}}"#;
        let (_, end) = run(&row_of(3), FRESH, &mut breaker, &[(200, yes)], &[]);
        assert_eq!(end.state, State::Delivered);
    }
    // A refused key stops sends too, because conversions need it.
    let mut breaker = CircuitBreaker::default();
    for number in 0..2 {
        run(&row_of(number), IN_DOUBT, &mut breaker, &[(403, "")], &[]);
    }
    assert!(breaker.is_paused());
}

#[test]
fn another_events_conversion_proves_nothing_of_this_one() {
    let facts = Facts {
        is_deduplicated: false,
        ..FRESH
    };
    let yes = r#"{"conversion":{"conversion_id":7,"unique_id":"ORD-1"}}"#;
    let nameless = r#"{"conversion_id":7}"#;
    for (theirs, expected) in [
        (Some(7), ("pending", "unexpected_answer", 1, true, true)),
        (Some(6), ("delivered", "", 1, false, false)),
        (None, ("delivered", "", 1, false, false)),
    ] {
        let siblings = [Sibling {
            is_not_recorded: false,
            is_delivered: theirs.is_some(),
            conversion_id: theirs,
        }];
        for body in [yes, nameless] {
            let mut breaker = CircuitBreaker::default();
            let (_, end) = run(&row(), facts, &mut breaker, &[(200, body)], &siblings);
            assert_eq!(seen(&end), expected, "{theirs:?} {body}");
        }
    }
}

#[test]
fn a_row_missing_in_the_report_is_believed_after_a_minute() {
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
    // The first refusal uses up no attempt; each later one does.
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
