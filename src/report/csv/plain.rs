//! Rows without a quote, which nearly all are: their cells are found in one pass.

use super::{Csv, NO_ROLE};
use crate::report::digits::{HIGH, each, word_at};
use crate::report::names::{Fields, Kind};

impl Csv {
    /// Reads a row of as many cells as the header has, none of them with a quote; returns the offset after it.
    #[inline]
    pub(in crate::report) fn next_plain(
        &mut self,
        input: &[u8],
        start: usize,
        fields: &mut Fields,
    ) -> Option<usize> {
        // An empty row is none.
        let is_row = input
            .get(start)
            .is_some_and(|&byte| ![self.newline, b'\r', self.delimiter].contains(&byte));
        if !self.has_header || !is_row {
            return None;
        }
        let after = self.read_plain(input, start, fields)?;
        (self.row_line, self.row_start) = (self.line, start);
        self.line += 1;
        Some(after)
    }

    /// Where it returns `None`, the fields are not certain.
    #[inline(never)]
    fn read_plain(&self, input: &[u8], start: usize, fields: &mut Fields) -> Option<usize> {
        let (delimiters, newlines) = (each(self.delimiter), each(self.newline));
        let mut roles = self.roles.as_slice();
        let (mut at, mut from) = (start, start);
        fields.clear();
        loop {
            let word = word_at(input, at)?;
            let stops = first_zero(word ^ newlines) | first_zero(word ^ each(b'"'));
            let before_stop = (stops & stops.wrapping_neg()).wrapping_sub(1);
            let mut ends = zeros(word ^ delimiters) & before_stop;
            while ends != 0 {
                let end = at + (ends.trailing_zeros() / 8) as usize;
                ends &= ends - 1;
                let (&role, rest) = roles.split_first()?;
                if role != NO_ROLE {
                    fields.set(role, from, end, Kind::Text);
                }
                (from, roles) = (end + 1, rest);
            }
            if stops != 0 {
                let end = at + (stops.trailing_zeros() / 8) as usize;
                let &[role] = roles else { return None };
                if input.get(end) != Some(&self.newline) {
                    return None;
                }
                if role != NO_ROLE {
                    let to = self.end_of_cell(input, from, end);
                    fields.set(role, from, to, Kind::Text);
                }
                return Some(end + 1);
            }
            at += 8;
        }
    }
}

/// The high bits of the bytes that are 0.
#[inline]
fn zeros(word: u64) -> u64 {
    !(((word & !HIGH) + !HIGH) | word) & HIGH
}

/// The same in fewer steps. The lowest marked byte is one; a borrow can mark bytes after it.
#[inline]
fn first_zero(word: u64) -> u64 {
    word.wrapping_sub(each(1)) & !word & HIGH
}
