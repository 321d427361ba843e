use super::*;
use proptest::prelude::*;

#[test]
fn numbers_keep_their_digits_and_nulls_are_absent() {
    let object = Object::read(r#"{"a":18.00,"b":null,"c":"18.50","d":[{"e":1}]}"#).unwrap();
    assert_eq!(object.get("a").unwrap().text().as_deref(), Some("18.00"));
    assert!(object.get("b").is_none());
    assert_eq!(object.get("c").unwrap().text().as_deref(), Some("18.50"));
    let items = object.get("d").unwrap().array().unwrap();
    let first = items.first().unwrap().object().unwrap();
    assert_eq!(first.get("e").and_then(Value::number), Some("1"));
}

#[test]
fn a_repeated_name_is_found_at_any_depth_and_in_any_spelling() {
    for (json, name) in [
        (r#"{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}"#, None),
        (r#"{"a":true,"b":1,"a":true}"#, Some("a")),
        (r#"{"b":{"1":false,"1":true}}"#, Some("1")),
        (r#"{"b":[1,[{"x":1,"\u0078":2}]]}"#, Some("x")),
        ("[]", None),
        ("{", None),
    ] {
        assert_eq!(repeated_name(json).as_deref(), name, "{json}");
    }
}

#[test]
fn a_value_that_is_no_object_is_not_read() {
    for text in ["", "[]", "7", "null", "{", "{}x", r#"{"a":}"#] {
        assert!(Object::read(text).is_none(), "{text}");
    }
}

#[test]
fn depth_does_not_overflow() {
    let deep = format!(
        "{{\"a\":{}{}}}",
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    assert!(Object::read(&deep).is_some());
}

proptest! {
    #[test]
    fn a_written_string_reads_back(text in any::<String>()) {
        let mut out = String::new();
        push_string(&mut out, &text);
        prop_assert_eq!(Value(&out).string(), Some(text));
    }

    #[test]
    fn validity_and_values_are_as_serde_has_them(
        pieces in proptest::collection::vec(prop_oneof![
            Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\""),
            Just("\"a\""), Just("\"a\":"), Just("\\"), Just("\\u00e9"), Just("\\ud83d\\ude00"),
            Just("\\n"), Just("0"), Just("01"), Just("1.50"), Just("-"), Just("1e5"), Just("e"),
            Just("."), Just("true"), Just("false"), Just("null"), Just("nul"), Just(" "),
            Just("\n"), Just("\u{1}"), Just("é"), Just("/"),
        ], 0..14),
        inside in any::<bool>(),
    ) {
        let text = pieces.concat();
        let text = if inside { format!("{{\"k\":{text}}}") } else { text };
        let theirs: Result<serde_json::Map<String, serde_json::Value>, _> =
            serde_json::from_str(&text);
        // 1e501 is JSON, though no number of serde's.
        prop_assume!(!theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range")));
        let theirs = theirs.ok();
        let ours = Object::read(&text);
        prop_assert_eq!(ours.is_some(), theirs.is_some(), "{}", text);
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            for (name, value) in &theirs {
                let found = ours.get(name);
                prop_assert_eq!(found.is_none(), value.is_null(), "{}", text);
                if let Some(expected) = value.as_str() {
                    prop_assert_eq!(found.unwrap().string().unwrap(), expected);
                }
                if let (Some(expected), Some(found)) = (value.as_array(), found) {
                    prop_assert_eq!(found.array().unwrap().len(), expected.len());
                }
            }
        }
    }

    #[test]
    fn reading_never_panics(text in any::<String>()) {
        let _ = Object::read(&text);
        let _ = Value(&text).array();
        let _ = Value(&text).string();
    }
}
