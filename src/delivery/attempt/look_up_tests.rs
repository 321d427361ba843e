//! Look-ups that settle a doubt, by table.

use super::tests::{FRESH, START_MS, api, moment, row, run, seen};
use super::*;
use crate::api::Answer;

pub(super) const IN_DOUBT: Facts = Facts {
    is_deduplicated: false,
    knowledge: Knowledge::InDoubt,
    quiet_from_ms: 0,
};

pub(super) fn click(offer: u64, converted: &str) -> String {
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
    let earlier = r#"{"conversion_id":7,"conversion_date":"2026-01-13 23:59:59","offer_id":1,"unique_id":"PIXEL-1"},{"conversion_id":6,"offer_id":2,"unique_id":"ORD-1"}"#;
    let sibling = |conversion_id: Option<u64>, is_not_recorded| Sibling {
        is_not_recorded,
        is_delivered: conversion_id.is_some(),
        conversion_id,
        unique_id: Some("ORD-0".to_owned()),
        ..Sibling::default()
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
            "no such click, and the report has it",
            r#"{"response":{"clicks":[]}}"#.to_owned(),
            none.to_vec(),
            report(ours),
            8,
            "click report",
        ),
        (
            "no such click, and the whole report lacks it",
            r#"{"response":{"clicks":[]}}"#.to_owned(),
            none.to_vec(),
            report(""),
            9,
            "click report conversion",
        ),
        (
            "its only event, and the report has it",
            click(1, r#","converted":true,"conversion_id":8"#),
            none.to_vec(),
            report(ours),
            8,
            "click report",
        ),
        (
            "a sibling's of another day, which the report of this day has not",
            converted.clone(),
            vec![sibling(Some(7), false)],
            report(""),
            9,
            "click report conversion",
        ),
        (
            "an earlier conversion of the click that only CAKE knows",
            converted.clone(),
            none.to_vec(),
            report(earlier),
            9,
            "click report report conversion",
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
            "another offer's click, which is not converted",
            click(2, r#","converted":false,"conversion_id":0"#),
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
        accepted_ms: row().accepted_utc_ms,
        ..Sibling::default()
    }];
    let without_ids = report(r#"{"conversion_id":7,"offer_id":1}"#);
    let not_converted = click(1, r#","converted":false,"conversion_id":0"#);
    let as_the_siblings = report(r#"{"conversion_id":7,"offer_id":1,"unique_id":"ORD-1"}"#);
    let behind = report("");
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
        // It lacks the sibling's conversion of the same day as well.
        (
            vec![(200, converted.as_str()), (200, behind.as_str())],
            "outcome_unknown",
        ),
        (
            vec![(200, not_converted.as_str()), (200, behind.as_str())],
            "outcome_unknown",
        ),
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
fn a_click_that_may_be_converted_is_not_sent_again_for_a_report_that_lacks_it() {
    for said in [
        r#","converted":true"#,
        r#","converted":true,"conversion_id":null"#,
        r#","converted":true,"conversion_id":0"#,
        r#","converted":"yes","conversion_id":"N/A""#,
        r#","converted":false,"conversion_id":7"#,
        r#","converted":null"#,
        r#","converted":false},{"click_id":"ABC","offer_id":1,"converted":true,"conversion_id":7"#,
        r#","converted":true,"conversion_id":7},{"click_id":"abc","offer_id":1,"converted":false"#,
        r#","converted":false},{"click_id":"abc","offer_id":1,"converted":true"#,
    ] {
        for offer in [1, 2] {
            let (click, empty) = (click(offer, said), report(""));
            let answers = [(200, click.as_str()), (200, empty.as_str())];
            let mut breaker = CircuitBreaker::default();
            let (asked, end) = run(&row(), IN_DOUBT, &mut breaker, &answers, &[]);
            assert_eq!(
                (seen(&end), asked.len()),
                (("pending", "outcome_unknown", 1, true, true), 2),
                "{offer}{said}"
            );
        }
    }
}

#[test]
fn trouble_of_a_look_up_stops_no_conversion() {
    let converted = click(1, r#","converted":true,"conversion_id":7"#);
    let sibling = [Sibling {
        is_not_recorded: false,
        is_delivered: true,
        conversion_id: Some(7),
        accepted_ms: 0,
        ..Sibling::default()
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
fn not_converted_is_believed_a_minute_after_the_attempt() {
    let recent = Row {
        is_in_doubt: true,
        attempts: 1,
        ..row()
    };
    let route = api();
    let not_converted = click(1, r#","converted":false,"conversion_id":null"#);
    let asked = |facts: Facts, after_ms: u64| {
        let mut breaker = CircuitBreaker::default();
        let now = moment(recent.changed_ms + after_ms);
        let mut attempt = Attempt::new(&route, recent.clone(), facts, now.now_ms);
        let _ = attempt.start(&mut breaker, now);
        let answer = Answer::new(200, &not_converted);
        let step = attempt.next(Input::Answered(&answer), &mut breaker, now);
        assert_eq!(
            step,
            Step::AskSiblings {
                conversion_id: None
            }
        );
        attempt.next(Input::Siblings(Some(&[])), &mut breaker, now)
    };
    for after_ms in [0, 5_000, 59_999] {
        let Step::Store(end) = asked(IN_DOUBT, after_ms) else {
            panic!("sent after {after_ms}");
        };
        assert_eq!(
            (end.next_ms, end.attempts, end.is_in_doubt, end.counted),
            (Some(recent.changed_ms + 60_000), 1, true, "")
        );
    }
    assert!(
        matches!(asked(IN_DOUBT, 60_000), Step::Fetch { url, .. } if url.contains("/2/conversion.json"))
    );
    // An object that is gone may have sent it until then.
    let gone = Facts {
        knowledge: Knowledge::Unknown,
        quiet_from_ms: recent.changed_ms + 40_000,
        ..IN_DOUBT
    };
    let Step::Store(end) = asked(gone, 70_000) else {
        panic!("sent");
    };
    assert_eq!(end.next_ms, Some(recent.changed_ms + 100_000));
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
    let mut attempt = Attempt::new(&route, recent.clone(), facts, now.now_ms);
    let Step::Fetch { .. } = attempt.start(&mut breaker, now) else {
        panic!("nothing is asked");
    };
    let other = click(2, r#","converted":false"#);
    let step = attempt.next(
        Input::Answered(&Answer::new(200, &other)),
        &mut breaker,
        now,
    );
    assert_eq!(
        step,
        Step::AskSiblings {
            conversion_id: None
        }
    );
    let step = attempt.next(Input::Siblings(Some(&[])), &mut breaker, now);
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
