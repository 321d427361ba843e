//! Facts of orders in any order: the state that CAKE ends in is the state of the facts.

use super::*;
use crate::delivery::shop::{Shop, Webhook};
use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::json;
use sha2::Sha256;

const SECRET: &str = "a secret of the shop's, for vectors alone";
const T0: u64 = 1_781_878_800;

/// An order in the forwarder and in CAKE, told by webhooks that are really signed and read.
struct World {
    shop: Shop,
    platform: &'static str,
    now_ms: u64,
    conversion: String,
    ledger: String,
    /// Those that CAKE has, and the one that waits for the conversion.
    corrections: Vec<String>,
    kept: Option<String>,
    is_pages: bool,
}

/// What a webhook of the world says: `(topic, body)`.
type Told = (&'static str, serde_json::Value);

impl World {
    fn new(platform: &'static str, is_pages: bool) -> Self {
        let settings = r#"{"offerId":1,"currency":"USD","recurring":true}"#;
        Self {
            shop: Shop::new(platform, [SECRET], settings).unwrap(),
            platform,
            now_ms: (T0 + 100_000) * 1_000,
            conversion: String::new(),
            ledger: String::new(),
            corrections: Vec::new(),
            kept: None,
            is_pages,
        }
    }

    fn read(&self, (topic, body): &Told) -> super::super::Verdict {
        let body = body.to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        let at = self.now_ms / 1_000;
        let signature = if self.platform == "stripe" {
            mac.update(format!("{at}.{body}").as_bytes());
            let bytes = mac.finalize().into_bytes();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
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
    fn tell(&mut self, told: &Told) {
        self.now_ms += 1;
        let verdict = self.read(told);
        let order = verdict.order.unwrap_or_default();
        let mut tidings = Tidings {
            platform: self.platform.to_owned(),
            offer_id: 1,
            unique_id: order
                .unique_ids
                .first()
                .cloned()
                .unwrap_or_else(|| "u".to_owned()),
            facts: order.facts,
            if_unknown: order.if_unknown.to_owned(),
            ..Tidings::default()
        };
        if let Some(sale) = verdict.sale {
            let revenue = sale.conversion.revenue.clone();
            if self.conversion.is_empty() {
                self.conversion = serde_json::to_string(&sale.conversion).unwrap();
                tidings.is_ours = true;
            }
            tidings.facts.push(Fact::Sale {
                at_ms: order.as_of_ms,
                revenue: revenue.as_deref().and_then(units),
                payout: None,
                is_shops_money: true,
            });
        }
        self.settle(&tidings);
    }

    /// The page of the order tells it, without money.
    fn page(&mut self, unique_id: &str) {
        if self.conversion.is_empty() {
            self.conversion =
                json!({"clickId": "abc-1", "offerId": 1, "uniqueId": unique_id}).to_string();
            self.settle(&Tidings {
                offer_id: 1,
                unique_id: unique_id.to_owned(),
                if_unknown: "known".to_owned(),
                ..Tidings::default()
            });
        }
    }

    fn correct(&mut self, fields: serde_json::Value) {
        let mut own = json!({"correctionId": "mine", "offerId": 1, "uniqueId": "9"});
        own.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        self.corrections.push(own.to_string());
    }

    fn settle(&mut self, tidings: &Tidings) {
        let tidings = Tidings {
            is_waiting: self.kept.is_some(),
            ..tidings.clone()
        };
        // CAKE refuses what comes before the conversion; it is sent again with it.
        let sent = if self.conversion.is_empty() {
            &[][..]
        } else {
            &self.corrections
        };
        let settled = tidings
            .settle(&self.ledger, &self.conversion, sent, self.now_ms)
            .unwrap();
        self.ledger = settled.ledger;
        self.kept = settled.correction.clone().filter(|_| settled.is_kept);
        if !settled.is_kept {
            self.corrections.extend(settled.correction);
        }
    }

    /// Status and revenue in CAKE. `None`: its own rules decide, less what is taken off.
    fn in_cake(&self) -> (bool, Option<u64>, i64) {
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

fn woo(at: u64, status: &str, total: &str, refunds: &[&str], has_click: bool) -> Told {
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

fn stripe(at: u64, kind: &str, object: serde_json::Value) -> Told {
    (
        "",
        json!({"type": kind, "livemode": true, "created": T0 + at, "data": {"object": object}}),
    )
}

fn session() -> Told {
    let object = json!({
        "id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 2_600, "currency": "usd",
        "client_reference_id": "abc-1",
    });
    stripe(0, "checkout.session.completed", object)
}

fn charge(at: u64, refunded: u64) -> Told {
    let object = json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 2_600, "amount_refunded": refunded, "currency": "usd"});
    stripe(at, "charge.refunded", object)
}

fn failed(at: u64, id: &str, amount: u64) -> Told {
    let object = json!({"id": id, "charge": "ch_1", "payment_intent": "pi_1", "amount": amount, "currency": "usd", "status": "failed"});
    stripe(at, "refund.failed", object)
}

fn dispute(at: u64, id: &str, kind: &str, amount: u64, status: &str) -> Told {
    let object = json!({"id": id, "charge": "ch_1", "payment_intent": "pi_1", "amount": amount, "currency": "usd", "status": status});
    stripe(at, &format!("charge.dispute.{kind}"), object)
}

fn shopify(
    at: u64,
    topic: &'static str,
    total: &str,
    refunds: &[(u64, &str)],
    more: &[&str],
) -> Told {
    let body = json!({
        "id": 9, "financial_status": if more.contains(&"refunded") { "refunded" } else { "paid" }, "currency": "USD",
        "total_price": total, "updated_at": format!("2026-06-19T14:{:02}:{:02}Z", at / 60, at % 60),
        "cancelled_at": more.contains(&"cancelled").then_some("2026-06-19T15:00:00Z"),
        "note_attributes": [{"name": "reqid", "value": "abc-1"}],
        "refunds": refunds.iter().map(|(id, amount)| refund(*id, amount).1).collect::<Vec<_>>(),
    });
    (topic, body)
}

fn refund(id: u64, amount: &str) -> Told {
    let transaction =
        json!({"kind": "refund", "status": "success", "amount": amount, "currency": "USD"});
    (
        "refunds/create",
        json!({"id": id, "order_id": 9, "transactions": [transaction]}),
    )
}

fn unique_id(platform: &str) -> &'static str {
    if platform == "stripe" { "pi_1" } else { "9" }
}

fn end(platform: &'static str, told: &[Told], page_at: Option<usize>) -> (bool, Option<u64>, i64) {
    let mut world = World::new(platform, page_at.is_some());
    for (index, each) in told.iter().enumerate() {
        if page_at == Some(index) {
            world.page(unique_id(platform));
        }
        world.tell(each);
    }
    if world.is_pages {
        world.page(unique_id(platform));
    }
    world.in_cake()
}

#[test]
fn an_order_ends_as_its_platform_says() {
    let returned = (true, None, 0);
    let left = |cents: u64| (false, Some(cents * 100), 0);
    let won = |at, amount| dispute(at, "dp_1", "closed", amount, "won");
    let opened = |at, amount| dispute(at, "dp_1", "created", amount, "needs_response");
    for (told, wanted) in [
        (
            vec![session(), charge(3, 1_400), charge(2, 700)],
            left(1_200),
        ),
        (vec![session(), charge(3, 2_600), charge(2, 700)], returned),
        (
            vec![
                session(),
                charge(1, 600),
                failed(2, "re_1", 600),
                charge(3, 600),
            ],
            left(2_000),
        ),
        (
            vec![
                session(),
                charge(1, 2_600),
                failed(2, "re_1", 2_600),
                charge(3, 2_600),
            ],
            returned,
        ),
        (
            vec![session(), failed(2, "re_1", 600), charge(1, 600)],
            left(2_600),
        ),
        (
            vec![
                session(),
                charge(1, 600),
                failed(3, "re_2", 400),
                charge(2, 1_000),
            ],
            left(2_000),
        ),
        // Told again: it failed when it failed.
        (
            vec![
                session(),
                charge(1, 600),
                failed(2, "re_1", 600),
                charge(3, 600),
                failed(4, "re_1", 600),
            ],
            left(2_000),
        ),
        (
            vec![session(), won(3, 2_600), opened(1, 2_600)],
            left(2_600),
        ),
        (
            vec![
                session(),
                charge(1, 600),
                opened(2, 2_000),
                failed(3, "re_1", 600),
                won(4, 2_000),
            ],
            left(2_600),
        ),
        (
            vec![session(), opened(1, 1_000), charge(2, 600)],
            left(1_000),
        ),
        (
            vec![session(), opened(1, 2_600), charge(2, 2_600), won(3, 2_600)],
            returned,
        ),
        (
            vec![
                session(),
                charge(1, 2_600),
                opened(2, 2_600),
                failed(3, "re_1", 2_600),
            ],
            returned,
        ),
        (
            vec![opened(1, 2_600), won(3, 2_600), session()],
            left(2_600),
        ),
        (
            vec![charge(1, 2_600), failed(2, "re_1", 2_600), session()],
            left(2_600),
        ),
        (vec![charge(1, 600), session()], left(2_000)),
        (
            vec![
                session(),
                dispute(4, "dp_1", "closed", 600, "lost"),
                dispute(1, "dp_1", "created", 600, "needs_response"),
            ],
            left(2_000),
        ),
        (
            vec![
                session(),
                dispute(1, "dp_1", "created", 600, "warning_needs_response"),
            ],
            left(2_600),
        ),
        (
            vec![
                session(),
                won(3, 2_600),
                dispute(3, "dp_1", "funds_withdrawn", 2_600, "needs_response"),
            ],
            left(2_600),
        ),
    ] {
        assert_eq!(end("stripe", &told, None), wanted, "{told:?}");
    }
    let woo = |at, status, refunds: &[&str]| woo(at, status, "26.00", refunds, true);
    for (told, wanted) in [
        (
            vec![
                woo(1, "processing", &[]),
                woo(3, "completed", &[]),
                woo(2, "cancelled", &[]),
            ],
            left(2_600),
        ),
        (
            vec![
                woo(1, "processing", &[]),
                woo(2, "cancelled", &[]),
                woo(4, "cancelled", &[]),
                woo(3, "completed", &[]),
            ],
            returned,
        ),
        (
            vec![
                woo(1, "processing", &[]),
                woo(2, "processing", &["2.50"]),
                woo(4, "completed", &["2.50"]),
                woo(3, "completed", &[]),
            ],
            left(2_350),
        ),
        (
            vec![
                woo(1, "processing", &["5.00"]),
                woo(1, "processing", &[]),
                woo(3, "processing", &[]),
                woo(2, "processing", &["5.00"]),
            ],
            left(2_600),
        ),
        (
            vec![woo(1, "cancelled", &[]), woo(2, "processing", &[])],
            left(2_600),
        ),
        (
            vec![
                woo(1, "processing", &[]),
                woo(2, "on-hold", &[]),
                woo(3, "refunded", &["26.00"]),
            ],
            returned,
        ),
        (vec![woo(1, "processing", &["6.00", "20.00"])], returned),
    ] {
        assert_eq!(end("woocommerce", &told, None), wanted, "{told:?}");
    }
    let sale = |at, total, more: &[&str]| shopify(at, "orders/paid", total, &[], more);
    for (told, page_at, wanted) in [
        (
            vec![refund(1, "6.00"), sale(1, "26.00", &[])],
            None,
            left(2_000),
        ),
        (
            vec![refund(1, "6.00"), refund(2, "20.00"), sale(1, "26.00", &[])],
            None,
            returned,
        ),
        (
            vec![
                sale(1, "26.00", &[]),
                sale(3, "30.00", &[]),
                sale(2, "28.00", &[]),
            ],
            None,
            left(3_000),
        ),
        (
            vec![
                sale(1, "26.00", &[]),
                shopify(2, "orders/cancelled", "26.00", &[], &["cancelled"]),
            ],
            None,
            returned,
        ),
        // CAKE's own rules have made the revenue of a page's event.
        (
            vec![refund(1, "6.00"), refund(2, "1.00"), refund(1, "6.00")],
            Some(0),
            (false, None, -70_000),
        ),
        (
            vec![refund(1, "6.00"), sale(1, "26.00", &[])],
            Some(0),
            left(2_000),
        ),
        (
            vec![sale(1, "26.00", &[]), refund(1, "6.00")],
            Some(2),
            left(2_000),
        ),
    ] {
        assert_eq!(end("shopify", &told, page_at), wanted, "{told:?}");
    }
}

#[test]
fn a_sites_own_correction_stays_until_the_shop_says_something_else() {
    for (changed, own, after, wanted) in [
        (
            woo(2, "cancelled", "26.00", &[], true),
            json!({"status": "approved"}),
            "cancelled",
            (false, Some(260_000)),
        ),
        (
            woo(2, "processing", "26.00", &["5.00"], true),
            json!({"revenue": "26.00"}),
            "processing",
            (false, Some(260_000)),
        ),
        (
            woo(2, "processing", "26.00", &[], true),
            json!({"status": "rejected", "revenue": "1.00"}),
            "completed",
            (true, None),
        ),
    ] {
        let mut world = World::new("woocommerce", false);
        world.tell(&woo(1, "processing", "26.00", &[], true));
        world.tell(&changed);
        world.correct(own);
        let sent = world.corrections.len();
        let mut edited = changed.clone();
        edited.1["date_modified_gmt"] = json!("2026-06-19T14:00:03");
        edited.1["status"] = json!(after);
        edited.1["customer_note"] = json!("please ring");
        for _ in 0..2 {
            world.tell(&edited);
        }
        assert_eq!(world.corrections.len(), sent, "{changed:?}");
        let (is_returned, revenue, _) = world.in_cake();
        assert_eq!((is_returned, revenue), wanted);
        // The shop says something else: that counts, and nothing besides.
        world.tell(&woo(9, "processing", "26.00", &["7.00"], true));
        let last = Params::read_with_id(world.corrections.last().unwrap()).unwrap();
        assert_eq!(last.revenue.as_deref(), Some("19.00"));
        assert_eq!(last.status.is_some(), after == "cancelled" && is_returned);
    }
}

#[test]
fn a_ledger_has_an_end_and_says_so() {
    let mut world = World::new("stripe", false);
    world.tell(&session());
    for index in 0..150 {
        world.tell(&failed(1, &format!("re_{index}"), 1));
    }
    assert_eq!(Ledger::read(&world.ledger).unwrap().facts.len(), MAX_LINES);
    // What it has is still brought up to date.
    let tidings = |fact| Tidings {
        facts: vec![fact],
        offer_id: 1,
        unique_id: "pi_1".to_owned(),
        ..Tidings::default()
    };
    let failure = |id: &str, at_ms| Fact::Failed {
        id: id.to_owned(),
        of: "ch_1".to_owned(),
        at_ms,
        amount: 1,
    };
    let outcome = |fact| {
        let settled = tidings(fact)
            .settle(&world.ledger, &world.conversion, &[], 1)
            .unwrap();
        (settled.outcome, settled.ledger == world.ledger)
    };
    assert_eq!(outcome(failure("re_999", 1)), ("full", true));
    assert_eq!(outcome(failure("re_5", 1)), ("whole", false));
}

/// What may happen to one order of a platform, and in which order its platform told it.
fn history() -> impl Strategy<Value = (&'static str, Vec<Told>)> {
    let amount = prop::sample::select(&[100_u64, 600, 1_000, 2_600][..]);
    let event = (0_u8..4, 1_u64..8, amount, 0_u8..3);
    let stripe = prop::collection::vec(event, 0..6).prop_map(|events| {
        let mut told = vec![session()];
        told.extend(events.into_iter().map(|(kind, at, amount, id)| match kind {
            0 => charge(at, amount),
            1 => failed(at, &format!("re_{id}"), amount),
            2 => dispute(at, &format!("dp_{id}"), "created", amount, "needs_response"),
            _ => dispute(
                at,
                &format!("dp_{id}"),
                "closed",
                amount,
                if at % 2 == 0 { "won" } else { "lost" },
            ),
        }));
        ("stripe", told)
    });
    let status = prop::sample::select(
        &[
            "processing",
            "completed",
            "cancelled",
            "refunded",
            "on-hold",
        ][..],
    );
    let total = prop::sample::select(&["26.00", "30.00"][..]);
    let refunds = prop::sample::subsequence(vec!["2.50", "5.00", "18.50"], 0..3);
    let walk = prop::collection::vec((1_u64..8, status, total, refunds), 0..6);
    let woo = walk.prop_map(|events| {
        let mut told = vec![woo(0, "processing", "26.00", &[], true)];
        told.extend(
            events
                .iter()
                .map(|(at, status, total, refunds)| woo(*at, status, total, refunds, true)),
        );
        ("woocommerce", told)
    });
    let part = (
        0_u64..3,
        prop::sample::select(&["1.00", "6.00", "20.00"][..]),
    );
    const ENDS: [&[&str]; 3] = [&[], &["cancelled"], &["refunded"]];
    let more = prop::sample::select(&ENDS[..]);
    let step = (
        0_u8..4,
        1_u64..8,
        part,
        prop::sample::select(&["26.00", "30.00"][..]),
        more,
    );
    let shopify =
        prop::collection::vec(step, 0..6).prop_map(|events| {
            let mut told = vec![shopify(0, "orders/paid", "26.00", &[], &[])];
            told.extend(events.into_iter().map(
                |(kind, at, (id, amount), total, more)| match kind {
                    0 => refund(id, amount),
                    1 => shopify(at, "orders/updated", total, &[(id, amount)], more),
                    2 => shopify(at, "orders/paid", total, &[(id, amount)], &[]),
                    _ => shopify(at, "orders/cancelled", total, &[], more),
                },
            ));
            ("shopify", told)
        });
    prop_oneof![stripe, woo, shopify]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn facts_in_any_order_and_repeated_end_in_one_state(
        (platform, told) in history(), seed in any::<u64>(), page in prop::option::of(0_usize..8),
    ) {
        let mut shuffled: Vec<_> = told.iter().chain(&told).chain(told.first()).cloned().collect();
        let mut random = seed;
        for last in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(last, usize::try_from(random >> 33).unwrap() % (last + 1));
        }
        // In the platform's own order; the sale comes first.
        let page_first = page.map(|_| 0);
        prop_assert_eq!(end(platform, &shuffled, page), end(platform, &told, page_first), "{:?}", told);
        prop_assert_eq!(end(platform, &shuffled, None), end(platform, &told, None));
    }

    #[test]
    fn any_ledger_is_read_or_refused(text in "\\PC{0,60}|([ORFPSAL]\t[a-z0-9\t]{0,20}\n){0,4}") {
        if let Some(ledger) = Ledger::read(&text).filter(|_| !text.is_empty()) {
            prop_assert_eq!(Ledger::read(&ledger.text()), Some(ledger));
        }
    }

    #[test]
    fn two_facts_of_one_thing_are_one_whichever_comes_first(
        a in fact(), b in fact(), c in fact(),
    ) {
        let merged = |x: &Fact, y: &Fact| x.clone().merge(y.clone());
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&a, &a), a.clone());
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(Fact::read(&a.line()), Some(a));
    }
}

/// Facts of one thing.
fn fact() -> impl Strategy<Value = Fact> {
    (0_u64..3, 0_u64..3, any::<bool>(), any::<bool>()).prop_map(|(at_ms, amount, is_a, is_b)| {
        if is_a {
            return Fact::Failed {
                id: "x".to_owned(),
                of: if is_b { "a" } else { "b" }.to_owned(),
                at_ms,
                amount,
            };
        }
        Fact::Failed {
            id: "x".to_owned(),
            of: "a".to_owned(),
            at_ms: at_ms + u64::from(is_b),
            amount,
        }
    })
}
