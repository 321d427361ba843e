//! The inputs and outputs of an attempt.

use super::{Family, Transition};
use crate::Error;
use crate::api::Answer;

/// A stored event, as far as an attempt concerns it. Times are the outbox's
/// clock in milliseconds, but for [`Row::accepted_utc_ms`].
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

/// What this instance knows of an event that it has accepted or tried itself.
/// Of all else an object that is gone may have made an attempt that no row tells
/// of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// No attempt is under way, and none was recorded.
    NotRecorded,
    /// No attempt is under way.
    InDoubt,
    /// Nothing.
    Unknown,
}

impl Knowledge {
    /// By its word: `not_recorded`, `in_doubt`; anything else is nothing.
    #[must_use]
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "not_recorded" => Self::NotRecorded,
            "in_doubt" => Self::InDoubt,
            _ => Self::Unknown,
        }
    }
}

/// What an attempt starts from beside its row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Does CAKE deduplicate the event's offer by unique id?
    pub(crate) is_deduplicated: bool,
    /// What this instance knows.
    pub(crate) knowledge: Knowledge,
    /// From when on no attempt of an instance that is gone can be under way, by
    /// the outbox's clock.
    pub(crate) quiet_from_ms: u64,
}

/// The time at a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The outbox's clock, in milliseconds.
    pub(crate) now_ms: u64,
    /// The world's, in milliseconds since 1970.
    pub(crate) utc_ms: u64,
    /// A random number over the whole of `u32`.
    pub(crate) random: u32,
}

/// Another event of the same click and offer that this forwarder has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sibling {
    /// Was nothing recorded for it, for certain?
    pub(crate) is_not_recorded: bool,
    /// Is it delivered?
    pub(crate) is_delivered: bool,
    /// CAKE's id of its conversion, where it is known.
    pub(crate) conversion_id: Option<u64>,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Fetch this URL, which may hold the key, and read at most so many bytes.
    Fetch {
        /// The URL: it goes to `fetch` and nowhere else.
        url: String,
        /// The most bytes that are read of the answer.
        limit: u32,
    },
    /// Tell the other events of the same click and offer.
    AskSiblings,
    /// Tell a correction's conversion and the conversion's other corrections.
    AskFamily,
    /// Store that the event is in doubt from now on: it is about to be sent.
    NoteSending,
    /// The attempt is over: change the row.
    Store(Transition),
}

/// What happened since the last step.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// An answer came.
    Answered(&'a Answer<'a>),
    /// None came, or none that could be read.
    Failed(Error),
    /// The other events of the click; `None` where they cannot be told.
    Siblings(Option<&'a [Sibling]>),
    /// What a correction waits for; `None` where it cannot be told.
    Family(Option<Family>),
    /// The note is stored, or could not be.
    Noted(bool),
}
