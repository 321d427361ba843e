//! Amounts of an order that cannot be read, or cannot be compared with the revenue.

use super::tests::{RETURNED, left};
use super::world::{Sent, charge, dispute, end, failed, refund, session, shopify, woo};
use serde_json::json;

#[test]
fn an_amount_that_cannot_be_read_says_nothing_and_the_status_beside_it_counts() {
    let woo = |at, status, total, refunds: &[&str]| woo(at, status, total, refunds, true);
    for odd in ["26.00001", "26,00", "", "-26.00", "1234567890.00", "NaN"] {
        let sale = woo(1, "processing", "26.00", &[]);
        let part = woo(2, "processing", "26.00", &["6.00"]);
        let by_rules = (false, None, 0);
        for (webhooks, wanted) in [
            (vec![woo(1, "processing", odd, &[])], by_rules),
            (vec![woo(1, "processing", odd, &["6.00"])], by_rules),
            (
                vec![sale.clone(), woo(2, "completed", odd, &[])],
                left(2_600),
            ),
            (
                vec![
                    sale.clone(),
                    part.clone(),
                    woo(3, "completed", odd, &["6.00"]),
                ],
                left(2_000),
            ),
            (
                vec![
                    sale.clone(),
                    part.clone(),
                    woo(3, "completed", "26.00", &[odd]),
                ],
                left(2_000),
            ),
            (
                vec![sale.clone(), part.clone(), woo(3, "refunded", odd, &[odd])],
                RETURNED,
            ),
            (
                vec![
                    sale.clone(),
                    woo(2, "cancelled", odd, &[]),
                    woo(3, "completed", odd, &[]),
                ],
                left(2_600),
            ),
            (
                vec![
                    sale.clone(),
                    woo(3, "cancelled", odd, &[]),
                    woo(2, "completed", "26.00", &[]),
                ],
                RETURNED,
            ),
            (
                vec![
                    woo(1, "processing", odd, &[]),
                    woo(2, "completed", "26.00", &[]),
                ],
                left(2_600),
            ),
        ] {
            assert_eq!(end("woocommerce", &webhooks, None), wanted, "{webhooks:?}");
        }
    }
}

#[test]
fn parts_are_the_whole_once_they_amount_to_the_largest_total_that_was_told() {
    let edited =
        |at, total, refunds: &[(u64, &str)]| shopify(at, "orders/updated", total, refunds, &[]);
    let sale = shopify(1, "orders/paid", "26.00", &[], &[]);
    for (webhooks, wanted) in [
        // An item was taken out, and its price given back. The order tells what remains.
        (
            vec![
                sale.clone(),
                edited(2, "16.00", &[(1, "10.00")]),
                refund(2, "7.00"),
            ],
            left(900),
        ),
        (
            vec![
                sale,
                edited(2, "16.00", &[(1, "10.00")]),
                refund(2, "16.00"),
            ],
            RETURNED,
        ),
    ] {
        assert_eq!(end("shopify", &webhooks, None), wanted, "{webhooks:?}");
    }
    // Nobody has told a sale, but the order its total.
    let page: [Sent; 2] = [edited(2, "16.00", &[(1, "10.00")]), refund(2, "6.00")];
    assert_eq!(end("shopify", &page, Some(0)), RETURNED);
}

/// An order's webhook of a shop in Canadian dollars, whose buyer has paid 18.00 US dollars.
fn canadian((topic, mut body): Sent) -> Sent {
    body["currency"] = json!("CAD");
    let of = |amount, code| json!({"amount": amount, "currency_code": code});
    body["total_price_set"] =
        json!({"shop_money": of("26.00", "CAD"), "presentment_money": of("18.00", "USD")});
    (topic, body)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row for each order")]
fn nothing_is_taken_off_cakes_own_money_for_an_order_that_was_told_in_another_currency() {
    let order =
        |at, topic, refunds: &[(u64, &str)]| canadian(shopify(at, topic, "26.00", refunds, &[]));
    let sale = order(1, "orders/paid", &[]);
    let mut no_click = sale.clone();
    no_click.1["note_attributes"] = json!([]);
    let mut set = refund(1, "6.00");
    set.1["refund_line_items"] = json!([
        {"subtotal_set": {"shop_money": {"amount": "8.70", "currency_code": "CAD"}}},
    ]);
    let woo = |at, status, refunds: &[&str]| canadian(woo(at, status, "26.00", refunds, true));
    let session = || {
        let (topic, mut body) = session();
        body["data"]["object"]["currency"] = json!("cad");
        (topic, body)
    };
    let by_rules = (false, None, 0);
    for (platform, webhooks, page_at, wanted) in [
        (
            "shopify",
            vec![sale.clone(), refund(1, "6.00")],
            None,
            by_rules,
        ),
        (
            "shopify",
            vec![refund(1, "6.00"), sale.clone()],
            None,
            by_rules,
        ),
        (
            "shopify",
            vec![refund(1, "6.00"), sale.clone()],
            Some(0),
            by_rules,
        ),
        (
            "shopify",
            vec![no_click, refund(1, "6.00")],
            Some(0),
            by_rules,
        ),
        (
            "shopify",
            vec![order(1, "orders/paid", &[(1, "6.00")])],
            None,
            by_rules,
        ),
        // The page has told the order, and no webhook its total before the refund.
        (
            "shopify",
            vec![order(2, "orders/updated", &[(1, "6.00")])],
            Some(0),
            by_rules,
        ),
        (
            "shopify",
            vec![
                refund(1, "6.00"),
                order(2, "orders/updated", &[(1, "6.00")]),
            ],
            Some(0),
            by_rules,
        ),
        ("shopify", vec![set], Some(0), by_rules),
        (
            "shopify",
            vec![sale.clone(), refund(1, "6.00"), refund(2, "12.00")],
            None,
            RETURNED,
        ),
        (
            "shopify",
            vec![
                sale.clone(),
                canadian(shopify(2, "orders/cancelled", "26.00", &[], &["cancelled"])),
            ],
            None,
            RETURNED,
        ),
        (
            "woocommerce",
            vec![woo(1, "processing", &[]), woo(2, "processing", &["6.00"])],
            None,
            by_rules,
        ),
        (
            "woocommerce",
            vec![woo(1, "processing", &[]), woo(2, "refunded", &["26.00"])],
            None,
            RETURNED,
        ),
        // Two endpoints of different API versions tell the buyer's currency and the shop's.
        ("stripe", vec![session(), charge(2, 600)], None, by_rules),
        ("stripe", vec![charge(2, 600), session()], None, by_rules),
        ("stripe", vec![session(), charge(2, 2_600)], None, RETURNED),
        (
            "stripe",
            vec![session(), charge(2, 2_600), failed(3, "re_1", 2_600)],
            None,
            by_rules,
        ),
        // A dispute whose amount cannot be compared takes all until it is won.
        (
            "stripe",
            vec![
                session(),
                dispute(2, "dp_1", "created", 600, "needs_response"),
            ],
            None,
            RETURNED,
        ),
        (
            "stripe",
            vec![
                session(),
                dispute(2, "dp_1", "created", 600, "needs_response"),
                dispute(3, "dp_1", "closed", 600, "won"),
            ],
            None,
            by_rules,
        ),
    ] {
        assert_eq!(end(platform, &webhooks, page_at), wanted, "{webhooks:?}");
    }
}
