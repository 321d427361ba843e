//! The edge: CAKE's API for JavaScript.

use super::fetch::{Received, send};
use super::milliseconds;
use crate::api::{Account, Answer, get_click, record_conversion};
use crate::click::{DEFAULT_KEY, Keeping, LandingParameters, find_click};
use crate::cookie::{SetCookie, find_cookie};
use crate::{Error, delivery};
use js_sys::{Function, JSON};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A client of CAKE's API. Holds the key; shows nothing of it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    account: Account,
    fetch: Option<Function>,
    timeout_ms: u32,
}

#[wasm_bindgen]
impl Client {
    /// Opens a client; see [`Account::new`]. `fetch` stands in for the global one.
    ///
    /// # Errors
    /// Those of [`Account::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        base_url: &str,
        api_key: &str,
        fetch: Option<Function>,
        timeout_ms: u32,
    ) -> Result<Self, JsValue> {
        let account = Account::new(base_url, api_key)?;
        Ok(Self {
            account,
            fetch,
            timeout_ms,
        })
    }

    /// Get Click: the click, or `undefined`.
    ///
    /// # Errors
    /// Those of [`get_click::request`] and [`get_click::read`], and of the network.
    #[wasm_bindgen(js_name = getClick)]
    pub async fn get_click(&self, click_id: String) -> Result<JsValue, JsValue> {
        let request = get_click::request(&self.account, &click_id)?;
        let received = send(&request, self.fetch.as_ref(), self.timeout_ms).await?;
        match get_click::read(received.answer())? {
            Some(click) => to_js(&click),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Record Conversion, sent once.
    ///
    /// # Errors
    /// Those of [`record_conversion::request`] and [`record_conversion::read`];
    /// [`Error::OutcomeUnknown`] where no answer came.
    #[wasm_bindgen(js_name = recordConversion)]
    pub async fn record_conversion(&self, params: JsValue) -> Result<JsValue, JsValue> {
        let params = from_js(&params)?;
        let request = record_conversion::request(&self.account, &params)?;
        let received = send(&request, self.fetch.as_ref(), self.timeout_ms)
            .await
            .map_err(|_| Error::OutcomeUnknown)?;
        to_js(&record_conversion::read(received.answer())?)
    }
}

impl Received {
    fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            body: &self.body,
        }
    }
}

/// The click id that counts for a request, and the cookie to set where it is
/// new: `{ clickId, setCookie }`, each `undefined` where there is none.
///
/// # Errors
/// None that a caller can cause.
#[wasm_bindgen(js_name = captureClick)]
pub fn capture_click(
    url: &str,
    cookies: &str,
    now_ms: f64,
    is_secure: bool,
) -> Result<JsValue, JsValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Captured {
        click_id: Option<String>,
        set_cookie: Option<String>,
    }
    let found = find_click(url, &LandingParameters::default());
    let kept = Keeping::default().keep(
        found.as_ref(),
        &[find_cookie(cookies, DEFAULT_KEY)],
        milliseconds(now_ms),
    );
    let cookie = SetCookie {
        max_age_seconds: kept.max_age_seconds,
        is_secure,
        ..SetCookie::new(DEFAULT_KEY, &kept.text)
    };
    let is_due = kept.max_age_seconds.is_some();
    let set_cookie = is_due.then(|| cookie.build()).transpose()?;
    to_js(&Captured {
        click_id: kept.click_id,
        set_cookie,
    })
}

/// Reads a conversion that a caller handed to the forwarder; see
/// [`delivery::read_event`].
///
/// # Errors
/// Those of [`delivery::read_event`].
#[wasm_bindgen(js_name = readEvent)]
pub fn read_event(body: &str) -> Result<JsValue, JsValue> {
    to_js(&delivery::read_event(body)?)
}

/// Reads a caller's object. By way of JSON, because `serde_wasm_bindgen` passes
/// over unknown fields, and a misspelt `uniqueId` must not.
fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<T, Error> {
    let refused = |rule: String| Error::InvalidField {
        parameter: "params".into(),
        rule,
    };
    let text = JSON::stringify(value)
        .ok()
        .and_then(|text| text.as_string())
        .ok_or_else(|| refused("must be an object".into()))?;
    serde_json::from_str(&text).map_err(|error| refused(format!("are not valid: {error}")))
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    // What is absent is `undefined`, not `null`.
    let serializer = Serializer::new().serialize_missing_as_null(false);
    value
        .serialize(&serializer)
        .map_err(|_| Error::Internal.into())
}
