//! What one part of a report cannot compare, because it lies in another one, holds back what the whole would.

use super::pairs::corrections;
use super::*;

const HEADER: &str = "order_id,click_id,date,paid_at,revenue,status,currency\n";

/// A row of CAKE's with an order id.
fn row(id: u32, order: &str) -> String {
    let row = conversion(id, "", "2026-06-20 10:00:00", "22", "18", "approved");
    row.replace(
        "\"unique_id\"",
        &format!("\"order_id\":\"{order}\",\"unique_id\""),
    )
}

fn order(id: &str) -> String {
    format!("{id},c{id},2026-06-20 10:00:00,,22.00,approved,\n")
}

/// What the whole writes, and what the parts do.
fn both(orders: &str, conversions: &[String], ask: &str) -> [Vec<String>; 2] {
    let of = |part: &str| {
        let mut report = open(&format!(
            "keys=orderId\nfrom=2026-06-01\nto=2026-06-30{part}"
        ));
        let orders = HEADER.to_owned() + orders;
        add(&mut report, "kind=orders", &orders, 1_000).unwrap();
        let rows = format!("[{}]", conversions.join(","));
        add(&mut report, "kind=conversions", &rows, 1_000).unwrap();
        reconcile(&mut report).unwrap();
        report.corrections(ask).unwrap();
        let answer: Value = serde_json::from_str(&report.answer).unwrap();
        let lines = answer["corrections"].as_array().unwrap().iter();
        let lines = lines.filter(|line| line["keyless"] != true && line["skipped"].is_null());
        lines.map(|line| line["cells"].to_string()).collect()
    };
    let parts = (1..=8).flat_map(|part| of(&format!("\npart={part}/8")));
    [of(""), parts.collect()]
}

const UPLOAD: &str = "file=upload\noffer=5";

#[test]
fn no_part_uploads_what_the_whole_cannot_compare() {
    let sales = [order("5-1"), order("5001-1"), order("Q77")].concat();
    for (orders, conversions) in [
        // A refund without a key, and one with nothing but its click.
        (",,2026-06-21 10:00:00,,-22.00,approved,\n", vec![]),
        (",c9,2026-06-21 10:00:00,,-22.00,approved,\n", vec![]),
        // A spreadsheet has made an order id of CAKE's a date.
        ("", vec![row(1, "05.01.2026")]),
        ("", vec![row(1, "5-Jan")]),
        ("", vec![row(1, "2026-01-05")]),
        // A constant, and an id that is missing.
        ("", vec![row(1, "SHOP"), row(2, "SHOP")]),
        ("", vec![row(1, "")]),
    ] {
        let [whole, parts] = both(&(sales.clone() + orders), &conversions, UPLOAD);
        assert_eq!(whole, [""; 0], "{orders} {conversions:?}");
        assert_eq!(parts, [""; 0], "{orders} {conversions:?}");
    }
    for conversions in [
        vec![],
        vec![row(1, "OTHER")],
        // One conversion that two pages have, and one that an order has, are no constants.
        vec![row(1, "OTHER"), row(1, "OTHER")],
        vec![row(1, "Q77"), row(2, "Q77")],
        // The shop numbers its orders so: the 45th of June is no date.
        vec![row(1, "03/06/2026"), row(2, "45/06/2026")],
    ] {
        let [mut whole, mut parts] = both(&sales, &conversions, UPLOAD);
        whole.sort();
        parts.sort();
        assert!(whole.len() > 1, "{conversions:?}");
        assert_eq!(parts, whole, "{conversions:?}");
    }
}

#[test]
fn a_part_knows_what_a_spreadsheet_has_rounded_in_the_others() {
    // Each number has lost one digit: one alone may have none.
    let ids = (1..=6_u64).map(|number| 1_795_360_000_000_120 + number * 7_000_000_000_010);
    let sales: String = ids.map(|id| order(&id.to_string())).collect();
    let [whole, parts] = both(&sales, &[], UPLOAD);
    assert_eq!((whole.len(), parts.len()), (0, 0));
}

#[test]
fn a_part_knows_the_currencies_of_the_others() {
    let sales = [order("A1"), order("A2"), order("A3")]
        .concat()
        .replace(",approved,\n", ",approved,USD\n");
    let of = |id, order: &str, currency: &str| {
        let currency = format!("\"currency\":\"{currency}\",\"unique_id\"");
        row(id, order).replace("\"unique_id\"", &currency)
    };
    let rows = [of(1, "X1", "USD"), of(2, "X2", "EUR")];
    let [whole, parts] = both(&sales, &rows, UPLOAD);
    assert_eq!((whole.len(), parts.len()), (0, 0));
}

#[test]
fn a_part_rejects_no_conversion_that_the_whole_leaves_alone() {
    let reject = "reject=unknown_to_advertiser";
    let theirs: Vec<String> = (1..9).map(|id| row(id, &format!("X{id}"))).collect();
    for orders in [
        // The order may be the date, or have no id; orders are paid three weeks late.
        order("05.01.2026"),
        ",c9,2026-06-21 10:00:00,,22.00,approved,\n".to_owned(),
        "A1,c1,2026-06-01 10:00:00,2026-06-22 10:00:00,22.00,approved,\n".to_owned(),
    ] {
        let [whole, parts] = both(&orders, &theirs, reject);
        assert_eq!((whole.len(), parts.len()), (0, 0), "{orders}");
    }
    let [whole, parts] = both(&order("A1"), &theirs, reject);
    assert_eq!((whole.len(), parts.len()), (8, 8));
}

#[test]
fn conversions_of_which_the_order_agrees_with_another_one_are_left_to_a_person() {
    let fixes = |orders: &str, rows: &[(&str, &str)]| {
        let mut report = open("");
        let orders = format!("order_id,date,revenue,payout,status\n{orders}");
        add(&mut report, "kind=orders", &orders, 1_000).unwrap();
        let rows: Vec<String> = (1..)
            .zip(rows)
            .map(|(id, (revenue, payout))| {
                let date = format!("2026-06-20 10:0{id}:00");
                conversion(id, "1001", &date, revenue, payout, "approved")
            })
            .collect();
        add(&mut report, "kind=conversions", &rows.join("\n"), 1_000).unwrap();
        reconcile(&mut report).unwrap();
        corrections(&mut report, "")
    };
    let held = |count| vec!["rows_contradict"; count];
    let sale = "1001,2026-06-20 10:00:00,22.00,10.00,approved\n";
    let bare = "1001,2026-06-20 10:00:00,22.00,,approved\n";
    for order in [sale, bare] {
        // A lead's event before the sale's.
        assert_eq!(
            fixes(order, &[("0.00", "1.00"), ("22.00", "10.00")]),
            held(2)
        );
        // Amounts that only add up together.
        assert_eq!(
            fixes(order, &[("11.00", "5.00"), ("11.00", "5.00")]),
            held(2)
        );
        assert_eq!(
            fixes(
                order,
                &[("11.00", "5.00"), ("6.00", "3.00"), ("5.00", "2.00")]
            ),
            held(3)
        );
        // The one that was kept agrees: the others repeat it.
        assert_eq!(
            fixes(
                order,
                &[("22.00", "10.00"), ("22.00", "10.00"), ("0.00", "1.00")]
            ),
            ["2,,rejected,5,,FALSE 10.00", "3,,rejected,5,,FALSE 1.00"]
        );
    }
    // None agrees: the order says what the kept one should be.
    assert_eq!(
        fixes(sale, &[("20.00", "9.00"), ("21.00", "9.00")]),
        ["1,,,5,10.00,FALSE 1.00", "2,,rejected,5,,FALSE 9.00"]
    );
    // After a refund, what remains counts.
    let refunded = format!("{sale}1001,2026-06-21 10:00:00,-11.00,-5.00,approved\n");
    assert_eq!(
        fixes(&refunded, &[("22.00", "10.00"), ("11.00", "5.00")]),
        held(2)
    );
}

#[test]
fn a_repetition_is_left_to_a_person_where_the_orders_repeat_by_whatever_id() {
    let fixes = |header: &str, orders: &[&str], clicks: [&str; 2]| {
        let mut report = open("");
        let orders = orders.iter().map(|order| format!("{order}\n"));
        let orders = format!("{header}\n{}", orders.collect::<String>());
        add(&mut report, "kind=orders", &orders, 1_000).unwrap();
        let rows = [1, 2].map(|id| {
            let click = clicks[id as usize - 1];
            row(id, "SUB-7").replace(
                "\"unique_id\"",
                &format!("\"click_id\":\"{click}\",\"unique_id\""),
            )
        });
        add(&mut report, "kind=conversions", &rows.join("\n"), 1_000).unwrap();
        reconcile(&mut report).unwrap();
        corrections(&mut report, "")
    };
    let rest = "22.00,approved";
    let days = ["2026-06-03 10:00:00", "2026-06-10 10:00:00"];
    for (header, ids) in [
        ("order_id,click_id", ["SUB-7,c1", "SUB-7,c1"]),
        ("order_id,click_id", ["SUB-7,c1", "SUB-7,"]),
        (
            "unique_id,order_id,click_id",
            ["U1,SUB-7,c1", "U1,SUB-7,c1"],
        ),
        (
            "unique_id,order_id,click_id",
            ["SUB-7,SUB-7,", "SUB-7,SUB-7,"],
        ),
    ] {
        let header = format!("{header},date,revenue,status");
        let orders = [0, 1].map(|index| format!("{},{},{rest}", ids[index], days[index]));
        let orders = orders.each_ref().map(String::as_str);
        for clicks in [["c1", "c1"], ["", ""], ["", "c1"]] {
            let found = fixes(&header, &orders, clicks);
            assert_eq!(found, ["orders_repeat_too"], "{ids:?} {clicks:?}");
        }
        assert_eq!(
            fixes(&header, &orders[..1], ["c1", "c1"]),
            ["2,,rejected,5,,FALSE 18.00"]
        );
    }
}
