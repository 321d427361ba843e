//! Reads an answer of CAKE's, by the platform's streams. Its time and size are limited.

use crate::api::{
    ApiKey, MAX_ERROR_BODY_BYTES, has_body, has_message, redact_failure, retry_after_ms,
};
use crate::{Error, Result};
use js_sys::{Array, Date, Function, JsString, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal};

#[wasm_bindgen]
extern "C" {
    // Timers are numbers in some runtimes, objects in others.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(run: &Function, ms: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    // web-sys's `decode` returns a Rust string, which would copy every row.
    #[wasm_bindgen(js_name = TextDecoder)]
    type Decoder;

    #[wasm_bindgen(constructor, catch, js_class = "TextDecoder")]
    fn new(label: &str, options: &Object) -> Result<Decoder, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn decode(this: &Decoder, chunk: &Uint8Array, options: &Object) -> Result<JsString, JsValue>;
}

/// An answer with its body, as the platform's text: 2 MB of rows need not pass through our memory.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) body: JsString,
    pub(super) retry_after_ms: Option<u64>,
    /// The `Date` header, in milliseconds since 1970.
    #[cfg_attr(
        not(feature = "client"),
        expect(dead_code, reason = "the doctor compares clocks by it")
    )]
    pub(super) date_ms: Option<u64>,
}

/// The bounds of an answer.
pub(super) struct Bounds<'a> {
    /// The timeout for head and body together, in milliseconds.
    pub(super) timeout_ms: u32,
    /// The most bytes of the body.
    pub(super) limit: u32,
    /// The caller's signal to abort.
    pub(super) signal: Option<&'a AbortSignal>,
    /// The key, which no error may hold.
    pub(super) key: Option<&'a ApiKey>,
}

/// How long an error's body is awaited: its status says the most.
const ERROR_BODY_MS: u32 = 1_000;

/// How many nested causes of a failure are read.
const MAX_CAUSES: usize = 4;

pub(super) fn is_aborted(signal: Option<&AbortSignal>) -> bool {
    signal.is_some_and(AbortSignal::aborted)
}

/// Reads an answer to its end, within `deadline`. `is_own` says that it is the platform's, which
/// obeys the deadline's signal.
///
/// # Errors
/// [`Error::Network`], [`Error::AnswerTooLarge`], [`Error::UnexpectedAnswer`].
pub(super) async fn receive(
    response: &JsValue,
    bounds: &Bounds<'_>,
    deadline: &Deadline,
    is_own: bool,
) -> Result<Received> {
    // Fields are read by name, not by type: the Response of a caller's own `fetch` may come from
    // another realm. Its errors must not pass through wasm.
    if !response.is_object() {
        return Err(no_response("no object"));
    }
    if get(response, "type")?.as_string().as_deref() == Some("error") {
        return Err(no_response("Response.error()"));
    }
    let status = get(response, "status")?
        .as_f64()
        .and_then(whole_ms)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or_else(|| no_response("an object without a status"))?;
    let now_ms = whole_ms(Date::now()).unwrap_or_default();
    let header = |name: &str| {
        let headers = get(response, "headers").ok()?;
        call(&headers, "get", &name.into()).ok()?.as_string()
    };
    let as_ms = |text: &str| whole_ms(Date::parse(text));
    let date = header("date");
    let retry_after_ms = header("retry-after")
        .and_then(|text| retry_after_ms(&text, date.as_deref(), as_ms, now_ms));
    let date_ms = date.as_deref().and_then(as_ms);
    let body = get(response, "body")?;
    if body.is_undefined() {
        return Err(no_response("an object without a body"));
    }
    let body = if !body.is_object() {
        JsString::from("")
    } else if has_message(status) {
        // A failure to read the message is ignored: the status is the answer.
        let soon = Deadline::new(ERROR_BODY_MS.min(bounds.timeout_ms), bounds.signal)?;
        let mut text = JsString::from("");
        let _ = read_body(&body, MAX_ERROR_BODY_BYTES, &soon, bounds.key, &mut text).await;
        text
    } else if !has_body(status) {
        ignore(call(&body, "cancel", &JsValue::UNDEFINED));
        JsString::from("")
    } else if is_own && is_short(&header, bounds.limit) {
        read_at_once(response, bounds, deadline).await?
    } else {
        let mut text = JsString::from("");
        read_body(&body, bounds.limit, deadline, bounds.key, &mut text).await?;
        text
    };
    Ok(Received {
        status,
        body,
        retry_after_ms,
        date_ms,
    })
}

/// Does a header say that the body is within the limit? A packed body may become longer.
fn is_short(header: &impl Fn(&str) -> Option<String>, limit: u32) -> bool {
    let length = header("content-length").and_then(|text| text.parse::<u32>().ok());
    length.is_some_and(|length| length <= limit) && header("content-encoding").is_none()
}

/// Reads a body whose length is known in one turn of the event loop, where a stream takes three.
async fn read_at_once(
    response: &JsValue,
    bounds: &Bounds<'_>,
    deadline: &Deadline,
) -> Result<JsString> {
    let bytes = Promise::resolve(&call(response, "arrayBuffer", &JsValue::UNDEFINED)?);
    let bytes = deadline
        .wait(&bytes, true)
        .await
        .map_err(|thrown| failure(&thrown, bounds.key))?;
    let decoder = Decoder::new("utf-8", &flag("fatal")).map_err(|_| Error::Internal)?;
    decoder
        .decode(&Uint8Array::new(&bytes), &Object::new())
        .map_err(|_| garbled())
}

/// Options with this one set.
fn flag(name: &str) -> Object {
    let options = Object::new();
    // Setting a property of a fresh plain object cannot fail.
    let _ = Reflect::set(&options, &name.into(), &JsValue::TRUE);
    options
}

/// The error of a body in another encoding.
pub(super) fn garbled() -> Error {
    Error::UnexpectedAnswer {
        message: "CAKE's answer is not UTF-8".to_owned(),
    }
}

/// Reads the body into `text` as it streams in, and stops beyond `limit` bytes.
async fn read_body(
    stream: &JsValue,
    limit: u32,
    deadline: &Deadline,
    key: Option<&ApiKey>,
    text: &mut JsString,
) -> Result<()> {
    let decoder = Decoder::new("utf-8", &flag("fatal")).map_err(|_| Error::Internal)?;
    let is_partial = flag("stream");
    let reader = call(stream, "getReader", &JsValue::UNDEFINED)
        .map_err(|_| no_response("a body that is no stream, or has been read"))?;
    let mut bytes = 0_u32;
    let read = async {
        loop {
            let next = call(&reader, "read", &JsValue::UNDEFINED)?;
            let next = deadline
                .race(&Promise::resolve(&next))
                .await
                .map_err(|thrown| failure(&thrown, key))?;
            if get(&next, "done")?.is_truthy() {
                let rest = decoder.decode(&Uint8Array::new_with_length(0), &Object::new());
                *text = text.concat(rest.map_err(|_| garbled())?.as_ref());
                return Ok(());
            }
            let chunk = get(&next, "value")?;
            let length = get(&chunk, "byteLength")?.as_f64().and_then(whole_ms);
            let length = length.and_then(|length| u32::try_from(length).ok());
            bytes = bytes.saturating_add(length.ok_or(Error::network())?);
            let chunk: &Uint8Array = chunk.unchecked_ref();
            if bytes > limit {
                // An error's words come at the start.
                let fits = chunk.length().saturating_sub(bytes - limit);
                if let Ok(part) = decoder.decode(&chunk.subarray(0, fits), &is_partial) {
                    *text = text.concat(part.as_ref());
                }
                return Err(Error::AnswerTooLarge);
            }
            let part = decoder.decode(chunk, &is_partial);
            *text = text.concat(part.map_err(|_| garbled())?.as_ref());
        }
    };
    let result = read.await;
    if result.is_err() {
        ignore(call(&reader, "cancel", &JsValue::UNDEFINED));
    }
    result
}

/// The platform's words about a request that failed: the messages and codes of the error and its
/// causes. An example is `fetch failed: connect ECONNREFUSED 10.0.0.1:443`.
pub(super) fn failure(thrown: &JsValue, key: Option<&ApiKey>) -> Error {
    let mut said: Vec<String> = Vec::new();
    let mut thrown = thrown.clone();
    for _ in 0..MAX_CAUSES {
        if let Some(text) = thrown.as_string() {
            said.push(text);
        }
        // With Node's happy eyeballs the message is empty, and the code has the reason.
        let words = ["message", "code"]
            .iter()
            .filter_map(|name| get(&thrown, name).ok()?.as_string())
            .find(|text| !text.trim().is_empty());
        said.extend(words);
        match get(&thrown, "cause") {
            Ok(cause) if cause.is_object() || cause.is_string() => thrown = cause,
            _ => break,
        }
    }
    said.dedup();
    Error::Network {
        cause: redact_failure(&said.join(": "), key),
    }
}

/// The error where something else came in place of an answer: a caller's own `fetch` may return anything.
fn no_response(came: &str) -> Error {
    Error::Network {
        cause: ["fetch returned no Response, but ", came].concat(),
    }
}

/// Drops a connection without waiting. Its failure must still be handled.
fn ignore(cancelled: Result<JsValue>) {
    if let Ok(cancelled) = cancelled {
        let cancelled = Promise::resolve(&cancelled);
        spawn_local(async move { drop(JsFuture::from(cancelled).await) });
    }
}

fn get(object: &JsValue, name: &str) -> Result<JsValue> {
    if !object.is_object() {
        return Err(Error::network());
    }
    Reflect::get(object, &name.into()).map_err(|_| Error::network())
}

fn call(object: &JsValue, name: &str, argument: &JsValue) -> Result<JsValue> {
    let function: Function = get(object, name)?
        .dyn_into()
        .map_err(|_| Error::network())?;
    function
        .call1(object, argument)
        .map_err(|_| Error::network())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn whole_ms(number: f64) -> Option<u64> {
    (0.0..9e15).contains(&number).then_some(number as u64)
}

/// The end of a request, answered or not: by its timeout or by the caller's signal. It wires plain
/// functions of the platform together, so no closure of ours can outlive it.
pub(super) struct Deadline {
    controller: AbortController,
    /// Resolves at the deadline.
    reached: Promise,
    abort: Function,
    timer: JsValue,
    signal: Option<AbortSignal>,
}

impl Deadline {
    pub(super) fn new(ms: u32, signal: Option<&AbortSignal>) -> Result<Self> {
        let internal = |_| Error::Internal;
        let controller = AbortController::new().map_err(internal)?;
        let abort: Function = Reflect::get(&controller, &"abort".into())
            .map_err(internal)?
            .unchecked_into();
        let abort = abort.bind0(&controller);
        let own = controller.signal();
        let reached = Promise::new(&mut |resolve, _reject| {
            let _ = own.add_event_listener_with_callback("abort", &resolve);
        });
        if let Some(signal) = signal {
            if signal.aborted() {
                controller.abort();
            }
            let _ = signal.add_event_listener_with_callback("abort", &abort);
        }
        // `AbortSignal.timeout` is not used: Node does not stay alive for it.
        let timer = set_timeout(&abort, f64::from(ms));
        Ok(Self {
            controller,
            reached,
            abort,
            timer,
            signal: signal.cloned(),
        })
    }

    /// The signal that fires at the deadline.
    #[cfg(feature = "client")]
    pub(super) fn own_signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// Resolves at the deadline.
    #[cfg(feature = "client")]
    pub(super) fn reached(&self) -> Promise {
        self.reached.clone()
    }

    pub(super) fn is_reached(&self) -> bool {
        self.controller.signal().aborted()
    }

    /// Waits for `promise`, but not beyond the deadline. A promise that obeys the signal needs no
    /// race.
    pub(super) async fn wait(
        &self,
        promise: &Promise,
        heeds_signal: bool,
    ) -> Result<JsValue, JsValue> {
        if !heeds_signal {
            return self.race(promise).await;
        }
        let value = JsFuture::from(promise.clone()).await?;
        if self.is_reached() {
            return Err(JsValue::UNDEFINED);
        }
        Ok(value)
    }

    /// Waits for the first of both: a caller's own `fetch` need not obey the signal.
    async fn race(&self, promise: &Promise) -> Result<JsValue, JsValue> {
        let both = Promise::race(&Array::of2(promise, &self.reached));
        let value = JsFuture::from(both).await?;
        if self.is_reached() {
            return Err(JsValue::UNDEFINED);
        }
        Ok(value)
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        clear_timeout(&self.timer);
        if let Some(signal) = &self.signal {
            let _ = signal.remove_event_listener_with_callback("abort", &self.abort);
        }
    }
}
