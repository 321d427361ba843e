//! Transaction ids: the advertiser's own ids of a sale, its unique id and its order id.

use crate::{Error, Result, click_id};

/// The word of CAKE's manual that people forget to replace.
const PLACEHOLDER: &str = "TRANSACTION_ID";

/// Is this 1 to 128 characters of `[A-Za-z0-9._:-]`, the alphabet of click ids?
pub(crate) fn is_transaction_id(text: &str) -> bool {
    click_id::is_click_id(text)
}

/// Is this the manual's word, in any case? Every sale would have the same id.
pub(crate) fn is_placeholder(text: &str) -> bool {
    text.eq_ignore_ascii_case(PLACEHOLDER)
}

/// Checks a transaction id of the caller's; `parameter` is its name there.
///
/// # Errors
/// [`Error::PlaceholderText`], [`Error::InvalidUniqueId`].
pub(crate) fn check(parameter: &'static str, text: &str) -> Result<()> {
    if is_placeholder(text) {
        Err(Error::PlaceholderText { parameter })
    } else if is_transaction_id(text) {
        Ok(())
    } else {
        Err(Error::InvalidUniqueId { parameter })
    }
}
