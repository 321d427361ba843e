//! The JSON that the outbox hands over: a row, the facts of an attempt, the siblings of an event.

use super::{Facts, Family, Knowledge, Parent, Result, Row, Sibling};
use crate::Error;
use crate::api::json::{Object, Value};

fn number(fields: &Object<'_>, name: &str) -> u64 {
    let digits = fields.get(name).and_then(Value::number);
    let whole = digits.and_then(|digits| digits.split('.').next());
    whole
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

fn text(fields: &Object<'_>, name: &str) -> String {
    fields.get(name).and_then(Value::string).unwrap_or_default()
}

fn flag(fields: &Object<'_>, name: &str) -> bool {
    fields.get(name).is_some_and(Value::is_true)
}

/// `{ number, text, acceptedAt, acceptedUtcMs, attempts, isInDoubt, code,
/// changedMs, isDeduplicated, knowledge, quietFromMs }`.
///
/// # Errors
/// [`Error::Internal`] where it is not an object.
pub(crate) fn read_attempt(json: &str) -> Result<(Row, Facts)> {
    let fields = Object::read(json).ok_or(Error::Internal)?;
    let row = Row {
        number: number(&fields, "number"),
        text: text(&fields, "text"),
        accepted_at: text(&fields, "acceptedAt"),
        accepted_utc_ms: number(&fields, "acceptedUtcMs"),
        attempts: u32::try_from(number(&fields, "attempts")).unwrap_or(u32::MAX),
        is_in_doubt: flag(&fields, "isInDoubt"),
        code: text(&fields, "code"),
        changed_ms: number(&fields, "changedMs"),
    };
    let facts = Facts {
        is_deduplicated: flag(&fields, "isDeduplicated"),
        knowledge: Knowledge::from_word(&text(&fields, "knowledge")),
        quiet_from_ms: number(&fields, "quietFromMs"),
    };
    Ok((row, facts))
}

/// A list of `{ isNotRecorded, isDelivered, conversionId }`.
#[must_use]
pub(crate) fn read_siblings(json: &str) -> Option<Vec<Sibling>> {
    let wrapped = ["{\"siblings\":", json, "}"].concat();
    let siblings = Object::read(&wrapped)?.get("siblings")?.array()?;
    siblings
        .into_iter()
        .map(|sibling| {
            let fields = sibling.object()?;
            Some(Sibling {
                is_not_recorded: flag(&fields, "isNotRecorded"),
                is_delivered: flag(&fields, "isDelivered"),
                conversion_id: Some(number(&fields, "conversionId")).filter(|id| *id > 0),
            })
        })
        .collect()
}

/// `{ conversion, earlierMs, hasLater }`. A conversion is
/// `{ state, code, message, nextMs, ageMs }`, or null where it is not known here.
#[must_use]
pub(crate) fn read_family(json: &str) -> Option<Family> {
    let fields = Object::read(json)?;
    let time = |fields: &Object<'_>, name: &str| {
        let is_there = fields.get(name).is_some_and(|value| !value.is_null());
        is_there.then(|| number(fields, name))
    };
    let conversion = fields.get("conversion").and_then(Value::object);
    Some(Family {
        conversion: conversion.map(|parent| Parent {
            state: text(&parent, "state"),
            code: text(&parent, "code"),
            message: text(&parent, "message"),
            next_ms: time(&parent, "nextMs"),
            age_ms: time(&parent, "ageMs"),
        }),
        earlier_ms: time(&fields, "earlierMs"),
        has_later: flag(&fields, "hasLater"),
    })
}
