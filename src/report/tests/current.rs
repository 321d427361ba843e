//! The amount that is read: whether refunds are off it already, in which currency it is, and where the rows stand.

use super::refunds::{of, told};
use super::*;

const JUNE: &str = "from=2026-06-01\nto=2026-06-30\nzone=0:0\ncurrency=USD";

fn at_cake() -> String {
    conversion(
        1,
        "zzz999x",
        "2026-06-10 10:00:00",
        "11.00",
        "18.00",
        "approved",
    )
}

/// An answer of Shopify's GraphQL with one order that has these fields as well.
fn graph(fields: &str) -> String {
    format!(
        r#"{{"data":{{"orders":{{"nodes":[{{"id":"gid://shopify/Order/5001234567890","name":"A","click_id":"abc","createdAt":"2026-06-10T10:00:00Z",{fields}}}]}}}}}}"#
    )
}

fn money(amount: &str, currency: &str) -> String {
    format!(
        r#"{{"shopMoney":{{"amount":"{amount}","currencyCode":"{currency}"}},"presentmentMoney":{{"amount":"9.00","currencyCode":"GBP"}}}}"#
    )
}

#[test]
fn refunds_are_not_taken_off_what_remains() {
    let partly = r#""currencyCode":"USD","displayFinancialStatus":"PARTIALLY_REFUNDED""#;
    let [total, current, net, refunded] = [
        ("totalPriceSet", "22.0"),
        ("currentTotalPriceSet", "17.0"),
        ("netPaymentSet", "17.0"),
        ("totalRefundedSet", "5.0"),
    ]
    .map(|(name, amount)| format!(r#","{name}":{}"#, money(amount, "USD")));
    let current_only = graph(&format!("{partly}{current}{refunded}"));
    let all = graph(&format!("{partly}{total}{current}{refunded}"));
    let net = graph(&format!("{partly}{net}{refunded}"));
    let csv = "Id,Name,Created at,Financial Status,Currency,click_id,current_total_price,Refunded Amount\n5001234567890,A,2026-06-10 10:00:00 +0000,partially_refunded,USD,abc,17.00,5.00\n";
    let shopify = "dialect=shopify";
    let declared = |name: &str| format!("dialect=shopify\ncolumn.revenue={name}");
    for (options, text, expected) in [
        (shopify.to_owned(), current_only.as_str(), ""),
        (shopify.to_owned(), csv, ""),
        (declared("current_total_price"), csv, ""),
        (declared("netPaymentSet.shopMoney.amount"), &net, ""),
        (shopify.to_owned(), &all, "17.00"),
        (
            declared("currentTotalPriceSet.shopMoney.amount"),
            &all,
            "17.00",
        ),
        // Of 5.00, what is off the current price is 2.00.
        (
            declared("currentTotalPriceSet.shopMoney.amount"),
            &all.replace("17.0", "20.0"),
            "17.00",
        ),
        (shopify.to_owned(), &all.replace("17.0", "20.0"), "17.00"),
        // An order that costs more than before.
        (shopify.to_owned(), &all.replace("17.0", "30.0"), ""),
        (
            "column.revenue=current_total_price\nstatus.partially_refunded=approved".to_owned(),
            csv,
            "",
        ),
    ] {
        let columns = if options.starts_with("dialect") {
            ""
        } else {
            "\ncolumn.clickId=click_id"
        };
        let global = "status.partially_refunded=approved\n".to_owned() + JUNE;
        let [found, fix, upload] = told(&mut of(
            &global,
            &[(&(options.clone() + columns), text)],
            &at_cake(),
        ));
        assert_eq!(
            upload.contains(",17.00,"),
            !expected.is_empty(),
            "{options} {text}\n{found} {upload}"
        );
        assert_eq!(
            !upload.contains("refund"),
            !expected.is_empty(),
            "{options} {text}\n{found} {upload}"
        );
        assert!(!fix.contains("reversed"), "{options} {fix}");
    }
    // A whole refund at CAKE's current amount is none.
    let half = graph(&format!(
        "{partly},\"currentTotalPriceSet\":{0},\"totalRefundedSet\":{0}",
        money("11.0", "USD")
    ));
    let row = at_cake().replace("zzz999x", "5001234567890");
    let [found, fix, _] = told(&mut of(JUNE, &[("dialect=shopify", &half)], &row));
    assert!(found.starts_with("refund_unclear"), "{found}");
    assert_eq!(fix, "refund_unclear");
}

#[test]
fn the_currency_beside_the_amount_that_is_read_is_its_currency() {
    let paid = r#""displayFinancialStatus":"PAID""#;
    let with = |name: &str, currency: &str| {
        graph(&format!(r#"{paid},"{name}":{}"#, money("22.0", currency)))
    };
    let usd = |text: &str| text.replace(paid, &format!(r#"{paid},"currencyCode":"USD""#));
    let rest = r#"{"orders":[{"id":5001234567890,"name":"A","click_id":"abc","created_at":"2026-06-10T10:00:00Z","currency":"USD","financial_status":"paid","total_price":"22.00","total_price_set":{"shop_money":{"amount":"22.00","currency_code":"USD"},"presentment_money":{"amount":"9.00","currency_code":"GBP"}}}]}"#;
    for (revenue, text, is_own) in [
        ("", with("currentTotalPriceSet", "EUR"), false),
        ("", with("currentTotalPriceSet", "USD"), true),
        ("", with("totalPriceSet", "EUR"), false),
        ("", usd(&with("totalPriceSet", "EUR")), false),
        ("", usd(&with("totalPriceSet", "USD")), true),
        (
            "subtotalPriceSet.shopMoney.amount",
            with("subtotalPriceSet", "EUR"),
            false,
        ),
        (
            "subtotalPriceSet.shopMoney.amount",
            with("subtotalPriceSet", "USD"),
            true,
        ),
        (
            "totalPriceSet.presentmentMoney.amount",
            usd(&with("totalPriceSet", "USD")),
            false,
        ),
        (
            "total_price_set.presentment_money.amount",
            rest.to_owned(),
            false,
        ),
        ("total_price_set.shop_money.amount", rest.to_owned(), true),
        ("", rest.to_owned(), true),
    ] {
        let mut options = "dialect=shopify".to_owned();
        if !revenue.is_empty() {
            options += &format!("\ncolumn.revenue={revenue}");
        }
        let [found, _, upload] = told(&mut of(JUNE, &[(&options, &text)], &at_cake()));
        assert_eq!(
            upload.contains(",22.00,"),
            is_own,
            "{revenue} {text}\n{found} {upload}"
        );
        assert_eq!(
            !upload.contains("currency"),
            is_own,
            "{revenue} {text}\n{found} {upload}"
        );
    }
    // The caller's column of the currency is the one that counts.
    let declared = "dialect=shopify\ncolumn.revenue=totalPriceSet.shopMoney.amount\ncolumn.currency=currencyCode";
    let [_, _, upload] = told(&mut of(
        JUNE,
        &[(declared, &usd(&with("totalPriceSet", "USD")))],
        &at_cake(),
    ));
    assert!(upload.contains(",22.00,"), "{upload}");
    // An object is no amount, whatever it says of its currency.
    for name in ["totalPriceSet", "totalPriceSet.shopMoney"] {
        let options = format!("dialect=shopify\ncolumn.revenue={name}");
        let [found, ..] = told(&mut of(
            JUNE,
            &[(&options, &with("totalPriceSet", "USD"))],
            &at_cake(),
        ));
        assert!(found.contains("unreadable nested"), "{name} {found}");
    }
}

#[test]
fn shopifys_refunds_take_their_orders_back() {
    let order = r#"{"id":5001234567890,"name":"A","click_id":"abc","created_at":"2026-06-10T10:00:00Z","currency":"USD","financial_status":"paid","total_price":"22.00"}"#;
    let orders = format!(r#"{{"orders":[{order}]}}"#);
    let refund = r#"{"id":929361462,"order_id":5001234567890,"created_at":"2026-06-12T10:00:00Z","transactions":[{"kind":"refund","status":"success","amount":"22.00"}]}"#;
    let file = format!(r#"{{"refunds":[{refund}]}}"#);
    let [found, _, upload] = told(&mut of(
        JUNE,
        &[("dialect=shopify", &orders), ("dialect=shopify", &file)],
        &at_cake(),
    ));
    assert!(!upload.contains(",22.00,"), "{found} {upload}");
    // The same as a list of GraphQL's beside that of the orders.
    let paid = format!(
        r#""displayFinancialStatus":"PAID","totalPriceSet":{}"#,
        money("22.0", "USD")
    );
    let beside = |list: &str| graph(&paid).replace("]}}}", &format!("]}},{list}}}}}"));
    for list in [
        r#""refunds":{"nodes":[{"order_id":"5001234567890","totalPriceSet":{"shopMoney":{"amount":"22.0"}},"createdAt":"2026-06-12T10:00:00Z"}]}"#,
        r#""refunds":{"edges":[{"node":{"order_id":"5001234567890","amount":"22.00","createdAt":"2026-06-12T10:00:00Z"}}]}"#,
    ] {
        let [found, _, upload] = told(&mut of(
            JUNE,
            &[("dialect=shopify", &beside(list))],
            &at_cake(),
        ));
        assert!(
            found.contains("refund") && !upload.contains(",22.00,"),
            "{list}\n{found} {upload}"
        );
    }
    for list in [
        r#""draftOrders":{"nodes":[{"id":"gid://shopify/DraftOrder/5","name":"D1"}]}"#,
        r#""orders2":{"nodes":[{"id":"gid://shopify/Order/5","name":"B"}]}"#,
    ] {
        let error = add(
            &mut open(JUNE),
            "kind=orders\ndialect=shopify",
            &beside(list),
            1_000,
        )
        .unwrap_err();
        assert!(error.to_string().contains("has rows as well"), "{error}");
    }
    // An order that lists refunds, and says nothing else of them.
    let lists = graph(&format!(
        r#"{},"refunds":[{{"totalRefundedSet":{}}}]"#,
        paid.replace(r#""displayFinancialStatus":"PAID","#, ""),
        money("22.0", "USD")
    ));
    let [found, _, upload] = told(&mut of(JUNE, &[("dialect=shopify", &lists)], &at_cake()));
    assert!(!upload.contains(",22.00,"), "{found} {upload}");
    // Without a dialect the column is declared.
    let simple = "Transaction ID,click_id,date,revenue,status,Type,Reference Txn ID\n9AB,abc,2026-06-10 10:00:00,22.00,approved,Payment,\n8CD,,2026-06-12 10:00:00,-22.00,approved,Payment Refund,9AB\n";
    let [found, _, upload] = told(&mut of(
        JUNE,
        &[("column.parent=Reference Txn ID", simple)],
        &at_cake(),
    ));
    assert!(
        !upload.contains(",22.00,") && !found.contains("no_sale_to_correct"),
        "{found} {upload}"
    );
}

#[test]
fn shopifys_plain_number_of_an_order_is_its_unique_id() {
    let fields = format!(
        r#""legacyResourceId":"5001234567890","displayFinancialStatus":"PAID","totalPriceSet":{}"#,
        money("11.0", "USD")
    );
    let text = graph(&fields).replace(r#""id":"gid://shopify/Order/5001234567890","#, "");
    let row = at_cake().replace("zzz999x", "5001234567890");
    let [found, ..] = told(&mut of(JUNE, &[("dialect=shopify", &text)], &row));
    assert_eq!(found, "matched");
}

#[test]
fn the_last_page_of_a_list_alone_is_not_the_list() {
    let paid = format!(
        r#""displayFinancialStatus":"PAID","totalPriceSet":{}"#,
        money("22.0", "USD")
    );
    for (said, is_whole) in [
        (
            r#""pageInfo":{"hasNextPage":false,"hasPreviousPage":true}"#,
            false,
        ),
        (
            r#""pageInfo":{"hasNextPage":false,"hasPreviousPage":false}"#,
            true,
        ),
        (r#""previous":"https://shop.example/orders?page=1""#, false),
        (r#""previous":null"#, true),
        (
            r#""links":{"prev":"https://shop.example/orders?page=1"}"#,
            false,
        ),
    ] {
        let text = graph(&paid).replace("]}}}", &format!("],{said}}}}}}}"));
        let mut report = open(JUNE);
        add(&mut report, "kind=orders\ndialect=shopify", &text, 1_000).unwrap();
        add(&mut report, "kind=conversions", &at_cake(), 1_000).unwrap();
        let outcome = reconcile(&mut report);
        assert_eq!(outcome.is_ok(), is_whole, "{said} {outcome:?}");
        // With its former page it is.
        if !is_whole {
            let mut report = open(JUNE);
            add(
                &mut report,
                "kind=orders\ndialect=shopify",
                &graph(&paid).replace("5001", "5002"),
                1_000,
            )
            .unwrap();
            add(&mut report, "kind=orders\ndialect=shopify", &text, 1_000).unwrap();
            add(&mut report, "kind=conversions", &at_cake(), 1_000).unwrap();
            reconcile(&mut report).unwrap();
        }
    }
}

#[test]
fn an_answer_that_only_says_what_failed_is_refused_as_a_failure() {
    for (text, word) in [
        (
            r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":202}}}"#,
            "Throttled",
        ),
        (
            r#"{"data":null,"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}"#,
            "Throttled",
        ),
        (
            r#"{"errors":"[API] Invalid API key or access token"}"#,
            "Invalid API key",
        ),
        (
            r#"{"error":"invalid_request","error_description":"x"}"#,
            "invalid_request",
        ),
    ] {
        for options in [
            "kind=orders",
            "kind=orders\ndialect=shopify",
            "kind=conversions",
        ] {
            let error = add(&mut open(JUNE), options, text, 1_000)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("a failure") && error.contains(word),
                "{options} {text}: {error}"
            );
        }
    }
}
