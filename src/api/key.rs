//! The API key, and its absence from everything that is shown.

use super::redact::{REDACTED, redact};
use crate::{Error, Result};
use core::fmt;

/// The most characters of CAKE's own words that an error repeats.
const SHOWN: usize = 200;

/// The most characters that are searched for the key.
pub(super) const LOOKED_INTO: usize = 4_096;

/// An API key. It cannot be printed: `Debug` says `ApiKey(…)`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    /// Takes a key as CAKE shows it. Surrounding white space, such as the line end of a secrets
    /// file, is removed.
    ///
    /// # Errors
    /// [`Error::MissingApiKey`] where it is empty or white space.
    pub(crate) fn new(key: &str) -> Result<Self> {
        let key = crate::secret::trimmed(key);
        if key.is_empty() {
            return Err(Error::MissingApiKey);
        }
        Ok(Self(key.to_owned()))
    }

    /// The key itself, for a request and for nothing else.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without the key in any spelling. The key may be escaped for a URL, HTML or a script,
    /// several times over, or be in base64 or hexadecimal at any offset.
    #[must_use]
    pub(crate) fn redact(&self, text: &str) -> String {
        // A text this short is no key of CAKE's, and occurs in every text.
        if self.0.len() < 4 {
            return text.to_owned();
        }
        redact(text, &self.0)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// CAKE's own words as an error may show them: on one line, without the key,
/// at most 200 characters.
pub(super) fn redact_and_truncate(text: &str, key: Option<&ApiKey>) -> String {
    // The key is looked for before the text is cut, so that no half of it stays.
    let is_cut = text.chars().nth(LOOKED_INTO).is_some();
    let words: String = text
        .chars()
        .take(LOOKED_INTO)
        .filter(|character| !steers(*character) || *character == '\n')
        .map(|character| if character == '\n' { ' ' } else { character })
        .collect();
    let mut words = match key {
        Some(key) => key.redact(&words),
        None => words,
    };
    // A text of many keys may shrink until its end is shown, where half a key may stand.
    if is_cut && words.chars().count() <= SHOWN {
        words.truncate(words.rfind(REDACTED).map_or(0, |at| at + REDACTED.len()));
    }
    let mut shown: String = words.trim().chars().take(SHOWN).collect();
    if shown.len() < words.trim().len() {
        shown.push('…');
    }
    shown
}

/// Does a character steer a terminal, or the direction of the words around it?
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A platform's message about a failed request, as an error may show it: without the key, and
/// without every URL, which contains the key.
#[must_use]
pub(crate) fn redact_failure(text: &str, key: Option<&ApiKey>) -> String {
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| {
            let is_address = word.contains("//") || word.contains('?') || word.contains("api_key");
            if is_address { "(the URL)" } else { word }
        })
        .collect();
    redact_and_truncate(&words.join(" "), key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_missing_key_is_refused_and_a_line_end_is_no_part_of_it() {
        for key in ["", "  ", "\n", "\u{feff}"] {
            assert_eq!(ApiKey::new(key), Err(Error::MissingApiKey));
        }
        for key in ["abc\n", "\u{feff}abc", " abc\r\n", "\tabc"] {
            assert_eq!(ApiKey::new(key).unwrap().reveal(), "abc");
        }
    }

    #[test]
    fn the_key_is_redacted_in_every_spelling() {
        let key = ApiKey::new("CANARY-k/9=z").unwrap();
        for text in [
            "Invalid API key: CANARY-k/9=z",
            "at ?api_key=CANARY-k%2F9%3Dz&x",
            "at ?api_key=CANARY%2dk%2f9%3dz&x",
            "at ?api_key=canary-k/9=z&x",
            "Basic Q0FOQVJZLWsvOT16",
        ] {
            let shown = redact_and_truncate(text, Some(&key));
            assert!(!shown.to_lowercase().contains("canary"), "{shown}");
            assert!(!shown.contains("Q0FOQVJZLWsvOT16"), "{shown}");
        }
    }

    #[test]
    fn the_key_is_redacted_before_the_text_is_cut() {
        let key = ApiKey::new("CANARYCANARY").unwrap();
        let text = format!("{}CANARYCANARY", "x".repeat(195));
        assert!(!redact_and_truncate(&text, Some(&key)).contains("CAN"));
    }

    #[test]
    fn words_of_cake_steer_neither_a_terminal_nor_the_direction_of_text() {
        let words = "no \u{1b}[2J\u{202e}elas\u{202c} \u{2066}of\u{2069}\u{61c}\u{200f}\nit";
        assert_eq!(redact_and_truncate(words, None), "no [2Jelas of it");
        let key = ApiKey::new("CANARY-k/9=z").unwrap();
        assert!(!redact_and_truncate("CANARY\u{202e}-k/9=z", Some(&key)).contains("CAN"));
    }

    #[test]
    fn no_half_of_a_key_is_left_where_the_text_ends_within_one() {
        let key = ApiKey::new(&"CANARY0123456789".repeat(13)).unwrap();
        for spelling in [
            key.reveal().to_owned(),
            key.reveal().replace('C', "%2525252543"),
        ] {
            let shown = redact_and_truncate(&spelling.repeat(60), Some(&key));
            assert!(!shown.to_ascii_uppercase().contains("ANARY"), "{shown}");
        }
    }

    #[test]
    fn the_message_of_a_platform_comes_without_the_url() {
        let key = ApiKey::new("CANARY-k9").unwrap();
        for (said, shown) in [
            (
                "fetch failed: connect ECONNREFUSED 127.0.0.1:1",
                "fetch failed: connect ECONNREFUSED 127.0.0.1:1",
            ),
            (
                "request to https://x.example/api/2/click.json?api_key=CANARY-k9 failed",
                "request to (the URL) failed",
            ),
            (
                "Failed to parse \"//x.example/?a=1\"",
                "Failed to parse (the URL)",
            ),
            ("the key CANARY-k9 it was", "the key [api_key] it was"),
        ] {
            assert_eq!(redact_failure(said, Some(&key)), shown);
        }
    }

    proptest! {
        #[test]
        fn no_text_around_it_brings_the_key_through(
            before in ".{0,250}", after in ".{0,20}", key in "[!-~]{4,40}"
        ) {
            let known = ApiKey::new(&key).unwrap();
            let shown = redact_and_truncate(&format!("{before}{key}{after}"), Some(&known));
            prop_assert!(!shown.contains(&key) || "[held the API key]…[api_key]".contains(&key));
        }
    }
}
