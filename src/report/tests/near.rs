//! The one rule of nearly the same ids, wherever two rows may be one sale: an order and a part of it, an id with a prefix
//! and one without.

use super::pairs::corrections;
use super::refunds::{HEAD, SALE, at_cake, of, told};
use super::*;

const HEADER: &str = "order_id,click_id,offer_id,date,revenue,status\n";

/// Ids of parts of the order 1001, or of something that belongs to it.
const PARTS: [&str; 34] = [
    "1001-1",
    "1001-R1",
    "1001-REFUND",
    "#1001-R1",
    "1001/R1",
    "1001.1",
    "1001_1",
    "1001R",
    "1001 (refund)",
    "1001-return-2",
    "ORD-1001-1",
    "b-1001-A",
    "b-1001",
    "заказ-1001",
    "1001 (2)",
    "1001[1]",
    "1001#1",
    "1001+1",
    "1001 1",
    "1001--1",
    "1001-1-1",
    "1001-1-R",
    "1001-1 (refund)",
    "1001-001",
    "1001-100",
    "1001-R123",
    "1001-R1234",
    "1001-REF-2026",
    "1001-Rückerstattung",
    "1001 возврат",
    "1001 返金",
    "1001-Remboursé",
    "1001%2D1",
    "1001\u{a0}1",
];

/// Other orders, each with a part of it.
const OTHERS: [(&str, &str); 22] = [
    ("2026-1001", "2026-1001-1"),
    ("2026-1001", "2026-1001.1"),
    ("2026-1001", "2026-1001/1"),
    ("2026-1001", "2026-1001-001"),
    ("2026-1001", "2026-1001-R1"),
    ("20261001", "2026-1001 (1)"),
    ("2026-1001", "ORD-2026-1001-1"),
    ("ORD-2026-1001", "ORD-2026-1001-1"),
    ("ORD/2026/1001", "ORD/2026/1001-1"),
    ("111-1234567-1234567", "111-1234567-1234567-1"),
    ("111-1234567-1234567", "111-1234567-1234567-R1"),
    ("W1001X", "W1001X-1"),
    ("W1001X", "W1001X_refund"),
    ("XKBKNABJK", "XKBKNABJK-1"),
    ("XKBKNABJK", "XKBKNABJK-R1"),
    ("XKBKNABJK", "XKBKNABJK_refund"),
    ("VHQ2VJ5FS", "VHQ2VJ5FS-R1"),
    (
        "pi_3NqXa2eZvKYlo2C1aBcDeFgH",
        "pi_3NqXa2eZvKYlo2C1aBcDeFgH-1",
    ),
    (UUID, "13b9ae60-4f60-4c9e-bf75-626dca035acf-1"),
    (UUID, "13B9AE60-4F60-4C9E-BF75-626DCA035ACF-R1"),
    (UUID, "13b9ae604f604c9ebf75626dca035acf (refund)"),
    ("1001-1", "1001-1-R"),
];

const UUID: &str = "13b9ae60-4f60-4c9e-bf75-626dca035acf";

/// Two orders, of which neither is a part of the other.
const APART: [(&str, &str); 19] = [
    ("1001-1", "1001-2"),
    ("1001-A", "1001-B"),
    ("1001", "10011"),
    ("1001-1", "1002"),
    ("1001-1", "10011"),
    ("1001 (2)", "10012"),
    ("1001", "1001-1001"),
    ("2026-1001", "2026-1002"),
    ("2026-1001-1", "2026-1001-2"),
    ("2026-1001-1", "2026-1002"),
    ("2026", "2026-1001"),
    ("123-456", "123-456-789"),
    ("111-1234567-1234567-1", "111-1234567-1234567-2"),
    ("A-3-26", "A-4"),
    ("ORD-26", "ORD-27"),
    ("ORD", "ORD-26"),
    ("W1001X-1", "W1001Y"),
    ("VHQ2VJ5FS", "VHQ2VJ5F"),
    ("9f86d081-884c", "9f86d081-884c-4d63-a1b2-0f00a08c3d11"),
];

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_1001 = PARTS.into_iter().map(|part| ("1001", part));
    of_1001.chain(OTHERS)
}

/// What becomes of a conversion that no order has, beside this order.
fn rejected(order: &str, id: &str) -> Vec<String> {
    let mut report = open("");
    let [order, id] = [order.replace('"', "\"\""), id.replace('"', "\\\"")];
    let orders = format!("{HEADER}\"{order}\",c1,5,2026-06-20 10:00:00,22.00,approved\n");
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    let row = conversion(9, &id, "2026-06-20 12:00:00", "22", "18", "approved");
    add(&mut report, "kind=conversions", &row, 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let fixes = corrections(&mut report, "reject=unknown_to_advertiser");
    let uploads = corrections(&mut report, "file=upload\noffer=5");
    [fixes, uploads].concat()
}

#[test]
fn a_part_at_cake_is_not_rejected_and_its_order_not_uploaded() {
    for (whole, part) in pairs() {
        for (order, id) in [(whole, part), (part, whole)] {
            let found = rejected(order, id);
            assert_eq!(found, ["would_match"; 2], "{order} {id}");
        }
    }
    // A prefix before a part, and several words of one order.
    for (order, id) in [("b-1001-1", "1001-1"), ("1001-1", "1001-1-A")] {
        assert_eq!(rejected(order, id), ["would_match"; 2], "{order} {id}");
    }
    // Two parts of an order, and two shops' prefixes, are two sales.
    let apart = APART.into_iter().chain([("a-1001", "b-1001")]);
    for (order, id) in apart.flat_map(|(one, other)| [(one, other), (other, one)]) {
        let found = rejected(order, id);
        assert!(
            found.iter().all(|line| line != "would_match"),
            "{order} {id} {found:?}"
        );
    }
}

/// Ids that are one in other letters, or of which one stands in a longer text.
const WRITTEN: [(&str, &str); 65] = [
    ("١٠٠١", "1001"),
    ("۱۰۰۱", "1001"),
    ("१००१", "1001"),
    ("๑๐๐๑", "1001"),
    ("１００１", "1001"),
    ("ORD-١٠٠١", "ord1001"),
    ("۱۰۰۱", "١٠٠١"),
    ("Café-1001", "Cafe-1001"),
    ("Cafe\u{301}-1001", "Cafe-1001"),
    ("Cafe\u{301}-1001", "CAFÉ-1001"),
    ("Straße-1001", "Strasse-1001"),
    ("STRASSE-1001", "straße-1001"),
    ("Œuvre-1001", "oeuvre-1001"),
    ("Łódź-1001", "Lodz-1001"),
    ("Ștefan-1001", "S\u{326}tefan-1001"),
    ("Ştefan-1001", "Stefan-1001"),
    ("Huế-1001", "Hue\u{302}\u{301}-1001"),
    ("Huế-1001", "HUE-1001"),
    ("ЗАКАЗ-1001", "заказ-1001"),
    ("Чай-1001", "чаи\u{306}-1001"),
    ("Ёлка-1001", "елка-1001"),
    ("Τάξη-1001", "ΤΑΞΗ-1001"),
    ("https://shop.example/orders/1001", "1001"),
    ("https://shop.example/orders/1001", "#1001"),
    (
        "https://shop.example/checkout/order-received/1001/?key=wc_order_a",
        "1001",
    ),
    (
        "http://shop.example:8080/index.php?route=order&order_id=1001#top",
        "1001",
    ),
    ("shop.example/account/orders/ORD-1001", "ord-1001"),
    ("https://shop.example/orders/١٠٠١", "1001"),
    ("1001;1002", "1001"),
    ("1001; 1002", "1002"),
    ("1001, 1002", "1001"),
    ("1001,1002,1003", "1003"),
    ("1001;1002;", "1002"),
    ("1001;&#35;1002", "1002"),
    ("1001|1002", "1002"),
    ("1001 / 1002", "1002"),
    ("#1001 & #1002", "1002"),
    ("１００１；１００２", "1002"),
    ("1001、1002", "1002"),
    ("ORD-1001;ORD-1002", "ord1002"),
    ("1001/1002", "1001"),
    ("1001+1002", "1002"),
    ("1001&1002", "#1002"),
    ("1001 1002", "1002"),
    ("#1001 #1002", "1002"),
    ("#1001#1002", "1002"),
    ("1001 and 1002", "1001"),
    ("1001 und 1002", "ORD-1002"),
    ("1001 - 1002", "1002"),
    ("1001 (1002)", "1002"),
    ("999/1000", "1000"),
    ("2025/2026", "2026"),
    ("ORD-2026-1001/ORD-2026-1002", "ORD-2026-1002"),
    ("1001/1002", "1002,1001"),
    ("1001;1002", "1002;1003"),
    ("ORD-1001 ORD-1002", "1002 / 1001"),
    ("1001 and 1002", "1001+1002"),
    ("12,34,567", "1234567"),
    ("1,23,45,678", "12345678"),
    (
        "=HYPERLINK(\"https://shop.example/orders/1001\",\"1001\")",
        "1001",
    ),
    ("=HYPERLINK(\"https://shop.example/\";\"#1001\")", "1001"),
    ("https://shop.example/admin/orders/1001.html", "1001"),
    ("https://shop.example/orders/ORD-1001.json?a=b", "ord1001"),
    ("5E+12", "5001234567890"),
    ("2E+12", "1795361234567"),
];

#[test]
fn an_id_in_other_letters_or_in_a_longer_text_is_nearly_the_same() {
    for (one, other) in WRITTEN {
        for (order, id) in [(one, other), (other, one)] {
            let found = rejected(order, id);
            assert_eq!(found, ["would_match"; 2], "{order} {id}");
        }
    }
    for (one, other) in [
        ("Café-1001", "Cafu-1001"),
        ("Caf\u{e9}-1001", "Cafe-1002"),
        ("١٠٠١", "1002"),
        ("ЗАКАЗ-1001", "ЗАКОН-1001"),
        ("1001;1002", "1003"),
        // Cells of several ids, and numbers of a year and a thousand.
        ("2026;1001", "2026;1002"),
        ("1,001", "1"),
        ("2026/1001", "1001"),
        ("2026 1001", "1001"),
        ("1001/1", "1"),
        ("1001 (2)", "2"),
        ("20260620 0001", "1"),
        ("123 456", "456"),
        ("5E+12", "6001234567890"),
        ("shop;1001", "shop"),
        ("1001,", "10"),
        (
            "https://shop.example/orders/1001",
            "https://shop.example/orders/1002",
        ),
    ] {
        for (order, id) in [(one, other), (other, one)] {
            let found = rejected(order, id);
            assert!(
                found.iter().all(|line| line != "would_match"),
                "{order} {id} {found:?}"
            );
        }
    }
}

#[test]
fn an_id_that_many_cells_have_holds_none_of_them() {
    for sign in ["/", "; ", " "] {
        let held = |count: u32| {
            // A click may bring several sales.
            let orders = (1..=count)
                .map(|id| format!("EU1{sign}{id:04},c1,5,2026-06-20 10:00:00,22.00,approved\n"));
            let orders = [HEADER.to_owned(), orders.collect()].concat();
            let id = format!("EU1{sign}1001");
            let row = conversion(1, &id, "2026-06-20 12:00:00", "22", "18", "approved");
            let mut report = of("", &[("", &orders)], &row);
            let mut lines = corrections(&mut report, "file=upload\noffer=5");
            lines.retain(|line| !line.contains("EU1"));
            lines
        };
        assert!(held(300).is_empty(), "{sign}");
    }
}

#[test]
fn a_cell_of_several_ids_and_one_of_them_are_not_both_uploaded() {
    let upload = |one: &str, other: &str, click: &str| {
        let row = |id: &str, click: &str| {
            format!("\"{id}\",{click},5,2026-06-20 10:00:00,22.00,approved\n")
        };
        let orders = [HEADER, &row(one, "c1"), &row(other, click)].concat();
        corrections(&mut of("", &[("", &orders)], "[]"), "file=upload\noffer=5")
    };
    for click in ["c1", "c2"] {
        assert_eq!(
            upload("1001;1002", "1001", click),
            ["may_be_another_order"; 2]
        );
    }
    // Two cells that share an id are one sale by their click alone.
    let cells = upload("1001/1002", "1002;1001", "c1");
    assert_eq!(cells, ["may_be_another_order"; 2]);
    assert!(
        upload("1001/1002", "1002;1003", "c2")
            .iter()
            .all(|line| line.contains("1002"))
    );
    // Two shops may have one number.
    let address = "https://shop.example/orders/1001";
    assert_eq!(upload(address, "1001", "c1"), ["may_be_another_order"; 2]);
    assert!(
        upload(address, "1001", "c2")
            .iter()
            .all(|line| line.contains("1001"))
    );
    // Nor where a part of a report has one of them alone.
    for orders in ["1001;1002", "https://shop.example/orders/1001"] {
        let row = format!("{HEADER}\"{orders}\",c1,5,2026-06-20 10:00:00,22.00,approved\n");
        let parts = (1..=4).map(|part| {
            let mut report = of(&format!("part={part}/4\nkeys=orderId"), &[("", &row)], "[]");
            corrections(&mut report, "file=upload\noffer=5").concat()
        });
        assert_eq!(parts.collect::<String>(), "near_misses_not_searched");
    }
}

#[test]
fn each_of_several_rows_of_one_form_has_its_neighbour() {
    let mut report = open("");
    let order = |id: &str, unique: &str| {
        format!("{unique},{id},c{unique},5,2026-06-20 10:00:00,22.00,approved\n")
    };
    // The first order stands beside its own part, the second one is the whole.
    let orders = format!(
        "unique_id,{HEADER}{}{}",
        order("1001", "1001-3"),
        order("1001", "T7")
    );
    add(&mut report, "kind=orders", &orders, 1_000).unwrap();
    let rows: Vec<String> = (1..4)
        .map(|id| {
            let unique = format!("1001-{}", id + 3);
            conversion(id, &unique, "2026-06-20 12:00:00", "22", "18", "approved")
        })
        .collect();
    add(&mut report, "kind=conversions", &rows.join("\n"), 1_000).unwrap();
    reconcile(&mut report).unwrap();
    let fixes = corrections(&mut report, "reject=unknown_to_advertiser");
    assert_eq!(fixes, ["would_match"; 3]);
}

#[test]
fn a_refund_of_a_part_holds_its_order_back() {
    for (whole, part) in pairs() {
        let refund = format!("{part},,,7,2026-06-21 10:00:00,-22.00,,approved,\n");
        let sale = SALE.replace("1001", whole);
        let files = [("", [HEAD, &sale, &refund].concat())];
        let files = files
            .each_ref()
            .map(|(options, text)| (*options, text.as_str()));
        let [_, _, upload] = told(&mut of("", &files, "[]"));
        assert_eq!(upload, "refund_unclear", "{part}");
        let row = at_cake("10.00", "2026-06-20 10:00:00").replace("1001", whole);
        let [_, correction, _] = told(&mut of("", &files, &row));
        assert_eq!(correction, "refund_unclear", "{part}");
    }
    let other = "1002-R1,,,7,2026-06-21 10:00:00,-22.00,,approved,\n";
    let files = [("", [HEAD, SALE, other].concat())];
    let files = files
        .each_ref()
        .map(|(options, text)| (*options, text.as_str()));
    assert!(told(&mut of("", &files, "[]"))[2].contains("1001"));
}

#[test]
fn an_order_and_its_part_in_the_orders_are_not_both_uploaded() {
    const HELD: &str = "may_be_another_order";
    let upload = |rows: &[&str]| {
        let rows = rows.iter().map(|row| format!("{row}\n"));
        let orders = HEADER.to_owned() + &rows.collect::<String>();
        let files = [("", orders.as_str())];
        corrections(&mut of("", &files, "[]"), "file=upload\noffer=5")
    };
    let row = |id: &str, click: &str, status: &str| {
        format!("{id},{click},5,2026-06-20 10:00:00,22.00,{status}")
    };
    let approved = |id: &str, click: &str| row(id, click, "approved");
    for (whole, part) in pairs() {
        let found = upload(&[&approved(whole, "c1"), &approved(part, "c1")]);
        assert_eq!(found, [HELD; 2], "{part}");
    }
    for (one, other) in APART {
        let found = upload(&[&approved(one, "c1"), &approved(other, "c2")]);
        assert!(!found.contains(&HELD.to_owned()), "{one} {other} {found:?}");
    }
    // Ids of a year and a number, with parts of one of them.
    let ids = (1001..1031).map(|number| format!("2026-{number}"));
    let more = [
        "A-3-26",
        "A-4-26",
        "ORD-26",
        "ORD-27",
        "26-1",
        "26-2",
        "2026-1001-001",
    ];
    let rows = ids.chain(more.map(str::to_owned));
    let rows: Vec<String> = rows.map(|id| approved(&id, &format!("c{id}"))).collect();
    let found = upload(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let is_held = |line: &&String| *line == HELD;
    assert_eq!(found.iter().filter(is_held).count(), 2, "{found:?}");
    // Two shops may have one number, but not with one click.
    let found = upload(&[&approved("1001", "c1"), &approved("b-1001", "c1")]);
    assert_eq!(found, [HELD; 2]);
    let found = upload(&[&approved("1001", "c1"), &approved("b-1001", "c2")]);
    assert_eq!(
        found.iter().filter(|line| *line == HELD).count(),
        0,
        "{found:?}"
    );
    // Parts that are sales of their own, and a part that has taken the place of its order.
    let found = upload(&[&approved("1001-1", "c1"), &approved("1001-2", "c1")]);
    assert!(!found.contains(&HELD.to_owned()), "{found:?}");
    let found = upload(&[&row("1001", "c1", "rejected"), &approved("1001-1", "c1")]);
    assert!(found[0] == "not_approved" && found[1] != HELD, "{found:?}");
}

/// The lines of the journal like the orders of the second file, once the first one was uploaded.
fn like(first: &[&str], second: &[&str], options: &str) -> Vec<bool> {
    let ask = |rows: &[&str], options: &str, more: &str| {
        let rows = rows.iter().map(|row| format!("{row}\n"));
        let orders = HEADER.to_owned() + &rows.collect::<String>();
        let mut report = of("", &[(options, orders.as_str())], "[]");
        report
            .corrections(&format!("file=upload\noffer=5{more}"))
            .unwrap();
        let answer: Value = serde_json::from_str(&report.answer).unwrap();
        answer["corrections"].as_array().unwrap().clone()
    };
    let journal = ask(first, "", "");
    let journal = journal
        .iter()
        .map(|line| format!("\njournal={}", line["journal"].as_str().unwrap()));
    let found = ask(second, options, &journal.collect::<String>());
    found.iter().map(|line| line["like"].is_array()).collect()
}

#[test]
fn the_journal_knows_parts_of_an_order_and_prefixes() {
    let row = |id: &str, money: &str| format!("{id},c1,5,2026-06-20 10:00:00,{money},approved");
    let whole = row("1002", "22.00");
    for (one, other) in [
        ("1002-1", "1002-2"),
        ("1002.1", "1002.2"),
        ("1002_1", "1002_2"),
        ("1002-A", "1002-B"),
        ("ORD-1002-1", "ORD-1002-2"),
        ("1002 (1)", "1002 (2)"),
        ("1002-001", "1002-002"),
        ("1002 1", "1002 2"),
    ] {
        let parts = [row(one, "12.00"), row(other, "10.00")];
        let parts = parts.each_ref().map(String::as_str);
        assert_eq!(like(&[&whole], &parts, ""), [true; 2], "{one}");
        assert_eq!(like(&parts, &[&whole], ""), [true], "{one}");
        // The second part is another sale.
        assert_eq!(like(&parts[..1], &parts[1..], ""), [false], "{one}");
    }
    for id in ["1002.1", "b-1002", "ORD1002", "#1002", "0001002", "1 002"] {
        for date in ["2026-06-20 10:00:00", "2026-06-20 11:00:00"] {
            let changed = format!("{id},c1,5,{date},21.00,approved");
            assert_eq!(like(&[&whole], &[&changed], ""), [true], "{id}");
            assert_eq!(like(&[&changed], &[&whole], ""), [true], "{id}");
        }
    }
    for (whole, part) in OTHERS {
        let [whole, part] = [row(whole, "22.00"), row(part, "21.00")];
        assert_eq!(like(&[&whole], &[&part], ""), [true], "{part}");
        assert_eq!(like(&[&part], &[&whole], ""), [true], "{part}");
    }
    for (one, other) in APART {
        let one = row(one, "22.00");
        let other = row(other, "21.00").replace("c1", "c2");
        assert_eq!(like(&[&one], &[&other], ""), [false], "{other}");
    }
    let changed = row("1002", "21.00");
    assert_eq!(like(&[&whole], &[&changed], "cakePrefix=b-"), [true]);
    // Another shop's order of another click.
    let other = "b-1002,c2,5,2026-06-20 10:00:00,22.00,approved";
    assert_eq!(like(&[&whole], &[other], ""), [false]);
}
