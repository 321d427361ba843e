//! Get Click by filters: `GET /api/2/click.json?start_date=…`.

use super::answer::record::{list_holder, page};
use super::get_click::{self, Click};
use super::page::Page;
use super::params::Params;
use super::{Account, Answer, Request};
use crate::Result;

/// The most rows of one answer.
pub(crate) const MAX_ROW_LIMIT: u64 = 10_000;

/// The path of names to the rows in the article's answer.
pub(crate) const ROWS_PATH: [&str; 2] = ["response", "clicks"];

const NAMES: [&str; 6] = [
    "startDate",
    "endDate",
    "offerId",
    "affiliateId",
    "startAtRow",
    "rowLimit",
];

/// Builds the request from the parameters' JSON, in the order of CAKE's article.
///
/// # Errors
/// [`crate::Error::InvalidField`], [`crate::Error::InvalidId`].
pub(crate) fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let (start_date, end_date) = params.range()?;
    let mut request = account.get(get_click::PATH);
    request.optional("start_date", start_date.as_deref());
    request.optional("end_date", end_date.as_deref());
    request.number("offer_id", params.id("offerId")?);
    request.number("affiliate_id", params.id("affiliateId")?);
    let rule = "must be a whole number from 1 to 10000";
    params.push_page(&mut request, MAX_ROW_LIMIT, rule)?;
    Ok(request)
}

/// A page of clicks. Serializes in camelCase.
pub(crate) type ClickPage = Page<Click>;

/// Reads the answer. The caller may have taken its rows out, where the platform's own parser reads
/// them faster.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read(answer: &Answer<'_>) -> Result<ClickPage> {
    let holder = list_holder(answer, "clicks")?;
    page(answer, &holder, ["clicks", "click"], Click::from_record)
}
