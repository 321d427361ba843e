//! Tracking links for JavaScript.

use super::whole;
use crate::link::{Domain, TrackingLink};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Builds a tracking link; see [`TrackingLink::build`].
///
/// # Errors
/// Those of [`Domain::new`], [`Domain::sandbox`] and [`TrackingLink::build`].
#[expect(
    clippy::too_many_arguments,
    reason = "plain arguments cross the boundary fastest"
)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over owned strings"
)]
#[wasm_bindgen(js_name = trackingLink)]
pub fn tracking_link(
    domain: &str,
    is_sandbox: bool,
    affiliate_id: f64,
    creative_id: f64,
    s1: Option<String>,
    s2: Option<String>,
    s3: Option<String>,
    s4: Option<String>,
    s5: Option<String>,
) -> Result<String, JsValue> {
    let domain = if is_sandbox {
        Domain::sandbox(domain)?
    } else {
        Domain::new(domain)?
    };
    let link = TrackingLink {
        domain,
        affiliate_id: whole(affiliate_id),
        creative_id: whole(creative_id),
        sub_ids: [
            s1.as_deref(),
            s2.as_deref(),
            s3.as_deref(),
            s4.as_deref(),
            s5.as_deref(),
        ],
    };
    Ok(link.build()?)
}
