//! An order has two ids of its own, and CAKE may have got either.

use super::*;

/// Each row of the result: its class, what CAKE has, and how a near miss differs; then what an upload has.
fn judged(options: &str, source: &str, orders: &str, ids: &[&str]) -> Vec<String> {
    let mut report = open(options);
    add(
        &mut report,
        &format!("kind=orders\n{source}"),
        orders,
        1_000,
    )
    .unwrap();
    let conversions: Vec<String> = (1..)
        .zip(ids)
        .map(|(id, unique)| conversion(id, unique, "2026-06-03 10:00:00", "22", "18", "approved"))
        .collect();
    let conversions = format!("[{}]", conversions.join(","));
    add(&mut report, "kind=conversions", &conversions, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let mut found: Vec<String> = rows(&mut report, "")
        .iter()
        .map(|row| {
            let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
            let near = &row["wouldMatch"][0];
            let parts = [
                text(&row["class"]),
                text(&row["conversion"]["uniqueId"]),
                text(&near["without"]),
                text(&near["conversion"]["uniqueId"]),
            ];
            parts.join(" ").trim_end().to_owned()
        })
        .collect();
    found.extend(super::pairs::corrections(
        &mut report,
        "file=upload\noffer=7",
    ));
    found
}

const SHOPIFY: &str = "Name,Financial Status,Currency,Total,Created at,Id,click_id\n\
    #1001,paid,USD,22.00,2026-06-03 10:00:00,5001234567890,c1\n";
const WOO: &str = "order_id,order_number,status,date,order_total,click_id\n\
    727,A-15,completed,2026-06-03 10:00:00,22.00,c1\n";

#[test]
fn an_order_is_found_by_either_of_its_own_ids() {
    let shopify = "dialect=shopify";
    let json = r##"{"orders":[{"id":5001234567890,"name":"#1001","order_number":1001,"created_at":"2026-06-03T10:00:00","financial_status":"paid","currency":"USD","total_price":"22.00","current_total_price":"22.00","click_id":"c1"}]}"##;
    let graph = r##"{"id":"gid://shopify/Order/5001234567890","name":"#1001","createdAt":"2026-06-03T10:00:00","displayFinancialStatus":"PAID","total":"22.00","click_id":"c1"}"##;
    let of_graph = "dialect=shopify\ncolumn.revenue=total\ncolumn.date=createdAt\ncolumn.status=displayFinancialStatus";
    let woo = "dialect=woocommerce";
    let rest = r#"[{"id":727,"number":"A-15","status":"completed","date_created":"2026-06-03T10:00:00","total":"22.00","refunds":[],"click_id":"c1"}]"#;
    let stripe = r#"[{"id":"ch_1","object":"charge","payment_intent":"pi_1","amount":2200,"currency":"usd","created":1780480800,"status":"succeeded","metadata":{"order_id":"S-1","click_id":"c1"}}]"#;
    for (source, orders, id) in [
        (shopify, SHOPIFY, "5001234567890"),
        (shopify, SHOPIFY, "#1001"),
        (shopify, SHOPIFY, "gid://shopify/Order/5001234567890"),
        (
            "dialect=shopify\ncolumn.uniqueId=Name",
            SHOPIFY,
            "5001234567890",
        ),
        ("dialect=shopify\ncolumn.uniqueId=Id", SHOPIFY, "#1001"),
        ("dialect=shopify\ncolumn.orderId=Id", SHOPIFY, "#1001"),
        (shopify, json, "5001234567890"),
        (shopify, json, "#1001"),
        (of_graph, graph, "5001234567890"),
        (of_graph, graph, "#1001"),
        (
            &format!("{of_graph}\ncolumn.uniqueId=id"),
            graph,
            "5001234567890",
        ),
        (
            &format!("{of_graph}\ncolumn.uniqueId=name"),
            graph,
            "5001234567890",
        ),
        (woo, WOO, "727"),
        (woo, WOO, "A-15"),
        (
            "dialect=woocommerce\ncolumn.uniqueId=order_number",
            WOO,
            "727",
        ),
        (woo, rest, "727"),
        (woo, rest, "A-15"),
        ("dialect=woocommerce\ncakePrefix=b-", WOO, "b-727"),
        ("dialect=woocommerce\ncakePrefix=b-", WOO, "b-A-15"),
        ("dialect=stripe", stripe, "pi_1"),
        ("dialect=stripe", stripe, "S-1"),
    ] {
        for keys in ["", "keys=uniqueId", "keys=clickId,orderId,uniqueId"] {
            let found = judged(&format!("zone=0:0\n{keys}"), source, orders, &[id]);
            let id = id.rsplit('/').next().unwrap();
            assert_eq!(found, [format!("matched {id}")], "{source} {id} {keys}");
        }
    }
}

#[test]
fn a_number_that_may_be_another_orders_id_is_a_hint() {
    // CAKE has ids: 1001 is the id of an order that is not in the file, and the number of another one.
    let orders = "order_id,order_number,status,date,order_total,click_id\n\
        1500,1001,completed,2026-06-03 10:00:00,22.00,c1\n\
        1501,1002,completed,2026-06-03 10:00:00,22.00,c2\n";
    let woo = "dialect=woocommerce";
    assert_eq!(
        judged("", woo, orders, &["1001", "1501"]),
        [
            "missing_at_cake  other_key 1001",
            "matched 1501",
            "unknown_to_advertiser 1001",
            "would_match"
        ]
    );
    assert_eq!(
        judged("", woo, orders, &["1001", "1002"]),
        ["matched 1001", "matched 1002"]
    );
}

#[test]
fn an_id_that_has_a_prefix_on_one_side_is_a_hint() {
    for (order, id) in [
        ("9", "b-9"),
        ("b-9", "9"),
        ("0009", "SHOP.9"),
        ("#9", "shop#9"),
    ] {
        let orders = format!(
            "order_id,order_number,status,date,order_total,click_id\n\
            {order},{order},completed,2026-06-03 10:00:00,22.00,c1\n"
        );
        let found = judged("", "dialect=woocommerce", &orders, &[id]);
        let near = format!("missing_at_cake  prefix {id}");
        let expected = [
            near.as_str(),
            &format!("unknown_to_advertiser {id}"),
            "would_match",
        ];
        assert_eq!(found, expected, "{order} {id}");
    }
    // Two prefixes are two shops.
    let orders = "order_id,order_number,status,date,order_total,click_id\n\
        a-9,a-9,completed,2026-06-03 10:00:00,22.00,c1\n";
    let found = judged("", "dialect=woocommerce", orders, &["b-9"]);
    assert_eq!(
        found.last().unwrap(),
        "c1,7,2026-06-03 10:00:00,,22.00,a-9,a-9 22.00"
    );
}

#[test]
fn in_a_part_the_other_id_may_be_elsewhere() {
    let mut found = Vec::new();
    for part in 1..=4 {
        let options = format!("keys=uniqueId\npart={part}/4");
        let all = judged(&options, "dialect=woocommerce", WOO, &["A-15"]);
        found.extend(all.into_iter().filter(|line| !line.starts_with("unknown")));
    }
    assert_eq!(found, ["missing_at_cake", "near_misses_not_searched"]);
}
