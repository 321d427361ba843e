//! Parts of a report decide what the whole decides: keys that are nearly the same lie in one part.

use super::pairs::corrections;
use super::*;
use crate::placeholder::is_missing_value;
use crate::report::judge::hints::{is_at_border, is_exponent, longer, part_form};

const PARTS: usize = 8;

/// Where the second of two keys stands.
const PLACES: [&str; 4] = ["conversion", "order", "refund", "event"];

/// The unique ids that the whole uploads, and those that the parts upload together: of an order with the first key, beside
/// a row with the second one.
fn uploads(first: &str, second: &str, place: &str) -> [Vec<String>; 2] {
    let order = |id: &str, click: &str, status: &str, revenue: &str| {
        serde_json::json!({
            "unique_id": id, "click_id": click, "offer_id": "5", "date": "2026-06-20 10:00:00",
            "revenue": revenue, "payout": "18.00", "status": status,
        })
    };
    let mut orders = vec![order(first, "c1", "approved", "22.00")];
    let (mut conversions, mut events) = (Vec::new(), Vec::new());
    match place {
        "conversion" => conversions.push(serde_json::json!({
            "conversion_id": 7, "unique_id": second, "offer_id": 5, "conversion_date": "2026-06-20 10:05:00",
            "revenue": "22.00", "payout": "18.00", "conversion_status": "approved",
        })),
        "order" => orders.push(order(second, "c2", "approved", "22.00")),
        "refund" => orders.push(order(second, "c2", "approved", "-4.00")),
        _ => events.push(serde_json::json!({"unique_id": second, "state": "delivered"})),
    }
    let [orders, conversions, events] =
        [orders, conversions, events].map(|rows| serde_json::to_string(&rows).unwrap());
    let of = |part: &str| {
        let mut report = open(&format!("keys=uniqueId{part}"));
        for (kind, text) in [
            ("orders", &orders),
            ("conversions", &conversions),
            ("deliveries", &events),
        ] {
            if kind != "deliveries" || place == "event" {
                add(&mut report, &format!("kind={kind}"), text, 1_000).unwrap();
            }
        }
        reconcile(&mut report).unwrap();
        corrections(&mut report, "file=upload\noffer=5")
    };
    let is_line = |line: &String| line.contains(' ');
    let mut whole = of("");
    whole.retain(is_line);
    let parts = 1..=PARTS;
    let mut parts: Vec<String> = parts
        .flat_map(|part| of(&format!("\npart={part}/{PARTS}")))
        .collect();
    parts.retain(is_line);
    whole.sort();
    parts.sort();
    [whole, parts]
}

#[test]
fn parts_upload_no_order_whose_key_is_nearly_that_of_another_row() {
    const UUID: &str = "13b9ae60-4f60-4c9e-bf75-626dca035acf";
    let bare = UUID.replace('-', "");
    for (one, other) in [
        ("b-9", "9"),
        ("ORD-1001", "1001"),
        ("shop:77", "77"),
        ("A1001", "1001"),
        ("b-09", "9"),
        ("#b-9", "9"),
        ("b-9,", "9"),
        ("b%2D9", "9"),
        ("B-9", "'9"),
        ("b_9", "\u{ff19}"),
        ("ord\u{2011}0001001", "1,001"),
        ("ORD-12-34567", "1234567"),
        ("b-12345678901234", "12345678901234"),
        ("ORD-576461413038785752", "576461413038785752"),
        (UUID, &bare),
        ("576461413038785752", "576461413038785800"),
        // The last digits that are left have been rounded up.
        ("123456789012349960", "123456789012350000"),
        ("123456789012999960", "123456789013000000"),
        ("9999999999999996", "10000000000000000"),
        ("1001&amp;2", "1001&2"),
        ("1.79536E+12", "1795361234567"),
        ("1001", "1001-1"),
        ("1001", "1001 (2)"),
        ("1001", "ORD-1001-1-R"),
        ("1001", "1001-1of2"),
        ("1001", "1001-part1of2"),
        ("1001", "1001-R1a"),
        ("2026-1001", "2026-1001-1"),
        ("XKBKNABJK", "XKBKNABJK-1"),
        (&bare, "13b9ae60-4f60-4c9e-bf75-626dca035acf-R1"),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            for place in PLACES {
                let [whole, parts] = uploads(one, other, place);
                assert!(
                    parts.iter().all(|line| whole.contains(line)),
                    "{one} {other} {place}: {whole:?} {parts:?}"
                );
                if place == "conversion" {
                    assert_eq!(parts, [""; 0], "{one} {other}");
                }
            }
        }
    }
    // Keys that are not nearly the same.
    for (one, other) in [
        ("1001", "1002"),
        ("a-9", "b-9"),
        ("1001-1", "10011"),
        ("123456789012999960", "5"),
    ] {
        let [whole, parts] = uploads(one, other, "order");
        assert_eq!(whole.len(), 2, "{one} {other}");
        let held = usize::from(is_at_border(one.as_bytes()));
        assert_eq!(parts.len(), 2 - held, "{one} {other}");
    }
}

/// What people, programs and spreadsheets do to a key, by number.
fn dressed(key: &str, dress: u8) -> String {
    let digits = |from: fn(char) -> String| -> String { key.chars().map(from).collect() };
    let number = key.parse::<u64>().ok();
    match dress {
        0 => format!("#{key}"),
        1 => format!("b-{key}"),
        2 => format!("ORD{key}"),
        3 => format!("shop:{key}"),
        4 => format!("00{key}"),
        5 => format!("\"{key}\""),
        6 => format!("=\"{key}\""),
        7 => format!("{key},"),
        8 => format!("{key}.0"),
        9 => key.to_uppercase(),
        10 => key.replace('-', ""),
        11 => key.replace('-', "\u{2013}"),
        12 => digits(|c| {
            c.to_digit(10)
                .and_then(|digit| char::from_u32(0xff10 + digit))
                .unwrap_or(c)
                .to_string()
        }),
        13 => digits(|c| {
            if c.is_alphanumeric() {
                c.to_string()
            } else {
                format!("%{:02X}", u32::from(c))
            }
        }),
        14 => format!("{key}\u{200b}"),
        15 => format!(" {key}\u{a0}"),
        16 => number.map_or_else(
            || key.to_owned(),
            |number| {
                let unit =
                    10_u64.pow(u32::try_from(number.to_string().len().saturating_sub(15)).unwrap());
                ((number + unit / 2) / unit * unit).to_string()
            },
        ),
        17 => key
            .parse::<f64>()
            .map_or_else(|_| key.to_owned(), |number| number.to_string()),
        18 => number.filter(|number| *number > 9_999_999).map_or_else(
            || key.to_owned(),
            |number| {
                let digits = number.to_string();
                let (first, rest) = digits.split_at(1);
                format!("{first}.{}E+{}", &rest[..5], rest.len())
            },
        ),
        19 => key.replace('e', "\u{e9}"),
        20 => key.replace('e', "\u{c3}\u{a9}"),
        21 => key.replace('&', "&amp;"),
        22 if key.len() == 4 && number.is_some() => format!("{},{}", &key[..1], &key[1..]),
        23 => format!("x-{key}"),
        24 => format!("{key}-1"),
        25 => format!("{key} (2)"),
        26 => format!("{key}-R1"),
        27 => format!("{key}/001"),
        28 => format!("{key}_refund"),
        29 => format!("{key} \u{8fd4}\u{91d1}"),
        30 => format!("{key}-1of2"),
        31 => format!("{key}_R1a"),
        _ => key.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn keys_that_are_nearly_the_same_lie_in_one_part(
        key in prop_oneof![
            "[1-9][0-9]{0,18}",
            "[0-9]{1,6}",
            "[1-9][0-9]{11}(999|000|99[0-9])[0-9]{1,4}",
            "[a-e]{0,4}-?[0-9]{1,8}",
            "[a-e&#]{1,3}-[0-9]{1,3}-[0-9]{1,3}",
            "[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}",
            "[A-Z]{7,10}-?[0-9]{0,4}",
            "20[0-9]{2}-[0-9]{3,4}",
        ],
        one in (0_u8..45, 0_u8..45),
        other in (0_u8..45, 0_u8..45),
        place in 0..PLACES.len(),
    ) {
        let [one, other] = [one, other].map(|(first, second)| dressed(&dressed(&key, first), second));
        let place = PLACES[place];
        let [whole, parts] = uploads(&one, &other, place);
        prop_assert!(parts.iter().all(|line| whole.contains(line)), "{} {} {}: {:?} {:?}", one, other, place, whole, parts);
        let form = |key: &str| {
            let mut form = Vec::new();
            part_form(key.as_bytes(), &mut form);
            form
        };
        let may_be_elsewhere = |key: &str| {
            let key = key.as_bytes();
            is_exponent(key) || is_at_border(key) || longer(key).is_some()
        };
        // An order with a spreadsheet's mark is uploaded by no report, whatever the other key is.
        let is_marked = one.starts_with(['=', '\'']);
        let is_apart = is_marked || may_be_elsewhere(&one) || may_be_elsewhere(&other);
        if place == "conversion" && whole.is_empty() && !is_apart {
            prop_assert_eq!(form(&one), form(&other), "{} {}", one, other);
        }
        // Of long numbers, a part has too few to know that a spreadsheet has not rounded them.
        let is_long = |key: &str| key.bytes().filter(u8::is_ascii_digit).count() > 15;
        if !is_apart && !is_long(&one) && !is_long(&other) {
            prop_assert_eq!(parts, whole, "{} {} {}", one, other, place);
        }
    }
}
