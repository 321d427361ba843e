//! Any text as a tracking link: an accepted link has one canonical form, and another parser reads
//! that form alike.
#![no_main]
use cake_edge::link::{LinkRules, TrackingLink};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = cake_edge::lint::lint(text);
    let rules = LinkRules {
        allow_test_affiliate: true,
        allow_sandbox: true,
        spill: false,
        deep_link_hosts: &["shop.example.com", "*.store.example"],
    };
    let Ok(link) = TrackingLink::parse(text, &rules) else {
        return;
    };
    let normal = link.build(&rules).expect("what parses builds");
    let again = TrackingLink::parse(&normal, &rules).expect("what is built parses");
    assert_eq!(again, link);
    let Ok(other) = url::Url::parse(&normal) else {
        // Labels that look like punycode but are not.
        assert!(normal.contains("xn--"), "{normal}");
        return;
    };
    let value = |name: &str| other.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(value("a"), Some(link.affiliate_id.to_string()));
    assert_eq!(value("c"), Some(link.creative_id.to_string()));
    let s1 = link.sub_ids[0].as_deref().filter(|text| !text.is_empty());
    assert_eq!(value("s1").as_deref(), s1);
    if let Some(deep_link) = value("ckmrdr") {
        let host = url::Url::parse(&deep_link).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        assert!(host == "shop.example.com" || host.ends_with(".store.example"), "{deep_link}");
    }
});
