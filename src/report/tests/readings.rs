//! Conversions that were read twice: the newest reading counts, and no list is whole because of a repetition.

use super::*;

const DATE: &str = "2026-06-20 10:00:00";

/// A page of these conversions, which says how many rows its list has.
fn page(ids: &[u32], total: u32) -> String {
    let row = |id: &u32| conversion(*id, &format!("U{id}"), DATE, "22", "18", "approved");
    let rows: Vec<String> = ids.iter().map(row).collect();
    format!(
        r#"{{"total_rows":{total},"conversions":[{}]}}"#,
        rows.join(",")
    )
}

#[test]
fn the_rows_that_a_list_says_it_has_are_different_rows() {
    let refused = |options: &str, pages: &[String]| {
        let mut report = open(options);
        for text in pages {
            add(&mut report, "kind=conversions", text, 100).unwrap();
        }
        let outcome = reconcile(&mut report);
        outcome.err().map(|error| {
            assert!(report.verdicts.is_none());
            // The pages that lack may be added still.
            add(&mut report, "kind=conversions", &page(&[4, 5], 0), 100).unwrap();
            assert!(reconcile(&mut report).is_ok());
            error.to_string()
        })
    };
    for (pages, read) in [
        // Rows of one second in another order at each call: one comes twice, and another one not at all.
        (vec![page(&[1, 2], 4), page(&[2, 3], 4)], Some(3)),
        (vec![page(&[1, 2, 3], 4) + &page(&[3], 4)], Some(3)),
        (vec![page(&[3, 1], 4), page(&[2, 1], 4)], Some(3)),
        // A month, and some of its days again.
        (vec![page(&[1, 2, 3], 4), page(&[1, 2], 2)], Some(3)),
        (vec![page(&[1, 2, 3, 4], 4), page(&[1, 2], 2)], None),
        // Pages that overlap.
        (vec![page(&[1, 2], 3), page(&[2, 3], 3)], None),
        (vec![page(&[1, 2], 4), page(&[3, 4], 4)], None),
        (vec![page(&[4, 3], 4), page(&[2, 1], 4)], None),
        // An empty page is the end of a list that counts more rows than it shows.
        (vec![page(&[1, 2], 4), page(&[2, 3], 4), page(&[], 4)], None),
    ] {
        let found = refused("", &pages);
        let expected = read.map(|read| format!("has 4 rows, and {read} were read"));
        match (&found, expected) {
            (Some(found), Some(expected)) => assert!(found.contains(&expected), "{found}"),
            (found, expected) => assert_eq!(*found, expected, "{pages:?}"),
        }
    }
    // A part knows its own repetitions.
    let pages = [page(&[1, 2], 4), page(&[2, 3], 4)];
    let parts = (1..=4).map(|part| format!("keys=uniqueId\npart={part}/4"));
    let refusals = parts.filter_map(|part| refused(&part, &pages)).count();
    assert_eq!(refusals, 1);
}

#[test]
fn of_several_readings_the_newest_counts_whatever_the_order_of_the_files() {
    // Each reading: when it was, and the payout then.
    for (readings, expected) in [
        (&[("5", "1"), ("7", "2")][..], "2"),
        (&[("7", "2"), ("5", "1")], "2"),
        (&[("7", "3"), ("5", "1"), ("6", "2")], "3"),
        (&[("6", "2"), ("7", "3"), ("5", "1")], "3"),
        (&[("6", "1"), ("6", "2")], "2"),
        // Without a time on both sides, the one that was added last.
        (&[("", "1"), ("", "2")], "2"),
        (&[("7", "1"), ("", "2")], "2"),
        (&[("", "1"), ("5", "2")], "2"),
        (&[("7", "2"), ("5", "1"), ("", "3")], "3"),
    ] {
        let mut report = open("");
        add(&mut report, "kind=orders", "unique_id\nU1\nU2\n", 100).unwrap();
        // Files without rows, and of other rows.
        add(&mut report, "kind=conversions\nreadAt=9", "[]", 100).unwrap();
        for (index, (read_at, payout)) in readings.iter().enumerate() {
            let option = if read_at.is_empty() {
                String::new()
            } else {
                format!("\nreadAt={read_at}")
            };
            let one = conversion(1, "U1", DATE, "22", payout, "approved");
            let other = conversion(
                10 + u32::try_from(index).unwrap(),
                "",
                DATE,
                "0",
                "0",
                "approved",
            );
            let kind = "kind=conversions";
            add(
                &mut report,
                &format!("{kind}{option}"),
                &format!("[{one},{other}]"),
                100,
            )
            .unwrap();
            add(&mut report, &format!("{kind}{option}"), "[]", 100).unwrap();
            add(
                &mut report,
                "kind=deliveries",
                "unique_id,state\nU2,pending\n",
                100,
            )
            .unwrap();
        }
        reconcile(&mut report).unwrap();
        let listed = rows(&mut report, "classes=matched");
        assert_eq!(listed.len(), 1, "{readings:?}");
        assert_eq!(
            listed[0]["conversion"]["payout"],
            format!("{expected}.00"),
            "{readings:?}"
        );
        assert_eq!(
            listed[0]["reasons"][0].as_str(),
            Some("changed_while_reading")
        );
        assert_eq!(
            rows(&mut report, "classes=read_twice").len(),
            readings.len() - 1
        );
        report.break_down("by=affiliate").unwrap();
        let answer: Value = serde_json::from_str(&report.answer).unwrap();
        assert_eq!(
            answer["total"]["payout"],
            format!("{expected}.00"),
            "{readings:?}"
        );
    }
}
