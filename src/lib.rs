//! Affiliate tracking for CAKE: the pure core of `cake-edge`.
//!
//! A click on a tracking link gets a click id; the id follows the visitor to
//! the landing page; when the visitor buys, the conversion goes back to CAKE
//! with that id, once, with the right money.
//!
//! The core does no I/O. It is handed text, the time and settings, and hands
//! back values and plans; `bindings` (wasm32 only) carries them out.
//!
//! | module | owns |
//! | --- | --- |
//! | [`error`] | the one error type and its stable codes |
//! | [`link`], [`sub_id`], [`lint`] | tracking links: build, parse, and what is odd in one |
//! | [`click`] | click ids in URLs, the stored touches |
//! | [`cookie`], `signed_cookie` | `Cookie` and `Set-Cookie` text; signed values (features `edge`, `forwarder`) |
//! | `capture` | edge capture: what a request's click leaves behind (features `edge`, `forwarder`) |
//! | [`consent`] | what may be stored, when |
//! | [`macros`], [`pixel`] | postback URL templates; `p.ashx` |
//! | [`money`], [`time`] | exact decimals, civil times |
//! | [`url`] | percent-encoding and query strings |
//! | `api` | CAKE's HTTP API: requests and answers (feature `api`) |
//! | `delivery` | the forwarder's decisions (feature `forwarder`) |
//! | `report` | reconcile, break down, attribute (feature `report`) |
//! | `sandbox` | a CAKE network's rules (feature `sandbox`) |
//!
//! This project is independent of CAKE.

pub mod click;
pub mod consent;
pub mod cookie;
pub mod error;
pub mod link;
pub mod lint;
pub mod macros;
pub mod money;
pub mod pixel;
pub mod sub_id;
pub mod time;
pub mod url;

#[cfg(feature = "api")]
pub mod api;
#[cfg(any(feature = "edge", feature = "forwarder"))]
pub mod capture;
#[cfg(feature = "forwarder")]
pub mod delivery;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(any(feature = "edge", feature = "forwarder"))]
pub mod signed_cookie;

#[cfg(all(
    target_family = "wasm",
    any(
        feature = "page",
        feature = "edge",
        feature = "forwarder",
        feature = "sandbox"
    )
))]
pub mod bindings;

pub use error::{Error, Result};
