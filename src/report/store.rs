//! The rows of orders, conversions and events: 18 or 28 bytes and the row's texts, in blocks. Growth copies nothing, and
//! a row is identified by its place.

mod head;

use super::memory::{Memory, hash};
use super::partition::Partitions;
use head::{CLASS, FLAGS, HAS_MORE, HEAD, MORE, PARTNER};
pub(super) use head::{Head, View, latest};

const BLOCK_BITS: u32 = 15;
const BLOCK: usize = 1 << BLOCK_BITS;

/// Marks a missing amount and a missing time.
pub(super) const NO_AMOUNT: i64 = i64::MIN;
pub(super) const NO_TIME: u32 = u32::MAX;
/// The last second of a day, counted from its first one.
pub(super) const LAST_OF_DAY: u32 = 86_399;
/// Marks a missing partner row.
pub(super) const NOBODY: u32 = u32::MAX;

/// The texts of a row, in this order.
pub(super) const TEXTS: usize = 4;
pub(super) const UNIQUE_ID: usize = 0;
pub(super) const ORDER_ID: usize = 1;
pub(super) const CLICK_ID: usize = 2;
/// A conversion's own id; for an order or an event, the offer's id.
pub(super) const OWN_ID: usize = 3;

/// The order id equals the unique id, and is stored once.
pub(super) const IS_SAME_ID: u8 = 16;
/// The time has no time of day.
pub(super) const IS_DAY: u8 = 32;
/// The row refunds an order.
pub(super) const IS_REFUND: u8 = 64;
/// The conversion repeats another one, but no correction rejects it: they share no more than a click, or orders
/// repeat as often. Of a conversion that stands: another one takes money back. Orders have [`IS_REFUND`] in its place.
pub(super) const IS_SPARED: u8 = IS_REFUND;
/// The row was read twice with different content; or a refund belongs to the order.
pub(super) const IS_AMENDED: u8 = 128;

#[derive(Debug)]
struct Block {
    /// The number of its first row.
    first: u32,
    /// The bytes that rows occupy.
    used: usize,
    bytes: Vec<u8>,
}

/// Rows of one kind.
#[derive(Debug, Default)]
pub(super) struct Store {
    blocks: Vec<Block>,
    rows: u32,
    /// The rows by the hash of their first key, computed while the row is in the cache; then the places of rows
    /// without one.
    pub(super) keyed: Partitions,
    pub(super) keyless: Vec<u32>,
    /// Has a reconciliation judged the rows?
    pub(super) is_judged: bool,
}

/// An earlier end of a store, to which it can be rolled back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    blocks: usize,
    bytes: usize,
    rows: u32,
}

impl Mark {
    /// The place of the first row after it, where that row fits in the block; else a place before it.
    pub(super) fn place(self) -> u32 {
        let first = self.blocks.saturating_sub(1) << BLOCK_BITS;
        u32::try_from(first + self.bytes).unwrap_or(u32::MAX)
    }
}

impl Store {
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// Adds a row under a seeded hash of its key; returns its place, `None` where the memory is full.
    pub(super) fn push(
        &mut self,
        head: &Head,
        texts: [&[u8]; TEXTS],
        key: &[u8],
        seed: u64,
        memory: &mut Memory,
    ) -> Option<u32> {
        let has_more = head.has_more();
        let mut length = HEAD + if has_more { MORE } else { 0 };
        let mut flags = head.flags;
        for (index, text) in texts.iter().enumerate() {
            if !text.is_empty() {
                length += 1 + text.len();
                flags |= 1 << index;
            }
        }
        let has_room = self
            .blocks
            .last()
            .is_some_and(|block| block.used + length <= BLOCK);
        if !has_room {
            // Places are 32 bits: 2^17 blocks of 2^15 bytes.
            if self.blocks.len() >= 1 << (32 - BLOCK_BITS) {
                return None;
            }
            let mut block = Block {
                first: self.rows,
                used: 0,
                bytes: Vec::new(),
            };
            memory.reserve(&mut block.bytes, BLOCK)?;
            block.bytes.resize(BLOCK, 0);
            if self.blocks.capacity() == self.blocks.len() {
                let more = (self.blocks.len() / 4).max(64);
                memory.reserve(&mut self.blocks, more)?;
            }
            self.blocks.push(block);
        }
        let last = self.blocks.len().checked_sub(1)?;
        let block = self.blocks.last_mut()?;
        let place = u32::try_from(last << BLOCK_BITS | block.used).ok()?;
        if key.is_empty() {
            memory.extend(&mut self.keyless, &[place])?;
        } else {
            self.keyed.push(hash_of(key, seed), place, memory)?;
        }
        let head = Head { flags, ..*head };
        let row = block.bytes.get_mut(block.used..block.used + length)?;
        let (head_bytes, mut rest) = row.split_first_chunk_mut::<HEAD>()?;
        *head_bytes = head.encode();
        if has_more {
            let (more, texts) = rest.split_first_chunk_mut()?;
            *more = head.encode_more();
            rest = texts;
        }
        for text in texts {
            if !text.is_empty() {
                let (size, tail) = rest.split_first_mut()?;
                *size = u8::try_from(text.len()).ok()?;
                let (slot, tail) = tail.split_at_mut_checked(text.len())?;
                copy(text, slot);
                rest = tail;
            }
        }
        block.used += length;
        self.rows += 1;
        Some(place)
    }

    #[inline]
    fn bytes_at(&self, place: u32) -> Option<&[u8]> {
        let block = self.blocks.get((place >> BLOCK_BITS) as usize)?;
        block.bytes.get(place as usize & (BLOCK - 1)..)
    }

    /// The encoded row at a place, and the place after it.
    #[inline]
    pub(super) fn view(&self, place: u32) -> Option<(View<'_>, Option<u32>)> {
        let index = (place >> BLOCK_BITS) as usize;
        let at = place as usize & (BLOCK - 1);
        let block = self.blocks.get(index)?;
        let bytes = block.bytes.get(at..block.used)?;
        let view = View::of(bytes)?;
        let length = view.length();
        let next = if length < bytes.len() {
            Some(place + u32::try_from(length).ok()?)
        } else if index + 1 < self.blocks.len() {
            u32::try_from((index + 1) << BLOCK_BITS).ok()
        } else {
            None
        };
        Some((view, next))
    }

    /// Reads a part of a row, so that the row is in the cache.
    #[inline]
    pub(super) fn touch(&self, place: u32) -> u32 {
        let block = self.blocks.get((place >> BLOCK_BITS) as usize);
        let at = place as usize & (BLOCK - 1);
        block.map_or(0, |block| {
            let read = |at: usize| block.bytes.get(at).copied().map_or(0, u32::from);
            read(at) + read(at + HEAD + MORE + 12)
        })
    }

    /// The shift after which places fill 32 bits.
    pub(super) fn shift(&self) -> u32 {
        let end = (self.blocks.len() << BLOCK_BITS).saturating_sub(1);
        u32::try_from(end)
            .unwrap_or(u32::MAX)
            .leading_zeros()
            .min(31)
    }

    /// The encoded row at a place.
    #[inline]
    pub(super) fn at(&self, place: u32) -> Option<View<'_>> {
        View::of(self.bytes_at(place)?)
    }

    /// The fields of the row at a place, besides its texts.
    #[inline]
    pub(super) fn head(&self, place: u32) -> Option<Head> {
        self.at(place).map(|view| view.head())
    }

    /// The texts of the row at a place. The order id is also returned where it equals the unique id.
    pub(super) fn texts(&self, place: u32) -> [&[u8]; TEXTS] {
        self.at(place).map_or([&[]; TEXTS], |view| view.all_texts())
    }

    /// One text of the row at a place.
    #[inline]
    pub(super) fn text(&self, place: u32, which: usize) -> &[u8] {
        self.at(place).map_or(&[], |view| view.text(which))
    }

    fn byte_mut(&mut self, place: u32, at: usize) -> Option<&mut u8> {
        let block = self.blocks.get_mut((place >> BLOCK_BITS) as usize)?;
        block.bytes.get_mut((place as usize & (BLOCK - 1)) + at)
    }

    /// Sets the class of a row.
    pub(super) fn judge(&mut self, place: u32, class: u8, partner: u32) {
        let Some(block) = self.blocks.get_mut((place >> BLOCK_BITS) as usize) else {
            return;
        };
        let at = place as usize & (BLOCK - 1);
        if let Some(head) = block.bytes.get_mut(at..at + HEAD) {
            if let Some(slot) = head.get_mut(PARTNER..PARTNER + 4) {
                slot.copy_from_slice(&partner.to_le_bytes());
            }
            if let Some(slot) = head.get_mut(CLASS) {
                *slot = *slot & HAS_MORE | class;
            }
        }
    }

    pub(super) fn add_flags(&mut self, place: u32, flags: u8) {
        if let Some(slot) = self.byte_mut(place, FLAGS) {
            *slot |= flags;
        }
    }

    pub(super) fn take_flags(&mut self, place: u32, flags: u8) {
        if let Some(slot) = self.byte_mut(place, FLAGS) {
            *slot &= !flags;
        }
    }

    /// The first place; `None` in an empty store.
    pub(super) fn first(&self) -> Option<u32> {
        (self.rows > 0).then_some(0)
    }

    /// The place after a row's.
    pub(super) fn next(&self, place: u32) -> Option<u32> {
        self.view(place)?.1
    }

    /// The number of the row at a place, from 0.
    pub(super) fn number(&self, place: u32) -> u32 {
        let index = place >> BLOCK_BITS;
        let mut number = self
            .blocks
            .get(index as usize)
            .map_or(0, |block| block.first);
        let mut at = index << BLOCK_BITS;
        while at < place {
            number += 1;
            match self.next(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        number
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            blocks: self.blocks.len(),
            bytes: self.blocks.last().map_or(0, |block| block.used),
            rows: self.rows,
        }
    }

    /// Removes all rows after the mark.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn go_back(&mut self, mark: Mark, memory: &mut Memory) {
        while self.blocks.len() > mark.blocks {
            if let Some(mut block) = self.blocks.pop() {
                memory.free(&mut block.bytes);
            }
        }
        if let Some(block) = self.blocks.last_mut() {
            block.used = mark.bytes;
        }
        let place = mark.place();
        self.keyed.truncate(place, memory);
        let kept = self.keyless.partition_point(|&other| other < place);
        self.keyless.truncate(kept);
        self.rows = mark.rows;
    }
}

/// The half of a key's hash that selects the partition.
#[expect(
    clippy::cast_possible_truncation,
    reason = "half of the number is cut out"
)]
#[inline]
pub(super) fn hash_of(key: &[u8], seed: u64) -> u32 {
    hash(key, seed) as u32
}

/// Copies a text into a slot of the same length: for short texts, `memory.copy` costs more than the copying.
#[inline]
fn copy(text: &[u8], slot: &mut [u8]) {
    match text.len() {
        8..=16 => copy_ends::<8>(text, slot),
        4..=7 => copy_ends::<4>(text, slot),
        _ => slot.copy_from_slice(text),
    }
}

/// Copies the first and the last bytes, which may overlap.
#[inline]
fn copy_ends<const BYTES: usize>(text: &[u8], slot: &mut [u8]) {
    if let (Some(from), Some(to)) = (text.first_chunk::<BYTES>(), slot.first_chunk_mut()) {
        *to = *from;
    }
    if let (Some(from), Some(to)) = (text.last_chunk::<BYTES>(), slot.last_chunk_mut()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests;
