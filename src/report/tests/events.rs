//! What the forwarder has of an order explains a missing sale, and is in no other row's way.

use super::pairs::corrections;
use super::*;

/// Rows of the report and its sums by offer, as JSON text.
fn answers(options: &str, orders: &str, conversions: Option<&str>, events: &str) -> Vec<String> {
    let mut report = open(options);
    let source = "kind=orders\ncolumn.kind=kind";
    add(&mut report, source, orders, 1_000).unwrap();
    if let Some(conversions) = conversions {
        add(&mut report, "kind=conversions", conversions, 1_000).unwrap();
    }
    add(&mut report, "kind=deliveries", events, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let rows = rows(&mut report, "").into_iter();
    let mut answers: Vec<String> = rows.map(|row| row.to_string()).collect();
    report.by_pair().unwrap();
    answers.push(report.answer.clone());
    for file in ["reject=unknown_to_advertiser", "file=upload\noffer=5"] {
        answers.extend(corrections(&mut report, file));
    }
    answers
}

#[test]
fn an_event_changes_no_row_but_a_missing_sales() {
    let conversions = format!(
        "[{},{}]",
        conversion(1, "701", "2026-06-12 10:00:00", "22", "2", "approved"),
        conversion(2, "702", "2026-06-12 10:00:00", "22", "2", "approved"),
    );
    for (row, class) in [
        ("2026-05-11 10:00:00,22.00,2.00,approved,", "outside_window"),
        ("2026-07-11 10:00:00,22.00,2.00,pending,", "outside_window"),
        ("2026-06-11 10:00:00,-22.00,,,", "refund_unclear"),
        ("2026-05-11 10:00:00,-22.00,,,", "outside_window"),
        ("2026-06-11 10:00:00,22.00,,approved,void", "refund_unclear"),
        ("2026-06-11 10:00:00,-22.00,,won,dispute", "refund"),
        ("2026-06-11 10:00:00,22.00,,failed,refund", "refund_unclear"),
        ("2026-06-11 10:00:00,-1.00,,,fee", "refund_unclear"),
    ] {
        let orders = format!(
            "unique_id,order_id,click_id,offer_id,date,revenue,payout,status,kind\nu1,1001,501,7,{row}\n"
        );
        for conversions in [Some(conversions.as_str()), None] {
            let options = "from=2026-06-01\nto=2026-06-30\nkeys=uniqueId,orderId,clickId";
            let other = "unique_id,order_id,click_id,state\nx,x,x,delivered\n";
            let expected = answers(options, &orders, conversions, other);
            assert!(
                expected[0].contains(&format!("\"{class}\"")),
                "{row} {expected:?}"
            );
            for key in ["unique_id", "order_id", "click_id"] {
                let id = match key {
                    "unique_id" => "u1",
                    "order_id" => "1001",
                    _ => "501",
                };
                for state in ["delivered", "pending", "dead", "refused", "in_doubt"] {
                    let events = format!("{key},state\n{id},{state}\n");
                    let found = answers(options, &orders, conversions, &events);
                    assert_eq!(found, expected, "{row} {key} {state}");
                }
            }
        }
    }
}
