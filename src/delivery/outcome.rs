//! The meaning of an answer for one event, as one table. It reads an answer, or its absence.

use super::circuit_breaker::Signal;
use super::route::Route;
use crate::api::asked::Asked;
use crate::api::older::correction::{self, Checked};
use crate::api::record_conversion::{self, Duplicate};
use crate::api::{Answer, Certainty, is_limit, is_no_host, refused_alike};
use crate::{Error, Result};

/// The state of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Due to be sent, for the first time or again.
    Pending,
    /// CAKE has recorded it.
    Delivered,
    /// CAKE refuses it: kept, and can be replayed.
    Refused,
    /// The schedule is used up: kept, and can be replayed.
    Dead,
}

impl State {
    /// The word of the state.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Dead => "dead",
        }
    }
}

/// The meaning of an answer for the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// CAKE has recorded it. The id is there where CAKE told one.
    Recorded(Option<u64>),
    /// CAKE refuses this event, and no retry changes that.
    Refused(Error),
    /// To be sent again. It may have been recorded all the same.
    Again(Error),
    /// The key is refused, or something in front of CAKE refuses.
    KeyRefused(Error),
    /// The address is wrong, or nothing is there any more.
    NotFound(Error),
}

impl Meaning {
    /// Reads the answer to an event. `was_in_doubt` says that an earlier attempt may have been
    /// recorded, whatever a look-up said since. A duplicate then proves it.
    #[must_use]
    pub(crate) fn from_answer(
        route: &Route,
        answer: &Answer<'_>,
        asked: Asked<'_>,
        was_in_doubt: bool,
    ) -> Self {
        let read = match route {
            Route::Api(_) => record_conversion::read_id_for(answer, asked).map(Some),
            Route::Pixel(..) => read_pixel(answer),
        };
        let error = match read {
            Ok(conversion_id) => return Self::Recorded(conversion_id),
            Err(error) => error,
        };
        let (error, before) = match route {
            Route::Api(_) => (error, record_conversion::find_duplicate(answer, asked)),
            Route::Pixel(..) => {
                let before = record_conversion::read_duplicate(answer, &error, asked);
                let error = record_conversion::read_no(answer, error, asked);
                (error, before.unwrap_or(Duplicate::No))
            }
        };
        match before {
            Duplicate::Before(conversion_id) if was_in_doubt => Self::Recorded(conversion_id),
            _ => Self::from_error(error),
        }
    }

    /// Reads the answer to a correction. An account without older services tells nothing of its
    /// conversions, so a missing address is this correction's own failure.
    #[must_use]
    pub(crate) fn from_correction_answer(answer: &Answer<'_>, checked: &Checked) -> Self {
        match correction::read(answer, checked) {
            Ok(done) => Self::Recorded(done.conversion_id),
            Err(error) => match Self::from_error(error) {
                Self::NotFound(error) => Self::Refused(error),
                other => other,
            },
        }
    }

    /// The meaning of an attempt's error.
    #[must_use]
    pub(crate) fn from_error(error: Error) -> Self {
        match &error {
            Error::Unauthorized { .. } => Self::KeyRefused(error),
            Error::HttpStatus { status, .. }
                if is_about_the_address(*status) || *status == 400 && is_no_host(&error) =>
            {
                Self::NotFound(error)
            }
            _ if is_limit(&error) => Self::Again(error),
            _ if Certainty::from_error(&error) == Certainty::Unknown => Self::Again(error),
            // An event that cannot even be sent is refused too.
            _ => Self::Refused(error),
        }
    }

    /// The meaning of a failed look-up. CAKE's no, or a missing address, tells nothing of the
    /// event.
    #[must_use]
    pub(crate) fn from_failed_lookup(error: Error) -> Self {
        match Self::from_error(error) {
            Self::Refused(error) | Self::NotFound(error) => {
                let message = match error {
                    Error::Refused { message } => message,
                    other => other.to_string(),
                };
                Self::Again(Error::UnexpectedAnswer { message })
            }
            other => other,
        }
    }

    /// Its effect on the whole shard.
    #[must_use]
    pub(crate) fn signal(&self) -> Signal {
        match self {
            Self::Refused(error) => {
                refused_alike(error).map_or(Signal::Healthy, Signal::RefusedAlike)
            }
            Self::Recorded(_) => Signal::Healthy,
            Self::KeyRefused(_) => Signal::KeyRefused,
            Self::NotFound(_) => Signal::NotFound,
            Self::Again(error) => match error {
                Error::RateLimited { retry_after_ms, .. }
                | Error::HttpStatus {
                    status: 425,
                    retry_after_ms,
                    ..
                } => Signal::Limited(*retry_after_ms),
                _ => Signal::Failing,
            },
        }
    }

    /// Is a person needed? Usually for a wrong domain, or a firewall.
    #[must_use]
    pub(crate) fn is_alert(&self) -> bool {
        matches!(
            self,
            Self::Again(Error::UnexpectedAnswer { .. } | Error::Redirected { .. })
        )
    }

    /// Was the address not even reached? A person is needed where it never was: its name or its certificate is wrong,
    /// or nothing listens there.
    #[must_use]
    pub(crate) fn is_unreached(&self) -> bool {
        match self {
            Self::Again(Error::HttpStatus { status, .. }) => is_of_no_way(*status),
            Self::Again(error) => matches!(error, Error::Network { .. } | Error::Timeout),
            _ => false,
        }
    }
}

/// Is this a status by which Cloudflare itself says that it cannot reach the address: refused, no TLS, no such name?
fn is_of_no_way(status: u16) -> bool {
    matches!(status, 521..=527 | 530)
}

/// Is this status about the address rather than the event? If every event gets it, the address is
/// wrong or the account is closed, and the events are not refused.
fn is_about_the_address(status: u16) -> bool {
    matches!(status, 402 | 404 | 405 | 406 | 407 | 410 | 421 | 426 | 451)
}

/// Reads the answer of `p.ashx`: SUCCESS or FAILURE as its first word. Any other text is its web
/// server's, and tells nothing.
fn read_pixel(answer: &Answer<'_>) -> Result<Option<u64>> {
    let body = match answer.body_of_success() {
        Ok(body) => body,
        // A SUCCESS with an error status contradicts itself.
        Err(error)
            if Certainty::from_error(&error) == Certainty::NotRecorded
                && is_word(first_word(answer.body()).0, "SUCCESS") =>
        {
            return Err(answer.unexpected("says SUCCESS with an error status: ", answer.body()));
        }
        Err(error) => return Err(error),
    };
    let (word, rest) = first_word(body);
    match word {
        _ if is_success(body) => Ok(None),
        _ if is_word(word, "FAILURE") => Err(
            match answer.no(Some(false), Some(rest.trim_matches([':', ' ']))) {
                error @ Error::RateLimited { .. } => error,
                _ => answer.refused(body.trim()),
            },
        ),
        _ => Err(match answer.open() {
            Err(
                error @ (Error::Refused { .. }
                | Error::RateLimited { .. }
                | Error::Unauthorized { .. }),
            ) => error,
            _ => answer.unexpected("is neither SUCCESS nor FAILURE: ", body),
        }),
    }
}

/// Splits a text into its first word and the rest.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.find(|character: char| {
        !character.is_ascii_alphanumeric() && character.is_ascii() && character != '_'
    })
    .map_or((text, ""), |at| text.split_at(at))
}

fn is_word(word: &str, other: &str) -> bool {
    word.eq_ignore_ascii_case(other)
}

fn is_success(text: &str) -> bool {
    let (word, rest) = first_word(text);
    is_word(word, "SUCCESS") && is_quiet(rest)
}

/// May this text stand behind SUCCESS? Marks and white space may, and after them an id and dates.
/// Words could take the yes back ("SUCCESS: not reached"), and so could a zero ("SUCCESS=0"), a
/// number below it ("SUCCESS: -1") or a question mark.
fn is_quiet(rest: &str) -> bool {
    // A dash joins words, or stands between spaces; before a number alone it is a minus.
    let joined = rest.strip_prefix('-').unwrap_or(rest);
    let id = joined.trim_start_matches(|mark: char| {
        mark.is_ascii_whitespace() || ['.', '!', ':', ',', ';', '|'].contains(&mark)
    });
    let id = id.strip_prefix("- ").map_or(id, str::trim_start);
    if id.trim().is_empty() {
        return true;
    }
    if id.len() == rest.len() {
        return false;
    }
    let mut words = id.split_ascii_whitespace();
    let is_value = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_hexdigit())
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().all(|byte| {
                byte.is_ascii_hexdigit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z')
            })
    };
    let is_zero = |word: &str| !word.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    words.clone().next().is_some_and(|first| !is_zero(first)) && words.all(is_value)
}

#[cfg(test)]
mod tests;
