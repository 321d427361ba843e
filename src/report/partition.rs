//! Rows by the hash of their key, in 256 partitions. No table of keys is built; each partition is sorted and
//! merged in the cache.

use super::memory::Memory;

/// The number of partitions.
pub(super) const PARTITIONS: usize = 256;

/// The maximum number of entries in a block. Blocks grow up to this size, so that a small report needs little
/// memory.
const BLOCK: usize = 512;

/// Entries of `hash << 32 | place`, by the hash's top byte, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    lists: Vec<Vec<Vec<u64>>>,
}

impl Partitions {
    /// Adds a row; `None` where the memory is full.
    #[inline]
    pub(super) fn push(&mut self, hash: u32, place: u32, memory: &mut Memory) -> Option<()> {
        if self.lists.is_empty() {
            self.lists.resize_with(PARTITIONS, Vec::new);
        }
        let list = self.lists.get_mut((hash >> 24) as usize)?;
        let entry = u64::from(hash) << 32 | u64::from(place);
        if let Some(block) = list.last_mut()
            && block.len() < block.capacity()
        {
            block.push(entry);
            return Some(());
        }
        Self::add_block(list, entry, memory)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add_block(list: &mut Vec<Vec<u64>>, entry: u64, memory: &mut Memory) -> Option<()> {
        let size = list.last().map_or(16, |block| (block.len() * 2).min(BLOCK));
        let mut block = Vec::new();
        memory.reserve(&mut block, size)?;
        block.push(entry);
        if list.len() == list.capacity() {
            let more = list.len().max(4);
            memory.reserve(list, more)?;
        }
        list.push(block);
        Some(())
    }

    /// Replaces the list's content with a partition's entries.
    pub(super) fn gather(
        &self,
        index: usize,
        entries: &mut Vec<u64>,
        memory: &mut Memory,
    ) -> Option<()> {
        entries.clear();
        let Some(list) = self.lists.get(index) else {
            return Some(());
        };
        let count = list.iter().map(Vec::len).sum();
        memory.reserve(entries, count)?;
        for block in list {
            entries.extend_from_slice(block);
        }
        Some(())
    }

    /// Removes the rows from a place on.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn truncate(&mut self, place: u32, memory: &mut Memory) {
        for list in &mut self.lists {
            while let Some(block) = list.last_mut() {
                block.truncate(block.partition_point(|&entry| place_of(entry) < place));
                if !block.is_empty() {
                    break;
                }
                memory.free(block);
                list.pop();
            }
        }
    }

    /// Removes all rows.
    pub(super) fn clear(&mut self, memory: &mut Memory) {
        self.truncate(0, memory);
        for list in &mut self.lists {
            memory.free(list);
        }
        self.lists = Vec::new();
    }
}

/// The place of an entry's row.
#[expect(
    clippy::cast_possible_truncation,
    reason = "half of the number is cut out"
)]
#[inline]
pub(super) fn place_of(entry: u64) -> u32 {
    entry as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_are_gathered_and_forgotten(hashes in proptest::collection::vec(any::<u32>(), 0..3_000), kept in 0_u32..3_000) {
            let mut memory = Memory::new(1 << 24);
            let mut partitions = Partitions::default();
            for (place, &hash) in (0..).zip(&hashes) {
                // Few partitions, so that the blocks fill.
                prop_assert!(partitions.push(hash % (3 << 24), place, &mut memory).is_some());
            }
            let all = |partitions: &Partitions, memory: &mut Memory| {
                let mut places = Vec::new();
                let mut entries = Vec::new();
                for index in 0..PARTITIONS {
                    partitions.gather(index, &mut entries, memory).unwrap();
                    for entry in &entries {
                        assert_eq!((entry >> 56) as usize, index);
                        places.push(place_of(*entry));
                    }
                }
                memory.free(&mut entries);
                places.sort_unstable();
                places
            };
            let count = u32::try_from(hashes.len()).unwrap();
            prop_assert_eq!(all(&partitions, &mut memory), (0..count).collect::<Vec<_>>());
            partitions.truncate(kept, &mut memory);
            prop_assert_eq!(all(&partitions, &mut memory), (0..count.min(kept)).collect::<Vec<_>>());
            partitions.clear(&mut memory);
            prop_assert_eq!(memory.used(), 0);
        }
    }
}
