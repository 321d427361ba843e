//! Get Click: `GET /api/2/click.json`.

use super::Network;
use super::plan::{ClickFilter, Decided, HttpAnswer, IncomingRequest, Need, Plan, Rows, Stop};
use super::query::Query;
use super::row::ClickRow;
use crate::url;
use serde::Serialize;

/// The maximum number of rows in one answer.
const MAX_ROWS: u64 = 10_000;

#[derive(Serialize)]
struct Envelope<'a> {
    request_status: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    clicks: Vec<Click<'a>>,
    total_rows: u64,
}

/// A click in the order of the article's sample. `sub_id_2` … `sub_id_5` follow if the click has
/// any: the sample has none *(inference)*.
#[derive(Serialize)]
struct Click<'a> {
    click_id: &'a str,
    click_date: &'a str,
    offer_id: u64,
    affiliate_id: u64,
    sub_id_1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_id_2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_id_3: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_id_4: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_id_5: Option<&'a str>,
    ip_address: Option<&'a str>,
    country: Option<&'a str>,
    converted: bool,
    conversion_id: Option<u64>,
}

impl<'a> From<&'a ClickRow> for Click<'a> {
    fn from(row: &'a ClickRow) -> Self {
        let [sub_id_1, sub_id_2, sub_id_3, sub_id_4, sub_id_5] = row.sub_ids();
        Self {
            click_id: &row.click_id,
            click_date: &row.click_date,
            offer_id: row.offer_id,
            affiliate_id: row.affiliate_id,
            sub_id_1,
            sub_id_2,
            sub_id_3,
            sub_id_4,
            sub_id_5,
            ip_address: row.ip_address.as_deref(),
            country: row.country.as_deref(),
            converted: row.conversion_id.is_some(),
            conversion_id: row.conversion_id,
        }
    }
}

impl Network {
    /// One click by `click_id`, which overrides all filters, or a filtered list.
    pub(super) fn get_click(&self, call: &IncomingRequest, rows: &Rows) -> Decided<Plan> {
        let query = Query(url::query_of(&call.url));
        self.open(call, "GET", query.text("api_key").as_deref())?;
        let (clicks, total_rows) = if let Some(click_id) = query.text("click_id") {
            let click = rows.click(&click_id)?;
            (
                click.map(Click::from).into_iter().collect(),
                u64::from(click.is_some()),
            )
        } else {
            let page = self.page_range(query, MAX_ROWS)?;
            let range = self.range(query, false)?;
            let filter = ClickFilter {
                from: range.from,
                before: range.before,
                offer_id: self.optional(query, "offer_id")?,
                affiliate_id: self.optional(query, "affiliate_id")?,
                offset: page.offset,
                limit: page.limit,
            };
            let page = rows
                .clicks
                .as_ref()
                .ok_or(Stop::Need(Box::new(Need::Clicks { filter })))?;
            (page.rows.iter().map(Click::from).collect(), page.total)
        };
        Ok(HttpAnswer::json(&Envelope {
            request_status: "Success",
            response: Response { clicks, total_rows },
        })
        .into())
    }
}
