//! The only Rust that knows JavaScript: converts values and carries out the
//! core's plans. It decides nothing.

mod error;
#[cfg(any(feature = "page", feature = "edge"))]
mod link;

#[cfg(feature = "edge")]
mod edge;
#[cfg(feature = "edge")]
mod fetch;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "sandbox")]
mod sandbox;

#[cfg(feature = "edge")]
pub use edge::{Client, Pages, capture_click, read_event};
#[cfg(any(feature = "page", feature = "edge"))]
pub use link::tracking_link;
#[cfg(feature = "page")]
pub use page::capture;
#[cfg(feature = "sandbox")]
pub use sandbox::{SandboxNetwork, lookup};

/// A JavaScript number as a whole number; 0, which no id is, where it is none.
#[cfg(any(feature = "page", feature = "sandbox", feature = "edge"))]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the range is checked first"
)]
fn whole(number: f64) -> u64 {
    if number >= 0.0 && number <= crate::link::MAX_ID as f64 && number % 1.0 == 0.0 {
        number as u64
    } else {
        0
    }
}

/// A count or a time as a JavaScript number.
#[cfg(feature = "api")]
#[expect(
    clippy::cast_precision_loss,
    reason = "what is counted here stays below 2^53"
)]
fn number(whole: u64) -> wasm_bindgen::JsValue {
    wasm_bindgen::JsValue::from_f64(whole as f64)
}
