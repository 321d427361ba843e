//! The inputs and outputs of an attempt.

use super::{Family, Transition};
use crate::Error;
use crate::api::Answer;

/// A stored event, as far as an attempt needs it. Times are the outbox's clock in milliseconds,
/// except [`Row::accepted_utc_ms`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// Tells the shard's events apart.
    pub(crate) number: u64,
    /// The canonical text.
    pub(crate) text: String,
    /// The civil time of acceptance in the account's zone; empty where unknown.
    pub(crate) accepted_at: String,
    /// The instant of acceptance, in milliseconds since 1970.
    pub(crate) accepted_utc_ms: u64,
    /// The attempts so far.
    pub(crate) attempts: u32,
    /// May an earlier attempt have been recorded?
    pub(crate) is_in_doubt: bool,
    /// Why it is not delivered yet: an error's code.
    pub(crate) code: String,
    /// When it was changed last.
    pub(crate) changed_ms: u64,
}

/// This instance's knowledge of an event that it has accepted or tried itself. Any other event may
/// have an attempt by an object that is gone, and no row tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// No attempt is under way, and none was recorded.
    NotRecorded,
    /// No attempt is under way.
    InDoubt,
    /// Nothing.
    Unknown,
    /// The row is of a copy that was put back: whatever it says, anything may have been sent since.
    Copied,
}

impl Knowledge {
    /// Parses `not_recorded`, `in_doubt` or `copied`; any other word is [`Knowledge::Unknown`].
    #[must_use]
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "not_recorded" => Self::NotRecorded,
            "in_doubt" => Self::InDoubt,
            "copied" => Self::Copied,
            _ => Self::Unknown,
        }
    }

    /// May an object that is gone have an attempt under way?
    #[must_use]
    pub(crate) fn is_of_another(self) -> bool {
        matches!(self, Self::Unknown | Self::Copied)
    }

    /// Must CAKE be asked what became of an earlier attempt, before the event is sent? It does not recognise a repeated
    /// correction. A correction's row notes a send before the send starts, whichever object sends; the row of a copy
    /// knows of no later send.
    #[must_use]
    pub(crate) fn looks_up(
        self,
        is_correction: bool,
        is_in_doubt: bool,
        is_deduplicated: bool,
    ) -> bool {
        if is_correction {
            is_in_doubt || matches!(self, Self::InDoubt | Self::Copied)
        } else {
            !is_deduplicated && (is_in_doubt || self != Self::NotRecorded)
        }
    }
}

/// The facts that an attempt needs beside its row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Does CAKE deduplicate the event's offer by unique id?
    pub(crate) is_deduplicated: bool,
    /// This instance's knowledge of the event.
    pub(crate) knowledge: Knowledge,
    /// From this time on, no attempt of an instance that is gone can be under way. By the outbox's
    /// clock.
    pub(crate) quiet_from_ms: u64,
}

/// The time at a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The outbox's clock, in milliseconds.
    pub(crate) now_ms: u64,
    /// The real time, in milliseconds since 1970.
    pub(crate) utc_ms: u64,
    /// A random number over the whole of `u32`.
    pub(crate) random: u32,
}

/// Another event of the same click and offer in this forwarder, or of the same conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sibling {
    /// Is it certain that nothing was recorded for it?
    pub(crate) is_not_recorded: bool,
    /// Is it delivered?
    pub(crate) is_delivered: bool,
    /// CAKE's id of its conversion, where it is known.
    pub(crate) conversion_id: Option<u64>,
    /// When it was accepted, in milliseconds since 1970; 0 where that is not known.
    pub(crate) accepted_ms: u64,
    /// Its unique id, where it is known.
    pub(crate) unique_id: Option<String>,
    /// Its click id; empty where that is not known.
    pub(crate) click_id: String,
}

/// The next step of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Fetch this URL, which may hold the key, and read at most `limit` bytes.
    Fetch {
        /// The URL. Because of the key it goes to `fetch` alone.
        url: String,
        /// The most bytes to read of the answer.
        limit: u32,
    },
    /// Bring the other events of the same click and offer, and every event that has this conversion.
    AskSiblings {
        /// The conversion that CAKE names, if it names one.
        conversion_id: Option<u64>,
    },
    /// Bring every other event that has this conversion, which CAKE names as this event's.
    AskOthers {
        /// The conversion.
        conversion_id: u64,
    },
    /// Bring a correction's conversion and the conversion's other corrections.
    AskFamily,
    /// Store that the event is in doubt from now on, because it is about to be sent.
    NoteSending,
    /// The attempt is over: change the row.
    Store(Transition),
}

/// The result of the last step.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// An answer came.
    Answered(&'a Answer<'a>),
    /// No answer came, or none that could be read.
    Failed(Error),
    /// The other events that were asked for; `None` where they are unknown.
    Siblings(Option<&'a [Sibling]>),
    /// A correction's conversion and its other corrections; `None` where they are unknown.
    Family(Option<Family>),
    /// The note is stored, or could not be.
    Noted(bool),
}
