//! The conversion report: `GET /api/2/report/conversion.json` (KB 13000118753), with the unique id.
//! The answer has no `total_rows`, like the documented one.

use super::Network;
use super::api::exact;
use super::plan::{Decided, HttpAnswer, IncomingRequest, Need, Plan, Rows, Stop};
use super::query::Query;
use crate::url;
use serde::Serialize;
use serde_json::value::RawValue;

/// The maximum number of rows in one answer.
const MAX_ROWS: u64 = 10_000;

#[derive(Serialize)]
struct Envelope<'a> {
    request_status: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    conversions: Vec<Conversion<'a>>,
}

#[derive(Serialize)]
struct Conversion<'a> {
    conversion_id: u64,
    conversion_date: &'a str,
    offer_id: u64,
    affiliate_id: u64,
    payout: Option<Box<RawValue>>,
    revenue: Option<Box<RawValue>>,
    conversion_status: &'a str,
    unique_id: Option<&'a str>,
}

impl Network {
    pub(super) fn conversion_report(&self, call: &IncomingRequest, rows: &Rows) -> Decided<Plan> {
        let query = Query(url::query_of(&call.url));
        self.open(call, "GET", query.text("api_key").as_deref())?;
        let Some(page) = &rows.conversions else {
            let filter = self.conversion_filter(query, MAX_ROWS)?;
            return Err(Stop::Need(Box::new(Need::Conversions { filter })));
        };
        let conversions = page
            .rows
            .iter()
            .map(|row| Conversion {
                conversion_id: row.conversion_id,
                conversion_date: &row.conversion_date,
                offer_id: row.offer_id,
                affiliate_id: row.affiliate_id,
                payout: exact(&row.payout),
                revenue: exact(&row.revenue),
                conversion_status: &row.conversion_status,
                unique_id: row.unique_id.as_deref(),
            })
            .collect();
        Ok(HttpAnswer::json(&Envelope {
            request_status: "Success",
            response: Response {
                data: Data { conversions },
            },
        })
        .into())
    }
}
