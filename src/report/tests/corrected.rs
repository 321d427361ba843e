//! A correction names the row that is meant, once; an upload has sales that nobody has told CAKE.

use super::pairs::corrections;
use super::*;

/// A report of orders and CAKE's rows.
fn of(options: &str, orders: &str, conversions: &str) -> Report {
    let mut report = open(options);
    add(&mut report, "kind=orders", orders, 1_000).unwrap();
    add(&mut report, "kind=conversions", conversions, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    report
}

const COLUMNS: &str =
    "Conversion ID,Conversion Date,Offer ID,Payout,Revenue,Status,Transaction ID\n";

#[test]
fn a_correction_names_one_row_and_never_another() {
    const WHEN: &str = "2026-06-10 09:00:00";
    for (orders, conversions, expected) in [
        // The transaction id names the good row as well.
        (
            "A,,approved",
            &[",5,18.00,approved,A", ",5,18.00,approved,A"][..],
            "no_conversion_id",
        ),
        (
            "A,,rejected",
            &[",5,18.00,approved,A", ",,18.00,approved,A"],
            "no_conversion_id no_conversion_id",
        ),
        (
            "A,17.00,approved",
            &[",5,18.00,approved,A", ",6,18.00,approved,A"],
            ",A,,5,17.00,FALSE 1.00 ,A,rejected,6,,FALSE 18.00",
        ),
        (
            "A,,rejected",
            &[",5,18.00,approved,A"],
            ",A,rejected,5,,FALSE 18.00",
        ),
        // Another spelling of 7 is no 7, neither in the file nor as a number.
        (
            "A,,approved",
            &["7,5,18.00,approved,A", "007,5,18.00,approved,A"],
            "no_conversion_id",
        ),
        (
            "A,,rejected",
            &["9007199254740993,5,18.00,approved,A"],
            ",A,rejected,5,,FALSE 18.00",
        ),
        (
            "A,,rejected",
            &["9F3A-B,5,18.00,approved,A"],
            ",A,rejected,5,,FALSE 18.00",
        ),
        (
            "A,,rejected",
            &["9007199254740991,5,18.00,approved,A"],
            "9007199254740991,,rejected,5,,FALSE 18.00",
        ),
        (
            "jane@example.com,,rejected",
            &[",5,18.00,approved,jane@example.com"],
            "no_conversion_id",
        ),
        // CAKE's files have an offer, and no word for these.
        ("A,,rejected", &["1,,18.00,approved,A"], "no_offer_id"),
        (
            "A,,rejected",
            &["1,Offer A,18.00,approved,A"],
            "no_offer_id",
        ),
        ("A,,ignored", &["1,5,18.00,approved,A"], "no_disposition"),
        (
            "A,17.00,scrubbed",
            &["1,5,18.00,approved,A"],
            "no_disposition",
        ),
        // What takes money back is no repetition.
        (
            "A,,approved",
            &["1,5,18.00,approved,A", "2,5,-18.00,approved,A"],
            "below_zero",
        ),
        (
            "A,,approved",
            &["2,5,-18.00,approved,A", "10,5,18.00,approved,A"],
            "below_zero",
        ),
        // What it takes back is one of the others: which, only a person knows.
        (
            "A,,reversed",
            &["1,5,18.00,approved,A", "2,5,-18.00,approved,A"],
            "below_zero below_zero",
        ),
        (
            "A,,approved",
            &[
                "1,5,18.00,approved,A",
                "2,5,18.00,approved,A",
                "3,5,-18.00,approved,A",
            ],
            "below_zero below_zero",
        ),
    ] {
        let orders = format!("unique_id,payout,status\n{orders}\n");
        let rows = conversions.iter().map(|row| {
            let (id, rest) = row.split_once(',').unwrap();
            let (offer, rest) = rest.split_once(',').unwrap();
            let (payout, rest) = rest.split_once(',').unwrap();
            format!("{id},{WHEN},{offer},{payout},,{rest}\n")
        });
        let conversions = COLUMNS.to_owned() + &rows.collect::<String>();
        let mut report = of("", &orders, &conversions);
        assert_eq!(
            corrections(&mut report, "").join(" "),
            expected,
            "{orders}{conversions}"
        );
    }
}

#[test]
fn refund_rows_end_as_the_refund_in_the_sales_own_row() {
    let rows = "unique_id,payout,revenue,status\nA,18.00,22.00,approved\nA,,-22.00,approved\n";
    let keyed = "unique_id,order_id,payout,revenue,status\nA,9,18.00,22.00,approved\nr,9,,-22.00,approved\n";
    let column = "unique_id,payout,revenue,status,refunded_amount\nA,18.00,22.00,approved,22.00\n";
    for (status, revenue, class, fix) in [
        ("returned", "0", "matched", ""),
        ("reversed", "0", "matched", ""),
        ("reversed", "22", "revenue_differs", "only_revenue_differs"),
        (
            "rejected",
            "0",
            "status_differs",
            "1,,reversed,5,,FALSE 0.00",
        ),
        (
            "approved",
            "0",
            "status_differs",
            "1,,reversed,5,,FALSE 18.00",
        ),
        (
            "approved",
            "22",
            "revenue_differs",
            "1,,reversed,5,,FALSE 18.00",
        ),
    ] {
        for orders in [rows, column, keyed] {
            let row = conversion(1, "A", "2026-06-10 09:00:00", revenue, "18.00", status);
            let mut report = of("", orders, &row);
            let found = classes(&mut report);
            assert_eq!(found[0].0, class, "{status} {revenue} {orders}");
            assert_eq!(
                corrections(&mut report, "").join(" "),
                fix,
                "{status} {revenue} {orders}"
            );
        }
    }
    // A refund with an id of its own that cannot be taken off, and one that can: in any order.
    for refunds in [
        ["r,9,,-20.00,,EUR", "s,9,,-2.00,,USD"],
        ["r,9,,-2.00,,USD", "s,9,,-20.00,,EUR"],
    ] {
        let orders = format!(
            "unique_id,order_id,payout,revenue,status,currency\nA,9,18.00,22.00,approved,USD\n{}\n",
            refunds.join("\n")
        );
        let row = conversion(1, "A", "2026-06-10 09:00:00", "22", "18.00", "approved");
        let mut report = of("currency=USD", &orders, &row);
        assert_eq!(classes(&mut report)[0].0, "refund_unclear", "{orders}");
        let sums = reconcile(&mut report).unwrap()["classes"].clone();
        let of_class: Vec<_> = sums
            .as_array()
            .unwrap()
            .iter()
            .map(|sum| format!("{} {} {}", sum["class"], sum["orders"], sum["conversions"]))
            .collect();
        assert_eq!(
            of_class,
            ["\"refund\" 1 0", "\"refund\" 1 0", "\"refund_unclear\" 1 1"],
            "{orders}"
        );
    }
    // A part of a sale, or a pending one.
    for (orders, expected) in [
        ("A,18.00,22.00,approved\nA,,-21.99,approved\n", "approved"),
        ("A,18.00,22.00,pending\nA,,-22.00,\n", "rejected"),
        ("A,18.00,22.00,\nA,,-23.00,\n", "reversed"),
    ] {
        let orders = format!("unique_id,payout,revenue,status\n{orders}");
        let mut report = of("", &orders, "[]");
        assert_eq!(
            rows_of(&mut report)[0]["order"]["status"],
            expected,
            "{orders}"
        );
    }
}

fn rows_of(report: &mut Report) -> Vec<Value> {
    rows(report, "")
}

#[test]
fn a_refund_in_another_currency_leaves_the_sale_to_a_person() {
    let orders = |currency: &str| {
        format!(
            "unique_id,click_id,offer_id,date,payout,revenue,currency,status\nA,k,5,2026-06-10 09:00:00,18.00,22.00,USD,approved\nA,k,5,2026-06-11 09:00:00,,-20.00,{currency},\n"
        )
    };
    let row = conversion(1, "A", "2026-06-10 09:00:00", "22.00", "18.00", "approved");
    let mut report = of("currency=USD", &orders("EUR"), &row);
    let found = rows_of(&mut report);
    assert_eq!(found[0]["class"], "refund_unclear");
    assert_eq!(
        found[0]["reasons"],
        serde_json::json!(["refunded", "refund_unclear"])
    );
    assert_eq!(corrections(&mut report, ""), ["refund_unclear"]);
    let mut report = of("currency=USD", &orders("EUR"), "[]");
    assert_eq!(corrections(&mut report, "file=upload"), ["refund_unclear"]);
    // A refund that names none is in its sale's.
    let mut report = of("currency=USD", &orders(""), "[]");
    assert_eq!(
        corrections(&mut report, "file=upload"),
        ["k,5,2026-06-10 09:00:00,18.00,2.00,A, 18.00"]
    );
}

#[test]
fn an_upload_has_only_what_cake_takes() {
    for (row, expected) in [
        ("A,1,k-1,12", "k-1,12,2026-06-10 09:00:00,,,A,1 0.00"),
        ("A,1,abc def,12", "no_click_id"),
        ("A,1,1.23E+15,12", "no_click_id"),
        ("A,1,,12", "no_click_id"),
        ("A,1,k-1,Offer A", "no_offer_id"),
        ("A,1,k-1,12.0", "no_offer_id"),
        ("A,1,k-1,012", "no_offer_id"),
        ("A,1,k-1,-3", "no_offer_id"),
        ("A,1,k-1,", "no_offer_id"),
        ("jane@example.com,1,k-1,12", "invalid_unique_id"),
        ("A,jane@example.com,k-1,12", "invalid_unique_id"),
    ] {
        let orders =
            format!("unique_id,order_id,click_id,offer_id,date\n{row},2026-06-10 09:00:00\n");
        let mut report = of("", &orders, "[]");
        assert_eq!(corrections(&mut report, "file=upload"), [expected], "{row}");
    }
    let mut report = of("", "order_id\nA\n", "[]");
    for offer in ["x", "0", "-3", "1.0", "9007199254740993"] {
        let error = report
            .corrections(&format!("file=upload\noffer={offer}"))
            .unwrap_err();
        assert_eq!(
            (error.code(), error.parameter()),
            ("invalid_id", Some("offerId")),
            "{offer}"
        );
    }
}

#[test]
fn a_key_in_any_dress_holds_an_upload_back() {
    for (order, cake, without) in [
        ("\"=\"\"1001\"\"\"", "1001", "quotes"),
        ("1001.0", "1001", "decimals"),
        ("\"1001,00\"", "1001", "decimals"),
        ("\"1,001\"", "1001", "thousands"),
        ("1.234.567", "1234567", "thousands"),
        ("1234567890123450", "1234567890123456", "rounding"),
        ("1234567890123460", "1234567890123456", "rounding"),
        ("12345678901234567000", "12345678901234567890", "rounding"),
        ("12345678901234560000", "12345678901234567890", ""),
        ("1.23456789012346E+15", "1234567890123456", "exponent"),
        ("\u{200b}1001", "1001", "invisible"),
        ("\u{feff}1001", "1001", "invisible"),
        ("A\u{a0}1001", "A1001", "blanks"),
        ("A\u{2011}1001", "A-1001", "hyphen"),
        ("cafe\u{301}", "caf\u{e9}", "accents"),
        ("#a-01", "A-01", "several"),
        ("1001", "#1001", "hash_sign"),
        ("1001", "\u{2116}1001", "hash_sign"),
        ("#1001", "%231001", "escapes"),
        ("A B", "A%20B", "escapes"),
        ("A B", "A+B", "blanks"),
        ("A&B", "A&amp;B", "escapes"),
        ("1001", "\u{201c}1001\u{201d}", "quotes"),
        ("1001", "\u{ff11}\u{ff10}\u{ff10}\u{ff11}", "width"),
        ("Caf\u{e9}", "Caf\u{c3}\u{a9}", "encoding"),
        ("ORD-1001", "ORD 1001", "separator"),
        ("ORD-1001", "ord_1001", "several"),
        ("ORD1001", "ORD-1001", "separator"),
        ("1001", "1001,", "punctuation"),
        ("ORD-1001", "ORD:1001", "separator"),
        ("ORD-1001", "ORD/1001", "separator"),
        ("ORD-1001", "ORD.1001", "separator"),
        ("ORD-1001", "ORD-0001001", "leading_zeros"),
        ("ORD-1001", "ord0001001", "several"),
        (
            "8f4c0a12-3b4d-4e5f-8a9b-0c1d2e3f4a5b",
            "8f4c0a123b4d4e5f8a9b0c1d2e3f4a5b",
            "separator",
        ),
        (
            "8f4c0a12-3b4d-4e5f-8a9b-0c1d2e3f4a5b",
            "{8F4C0A12-3B4D-4E5F-8A9B-0C1D2E3F4A5B}",
            "several",
        ),
        ("406-1234567-1234567", "40612345671234567", "separator"),
        ("2026-1001", "20261001", "separator"),
        ("2026-1001", "2026/1001", "separator"),
        ("2026-1001", "2026.1001", "separator"),
        ("2026-11-28", "20261128", "separator"),
        ("INV-2026-0001", "INV20260001", "separator"),
        ("1001-1", "1001/1", "separator"),
        ("123-456-789", "123456789", "separator"),
        ("12-345-678", "12345678", "separator"),
        ("AB12-CD34-EF56", "AB12CD34EF56", "separator"),
        ("1 234 567", "1234567", "blanks"),
        ("2026-1001-1", "2026/1001.1", "separator"),
        ("2026-1001-1", "2026-1001 (1)", "separator"),
        ("2026-1001-1", "20261001-1", "separator"),
        ("2026-1001-1", "2026-10011", ""),
        ("1001 1", "10011", ""),
        ("1001#1", "10011", ""),
        ("1001-100", "1001100", ""),
        ("1001-1", "10011", ""),
        ("ORD-1001-12", "ORD-100112", ""),
        ("1001-1", "1001-2", ""),
        // What JavaScript makes of numbers of more than 53 bits, and Python.
        ("576461413038785752", "576461413038785800", "rounding"),
        ("9007199254740993", "9007199254740992", "rounding"),
        ("1234567890123456789", "1234567890123456800", "rounding"),
        ("12345678901234567890", "12345678901234567000", "rounding"),
        ("40612345671234567", "40612345671234570", "rounding"),
        ("576461413038785752", "5.764614130387858e+17", "exponent"),
        ("576461413038785752", "576461413038785152", ""),
        ("1234567890123456", "1234567890123457", ""),
        ("A", "B", ""),
        ("1001", "10010", ""),
        ("12.5", "125", ""),
        ("v1.0", "v1", "part"),
    ] {
        let orders =
            format!("unique_id,click_id,offer_id,date\nx,k,5,\n{order},k2,5,2026-06-10 09:00:00\n");
        let rows = format!(
            "[{},{}]",
            conversion(1, "x", "", "1", "1", "approved"),
            conversion(2, cake, "", "1", "1", "approved")
        );
        let mut report = of("", &orders, &rows);
        let found = rows_of(&mut report);
        let hint = &found[1]["wouldMatch"][0];
        assert_eq!(
            hint["without"].as_str().unwrap_or(""),
            without,
            "{order} {cake}"
        );
        let is_held = corrections(&mut report, "file=upload") == ["would_match"];
        assert_eq!(is_held, !without.is_empty(), "{order} {cake}");
    }
}

#[test]
fn a_sale_under_the_other_id_or_outside_of_the_days_may_be_the_missing_one() {
    let orders = "unique_id,order_id,click_id,offer_id,date\nT1,#1001,k,5,2026-06-10 09:00:00\n";
    let mut report = of("", orders, &conversion(1, "1001", "", "1", "1", "approved"));
    let found = rows_of(&mut report);
    assert_eq!(found[0]["wouldMatch"][0]["key"], "orderId");
    assert_eq!(corrections(&mut report, "file=upload"), ["would_match"]);
    let row = conversion(1, "#T1", "2026-07-01 00:00:01", "1", "1", "approved");
    let mut report = of("from=2026-06-01\nto=2026-06-30", orders, &row);
    assert_eq!(corrections(&mut report, "file=upload"), ["would_match"]);
    let same = orders.replace("#1001", "1001");
    let mut report = of("", &same, &conversion(1, "1001", "", "1", "1", "approved"));
    let found = rows_of(&mut report);
    assert_eq!(found[0]["wouldMatch"][0]["without"], "other_key");
}

#[test]
fn what_the_forwarder_nearly_has_or_does_not_say_is_not_uploaded() {
    for (order, events, reason, expected) in [
        (
            "#1001",
            "1001,delivered",
            "delivery_would_match",
            "would_match",
        ),
        (
            "1001",
            "\"=\"\"1001\"\"\",dead",
            "delivery_would_match",
            "would_match",
        ),
        ("1001", "1001,", "unknown", "the_forwarder_holds_it"),
        (
            "1001",
            "1002,delivered",
            "never_handed_over",
            "k,5,2026-06-10 09:00:00,,,1001,1001 0.00",
        ),
    ] {
        let mut report = open("");
        let orders = format!("order_id,click_id,offer_id,date\n{order},k,5,2026-06-10 09:00:00\n");
        add(&mut report, "kind=orders", &orders, 100).unwrap();
        add(
            &mut report,
            "kind=deliveries",
            &format!("unique_id,state\n{events}\n"),
            100,
        )
        .unwrap();
        reconcile(&mut report).unwrap();
        assert_eq!(
            rows_of(&mut report)[0]["reasons"][0],
            reason,
            "{order} {events}"
        );
        assert_eq!(
            corrections(&mut report, "file=upload"),
            [expected],
            "{order} {events}"
        );
    }
}

#[test]
fn a_status_may_be_declared_for_orders_that_have_none() {
    for (options, expected) in [
        ("status.=pending", "not_approved"),
        ("status.=Pending\nstatus.paid=approved", "not_approved"),
        ("", "k,5,2026-06-10 09:00:00,,,A,A 0.00"),
    ] {
        for blank in ["", " "] {
            let orders = format!(
                "order_id,status,click_id,offer_id,date\nA,{blank},k,5,2026-06-10 09:00:00\n"
            );
            let mut report = of(options, &orders, "[]");
            assert_eq!(
                corrections(&mut report, "file=upload"),
                [expected],
                "{options} {blank:?}"
            );
        }
    }
}
