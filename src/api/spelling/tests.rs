//! The spellings of one text, by table.

use super::*;

#[test]
fn an_escaped_text_is_the_same() {
    for (told, ours) in [
        ("ORD-1", "ORD-1"),
        (" ORD-1\n", "ORD-1"),
        ("A&amp;B-17", "A&B-17"),
        ("A&amp;amp;B-17", "A&B-17"),
        ("A&#38;B-17", "A&B-17"),
        ("A&#39;B-17", "A'B-17"),
        ("A&apos;B-17", "A'B-17"),
        ("&quot;17&quot;", "\"17\""),
        ("&#x437;-17", "з-17"),
        ("A%20B-17", "A B-17"),
        ("A%26B-17", "A&B-17"),
        ("%D0%B7-17", "з-17"),
        ("A%2520B-17", "A B-17"),
        (r"\u00d6-17", "Ö-17"),
        (r"2026\/17", "2026/17"),
        (r"A\'B-17", "A'B-17"),
        // What somebody sent escaped is itself.
        ("A%20B-17", "A%20B-17"),
        ("50%", "50%"),
    ] {
        assert!(is_same(told, ours), "{told} {ours}");
        assert!(may_be_same(told, ours), "{told} {ours}");
    }
}

#[test]
fn another_spelling_may_be_the_same_and_is_not_certain() {
    for (told, ours) in [
        ("ord-1", "ORD-1"),
        ("ЗАКАЗ-17", "заказ-17"),
        ("A B-17", "A+B-17"),
        ("A+B-17", "A B-17"),
        ("A\u{a0}B-17", "A B-17"),
        ("A  B-17", "A B-17"),
        ("A'B-17", "A’B-17"),
        ("AB-17", "A'B-17"),
        ("A''B-17", "A'B-17"),
        ("\"A-17\"", "A-17"),
        ("A–17", "A-17"),
        ("1001", "#1001"),
        ("17", "0017"),
        ("17.0", "0017"),
        ("1.7e1", "17"),
        ("12345678901234567000", "12345678901234567890"),
        ("1.2345678901234567e+19", "12345678901234567890"),
        ("1.23456789012346E+19", "12345678901234567890"),
        ("O\u{308}-17", "Ö-17"),
        ("Ö-17", "O\u{308}-17"),
        ("и\u{306}-17", "й-17"),
        ("?????-17", "заказ-17"),
        ("??????????-17", "заказ-17"),
        ("\u{fffd}\u{fffd}-17", "Ö-17"),
        ("?-17", "Ö-17"),
        ("Ö?-17", "Öз-17"),
        ("Ã\u{96}-17", "Ö-17"),
        ("&Ouml;-17", "Ö-17"),
        ("O-17", "Ö-17"),
        ("cafe-1", "café-1"),
        ("cafe-1", "cafe\u{301}-1"),
    ] {
        assert!(may_be_same(told, ours), "{told} {ours}");
        assert!(!is_same(told, ours), "{told} {ours}");
    }
}

#[test]
fn another_order_is_another() {
    for (told, ours) in [
        ("ORD-10", "ORD-1"),
        ("ORD-1", "ORD-10"),
        ("ORD-2", "ORD-1"),
        ("1-11", "11-1"),
        ("17", "170"),
        ("1.7", "17"),
        ("17", "A17"),
        ("20261127153045000018", "20261127153045000017"),
        ("счёт-17", "заказ-17"),
        ("ORD-17", "заказ-17"),
        ("Ö-18", "Ö-17"),
        ("?????-18", "заказ-17"),
        ("Ä-17", "Ö-17"),
        ("", "ORD-1"),
        ("A&B-18", "A&B-17"),
        ("1e5", "5"),
    ] {
        assert!(!may_be_same(told, ours), "{told} {ours}");
        assert!(!is_same(told, ours), "{told} {ours}");
    }
}

#[test]
fn a_beginning_may_be_a_text_that_was_cut() {
    let long = ["order-", &"1234567890".repeat(6)].concat();
    for length in [10, 20, 32, 50, 64] {
        let told: String = long.chars().take(length).collect();
        assert!(may_be_cut(&told, &long), "{told}");
        assert!(may_be_cut(&told.to_uppercase(), &long), "{told}");
    }
    for (told, ours) in [
        ("Tom &amp; Jerr", "Tom & Jerry-17"),
        ("Tom & Je&am", "Tom & Je&rry-17"),
        ("Tom%20and%2", "Tom and Jerry-17"),
        ("??????????", "заказ-заказ-17"),
        ("заказ-зака", "заказ-заказ-17"),
    ] {
        assert!(may_be_cut(told, ours), "{told}");
    }
    for (told, ours) in [
        ("ORD-1", "ORD-10"),
        ("ORD-2026-1", "ORD-2026-1"),
        ("ORD-2026-2", "ORD-2026-10"),
        ("ORD-2026-100", "ORD-2026-1"),
    ] {
        assert!(!may_be_cut(told, ours), "{told}");
    }
}

#[test]
fn a_text_may_hold_another_in_any_spelling() {
    for told in [
        "refund [r-1]",
        "REFUND [R-1]",
        "refund &#91;r-1&#93;",
        "refund &amp;#91;r-1&amp;#93;",
        "refund %5Br-1%5D",
    ] {
        assert!(may_hold(told, "[R-1]"), "{told}");
    }
    for told in ["", "refund [r-12]", "refund r-1"] {
        assert!(!may_hold(told, "[r-1]"), "{told}");
    }
}
