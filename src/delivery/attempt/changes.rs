//! The changes on an offer, read page by page for one correction.

use super::Row;
use crate::Result;
use crate::api::older::correction::{Checked, Shown};
use crate::api::older::event_conversions::{CHANGES_ROW_LIMIT, read_for_lookup, with_rows};
use crate::api::report_scan::{ReportScan, Scanned};
use crate::api::{Account, Answer};

/// Room for 1,000 rows of some 4 kB, and more.
pub(super) const BODY_LIMIT: u32 = 16 << 20;

/// The most pages that are read. A longer list settles nothing.
const MAX_PAGES: u32 = 100;

/// How many rows one page has where the conversion is among the newest.
const NEWEST_ROWS: u64 = 500;

/// The state of reading the list.
#[derive(Debug)]
pub(super) struct Changes {
    scan: ReportScan,
    is_newest_first: bool,
    /// Has the conversion's row been read, without the correction?
    is_absent: bool,
}

/// The result of reading a page for a correction.
#[derive(Debug)]
pub(super) enum Found {
    /// The conversion's row shows it.
    Recorded(Option<u64>),
    /// This page does not tell: the next one has to.
    NotYet,
    /// The list does not have the correction.
    Missing,
    /// The list cannot tell.
    Nothing(&'static str),
}

impl Changes {
    /// `is_recent` says that the conversion is at most a day old, and so among the newest in the
    /// list. A refund of today for a conversion of last month is among the oldest.
    pub(super) fn new(is_recent: bool) -> Self {
        let rows = if is_recent {
            NEWEST_ROWS
        } else {
            CHANGES_ROW_LIMIT
        };
        Self {
            scan: ReportScan::new(rows, MAX_PAGES),
            is_newest_first: is_recent,
            is_absent: false,
        }
    }

    /// The next page's URL, with the key. The list starts the day before the correction was
    /// accepted.
    pub(super) fn url(&self, account: &Account, checked: &Checked, row: &Row) -> String {
        let request = checked.changes(account, row.accepted_utc_ms);
        let (start, limit) = (self.scan.start_at_row(), self.scan.row_limit());
        with_rows(&request, start, limit, self.is_newest_first).url_with_key()
    }

    /// Reads a page.
    ///
    /// # Errors
    /// Every error of an answer.
    pub(super) fn read(&mut self, answer: &Answer<'_>, checked: &Checked) -> Result<Found> {
        let read = read_for_lookup(answer)?;
        if read.is_two_faced {
            return Ok(Found::Nothing("a row says two things"));
        }
        let page = read.page;
        match checked.find_in(&page.rows) {
            Shown::There(found) => return Ok(Found::Recorded(found.conversion_id)),
            // Setting a total twice is harmless; adding an amount twice is not.
            Shown::Absent if checked.adds() && !read.has_notes => {
                return Ok(Found::Nothing("the conversion's row shows no note"));
            }
            Shown::Absent => self.is_absent = true,
            Shown::Elsewhere => {}
        }
        let is_full = page.rows.len() as u64 >= self.scan.row_limit();
        let ids = page.rows.iter().map(|row| row.conversion_id);
        Ok(match self.scan.take(ids, page.total_rows) {
            // The rest of the list is about others. A page with too few rows may lack a row of this
            // conversion.
            Scanned::NotYet if self.is_absent && is_full => Found::Missing,
            Scanned::NotYet => Found::NotYet,
            Scanned::Whole => Found::Missing,
            Scanned::Nothing(why) => Found::Nothing(why),
        })
    }
}
