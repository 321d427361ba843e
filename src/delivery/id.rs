//! Hashes of texts that are secret, or too long to pass on: 128 bits in hexadecimal digits.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// How many bytes of a digest count.
const BYTES: usize = 16;

/// The hash of a text, by SHA-256.
#[must_use]
pub(crate) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Hashes by HMAC-SHA256, which need the key. `Debug` shows nothing of the key.
#[derive(Clone, Debug)]
pub(crate) struct IdKey(Hmac<Sha256>);

impl IdKey {
    /// Takes the key, which may be any text.
    ///
    /// # Errors
    /// [`crate::Error::Internal`], which no key can cause: HMAC takes a key of any length.
    pub(crate) fn new(key: &str) -> crate::Result<Self> {
        Hmac::new_from_slice(key.as_bytes())
            .map(Self)
            .map_err(|_| crate::Error::Internal)
    }

    /// The hash of a text.
    #[must_use]
    pub(crate) fn hash(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

fn hex(digest: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    digest
        .iter()
        .take(BYTES)
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_beginnings_of_sha_256_and_hmac() {
        // FIPS 180-2, B.1; RFC 4231, test case 2.
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223");
        let key = IdKey::new("Jefe").unwrap();
        assert_eq!(
            key.hash("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c7"
        );
        assert_eq!(hash("").len(), 32);
        assert_ne!(IdKey::new("").unwrap().hash("a"), key.hash("a"));
        assert!(!format!("{key:?}").contains("Jefe"));
    }
}
