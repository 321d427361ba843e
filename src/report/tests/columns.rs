//! Columns by the names that shops' programs and people give them.

use super::refunds::{of, told};
use super::*;

#[test]
fn a_status_of_the_payment_is_the_orders_status() {
    for column in [
        "Financial Status",
        "Payment Status",
        "transaction_status",
        "displayFinancialStatus",
        "Payment State",
        "Sale Status",
        "Conversion Status",
        "Transaction State",
        "Commission Status",
        "Action Status",
        "Status Name",
        "post_status",
    ] {
        let file = |word: &str| {
            format!("order_id,date,revenue,{column}\n1001,2026-06-03 10:00:00,22.00,{word}\n")
        };
        let row = conversion(
            1,
            "1001",
            "2026-06-03 10:00:00",
            "22.00",
            "18.00",
            "approved",
        );
        let mapped = "status.paid=approved\nstatus.refunded=reversed";
        for (word, expected) in [
            ("paid", "matched"),
            ("refunded", "status_differs status_differs"),
        ] {
            let [found, ..] = told(&mut of(mapped, &[("", &file(word))], &row));
            assert_eq!(found, expected, "{column} {word}");
            // Nothing is guessed of a word that is not mapped.
            let error = add(&mut open(""), "kind=orders", &file(word), 50).unwrap_err();
            assert_eq!(error.code(), "unmapped_status", "{column} {word}");
        }
        // The worse of two words counts, and the one that is not empty.
        for (own, word, expected) in [
            ("approved", "paid", "matched"),
            ("approved", "refunded", "status_differs status_differs"),
            ("refunded", "paid", "status_differs status_differs"),
            ("", "refunded", "status_differs status_differs"),
            ("refunded", "", "status_differs status_differs"),
            ("approved", "", "matched"),
        ] {
            let both = file(word)
                .replace("date,", "date,status,")
                .replace("10:00:00,", &format!("10:00:00,{own},"));
            let json = format!(
                r#"[{{"order_id":"1001","date":"2026-06-03 10:00:00","revenue":"22.00","{column}":"{word}","status":"{own}"}}]"#
            );
            let turned = format!(
                r#"[{{"order_id":"1001","status":"{own}","date":"2026-06-03 10:00:00","revenue":"22.00","{column}":"{word}"}}]"#
            );
            for text in [&both, &json, &turned] {
                let [found, ..] = told(&mut of(mapped, &[("", text)], &row));
                assert_eq!(found, expected, "{column} {own} {word} {text}");
            }
            // The caller's column is the only one.
            let declared = format!("column.status={column}");
            let [found, ..] = told(&mut of(mapped, &[(&declared, &both)], &row));
            let is_back = word == "refunded";
            let expected = if is_back {
                "status_differs status_differs"
            } else {
                "matched"
            };
            assert_eq!(found, expected, "{column} {own} {word}");
        }
        // Nothing is guessed of a second word either, and no third one is passed over.
        let both = file("refunded")
            .replace("date,", "date,status,")
            .replace("10:00:00,", "10:00:00,approved,");
        let error = add(&mut open(""), "kind=orders", &both, 50).unwrap_err();
        assert_eq!(error.code(), "unmapped_status", "{column}");
        assert!(
            error.to_string().contains("approved and refunded"),
            "{error}"
        );
        let three = both
            .replace("date,status,", "date,status,Order Status,")
            .replace("approved,", "approved,approved,");
        let error = add(&mut open(""), "kind=orders", &three, 50).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("more than two columns of a status"),
            "{error}"
        );
    }
}

#[test]
fn a_character_that_nobody_sees_is_no_part_of_a_columns_name() {
    let row = conversion(
        1,
        "1001",
        "2026-06-03 10:00:00",
        "22.00",
        "18.00",
        "approved",
    );
    for [id, status] in [
        ["Order\u{a0}ID", "Order\u{a0}Status"],
        ["\"order\u{200b}_id\"", "status\u{200b}"],
        ["\u{feff}\u{feff}\"\u{feff}order_id\"", "\u{feff}status"],
    ] {
        let file = format!("{id},date,revenue,{status}\n1001,2026-06-03 10:00:00,22.00,rejected\n");
        let [found, ..] = told(&mut of("", &[("", &file)], &row));
        assert_eq!(found, "status_differs status_differs", "{id}");
        let json = r#"[{"ID":"1001","date":"2026-06-03","revenue":"22.00","STATUS":"rejected"}]"#;
        let json = json.replace("ID", &id.replace('"', ""));
        let json = json.replace("STATUS", status);
        let [found, ..] = told(&mut of("", &[("", &json)], &row));
        assert_eq!(found, "status_differs status_differs", "{json}");
    }
}

#[test]
fn the_export_of_woocommerces_analytics_is_known() {
    let file = "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),N. Revenue\n\
        2026-06-03 10:00:00,1001,\"$1,022.00\",completed,A B,new,2× Shirt,2,,1022\n\
        2026-06-03 11:00:00,1002,$22.00,refunded,A B,returning,1× Hat,1,,22\n";
    let row = |id: u32, order: &str, revenue: &str| {
        conversion(
            id,
            order,
            "2026-06-03 10:00:00",
            revenue,
            "18.00",
            "approved",
        )
    };
    let rows = [row(1, "1001", "1022.00"), row(2, "1002", "22.00")].join("\n");
    let [found, ..] = told(&mut of("", &[("dialect=woocommerce", file)], &rows));
    assert_eq!(found, "matched, status_differs status_differs");
}

#[test]
fn a_column_of_refunds_is_read_without_a_dialect() {
    let row = conversion(
        1,
        "other",
        "2026-06-03 10:00:00",
        "22.00",
        "18.00",
        "approved",
    );
    for (columns, cells, expected) in [
        ("Total Refunded", "2.00", Some("20.00")),
        ("Refund Amount", "2.00", Some("20.00")),
        ("refundAmount", "-2.00", Some("20.00")),
        ("Refund Total", "2.00", Some("20.00")),
        ("Refund Total", "", Some("22.00")),
        // A word or a number of which nobody knows what it counts.
        ("Refunded", "2.00", None),
        ("Refunded", "yes", None),
        ("Refunded", "no", Some("22.00")),
        ("Refunded", "0.00", Some("22.00")),
        ("Refunded", "", Some("22.00")),
        ("Refunded,Refund Amount", "yes,2.00", Some("20.00")),
        ("Refunds", "1", None),
        ("Refunds", "0", Some("22.00")),
        ("Refund Status", "refunded", None),
        ("Refund Status", "none", Some("22.00")),
    ] {
        let file = format!(
            "order_id,click_id,date,revenue,status,{columns}\n1001,c1,2026-06-03 10:00:00,22.00,approved,{cells}\n"
        );
        let [_, _, upload] = told(&mut of("", &[("", &file)], &row));
        assert_eq!(
            upload.contains(expected.unwrap_or("x")),
            expected.is_some(),
            "{columns} {cells}: {upload}"
        );
        assert!(
            expected.is_some() || !upload.contains("22.00"),
            "{columns} {cells}: {upload}"
        );
    }
}

/// Adds a file of orders; the message of its error, empty where it is read.
fn refused(options: &str, file: &str) -> String {
    let options = format!("kind=orders\n{options}");
    let outcome = add(&mut open("status.paid=approved"), &options, file, 50);
    outcome.map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn two_columns_that_may_be_the_revenue_are_an_error_that_names_both() {
    for (one, other) in [("amount", "total"), ("Total", "Price"), ("price", "Amount")] {
        let csv = |more: &str| {
            format!("order_id,date,{one},{other}{more}\n1,2026-06-01,20.00,22.00,22.00\n")
        };
        let json = |one: &str, other: &str| {
            format!(
                r#"[{{"order_id":"1","date":"2026-06-01","{one}":"20.00","{other}":"22.00","revenue":"22.00"}}]"#
            )
        };
        let bare = json(one, other).replace(r#","revenue":"22.00""#, "");
        for file in [csv(",x"), bare.clone(), format!(r#"{{"orders":{bare}}}"#)] {
            let told = refused("", &file).to_lowercase();
            let names = [one, other].map(str::to_lowercase);
            assert!(names.iter().all(|name| told.contains(name)), "{told}");
            assert!(told.contains("`columns.revenue`"), "{told}");
            // The caller's word, and the plain name of the role, leave no doubt.
            let declared = format!("column.revenue={one}");
            assert_eq!(refused(&declared, &file), "", "{file}");
        }
        for file in [csv(",revenue"), json(one, other)] {
            assert_eq!(refused("", &file), "", "{file}");
        }
    }
    // A name that stands twice is no other name.
    let twice = refused("", "order_id,amount,Amount\n1,20.00,22.00\n");
    assert!(twice.contains("twice"), "{twice}");
}

#[test]
fn another_export_of_shopifys_orders_is_refused_and_never_read_by_half() {
    let own = "Name,Financial Status,Currency,Total,Created at";
    for (header, column) in [
        (
            "ID,Name,Created At,Currency,Price: Total,Payment: Status",
            "columns.status",
        ),
        (
            "Order ID,Order Name,Day,Total sales,Financial Status",
            "columns.revenue",
        ),
        ("Name,Total,Order ID", "columns.status"),
        ("Name,Total,Financial Status,Order ID", "columns.uniqueId"),
        ("Id,Name,Total,Created at", "columns.status"),
        ("Id,Name,Financial Status,Created at", "columns.revenue"),
    ] {
        let told = refused("dialect=shopify", &format!("{header}\n"));
        assert!(told.contains(column), "{header}: {told}");
    }
    let declared = "column.status=Payment: Status\ncolumn.revenue=Price: Total";
    for (options, header) in [
        ("", own.to_owned()),
        ("", format!("{own},Id")),
        ("", format!("{own},Id,Order ID")),
        ("column.uniqueId=Order ID", format!("{own},Order ID")),
        (
            declared,
            "ID,Name,Created At,Price: Total,Payment: Status".to_owned(),
        ),
    ] {
        let told = refused(
            &format!("dialect=shopify\n{options}"),
            &format!("{header}\n"),
        );
        assert_eq!(told, "", "{header}");
    }
}
