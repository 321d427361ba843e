//! An operator's secret, for JavaScript.

use super::to_integer;
use crate::delivery::session;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// An operator's secret; see [`session::OperatorKey`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct OperatorKey(session::OperatorKey);

#[wasm_bindgen]
impl OperatorKey {
    /// Takes the secret.
    ///
    /// # Errors
    /// Those of [`session::OperatorKey::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(secret: &str) -> Result<Self, JsValue> {
        Ok(Self(session::OperatorKey::new(secret)?))
    }

    /// Is this the secret?
    #[must_use]
    #[wasm_bindgen(js_name = isSecret)]
    pub fn is_secret(&self, given: &str) -> bool {
        self.0.is_secret(given)
    }

    /// The cookie value of a session until `expires_s`.
    #[must_use]
    pub fn sign(&self, expires_s: f64, random: u32) -> String {
        self.0.sign(to_integer(expires_s), random)
    }

    /// The number of the session in a `Cookie` header; `undefined` without one.
    #[must_use]
    pub fn find(&self, cookies: &str, name: &str, now_ms: f64) -> Option<String> {
        let number = self.0.find(cookies, name, to_integer(now_ms));
        number.map(str::to_owned)
    }
}
