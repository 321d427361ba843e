//! What flags, dates and kinds say of an order, in the words that spreadsheets, databases and shops write.

use super::refunds::{of, told};
use super::*;

const JUNE: &str = "from=2026-06-01\nto=2026-06-30\nzone=0:0\ncurrency=USD";

const WHOLE: &str = "revenue_differs revenue_differs status_differs refunded, refund";

/// CAKE's row of a sale of 22.00.
fn at_cake(id: &str) -> String {
    conversion(1, id, "2026-06-03 10:00:00", "22.00", "18.00", "approved")
}

/// Orders with a click: each row's id, day, amount and what else is in it.
fn orders(last: &str, rows: &[(&str, u32, &str, &str)]) -> String {
    let mut text = format!("unique_id,click_id,date,revenue,status,{last}\n");
    for (id, day, amount, cell) in rows {
        text += &format!("{id},c1,2026-06-{day:02} 10:00:00,{amount},,{cell}\n");
    }
    text
}

#[test]
fn only_a_date_or_a_yes_cancels_an_order() {
    const NOTHING: [&str; 20] = [
        "",
        "NULL",
        "null",
        "\\N",
        "0",
        "false",
        "FALSE",
        "FALSCH",
        "no",
        "n",
        "-",
        "N/A",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "1970-01-01 00:00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31",
        "НЕТ",
        "01/01/1970",
        "#N/A",
    ];
    const DATES: [&str; 8] = [
        "2026-06-04",
        "2026-06-04 10:00:00",
        "2026-06-04T10:00:00Z",
        "04/06/2026",
        "1780567200",
        "46177",
        "TRUE",
        "WAHR",
    ];
    for (options, column) in [
        ("", "cancelled_at"),
        ("", "Canceled At"),
        ("column.cancelled=storno", "storno"),
    ] {
        for cell in NOTHING {
            let file = orders(column, &[("1001", 3, "22.00", cell)]);
            let [found, fix, _] = told(&mut of(JUNE, &[(options, &file)], &at_cake("1001")));
            assert_eq!(
                [found.as_str(), fix.as_str()],
                ["matched", ""],
                "{column} {cell}"
            );
        }
        for cell in DATES {
            let file = orders(column, &[("1001", 3, "22.00", cell)]);
            let [found, fix, _] = told(&mut of(JUNE, &[(options, &file)], &at_cake("1001")));
            assert_eq!(found, "status_differs status_differs", "{column} {cell}");
            assert!(fix.contains("reversed"), "{cell} {fix}");
        }
        for cell in ["maybe", "customer", "until 2026-06-04", "7", "unknown"] {
            let file = orders(column, &[("1001", 3, "22.00", cell)]);
            let [found, fix, upload] = told(&mut of(JUNE, &[(options, &file)], &at_cake("1001")));
            assert!(
                found.ends_with("unreadable word"),
                "{column} {cell}: {found}"
            );
            assert_eq!([fix.as_str(), upload.as_str()], ["", ""], "{cell}");
        }
    }
    for value in ["false", "0", "null", "\"\"", "\"0000-00-00\""] {
        let file = format!(
            r#"[{{"unique_id":"1001","date":"2026-06-03 10:00:00","revenue":"22.00","cancelled_at":{value}}}]"#
        );
        let [found, ..] = told(&mut of(JUNE, &[("", &file)], &at_cake("1001")));
        assert_eq!(found, "matched", "{value}");
        let file = format!(
            r#"[{{"name":"1001","created_at":"2026-06-03T10:00:00Z","currency":"USD","total_price":"22.00","financial_status":"paid","cancelled_at":{value}}}]"#
        );
        let [found, ..] = told(&mut of(
            JUNE,
            &[("dialect=shopify", &file)],
            &at_cake("1001"),
        ));
        assert_eq!(found, "matched", "{value}");
    }
}

#[test]
fn a_word_for_nothing_is_no_time_of_payment() {
    for (cell, expected) in [
        ("", "c1"),
        ("NULL", "c1"),
        ("0000-00-00 00:00:00", "c1"),
        ("1970-01-01", "c1"),
        ("-", "c1"),
        ("2026-06-03 11:00:00", "c1"),
        ("later", "at_the_border"),
    ] {
        let file = orders("paid_at", &[("1001", 3, "22.00", cell)]);
        let cake = at_cake("1").replace("2026-06-03", "2026-06-20");
        let [_, _, upload] = told(&mut of(JUNE, &[("", &file)], &cake));
        assert!(upload.starts_with(expected), "{cell}: {upload}");
    }
}

#[test]
fn a_test_is_known_in_the_words_of_spreadsheets_and_an_unknown_word_is_told() {
    for (cell, expected) in [
        ("WAHR", "test_order test_order"),
        ("VRAI", "test_order test_order"),
        ("WAAR", "test_order test_order"),
        ("VERDADERO", "test_order test_order"),
        ("Y", "test_order test_order"),
        ("x", "test_order test_order"),
        ("ja", "test_order test_order"),
        ("Sandbox", "test_order test_order"),
        ("FALSCH", "missing_at_cake"),
        ("-", "missing_at_cake"),
        ("live", "missing_at_cake"),
        ("perhaps", "unreadable word"),
    ] {
        let file = orders("is_test", &[("1001", 3, "22.00", cell)]);
        let [found, ..] = told(&mut of(JUNE, &[("", &file)], "[]"));
        assert_eq!(found, expected, "{cell}");
    }
    for (column, cell, expected) in [
        ("Mode", "Live", "matched"),
        ("Mode", "TEST MODE", "test_order test_order"),
        ("Mode", "Sandbox", "test_order test_order"),
        ("Mode", "Livemodus", "unreadable word"),
        ("Captured", "TRUE", "matched"),
        ("Captured", "WAHR", "matched"),
        ("Captured", "", "matched"),
        ("Captured", "FALSE", "status_differs status_differs"),
        ("Captured", "FALSCH", "status_differs status_differs"),
        ("Captured", "FAUX", "status_differs status_differs"),
        ("Captured", "no", "status_differs status_differs"),
        ("Captured", "0", "status_differs status_differs"),
        ("Captured", "later", "unreadable word"),
        ("Disputed", "FALSCH", "matched"),
        ("Disputed Amount", "0.00", "matched"),
        ("Disputed", "WAHR", "refund_unclear refund_unclear"),
        ("Disputed Amount", "22.00", "refund_unclear refund_unclear"),
    ] {
        let file = format!(
            "id,Created (UTC),Amount,Currency,{column},Status,PaymentIntent ID\nch_1,2026-06-03 10:00,22.00,usd,{cell},Paid,1001\n"
        );
        let [found, ..] = told(&mut of(
            JUNE,
            &[("dialect=stripe", &file)],
            &at_cake("1001"),
        ));
        let found = found.replace("unknown_to_advertiser, ", "");
        assert_eq!(found, expected, "{column} {cell}");
    }
}

#[test]
fn what_stripe_has_taken_of_a_charge_counts() {
    for (fields, expected) in [
        (
            r#""captured":true,"amount_captured":2200,"amount_refunded":0,"refunded":false,"paid":true"#,
            "matched",
        ),
        // A part was captured. Stripe may count the rest among the refunds.
        (
            r#""captured":true,"amount_captured":1500,"amount_refunded":0"#,
            "revenue_differs 15.00",
        ),
        (r#""amount_captured":1500"#, "revenue_differs 15.00"),
        (
            r#""captured":true,"amount_captured":1500,"amount_refunded":700"#,
            "revenue_differs 15.00",
        ),
        (
            r#""captured":true,"amount_captured":1500,"amount_refunded":300"#,
            "revenue_differs 12.00",
        ),
        (
            r#""captured":true,"amount_captured":1500,"amount_refunded":900"#,
            "refund_unclear",
        ),
        (
            r#""captured":true,"amount_captured":1500,"amount_refunded":2200"#,
            "revenue_differs 0.00",
        ),
        (
            r#""captured":true,"amount_captured":2200,"amount_refunded":700"#,
            "revenue_differs 15.00",
        ),
        (
            r#""captured":false,"amount_captured":0,"amount_refunded":0"#,
            "status_differs",
        ),
        (r#""amount_captured":0"#, "status_differs"),
        (r#""captured":0"#, "status_differs"),
        (r#""paid":false"#, "status_differs"),
        (r#""paid":0"#, "status_differs"),
        (r#""refunded":true"#, "refund_unclear"),
        (r#""refunded":1"#, "refund_unclear"),
        (
            r#""refunded":true,"amount_captured":2200"#,
            "refund_unclear",
        ),
        (
            r#""refunded":true,"amount_refunded":2200"#,
            "revenue_differs 0.00",
        ),
        (r#""refunded":false"#, "matched"),
        (r#""livemode":0"#, "test_order"),
        (r#""livemode":1"#, "matched"),
    ] {
        let file = format!(
            r#"{{"object":"list","data":[{{"id":"ch_1","object":"charge","amount":2200,"created":1780480800,"currency":"usd","payment_intent":"1001","status":"succeeded",{fields}}}]}}"#
        );
        let mut report = of(JUNE, &[("dialect=stripe", &file)], &at_cake("1001"));
        let [found, ..] = told(&mut report);
        let found = found.replace("unknown_to_advertiser, ", "");
        let (class, revenue) = expected.split_once(' ').unwrap_or((expected, ""));
        assert!(found.starts_with(class), "{fields}: {found}");
        if !revenue.is_empty() {
            let listed = rows(&mut report, "");
            let order = &listed[0]["order"];
            let net = [&order["net"]["revenue"], &order["revenue"]];
            assert!(
                net.iter().any(|amount| **amount == revenue),
                "{fields}: {order}"
            );
        }
    }
}

#[test]
fn a_kind_that_is_no_sale_is_never_uploaded() {
    for kind in [
        "Reversal",
        "Void",
        "Storno",
        "Authorization",
        "Cancel",
        "Gutschrift",
        "Rückerstattung",
        "Retoure",
        "Remboursement",
        "Avoir",
        "Reembolso",
        "Rimborso",
        "返金",
        "Withdrawal",
        "Fee",
        "Payout",
        "Payment Hold",
        "Payment Release",
        "Refund",
    ] {
        for options in ["", "column.kind=type"] {
            let alone = orders("type", &[("1001", 3, "22.00", kind)]);
            let [found, _, upload] = told(&mut of(JUNE, &[(options, &alone)], "[]"));
            assert!(found.starts_with("refund_unclear"), "{kind}: {found}");
            assert_eq!(upload, "", "{kind}");
            // After its sale, it takes the sale back or leaves open what remains.
            let both = orders(
                "type",
                &[("1001", 3, "22.00", "Sale"), ("1001", 4, "22.00", kind)],
            );
            let [found, _, upload] = told(&mut of(JUNE, &[(options, &both)], "[]"));
            assert!(found.ends_with("refund"), "{kind}: {found}");
            assert!(
                ["refunded", "refund_unclear"].contains(&upload.as_str()),
                "{kind}: {upload}"
            );
        }
    }
    for kind in [
        "",
        "sale",
        "simple",
        "subscription",
        "online",
        "web",
        "bank_transfer",
        "Coffee",
        "Reversible jacket",
    ] {
        let file = orders("type", &[("1001", 3, "22.00", kind)]);
        let [found, _, upload] = told(&mut of(JUNE, &[("", &file)], "[]"));
        assert_eq!(found, "missing_at_cake", "{kind}");
        assert!(upload.starts_with("c1"), "{kind}: {upload}");
    }
    // A payout without a key is of no sale, and holds none back.
    let file =
        orders("type", &[("1001", 3, "22.00", "Sale")]) + ",,2026-06-04 10:00:00,500.00,,Payout\n";
    let [found, _, upload] = told(&mut of(JUNE, &[("", &file)], "[]"));
    assert_eq!(found, "missing_at_cake, no_key");
    assert!(upload.starts_with("c1"), "{upload}");
}

#[test]
fn a_sale_that_comes_again_after_its_refund_is_held() {
    let held = |found: &str| found.contains("rows_contradict") || found.contains("refund_unclear");
    for rows in [
        vec![
            ("1001", 10, "22.00", "Sale"),
            ("1001", 11, "-22.00", "Sale"),
            ("1001", 12, "22.00", "Sale"),
        ],
        vec![
            ("1001", 12, "22.00", "Sale"),
            ("1001", 11, "-22.00", "Sale"),
            ("1001", 10, "22.00", "Sale"),
        ],
        vec![("1001", 11, "-22.00", ""), ("1001", 12, "22.00", "")],
        vec![
            ("1001", 10, "22.00", "Payment"),
            ("1001", 11, "-22.00", "Payment Hold"),
            ("1001", 12, "22.00", "Payment Release"),
        ],
        vec![
            ("1001", 10, "22.00", "Payment"),
            ("1001", 11, "-22.00", "Payment Hold"),
        ],
        vec![
            ("1001", 10, "22.00", "Sale"),
            ("1001", 11, "-22.00", "Refund"),
            ("1001", 12, "22.00", "Refund"),
        ],
        vec![
            ("1001", 10, "22.00", "Sale"),
            ("1001", 11, "22.00", "Refund"),
            ("1001", 12, "-22.00", "Refund"),
        ],
        vec![("1001", 10, "22.00", "Sale"), ("1001", 11, "-0.94", "Fee")],
        vec![
            ("1001", 10, "22.00", "Payment"),
            ("1001", 11, "-22.00", "Payment Reversal"),
            ("1001", 12, "22.00", "Cancellation of Reversal"),
        ],
        vec![
            ("1001", 10, "22.00", "Sale"),
            ("1001", 11, "-22.00", "Sale"),
            ("1001", 12, "30.00", "Sale"),
        ],
    ] {
        let file = orders("type", &rows);
        for (file, keys) in [
            (file.clone(), ""),
            (file.clone(), "keys=orderId,uniqueId,clickId"),
            // By a key of a later pass.
            (
                file.replace("unique_id,", "unique_id,order_id,")
                    .replace("1001,", ",1001,"),
                "",
            ),
            // A time without its hour, and no time at all.
            (file.replace(" 10:00:00", ""), ""),
        ] {
            let options = format!("{JUNE}\n{keys}");
            let cake =
                at_cake("1001").replace("\"offer_id\"", "\"order_id\":\"1001\",\"offer_id\"");
            let [found, fix, _] = told(&mut of(&options, &[("", &file)], &cake));
            assert!(held(&found), "{file} {found}");
            assert!(
                fix.split(' ')
                    .all(|line| ["refund_unclear", "rows_contradict", ""].contains(&line)),
                "{file} {fix}"
            );
            let [_, _, upload] = told(&mut of(&options, &[("", &file)], "[]"));
            assert!(!upload.contains("c1"), "{file} {upload}");
        }
    }
}

#[test]
fn a_refund_after_all_rows_of_its_sale_is_taken_off() {
    for (rows, expected) in [
        // Two exports of the sale, and its refund.
        (
            vec![
                ("1001", 10, "22.00", ""),
                ("1001", 10, "22.00", ""),
                ("1001", 11, "-22.00", ""),
            ],
            WHOLE,
        ),
        (
            vec![
                ("1001", 9, "22.00", ""),
                ("1001", 10, "22.00", ""),
                ("1001", 11, "-22.00", ""),
            ],
            WHOLE,
        ),
        (
            vec![
                ("1001", 10, "22.00", ""),
                ("1001", 11, "11.00", "Refund"),
                ("1001", 12, "11.00", "Refund"),
            ],
            WHOLE,
        ),
        (
            vec![
                ("1001", 10, "22.00", ""),
                ("1001", 11, "-11.00", "Refund"),
                ("1001", 12, "-11.00", "Refund"),
            ],
            WHOLE,
        ),
    ] {
        let file = orders("type", &rows);
        let [found, fix, _] = told(&mut of(JUNE, &[("", &file)], &at_cake("1001")));
        let found = found
            .replace(", duplicate_order", "")
            .replace(", refund, refund", ", refund");
        assert_eq!(found, expected, "{file}");
        assert!(fix.contains("reversed"), "{fix}");
    }
}

#[test]
fn an_event_in_doubt_is_no_plain_no() {
    let file = orders("x", &[("1001", 3, "22.00", "")]);
    let event = |state: &str, doubt: &str| {
        format!(
            r#"{{"uniqueId":"1001","state":"{state}"{doubt},"acceptedAt":"2026-06-03T10:00:00Z"}}"#
        )
    };
    let doubtful = |state| event(state, r#","isInDoubt":true"#);
    for (events, reason, upload) in [
        (vec![event("dead", "")], "dead", "c1"),
        (vec![event("dead", r#","isInDoubt":false"#)], "dead", "c1"),
        (vec![doubtful("dead")], "in_doubt", "the_forwarder_holds_it"),
        (
            vec![doubtful("refused")],
            "in_doubt",
            "the_forwarder_holds_it",
        ),
        (
            vec![doubtful("cancelled")],
            "in_doubt",
            "the_forwarder_holds_it",
        ),
        (vec![doubtful("pending")], "pending", "the_forwarder_has_it"),
        (
            vec![event("cancelled", "")],
            "cancelled",
            "the_forwarder_holds_it",
        ),
        // Beside one that failed for certain.
        (
            vec![event("dead", ""), doubtful("refused")],
            "in_doubt",
            "the_forwarder_holds_it",
        ),
        (
            vec![event("refused", ""), event("cancelled", "")],
            "cancelled",
            "the_forwarder_holds_it",
        ),
        (
            vec![doubtful("dead"), event("delivered", "")],
            "delivered_but_not_reported",
            "the_forwarder_has_it",
        ),
    ] {
        let mut report = open(JUNE);
        add(&mut report, "kind=orders", &file, 1_000).unwrap();
        add(
            &mut report,
            "kind=deliveries",
            &format!("[{}]", events.join(",")),
            1_000,
        )
        .unwrap();
        add(&mut report, "kind=conversions", "[]", 1_000).unwrap();
        reconcile(&mut report).unwrap();
        let [found, _, told] = told(&mut report);
        assert_eq!(found, format!("missing_at_cake {reason}"), "{events:?}");
        assert!(told.starts_with(upload), "{events:?}: {told}");
    }
}
