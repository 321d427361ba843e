//! The offsets of a time zone.

use super::DAY;

/// A time zone's offsets over the report's years: each entry is an instant, and the offset in seconds from then
/// on. The platform's `Intl` computes them; the core receives them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone {
    changes: Vec<(i64, i32)>,
}

impl Zone {
    /// Parses `instant:offset,instant:offset`, sorted, in seconds.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Self {
        let changes = text
            .split(',')
            .filter_map(|change| {
                let (instant, offset) = change.split_once(':')?;
                Some((instant.parse().ok()?, offset.parse().ok()?))
            })
            .collect();
        Self { changes }
    }

    /// Was it declared?
    #[must_use]
    pub(crate) fn is_known(&self) -> bool {
        !self.changes.is_empty()
    }

    fn offset_at(&self, instant: i64) -> i64 {
        let after = self.changes.partition_point(|&(from, _)| from <= instant);
        let change = self.changes.get(after.saturating_sub(1));
        change.map_or(0, |&(_, offset)| i64::from(offset))
    }

    /// The civil time of the zone at an instant.
    #[must_use]
    pub(crate) fn civil(&self, instant: i64) -> i64 {
        instant + self.offset_at(instant)
    }

    /// The instant of a civil time in the zone. In autumn an hour occurs twice: the first one counts. In spring an
    /// hour does not exist: the time moves forward by the same shift as the clocks.
    #[must_use]
    pub(crate) fn instant(&self, civil: i64) -> i64 {
        let before = self.offset_at(civil - DAY);
        let after = self.offset_at(civil + DAY);
        let first = civil - before;
        if before == after || self.civil(first) == civil {
            return first;
        }
        let second = civil - after;
        if self.civil(second) == civil {
            second
        } else {
            first
        }
    }

    /// The seconds from one civil time of the zone to a later one, over a change of the clocks as well; 0 to an earlier
    /// one. In autumn, the first of two equal hours counts.
    #[must_use]
    pub(crate) fn between(&self, from: u32, to: u32) -> u32 {
        if !self.is_known() || to <= from {
            return to.saturating_sub(from);
        }
        let seconds = self.instant(i64::from(to)) - self.instant(i64::from(from));
        u32::try_from(seconds).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::day::Days;

    #[test]
    fn a_zone_has_two_hours_in_autumn_and_none_in_spring() {
        // New York 2026: -5 h, from March 8 07:00 UTC -4 h, from November 1 06:00 UTC -5 h.
        let zone = Zone::parse("0:-18000,1772953200:-14400,1793512800:-18000");
        let at = |text: &str| Days::default().read(text.as_bytes()).unwrap().seconds;
        assert_eq!(
            zone.instant(at("2026-06-01 00:00:00")),
            at("2026-06-01 04:00:00")
        );
        assert_eq!(
            zone.instant(at("2026-11-01 01:30:00")),
            at("2026-11-01 05:30:00")
        );
        assert_eq!(
            zone.instant(at("2026-03-08 02:30:00")),
            at("2026-03-08 07:30:00")
        );
        assert_eq!(
            zone.civil(at("2026-03-08 07:30:00")),
            at("2026-03-08 03:30:00")
        );
    }
}
