//! When a list has ended: by its length where CAKE gives it, else by what the pages show.

use super::{MAX_STALE_PAGES, PageRead, Pager};

/// The most rows without a new one, in at least 3 pages, where the list's length is unknown.
const MAX_STALE_ROWS: u64 = 1_000;

/// The most pages without a new row that are not even full: the list has probably ended.
const MAX_SHORT_STALE_PAGES: u32 = 5;

/// The most pages that are read of a list that gives no length and never ends.
const MAX_PAGES_WITHOUT_TOTAL: u64 = 100_000;

/// The same for a list that has rows wherever it is probed.
const MAX_PAGES_WITHOUT_END: u64 = 1_000;

/// The most pages that are read of a list that fills as fast as it is read, after its original rows
/// have been read.
const MAX_PAGES_LOSING: u32 = 8;

/// The most pages in a row whose only new rows arrived above us.
const MAX_STALLED_PAGES: u32 = 50;

/// The most pages with moved rows in a list that gives no length.
const MAX_MOVED_PAGES: u32 = 300;

/// The number of further pages that are read of such a list after its end has been seen.
const PAGES_BEHIND_HORIZON: u64 = 32;

/// The most pages that are the first one again, of a list whose length stands and counts more.
const MAX_FIRST_PAGES: u32 = 4;

/// The most pages of one and the same answer. Rows without an id, and gaps, may be alike.
const MAX_REPEATED_PAGES: u32 = 50;

/// Servers cut pages at a multiple of this.
const COMMON_PAGE: u64 = 25;

impl Pager {
    /// Has the list ended with this page?
    pub(super) fn ends(&mut self, page: PageRead, asked: u64, reached: u64) -> bool {
        let PageRead { rows, new_rows, .. } = page;
        // The last page of `maxRows` asks for fewer.
        let is_short_page = rows < self.page_rows.min(asked);
        let Some(total) = self.total else {
            // The page ends with a known row, although more rows would have fit.
            let is_joined_at_its_end = page.last_known.is_some_and(|index| index + 1 == rows);
            if new_rows == 0 && is_joined_at_its_end && is_short_page {
                return true;
            }
            let is_stale = self.stale_pages >= MAX_STALE_PAGES
                || !self.has_moved
                    && (self.stale_pages >= 3 && self.stale_rows >= MAX_STALE_ROWS
                        || rows < asked && self.stale_pages >= MAX_SHORT_STALE_PAGES);
            let never_ends = self.stalled_pages >= MAX_STALLED_PAGES
                || self.moved_pages >= MAX_MOVED_PAGES
                || self.all_searches >= MAX_MOVED_PAGES
                || self.pages >= MAX_PAGES_WITHOUT_TOTAL
                || self.has_no_end && self.pages >= MAX_PAGES_WITHOUT_END;
            // Rows that arrive before the horizon move the rows behind it: read some pages more.
            let is_read = self.pages > self.horizon_pages + PAGES_BEHIND_HORIZON
                && self.horizon.is_some_and(|horizon| reached >= horizon);
            self.is_short = never_ends && !is_read;
            if rows > 0 && new_rows == 0 && is_stale && !is_read && !never_ends {
                self.is_checking = true;
                self.start = self.first;
                return false;
            }
            return rows == 0 || is_read || never_ends;
        };
        // Some of the rows that went were read: then only the end itself shows that all are known.
        let knows_all = self.skipped + self.fresh >= total
            && (!self.has_shrunk || new_rows == 0 && reached > total);
        // A first page of a round number of rows, which says that it is all, may have been cut by a
        // server that counts only the page.
        let is_maybe_cut = rows == total && rows % COMMON_PAGE == 0;
        // A page as long as the longest may have been cut: in a list that counts from 1, one row
        // may follow.
        let may_be_last =
            self.pages == 1 && !is_maybe_cut || rows < self.page_rows || reached > total;
        // Page after page of known rows: the server ignores `start_at_row`.
        let is_stale = new_rows == 0 && self.start > total + self.limit;
        // The page ends with a known row and has room for more: the length counts rows that are not
        // listed.
        let is_end = page.last_known.is_some_and(|index| index + 1 == rows) && is_short_page;
        self.seen_end = match (new_rows, is_end) {
            (0, true) => self.seen_end + 1,
            (0, false) => self.seen_end,
            _ => 0,
        };
        // In a list that counts from 1, one row may follow a full page that reaches the length.
        let is_at_end = reached > total || reached == total && rows < self.page_rows;
        self.pages_at_end = if is_at_end { self.pages_at_end + 1 } else { 0 };
        if is_at_end {
            self.idle_at_end = if new_rows == 0 {
                self.idle_at_end + 1
            } else {
                0
            };
        }
        if rows == 0
            || rows < asked && knows_all && may_be_last
            || is_stale
            || self.ignores_start(rows)
            || self.seen_end > 1
            || self.idle_at_end > 2
            || self.pages_at_end > MAX_PAGES_LOSING
        {
            // A list that has rows and shows none. A length may count a few that are not listed.
            self.is_short |= self.fresh == 0 && total > self.skipped
                || self.ignores_start(rows)
                || new_rows == 0 && rows > 0 && !is_short_page && self.has_more();
            return true;
        }
        self.runs_away(total, reached)
    }

    /// Do page after page show what has been read, although the list stands and has more rows?
    fn ignores_start(&self, rows: u64) -> bool {
        let is_first = rows == self.page_rows && self.fresh == rows;
        !self.has_new_total
            && self.has_more()
            && (is_first && self.stale_pages >= MAX_FIRST_PAGES
                || self.repeated_pages >= MAX_REPEATED_PAGES)
    }

    /// Does the list count more rows than it has shown?
    fn has_more(&self) -> bool {
        self.stated > self.skipped + self.fresh
    }

    /// Does the list come in another order at each page, so that some rows come again and others never? It has then shown
    /// a row at every place, and too few different ones: a length that counts rows which are not listed has places without a
    /// row. Or more rows came again among new ones than arrive between two pages.
    pub(super) fn hides_rows(&self) -> bool {
        let is_mixed = self.mixed_rows > self.pages;
        let (Some(total), Some(first)) = (self.total, self.first_total) else {
            return is_mixed;
        };
        // A list that counts from 1 shows one row twice. Pages of one row cannot show that a row is listed twice.
        let places = self.end.saturating_sub(u64::from(self.counts_from_1));
        let is_full = places >= total && !self.has_fallen && self.page_rows > 1;
        self.first.saturating_add(self.fresh) < first && (is_mixed || is_full)
    }

    /// Have all original rows been read, while more rows arrive than are read?
    fn runs_away(&mut self, total: u64, reached: u64) -> bool {
        let horizon = *self.horizon.get_or_insert(total);
        let at_first = *self.total_at_first.get_or_insert(total);
        if self.has_moved && self.pages > 200 + 50 * at_first.div_ceil(self.page_rows.max(1)) {
            self.is_short = true;
            return true;
        }
        if reached <= horizon {
            return false;
        }
        // Pages of one row cannot tell where rows arrive.
        let gap = total.saturating_sub(reached);
        if gap < self.least_gap || self.page_rows < 2 {
            self.least_gap = gap.min(self.least_gap);
            self.pages_losing = 0;
        } else {
            self.pages_losing += 1;
        }
        gap > 0 && self.pages_losing >= MAX_PAGES_LOSING
    }
}
