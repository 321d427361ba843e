//! The API key, and its absence from everything that is shown.

use crate::url::{decode, push_encoded};
use crate::{Error, Result};
use core::fmt;

/// The most characters of CAKE's own words that an error repeats.
const SHOWN: usize = 200;

/// An API key. It cannot be printed: `Debug` says `ApiKey(…)`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key as CAKE shows it; white space around it, such as the line
    /// end of a secrets file, is left out.
    ///
    /// # Errors
    /// [`Error::MissingApiKey`] where it is empty or white space.
    pub fn new(key: &str) -> Result<Self> {
        let key = key.trim();
        if key.is_empty() {
            return Err(Error::MissingApiKey);
        }
        Ok(Self(key.to_owned()))
    }

    /// The key itself, for a request and for nothing else.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without the key, raw, percent- or base64-encoded.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        // What is this short is no key of CAKE's, and is in every text.
        if self.0.len() < 4 {
            return text.to_owned();
        }
        let mut encoded = String::new();
        push_encoded(&mut encoded, &self.0);
        let secrets = [self.0.clone(), encoded, base64(self.0.as_bytes())];
        let mut out = text.to_owned();
        for secret in &secrets {
            out = out.replace(secret.as_str(), "[api_key]");
        }
        // Another spelling of it, such as `%2d` for `-`: nothing is shown.
        let plain = decode(&out).to_ascii_lowercase();
        if plain.contains(&self.0.to_ascii_lowercase()) {
            return "[held the API key]".to_owned();
        }
        out
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
    let words: String = text
        .chars()
        .take(4_096)
        .filter(|character| !character.is_control() || *character == '\n')
        .map(|character| if character == '\n' { ' ' } else { character })
        .collect();
    let words = match key {
        Some(key) => key.redact(&words),
        None => words,
    };
    let mut shown: String = words.trim().chars().take(SHOWN).collect();
    if shown.len() < words.trim().len() {
        shown.push('…');
    }
    shown
}

/// Base64 without padding, so that a longer text's start is found too.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks_exact(3) {
        let word = chunk
            .iter()
            .fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for shift in [18, 12, 6, 0] {
            if let Some(digit) = DIGITS.get(word >> shift & 63) {
                out.push(char::from(*digit));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_missing_key_is_refused_and_a_line_end_is_no_part_of_it() {
        for key in ["", "  ", "\n"] {
            assert_eq!(ApiKey::new(key), Err(Error::MissingApiKey));
        }
        assert_eq!(ApiKey::new("abc\n").unwrap().reveal(), "abc");
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
