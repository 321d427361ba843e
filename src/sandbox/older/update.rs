//! `track.asmx/UpdateConversionEvents` (KB 13000068566): a total replaces the old value, an
//! addition adds again each time, a note is appended.

use super::answer::text;
use super::{Call, Kind, Parameter};
use crate::sandbox::fixture::PostbackEvent;
use crate::sandbox::payout::amount;
use crate::sandbox::plan::{ConversionFilter, Decided, Need, Plan, Rows, Stop, Write};
use crate::sandbox::postback::Audience;
use crate::sandbox::{ConversionRow, Network};

pub(super) const PARAMETERS: &[Parameter] = &[
    ("conversion_id", Kind::Integer),
    ("transaction_id", Kind::Text),
    ("offer_id", Kind::Integer),
    ("payout", Kind::Decimal),
    ("add_to_existing_payout", Kind::Boolean),
    ("received", Kind::Decimal),
    (
        "received_option",
        Kind::Word(&[
            "total_sale_amount",
            "additional_sale_amount",
            "total_revenue",
            "additional_revenue",
            "no_change",
        ]),
    ),
    (
        "disposition_type",
        Kind::Word(&["no_change", "pending", "rejected", "approved", "returned"]),
    ),
    ("disposition_id", Kind::Integer),
    ("update_revshare_payout", Kind::Boolean),
    (
        "effective_date_option",
        Kind::Word(&["today", "conversion_date", "custom"]),
    ),
    ("custom_date", Kind::Date),
    ("note_to_append", Kind::Text),
    ("disallow_on_billing_status", Kind::Text),
];

/// An amount in 1/10000, with its sign; further decimal places are cut off.
fn units(decimal: &str) -> Option<i64> {
    let (sign, digits) = decimal
        .strip_prefix('-')
        .map_or((1, decimal), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction: String = fraction.chars().chain("0000".chars()).take(4).collect();
    let whole: i64 = whole.parse().ok()?;
    Some(
        sign * (whole
            .checked_mul(10_000)?
            .checked_add(fraction.parse().ok()?)?),
    )
}

impl Network {
    pub(super) fn update_conversion_events(&self, call: &Call<'_>, loaded: &Rows) -> Decided<Plan> {
        let asked = &call.asked;
        let found = corrected_conversion(call, loaded)?;
        let Some(conversion) = found.filter(|row| Some(row.offer_id) == asked.id("offer_id"))
        else {
            return call.refuse("Conversion Not Found", false);
        };
        let decimal = |name| units(asked.text(name)).unwrap_or(0);
        let sum = |before: u64, adds: bool, by: i64| {
            let before = if adds {
                i64::try_from(before).unwrap_or(i64::MAX)
            } else {
                0
            };
            u64::try_from(before.saturating_add(by)).ok()
        };
        let Some(payout) = sum(
            conversion.payout_units,
            asked.flag("add_to_existing_payout"),
            decimal("payout"),
        ) else {
            return call.refuse("Payout must not be negative", false);
        };
        let received = decimal("received");
        let option = asked.text("received_option");
        let order_total = conversion
            .order_total
            .as_deref()
            .and_then(units)
            .unwrap_or(0);
        let (revenue, total) = match option {
            "total_revenue" => (sum(0, false, received), Some(None)),
            "additional_revenue" => (sum(conversion.revenue_units, true, received), Some(None)),
            "total_sale_amount" => (
                Some(conversion.revenue_units),
                sum(0, false, received).map(Some),
            ),
            "additional_sale_amount" => (
                Some(conversion.revenue_units),
                sum(u64::try_from(order_total).unwrap_or(0), true, received).map(Some),
            ),
            _ => (Some(conversion.revenue_units), Some(None)),
        };
        let (Some(revenue), Some(total)) = (revenue, total) else {
            return call.refuse("Received must not be negative", false);
        };
        let status = match asked.text("disposition_type") {
            "" | "no_change" => conversion.conversion_status.clone(),
            word => word.to_owned(),
        };
        let mut note = conversion.note.clone().unwrap_or_default();
        if !asked.text("note_to_append").is_empty() {
            if !note.is_empty() {
                note.push(' ');
            }
            note.push_str(asked.text("note_to_append").trim());
        }
        let is_moved = status != conversion.conversion_status;
        let event = if status == "approved" {
            PostbackEvent::Approval
        } else {
            PostbackEvent::Rejection
        };
        let events: &[PostbackEvent] = if is_moved && status != "pending" {
            &[event]
        } else {
            &[]
        };
        let corrected = ConversionRow {
            payout: amount(payout),
            payout_units: payout,
            revenue: amount(revenue),
            revenue_units: revenue,
            order_total: total.map(amount).or_else(|| conversion.order_total.clone()),
            conversion_status: status,
            updated_date: Some(self.settings.civil(call.request.now_ms)),
            corrections: conversion.corrections + 1,
            note: Some(note).filter(|note| !note.is_empty()),
            ..conversion.clone()
        };
        // Without the click, the macros have no values: the affiliate gets no postback.
        let fired = match loaded.click(&corrected.click_id)? {
            Some(click) => self.fired(
                call.request,
                loaded,
                click,
                &corrected,
                events,
                Audience::Nobody,
            )?,
            None => Vec::new(),
        };
        Ok(Plan {
            writes: std::iter::once(Write::Changed(corrected))
                .chain(fired.into_iter().map(Write::Fired))
                .collect(),
            answer: call.answer(vec![text("message", "Conversion Updated")]),
        })
    }
}

/// The conversion, by its id or by the advertiser's transaction id.
fn corrected_conversion<'a>(
    call: &Call<'_>,
    loaded: &'a Rows,
) -> Decided<Option<&'a ConversionRow>> {
    if let Some(conversion_id) = call.asked.id("conversion_id") {
        return loaded.conversion(conversion_id);
    }
    let unique_id = call.asked.text("transaction_id");
    if unique_id.is_empty() {
        return call.refuse("Conversion Not Found", false);
    }
    let Some(page) = &loaded.conversions else {
        let filter = ConversionFilter {
            unique_id: Some(unique_id.to_owned()),
            offer_ids: call.asked.id("offer_id").map(|id| vec![id]),
            limit: 1,
            sort: "conversion_id",
            is_whole: true,
            ..ConversionFilter::default()
        };
        return Err(Stop::Need(Box::new(Need::Conversions { filter })));
    };
    Ok(page.rows.first())
}
