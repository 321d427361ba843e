//! The conversion report, read page by page for one event.

use super::Row;
use crate::api::conversion_report::ReportedConversion;
use crate::api::record_conversion::is_same_unique_id;
use crate::api::{Account, PageRead, Pager, conversion_report};
use crate::delivery::Event;
use crate::time::{CivilDate, CivilTime};
use crate::url::push_number;
use std::collections::BTreeSet;

/// How many rows are asked for at once, and how many pages are read at most:
/// beyond, the report settles nothing.
const ROWS: u64 = 5_000;
const MAX_PAGES: u32 = 40;

/// How far a report is read.
#[derive(Debug)]
pub(super) struct Reading {
    pager: Box<Pager>,
    pages: u32,
    known: BTreeSet<u64>,
    /// Has a row been read that may be the event all the same?
    has_nameless: bool,
}

/// What a page says of the event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is recorded, with this id where it is one.
    Recorded(Option<u64>),
    /// The next page must say.
    NotYet,
    /// It is in no page.
    Missing,
    /// The report cannot say.
    Nothing(&'static str),
}

impl Reading {
    pub(super) fn new() -> Self {
        Self {
            pager: Box::new(Pager::new(0, ROWS, None)),
            pages: 0,
            known: BTreeSet::new(),
            has_nameless: false,
        }
    }

    /// The next page's URL: from the day before the conversion's to the day
    /// after the last that it can have. Dates are in the account's time zone,
    /// whichever that is.
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
        let first = dated.unwrap_or_else(|| day(row.accepted_utc_ms));
        let last: CivilDate = dated.unwrap_or_else(|| day(utc_ms)).max(first);
        let mut json = String::from("{\"startDate\":\"");
        json.push_str(&first.minus_days(1).to_string());
        json.push_str("\",\"endDate\":\"");
        json.push_str(&last.plus_days(2).to_string());
        json.push('"');
        for (name, number) in [
            (",\"offerId\":", params.offer_id),
            (",\"startAtRow\":", self.pager.start_at_row()),
            (",\"rowLimit\":", self.pager.row_limit()),
        ] {
            json.push_str(name);
            push_number(&mut json, number, 10);
        }
        json.push('}');
        conversion_report::request(account, &json)
            .ok()
            .map(|request| request.url_with_key())
    }

    /// Takes note of a page.
    pub(super) fn read(
        &mut self,
        page: &conversion_report::ConversionReportPage,
        event: &Event,
    ) -> Found {
        let ours = page.rows.iter().find(|row| {
            let own = row.unique_id.as_deref();
            own.is_some_and(|own| is_same_unique_id(own, event.unique_id()))
                && row.offer_id.is_none_or(|id| id == event.params().offer_id)
        });
        if let Some(row) = ours {
            return Found::Recorded(row.conversion_id);
        }
        // A report that shows no unique ids cannot say that one is missing.
        if !page.rows.is_empty() && page.rows.iter().all(|row| row.unique_id.is_none()) {
            return Found::Nothing("the report shows no unique ids");
        }
        self.has_nameless |= page.rows.iter().any(|row| may_be(row, event));
        let is_known = |id: Option<u64>| id.is_some_and(|id| self.known.contains(&id));
        let rows = page.rows.iter().map(|row| row.conversion_id);
        let last_known = rows.clone().rposition(is_known);
        let new_rows = rows.clone().filter(|id| !is_known(*id)).count();
        let is_taken = self.pager.read(PageRead {
            rows: page.rows.len() as u64,
            new_rows: new_rows as u64,
            last_known: last_known.map(|at| at as u64),
            total_rows: page.total_rows,
        });
        if is_taken {
            self.known.extend(rows.flatten());
        }
        self.pages += 1;
        if self.pager.is_over() && self.has_nameless {
            Found::Nothing("the report has a row without a unique id")
        } else if self.pager.is_over() {
            Found::Missing
        } else if self.pages < MAX_PAGES {
            Found::NotYet
        } else {
            Found::Nothing("the report is too long")
        }
    }
}

/// May a row be the event, though it does not name it? Its unique id is missing,
/// or differs in the case of letters alone, and nothing else of it is another's.
fn may_be(row: &ReportedConversion, event: &Event) -> bool {
    let params = event.params();
    let own = row.unique_id.as_deref().unwrap_or_default().trim();
    (own.is_empty() || own.eq_ignore_ascii_case(event.unique_id().trim()))
        && row.offer_id.is_none_or(|id| id == params.offer_id)
        && row
            .click_id
            .as_deref()
            .is_none_or(|id| id.trim().eq_ignore_ascii_case(&params.click_id))
}
