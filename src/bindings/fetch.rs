//! Sends a request of the core to CAKE, by gloo-net, and returns the whole answer. Its time and
//! size are limited.

use super::received::{Bounds, Deadline, Received, failure, is_aborted, receive};
use crate::{Error, Result};
use gloo_net::http::{Headers, Method, RequestBuilder};
use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestCache, RequestRedirect};

#[wasm_bindgen]
extern "C" {
    // The platform's own `fetch`. gloo-net's `send` would panic with a caller's `fetch` whose
    // Response is of another realm.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn global_fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;
}

/// How a request is sent.
pub(super) struct Sending<'a> {
    /// Replaces the global `fetch`.
    pub(super) fetch: Option<&'a Function>,
    /// The bounds of its answer.
    pub(super) bounds: Bounds<'a>,
}

/// Sends a GET, or a POST of a JSON body. Redirects are not followed: their target would see the
/// key. An error of `fetch` is kept as a message, without the URL and the key that it may hold.
///
/// # Errors
/// [`Error::Network`], [`Error::Timeout`], [`Error::Aborted`],
/// [`Error::AnswerTooLarge`], [`Error::UnexpectedAnswer`].
pub(super) async fn send(url: &str, json: Option<&str>, sending: &Sending<'_>) -> Result<Received> {
    let Bounds {
        timeout_ms, signal, ..
    } = sending.bounds;
    let deadline = Deadline::new(timeout_ms, signal)?;
    match exchange(url, json, sending, &deadline).await {
        Err(_) if is_aborted(signal) => Err(Error::Aborted),
        Err(Error::Network { .. }) if deadline.is_reached() => Err(Error::Timeout),
        result => result,
    }
}

/// Waits for `ms` milliseconds. Returns false where the caller's signal cut the wait short.
pub(super) async fn wait(ms: u64, signal: Option<&AbortSignal>) -> bool {
    if let Ok(deadline) = Deadline::new(u32::try_from(ms).unwrap_or(u32::MAX), signal) {
        let _ = JsFuture::from(deadline.reached()).await;
    }
    !is_aborted(signal)
}

async fn exchange(
    url: &str,
    json: Option<&str>,
    sending: &Sending<'_>,
    deadline: &Deadline,
) -> Result<Received> {
    let network = |thrown| failure(&thrown, sending.bounds.key);
    let built = build(url, json, &deadline.own_signal(), true)
        // A Worker's compatibility date may be older than the option.
        .or_else(|_| build(url, json, &deadline.own_signal(), false))?;
    let promise = match sending.fetch {
        None => global_fetch(&built),
        Some(fetch) => fetch
            .call1(&JsValue::UNDEFINED, &built)
            .map(|value| Promise::resolve(&value)),
    };
    let promise = promise.map_err(network)?;
    // The platform's `fetch` obeys the signal, for head and body. A caller's own need not.
    let is_own = sending.fetch.is_none();
    let response = deadline.wait(&promise, is_own).await.map_err(network)?;
    receive(&response, &sending.bounds, deadline, is_own).await
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
