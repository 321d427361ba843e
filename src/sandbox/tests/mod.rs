mod history;
mod ledger;
mod properties;

use super::*;
use crate::api;
use ledger::Ledger;
use serde_json::{Value, json};

/// 2026-06-19 14:30:00 UTC, the time of the article's conversion.
pub(super) const NOW_MS: u64 = 1_781_879_400_000;

pub(super) const FIXTURE: &str = r#"{
  "tracking_domains": [
    { "tracking_domain_id": 1, "domain": "track.yournetwork.com", "is_default": true },
    { "tracking_domain_id": 2, "domain": "old.yournetwork.com", "domain_status": "inactive" }
  ],
  "offers": [
    { "offer_id": 12345, "offer_name": "Auto Insurance Quote", "advertiser_id": 7,
      "landing_page": "https://shop.example/?reqid=#reqid#&a=#affid#&o=#oid#&k=#campid#&c=#cid#&s1=#s1#&s2=#s2#",
      "payout": "18.00", "revenue": "22.00" },
    { "offer_id": 2, "offer_name": "By hand, a share", "landing_page": "/shop/?r=#reqid#",
      "payout": "12.5%", "revenue": "40.00", "approval": "manual" },
    { "offer_id": 3, "offer_name": "Capped, every one counts", "landing_page": "/shop/?r=#reqid#",
      "payout": "5", "revenue": "6", "deduplicates": false,
      "cap": { "conversions": 2, "per": "day", "of": "affiliate" } },
    { "offer_id": 4, "offer_name": "Off, leads to 2", "landing_page": "/x", "payout": "1", "revenue": "1",
      "offer_status": "inactive", "redirect_offer_id": 2 },
    { "offer_id": 5, "offer_name": "Off", "landing_page": "/x", "payout": "1", "revenue": "1",
      "offer_status": "inactive" }
  ],
  "creatives": [
    { "creative_id": 12, "offer_id": 12345, "allows_deep_links": true },
    { "creative_id": 2, "offer_id": 2 }, { "creative_id": 3, "offer_id": 3 },
    { "creative_id": 4, "offer_id": 4 }, { "creative_id": 5, "offer_id": 5 },
    { "creative_id": 6, "offer_id": 2, "creative_status": "inactive" }
  ],
  "affiliates": [
    { "affiliate_id": 67890, "affiliate_name": "MediaBridge Partners" },
    { "affiliate_id": 2, "affiliate_name": "With a rate" },
    { "affiliate_id": 3, "affiliate_name": "Off", "affiliate_status": "inactive" }
  ],
  "campaigns": [
    { "campaign_id": 501, "affiliate_id": 2, "offer_id": 12345, "payout": "20.00", "approval": "manual" }
  ],
  "postbacks": [
    { "affiliate_id": 67890, "postback_url": "/affiliate/?id=#reqsessid#&payout=#price#&status=#status#&s1=#s1#" },
    { "affiliate_id": 2, "offer_id": 12345, "fires_on": ["approval", "rejection"],
      "postback_url": "https://127.0.0.1/p?t=#tid#&l=#leadid#&status=#status#" }
  ]
}"#;

pub(super) fn network() -> Network {
    Network::new(FIXTURE, "key", &[]).unwrap()
}

fn with_settings(json: &str) -> Network {
    let mut network = network();
    network.set_settings(json).unwrap();
    network
}

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(key, _)| *key == name);
    found.map(|(_, value)| value.as_str())
}

/// A ledger with one click of the article's affiliate on its offer: `id-1`.
fn clicked(network: &Network) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.get(network, "/?a=67890&c=12&s1=banner_300x250", NOW_MS);
    assert_eq!(ledger.clicks.len(), 1);
    ledger
}

#[test]
fn a_click_is_logged_and_redirected_with_its_tokens() {
    let mut ledger = Ledger::default();
    let answer = ledger.get(&network(), "/?a=2&c=12&s1=spring%20sale&s2=x%26y", NOW_MS);
    assert_eq!(answer.status, 302);
    assert_eq!(
        header(&answer, "location"),
        Some("https://shop.example/?reqid=id-1&a=2&o=12345&k=501&c=12&s1=spring%20sale&s2=x%26y")
    );
    let row = &ledger.clicks[0];
    assert_eq!(row.click_date, "2026-06-19 14:30:00");
    assert_eq!(
        (row.sub_id_1.as_deref(), row.sub_id_3.as_deref()),
        (Some("spring sale"), None)
    );
}

#[test]
fn s1_is_cut_and_what_exceeds_s2_to_s5_spills_into_the_next() {
    let mut ledger = Ledger::default();
    let url = format!(
        "/?a=2&c=12&s1={}&s2={}&s4=four&s5={}",
        "a".repeat(60),
        "b".repeat(250),
        "e".repeat(200)
    );
    ledger.get(&network(), &url, NOW_MS);
    let lengths = ledger.clicks[0].sub_ids().map(|id| id.unwrap_or("").len());
    assert_eq!(lengths, [50, 100, 100, 54, 100]);
    assert_eq!(
        ledger.clicks[0].sub_id_4.as_deref().unwrap(),
        "b".repeat(50) + "four"
    );
}

#[test]
fn a_click_that_leads_nowhere_is_sent_elsewhere_and_not_logged() {
    let mut ledger = Ledger::default();
    for (url, reason) in [
        ("/?a=1&c=12", "unknown_affiliate"),
        ("/?a=x&c=12", "unknown_affiliate"),
        ("/", "unknown_affiliate"),
        ("/?a=3&c=12", "inactive_affiliate"),
        ("/?a=2&c=99", "unknown_creative"),
        ("/?a=2&c=6", "inactive_creative"),
        ("/?a=2&c=5", "inactive_offer"),
    ] {
        let answer = ledger.get(&network(), url, NOW_MS);
        assert_eq!(answer.status, 302);
        let elsewhere = format!("/__sandbox/elsewhere?reason={reason}");
        assert_eq!(
            header(&answer, "location"),
            Some(elsewhere.as_str()),
            "{url}"
        );
    }
    assert!(ledger.clicks.is_empty());
    let answer = ledger.get(&network(), "/?a=2&c=4", NOW_MS);
    assert_eq!(header(&answer, "location"), Some("/shop/?r=id-1"));
    assert_eq!(ledger.clicks[0].offer_id, 2);
}

#[test]
fn a_deep_link_needs_a_creative_that_allows_it_and_stays_on_the_host() {
    let mut ledger = Ledger::default();
    let mut location = |query: &str| {
        let answer = ledger.get(&network(), query, NOW_MS);
        header(&answer, "location").unwrap().to_owned()
    };
    let deep = "https%3A%2F%2Fshop.example%2Fdeep%3Fid%3D%23reqid%23%26x%3D1";
    assert_eq!(
        location(&format!("/?a=2&c=12&ckmrdr={deep}")),
        "https://shop.example/deep?id=id-1&x=1"
    );
    for refused in [
        "https%3A%2F%2Fevil.example%2F",
        "%2F%2Fevil.example%2F",
        "javascript%3Aalert(1)",
        "https%3A%2F%2Fshop.example%40evil.example%2F",
        "https%3A%2F%2Fshop.example%5C.evil.example%2F",
    ] {
        let landed = location(&format!("/?a=2&c=12&ckmrdr={refused}"));
        assert!(
            landed.starts_with("https://shop.example/?reqid="),
            "{refused}"
        );
    }
    assert!(location("/?a=2&c=2&ckmrdr=%2Fdeep").starts_with("/shop/"));
}

#[test]
fn head_and_prefetch_leave_no_click() {
    let network = network();
    let mut ledger = Ledger::default();
    let answer = ledger.serve(&network, "HEAD", "/?a=2&c=2", None, NOW_MS);
    assert_eq!(header(&answer, "location"), Some("/shop/?r="));
    let call = Call {
        method: "GET".into(),
        url: "http://127.0.0.1/?a=2&c=2".into(),
        is_prefetch: true,
        ..Call::default()
    };
    let Step::Plan(plan) = network.decide(&call, &Rows::default()) else {
        panic!("a prefetch needs no rows");
    };
    assert_eq!((plan.answer.status, plan.writes.len()), (204, 0));
    assert!(ledger.clicks.is_empty());
}

#[test]
fn click_ids_can_be_integers_and_repeat_from_a_seed() {
    let integers = with_settings(r#"{"click_ids":"integer"}"#);
    assert_eq!(clicked(&integers).clicks[0].click_id, "500000001");
    let seeded = || {
        clicked(&with_settings(r#"{"id_seed":7}"#)).clicks[0]
            .click_id
            .clone()
    };
    assert_eq!(seeded(), seeded());
    assert_ne!(
        seeded(),
        clicked(&with_settings(r#"{"id_seed":8}"#)).clicks[0].click_id
    );
    assert!(seeded().len() == 36 && seeded().chars().nth(14) == Some('4'));
}

#[test]
fn record_conversion_answers_byte_for_byte_like_the_article() {
    let network = network();
    let mut ledger = clicked(&network);
    ledger.clicks[0].click_id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890".into();
    let url = "/api/2/conversion.json?api_key=key&click_id=a1b2c3d4-e5f6-7890-abcd-ef1234567890&offer_id=12345&payout=18.00&revenue=22.00&unique_id=ORD-98765";
    let answer = ledger.get(&network, url, NOW_MS);
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
    let mut ledger = clicked(&network);
    ledger.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        NOW_MS,
    );
    let answer = ledger.get(
        &network,
        "/api/2/click.json?api_key=key&click_id=id-1",
        NOW_MS,
    );
    assert_eq!(
        answer.body,
        r#"{"request_status":"Success","response":{"clicks":[{"click_id":"id-1","click_date":"2026-06-19 14:30:00","offer_id":12345,"affiliate_id":67890,"sub_id_1":"banner_300x250","ip_address":null,"country":"US","converted":true,"conversion_id":998877}],"total_rows":1}}"#
    );
    let click = api::get_click::read(&api::Answer::new(answer.status, &answer.body), "id-1");
    assert!(click.unwrap().unwrap().converted);
    let nobody = ledger.get(&network, "/api/2/click.json?api_key=key&click_id=x", NOW_MS);
    assert_eq!(
        body(&nobody)["response"],
        json!({ "clicks": [], "total_rows": 0 })
    );
}

#[test]
fn get_conversions_answers_byte_for_byte_like_the_article() {
    let network = network();
    let mut ledger = clicked(&network);
    ledger.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        NOW_MS,
    );
    let answer = ledger.get(
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
    let mut ledger = Ledger::default();
    let asked = r#"{"api_key":"key","affiliate_id":67890,"offer_id":12345,"postback_url":"https://tracking.partner.com/postback?click_id=#reqsessid#&payout=#price#&status=#status#","postback_status":"active","postback_type_id":1}"#;
    let url = "/api/2/affiliate_postback.json";
    let answer = ledger.serve(&network(), "POST", url, Some(asked), NOW_MS);
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
        let answer = ledger.serve(&network(), "POST", url, Some(&bad), NOW_MS);
        assert_eq!(body(&answer)["message"], message);
    }
    assert_eq!(
        ledger.serve(&network(), "GET", url, None, NOW_MS).status,
        405
    );
    assert_eq!(ledger.postbacks.len(), 1);
}

#[test]
fn get_tracking_domains_answers_byte_for_byte_like_the_article() {
    let mut ledger = Ledger::default();
    let url = "/api/2/tracking_domains.json?api_key=key";
    let answer = ledger.get(&network(), &format!("{url}&domain_status=active"), NOW_MS);
    assert_eq!(
        answer.body,
        r#"{"request_status":"Success","tracking_domains":[{"tracking_domain_id":1,"domain":"track.yournetwork.com","domain_status":"active","is_default":true}]}"#
    );
    let count = |answer: &Answer| body(answer)["tracking_domains"].as_array().unwrap().len();
    assert_eq!(count(&ledger.get(&network(), url, NOW_MS)), 2);
    let second = ledger.get(&network(), &format!("{url}&tracking_domain_id=2"), NOW_MS);
    assert_eq!(
        body(&second)["tracking_domains"][0]["domain_status"],
        "inactive"
    );
}

#[test]
fn what_breaks_a_rule_of_the_api_is_refused_and_records_nothing() {
    let network = network();
    let mut ledger = clicked(&network);
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
        let answer = ledger.get(&network, &format!("/api/2/{path}"), NOW_MS);
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
        assert_eq!(body(&ledger.get(&network, &url, NOW_MS))["success"], false);
    }
    let head = ledger.serve(
        &network,
        "HEAD",
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        None,
        NOW_MS,
    );
    assert_eq!(head.status, 405);
    assert!(ledger.conversions.is_empty());
}

#[test]
fn a_failure_takes_the_form_that_the_settings_say() {
    let asked = |settings: &str| {
        Ledger::default().get(&with_settings(settings), "/api/2/click.json", NOW_MS)
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
        let mut ledger = Ledger::default();
        for day in 0..3 {
            ledger.get(&network, "/?a=67890&c=12", NOW_MS + day * 86_400_000);
        }
        let answer = ledger.get(
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

#[test]
fn payouts_follow_call_campaign_and_offer_in_this_order() {
    let network = network();
    for (link, offer, more, payout, status) in [
        ("a=67890&c=12", 12345, "", "18.00", "approved"),
        ("a=2&c=12", 12345, "", "20.00", "pending"),
        ("a=2&c=12", 12345, "&payout=1.2345", "1.2345", "pending"),
        ("a=67890&c=2", 2, "", "5.00", "pending"),
        ("a=67890&c=2", 2, "&revenue=19.99", "2.50", "pending"),
    ] {
        let mut ledger = Ledger::default();
        ledger.get(&network, &format!("/?{link}"), NOW_MS);
        let url =
            format!("/api/2/conversion.json?api_key=key&click_id=id-1&offer_id={offer}{more}");
        let answer = ledger.get(&network, &url, NOW_MS);
        assert!(
            answer.body.contains(&format!(r#""payout":{payout},"#)),
            "{}",
            answer.body
        );
        assert_eq!(ledger.conversions[0].conversion_status, status);
    }
}

#[test]
fn what_exceeds_a_cap_is_ignored_and_a_rejection_makes_room() {
    let network = network();
    let mut ledger = Ledger::default();
    ledger.get(&network, "/?a=67890&c=3", NOW_MS);
    ledger.get(&network, "/?a=2&c=3", NOW_MS);
    let record = |ledger: &mut Ledger, click: &str, now: u64| {
        let url = format!(
            "/api/2/conversion.json?api_key=key&click_id={click}&offer_id=3&unique_id=same"
        );
        let answer = ledger.get(&network, &url, now);
        body(&answer)["conversion"]["conversion_status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let words: Vec<_> = (0..3)
        .map(|_| record(&mut ledger, "id-1", NOW_MS))
        .collect();
    assert_eq!(words, ["approved", "approved", "ignored"]);
    assert_eq!(
        record(&mut ledger, "id-2", NOW_MS),
        "approved",
        "each affiliate has its own"
    );
    assert_eq!(
        record(&mut ledger, "id-1", NOW_MS + 86_400_000),
        "approved",
        "each day too"
    );
    ledger.serve(
        &network,
        "POST",
        "/__sandbox/conversions/998877/reverse",
        None,
        NOW_MS,
    );
    assert_eq!(record(&mut ledger, "id-1", NOW_MS), "approved");
}

#[test]
fn a_repeated_unique_id_answers_the_first_conversion_or_a_refusal() {
    let url = "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345&unique_id=ORD-1";
    let network = network();
    let mut ledger = clicked(&network);
    let first = ledger.get(&network, url, NOW_MS);
    assert_eq!(
        ledger.get(&network, &format!("{url}&payout=99"), NOW_MS),
        first
    );
    assert_eq!((ledger.conversions.len(), ledger.fired.len()), (1, 1));
    let strict = with_settings(r#"{"duplicates":"refuse"}"#);
    assert_eq!(
        body(&ledger.get(&strict, url, NOW_MS))["message"],
        "Duplicate unique_id"
    );
    assert_eq!(ledger.conversions.len(), 1);
}

#[test]
fn statuses_move_only_where_they_may_and_only_approved_is_owed() {
    let network = network();
    let mut ledger = Ledger::default();
    ledger.get(&network, "/?a=2&c=12", NOW_MS);
    ledger.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345&unique_id=T1",
        NOW_MS,
    );
    let owed = |ledger: &Ledger| {
        let balance = network.balances(&ledger.sums()).swap_remove(1);
        (balance.owed, balance.pending)
    };
    assert_eq!(owed(&ledger), ("0.00".into(), "20.00".into()));
    let go = |ledger: &mut Ledger, word: &str| {
        let url = format!("/__sandbox/conversions/998877/{word}");
        ledger.serve(&network, "POST", &url, None, NOW_MS).status
    };
    assert_eq!(go(&mut ledger, "reverse"), 409);
    assert_eq!(go(&mut ledger, "approve"), 200);
    assert_eq!(owed(&ledger), ("20.00".into(), "0.00".into()));
    assert_eq!(go(&mut ledger, "approve"), 409);
    assert_eq!(go(&mut ledger, "reject"), 409);
    assert_eq!(go(&mut ledger, "reverse"), 200);
    assert_eq!(owed(&ledger), ("0.00".into(), "0.00".into()));
    assert_eq!(go(&mut ledger, "explode"), 404);
    let told: Vec<_> = ledger
        .fired
        .iter()
        .map(|row| (row.event.as_str(), row.url.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "approval",
                "https://127.0.0.1/p?t=T1&l=998877&status=approved"
            ),
            (
                "rejection",
                "https://127.0.0.1/p?t=T1&l=998877&status=reversed"
            ),
        ]
    );
}

#[test]
fn pixels_record_once_and_carry_the_browsers_postbacks() {
    let network = network();
    let mut ledger = clicked(&network);
    for kind in [2, 3, 4] {
        let asked = format!(
            r#"{{"api_key":"key","affiliate_id":67890,"offer_id":0,"postback_url":"http://localhost/{kind}?id=#reqid#&s=#s1#","postback_type_id":{kind}}}"#
        );
        ledger.serve(
            &network,
            "POST",
            "/api/2/affiliate_postback.json",
            Some(&asked),
            NOW_MS,
        );
    }
    let states = |ledger: &Ledger, from: usize| {
        ledger.fired[from..]
            .iter()
            .map(|row| row.state.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let url = "/p.ashx?o=12345&e=1&r=id-1";
    let page = ledger.get(&network, &format!("{url}&t=A"), NOW_MS);
    assert_eq!(
        page.body,
        concat!(
            "<!DOCTYPE html><title>Conversion</title>",
            r#"<iframe src="http://localhost/2?id=id-1&amp;s=banner_300x250" width="1" height="1" hidden></iframe>"#,
            r#"<img src="http://localhost/3?id=id-1&amp;s=banner_300x250" width="1" height="1" alt="">"#,
            r#"<script src="http://localhost/4?id=id-1&amp;s=banner_300x250"></script>"#,
        )
    );
    assert_eq!(states(&ledger, 0), "due in_browser in_browser in_browser");
    let script = ledger.get(&network, &format!("{url}&t=B&f=js"), NOW_MS);
    assert!(script.body.contains("createContextualFragment") && !script.body.contains('<'));
    let image = ledger.get(&network, &format!("{url}&t=C&f=img"), NOW_MS);
    assert_eq!(
        header(&image, "location"),
        Some("http://localhost/3?id=id-1&s=banner_300x250")
    );
    let server = ledger.get(&network, &format!("{url}&t=D&f=pb&p=100&ap=7.5"), NOW_MS);
    assert_eq!(server.body, "SUCCESS");
    assert_eq!(
        states(&ledger, 12),
        "due undeliverable undeliverable undeliverable"
    );
    let last = ledger.conversions.last().unwrap();
    assert_eq!(
        (last.payout.as_str(), last.revenue.as_str()),
        ("7.50", "100.00")
    );

    let again = ledger.get(&network, &format!("{url}&t=D&f=pb"), NOW_MS);
    assert_eq!(
        (again.body.as_str(), ledger.conversions.len()),
        ("SUCCESS", 4)
    );
    let gif = ledger.get(&network, &format!("{url}&t=D&f=img"), NOW_MS);
    assert!(gif.is_base64 && header(&gif, "content-type") == Some("image/gif"));
    for bad in [
        "o=12345&r=nobody&t=E",
        "o=1&r=id-1&t=E",
        "r=id-1&t=E",
        "o=12345&r=id-1&t=TRANSACTION_ID",
        "o=12345&r=id-1&t=somebody@example.com",
        "a=8&r=id-1&t=E",
        "o=12345&t=E",
        "o=12345&r=id-1&t=E&p=free",
    ] {
        let answer = ledger.get(&network, &format!("/p.ashx?f=pb&{bad}"), NOW_MS);
        assert!(answer.body.starts_with("FAILURE: "), "{bad}");
    }
    assert_eq!(
        ledger
            .serve(&network, "HEAD", &format!("{url}&t=F"), None, NOW_MS)
            .status,
        405
    );
    assert_eq!(ledger.conversions.len(), 4);
    ledger.get(&network, "/p.ashx?a=7&r=id-1&t=G&f=pb", NOW_MS);
    assert_eq!(ledger.conversions.len(), 5);
}

#[test]
fn a_postback_to_a_host_off_the_list_is_logged_as_refused() {
    let network = Network::new(FIXTURE, "key", &["tracking.partner.com".into()]).unwrap();
    let mut ledger = clicked(&network);
    ledger.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        NOW_MS,
    );
    let row = &ledger.fired[0];
    assert_eq!((row.state.as_str(), row.next_ms), ("refused", None));
    assert!(
        row.url
            .starts_with("http://127.0.0.1:8787/affiliate/?id=id-1")
    );
}

#[test]
fn a_bad_fixture_says_where() {
    for (from, to, words) in [
        ("\"18.00\"", "\"-1\"", "offers[0].payout must be an amount"),
        (
            "\"12.5%\"",
            "\"12.5 %\"",
            "offers[1].payout must be an amount",
        ),
        ("\"22.00\"", "22.00", "offers[0].revenue: invalid type"),
        (
            "\"creative_id\": 2, \"offer_id\": 2 ",
            "\"creative_id\": 2, \"offer_id\": 9 ",
            "creatives[1].offer_id is 9, which is no offer's id here",
        ),
        (
            "\"creative_id\": 3,",
            "\"creative_id\": 12,",
            "creatives[2].creative_id is 12 a second time",
        ),
        ("\"offers\"", "\"ofers\"", "unknown field `ofers`"),
        (
            "\"per\": \"day\"",
            "\"per\": \"hour\"",
            "offers[2].cap.per: unknown variant `hour`",
        ),
        (
            "https://shop.example/",
            "shop.example/",
            "offers[0].landing_page must be",
        ),
        (
            "\"affiliate_id\": 2, \"offer_id\": 12345, \"fires_on\"",
            "\"affiliate_id\": 8, \"fires_on\"",
            "postbacks[1].affiliate_id is 8, which is no affiliate's id here",
        ),
        (
            "\"offers\": [",
            "\"settings\": { \"country\": \"usa\" }, \"offers\": [",
            "settings.country must be two capital letters",
        ),
        ("{", "", "expected"),
    ] {
        let changed = FIXTURE.replacen(from, to, 1);
        assert_ne!(changed, FIXTURE, "{from}");
        let error = Network::new(&changed, "key", &[]).unwrap_err();
        assert_eq!(error.code(), "invalid_fixture");
        assert!(error.to_string().contains(words), "{error}");
    }
    let shipped = include_str!("../../../js/sandbox/fixture.json");
    assert!(Network::new(shipped, "key", &[]).is_ok());
}

#[test]
fn a_bad_setting_says_where_and_changes_nothing() {
    let mut network = network();
    for (json, words) in [
        (r#"{"color":"red"}"#, "unknown field `color`"),
        (
            r#"{"failures":"loud"}"#,
            "settings.failures: unknown variant",
        ),
        (r#"{"retry_ms":[-1]}"#, "settings.retry_ms[0]"),
        (
            r#"{"fallback_url":"//evil.example"}"#,
            "settings.fallback_url must be",
        ),
        ("[]", "settings must be a JSON object"),
    ] {
        let error = network.set_settings(json).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(network.settings(), &Settings::default());
}
