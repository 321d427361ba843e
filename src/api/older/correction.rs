//! Corrections after the sale: `GET /api/6/track.asmx/UpdateConversionEvents`
//! (KB 13000068566), a GET with a side effect.
//!
//! | a correction | may be sent again |
//! | --- | --- |
//! | sets totals, a status | yes, after a look whether it is there |
//! | adds to a payout or a revenue | never: a second time adds again |
//!
//! The note identifies a correction: the conversion's row shows it.

use super::event_conversions::changes_on_offer;
use super::{read_message, us_day};
use crate::api::list_conversions::ListedConversion;
use crate::api::params;
use crate::api::{Account, Answer, Request};
use crate::money::Money;
use crate::time::{CivilDate, CivilTime};
use crate::{Error, Result};
use serde::Serialize;

const PATH: &str = "6/track.asmx/UpdateConversionEvents";

const NAMES: [&str; 12] = [
    "correctionId",
    "conversionId",
    "uniqueId",
    "offerId",
    "payout",
    "payoutAdded",
    "revenue",
    "revenueAdded",
    "status",
    "dispositionId",
    "note",
    "effectiveDate",
];

/// The most characters of a note.
const MAX_NOTE: usize = 500;

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

/// The parameters of a correction, as callers write them in camelCase, checked. Amounts have the
/// spelling that is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    /// The id by which the forwarder knows the correction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correction_id: Option<String>,
    /// The offer.
    pub(crate) offer_id: u64,
    /// The advertiser's transaction id of the conversion. Either this or CAKE's id identifies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payout_added: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revenue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revenue_added: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disposition_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// `today`, `conversion_date` or a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effective_date: Option<String>,
}

impl Params {
    /// Reads and checks a caller's JSON object.
    ///
    /// # Errors
    /// [`Error::InvalidField`], [`Error::InvalidId`], [`Error::InvalidMoney`],
    /// [`Error::InvalidUniqueId`], [`Error::InvalidText`].
    pub(crate) fn read(text: &str) -> Result<Self> {
        let params = Self::from_fields(&params::Params::read(text, &NAMES)?)?;
        if params.adds() && params.note.is_none() && params.correction_id.is_none() {
            return Err(field(
                "note",
                "is missing: what adds is told apart by its note, such as \"refund 4711\"",
            ));
        }
        Ok(params)
    }

    /// Like [`Params::read`], with a `correctionId` that must be there: it identifies the
    /// correction. An empty optional field counts as absent.
    ///
    /// # Errors
    /// Those of [`Params::read`], except for a missing note.
    pub(crate) fn read_with_id(text: &str) -> Result<Self> {
        let fields =
            params::Params::read(text, &NAMES)?.without_empty(&["correctionId", "uniqueId"]);
        let id = fields.reference("correctionId")?;
        params::Params::required("correctionId", id)?;
        Self::from_fields(&fields)
    }

    /// Checks the fields. A `correctionId` goes into the note, after the note's own words. An
    /// amount has its shortest spelling, so that equal corrections have equal texts.
    fn from_fields(params: &params::Params<'_>) -> Result<Self> {
        let correction_id = params.reference("correctionId")?;
        // The brackets separate the id from the note's own words.
        if correction_id
            .as_deref()
            .is_some_and(|id| id.contains(['[', ']']))
        {
            return Err(field("correctionId", "must not hold [ or ]"));
        }
        let conversion_id = params.id("conversionId")?;
        let unique_id = params.reference("uniqueId")?;
        let offer_id = params::Params::required("offerId", params.id("offerId")?)?;
        match (&conversion_id, &unique_id) {
            (None, None) => {
                return Err(field("conversionId", "is missing: give it or the uniqueId"));
            }
            (Some(_), Some(_)) => {
                return Err(field(
                    "uniqueId",
                    "must not stand beside a conversionId: CAKE takes one of them",
                ));
            }
            _ => {}
        }
        let payout = params.amount("payout")?;
        let revenue = params.amount("revenue")?;
        let payout_added = added(params, "payoutAdded")?;
        let revenue_added = added(params, "revenueAdded")?;
        for (name, both) in [
            ("payoutAdded", payout.is_some() && payout_added.is_some()),
            ("revenueAdded", revenue.is_some() && revenue_added.is_some()),
        ] {
            if both {
                return Err(field(
                    name,
                    "must not stand beside its total: give one of them",
                ));
            }
        }
        let rule = "must be returned, rejected, approved or pending";
        let status = params.word(
            "status",
            &["returned", "rejected", "approved", "pending"],
            rule,
        )?;
        let disposition_id = params.id("dispositionId")?;
        let mut read = Self {
            correction_id,
            offer_id,
            unique_id,
            conversion_id,
            payout,
            payout_added,
            revenue,
            revenue_added,
            status,
            disposition_id,
            note: note(params)?,
            effective_date: params.text("effectiveDate")?,
        };
        for amount in [&mut read.payout, &mut read.revenue] {
            *amount = shortest("amount", amount.as_deref(), "")?;
        }
        for amount in [&mut read.payout_added, &mut read.revenue_added] {
            let given = amount.as_deref();
            let digits = given.map(|text| text.trim_start_matches('-'));
            let is_taken_back = digits.map(str::len) < given.map(str::len);
            *amount = shortest("amount", digits, if is_taken_back { "-" } else { "" })?;
        }
        if !read.adds() && read.payout.is_none() && read.revenue.is_none() && read.status.is_none()
        {
            return Err(field(
                "params",
                "must have something to correct: a payout, a revenue or a status",
            ));
        }
        effective_date(read.effective_date.as_deref())?;
        if read.full_note().chars().count() > MAX_NOTE {
            return Err(field(
                "note",
                "must have at most 500 characters together with the correctionId",
            ));
        }
        Ok(read)
    }

    /// Does it add? Then a second time would count twice.
    pub(crate) fn adds(&self) -> bool {
        self.payout_added.is_some() || self.revenue_added.is_some()
    }

    /// The mark in the note of a correction with an id of its own; no other note has it.
    fn mark(&self) -> Option<String> {
        let id = self.correction_id.as_deref()?;
        Some(["[", id, "]"].concat())
    }

    /// The note as it is sent.
    fn full_note(&self) -> String {
        let note = self.note.as_deref().unwrap_or_default();
        match self.mark() {
            None => note.to_owned(),
            Some(mark) if note.is_empty() => mark,
            Some(mark) => {
                let note = note.replace('[', "(").replace(']', ")");
                [&note, " ", &mark].concat()
            }
        }
    }
}

/// One value has one spelling: the shortest.
fn shortest(name: &'static str, digits: Option<&str>, sign: &str) -> Result<Option<String>> {
    digits
        .map(|digits| {
            let amount = Money::parse(name, digits)?.shortest();
            Ok([sign, &amount.to_string()].concat())
        })
        .transpose()
}

/// The result for a correction in a page of changed conversions.
#[derive(Debug)]
pub(crate) enum Shown {
    /// It is there.
    There(Correction),
    /// The conversion's row is there, without it.
    Absent,
    /// The conversion's row is not in the page.
    Elsewhere,
}

/// A correction that was checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    conversion_id: Option<u64>,
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
/// [`Error::InvalidField`] for an invalid effective date.
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

fn field(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

/// An amount to add, as it is sent; a minus takes it back.
fn added(params: &params::Params<'_>, name: &'static str) -> Result<Option<String>> {
    let Some(text) = params.written(name)? else {
        return Ok(None);
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let amount = Money::parse(name, digits)?;
    if amount == Money::default() {
        return Err(field(
            name,
            "must not be 0: leave it out where nothing is added",
        ));
    }
    let sign = if digits.len() < text.len() { "-" } else { "" };
    Ok(Some([sign, &amount.to_string()].concat()))
}

fn note(params: &params::Params<'_>) -> Result<Option<String>> {
    let note = params.free_text("note")?.unwrap_or_default();
    let note = note.trim();
    if note.chars().count() > MAX_NOTE {
        return Err(field("note", "must have at most 500 characters"));
    }
    Ok(Some(note.to_owned()).filter(|note| !note.is_empty()))
}

/// The option, and the date of a custom one in the service's spelling: `MM/DD/YYYY HH:MM:SS`.
fn effective_date(given: Option<&str>) -> Result<(&'static str, String)> {
    Ok(match given {
        None | Some("today") => ("today", String::new()),
        Some("conversion_date") => ("conversion_date", String::new()),
        Some(day) => {
            CivilDate::parse("effectiveDate", day).map_err(|_| {
                field(
                    "effectiveDate",
                    "must be today, conversion_date or a day written YYYY-MM-DD",
                )
            })?;
            ("custom", [&us_day(day), " 00:00:00"].concat())
        }
    })
}

/// Reads the answer. CAKE names no conversion in it, so the outcome repeats the sent data.
///
/// # Errors
/// Every error of an answer, see [`Error`].
pub(crate) fn read(answer: &Answer<'_>, checked: &Checked) -> Result<Correction> {
    let message = read_message(answer)?;
    Ok(Correction {
        message,
        ..checked.outcome()
    })
}

impl Checked {
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
    /// id, or with another spelling of it.
    pub(crate) fn find_in(&self, rows: &[ListedConversion]) -> Shown {
        let ours = rows.iter().find(|row| self.is_about(row));
        let marked = || {
            let row = rows.iter().find(|row| self.may_be_about(row))?;
            self.mark.as_ref().and_then(|_| self.found_in(row))
        };
        match ours.and_then(|row| self.found_in(row)).or_else(marked) {
            Some(found) => Shown::There(found),
            None if ours.is_some() => Shown::Absent,
            None => Shown::Elsewhere,
        }
    }

    fn may_be_about(&self, row: &ListedConversion) -> bool {
        let Some(mark) = &self.mark else { return false };
        let has_mark = (row.note.as_deref()).is_some_and(|note| note.contains(mark.as_str()));
        let is_like_ours = match (self.conversion_id, &self.unique_id, &row.unique_id) {
            (Some(_), ..) => row.conversion_id.is_none(),
            (None, Some(ours), Some(told)) => told.trim().eq_ignore_ascii_case(ours.trim()),
            (None, _, None) => true,
            (None, None, Some(_)) => false,
        };
        has_mark && is_like_ours
    }

    /// Is this the row of the conversion?
    fn is_about(&self, row: &ListedConversion) -> bool {
        match self.conversion_id {
            Some(id) => row.conversion_id == Some(id),
            None => {
                self.unique_id.is_some()
                    && row.unique_id == self.unique_id
                    && row.offer.offer_id.is_none_or(|id| id == self.offer_id)
            }
        }
    }

    /// The outcome, where the conversion's row shows the correction. The row must have its note,
    /// or, for a correction without a note, every total and status that it sets.
    fn found_in(&self, row: &ListedConversion) -> Option<Correction> {
        let note = row.note.as_deref();
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
