//! The forms of a key, without what people, programs and spreadsheets add: keys of one form are nearly the same.

use super::border::{drop_separators, is_sign};
use super::letters::{plain_digit, small, without_accents};
use crate::report::encoding::from_windows;
use crate::spoiled::{is_dash, is_invisible, narrow, unescaped};

/// The forms under which a key is found; `lengths` has the digits of the keys that were shortened.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn each_form(
    text: &[u8],
    lengths: u32,
    form: &mut Vec<u8>,
    add: &mut dyn FnMut(&[u8]) -> Option<()>,
) -> Option<()> {
    if let Some((mut digits, power)) = exponent_form(text) {
        short_form(&digits, power, form);
        add(form)?;
        if digits.len() > EXACT_DIGITS && digits.len() <= power + 1 {
            digits.resize(power + 1, b'0');
            if double_form(&digits, form) {
                add(form)?;
            }
        }
        return Some(());
    }
    plain_form(text, form);
    if form.is_empty() {
        return Some(());
    }
    add(form)?;
    if lengths < 2 || form.len() < 2 || !form.iter().all(u8::is_ascii_digit) {
        return Some(());
    }
    let plain = form.clone();
    for length in (1..=EXACT_DIGITS).filter(|length| lengths & 1 << length != 0) {
        // All digits of a number as short as this are left: only an exponent shows them otherwise.
        let is_whole = plain.len() <= length;
        if is_whole && length == EXACT_DIGITS {
            continue;
        }
        let (digits, power) = rounded(&plain, length);
        short_form(&digits, power, form);
        add(form)?;
    }
    // A number that is typed in is cut instead.
    if lengths & 1 << EXACT_DIGITS != 0
        && let Some(digits) = plain.get(..EXACT_DIGITS)
    {
        short_form(digits, plain.len() - 1, form);
        add(form)?;
    }
    if lengths >> (EXACT_DIGITS + 1) != 0 && double_form(&plain, form) {
        add(form)?;
    }
    Some(())
}

/// The digits that a spreadsheet keeps of a number; the others become zeros.
pub(super) const EXACT_DIGITS: usize = 15;

/// How many digits of a number a spreadsheet has left, or JavaScript; 0 where the key is none that was shortened.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn shown_digits(text: &[u8]) -> usize {
    if let Some((digits, _)) = exponent_form(text) {
        return digits.len().min(31);
    }
    // JavaScript's last digits are seldom zeros in numbers that are as short as this.
    let may_be_double = || text.len() <= DOUBLE_DIGITS && text.iter().all(u8::is_ascii_digit);
    if text.len() <= EXACT_DIGITS || !(text.ends_with(b"0") || may_be_double()) {
        return 0;
    }
    let mut plain = Vec::new();
    plain_form(text, &mut plain);
    if plain.len() <= EXACT_DIGITS || !plain.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    let zeros = plain.iter().rev().take_while(|&&byte| byte == b'0');
    let shown = plain.len() - zeros.count();
    match number_of(&plain) {
        _ if shown <= EXACT_DIGITS => EXACT_DIGITS,
        Some(number) if number >= EXACT && double(number) == Some(number) => shown,
        _ => 0,
    }
}

/// The most digits that JavaScript writes of a number: zeros follow.
const DOUBLE_DIGITS: usize = 17;

/// The whole numbers below this one are exact in 64 bits of floating point, as JavaScript has all numbers.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

fn number_of(digits: &[u8]) -> Option<u64> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// The nearest number of 53 bits; of two, the even one.
fn nearest(number: u64) -> Option<u64> {
    let shift = (u64::BITS - number.leading_zeros()).saturating_sub(f64::MANTISSA_DIGITS);
    if shift == 0 {
        return Some(number);
    }
    let (kept, half) = (number >> shift, 1 << (shift - 1));
    let rest = number & (2 * half - 1);
    let is_up = rest > half || rest == half && kept & 1 == 1;
    (kept + u64::from(is_up)).checked_mul(2 * half)
}

/// A whole number as JavaScript writes it: as few digits as tell it from its neighbours, and zeros.
#[cfg_attr(small_cold, optimize(size))]
fn double(number: u64) -> Option<u64> {
    let nearest_one = nearest(number)?;
    let mut unit = 10_000_u64;
    while unit > 1 {
        let short = (nearest_one / unit).checked_mul(unit);
        let short = short.and_then(|short| {
            let is_up = nearest_one % unit >= unit / 2;
            short.checked_add(if is_up { unit } else { 0 })
        });
        if let Some(short) = short
            && nearest(short) == Some(nearest_one)
        {
            return Some(short);
        }
        unit /= 10;
    }
    Some(nearest_one)
}

/// The form of the numbers that are one number in JavaScript.
fn double_form(digits: &[u8], form: &mut Vec<u8>) -> bool {
    let Some(number) = number_of(digits)
        .filter(|&number| number >= EXACT)
        .and_then(double)
    else {
        return false;
    };
    form.clear();
    form.extend_from_slice(b"\0D");
    form.extend_from_slice(&number.to_be_bytes());
    true
}

/// A name, and the key without what it names.
type Fold = (&'static str, fn(&str) -> String);

/// What people, programs and spreadsheets add to a key, by name, and the key without it. Their order matters.
const FOLDS: [Fold; 17] = [
    ("encoding", read_as_utf8),
    ("escapes", |text| unescaped(text).into_owned()),
    ("width", |text| text.chars().map(narrow).collect()),
    ("digits", |text| text.chars().map(plain_digit).collect()),
    ("blanks", |text| without(text, is_blank)),
    ("invisible", |text| without(text, is_invisible)),
    ("hyphen", |text| text.chars().map(plain_hyphen).collect()),
    ("accents", without_accents),
    ("quotes", without_quotes),
    ("apostrophe", |text| {
        without(text, |c| matches!(c, '\'' | '\u{2018}' | '\u{2019}'))
    }),
    ("hash_sign", |text| {
        without(text, |c| matches!(c, '#' | '\u{2116}'))
    }),
    ("case", |text| text.chars().map(small).collect()),
    ("punctuation", |text| {
        text.trim_end_matches([',', ';', ':', '.', ' ']).to_owned()
    }),
    ("decimals", |text| without_decimals(text).to_owned()),
    ("thousands", without_groups),
    ("leading_zeros", without_zeros),
    ("separator", without_separators),
];

/// Text in UTF-8 that a program has read as Windows-1252: `CafÃ©` is `Café`.
#[cfg_attr(small_cold, optimize(size))]
fn read_as_utf8(text: &str) -> String {
    let byte = |c: char| (0x80..=0xFF).find(|&byte| from_windows(byte) == c);
    let bytes = text.chars().map(|c| match u8::try_from(c) {
        Ok(ascii) if ascii.is_ascii() => Some(ascii),
        _ => byte(c),
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    let read = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    read.unwrap_or_else(|| text.to_owned())
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn without(text: &str, is_passed: fn(char) -> bool) -> String {
    text.chars().filter(|&c| !is_passed(c)).collect()
}

/// An address writes a blank as `+`.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace()
        || matches!(
            c,
            '+' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}'
        )
}

fn plain_blank(c: char) -> char {
    if is_blank(c) { ' ' } else { c }
}

/// `1001` of `="1001"`. A sign between two numbers may stand before a part: `1001=2`.
#[cfg_attr(small_cold, optimize(size))]
fn without_quotes(text: &str) -> String {
    let bare = without(text, is_quote);
    bare.trim_matches(['=', ' ']).to_owned()
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}')
}

fn without_separators(text: &str) -> String {
    let mut plain = text.as_bytes().to_vec();
    drop_separators(&mut plain);
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

/// `1001` of `001001`, and `ORD1001` of `ORD0001001`: nothing but letters stands before the zeros.
fn without_zeros(text: &str) -> String {
    let mut plain = text.as_bytes().to_vec();
    drop_zeros(&mut plain);
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

fn drop_zeros(plain: &mut Vec<u8>) {
    if let Some(at) = plain.iter().position(u8::is_ascii_digit) {
        let zeros = plain.iter().skip(at);
        let zeros = zeros.take_while(|&&byte| byte == b'0' || is_sign(byte));
        let to = at + zeros.count();
        plain.drain(at..to);
    }
}

fn plain_hyphen(c: char) -> char {
    if is_dash(c) { '-' } else { c }
}

/// `1001` of `1001.0` and `1001,00`.
#[cfg_attr(small_cold, optimize(size))]
fn without_decimals(text: &str) -> &str {
    let whole = text.trim_end_matches('0');
    let zeros = text.len() - whole.len();
    let is_number = |text: &&str| {
        let mut bytes = text.bytes();
        bytes.all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b' '))
    };
    let number = whole.strip_suffix(['.', ',']).filter(is_number);
    number.filter(|_| (1..=2).contains(&zeros)).unwrap_or(text)
}

/// `1001` of `1,001`, `1.001` and `1 001`; in India 1234567 is `12,34,567`.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn without_groups(text: &str) -> String {
    let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let groups = |marks: &[char], of: usize| {
        let mut groups = text.split(marks);
        let first = groups.next().unwrap_or("");
        let is_last = groups
            .next_back()
            .is_none_or(|last| last.len() == 3 && is_number(last));
        is_last
            && (1..=of).contains(&first.len())
            && is_number(first)
            && groups.all(|group| group.len() == of && is_number(group))
    };
    let is_grouped = groups(&['.', ',', ' '], 3) || groups(&[','], 2);
    if is_grouped {
        without(text, |c| matches!(c, '.' | ',' | ' '))
    } else {
        text.to_owned()
    }
}

/// The key without all that people and spreadsheets add.
#[inline(never)]
pub(in crate::report) fn plain_form(text: &[u8], form: &mut Vec<u8>) {
    form.clear();
    let (mut has_marks, mut has_separators) = (false, false);
    for &byte in text {
        match byte {
            0x80.. => return fold_all(text, form),
            b'#' | b'+' | b'=' | b' ' | b'\t'..=b'\r' if !form.is_empty() => {
                return fold_all(text, form);
            }
            b'#' | b'\'' | b'"' | b'=' | b'+' | 0..=b' ' | 0x7F => {}
            _ => {
                has_marks |= matches!(byte, b'.' | b',' | b';' | b':' | b'&' | b'%' | b'\\');
                has_separators |= byte.is_ascii_punctuation();
                form.push(byte.to_ascii_lowercase());
            }
        }
    }
    if has_marks {
        return fold_all(text, form);
    }
    drop_zeros(form);
    if has_separators {
        drop_separators(form);
    }
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn fold_all(text: &[u8], form: &mut Vec<u8>) {
    form.clear();
    let mut plain = String::from_utf8_lossy(text).into_owned();
    for (name, fold) in FOLDS {
        plain = match name {
            // These may stand before a part.
            "blanks" => plain.chars().map(plain_blank).collect(),
            "hash_sign" => {
                let marked = plain.replace('\u{2116}', "#");
                marked.trim_start_matches([' ', '#']).to_owned()
            }
            _ => fold(&plain),
        };
    }
    form.extend_from_slice(plain.as_bytes());
}

/// What one key has and the other lacks, where that shows by their letters; `is_one_key` where both are unique ids, or both
/// order ids.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn spelt_difference(one: &[u8], other: &[u8], is_one_key: bool) -> Option<&'static str> {
    if one == other {
        return Some(if is_one_key {
            "other_offer"
        } else {
            "other_key"
        });
    }
    if exponent_form(one).is_some() || exponent_form(other).is_some() {
        return Some("exponent");
    }
    let [a, b] = [one, other].map(String::from_utf8_lossy);
    let found = FOLDS.iter().find(|(_, fold)| fold(&a) == fold(&b));
    let plain = |text| {
        let mut form = Vec::new();
        plain_form(text, &mut form);
        form
    };
    match found {
        Some((name, _)) => Some(name),
        None if plain(one) == plain(other) => Some("several"),
        None if without_prefix(&plain(one)) == without_prefix(&plain(other)) => Some("prefix"),
        None => None,
    }
}

/// The most bytes of a prefix before a number.
pub(super) const PREFIX_BYTES: usize = 16;

/// The number at the end of a key's plain form without its leading zeros, and whether letters stand before it.
pub(super) fn number_after_prefix(key: &[u8]) -> Option<(&[u8], bool)> {
    let digits = key.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let (prefix, number) = key.split_at_checked(key.len() - digits.count())?;
    let zeros = number.iter().take_while(|&&byte| byte == b'0').count();
    let number = number.get(zeros..).filter(|number| !number.is_empty())?;
    // Words of some length, and such as hexadecimal numbers, only happen to end in digits.
    let is_short = prefix.len() <= PREFIX_BYTES && !prefix.iter().any(u8::is_ascii_digit);
    is_short.then_some((number, !prefix.is_empty()))
}

/// `1001-1` of the plain form `ord1001-1`: without what stands before the first digit.
fn without_prefix(form: &[u8]) -> &[u8] {
    let at = form.iter().position(u8::is_ascii_digit);
    let at = at.filter(|at| (1..=PREFIX_BYTES).contains(at)).unwrap_or(0);
    form.get(at..).unwrap_or_default()
}

/// Is it a number that a spreadsheet has written as `1,79536E+12`?
pub(in crate::report) fn is_exponent(text: &[u8]) -> bool {
    exponent_form(text).is_some()
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

/// The first digits of a number, rounded as a spreadsheet rounds, and its exponent.
#[cfg_attr(small_cold, optimize(size))]
fn rounded(number: &[u8], length: usize) -> (Vec<u8>, usize) {
    let mut power = number.len() - 1;
    let mut digits: Vec<u8> = number.iter().copied().take(length).collect();
    digits.resize(length, b'0');
    if number.get(length).is_some_and(|&next| next >= b'5') {
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
    (digits, power)
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

        #[test]
        fn a_whole_number_is_rounded_as_floating_point_writes_it(number: u64, shift in 0..64_u32, is_pair: bool) {
            // Half of them are the middle between two numbers.
            let number = (number >> shift) & if is_pair { u64::MAX << (11_u32.saturating_sub(shift)) } else { u64::MAX };
            // Reading the text rounds it to 64 bits of floating point.
            let read = number.to_string().parse::<f64>().ok();
            let written = read.and_then(|read| read.to_string().parse::<u64>().ok());
            let rounded = double(number);
            if number < EXACT {
                prop_assert_eq!(nearest(number), Some(number));
            } else if written.is_some() && rounded.is_some() {
                prop_assert_eq!(rounded, written, "{}", number);
            }
        }
    }
}
