//! Paging: which rows to ask for next, and when there are no more.
//!
//! A page is requested by the position of its first row. Rows arrive and go meanwhile, so a row may
//! stand elsewhere by then. Observed: `start_at_row` 0 and 1 return the same first row. A page may
//! be shorter than requested. The caller knows the ids of the rows that it has read. Every page
//! after the first therefore overlaps those rows. The list's length cannot show a move: as many
//! rows may arrive as go. A page without a known row has missed rows that moved up in between; it
//! is read again from further up. A list that changes faster than it can be read ends with an
//! error.

mod end;

use crate::{Error, Result};

/// The `row_limit` that CAKE uses by default.
pub(crate) const DEFAULT_ROW_LIMIT: u64 = 100;

/// The most pages in a row without a new row, where the list's length is unknown.
const MAX_STALE_PAGES: u32 = 50;

/// The most attempts in a row to read from further up without a new row. Also the most attempts in
/// all from the list's start.
const MAX_SEARCHES: u32 = 32;

/// The number of short pages in a row before a probe for the end of a list that gives no length.
const SHORT_PAGES: u32 = 8;

/// The number of full pages before such a probe: the list may fill as fast as it is read.
const LONG_LIST_PAGES: u64 = 32;

/// The last row that a probe asks for, each from twice as far: no list of CAKE's is that long. A
/// list that is not empty there proves nothing, or has no end.
const MAX_PROBED_ROW: u64 = 1 << 30;

/// The content of a page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageRead {
    /// The number of rows.
    pub(crate) rows: u64,
    /// The number of rows that have not been read before.
    pub(crate) new_rows: u64,
    /// The number of these that are empty: they have a place in the list and are no rows for the
    /// caller.
    pub(crate) new_gaps: u64,
    /// The index of the last row that had been read before, if there is one.
    pub(crate) last_known: Option<u64>,
    /// The list's length, where CAKE gives it.
    pub(crate) total_rows: Option<u64>,
    /// Is it the very answer of the page before?
    pub(crate) is_repeated: bool,
}

/// The state of reading a list.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says another thing of the list"
)]
pub(crate) struct Pager {
    first: u64,
    start: u64,
    skipped: u64,
    limit: u64,
    most: u64,
    fresh: u64,
    pages: u64,
    total: Option<u64>,
    /// Has the list given a length below the number of its shown rows, such as 0 or the page's own?
    /// Then its length is ignored.
    has_false_total: bool,
    /// The largest length that the list has given so far.
    stated: u64,
    /// The first page's length and the last one's, where CAKE gives it, and whether it has changed or fallen in between.
    first_total: Option<u64>,
    last_total: Option<u64>,
    has_new_total: bool,
    has_fallen: bool,
    /// Does the second page begin one row early, as in a list that counts from 1?
    counts_from_1: bool,
    /// The rows of all pages that came again further down than the pages overlap, among new ones.
    mixed_rows: u64,
    /// The number of times that the list ended before its stated length.
    seen_end: u32,
    /// The position behind the last row that was read.
    end: u64,
    /// The list's length when `end` was reached.
    total_at_end: u64,
    /// The number of known rows with which the next page begins.
    overlap: u64,
    /// The number of rows that the search for a known row goes up; 0 while none is missing.
    step_back: u64,
    searches: u32,
    all_searches: u32,
    is_searching: bool,
    /// Have rows above us gone?
    has_shrunk: bool,
    /// The position after the original rows; rows that arrive above move it on.
    horizon: Option<u64>,
    total_at_first: Option<u64>,
    /// The fewest rows that were left after a page beyond the horizon, and the number of pages
    /// since that minimum.
    least_gap: u64,
    pages_losing: u32,
    stale_pages: u32,
    stale_rows: u64,
    /// The pages in a row that were the very answer of the page before.
    repeated_pages: u32,
    /// The most rows that a page has had.
    page_rows: u64,
    /// Pages in a row at the list's end that brought nothing.
    idle_at_end: u32,
    pages_at_end: u32,
    /// Short pages in a row, and the number of them before a probe for the end.
    short_pages: u32,
    short_until: u32,
    /// The number of pages that had been read when the horizon was found.
    horizon_pages: u64,
    is_probing: bool,
    /// The distance of the probe behind the known rows of a long list, and the number of probes; 0
    /// before.
    reach: u64,
    doublings: u32,
    /// Were there rows at the last place that is probed?
    has_no_end: bool,
    /// The number of moves before the probe.
    shifts_before: u32,
    /// Is the list's start being read again, to see whether rows arrived above us?
    is_checking: bool,
    stalled_pages: u32,
    moved_pages: u32,
    restarts: u32,
    has_moved: bool,
    is_over: bool,
    is_short: bool,
}

impl Pager {
    /// Starts at `start_at_row`, with `row_limit` rows a page, for at most
    /// `max_rows`.
    #[must_use]
    pub(crate) fn new(start_at_row: u64, row_limit: u64, max_rows: Option<u64>) -> Self {
        let most = max_rows.unwrap_or(u64::MAX);
        Self {
            first: start_at_row,
            start: start_at_row,
            // In a list that counts from 1, `start_at_row` is the first wanted row.
            skipped: start_at_row.saturating_sub(1),
            limit: row_limit.max(1),
            most,
            fresh: 0,
            pages: 0,
            total: None,
            has_false_total: false,
            stated: 0,
            first_total: None,
            last_total: None,
            has_new_total: false,
            has_fallen: false,
            counts_from_1: false,
            mixed_rows: 0,
            seen_end: 0,
            end: start_at_row,
            total_at_end: 0,
            overlap: 0,
            step_back: 0,
            searches: 0,
            all_searches: 0,
            is_searching: false,
            has_shrunk: false,
            horizon: None,
            total_at_first: None,
            least_gap: u64::MAX,
            pages_losing: 0,
            stale_pages: 0,
            stale_rows: 0,
            repeated_pages: 0,
            page_rows: 0,
            idle_at_end: 0,
            pages_at_end: 0,
            short_pages: 0,
            short_until: SHORT_PAGES,
            horizon_pages: 0,
            is_probing: false,
            reach: 0,
            doublings: 0,
            has_no_end: false,
            shifts_before: 0,
            is_checking: false,
            stalled_pages: 0,
            moved_pages: 0,
            restarts: 0,
            has_moved: false,
            is_over: most == 0,
            is_short: false,
        }
    }

    /// The next page's `start_at_row`.
    #[must_use]
    pub(crate) fn start_at_row(&self) -> u64 {
        self.start
    }

    /// The next page's `row_limit`.
    #[must_use]
    pub(crate) fn row_limit(&self) -> u64 {
        if self.is_probing {
            return 1;
        }
        let known = self.end.saturating_sub(self.start);
        let wanted = self.most.saturating_sub(self.fresh).saturating_add(known);
        self.limit.min(wanted).max(1)
    }

    /// The next page's `start_at_row` and `row_limit`; `None` after the last page.
    ///
    /// # Errors
    /// [`Error::ListChanged`] where the reading [was given up](Self::is_short).
    pub(crate) fn next_page(&self) -> Result<Option<(u64, u64)>> {
        if self.is_short {
            return Err(Error::ListChanged);
        }
        Ok((!self.is_over).then(|| (self.start_at_row(), self.row_limit())))
    }

    /// Have all rows been read?
    #[must_use]
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Has the reading been given up, because the list changes faster than it can be read? Rows may
    /// be missing.
    #[must_use]
    pub(crate) fn is_short(&self) -> bool {
        self.is_short
    }

    /// The list's length, where the list has ended before it, after `read` rows and gaps. Rows may then be missing, or not be
    /// listed at all. The length of a list that has changed meanwhile may count rows that arrived behind us.
    #[must_use]
    pub(crate) fn unlisted(&self, read: u64) -> Option<u64> {
        let is_short = |total: &u64| self.first.saturating_add(read) < *total && read < self.most;
        self.last_total
            .filter(is_short)
            .filter(|_| !self.has_new_total)
    }

    /// Records a page. Returns whether its rows are to be taken. If not, rows in between were
    /// missed, and the page is read again from further up.
    pub(crate) fn read(&mut self, mut page: PageRead) -> bool {
        if let Some(total) = page.total_rows {
            self.first_total.get_or_insert(total);
            let before = self.last_total.replace(total);
            self.has_new_total |= before.is_some_and(|before| before != total);
            self.has_fallen |= before.is_some_and(|before| before > total);
        }
        let asked = self.row_limit();
        let reached = self.start.saturating_add(page.rows);
        // In a list that counts from 1, the last row of a later page is one further.
        let most = |total: u64| total.saturating_add(u64::from(self.start > 0));
        let is_false = |total| page.rows > 0 && reached > most(total);
        if self.has_false_total || page.total_rows.is_some_and(is_false) {
            self.has_false_total = true;
            self.total = None;
            page.total_rows = None;
        }
        self.repeated_pages = if page.is_repeated {
            self.repeated_pages + 1
        } else {
            0
        };
        self.stated = self.stated.max(page.total_rows.unwrap_or(0));
        let before = self.total;
        self.pages += 1;
        if self.is_probing {
            self.probed(page);
            return false;
        }
        if self.is_checking {
            self.checked(page);
            return false;
        }
        self.total = page.total_rows.or(self.total);
        let has_changed = before.is_some() && before != self.total;
        let (gone, grown) = match (before, self.total) {
            (Some(before), Some(now)) => (before.saturating_sub(now), now.saturating_sub(before)),
            _ => (0, 0),
        };
        self.has_shrunk |= gone > 0;
        self.page_rows = self.page_rows.max(page.rows);
        self.has_moved |= has_changed;
        self.set_overlap(1);
        let is_joined = page.last_known.is_some() || self.start <= self.first;
        // A page of one row cannot show both a known row and a new one.
        let is_wide = self.page_rows > 1;
        let may_miss = is_wide || gone > 0 && self.all_searches < MAX_SEARCHES;
        if !is_joined && may_miss && self.searches < MAX_SEARCHES {
            self.search(gone, grown);
            return false;
        }
        if is_wide && self.pages > 1 && page.last_known.is_none() && page.rows > 0 {
            self.restarts += 1;
            // The original rows moved by an unknown distance, at most to the list's end.
            self.horizon = self
                .horizon
                .zip(self.total)
                .map(|(horizon, total)| horizon.max(total));
        }
        let is_lost = is_wide && !is_joined || self.restarts > MAX_SEARCHES;
        self.take(page, asked, grown);
        if is_lost && self.fresh < self.most {
            self.give_up();
        }
        true
    }

    fn give_up(&mut self) {
        self.is_over = true;
        self.is_short = true;
    }

    /// Takes the answer to a probe for a row behind the known ones. No row means that the list
    /// ended before that place at that time. All original rows have come once that place is
    /// reached, however many rows are appended meanwhile.
    fn probed(&mut self, page: PageRead) {
        self.is_probing = false;
        self.short_pages = 0;
        if page.rows == 0 {
            // In a long list, rows that arrive ahead of us move the rest: as far again.
            self.horizon = Some(self.start.saturating_add(self.reach));
            self.horizon_pages = self.pages;
        } else if self.reach > 0 {
            self.reach = self.reach.saturating_mul(2);
            self.doublings += 1;
            // A known row never stands further on: the server ignores `start_at_row`.
            let next = self.end.saturating_add(self.reach);
            if page.new_rows > 0 && next <= MAX_PROBED_ROW {
                self.is_probing = true;
                self.start = next;
                return;
            }
            self.has_no_end = page.new_rows > 0;
            self.reach = 0;
        } else {
            self.short_until = self.short_until.saturating_mul(2);
        }
        self.start = self.end.saturating_sub(self.overlap).max(self.first);
    }

    /// Takes the second reading of the list's start: new rows there have moved the rows below.
    fn checked(&mut self, page: PageRead) {
        self.is_checking = false;
        let is_first = !self.has_moved;
        self.has_moved |= page.new_rows > 0;
        if self.has_moved && is_first && self.stale_pages < MAX_STALE_PAGES {
            self.start = self.end.saturating_sub(self.overlap) + page.new_rows;
        } else {
            // Known rows at every place show no end.
            self.give_up();
        }
    }

    /// Sets an overlap of at least `rows`, as far as a page leaves room for new rows.
    fn set_overlap(&mut self, rows: u64) {
        let room = self.limit.min(self.page_rows.max(1)) - 1;
        self.overlap = self.overlap.max(rows).min(room);
    }

    /// Searches for known rows after a page without one. They are further up, where rows above us
    /// have gone, or further down, where rows have arrived.
    fn search(&mut self, gone: u64, grown: u64) {
        self.searches += 1;
        self.all_searches += 1;
        self.is_searching = true;
        self.has_moved = true;
        self.has_shrunk |= self.total.is_some();
        if grown > 0 && self.searches % 2 == 1 {
            let since = self.total.unwrap_or(0).saturating_sub(self.total_at_end);
            let reached = self.end + since + grown;
            self.start = reached.saturating_sub(self.overlap.max(1)).max(self.first);
            return;
        }
        let least = (self.overlap * 2).max(gone + 1).max(2);
        self.step_back = (self.step_back * 2).max(least);
        let up = self.overlap + self.step_back;
        self.start = self.end.saturating_sub(up).max(self.first);
    }

    fn take(&mut self, page: PageRead, asked: u64, grown: u64) {
        let PageRead {
            rows,
            new_rows,
            last_known,
            ..
        } = page;
        let started = self.start;
        let reached = started + rows;
        self.fresh += new_rows;
        self.most = self.most.saturating_add(page.new_gaps);
        self.step_back = 0;
        self.is_searching = false;
        // The rows beyond our end so far: known rows there have moved.
        let beyond = reached.saturating_sub(self.end);
        if new_rows > 0 {
            self.stale_pages = 0;
            self.stale_rows = 0;
            self.searches = 0;
        } else if beyond > 0 || rows == 0 {
            self.stale_pages += 1;
            self.stale_rows += rows;
        }
        if let (Some(index), true) = (last_known, new_rows > 0 && self.pages > 1) {
            let found = started + index + 1;
            // Rows above us have gone, and as many may go before the next page; or rows have
            // arrived.
            let moved_up = self.end.saturating_sub(found);
            self.has_shrunk |= moved_up > 0;
            self.set_overlap(moved_up * 2);
            let moved_down = found.saturating_sub(self.end);
            if moved_up + moved_down > 0 {
                self.has_moved = true;
                // A list that counts from 1 shows a row twice on its second page.
                self.moved_pages += u32::from(self.pages > 2);
            }
            // Few rows follow the known ones: the new rows arrived above us.
            let is_stalled = index + 1 == rows || moved_down * 2 >= rows;
            if moved_up + moved_down > 0 && self.pages > 2 {
                // The row that was read last may be further down still.
                self.horizon = self
                    .horizon
                    .map(|horizon| horizon.max(self.total.unwrap_or(0)));
            }
            self.stalled_pages = if is_stalled {
                self.stalled_pages + 1
            } else {
                0
            };
            self.horizon = self
                .horizon
                .map(|horizon| (horizon + moved_down).saturating_sub(moved_up));
        } else if new_rows == 0 {
            let total = self.total.unwrap_or(0);
            self.horizon = self.horizon.map(|horizon| (horizon + beyond).max(total));
        }
        let known = rows.saturating_sub(new_rows);
        let moved_in = known.saturating_sub(self.end.saturating_sub(started));
        let between = last_known.map_or(0, |index| (index + 1).saturating_sub(known));
        self.mixed_rows += moved_in.min(between);
        self.counts_from_1 |= self.pages == 2 && moved_in == 1 && between == 0;
        if new_rows > 0 || beyond > 0 {
            self.end = reached;
            self.total_at_end = self.total.unwrap_or(0);
        }
        self.start = reached.saturating_sub(self.overlap).max(self.first);
        // The overlap must leave room for new rows.
        if self.start <= started && rows > 0 && new_rows == 0 {
            self.start = started + rows.div_ceil(2);
        }
        // A list that counts from 1 shows a row twice on its second page.
        if new_rows == 0 && beyond > 0 && self.page_rows > 1 && self.pages > 2 {
            // More rows arrive above us than we read: our position has moved on by as many.
            let last = self.total.unwrap_or(0).saturating_sub(self.page_rows);
            self.start = (self.start + grown).min(last).max(self.start);
        }
        if self.reach > 0 && self.shifts() > self.shifts_before {
            // The original rows may have moved past the empty place: it proves nothing any more.
            self.reach = 0;
            self.horizon = None;
        }
        let has_ended = self.fresh < self.most && self.ends(page, asked, reached);
        self.is_short |= has_ended && self.hides_rows();
        self.is_over = has_ended || self.fresh >= self.most;
        let is_short = new_rows > 0 && rows < asked;
        self.short_pages = if is_short { self.short_pages + 1 } else { 0 };
        let knows_end = self.total.is_some() || self.horizon.is_some();
        if knows_end || self.is_over || self.is_checking {
            return;
        }
        if self.short_pages >= self.short_until {
            self.is_probing = true;
            self.start = reached + rows;
        } else if new_rows > 0 && self.pages >= LONG_LIST_PAGES && self.doublings == 0 {
            self.shifts_before = self.shifts();
            self.reach = self.end.saturating_sub(self.first).max(1);
            self.doublings = 1;
            self.is_probing = true;
            self.start = self.end.saturating_add(self.reach);
        }
    }

    /// The number of times that known rows have moved or were not found.
    fn shifts(&self) -> u32 {
        self.moved_pages + self.all_searches + self.restarts
    }
}

#[cfg(test)]
mod tests;
