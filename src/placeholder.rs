//! Placeholders: texts that stand where a value belongs and say nothing, because
//! a program had no value or a template was never filled in.

use crate::url::cut;

/// The longest id that is looked at, in bytes: no click id is longer.
const MAX_BYTES: usize = 128;

/// Words that name a missing value, or ask for one.
const MISSING: &str = "undefined null nil none nan n/a true false unknown missing empty unset not invalid infinity no 0 \
    id number ref value name array object string your here insert replace placeholder todo xxx xxxx xxxxx";

/// Words that stand beside those in a manual: `YOUR_ORDER_ID`.
const BESIDE: &str = "order click transaction tx unique request req session sub aff affiliate offer set test me my the this with";

/// Does this stand for a missing value: `undefined`, `NaN`, `[object Object]`,
/// `0`, `REPLACE`, `CLICK_ID`, `YOUR_ORDER_ID`, `ORD-{{order.id}}`, or a macro
/// that nobody expanded, such as `#reqid#` and `__CLICKID__`? No id is one, and
/// as a unique id it is the same for every order.
///
/// A text is one where it consists of such words alone, whatever stands between
/// them, or where it still has a template's marks.
///
/// ```
/// use cake_edge::placeholder::is_missing_value;
///
/// assert!(is_missing_value("your-click-id"));
/// assert!(!is_missing_value("#1001"));
/// ```
#[must_use]
pub fn is_missing_value(text: &str) -> bool {
    has_template(text.as_bytes()) || has_no_other_word(text.as_bytes())
}

/// By bytes and without memory of its own: the page build has this.
fn has_no_other_word(text: &[u8]) -> bool {
    /// Nothing but marks so far; a word of [`MISSING`]; words of [`BESIDE`] alone.
    const MARKS: u8 = 1;
    const NAMED: u8 = 2;
    const OTHERS: u8 = 4;
    // What can stand before each place, and of which kind: words run together.
    let mut reached = [0_u8; MAX_BYTES + 1];
    if let Some(start) = reached.first_mut() {
        *start = MARKS;
    }
    for at in 0..text.len() {
        let before = reached.get(at).copied().unwrap_or_default();
        let Some([byte, ..]) = text.get(at..) else {
            return false;
        };
        if before == 0 {
            continue;
        }
        let mut reach = |length: usize, kind| {
            if let Some(place) = reached.get_mut(at + length) {
                *place |= kind;
            }
        };
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() {
            reach(1, before);
        }
        for (words, kind) in [(MISSING, NAMED), (BESIDE, before & NAMED | OTHERS)] {
            let mut rest = Some(words);
            while let Some(ahead) = rest {
                let (word, tail) = cut(ahead, b' ');
                let part = text.get(at..at + word.len()).unwrap_or_default();
                if part.eq_ignore_ascii_case(word.as_bytes()) {
                    reach(word.len(), kind);
                }
                rest = tail;
            }
        }
    }
    let whole = reached.get(text.len()).copied().unwrap_or_default();
    whole & (MARKS | NAMED) != 0
}

/// A macro as the whole text, or a template's marks anywhere in it.
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
    is_wrapped
        || text.windows(2).any(|pair| {
            matches!(
                pair,
                b"{{" | b"${" | b"#{" | b"%{" | b"<%" | b"<?" | b"%%" | b"[["
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
    fn what_is_longer_than_any_id_is_left_to_the_rule_of_length() {
        assert!(is_missing_value(&"0".repeat(128)));
        assert!(!is_missing_value(&"0".repeat(129)));
    }

    proptest! {
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
        fn what_stands_between_words_makes_no_difference(
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
