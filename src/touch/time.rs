//! The times in a stored text: seconds, in base 36.

use super::{DAY_S, end_of};
use crate::tape::Tape;
use crate::url::push_digit;

/// The maximum size of a separator and the digits of a time.
pub(super) const MAX_TIME_BYTES: usize = 8;

/// Reads a time of 1 to 7 digits in base 36, small letters; 0 for an invalid one. A time that is more than a day ahead
/// of the clock says nothing, since one of two clocks was wrong: the answer is then `ahead`.
#[inline(never)]
pub(super) fn read_time(tape: &impl Tape, start: usize, now_s: u32, ahead: u32) -> u32 {
    let end = end_of(tape, start);
    let mut time = 0_u32;
    for at in start..end {
        let byte = tape.byte(at);
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            _ => return 0,
        };
        time = time.wrapping_mul(36).wrapping_add(u32::from(digit));
    }
    // A longer text does not fit into 32 bits, nor do all texts of seven digits.
    let length = end - start;
    if length > 7 || length == 7 && tape.byte(start) != b'1' {
        0
    } else if time > now_s.saturating_add(DAY_S) {
        ahead
    } else {
        time
    }
}

/// Writes a time as [`read_time`] reads it; a clock at 0 is written as 1 second.
#[inline(never)]
pub(super) fn push_time(out: &mut impl Tape, time: u32) {
    let time = time.max(1);
    let rest = time / 36;
    if rest > 0 {
        push_time(out, rest);
    }
    push_digit(out, u8::try_from(time % 36).unwrap_or(0), b'a');
}
