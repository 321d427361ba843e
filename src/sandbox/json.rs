//! Reads JSON that a person wrote: an error names the field.

use crate::nearest::nearest;
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
    let problem = with_nearest(error.inner().to_string());
    // A text that ends too early has no path, which serde writes as `?` or `.`.
    match error.path().to_string().as_str() {
        "." | "?" if root.is_empty() => problem,
        "." | "?" => format!("{root}: {problem}"),
        path if root.is_empty() || path.starts_with('[') => format!("{root}{path}: {problem}"),
        path => format!("{root}.{path}: {problem}"),
    }
}

/// ``unknown field `dres`, expected one of `dress`, …`` with the name that was probably meant in place of all.
fn with_nearest(problem: String) -> String {
    let meant = || {
        let (start, known) = problem.split_once(", expected ")?;
        let given = start
            .strip_prefix("unknown field `")
            .or(start.strip_prefix("unknown variant `"))?
            .strip_suffix('`')?;
        let names = known.split('`').skip(1).step_by(2);
        Some(format!(
            "{start}: did you mean `{}`?",
            nearest(given, names)?
        ))
    };
    meant().unwrap_or(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_told() {
        for (problem, told) in [
            (
                "unknown field `dres`, expected one of `click_ids`, `dress` at line 1 column 9",
                "unknown field `dres`: did you mean `dress`?",
            ),
            (
                "unknown field `offerid`, expected `offer_id` at line 1 column 9",
                "unknown field `offerid`: did you mean `offer_id`?",
            ),
            (
                "unknown variant `pascalcase`, expected one of `d`, `pascal_case`",
                "unknown variant `pascalcase`: did you mean `pascal_case`?",
            ),
            (
                "unknown field `color`, expected one of `click_ids`, `dress`",
                "unknown field `color`, expected one of `click_ids`, `dress`",
            ),
            (
                "missing field `offers` at line 1 column 2",
                "missing field `offers` at line 1 column 2",
            ),
        ] {
            assert_eq!(with_nearest(problem.to_owned()), told);
        }
    }
}
