//! The JSON that the outbox hands over: the siblings of an event, the family of a correction.

use super::{Family, Parent, Sibling};
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

/// A list of `{ isNotRecorded, isDelivered, conversionId, acceptedMs, uniqueId, clickId }`.
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
                accepted_ms: number(&fields, "acceptedMs"),
                unique_id: Some(text(&fields, "uniqueId")).filter(|id| !id.is_empty()),
                click_id: text(&fields, "clickId"),
            })
        })
        .collect()
}

/// `{ conversion, earlierMs, hasLater, delivered }`. A conversion is
/// `{ state, code, message, nextMs, conversionId, ageMs }`, or null where it is not known here.
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
            conversion_id: time(&parent, "conversionId"),
            age_ms: time(&parent, "ageMs"),
        }),
        earlier_ms: time(&fields, "earlierMs"),
        has_later: flag(&fields, "hasLater"),
        delivered: (fields.get("delivered").and_then(Value::array))
            .unwrap_or_default()
            .into_iter()
            .filter_map(Value::string)
            .collect(),
    })
}
