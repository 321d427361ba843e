//! Corrections after the sale: `GET /api/6/track.asmx/UpdateConversionEvents`
//! (KB 13000068566), a GET with a side effect.
//!
//! | a correction | may be sent again |
//! | --- | --- |
//! | sets totals, a status | yes, after a look whether it is there |
//! | adds to a payout or a revenue | never: a second time adds again |
//!
//! The note identifies a correction: the conversion's row shows it.

mod evidence;
mod params;

pub(crate) use self::params::Params;
use self::params::effective_date;
use super::event_conversions::changes_on_offer;
use super::read_message;
use crate::Result;
use crate::api::asked::{Asked, is_same_unique_id};
use crate::api::list_conversions::ListedConversion;
use crate::api::spelling;
use crate::api::{Account, Answer, Request};
use crate::money::Money;
use crate::spoiled::unescaped;
use crate::time::CivilTime;
use serde::Serialize;

const PATH: &str = "6/track.asmx/UpdateConversionEvents";

/// The outcome of a correction. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Correction {
    /// CAKE's id of the conversion, from the caller or from the conversion's row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion_id: Option<u64>,
    /// The advertiser's transaction id, from either of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_id: Option<String>,
    /// The offer.
    pub(crate) offer_id: u64,
    /// CAKE's words, such as `Conversion Updated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Was CAKE's own answer lost, and the correction then found in the conversion's row?
    pub is_recovered: bool,
    /// Was nothing sent, because the caller wanted to see it first?
    pub is_dry_run: bool,
    /// The query that is sent, without the key.
    pub query: String,
}

/// The result for a correction in a page of changed conversions.
#[derive(Debug)]
pub(crate) enum Shown {
    /// It is there.
    There(Correction),
    /// The conversion's row is there, without it.
    Absent,
    /// A row that is the conversion's, or may be, cannot show whether the correction is there.
    Unclear,
    /// The conversion's row is not in the page.
    Elsewhere,
}

/// A correction that was checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    conversion_id: Option<u64>,
    /// The id of the conversion as its own answer named it, where the caller gave none.
    known_id: Option<u64>,
    unique_id: Option<String>,
    offer_id: u64,
    payout: Option<String>,
    revenue: Option<String>,
    status: Option<String>,
    note: String,
    mark: Option<String>,
    adds: bool,
    query: String,
}

/// Reads and checks a caller's JSON object, and builds the request.
///
/// # Errors
/// Those of [`Params::read`].
pub(in crate::api) fn request(account: &Account, params: &str) -> Result<(Request, Checked)> {
    request_of(account, &Params::read(params)?)
}

/// Builds the request.
///
/// # Errors
/// [`Error::InvalidField`](crate::Error::InvalidField) for an invalid effective date.
pub(crate) fn request_of(account: &Account, params: &Params) -> Result<(Request, Checked)> {
    let note = params.full_note();
    let mut request = account.get_older(PATH);
    request.number("conversion_id", Some(params.conversion_id.unwrap_or(0)));
    request.parameter("transaction_id", params.unique_id.as_deref().unwrap_or(""));
    request.number("offer_id", Some(params.offer_id));
    // The service has no word for an unchanged payout: the request adds nothing to it
    // *(inference)*.
    let (amount, adds_payout) = match (&params.payout, &params.payout_added) {
        (Some(total), _) => (total.as_str(), "FALSE"),
        (None, added) => (added.as_deref().unwrap_or("0.00"), "TRUE"),
    };
    request.parameter("payout", amount);
    request.parameter("add_to_existing_payout", adds_payout);
    let (amount, option) = match (&params.revenue, &params.revenue_added) {
        (Some(total), _) => (total.as_str(), "total_revenue"),
        (None, Some(added)) => (added.as_str(), "additional_revenue"),
        (None, None) => ("0.00", "no_change"),
    };
    request.parameter("received", amount);
    request.parameter("received_option", option);
    request.parameter(
        "disposition_type",
        params.status.as_deref().unwrap_or("no_change"),
    );
    request.number("disposition_id", Some(params.disposition_id.unwrap_or(0)));
    request.parameter("update_revshare_payout", "FALSE");
    let (option, date) = effective_date(params.effective_date.as_deref())?;
    request.parameter("effective_date_option", option);
    request.parameter("custom_date", &date);
    request.parameter("note_to_append", &note);
    request.parameter("disallow_on_billing_status", "ignore");
    let checked = Checked {
        conversion_id: params.conversion_id,
        known_id: None,
        unique_id: params.unique_id.clone(),
        offer_id: params.offer_id,
        payout: params.payout.clone(),
        revenue: params.revenue.clone(),
        status: params.status.clone(),
        note,
        mark: params.mark(),
        adds: params.adds(),
        query: request.query().to_owned(),
    };
    Ok((request, checked))
}

/// Reads the answer. Usually CAKE names no conversion in it, so the outcome repeats the sent data.
///
/// # Errors
/// Every error of an answer, see [`Error`](crate::Error).
pub(crate) fn read(answer: &Answer<'_>, checked: &Checked) -> Result<Correction> {
    let asked = Asked {
        offer_id: checked.offer_id,
        unique_id: checked.unique_id.as_deref(),
        ..Asked::default()
    };
    let message = read_message(answer, checked.conversion_id.or(checked.known_id), asked)?;
    Ok(Correction {
        message,
        ..checked.outcome()
    })
}

impl Checked {
    /// The same, for a conversion of which this id is known.
    #[cfg(any(test, feature = "forwarder"))]
    pub(crate) fn known_as(self, known_id: Option<u64>) -> Self {
        Self { known_id, ..self }
    }

    /// Does it add? Then it may be sent only once.
    pub(crate) fn adds(&self) -> bool {
        self.adds
    }

    /// The request for the changes on the offer, in which the correction is looked for. The
    /// account's time zone is unknown, so the range has one more day.
    pub(crate) fn changes(&self, account: &Account, since_ms: u64) -> Request {
        let since = CivilTime::from_utc_ms(since_ms).date().minus_days(1);
        changes_on_offer(account, &since.to_string(), self.offer_id)
    }

    fn outcome(&self) -> Correction {
        Correction {
            conversion_id: self.conversion_id,
            unique_id: self.unique_id.clone(),
            offer_id: self.offer_id,
            query: self.query.clone(),
            ..Correction::default()
        }
    }

    /// The outcome of a correction that is not sent.
    pub(in crate::api) fn dry_run(&self) -> Correction {
        Correction {
            is_dry_run: true,
            ..self.outcome()
        }
    }

    /// The result for the correction in a page. The id of a correction stands in no other note. It
    /// therefore counts in any row that is not plainly another conversion's: one without a unique
    /// id, or with another spelling of it. It is absent only where no row may
    /// hide it. For `quiet_ms` after its conversion CAKE itself may have changed a row.
    pub(crate) fn find_in(&self, rows: &[ListedConversion], quiet_ms: u64) -> Shown {
        let mut ours = rows.iter().filter(|row| self.is_about(row)).peekable();
        let is_listed = ours.peek().is_some();
        let marked = || {
            let mut rows = rows.iter().filter(|row| self.may_be_about(row, rows));
            rows.find_map(|row| self.mark.as_ref().and_then(|_| self.found_in(row)))
        };
        if let Some(found) = ours.find_map(|row| self.found_in(row)).or_else(marked) {
            return Shown::There(found);
        }
        let may_hide = |row: &ListedConversion| {
            !self.note.is_empty()
                && self.may_be_about(row, rows)
                && !evidence::shows_all(row, &self.note, quiet_ms)
        };
        if rows.iter().any(may_hide) {
            return Shown::Unclear;
        }
        if is_listed {
            Shown::Absent
        } else {
            Shown::Elsewhere
        }
    }

    /// Does the conversion's row show other corrections than those with the `known` marks?
    pub(crate) fn has_others(&self, rows: &[ListedConversion], known: &[String]) -> bool {
        let notes = rows.iter().filter(|row| self.is_about(row));
        notes.filter_map(|row| row.note.as_deref()).any(|note| {
            let note = unescaped(note).into_owned();
            let rest = (known.iter()).fold(note, |note, mark| note.replace(mark.as_str(), ""));
            rest.contains('[')
        })
    }

    /// May this be the row of the conversion? Its unique id may be spelt otherwise, cut, or not shown at all.
    fn may_be_about(&self, row: &ListedConversion, rows: &[ListedConversion]) -> bool {
        if self.is_about(row) {
            return true;
        }
        let has_our_id = || {
            let note = row.note.as_deref().map(unescaped).unwrap_or_default();
            self.mark.as_deref().is_some_and(|mark| note.contains(mark))
        };
        match (self.conversion_id, &self.unique_id, &row.unique_id) {
            (Some(_), ..) => row.conversion_id.is_none(),
            (None, Some(ours), Some(told)) => {
                let length = |text: &str| text.trim().chars().count();
                let is_longest = || {
                    let mut others = rows.iter().filter_map(|row| row.unique_id.as_deref());
                    others.all(|other| length(other) <= length(told))
                };
                row.offer.offer_id.is_none_or(|id| id == self.offer_id)
                    && (spelling::may_be_same(told, ours)
                        || spelling::may_be_cut(told, ours) && is_longest())
            }
            // Others report conversions without one.
            (None, _, None) => has_our_id() || rows.iter().all(|row| row.unique_id.is_none()),
            (None, None, Some(_)) => false,
        }
    }

    /// Is this the row of the conversion?
    fn is_about(&self, row: &ListedConversion) -> bool {
        match (self.conversion_id, &self.unique_id, &row.unique_id) {
            (Some(id), ..) => row.conversion_id == Some(id),
            (None, Some(ours), Some(told)) => {
                is_same_unique_id(told, ours)
                    && row.offer.offer_id.is_none_or(|id| id == self.offer_id)
            }
            _ => false,
        }
    }

    /// The outcome, where the conversion's row shows the correction. The row must have its note,
    /// or, for a correction without a note, every total and status that it sets.
    fn found_in(&self, row: &ListedConversion) -> Option<Correction> {
        let note = row.note.as_deref().map(unescaped);
        let note = note.as_deref();
        let is_there = match &self.mark {
            Some(mark) => note.is_some_and(|note| note.contains(mark.as_str())),
            None if self.note.is_empty() => {
                is_total(self.payout.as_deref(), row.payout_text.as_deref())
                    && is_total(self.revenue.as_deref(), row.revenue_text.as_deref())
                    && (self.status.is_none() || self.status == row.conversion_status)
            }
            None => note.is_some_and(|note| has_note(note, &self.note)),
        };
        is_there.then(|| Correction {
            conversion_id: row.conversion_id.or(self.conversion_id),
            unique_id: row.unique_id.clone().or_else(|| self.unique_id.clone()),
            is_recovered: true,
            ..self.outcome()
        })
    }
}

fn is_total(ours: Option<&str>, told: Option<&str>) -> bool {
    let Some(ours) = ours else { return true };
    // CAKE writes up to ten decimal places; those after the fourth are zeros here.
    let told = told.map(|text| match text.split_once('.') {
        Some((whole, fraction)) => [whole, ".", fraction.trim_end_matches('0'), "0"].concat(),
        None => text.to_owned(),
    });
    let amount = |text: &str| Money::parse("amount", text).ok();
    told.and_then(|text| amount(&text)) == amount(ours)
}

/// Does the note contain ours as a whole? `refund 1` is not in `refund 12`.
fn has_note(note: &str, ours: &str) -> bool {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    note.match_indices(ours).any(|(at, found)| {
        let before = note.get(..at).and_then(|text| text.chars().next_back());
        let after = note
            .get(at + found.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_inside) && !after.is_some_and(is_inside)
    })
}
