//! Invalid fixtures and settings.

use super::*;

#[test]
fn a_bad_fixture_says_where() {
    for (from, to, words) in [
        ("\"18.00\"", "\"-1\"", "offers[0].payout must be an amount"),
        (
            "\"12.5%\"",
            "\"12.5 %\"",
            "offers[1].payout must be an amount",
        ),
        (
            "\"22.00\"",
            "22.00",
            "offers[0].revenue: must be text, and is `22.0`",
        ),
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
        (FIXTURE, "fixture.json", "the text is no JSON"),
        (FIXTURE, "", "the text is no JSON"),
        (FIXTURE, "[]", "the text is no JSON"),
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
