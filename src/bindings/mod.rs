//! The only Rust that knows JavaScript: converts values and carries out the
//! core's plans. It decides nothing.

mod error;
mod fields;
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
mod tracking;

#[cfg(feature = "edge")]
pub use edge::{Client, capture_click, read_event};
#[cfg(any(feature = "page", feature = "edge"))]
pub use link::{LinkBuilder, module_memory};
#[cfg(feature = "page")]
pub use page::capture;
#[cfg(feature = "sandbox")]
pub use sandbox::{SandboxNetwork, lookup};
#[cfg(feature = "edge")]
pub use tracking::{
    check_postback_url, find_click, lint_tracking_link, parse_tracking_link, pixel,
};

/// A JavaScript number as a whole number; 0, which no id is, where it is none.
#[cfg(any(feature = "page", feature = "edge"))]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn whole(number: f64) -> i64 {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    if (-LARGEST..=LARGEST).contains(&number) && number.fract() == 0.0 {
        number as i64
    } else {
        0
    }
}

/// A time of JavaScript's, in milliseconds since 1970; 0 where it is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates"
)]
fn milliseconds(number: f64) -> u64 {
    number as u64
}
