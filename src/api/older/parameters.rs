//! The parameters that several calls send: dates, filters and pages.

use super::MAX_ROW_LIMIT;
use crate::api::params::Params;
use crate::api::{DEFAULT_ROW_LIMIT, Request};
use crate::time::{CivilDate, CivilTime};
use crate::{Error, Result};

/// A moment as a caller gives it: a day, or a day and a time.
pub(super) struct Moment {
    text: String,
}

impl Moment {
    /// Reads `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`: callers read the days of large accounts by the
    /// half-hour.
    pub(super) fn read(params: &Params<'_>, name: &'static str) -> Result<Option<Self>> {
        let Some(text) = params.text(name)? else {
            return Ok(None);
        };
        if CivilDate::parse(name, &text).is_err() && CivilTime::parse(name, &text).is_err() {
            return Err(Error::InvalidField {
                parameter: name.to_owned(),
                rule: "must be a date that exists, written YYYY-MM-DD, or a time, written YYYY-MM-DD HH:MM:SS"
                    .to_owned(),
            });
        }
        Ok(Some(Self { text }))
    }

    /// The moment in a text that sorts by time: a day is its first second.
    fn sortable(&self) -> String {
        let time = self.text.get(10..).filter(|time| !time.is_empty());
        [
            self.text.get(..10).unwrap_or_default(),
            time.unwrap_or(" 00:00:00"),
        ]
        .concat()
    }

    /// The spelling of the services (KB 13000105067): `YYYY-MM-DD`, or `MM/DD/YYYY HH:MM:SS`.
    pub(super) fn wire(&self) -> String {
        match self.text.split_once(' ') {
            None => self.text.clone(),
            Some((day, time)) => [&us_day(day), " ", time].concat(),
        }
    }
}

/// `MM/DD/YYYY` of `YYYY-MM-DD`.
pub(super) fn us_day(day: &str) -> String {
    match (day.get(..4), day.get(5..7), day.get(8..10)) {
        (Some(year), Some(month), Some(day)) => [month, "/", day, "/", year].concat(),
        _ => day.to_owned(),
    }
}

/// `startDate` and `endDate`, both required; the end is excluded.
pub(super) fn push_range(request: &mut Request, params: &Params<'_>) -> Result<()> {
    let start = Params::required("startDate", Moment::read(params, "startDate")?)?;
    let end = Params::required("endDate", Moment::read(params, "endDate")?)?;
    if end.sortable() <= start.sortable() {
        return Err(Error::InvalidField {
            parameter: "endDate".to_owned(),
            rule: "must be after startDate: CAKE leaves the end itself out. dayRange(first, last) names whole days"
                .to_owned(),
        });
    }
    request.parameter("start_date", &start.wire());
    request.parameter("end_date", &end.wire());
    Ok(())
}

/// An id that is given, or 0 for all.
pub(super) fn push_filter(request: &mut Request, name: &str, id: Option<u64>) {
    request.number(name, Some(id.unwrap_or(0)));
}

/// Filters that are not offered: 0 for all.
pub(super) fn push_all(request: &mut Request, names: &[&str]) {
    for name in names {
        request.number(name, Some(0));
    }
}

/// `startAtRow` and `rowLimit`. The services return all rows for 0. The default here is therefore
/// the number of rows that the young API sends by default.
pub(super) fn push_page(request: &mut Request, params: &Params<'_>) -> Result<()> {
    let rule = "must be a whole number from 1 to 10000";
    let limit = params.number("rowLimit", 1, MAX_ROW_LIMIT, rule)?;
    request.number("start_at_row", Some(params.start_at_row()?.unwrap_or(0)));
    request.number("row_limit", Some(limit.unwrap_or(DEFAULT_ROW_LIMIT)));
    Ok(())
}
