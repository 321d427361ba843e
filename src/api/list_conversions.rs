//! Get Conversions: `GET /api/2/conversions.json`.

use super::answer::record::{Record, list_holder, page};
use super::page::Page;
use super::params::Params;
use super::{Account, Answer, Request, dress};
use crate::Result;
use serde::Serialize;

/// The most rows of one answer.
pub(crate) const MAX_ROW_LIMIT: u64 = 500;

const NAMES: [&str; 10] = [
    "startDate",
    "endDate",
    "offerId",
    "affiliateId",
    "advertiserId",
    "conversionStatus",
    "startAtRow",
    "rowLimit",
    "sortField",
    "sortDescending",
];

/// An offer, named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Offer {
    /// CAKE's id of the offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offer_id: Option<u64>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offer_name: Option<String>,
}

/// An affiliate, named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Affiliate {
    /// CAKE's id of the affiliate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) affiliate_id: Option<i64>,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) affiliate_name: Option<String>,
}

/// A row of Get Conversions. Serializes in camelCase, amounts as `payoutText`
/// and `revenueText`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedConversion {
    /// CAKE's id of the conversion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_id: Option<u64>,
    /// The offer.
    pub(crate) offer: Offer,
    /// The affiliate who is paid.
    pub(crate) affiliate: Affiliate,
    /// The affiliate's payout, exactly as CAKE wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payout_text: Option<String>,
    /// The amount that the advertiser pays, exactly as CAKE wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revenue_text: Option<String>,
    /// `approved`, `pending`, `rejected`, `ignored`, `reversed` or a word that CAKE adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_status: Option<String>,
    /// The time, in the account's civil time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_date: Option<String>,
    /// The click that converted, where CAKE gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) click_id: Option<String>,
    /// The advertiser's transaction id, where CAKE gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_id: Option<String>,
    /// The advertiser's order reference, where CAKE gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
    /// The amount that the customer paid, exactly as CAKE wrote it. Only the older services give
    /// this field and those below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_total_text: Option<String>,
    /// The currency of all amounts, such as `EUR`; absent where they have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
    /// The currency of the payout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payout_currency: Option<String>,
    /// The currency of the revenue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revenue_currency: Option<String>,
    /// The currency of the customer's total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_total_currency: Option<String>,
    /// The name of its disposition, one of the account's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disposition: Option<String>,
    /// The id of its event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<u64>,
    /// The event's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_name: Option<String>,
    /// The time of its last change, in the account's civil time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_date: Option<String>,
    /// Its note, corrections included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// A page of Get Conversions.
pub(crate) type ConversionPage = Page<ListedConversion>;

/// Builds the request from the parameters' JSON, in the order of CAKE's article.
///
/// # Errors
/// [`crate::Error::InvalidField`], [`crate::Error::InvalidId`].
pub(crate) fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let (start_date, end_date) = params.range()?;
    let start_date = Params::required("startDate", start_date)?;
    let end_date = Params::required("endDate", end_date)?;
    let mut request = account.get("conversions.json");
    request.parameter("start_date", &start_date);
    request.parameter("end_date", &end_date);
    request.number("offer_id", params.id("offerId")?);
    request.number("affiliate_id", params.id("affiliateId")?);
    request.number("advertiser_id", params.id("advertiserId")?);
    request.optional("conversion_status", params.conversion_status()?.as_deref());
    let rule = "must be a whole number from 1 to 500";
    params.push_page(&mut request, MAX_ROW_LIMIT, rule)?;
    params.push_sort(&mut request)?;
    Ok(request)
}

/// Reads the answer.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read(answer: &Answer<'_>) -> Result<ConversionPage> {
    let holder = list_holder(answer, "conversions")?;
    // Each row has a record of its own around it; some accounts leave it out.
    page(answer, &holder, ["conversions", "conversion"], read_row)
}

fn read_row(row: &Record<'_, '_>) -> ListedConversion {
    // An account may write the offer beside its conversion instead of inside it.
    let (offer_part, affiliate_part) = (row.part("offer"), row.part("affiliate"));
    let offer = offer_part.as_ref().unwrap_or(row);
    let affiliate = affiliate_part.as_ref().unwrap_or(row);
    let read = ListedConversion {
        conversion_id: row.id("conversion_id"),
        offer: Offer {
            offer_id: offer.id("offer_id"),
            offer_name: offer.text("offer_name"),
        },
        affiliate: Affiliate {
            affiliate_id: affiliate.affiliate_id("affiliate_id"),
            affiliate_name: affiliate.text("affiliate_name"),
        },
        payout_text: row.amount("payout"),
        revenue_text: row.amount("revenue"),
        conversion_status: dress::status(row.text("conversion_status")),
        conversion_date: dress::date(row.text("conversion_date")),
        click_id: row.text("click_id"),
        unique_id: row.text("unique_id"),
        order_id: row.text("order_id"),
        ..ListedConversion::default()
    };
    for part in [&offer_part, &affiliate_part].into_iter().flatten() {
        row.note_all(part.unread());
    }
    read
}
