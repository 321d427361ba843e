use super::*;
use crate::api::{Account, Answer, get_click, record_conversion};

const FIXTURE: &str = r#"{
  "offers": [{
    "offer_id": 12345, "offer_name": "Auto Insurance Quote",
    "landing_page": "/shop/?reqid=#reqid#&s1=#s1#", "payout": "18.00", "revenue": "22.00"
  }],
  "creatives": [{ "creative_id": 12, "offer_id": 12345 }],
  "affiliates": [{ "affiliate_id": 67890, "affiliate_name": "MediaBridge Partners" }],
  "postbacks": [{
    "affiliate_id": 67890, "offer_id": 0,
    "postback_url": "/affiliate/?id=#reqsessid#&payout=#price#&status=#status#"
  }]
}"#;
const NOW_MS: u64 = 1_781_879_400_000;

fn network() -> Network {
    Network::new(FIXTURE, "key").unwrap()
}

fn account() -> Account {
    Account::new("http://127.0.0.1:8787", "key").unwrap()
}

fn clicked() -> ClickRow {
    network()
        .click("/?a=67890&c=12&s1=spring", "id-1", NOW_MS)
        .row
        .unwrap()
}

#[test]
fn a_click_is_redirected_with_its_id() {
    let plan = network().click("/?a=67890&c=12&s1=spring%20sale", "id-1", NOW_MS);
    assert_eq!(plan.location.unwrap(), "/shop/?reqid=id-1&s1=spring%20sale");
    assert_eq!(plan.row.unwrap().sub_id_1.as_deref(), Some("spring sale"));
}

#[test]
fn an_unknown_affiliate_or_creative_logs_nothing() {
    for url in ["/?a=1&c=12", "/?a=67890&c=1", "/", "/?a=x&c=y"] {
        assert!(network().click(url, "id-1", NOW_MS).row.is_none(), "{url}");
    }
}

#[test]
fn our_client_reads_what_the_sandbox_answers() {
    let params = record_conversion::Params {
        click_id: "id-1".into(),
        offer_id: 12345,
        unique_id: Some("ORD-98765".into()),
        ..Default::default()
    };
    let request = record_conversion::request(&account(), &params);
    let rows = Rows {
        click: Some(clicked()),
        duplicate: None,
        next_conversion_id: 998_877,
    };
    let plan = network().record_conversion(&request.url_with_key(), &rows, NOW_MS);
    let conversion =
        record_conversion::read(&Answer::new(plan.answer.status, &plan.answer.body)).unwrap();
    assert_eq!(conversion.payout_text.as_deref(), Some("18.00"));
    assert_eq!(conversion.conversion_status.as_deref(), Some("approved"));
    assert_eq!(
        plan.postbacks,
        ["/affiliate/?id=id-1&payout=18.00&status=approved"]
    );

    let request = get_click::request(&account(), "id-1").unwrap();
    let mut row = clicked();
    row.conversion_id = Some(998_877);
    let answer = network().get_click(&request.url_with_key(), Some(&row));
    let click = get_click::read(&Answer::new(answer.status, &answer.body), "id-1")
        .unwrap()
        .unwrap();
    assert!(click.converted);
    assert_eq!(click.conversion_id, Some(998_877));
}

#[test]
fn a_second_record_of_a_unique_id_answers_the_first_and_pays_nothing() {
    let url = "/?api_key=key&click_id=id-1&offer_id=12345&unique_id=ORD-1";
    let rows = Rows {
        click: Some(clicked()),
        duplicate: None,
        next_conversion_id: 1,
    };
    let first = network().record_conversion(url, &rows, NOW_MS);
    let rows = Rows {
        click: Some(clicked()),
        duplicate: first.row,
        next_conversion_id: 2,
    };
    let second = network().record_conversion(url, &rows, NOW_MS);
    assert_eq!(second.answer, first.answer);
    assert!(second.row.is_none() && second.postbacks.is_empty());
}

#[test]
fn a_wrong_key_click_or_offer_records_nothing() {
    let rows = Rows {
        click: Some(clicked()),
        duplicate: None,
        next_conversion_id: 1,
    };
    for url in [
        "/?click_id=id-1&offer_id=12345",
        "/?api_key=wrong&click_id=id-1&offer_id=12345",
        "/?api_key=key&click_id=id-1&offer_id=1",
        "/?api_key=key&click_id=id-1&offer_id=12345&payout=1e3",
        "/?api_key=key&click_id=id-1&offer_id=12345&conversion_date=2026-02-30%2000:00:00",
    ] {
        let plan = network().record_conversion(url, &rows, NOW_MS);
        assert!(plan.row.is_none(), "{url}");
        assert!(plan.answer.body.contains(r#""success":false"#), "{url}");
    }
    let plan = network().record_conversion("/?api_key=key", &Rows::default(), NOW_MS);
    assert!(plan.row.is_none());
}

#[test]
fn a_bad_fixture_says_where() {
    for (from, to, words) in [
        ("\"18.00\"", "\"-1\"", "offer 12345: payout"),
        (
            "\"offer_id\": 12345 }",
            "\"offer_id\": 9 }",
            "creative 12 belongs to offer 9",
        ),
        ("\"offers\"", "\"ofers\"", "unknown field `ofers`"),
    ] {
        let error = Network::new(&FIXTURE.replace(from, to), "key").unwrap_err();
        assert_eq!(error.code(), "invalid_fixture");
        assert!(error.to_string().contains(words), "{error}");
    }
}
