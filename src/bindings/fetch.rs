//! Carries a request of the core over to CAKE, by gloo-net, and brings the
//! answer back: in time, whole, and no larger than it may be.

use crate::api::{
    ApiKey, MAX_ERROR_BODY_BYTES, has_body, has_words, redact_failure, retry_after_ms,
};
use crate::{Error, Result};
use gloo_net::http::{Headers, Method, RequestBuilder};
use js_sys::{Array, Date, Function, JsString, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal, RequestCache, RequestRedirect};

#[wasm_bindgen]
extern "C" {
    // The platform's own. gloo-net's `send` would panic where `fetch` is a
    // caller's own whose Response is of another realm.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn global_fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;

    // Numbers in some runtimes, objects in others.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(run: &Function, ms: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    // web-sys's returns a String of ours: a copy of every row.
    #[wasm_bindgen(js_name = TextDecoder)]
    type Decoder;

    #[wasm_bindgen(constructor, catch, js_class = "TextDecoder")]
    fn new(label: &str, options: &Object) -> Result<Decoder, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn decode(this: &Decoder, chunk: &Uint8Array, options: &Object) -> Result<JsString, JsValue>;
}

/// An answer with its body read, as text of the platform's: 2 MB of rows need
/// not pass through our memory.
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

/// How to send.
pub(super) struct Sending<'a> {
    /// Stands in for the global `fetch`.
    pub(super) fetch: Option<&'a Function>,
    /// For head and body together.
    pub(super) timeout_ms: u32,
    /// The most bytes of the body.
    pub(super) limit: u32,
    /// The caller's.
    pub(super) signal: Option<&'a AbortSignal>,
    /// What no error may hold.
    pub(super) key: Option<&'a ApiKey>,
}

/// How long the words of an error are waited for: its status says the most.
const ERROR_BODY_MS: u32 = 1_000;

/// How deep the causes of a failure are followed.
const MAX_CAUSES: usize = 4;

/// Sends a GET, or a POST of a JSON body. Redirects are not followed: their target would see the key.
/// What `fetch` throws is kept as words, without the URL and the key that it may hold.
///
/// # Errors
/// [`Error::Network`], [`Error::Timeout`], [`Error::Aborted`],
/// [`Error::AnswerTooLarge`], [`Error::UnexpectedAnswer`].
pub(super) async fn send(url: &str, json: Option<&str>, sending: &Sending<'_>) -> Result<Received> {
    let deadline = Deadline::new(sending.timeout_ms, sending.signal)?;
    match exchange(url, json, sending, &deadline).await {
        Err(_) if is_aborted(sending.signal) => Err(Error::Aborted),
        Err(Error::Network { .. }) if deadline.is_reached() => Err(Error::Timeout),
        result => result,
    }
}

/// Waits. Says whether the caller's signal did not cut it short.
#[cfg(feature = "client")]
pub(super) async fn wait(ms: u64, signal: Option<&AbortSignal>) -> bool {
    if let Ok(deadline) = Deadline::new(u32::try_from(ms).unwrap_or(u32::MAX), signal) {
        let _ = JsFuture::from(deadline.reached.clone()).await;
    }
    !is_aborted(signal)
}

pub(super) fn is_aborted(signal: Option<&AbortSignal>) -> bool {
    signal.is_some_and(AbortSignal::aborted)
}

async fn exchange(
    url: &str,
    json: Option<&str>,
    sending: &Sending<'_>,
    deadline: &Deadline,
) -> Result<Received> {
    let network = |thrown| failure(&thrown, sending.key);
    let built = build(url, json, &deadline.controller.signal(), true)
        // Where a Worker's compatibility date is older than the option.
        .or_else(|_| build(url, json, &deadline.controller.signal(), false))?;
    let promise = match sending.fetch {
        None => global_fetch(&built),
        Some(fetch) => fetch
            .call1(&JsValue::UNDEFINED, &built)
            .map(|value| Promise::resolve(&value)),
    };
    let promise = promise.map_err(network)?;
    // The platform's own heeds the signal, for head and body; a caller's own need not.
    let is_own = sending.fetch.is_none();
    let response = deadline.wait(&promise, is_own).await.map_err(network)?;
    // By name and not by type: the Response of a caller's own `fetch` may come from another
    // realm, and what it throws must not pass through wasm.
    let status = get(&response, "status")?
        .as_f64()
        .and_then(whole_ms)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or(Error::network())?;
    let now_ms = whole_ms(Date::now()).unwrap_or_default();
    let header = |name: &str| {
        let headers = get(&response, "headers").ok()?;
        call(&headers, "get", &name.into()).ok()?.as_string()
    };
    let as_ms = |text: &str| whole_ms(Date::parse(text));
    let retry_after_ms =
        header("retry-after").and_then(|text| retry_after_ms(&text, as_ms(&text), now_ms));
    let date_ms = header("date").and_then(|text| as_ms(&text));
    let body = get(&response, "body")?;
    let body = if !body.is_object() {
        JsString::from("")
    } else if has_words(status) {
        // Whatever becomes of them: the status is the answer.
        let soon = Deadline::new(ERROR_BODY_MS.min(sending.timeout_ms), sending.signal)?;
        let mut text = JsString::from("");
        let _ = read_body(&body, MAX_ERROR_BODY_BYTES, &soon, sending.key, &mut text).await;
        text
    } else if !has_body(status) {
        ignore(call(&body, "cancel", &JsValue::UNDEFINED));
        JsString::from("")
    } else if is_own && is_short(&header, sending.limit) {
        read_at_once(&response, sending, deadline).await?
    } else {
        let mut text = JsString::from("");
        read_body(&body, sending.limit, deadline, sending.key, &mut text).await?;
        text
    };
    Ok(Received {
        status,
        body,
        retry_after_ms,
        date_ms,
    })
}

fn build(
    url: &str,
    json: Option<&str>,
    signal: &AbortSignal,
    sets_cache: bool,
) -> Result<web_sys::Request> {
    let mut builder = RequestBuilder::new(url)
        .redirect(RequestRedirect::Manual)
        .abort_signal(Some(signal));
    if sets_cache {
        builder = builder.cache(RequestCache::NoStore);
    }
    let built = match json {
        None => builder.build(),
        Some(body) => {
            let headers = Headers::new();
            headers.set("content-type", "application/json");
            builder.method(Method::POST).headers(headers).body(body)
        }
    };
    built.map(Into::into).map_err(|_| Error::network())
}

/// Does the answer say that its body is within the limit? Packed, it may become longer.
fn is_short(header: &impl Fn(&str) -> Option<String>, limit: u32) -> bool {
    let length = header("content-length").and_then(|text| text.parse::<u32>().ok());
    length.is_some_and(|length| length <= limit) && header("content-encoding").is_none()
}

/// Reads a body whose length is known in one turn of the event loop, where a stream takes three.
async fn read_at_once(
    response: &JsValue,
    sending: &Sending<'_>,
    deadline: &Deadline,
) -> Result<JsString> {
    let bytes = Promise::resolve(&call(response, "arrayBuffer", &JsValue::UNDEFINED)?);
    let bytes = deadline
        .wait(&bytes, true)
        .await
        .map_err(|thrown| failure(&thrown, sending.key))?;
    let decoder = Decoder::new("utf-8", &flag("fatal")).map_err(|_| Error::Internal)?;
    decoder
        .decode(&Uint8Array::new(&bytes), &Object::new())
        .map_err(garbled)
}

/// Options with this one.
fn flag(name: &str) -> Object {
    let options = Object::new();
    // Setting a property of a fresh plain object cannot fail.
    let _ = Reflect::set(&options, &name.into(), &JsValue::TRUE);
    options
}

fn garbled(_: JsValue) -> Error {
    Error::UnexpectedAnswer {
        message: "CAKE's answer is not UTF-8".to_owned(),
    }
}

/// Reads the body into `text` as it streams in, and stops where it grows beyond `limit`.
async fn read_body(
    stream: &JsValue,
    limit: u32,
    deadline: &Deadline,
    key: Option<&ApiKey>,
    text: &mut JsString,
) -> Result<()> {
    let decoder = Decoder::new("utf-8", &flag("fatal")).map_err(|_| Error::Internal)?;
    let is_partial = flag("stream");
    let reader = call(stream, "getReader", &JsValue::UNDEFINED)?;
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
                *text = text.concat(rest.map_err(garbled)?.as_ref());
                return Ok(());
            }
            let chunk = get(&next, "value")?;
            let length = get(&chunk, "byteLength")?.as_f64().and_then(whole_ms);
            let length = length.and_then(|length| u32::try_from(length).ok());
            bytes = bytes.saturating_add(length.ok_or(Error::network())?);
            let chunk: &Uint8Array = chunk.unchecked_ref();
            if bytes > limit {
                // An error's words are at its beginning.
                let fits = chunk.length().saturating_sub(bytes - limit);
                if let Ok(part) = decoder.decode(&chunk.subarray(0, fits), &is_partial) {
                    *text = text.concat(part.as_ref());
                }
                return Err(Error::AnswerTooLarge);
            }
            let part = decoder.decode(chunk, &is_partial);
            *text = text.concat(part.map_err(garbled)?.as_ref());
        }
    };
    let result = read.await;
    if result.is_err() {
        ignore(call(&reader, "cancel", &JsValue::UNDEFINED));
    }
    result
}

/// What a platform says of a request that failed: the messages and codes of what it threw and of
/// the causes of that, such as `fetch failed: connect ECONNREFUSED 10.0.0.1:443`.
fn failure(thrown: &JsValue, key: Option<&ApiKey>) -> Error {
    let mut said: Vec<String> = Vec::new();
    let mut thrown = thrown.clone();
    for _ in 0..MAX_CAUSES {
        if let Some(text) = thrown.as_string() {
            said.push(text);
        }
        // Node's happy eyeballs: the message is empty, and the code says it.
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

/// Lets a connection go. Nobody waits for that, but somebody has to look at its
/// failure.
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

/// The moment at which a request ends, answered or not: by its timeout or by
/// the caller's signal. Plain functions of the platform's are wired together,
/// so no closure of ours can outlive it.
struct Deadline {
    controller: AbortController,
    /// Resolves then.
    reached: Promise,
    abort: Function,
    timer: JsValue,
    signal: Option<AbortSignal>,
}

impl Deadline {
    fn new(ms: u32, signal: Option<&AbortSignal>) -> Result<Self> {
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
        // Not `AbortSignal.timeout`: Node does not stay alive for it.
        let timer = set_timeout(&abort, f64::from(ms));
        Ok(Self {
            controller,
            reached,
            abort,
            timer,
            signal: signal.cloned(),
        })
    }

    fn is_reached(&self) -> bool {
        self.controller.signal().aborted()
    }

    /// Waits for `promise`, but not beyond the deadline. A promise that heeds the signal needs no race with it.
    async fn wait(&self, promise: &Promise, heeds_signal: bool) -> Result<JsValue, JsValue> {
        if !heeds_signal {
            return self.race(promise).await;
        }
        let value = JsFuture::from(promise.clone()).await?;
        if self.is_reached() {
            return Err(JsValue::UNDEFINED);
        }
        Ok(value)
    }

    /// Waits for the first of both: a caller's own `fetch` need not heed the signal.
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
