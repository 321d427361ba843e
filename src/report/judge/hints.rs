//! Near misses: keys that differ only in their spelling.

mod border;
mod forms;
mod letters;
mod part;
mod rule;
mod twins;
mod within;

use super::{Class, Hint, Judge, LOOK};
use crate::report::Report;
use crate::report::memory::{Memory, hash, sort_numbers};
use crate::report::store::{CLICK_ID, NOBODY, ORDER_ID, Store, UNIQUE_ID};
pub(in crate::report) use forms::{is_exponent, plain_form, shown_digits};
pub(in crate::report) use part::difference;
pub(in crate::report) use part::{is_at_border, is_part, part_form};
pub(in crate::report) use rule::{MADE, PART, each_near, fits, needs_click};
pub(in crate::report) use twins::Twins;
pub(in crate::report) use within::longer;

use rule::LIST;
use within::may_have_others;

impl Judge {
    /// Unmatched keys that are nearly the same: a hint, never a match.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find_hints(&mut self, report: &Report) {
        let [orders, conversions] = &self.left;
        let alone = |store: &Store, places: &[u32], class: Class| -> Vec<u32> {
            // A refund whose sale is in no file may be of this conversion.
            let classes =
                [class, Class::OutsideWindow, Class::RefundUnclear].map(|class| class as u8);
            let is_alone = |place: &u32| {
                let head = store.head(*place);
                head.is_some_and(|head| classes.contains(&head.class))
            };
            let mut places = places.to_vec();
            // In the order of memory, rows are read several times as fast.
            sort_numbers(&mut places);
            places.retain(is_alone);
            places
        };
        let mut orders = alone(&report.orders, orders, Class::MissingAtCake);
        let conversions = alone(&report.conversions, conversions, Class::UnknownToAdvertiser);
        let mut keys = report.keys_of_orders();
        let hints = Near {
            report,
            orders: &orders,
            keys: &keys,
        }
        .find(&report.conversions, Some(&conversions));
        // What the forwarder knows under another spelling has been handed over. A click brings several sales.
        orders.retain(|&place| {
            let head = report.orders.head(place);
            let is_missing = Class::MissingAtCake as u8;
            head.is_some_and(|head| head.class == is_missing && head.partner == NOBODY)
        });
        keys.retain(|&key| key != CLICK_ID);
        let events = Near {
            report,
            orders: &orders,
            keys: &keys,
        }
        .find(&report.deliveries, None);
        self.verdicts.lacks_hints = hints.is_none() || events.is_none();
        self.verdicts.hints = hints.unwrap_or_default();
        let events = events.unwrap_or_default();
        self.verdicts.near_events = events.iter().map(|hint| hint.order).collect();
        self.verdicts.near_events.dedup();
    }
}

/// A spelling of a key: its hash, the key with how the spelling was made, and the row.
type Entry = (u64, u8, u32);

/// The key of an entry, without how it was made.
const KEY: u8 = 7;

/// The most rows that have one id in their cells of several.
const MOST_CELLS: usize = 8;

/// Takes the place of a row, one of its keys and the key's text; `None` ends the visits.
type Visit<'a> = dyn FnMut(u32, u8, &[u8]) -> Option<()> + 'a;

/// The search for rows whose keys are nearly those of some orders.
pub(super) struct Near<'a> {
    pub(super) report: &'a Report,
    pub(super) orders: &'a [u32],
    pub(super) keys: &'a [usize],
}

impl Near<'_> {
    /// Pairs of an order and one of these rows, or of all rows; `None` where the memory does not suffice.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find(&self, others: &Store, places: Option<&[u32]>) -> Option<Vec<Hint>> {
        if self.orders.is_empty() || others.rows() == 0 {
            return Some(Vec::new());
        }
        // The digits that remain of keys that a spreadsheet has shortened.
        let mut lengths = 0_u32;
        let note = |_, _, text: &[u8]| {
            lengths |= 1 << shown_digits(text);
            Some(())
        };
        let mut note = note;
        self.each_key(&self.report.orders, Some(self.orders), &mut note)?;
        self.each_key(others, places, &mut note)?;
        let mut memory = self.report.memory;
        let mut scratch = Vec::new();
        let mut ours: Vec<Entry> = Vec::new();
        self.each_key(
            &self.report.orders,
            Some(self.orders),
            &mut |place, key, text| {
                each_near(text, key, lengths, &mut scratch, &mut |form, key| {
                    memory.extend(&mut ours, &[(form, key, place)])
                })
            },
        )?;
        sort(&mut ours);
        let mut theirs: Vec<Entry> = Vec::new();
        self.each_key(others, places, &mut |place, key, text| {
            each_near(text, key, lengths, &mut scratch, &mut |form, key| {
                if !has_form(&ours, form) {
                    return Some(());
                }
                memory.extend(&mut theirs, &[(form, key, place)])
            })
        })?;
        sort(&mut theirs);
        let common = self.common(others, (&ours, &theirs), &mut memory)?;
        let mut hints = Vec::new();
        for group in theirs.chunk_by(|one, other| one.0 == other.0) {
            let Some(&(form, ..)) = group.first() else {
                continue;
            };
            for orders in same_form(&ours, form).chunk_by(is_made_alike) {
                for rows in group.chunk_by(is_made_alike) {
                    if common.binary_search(&form).is_ok() && are_all_lists(orders, rows) {
                        continue;
                    }
                    self.pair(others, (orders, rows), &mut |hint| {
                        memory.extend(&mut hints, &[hint])
                    })?;
                }
            }
        }
        hints.sort_unstable_by_key(|hint| (hint.order, hint.conversion, hint.keys));
        hints.dedup_by_key(|hint| (hint.order, hint.conversion));
        Some(hints)
    }

    /// The forms, shared by cells of several ids, that too many cells of all rows have: they tell no order. Sorted.
    #[cfg_attr(small_cold, optimize(size))]
    fn common(
        &self,
        others: &Store,
        (ours, theirs): (&[Entry], &[Entry]),
        memory: &mut Memory,
    ) -> Option<Vec<u64>> {
        // With the number of rows, and the last one of them.
        let mut shared: Vec<(u64, usize, u32)> = Vec::new();
        for group in theirs.chunk_by(|one, other| one.0 == other.0) {
            if let Some(&(form, ..)) = group.first()
                && are_all_lists(same_form(ours, form), group)
            {
                memory.extend(&mut shared, &[(form, 0, NOBODY)])?;
            }
        }
        let mut scratch = Vec::new();
        // The forms of which it is not known yet.
        let mut open = shared.len();
        for store in [&self.report.orders, others] {
            // Nothing here runs out of memory.
            let _ = self.each_key(store, None, &mut |place, key, text| {
                if open == 0 {
                    return None;
                }
                if !may_have_others(text) {
                    return Some(());
                }
                each_near(text, key, 0, &mut scratch, &mut |form, key| {
                    let at = shared.binary_search_by_key(&form, |&(form, ..)| form);
                    let known = at.ok().and_then(|at| shared.get_mut(at));
                    if let Some((_, rows, last)) = known.filter(|_| key & LIST != 0)
                        && *last != place
                    {
                        *rows += 1;
                        *last = place;
                        open -= usize::from(*rows == MOST_CELLS + 1);
                    }
                    Some(())
                })
            });
            for (.., last) in &mut shared {
                *last = NOBODY;
            }
        }
        shared.retain(|&(_, rows, _)| rows > MOST_CELLS);
        Some(shared.into_iter().map(|(form, ..)| form).collect())
    }

    /// Pairs entries of one form that are nearly the same. Each row has a neighbour: of the shorter side the last row
    /// has several.
    #[cfg_attr(small_cold, optimize(size))]
    fn pair(
        &self,
        store: &Store,
        (orders, others): (&[Entry], &[Entry]),
        add: &mut dyn FnMut(Hint) -> Option<()>,
    ) -> Option<()> {
        let (&last, &last_other) = (orders.last()?, others.last()?);
        if !fits(last.1, last_other.1) {
            return Some(());
        }
        let needs_part = (last.1 | last_other.1) & PART != 0;
        let may_be = |one: &Entry, other: &Entry| {
            !needs_part || is_part_of_other(&self.report.orders, one.2, store, other.2)
        };
        let mut add = |&(_, key, order): &Entry, &(_, their_key, conversion): &Entry| {
            let keys = [key & KEY, their_key & KEY];
            add(Hint {
                order,
                conversion,
                keys,
            })
        };
        for index in 0..orders.len().max(others.len()) {
            let one = orders.get(index).unwrap_or(&last);
            let other = others.get(index).unwrap_or(&last_other);
            if may_be(one, other) {
                add(one, other)?;
                continue;
            }
            // Each of the two may be another one's.
            if let Some(other) = others.iter().take(LOOK).find(|other| may_be(one, other)) {
                add(one, other)?;
            }
            if let Some(one) = orders.iter().take(LOOK).find(|one| may_be(one, other)) {
                add(one, other)?;
            }
        }
        Some(())
    }

    /// Visits the keys of these rows, or of all rows.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn each_key(&self, store: &Store, places: Option<&[u32]>, visit: &mut Visit<'_>) -> Option<()> {
        let mut of_row = |place| {
            for &key in self.keys {
                let text = store.text(place, key);
                if !text.is_empty() {
                    visit(place, u8::try_from(key).ok()?, text)?;
                }
            }
            Some(())
        };
        if let Some(places) = places {
            return places.iter().try_for_each(|&place| of_row(place));
        }
        let mut next = store.first();
        while let Some(place) = next {
            of_row(place)?;
            next = store.next(place);
        }
        Some(())
    }
}

/// Has each side an id of a cell with several?
fn are_all_lists(orders: &[Entry], others: &[Entry]) -> bool {
    let has_list = |entries: &[Entry]| entries.iter().any(|&(_, key, _)| key & LIST != 0);
    has_list(orders) && has_list(others)
}

/// Were two entries made of their keys in the same way?
fn is_made_alike(one: &Entry, other: &Entry) -> bool {
    (one.1 ^ other.1) & MADE == 0
}

/// Is an order a part of another row's order, or the other way round?
#[cfg_attr(small_cold, optimize(size))]
fn is_part_of_other(orders: &Store, order: u32, others: &Store, other: u32) -> bool {
    let ours = [UNIQUE_ID, ORDER_ID].map(|id| orders.text(order, id));
    let theirs = [UNIQUE_ID, ORDER_ID].map(|id| others.text(other, id));
    is_part(ours, theirs) || is_part(theirs, ours)
}

/// A hash of a form. A unique id may be the other side's order id; a click id is neither.
fn hash_in(form: &[u8], key: u8) -> u64 {
    hash(form, 1) & !1 | u64::from(usize::from(key) == CLICK_ID)
}

/// Sorts by form, how it was made, and row; of two keys of a row with one form, the first stays.
fn sort(entries: &mut Vec<Entry>) {
    let made = |key: u8| key & MADE;
    entries.sort_unstable_by_key(|&(form, key, place)| (form, made(key), place, key));
    entries.dedup_by_key(|&mut (form, key, place)| (form, made(key), place));
}

#[inline(never)]
fn has_form(entries: &[Entry], form: u64) -> bool {
    let from = entries.partition_point(|&(other, ..)| other < form);
    entries.get(from).is_some_and(|&(other, ..)| other == form)
}

/// The entries with a form.
#[inline(never)]
fn same_form(entries: &[Entry], form: u64) -> &[Entry] {
    let from = entries.partition_point(|&(other, ..)| other < form);
    let rest = entries.get(from..).unwrap_or_default();
    let count = rest
        .iter()
        .take_while(|&&(other, ..)| other == form)
        .count();
    rest.get(..count).unwrap_or_default()
}
