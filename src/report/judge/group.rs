//! Rows with one key: finds the pair among them, and the duplicates.

use super::{Class, Judge, Pass};
use crate::report::Report;
use crate::report::store::{Head, IS_AMENDED, IS_REFUND, NO_AMOUNT, Store};
use core::cmp::{Ordering, Reverse};

/// Judges rows with one key: one row represents each side, the rest are duplicates.
pub(super) fn judge_group(
    judge: &mut Judge,
    report: &mut Report,
    pass: Pass,
    left: &mut [u32],
    right: &mut [u32],
) -> Option<()> {
    match pass {
        Pass::Twice => {
            // The last reading counts: a page may overlap the page before it.
            left.sort_unstable();
            let (&mut kept, rest) = left.split_last_mut()?;
            let mut has_changed = false;
            for &mut place in rest {
                has_changed |= !is_same_row(&report.conversions, place, kept);
                let head = report.conversions.head(place)?;
                judge.settle(report, false, place, Class::ReadTwice, kept, &head);
                judge.has_twice = true;
            }
            if has_changed {
                report.conversions.add_flags(kept, IS_AMENDED);
            }
        }
        Pass::Deliver(_) => {
            let state = right
                .iter()
                .filter_map(|&place| report.deliveries.head(place))
                .map(|head| head.status)
                .max_by_key(|&state| Reverse(rank(report.states.text(u32::from(state)))));
            for &place in left.iter() {
                if let Some(state) = state {
                    let class = Class::Delivered as u8;
                    report.orders.judge(place, class, u32::from(state));
                }
                judge.leave(report, pass, 0, place)?;
            }
        }
        Pass::Match(_) => match_group(judge, report, pass, left, right)?,
    }
    Some(())
}

/// The rank of a forwarder's state: delivered before pending, pending before failed.
pub(super) fn rank(state: &[u8]) -> usize {
    let states: [&[u8]; 4] = [b"delivered", b"pending", b"dead", b"refused"];
    let found = states.iter().position(|known| *known == state);
    found.unwrap_or(states.len())
}

pub(super) fn match_group(
    judge: &mut Judge,
    report: &mut Report,
    pass: Pass,
    left: &mut [u32],
    right: &mut [u32],
) -> Option<()> {
    let orders = &report.orders;
    // Sales before refunds, then the earliest first, then by the row's content, never by its position.
    left.sort_by(|&one, &other| compare(orders, one, other, u32::MAX));
    let approved = match report.statuses.known(b"approved") {
        Some(approved) if report.settings.prefers_approved => approved,
        _ => u32::MAX,
    };
    let conversions = &report.conversions;
    right.sort_by(|&one, &other| compare(conversions, one, other, approved));
    let order = left.first().copied();
    if let (Some(order), Some(first)) = (order, order.and_then(|order| orders.head(order))) {
        let mut net = first.revenue;
        let mut has_refund = false;
        for &place in left.iter().skip(1) {
            let head = report.orders.head(place)?;
            let is_refund = head.flags & IS_REFUND != 0;
            let class = if is_refund {
                Class::Refund
            } else {
                Class::DuplicateOrder
            };
            judge.settle(report, true, place, class, order, &head);
            let has_both = head.revenue != NO_AMOUNT && net != NO_AMOUNT;
            if is_refund && has_both && head.currency == first.currency {
                net += head.revenue;
                has_refund = true;
            }
        }
        if has_refund {
            report.orders.add_flags(order, IS_AMENDED);
            judge.verdicts.amended.push((order, net));
        }
    }
    let conversion = right.first().copied();
    if let Some(conversion) = conversion {
        for &place in right.iter().skip(1) {
            let head = report.conversions.head(place)?;
            let class = Class::DuplicateConversion;
            judge.settle(report, false, place, class, conversion, &head);
        }
    }
    match (order, conversion) {
        (Some(order), Some(conversion)) => judge.judge_pair(report, order, conversion),
        (Some(order), None) => judge.leave(report, pass, 0, order)?,
        (None, Some(conversion)) => judge.leave(report, pass, 1, conversion)?,
        (None, None) => {}
    }
    Some(())
}

/// The order of two rows with one key. `u32::MAX` as the preferred status prefers none.
pub(super) fn compare(store: &Store, one: u32, other: u32, preferred: u32) -> Ordering {
    let (Some(a), Some(b)) = (store.head(one), store.head(other)) else {
        return Ordering::Equal;
    };
    let class = |head: &Head| {
        let is_other = preferred != u32::MAX && u32::from(head.status) != preferred;
        (head.flags & IS_REFUND != 0, is_other, head.seconds)
    };
    class(&a)
        .cmp(&class(&b))
        .then_with(|| {
            let texts = |place| {
                let [unique, order, click, own] = store.texts(place);
                // If two conversion ids differ in length, the shorter one is the smaller number.
                (own.len(), own, unique, order, click)
            };
            texts(one).cmp(&texts(other))
        })
        .then_with(|| {
            let rest = |head: &Head| (head.revenue, head.payout, head.status, head.currency);
            rest(&a).cmp(&rest(&b))
        })
}

pub(super) fn is_same_row(store: &Store, one: u32, other: u32) -> bool {
    let what = |place| {
        store.head(place).map(|head| {
            (
                head.seconds,
                head.revenue,
                head.payout,
                head.status,
                head.pair,
            )
        })
    };
    what(one) == what(other) && store.texts(one) == store.texts(other)
}

pub(super) fn lower(one: Option<&u64>, other: Option<&u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one >> 32).min(other >> 32)),
        (Some(entry), None) | (None, Some(entry)) => Some(entry >> 32),
        (None, None) => None,
    }
}
