//! The core as a Rust user calls it, on the host, against the shared vectors.
#![cfg(not(target_family = "wasm"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing test may panic"
)]

mod api_samples;
mod capture;
mod click_ids;
mod day_ranges;
mod error_codes;
mod foreign;
mod links;
mod older_corrections;
mod older_services;
