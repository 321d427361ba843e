//! Matching, in steps. A seeded hash of the key spreads rows over partitions; each partition is sorted in
//! cache and merged. Its pairs are spread again, by the order's place, and judged nearly as the files have them.
//! Bytes tell rows with equal hashes apart. The matching never builds a table of keys, the order of rows cannot
//! matter, and duplicates are adjacent. Rows that one key leaves unmatched are the list for the next key.

mod clocks;
mod contradiction;
mod dates;
mod group;
pub(super) mod hints;
mod passes;
mod proof;
mod reasons;
mod refunds;
mod repeats;
mod sale;

use super::names::RowKind;
use super::partition::Partitions;
use super::readings::Readings;
use super::store::{Head, NO_AMOUNT, ORDER_ID, OWN_ID, Store, UNIQUE_ID};
use super::{Found, Report, Settings};
use crate::{Error, Result};
use clocks::Clocks;
pub(super) use dates::{is_day, is_named, style};
pub(super) use proof::{Rounded, keys_of, may_be_spoilt, proof, repeats_nothing};
pub(super) use reasons::REASONS;
use reasons::class_of;
pub(super) use refunds::{NOTHING, Net, PLUS, UNCLEAR, UNKNOWN, is_other, is_unclear};
pub(super) use repeats::standing;

/// The class of a row. Every row has exactly one.
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
    RefundUnclear,
    /// Open, and known to the forwarder. No row has this class at the end.
    Delivered,
}

pub(super) const CLASSES: [&str; 15] = [
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
    "refund_unclear",
];

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
    #[inline]
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

    /// The sum without a row that has been added.
    fn without(self, is_order: bool, head: &Head) -> Self {
        let mut row = Self::default();
        row.add(is_order, head);
        Self {
            orders: self.orders - row.orders,
            conversions: self.conversions - row.conversions,
            order_revenue: self.order_revenue - row.order_revenue,
            order_payout: self.order_payout - row.order_payout,
            revenue: self.revenue - row.revenue,
            payout: self.payout - row.payout,
        }
    }
}

/// An unmatched order and an unmatched conversion whose keys are nearly the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    pub(super) order: u32,
    pub(super) conversion: u32,
    /// The order's key and the conversion's: a unique id may be the other side's order id.
    pub(super) keys: [u8; 2],
}

/// The result of a reconciliation.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// Sums by class, then by currency. Currency 0 means none.
    pub(super) sums: Vec<Vec<Sum>>,
    /// What remains of an order after its refunds, by the order's place.
    pub(super) amended: Vec<(u32, Net)>,
    pub(super) hints: Vec<Hint>,
    /// Orders that the forwarder does not know, but for an event with nearly the same key.
    pub(super) near_events: Vec<u32>,
    /// Sales that a refund without a sale may be of: its key is nearly theirs, or its click theirs.
    near_refunds: Vec<u32>,
    /// Sales of which two rows contradict each other, sorted: none of them is taken for the truth.
    torn: Vec<u32>,
    /// A refund without any key: it may be of any sale.
    pub(super) has_nameless_refund: bool,
    /// Hash of the unique id, and offer, of every conversion: once a correction needs them.
    pub(super) named: Option<Vec<(u64, u32)>>,
    /// The search for near misses was skipped: the memory did not suffice.
    pub(super) lacks_hints: bool,
    /// How far apart the two sides' times lie.
    clocks: Clocks,
}

impl Verdicts {
    /// The number of conversions' rows that were read again.
    pub(super) fn read_twice(&self) -> u64 {
        let sums = self.sums.get(Class::ReadTwice as usize).into_iter();
        sums.flatten().map(|sum| sum.conversions).sum()
    }
}

/// The task of one pass over both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// Finds conversions that were read twice, by their own id.
    Twice,
    /// Matches orders with conversions, by a key.
    Match(usize),
    /// Matches orders by the other of their two ids: CAKE may have got either as the unique id.
    Own,
    /// Matches orders without a conversion with the forwarder's events, by a key.
    Deliver(usize),
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Opens rows again that an earlier reconciliation has judged.
    Reset(bool, Option<u32>),
    /// Spreads rows by the pass's key: the side, and the progress in the rows that the pass before left.
    Spread(usize, usize),
    Merge(usize),
    /// Judges the pairs, part by part.
    Pairs(usize),
    /// Gives the remaining rows their class: the progress on each side.
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
    /// Rows of each side that the passes before left unmatched, then the rows that this pass leaves.
    left: [Vec<u32>; 2],
    rest: [Vec<u32>; 2],
    /// Rows of each side by this pass's key, where it is not the first key.
    spread: [Partitions; 2],
    entries: [Vec<u64>; 2],
    /// Pairs of one order and one conversion with equal hashes, by the order's place.
    pairs: Partitions,
    verdicts: Verdicts,
    /// The number of amended orders that are sorted: those of earlier passes.
    sorted: usize,
    /// Do order numbers that are nothing but digits match CAKE's unique ids? Where others of its unique ids are orders'
    /// ids, a number may be another order's id.
    matches_numbers: bool,
    /// Rows that repeat another one by an id, but have a key of their own: it may be another row's of the other side. With
    /// the row that they repeat, for each side; sorted after each pass, so many of them.
    chances: [Vec<(u32, u32)>; 2],
    sorted_chances: [usize; 2],
    /// The order that stands, for each row that repeats one; sorted after each pass, so many of them.
    repeats: Vec<u32>,
    sorted_repeats: usize,
    /// Orders of which either may be the one that a conversion is of.
    unsure: Vec<(u32, u32)>,
    /// Has a spreadsheet rounded the ids of a side?
    rounded: Rounded,
    /// Were conversions read twice? If so, not every row of a partition is open.
    has_twice: bool,
    /// Which reading of these counts; found for the first one.
    readings: Option<Readings>,
    /// Is there a refund without a sale, or one whose sale has no conversion in these days?
    has_doubts: bool,
}

const ROWS_A_STEP: usize = 65_536;

/// The most rows that are looked through for one row's partner: a group may have a million rows.
const LOOK: usize = 64;

/// The kinds of rows that are matched.
const MATCHED: [RowKind; 3] = [RowKind::Orders, RowKind::Conversions, RowKind::Deliveries];

impl Report {
    /// Does one step of the matching; returns the fraction that is done, 1 at the end.
    ///
    /// # Errors
    /// [`Error::ReportFull`]; [`Error::ClocksDiffer`]; [`Error::UnreadableFile`] where pages name a further one that is
    /// not there; [`Error::AmbiguousFile`] where orders have several currencies and the account's currency is not
    /// declared.
    #[cfg_attr(small_cold, optimize(size))]
    pub fn step(&mut self) -> Result<f64> {
        self.cancel();
        let mut judge = if let Some(judge) = self.judge.take() {
            judge
        } else {
            self.check_pages(&MATCHED)?;
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
                self.found = Found::default();
                // Now it is known how many of the rows that were read are one.
                if let Err(error) = self.check_pages(&MATCHED) {
                    self.verdicts = None;
                    return Err(error);
                }
                return Ok(1.0);
            }
            _ => judge.progress(),
        };
        self.judge = Some(judge);
        Ok(done)
    }

    /// Cancels the reconciliation; the rows stay.
    pub(crate) fn stop(&mut self) {
        if let Some(mut judge) = self.judge.take() {
            judge.free(&mut self.memory);
        }
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn begin_judging(&mut self) -> Judge {
        self.verdicts = None;
        self.settings.account = if self.settings.currency.is_empty() {
            0
        } else {
            let letters = self.settings.currency.clone();
            self.currency(letters.as_bytes()).unwrap_or(0)
        };
        if self.settings.account > 0 {
            self.settings.owed_in = self.settings.account;
        }
        let words: [&[u8]; 5] = [
            b"approved",
            b"pending",
            b"rejected",
            b"reversed",
            b"returned",
        ];
        // Refunds give orders a status that no row may have.
        self.settings.codes = words
            .map(|word| Self::small(&mut self.statuses, &mut self.memory, word).unwrap_or(u8::MAX));
        let is_judged = self.orders.is_judged || self.conversions.is_judged;
        self.orders.is_judged = true;
        self.conversions.is_judged = true;
        let keys = &self.settings.keys;
        let mut passes = Vec::new();
        if !self.ids_rise {
            passes.push(Pass::Twice);
        }
        passes.extend(keys.iter().map(|&key| Pass::Match(key)));
        // A click says less than any id.
        let ids = |pass: &Pass| matches!(pass, Pass::Match(UNIQUE_ID | ORDER_ID));
        if self.has_own_ids()
            && keys.contains(&UNIQUE_ID)
            && let Some(last) = passes.iter().rposition(ids)
        {
            passes.insert(last + 1, Pass::Own);
        }
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
            pairs: Partitions::default(),
            verdicts,
            sorted: 0,
            matches_numbers: true,
            chances: Default::default(),
            sorted_chances: [0; 2],
            repeats: Vec::new(),
            sorted_repeats: 0,
            unsure: Vec::new(),
            rounded: Rounded::default(),
            has_twice: false,
            readings: None,
            has_doubts: false,
        }
    }

    /// Amounts in two currencies are comparable with CAKE's only if the account's currency is known.
    #[cfg_attr(small_cold, optimize(size))]
    fn check_currencies(&mut self) -> Result<()> {
        self.settings.owed_in = 0;
        if !self.settings.currency.is_empty() || self.currencies.len() < 2 {
            return Ok(());
        }
        let is_part = self.settings.part.1 > 1;
        let seen = |store: &Store, kind: RowKind| {
            let mut seen = [false; 256];
            let sources = self.sources.iter().filter(|source| source.kind == kind);
            for source in sources {
                for (code, slot) in seen.iter_mut().enumerate() {
                    let word = source.elsewhere.currencies.get(code >> 6);
                    *slot |= word.is_some_and(|word| word >> (code & 63) & 1 == 1);
                }
            }
            let mut next = store.first().filter(|_| !is_part);
            while let Some(place) = next {
                if let Some(head) = store.head(place)
                    && let Some(slot) = seen.get_mut(usize::from(head.currency))
                {
                    *slot = true;
                }
                next = store.next(place);
            }
            seen
        };
        let named = |seen: [bool; 256]| {
            let named = (0_u8..=u8::MAX).zip(seen);
            let named = named.filter(|&(code, seen)| seen && code > 0);
            named.map(|(code, _)| code).collect::<Vec<_>>()
        };
        let conversions = seen(&self.conversions, RowKind::Conversions);
        let theirs = named(conversions);
        let ours = named(seen(&self.orders, RowKind::Orders));
        // An upload is in the currency of CAKE's rows.
        self.settings.owed_in = match theirs.as_slice() {
            [only] => *only,
            _ => u8::MAX,
        };
        let [is_nameless, ..] = conversions;
        if ours.len() < 2 || !is_nameless && !theirs.is_empty() {
            return Ok(());
        }
        let letters: Vec<_> = ours
            .iter()
            .map(|&code| String::from_utf8_lossy(self.currencies.text(u32::from(code))))
            .collect();
        Err(Error::AmbiguousFile {
            message: format!(
                "orders are in several currencies ({}), and CAKE's amounts name none: declare `currency`, the account's",
                letters.join(", ")
            ),
        })
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn check_clocks(&self, verdicts: &Verdicts) -> Result<()> {
        if self.settings.has_orders_zone {
            return Ok(());
        }
        let Some((count, quarters)) = verdicts.clocks.differ() else {
            return Ok(());
        };
        let declare = if self.settings.zone.is_known() {
            "declare `ordersTimeZone`, that of the orders' times"
        } else {
            "declare `timeZone`, the account's, and `ordersTimeZone`"
        };
        let (hours, minutes) = (quarters.abs() / 4, quarters.abs() % 4 * 15);
        let minutes = match minutes {
            0 => String::new(),
            minutes => format!(" {minutes} min"),
        };
        Err(Error::ClocksDiffer {
            message: format!(
                "{count} of {} pairs lie {hours} h{minutes} apart, the order {}: {declare}",
                verdicts.clocks.pairs,
                if quarters > 0 { "later" } else { "earlier" },
            ),
        })
    }

    /// May CAKE have got another id of an order than its unique id? In a part of a report, its row may be elsewhere.
    pub(super) fn has_own_ids(&self) -> bool {
        self.settings.part.1 == 1 && self.sources.iter().any(|source| source.has_own_ids)
    }

    /// The keys by which an order's near misses and refunds are looked for.
    pub(super) fn keys_of_orders(&self) -> Vec<usize> {
        let mut keys = self.settings.keys.clone();
        if self.has_own_ids() && !keys.contains(&ORDER_ID) {
            keys.push(ORDER_ID);
        }
        keys
    }

    fn store_of(&self, pass: Pass, side: usize) -> &Store {
        match (pass, side) {
            (Pass::Twice, _) | (Pass::Match(_) | Pass::Own, 1) => &self.conversions,
            (Pass::Deliver(_), 1) => &self.deliveries,
            _ => &self.orders,
        }
    }
}

/// The text by which a side of the pass is keyed.
#[inline]
fn which(pass: Pass, side: usize) -> usize {
    match (pass, side) {
        (Pass::Twice, _) => OWN_ID,
        (Pass::Match(key) | Pass::Deliver(key), _) => key,
        (Pass::Own, 0) => ORDER_ID,
        (Pass::Own, _) => UNIQUE_ID,
    }
}

/// Are rows of the pass spread already, by the report's first key?
#[inline]
fn is_first(settings: &Settings, pass: Pass) -> bool {
    matches!(pass, Pass::Match(key) | Pass::Deliver(key) if settings.keys.first() == Some(&key))
}

fn is_open(store: &Store, place: u32) -> bool {
    let view = store.view(place);
    view.is_some_and(|(view, _)| view.class() == Class::Open as u8)
}

#[inline]
fn key_of(store: &Store, pass: Pass, side: usize, place: u32) -> &[u8] {
    store.text(place, which(pass, side))
}
