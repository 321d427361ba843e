//! Two rows of one sale that contradict each other hold it back, and say why.

use super::pairs::corrections;
use super::*;

/// The class and the reasons of each order, where CAKE has the first order's sale or not; then the corrections or the
/// upload.
fn judged(options: &str, source: &str, files: &[String], is_at_cake: bool) -> Vec<String> {
    let mut report = open(options);
    for text in files {
        add(&mut report, &format!("kind=orders\n{source}"), text, 1_000).unwrap();
    }
    let id = if is_at_cake { "1" } else { "x" };
    let row = conversion(7, id, "2026-06-03 10:00:00", "22", "18", "approved");
    add(&mut report, "kind=conversions", &format!("[{row}]"), 1_000).unwrap();
    let result = reconcile(&mut report).unwrap();
    let classes = result["classes"].as_array().unwrap().iter();
    let orders: u64 = classes.map(|sum| sum["orders"].as_u64().unwrap()).sum();
    assert_eq!(orders, result["orders"].as_u64().unwrap());
    let mut found: Vec<String> = rows(&mut report, "")
        .iter()
        .filter(|row| row["order"].is_object())
        .map(|row| {
            let reasons = row["reasons"].as_array().unwrap().iter();
            let reasons = reasons.map(|reason| reason.as_str().unwrap());
            let mut line = row["class"].as_str().unwrap().to_owned();
            for reason in reasons.filter(|reason| *reason != "status_differs") {
                line = format!("{line} {reason}");
            }
            line
        })
        .collect();
    found.sort();
    let file = if is_at_cake {
        ""
    } else {
        "file=upload\noffer=5"
    };
    found.extend(corrections(&mut report, file));
    found
}

const HELD: [&str; 3] = [
    "duplicate_order rows_contradict",
    "missing_at_cake rows_contradict",
    "rows_contradict",
];
const HELD_AT_CAKE: [&str; 3] = [
    "duplicate_order rows_contradict",
    "refund_unclear rows_contradict",
    "rows_contradict",
];

fn woo(status: &str, total: &str) -> String {
    format!(
        "order_id,status,date,order_total,click_id\n1,{status},2026-06-03 10:00:00,{total},c1\n"
    )
}

#[test]
fn two_exports_that_tell_other_states_or_amounts_hold_the_sale_back() {
    for [first, second] in [
        [("processing", "22.00"), ("cancelled", "22.00")],
        [("processing", "22.00"), ("failed", "22.00")],
        [("on-hold", "22.00"), ("cancelled", "22.00")],
        [("completed", "22.00"), ("completed", "12.00")],
        [("completed", "22.00"), ("completed", "42.00")],
        [("on-hold", "22.00"), ("completed", "42.00")],
    ] {
        for order in [[first, second], [second, first]] {
            let files = order.map(|(status, total)| woo(status, total));
            let dialect = "dialect=woocommerce";
            let found = judged("", dialect, &files, true);
            assert_eq!(found, HELD_AT_CAKE, "{order:?}");
            let mut found = judged("", dialect, &files, false);
            if found.last().unwrap() == "not_approved" {
                found.pop();
                found.push(HELD[2].to_owned());
            }
            assert_eq!(found, HELD, "{order:?}");
        }
    }
}

#[test]
fn exports_that_agree_or_move_on_tell_one_sale() {
    for [first, second] in [
        [("completed", "22.00"), ("completed", "22.00")],
        [("on-hold", "22.00"), ("completed", "22.00")],
        [("processing", "22.00"), ("completed", "22.00")],
    ] {
        let files = [first, second].map(|(status, total)| woo(status, total));
        let found = judged("", "dialect=woocommerce", &files, true);
        assert_eq!(
            found,
            ["duplicate_order", "matched"],
            "{first:?} {second:?}"
        );
    }
}

#[test]
fn a_row_that_takes_the_sale_back_later_holds_it_back_and_an_earlier_try_does_not() {
    let options = "status.paid=approved\nstatus.refunded=reversed\nstatus.failed=rejected";
    let row = |date: &str, status: &str, click: &str, amount: &str| {
        format!("order_id,click_id,date,revenue,status\n1,{click},{date},{amount},{status}\n")
    };
    let paid = row("2026-06-03 10:00:00", "paid", "c1", "22.00");
    for (other, is_held) in [
        (row("2026-06-05 10:00:00", "refunded", "c1", "22.00"), true),
        (row("2026-06-03", "refunded", "c1", "22.00"), true),
        (row("", "failed", "c1", "22.00"), true),
        (row("2026-06-03 09:00:00", "failed", "c1", "12.00"), false),
        (row("2026-06-02", "failed", "c1", "22.00"), false),
        (row("2026-06-03 10:00:00", "paid", "c1", "12.00"), true),
        (row("2026-06-04 10:00:00", "paid", "c1", "12.00"), true),
        (row("2026-06-04 10:00:00", "paid", "c1", "22.00"), false),
        (row("2026-06-05 10:00:00", "refunded", "c9", "22.00"), true),
    ] {
        let found = judged(options, "", &[paid.clone(), other.clone()], true);
        if is_held {
            assert_eq!(found, HELD_AT_CAKE, "{other}");
            assert_eq!(
                judged(options, "", &[paid.clone(), other.clone()], false),
                HELD,
                "{other}"
            );
        } else {
            assert_eq!(found, ["duplicate_order", "matched"], "{other}");
        }
    }
    // With two clicks nobody knows which one brought the sale. CAKE's own row has the one that counts.
    let other = row("2026-06-04 10:00:00", "paid", "c9", "22.00");
    let files = [paid, other];
    assert_eq!(judged(options, "", &files, false), HELD);
    assert_eq!(
        judged(options, "", &files, true),
        ["duplicate_order", "matched"]
    );
}

#[test]
fn a_row_that_gave_the_sale_back_before_holds_it_back_and_a_failed_or_pending_try_does_not() {
    let options = "status.paid=approved\nstatus.refunded=reversed\nstatus.failed=rejected\n\
        status.cancelled=rejected\nstatus.chargeback=reversed\nstatus.open=pending";
    let file = |rows: &[&str]| {
        let rows = rows.join("\n");
        format!("order_id,click_id,date,revenue,status,refunded_amount\n{rows}\n")
    };
    let before = |words: &str| format!("1,c1,2026-06-01 10:00:00,22.00,{words}");
    let paid = "1,c1,2026-06-03 10:00:00,22.00,paid,";
    for (words, is_held) in [
        ("refunded,", true),
        ("returned,", true),
        ("reversed,", true),
        ("chargeback,", true),
        // The row's own refunds, in part and whole.
        ("paid,5.00", true),
        ("paid,22.00", true),
        ("open,5.00", true),
        ("failed,", false),
        ("cancelled,", false),
        ("rejected,", false),
        ("open,", false),
        ("paid,", false),
    ] {
        let other = before(words);
        for order in [[other.as_str(), paid], [paid, other.as_str()]] {
            let one = [file(&order)];
            let two = order.map(|row| file(&[row]));
            for files in [&one[..], &two] {
                let mut found = [true, false].map(|at_cake| judged(options, "", files, at_cake));
                let expected = if is_held {
                    [&HELD_AT_CAKE[..], &HELD[..]]
                } else {
                    found[1].pop();
                    [
                        &["duplicate_order", "matched"][..],
                        &["duplicate_order", "missing_at_cake"],
                    ]
                };
                assert_eq!(found, expected, "{words} {files:?}");
            }
        }
    }
    // The refund is the later one, and the first row stands.
    let files = [file(&[
        &before("paid,"),
        "1,c1,2026-06-03 10:00:00,22.00,paid,5.00",
    ])];
    let found = judged(options, "", &files, false);
    assert_eq!(found, HELD);
    // It does not say how much.
    let shopify = |date: &str, status: &str| {
        format!(
            "id,created_at,current_total_price,total_price,financial_status\n1,{date},22.00,22.00,{status}\n"
        )
    };
    let files = [
        shopify("2026-06-01 10:00:00", "paid"),
        shopify("2026-06-03 10:00:00", "partially_refunded"),
    ];
    let found = judged("", "dialect=shopify", &files, true);
    assert_eq!(found, HELD_AT_CAKE);
    // A pending row is no sale either that a refund before it leaves alone.
    let files = [file(&[
        &before("refunded,"),
        "1,c1,2026-06-03 10:00:00,22.00,open,",
    ])];
    let found = judged(options, "", &files, true);
    assert_eq!(found, HELD_AT_CAKE);
}

#[test]
fn a_sale_a_refund_and_a_sale_whose_times_do_not_tell_their_order_are_held() {
    const SAME: [&str; 3] = ["2026-06-10 10:00:00"; 3];
    const DAY: &str = "2026-06-10";
    const NEXT: &str = "2026-06-11";
    for ([sale, refund, again], is_held) in [
        (SAME, true),
        ([DAY; 3], true),
        ([DAY, NEXT, NEXT], true),
        ([DAY, "", DAY], true),
        ([DAY, "", NEXT], true),
        ([""; 3], true),
        ([DAY, NEXT, DAY], false),
    ] {
        let orders = format!(
            "unique_id,click_id,date,revenue,payout,status\n\
             1001,c1,{sale},22.00,18.00,approved\n1001,c1,{refund},-22.00,,\n1001,c1,{again},22.00,18.00,approved\n"
        );
        let row = conversion(1, "1001", "2026-06-10 10:00:03", "22", "18", "approved");
        for (rows, options) in [(row.as_str(), ""), ("", "file=upload\noffer=7")] {
            let mut report = open("");
            add(&mut report, "kind=orders", &orders, 1_000).unwrap();
            add(&mut report, "kind=conversions", &format!("[{rows}]"), 1_000).unwrap();
            reconcile(&mut report).unwrap();
            let found = corrections(&mut report, options);
            let held = ["refund_unclear", "rows_contradict"];
            let all_held = found.iter().all(|line| held.contains(&line.as_str()));
            assert_eq!(all_held, is_held, "{orders} {found:?}");
        }
    }
}
