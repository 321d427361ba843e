//! What changed on an offer, read page by page for one correction.

use super::Row;
use crate::Result;
use crate::api::older::correction::{Checked, Shown};
use crate::api::older::event_conversions::{CHANGES_ROW_LIMIT, read_for_lookup, with_rows};
use crate::api::report_scan::{ReportScan, Scanned};
use crate::api::{Account, Answer};

/// 1,000 rows of some 4 kB, and more than that.
pub(super) const BODY_LIMIT: u32 = 16 << 20;

/// How many pages are read at most: beyond, the list settles nothing.
const MAX_PAGES: u32 = 100;

/// How many rows are asked for at once where the conversion is among the newest.
const NEWEST_ROWS: u64 = 500;

/// How far the list is read.
#[derive(Debug)]
pub(super) struct Changes {
    scan: ReportScan,
    is_newest_first: bool,
    /// Has the conversion's row been read, without the correction?
    is_absent: bool,
}

/// What a page says of a correction.
#[derive(Debug)]
pub(super) enum Found {
    /// The conversion's row shows it.
    Recorded(Option<u64>),
    /// The next page must say.
    NotYet,
    /// It is not there.
    Missing,
    /// The list cannot say.
    Nothing(&'static str),
}

impl Changes {
    /// `is_recent` says that the conversion is no older than a day, and so among the newest in the
    /// list; one of last month's, of which a refund is told today, is among the oldest.
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

    /// The next page's URL, with the key: since the day before the correction was accepted.
    pub(super) fn url(&self, account: &Account, checked: &Checked, row: &Row) -> String {
        let request = checked.changes(account, row.accepted_utc_ms);
        let (start, limit) = (self.scan.start_at_row(), self.scan.row_limit());
        with_rows(&request, start, limit, self.is_newest_first).url_with_key()
    }

    /// Takes note of a page.
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
            // A total may be set twice, but nothing may be added twice.
            Shown::Absent if checked.adds() && !read.has_notes => {
                return Ok(Found::Nothing("the conversion's row shows no note"));
            }
            Shown::Absent => self.is_absent = true,
            Shown::Elsewhere => {}
        }
        let is_full = page.rows.len() as u64 >= self.scan.row_limit();
        let ids = page.rows.iter().map(|row| row.conversion_id);
        Ok(match self.scan.take(ids, page.total_rows) {
            // The rest of the list is about others. A page that has fewer rows than it should may
            // lack a row of this conversion.
            Scanned::NotYet if self.is_absent && is_full => Found::Missing,
            Scanned::NotYet => Found::NotYet,
            Scanned::Whole => Found::Missing,
            Scanned::Nothing(why) => Found::Nothing(why),
        })
    }
}
