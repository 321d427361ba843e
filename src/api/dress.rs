//! The dress of an answer: the spellings of .NET services and JSON gateways that differ from CAKE's
//! article. They write `d` around the whole, lists as one object or none, `{"#text": …}` around a
//! value, names in another case.

use super::json::{Object, Value};

/// The names that gateways give to the text of an element that has attributes.
const TEXTS: [&str; 6] = ["#text", "$t", "_", "$", "__text", "value"];

/// The most levels that are searched: each level reads the rest once more.
const MAX_DEPTH: u8 = 4;

/// The answer inside the wrapper of .NET services: `{"d":{…}}`.
pub(super) fn unwrapped(object: Object<'_>) -> Object<'_> {
    unwrapped_to(object, MAX_DEPTH)
}

fn unwrapped_to(object: Object<'_>, depth: u8) -> Object<'_> {
    let Some(depth) = depth.checked_sub(1) else {
        return object;
    };
    let inner = {
        let mut entries = object.entries().filter(|(name, _)| *name != "__type");
        match (entries.next(), entries.next()) {
            (Some((name, value)), None) if name.eq_ignore_ascii_case("d") => {
                plain(value).and_then(Value::object)
            }
            _ => None,
        }
    };
    inner.map_or(object, |inner| unwrapped_to(inner, depth))
}

/// The answer inside the text of some .NET services: `{"d":"{…}"}`. Any other body is returned
/// unchanged.
#[must_use]
pub(crate) fn plain_body(body: String) -> String {
    let is_text = body
        .trim_start_matches('\u{feff}')
        .trim_start()
        .strip_prefix('{')
        .and_then(|rest| {
            let name = rest.trim_start();
            name.strip_prefix("\"d\"")
                .or_else(|| name.strip_prefix("\"D\""))
        })
        .and_then(|rest| rest.trim_start().strip_prefix(':'))
        .is_some_and(|rest| rest.trim_start().starts_with('"'));
    if !is_text {
        return body;
    }
    let inner = Object::read(body.trim_start_matches('\u{feff}').trim()).and_then(|envelope| {
        let text = find(&envelope, "d")?.string()?;
        Object::read(text.trim()).map(|_| ())?;
        Some(text)
    });
    inner.unwrap_or(body)
}

/// A field such as `click_id`, which may also be written `ClickId` or `clickId`. `None` where it is
/// missing or stands for nothing.
pub(super) fn find<'a>(object: &Object<'a>, name: &str) -> Option<Value<'a>> {
    match object.get(name) {
        Some(value) => plain(value),
        None => object
            .entries()
            .find(|(each, _)| is_same_name(each, name))
            .and_then(|(_, value)| plain(value)),
    }
}

/// Is the field present, even with nothing in it?
pub(super) fn has(object: &Object<'_>, name: &str) -> bool {
    object.entries().any(|(each, _)| is_same_name(each, name))
}

/// A date; absent for .NET's first date, which means "none".
pub(super) fn date(text: Option<String>) -> Option<String> {
    text.filter(|text| !is_no_date(text.trim()))
}

/// A status in the case of the article. Other accounts write `Approved`.
pub(super) fn status(text: Option<String>) -> Option<String> {
    text.map(|word| word.trim().to_ascii_lowercase())
}

/// Is it .NET's first date?
pub(super) fn is_no_date(text: &str) -> bool {
    ["0001-01-01", "1/1/0001", "01/01/0001"]
        .iter()
        .any(|none| text.starts_with(none))
}

/// Is the field there more than once, with different values? A reader that took one of them would
/// choose the answer's meaning.
pub(super) fn contradicts_itself(object: &Object<'_>, name: &str) -> bool {
    let text = |value: Value<'_>| match value.boolean() {
        Some(flag) => Some(flag.to_string()),
        None => value.text(),
    };
    let mut said = object
        .entries()
        .filter(|(each, _)| is_same_name(each, name))
        .filter_map(|(_, value)| plain(value));
    let Some(first) = said.next().map(text) else {
        return false;
    };
    // If there are two records, neither is the one.
    said.any(|other| match (&first, text(other)) {
        (Some(one), Some(other)) => !one.trim().eq_ignore_ascii_case(other.trim()),
        _ => true,
    })
}

/// Are two names the same except for case, `_` and `-`?
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |name| str::bytes(name).filter(|byte| !matches!(byte, b'_' | b'-'));
    letters(one)
        .map(|byte| byte.to_ascii_lowercase())
        .eq(letters(other).map(|byte| byte.to_ascii_lowercase()))
}

/// Is it the name of an element's attribute?
fn is_attribute(name: &str) -> bool {
    name.starts_with(['@', '-']) || name == "$"
}

/// The value itself, without an element's attributes around it or a list of
/// one; `None` for null, an empty element and `nil`.
pub(super) fn plain(value: Value<'_>) -> Option<Value<'_>> {
    plain_to(value, MAX_DEPTH)
}

fn plain_to(value: Value<'_>, depth: u8) -> Option<Value<'_>> {
    let depth = depth.checked_sub(1)?;
    let plain = |value| plain_to(value, depth);
    if value.is_null() {
        return None;
    }
    // Most objects are no dress: their first name tells, so the rest need not be read.
    let is_dress = |name: &str| TEXTS.contains(&name) || is_attribute(name);
    if value.first_name().is_some_and(|name| !is_dress(&name)) {
        return Some(value);
    }
    if let Some(object) = value.object() {
        let mut entries = object.entries();
        let (name, first) = entries.next()?;
        if TEXTS.contains(&name) && first.object().is_none() {
            return plain(first);
        }
        if is_attribute(name) {
            let text = TEXTS.iter().find_map(|text| {
                let found = object.get(text)?;
                found.object().is_none().then_some(found)
            });
            if text.is_some() || object.entries().all(|(name, _)| is_attribute(name)) {
                return text.and_then(plain);
            }
        }
        return Some(value);
    }
    match value.array() {
        Some(items) => match items.as_slice() {
            [] => None,
            [only] => plain(*only),
            _ => Some(value),
        },
        None => Some(value),
    }
}

/// The entries of a list, in order: of an array, of one object for one row, of a gateway's wrapper
/// around either, at every level. `row` is the name of a row's element. `None` where it is no list.
pub(crate) fn rows<'a>(value: Value<'a>, row: &str) -> Option<Vec<Value<'a>>> {
    rows_to(value, row, MAX_DEPTH)
}

fn rows_to<'a>(value: Value<'a>, row: &str, depth: u8) -> Option<Vec<Value<'a>>> {
    let depth = depth.checked_sub(1)?;
    if let Some(items) = value.array() {
        // One empty element is an empty list.
        if let [only] = items.as_slice()
            && !only.is_null()
            && is_empty(*only, row)
        {
            return Some(Vec::new());
        }
        let mut found = Vec::with_capacity(items.len());
        // Among groups of rows an empty list is a group; among rows it is an entry that is no row.
        let has_groups = items
            .iter()
            .any(|item| item.array().is_some_and(|rows| !rows.is_empty()));
        for item in items {
            let object = item.object();
            let inner = match &object {
                Some(object) => wrapped(object, row).filter(|inner| !is_empty(*inner, row)),
                None => item.array().map(|_| item),
            };
            match inner.and_then(|inner| rows_to(inner, row, depth)) {
                Some(rows) if object.is_some() || has_groups || !rows.is_empty() => {
                    found.extend(rows);
                }
                _ => found.push(item),
            }
        }
        return Some(found);
    }
    if value.is_null() || is_empty(value, row) {
        return Some(Vec::new());
    }
    let object = value.object()?;
    // An empty object is no list: something else answers.
    object.entries().next()?;
    if let Some(inner) = wrapped(&object, row) {
        return rows_to(inner, row, depth);
    }
    // `{"0":{…},"1":{…}}`, or each row under its id.
    let id = [row, "_id"].concat();
    if object.entries().all(|(name, value)| {
        let Some(inner) = value.object() else {
            return false;
        };
        let has_id = || inner.entries().any(|(each, _)| is_same_name(each, &id));
        name.bytes().all(|byte| byte.is_ascii_digit()) || has_id()
    }) {
        let unwrapped = |value: Value<'a>| {
            let inner = value.object().and_then(|object| wrapped(&object, row));
            inner.unwrap_or(value)
        };
        return Some(
            object
                .entries()
                .map(|(_, value)| unwrapped(value))
                .collect(),
        );
    }
    Some(vec![value])
}

/// The content of a wrapper around rows: `{"click":[…]}`, `{"click":{…}}`, `{"$values":[…]}`. A text
/// under the row's name is a field.
fn wrapped<'a>(object: &Object<'a>, row: &str) -> Option<Value<'a>> {
    if let Some(values) = object.get("$values") {
        return Some(values);
    }
    let (_, inner) = object.entries().find(|(name, _)| is_same_name(name, row))?;
    let is_rows = plain(inner).is_some_and(|inner| {
        let items = inner.array().unwrap_or_default();
        inner.object().is_some() || items.iter().any(|item| item.text().is_none())
    });
    let is_nothing = || {
        has_no_value(inner)
            && object
                .entries()
                .all(|(name, _)| is_same_name(name, row) || is_attribute(name))
    };
    (is_rows || is_nothing()).then_some(inner)
}

/// Is it an element of a list without rows? `{}` may be anything.
fn is_empty(value: Value<'_>, row: &str) -> bool {
    match value.object() {
        Some(object) => {
            object.entries().next().is_some()
                && (has_no_value(value)
                    || wrapped(&object, row).is_some_and(|inner| has_no_value(inner)))
        }
        None => value.array().is_none() && has_no_value(value),
    }
}

/// Does a value stand for nothing: null, an empty text, an empty element?
pub(super) fn has_no_value(value: Value<'_>) -> bool {
    plain(value).is_none_or(|plain| plain.text().is_some_and(|text| text.trim().is_empty()))
}

/// An amount's digits: a number, a text, or an object that has them as `amount`.
pub(super) fn amount(value: Value<'_>) -> Option<String> {
    match value.object() {
        Some(object) => find(&object, "amount").and_then(Value::text),
        None => value.text(),
    }
    .filter(|text| !text.trim().is_empty())
}

/// Is it yes, in any of the words for it?
pub(crate) fn is_yes(value: Value<'_>) -> bool {
    value.is_true() || is_word(value, &["true", "yes", "y", "1"])
}

/// Is it no, in any of the words for it?
pub(super) fn is_no(value: Value<'_>) -> bool {
    value.is_false() || is_word(value, &["false", "no", "n", "0"])
}

fn is_word(value: Value<'_>, words: &[&str]) -> bool {
    let text = value.text();
    text.is_some_and(|text| {
        words
            .iter()
            .any(|word| text.trim().eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object<'_> {
        Object::read(text).unwrap()
    }

    #[test]
    fn a_list_in_any_dress_has_its_rows() {
        for (list, rows_of_it) in [
            ("[]", 0),
            ("\"\"", 0),
            ("null", 0),
            (r#"{"@nil":"true"}"#, 0),
            (r#"[{"a":1},{"a":2}]"#, 2),
            (r#"{"a":1}"#, 1),
            (r#"{"click":{"a":1}}"#, 1),
            (r#"{"Click":[{"a":1},{"a":2}]}"#, 2),
            (r#"{"$id":"1","$values":[{"a":1}]}"#, 1),
            (r#"{"0":{"a":1},"1":{"a":2}}"#, 2),
            (r#"[{"click":{"a":1}}]"#, 1),
            (r#"[[{"a":1},{"a":2}]]"#, 2),
            (r#"[{"a":1},[{"click":{"a":2}}],[]]"#, 2),
            (
                r#"{"x":{"click_id":"x","a":1},"y":{"ClickId":"y","a":2}}"#,
                2,
            ),
            (r#"{"click":{"click":{"a":1}}}"#, 1),
            (r#"{"click":[{"click":{"a":1}}]}"#, 1),
            (r#"{"Click":{"Click":[{"a":1},{"a":2}]}}"#, 2),
            // As xml2js writes it.
            (r#"[{"click":[{"a":1},{"a":2}]}]"#, 2),
            (r#"[{"click":[{"a":["1"]}]}]"#, 1),
            (r#"[[{"click":[{"a":1}]},{"click":[{"a":2},{"a":3}]}]]"#, 3),
            (r#"[{"$":{"xmlns":"x"},"click":[{"a":1},{"a":2}]}]"#, 2),
            (r#"[{"$values":[{"a":1}]}]"#, 1),
            (r#"{"click":null}"#, 0),
            (r#"{"click":""}"#, 0),
            (r#"{"click":[]}"#, 0),
            (r#"{"click":{"@nil":"true"}}"#, 0),
            (r#"[{"click":null}]"#, 0),
            (r#"[{"click":[""]}]"#, 0),
            (r#"[""]"#, 0),
            (r#"[{"@nil":"true"}]"#, 0),
        ] {
            let text = format!(r#"{{"l":{list}}}"#);
            let object = object(&text);
            let (_, value) = object.entries().next().unwrap();
            let found = rows(value, "click").unwrap();
            assert_eq!(found.len(), rows_of_it, "{list}");
            for row in found {
                assert!(row.object().unwrap().get("a").is_some(), "{list}");
            }
        }
        for none in ["7", "\"x\"", "true", "{}"] {
            let text = format!(r#"{{"l":{none}}}"#);
            let value = object(&text).get("l").unwrap();
            assert!(rows(value, "click").is_none(), "{none}");
        }
    }

    #[test]
    fn an_entry_that_is_no_row_keeps_its_place() {
        for (list, entries) in [
            ("[null]", 1),
            ("[{}]", 1),
            (r#"[{"a":1},null,{"click":null},"",7,{"a":2}]"#, 6),
            (r#"[{"a":1},[],{"a":2}]"#, 3),
            (r#"{"click":[null,{"a":1}]}"#, 2),
            // A text under the row's name is a field.
            (r#"[{"click":"x","a":1},{"click":["y"],"a":2}]"#, 2),
        ] {
            let text = format!(r#"{{"l":{list}}}"#);
            let object = object(&text);
            let (_, value) = object.entries().next().unwrap();
            assert_eq!(rows(value, "click").unwrap().len(), entries, "{list}");
        }
    }

    #[test]
    fn a_value_in_any_dress_is_itself() {
        for (value, text) in [
            (r#""x""#, Some("x")),
            ("12", Some("12")),
            (r##"{"#text":"x"}"##, Some("x")),
            (r##"{"@type":"t","#text":"x"}"##, Some("x")),
            (r#"{"$":{"type":"t"},"_":"x"}"#, Some("x")),
            (r#"["x"]"#, Some("x")),
            (r#"{"@nil":"true"}"#, None),
            (r#"{"$":{"xsi:nil":"true"}}"#, None),
            ("{}", None),
            ("[]", None),
            ("null", None),
        ] {
            let text_of = format!(r#"{{"sub_id_1":{value}}}"#);
            let found = find(&object(&text_of), "sub_id_1").and_then(Value::text);
            assert_eq!(found.as_deref(), text, "{value}");
        }
    }

    #[test]
    fn names_are_found_in_any_case() {
        for name in ["click_id", "ClickId", "clickId", "CLICK_ID", "click-id"] {
            let text = format!(r#"{{"{name}":"x"}}"#);
            assert!(find(&object(&text), "click_id").is_some(), "{name}");
        }
        assert!(find(&object(r#"{"clickid2":"x"}"#), "click_id").is_none());
    }

    #[test]
    fn a_field_contradicts_itself_where_it_says_two_things() {
        for (text, expected) in [
            (r#"{"success":true,"success":false}"#, true),
            (r#"{"Success":"yes","success":"no"}"#, true),
            (r#"{"success":"True","SUCCESS":"true"}"#, false),
            (r#"{"success":7,"success":"7"}"#, false),
            (r#"{"success":null,"success":7}"#, false),
            (r#"{"success":{"a":1},"success":{"a":2}}"#, true),
            (r#"{"success":7,"success":{"a":2}}"#, true),
            (r#"{"success":7}"#, false),
            ("{}", false),
        ] {
            assert_eq!(
                contradicts_itself(&object(text), "success"),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn an_answer_written_into_a_text_is_taken_out_of_it() {
        for (body, plain) in [
            (r#"{"d":"{\"a\":1}"}"#, r#"{"a":1}"#),
            ("\u{feff} { \"D\" : \"{}\" }", "{}"),
            (r#"{"d":"no"}"#, r#"{"d":"no"}"#),
            (r#"{"d":{"a":1}}"#, r#"{"d":{"a":1}}"#),
            (r#"{"d":"{\"a\":1"#, r#"{"d":"{\"a\":1"#),
            ("<html>", "<html>"),
            ("", ""),
        ] {
            assert_eq!(plain_body(body.to_owned()), plain);
        }
    }

    #[test]
    fn wrappers_of_dotnet_are_unwrapped() {
        for text in [
            r#"{"d":{"a":1}}"#,
            r#"{"D":{"d":{"a":1}}}"#,
            r#"{"d":{"__type":"x","a":1}}"#,
            r#"{"a":1,"d":{"b":2}}"#,
        ] {
            assert!(unwrapped(object(text)).get("a").is_some(), "{text}");
        }
    }
}
