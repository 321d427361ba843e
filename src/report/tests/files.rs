//! Files as their programs write them, and malformed files.

use super::*;

#[test]
fn a_row_of_totals_is_no_order() {
    for word in ["Total", "TOTALS:", "Grand Total", "Summe", "Totalizer"] {
        let mut report = open("");
        let text = format!("order_id,date,revenue\n1001,2026-06-01,22.00\n{word},,22.00\n");
        add(&mut report, "kind=orders", &text, 1_000).unwrap();
        reconcile(&mut report).unwrap();
        let found: Vec<String> = classes(&mut report)
            .into_iter()
            .map(|(class, ..)| class)
            .collect();
        let expected = if word == "Totalizer" {
            "missing_at_cake"
        } else {
            "no_key"
        };
        assert!(
            found.contains(&expected.to_owned()) && found.contains(&"missing_at_cake".to_owned()),
            "{word}: {found:?}"
        );
        assert_eq!(
            found.iter().filter(|class| *class == "no_key").count(),
            usize::from(word != "Totalizer")
        );
    }
}

#[test]
fn an_ambiguous_value_refuses_the_file_and_shows_the_rows() {
    for (options, text, code, parts) in [
        (
            "",
            "unique_id,revenue\nA,\"1.234\"\nB,\"18,50\"\n",
            "ambiguous_file",
            ["line 2: 1.234", "decimal"],
        ),
        (
            "",
            "unique_id,date\nA,01/06/2026\n",
            "ambiguous_file",
            ["line 2: 01/06/2026", "DD/MM/YYYY"],
        ),
        (
            "",
            "unique_id,status\nA,paid\nB,paid\nC,lost\n",
            "unmapped_status",
            ["paid", "lost"],
        ),
        (
            "",
            "unique_id,date\nA,2026-06-01 10:00:00 +0200\n",
            "ambiguous_file",
            ["timeZone", "+0200"],
        ),
        ("", "a,b\n1,2\n", "unreadable_file", ["no column", "a,b"]),
        (
            "column.revenue=Total",
            "unique_id\n1\n",
            "unreadable_file",
            ["revenue", "unique_id"],
        ),
        (
            "",
            "{\"success\":false,\"message\":\"Restricted\"}",
            "unreadable_file",
            ["failure", "Restricted"],
        ),
    ] {
        let mut report = open("");
        let before = report.memory.used();
        let error = add(&mut report, &format!("kind=orders\n{options}"), text, 1_000).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{error}");
        }
        assert_eq!(report.orders.rows(), 0);
        let _ = before;
        add(&mut report, "kind=orders", "unique_id\nA\n", 100).unwrap();
        assert_eq!(report.orders.rows(), 1);
    }
    let windows = b"unique_id,revenue\nB\xFCcher-1,1\n";
    let mut report = open("");
    report.begin("kind=orders").unwrap();
    let at = report.room(windows.len()).unwrap();
    report.input()[at..at + windows.len()].copy_from_slice(windows);
    report.read(windows.len()).unwrap();
    assert_eq!(report.end().unwrap_err().code(), "ambiguous_file");
    report.begin("kind=orders\nencoding=windows-1252").unwrap();
    let at = report.room(windows.len()).unwrap();
    report.input()[at..at + windows.len()].copy_from_slice(windows);
    report.read(windows.len()).unwrap();
    report.end().unwrap();
    assert_eq!(report.orders.text(0, UNIQUE_ID), "Bücher-1".as_bytes());
}

#[test]
fn files_are_read_as_their_programs_write_them() {
    let shopify = "Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Created at,Lineitem name\n\
        #1001,a@x.example,paid,,USD,100.00,110.00,2026-06-01 23:30:00 -0400,Shirt\n\
        #1001,a@x.example,,,,,,2026-06-01 23:30:00 -0400,Shoes\n\
        '#1002,b@x.example,refunded,,USD,50.00,55.00,2026-06-02 08:00:00 +0200,Hat\n";
    let mut report = open("zone=0:0\nstatus.paid=approved\nstatus.refunded=reversed");
    add(
        &mut report,
        "kind=orders\ndialect=shopify\ncolumn.revenue=Subtotal\npercent=10",
        shopify,
        9,
    )
    .unwrap();
    let stripe = "id,Type,Amount,Currency,Created,order_id (metadata)\n\
        ch_1,charge,1800,usd,1781879400,S-1\n\
        re_1,refund,-800,usd,1781879500,S-1\n\
        ch_2,charge,1800,jpy,1781879600,S-2\n";
    add(
        &mut report,
        "kind=orders\ndialect=stripe\nunits=smallest",
        stripe,
        9,
    )
    .unwrap();
    let woo = "Order Number;Order Status;Order Date;Order Total;Order Currency\n1;completed;2026-06-01 10:00:00;1.234,50;EUR\n";
    let mut german = open("");
    add(
        &mut german,
        "kind=orders\ndialect=woocommerce\ndecimal=,\ngroup=.",
        woo,
        9,
    )
    .unwrap();
    report.understood();
    let understood: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(understood[0]["lineItems"], 1);
    assert_eq!(understood[0]["rows"], 2);
    assert_eq!(
        understood[0]["columns"][5],
        serde_json::json!({"name": "Subtotal", "role": "revenue"})
    );
    assert_eq!(understood[0]["samples"][0]["orderId"], "#1001");
    report.settings.currency = "USD".to_owned();
    reconcile(&mut report).unwrap();
    let listed = rows(&mut report, "");
    let figures: Vec<_> = listed
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {}",
                row["order"]["uniqueId"].as_str().unwrap(),
                row["order"]["date"].as_str().unwrap(),
                row["order"]["revenue"].as_str().unwrap(),
                row["class"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        figures,
        [
            "#1001 2026-06-02 03:30:00 10.00 missing_at_cake",
            "#1002 2026-06-02 06:00:00 5.00 missing_at_cake",
            "S-1 2026-06-19 14:30:00 18.00 missing_at_cake",
            "S-1 2026-06-19 14:31:40 -8.00 refund",
            "S-2 2026-06-19 14:33:20 1800.00 missing_at_cake",
        ]
    );
    assert_eq!(listed[2]["order"]["revenueAfterRefunds"], "10.00");
    reconcile(&mut german).unwrap();
    assert_eq!(rows(&mut german, "")[0]["order"]["revenue"], "1234.50");
}

/// Malformed files: the number of readable rows, and the line and reason of each unreadable one.
/// Per file: name and text, the number of rows, and the line and reason of each flaw.
type Malformed = (
    &'static str,
    &'static str,
    u64,
    &'static [(u64, &'static str)],
);

const MALFORMED: &[Malformed] = &[
    // CSV: too many cells, too few, none.
    (
        "",
        "unique_id,revenue\nA,1.00,x\nB,1.00\nC\nD,1.00\n",
        2,
        &[(2, "cells"), (4, "cells")],
    ),
    ("", "unique_id,revenue\nA,1.00\n\n\nB,1.00\n", 2, &[]),
    // A spreadsheet's empty rows.
    ("", "unique_id,revenue\n,\nA,1.00\n,,,\n, \r\n", 1, &[]),
    ("", "unique_id,revenue\n,5.00\nA,1.00\n", 2, &[]),
    // Quotes that have bytes after them, close too early, or never close.
    (
        "",
        "unique_id,revenue\n\"A\"x,1.00\nB,1.00\n",
        1,
        &[(2, "quote")],
    ),
    (
        "",
        "unique_id,revenue\n\"A,1.00\nB,1.00\n",
        1,
        &[(2, "quote")],
    ),
    (
        "",
        "unique_id,note,revenue\nA,\"A\nA\",1.00\nB,,1.00\n",
        2,
        &[],
    ),
    // An id with a control character in it or beside it.
    (
        "",
        "unique_id,revenue\n\"A\nA\",1.00\n\tB,1.00\nC,1.00\n",
        1,
        &[(2, "id"), (4, "id")],
    ),
    (
        "",
        "unique_id,revenue\nA,1.00\nB,\"1.00",
        1,
        &[(3, "quote")],
    ),
    // Invalid amounts and dates.
    (
        "decimal=.\n",
        "unique_id,revenue\nA,one\nB,1.00.0\nC,-\nD,1e2\nE,0x1\nF,1.00\n",
        1,
        &[
            (2, "amount"),
            (3, "amount"),
            (4, "amount"),
            (5, "amount"),
            (6, "amount"),
        ],
    ),
    (
        "",
        "unique_id,revenue\nA,1.00001\nB,12345678901.00\nC,1.00\n",
        1,
        &[(2, "decimals"), (3, "too_large")],
    ),
    (
        "",
        "unique_id,date\nA,2026-02-29\nB,2026-13-01\nC,today\nD,2026-06-01 25:00\nE,2026-06-01\n",
        1,
        &[(2, "date"), (3, "date"), (4, "date"), (5, "date")],
    ),
    // The last row without a line feed, and old line ends.
    (
        "",
        "unique_id,revenue\rA,1.00\rB,x\rC,1.00",
        2,
        &[(3, "amount")],
    ),
    (
        "",
        "unique_id,revenue\r\nA,1.00\r\nB,x\r\nC,1.00\r\n",
        2,
        &[(3, "amount")],
    ),
    (
        "encoding=utf-8\n",
        "unique_id,revenue\nA\u{0},1.00\nB,1.00\n",
        1,
        &[(2, "id")],
    ),
    // JSON: one row a line, each independent.
    (
        "",
        "{\"unique_id\":\"A\"}\n{\"unique_id\":}\n{\"unique_id\":\"C\"}\n",
        2,
        &[(2, "json")],
    ),
    (
        "",
        "{\"unique_id\":\"A\"}\n{\"unique_id\":\"B\"\n{\"unique_id\":\"C\"}\n",
        2,
        &[(2, "json")],
    ),
    (
        "",
        "{\"unique_id\":\"A\",\"unique_id\":\"B\"}\n{\"unique_id\":\"C\"}\n",
        1,
        &[(1, "repeated")],
    ),
    (
        "",
        "{\"unique_id\":\"A\"}\n{\"unique_id\":\"B",
        1,
        &[(2, "broken_off")],
    ),
    (
        "",
        "[{\"unique_id\":\"A\"},7,\"x\",null,{\"unique_id\":\"B\"}]",
        2,
        &[
            (2, "not_an_object"),
            (3, "not_an_object"),
            (4, "not_an_object"),
        ],
    ),
    (
        "",
        "[{\"unique_id\":\"A\"},{\"unique_id\":\"B\",},{\"unique_id\":\"C\"}]",
        2,
        &[(2, "json")],
    ),
    (
        "",
        "[{\"unique_id\":1.5},{\"unique_id\":1e3},{\"unique_id\":7}]",
        1,
        &[(1, "id"), (2, "id")],
    ),
    (
        "",
        "[{\"unique_id\":\"A\",\"revenue\":\"x\"},{\"unique_id\":\"B\",\"revenue\":1e400}]",
        0,
        &[(1, "amount"), (2, "too_large")],
    ),
    (
        "",
        "[{\"unique_id\":\"A\\q\"},{\"unique_id\":\"B\"}]",
        1,
        &[(1, "json")],
    ),
];

#[test]
fn malformed_files_are_counted_and_listed() {
    let mut wrong = Vec::new();
    for &(options, text, expected, flaws) in MALFORMED {
        for piece in [1, 3, 7, 10_000] {
            let mut report = open("");
            if let Err(error) = add(&mut report, &format!("{options}kind=orders"), text, piece) {
                wrong.push(format!("{piece} {text:?}: {error:?}"));
                continue;
            }
            let result = reconcile(&mut report).unwrap();
            let listed: Vec<(u64, String)> = rows(&mut report, "classes=unreadable")
                .iter()
                .map(|row| {
                    let bad = &row["unreadable"];
                    let place = bad["line"].as_u64().or(bad["row"].as_u64()).unwrap();
                    (place, row["reasons"][0].as_str().unwrap().to_owned())
                })
                .collect();
            let found = (result["orders"].as_u64().unwrap(), listed);
            let flaws = flaws.iter().map(|&(place, flaw)| (place, flaw.to_owned()));
            if found != (expected, flaws.collect()) {
                wrong.push(format!("{piece} {text:?}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_declared_column_may_have_a_point_in_its_name() {
    for (column, text) in [
        ("metadata.order_id", "metadata.order_id,date\nA,\n"),
        ("No.", "date,No.\n,A\n"),
        ("metadata.order_id", r#"[{"metadata":{"order_id":"A"}}]"#),
        ("metadata.order_id", r#"[{"metadata.order_id":"A"}]"#),
    ] {
        let mut report = open("");
        let options = format!("kind=orders\ncolumn.uniqueId={column}");
        add(&mut report, &options, text, 7).unwrap();
        reconcile(&mut report).unwrap();
        assert_eq!(rows(&mut report, "")[0]["order"]["uniqueId"], "A", "{text}");
    }
}

#[test]
fn a_declared_delimiter_that_the_file_does_not_have_is_refused() {
    for delimiter in [";", "tab", "|"] {
        let options = format!("kind=orders\ndelimiter={delimiter}");
        let error = add(&mut open(""), &options, "order_id,date\nA,\n", 7).unwrap_err();
        assert_eq!(error.code(), "unreadable_file", "{delimiter}");
        assert!(error.to_string().contains("no column"), "{error}");
        assert!(add(&mut open(""), &options, "order_id\nA\n", 7).is_ok());
    }
}

#[test]
fn the_time_between_two_clocks_is_exact_over_their_change() {
    // New York 2026: from March 8 07:00 UTC -4 h, from November 1 06:00 UTC -5 h.
    let zone = Zone::parse("0:-18000,1772953200:-14400,1793512800:-18000");
    let seconds = |text: &str| {
        let written = day::Days::default().read(text.as_bytes()).unwrap();
        u32::try_from(written.seconds).unwrap()
    };
    for (from, to, expected) in [
        ("2026-03-08 01:30:00", "2026-03-08 03:10:00", 2_400),
        ("2026-11-01 00:30:00", "2026-11-01 02:30:00", 10_800),
        ("2026-06-01 00:30:00", "2026-06-02 00:30:00", 86_400),
        ("2026-06-01 00:30:01", "2026-06-01 00:30:00", 0),
    ] {
        let (from, to) = (seconds(from), seconds(to));
        assert_eq!(zone.between(from, to), expected);
        assert_eq!(Zone::default().between(from, to), to.saturating_sub(from));
    }
}

#[test]
fn amounts_of_cakes_own_files_are_read_as_cake_writes_them() {
    const COLUMNS: &str =
        "Conversion ID,Conversion Date,Offer ID,Payout,Revenue,Status,Transaction ID\n";
    let csv = |payout: &str| format!("{COLUMNS}1,2026-06-10 09:00:00,5,{payout},22,approved,A\n");
    let json = |payout: &str| {
        conversion(
            1,
            "A",
            "2026-06-10 09:00:00",
            "22",
            &format!("\"{payout}\""),
            "approved",
        )
    };
    let read = |options: &str, file: &str| {
        let mut report = open("");
        add(&mut report, "kind=orders", "unique_id\nA\n", 100).unwrap();
        add(
            &mut report,
            &format!("kind=conversions\n{options}"),
            file,
            100,
        )
        .map_err(|error| error.to_string())?;
        reconcile(&mut report).unwrap();
        let rows = rows(&mut report, "");
        report.understood();
        let understood: Value = serde_json::from_str(&report.answer).unwrap();
        let rounded = understood[1]["rounded"].as_u64().unwrap_or(0);
        Ok::<_, String>((
            rows[0]["conversion"]["payout"]
                .as_str()
                .unwrap_or("-")
                .to_owned(),
            rounded,
        ))
    };
    for (payout, expected, rounded) in [
        ("1.125", "1.125", 0),
        ("\"1,234.50\"", "1234.50", 0),
        ("\"$1,234.50\"", "1234.50", 0),
        ("7.33333", "7.3333", 1),
        ("-7.33335", "-7.3334", 1),
        ("7.3333333333", "7.3333", 1),
        ("18.0000000000", "18.00", 0),
    ] {
        for file in [csv(payout), json(payout.trim_matches('"'))] {
            for options in ["", "dialect=cake"] {
                assert_eq!(
                    read(options, &file).unwrap(),
                    (expected.to_owned(), rounded),
                    "{file}"
                );
            }
        }
    }
    for payout in ["\"1,234\"", "\"18,50\"", "\"1.234,50\""] {
        let error = read("", &csv(payout)).unwrap_err();
        assert!(error.contains("not as CAKE writes them"), "{error}");
    }
    // What a spreadsheet has written so is declared.
    assert_eq!(read("decimal=,", &csv("\"18,50\"")).unwrap().0, "18.50");
    assert_eq!(
        read("decimal=,\ngroup=.", &csv("\"1.234,50\"")).unwrap().0,
        "1234.50"
    );
    // The same in the orders is no longer what was sold.
    let mut report = open("");
    add(
        &mut report,
        "kind=orders",
        "unique_id,payout\nA,7.33333\n",
        100,
    )
    .unwrap();
    assert_eq!(reconcile(&mut report).unwrap()["unreadable"], 1);
}
