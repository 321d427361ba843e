//! Whose conversion a look-up shows, by table: one that nobody here knows, or one in another spelling. How long it
//! looks.

use super::look_up_tests::{IN_DOUBT, click, report};
use super::tests::{FRESH, START_MS, api, moment, row, run, run_urls, seen, text_of};
use super::*;
use crate::api::Answer;

/// Get Click names conversion 7, which no event here is known to have.
fn named(clicked: &str) -> String {
    click(
        1,
        &format!(r#","converted":true,"conversion_id":7{clicked}"#),
    )
}

/// The days that the look-ups asked the report for, and the end.
fn asked_of_reports(answers: &[(u16, &str)], siblings: &[Sibling]) -> (Vec<String>, Transition) {
    let mut breaker = CircuitBreaker::default();
    run_urls(&row(), IN_DOUBT, &mut breaker, answers, siblings, |url| {
        let days = url.split_once("start_date=").map(|(_, rest)| rest);
        let days = days.and_then(|rest| rest.split_once("&offer_id"));
        days.map(|(days, _)| days.replace("&end_date=", ".."))
    })
}

#[test]
fn a_conversion_that_nobody_here_knows_settles_nothing_until_the_report_says_whose_it_is() {
    let none: &[Sibling] = &[];
    let unsure = [Sibling::default()];
    let clicked = named(r#","click_date":"2026-01-03 10:00:00""#);
    let (undated, later) = (named(""), named(r#","click_date":"2026-01-15T11:59:00Z""#));
    let days = "2026-01-14..2026-01-17";
    let all_days = "2026-01-02..2026-01-17";
    let behind = report("");
    let other = report(
        r#"{"conversion_id":6,"offer_id":1,"unique_id":"ORD-9","conversion_date":"2026-01-15"}"#,
    );
    let theirs = r#"{"request_status":"Success","response":{"data":{"conversions":[{"conversion_id":7,"conversion_date":"2026-01-03 11:00:00","offer_id":1,"unique_id":"PIXEL-1"}]},"total_rows":1}}"#;
    let yes = r#"{"conversion":{"conversion_id":9}}"#;
    // An earlier order's, by the pixel: the event is sent.
    for siblings in [none, &unsure] {
        let answers = [
            (200, clicked.as_str()),
            (200, behind.as_str()),
            (200, theirs),
            (200, yes),
        ];
        let (asked, end) = asked_of_reports(&answers, siblings);
        assert_eq!(asked, [days, all_days]);
        assert_eq!((end.state, end.conversion_id), (State::Delivered, Some(9)));
    }
    // This event's, recorded for another day than the one that was sent.
    let ours = report(r#"{"conversion_id":7,"offer_id":1,"unique_id":"ORD-1"}"#);
    let answers = [
        (200, clicked.as_str()),
        (200, behind.as_str()),
        (200, ours.as_str()),
    ];
    let (asked, end) = asked_of_reports(&answers, none);
    assert_eq!(asked, [days, all_days]);
    assert_eq!((end.state, end.conversion_id), (State::Delivered, Some(7)));
    // Nobody can tell.
    for (click, reports, asked) in [
        (&clicked, vec![&behind, &behind], vec![days, all_days]),
        (&undated, vec![&behind], vec![days]),
        (&later, vec![&behind, &behind], vec![days, days]),
    ] {
        let mut answers = vec![(200, click.as_str())];
        answers.extend(reports.into_iter().map(|report| (200, report.as_str())));
        let (days, end) = asked_of_reports(&answers, none);
        assert_eq!(days, asked);
        assert_eq!(
            seen(&end),
            ("pending", "outcome_unknown", 1, true, true),
            "{asked:?}"
        );
    }
    // The report repeats its page, so nobody knows what else there is.
    for repeated in [
        &other,
        &report(r#"{"conversion_id":7,"offer_id":1,"unique_id":"PIXEL-1"}"#),
    ] {
        let mut answers = vec![(200, clicked.as_str())];
        answers.extend([(200, repeated.as_str()); 20]);
        let (_, end) = asked_of_reports(&answers, none);
        assert_eq!(seen(&end), ("pending", "outcome_unknown", 1, true, true));
    }
    for (status, body) in [
        (404, ""),
        (403, ""),
        (200, "<html>"),
        (200, r#"{"success":false,"message":"no such report"}"#),
    ] {
        let answers = [(200, clicked.as_str()), (status, body)];
        for attempts in [0, 9] {
            let mut breaker = CircuitBreaker::default();
            let row = Row { attempts, ..row() };
            let (_, end) = run(&row, IN_DOUBT, &mut breaker, &answers, none);
            assert_eq!(
                seen(&end),
                ("pending", "unexpected_answer", attempts + 1, true, true),
                "{status}"
            );
        }
    }
    let nameless = report(r#"{"conversion_id":7,"offer_id":1}"#);
    let answers = [(200, clicked.as_str()), (200, nameless.as_str())];
    let (_, end) = asked_of_reports(&answers, none);
    assert_eq!(seen(&end), ("pending", "outcome_unknown", 1, true, true));
}

#[test]
fn a_report_that_may_be_behind_is_asked_again_before_anyone_is_alarmed() {
    let young = Row {
        changed_ms: START_MS + 99_000,
        is_in_doubt: true,
        attempts: 1,
        ..row()
    };
    let (click, behind) = (named(""), report(""));
    let mut breaker = CircuitBreaker::default();
    let answers = [(200, click.as_str()), (200, behind.as_str())];
    let route = api();
    let now = moment(START_MS + 100_000);
    let mut attempt = Attempt::new(&route, young, IN_DOUBT, now.now_ms);
    let mut step = attempt.start(&mut breaker, now);
    for (status, body) in answers {
        let answer = Answer::new(status, body);
        step = attempt.next(Input::Answered(&answer), &mut breaker, now);
        if let Step::AskSiblings { .. } | Step::AskOthers { .. } = step {
            step = attempt.next(Input::Siblings(Some(&[])), &mut breaker, now);
        }
    }
    let Step::Store(end) = step else {
        panic!("{step:?}")
    };
    assert_eq!(
        (end.next_ms, end.attempts, end.is_alert),
        (Some(START_MS + 159_000), 1, false)
    );
}

#[test]
fn a_unique_id_in_another_spelling_is_never_sent_again() {
    let sent = |unique: &str, told: &str, others: &str| {
        let row = Row {
            text: text_of("abc", 1, unique),
            ..row()
        };
        let click = named("");
        let told = report(&format!(
            r#"{{"conversion_id":7,"offer_id":1,"unique_id":{told}}}{others}"#
        ));
        let end = told.replace("\"data\":{", "\"total_rows\":1,\"data\":{");
        let answers = [(200, click.as_str()), (200, end.as_str()), (200, "<html>")];
        let mut breaker = CircuitBreaker::default();
        let (asked, end) = run(&row, IN_DOUBT, &mut breaker, &answers, &[]);
        (
            asked.contains(&"conversion.json".to_owned()),
            end.state,
            end.is_in_doubt,
        )
    };
    for (unique, told) in [
        ("A&B-17", r#""A&amp;B-17""#),
        ("A'B-17", r#""A&#39;B-17""#),
        ("A B-17", r#""A%20B-17""#),
        ("заказ-17", r#""%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7-17""#),
    ] {
        assert_eq!(
            sent(unique, told, ""),
            (false, State::Delivered, false),
            "{told}"
        );
    }
    for (unique, told) in [
        ("0017", "17"),
        ("0017", r#""17""#),
        ("Ö-17", "\"O\u{308}-17\""),
        ("заказ-17", r#""?????-17""#),
        ("A+B-17", r#""A B-17""#),
        ("A’B-17", r#""A'B-17""#),
        ("12345678901234567890", "1.2345678901234567e+19"),
        (
            "order-12345678901234567890123456789012345678901234567890",
            r#""order-12345678901234567890123456789012345678901234""#,
        ),
    ] {
        assert_eq!(
            sent(unique, told, ""),
            (false, State::Pending, true),
            "{told}"
        );
    }
    // Of the very conversion that Get Click names, any other text may be a spelling of ours.
    for (unique, told) in [
        ("Größe-1", r#""GRÖSSE-1""#),
        ("Größe-1", r#""Gr%F6%DFe-1""#),
        ("Größe-1", r#""Gr%u00F6%u00DFe-1""#),
        ("Größe-1001", r#""Gre-1001""#),
        ("2026.10", "2026.1"),
        ("1234567890123", r#""1.23457E+12""#),
        ("1234567890123", r#""1.23457e+012""#),
        ("A B-1", r#""AB-1""#),
        ("ORDER-2026-11-27-0001", r#""ORDER-2026-11-27-00...""#),
        ("ORDER-1&2", r#""ORDER-1""#),
        ("ORDER#12", r#""ORDER""#),
        ("１００１-1", r#""1001-1""#),
        (
            "7f9c24e8-3b12-4fef-91a0-c0ffee123456",
            r#""{7F9C24E8-3B12-4FEF-91A0-C0FFEE123456}""#,
        ),
        (
            "7f9c24e8-3b12-4fef-91a0-c0ffee123456",
            r#""7f9c24e83b124fef91a0c0ffee123456""#,
        ),
        ("ORD-10", r#""ORD-1""#),
        ("заказ-17", r#""заказ-16""#),
        ("ORD-1", r#""3f2a""#),
    ] {
        assert_eq!(
            sent(unique, told, ""),
            (false, State::Pending, true),
            "{told}"
        );
    }
}

#[test]
fn a_conversion_of_the_click_that_no_event_here_has_may_be_this_ones() {
    const YES: &str = r#"{"conversion":{"conversion_id":9}}"#;
    let sibling = |conversion_id: Option<u64>, unique: &str| Sibling {
        is_delivered: conversion_id.is_some(),
        conversion_id,
        unique_id: Some(unique.to_owned()),
        ..Sibling::default()
    };
    let clicked = named("");
    let silent = click(1, "");
    let is_sent = |click: &str, rows: &str, siblings: &[Sibling]| {
        let whole = report(rows).replace("\"data\":{", "\"total_rows\":1,\"data\":{");
        let answers = [(200, click), (200, whole.as_str()), (200, YES)];
        let mut breaker = CircuitBreaker::default();
        let (_, end) = run(&row(), IN_DOUBT, &mut breaker, &answers, siblings);
        end.state == State::Delivered
    };
    let of_click = r#"{"conversion_id":8,"offer_id":1,"unique_id":"X","click_id":"ABC"}"#;
    let sevens = r#"{"conversion_id":7,"offer_id":1,"unique_id":"X"}"#;
    for (click, rows, siblings) in [
        // A row says itself that it is of the click.
        (&silent, of_click, Vec::<Sibling>::new()),
        (&clicked, of_click, vec![sibling(Some(7), "ORD-0")]),
        (&clicked, sevens, Vec::new()),
        (&clicked, sevens, vec![sibling(None, "x")]),
        (
            &clicked,
            r#"{"conversion_id":7,"conversion_date":"2026-01-14 00:00:00","offer_id":1,"unique_id":"X"}"#,
            Vec::new(),
        ),
    ] {
        assert!(
            !is_sent(click, rows, siblings.as_slice()),
            "{rows} {siblings:?}"
        );
    }
    // Another event's here, of another offer or click, or of a day before this event.
    for (click, rows, siblings) in [
        (&silent, of_click, vec![sibling(Some(8), "ORD-0")]),
        (&silent, of_click, vec![sibling(None, "X")]),
        (&clicked, sevens, vec![sibling(None, "X")]),
        (
            &silent,
            r#"{"conversion_id":8,"offer_id":2,"unique_id":"X","click_id":"abc"}"#,
            Vec::new(),
        ),
        (
            &silent,
            r#"{"conversion_id":8,"offer_id":1,"unique_id":"X","click_id":"zzz"}"#,
            Vec::new(),
        ),
        (
            &clicked,
            r#"{"conversion_id":7,"conversion_date":"2026-01-13T23:59:59Z","offer_id":1,"unique_id":"X"}"#,
            Vec::new(),
        ),
    ] {
        assert!(
            is_sent(click, rows, siblings.as_slice()),
            "{rows} {siblings:?}"
        );
    }
}

#[test]
fn a_look_up_reads_a_slow_report_for_a_minute_and_no_longer() {
    let now = moment(row().changed_ms + 100_000);
    let (clicked, mut breaker) = (click(1, ""), CircuitBreaker::default());
    let mut attempt = Attempt::new(&api(), row(), IN_DOUBT, now.now_ms);
    attempt.start(&mut breaker, now);
    attempt.next(
        Input::Answered(&Answer::new(200, &clicked)),
        &mut breaker,
        now,
    );
    let mut step = attempt.next(Input::Siblings(Some(&[])), &mut breaker, now);
    let mut pages = 0;
    while let Step::Fetch { .. } = step {
        pages += 1;
        let page = report(&format!(
            r#"{{"conversion_id":{pages},"offer_id":1,"unique_id":"X"}}"#
        ));
        let page = page.replace("\"data\":{", "\"total_rows\":1000,\"data\":{");
        let later = Moment {
            utc_ms: now.utc_ms + 14_000 * pages,
            ..now
        };
        step = attempt.next(
            Input::Answered(&Answer::new(200, &page)),
            &mut breaker,
            later,
        );
    }
    let Step::Store(end) = step else {
        panic!("{step:?}")
    };
    assert_eq!(pages, 5);
    assert_eq!(seen(&end), ("pending", "outcome_unknown", 1, true, true));
    assert_eq!(end.upstream_message, "the report was not read in a minute");
}

#[test]
fn a_duplicate_takes_back_a_look_up_that_found_nothing() {
    const DUPLICATE: &str = r#"{"success":false,"message":"This transaction is a duplicate"}"#;
    const NAMED: &str =
        r#"{"success":false,"message":"This transaction is a duplicate","conversion_id":8}"#;
    let fresh = Facts {
        is_deduplicated: false,
        ..FRESH
    };
    let unknown = Facts {
        knowledge: Knowledge::Unknown,
        ..IN_DOUBT
    };
    let not_converted = click(1, r#","converted":false,"conversion_id":0"#);
    let theirs = [Sibling {
        is_delivered: true,
        conversion_id: Some(8),
        unique_id: Some("ORD-0".to_owned()),
        ..Sibling::default()
    }];
    let reported = report(r#"{"conversion_id":8,"offer_id":1,"unique_id":"ORD-0"}"#)
        .replace("\"data\"", "\"total_rows\":1,\"data\"");
    let no_click = r#"{"response":{"clicks":[]}}"#;
    let nothing = report("");
    let delivered = (State::Delivered, false);
    for (facts, siblings, looked_up, body, expected) in [
        (
            IN_DOUBT,
            &[][..],
            vec![&*not_converted],
            DUPLICATE,
            delivered,
        ),
        (IN_DOUBT, &[], vec![&not_converted], NAMED, delivered),
        (
            IN_DOUBT,
            &[],
            vec![no_click, &nothing],
            DUPLICATE,
            delivered,
        ),
        (unknown, &[], vec![&not_converted], DUPLICATE, delivered),
        (
            IN_DOUBT,
            &theirs,
            vec![&not_converted, &reported],
            DUPLICATE,
            delivered,
        ),
        // It is another event's.
        (
            IN_DOUBT,
            &theirs,
            vec![&not_converted, &reported],
            NAMED,
            (State::Pending, true),
        ),
        // Without an earlier request, somebody else has sent it.
        (fresh, &[], vec![], DUPLICATE, (State::Refused, false)),
    ] {
        for status in [200, 400, 409, 422] {
            let mut answers: Vec<_> = looked_up.iter().map(|text| (200, *text)).collect();
            answers.push((status, body));
            let mut breaker = CircuitBreaker::default();
            let (asked, end) = run(&row(), facts, &mut breaker, &answers, siblings);
            assert_eq!(
                (end.state, end.is_in_doubt),
                expected,
                "{status} {body} after {asked:?}"
            );
        }
    }
}
