//! A refund is taken off its sale once; where that is not certain, a person sees it and nothing is written.

use super::pairs::corrections;
use super::*;

pub(super) const HEAD: &str =
    "unique_id,order_id,click_id,offer_id,date,revenue,payout,status,currency\n";
pub(super) const SALE: &str = "1001,,c1,7,2026-06-20 10:00:00,22.00,18.00,approved,\n";

/// CAKE's row of the sale.
pub(super) fn at_cake(payout: &str, date: &str) -> String {
    conversion(5, "1001", date, "22.00", payout, "approved").replace(":5,\"aff", ":7,\"aff")
}

/// A report of files of orders and CAKE's rows.
pub(super) fn of(options: &str, files: &[(&str, &str)], conversions: &str) -> Report {
    let mut report = open(options);
    for (options, file) in files {
        add(&mut report, &format!("kind=orders\n{options}"), file, 1_000).unwrap();
    }
    add(&mut report, "kind=conversions", conversions, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    report
}

/// Each row's class with its reasons, then the lines of both files.
pub(super) fn told(report: &mut Report) -> [String; 3] {
    let found = classes(report).into_iter();
    let found = found.map(|(class, _, reasons)| format!("{class} {}", reasons.join(" ")));
    let found: Vec<_> = found.map(|line| line.trim_end().to_owned()).collect();
    [
        found.join(", "),
        corrections(report, "").join(" "),
        corrections(report, "file=upload\noffer=7").join(" "),
    ]
}

#[test]
fn a_refund_without_its_sale_never_stands_for_the_sale() {
    for refund in [
        "1001,,c1,7,2026-06-21 10:00:00,-22.00,-18.00,approved,\n",
        "1001,,c1,7,2026-06-21 10:00:00,-22.00,18.00,approved,\n",
        "1001,,c1,7,2026-06-21 10:00:00,-11.00,-9.00,approved,\n",
        // Two of them neither.
        "1001,,c1,7,2026-06-21 10:00:00,-11.00,-9.00,approved,\n1001,,c1,7,2026-06-22 10:00:00,-1.00,,approved,\n",
    ] {
        for options in [
            "",
            "from=2026-06-01\nto=2026-06-30",
            "keys=orderId,clickId,uniqueId",
        ] {
            for date in ["2026-06-20 10:00:00", "2026-05-31 10:00:00"] {
                let mut report = of(
                    options,
                    &[("", &(HEAD.to_owned() + refund))],
                    &at_cake("18.00", date),
                );
                let [found, fix, upload] = told(&mut report);
                assert!(
                    found.starts_with("refund_unclear no_sale_to_correct"),
                    "{options} {found}"
                );
                assert!(
                    !found.contains("matched") && !found.contains("differs"),
                    "{options} {found}"
                );
                assert_eq!([fix.as_str(), upload.as_str()], ["", ""], "{options}");
                // Nor is the conversion rejected for it.
                let reject = corrections(&mut report, "reject=unknown_to_advertiser");
                assert!(
                    reject.iter().all(|line| line == "would_match"),
                    "{reject:?}"
                );
            }
        }
    }
}

#[test]
fn a_payout_below_zero_is_never_written() {
    let sale = HEAD.to_owned() + "1001,,c1,7,2026-06-20 10:00:00,22.00,-18.00,approved,\n";
    let mut report = of("", &[("", &sale)], "[]");
    assert_eq!(told(&mut report)[2], "below_zero");
    let mut report = of("", &[("", &sale)], &at_cake("18.00", "2026-06-20 10:00:03"));
    assert_eq!(told(&mut report)[1], "below_zero");
    // More than the payout is taken back, of a sale that still counts.
    let more = format!("{HEAD}{SALE}1001,,c1,7,2026-06-21 10:00:00,-2.00,-19.00,approved,\n");
    let mut report = of("", &[("", &more)], &at_cake("18.00", "2026-06-20 10:00:03"));
    assert_eq!(told(&mut report)[1], "below_zero");
    let mut report = of("", &[("", &more)], "[]");
    assert_eq!(told(&mut report)[2], "below_zero");
}

#[test]
fn a_refunds_payout_is_taken_off_as_its_revenue_is() {
    for (refund, class, fix) in [
        (
            "-11.00,-9.00",
            "revenue_differs revenue_differs payout_differs refunded",
            "5,,,7,9.00,FALSE 9.00",
        ),
        (
            "-11.00,",
            "revenue_differs revenue_differs refunded",
            "only_revenue_differs",
        ),
        // What 9.00 means beside -11.00, nobody knows.
        (
            "-11.00,9.00",
            "refund_unclear refunded refund_unclear",
            "refund_unclear",
        ),
        (
            "-22.00,-18.00",
            "revenue_differs revenue_differs payout_differs status_differs refunded",
            "5,,reversed,7,0.00,FALSE 18.00",
        ),
        (
            "-22.00,18.00",
            "revenue_differs revenue_differs status_differs refunded",
            "5,,reversed,7,,FALSE 18.00",
        ),
    ] {
        let orders = format!("{HEAD}{SALE}1001,,c1,7,2026-06-21 10:00:00,{refund},approved,\n");
        let mut report = of(
            "",
            &[("", &orders)],
            &at_cake("18.00", "2026-06-20 10:00:03"),
        );
        let [found, written, _] = told(&mut report);
        assert_eq!(
            [found.split(", ").next().unwrap(), &written],
            [class, fix],
            "{refund}"
        );
    }
}

#[test]
fn the_same_refund_in_two_files_is_not_taken_off_twice() {
    let simple = format!("{HEAD}{SALE}1001,,c1,7,2026-06-21 10:00:00,-11.00,,approved,\n");
    let keyed = format!(
        "{HEAD}{}r,9,c1,7,2026-06-21 10:00:00,-11.00,,approved,\n",
        SALE.replace("1001,,", "1001,9,")
    );
    let charge = r#"{"id":"ch_1","object":"charge","amount":2200,"created":1780300000,"currency":"usd","status":"succeeded","metadata":{"order_id":"1001"}}"#;
    let refund = |metadata: &str| {
        format!(
            r#"{{"id":"re_1","object":"refund","amount":1100,"charge":"ch_1","created":1780400000,"currency":"usd","status":"succeeded","metadata":{{{metadata}}}}}"#
        )
    };
    let named = format!("[{charge},{}]", refund(r#""order_id":"1001""#));
    let nameless = format!("[{charge},{}]", refund(""));
    for (options, file) in [
        ("", &simple),
        ("", &keyed),
        ("dialect=stripe", &named),
        ("dialect=stripe", &nameless),
        (
            "dialect=stripe\ncolumn.uniqueId=metadata.order_id",
            &nameless,
        ),
    ] {
        for conversions in [at_cake("18.00", "2026-06-20 10:00:03"), "[]".to_owned()] {
            let mut report = of(
                "zone=0:0",
                &[(options, file), (options, file)],
                &conversions,
            );
            let [found, fix, upload] = told(&mut report);
            assert!(!found.contains("reversed"), "{found}");
            let expected = if conversions == "[]" {
                ["", "refund_unclear"]
            } else {
                ["refund_unclear", ""]
            };
            assert_eq!([fix.as_str(), upload.as_str()], expected, "{file} {found}");
            // Once it is taken off.
            let mut report = of("zone=0:0", &[(options, file)], &conversions);
            let order = &rows(&mut report, "")[0]["order"];
            assert_eq!(order["revenueAfterRefunds"], "11.00", "{options} {file}");
            assert_eq!(
                rows(&mut report, "classes=refund").len(),
                1,
                "{options} {file}"
            );
        }
    }
    // Two refunds of a day are two, where their time or their ids say so.
    for (one, other) in [
        (
            "r,9,c1,7,2026-06-21,-5.00,,,",
            "s,9,c1,7,2026-06-21,-5.00,,,",
        ),
        (
            "r,9,c1,7,2026-06-21 10:00:00,-5.00,,,",
            "r,9,c1,7,2026-06-21 10:00:01,-5.00,,,",
        ),
    ] {
        let orders = format!(
            "{HEAD}{}{one}\n{other}\n",
            SALE.replace("1001,,", "1001,9,")
        );
        let mut report = of("", &[("", &orders)], "[]");
        assert_eq!(
            rows(&mut report, "")[0]["order"]["revenueAfterRefunds"],
            "12.00"
        );
    }
}

#[test]
fn a_sales_own_row_and_its_refund_rows_count_once() {
    let column = "unique_id,click_id,offer_id,date,revenue,payout,status,refunded_amount\n";
    let sale = |taken: &str| {
        format!("{column}1001,c1,7,2026-06-20 10:00:00,22.00,18.00,approved,{taken}\n")
    };
    let row = |amount: &str| format!("1001,c1,7,2026-06-21 10:00:00,{amount},,approved,\n");
    let stripe = |taken: u32, metadata: &str| {
        format!(
            r#"[{{"id":"ch_1","object":"charge","amount":2200,"amount_refunded":{taken},"created":1780300000,"currency":"usd","status":"succeeded","metadata":{{"order_id":"1001"}}}},{{"id":"re_1","object":"refund","amount":1100,"charge":"ch_1","created":1780400000,"currency":"usd","status":"succeeded","metadata":{{{metadata}}}}}]"#
        )
    };
    let own = r#""order_id":"1001""#;
    for (options, file, expected) in [
        ("", sale("10.00") + &row("-10.00"), "12.00 revenue_differs"),
        ("", sale("10.00") + &row("-4.00"), "12.00 refund_unclear"),
        ("", sale("22.00") + &row("-22.00"), "0.00 revenue_differs"),
        ("", sale("0.00") + &row("-10.00"), "12.00 revenue_differs"),
        ("dialect=stripe", stripe(1100, own), "11.00 revenue_differs"),
        ("dialect=stripe", stripe(1100, ""), "11.00 revenue_differs"),
        (
            "dialect=stripe\ncolumn.uniqueId=metadata.order_id",
            stripe(1100, ""),
            "11.00 revenue_differs",
        ),
        ("dialect=stripe", stripe(0, own), "11.00 revenue_differs"),
        ("dialect=stripe", stripe(600, own), "16.00 refund_unclear"),
        ("dialect=stripe", stripe(2200, ""), "0.00 status_differs"),
    ] {
        let conversions = at_cake("18.00", "2026-06-20 10:00:03");
        let mut report = of("zone=0:0", &[(options, &file)], &conversions);
        let found = rows(&mut report, "");
        let order = &found[0]["order"];
        let net = order["revenueAfterRefunds"]
            .as_str()
            .or(order["revenue"].as_str())
            .unwrap();
        let class = found[0]["class"].as_str().unwrap();
        if expected != "0.00 status_differs" {
            assert_eq!(format!("{net} {class}"), expected, "{file}");
        }
        let is_unclear = told(&mut report)[1] == "refund_unclear";
        assert_eq!(is_unclear, class == "refund_unclear", "{file}");
    }
}

#[test]
fn a_refund_that_finds_no_sale_is_a_difference_and_holds_back_what_it_may_be_of() {
    let refund = |ids: &str| format!("{HEAD}{SALE}{ids},7,2026-06-21 10:00:00,-22.00,,approved,\n");
    let two = format!(
        "{HEAD}{SALE}1002,,c1,7,2026-06-20 11:00:00,22.00,18.00,approved,\n,,c1,7,2026-06-21 10:00:00,-22.00,,approved,\n"
    );
    for (file, upload) in [
        (refund("#1001,,"), "refund_unclear"),
        (refund("R9,,c1"), "refund_unclear"),
        (refund(",,c1"), "refund_unclear"),
        (two, "refund_unclear refund_unclear"),
        // A refund of another sale holds nothing back.
        (
            refund("900,,c9"),
            "c1,7,2026-06-20 10:00:00,18.00,22.00,1001, 18.00",
        ),
        // Nobody knows whose.
        (refund(",,"), "refund_unclear"),
    ] {
        let mut report = of("", &[("", &file)], "[]");
        let [found, _, written] = told(&mut report);
        assert_eq!(written, upload, "{file}");
        assert!(
            found.contains("refund_unclear no_sale_to_correct") || found.contains("no_key"),
            "{found}"
        );
        // Where CAKE has the sale at too little, nothing more is paid for it.
        let conversions = at_cake("17.00", "2026-06-20 10:00:03");
        let mut report = of("", &[("", &file)], &conversions);
        let [found, fix, _] = told(&mut report);
        let is_held = fix.starts_with("refund_unclear");
        assert_eq!(
            is_held,
            upload.starts_with("refund_unclear"),
            "{file} {found} {fix}"
        );
    }
    // Where nothing else differs, the file's reasons name the sale, too.
    let conversions = at_cake("18.00", "2026-06-20 10:00:03");
    let mut report = of("", &[("", &refund("#1001,,"))], &conversions);
    let [found, fix, _] = told(&mut report);
    assert!(found.starts_with("matched refund_would_match"), "{found}");
    assert_eq!(fix, "refund_unclear");
}

#[test]
fn a_sale_that_is_refunded_later_is_due_in_the_days_of_its_refund() {
    let june = "from=2026-06-01\nto=2026-06-30";
    let may = format!(
        "{HEAD}{}1001,,c1,7,2026-06-10 10:00:00,-22.00,,approved,\n",
        SALE.replace("06-20", "05-30")
    );
    let keyed = may
        .replace("1001,,c1", "1001,9,c1")
        .replace("1001,9,c1,7,2026-06-10", "r,9,c1,7,2026-06-10");
    for file in [&may, &keyed] {
        let mut report = of(
            june,
            &[("", file)],
            &at_cake("18.00", "2026-05-30 10:00:03"),
        );
        let [found, fix, _] = told(&mut report);
        assert!(
            found.starts_with("revenue_differs order_outside_window"),
            "{found}"
        );
        assert_eq!(fix, "5,,reversed,7,,FALSE 18.00");
        // Its conversion is in another month's list.
        let mut report = of(june, &[("", file)], "[]");
        let [found, fix, upload] = told(&mut report);
        assert_eq!(
            found,
            "outside_window order_outside_window missing_at_cake, refund_unclear no_sale_to_correct"
        );
        assert_eq!([fix.as_str(), upload.as_str()], ["", ""]);
        // The refund is next month's, too.
        let mut report = of("from=2026-07-01\nto=2026-07-31", &[("", file)], "[]");
        assert!(!told(&mut report)[0].contains("refund_unclear"));
    }
}

#[test]
fn of_two_exports_of_a_sale_the_one_without_its_refund_does_not_stand_alone() {
    let shopify = "Name,Financial Status,Currency,Total,Created at,Refunded Amount,click\n";
    let row = |status: &str, taken: &str| {
        format!("{shopify}1001,{status},USD,22.00,2026-06-20 10:00:00,{taken},c1\n")
    };
    let (paid, whole, part) = (
        row("paid", "0.00"),
        row("refunded", "22.00"),
        row("partially_refunded", "5.00"),
    );
    let options = "dialect=shopify\ncolumn.clickId=click";
    for (one, other, is_held) in [
        (&paid, &whole, true),
        (&whole, &paid, true),
        (&paid, &part, true),
        (&part, &whole, true),
        (&paid, &paid, false),
        (&part, &part, false),
    ] {
        let files = [(options, one.as_str()), (options, other.as_str())];
        let mut report = of("", &files, "[]");
        assert_eq!(
            told(&mut report)[2] == "refund_unclear",
            is_held,
            "{one} {other}"
        );
        let mut report = of("", &files, &at_cake("18.00", "2026-06-20 10:00:03"));
        let class = rows(&mut report, "")[..2]
            .iter()
            .any(|row| row["class"] == "refund_unclear");
        assert_eq!(class, is_held, "{one} {other}");
    }
}

#[test]
fn a_shops_row_that_does_not_say_how_much_was_given_back_is_left_to_a_person() {
    let shopify = |rest: &str| {
        format!(
            r#"{{"orders":[{{"name":"1001","total_price":"110.00","subtotal_price":"100.00","financial_status":"partially_refunded","refunds":[{{"id":9,"transactions":[{{"id":1,"amount":"55.00"}}]}},{{"id":10}}]{rest}}}]}}"#
        )
    };
    let current = shopify(r#","current_total_price":"55.00","current_subtotal_price":"50.00""#);
    let sets = shopify(
        r#","total_price_set":{"shop_money":{"amount":"110.00"},"presentment_money":{"amount":"88.00"}},"current_total_price_set":{"shop_money":{"amount":"55.00"},"presentment_money":{"amount":"44.00"}}"#,
    );
    let graph = r#"{"data":{"orders":{"nodes":[{"name":"1001","displayFinancialStatus":"PARTIALLY_REFUNDED","totalPriceSet":{"shopMoney":{"amount":"110.0"}},"currentTotalPriceSet":{"shopMoney":{"amount":"55.0"}},"totalRefundedSet":{"shopMoney":{"amount":"54.0"}},"refunds":[{"id":"gid://shopify/Refund/9"}]}]}}}"#;
    for (options, text, expected) in [
        ("dialect=shopify", current.clone(), Some("55.00")),
        ("dialect=shopify\ncolumn.revenue=total_price", current.clone(), Some("55.00")),
        ("dialect=shopify\ncolumn.revenue=subtotal_price", current.clone(), Some("50.00")),
        ("dialect=shopify\ncolumn.revenue=subtotal_price\npercent=10", current.clone(), Some("5.00")),
        ("dialect=shopify\ncolumn.revenue=current_subtotal_price", current.clone(), Some("50.00")),
        ("dialect=shopify\ncolumn.revenue=total_line_items_price", current.replace("subtotal_price", "total_line_items_price"), Some("50.00")),
        ("dialect=shopify\ncolumn.revenue=total_price_set.shop_money.amount", sets.clone(), Some("55.00")),
        ("dialect=shopify\ncolumn.revenue=total_price_set.presentment_money.amount", sets.clone(), Some("44.00")),
        ("dialect=shopify\ncolumn.revenue=current_total_price_set.shop_money.amount", sets.clone(), Some("55.00")),
        ("dialect=shopify\ncolumn.revenue=sums.total_price", shopify(r#","sums":{"total_price":"90.00","current_total_price":"45.00"}"#), Some("45.00")),
        ("dialect=shopify", graph.to_owned(), Some("55.00")),
        ("dialect=shopify", graph.replace("currentTotalPriceSet", "x"), Some("56.00")),
        ("dialect=shopify", shopify(""), None),
        ("dialect=shopify\ncolumn.revenue=subtotal_price", shopify(r#","current_total_price":"55.00""#), None),
        ("dialect=shopify", "Name,Financial Status,Total\n1001,partially_refunded,110.00\n".to_owned(), None),
        ("dialect=shopify", "Name,Financial Status,Total,Refunded Amount\n1001,partially_refunded,110.00,10.00\n".to_owned(), Some("100.00")),
        ("dialect=woocommerce", r#"[{"number":"1001","status":"completed","total":"22.00","refunds":[{"id":5},{"id":6}]}]"#.to_owned(), None),
        ("dialect=woocommerce", r#"[{"number":"1001","status":"completed","total":"22.00","refunds":[{"id":5,"total":"-2.00"}]}]"#.to_owned(), Some("20.00")),
        ("dialect=stripe", r#"[{"id":"1001","object":"charge","amount":2200,"currency":"usd","status":"succeeded","disputed":true}]"#.to_owned(), None),
        ("dialect=stripe", r#"[{"id":"1001","object":"charge","amount":2200,"currency":"usd","status":"succeeded","disputed":false,"captured":true}]"#.to_owned(), Some("22.00")),
    ] {
        let mut report = of("", &[(options, &text)], &at_cake("18.00", "2026-06-20 10:00:03"));
        let found = rows(&mut report, "");
        let revenue = Some(found[0]["order"]["revenue"].as_str().unwrap());
        let is_unclear = found[0]["class"] == "refund_unclear";
        assert_eq!(is_unclear, expected.is_none(), "{options} {text} {found:?}");
        if !is_unclear {
            assert_eq!(revenue, expected, "{options} {text}");
        }
        let mut report = of("", &[(options, &text)], "[]");
        assert_eq!(told(&mut report)[2] == "refund_unclear", is_unclear, "{text}");
    }
}

#[test]
fn a_payment_that_is_only_authorised_is_pending() {
    let charge = r#"[{"id":"1001","object":"charge","amount":2200,"currency":"usd","status":"succeeded","captured":false}]"#;
    let csv = "id,Amount,Currency,Status,Captured\n1001,22.00,usd,Paid,false\n";
    for (options, text) in [
        ("dialect=stripe", charge),
        ("dialect=stripe\nunits=major", csv),
    ] {
        let mut report = of("", &[(options, text)], "[]");
        assert_eq!(
            rows(&mut report, "")[0]["order"]["status"],
            "pending",
            "{text}"
        );
        assert_eq!(told(&mut report)[2], "not_approved");
    }
}
