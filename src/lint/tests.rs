//! Mistakes in a link.

use super::*;
use crate::Error;
use crate::link::{LinkRules, TrackingLink};
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
        ("s2=[object Object]", "unexpanded_macro"),
        ("s2=%255Bobject%2520Object%255D", "unexpanded_macro"),
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

/// What a call can allow is no finding: CAKE's test affiliate, long sub ids, any deep link.
fn is_taken(link: &str) -> bool {
    let rules = LinkRules {
        allow_test_affiliate: true,
        allow_sandbox: true,
        spill: true,
        ..LinkRules::default()
    };
    matches!(
        TrackingLink::parse(link, &rules),
        Ok(_) | Err(Error::DeepLinkHost)
    )
}

#[test]
fn what_the_reader_refuses_is_named_with_its_reason() {
    for (query, code, words) in [
        ("?a=67890", "unreadable_link", "creativeId is missing"),
        ("?c=12", "unreadable_link", "affiliateId is missing"),
        ("?s1=x", "unreadable_link", "affiliateId is missing"),
        ("", "unreadable_link", "such as https"),
        ("?a=1;c=2", "unreadable_link", "; stands before c="),
        ("?a=1,c=2", "unreadable_link", ", stands before c="),
        ("?a=1|c=2", "unreadable_link", "| stands before c="),
        ("?a=1/c=2", "unreadable_link", "/ stands before c="),
        ("?a=1;s1=x;c=2", "unreadable_link", "; stands before c="),
        (
            "?a=1&c",
            "unreadable_link",
            "creativeId must be a whole number",
        ),
        (
            "?a=1&c=",
            "unreadable_link",
            "creativeId must be a whole number",
        ),
        (
            "?a=0&c=2",
            "unreadable_link",
            "affiliateId must be a whole number",
        ),
        ("??a=1&c=2", "second_question_mark", "Write &"),
        ("?a=1&?c=2", "second_question_mark", "Write &"),
        ("?a=1&creative=12", "misnamed_parameter", "Its own is c."),
        ("?affiliate=1&c=12", "misnamed_parameter", "Its own is a."),
        (
            "?a=1&c=2&ckmrd=",
            "misnamed_parameter",
            "Its own is ckmrdr.",
        ),
        (
            "?a=1&c=2&ckmrd=https%3A%2F%2Fx.example",
            "misnamed_parameter",
            "Its own is ckmrdr.",
        ),
        ("?a=1&c=2&s1=x&amp=1", "html_entity", ""),
        ("?a=1&c=2 click here", "text_around_link", "%20"),
        ("?a=1&c=2&s2=y click here", "text_around_link", "%20"),
    ] {
        let link = ["https://t.example.com/", query].concat();
        let findings = lint(&link);
        assert!(
            findings
                .iter()
                .any(|found| found.code == code && found.sentence.contains(words)),
            "{link}: {findings:?}"
        );
    }
}

proptest! {
    #[test]
    fn a_link_without_a_finding_can_be_read(
        start in prop_oneof![Just("https://"), Just("HTTP://"), Just("https:/"), Just("http://")],
        host in prop_oneof![Just("t.example.com"), Just("127.0.0.1"), Just("t.example.com:8443"), Just("T.Example.COM"), Just("u@t.example.com"), Just("localhost"), Just("a..b")],
        mark in prop_oneof![Just("/?"), Just("?"), Just("/??"), Just("/x?"), Just("/"), Just("//?"), Just("/#?")],
        parts in proptest::collection::vec(
            (prop_oneof![Just("a"), Just("c"), Just("A"), Just("s1"), Just("s6"), Just("p"), Just("ckmrdr"), Just("x"), Just("creative"), Just("")],
             prop_oneof![Just("=1"), Just("=12"), Just("="), Just(""), Just("=-1"), Just("=x"), Just("=1 2"), Just("=0"), Just("=%00"), Just("=1;c=2"), Just("=1,a=3"), Just("=https%3A%2F%2Fx.example"), Just("=http%3A%2F%2Fx.example"), Just("=%E4"), Just("=9007199254740992")],
             prop_oneof![8 => Just("&"), 1 => Just(";"), 1 => Just("?"), 1 => Just("&&")]),
            0..5,
        ),
    ) {
        let mut link = [start, host, mark].concat();
        for (name, value, end) in parts {
            link.extend([name, value, end]);
        }
        let link = link.trim_end_matches(['&', ';', '?']);
        prop_assert!(is_taken(link) || !lint(link).is_empty(), "{}", link);
    }

    #[test]
    fn a_day_and_a_number_are_no_phone(year in 1990_u32..2100, month in 1_u32..=12, day in 1_u32..=28, number in 0_u32..10_000, mark in "[-. ]") {
        for value in [
            format!("{year}{mark}{month:02}{mark}{day:02}{mark}{number:03}"),
            format!("{day:02}{mark}{month:02}{mark}{year}{mark}{number:03}"),
            format!("{number:03}{mark}{year}{mark}{month:02}{mark}{day:02}"),
        ] {
            prop_assert!(!is_phone(&value), "{}", value);
        }
    }

    #[test]
    fn no_text_makes_a_panic(text in "\\PC{0,80}|\\?(s1=|ckmrdr=|[#{}%@+()&A-Z0-9_-]){0,20}") {
        let _ = lint(&text);
    }
}
