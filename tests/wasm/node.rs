//! The edge bindings in Node, through a `fetch` of the caller's.
#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use cake_edge::bindings::{Client, parse_tracking_link, read_event};
use js_sys::{Function, JSON, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

fn text_of(object: &JsValue, name: &str) -> String {
    Reflect::get(object, &name.into())
        .unwrap()
        .as_string()
        .unwrap_or_default()
}

fn client(fetch: &str) -> Client {
    let fetch = Function::new_with_args("request", fetch);
    Client::new(
        "https://yourdomain.cakemarketing.com",
        "CANARY",
        Some(fetch),
        1_000,
    )
    .unwrap()
}

#[wasm_bindgen_test]
fn a_link_is_read_into_its_parts() {
    let text = "https://track.yournetwork.com/?a=67890&c=12&s1=a%20b&x=1";
    let parts = parse_tracking_link(text, vec![], 0).unwrap();
    assert_eq!(text_of(&parts, "s1"), "a b");
    assert_eq!(
        JSON::stringify(&parts).unwrap(),
        r#"{"domain":"track.yournetwork.com","affiliateId":67890,"creativeId":12,"s1":"a b","extra":{"x":"1"}}"#
    );
}

#[wasm_bindgen_test]
fn an_error_carries_its_code_and_parameter() {
    let error =
        parse_tracking_link("https://track.yournetwork.com/?a=0&c=12", vec![], 0).unwrap_err();
    assert_eq!(text_of(&error, "code"), "invalid_id");
    assert_eq!(text_of(&error, "parameter"), "affiliateId");
    assert_eq!(
        text_of(&error, "rule"),
        "must be a whole number from 1 to 9007199254740991"
    );
}

#[wasm_bindgen_test]
async fn a_conversion_is_recorded_through_the_callers_fetch() {
    let client = client(
        r#"return new Response(JSON.stringify({ request_status: "Success", conversion: {
            conversion_id: 1, payout: 18.5, unique_id: new URL(request.url).searchParams.get("unique_id") } }))"#,
    );
    let params = JSON::parse(r#"{"clickId":"abc","offerId":12345,"uniqueId":"ORD-1"}"#).unwrap();
    let conversion = client.record_conversion(params).await.unwrap();
    assert_eq!(text_of(&conversion, "uniqueId"), "ORD-1");
    assert_eq!(text_of(&conversion, "payoutText"), "18.5");
}

#[wasm_bindgen_test]
async fn an_answer_that_never_comes_leaves_a_write_unknown_and_a_read_retryable() {
    let client = client(r#"throw new TypeError("Invalid URL: " + request.url)"#);
    let params = JSON::parse(r#"{"clickId":"abc","offerId":12345}"#).unwrap();
    let error = client.record_conversion(params).await.unwrap_err();
    assert_eq!(text_of(&error, "code"), "outcome_unknown");
    let error = client.get_click("abc".into()).await.unwrap_err();
    assert_eq!(text_of(&error, "code"), "network");
    assert!(!JSON::stringify(&error).unwrap().includes("CANARY", 0));
}

#[wasm_bindgen_test]
async fn mistyped_params_are_refused_before_anything_is_sent() {
    let client = client(r#"throw new Error("sent")"#);
    for params in [
        r#"{"clickId":"abc"}"#,
        r#"{"clickId":"abc","offerId":1,"ofer":2}"#,
        "7",
        "null",
    ] {
        let error = client
            .record_conversion(JSON::parse(params).unwrap())
            .await
            .unwrap_err();
        assert_eq!(text_of(&error, "code"), "invalid_field", "{params}");
    }
}

#[wasm_bindgen_test]
fn an_event_of_the_forwarders_is_read() {
    let event = read_event(r#"{"clickId":"abc","offerId":1,"uniqueId":"u"}"#).unwrap();
    assert_eq!(text_of(&event, "uniqueId"), "u");
    assert!(read_event("{}").is_err());
}
