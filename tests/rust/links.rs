//! `tests/vectors/links.json`, which JavaScript also reads, in tests/node/tracking.test.ts.

use cake_edge::Result;
use cake_edge::host::Domain;
use cake_edge::link::{LinkRules, TrackingLink};
use serde_json::Value;

fn vectors(list: &str) -> Vec<Value> {
    let mut vectors: Value = serde_json::from_str(include_str!("../vectors/links.json")).unwrap();
    serde_json::from_value(vectors[list].take()).unwrap()
}

fn with<T>(vector: &Value, run: impl FnOnce(Result<TrackingLink<'_>>, &LinkRules<'_>) -> T) -> T {
    let (parts, rules) = (&vector["parts"], &vector["rules"]);
    let is = |name: &str| rules[name].as_bool() == Some(true);
    let hosts: Vec<&str> = rules["deepLinkHosts"]
        .as_array()
        .map(|hosts| hosts.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let rules = LinkRules {
        allow_sandbox: is("sandbox"),
        allow_test_affiliate: is("testAffiliate"),
        spill: is("spill"),
        deep_link_hosts: &hosts,
    };
    let text = |name: &str| parts[name].as_str().map(Into::into);
    let domain = parts["domain"].as_str().unwrap();
    let domain = if is("sandbox") {
        Domain::sandbox(domain)
    } else {
        Domain::new(domain)
    };
    let link = domain.map(|domain| TrackingLink {
        sub_ids: ["s1", "s2", "s3", "s4", "s5"].map(text),
        price_format: text("priceFormat"),
        deep_link: text("deepLink"),
        extra: parts["extra"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str().into(), value.as_str().unwrap().into()))
            .collect(),
        ..TrackingLink::new(
            domain,
            parts["affiliateId"].as_i64().unwrap(),
            parts["creativeId"].as_i64().unwrap(),
        )
    });
    run(link, &rules)
}

#[test]
fn parts_become_links_and_links_parts() {
    for vector in vectors("build") {
        let expected = vector["link"].as_str().unwrap();
        with(&vector, |link, rules| {
            let link = link.unwrap();
            assert_eq!(link.build(rules).unwrap(), expected);
            let parsed = TrackingLink::parse(expected, rules).unwrap();
            assert_eq!(parsed.build(rules).unwrap(), expected);
            if !rules.spill {
                assert_eq!(parsed, link);
            }
        });
    }
}

#[test]
fn bad_parts_are_refused_with_their_code() {
    for vector in vectors("refuse") {
        let code = with(&vector, |link, rules| {
            link.and_then(|link| link.build(rules)).unwrap_err().code()
        });
        assert_eq!(
            code,
            vector["code"].as_str().unwrap(),
            "{}",
            vector["parts"]
        );
    }
}
