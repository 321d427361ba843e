//! A read that meets a CAKE that is away.

use super::*;

const CLICKS: &str = r#"{"startDate":"2026-06-01","endDate":"2026-06-02"}"#;
const AWAY: [(u16, &str); 7] = [
    (200, r#"{"success":false,"message":"Down for maintenance"}"#),
    (
        200,
        r#"{"request_status":"Failure","message":"CAKE is offline"}"#,
    ),
    (
        200,
        r#"{"success":false,"message":"Request could not be processed"}"#,
    ),
    (200, "<html><title>Down for maintenance</title></html>"),
    (400, r#"{"message":"Service temporarily unavailable"}"#),
    (403, "<html><title>Site maintenance</title></html>"),
    (404, "<html><title>Scheduled downtime</title></html>"),
];

#[test]
fn a_read_is_repeated_while_cake_is_away() {
    for (action, params) in [
        (Action::ListClicks, CLICKS),
        (Action::ListConversions, CLICKS),
        (Action::ListConversionReport, CLICKS),
        (Action::ListTrackingDomains, "{}"),
        (Action::GetClick, r#"{"clickId":"abc"}"#),
    ] {
        for (status, body) in AWAY {
            let fates = vec![Says(status, body); 3];
            let (sent, step) = run(action, params, CallSettings::default(), &fates);
            assert_eq!((sent.len(), code(&step)), (3, "unavailable"), "{body}");
            let Step::Fail(error) = step else { panic!() };
            assert!(error.is_retryable());
        }
    }
    let fates = [Says(200, AWAY[0].1), Says(200, CONVERTED)];
    let (sent, step) = run(
        Action::GetClick,
        r#"{"clickId":"abc"}"#,
        CallSettings::default(),
        &fates,
    );
    assert_eq!((sent.len(), code(&step)), (2, "done"));
}

#[test]
fn a_refused_read_is_refused_at_once() {
    for (status, body, expected) in [
        (
            200,
            r#"{"success":false,"message":"Offer is offline"}"#,
            "refused",
        ),
        (
            200,
            r#"{"success":false,"message":"Invalid date"}"#,
            "refused",
        ),
        (403, "<html><title>Blocked</title></html>", "unauthorized"),
        (404, "<html><title>Not found</title></html>", "http_status"),
    ] {
        let fates = vec![Says(status, body); 3];
        let (sent, step) = run(Action::ListClicks, CLICKS, CallSettings::default(), &fates);
        assert_eq!((sent.len(), code(&step)), (1, expected), "{body}");
    }
}

#[test]
fn a_look_up_is_repeated_while_cake_is_away() {
    let fates = [
        Fails(Error::network()),
        Says(200, AWAY[0].1),
        Says(200, CONVERTED),
    ];
    let (sent, step) = record(WITH, &fates);
    assert_eq!(code(&step), "recovered", "{sent:?}");
}
