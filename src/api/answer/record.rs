//! The records and lists in an answer, read field by field.

use super::super::dress;
use super::super::json::{Object, Value, parse_id};
use super::super::page::Page;
use super::super::unread::{Notes, Unread};
use super::Answer;
use crate::{Error, Result};

/// The names of the fields that identify a conversion.
const IDENTITY: [&str; 4] = ["conversion_id", "click_id", "offer_id", "unique_id"];

/// The names of objects around a record or a list in some answers.
const WRAPPERS: [&str; 3] = ["response", "data", "result"];

/// The fields of one record in an answer; a wrong one is an error that names it.
pub(in crate::api) struct Record<'a, 'b> {
    answer: &'b Answer<'a>,
    fields: Object<'a>,
    /// The object around the record, where there is one.
    around: Option<Object<'a>>,
    /// The values that its readers could not read.
    notes: Notes,
}

impl<'a, 'b> Record<'a, 'b> {
    /// The one record of an answer. It is under `name` in the envelope or in a wrapper, or it is
    /// the envelope itself where that has the record's `id`.
    pub(in crate::api) fn of_answer(
        answer: &'b Answer<'a>,
        envelope: Object<'a>,
        name: &str,
        id: &str,
    ) -> Result<Self> {
        let mut holder = envelope;
        for _ in 0..4 {
            if [name, id]
                .iter()
                .any(|each| dress::contradicts_itself(&holder, each))
            {
                return Err(answer.unexpected("says two things in `", &[name, "`"].concat()));
            }
            if let Some(fields) = dress::find(&holder, name).and_then(Value::object) {
                let id_of = |fields| dress::find(fields, id).and_then(Value::text);
                if id_of(&holder).is_some_and(|outer| id_of(&fields) != Some(outer)) {
                    return Err(answer.unexpected("says two things of its ", id));
                }
                return Ok(Self {
                    answer,
                    fields,
                    around: Some(holder),
                    notes: Notes::default(),
                });
            }
            if dress::find(&holder, id).is_some() && !dress::has(&holder, name) {
                return Ok(Self::from_fields(answer, holder));
            }
            let inner = WRAPPERS
                .iter()
                .find_map(|wrapper| dress::find(&holder, wrapper)?.object());
            match inner {
                Some(inner) => holder = inner,
                None => break,
            }
        }
        Err(answer.lacks("has no record in ", &["`", name, "`"].concat()))
    }

    /// A record of fields that have been read.
    pub(in crate::api) fn from_fields(answer: &'b Answer<'a>, fields: Object<'a>) -> Self {
        Self {
            answer,
            fields,
            around: None,
            notes: Notes::default(),
        }
    }

    pub(in crate::api) fn get(&self, name: &str) -> Option<Value<'a>> {
        dress::find(&self.fields, name)
    }

    /// Is the field present, even with null?
    pub(in crate::api) fn has(&self, name: &str) -> bool {
        dress::has(&self.fields, name)
    }

    pub(in crate::api) fn fields(&self) -> &Object<'a> {
        &self.fields
    }

    /// Does a field say two different things, in the record or around it?
    pub(in crate::api) fn contradicts_itself(&self, name: &str) -> bool {
        [Some(&self.fields), self.around.as_ref()]
            .into_iter()
            .flatten()
            .any(|object| dress::contradicts_itself(object, name))
    }

    /// The first of [`IDENTITY`] with two different values, in the record or around it.
    pub(in crate::api) fn two_faced(&self) -> Option<&'static str> {
        IDENTITY.into_iter().find(|name| {
            let told = self.told(name);
            let is_same = |one: &str, other: &str| {
                one.eq_ignore_ascii_case(other)
                    || parse_id(one).is_some_and(|id| parse_id(other) == Some(id))
            };
            let first = told.first().map(String::as_str).unwrap_or_default();
            self.contradicts_itself(name) || told.iter().any(|other| !is_same(first, other))
        })
    }

    /// The record's value for one of the names of [`IDENTITY`]: in the record, in a part of it
    /// (`offer: { offer_id }`), or around it. Absent where the value says nothing, such as .NET's
    /// 0.
    pub(in crate::api) fn identity(&self, name: &str) -> Option<String> {
        self.told(name).into_iter().next()
    }

    /// All values of a name.
    fn told(&self, name: &str) -> Vec<String> {
        let part = name.strip_suffix("_id").unwrap_or(name);
        [Some(&self.fields), self.around.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|object| {
                let inner = dress::find(object, part)
                    .and_then(Value::object)
                    .and_then(|inner| dress::find(&inner, name).and_then(Value::text));
                [dress::find(object, name).and_then(Value::text), inner]
            })
            .flatten()
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty() && parse_id(text) != Some(0))
            .collect()
    }

    pub(in crate::api) fn missing(&self, name: &str) -> Error {
        self.answer.unexpected("has no ", name)
    }

    /// The values that could not be read so far, each field once.
    pub(in crate::api) fn unread(&self) -> Unread {
        self.notes.take()
    }

    /// Adds the unread values of a part of the record.
    pub(in crate::api) fn note_all(&self, unread: Unread) {
        self.notes.merge(unread);
    }

    /// Reads a field with `read`. A value that cannot be read is noted.
    fn read<T>(&self, name: &str, read: impl FnOnce(Value<'a>) -> Option<T>) -> Option<T> {
        let value = self.get(name)?;
        let found = read(value);
        if found.is_none() && value.text().is_none_or(|text| !text.trim().is_empty()) {
            self.notes.note(name, value.json());
        }
        found
    }

    /// A record in a field, such as an offer in its conversion.
    pub(in crate::api) fn part(&self, name: &str) -> Option<Self> {
        let fields = self.read(name, Value::object)?;
        Some(Self::from_fields(self.answer, fields))
    }

    /// A text, or a number's digits; absent where it is null, missing or neither.
    pub(in crate::api) fn text(&self, name: &str) -> Option<String> {
        self.read(name, Value::text)
    }

    /// A whole number from 0, which CAKE writes as a number or as text.
    pub(in crate::api) fn count(&self, name: &str) -> Option<u64> {
        self.read(name, |value| parse_id(value.text()?.trim()))
    }

    /// The number of rows in all of a list, by any of its names.
    pub(in crate::api) fn total_rows(&self) -> Option<u64> {
        TOTALS.iter().find_map(|name| self.count(name))
    }

    /// Has it a total that is none, such as -1?
    fn has_unread_total(&self) -> bool {
        let text = |name: &&str| self.get(name).map(|value| value.text().unwrap_or_default());
        let mut told = TOTALS.iter().filter_map(text);
        told.any(|text| parse_id(text.trim()).is_none() && !text.trim().is_empty())
    }

    /// An id; absent where it is 0, as .NET writes "none", or no id at all.
    pub(in crate::api) fn id(&self, name: &str) -> Option<u64> {
        self.count(name).filter(|id| *id > 0)
    }

    /// An id that must be there.
    pub(in crate::api) fn required_id(&self, name: &str) -> Result<u64> {
        self.id(name).ok_or_else(|| self.missing(name))
    }

    /// The offer, whether its id stands in the record or in its `offer`.
    pub(in crate::api) fn offer_id(&self) -> Option<u64> {
        let id = |name| self.identity(name).and_then(|id| parse_id(&id));
        id("offer_id")
            .or_else(|| self.id("offer_id"))
            .or_else(|| id("site_offer_id"))
    }

    /// An affiliate's id: CAKE's own test affiliate is -1.
    pub(in crate::api) fn affiliate_id(&self, name: &str) -> Option<i64> {
        let id = self.read(name, |value| match value.text()?.trim() {
            "-1" => Some(-1),
            digits => i64::try_from(parse_id(digits)?).ok(),
        });
        id.filter(|id| *id != 0)
    }

    /// An amount as CAKE wrote it: the digits themselves, not a binary fraction.
    pub(in crate::api) fn amount(&self, name: &str) -> Option<String> {
        self.read(name, dress::amount)
    }

    /// Yes or no, in any of the words for it.
    pub(in crate::api) fn flag(&self, name: &str) -> Option<bool> {
        self.read(name, |value| {
            let is_yes = dress::is_yes(value);
            (is_yes || dress::is_no(value)).then_some(is_yes)
        })
    }
}

/// The names of the number of rows in all of a list.
const TOTALS: [&str; 5] = [
    "total_rows",
    "total_row_count",
    "row_count",
    "total_count",
    "total",
];

/// The record of an answer that has the list of this name: `response`, `data` in it, or the
/// envelope itself. Also returns the list's length, from any place.
pub(in crate::api) fn list_holder<'a, 'b>(
    answer: &'b Answer<'a>,
    name: &'static str,
) -> Result<(Record<'a, 'b>, Option<u64>)> {
    holder_of(answer, name, name)
}

/// `passed` is the list whose rows may hold a no; empty where none may.
fn holder_of<'a, 'b>(
    answer: &'b Answer<'a>,
    name: &str,
    passed: &'static str,
) -> Result<(Record<'a, 'b>, Option<u64>)> {
    let mut record = Record::from_fields(answer, answer.open()?);
    answer.check_read(record.fields(), passed)?;
    let mut total_rows = record.total_rows();
    let mut levels = 0..4;
    while !record.has(name) {
        let inner = WRAPPERS
            .iter()
            .find_map(|wrapper| record.get(wrapper)?.object());
        match inner {
            Some(inner) if levels.next().is_some() => {
                let unread = record.unread();
                record = Record::from_fields(answer, inner);
                record.note_all(unread);
            }
            // A length without a list is an empty one.
            None if total_rows == Some(0) => break,
            _ => return Err(answer.lacks("has no list in ", name)),
        }
        total_rows = record.total_rows().or(total_rows);
    }
    if total_rows == Some(0) {
        // PHP writes an empty list so. Without a length, `{}` may be anything.
        let is_empty = |value: Value<'_>| {
            value
                .object()
                .is_some_and(|object| object.entries().next().is_none())
        };
        let is_list = |each: &str| dress::is_same_name(each, name);
        record
            .fields
            .retain(|each, value| !is_list(each) || !is_empty(value));
    }
    // If there are two lists, neither is the one.
    let lists = record.fields().entries();
    if lists
        .filter(|(each, _)| dress::is_same_name(each, name))
        .count()
        > 1
    {
        return Err(answer.unexpected("says two things in `", &[name, "`"].concat()));
    }
    Ok((record, total_rows))
}

/// Like [`list_holder`], for a question whose answer proves something: an empty list proves that
/// there is no row only where no total beside it is unreadable, such as -1.
pub(in crate::api) fn sure_list_holder<'a, 'b>(
    answer: &'b Answer<'a>,
    name: &str,
) -> Result<(Record<'a, 'b>, Option<u64>)> {
    let (record, total_rows) = holder_of(answer, name, "")?;
    let is_empty = |(_, value): &(&str, Value<'_>)| {
        value.is_null() || value.array().is_some_and(|rows| rows.is_empty())
    };
    let has_rows = record
        .fields()
        .entries()
        .any(|each| dress::is_same_name(each.0, name) && !is_empty(&each));
    let mut around = Some(Record::from_fields(answer, answer.open()?));
    let mut has_unread_total = record.has_unread_total();
    for _ in 0..4 {
        let Some(level) = around.take() else { break };
        has_unread_total |= level.has_unread_total();
        let inner = WRAPPERS
            .iter()
            .find_map(|wrapper| level.get(wrapper)?.object());
        around = inner.map(|inner| Record::from_fields(answer, inner));
    }
    if has_unread_total && total_rows.is_none() && !has_rows {
        return Err(answer.unexpected("has no rows, and a total that cannot be read", ""));
    }
    Ok((record, total_rows))
}

/// The entries of a list in order, each with its JSON text; none where the list is null or missing.
/// `row` is the name of one record. An entry without a value has no record; its neighbours are kept.
pub(in crate::api) fn records<'a, 'b>(
    answer: &'b Answer<'a>,
    envelope: &Object<'a>,
    name: &str,
    row: &str,
) -> Result<Vec<(&'a str, Option<Record<'a, 'b>>)>> {
    let list = list_of(answer, envelope, name, row)?;
    let record = |value: Value<'a>| {
        let has_value = |fields: &Object<'_>| {
            let mut entries = fields.entries();
            entries.any(|(_, value)| !dress::has_no_value(value))
        };
        let fields = value.object().filter(has_value);
        let record = fields.map(|fields| Record::from_fields(answer, fields));
        (value.json(), record)
    };
    Ok(list.into_iter().map(record).collect())
}

/// The page of a list: each record as `read` reads it.
pub(in crate::api) fn page<'a, 'b, Row: Default + PartialEq>(
    answer: &'b Answer<'a>,
    (holder, total_rows): &(Record<'a, 'b>, Option<u64>),
    [name, row]: [&str; 2],
    read: impl Fn(&Record<'a, 'b>) -> Row,
) -> Result<Page<Row>> {
    let mut page = Page::default();
    for (entry, record) in records(answer, holder.fields(), name, row)? {
        let (read, unread) = record
            .map(|record| (read(&record), record.unread()))
            .unwrap_or_default();
        page.push(read, unread, name, entry);
    }
    page.unread.merge(holder.unread());
    Ok(page.with_total(*total_rows))
}

/// Has the list an entry that is no record, which [`records`] skips?
pub(in crate::api) fn has_unread_rows(
    answer: &Answer<'_>,
    envelope: &Object<'_>,
    name: &str,
    row: &str,
) -> Result<bool> {
    let list = list_of(answer, envelope, name, row)?;
    Ok(list.into_iter().any(|row| row.object().is_none()))
}

fn list_of<'a>(
    answer: &Answer<'_>,
    envelope: &Object<'a>,
    name: &str,
    row: &str,
) -> Result<Vec<Value<'a>>> {
    let list = envelope
        .entries()
        .find(|(each, _)| dress::is_same_name(each, name));
    list.map_or_else(|| Some(Vec::new()), |(_, value)| dress::rows(value, row))
        .ok_or_else(|| answer.lacks("has no list in ", name))
}
