//! Conversion tokens: permission to report one conversion, for frames and workers whose origin is
//! `null` and so proves nothing. A page of the site, or the site's own Worker, gets the token from
//! a secret's owner and hands it to the frame.
//!
//! A token is a signed value (see [`crate::signed_cookie`]) under a name that no cookie has:
//! `OFFER!CLICK!ORIGIN!NONCE.EXPIRES.SIGNATURE`. It is bound to an offer, a click and the origin
//! that it was issued to. Its receiver stores the nonce, so that it serves one event.

use crate::signed_cookie::SigningKeys;
use crate::url::push_number;
use crate::{Error, Result, click_id};

/// The life of a token, in milliseconds.
pub const LIFE_MS: u64 = 900_000;

/// The most that the issuer's clock may be ahead, in milliseconds.
const AHEAD_MS: u64 = 60_000;

/// The name under which tokens are signed. A cookie's name has no space.
const NAME: &str = "cake conversion token";

const MAX_ORIGIN: usize = 261;

/// The permission of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The offer that the conversion belongs to.
    pub offer_id: u64,
    /// The click that led to the conversion.
    pub click_id: &'a str,
    /// The origin that the token was issued to, such as `https://shop.example`.
    pub origin: &'a str,
    /// 16 hexadecimal digits: no two tokens are alike.
    pub nonce: &'a str,
}

/// The reason why a text is no usable token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// None of the secrets has signed it: it is forged, cut, or from another deployment.
    Forged,
    /// Its 15 minutes are over.
    Expired,
    /// It expires later than a token may: the issuer's clock is ahead.
    Early,
}

impl<'a> Token<'a> {
    /// Signs the token. It is valid for [`LIFE_MS`] from `now_ms`, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::InvalidId`], [`Error::InvalidClickId`], [`Error::PlaceholderText`] and
    /// [`Error::InvalidField`] for an invalid field; the last one also for a nonce.
    pub fn sign(&self, keys: &SigningKeys, now_ms: u64) -> Result<String> {
        let Self {
            offer_id,
            click_id,
            origin,
            nonce,
        } = *self;
        if offer_id == 0 || offer_id > crate::link::MAX_ID {
            return Err(Error::InvalidId {
                parameter: "offerId",
            });
        }
        click_id::check(click_id)?;
        if !is_origin(origin) {
            return Err(Error::InvalidField {
                parameter: "origin".to_owned(),
                rule: "must be an exact origin such as https://shop.example, without a path"
                    .to_owned(),
            });
        }
        if !is_nonce(nonce) {
            return Err(Error::Internal);
        }
        let mut value = String::with_capacity(click_id.len() + origin.len() + 36);
        push_number(&mut value, offer_id, 10);
        for part in [click_id, origin, nonce] {
            value.push('!');
            value.push_str(part);
        }
        Ok(keys.sign(NAME, &value, now_ms + LIFE_MS))
    }

    /// Reads a token that one of the secrets has signed, whether it is valid at `now_ms` or not.
    ///
    /// # Errors
    /// [`Flaw`].
    pub fn read(keys: &SigningKeys, text: &'a str, now_ms: u64) -> Result<Self, Flaw> {
        let (value, expires_s) = keys.open(NAME, text).ok_or(Flaw::Forged)?;
        let mut parts = value.split('!');
        let mut part = || parts.next().unwrap_or_default();
        let token = Self {
            offer_id: part().parse().map_err(|_| Flaw::Forged)?,
            click_id: part(),
            origin: part(),
            nonce: part(),
        };
        let seconds = now_ms / 1_000;
        if seconds >= expires_s {
            Err(Flaw::Expired)
        } else if expires_s > seconds + (LIFE_MS + AHEAD_MS) / 1_000 {
            Err(Flaw::Early)
        } else {
            Ok(token)
        }
    }
}

/// Is this an origin as browsers write it? The check is only as strict as a token needs: no mark of
/// a token is in it.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    text.len() <= MAX_ORIGIN
        && host.is_some_and(|host| {
            let is_part = |byte: u8| {
                matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b':' | b'-' | b'_' | b'[' | b']')
            };
            !host.is_empty() && host.bytes().all(is_part)
        })
}

fn is_nonce(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 16 && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_781_879_400_000;
    const TOKEN: Token<'static> = Token {
        offer_id: 12_345,
        click_id: "13b9ae60-4f60-4c9e-bf75-626dca035acf",
        origin: "https://shop.example",
        nonce: "0123456789abcdef",
    };

    fn keys(secret: &str) -> SigningKeys {
        SigningKeys::new([secret]).unwrap()
    }

    #[test]
    fn a_token_is_valid_for_fifteen_minutes() {
        let keys = keys("a token's secret of 32 bytes or more");
        let text = TOKEN.sign(&keys, NOW).unwrap();
        for (at, expected) in [
            (NOW, Ok(TOKEN)),
            (NOW + LIFE_MS - 1, Ok(TOKEN)),
            (NOW + LIFE_MS, Err(Flaw::Expired)),
            (NOW - AHEAD_MS, Ok(TOKEN)),
            (NOW - AHEAD_MS - 1_000, Err(Flaw::Early)),
        ] {
            assert_eq!(Token::read(&keys, &text, at), expected, "{at}");
        }
    }

    #[test]
    fn a_cookie_is_no_token_and_a_token_no_cookie() {
        let keys = keys("one secret of 32 bytes for both of them");
        let token = TOKEN.sign(&keys, NOW).unwrap();
        for name in ["cake_click", "__Host-cake_click", "cake"] {
            assert_eq!(keys.verify(name, &token, NOW), None);
            let cookie = keys.sign(name, "12345!a!https://a!0123456789abcdef", NOW + LIFE_MS);
            assert_eq!(Token::read(&keys, &cookie, NOW), Err(Flaw::Forged));
        }
    }

    #[test]
    fn what_has_no_place_in_a_token_is_refused() {
        let keys = keys("a token's secret of 32 bytes or more");
        let code = |token: Token<'_>| token.sign(&keys, NOW).map_err(|error| error.code());
        for (token, expected) in [
            (
                Token {
                    offer_id: 0,
                    ..TOKEN
                },
                "invalid_id",
            ),
            (
                Token {
                    offer_id: crate::link::MAX_ID + 1,
                    ..TOKEN
                },
                "invalid_id",
            ),
            (
                Token {
                    click_id: "a!b",
                    ..TOKEN
                },
                "invalid_click_id",
            ),
            (
                Token {
                    click_id: "undefined",
                    ..TOKEN
                },
                "placeholder_text",
            ),
            (
                Token {
                    nonce: "0123",
                    ..TOKEN
                },
                "internal",
            ),
        ] {
            assert_eq!(code(token), Err(expected), "{token:?}");
        }
        for origin in [
            "",
            "null",
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://shop.example!",
            "https://Shop.example",
            "ftp://shop.example",
            "https://shop.example;x=y",
        ] {
            assert_eq!(code(Token { origin, ..TOKEN }), Err("invalid_field"));
        }
    }

    proptest! {
        #[test]
        fn no_other_text_is_a_token(noise in "\\PC{0,200}", at in 0usize..140, byte in 33u8..126) {
            let keys = keys("a token's secret of 32 bytes or more");
            prop_assert_eq!(Token::read(&keys, &noise, NOW), Err(Flaw::Forged));
            let text = TOKEN.sign(&keys, NOW).unwrap();
            let mut bytes = text.clone().into_bytes();
            if let Some(one) = bytes.get_mut(at) {
                *one = byte;
            }
            let changed = String::from_utf8(bytes).unwrap();
            if changed != text {
                prop_assert_eq!(Token::read(&keys, &changed, NOW), Err(Flaw::Forged));
            }
        }
    }
}
