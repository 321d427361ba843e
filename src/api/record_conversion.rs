//! Record Conversion: `GET /api/2/conversion.json`, a GET with a side effect.

use super::answer::{self, Parts};
use super::{Account, Answer, Request, check_id};
use crate::money::Money;
use crate::time::CivilTime;
use crate::{Error, Result, click};
use serde::{Deserialize, Serialize};

/// The parameters, as callers write them: camelCase, amounts as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// The click id that was captured at click time.
    pub click_id: String,
    /// The offer that the conversion belongs to.
    pub offer_id: u64,
    /// Overrides the affiliate's payout.
    pub payout: Option<String>,
    /// Overrides the advertiser's revenue.
    pub revenue: Option<String>,
    /// When, in the account's civil time: `YYYY-MM-DD HH:MM:SS`. CAKE's default is now.
    pub conversion_date: Option<String>,
    /// The advertiser's own transaction id: CAKE's only handle for deduplication.
    pub unique_id: Option<String>,
    /// The advertiser's order reference.
    pub order_id: Option<String>,
    /// Free for the advertiser.
    pub adv1: Option<String>,
    /// Free for the advertiser.
    pub adv2: Option<String>,
    /// Free for the advertiser.
    pub adv3: Option<String>,
    /// Free for the advertiser.
    pub adv4: Option<String>,
    /// Free for the advertiser.
    pub adv5: Option<String>,
}

/// A recorded conversion. Serializes in camelCase, each amount as its exact
/// text and as a number beside it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversion {
    /// CAKE's id of the conversion.
    pub conversion_id: u64,
    /// The offer.
    pub offer_id: Option<u64>,
    /// Who is paid.
    pub affiliate_id: Option<u64>,
    /// The click that converted.
    pub click_id: Option<String>,
    /// What the affiliate gets.
    pub payout: Option<f64>,
    /// The same, exactly as CAKE wrote it.
    pub payout_text: Option<String>,
    /// What the advertiser pays.
    pub revenue: Option<f64>,
    /// The same, exactly as CAKE wrote it.
    pub revenue_text: Option<String>,
    /// The advertiser's transaction id.
    pub unique_id: Option<String>,
    /// When, in the account's civil time.
    pub conversion_date: Option<String>,
    /// `approved`, `pending`, `rejected`, `ignored`, `reversed` or a word that CAKE adds.
    pub conversion_status: Option<String>,
}

/// Builds the request, in the order of CAKE's article.
///
/// # Errors
/// [`Error::InvalidClickId`], [`Error::InvalidId`], [`Error::InvalidMoney`],
/// [`Error::InvalidTime`], [`Error::InvalidUniqueId`], [`Error::InvalidText`].
pub fn request(account: &Account, params: &Params) -> Result<Request> {
    click::check(&params.click_id)?;
    check_id("offerId", params.offer_id)?;
    let mut request = account.get("conversion.json");
    request.parameter("click_id", &params.click_id);
    request.parameter("offer_id", &params.offer_id.to_string());
    for (name, value) in [("payout", &params.payout), ("revenue", &params.revenue)] {
        if let Some(value) = value {
            request.parameter(name, &Money::parse(name, value)?.to_string());
        }
    }
    if let Some(date) = &params.conversion_date {
        let date = CivilTime::parse("conversionDate", date)?;
        request.parameter("conversion_date", &date.to_string());
    }
    for (name, parameter, value) in [
        ("unique_id", "uniqueId", &params.unique_id),
        ("order_id", "orderId", &params.order_id),
    ] {
        if let Some(value) = value {
            if !click::is_click_id(value) {
                return Err(Error::InvalidUniqueId { parameter });
            }
            request.parameter(name, value);
        }
    }
    for (name, value) in [
        ("adv1", &params.adv1),
        ("adv2", &params.adv2),
        ("adv3", &params.adv3),
        ("adv4", &params.adv4),
        ("adv5", &params.adv5),
    ] {
        if value
            .as_ref()
            .is_some_and(|value| value.chars().any(char::is_control))
        {
            return Err(Error::InvalidText { parameter: name });
        }
        request.optional(name, value.as_deref());
    }
    Ok(request)
}

/// Reads the answer.
///
/// # Errors
/// Every error of an answer, see [`Error`].
pub fn read(answer: Answer<'_>) -> Result<Conversion> {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(deserialize_with = "answer::id")]
        conversion_id: u64,
        #[serde(default, deserialize_with = "answer::optional_id")]
        offer_id: Option<u64>,
        #[serde(default, deserialize_with = "answer::optional_id")]
        affiliate_id: Option<u64>,
        click_id: Option<String>,
        #[serde(default, deserialize_with = "answer::amount")]
        payout: Option<String>,
        #[serde(default, deserialize_with = "answer::amount")]
        revenue: Option<String>,
        unique_id: Option<String>,
        conversion_date: Option<String>,
        conversion_status: Option<String>,
    }
    let wire: Wire = Parts::read(answer.open()?.conversion, "conversion")?;
    Ok(Conversion {
        conversion_id: wire.conversion_id,
        offer_id: wire.offer_id,
        affiliate_id: wire.affiliate_id,
        click_id: wire.click_id,
        payout: answer::number_of(wire.payout.as_ref()),
        payout_text: wire.payout,
        revenue: answer::number_of(wire.revenue.as_ref()),
        revenue_text: wire.revenue,
        unique_id: wire.unique_id,
        conversion_date: wire.conversion_date,
        conversion_status: wire.conversion_status,
    })
}
