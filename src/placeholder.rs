//! Placeholders: texts without meaning in place of a value, because a program had no value or a
//! template was never filled in.
//!
//! [`is_missing_value`] finds them among ids; `foreign` finds other tools' macros and placeholders
//! in a URL.

pub(crate) mod foreign;
pub(crate) mod lost;

use crate::spoiled;
use crate::url::{self, is_alike, take};
use std::borrow::Cow;

/// The longest id that is checked, in bytes: no click id is longer.
const MAX_BYTES: usize = 128;

/// Words that name a missing value, or ask for one.
const MISSING: &[u8] = b"undefined null nan none n/a true insert nil missing empty unset id no invalid infinity name here false not \
    object promise blank your string unknown 0 replace placeholder na tbd ref xxx number nul change todo array value void \
    undef n.a n-a n_a aid cid oid pid rid sid tid uid";

/// Words that manuals combine with those: `YOUR_ORDER_ID`.
const BESIDE: &[u8] = b"my click conversion transaction affiliate sale request req unique sub aff offer set test session cart the order me \
    this with tx enter invoice date db lead system available";

/// More words like the first list's, in ids of orders. No page has this list and the next one: they
/// cost bytes, and such words come as ids of orders, which a server checks.
const RARE: &[u8] = b"fixme nat";

/// More words like the second list's: `BOOKING_ID`, `not found`, `PUT_ORDER_ID_HERE`.
const ORDERS: &[u8] = b"ord inv txn customer client member user account booking purchase payment receipt ticket basket checkout \
    put add fill paste found provided given defined applicable supplied specified assigned num pd np";

/// Texts of spreadsheets, databases and languages for no value, whose words alone do not show it.
/// Some leave out the `!` at the end.
const WHOLE: [&str; 26] = [
    "#N/A",
    "#N/D",
    "#NV",
    "#Н/Д",
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
    "0x0",
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

/// Texts that languages write for an object, a function or a promise, where a text was wanted, and that templates write
/// for an error. The number in it is a line's.
const WRITTEN: [&str; 26] = [
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
    "java.lang.",
    " object at 0x",
    "#<",
    "<nil>",
    "<null>",
    "<none>",
    "<undefined>",
    "liquid error",
    "liquid syntax error",
    "liquid warning",
    "template error",
    "warning: undefined ",
    "notice: undefined ",
    "notice: trying to ",
];

/// Does this stand for a missing value? Examples are `undefined`, `NaN`, `[object Object]`, `0`,
/// `REPLACE`, `CLICK_ID`, `YOUR_ORDER_ID`, `ORD-{{order.id}}`, `ORD-undefined`. A macro that nobody
/// expanded does too: `#reqid#`, `%23reqid%23`, `__CLICKID__`. No id is such a text, and as a
/// unique id it is the same for every order.
///
/// A text counts where it consists of such words alone, with anything between them, or still has a
/// template's marks around a name, or has lost its value behind a prefix. `your-click-id` counts;
/// `#1001`, `{1001}` and `MQ==` do not.
///
/// A false refusal loses a sale, and a word that is taken is one id for all orders, of which CAKE
/// counts the first. So a text counts where nothing in it can tell two orders apart.
#[must_use]
pub(crate) fn is_missing_value(text: &str) -> bool {
    !is_plain_id(text.as_bytes()) && is_missing_in_any_dress(text)
}

/// Nearly every id: letters, digits and `-` alone, with a digit that is not 0. Of the words of the
/// lists, only `-1` has such a digit, and every other rule needs another mark. So the rules need not
/// be tried.
pub(crate) fn is_plain_id(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'1'..=b'9'))
        && !text.starts_with(b"-")
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

#[cfg_attr(small_cold, optimize(size))]
fn is_missing_in_any_dress(text: &str) -> bool {
    let seen = visible(text);
    if is_missing(&seen) {
        return true;
    }
    // `ｎｕｌｌ`, from a keyboard for Chinese or Japanese.
    if !seen.is_ascii() {
        let narrow: String = seen.chars().map(spoiled::narrow).collect();
        if narrow.is_ascii() && is_missing(&narrow) {
            return true;
        }
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
    // `NA==` is the number 4.
    if let Some(bytes) = lost::base64(text) {
        return lost::is_missing_in_base64(&bytes);
    }
    has_template(text.as_bytes())
        || has_only_missing_words(text.as_bytes()) && !is_order_zero(text.as_bytes())
        || has_lost_value(text.as_bytes())
        || is_variable(text.as_bytes())
        || is_whole(text)
        || text.len() <= MAX_BYTES && is_written(text)
        || lost::has_leftover(text)
}

/// Does the text consist of words for a missing value, and of words beside them? A zero is one of the first.
pub(crate) fn has_only_missing_words(text: &[u8]) -> bool {
    has_only_words(text, &[MISSING, RARE], &[BESIDE, ORDERS])
}

/// Is this a shop's word and a zero, such as `ORD-0`? Some shops count from 0. Zeros alone are none, and so
/// is `ID-0`.
fn is_order_zero(text: &[u8]) -> bool {
    let bare: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'0').collect();
    bare.len() < text.len() && !has_only_missing_words(&bare)
}

fn is_whole(text: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches(['!', '?']).len();
    is_error(text)
        || WHOLE.iter().any(|whole| {
            whole.eq_ignore_ascii_case(text)
                || whole
                    .get(..bare(whole))
                    .is_some_and(|start| start.eq_ignore_ascii_case(text))
        })
}

/// A spreadsheet's error in its user's language: `#BEZUG!`, `#¿NOMBRE?`, `#ИМЯ?`.
fn is_error(text: &str) -> bool {
    let name = text.strip_prefix('#');
    let name = name.and_then(|name| name.strip_suffix(['!', '?']));
    name.is_some_and(|name| !name.is_empty() && !name.contains(char::is_numeric))
}

/// Has a language written an object, a function, a promise or an error into the text?
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
            || has_only_words(rest, &[MISSING, RARE, BESIDE, ORDERS], &[]))
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
/// are `__…__`. `-1` is what a search in a program returns where it finds nothing. CAKE's click ids
/// are no negative numbers, but a shop's order may be one.
pub(crate) fn is_missing_word(text: &[u8]) -> bool {
    matches!(text, [b'_', b'_', .., b'_', b'_'])
        || text == b"-1"
        || has_no_other_word(text, MISSING, BESIDE)
        || has_lost_value(text)
}

/// Does the text consist of words of these two lists alone, with at least one of `named`, or of
/// nothing but marks?
fn has_no_other_word(text: &[u8], named: &[u8], beside: &[u8]) -> bool {
    has_only_words(text, &[named], &[beside])
}

/// [`has_no_other_word`] with several lists each. The check reads bytes and allocates no memory.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn has_only_words(text: &[u8], named: &[&[u8]], beside: &[&[u8]]) -> bool {
    let mut rest = text;
    let (mut has_named, mut has_beside) = (false, false);
    while let Some(first) = rest.first() {
        // The longest word at this place, or a mark between words.
        let mut length = usize::from(first.is_ascii() && !first.is_ascii_alphanumeric());
        let (mut is_named, mut is_beside) = (false, false);
        for (index, list) in named.iter().chain(beside).enumerate() {
            let mut words = *list;
            while !words.is_empty() {
                let word = take(&mut words, b' ');
                let part = rest.get(..word.len()).unwrap_or_default();
                if word.len() > length && is_alike(part, word) {
                    length = word.len();
                    is_named = index < named.len();
                    is_beside = !is_named;
                }
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

/// A macro as the whole text, or a template's marks anywhere in it. A placeholder is a name in
/// marks: a number in marks is an id, such as `{1001}`, `*A-1001*`.
#[cfg_attr(small_cold, optimize(size))]
fn has_template(text: &[u8]) -> bool {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let has_letter = text.iter().any(is_letter);
    // `#s1#` and `{sub_id_1}` are names.
    let is_name = has_letter && digits < 3;
    let is_wrapped = match text {
        // `{8fca1b5e-…}` is how .NET writes an id, and `{0}` a place in a text.
        [b'{', _, b'}'] => true,
        [b'{', .., b'}'] => text.len() < 36 && is_name,
        [b'#', _, .., b'#']
        | [b'%', _] // of printf: %s
        | [b'%', _, .., b'%']
        | [b'<', .., b'>']
        | [b'$', _, .., b'$']
        | [b'*', _, .., b'*']
        | [b'@', _, .., b'@']
        | [b'_', b'_', .., b'_', b'_'] => is_name,
        _ => false,
    };
    // `[1001]` is an order's number; `[order]`, `ORD-{order}` and `{order` are none.
    let has_bracket = || {
        let is_bracket = |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b'<' | b'>');
        text.iter().any(is_bracket) && !text.iter().any(u8::is_ascii_digit)
    };
    is_wrapped
        || has_bracket()
        || (has_letter || digits < 3)
            && text.windows(2).any(|pair| {
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
        leftovers: Vec<String>,
        ids: Vec<String>,
        ids_of_orders: Vec<String>,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(VECTORS).unwrap()
    }

    #[test]
    fn words_for_a_missing_value_are_known_in_every_dress() {
        let vectors = vectors();
        for text in vectors.missing.into_iter().chain(vectors.leftovers) {
            assert!(is_missing_value(&text), "{text:?}");
            assert!(is_missing_value(&text.to_ascii_uppercase()), "{text:?}");
            assert!(is_missing_value(&text.to_ascii_lowercase()), "{text:?}");
        }
    }

    #[test]
    fn ids_of_shops_and_networks_are_none() {
        let vectors = vectors();
        for text in vectors.ids.into_iter().chain(vectors.ids_of_orders) {
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
        fn no_id_is_a_word_that_no_click_id_is(
            words in proptest::collection::vec(prop_oneof!["[A-Za-z0-9]{0,3}", "ORD", "undefined", "NULL", "NaN", "your", "click", "id", "__"], 0..5),
            mark in "[._:-]{0,2}",
        ) {
            let text = words.join(&mark);
            // Servers know more, and `__1001__`, `-1` and `click-0` may be orders.
            let is_number = text == "-1" || text.contains('0') || text.bytes().filter(u8::is_ascii_digit).count() > 2;
            prop_assert!(is_number || !is_missing_word(text.as_bytes()) || is_missing_value(&text), "{}", text);
        }

        #[test]
        fn a_base64_text_with_a_number_in_it_is_an_id(number in 1_u64.., prefix in "(Order:|order_|)") {
            for text in [number.to_string(), [prefix, number.to_string()].concat()] {
                let mut id = String::new();
                for group in text.as_bytes().chunks(3) {
                    let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
                    for at in 0..4 {
                        let six = u8::try_from(bits >> (18 - 6 * at) & 63).unwrap();
                        id.push(char::from(match six {
                            _ if at > group.len() => b'=',
                            0..26 => b'A' + six,
                            26..52 => b'a' + six - 26,
                            52..62 => b'0' + six - 52,
                            62 => b'+',
                            _ => b'/',
                        }));
                    }
                }
                prop_assert!(!is_missing_value(&id), "{} {}", text, id);
                prop_assert!(crate::transaction_id::check("orderId", &id).is_ok(), "{} {}", text, id);
            }
        }

        #[test]
        fn a_plain_id_is_none_by_every_rule(
            words in proptest::collection::vec(
                prop_oneof!["[A-Za-z0-9-]{0,12}", "0x0", "undefined", "NULL", "NaN", "your", "click", "id", "order", "x{2,4}"],
                0..5,
            ),
            mark in "-{0,2}",
            digit in proptest::char::range('1', '9'),
            place in any::<proptest::sample::Index>(),
        ) {
            let mut text = words.join(&mark);
            text.insert(place.index(text.len() + 1), digit);
            prop_assert_eq!(is_plain_id(text.as_bytes()), !text.starts_with('-'));
            prop_assert!(!is_missing_in_any_dress(&text), "{}", text);
            prop_assert_eq!(is_missing_word(text.as_bytes()), text == "-1", "{}", text);
        }

        #[test]
        fn a_number_in_marks_is_an_id(number in 100_u64.., prefix in "[A-Z]{0,3}-?") {
            for (open, close) in [("{", "}"), ("<", ">"), ("*", "*"), ("#", "#"), ("__", "__"), ("$", "$"), ("@", "@"), ("[", "]")] {
                let text = [open, &prefix, &number.to_string(), close].concat();
                prop_assert!(!is_missing_value(&text), "{}", text);
            }
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
