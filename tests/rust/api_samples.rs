//! CAKE's own samples, request and answer, byte for byte.

use cake_edge::Error;
use cake_edge::api::{Account, Answer, get_click, record_conversion};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/api_samples.json")).unwrap()
}

fn answer(body: &str) -> Answer<'_> {
    Answer { status: 200, body }
}

#[test]
fn record_conversion_is_sent_as_the_article_shows() {
    let sample = &vectors()["record_conversion"];
    let text = |name: &str| sample[name].as_str().unwrap();
    let account = Account::new(text("base_url"), text("api_key")).unwrap();
    let params = serde_json::from_value(sample["params"].clone()).unwrap();
    let request = record_conversion::request(&account, &params).unwrap();
    assert_eq!(request.url_with_key(), text("url"));
}

#[test]
fn a_recorded_conversion_is_read_with_its_exact_money() {
    let sample = vectors();
    let body = sample["record_conversion"]["answer"].as_str().unwrap();
    let conversion = record_conversion::read(answer(body)).unwrap();
    assert_eq!(conversion.conversion_id, 998_877);
    assert_eq!(conversion.payout_text.as_deref(), Some("18.00"));
    assert_eq!(conversion.conversion_status.as_deref(), Some("approved"));
}

#[test]
fn a_click_is_read() {
    let sample = vectors();
    let body = sample["get_click"]["answer"].as_str().unwrap();
    let click = get_click::read(answer(body)).unwrap().unwrap();
    assert_eq!(click.sub_id_1.as_deref(), Some("banner_300x250"));
    assert_eq!(click.conversion_id, Some(998_877));
}

#[test]
fn what_is_not_the_success_shape_is_a_failure() {
    for (status, body, code) in [
        (
            200,
            r#"{"success":false,"message":"no such click"}"#,
            "refused",
        ),
        (200, r#"{"request_status":"Failure"}"#, "refused"),
        (200, "Restricted", "rate_limited"),
        (200, r#"{"message":"Restricted"}"#, "rate_limited"),
        (200, "<html>Bad Gateway</html>", "unexpected_answer"),
        (200, "", "unexpected_answer"),
        (200, r#"{"request_status":"Success"}"#, "unexpected_answer"),
        (
            200,
            r#"{"request_status":"Success","conversion":[]}"#,
            "unexpected_answer",
        ),
        (403, "", "unauthorized"),
        (429, "", "rate_limited"),
        (502, "<html>", "http_status"),
    ] {
        let error = record_conversion::read(Answer { status, body }).unwrap_err();
        assert_eq!(error.code(), code, "{status} {body}");
    }
}

#[test]
fn ids_come_as_numbers_or_text_and_optionals_may_be_null() {
    let body = r#"{"request_status":"Success","conversion":{"conversion_id":"77","offer_id":null,"payout":"1.50","extra":{}}}"#;
    let conversion = record_conversion::read(answer(body)).unwrap();
    assert_eq!(conversion.conversion_id, 77);
    assert_eq!(conversion.offer_id, None);
    assert_eq!(conversion.payout_text.as_deref(), Some("1.50"));
}

#[test]
fn an_unknown_click_is_none() {
    let body = r#"{"request_status":"Success","response":{"clicks":[],"total_rows":0}}"#;
    assert_eq!(get_click::read(answer(body)), Ok::<_, Error>(None));
}
