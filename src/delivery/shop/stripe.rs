//! Stripe: `Stripe-Signature` over time and raw body, and events of checkout sessions, invoices,
//! charges and disputes. Amounts are in the currency's smallest unit.

use super::payload::Payload;
use super::settings::{Amount, FoundClick, Revenue, Settings, attributes, money, padded, shortest};
use super::{Fact, Order, Verdict, Webhook};
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
pub(super) fn read(settings: &Settings, event: &Payload<'_>, as_of_ms: u64) -> Verdict {
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
    read(settings, &object, created_ms(event), as_of_ms)
}

/// When Stripe made an event, in milliseconds since 1970.
pub(super) fn created_ms(event: &Payload<'_>) -> Option<u64> {
    event.whole(&["created"]).map(|seconds| seconds * 1_000)
}

fn session(
    settings: &Settings,
    session: &Payload<'_>,
    created_ms: Option<u64>,
    as_of_ms: u64,
) -> Verdict {
    if session.text(&["mode"]).as_deref() == Some("setup") {
        return Verdict::ignored("setup_session");
    }
    // A payment that takes days ends in checkout.session.async_payment_succeeded.
    let status = session.text(&["payment_status"]);
    if !matches!(status.as_deref(), Some("paid" | "no_payment_required")) {
        return Verdict::ignored("unpaid");
    }
    let click_id = click_id(settings, session, &[session.at(&["metadata"])]);
    let ids = [
        session.reference("payment_intent"),
        session.reference("invoice"),
        session.id(&["id"]),
    ];
    let total = session.whole(&["amount_total"]);
    let units = if settings.revenue == Revenue::Subtotal {
        let part = |name| session.whole(&["total_details", name]).unwrap_or_default();
        // `amount_tax` has the tax of the shipping as well.
        let shipping = shipping_without_tax(session).unwrap_or_else(|| part("amount_shipping"));
        total.and_then(|total| total.checked_sub(part("amount_tax") + shipping))
    } else {
        total
    };
    let ids = ids.into_iter().flatten().collect();
    tied(settings.sale(as_of_ms, click_id, ids, amount(session, units), created_ms))
}

fn invoice(
    settings: &Settings,
    invoice: &Payload<'_>,
    created_ms: Option<u64>,
    as_of_ms: u64,
) -> Verdict {
    let reason = invoice.text(&["billing_reason"]).unwrap_or_default();
    if reason == "subscription_create" {
        // Before 2025-03-31 it tells its payment intent, which the session does not.
        return Verdict {
            order: link(payment_of(invoice), invoice.id(&["id"]), as_of_ms),
            ..Verdict::ignored("left_to_session")
        };
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
    let click_id = click_id(settings, invoice, &lists);
    // Since 2025-03-31 it has no payment intent.
    let ids = [invoice.reference("payment_intent"), invoice.id(&["id"])];
    let units = if settings.revenue == Revenue::Subtotal {
        let shipping = shipping_without_tax(invoice).unwrap_or_default();
        let total = invoice.whole(&["total_excluding_tax"]);
        total.and_then(|total| total.checked_sub(shipping))
    } else {
        paid
    };
    let paid_at_ms = invoice
        .whole(&["status_transitions", "paid_at"])
        .map(|seconds| seconds * 1_000)
        .or(created_ms);
    let ids = ids.into_iter().flatten().collect();
    tied(settings.sale(as_of_ms, click_id, ids, amount(invoice, units), paid_at_ms))
}

/// The click that a session or an invoice names. The address that a payment leads back to may have had one of its own
/// ids under a click id's name. A renewal still has those of the first payment, so no id of Stripe's counts.
fn click_id(settings: &Settings, sale: &Payload<'_>, lists: &[Option<Value<'_>>]) -> FoundClick {
    let names = [
        "id",
        "payment_intent",
        "invoice",
        "charge",
        "subscription",
        "customer",
        "number",
    ];
    let mut own_ids: Vec<String> = names
        .iter()
        .filter_map(|name| sale.reference(name))
        .collect();
    let reference = sale.at(&["client_reference_id"]).and_then(Value::string);
    let told = lists.iter().flatten().flat_map(|list| attributes(*list));
    let told = told.filter_map(|(_, value)| value?.string());
    let told = told.chain(reference.clone());
    own_ids.extend(told.filter(|text| is_stripes(text.trim())));
    if settings.stripe.by_client_reference {
        return settings.find_click_id(lists, reference, &own_ids);
    }
    // It is the site's own cart's.
    own_ids.extend(reference);
    settings.find_click_id(lists, None, &own_ids)
}

/// Is it an id of Stripe's, such as `cs_live_a1B2` or `pi_3K`?
fn is_stripes(id: &str) -> bool {
    let kinds = "cs pi py ch in ii il inpay sub si cus seti plink pm evt re dp";
    id.split_once('_').is_some_and(|(kind, rest)| {
        kinds.split(' ').any(|each| each == kind)
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// API versions differ in the ids that they tell of a sale, and a shop may have endpoints of two.
fn tied(mut verdict: Verdict) -> Verdict {
    if let Some(order) = &mut verdict.order {
        order.is_tied = true;
    }
    verdict
}

/// The shipping of a session or an invoice, whether its price is with tax or not.
fn shipping_without_tax(of: &Payload<'_>) -> Option<u64> {
    let tax = of
        .whole(&["shipping_cost", "amount_tax"])
        .unwrap_or_default();
    of.whole(&["shipping_cost", "amount_total"])?
        .checked_sub(tax)
}

/// Since 2025-03-31 this event alone tells which payment intent has paid which invoice: the invoice
/// is the sale's unique id, and its refunds tell the payment intent.
fn invoice_payment(_: &Settings, payment: &Payload<'_>, _: Option<u64>, as_of_ms: u64) -> Verdict {
    let paid_by = payment
        .within(&["payment"])
        .and_then(|payment| payment_of(&payment));
    let order = link(paid_by, payment.reference("invoice"), as_of_ms);
    let reason = if order.is_some() {
        "invoice_payment"
    } else {
        "no_order_id"
    };
    Verdict {
        order,
        ..Verdict::ignored(reason)
    }
}

/// The invoice that a payment has paid: what is told of the payment is told of the invoice.
fn link(payment: Option<String>, invoice: Option<String>, at_ms: u64) -> Option<Order> {
    let order = Order::new(vec![payment?], at_ms, "quiet", Vec::new());
    Some(Order {
        link: Some(invoice?),
        ..order
    })
}

/// The id that a payment's invoice, refunds and disputes share: the payment intent, or the charge of
/// a payment that has none.
fn payment_of(object: &Payload<'_>) -> Option<String> {
    let intent = object.reference("payment_intent");
    intent.or_else(|| object.reference("charge"))
}

/// `amount_refunded` is the sum of all refunds so far.
fn charge(settings: &Settings, charge: &Payload<'_>, _: Option<u64>, at_ms: u64) -> Verdict {
    let Some(of) = charge.id(&["id"]) else {
        return Verdict::ignored("no_order_id");
    };
    let whole = |name| amount(charge, charge.whole(&[name])).units();
    let (Some(total), Some(taken)) = (whole("amount"), whole("amount_refunded")) else {
        return Verdict::ignored("refund_amount");
    };
    let currency = charge.text(&["currency"]);
    let is_amount_known = settings.is_own_currency(currency.as_deref());
    let reason = match () {
        () if is_amount_known || taken >= total => "",
        () if settings.revenue == Revenue::Total => "refund_currency",
        () => "refund_amount",
    };
    let fact = Fact::Refunded {
        of,
        at_ms,
        is_all: false,
        taken,
        total,
        is_amount_known,
        payment: charge.reference("payment_intent").unwrap_or_default(),
    };
    // A part that cannot be told counts once more of it does.
    let if_unknown = if reason.is_empty() && taken > 0 {
        "kept"
    } else {
        "quiet"
    };
    order_of(charge, at_ms, if_unknown, fact, reason)
}

/// A refund that the buyer's bank has sent back, or that was cancelled. It tells no total.
fn failed_refund(_: &Settings, refund: &Payload<'_>, _: Option<u64>, at_ms: u64) -> Verdict {
    let status = refund.text(&["status"]).unwrap_or_default();
    if !matches!(status.as_str(), "failed" | "canceled") {
        return Verdict::ignored("other_topic");
    }
    let of = refund.reference("charge");
    let of = of.or_else(|| refund.reference("payment_intent"));
    let (Some(id), Some(of)) = (refund.id(&["id"]), of) else {
        return Verdict::ignored("no_order_id");
    };
    let Some(amount) = amount(refund, refund.whole(&["amount"])).units() else {
        return Verdict::ignored("refund_amount");
    };
    let fact = Fact::Failed {
        id,
        of,
        at_ms,
        amount,
    };
    order_of(refund, at_ms, "quiet", fact, "")
}

/// A dispute takes its amount back until it is won. One that is lost changes nothing more.
fn dispute(settings: &Settings, dispute: &Payload<'_>, _: Option<u64>, at_ms: u64) -> Verdict {
    let status = dispute.text(&["status"]).unwrap_or_default();
    // An inquiry takes nothing back: warning_needs_response, warning_under_review, warning_closed.
    if status.starts_with("warning_") {
        return Verdict::ignored("inquiry");
    }
    let Some(id) = dispute.id(&["id"]) else {
        return Verdict::ignored("no_order_id");
    };
    let taken = amount(dispute, dispute.whole(&["amount"])).units();
    let is_over = status == "won";
    let fact = Fact::Part {
        id,
        at_ms,
        is_over,
        amount: taken.unwrap_or_default(),
        is_amount_known: taken.is_some()
            && settings.is_own_currency(dispute.text(&["currency"]).as_deref()),
        is_dispute: true,
        currency: String::new(),
    };
    let if_unknown = if is_over { "quiet" } else { "kept" };
    let reason = if status == "lost" { "dispute_lost" } else { "" };
    order_of(dispute, at_ms, if_unknown, fact, reason)
}

/// A dispute's end. Between its beginning and its end nothing changes.
fn ended_dispute(
    settings: &Settings,
    ended: &Payload<'_>,
    created_ms: Option<u64>,
    at_ms: u64,
) -> Verdict {
    match ended.text(&["status"]).as_deref() {
        Some("won" | "lost") => dispute(settings, ended, created_ms, at_ms),
        Some(status) if status.starts_with("warning_") => Verdict::ignored("inquiry"),
        _ => Verdict::ignored("other_topic"),
    }
}

/// A charge tells no click: its sale may be anybody's. Where it tells an invoice besides, disputes and
/// failed refunds of the same payment do not. Each of them may tell the charge alone, or the payment intent alone.
fn order_of(
    object: &Payload<'_>,
    at_ms: u64,
    if_unknown: &'static str,
    fact: Fact,
    reason: &'static str,
) -> Verdict {
    let is_charge = object.text(&["object"]).as_deref() == Some("charge");
    let own = object.id(&["id"]).filter(|_| is_charge);
    let charge = object.reference("charge").or(own);
    let mut payment = object.reference("payment_intent").into_iter().chain(charge);
    let invoice = object.reference("invoice");
    let Some(unique_id) = payment.next().or_else(|| invoice.clone()) else {
        return Verdict::ignored("no_order_id");
    };
    let order = Order {
        unchanged: reason,
        link: invoice.filter(|id| *id != unique_id),
        alias: payment.next(),
        ..Order::new(vec![unique_id], at_ms, if_unknown, vec![fact])
    };
    Verdict {
        reason,
        ..Verdict::refund(order)
    }
}

/// The ids of a session or an invoice.
pub(super) fn order_ids(event: &Payload<'_>) -> Vec<String> {
    let Some(object) = event.within(&["data", "object"]) else {
        return Vec::new();
    };
    let ids = [
        payment_of(&object),
        object.reference("invoice"),
        object.id(&["id"]),
    ];
    ids.into_iter().flatten().collect()
}

fn amount(object: &Payload<'_>, units: Option<u64>) -> Amount {
    let currency = object.text(&["currency"]);
    let text = units.and_then(|units| decimal(units, currency.as_deref()?));
    Amount { text, currency }
}

impl Amount {
    /// In ten-thousandths.
    fn units(&self) -> Option<u64> {
        Some(money(self.text.as_deref()?)?.units())
    }
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
