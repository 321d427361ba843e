//! The client of CAKE's API, for JavaScript. Values cross as JSON text, which the platform parses
//! faster than wasm can build objects. A page of clicks does not cross at all.

use super::fetch::{Sending, send, wait};
use super::received::{Bounds, Received, is_aborted};
use super::{number, random, to_integer};
use crate::api::{
    self, Account, Answer, Call, CallEvent, CallOutcome, CallSettings, RateLimiter, Services, Step,
    doctor, list_clicks, plain_body,
};
use crate::{Error, Result};
use js_sys::{Array, Date, Function, JSON, JsString, Object, Reflect};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

#[wasm_bindgen]
extern "C" {
    // js-sys's `JSON.parse` takes a Rust string, which would copy every row.
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    fn parse_json(text: &JsString) -> Result<JsValue, JsValue>;
}

/// A client of CAKE's API. It holds the key, and shows nothing of it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    account: Account,
    pace: RefCell<RateLimiter>,
    is_read_only: bool,
    services: Services,
    fetch: Option<Function>,
    on_request: Option<Function>,
    on_response: Option<Function>,
}

/// The caller's choices for one call.
struct Choices {
    retries: u32,
    timeout_ms: u32,
    verifies: bool,
    report_at_ms: Option<u64>,
    is_dry_run: bool,
    signal: Option<AbortSignal>,
}

/// A successful call's outcome, with the time of CAKE's answer.
struct Ended {
    outcome: CallOutcome,
    /// The rows of a page of clicks, as the platform parsed them.
    rows: JsValue,
    body: JsValue,
    date_ms: Option<u64>,
}

#[wasm_bindgen]
impl Client {
    /// Opens a client; see [`Account::new`]. `is_older` chooses the services of lists.
    /// `interval_ms` is the least time between two requests. `fetch` replaces the global one. The
    /// hooks are called with every request and with its result.
    ///
    /// # Errors
    /// Those of [`Account::new`].
    #[expect(clippy::too_many_arguments, reason = "one for each option")]
    #[wasm_bindgen(constructor)]
    pub fn new(
        base_url: &str,
        api_key: &str,
        is_read_only: bool,
        is_older: bool,
        interval_ms: f64,
        fetch: Option<Function>,
        on_request: Option<Function>,
        on_response: Option<Function>,
    ) -> Result<Self, JsValue> {
        Ok(Self {
            account: Account::new(base_url, api_key)?,
            pace: RefCell::new(RateLimiter::new(to_integer(interval_ms))),
            is_read_only,
            services: if is_older {
                Services::Older
            } else {
                Services::Young
            },
            fetch,
            on_request,
            on_response,
        })
    }

    /// Is this a sandbox's account? Its postbacks may call its own machine.
    #[must_use]
    #[wasm_bindgen(js_name = isSandbox)]
    pub fn is_sandbox(&self) -> bool {
        self.account.is_sandbox()
    }

    /// A text of CAKE's as a warning may show it, without the key; see [`Account::shown`].
    #[must_use]
    pub fn shown(&self, text: &str) -> String {
        self.account.shown(text)
    }

    /// Calls an action by its name in JavaScript, with its parameters as JSON; see
    /// [`api::Action::call`]. Returns the outcome as JSON. For a list it returns an array: that
    /// JSON, CAKE's own rows of clicks, and the answer's text. `verify` is `click`, `report` or
    /// `none`; `dry` checks a correction and does not send it.
    ///
    /// # Errors
    /// Those of the action.
    pub async fn call(
        &self,
        action: String,
        params: String,
        retries: u32,
        timeout_ms: u32,
        verify: String,
        signal: Option<AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let choices = Choices {
            retries,
            timeout_ms,
            verifies: verify != "none",
            is_dry_run: verify == "dry",
            report_at_ms: (verify == "report").then(|| to_integer(Date::now())),
            signal,
        };
        let action = api::Action::from_name(&action).ok_or(Error::Internal)?;
        let ended = self.run(action, self.services, &params, &choices).await?;
        let outcome = to_json(&ended.outcome)?;
        Ok(match action {
            api::Action::ListClicks
            | api::Action::ListConversions
            | api::Action::ListConversionReport
            | api::Action::ListConversionChanges => {
                let outcome = JsValue::from(outcome);
                // Older services' rows are returned in the one shape that callers know.
                let body = match action.services(self.services) {
                    Services::Young => &ended.body,
                    Services::Older => &outcome,
                };
                Array::of3(&outcome, &ended.rows, body).into()
            }
            _ => outcome.into(),
        })
    }

    /// Examines the account; see [`doctor::Examination`]. Returns the report as JSON.
    ///
    /// # Errors
    /// [`Error::Aborted`], [`Error::InvalidClickId`].
    pub async fn check(
        &self,
        click: Option<String>,
        retries: u32,
        timeout_ms: u32,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        let choices = Choices {
            retries,
            timeout_ms,
            verifies: false,
            report_at_ms: None,
            is_dry_run: false,
            signal,
        };
        let mut examination = doctor::Examination::new(click.as_deref())?;
        while let Some((action, services, params)) = examination.next() {
            let ended = self.run(action, services, &params, &choices).await;
            let date_ms = ended.as_ref().ok().and_then(|ended| ended.date_ms);
            let outcome = ended.map(|ended| ended.outcome);
            examination.record(outcome, date_ms, to_integer(Date::now()));
        }
        if is_aborted(choices.signal.as_ref()) {
            return Err(Error::Aborted.into());
        }
        Ok(to_json(&examination.report())?)
    }
}

impl Client {
    /// Carries a call out, step by step.
    async fn run(
        &self,
        action: api::Action,
        services: Services,
        params: &str,
        choices: &Choices,
    ) -> Result<Ended> {
        let settings = CallSettings {
            retries: choices.retries,
            verifies: choices.verifies,
            report_at_ms: choices.report_at_ms,
            is_read_only: self.is_read_only,
            services,
            now_ms: to_integer(Date::now()),
            timeout_ms: choices.timeout_ms,
            is_dry_run: choices.is_dry_run,
        };
        let mut call = action.call(&self.account, params, settings)?;
        let signal = choices.signal.as_ref();
        let mut rows = JsValue::UNDEFINED;
        let mut raw = JsValue::UNDEFINED;
        let mut date_ms = None;
        let mut attempt = 0;
        let mut step = call.start();
        loop {
            step = match step {
                Step::Wait(ms) => {
                    let event = if wait(ms, signal).await {
                        CallEvent::Waited
                    } else {
                        CallEvent::Aborted { is_sent: false }
                    };
                    call.next(event, random())
                }
                Step::Send(request) => {
                    attempt += 1;
                    let pause = self.pace.borrow_mut().reserve(to_integer(Date::now()));
                    if is_aborted(signal) || pause > 0 && !wait(pause, signal).await {
                        call.next(CallEvent::Aborted { is_sent: false }, random())
                    } else {
                        let received = self.send(&request, &call, choices, attempt).await;
                        match received {
                            Err(Error::Aborted) => {
                                call.next(CallEvent::Aborted { is_sent: true }, random())
                            }
                            Err(error) => call.next(CallEvent::Failed(error), random()),
                            Ok(received) => {
                                date_ms = received.date_ms;
                                let body;
                                (body, rows) = take_rows(&call, &received.body);
                                let body = plain_body(body);
                                let answer = Answer::new(received.status, &body)
                                    .with_account(&self.account)
                                    .with_retry_after_ms(received.retry_after_ms);
                                raw = received.body.into();
                                call.next(CallEvent::Answered(&answer), random())
                            }
                        }
                    }
                }
                Step::Done(outcome) => {
                    return Ok(Ended {
                        outcome,
                        rows,
                        body: raw,
                        date_ms,
                    });
                }
                Step::Fail(error) => return Err(error),
            };
        }
    }

    async fn send(
        &self,
        request: &api::Request,
        call: &Call,
        choices: &Choices,
        attempt: u32,
    ) -> Result<Received> {
        let told = Object::new();
        let tell = |name: &str, value: JsValue| {
            // Setting a property of a fresh plain object cannot fail.
            let _ = Reflect::set(&told, &name.into(), &value);
        };
        tell("method", request.method().into());
        tell("path", request.path().into());
        tell("query", request.query().into());
        tell("attempt", attempt.into());
        hook(self.on_request.as_ref(), &told);
        let start = Date::now();
        let sending = Sending {
            fetch: self.fetch.as_ref(),
            bounds: Bounds {
                timeout_ms: choices.timeout_ms,
                limit: call.body_limit(),
                signal: choices.signal.as_ref(),
                key: Some(self.account.key()),
            },
        };
        let received = send(&request.url_with_key(), request.body_with_key(), &sending).await;
        if self.on_response.is_some() {
            let told = Object::assign(&Object::new(), &told);
            let tell = |name: &str, value: JsValue| {
                let _ = Reflect::set(&told, &name.into(), &value);
            };
            tell("ms", (Date::now() - start).into());
            match &received {
                Ok(received) => tell("status", received.status.into()),
                Err(error) => tell("error", error.code().into()),
            }
            hook(self.on_response.as_ref(), &told);
        }
        received
    }
}

/// Calls a hook. Its errors are ignored: js/edge catches them first.
fn hook(hook: Option<&Function>, told: &Object) {
    if let Some(hook) = hook {
        let _ = hook.call1(&JsValue::UNDEFINED, told);
    }
}

/// The body as the core reads it. For a page of clicks, CAKE's own rows are taken out of it. The
/// platform's parser is three times as fast as our parser and the objects behind it.
fn take_rows(call: &Call, body: &JsString) -> (String, JsValue) {
    if call.action() == api::Action::ListClicks
        && call.services() == Services::Young
        && let Some(taken) = try_take_rows(body)
    {
        return taken;
    }
    (body.into(), JsValue::UNDEFINED)
}

fn try_take_rows(body: &JsString) -> Option<(String, JsValue)> {
    let parsed = parse_json(body).ok()?;
    // An error quotes the answer: any other than a plain yes is read whole.
    let status = Reflect::get(&parsed, &"request_status".into()).ok()?;
    if !status.is_undefined() && status.as_string().as_deref() != Some("Success") {
        return None;
    }
    let [response, clicks] = list_clicks::ROWS_PATH.map(JsValue::from);
    let response = Reflect::get(&parsed, &response).ok()?;
    let rows = Reflect::get(&response, &clicks).ok()?;
    if !Array::is_array(&rows) {
        return None;
    }
    Reflect::set(&response, &clicks, &JsValue::NULL).ok()?;
    Some((JSON::stringify(&parsed).ok()?.into(), rows))
}

/// Reads a page of clicks from the body of an answer, as JSON; see [`list_clicks::read`].
///
/// # Errors
/// Those of [`list_clicks::read`].
#[wasm_bindgen(js_name = readClicks)]
pub fn read_clicks(body: String) -> Result<String, JsValue> {
    let page = list_clicks::read(&Answer::new(200, &plain_body(body)))?;
    Ok(serde_json::to_string(&page).map_err(|_| Error::Internal)?)
}

/// Does an id name nothing, as zeros, marks and some words do? See [`api::named`].
#[must_use]
#[wasm_bindgen(js_name = namesNothing)]
pub fn names_nothing(id: &str) -> bool {
    api::named(id).is_none()
}

/// The state of reading a list; see [`Pager`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct Pager(api::Pager);

#[wasm_bindgen]
impl Pager {
    /// Starts; see [`Pager::new`].
    #[must_use]
    #[wasm_bindgen(constructor)]
    pub fn new(start_at_row: f64, row_limit: f64, max_rows: Option<f64>) -> Self {
        Self(api::Pager::new(
            to_integer(start_at_row),
            to_integer(row_limit),
            max_rows.map(to_integer),
        ))
    }

    /// `{ startAtRow, rowLimit }` of the next page; `undefined` where all rows have been read.
    ///
    /// # Errors
    /// Those of [`api::Pager::next_page`].
    pub fn next(&self) -> core::result::Result<JsValue, JsValue> {
        let Some((start_at_row, row_limit)) = self.0.next_page()? else {
            return Ok(JsValue::UNDEFINED);
        };
        let page = Object::new();
        let _ = Reflect::set(&page, &"startAtRow".into(), &number(start_at_row));
        let _ = Reflect::set(&page, &"rowLimit".into(), &number(row_limit));
        Ok(page.into())
    }

    /// The list's length, where the list has ended before it; else `undefined`. See [`api::Pager::unlisted`].
    #[must_use]
    pub fn unlisted(&self, read: f64) -> JsValue {
        self.0
            .unlisted(to_integer(read))
            .map_or(JsValue::UNDEFINED, number)
    }

    /// Records a page, and returns whether its rows are to be used; see [`Pager::read`].
    pub fn read(
        &mut self,
        rows: f64,
        new_rows: f64,
        new_gaps: f64,
        last_known: Option<f64>,
        total_rows: Option<f64>,
        is_repeated: bool,
    ) -> bool {
        self.0.read(api::PageRead {
            rows: to_integer(rows),
            new_rows: to_integer(new_rows),
            new_gaps: to_integer(new_gaps),
            last_known: last_known.map(to_integer),
            total_rows: total_rows.map(to_integer),
            is_repeated,
        })
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::Internal)
}
