//! Reads the rows of an answer in JSON, as a gateway gives it.

use super::List;
use super::row::{Field, Row};
use crate::api::Answer;
use crate::api::answer::record::{Record, list_holder, records};
use crate::api::json::Value;
use crate::api::unread::Unread;
use crate::{Error, Result};
use std::borrow::Cow;

/// Reads the same rows as JSON: `{"d":{"clicks":[…]}}`.
pub(super) fn read_json_rows(
    answer: &Answer<'_>,
    lists: &[List],
    fields: &'static [Field],
    take: &mut dyn FnMut(&Row<'_>),
) -> Result<Option<u64>> {
    let mut missing = Error::Internal;
    for (list, name) in lists {
        let (holder, total_rows) = match list_holder(answer, list) {
            Ok(found) => found,
            Err(error) => {
                missing = error;
                continue;
            }
        };
        let mut passed_over = Unread::default();
        let records = records(answer, holder.fields(), list, name, &mut passed_over)?;
        for (record, _) in records {
            let mut row = Row::new(fields);
            row.notes.merge(std::mem::take(&mut passed_over));
            for (parent, field) in fields {
                let found = if parent.is_empty() {
                    let value = record.get(field);
                    let text = value.and_then(plain_text);
                    if let (Some(value), None) = (value, &text) {
                        row.notes.note(field, value.json());
                    }
                    text
                } else {
                    inner_text(&record, parent, field, answer, 3)
                };
                if let Some(text) = found {
                    row.keep(parent, field, Cow::Owned(text));
                }
                if parent.is_empty() && record.contradicts_itself(field) {
                    row.two_faced.push((parent, field));
                }
            }
            take(&row);
        }
        return Ok(total_rows);
    }
    Err(missing)
}

/// A field of the record `parent`, which may be a few levels down.
fn inner_text<'a>(
    record: &Record<'a, '_>,
    parent: &str,
    field: &str,
    answer: &Answer<'a>,
    depth: u8,
) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if let Some(inner) = record.get(parent).and_then(Value::object) {
        return Record::from_fields(answer, inner)
            .get(field)
            .and_then(plain_text);
    }
    record.fields().entries().find_map(|(_, value)| {
        let inner = Record::from_fields(answer, value.object()?);
        inner_text(&inner, parent, field, answer, depth)
    })
}

fn plain_text(value: Value<'_>) -> Option<String> {
    match value.boolean() {
        Some(said) => Some(if said { "true" } else { "false" }.to_owned()),
        None => value.text(),
    }
}
