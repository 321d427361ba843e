//! The whole core, as JavaScript calls it.

use super::*;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

fn open(options: &str) -> Report {
    Report::open(&format!("seed=7\n{options}")).unwrap()
}

fn add(report: &mut Report, options: &str, text: &str, piece: usize) -> Result<()> {
    report.begin(options)?;
    for chunk in text.as_bytes().chunks(piece) {
        let at = report.room(chunk.len())?;
        report.input()[at..at + chunk.len()].copy_from_slice(chunk);
        report.read(chunk.len())?;
    }
    report.end()
}

fn reconcile(report: &mut Report) -> Result<Value> {
    while report.step()? < 1.0 {}
    report.result()?;
    Ok(serde_json::from_str(&report.answer).unwrap())
}

fn rows(report: &mut Report, options: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        report.rows(&format!("{options}\nlimit=3{cursor}")).unwrap();
        let mut answer: Value = serde_json::from_str(&report.answer).unwrap();
        rows.append(answer["rows"].as_array_mut().unwrap());
        match answer["cursor"].as_str() {
            Some(text) => cursor = format!("\ncursor={text}"),
            None => return rows,
        }
    }
}

/// Class by the order's or the conversion's unique id.
fn classes(report: &mut Report) -> Vec<(String, String, Vec<String>)> {
    rows(report, "")
        .iter()
        .map(|row| {
            let side = ["order", "conversion", "unreadable"]
                .into_iter()
                .find(|side| row[side].is_object())
                .unwrap();
            let id = ["uniqueId", "orderId", "clickId", "conversionId", "text"]
                .into_iter()
                .find_map(|name| row[side][name].as_str())
                .unwrap_or("");
            let reasons = row["reasons"].as_array().unwrap().iter();
            (
                row["class"].as_str().unwrap().to_owned(),
                id.to_owned(),
                reasons
                    .map(|reason| reason.as_str().unwrap().to_owned())
                    .collect(),
            )
        })
        .collect()
}

const ORDERS: &str = "unique_id,date,revenue,payout,status\n\
A,2026-06-01 10:00:00,22.00,18.00,approved\n\
B,2026-06-02 10:00:00,22.00,18.00,approved\n\
C,2026-06-03 10:00:00,20.00,18.00,approved\n\
D,2026-06-04 10:00:00,22.00,17.00,rejected\n\
E,2026-06-05 10:00:00,22.00,18.00,approved\n\
E,2026-06-05 11:00:00,22.00,18.00,approved\n\
F,2026-05-31 23:59:59,22.00,18.00,approved\n\
,2026-06-06 10:00:00,22.00,18.00,approved\n\
G,2026-06-07 10:00:00,x,18.00,approved\n\
H,2026-06-08 10:00:00,22.00,18.00,rejected\n";

fn conversion(
    id: u32,
    unique: &str,
    date: &str,
    revenue: &str,
    payout: &str,
    status: &str,
) -> String {
    format!(
        "{{\"conversion_id\":{id},\"unique_id\":\"{unique}\",\"conversion_date\":\"{date}\",\"offer_id\":5,\"affiliate_id\":6,\"revenue\":{revenue},\"payout\":{payout},\"conversion_status\":\"{status}\"}}"
    )
}

#[test]
fn every_difference_has_its_class_and_all_its_reasons() {
    let mut report = open("from=2026-06-01\nto=2026-06-30");
    let page: Vec<String> = [
        (1, "A", "2026-06-01 10:00:05", "22.00", "18.00", "approved"),
        (2, "C", "2026-06-03 10:00:05", "22.00", "18.00", "pending"),
        (3, "D", "2026-06-04 10:00:05", "22.00", "18.00", "rejected"),
        (4, "E", "2026-06-05 10:00:05", "22.00", "18.00", "approved"),
        (5, "E", "2026-06-05 10:00:06", "22.00", "18.00", "rejected"),
        (6, "F", "2026-06-01 00:00:01", "22.00", "18.00", "approved"),
        (7, "X", "2026-06-09 00:00:01", "22.00", "18.00", "approved"),
        (8, "H", "2026-06-08 10:00:05", "22.00", "18.00", "approved"),
        (8, "H", "2026-06-08 10:00:05", "22.00", "18.00", "approved"),
    ]
    .map(|(id, unique, date, revenue, payout, status)| {
        conversion(id, unique, date, revenue, payout, status)
    })
    .to_vec();
    let pages = format!(
        "{{\"request_status\":\"Success\",\"response\":{{\"data\":{{\"conversions\":[{}]}}}}}}",
        page.join(",")
    );
    add(&mut report, "kind=orders\nname=orders.csv", ORDERS, 10_000).unwrap();
    add(&mut report, "kind=conversions", &pages, 37).unwrap();
    let result = reconcile(&mut report).unwrap();
    assert_eq!(result["unreadable"], 1);
    let expected: Vec<(&str, &str, &[&str])> = vec![
        ("matched", "A", &[]),
        ("missing_at_cake", "B", &[]),
        (
            "revenue_differs",
            "C",
            &["revenue_differs", "status_differs"],
        ),
        ("payout_differs", "D", &["payout_differs"]),
        ("matched", "E", &[]),
        ("duplicate_order", "E", &[]),
        ("outside_window", "F", &["order_outside_window"]),
        ("no_key", "", &[]),
        ("status_differs", "H", &["status_differs"]),
        ("duplicate_conversion", "E", &[]),
        ("unknown_to_advertiser", "X", &[]),
        ("read_twice", "H", &[]),
        (
            "unreadable",
            "G,2026-06-07 10:00:00,x,18.00,approved",
            &["amount"],
        ),
    ];
    let found = classes(&mut report);
    let found: Vec<(&str, &str, Vec<&str>)> = found
        .iter()
        .map(|(class, id, reasons)| {
            (
                class.as_str(),
                id.as_str(),
                reasons.iter().map(String::as_str).collect(),
            )
        })
        .collect();
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(class, id, reasons)| (class, id, reasons.to_vec()))
        .collect();
    assert_eq!(found, expected);
    let listed = rows(&mut report, "classes=revenue_differs,unreadable");
    assert_eq!(listed[0]["order"]["file"], "orders.csv");
    assert_eq!(listed[0]["order"]["line"], 4);
    assert_eq!(listed[0]["conversion"]["row"], 2);
    assert_eq!(listed[1]["unreadable"]["line"], 10);
}

#[test]
fn what_the_forwarder_knows_says_whose_fault_it_is() {
    let mut report = open("");
    let orders = "unique_id\nA\nB\nC\nD\nE\n";
    add(&mut report, "kind=orders", orders, 100).unwrap();
    let events =
        "click_id,unique_id,state\nc,A,dead\nc,B,refused\nc,C,pending\nc,D,delivered\nc,A,dead\n";
    add(&mut report, "kind=deliveries", events, 100).unwrap();
    reconcile(&mut report).unwrap();
    let reasons: Vec<_> = classes(&mut report)
        .into_iter()
        .map(|(_, _, reasons)| reasons.join(" "))
        .collect();
    assert_eq!(
        reasons,
        [
            "dead",
            "refused",
            "pending",
            "delivered_but_not_reported",
            "never_handed_over"
        ]
    );
    report.corrections("file=upload\noffer=5").unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    let skipped: Vec<_> = answer["corrections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["skipped"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        skipped,
        [
            "no_click_id",
            "no_click_id",
            "the_forwarder_has_it",
            "the_forwarder_has_it",
            "no_click_id"
        ]
    );
}

#[test]
fn near_misses_are_hints_and_never_matches() {
    for (ours, theirs, without) in [
        ("ord-1", "ORD-1", "case"),
        ("#1001", "1001", "hash_sign"),
        ("001001", "1001", "leading_zeros"),
        ("10 01", "1001", "blanks"),
        ("\"1,79536E+12\"", "1795361234567", "exponent"),
        ("1.79536E+12", "1795355000001", "exponent"),
        (" ord-1 ", "#ORD-1", "several"),
    ] {
        let mut report = open("");
        add(
            &mut report,
            "kind=orders",
            &format!("unique_id,status\n{ours},approved\n"),
            100,
        )
        .unwrap();
        add(
            &mut report,
            "kind=conversions",
            &format!("[{{\"unique_id\":\"{theirs}\"}}]"),
            100,
        )
        .unwrap();
        let result = reconcile(&mut report).unwrap();
        assert_eq!(result["hints"], 1, "{ours} {theirs}");
        let missing = rows(&mut report, "classes=missing_at_cake");
        assert_eq!(missing[0]["wouldMatch"][0]["without"], without, "{ours}");
        assert_eq!(
            missing[0]["wouldMatch"][0]["conversion"]["uniqueId"],
            theirs
        );
    }
}

#[test]
fn later_keys_match_what_earlier_ones_left() {
    let mut report = open("keys=uniqueId,orderId,clickId");
    let orders = "unique_id,order_id,click_id\nA,1,x\n,2,y\nC,3,z\nD,4,w\n";
    let conversions = r#"[{"conversion_id":1,"unique_id":"A","order_id":"9"},{"conversion_id":2,"order_id":"2"},{"conversion_id":3,"click_id":"z"},{"conversion_id":4,"unique_id":"d"}]"#;
    add(&mut report, "kind=orders", orders, 100).unwrap();
    add(&mut report, "kind=conversions", conversions, 100).unwrap();
    reconcile(&mut report).unwrap();
    let found: Vec<_> = classes(&mut report)
        .into_iter()
        .map(|(class, id, _)| format!("{class} {id}"))
        .collect();
    assert_eq!(
        found,
        [
            "matched A",
            "matched 2",
            "matched C",
            "missing_at_cake D",
            "unknown_to_advertiser d"
        ]
    );
}

#[test]
fn what_is_ambiguous_refuses_the_file_and_shows_the_rows() {
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
    add(&mut report, "kind=orders\ndialect=stripe", stripe, 9).unwrap();
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

#[test]
fn two_currencies_are_never_added() {
    let orders = "unique_id,revenue,currency\nA,1.00,EUR\nB,2.00,usd\n";
    let conversions = r#"[{"conversion_id":1,"unique_id":"A","revenue":1.00},{"conversion_id":2,"unique_id":"B","revenue":2.00,"currency":"EUR"}]"#;
    let mut report = open("");
    add(&mut report, "kind=orders", orders, 100).unwrap();
    add(&mut report, "kind=conversions", conversions, 100).unwrap();
    assert_eq!(reconcile(&mut report).unwrap_err().code(), "ambiguous_file");
    report.settings.currency = "EUR".to_owned();
    let result = reconcile(&mut report).unwrap();
    let sums: Vec<_> = result["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sum| {
            format!(
                "{} {} {} {}",
                sum["class"].as_str().unwrap(),
                sum["currency"].as_str().unwrap(),
                sum["orderRevenue"].as_str().unwrap(),
                sum["revenue"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        sums,
        [
            "matched EUR 1.00 1.00",
            "currency_differs EUR 0.00 2.00",
            "currency_differs USD 2.00 0.00"
        ]
    );
}

#[test]
fn clocks_that_differ_are_an_error_until_zones_are_declared() {
    let orders: String = (0..10)
        .map(|i| format!("O{i},2026-06-0{} 12:00:00\n", i % 9 + 1))
        .collect();
    let conversions: Vec<String> = (0..10)
        .map(|i| {
            conversion(
                i + 1,
                &format!("O{i}"),
                &format!("2026-06-0{} 06:00:03", i % 9 + 1),
                "1",
                "1",
                "approved",
            )
        })
        .collect();
    for (options, code) in [
        ("", Some("clocks_differ")),
        ("zone=0:-14400\nordersZone=0:7200", None),
    ] {
        let mut report = open(options);
        add(
            &mut report,
            "kind=orders",
            &format!("unique_id,date\n{orders}"),
            1_000,
        )
        .unwrap();
        add(
            &mut report,
            "kind=conversions",
            &format!("[{}]", conversions.join(",")),
            1_000,
        )
        .unwrap();
        assert_eq!(reconcile(&mut report).err().map(|error| error.code()), code);
    }
}

#[test]
fn a_full_report_says_so_and_stays_readable() {
    let mut report = open("memory=400000");
    add(&mut report, "kind=orders", "unique_id\nA\n", 100).unwrap();
    let many: String = (0..50_000).map(|i| format!("ORD-{i}\n")).collect();
    let error = add(
        &mut report,
        "kind=orders",
        &format!("unique_id\n{many}"),
        1_000,
    )
    .unwrap_err();
    assert_eq!(error.code(), "report_full");
    assert!(error.to_string().contains("part"), "{error}");
    assert_eq!(report.orders.rows(), 1);
    reconcile(&mut report).unwrap();
    assert_eq!(rows(&mut report, "").len(), 1);
}

#[test]
fn a_conversion_that_changed_between_two_pages_counts_as_read_last() {
    let mut report = open("");
    let page = |status: &str| {
        format!(
            "[{}]",
            conversion(1, "A", "2026-06-01 10:00:00", "1", "1", status)
        )
    };
    add(
        &mut report,
        "kind=orders",
        "unique_id,status\nA,approved\n",
        100,
    )
    .unwrap();
    add(
        &mut report,
        "kind=conversions",
        &format!("{}\n{}", page("pending"), page("approved")),
        100,
    )
    .unwrap();
    reconcile(&mut report).unwrap();
    let found = classes(&mut report);
    assert_eq!(
        found[0],
        (
            "matched".into(),
            "A".into(),
            vec!["changed_while_reading".into()]
        )
    );
    assert_eq!(found[1].0, "read_twice");
}

#[test]
fn clicks_break_down_and_conversions_count_where_their_click_does() {
    let mut report = open("");
    let clicks = r#"[
        {"click_id":"a","click_date":"2026-06-01 10:00:00","affiliate_id":1,"offer_id":9,"sub_id_1":"x","ip_address":"203.0.113.1","converted":true,"conversion_id":100},
        {"click_id":"b","click_date":"2026-06-01 11:00:00","affiliate_id":1,"offer_id":9,"sub_id_1":"x","ip_address":"203.0.113.1","converted":false},
        {"click_id":"c","click_date":"2026-06-02 11:00:00","affiliate_id":1,"offer_id":9,"sub_id_1":"x","ip_address":"203.0.113.1","converted":false},
        {"click_id":"d","click_date":"2026-06-02 11:00:00","affiliate_id":2,"offer_id":9,"sub_id_1":"y","ip_address":"2001:db8::1","converted":true,"conversion_id":101}]"#;
    add(&mut report, "kind=clicks", clicks, 50).unwrap();
    let conversions = format!(
        "[{},{},{}]",
        conversion(
            100,
            "A",
            "2026-06-03 10:00:00",
            "22.00",
            "18.00",
            "approved"
        ),
        conversion(102, "B", "2026-06-03 10:00:00", "22.00", "1.00", "pending"),
        conversion(102, "B", "2026-06-03 10:00:00", "22.00", "1.00", "pending"),
    );
    add(&mut report, "kind=conversions", &conversions, 1_000).unwrap();
    report.break_down("by=affiliate,subId1\nsort=epc").unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    let groups = answer["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 3);
    assert_eq!(
        groups[0]["key"],
        serde_json::json!({"affiliate": "1", "subId1": "x"})
    );
    assert_eq!(groups[0]["clicks"], 3);
    assert_eq!(groups[0]["uniqueClicks"], 1);
    assert_eq!(groups[0]["epc"], "6.00");
    assert_eq!(groups[0]["medianSeconds"], 172_800);
    assert_eq!(groups[0]["statuses"], serde_json::json!({"approved": 1}));
    assert_eq!(answer["total"]["conversions"], 3);
    assert_eq!(answer["total"]["pendingPayout"], "1.00");
    report
        .break_down("by=affiliate\nunique=addressAndDay\ntop=1")
        .unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(answer["groups"][0]["uniqueClicks"], 2);
    assert_eq!(answer["rest"]["clicks"], 1);
    report.values("by=subId1").unwrap();
    assert_eq!(
        report.answer,
        r#"[{"subId1":"x"},{"subId1":"y"},{"subId1":""}]"#
    );
    report
        .break_down("by=own\nown=subId1\nlabel=good\nlabel=good\nlabel=none")
        .unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(answer["groups"][0]["key"]["own"], "good");
    assert_eq!(answer["groups"][0]["clicks"], 4);
    assert_eq!(answer["groups"][0]["uniqueClicks"], 2);
    report
        .attribute("model=last\nmodel=markov\nkey=address\nchannel=subId1")
        .unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(answer["journeys"], 3);
    assert_eq!(answer["payout"], "18.00");
}

#[test]
fn many_rows_with_one_key_are_one_pair_and_duplicates() {
    let mut report = open("");
    let orders: String = (0..2_000).map(|i| format!("SAME,{i}.00\n")).collect();
    add(
        &mut report,
        "kind=orders",
        &format!("unique_id,revenue\n{orders}"),
        5_000,
    )
    .unwrap();
    let conversions: Vec<String> = (0..2_000)
        .map(|i| conversion(i + 1, "SAME", "2026-06-01 10:00:00", "1", "1", "approved"))
        .collect();
    add(
        &mut report,
        "kind=conversions",
        &format!("[{}]", conversions.join(",")),
        5_000,
    )
    .unwrap();
    let result = reconcile(&mut report).unwrap();
    let counts: BTreeMap<_, _> = result["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sum| {
            (
                sum["class"].as_str().unwrap().to_owned(),
                (sum["orders"].as_u64(), sum["conversions"].as_u64()),
            )
        })
        .collect();
    assert_eq!(counts["duplicate_order"], (Some(1_999), Some(0)));
    assert_eq!(counts["duplicate_conversion"], (Some(0), Some(1_999)));
}

/// One made-up row: key, day, revenue in cents, status.
type Made = (u8, u8, u16, u8);

fn made_orders(rows: &[Made]) -> String {
    let mut text = "unique_id,date,revenue,status\n".to_owned();
    for (key, day, cents, status) in rows {
        let id = if *key == 0 {
            String::new()
        } else {
            format!("K{key}")
        };
        let revenue = if *cents % 17 == 0 {
            "bad".to_owned()
        } else {
            format!("{}.{:02}", cents / 100, cents % 100)
        };
        let status = ["approved", "pending", "rejected"][usize::from(status % 3)];
        text.push_str(&format!(
            "{id},2026-06-{:02} 10:00:00,{revenue},{status}\n",
            day % 30 + 1
        ));
    }
    text
}

fn made_conversions(rows: &[Made], order: &[usize]) -> String {
    let lines: Vec<String> = order
        .iter()
        .map(|&index| {
            let (key, day, cents, status) = rows[index];
            let id = if key == 0 {
                String::new()
            } else {
                format!("K{key}")
            };
            let status = ["approved", "pending", "rejected"][usize::from(status % 3)];
            // The same minute of every day: clocks are another test's.
            conversion(
                u32::try_from(index).unwrap() + 1,
                &id,
                &format!("2026-06-{:02} 10:00:00", day % 30 + 1),
                &format!("{}.{:02}", cents / 100, cents % 100),
                "1.00",
                status,
            )
        })
        .collect();
    lines.join("\n")
}

/// Every row's class with what is in it, and the sums of both sides.
fn summary(report: &mut Report) -> (Vec<String>, Vec<i128>) {
    let result = reconcile(report).unwrap();
    let mut lines: Vec<String> = rows(report, "")
        .iter()
        .map(|row| {
            let show = |side: &str| {
                let side = &row[side];
                format!(
                    "{}|{}|{}|{}|{}",
                    side["uniqueId"],
                    side["date"],
                    side["revenue"],
                    side["status"],
                    side["conversionId"]
                )
            };
            format!(
                "{} {} {} {} {}",
                row["class"],
                row["reasons"],
                show("order"),
                show("conversion"),
                row["unreadable"]["text"]
            )
        })
        .collect();
    lines.sort();
    let units = |text: &Value| {
        let text = text.as_str().unwrap().replace('.', "");
        text.parse::<i128>().unwrap()
    };
    let mut sums = vec![0; 4];
    for sum in result["classes"].as_array().unwrap() {
        sums[0] += i128::from(sum["orders"].as_u64().unwrap());
        sums[1] += i128::from(sum["conversions"].as_u64().unwrap());
        sums[2] += units(&sum["orderRevenue"]);
        sums[3] += units(&sum["revenue"]);
    }
    sums.push(i128::from(result["unreadable"].as_u64().unwrap()));
    (lines, sums)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// Each row has one class, sums are conserved, order does not matter, and the parts are the whole.
    #[test]
    fn rows_and_sums_are_conserved(
        orders in proptest::collection::vec((0_u8..12, any::<u8>(), 1_u16..3_000, any::<u8>()), 1..40),
        conversions in proptest::collection::vec((0_u8..12, any::<u8>(), 1_u16..3_000, any::<u8>()), 0..40),
        seed in any::<u32>(),
        turn in any::<prop::sample::Index>(),
    ) {
        let whole = |options: &str, orders: &[Made], order: &[usize]| {
            let mut report = Report::open(&format!("seed={seed}\nfrom=2026-06-05\nto=2026-06-25\nkeys=uniqueId\n{options}")).unwrap();
            add(&mut report, "kind=orders", &made_orders(orders), 64).unwrap();
            add(&mut report, "kind=conversions", &made_conversions(&conversions, order), 64).unwrap();
            summary(&mut report)
        };
        let order: Vec<usize> = (0..conversions.len()).collect();
        let (lines, sums) = whole("", &orders, &order);
        let good: Vec<_> = orders.iter().filter(|row| row.2 % 17 != 0).collect();
        prop_assert_eq!(sums[0], good.len() as i128);
        prop_assert_eq!(sums[1], conversions.len() as i128);
        prop_assert_eq!(sums[2], good.iter().map(|row| i128::from(row.2)).sum::<i128>());
        prop_assert_eq!(sums[3], conversions.iter().map(|row| i128::from(row.2)).sum::<i128>());
        prop_assert_eq!(sums[4], (orders.len() - good.len()) as i128);
        // Another order of rows.
        let mut turned = orders.clone();
        turned.rotate_left(turn.index(orders.len()));
        let mut reversed = order.clone();
        reversed.reverse();
        prop_assert_eq!(&whole("", &turned, &reversed), &(lines.clone(), sums.clone()));
        // In parts.
        let mut all = Vec::new();
        let mut added = vec![0; 5];
        for part in 1..=3 {
            let (lines, sums) = whole(&format!("part={part}/3"), &orders, &order);
            all.extend(lines);
            for (sum, more) in added.iter_mut().zip(&sums) { *sum += more; }
        }
        all.sort();
        prop_assert_eq!(all, lines);
        prop_assert_eq!(added, sums);
    }
}

#[test]
fn pages_of_another_kind_are_refused_as_a_whole() {
    let clicks = r#"{"success":true,"clicks":[{"click_id":"c","conversion_id":7}]}"#;
    let conversions = r#"{"response":{"data":{"conversions":[{"conversion_id":7}]}}}"#;
    for (kind, text) in [
        ("conversions", clicks),
        ("orders", clicks),
        ("clicks", conversions),
    ] {
        let mut report = open("");
        let error = add(&mut report, &format!("kind={kind}"), text, 9).unwrap_err();
        assert_eq!(error.code(), "unreadable_file", "{kind}");
        assert_eq!(report.conversions.rows() + report.clicks.rows(), 0);
    }
}

/// Files as they should not be: how many rows are read, and place and reason of every one that is not.
/// A file's name and text, how many rows it has, and what is wrong in which line.
type Malformed = (
    &'static str,
    &'static str,
    u64,
    &'static [(u64, &'static str)],
);

const MALFORMED: &[Malformed] = &[
    // CSV: cells too many, too few, none.
    (
        "",
        "unique_id,revenue\nA,1.00,x\nB,1.00\nC\nD,1.00\n",
        2,
        &[(2, "cells"), (4, "cells")],
    ),
    ("", "unique_id,revenue\nA,1.00\n\n\nB,1.00\n", 2, &[]),
    ("", "unique_id,revenue\n,\nA,1.00\n", 2, &[]),
    // Quotes that go on, end too early, or never.
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
    ("", "unique_id,revenue\n\"A\nA\",1.00\nB,1.00\n", 2, &[]),
    (
        "",
        "unique_id,revenue\nA,1.00\nB,\"1.00",
        1,
        &[(3, "quote")],
    ),
    // Amounts and dates that are none.
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
        2,
        &[],
    ),
    // JSON: one a line, each for itself.
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
