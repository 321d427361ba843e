//! Secrets of callers that are not our backends: shops' webhooks, networks' postbacks, operators.
//! HMAC-SHA256, compared in constant time.

use crate::Result;
use crate::secret::hmac_keys;
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The most signatures of one request that are checked.
const MAX_SIGNATURES: usize = 8;

/// The secrets, the newest first. Each of them verifies, so that a secret can be rotated. `Debug`
/// shows nothing of them.
#[derive(Clone)]
pub(crate) struct Secrets(Vec<Hmac<Sha256>>);

impl Secrets {
    /// Takes the secrets, and trims the white space around them.
    ///
    /// # Errors
    /// [`crate::Error::WeakSecret`] where there is none, or an empty one.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        Ok(Self(hmac_keys(secrets, 1)?))
    }

    /// The signature of these bytes, given in parts, by the newest secret.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut signature = [0; 32];
        if let Some(key) = self.0.first() {
            let mut mac = key.clone();
            for part in parts {
                mac.update(part);
            }
            signature = mac.finalize().into_bytes().into();
        }
        signature
    }

    /// Has one of the secrets signed these bytes, given in parts?
    pub(crate) fn verify(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        self.0.iter().any(|key| {
            let mut mac = key.clone();
            for part in parts {
                mac.update(part);
            }
            mac.verify_slice(signature).is_ok()
        })
    }

    /// Has one of the secrets signed these bytes by any of several signatures? There are several
    /// while a secret is rotated.
    pub(crate) fn verify_any(&self, parts: &[&[u8]], signatures: &[[u8; 32]]) -> bool {
        let mut signatures = signatures.iter().take(MAX_SIGNATURES);
        signatures.any(|signature| self.verify(parts, signature))
    }

    /// Is this one of the secrets? Compares signatures made with both, so that the time tells
    /// neither a secret nor its length.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let given: core::result::Result<Hmac<Sha256>, _> = Hmac::new_from_slice(text.as_bytes());
        // HMAC pads a short key with zeros, so a zero behind a secret would not count.
        !text.contains('\0')
            && given.is_ok_and(|mut mac| {
                mac.update(COMPARED);
                self.verify(&[COMPARED], &mac.finalize().into_bytes())
            })
    }
}

/// The text that both secrets sign to be compared.
const COMPARED: &[u8] = b"cake-edge";

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// A signature of 32 bytes in hexadecimal.
pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut signature = [0; 32];
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in signature.iter_mut().zip(text.as_bytes().chunks(2)) {
        let [high, low] = pair else { return None };
        *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_is_known_by_all_of_it() {
        let secrets = Secrets::new(["new secret", " old secret\n"]).unwrap();
        for known in ["new secret", "old secret"] {
            assert!(secrets.contains(known));
        }
        for other in ["", "new secre", "new secret ", "New secret", "new secret\0"] {
            assert!(!secrets.contains(other), "{other:?}");
        }
        assert_eq!(format!("{secrets:?}"), "Secrets(…)");
        for none in [&[][..], &[" "], &["right", ""]] {
            assert!(Secrets::new(none.iter().copied()).is_err());
        }
    }

    proptest! {
        #[test]
        fn hexadecimal_is_64_digits_and_nothing_else(text in "[0-9a-fA-F]{60,66}|\\PC{0,70}") {
            let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(from_hex(&text).is_some(), is_hex);
        }
    }
}
