//! An operator's secret, and the sessions that it signs for browsers: `NUMBER.SIGNATURE`. The
//! number is the expiry in seconds since 1970, of 10 digits, and 10 random digits; the signature is
//! HMAC-SHA256, base64url.

use super::secrets::Secrets;
use crate::Result;
use crate::cookie::find_cookies;
use base64ct::{Base64UrlUnpadded, Encoding};

/// The length of a session's number, and of the expiry in it.
const NUMBER: usize = 20;
const EXPIRY: usize = 10;

/// No session is longer, in seconds. One that ends later was begun while the clock was ahead.
const LONGEST_S: u64 = 86_400;

/// Comes before the number in the signed text, which no other signature of the secret begins with.
const SIGNED: &[u8] = b"cake-edge operator ";

/// An operator's secret. `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub(crate) struct OperatorKey(Secrets);

impl OperatorKey {
    /// Takes the secret, and trims white space around it.
    ///
    /// # Errors
    /// [`crate::Error::WeakSecret`] for an empty one.
    pub(crate) fn new(secret: &str) -> Result<Self> {
        Secrets::new([secret]).map(Self)
    }

    /// Is this the secret? The comparison takes constant time.
    pub(crate) fn is_secret(&self, given: &str) -> bool {
        self.0.contains(crate::secret::trimmed(given))
    }

    /// The cookie value of a session until `expires_s`, in seconds since 1970. `random` tells
    /// sessions of one second apart.
    pub(crate) fn sign(&self, expires_s: u64, random: u32) -> String {
        let number = format!("{expires_s:0EXPIRY$}{random:0EXPIRY$}");
        let signature = self.0.sign(&[SIGNED, number.as_bytes()]);
        [&number, ".", &Base64UrlUnpadded::encode_string(&signature)].concat()
    }

    /// The number of the session in a `Cookie` header under this name, where the secret signed it
    /// and it has neither expired nor a day left. The comparison takes constant time.
    pub(crate) fn find<'a>(&self, cookies: &'a str, name: &str, now_ms: u64) -> Option<&'a str> {
        find_cookies(cookies, name).find_map(|value| {
            let (number, signature) = value.split_once('.')?;
            let is_number =
                number.len() == NUMBER && number.bytes().all(|byte| byte.is_ascii_digit());
            let expires_s: u64 = number.get(..EXPIRY)?.parse().ok()?;
            let mut bytes = [0; 32];
            let signature = Base64UrlUnpadded::decode(signature, &mut bytes).ok()?;
            let is_ours = self.0.verify(&[SIGNED, number.as_bytes()], signature);
            let left_s = expires_s.checked_sub(now_ms / 1_000)?;
            (is_number && is_ours && (1..=LONGEST_S).contains(&left_s)).then_some(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "an operator's secret of 32 bytes or more";
    const NOW_MS: u64 = 1_781_879_400_000;
    const EXPIRES_S: u64 = NOW_MS / 1_000 + 60;

    #[test]
    fn a_session_is_the_signers_until_it_expires() {
        let key = OperatorKey::new(SECRET).unwrap();
        let value = key.sign(EXPIRES_S, 7);
        // Python's hmac computed the signature.
        assert_eq!(
            value,
            "17818794600000000007.GuLpLXJDbhGN09ydfyLYoElXBegSwylZw3_Z_EKaWmU"
        );
        let header = ["a=b; cake_operator=x; cake_operator=", &value].concat();
        let number = key.find(&header, "cake_operator", NOW_MS);
        assert_eq!(number, Some("17818794600000000007"));
        for (header, name, now_ms) in [
            (&*header, "cake_operator", EXPIRES_S * 1_000),
            // The clock was ahead by two days at the sign-in.
            (&*header, "cake_operator", NOW_MS - 2 * 86_400_000),
            (&*header, "__Host-cake_operator", NOW_MS),
            ("", "cake_operator", NOW_MS),
        ] {
            assert_eq!(key.find(header, name, now_ms), None, "{header} {name}");
        }
        let other = OperatorKey::new("another secret of 32 bytes or more").unwrap();
        assert_eq!(other.find(&header, "cake_operator", NOW_MS), None);
        assert_eq!(format!("{key:?}"), "OperatorKey(Secrets(…))");
    }

    #[test]
    fn no_other_number_has_the_signature() {
        let key = OperatorKey::new(SECRET).unwrap();
        let value = key.sign(EXPIRES_S, 7);
        let (number, signature) = value.split_once('.').unwrap();
        for changed in [
            value.replacen('1', "2", 1),
            [number, ".", &signature.to_lowercase()].concat(),
            [number, "."].concat(),
            number.to_owned(),
            [".", signature].concat(),
            ["1", &value].concat(),
            [&value, "="].concat(),
        ] {
            let header = ["c=", &changed].concat();
            assert_eq!(key.find(&header, "c", NOW_MS), None, "{changed}");
        }
    }

    #[test]
    fn the_secret_is_known_by_all_of_it() {
        let key = OperatorKey::new(&[" ", SECRET, "\n"].concat()).unwrap();
        assert!(key.is_secret(SECRET) && key.is_secret(&[SECRET, " "].concat()));
        for other in ["", " ", "an operator's secret", &SECRET.to_uppercase()] {
            assert!(!key.is_secret(other), "{other}");
        }
        assert!(OperatorKey::new(" ").is_err());
    }
}
