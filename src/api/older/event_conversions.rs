//! Conversions: `GET /api/17/reports.asmx/EventConversions` (KB 13000105067) for `listConversions`,
//! and `…/EventConversionChanges` (KB 13000046884) for `listConversionChanges`. The latter lists
//! changes since a day, such as a refund weeks later.

use super::parameters::{push_all, push_filter, push_page, push_range};
use super::row::{Field, Row};
use super::{List, currency, read_page};
use crate::api::json::parse_id;
use crate::api::list_conversions::{Affiliate, ConversionPage, ListedConversion, Offer};
use crate::api::params::Params;
use crate::api::{Account, Answer, Request, dress};
use crate::{Error, Result};

const PATH: &str = "17/reports.asmx/EventConversions";
const CHANGES_PATH: &str = "17/reports.asmx/EventConversionChanges";

/// The number of rows of the changes that are searched at once.
pub(crate) const CHANGES_ROW_LIMIT: u64 = 1_000;

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

const CHANGES_NAMES: [&str; 8] = [
    "since",
    "includesNew",
    "offerId",
    "affiliateId",
    "advertiserId",
    "startAtRow",
    "rowLimit",
    "sortDescending",
];

const LISTS: [List; 1] = [("event_conversions", "event_conversion")];

const FIELDS: &[Field] = &[
    ("", "event_conversion_id"),
    ("", "request_session_id"),
    ("", "event_conversion_date"),
    ("", "last_updated"),
    ("event_info", "event_id"),
    ("event_info", "event_name"),
    ("source_affiliate", "source_affiliate_id"),
    ("source_affiliate", "source_affiliate_name"),
    ("site_offer", "site_offer_id"),
    ("site_offer", "site_offer_name"),
    ("paid", "currency_id"),
    ("paid", "amount"),
    ("received", "currency_id"),
    ("received", "amount"),
    ("", "returned"),
    ("", "transaction_id"),
    ("current_disposition", "disposition_name"),
    ("current_disposition", "disposition_type"),
    ("disposition_type", "disposition_type_name"),
    ("", "disposition"),
    ("", "disposition_type"),
    ("order_total", "currency_id"),
    ("order_total", "amount"),
    // An amount may be the text of its own element.
    ("", "paid"),
    ("", "received"),
    ("", "order_total"),
    ("", "note"),
];

/// The words that the service filters by; `reversed` has another name here.
const STATUSES: [(&str, &str); 5] = [
    ("approved", "approved"),
    ("pending", "pending"),
    ("rejected", "rejected"),
    ("returned", "returned"),
    ("reversed", "returned"),
];

/// Builds the request for conversions by their date.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::InvalidId`].
pub(crate) fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let mut request = account.get_older(PATH);
    push_range(&mut request, &params)?;
    request.parameter("event_type", "all");
    push_all(&mut request, &["event_id"]);
    push_filter(
        &mut request,
        "source_affiliate_id",
        params.id("affiliateId")?,
    );
    push_filter(
        &mut request,
        "brand_advertiser_id",
        params.id("advertiserId")?,
    );
    push_all(&mut request, &["channel_id"]);
    push_filter(&mut request, "site_offer_id", params.id("offerId")?);
    push_all(
        &mut request,
        &[
            "site_offer_contract_id",
            "source_affiliate_tag_id",
            "brand_advertiser_tag_id",
            "site_offer_tag_id",
            "campaign_id",
            "creative_id",
            "price_format_id",
        ],
    );
    request.parameter("source_type", "all");
    request.parameter("payment_percentage_filter", "both");
    request.parameter("disposition_type", disposition_type(&params)?);
    push_all(&mut request, &["disposition_id"]);
    request.parameter("source_affiliate_billing_status", "all");
    request.parameter("brand_advertiser_billing_status", "all");
    request.parameter("test_filter", "non_tests");
    push_page(&mut request, &params)?;
    // The young API's names of the fields that both have.
    let field = params.open_word("sortField")?;
    let field = match field.as_deref() {
        None | Some("conversion_date") => "event_conversion_date",
        Some("conversion_id") => "event_conversion_id",
        Some(other) => other,
    };
    push_sort(&mut request, field, &params)?;
    Ok(request)
}

/// Builds the request for changes: `since` (a civil day of the account), `includesNew` (by default
/// false), `offerId`, `affiliateId`, `advertiserId`, `startAtRow`, `rowLimit`, `sortDescending`.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::InvalidId`].
pub(crate) fn changes_request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &CHANGES_NAMES)?;
    // The service takes only days (KB 13000105132).
    let since = Params::required("since", params.date("since")?)?;
    let mut request = changes(
        account,
        &since,
        params.boolean("includesNew")?.unwrap_or(false),
        [
            params.id("affiliateId")?,
            params.id("advertiserId")?,
            params.id("offerId")?,
        ],
    );
    push_page(&mut request, &params)?;
    push_sort(&mut request, "event_conversion_date", &params)?;
    Ok(request)
}

/// The request for the changes on an offer since a day; [`with_rows`] asks for its rows.
pub(super) fn changes_on_offer(account: &Account, since: &str, offer_id: u64) -> Request {
    changes(account, since, true, [None, None, Some(offer_id)])
}

fn changes(
    account: &Account,
    since: &str,
    includes_new: bool,
    [affiliate_id, advertiser_id, offer_id]: [Option<u64>; 3],
) -> Request {
    let mut request = account.get_older(CHANGES_PATH);
    request.parameter("changes_since", since);
    request.parameter(
        "include_new_event_conversions",
        if includes_new { "TRUE" } else { "FALSE" },
    );
    push_filter(&mut request, "source_affiliate_id", affiliate_id);
    push_filter(&mut request, "brand_advertiser_id", advertiser_id);
    push_filter(&mut request, "site_offer_id", offer_id);
    push_all(&mut request, &["campaign_id", "creative_id"]);
    request.parameter("include_tests", "FALSE");
    request
}

/// A page of the request of [`changes_on_offer`], with the oldest or the newest conversions first.
pub(crate) fn with_rows(
    request: &Request,
    start_at_row: u64,
    row_limit: u64,
    is_newest_first: bool,
) -> Request {
    let mut request = request.clone();
    request.number("start_at_row", Some(start_at_row));
    request.number("row_limit", Some(row_limit));
    request.parameter("sort_field", "event_conversion_date");
    request.parameter(
        "sort_descending",
        if is_newest_first { "TRUE" } else { "FALSE" },
    );
    request
}

fn push_sort(request: &mut Request, field: &str, params: &Params<'_>) -> Result<()> {
    let is_descending = params.boolean("sortDescending")?.unwrap_or(false);
    request.parameter("sort_field", field);
    request.parameter(
        "sort_descending",
        if is_descending { "TRUE" } else { "FALSE" },
    );
    Ok(())
}

fn disposition_type(params: &Params<'_>) -> Result<&'static str> {
    let Some(word) = params.open_word("conversionStatus")? else {
        return Ok("all");
    };
    let found = STATUSES.iter().find(|(status, _)| *status == word);
    found.map(|(_, wire)| *wire).ok_or_else(|| Error::InvalidField {
        parameter: "conversionStatus".to_owned(),
        rule: "must be approved, pending, rejected or returned: the older services filter by no other".to_owned(),
    })
}

/// Reads the answer to either request.
///
/// # Errors
/// Every error of an answer, see [`Error`].
pub(crate) fn read(answer: &Answer<'_>) -> Result<ConversionPage> {
    read_page(answer, &LISTS, FIELDS, conversion)
}

/// A page of conversions, and its value as evidence of a correction.
#[derive(Debug)]
pub(crate) struct ChangesPage {
    pub(crate) page: ConversionPage,
    /// Does a row have two values in a field that identifies a correction, or is an entry no row?
    /// Then the page settles nothing.
    pub(crate) is_two_faced: bool,
}

/// The fields that identify a correction.
const LOOKED_AT: [Field; 7] = [
    ("", "event_conversion_id"),
    ("", "transaction_id"),
    ("", "note"),
    ("", "returned"),
    ("site_offer", "site_offer_id"),
    ("paid", "amount"),
    ("received", "amount"),
];

/// Like [`read`], for a look-up: a no in a row counts too.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn read_for_lookup(answer: &Answer<'_>) -> Result<ChangesPage> {
    if answer.body().trim_start().starts_with('{') {
        answer.check_read(&answer.open()?, "")?;
    }
    let mut is_two_faced = false;
    let page = read_page(answer, &LISTS, FIELDS, |row| {
        is_two_faced |= row.is_two_faced(&LOOKED_AT);
        conversion(row)
    })?;
    Ok(ChangesPage {
        // An entry that is no row may be any conversion.
        is_two_faced: is_two_faced || !page.gaps.is_empty(),
        page,
    })
}

fn conversion(row: &Row<'_>) -> ListedConversion {
    let amount = |name| row.text(name, "amount").or_else(|| row.text("", name));
    // Affiliates and advertisers of one account have currencies of their own.
    let amounts = ["paid", "received", "order_total"];
    let ids = amounts.map(|name| row.id(name, "currency_id"));
    let [payout_currency, revenue_currency, order_total_currency] = amounts.map(|name| {
        let code = row.read(name, "currency_id", |id| match parse_id(id)? {
            0 => Some(None),
            id => currency(id).map(Some),
        });
        code.flatten().map(str::to_owned)
    });
    let mut told = ids.into_iter().flatten();
    let first = told.next();
    let is_one = told.all(|id| Some(id) == first);
    ListedConversion {
        conversion_id: row.id("", "event_conversion_id"),
        offer: Offer {
            offer_id: row.id("site_offer", "site_offer_id"),
            offer_name: row.text("site_offer", "site_offer_name"),
        },
        affiliate: Affiliate {
            affiliate_id: row.affiliate_id(),
            affiliate_name: row.text("source_affiliate", "source_affiliate_name"),
        },
        payout_text: amount("paid"),
        revenue_text: amount("received"),
        conversion_status: status(row),
        conversion_date: dress::date(row.text("", "event_conversion_date")),
        click_id: row.text("", "request_session_id"),
        unique_id: row.text("", "transaction_id"),
        order_id: None,
        order_total_text: amount("order_total"),
        currency: first
            .filter(|_| is_one)
            .and_then(currency)
            .map(str::to_owned),
        payout_currency,
        revenue_currency,
        order_total_currency,
        disposition: disposition(row),
        event_id: row.id("event_info", "event_id"),
        event_name: row.text("event_info", "event_name"),
        updated_date: dress::date(row.text("", "last_updated")),
        note: row.text("", "note"),
    }
}

/// The name of the disposition, one of the account's own. Its place in the answer is *(inference)*:
/// the recorded row has none.
fn disposition(row: &Row<'_>) -> Option<String> {
    row.text("current_disposition", "disposition_name")
        .or_else(|| row.text("", "disposition"))
}

/// The status in the young API's words: `returned` by its own flag, otherwise by the disposition's
/// type. A row without either has no status.
fn status(row: &Row<'_>) -> Option<String> {
    if row.flag("returned") == Some(true) {
        return Some("returned".to_owned());
    }
    [
        ("disposition_type", "disposition_type_name"),
        ("current_disposition", "disposition_type"),
        ("", "disposition_type"),
    ]
    .iter()
    .find_map(|(parent, name)| row.text(parent, name))
    .or_else(|| disposition(row))
    .map(|word| word.trim().to_ascii_lowercase())
    .filter(|word| {
        matches!(
            word.as_str(),
            "approved" | "pending" | "rejected" | "returned" | "reversed" | "scrubbed"
        )
    })
}
