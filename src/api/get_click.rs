//! Get Click by click id: `GET /api/2/click.json?click_id=…`.

use super::answer::{Record, records};
use super::params::Params;
use super::{Account, Answer, Request};
use crate::{Result, click_id};
use serde::Serialize;

pub(super) const PATH: &str = "click.json";

/// A click as CAKE reports it. Serializes in camelCase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Click {
    /// CAKE's click id.
    pub click_id: String,
    /// When, in the account's civil time: `YYYY-MM-DD HH:MM:SS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_date: Option<String>,
    /// The offer that was clicked.
    pub offer_id: u64,
    /// Who sent the click.
    pub affiliate_id: i64,
    /// `s1` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_id_1: Option<String>,
    /// `s2` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_id_2: Option<String>,
    /// `s3` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_id_3: Option<String>,
    /// `s4` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_id_4: Option<String>,
    /// `s5` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_id_5: Option<String>,
    /// The visitor's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The visitor's country, two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Has the click become a conversion?
    pub converted: bool,
    /// The conversion's id, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion_id: Option<u64>,
    /// Did the answer say anything of a conversion?
    #[serde(skip)]
    pub has_said: bool,
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
        match (self.offer_id == offer_id, self.conversion_id) {
            (true, Some(id)) => ClickVerdict::Converted(id),
            (true, None) if self.has_said && !self.converted => ClickVerdict::NotConverted,
            _ => ClickVerdict::Unclear,
        }
    }

    pub(super) fn from_record(record: &Record<'_, '_>) -> Result<Self> {
        let missing = |name| record.missing(name);
        Ok(Self {
            click_id: record.required_text("click_id")?,
            click_date: record.text("click_date"),
            offer_id: record.required_id("offer_id")?,
            affiliate_id: record
                .affiliate_id("affiliate_id")?
                .ok_or_else(|| missing("affiliate_id"))?,
            sub_id_1: record.text("sub_id_1"),
            sub_id_2: record.text("sub_id_2"),
            sub_id_3: record.text("sub_id_3"),
            sub_id_4: record.text("sub_id_4"),
            sub_id_5: record.text("sub_id_5"),
            ip_address: record.text("ip_address"),
            country: record.text("country"),
            converted: record.flag("converted"),
            // .NET writes 0 for "none".
            conversion_id: record.id("conversion_id")?.filter(|id| *id > 0),
            has_said: match record.get("converted") {
                Some(word) => word.is_true() || word.is_false(),
                None => record.has("conversion_id"),
            },
        })
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
    let envelope = answer.open()?;
    let response = Record::from_part(answer, envelope.get("response"), "response")?;
    let mut clicks = rows(answer, &response)?;
    // Accounts have two spellings of a click's id, so a single click counts
    // whatever it is called. Of several only the one that was asked for does.
    let at = clicks
        .iter()
        .position(|click| click.click_id.eq_ignore_ascii_case(click_id));
    match (at, clicks.len()) {
        (Some(at), _) => Ok(Some(clicks.swap_remove(at))),
        (None, 0 | 1) => Ok(clicks.pop()),
        (None, _) => Err(answer.unexpected("to Get Click is a list of other clicks", "")),
    }
}

/// Every click of a response.
pub(super) fn rows(answer: &Answer<'_>, response: &Record<'_, '_>) -> Result<Vec<Click>> {
    let fields = response.fields();
    if !fields
        .entries()
        .any(|(name, _)| name == "clicks" || name == "total_rows")
    {
        return Err(response.missing("clicks"));
    }
    records(answer, fields, "clicks")?
        .into_iter()
        .map(|row| Click::from_record(&Record::from_part(answer, Some(row), "clicks")?))
        .collect()
}
