//! The shape of a program's rows: the literals between the values.

use super::{Json, NO_ROLE, SHAPES};
use crate::report::names::{Fields, Kind};

/// A literal of a shape, as words that are compared under a mask, and the value after it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) words: (u32, u32),
    pub(super) length: u32,
    pub(super) is_text: bool,
    pub(super) role: u8,
}

#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) words: Vec<(u64, u64)>,
    pub(super) slots: Vec<Slot>,
    /// The literal after the last value.
    pub(super) tail: (u32, u32),
    pub(super) tail_length: u32,
}

impl Shape {
    pub(super) fn push(&mut self, literal: &[u8]) -> (u32, u32) {
        let from = self.words.len();
        for chunk in literal.chunks(8) {
            let mut word = [0; 8];
            let mut mask = [0; 8];
            for ((slot, bits), &byte) in word.iter_mut().zip(&mut mask).zip(chunk) {
                *slot = byte;
                *bits = 0xFF;
            }
            self.words
                .push((u64::from_le_bytes(word), u64::from_le_bytes(mask)));
        }
        let place = |index: usize| u32::try_from(index).unwrap_or(0);
        (place(from), place(self.words.len()))
    }

    /// Does the input have the literal here? Near the end of the input the answer is no, and the strict reader
    /// decides.
    #[inline]
    pub(super) fn fits(&self, input: &[u8], at: usize, (from, to): (u32, u32)) -> Option<()> {
        let words = self.words.get(from as usize..to as usize)?;
        let mut at = at;
        for &(word, mask) in words {
            let found = input.get(at..)?.first_chunk::<8>()?;
            if u64::from_le_bytes(*found) & mask != word {
                return None;
            }
            at += 8;
        }
        Some(())
    }

    pub(super) fn read(&self, input: &[u8], at: usize, fields: &mut Fields) -> Option<usize> {
        let mut at = at;
        for slot in &self.slots {
            self.fits(input, at, slot.words)?;
            at += slot.length as usize;
            let end = if slot.is_text {
                plain_text(input, at)?
            } else {
                plain_number(input, at)?
            };
            if slot.role != NO_ROLE {
                let kind = if slot.is_text {
                    Kind::Text
                } else {
                    Kind::Number
                };
                fields.set(slot.role, at, end, kind);
            }
            at = end;
        }
        self.fits(input, at, self.tail)?;
        Some(at + self.tail_length as usize)
    }
}

impl Json {
    /// Remembers the shape of the row that the strict reader has read.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn learn(&mut self, input: &[u8], from: usize, to: usize) {
        let mut shape = Shape::default();
        let mut at = from;
        for value in &self.values {
            let Some(literal) = input.get(at..value.from) else {
                return;
            };
            let words = shape.push(literal);
            shape.slots.push(Slot {
                words,
                length: u32::try_from(literal.len()).unwrap_or(0),
                is_text: value.is_text,
                role: value.role,
            });
            at = value.to;
        }
        let Some(literal) = input.get(at..to) else {
            return;
        };
        shape.tail = shape.push(literal);
        shape.tail_length = u32::try_from(literal.len()).unwrap_or(0);
        if shape.words.len() > 1_000 {
            return;
        }
        if self.shapes.len() < SHAPES {
            self.last = self.shapes.len();
            self.shapes.push(shape);
        } else if let Some(slot) = self.shapes.get_mut(self.oldest) {
            *slot = shape;
            self.last = self.oldest;
            self.oldest = (self.oldest + 1) % SHAPES;
        }
    }

    /// Reads a row that fits a shape; returns the offset after it.
    pub(super) fn predict(
        &mut self,
        input: &[u8],
        at: usize,
        fields: &mut Fields,
    ) -> Option<usize> {
        fields.clear();
        #[cfg(test)]
        if self.is_strict {
            return None;
        }
        if let Some(shape) = self.shapes.get(self.last)
            && let Some(after) = shape.read(input, at, fields)
        {
            return Some(after);
        }
        for (index, shape) in self.shapes.iter().enumerate() {
            if index == self.last {
                continue;
            }
            fields.clear();
            if let Some(after) = shape.read(input, at, fields) {
                self.last = index;
                return Some(after);
            }
        }
        fields.clear();
        None
    }
}

/// The end of a text of printable ASCII without escapes.
pub(super) fn plain_text(input: &[u8], from: usize) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    loop {
        let word = u64::from_le_bytes(*input.get(at..)?.first_chunk::<8>()?);
        let quote = word ^ (LOW * u64::from(b'"'));
        let escape = word ^ (LOW * u64::from(b'\\'));
        let quotes = quote.wrapping_sub(LOW) & !quote;
        let others =
            (escape.wrapping_sub(LOW) & !escape) | (word.wrapping_sub(LOW * 0x20) & !word) | word;
        let found = (quotes | others) & HIGH;
        if found != 0 {
            let place = found.trailing_zeros();
            at += (place / 8) as usize;
            // A borrow can only mark bytes after a true match: the first mark is always right.
            return (input.get(at) == Some(&b'"')).then_some(at);
        }
        at += 8;
    }
}

/// The end of a number without an exponent.
pub(super) fn plain_number(input: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    if input.get(at) == Some(&b'-') {
        at += 1;
    }
    let first = *input.get(at)?;
    if !first.is_ascii_digit() {
        return None;
    }
    at += 1;
    let mut next = *input.get(at)?;
    if first == b'0' && next.is_ascii_digit() {
        return None;
    }
    while next.is_ascii_digit() {
        at += 1;
        next = *input.get(at)?;
    }
    if next == b'.' {
        at += 1;
        next = *input.get(at)?;
        if !next.is_ascii_digit() {
            return None;
        }
        while next.is_ascii_digit() {
            at += 1;
            next = *input.get(at)?;
        }
    }
    (next != b'e' && next != b'E').then_some(at)
}
