//! The edge bindings in Node, through a `fetch` from the caller.
#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use cake_edge::bindings::{Client, parse_tracking_link, read_conversions};
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
        false,
        false,
        0.0,
        Some(fetch),
        None,
        None,
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
        "must be a whole number from 1 to 9007199254740991; a link takes CAKE's test affiliate, -1, with testAffiliate: true"
    );
}

async fn run(client: &Client, action: &str, params: &str) -> Result<JsValue, JsValue> {
    let outcome = client
        .call(action.into(), params.into(), 0, 1_000, "click".into(), None)
        .await?;
    JSON::parse(&outcome.as_string().unwrap())
}

#[wasm_bindgen_test]
async fn a_conversion_is_recorded_through_the_callers_fetch() {
    let client = client(
        r#"return new Response(JSON.stringify({ request_status: "Success", conversion: {
            conversion_id: 1, payout: 18.5, unique_id: new URL(request.url).searchParams.get("unique_id") } }))"#,
    );
    let params = r#"{"clickId":"abc","offerId":12345,"uniqueId":"ORD-1"}"#;
    let conversion = run(&client, "recordConversion", params).await.unwrap();
    assert_eq!(text_of(&conversion, "uniqueId"), "ORD-1");
    assert_eq!(text_of(&conversion, "payoutText"), "18.5");
}

#[wasm_bindgen_test]
async fn an_answer_that_never_comes_leaves_a_write_unknown_and_a_read_retryable() {
    let client = client(r#"throw new TypeError("Invalid URL: " + request.url)"#);
    let error = run(
        &client,
        "recordConversion",
        r#"{"clickId":"abc","offerId":12345}"#,
    )
    .await
    .unwrap_err();
    assert_eq!(text_of(&error, "code"), "outcome_unknown");
    let cause = Reflect::get(&error, &"cause".into()).unwrap();
    assert_eq!(text_of(&cause, "code"), "network");
    let error = run(&client, "getClick", r#"{"clickId":"abc"}"#)
        .await
        .unwrap_err();
    assert_eq!(text_of(&error, "code"), "network");
    assert!(!JSON::stringify(&error).unwrap().includes("CANARY", 0));
}

/// For any behaviour of a replacement for `fetch`, the promise settles with a code.
#[wasm_bindgen_test]
async fn a_fetch_that_answers_no_response_is_a_network_error() {
    for fetch in [
        "return undefined",
        "return 7",
        "return {}",
        "return { status: '200' }",
        "return { status: 200, body: {} }",
        "return { status: 200, body: { getReader: 7 } }",
        "return { status: 200, body: { getReader() { throw new Error('locked') } } }",
        "return { status: 200, body: { getReader: () => ({ read: async () => undefined }) } }",
        "return { status: 200, body: { getReader: () => ({ read: async () => ({ done: false }) }) } }",
        "return Promise.reject(undefined)",
        "return Promise.reject('text')",
        "const used = new Response('{}'); return used.text().then(() => used)",
    ] {
        let error = run(&client(fetch), "getClick", r#"{"clickId":"abc"}"#)
            .await
            .unwrap_err();
        assert_eq!(text_of(&error, "code"), "network", "{fetch}");
    }
}

#[wasm_bindgen_test]
async fn a_fetch_that_ignores_the_signal_is_left_at_the_timeout() {
    for fetch in [
        "return new Promise(() => {})",
        "return new Response(new ReadableStream({ pull() { return new Promise(() => {}) } }))",
    ] {
        let client = client(fetch);
        let params = r#"{"clickId":"abc"}"#.to_owned();
        let call = client.call("getClick".into(), params, 0, 20, "click".into(), None);
        assert_eq!(text_of(&call.await.unwrap_err(), "code"), "timeout");
    }
}

#[wasm_bindgen_test]
async fn mistyped_params_are_refused_before_anything_is_sent() {
    let client = client(r#"throw new Error("sent")"#);
    for params in [
        r#"{"clickId":"abc"}"#,
        r#"{"clickId":"abc","offerId":1,"ofer":2}"#,
        "7",
        "null",
        "",
    ] {
        let error = run(&client, "recordConversion", params).await.unwrap_err();
        assert_eq!(text_of(&error, "code"), "invalid_field", "{params}");
    }
}

#[wasm_bindgen_test]
fn an_event_of_the_forwarder_is_read() {
    let read = |body: &str| read_conversions(body, "https://a.example", true, "", false, "");
    let one = read(r#"{"clickId":"abc","offerId":1,"uniqueId":"u","payout":18.5}"#);
    let one = JSON::parse(&one.unwrap()).unwrap();
    assert_eq!(text_of(&one, "key"), "https://a.example|1|u");
    let text = JSON::parse(&text_of(&one, "text")).unwrap();
    assert_eq!(text_of(&text, "payout"), "18.50");
    assert!(read("{}").is_err());
}
