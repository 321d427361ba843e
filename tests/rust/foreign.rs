//! Texts of other tools in links and postback URLs, and damage by editors:
//! `tests/vectors/foreign.json`, which the JavaScript tests read too.

use cake_edge::lint::lint;
use cake_edge::macros::check;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Deserialize)]
struct Vectors {
    macros: BTreeMap<String, Vec<String>>,
    plain: Vec<String>,
    spoiled: Vec<Spoiled>,
    postbacks: Vec<Postback>,
}

#[derive(Deserialize)]
struct Spoiled {
    link: String,
    code: String,
}

#[derive(Deserialize)]
struct Postback {
    url: String,
    code: String,
    parameter: Option<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/foreign.json")).unwrap()
}

/// Every byte as `%XX`, except letters and digits.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn spellings(text: &str) -> [String; 3] {
    [text.to_owned(), encoded(text), encoded(&encoded(text))]
}

fn in_link(value: &str) -> Vec<&'static str> {
    let findings = lint(&format!(
        "https://track.yournetwork.com/?a=1&c=2&s2={value}&s3=x"
    ));
    findings.iter().map(|finding| finding.code).collect()
}

fn in_postback(value: &str) -> Vec<&'static str> {
    let checked = check(&format!("https://p.example/?id=#reqsessid#&x={value}&y=z")).unwrap();
    checked
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect()
}

#[test]
fn every_tools_macro_is_named_in_every_encoding() {
    let mut missed = Vec::new();
    for (tool, texts) in vectors().macros {
        for text in &texts {
            for spelling in spellings(text) {
                let linted = in_link(&spelling);
                if !linted
                    .iter()
                    .any(|code| ["unexpanded_macro", "placeholder_text"].contains(code))
                {
                    missed.push(format!("link, {tool}: {spelling} {linted:?}"));
                }
                if spelling.contains([' ', '\\']) {
                    continue;
                }
                let checked = in_postback(&spelling);
                let codes = ["foreign_macro", "unknown_macro", "placeholder_text"];
                if !checked.iter().any(|code| codes.contains(code)) {
                    missed.push(format!("postback, {tool}: {spelling} {checked:?}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn plain_texts_make_no_false_alarm() {
    let mut alarms = Vec::new();
    for text in vectors().plain {
        // A text with a % is written unchanged, as in a URL.
        let other = if text.contains('%') {
            text.clone()
        } else {
            encoded(&text)
        };
        for spelling in [text.clone(), other] {
            let linted = in_link(&spelling);
            // A raw # cuts off the rest of the URL.
            if !linted.is_empty() && linted != ["raw_fragment"] {
                alarms.push(format!("link: {spelling} {linted:?}"));
            }
            if !spelling.contains(' ') {
                let checked = in_postback(&spelling);
                if !checked.is_empty() && checked != ["raw_fragment"] {
                    alarms.push(format!("postback: {spelling} {checked:?}"));
                }
            }
        }
    }
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn words_within_a_longer_part_of_a_path_are_its_own() {
    for part in [
        "undefined-behaviour",
        "null-island",
        "nullable",
        "nan",
        "naan",
        "todo",
        "replace",
        "placeholder",
        "your-shop",
        "your-order",
        "clickid",
        "click-here",
        "order-id",
        "change",
        "insert",
        "payout=40",
        "=40",
        "%EF%BC%BB%E6%96%B0%E7%9D%80%EF%BC%BD",
    ] {
        let checked = check(&format!("https://p.example/pb/{part}/x?id=#reqsessid#")).unwrap();
        assert!(checked.findings.is_empty(), "{part}: {checked:?}");
    }
}

#[test]
fn every_damage_to_a_link_has_its_code() {
    let mut missed = Vec::new();
    for Spoiled { link, code } in vectors().spoiled {
        let findings = lint(&link);
        if !findings.iter().any(|finding| finding.code == code) {
            missed.push(format!(
                "{link}: {:?}",
                findings
                    .iter()
                    .map(|finding| finding.code)
                    .collect::<Vec<_>>()
            ));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_damage_to_a_postback_url_has_its_code() {
    for Postback {
        url,
        code,
        parameter,
    } in vectors().postbacks
    {
        let findings = check(&url).unwrap().findings;
        let is_named = findings.iter().any(|finding| {
            finding.code == code
                && parameter
                    .as_ref()
                    .is_none_or(|parameter| *parameter == finding.parameter)
        });
        assert!(is_named, "{url}: {findings:?}");
    }
}

#[test]
fn every_finding_says_what_to_do() {
    let Vectors {
        spoiled, postbacks, ..
    } = vectors();
    let linted = spoiled.iter().flat_map(|spoiled| lint(&spoiled.link));
    let checked = postbacks
        .iter()
        .flat_map(|postback| check(&postback.url).unwrap().findings);
    for finding in linted.chain(checked) {
        let last = finding
            .sentence
            .split_inclusive(['.', ':'])
            .next_back()
            .unwrap_or_default()
            .trim();
        let does = [
            "Write",
            "Copy",
            "Put",
            "Use",
            "Encode",
            "Percent-encode",
            "Leave",
            "Type",
            "Did you mean",
            "Its own is",
            "In HTML",
            "add",
            "Typed",
            "where it is right",
        ];
        assert!(
            does.iter().any(|verb| last.starts_with(verb)),
            "{}: {}",
            finding.code,
            finding.sentence
        );
    }
}
