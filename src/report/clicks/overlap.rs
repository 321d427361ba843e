//! Clicks that were read before: at the end of the page before, or in another file. They count once.

use crate::report::memory::{Memory, hash};
use crate::report::store::NO_TIME;

/// The most rows at the end of a page that the next page may begin with.
const MOST: usize = 10_000;

/// The most clicks of one second that are looked through one by one.
const FEW: usize = 64;

/// The ids of clicks, as hashes.
#[derive(Debug)]
pub(in crate::report) struct Overlap {
    seed: u64,
    /// The page's number in its file, and the ids of this page and of the page before.
    page: Option<u32>,
    here: Vec<u64>,
    before: Vec<u64>,
    /// Where the page before goes on, as long as this page repeats it.
    next: Option<usize>,
    /// The id of each click by its number, and the number of those in earlier files.
    ids: Vec<u64>,
    earlier: usize,
    /// The times of earlier files, and with those of this file.
    times: Times,
    all_times: Times,
    /// Numbers of clicks, from 1, by open addressing: from the first click on that lies within the times of earlier
    /// files. Files that follow each other need none.
    table: Vec<u32>,
}

/// The first and the last second of clicks, with the ids of few clicks at each.
#[derive(Clone, Debug, Default)]
struct Times {
    ends: Option<[(u32, Vec<u64>); 2]>,
}

impl Times {
    #[inline]
    fn add(&mut self, seconds: u32, print: u64) {
        match &mut self.ends {
            Some([(first, _), (last, _)]) if (*first + 1..*last).contains(&seconds) => {}
            _ => self.add_end(seconds, print),
        }
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add_end(&mut self, seconds: u32, print: u64) {
        let ends = self
            .ends
            .get_or_insert_with(|| [(seconds, Vec::new()), (seconds, Vec::new())]);
        let [first, last] = &*ends;
        let is_beyond = [seconds < first.0, seconds > last.0];
        for (end, is_beyond) in ends.iter_mut().zip(is_beyond) {
            if is_beyond {
                *end = (seconds, Vec::new());
            }
            if end.0 == seconds && end.1.len() <= FEW {
                end.1.push(print);
            }
        }
    }

    /// Was there a click with this id? `None` where its time does not say.
    #[inline]
    fn has(&self, seconds: u32, print: u64) -> Option<bool> {
        let Some(ends) = &self.ends else {
            return Some(false);
        };
        let [(first, _), (last, _)] = ends;
        if seconds < *first || seconds > *last {
            return Some(false);
        }
        let mut at_ends = ends.iter().filter(|(end, _)| *end == seconds);
        let (_, prints) = at_ends.next()?;
        (prints.len() <= FEW).then(|| prints.contains(&print))
    }
}

impl Overlap {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            page: None,
            here: Vec::new(),
            before: Vec::new(),
            next: None,
            ids: Vec::new(),
            earlier: 0,
            times: Times::default(),
            all_times: Times::default(),
            table: Vec::new(),
        }
    }

    /// Begins a file.
    pub(in crate::report) fn begin(&mut self) {
        self.page = None;
        self.earlier = self.ids.len();
        self.times = self.all_times.clone();
    }

    /// Forgets the rows of the present file, which are removed.
    pub(super) fn forget(&mut self, memory: &mut Memory) {
        self.page = None;
        self.here.clear();
        self.before.clear();
        self.ids.truncate(self.earlier);
        self.all_times = self.times.clone();
        memory.free(&mut self.table);
    }

    /// Was this click read before? `None` where the memory is full.
    #[inline]
    pub(in crate::report) fn has(
        &mut self,
        page: u32,
        id: &[u8],
        seconds: u32,
        memory: &mut Memory,
    ) -> Option<bool> {
        let print = hash(id, self.seed);
        let is_repeated = self.has_at_seam(page, id, print, memory)?;
        if is_repeated {
            return Some(true);
        }
        if !id.is_empty() && self.earlier > 0 {
            let known = if seconds == NO_TIME {
                None
            } else {
                self.times.has(seconds, print)
            };
            let is_known = match known {
                Some(is_known) => is_known,
                None => self.look_up(print, memory)?,
            };
            if is_known {
                return Some(true);
            }
        }
        memory.extend(&mut self.ids, &[print])?;
        if !self.table.is_empty() {
            self.note(self.ids.len() - 1, memory)?;
        }
        // A click without a time may be any.
        if seconds == NO_TIME {
            self.all_times.add(0, print);
            self.all_times.add(NO_TIME, print);
        } else {
            self.all_times.add(seconds, print);
        }
        Some(false)
    }

    /// Has the page before had this row at its end?
    #[inline]
    fn has_at_seam(
        &mut self,
        page: u32,
        id: &[u8],
        print: u64,
        memory: &mut Memory,
    ) -> Option<bool> {
        if self.page != Some(page) {
            self.turn(page, print);
        }
        if self.here.len() >= 2 * MOST {
            self.here.drain(..MOST);
        }
        memory.extend(&mut self.here, &[print])?;
        let Some(at) = self.next else {
            return Some(false);
        };
        let is_repeated = !id.is_empty() && self.before.get(at) == Some(&print);
        self.next = is_repeated.then_some(at + 1);
        Some(is_repeated)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn turn(&mut self, page: u32, print: u64) {
        self.page = Some(page);
        core::mem::swap(&mut self.here, &mut self.before);
        self.here.clear();
        self.next = self.before.iter().rposition(|&known| known == print);
    }

    /// Has an earlier file had this click?
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn look_up(&mut self, print: u64, memory: &mut Memory) -> Option<bool> {
        if self.table.is_empty() {
            for number in 0..self.ids.len() {
                self.note(number, memory)?;
            }
        }
        let slot = self.slot_of(print);
        let number = self.table.get(slot).copied().unwrap_or(0);
        Some(number > 0 && number as usize <= self.earlier)
    }

    /// Enters a click into the table, which is at most half full. The first click with an id stays.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn note(&mut self, number: usize, memory: &mut Memory) -> Option<()> {
        if self.table.len() < (self.ids.len() + 1) * 2 {
            memory.free(&mut self.table);
            let size = ((self.ids.len() + 1) * 2).next_power_of_two();
            memory.reserve(&mut self.table, size)?;
            self.table.resize(size, 0);
            for number in 0..number {
                self.enter(number)?;
            }
        }
        self.enter(number)
    }

    fn enter(&mut self, number: usize) -> Option<()> {
        let slot = self.slot_of(*self.ids.get(number)?);
        let slot = self.table.get_mut(slot)?;
        if *slot == 0 {
            *slot = u32::try_from(number + 1).ok()?;
        }
        Some(())
    }

    /// The slot of an id, or the free slot where it belongs.
    fn slot_of(&self, print: u64) -> usize {
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = usize::try_from(print >> 32).unwrap_or(0) & mask;
        while let Some(&number) = self.table.get(slot) {
            let known = (number as usize)
                .checked_sub(1)
                .and_then(|at| self.ids.get(at));
            if known.is_none_or(|known| *known == print) {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }
}
