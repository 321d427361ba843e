//! Rows with one key: what pairs off, what repeats, and what another key tells apart.

use super::*;

/// A report of orders and conversions; each row of the result as `class order conversion`, by ids.
fn judged(options: &str, orders: &str, conversions: &str) -> (Report, Vec<String>) {
    let mut report = open(options);
    add(&mut report, "kind=orders", orders, 1_000).unwrap();
    add(&mut report, "kind=conversions", conversions, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let found = rows(&mut report, "");
    let lines = found.iter().map(|row| {
        let order = ["orderId", "uniqueId", "date"].map(|name| row["order"][name].as_str());
        let order = order.into_iter().flatten().next().unwrap_or("-");
        let conversion = &row["conversion"]["conversionId"];
        let conversion = conversion.as_str().unwrap_or("-");
        format!("{} {order} {conversion}", row["class"].as_str().unwrap())
    });
    let lines = lines.collect();
    (report, lines)
}

/// The lines of a file, and the reasons of those that are left out.
pub(super) fn corrections(report: &mut Report, options: &str) -> Vec<String> {
    report.corrections(options).unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    let lines = answer["corrections"].as_array().unwrap().iter();
    lines
        .map(|line| {
            if let Some(reason) = line["skipped"].as_str() {
                return reason.to_owned();
            }
            let cells = line["cells"].as_array().unwrap().iter();
            let cells: Vec<_> = cells.map(|cell| cell.as_str().unwrap()).collect();
            format!("{} {}", cells.join(","), line["amount"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn rows_that_share_a_click_are_other_sales_and_are_never_rejected_for_it() {
    const ORDERS: &str = "order_id,click_id,date,revenue,status\n\
        3,k,2026-06-02 10:00:00,22.00,approved\n\
        4,k,2026-06-05 10:00:00,30.00,approved\n";
    const BARE: &str = "click_id,date,revenue,status\n\
        k,2026-06-02 10:00:00,22.00,approved\n\
        k,2026-06-03 10:00:00,30.00,approved\n";
    let pair = |ids: [&str; 2]| {
        let [one, other] = ids.map(|id| {
            if id.is_empty() {
                String::new()
            } else {
                format!(",\"unique_id\":\"{id}\"")
            }
        });
        format!(
            r#"[{{"conversion_id":1,"click_id":"k","revenue":22.00,"payout":1.00,"conversion_status":"approved"{one}}},{{"conversion_id":2,"click_id":"k","revenue":30.00,"payout":1.00,"conversion_status":"approved"{other}}}]"#
        )
    };
    for (orders, conversions, expected, fixes) in [
        // Nothing at CAKE: both are missing.
        (
            ORDERS,
            "[]".to_owned(),
            &["missing_at_cake 3 -", "missing_at_cake 4 -"][..],
            &[][..],
        ),
        // Ids of other systems: each order has its conversion.
        (
            ORDERS,
            pair(["a", "b"]),
            &["matched 3 1", "matched 4 2"],
            &[],
        ),
        (
            ORDERS,
            pair(["3", "b"]),
            &["matched 3 1", "matched 4 2"],
            &[],
        ),
        // No order of this click.
        (
            "order_id\n9\n",
            pair(["a", "b"]),
            &[
                "missing_at_cake 9 -",
                "unknown_to_advertiser - 1",
                "unknown_to_advertiser - 2",
            ],
            &[],
        ),
        // Nothing but the click.
        (
            BARE,
            pair(["", ""]),
            &[
                "matched 2026-06-02 10:00:00 1",
                "matched 2026-06-03 10:00:00 2",
            ],
            &[],
        ),
        (
            "order_id\n9\n",
            pair(["", ""]),
            &[
                "missing_at_cake 9 -",
                "unknown_to_advertiser - 1",
                "duplicate_conversion - 2",
            ],
            &["shares_only_its_click"],
        ),
    ] {
        let (mut report, found) = judged("", orders, &conversions);
        assert_eq!(found, expected, "{orders} {conversions}");
        assert_eq!(
            corrections(&mut report, ""),
            fixes,
            "{orders} {conversions}"
        );
    }
}

#[test]
fn an_id_stands_for_one_sale_of_each_offer_that_both_sides_name() {
    let conversions = |offers: &[u32]| {
        let rows = offers.iter().zip(1..).map(|(offer, id)| {
            format!(r#"{{"conversion_id":{id},"unique_id":"A","offer_id":{offer},"payout":1.00,"conversion_status":"approved"}}"#)
        });
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
    };
    let named = "order_id,offer_id\nA,1\nA,2\n";
    for (orders, offers, expected, fixes) in [
        (
            named,
            &[1, 2][..],
            &["matched A 1", "matched A 2"][..],
            &[][..],
        ),
        (named, &[2, 1], &["matched A 2", "matched A 1"], &[]),
        // The second offer's sale is missing, and the first one's is there twice.
        (
            named,
            &[1, 1],
            &[
                "matched A 1",
                "missing_at_cake A -",
                "duplicate_conversion - 2",
            ],
            &["2,,rejected,1,,FALSE 1.00"],
        ),
        (
            "order_id,offer_id\nA,1\n",
            &[1, 2],
            &["matched A 1", "unknown_to_advertiser - 2"],
            &[],
        ),
        // An order that names no offer was sold once.
        (
            "order_id\nA\n",
            &[1, 2],
            &["matched A 1", "duplicate_conversion - 2"],
            &["2,,rejected,2,,FALSE 1.00"],
        ),
        // As many orders as conversions: which of them are sales, only a person knows.
        (
            "order_id\nA\nA\n",
            &[1, 1, 1],
            &[
                "matched A 1",
                "duplicate_order A -",
                "duplicate_conversion - 2",
                "duplicate_conversion - 3",
            ],
            &["orders_repeat_too", "3,,rejected,1,,FALSE 1.00"],
        ),
    ] {
        let (mut report, found) = judged("", orders, &conversions(offers));
        assert_eq!(found, expected, "{orders} {offers:?}");
        assert_eq!(corrections(&mut report, ""), fixes, "{orders} {offers:?}");
    }
}

#[test]
fn a_try_that_was_paid_stands_before_those_that_were_not() {
    for (first, second) in [
        ("rejected", "approved"),
        ("pending", "approved"),
        ("rejected", "pending"),
    ] {
        let orders = format!(
            "order_id,date,status\nA,2026-06-01 10:00:00,{first}\nA,2026-06-01 10:05:00,{second}\n"
        );
        let conversions =
            format!(r#"[{{"conversion_id":1,"unique_id":"A","conversion_status":"{second}"}}]"#);
        let (mut report, found) = judged("", &orders, &conversions);
        assert_eq!(
            found,
            ["duplicate_order A -", "matched A 1"],
            "{first} {second}"
        );
        assert!(corrections(&mut report, "").is_empty(), "{first} {second}");
    }
}

#[test]
fn a_refund_lowers_the_sale_with_its_order_and_no_other_of_the_click() {
    for (refund, left, class) in [
        ("re_1,1,k,-5.00", ["17.00", "22.00"], "refund"),
        ("re_1,2,k,-5.00", ["22.00", "17.00"], "refund"),
        // A click alone does not say which of its sales.
        ("re_1,,k,-5.00", ["22.00", "22.00"], "refund_unclear"),
        ("re_1,7,k,-5.00", ["22.00", "22.00"], "refund_unclear"),
    ] {
        let orders = format!(
            "unique_id,order_id,click_id,revenue\nch_1,1,k,22.00\nch_2,2,k,22.00\n{refund}\n"
        );
        let (mut report, _) = judged("", &orders, "[]");
        let found = rows(&mut report, "");
        for (row, left) in found.iter().zip(left) {
            let order = &row["order"];
            let net = order["revenueAfterRefunds"]
                .as_str()
                .or(order["revenue"].as_str());
            assert_eq!(net, Some(left), "{refund}");
        }
        assert_eq!(found[2]["class"], class, "{refund}");
    }
}

#[test]
fn every_row_has_an_offer_and_a_class_and_they_add_up() {
    let (mut report, _) = judged(
        "",
        "order_id,revenue,offer_id\n1,1.00,1\n2,2.00,2\n3,4.00,\n1,8.00,1\n1,-0.50,1\n,16.00,1\n9,-32.00,1\n",
        r#"[{"conversion_id":1,"unique_id":"1","revenue":1,"offer_id":1,"affiliate_id":5},{"conversion_id":2,"unique_id":"1","revenue":1,"offer_id":1,"affiliate_id":5},{"conversion_id":3,"revenue":1,"offer_id":1,"affiliate_id":5},{"conversion_id":3,"revenue":1,"offer_id":1,"affiliate_id":5}]"#,
    );
    let sums = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        let list = value
            .as_array()
            .or(value["classes"].as_array())
            .unwrap()
            .clone();
        let mut sums: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for sum in list {
            let known = sums.entry(sum["class"].as_str().unwrap().to_owned());
            let known = known.or_insert_with(|| vec![0; 4]);
            let units = |name: &str| sum[name].as_str().unwrap().replace('.', "").parse::<i64>();
            let counts = ["orders", "conversions"].map(|name| sum[name].as_i64().unwrap());
            let money = ["orderRevenue", "revenue"].map(|name| units(name).unwrap());
            for (slot, more) in known.iter_mut().zip(counts.into_iter().chain(money)) {
                *slot += more;
            }
        }
        sums
    };
    report.result().unwrap();
    let whole = sums(&report.take_answer());
    report.by_pair().unwrap();
    let text = report.take_answer();
    assert_eq!(sums(&text), whole, "{text}");
    assert!(
        text.contains(r#"{"offerId":"2","class":"missing_at_cake""#),
        "{text}"
    );
}
