//! Shopify: `X-Shopify-Hmac-Sha256` over the raw body, and orders and refunds of its REST Admin
//! API. Amounts are in the shop's currency, `shop_money`. Those in the buyer's currency
//! (`presentment_money`) are never read.

use super::payload::Payload;
use super::settings::{Amount, FoundClick, Revenue, Settings, from_units, money};
use super::{Fact, Order, Verdict};
use crate::money::Money;

/// The values of `financial_status` for an order that has been paid.
const PAID: [&str; 3] = ["paid", "partially_refunded", "refunded"];

/// Reads a payload. The topic is not signed, so the payload must match it.
pub(super) fn read(
    settings: &Settings,
    topic: &str,
    payload: &Payload<'_>,
    as_of_ms: u64,
    now_ms: u64,
) -> Verdict {
    match topic {
        "orders/paid" | "orders/create" if topic == settings.sale_topic => {
            order(settings, topic, payload, as_of_ms, now_ms)
        }
        "orders/cancelled" => cancelled(settings, payload, as_of_ms),
        // Where another topic makes the sale, a payment tells what an edit does.
        "orders/updated" | "orders/paid" => updated(settings, payload, as_of_ms, now_ms),
        "refunds/create" => refund(settings, payload, as_of_ms),
        _ => Verdict::ignored("other_topic"),
    }
}

fn order(
    settings: &Settings,
    topic: &str,
    payload: &Payload<'_>,
    as_of_ms: u64,
    now_ms: u64,
) -> Verdict {
    if settings.refuses_test(payload.is_true(&["test"])) {
        return Verdict::of("test");
    }
    // A sale that is known is taken back, and no new one is made.
    if payload.text(&["cancelled_at"]).is_some() {
        let mut verdict = cancelled(settings, payload, as_of_ms);
        if let Some(order) = &mut verdict.order {
            order.if_unknown = "quiet";
            verdict.reason = "cancelled";
        }
        return verdict;
    }
    let status = payload.text(&["financial_status"]);
    let is_unpaid = status.is_some_and(|status| !PAID.contains(&status.as_str()));
    let reason = match () {
        () if topic == "orders/paid" && is_unpaid => "not_paid",
        () if settings.refuses_recurring(is_renewal(payload)) => "not_recurring",
        () => "",
    };
    if !reason.is_empty() {
        // No sale, but its refunds count where it is one here all the same.
        return Verdict {
            reason,
            ..updated(settings, payload, as_of_ms, now_ms)
        };
    }
    let amount = amount(settings, payload);
    let paid_at_ms = paid_at(payload);
    let click_id = click_id(settings, payload);
    let unique_ids = order_ids(settings, payload);
    let mut verdict = settings.sale(as_of_ms, click_id, unique_ids, amount, paid_at_ms);
    if let Some(order) = &mut verdict.order {
        let (facts, reason) = facts_of(settings, payload);
        order.facts.extend(facts);
        order.facts.extend(totals(payload));
        order.takes = order.facts.iter().any(Fact::takes);
        order.unchanged = reason;
    }
    verdict
}

/// An order has no date of its payment. With payment terms it is paid long after it was made.
fn paid_at(order: &Payload<'_>) -> Option<u64> {
    let schedules = order.list(&["payment_terms", "payment_schedules"]);
    let completed = schedules.iter().map(|each| each.instant(&["completed_at"]));
    completed
        .max()
        .flatten()
        .or_else(|| order.instant(&["processed_at"]))
        .or_else(|| order.instant(&["created_at"]))
}

/// The revenue of an order, in the shop's money.
fn amount(settings: &Settings, order: &Payload<'_>) -> Amount {
    let is_subtotal = settings.revenue == Revenue::Subtotal;
    let (plain, set) = if is_subtotal {
        ("subtotal_price", "subtotal_price_set")
    } else {
        ("total_price", "total_price_set")
    };
    let mut amount = match order.text(&["currency"]) {
        // An amount that is missing is no matter of its currency.
        Some(currency) if order.at(&[plain]).is_some() || order.at(&[set]).is_none() => {
            Amount::decimal(order, &[plain], Some(currency))
        }
        _ => {
            let currency = order.text(&[set, "shop_money", "currency_code"]);
            Amount::decimal(order, &[set, "shop_money", "amount"], currency)
        }
    };
    let units = amount.text.as_deref().and_then(money).map(Money::units);
    let left = units.and_then(|units| {
        if is_subtotal {
            goods(order, units)
        } else {
            let code = code(amount.currency.as_deref()?)?;
            let current = units_of(order, "current_total_price", "current_total_price_set");
            Some(paid(order, &code, units, current))
        }
    });
    amount.text = left.and_then(from_units);
    amount
}

/// What is paid of a total, or is to be: goods that leave an order without money being given back, by
/// an edit or an exchange, stay in `total_price`. `current_total_price` is without them, and without
/// all that was refunded.
fn paid(order: &Payload<'_>, currency: &str, total: u64, current: Option<u64>) -> u64 {
    let Some(mut left) = current else {
        return total;
    };
    // Without them nobody knows what `current_total_price` is without.
    let Some(refunds) = order.whole_list(&["refunds"]) else {
        return total;
    };
    for refund in refunds {
        for each in money_back(&refund) {
            let own = each.text(&["currency"]).and_then(|text| code(&text));
            let amount = each.text(&["amount"]).and_then(|text| money(&text));
            match amount {
                Some(amount) if own.as_deref() == Some(currency) => {
                    left = left.saturating_add(amount.units());
                }
                _ => return total,
            }
        }
    }
    total.min(left)
}

/// The goods of a subtotal, without tax, and without those that have left the order without money
/// being given back. Refunds of money are no matter of the subtotal.
fn goods(order: &Payload<'_>, subtotal: u64) -> Option<u64> {
    let (mut left, mut tax) = (subtotal, 0_u64);
    let has_tax = order.is_true(&["taxes_included"]);
    if has_tax {
        tax = units_of(order, "total_tax", "total_tax_set")?;
        for line in order.list(&["shipping_lines"]) {
            for each in line.list(&["tax_lines"]) {
                left = left.checked_add(units_of(&each, "price", "price_set")?)?;
            }
        }
    }
    for refund in order.list(&["refunds"]) {
        if money_back(&refund).next().is_some() {
            continue;
        }
        for line in refund.list(&["refund_line_items"]) {
            left = left.checked_sub(units_of(&line, "subtotal", "subtotal_set")?)?;
            if has_tax {
                left = left.checked_add(units_of(&line, "total_tax", "total_tax_set")?)?;
            }
        }
    }
    left.checked_sub(tax)
}

/// The transactions of a refund that give money back, or will.
fn money_back<'a>(refund: &Payload<'a>) -> impl Iterator<Item = Payload<'a>> {
    let gives = |each: &Payload<'_>| {
        let status = each.text(&["status"]);
        is(each, "kind", "refund") && matches!(status.as_deref(), Some("success" | "pending"))
    };
    refund.list(&["transactions"]).into_iter().filter(gives)
}

fn is(each: &Payload<'_>, name: &str, word: &str) -> bool {
    each.text(&[name]).is_some_and(|text| text == word)
}

/// An amount of the shop's money, by itself or in its set.
fn units_of(of: &Payload<'_>, plain: &str, set: &str) -> Option<u64> {
    let text = of.text(&[plain]);
    let text = text.or_else(|| of.text(&[set, "shop_money", "amount"]))?;
    Some(money(&text)?.units())
}

/// The order's total in the shop's and in the buyer's currency. A refund has no total: all that is
/// known of it is whether it amounts to this.
fn totals(order: &Payload<'_>) -> Vec<Fact> {
    let shops = order
        .text(&["currency"])
        .zip(order.text(&["total_price"]))
        .map(|total| (total, order.text(&["current_total_price"])));
    let of = |name| {
        let currency = order.text(&["total_price_set", name, "currency_code"])?;
        let amount = order.text(&["total_price_set", name, "amount"])?;
        let current = order.text(&["current_total_price_set", name, "amount"]);
        Some(((currency, amount), current))
    };
    let mut facts: Vec<Fact> = Vec::new();
    for ((currency, amount), current) in [shops, of("shop_money"), of("presentment_money")]
        .into_iter()
        .flatten()
    {
        let units = |text: &str| money(text).map(Money::units);
        let (Some(amount), Some(currency)) = (units(&amount), code(&currency)) else {
            continue;
        };
        let current = current.as_deref().and_then(units);
        let amount = paid(order, &currency, amount, current);
        let fact = Fact::Total { currency, amount };
        if !facts.iter().any(|own| own.key() == fact.key()) {
            facts.push(fact);
        }
    }
    facts
}

/// A currency's code, in capitals.
fn code(currency: &str) -> Option<String> {
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| currency.to_ascii_uppercase())
}

/// What the order itself tells: its refunds, whose own webhooks may have come before the sale, or
/// never come, and its end. The second is why one of them says nothing of the revenue; else empty.
fn facts_of(settings: &Settings, order: &Payload<'_>) -> (Vec<Fact>, &'static str) {
    let refunds = order.list(&["refunds"]);
    let parts: Vec<_> = refunds
        .iter()
        .filter_map(|each| part(settings, each).ok())
        .collect();
    let reasons = parts.iter().map(|(_, reason)| *reason);
    let reason = reasons.reduce(|a, b| if a.is_empty() { b } else { a });
    let mut facts: Vec<_> = parts.into_iter().map(|(fact, _)| fact).collect();
    let ends = [
        (
            "refunded",
            order.text(&["financial_status"]).as_deref() == Some("refunded"),
        ),
        ("cancelled", order.text(&["cancelled_at"]).is_some()),
    ];
    facts.extend(
        ends.iter()
            .filter(|(_, is_over)| *is_over)
            .map(|(id, _)| Fact::All {
                id: (*id).to_owned(),
            }),
    );
    (facts, reason.unwrap_or_default())
}

/// An order that was edited: it tells refunds whose payment was still pending in their own webhook.
/// Where an order is a sale before it is paid, it tells the new total. That is remembered where the order
/// will be a sale: its own webhook may come later.
fn updated(settings: &Settings, payload: &Payload<'_>, as_of_ms: u64, now_ms: u64) -> Verdict {
    if settings.refuses_test(payload.is_true(&["test"])) {
        return Verdict::of("test");
    }
    let unique_ids = order_ids(settings, payload);
    if unique_ids.is_empty() {
        return Verdict::ignored("other_topic");
    }
    let (mut facts, unchanged) = facts_of(settings, payload);
    let takes_back = !facts.is_empty();
    facts.extend(totals(payload));
    let mut order = Order {
        unchanged,
        ..Order::new(unique_ids, as_of_ms, "quiet", facts)
    };
    let is_sale = settings.sale_topic == "orders/create"
        && payload.text(&["cancelled_at"]).is_none()
        && !settings.refuses_recurring(is_renewal(payload));
    let (revenue, left_out) = settings.revenue_of(amount(settings, payload));
    if let Some(revenue) = revenue.filter(|_| is_sale) {
        order.add_sale(Some(&revenue));
    } else if !takes_back {
        return Verdict::ignored("other_topic");
    } else if left_out == "currency" {
        order.add_sale(None);
    }
    let is_too_old = || settings.is_past(paid_at(payload), now_ms);
    if takes_back || click_id(settings, payload).is_ok() && !is_too_old() {
        order.if_unknown = "quiet";
    }
    if takes_back {
        return Verdict::refund(order);
    }
    Verdict {
        order: Some(order),
        ..Verdict::ignored("other_topic")
    }
}

/// `subscription_contract`, and since October 2025 `subscription_contract_checkout_one`.
fn is_renewal(order: &Payload<'_>) -> bool {
    let source = order.text(&["source_name"]);
    source.is_some_and(|source| source.starts_with("subscription_contract"))
}

/// The click that an order names. Its cart may have had one of the order's own ids under a click id's name.
pub(super) fn click_id(settings: &Settings, order: &Payload<'_>) -> FoundClick {
    let names = [
        "id",
        "name",
        "order_number",
        "number",
        "confirmation_number",
        "token",
        "cart_token",
        "checkout_id",
        "checkout_token",
    ];
    let own_ids: Vec<String> = names.iter().filter_map(|name| id(order, name)).collect();
    settings.find_click_id(&[order.at(&["note_attributes"])], None, &own_ids)
}

/// The order's id; or its name, such as `#1001`, and what it is known by besides.
pub(super) fn order_ids(settings: &Settings, payload: &Payload<'_>) -> Vec<String> {
    settings.order_ids(payload.id(&["name"]), id(payload, "id"))
}

/// An id's digits: newer interfaces write them as `gid://shopify/Order/5678901234567`.
fn id(of: &Payload<'_>, name: &str) -> Option<String> {
    let id = of.id(&[name])?;
    let plain = id
        .strip_prefix("gid://shopify/")
        .and_then(|rest| rest.rsplit_once('/'));
    Some(plain.map_or(id.as_str(), |(_, digits)| digits).to_owned())
}

fn cancelled(settings: &Settings, payload: &Payload<'_>, as_of_ms: u64) -> Verdict {
    if settings.refuses_test(payload.is_true(&["test"])) {
        return Verdict::of("test");
    }
    if payload.text(&["cancelled_at"]).is_none() {
        return Verdict::ignored("not_cancelled");
    }
    let unique_ids = order_ids(settings, payload);
    if unique_ids.is_empty() {
        return Verdict::ignored("no_order_id");
    }
    // Without a click the order's page, or a pixel, may have told it.
    let has_click = click_id(settings, payload).is_ok();
    let if_unknown = if has_click { "sent" } else { "kept" };
    let verdict = Verdict::refund(Order::new(
        unique_ids,
        as_of_ms,
        if_unknown,
        facts_of(settings, payload).0,
    ));
    if settings.refuses_recurring(is_renewal(payload)) {
        return verdict.without_sale("not_recurring");
    }
    verdict
}

/// A refund names its order by id alone. It has no totals: neither the order's nor the remaining
/// one. The order tells them; see [`totals`].
fn refund(settings: &Settings, payload: &Payload<'_>, as_of_ms: u64) -> Verdict {
    if settings.is_by_number {
        return Verdict::ignored("refund_without_name");
    }
    let Some(order_id) = id(payload, "order_id") else {
        return Verdict::ignored("no_order_id");
    };
    match part(settings, payload) {
        Ok((part, reason)) => {
            // A part that cannot be told counts once all of the order is taken back.
            let if_unknown = if reason.is_empty() { "kept" } else { "quiet" };
            let order = Order {
                unchanged: reason,
                ..Order::new(vec![order_id], as_of_ms, if_unknown, vec![part])
            };
            Verdict {
                reason,
                ..Verdict::refund(order)
            }
        }
        Err(verdict) => *verdict,
    }
}

/// The shop's own currency, as often as a refund tells it. A transaction tells the one in which the
/// buyer was paid.
fn shop_currencies(refund: &Payload<'_>) -> impl Iterator<Item = String> {
    let told = |list: &str, set: &str| -> Vec<String> {
        let of = |each: Payload<'_>| each.text(&[set, "shop_money", "currency_code"]);
        refund.list(&[list]).into_iter().filter_map(of).collect()
    };
    let goods = told("refund_line_items", "subtotal_set");
    goods
        .into_iter()
        .chain(told("order_adjustments", "amount_set"))
}

/// The part of an order that a refund takes off, and why it says nothing of the revenue; or why it
/// counts for nothing.
fn part(settings: &Settings, refund: &Payload<'_>) -> Result<(Fact, &'static str), Box<Verdict>> {
    let ignored = |reason| Err(Box::new(Verdict::ignored(reason)));
    let Some(id) = id(refund, "id") else {
        return ignored("no_order_id");
    };
    let transactions = refund.list(&["transactions"]);
    let is_test = transactions.iter().any(|each| each.is_true(&["test"]));
    if settings.refuses_test(is_test) {
        return Err(Box::new(Verdict::of("test")));
    }
    let of_status = |status| {
        transactions
            .iter()
            .filter(move |each| is(each, "kind", "refund") && is(each, "status", status))
    };
    // Told as a whole once it is paid, by orders/updated.
    if of_status("pending").next().is_some() {
        return ignored("refund_pending");
    }
    let mut units: u64 = 0;
    let mut currencies = Vec::new();
    for each in of_status("success") {
        match each.text(&["amount"]).and_then(|text| money(&text)) {
            Some(amount) => units = units.saturating_add(amount.units()),
            None => return ignored("refund_amount"),
        }
        currencies.push(code(&each.text(&["currency"]).unwrap_or_default()));
    }
    if units == 0 {
        return ignored("refund_amount");
    }
    currencies.dedup();
    let [Some(currency)] = &*currencies else {
        return ignored("refund_currency");
    };
    let reason = match () {
        // An amount in the buyer's currency tells nothing of the shop's.
        () if !settings.is_currency(Some(currency)) => "refund_currency",
        () if shop_currencies(refund).any(|own| !settings.is_currency(Some(&own))) => {
            "refund_currency"
        }
        () if settings.revenue != Revenue::Total => "refund_amount",
        () => "",
    };
    let part = Fact::Part {
        id,
        // A refund does not change once it is paid.
        at_ms: 0,
        is_over: false,
        amount: units,
        is_amount_known: reason.is_empty(),
        is_dispute: false,
        currency: currency.clone(),
    };
    Ok((part, reason))
}
