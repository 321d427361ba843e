//! Placeholders: texts without meaning in place of a value, because a program had no value or a
//! template was never filled in.
//!
//! [`is_missing_value`] finds them among ids; `foreign` finds other tools' macros and placeholders
//! in a URL.

pub(crate) mod foreign;

use crate::url::{self, is_alike, take};
use std::borrow::Cow;

/// The longest id that is checked, in bytes: no click id is longer.
const MAX_BYTES: usize = 128;

/// Words that name a missing value, or ask for one.
const MISSING: &[u8] = b"undefined null nan nil none n/a true false unknown missing empty unset not invalid infinity no 0 \
    id number ref value name array object string your here insert replace placeholder todo tbd xxx change \
    undef nul na n.a n-a n_a promise blank unavailable aid cid oid pid rid sid tid uid";

/// Words that manuals combine with those: `YOUR_ORDER_ID`.
const BESIDE: &[u8] = b"order click transaction tx unique request req session sub aff affiliate offer set test me my the this with enter invoice date db \
    cart conversion lead sale payment checkout purchase user customer campaign creative system available provided found";

/// Texts of spreadsheets, databases and languages for no value, whose words alone do not show it.
const WHOLE: [&str; 22] = [
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#ERROR!",
    "#GETTING_DATA",
    "\\N", // MySQL, PostgreSQL
    "<Promise>",
    "void 0",
    "void(0)",
    "javascript:void(0)",
    "1.#QNAN",
    "-1.#IND",
    "1.#INF",
    "\u{2013}",
    "\u{2014}",
    "\u{2026}",
];

/// Texts that languages write for an object, a function or a promise, where a text was wanted.
const WRITTEN: [&str; 16] = [
    "[object ",
    "[function",
    "[asyncfunction",
    "[generatorfunction",
    "[class ",
    "[circular",
    "[native code]",
    "function(",
    "function (",
    "=>",
    "symbol(",
    "promise {",
    "<nil>",
    "<null>",
    "<none>",
    "<undefined>",
];

/// Does this stand for a missing value? Examples are `undefined`, `NaN`, `[object Object]`, `0`,
/// `REPLACE`, `CLICK_ID`, `YOUR_ORDER_ID`, `ORD-{{order.id}}`, `ORD-undefined`. A macro that nobody
/// expanded does too: `#reqid#`, `%23reqid%23`, `__CLICKID__`. No id is such a text, and as a
/// unique id it is the same for every order.
///
/// A text counts where it consists of such words alone, with anything between them, or still has a
/// template's marks. `your-click-id` counts; `#1001` does not.
#[must_use]
#[cfg_attr(small_cold, optimize(size))]
pub(crate) fn is_missing_value(text: &str) -> bool {
    let seen = visible(text);
    if is_missing(&seen) {
        return true;
    }
    // `%23reqid%23` is a macro that somebody has encoded; `%2523reqid%2523` was encoded twice.
    let mut text = seen.into_owned();
    for _ in 0..3 {
        if !text.contains('%') {
            break;
        }
        text = url::decode(&text).to_string();
        if is_missing(&visible(&text)) {
            return true;
        }
    }
    false
}

fn is_missing(text: &str) -> bool {
    let text = text.trim();
    has_template(text.as_bytes())
        || has_no_other_word(text.as_bytes(), MISSING, BESIDE)
        || has_lost_value(text.as_bytes())
        || is_variable(text.as_bytes())
        || WHOLE.iter().any(|whole| whole.eq_ignore_ascii_case(text))
        || text.len() <= MAX_BYTES && is_written(text)
}

/// Has a language written an object, a function or a promise into the text?
fn is_written(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    WRITTEN.iter().any(|written| text.contains(written))
        || text.starts_with("class ") && text.contains('{')
}

/// The text without invisible characters. A text of these alone is empty, and one between two
/// letters hides no word.
#[cfg_attr(small_cold, optimize(size))]
fn visible(text: &str) -> Cow<'_, str> {
    let is_invisible = |character| {
        matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}')
    };
    if text.is_ascii() || !text.contains(is_invisible) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.replace(is_invisible, ""))
    }
}

/// Is this only a variable of a template or program: `$orderId`, `$order->id`, `@order`,
/// `@Model.OrderId`? A number in it may tell two orders apart.
#[cfg_attr(small_cold, optimize(size))]
fn is_variable(text: &[u8]) -> bool {
    let [mark @ (b'$' | b'@'), rest @ ..] = text else {
        return false;
    };
    let is_name = |byte: &u8| {
        byte.is_ascii_alphabetic()
            || matches!(
                byte,
                b'_' | b'.' | b'-' | b'>' | b'[' | b']' | b'(' | b')' | b'\'' | b'"'
            )
    };
    text.len() <= MAX_BYTES
        && rest
            .first()
            .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
        && rest.iter().all(is_name)
        && (*mark == b'$'
            || rest.contains(&b'.')
            || has_no_other_word(rest, MISSING, BESIDE)
            || has_no_other_word(rest, BESIDE, b""))
}

/// The words that programs write for a lost value: the first ones of the list.
fn lost_words() -> &'static [u8] {
    MISSING
        .get(.."undefined null nan".len())
        .unwrap_or_default()
}

/// Is the whole text `undefined`, `null` or `NaN`? In a free text, `no` and `0` may be meant.
#[cfg(feature = "forwarder")]
pub(crate) fn is_lost_word(text: &str) -> bool {
    let mut words = lost_words().split(|byte| *byte == b' ');
    words.any(|word| word.eq_ignore_ascii_case(text.as_bytes()))
}

/// Has a program written `undefined`, `null` or `NaN` in place of its value, as in `ORD-undefined`?
/// With a number beside it, the text may still tell two orders apart.
fn has_lost_value(text: &[u8]) -> bool {
    let lost = lost_words();
    let mut words = text.split(|byte| !byte.is_ascii_alphanumeric());
    text.len() <= MAX_BYTES
        && !text.iter().any(u8::is_ascii_digit)
        && words.any(|word| !word.is_empty() && has_no_other_word(word, lost, b""))
}

/// Like [`is_missing_value`], for a text in the alphabet of click ids: its only template's marks
/// are `__…__`.
pub(crate) fn is_missing_word(text: &[u8]) -> bool {
    matches!(text, [b'_', b'_', .., b'_', b'_'])
        || has_no_other_word(text, MISSING, BESIDE)
        || has_lost_value(text)
}

/// Does the text consist of words of these lists alone, with at least one of `named`, or of nothing
/// but marks? The check reads bytes and allocates no memory: the page build has it.
#[cfg_attr(small_cold, optimize(size))]
fn has_no_other_word(text: &[u8], named: &[u8], beside: &[u8]) -> bool {
    let mut rest = text;
    let (mut has_named, mut has_beside) = (false, false);
    while let Some(first) = rest.first() {
        // The longest word at this place, or a mark between words.
        let mut length = usize::from(first.is_ascii() && !first.is_ascii_alphanumeric());
        let (mut is_named, mut is_beside) = (false, false);
        let (mut words, mut is_second) = (named, false);
        while !words.is_empty() {
            let word = take(&mut words, b' ');
            let part = rest.get(..word.len()).unwrap_or_default();
            if word.len() > length && is_alike(part, word) {
                length = word.len();
                (is_named, is_beside) = (!is_second, is_second);
            }
            if words.is_empty() && !is_second {
                (words, is_second) = (beside, true);
            }
        }
        if length == 0 {
            return false;
        }
        // `xxx` has three letters or more.
        while length > 2 && first.eq_ignore_ascii_case(&b'x') && rest.get(length) == Some(first) {
            length += 1;
        }
        has_named |= is_named;
        has_beside |= is_beside;
        rest = rest.get(length..).unwrap_or_default();
    }
    text.len() <= MAX_BYTES && (has_named || !has_beside)
}

/// A macro as the whole text, or a template's marks anywhere in it.
#[cfg_attr(small_cold, optimize(size))]
fn has_template(text: &[u8]) -> bool {
    let is_wrapped = match text {
        // `{8fca1b5e-…}` is how .NET writes an id.
        [b'{', .., b'}'] => text.len() < 36,
        [b'#', _, .., b'#']
        | [b'%', _] // of printf: %s
        | [b'%', _, .., b'%']
        | [b'<', .., b'>']
        | [b'$', _, .., b'$']
        | [b'*', _, .., b'*']
        | [b'@', _, .., b'@']
        | [b'_', b'_', .., b'_', b'_'] => true,
        _ => false,
    };
    // `[1001]` is an order's number; `[order]`, `ORD-{order}` and `{order` are none.
    let has_bracket = || {
        let is_bracket = |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b'<' | b'>');
        text.iter().any(is_bracket) && !text.iter().any(u8::is_ascii_digit)
    };
    is_wrapped
        || has_bracket()
        || text.windows(2).any(|pair| {
            matches!(
                pair,
                b"{{" | b"{%" | b"${" | b"#{" | b"%{" | b"@{" | b"<%" | b"<?" | b"%%" | b"[["
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VECTORS: &str = include_str!("../tests/vectors/missing_values.json");

    #[derive(serde::Deserialize)]
    struct Vectors {
        missing: Vec<String>,
        ids: Vec<String>,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(VECTORS).unwrap()
    }

    #[test]
    fn words_for_a_missing_value_are_known_in_every_dress() {
        for text in vectors().missing {
            assert!(is_missing_value(&text), "{text:?}");
            assert!(is_missing_value(&text.to_ascii_uppercase()), "{text:?}");
            assert!(is_missing_value(&text.to_ascii_lowercase()), "{text:?}");
        }
    }

    #[test]
    fn ids_of_shops_and_networks_are_none() {
        for text in vectors().ids {
            assert!(!is_missing_value(&text), "{text:?}");
        }
    }

    #[test]
    fn a_text_longer_than_any_id_is_left_to_the_rule_of_length() {
        assert!(is_missing_value(&"0".repeat(128)));
        assert!(!is_missing_value(&"0".repeat(129)));
    }

    proptest! {
        #[test]
        fn a_click_id_has_the_rule_of_every_id(
            words in proptest::collection::vec(prop_oneof!["[A-Za-z0-9]{0,3}", "ORD", "undefined", "NULL", "NaN", "your", "click", "id", "__"], 0..5),
            mark in "[._:-]{0,2}",
        ) {
            let text = words.join(&mark);
            prop_assert_eq!(is_missing_word(text.as_bytes()), is_missing_value(&text), "{}", text);
        }

        #[test]
        fn an_id_with_a_number_is_none(text in "[A-Za-z]{0,8}[ #/._-]?[1-9][0-9]{0,12}") {
            prop_assert!(!is_missing_value(&text));
        }

        #[test]
        fn a_made_id_is_none(text in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{12}|[0-9A-Z]{10}") {
            let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'-'));
            prop_assert!(is_zero || !is_missing_value(&text));
        }

        #[test]
        fn separators_between_words_make_no_difference(
            words in proptest::collection::vec(prop_oneof!["your", "ORDER", "Click", "the"], 0..4), mark in "[ _.:/-]?",
        ) {
            let text = [words.join(&mark), "Id".to_owned()].join(&mark);
            prop_assert!(is_missing_value(&text), "{}", text);
        }

        #[test]
        fn no_text_makes_a_panic(text in "\\PC{0,200}") {
            let _ = is_missing_value(&text);
        }
    }
}
