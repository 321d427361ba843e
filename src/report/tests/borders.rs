//! A sale that CAKE's rows cannot have yet is not uploaded, and a conversion whose order may be another month's is not
//! rejected.

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
fn a_sale_after_the_reading_or_at_a_border_is_not_uploaded() {
    const EARLY: &str = "2026-06-02 10:00:00";
    // The pages were read on 2026-06-15 at 12:00 UTC.
    let read = "readAt=1781524800";
    let june = "covers=2026-06-01/2026-06-30";
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
        (JUNE, "", "2026-06-01 00:00:20", EARLY, "at_the_border"),
        (JUNE, "", "2026-06-01", EARLY, "at_the_border"),
        (JUNE, "", "2026-06-01 01:00:00", EARLY, "c1"),
        // The day before was read as well.
        (JUNE, "", "2026-06-01 00:00:20", "2026-05-31 09:00:00", "c1"),
        (JUNE, "", "2026-06-01", "2026-05-31 09:00:00", "c1"),
        (
            JUNE,
            "",
            "2026-06-01 00:00:20",
            "2026-05-31 23:59:50",
            "at_the_border",
        ),
        ("to=2026-06-30", "", "2026-06-01 00:00:20", EARLY, "c1"),
        // An open side of the days ends where CAKE's pages say that they end.
        ("", june, "2026-05-20 10:00:00", EARLY, "at_the_border"),
        ("", june, "2026-07-03 10:00:00", EARLY, "at_the_border"),
        ("", june, "2026-06-30 23:59:30", EARLY, "at_the_border"),
        ("", june, "2026-06-20 10:00:00", EARLY, "c1"),
        (
            "from=2026-06-01",
            june,
            "2026-07-03 10:00:00",
            EARLY,
            "at_the_border",
        ),
        (
            "to=2026-06-30",
            june,
            "2026-05-20 10:00:00",
            EARLY,
            "at_the_border",
        ),
        (
            "to=2026-07-31",
            june,
            "2026-07-03 10:00:00",
            EARLY,
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
fn a_sale_of_a_day_between_those_of_cakes_pages_is_not_uploaded() {
    let pages: [&[(&str, &str)]; 4] = [
        &[("2026-06-25/2026-06-30", ""), ("2026-06-01/2026-06-10", "")],
        // The days follow each other.
        &[("2026-06-11/2026-06-30", ""), ("2026-06-01/2026-06-10", "")],
        // A file that does not tell its days has those of its rows.
        &[
            ("2026-06-01/2026-06-10", ""),
            ("", "2026-06-09 10:00:00 2026-06-26 10:00:00"),
            ("2026-06-25/2026-06-30", ""),
        ],
        &[
            ("2026-06-01/2026-06-10", ""),
            ("", "2026-06-22 10:00:00 2026-06-24 10:00:00"),
            ("", ""),
        ],
    ];
    for (date, expected) in [
        ("2026-06-05 10:00:00", ["c1"; 4]),
        (
            "2026-06-10 23:30:00",
            ["at_the_border", "c1", "c1", "at_the_border"],
        ),
        (
            "2026-06-20 10:00:00",
            ["at_the_border", "c1", "c1", "at_the_border"],
        ),
        ("2026-06-23 10:00:00", ["at_the_border", "c1", "c1", "c1"]),
        (
            "2026-06-25 00:30:00",
            ["at_the_border", "c1", "c1", "at_the_border"],
        ),
        ("2026-06-27 10:00:00", ["c1", "c1", "c1", "at_the_border"]),
    ] {
        for (files, expected) in pages.iter().zip(expected) {
            for options in ["", JUNE, "from=2026-06-01"] {
                let mut report = open(options);
                let orders = format!("{HEADER}A,c1,{date},22.00,approved\n");
                add(&mut report, "kind=orders", &orders, 1_000).unwrap();
                for &(covers, rows) in *files {
                    let options = match covers {
                        "" => "kind=conversions".to_owned(),
                        days => format!("kind=conversions\ncovers={days}"),
                    };
                    let rows = rows.split_at_checked(19).map(|(first, last)| {
                        [(1, first), (2, last.trim())].map(|(id, date)| {
                            conversion(id, &format!("Z{id}"), date, "22", "18", "approved")
                        })
                    });
                    let rows = format!("[{}]", rows.map(|rows| rows.join(",")).unwrap_or_default());
                    add(&mut report, &options, &rows, 1_000).unwrap();
                }
                reconcile(&mut report).unwrap();
                let found = corrections(&mut report, "file=upload\noffer=7");
                let found = found[0].split(',').next().unwrap();
                assert_eq!(found, expected, "{options} {date} {files:?}");
            }
        }
    }
}

#[test]
fn a_conversion_without_a_date_is_not_rejected() {
    const HEAD: &str = "Conversion ID,Transaction ID,Payout,Offer ID,Disposition";
    for options in ["", JUNE] {
        for (rows, expected) in [
            (
                format!("{HEAD},Conversion Date (EST)\n1,Z,18.00,5,approved,2026-07-20 10:00:00\n"),
                "no_date",
            ),
            (
                format!("{HEAD},Conversion Date\n1,Z,18.00,5,approved,\n"),
                "no_date",
            ),
            (format!("{HEAD}\n1,Z,18.00,5,approved\n"), "no_date"),
            (
                r#"[{"conversion_id":1,"conversion_date":null,"unique_id":"Z","offer_id":5,"payout":18,"conversion_status":"approved"}]"#
                    .to_owned(),
                "no_date",
            ),
            (
                format!("{HEAD},Conversion Date\n1,Z,18.00,5,approved,2026-06-15 10:00:00\n"),
                "1,,rejected,5,,FALSE 18.00",
            ),
        ] {
            let mut report = open(options);
            let orders = format!("{HEADER}A,c1,2026-06-20 10:00:00,22.00,approved\n");
            add(&mut report, "kind=orders", &orders, 1_000).unwrap();
            add(&mut report, "kind=conversions", &rows, 1_000).unwrap();
            reconcile(&mut report).unwrap();
            let found = corrections(&mut report, "reject=unknown_to_advertiser");
            assert_eq!(found, [expected], "{options} {rows}");
        }
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
fn a_conversion_at_a_border_is_not_rejected() {
    for (date, before, expected) in [
        ("2026-06-01 00:01:00", "", "at_the_border"),
        ("2026-06-01 01:00:00", "", "1,,rejected,5,,FALSE 18.00"),
        // The orders begin earlier.
        (
            "2026-06-01 00:01:00",
            "B,c2,2026-05-31 09:00:00,22.00,approved\n",
            "1,,rejected,5,,FALSE 18.00",
        ),
        ("2026-06-30 23:59:00", "", "at_the_border"),
        ("2026-06-30", "", "at_the_border"),
        ("2026-06-30 23:00:00", "", "1,,rejected,5,,FALSE 18.00"),
        // The orders end later.
        (
            "2026-06-30 23:59:00",
            "B,c2,2026-07-01 09:00:00,22.00,approved\n",
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

/// What becomes of an order in May and in June.
const HELD: [&str; 2] = ["at_the_border", ""];
const MAYS: [&str; 2] = ["c1", ""];

/// The uploads of orders as May and as June is closed. CAKE's rows of May go on until then.
fn may_and_june(options: &str, orders: &str, until: &str) -> [String; 2] {
    const MAY: &str = "from=2026-05-01\nto=2026-05-31";
    [(MAY, until), (JUNE, "2026-06-12 10:00:00")].map(|(days, of_cake)| {
        let mut report = open(&format!("{days}\nzone=0:0"));
        add(&mut report, &format!("kind=orders\n{options}"), orders, 50).unwrap();
        let row = conversion(1, "Z", of_cake, "1", "1", "approved");
        add(&mut report, "kind=conversions", &format!("[{row}]"), 1_000).unwrap();
        reconcile(&mut report).unwrap();
        let found = corrections(&mut report, "file=upload\noffer=7");
        let found = found.iter().map(|line| line.split(',').next().unwrap());
        found.collect::<Vec<_>>().join(" ")
    })
}

/// Checks the uploads of orders, beside CAKE's rows of each month.
fn check(dialect: &str, cases: &[(String, [&str; 2])]) {
    for (orders, expected) in cases {
        let found = may_and_june(&format!("dialect={dialect}"), orders, "2026-05-12 10:00:00");
        assert_eq!(found, *expected, "{orders}");
    }
}

#[test]
fn a_sale_that_shopify_was_paid_in_the_next_month_is_uploaded_in_neither() {
    let csv = |paid: &str| {
        format!(
            "Name,Id,click_id,Financial Status,Currency,Total,Created at,Paid at\n#1,1,c1,paid,USD,22.00,2026-05-29 10:00:00 +0000,{paid}\n"
        )
    };
    let json = |field: &str| {
        format!(
            r#"[{{"id":1,"name":"1","click_id":"c1","financial_status":"paid","total_price":"22.00","created_at":"2026-05-29T10:00:00Z",{field}}}]"#
        )
    };
    let terms = |dates: &str| {
        json(&format!(
            r#""processed_at":"2026-05-29T10:00:00Z","payment_terms":{{"payment_schedules":[{dates}]}}"#
        ))
    };
    let twice = r#"{"completed_at":"2026-05-30T09:00:00Z"},{"completed_at":"2026-06-03T09:00:00Z"},{"completed_at":null}"#;
    let june = "2026-06-03 09:00:00 +0000";
    check(
        "shopify",
        &[
            (csv(june), HELD),
            (csv("2026-05-30 10:00:00 +0000"), MAYS),
            (csv("2026-05-31 23:30:00 +0000"), HELD),
            (csv(""), MAYS),
            (json(r#""processed_at":"2026-06-03T09:00:00Z""#), HELD),
            (terms(r#"{"completed_at":"2026-06-03T09:00:00Z"}"#), HELD),
            (terms(twice), HELD),
            (terms(r#"{"completed_at":null}"#), MAYS),
            (json(r#""payment_terms":null,"processed_at":null"#), MAYS),
            // An order that was made elsewhere, and earlier.
            (json(r#""processed_at":"2026-04-30T09:00:00Z""#), HELD),
        ],
    );
    // CAKE's pages go on until after the payment.
    let found = may_and_june("dialect=shopify", &csv(june), "2026-06-04 10:00:00");
    assert_eq!(found, MAYS);
}

#[test]
fn the_same_of_the_other_shops_and_of_your_own_files() {
    let woo = |paid: &str| {
        format!(
            r#"[{{"id":1,"number":"1","click_id":"c1","status":"completed","total":"22.00","date_created":"2026-05-29T10:00:00","date_paid":{paid},"refunds":[]}}]"#
        )
    };
    check(
        "woocommerce",
        &[
            (woo(r#""2026-06-03T09:00:00""#), HELD),
            (woo(r#""2026-05-29T10:00:05""#), MAYS),
            (woo("null"), MAYS),
        ],
    );
    let stripe = |field: &str| {
        format!(
            r#"[{{"id":"pi_1","object":"payment_intent","amount":2200,"currency":"usd","created":1780048800,"status":"succeeded","metadata":{{"order_id":"1","click_id":"c1"}},{field}}}]"#
        )
    };
    let charge = |created| {
        stripe(&format!(
            r#""latest_charge":{{"id":"ch_1","created":{created}}}"#
        ))
    };
    let both = r#""charges":{"data":[{"id":"ch_1","created":1780048802},{"id":"ch_2","created":1780477200}]}"#;
    check(
        "stripe",
        &[
            (charge(1_780_477_200), HELD),
            (charge(1_780_048_802), MAYS),
            (stripe(both), HELD),
        ],
    );
    let rows = |rows: &str| format!("order_id,click_id,date,paid_at,status\n{rows}");
    let paid = |paid: &str| rows(&format!("1,c1,2026-05-29,{paid},approved\n"));
    let log = rows("1,c1,2026-05-29,,pending\n1,c1,2026-06-03 09:00:00,,approved\n");
    check(
        "simple",
        &[
            (paid("2026-06-03"), HELD),
            (paid("2026-05-31"), HELD),
            (paid("2026-05-30"), MAYS),
            (paid("soon"), HELD),
            (paid("########"), HELD),
            (paid("-"), MAYS),
            // A log of states: CAKE may have the sale at any of them.
            (log, ["", "at_the_border"]),
        ],
    );
    let orders = paid("2026-06-03").replace("paid_at", "Completed");
    let found = may_and_june("column.paid=Completed", &orders, "2026-05-12 10:00:00");
    assert_eq!(found, HELD);
}

#[test]
fn where_orders_are_paid_late_the_first_conversions_may_be_of_orders_before() {
    const HEAD: &str = "order_id,date,paid_at,status\n";
    for (orders, date, expected) in [
        ("", "2026-06-03 09:00:00", "1,,rejected,5,,FALSE 18.00"),
        (
            "B,2026-06-10 09:00:00,2026-06-15 09:00:00,approved\n",
            "2026-06-03 09:00:00",
            "at_the_border",
        ),
        (
            "B,2026-06-10 09:00:00,2026-06-15 09:00:00,approved\n",
            "2026-06-06 00:00:00",
            "1,,rejected,5,,FALSE 18.00",
        ),
        // Days without times.
        (
            "B,2026-06-10,2026-06-10,approved\n",
            "2026-06-01 01:00:00",
            "1,,rejected,5,,FALSE 18.00",
        ),
        (
            "B,2026-06-10,2026-06-11,approved\n",
            "2026-06-01 23:00:00",
            "at_the_border",
        ),
        // The orders of May are there as well.
        (
            "B,2026-06-10 09:00:00,2026-06-15 09:00:00,approved\nC,2026-05-02 09:00:00,,approved\n",
            "2026-06-03 09:00:00",
            "1,,rejected,5,,FALSE 18.00",
        ),
    ] {
        let mut report = open(JUNE);
        let orders = format!("{HEAD}A,2026-06-20 10:00:00,,approved\n{orders}");
        add(&mut report, "kind=orders", &orders, 1_000).unwrap();
        let row = conversion(1, "Z", date, "22", "18", "approved");
        add(&mut report, "kind=conversions", &format!("[{row}]"), 1_000).unwrap();
        reconcile(&mut report).unwrap();
        let found = corrections(&mut report, "reject=unknown_to_advertiser");
        assert_eq!(found, [expected], "{orders} {date}");
    }
}

#[test]
fn a_time_of_payment_is_read_as_the_orders_date_is() {
    // 03/04 is a day in March or in April.
    let orders = "order_id,date,paid_at\nA,2026-03-04,03/04/2026\n";
    let mut report = open("");
    let error = add(&mut report, "kind=orders", orders, 100).unwrap_err();
    assert_eq!(error.code(), "ambiguous_file");
    assert!(error.to_string().contains("line 2: 03/04/2026"), "{error}");
    add(&mut report, "kind=orders\ndates=MM/DD/YYYY", orders, 100).unwrap();
    report.understood();
    let said: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(said[0]["columns"][2]["role"], "paid");
    // A file that was refused leaves nothing: the next order is not paid when its last one was.
    let mut report = open("from=2026-05-01\nto=2026-05-31");
    let late = "order_id,click_id,date,paid_at,status\nA,c1,2026-05-29,2026-06-03,approved\n";
    let refused = format!("{late}B,c2,05/06/2026,,approved\n");
    add(&mut report, "kind=orders", &refused, 100).unwrap_err();
    add(
        &mut report,
        "kind=orders",
        &late.replace("2026-06-03", ""),
        100,
    )
    .unwrap();
    add(&mut report, "kind=conversions", "[]", 100).unwrap();
    reconcile(&mut report).unwrap();
    let found = corrections(&mut report, "file=upload\noffer=7");
    assert_eq!(found, ["c1,7,2026-05-29 00:00:00,,,A,A 0.00"]);
}
