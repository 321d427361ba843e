//! Clicks in columns of numbers, and their breakdown by dimension.

mod break_down;
mod figures;
mod groups;
mod journeys;
mod money;
mod overlap;

pub(super) use groups::Groups;

use super::memory::Memory;
use super::names::Role;
use super::store::NO_TIME;
use super::words::Words;
use overlap::Overlap;

/// The columns of a click, in their order.
pub(super) const ROLES: [Role; TEXTS] = [
    Role::OfferId,
    Role::AffiliateId,
    Role::SubId1,
    Role::SubId2,
    Role::SubId3,
    Role::SubId4,
    Role::SubId5,
    Role::Country,
    Role::Address,
];
pub(super) const TEXTS: usize = 9;
const OFFER: usize = 0;
const AFFILIATE: usize = 1;
const ADDRESS: usize = 8;
const BLOCK: usize = 65_536;
/// Numbers below this limit are ids of address texts; numbers from here on are IPv4 addresses.
const FIRST_IPV4: u32 = 1 << 24;

/// A column that allocates a block only where rows have values, and only as wide as the values are: most are the
/// numbers of few words.
#[derive(Debug, Default)]
struct Column {
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Block {
    Bytes(Vec<u8>),
    Halves(Vec<u16>),
    Words(Vec<u32>),
}

impl Block {
    /// Sets a value; `None` where the block is too narrow or not allocated yet.
    #[inline]
    fn set(&mut self, place: usize, value: u32) -> Option<()> {
        match self {
            Self::Bytes(values) => *values.get_mut(place)? = u8::try_from(value).ok()?,
            Self::Halves(values) => *values.get_mut(place)? = u16::try_from(value).ok()?,
            Self::Words(values) => *values.get_mut(place)? = value,
        }
        Some(())
    }

    #[inline]
    fn get(&self, place: usize) -> Option<u32> {
        match self {
            Self::Bytes(values) => values.get(place).map(|&value| u32::from(value)),
            Self::Halves(values) => values.get(place).map(|&value| u32::from(value)),
            Self::Words(values) => values.get(place).copied(),
        }
    }

    /// The highest value that fits.
    fn most(&self) -> u32 {
        match self {
            Self::Bytes(_) => u32::from(u8::MAX),
            Self::Halves(_) => u32::from(u16::MAX),
            Self::Words(_) => u32::MAX,
        }
    }

    /// A block of zeros for values up to this one.
    fn for_values(most: u32, memory: &mut Memory) -> Option<Self> {
        fn zeros<T: Copy + Default>(memory: &mut Memory) -> Option<Vec<T>> {
            let mut values = Vec::new();
            memory.reserve(&mut values, BLOCK)?;
            values.resize(BLOCK, T::default());
            Some(values)
        }
        Some(if u8::try_from(most).is_ok() {
            Self::Bytes(zeros(memory)?)
        } else if u16::try_from(most).is_ok() {
            Self::Halves(zeros(memory)?)
        } else {
            Self::Words(zeros(memory)?)
        })
    }

    fn free(&mut self, memory: &mut Memory) {
        match self {
            Self::Bytes(values) => memory.free(values),
            Self::Halves(values) => memory.free(values),
            Self::Words(values) => memory.free(values),
        }
    }
}

impl Column {
    #[inline]
    fn set(&mut self, row: u32, value: u32, memory: &mut Memory) -> Option<()> {
        if value == 0 {
            return Some(());
        }
        let place = row as usize % BLOCK;
        if let Some(block) = self.blocks.get_mut(row as usize / BLOCK)
            && block.set(place, value).is_some()
        {
            return Some(());
        }
        self.set_wider(row, value, memory)
    }

    /// Sets a value in a block that must be allocated, or be wider.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn set_wider(&mut self, row: u32, value: u32, memory: &mut Memory) -> Option<()> {
        let index = row as usize / BLOCK;
        // The values of the next rows are probably as wide as those before.
        let before = index
            .checked_sub(1)
            .and_then(|index| self.blocks.get(index));
        let before = before.map_or(0, Block::most);
        while self.blocks.len() <= index {
            self.blocks.push(Block::Bytes(Vec::new()));
        }
        let block = self.blocks.get_mut(index)?;
        let mut wider = Block::for_values(value.max(before), memory)?;
        for place in 0..BLOCK {
            if let Some(value) = block.get(place) {
                wider.set(place, value)?;
            }
        }
        block.free(memory);
        *block = wider;
        block.set(row as usize % BLOCK, value)
    }

    #[inline]
    fn get(&self, row: u32) -> u32 {
        let block = self.blocks.get(row as usize / BLOCK);
        let value = block.and_then(|block| block.get(row as usize % BLOCK));
        value.unwrap_or(0)
    }

    /// Removes the values from a row on.
    fn clear_from(&mut self, row: u32) {
        let (first, place) = (row as usize / BLOCK, row as usize % BLOCK);
        for (index, block) in self.blocks.iter_mut().enumerate().skip(first) {
            let from = if index == first { place } else { 0 };
            for place in from..BLOCK {
                if block.set(place, 0).is_none() {
                    break;
                }
            }
        }
    }
}

/// All clicks.
#[derive(Debug)]
pub(super) struct Clicks {
    rows: u32,
    seconds: Column,
    columns: [Column; TEXTS],
    /// The texts of sub ids, countries and addresses. Offers and affiliates have their dictionary
    /// in the report.
    words: [Words; TEXTS],
    /// Clicks that converted: the row, and the number of the conversion id.
    converted: Vec<(u32, u32)>,
    conversion_ids: Words,
    pub(super) overlap: Overlap,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    rows: u32,
    converted: usize,
    conversion_ids: usize,
}

impl Clicks {
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rows: 0,
            seconds: Column::default(),
            columns: Default::default(),
            words: core::array::from_fn(|_| Words::new(seed)),
            converted: Vec::new(),
            conversion_ids: Words::new(seed),
            overlap: Overlap::new(seed),
        }
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            rows: self.rows,
            converted: self.converted.len(),
            conversion_ids: self.conversion_ids.len(),
        }
    }

    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn go_back(&mut self, mark: Mark, memory: &mut Memory) {
        if self.rows != mark.rows {
            self.seconds.clear_from(mark.rows);
            for column in &mut self.columns {
                column.clear_from(mark.rows);
            }
        }
        self.rows = mark.rows;
        self.overlap.forget(memory);
        self.converted.truncate(mark.converted);
        // A conversion whose click did not come counts alone.
        self.conversion_ids.go_back(mark.conversion_ids);
    }

    pub(super) fn push(
        &mut self,
        seconds: u32,
        texts: [&[u8]; TEXTS],
        conversion: &[u8],
        offers: &mut Words,
        affiliates: &mut Words,
        memory: &mut Memory,
    ) -> Option<()> {
        let row = self.rows;
        // Time 0 means that a click has no time: 1970 is never read.
        let time = if seconds == NO_TIME { 0 } else { seconds };
        self.seconds.set(row, time, memory)?;
        let columns = self.columns.iter_mut().zip(&mut self.words);
        for (index, ((column, words), text)) in columns.zip(texts).enumerate() {
            let words = match index {
                OFFER => &mut *offers,
                AFFILIATE => &mut *affiliates,
                _ => words,
            };
            if text.is_empty() {
                continue;
            }
            let address = if index == ADDRESS { ipv4(text) } else { None };
            let value = match address {
                Some(address) => address,
                None => words.code(text, memory)?,
            };
            if index == ADDRESS && value < FIRST_IPV4 && words.len() >= FIRST_IPV4 as usize {
                return None;
            }
            column.set(row, value, memory)?;
        }
        if !conversion.is_empty() {
            let code = self.conversion_ids.code(conversion, memory)?;
            memory.extend(&mut self.converted, &[(row, code)])?;
        }
        self.rows += 1;
        Some(())
    }

    #[inline]
    fn seconds(&self, row: u32) -> u32 {
        match self.seconds.get(row) {
            0 => NO_TIME,
            seconds => seconds,
        }
    }
}

/// An IPv4 address as a number; `None` where the number could be confused with a text's id.
#[inline]
fn ipv4(text: &[u8]) -> Option<u32> {
    let mut address = 0_u32;
    let mut parts = 0;
    let mut part: Option<u32> = None;
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                // Only the canonical spelling: another spelling of the address stays a text.
                if part == Some(0) {
                    return None;
                }
                let value = part.unwrap_or(0) * 10 + u32::from(byte - b'0');
                if value > 255 {
                    return None;
                }
                part = Some(value);
            }
            b'.' if parts < 3 => {
                address = address << 8 | part?;
                part = None;
                parts += 1;
            }
            _ => return None,
        }
    }
    let address = address << 8 | part?;
    (parts == 3 && address >= FIRST_IPV4).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_values() {
        let mut memory = Memory::new(1 << 24);
        let mut column = Column::default();
        let block = u32::try_from(BLOCK).unwrap();
        let values = [
            (0, 1),
            (7, 255),
            (8, 256),
            (9, 65_535),
            (block, 3),
            (3 * block, 70_000),
            (3 * block + 1, u32::MAX),
            (9, 0),
        ];
        for (row, value) in values {
            assert!(column.set(row, value, &mut memory).is_some());
        }
        let read = |column: &Column| values.map(|(row, _)| column.get(row));
        assert_eq!(
            read(&column),
            [1, 255, 256, 65_535, 3, 70_000, u32::MAX, 65_535]
        );
        assert_eq!(memory.used(), BLOCK * (2 + 2 + 4));
        column.clear_from(8);
        assert_eq!(read(&column), [1, 255, 0, 0, 0, 0, 0, 0]);
        let mut full = Memory::new(BLOCK);
        let mut column = Column::default();
        assert!(column.set(0, 255, &mut full).is_some());
        assert_eq!(column.set(1, 256, &mut full), None);
        assert_eq!(column.get(0), 255);
    }
}
