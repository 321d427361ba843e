//! Carries a request of the core over to CAKE, by gloo-net.

use crate::api::Request;
use crate::{Error, Result};
use gloo_net::http::RequestBuilder;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestCache, RequestRedirect, Response};

/// An answer with its body read.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Sends `request` by `fetch`, or by the global one. Redirects are not
/// followed: their target would see the key.
///
/// What `fetch` throws is dropped: its message may hold the URL, and so the key.
///
/// # Errors
/// [`Error::Network`], [`Error::Timeout`].
pub(super) async fn send(
    request: &Request,
    fetch: Option<&Function>,
    timeout_ms: u32,
) -> Result<Received> {
    // One signal for head and body.
    let signal = AbortSignal::timeout_with_u32(timeout_ms);
    let failed = |thrown: &JsValue| {
        let name = Reflect::get(thrown, &"name".into())
            .ok()
            .and_then(|name| name.as_string());
        if name.as_deref() == Some("TimeoutError") {
            Error::Timeout
        } else {
            Error::Network
        }
    };
    let built = RequestBuilder::new(request.url_with_key())
        .redirect(RequestRedirect::Manual)
        .cache(RequestCache::NoStore)
        .abort_signal(Some(&signal))
        .build()
        .map_err(|_| Error::Network)?;
    let response: Response = match fetch {
        None => {
            let response = built.send().await.map_err(|error| match error {
                gloo_net::Error::JsError(error) if error.name == "TimeoutError" => Error::Timeout,
                _ => Error::Network,
            })?;
            response.into()
        }
        Some(fetch) => {
            let raw: web_sys::Request = built.into();
            let promise = fetch
                .call1(&JsValue::UNDEFINED, &raw)
                .map_err(|e| failed(&e))?;
            let response = JsFuture::from(Promise::resolve(&promise))
                .await
                .map_err(|e| failed(&e))?;
            // Not `dyn_into`: a mock's Response may come from another realm.
            response.unchecked_into()
        }
    };
    let status = response.status();
    let text = response.text().map_err(|e| failed(&e))?;
    let body = JsFuture::from(text).await.map_err(|e| failed(&e))?;
    Ok(Received {
        status,
        body: body.as_string().unwrap_or_default(),
    })
}
