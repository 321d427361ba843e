//! The one rule by which two ids are nearly the same. Whoever asks whether two rows may be one sale asks it: hints,
//! uploads, rejections, refunds, the journal.

use super::border::borders_of;
use super::forms::{each_form, plain_form};
use super::hash_in;
use super::part::prefix_of;
use super::within::{Place, each_within};
use crate::report::store::CLICK_ID;

/// How a form was made of an id, in bits beside the key: a spreadsheet has shortened it so, or would.
pub(in crate::report) const SHORT: u8 = 8;

/// The id is a part of the order that has the form.
pub(in crate::report) const PART: u8 = 32;

/// The id has letters before the form, such as a shop's `b-9`.
pub(in crate::report) const PREFIX: u8 = 64;

/// The form is of one of several ids in a cell.
pub(in crate::report) const LIST: u8 = 128;

/// How a form was made that is not of the whole id.
pub(in crate::report) const MADE: u8 = PART | PREFIX | LIST;

/// The most orders that an id may be a part of.
const MOST: usize = 4;

/// Visits the forms of an id as hashes, with the key and how each was made. Clicks have neither parts nor prefixes.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn each_near(
    text: &[u8],
    key: u8,
    lengths: u32,
    scratch: &mut Vec<u8>,
    add: &mut dyn FnMut(u64, u8) -> Option<()>,
) -> Option<()> {
    let is_click = usize::from(key) == CLICK_ID;
    each_form(text, lengths, scratch, &mut |form| {
        if form.starts_with(b"\0") {
            return add(hash_in(form, key), key | SHORT);
        }
        add(hash_in(form, key), key)?;
        if is_click {
            return Some(());
        }
        let borders = borders_of(form);
        let prefix = prefix_of(form, &borders);
        let mut end = |end: usize, made: u8| {
            if made != 0 {
                add(hash_in(form.get(..end)?, key), key | made)?;
            }
            let number = form
                .get(prefix..end)
                .filter(|number| prefix > 0 && !number.is_empty());
            number.map_or(Some(()), |number| {
                add(hash_in(number, key), key | made | PREFIX)
            })
        };
        end(form.len(), 0)?;
        borders
            .iter()
            .take(MOST)
            .try_for_each(|&border| end(border, PART))
    })?;
    if is_click {
        return Some(());
    }
    each_within(text, &mut |id, place| {
        let made = match place {
            Place::Address => PREFIX,
            Place::List => LIST,
            Place::Year => LIST | PREFIX,
        };
        plain_form(id.as_bytes(), scratch);
        if !scratch.iter().any(u8::is_ascii_digit) {
            return Some(());
        }
        add(hash_in(scratch, key), key | made)?;
        match scratch.get(prefix_of(scratch, &borders_of(scratch))..) {
            Some(number) if number.len() < scratch.len() => {
                add(hash_in(number, key), key | made | PREFIX)
            }
            _ => Some(()),
        }
    })
}

/// May two ids with one form be nearly the same? Two parts of an order are not, two shops' prefixes neither.
#[inline]
pub(in crate::report) fn fits(one: u8, other: u8) -> bool {
    one & other & (PART | PREFIX) == 0
}

/// Are both ids of cells with several? The one that they share may be no order's, such as `EU1/1001` and `EU1/1002`.
#[inline]
pub(super) fn are_lists(one: u8, other: u8) -> bool {
    one & other & LIST != 0
}

/// Two shops may have one number, so a prefix alone says little where both rows may be sales of their own: their click
/// must be the same. So must that of two cells.
#[inline]
pub(in crate::report) fn needs_click(one: u8, other: u8) -> bool {
    (one | other) & PREFIX != 0 || are_lists(one, other)
}
