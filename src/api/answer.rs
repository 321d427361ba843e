//! What came back from CAKE, from status and bytes to an action's own part.

use super::json::{Object, Value, parse_integer};
use super::key::redact_and_truncate;
use super::{Account, ApiKey};
use crate::{Error, Result};

/// An HTTP answer: status, body and what it says about the next call.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    status: u16,
    body: &'a str,
    retry_after_ms: Option<u64>,
    key: Option<&'a ApiKey>,
}

/// Does the body of an answer of this status matter? Of an error the status
/// says all, and its body may be a whole page.
#[must_use]
pub fn has_body(status: u16) -> bool {
    matches!(status, 200..=299)
}

impl<'a> Answer<'a> {
    /// An answer of this HTTP status with this body.
    #[must_use]
    pub fn new(status: u16, body: &'a str) -> Self {
        Self {
            status,
            body,
            retry_after_ms: None,
            key: None,
        }
    }

    /// Removes the account's key from every message about this answer.
    #[must_use]
    pub fn with_account(mut self, account: &'a Account) -> Self {
        self.key = Some(account.key());
        self
    }

    /// How long CAKE asks to wait; see [`super::retry_after_ms`].
    #[must_use]
    pub fn with_retry_after_ms(mut self, ms: Option<u64>) -> Self {
        self.retry_after_ms = ms;
        self
    }

    /// Does a body that should be JSON end before its end? Then nobody knows
    /// what it would have said.
    pub(crate) fn is_cut_off(&self) -> bool {
        let body = self.body.trim();
        has_body(self.status)
            && (body.is_empty() || body.starts_with('{') && Object::read(body).is_none())
    }

    /// The body of an answer whose status is a success's.
    pub(crate) fn body_of_success(&self) -> Result<&'a str> {
        let Self {
            status,
            retry_after_ms,
            ..
        } = *self;
        match status {
            200..=299 => Ok(self.body),
            0 | 300..=399 => Err(Error::Redirected { status }),
            401 | 403 => Err(Error::Unauthorized { status }),
            429 => Err(Error::RateLimited {
                status,
                retry_after_ms,
            }),
            _ => Err(Error::HttpStatus {
                status,
                retry_after_ms,
            }),
        }
    }

    /// Opens the envelope. Anything that is not the success shape is an error:
    /// CAKE says no with status 200, and its web server with a page of HTML.
    pub(crate) fn open(&self) -> Result<Object<'a>> {
        self.body_of_success()?;
        let Self {
            status,
            retry_after_ms,
            ..
        } = *self;
        let is_restricted = |text: &str| text.trim().trim_matches('"') == "Restricted";
        let limited = Error::RateLimited {
            status,
            retry_after_ms,
        };
        if is_restricted(self.body) {
            return Err(limited);
        }
        let envelope = Object::read(self.body.trim_start_matches('\u{feff}'))
            .ok_or_else(|| self.unexpected("is not JSON: ", self.body))?;
        let text = |name| envelope.get(name).and_then(Value::text);
        let message = text("message");
        if message.as_deref().is_some_and(is_restricted) {
            return Err(limited);
        }
        let request_status = text("request_status");
        let is_success = envelope.get("success").is_none_or(Value::is_true)
            && request_status
                .as_deref()
                .is_none_or(|word| word.eq_ignore_ascii_case("success"));
        if is_success {
            return Ok(envelope);
        }
        let words = message
            .filter(|words| !words.trim().is_empty())
            .or(request_status);
        if words.as_deref().is_some_and(is_about_the_key) {
            return Err(Error::Unauthorized { status });
        }
        Err(words.map_or_else(
            || Error::Refused {
                message: "CAKE said no without a message".into(),
            },
            |words| self.refused(&words),
        ))
    }

    /// CAKE says no, in these words.
    pub(crate) fn refused(&self, words: &str) -> Error {
        Error::Refused {
            message: ["CAKE said: ", &redact_and_truncate(words, self.key)].concat(),
        }
    }

    /// Not the documented shape, with what was received.
    pub(crate) fn unexpected(&self, rule: &str, received: &str) -> Error {
        Error::UnexpectedAnswer {
            message: [
                "CAKE's answer ",
                rule,
                &redact_and_truncate(received, self.key),
            ]
            .concat(),
        }
    }
}

/// Does CAKE's message say that it does not take the key?
fn is_about_the_key(words: &str) -> bool {
    let words = words.to_ascii_lowercase().replace(['_', '-'], " ");
    words.contains("api key") || words.contains("apikey") || words.contains("unauthorized")
}

/// The fields of one record in an answer; a wrong one is an error that names it.
pub(super) struct Record<'a, 'b> {
    answer: &'b Answer<'a>,
    fields: Object<'a>,
}

impl<'a, 'b> Record<'a, 'b> {
    /// `part` as a record; `name` is for the error.
    pub(super) fn from_part(
        answer: &'b Answer<'a>,
        part: Option<Value<'a>>,
        name: &str,
    ) -> Result<Self> {
        let fields = part
            .and_then(Value::object)
            .ok_or_else(|| answer.unexpected("has no record in `", &[name, "`"].concat()))?;
        Ok(Self { answer, fields })
    }

    /// The same over fields that are read already.
    pub(super) fn from_fields(answer: &'b Answer<'a>, fields: Object<'a>) -> Self {
        Self { answer, fields }
    }

    pub(super) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.fields.get(name)
    }

    pub(super) fn fields(&self) -> &Object<'a> {
        &self.fields
    }

    pub(super) fn missing(&self, name: &str) -> Error {
        self.answer.unexpected("has no ", name)
    }

    /// A text, or a number's digits; absent where it is null, missing or neither.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::text)
    }

    /// The same where it must be there.
    pub(super) fn required_text(&self, name: &str) -> Result<String> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.missing(name))
    }

    /// An id, which CAKE writes as a number or as text.
    pub(super) fn id(&self, name: &str) -> Result<Option<u64>> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.is_empty() => Ok(None),
            Some(text) => parse_integer(&text)
                .map(Some)
                .ok_or_else(|| self.wrong_id(name)),
        }
    }

    /// The same where it must be there.
    pub(super) fn required_id(&self, name: &str) -> Result<u64> {
        self.id(name)?.ok_or_else(|| self.missing(name))
    }

    /// An affiliate's id: CAKE's own test affiliate is -1.
    pub(super) fn affiliate_id(&self, name: &str) -> Result<Option<i64>> {
        if self.text(name).as_deref() == Some("-1") {
            return Ok(Some(-1));
        }
        self.id(name)?
            .map(|id| i64::try_from(id).map_err(|_| self.wrong_id(name)))
            .transpose()
    }

    /// An amount as CAKE wrote it: the digits themselves, not a binary fraction.
    pub(super) fn amount(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(Value::is_true)
    }

    fn wrong_id(&self, name: &str) -> Error {
        self.answer
            .unexpected("has a value that is no id in ", name)
    }
}

/// The records under `name`; none where it is null or missing.
pub(super) fn records<'a>(
    answer: &Answer<'a>,
    envelope: &Object<'a>,
    name: &str,
) -> Result<Vec<Value<'a>>> {
    match envelope.get(name) {
        None => Ok(Vec::new()),
        Some(value) => value
            .array()
            .ok_or_else(|| answer.unexpected("has no list in ", name)),
    }
}
