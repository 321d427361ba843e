//! Reads the rows of an answer in JSON, as a gateway gives it.

use super::List;
use super::row::{Field, Row};
use crate::api::Answer;
use crate::api::answer::record::{Record, list_holder, records};
use crate::api::json::Value;
use crate::api::unread::Unread;
use crate::{Error, Result};

/// Reads the same rows as JSON: `{"d":{"clicks":[…]}}`.
pub(super) fn read_json_rows(
    answer: &Answer<'_>,
    lists: &[List],
    fields: &'static [Field],
    take: &mut dyn FnMut(&Row<'_>),
) -> Result<(Option<u64>, Unread)> {
    let mut missing = Error::Internal;
    for (list, name) in lists {
        let (holder, total_rows) = match list_holder(answer, list) {
            Ok(found) => found,
            Err(error) => {
                missing = error;
                continue;
            }
        };
        let mut row = Row::new(fields);
        for (entry, record) in records(answer, holder.fields(), list, name)? {
            row.clear();
            row.entry = entry;
            if let Some(record) = record {
                read_row(answer, &record, fields, &mut row);
            }
            take(&row);
        }
        return Ok((total_rows, holder.unread()));
    }
    Err(missing)
}

fn read_row<'a>(
    answer: &Answer<'a>,
    record: &Record<'a, '_>,
    fields: &'static [Field],
    row: &mut Row<'_>,
) {
    for (parent, field) in fields {
        let value = if parent.is_empty() {
            if record.contradicts_itself(field) {
                row.two_faced.push((parent, field));
            }
            record.get(field)
        } else {
            // A text may stand for a record.
            let stand_in = record.get(parent).filter(|value| value.object().is_none());
            if let Some(value) = stand_in {
                row.keep_value("", parent, value);
            }
            inner_value(record, parent, field, answer, 3)
        };
        if let Some(value) = value {
            row.keep_value(parent, field, value);
        }
    }
}

/// A field of the record `parent`, which may be a few levels down.
fn inner_value<'a>(
    record: &Record<'a, '_>,
    parent: &str,
    field: &str,
    answer: &Answer<'a>,
    depth: u8,
) -> Option<Value<'a>> {
    let depth = depth.checked_sub(1)?;
    if let Some(inner) = record.get(parent).and_then(Value::object) {
        return Record::from_fields(answer, inner).get(field);
    }
    record.fields().entries().find_map(|(_, value)| {
        let inner = Record::from_fields(answer, value.object()?);
        inner_value(&inner, parent, field, answer, depth)
    })
}
