//! Record Conversion: `GET /api/2/conversion.json`, and the code that it shares with the pixel: one
//! conversion, recorded once, with amounts by the rules.

use super::api::exact;
use super::fixture::{Offer, PostbackEvent};
use super::plan::{Decided, HttpAnswer, IncomingRequest, Plan, Rows, Stop, Write};
use super::postback::Audience;
use super::query::Query;
use super::row::{ClickRow, ConversionRow};
use super::settings::Duplicates;
use super::{Network, payout};
use crate::time::CivilTime;
use crate::url;
use serde::Serialize;
use serde_json::value::RawValue;

/// A conversion as a call specifies it.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) payout: Option<String>,
    pub(super) revenue: Option<String>,
    pub(super) conversion_date: Option<String>,
    pub(super) unique_id: Option<String>,
    pub(super) order_id: Option<String>,
    pub(super) adv: [Option<String>; 5],
    pub(super) event_id: Option<u64>,
    pub(super) order_total: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) coupons: Option<String>,
    pub(super) udid: Option<String>,
}

/// The result of recording a conversion.
#[derive(Debug)]
pub(super) enum Recorded {
    /// It is new.
    New(ConversionRow),
    /// The conversion was recorded before.
    Before(ConversionRow),
}

impl Network {
    pub(super) fn record_conversion(&self, call: &IncomingRequest, rows: &Rows) -> Decided<Plan> {
        let query = Query(url::query_of(&call.url));
        self.open(call, "GET", query.text("api_key").as_deref())?;
        let Some(click_id) = query.text("click_id") else {
            return self.refuse("click_id is required");
        };
        let Some(offer_id) = self.optional(query, "offer_id")? else {
            return self.refuse("offer_id is required");
        };
        let Some(click) = rows.click(&click_id)? else {
            return self.refuse("Invalid click_id");
        };
        let Some(offer) = self
            .fixture
            .offer(offer_id)
            .filter(|_| offer_id == click.offer_id)
        else {
            return self.refuse("Invalid offer_id");
        };
        let asked = Asked {
            payout: query.text("payout"),
            revenue: query.text("revenue"),
            conversion_date: query.text("conversion_date"),
            unique_id: query.text("unique_id"),
            order_id: query.text("order_id"),
            adv: ["adv1", "adv2", "adv3", "adv4", "adv5"].map(|name| query.text(name)),
            ..Asked::default()
        };
        let recorded = self
            .record(call, rows, click, offer, asked)
            .map_err(|stop| match stop {
                Refusal::Stop(stop) => stop,
                Refusal::Message(message) => Stop::Say(self.failure(&message)),
            })?;
        match recorded {
            Recorded::Before(first) => Ok(answer(&first).into()),
            Recorded::New(row) => {
                let fired = self.fired(
                    call,
                    rows,
                    click,
                    &row,
                    first_events(&row),
                    Audience::Nobody,
                )?;
                let answer = answer(&row);
                Ok(Plan {
                    writes: std::iter::once(Write::Conversion(row))
                        .chain(fired.into_iter().map(Write::Fired))
                        .collect(),
                    answer,
                })
            }
        }
    }

    /// Records one conversion of a click, under the offer's rules.
    pub(super) fn record(
        &self,
        call: &IncomingRequest,
        rows: &Rows,
        click: &ClickRow,
        offer: &Offer,
        asked: Asked,
    ) -> Result<Recorded, Refusal> {
        let worth = self.worth(
            offer,
            click.affiliate_id,
            asked.payout.as_deref(),
            asked.revenue.as_deref(),
        )?;
        let conversion_date = match &asked.conversion_date {
            Some(date) => CivilTime::parse("conversion_date", date)?.to_string(),
            None => self.settings.civil(call.now_ms),
        };
        let dedupe_key = asked
            .unique_id
            .as_ref()
            .filter(|_| offer.deduplicates)
            .map(|unique_id| format!("{}:{unique_id}", offer.offer_id));
        if let Some(key) = &dedupe_key
            && let Some(first) = rows.duplicate(key)?
        {
            return match self.settings.duplicates {
                Duplicates::Repeat => Ok(Recorded::Before(first.clone())),
                Duplicates::Refuse => Err(Refusal::Message("Duplicate unique_id".into())),
            };
        }
        let mut conversion_status = self.first_status(offer, click.affiliate_id);
        if let Some((most, filter)) = payout::capped(offer, click.affiliate_id, &conversion_date)
            && rows.count(|| filter)? >= most
        {
            conversion_status = "ignored";
        }
        let [adv1, adv2, adv3, adv4, adv5] = asked.adv;
        Ok(Recorded::New(ConversionRow {
            conversion_id: call.next.conversion,
            click_id: click.click_id.clone(),
            offer_id: offer.offer_id,
            affiliate_id: click.affiliate_id,
            payout: worth.payout.to_string(),
            payout_units: worth.payout.units(),
            revenue: worth.revenue.to_string(),
            revenue_units: worth.revenue.units(),
            unique_id: asked.unique_id,
            dedupe_key,
            order_id: asked.order_id,
            conversion_date,
            conversion_status: conversion_status.to_owned(),
            adv1,
            adv2,
            adv3,
            adv4,
            adv5,
            event_id: asked.event_id,
            order_total: asked.order_total,
            currency: asked.currency,
            coupons: asked.coupons,
            udid: asked.udid,
            updated_date: Some(self.settings.civil(call.now_ms)),
            ..ConversionRow::default()
        }))
    }
}

/// The events of a new conversion.
pub(super) fn first_events(row: &ConversionRow) -> &'static [PostbackEvent] {
    match row.conversion_status.as_str() {
        "approved" => &[PostbackEvent::Conversion, PostbackEvent::Approval],
        "pending" => &[PostbackEvent::Conversion],
        _ => &[],
    }
}

/// The reason why no conversion is recorded.
#[derive(Debug)]
pub(super) enum Refusal {
    Stop(Stop),
    Message(String),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<crate::Error> for Refusal {
    fn from(error: crate::Error) -> Self {
        Self::Message(error.to_string())
    }
}

/// The answer for a conversion, whether it is new or was recorded before.
fn answer(row: &ConversionRow) -> HttpAnswer {
    #[derive(Serialize)]
    struct Envelope<'a> {
        request_status: &'static str,
        conversion: Conversion<'a>,
    }
    #[derive(Serialize)]
    struct Conversion<'a> {
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
    HttpAnswer::json(&Envelope {
        request_status: "Success",
        conversion: Conversion {
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
