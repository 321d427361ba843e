//! JSON in every shape that CAKE answers, compared with serde; and malformed JSON.

use super::*;
use crate::report::names::Kind;
use crate::report::names::{Role, RowKind};
use proptest::prelude::*;

type Row = Result<Vec<Option<String>>, Flaw>;

const SHOWN: [Role; 6] = [
    Role::ConversionId,
    Role::UniqueId,
    Role::OfferId,
    Role::Payout,
    Role::Date,
    Role::Status,
];

fn read(text: &[u8], piece: usize, is_strict: bool) -> Result<Vec<Row>, String> {
    let names = Names::of(RowKind::Conversions, "").unwrap();
    let mut json = Json {
        is_strict,
        ..Json::new()
    };
    let mut fields = Fields::default();
    let mut rows = Vec::new();
    let mut at = 0;
    let mut end = 0;
    loop {
        let is_last = end == text.len();
        let input = &text[..end];
        loop {
            let pull = match json.next_plain(input, at, &mut fields) {
                Some(after) => Pull::Row(after),
                None => json.next(input, at, is_last, &names, &mut fields),
            };
            match pull {
                Pull::Row(after) => {
                    rows.push(Ok(SHOWN
                        .map(|role| {
                            (fields.kind(role) != Kind::Absent).then(|| {
                                String::from_utf8_lossy(fields.text(role, input)).into_owned()
                            })
                        })
                        .to_vec()));
                    at = after;
                }
                Pull::Bad(flaw, after) => {
                    rows.push(Err(flaw));
                    at = after;
                }
                Pull::More(after) => {
                    at = after;
                    break;
                }
                Pull::Refuse(rule) => return Err(rule),
            }
        }
        if is_last {
            if json.is_open() {
                rows.push(Err(Flaw::BrokenOff));
            }
            return Ok(rows);
        }
        end = (end + piece).min(text.len());
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the readers answer")]
fn row(values: [&str; 6]) -> Row {
    Ok(values
        .map(|value| (value != "-").then(|| value.to_owned()))
        .to_vec())
}

#[test]
fn rows_are_found_in_every_shape_that_cake_answers() {
    let report = r#"{"request_status":"Success","response":{"data":{"conversions":[{"conversion_id":998877,"conversion_date":"2026-01-15 14:30:00","offer_id":12345,"affiliate_id":67890,"payout":18.00,"revenue":22.00,"conversion_status":"approved","unique_id":"ORD-98765"},{"conversion_id":998878,"conversion_date":"2026-01-15 14:31:00","offer_id":12345,"affiliate_id":67890,"payout":18.00,"revenue":22.00,"conversion_status":"pending","unique_id":"ORD-98766"}]}}}"#;
    let list = r#"{"request_status":"Success","total_rows":1,"conversions":[{"conversion":{"conversion_id":998877,"offer":{"offer_id":12345,"offer_name":"Auto"},"payout":18.00,"conversion_status":"approved","conversion_date":"2026-06-19 14:30:00"}}]}"#;
    let first = row([
        "998877",
        "ORD-98765",
        "12345",
        "18.00",
        "2026-01-15 14:30:00",
        "approved",
    ]);
    let second = row([
        "998878",
        "ORD-98766",
        "12345",
        "18.00",
        "2026-01-15 14:31:00",
        "pending",
    ]);
    let wrapped = row([
        "998877",
        "-",
        "12345",
        "18.00",
        "2026-06-19 14:30:00",
        "approved",
    ]);
    let plain = r#"{"conversionId":1,"uniqueId":"A","payoutText":"1.50","payout":1.5}"#;
    let simple = row(["1", "A", "-", "1.50", "-", "-"]);
    let listed = simple.clone();
    for (text, expected) in [
        (report.to_owned(), vec![first.clone(), second.clone()]),
        (list.to_owned(), vec![wrapped.clone()]),
        (
            format!("{report}\n{list}"),
            vec![first.clone(), second.clone(), wrapped.clone()],
        ),
        (
            format!("[{report},\n {list}]"),
            vec![first, second, wrapped],
        ),
        (
            format!("{plain}\n{plain}\n"),
            vec![simple.clone(), simple.clone()],
        ),
        (
            format!(" [ {plain} , {plain} ] "),
            vec![simple.clone(), simple.clone()],
        ),
        (
            format!("{{\"shop\":\"x\",\"orders\":[{plain}]}}"),
            vec![simple],
        ),
        (
            "{\"request_status\":\"Success\",\"response\":{\"total_rows\":0}}".to_owned(),
            vec![],
        ),
        (
            "{\"request_status\":\"Success\",\"conversions\":[]}".to_owned(),
            vec![],
        ),
        ("[]".to_owned(), vec![]),
        // A row may hold a list of its own, whatever its name.
        (
            r#"[{"conversion_id":1,"unique_id":"A","payout":1.50,"refunds":[{"conversion_id":9,"unique_id":"x"}]},{"data":[{"unique_id":"x"}],"conversion_id":1,"unique_id":"A","payout":1.50},{"orders":[],"success":true,"conversion_id":1,"unique_id":"A","payout":1.50}]"#.to_owned(),
            vec![listed.clone(), listed.clone(), listed.clone()],
        ),
        (
            "{\"conversion_id\":1,\"unique_id\":\"A\",\"payout\":1.50,\"clicks\":[{\"unique_id\":\"x\"}]}\n{\"rows\":[],\"conversion_id\":1,\"unique_id\":\"A\",\"payout\":1.50}".to_owned(),
            vec![listed.clone(), listed.clone()],
        ),
        (
            r#"{"conversion_id":1,"unique_id":"A","payout":1.50,"refunds":{"data":[{"unique_id":"x"}]}}"#.to_owned(),
            vec![listed.clone()],
        ),
        // A page may have an id.
        (
            format!("{{\"unique_id\":\"export-1\",\"rows\":[{plain}]}}"),
            vec![row(["1", "A", "-", "1.50", "-", "-"])],
        ),
    ] {
        for piece in [1, 7, 10_000] {
            assert_eq!(
                read(text.as_bytes(), piece, false).as_ref(),
                Ok(&expected),
                "{text} by {piece}"
            );
        }
    }
}

#[test]
fn lists_of_lists_and_every_dress_of_an_empty_list_are_read() {
    let plain = r#"{"conversion_id":1,"unique_id":"A","payout":1.50}"#;
    let simple = row(["1", "A", "-", "1.50", "-", "-"]);
    for (text, expected) in [
        (
            "{\"d\":{\"success\":true,\"row_count\":0,\"events\":null}}".to_owned(),
            vec![],
        ),
        (
            "{\"request_status\":\"Success\",\"response\":{\"conversions\":{ }}}".to_owned(),
            vec![],
        ),
        // A list of pages' lists.
        (
            format!("[[{plain},{plain}], [ {plain} ],[[{plain}]]]"),
            vec![simple.clone(); 4],
        ),
        (
            format!("{{\"conversions\":[[{plain}],[{plain}]]}}"),
            vec![simple.clone(); 2],
        ),
    ] {
        for piece in [1, 7, 10_000] {
            let found = read(text.as_bytes(), piece, false);
            assert_eq!(found.as_ref(), Ok(&expected), "{text} by {piece}");
        }
    }
}

#[test]
fn an_answer_that_says_no_is_no_empty_list() {
    for (text, part) in [
        (
            "{\"success\":false,\"message\":\"Invalid API Key\"}",
            "Invalid API Key",
        ),
        (
            "{\"request_status\":\"Failed\",\"conversions\":[]}",
            "Failed",
        ),
        ("<html>502</html>", "<html>"),
        ("{\"success\":true}", "no list of rows"),
        (
            "{\"success\":true,\"response\":{\"items\":[{\"unique_id\":\"A\"}]}}",
            "no list of rows",
        ),
        (
            "{\"success\":true,\"conversions\":{\"unique_id\":\"A\"}}",
            "no list of rows",
        ),
        (
            "{\"success\":true,\"conversions\":[]}\n{\"success\":true,\"items\":[{\"unique_id\":\"A\"}]}",
            "no list of rows",
        ),
    ] {
        let rule = read(text.as_bytes(), 1_000, false).unwrap_err();
        assert!(rule.contains(part), "{rule}");
    }
}

#[test]
fn a_line_that_is_no_row_is_listed_and_the_next_one_read() {
    let good = r#"{"conversion_id":1,"unique_id":"A"}"#;
    let read_good = row(["1", "A", "-", "-", "-", "-"]);
    for (text, expected) in [
        (
            format!("[{good},{{\"conversion_id\":01}},{good}]"),
            vec![read_good.clone(), Err(Flaw::Json), read_good.clone()],
        ),
        (
            format!("{good}\n{{\"unique_id\":\n{good}\n"),
            vec![read_good.clone(), Err(Flaw::Json), read_good.clone()],
        ),
        (
            format!("[{good},null,7,{good}]"),
            vec![
                read_good.clone(),
                Err(Flaw::NotAnObject),
                Err(Flaw::NotAnObject),
                read_good.clone(),
            ],
        ),
        (
            format!("[{{\"unique_id\":\"A\",\"unique_id\":\"B\"}},{good}]"),
            vec![Err(Flaw::Repeated), read_good.clone()],
        ),
        (
            format!("[{good},{{\"unique_id\":\"A"),
            vec![read_good.clone(), Err(Flaw::BrokenOff)],
        ),
        (
            format!("[{good},"),
            vec![read_good.clone(), Err(Flaw::BrokenOff)],
        ),
        (
            format!("{{\"conversions\":[{good}"),
            vec![read_good.clone(), Err(Flaw::BrokenOff)],
        ),
        // Rows as lists of cells, and an empty list, are rows that are no objects.
        (
            format!("[[],{good},[\"A\",7],{good},[7]]"),
            vec![
                Err(Flaw::NotAnObject),
                read_good.clone(),
                Err(Flaw::NotAnObject),
                read_good.clone(),
                Err(Flaw::NotAnObject),
            ],
        ),
        (
            "{\"columns\":[\"unique_id\"],\"data\":[[\"A\"],[\"B\"]]}".to_owned(),
            vec![Err(Flaw::NotAnObject), Err(Flaw::NotAnObject)],
        ),
        (
            format!("[{good},[\"A\",[7]"),
            vec![read_good.clone(), Err(Flaw::BrokenOff)],
        ),
        // A value that is an object or a list, where no field of it is known.
        (
            format!("[{{\"unique_id\":\"A\",\"payout\":{{\"currency_id\":1,\"amount\":\"18.00\"}}}},{good}]"),
            vec![Err(Flaw::Nested), read_good.clone()],
        ),
        (
            format!("[{{\"unique_id\":[\"A\"]}},{{\"unique_id\":\"A\",\"status\":{{\"name\":\"x\"}}}},{good}]"),
            vec![Err(Flaw::Nested), Err(Flaw::Nested), read_good.clone()],
        ),
        (
            // In every field that is read, and by the name of the highest rank.
            format!("[{{\"unique_id\":\"A\",\"order_id\":{{\"$oid\":\"x\"}}}},{{\"unique_id\":\"A\",\"offer_id\":{{\"id\":9}}}},{{\"unique_id\":{{\"x\":true}},\"transaction_id\":\"A\"}},{good}]"),
            vec![Err(Flaw::Nested), Err(Flaw::Nested), Err(Flaw::Nested), read_good.clone()],
        ),
        (
            format!("[{{\"unique_id\":\"A\",\"payout\":null,\"paid\":{{\"sum\":\"18.00\"}}}},{good}]"),
            vec![Err(Flaw::Nested), read_good.clone()],
        ),
        // A known field of it, an empty one, and a field of the same meaning are no flaws.
        (
            "[{\"conversion_id\":1,\"unique_id\":\"A\",\"paid\":{\"currency_id\":1,\"amount\":null}},\
              {\"conversion_id\":1,\"unique_id\":\"A\",\"payout\":[],\"status\":{}},\
              {\"conversion_id\":1,\"unique_id\":\"A\",\"transaction_id\":{\"x\":1},\"order_id\":{}}]"
                .to_owned(),
            vec![read_good.clone(); 3],
        ),
        (
            format!("{good}\n{{\"unique_id\":\"\\ud800\"}}\n{good}"),
            vec![read_good.clone(), Err(Flaw::Json), read_good.clone()],
        ),
    ] {
        for piece in [1, 7, 10_000] {
            assert_eq!(
                read(text.as_bytes(), piece, false).as_ref(),
                Ok(&expected),
                "{text} by {piece}"
            );
        }
    }
}

/// The same rows read by serde, one a line.
fn by_serde(line: &str) -> Row {
    let value: serde_json::Value = serde_json::from_str(line).map_err(|_| Flaw::Json)?;
    let Some(object) = value.as_object() else {
        return Err(Flaw::NotAnObject);
    };
    let raw: std::collections::HashMap<String, &serde_json::value::RawValue> =
        serde_json::from_str(line).map_err(|_| Flaw::Json)?;
    // Case, blanks and punctuation of a name do not matter.
    let find = |name: &str| {
        object.keys().find(|key| {
            let mut letters = Vec::new();
            normalise(key.as_bytes(), |byte| letters.push(byte));
            letters == name.replace('_', "").as_bytes()
        })
    };
    let text = |name: &str| match &object[find(name)?] {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(_) => Some(raw[find(name)?].get().to_owned()),
        serde_json::Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    };
    Ok([
        "conversion_id",
        "unique_id",
        "offer_id",
        "payout",
        "conversion_date",
        "conversion_status",
    ]
    .map(text)
    .to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Mutated rows, as a program might write them: both readers and serde agree.
    #[test]
    fn predicted_strict_and_serde_agree(
        ids in proptest::collection::vec((0_u32..2_000_000, "[A-Za-z0-9 é\"\\\\/.-]{0,20}", 0_u32..40_000), 1..12),
        mutations in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0_u8), Just(1), Just(2)], "[ \\{\\}\\[\\]\",:0-9.+\\-a-df-z\\\\\n]"), 0..4),
        piece in 1_usize..400,
    ) {
        let mut lines: Vec<String> = ids.iter().map(|(id, unique, payout)| {
            let unique = serde_json::to_string(unique).unwrap();
            format!("{{\"conversion_id\":{id},\"conversion_date\":\"2026-01-15 14:30:00\",\"is_test\":false,\"offer_id\":{},\"payout\":{}.{:02},\"conversion_status\":\"approved\",\"unique_id\":{unique}}}", id % 40, payout / 100, payout % 100)
        }).collect();
        for (place, what, with) in &mutations {
            let count = lines.len();
            let line = &mut lines[place.index(count)];
            let chars: Vec<char> = line.chars().collect();
            let at = place.index(chars.len());
            let with = with.chars().next().unwrap();
            // Rows stay one a line, so that serde can parse each.
            if with == '\n' || chars.len() < 2 { continue; }
            *line = match what {
                0 => chars.iter().enumerate().map(|(i, &c)| if i == at { with } else { c }).collect(),
                1 => chars.iter().enumerate().filter(|&(i, _)| i != at).map(|(_, &c)| c).collect(),
                _ => chars.iter().enumerate().flat_map(|(i, &c)| if i == at { vec![with, c] } else { vec![c] }).collect(),
            };
        }
        // Lines without an object, or with several, broken ones too, belong to another test.
        prop_assume!(lines.iter().all(|line| {
            line.starts_with('{') && line.find('}').is_none_or(|end| !line[end..].contains('{'))
        }));
        let expected: Vec<Row> = lines.iter().map(|line| by_serde(line)).collect();
        // A duplicate key: serde takes the last one, this reader refuses it. An envelope's key makes a page.
        prop_assume!(lines.iter().zip(&expected).all(|(line, row)| row.is_err() || ["conversion_id", "unique_id", "payout", "offer_id", "conversion_date", "conversion_status"].iter().all(|key| line.matches(&format!("\"{key}\"")).count() <= 1)));
        let text = lines.join("\n");
        let strict = read(text.as_bytes(), piece, true).unwrap();
        let predicted = read(text.as_bytes(), piece, false).unwrap();
        prop_assert_eq!(&predicted, &strict, "{}", text);
        // Two values on one line are two rows for this reader.
        if lines.iter().zip(&expected).all(|(line, row)| row.is_ok() || serde_json::Deserializer::from_str(line).into_iter::<serde_json::Value>().next().is_some_and(|first| first.is_err())) {
            let normal = |rows: &[Row]| rows.iter().map(|row| row.clone().map_err(|_| ())).collect::<Vec<_>>();
            prop_assert_eq!(normal(&strict), normal(&expected), "{}", text);
        }
    }

    /// Rows whose values are as long as those of the row before, but for one character.
    #[test]
    fn rows_by_stencil_and_strict_ones_agree(
        rows in proptest::collection::vec((0_u32..100, "[A-Za-z0-9 .-]{9}", 0_u32..10_000, any::<prop::sample::Index>(), prop::option::weighted(0.3, "[ \\{\\}\\[\\]\",:0-9.+\\-aEe\\\\\u{7f}\u{1}]")), 1..12),
        piece in 1_usize..400,
    ) {
        let rows: Vec<_> = rows.iter().map(|(id, unique, payout, place, with)| {
            let mut row = format!("{{\"conversion_id\":1{id:02},\"affiliate_id\":-{},\"offer_id\":{},\"payout\":{:02}.{:02},\"conversion_status\":\"ok\",\"unique_id\":\"{unique}\"}}", id / 10, id % 10, payout / 100, payout % 100);
            if let Some(with) = with {
                let at = place.index(row.len());
                row.replace_range(at..=at, with);
            }
            row
        }).collect();
        let text = format!("[{}]", rows.join(","));
        prop_assert_eq!(read(text.as_bytes(), piece, false), read(text.as_bytes(), piece, true), "{}", text);
    }
}

#[test]
fn a_stencil_is_what_each_byte_may_be() {
    let row =
        |id: &str, unique: &str| format!(r#"{{"conversion_id":{id},"unique_id":"{unique}"}}"#);
    let mut fits = Vec::new();
    for (id, unique) in [
        ("12", "ABC"),
        ("90", "a-9"),
        ("02", "ABC"),
        ("1.", "ABC"),
        ("12", "A\"C"),
        ("12", "A\\C"),
        ("12", "A\nC"),
        ("12", "\u{e9}C"),
    ] {
        let text = ["12", "12", "12"].map(|id| row(id, "ABC")).join(",");
        let text = format!("[{text},{},", row(id, unique));
        let names = Names::of(RowKind::Conversions, "").unwrap();
        let (mut json, mut fields, mut at) = (Json::new(), Fields::default(), 0);
        for _ in 0..3 {
            at = match json.next_plain(text.as_bytes(), at, &mut fields) {
                Some(after) => after,
                None => match json.next(text.as_bytes(), at, false, &names, &mut fields) {
                    Pull::Row(after) => after,
                    other => panic!("{other:?}"),
                },
            };
        }
        let read = json.read_by_stencil(text.as_bytes(), at + 1, &mut fields);
        fits.push(
            read.is_some_and(|_| fields.text(Role::UniqueId, text.as_bytes()) == unique.as_bytes()),
        );
    }
    assert_eq!(fits, [true, true, false, false, false, false, false, false]);
}
