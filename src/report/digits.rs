//! Eight characters as one word, the first one in the lowest byte: they are compared all at once, and their digits
//! read.

/// The high bit of each byte.
pub(super) const HIGH: u64 = each(0x80);
const ZEROS: u64 = each(b'0');

/// A word of eight times one byte.
#[inline]
pub(super) const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The eight bytes from an offset on.
#[inline]
pub(super) fn word_at(input: &[u8], at: usize) -> Option<u64> {
    let word = input.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

/// The slack of a byte that must be the pattern's, and of one that may be any digit where the pattern has 0.
pub(super) const SAME: u8 = 0x80 - 1;
pub(super) const DIGIT: u8 = 0x80 - 10;

/// The high bits of the bytes that do not follow the pattern.
#[inline]
pub(super) fn unlike(word: u64, pattern: u64, slack: u64) -> u64 {
    let apart = word ^ pattern;
    (((apart & !HIGH) + slack) | apart) & HIGH
}

/// A text of four to eight characters as a word, with zeros before it.
#[inline]
pub(super) fn padded(text: &[u8]) -> Option<u64> {
    let half = |half: &[u8; 4]| u64::from(u32::from_le_bytes(*half));
    let (first, last) = (half(text.first_chunk()?), half(text.last_chunk()?));
    let lacking = 8 * 8_usize.checked_sub(text.len())?;
    // The halves may overlap: there, they have the same characters.
    Some(first << lacking | last << 32 | ZEROS & !(u64::MAX << lacking))
}

/// The number that a word of eight digits is.
#[inline]
pub(super) fn number(word: u64) -> Option<u64> {
    if unlike(word, ZEROS, each(DIGIT)) != 0 {
        return None;
    }
    let digits = word ^ ZEROS;
    let twos = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (twos * 100 + (twos >> 16)) & 0xFFFF_0000_FFFF;
    Some((fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF)
}

/// Hour, minute and second of `14:30:00`.
#[inline]
pub(super) fn clock(word: u64) -> Option<[u64; 3]> {
    const PATTERN: u64 = u64::from_le_bytes(*b"00:00:00");
    const SLACK: u64 = u64::from_le_bytes([DIGIT, DIGIT, SAME, DIGIT, DIGIT, SAME, DIGIT, DIGIT]);
    if unlike(word, PATTERN, SLACK) != 0 {
        return None;
    }
    let digits = word ^ PATTERN;
    let twos = digits * 10 + (digits >> 8);
    Some([twos & 0xFF, twos >> 24 & 0xFF, twos >> 48 & 0xFF])
}

/// The offset of the first of two bytes; the end where neither occurs.
#[inline(never)]
pub(super) fn find_either(bytes: &[u8], from: usize, one: u8, other: u8) -> usize {
    find(bytes, from, one, other)
}

/// The same inside its caller.
#[inline(always)]
pub(super) fn find(bytes: &[u8], from: usize, one: u8, other: u8) -> usize {
    const LOW: u64 = each(1);
    let (ones, others) = (each(one), each(other));
    let mut at = from;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let (a, b) = (word ^ ones, word ^ others);
        let found = ((a.wrapping_sub(LOW) & !a) | (b.wrapping_sub(LOW) & !b)) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == one || byte == other {
            break;
        }
        at += 1;
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_short_text_is_read_as_the_standard_library_reads_it(text in "[0-9]{4,8}|[ -~]{0,10}|[0-9./:é]{4,8}") {
            let expected = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
            let expected = expected.filter(|_| (4..=8).contains(&text.len()));
            prop_assert_eq!(padded(text.as_bytes()).and_then(number), expected);
        }

        #[test]
        fn a_clock_is_read_by_its_digits(text in "[0-9]{2}:[0-9]{2}:[0-9]{2}|[0-:]{8}|[0-9][0-9 :/\u{7F}é][:;][0-9]{2}:[0-9]{2}") {
            let word = text.as_bytes().first_chunk().map(|word| u64::from_le_bytes(*word));
            let parts: Vec<_> = text.split(':').collect();
            let is_clock = parts.iter().map(|part| part.len()).eq([2, 2, 2])
                && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            let expected = is_clock.then(|| [0, 1, 2].map(|index| parts[index].parse().unwrap()));
            prop_assert_eq!(word.filter(|_| text.len() == 8).and_then(clock), expected);
        }

        #[test]
        fn the_first_of_two_bytes_is_found(bytes in proptest::collection::vec(0_u8..8, 0..40), from in 0_usize..8) {
            let from = from.min(bytes.len());
            let expected = bytes.iter().skip(from).position(|byte| [1, 5].contains(byte))
                .map_or(bytes.len(), |at| at + from);
            prop_assert_eq!(find_either(&bytes, from, 1, 5), expected);
        }
    }
}
