//! Clicks: `GET /api/12/reports.asmx/Clicks` (KB 13000034150), for
//! `listClicks`. The young API's click id is `request_session_id` here; the
//! service's own `click_id` is another number.

use super::parameters::{push_all, push_filter, push_page, push_range};
use super::read_page;
use super::row::{Field, Row};
use crate::Result;
use crate::api::get_click::Click;
use crate::api::list_clicks::ClickPage;
use crate::api::params::Params;
use crate::api::{Account, Answer, Request, dress};

const PATH: &str = "12/reports.asmx/Clicks";

const NAMES: [&str; 6] = [
    "startDate",
    "endDate",
    "offerId",
    "affiliateId",
    "startAtRow",
    "rowLimit",
];

const FIELDS: &[Field] = &[
    ("", "request_session_id"),
    ("", "click_date"),
    ("source_affiliate", "source_affiliate_id"),
    ("site_offer", "site_offer_id"),
    ("", "sub_id_1"),
    ("", "sub_id_2"),
    ("", "sub_id_3"),
    ("", "sub_id_4"),
    ("", "sub_id_5"),
    ("", "ip_address"),
    ("country", "country_code"),
];

/// Builds the request from the parameters' JSON: those of the young API, with times as well as
/// days.
///
/// # Errors
/// [`crate::Error::InvalidField`], [`crate::Error::InvalidId`].
pub(crate) fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let mut request = account.get_older(PATH);
    push_range(&mut request, &params)?;
    push_filter(&mut request, "affiliate_id", params.id("affiliateId")?);
    push_all(&mut request, &["advertiser_id"]);
    push_filter(&mut request, "offer_id", params.id("offerId")?);
    push_all(
        &mut request,
        &["campaign_id", "creative_id", "price_format_id"],
    );
    request.parameter("include_duplicates", "FALSE");
    request.parameter("include_tests", "FALSE");
    push_page(&mut request, &params)?;
    Ok(request)
}

/// Reads the answer. The service does not say whether a click has converted.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read(answer: &Answer<'_>) -> Result<ClickPage> {
    read_page(answer, &[("clicks", "click")], FIELDS, click)
}

fn click(row: &Row<'_>) -> Click {
    Click {
        click_id: row.text("", "request_session_id"),
        click_date: dress::date(row.text("", "click_date")),
        offer_id: row.id("site_offer", "site_offer_id"),
        affiliate_id: row.affiliate_id(),
        sub_id_1: row.text("", "sub_id_1"),
        sub_id_2: row.text("", "sub_id_2"),
        sub_id_3: row.text("", "sub_id_3"),
        sub_id_4: row.text("", "sub_id_4"),
        sub_id_5: row.text("", "sub_id_5"),
        ip_address: row.text("", "ip_address"),
        country: row.text("country", "country_code"),
        ..Click::default()
    }
}
