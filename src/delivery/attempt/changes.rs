//! The changes on an offer, read page by page for one correction.

use super::Row;
use crate::Result;
use crate::api::list_conversions::ListedConversion;
use crate::api::older::correction::{Checked, Shown};
use crate::api::older::event_conversions::{CHANGES_ROW_LIMIT, read_for_lookup, with_rows};
use crate::api::report_scan::{ReportScan, Scanned};
use crate::api::{Account, Answer};

/// Room for 1,000 rows of some 4 kB, and more.
pub(super) const BODY_LIMIT: u32 = 16 << 20;

/// The most pages that are read. A longer list settles nothing.
const MAX_PAGES: u32 = 100;

/// A conversion of the last day counts as among the newest.
const RECENT_MS: u64 = 86_400_000;

/// The longest time that CAKE is taken to be at work on a conversion.
const QUIET_MS: u64 = 300_000;

/// How many rows one page has where the conversion is among the newest.
const NEWEST_ROWS: u64 = 500;

/// The state of reading the list.
#[derive(Debug)]
pub(super) struct Changes {
    scan: ReportScan,
    is_newest_first: bool,
    /// How long after its conversion CAKE itself may change a row, before a correction can.
    quiet_ms: u64,
    /// Has the conversion's row been read, without the correction?
    is_absent: bool,
    /// Has a row been read that may show the correction, which does no harm where it is sent again?
    pub(super) may_be_there: bool,
    /// Set for a correction of a copy: the marks of the corrections before it. A later one may be recorded that the
    /// copy lacks, and an older total does not undo it.
    pub(super) known: Option<Vec<String>>,
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
    /// `age_ms` is how long before the correction its conversion was accepted here, where that is known. A
    /// conversion of the last day is among the newest in the list. A refund of today for a conversion of last month
    /// is among the oldest.
    pub(super) fn new(age_ms: Option<u64>) -> Self {
        let is_recent = age_ms.is_some_and(|age_ms| age_ms < RECENT_MS);
        let rows = if is_recent {
            NEWEST_ROWS
        } else {
            CHANGES_ROW_LIMIT
        };
        Self {
            scan: ReportScan::new(rows, MAX_PAGES),
            is_newest_first: is_recent,
            quiet_ms: (age_ms.unwrap_or_default() / 2).min(QUIET_MS),
            is_absent: false,
            may_be_there: false,
            known: None,
        }
    }

    /// The next page's URL, with the key. The list starts the day before the correction was
    /// accepted.
    pub(super) fn url(&self, account: &Account, checked: &Checked, row: &Row) -> String {
        let request = checked.changes(account, row.accepted_utc_ms);
        let (start, limit) = (self.scan.start_at_row(), self.scan.row_limit());
        with_rows(&request, start, limit, self.is_newest_first).url_with_key()
    }

    /// Has the conversion a correction that is unknown here?
    fn has_unknown(&self, rows: &[ListedConversion], checked: &Checked) -> bool {
        let known = self.known.as_deref();
        known.is_some_and(|known| checked.has_others(rows, known))
    }

    /// Reads a page. `may_repeat` says that the correction does no harm where it is there already.
    ///
    /// # Errors
    /// Every error of an answer.
    pub(super) fn read(
        &mut self,
        answer: &Answer<'_>,
        checked: &Checked,
        may_repeat: bool,
    ) -> Result<Found> {
        let read = read_for_lookup(answer)?;
        if read.is_two_faced {
            return Ok(Found::Nothing("a row says two things"));
        }
        let page = read.page;
        match checked.find_in(&page.rows, self.quiet_ms) {
            Shown::There(found) => return Ok(Found::Recorded(found.conversion_id)),
            // A total may be set twice. Otherwise nothing is sent that may be there.
            Shown::Unclear if may_repeat && self.known.is_none() => self.may_be_there = true,
            Shown::Unclear => {
                let why =
                    "a row that may be the conversion's shows no note, or one that may be cut";
                return Ok(Found::Nothing(why));
            }
            Shown::Absent if !checked.adds() && self.has_unknown(&page.rows, checked) => {
                return Ok(Found::Nothing(
                    "the conversion has a correction that this copy lacks, and that may be a later one",
                ));
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
