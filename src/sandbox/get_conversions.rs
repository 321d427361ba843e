//! Get Conversions: `GET /api/2/conversions.json`.

use super::Network;
use super::api::exact;
use super::plan::{ConversionFilter, Decided, HttpAnswer, IncomingRequest, Need, Plan, Rows, Stop};
use super::query::Query;
use super::status::WORDS;
use crate::url;
use serde::Serialize;
use serde_json::value::RawValue;

/// The maximum number of rows in one answer.
const MAX_ROWS: u64 = 500;

/// The sortable fields, and their columns.
const SORTS: [(&str, &str); 7] = [
    ("conversion_id", "conversion_id"),
    ("conversion_date", "conversion_date"),
    ("conversion_status", "conversion_status"),
    ("payout", "payout_units"),
    ("revenue", "revenue_units"),
    ("offer_id", "offer_id"),
    ("affiliate_id", "affiliate_id"),
];

#[derive(Serialize)]
struct Envelope<'a> {
    request_status: &'static str,
    total_rows: u64,
    conversions: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    conversion: Conversion<'a>,
}

#[derive(Serialize)]
struct Conversion<'a> {
    conversion_id: u64,
    offer: Offer<'a>,
    affiliate: Affiliate<'a>,
    payout: Option<Box<RawValue>>,
    revenue: Option<Box<RawValue>>,
    conversion_status: &'a str,
    conversion_date: &'a str,
}

#[derive(Serialize)]
struct Offer<'a> {
    offer_id: u64,
    offer_name: &'a str,
}

#[derive(Serialize)]
struct Affiliate<'a> {
    affiliate_id: u64,
    affiliate_name: &'a str,
}

impl Network {
    pub(super) fn get_conversions(&self, call: &IncomingRequest, rows: &Rows) -> Decided<Plan> {
        let query = Query(url::query_of(&call.url));
        self.open(call, "GET", query.text("api_key").as_deref())?;
        let Some(page) = &rows.conversions else {
            let filter = self.conversion_filter(query, MAX_ROWS)?;
            return Err(Stop::Need(Box::new(Need::Conversions { filter })));
        };
        let conversions = page
            .rows
            .iter()
            .map(|row| Entry {
                conversion: Conversion {
                    conversion_id: row.conversion_id,
                    offer: Offer {
                        offer_id: row.offer_id,
                        offer_name: self
                            .fixture
                            .offer(row.offer_id)
                            .map_or("", |offer| &offer.offer_name),
                    },
                    affiliate: Affiliate {
                        affiliate_id: row.affiliate_id,
                        affiliate_name: self
                            .fixture
                            .affiliate(row.affiliate_id)
                            .map_or("", |affiliate| &affiliate.affiliate_name),
                    },
                    payout: exact(&row.payout),
                    revenue: exact(&row.revenue),
                    conversion_status: &row.conversion_status,
                    conversion_date: &row.conversion_date,
                },
            })
            .collect();
        Ok(HttpAnswer::json(&Envelope {
            request_status: "Success",
            total_rows: page.total,
            conversions,
        })
        .into())
    }

    pub(super) fn conversion_filter(
        &self,
        query: Query<'_>,
        max_rows: u64,
    ) -> Decided<ConversionFilter> {
        let range = self.range(query, true)?;
        let page = self.page_range(query, max_rows)?;
        let mut offer_ids = self.optional(query, "offer_id")?.map(|id| vec![id]);
        if let Some(advertiser_id) = self.optional(query, "advertiser_id")? {
            let asked = offer_ids.take();
            offer_ids = Some(
                self.fixture
                    .offers
                    .iter()
                    .filter(|offer| offer.advertiser_id == Some(advertiser_id))
                    .map(|offer| offer.offer_id)
                    .filter(|id| asked.as_ref().is_none_or(|asked| asked.contains(id)))
                    .collect(),
            );
        }
        let statuses = match query.text("conversion_status") {
            None => None,
            // A network of CAKE's may have scrubbed conversions (KB 13000118819); this one has none.
            Some(word) if WORDS.contains(&word.as_str()) || word == "scrubbed" => Some(vec![word]),
            Some(_) => return self.refuse("Invalid conversion_status"),
        };
        let field = query.text("sort_field");
        let field = field.as_deref().unwrap_or("conversion_date");
        let Some((_, sort)) = SORTS.iter().find(|(name, _)| *name == field) else {
            return self.refuse("Invalid sort_field");
        };
        let is_descending = match query.text("sort_descending").as_deref() {
            None | Some("false" | "0" | "False" | "FALSE") => false,
            Some("true" | "1" | "True" | "TRUE") => true,
            Some(_) => return self.refuse("Invalid sort_descending"),
        };
        Ok(ConversionFilter {
            from: range.from,
            before: range.before,
            offer_ids,
            affiliate_id: self.optional(query, "affiliate_id")?,
            statuses,
            offset: page.offset,
            limit: page.limit,
            sort,
            is_descending,
            ..ConversionFilter::default()
        })
    }
}
