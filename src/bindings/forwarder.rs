//! The forwarder for JavaScript: conversions read, attempts carried out.

use super::fetch::{Received, Sending, send};
use super::random;
use crate::api::json::push_string;
use crate::api::{Account, Answer};
use crate::delivery::event::{Caller, RequestBody, read};
use crate::delivery::outcome::AttemptState;
use crate::delivery::{CircuitBreaker, Event, Outcome, Route};
use crate::{Error, Result};
use js_sys::Function;
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// The most bytes of an answer that are read.
const ANSWER_LIMIT: u32 = 65_536;

/// Reads a body that a caller handed over; see [`read`]. Brings JSON: of one
/// conversion `{ key, claim, offerId, text }`; of several a list, in which a bad
/// one is `{ error: { code, rule, parameter, retryable } }`. A bad one by itself
/// is thrown.
///
/// `click_id` is the signed cookie's, or empty.
///
/// # Errors
/// Those of [`read`].
#[wasm_bindgen(js_name = readConversions)]
pub fn read_conversions(
    body: &str,
    account: &str,
    is_signed: bool,
    click_id: &str,
) -> Result<String, JsValue> {
    let caller = Caller {
        is_signed,
        click_id: Some(click_id).filter(|id| !id.is_empty()),
    };
    let mut out = String::with_capacity(2 * body.len() + 256);
    match read(body, caller)? {
        RequestBody::One(event) => push_event(&mut out, &event, account)?,
        RequestBody::Many(events) => {
            let mut mark = '[';
            for event in events {
                out.push(mark);
                mark = ',';
                match event {
                    Ok(event) => push_event(&mut out, &event, account)?,
                    Err(error) => push_error(&mut out, &error),
                }
            }
            out.push(']');
        }
    }
    Ok(out)
}

fn push_event(out: &mut String, event: &Event, account: &str) -> Result<()> {
    let text = event.text()?;
    for (name, value) in [
        ("{\"key\":", event.key(account).as_str()),
        (",\"claim\":", &event.claim(account)),
        (",\"text\":", &text),
    ] {
        out.push_str(name);
        push_string(out, value);
    }
    out.push_str(",\"offerId\":");
    crate::url::push_number(out, event.params().offer_id, 10);
    out.push('}');
    Ok(())
}

fn push_error(out: &mut String, error: &Error) {
    for (name, value) in [
        ("{\"error\":{\"code\":", error.code()),
        (",\"rule\":", error.rule()),
        (",\"parameter\":", error.parameter().unwrap_or_default()),
    ] {
        out.push_str(name);
        push_string(out, value);
    }
    out.push_str(",\"retryable\":false}}");
}

/// Makes attempts, one request each, and says what came of them. Holds the key;
/// shows nothing of it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Deliverer {
    route: Route,
    fetch: Option<Function>,
    timeout_ms: u32,
    breaker: RefCell<CircuitBreaker>,
}

#[wasm_bindgen]
impl Deliverer {
    /// Opens the way to CAKE: the API of an account, or, with a `pixel_domain`,
    /// that domain's `p.ashx`. `fetch` is used instead of the global one.
    ///
    /// # Errors
    /// Those of [`Account::new`] and of [`Route::pixel`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        base_url: &str,
        api_key: &str,
        pixel_domain: Option<String>,
        timeout_ms: u32,
        fetch: Option<Function>,
    ) -> Result<Self, JsValue> {
        let route = match pixel_domain {
            Some(domain) => Route::pixel(&domain)?,
            None => Route::Api(Account::new(base_url, api_key)?),
        };
        Ok(Self {
            route,
            fetch,
            timeout_ms,
            breaker: RefCell::default(),
        })
    }

    /// What tells this account's conversions from another's.
    #[must_use]
    pub fn account(&self) -> String {
        self.route.account().to_owned()
    }

    /// Makes one attempt for a stored event; `verify_first` has Get Click asked
    /// before. Brings the outcome as JSON; see [`Outcome::to_json`].
    ///
    /// # Errors
    /// None: what goes wrong is an outcome.
    pub async fn attempt(
        &self,
        text: String,
        accepted_at: String,
        attempts: u32,
        is_in_doubt: bool,
        verify_first: bool,
    ) -> Result<String, JsValue> {
        let mut before = AttemptState {
            attempts,
            is_in_doubt,
            random: random(),
        };
        let outcome = match Event::from_text(&text) {
            Err(error) => Outcome::from_failure(&error, before),
            Ok(event) => {
                let question = self.route.lookup_url(&event).filter(|_| verify_first);
                let known = match question {
                    Some(url) => {
                        let known = self.ask(&url, &event, before).await;
                        // It has not converted: that settles the doubt.
                        before.is_in_doubt &= known.is_some();
                        known
                    }
                    None => None,
                };
                match known {
                    Some(outcome) => outcome,
                    None => self.send(&event, &accepted_at, before).await,
                }
            }
        };
        let mut breaker = self.breaker.borrow_mut();
        breaker.record(outcome.signal, random());
        Ok(outcome.to_json(breaker.at_once(), breaker.stall_ms()))
    }
}

impl Deliverer {
    async fn send(&self, event: &Event, accepted_at: &str, before: AttemptState) -> Outcome {
        let received = match self.route.url(event, accepted_at) {
            Ok(url) => self.exchange(&url).await,
            Err(error) => Err(error),
        };
        match received {
            Ok(received) => {
                let body = String::from(&received.body);
                Outcome::from_answer(&self.route, &self.answer(&received, &body), before)
            }
            Err(error) => Outcome::from_failure(&error, before),
        }
    }

    async fn ask(&self, url: &str, event: &Event, before: AttemptState) -> Option<Outcome> {
        match self.exchange(url).await {
            Ok(received) => {
                let body = String::from(&received.body);
                let answer = self.answer(&received, &body);
                Outcome::from_lookup(&answer, &event.params().click_id, before)
            }
            Err(error) => Some(Outcome::from_failed_lookup(&error, before)),
        }
    }

    async fn exchange(&self, url: &str) -> Result<Received> {
        let sending = Sending {
            fetch: self.fetch.as_ref(),
            timeout_ms: self.timeout_ms,
            limit: ANSWER_LIMIT,
            signal: None,
        };
        send(url, None, &sending).await
    }

    fn answer<'a>(&'a self, received: &Received, body: &'a str) -> Answer<'a> {
        let answer =
            Answer::new(received.status, body).with_retry_after_ms(received.retry_after_ms);
        match &self.route {
            Route::Api(account) => answer.with_account(account),
            Route::Pixel(_) => answer,
        }
    }
}
