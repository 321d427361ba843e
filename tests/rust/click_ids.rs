//! `tests/vectors/click_ids.json`. tests/node/capture.test.ts tests findClick and captureClick with
//! the same file, and tests/browser/capture.test.ts the page.

use cake_edge::click_id::{LandingParameters, find_click, is_own_id};
use cake_edge::touch::TouchPolicy;
use serde_json::Value;

#[test]
fn every_address_has_its_click_id() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/click_ids.json")).unwrap();
    for vector in vectors["queries"].as_array().unwrap() {
        let query = vector["query"].as_str().unwrap();
        let names: Vec<&str> = vector["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut parameters = LandingParameters::default();
        if !names.is_empty() {
            parameters.click_id = &names;
        }
        let found = find_click(query, &parameters);
        let click_id = found.as_ref().map(|found| found.click_id.as_str());
        assert_eq!(click_id, vector["clickId"].as_str(), "{vector}");
        let parameter = found.map(|found| found.parameter);
        assert_eq!(parameter, vector["parameter"].as_str(), "{vector}");
        let kept = TouchPolicy::default().keep(
            query.split('#').next().unwrap_or_default(),
            &parameters,
            &[""],
            1_781_879_400_000,
        );
        assert_eq!(
            kept.click_id.as_deref(),
            vector["clickId"].as_str(),
            "{vector}"
        );
    }
}

#[test]
fn a_click_id_is_no_id_of_the_order_in_any_spelling() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/own_ids.json")).unwrap();
    for (list, is_same) in [("same", true), ("different", false)] {
        for pair in vectors[list].as_array().unwrap() {
            let [click_id, own] = [0, 1].map(|at| pair[at].as_str().unwrap());
            assert_eq!(is_own_id(click_id, &[own]), is_same, "{pair}");
            assert_eq!(
                is_own_id(click_id, &["", "another", own]),
                is_same,
                "{pair}"
            );
        }
    }
    assert!(!is_own_id("1077", &[]));
}

#[test]
fn the_orders_own_id_is_not_found_in_its_pages_address() {
    let parameters = LandingParameters {
        own_ids: &["#1077", "T-5"],
        ..LandingParameters::default()
    };
    for (query, click_id) in [
        ("?click_id=1077", None),
        ("?click_id=t-5&reqid=shop:1077", None),
        ("?click_id=1077&clickid=abc-1", Some("abc-1")),
        ("?s1=1077&click_id=abc-1", Some("abc-1")),
        ("/thanks?p=1?click_id=001077", None),
    ] {
        let found = find_click(query, &parameters);
        assert_eq!(
            found.as_ref().map(|found| found.click_id.as_str()),
            click_id,
            "{query}"
        );
        assert!(found.is_none_or(|found| query.contains("s1=") == found.sub_ids[0].is_some()));
    }
}
