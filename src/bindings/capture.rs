//! Edge capture for JavaScript: takes a request, and returns the decision.
#![expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over owned values"
)]

use super::to_integer;
use crate::Result;
use crate::capture::signed_click_ids;
use crate::click_id::is_own_id;
use crate::signed_cookie::SigningKeys;
use crate::touch::{Attribution, MAX_JOURNEY, MAX_WINDOW_DAYS, TouchPolicy};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
#[cfg(feature = "edge")]
use {
    super::fields::Fields,
    crate::Error,
    crate::capture::{Capture, Reason, Visit},
    crate::click_id::LandingParameters,
    crate::consent::Consent,
};

/// The click ids of the signed cookie of a `Cookie` header, the one that counts first; see [`signed_click_ids`].
/// Without `window_days` the longest window applies, since the cookie has an expiry of its own. `own_ids` are an order's
/// ids, which are none.
///
/// # Errors
/// `weak_secret`, `invalid_setting`.
#[wasm_bindgen(js_name = findSignedClicks)]
pub fn find_signed_clicks(
    cookies: &str,
    secrets: Vec<String>,
    now_ms: f64,
    own_ids: Vec<String>,
    is_first_touch: Option<bool>,
    window_days: Option<f64>,
) -> Result<Vec<String>, JsValue> {
    let keys = SigningKeys::new(secrets.iter().map(String::as_str))?;
    let touch_policy = touch_policy(
        is_first_touch == Some(true),
        window_days.unwrap_or(f64::from(MAX_WINDOW_DAYS)),
        MAX_JOURNEY,
    )?;
    let own_ids: Vec<&str> = own_ids.iter().map(String::as_str).collect();
    let mut ids = signed_click_ids(cookies, &keys, touch_policy, to_integer(now_ms));
    ids.retain(|id| !is_own_id(id, &own_ids));
    Ok(ids)
}

/// The touch policy at the edge. The cookie lives as long as touches count.
fn touch_policy(is_first_touch: bool, window_days: f64, journey: usize) -> Result<TouchPolicy> {
    let attribution = if is_first_touch {
        Attribution::FirstTouch
    } else {
        Attribution::LastTouch
    };
    let days = u32::try_from(to_integer(window_days)).unwrap_or(0);
    TouchPolicy::new(attribution, days, journey, days)
}

/// Decides about a request; see [`Capture::decide`]. Returns `{ clickId, setCookie, setCookies,
/// reason }`, each left out where there is none.
///
/// `names` are those of the click id's parameter, none for the default. An empty `domain` is the
/// host alone. `own_ids` are the ids of the order that is reported here. `flags`: 1 the first touch
/// counts, 2 `Sec-GPC` is ignored, 4 a proxy is trusted.
///
/// # Errors
/// [`Error::WeakSecret`], [`Error::InvalidSetting`], and those of [`Capture::decide`].
#[cfg(feature = "edge")]
#[expect(clippy::too_many_arguments, reason = "one for each setting")]
#[wasm_bindgen(js_name = captureClick)]
pub fn capture_click(
    request: &web_sys::Request,
    secrets: Vec<String>,
    consent: &str,
    names: Vec<String>,
    domain: &str,
    window_days: f64,
    journey: f64,
    flags: u32,
    now_ms: f64,
    own_ids: Vec<String>,
) -> Result<JsValue, JsValue> {
    let headers = request.headers();
    let header = |name: &str| headers.get(name).ok().flatten();
    let (method, url) = (request.method(), request.url());
    let cookies = header("cookie");
    let privacy_control = header("sec-gpc");
    let upgrade = header("upgrade");
    let purposes = ["sec-purpose", "purpose", "x-purpose", "x-moz"].map(header);
    let [fetch_mode, fetch_dest, accept, upgrade_insecure] = [
        "sec-fetch-mode",
        "sec-fetch-dest",
        "accept",
        "upgrade-insecure-requests",
    ]
    .map(header);
    let [forwarded, forwarded_proto, forwarded_host] =
        ["forwarded", "x-forwarded-proto", "x-forwarded-host"].map(header);
    let visit = Visit {
        method: &method,
        url: &url,
        cookies: cookies.as_deref(),
        privacy_control: privacy_control.as_deref(),
        upgrade: upgrade.as_deref(),
        purposes: purposes.each_ref().map(Option::as_deref),
        fetch_mode: fetch_mode.as_deref(),
        fetch_dest: fetch_dest.as_deref(),
        accept: accept.as_deref(),
        upgrade_insecure: upgrade_insecure.as_deref(),
        forwarded: forwarded.as_deref(),
        forwarded_proto: forwarded_proto.as_deref(),
        forwarded_host: forwarded_host.as_deref(),
    };

    let keys = SigningKeys::new(secrets.iter().map(String::as_str))?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let own_ids: Vec<&str> = own_ids.iter().map(String::as_str).collect();
    let mut parameters = LandingParameters {
        own_ids: &own_ids,
        ..LandingParameters::default()
    };
    if !names.is_empty() {
        parameters.click_id = &names;
    }
    let journey = usize::try_from(to_integer(journey)).unwrap_or(0);
    let capture = Capture {
        keys: &keys,
        touch_policy: touch_policy(flags & 1 != 0, window_days, journey)?,
        parameters,
        domain: Some(domain).filter(|domain| !domain.is_empty()),
        consent: Consent::parse(consent).ok_or(Error::UnknownConsent)?,
        ignores_privacy_control: flags & 2 != 0,
        trusts_proxy: flags & 4 != 0,
    };
    let captured = capture.decide(&visit, to_integer(now_ms))?;
    let first = captured.set_cookies.first().cloned();
    let all = (captured.set_cookies.len() > 1).then(|| {
        captured
            .set_cookies
            .iter()
            .map(JsValue::from)
            .collect::<js_sys::Array>()
    });
    Ok(Fields::new()
        .optional("clickId", captured.click_id)
        .optional("setCookies", all)
        .optional("setCookie", first)
        .optional("reason", captured.reason.map(Reason::code))
        .into())
}
