//! Secrets as files, forms and environments deliver them.

#[cfg(feature = "signed")]
use crate::{Error, Result};
#[cfg(feature = "signed")]
use hmac::{Hmac, KeyInit};
#[cfg(feature = "signed")]
use sha2::Sha256;

/// A secret without its surroundings: the line end of a file, white space of a form, a byte order
/// mark. All secrets are trimmed alike, API keys and cookie secrets too. Two parts that share a
/// secret then agree on its bytes.
#[must_use]
pub(crate) fn trimmed(secret: &str) -> &str {
    secret.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}

/// The keys of HMAC-SHA256 from secrets of `min_bytes` or more, [`trimmed`], in their order.
///
/// # Errors
/// [`Error::WeakSecret`] where there is no secret, or one is shorter.
#[cfg(feature = "signed")]
pub(crate) fn hmac_keys<'a>(
    secrets: impl IntoIterator<Item = &'a str>,
    min_bytes: usize,
) -> Result<Vec<Hmac<Sha256>>> {
    let keys: Vec<_> = secrets
        .into_iter()
        .map(|secret| {
            let secret = trimmed(secret);
            Hmac::new_from_slice(secret.as_bytes())
                .ok()
                .filter(|_| secret.len() >= min_bytes)
                .ok_or(Error::WeakSecret)
        })
        .collect::<Result<_>>()?;
    if keys.is_empty() {
        Err(Error::WeakSecret)
    } else {
        Ok(keys)
    }
}
