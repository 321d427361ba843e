//! Amounts with a currency's symbol, a sign or parentheses beside them, as spreadsheets write them.

use super::*;

/// What became of one order beside CAKE's row of 1,234.50 (and of -1,234.50 for a refund).
fn read(
    options: &str,
    currency: Option<&str>,
    amount: &str,
    encoding: fn(&str) -> Vec<u8>,
) -> String {
    let mut report = open("currency=EUR");
    let amount = format!("\"{amount}\"");
    let (head, row) = match currency {
        Some(code) => ("unique_id,revenue,currency", format!("A,{amount},{code}")),
        None => ("unique_id,revenue", format!("A,{amount}")),
    };
    let bytes = encoding(&format!("{head}\n{row}\n"));
    report.begin(&format!("kind=orders\n{options}")).unwrap();
    let at = report.room(bytes.len()).unwrap();
    report.input()[at..at + bytes.len()].copy_from_slice(&bytes);
    report.read(bytes.len()).unwrap();
    if let Err(error) = report.end() {
        return error.code().to_owned();
    }
    let theirs = r#"[{"conversion_id":1,"unique_id":"A","revenue":1234.50}]"#;
    add(&mut report, "kind=conversions", theirs, 100).unwrap();
    reconcile(&mut report).unwrap();
    let order = rows(&mut report, "")
        .into_iter()
        .find(|row| row["class"] != "unknown_to_advertiser");
    let order = order.unwrap();
    let reasons: Vec<_> = order["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    format!("{} {}", order["class"].as_str().unwrap(), reasons.join(" "))
        .trim()
        .to_owned()
}

fn utf8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn windows(text: &str) -> Vec<u8> {
    let byte = |mark: char| match mark {
        '€' => 0x80,
        '’' => 0x92,
        '\u{A0}' => 0xA0,
        other => u8::try_from(u32::from(other)).unwrap(),
    };
    text.chars().map(byte).collect()
}

#[test]
fn an_amount_may_have_its_currency_beside_it() {
    const ENGLISH: &str = "decimal=.\ngroup=,";
    const GERMAN: &str = "decimal=,\ngroup=.";
    const FRENCH: &str = "decimal=,\ngroup= ";
    const SWISS: &str = "decimal=.\ngroup='";
    for (options, currency, amount, expected) in [
        (ENGLISH, Some("EUR"), "€1,234.50", "matched"),
        (ENGLISH, None, "€1,234.50", "matched"),
        (ENGLISH, None, "EUR 1,234.50", "matched"),
        (ENGLISH, None, "1,234.50 eur", "matched"),
        (GERMAN, None, "1.234,50 €", "matched"),
        (GERMAN, Some("eur"), "1.234,50\u{A0}€", "matched"),
        (FRENCH, None, "1\u{202F}234,50\u{A0}€", "matched"),
        (FRENCH, None, "1 234,50", "matched"),
        (SWISS, None, "1’234.50", "matched"),
        (SWISS, Some("EUR"), "1'234.50 EUR", "matched"),
        // The symbol decides where no column does; both are the account's, or none is.
        (ENGLISH, None, "$1,234.50", "matched"),
        (
            ENGLISH,
            None,
            "£1,234.50",
            "currency_differs currency_differs",
        ),
        (
            ENGLISH,
            None,
            "1,234.50 GBP",
            "currency_differs currency_differs",
        ),
        (
            ENGLISH,
            Some("GBP"),
            "£1,234.50",
            "currency_differs currency_differs",
        ),
        (
            ENGLISH,
            Some("USD"),
            "US$1,234.50",
            "currency_differs currency_differs",
        ),
        // A symbol of another currency than the row's, or of none.
        (ENGLISH, Some("EUR"), "$1,234.50", "unreadable symbol"),
        (ENGLISH, Some("EUR"), "USD 1,234.50", "unreadable symbol"),
        (ENGLISH, Some("USD"), "€1,234.50", "unreadable symbol"),
        (ENGLISH, None, "1,234.50 pcs", "unreadable symbol"),
        (ENGLISH, None, "1,234.50 %", "unreadable amount"),
        (ENGLISH, Some("EUR"), "€", "unreadable amount"),
        (ENGLISH, None, "n/a", "unreadable amount"),
        // Nothing is guessed because a symbol is there.
        ("", None, "€1,234", "ambiguous_file"),
        ("", None, "1.234 €", "ambiguous_file"),
        ("", None, "€1234.50", "matched"),
    ] {
        assert_eq!(
            read(options, currency, amount, utf8),
            expected,
            "{amount:?} {currency:?}"
        );
    }
    let options = "decimal=.\ngroup='\nencoding=windows-1252";
    assert_eq!(read(options, None, "1’234.50 €", windows), "matched");
    assert_eq!(
        read(options, Some("USD"), "1’234.50 €", windows),
        "unreadable symbol"
    );
    assert_eq!(read(FRENCH, None, "1\u{A0}234,50", windows), "matched");
}

#[test]
fn accountants_write_what_is_taken_back_in_parentheses_or_with_a_sign_behind() {
    for amount in [
        "(2.00)",
        "2.00-",
        "-2.00",
        "($2.00)",
        "-$2.00",
        "$-2.00",
        "2.00- USD",
        "\u{2212}2.00",
    ] {
        let mut report = open("currency=USD");
        let orders = format!("unique_id,order_id,revenue\nA,1,22.00\n,1,\"{amount}\"\n");
        add(&mut report, "kind=orders", &orders, 100).unwrap();
        let theirs = conversion(1, "A", "2026-06-03 10:00:00", "22.00", "18.00", "approved");
        add(&mut report, "kind=conversions", &format!("[{theirs}]"), 100).unwrap();
        reconcile(&mut report).unwrap();
        let classes: Vec<_> = rows(&mut report, "")
            .iter()
            .map(|row| row["class"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(classes, ["revenue_differs", "refund"], "{amount}");
    }
}

#[test]
fn a_word_for_no_amount_is_none_and_a_dash_is_unreadable() {
    for (cell, expected) in [
        ("", Some("missing_at_cake")),
        ("NULL", Some("missing_at_cake")),
        (" null ", Some("missing_at_cake")),
        ("\\N", Some("missing_at_cake")),
        ("N/A", Some("unreadable")),
        ("-", Some("unreadable")),
        ("\u{2014}", Some("unreadable")),
        ("$-", Some("unreadable")),
        ("#N/A", Some("unreadable")),
        ("NaN", Some("unreadable")),
    ] {
        for column in ["revenue", "payout", "refunded_amount"] {
            let mut report = open("");
            let amount = if column == "revenue" {
                "payout"
            } else {
                "revenue"
            };
            let text = format!(
                "order_id,date,{amount},{column}\nA,2026-06-03 10:00:00,22.00,\"{cell}\"\n"
            );
            let options = "kind=orders\ncolumn.refunded=refunded_amount";
            let options = if column == "refunded_amount" {
                options
            } else {
                "kind=orders"
            };
            add(&mut report, options, &text, 1_000).unwrap();
            add(&mut report, "kind=conversions", "[]", 1_000).unwrap();
            reconcile(&mut report).unwrap();
            let found = rows(&mut report, "");
            assert_eq!(found[0]["class"].as_str(), expected, "{column} {cell}");
        }
    }
}
