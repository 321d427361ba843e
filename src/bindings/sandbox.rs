//! The sandbox's rules for the JavaScript that keeps its rows. Rows cross as JSON text, with one
//! copy each way, in the form of the platform's own parser.

use crate::Error;
use crate::sandbox::access::Visitor;
use crate::sandbox::history::{History, HistoryRequest};
use crate::sandbox::{
    Action, Balance, FiredRow, IncomingRequest, Network, Numbers, Rows, Sum, owed, status,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A CAKE network's rules; see [`Network`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct SandboxNetwork {
    network: Network,
    history: Option<History>,
}

#[wasm_bindgen]
impl SandboxNetwork {
    /// Opens a network; see [`Network::new`]. `allowed_hosts` is a JSON array.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(fixture: &str, api_key: &str, allowed_hosts: &str) -> Result<Self, JsValue> {
        let allowed_hosts: Vec<String> = from_json(allowed_hosts)?;
        Ok(Self {
            network: Network::new(fixture, api_key, &allowed_hosts)?,
            history: None,
        })
    }

    /// A step of a decision; see [`Network::decide`].
    ///
    /// # Errors
    /// `internal` where the call or a row is not one of ours.
    pub fn decide(&self, call: &str, rows: &str) -> Result<String, JsValue> {
        let call: IncomingRequest = from_json(call)?;
        let rows: Rows = from_json(rows)?;
        to_json(&self.network.decide(&call, &rows))
    }

    /// The fault that the next request to `path` meets; see [`Network::next_fault`].
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(js_name = nextFault)]
    pub fn next_fault(&mut self, path: &str, random: f64) -> Result<Option<String>, JsValue> {
        Action::at(path)
            .and_then(|action| self.network.next_fault(action, random))
            .map(|fault| to_json(&fault))
            .transpose()
    }

    /// See [`Network::has_faults`].
    #[must_use]
    #[wasm_bindgen(js_name = hasFaults)]
    pub fn has_faults(&self) -> bool {
        self.network.has_faults()
    }

    /// See [`Network::faults`].
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn faults(&self) -> Result<String, JsValue> {
        to_json(&self.network.faults())
    }

    /// See [`Network::set_faults`].
    ///
    /// # Errors
    /// `invalid_fixture`.
    #[wasm_bindgen(js_name = setFaults)]
    pub fn set_faults(&mut self, json: &str) -> Result<(), JsValue> {
        Ok(self.network.set_faults(json)?)
    }

    /// See [`Network::fixture`].
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn fixture(&self) -> Result<String, JsValue> {
        to_json(self.network.fixture())
    }

    /// Probable mistakes in the fixture, as a JSON array of sentences; see
    /// [`Fixture::warnings`](crate::sandbox::Fixture::warnings).
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn warnings(&self) -> Result<String, JsValue> {
        to_json(&self.network.fixture().warnings())
    }

    /// The query of a tracking link that leads to a landing page, such as `a=67890&c=12`;
    /// `undefined` where the fixture has none.
    #[must_use]
    #[wasm_bindgen(js_name = sampleQuery)]
    pub fn sample_query(&self) -> Option<String> {
        let (affiliate_id, creative_id) = self.network.fixture().sample_link()?;
        Some(format!("a={affiliate_id}&c={creative_id}"))
    }

    /// See [`Network::settings`].
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn settings(&self) -> Result<String, JsValue> {
        to_json(self.network.settings())
    }

    /// See [`Network::set_settings`].
    ///
    /// # Errors
    /// `invalid_fixture`.
    #[wasm_bindgen(js_name = setSettings)]
    pub fn set_settings(&mut self, json: &str) -> Result<(), JsValue> {
        Ok(self.network.set_settings(json)?)
    }

    /// The log's row after an attempt; a `status` of 0 stands for no answer.
    ///
    /// # Errors
    /// `internal` where the row is not one of ours.
    pub fn attempted(&self, row: &str, status: u16, now_ms: f64) -> Result<String, JsValue> {
        let row: FiredRow = from_json(row)?;
        let status = Some(status).filter(|status| *status != 0);
        to_json(
            &self
                .network
                .attempted(row, status, super::to_integer(now_ms)),
        )
    }

    /// The balances of the affiliates, each and together; see [`Network::balances`] and
    /// [`Network::owed`].
    ///
    /// # Errors
    /// `internal` where the sums are not ours.
    pub fn accounts(&self, sums: JsValue) -> Result<JsValue, JsValue> {
        let sums: Vec<Sum> = serde_wasm_bindgen::from_value(sums).map_err(|_| Error::Internal)?;
        // The balances are few and small, so they cross as objects.
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        let accounts = Accounts {
            owed: owed(&sums),
            balances: self.network.balances(&sums),
        };
        accounts
            .serialize(&serializer)
            .map_err(|_| Error::Internal.into())
    }

    /// Begins a history; see [`Network::begin_history`].
    ///
    /// # Errors
    /// `invalid_field`, `invalid_fixture`.
    #[wasm_bindgen(js_name = beginHistory)]
    pub fn begin_history(&mut self, request: &str, now_ms: f64, next: &str) -> Result<(), JsValue> {
        let request: HistoryRequest =
            serde_json::from_str(request).map_err(|error| Error::InvalidField {
                parameter: "history".to_owned(),
                rule: format!("is not readable: {error}"),
            })?;
        let next: Numbers = from_json(next)?;
        self.history = Some(self.network.begin_history(
            &request,
            super::to_integer(now_ms),
            next,
        )?);
        Ok(())
    }

    /// The next part of the history, or nothing where none was begun.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(js_name = continueHistory)]
    pub fn continue_history(&mut self, clicks: u32) -> Result<Option<String>, JsValue> {
        let Some(history) = &mut self.history else {
            return Ok(None);
        };
        let batch = self.network.continue_history(history, clicks.into());
        if batch.is_last {
            self.history = None;
        }
        to_json(&batch).map(Some)
    }
}

#[derive(Serialize)]
struct Accounts {
    owed: String,
    balances: Vec<Balance>,
}

/// The possible moves of a conversion in each status; see [`status::moves`].
///
/// # Errors
/// None that a caller can cause.
#[wasm_bindgen(js_name = statusMoves)]
pub fn status_moves() -> Result<String, JsValue> {
    to_json(&status::moves())
}

/// The access that a visitor has; see [`Visitor::access`].
///
/// # Errors
/// `internal` where the visitor is not described in the expected form.
#[wasm_bindgen(js_name = accessOf)]
pub fn access_of(visitor: &str) -> Result<String, JsValue> {
    let visitor: Visitor = from_json(visitor)?;
    to_json(&visitor.access())
}

fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, JsValue> {
    serde_json::from_str(json).map_err(|_| Error::Internal.into())
}

fn to_json(value: &impl Serialize) -> Result<String, JsValue> {
    serde_json::to_string(value).map_err(|_| Error::Internal.into())
}
