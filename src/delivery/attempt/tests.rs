//! Attempts by table.

use super::*;
use crate::api::{Account, Answer};
use crate::delivery::event::{Caller, RequestBody, read};

const CANARY: &str = "CANARY-KEY";
/// 2026-01-15 12:00 UTC.
pub(super) const START_MS: u64 = 1_768_478_400_000;

pub(super) fn api() -> Rc<Route> {
    Rc::new(Route::Api(
        Account::new("https://a.example", CANARY).unwrap(),
    ))
}

pub(super) fn text_of(click: &str, offer: u64, unique: &str) -> String {
    let body = format!(r#"{{"clickId":"{click}","offerId":{offer},"uniqueId":"{unique}"}}"#);
    let caller = Caller {
        is_signed: true,
        click_ids: "",
        is_pixel: true,
        latest: None,
    };
    match read(&body, caller).unwrap() {
        RequestBody::One(event) => event.text().unwrap(),
        RequestBody::Many(_) => panic!("several"),
    }
}

pub(super) fn row() -> Row {
    Row {
        number: 1,
        text: text_of("abc", 1, "ORD-1"),
        accepted_utc_ms: START_MS,
        changed_ms: START_MS,
        ..Row::default()
    }
}

pub(super) const FRESH: Facts = Facts {
    is_deduplicated: true,
    knowledge: Knowledge::NotRecorded,
    quiet_from_ms: 0,
};

pub(super) fn moment(now_ms: u64) -> Moment {
    Moment {
        now_ms,
        utc_ms: now_ms,
        random: 1 << 31,
    }
}

/// Returns the fetched services in order, and the transition. `answers` are given in turn.
pub(super) fn run(
    row: &Row,
    facts: Facts,
    breaker: &mut CircuitBreaker,
    answers: &[(u16, &str)],
    siblings: &[Sibling],
) -> (Vec<String>, Transition) {
    run_urls(row, facts, breaker, answers, siblings, |url| {
        let path = url.split(['?']).next().unwrap_or_default();
        Some(
            path.trim_start_matches("https://a.example/api/2/")
                .to_owned(),
        )
    })
}

/// Like [`run`], with what `shown` takes of each URL.
pub(super) fn run_urls(
    row: &Row,
    facts: Facts,
    breaker: &mut CircuitBreaker,
    answers: &[(u16, &str)],
    siblings: &[Sibling],
    shown: impl Fn(&str) -> Option<String>,
) -> (Vec<String>, Transition) {
    let route = api();
    let now = moment(row.changed_ms + 100_000);
    let mut attempt = Attempt::new(&route, row.clone(), facts, now.now_ms);
    let mut answers = answers.iter();
    let mut asked = Vec::new();
    let mut step = attempt.start(breaker, now);
    for _ in 0..100 {
        step = match step {
            Step::Store(transition) => return (asked, transition),
            Step::AskFamily | Step::NoteSending => panic!("no correction"),
            Step::AskSiblings { .. } | Step::AskOthers { .. } => {
                attempt.next(Input::Siblings(Some(siblings)), breaker, now)
            }
            Step::Fetch { url, .. } => {
                asked.extend(shown(&url));
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
pub(super) fn seen(transition: &Transition) -> (&'static str, &str, u32, bool, bool) {
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

#[test]
fn another_events_conversion_proves_nothing_of_this_one() {
    let yes = r#"{"conversion":{"conversion_id":7,"unique_id":"ORD-1"}}"#;
    let nameless = r#"{"conversion_id":7}"#;
    let before = r#"{"success":false,"message":"Duplicate transaction id","conversion_id":7}"#;
    let doubt = ("pending", "unexpected_answer", 1, true, true);
    let delivered = ("delivered", "", 1, false, false);
    for (theirs, click_id, is_deduplicated, expected) in [
        (Some(7), "abc", false, doubt),
        (Some(7), "abc", true, doubt),
        (Some(7), "ABC", true, doubt),
        // Another click's conversion is another account's, such as a sandbox that began anew.
        (Some(7), "xyz", true, delivered),
        (Some(7), "xyz", false, doubt),
        (Some(6), "abc", false, delivered),
        (Some(6), "abc", true, delivered),
        (None, "abc", false, delivered),
        (None, "abc", true, delivered),
    ] {
        let siblings = [Sibling {
            is_delivered: theirs.is_some(),
            conversion_id: theirs,
            click_id: click_id.to_owned(),
            ..Sibling::default()
        }];
        for (body, is_in_doubt) in [(yes, false), (nameless, false), (before, true)] {
            let (facts, row) = (
                Facts {
                    is_deduplicated,
                    ..FRESH
                },
                Row {
                    is_in_doubt,
                    ..row()
                },
            );
            if is_in_doubt && !is_deduplicated {
                continue;
            }
            let mut breaker = CircuitBreaker::default();
            let (_, end) = run(&row, facts, &mut breaker, &[(200, body)], &siblings);
            assert_eq!(
                seen(&end),
                expected,
                "{theirs:?} {click_id} {is_deduplicated} {body}"
            );
        }
    }
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
        let mut attempt = Attempt::new(&route, row.clone(), FRESH, START_MS);
        let _ = attempt.start(&mut breaker, moment(START_MS));
        let answer = Answer::new(200, body).with_account(&account);
        let step = attempt.next(Input::Answered(&answer), &mut breaker, moment(START_MS));
        let Step::Store(end) = step else {
            panic!("{step:?}")
        };
        assert!(!end.to_json(false).contains("CANARY"));
    }
}

#[test]
fn what_the_pixel_alone_takes_is_refused_where_it_waits_for_the_api() {
    for (more, field) in [
        (r#","eventId":3"#, "eventId"),
        (r#","coupons":["A"]"#, "coupons"),
    ] {
        let body = text_of("abc", 1, "SIGNUP-1").replace('}', &format!("{more}}}"));
        let caller = Caller {
            is_signed: true,
            click_ids: "",
            is_pixel: true,
            latest: None,
        };
        let RequestBody::One(event) = read(&body, caller).unwrap() else {
            panic!("several");
        };
        let row = Row {
            text: event.text().unwrap(),
            ..row()
        };
        let (asked, end) = run(&row, FRESH, &mut CircuitBreaker::default(), &[], &[]);
        assert_eq!(asked, [""; 0], "{field}");
        assert_eq!(seen(&end), ("refused", "invalid_field", 1, false, true));
        assert!(end.upstream_message.contains(field), "{end:?}");
    }
}

/// An event that was accepted while its offer deduplicated has no key of its click.
#[test]
fn a_doubt_stays_where_the_clicks_other_events_are_unknown() {
    for (is_in_doubt, is_sent) in [(true, false), (false, true)] {
        let row = Row {
            is_in_doubt,
            ..row()
        };
        let facts = Facts {
            is_deduplicated: false,
            knowledge: Knowledge::Unknown,
            quiet_from_ms: 0,
        };
        let (route, now) = (api(), moment(START_MS + 100_000));
        let mut breaker = CircuitBreaker::default();
        let mut attempt = Attempt::new(&route, row, facts, now.now_ms);
        let _ = attempt.start(&mut breaker, now);
        let clicks = r#"{"request_status":"Success","response":{"clicks":[{"click_id":"abc","offer_id":1,"affiliate_id":2,"converted":false,"conversion_id":0}]}}"#;
        let report =
            r#"{"request_status":"Success","response":{"data":{"conversions":[]},"total_rows":0}}"#;
        let step = attempt.next(
            Input::Answered(&Answer::new(200, clicks)),
            &mut breaker,
            now,
        );
        assert_eq!(
            step,
            Step::AskSiblings {
                conversion_id: None
            }
        );
        let _ = attempt.next(Input::Siblings(None), &mut breaker, now);
        let step = attempt.next(
            Input::Answered(&Answer::new(200, report)),
            &mut breaker,
            now,
        );
        match step {
            Step::Fetch { url, .. } => {
                assert!(is_sent && url.contains("/conversion.json"), "{url}");
            }
            Step::Store(end) => {
                assert!(!is_sent);
                assert_eq!(end.code, "outcome_unknown");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_address_that_was_never_reached_is_an_alert_with_the_reason_and_an_outage_later_is_none() {
    let refused = || Error::Network {
        cause: "getaddrinfo ENOTFOUND yourdomian.example".to_owned(),
    };
    let fails = |breaker: &mut CircuitBreaker, number, attempts, error: Error| {
        let (row, now) = (
            Row {
                number,
                attempts,
                ..row()
            },
            moment(START_MS),
        );
        let mut attempt = Attempt::new(&api(), row, FRESH, now.now_ms);
        let _ = attempt.start(breaker, now);
        match attempt.next(Input::Failed(error), breaker, now) {
            Step::Store(end) => (end.is_alert, end.upstream_message),
            step => panic!("{step:?}"),
        }
    };
    let words = "getaddrinfo ENOTFOUND yourdomian.example".to_owned();
    let mut breaker = CircuitBreaker::default();
    for number in 1..=10 {
        let told = fails(&mut breaker, number, 0, refused());
        assert_eq!(told, (number == 10, words.clone()), "{number}");
    }
    // One event alone, in its third attempt, for each way not to reach CAKE.
    for error in [refused(), Error::network(), Error::Timeout] {
        let mut breaker = CircuitBreaker::default();
        let alerts = [0, 1, 2].map(|at| fails(&mut breaker, 1, at, error.clone()).0);
        assert_eq!(alerts, [false, false, true], "{error:?}");
    }
    for (status, expected) in [
        (530, true),
        (526, true),
        (521, true),
        (520, false),
        (503, false),
    ] {
        let third = Row {
            attempts: 2,
            ..row()
        };
        let mut breaker = CircuitBreaker::default();
        let (_, end) = run(&third, FRESH, &mut breaker, &[(status, "")], &[]);
        assert_eq!(end.is_alert, expected, "{status}");
    }
    // CAKE was reached before: an outage is waited for.
    let mut breaker = CircuitBreaker::default();
    run(
        &row(),
        FRESH,
        &mut breaker,
        &[(200, r#"{"conversion_id":7}"#)],
        &[],
    );
    for number in 1..=12 {
        assert!(!fails(&mut breaker, number, 2, refused()).0, "{number}");
    }
}
