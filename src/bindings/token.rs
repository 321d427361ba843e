//! Conversion tokens for JavaScript.
#![expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over owned values"
)]

use super::to_integer;
use crate::conversion_token::Token;
use crate::signed_cookie::SigningKeys;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Signs a token with the newest secret; see [`Token::sign`]. `nonce` is 16 hexadecimal digits.
///
/// # Errors
/// [`crate::Error::WeakSecret`], and those of [`Token::sign`].
#[wasm_bindgen(js_name = signToken)]
pub fn sign_token(
    secrets: Vec<String>,
    offer_id: f64,
    click_id: &str,
    origin: &str,
    nonce: &str,
    now_ms: f64,
) -> Result<String, JsValue> {
    let keys = SigningKeys::new(secrets.iter().map(String::as_str))?;
    let token = Token {
        offer_id: to_integer(offer_id),
        click_id,
        origin,
        nonce,
    };
    Ok(token.sign(&keys, to_integer(now_ms))?)
}

/// Opens a body with a token, as JSON; `undefined` where it has no token. See
/// [`crate::delivery::tokened::open`].
///
/// # Errors
/// [`crate::Error::WeakSecret`], and those of [`crate::delivery::tokened::open`].
#[cfg(feature = "forwarder")]
#[wasm_bindgen(js_name = openTokened)]
pub fn open_tokened(
    secrets: Vec<String>,
    body: &str,
    now_ms: f64,
) -> Result<Option<String>, JsValue> {
    let keys = SigningKeys::new(secrets.iter().map(String::as_str))?;
    let opened = crate::delivery::tokened::open(&keys, body, to_integer(now_ms))?;
    Ok(opened.map(|opened| opened.to_json()))
}
