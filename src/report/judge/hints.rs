//! Near misses: keys that differ only in their spelling.

mod forms;
mod part;
mod twins;

use super::{Class, Hint, Judge};
use crate::report::Report;
use crate::report::memory::{hash, sort_numbers};
use crate::report::store::{CLICK_ID, NOBODY, Store};
pub(in crate::report) use forms::{difference, is_exponent, plain_form, shown_digits};
use forms::{each_form, number_after_prefix};
pub(in crate::report) use part::{is_at_border, part_form};
pub(in crate::report) use twins::Twins;

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
            head.is_some_and(|head| head.partner == NOBODY)
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

/// A spelling of a key: its hash, the row, and the key.
type Entry = (u64, u32, u8);

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
                each_form(text, lengths, &mut scratch, &mut |form| {
                    memory.extend(&mut ours, &[(hash_in(form, key), place, key)])
                })?;
                if prefix_form(text, key, true, &mut scratch) {
                    memory.extend(&mut ours, &[(hash_in(&scratch, key), place, key)])?;
                }
                Some(())
            },
        )?;
        sort(&mut ours);
        let mut theirs: Vec<Entry> = Vec::new();
        self.each_key(others, places, &mut |place, key, text| {
            let mut add = |form: &[u8]| {
                let entry = (hash_in(form, key), place, key);
                if same_form(&ours, entry.0).is_empty() {
                    return Some(());
                }
                memory.extend(&mut theirs, &[entry])
            };
            each_form(text, lengths, &mut scratch, &mut add)?;
            if prefix_form(text, key, false, &mut scratch) {
                add(&scratch)?;
            }
            Some(())
        })?;
        sort(&mut theirs);
        let mut hints = Vec::new();
        let mut rest = theirs.as_slice();
        while let Some(&(form, ..)) = rest.first() {
            let (orders, others) = (same_form(&ours, form), same_form(rest, form));
            rest = rest.get(others.len().max(1)..)?;
            let (last, last_other) = (orders.last()?, others.last()?);
            // Each row of the longer side has a neighbour, too: the last row of the shorter side.
            for index in 0..orders.len().max(others.len()) {
                let &(_, order, key) = orders.get(index).unwrap_or(last);
                let &(_, conversion, their_key) = others.get(index).unwrap_or(last_other);
                let keys = [key, their_key];
                let hint = Hint {
                    order,
                    conversion,
                    keys,
                };
                memory.extend(&mut hints, &[hint])?;
            }
        }
        hints.sort_unstable_by_key(|hint| (hint.order, hint.conversion, hint.keys));
        hints.dedup_by_key(|hint| (hint.order, hint.conversion));
        Some(hints)
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

/// Makes the form of a number that one side has with a prefix, such as a shop's `b-9`, and the other side without; false
/// where there is none. Clicks have none.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn prefix_form(text: &[u8], key: u8, is_ours: bool, form: &mut Vec<u8>) -> bool {
    if usize::from(key) == CLICK_ID {
        return false;
    }
    plain_form(text, form);
    let Some((number, is_prefixed)) = number_after_prefix(form) else {
        return false;
    };
    let (prefix, mark) = (
        form.len() - number.len(),
        [0, b'P', u8::from(is_prefixed == is_ours)],
    );
    form.splice(..prefix, mark);
    true
}

/// A hash of a form. A unique id may be the other side's order id; a click id is neither.
fn hash_in(form: &[u8], key: u8) -> u64 {
    hash(form, 1) & !1 | u64::from(usize::from(key) == CLICK_ID)
}

/// Sorts by form and row; of two keys of a row with one form, the first stays.
fn sort(entries: &mut Vec<Entry>) {
    entries.sort_unstable();
    entries.dedup_by_key(|&mut (form, place, _)| (form, place));
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
