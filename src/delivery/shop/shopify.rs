//! Shopify: `X-Shopify-Hmac-Sha256` over the raw body, and orders and refunds of its REST Admin
//! API. Amounts are in the shop's currency, `shop_money`. Those in the buyer's currency
//! (`presentment_money`) are never read.

use super::payload::Payload;
use super::settings::{Amount, Revenue, Settings, from_units, money};
use super::{Correction, RETURNED, Refund, Verdict};

/// The values of `financial_status` for an order that has been paid.
const PAID: [&str; 3] = ["paid", "partially_refunded", "refunded"];

/// Reads a payload. The topic is not signed, so the payload must match it.
pub(super) fn read(settings: &Settings, topic: &str, payload: &Payload<'_>) -> Verdict {
    match topic {
        "orders/paid" | "orders/create" if topic == settings.sale_topic => {
            order(settings, topic, payload)
        }
        "orders/cancelled" => cancelled(settings, payload),
        "orders/updated" => updated(settings, payload),
        "refunds/create" => refund(settings, payload, None),
        _ => Verdict::ignored("other_topic"),
    }
}

fn order(settings: &Settings, topic: &str, payload: &Payload<'_>) -> Verdict {
    if settings.refuses_test(payload.is_true(&["test"])) {
        return Verdict::of("test");
    }
    // A sale that is known is taken back, and no new one is made.
    if payload.text(&["cancelled_at"]).is_some() {
        let mut verdict = cancelled(settings, payload);
        for refund in &mut verdict.refunds {
            refund.if_unknown = "dropped";
            verdict.reason = "cancelled";
        }
        return verdict;
    }
    let status = payload.text(&["financial_status"]);
    if topic == "orders/paid" && status.is_some_and(|status| !PAID.contains(&status.as_str())) {
        return Verdict::ignored("not_paid");
    }
    // `subscription_contract`, and since October 2025 `subscription_contract_checkout_one`.
    let source = payload.text(&["source_name"]).unwrap_or_default();
    if settings.refuses_recurring(source.starts_with("subscription_contract")) {
        return Verdict::ignored("not_recurring");
    }
    let (plain, set) = if settings.revenue == Revenue::Subtotal {
        ("subtotal_price", "subtotal_price_set")
    } else {
        ("total_price", "total_price_set")
    };
    let mut amount = match payload.text(&["currency"]) {
        Some(currency) if payload.at(&[plain]).is_some() => {
            Amount::decimal(payload, &[plain], Some(currency))
        }
        _ => {
            let currency = payload.text(&[set, "shop_money", "currency_code"]);
            Amount::decimal(payload, &[set, "shop_money", "amount"], currency)
        }
    };
    if settings.revenue == Revenue::Subtotal && payload.is_true(&["taxes_included"]) {
        amount.text = amount.text.and_then(|text| without_tax(payload, &text));
    }
    let paid_at_ms = payload
        .instant(&["processed_at"])
        .or_else(|| payload.instant(&["created_at"]));
    let click_id = settings.find_click_id(&[payload.at(&["note_attributes"])]);
    let unique_id = unique_id(settings, payload);
    let mut verdict = settings.sale(click_id, unique_id.clone(), amount, paid_at_ms);
    if let (Some(_), Some(unique_id)) = (&verdict.sale, unique_id) {
        verdict.refunds = refunds_of(settings, payload, &unique_id);
    }
    verdict
}

/// The refunds that the order itself tells of: their own webhooks may have come before the sale, or
/// never come. Each has the id that its own webhook gives it.
fn refunds_of(settings: &Settings, order: &Payload<'_>, unique_id: &str) -> Vec<Refund> {
    let mut refunds: Vec<_> = order
        .list(&["refunds"])
        .iter()
        .flat_map(|each| refund(settings, each, Some(unique_id)).refunds)
        .collect();
    let is_returned = order.text(&["financial_status"]).as_deref() == Some("refunded");
    if let Some(id) = order.id(&["id"]).filter(|_| is_returned) {
        refunds.push(Refund {
            correction: Correction {
                correction_id: ["shopify-refunded-", &id].concat(),
                offer_id: settings.offer_id,
                status: RETURNED,
                ..Correction::default()
            },
            unique_ids: vec![unique_id.to_owned()],
            if_unknown: "sent",
            change: None,
        });
    }
    refunds
}

/// Takes tax off a subtotal of prices with tax: the order's tax, less that of the shipping.
fn without_tax(payload: &Payload<'_>, subtotal: &str) -> Option<String> {
    let units = |of: &Payload<'_>, plain: &str, set: &str| {
        let text = of
            .text(&[plain])
            .or_else(|| of.text(&[set, "shop_money", "amount"]))?;
        Some(money(&text)?.units())
    };
    let mut left = money(subtotal)?.units();
    for line in payload.list(&["shipping_lines"]) {
        for tax in line.list(&["tax_lines"]) {
            left = left.checked_add(units(&tax, "price", "price_set")?)?;
        }
    }
    from_units(left.checked_sub(units(payload, "total_tax", "total_tax_set")?)?)
}

/// An order that was edited: it tells refunds whose payment was still pending in their own webhook.
fn updated(settings: &Settings, payload: &Payload<'_>) -> Verdict {
    if settings.refuses_test(payload.is_true(&["test"])) {
        return Verdict::of("test");
    }
    let mut refunds = unique_id(settings, payload)
        .map(|unique_id| refunds_of(settings, payload, &unique_id))
        .unwrap_or_default();
    if payload.text(&["cancelled_at"]).is_some() {
        refunds.extend(cancelled(settings, payload).refunds);
    }
    for refund in &mut refunds {
        refund.if_unknown = "dropped";
    }
    if refunds.is_empty() {
        return Verdict::ignored("other_topic");
    }
    Verdict {
        refunds,
        ..Verdict::of("refund")
    }
}

/// The order's id, or its name, such as `#1001`.
pub(super) fn unique_id(settings: &Settings, payload: &Payload<'_>) -> Option<String> {
    payload.id(&[if settings.is_by_number { "name" } else { "id" }])
}

fn cancelled(settings: &Settings, payload: &Payload<'_>) -> Verdict {
    if settings.refuses_test(payload.is_true(&["test"])) {
        return Verdict::of("test");
    }
    if payload.text(&["cancelled_at"]).is_none() {
        return Verdict::ignored("not_cancelled");
    }
    let (Some(id), Some(unique_id)) = (payload.id(&["id"]), unique_id(settings, payload)) else {
        return Verdict::ignored("no_order_id");
    };
    let click_id = settings.find_click_id(&[payload.at(&["note_attributes"])]);
    Verdict::refund(Refund {
        correction: Correction {
            correction_id: ["shopify-cancelled-", &id].concat(),
            offer_id: settings.offer_id,
            status: RETURNED,
            ..Correction::default()
        },
        unique_ids: vec![unique_id],
        // Without a click the order's page, or a pixel, may have told it.
        if_unknown: if click_id.is_some() { "sent" } else { "kept" },
        change: None,
    })
}

/// A refund names its order by id alone. It has no totals: neither the order's nor the remaining
/// one.
///
/// `unique_id` is the order's, where the order tells of the refund.
fn refund(settings: &Settings, payload: &Payload<'_>, unique_id: Option<&str>) -> Verdict {
    if settings.is_by_number && unique_id.is_none() {
        return Verdict::ignored("refund_without_name");
    }
    let order_id = unique_id.map_or_else(|| payload.id(&["order_id"]), |id| Some(id.to_owned()));
    let (Some(id), Some(order_id)) = (payload.id(&["id"]), order_id) else {
        return Verdict::ignored("no_order_id");
    };
    let transactions = payload.list(&["transactions"]);
    let is_test = transactions.iter().any(|each| each.is_true(&["test"]));
    if settings.refuses_test(is_test) {
        return Verdict::of("test");
    }
    let is =
        |each: &Payload<'_>, name, word: &str| each.text(&[name]).is_some_and(|text| text == word);
    let of_status = |status| {
        transactions
            .iter()
            .filter(move |each| is(each, "kind", "refund") && is(each, "status", status))
    };
    // Told as a whole once it is paid, by orders/updated: a part now would have the same id.
    if of_status("pending").next().is_some() {
        return Verdict::ignored("refund_pending");
    }
    let refunded = of_status("success");
    let mut units = 0;
    for each in refunded {
        // An amount in the buyer's currency tells nothing of the shop's.
        if !settings.is_currency(each.text(&["currency"]).as_deref()) {
            return Verdict::ignored("refund_currency");
        }
        match each.text(&["amount"]).and_then(|text| money(&text)) {
            Some(amount) => units += amount.units(),
            None => return Verdict::ignored("refund_amount"),
        }
    }
    if units == 0 || settings.revenue != Revenue::Total {
        return Verdict::ignored("refund_amount");
    }
    let taken = from_units(units).map(|amount| ["-", &amount].concat());
    Verdict::refund(Refund {
        correction: Correction {
            correction_id: ["shopify-refund-", &id].concat(),
            offer_id: settings.offer_id,
            revenue_added: taken,
            ..Correction::default()
        },
        unique_ids: vec![order_id],
        if_unknown: "kept",
        change: None,
    })
}
