//! Signed cookie values: only the edge can have set a value that verifies. Conversion tokens are
//! signed in the same way, see [`crate::conversion_token`].
//!
//! `VALUE.EXPIRES.SIGNATURE`: the time is in seconds, base 36; the signature is HMAC-SHA256 over
//! `NAME=VALUE;EXPIRES`, base64url. A cookie's name and value cannot contain `=` or `;`, so that no
//! two cookies have the same signed text.

use crate::Result;
use crate::cookie::{find_cookies, former_values};
use crate::secret::hmac_keys;
use crate::url::push_number;
use base64ct::{Base64UrlUnpadded, Encoding};
use core::fmt;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The minimum length of a secret, in bytes.
pub(crate) const MIN_SECRET_BYTES: usize = 32;

/// The secrets, the newest first. The newest one signs and all of them verify, so that a secret can
/// be rotated. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct SigningKeys(Vec<Hmac<Sha256>>);

impl SigningKeys {
    /// Takes the secrets, the newest first, and trims white space such as the line end of a secrets
    /// file.
    ///
    /// # Errors
    /// [`crate::Error::WeakSecret`] where there is no secret, or one is shorter than 32 bytes.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        Ok(Self(hmac_keys(secrets, MIN_SECRET_BYTES)?))
    }

    /// Signs `value` for the cookie `name` until `expires_ms`, milliseconds
    /// since 1970.
    #[must_use]
    pub(crate) fn sign(&self, name: &str, value: &str, expires_ms: u64) -> String {
        let mut text = String::with_capacity(value.len() + 56);
        text.push_str(value);
        text.push('.');
        push_number(&mut text, expires_ms / 1_000, 36);
        let expires = text.get(value.len() + 1..).unwrap_or_default().to_owned();
        if let Some(key) = self.0.first() {
            let signature = signed(key, name, value, &expires).finalize().into_bytes();
            text.push('.');
            text.push_str(&Base64UrlUnpadded::encode_string(&signature));
        }
        text
    }

    /// The value, where one of the secrets signed it for `name` and it has not expired at `now_ms`.
    /// The comparison takes constant time.
    #[must_use]
    pub fn verify<'a>(&self, name: &str, text: &'a str, now_ms: u64) -> Option<&'a str> {
        let (value, expires_s) = self.open(name, text)?;
        (now_ms / 1_000 < expires_s).then_some(value)
    }

    /// The value and when it expires, in seconds since 1970, where one of the secrets signed it for
    /// `name`. The comparison takes constant time.
    #[must_use]
    pub(crate) fn open<'a>(&self, name: &str, text: &'a str) -> Option<(&'a str, u64)> {
        let (rest, signature) = text.rsplit_once('.')?;
        let (value, expires) = rest.rsplit_once('.')?;
        let mut bytes = [0; 32];
        let signature = Base64UrlUnpadded::decode(signature, &mut bytes).ok()?;
        let is_ours = self.0.iter().any(|key| {
            signed(key, name, value, expires)
                .verify_slice(signature)
                .is_ok()
        });
        let expires_s = u64::from_str_radix(expires, 36).ok()?;
        is_ours.then_some((value, expires_s))
    }
}

impl SigningKeys {
    /// The values that pass [`verify`](Self::verify), separated by semicolons, from all cookies of
    /// these names in a `Cookie` header. Browsers may send several cookies of one name.
    #[must_use]
    pub(crate) fn verify_all(&self, cookies: &str, names: &[&str], now_ms: u64) -> String {
        let mut values = String::new();
        for name in names {
            for value in find_cookies(cookies, name) {
                let mut push = |value: &str| {
                    let value = self.verify(name, value, now_ms);
                    if let Some(value) = value {
                        values.push(';');
                        values.push_str(value);
                    }
                    value.is_some()
                };
                if !push(value) {
                    let _ = former_values(value).iter().any(|former| push(former));
                }
            }
        }
        values
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(…)")
    }
}

fn signed(key: &Hmac<Sha256>, name: &str, value: &str, expires: &str) -> Hmac<Sha256> {
    let mut mac = key.clone();
    for part in [name, "=", value, ";", expires] {
        mac.update(part.as_bytes());
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use proptest::prelude::*;

    const OLD: &str = "an old secret of 32 bytes or more";
    const NEW: &str = "a newer secret of 32 bytes or more";
    const NOW: u64 = 1_781_879_400_000;

    fn keys(secrets: &[&'static str]) -> SigningKeys {
        SigningKeys::new(secrets.iter().copied()).unwrap()
    }

    #[test]
    fn the_form_is_fixed() {
        // An independent implementation (Python's hmac) computed the signature.
        let text = keys(&[OLD]).sign("cake_click", "1!x", NOW);
        assert_eq!(
            text,
            "1!x.tgvuy0.p0KDVXnz8c__MdG_BYfqum6Oq-b8qM54JfldkzepgSw"
        );
        assert_eq!(
            keys(&[OLD]).verify("cake_click", &text, NOW - 1),
            Some("1!x")
        );
    }

    #[test]
    fn secrets_can_be_rotated() {
        let old = keys(&[OLD]).sign("a", "x", NOW);
        assert_eq!(keys(&[NEW, OLD]).verify("a", &old, 0), Some("x"));
        let new = keys(&[NEW, OLD]).sign("a", "x", NOW);
        assert_eq!(keys(&[OLD]).verify("a", &new, 0), None);
    }

    #[test]
    fn another_name_value_or_time_is_refused() {
        let keys = keys(&[OLD]);
        let text = keys.sign("a", "x.y", NOW);
        assert_eq!(keys.verify("a", &text, NOW - 1_000), Some("x.y"));
        assert_eq!(keys.verify("a", &text, NOW), None);
        assert_eq!(keys.verify("b", &text, 0), None);
        for changed in [
            text.replace("x.y", "x.z"),
            text.replace("tgvuy0", "tgvuy1"),
            text.get(..text.len() - 1).unwrap().to_owned(),
            format!("{text}="),
            "x.y".into(),
            String::new(),
            "..".into(),
        ] {
            assert_eq!(keys.verify("a", &changed, 0), None, "{changed}");
        }
    }

    #[test]
    fn a_cookie_that_the_sites_server_has_set_again_verifies() {
        let keys = keys(&[NEW]);
        let value = "1!tgvuy0*tgvuy0!reqid!a:1.b!x%20y%2Bz";
        let text = keys.sign("a", value, NOW);
        for again in [
            text.clone(),
            // PHP's `setcookie($name, $_COOKIE[$name])`.
            text.replace('!', "%21")
                .replace('*', "%2A")
                .replace(':', "%3A"),
            text.replace('*', "%2a"),
            text.replace('%', "%25"),
            text.replace('%', "%25").replace('!', "%21"),
            text.replace("%20", " "),
        ] {
            let header = ["a=stale; a=", &again, "; b=c"].concat();
            let want = [";", value].concat();
            assert_eq!(keys.verify_all(&header, &["a"], 0), want, "{again}");
            assert_eq!(keys.verify_all(&header, &["a"], NOW), "", "{again}");
        }
        let other = text.replace("x%20y", "x%20z").replace('!', "%21");
        assert_eq!(keys.verify_all(&["a=", &other].concat(), &["a"], 0), "");
    }

    #[test]
    fn white_space_around_a_secret_is_no_part_of_it() {
        let signed = keys(&[NEW]).sign("n", "v", 9_000);
        for around in ["\n", "\r\n", " ", "\t", "\u{feff}"] {
            let secret = [around, NEW, around].concat();
            let padded = SigningKeys::new([secret.as_str()]).unwrap();
            assert_eq!(padded.sign("n", "v", 9_000), signed);
            let short = ["x", &around.repeat(40)].concat();
            assert_eq!(
                SigningKeys::new([short.as_str()]).unwrap_err(),
                Error::WeakSecret
            );
        }
    }

    #[test]
    fn weak_secrets_are_refused_and_none_is_shown() {
        assert_eq!(SigningKeys::new([]).unwrap_err(), Error::WeakSecret);
        assert_eq!(
            SigningKeys::new([OLD, "short"]).unwrap_err(),
            Error::WeakSecret
        );
        assert_eq!(format!("{:?}", keys(&[OLD])), "SigningKeys(…)");
    }

    proptest! {
        #[test]
        fn a_signed_value_verifies_and_noise_does_not(value in "[!-+\\--:<-\\[\\]-~]{0,40}", noise in "\\PC{0,90}") {
            let keys = keys(&[NEW, OLD]);
            let text = keys.sign("a", &value, NOW);
            prop_assert_eq!(keys.verify("a", &text, 0), Some(value.as_str()));
            prop_assert_eq!(keys.verify("a", &noise, 0), None);
        }
    }
}
