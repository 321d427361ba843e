//! The shape of a program's rows: the literals between the values.

use super::{Json, NO_ROLE, SHAPES};
use crate::report::memory::last_word;
use crate::report::names::{Fields, Kind};

/// A literal of a shape, as words that are compared under a mask, and the value after it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) words: (u32, u32),
    pub(super) length: u32,
    pub(super) is_text: bool,
    pub(super) role: u8,
    /// The length of the last text. The next one is probably as long: the processor then need not wait for its end.
    pub(super) last: usize,
    /// The number of texts of another length.
    pub(super) misses: u32,
}

#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) words: Vec<[(u64, u64); 2]>,
    pub(super) slots: Vec<Slot>,
    /// The literal after the last value.
    pub(super) tail: (u32, u32),
    pub(super) tail_length: u32,
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// After this number of texts of another length, the length of a slot's texts is no longer guessed.
const MISSES: u32 = 1_000;

impl Shape {
    pub(super) fn push(&mut self, literal: &[u8]) -> (u32, u32) {
        let from = self.words.len();
        for chunk in literal.chunks(16) {
            let mut words = [(0, 0); 2];
            for (slot, chunk) in words.iter_mut().zip(chunk.chunks(8)) {
                let mut word = [0; 8];
                let mut mask = [0; 8];
                for ((slot, bits), &byte) in word.iter_mut().zip(&mut mask).zip(chunk) {
                    *slot = byte;
                    *bits = 0xFF;
                }
                *slot = (u64::from_le_bytes(word), u64::from_le_bytes(mask));
            }
            self.words.push(words);
        }
        let place = |index: usize| u32::try_from(index).unwrap_or(0);
        (place(from), place(self.words.len()))
    }

    pub(super) fn read(&mut self, input: &[u8], at: usize, fields: &mut Fields) -> Option<usize> {
        let mut at = at;
        for slot in &mut self.slots {
            fits(&self.words, input, at, slot.words)?;
            at += slot.length as usize;
            let end = if slot.is_text {
                if slot.misses < MISSES && is_plain_text(input, at, slot.last) {
                    at + slot.last
                } else {
                    let end = plain_text(input, at)?;
                    slot.last = end - at;
                    slot.misses = slot.misses.saturating_add(1);
                    end
                }
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
        fits(&self.words, input, at, self.tail)?;
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
                last: 0,
                misses: 0,
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
        if let Some(shape) = self.shapes.get_mut(self.last)
            && let Some(after) = shape.read(input, at, fields)
        {
            return Some(after);
        }
        for (index, shape) in self.shapes.iter_mut().enumerate() {
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

/// Does the input have the literal here? Near the end of the input the answer is no, and the strict reader
/// decides.
#[inline]
fn fits(words: &[[(u64, u64); 2]], input: &[u8], at: usize, (from, to): (u32, u32)) -> Option<()> {
    let words = words.get(from as usize..to as usize)?;
    let mut at = at;
    for &[(first, first_mask), (second, second_mask)] in words {
        let (one, rest) = input.get(at..)?.split_first_chunk::<8>()?;
        let other = rest.first_chunk::<8>()?;
        let one = u64::from_le_bytes(*one) & first_mask ^ first;
        let other = u64::from_le_bytes(*other) & second_mask ^ second;
        if one | other != 0 {
            return None;
        }
        at += 16;
    }
    Some(())
}

/// The high bits of bytes that are no printable ASCII, a quote or an escape. The lowest marked byte is one; a borrow can
/// mark bytes after it.
#[inline]
fn special(word: u64) -> u64 {
    let quote = word ^ (LOW * u64::from(b'"'));
    let escape = word ^ (LOW * u64::from(b'\\'));
    let control = word.wrapping_sub(LOW * 0x20);
    // A subtraction marks bytes below its number. Bytes from 128 on mark themselves.
    (quote.wrapping_sub(LOW) | escape.wrapping_sub(LOW) | control | word) & HIGH
}

/// Does a text of that length end at a quote, without a special byte before it?
#[inline]
fn is_plain_text(input: &[u8], from: usize, length: usize) -> bool {
    let Some((text, [b'"', ..])) = input
        .get(from..)
        .and_then(|rest| rest.split_at_checked(length))
    else {
        return false;
    };
    let mut rest = text;
    while let Some((word, tail)) = rest.split_first_chunk::<8>() {
        if special(u64::from_le_bytes(*word)) != 0 {
            return false;
        }
        rest = tail;
    }
    match text.len() {
        _ if rest.is_empty() => true,
        0..4 => rest.iter().all(|&byte| special(u64::from(byte) * LOW) == 0),
        _ => special(last_word(text)) == 0,
    }
}

/// The end of a text of printable ASCII without escapes.
pub(super) fn plain_text(input: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let word = u64::from_le_bytes(*input.get(at..)?.first_chunk::<8>()?);
        let found = special(word);
        if found != 0 {
            let place = found.trailing_zeros();
            at += (place / 8) as usize;
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
