//! What is allowed in a tracking link but is probably a mistake.

use crate::link::MAX_BYTES;
use crate::{sub_id, url};
use std::borrow::Cow;

/// Something that is probably a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable, `snake_case` code.
    pub code: &'static str,
    /// The parameter or macro that it is about.
    pub parameter: String,
    /// What is odd and what to do, as a sentence.
    pub sentence: &'static str,
}

impl Finding {
    pub(crate) fn new(code: &'static str, parameter: &str, sentence: &'static str) -> Self {
        Self {
            code,
            parameter: parameter.to_owned(),
            sentence,
        }
    }
}

/// Texts of manuals that people forget to replace, in upper case.
const PLACEHOLDERS: [&str; 8] = [
    "TRANSACTION_ID",
    "REPLACE",
    "YOUR_",
    "INSERT_",
    "SUBID_HERE",
    "CLICK_ID",
    "AFFILIATE_ID",
    "XXXX",
];

/// Reads a tracking link, also one that [`crate::link::TrackingLink::parse`]
/// refuses, and says what is probably a mistake in it.
///
/// | code | says |
/// | --- | --- |
/// | `unique_s1` | s1 looks unique per click |
/// | `utm_parameter` | a UTM name stands where a sub id belongs |
/// | `unexpanded_macro` | a macro that nobody expanded |
/// | `email_address`, `phone_number` | personal data in a sub id |
/// | `deep_link_not_encoded` | `ckmrdr` breaks at its first `&` |
/// | `placeholder_text` | a text of a manual was never replaced |
///
/// ```
/// use cake_edge::lint::lint;
///
/// let findings = lint("https://track.yournetwork.com/?a=1&c=2&s1=8fca1b5e-9c1e-4b58-9d8a-3a1f6f0d2c11");
/// assert_eq!(findings[0].code, "unique_s1");
/// ```
#[must_use]
pub fn lint(link: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    // No link is longer; what is, is looked at as far as one could be.
    let end = (0..=link.len().min(2 * MAX_BYTES))
        .rev()
        .find(|end| link.is_char_boundary(*end));
    let link = link.get(..end.unwrap_or(0)).unwrap_or_default();
    // A raw `#s1#` in a link starts a fragment: look at all of it.
    let query = link.split_once('?').map_or("", |(_, query)| query);
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let (name, decoded) = (url::decode(name), url::decode(value));
        let name = name.to_ascii_lowercase();
        let mut find = |code, sentence| findings.push(Finding::new(code, &name, sentence));
        if name == "ckmrdr" {
            if value.contains("://") {
                find(
                    "deep_link_not_encoded",
                    "The deep link is not percent-encoded: it breaks at its first &. Encode the whole value.",
                );
            }
            continue;
        }
        if name.starts_with("utm_") {
            find(
                "utm_parameter",
                "CAKE does not read UTM parameters from a tracking link. Put the value into s1 to s5.",
            );
        }
        if has_macro(&decoded) {
            find(
                "unexpanded_macro",
                "The value is a macro that nobody has expanded. Each click would carry the macro's name.",
            );
        } else if is_placeholder(&decoded) {
            find(
                "placeholder_text",
                "The value is a placeholder that was never replaced.",
            );
        } else if sub_id::NAMES.contains(&name.as_str()) {
            if is_email(&decoded) {
                find(
                    "email_address",
                    "Sub ids end up in reports and postbacks: an e-mail address does not belong there.",
                );
            } else if is_phone(&decoded) {
                find(
                    "phone_number",
                    "Sub ids end up in reports and postbacks: a phone number does not belong there.",
                );
            } else if name == "s1" && is_unique(&decoded) {
                find(
                    "unique_s1",
                    "s1 looks unique per click: CAKE stops reporting such values. Put a click id of your own into s2.",
                );
            }
        }
    }
    findings
}

/// CAKE's `#macro#`, or another tracker's `{…}`, `[…]`, `%%…%%`, `$…$`, `__…__`.
fn has_macro(value: &str) -> bool {
    let is_word = |word: &str| {
        let word = word.trim_matches(['{', '}', '[', ']', '%', '_', '$', ' ']);
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte))
    };
    [
        ("#", "#"),
        ("{", "}"),
        ("[", "]"),
        ("%%", "%%"),
        ("$", "$"),
        ("__", "__"),
    ]
    .iter()
    .any(|(open, close)| {
        value
            .split_once(open)
            .and_then(|(_, rest)| rest.split_once(close))
            .is_some_and(|(word, _)| is_word(word))
    })
}

fn is_placeholder(value: &str) -> bool {
    let value = value.to_ascii_uppercase();
    PLACEHOLDERS.iter().any(|placeholder| {
        // Whole words: REPLACE is one, irreplaceable is none.
        value.match_indices(placeholder).any(|(at, found)| {
            let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            let before = value.get(..at).and_then(|text| text.chars().next_back());
            let after = value
                .get(at + found.len()..)
                .and_then(|text| text.chars().next());
            is_edge(before) && (is_edge(after) || found.ends_with('_'))
        })
    })
}

fn is_email(value: &str) -> bool {
    value.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !user.contains(char::is_whitespace) && crate::host::is_host_name(host)
    })
}

/// `+49 89 1234567`, `(555) 123-4567`, `555-123-4567`: digits alone are an id.
fn is_phone(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_written_like_one = value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b" +-().".contains(&byte));
    let groups = value
        .split([' ', '-', '.', ')'])
        .filter(|group| !group.is_empty())
        .count();
    let is_date = value.len() == 10
        && groups == 3
        && value.split('-').next().is_some_and(|year| year.len() == 4);
    is_written_like_one
        && (7..=15).contains(&digits)
        && !is_date
        && (value.starts_with('+') || (groups >= 3 && digits >= 9))
}

/// A UUID, a long number or timestamp, or a long hexadecimal text.
fn is_unique(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain: Cow<'_, str> = if value.contains('-') {
        value.replace('-', "").into()
    } else {
        value.into()
    };
    let is_hex = plain.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && plain.len() >= 16 && digits > 0) || (digits == value.len() && digits >= 9)
}

#[cfg(test)]
mod tests {
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
    fn what_is_fine_is_silent() {
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
}
