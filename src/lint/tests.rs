//! Mistakes in a link.

use super::*;
use proptest::prelude::*;

fn codes(query: &str) -> Vec<&'static str> {
    lint(&format!(
        "https://track.yournetwork.com/?a=67890&c=12&{query}"
    ))
    .iter()
    .map(|finding| finding.code)
    .collect()
}

#[test]
fn a_good_link_has_no_finding() {
    for query in [
        "",
        "s1=spring_sale",
        "s1=banner_300x250&s2=8fca1b5e-9c1e-4b58-9d8a-3a1f6f0d2c11",
        "s1=2026-11-22",
        "s1=12345",
        "s1=facade",
        "s1=irreplaceable",
        "s1=100%25",
        "s2=1795361476211",
        "s1=a@b",
        "ckmrdr=https%3A%2F%2Fshop.example.com%2F%3Fx%3D1%26y%3D2",
    ] {
        assert_eq!(codes(query), [""; 0], "{query}");
    }
}

#[test]
fn each_mistake_has_its_code() {
    for (query, code) in [
        ("s1=8fca1b5e-9c1e-4b58-9d8a-3a1f6f0d2c11", "unique_s1"),
        ("s1=1795361476211", "unique_s1"),
        ("s1=1795361476", "unique_s1"),
        ("S1=9f86d081884c7d659a2feaa0c55ad015", "unique_s1"),
        ("utm_source=x", "utm_parameter"),
        ("s2=%23reqid%23", "unexpanded_macro"),
        ("s2=#s1#", "unexpanded_macro"),
        ("s2={click_id}", "unexpanded_macro"),
        ("s2={{campaign.id}}", "unexpanded_macro"),
        ("s2=[CLICKID]", "unexpanded_macro"),
        ("s2=%25%25CACHEBUSTER%25%25", "unexpanded_macro"),
        ("s2=__CLICKID__", "unexpanded_macro"),
        ("s2=${SUBID}", "unexpanded_macro"),
        ("s3=jane%40example.com", "email_address"),
        ("s3=%2B49%2089%201234567", "phone_number"),
        ("s3=(555)%20123-4567", "phone_number"),
        ("s3=555-123-4567", "phone_number"),
        (
            "ckmrdr=https://shop.example.com/?x=1&y=2",
            "deep_link_not_encoded",
        ),
        ("s2=TRANSACTION_ID", "placeholder_text"),
        ("s2=your_sub_id", "placeholder_text"),
        ("s2=REPLACE-ME", "placeholder_text"),
    ] {
        assert_eq!(codes(query), [code], "{query}");
    }
}

#[test]
fn whole_links_are_read_in_whatever_they_are_written() {
    for (link, code) in [
        ("https%3A%2F%2Ft.x.com%2F%3Fa%3D1%26c%3D2", "double_encoded"),
        ("HTTP%3a%2f%2ft.x.com%2f%3fa%3d1%26c%3d2", "double_encoded"),
        ("https://t.x.com/?a%3D1%26c%3D2", "double_encoded"),
        ("https://t.x.com/?a=1&c=2#&s1=x", "raw_fragment"),
        ("https://t.x.com/?a=1&c=2&s1=order#1", "raw_fragment"),
        ("https://t.x.com/#/?a=1&c=2", "raw_fragment"),
        ("https://t.x.com/?a=1&c=2&s1=x&curren;cy=usd", "html_entity"),
        ("https://t.x.com/?a=1&c=2&s1=x&sect;ion=1", "html_entity"),
        ("https://t.x.com/?a=1&c=2&s1=x&copy;=1", "html_entity"),
        ("https://t.x.com/?a=1&c=2&s1=x&para;m=1", "html_entity"),
        ("https://t.x.com/?a=1&c=2&s1=x&reg;ion=1", "html_entity"),
        ("https://t.x.com/?a=1&c=2&s1=x&times;tamp=1", "html_entity"),
        ("https://t.x.com/?a=1&c=2&s1=x&not;e=1", "html_entity"),
        ("https://t.x.com/?a=1&c=2&s1=x&lang;=1", "html_entity"),
        ("https://TRACKING_DOMAIN/?a=1&c=2", "placeholder_text"),
        ("https://YOUR_DOMAIN/?a=1&c=2", "placeholder_text"),
        ("https://t.x.com/?aff=1&c=2", "misnamed_parameter"),
        ("https://t.x.com/?affid=1&c=2", "misnamed_parameter"),
        ("https://t.x.com/?aid=1&c=2", "misnamed_parameter"),
        ("https://t.x.com/?a=1&cid=2", "misnamed_parameter"),
        ("https://t.x.com/?a=1&c=2&oid=3", "misnamed_parameter"),
        ("https://t.x.com/?a=1&c=2&offer_id=3", "misnamed_parameter"),
        ("https://t.x.com/?a=1&c=2&sub_1=x", "misnamed_parameter"),
        ("https://t.x.com/?a=1&c=2&s6=x", "misnamed_parameter"),
        ("https://t.x.com/?a=1&c=2&click_id=x", "misnamed_parameter"),
    ] {
        let codes: Vec<_> = lint(link).iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&code), "{link}: {codes:?}");
    }
    for fine in [
        "s1=us__search__id__",
        "s1=undefined_behavior",
        "s1=[US]",
        "s1=x#",
    ] {
        assert_eq!(codes(fine), [""; 0], "{fine}");
    }
}

#[test]
fn a_finding_names_its_parameter() {
    let findings = lint("https://t.example.com/?a=YOUR_ID&c=2&s4=TRANSACTION_ID");
    let parameters: Vec<_> = findings
        .iter()
        .map(|finding| finding.parameter.as_str())
        .collect();
    assert_eq!(parameters, ["a", "s4"]);
    assert!(
        findings
            .iter()
            .all(|finding| finding.sentence.ends_with('.'))
    );
}

proptest! {
    #[test]
    fn no_text_makes_a_panic(text in "\\PC{0,80}|\\?(s1=|ckmrdr=|[#{}%@+()&A-Z0-9_-]){0,20}") {
        let _ = lint(&text);
    }
}
