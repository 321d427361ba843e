//! Errors on their way to JavaScript: a plain object, from which
//! `js/error.ts` makes the one class `CakeError`.

use crate::Error;
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let object = Object::new();
        let set = |name: &str, value: Self| {
            // Setting a property of a fresh plain object cannot fail.
            let _ = Reflect::set(&object, &name.into(), &value);
        };
        set("code", error.code().into());
        set("rule", error.rule().into());
        set("retryable", error.is_retryable().into());
        if let Some(parameter) = error.parameter() {
            set("parameter", parameter.into());
        }
        if let Some(status) = error.status() {
            set("status", status.into());
        }
        #[cfg(feature = "api")]
        if let Some(ms) = error.retry_after_ms() {
            set("retryAfterMs", super::number(ms));
        }
        #[cfg(feature = "api")]
        if let Some(cause) = error.cause() {
            set("cause", cause.clone().into());
        }
        object.into()
    }
}
