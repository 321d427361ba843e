//! Transaction ids: the advertiser's own ids of a sale, unique id and order id.

use crate::error::IdRule;
use crate::lint::is_email;
use crate::placeholder::{is_missing_value, lost};
use crate::{Error, Result, url};

/// The maximum number of characters, in UTF-16 units as in JavaScript and .NET.
const MAX_CHARACTERS: usize = 128;

/// Checks a transaction id from the caller; `parameter` is its name there. Shops have many formats
/// (`#1001`, `2026/001`, `Bestellung 12`): any text without control characters and lost ones is
/// accepted. Returns the text without the surrounding white space that templates leave.
///
/// # Errors
/// [`Error::PlaceholderText`] for a placeholder, [`Error::InvalidUniqueId`] for an empty or too
/// long text, for control characters, for U+FFFD and for an e-mail address.
pub(crate) fn check<'a>(parameter: &'static str, text: &'a str) -> Result<&'a str> {
    let id = text.trim();
    let broken = if id.is_empty() {
        Some(IdRule::Empty)
    } else if id.encode_utf16().count() > MAX_CHARACTERS {
        Some(IdRule::Length)
    } else if !url::is_plain_text(id) {
        Some(IdRule::Control)
    } else if is_email(id) {
        Some(IdRule::Email)
    } else {
        None
    };
    match broken {
        Some(rule) => Err(Error::InvalidUniqueId { parameter, rule }),
        None if is_missing_value(id) || lost::is_prefix(id) => {
            Err(Error::PlaceholderText { parameter })
        }
        // Half a surrogate pair comes as U+FFFD from JavaScript and from JSON.
        None if id.contains(char::REPLACEMENT_CHARACTER) => {
            let rule = IdRule::Lost;
            Err(Error::InvalidUniqueId { parameter, rule })
        }
        None => Ok(id),
    }
}

/// Checks a transaction id that is given as a number, by its digits: `1001.0` is `1001`.
///
/// # Errors
/// Those of [`check`]; [`Error::InvalidUniqueId`] for a number that is negative or not whole, or so
/// large that JavaScript has lost digits.
#[cfg(feature = "api")]
pub(crate) fn check_number(parameter: &'static str, digits: &str) -> Result<String> {
    if let Some(id) = read_whole(digits) {
        return check(parameter, &id.to_string()).map(str::to_owned);
    }
    let rule = if digits.starts_with('-') {
        IdRule::Negative
    } else {
        IdRule::Digits
    };
    Err(Error::InvalidUniqueId { parameter, rule })
}

/// A JSON number that is whole and from 0 to 2^53-1, also written `12345.0` or `1.2345e4`:
/// spreadsheets and some languages write whole numbers like this.
#[cfg(feature = "api")]
pub(crate) fn read_whole(number: &str) -> Option<u64> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if ![exponent, whole, fraction].into_iter().all(is_digits) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let zeros = exponent
        .parse::<usize>()
        .ok()?
        .checked_sub(fraction.len())?;
    let zeros = Some(zeros).filter(|zeros| *zeros <= 15)?;
    [whole, fraction, &"0".repeat(zeros)]
        .concat()
        .parse()
        .ok()
        .filter(|number| *number <= crate::link::MAX_ID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "api")]
    #[test]
    fn a_whole_number_is_read_by_its_value() {
        for (text, number) in [
            ("12345", Some(12_345)),
            ("12345.0", Some(12_345)),
            ("1.2345e4", Some(12_345)),
            ("1.2E+3", Some(1_200)),
            ("1.20e1", Some(12)),
            ("12e0", Some(12)),
            ("9007199254740991.0", Some(crate::link::MAX_ID)),
            ("1.5", None),
            ("1.25e1", None),
            ("12e-1", None),
            ("-1", None),
            ("1e16", None),
            ("1e99999999999", None),
            ("e5", None),
            ("1e", None),
        ] {
            assert_eq!(read_whole(text), number, "{text}");
        }
    }

    #[derive(serde::Deserialize)]
    struct Vectors {
        taken: Vec<Taken>,
        refused: Vec<Refused>,
    }

    #[derive(serde::Deserialize)]
    struct Taken {
        given: serde_json::Value,
        id: String,
    }

    #[derive(serde::Deserialize)]
    struct Refused {
        given: serde_json::Value,
        code: String,
    }

    /// A transaction id as a caller gives it: a text, or a number by its digits.
    fn checked(given: &serde_json::Value) -> Result<String> {
        match given {
            serde_json::Value::String(text) => check("uniqueId", text).map(str::to_owned),
            #[cfg(feature = "api")]
            serde_json::Value::Number(number) => check_number("uniqueId", &number.to_string()),
            #[cfg(not(feature = "api"))]
            serde_json::Value::Number(number) => {
                check("uniqueId", &number.to_string()).map(str::to_owned)
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn ids_of_shops_are_taken_and_words_for_none_are_not() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../tests/vectors/transaction_ids.json")).unwrap();
        for Taken { given, id } in vectors.taken {
            assert_eq!(checked(&given), Ok(id), "{given}");
        }
        for Refused { given, code } in vectors.refused {
            let is_number = given.is_number();
            if is_number && cfg!(not(feature = "api")) {
                continue;
            }
            assert_eq!(
                checked(&given).map_err(|error| error.code()),
                Err(code.as_str()),
                "{given}"
            );
        }
    }

    #[test]
    fn each_id_of_the_shared_list_is_taken() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/vectors/missing_values.json")).unwrap();
        for id in vectors["ids"].as_array().unwrap() {
            assert!(check("orderId", id.as_str().unwrap()).is_ok(), "{id}");
        }
        let of = |list: &str| vectors[list].as_array().unwrap().clone();
        for id in of("missing").into_iter().chain(of("leftovers")) {
            let code = check("orderId", id.as_str().unwrap()).map_err(|error| error.code());
            assert_eq!(code, Err("placeholder_text"), "{id}");
        }
    }
}
