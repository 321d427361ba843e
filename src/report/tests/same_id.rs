//! Rows that share an id but differ in another one, and rows of one sale that have each a part of its ids.

use super::pairs::corrections;
use super::*;

const HEADER: &str = "unique_id,order_id,click_id,date,revenue,status\n";

/// An order: its ids, its hour, and what it brought. Hours of refunds lie later.
type Order<'a> = (&'a str, u32, &'a str, &'a str);

/// A row of CAKE's: its ids, by commas.
type Theirs<'a> = &'a str;

/// Each row: its class, its ids, CAKE's row and the reasons; then the corrections and the upload. Whatever the order of
/// rows and files.
fn judged(options: &str, orders: &[Order<'_>], conversions: &[Theirs<'_>]) -> [Vec<String>; 3] {
    let mut turned = orders.to_vec();
    turned.reverse();
    let (one, other) = orders.split_at(orders.len() / 2);
    let found = judged_in(options, &[orders], conversions, false);
    for files in [&[turned.as_slice()][..], &[other, one]] {
        let again = judged_in(options, files, conversions, true);
        assert_eq!(again, found, "{orders:?} {conversions:?}");
    }
    found
}

fn judged_in(
    options: &str,
    files: &[&[Order<'_>]],
    conversions: &[Theirs<'_>],
    is_turned: bool,
) -> [Vec<String>; 3] {
    let mut report = open(options);
    for file in files.iter().filter(|file| !file.is_empty()) {
        let rows = file.iter().map(|(ids, hour, revenue, status)| {
            format!("{ids},2026-06-03 {hour:02}:00:00,{revenue},{status}\n")
        });
        let text = HEADER.to_owned() + &rows.collect::<String>();
        add(&mut report, "kind=orders", &text, 1_000).unwrap();
    }
    let mut rows: Vec<String> = (1..)
        .zip(conversions)
        .map(|(id, ids)| {
            let mut ids = ids.split(',').map(str::to_owned);
            let [unique, order, click] = [(); 3].map(|()| ids.next().unwrap_or_default());
            // An hour of its own: another test covers the clocks.
            let row = conversion(id, &unique, "2026-06-03 10:20:00", "22", "18", "approved");
            let more = format!("\"click_id\":\"{click}\",\"order_id\":\"{order}\",\"unique_id\"");
            row.replace("\"unique_id\"", &more)
        })
        .collect();
    if is_turned {
        rows.reverse();
    }
    let text = format!("[{}]", rows.join(","));
    add(&mut report, "kind=conversions", &text, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let mut lines: Vec<String> = super::rows(&mut report, "")
        .iter()
        .map(|row| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let side = if row["order"].is_object() {
                "order"
            } else {
                "conversion"
            };
            let ids = ["uniqueId", "orderId", "clickId"].map(|name| text(&row[side][name]));
            let reasons = row["reasons"].as_array().unwrap().iter().map(text);
            let mut words = vec![text(&row["class"]), ids.join(",")];
            words.push(text(&row["conversion"]["conversionId"]));
            words.extend(reasons);
            words.retain(|word| !word.is_empty());
            words.join(" ")
        })
        .collect();
    lines.sort();
    let mut fix = corrections(&mut report, "");
    let mut upload = corrections(&mut report, "file=upload\noffer=5");
    fix.sort();
    upload.sort();
    [lines, fix, upload]
}

const TORN: &str = "rows_contradict";

#[test]
fn rows_of_one_id_with_two_clicks_are_one_sale_whichever_of_them_cake_has() {
    let sale = |click, hour, revenue, status| (click, hour, revenue, status);
    let (one, two) = (",1,c1", ",1,c2");
    // Rows that agree.
    for clicks in [[one, two], [two, one]] {
        let orders = [
            sale(clicks[0], 9, "22.00", "approved"),
            sale(clicks[1], 11, "22.00", "approved"),
        ];
        for click in [",,c1", ",,c2"] {
            let [found, fix, upload] = judged("", &orders, &[click]);
            assert!(found[0].starts_with("duplicate_order ,1,c"), "{found:?}");
            assert_eq!(found[1], format!("matched ,1,{} 1", &click[2..]));
            assert!(fix.is_empty() && upload.is_empty(), "{fix:?} {upload:?}");
        }
        // CAKE has both: they are two sales.
        let [found, fix, upload] = judged("", &orders, &[",,c2", ",,c1"]);
        assert_eq!(found, ["matched ,1,c1 2", "matched ,1,c2 1"]);
        assert!(fix.is_empty() && upload.is_empty());
        // It has none of them.
        assert_eq!(judged("", &orders, &[",,c3"])[2], [TORN]);
    }
    // Rows that do not agree: one moves on, one is taken back, one has another amount.
    for [first, second] in [
        [
            sale(one, 10, "22.00", "pending"),
            sale(two, 11, "22.00", "approved"),
        ],
        [
            sale(one, 9, "22.00", "approved"),
            sale(two, 10, "22.00", "rejected"),
        ],
        [
            sale(one, 9, "22.00", "approved"),
            sale(two, 10, "30.00", "approved"),
        ],
        [
            sale(one, 9, "22.00", "rejected"),
            sale(two, 9, "22.00", "approved"),
        ],
        [
            sale("1,,c1", 9, "22.00", "approved"),
            sale("1,,c2", 10, "30.00", "approved"),
        ],
    ] {
        for click in [",,c1", ",,c2"] {
            let [found, fix, upload] = judged("", &[first, second], &[click]);
            if first.3 == "pending" && click == ",,c2" {
                assert_eq!(found, ["duplicate_order ,1,c1", "matched ,1,c2 1"]);
                continue;
            }
            assert!(
                found[0].ends_with(TORN) && found[1].ends_with(TORN),
                "{found:?}"
            );
            assert_eq!(fix, [TORN], "{first:?} {second:?} {click}");
            assert!(upload.is_empty(), "{first:?} {second:?} {click} {upload:?}");
        }
    }
    // One more row: two are sales, and the third one may be.
    let orders = [",1,c1", ",1,c2", ",1,c3"].map(|ids| (ids, 9, "22.00", "approved"));
    let [found, fix, upload] = judged("", &orders, &[",,c1", ",,c3"]);
    assert_eq!(
        found,
        [
            "matched ,1,c1 1",
            "matched ,1,c3 2",
            "missing_at_cake ,1,c2 rows_contradict"
        ]
    );
    assert!(fix.is_empty());
    assert_eq!(upload, [TORN]);
    // The same of rows with one unique id and two order ids.
    let orders = ["1,A,c1", "1,B,c1"].map(|ids| (ids, 9, "22.00", "approved"));
    for id in [",A,", ",B,"] {
        let [found, fix, upload] = judged("", &orders, &[id]);
        assert!(found[0].starts_with("duplicate_order") && found[1].starts_with("matched"));
        assert!(fix.is_empty() && upload.is_empty());
    }
    assert_eq!(judged("", &orders, &[",C,"])[2], [TORN]);
}

#[test]
fn rows_that_agree_in_more_ids_are_pairs() {
    let shop = |ids, status| (ids, 10, "22.00", status);
    let two = [
        shop("5001,1001,c1", "approved"),
        shop("6001,1001,c2", "approved"),
    ];
    let [found, fix, upload] = judged("", &two, &[",1001,c2"]);
    assert_eq!(
        found,
        ["matched 6001,1001,c2 1", "missing_at_cake 5001,1001,c1"]
    );
    assert!(fix.is_empty());
    assert_eq!(upload.len(), 1);
    assert!(upload[0].starts_with("c1,"), "{upload:?}");
    // The one that was refunded.
    let two = [
        shop("5001,1001,c1", "approved"),
        shop("6001,1001,c2", "reversed"),
    ];
    let [_, fix, upload] = judged("", &two, &[",1001,c2", ",1001,c1"]);
    assert_eq!(fix, ["1,,reversed,5,,FALSE 18.00"]);
    assert!(upload.is_empty());
    // The one that CAKE has twice, and the same by a row of the sale that does not stand.
    for orders in [
        &[shop("6001,1001,c2", "approved")][..],
        &[
            shop("6001,1001,", "approved"),
            ("6001,1001,c2", 11, "22.00", "approved"),
        ],
    ] {
        let [found, fix, _] = judged("", orders, &[",1001,c1", ",1001,c2"]);
        assert!(
            found.contains(&format!("matched {} 2", orders[0].0)),
            "{found:?}"
        );
        assert_eq!(fix, ["1,,rejected,5,,FALSE 18.00"]);
    }
    // By the unique id, and where the order id is the first key.
    let both = [shop("1,,c1", "approved"), shop("1,,c2", "approved")];
    let [found, fix, _] = judged("", &both, &["1,,c2", "1,,c1"]);
    assert_eq!(found, ["matched 1,,c1 2", "matched 1,,c2 1"]);
    assert!(fix.is_empty());
    let both = [shop("U1,1,", "approved"), shop("U2,1,", "approved")];
    for keys in ["keys=orderId,uniqueId", "keys=orderId,clickId,uniqueId"] {
        let [found, ..] = judged(keys, &both, &["U2,1,"]);
        assert_eq!(found, ["matched U2,1, 1", "missing_at_cake U1,1,"]);
    }
}

#[test]
fn a_conversion_that_may_be_one_of_two_sales_holds_both() {
    let of = |ids, revenue, status| (ids, 10, revenue, status);
    let two = [
        of("5001,1001,c1", "22.00", "approved"),
        of("6001,1001,c2", "22.00", "approved"),
    ];
    for theirs in [",1001,", ",1001,c3"] {
        let [found, fix, upload] = judged("", &two, &[theirs]);
        assert!(found.iter().all(|line| line.ends_with(TORN)), "{found:?}");
        assert_eq!([fix, upload], [[TORN], [TORN]], "{theirs}");
    }
    // As many conversions as sales: it matters only where the sales differ.
    let [_, fix, upload] = judged("", &two, &[",1001,", ",1001,"]);
    assert!(fix.is_empty() && upload.is_empty());
    let two = [two[0], of("6001,1001,c2", "22.00", "reversed")];
    let [_, fix, _] = judged("", &two, &[",1001,", ",1001,"]);
    assert_eq!(fix, [TORN; 2]);
    // The click of the other one is told after all.
    let two = [
        of("5001,1001,c1", "22.00", "approved"),
        of("6001,1001,c2", "22.00", "approved"),
    ];
    let [found, ..] = judged("", &two, &[",1001,", ",,c2"]);
    assert_eq!(found, ["matched 5001,1001,c1 1", "matched 6001,1001,c2 2"]);
}

#[test]
fn a_refund_is_of_the_sale_that_agrees_in_more_ids() {
    let two = [
        (",1,c1", 10, "22.00", "approved"),
        (",1,c2", 10, "22.00", "approved"),
    ];
    for (refund, expected) in [
        (",1,c1", &["1,,reversed,5,,FALSE 18.00"][..]),
        (",1,c2", &["2,,reversed,5,,FALSE 18.00"]),
        (",1,", &["refund_unclear", "refund_unclear"]),
        (",1,c9", &["refund_unclear", "refund_unclear"]),
    ] {
        let orders = [two[0], two[1], (refund, 15, "-22.00", "approved")];
        for theirs in [[",,c1", ",,c2"], [",1,c1", ",1,c2"]] {
            let [found, fix, upload] = judged("", &orders, &theirs);
            assert_eq!(fix, expected, "{refund} {found:?}");
            assert!(upload.is_empty());
        }
    }
    // CAKE has one of them, and the refund names the other one's click.
    for (refund, expected) in [
        (",1,c1", "refund_unclear"),
        (",1,c2", "1,,reversed,5,,FALSE 18.00"),
        (",1,", "1,,reversed,5,,FALSE 18.00"),
    ] {
        let orders = [two[0], two[1], (refund, 15, "-22.00", "approved")];
        for theirs in [",,c2", ",1,c2"] {
            let [found, fix, upload] = judged("", &orders, &[theirs]);
            assert_eq!(fix, [expected], "{refund} {theirs} {found:?}");
            assert!(upload.is_empty());
        }
    }
    // Two transactions of an order.
    let orders = [
        ("U1,1,c1", 10, "22.00", "approved"),
        ("U2,1,c2", 10, "22.00", "approved"),
        (",1,c2", 15, "-22.00", "approved"),
    ];
    let [_, fix, _] = judged("", &orders, &["U1,,", "U2,,"]);
    assert_eq!(fix, ["2,,reversed,5,,FALSE 18.00"]);
}

#[test]
fn a_sale_has_the_ids_of_all_of_its_rows() {
    let at = |ids, hour, status| (ids, hour, "22.00", status);
    for (orders, theirs) in [
        (
            [at("1,,c1", 10, "approved"), at("1,,", 10, "approved")],
            ",,c1",
        ),
        (
            [at("1,,c1", 9, "pending"), at("1,,", 10, "approved")],
            ",,c1",
        ),
        (
            [at("1,,", 9, "pending"), at("1,,c1", 10, "approved")],
            ",,c1",
        ),
        (
            [at(",1,c1", 9, "pending"), at(",1,", 10, "approved")],
            ",,c1",
        ),
        (
            [at("1,A,", 10, "approved"), at("1,,c1", 10, "approved")],
            ",A,",
        ),
        (
            [at("1,A,", 10, "approved"), at("1,,c1", 10, "approved")],
            ",,c1",
        ),
        (
            [at("1,A,", 9, "pending"), at("1,,c1", 10, "approved")],
            ",A,",
        ),
    ] {
        // CAKE has it by the ids of either row.
        let [found, fix, upload] = judged("", &orders, &[theirs]);
        assert!(found[0].starts_with("duplicate_order "), "{found:?}");
        assert!(found[1].starts_with("matched "), "{found:?}");
        assert_eq!(found.len(), 2);
        assert!(
            fix.is_empty() && upload.is_empty(),
            "{orders:?} {fix:?} {upload:?}"
        );
        // CAKE has it not: it is uploaded with all of them.
        let [found, _, upload] = judged("", &orders, &["X,X,c9"]);
        assert!(found[0].starts_with("duplicate_order "), "{found:?}");
        let ids = |column: usize| {
            let mut ids = orders
                .iter()
                .filter_map(|order| order.0.split(',').nth(column));
            ids.find(|id| !id.is_empty()).unwrap_or_default()
        };
        assert_eq!(upload.len(), 1);
        assert!(upload[0].starts_with("c1,5,"), "{upload:?}");
        assert!(
            upload[0].ends_with(&format!(",{},{} 22.00", ids(0), ids(1))),
            "{upload:?}"
        );
        // It may be there by nearly the same id.
        if !ids(1).is_empty() {
            let near = format!(",#{},", ids(1));
            assert_eq!(
                judged("", &orders, &[&near])[2],
                ["would_match"],
                "{orders:?}"
            );
        }
    }
    // CAKE has the sale twice: by an id and by the click. A person must look.
    let orders = [at("1,A,", 10, "approved"), at("1,,c1", 10, "approved")];
    let [found, fix, upload] = judged("", &orders, &[",A,", ",,c1"]);
    assert_eq!(
        found,
        [
            "duplicate_conversion ,A, 1",
            "duplicate_order 1,A,",
            "matched 1,,c1 2"
        ]
    );
    assert_eq!(fix, ["shares_only_its_click"]);
    assert!(upload.is_empty());
    // Two clicks of a sale, both beside a row without one.
    let orders = [
        at("1,,", 8, "approved"),
        at("1,,c1", 9, "approved"),
        at("1,,c2", 10, "approved"),
    ];
    for options in ["", "keys=uniqueId"] {
        assert_eq!(judged(options, &orders, &["X,,"])[2], [TORN]);
    }
    let [found, fix, upload] = judged("", &orders, &[",,c2"]);
    assert_eq!(found[2], "matched 1,, 1");
    assert!(fix.is_empty() && upload.is_empty());
    // Two rows of CAKE's have each a part.
    let [found, fix, upload] = judged("", &[at("O,,c1", 10, "approved")], &["A,,", "A,,c1"]);
    assert_eq!(found, ["duplicate_conversion A,,c1 2", "matched O,,c1 1"]);
    assert_eq!(fix, ["no_order_has_its_id"]);
    assert!(upload.is_empty());
}

#[test]
fn rows_without_a_common_kind_of_id_may_be_one_sale() {
    let order = |ids| [(ids, 10, "22.00", "approved")];
    for (ids, theirs, is_held) in [
        ("U1,,k1", ",O1,", true),
        (",O1,k1", "U1,,", true),
        ("U1,,k1", ",,", true),
        ("U1,,k1", "U2,O1,", false),
        ("U1,,k1", ",O1,k2", false),
        ("U1,O2,k1", ",O1,", false),
    ] {
        // Whatever other rows say.
        for others in [&[][..], &["U9,,"], &[",O9,"]] {
            let orders = [&order(ids)[..], &order("U9,O9,k9")].concat();
            let theirs: Vec<&str> = [&[theirs], others].concat();
            let mut report = open("");
            let rows = orders
                .iter()
                .map(|order| format!("{},2026-06-03 10:00:00,22.00,approved\n", order.0));
            add(
                &mut report,
                "kind=orders",
                &(HEADER.to_owned() + &rows.collect::<String>()),
                100,
            )
            .unwrap();
            let rows = (1..).zip(&theirs).map(|(id, ids)| {
                let ids: Vec<&str> = ids.split(',').collect();
                let row = conversion(id, ids[0], "2026-06-03 10:20:00", "22", "18", "approved");
                row.replace(
                    "\"unique_id\"",
                    &format!(
                        "\"click_id\":\"{}\",\"order_id\":\"{}\",\"unique_id\"",
                        ids[2], ids[1]
                    ),
                )
            });
            let text = format!("[{}]", rows.collect::<Vec<_>>().join(","));
            add(&mut report, "kind=conversions", &text, 100).unwrap();
            reconcile(&mut report).unwrap();
            for file in ["file=upload\noffer=5", "reject=unknown_to_advertiser"] {
                report.corrections(file).unwrap();
                let answer: Value = serde_json::from_str(&report.answer).unwrap();
                let first = &answer["corrections"][0];
                // CAKE's row without an id is no unknown one.
                if first.is_object() && first["skipped"].is_null() {
                    assert_eq!(first["keyless"] == true, is_held, "{ids} {theirs:?} {file}");
                }
            }
        }
    }
}
