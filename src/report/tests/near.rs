//! The one rule of nearly the same ids, wherever two rows may be one sale: an order and a part of it, an id with a prefix
//! and one without.

use super::pairs::corrections;
use super::refunds::{HEAD, SALE, at_cake, of, told};
use super::*;

const HEADER: &str = "order_id,click_id,offer_id,date,revenue,status\n";

/// Ids of parts of the order 1001, or of something that belongs to it.
const PARTS: [&str; 14] = [
    "1001-1",
    "1001-R1",
    "1001-REFUND",
    "#1001-R1",
    "1001/R1",
    "1001.1",
    "1001_1",
    "1001R",
    "1001 (refund)",
    "1001-return-2",
    "ORD-1001-1",
    "b-1001-A",
    "b-1001",
    "заказ-1001",
];

/// What becomes of a conversion that no order has, beside this order.
fn rejected(order: &str, id: &str) -> Vec<String> {
    let mut report = open("");
    let orders = format!("{HEADER}{order},c1,5,2026-06-20 10:00:00,22.00,approved\n");
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    let row = conversion(9, id, "2026-06-20 12:00:00", "22", "18", "approved");
    add(&mut report, "kind=conversions", &row, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let fixes = corrections(&mut report, "reject=unknown_to_advertiser");
    let uploads = corrections(&mut report, "file=upload\noffer=5");
    [fixes, uploads].concat()
}

#[test]
fn a_part_at_cake_is_not_rejected_and_its_order_not_uploaded() {
    for part in PARTS {
        for (order, id) in [("1001", part), (part, "1001")] {
            let found = rejected(order, id);
            assert_eq!(found, ["would_match"; 2], "{order} {id}");
        }
    }
    // A prefix before a part, and several words of one order.
    for (order, id) in [("b-1001-1", "1001-1"), ("1001-1", "1001-1-A")] {
        assert_eq!(rejected(order, id), ["would_match"; 2], "{order} {id}");
    }
    // Two parts of an order, and two shops' prefixes, are two sales.
    for (order, id) in [
        ("1001-1", "1001-2"),
        ("1001-A", "1001-B"),
        ("a-1001", "b-1001"),
        ("1001", "10011"),
        ("1001-1", "1002"),
    ] {
        let found = rejected(order, id);
        assert!(
            found.iter().all(|line| line != "would_match"),
            "{order} {id} {found:?}"
        );
    }
}

#[test]
fn each_of_several_rows_of_one_form_has_its_neighbour() {
    let mut report = open("");
    let order = |id: &str, unique: &str| {
        format!("{unique},{id},c{unique},5,2026-06-20 10:00:00,22.00,approved\n")
    };
    // The first order stands beside its own part, the second one is the whole.
    let orders = format!(
        "unique_id,{HEADER}{}{}",
        order("1001", "1001-3"),
        order("1001", "T7")
    );
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    let rows: Vec<String> = (1..4)
        .map(|id| {
            let unique = format!("1001-{}", id + 3);
            conversion(id, &unique, "2026-06-20 12:00:00", "22", "18", "approved")
        })
        .collect();
    add(&mut report, "kind=conversions", &rows.join("\n"), 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let fixes = corrections(&mut report, "reject=unknown_to_advertiser");
    assert_eq!(fixes, ["would_match"; 3]);
}

#[test]
fn a_refund_of_a_part_holds_its_order_back() {
    for part in PARTS {
        let refund = format!("{part},,,7,2026-06-21 10:00:00,-22.00,,approved,\n");
        let files = [("", [HEAD, SALE, &refund].concat())];
        let files = files
            .each_ref()
            .map(|(options, text)| (*options, text.as_str()));
        let [_, _, upload] = told(&mut of("", &files, "[]"));
        assert_eq!(upload, "refund_unclear", "{part}");
        let [_, correction, _] = told(&mut of(
            "",
            &files,
            &at_cake("10.00", "2026-06-20 10:00:00"),
        ));
        assert_eq!(correction, "refund_unclear", "{part}");
    }
    let other = "1002-R1,,,7,2026-06-21 10:00:00,-22.00,,approved,\n";
    let files = [("", [HEAD, SALE, other].concat())];
    let files = files
        .each_ref()
        .map(|(options, text)| (*options, text.as_str()));
    assert!(told(&mut of("", &files, "[]"))[2].contains("1001"));
}

#[test]
fn an_order_and_its_part_in_the_orders_are_not_both_uploaded() {
    const HELD: &str = "may_be_another_order";
    let upload = |rows: &[&str]| {
        let rows = rows.iter().map(|row| format!("{row}\n"));
        let orders = HEADER.to_owned() + &rows.collect::<String>();
        let files = [("", orders.as_str())];
        corrections(&mut of("", &files, "[]"), "file=upload\noffer=5")
    };
    let row = |id: &str, click: &str, status: &str| {
        format!("{id},{click},5,2026-06-20 10:00:00,22.00,{status}")
    };
    let approved = |id: &str, click: &str| row(id, click, "approved");
    for part in ["1001-1", "1001.2", "1001-A", "ORD-1001-1"] {
        let found = upload(&[&approved("1001", "c1"), &approved(part, "c1")]);
        assert_eq!(found, [HELD; 2], "{part}");
    }
    // Two shops may have one number, but not with one click.
    let found = upload(&[&approved("1001", "c1"), &approved("b-1001", "c1")]);
    assert_eq!(found, [HELD; 2]);
    let found = upload(&[&approved("1001", "c1"), &approved("b-1001", "c2")]);
    assert_eq!(
        found.iter().filter(|line| *line == HELD).count(),
        0,
        "{found:?}"
    );
    // Parts that are sales of their own, and a part that has taken the place of its order.
    let found = upload(&[&approved("1001-1", "c1"), &approved("1001-2", "c1")]);
    assert!(!found.contains(&HELD.to_owned()), "{found:?}");
    let found = upload(&[&row("1001", "c1", "rejected"), &approved("1001-1", "c1")]);
    assert!(found[0] == "not_approved" && found[1] != HELD, "{found:?}");
}

/// The lines of the journal like the orders of the second file, once the first one was uploaded.
fn like(first: &[&str], second: &[&str], options: &str) -> Vec<bool> {
    let ask = |rows: &[&str], options: &str, more: &str| {
        let rows = rows.iter().map(|row| format!("{row}\n"));
        let orders = HEADER.to_owned() + &rows.collect::<String>();
        let mut report = of("", &[(options, orders.as_str())], "[]");
        report
            .corrections(&format!("file=upload\noffer=5{more}"))
            .unwrap();
        let answer: Value = serde_json::from_str(&report.answer).unwrap();
        answer["corrections"].as_array().unwrap().clone()
    };
    let journal = ask(first, "", "");
    let journal = journal
        .iter()
        .map(|line| format!("\njournal={}", line["journal"].as_str().unwrap()));
    let found = ask(second, options, &journal.collect::<String>());
    found.iter().map(|line| line["like"].is_array()).collect()
}

#[test]
fn the_journal_knows_parts_of_an_order_and_prefixes() {
    let row = |id: &str, money: &str| format!("{id},c1,5,2026-06-20 10:00:00,{money},approved");
    let whole = row("1002", "22.00");
    for (one, other) in [
        ("1002-1", "1002-2"),
        ("1002.1", "1002.2"),
        ("1002_1", "1002_2"),
        ("1002-A", "1002-B"),
        ("ORD-1002-1", "ORD-1002-2"),
    ] {
        let parts = [row(one, "12.00"), row(other, "10.00")];
        let parts = parts.each_ref().map(String::as_str);
        assert_eq!(like(&[&whole], &parts, ""), [true; 2], "{one}");
        assert_eq!(like(&parts, &[&whole], ""), [true], "{one}");
        // The second part is another sale.
        assert_eq!(like(&parts[..1], &parts[1..], ""), [false], "{one}");
    }
    for id in ["1002.1", "b-1002", "ORD1002", "#1002", "0001002", "1 002"] {
        for date in ["2026-06-20 10:00:00", "2026-06-20 11:00:00"] {
            let changed = format!("{id},c1,5,{date},21.00,approved");
            assert_eq!(like(&[&whole], &[&changed], ""), [true], "{id}");
            assert_eq!(like(&[&changed], &[&whole], ""), [true], "{id}");
        }
    }
    let changed = row("1002", "21.00");
    assert_eq!(like(&[&whole], &[&changed], "cakePrefix=b-"), [true]);
    // Another shop's order of another click.
    let other = "b-1002,c2,5,2026-06-20 10:00:00,22.00,approved";
    assert_eq!(like(&[&whole], &[other], ""), [false]);
}
