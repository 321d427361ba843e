//! Stripe: `Stripe-Signature` over time and raw body, and events of checkout sessions, invoices,
//! charges and disputes. Amounts are in the currency's smallest unit.

use super::change::Change;
use super::payload::Payload;
use super::settings::{Amount, Revenue, Settings, as_click_id, money, padded, shortest};
use super::{APPROVED, Correction, Link, RETURNED, Refund, Verdict, Webhook};
use crate::api::json::Value;
use crate::delivery::secrets::{Secrets, from_hex};

/// How far a signature's time may be from now, in seconds.
const GRACE_S: u64 = 300;

/// Currencies without decimals (docs.stripe.com/currencies). `ISK` and `UGX` are not among them,
/// since Stripe still writes them with two decimals.
const WHOLE: &[u8] = b"bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf";

/// Currencies with three decimals.
const THOUSANDTHS: &[u8] = b"bhd jod kwd omr tnd";

/// The reasons of an invoice for a running subscription.
const RECURRING: [&str; 4] = [
    "subscription_cycle",
    "subscription_update",
    "subscription_threshold",
    "subscription",
];

/// Checks a header such as `t=1492774577,v1=5257…,v1=…,v0=…`.
pub(super) fn is_signed(secrets: &Secrets, webhook: &Webhook<'_>) -> bool {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in webhook.signature.split(',') {
        match part.trim().split_once('=') {
            // With two times, one could be a forger's.
            Some(("t", _)) if time.is_some() => return false,
            Some(("t", digits)) => time = Some(digits),
            Some(("v1", hex)) => signatures.extend(from_hex(hex)),
            _ => {}
        }
    }
    let digits = time.unwrap_or_default();
    let is_time = digits.len() <= 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.parse::<u64>().ok().filter(|_| is_time);
    seconds.is_some_and(|seconds| {
        seconds.abs_diff(webhook.now_ms / 1_000) <= GRACE_S
            && secrets.verify_any(&[digits.as_bytes(), b".", webhook.body], &signatures)
    })
}

/// Reads an event. The signature covers its type.
pub(super) fn read(settings: &Settings, event: &Payload<'_>, now_ms: u64) -> Verdict {
    let name = event.text(&["type"]).unwrap_or_default();
    let Some(object) = event.within(&["data", "object"]) else {
        return Verdict::ignored("other_topic");
    };
    let read = match name.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => session,
        "invoice.paid" => invoice,
        "invoice_payment.paid" => invoice_payment,
        "charge.refunded" => charge,
        // The second type tells of an inquiry that has become a dispute.
        "charge.dispute.created" | "charge.dispute.funds_withdrawn" => dispute,
        "charge.dispute.closed" | "charge.dispute.funds_reinstated" => ended_dispute,
        "refund.failed" | "refund.updated" | "charge.refund.updated" => failed_refund,
        _ => return Verdict::ignored("other_topic"),
    };
    if settings.refuses_test(!event.is_true(&["livemode"])) {
        return Verdict::of("test");
    }
    let created_ms = event.whole(&["created"]).map(|seconds| seconds * 1_000);
    let mut verdict = read(settings, &object, created_ms);
    for change in verdict
        .refunds
        .iter_mut()
        .filter_map(|refund| refund.change.as_mut())
    {
        change.as_of_ms = created_ms.unwrap_or(now_ms);
    }
    verdict
}

fn session(settings: &Settings, session: &Payload<'_>, created_ms: Option<u64>) -> Verdict {
    if session.text(&["mode"]).as_deref() == Some("setup") {
        return Verdict::ignored("setup_session");
    }
    // A payment that takes days ends in checkout.session.async_payment_succeeded.
    let status = session.text(&["payment_status"]);
    if !matches!(status.as_deref(), Some("paid" | "no_payment_required")) {
        return Verdict::ignored("unpaid");
    }
    let reference = session
        .at(&["client_reference_id"])
        .and_then(Value::string)
        .filter(|_| settings.stripe.by_client_reference);
    let click_id = settings
        .find_click_id(&[session.at(&["metadata"])])
        .or_else(|| as_click_id(&reference?));
    let unique_id = ["payment_intent", "invoice"]
        .iter()
        .find_map(|name| session.reference(name))
        .or_else(|| session.id(&["id"]));
    let total = session.whole(&["amount_total"]);
    let units = if settings.revenue == Revenue::Subtotal {
        let part = |name| session.whole(&["total_details", name]).unwrap_or_default();
        total.and_then(|total| total.checked_sub(part("amount_tax") + part("amount_shipping")))
    } else {
        total
    };
    settings.sale(click_id, unique_id, amount(session, units), created_ms)
}

fn invoice(settings: &Settings, invoice: &Payload<'_>, created_ms: Option<u64>) -> Verdict {
    let reason = invoice.text(&["billing_reason"]).unwrap_or_default();
    if reason == "subscription_create" {
        return Verdict::ignored("left_to_session");
    }
    if !RECURRING.contains(&reason.as_str()) {
        return Verdict::ignored("other_invoice");
    }
    if settings.refuses_recurring(true) {
        return Verdict::ignored("not_recurring");
    }
    let paid = invoice.whole(&["amount_paid"]);
    if paid == Some(0) {
        return Verdict::ignored("nothing_paid");
    }
    let lines = invoice.list(&["lines", "data"]);
    let mut lists = vec![
        invoice.at(&["metadata"]),
        // Since 2025-03-31 under `parent`, before that in the invoice itself.
        invoice.at(&["parent", "subscription_details", "metadata"]),
        invoice.at(&["subscription_details", "metadata"]),
    ];
    lists.extend(lines.iter().map(|line| line.at(&["metadata"])));
    let click_id = settings.find_click_id(&lists);
    let unique_id = invoice
        .reference("payment_intent")
        .or_else(|| invoice.id(&["id"]));
    let units = if settings.revenue == Revenue::Subtotal {
        invoice.whole(&["total_excluding_tax"])
    } else {
        paid
    };
    let paid_at_ms = invoice
        .whole(&["status_transitions", "paid_at"])
        .map(|seconds| seconds * 1_000)
        .or(created_ms);
    settings.sale(click_id, unique_id, amount(invoice, units), paid_at_ms)
}

/// Since 2025-03-31 this event alone tells which payment intent has paid which invoice: the invoice
/// is the sale's unique id, and its refunds tell the payment intent.
fn invoice_payment(_: &Settings, payment: &Payload<'_>, _: Option<u64>) -> Verdict {
    let invoice = payment.reference("invoice");
    let intent = payment
        .within(&["payment"])
        .and_then(|payment| payment.reference("payment_intent"));
    let (Some(unique_id), Some(id)) = (invoice, intent) else {
        return Verdict::ignored("no_order_id");
    };
    Verdict {
        link: Some(Link { id, unique_id }),
        ..Verdict::ignored("invoice_payment")
    }
}

/// `amount_refunded` is the sum of all refunds so far, so the rest is a total.
fn charge(settings: &Settings, charge: &Payload<'_>, _: Option<u64>) -> Verdict {
    let (Some(id), unique_ids) = (charge.id(&["id"]), unique_ids(charge)) else {
        return Verdict::ignored("no_order_id");
    };
    if unique_ids.is_empty() {
        return Verdict::ignored("no_order_id");
    }
    let (Some(total), Some(refunded)) = (
        charge.whole(&["amount"]),
        charge.whole(&["amount_refunded"]),
    ) else {
        return Verdict::ignored("refund_amount");
    };
    let is_full = refunded >= total && refunded > 0;
    let left = amount(charge, Some(total.saturating_sub(refunded)));
    if !is_full && settings.revenue != Revenue::Total {
        return Verdict::ignored("refund_amount");
    }
    if !is_full && !settings.is_currency(left.currency.as_deref()) {
        return Verdict::ignored("refund_currency");
    }
    let correction = Correction {
        correction_id: ["stripe-refund-", &id, "-", &refunded.to_string()].concat(),
        offer_id: settings.offer_id,
        status: match refunded {
            0 => APPROVED,
            _ => RETURNED.filter(|_| is_full),
        },
        revenue: left.text.filter(|_| !is_full),
        ..Correction::default()
    };
    taken_back(
        unique_ids,
        correction,
        Change {
            family: ["stripe-refund-", &id].concat(),
            restores: refunded == 0,
            ..Change::default()
        },
    )
}

/// A refund that the buyer's bank has sent back, or that was cancelled. It tells no total.
fn failed_refund(settings: &Settings, refund: &Payload<'_>, _: Option<u64>) -> Verdict {
    let status = refund.text(&["status"]).unwrap_or_default();
    if !matches!(status.as_str(), "failed" | "canceled") {
        return Verdict::ignored("other_topic");
    }
    let (Some(id), Some(charge)) = (refund.id(&["id"]), refund.reference("charge")) else {
        return Verdict::ignored("no_order_id");
    };
    let unique_ids = unique_ids(refund);
    if unique_ids.is_empty() {
        return Verdict::ignored("no_order_id");
    }
    // Without comparable amounts only the whole was taken, and it is put back as a whole.
    let given = amount(refund, refund.whole(&["amount"]));
    let is_told =
        settings.revenue == Revenue::Total && settings.is_currency(given.currency.as_deref());
    if is_told && given.text.is_none() {
        return Verdict::ignored("refund_amount");
    }
    let correction = Correction {
        correction_id: ["stripe-refund-", &charge, "-failed-", &id].concat(),
        offer_id: settings.offer_id,
        status: APPROVED,
        ..Correction::default()
    };
    taken_back(
        unique_ids,
        correction,
        Change {
            family: ["stripe-refund-", &charge].concat(),
            restores: true,
            given_back: given.text.filter(|_| is_told),
            ..Change::default()
        },
    )
}

fn dispute(settings: &Settings, dispute: &Payload<'_>, _: Option<u64>) -> Verdict {
    // An inquiry takes nothing back: warning_needs_response, warning_under_review, warning_closed.
    let status = dispute.text(&["status"]).unwrap_or_default();
    if status.starts_with("warning_") {
        return Verdict::ignored("inquiry");
    }
    let taken = amount(dispute, dispute.whole(&["amount"]));
    let is_told =
        settings.revenue == Revenue::Total && settings.is_currency(taken.currency.as_deref());
    of_dispute(settings, dispute, "", RETURNED, |family| Change {
        family,
        taken: taken.text.filter(|_| is_told),
        ..Change::default()
    })
}

/// A dispute that is won gives back what it took; one that is lost changes nothing more.
fn ended_dispute(settings: &Settings, dispute: &Payload<'_>, _: Option<u64>) -> Verdict {
    match dispute.text(&["status"]).as_deref() {
        Some("won") => of_dispute(settings, dispute, "-won", APPROVED, |family| Change {
            family,
            restores: true,
            ..Change::default()
        }),
        Some("lost") => Verdict::ignored("dispute_lost"),
        Some(status) if status.starts_with("warning_") => Verdict::ignored("inquiry"),
        _ => Verdict::ignored("other_topic"),
    }
}

fn of_dispute(
    settings: &Settings,
    dispute: &Payload<'_>,
    word: &str,
    status: Option<&'static str>,
    change: impl FnOnce(String) -> Change,
) -> Verdict {
    let (Some(id), unique_ids) = (dispute.id(&["id"]), unique_ids(dispute)) else {
        return Verdict::ignored("no_order_id");
    };
    if unique_ids.is_empty() {
        return Verdict::ignored("no_order_id");
    }
    let family = ["stripe-dispute-", &id].concat();
    let correction = Correction {
        correction_id: [&family, word].concat(),
        offer_id: settings.offer_id,
        status,
        ..Correction::default()
    };
    taken_back(unique_ids, correction, change(family))
}

/// A charge tells no click: its sale may be anybody's.
fn taken_back(unique_ids: Vec<String>, correction: Correction, change: Change) -> Verdict {
    Verdict::refund(Refund {
        correction,
        unique_ids,
        if_unknown: if change.restores { "dropped" } else { "kept" },
        change: Some(change),
    })
}

/// The ids of a session or an invoice.
pub(super) fn order_ids(event: &Payload<'_>) -> Vec<String> {
    let Some(object) = event.within(&["data", "object"]) else {
        return Vec::new();
    };
    let mut ids = unique_ids(&object);
    ids.extend(object.id(&["id"]));
    ids
}

fn unique_ids(object: &Payload<'_>) -> Vec<String> {
    let names = ["payment_intent", "invoice"];
    names
        .iter()
        .filter_map(|name| object.reference(name))
        .collect()
}

fn amount(object: &Payload<'_>, units: Option<u64>) -> Amount {
    let currency = object.text(&["currency"]);
    let text = units.and_then(|units| decimal(units, currency.as_deref()?));
    Amount { text, currency }
}

/// A decimal from an amount in smallest units.
fn decimal(units: u64, currency: &str) -> Option<String> {
    let is_among = |list: &[u8]| {
        list.split(|byte| *byte == b' ')
            .any(|code| code.eq_ignore_ascii_case(currency.as_bytes()))
    };
    let places = if is_among(WHOLE) {
        0
    } else if is_among(THOUSANDTHS) {
        3
    } else {
        2
    };
    let unit = 10_u64.pow(places);
    let fraction = padded(units % unit, usize::try_from(places).ok()?);
    let whole = (units / unit).to_string();
    let text = if places == 0 {
        whole
    } else {
        [&whole, ".", &fraction].concat()
    };
    money(&text).map(shortest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_units_are_what_stripe_says_they_are() {
        for (units, currency, text) in [
            (1_099, "usd", "10.99"),
            (5, "USD", "0.05"),
            (0, "eur", "0.00"),
            (500, "jpy", "500.00"),
            (500, "KRW", "500.00"),
            (500, "isk", "5.00"),
            (500, "ugx", "5.00"),
            (500, "huf", "5.00"),
            (5_120, "kwd", "5.12"),
            (5_125, "tnd", "5.125"),
        ] {
            assert_eq!(
                decimal(units, currency).as_deref(),
                Some(text),
                "{units} {currency}"
            );
        }
        assert_eq!(decimal(999_999_999_999_999, "jpy"), None);
    }
}
