//! Files that are not what they were declared as, or not all of it.

use super::*;

#[test]
fn a_file_that_cannot_be_what_it_was_declared_as_is_refused() {
    for (options, text, code, parts) in [
        // A delimiter that the header does not have.
        (
            "delimiter=;",
            "unique_id,revenue\nA,1.00\n",
            "unreadable_file",
            ["no column", "delimiter"],
        ),
        (
            "",
            "sep=;\nunique_id,revenue\nA,1.00\n",
            "unreadable_file",
            ["no column", "delimiter"],
        ),
        // JSON without a known field, or without a declared one.
        (
            "",
            "{\"shop\":{\"1001\":{\"revenue\":\"1.00\"}}}",
            "unreadable_file",
            ["no field", "columns"],
        ),
        (
            "",
            "[{\"a\":1},{\"a\":2}]",
            "unreadable_file",
            ["no field", "columns"],
        ),
        (
            "column.revenue=totals.net",
            "[{\"unique_id\":\"A\",\"totals\":{\"gross\":\"1.00\"}}]",
            "unreadable_file",
            ["totals.net", "revenue of the orders"],
        ),
        // Files that are no text.
        (
            "",
            "\u{0}u\u{0}n\u{0}i",
            "unreadable_file",
            ["UTF-16", "UTF-8"],
        ),
        (
            "",
            "u\u{0}n\u{0}i\u{0}",
            "unreadable_file",
            ["UTF-16", "UTF-8"],
        ),
        (
            "",
            "PK\u{3}\u{4}",
            "unreadable_file",
            ["spreadsheet", "CSV"],
        ),
        ("", "BZh91AY", "unreadable_file", ["compressed", "unpack"]),
    ] {
        for piece in [1, 1_000] {
            let mut report = open("");
            let options = format!("kind=orders\n{options}");
            let error = add(&mut report, &options, text, piece).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            for part in parts {
                assert!(error.to_string().contains(part), "{error}");
            }
            assert_eq!(report.orders.rows(), 0);
        }
    }
}

#[test]
fn a_column_or_a_field_with_points_in_its_name_can_be_declared() {
    for (options, text) in [
        (
            "column.uniqueId=metadata.order_id",
            "metadata.order_id,revenue\nA,1.00\n",
        ),
        (
            "column.uniqueId=No.\ncolumn.revenue=totals.net",
            "No.,totals.net\nA,1.00\n",
        ),
        (
            "column.uniqueId=billing.order",
            "[{\"billing.order\":\"A\",\"revenue\":\"1.00\"}]",
        ),
        (
            "column.uniqueId=billing.order",
            "[{\"billing\":{\"order\":\"A\"},\"revenue\":1.00}]",
        ),
        (
            "dialect=stripe\nunits=major",
            "metadata.order_id,id,amount\nA,ch_1,1.00\n",
        ),
        // A row may lack it, or have it as null.
        (
            "column.uniqueId=order.no\ncolumn.status=state",
            "[{\"order\":{\"no\":\"A\"},\"revenue\":1.00,\"state\":null}]",
        ),
        // Two roles of one field.
        (
            "column.uniqueId=order.no\ncolumn.orderId=order.no",
            "[{\"order\":{\"no\":\"A\"},\"revenue\":1.00}]",
        ),
    ] {
        let mut report = open("");
        add(&mut report, &format!("kind=orders\n{options}"), text, 7).unwrap();
        reconcile(&mut report).unwrap();
        let listed = rows(&mut report, "");
        assert_eq!(listed[0]["order"]["uniqueId"], "A", "{text}");
        assert_eq!(listed[0]["order"]["revenue"], "1.00", "{text}");
    }
}

#[test]
fn a_compressed_file_is_no_csv() {
    for (start, part) in [
        (&b"\x1F\x8B\x08"[..], "compressed"),
        (b"\x28\xB5\x2F\xFD", "compressed"),
        (b"\xFD7zXZ", "compressed"),
        (b"\xD0\xCF\x11\xE0", "spreadsheet"),
        (b"\xFF\xFEu\x00", "UTF-16"),
    ] {
        let mut report = open("");
        report.begin("kind=conversions\nname=c.gz").unwrap();
        let at = report.room(start.len()).unwrap();
        report.input()[at..at + start.len()].copy_from_slice(start);
        let error = report.read(start.len()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn corrections_say_how_many_rows_could_not_be_read_in_every_part_alike() {
    for part in ["", "keys=uniqueId\npart=1/2", "keys=uniqueId\npart=2/2"] {
        let mut report = open(part);
        add(&mut report, "kind=orders", ORDERS, 100).unwrap();
        add(&mut report, "kind=conversions", "[7]", 100).unwrap();
        add(&mut report, "kind=clicks", "[7]", 100).unwrap();
        reconcile(&mut report).unwrap();
        report.corrections("file=upload").unwrap();
        let answer: Value = serde_json::from_str(&report.answer).unwrap();
        assert_eq!(answer["unreadable"], 2, "{part}");
    }
}

#[test]
fn options_that_contradict_themselves_are_refused() {
    for (options, part) in [
        ("status.paid=approved\nstatus.Paid=rejected", "two"),
        ("currency=EURO", "three letters"),
        ("currency=", "three letters"),
        ("currency=U$D", "three letters"),
    ] {
        let error = Report::open(options).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    for options in ["status.paid=approved\nstatus.PAID=Approved", "currency=usd"] {
        assert!(Report::open(options).is_ok(), "{options}");
    }
}

#[test]
fn pages_that_name_a_further_one_are_not_all_of_the_list() {
    let row = "{\"id\":\"x\",\"state\":\"delivered\",\"conversion\":{\"unique_id\":\"A\"}}";
    let page = |next: &str| format!("{{\"rows\":[{row}],\"next\":{next}}}");
    let orders = |what: &str| format!(r#"{{"orders":[{{"order_id":"A","amount":1}}],{what}}}"#);
    let listed = |total: u32, ids: &[u32]| {
        let row =
            |id: &u32| format!(r#"{{"conversion":{{"conversion_id":{id},"unique_id":"{id}"}}}}"#);
        let rows: Vec<String> = ids.iter().map(row).collect();
        let rows = rows.join(",");
        format!(r#"{{"success":true,"total_rows":{total},"conversions":[{rows}]}}"#)
    };
    let more = "{\"object\":\"list\",\"has_more\":true,\"data\":[{\"id\":\"A\",\"amount\":1}]}";
    for (kind, files, is_whole) in [
        ("deliveries", vec![page("\"p2\"")], false),
        ("deliveries", vec![page("null")], true),
        ("deliveries", vec![page("\"p2\"") + &page("null")], true),
        (
            "deliveries",
            vec![page("\"p2\""), page("\"p3\""), page("null")],
            true,
        ),
        ("deliveries", vec![page("\"p2\""), page("\"p3\"")], false),
        ("deliveries", vec![format!("[{}]", page("\"p2\""))], false),
        ("orders", vec![more.to_owned()], false),
        ("orders", vec![more.replace("true", "false")], true),
        (
            "orders",
            vec![orders(r#""pageInfo":{"hasNextPage":true}"#)],
            false,
        ),
        ("orders", vec![orders(r#""next_page":2"#)], false),
        ("orders", vec![orders(r#""next_page":null"#)], true),
        ("orders", vec![orders(r#""links":{"next":"/2"}"#)], false),
        ("orders", vec![orders(r#""next_url":"/2""#)], false),
        (
            "orders",
            vec![orders(r#""meta":{"next_cursor":"x"}"#)],
            false,
        ),
        ("orders", vec![orders(r#""nextPageToken":"x""#)], false),
        // CAKE says how many rows its list has.
        ("conversions", vec![listed(50, &[7])], false),
        ("conversions", vec![listed(2, &[7]), listed(2, &[8])], true),
        (
            "conversions",
            vec![listed(2, &[7]) + &listed(2, &[8])],
            true,
        ),
        ("conversions", vec![listed(3, &[7]), listed(2, &[8])], false),
        ("conversions", vec![listed(3, &[7]), listed(3, &[])], true),
        ("conversions", vec![listed(3, &[7]), listed(0, &[])], false),
        (
            "conversions",
            vec![listed(2, &[7]).replace("total_rows\":2", "row_count\":\"2\"")],
            false,
        ),
    ] {
        let mut report = open("");
        for file in &files {
            add(&mut report, &format!("kind={kind}"), file, 9).unwrap();
        }
        let outcome = reconcile(&mut report).map_err(|error| error.code().to_owned());
        assert_eq!(outcome.is_ok(), is_whole, "{files:?}: {outcome:?}");
        assert!(is_whole || outcome == Err("unreadable_file".to_owned()));
    }
}

#[test]
fn a_list_of_rows_beside_the_one_that_is_read_is_never_dropped() {
    let row = |id: u32| format!(r#"{{"order_id":"{id}","revenue":"22.00"}}"#);
    let dated = r#"{"id":9,"created_at":"2026-06-01","status":"approved"}"#;
    let page = |what: &str| format!(r#"{{"orders":[{}],{what}}}"#, row(1));
    for (file, is_read) in [
        (page(&format!(r#""archived":[{}]"#, row(2))), false),
        (page(&format!(r#""archived":[{dated}]"#)), false),
        (
            format!(r#"{{"archived":[{}],"orders":[{}]}}"#, row(2), row(1)),
            false,
        ),
        (
            format!("[{0},{0}]", page(&format!(r#""late":[{}]"#, row(2)))),
            false,
        ),
        (page(&format!(r#""more":{{"late":[{}]}}"#, row(2))), false),
        (format!(r#"{{"de":[{}],"fr":[{}]}}"#, row(1), row(2)), false),
        // Lists that hold no rows, and another list of rows by a known name.
        (
            page(r#""errors":[],"meta":[{"name":"x"}],"columns":["a"]"#),
            true,
        ),
        (page(r#""notes":[{"id":"5","status":"404"}]"#), true),
        (
            page(r#""refunds":[{"order_id":"1","type":"refund","amount":1}]"#),
            true,
        ),
        (page(r#""customers":[{"id":5,"email":"x"}]"#), true),
    ] {
        for piece in [7, 1_000] {
            let outcome = add(&mut open(""), "kind=orders", &file, piece);
            assert_eq!(outcome.is_ok(), is_read, "{file}: {outcome:?}");
        }
    }
}

#[test]
fn an_empty_file_is_no_list_and_an_empty_row_is_no_row() {
    for kind in ["orders", "conversions", "deliveries", "clicks"] {
        for text in ["", " \n", "\u{feff}"] {
            assert!(add(&mut open(""), &format!("kind={kind}"), text, 9).is_err());
        }
        assert!(add(&mut open(""), &format!("kind={kind}"), "[]", 9).is_ok());
    }
    for text in [
        "\u{feff}\u{feff}order_id,date,revenue\n1,,\n,,\n2,,\n,,",
        "order_id;date;revenue\r\n;;\r\n1;;\r\n; ;\r\n2;;\r\n",
    ] {
        for piece in [1, 3, 100] {
            let mut report = open("");
            add(&mut report, "kind=orders", text, piece).unwrap();
            add(&mut report, "kind=conversions", "[]", piece).unwrap();
            reconcile(&mut report).unwrap();
            let found = classes(&mut report);
            let ids: Vec<_> = found.iter().map(|(_, id, _)| id.as_str()).collect();
            assert_eq!(ids, ["1", "2"], "{text:?} {piece}");
        }
    }
    let marked = "\u{feff}order_id\n\u{e4}1\n";
    let error = add(
        &mut open(""),
        "kind=orders\nencoding=windows-1252",
        marked,
        9,
    )
    .unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
}
