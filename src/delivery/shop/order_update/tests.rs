//! Facts of orders in any order: the state that CAKE ends in is the state of the facts.

use super::super::fact::Fact;
use super::super::ledger::{Ledger, MAX_LINES};
use super::world::{Sent, World, charge, dispute, end, failed, refund, session, shopify, woo};
use super::*;
use proptest::prelude::*;
use serde_json::json;

pub(super) const RETURNED: (bool, Option<u64>, i64) = (true, None, 0);

pub(super) fn left(cents: u64) -> (bool, Option<u64>, i64) {
    (false, Some(cents * 100), 0)
}

#[test]
fn a_charge_of_stripes_ends_as_its_refunds_say() {
    for (webhooks, wanted) in [
        (
            vec![session(), charge(3, 1_400), charge(2, 700)],
            left(1_200),
        ),
        (vec![session(), charge(3, 2_600), charge(2, 700)], RETURNED),
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
            RETURNED,
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
        // Webhook again: it failed when it failed.
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
            vec![charge(1, 2_600), failed(2, "re_1", 2_600), session()],
            left(2_600),
        ),
        (vec![charge(1, 600), session()], left(2_000)),
    ] {
        assert_eq!(end("stripe", &webhooks, None), wanted, "{webhooks:?}");
    }
}

#[test]
fn a_question_leaves_nothing_behind() {
    let question = OrderUpdate {
        offer_id: 1,
        unique_id: "ORD-9".to_owned(),
        if_unknown: "known".to_owned(),
        ..OrderUpdate::default()
    };
    let sold = json!({"clickId": "abc-1", "offerId": 1, "uniqueId": "ORD-9"}).to_string();
    for (conversion, outcome) in [("", "unknown"), (&*sold, "whole")] {
        let answer = question
            .settle("", conversion, &[], Moment::default())
            .unwrap();
        assert_eq!((answer.outcome, &*answer.ledger), (outcome, ""));
        assert_eq!(answer.is_known, !conversion.is_empty());
        assert_eq!(answer.correction, None);
    }
}

#[test]
fn a_dispute_takes_its_part_until_it_is_won() {
    let won = |at, amount| dispute(at, "dp_1", "closed", amount, "won");
    let opened = |at, amount| dispute(at, "dp_1", "created", amount, "needs_response");
    for (webhooks, wanted) in [
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
            RETURNED,
        ),
        (
            vec![
                session(),
                charge(1, 2_600),
                opened(2, 2_600),
                failed(3, "re_1", 2_600),
            ],
            RETURNED,
        ),
        (
            vec![opened(1, 2_600), won(3, 2_600), session()],
            left(2_600),
        ),
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
        assert_eq!(end("stripe", &webhooks, None), wanted, "{webhooks:?}");
    }
}

#[test]
fn an_order_of_woocommerces_ends_as_its_newest_update_says() {
    let woo = |at, status, refunds: &[&str]| woo(at, status, "26.00", refunds, true);
    for (webhooks, wanted) in [
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
            RETURNED,
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
            RETURNED,
        ),
        (vec![woo(1, "processing", &["6.00", "20.00"])], RETURNED),
    ] {
        assert_eq!(end("woocommerce", &webhooks, None), wanted, "{webhooks:?}");
    }
}

#[test]
fn an_order_of_shopifys_ends_as_its_refunds_say() {
    let sale = |at, total, more: &[&str]| shopify(at, "orders/paid", total, &[], more);
    for (webhooks, page_at, wanted) in [
        (
            vec![refund(1, "6.00"), sale(1, "26.00", &[])],
            None,
            left(2_000),
        ),
        (
            vec![refund(1, "6.00"), refund(2, "20.00"), sale(1, "26.00", &[])],
            None,
            RETURNED,
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
            RETURNED,
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
        assert_eq!(end("shopify", &webhooks, page_at), wanted, "{webhooks:?}");
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
        world.receive(&woo(1, "processing", "26.00", &[], true));
        world.receive(&changed);
        world.correct(&own);
        let sent = world.corrections.len();
        let mut edited = changed.clone();
        edited.1["date_modified_gmt"] = json!("2026-06-19T14:00:03");
        edited.1["status"] = json!(after);
        edited.1["customer_note"] = json!("please ring");
        for _ in 0..2 {
            world.receive(&edited);
        }
        assert_eq!(world.corrections.len(), sent, "{changed:?}");
        let (is_returned, revenue, _) = world.in_cake();
        assert_eq!((is_returned, revenue), wanted);
        // The shop says something else: that counts, and nothing besides.
        world.receive(&woo(9, "processing", "26.00", &["7.00"], true));
        let last = Params::read_with_id(world.corrections.last().unwrap()).unwrap();
        assert_eq!(last.revenue.as_deref(), Some("19.00"));
        assert_eq!(last.status.is_some(), after == "cancelled" && is_returned);
    }
}

#[test]
fn a_ledger_has_an_end_and_says_so() {
    let mut world = World::new("stripe", false);
    world.receive(&session());
    for index in 0..150 {
        world.receive(&failed(1, &format!("re_{index}"), 1));
    }
    assert_eq!(Ledger::read(&world.ledger).unwrap().facts.len(), MAX_LINES);
    // What it has is still brought up to date.
    let update = |fact| OrderUpdate {
        facts: vec![fact],
        offer_id: 1,
        unique_id: "pi_1".to_owned(),
        ..OrderUpdate::default()
    };
    let failure = |id: &str, at_ms| Fact::Failed {
        id: id.to_owned(),
        of: "ch_1".to_owned(),
        at_ms,
        amount: 1,
    };
    let outcome = |fact| {
        let settled = update(fact)
            .settle(&world.ledger, &world.conversion, &[], Moment::default())
            .unwrap();
        (settled.outcome, settled.ledger == world.ledger)
    };
    assert_eq!(outcome(failure("re_999", 1)), ("full", true));
    assert_eq!(outcome(failure("re_5", 1)), ("whole", false));
}

const ENDS: [&[&str]; 3] = [&[], &["cancelled"], &["refunded"]];

/// What may happen to one order of a platform, and in which order its platform told it.
pub(super) fn history() -> impl Strategy<Value = (&'static str, Vec<Sent>)> {
    let amount = prop::sample::select(&[100_u64, 600, 1_000, 2_600][..]);
    let event = (0_u8..4, 1_u64..8, amount, 0_u8..3);
    let stripe = prop::collection::vec(event, 0..6).prop_map(|events| {
        let mut webhooks = vec![session()];
        webhooks.extend(events.into_iter().map(|(kind, at, amount, id)| match kind {
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
        ("stripe", webhooks)
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
    let total = prop::sample::select(&["26.00", "30.00", "26.00001", ""][..]);
    let refunds = prop::sample::subsequence(vec!["2.50", "5.00", "18.50", "1.23456"], 0..3);
    let walk = prop::collection::vec((1_u64..8, status, total, refunds), 0..6);
    let woo = walk.prop_map(|events| {
        let mut webhooks = vec![woo(0, "processing", "26.00", &[], true)];
        webhooks.extend(
            events
                .iter()
                .map(|(at, status, total, refunds)| woo(*at, status, total, refunds, true)),
        );
        ("woocommerce", webhooks)
    });
    let part = (
        0_u64..3,
        prop::sample::select(&["1.00", "6.00", "20.00"][..]),
    );
    let more = prop::sample::select(&ENDS[..]);
    let step = (
        0_u8..4,
        1_u64..8,
        part,
        prop::sample::select(&["26.00", "30.00"][..]),
        more,
    );
    let shopify = prop::collection::vec(step, 0..6).prop_map(|events| {
        let mut webhooks = vec![shopify(0, "orders/paid", "26.00", &[], &[])];
        webhooks.extend(events.into_iter().map(
            |(kind, at, (id, amount), total, more)| match kind {
                0 => refund(id, amount),
                1 => shopify(at, "orders/updated", total, &[(id, amount)], more),
                2 => shopify(at, "orders/paid", total, &[(id, amount)], &[]),
                _ => shopify(at, "orders/cancelled", total, &[], more),
            },
        ));
        ("shopify", webhooks)
    });
    prop_oneof![stripe, woo, shopify]
}

/// All of them twice and the first once more, in any order.
pub(super) fn shuffled(webhooks: &[Sent], seed: u64) -> Vec<Sent> {
    let all = webhooks.iter().chain(webhooks).chain(webhooks.first());
    let mut shuffled: Vec<_> = all.cloned().collect();
    let mut random = seed;
    for last in (1..shuffled.len()).rev() {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        shuffled.swap(last, usize::try_from(random >> 33).unwrap() % (last + 1));
    }
    shuffled
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn facts_in_any_order_and_repeated_end_in_one_state(
        (platform, webhooks) in history(), seed in any::<u64>(), page in prop::option::of(0_usize..8),
    ) {
        let shuffled = shuffled(&webhooks, seed);
        // In the platform's own order; the sale comes first.
        let page_first = page.map(|_| 0);
        prop_assert_eq!(end(platform, &shuffled, page), end(platform, &webhooks, page_first), "{:?}", webhooks);
        prop_assert_eq!(end(platform, &shuffled, None), end(platform, &webhooks, None));
    }

    #[test]
    fn any_ledger_is_read_or_refused(text in "\\PC{0,60}|([ORFPSACL]\t[a-z0-9\t]{0,20}\n){0,4}") {
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
