//! x
pub mod amount;
mod csv;
pub mod day;
pub mod flaw;
mod json;
mod memory;
pub mod names;
mod store;
mod words;
