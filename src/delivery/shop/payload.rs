//! A payload's fields by their paths. The payload may be anything: a field of another kind is
//! absent.

use crate::api::dress;
use crate::api::json::{Object, Value};
use crate::time::CivilTime;
use crate::transaction_id;

/// 2000-01-01, in milliseconds since 1970. An earlier date is none: shops make 1970 of a text that they
/// cannot read. The plugin for `WordPress` has the same day.
const FIRST_MS: u64 = 946_684_800_000;

/// A JSON object.
pub(super) struct Payload<'a>(Object<'a>);

impl<'a> Payload<'a> {
    /// Reads bytes: UTF-8, with or without a byte order mark.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        Object::read(text.trim_start_matches('\u{feff}')).map(Self)
    }

    /// The object at a path.
    pub(super) fn within(&self, path: &[&str]) -> Option<Self> {
        self.at(path)?.object().map(Self)
    }

    pub(super) fn of(value: Value<'a>) -> Option<Self> {
        value.object().map(Self)
    }

    /// The value at a path; `None` also for null.
    pub(super) fn at(&self, path: &[&str]) -> Option<Value<'a>> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.0.get(first)?, |value, name| value.object()?.get(name))
    }

    /// A text that is not empty, or a number's digits. White space around it is trimmed.
    pub(super) fn text(&self, path: &[&str]) -> Option<String> {
        let text = self.at(path)?.text()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// An id: a text, or a whole number's digits of any count.
    pub(super) fn id(&self, path: &[&str]) -> Option<String> {
        let value = self.at(path)?;
        let is_whole = value
            .number()
            .is_none_or(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let text = value.text().filter(|_| is_whole)?;
        transaction_id::check("uniqueId", &text)
            .ok()
            .map(str::to_owned)
    }

    /// The id of an object that is given by its id, or in whole, as Stripe expands it.
    pub(super) fn reference(&self, name: &str) -> Option<String> {
        self.id(&[name]).or_else(|| self.id(&[name, "id"]))
    }

    /// A whole number of at most 15 digits.
    pub(super) fn whole(&self, path: &[&str]) -> Option<u64> {
        let digits = self.at(path)?.number()?;
        let is_whole = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then(|| digits.parse().ok()).flatten()
    }

    pub(super) fn is_true(&self, path: &[&str]) -> bool {
        self.at(path).is_some_and(dress::is_yes)
    }

    /// The objects in a list, as far as they can be read.
    pub(super) fn list(&self, path: &[&str]) -> Vec<Self> {
        let items = self.items(path).unwrap_or_default();
        items.into_iter().filter_map(Self::of).collect()
    }

    /// The objects in a list; `None` where the list, or an entry of it, cannot be read.
    pub(super) fn whole_list(&self, path: &[&str]) -> Option<Vec<Self>> {
        self.items(path)?.into_iter().map(Self::of).collect()
    }

    fn items(&self, path: &[&str]) -> Option<Vec<Value<'a>>> {
        let name = path.last()?;
        entries(self.at(path)?, name.strip_suffix('s').unwrap_or(name))
    }

    /// An instant in ISO 8601, in milliseconds since 1970. Without an offset it is UTC. One before 2000
    /// is none.
    pub(super) fn instant(&self, path: &[&str]) -> Option<u64> {
        instant(&self.text(path)?).filter(|ms| *ms >= FIRST_MS)
    }
}

/// The entries of a list, in any dress that CAKE's answers may have too: PHP writes a list with holes
/// as `{"0":…,"2":…}`, and an empty one as `[]` or `{}`. `None` where it is no list.
pub(super) fn entries<'a>(list: Value<'a>, row: &str) -> Option<Vec<Value<'a>>> {
    let is_bare = list.array().is_some_and(|items| items.is_empty())
        || list
            .object()
            .is_some_and(|object| object.entries().next().is_none());
    if is_bare {
        return Some(Vec::new());
    }
    // An entry that stands for nothing is no row, and the list is not empty either.
    dress::rows(list, row).filter(|rows| !rows.is_empty())
}

fn instant(text: &str) -> Option<u64> {
    let (civil, rest) = text.split_at_checked(19)?;
    let civil = civil.replacen('T', " ", 1);
    let ms = CivilTime::parse("paidAt", &civil).ok()?.as_utc_ms();
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => rest,
    };
    let (is_east, clock) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        _ if matches!(zone, "" | "Z" | "z") => return Some(ms),
        (Some(clock), _) => (true, clock),
        (_, Some(clock)) => (false, clock),
        _ => return None,
    };
    let digits: String = clock.chars().filter(|mark| *mark != ':').collect();
    let is_clock = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_clock)?;
    let offset = (number / 100 * 60 + number % 100) * 60_000;
    if is_east {
        ms.checked_sub(offset)
    } else {
        ms.checked_add(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_instant_has_an_offset_or_is_utc() {
        let utc = instant("2026-06-19T14:30:00Z").unwrap();
        for same in [
            "2026-06-19T14:30:00",
            "2026-06-19 14:30:00",
            "2026-06-19T14:30:00.123Z",
            "2026-06-19T10:30:00-04:00",
            "2026-06-19T20:00:00+0530",
        ] {
            assert_eq!(instant(same), Some(utc), "{same}");
        }
        for none in [
            "",
            "2026-06-19",
            "2026-02-30T00:00:00Z",
            "2026-06-19T14:30:00 EST",
            "2026-06-19T14:30:00+1",
            "1970-01-01T00:00:00+14:00",
        ] {
            assert_eq!(instant(none), None, "{none}");
        }
    }

    #[test]
    fn a_date_that_stands_for_none_is_none() {
        for (text, is_date) in [
            ("1970-01-01T00:00:00", false),
            ("1970-01-01T02:00:00+02:00", false),
            ("1999-12-31T23:59:59Z", false),
            ("0000-00-00T00:00:00", false),
            ("-0001-11-30T00:00:00", false),
            ("0001-01-01T00:00:00", false),
            ("2000-01-01T00:00:00Z", true),
        ] {
            let body = format!(r#"{{"at":"{text}"}}"#);
            let payload = Payload::read(body.as_bytes()).unwrap();
            assert_eq!(payload.instant(&["at"]).is_some(), is_date, "{text}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_absent() {
        let text = r#"{"id":12345678901234567890,"f":1.5,"n":null,"o":{"id":"x"},"l":[1,{"a":1}],"e":" "}"#;
        let payload = Payload::read(text.as_bytes()).unwrap();
        assert_eq!(payload.id(&["id"]).as_deref(), Some("12345678901234567890"));
        assert_eq!(payload.whole(&["id"]), None);
        assert_eq!(payload.id(&["f"]), None);
        assert_eq!(payload.reference("o").as_deref(), Some("x"));
        assert_eq!(payload.list(&["l"]).len(), 1);
        assert!(payload.whole_list(&["l"]).is_none());
        for path in [&["n"][..], &["e"], &["o", "y"], &["id", "id"], &[]] {
            assert_eq!(payload.text(path), None);
        }
    }

    #[test]
    fn a_list_is_read_in_any_dress_or_not_at_all() {
        for (list, rows) in [
            ("[]", Some(0)),
            ("{}", Some(0)),
            (r#"[{"a":1},{"a":2}]"#, Some(2)),
            (r#"{"0":{"a":1},"2":{"a":2}}"#, Some(2)),
            (r#"{"a":1}"#, Some(1)),
            (r#"{"refund":{"a":1}}"#, Some(1)),
            ("null", None),
            ("\"\"", None),
            ("\"x\"", None),
            ("false", None),
            ("7", None),
            ("[null]", None),
            ("[\"\"]", None),
            ("[[]]", None),
            ("[5001]", None),
            (r#"[{"a":1},5001]"#, None),
        ] {
            let text = format!(r#"{{"refunds":{list}}}"#);
            let payload = Payload::read(text.as_bytes()).unwrap();
            let found = payload.whole_list(&["refunds"]);
            assert_eq!(found.as_ref().map(Vec::len), rows, "{list}");
            for row in found.unwrap_or_default() {
                assert!(row.at(&["a"]).is_some(), "{list}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_panic(text in "\\PC{0,40}", bytes in any::<Vec<u8>>()) {
            let _ = instant(&text);
            let _ = Payload::read(&bytes).map(|payload| payload.id(&["id"]));
        }
    }
}
