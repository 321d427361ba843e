//! Reads JSON that a person wrote: an error names the field.

use crate::{Error, Result};
use serde::{Deserialize, Deserializer};

/// Reads a value; `root` is the name of the text in an error, such as
/// `faults`, or empty.
///
/// # Errors
/// [`Error::InvalidFixture`], such as `offers[0].payout: …`.
pub(super) fn read<'de, T: Deserialize<'de>, D>(root: &str, json: D) -> Result<T>
where
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(json).map_err(|error| Error::InvalidFixture {
        message: located(root, &error),
    })
}

/// The error in a JSON text, with its path: `offers[0].payout: …`.
fn located(root: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    // A text that ends too early has no path, which serde writes as `?` or `.`.
    match error.path().to_string().as_str() {
        "." | "?" if root.is_empty() => error.inner().to_string(),
        "." | "?" => format!("{root}: {}", error.inner()),
        path if root.is_empty() || path.starts_with('[') => {
            format!("{root}{path}: {}", error.inner())
        }
        path => format!("{root}.{path}: {}", error.inner()),
    }
}
