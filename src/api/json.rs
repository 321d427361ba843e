//! JSON as CAKE writes it and as callers hand it over, read field by field.
//!
//! One reader for all: an object is a list of names and untouched texts, so
//! that numbers keep their digits, unknown fields cost nothing, and the wasm
//! holds one parser and not one per type.

use crate::link::MAX_ID;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A value as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a>(&'a str);

/// An object's fields, in order.
#[derive(Debug)]
pub(super) struct Object<'a> {
    fields: Vec<(String, &'a RawValue)>,
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object { fields })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'a> Object<'a> {
    /// Reads a whole text as one object.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The field's value; `None` where it is missing or null. Of a repeated
    /// field the last counts, as in JavaScript.
    pub(super) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.fields
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, raw)| Value(raw.get()))
            .filter(|value| value.0 != "null")
    }

    /// Every name and value, nulls among them.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, Value<'a>)> {
        self.fields
            .iter()
            .map(|(name, raw)| (name.as_str(), Value(raw.get())))
    }
}

impl<'a> Value<'a> {
    /// A JSON string's text.
    pub(super) fn string(self) -> Option<String> {
        if !self.0.starts_with('"') {
            return None;
        }
        serde_json::from_str(self.0).ok()
    }

    /// A JSON number's digits, as they were written.
    pub(super) fn number(self) -> Option<&'a str> {
        self.0
            .starts_with(|first: char| first == '-' || first.is_ascii_digit())
            .then_some(self.0)
    }

    /// What a person would read: a string's text, a number's digits.
    pub(super) fn text(self) -> Option<String> {
        self.number().map(str::to_owned).or_else(|| self.string())
    }

    /// A JSON boolean; as CAKE also writes it, `1` and `"true"`.
    pub(super) fn is_true(self) -> bool {
        matches!(self.0, "true" | "1" | "\"true\"" | "\"True\"" | "\"1\"")
    }

    /// A JSON boolean and nothing else.
    pub(super) fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(super) fn object(self) -> Option<Object<'a>> {
        Object::read(self.0)
    }

    pub(super) fn array(self) -> Option<Vec<Value<'a>>> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.0).ok()?;
        Some(items.into_iter().map(|raw| Value(raw.get())).collect())
    }
}

/// A whole number from 0 to 2^53-1, written with digits alone.
pub(super) fn whole(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|number: &u64| *number <= MAX_ID)
}

/// Appends `text` as a JSON string.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\u{0}'..='\u{1f}' => {
                out.push_str(if character < '\u{10}' {
                    "\\u000"
                } else {
                    "\\u001"
                });
                crate::url::push_number(out, u64::from(u32::from(character) & 15), 16);
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
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
    fn what_is_no_object_is_not_read() {
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
        fn reading_never_panics(text in any::<String>()) {
            let _ = Object::read(&text);
            let _ = Value(&text).array();
        }
    }
}
