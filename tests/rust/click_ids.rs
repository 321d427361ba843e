//! `tests/vectors/click_ids.json`. tests/node/capture.test.ts tests findClick and captureClick with
//! the same file, and tests/browser/capture.test.ts the page.

use cake_edge::click_id::{LandingParameters, find_click};
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
