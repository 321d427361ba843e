//! The times in a stored text: seconds, in base 36.

use super::DAY_S;
use crate::url::Sink;

/// A separator and the digits of a time, at most.
pub(super) const MAX_TIME_BYTES: usize = 8;

/// Is this time more than a day ahead of the clock? Then one of both clocks was
/// wrong, and the time says nothing.
pub(super) fn is_ahead(at_s: u32, now_s: u32) -> bool {
    at_s > now_s.saturating_add(DAY_S)
}

/// Reads a time of 1 to 7 digits in base 36, small letters; 0 where it is none.
pub(super) fn read_time(digits: &[u8]) -> u32 {
    let mut time = 0_u32;
    for byte in digits {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            _ => return 0,
        };
        time = time.wrapping_mul(36).wrapping_add(u32::from(digit));
    }
    // What is longer does not fit into 32 bits, and not all of seven digits does.
    if digits.len() < 7 || digits.len() == 7 && digits.first() == Some(&b'1') {
        time
    } else {
        0
    }
}

/// Writes a time as [`read_time`] reads it; a clock that stands at 0 is a second ahead.
#[inline(never)]
pub(super) fn push_time(out: &mut impl Sink, time: u32) {
    let time = time.max(1);
    let rest = time / 36;
    if rest > 0 {
        push_time(out, rest);
    }
    let digit = u8::try_from(time - rest * 36).unwrap_or(0);
    let zero = if digit < 10 { b'0' } else { b'a' - 10 };
    out.push_byte(zero + digit);
}
