//! Errors for JavaScript: a plain object, from which `js/error.ts` makes the one class `CakeError`.

use super::fields::Fields;
use crate::Error;
use wasm_bindgen::JsValue;

/// The platform's words about a request without an answer.
#[cfg(feature = "api")]
fn because(error: &Error) -> Option<&str> {
    match error {
        Error::Network { cause } => Some(cause.as_str()).filter(|cause| !cause.is_empty()),
        _ => None,
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let fields = Fields::new()
            .set("code", error.code())
            .set("rule", error.rule())
            .set("retryable", error.is_retryable())
            .optional("parameter", error.parameter())
            .optional("status", error.status());
        #[cfg(feature = "api")]
        let fields = fields
            .optional("retryAfterMs", error.retry_after_ms().map(super::number))
            .optional("cause", error.cause().cloned())
            .optional("because", because(&error));
        fields.into()
    }
}
