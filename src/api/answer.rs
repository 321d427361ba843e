//! An answer of CAKE's, from status and bytes to an action's own part.

pub(super) mod record;

use super::certainty::Certainty;
use super::certainty::words::{
    is_about_the_account, is_about_the_key, is_away_in_words, is_limit_in_words, is_no_in_words,
    is_no_refusal_in_words, is_trouble_in_words, is_unsaved_in_words, is_yes_in_words,
    names_its_event,
};
use super::contents::Contents;
use super::json::{Object, Value, is_json};
use super::key::redact_and_truncate;
use super::said::{OF_CAKE, OF_PAGE, words_of};
use super::{Account, ApiKey};
use super::{dress, message};
use crate::{Barrier, Error, Result};

/// An HTTP answer: status, body and the wait before the next call.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    status: u16,
    body: &'a str,
    retry_after_ms: Option<u64>,
    key: Option<&'a ApiKey>,
}

/// Is the body of an answer of this status read as an action's own?
#[must_use]
pub(crate) fn has_body(status: u16) -> bool {
    matches!(status, 200..=299)
}

/// May the body of an answer of this status have a message? At most [`MAX_ERROR_BODY_BYTES`] of it
/// count: it may be a whole page.
#[must_use]
pub(crate) fn has_message(status: u16) -> bool {
    matches!(status, 400..=599)
}

/// The most bytes of an error's body that are read.
pub(crate) const MAX_ERROR_BODY_BYTES: u32 = 16 << 10;

/// The status of an older service's fault: its message says whether the request was read.
const FAULT_STATUS: u16 = 500;

impl<'a> Answer<'a> {
    /// An answer of this HTTP status with this body.
    #[must_use]
    pub fn new(status: u16, body: &'a str) -> Self {
        Self {
            status,
            body: body.trim_start_matches('\u{feff}'),
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

    /// The wait that CAKE asks for; see [`super::retry_after_ms`].
    #[must_use]
    pub(crate) fn with_retry_after_ms(mut self, ms: Option<u64>) -> Self {
        self.retry_after_ms = ms;
        self
    }

    /// The body, whatever the status.
    pub(crate) fn body(&self) -> &'a str {
        self.body
    }

    /// The body of an answer with a success's status.
    pub(crate) fn body_of_success(&self) -> Result<&'a str> {
        let Self {
            status,
            retry_after_ms,
            ..
        } = *self;
        match status {
            200..=299 => Ok(self.body),
            0 | 300..=399 => Err(Error::Redirected { status }),
            401 | 403 => Err(self.unauthorized(self.error_message().as_deref())),
            429 => Err(self.limited(self.error_message().as_deref())),
            _ => {
                let message = self.error_message();
                let is_final = matches!(status, 400..=499) && !matches!(status, 408 | 425);
                // The word means the same limit, whatever the status.
                if is_final && message.as_deref().is_some_and(is_limit_in_words) {
                    return Err(self.limited(message.as_deref()));
                }
                if is_final && message.as_deref().is_some_and(is_about_the_account) {
                    return Err(self.unauthorized(message.as_deref()));
                }
                let is_page = message::read_markup(self.body).is_some_and(|markup| markup.is_plain);
                let ours = if is_page { OF_PAGE } else { OF_CAKE };
                Err(Error::HttpStatus {
                    status,
                    retry_after_ms,
                    message: self.sentence(ours, message.as_deref()),
                })
            }
        }
    }

    /// The body of a fault of the older services.
    pub(super) fn body_of_fault(&self) -> Option<&'a str> {
        (self.status == FAULT_STATUS && !self.body.is_empty()).then_some(self.body)
    }

    /// The message in the body of an error: that of a fault or a gateway, a page's title, or its
    /// text.
    fn error_message(&self) -> Option<String> {
        let body = only_object(self.body).unwrap_or(self.body).trim();
        let message = match Object::read(body).map(dress::unwrapped) {
            Some(envelope) => {
                if let Some(text) = dress::find(&envelope, "d").and_then(Value::string) {
                    Object::read(&text).as_ref().and_then(message::find_message)
                } else {
                    message_of_error(&envelope)
                }
            }
            None => match message::read_markup(body) {
                Some(markup) => Some(markup.message),
                None => Some(body.trim_matches('"').to_owned()),
            },
        };
        message.filter(|message| !message.trim().is_empty())
    }

    /// The error for CAKE's demand to call less often, with its message.
    fn limited(&self, message: Option<&str>) -> Error {
        let message = message.filter(|message| !message::is_restricted(message));
        let ours = "CAKE is limiting the rate of requests";
        Error::RateLimited {
            status: self.status,
            retry_after_ms: self.retry_after_ms,
            message: message.map_or_else(
                || ours.to_owned(),
                |message| self.sentence(ours, Some(message)),
            ),
        }
    }

    /// The error for a key, an account or an address that is not let in, with its message.
    fn unauthorized(&self, message: Option<&str>) -> Error {
        let by = self.barrier(message.unwrap_or_default());
        Error::Unauthorized {
            status: self.status,
            by,
            message: self.sentence(by.sentence(), message),
        }
    }

    /// What has refused the request. CAKE's API answers with an envelope, whatever the status. A firewall or a proxy answers
    /// with a page, a word or nothing.
    fn barrier(&self, message: &str) -> Barrier {
        let markup = message::read_markup(self.body);
        let is_page = markup.as_ref().is_some_and(|markup| markup.is_plain);
        let is_envelope = markup.is_some() || is_json(self.body);
        match self.status {
            _ if is_away_in_words(message) => Barrier::Away,
            _ if is_about_the_key(message) => Barrier::Key,
            _ if is_page => Barrier::Front,
            401 if !is_about_the_account(message) => Barrier::Key,
            400.. if !is_envelope => Barrier::Front,
            _ => Barrier::Account,
        }
    }

    /// A sentence of ours, then CAKE's message; empty where there is none.
    fn sentence(&self, ours: &str, message: Option<&str>) -> String {
        message.map_or_else(String::new, |message| {
            [ours, ": ", &redact_and_truncate(message, self.key)].concat()
        })
    }

    /// Opens the envelope. CAKE refuses with status 200, and its web server with a page of HTML. An
    /// answer that is neither yes nor no, or both, is unexpected.
    pub(crate) fn open(&self) -> Result<Object<'a>> {
        let body = self.body_of_success()?;
        if is_limit_in_words(body) {
            return Err(self.limited(Some(body)));
        }
        if let Some(only) = only_object(body) {
            return Err(self.open_only(only));
        }
        let envelope = Object::read(body)
            .map(dress::unwrapped)
            .ok_or_else(|| self.not_json(body))?;
        // Some services of .NET write the whole answer as one text.
        if let Some(text) = dress::find(&envelope, "d").and_then(Value::string)
            && Object::read(&text).is_some()
        {
            let inner = Answer {
                body: &text,
                ..*self
            };
            return Err(inner
                .open()
                .err()
                .unwrap_or_else(|| self.unexpected("is inside of a text: ", &text)));
        }
        if let Some(only) = envelope.get("d").and_then(|d| only_object(d.json())) {
            return Err(self.open_only(only));
        }
        let message = message::find_message(&envelope);
        let unclear = || self.unexpected("says neither yes nor no: ", body);
        if ["success", "request_status"]
            .iter()
            .any(|name| dress::contradicts_itself(&envelope, name))
        {
            return Err(unclear());
        }
        let success = match dress::find(&envelope, "success") {
            None => None,
            Some(value) if dress::is_yes(value) => Some(true),
            Some(value) if dress::is_no(value) => Some(false),
            Some(_) => return Err(unclear()),
        };
        let word = match dress::find(&envelope, "request_status") {
            None => None,
            Some(value) => Some(value.string().ok_or_else(unclear)?),
        };
        let word = word.filter(|word| !word.trim().is_empty());
        let status = word
            .as_deref()
            .map(|word| word.trim().eq_ignore_ascii_case("success"));
        let is_yes = match (success, status) {
            (Some(true), Some(false)) | (Some(false), Some(true)) => return Err(unclear()),
            (one, other) => one.or(other),
        };
        if is_yes == Some(true) {
            return Ok(envelope);
        }
        // Either of them may hold the word.
        for text in [&message, &word].into_iter().flatten() {
            if is_limit_in_words(text) {
                return Err(self.limited(Some(text)));
            }
        }
        let message = message.filter(|message| !message.trim().is_empty());
        let is_bare = message.as_deref().is_none_or(message::is_generic);
        let below = || message::find_below(&envelope).filter(|_| is_yes == Some(false) && is_bare);
        let message = below().or(message);
        if is_yes == Some(false)
            && message.as_deref().is_none_or(message::is_generic)
            && let Some(words) = message::find_sentence(&envelope)
        {
            return Err(self.no_elsewhere(&words));
        }
        let shown = message.or(word);
        match self.no(is_yes, shown.as_deref()) {
            // It does not say whether a write was recorded.
            Error::UnexpectedAnswer { .. } => match message::find_error(&envelope) {
                Some(error) => Err(self.unexpected("says neither yes nor no: ", &error)),
                None => Ok(envelope),
            },
            error => Err(error),
        }
    }

    /// A no in a list of its own counts. A yes there is no answer of CAKE's: it must not count as
    /// recorded.
    fn open_only(&self, body: &'a str) -> Error {
        match (Self { body, ..*self }).open() {
            Err(
                error @ (Error::Refused { .. }
                | Error::RateLimited { .. }
                | Error::Unauthorized { .. }),
            ) => error,
            _ => self.unexpected("is JSON of another shape: ", self.body),
        }
    }

    /// The error of an answer that is no yes: a refusal, or only a message.
    pub(crate) fn no(&self, said: Option<bool>, message: Option<&str>) -> Error {
        let message = message.unwrap_or_default();
        if is_limit_in_words(message) {
            return self.limited(Some(message));
        }
        if is_about_the_account(message) {
            return self.unauthorized(Some(message));
        }
        match said {
            None => self.unexpected("says neither yes nor no: ", message),
            Some(_) if message.is_empty() => Error::Refused {
                message: "CAKE said no without a message".into(),
            },
            Some(_) => self.refused(message),
        }
    }

    /// The refusal whose words stand elsewhere than a message. They are shown, and prove nothing:
    /// they may be about something else.
    fn no_elsewhere(&self, words: &str) -> Error {
        match self.no(Some(false), Some(words)) {
            Error::Refused { .. } => Error::Refused {
                message: ["CAKE said no: ", &redact_and_truncate(words, self.key)].concat(),
            },
            error => error,
        }
    }

    /// Neither XML nor JSON: the older services' one word, or something else.
    pub(super) fn not_markup(&self, body: &str) -> Error {
        match self.no(None, Some(body.trim())) {
            Error::UnexpectedAnswer { .. } => self.unexpected("is not XML: ", body),
            error => error,
        }
    }

    /// Markup of another kind, such as a page of the web server's: its message is shown.
    pub(super) fn unexpected_markup(&self, rule: &str, body: &str) -> Error {
        let message = message::read_markup(body).map(|markup| markup.message);
        self.unexpected(rule, message.as_deref().unwrap_or(body))
    }

    /// Not JSON: the older services and the web server answer in markup.
    fn not_json(&self, body: &str) -> Error {
        // A list, `null`, a word: JSON, but no answer of CAKE's.
        let is_bare =
            body.trim_start().starts_with('[') || matches!(body.trim(), "null" | "true" | "false");
        if is_bare && is_json(body) {
            return self.unexpected("is JSON of another shape: ", body);
        }
        let Some(markup) = message::read_markup(body).filter(|markup| !markup.is_plain) else {
            return self.unexpected("is not JSON: ", body);
        };
        match markup.success {
            Some(false) => self.no(Some(false), Some(&markup.message)),
            _ if is_limit_in_words(&markup.message) => self.no(None, Some(&markup.message)),
            _ => self.unexpected("is not JSON: ", &markup.message),
        }
    }

    /// What the whole answer says; `record` is the name of a record's id.
    pub(super) fn contents(&self, record: &'static str) -> Contents {
        Contents::of_body(self.body, record)
    }

    /// A no, by its message or status, beside a yes or a record is a contradiction, and one that speaks of work that
    /// goes on or of trouble that passes is no refusal: the answer is unexpected. `record` is the name of a record's
    /// id.
    pub(crate) fn contradicted(&self, error: Error, record: &'static str) -> Error {
        if Certainty::from_error(&error) == Certainty::Unknown {
            return error;
        }
        let contents = self.contents(record);
        let is_markup_yes =
            || message::read_markup(self.body).is_some_and(|markup| markup.success == Some(true));
        let own = words_of(&error);
        let says = |is_meant: fn(&str) -> bool| {
            is_meant(own) || contents.words().any(|words| is_meant(words))
        };
        // A limit, a key and an address have their own trouble.
        let is_passing = match &error {
            Error::Refused { .. }
            | Error::HttpStatus {
                status: 400 | 409 | 422,
                ..
            } => {
                contents.is_at_work
                    || says(is_no_refusal_in_words)
                    || (contents.is_out || says(is_unsaved_in_words)) && !says(names_its_event)
            }
            _ => false,
        };
        if is_passing && !says(is_yes_in_words) {
            return self.unexpected("says no, and not for good: ", self.body);
        }
        let is_yes = contents.is_yes
            || !contents.records.is_empty()
            || is_markup_yes()
            || says(is_yes_in_words);
        if !is_yes {
            return error;
        }
        let status = self.status.to_string();
        self.unexpected(
            &["says no (status ", &status, ") and yes: "].concat(),
            self.body,
        )
    }

    /// Checks the answer to a write that says yes, with its record: nothing in it may take the yes
    /// back, and there is one record.
    pub(super) fn check_yes(&self, contents: &Contents) -> Result<()> {
        let no = contents.no.as_deref();
        if let Some(no) = no.or_else(|| contents.message(is_no_in_words)) {
            return Err(self.unexpected("says yes and no: ", no));
        }
        if contents.records.len() > 1 {
            return Err(self.unexpected("has several records: ", self.body));
        }
        Ok(())
    }

    /// Checks the answer to a question: a no below its top counts too. `list` is the list whose
    /// rows are passed over, where they prove nothing.
    pub(super) fn check_read(&self, envelope: &Object<'_>, list: &'static str) -> Result<()> {
        let contents = Contents::around(envelope, list);
        let trouble = contents
            .message(is_trouble_in_words)
            .filter(|_| list.is_empty());
        match contents.no.as_deref().or(trouble) {
            Some(no) => Err(self.no(Some(false), Some(no))),
            None => Ok(()),
        }
    }

    /// The same error of a no, with further words of the answer's.
    pub(super) fn with_words(&self, error: Error, words: &str) -> Error {
        let more =
            |message: String| [&message, "; ", &redact_and_truncate(words, self.key)].concat();
        match error {
            Error::Refused { message } => Error::Refused {
                message: more(message),
            },
            Error::HttpStatus {
                status,
                retry_after_ms,
                message,
            } => Error::HttpStatus {
                status,
                retry_after_ms,
                message: more(message),
            },
            other => other,
        }
    }

    /// The error for CAKE's refusal, with its message.
    pub(crate) fn refused(&self, message: &str) -> Error {
        Error::Refused {
            message: ["CAKE said: ", &redact_and_truncate(message, self.key)].concat(),
        }
    }

    /// The error for a missing part of the documented shape: its name, and the message that came
    /// instead.
    pub(super) fn lacks(&self, what: &str, name: &str) -> Error {
        let envelope = Object::read(self.body.trim()).map(dress::unwrapped);
        match envelope.as_ref().and_then(message::find_message) {
            Some(message) => self.unexpected(&[what, name, ": "].concat(), &message),
            None => self.unexpected(what, name),
        }
    }

    /// The error for another shape than the documented one, with the received text.
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

/// The words of an error's body, wherever they stand.
fn message_of_error(envelope: &Object<'_>) -> Option<String> {
    let own = message::find_message(envelope);
    let told = own.clone().filter(|own| !message::is_generic(own));
    told.or_else(|| message::find_below(envelope))
        // Such words prove nothing: they are not taken for the answer's own.
        .or_else(|| Some(["it says: ", &message::find_sentence(envelope)?].concat()))
        .or(own)
        .or_else(|| dress::find(envelope, "request_status")?.string())
}

/// The one object of a list of one: `[{…}]`, also as `{"d":[{…}]}`.
fn only_object(body: &str) -> Option<&str> {
    let inner = body.trim().strip_prefix('[')?.strip_suffix(']')?;
    Object::read(inner.trim()).map(|_| inner)
}

#[cfg(test)]
mod tests;
