//! The clock of a platform and ours are never the same. An order ends as its platform says, whatever is between them.

use super::super::fact::Fact;
use super::tests::{RETURNED, history, left, shuffled};
use super::world::{
    Sent, T0, World, charge, dispute, end, failed, session, shopify, stripe, unique_id, woo,
};
use crate::time::CivilTime;
use proptest::prelude::*;
use serde_json::json;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How far the platform's clock is ahead of ours, in milliseconds.
const SKEWS: [i64; 9] = [
    -DAY,
    -HOUR,
    -5 * SECOND,
    0,
    5 * SECOND,
    5 * MINUTE,
    HOUR,
    14 * HOUR,
    DAY,
];

/// A platform, what it tells of an order in its own order, and how the order ends.
type Brother = (&'static str, Vec<Sent>, (bool, Option<u64>, i64));

/// Orders of 26.00.
fn brothers() -> Vec<Brother> {
    let created = |at| dispute(at, "dp_1", "created", 2_600, "needs_response");
    let ended = |at, status| dispute(at, "dp_1", "closed", 2_600, status);
    let sale = |at, total| shopify(at, "orders/paid", total, &[], &[]);
    let woo = |at, status, total, refunds: &[&str]| woo(at, status, total, refunds, true);
    let of_woo = |more: &[Sent]| [&[woo(0, "processing", "26.00", &[])], more].concat();
    let of_stripe = |more: &[Sent]| [&[session()], more].concat();
    vec![
        (
            "stripe",
            of_stripe(&[charge(2, 700), charge(4, 2_600)]),
            RETURNED,
        ),
        (
            "stripe",
            of_stripe(&[charge(2, 700), charge(4, 1_400)]),
            left(1_200),
        ),
        (
            "stripe",
            of_stripe(&[created(2), ended(4, "won")]),
            left(2_600),
        ),
        (
            "stripe",
            of_stripe(&[created(2), ended(4, "lost")]),
            RETURNED,
        ),
        (
            "stripe",
            of_stripe(&[charge(2, 600), failed(4, "re_1", 600)]),
            left(2_600),
        ),
        (
            "stripe",
            of_stripe(&[charge(2, 600), failed(4, "re_1", 600), charge(6, 600)]),
            left(2_000),
        ),
        (
            "woocommerce",
            of_woo(&[woo(4, "refunded", "26.00", &["26.00"])]),
            RETURNED,
        ),
        (
            "woocommerce",
            of_woo(&[woo(4, "processing", "26.00", &["6.00"])]),
            left(2_000),
        ),
        (
            "woocommerce",
            of_woo(&[
                woo(2, "cancelled", "26.00", &[]),
                woo(4, "completed", "26.00", &[]),
            ]),
            left(2_600),
        ),
        (
            "woocommerce",
            of_woo(&[
                woo(2, "processing", "31.00", &[]),
                woo(4, "completed", "28.00", &[]),
            ]),
            left(2_800),
        ),
        // Amounts that cannot be read are a fact of their own.
        (
            "woocommerce",
            of_woo(&[
                woo(2, "cancelled", "26.00001", &[]),
                woo(4, "processing", "26.00", &[]),
            ]),
            left(2_600),
        ),
        (
            "shopify",
            vec![sale(0, "26.00"), sale(2, "31.00"), sale(4, "28.00")],
            left(2_800),
        ),
        (
            "shopify",
            vec![sale(0, "26.00"), sale(2, "28.00"), sale(4, "31.00")],
            left(3_100),
        ),
    ]
}

/// A world whose platform's clock is that far ahead of ours, a moment after all has happened.
fn ahead(platform: &'static str, skew_ms: i64) -> World {
    let mut world = World::new(platform, false);
    world.now_ms = ((T0 + 10) * 1_000).checked_add_signed(-skew_ms).unwrap();
    world
}

fn pass(world: &mut World, ms: i64) {
    world.now_ms = world.now_ms.checked_add_signed(ms).unwrap();
}

fn receive_all(world: &mut World, told: &[Sent]) {
    for each in told {
        world.receive(each);
    }
}

#[test]
fn an_order_ends_as_its_platform_says_whatever_the_clocks_say() {
    for (platform, told, wanted) in brothers() {
        assert_eq!(end(platform, &told, None), wanted, "{told:?}");
        for skew in SKEWS {
            for wait in [0, 10 * MINUTE, HOUR, 2 * HOUR, DAY, 2 * DAY] {
                for last in &told {
                    let mut world = ahead(platform, skew);
                    receive_all(&mut world, &told);
                    assert_eq!(world.in_cake(), wanted, "{skew} {told:?}");
                    let (sent, ledger) = (world.corrections.len(), world.ledger.clone());
                    pass(&mut world, wait);
                    // The very same webhook, and all of them backwards.
                    world.receive(last);
                    for each in told.iter().rev() {
                        world.receive(each);
                    }
                    assert_eq!(world.in_cake(), wanted, "{skew} {wait} {last:?} {told:?}");
                    // A repetition says nothing new.
                    assert_eq!((world.corrections.len(), world.ledger), (sent, ledger));
                }
                let mut world = ahead(platform, skew);
                let (sale, rest) = told.split_first().unwrap();
                world.receive(sale);
                for each in rest.iter().rev() {
                    world.receive(each);
                    pass(&mut world, wait);
                }
                assert_eq!(world.in_cake(), wanted, "swapped: {skew} {wait} {told:?}");
            }
        }
    }
}

/// As the former version has dated facts: none is later than its webhook.
fn receive_as_before(world: &mut World, webhook: &Sent) {
    world.receive_dated(webhook, |fact, now_ms| {
        if let Some(at_ms) = fact.at_ms() {
            fact.set_at_ms(at_ms.min(now_ms));
        }
    });
}

#[test]
fn what_the_former_version_has_stored_is_not_undone_by_a_repetition() {
    let takes_back = |(is_returned, ..): &(bool, _, _)| *is_returned;
    let all = brothers();
    let told = all.iter().filter(|(_, _, wanted)| takes_back(wanted));
    for (platform, told, wanted) in told {
        for skew in SKEWS {
            for known in 1..=told.len() {
                let mut world = ahead(platform, skew);
                let (before, since) = told.split_at(known);
                for each in before {
                    receive_as_before(&mut world, each);
                }
                receive_all(&mut world, since);
                for each in told.iter().chain(told.iter().rev()) {
                    pass(&mut world, SECOND);
                    world.receive(each);
                    assert_eq!(world.in_cake(), *wanted, "{skew} {known} {each:?} {told:?}");
                }
            }
        }
    }
    // Whatever the order is: told once more by this version, its last state counts.
    for (platform, told, wanted) in all {
        for skew in SKEWS {
            let mut world = ahead(platform, skew);
            for each in &told {
                receive_as_before(&mut world, each);
            }
            assert_eq!(world.in_cake(), wanted, "{skew} {told:?}");
            pass(&mut world, SECOND);
            world.receive(told.last().unwrap());
            for each in told.iter().chain(told.iter().rev()) {
                world.receive(each);
            }
            assert_eq!(world.in_cake(), wanted, "{skew} {told:?}");
        }
    }
}

#[test]
fn the_former_version_reads_what_this_one_has_written() {
    // A roll-back: the fields of each line are those of before, and so is what they mean.
    let mut world = ahead("stripe", HOUR);
    for each in [session(), charge(2, 700), failed(4, "re_1", 700)] {
        world.receive(&each);
    }
    let at = |seconds| (T0 + seconds) * 1_000;
    let lines: Vec<_> = world.ledger.lines().skip(2).map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            format!("S\t\t{}\t260000\t\t1", at(0)),
            format!("R\tch_1\t{}\t\t70000\t260000\t1\tpi_1", at(2)),
            format!("F\tre_1\tch_1\t{}\t70000", at(4)),
        ]
    );
    receive_as_before(&mut world, &charge(2, 700));
    assert_eq!(world.in_cake(), left(2_600));
}

fn at(mut webhook: Sent, created_s: u64) -> Sent {
    webhook.1["created"] = json!(created_s);
    webhook
}

#[test]
fn a_state_of_a_clock_that_was_ahead_gives_way_once_the_clock_is_right() {
    let (won, open) = (
        dispute(0, "dp_1", "closed", 2_600, "won"),
        dispute(0, "dp_2", "created", 2_600, "needs_response"),
    );
    for lead_s in [301, 600, 3_600, 86_400, 365 * 86_400] {
        let mut world = ahead("stripe", 0);
        let now_s = world.now_ms / 1_000;
        world.receive(&session());
        world.receive(&at(charge(0, 700), now_s + lead_s));
        world.receive(&at(failed(0, "re_1", 700), now_s + lead_s));
        world.receive(&at(open.clone(), now_s + lead_s));
        assert_eq!(world.in_cake(), RETURNED);
        // What came before it stays older.
        world.receive(&at(charge(0, 600), now_s - 1));
        assert_eq!(world.in_cake(), RETURNED);
        // At once where the clock was far ahead; else once it has come there.
        let wait_s = if lead_s > 301 { 120 } else { 302 };
        pass(&mut world, wait_s * SECOND);
        let now_s = world.now_ms / 1_000;
        world.receive(&at(charge(0, 2_000), now_s));
        world.receive(&at(dispute(0, "dp_2", "closed", 2_600, "won"), now_s));
        assert_eq!(world.in_cake(), left(600), "{lead_s}");
        world.receive(&at(won.clone(), now_s + 1));
        pass(&mut world, MINUTE);
        let now_s = world.now_ms / 1_000;
        world.receive(&at(charge(0, 900), now_s));
        assert_eq!(world.in_cake(), left(1_700), "{lead_s}");
    }
}

/// The webhook as it says at that moment.
fn modified(mut webhook: Sent, at_ms: u64) -> Sent {
    webhook.1["date_modified_gmt"] = json!(CivilTime::from_utc_ms(at_ms).to_string());
    webhook
}

#[test]
fn a_right_clock_may_be_a_minute_behind_or_its_webhook_a_minute_late() {
    let order = |total, refunds: &[&str]| woo(0, "processing", total, refunds, true);
    let refunded = |sums: &[&str]| order("26.00", sums);
    // By a clock that was ahead, then by the right one, and how the order ends.
    let brothers = [
        (
            "a refund is gone, a smaller one comes",
            refunded(&["6.00"]),
            [refunded(&[]), refunded(&["1.00"])],
            left(2_500),
        ),
        (
            "a refund has failed",
            refunded(&["26.00"]),
            [refunded(&[]), refunded(&[])],
            left(2_600),
        ),
        (
            "a refund grows",
            refunded(&["6.00"]),
            [refunded(&["6.00"]), refunded(&["6.00", "2.00"])],
            left(1_800),
        ),
        (
            "a total is edited",
            order("31.00", &[]),
            [order("28.00", &[]), order("29.00", &[])],
            left(2_900),
        ),
        (
            "a cancelled order counts again",
            woo(0, "cancelled", "26.00", &[], true),
            [refunded(&[]), refunded(&[])],
            left(2_600),
        ),
    ];
    for (name, by_wrong, [next, last], wanted) in brothers {
        for lead in [301 * SECOND, HOUR, DAY] {
            for late in [0, SECOND, 30 * SECOND, MINUTE - SECOND] {
                let mut world = ahead("woocommerce", 0);
                let by_ahead = |world: &World| world.now_ms.checked_add_signed(lead).unwrap();
                let by_right = |world: &World| world.now_ms.checked_add_signed(-late).unwrap();
                for each in [refunded(&[]), by_wrong.clone()] {
                    let each = modified(each, by_ahead(&world));
                    world.receive(&each);
                    pass(&mut world, 10);
                }
                for each in [&next, &last] {
                    let each = modified(each.clone(), by_right(&world));
                    world.receive(&each);
                    pass(&mut world, SECOND);
                }
                assert_eq!(world.in_cake(), wanted, "{name}: {lead} {late}");
            }
            // An older date may be that of an older state, by a clock that is still ahead.
            let mut world = ahead("woocommerce", 0);
            let by_ahead = world.now_ms.checked_add_signed(lead).unwrap();
            world.receive(&modified(refunded(&[]), by_ahead - 1_000));
            world.receive(&modified(by_wrong.clone(), by_ahead));
            let before = world.in_cake();
            for each in [&next, &last] {
                let at_ms = world.now_ms - 62_000;
                world.receive(&modified(each.clone(), at_ms));
                assert_eq!(world.in_cake(), before, "{name}: {lead}");
            }
        }
    }
}

#[test]
fn a_refund_that_failed_by_a_clock_that_was_ahead_is_not_off_a_newer_sum() {
    for late in [0, 1, 30, 59] {
        let mut world = ahead("stripe", 0);
        let now_s = world.now_ms / 1_000;
        world.receive(&session());
        world.receive(&at(charge(0, 700), now_s + 3_600));
        world.receive(&at(failed(0, "re_1", 700), now_s + 3_600));
        assert_eq!(world.in_cake(), left(2_600));
        world.receive(&at(charge(0, 2_000), now_s - late));
        assert_eq!(world.in_cake(), left(600), "{late}");
    }
}

#[test]
fn where_nobody_knows_which_state_is_the_later_one_the_one_that_takes_more_back_counts() {
    // By a clock that stays an hour ahead, a part is told again an hour later; twenty minutes after it all was
    // refunded. By a clock that was set right it would be new.
    let mut world = ahead("stripe", 0);
    let start_s = world.now_ms / 1_000;
    let (part, all) = (
        at(charge(0, 700), start_s + 3_600),
        at(charge(0, 2_600), start_s + 4_800),
    );
    world.receive(&session());
    world.receive(&part);
    pass(&mut world, 20 * MINUTE);
    world.receive(&all);
    for _ in 0..20 {
        pass(&mut world, 5 * MINUTE);
        world.receive(&part);
        assert_eq!(world.in_cake(), RETURNED);
    }
}

#[test]
fn our_own_clock_may_be_set_right() {
    for (platform, told, wanted) in brothers() {
        for skew in SKEWS {
            for last in &told {
                let mut world = ahead(platform, skew);
                receive_all(&mut world, &told);
                pass(&mut world, skew + SECOND);
                world.receive(last);
                assert_eq!(world.in_cake(), wanted, "{skew} {last:?} {told:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn facts_of_any_clock_in_any_order_end_in_one_state(
        (platform, webhooks) in history(), seed in any::<u64>(), skew in prop::sample::select(&SKEWS[..]),
        wait in 0..3 * HOUR, page in any::<bool>(),
    ) {
        let wanted = end(platform, &webhooks, page.then_some(0));
        let mut world = ahead(platform, skew);
        if page {
            world.page(unique_id(platform));
        }
        for each in shuffled(&webhooks, seed) {
            world.receive(&each);
            pass(&mut world, wait);
        }
        prop_assert_eq!(world.in_cake(), wanted, "{:?}", webhooks);
    }
}
