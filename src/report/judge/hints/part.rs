//! Parts: which rows one part of a report must have together, and orders that are told in parts.

use super::border::{SHORT_NUMBER, WHOLE_WORD, borders_of};
use super::forms::{
    EXACT_DIGITS, PREFIX_BYTES, number_after_prefix, plain_form, shown_digits, spelt_difference,
};
use super::within::longer;

/// The first digits of a long number, which it mostly keeps where the last ones are lost.
const PART_DIGITS: usize = 12;

/// The form by which a report's parts share rows: what none of the other forms tells apart, so that nearly the same keys
/// lie in one part. It is an order's, not that of its parts; the number alone where a prefix may stand before it; of a
/// long number the first digits. Short numbers share one form with the words that they may be parts of.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn part_form(text: &[u8], form: &mut Vec<u8>) {
    plain_form(text, form);
    if let Some(&first) = borders_of(form).last() {
        form.truncate(first);
    }
    let number = number_after_prefix(form).map(|(number, _)| number.len());
    let is_word = form.len() >= WHOLE_WORD && !form.iter().any(u8::is_ascii_digit);
    if is_word || number.is_some_and(|length| length <= SHORT_NUMBER) {
        form.clear();
    }
    let Some(length) = number.filter(|&length| length <= form.len()) else {
        return;
    };
    form.drain(..form.len() - length);
    if length > EXACT_DIGITS {
        form.truncate(PART_DIGITS);
        form.push(u8::try_from(length).unwrap_or(u8::MAX));
    }
}

/// May the key be nearly the same as one of another part? Rounding carries into the first digits of such a number, or
/// has carried.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn is_at_border(text: &[u8]) -> bool {
    let mut form = Vec::new();
    plain_form(text, &mut form);
    if form.len() <= EXACT_DIGITS || !form.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let last = form.get(PART_DIGITS..EXACT_DIGITS).unwrap_or_default();
    last.iter().all(|&digit| digit == b'9')
        || last.iter().all(|&digit| digit == b'0') && shown_digits(text) > 0
}

/// The length of the prefix before an order's number, 0 for none: `b-9` and `b-9-1`. The borders are the form's own.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn prefix_of(form: &[u8], borders: &[usize]) -> usize {
    let letters = form.iter().take_while(|byte| !byte.is_ascii_digit());
    let prefix = letters.count();
    let number = form.get(prefix..).unwrap_or_default().iter();
    let end = prefix + number.take_while(|byte| byte.is_ascii_digit()).count();
    let is_zero = form.get(prefix) == Some(&b'0');
    let is_number = prefix < end && !is_zero && (end == form.len() || borders.contains(&end));
    if is_number && prefix <= PREFIX_BYTES {
        prefix
    } else {
        0
    }
}

/// Does a row name an order by these ids, and another row by its ids a part of the order? A row of both is the part.
/// One of the two ids may have a prefix.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn is_part(whole: [&[u8]; 2], part: [&[u8]; 2]) -> bool {
    type Id = (Vec<u8>, Vec<usize>, usize);
    let read = |ids: [&[u8]; 2]| {
        ids.map(|id| {
            let mut form = Vec::new();
            plain_form(id, &mut form);
            let borders = borders_of(&form);
            let prefix = prefix_of(&form, &borders);
            (form, borders, prefix)
        })
    };
    let [whole, part] = [whole, part].map(read);
    let is_same = |(one, _, prefix): &Id, (other, _, their_prefix): &Id, end: usize| {
        let other = other.get(..end).unwrap_or_default();
        let number = other.get(*their_prefix..).unwrap_or_default();
        other == one || number == one || one.get(*prefix..) == Some(other)
    };
    let is_of = |ids: &[Id; 2], of: &Id| {
        let mut ids = ids.iter();
        ids.any(|id| id.1.iter().any(|&border| is_same(of, id, border)))
    };
    let mut ids = whole.iter().filter(|id| !id.0.is_empty());
    ids.any(|id| {
        let has_it = part.iter().any(|other| is_same(id, other, other.0.len()));
        is_of(&part, id) && !is_of(&whole, id) && !has_it
    })
}

/// The difference between two keys that are nearly the same; `is_one_key` where both are unique ids, or both order ids.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn difference(one: &[u8], other: &[u8], is_one_key: bool) -> &'static str {
    spelt_difference(one, other, is_one_key).unwrap_or_else(|| {
        if is_part([one, &[]], [other, &[]]) || is_part([other, &[]], [one, &[]]) {
            "part"
        } else {
            longer(one).or_else(|| longer(other)).unwrap_or("rounding")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::rule::{each_near, fits};
    use super::*;

    use proptest::prelude::*;

    fn is_part_of(part: &str, whole: &str) -> bool {
        is_part([whole.as_bytes(), b""], [part.as_bytes(), b""])
    }

    /// Each line is an order, and then parts of it.
    const PARTS: [&str; 17] = [
        "1001|1001-1of2|1001 1of2|1001_1of2|1001-2of2|1001-12of12|1001-part1of2|1001-1ab2|1001-R1a|1001-v2b|1001-D2C\
        |1001-1von2|1001-2x1|1001-1o2|1001-1b2|1001-1 of 2|1001 (1of2)|1001-p1/2|1001/R1a-1|1001-1-R1a|1001-R1a-refund\
        |ORD-1001-1of2|b-1001-R1a|#1001.part1of2|1001-Part10of12",
        "1001-1|1001-1-R1a|1001-1-1of2|1001-1-part1of2",
        "2026-1001|2026-1001-1of2|2026-1001-part1of2|2026-1001-R1a|2026/1001_v2b",
        "W1001X|W1001X-1of2|W1001X-R1a|W1001X-part1of2|W1001X-1a",
        "XKBKNABJK|XKBKNABJK-1of2|XKBKNABJK-R1a|XKBKNABJK_part1of2",
        "1001|1001-1|1001-12|#1001.2|1001_3|1001/4|1001:5|1001#1|1001+1|1001=2|\"1001\"=2|=1001=2|1001 1|1001--1|1001 (2)|1001[1]|1001-001|1001-002\
        |1001-100|1001-0|0001001-1|\u{ff11}001\u{2013}1|ORD-1001-1|1001%2D1",
        "1001|1001-A|1001 b|1001/C|1001_a|#1001-F1|#1001-R2|1001-EX1|1001-bis|1001-REFUND|1001 (refund)|1001-REFUND-2|1001R\
        |1001-R123|1001-R1234|1001-REF-2026|1001-return-of-2|ORD-1001-A|b-1001-R1",
        "1001|1001-R\u{fc}ckerstattung|1001 \u{432}\u{43e}\u{437}\u{432}\u{440}\u{430}\u{442}|1001 \u{8fd4}\u{91d1}\
        |1001-Rembours\u{e9}|1001-1-1|1001-1-R|1001-1 (refund)",
        "1001-1|1001-1-R|1001-1-1|1001-1 (refund)|ORD-1001-1-R1",
        "2026-1001|2026-1001-1|2026-1001.1|2026-1001/1|2026/1001 (1)|20261001-1|2026-1001-R1|2026-1001-001|ORD-2026-1001-1",
        "ORD-2026-1001|ORD-2026-1001-1|ORD/2026/1001-1|2026-1001-1|ORD20261001_refund|ORD-2026-1001-001",
        "111-1234567-1234567|111-1234567-1234567-1|111-1234567-1234567.2|111-1234567-1234567-R1|11112345671234567-A",
        "W1001X|W1001X-1|w1001x/2|W1001X-R1|W1001X_refund|W1001X (2)",
        "XKBKNABJK|XKBKNABJK-1|XKBKNABJK-R1|XKBKNABJK_refund|XKBKNABJK (refund)",
        "VHQ2VJ5FS|VHQ2VJ5FS-1|VHQ2VJ5FS-R1|VHQ2VJ5FS_refund|VHQ2VJ5FS-1-R",
        "pi_3NqXa2eZvKYlo2C1a|pi_3NqXa2eZvKYlo2C1a-1|pi_3NqXa2eZvKYlo2C1a_refund",
        "13b9ae60-4f60-4c9e-bf75-626dca035acf|13b9ae60-4f60-4c9e-bf75-626dca035acf-1|13B9AE60-4F60-4C9E-BF75-626DCA035ACF-R1\
        |13b9ae60-4f60-4c9e-bf75-626dca035acf-1of2|13b9ae60-4f60-4c9e-bf75-626dca035acf-part1of2\
        |13b9ae604f604c9ebf75626dca035acf-1|13b9ae60-4f60-4c9e-bf75-626dca035acf_refund",
    ];

    #[test]
    fn a_part_is_an_order_and_a_short_rest() {
        for line in PARTS {
            let mut ids = line.split('|');
            let whole = ids.next().unwrap();
            for part in ids {
                assert!(is_part_of(part, whole), "{part} {whole}");
                assert!(!is_part_of(whole, part), "{part} {whole}");
                assert_eq!(form_of(whole), form_of(part), "{part} {whole}");
            }
        }
    }

    #[test]
    fn other_orders_are_no_parts() {
        for (one, other) in [
            ("1001", "1001"),
            ("1001", "1002"),
            ("1001", "10011"),
            ("1001", "1001-1001"),
            ("1001", "10010-1"),
            ("1001", "11001-1"),
            ("1001", "2001-1001-1"),
            ("1001-1", "1001-2"),
            ("1001-1", "1001-12"),
            ("1001-A", "1001-B"),
            ("1001-1", "10011"),
            ("2026", "2026-1001"),
            ("2026-1001", "2026-1002"),
            ("2026-1001", "2026-10011"),
            ("2026-1001-1", "2026-1001-2"),
            ("20260620", "20260620-0001"),
            ("123-456", "123-456-789"),
            ("111-1234567", "111-1234567-1234567"),
            ("111-1234567-1234567-1", "111-1234567-1234567-2"),
            ("A-3", "A-4-26"),
            ("A", "A-3-26"),
            ("ORD", "ORD-26"),
            ("ORD", "ORD-1001"),
            ("INVOICE", "INVOICE-26"),
            ("BESTELLUNG", "BESTELLUNG-261"),
            ("26", "ORD-26"),
            ("W1001X", "W1001Y-1"),
            ("XKBKNABJK", "XKBKNABJL-1"),
            ("9f86d081", "9f86d081-884c-4d63-a1b2-0f00a08c3d11"),
            (
                "9f86d081-884c-4d63-a1b2",
                "9f86d081-884c-4d63-a1b2-0f00a08c3d11",
            ),
            ("9f86d081884c4d6", "9f86d081884c4d63"),
            ("AB12-CD34", "AB12-CD34-EF56"),
            ("AB12-CD34", "AB12-CD34-1A2B"),
            ("1001", "1001-a1b2c3d4"),
            ("1001", "10011of2"),
            ("1001-1of2", "1001-2of2"),
            ("1001-R1a", "1001-R1b"),
            ("ORD", "ORD-1of2"),
            ("9f86d081-884c-4d63", "9f86d081-884c-4d63-a1b2"),
            ("", "1"),
            ("", "A-1"),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                assert!(!is_part_of(one, other), "{one} {other}");
            }
        }
    }

    #[test]
    fn an_id_of_many_parts_takes_no_long_time() {
        let many = "1001".to_owned() + &"-1".repeat(100_000);
        assert_eq!(form_of(&many), b"1001");
    }

    fn form_of(id: &str) -> Vec<u8> {
        let mut form = Vec::new();
        part_form(id.as_bytes(), &mut form);
        form
    }

    fn ids() -> impl Strategy<Value = String> {
        prop_oneof![
            "[1-9][0-9]{0,18}",
            "[A-Za-z]{0,18}[-/_ ]?[0-9]{1,7}",
            "[A-Z]{0,7}-?[0-9]{1,4}[-/.][0-9]{1,4}([-/.][0-9]{1,4})?",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[0-9A-Z]{1,10}([-_][0-9A-Z]{1,4}){0,3}",
            "[-#. ()0-2a-bA\u{e9}\u{44f}]{1,10}",
        ]
    }

    fn rests() -> impl Strategy<Value = String> {
        prop_oneof![
            "([-#./_+ ]{1,2}|)[0-9]{1,3}",
            "[-#./_+ ]{0,2}[A-Za-z\u{e9}\u{44f}]{1,9}([- ]?[0-9]{1,4})?",
            " [(]([0-9]{1,2}|[a-z]{1,8})[)]",
            "(-[0-9a-z]{1,4}){1,3}",
            "[-_ ](part|R|v|)[1-9][a-z]{1,2}[0-9]{0,2}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        #[test]
        fn an_order_and_its_part_lie_in_one_part_of_a_report(
            id in ids(),
            rests in prop::collection::vec(rests(), 1..4),
            prefix in "|b-|ORD|shop:|MYSHOP-ORD-",
            is_bare: bool,
        ) {
            let whole = if is_bare { id.replace(['-', '/', '_'], "") } else { id.clone() };
            let mut part = prefix + &id;
            for rest in rests {
                part += &rest;
                for (whole, part) in [(&whole, &part), (&id, &part)] {
                    if is_part_of(part, whole) {
                        prop_assert_eq!(form_of(whole), form_of(part), "{} {}", whole, part);
                    }
                }
            }
        }

        #[test]
        fn ids_that_are_nearly_the_same_lie_in_one_part_of_a_report(
            one in "[-#a-b0-2 ]{1,6}|[a-b]{8,10}-?[a-b]{0,1}[0-2]{0,4}(-[a1])?",
            other in "[-#a-b0-2 ]{1,6}|[a-b]{8,10}-?[a-b]{0,1}[0-2]{0,4}(-[a1])?",
        ) {
            let near = |id: &str| {
                let mut forms = Vec::new();
                let _ = each_near(id.as_bytes(), 0, 0, &mut Vec::new(), &mut |form, made| {
                    forms.push((form, made));
                    Some(())
                });
                forms
            };
            let [ours, theirs] = [near(&one), near(&other)];
            let mut pairs = ours.iter().flat_map(|ours| theirs.iter().map(move |theirs| (ours, theirs)));
            let is_near = pairs.any(|(ours, theirs)| ours.0 == theirs.0 && fits(ours.1, theirs.1));
            let is_part = is_part_of(&one, &other) || is_part_of(&other, &one);
            prop_assert!(is_near || !is_part, "{} {}", one, other);
            if is_near {
                prop_assert_eq!(form_of(&one), form_of(&other), "{} {}", one, other);
            }
        }

        #[test]
        fn a_number_or_a_word_behind_an_order_is_its_part(
            whole in "[1-9][0-9]{3,9}|[A-Z]{1,5}-[1-9][0-9]{3,9}|20[0-9]{2}-[0-9]{4,6}|[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{12}",
            rest in "[-./#_+ ][1-9]|[-./#_+ ][1-9]|[-_ ][A-Z]{1,10}|[-_]R[1-9]| [(][1-9][)]",
        ) {
            let part = whole.clone() + &rest;
            prop_assert!(is_part_of(&part, &whole), "{} {}", part, whole);
        }
    }
}
