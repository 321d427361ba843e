//! Rows by the hash of their key, in partitions. No table of keys is built; each partition is sorted and
//! merged in the cache.

use super::memory::Memory;

/// The number of partitions. Each row is written to another one: the processor finds the memory of as many fast.
pub(super) const PARTITIONS: usize = 1 << PARTITION_BITS;
const PARTITION_BITS: u32 = 6;

/// The maximum number of entries in a block. Blocks grow up to this size, so that a small report needs little
/// memory.
const BLOCK: usize = 512;

/// The maximum number of buckets into which a partition is sorted, in bits.
const MAX_BUCKET_BITS: u32 = 18;

/// The entries of one partition, in the order of their arrival.
#[derive(Debug, Default)]
struct Partition {
    /// The block that receives the next entry. It lies beside those of the other partitions, in the cache.
    last: Vec<u64>,
    full: Vec<Vec<u64>>,
}

/// Entries of `hash << 32 | place`, by the hash's top bits.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    lists: Vec<Partition>,
}

impl Partitions {
    /// Adds a row; `None` where the memory is full.
    #[inline]
    pub(super) fn push(&mut self, hash: u32, place: u32, memory: &mut Memory) -> Option<()> {
        let entry = u64::from(hash) << 32 | u64::from(place);
        if let Some(list) = self.lists.get_mut((hash >> (32 - PARTITION_BITS)) as usize)
            && list.last.len() < list.last.capacity()
        {
            list.last.push(entry);
            return Some(());
        }
        self.add_block(hash, entry, memory)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add_block(&mut self, hash: u32, entry: u64, memory: &mut Memory) -> Option<()> {
        if self.lists.is_empty() {
            self.lists.resize_with(PARTITIONS, Partition::default);
        }
        let list = self
            .lists
            .get_mut((hash >> (32 - PARTITION_BITS)) as usize)?;
        let size = (list.last.len() * 2).clamp(16, BLOCK);
        let mut block = Vec::new();
        memory.reserve(&mut block, size)?;
        block.push(entry);
        if !list.last.is_empty() {
            if list.full.len() == list.full.capacity() {
                let more = list.full.len().max(4);
                if memory.reserve(&mut list.full, more).is_none() {
                    memory.free(&mut block);
                    return None;
                }
            }
            list.full.push(core::mem::take(&mut list.last));
        }
        list.last = block;
        Some(())
    }

    /// Replaces the list's content with a partition's entries, sorted by hash.
    #[inline(never)]
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
        let blocks = || list.full.iter().chain([&list.last]);
        let count = blocks().map(Vec::len).sum();
        memory.reserve(entries, count)?;
        entries.resize(count, 0);
        // About as many buckets as entries: each bucket then has one or two, and is sorted at once.
        let bits = (usize::BITS - count.leading_zeros()).clamp(4, MAX_BUCKET_BITS);
        let bucket =
            |entry: u64| usize::try_from((entry << PARTITION_BITS) >> (64 - bits)).unwrap_or(0);
        let mut starts: Vec<u32> = Vec::new();
        memory.reserve(&mut starts, 1 << bits)?;
        starts.resize(1 << bits, 0);
        for block in blocks() {
            for &entry in block {
                if let Some(start) = starts.get_mut(bucket(entry)) {
                    *start += 1;
                }
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            let length = *start;
            *start = sum;
            sum += length;
        }
        for block in blocks() {
            for &entry in block {
                if let Some(start) = starts.get_mut(bucket(entry)) {
                    if let Some(slot) = entries.get_mut(*start as usize) {
                        *slot = entry;
                    }
                    *start += 1;
                }
            }
        }
        memory.free(&mut starts);
        sort_nearly(entries);
        Some(())
    }

    /// Removes the rows from a place on.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn truncate(&mut self, place: u32, memory: &mut Memory) {
        for list in &mut self.lists {
            loop {
                let kept = list.last.partition_point(|&entry| place_of(entry) < place);
                list.last.truncate(kept);
                if kept > 0 {
                    break;
                }
                memory.free(&mut list.last);
                match list.full.pop() {
                    Some(block) => list.last = block,
                    None => break,
                }
            }
        }
    }

    /// Removes the rows of a partition.
    pub(super) fn free(&mut self, index: usize, memory: &mut Memory) {
        if let Some(list) = self.lists.get_mut(index) {
            for block in list.full.iter_mut().chain([&mut list.last]) {
                memory.free(block);
            }
            memory.free(&mut list.full);
        }
    }

    /// Removes all rows.
    pub(super) fn clear(&mut self, memory: &mut Memory) {
        for index in 0..self.lists.len() {
            self.free(index, memory);
        }
        self.lists = Vec::new();
    }
}

/// Sorts by hash a list in which each entry is near its place.
#[inline(never)]
fn sort_nearly(entries: &mut [u64]) {
    let mut highest = 0;
    for index in 0..entries.len() {
        let Some(&entry) = entries.get(index) else {
            return;
        };
        if highest >> 32 <= entry >> 32 {
            highest = entry;
            continue;
        }
        let mut at = index;
        while let Some(before) = at.checked_sub(1)
            && let Some(&other) = entries.get(before)
            && other >> 32 > entry >> 32
        {
            if let Some(slot) = entries.get_mut(at) {
                *slot = other;
            }
            at = before;
        }
        if let Some(slot) = entries.get_mut(at) {
            *slot = entry;
        }
    }
}

/// The hash of an entry.
#[inline]
pub(super) fn hash_of_entry(entry: u64) -> u32 {
    (entry >> 32) as u32
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
                prop_assert!(partitions.push(hash % (3 << (32 - PARTITION_BITS)), place, &mut memory).is_some());
            }
            let all = |partitions: &Partitions, memory: &mut Memory| {
                let mut places = Vec::new();
                let mut entries = Vec::new();
                for index in 0..PARTITIONS {
                    partitions.gather(index, &mut entries, memory).unwrap();
                    assert!(entries.is_sorted_by_key(|entry| entry >> 32));
                    for entry in &entries {
                        assert_eq!((entry >> (64 - PARTITION_BITS)) as usize, index);
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
