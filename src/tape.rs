//! A text that is read by places and grows at its end. So the page's code stays small: a place is one number, where a
//! slice is two, and a part of a text needs no copy.

use crate::placeholder::is_missing_word;
use crate::url::{END_OF_FIELD, Sink};

/// The place of an empty text: it is past the end of every tape.
pub(crate) const NOWHERE: usize = usize::MAX;

/// A byte to look for, as wide as a register: a function would mask a narrower parameter anew.
pub(crate) type Mark = u32;

/// Bytes that are read by their places, and written at the end. A text on the tape ends with a byte up to
/// [`END_OF_FIELD`]; which one it is says what follows.
pub(crate) trait Tape: Sink {
    /// The byte at a place; 0 at [`NOWHERE`].
    fn byte(&self, at: usize) -> u8;

    /// The number of bytes written.
    fn length(&self) -> usize;

    /// Removes the bytes after a length.
    fn truncate(&mut self, length: usize);

    /// Is the click id between these places a word for a missing value? In a page the answer is no: its script has
    /// removed such values (js/page/missing.ts).
    fn is_missing(&self, start: usize, end: usize) -> bool;

    fn push_mark(&mut self, mark: Mark) {
        let [byte, ..] = mark.to_le_bytes();
        self.push_byte(byte);
    }

    /// The first place from `at` on with one of these marks, or where the text ends.
    #[inline(never)]
    fn find(&self, mut at: usize, mark: Mark, other: Mark) -> usize {
        loop {
            let byte = Mark::from(self.byte(at));
            if byte <= Mark::from(END_OF_FIELD) || byte == mark || byte == other {
                return at;
            }
            at += 1;
        }
    }

    /// The place where the text ends.
    #[inline(never)]
    fn end(&self, at: usize) -> usize {
        self.find(at, 0, 0)
    }

    /// The place after the next byte that ends a text and is `end` or a stronger one.
    #[inline(never)]
    fn after_end(&self, mut at: usize, end: Mark) -> usize {
        loop {
            at = self.end(at);
            let byte = Mark::from(self.byte(at));
            if byte >= end || byte == 0 {
                return at.wrapping_add(1);
            }
            at += 1;
        }
    }

    /// Writes a copy of the bytes between two places.
    #[inline(never)]
    fn push_copy(&mut self, mut start: usize, end: usize) {
        while start < end {
            self.push_byte(self.byte(start));
            start += 1;
        }
    }

    /// Are the bytes between two places and from another place on the same? `fold` is 32 where letters count without
    /// their case, else 0.
    #[inline(never)]
    fn is_same(
        &self,
        mut start: usize,
        end: usize,
        other: usize,
        other_end: usize,
        fold: Mark,
    ) -> bool {
        let ahead = other.wrapping_sub(start);
        if ahead != other_end.wrapping_sub(end) {
            return false;
        }
        while start < end {
            let byte = Mark::from(self.byte(start));
            let difference = byte ^ Mark::from(self.byte(start.wrapping_add(ahead)));
            if difference != 0 && !(difference == fold && is_letter(byte)) {
                return false;
            }
            start += 1;
        }
        true
    }
}

/// Is this a letter of ASCII?
pub(crate) fn is_letter(mark: Mark) -> bool {
    (mark | 32).wrapping_sub(0x61) < 26
}

impl Tape for Vec<u8> {
    fn byte(&self, at: usize) -> u8 {
        self.get(at).copied().unwrap_or_default()
    }

    fn length(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, length: usize) {
        Self::truncate(self, length);
    }

    fn is_missing(&self, start: usize, end: usize) -> bool {
        is_missing_word(self.get(start..end).unwrap_or_default())
    }
}
