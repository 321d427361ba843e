//! The copies of a text in cookie and storage: which one was written last.

use super::time::read_time;
use super::{FIELD, MAX_STORED_BYTES, TOUCH, VERSION, after, next_of_all};
use crate::tape::{Mark, NOWHERE, Tape};
use crate::url::END_OF_FIELD;

/// The time of a text that a wrong clock dated into the future.
pub(super) const AHEAD: u32 = 1;

/// The time when a text was written; 0 for an unreadable text or a later version. A copy that a wrong clock dated into
/// the future counts as older than any other: its time is [`AHEAD`].
pub(super) fn written_s(tape: &impl Tape, text: usize, limit_s: u32) -> u32 {
    // All at once: each branch costs a page more bytes.
    let is_readable = (tape.byte(text) == VERSION)
        & (Mark::from(tape.byte(text + 1)) == FIELD)
        & (tape.end(text) - text <= 2 * MAX_STORED_BYTES)
        & (next_of_all(tape, after(tape, text, TOUCH)) != NOWHERE);
    if is_readable {
        read_time(tape, text + 2, limit_s, AHEAD)
    } else {
        0
    }
}

/// The copy in all stores that was written last, and its time; [`NOWHERE`] if there is none.
pub(super) fn latest(tape: &impl Tape, mut stores: usize, limit_s: u32) -> (usize, u32) {
    let mut latest = (NOWHERE, 0);
    while tape.byte(stores) > 0 {
        let at_s = written_s(tape, stores, limit_s);
        if at_s > latest.1 {
            latest = (stores, at_s);
        }
        stores = tape.end(stores) + 1;
    }
    latest
}

/// Has each of the stores a copy of the text? A page compares them itself (js/page/tracker.ts).
pub(super) fn is_in_all(tape: &impl Tape, text: usize, mut stores: usize) -> bool {
    let mut copies = 0_u32;
    while tape.byte(stores) > 0 {
        let end = tape.end(stores);
        copies += u32::from(tape.is_same(stores, end, text, tape.end(text), 0));
        if tape.byte(end) == END_OF_FIELD {
            if copies == 0 {
                return false;
            }
            copies = 0;
        }
        stores = end + 1;
    }
    true
}
