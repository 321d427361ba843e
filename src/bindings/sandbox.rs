//! The sandbox's rules for the Durable Object that keeps its rows.

use super::whole;
use crate::Error;
use crate::sandbox::{ClickRow, Network, Rows};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A CAKE network's rules; see [`Network`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct SandboxNetwork(Network);

#[wasm_bindgen]
impl SandboxNetwork {
    /// Opens a network from its fixture's JSON.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(fixture: &str, api_key: &str) -> Result<Self, JsValue> {
        Ok(Self(Network::new(fixture, api_key)?))
    }

    /// Decides on a click; see [`Network::click`].
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn click(&self, url: &str, click_id: &str, now_ms: f64) -> Result<JsValue, JsValue> {
        to_js(&self.0.click(url, click_id, whole(now_ms)))
    }

    /// Answers Get Click; see [`Network::get_click`].
    ///
    /// # Errors
    /// `internal` where the row is not one of ours.
    #[wasm_bindgen(js_name = getClick)]
    pub fn get_click(&self, url: &str, click: JsValue) -> Result<JsValue, JsValue> {
        let click: Option<ClickRow> = from_js(click)?;
        to_js(&self.0.get_click(url, click.as_ref()))
    }

    /// Decides on Record Conversion; see [`Network::record_conversion`].
    ///
    /// # Errors
    /// `internal` where a row is not one of ours.
    #[wasm_bindgen(js_name = recordConversion)]
    pub fn record_conversion(
        &self,
        url: &str,
        rows: JsValue,
        now_ms: f64,
    ) -> Result<JsValue, JsValue> {
        let rows: Rows = from_js(rows)?;
        to_js(&self.0.record_conversion(url, &rows, whole(now_ms)))
    }
}

/// Which rows a request needs; see [`Network::lookup`].
///
/// # Errors
/// None that a caller can cause.
#[wasm_bindgen]
pub fn lookup(url: &str) -> Result<JsValue, JsValue> {
    to_js(&Network::lookup(url))
}

fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|_| Error::Internal.into())
}

/// Rows go into SQLite: what is absent is `null` there.
fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = Serializer::new().serialize_missing_as_null(true);
    value
        .serialize(&serializer)
        .map_err(|_| Error::Internal.into())
}
