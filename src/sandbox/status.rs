//! The status changes of a conversion: approve, reject, reverse. Only an approved conversion is
//! owed.
//!
//! [`moves`] lists the allowed changes, so that no view has rules of its own.

use super::Network;
use super::fixture::PostbackEvent;
use super::plan::{Decided, HttpAnswer, IncomingRequest, Plan, Rows, Stop, Write};
use super::postback::Audience;
use super::row::ConversionRow;
use serde::Serialize;
use serde_json::json;

/// The statuses in CAKE's article, and the status after a refund's correction.
pub(super) const WORDS: [&str; 6] = [
    "approved", "pending", "rejected", "reversed", "returned", "ignored",
];

/// A status change by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Approve,
    Reject,
    Reverse,
}

/// A status, and the moves from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StatusMoves {
    /// CAKE's word, such as `pending`.
    pub(crate) conversion_status: &'static str,
    /// The allowed moves.
    pub(crate) moves: Vec<StatusMove>,
}

/// A move that a person may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StatusMove {
    /// The last part of its route: `approve`, `reject` or `reverse`.
    pub(crate) verb: &'static str,
    /// The status after the move.
    pub(crate) leads_to: &'static str,
}

/// Every status with its moves, in their usual order.
#[must_use]
pub(crate) fn moves() -> Vec<StatusMoves> {
    WORDS
        .iter()
        .map(|&conversion_status| StatusMoves {
            conversion_status,
            moves: Move::ALL
                .iter()
                .filter(|each| each.starts_from().contains(&conversion_status))
                .map(|each| StatusMove {
                    verb: each.verb(),
                    leads_to: each.leads_to().0,
                })
                .collect(),
        })
        .collect()
}

impl Move {
    const ALL: [Self; 3] = [Self::Approve, Self::Reject, Self::Reverse];

    fn verb(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Reverse => "reverse",
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.verb() == word)
    }

    /// The statuses in which the move is allowed *(inference)*: a paid conversion is reversed, not
    /// rejected.
    fn starts_from(self) -> &'static [&'static str] {
        match self {
            Self::Approve => &["pending", "rejected", "ignored", "reversed", "returned"],
            Self::Reject => &["pending", "ignored"],
            Self::Reverse => &["approved"],
        }
    }

    fn leads_to(self) -> (&'static str, PostbackEvent) {
        match self {
            Self::Approve => ("approved", PostbackEvent::Approval),
            Self::Reject => ("rejected", PostbackEvent::Rejection),
            Self::Reverse => ("reversed", PostbackEvent::Rejection),
        }
    }
}

impl Network {
    /// `POST /__sandbox/conversions/ID/approve`, `…/reject` or `…/reverse`.
    pub(super) fn move_status(
        &self,
        call: &IncomingRequest,
        path: &str,
        rows: &Rows,
    ) -> Decided<Plan> {
        let refuse = |status: u16, message: String| {
            let mut answer =
                HttpAnswer::json(&json!({ "error": { "code": "refused", "rule": message } }));
            answer.status = status;
            Err(Stop::Say(answer))
        };
        if call.method != "POST" {
            return refuse(405, "a status is moved by POST".to_owned());
        }
        let asked = path
            .split_once('/')
            .and_then(|(id, word)| Some((id.parse::<u64>().ok()?, Move::read(word)?)));
        let Some((conversion_id, asked)) = asked else {
            return refuse(
                404,
                "say /__sandbox/conversions/ID/approve, reject or reverse".to_owned(),
            );
        };
        let Some(conversion) = rows.conversion(conversion_id)? else {
            return refuse(404, format!("there is no conversion {conversion_id}"));
        };
        let (conversion_status, event) = asked.leads_to();
        if !asked
            .starts_from()
            .contains(&conversion.conversion_status.as_str())
        {
            return refuse(
                409,
                format!(
                    "conversion {conversion_id} is {}: it cannot become {conversion_status}",
                    conversion.conversion_status
                ),
            );
        }
        let moved = ConversionRow {
            conversion_status: conversion_status.to_owned(),
            updated_date: Some(self.settings.civil(call.now_ms)),
            corrections: conversion.corrections + 1,
            ..conversion.clone()
        };
        // Without the click, the macros have no values: the affiliate gets no postback.
        let fired = match rows.click(&moved.click_id)? {
            Some(click) => self.fired(call, rows, click, &moved, &[event], Audience::Nobody)?,
            None => Vec::new(),
        };
        Ok(Plan {
            writes: std::iter::once(Write::Changed(moved.clone()))
                .chain(fired.into_iter().map(Write::Fired))
                .collect(),
            answer: HttpAnswer::json(&moved),
        })
    }
}
