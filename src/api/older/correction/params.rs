//! The parameters of a correction, as a caller gives them.

use crate::api::older::parameters::us_day;
use crate::api::params;
use crate::money::Money;
use crate::time::CivilDate;
use crate::{Error, Result};
use serde::Serialize;

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
    pub(crate) fn mark(&self) -> Option<String> {
        let id = self.correction_id.as_deref()?;
        Some(["[", id, "]"].concat())
    }

    /// The note as it is sent.
    pub(super) fn full_note(&self) -> String {
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

fn field(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

/// An amount to add, as it is sent; a minus takes it back.
fn added(params: &params::Params<'_>, name: &'static str) -> Result<Option<String>> {
    let refused = |_| Error::InvalidSignedMoney { parameter: name };
    let Some(text) = params.written(name).map_err(refused)? else {
        return Ok(None);
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let amount = Money::parse(name, digits).map_err(refused)?;
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
pub(super) fn effective_date(given: Option<&str>) -> Result<(&'static str, String)> {
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
