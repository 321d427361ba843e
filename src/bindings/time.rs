//! Ranges of days for JavaScript.

use super::fields::Fields;
use crate::time::{CivilDate, CivilTime, DayRange};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// The days from `first` to `last`, both included, as `{ startDate, endDate }`;
/// see [`DayRange::inclusive`].
///
/// # Errors
/// Those of [`CivilDate::parse`] and [`DayRange::inclusive`].
#[wasm_bindgen(js_name = dayRange)]
pub fn day_range(first: &str, last: &str) -> Result<JsValue, JsValue> {
    let first = CivilDate::parse("first", first)?;
    let last = CivilDate::parse("last", last)?;
    Ok(dates(DayRange::inclusive("last", first, last)?))
}

/// The days of a named range; see [`DayRange::named`]. `undefined` where there is no such name.
///
/// # Errors
/// Those of [`CivilTime::parse`].
#[wasm_bindgen(js_name = namedDayRange)]
pub fn named_day_range(name: &str, now: &str) -> Result<Option<JsValue>, JsValue> {
    let now = CivilTime::parse("now", now)?;
    Ok(DayRange::named(name, now).map(dates))
}

fn dates(range: DayRange) -> JsValue {
    Fields::new()
        .set("startDate", range.start.to_string())
        .set("endDate", range.end.to_string())
        .into()
}
