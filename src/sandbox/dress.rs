//! The dress of an answer: the variations in which .NET services and JSON gateways write the fields
//! of CAKE's article. A user can test their code against each.

use super::plan::HttpAnswer;
use crate::time::CivilTime;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One difference between an answer and the article. Several dresses can be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dress {
    /// `{"d":{…}}` around the answer.
    D,
    /// `{"d":"{…}"}`: the answer as a text.
    DText,
    /// `ClickId` for `click_id`.
    PascalCase,
    /// `clickId` for `click_id`.
    CamelCase,
    /// Numbers and booleans as texts: `"12345"`, `"true"`.
    Texts,
    /// Texts of digits as numbers: a sub id of 20 digits.
    Numbers,
    /// `{"#text":"…"}` around each value, and `{"@nil":"true"}` for null.
    Elements,
    /// A list of one row becomes the row itself, and an empty list becomes null.
    OneObject,
    /// `{"click":[…]}` for a list of clicks.
    NamedRows,
    /// In a list's first row, every field but its own id is null.
    Nulls,
    /// A recorded conversion without `conversion` around it.
    Flat,
    /// `2026-01-15T14:42:11Z`.
    IsoDates,
    /// `2026-01-15T09:42:11-05:00`, in the account's offset.
    OffsetDates,
    /// `/Date(1768488131000-0500)/`, in the account's offset.
    JsonDates,
    /// `1/15/2026 9:42:11 AM`.
    UsDates,
    /// `2026-01-15 09:42:11.123`.
    Milliseconds,
}

impl Dress {
    /// Every dress.
    pub(crate) const ALL: [Self; 16] = [
        Self::D,
        Self::DText,
        Self::PascalCase,
        Self::CamelCase,
        Self::Texts,
        Self::Numbers,
        Self::Elements,
        Self::OneObject,
        Self::NamedRows,
        Self::Nulls,
        Self::Flat,
        Self::IsoDates,
        Self::OffsetDates,
        Self::JsonDates,
        Self::UsDates,
        Self::Milliseconds,
    ];
}

/// Applies the dresses to a successful answer. `offset_minutes` is the account's offset from UTC.
pub(super) fn put_on(answer: &mut HttpAnswer, dresses: &[Dress], offset_minutes: i64) {
    let is_success = answer.status == 200 && answer.body.starts_with("{\"request_status\":");
    if dresses.is_empty() || !is_success || answer.is_base64 {
        return;
    }
    let writer = Writer {
        dresses,
        offset_minutes,
    };
    let Ok(envelope) = serde_json::from_str::<Entries<'_>>(&answer.body) else {
        return;
    };
    let mut body = writer.object(&envelope, false);
    if writer.has(Dress::D) {
        body = ["{\"d\":", &body, "}"].concat();
    }
    if writer.has(Dress::DText) {
        body = ["{\"d\":", &quoted(&body), "}"].concat();
    }
    answer.body = body;
}

struct Writer<'a> {
    dresses: &'a [Dress],
    offset_minutes: i64,
}

impl Writer<'_> {
    fn has(&self, dress: Dress) -> bool {
        self.dresses.contains(&dress)
    }

    /// The fields of an object, each `"name":value`.
    fn fields(&self, entries: &Entries<'_>, is_emptied: bool) -> Vec<String> {
        let is_envelope = entries.0.iter().any(|(name, _)| name == "request_status");
        entries
            .0
            .iter()
            .flat_map(|(name, value)| {
                let is_flat = is_envelope && name == "conversion" && self.has(Dress::Flat);
                match serde_json::from_str::<Entries<'_>>(value.get()) {
                    Ok(record) if is_flat => self.fields(&record, is_emptied),
                    _ => vec![
                        [
                            &quoted(&self.name(name)),
                            ":",
                            &self.value(name, value.get(), is_emptied),
                        ]
                        .concat(),
                    ],
                }
            })
            .collect()
    }

    fn object(&self, entries: &Entries<'_>, is_emptied: bool) -> String {
        ["{", &self.fields(entries, is_emptied).join(","), "}"].concat()
    }

    /// The value of the field with this name.
    fn value(&self, name: &str, json: &str, is_emptied: bool) -> String {
        if let Ok(entries) = serde_json::from_str::<Entries<'_>>(json) {
            return self.object(&entries, is_emptied);
        }
        if let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(json) {
            return self.list(name, &rows);
        }
        let is_own = matches!(name, "click_id" | "conversion_id" | "tracking_domain_id");
        let json = if is_emptied && !is_own { "null" } else { json };
        let json = self.spelt(name, json);
        if !self.has(Dress::Elements) || matches!(name, "request_status" | "total_rows") {
            return json.into_owned();
        }
        if json == "null" {
            return r#"{"@nil":"true"}"#.to_owned();
        }
        [r##"{"#text":"##, &json, "}"].concat()
    }

    fn list(&self, name: &str, rows: &[&RawValue]) -> String {
        let row_name = name.strip_suffix('s').unwrap_or(name);
        let mut rows: Vec<String> = rows
            .iter()
            .enumerate()
            .map(|(index, row)| {
                let is_emptied = index == 0 && self.has(Dress::Nulls);
                self.value(row_name, row.get(), is_emptied)
            })
            .collect();
        let list = match rows.as_mut_slice() {
            [] if self.has(Dress::OneObject) => return "null".to_owned(),
            [only] if self.has(Dress::OneObject) => std::mem::take(only),
            _ => ["[", &rows.join(","), "]"].concat(),
        };
        if !self.has(Dress::NamedRows) {
            return list;
        }
        ["{", &quoted(&self.name(row_name)), ":", &list, "}"].concat()
    }

    /// A name, such as `click_id`.
    fn name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let is_pascal = self.has(Dress::PascalCase);
        if !is_pascal && !self.has(Dress::CamelCase) {
            return Cow::Borrowed(name);
        }
        let mut spelt = String::with_capacity(name.len());
        let mut is_capital = is_pascal;
        for letter in name.chars() {
            if letter == '_' {
                is_capital = true;
            } else {
                spelt.push(if is_capital {
                    letter.to_ascii_uppercase()
                } else {
                    letter
                });
                is_capital = false;
            }
        }
        Cow::Owned(spelt)
    }

    /// A text, a number, a boolean or null.
    fn spelt<'a>(&self, name: &str, json: &'a str) -> Cow<'a, str> {
        if name.ends_with("_date")
            && let Ok(date) = serde_json::from_str::<&str>(json)
            && let Some(date) = self.date(date)
        {
            return Cow::Owned(quoted(&date));
        }
        let is_text = json.starts_with('"');
        if self.has(Dress::Texts) && !is_text && json != "null" {
            return Cow::Owned(quoted(json));
        }
        let digits = json.trim_matches('"');
        let is_number = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        if self.has(Dress::Numbers) && is_text && is_number {
            return Cow::Borrowed(digits);
        }
        Cow::Borrowed(json)
    }

    /// The account's `YYYY-MM-DD HH:MM:SS` in another format.
    fn date(&self, civil: &str) -> Option<String> {
        let time = CivilTime::parse("date", civil).ok()?;
        let offset_ms = self.offset_minutes * 60_000;
        let utc_ms = time.as_utc_ms().saturating_add_signed(-offset_ms);
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let (day, clock) = civil.split_once(' ')?;
        if self.has(Dress::JsonDates) {
            return Some(format!("/Date({utc_ms}{sign}{hours:02}{minutes:02})/"));
        }
        if self.has(Dress::IsoDates) {
            let utc = CivilTime::from_utc_ms(utc_ms).to_string();
            return Some([&utc.replace(' ', "T"), "Z"].concat());
        }
        if self.has(Dress::OffsetDates) {
            return Some(format!("{day}T{clock}{sign}{hours:02}:{minutes:02}"));
        }
        if self.has(Dress::UsDates) {
            let mut parts = day
                .split('-')
                .chain(clock.split(':'))
                .map(|part| part.parse::<u64>().ok());
            let mut next = || parts.next().flatten();
            let (year, month, day) = (next()?, next()?, next()?);
            let (hour, minute, second) = (next()?, next()?, next()?);
            let half = if hour < 12 { "AM" } else { "PM" };
            let hour = (hour + 11) % 12 + 1;
            return Some(format!(
                "{month}/{day}/{year} {hour}:{minute:02}:{second:02} {half}"
            ));
        }
        self.has(Dress::Milliseconds)
            .then(|| [civil, ".123"].concat())
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// The fields of an object in their order, with their values in the original text.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push((Cow::Owned(name), value));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLICK: &str = r#"{"request_status":"Success","response":{"clicks":[{"click_id":"a1","click_date":"2026-01-15 09:42:11","offer_id":12345,"sub_id_2":"12345678901234567890","converted":true,"conversion_id":null}],"total_rows":1}}"#;
    const RECORDED: &str =
        r#"{"request_status":"Success","conversion":{"conversion_id":7,"payout":18.00}}"#;

    fn dressed(body: &str, dresses: &[Dress]) -> String {
        let mut answer = HttpAnswer::new(200, "application/json", body);
        put_on(&mut answer, dresses, -300);
        answer.body
    }

    #[test]
    fn an_answer_without_a_dress_is_the_articles_own() {
        assert_eq!(dressed(CLICK, &[]), CLICK);
        let failure = r#"{"success":false,"message":"No"}"#;
        assert_eq!(dressed(failure, &Dress::ALL), failure);
    }

    #[test]
    fn each_dress_differs_in_its_own_way() {
        for (dress, part) in [
            (Dress::D, r#"{"d":{"request_status""#),
            (Dress::DText, r#"{"d":"{\"request_status\""#),
            (Dress::PascalCase, r#""Clicks":[{"ClickId":"a1""#),
            (Dress::CamelCase, r#""clicks":[{"clickId":"a1""#),
            (Dress::Texts, r#""offer_id":"12345""#),
            (Dress::Numbers, r#""sub_id_2":12345678901234567890"#),
            (Dress::Elements, r##""click_id":{"#text":"a1"}"##),
            (Dress::OneObject, r#""clicks":{"click_id""#),
            (Dress::NamedRows, r#""clicks":{"click":[{"click_id""#),
            (Dress::Nulls, r#""click_id":"a1","click_date":null"#),
            (Dress::IsoDates, r#""click_date":"2026-01-15T14:42:11Z""#),
            (
                Dress::OffsetDates,
                r#""click_date":"2026-01-15T09:42:11-05:00""#,
            ),
            (
                Dress::JsonDates,
                r#""click_date":"/Date(1768488131000-0500)/""#,
            ),
            (Dress::UsDates, r#""click_date":"1/15/2026 9:42:11 AM""#),
            (
                Dress::Milliseconds,
                r#""click_date":"2026-01-15 09:42:11.123""#,
            ),
        ] {
            let body = dressed(CLICK, &[dress]);
            assert!(body.contains(part), "{dress:?}: {body}");
        }
        assert_eq!(
            dressed(RECORDED, &[Dress::Flat]),
            r#"{"request_status":"Success","conversion_id":7,"payout":18.00}"#
        );
        assert!(dressed(RECORDED, &[Dress::PascalCase]).contains(r#""Payout":18.00"#));
    }

    #[test]
    fn an_empty_list_of_one_object_is_null() {
        let empty = r#"{"request_status":"Success","response":{"clicks":[],"total_rows":0}}"#;
        assert!(dressed(empty, &[Dress::OneObject]).contains(r#""clicks":null"#));
    }
}
