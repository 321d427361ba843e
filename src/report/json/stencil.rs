//! Stencils: what each byte of a row may be, where its values are as long as those of a row before. Such a row is
//! compared as a whole, and its values lie where they lay.

use super::shape::{Shape, special};
use super::{Json, NO_ROLE};
use crate::report::digits::{DIGIT, HIGH, SAME, word_at};
use crate::report::names::{Fields, Kind};

/// The most stencils that are kept.
const STENCILS: usize = 8;

/// Rows of ever other lengths gain nothing by stencils: a row that fits gives one, and others cost so many, up to an
/// end of all patience.
pub(super) const PATIENCE: u32 = 2_000;
const MISS: u32 = 2;
const NEW: u32 = 100;

/// What eight bytes may be: the pattern, and how far each byte may be from the pattern's.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    pattern: u64,
    slack: u64,
}

impl Bounds {
    fn of(pattern: [u8; 8], slack: [u8; 8]) -> Self {
        Self {
            pattern: u64::from_le_bytes(pattern),
            slack: u64::from_le_bytes(slack),
        }
    }

    /// Has a high bit for each byte out of bounds.
    #[inline]
    fn unlike(self, word: u64) -> u64 {
        let apart = word ^ self.pattern;
        ((apart & !HIGH) + self.slack) | apart
    }
}

#[derive(Debug)]
pub(super) struct Stencil {
    length: usize,
    words: Vec<Bounds>,
    last: Bounds,
    /// Words of texts, by their offsets: these bytes must be no special ones.
    texts: Vec<(usize, u64)>,
    /// The offsets of digits that may not be 0: more digits follow.
    firsts: Vec<usize>,
    /// Role, offsets and kind of each value that has a role.
    spans: Vec<(u8, usize, usize, Kind)>,
}

impl Stencil {
    /// The stencil of the row that the input begins with, and that has fitted a shape.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn of(shape: &Shape, input: &[u8], length: usize) -> Option<Self> {
        let row = input.get(..length)?;
        let mut pattern = row.to_vec();
        let mut slack = vec![SAME; row.len()];
        let (mut texts, mut firsts, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        shape.values(input, |role, is_text, from, to| {
            let kind = if is_text { Kind::Text } else { Kind::Number };
            if role != NO_ROLE {
                spans.push((role, from, to, kind));
            }
            let bytes = pattern.iter_mut().zip(&mut slack);
            for (byte, slack) in bytes.take(to).skip(from) {
                if is_text {
                    (*byte, *slack) = (0, 0);
                } else if byte.is_ascii_digit() {
                    (*byte, *slack) = (b'0', DIGIT);
                }
            }
            if is_text {
                for at in (from..to).step_by(8) {
                    let start = at.min(row.len() - 8);
                    let before = 8 * (at - start);
                    let after = 8 * (start + 8).saturating_sub(to);
                    texts.push((start, HIGH << before & HIGH >> after));
                }
            } else {
                let from = from + usize::from(row.get(from) == Some(&b'-'));
                if row.get(from + 1).is_some_and(u8::is_ascii_digit) {
                    firsts.push(from);
                }
            }
        })?;
        let (patterns, slacks) = (pattern.as_chunks().0, slack.as_chunks().0);
        let words = patterns.iter().zip(slacks);
        Some(Self {
            length,
            words: words
                .map(|(word, slack)| Bounds::of(*word, *slack))
                .collect(),
            last: Bounds::of(*pattern.last_chunk()?, *slack.last_chunk()?),
            texts,
            firsts,
            spans,
        })
    }

    /// Does the row at the beginning of the input fit?
    #[inline]
    fn fits(&self, input: &[u8]) -> bool {
        let Some(row) = input.get(..self.length) else {
            return false;
        };
        let Some(last) = row.last_chunk() else {
            return false;
        };
        let mut unlike = self.last.unlike(u64::from_le_bytes(*last));
        for (word, bounds) in row.as_chunks().0.iter().zip(&self.words) {
            unlike |= bounds.unlike(u64::from_le_bytes(*word));
        }
        for &(at, bytes) in &self.texts {
            unlike |= word_at(row, at).map_or(HIGH, |word| special(word) & bytes);
        }
        let mut firsts = self.firsts.iter();
        unlike & HIGH == 0 && firsts.all(|&at| row.get(at) != Some(&b'0'))
    }
}

impl Json {
    /// Reads a row that fits the last stencil; returns the offset after it.
    #[inline]
    pub(super) fn read_by_stencil(
        &mut self,
        input: &[u8],
        at: usize,
        fields: &mut Fields,
    ) -> Option<usize> {
        if self.patience == 0 {
            return None;
        }
        let stencil = self.stencils.get(self.stencil)?;
        if !stencil.fits(input.get(at..)?) {
            return None;
        }
        if !fields.has_spans_of(self.stencil) {
            fields.clear();
            for &(role, from, to, kind) in &stencil.spans {
                fields.set(role, from, to, kind);
            }
        }
        fields.begin_at(at, self.stencil);
        self.patience = (self.patience + 1).min(PATIENCE);
        Some(at + stencil.length)
    }

    /// Looks for the stencil of a row that the last one did not fit.
    #[inline(never)]
    pub(super) fn note_row(&mut self, input: &[u8], at: usize, after: usize) {
        let (input, length) = (input.get(at..).unwrap_or_default(), after - at);
        if self.patience == 0 || length < 8 {
            return;
        }
        self.patience = self.patience.saturating_sub(MISS);
        let mut known = self.stencils.iter();
        let found = known.position(|known| known.length == length && known.fits(input));
        if let Some(index) = found {
            self.stencil = index;
            return;
        }
        self.patience = self.patience.saturating_sub(NEW);
        let shape = self.shapes.get(self.last);
        let Some(stencil) = shape.and_then(|shape| Stencil::of(shape, input, length)) else {
            return;
        };
        self.stencil = self.next_stencil;
        self.next_stencil = (self.next_stencil + 1) % STENCILS;
        if let Some(slot) = self.stencils.get_mut(self.stencil) {
            *slot = stencil;
        } else {
            self.stencils.push(stencil);
        }
    }
}
