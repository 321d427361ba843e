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
    let problem = in_plain_words(with_nearest(error.inner().to_string()));
    // A text that ends too early has no path, which serde writes as `?` or `.`.
    match error.path().to_string().as_str() {
        "." | "?" if root.is_empty() => problem,
        "." | "?" => format!("{root}: {problem}"),
        path if root.is_empty() || path.starts_with('[') => format!("{root}{path}: {problem}"),
        path => format!("{root}.{path}: {problem}"),
    }
}

/// `invalid type: string "30", expected u64 at line 1 column 12` in plain words. The path says where.
fn in_plain_words(problem: String) -> String {
    let split = problem
        .split_once(", expected ")
        .and_then(|(start, expected)| {
            let given = start.strip_prefix("invalid type: ");
            let given = given.or_else(|| start.strip_prefix("invalid value: "))?;
            Some((given, expected.split(" at line ").next()?))
        });
    let Some((given, expected)) = split else {
        return problem;
    };
    let wanted = match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "text",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    let number = ["integer ", "floating point ", "boolean "]
        .into_iter()
        .find_map(|kind| given.strip_prefix(kind));
    let is = match (given, given.strip_prefix("string ")) {
        (_, Some(text)) => ["the text ", text].concat(),
        ("sequence", _) => "a list".to_owned(),
        ("map", _) => "an object".to_owned(),
        (other, _) => number.unwrap_or(other).to_owned(),
    };
    format!("must be {wanted}, and is {is}")
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
    fn a_wrong_type_is_told_in_plain_words() {
        for (problem, told) in [
            (
                "invalid type: string \"30\", expected u64 at line 1 column 12",
                "must be a whole number from 0, and is the text \"30\"",
            ),
            (
                "invalid type: map, expected a sequence at line 1 column 9",
                "must be a list, and is an object",
            ),
            (
                "invalid type: string \"a map\", expected a boolean",
                "must be true or false, and is the text \"a map\"",
            ),
            (
                "invalid value: integer `-1`, expected u32 at line 2 column 3",
                "must be a whole number from 0, and is `-1`",
            ),
            (
                "invalid type: null, expected struct Offer",
                "must be an object, and is null",
            ),
            (
                "missing field `offers` at line 1 column 2",
                "missing field `offers` at line 1 column 2",
            ),
        ] {
            assert_eq!(in_plain_words(problem.to_owned()), told);
        }
    }

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
