//! Only what is owed is written to CAKE; and what a shop's row says about its refunds.

use super::pairs::corrections;
use super::refunds::{HEAD, SALE, at_cake, of, told};
use super::*;

#[test]
fn the_upload_has_what_is_owed_and_names_the_rest() {
    const ORDERS: &str = "order_id,click_id,date,revenue,payout,currency,status\n\
        1,k1,2026-06-02 10:00:00,22.00,18.00,,rejected\n\
        2,k2,2026-06-02 10:00:00,22.00,18.00,,reversed\n\
        3,k3,2026-06-02 10:00:00,22.00,18.00,,pending\n\
        4,k4,2026-06-02 10:00:00,22.00,18.00,EUR,approved\n\
        #5,k5,2026-06-02 10:00:00,22.00,18.00,,approved\n\
        6,k6,2026-06-02 10:00:00,22.00,18.00,,approved\n\
        6,k6,2026-06-03 10:00:00,-22.00,,,approved\n\
        7,k7,2026-06-02 10:00:00,22.00,18.00,USD,approved\n\
        7,k7,2026-06-03 10:00:00,-2.00,,USD,approved\n\
        8,k8,2026-06-02 10:00:00,0.00,5.00,,\n";
    let mut report = open("currency=USD");
    add(&mut report, "kind=orders", ORDERS, 1_000).unwrap();
    let near = r#"[{"conversion_id":1,"unique_id":"5","payout":1.00}]"#;
    add(&mut report, "kind=conversions", near, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    assert_eq!(
        corrections(&mut report, "file=upload\noffer=9"),
        [
            "not_approved",
            "not_approved",
            "not_approved",
            "currency_differs",
            "would_match",
            "refunded",
            "k7,9,2026-06-02 10:00:00,18.00,20.00,7,7 18.00",
            "k8,9,2026-06-02 10:00:00,5.00,0.00,8,8 5.00",
        ]
    );
    assert_eq!(
        corrections(&mut report, "reject=unknown_to_advertiser"),
        ["would_match"]
    );
}

#[test]
fn what_the_forwarder_may_have_sent_is_not_uploaded() {
    for (state, expected) in [
        ("Delivered", "the_forwarder_has_it"),
        ("PENDING", "the_forwarder_has_it"),
        ("cancelled", "the_forwarder_holds_it"),
        ("doubt", "the_forwarder_holds_it"),
        ("dead", "k,9,2026-06-02 10:00:00,1.00,,A,A 1.00"),
    ] {
        let mut report = open("");
        let orders = "order_id,click_id,date,payout\nA,k,2026-06-02 10:00:00,1.00\n";
        add(&mut report, "kind=orders", orders, 100).unwrap();
        let events = format!("unique_id,state\nA,{state}\n");
        add(&mut report, "kind=deliveries", &events, 100).unwrap();
        reconcile(&mut report).unwrap();
        assert_eq!(corrections(&mut report, "file=upload\noffer=9"), [expected]);
    }
}

#[test]
fn an_event_of_another_order_of_the_click_explains_nothing() {
    let mut report = open("");
    let orders = "order_id,click_id\nA,k\nB,k\n";
    add(&mut report, "kind=orders", orders, 100).unwrap();
    let events = "unique_id,click_id,state\nA,k,delivered\n";
    add(&mut report, "kind=deliveries", events, 100).unwrap();
    reconcile(&mut report).unwrap();
    let found = rows(&mut report, "");
    assert_eq!(found[0]["reasons"][0], "delivered_but_not_reported");
    assert_eq!(found[1]["reasons"][0], "never_handed_over");
}

#[test]
fn an_export_without_the_order_says_that_it_was_never_handed_over() {
    for options in ["", "keys=uniqueId\npart=1/2", "keys=uniqueId\npart=2/2"] {
        for (events, expected) in [
            (Some("unique_id,state\n"), &["never_handed_over"][..]),
            (Some("[]"), &["never_handed_over"]),
            (
                Some("unique_id,state\nZ,delivered\n"),
                &["never_handed_over"],
            ),
            (None, &[]),
        ] {
            let mut report = open(options);
            add(&mut report, "kind=orders", "unique_id\nA\nB\n", 100).unwrap();
            if let Some(events) = events {
                add(&mut report, "kind=deliveries", events, 100).unwrap();
            }
            reconcile(&mut report).unwrap();
            for row in rows(&mut report, "") {
                assert_eq!(
                    row["reasons"],
                    Value::from(expected.to_vec()),
                    "{options} {events:?}"
                );
            }
        }
    }
}

#[test]
fn no_payout_goes_up_where_nothing_is_owed() {
    for (order, conversion, expected) in [
        // The payout of a refunded sale was set to 0.
        ("2.00,reversed", ("0.00", "returned"), "not_approved"),
        ("2.00,reversed", ("0.00", "reversed"), "not_approved"),
        ("2.00,rejected", ("0.00", "rejected"), "not_approved"),
        (
            "2.00,reversed",
            ("null", "pending"),
            "1,,reversed,5,,FALSE 0.00",
        ),
        ("2.00,scrubbed", ("0.00", "scrubbed"), "not_approved"),
        // The order says no status, and CAKE says that nothing is owed.
        ("2.00,", ("0.00", "returned"), "not_approved"),
        (
            "2.00,reversed",
            ("0.00", "rejected"),
            "1,,reversed,5,,FALSE 0.00",
        ),
        (
            "2.00,reversed",
            ("0.00", "approved"),
            "1,,reversed,5,,FALSE 0.00",
        ),
        (
            "2.00,rejected",
            ("1.00", "approved"),
            "1,,rejected,5,,FALSE 1.00",
        ),
        // A payout that goes down is never paid more than before.
        (
            "2.00,reversed",
            ("3.00", "approved"),
            "1,,reversed,5,2.00,FALSE 3.00",
        ),
        (
            "2.00,reversed",
            ("3.00", "returned"),
            "1,,,5,2.00,FALSE 1.00",
        ),
        // A sale that waits may be paid as it is.
        ("2.00,pending", ("0.00", "pending"), "1,,,5,2.00,FALSE 2.00"),
        (
            "2.00,pending",
            ("0.00", "returned"),
            "1,,pending,5,2.00,FALSE 2.00",
        ),
        (
            "2.00,approved",
            ("0.00", "returned"),
            "1,,approved,5,2.00,FALSE 2.00",
        ),
        (
            "2.00,approved",
            ("0.00", "approved"),
            "1,,,5,2.00,FALSE 2.00",
        ),
    ] {
        let mut report = open("");
        let orders = format!("unique_id,revenue,payout,status\nA,22.00,{order}\n");
        add(&mut report, "kind=orders", &orders, 100).unwrap();
        add(
            &mut report,
            "kind=conversions",
            &conversion_of(1, conversion),
            100,
        )
        .unwrap();
        reconcile(&mut report).unwrap();
        assert_eq!(
            corrections(&mut report, ""),
            [expected],
            "{order} {conversion:?}"
        );
    }
    // A refund takes the whole sale back, and says nothing of its payout.
    let refund = format!("{HEAD}{SALE}1001,,c1,7,2026-06-21 10:00:00,-22.00,,approved,\n");
    for (status, expected) in [
        ("returned", "not_approved"),
        ("approved", "5,,reversed,7,,FALSE 0.00"),
        ("pending", "5,,reversed,7,,FALSE 0.00"),
    ] {
        let row = at_cake("0.00", "2026-06-20 10:00:03").replace("approved", status);
        assert_eq!(
            told(&mut of("", &[("", &refund)], &row))[1],
            expected,
            "{status}"
        );
    }
}

#[test]
fn a_correction_counts_the_money_that_moves() {
    for (order, conversion, expected) in [
        (
            "18.01,,approved",
            ("18.00", "rejected"),
            Some("1,,approved,5,18.01,FALSE 18.01"),
        ),
        (
            "999.99,,reversed",
            ("1000.00", "approved"),
            Some("1,,reversed,5,999.99,FALSE 1000.00"),
        ),
        (
            "18.00,,approved",
            ("18.00", "pending"),
            Some("1,,approved,5,,FALSE 18.00"),
        ),
        (
            "17.00,,approved",
            ("18.00", "approved"),
            Some("1,,,5,17.00,FALSE 1.00"),
        ),
        (
            "17.00,,rejected",
            ("18.00", "rejected"),
            Some("1,,,5,17.00,FALSE 1.00"),
        ),
        // The older services say returned for reversed.
        ("18.00,,reversed", ("18.00", "returned"), None),
        // Another currency than the account's.
        (
            "17.00,EUR,approved",
            ("18.00", "approved"),
            Some("currency_differs"),
        ),
        (
            "18.00,EUR,approved",
            ("18.00", "approved"),
            Some("currency_differs"),
        ),
        (
            "17.00,USD,approved",
            ("18.00", "approved"),
            Some("1,,,5,17.00,FALSE 1.00"),
        ),
    ] {
        let mut report = open("currency=USD");
        let orders = format!("unique_id,revenue,payout,currency,status\nA,22.00,{order}\n");
        add(&mut report, "kind=orders", &orders, 100).unwrap();
        let row = conversion_of(1, conversion);
        add(&mut report, "kind=conversions", &row, 100).unwrap();
        reconcile(&mut report).unwrap();
        assert_eq!(
            corrections(&mut report, ""),
            Vec::from_iter(expected),
            "{order} {conversion:?}"
        );
    }
}

fn conversion_of(id: u32, (payout, status): (&str, &str)) -> String {
    conversion(id, "A", "2026-06-02 10:00:00", "22.00", payout, status)
}

#[test]
fn a_repetition_that_counts_for_nothing_is_not_rejected_again() {
    let mut report = open("");
    add(&mut report, "kind=orders", "unique_id\nA\n", 100).unwrap();
    let statuses = ["approved", "rejected", "reversed", "scrubbed", "approved"];
    let rows: Vec<_> = statuses
        .iter()
        .zip(1..)
        .map(|(status, id)| conversion_of(id, ("18.00", status)))
        .collect();
    add(&mut report, "kind=conversions", &rows.join("\n"), 100).unwrap();
    reconcile(&mut report).unwrap();
    assert_eq!(corrections(&mut report, ""), ["5,,rejected,5,,FALSE 18.00"]);
}

#[test]
fn refunds_in_a_sales_own_row_are_taken_off() {
    let shopify = "Name,Financial Status,Currency,Total,Created at,Cancelled at,Refunded Amount\n";
    let paid = r#""id":"ch_1","object":"charge","amount":2200,"currency":"usd","status":"succeeded","metadata":{"order_id":"A"}"#;
    let refund = |status| {
        format!(
            r#"[{{{paid}}},{{"id":"re_1","object":"refund","amount":2200,"currency":"usd","status":"{status}","metadata":{{"order_id":"A"}}}}]"#
        )
    };
    for (dialect, text, expected) in [
        ("shopify", format!("{shopify}A,partially_refunded,USD,22.00,,,10.00\n"), "12.00 approved"),
        ("shopify", format!("{shopify}A,paid,USD,22.00,,,0.00\n"), "22.00 approved"),
        ("shopify", format!("{shopify}A,paid,USD,22.00,,2026-06-03 10:00:00,0.00\n"), "22.00 reversed"),
        ("shopify", format!("{shopify}A,pending,USD,22.00,,2026-06-03 10:00:00,0.00\n"), "22.00 rejected"),
        ("shopify", r#"{"orders":[{"name":"A","total_price":"22.00","current_total_price":"12.00","financial_status":"partially_refunded","refunds":[{"id":1}]}]}"#.to_owned(), "12.00 approved"),
        ("stripe", format!(r#"{{{paid},"amount_refunded":500,"refunded":false}}"#), "17.00 approved"),
        ("stripe", format!(r#"{{{paid},"amount_refunded":2200,"refunded":true}}"#), "0.00 reversed"),
        ("stripe\nunits=major", "id,Amount,Amount Refunded,Currency,Status,order_id (metadata)\nch_1,22.00,5.00,usd,Paid,A\n".to_owned(), "17.00 approved"),
        ("woocommerce", r#"[{"number":"A","status":"completed","total":"22.00","refunds":[{"id":9,"total":"-5.00"},{"id":10,"total":"-1.50"}]}]"#.to_owned(), "15.50 approved"),
        ("woocommerce", r#"[{"number":"A","status":"completed","total":"22.00","refunds":[]}]"#.to_owned(), "22.00 approved"),
        // A refund that came to nothing takes nothing back.
        ("stripe", refund("succeeded"), "0.00 reversed"),
        ("stripe", refund("failed"), "22.00 approved"),
        ("stripe", refund("canceled"), "22.00 approved"),
    ] {
        let mut report = open("");
        add(&mut report, &format!("kind=orders\ndialect={dialect}"), &text, 50).unwrap();
        reconcile(&mut report).unwrap();
        let found = rows(&mut report, "");
        let order = &found[0]["order"];
        let net = order["revenueAfterRefunds"].as_str().or(order["revenue"].as_str());
        assert_eq!(format!("{} {}", net.unwrap(), order["status"].as_str().unwrap()), expected, "{text}");
    }
}

#[test]
fn a_status_that_cake_does_not_know_is_refused() {
    let error = Report::open("status.paid=aproved").unwrap_err();
    assert!(
        error.to_string().contains("aproved") || error.rule().contains("approved"),
        "{error}"
    );
    assert!(Report::open("status.paid=Approved").is_ok());
}

#[test]
fn an_upload_is_in_one_currency() {
    let orders = |currencies: &[&str]| {
        let rows = currencies.iter().zip(1..).map(|(currency, id)| {
            format!("{id},,c{id},7,2026-06-20 10:00:00,22.00,18.00,approved,{currency}\n")
        });
        HEAD.to_owned() + &rows.collect::<String>()
    };
    let cake = |currency: &str| {
        format!(r#"[{{"conversion_id":9,"unique_id":"zz","currency":"{currency}"}}]"#)
    };
    for (options, ours, theirs, expected) in [
        ("", &["EUR"][..], cake("USD"), "currency_differs"),
        (
            "",
            &["USD", "EUR"],
            cake("USD"),
            "c1,7,2026-06-20 10:00:00,18.00,22.00,1, 18.00 currency_differs",
        ),
        (
            "",
            &["EUR"],
            "[]".to_owned(),
            "c1,7,2026-06-20 10:00:00,18.00,22.00,1, 18.00",
        ),
        (
            "",
            &["EUR", ""],
            cake("EUR"),
            "c1,7,2026-06-20 10:00:00,18.00,22.00,1, 18.00 c2,7,2026-06-20 10:00:00,18.00,22.00,2, 18.00",
        ),
        (
            "currency=EUR",
            &["USD", "EUR"],
            "[]".to_owned(),
            "currency_differs c2,7,2026-06-20 10:00:00,18.00,22.00,2, 18.00",
        ),
    ] {
        let mut report = of(options, &[("", &orders(ours))], &theirs);
        assert_eq!(
            told(&mut report)[2],
            expected,
            "{options} {ours:?} {theirs}"
        );
    }
    let mut report = open("");
    add(&mut report, "kind=orders", &orders(&["USD", "EUR"]), 1_000).unwrap();
    add(&mut report, "kind=conversions", "[]", 1_000).unwrap();
    assert_eq!(reconcile(&mut report).unwrap_err().code(), "ambiguous_file");
}

#[test]
fn what_has_no_id_never_stands_before_what_has_one() {
    for id in ["0", "\"0\"", "\"\"", "null"] {
        let mut rows = [id, "5"].map(|id| {
            let row = conversion(9, "1001", "2026-06-20 10:00:03", "22", "18", "approved");
            row.replace(":9,", &format!(":{id},"))
        });
        for _ in 0..2 {
            rows.reverse();
            let orders = format!("{HEAD}{}", SALE.replace(",7,", ",,"));
            let mut report = of("", &[("", &orders)], &rows.join("\n"));
            let found = super::rows(&mut report, "classes=matched");
            assert_eq!(found[0]["conversion"]["conversionId"], "5", "{id}");
            assert_eq!(told(&mut report)[1], "no_conversion_id", "{id}");
        }
    }
}

#[test]
fn a_text_in_another_encoding_than_declared_is_refused() {
    let spoiled = format!("{HEAD}{}", SALE.replace("1001", "\u{81}1001"));
    assert_eq!(
        told(&mut of("", &[("", &spoiled)], "[]"))[0],
        "unreadable id"
    );
    let mut report = open("");
    let marked = format!("\u{feff}{HEAD}{SALE}");
    let error = add(
        &mut report,
        "kind=orders\nencoding=windows-1252",
        &marked,
        1_000,
    );
    assert_eq!(error.unwrap_err().code(), "unreadable_file");
    add(
        &mut report,
        "kind=orders",
        &format!("\u{feff}{marked}"),
        1_000,
    )
    .unwrap();
    add(
        &mut report,
        "kind=conversions",
        &at_cake("18.00", "2026-06-20 10:00:03"),
        1_000,
    )
    .unwrap();
    reconcile(&mut report).unwrap();
    assert_eq!(told(&mut report)[0], "matched");
}
