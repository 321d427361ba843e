//! What may already be at CAKE is never uploaded by itself.

use super::pairs::corrections;
use super::*;

const HELD: &str = "may_be_another_order";
const HEADER: &str = "order_id,click_id,offer_id,date,payout,status\n";
const REST: &str = "5,2026-06-20 10:00:00,18.00,approved";

/// What an upload of these files has: the unique id and order id of each line, or why it is left out.
fn upload(options: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut report = open(options);
    for (kind, text) in files {
        add(&mut report, &format!("kind={kind}"), text, 1_000).unwrap();
    }
    reconcile(&mut report).unwrap();
    lines(&mut report, "file=upload\noffer=5")
}

fn lines(report: &mut Report, options: &str) -> Vec<String> {
    report.corrections(options).unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    let lines = answer["corrections"].as_array().unwrap().iter();
    lines
        .map(|line| {
            let cell = |column: usize| line["cells"][column].as_str().unwrap();
            let like = &line["like"];
            match line["skipped"].as_str() {
                Some(reason) => reason.to_owned(),
                None if line["keyless"] == true => format!("keyless of {}", answer["keyless"]),
                None if like.is_array() => format!("like {like}"),
                None => [cell(5), cell(6)].join("/"),
            }
        })
        .collect()
}

#[test]
fn an_order_that_may_be_another_one_is_not_uploaded() {
    let both = |first: &str, second: &str| {
        let header = "unique_id,order_id,click_id,offer_id,date,payout,status\n";
        format!(
            "{header}{first},2026-06-20 10:00:00,18.00,approved\n{second},2026-06-20 10:00:00,18.00,approved\n"
        )
    };
    for (first, second, expected) in [
        // One export writes the ids otherwise than the other.
        ("1001,,c1,5", "#1001,,c1,5", [HELD, HELD]),
        ("1001,,c1,5", "001001,,c2,5", [HELD, HELD]),
        ("1001,,c1,5", "\"=\"\"1001\"\"\",,c1,", [HELD, HELD]),
        (",1001,c1,5", ",1001.0,c1,5", [HELD, HELD]),
        ("T1,1001,c1,5", "T2,#1001,c1,5", [HELD, HELD]),
        // One has no unique id of its own.
        ("1001,1001,c1,5", "T2,1001,c1,5", [HELD, HELD]),
        // One has nothing but the click.
        ("1001,,c1,5", ",,c1,5", [HELD, HELD]),
        // Two sales of a click, two transactions of an order, two offers.
        ("1001,,c1,5", "1002,,c1,5", ["1001/", "1002/"]),
        ("T1,1001,c1,5", "T2,1001,c1,5", ["T1/1001", "T2/1001"]),
        ("1001,,c1,5", "#1001,,c1,6", ["1001/", "#1001/"]),
        // Numbers of payments and of orders that meet by chance.
        ("1001,500,c1,5", "1502,1001,c2,5", ["1001/500", "1502/1001"]),
        // Long numbers that follow each other; a spreadsheet has lost the end of one.
        (
            "1234567890123450,,c1,5",
            "1234567890123451,,c2,5",
            ["1234567890123450/", "1234567890123451/"],
        ),
        (
            "1234567890123450,,c1,5",
            "1234567890123451,,c1,5",
            [HELD, HELD],
        ),
        ("1.79536E+12,,c1,5", "1795361234567,,c1,5", [HELD, HELD]),
    ] {
        let orders = both(first, second);
        let found = upload("", &[("orders", &orders), ("conversions", "[]")]);
        assert_eq!(found, expected, "{first} {second}");
    }
}

#[test]
fn an_order_and_a_part_of_it_at_cake_hold_each_other_back() {
    const NEAR: &str = "would_match";
    let header = "unique_id,order_id,click_id,offer_id,date,payout,status\n";
    for (order, cakes, expected) in [
        (",1001", ["1001-1", "1001-2"].as_slice(), NEAR),
        (",ORD-1001", &["ORD-1001/2"], NEAR),
        (",#1001", &["1001-12"], NEAR),
        (",1001-1", &["1001"], NEAR),
        (",1001", &["1001-A"], NEAR),
        (",1001-A", &["#1001"], NEAR),
        (",ORD-1001-F1", &["ORD-1001"], NEAR),
        ("1001-B,1001", &["1001-A"], "1001-B/1001"),
        ("5001234567890,1001", &["1001-1"], NEAR),
        // Other parts are other sales, also where the order's id stands beside them.
        ("1001-3,", &["1001-1", "1001-2"], "1001-3/"),
        ("1001-3,1001", &["1001-1", "1001-2"], "1001-3/1001"),
        ("1002,", &["1001-1"], "1002/"),
        ("1001,", &["1001-0"], NEAR),
        ("1001,", &["1001-100"], NEAR),
        (
            "1001,",
            &["1001-1000", "1-1001-1", "1001-1001", "10010-1"],
            "1001/",
        ),
        ("2026-1001-1,", &["2026-1001"], NEAR),
        ("2026-1001,", &["2026-1001-001"], NEAR),
        ("2026-1001,", &["2026-1002", "2026-1002-1"], "2026-1001/"),
        ("2026-1001-1,", &["2026-1001-2"], "2026-1001-1/"),
        ("2026-11,", &["2026-12"], "2026-11/"),
    ] {
        let row = |(id, unique): (u32, &&str)| {
            conversion(id, unique, "2026-06-20 10:00:03", "22", "18", "approved")
        };
        let rows: Vec<String> = (1..).zip(cakes).map(row).collect();
        let orders = format!("{header}{order},c1,{REST}\n");
        let files = [
            ("orders", orders.as_str()),
            ("conversions", &rows.join("\n")),
        ];
        assert_eq!(upload("", &files), [expected], "{order} {cakes:?}");
    }
}

#[test]
fn an_id_with_a_spreadsheets_mark_is_not_uploaded() {
    for (id, expected) in [
        ("\"=\"\"1003\"\"\"", "shortened_id"),
        ("'1004", "shortened_id"),
        ("=1005", "shortened_id"),
        ("\u{2019}1004", "shortened_id"),
        ("\u{2018}1004", "shortened_id"),
        ("1.79536e12", "shortened_id"),
        ("2026-03-04T00:00:00.000Z", "shortened_id"),
        ("2026. 3. 4.", "shortened_id"),
        // A spreadsheet has lost it.
        ("####", "shortened_id"),
        (" ######## ", "shortened_id"),
        ("#NAME?", "shortened_id"),
        ("#REF!", "shortened_id"),
        ("#BEZUG!", "shortened_id"),
        ("#N/A", "shortened_id"),
        ("#DIV/0!", "shortened_id"),
        ("Err:502", "shortened_id"),
        (" err:508", "shortened_id"),
        ("Err\u{a0}:511", "shortened_id"),
        ("Erro:504", "shortened_id"),
        ("Ошибка:522", "shortened_id"),
        ("エラー:502", "shortened_id"),
        ("#BUSY!", "shortened_id"),
        ("#¡REF!", "shortened_id"),
        ("Loading...", "shortened_id"),
        ("ORD:502", "ORD:502/ORD:502"),
        ("Err:1502", "Err:1502/Err:1502"),
        ("", "/"),
        ("2e12", "2e12/2e12"),
        ("#1007", "#1007/#1007"),
        ("O'1006", "O'1006/O'1006"),
    ] {
        let orders = format!("{HEADER}{id},c1,{REST}\n");
        let files = [("orders", orders.as_str()), ("conversions", "[]")];
        assert_eq!(upload("", &files), [expected], "{id}");
    }
    // One of two ids, or that of one row of the sale.
    for rows in [
        format!("########,1001,c1,{REST}\n"),
        format!("T1,#REF!,c1,{REST}\n"),
        format!("T1,Err:502,c1,{REST}\n"),
        format!("T1,1001,c1,{REST}\nT1,########,c1,{REST}\n"),
    ] {
        let orders = format!("unique_id,{HEADER}{rows}");
        let files = [("orders", orders.as_str()), ("conversions", "[]")];
        let found = upload("", &files);
        assert!(
            found.iter().all(|line| line == "shortened_id"),
            "{rows} {found:?}"
        );
    }
}

#[test]
fn an_order_without_its_offer_has_the_callers_and_one_that_lost_it_has_none() {
    let says_none = [
        "", " ", "NULL", "null", "N/A", "-", "\u{2014}", "\\N", "none", "0", "NaN",
    ];
    let is_lost = [
        "########",
        " #### ",
        "#REF!",
        "#N/A",
        "#NV",
        "#BEZUG!",
        "Err:502",
        "?",
        "???",
        "unknown",
        "{offer_id}",
        "Loading...",
        "Summer Sale",
    ];
    let cells = says_none.map(|cell| (cell, "1001/1001")).into_iter();
    for (offer, expected) in cells.chain(is_lost.map(|cell| (cell, "no_offer_id"))) {
        let json = format!(
            r#"[{{"order_id":"1001","click_id":"c1","offer_id":{},"date":"2026-06-20 10:00:00","payout":18,"status":"approved"}}]"#,
            serde_json::to_string(offer).unwrap()
        );
        let csv = format!("{HEADER}1001,c1,{offer},2026-06-20 10:00:00,18.00,approved\n");
        for orders in [csv, json] {
            let files = [("orders", orders.as_str()), ("conversions", "[]")];
            assert_eq!(upload("", &files), [expected], "{orders}");
        }
    }
    // Another row of the sale has it, or has lost it.
    for (one, other, expected) in [
        ("5", "#REF!", "1001/1001"),
        ("#REF!", "5", "1001/1001"),
        ("", "#REF!", "no_offer_id"),
        ("#REF!", "", "no_offer_id"),
    ] {
        let row = |offer| format!("1001,c1,{offer},2026-06-20 10:00:00,18.00,approved\n");
        let orders = [HEADER, &row(one), &row(other)].concat();
        let files = [("orders", orders.as_str()), ("conversions", "[]")];
        let found = upload("", &files);
        assert_eq!(found, [expected], "{one} {other}");
    }
}

#[test]
fn an_order_that_lost_another_cell_is_not_uploaded() {
    for cell in ["########", "#REF!", "#N/A", "Err:502", "?", "Loading..."] {
        for (click, currency, kind, expected) in [
            (cell, "EUR", "sale", "no_click_id"),
            ("c1", cell, "sale", "currency_differs"),
            ("c1", "EUR", cell, ""),
            ("c1", "EUR", "", "1001/1001"),
        ] {
            let expected = match expected {
                // No currency is so long.
                "currency_differs" if cell.len() > 8 => "",
                expected => expected,
            };
            let orders = format!(
                "order_id,click_id,currency,type,offer_id,date,payout,status\n1001,{click},{currency},{kind},{REST}\n"
            );
            let files = [("orders", orders.as_str()), ("conversions", "[]")];
            let found = upload("currency=EUR", &files);
            let expected: Vec<_> = Some(expected)
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect();
            assert_eq!(found, expected, "{orders}");
        }
    }
}

#[test]
fn a_short_number_is_known_in_its_exponent() {
    for (id, at_cake, expected) in [
        ("1001", "1.001E+03", "would_match"),
        ("1001", "1.00E+03", "would_match"),
        ("1001", "1.0010E+03", "would_match"),
        ("12", "1.2E+01", "would_match"),
        ("1001", "1.002E+03", "1001/1001"),
        ("1001", "1.01E+03", "1001/1001"),
    ] {
        let has = conversion(1, at_cake, "2026-06-20 10:00:03", "22", "18", "approved");
        let orders = format!("{HEADER}{id},c1,{REST}\n");
        let files = [("orders", orders.as_str()), ("conversions", &has)];
        assert_eq!(upload("", &files), [expected], "{id} {at_cake}");
    }
}

#[test]
fn an_order_nearly_like_one_that_cake_has_is_not_uploaded() {
    let has = conversion(1, "1001", "2026-06-20 10:00:03", "22", "18", "approved");
    for (second, expected) in [
        ("#1001,c1", "would_match"),
        ("001001,c1", "would_match"),
        (" 1001 ,c1", "would_match"),
        ("1002,c1", "1002/1002"),
        (",c1", "may_be_another_order"),
        // The conversion is the other order's.
        (",c2", "/"),
    ] {
        let orders = format!("{HEADER}1001,c1,{REST}\n{second},{REST}\n");
        let files = [("orders", orders.as_str()), ("conversions", &has)];
        assert_eq!(upload("", &files), [expected], "{second}");
    }
}

#[test]
fn a_key_that_cake_had_before_its_row_was_read_again_is_known() {
    let row = |unique: &str| conversion(1, unique, "2026-06-20 10:00:03", "22", "18", "approved");
    let orders = format!("{HEADER}1001,c1,{REST}\n1002,c2,{REST}\n1003,c3,{REST}\n");
    let conversions = format!("[{},{}]", row("1001"), row("1002"));
    let files = [("orders", orders.as_str()), ("conversions", &conversions)];
    assert_eq!(upload("", &files), ["would_match", "1003/1003"]);
}

#[test]
fn rows_that_cannot_be_compared_may_be_the_sale() {
    let orders = format!("{HEADER}1001,c1,{REST}\n");
    let of_offer = |id: &str, offer: u32| {
        let offer = format!("\"offer_id\":{offer}");
        conversion(1, id, "2026-06-20 10:00:03", "22", "18", "approved")
            .replace("\"offer_id\":5", &offer)
    };
    let bare = format!("{HEADER},c1,{REST}\n");
    for (orders, conversions, events, expected) in [
        (&orders, of_offer("TRANSACTION_ID", 5), "", "keyless of 1"),
        (&orders, of_offer("undefined", 5), "", "keyless of 1"),
        (&orders, of_offer("", 5), "", "keyless of 1"),
        (&orders, of_offer("", 6), "", "1001/1001"),
        (&orders, of_offer("77", 5), "", "1001/1001"),
        // An order with nothing but its click, and a row without a click.
        (&bare, of_offer("1001", 5), "", "keyless of 1"),
        (&bare, of_offer("1001", 6), "", "/"),
        // An event without an id.
        (
            &orders,
            "[]".to_owned(),
            "unique_id,state\n,pending\n",
            "keyless of 1",
        ),
        (
            &orders,
            "[]".to_owned(),
            "unique_id,state\n,dead\n",
            "1001/1001",
        ),
    ] {
        let mut files = vec![("orders", orders.as_str()), ("conversions", &conversions)];
        if !events.is_empty() {
            files.push(("deliveries", events));
        }
        assert_eq!(
            upload("", &files),
            [expected],
            "{orders}{conversions}{events}"
        );
    }
    // In the same way a conversion is not rejected where an order without a key may be it: of its offer, of none
    // that is told, or of an offer's name.
    for offer in ["5", "", "#REF!", "?", "Summer Sale"] {
        let mut report = open("keys=uniqueId");
        let orders = format!("{HEADER},c1,{offer},2026-06-20 10:00:00,18.00,approved\n");
        add(&mut report, "kind=orders", &orders, 100).unwrap();
        add(&mut report, "kind=conversions", &of_offer("1001", 5), 100).unwrap();
        reconcile(&mut report).unwrap();
        let found = lines(&mut report, "reject=unknown_to_advertiser");
        assert_eq!(found, ["keyless of 1"], "{offer}");
    }
}

#[test]
fn parts_of_a_report_upload_what_the_whole_does() {
    let orders = |dress: &str| -> String {
        let rows = (1..=40).map(|number| format!("{dress}{number},c{number},{REST}\n"));
        HEADER.to_owned() + &rows.collect::<String>()
    };
    let conversions = |dress: &str| {
        let row = |number| {
            conversion(
                number,
                &format!("{dress}{number}"),
                "",
                "22",
                "18",
                "approved",
            )
        };
        let rows: Vec<String> = (1..=40).map(row).collect();
        format!("[{}]", rows.join(","))
    };
    let keyless = format!("[{}]", conversion(1, "", "", "22", "18", "approved"));
    for (orders, conversions, expected) in [
        (orders("100"), conversions("#100"), "would_match"),
        (orders("ORD-100"), conversions("ord100"), "would_match"),
        (orders("12345678901234"), conversions("12345678901234"), ""),
        (
            orders("12345678901234567") + "12345678901234500000,c41,5,,18.00,approved\n",
            "[]".to_owned(),
            "",
        ),
        (orders("100"), keyless, "keyless of 1"),
        (
            orders("100") + "1.5E+12,c41,5,2026-06-20 10:00:00,18.00,approved\n",
            "[]".to_owned(),
            "near_misses_not_searched",
        ),
    ] {
        let mut found = Vec::new();
        for part in 1..=4 {
            let options = format!("keys=uniqueId\npart={part}/4");
            let files = [("orders", orders.as_str()), ("conversions", &conversions)];
            found.extend(upload(&options, &files));
        }
        found.retain(|line| line != "no_date");
        if expected.is_empty() {
            let is_known = conversions.len() > 2;
            assert_eq!(found.len(), if is_known { 0 } else { 40 }, "{found:?}");
        } else {
            assert!(found.len() >= 40, "{found:?}");
            assert!(found.iter().all(|line| line == expected), "{found:?}");
        }
    }
}

#[test]
fn without_the_search_for_near_misses_nothing_is_uploaded() {
    let numbers = 100_000..120_000;
    let rows = numbers
        .clone()
        .map(|number| format!("{number},c{number},{REST}\n"));
    let orders = HEADER.to_owned() + &rows.collect::<String>();
    let row = |number| conversion(number, &format!("#{number}"), "", "22", "18", "approved");
    let rows: Vec<String> = numbers.map(row).collect();
    let conversions = format!("[{}]", rows.join(","));
    let mut reasons = std::collections::BTreeSet::new();
    for memory in [3_000_000, 100_000_000] {
        let mut report = open(&format!("memory={memory}"));
        add(&mut report, "kind=orders", &orders, 1 << 16).unwrap();
        add(&mut report, "kind=conversions", &conversions, 1 << 16).unwrap();
        let lacks = reconcile(&mut report).unwrap()["lacksHints"] == true;
        assert_eq!(lacks, memory < 10_000_000);
        reasons.extend(lines(&mut report, "file=upload"));
        let reject = lines(&mut report, "reject=unknown_to_advertiser");
        reasons.extend(reject);
    }
    assert_eq!(
        reasons.into_iter().collect::<Vec<_>>(),
        ["near_misses_not_searched", "would_match"]
    );
}

#[test]
fn a_sale_of_the_journal_is_known_in_another_dress() {
    let journal = |unique: &str, order: &str, click: &str| {
        format!("\njournal=upload x {click} 5 2026-06-20_10:00:00 18.00 22.00 {unique} {order}")
    };
    let later =
        |unique, order, click| journal(unique, order, click).replace("_10:00:00", "_11:00:00");
    let header = "unique_id,order_id,click_id,offer_id,date,payout,status,revenue\n";
    for (lines_, order, expected) in [
        (journal("1001", "1001", "c1"), "001001,,c1", "like [0]"),
        (journal("1001", "1001", "c1"), ",#1001,c2", "like [0]"),
        (journal("A_1", "", "c1"), "A 1,,c1", "like [0]"),
        (
            journal("", "1001", "c1"),
            "\"=\"\"1001\"\"\",,c1",
            "shortened_id",
        ),
        // A column came in, or went away.
        (journal("1001", "1001", "c1"), "U1,1001,c1", "like [0]"),
        (journal("U1", "1001", "c1"), ",1001,c1", "like [0]"),
        (journal("", "1001", "c1"), "U1,,c1", "like [0]"),
        (journal("", "", "c1"), "U1,1001,c1", "like [0]"),
        (journal("U1", "1001", "c1"), ",,c1", "like [0]"),
        (
            journal("1.79536E+12", "", "c1"),
            "1795361234567,,c1",
            "like [0]",
        ),
        // The payment's id instead of the shop's: click, time and money are the same.
        (journal("U1", "1001", "c1"), "pi_77,1001,c1", "like [0]"),
        (journal("U1", "", "c1"), "pi_77,,c1", "like [0]"),
        (journal("", "1001", "c1"), ",1002,c1", "like [0]"),
        // Another transaction of the order, another sale of the click.
        (later("U1", "1001", "c1"), "U2,1001,c1", "U2/1001"),
        (later("1001", "", "c1"), "1002,,c1", "1002/"),
        (journal("U1", "1001", "c1"), "U2,1001,c2", "U2/1001"),
        (journal("", "", "c2"), "1002,,c1", "1002/"),
        (
            journal("1001", "", "c1") + &journal("7", "", "c7") + &journal("#1001", "", "c1"),
            "1001,,c1",
            "like [0,2]",
        ),
    ] {
        let mut report = open("");
        let orders = format!("{header}{order},{REST},22.00\n");
        add(&mut report, "kind=orders", &orders, 100).unwrap();
        add(&mut report, "kind=conversions", "[]", 100).unwrap();
        reconcile(&mut report).unwrap();
        let found = lines(&mut report, &format!("file=upload{lines_}"));
        assert_eq!(found, [expected], "{lines_} {order}");
        assert!(corrections(&mut report, "file=upload").len() == 1);
    }
}
