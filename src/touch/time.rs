//! The times in a stored text: seconds, in base 36.

use super::end_of;
use crate::tape::{Mark, Tape};
use crate::url::push_digit;

/// The maximum size of a separator and the digits of a time.
pub(super) const MAX_TIME_BYTES: usize = 8;

/// Reads a time of 1 to 7 digits in base 36, small letters; 0 for an invalid one. A time past `limit_s` says nothing, since
/// one of two clocks was wrong: the answer is then `ahead`.
#[inline(never)]
pub(super) fn read_time(tape: &impl Tape, start: usize, limit_s: u32, ahead: u32) -> u32 {
    let end = end_of(tape, start);
    let mut time = 0_u32;
    for at in start..end {
        // As wide as a register: a byte would be masked after each step.
        let mut digit = Mark::from(tape.byte(at)).wrapping_sub(b'0'.into());
        if digit > 9 {
            digit = digit.wrapping_sub(LETTERS);
            if digit.wrapping_sub(10) > 25 {
                return 0;
            }
        }
        time = time.wrapping_mul(36).wrapping_add(digit);
    }
    // A longer text does not fit into 32 bits, nor do all texts of seven digits.
    let length = end - start;
    if length > 7 || length == 7 && tape.byte(start) != b'1' {
        0
    } else if time > limit_s {
        ahead
    } else {
        time
    }
}

/// How far the letters' codes are from being digits after `9`.
const LETTERS: Mark = 39;

/// Writes a time as [`read_time`] reads it.
#[inline(never)]
pub(super) fn push_time(out: &mut impl Tape, time: u32) {
    let rest = time / 36;
    if rest > 0 {
        push_time(out, rest);
    }
    push_digit(out, u8::try_from(time % 36).unwrap_or(0), b'a');
}
