//! What came back from CAKE, from status and bytes to an action's own part.

use super::certainty::{Certainty, is_about_the_key, is_limit};
use super::json::{Object, Value, parse_id};
use super::key::redact_and_truncate;
use super::{Account, ApiKey};
use super::{dress, words};
use crate::{Error, Result};

/// An HTTP answer: status, body and what it says about the next call.
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

/// May the body of an answer of this status say in words what is wrong? At most
/// [`MAX_ERROR_BODY_BYTES`] of it count: it may be a whole page.
#[must_use]
pub(crate) fn has_words(status: u16) -> bool {
    matches!(status, 400..=599)
}

/// As much of an error's body is read, in bytes.
pub(crate) const MAX_ERROR_BODY_BYTES: u32 = 16 << 10;

/// The status of an older service's fault, whose words say whether the request was read.
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

    /// How long CAKE asks to wait; see [`super::retry_after_ms`].
    #[must_use]
    pub(crate) fn with_retry_after_ms(mut self, ms: Option<u64>) -> Self {
        self.retry_after_ms = ms;
        self
    }

    /// The body, whatever the status.
    #[cfg(any(test, feature = "forwarder"))]
    pub(crate) fn words(&self) -> &'a str {
        self.body
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
            401 | 403 => Err(self.unauthorized(self.words_of_error().as_deref())),
            429 => Err(self.limited(self.words_of_error().as_deref())),
            _ => {
                let words = self.words_of_error();
                let is_final = matches!(status, 400..=499) && !matches!(status, 408 | 425);
                // The word is the same limit whatever its status.
                if is_final && words.as_deref().is_some_and(is_restricted) {
                    return Err(self.limited(None));
                }
                if is_final && words.as_deref().is_some_and(is_about_the_key) {
                    return Err(self.unauthorized(words.as_deref()));
                }
                let message = self.sentence("CAKE answered with an error status", words.as_deref());
                Err(Error::HttpStatus {
                    status,
                    retry_after_ms,
                    message,
                })
            }
        }
    }

    /// The body of a fault of the older services.
    pub(super) fn body_of_fault(&self) -> Option<&'a str> {
        (self.status == FAULT_STATUS && !self.body.is_empty()).then_some(self.body)
    }

    /// What the body of an error says: a fault's or gateway's words, a page's title, or its text.
    fn words_of_error(&self) -> Option<String> {
        let body = only_object(self.body).unwrap_or(self.body).trim();
        let words = match Object::read(body).map(dress::unwrapped) {
            Some(envelope) => match dress::find(&envelope, "d").and_then(Value::string) {
                Some(text) => Object::read(&text).as_ref().and_then(words::find_words),
                None => words::find_words(&envelope)
                    .or_else(|| dress::find(&envelope, "request_status")?.string()),
            },
            None => match words::read_markup(body) {
                Some(markup) => Some(markup.words),
                None => Some(body.trim_matches('"').to_owned()),
            },
        };
        words.filter(|words| !words.trim().is_empty())
    }

    /// CAKE asks to call less often, in these words.
    fn limited(&self, words: Option<&str>) -> Error {
        let words = words.filter(|words| !is_restricted(words));
        let ours = "CAKE is limiting the rate of requests";
        Error::RateLimited {
            status: self.status,
            retry_after_ms: self.retry_after_ms,
            message: words
                .map_or_else(|| ours.to_owned(), |words| self.sentence(ours, Some(words))),
        }
    }

    /// CAKE does not take the key, in these words.
    fn unauthorized(&self, words: Option<&str>) -> Error {
        Error::Unauthorized {
            status: self.status,
            message: self.sentence("CAKE refused the API key", words),
        }
    }

    /// A sentence of ours and CAKE's words behind it; empty where there are none.
    fn sentence(&self, ours: &str, words: Option<&str>) -> String {
        words.map_or_else(String::new, |words| {
            [ours, ": ", &redact_and_truncate(words, self.key)].concat()
        })
    }

    /// Opens the envelope. CAKE says no with status 200, and its web server with
    /// a page of HTML; what says neither yes nor no, or both, is unexpected.
    pub(crate) fn open(&self) -> Result<Object<'a>> {
        let body = self.body_of_success()?;
        if is_restricted(body) {
            return Err(self.limited(None));
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
        let message = words::find_words(&envelope);
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
        // The word may stand in either.
        if [&message, &word]
            .into_iter()
            .flatten()
            .any(|text| is_restricted(text))
        {
            return Err(self.limited(None));
        }
        let shown = message
            .filter(|message| !message.trim().is_empty())
            .or(word);
        match self.no(is_yes, shown.as_deref()) {
            // Whether a write was recorded it does not say.
            Error::UnexpectedAnswer { .. } => match words::find_error(&envelope) {
                Some(error) => Err(self.unexpected("says neither yes nor no: ", &error)),
                None => Ok(envelope),
            },
            error => Err(error),
        }
    }

    /// A no in a list of its own is one. A yes there is no answer of CAKE's: nothing may count as recorded by it.
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

    /// What an answer that is no yes says: a no, or only words.
    pub(crate) fn no(&self, said: Option<bool>, words: Option<&str>) -> Error {
        let words = words.unwrap_or_default();
        if is_restricted(words) {
            return self.limited(None);
        }
        if is_about_the_key(words) {
            return self.unauthorized(Some(words));
        }
        match said {
            None => self.unexpected("says neither yes nor no: ", words),
            Some(_) if words.is_empty() => Error::Refused {
                message: "CAKE said no without a message".into(),
            },
            Some(_) => self.refused(words),
        }
    }

    /// Neither XML nor JSON: the older services' one word, or something else.
    pub(super) fn not_markup(&self, body: &str) -> Error {
        match self.no(None, Some(body.trim())) {
            Error::UnexpectedAnswer { .. } => self.unexpected("is not XML: ", body),
            error => error,
        }
    }

    /// Markup of another kind, such as a page of the web server's: its words are shown.
    pub(super) fn unexpected_markup(&self, rule: &str, body: &str) -> Error {
        let words = words::read_markup(body).map(|markup| markup.words);
        self.unexpected(rule, words.as_deref().unwrap_or(body))
    }

    /// Not JSON: what the older services and the web server say in markup.
    fn not_json(&self, body: &str) -> Error {
        // A list, `null`, a word: JSON, but no answer of CAKE's.
        let is_bare =
            body.trim_start().starts_with('[') || matches!(body.trim(), "null" | "true" | "false");
        if is_bare && Object::read(&["{\"value\":", body, "}"].concat()).is_some() {
            return self.unexpected("is JSON of another shape: ", body);
        }
        let Some(markup) = words::read_markup(body).filter(|markup| !markup.is_plain) else {
            return self.unexpected("is not JSON: ", body);
        };
        match markup.success {
            Some(false) => self.no(Some(false), Some(&markup.words)),
            _ if is_restricted(&markup.words) => self.no(None, Some(&markup.words)),
            _ => self.unexpected("is not JSON: ", &markup.words),
        }
    }

    /// A no, by its words or by its status, beside a yes or the record of a
    /// conversion says both: it is unexpected.
    pub(super) fn contradicted(&self, error: Error) -> Error {
        if is_limit(&error) || Certainty::from_error(&error) == Certainty::Unknown {
            return error;
        }
        let envelope = Object::read(self.body).map(dress::unwrapped);
        let says_yes = envelope.is_some_and(|envelope| {
            let has_yes = dress::find(&envelope, "success").is_some_and(dress::is_yes)
                || dress::find(&envelope, "request_status")
                    .and_then(Value::string)
                    .is_some_and(|word| word.trim().eq_ignore_ascii_case("success"));
            has_yes
                || Record::of_answer(self, envelope, "conversion", "conversion_id")
                    .is_ok_and(|record| record.id("conversion_id").is_some())
        });
        let is_markup_yes =
            || words::read_markup(self.body).is_some_and(|markup| markup.success == Some(true));
        if !says_yes && !is_markup_yes() {
            return error;
        }
        let status = self.status.to_string();
        self.unexpected(
            &["says no (status ", &status, ") and yes: "].concat(),
            self.body,
        )
    }

    /// CAKE says no, in these words.
    pub(crate) fn refused(&self, words: &str) -> Error {
        Error::Refused {
            message: ["CAKE said: ", &redact_and_truncate(words, self.key)].concat(),
        }
    }

    /// Something of the documented shape is not there: which it is, and the words that came instead.
    pub(super) fn lacks(&self, what: &str, name: &str) -> Error {
        let envelope = Object::read(self.body.trim()).map(dress::unwrapped);
        match envelope.as_ref().and_then(words::find_words) {
            Some(words) => self.unexpected(&[what, name, ": "].concat(), &words),
            None => self.unexpected(what, name),
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

/// The names that say whose a conversion is.
const IDENTITY: [&str; 4] = ["conversion_id", "click_id", "offer_id", "unique_id"];

/// What stands around a record or a list in some answers.
const WRAPPERS: [&str; 3] = ["response", "data", "result"];

/// The one object of a list of one: `[{…}]`, also as `{"d":[{…}]}`.
fn only_object(body: &str) -> Option<&str> {
    let inner = body.trim().strip_prefix('[')?.strip_suffix(']')?;
    Object::read(inner.trim()).map(|_| inner)
}

/// The older generation's one word for "too many requests".
pub(super) fn is_restricted(text: &str) -> bool {
    text.trim()
        .trim_matches(['"', '.', '!'])
        .eq_ignore_ascii_case("restricted")
}

/// The fields of one record in an answer; a wrong one is an error that names it.
pub(super) struct Record<'a, 'b> {
    answer: &'b Answer<'a>,
    fields: Object<'a>,
    /// What stands around the record, where it stands in something.
    around: Option<Object<'a>>,
}

impl<'a, 'b> Record<'a, 'b> {
    /// The one record of an answer: under `name`, in the envelope or in what some services put
    /// around it, or the envelope itself where it has the record's `id`.
    pub(super) fn of_answer(
        answer: &'b Answer<'a>,
        envelope: Object<'a>,
        name: &str,
        id: &str,
    ) -> Result<Self> {
        let mut holder = envelope;
        for _ in 0..4 {
            if [name, id]
                .iter()
                .any(|each| dress::contradicts_itself(&holder, each))
            {
                return Err(answer.unexpected("says two things in `", &[name, "`"].concat()));
            }
            if let Some(fields) = dress::find(&holder, name).and_then(Value::object) {
                let id_of = |fields| dress::find(fields, id).and_then(Value::text);
                if id_of(&holder).is_some_and(|outer| id_of(&fields) != Some(outer)) {
                    return Err(answer.unexpected("says two things of its ", id));
                }
                return Ok(Self {
                    answer,
                    fields,
                    around: Some(holder),
                });
            }
            if dress::find(&holder, id).is_some() && !dress::has(&holder, name) {
                return Ok(Self::from_fields(answer, holder));
            }
            let inner = WRAPPERS
                .iter()
                .find_map(|wrapper| dress::find(&holder, wrapper)?.object());
            match inner {
                Some(inner) => holder = inner,
                None => break,
            }
        }
        Err(answer.lacks("has no record in ", &["`", name, "`"].concat()))
    }

    /// The same over fields that are read already.
    pub(super) fn from_fields(answer: &'b Answer<'a>, fields: Object<'a>) -> Self {
        Self {
            answer,
            fields,
            around: None,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Value<'a>> {
        dress::find(&self.fields, name)
    }

    /// Is it named at all, with null too?
    pub(super) fn has(&self, name: &str) -> bool {
        dress::has(&self.fields, name)
    }

    pub(super) fn fields(&self) -> &Object<'a> {
        &self.fields
    }

    /// Does a field say two different things, in the record or around it?
    pub(super) fn contradicts_itself(&self, name: &str) -> bool {
        [Some(&self.fields), self.around.as_ref()]
            .into_iter()
            .flatten()
            .any(|object| dress::contradicts_itself(object, name))
    }

    /// The first of [`IDENTITY`] that says two things, in the record or around it.
    pub(super) fn two_faced(&self) -> Option<&'static str> {
        IDENTITY.into_iter().find(|name| {
            let told = self.told(name);
            let is_same = |one: &str, other: &str| {
                one.eq_ignore_ascii_case(other)
                    || parse_id(one).is_some_and(|id| parse_id(other) == Some(id))
            };
            let first = told.first().map(String::as_str).unwrap_or_default();
            self.contradicts_itself(name) || told.iter().any(|other| !is_same(first, other))
        })
    }

    /// Whose record it is, by one of the names of [`IDENTITY`]: in the record, in
    /// a part of it (`offer: { offer_id }`), or around it. Absent where it says
    /// nothing, as .NET's 0 does.
    pub(super) fn identity(&self, name: &str) -> Option<String> {
        self.told(name).into_iter().next()
    }

    /// All that it says of a name.
    fn told(&self, name: &str) -> Vec<String> {
        let part = name.strip_suffix("_id").unwrap_or(name);
        [Some(&self.fields), self.around.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|object| {
                let inner = dress::find(object, part)
                    .and_then(Value::object)
                    .and_then(|inner| dress::find(&inner, name).and_then(Value::text));
                [dress::find(object, name).and_then(Value::text), inner]
            })
            .flatten()
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty() && parse_id(text) != Some(0))
            .collect()
    }

    pub(super) fn missing(&self, name: &str) -> Error {
        self.answer.unexpected("has no ", name)
    }

    /// A text, or a number's digits; absent where it is null, missing or neither.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::text)
    }

    /// A whole number from 0, which CAKE writes as a number or as text.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        parse_id(self.text(name)?.trim())
    }

    /// How many rows a list has in all, by any of its names.
    pub(super) fn total_rows(&self) -> Option<u64> {
        [
            "total_rows",
            "total_row_count",
            "row_count",
            "total_count",
            "total",
        ]
        .iter()
        .find_map(|name| self.count(name))
    }

    /// An id; absent where it is 0, as .NET writes "none", or no id at all.
    pub(super) fn id(&self, name: &str) -> Option<u64> {
        self.count(name).filter(|id| *id > 0)
    }

    /// The same where it must be there.
    pub(super) fn required_id(&self, name: &str) -> Result<u64> {
        self.id(name).ok_or_else(|| self.missing(name))
    }

    /// The offer, whether its id stands in the record or in its `offer`.
    pub(super) fn offer_id(&self) -> Option<u64> {
        parse_id(&self.identity("offer_id")?)
    }

    /// An affiliate's id: CAKE's own test affiliate is -1.
    pub(super) fn affiliate_id(&self, name: &str) -> Option<i64> {
        if self.text(name)?.trim() == "-1" {
            return Some(-1);
        }
        i64::try_from(self.id(name)?).ok()
    }

    /// An amount as CAKE wrote it: the digits themselves, not a binary fraction.
    pub(super) fn amount(&self, name: &str) -> Option<String> {
        dress::amount(self.get(name)?)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(dress::is_yes)
    }
}

/// The record of an answer that has the list of this name: `response`, `data`
/// in it, or the envelope itself; with the list's length, wherever that stands.
pub(super) fn list_holder<'a, 'b>(
    answer: &'b Answer<'a>,
    name: &str,
) -> Result<(Record<'a, 'b>, Option<u64>)> {
    let mut record = Record::from_fields(answer, answer.open()?);
    let mut total_rows = record.total_rows();
    let mut levels = 0..4;
    while !record.has(name) {
        let inner = WRAPPERS
            .iter()
            .find_map(|wrapper| record.get(wrapper)?.object());
        match inner {
            Some(inner) if levels.next().is_some() => record = Record::from_fields(answer, inner),
            // A length without a list is an empty one.
            None if total_rows == Some(0) => break,
            _ => return Err(answer.lacks("has no list in ", name)),
        }
        total_rows = record.total_rows().or(total_rows);
    }
    // Of two lists none is the one.
    let lists = record.fields().entries();
    if lists
        .filter(|(each, _)| dress::is_same_name(each, name))
        .count()
        > 1
    {
        return Err(answer.unexpected("says two things in `", &[name, "`"].concat()));
    }
    Ok((record, total_rows))
}

/// The records of a list, each with its JSON; none where it is null or missing. `row` is what one
/// is called. What is no record is passed over: its neighbours come.
pub(super) fn records<'a, 'b>(
    answer: &'b Answer<'a>,
    envelope: &Object<'a>,
    name: &str,
    row: &str,
) -> Result<Vec<(Record<'a, 'b>, Value<'a>)>> {
    Ok(list_of(answer, envelope, name, row)?
        .into_iter()
        .filter_map(|row| Some((Record::from_fields(answer, row.object()?), row)))
        .collect())
}

/// Has the list anything that is no record, which [`records`] passes over?
pub(super) fn has_unread_rows(
    answer: &Answer<'_>,
    envelope: &Object<'_>,
    name: &str,
    row: &str,
) -> Result<bool> {
    let list = list_of(answer, envelope, name, row)?;
    Ok(list.into_iter().any(|row| row.object().is_none()))
}

fn list_of<'a>(
    answer: &Answer<'_>,
    envelope: &Object<'a>,
    name: &str,
    row: &str,
) -> Result<Vec<Value<'a>>> {
    envelope
        .entries()
        .find(|(each, _)| dress::is_same_name(each, name))
        .map_or_else(|| Some(Vec::new()), |(_, value)| dress::rows(value, row))
        .ok_or_else(|| answer.lacks("has no list in ", name))
}

#[cfg(test)]
mod tests;
