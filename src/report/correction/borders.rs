//! What the other side's rows cannot have: a sale that CAKE records after the last day, or after its rows were read.

use crate::report::Report;
use crate::report::names::RowKind;
use crate::report::store::{Head, IS_DAY, NO_TIME};

/// A sale's two rows lie this far apart at most, in seconds: clocks differ, and a page sends a sale again later.
const MARGIN: u32 = 3_600;

/// The times within which the other side's rows are known, each with the reason to hold a row back beyond it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Borders {
    /// The other side has the rows from here on; 0 where they have no beginning.
    first: u32,
    /// The same up to here.
    last: u32,
    /// When CAKE's rows were read.
    read: u32,
}

impl Borders {
    /// Why a row is held back; empty if the other side has its time, or the row has none.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn why(&self, head: &Head) -> &'static str {
        let seconds = head.seconds;
        // A day may mean its last second.
        let latest = seconds.saturating_add(if head.flags & IS_DAY == 0 { 0 } else { 86_399 });
        let latest = latest.saturating_add(MARGIN);
        if seconds == NO_TIME {
            ""
        } else if latest > self.read {
            "read_too_early"
        } else if latest > self.last
            || seconds < self.first.saturating_add(MARGIN) && self.first > 0
        {
            "at_the_border"
        } else {
            ""
        }
    }
}

impl Report {
    /// The borders for an upload or for rejections. Rows beyond the report's days push them outwards.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn borders(&self, is_upload: bool) -> Borders {
        let (from, to) = self.settings.window;
        let store = self.side(!is_upload);
        let (mut first, mut last) = (from, to);
        let mut next = store.first();
        while let Some((head, place)) = next.and_then(|place| Some((store.head(place)?, place))) {
            next = store.next(place);
            if head.seconds != NO_TIME {
                first = first.min(head.seconds);
                last = last.max(head.seconds);
            }
        }
        let instants = self
            .sources
            .iter()
            .filter(|source| source.kind == RowKind::Conversions);
        let read = instants
            .filter_map(|source| source.read_at)
            .min()
            .map(|instant| {
                // A day ends everywhere at most twelve hours after it ends in UTC.
                let civil = if self.settings.zone.is_known() {
                    self.settings.zone.civil(instant)
                } else {
                    instant - 12 * 3_600
                };
                u32::try_from(civil.max(0)).unwrap_or(NO_TIME)
            });
        Borders {
            first: if is_upload { 0 } else { first },
            last: if is_upload { last } else { NO_TIME },
            read: read.filter(|_| is_upload).unwrap_or(NO_TIME),
        }
    }
}
