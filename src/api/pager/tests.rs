//! Lists that stand, grow and shrink.

mod repeated;

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
    paging: Pager,
    between: impl FnMut(usize, &mut VecDeque<u64>),
) -> Vec<u64> {
    let (seen, is_short) = read_until_over(server, paging, between);
    assert!(!is_short, "given up");
    seen
}

/// Like `read_all`; also returns whether the reading was given up.
fn read_until_over(
    server: &mut Server,
    mut paging: Pager,
    mut between: impl FnMut(usize, &mut VecDeque<u64>),
) -> (Vec<u64>, bool) {
    let mut seen = Vec::new();
    for page in 0..4_000 {
        if paging.is_over() {
            return (seen, paging.is_short());
        }
        let (rows, total) = server.page(paging.start_at_row(), paging.row_limit());
        let (read, fresh) = page_read(&rows, total, &seen);
        if paging.read(read) {
            seen.extend(fresh);
        }
        between(page, &mut server.rows);
    }
    panic!("paging never ends");
}

fn page_read(rows: &[u64], total_rows: Option<u64>, seen: &[u64]) -> (PageRead, Vec<u64>) {
    let fresh: Vec<u64> = rows
        .iter()
        .filter(|row| !seen.contains(row))
        .copied()
        .collect();
    let read = PageRead {
        rows: rows.len() as u64,
        new_rows: fresh.len() as u64,
        last_known: rows
            .iter()
            .rposition(|row| seen.contains(row))
            .map(|at| at as u64),
        total_rows,
        ..PageRead::default()
    };
    (read, fresh)
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
        count in 1_u64..60, counts_from_1 in any::<bool>(), tells_total in any::<bool>(), limit in 2_u64..20,
        departures in proptest::collection::vec(0_usize..4, 0..8),
    ) {
        let mut server = Server {
            rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total,
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
    fn rows_that_come_and_go_anywhere_neither_hide_nor_repeat_others(
        count in 1_u64..120, counts_from_1 in any::<bool>(), tells_total in any::<bool>(),
        limit in 4_u64..20, most in 4_usize..30,
        changes in proptest::collection::vec((any::<bool>(), any::<proptest::sample::Index>()), 0..60),
        per_page in 1_usize..3,
    ) {
        let mut server = Server { rows: (0..count).collect(), counts_from_1, most, tells_total };
        let mut gone = Vec::new();
        let mut next = 1_000;
        let mut changes = changes.into_iter();
        let (seen, is_short) = read_until_over(&mut server, Pager::new(0, limit, None), |_, rows| {
            // If as many rows arrive as go, the length does not show it.
            let Some((arrives, place)) = changes.next() else { return };
            for _ in 0..per_page {
                let at = place.index(rows.len() + 1);
                if arrives {
                    rows.insert(at, next);
                    next += 1;
                } else {
                    gone.extend(rows.remove(at));
                }
            }
        });
        // As many different rows as the length says are then not there.
        prop_assert!(!is_short || tells_total && next > 1_000 && !gone.is_empty());
        for row in (0..count).filter(|row| !gone.contains(row)) {
            prop_assert_eq!(seen.iter().filter(|seen| **seen == row).count(), 1, "row {}", row);
        }
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), seen.len());
    }

    #[test]
    fn rows_that_stood_have_come_or_the_reading_says_that_it_gave_up(
        count in 1_u64..120, counts_from_1 in any::<bool>(), tells_total in any::<bool>(),
        limit in 4_u64..20, most in 4_usize..30,
        leave in 0_usize..12, arrive in 0_usize..12, until in prop_oneof![0_usize..20, Just(usize::MAX)],
        leave_at in 0_usize..3, arrive_at in 0_usize..3,
    ) {
        let mut server = Server { rows: (0..count).collect(), counts_from_1, most, tells_total };
        // Without a length, a list that fills as fast as it is read looks like a long one. In the
        // middle, new rows look like original ones: lists fill at their ends.
        let slow = most.min(usize::try_from(limit).unwrap()) / 4;
        let is_slow = !tells_total || arrive_at == 1;
        let (leave, arrive) = if is_slow { (leave.min(slow), arrive.min(slow)) } else { (leave, arrive) };
        let mut gone = Vec::new();
        let mut next = 1_000;
        // At the start, in the middle, at the end: 0, 1, 2.
        let (seen, is_short) = read_until_over(&mut server, Pager::new(0, limit, None), |page, rows| {
            if page >= until { return }
            for _ in 0..leave.min(rows.len()) {
                gone.extend(rows.remove(leave_at * (rows.len() - 1) / 2));
            }
            for _ in 0..arrive {
                rows.insert(arrive_at * rows.len() / 2, next);
                next += 1;
            }
        });
        for row in (0..count).filter(|row| !gone.contains(row)) {
            let times = seen.iter().filter(|seen| **seen == row).count();
            prop_assert!(times == 1 || is_short && times == 0, "row {} {} times", row, times);
        }
    }

    #[test]
    fn a_list_that_fills_slower_than_it_is_read_is_read_whole(
        count in 20_u64..100, counts_from_1 in any::<bool>(), tells_total in any::<bool>(),
        limit in 5_u64..20, leaves in any::<bool>(), arrives_at_front in any::<bool>(),
    ) {
        let mut server = Server { rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total };
        let mut gone = Vec::new();
        let mut next = 1_000;
        let seen = read_all(&mut server, Pager::new(0, limit, None), |_, rows| {
            if leaves { gone.extend(rows.pop_front()) }
            if arrives_at_front { rows.push_front(next) } else { rows.push_back(next) }
            next += 1;
        });
        for row in (0..count).filter(|row| !gone.contains(row)) {
            prop_assert_eq!(seen.iter().filter(|seen| **seen == row).count(), 1, "row {}", row);
        }
    }

    #[test]
    fn a_list_that_fills_faster_than_it_is_read_ends_and_what_stood_has_come(
        count in 1_u64..100, counts_from_1 in any::<bool>(), limit in 2_u64..20,
        faster in 0_u64..20, at_front in any::<bool>(),
    ) {
        let mut server = Server { rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total: true };
        let mut next = 1_000;
        let mut pages = 0;
        let (seen, is_short) = read_until_over(&mut server, Pager::new(0, limit, None), |_, rows| {
            for _ in 0..limit + faster {
                if at_front { rows.push_front(next) } else { rows.push_back(next) }
                next += 1;
            }
            pages += 1;
        });
        // More rows arrive above us than we read: no page can reach the original rows.
        for row in (0..count).filter(|_| !at_front) {
            prop_assert_eq!(seen.iter().filter(|seen| **seen == row).count(), 1, "row {}", row);
        }
        prop_assert!(at_front || pages < 130, "{} pages", pages);
        prop_assert!(at_front || !is_short);
    }

    #[test]
    fn a_list_without_a_total_that_fills_at_its_end_faster_than_it_is_read_ends_too(
        count in 1_u64..100, counts_from_1 in any::<bool>(), limit in 4_u64..8,
        pages_a_call in 1_u64..5, more in 0_u64..4,
    ) {
        let mut server = Server { rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total: false };
        let mut next = 1_000;
        let mut pages = 0;
        let (seen, is_short) = read_until_over(&mut server, Pager::new(0, limit, None), |_, rows| {
            for _ in 0..limit * pages_a_call + more {
                rows.push_back(next);
                next += 1;
            }
            pages += 1;
        });
        prop_assert!(!is_short);
        for row in 0..count {
            prop_assert_eq!(seen.iter().filter(|seen| **seen == row).count(), 1, "row {}", row);
        }
        prop_assert!(pages < 2_000, "{} pages", pages);
    }

    #[test]
    fn a_long_list_without_a_total_is_read_whole_with_a_few_requests_more(
        pages_of_it in 30_u64..300, limit in 2_u64..5, counts_from_1 in any::<bool>(), appends in any::<bool>(),
    ) {
        let count = pages_of_it * limit;
        let mut server = Server { rows: (0..count).collect(), counts_from_1, most: 1_000, tells_total: false };
        let mut next = 10_000;
        let mut pages = 0;
        let seen = read_all(&mut server, Pager::new(0, limit, None), |_, rows| {
            // Fewer rows than are read.
            if appends && pages % 4 == 0 {
                rows.push_back(next);
                next += 1;
            }
            pages += 1;
        });
        let old: Vec<u64> = seen.into_iter().filter(|row| *row < 10_000).collect();
        prop_assert_eq!(old, (0..count).collect::<Vec<_>>());
        // Pages overlap by a row.
        prop_assert!(pages <= count * 2 / (limit - 1) + 20, "{} pages", pages);
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
            // A length below the shown rows proves nothing; a length equal to them is the list's
            // end.
            let shown = paging.start_at_row() + rows.len() as u64;
            let total = totals[pages % totals.len()];
            let total = if total + 1 < shown { total } else { total.max(count) };
            let (read, fresh) = page_read(&rows, Some(total), &seen);
            if paging.read(read) {
                seen.extend(fresh);
            }
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

/// Reads a list of `page(start, limit)` to its end: the number of rows, and whether it was given up.
fn read_pages(
    limit: u64,
    total: Option<u64>,
    mut page: impl FnMut(u64, u64) -> Vec<u64>,
) -> (usize, bool) {
    let mut paging = Pager::new(0, limit, None);
    let mut seen = Vec::new();
    for _ in 0..200 {
        if paging.is_over() {
            assert_eq!(paging.next_page().is_err(), paging.is_short());
            return (seen.len(), paging.is_short());
        }
        let rows = page(paging.start_at_row(), paging.row_limit());
        let (read, fresh) = page_read(&rows, total, &seen);
        if paging.read(read) {
            seen.extend(fresh);
        }
    }
    panic!("paging never ends");
}

#[test]
fn a_list_without_an_end_is_given_up_and_is_not_probed_beyond_what_a_list_may_have() {
    let mut paging = Pager::new(0, 100, None);
    let (mut pages, mut end) = (0, 0);
    while !paging.is_over() {
        let (start, rows) = (paging.start_at_row(), paging.row_limit());
        assert!(start <= 1 << 30, "row {start} is asked for");
        let known = end.min(start + rows).saturating_sub(start);
        let is_taken = paging.read(PageRead {
            rows,
            new_rows: rows - known,
            last_known: known.checked_sub(1),
            total_rows: None,
            ..PageRead::default()
        });
        if is_taken {
            end = end.max(start + rows);
        }
        pages += 1;
        assert!(pages < 1_100);
    }
    assert!(paging.is_short());
}

proptest! {
    #[test]
    fn a_total_that_counts_more_than_is_listed_ends_soon(
        count in 0_u64..80, counts_from_1 in any::<bool>(), limit in 2_u64..20, most in 2_usize..20, more in 0_u64..200,
    ) {
        let server = Server { rows: (0..count).collect(), counts_from_1, most, tells_total: false };
        let mut paging = Pager::new(0, limit, None);
        let mut seen: Vec<u64> = Vec::new();
        let mut pages = 0;
        while !paging.is_over() {
            let (rows, _) = server.page(paging.start_at_row(), paging.row_limit());
            let (read, fresh) = page_read(&rows, Some(count + more), &seen);
            if paging.read(read) {
                seen.extend(fresh);
            }
            pages += 1;
        }
        prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
        // An empty list that counts rows is not read.
        prop_assert_eq!(paging.is_short(), count == 0 && more > 0);
        let least = limit.min(most as u64).saturating_sub(1).max(1);
        prop_assert!(pages <= count / least + 12, "{} pages", pages);
    }
}

#[test]
fn one_request_is_enough_for_a_list_that_fits() {
    let mut paging = Pager::new(0, 50, None);
    paging.read(PageRead {
        rows: 1,
        new_rows: 1,
        last_known: None,
        total_rows: Some(1),
        ..PageRead::default()
    });
    assert!(paging.is_over());
}

#[test]
fn a_list_that_ends_before_its_length_says_so_unless_it_has_changed() {
    let read = |totals: &[Option<u64>], most, read| {
        let mut pager = Pager::new(0, 100, most);
        for total_rows in totals {
            let page = PageRead {
                rows: 100,
                new_rows: 100,
                last_known: None,
                total_rows: *total_rows,
                ..PageRead::default()
            };
            pager.read(page);
        }
        pager.unlisted(read)
    };
    for (totals, most, rows, expected) in [
        (vec![Some(1_000)], None, 250, Some(1_000)),
        (vec![Some(1_000), None], None, 250, Some(1_000)),
        (vec![Some(250)], None, 250, None),
        (vec![Some(1_000)], None, 1_001, None),
        (vec![None], None, 250, None),
        // The caller wanted no more.
        (vec![Some(1_000)], Some(250), 250, None),
        (vec![Some(1_000), Some(1_001)], None, 250, None),
    ] {
        assert_eq!(read(&totals, most, rows), expected, "{totals:?} {rows}");
    }
}
