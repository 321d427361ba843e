//! Affiliate tracking for CAKE: the pure core of `cake-edge`.
//!
//! A click on a tracking link gets a click id, and the id follows the visitor to the landing page.
//! When the visitor buys, the conversion goes back to CAKE with that id, once, with the right
//! amount.
//!
//! The core does no I/O. It receives text, the time and settings, and returns values and plans;
//! `bindings` (wasm32 only) carries the plans out.
//!
//! | module | owns |
//! | --- | --- |
//! | [`error`] | the one error type and its stable codes |
//! | [`host`] | host names: tracking domains, loopback, lists of allowed hosts |
//! | [`link`], [`sub_id`], [`lint`] | tracking links: build, parse, and probable mistakes |
//! | [`placeholder`], `spoiled` | placeholders, other tools' macros; links that editors have damaged |
//! | `punycode`, `nearest` | host names in other scripts; "did you mean s1?" |
//! | [`click_id`], [`touch`] | click ids in URLs; the stored touches, and the update after a visit |
//! | `transaction_id` | unique ids and order ids |
//! | [`cookie`], `signed_cookie` | `Cookie` and `Set-Cookie` text; signed values (feature `signed`) |
//! | `capture` | edge capture: the cookie update for a request's click (feature `signed`) |
//! | `conversion_token` | leave to report one conversion, for frames without an origin (feature `signed`) |
//! | `purpose` | the purpose that a request declares: a visit, a prefetch (not in `page`) |
//! | [`consent`] | which data may be stored, and when |
//! | [`macros`], [`pixel`] | postback URL templates; `p.ashx` |
//! | [`money`], [`time`] | exact decimals, civil times |
//! | [`secret`] | secrets, trimmed |
//! | `url` | percent-encoding and query strings |
//! | `xml` | XML in the form of CAKE's older services (feature `api`) |
//! | `api` | CAKE's HTTP API: requests and answers (feature `api`) |
//! | `delivery` | the forwarder's decisions (feature `forwarder`) |
//! | `report` | reconcile, break down, attribute (feature `report`) |
//! | `sandbox` | a CAKE network's rules (feature `sandbox`) |
//!
//! This project is independent of CAKE.

// Code that one feature needs is dead in the builds of another, and only the bindings call many
// functions. `npm run check` looks for dead code in the build with all features and the bindings.
#![cfg_attr(
    not(all(
        target_family = "wasm",
        feature = "page",
        feature = "link",
        feature = "edge",
        feature = "client",
        feature = "checks",
        feature = "forwarder",
        feature = "report",
        feature = "sandbox"
    )),
    allow(dead_code, unreachable_pub, unused_imports)
)]
// The report's build (scripts/build.ts) makes what runs once a call small, and what runs once a row fast.
#![cfg_attr(small_cold, feature(optimize_attribute))]
// Most items are private: read their documentation with `cargo doc --document-private-items`.
#![allow(rustdoc::private_intra_doc_links)]

pub mod click_id;
pub mod consent;
pub mod cookie;
mod error;
mod finding;
pub mod host;
pub mod link;
pub mod lint;
pub mod macros;
mod money;
mod nearest;
mod pixel;
mod placeholder;
mod punycode;
mod secret;
mod spoiled;
pub mod sub_id;
mod tape;
pub mod time;
pub mod touch;
mod transaction_id;
mod url;
#[cfg(feature = "api")]
mod xml;

#[cfg(feature = "api")]
pub mod api;
#[cfg(feature = "signed")]
pub mod capture;
#[cfg(feature = "signed")]
pub mod conversion_token;
#[cfg(feature = "forwarder")]
pub mod delivery;
#[cfg(any(feature = "signed", feature = "sandbox"))]
mod purpose;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(feature = "signed")]
pub mod signed_cookie;

#[cfg(all(
    target_family = "wasm",
    any(
        feature = "page",
        feature = "link",
        feature = "report",
        feature = "bindings"
    )
))]
pub mod bindings;

pub use error::{Barrier, Error, IdRule, Result, UrlRule};
