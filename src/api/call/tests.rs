//! A call, by table and by property over sequences of answers.

use super::super::{Account, CallSettings};
use super::*;
use proptest::prelude::*;

mod away;
mod duplicates;

const WITH: &str = r#"{"clickId":"abc","offerId":1,"uniqueId":"ORD-1"}"#;
const WITHOUT: &str = r#"{"clickId":"abc","offerId":1}"#;
const RECORDED: &str = r#"{"request_status":"Success","conversion":{"conversion_id":7}}"#;
const CONVERTED: &str = r#"{"request_status":"Success","response":{"clicks":[{"click_id":"abc","offer_id":1,"affiliate_id":2,"converted":true,"conversion_id":7}]}}"#;
const NOT_CONVERTED: &str = r#"{"request_status":"Success","response":{"clicks":[{"click_id":"abc","offer_id":1,"affiliate_id":2,"converted":false,"conversion_id":null}]}}"#;
const DUPLICATE: &str = r#"{"success":false,"message":"Duplicate transaction"}"#;

const NO_CLICK: &str = r#"{"request_status":"Success","response":{"clicks":[],"total_rows":0}}"#;
const DUPLICATE_OF_7: &str =
    r#"{"message":"Duplicate transaction","conversion":{"conversion_id":7,"unique_id":"ORD-1"}}"#;
const NOT_REPORTED: &str =
    r#"{"request_status":"Success","response":{"data":{"conversions":[],"total_rows":0}}}"#;

/// The server's reaction to a request.
#[derive(Clone, Debug)]
enum Fate {
    Answer(u16, &'static str),
    RetryAfter(u64),
    Fail(Error),
    Abort,
}

use Fate::{Abort, Answer as Says, Fail as Fails, RetryAfter};

/// The requests, as `GET click` or `GET conversion`, and the outcome.
fn run(
    action: Action,
    params: &str,
    settings: CallSettings,
    fates: &[Fate],
) -> (Vec<String>, Step) {
    let account = Account::new("https://a.example", "CANARY").unwrap();
    let mut call = action.call(&account, params, settings).unwrap();
    let mut fates = fates.iter();
    let mut sent = Vec::new();
    let mut step = call.start();
    for _ in 0..1_000 {
        step = match step {
            Step::Send(request) => {
                let name = request.path.trim_end_matches(".json");
                sent.push(format!("{} {name}", request.method()));
                match fates.next().unwrap_or(&Fails(Error::network())).clone() {
                    Says(status, body) => {
                        call.next(CallEvent::Answered(&Answer::new(status, body)), 7)
                    }
                    RetryAfter(ms) => {
                        let answer = Answer::new(429, "").with_retry_after_ms(Some(ms));
                        call.next(CallEvent::Answered(&answer), 7)
                    }
                    Fails(error) => call.next(CallEvent::Failed(error), 7),
                    Abort => call.next(CallEvent::Aborted { is_sent: true }, 7),
                }
            }
            Step::Wait(_) => call.next(CallEvent::Waited, 7),
            over => return (sent, over),
        };
    }
    panic!("the call never ends");
}

fn record(params: &str, fates: &[Fate]) -> (Vec<String>, Step) {
    run(
        Action::RecordConversion,
        params,
        CallSettings::default(),
        fates,
    )
}

fn code(step: &Step) -> &'static str {
    match step {
        Step::Fail(error) => error.code(),
        Step::Done(CallOutcome::Conversion(conversion)) if conversion.is_recovered => "recovered",
        Step::Done(_) => "done",
        _ => "not over",
    }
}

fn times(sent: &[String], what: &str) -> usize {
    sent.iter().filter(|name| *name == what).count()
}

#[test]
fn without_a_unique_id_a_conversion_is_sent_once_and_an_unknown_outcome_is_named() {
    for (fate, expected) in [
        (Says(200, RECORDED), "done"),
        (Fails(Error::network()), "outcome_unknown"),
        (Fails(Error::Timeout), "outcome_unknown"),
        (Fails(Error::AnswerTooLarge), "outcome_unknown"),
        (Says(500, ""), "outcome_unknown"),
        (Says(502, "<html>"), "outcome_unknown"),
        (Says(408, ""), "outcome_unknown"),
        (Says(200, ""), "outcome_unknown"),
        (Says(204, ""), "outcome_unknown"),
        (Says(200, r#"{"request_status":"Succ"#), "outcome_unknown"),
        (Abort, "outcome_unknown"),
        (Says(429, ""), "rate_limited"),
        (Says(200, "Restricted"), "rate_limited"),
        (Says(403, ""), "unauthorized"),
        (Says(404, ""), "http_status"),
        (Says(302, ""), "outcome_unknown"),
        (Says(200, "<html>Sign in</html>"), "outcome_unknown"),
        (
            Says(200, r#"{"request_status":"Success"}"#),
            "outcome_unknown",
        ),
        (Says(200, DUPLICATE), "refused"),
    ] {
        let (sent, end) = record(WITHOUT, std::slice::from_ref(&fate));
        assert_eq!(code(&end), expected, "{fate:?}");
        assert_eq!(sent, ["GET conversion"], "{fate:?}");
    }
}

#[test]
fn an_unknown_outcome_says_what_it_came_from() {
    let (_, end) = record(WITHOUT, &[Says(503, "")]);
    let Step::Fail(error) = end else {
        panic!("{end:?}")
    };
    assert_eq!(error.cause().map(Error::code), Some("http_status"));
    assert!(!error.is_retryable());
}

#[test]
fn with_a_unique_id_get_click_is_asked_before_every_repeat() {
    let lost = Fails(Error::network());
    for (fates, expected, path) in [
        (
            vec![lost.clone(), Says(200, CONVERTED)],
            "recovered",
            vec!["GET conversion", "GET click"],
        ),
        (
            vec![lost.clone(), Says(200, NOT_CONVERTED), Says(200, RECORDED)],
            "done",
            vec!["GET conversion", "GET click", "GET conversion"],
        ),
        // Get Click cannot be reached: nothing is sent again.
        (
            vec![lost.clone(), lost.clone(), lost.clone()],
            "outcome_unknown",
            vec!["GET conversion", "GET click", "GET click"],
        ),
        (
            vec![lost.clone(), Says(200, "<html>")],
            "outcome_unknown",
            vec!["GET conversion", "GET click"],
        ),
        // The tries are used up: the last word is Get Click's.
        (
            vec![
                lost.clone(),
                Says(200, NOT_CONVERTED),
                lost.clone(),
                Says(200, NOT_CONVERTED),
                lost.clone(),
                Says(200, CONVERTED),
            ],
            "recovered",
            vec![
                "GET conversion",
                "GET click",
                "GET conversion",
                "GET click",
                "GET conversion",
                "GET click",
            ],
        ),
        (
            vec![
                lost.clone(),
                Says(200, NOT_CONVERTED),
                Says(200, DUPLICATE),
                Says(200, CONVERTED),
            ],
            "recovered",
            vec!["GET conversion", "GET click", "GET conversion", "GET click"],
        ),
        (
            vec![
                lost.clone(),
                Says(200, NOT_CONVERTED),
                Says(200, r#"{"success":false,"message":"Offer is closed"}"#),
            ],
            "refused",
            vec!["GET conversion", "GET click", "GET conversion"],
        ),
        // CAKE has not looked at it: Get Click could only tell of another order of the click.
        (
            vec![Says(429, ""), Says(200, "Restricted"), Says(200, RECORDED)],
            "done",
            vec!["GET conversion"; 3],
        ),
        (
            vec![Says(425, ""), Says(200, RECORDED)],
            "done",
            vec!["GET conversion"; 2],
        ),
        // Get Click shows no such click: that says nothing of its conversions.
        (
            vec![lost.clone(), Says(200, NO_CLICK)],
            "outcome_unknown",
            vec!["GET conversion", "GET click"],
        ),
        // The time ran out: CAKE may be at work, so the look-up is repeated.
        (
            vec![
                Fails(Error::Timeout),
                Says(200, NOT_CONVERTED),
                Says(200, CONVERTED),
            ],
            "recovered",
            vec!["GET conversion", "GET click", "GET click"],
        ),
        // A duplicate that names the conversion of the lost request.
        (
            vec![
                lost.clone(),
                Says(200, NOT_CONVERTED),
                Says(409, DUPLICATE_OF_7),
            ],
            "recovered",
            vec!["GET conversion", "GET click", "GET conversion"],
        ),
    ] {
        let (sent, end) = record(WITH, &fates);
        assert_eq!(code(&end), expected, "{fates:?}");
        assert_eq!(sent, path, "{fates:?}");
    }
}

#[test]
fn who_trusts_cakes_deduplication_sends_again_without_asking() {
    let settings = CallSettings {
        verifies: false,
        report_at_ms: None,
        ..CallSettings::default()
    };
    let fates = [Fails(Error::Timeout), Says(500, ""), Says(200, RECORDED)];
    let (sent, end) = run(Action::RecordConversion, WITH, settings, &fates);
    assert_eq!(code(&end), "done");
    assert_eq!(sent, ["GET conversion"; 3]);
}

#[test]
fn a_write_is_missing_only_a_minute_after_it_where_it_may_still_appear() {
    let account = Account::new("https://a.example", "CANARY").unwrap();
    // How long the call waits in all before it sends again.
    let waited_ms = |report_at_ms, ended: &Fate, missing: &str, timeout_ms| {
        let settings = CallSettings {
            report_at_ms,
            timeout_ms,
            ..CallSettings::default()
        };
        let mut call = Action::RecordConversion
            .call(&account, WITH, settings)
            .unwrap();
        let (mut waited, mut writes) = (0, 0);
        let mut step = call.start();
        loop {
            step = match step {
                Step::Wait(ms) => {
                    waited += ms;
                    call.next(CallEvent::Waited, 1 << 30)
                }
                Step::Send(request)
                    if request.path.ends_with("/conversion.json")
                        || request.path == "conversion.json" =>
                {
                    let is_write = !request.path.contains("report");
                    if is_write && writes == 1 {
                        return waited;
                    }
                    writes += u32::from(is_write);
                    match ended {
                        _ if !is_write => {
                            call.next(CallEvent::Answered(&Answer::new(200, missing)), 0)
                        }
                        Says(status, body) => {
                            call.next(CallEvent::Answered(&Answer::new(*status, body)), 1 << 30)
                        }
                        Fails(error) => call.next(CallEvent::Failed(error.clone()), 1 << 30),
                        RetryAfter(_) | Abort => panic!("no such end"),
                    }
                }
                Step::Send(_) => call.next(CallEvent::Answered(&Answer::new(200, missing)), 0),
                over => panic!("{over:?}"),
            };
        }
    };
    for ended in [Fails(Error::Timeout), Says(504, ""), Says(524, "")] {
        for (timeout_ms, expected) in [(15_000, 60_000), (60_000, 60_000), (2_000, 8_000)] {
            let waited = waited_ms(None, &ended, NOT_CONVERTED, timeout_ms);
            assert_eq!(waited, expected, "{ended:?}");
        }
    }
    for ended in [
        Fails(Error::network()),
        Says(500, ""),
        Says(408, ""),
        Says(200, "<html>"),
    ] {
        let waited = waited_ms(None, &ended, NOT_CONVERTED, 15_000);
        assert!((500..1_000).contains(&waited), "{ended:?} {waited}");
        // The report may be behind, however the request ended.
        let waited = waited_ms(Some(1_768_478_400_000), &ended, NOT_REPORTED, 15_000);
        assert_eq!(waited, 60_000, "{ended:?}");
    }
}

#[test]
fn reads_are_repeated_for_what_passes_and_for_nothing_else() {
    let read = |fate: &Fate| {
        let (sent, end) = run(
            Action::GetClick,
            r#"{"clickId":"abc"}"#,
            CallSettings::default(),
            &[fate.clone(), fate.clone(), Says(200, NOT_CONVERTED)],
        );
        (sent.len(), code(&end))
    };
    for fate in [
        Fails(Error::network()),
        Fails(Error::Timeout),
        Says(408, ""),
        Says(425, ""),
        Says(429, ""),
        Says(500, ""),
        Says(503, ""),
        Says(200, "Restricted"),
        Says(200, r#"{"success":false,"message":"Restricted"}"#),
        RetryAfter(60_000),
    ] {
        assert_eq!(read(&fate), (3, "done"), "{fate:?}");
    }
    for (fate, expected) in [
        (Says(400, ""), "http_status"),
        (Says(401, ""), "unauthorized"),
        (Says(302, ""), "redirected"),
        (Says(200, "<html>"), "unexpected_answer"),
        (Says(200, r#"{"success":false}"#), "refused"),
        (Fails(Error::AnswerTooLarge), "answer_too_large"),
        (RetryAfter(60_001), "rate_limited"),
        (Abort, "aborted"),
    ] {
        assert_eq!(read(&fate), (1, expected), "{fate:?}");
    }
}

#[test]
fn create_postback_is_sent_once_whatever_happens() {
    let params = r#"{"affiliateId":1,"offerId":0,"postbackUrl":"https://p.example/"}"#;
    for (fate, expected) in [
        (Fails(Error::network()), "outcome_unknown"),
        (Says(500, ""), "outcome_unknown"),
        (Says(429, ""), "rate_limited"),
        (Says(200, "{}"), "outcome_unknown"),
    ] {
        let (sent, end) = run(
            Action::CreatePostback,
            params,
            CallSettings::default(),
            std::slice::from_ref(&fate),
        );
        assert_eq!(code(&end), expected, "{fate:?}");
        assert_eq!(sent, ["POST affiliate_postback"], "{fate:?}");
    }
}

#[test]
fn an_abort_before_anything_was_sent_leaves_no_doubt() {
    let account = Account::new("https://a.example", "CANARY").unwrap();
    let mut call = Action::RecordConversion
        .call(&account, WITHOUT, CallSettings::default())
        .unwrap();
    let _ = call.start();
    let end = call.next(CallEvent::Aborted { is_sent: false }, 0);
    assert_eq!(code(&end), "aborted");
}

#[test]
fn a_read_only_client_writes_nothing() {
    let account = Account::new("https://a.example", "CANARY").unwrap();
    let settings = CallSettings {
        is_read_only: true,
        ..CallSettings::default()
    };
    let error = Action::RecordConversion
        .call(&account, WITH, settings)
        .unwrap_err();
    assert_eq!(error, Error::ReadOnly);
    assert!(
        Action::GetClick
            .call(&account, r#"{"clickId":"a"}"#, settings)
            .is_ok()
    );
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fails(Error::network())),
        Just(Fails(Error::Timeout)),
        Just(Fails(Error::AnswerTooLarge)),
        Just(Says(200, RECORDED)),
        Just(Says(200, CONVERTED)),
        Just(Says(200, NOT_CONVERTED)),
        Just(Says(200, DUPLICATE)),
        Just(Says(200, "Restricted")),
        Just(Says(200, "<html>")),
        Just(Says(200, "{\"a")),
        Just(Says(200, "")),
        Just(Says(200, "{}")),
        (0_u16..700).prop_map(|status| Says(status, "")),
        any::<u64>().prop_map(RetryAfter),
        Just(Abort),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_sequence_of_answers_sends_a_conversion_twice_without_a_unique_id(
        fates in proptest::collection::vec(any_fate(), 0..12),
        retries in 0_u32..10, verifies in any::<bool>(),
    ) {
        let settings = CallSettings { retries, verifies, ..CallSettings::default() };
        let (sent, _) = run(Action::RecordConversion, WITHOUT, settings, &fates);
        prop_assert_eq!(sent, ["GET conversion"]);
    }

    #[test]
    fn no_sequence_of_answers_repeats_a_conversion_before_get_click_said_not_converted(
        fates in proptest::collection::vec(any_fate(), 0..12), retries in 0_u32..10,
    ) {
        let settings = CallSettings { retries, ..CallSettings::default() };
        let (sent, _) = run(Action::RecordConversion, WITH, settings, &fates);
        for (at, name) in sent.iter().enumerate().skip(1) {
            let is_limited = match fates.get(at - 1) {
                Some(Says(status, body)) => matches!(status, 425 | 429) || *body == "Restricted",
                Some(RetryAfter(_)) => true,
                Some(Fails(_) | Abort) | None => false,
            };
            if name == "GET conversion" && !is_limited {
                prop_assert_eq!(&sent[at - 1], "GET click");
                let is_clear = matches!(
                    fates.get(at - 1),
                    Some(Says(200, NOT_CONVERTED))
                );
                prop_assert!(is_clear, "{:?} after {:?}", sent, fates);
            }
        }
        prop_assert!(times(&sent, "GET conversion") <= retries as usize + 1);
    }

    #[test]
    fn no_call_sends_more_than_its_budget(
        fates in proptest::collection::vec(any_fate(), 0..12),
        retries in 0_u32..10, verifies in any::<bool>(),
    ) {
        let settings = CallSettings { retries, verifies, ..CallSettings::default() };
        let (sent, _) = run(Action::RecordConversion, WITH, settings, &fates);
        prop_assert!(times(&sent, "GET conversion") <= retries as usize + 1);
        // After a time-out a look-up may come once more.
        let look_ups = times(&sent, "GET click");
        prop_assert!(look_ups <= retries as usize + 1 + times(&sent, "GET conversion"));
        let (sent, _) = run(Action::GetClick, r#"{"clickId":"abc"}"#, settings, &fates);
        prop_assert!(sent.len() <= retries as usize + 1);
    }
}
