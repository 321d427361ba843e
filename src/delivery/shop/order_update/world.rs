//! One order in a shop, the forwarder and CAKE, for tests.

use super::super::fact::Fact;
use super::super::ledger::{State, units};
use super::{Moment, OrderUpdate};
use crate::api::older::correction::Params;
use crate::delivery::Event;
use crate::delivery::shop::{Shop, Verdict, Webhook};
use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

const SECRET: &str = "a secret of the shop's, for vectors alone";
/// When the platform's sale was made, by its own clock, in seconds.
pub(super) const T0: u64 = 1_781_878_800;

/// An order in the forwarder and in CAKE, told by webhooks that are really signed and read.
pub(super) struct World {
    pub(super) shop: Shop,
    pub(super) platform: &'static str,
    pub(super) now_ms: u64,
    pub(super) told_ms: u64,
    pub(super) conversion: String,
    pub(super) ledger: String,
    /// Those that CAKE has, and the one that waits for the conversion.
    pub(super) corrections: Vec<String>,
    pub(super) kept: Option<String>,
    pub(super) is_pages: bool,
}

/// What a webhook of the world says: `(topic, body)`.
pub(super) type Sent = (&'static str, serde_json::Value);

impl World {
    pub(super) fn new(platform: &'static str, is_pages: bool) -> Self {
        let settings = r#"{"offerId":1,"currency":"USD","recurring":true}"#;
        Self {
            shop: Shop::new(platform, [SECRET], settings).unwrap(),
            platform,
            now_ms: (T0 + 100_000) * 1_000,
            told_ms: 0,
            conversion: String::new(),
            ledger: String::new(),
            corrections: Vec::new(),
            kept: None,
            is_pages,
        }
    }

    pub(super) fn read(&self, (topic, body): &Sent) -> Verdict {
        let body = body.to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        let at = self.now_ms / 1_000;
        let signature = if self.platform == "stripe" {
            mac.update(format!("{at}.{body}").as_bytes());
            let bytes = mac.finalize().into_bytes();
            let hex = bytes
                .iter()
                .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            format!("t={at},v1={hex}")
        } else {
            mac.update(body.as_bytes());
            Base64::encode_string(&mac.finalize().into_bytes())
        };
        let verdict = self.shop.read(&Webhook {
            signature: &signature,
            topic,
            body: body.as_bytes(),
            now_ms: self.now_ms,
        });
        assert_ne!(verdict.outcome, "signature_refused");
        verdict
    }

    /// As `js/forwarder/acceptance.ts` does it.
    pub(super) fn receive(&mut self, webhook: &Sent) {
        self.receive_dated(webhook, |_, _| {});
    }

    /// The same with other times of the facts.
    pub(super) fn receive_dated(&mut self, webhook: &Sent, date: impl Fn(&mut Fact, u64)) {
        self.now_ms += 1;
        let verdict = self.read(webhook);
        let order = verdict.order.unwrap_or_default();
        let mut update = OrderUpdate {
            platform: self.platform.to_owned(),
            offer_id: 1,
            unique_id: order
                .unique_ids
                .first()
                .cloned()
                .unwrap_or_else(|| "u".to_owned()),
            facts: order.facts,
            if_unknown: order.if_unknown.to_owned(),
            ..OrderUpdate::default()
        };
        if let Some(sale) = verdict.sale {
            let revenue = sale.conversion.revenue.clone();
            if self.conversion.is_empty() {
                self.conversion = serde_json::to_string(&sale.conversion).unwrap();
                update.is_ours = true;
            }
            update.facts.push(Fact::Sale {
                at_ms: order.as_of_ms,
                revenue: revenue.as_deref().and_then(units),
                payout: None,
                is_shops_money: true,
            });
        }
        for fact in &mut update.facts {
            date(fact, self.now_ms);
        }
        self.settle(&update);
    }

    /// The page of the order tells it, without money.
    pub(super) fn page(&mut self, unique_id: &str) {
        if self.conversion.is_empty() {
            self.conversion =
                json!({"clickId": "abc-1", "offerId": 1, "uniqueId": unique_id}).to_string();
            self.settle(&OrderUpdate {
                offer_id: 1,
                unique_id: unique_id.to_owned(),
                if_unknown: "known".to_owned(),
                ..OrderUpdate::default()
            });
        }
    }

    pub(super) fn correct(&mut self, fields: &serde_json::Value) {
        let mut own = json!({"correctionId": "mine", "offerId": 1, "uniqueId": "9"});
        own.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        self.corrections.push(own.to_string());
    }

    pub(super) fn settle(&mut self, update: &OrderUpdate) {
        let update = OrderUpdate {
            is_waiting: self.kept.is_some(),
            ..update.clone()
        };
        // CAKE refuses what comes before the conversion; it is sent again with it.
        let sent = if self.conversion.is_empty() {
            &[][..]
        } else {
            &self.corrections
        };
        let at = Moment {
            now_ms: self.now_ms,
            told_ms: self.told_ms,
        };
        let settled = update
            .settle(&self.ledger, &self.conversion, sent, at)
            .unwrap();
        if settled.ledger != self.ledger {
            self.told_ms = self.now_ms;
        }
        self.ledger = settled.ledger;
        self.kept = settled.correction.clone().filter(|_| settled.is_kept);
        if !settled.is_kept {
            self.corrections.extend(settled.correction);
        }
    }

    /// Status and revenue in CAKE. `None`: its own rules decide, less what is taken off.
    pub(super) fn in_cake(&self) -> (bool, Option<u64>, i64) {
        let event = Event::from_text(&self.conversion).unwrap();
        let sold = State {
            revenue: event.params().revenue.as_deref().and_then(units),
            ..State::default()
        };
        let corrections: Vec<_> = self
            .corrections
            .iter()
            .map(|text| Params::read_with_id(text).unwrap())
            .collect();
        let state = State::after(sold, &corrections);
        let added = corrections
            .iter()
            .filter_map(|each| each.revenue_added.as_deref())
            .map(|text| {
                let amount = i64::try_from(units(text.trim_start_matches('-')).unwrap()).unwrap();
                if text.starts_with('-') {
                    -amount
                } else {
                    amount
                }
            });
        let added = if state.revenue.is_some() {
            0
        } else {
            added.sum()
        };
        // The revenue of a conversion that is returned counts for nothing.
        let revenue = state.revenue.filter(|_| !state.is_returned);
        (
            state.is_returned,
            revenue,
            if state.is_returned { 0 } else { added },
        )
    }
}

pub(super) fn woo(at: u64, status: &str, total: &str, refunds: &[&str], has_click: bool) -> Sent {
    let refunds: Vec<_> = refunds
        .iter()
        .map(|amount| json!({"id": 1, "total": format!("-{amount}")}))
        .collect();
    let date = |at: u64| format!("2026-06-19T14:{:02}:{:02}", at / 60, at % 60);
    let meta = if has_click {
        json!([{"key": "reqid", "value": "abc-1"}])
    } else {
        json!([])
    };
    let body = json!({
        "id": 9, "status": status, "currency": "USD", "total": total, "refunds": refunds, "meta_data": meta,
        "date_paid_gmt": date(0), "date_created_gmt": date(0), "date_modified_gmt": date(at),
    });
    ("order.updated", body)
}

pub(super) fn stripe(at: u64, kind: &str, object: &serde_json::Value) -> Sent {
    (
        "",
        json!({"type": kind, "livemode": true, "created": T0 + at, "data": {"object": object}}),
    )
}

pub(super) fn session() -> Sent {
    let object = json!({
        "id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 2_600, "currency": "usd",
        "client_reference_id": "abc-1",
    });
    stripe(0, "checkout.session.completed", &object)
}

pub(super) fn charge(at: u64, refunded: u64) -> Sent {
    let object = json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 2_600, "amount_refunded": refunded, "currency": "usd"});
    stripe(at, "charge.refunded", &object)
}

pub(super) fn failed(at: u64, id: &str, amount: u64) -> Sent {
    let object = json!({"id": id, "charge": "ch_1", "payment_intent": "pi_1", "amount": amount, "currency": "usd", "status": "failed"});
    stripe(at, "refund.failed", &object)
}

pub(super) fn dispute(at: u64, id: &str, kind: &str, amount: u64, status: &str) -> Sent {
    let object = json!({"id": id, "charge": "ch_1", "payment_intent": "pi_1", "amount": amount, "currency": "usd", "status": status});
    stripe(at, &format!("charge.dispute.{kind}"), &object)
}

pub(super) fn shopify(
    at: u64,
    topic: &'static str,
    total: &str,
    refunds: &[(u64, &str)],
    more: &[&str],
) -> Sent {
    let body = json!({
        "id": 9, "financial_status": if more.contains(&"refunded") { "refunded" } else { "paid" }, "currency": "USD",
        "total_price": total, "updated_at": format!("2026-06-19T14:{:02}:{:02}Z", at / 60, at % 60),
        "cancelled_at": more.contains(&"cancelled").then_some("2026-06-19T15:00:00Z"),
        "note_attributes": [{"name": "reqid", "value": "abc-1"}],
        "refunds": refunds.iter().map(|(id, amount)| refund(*id, amount).1).collect::<Vec<_>>(),
    });
    (topic, body)
}

pub(super) fn refund(id: u64, amount: &str) -> Sent {
    let transaction =
        json!({"kind": "refund", "status": "success", "amount": amount, "currency": "USD"});
    (
        "refunds/create",
        json!({"id": id, "order_id": 9, "transactions": [transaction]}),
    )
}

pub(super) fn unique_id(platform: &str) -> &'static str {
    if platform == "stripe" { "pi_1" } else { "9" }
}

pub(super) fn end(
    platform: &'static str,
    webhooks: &[Sent],
    page_at: Option<usize>,
) -> (bool, Option<u64>, i64) {
    let mut world = World::new(platform, page_at.is_some());
    for (index, each) in webhooks.iter().enumerate() {
        if page_at == Some(index) {
            world.page(unique_id(platform));
        }
        world.receive(each);
    }
    if world.is_pages {
        world.page(unique_id(platform));
    }
    world.in_cake()
}
