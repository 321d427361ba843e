//! Matching, in steps: rows lie in 256 partitions by a seeded hash of their key, each partition is sorted in
//! cache and merged, and equal hashes are told apart by their bytes. No table of keys is ever built, the order
//! of rows cannot matter, and duplicates lie side by side. What a key leaves alone is a list for the next key.

use super::memory::{Memory, hash, sort_partition};
use super::partition::{PARTITIONS, Partitions, place_of};
use super::store::{
    CLICK_ID, Head, IS_AMENDED, IS_DAY, IS_REFUND, IS_SAME_ID, NO_AMOUNT, NO_TIME, NOBODY,
    ORDER_ID, OWN_ID, Store, UNIQUE_ID, hash_of,
};
use super::{Report, Settings};
use crate::{Error, Result};
use core::cmp::{Ordering, Reverse};

/// What became of a row. Every row has exactly one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Open,
    Matched,
    MissingAtCake,
    UnknownToAdvertiser,
    DuplicateOrder,
    DuplicateConversion,
    RevenueDiffers,
    PayoutDiffers,
    StatusDiffers,
    CurrencyDiffers,
    OutsideWindow,
    NoKey,
    Refund,
    ReadTwice,
    /// Open, and the forwarder knows of it. Nothing has this class in the end.
    Delivered,
}

pub(super) const CLASSES: [&str; 14] = [
    "open",
    "matched",
    "missing_at_cake",
    "unknown_to_advertiser",
    "duplicate_order",
    "duplicate_conversion",
    "revenue_differs",
    "payout_differs",
    "status_differs",
    "currency_differs",
    "outside_window",
    "no_key",
    "refund",
    "read_twice",
];

pub(super) const REASONS: [&str; 8] = [
    "order_outside_window",
    "conversion_outside_window",
    "currency_differs",
    "revenue_differs",
    "payout_differs",
    "status_differs",
    "changed_while_reading",
    "refunded",
];

const ORDER_OUTSIDE: u16 = 1;
const CONVERSION_OUTSIDE: u16 = 2;
const CURRENCY: u16 = 4;
const REVENUE: u16 = 8;
const PAYOUT: u16 = 16;
const STATUS: u16 = 32;
const CHANGED: u16 = 64;
const REFUNDED: u16 = 128;

impl Settings {
    pub(super) fn is_outside(&self, head: &Head) -> bool {
        let (from, to) = self.window;
        head.seconds != NO_TIME && !(from..to).contains(&head.seconds)
    }

    /// All that is odd about a pair; `revenue` is the order's, less its refunds.
    pub(super) fn reasons(&self, order: &Head, revenue: i64, conversion: &Head) -> u16 {
        let mut reasons = 0;
        if self.is_outside(order) {
            reasons |= ORDER_OUTSIDE;
        }
        if self.is_outside(conversion) {
            reasons |= CONVERSION_OUTSIDE;
        }
        let differ = |one: i64, other: i64| {
            one != NO_AMOUNT && other != NO_AMOUNT && (one - other).abs() > self.tolerance
        };
        if order.currency != 0 && conversion.currency != 0 && order.currency != conversion.currency
        {
            reasons |= CURRENCY;
        } else {
            if differ(revenue, conversion.revenue) {
                reasons |= REVENUE;
            }
            if differ(order.payout, conversion.payout) {
                reasons |= PAYOUT;
            }
        }
        if order.status != 0 && conversion.status != 0 && order.status != conversion.status {
            reasons |= STATUS;
        }
        if conversion.flags & IS_AMENDED != 0 {
            reasons |= CHANGED;
        }
        if order.flags & (IS_AMENDED | IS_REFUND) != 0 {
            reasons |= REFUNDED;
        }
        reasons
    }
}

/// The first that counts of a pair's reasons.
fn class_of(reasons: u16) -> Class {
    for (reason, class) in [
        (ORDER_OUTSIDE | CONVERSION_OUTSIDE, Class::OutsideWindow),
        (CURRENCY, Class::CurrencyDiffers),
        (REVENUE, Class::RevenueDiffers),
        (PAYOUT, Class::PayoutDiffers),
        (STATUS, Class::StatusDiffers),
    ] {
        if reasons & reason != 0 {
            return class;
        }
    }
    Class::Matched
}

/// Counts and sums of one class in one currency.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) orders: u64,
    pub(super) conversions: u64,
    pub(super) order_revenue: i128,
    pub(super) order_payout: i128,
    pub(super) revenue: i128,
    pub(super) payout: i128,
}

impl Sum {
    pub(super) fn add(&mut self, is_order: bool, head: &Head) {
        let units = |units: i64| {
            if units == NO_AMOUNT {
                0
            } else {
                i128::from(units)
            }
        };
        if is_order {
            self.orders += 1;
            self.order_revenue += units(head.revenue);
            self.order_payout += units(head.payout);
        } else {
            self.conversions += 1;
            self.revenue += units(head.revenue);
            self.payout += units(head.payout);
        }
    }
}

/// An unmatched order and an unmatched conversion whose keys are nearly the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    pub(super) order: u32,
    pub(super) conversion: u32,
    pub(super) key: u8,
}

/// What came of reconciling.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// By class, then by currency; the currencies' numbers from 0, which is none.
    pub(super) sums: Vec<Vec<Sum>>,
    /// What remains of an order after its refunds, by the order's place.
    pub(super) amended: Vec<(u32, i64)>,
    pub(super) hints: Vec<Hint>,
    /// Near misses were not looked for: memory did not suffice.
    pub(super) lacks_hints: bool,
    /// Pairs with a time of day on both sides; of these by whole hours apart, from -14 to 14.
    clock_pairs: u32,
    clock_hours: [u32; 29],
}

impl Verdicts {
    pub(super) fn net(&self, place: u32, order: &Head) -> i64 {
        if order.flags & IS_AMENDED == 0 {
            return order.revenue;
        }
        self.amended
            .binary_search_by_key(&place, |&(place, _)| place)
            .ok()
            .and_then(|index| self.amended.get(index))
            .map_or(order.revenue, |&(_, net)| net)
    }
}

/// What one pass over both sides does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// Conversions that were read twice, by their own id.
    Twice,
    /// Orders with conversions, by a key.
    Match(usize),
    /// Orders without a conversion with the forwarder's events, by a key.
    Deliver(usize),
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Rows that were judged before are opened again.
    Reset(bool, Option<u32>),
    /// Rows are spread by the pass's key: a side, and how far it has come in what the pass before left.
    Spread(usize, usize),
    Merge(usize),
    /// What nobody has judged, side by side.
    Finish(usize, usize),
    Hints,
    Done,
}

/// The state of a reconciliation between two steps.
#[derive(Debug)]
pub(super) struct Judge {
    passes: Vec<Pass>,
    pass: usize,
    stage: Stage,
    /// Rows of each side that the passes before have left alone, and those that this one does.
    left: [Vec<u32>; 2],
    rest: [Vec<u32>; 2],
    /// Rows of each side by this pass's key, where it is not the first key.
    spread: [Partitions; 2],
    entries: [Vec<u64>; 2],
    scratch: Vec<u64>,
    verdicts: Verdicts,
    /// How many of the amended orders are in order: those of the passes before.
    sorted: usize,
    /// The account's currency.
    account: u8,
    /// Were conversions read twice? Then not every row of a partition is open.
    has_twice: bool,
}

const ROWS_A_STEP: usize = 65_536;

impl Report {
    /// Does a part of the matching; says how much is done, 1 for all of it.
    ///
    /// # Errors
    /// [`Error::ReportFull`]; [`Error::ClocksDiffer`]; [`Error::AmbiguousFile`] where orders are in several
    /// currencies and nobody said which is the account's.
    pub fn step(&mut self) -> Result<f64> {
        self.cancel();
        let mut judge = if let Some(judge) = self.judge.take() {
            judge
        } else {
            self.check_currencies()?;
            self.begin_judging()
        };
        let outcome = judge.step(self);
        let done = match (&outcome, judge.stage) {
            (Err(_), _) => {
                judge.free(&mut self.memory);
                outcome?;
                0.0
            }
            (Ok(()), Stage::Done) => {
                judge.free(&mut self.memory);
                self.check_clocks(&judge.verdicts)?;
                self.verdicts = Some(judge.verdicts);
                return Ok(1.0);
            }
            _ => judge.progress(),
        };
        self.judge = Some(judge);
        Ok(done)
    }

    /// Stops reconciling; the rows stay.
    pub(crate) fn stop(&mut self) {
        if let Some(mut judge) = self.judge.take() {
            judge.free(&mut self.memory);
        }
    }

    fn begin_judging(&mut self) -> Judge {
        self.verdicts = None;
        let account = if self.settings.currency.is_empty() {
            0
        } else {
            let letters = self.settings.currency.clone();
            self.currency(letters.as_bytes()).unwrap_or(0)
        };
        let is_judged = self.orders.is_judged || self.conversions.is_judged;
        self.orders.is_judged = true;
        self.conversions.is_judged = true;
        let keys = &self.settings.keys;
        let mut passes = Vec::new();
        if !self.ids_rise {
            passes.push(Pass::Twice);
        }
        passes.extend(keys.iter().map(|&key| Pass::Match(key)));
        if self.deliveries.rows() > 0 {
            passes.extend(keys.iter().map(|&key| Pass::Deliver(key)));
        }
        let verdicts = Verdicts {
            sums: vec![vec![Sum::default(); self.currencies.len() + 1]; CLASSES.len()],
            ..Verdicts::default()
        };
        Judge {
            passes,
            pass: 0,
            stage: if is_judged {
                Stage::Reset(true, self.orders.first())
            } else {
                Stage::Spread(0, 0)
            },
            left: Default::default(),
            rest: Default::default(),
            spread: Default::default(),
            entries: Default::default(),
            scratch: Vec::new(),
            verdicts,
            sorted: 0,
            account,
            has_twice: false,
        }
    }

    /// Amounts in two currencies are compared with CAKE's only if its currency is known.
    fn check_currencies(&mut self) -> Result<()> {
        if !self.settings.currency.is_empty() || self.currencies.len() < 2 {
            return Ok(());
        }
        let mut seen = [false; 256];
        let mut nameless = false;
        let mut next = self.conversions.first();
        while let Some(place) = next {
            let head = self.conversions.head(place);
            nameless |= head.is_some_and(|head| head.currency == 0);
            if nameless {
                break;
            }
            next = self.conversions.next(place);
        }
        if !nameless {
            return Ok(());
        }
        let mut next = self.orders.first();
        while let Some(place) = next {
            if let Some(head) = self.orders.head(place)
                && let Some(slot) = seen.get_mut(usize::from(head.currency))
            {
                *slot = true;
            }
            next = self.orders.next(place);
        }
        let mut names = String::new();
        let mut count = 0;
        for (code, _) in (0_u32..).zip(seen).filter(|&(code, seen)| seen && code > 0) {
            if count > 0 {
                names.push_str(", ");
            }
            count += 1;
            names.push_str(&String::from_utf8_lossy(self.currencies.text(code)));
        }
        if count < 2 {
            return Ok(());
        }
        Err(Error::AmbiguousFile {
            message: format!(
                "orders are in several currencies ({names}), and CAKE's amounts name none: declare `currency`, the account's"
            ),
        })
    }

    fn check_clocks(&self, verdicts: &Verdicts) -> Result<()> {
        if self.settings.has_orders_zone {
            return Ok(());
        }
        let hours = (-14_i32..).zip(verdicts.clock_hours);
        let Some((hours, count)) = hours.max_by_key(|&(_, count)| count) else {
            return Ok(());
        };
        if count < 3 || count * 20 < verdicts.clock_pairs {
            return Ok(());
        }
        Err(Error::ClocksDiffer {
            message: format!(
                "{count} of {} pairs lie {} h apart, the order {}: declare `timeZone`, the account's, and `ordersTimeZone`",
                verdicts.clock_pairs,
                hours.abs(),
                if hours > 0 { "later" } else { "earlier" },
            ),
        })
    }

    fn store_of(&self, pass: Pass, side: usize) -> &Store {
        match (pass, side) {
            (Pass::Twice, _) | (Pass::Match(_), 1) => &self.conversions,
            (Pass::Deliver(_), 1) => &self.deliveries,
            _ => &self.orders,
        }
    }
}

/// Which text a side of the pass is known by.
fn which(pass: Pass) -> usize {
    match pass {
        Pass::Twice => OWN_ID,
        Pass::Match(key) | Pass::Deliver(key) => key,
    }
}

fn is_open(store: &Store, place: u32) -> bool {
    let view = store.view(place);
    view.is_some_and(|(view, _)| view.class() == Class::Open as u8)
}

fn key_of(store: &Store, pass: Pass, place: u32) -> &[u8] {
    store.text(place, which(pass))
}

impl Judge {
    fn free(&mut self, memory: &mut Memory) {
        for list in self.left.iter_mut().chain(&mut self.rest) {
            memory.free(list);
        }
        for spread in &mut self.spread {
            spread.clear(memory);
        }
        for entries in &mut self.entries {
            memory.free(entries);
        }
        memory.free(&mut self.scratch);
    }

    #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
    fn progress(&self) -> f64 {
        let of_pass = match self.stage {
            Stage::Merge(partition) => 0.1 + 0.9 * partition as f64 / PARTITIONS as f64,
            _ => 0.0,
        };
        let passes = self.passes.len().max(1) as f64;
        (0.99 * (self.pass as f64 + of_pass) / passes).min(0.99)
    }

    fn step(&mut self, report: &mut Report) -> Result<()> {
        let pass = self.passes.get(self.pass).copied();
        let outcome = match (self.stage, pass) {
            (Stage::Reset(is_orders, next), _) => {
                self.reset(report, is_orders, next);
                Some(())
            }
            (Stage::Spread(side, from), Some(pass)) => self.spread(report, pass, side, from),
            (Stage::Merge(index), Some(pass)) => self.merge(report, pass, index),
            (Stage::Finish(side, from), _) => self.finish(report, side, from),
            (Stage::Hints, _) => {
                self.find_hints(report);
                self.stage = Stage::Done;
                Some(())
            }
            _ => {
                self.stage = Stage::Finish(0, 0);
                Some(())
            }
        };
        outcome.ok_or_else(|| report.full())
    }

    /// Every row is open again.
    fn reset(&mut self, report: &mut Report, is_orders: bool, next: Option<u32>) {
        let store = if is_orders {
            &mut report.orders
        } else {
            &mut report.conversions
        };
        let mut next = next;
        for _ in 0..ROWS_A_STEP {
            let Some(place) = next else { break };
            store.judge(place, Class::Open as u8, NOBODY);
            store.take_flags(place, IS_AMENDED);
            next = store.next(place);
        }
        self.stage = match (next, is_orders) {
            (None, true) => Stage::Reset(false, report.conversions.first()),
            (None, false) => Stage::Spread(0, 0),
            _ => Stage::Reset(is_orders, next),
        };
    }

    /// Spreads a side by the pass's key. By their first key rows have been spread while they were read.
    fn spread(&mut self, report: &mut Report, pass: Pass, side: usize, from: usize) -> Option<()> {
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
            (Pass::Twice, _) | (Pass::Match(_), 1) => &report.conversions,
            (Pass::Deliver(_), 1) => &report.deliveries,
            _ => &report.orders,
        };
        let seed = report.settings.seed;
        let is_first = report.settings.keys.first() == Some(&which(pass));
        let is_whole = match pass {
            Pass::Twice => true,
            Pass::Match(_) => is_first,
            // Events are asked again for each key.
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
                let key = view.text(which(pass));
                if !key.is_empty() {
                    spread.push(hash_of(key, seed), place, memory)?;
                }
            }
            self.stage = next;
            return Some(());
        }
        let to = left.len().min(from + ROWS_A_STEP);
        for &place in left.get(from..to).unwrap_or_default() {
            let (view, _) = store.view(place)?;
            let key = view.text(which(pass));
            if view.class() != Class::Open as u8 || key.is_empty() {
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
    fn merge(&mut self, report: &mut Report, pass: Pass, index: usize) -> Option<()> {
        let mut entries = core::mem::take(&mut self.entries);
        let is_first = report.settings.keys.first() == Some(&which(pass));
        for (side, (entries, spread)) in entries.iter_mut().zip(&self.spread).enumerate() {
            let partitions = match (pass, side) {
                (Pass::Match(_), 0) if is_first => &report.orders.keyed,
                (Pass::Match(_), _) if is_first => &report.conversions.keyed,
                (Pass::Deliver(_), 1) if is_first => &report.deliveries.keyed,
                _ => spread,
            };
            partitions.gather(index, entries, &mut report.memory)?;
            if self.has_twice && side == 1 && is_first && matches!(pass, Pass::Match(_)) {
                entries.retain(|&entry| is_open(&report.conversions, place_of(entry)));
            }
            let length = entries.len();
            if self.scratch.len() < length {
                let more = length - self.scratch.len();
                report.memory.reserve(&mut self.scratch, more)?;
                self.scratch.resize(length, 0);
            }
            sort_partition(entries, self.scratch.get_mut(..length)?);
        }
        let [orders, others] = &entries;
        let (mut orders, mut others) = (orders.as_slice(), others.as_slice());
        let (mut near, mut far) = (0, 0);
        while let Some(hash) = lower(orders.first(), others.first()) {
            // Rows lie anywhere: waiting for several at once takes as long as waiting for one.
            if near == 0 {
                near = touch(report.store_of(pass, 0), orders);
            }
            if far == 0 {
                far = touch(report.store_of(pass, 1), others);
            }
            let (left, rest) = run(orders, hash);
            orders = rest;
            let (right, rest) = run(others, hash);
            others = rest;
            near = near.saturating_sub(left.len());
            far = far.saturating_sub(right.len());
            self.judge_run(report, pass, left, right)?;
        }
        self.entries = entries;
        if index + 1 < PARTITIONS {
            self.stage = Stage::Merge(index + 1);
            return Some(());
        }
        self.verdicts.amended.sort_unstable();
        self.sorted = self.verdicts.amended.len();
        for spread in &mut self.spread {
            spread.clear(&mut report.memory);
        }
        if pass != Pass::Twice {
            core::mem::swap(&mut self.left, &mut self.rest);
            let [_, events] = &mut self.left;
            if matches!(pass, Pass::Deliver(_)) {
                // Conversions have been through all of their passes; events are no rows of the result.
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

    /// Leaves a row of a side to the next key.
    fn leave(&mut self, report: &mut Report, pass: Pass, side: usize, place: u32) -> Option<()> {
        match self.rest.get_mut(side) {
            Some(rest) if pass != Pass::Twice => report.memory.extend(rest, &[place]),
            _ => Some(()),
        }
    }

    /// Rows whose keys have one hash.
    #[inline]
    fn judge_run(
        &mut self,
        report: &mut Report,
        pass: Pass,
        left: &[u64],
        right: &[u64],
    ) -> Option<()> {
        match (left, right) {
            // A row that nobody else has: nothing of it need be touched.
            (&[one], &[]) => self.leave(report, pass, 0, place_of(one)),
            (&[], &[other]) => self.leave(report, pass, 1, place_of(other)),
            (&[one], &[other]) if matches!(pass, Pass::Match(_)) => {
                let (one, other) = (place_of(one), place_of(other));
                let same =
                    key_of(&report.orders, pass, one) == key_of(&report.conversions, pass, other);
                if same {
                    self.judge_pair(report, one, other);
                    return Some(());
                }
                self.leave(report, pass, 0, one)?;
                self.leave(report, pass, 1, other)
            }
            _ => self.judge_several(report, pass, left, right),
        }
    }

    #[inline(never)]
    fn judge_several(
        &mut self,
        report: &mut Report,
        pass: Pass,
        left: &[u64],
        right: &[u64],
    ) -> Option<()> {
        // The same hash need not be the same key.
        let mut rows: Vec<(usize, u32)> = Vec::with_capacity(left.len() + right.len());
        rows.extend(left.iter().map(|&entry| (0, place_of(entry))));
        rows.extend(right.iter().map(|&entry| (1, place_of(entry))));
        rows.sort_by(|&(a, one), &(b, other)| {
            let one = key_of(report.store_of(pass, a), pass, one);
            let other = key_of(report.store_of(pass, b), pass, other);
            one.cmp(other)
        });
        let mut rest = rows.as_slice();
        while let Some(&(side, place)) = rest.first() {
            let key = key_of(report.store_of(pass, side), pass, place);
            let length = rest
                .iter()
                .take_while(|&&(side, place)| {
                    key_of(report.store_of(pass, side), pass, place) == key
                })
                .count()
                .max(1);
            let (group, tail) = rest.split_at(length);
            rest = tail;
            if length == 1 {
                self.leave(report, pass, side, place)?;
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

    /// Gives a row its class, and adds it up.
    fn settle(
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
            0 if !is_order => self.account,
            currency => currency,
        };
        let sums = self.verdicts.sums.get_mut(class as usize);
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(usize::from(currency))) {
            sum.add(is_order, head);
        }
    }

    fn judge_pair(&mut self, report: &mut Report, order: u32, conversion: u32) {
        let (Some(one), Some(other)) = (
            report.orders.head(order),
            report.conversions.head(conversion),
        ) else {
            return;
        };
        let mut revenue = one.revenue;
        if one.flags & IS_AMENDED != 0 {
            // Of this pass or of one before; the list is sorted after each.
            revenue = match self.verdicts.amended.last() {
                Some(&(place, net)) if place == order => net,
                _ => {
                    let before = self.verdicts.amended.get(..self.sorted);
                    let before = before.unwrap_or_default();
                    let found = before.binary_search_by_key(&order, |&(place, _)| place);
                    let found = found.ok().and_then(|index| before.get(index));
                    found.map_or(revenue, |&(_, net)| net)
                }
            };
        }
        let class = class_of(report.settings.reasons(&one, revenue, &other));
        self.settle(report, true, order, class, conversion, &one);
        self.settle(report, false, conversion, class, order, &other);
        if one.seconds != NO_TIME
            && other.seconds != NO_TIME
            && (one.flags | other.flags) & IS_DAY == 0
        {
            self.verdicts.clock_pairs += 1;
            let apart = i64::from(one.seconds) - i64::from(other.seconds);
            let hours = (apart + 1_800).div_euclid(3_600);
            if hours != 0 && hours.abs() <= 14 && (apart - hours * 3_600).abs() <= 60 {
                let slot = usize::try_from(hours + 14).ok();
                if let Some(count) = slot.and_then(|slot| self.verdicts.clock_hours.get_mut(slot)) {
                    *count += 1;
                }
            }
        }
    }

    /// Rows that nobody has judged get their class.
    fn finish(&mut self, report: &mut Report, side: usize, from: usize) -> Option<()> {
        let mut key_flags = 0;
        for &key in &report.settings.keys {
            key_flags |= match key {
                UNIQUE_ID => 1,
                ORDER_ID => 2 | IS_SAME_ID,
                CLICK_ID => 4,
                _ => 0,
            };
        }
        let is_order = side == 0;
        let count = self.left.get(side)?.len();
        let to = count.min(from + ROWS_A_STEP);
        for index in from..to {
            let place = *self.left.get(side)?.get(index)?;
            let head = report.side(is_order).head(place)?;
            // An order keeps the state that the forwarder has of it.
            let partner = if head.class == Class::Delivered as u8 {
                head.partner
            } else {
                NOBODY
            };
            let class = if head.flags & key_flags == 0 {
                Class::NoKey
            } else if report.settings.is_outside(&head) {
                Class::OutsideWindow
            } else if is_order && head.flags & IS_REFUND != 0 {
                Class::Refund
            } else if is_order {
                Class::MissingAtCake
            } else {
                Class::UnknownToAdvertiser
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

/// Rows with one key: one stands for each side, the rest are duplicates.
fn judge_group(
    judge: &mut Judge,
    report: &mut Report,
    pass: Pass,
    left: &mut [u32],
    right: &mut [u32],
) -> Option<()> {
    match pass {
        Pass::Twice => {
            // Read last is what counts: pages go on where the ones before them ended.
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

/// How far the forwarder has come: what was delivered counts before what waits, and that before what failed.
fn rank(state: &[u8]) -> usize {
    let states: [&[u8]; 4] = [b"delivered", b"pending", b"dead", b"refused"];
    let found = states.iter().position(|known| *known == state);
    found.unwrap_or(states.len())
}

fn match_group(
    judge: &mut Judge,
    report: &mut Report,
    pass: Pass,
    left: &mut [u32],
    right: &mut [u32],
) -> Option<()> {
    let orders = &report.orders;
    // Sales before refunds; the earliest first; then by what is in the row, never by where it is.
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

/// Which of two rows with one key stands before the other. Without a preferred status none is preferred.
fn compare(store: &Store, one: u32, other: u32, preferred: u32) -> Ordering {
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
                // Of two conversion ids the shorter one is the smaller number.
                (own.len(), own, unique, order, click)
            };
            texts(one).cmp(&texts(other))
        })
        .then_with(|| {
            let rest = |head: &Head| (head.revenue, head.payout, head.status, head.currency);
            rest(&a).cmp(&rest(&b))
        })
}

fn is_same_row(store: &Store, one: u32, other: u32) -> bool {
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

fn lower(one: Option<&u64>, other: Option<&u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one >> 32).min(other >> 32)),
        (Some(entry), None) | (None, Some(entry)) => Some(entry >> 32),
        (None, None) => None,
    }
}

/// Brings the next rows into the cache; says how many they are.
fn touch(store: &Store, entries: &[u64]) -> usize {
    let mut sum = 0_u32;
    let count = entries.len().min(256);
    for &entry in entries.iter().take(count) {
        sum = sum.wrapping_add(store.touch(place_of(entry)));
    }
    core::hint::black_box(sum);
    count
}

/// The entries of one hash, and those after them.
fn run(entries: &[u64], hash: u64) -> (&[u64], &[u64]) {
    let length = entries
        .iter()
        .take_while(|&&entry| entry >> 32 == hash)
        .count();
    entries.split_at(length)
}

impl Judge {
    /// Unmatched keys that are nearly the same: a hint, never a match.
    fn find_hints(&mut self, report: &mut Report) {
        let mut memory = report.memory;
        let mut entries: Vec<(u64, u32, u8)> = Vec::new();
        // How many digits the keys have that a spreadsheet has shortened.
        let mut mantissas = 0_u32;
        let mut shown = Vec::new();
        for collect in [false, true] {
            for is_order in [true, false] {
                let [orders, conversions] = &self.left;
                let (store, places, class) = if is_order {
                    (&report.orders, orders, Class::MissingAtCake)
                } else {
                    (&report.conversions, conversions, Class::UnknownToAdvertiser)
                };
                for &place in places {
                    if store
                        .head(place)
                        .is_none_or(|head| head.class != class as u8)
                    {
                        continue;
                    }
                    for &key in &report.settings.keys {
                        let text = store.text(place, key);
                        if text.is_empty() {
                            continue;
                        }
                        let tag = u8::from(!is_order) << 7 | u8::try_from(key).unwrap_or(0);
                        let exponent = exponent_form(text);
                        if !collect {
                            if let Some((digits, _)) = &exponent {
                                mantissas |= 1 << digits.len().min(31);
                            }
                            continue;
                        }
                        let mut add = |form: &[u8]| {
                            memory
                                .extend(&mut entries, &[(hash(form, 1), place, tag)])
                                .is_some()
                        };
                        let mut is_kept = true;
                        if let Some((digits, power)) = exponent {
                            short_form(&digits, power, &mut shown);
                            is_kept &= add(&shown);
                        } else {
                            plain_form(text, &mut shown);
                            is_kept &= add(&shown);
                            let plain = shown.clone();
                            if plain.len() > 6 && plain.iter().all(u8::is_ascii_digit) {
                                for length in (2..16).filter(|length| mantissas & 1 << length != 0)
                                {
                                    if let Some((digits, power)) = rounded(&plain, length) {
                                        short_form(&digits, power, &mut shown);
                                        is_kept &= add(&shown);
                                    }
                                }
                            }
                        }
                        if !is_kept {
                            self.verdicts.lacks_hints = true;
                            return;
                        }
                    }
                }
            }
        }
        entries.sort_unstable_by_key(|&(hash, place, tag)| (hash, tag & 127, tag >> 7, place));
        let mut rest = entries.as_slice();
        while let Some(&(form, _, first)) = rest.first() {
            let length = rest
                .iter()
                .take_while(|&&(hash, _, tag)| hash == form && tag & 127 == first & 127)
                .count();
            let (group, tail) = rest.split_at(length.max(1));
            rest = tail;
            let split = group.partition_point(|&(_, _, tag)| tag < 128);
            let (orders, conversions) = group.split_at(split);
            for (order, conversion) in orders.iter().zip(conversions) {
                self.verdicts.hints.push(Hint {
                    order: order.1,
                    conversion: conversion.1,
                    key: order.2,
                });
            }
        }
        self.verdicts
            .hints
            .sort_unstable_by_key(|hint| (hint.order, hint.conversion, hint.key));
        self.verdicts
            .hints
            .dedup_by_key(|hint| (hint.order, hint.conversion));
    }
}

/// Without case, blanks, `#`, apostrophes and leading zeros.
pub(super) fn plain_form(text: &[u8], form: &mut Vec<u8>) {
    form.clear();
    for &byte in text {
        let is_passed = byte.is_ascii_whitespace()
            || matches!(byte, b'#' | b'\'' | b'"')
            || (byte == b'0' && form.is_empty());
        if !is_passed {
            form.push(byte.to_ascii_lowercase());
        }
    }
    // A no-break space is a blank as well.
    if let Some(at) = form.windows(2).position(|pair| pair == "\u{A0}".as_bytes()) {
        form.drain(at..at + 2);
    }
}

/// Digits and power of `1,79536E+12`.
pub(super) fn exponent_form(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let text = text.trim_ascii();
    let at = text.iter().position(|byte| matches!(byte, b'E' | b'e'))?;
    let (mantissa, power) = text.split_at(at);
    let power = power.get(1..)?;
    let power = power.strip_prefix(b"+").unwrap_or(power);
    let power: usize = core::str::from_utf8(power).ok()?.parse().ok()?;
    let (&first, rest) = mantissa.split_first()?;
    let rest = match rest {
        [] => rest,
        [b'.' | b',', digits @ ..] => digits,
        _ => return None,
    };
    if !first.is_ascii_digit() || !rest.iter().all(u8::is_ascii_digit) || power > 30 {
        return None;
    }
    let mut digits = vec![first];
    digits.extend(rest);
    Some((digits, power))
}

/// The first digits of a long number, rounded as a spreadsheet does, and its power.
fn rounded(number: &[u8], length: usize) -> Option<(Vec<u8>, usize)> {
    let mut power = number.len() - 1;
    let mut digits = number.get(..length)?.to_vec();
    if *number.get(length)? >= b'5' {
        let mut carries = true;
        for digit in digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                carries = false;
                break;
            }
            *digit = b'0';
        }
        if carries {
            digits.insert(0, b'1');
            digits.pop();
            power += 1;
        }
    }
    Some((digits, power))
}

fn short_form(digits: &[u8], power: usize, form: &mut Vec<u8>) {
    form.clear();
    form.extend_from_slice(b"\0E");
    form.push(u8::try_from(power).unwrap_or(0));
    form.extend_from_slice(digits);
}
