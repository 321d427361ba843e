//! What shops' and payment providers' files say of an order beside its amount.

use super::refunds::{of, told};
use super::*;

const JUNE: &str = "from=2026-06-01\nto=2026-06-30\nzone=0:0\ncurrency=USD";

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
    for field in [r#""_id":{"$oid":"x"}"#, r#""order":{"items":[1]}"#, r#""order_id":[],"type":{}"#] {
        let row = format!(
            r#"[{{"revenue":"22.00","date":"2026-06-03 10:00:00","unique_id":"1001","status":"approved",{field}}}]"#
        );
        let [found, ..] = told(&mut of(JUNE, &[("", &row)], &at_cake("1001")));
        assert_eq!(found, "matched", "{field}");
    }
}
