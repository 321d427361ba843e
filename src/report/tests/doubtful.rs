//! CAKE has a sale several times, and the order does not say which of its rows stands.

use super::pairs::corrections;
use super::*;

/// The reconciliation of an order of 22.00, payout 10.00, beside these rows of CAKE's: more fields of each.
fn fixes(options: &str, currency: &str, rows: &[&str]) -> Vec<String> {
    let mut report = open(options);
    let orders = format!(
        "order_id,date,revenue,payout,status,currency\n1001,2026-06-20 10:00:00,22.00,10.00,approved,{currency}\n"
    );
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    let rows: Vec<String> = (1..)
        .zip(rows)
        .map(|(id, fields)| {
            format!(
                r#"{{"conversion_id":{id},"unique_id":"1001","offer_id":5,"conversion_date":"2026-06-20 10:0{id}:00","conversion_status":"approved"{fields}}}"#
            )
        })
        .collect();
    let rows = format!("[{}]", rows.join(","));
    add(&mut report, "kind=conversions", &rows, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    corrections(&mut report, "")
}

const EURO: &str = r#","revenue":20.00,"payout":9.00,"currency":"EUR""#;
const DOLLAR: &str = r#","revenue":22.00,"payout":10.00,"currency":"USD""#;
const OTHER_DOLLAR: &str = r#","revenue":21.00,"payout":9.00,"currency":"USD""#;
const NONE: &str = r#","revenue":22.00,"payout":10.00"#;

#[test]
fn a_row_in_the_orders_currency_is_not_rejected_beside_one_in_another() {
    const HELD: [&str; 2] = ["currency_differs", "rows_contradict"];
    let usd = "currency=USD";
    assert_eq!(fixes(usd, "USD", &[EURO, DOLLAR]), HELD);
    // Of two currencies, the order's own is as good as an amount; one that is not named may be the order's.
    assert_eq!(fixes(usd, "USD", &[EURO, OTHER_DOLLAR]), HELD);
    assert_eq!(fixes(usd, "USD", &[EURO, NONE]), HELD);
    assert_eq!(
        fixes(usd, "USD", &[EURO, EURO, DOLLAR]),
        ["currency_differs", "rows_contradict", "rows_contradict"]
    );
    // The one that stands is the order's; or none is.
    assert_eq!(
        fixes(usd, "USD", &[DOLLAR, EURO]),
        ["2,,rejected,5,,FALSE 9.00"]
    );
    assert_eq!(
        fixes(usd, "USD", &[EURO, EURO]),
        ["currency_differs", "2,,rejected,5,,FALSE 9.00"]
    );
}

#[test]
fn a_row_in_the_accounts_currency_is_not_rejected_where_the_order_names_none() {
    const EURO_ALIKE: &str = r#","revenue":22.00,"payout":10.00,"currency":"EUR""#;
    let usd = "currency=USD";
    for first in [EURO, EURO_ALIKE] {
        for second in [DOLLAR, NONE, OTHER_DOLLAR] {
            let found = fixes(usd, "", &[first, second]);
            assert!(!found.is_empty(), "{first} {second}");
            assert!(
                found.iter().all(|line| line == "rows_contradict"),
                "{first} {second} {found:?}"
            );
        }
    }
    // The one that stands is in the account's currency.
    assert_eq!(
        fixes(usd, "", &[DOLLAR, EURO_ALIKE]),
        ["2,,rejected,5,,FALSE 10.00"]
    );
    // Nothing names the order's currency.
    assert_eq!(fixes("", "", &[EURO_ALIKE, DOLLAR]), ["rows_contradict"]);
    assert_eq!(fixes("", "", &[DOLLAR, EURO_ALIKE]), ["rows_contradict"]);
    // Two rows in one currency are one sale twice.
    assert_eq!(
        fixes(usd, "", &[EURO_ALIKE; 2]),
        ["2,,rejected,5,,FALSE 10.00"]
    );
    assert_eq!(
        fixes("", "", &[EURO_ALIKE; 2]),
        ["2,,rejected,5,,FALSE 10.00"]
    );
}

#[test]
fn a_row_that_agrees_is_not_rejected_beside_one_without_money() {
    const BARE: &str = "";
    const REVENUE: &str = r#","revenue":22.00"#;
    const OTHER: &str = r#","revenue":20.00,"payout":9.00"#;
    assert_eq!(fixes("", "", &[BARE, NONE]), ["rows_contradict"]);
    assert_eq!(fixes("", "", &[BARE, REVENUE]), ["rows_contradict"]);
    assert_eq!(fixes("", "", &[BARE, OTHER, NONE]), ["rows_contradict"; 2]);
    // The one that stands agrees as far as it says anything; or no row agrees.
    assert_eq!(
        fixes("", "", &[REVENUE, NONE]),
        ["2,,rejected,5,,FALSE 10.00"]
    );
    assert_eq!(fixes("", "", &[BARE, OTHER]), ["2,,rejected,5,,FALSE 9.00"]);
}

#[test]
fn rows_that_add_up_to_the_order_are_found_in_any_order() {
    const FIRST: &str = r#","revenue":10.00,"payout":5.00"#;
    const PART: &str = r#","revenue":6.00,"payout":2.50"#;
    const MORE: &str = r#","revenue":20.00,"payout":9.00"#;
    for others in [[PART, PART, MORE], [PART, MORE, PART], [MORE, PART, PART]] {
        let [one, two, three] = others;
        let found = fixes("", "", &[FIRST, one, two, three]);
        assert_eq!(found, ["rows_contradict"; 4], "{others:?}");
    }
}
