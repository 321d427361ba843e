//! What the other side's rows cannot have: a sale that CAKE records before the first day, after the last one, or after
//! its rows were read.

use crate::report::Report;
use crate::report::names::RowKind;
use crate::report::row::Span;
use crate::report::store::NO_TIME;

/// A sale's two rows lie this far apart at most, in seconds: clocks differ, and a page sends a sale again later.
const MARGIN: u32 = 3_600;

/// The times between which the other side has every row that may be of the same sale.
#[derive(Debug, Default)]
pub(super) struct Borders {
    /// From here on; 0 where the rows have no beginning.
    first: u32,
    /// Up to here; [`NO_TIME`] where they have no end.
    last: u32,
    /// The same, by when CAKE's rows were read.
    read: u32,
    /// Times that CAKE's pages do not have.
    gaps: Vec<Span>,
}

impl Borders {
    /// Why a row of these times is held back; empty if the other side has them.
    pub(super) fn why(&self, (first, last): Span) -> &'static str {
        let mut gaps = self.gaps.iter();
        if last > self.read {
            "read_too_early"
        } else if first < self.first
            || last > self.last
            || gaps.any(|&(from, to)| last > from && first < to)
        {
            "at_the_border"
        } else {
            ""
        }
    }
}

/// The times between the days that pages have, before and after them. A sale near a page's end may stand on the next one.
fn gaps(mut covered: Vec<Span>) -> Vec<Span> {
    covered.sort_unstable();
    covered.push((NO_TIME, NO_TIME));
    let mut gaps = Vec::new();
    let mut known = 0;
    for (first, last) in covered {
        if first > known {
            let from = if known == 0 { 0 } else { before(known) };
            gaps.push((from, first.saturating_add(MARGIN)));
        }
        known = known.max(last);
    }
    gaps
}

fn before(border: u32) -> u32 {
    match border {
        NO_TIME => NO_TIME,
        border => border.saturating_sub(MARGIN),
    }
}

impl Report {
    /// The borders for an upload or for rejections. Rows and pages beyond the report's days push them outwards. Where
    /// CAKE's pages say which days they have, another file has those from its first row to its last one.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn borders(&self, is_upload: bool) -> Borders {
        let (mut first, mut last) = self.settings.window;
        let kind = if is_upload {
            RowKind::Conversions
        } else {
            RowKind::Orders
        };
        let elsewhere = self.sources.iter().map(|source| source.elsewhere.late);
        let mut late = elsewhere.fold(MARGIN, u32::max);
        if is_upload {
            late = MARGIN;
        }
        let store = self.side(!is_upload);
        let mut covered = Vec::new();
        let mut tells_days = false;
        let mut next = store.first();
        for source in self.sources.iter().filter(|source| source.kind == kind) {
            let mut own = (NO_TIME, 0);
            for _ in 0..source.rows {
                let Some((head, place)) = next.and_then(|place| Some((store.head(place)?, place)))
                else {
                    break;
                };
                next = store.next(place);
                if head.seconds != NO_TIME {
                    own = (own.0.min(head.seconds), own.1.max(head.seconds));
                    // An order that was paid so late may be missing here, and CAKE may have it by the payment.
                    let paid = if is_upload { None } else { self.paid_at(place) };
                    let paid = paid.filter(|&paid| paid != NO_TIME).unwrap_or(0);
                    late = late.max(paid.saturating_sub(head.latest()));
                }
            }
            let days = source.covers.filter(|_| is_upload);
            tells_days |= days.is_some();
            own = days.unwrap_or(own);
            first = first.min(own.0);
            last = last.max(own.1);
            covered.push(own);
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
        let gaps = if tells_days {
            gaps(covered)
        } else {
            Vec::new()
        };
        Borders {
            first: match first {
                0 => 0,
                first => first.saturating_add(late),
            },
            last: before(last),
            read: before(read.filter(|_| is_upload).unwrap_or(NO_TIME)),
            gaps,
        }
    }
}
