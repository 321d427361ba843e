//! What came back from CAKE, from status and bytes to an action's own part.

use crate::{Error, Result};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// An HTTP answer: status and body.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The HTTP status code.
    pub status: u16,
    /// The body as text.
    pub body: &'a str,
}

/// The envelope around every answer. Each action reads its own key of it.
#[derive(Deserialize)]
struct Envelope<'a> {
    request_status: Option<String>,
    success: Option<bool>,
    message: Option<String>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    conversion: Option<&'a RawValue>,
}

/// The parts of a successful answer.
pub(super) struct Parts<'a> {
    pub(super) response: Option<&'a RawValue>,
    pub(super) conversion: Option<&'a RawValue>,
}

impl<'a> Answer<'a> {
    /// Opens the envelope. Anything that is not the success shape is an error.
    pub(super) fn open(self) -> Result<Parts<'a>> {
        let status = self.status;
        match status {
            200 => {}
            401 | 403 => return Err(Error::Unauthorized { status }),
            429 => return Err(Error::RateLimited { status }),
            _ => return Err(Error::HttpStatus { status }),
        }
        if self.body.trim() == "Restricted" {
            return Err(Error::RateLimited { status });
        }
        let envelope: Envelope<'a> =
            serde_json::from_str(self.body).map_err(|_| unexpected("CAKE's answer is not JSON"))?;
        let message = envelope.message.as_deref().map(shorten);
        if message.as_deref() == Some("Restricted") {
            return Err(Error::RateLimited { status });
        }
        let is_success = envelope.success != Some(false)
            && envelope
                .request_status
                .as_deref()
                .is_none_or(|word| word == "Success");
        if !is_success {
            return Err(Error::Refused {
                message: message
                    .or(envelope.request_status.as_deref().map(shorten))
                    .unwrap_or_else(|| "CAKE said no without a message".into()),
            });
        }
        Ok(Parts {
            response: envelope.response,
            conversion: envelope.conversion,
        })
    }
}

impl Parts<'_> {
    /// Reads one part of the answer as `T`.
    pub(super) fn read<T: DeserializeOwned>(part: Option<&RawValue>, name: &str) -> Result<T> {
        let part = part.ok_or_else(|| unexpected(&format!("CAKE's answer has no `{name}`")))?;
        serde_json::from_str(part.get())
            .map_err(|_| unexpected(&format!("`{name}` in CAKE's answer has an unknown shape")))
    }
}

fn unexpected(message: &str) -> Error {
    Error::UnexpectedAnswer {
        message: message.to_owned(),
    }
}

/// CAKE's own words, at most 200 characters of them, without control characters.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// An id that CAKE writes as a number or as text.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    optional_id(deserializer)?.ok_or_else(|| serde::de::Error::custom("no id"))
}

/// The same where it may be null or missing.
pub(super) fn optional_id<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Number(u64),
        Text(String),
    }
    Ok(match Option::<Id>::deserialize(deserializer)? {
        None => None,
        Some(Id::Number(number)) => Some(number),
        Some(Id::Text(text)) if text.is_empty() => None,
        Some(Id::Text(text)) => Some(text.parse().map_err(serde::de::Error::custom)?),
    })
}

/// An amount as CAKE wrote it: the digits themselves, not a binary fraction.
pub(super) fn amount<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw
        .map(|raw| raw.get().trim_matches('"').to_owned())
        .filter(|text| !text.is_empty() && text != "null"))
}

/// The number beside an exact text.
pub(super) fn number_of(text: Option<&String>) -> Option<f64> {
    text.and_then(|text| text.parse().ok())
}
