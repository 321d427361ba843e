//! Whose conversion a look-up shows, by table: one that nobody here knows, or one in another spelling.

use super::look_up_tests::{IN_DOUBT, click, report};
use super::tests::{START_MS, api, moment, row, run, run_urls, seen, text_of};
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
    let unsure = [Sibling {
        is_not_recorded: false,
        is_delivered: false,
        conversion_id: None,
        accepted_ms: 0,
    }];
    let clicked = named(r#","click_date":"2026-01-03 10:00:00""#);
    let (undated, later) = (named(""), named(r#","click_date":"2026-01-15T11:59:00Z""#));
    let days = "2026-01-14..2026-01-17";
    let all_days = "2026-01-02..2026-01-17";
    let behind = report("");
    let other = report(
        r#"{"conversion_id":6,"offer_id":1,"unique_id":"ORD-9","conversion_date":"2026-01-15"}"#,
    );
    let theirs = r#"{"request_status":"Success","response":{"data":{"conversions":[{"conversion_id":7,"offer_id":1,"unique_id":"PIXEL-1"}]},"total_rows":1}}"#;
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
        if let Step::AskSiblings { .. } = step {
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
    // Another order, as it is.
    for (unique, told) in [
        ("ORD-10", r#""ORD-1""#),
        ("ORD-1", r#""ORD-10""#),
        ("заказ-17", r#""заказ-16""#),
        ("0017", "18"),
    ] {
        assert!(sent(unique, told, "").0, "{told}");
    }
}
