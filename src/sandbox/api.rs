//! The API's actions as CAKE's article shows them: Get Click and Record
//! Conversion.

use super::{ClickRow, ConversionRow, Network, Query};
use crate::money::Money;
use crate::time::CivilTime;
use crate::url;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// An answer of the API: always JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
}

/// The rows that Record Conversion is decided on.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Rows {
    /// The click of the given click id.
    pub click: Option<ClickRow>,
    /// The conversion of the same offer and unique id.
    pub duplicate: Option<ConversionRow>,
    /// A fresh conversion id.
    pub next_conversion_id: u64,
}

/// What to do about a Record Conversion.
#[derive(Clone, Debug, Serialize)]
pub struct RecordPlan {
    /// What to answer, once the row is stored.
    pub answer: ApiAnswer,
    /// The row to store.
    pub row: Option<ConversionRow>,
    /// The URLs to fetch, once the row is stored.
    pub postbacks: Vec<String>,
}

impl Network {
    /// Answers Get Click by click id.
    #[must_use]
    pub fn get_click(&self, url: &str, click: Option<&ClickRow>) -> ApiAnswer {
        if let Some(refusal) = self.refuse_key(Query(url::query_of(url))) {
            return refusal;
        }
        let clicks: Vec<Value> = click
            .map(|click| {
                json!({
                    "click_id": click.click_id,
                    "click_date": click.click_date,
                    "offer_id": click.offer_id,
                    "affiliate_id": click.affiliate_id,
                    "sub_id_1": click.sub_id_1,
                    "sub_id_2": click.sub_id_2,
                    "sub_id_3": click.sub_id_3,
                    "sub_id_4": click.sub_id_4,
                    "sub_id_5": click.sub_id_5,
                    "converted": click.conversion_id.is_some(),
                    "conversion_id": click.conversion_id,
                })
            })
            .into_iter()
            .collect();
        success(&json!({
            "request_status": "Success",
            "response": { "total_rows": clicks.len(), "clicks": clicks },
        }))
    }

    /// Decides on Record Conversion at `url`.
    #[must_use]
    pub fn record_conversion(&self, url: &str, rows: &Rows, now_ms: u64) -> RecordPlan {
        let query = Query(url::query_of(url));
        match self.try_record(query, rows, now_ms) {
            Ok((row, click)) => RecordPlan {
                answer: recorded(&row),
                postbacks: self.postbacks(click, &row),
                row: Some(row),
            },
            Err(answer) => RecordPlan {
                answer,
                row: None,
                postbacks: Vec::new(),
            },
        }
    }

    fn try_record<'a>(
        &self,
        query: Query<'_>,
        rows: &'a Rows,
        now_ms: u64,
    ) -> Result<(ConversionRow, &'a ClickRow), ApiAnswer> {
        if let Some(refusal) = self.refuse_key(query) {
            return Err(refusal);
        }
        let click = rows
            .click
            .as_ref()
            .ok_or_else(|| failure("Invalid click_id"))?;
        let offer = query
            .number("offer_id")
            .filter(|offer_id| *offer_id == click.offer_id)
            .and_then(|offer_id| self.fixture.offer(offer_id))
            .ok_or_else(|| failure("Invalid offer_id"))?;
        if let Some(first) = &rows.duplicate {
            return Err(recorded(first));
        }
        let amount = |name: &'static str, rule: &str| {
            let text = query.text(name).unwrap_or_else(|| rule.to_owned());
            Money::parse(name, &text)
                .map(|amount| amount.to_string())
                .map_err(|error| failure(&error.to_string()))
        };
        let conversion_date = match query.text("conversion_date") {
            Some(date) => CivilTime::parse("conversion_date", &date)
                .map_err(|error| failure(&error.to_string()))?,
            None => CivilTime::from_utc_ms(now_ms),
        };
        let row = ConversionRow {
            conversion_id: rows.next_conversion_id,
            click_id: click.click_id.clone(),
            offer_id: offer.offer_id,
            affiliate_id: click.affiliate_id,
            payout: amount("payout", &offer.payout)?,
            revenue: amount("revenue", &offer.revenue)?,
            unique_id: query.text("unique_id"),
            order_id: query.text("order_id"),
            conversion_date: conversion_date.to_string(),
            conversion_status: "approved".to_owned(),
        };
        Ok((row, click))
    }

    fn refuse_key(&self, query: Query<'_>) -> Option<ApiAnswer> {
        let is_ours = query.text("api_key").is_some_and(|key| key == self.api_key);
        (!is_ours).then(|| failure("Invalid API key"))
    }
}

/// The answer for a conversion: recorded now, or before.
fn recorded(row: &ConversionRow) -> ApiAnswer {
    #[derive(Serialize)]
    struct Envelope<'a> {
        request_status: &'static str,
        conversion: Recorded<'a>,
    }
    #[derive(Serialize)]
    struct Recorded<'a> {
        conversion_id: u64,
        offer_id: u64,
        affiliate_id: u64,
        click_id: &'a str,
        payout: Option<Box<RawValue>>,
        revenue: Option<Box<RawValue>>,
        unique_id: Option<&'a str>,
        conversion_date: &'a str,
        conversion_status: &'a str,
    }
    // Amounts are JSON numbers with their exact digits: 18.00, not 18.
    let exact = |amount: &str| RawValue::from_string(amount.to_owned()).ok();
    success(&Envelope {
        request_status: "Success",
        conversion: Recorded {
            conversion_id: row.conversion_id,
            offer_id: row.offer_id,
            affiliate_id: row.affiliate_id,
            click_id: &row.click_id,
            payout: exact(&row.payout),
            revenue: exact(&row.revenue),
            unique_id: row.unique_id.as_deref(),
            conversion_date: &row.conversion_date,
            conversion_status: &row.conversion_status,
        },
    })
}

fn success(body: &impl Serialize) -> ApiAnswer {
    ApiAnswer {
        status: 200,
        body: serde_json::to_string(body).unwrap_or_default(),
    }
}

/// CAKE says no with status 200.
fn failure(message: &str) -> ApiAnswer {
    success(&json!({ "success": false, "message": message }))
}
