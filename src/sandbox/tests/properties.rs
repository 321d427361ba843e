//! Invariants under any events, in any order.

use super::store::Store;
use super::{NOW_MS, network};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An event in a network.
#[derive(Clone, Debug)]
enum Event {
    Click {
        affiliate: usize,
        creative: usize,
    },
    Record {
        click: usize,
        unique: Option<u8>,
        payout: Option<u16>,
        by_pixel: bool,
    },
    Move {
        conversion: usize,
        word: usize,
    },
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0_usize..3, 0_usize..4).prop_map(|(affiliate, creative)| Event::Click { affiliate, creative }),
        5 => (any::<prop::sample::Index>(), prop::option::of(0_u8..4), prop::option::of(0_u16..5_000), any::<bool>())
            .prop_map(|(click, unique, payout, by_pixel)| Event::Record {
                click: click.index(12), unique, payout, by_pixel,
            }),
        3 => (0_usize..12, 0_usize..3).prop_map(|(conversion, word)| Event::Move { conversion, word }),
        1 => (0_u64..100_000_000).prop_map(Event::Wait),
    ]
}

/// The rules, implemented a second time: the payout of each offer, in 1/10000.
fn expected_units(offer_id: u64, affiliate_id: u64, payout: Option<u16>) -> u64 {
    match (payout, offer_id, affiliate_id) {
        (Some(cents), ..) => u64::from(cents) * 100,
        (None, 12_345, 2) => 200_000,
        (None, 12_345, _) => 180_000,
        // 12.5 % of 40.00, and 5 flat.
        (None, 2 | 3, _) => 50_000,
        _ => 0,
    }
}

proptest! {
    /// At every step, the amounts owed equal the approved conversions under the rules. A deduplicated conversion
    /// is recorded once; a cap holds.
    #[test]
    fn money_is_conserved_and_nothing_is_paid_twice(events in prop::collection::vec(event(), 1..80)) {
        let network = network();
        let mut store = Store::default();
        let mut now = NOW_MS;
        // Independent books: conversion id → affiliate, units, status.
        let mut books: BTreeMap<u64, (u64, u64, String)> = BTreeMap::new();
        for event in events {
            match event {
                Event::Click { affiliate, creative } => {
                    let affiliate = [67_890, 2, 3][affiliate];
                    let creative = [12, 2, 3, 4][creative];
                    store.get(&network, &format!("/?a={affiliate}&c={creative}"), now);
                }
                Event::Record { click, unique, payout, by_pixel } => {
                    let Some(click) = store.clicks.get(click).cloned() else { continue };
                    let known = store.conversions.len();
                    let unique_id = unique.map_or(String::new(), |unique| format!("U{unique}"));
                    let amount = payout.map_or(String::new(), |cents| format!("{}.{:02}", cents / 100, cents % 100));
                    let url = if by_pixel {
                        format!("/p.ashx?f=pb&o={}&r={}&t={unique_id}&ap={amount}", click.offer_id, click.click_id)
                    } else {
                        format!("/api/2/conversion.json?api_key=key&offer_id={}&click_id={}&unique_id={unique_id}&payout={amount}", click.offer_id, click.click_id)
                    };
                    let answer = store.get(&network, &url, now);
                    prop_assert_eq!(answer.status, 200);
                    prop_assert!(store.conversions.len() <= known + 1);
                    if let Some(row) = store.conversions.get(known) {
                        let units = expected_units(row.offer_id, row.affiliate_id, payout);
                        books.insert(row.conversion_id, (row.affiliate_id, units, row.conversion_status.clone()));
                    }
                }
                Event::Move { conversion, word } => {
                    let id = 998_877 + conversion as u64;
                    let (word, leads_to) = [("approve", "approved"), ("reject", "rejected"), ("reverse", "reversed")][word];
                    let path = format!("/__sandbox/conversions/{id}/{word}");
                    let answer = store.serve(&network, "POST", &path, None, now);
                    if let Some(entry) = books.get_mut(&id) {
                        if answer.status == 200 { entry.2 = leads_to.to_owned(); }
                    } else {
                        prop_assert_eq!(answer.status, 404);
                    }
                }
                Event::Wait(ms) => now += ms,
            }
            for balance in network.balances(&store.sums()) {
                let units: u64 = books
                    .values()
                    .filter(|(affiliate, _, status)| *affiliate == balance.affiliate_id && status == "approved")
                    .map(|(_, units, _)| units)
                    .sum();
                prop_assert_eq!(balance.owed, format!("{}.{:02}", units / 10_000, units / 100 % 100));
            }
        }
        let mut seen = BTreeMap::new();
        for row in &store.conversions {
            if let (Some(unique_id), true) = (&row.unique_id, row.offer_id != 3) {
                *seen.entry((row.offer_id, unique_id.clone())).or_insert(0) += 1;
            }
        }
        prop_assert!(seen.values().all(|count| *count == 1));
        // A postback is sent at most once for an event of a conversion, unless the status moved there and back.
        let mut told = BTreeMap::new();
        for row in store.fired.iter().filter(|row| row.event == "conversion") {
            *told.entry((row.conversion_id, row.postback_id)).or_insert(0) += 1;
        }
        prop_assert!(told.values().all(|count| *count == 1));
    }

    #[test]
    fn no_request_makes_the_rules_trap_or_turn_in_circles(
        method in "GET|POST|HEAD", path in "(/api/2/[a-z_]{0,20}\\.json|/p\\.ashx|/|/__sandbox/conversions/[0-9a-z/]{0,12})",
        query in "[ -~]{0,80}", body in "[ -~]{0,80}",
    ) {
        let mut store = Store::default();
        let answer = store.serve(&network(), &method, &format!("{path}?{query}"), Some(&body), NOW_MS);
        prop_assert!(answer.status >= 200);
    }
}
