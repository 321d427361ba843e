//! Rows with one key: finds the pairs among them, and the duplicates.

mod pairs;
mod plan;

use super::refunds::{Rest, UNCLEAR, is_other};
use super::{Class, Judge, Pass, which};
use crate::report::readings::Readings;
use crate::report::store::{CLICK_ID, Head, IS_AMENDED, IS_REFUND, IS_SPARED, Store};
use crate::report::{Report, Settings};
use core::cmp::{Ordering, Reverse};
use plan::{Plan, plan, stronger};
use std::collections::BTreeMap;

/// Judges rows with one key: they pair off, and the rest repeat a row or wait for the next key.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
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
            let readings = judge.readings.get_or_insert_with(|| Readings::of(report));
            let newer = |one, other| readings.newer(one, other);
            let kept = left.iter().copied().reduce(newer)?;
            let mut has_changed = false;
            for &mut place in left {
                if place == kept {
                    continue;
                }
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
            // An event of the same click may be another order's. Of a million rows, any event will do.
            let key = which(pass, 0);
            let is_exact = key == CLICK_ID && left.len() * right.len() <= 1 << 20;
            for &place in left.iter() {
                let (orders, events) = (&report.orders, &report.deliveries);
                let own = stronger(orders, key, place);
                let is_its = |event: u32| {
                    let ids = stronger(events, key, event);
                    !own.iter().zip(ids).any(|(own, id)| is_other(own, id))
                };
                let state = right
                    .iter()
                    .filter(|&&event| !is_exact || is_its(event))
                    .filter_map(|&event| events.head(event))
                    .map(|head| head.status)
                    .max_by_key(|&state| Reverse(rank(report.states.text(u32::from(state)))));
                if let Some(state) = state {
                    let class = Class::Delivered as u8;
                    report.orders.judge(place, class, u32::from(state));
                }
                judge.leave(report, pass, 0, place)?;
            }
        }
        Pass::Match(_) | Pass::Own => match_group(judge, report, pass, left, right)?,
    }
    Some(())
}

/// The rank of a forwarder's state: delivered before pending, pending before those of which it is not certain that CAKE
/// has nothing, such as `in_doubt`, and these before failed.
pub(super) fn rank(state: &[u8]) -> u8 {
    match state {
        b"delivered" => 0,
        b"pending" => 1,
        b"dead" => 3,
        b"refused" => 4,
        _ => 2,
    }
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn match_group(
    judge: &mut Judge,
    report: &mut Report,
    pass: Pass,
    left: &mut [u32],
    right: &mut [u32],
) -> Option<()> {
    sort_rows(report, true, left);
    sort_rows(report, false, right);
    let plan = plan(judge, report, pass, left, right);
    let rests = judge.rests_of(report, pass, &plan)?;
    judge.settle_plan(report, pass, plan, &rests)
}

/// Sorts rows of a side, the one that stands for the others first.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn sort_rows(report: &Report, is_order: bool, rows: &mut [u32]) {
    let settings = &report.settings;
    if is_order {
        let orders = &report.orders;
        // Sales before refunds, those that count before the others, then the earliest first, then by the row's content,
        // never by its position.
        rows.sort_by(|&one, &other| compare(orders, one, other, (IS_REFUND, Some(settings))));
        return;
    }
    let conversions = &report.conversions;
    let prefers = Some(settings).filter(|settings| settings.prefers_approved);
    let pair_of = |place| {
        let head = conversions.head(place);
        report.pair_texts(head.map_or(0, |head| head.pair))
    };
    rows.sort_by(|&one, &other| {
        let by_row = compare(conversions, one, other, (0, prefers));
        by_row.then_with(|| pair_of(one).cmp(&pair_of(other)))
    });
}

/// What refunds leave of sales, by their places.
type Rests = BTreeMap<u32, Rest>;

impl Judge {
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn rests_of(&mut self, report: &mut Report, pass: Pass, plan: &Plan) -> Option<Rests> {
        let mut rests = Rests::new();
        for refunds in plan.refunds.chunk_by(|one, other| one.0 == other.0) {
            if let Some(&(sale, _)) = refunds.first()
                && let Some(mut rest) = self.take_refunds(report, sale, refunds)
            {
                let repeats = plan.orders.iter().filter(|&&(_, of)| of == sale);
                let repeats: Vec<u32> = repeats.map(|&(repeat, _)| repeat).collect();
                self.note_sale_again(report, (sale, &repeats), refunds, &mut rest)?;
                rests.insert(sale, rest);
            }
        }
        for &(order, of) in &plan.orders {
            let (one, other) = (report.orders.head(order)?, report.orders.head(of)?);
            if report.settings.tells_other_refund(&one, &other) {
                let net = self.net_so_far(of, &other);
                let rest = rests.entry(of).or_insert(Rest { net, is_due: false });
                rest.net.revenue = UNCLEAR;
            }
        }
        // A click alone says little: the rows may be two sales.
        if which(pass, 0) != CLICK_ID {
            self.note_contradictions(report, &plan.orders, &mut rests)?;
        }
        for (&sale, rest) in &rests {
            report.orders.add_flags(sale, IS_AMENDED);
            self.amend(sale, rest.net);
        }
        Some(rests)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn settle_plan(
        &mut self,
        report: &mut Report,
        pass: Pass,
        plan: Plan,
        rests: &Rests,
    ) -> Option<()> {
        for (order, of) in plan.orders {
            let head = report.orders.head(order)?;
            self.settle(report, true, order, Class::DuplicateOrder, of, &head);
            report.memory.extend(&mut self.repeats, &[of])?;
        }
        // One row takes money back from the others: which of them is left is for a person to say.
        for &(conversion, of, _) in &plan.conversions {
            if report.conversions.head(conversion)?.is_below_zero() {
                report.conversions.add_flags(of, IS_SPARED);
            }
        }
        for (conversion, of, is_spared) in plan.conversions {
            if is_spared {
                report.conversions.add_flags(conversion, IS_SPARED);
            }
            let head = report.conversions.head(conversion)?;
            let class = Class::DuplicateConversion;
            self.settle(report, false, conversion, class, of, &head);
        }
        for (order, conversion) in plan.pairs {
            self.judge_pair(report, order, conversion, rests.get(&order).copied());
        }
        for (side, rows) in plan.chances.into_iter().enumerate() {
            for &(place, _) in &rows {
                self.leave(report, pass, side, place)?;
            }
            report.memory.extend(self.chances.get_mut(side)?, &rows)?;
        }
        report.memory.extend(&mut self.unsure, &plan.unsure)?;
        for (side, places) in plan.left.into_iter().enumerate() {
            for place in places {
                self.leave(report, pass, side, place)?;
            }
        }
        Some(())
    }
}

impl Settings {
    /// Are these two exports of one sale, of which one does not know a refund yet? Which of them is the newer, they do
    /// not say. At another time, it is another try.
    pub(super) fn tells_other_refund(&self, one: &Head, other: &Head) -> bool {
        let [_, _, _, taken @ ..] = self.codes;
        let what = |head: &Head| (taken.contains(&head.status), head.pair);
        one.seconds == other.seconds && what(one) != what(other)
    }
}

/// The order of two rows with one key. Rows that take money back come last: those below zero, and those with this flag.
/// With settings, rows whose status counts come first, then pending ones.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn compare(
    store: &Store,
    one: u32,
    other: u32,
    (back, prefers): (u8, Option<&Settings>),
) -> Ordering {
    let (Some(a), Some(b)) = (store.head(one), store.head(other)) else {
        return Ordering::Equal;
    };
    let class = |head: &Head| {
        let rank = prefers.map_or(0, |settings| settings.rank(head.status));
        let takes_back = head.flags & back != 0 || head.is_below_zero();
        (takes_back, rank, head.seconds)
    };
    class(&a)
        .cmp(&class(&b))
        .then_with(|| {
            let texts = |place| {
                let [unique, order, click, own] = store.texts(place);
                // A conversion with an id comes before one without: CAKE writes 0 for none. If two ids differ in
                // length, the shorter one is the smaller number.
                (own.is_empty(), own.len(), own, unique, order, click)
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

/// The entries with one hash, and the entries after them.
#[inline]
pub(super) fn run(entries: &[u64], hash: u64) -> (&[u64], &[u64]) {
    let length = entries
        .iter()
        .take_while(|&&entry| entry >> 32 == hash)
        .count();
    entries.split_at(length)
}
