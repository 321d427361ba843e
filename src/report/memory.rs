//! The memory ceiling, and the shared functions for hashing and sorting.

/// Counts the allocated bytes, and refuses to exceed the ceiling. All data that grows with the input is allocated
/// here: a full report is an error and never a trap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    used: usize,
    most: usize,
    /// The bytes that the platform has allocated.
    had: usize,
    file: Progress,
}

/// The progress in the current file, from which the memory for its rest is estimated.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// The bytes that were allocated before the file.
    before: usize,
    /// The bytes of the file that were read, and those that were announced.
    read: u64,
    announced: u64,
}

/// The part of a file from which the rest can be estimated, in bytes.
const SAMPLE: u64 = 4 << 20;

/// The least growth of WebAssembly's memory, in bytes. What nothing has touched takes no memory of the machine.
const SLAB: usize = 8 << 20;

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self {
            used: 0,
            most,
            had: 0,
            file: Progress::default(),
        }
    }

    pub(super) fn begin_file(&mut self) {
        self.file = Progress {
            before: self.used,
            ..Progress::default()
        };
    }

    pub(super) fn announce(&mut self, bytes: u64) {
        self.file.announced = self.file.announced.saturating_add(bytes);
    }

    pub(super) fn note_read(&mut self, bytes: usize) {
        self.file.read += bytes as u64;
    }

    /// The memory for the rest of the current file, if its size was announced.
    fn rest_of_file(&self) -> usize {
        let Progress {
            before,
            read,
            announced,
        } = self.file;
        if read < SAMPLE {
            return 0;
        }
        let taken = self.used.saturating_sub(before) as u64;
        let rest = announced.saturating_sub(read);
        usize::try_from(taken.saturating_mul(rest) / read).unwrap_or(0)
    }

    /// The bytes that may still be allocated.
    pub(super) fn left(&self) -> usize {
        self.most - self.used.min(self.most)
    }

    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Reserves room for exactly `more` further items.
    #[inline]
    pub(super) fn reserve<T>(&mut self, items: &mut Vec<T>, more: usize) -> Option<()> {
        if items.capacity() - items.len() >= more {
            return Some(());
        }
        let before = items.capacity();
        let bytes = (more - (before - items.len())).checked_mul(size_of::<T>())?;
        let used = self.used.checked_add(bytes)?;
        if used > self.most {
            return None;
        }
        if used > self.had {
            self.make_room(used);
        }
        items.try_reserve_exact(more).ok()?;
        self.used = used;
        Some(())
    }

    /// Grows WebAssembly's memory by what the rest of the file needs, at least by a sixteenth. One growth costs as
    /// much as reading thousands of rows, whatever its size, and triggers JavaScript's garbage collector. The
    /// allocation is freed at once, and later allocations reuse its space.
    #[inline(never)]
    fn make_room(&mut self, used: usize) {
        let more = self.rest_of_file().max(used / 16).max(SLAB);
        let more = more.min(self.most - used);
        self.had = used + more;
        let mut slab: Vec<u8> = Vec::new();
        // If the whole reserve does not fit, each list allocates its own part.
        if slab.try_reserve_exact(self.had - self.used).is_ok() {
            core::hint::black_box(&slab);
        }
    }

    /// Appends; grows by a quarter: a list is seldom copied and never doubled.
    #[inline]
    pub(super) fn extend<T: Copy>(&mut self, items: &mut Vec<T>, more: &[T]) -> Option<()> {
        if items.capacity() - items.len() < more.len() {
            let room = more.len().max(items.len() / 4).max(16);
            self.reserve(items, room)
                .or_else(|| self.reserve(items, more.len()))?;
        }
        items.extend_from_slice(more);
        Some(())
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// Frees a list.
    pub(super) fn free<T>(&mut self, items: &mut Vec<T>) {
        self.give_back(items.capacity() * size_of::<T>());
        *items = Vec::new();
    }
}

/// A seeded 64-bit hash. The seed comes from outside, so that an attacker cannot choose colliding ids. Ids that do
/// collide are sorted and compared by their bytes.
#[inline]
pub(super) fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut rest = bytes;
    while let Some((word, tail)) = rest.split_first_chunk::<8>() {
        state = mix(state ^ u64::from_le_bytes(*word));
        rest = tail;
    }
    if !rest.is_empty() {
        state = mix(state ^ last_word(bytes));
    }
    state ^ (state >> 32)
}

/// The last eight bytes. A shorter text is read as two halves that may overlap: of texts with one length, each has
/// another word.
#[inline]
pub(super) fn last_word(bytes: &[u8]) -> u64 {
    if let Some(word) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let half = |part: &[u8; 4]| u64::from(u32::from_le_bytes(*part));
        return half(first) | half(last) << 32;
    }
    let mut word = 0;
    for &byte in bytes {
        word = word << 8 | u64::from(byte);
    }
    word
}

/// Are the texts equal? Compares eight bytes at a time: the standard library compares one, because its build is
/// optimised for size.
#[inline]
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (mut left, mut right) = (one, other);
    while let (Some((word, left_rest)), Some((other_word, right_rest))) = (
        left.split_first_chunk::<8>(),
        right.split_first_chunk::<8>(),
    ) {
        if u64::from_le_bytes(*word) != u64::from_le_bytes(*other_word) {
            return false;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.is_empty() || last_word(one) == last_word(other)
}

#[inline]
pub(super) fn mix(word: u64) -> u64 {
    let word = word.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word ^ (word >> 29)
}

/// Sorts numbers in four rounds. The standard library's sorts are slow here, because its build is optimised for
/// size.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a byte is cut out of the number"
)]
pub(super) fn sort_numbers(numbers: &mut [u32]) {
    if numbers.len() < 64 {
        numbers.sort_unstable();
        return;
    }
    let mut scratch = vec![0; numbers.len()];
    for shift in [0, 8, 16, 24] {
        let mut places = [0_usize; 256];
        for number in numbers.iter() {
            if let Some(place) = places.get_mut(usize::from((number >> shift) as u8)) {
                *place += 1;
            }
        }
        let mut sum = 0;
        for place in &mut places {
            let count = *place;
            *place = sum;
            sum += count;
        }
        for &number in numbers.iter() {
            if let Some(place) = places.get_mut(usize::from((number >> shift) as u8)) {
                if let Some(slot) = scratch.get_mut(*place) {
                    *slot = number;
                }
                *place += 1;
            }
        }
        numbers.copy_from_slice(&scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_memory_refuses_and_keeps_what_it_has() {
        let mut memory = Memory::new(64);
        let mut items: Vec<u64> = Vec::new();
        for number in 0..8 {
            assert!(memory.extend(&mut items, &[number]).is_some(), "{number}");
        }
        assert_eq!(memory.extend(&mut items, &[8]), None);
        assert_eq!(items, (0..8).collect::<Vec<_>>());
        memory.free(&mut items);
        assert_eq!(memory.used(), 0);
    }

    proptest! {
        #[test]
        fn texts_are_equal_if_their_bytes_are(text in proptest::collection::vec(any::<u8>(), 0..40), at in 0_usize..40, seed: u64) {
            let mut other = text.clone();
            prop_assert!(same(&text, &other));
            prop_assert_eq!(hash(&text, seed), hash(&other, seed));
            if let Some(byte) = other.get_mut(at) {
                *byte ^= 1;
                prop_assert!(!same(&text, &other));
                prop_assert_ne!(hash(&text, seed), hash(&other, seed));
            }
            other.pop();
            prop_assert_eq!(same(&text, &other), text.is_empty());
        }

        #[test]
        fn numbers_are_sorted(mut numbers in proptest::collection::vec(any::<u32>(), 0..500)) {
            let mut expected = numbers.clone();
            expected.sort_unstable();
            sort_numbers(&mut numbers);
            prop_assert_eq!(numbers, expected);
        }
    }
}
