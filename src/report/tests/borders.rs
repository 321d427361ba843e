//! A sale that CAKE's rows cannot have yet is not uploaded, and a conversion whose order may be the month before's is
//! not rejected.

use super::pairs::corrections;
use super::*;

const HEADER: &str = "order_id,click_id,date,revenue,status\n";
const JUNE: &str = "from=2026-06-01\nto=2026-06-30";

/// The upload of an order of this time beside CAKE's row of that time.
fn upload(options: &str, source: &str, date: &str, of_cake: &str) -> Vec<String> {
    let mut report = open(options);
    let orders = format!("{HEADER}A,c1,{date},22.00,approved\n");
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    let row = conversion(1, "Z", of_cake, "22", "18", "approved");
    add(
        &mut report,
        &format!("kind=conversions\n{source}"),
        &format!("[{row}]"),
        1_000,
    )
    .unwrap();
    reconcile(&mut report).unwrap();
    let found = corrections(&mut report, "file=upload\noffer=7");
    found
        .iter()
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_sale_after_the_reading_or_at_the_last_border_is_not_uploaded() {
    const EARLY: &str = "2026-06-02 10:00:00";
    // The pages were read on 2026-06-15 at 12:00 UTC.
    let read = "readAt=1781524800";
    let york = &format!("{JUNE}\nzone=0:-14400");
    for (options, source, date, of_cake, expected) in [
        (JUNE, read, "2026-06-29 10:00:00", EARLY, "read_too_early"),
        (JUNE, read, "2026-06-15 11:59:00", EARLY, "read_too_early"),
        // Without a time zone the account's clock may be twelve hours behind.
        (JUNE, read, "2026-06-14 23:00:01", EARLY, "read_too_early"),
        (JUNE, read, "2026-06-14 23:00:00", EARLY, "c1"),
        (york, read, "2026-06-15 07:00:01", EARLY, "read_too_early"),
        (york, read, "2026-06-15 07:00:00", EARLY, "c1"),
        (york, read, "2026-06-15", EARLY, "read_too_early"),
        (york, read, "2026-06-14", EARLY, "c1"),
        (JUNE, "", "2026-06-29 10:00:00", EARLY, "c1"),
        (JUNE, "", "2026-06-30 23:59:30", EARLY, "at_the_border"),
        (JUNE, "", "2026-06-30 23:00:00", EARLY, "c1"),
        (JUNE, "", "2026-06-30", EARLY, "at_the_border"),
        // The day after was read as well.
        (JUNE, "", "2026-06-30 23:59:30", "2026-07-01 09:00:00", "c1"),
        (
            JUNE,
            "",
            "2026-06-30 23:59:30",
            "2026-07-01 00:01:00",
            "at_the_border",
        ),
        ("", "", "2026-06-30 23:59:30", EARLY, "c1"),
        ("", read, "2026-06-30 23:59:30", EARLY, "read_too_early"),
    ] {
        let found = upload(options, source, date, of_cake);
        assert_eq!(found, [expected], "{options} {source} {date} {of_cake}");
    }
}

#[test]
fn the_source_that_was_read_first_decides() {
    let mut report = open(JUNE);
    let orders = format!("{HEADER}A,c1,2026-06-20 10:00:00,22.00,approved\n");
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    for read in ["readAt=1783000000", "readAt=1781524800", ""] {
        add(
            &mut report,
            &format!("kind=conversions\n{read}"),
            "[]",
            1_000,
        )
        .unwrap();
    }
    reconcile(&mut report).unwrap();
    assert_eq!(
        corrections(&mut report, "file=upload\noffer=7"),
        ["read_too_early"]
    );
}

#[test]
fn a_conversion_at_the_first_border_is_not_rejected() {
    for (date, before, expected) in [
        ("2026-06-01 00:01:00", "", "at_the_border"),
        ("2026-06-01 01:00:00", "", "1,,rejected,5,,FALSE 18.00"),
        // The orders begin earlier.
        (
            "2026-06-01 00:01:00",
            "B,c2,2026-05-31 09:00:00,22.00,approved\n",
            "1,,rejected,5,,FALSE 18.00",
        ),
    ] {
        let mut report = open(JUNE);
        let orders = format!("{HEADER}A,c1,2026-06-20 10:00:00,22.00,approved\n{before}");
        add(&mut report, "kind=orders", &orders, 1_000).unwrap();
        let row = conversion(1, "Z", date, "22", "18", "approved");
        add(&mut report, "kind=conversions", &format!("[{row}]"), 1_000).unwrap();
        reconcile(&mut report).unwrap();
        let found = corrections(&mut report, "reject=unknown_to_advertiser");
        assert_eq!(found, [expected], "{date} {before}");
    }
}
