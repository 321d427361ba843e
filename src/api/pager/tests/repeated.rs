//! Servers that show rows again.

use super::*;

#[test]
fn a_server_that_shows_the_same_rows_at_every_place_is_given_up() {
    for total in [None, Some(25), Some(50), Some(500)] {
        // The place that the server goes on from at most, and the most rows of its pages.
        for (furthest, most) in [(0, 10), (0, 4), (0, 1), (1, 10), (1, 4), (5, 10), (10, 10)] {
            let (_, is_short) = read_pages(10, total, |start, limit| {
                let first = start.min(furthest);
                (first..first + limit.min(most)).collect()
            });
            assert!(is_short, "{total:?} from {furthest} at most, {most} rows");
        }
    }
    // As many different rows as the length says are all.
    assert_eq!(
        read_pages(10, Some(10), |_, limit| (0..limit).collect()),
        (10, false)
    );
    // A length that counts one page is none.
    for most in [10, 5] {
        let (_, is_short) = read_pages(10, Some(most), |_, limit| (0..limit.min(most)).collect());
        assert_eq!(is_short, most % 25 == 0, "{most}");
    }
}

#[test]
fn a_list_in_another_order_at_each_page_is_given_up_where_rows_may_be_missing() {
    // The rows of one day stand in any order. Without a length, more rows must come again than arrive between two pages.
    for (total, limit, day) in [
        (Some(700), 100, 70),
        (Some(700), 100, 7),
        (Some(700), 101, 3),
        (None, 100, 70),
    ] {
        for counts_from_1 in [false, true] {
            let mut page = 0_u64;
            let (found, is_short) = read_pages(limit, total, |start, limit| {
                page += 1;
                let mut rows: Vec<u64> = (0..700).collect();
                rows.sort_by_key(|row| (row / day, row * 7_919 * page % 1_009));
                let first = start.saturating_sub(u64::from(counts_from_1));
                let (first, limit) = (
                    usize::try_from(first).unwrap(),
                    usize::try_from(limit).unwrap(),
                );
                rows.into_iter().skip(first).take(limit).collect()
            });
            assert!(
                found == 700 || is_short,
                "{total:?} {day} {counts_from_1}: {found}"
            );
        }
    }
}

#[test]
fn a_list_that_grows_while_it_is_read_is_whole_though_rows_come_again() {
    for counts_from_1 in [false, true] {
        for tells_total in [false, true] {
            let mut server = Server {
                rows: (0..100).collect(),
                counts_from_1,
                most: 10,
                tells_total,
            };
            let mut next = 1_000;
            let seen = read_all(&mut server, Pager::new(0, 10, None), |_, rows| {
                for _ in 0..3 {
                    rows.push_front(next);
                    next += 1;
                }
            });
            assert_eq!(seen.iter().filter(|row| **row < 100).count(), 100);
        }
    }
}

#[test]
fn a_server_that_shows_its_first_rows_again_is_left_after_a_few_pages() {
    // Every page: its rows, those of them that have no id and so seem new, and the most pages.
    for (rows, nameless, most) in [(1, 0, 5), (3, 0, 5), (10, 0, 5), (1, 1, 52), (3, 1, 52)] {
        let mut paging = Pager::new(0, 1_000, None);
        let mut pages = 0;
        while !paging.is_over() {
            let is_first = pages == 0;
            paging.read(PageRead {
                rows,
                new_rows: if is_first { rows } else { nameless },
                last_known: (!is_first)
                    .then(|| rows.checked_sub(nameless + 1))
                    .flatten(),
                total_rows: Some(470_134),
                is_repeated: !is_first,
                ..PageRead::default()
            });
            pages += 1;
            assert!(pages <= most, "{rows} rows");
        }
        assert!(paging.is_short(), "{rows} rows");
    }
}
