//! Parts: which rows one part of a report must have together, and orders that are told in parts.

use super::forms::{EXACT_DIGITS, number_after_prefix, plain_form, shown_digits};

/// The first digits of a long number, which it mostly keeps where the last ones are lost.
const PART_DIGITS: usize = 12;

/// The form by which a report's parts share rows: what none of the other forms tells apart, so that nearly the same keys
/// lie in one part. It is the number alone where a prefix may stand before it, and of a long number the first digits.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn part_form(text: &[u8], form: &mut Vec<u8>) {
    plain_form(text, form);
    if let Some(whole) = whole_of(form) {
        form.truncate(whole.len());
    }
    let Some((number, _)) = number_after_prefix(form) else {
        return;
    };
    let length = number.len();
    form.drain(..form.len() - length);
    if length > EXACT_DIGITS {
        form.truncate(PART_DIGITS);
        form.push(u8::try_from(length).unwrap_or(u8::MAX));
    }
}

/// May the key be nearly the same as one of another part? Rounding carries into the first digits of such a number, or
/// has carried.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn is_at_border(text: &[u8]) -> bool {
    let mut form = Vec::new();
    plain_form(text, &mut form);
    if form.len() <= EXACT_DIGITS || !form.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let last = form.get(PART_DIGITS..EXACT_DIGITS).unwrap_or_default();
    last.iter().all(|&digit| digit == b'9')
        || last.iter().all(|&digit| digit == b'0') && shown_digits(text) > 0
}

/// The plain form of the order that a plain form names a part of: `1001` of `1001-1`.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn whole_of(form: &[u8]) -> Option<&[u8]> {
    let (whole, part) = match form {
        [whole @ .., b'-', one] => (whole, [b'0', *one]),
        [whole @ .., b'-', ten, one] => (whole, [*ten, *one]),
        _ => return None,
    };
    let is_part = part.iter().all(u8::is_ascii_digit) && part != *b"00";
    let is_one = whole.last().is_some_and(u8::is_ascii_digit) && !whole.contains(&b'-');
    (is_part && is_one).then_some(whole)
}

/// Does a row name an order by these ids, and another row by its ids a part of the order? A row of both is the part.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn is_part(whole: [&[u8]; 2], part: [&[u8]; 2]) -> bool {
    let forms = |ids: [&[u8]; 2]| {
        ids.map(|id| {
            let mut form = Vec::new();
            plain_form(id, &mut form);
            form
        })
    };
    let [whole, part] = [whole, part].map(forms);
    let has_part = |ids: &[Vec<u8>; 2], of: &[u8]| ids.iter().any(|id| whole_of(id) == Some(of));
    let mut ids = whole.iter().filter(|id| !id.is_empty());
    ids.any(|id| has_part(&part, id) && !has_part(&whole, id) && !part.contains(id))
}
