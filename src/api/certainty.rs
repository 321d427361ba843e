//! The certainty about a write, after an answer or without one: the one table, for the client and
//! the forwarder alike.
//!
//! | CAKE answers a write | it is |
//! | --- | --- |
//! | success, with a readable record of a conversion id of 1 or more | recorded |
//! | a no: `success: false`, another `request_status`, 4xx | not recorded by this request |
//! | 425, 429, `Restricted`, a limit in words | not recorded: it was not looked at |
//! | success without a readable record; neither yes nor no; yes and no, by status or words | unknown |
//! | a no whose words say success, or that it is none for good, or that it was not saved, without a reason | unknown |
//! | success with a word or a flag that it is discarded or not recorded, without one of a duplicate | unknown |
//! | success with the record of another click, offer or unique id | unknown |
//! | success with a record, beside words or a flag of a duplicate, unless the record has this unique id | unknown |
//! | a correction's success with the id of another conversion, or a count of nothing | unknown |
//! | a field that stands there twice and says two things | unknown |
//! | HTML, another text, an empty body, no UTF-8, JSON that ends too soon | unknown |
//! | a redirect, 408, 5xx, any other status | unknown |
//! | nothing, too late, cut off, too large | unknown |
//!
//! A no to a later request says nothing about an earlier one: an unknown outcome stays unknown
//! until a look-up settles it.

pub(super) mod words;

use self::words::{
    is_away_in_words, is_negation, is_no_host_in_words, is_passing_in_words, is_unsaved_in_words,
    words,
};
use super::said::{OF_CAKE, words_of};
use crate::{Barrier, Error};

/// The certainty about a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// CAKE has recorded it: there is no error to ask about.
    #[cfg(test)]
    Recorded,
    /// This request has recorded nothing.
    NotRecorded,
    /// It may be recorded.
    Unknown,
}

impl Certainty {
    /// The certainty from a write's result. The error is the reading of an answer, or the reason
    /// why there is none.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn from_result<T>(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Recorded,
            Err(error) => Self::from_error(error),
        }
    }

    /// The certainty from an error.
    #[must_use]
    pub(crate) fn from_error(error: &Error) -> Self {
        match error {
            Error::HttpStatus { status, .. } if !(400..=499).contains(status) || *status == 408 => {
                Self::Unknown
            }
            Error::Network { .. }
            | Error::Timeout
            | Error::AnswerTooLarge
            | Error::UnexpectedAnswer { .. }
            | Error::Redirected { .. }
            | Error::OutcomeUnknown { .. } => Self::Unknown,
            // CAKE's no, or a rule of ours before anything was sent.
            _ => Self::NotRecorded,
        }
    }
}

/// Does CAKE say that it has not looked at the request? That is no refusal: the same request can be
/// sent again later.
#[must_use]
pub(crate) fn is_limit(error: &Error) -> bool {
    matches!(
        error,
        Error::RateLimited { .. } | Error::HttpStatus { status: 425, .. }
    )
}

/// Does an answer say that CAKE serves nobody for the moment? It says nothing of the key, the account or the request.
#[must_use]
pub(super) fn is_away(error: &Error) -> bool {
    let words = words_of(error);
    match error {
        Error::Unavailable { .. } => true,
        Error::Refused { .. } => is_passing_in_words(words) || is_unsaved_in_words(words),
        Error::Unauthorized { by, .. } => *by == Barrier::Away,
        Error::UnexpectedAnswer { .. } | Error::HttpStatus { .. } => is_away_in_words(words),
        _ => false,
    }
}

/// Does a web server say that it does not serve the host of this address?
#[must_use]
pub(crate) fn is_no_host(error: &Error) -> bool {
    matches!(error, Error::HttpStatus { .. }) && is_no_host_in_words(words_of(error))
}

/// The error of a question, whatever the status of such an answer: it can be asked again.
#[must_use]
pub(super) fn of_read(error: Error) -> Error {
    if !is_away(&error) || error.is_retryable() {
        return error;
    }
    Error::Unavailable {
        message: error.to_string(),
    }
}

/// Did the time run out before CAKE answered, here or at a gateway in front of it? CAKE may then be
/// at work on the request still. 524, 598 and 599 are gateways' own; 408 is about a request that
/// never came whole.
#[must_use]
pub(super) fn is_overdue(error: &Error) -> bool {
    match error {
        Error::Timeout => true,
        Error::HttpStatus { status, .. } => matches!(status, 504 | 524 | 598 | 599),
        _ => false,
    }
}

/// Does CAKE say that it has the transaction of this unique id already? The words are parsed, not
/// searched. "Already" and "duplicate" occur in other sentences too ("Affiliate has already reached
/// its daily cap"). A click, an order or a conversion may have another one ("Conversion already
/// exists for this click"). A sentence that names an id must name this one.
#[must_use]
pub(crate) fn is_duplicate(error: &Error, unique_id: &str) -> bool {
    let message = match error {
        Error::Refused { message } => message.strip_prefix("CAKE said: ").unwrap_or(message),
        Error::HttpStatus {
            status: 400 | 409 | 422,
            message,
            ..
        } => message
            .strip_prefix(OF_CAKE)
            .and_then(|said| said.strip_prefix(": "))
            .unwrap_or(message),
        _ => return false,
    };
    is_duplicate_in_words(message, unique_id)
}

/// Like [`is_duplicate`], for a message alone.
pub(super) fn is_duplicate_in_words(message: &str, unique_id: &str) -> bool {
    let mut words = words_with_id(message, unique_id.trim())
        .into_iter()
        .peekable();
    if words.clone().any(|word| is_negation(&word)) {
        return false;
    }
    // The pixel's word, and a word that some answers have before it.
    if words
        .next_if(|word| matches!(word.as_str(), "error" | "failure"))
        .is_some()
    {
        words.next_if(|word| word == "code");
    }
    let is_some = words
        .next_if(|word| matches!(word.as_str(), "a" | "an"))
        .is_some();
    while words
        .next_if(|word| matches!(word.as_str(), "this" | "the" | "your"))
        .is_some()
    {}
    if words
        .next_if(|word| matches!(word.as_str(), "duplicate" | "duplicated"))
        .is_some()
    {
        // "Duplicate transaction id ORD-1 received", but no "Duplicate payout rule".
        return eat_transaction(&mut words) && words.all(|word| is_padding(&word));
    }
    // "A transaction already exists" is about some other one.
    if is_some || !eat_transaction(&mut words) {
        return false;
    }
    words.next_if(|word| word == THIS_ID);
    let mut rest =
        words.filter(|word| !matches!(word.as_str(), "is" | "was" | "has" | "been" | "a" | "an"));
    let is_verb = match rest.next().as_deref() {
        Some("duplicate" | "duplicated") => true,
        Some("already") => matches!(
            rest.next().as_deref(),
            Some(
                "exists"
                    | "exist"
                    | "recorded"
                    | "used"
                    | "processed"
                    | "received"
                    | "reported"
                    | "registered"
                    | "submitted"
                    | "converted"
                    | "logged"
                    | "known"
            )
        ),
        _ => false,
    };
    is_verb && rest.all(|word| is_padding(&word))
}

/// Stands for the unique id among words; no message has such a word.
const THIS_ID: &str = "#id";

/// Consumes the name of a transaction: "transaction", "unique id" …
fn eat_transaction(words: &mut core::iter::Peekable<std::vec::IntoIter<String>>) -> bool {
    let Some(noun) = words.next_if(|word| {
        matches!(
            word.as_str(),
            "transaction" | "unique" | "uniqueid" | "transactionid"
        )
    }) else {
        return false;
    };
    let has_id = words.next_if(|word| word == "id").is_some();
    has_id || noun != "unique"
}

/// May this word follow without a change of the sentence's subject?
fn is_padding(word: &str) -> bool {
    matches!(
        word,
        THIS_ID
            | "found"
            | "detected"
            | "received"
            | "ignored"
            | "exists"
            | "before"
            | "in"
            | "the"
            | "system"
            | "database"
            | "and"
            | "was"
            | "is"
    )
}

/// The words of a text, with [`THIS_ID`] for each whole unique id in its own case.
fn words_with_id(text: &str, unique_id: &str) -> Vec<String> {
    let is_part = |character: Option<char>| {
        character.is_some_and(|character| character.is_alphanumeric() || "-_".contains(character))
    };
    let mut found = Vec::new();
    let mut done = 0;
    for (at, _) in text.match_indices(unique_id) {
        let end = at + unique_id.len();
        let before = text.get(done..at).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        let is_inside = is_part(text.get(..at).and_then(|all| all.chars().next_back()))
            || is_part(after.chars().next());
        // A word that only contains it is another id, or no id.
        if !is_inside && !unique_id.is_empty() {
            found.extend(words(before));
            found.push(THIS_ID.to_owned());
            done = end;
        }
    }
    found.extend(words(text.get(done..).unwrap_or_default()));
    found
}

#[cfg(test)]
mod tests;
