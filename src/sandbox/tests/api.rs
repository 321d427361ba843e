//! The API's five actions, byte for byte, and their refusals.

use super::*;
use crate::api;

#[test]
fn record_conversion_answers_byte_for_byte_like_the_article() {
    let network = network();
    let mut store = clicked(&network);
    store.clicks[0].click_id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890".into();
    let url = "/api/2/conversion.json?api_key=key&click_id=a1b2c3d4-e5f6-7890-abcd-ef1234567890&offer_id=12345&payout=18.00&revenue=22.00&unique_id=ORD-98765";
    let answer = store.get(&network, url, NOW_MS);
    let samples: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/api_samples.json")).unwrap();
    let calls = samples["calls"].as_array().unwrap();
    let call = calls
        .iter()
        .find(|call| call["action"] == "recordConversion")
        .unwrap();
    let sample = call["answer"].as_str().unwrap();
    let squeezed = sample.replace('\n', "").replace("\": ", "\":");
    assert_eq!(answer.body, squeezed);
}

#[test]
fn get_click_answers_like_the_article_and_our_client_reads_it() {
    let network = network();
    let mut store = clicked(&network);
    store.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        NOW_MS,
    );
    let answer = store.get(
        &network,
        "/api/2/click.json?api_key=key&click_id=id-1",
        NOW_MS,
    );
    assert_eq!(
        answer.body,
        r#"{"request_status":"Success","response":{"clicks":[{"click_id":"id-1","click_date":"2026-06-19 14:30:00","offer_id":12345,"affiliate_id":67890,"sub_id_1":"banner_300x250","ip_address":null,"country":"US","converted":true,"conversion_id":998877}],"total_rows":1}}"#
    );
    let click = api::get_click::read(&api::Answer::new(answer.status, &answer.body), "id-1");
    assert_eq!(click.unwrap().unwrap().converted, Some(true));
    let nobody = store.get(&network, "/api/2/click.json?api_key=key&click_id=x", NOW_MS);
    assert_eq!(
        body(&nobody)["response"],
        json!({ "clicks": [], "total_rows": 0 })
    );
}

#[test]
fn get_conversions_answers_byte_for_byte_like_the_article() {
    let network = network();
    let mut store = clicked(&network);
    store.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        NOW_MS,
    );
    let answer = store.get(
        &network,
        "/api/2/conversions.json?api_key=key&start_date=2026-06-01&end_date=2026-06-20&offer_id=12345&conversion_status=approved&row_limit=50",
        NOW_MS,
    );
    assert_eq!(
        answer.body,
        r#"{"request_status":"Success","total_rows":1,"conversions":[{"conversion":{"conversion_id":998877,"offer":{"offer_id":12345,"offer_name":"Auto Insurance Quote"},"affiliate":{"affiliate_id":67890,"affiliate_name":"MediaBridge Partners"},"payout":18.00,"revenue":22.00,"conversion_status":"approved","conversion_date":"2026-06-19 14:30:00"}}]}"#
    );
}

#[test]
fn create_postback_answers_byte_for_byte_like_the_article() {
    let mut store = Store::default();
    let asked = r#"{"api_key":"key","affiliate_id":67890,"offer_id":12345,"postback_url":"https://tracking.partner.com/postback?click_id=#reqsessid#&payout=#price#&status=#status#","postback_status":"active","postback_type_id":1}"#;
    let url = "/api/2/affiliate_postback.json";
    let answer = store.serve(&network(), "POST", url, Some(asked), NOW_MS);
    assert_eq!(
        answer.body,
        r#"{"request_status":"Success","postback":{"postback_id":8801,"affiliate_id":67890,"offer_id":12345,"postback_url":"https://tracking.partner.com/postback?click_id=#reqsessid#&payout=#price#&status=#status#","postback_type":"Server","postback_status":"active"}}"#
    );
    for (bad, message) in [
        (asked.replace("67890", "1"), "Invalid affiliate_id"),
        (asked.replace("12345", "1"), "Invalid offer_id"),
        (
            asked.replace("https://", "gopher://"),
            "Invalid postback_url",
        ),
        (
            asked.replace("\"active\"", "\"on\""),
            "Invalid postback_status",
        ),
        (asked.replace(":1}", ":5}"), "Invalid postback_type_id"),
        (asked.replace("\"key\"", "\"KEY\""), "Invalid API key"),
        ("{".to_owned(), "Invalid API key"),
    ] {
        let answer = store.serve(&network(), "POST", url, Some(&bad), NOW_MS);
        assert_eq!(body(&answer)["message"], message);
    }
    assert_eq!(
        store.serve(&network(), "GET", url, None, NOW_MS).status,
        405
    );
    assert_eq!(store.postbacks.len(), 1);
}

#[test]
fn get_tracking_domains_answers_byte_for_byte_like_the_article() {
    let mut store = Store::default();
    let url = "/api/2/tracking_domains.json?api_key=key";
    let answer = store.get(&network(), &format!("{url}&domain_status=active"), NOW_MS);
    assert_eq!(
        answer.body,
        r#"{"request_status":"Success","tracking_domains":[{"tracking_domain_id":1,"domain":"track.yournetwork.com","domain_status":"active","is_default":true}]}"#
    );
    let count = |answer: &HttpAnswer| body(answer)["tracking_domains"].as_array().unwrap().len();
    assert_eq!(count(&store.get(&network(), url, NOW_MS)), 2);
    let second = store.get(&network(), &format!("{url}&tracking_domain_id=2"), NOW_MS);
    assert_eq!(
        body(&second)["tracking_domains"][0]["domain_status"],
        "inactive"
    );
}

#[test]
fn a_call_that_breaks_a_rule_of_the_api_is_refused_and_records_nothing() {
    let network = network();
    let mut store = clicked(&network);
    let day = "start_date=2026-06-01&end_date=2026-06-20";
    for (path, message) in [
        (
            "conversion.json?click_id=id-1&offer_id=12345".to_owned(),
            "Invalid API key",
        ),
        (
            "conversion.json?api_key=wrong&click_id=id-1&offer_id=12345".into(),
            "Invalid API key",
        ),
        (
            "conversion.json?api_key=key&offer_id=12345".into(),
            "click_id is required",
        ),
        (
            "conversion.json?api_key=key&click_id=id-1".into(),
            "offer_id is required",
        ),
        (
            "conversion.json?api_key=key&click_id=id-9&offer_id=12345".into(),
            "Invalid click_id",
        ),
        (
            "conversion.json?api_key=key&click_id=id-1&offer_id=2".into(),
            "Invalid offer_id",
        ),
        (
            "conversion.json?api_key=key&click_id=id-1&offer_id=x".into(),
            "Invalid offer_id",
        ),
        (
            "click.json?api_key=key&row_limit=10001".into(),
            "row_limit must be from 1 to 10000",
        ),
        (
            "click.json?api_key=key&start_date=2026-02-30".into(),
            "Invalid start_date",
        ),
        (
            "conversions.json?api_key=key".into(),
            "start_date is required",
        ),
        (
            "conversions.json?api_key=key&start_date=2026-06-01".into(),
            "end_date is required",
        ),
        (
            format!("conversions.json?api_key=key&{day}&row_limit=501"),
            "row_limit must be from 1 to 500",
        ),
        (
            format!("conversions.json?api_key=key&{day}&row_limit=0"),
            "row_limit must be from 1 to 500",
        ),
        (
            format!("conversions.json?api_key=key&{day}&sort_field=name"),
            "Invalid sort_field",
        ),
        (
            format!("conversions.json?api_key=key&{day}&conversion_status=paid"),
            "Invalid conversion_status",
        ),
        (
            "conversions.json?api_key=key&start_date=2026-06-02&end_date=2026-06-01".into(),
            "end_date is before start_date",
        ),
    ] {
        let answer = store.get(&network, &format!("/api/2/{path}"), NOW_MS);
        assert_eq!(answer.status, 200);
        assert_eq!(
            body(&answer),
            json!({ "success": false, "message": message }),
            "{path}"
        );
    }
    for field in [
        "payout=1e3",
        "revenue=-1",
        "conversion_date=2026-02-30%2000:00:00",
    ] {
        let url =
            format!("/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345&{field}");
        assert_eq!(body(&store.get(&network, &url, NOW_MS))["success"], false);
    }
    let head = store.serve(
        &network,
        "HEAD",
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        None,
        NOW_MS,
    );
    assert_eq!(head.status, 405);
    assert!(store.conversions.is_empty());
}

#[test]
fn a_failure_takes_the_form_that_the_settings_say() {
    let asked = |settings: &str| {
        Store::default().get(&with_settings(settings), "/api/2/click.json", NOW_MS)
    };
    let status = asked(r#"{"failures":"request_status"}"#);
    assert_eq!(body(&status)["request_status"], "Failure");
    let html = asked(r#"{"failures":"html"}"#);
    assert!(html.body.starts_with("<!DOCTYPE html>") && html.status == 200);
}

#[test]
fn pages_and_ranges_follow_the_settings() {
    let list = |settings: &str, query: &str| {
        let network = with_settings(settings);
        let mut store = Store::default();
        for day in 0..3 {
            store.get(&network, "/?a=67890&c=12", NOW_MS + day * 86_400_000);
        }
        let answer = store.get(
            &network,
            &format!("/api/2/click.json?api_key=key&{query}"),
            NOW_MS,
        );
        let response = &body(&answer)["response"];
        let ids: Vec<String> = response["clicks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|click| click["click_id"].as_str().unwrap().to_owned())
            .collect();
        (ids.join(" "), response["total_rows"].as_u64().unwrap())
    };
    let day = "start_date=2026-06-19&end_date=2026-06-20";
    assert_eq!(list("{}", day), ("id-1".into(), 1));
    assert_eq!(
        list(r#"{"end_date":"inclusive"}"#, day),
        ("id-1 id-2".into(), 2)
    );
    assert_eq!(list("{}", "start_at_row=1&row_limit=1"), ("id-2".into(), 3));
    let one = r#"{"first_row":"one"}"#;
    assert_eq!(list(one, "start_at_row=0&row_limit=1"), ("id-1".into(), 3));
    assert_eq!(list(one, "start_at_row=1&row_limit=1"), ("id-1".into(), 3));
    let west = r#"{"utc_offset":"-15:00"}"#;
    assert!(network().set_settings(west).is_err());
    assert_eq!(list(r#"{"utc_offset":"+10:00"}"#, day).0, "");
}
