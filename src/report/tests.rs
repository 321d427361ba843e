//! The whole core, as JavaScript calls it.

mod borders;
mod break_down;
mod cells;
mod columns;
mod conservation;
mod contradiction;
mod corrected;
mod current;
mod doubtful;
mod elsewhere;
mod events;
mod files;
mod held;
mod near;
mod near_orders;
mod owed;
mod own_ids;
mod pages;
mod pairs;
mod parts;
mod proof;
mod readings;
mod refunds;
mod same_id;
mod shop_facts;
mod symbols;
mod whole;
mod zones;

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

/// The class of each row by the unique id of its order or conversion.
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
fn the_export_of_the_forwarder_says_whose_fault_it_is() {
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
        ("\u{661}\u{660}01", "1001", "digits"),
        ("Café-1", "Cafe-1", "accents"),
        ("ЗАКАЗ-1", "заказ-1", "case"),
        ("1001;1002", "1001", "other_ids"),
        ("https://shop.example/orders/1001", "1001", "address"),
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
        ("zone=0:-14400", Some("clocks_differ")),
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
        let error = reconcile(&mut report).err();
        assert_eq!(error.as_ref().map(Error::code), code);
        // What is declared is not asked for.
        let is_asked = error.is_some_and(|error| error.to_string().contains("`timeZone`"));
        assert_eq!(is_asked, options.is_empty(), "{options}");
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
