//! The only Rust that knows JavaScript: converts values and carries out the core's plans. It makes
//! no decision of its own.

#[cfg(feature = "signed")]
mod capture;
#[cfg(feature = "checks")]
mod checks;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "bindings")]
mod error;
#[cfg(any(feature = "link", feature = "edge"))]
mod field_reader;
#[cfg(feature = "bindings")]
mod fields;
#[cfg(feature = "edge")]
mod link;

#[cfg(feature = "forwarder")]
mod deliverer;
#[cfg(feature = "client")]
mod fetch;
#[cfg(feature = "forwarder")]
mod forwarder;
#[cfg(feature = "forwarder")]
mod operator;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "link")]
mod page_link;
#[cfg(feature = "worker")]
mod received;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(feature = "forwarder")]
mod shop;
#[cfg(feature = "edge")]
mod time;
#[cfg(feature = "signed")]
mod token;
#[cfg(feature = "edge")]
mod tracking;

#[cfg(feature = "edge")]
pub use capture::capture_click;
#[cfg(feature = "signed")]
pub use capture::find_signed_clicks;
#[cfg(feature = "checks")]
pub use checks::{check_postback, check_postback_url, lint_tracking_link};
#[cfg(feature = "client")]
pub use client::{Client, Pager, names_nothing, read_clicks};
#[cfg(feature = "forwarder")]
pub use deliverer::{Deliverer, clock_set_from, looks_up};
#[cfg(feature = "forwarder")]
pub use forwarder::{
    IdKey, Shards, compare_events, hash, is_claim_of, order_key, read_conversions,
    read_corrections, repeated_name, settle_order,
};
#[cfg(feature = "edge")]
pub use link::{LinkBuilder, module_memory};
#[cfg(feature = "forwarder")]
pub use operator::OperatorKey;
#[cfg(feature = "page")]
pub use page::{decide, put, reply};
#[cfg(feature = "link")]
pub use page_link::{build, byte, push};
#[cfg(feature = "report")]
pub use report::{answer, answer_length, place, read, room, run};
#[cfg(feature = "sandbox")]
pub use sandbox::{SandboxNetwork, access_of, status_moves};
#[cfg(feature = "forwarder")]
pub use shop::{Postback, Shop};
#[cfg(feature = "edge")]
pub use time::{day_range, named_day_range};
#[cfg(feature = "forwarder")]
pub use token::open_tokened;
#[cfg(feature = "signed")]
pub use token::sign_token;
#[cfg(feature = "edge")]
pub use tracking::{find_click, parse_tracking_link, pixel};

/// A JavaScript number as a whole number; 0 where it is not one.
#[cfg(feature = "bindings")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the range is checked first"
)]
fn to_integer(number: f64) -> u64 {
    if number >= 0.0 && number <= crate::link::MAX_ID as f64 && number.fract() == 0.0 {
        number as u64
    } else {
        0
    }
}

/// A JavaScript number as an id; 0 where it is not one. CAKE has one id below zero.
#[cfg(feature = "edge")]
fn id(number: f64) -> i64 {
    let id = i64::try_from(to_integer(number.abs())).unwrap_or(0);
    if number < 0.0 { -id } else { id }
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

/// A random number over the whole of `u32`.
#[cfg(feature = "worker")]
fn random() -> u32 {
    u32::try_from(to_integer(
        (js_sys::Math::random() * 4_294_967_296.0).floor(),
    ))
    .unwrap_or(u32::MAX)
}
