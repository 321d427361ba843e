//! What the other side's rows cannot have: a sale that CAKE records before the first day, after the last one, or after
//! its rows were read.

use crate::report::Report;
use crate::report::names::RowKind;
use crate::report::row::Span;
use crate::report::store::NO_TIME;

/// A sale's two rows lie this far apart at most, in seconds: clocks differ, and a page sends a sale again later.
const MARGIN: u32 = 3_600;

/// The times between which the other side has every row that may be of the same sale.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Borders {
    /// From here on; 0 where the rows have no beginning.
    first: u32,
    /// Up to here; [`NO_TIME`] where they have no end.
    last: u32,
    /// The same, by when CAKE's rows were read.
    read: u32,
}

impl Borders {
    /// Why a row of these times is held back; empty if the other side has them.
    pub(super) fn why(&self, (first, last): Span) -> &'static str {
        if last > self.read {
            "read_too_early"
        } else if first < self.first || last > self.last {
            "at_the_border"
        } else {
            ""
        }
    }
}

impl Report {
    /// The report's days. An open side of them ends where the days end that CAKE's pages say they have: rows that a page
    /// does not say it has may be missing.
    #[cfg_attr(small_cold, optimize(size))]
    fn covered(&self, is_upload: bool, (from, to): Span) -> Span {
        let covers = self.sources.iter().filter_map(|source| source.covers);
        let covers = covers.filter(|_| is_upload);
        let all = covers.reduce(|(first, last), (one, other)| (first.min(one), last.max(other)));
        let (first, last) = all.unwrap_or((from, to));
        (
            if from == 0 { first } else { from },
            if to == NO_TIME { last } else { to },
        )
    }

    /// The borders for an upload or for rejections. Rows beyond the report's days push them outwards.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn borders(&self, is_upload: bool) -> Borders {
        let (from, to) = self.settings.window;
        let store = self.side(!is_upload);
        let (mut first, mut last) = self.covered(is_upload, (from, to));
        let elsewhere = self.sources.iter().map(|source| source.elsewhere.late);
        let mut late = elsewhere.fold(MARGIN, u32::max);
        if is_upload {
            late = MARGIN;
        }
        let mut next = store.first();
        while let Some((head, place)) = next.and_then(|place| Some((store.head(place)?, place))) {
            next = store.next(place);
            if head.seconds != NO_TIME {
                first = first.min(head.seconds);
                last = last.max(head.seconds);
                // An order that was paid so late may be missing here, and CAKE may have it by the payment.
                let paid = if is_upload { None } else { self.paid_at(place) };
                let paid = paid.filter(|&paid| paid != NO_TIME).unwrap_or(0);
                late = late.max(paid.saturating_sub(head.latest()));
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
        let before = |border: u32| match border {
            NO_TIME => NO_TIME,
            border => border.saturating_sub(MARGIN),
        };
        Borders {
            first: match first {
                0 => 0,
                first => first.saturating_add(late),
            },
            last: before(last),
            read: before(read.filter(|_| is_upload).unwrap_or(NO_TIME)),
        }
    }
}
