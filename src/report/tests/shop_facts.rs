//! What shops' and payment providers' files say of an order beside its amount.

use super::refunds::{of, told};
use super::*;

const JUNE: &str = "from=2026-06-01\nto=2026-06-30\nzone=0:0\ncurrency=USD";

/// A sale whose refund has taken it back whole.
const WHOLE: &str = "revenue_differs revenue_differs status_differs refunded, refund";

/// CAKE's row of a sale of 22.00.
fn at_cake(id: &str) -> String {
    conversion(1, id, "2026-06-03 10:00:00", "22.00", "18.00", "approved")
}

#[test]
fn a_value_that_is_an_object_or_a_list_is_unreadable_in_every_field() {
    for field in [
        r#""order_id":{"$numberLong":"1001"}"#,
        r#""order_id":["1001"]"#,
        r#""order_id":{"is_test":true}"#,
        r#""order_id":{"$numberLong":"1001"},"id":77"#,
        r#""id":{"$oid":"1001"}"#,
        r#""order_id":"1001","offer_id":{"id":9}"#,
        r#""order_id":"1001","currency":["USD"]"#,
        r#""order_id":"1001","type":{"name":"refund"}"#,
        r#""order_id":"1001","refunded_amount":{"sum":"22.00"}"#,
        r#""order_id":"1001","cancelled_at":{"$date":"2026-06-04"}"#,
        r#""order_id":"1001","payout":[18],"commission":"18.00""#,
    ] {
        let row = format!(
            r#"[{{"revenue":"22.00","date":"2026-06-03 10:00:00","click_id":"c1","status":"approved",{field}}}]"#
        );
        let mut report = of(JUNE, &[("", &row)], &at_cake("other"));
        let [found, _, upload] = told(&mut report);
        assert!(found.ends_with("unreadable nested"), "{field}: {found}");
        assert_eq!(upload, "", "{field}");
    }
    // An object that is no value of the row: the row has its key.
    for field in [
        r#""_id":{"$oid":"x"}"#,
        r#""order":{"items":[1]}"#,
        r#""order_id":[],"type":{}"#,
    ] {
        let row = format!(
            r#"[{{"revenue":"22.00","date":"2026-06-03 10:00:00","unique_id":"1001","status":"approved",{field}}}]"#
        );
        let [found, ..] = told(&mut of(JUNE, &[("", &row)], &at_cake("1001")));
        assert_eq!(found, "matched", "{field}");
    }
}

#[test]
fn a_list_of_refunds_holds_refunds_and_no_sales() {
    let sale = r#"{"order_id":"1001","revenue":"22.00","date":"2026-06-03 10:00:00","click_id":"c1","status":"approved"}"#;
    let refund =
        r#"{"order_id":"1001","revenue":"22.00","date":"2026-06-05 10:00:00","click_id":"c1"}"#;
    for list in ["refunds", "Returns"] {
        let file = format!(r#"{{"orders":[{sale}],"{list}":[{refund}]}}"#);
        let [found, fix, upload] = told(&mut of(JUNE, &[("", &file)], &at_cake("other")));
        assert_eq!(
            (found.as_str(), upload.as_str()),
            ("missing_at_cake, refund, unknown_to_advertiser", "refunded"),
            "{list}"
        );
        assert_eq!(fix, "", "{list}");
        let [found, fix, _] = told(&mut of(JUNE, &[("", &file)], &at_cake("1001")));
        assert_eq!(found, WHOLE, "{list}");
        assert!(fix.contains("reversed"), "{fix}");
        // Alone, it has no sale to correct.
        let file = format!(r#"{{"{list}":[{refund}]}}"#);
        let [found, fix, upload] = told(&mut of(JUNE, &[("", &file)], &at_cake("1001")));
        assert!(found.starts_with("refund_unclear no_sale"), "{found}");
        assert_eq!([fix.as_str(), upload.as_str()], ["", ""]);
        for kind in ["conversions", "deliveries", "clicks"] {
            let error = add(&mut open(JUNE), &format!("kind={kind}"), &file, 50).unwrap_err();
            assert_eq!(error.code(), "unreadable_file", "{kind}");
        }
    }
}

#[test]
fn a_row_says_what_kind_of_money_it_takes_back() {
    for (kind, status, expected) in [
        ("refund", "", WHOLE),
        ("chargeback", "", WHOLE),
        ("Charge-Back", "", WHOLE),
        ("return", "", WHOLE),
        ("dispute", "lost", WHOLE),
        ("dispute", "won", "matched"),
        ("dispute", "warning_closed", "matched"),
        ("dispute", "under_review", "refund_unclear"),
        ("dispute", "", "refund_unclear"),
        ("dispute_reversal", "available", "refund_unclear"),
        ("refund_failure", "available", "refund_unclear"),
        ("refund", "failure", "refund_unclear"),
        ("Payment Refund", "Denied", "refund_unclear"),
        // What has the word of a refund, and the opposite or something else beside it, is held.
        ("RefundedReversed", "", "refund_unclear"),
        ("ChargebackReversed", "", "refund_unclear"),
        ("CHARGEBACK_REVERSED", "", "refund_unclear"),
        ("Chargeback Reversal", "", "refund_unclear"),
        ("RefundFailed", "", "refund_unclear"),
        ("REFUND_FAILED", "", "refund_unclear"),
        ("REFUND_WITH_DATA_FAILED", "", "refund_unclear"),
        ("chargeback won", "", "refund_unclear"),
        ("Canceled Refund", "", "refund_unclear"),
        ("refund_cancelled", "", "refund_unclear"),
        ("refund voided", "", "refund_unclear"),
        ("returned-refund", "", "refund_unclear"),
        ("refund_declined", "", "refund_unclear"),
        ("chargeback representment", "", "refund_unclear"),
        ("Chargeback recovered", "", "refund_unclear"),
        ("NOTIFICATION_OF_CHARGEBACK", "", "refund_unclear"),
        ("refund requested", "", "refund_unclear"),
        ("chargeback inquiry", "", "refund_unclear"),
        ("Release of chargeback hold", "", "refund_unclear"),
        ("Non-refundable", "", "refund_unclear"),
        ("Fee Refund", "", "refund_unclear"),
        ("Refund Protection", "", "refund_unclear"),
        // Names of refunds and chargebacks that take money.
        ("Payment Refund", "Completed", WHOLE),
        ("partial_refund", "", WHOLE),
        ("SentForRefund", "", WHOLE),
        ("Refunded", "", WHOLE),
        ("charge.refunded", "", WHOLE),
        ("SECOND_CHARGEBACK", "", WHOLE),
        ("chargeback lost", "", WHOLE),
        ("Return refund", "", WHOLE),
    ] {
        let file = format!(
            "unique_id,date,revenue,status,type\n1001,2026-06-03 10:00:00,22.00,approved,sale\n1001,2026-06-05 10:00:00,22.00,{status},{kind}\n"
        );
        let [found, ..] = told(&mut of(JUNE, &[("", &file)], &at_cake("1001")));
        assert!(found.starts_with(expected), "{kind} {status}: {found}");
    }
}

#[test]
fn a_row_that_says_a_part_was_given_back_and_takes_nothing_off_is_unclear() {
    let row = |fields: &str| {
        format!(
            r#"{{"orders":[{{"id":1,"name":"1001","created_at":"2026-06-03T10:00:00Z","currency":"USD","financial_status":"partially_refunded",{fields}}}]}}"#
        )
    };
    for (options, fields, expected) in [
        ("", r#""total_price":"22.00""#, "refund_unclear"),
        (
            "",
            r#""total_price":"22.00","current_total_price":"22.00""#,
            "refund_unclear",
        ),
        (
            "",
            r#""total_price":"22.00","current_total_price":"12.00""#,
            "revenue_differs",
        ),
        (
            "column.revenue=current_total_price",
            r#""total_price":"22.00","current_total_price":"22.00""#,
            "refund_unclear",
        ),
        (
            "column.revenue=current_total_price",
            r#""total_price":"32.00","current_total_price":"22.00""#,
            "matched",
        ),
        (
            "column.revenue=subtotal_price",
            r#""total_price":"30.00","current_total_price":"9.00","subtotal_price":"22.00","current_subtotal_price":"22.00""#,
            "refund_unclear",
        ),
        (
            "column.refunded=given",
            r#""total_price":"22.00","given":"0.00""#,
            "refund_unclear",
        ),
    ] {
        let file = row(fields);
        let options = format!("dialect=shopify\n{options}");
        let [found, fix, upload] = told(&mut of(JUNE, &[(&options, &file)], &at_cake("1001")));
        assert!(found.starts_with(expected), "{options} {fields}: {found}");
        if expected == "refund_unclear" {
            assert_eq!([fix.as_str(), upload.as_str()], ["refund_unclear", ""]);
        }
    }
    // Goods that cost nothing came back.
    let file = row(r#""total_price":"22.00","current_total_price":"22.00","refunds":[{"id":1}]"#)
        .replace("partially_refunded", "paid");
    let [found, ..] = told(&mut of(
        JUNE,
        &[("dialect=shopify", &file)],
        &at_cake("1001"),
    ));
    assert_eq!(found, "matched");
}

#[test]
fn woocommerce_refunds_take_back_the_order_that_they_name() {
    const WOO: &str = "dialect=woocommerce";
    let sale = "order_id,order_number,date,status,order_total,order_currency,click_id\n1001,1001,2026-06-03 10:00:00,completed,22.00,USD,c2\n";
    let numbered = |id: &str, number: &str| sale.replace("1001,1001,", &format!("{id},{number},"));
    for (files, expected) in [
        // The columns of Customer / Order / Coupon Export.
        (
            vec![
                "order_id,order_number,date,status,order_total,refunded_total,order_currency\n1001,1001,2026-06-03 10:00:00,completed,22.00,9.00,USD\n",
            ],
            "revenue_differs revenue_differs",
        ),
        // Those of Advanced Order Export.
        (
            vec![
                "Order Number,Parent Order Number,Order Type,Order Status,Order Date,Order Total Amount\n1001,,shop_order,completed,2026-06-03 10:00,22.00\n1040,1001,shop_order_refund,completed,2026-06-05 10:00,-9.00\n",
            ],
            "revenue_differs revenue_differs refunded, refund",
        ),
        (
            vec![
                "Order Number,Parent Order Number,Order Status,Order Date,Order Total Amount\n1001,0,completed,2026-06-03 10:00,22.00\n1040,1001,completed,2026-06-05 10:00,-22.00\n",
            ],
            WHOLE,
        ),
        // A part of an order that a marketplace has split is a sale.
        (
            vec![
                "Order Number,Parent Order Number,Order Status,Order Date,Order Total Amount\n1001,900,completed,2026-06-03 10:00,22.00\n",
            ],
            "matched",
        ),
        // The REST API's lists of refunds.
        (
            vec![
                sale,
                r#"[{"id":726,"parent_id":1001,"date_created":"2026-06-05T10:00:00","amount":"22.00","reason":"","refunded_by":1}]"#,
            ],
            WHOLE,
        ),
        (
            vec![
                sale,
                r#"[{"id":726,"parent_id":0,"date_created":"2026-06-05T10:00:00","amount":"22.00","reason":"","refunded_by":1}]"#,
            ],
            "matched, no_key",
        ),
        // Where a plugin numbers the orders, the refund's own id may be another order's number.
        (
            vec![
                &*numbered("1001", "2026-5"),
                r#"[{"id":726,"parent_id":1001,"date_created":"2026-06-05T10:00:00","amount":"22.00","reason":"","refunded_by":1}]"#,
            ],
            WHOLE,
        ),
        (
            vec![
                &*numbered("77", "1001"),
                "Order Number,Parent Order Number,Order Status,Order Date,Order Total Amount\n1002,1001,completed,2026-06-05 10:00,-22.00\n",
            ],
            WHOLE,
        ),
    ] {
        let listed: Vec<_> = files.iter().map(|file| (WOO, *file)).collect();
        let [found, ..] = told(&mut of(JUNE, &listed, &at_cake("1001")));
        assert_eq!(found.split(", unknown").next(), Some(expected), "{files:?}");
    }
}

#[test]
fn stripes_payment_intents_and_disputes_say_what_remains() {
    const STRIPE: &str = "dialect=stripe";
    let open = format!(
        "{JUNE}\nstatus.succeeded=approved\nstatus.requires_capture=pending\nstatus.lost=reversed"
    );
    let intent = |fields: &str| {
        format!(
            r#"{{"object":"list","has_more":false,"data":[{{"id":"1001","object":"payment_intent","amount":2200,"currency":"usd","created":1780480800,{fields}}}]}}"#
        )
    };
    let charge = r#"{"object":"list","data":[{"id":"ch_1","object":"charge","amount":2200,"amount_captured":2200,"amount_refunded":0,"captured":true,"created":1780480800,"currency":"usd","payment_intent":"1001","status":"succeeded"}]}"#;
    let dispute = |status: &str| {
        format!(
            r#"{{"object":"list","data":[{{"id":"dp_1","object":"dispute","amount":2200,"charge":"ch_1","payment_intent":"1001","created":1780567200,"currency":"usd","status":"{status}"}}]}}"#
        )
    };
    let refund = r#"{"object":"list","data":[{"id":"re_1","object":"refund","amount":2200,"charge":"ch_1","payment_intent":null,"created":1780567200,"currency":"usd","status":"succeeded"}]}"#;
    let whole = intent(r#""amount_received":2200,"status":"succeeded","latest_charge":"ch_1""#);
    for (files, expected) in [
        (vec![whole.clone()], "matched"),
        (vec![whole.clone(), refund.to_owned()], WHOLE),
        (
            vec![intent(r#""amount_received":1500,"status":"succeeded""#)],
            "revenue_differs",
        ),
        (
            vec![intent(r#""amount_received":0,"status":"requires_capture""#)],
            "status_differs",
        ),
        (
            vec![intent(
                r#""amount_received":2200,"status":"succeeded","latest_charge":{"id":"ch_1","object":"charge","amount_refunded":2200,"refunded":true,"disputed":false}"#,
            )],
            "revenue_differs revenue_differs status_differs",
        ),
        (
            vec![intent(
                r#""amount_received":2200,"status":"succeeded","latest_charge":{"id":"ch_1","object":"charge","amount_refunded":0,"disputed":true}"#,
            )],
            "refund_unclear",
        ),
        (
            vec![intent(
                r#""amount_received":2200,"status":"succeeded","latest_charge":{"id":"ch_1","amount_refunded":0,"disputed":false}"#,
            )],
            "matched",
        ),
        // Before 2022-11-15, an intent listed its charges, those that failed too.
        (
            vec![intent(
                r#""amount_received":2200,"status":"succeeded","charges":{"object":"list","data":[{"id":"ch_0","amount_refunded":0,"disputed":false,"refunds":{"data":[{"id":"re_1"}]}},{"id":"ch_1","amount_refunded":700,"disputed":false}]}"#,
            )],
            "revenue_differs",
        ),
        (
            vec![intent(
                r#""amount_received":2200,"status":"succeeded","charges":{"object":"list","data":[{"id":"ch_0","amount_refunded":0,"disputed":false},{"id":"ch_1","amount_refunded":0,"disputed":true}]}"#,
            )],
            "refund_unclear",
        ),
        (
            vec![intent(
                r#""amount_received":2200,"status":"succeeded","charges":{"object":"list","data":[{"id":"ch_0","amount_refunded":0,"disputed":false},{"id":"ch_1","amount_refunded":0,"disputed":false}]}"#,
            )],
            "matched",
        ),
        (vec![charge.to_owned(), dispute("lost")], WHOLE),
        (vec![charge.to_owned(), dispute("won")], "matched, refund"),
        (
            vec![charge.to_owned(), dispute("needs_response")],
            "refund_unclear refunded refund_unclear, refund",
        ),
    ] {
        let listed: Vec<_> = files.iter().map(|file| (STRIPE, file.as_str())).collect();
        let [found, ..] = told(&mut of(&open, &listed, &at_cake("1001")));
        let found = found.split(", unknown").next().unwrap();
        let is_expected = found == expected || found.starts_with(&format!("{expected} "));
        assert!(is_expected, "{files:?}: {found}");
    }
}

#[test]
fn a_stripe_file_says_its_units_or_is_refused() {
    const EXPORTED: &str = "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Status,PaymentIntent ID\n";
    const OLDER: &str = "id,Description,Created,Amount,Amount Refunded,Currency,Converted Amount,Mode,Status,PaymentIntent ID\n";
    for (head, row) in [
        (
            EXPORTED,
            "ch_1,2026-06-03 10:00,22.00,0.00,usd,TRUE,22.00,Paid,1001\n",
        ),
        (
            EXPORTED,
            "ch_1,2026-06-03 10:00,22,0,usd,TRUE,22,Paid,1001\n",
        ),
        (
            OLDER,
            "ch_1,,2026-06-03 10:00,22,0.00,usd,22,Live,Paid,1001\n",
        ),
    ] {
        let file = format!("{head}{row}");
        let [found, ..] = told(&mut of(
            JUNE,
            &[("dialect=stripe", &file)],
            &at_cake("1001"),
        ));
        assert_eq!(found, "matched", "{row}");
    }
    let plain = "id,amount,currency,created,status,payment_intent\nch_1,2200,usd,1780480800,succeeded,1001\nch_2,22.00,usd,1780480800,succeeded,1002\n";
    let error = add(&mut open(JUNE), "kind=orders\ndialect=stripe", plain, 50).unwrap_err();
    assert_eq!(error.code(), "ambiguous_file");
    for part in ["units", "line 2: 2200", "line 3: 22.00"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let options = "dialect=stripe\nunits=smallest";
    let [found, ..] = told(&mut of(JUNE, &[(options, plain)], &at_cake("1001")));
    assert_eq!(found, "matched, unreadable smallest_unit");
}

#[test]
fn test_orders_do_not_count_unless_the_caller_says_so() {
    for (dialect, test, sale) in [
        (
            "shopify",
            r#"[{"name":"1001","test":true,"created_at":"2026-06-03T10:00:00Z","financial_status":"paid","currency":"USD","total_price":"22.00"}]"#,
            r#""test":false"#,
        ),
        (
            "stripe",
            r#"[{"id":"ch_1","object":"charge","livemode":false,"amount":2200,"created":1780480800,"currency":"usd","payment_intent":"1001","status":"succeeded"}]"#,
            r#""livemode":true"#,
        ),
        (
            "stripe\nunits=major",
            "id,Created (UTC),Amount,Currency,Mode,Status,PaymentIntent ID\nch_1,2026-06-03 10:00,22.00,usd,Test,Paid,1001\n",
            "",
        ),
        (
            "simple",
            r#"[{"unique_id":"1001","is_test":"1","revenue":"22.00","date":"2026-06-03 10:00:00","status":"approved"}]"#,
            r#""is_test":"0""#,
        ),
    ] {
        let options = format!("dialect={dialect}");
        let mut report = of(JUNE, &[(&options, test)], "[]");
        let listed = rows(&mut report, "classes=test_order");
        assert_eq!(listed.len(), 1, "{dialect}");
        assert_eq!(listed[0]["reasons"][0], "test_order");
        let [found, _, upload] = told(&mut report);
        assert_eq!(
            [found.as_str(), upload.as_str()],
            ["test_order test_order", ""]
        );
        report.result().unwrap();
        let result: Value = serde_json::from_str(&report.answer).unwrap();
        assert_eq!(result["unreadable"], 0);
        assert_eq!(result["classes"][0]["class"], "test_order");
        report.understood();
        let understood: Value = serde_json::from_str(&report.answer).unwrap();
        assert_eq!(
            [&understood[0]["testOrders"], &understood[0]["unreadable"]],
            [1, 0]
        );
        let counted = format!("{options}\ntestOrders=true");
        let [found, ..] = told(&mut of(JUNE, &[(&counted, test)], &at_cake("1001")));
        assert_eq!(found, "matched", "{dialect}");
        let real = test
            .replace(r#""test":true"#, sale)
            .replace(r#""livemode":false"#, sale)
            .replace(r#""is_test":"1""#, sale)
            .replace(",Test,", ",Live,");
        let [found, ..] = told(&mut of(JUNE, &[(&options, &real)], &at_cake("1001")));
        assert_eq!(found, "matched", "{dialect}");
    }
}

#[test]
fn a_refused_file_says_what_to_do() {
    let row = r#"{"order_id":"1001","date":"2026-06-03","revenue":"22.00","status":"approved"}"#;
    for (options, text, part) in [
        (
            "column.orderId=order_id",
            format!(r#"{{"items":[{row}]}}"#),
            "list items",
        ),
        (
            "",
            format!(r#"{{"page":1,"Records":[{row}]}}"#),
            "list Records",
        ),
        (
            "",
            format!(
                r#"{{"data":{{"invoices":{{"edges":[{{"node":{row}}}],"pageInfo":{{"hasNextPage":false}}}}}}}}"#
            ),
            "list edges",
        ),
        (
            "column.orderId=order",
            r#"[{"a":1}]"#.to_owned(),
            "field order",
        ),
        ("", r#"[{"a":1}]"#.to_owned(), "declare `columns`"),
        (
            "dates=MM/DD/YYYY",
            "order_id,date\n1,06/03/26\n".to_owned(),
            "MM/DD/YY\"",
        ),
    ] {
        let options = format!("kind=orders\n{options}");
        let error = add(&mut open(JUNE), &options, &text, 50).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let file = "unique_id,date,revenue,status\n1001,06/03/26,22.00,approved\n";
    for (dates, expected) in [("MM/DD/YY", "matched"), ("DD/MM/YY", "outside_window")] {
        let mut report = of(JUNE, &[(&format!("dates={dates}"), file)], &at_cake("1001"));
        let [found, ..] = told(&mut report);
        assert!(found.starts_with(expected), "{dates}: {found}");
        report.understood();
        assert!(report.answer.contains(&format!("\"{dates}\"")));
    }
}
