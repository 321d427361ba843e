//! `WooCommerce`: `X-WC-Webhook-Signature` over the raw body, and orders of its REST API. An order
//! counts once its status does. A refund comes as an update of its order.

use super::change::Change;
use super::payload::Payload;
use super::settings::{Amount, Revenue, Settings, from_units, money, shortest};
use super::{APPROVED, Correction, RETURNED, Refund, Verdict, Webhook};
use crate::money::Money;

/// Is this the unsigned ping that follows a webhook's creation: `webhook_id=12`?
pub(super) fn is_ping(webhook: &Webhook<'_>) -> bool {
    let id = webhook.body.strip_prefix(b"webhook_id=");
    webhook.signature.trim().is_empty()
        && id.is_some_and(|id| (1..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
}

/// Reads a payload.
pub(super) fn read(
    settings: &Settings,
    topic: &str,
    payload: &Payload<'_>,
    now_ms: u64,
) -> Verdict {
    if !matches!(topic, "order.created" | "order.updated") {
        return Verdict::ignored("other_topic");
    }
    let status = payload.text(&["status"]).unwrap_or_default();
    let (Some(id), Some(unique_id)) = (payload.id(&["id"]), unique_id(settings, payload)) else {
        return Verdict::ignored("no_order_id");
    };
    let click_id = settings.find_click_id(&[payload.at(&["meta_data"])]);
    // A later state of the order counts more than an earlier one, whichever comes first.
    let as_of_ms = payload.instant(&["date_modified_gmt"]).unwrap_or(now_ms);
    let family = ["woocommerce-", &id].concat();
    let refund = |word: &str, correction: Correction| Refund {
        correction: Correction {
            correction_id: [&family, "-", word, "-", &as_of_ms.to_string()].concat(),
            offer_id: settings.offer_id,
            ..correction
        },
        unique_ids: vec![unique_id.clone()],
        if_unknown: "sent",
        change: Some(Change {
            family: family.clone(),
            as_of_ms,
            ..Change::default()
        }),
    };
    if settings.statuses.contains(&status) {
        if settings.refuses_recurring(is_renewal(payload)) {
            return Verdict::ignored("not_recurring");
        }
        let amount = Amount {
            text: amount(settings, payload),
            currency: payload.text(&["currency"]),
        };
        let paid_at_ms = payload
            .instant(&["date_paid_gmt"])
            .or_else(|| payload.instant(&["date_created_gmt"]));
        let has_click = click_id.is_some();
        let mut verdict = settings.sale(click_id, Some(unique_id.clone()), amount, paid_at_ms);
        let state = state_now(settings, payload);
        verdict.refunds.extend(state.map(|(is_whole, correction)| {
            let word = if is_whole { "approved" } else { "refunded" };
            let mut refund = refund(word, correction);
            if let Some(change) = &mut refund.change {
                change.restores = is_whole;
            }
            // The order's page may have told the click.
            if !has_click {
                refund.if_unknown = if is_whole { "dropped" } else { "kept" };
            }
            refund
        }));
        return verdict;
    }
    if !matches!(status.as_str(), "refunded" | "cancelled") {
        return Verdict::ignored("status");
    }
    // WooCommerce itself cancels unpaid orders, which may still be paid later. An order paid on
    // delivery may be a conversion without payment; the forwarder knows that.
    let is_paid = payload.text(&["date_paid_gmt"]).is_some();
    let correction = Correction {
        status: RETURNED,
        ..Correction::default()
    };
    Verdict::refund(Refund {
        if_unknown: match click_id {
            _ if !is_paid => "dropped",
            Some(_) => "sent",
            // The order's page may have told the click.
            None => "kept",
        },
        ..refund(&status, correction)
    })
}

/// The order's id, or its number.
pub(super) fn unique_id(settings: &Settings, payload: &Payload<'_>) -> Option<String> {
    payload.id(&[if settings.is_by_number {
        "number"
    } else {
        "id"
    }])
}

/// Is this a later order of a subscription? It copies the first order, also its meta data.
fn is_renewal(payload: &Payload<'_>) -> bool {
    let meta = payload.list(&["meta_data"]);
    let is_marked =
        |each: &Payload<'_>| each.text(&["key"]).as_deref() == Some("_subscription_renewal");
    payload.text(&["created_via"]).as_deref() == Some("subscription") || meta.iter().any(is_marked)
}

fn amount(settings: &Settings, payload: &Payload<'_>) -> Option<String> {
    if settings.revenue != Revenue::Subtotal {
        return payload
            .text(&["total"])
            .and_then(|text| money(&text))
            .map(shortest);
    }
    // An order has no such sum. Its lines have it, after discounts and without tax.
    let lines = payload.list(&["line_items"]);
    let totals: Option<Vec<Money>> = lines
        .iter()
        .map(|line| line.text(&["total"]).and_then(|text| money(&text)))
        .collect();
    let totals = totals.filter(|totals| !totals.is_empty())?;
    from_units(totals.iter().map(|total| total.units()).sum())
}

/// The state of an order that counts: is it whole, and what remains of it? `None` where an amount
/// cannot be read.
fn state_now(settings: &Settings, payload: &Payload<'_>) -> Option<(bool, Correction)> {
    let is_told = settings.revenue == Revenue::Total
        && settings.is_currency(payload.text(&["currency"]).as_deref());
    let total = payload.text(&["total"]).and_then(|text| money(&text))?;
    let mut taken: u64 = 0;
    for each in &payload.list(&["refunds"]) {
        let text = each.text(&["total"])?;
        taken = taken.checked_add(money(text.trim_start_matches('-'))?.units())?;
    }
    let left = total.units().saturating_sub(taken);
    let is_whole = !is_told || taken == 0;
    let correction = Correction {
        status: if is_whole {
            APPROVED
        } else {
            RETURNED.filter(|_| left == 0)
        },
        revenue: from_units(left).filter(|_| is_told && left > 0),
        ..Correction::default()
    };
    Some((is_whole, correction))
}
