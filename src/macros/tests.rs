//! Postback URL templates.

use super::*;
use proptest::prelude::*;

/// The code of a refused template.
fn code_of(checked: Result<Checked>) -> Result<Checked, &'static str> {
    checked.map_err(|error| error.code())
}

fn values(name: &str) -> Option<String> {
    match name {
        "reqid" => Some("id-1".into()),
        "s1" => Some("a&b=#c".into()),
        _ => None,
    }
}

fn codes(template: &str) -> Vec<&'static str> {
    check(template)
        .unwrap()
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect()
}

#[test]
fn values_are_encoded_and_never_expanded_again() {
    assert_eq!(
        expand("/?r=#reqid#&s=#s1#", values),
        "/?r=id-1&s=a%26b%3D%23c"
    );
}

#[test]
fn a_macro_that_others_have_or_nearly_have_leads_to_ours() {
    for (wrong, right) in [
        ("payuot", "price"),
        ("payout", "price"),
        ("click_id", "s2"),
        ("clickid", "s2"),
        ("click_id", "reqsessid"),
        ("sub1", "s1"),
        ("prise", "price"),
        ("conversion_id", "leadid"),
    ] {
        let template = format!("https://p.example.com/?id=#reqsessid#&x=#{wrong}#");
        let checked = check(&template).unwrap();
        let sentence = &checked.findings[0].sentence;
        assert!(
            sentence.contains(&format!("#{right}#")),
            "{wrong}: {sentence}"
        );
    }
}

#[test]
fn unknown_macros_and_lone_marks_stay() {
    assert_eq!(
        expand("/?x=#nope#&r=#reqid##", values),
        "/?x=#nope#&r=id-1#"
    );
    assert_eq!(expand("#", values), "#");
    assert_eq!(expand("##reqid##", values), "#id-1#");
    assert_eq!(expand("#a b#reqid#", values), "#a bid-1");
}

#[test]
fn the_articles_template_is_clean() {
    let checked = check(
        "https://tracking.partner.com/postback?click_id=#reqsessid#&payout=#price#&status=#status#&again=#price#",
    )
    .unwrap();
    assert_eq!(
        checked,
        Checked {
            uses: vec!["reqsessid", "price", "status"],
            findings: vec![]
        }
    );
}

#[test]
fn mistakes_are_named() {
    assert_eq!(
        codes("https://p.example/?id=#reqsessid#&p={payout}"),
        ["foreign_macro"]
    );
    assert_eq!(
        codes("https://p.example/?id=#reqsessid#&p=#payuot#"),
        ["unknown_macro"]
    );
    assert_eq!(
        codes("https://p.example/?id=#reqsessid#&x=1#top"),
        ["raw_fragment"]
    );
    assert_eq!(codes("https://p.example/?p=#price#"), ["no_click_id"]);
    let checked = check("https://p.example/?id={click_id}").unwrap();
    assert_eq!(checked.findings[0].parameter, "click_id");
}

#[test]
fn a_macro_with_one_mark_is_told_to_need_both() {
    for (query, names) in [
        ("id=#reqid#&amount=#price", &["price"][..]),
        ("id=#reqid#&amount=%23price", &["price"]),
        ("id=#reqid#&amount=price#", &["price"]),
        ("id=#reqid#&amount=price%23", &["price"]),
        ("id=#reqid#&amount=#price&status=#status#", &["price"]),
        ("id=#reqid#&status=#status", &["status"]),
        ("id=#reqid#&s=#s1&t=#s2", &["s1", "s2"]),
        ("s=#s2#&id=#reqid", &["reqid"]),
        ("s=#s2#&id=reqid#&x=1", &["reqid"]),
    ] {
        let url = ["https://p.example/pb?", query].concat();
        let findings = check(&url).unwrap().findings;
        let told: Vec<_> = findings
            .iter()
            .map(|finding| (finding.code, finding.parameter.as_str()))
            .collect();
        let expected: Vec<_> = names.iter().map(|name| ("unclosed_macro", *name)).collect();
        assert_eq!(told, expected, "{url}");
        let advice = format!("Write #{}#.", names[0]);
        assert!(findings[0].sentence.ends_with(&advice), "{url}");
    }
    // A fragment, and marks beside a macro.
    for query in [
        "id=#reqid#&x=1#top",
        "id=#reqid##",
        "id=#reqid#&x=price#top",
    ] {
        let url = ["https://p.example/pb?", query].concat();
        assert_eq!(codes(&url), ["raw_fragment"], "{url}");
    }
}

#[test]
fn the_advertisers_own_transaction_id_tells_no_click() {
    assert_eq!(codes("https://p.example/pb?id=#tid#"), ["no_click_id"]);
}

#[test]
fn damage_done_to_a_url_on_its_way_is_a_finding() {
    for (text, code) in [
        (
            "https://p.example/?id=#reqsessid#&x={{ clickid }}",
            "foreign_macro",
        ),
        (
            "https://p.example/?id=#reqsessid#&x=[click id]",
            "foreign_macro",
        ),
        (" https://p.example/?id=#reqsessid#", "stray_space"),
        ("https://p.example/?id=#reqsessid# ", "stray_space"),
        ("https://p.example/?id=#reqsessid#&x=a b", "stray_space"),
        ("https://p.example/?id=#reqsessid#&\nx=1", "line_break"),
        (
            "https://p.example/?id=#reqsessid#\u{a0}",
            "invisible_character",
        ),
        ("<https://p.example/?id=#reqsessid#>", "text_around_link"),
        ("\"https://p.example/?id=#reqsessid#\"", "text_around_link"),
        (
            "<img src='https://p.example/?id=#reqsessid#'>",
            "text_around_link",
        ),
        ("https:\\/\\/p.example\\/?id=#reqsessid#", "escaped_text"),
    ] {
        assert_eq!(code_of(check(text)), Err("invalid_postback_url"), "{text}");
        let Checked { uses, findings } = inspect(text).unwrap();
        assert!(
            findings.iter().any(|finding| finding.code == code),
            "{text}: {findings:?}"
        );
        assert_eq!(uses, ["reqsessid"], "{text}");
    }
    for text in [
        "http://p.example/",
        "https://u:p@p.example/",
        "https://127.0.0.1/",
        "p.example",
        "",
        " ",
        "https://p.example\\@evil.example/",
    ] {
        assert_eq!(
            code_of(inspect(text)),
            Err("invalid_postback_url"),
            "{text}"
        );
    }
}

#[test]
fn a_scheme_is_compared_without_case_and_a_port_is_one_of_65536() {
    for template in [
        "HTTPS://p.example/?i=#reqid#",
        "Https://p.example:65535/?i=#reqid#",
        "https://p.example:0/?i=#reqid#",
    ] {
        assert_eq!(check(template).unwrap().uses, ["reqid"], "{template}");
    }
}

#[test]
fn urls_that_must_not_be_fetched_are_refused_by_the_rule_that_they_break() {
    for (template, rule) in [
        ("", UrlRule::Scheme),
        ("http://p.example/", UrlRule::Scheme),
        ("//p.example/", UrlRule::Scheme),
        ("https:p.example", UrlRule::Scheme),
        ("https://", UrlRule::Host),
        ("https://localhost/", UrlRule::Host),
        ("https://user:secret@p.example/", UrlRule::Credentials),
        ("https://p.example\\@evil.example/", UrlRule::Backslash),
        ("https://p.example:x/", UrlRule::Port),
        ("https://p.example:/", UrlRule::Port),
        ("https://p.example:65536/", UrlRule::Port),
        ("https://p.example:99999/", UrlRule::Port),
        ("HTTPS://p.example:070000/", UrlRule::Port),
        ("https://p.example:+80/", UrlRule::Port),
        ("https://#s1#.example/", UrlRule::Host),
        ("https://p.example#s1#", UrlRule::Host),
        ("https://p.example:4#s1#", UrlRule::Port),
        ("https://127.0.0.1/", UrlRule::Host),
        ("https://127.1/", UrlRule::Host),
        ("https://2130706433/", UrlRule::Host),
        ("https://0x7f.0.0.0x1/", UrlRule::Host),
        ("https://[::1]/", UrlRule::Host),
        ("https://m\u{fc}nchen.example/", UrlRule::Letters),
        ("https://p.example/a b", UrlRule::Space),
        ("https://p.example/\n", UrlRule::Space),
        (&"https://p.example/".repeat(200), UrlRule::Length),
    ] {
        assert_eq!(
            check(template),
            Err(Error::InvalidPostbackUrl { rule }),
            "{template:?}"
        );
    }
    assert!(check(&format!("https://p.example/?{}", "x".repeat(MAX_BYTES))).is_err());
    assert!(
        check("https://p.example:8443/?id=#reqid#")
            .unwrap()
            .findings
            .is_empty()
    );
}

proptest! {
    #[test]
    fn expanding_nothing_changes_nothing(template in "(#|\\{|reqid|\\PC){0,40}") {
        prop_assert_eq!(expand(&template, |_| None), template);
    }

    #[test]
    fn an_expanded_url_leads_to_the_same_host_with_the_same_values(value in "\\PC{0,20}", before in "[a-z]{0,5}") {
        let template = format!("https://p.example/{before}?id=#reqsessid#&x=#s1#");
        prop_assert!(check(&template).is_ok());
        let url = expand(&template, |_| Some(value.clone()));
        let other = ::url::Url::parse(&url)?;
        prop_assert_eq!(other.host_str(), Some("p.example"));
        let values: Vec<_> = other.query_pairs().map(|(_, value)| value.into_owned()).collect();
        prop_assert_eq!(values, [value.clone(), value]);
    }

    #[test]
    fn a_checked_host_is_the_host_of_another_parser(rest in "[a-z.@:/\\\\?#0-9x\\[\\]-]{0,24}") {
        let template = format!("https://{rest}");
        if check(&template).is_ok()
            && let Ok(other) = ::url::Url::parse(&template)
        {
            prop_assert!(matches!(other.host(), Some(::url::Host::Domain(_))), "{}", template);
            prop_assert!(other.username().is_empty());
        }
    }
}
