//! Transaction ids: the advertiser's own ids of a sale, unique id and order id.

use crate::error::IdRule;
use crate::lint::is_email;
use crate::placeholder::{is_missing_value, lost};
use crate::{Error, Result, url};

/// The maximum number of characters, in UTF-16 units as in JavaScript and .NET.
const MAX_CHARACTERS: usize = 128;

/// Checks a transaction id from the caller; `parameter` is its name there. Shops have many formats
/// (`#1001`, `2026/001`, `Bestellung 12`): any text without control characters is accepted. Returns
/// the text without the surrounding white space that templates leave.
///
/// # Errors
/// [`Error::PlaceholderText`] for a placeholder, [`Error::InvalidUniqueId`] for an empty or too
/// long text, for control characters and for an e-mail address.
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
        None if is_missing_value(id) || is_prefix(id) => Err(Error::PlaceholderText { parameter }),
        None => Ok(id),
    }
}

/// Is this only what a shop writes before an order's number: `ORD-`, `order #`, `INV/`? Base64 ends
/// in `=` too: `dGVzdA==`.
pub(crate) fn is_prefix(id: &str) -> bool {
    id.len() > 2
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.ends_with(['-', '_', '#', ':', '/', '='])
        && !id.contains(|c: char| c.is_numeric())
        && !id.ends_with("==")
        && lost::base64(id).is_none()
}

/// Checks a transaction id that is given as a number, by its digits: `1001.0` is `1001`.
///
/// # Errors
/// Those of [`check`]; [`Error::InvalidUniqueId`] for a number that is negative or not whole, or so
/// large that JavaScript has lost digits.
#[cfg(feature = "api")]
pub(crate) fn check_number(parameter: &'static str, digits: &str) -> Result<String> {
    if let Some(id) = crate::api::json::parse_whole(digits) {
        return check(parameter, &id.to_string()).map(str::to_owned);
    }
    let rule = if digits.starts_with('-') {
        IdRule::Negative
    } else {
        IdRule::Digits
    };
    Err(Error::InvalidUniqueId { parameter, rule })
}

#[cfg(test)]
mod tests {
    use super::*;

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
