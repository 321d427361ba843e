//! Dictionaries: a frequent text is stored once and identified by a number.

use super::memory::{Memory, hash, last_word, mix, same};

/// The number of short texts that are looked up by one number, in bits.
const RECENT_BITS: u32 = 12;

/// A short text as one number, with its length and its code.
type Recent = (u64, u32, u32);

/// The first spellings of a field with few different words, with the number of each word.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    known: Vec<(Vec<u8>, u8)>,
    /// The number of empty texts: 0, unless a word is declared for them.
    empty: u8,
}

impl Spellings {
    #[inline]
    pub(super) fn code(&self, text: &[u8]) -> Option<u8> {
        if text.is_empty() {
            return Some(self.empty);
        }
        let mut known = self.known.iter();
        let found = known.find(|(known, _)| same(known, text));
        found.map(|&(_, code)| code)
    }

    pub(super) fn add(&mut self, text: &[u8], code: u8) {
        if text.is_empty() {
            self.empty = code;
        } else if self.known.len() < 32 {
            self.known.push((text.to_vec(), code));
        }
    }
}

/// The numbers of pairs of short texts: one look-up in place of three.
#[derive(Debug, Default)]
pub(super) struct RecentPairs {
    known: Vec<(ShortPair, u32)>,
}

/// Two texts of at most eight bytes, each as one number, and both lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShortPair {
    words: [u64; 2],
    lengths: [u8; 2],
}

impl ShortPair {
    #[inline]
    pub(super) fn of(one: &[u8], other: &[u8]) -> Option<Self> {
        (one.len().max(other.len()) <= 8).then(|| Self {
            words: [last_word(one), last_word(other)],
            lengths: [one, other].map(|text| u8::try_from(text.len()).unwrap_or(0)),
        })
    }

    #[inline]
    fn slot(&self) -> usize {
        let [one, other] = self.words;
        usize::try_from(mix(mix(one) ^ other) >> (64 - RECENT_BITS)).unwrap_or(0)
    }
}

impl RecentPairs {
    #[inline]
    pub(super) fn number(&self, pair: ShortPair) -> Option<u32> {
        let slot = pair.slot();
        for slot in [slot, slot ^ 1] {
            let &(known, number) = self.known.get(slot)?;
            if known == pair {
                return Some(number);
            }
        }
        None
    }

    /// Remembers a pair. The one that was there before moves to the neighbouring place.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn add(&mut self, pair: ShortPair, number: u32, memory: &mut Memory) -> Option<()> {
        if self.known.is_empty() {
            memory.reserve(&mut self.known, 1 << RECENT_BITS)?;
            self.known.resize(1 << RECENT_BITS, Default::default());
        }
        let slot = pair.slot();
        let before = core::mem::replace(self.known.get_mut(slot)?, (pair, number));
        *self.known.get_mut(slot ^ 1)? = before;
        Some(())
    }
}

/// Texts by number, from 1; 0 means none.
#[derive(Debug, Default)]
pub(super) struct Words {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// Open addressing, at most half full.
    table: Vec<u32>,
    recent: Vec<Recent>,
    seed: u64,
    last: u32,
}

impl Words {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// The number of texts.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a number; empty for 0.
    #[inline]
    pub(super) fn text(&self, code: u32) -> &[u8] {
        let end = |code: u32| {
            let index = usize::try_from(code).ok()?.checked_sub(1)?;
            self.ends.get(index).map(|&end| end as usize)
        };
        let Some(to) = end(code) else { return &[] };
        let from = end(code - 1).unwrap_or(0);
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// The number of a text, which a new text gets here; `None` where the memory is full.
    #[inline]
    pub(super) fn code(&mut self, text: &[u8], memory: &mut Memory) -> Option<u32> {
        if text.is_empty() {
            return Some(0);
        }
        if text.len() > 8 {
            if !same(self.text(self.last), text) {
                self.last = self.look_up(text, memory)?;
            }
            return Some(self.last);
        }
        // A short text is one number: neither its hash nor its bytes are looked at again.
        let word = last_word(text);
        let length = u32::try_from(text.len()).ok()?;
        let slot = usize::try_from(mix(word) >> (64 - RECENT_BITS)).unwrap_or(0);
        for slot in [slot, slot ^ 1] {
            if let Some(&(known, size, code)) = self.recent.get(slot)
                && known == word
                && size == length
            {
                return Some(code);
            }
        }
        self.add_recent(text, (word, length), slot, memory)
    }

    /// Looks up a short text, and remembers it. The text that was there before moves to the neighbouring place.
    #[inline(never)]
    fn add_recent(
        &mut self,
        text: &[u8],
        (word, length): (u64, u32),
        slot: usize,
        memory: &mut Memory,
    ) -> Option<u32> {
        let code = self.look_up(text, memory)?;
        if self.recent.is_empty() {
            memory.reserve(&mut self.recent, 1 << RECENT_BITS)?;
            self.recent.resize(1 << RECENT_BITS, Recent::default());
        }
        let place = self.recent.get_mut(slot)?;
        let before = core::mem::replace(place, (word, length, code));
        *self.recent.get_mut(slot ^ 1)? = before;
        Some(code)
    }

    fn look_up(&mut self, text: &[u8], memory: &mut Memory) -> Option<u32> {
        if self.table.len() < (self.ends.len() + 1) * 2 {
            self.grow(memory)?;
        }
        let slot = self.find(text);
        let code = match self.table.get(slot) {
            Some(&code) if code > 0 => code,
            _ => {
                memory.extend(&mut self.bytes, text)?;
                let end = u32::try_from(self.bytes.len()).ok()?;
                memory.extend(&mut self.ends, &[end])?;
                let code = u32::try_from(self.ends.len()).ok()?;
                *self.table.get_mut(slot)? = code;
                code
            }
        };
        Some(code)
    }

    /// The number of a text that is already in the dictionary.
    pub(super) fn known(&self, text: &[u8]) -> Option<u32> {
        let code = *self.table.get(self.find(text))?;
        (code > 0).then_some(code)
    }

    /// The slot of the text, or the free slot where it belongs.
    #[inline]
    fn find(&self, text: &[u8]) -> usize {
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = usize::try_from(hash(text, self.seed) >> 33).unwrap_or(0) & mask;
        while let Some(&code) = self.table.get(slot) {
            if code == 0 || same(self.text(code), text) {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn grow(&mut self, memory: &mut Memory) -> Option<()> {
        let size = (self.table.len() * 2).max(16);
        let mut table = Vec::new();
        memory.reserve(&mut table, size)?;
        table.resize(size, 0);
        memory.give_back(self.table.capacity() * 4);
        self.table = table;
        self.place_all()
    }

    /// Puts each number into its slot of the empty table.
    fn place_all(&mut self) -> Option<()> {
        for code in 1..=u32::try_from(self.ends.len()).ok()? {
            let slot = self.find(self.text(code));
            *self.table.get_mut(slot)? = code;
        }
        Some(())
    }

    /// Forgets the texts that came after the first `len`.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn go_back(&mut self, len: usize) {
        if len < self.ends.len() {
            self.ends.truncate(len);
            let end = self.ends.last().map_or(0, |&end| end as usize);
            self.bytes.truncate(end);
            self.recent.fill(Recent::default());
            self.last = 0;
            self.table.fill(0);
            self.place_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number() {
        let mut memory = Memory::new(1 << 20);
        let mut words = Words::new(7);
        let texts: Vec<String> = (0..1_000).map(|i| format!("word {i}")).collect();
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(
                words.code(text.as_bytes(), &mut memory),
                u32::try_from(index + 1).ok()
            );
        }
        for text in &texts {
            let code = words.code(text.as_bytes(), &mut memory).unwrap();
            assert_eq!(words.text(code), text.as_bytes());
            assert_eq!(words.known(text.as_bytes()), Some(code));
        }
        assert_eq!(words.known(b"nobody"), None);
        words.go_back(500);
        for (index, text) in texts.iter().enumerate() {
            let code = u32::try_from(index + 1).ok().filter(|&code| code <= 500);
            assert_eq!(words.known(text.as_bytes()), code);
        }
        assert_eq!(words.code(texts[999].as_bytes(), &mut memory), Some(501));
        assert_eq!(words.code(b"", &mut memory), Some(0));
        let mut full = Memory::new(0);
        assert_eq!(Words::new(7).code(b"x", &mut full), None);
    }
}
