//! Pager: which rows to ask for next, and when there are no more.
//!
//! `start_at_row` 0 and 1 have been seen to return the same first row, rows
//! arrive and go while a list is read, and a page may be shorter than asked
//! for. So the next page starts where a list counted from 0 goes on, which
//! overlaps by one row with a list counted from 1; whoever carries the pages
//! knows the ids of the last rows and passes over those that come again.

/// CAKE's `row_limit` where none is given.
pub const DEFAULT_ROW_LIMIT: u64 = 100;

/// How often rows are read again because the list became shorter.
const MAX_STEPS_BACK: u32 = 16;

/// How much that is known already may come in a row, where the list's length
/// is not known: so many rows, in at least 3 pages, or so many pages.
const MAX_STALE_ROWS: u64 = 1_000;
const MAX_STALE_PAGES: u32 = 50;

/// The same for pages that are not even full: an end, more likely than not.
const MAX_SHORT_STALE_PAGES: u32 = 5;

/// Where a list is being read.
#[derive(Clone, Debug)]
pub struct Pager {
    start: u64,
    skipped: u64,
    limit: u64,
    most: u64,
    fresh: u64,
    total: Option<u64>,
    steps_back: u32,
    stale_pages: u32,
    stale_rows: u64,
    is_over: bool,
}

impl Pager {
    /// Starts at `start_at_row`, with `row_limit` rows a page, for at most
    /// `max_rows`.
    #[must_use]
    pub fn new(start_at_row: u64, row_limit: u64, max_rows: Option<u64>) -> Self {
        let most = max_rows.unwrap_or(u64::MAX);
        Self {
            start: start_at_row,
            // Counted from 1, `start_at_row` is the first row that is wanted.
            skipped: start_at_row.saturating_sub(1),
            limit: row_limit.max(1),
            most,
            fresh: 0,
            total: None,
            steps_back: 0,
            stale_pages: 0,
            stale_rows: 0,
            is_over: most == 0,
        }
    }

    /// The next page's `start_at_row`.
    #[must_use]
    pub fn start_at_row(&self) -> u64 {
        self.start
    }

    /// The next page's `row_limit`.
    #[must_use]
    pub fn row_limit(&self) -> u64 {
        self.limit.min(self.most.saturating_sub(self.fresh)).max(1)
    }

    /// Have all rows been read?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes note of a page: how many rows came, how many of them were new,
    /// and the list's length where CAKE told it.
    pub fn read(&mut self, rows: u64, new_rows: u64, total_rows: Option<u64>) {
        let asked = self.row_limit();
        let started = self.start;
        self.fresh += new_rows;
        self.start += rows;
        if new_rows == 0 {
            self.stale_pages += 1;
            self.stale_rows += rows;
        } else {
            self.stale_pages = 0;
            self.stale_rows = 0;
        }

        // Rows before us have gone: those after them moved up past us.
        let gone = match (self.total, total_rows) {
            (Some(before), Some(now)) => before.saturating_sub(now),
            _ => 0,
        };
        self.total = total_rows.or(self.total);
        let steps_back = gone > 0 && self.steps_back < MAX_STEPS_BACK;
        if steps_back {
            self.steps_back += 1;
            self.start = started.saturating_sub(gone);
        }

        let knows_all = self
            .total
            .is_some_and(|total| self.skipped + self.fresh >= total);
        let is_stale = match self.total {
            // Page after page of what we know: `start_at_row` is not heeded.
            Some(total) => self.start > total + self.limit,
            None => {
                self.stale_pages >= 3 && self.stale_rows >= MAX_STALE_ROWS
                    || self.stale_pages >= MAX_STALE_PAGES
                    || rows < asked && self.stale_pages >= MAX_SHORT_STALE_PAGES
            }
        };
        self.is_over = self.fresh >= self.most
            || !steps_back
                && (rows == 0 || (rows < asked && knows_all) || (new_rows == 0 && is_stale));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// A list of rows on a server, which counts from 0 or from 1.
    struct Server {
        rows: VecDeque<u64>,
        counts_from_1: bool,
        most: usize,
        tells_total: bool,
    }

    impl Server {
        fn page(&self, start: u64, limit: u64) -> (Vec<u64>, Option<u64>) {
            let start = usize::try_from(start).unwrap();
            let first = if self.counts_from_1 {
                start.saturating_sub(1)
            } else {
                start
            };
            let limit = usize::try_from(limit).unwrap().min(self.most);
            let rows = self.rows.iter().skip(first).take(limit).copied().collect();
            let total = self.tells_total.then_some(self.rows.len() as u64);
            (rows, total)
        }
    }

    /// Reads all as `js/edge/list.ts` does; `between` changes the list between two pages.
    fn read_all(
        server: &mut Server,
        mut paging: Pager,
        mut between: impl FnMut(usize, &mut VecDeque<u64>),
    ) -> Vec<u64> {
        let mut seen = Vec::new();
        for page in 0..10_000 {
            if paging.is_over() {
                return seen;
            }
            let (rows, total) = server.page(paging.start_at_row(), paging.row_limit());
            let fresh: Vec<u64> = rows
                .iter()
                .filter(|row| !seen.contains(row))
                .copied()
                .collect();
            paging.read(rows.len() as u64, fresh.len() as u64, total);
            seen.extend(fresh);
            between(page, &mut server.rows);
        }
        panic!("paging never ends");
    }

    proptest! {
        #[test]
        fn every_row_comes_once_whatever_the_count_starts_from(
            count in 0_u64..60, counts_from_1 in any::<bool>(), tells_total in any::<bool>(),
            limit in 1_u64..20, most in 1_usize..20,
        ) {
            let mut server = Server { rows: (0..count).collect(), counts_from_1, most, tells_total };
            let seen = read_all(&mut server, Pager::new(0, limit, None), |_, _| {});
            prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn rows_that_arrive_at_either_end_neither_hide_nor_repeat_others(
            count in 1_u64..60, counts_from_1 in any::<bool>(), tells_total in any::<bool>(),
            limit in 1_u64..20, arrivals in proptest::collection::vec((any::<bool>(), 0_u64..5), 0..8),
        ) {
            let mut server = Server {
                rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total,
            };
            let mut next = 1_000;
            let seen = read_all(&mut server, Pager::new(0, limit, None), |page, rows| {
                let (at_front, how_many) = arrivals.get(page).copied().unwrap_or_default();
                for _ in 0..how_many {
                    if at_front { rows.push_front(next) } else { rows.push_back(next) }
                    next += 1;
                }
            });
            let old: Vec<u64> = seen.into_iter().filter(|row| *row < 1_000).collect();
            prop_assert_eq!(old, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn rows_that_go_do_not_hide_others(
            count in 1_u64..60, counts_from_1 in any::<bool>(), limit in 1_u64..20,
            departures in proptest::collection::vec(0_usize..4, 0..8),
        ) {
            let mut server = Server {
                rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total: true,
            };
            let mut left = Vec::new();
            let seen = read_all(&mut server, Pager::new(0, limit, None), |page, rows| {
                for _ in 0..departures.get(page).copied().unwrap_or_default() {
                    left.extend(rows.pop_front());
                }
            });
            for row in (0..count).filter(|row| !left.contains(row)) {
                prop_assert_eq!(seen.iter().filter(|seen| **seen == row).count(), 1, "row {}", row);
            }
        }

        #[test]
        fn a_total_that_lies_hides_nothing_and_paging_ends(
            count in 0_u64..40, counts_from_1 in any::<bool>(), limit in 1_u64..10,
            totals in proptest::collection::vec(0_u64..100, 1..40),
        ) {
            let server = Server {
                rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total: false,
            };
            let mut paging = Pager::new(0, limit, None);
            let mut seen: Vec<u64> = Vec::new();
            let mut pages = 0;
            while !paging.is_over() {
                let (rows, _) = server.page(paging.start_at_row(), paging.row_limit());
                let fresh: Vec<u64> =
                    rows.iter().filter(|row| !seen.contains(row)).copied().collect();
                // Never lower than what was shown: that would be the end of a list.
                let total = totals[pages % totals.len()].max(count);
                paging.read(rows.len() as u64, fresh.len() as u64, Some(total));
                seen.extend(fresh);
                pages += 1;
                prop_assert!(pages < 5_000);
            }
            prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn max_rows_is_a_limit(count in 0_u64..40, limit in 1_u64..10, most in 0_u64..50) {
            let mut server = Server {
                rows: (0..count).collect(), counts_from_1: false, most: 1_000, tells_total: true,
            };
            let seen = read_all(&mut server, Pager::new(0, limit, Some(most)), |_, _| {});
            prop_assert_eq!(seen.len() as u64, count.min(most));
        }
    }

    #[test]
    fn a_server_that_ignores_the_start_is_left_in_the_end() {
        for total in [None, Some(50)] {
            let mut paging = Pager::new(0, 10, None);
            let mut pages = 0;
            while !paging.is_over() {
                paging.read(10, if pages == 0 { 10 } else { 0 }, total);
                pages += 1;
                assert!(pages < 60);
            }
        }
    }

    #[test]
    fn one_request_is_enough_for_a_list_that_fits() {
        let mut paging = Pager::new(0, 50, None);
        paging.read(1, 1, Some(1));
        assert!(paging.is_over());
    }
}
