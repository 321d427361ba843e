//! An id that a spreadsheet has shortened, or that is a constant, proves nothing: no match, and no repetition.

use super::pairs::corrections;
use super::*;

const HEADER: &str = "order_id,click_id,date,revenue,status\n";

/// A row of CAKE's: its unique id, its click and its day.
type Row = (&'static str, &'static str, u32);

/// The class of each row, with its ids; then the corrections and the upload.
fn judged(options: &str, orders: &str, conversions: &[Row]) -> [Vec<String>; 3] {
    let mut report = open(options);
    add(
        &mut report,
        "kind=orders",
        &format!("{HEADER}{orders}"),
        1_000,
    )
    .unwrap();
    let conversions: Vec<String> = (1..)
        .zip(conversions)
        .map(|(id, &(unique, click, day))| {
            let date = format!("2026-06-0{day} 10:00:00");
            let row = conversion(id, unique, &date, "22", "18", "approved");
            row.replace(
                "\"unique_id\"",
                &format!("\"click_id\":\"{click}\",\"unique_id\""),
            )
        })
        .collect();
    let conversions = format!("[{}]", conversions.join(","));
    add(&mut report, "kind=conversions", &conversions, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let found = rows(&mut report, "").into_iter().map(|row| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let near = &row["wouldMatch"][0]["without"];
        format!(
            "{} {} {} {}",
            text(&row["class"]),
            text(&row["order"]["clickId"]),
            text(&row["conversion"]["conversionId"]),
            near.as_str().unwrap_or("")
        )
        .trim_end()
        .to_owned()
    });
    let found = found.collect();
    let fixes = corrections(&mut report, "");
    [
        found,
        fixes,
        corrections(&mut report, "file=upload\noffer=5"),
    ]
}

const TWO: &str = "1795360000001,k1,2026-06-03 10:00:00,22.00,approved\n\
    1795360000002,k2,2026-06-04 10:00:00,22.00,approved\n";
const LONG: &str = "17953600000001234,k1,2026-06-03 10:00:00,22.00,approved\n\
    17953600000001245,k2,2026-06-04 10:00:00,22.00,approved\n";
/// Ids of 18 digits, and what JavaScript makes of both.
const WIDE: &str = "576461413038785752,k1,2026-06-03 10:00:00,22.00,approved\n\
    576461413038785781,k2,2026-06-04 10:00:00,22.00,approved\n";
const DOUBLE: &str = "576461413038785800";
const CUT: [&str; 2] = ["1.79536E+12", "1,79536E+12"];
const ROUND: &str = "17953600000001200";

#[test]
fn conversions_whose_ids_were_shortened_are_hints() {
    let near = |difference: &str| {
        [
            format!("missing_at_cake k1 - {difference}"),
            format!("missing_at_cake k2 - {difference}"),
            "unknown_to_advertiser - 1".to_owned(),
            "unknown_to_advertiser - 2".to_owned(),
        ]
    };
    for (orders, id, difference) in [
        (TWO, CUT[0], "exponent"),
        (TWO, CUT[1], "exponent"),
        (LONG, ROUND, "rounding"),
        (WIDE, DOUBLE, "rounding"),
    ] {
        let [found, fixes, upload] = judged("", orders, &[(id, "", 3), (id, "", 4)]);
        assert_eq!(found, near(difference), "{id}");
        assert!(fixes.is_empty(), "{id}");
        assert_eq!(upload, ["would_match"; 2], "{id}");
        // Their clicks are their own.
        let [found, fixes, upload] = judged("", orders, &[(id, "k1", 3), (id, "k2", 4)]);
        assert_eq!(found, ["matched k1 1", "matched k2 2"], "{id}");
        assert!(fixes.is_empty() && upload.is_empty(), "{id}");
    }
    // A shortened id on either side is one text, and still no match.
    for id in [CUT[0], ROUND] {
        let orders = format!("{id},k1,2026-06-03 10:00:00,22.00,approved\n").repeat(2);
        let [found, fixes, upload] = judged("keys=uniqueId", &orders, &[(id, "", 3), (id, "", 4)]);
        assert!(
            found
                .iter()
                .all(|row| !row.starts_with("matched") && !row.starts_with("dup")),
            "{found:?}"
        );
        assert!(fixes.is_empty());
        assert_eq!(upload, ["would_match"; 2]);
    }
}

#[test]
fn orders_whose_ids_were_shortened_stay_two_and_are_not_uploaded() {
    for id in [CUT[0], ROUND] {
        let orders = format!(
            "{id},c1,2026-06-03 10:00:00,22.00,approved\n{id},c2,2026-06-04 10:00:00,33.00,approved\n"
        );
        let [found, _, upload] = judged("", &orders, &[("x", "", 3)]);
        assert_eq!(
            found,
            [
                "missing_at_cake c1 -",
                "missing_at_cake c2 -",
                "unknown_to_advertiser - 1"
            ],
            "{id}"
        );
        assert_eq!(upload, ["shortened_id"; 2], "{id}");
    }
}

#[test]
fn long_numbers_that_no_spreadsheet_has_touched_prove_what_they_say() {
    // One of ten numbers ends in a zero, and another one of the file has lost nothing.
    let order = |id: &str| format!("{id},c1,2026-06-03 10:00:00,22.00,approved\n");
    let orders = order("1795360000000120").repeat(2) + &order("1795360000000121");
    let [found, fixes, upload] = judged(
        "keys=uniqueId",
        &orders,
        &[
            ("1795360000000120", "", 3),
            ("1795360000000120", "", 4),
            ("1795360000000120", "", 5),
        ],
    );
    assert_eq!(
        found,
        [
            "matched c1 1",
            "duplicate_order c1 -",
            "missing_at_cake c1 -",
            "duplicate_conversion - 2",
            "duplicate_conversion - 3"
        ]
    );
    assert_eq!(fixes, ["orders_repeat_too", "3,,rejected,5,,FALSE 18.00"]);
    assert_eq!(upload.len(), 1);
    // Hexadecimal numbers.
    let [found, ..] = judged("", &order("5e12"), &[("5e12", "", 3)]);
    assert_eq!(found, ["matched c1 1"]);
}

#[test]
fn a_constant_in_place_of_the_unique_id_rejects_and_uploads_nothing() {
    let orders: String = (1..4)
        .map(|day| format!("A{day},k{day},2026-06-0{day} 10:00:00,22.00,approved\n"))
        .collect();
    let [found, fixes, upload] = judged(
        "",
        &orders,
        &[
            ("myshop", "k1", 1),
            ("myshop", "k2", 2),
            ("myshop", "k3", 3),
        ],
    );
    assert_eq!(found, ["matched k1 1", "matched k2 2", "matched k3 3"]);
    assert!(fixes.is_empty() && upload.is_empty());
    // The report call has no clicks.
    let [found, fixes, _] = judged("", &orders, &[("myshop", "", 1), ("myshop", "", 2)]);
    assert_eq!(
        found[3..],
        ["unknown_to_advertiser - 1", "duplicate_conversion - 2"]
    );
    assert_eq!(fixes, ["no_order_has_its_id"]);
    // The same on the orders' side.
    let orders: String = (1..4)
        .map(|day| format!("web,k{day},2026-06-0{day} 10:00:00,22.00,approved\n"))
        .collect();
    let [found, fixes, upload] = judged(
        "",
        &orders,
        &[("A1", "k1", 1), ("A2", "k2", 2), ("A3", "k3", 3)],
    );
    assert_eq!(found, ["matched k1 1", "matched k2 2", "matched k3 3"]);
    assert!(fixes.is_empty() && upload.is_empty());
}

#[test]
fn a_repetition_with_another_orders_click_is_that_orders_sale() {
    let orders =
        "A,k1,2026-06-01 10:00:00,22.00,approved\nB,k2,2026-06-02 10:00:00,22.00,approved\n";
    let [found, fixes, upload] = judged("", orders, &[("A", "k1", 1), ("A", "k2", 2)]);
    assert_eq!(found, ["matched k1 1", "matched k2 2"]);
    assert!(fixes.is_empty() && upload.is_empty());
    // The click is no other order's: it is the order that was told twice.
    let [found, fixes, _] = judged(
        "",
        orders,
        &[("A", "k1", 1), ("A", "k9", 2), ("A", "k9", 3)],
    );
    assert_eq!(
        found,
        [
            "matched k1 1",
            "missing_at_cake k2 -",
            "duplicate_conversion - 2",
            "duplicate_conversion - 3"
        ]
    );
    assert_eq!(
        fixes,
        ["2,,rejected,5,,FALSE 18.00", "3,,rejected,5,,FALSE 18.00"]
    );
    // Or the order that was told has its conversion already.
    let [found, ..] = judged(
        "",
        orders,
        &[("A", "k1", 1), ("A", "k2", 2), ("B", "k2", 2)],
    );
    assert_eq!(
        found,
        ["matched k1 1", "matched k2 3", "duplicate_conversion - 2"]
    );
}

#[test]
fn an_id_of_several_conversions_that_no_order_has_may_be_any_order() {
    let mut report = open("");
    let orders = "order_id,click_id,offer_id,date,revenue,status\nA1,k1,5,2026-06-01 10:00:00,22.00,approved\n";
    add(&mut report, "kind=orders", orders, 1_000).unwrap();
    let rows =
        [1, 2].map(|id| conversion(id, "myshop", "2026-06-01 10:00:00", "22", "18", "approved"));
    add(
        &mut report,
        "kind=conversions",
        &format!("[{}]", rows.join(",")),
        1_000,
    )
    .unwrap();
    reconcile(&mut report).unwrap();
    report.corrections("file=upload").unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(answer["corrections"][0]["keyless"], true);
    assert_eq!(answer["keyless"], 1);
}

/// The lines of a file that only a row without a common key may be, then the number of such rows.
fn keyless(report: &mut Report, options: &str) -> (Vec<String>, u64) {
    report.corrections(options).unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    let lines = answer["corrections"].as_array().unwrap().iter();
    let marked = lines.filter(|line| line["keyless"] == true);
    let first = |line: &Value| {
        let cells = line["cells"].as_array().unwrap().iter();
        cells.map(|cell| cell.as_str().unwrap()).collect::<String>()
    };
    (
        marked.map(first).collect(),
        answer["keyless"].as_u64().unwrap(),
    )
}

#[test]
fn ids_that_a_spreadsheet_made_dates_of_prove_nothing_and_are_held() {
    for (date, id) in [
        ("Jan-01", "5001-1"),
        ("12-Jan", "12-1"),
        ("5-Mar", "3-5"),
        ("Jun-26", "2026-6"),
        ("01. Jan", "1-1"),
        ("03/04/2026", "3-4-26"),
        ("2026-03-04", "3-4-26"),
        ("2026-03-04 00:00:00", "3-4-26"),
        ("04.03.26", "4-3-26"),
        ("4-мар", "3-4"),
        ("3月4日", "3-4"),
        ("3.4.2026", "3-4-26"),
    ] {
        let order =
            |id: &str, click: &str| format!("{id},{click},2026-06-03 10:00:00,22.00,approved\n");
        let orders = order(date, "k1") + &order(date, "k2");
        // The conversion has no click.
        let [found, _, upload] = judged("", &orders, &[(id, "", 3)]);
        assert_eq!(
            found,
            [
                "missing_at_cake k1 -",
                "missing_at_cake k2 -",
                "unknown_to_advertiser - 1"
            ],
            "{date}"
        );
        assert_eq!(upload, ["shortened_id"; 2], "{date}");
        // Both files were saved: equal dates are no match, and clicks are one.
        let [found, fixes, upload] = judged("", &orders, &[(date, "", 3), (date, "", 4)]);
        assert!(
            found
                .iter()
                .all(|row| !row.starts_with("matched") && !row.starts_with("dup")),
            "{found:?}"
        );
        assert!(fixes.is_empty(), "{date}");
        assert!(upload.iter().all(|line| !line.contains(',')), "{upload:?}");
        let [found, ..] = judged("", &orders, &[(date, "k2", 3), (date, "k1", 4)]);
        assert_eq!(found, ["matched k1 2", "matched k2 1"], "{date}");
        // The order of a conversion that nobody knows may be the date.
        let mut report = open("");
        add(
            &mut report,
            "kind=orders",
            &format!("{HEADER}{}", order(date, "k1")),
            1_000,
        )
        .unwrap();
        let row = conversion(1, id, "2026-06-03 10:00:00", "22", "18", "approved");
        add(&mut report, "kind=conversions", &row, 1_000).unwrap();
        reconcile(&mut report).unwrap();
        let (lines, count) = keyless(&mut report, "reject=unknown_to_advertiser");
        assert_eq!((lines.len(), count), (1, 1), "{date}");
        // The conversion, or the forwarder's event, of an order that nobody has may be the date.
        for kind in ["conversions", "deliveries"] {
            let mut report = open("");
            add(
                &mut report,
                "kind=orders",
                &format!("{HEADER}{}", order(id, "k1")),
                1_000,
            )
            .unwrap();
            let row = if kind == "conversions" {
                conversion(1, date, "2026-06-03 10:00:00", "22", "18", "approved")
            } else {
                format!("unique_id,state\n{date},delivered\n")
            };
            add(&mut report, &format!("kind={kind}"), &row, 1_000).unwrap();
            reconcile(&mut report).unwrap();
            let (lines, count) = keyless(&mut report, "file=upload\noffer=5");
            assert_eq!((lines.len(), count), (1, 1), "{date} {kind}");
        }
    }
}

#[test]
fn numbers_of_a_shop_that_look_like_dates_are_its_own() {
    // The 45th order of June is no date, so that the others are none.
    let order =
        |id: &str, click: &str| format!("{id},{click},2026-06-03 10:00:00,22.00,approved\n");
    for (one, other) in [("3/06/2026", "45/06/2026"), ("2026-06-03", "2026-06-45")] {
        let orders = order(one, "k1") + &order(other, "k2");
        let [found, fixes, upload] = judged("", &orders, &[(one, "", 3)]);
        assert_eq!(found, ["matched k1 1", "missing_at_cake k2 -"]);
        assert!(fixes.is_empty());
        assert_eq!(upload.len(), 1);
    }
    for id in ["100.1", "1001-1", "MAR-05", "2026-06-001", "Jan-001"] {
        let [found, ..] = judged("", &order(id, "k1"), &[(id, "", 3)]);
        assert_eq!(found, ["matched k1 1"], "{id}");
        let [_, _, upload] = judged("", &order(id, "k1"), &[("x", "", 3)]);
        assert!(upload[0].contains(id), "{upload:?}");
    }
}
