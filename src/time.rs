//! Civil days and times as CAKE writes them, `YYYY-MM-DD` and `YYYY-MM-DD HH:MM:SS`: in the
//! account's time zone, without an offset. The platform's `Intl`, in js/edge, converts an instant
//! to a zone's civil time.

use crate::{Error, Result};
use core::fmt;

/// A civil time that exists in the Gregorian calendar, years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilTime {
    seconds: u64,
}

/// A civil day that exists in the Gregorian calendar, years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilDate {
    days: u64,
}

impl CivilDate {
    /// Reads `YYYY-MM-DD`; `parameter` names it in the error.
    ///
    /// # Errors
    /// [`Error::InvalidDay`].
    pub fn parse(parameter: &'static str, text: &str) -> Result<Self> {
        Self::read(text).ok_or(Error::InvalidDay { parameter })
    }

    fn read(text: &str) -> Option<Self> {
        if !fits(text, b"dddd-dd-dd") {
            return None;
        }
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let exists =
            year >= 1970 && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        exists.then(|| Self {
            days: days_before(year, month, day),
        })
    }

    /// The next day.
    #[must_use]
    pub(crate) fn next(self) -> Self {
        Self {
            days: self.days + 1,
        }
    }

    /// The day `days` earlier; at the earliest 1970-01-01.
    #[must_use]
    pub(crate) fn minus_days(self, days: u64) -> Self {
        Self {
            days: self.days.saturating_sub(days),
        }
    }

    /// The day `days` later.
    #[must_use]
    pub(crate) fn plus_days(self, days: u64) -> Self {
        Self {
            days: self.days.saturating_add(days),
        }
    }

    /// The day's first second.
    #[must_use]
    pub(crate) fn start(self) -> CivilTime {
        CivilTime {
            seconds: self.days * 86_400,
        }
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.days);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A range of whole days, half-open: `end` is the first day after the range, as CAKE's reports take
/// `end_date` (KB 13000034150).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// The first day.
    pub start: CivilDate,
    /// The day after the last one.
    pub end: CivilDate,
}

impl DayRange {
    /// The days from `first` to `last`, both included, as people name ranges. `parameter` names the
    /// last day in the error.
    ///
    /// # Errors
    /// [`Error::DaysReversed`] where the last day comes before the first.
    pub fn inclusive(parameter: &'static str, first: CivilDate, last: CivilDate) -> Result<Self> {
        if last < first {
            return Err(Error::DaysReversed { parameter });
        }
        Ok(Self {
            start: first,
            end: last.next(),
        })
    }

    /// The days of a named range, at `now` in the account's time zone: `today`, `yesterday`, or
    /// `last7Days` and `last30Days`, which end with today.
    #[must_use]
    pub fn named(name: &str, now: CivilTime) -> Option<Self> {
        let end = now.date().next();
        let (end, days) = match name {
            "today" => (end, 1),
            "yesterday" => (now.date(), 1),
            "last7Days" => (end, 7),
            "last30Days" => (end, 30),
            _ => return None,
        };
        let start = CivilDate {
            days: end.days.saturating_sub(days),
        };
        Some(Self { start, end })
    }
}

impl CivilTime {
    /// Reads `YYYY-MM-DD HH:MM:SS`; `parameter` names it in the error.
    ///
    /// # Errors
    /// [`Error::InvalidTime`].
    pub fn parse(parameter: &'static str, text: &str) -> Result<Self> {
        Self::read(text).ok_or(Error::InvalidTime { parameter })
    }

    fn read(text: &str) -> Option<Self> {
        if !fits(text, b"dddd-dd-dd dd:dd:dd") {
            return None;
        }
        let date = CivilDate::read(text.get(..10)?)?;
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let exists = hour < 24 && minute < 60 && second < 60;
        exists.then(|| Self {
            seconds: date.start().seconds + hour * 3_600 + minute * 60 + second,
        })
    }

    /// The day of this time.
    #[must_use]
    pub(crate) fn date(self) -> CivilDate {
        CivilDate {
            days: self.seconds / 86_400,
        }
    }

    /// Milliseconds since 1970 of this civil time, taken as UTC.
    #[must_use]
    pub(crate) fn as_utc_ms(self) -> u64 {
        self.seconds * 1_000
    }

    /// The civil time in UTC at `ms` milliseconds since 1970.
    #[must_use]
    pub fn from_utc_ms(ms: u64) -> Self {
        Self {
            seconds: ms / 1_000,
        }
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date();
        let second = self.seconds % 86_400;
        write!(
            f,
            "{date} {:02}:{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60
        )
    }
}

/// Does the text have a digit at each `d` of the pattern, and the pattern's characters elsewhere?
fn fits(text: &str, pattern: &[u8]) -> bool {
    text.len() == pattern.len()
        && text
            .bytes()
            .zip(pattern)
            .all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                other => byte == *other,
            })
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

pub(crate) fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the given date.
pub(crate) fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let months: u64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}

fn date_of(days: u64) -> (u64, u64, u64) {
    let mut year = 1970 + days / 366;
    while days_before(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 12;
    while days_before(year, month, 1) > days {
        month -= 1;
    }
    (year, month, days - days_before(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-30 00:00:00",
            "2026-02-29 00:00:00",
            "2100-02-29 00:00:00",
            "2026-13-01 00:00:00",
            "2026-00-01 00:00:00",
            "2026-01-01 24:00:00",
            "2026-01-01 00:60:00",
            "2026-01-01T00:00:00",
            "2026-1-1 0:0:0",
            "2026-01-01",
            "",
        ] {
            assert!(
                CivilTime::parse("conversionDate", text).is_err(),
                "{text:?}"
            );
        }
        assert!(CivilTime::parse("conversionDate", "2028-02-29 23:59:59").is_ok());
    }

    #[test]
    fn a_range_of_days_is_half_open() {
        let day = |text| CivilDate::parse("startDate", text).unwrap();
        let range = DayRange::inclusive("endDate", day("2026-01-01"), day("2026-01-31")).unwrap();
        assert_eq!(
            (range.start.to_string(), range.end.to_string()),
            ("2026-01-01".into(), "2026-02-01".into())
        );
        assert!(DayRange::inclusive("endDate", day("2026-01-01"), day("2026-01-01")).is_ok());
        assert_eq!(
            DayRange::inclusive("endDate", day("2026-01-02"), day("2026-01-01")),
            Err(Error::DaysReversed {
                parameter: "endDate"
            })
        );
        assert_eq!(day("2028-02-28").next().to_string(), "2028-02-29");
        for text in [
            "2026-02-30",
            "2026-2-3",
            "2026-02-03 ",
            "1969-12-31",
            "",
            "2026-00-01",
        ] {
            assert!(CivilDate::parse("startDate", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_instant_reads_as_utc() {
        assert_eq!(
            CivilTime::from_utc_ms(1_781_879_400_999).to_string(),
            "2026-06-19 14:30:00"
        );
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(seconds in 0_u64..253_402_300_800) {
            let time = CivilTime { seconds };
            prop_assert_eq!(CivilTime::parse("at", &time.to_string()), Ok(time));
        }
    }
}
