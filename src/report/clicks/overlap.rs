//! Pages that overlap: a row that the page before has had at its end is no further click.

use crate::report::memory::{Memory, hash};

/// The most rows at the end of a page that the next page may begin with.
const MOST: usize = 10_000;

/// The click ids of this page and of the page before, as hashes.
#[derive(Debug)]
pub(in crate::report) struct Overlap {
    seed: u64,
    /// The page's number in its file.
    page: Option<u32>,
    here: Vec<u64>,
    before: Vec<u64>,
    /// Where the page before goes on, as long as this page repeats it.
    next: Option<usize>,
}

impl Overlap {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            page: None,
            here: Vec::new(),
            before: Vec::new(),
            next: None,
        }
    }

    /// Begins a file.
    pub(in crate::report) fn begin(&mut self) {
        self.page = None;
    }

    /// Forgets rows that were removed.
    pub(super) fn forget(&mut self) {
        self.page = None;
        self.here.clear();
        self.before.clear();
    }

    /// Has the page before had this row at its end? `None` where the memory is full.
    #[inline]
    pub(in crate::report) fn has(
        &mut self,
        page: u32,
        id: &[u8],
        memory: &mut Memory,
    ) -> Option<bool> {
        let print = hash(id, self.seed);
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
}
