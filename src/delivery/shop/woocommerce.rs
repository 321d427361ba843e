//! `WooCommerce`: `X-WC-Webhook-Signature` over the raw body, and orders of its REST API. An order
//! counts once its status does. A refund comes as an update of its order.

use super::payload::Payload;
use super::settings::{
    Amount, FoundClick, Revenue, Settings, attributes, from_units, money, shortest,
};
use super::{Fact, Order, Verdict, Webhook};
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
    as_of_ms: u64,
) -> Verdict {
    let verdict = order(settings, topic, payload, as_of_ms);
    let reason = match () {
        () if verdict.order.is_none() => return verdict,
        () if is_sub_order(payload) => "sub_order",
        () if settings.refuses_recurring(is_renewal(payload)) => "not_recurring",
        () => return verdict,
    };
    verdict.without_sale(reason)
}

fn order(settings: &Settings, topic: &str, payload: &Payload<'_>, as_of_ms: u64) -> Verdict {
    if !matches!(topic, "order.created" | "order.updated") {
        return Verdict::ignored("other_topic");
    }
    let status = payload.text(&["status"]).unwrap_or_default();
    let unique_ids = order_ids(settings, payload);
    if unique_ids.is_empty() {
        return Verdict::ignored("no_order_id");
    }
    let click_id = click_id(settings, payload);
    let has_click = click_id.is_ok();
    // A later state of the order counts more than an earlier one, whichever comes first.
    let state = |is_all| state_of(settings, payload, as_of_ms, is_all);
    if settings.counts(&status) {
        let amount = Amount {
            text: amount(settings, payload),
            currency: payload.text(&["currency"]),
        };
        let paid_at_ms = payload
            .instant(&["date_paid_gmt"])
            .or_else(|| payload.instant(&["date_created_gmt"]));
        let mut verdict = settings.sale(as_of_ms, click_id, unique_ids, amount, paid_at_ms);
        if let Some(sale) = &mut verdict.sale {
            // Where an order is no sale before it is completed, it is one from then on.
            let is_late = status == "completed" && !settings.counts("processing");
            let completed_ms = payload.instant(&["date_completed_gmt"]);
            sale.sold_at_ms = completed_ms.filter(|_| is_late);
        }
        if let Some(order) = &mut verdict.order {
            let (state, is_refund_read) = state(false);
            order.takes = state.takes() || !is_refund_read;
            order.facts.push(state);
            if !is_refund_read {
                order.unchanged = "refund_amount";
            }
            // The order's page may have told the click.
            if order.takes && !has_click {
                order.if_unknown = "kept";
            }
        }
        return verdict;
    }
    if !matches!(status.as_str(), "refunded" | "cancelled") {
        // The status may stand for anything, so its refunds are neither taken off nor put back.
        let is_refunded = !payload.list(&["refunds"]).is_empty();
        return Verdict::ignored(if is_refunded {
            "refund_status"
        } else {
            "status"
        });
    }
    // WooCommerce itself cancels unpaid orders, which may still be paid later. An order paid on
    // delivery may be a conversion without payment; the forwarder knows that.
    let is_paid = payload.text(&["date_paid_gmt"]).is_some();
    let if_unknown = match (is_paid, has_click) {
        (false, _) => "quiet",
        (true, true) => "sent",
        // The order's page may have told the click.
        (true, false) => "kept",
    };
    Verdict::refund(Order::new(
        unique_ids,
        as_of_ms,
        if_unknown,
        vec![state(true).0],
    ))
}

/// Is this a vendor's part of another order? Marketplaces split an order that way, and some copy its
/// meta data, also the click id. A renewal is an order of its own.
fn is_sub_order(payload: &Payload<'_>) -> bool {
    let parent = payload.id(&["parent_id"]);
    parent.is_some_and(|parent| parent != "0") && !is_made_by_subscription(payload)
}

fn is_made_by_subscription(payload: &Payload<'_>) -> bool {
    payload.text(&["created_via"]).as_deref() == Some("subscription")
}

/// Is this a later order of a subscription? It copies the first order, also its meta data.
fn is_renewal(payload: &Payload<'_>) -> bool {
    let meta = payload.at(&["meta_data"]).map(attributes);
    let is_marked = |(name, _): &(String, _)| name == "_subscription_renewal";
    is_made_by_subscription(payload) || meta.iter().flatten().any(is_marked)
}

/// The click that an order names. A page's address may have had one of the order's own ids under a click id's name.
pub(super) fn click_id(settings: &Settings, order: &Payload<'_>) -> FoundClick {
    let names = ["id", "number", "order_key", "transaction_id"];
    let own_ids = names.iter().filter_map(|name| order.id(&[name]));
    let own_ids: Vec<String> = own_ids.collect();
    settings.find_click_id(&[order.at(&["meta_data"])], None, &own_ids)
}

/// The order's id; or its number, and what it is known by besides.
pub(super) fn order_ids(settings: &Settings, payload: &Payload<'_>) -> Vec<String> {
    settings.order_ids(payload.id(&["number"]), payload.id(&["id"]))
}

fn amount(settings: &Settings, payload: &Payload<'_>) -> Option<String> {
    if settings.revenue != Revenue::Subtotal {
        return payload
            .text(&["total"])
            .and_then(|text| money(&text))
            .map(shortest);
    }
    // An order has no such sum. Its lines have it, after discounts and without tax.
    let lines = payload.whole_list(&["line_items"])?;
    let totals: Option<Vec<Money>> = lines
        .iter()
        .map(|line| line.text(&["total"]).and_then(|text| money(&text)))
        .collect();
    let totals = totals.filter(|totals| !totals.is_empty())?;
    from_units(totals.iter().map(|total| total.units()).sum())
}

/// The state of an order, and whether its refunds can be read, if it tells any. Where an amount or the
/// list of refunds cannot be read, the amounts that were told before stay, and the state is a fact of
/// its own.
fn state_of(settings: &Settings, payload: &Payload<'_>, at_ms: u64, is_all: bool) -> (Fact, bool) {
    let total = payload.text(&["total"]).and_then(|text| money(&text));
    let refunds = payload.whole_list(&["refunds"]);
    let taken = refunds.as_ref().and_then(|refunds| {
        refunds.iter().try_fold(0_u64, |sum, each| {
            // A refund's total is told with a minus.
            let text = each.text(&["total"])?;
            sum.checked_add(money(text.strip_prefix('-').unwrap_or(&text))?.units())
        })
    });
    let is_own_currency = settings.is_own_currency(payload.text(&["currency"]).as_deref());
    let amounts = total
        .map(Money::units)
        .zip(taken)
        .filter(|_| is_own_currency);
    let of = if is_own_currency && amounts.is_none() {
        "state"
    } else {
        "order"
    };
    let (total, taken) = amounts.unwrap_or_default();
    let fact = Fact::Refunded {
        of: of.to_owned(),
        at_ms,
        is_all,
        taken,
        total,
        is_amount_known: amounts.is_some(),
        payment: String::new(),
    };
    let tells_some =
        payload.at(&["refunds"]).is_some() && refunds.is_none_or(|all| !all.is_empty());
    (fact, of == "order" || !tells_some)
}
