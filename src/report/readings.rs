//! Which of several readings of a conversion counts: the newest, where both files say when they were read; else the one
//! that was added last.

use super::Report;
use super::names::RowKind;

/// When the rows from a place on were read; nothing where no order but that of the files is known.
#[derive(Debug, Default)]
pub(super) struct Readings(Vec<(u32, Option<i64>)>);

impl Readings {
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn of(report: &Report) -> Self {
        let sources = report.sources.iter();
        let sources = sources.filter(|source| source.kind == RowKind::Conversions);
        let readings: Vec<_> = sources
            .map(|source| (source.first_place, source.read_at))
            .collect();
        let times = readings.iter().filter_map(|&(_, read_at)| read_at);
        if times.is_sorted() {
            Self::default()
        } else {
            Self(readings)
        }
    }

    /// Of two readings of a conversion, the one that counts; the later one was added after the other.
    #[inline]
    pub(super) fn newer(&self, earlier: u32, later: u32) -> u32 {
        match (self.read_at(earlier), self.read_at(later)) {
            (Some(one), Some(other)) if one > other => earlier,
            _ => later,
        }
    }

    fn read_at(&self, place: u32) -> Option<i64> {
        let after = self.0.partition_point(|&(first, _)| first <= place);
        self.0.get(after.checked_sub(1)?)?.1
    }
}
