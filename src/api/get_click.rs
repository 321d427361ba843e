//! Get Click by click id: `GET /api/2/click.json?click_id=…`.

use super::answer::{Record, list_holder, records};
use super::params::Params;
use super::{Account, Answer, Request, dress};
use crate::{Result, click_id};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

pub(super) const PATH: &str = "click.json";

/// A click as CAKE reports it: what decisions are made on, and the row itself.
/// Serializes as the row, as CAKE wrote it: `js/edge/click.ts` is its one reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Click {
    /// CAKE's click id.
    pub click_id: Option<String>,
    /// The offer that was clicked.
    pub offer_id: Option<u64>,
    /// Who sent the click.
    pub affiliate_id: Option<i64>,
    /// Has the click become a conversion?
    pub converted: bool,
    /// The conversion's id, where there is one.
    pub conversion_id: Option<u64>,
    /// Did the answer say anything of a conversion?
    pub has_said: bool,
    /// The row's JSON.
    pub row: String,
}

impl Serialize for Click {
    fn serialize<S: Serializer>(&self, serializer: S) -> core::result::Result<S::Ok, S::Error> {
        RawValue::from_string(self.row.clone())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// What a click says of a conversion for one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickVerdict {
    /// The click has this conversion; of several it names one.
    Converted(u64),
    /// It has none.
    NotConverted,
    /// Nothing: it belongs to another offer, or contradicts itself.
    Unclear,
}

impl Click {
    /// What it says of a conversion for `offer_id`.
    #[must_use]
    pub fn verdict(&self, offer_id: u64) -> ClickVerdict {
        match (self.offer_id == Some(offer_id), self.conversion_id) {
            (true, Some(id)) => ClickVerdict::Converted(id),
            (true, None) if self.has_said && !self.converted => ClickVerdict::NotConverted,
            _ => ClickVerdict::Unclear,
        }
    }

    pub(super) fn from_record(record: &Record<'_, '_>, row: &str) -> Self {
        Self {
            click_id: record.text("click_id").filter(|id| !id.is_empty()),
            offer_id: record.id("offer_id"),
            affiliate_id: record.affiliate_id("affiliate_id"),
            converted: record.flag("converted"),
            conversion_id: record.id("conversion_id"),
            has_said: match record.get("converted") {
                Some(word) => dress::is_yes(word) || dress::is_no(word),
                None => record.has("conversion_id"),
            },
            row: row.to_owned(),
        }
    }
}

/// Asks for one click.
///
/// # Errors
/// [`crate::Error::InvalidClickId`].
pub fn request(account: &Account, click_id: &str) -> Result<Request> {
    click_id::check(click_id)?;
    let mut request = account.get(PATH);
    request.parameter("click_id", click_id);
    Ok(request)
}

/// The click id in the parameters' JSON.
pub(super) fn click_id_of(params: &str) -> Result<String> {
    Params::read(params, &["clickId"])?.required_text("clickId")
}

/// Reads the answer: the click, or `None` where CAKE knows none of that id.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub fn read(answer: &Answer<'_>, click_id: &str) -> Result<Option<Click>> {
    let (holder, _) = list_holder(answer, "clicks")?;
    let mut clicks = rows(answer, &holder)?;
    // Accounts have two spellings of a click's id, so a single click counts
    // whatever it is called. Of several only the one that was asked for does.
    let at = clicks.iter().position(|click| {
        let own = click.click_id.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(click_id))
    });
    match (at, clicks.len()) {
        (Some(at), _) => Ok(Some(clicks.swap_remove(at))),
        (None, 0 | 1) => Ok(clicks.pop()),
        (None, _) => Err(answer.unexpected("to Get Click is a list of other clicks", "")),
    }
}

/// Every click of the record that has the list.
pub(super) fn rows(answer: &Answer<'_>, holder: &Record<'_, '_>) -> Result<Vec<Click>> {
    Ok(records(answer, holder.fields(), "clicks", "click")?
        .iter()
        .map(|(record, row)| Click::from_record(record, row.json()))
        .collect())
}
