//! The properties of a call: whether it may be repeated, where its outcome is asked for, its
//! subject.

use super::super::Request;
use super::super::asked::Asked;
use super::super::certainty::is_overdue;
use super::super::create_postback;
use super::super::older::correction;
use crate::Error;

/// May the request be sent again?
#[derive(Clone, Debug)]
pub(in crate::api) enum Idempotency {
    /// It reads.
    Safe,
    /// It writes, and two such writes cannot be told apart.
    None,
    /// It writes with a unique id, or a note.
    Keyed {
        /// Where its outcome is asked for before it is sent again. Without one, CAKE's deduplication is trusted.
        lookup: Option<Lookup>,
        /// Does it add? Then it is sent once, whatever a look-up says.
        is_sent_once: bool,
    },
}

impl Idempotency {
    /// Where the outcome is asked for.
    pub(in crate::api) fn lookup(&self) -> Option<&Lookup> {
        match self {
            Self::Keyed { lookup, .. } => lookup.as_ref(),
            Self::Safe | Self::None => None,
        }
    }
}

/// The place where the outcome of a write is asked for.
#[derive(Clone, Debug)]
pub(in crate::api) enum Lookup {
    /// Get Click: has the click converted?
    Click(Request),
    /// The conversion report: does it have the unique id?
    Report(Request),
    /// The changes on the offer: does the conversion show the correction?
    Changes(Request),
}

impl Lookup {
    /// May a write that the look-up does not find still appear, shortly after it ended so?
    pub(in crate::api) fn may_be_behind(&self, ended: &Error) -> bool {
        match self {
            // Get Click is up to date, but CAKE may still be at work.
            Self::Click(_) => is_overdue(ended),
            // CAKE writes reports later.
            Self::Report(_) => true,
            // A total that is set twice is the same, and what adds is never sent again.
            Self::Changes(_) => false,
        }
    }
}

/// The subject of a call, as far as its answers must have the same.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Subject {
    pub(in crate::api) click_id: String,
    pub(in crate::api) offer_id: u64,
    pub(in crate::api) unique_id: Option<String>,
    pub(in crate::api) correction: Option<correction::Checked>,
    pub(in crate::api) postback: create_postback::Checked,
}

impl Subject {
    pub(in crate::api) fn asked(&self) -> Asked<'_> {
        Asked {
            click_id: &self.click_id,
            offer_id: self.offer_id,
            unique_id: self.unique_id.as_deref(),
        }
    }
}
