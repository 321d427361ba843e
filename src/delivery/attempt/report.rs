//! The conversion report, read page by page for one event.

use super::{Row, Sibling};
use crate::api::conversion_report::ReportLookup;
use crate::api::report_scan::{Found, ReportScan};
use crate::api::{Account, conversion_report};
use crate::delivery::Event;
use crate::time::{CivilDate, CivilTime};
use crate::url::push_number;

/// How many rows one page has, and the most pages that are read. A longer report settles nothing.
const ROWS: u64 = 5_000;
const MAX_PAGES: u32 = 40;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The state of reading a report.
#[derive(Debug)]
pub(super) struct Reading {
    scan: ReportScan,
    /// The day of the click, where the report reaches from there to today.
    since: Option<CivilDate>,
}

impl Reading {
    /// The report of the days that the event's conversion can have.
    pub(super) fn new() -> Self {
        Self {
            scan: ReportScan::new(ROWS, MAX_PAGES),
            since: None,
        }
    }

    /// The report of all days that a conversion of the click can have; `None` where that has been read, or where the
    /// day of the click is not known.
    pub(super) fn since(&self, clicked_on: Option<CivilDate>) -> Option<Self> {
        let since = clicked_on.filter(|_| self.since.is_none())?;
        Some(Self {
            since: Some(since),
            ..Self::new()
        })
    }

    /// The next page's URL. The report runs from the day before the conversion's, or the click's, to the day after
    /// the last that it can have. Dates are in the account's time zone, which may be any.
    pub(super) fn url(
        &self,
        account: &Account,
        row: &Row,
        event: &Event,
        utc_ms: u64,
    ) -> Option<String> {
        let params = event.params();
        let dated = params
            .conversion_date
            .as_deref()
            .or(Some(row.accepted_at.as_str()))
            .and_then(|text| CivilTime::parse("conversionDate", text).ok())
            .map(CivilTime::date);
        let day = |ms| CivilTime::from_utc_ms(ms).date();
        let own = dated.unwrap_or_else(|| day(row.accepted_utc_ms));
        let first = self.since.unwrap_or(own).min(own);
        // What others have reported may be of today.
        let is_own_day = dated.filter(|_| self.since.is_none());
        let last: CivilDate = is_own_day.unwrap_or_else(|| day(utc_ms)).max(own);
        let mut json = String::from("{\"startDate\":\"");
        json.push_str(&first.minus_days(1).to_string());
        json.push_str("\",\"endDate\":\"");
        json.push_str(&last.plus_days(2).to_string());
        json.push('"');
        for (name, number) in [
            (",\"offerId\":", params.offer_id),
            (",\"startAtRow\":", self.scan.start_at_row()),
            (",\"rowLimit\":", self.scan.row_limit()),
        ] {
            json.push_str(name);
            push_number(&mut json, number, 10);
        }
        json.push('}');
        conversion_report::request(account, &json)
            .ok()
            .map(|request| request.url_with_key())
    }

    /// The siblings' conversions that the report of this row's day has, if it is up to date. It reaches a day beyond
    /// the row's own day on both sides, whatever the time zone.
    pub(super) fn expected(row: &Row, siblings: &[Sibling]) -> Vec<u64> {
        siblings
            .iter()
            .filter(|sibling| sibling.accepted_ms.abs_diff(row.accepted_utc_ms) <= DAY_MS)
            .filter_map(|sibling| sibling.conversion_id)
            .collect()
    }

    /// Does the report have this conversion?
    pub(super) fn has(&self, conversion_id: u64) -> bool {
        self.scan.has(conversion_id)
    }

    /// Reads a page. `others` are conversions of other events.
    pub(super) fn read<'page>(
        &mut self,
        lookup: &'page ReportLookup,
        event: &Event,
        others: &[u64],
    ) -> Found<'page> {
        self.scan.find(lookup, event.asked(), others)
    }
}

/// The day of a time in an answer: civil, or an instant with its offset.
pub(super) fn day_of(text: Option<&str>) -> Option<CivilDate> {
    CivilDate::parse("click_date", text?.trim().get(..10)?).ok()
}
