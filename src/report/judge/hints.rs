//! Near misses: keys that differ only in their spelling.

use super::{Class, Hint, Judge};
use crate::report::Report;
use crate::report::memory::{hash, sort_numbers};
use crate::report::store::{CLICK_ID, NOBODY, Store};
use crate::spoiled::{is_dash, is_invisible};

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
        let mut keys = report.settings.keys.clone();
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
                })
            },
        )?;
        sort(&mut ours);
        let mut theirs: Vec<Entry> = Vec::new();
        self.each_key(others, places, &mut |place, key, text| {
            each_form(text, lengths, &mut scratch, &mut |form| {
                let entry = (hash_in(form, key), place, key);
                if same_form(&ours, entry.0).is_empty() {
                    return Some(());
                }
                memory.extend(&mut theirs, &[entry])
            })
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

/// The forms under which a key is found; `lengths` has the digits of the keys that were shortened.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn each_form(
    text: &[u8],
    lengths: u32,
    form: &mut Vec<u8>,
    add: &mut dyn FnMut(&[u8]) -> Option<()>,
) -> Option<()> {
    if let Some((digits, power)) = exponent_form(text) {
        short_form(&digits, power, form);
        return add(form);
    }
    plain_form(text, form);
    if form.is_empty() {
        return Some(());
    }
    add(form)?;
    if lengths < 2 || form.len() <= 6 || !form.iter().all(u8::is_ascii_digit) {
        return Some(());
    }
    let plain = form.clone();
    for length in (2..=EXACT_DIGITS).filter(|length| lengths & 1 << length != 0) {
        if let Some((digits, power)) = rounded(&plain, length) {
            short_form(&digits, power, form);
            add(form)?;
        }
    }
    // A number that is typed in is cut instead.
    if lengths & 1 << EXACT_DIGITS != 0
        && let Some(digits) = plain.get(..EXACT_DIGITS)
    {
        short_form(digits, plain.len() - 1, form);
        add(form)?;
    }
    Some(())
}

/// The digits that a spreadsheet keeps of a number; the others become zeros.
const EXACT_DIGITS: usize = 15;

/// How many digits of a number a spreadsheet has left; 0 where the key is none that was shortened.
#[cfg_attr(small_cold, optimize(size))]
fn shown_digits(text: &[u8]) -> usize {
    if let Some((digits, _)) = exponent_form(text) {
        return digits.len().min(31);
    }
    let is_shortened = text.len() > EXACT_DIGITS && text.ends_with(b"0") && {
        let mut plain = Vec::new();
        plain_form(text, &mut plain);
        let tail = plain.get(EXACT_DIGITS..).unwrap_or_default();
        !tail.is_empty()
            && tail.iter().all(|&byte| byte == b'0')
            && plain.iter().all(u8::is_ascii_digit)
    };
    if is_shortened { EXACT_DIGITS } else { 0 }
}

/// A name, and the key without what it names.
type Fold = (&'static str, fn(&str) -> String);

/// What people and spreadsheets add to a key, by name, and the key without it. Their order matters.
const FOLDS: [Fold; 11] = [
    ("blanks", |text| without(text, is_blank)),
    ("invisible", |text| without(text, is_invisible)),
    ("hyphen", |text| text.chars().map(plain_hyphen).collect()),
    ("accents", without_accents),
    ("quotes", |text| without(text, |c| matches!(c, '=' | '"'))),
    ("hash_sign", |text| without(text, |c| c == '#')),
    ("apostrophe", |text| {
        without(text, |c| matches!(c, '\'' | '\u{2018}' | '\u{2019}'))
    }),
    ("case", str::to_ascii_lowercase),
    ("decimals", |text| without_decimals(text).to_owned()),
    ("thousands", without_groups),
    ("leading_zeros", |text| {
        text.trim_start_matches('0').to_owned()
    }),
];

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn without(text: &str, is_passed: fn(char) -> bool) -> String {
    text.chars().filter(|&c| !is_passed(c)).collect()
}

fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace()
        || matches!(
            c,
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}'
        )
}

fn plain_hyphen(c: char) -> char {
    if is_dash(c) { '-' } else { c }
}

/// A letter with an accent is written as one character or as two: both become the same mark.
#[cfg_attr(small_cold, optimize(size))]
fn without_accents(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '\u{300}'..='\u{36f}' => {
                plain.pop();
                plain.push('\u{1}');
            }
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => plain.push('\u{1}'),
            c => plain.push(c),
        }
    }
    plain
}

/// `1001` of `1001.0` and `1001,00`.
#[cfg_attr(small_cold, optimize(size))]
fn without_decimals(text: &str) -> &str {
    let whole = text.trim_end_matches('0');
    let zeros = text.len() - whole.len();
    let is_number = |text: &&str| {
        let mut bytes = text.bytes();
        bytes.all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
    };
    let number = whole.strip_suffix(['.', ',']).filter(is_number);
    number.filter(|_| (1..=2).contains(&zeros)).unwrap_or(text)
}

/// `1001` of `1,001` and `1.001`.
#[cfg_attr(small_cold, optimize(size))]
fn without_groups(text: &str) -> String {
    let mut groups = text.split(['.', ',']);
    let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or("");
    let is_grouped = (1..=3).contains(&first.len())
        && is_number(first)
        && groups.all(|group| group.len() == 3 && is_number(group));
    if is_grouped {
        without(text, |c| matches!(c, '.' | ','))
    } else {
        text.to_owned()
    }
}

/// The key without all that people and spreadsheets add.
#[inline(never)]
fn plain_form(text: &[u8], form: &mut Vec<u8>) {
    form.clear();
    let mut has_marks = false;
    for &byte in text {
        match byte {
            0x80.. => return fold_all(text, form),
            b'#' | b'\'' | b'"' | b'=' | 0..=b' ' | 0x7F => {}
            _ => {
                has_marks |= matches!(byte, b'.' | b',');
                form.push(byte.to_ascii_lowercase());
            }
        }
    }
    if has_marks {
        return fold_all(text, form);
    }
    let zeros = form.iter().take_while(|&&byte| byte == b'0').count();
    form.drain(..zeros);
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn fold_all(text: &[u8], form: &mut Vec<u8>) {
    form.clear();
    let mut plain = String::from_utf8_lossy(text).into_owned();
    for (_, fold) in FOLDS {
        plain = fold(&plain);
    }
    form.extend_from_slice(plain.as_bytes());
}

/// The difference between two keys that are nearly the same; `is_one_key` where both are unique ids, or both order ids.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn difference(one: &[u8], other: &[u8], is_one_key: bool) -> &'static str {
    if one == other {
        return if is_one_key {
            "other_offer"
        } else {
            "other_key"
        };
    }
    if exponent_form(one).is_some() || exponent_form(other).is_some() {
        return "exponent";
    }
    let [a, b] = [one, other].map(String::from_utf8_lossy);
    let found = FOLDS.iter().find(|(_, fold)| fold(&a) == fold(&b));
    let plain = |text| {
        let mut form = Vec::new();
        plain_form(text, &mut form);
        form
    };
    match found {
        Some((name, _)) => name,
        None if plain(one) == plain(other) => "several",
        None => "rounding",
    }
}

/// The digits and the exponent of `1,79536E+12`.
#[cfg_attr(small_cold, optimize(size))]
fn exponent_form(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let text = text.trim_ascii();
    if !text.first()?.is_ascii_digit() {
        return None;
    }
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

/// The first digits of a long number, rounded as a spreadsheet rounds, and its exponent.
#[cfg_attr(small_cold, optimize(size))]
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_without_folds_is_the_short_way_the_same(text in "[ -~\t\r\n\0]{0,12}|[#'\"=A0-2.,-]{0,9}") {
            let (mut short, mut long) = (Vec::new(), Vec::new());
            plain_form(text.as_bytes(), &mut short);
            fold_all(text.as_bytes(), &mut long);
            prop_assert_eq!(short, long);
        }
    }
}
