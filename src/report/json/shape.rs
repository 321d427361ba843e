//! The shape of a program's rows: the literals between the values.

use super::{Json, NO_ROLE, SHAPES};
use crate::report::digits::{DIGIT, HIGH, SAME, each, unlike, word_at};
use crate::report::memory::last_word;
use crate::report::names::{Fields, Kind};

/// A literal of a shape.
#[derive(Clone, Copy, Debug, Default)]
struct Literal {
    /// Its words but the last: a range in the shape's.
    words: (u32, u32),
    length: u32,
    /// Its last eight bytes, which may overlap the word before. A shorter literal is compared under the mask.
    last: u64,
    mask: u64,
}

/// A literal of a shape, and the value after it.
#[derive(Debug)]
struct Slot {
    literal: Literal,
    is_text: bool,
    role: u8,
    /// The length of the last text. The next one is probably as long: the processor then need not wait for its end.
    last: usize,
    /// The number of values of another length.
    misses: u32,
    /// How the last number was written.
    layout: Layout,
}

#[derive(Debug, Default)]
pub(super) struct Shape {
    words: Vec<u64>,
    slots: Vec<Slot>,
    /// The literal after the last value.
    tail: Literal,
}

/// How a number of at most seven characters is written: where it has digits, and what else it has, up to the
/// character after it.
#[derive(Clone, Copy, Debug, Default)]
struct Layout {
    /// The characters, with 0 for each digit.
    pattern: u64,
    /// How far each byte may be from the pattern's.
    slack: u64,
    /// The bytes that count, by their high bits: none before the first number.
    marks: u64,
    length: usize,
    /// The first character that no such number has: 0, if more digits follow.
    never: u8,
}

impl Layout {
    /// The layout of the number that a word begins with.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn of(word: u64, length: usize) -> Self {
        let bytes = word.to_le_bytes();
        let mut layout = Self::default();
        if length > 7 || !bytes[0].is_ascii_digit() {
            return layout;
        }
        for (&byte, shift) in bytes.iter().take(length + 1).zip((0..).step_by(8)) {
            let (pattern, slack) = if byte.is_ascii_digit() {
                (b'0', DIGIT)
            } else {
                (byte, SAME)
            };
            layout.pattern |= u64::from(pattern) << shift;
            layout.slack |= u64::from(slack) << shift;
            layout.marks |= 0x80 << shift;
        }
        layout.length = length;
        if bytes[1].is_ascii_digit() {
            layout.never = b'0';
        }
        layout
    }

    /// Does the word begin with a number of this layout?
    #[inline]
    fn fits(&self, word: u64) -> bool {
        let unlike = unlike(word, self.pattern, self.slack) & self.marks;
        unlike == 0 && self.marks != 0 && word.to_le_bytes()[0] != self.never
    }
}

/// After this number of values of another length, the length of a slot's values is no longer guessed.
const MISSES: u32 = 1_000;

impl Shape {
    #[cfg_attr(small_cold, optimize(size))]
    fn literal(&mut self, text: &[u8]) -> Literal {
        let place = |index: usize| u32::try_from(index).unwrap_or(0);
        let from = self.words.len();
        let count = text.len().saturating_sub(1) / 8;
        let words = text.chunks_exact(8).take(count);
        self.words.extend(words.map(|word| word_of(word).0));
        let last = text.get(text.len().saturating_sub(8)..).unwrap_or(text);
        let (last, mask) = word_of(last);
        Literal {
            words: (place(from), place(self.words.len())),
            length: place(text.len()),
            last,
            mask,
        }
    }

    /// Visits the values of the row that the input begins with, and that has fitted: the role of each, whether it is a
    /// text, and its offsets.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn values(
        &self,
        input: &[u8],
        mut visit: impl FnMut(u8, bool, usize, usize),
    ) -> Option<()> {
        let mut at = 0;
        for slot in &self.slots {
            let from = at + slot.literal.length as usize;
            at = if slot.is_text {
                plain_text(input, from)?
            } else {
                plain_number(input, from)?
            };
            visit(slot.role, slot.is_text, from, at);
        }
        Some(())
    }

    pub(super) fn read(&mut self, input: &[u8], at: usize, fields: &mut Fields) -> Option<usize> {
        let mut at = at;
        for slot in &mut self.slots {
            at = slot.literal.after(&self.words, input, at)?;
            let is_guessed = slot.misses < MISSES;
            let end = if slot.is_text {
                if is_guessed && is_plain_text(input, at, slot.last) {
                    at + slot.last
                } else {
                    let end = plain_text(input, at)?;
                    slot.last = end - at;
                    slot.misses = slot.misses.saturating_add(1);
                    end
                }
            } else {
                let word = word_at(input, at)?;
                if slot.layout.fits(word) {
                    at + slot.layout.length
                } else {
                    let end = plain_number(input, at)?;
                    if is_guessed {
                        slot.layout = Layout::of(word, end - at);
                        slot.misses += 1;
                    }
                    end
                }
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
        self.tail.after(&self.words, input, at)
    }
}

/// At most eight bytes as a word, and the mask of those that it has.
fn word_of(bytes: &[u8]) -> (u64, u64) {
    let mut words = ([0; 8], [0; 8]);
    for ((slot, mask), &byte) in words.0.iter_mut().zip(&mut words.1).zip(bytes) {
        (*slot, *mask) = (byte, 0xFF);
    }
    (u64::from_le_bytes(words.0), u64::from_le_bytes(words.1))
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
            let literal = shape.literal(literal);
            shape.slots.push(Slot {
                literal,
                is_text: value.is_text,
                role: value.role,
                last: 0,
                misses: 0,
                layout: Layout::default(),
            });
            at = value.to;
        }
        let Some(literal) = input.get(at..to) else {
            return;
        };
        shape.tail = shape.literal(literal);
        if shape.words.len() > 2_000 {
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
        #[cfg(test)]
        if self.is_strict {
            fields.clear();
            return None;
        }
        if let Some(after) = self.read_by_stencil(input, at, fields) {
            return Some(after);
        }
        fields.clear();
        if let Some(shape) = self.shapes.get_mut(self.last)
            && let Some(after) = shape.read(input, at, fields)
        {
            self.note_row(input, at, after);
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

impl Literal {
    /// The offset after the literal, if the input has it here. Near the end of the input the answer is no, and the
    /// strict reader decides.
    #[inline]
    fn after(&self, words: &[u64], input: &[u8], at: usize) -> Option<usize> {
        let (from, to) = self.words;
        let length = self.length as usize;
        let mut rest = input.get(at..)?;
        let last = rest.get(length.saturating_sub(8)..)?.first_chunk()?;
        for &word in words.get(from as usize..to as usize)? {
            let (one, tail) = rest.split_first_chunk()?;
            if u64::from_le_bytes(*one) != word {
                return None;
            }
            rest = tail;
        }
        (u64::from_le_bytes(*last) & self.mask == self.last).then_some(at + length)
    }
}

/// The high bits of bytes that are no printable ASCII, a quote or an escape. The lowest marked byte is one; a borrow can
/// mark bytes after it.
#[inline]
pub(super) fn special(word: u64) -> u64 {
    let quote = word ^ (each(b'"'));
    let escape = word ^ (each(b'\\'));
    let control = word.wrapping_sub(each(0x20));
    // A subtraction marks bytes below its number. Bytes from 128 on mark themselves.
    (quote.wrapping_sub(each(1)) | escape.wrapping_sub(each(1)) | control | word) & HIGH
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
        0..4 => rest.iter().all(|&byte| special(each(byte)) == 0),
        _ => special(last_word(text)) == 0,
    }
}

/// The end of a text of printable ASCII without escapes.
pub(super) fn plain_text(input: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = special(word_at(input, at)?);
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
