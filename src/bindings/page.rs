//! The landing page: reads and writes cookie and localStorage as the core says.

use super::whole;
use crate::click::{DEFAULT_KEY, Keeping, LandingParameters, find_click};
use crate::cookie::{SetCookie, find_cookie};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{HtmlDocument, Storage};

/// Finds the click id in `url`, keeps it in cookie and localStorage, and
/// returns the one that counts, this one or an earlier one. `now_ms` is in
/// whole since 1970; `is_secure` adds `Secure` to the cookie.
///
/// A store that is blocked or full is passed over: the other one serves.
#[must_use]
#[wasm_bindgen]
pub fn capture(url: &str, now_ms: f64, is_secure: bool) -> Option<String> {
    let document = document();
    let storage = storage();
    let cookies = document
        .as_ref()
        .and_then(|document| document.cookie().ok())
        .unwrap_or_default();
    let stored = storage
        .as_ref()
        .and_then(|storage| storage.get_item(DEFAULT_KEY).ok().flatten());
    let found = find_click(url, &LandingParameters::default());
    let kept = Keeping::default().keep(
        found.as_ref(),
        &[find_cookie(&cookies, DEFAULT_KEY), stored.as_deref()],
        whole(now_ms),
    );
    if kept.max_age_seconds.is_some() {
        let cookie = SetCookie {
            max_age_seconds: kept.max_age_seconds,
            is_secure,
            ..SetCookie::new(DEFAULT_KEY, &kept.text)
        };
        if let (Some(document), Ok(text)) = (document, cookie.build()) {
            let _ = document.set_cookie(&text);
        }
        if let Some(storage) = storage {
            let _ = storage.set_item(DEFAULT_KEY, &kept.text);
        }
    }
    kept.click_id
}

fn document() -> Option<HtmlDocument> {
    web_sys::window()?.document()?.dyn_into().ok()
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
