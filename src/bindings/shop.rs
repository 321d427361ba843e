//! Shops' webhooks and networks' postbacks for JavaScript.

use super::to_integer;
use crate::delivery::{postback, shop};
use crate::{Error, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A shop whose webhooks are accepted; see [`shop::Shop`]. Shows no secret.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Shop(shop::Shop);

#[wasm_bindgen]
impl Shop {
    /// A shop on `shopify`, `woocommerce` or `stripe`; `settings` are JSON.
    ///
    /// # Errors
    /// Those of [`shop::Shop::new`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "wasm-bindgen hands lists over by value"
    )]
    #[wasm_bindgen(constructor)]
    pub fn new(platform: &str, secrets: Vec<String>, settings: &str) -> Result<Self, JsValue> {
        let secrets = secrets.iter().map(String::as_str);
        Ok(Self(shop::Shop::new(platform, secrets, settings)?))
    }

    /// The ids by which refunds of a signed order may know it; see [`shop::Shop::order_ids`].
    #[must_use]
    #[wasm_bindgen(js_name = orderIds)]
    pub fn order_ids(&self, body: &[u8]) -> Vec<String> {
        self.0.order_ids(body)
    }

    /// When the platform has said what a signed webhook says; see [`shop::Shop::as_of_ms`].
    #[must_use]
    #[wasm_bindgen(js_name = asOfMs)]
    #[expect(
        clippy::cast_precision_loss,
        reason = "JavaScript's times are such numbers"
    )]
    pub fn as_of_ms(&self, body: &[u8]) -> Option<f64> {
        self.0.as_of_ms(body).map(|ms| ms as f64)
    }

    /// The click that a signed order itself names; see [`shop::Shop::order_click`].
    #[must_use]
    #[wasm_bindgen(js_name = orderClick)]
    pub fn order_click(&self, body: &[u8]) -> Option<String> {
        self.0.order_click(body)
    }

    /// Reads a webhook, and returns the verdict as JSON; see [`shop::Verdict`].
    ///
    /// # Errors
    /// [`Error::Internal`], which no webhook can cause.
    pub fn read(
        &self,
        signature: &str,
        topic: &str,
        body: &[u8],
        now_ms: f64,
    ) -> Result<String, JsValue> {
        let verdict = self.0.read(&shop::Webhook {
            signature,
            topic,
            body,
            now_ms: to_integer(now_ms),
        });
        Ok(serde_json::to_string(&verdict).map_err(|_| Error::Internal)?)
    }
}

/// A source of postbacks; see [`postback::Postback`]. Shows no secret.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Postback(postback::Postback);

#[wasm_bindgen]
impl Postback {
    /// Takes the secrets and the settings, which are JSON.
    ///
    /// # Errors
    /// Those of [`postback::Postback::new`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "wasm-bindgen hands lists over by value"
    )]
    #[wasm_bindgen(constructor)]
    pub fn new(secrets: Vec<String>, settings: &str) -> Result<Self, JsValue> {
        let secrets = secrets.iter().map(String::as_str);
        Ok(Self(postback::Postback::new(secrets, settings)?))
    }

    /// The conversion as JSON; `undefined` where the request has no secret of this postback.
    ///
    /// # Errors
    /// Those of [`postback::Postback::open`].
    pub fn read(
        &self,
        path_secret: &str,
        query: &str,
        form: &str,
    ) -> Result<Option<String>, JsValue> {
        Ok(self.0.open(&postback::Request {
            path_secret,
            query,
            form,
        })?)
    }
}
