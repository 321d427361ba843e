//! One pass over both sides: spreads rows over partitions, merges the partitions, judges the groups.

use super::group::{judge_group, lower, run};
use super::proof::is_exact;
use super::refunds::{NOTHING, Rest};
use super::{
    Class, Judge, Pass, ROWS_A_STEP, Stage, class_of, is_first, is_open, key_of, proof, which,
};
use crate::Result;
use crate::report::Report;
use crate::report::memory::{Memory, same};
use crate::report::partition::{PARTITIONS, hash_of_entry, place_of};
use crate::report::store::{
    Head, IS_AMENDED, IS_DAY, IS_REFUND, IS_SPARED, NO_TIME, NOBODY, Store, hash_of,
};

impl Judge {
    pub(super) fn free(&mut self, memory: &mut Memory) {
        for list in self.left.iter_mut().chain(&mut self.rest) {
            memory.free(list);
        }
        for spread in &mut self.spread {
            spread.clear(memory);
        }
        for entries in &mut self.entries {
            memory.free(entries);
        }
        for chances in &mut self.chances {
            memory.free(chances);
        }
        memory.free(&mut self.unsure);
        memory.free(&mut self.repeats);
        self.pairs.clear(memory);
    }

    #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
    pub(super) fn progress(&self) -> f64 {
        let of_pass = match self.stage {
            Stage::Merge(partition) => 0.1 + 0.4 * partition as f64 / PARTITIONS as f64,
            Stage::Pairs(part) => 0.5 + 0.5 * part as f64 / PARTITIONS as f64,
            _ => 0.0,
        };
        let passes = self.passes.len().max(1) as f64;
        (0.99 * (self.pass as f64 + of_pass) / passes).min(0.99)
    }

    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn step(&mut self, report: &mut Report) -> Result<()> {
        let pass = self.passes.get(self.pass).copied();
        let outcome = match (self.stage, pass) {
            (Stage::Reset(is_orders, next), _) => self.reset(report, is_orders, next),
            (Stage::Spread(side, from), Some(pass)) => self.spread(report, pass, side, from),
            (Stage::Merge(index), Some(pass)) => self.merge(report, pass, index),
            (Stage::Pairs(index), Some(pass)) => self.judge_pairs(report, pass, index),
            (Stage::Finish(side, from), _) => self.finish(report, side, from),
            (Stage::Hints, _) => {
                let found = self.find_doubts(report);
                self.find_hints(report);
                self.stage = Stage::Done;
                found
            }
            _ => {
                self.stage = Stage::Finish(0, 0);
                Some(())
            }
        };
        outcome.ok_or_else(|| report.full())
    }

    /// Opens every row again, and spreads it by the first key: the reconciliation before has used up its entry.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn reset(
        &mut self,
        report: &mut Report,
        is_orders: bool,
        next: Option<u32>,
    ) -> Option<()> {
        let (store, flags) = if is_orders {
            (&mut report.orders, IS_AMENDED)
        } else {
            (&mut report.conversions, IS_AMENDED | IS_SPARED)
        };
        if next == store.first() {
            store.keyed.clear(&mut report.memory);
        }
        let key = *report.settings.keys.first()?;
        let mut next = next;
        for _ in 0..ROWS_A_STEP {
            let Some(place) = next else { break };
            store.judge(place, Class::Open as u8, NOBODY);
            store.take_flags(place, flags);
            let (view, after) = store.view(place)?;
            next = after;
            let key = proof(view.text(key));
            if !key.is_empty() {
                let hash = hash_of(key, report.settings.seed);
                store.keyed.push(hash, place, &mut report.memory)?;
            }
        }
        self.stage = match (next, is_orders) {
            (None, true) => Stage::Reset(false, report.conversions.first()),
            (None, false) => Stage::Spread(0, 0),
            _ => Stage::Reset(is_orders, next),
        };
        Some(())
    }

    /// Spreads a side by the pass's key. By the first key, rows were spread while they were read.
    #[inline(never)]
    pub(super) fn spread(
        &mut self,
        report: &mut Report,
        pass: Pass,
        side: usize,
        from: usize,
    ) -> Option<()> {
        let next = if side == 0 && pass != Pass::Twice {
            Stage::Spread(1, 0)
        } else {
            Stage::Merge(0)
        };
        let memory = &mut report.memory;
        let (Some(left), Some(rest), Some(spread)) = (
            self.left.get_mut(side),
            self.rest.get_mut(side),
            self.spread.get_mut(side),
        ) else {
            return None;
        };
        let store = match (pass, side) {
            (Pass::Twice, _) | (Pass::Match(_) | Pass::Own, 1) => &report.conversions,
            (Pass::Deliver(_), 1) => &report.deliveries,
            _ => &report.orders,
        };
        let seed = report.settings.seed;
        let is_first = is_first(&report.settings, pass);
        let is_whole = match pass {
            Pass::Twice => true,
            Pass::Match(_) | Pass::Own => is_first,
            // Events are matched again by each key.
            Pass::Deliver(_) => side == 1,
        };
        if is_whole && is_first && pass != Pass::Twice {
            memory.extend(rest, &store.keyless)?;
            if self.has_twice && side == 1 {
                rest.retain(|&place| is_open(store, place));
            }
            self.stage = next;
            return Some(());
        }
        if is_whole {
            let mut row = store.first();
            while let Some(place) = row {
                let (view, after) = store.view(place)?;
                row = after;
                let key = proof(view.text(which(pass, side)));
                if !key.is_empty() {
                    spread.push(hash_of(key, seed), place, memory)?;
                }
            }
            self.stage = next;
            return Some(());
        }
        let to = left.len().min(from + ROWS_A_STEP);
        if pass == Pass::Own && side == 0 && from == 0 {
            self.matches_numbers = !self.verdicts.has_pairs();
        }
        let passes_numbers = pass == Pass::Own && side == 0 && !self.matches_numbers;
        for &place in left.get(from..to).unwrap_or_default() {
            let (view, _) = store.view(place)?;
            let key = proof(view.text(which(pass, side)));
            if view.class() != Class::Open as u8
                || key.is_empty()
                || passes_numbers && key.iter().all(u8::is_ascii_digit)
            {
                memory.extend(rest, &[place])?;
            } else {
                spread.push(hash_of(key, seed), place, memory)?;
            }
        }
        self.stage = if to < left.len() {
            Stage::Spread(side, to)
        } else {
            memory.free(left);
            next
        };
        Some(())
    }

    #[inline(never)]
    pub(super) fn merge(&mut self, report: &mut Report, pass: Pass, index: usize) -> Option<()> {
        let mut entries = core::mem::take(&mut self.entries);
        let is_first = is_first(&report.settings, pass);
        for (side, (entries, spread)) in entries.iter_mut().zip(&mut self.spread).enumerate() {
            let partitions = match (pass, side) {
                (Pass::Match(_), 0) if is_first => &mut report.orders.keyed,
                (Pass::Match(_), _) if is_first => &mut report.conversions.keyed,
                (Pass::Deliver(_), 1) if is_first => &mut report.deliveries.keyed,
                _ => spread,
            };
            partitions.gather(index, entries, &mut report.memory)?;
            // Events are matched again by a later reconciliation, which does not spread them again.
            if !matches!((pass, side), (Pass::Deliver(_), 1)) {
                partitions.free(index, &mut report.memory);
            }
            if self.has_twice && side == 1 && is_first && matches!(pass, Pass::Match(_)) {
                entries.retain(|&entry| is_open(&report.conversions, place_of(entry)));
            }
        }
        let [orders, others] = &entries;
        let (mut orders, mut others) = (orders.as_slice(), others.as_slice());
        let shift = report.orders.shift();
        while let Some(hash) = lower(orders.first(), others.first()) {
            let (left, rest) = run(orders, hash);
            orders = rest;
            let (right, rest) = run(others, hash);
            others = rest;
            self.judge_run(report, pass, left, right, shift)?;
        }
        self.entries = entries;
        self.stage = if index + 1 < PARTITIONS {
            Stage::Merge(index + 1)
        } else {
            Stage::Pairs(0)
        };
        Some(())
    }

    /// Judges a part of the pairs by the order's place, and thereby nearly in the order of both files: rows that are
    /// scattered over the memory take several times as long to load.
    #[inline(never)]
    fn judge_pairs(&mut self, report: &mut Report, pass: Pass, index: usize) -> Option<()> {
        let mut entries = core::mem::take(&mut self.entries);
        let [pairs, _] = &mut entries;
        self.pairs.gather(index, pairs, &mut report.memory)?;
        self.pairs.free(index, &mut report.memory);
        let shift = report.orders.shift();
        let keys = [0, 1].map(|side| which(pass, side));
        let mut far = 0;
        for (at, &entry) in pairs.iter().enumerate() {
            if far == 0 {
                far = touch(&report.conversions, pairs.get(at..)?);
            }
            far -= 1;
            let (one, other) = (hash_of_entry(entry) >> shift, place_of(entry));
            let (order, conversion) = (report.orders.at(one)?, report.conversions.at(other)?);
            let key = order.text(keys[0]);
            let heads = (order.head(), conversion.head());
            let is_pair = same(key, conversion.text(keys[1]))
                && (is_exact(key) || self.is_proof(report, pass, key))
                && self.judge_heads(report, (one, &heads.0), (other, &heads.1), None);
            if !is_pair {
                self.leave(report, pass, 0, one)?;
                self.leave(report, pass, 1, other)?;
            }
        }
        self.entries = entries;
        if index + 1 < PARTITIONS {
            self.stage = Stage::Pairs(index + 1);
            return Some(());
        }
        self.sort_amended();
        self.sort_chances();
        for spread in &mut self.spread {
            spread.clear(&mut report.memory);
        }
        if pass != Pass::Twice {
            core::mem::swap(&mut self.left, &mut self.rest);
            let [_, events] = &mut self.left;
            if matches!(pass, Pass::Deliver(_)) {
                // Conversions have had all their passes; events are not rows of the result.
                let [_, conversions] = &mut self.rest;
                core::mem::swap(events, conversions);
            }
            for list in &mut self.rest {
                list.clear();
            }
        }
        self.pass += 1;
        self.stage = Stage::Spread(0, 0);
        Some(())
    }

    /// Leaves a row of a side for the next key.
    #[inline]
    pub(super) fn leave(
        &mut self,
        report: &mut Report,
        pass: Pass,
        side: usize,
        place: u32,
    ) -> Option<()> {
        match self.rest.get_mut(side) {
            Some(rest) if pass != Pass::Twice => report.memory.extend(rest, &[place]),
            _ => Some(()),
        }
    }

    /// Judges rows whose keys have one hash.
    #[inline]
    pub(super) fn judge_run(
        &mut self,
        report: &mut Report,
        pass: Pass,
        left: &[u64],
        right: &[u64],
        shift: u32,
    ) -> Option<()> {
        match (left, right) {
            // Only one side has this row: the row itself need not be read.
            (&[one], &[]) => self.leave(report, pass, 0, place_of(one)),
            (&[], &[other]) => self.leave(report, pass, 1, place_of(other)),
            (&[one], &[other]) if matches!(pass, Pass::Match(_) | Pass::Own) => {
                let (one, other) = (place_of(one) << shift, place_of(other));
                self.pairs.push(one, other, &mut report.memory)
            }
            _ => self.judge_several(report, pass, left, right),
        }
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn judge_several(
        &mut self,
        report: &mut Report,
        pass: Pass,
        left: &[u64],
        right: &[u64],
    ) -> Option<()> {
        // Equal hashes do not mean equal keys.
        let mut rows: Vec<(usize, u32)> = Vec::with_capacity(left.len() + right.len());
        rows.extend(left.iter().map(|&entry| (0, place_of(entry))));
        rows.extend(right.iter().map(|&entry| (1, place_of(entry))));
        rows.sort_by(|&(a, one), &(b, other)| {
            let one = key_of(report.store_of(pass, a), pass, a, one);
            let other = key_of(report.store_of(pass, b), pass, b, other);
            one.cmp(other)
        });
        let mut rest = rows.as_slice();
        while let Some(&(side, place)) = rest.first() {
            let key = key_of(report.store_of(pass, side), pass, side, place);
            let length = rest
                .iter()
                .take_while(|&&(side, place)| {
                    key_of(report.store_of(pass, side), pass, side, place) == key
                })
                .count()
                .max(1);
            let (group, tail) = rest.split_at(length);
            rest = tail;
            if length == 1 || !self.is_proof(report, pass, key) {
                for &(side, place) in group {
                    self.leave(report, pass, side, place)?;
                }
                continue;
            }
            let places = |wanted: usize| -> Vec<u32> {
                let of_side = group.iter().filter(|&&(side, _)| side == wanted);
                of_side.map(|&(_, place)| place).collect()
            };
            judge_group(self, report, pass, &mut places(0), &mut places(1))?;
        }
        Some(())
    }

    /// Gives a row its class, and adds the row to the sums.
    #[inline]
    pub(super) fn settle(
        &mut self,
        report: &mut Report,
        is_order: bool,
        place: u32,
        class: Class,
        partner: u32,
        head: &Head,
    ) {
        let store = if is_order {
            &mut report.orders
        } else {
            &mut report.conversions
        };
        store.judge(place, class as u8, partner);
        let currency = match head.currency {
            0 if !is_order => report.settings.account,
            currency => currency,
        };
        let sums = self.verdicts.sums.get_mut(class as usize);
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(usize::from(currency))) {
            sum.add(is_order, head);
        }
    }

    /// Judges a pair, with what refunds that this pass has found leave of the order.
    pub(super) fn judge_pair(
        &mut self,
        report: &mut Report,
        order: u32,
        conversion: u32,
        rest: Option<Rest>,
    ) {
        let (orders, conversions) = (&report.orders, &report.conversions);
        if let (Some(one), Some(other)) = (orders.head(order), conversions.head(conversion)) {
            self.judge_heads(report, (order, &one), (conversion, &other), rest);
        }
    }

    /// The same, where the rows are decoded. A refund is no sale, and pairs with nothing: false.
    #[inline]
    fn judge_heads(
        &mut self,
        report: &mut Report,
        (order, one): (u32, &Head),
        (conversion, other): (u32, &Head),
        rest: Option<Rest>,
    ) -> bool {
        if one.flags & IS_REFUND != 0 {
            return false;
        }
        let net = rest.map_or_else(|| self.net_so_far(order, one), |rest| rest.net);
        let reasons = report.settings.reasons(one, net, other);
        let class = class_of(reasons, rest.is_some_and(|rest| rest.is_due));
        self.settle(report, true, order, class, conversion, one);
        self.settle(report, false, conversion, class, order, other);
        if one.seconds != NO_TIME
            && other.seconds != NO_TIME
            && (one.flags | other.flags) & IS_DAY == 0
        {
            self.verdicts.clocks.pairs += 1;
            let apart = i64::from(one.seconds) - i64::from(other.seconds);
            if apart.abs() >= 3_540 {
                self.verdicts.clocks.add(apart);
            }
        }
        true
    }

    /// Gives the rows without a class their class.
    #[inline(never)]
    pub(super) fn finish(&mut self, report: &mut Report, side: usize, from: usize) -> Option<()> {
        let key_flags = report.settings.key_flags();
        let is_order = side == 0;
        if is_order && from == 0 {
            self.take_chances(report)?;
            self.take_late_refunds(report)?;
            self.verdicts.sort_torn();
        }
        let count = self.left.get(side)?.len();
        let to = count.min(from + ROWS_A_STEP);
        for index in from..to {
            let place = *self.left.get(side)?.get(index)?;
            let head = report.side(is_order).head(place)?;
            let is_refund = is_order && head.flags & IS_REFUND != 0;
            self.has_doubts |= is_refund;
            let class = if head.flags & key_flags == 0 {
                Class::NoKey
            } else if report.settings.is_outside(&head) {
                self.has_doubts |= is_order && head.flags & IS_AMENDED != 0;
                Class::OutsideWindow
            } else if is_refund && head.pair == NOTHING {
                Class::Refund
            } else if is_refund {
                Class::RefundUnclear
            } else if is_order {
                Class::MissingAtCake
            } else {
                Class::UnknownToAdvertiser
            };
            // A missing order keeps the state that the forwarder has reported, by its number. In any other class the
            // partner is a row.
            let is_delivered = head.class == Class::Delivered as u8;
            let partner = if is_delivered && class == Class::MissingAtCake {
                head.partner
            } else {
                NOBODY
            };
            self.settle(report, is_order, place, class, partner, &head);
        }
        self.stage = match (to < count, is_order) {
            (true, _) => Stage::Finish(side, to),
            (false, true) => Stage::Finish(1, 0),
            (false, false) => Stage::Hints,
        };
        Some(())
    }
}

/// Loads the next conversions into the cache, several at once; returns their number.
#[inline(never)]
pub(super) fn touch(store: &Store, entries: &[u64]) -> usize {
    let mut sum = 0_u32;
    let count = entries.len().min(256);
    for &entry in entries.iter().take(count) {
        sum = sum.wrapping_add(store.touch(place_of(entry)));
    }
    core::hint::black_box(sum);
    count
}
