//! The conversion report, read page by page for one event.

use super::{Row, Sibling};
use crate::api::asked::{is_same_click_id, is_same_unique_id};
use crate::api::conversion_report::{ReportLookup, ReportedConversion};
use crate::api::report_scan::{Found, ReportScan};
use crate::api::{Account, conversion_report};
use crate::delivery::Event;
use crate::time::{CivilDate, CivilTime};
use crate::url::push_number;

/// How many rows one page has, and the most pages that are read. A longer report settles nothing.
const ROWS: u64 = 5_000;
const MAX_PAGES: u32 = 40;

/// How long one look-up reads a report, by the real time: an account's report may be long, and slow.
pub(super) const LOOK_UP_MS: u64 = 60_000;
pub(super) const SLOW: &str = "the report was not read in a minute";

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The state of reading a report.
#[derive(Debug)]
pub(super) struct Reading {
    scan: ReportScan,
    /// The day of the click, where the report reaches from there to today.
    since: Option<CivilDate>,
    /// Has a row been read that is of the click, and of nobody known?
    has_nobodys: bool,
}

/// What is known of the click's conversions before its report is read.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The conversion that Get Click names, where no event here is known to have it. It may be this
    /// event's, or an order's that others have reported.
    pub(super) named: Option<u64>,
    /// Conversions that belong to other events here, and the other events' unique ids.
    pub(super) others: Vec<u64>,
    pub(super) other_ids: Vec<String>,
}

impl Reading {
    /// The report of the days that the event's conversion can have.
    pub(super) fn new() -> Self {
        Self {
            scan: ReportScan::new(ROWS, MAX_PAGES),
            since: None,
            has_nobodys: false,
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
        let dated = dated(row, event);
        let own = own_day(row, event);
        let first = self.since.map_or(own, |since| since.min(own));
        // What others have reported may be of today.
        let is_own_day = dated.filter(|_| self.since.is_none());
        let last = is_own_day.unwrap_or_else(|| day(utc_ms)).max(own);
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

    /// Reads a page.
    pub(super) fn read<'page>(
        &mut self,
        lookup: &'page ReportLookup,
        row: &Row,
        event: &Event,
        known: &Known,
    ) -> Found<'page> {
        let first = own_day(row, event).minus_days(1);
        self.has_nobodys |= lookup.page.rows.iter().any(|each| {
            is_of_click(each, event, known.named)
                && !known.is_anothers(each)
                && day_of(each.conversion_date.as_deref()).is_none_or(|day| day >= first)
        });
        self.scan.find(lookup, event.asked(), &known.others)
    }

    /// Has a conversion of the click been read that may be this event's, however its unique id is written? It is no
    /// other event's here, and not of a day before this event's.
    pub(super) fn has_nobodys(&self) -> bool {
        self.has_nobodys
    }
}

impl Known {
    /// Is a row certainly another event's?
    fn is_anothers(&self, row: &ReportedConversion) -> bool {
        let (id, own) = (row.conversion_id, row.unique_id.as_deref());
        id.is_some_and(|id| self.others.contains(&id))
            || own.is_some_and(|own| {
                self.other_ids
                    .iter()
                    .any(|ours| is_same_unique_id(own, ours))
            })
    }
}

/// Is a row of the event's click, as it says itself or as Get Click says of it? Rows need not name their clicks.
fn is_of_click(row: &ReportedConversion, event: &Event, named: Option<u64>) -> bool {
    let params = event.params();
    let says = |own: &str| is_same_click_id(own, &params.click_id);
    named.is_some() && row.conversion_id == named
        || row.click_id.as_deref().is_some_and(says)
            && row.offer_id.is_none_or(|id| id == params.offer_id)
}

/// The day that the event itself tells, in the account's time zone.
fn dated(row: &Row, event: &Event) -> Option<CivilDate> {
    let told = event.params().conversion_date.as_deref();
    let text = told.unwrap_or(&row.accepted_at);
    let time = CivilTime::parse("conversionDate", text).ok()?;
    Some(time.date())
}

/// The first day that the event's conversion can have, but for time zones.
fn own_day(row: &Row, event: &Event) -> CivilDate {
    dated(row, event).unwrap_or_else(|| day(row.accepted_utc_ms))
}

fn day(utc_ms: u64) -> CivilDate {
    CivilTime::from_utc_ms(utc_ms).date()
}

/// The day of a time in an answer: civil, or an instant with its offset.
pub(super) fn day_of(text: Option<&str>) -> Option<CivilDate> {
    CivilDate::parse("click_date", text?.trim().get(..10)?).ok()
}
