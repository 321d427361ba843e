//! Sales of which several rows have each a part of the ids. What one row has, the sale has. Rows with two clicks may be two
//! sales: where each has found a partner they are, and where not all have, a person must look.

use super::group::sort_rows;
use super::proof::repeats_nothing;
use super::refunds::is_other;
use super::repeats::standing;
use super::{Class, Judge, LOOK};
use crate::report::Report;
use crate::report::listing::is_pair;
use crate::report::store::{
    CLICK_ID, Head, IS_AMENDED, IS_SPARED, NOBODY, ORDER_ID, Store, UNIQUE_ID,
};
use std::collections::BTreeSet;

/// Do two rows name different clicks, or different ids?
fn is_apart(store: &Store, one: u32, other: u32) -> bool {
    let mut keys = [UNIQUE_ID, ORDER_ID, CLICK_ID].into_iter();
    keys.any(|key| is_other(store.text(one, key), store.text(other, key)))
}

fn is_paired(head: &Head) -> bool {
    is_pair(head.class) && head.partner != NOBODY
}

fn is_open(head: &Head) -> bool {
    [Class::Open, Class::Delivered]
        .iter()
        .any(|&class| class as u8 == head.class)
}

/// The class of a side's repetitions.
fn repetition(is_order: bool) -> Class {
    if is_order {
        Class::DuplicateOrder
    } else {
        Class::DuplicateConversion
    }
}

impl Judge {
    /// Judges rows that repeat another one and have a key of their own, once every key has had its pass.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn take_chances(&mut self, report: &mut Report) -> Option<()> {
        let mut torn = BTreeSet::new();
        for is_order in [true, false] {
            self.sort_chances();
            let side = usize::from(!is_order);
            let mut chances = core::mem::take(self.chances.get_mut(side)?);
            if chances.is_empty() {
                continue;
            }
            let mut rows: Vec<(u32, u32)> = Vec::new();
            for &(place, _) in &chances {
                let root = root(report.side(is_order), is_order, &chances, place);
                report.memory.extend(&mut rows, &[(root, place)])?;
            }
            rows.sort_unstable();
            for of_sale in rows.chunk_by(|one, other| one.0 == other.0) {
                let mut rows: Vec<u32> = of_sale.iter().map(|&(_, place)| place).collect();
                sort_rows(report, is_order, &mut rows);
                rows.splice(0..0, of_sale.first().map(|&(root, _)| root));
                self.join(report, is_order, &rows, &mut torn)?;
            }
            let store = report.side(is_order);
            let left = self.left.get_mut(side)?;
            left.retain(|&place| store.head(place).is_none_or(|head| is_open(&head)));
            report.memory.free(&mut rows);
            report.memory.free(&mut chances);
        }
        let mut unsure = core::mem::take(&mut self.unsure);
        for &(one, other) in &unsure {
            if is_unsure(report, one, other)? {
                torn.extend([one, other]);
            }
        }
        report.memory.free(&mut unsure);
        for order in torn {
            self.tear(report, order)?;
        }
        self.sort_amended();
        Some(())
    }

    /// Judges the rows of a sale, the one that stands for the others first.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn join(
        &mut self,
        report: &mut Report,
        is_order: bool,
        rows: &[u32],
        torn: &mut BTreeSet<u32>,
    ) -> Option<()> {
        let &root = rows.first()?;
        let mut paired = Vec::new();
        for &row in rows {
            if is_paired(&report.side(is_order).head(row)?) {
                paired.push(row);
            }
        }
        // Rows that have found a partner by the sale's ids have found it for the row that stands.
        let mut keeper = paired.first().copied().unwrap_or(root);
        let store = report.side(is_order);
        let is_one = paired.iter().all(|&row| !is_apart(store, row, keeper));
        if keeper != root && is_one && !is_apart(store, root, keeper) {
            if is_contradiction(report, is_order, keeper, root)? {
                torn.insert(root);
            }
            self.hand_over(report, is_order, keeper, root)?;
            paired.retain(|&row| row != keeper);
            keeper = root;
            paired.insert(0, root);
        }
        let mut own: Vec<u32> = Vec::new();
        for &row in &paired {
            let store = report.side(is_order);
            if row == keeper || is_apart(store, row, keeper) {
                own.push(row);
            } else {
                self.fold(report, is_order, row, keeper)?;
            }
        }
        let is_several = |report: &Report, key| {
            let store = report.side(true);
            let mut texts = rows.iter().map(|&row| store.text(row, key));
            let first = texts.find(|text| !text.is_empty()).unwrap_or_default();
            texts.any(|text| is_other(text, first))
        };
        if is_order
            && own.is_empty()
            && [ORDER_ID, CLICK_ID]
                .into_iter()
                .any(|key| is_several(report, key))
        {
            torn.insert(root);
        }
        for &row in rows {
            let head = report.side(is_order).head(row)?;
            if row == keeper || !is_open(&head) {
                continue;
            }
            let store = report.side(is_order);
            let near = own.iter().copied().filter(|&of| !is_apart(store, row, of));
            let mut near: Vec<u32> = near.take(LOOK).collect();
            if near.is_empty() && is_order && own.len() > 1 {
                // The others are sales of their own: this one may be, too.
                torn.insert(row);
                continue;
            }
            if near.is_empty() {
                near.push(keeper);
            }
            for &of in &near {
                if is_contradiction(report, is_order, row, of)? {
                    torn.insert(of);
                }
            }
            let &of = near.first()?;
            self.repeat(report, is_order, row, of, &head)?;
        }
        Some(())
    }

    /// Gives a row's partner to the row that stands for it.
    #[cfg_attr(small_cold, optimize(size))]
    fn hand_over(&mut self, report: &mut Report, is_order: bool, row: u32, to: u32) -> Option<()> {
        let head = report.side(is_order).head(row)?;
        let partner = report.side(!is_order).head(head.partner)?;
        self.unsettle(report, is_order, &head);
        self.unsettle(report, !is_order, &partner);
        if is_order {
            self.judge_pair(report, to, head.partner, None);
        } else {
            self.judge_pair(report, head.partner, to, None);
        }
        self.repeat(report, is_order, row, to, &head)
    }

    /// Makes a row's pair a repetition of another pair: the sale is there twice, which only a person can tell for sure.
    #[cfg_attr(small_cold, optimize(size))]
    fn fold(&mut self, report: &mut Report, is_order: bool, row: u32, of: u32) -> Option<()> {
        let head = report.side(is_order).head(row)?;
        let partner = report.side(!is_order).head(head.partner)?;
        let of_partner = report.side(is_order).head(of)?.partner;
        self.unsettle(report, is_order, &head);
        self.unsettle(report, !is_order, &partner);
        self.repeat(report, is_order, row, of, &head)?;
        self.repeat(report, !is_order, head.partner, of_partner, &partner)?;
        let conversion = if is_order { head.partner } else { row };
        report.conversions.add_flags(conversion, IS_SPARED);
        Some(())
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn repeat(
        &mut self,
        report: &mut Report,
        is_order: bool,
        row: u32,
        of: u32,
        head: &Head,
    ) -> Option<()> {
        let ids = [UNIQUE_ID, ORDER_ID];
        let store = report.side(is_order);
        let is_same =
            |key| !store.text(row, key).is_empty() && store.text(row, key) == store.text(of, key);
        if is_order {
            report.memory.extend(&mut self.repeats, &[of])?;
        } else {
            let stand = report.conversions.head(of)?;
            // Another click is none of an order that repeats this one.
            let clicks = [row, of].map(|row| store.text(row, CLICK_ID));
            let is_repeated = is_paired(&stand)
                && !is_other(clicks[0], clicks[1])
                && self.count_repeats(stand.partner) > 0;
            if is_repeated || !ids.into_iter().any(is_same) || repeats_nothing(report, row, of) {
                report.conversions.add_flags(row, IS_SPARED);
            }
        }
        // What the forwarder has of one row it has of the sale.
        if head.class == Class::Delivered as u8 && is_order {
            let stand = report.orders.head(of)?;
            let rank = |code: u32| super::group::rank(report.states.text(code));
            if stand.class == Class::Open as u8
                || stand.class == Class::Delivered as u8 && rank(head.partner) < rank(stand.partner)
            {
                report
                    .orders
                    .judge(of, Class::Delivered as u8, head.partner);
            }
        }
        self.settle(report, is_order, row, repetition(is_order), of, head);
        Some(())
    }
}

/// The row that stands for a sale of which this row is one.
#[cfg_attr(small_cold, optimize(size))]
fn root(store: &Store, is_order: bool, chances: &[(u32, u32)], place: u32) -> u32 {
    let mut root = place;
    for _ in 0..LOOK {
        let known = chances.binary_search_by_key(&root, |&(place, _)| place);
        if let Some(&(_, of)) = known.ok().and_then(|index| chances.get(index)) {
            root = of;
            continue;
        }
        let stand = standing(store, repetition(is_order), root);
        if stand == root {
            break;
        }
        root = stand;
    }
    root
}

/// Does a row contradict the row that it repeats? That one found its partner, and need not be the one that stands.
#[cfg_attr(small_cold, optimize(size))]
fn is_contradiction(report: &Report, is_order: bool, row: u32, of: u32) -> Option<bool> {
    if !is_order {
        return Some(false);
    }
    let (one, other) = (report.orders.head(row)?, report.orders.head(of)?);
    let settings = &report.settings;
    Some(
        one.flags & IS_AMENDED != 0
            || settings.rank(one.status) < settings.rank(other.status)
            || settings.tells_other_refund(&one, &other)
            || settings.contradict(&one, &other),
    )
}

/// May the conversion of one of these two orders be the other one's, so that it matters?
#[cfg_attr(small_cold, optimize(size))]
fn is_unsure(report: &Report, one: u32, other: u32) -> Option<bool> {
    let heads = [report.orders.head(one)?, report.orders.head(other)?];
    if heads.iter().any(|head| !is_open(head) && !is_paired(head)) {
        return Some(false);
    }
    if heads.iter().any(is_open) {
        return Some(true);
    }
    let what = |head: &Head| {
        (
            head.revenue,
            head.payout,
            head.status,
            head.currency,
            head.pair,
        )
    };
    let [a, b] = heads;
    let has_its_revenue = heads.iter().all(|head| {
        let conversion = report.conversions.head(head.partner);
        conversion.is_some_and(|conversion| conversion.revenue == head.revenue)
    });
    Some(what(&a) != what(&b) && !(has_its_revenue && a.revenue != b.revenue))
}
