//! The advertiser's own references, unique ids and order ids: which text is one.

use crate::{Error, Result, click};

/// The text of CAKE's manual that people leave in their links.
const PLACEHOLDER: &str = "TRANSACTION_ID";

/// Checks a unique id or order id; `parameter` names it in the error.
///
/// # Errors
/// [`Error::PlaceholderText`] where it is the manual's own word, which every
/// order would have alike; [`Error::InvalidUniqueId`] for any other text that
/// is none, an e-mail address among them.
pub fn check(parameter: &'static str, text: &str) -> Result<()> {
    if text.eq_ignore_ascii_case(PLACEHOLDER) {
        return Err(Error::PlaceholderText { parameter });
    }
    if !click::is_click_id(text) {
        return Err(Error::InvalidUniqueId { parameter });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_no_placeholder_and_no_address() {
        for (text, code) in [
            ("TRANSACTION_ID", "placeholder_text"),
            ("transaction_id", "placeholder_text"),
            ("jane@example.com", "invalid_unique_id"),
            ("", "invalid_unique_id"),
            ("a b", "invalid_unique_id"),
        ] {
            assert_eq!(check("uniqueId", text).unwrap_err().code(), code, "{text}");
        }
        assert_eq!(check("uniqueId", "ORD-98765"), Ok(()));
    }
}
