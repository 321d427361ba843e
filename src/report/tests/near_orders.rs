//! A conversion whose id is nearly that of an order is not rejected as unknown, also where the order has found another one.

use super::pairs::corrections;
use super::*;

const REJECT: &str = "reject=unknown_to_advertiser,duplicate_conversion";

/// The corrections of orders and CAKE's rows: unique id, order id, click, offer, revenue and payout of each.
fn judged(orders: &[[&str; 6]], conversions: &[[&str; 6]]) -> Vec<String> {
    let mut report = open("keys=uniqueId,orderId,clickId");
    let rows = orders
        .iter()
        .map(|[unique, order, click, offer, revenue, payout]| {
            format!(
                "{unique},{order},{click},{offer},2026-06-12 10:00:00,{revenue},{payout},approved\n"
            )
        });
    let orders = format!(
        "unique_id,order_id,click_id,offer_id,date,revenue,payout,status\n{}",
        rows.collect::<String>()
    );
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    let rows = (1..).zip(conversions);
    let rows = rows.map(|(id, [unique, order, click, offer, revenue, payout])| {
        serde_json::json!({
            "conversion_id": id, "unique_id": unique, "order_id": order, "click_id": click, "offer_id": offer,
            "revenue": revenue, "payout": payout, "conversion_date": "2026-06-12 10:00:00", "disposition": "approved",
        })
    });
    let rows = Value::from(rows.collect::<Vec<_>>()).to_string();
    add(&mut report, "kind=conversions", &rows, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    corrections(&mut report, REJECT)
}

const ORDER: [&str; 6] = ["", "1001", "601", "7", "22.00", "2.00"];

fn cake(order: &'static str, click: &'static str, revenue: &'static str) -> [&'static str; 6] {
    let payout = match revenue {
        "22.00" => "2.00",
        _ => "1.00",
    };
    ["", order, click, "7", revenue, payout]
}

#[test]
fn a_part_of_a_sale_that_has_found_a_conversion_is_not_rejected() {
    for near in [
        "1001-1",
        "1001 (2)",
        "1001-R1",
        "1001_refund",
        "#1001",
        "01001",
        "1001,",
        "ord1001-1",
    ] {
        let click = if near.starts_with("ord") {
            "601"
        } else {
            "999"
        };
        let other = cake(near, click, "10.00");
        // The order's money is that of both.
        let found = judged(&[ORDER], &[cake("1001", "601", "12.00"), other]);
        assert_eq!(found, ["rows_contradict", "would_match"], "{near}");
        // The order agrees with the one that it has found.
        let found = judged(&[ORDER], &[cake("1001", "601", "22.00"), other]);
        assert_eq!(found, ["would_match"], "{near}");
        // It has found it by its click alone.
        let found = judged(&[ORDER], &[cake("", "601", "22.00"), other]);
        assert_eq!(found, ["would_match"], "{near}");
        // The order's other id, or the other way round.
        let unique = ["u1", "1001", "601", "7", "22.00", "2.00"];
        let of_unique = ["u1", "", "601", "7", "22.00", "2.00"];
        let found = judged(&[unique], &[of_unique, other]);
        assert_eq!(found, ["would_match"], "{near}");
        // A row repeats the order.
        let found = judged(&[ORDER, ORDER], &[cake("1001", "601", "12.00"), other]);
        assert_eq!(found, ["rows_contradict", "would_match"], "{near}");
    }
    // CAKE has the order's id as a unique id, beside the order's own one.
    let order = ["u1", "1001", "601", "7", "22.00", "2.00"];
    let rows = [
        ["u1", "", "601", "7", "12.00", "1.00"],
        ["1001", "", "999", "7", "10.00", "1.00"],
    ];
    assert_eq!(judged(&[order], &rows), ["rows_contradict", "would_match"]);
    // It is nearly the id of two orders: each may have it.
    let orders = [ORDER, ["", "#1001", "602", "7", "9.00", "2.00"]];
    let rows = [
        cake("1001", "601", "22.00"),
        cake("#1001", "602", "10.00"),
        cake("1001-1", "999", "10.00"),
    ];
    assert_eq!(judged(&orders, &rows), ["rows_contradict", "would_match"]);
    // The order is a part itself.
    let part = ["", "1001-1", "601", "7", "22.00", "2.00"];
    let found = judged(
        &[part],
        &[cake("1001-1", "601", "22.00"), cake("1001", "999", "22.00")],
    );
    assert_eq!(found, ["would_match"]);
}

#[test]
fn sales_of_their_own_are_corrected_and_rejected() {
    let part = ["", "1001-1", "602", "7", "10.00", "1.00"];
    let both = [cake("1001", "601", "12.00"), cake("1001-1", "602", "10.00")];
    // Each has its own conversion.
    let orders = [["", "1001", "601", "7", "12.00", "1.00"], part];
    assert_eq!(judged(&orders, &both), [""; 0]);
    assert_eq!(judged(&[ORDER, part], &both), ["1,,,7,2.00,FALSE 1.00"]);
    for other in [
        cake("1002", "999", "10.00"),
        cake("10011", "999", "10.00"),
        // Two shops may have one number.
        cake("b-1001", "999", "10.00"),
        // A click brings several sales.
        cake("2002", "601", "10.00"),
        ["", "1001-1", "999", "8", "10.00", "1.00"],
    ] {
        let found = judged(&[ORDER], &[cake("1001", "601", "12.00"), other]);
        let offer = other[3];
        let expected = [
            "1,,,7,2.00,FALSE 1.00".to_owned(),
            format!("2,,rejected,{offer},,FALSE 1.00"),
        ];
        assert_eq!(found, expected, "{other:?}");
    }
}
