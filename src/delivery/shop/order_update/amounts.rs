//! Amounts of an order that cannot be read, or cannot be compared with the revenue.

use super::tests::{RETURNED, left};
use super::world::{Sent, end, refund, shopify, woo};

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
