//! The lint of tracking links: allowed, but probably a mistake.

mod personal;
mod whole;

pub(crate) use crate::finding::Finding;
use crate::link::MAX_BYTES;
use crate::nearest::nearest;
use crate::placeholder::foreign;
use crate::{punycode, spoiled, sub_id, url};
pub(crate) use personal::is_email;
use personal::{is_phone, is_unique};
use std::borrow::Cow;
use whole::{find_inner_link, find_text_behind, unreadable};

/// Other networks' parameters that people write for CAKE's, without separators, and CAKE's names.
/// [`own_name`] also handles `sub` and its like with a digit.
const MISNAMED: [(&str, &str); 14] = [
    ("affiliate", "a"),
    ("creative", "c"),
    ("affiliateid", "a"),
    ("affid", "a"),
    ("aff", "a"),
    ("aid", "a"),
    ("creativeid", "c"),
    ("cid", "c"),
    ("oid", "c"),
    ("offerid", "c"),
    ("deeplink", "ckmrdr"),
    ("priceformat", "p"),
    ("s6", "one of s1 to s5"),
    ("clickid", "s2, for a click id of your own"),
];

/// CAKE's name for a parameter that has another name in another network.
fn own_name(name: &str) -> Option<Cow<'static, str>> {
    let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    let word = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = plain.get(word.len()..).unwrap_or_default();
    if matches!(word, "sub" | "subid" | "affsub" | "affsubid") {
        return match digits {
            "" => Some("s1".into()),
            "1" | "2" | "3" | "4" | "5" => Some(["s", digits].concat().into()),
            _ => Some("one of s1 to s5".into()),
        };
    }
    if plain.starts_with("ckm") && nearest(&plain, ["ckmrdr"]).is_some() {
        return Some("ckmrdr".into());
    }
    let known = MISNAMED.iter().find(|(other, _)| *other == plain)?;
    Some(known.1.into())
}

/// Reads a tracking link, also one that [`crate::link::TrackingLink::parse`] refuses, and returns
/// probable mistakes in it.
///
/// | code | says |
/// | --- | --- |
/// | `unique_s1` | s1 looks unique per click |
/// | `utm_parameter` | a UTM name stands where a sub id belongs |
/// | `misnamed_parameter` | another network's name for one of CAKE's parameters |
/// | `unexpanded_macro` | a macro of any tool that nobody expanded |
/// | `email_address`, `phone_number` | personal data in a sub id |
/// | `deep_link_not_encoded` | `ckmrdr` breaks at its first `&` |
/// | `placeholder_text` | a text of a manual was never replaced, or a program had no value |
/// | `raw_fragment` | parameters behind a `#`, which no server sees |
/// | `second_question_mark` | a `?` where an `&` belongs |
/// | `double_encoded` | percent-encoded twice |
/// | `wrong_encoding` | bytes of another encoding than UTF-8, or UTF-8 read as one |
/// | `html_entity`, `escaped_text`, `quoted_printable` | a link out of HTML, a script, a mail's source |
/// | `invisible_character`, `typographic_character` | characters that an editor put in |
/// | `stray_space`, `line_break`, `trailing_punctuation`, `text_around_link`, `shortened_link` | copied with too much or too little |
/// | `wrapped_link` | a mail filter's link around the link |
/// | `lookalike_domain` | a domain whose letters may be others than they seem |
/// | `unreadable_link` | no tracking link can be read in it, or it is empty, and no other finding says why |
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
    // A longer text is read only up to the longest possible link.
    let end = (0..=link.len().min(2 * MAX_BYTES))
        .rev()
        .find(|end| link.is_char_boundary(*end));
    let link = link.get(..end.unwrap_or(0)).unwrap_or_default();
    let link = spoiled::mend(link, &mut findings);
    let (before, query) = link.split_once('?').unwrap_or((&link, ""));
    lint_domain(before, &mut findings);
    // A raw `#s1#` in a link starts a fragment: read all of it.
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let name = url::decode(name).to_ascii_lowercase();
        if name != name.trim() {
            findings.push(stray_space(name.trim()));
        }
        if name.starts_with('?') && is_parameter_name(name.trim_start_matches('?')) {
            findings.push(second_question_mark(name.trim_start_matches('?')));
        }
        lint_parameter(name.trim_matches([' ', '?']), value, &mut findings);
    }
    lint_fragment(&link, &mut findings);
    find_text_behind(&link, &mut findings);
    find_inner_link(&link, &mut findings);
    if findings.is_empty() {
        findings.extend(unreadable(&link));
    }
    let mut seen = Vec::new();
    findings.retain(|finding| {
        let is_new = !seen.contains(finding);
        seen.push(finding.clone());
        is_new
    });
    findings
}

/// Finds text behind a `#` that is no macro's: `#/?a=1`, `#&s1=x`, `s1=order#1`.
fn lint_fragment(link: &str, findings: &mut Vec<Finding>) {
    let Some((before, fragment)) = link.split_once('#') else {
        return;
    };
    let is_told = |finding: &Finding| {
        matches!(
            finding.code,
            "raw_fragment" | "unexpanded_macro" | "placeholder_text"
        )
    };
    if fragment.is_empty() || findings.iter().any(is_told) || !foreign::find(link).is_empty() {
        return;
    }
    let last = before
        .split_once('?')
        .and_then(|(_, query)| query.rsplit('&').next());
    let name = last
        .and_then(|pair| pair.split('=').next())
        .unwrap_or_default();
    findings.push(raw_fragment(name));
}

fn raw_fragment(name: &str) -> Finding {
    Finding::new(
        "raw_fragment",
        name,
        "What follows # is a fragment, which no server ever sees. Write it as %23.",
    )
}

fn lint_domain(before: &str, findings: &mut Vec<Finding>) {
    let rest = before.split_once("://").map_or(before, |(_, rest)| rest);
    if let Some(found) = foreign::find(rest).first() {
        findings.push(unexpanded(found.name));
    }
    let host = rest.split('/').next().unwrap_or_default();
    let is_shouted =
        host.contains(|c: char| c.is_ascii_uppercase()) && !host.contains(char::is_lowercase);
    if is_shouted && host.contains("DOMAIN") && !host.contains('.') {
        findings.push(placeholder(host));
    }
    if let Some(finding) = lookalike(host) {
        findings.push(finding);
    }
}

/// A domain in letters of other scripts, or in some that look like Latin ones.
fn lookalike(host: &str) -> Option<Finding> {
    let labels = || {
        host.split('.')
            .filter_map(|label| label.get(..4).zip(label.get(4..)))
    };
    let is_coded_lookalike = labels().any(|(start, rest)| {
        start.eq_ignore_ascii_case("xn--") && punycode::is_lookalike(rest.as_bytes())
    });
    (!host.is_ascii() || is_coded_lookalike).then(|| {
        Finding::new(
            "lookalike_domain",
            host,
            "A letter of the domain may only look like the one that is meant. Type the domain anew; where it is right, write it in punycode, xn--….",
        )
    })
}

fn lint_parameter(name: &str, value: &str, findings: &mut Vec<Finding>) {
    let mut find = |code, sentence: &'static str| findings.push(Finding::new(code, name, sentence));
    if name == "ckmrdr" {
        if value.contains("://") {
            find(
                "deep_link_not_encoded",
                "The deep link is not percent-encoded: it breaks at its first &. Encode the whole value.",
            );
        } else if value.to_ascii_lowercase().starts_with("https%253a") {
            find("double_encoded", DOUBLE_ENCODED);
        }
        // CAKE's own tokens belong to the landing page's address.
        let decoded = url::decode(value);
        let foreign = foreign::find(&decoded)
            .into_iter()
            .find(|found| !found.text.starts_with('#'));
        if let Some(found) = foreign {
            findings.push(unexpanded(found.name));
        }
        return;
    }
    if name.starts_with("utm_") {
        find(
            "utm_parameter",
            "CAKE does not read UTM parameters from a tracking link. Put the value into s1 to s5.",
        );
    } else if let Some(right) = own_name(name) {
        let sentence =
            format!("CAKE does not read this parameter from a tracking link. Its own is {right}.");
        findings.push(Finding::new("misnamed_parameter", name, sentence));
    } else if let Some(rest) = name.strip_prefix("amp")
        && matches!(
            rest,
            "" | "a" | "c" | "p" | "s1" | "s2" | "s3" | "s4" | "s5" | "ckmrdr"
        )
    {
        findings.push(spoiled::html_entity(rest));
    }
    lint_value(name, value, findings);
    if findings
        .iter()
        .any(|finding| finding.parameter == name && finding.code != "misnamed_parameter")
    {
        return;
    }
    let decoded = url::decode(value);
    let mut find = |code, sentence: &'static str| findings.push(Finding::new(code, name, sentence));
    if sub_id::NAMES.contains(&name) {
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

const DOUBLE_ENCODED: &str =
    "The value is percent-encoded twice: one decoding leaves %XX in it. Encode it once.";

/// Finds foreign or spoiled text in one parameter of a URL; the value is as written.
fn lint_value(name: &str, value: &str, findings: &mut Vec<Finding>) {
    let readings = spoiled::readings(value);
    let decoded = readings
        .get(1)
        .or(readings.first())
        .map(AsRef::as_ref)
        .unwrap_or_default();
    let plain = spoiled::plain(&readings);
    let found = readings
        .iter()
        .map(AsRef::as_ref)
        .chain(plain.as_deref())
        .find_map(|reading| foreign::find(reading).into_iter().next());
    if let Some(found) = found {
        findings.push(if name.is_empty() {
            unexpanded(found.name)
        } else {
            unexpanded(name)
        });
        return;
    }
    if foreign::is_unfilled(name, plain.as_deref().unwrap_or(decoded)) {
        findings.push(placeholder(name));
        return;
    }
    let (_, behind) = value.split_once('?').unwrap_or_default();
    let next = behind.split('=').next().unwrap_or_default();
    if next.len() < behind.len() && is_parameter_name(next) {
        findings.push(second_question_mark(name));
    }
    // `a=1%26c=2`: the sign between two parameters was encoded with the value.
    if let Some(own) = swallowed(decoded) {
        let sentence = format!(
            "The & before {own} is percent-encoded: CAKE reads one long value. Write &{own}=…."
        );
        findings.push(Finding::new("double_encoded", name, sentence));
    }
    let mut find = |code, sentence: &'static str| findings.push(Finding::new(code, name, sentence));
    if matches!(name, "a" | "c")
        && !decoded.is_ascii()
        && spoiled::find_invisible(decoded).is_none()
    {
        find(
            "typographic_character",
            "An id has a sign of another script, such as a full-width digit. Write plain digits.",
        );
    }
    if let Some((_, fragment)) = value.split_once('#')
        && (value.starts_with('#') || fragment.contains('='))
    {
        findings.push(raw_fragment(name));
    }
    spoilt_value(name, value, &readings, findings);
}

fn second_question_mark(name: &str) -> Finding {
    Finding::new(
        "second_question_mark",
        name,
        "A second ? follows, where & parts one parameter from the next: CAKE reads one long value, or another name. Write &.",
    )
}

/// The name of one of CAKE's parameters that a value has swallowed: `x&s2=y`.
fn swallowed(decoded: &str) -> Option<&'static str> {
    decoded.split('&').skip(1).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let own = ["a", "c", "p", "s1", "s2", "s3", "s4", "s5", "ckmrdr"];
        // `a=b&c=d` may be meant: CAKE's own `a` and `c` are numbers.
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        own.into_iter()
            .find(|own| own.eq_ignore_ascii_case(name))
            .filter(|own| is_number || !matches!(*own, "a" | "c"))
    })
}

/// Finds damage that editors and programs did to the value itself.
pub(crate) fn spoilt_value(
    name: &str,
    value: &str,
    readings: &[Cow<'_, str>],
    findings: &mut Vec<Finding>,
) {
    let decoded = readings
        .get(1)
        .or(readings.first())
        .map(AsRef::as_ref)
        .unwrap_or_default();
    let mut find = |code, sentence: &'static str| findings.push(Finding::new(code, name, sentence));
    let escapes = |text: &str| {
        text.match_indices('%')
            .filter(|(at, _)| is_escape(text, *at))
            .count()
    };
    if escapes(decoded) > 0 && escapes(value) > 0 {
        find("double_encoded", DOUBLE_ENCODED);
    }
    let is_latin_1 = decoded.contains('\u{fffd}')
        || value
            .match_indices("%u")
            .any(|(at, _)| is_unicode_escape(value, at));
    let is_utf_8_read_so = decoded.contains("\u{e2}\u{20ac}")
        || decoded.contains("\u{e2}\u{80}")
        || decoded
            .match_indices(['\u{c3}', '\u{c2}'])
            .any(|(at, found)| {
                let after = decoded
                    .get(at + found.len()..)
                    .and_then(|rest| rest.chars().next());
                after.is_some_and(|c| ('\u{80}'..='\u{bf}').contains(&c))
            });
    if is_latin_1 || is_utf_8_read_so {
        find(
            "wrong_encoding",
            "The letters were written in one encoding and read in another. Percent-encode the bytes of UTF-8.",
        );
    } else if spoiled::find_invisible(decoded).is_some() {
        findings.push(spoiled::invisible_character(name));
    } else if decoded != decoded.trim() {
        find(
            "stray_space",
            "The value starts or ends with a space: to CAKE it is another value than without. Leave it out.",
        );
    }
}

/// `? a=1& c=2`: a name with a space is another name.
fn stray_space(name: &str) -> Finding {
    Finding::new(
        "stray_space",
        name,
        "The name of this parameter starts or ends with a space: CAKE does not know it. Leave the space out.",
    )
}

pub(crate) fn placeholder(name: &str) -> Finding {
    Finding::new(
        "placeholder_text",
        name,
        "The value is a placeholder that was never replaced, or what a program writes where it has no value. Put the value there, or leave the parameter out.",
    )
}

fn unexpanded(name: &str) -> Finding {
    Finding::new(
        "unexpanded_macro",
        name,
        "The value is a macro that nobody has expanded: each click would carry the macro's name. Put a value there, or have the tool that knows the macro expand it.",
    )
}

pub(crate) fn is_parameter_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn is_escape(text: &str, at: usize) -> bool {
    text.get(at + 1..at + 3)
        .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_unicode_escape(text: &str, at: usize) -> bool {
    text.get(at + 2..at + 6)
        .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
