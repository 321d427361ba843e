//! Parts: which rows one part of a report must have together, and orders that are told in parts.

use super::forms::{
    EXACT_DIGITS, PREFIX_BYTES, number_after_prefix, plain_form, shown_digits, spelt_difference,
    without_prefix,
};

/// The first digits of a long number, which it mostly keeps where the last ones are lost.
const PART_DIGITS: usize = 12;

/// The form by which a report's parts share rows: what none of the other forms tells apart, so that nearly the same keys
/// lie in one part. It is the number alone where a prefix may stand before it, and of a long number the first digits.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn part_form(text: &[u8], form: &mut Vec<u8>) {
    plain_form(text, form);
    while let Some(whole) = whole_of(form).map(<[u8]>::len) {
        form.truncate(whole);
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

/// The plain form of the order that a plain form names a part of: `1001` of `1001-1`, and of `1001-A` and `1001-F1`, whose
/// plain forms are `1001a` and `1001f1`.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn whole_of(form: &[u8]) -> Option<&[u8]> {
    let (whole, part) = match form {
        [whole @ .., b'-', one @ b'0'..=b'9'] => (whole, [b'0', *one]),
        [whole @ .., b'-', ten @ b'0'..=b'9', one @ b'0'..=b'9'] => (whole, [*ten, *one]),
        _ => return lettered_whole_of(form),
    };
    let is_part = part != *b"00";
    let is_one = whole.last().is_some_and(u8::is_ascii_digit) && !whole.contains(&b'-');
    (is_part && is_one).then_some(whole)
}

/// A number with letters before it or none, and after it a word and at most two digits.
#[cfg_attr(small_cold, optimize(size))]
fn lettered_whole_of(form: &[u8]) -> Option<&[u8]> {
    let end = |text: &[u8], is_passed: fn(&u8) -> bool| {
        let tail = text.iter().rev().take_while(|byte| is_passed(byte));
        text.len() - tail.count()
    };
    let letters_end = end(form, u8::is_ascii_digit);
    let (lettered, digits) = form.split_at_checked(letters_end)?;
    let (whole, letters) = lettered.split_at_checked(end(lettered, u8::is_ascii_alphabetic))?;
    let (prefix, number) = whole.split_at_checked(end(whole, u8::is_ascii_digit))?;
    let is_part = (1..=PREFIX_BYTES).contains(&letters.len()) && digits.len() <= 2;
    let is_one = !number.is_empty() && prefix.iter().all(u8::is_ascii_alphabetic);
    // A part may have parts: `1001-1` of a refund `1001-1-R`.
    let is_part_too = || whole.contains(&b'-') && whole_of(whole).is_some();
    (is_part && (is_one || is_part_too())).then_some(whole)
}

/// Does a row name an order by these ids, and another row by its ids a part of the order? A row of both is the part.
/// Either may have a prefix.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn is_part(whole: [&[u8]; 2], part: [&[u8]; 2]) -> bool {
    let forms = |ids: [&[u8]; 2]| {
        ids.map(|id| {
            let mut form = Vec::new();
            plain_form(id, &mut form);
            without_prefix(&form).to_vec()
        })
    };
    let [whole, part] = [whole, part].map(forms);
    let has_part = |ids: &[Vec<u8>; 2], of: &[u8]| ids.iter().any(|id| whole_of(id) == Some(of));
    let mut ids = whole.iter().filter(|id| !id.is_empty());
    ids.any(|id| has_part(&part, id) && !has_part(&whole, id) && !part.contains(id))
}

/// The difference between two keys that are nearly the same; `is_one_key` where both are unique ids, or both order ids.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn difference(one: &[u8], other: &[u8], is_one_key: bool) -> &'static str {
    spelt_difference(one, other, is_one_key).unwrap_or_else(|| {
        if is_part([one, &[]], [other, &[]]) || is_part([other, &[]], [one, &[]]) {
            "part"
        } else {
            "rounding"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_names_its_order() {
        let whole = |id: &str| {
            let mut form = Vec::new();
            plain_form(id.as_bytes(), &mut form);
            whole_of(&form).map(|whole| String::from_utf8_lossy(whole).into_owned())
        };
        for (id, order) in [
            ("1001-1", "1001"),
            ("1001-12", "1001"),
            ("#1001.2", "1001"),
            ("1001-A", "1001"),
            ("1001 b", "1001"),
            ("1001/C", "1001"),
            ("1001_a", "1001"),
            ("#1001-F1", "1001"),
            ("#1001-R2", "1001"),
            ("1001-EX1", "1001"),
            ("1001-bis", "1001"),
            ("1001-REFUND", "1001"),
            ("1001 (refund)", "1001"),
            ("1001-REFUND-2", "1001"),
            ("1001R", "1001"),
            ("1001-1-R", "1001-1"),
            ("ORD-1001-1-R1", "ord1001-1"),
            ("ORD-1001-A", "ord1001"),
            ("ORD1001-1", "ord1001"),
        ] {
            assert_eq!(whole(id).as_deref(), Some(order), "{id}");
        }
        for id in [
            "1001",
            "ORD-26",
            "ORD-1001",
            "2026-1001",
            "1001-00",
            "1001-a-word-of-some-length",
            "1001-A100",
            "1001-A-B1-C",
            "9f86d081-884c-4d63-a1b2-0f00a08c3d11",
            "9f86d081884c4d63",
            "A",
            "",
        ] {
            assert_eq!(whole(id), None, "{id}");
        }
    }
}
