//! Findings in a tracking link or a postback's URL, for JavaScript, as plain objects.

use super::fields::Fields;
use crate::api::create_postback;
use crate::lint::{Finding, lint};
use crate::macros;
use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Finds probable mistakes in a tracking link; see [`lint`].
#[must_use]
#[wasm_bindgen(js_name = lintTrackingLink)]
pub fn lint_tracking_link(link: &str) -> Array {
    findings(&lint(link))
}

/// Checks a postback URL's template; see [`macros::inspect`].
///
/// # Errors
/// Those of [`macros::inspect`].
#[wasm_bindgen(js_name = checkPostbackUrl)]
pub fn check_postback_url(template: &str) -> Result<JsValue, JsValue> {
    let checked = macros::inspect(template)?;
    Ok(checked_template(&checked))
}

/// Checks the parameters of Create Postback, as JSON; see [`create_postback::check`].
///
/// # Errors
/// Those of [`create_postback::check`].
#[wasm_bindgen(js_name = checkPostback)]
pub fn check_postback(params: &str, is_sandbox: bool) -> Result<JsValue, JsValue> {
    let checked = create_postback::check(params, is_sandbox)?;
    Ok(checked_template(&checked))
}

fn checked_template(checked: &macros::Checked) -> JsValue {
    let uses: Array = checked
        .uses
        .iter()
        .map(|name| JsValue::from(*name))
        .collect();
    Fields::new()
        .set("uses", uses)
        .set("findings", findings(&checked.findings))
        .into()
}

fn findings(findings: &[Finding]) -> Array {
    findings
        .iter()
        .map(|finding| {
            JsValue::from(
                Fields::new()
                    .set("code", finding.code)
                    .set("parameter", finding.parameter.as_str())
                    .set("sentence", finding.sentence.as_ref()),
            )
        })
        .collect()
}
