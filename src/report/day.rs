//! Reads days and times of files as civil seconds of the account's time zone.

mod zone;

use super::amount::write_digits;
use super::digits::clock;
use super::flaw::Flaw;
use super::memory::same;
use crate::Error;
use crate::time::{CivilDate, days_before, days_in};
pub(crate) use zone::Zone;

const DAY: i64 = 86_400;

/// The order of day and month in a date that does not begin with its year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DayOrder {
    /// The order is not declared: such a date is ambiguous.
    #[default]
    Undeclared,
    /// `DD/MM/YYYY`
    DayFirst,
    /// `MM/DD/YYYY`
    MonthFirst,
}

/// A time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Seconds since 1970 on the source's clock.
    pub(crate) seconds: i64,
    /// The offset from UTC in seconds, where the text has one.
    pub(crate) offset: Option<i32>,
    /// Does the text have a time of day?
    pub(crate) has_time: bool,
}

/// The offsets from UTC in seconds that the names of a file's columns tell: of the date's, and of the payment's time's.
pub(super) type Zones = [Option<i32>; 2];

/// Reads the days and times of one file; caches the last day.
#[derive(Clone, Debug, Default)]
pub(crate) struct Days {
    /// The declared order of day and month.
    pub(crate) order: DayOrder,
    /// Are plain whole numbers seconds since 1970?
    pub(crate) is_unix: bool,
    /// Years of two digits are of this century.
    pub(crate) has_short_years: bool,
    /// Told by the columns' names: with one, no time is plain.
    pub(super) zones: Zones,
    pub(super) last: [u8; 10],
    /// 0 before the first day: 1970 is never read.
    pub(super) last_seconds: u32,
}

impl Days {
    /// Reads `2026-06-01`, `2026-06-01 14:30`, `2026-06-01T14:30:00.123+02:00`, and days in the declared order.
    ///
    /// # Errors
    /// [`Flaw::Date`], or [`Flaw::AmbiguousDate`] where the order is not declared.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<Written, Flaw> {
        let text = text.trim_ascii();
        let (seconds, rest) = match text.first_chunk::<10>() {
            Some(day) if *day == self.last && self.last_seconds > 0 => (
                i64::from(self.last_seconds),
                text.get(10..).unwrap_or_default(),
            ),
            _ => self.read_day(text)?,
        };
        if self.is_unix && rest.is_empty() && text.iter().all(u8::is_ascii_digit) {
            return Ok(Written {
                seconds,
                offset: Some(0),
                has_time: true,
            });
        }
        let (of_day, rest, has_time) = read_time(rest)?;
        let offset = read_offset(rest, has_time)?;
        Ok(Written {
            seconds: seconds + of_day,
            offset,
            has_time,
        })
    }

    /// The seconds of nearly every time: `2026-06-01 14:30:00` on the day that was read last, without an offset.
    #[inline]
    pub(super) fn plain(&self, text: &[u8]) -> Option<u32> {
        let (day, time) = text.split_first_chunk::<10>()?;
        let (b' ' | b'T', time) = time.split_first()? else {
            return None;
        };
        let [hour, minute, second] = clock(u64::from_le_bytes(time.try_into().ok()?))?;
        if !same(day, &self.last) || self.last_seconds == 0 {
            return None;
        }
        let of_day = u32::try_from(hour * 3_600 + minute * 60 + second).ok()?;
        (hour < 24 && minute < 60 && second < 60).then_some(self.last_seconds + of_day)
    }

    fn read_day<'a>(&mut self, text: &'a [u8]) -> Result<(i64, &'a [u8]), Flaw> {
        if self.is_unix && text.len() <= 11 && text.iter().all(u8::is_ascii_digit) {
            let seconds = number(text).ok_or(Flaw::Date)?;
            return Ok((seconds, &[]));
        }
        let mut parts = [0_i64; 3];
        let mut lengths = [0_usize; 3];
        let mut rest = text;
        let mut mark = 0;
        for (index, (part, length)) in parts.iter_mut().zip(&mut lengths).enumerate() {
            *length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, tail) = rest.split_at_checked(*length).ok_or(Flaw::Date)?;
            *part = number(digits).ok_or(Flaw::Date)?;
            rest = tail;
            if index < 2 {
                let (&byte, tail) = rest.split_first().ok_or(Flaw::Date)?;
                if !matches!(byte, b'-' | b'/' | b'.') || (mark != 0 && mark != byte) {
                    return Err(Flaw::Date);
                }
                mark = byte;
                rest = tail;
            }
        }
        let [first, second, third] = parts;
        let (year, month, day) = match lengths {
            [4, 1..=2, 1..=2] => (first, second, third),
            [1..=2, 1..=2, 4] => match self.order {
                DayOrder::Undeclared => return Err(Flaw::AmbiguousDate),
                DayOrder::DayFirst => (third, second, first),
                DayOrder::MonthFirst => (third, first, second),
            },
            [1..=2, 1..=2, 2] if self.has_short_years => match self.order {
                DayOrder::Undeclared => return Err(Flaw::AmbiguousDate),
                DayOrder::DayFirst => (2_000 + third, second, first),
                DayOrder::MonthFirst => (2_000 + third, first, second),
            },
            [1..=2, 1..=2, 2] => return Err(Flaw::AmbiguousDate),
            _ => return Err(Flaw::Date),
        };
        let [Ok(year), Ok(month), Ok(day)] = [year, month, day].map(u64::try_from) else {
            return Err(Flaw::Date);
        };
        let exists = (1971..=2105).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        if !exists {
            return Err(Flaw::Date);
        }
        let seconds = i64::try_from(days_before(year, month, day)).unwrap_or(0) * DAY;
        if let Some(day) = text.first_chunk::<10>()
            && text.len() == rest.len() + 10
            && self.zones == Zones::default()
        {
            self.last = *day;
            self.last_seconds = u32::try_from(seconds).unwrap_or(0);
        }
        Ok((seconds, rest))
    }
}

/// At most eleven digits.
fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 11 {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')),
    )
}

fn two(text: &[u8]) -> Option<(i64, &[u8])> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
            Some((i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest))
        }
        _ => None,
    }
}

/// Reads ` 14:30`, `T14:30:00.123` or ` 2:30 PM`; no text is midnight.
fn read_time(text: &[u8]) -> Result<(i64, &[u8], bool), Flaw> {
    let rest = match text.split_first() {
        None => return Ok((0, text, false)),
        Some((b' ' | b'T', rest)) => rest.trim_ascii_start(),
        Some((b',', [b' ', rest @ ..])) => rest,
        _ => return Err(Flaw::Date),
    };
    let one = |text: &'_ [u8]| match text {
        [digit @ b'0'..=b'9', b':', ..] => Some(i64::from(digit - b'0')),
        _ => None,
    };
    let (mut hour, rest) = match (one(rest), rest) {
        (Some(hour), [_, rest @ ..]) => (hour, rest),
        _ => two(rest).ok_or(Flaw::Date)?,
    };
    let rest = rest.strip_prefix(b":").ok_or(Flaw::Date)?;
    let (minute, mut rest) = two(rest).ok_or(Flaw::Date)?;
    let mut second = 0;
    if let Some(tail) = rest.strip_prefix(b":") {
        (second, rest) = two(tail).ok_or(Flaw::Date)?;
        if let Some(tail) = rest.strip_prefix(b".") {
            let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return Err(Flaw::Date);
            }
            rest = tail.get(digits..).unwrap_or_default();
        }
    }
    let tail = rest.trim_ascii_start();
    if let [half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', tail @ ..] = tail {
        if !(1..=12).contains(&hour) {
            return Err(Flaw::Date);
        }
        hour = hour % 12
            + if half.eq_ignore_ascii_case(&b'P') {
                12
            } else {
                0
            };
        rest = tail;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Flaw::Date);
    }
    Ok((hour * 3_600 + minute * 60 + second, rest, true))
}

/// Reads `Z`, ` UTC`, `+02:00` or ` -0500`; no text is no offset.
fn read_offset(text: &[u8], has_time: bool) -> Result<Option<i32>, Flaw> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    if !has_time {
        return Err(Flaw::Date);
    }
    if matches!(text, b"Z" | b"z" | b"UTC" | b"GMT") {
        return Ok(Some(0));
    }
    let (sign, rest) = match text.split_first() {
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        _ => return Err(Flaw::Date),
    };
    let (hours, rest) = two(rest).ok_or(Flaw::Date)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = if rest.is_empty() {
        (0, rest)
    } else {
        two(rest).ok_or(Flaw::Date)?
    };
    if !rest.is_empty() || hours > 15 || minutes > 59 {
        return Err(Flaw::Date);
    }
    i32::try_from(sign * (hours * 3_600 + minutes * 60))
        .map(Some)
        .map_err(|_| Flaw::Date)
}

/// The first second of a day such as `2026-06-01`.
///
/// # Errors
/// [`Error::InvalidTime`] names the parameter.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn first_second(parameter: &'static str, day: &str) -> crate::Result<u32> {
    CivilDate::parse(parameter, day)?;
    let written = Days::default().read(day.as_bytes()).ok();
    let seconds = written.and_then(|written| u32::try_from(written.seconds).ok());
    seconds.ok_or(Error::InvalidTime { parameter })
}

/// The first second of days such as `2026-06-01/2026-06-30`, and the first second after them.
///
/// # Errors
/// [`Error::InvalidTime`], or [`Error::InvalidField`] where they end before they begin.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn days(parameter: &'static str, days: &str) -> crate::Result<(u32, u32)> {
    let (from, to) = days.split_once('/').unwrap_or((days, days));
    let (from, to) = (first_second(parameter, from)?, first_second(parameter, to)?);
    if to < from {
        return Err(super::refuse(parameter, "must not end before it begins"));
    }
    Ok((from, to + 86_400))
}

/// Writes civil seconds as `YYYY-MM-DD HH:MM:SS`.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn write(output: &mut String, seconds: u32) {
    let days = u64::from(seconds) / 86_400;
    write_day(output, days);
    let of_day = u64::from(seconds) % 86_400;
    output.push(' ');
    write_digits(output, of_day / 3_600, 2);
    output.push(':');
    write_digits(output, of_day / 60 % 60, 2);
    output.push(':');
    write_digits(output, of_day % 60, 2);
}

/// Writes days since 1970 as `YYYY-MM-DD`.
pub(super) fn write_day(output: &mut String, days: u64) {
    // Howard Hinnant's civil_from_days, for days after 1970.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    write_digits(output, year, 4);
    output.push('-');
    write_digits(output, month, 2);
    output.push('-');
    write_digits(output, day, 2);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::CivilTime;
    use proptest::prelude::*;

    fn read(order: DayOrder, text: &str) -> Result<String, Flaw> {
        let mut days = Days {
            order,
            ..Days::default()
        };
        let written = days.read(text.as_bytes())?;
        let mut shown = String::new();
        write(&mut shown, u32::try_from(written.seconds).unwrap());
        if let Some(offset) = written.offset {
            shown = format!("{shown} {offset}");
        }
        Ok(shown)
    }

    #[test]
    fn days_are_read_as_declared() {
        use DayOrder::{DayFirst, MonthFirst, Undeclared};
        for (order, text, expected) in [
            (Undeclared, "2026-06-01", Ok("2026-06-01 00:00:00")),
            (Undeclared, "2026/6/1", Ok("2026-06-01 00:00:00")),
            (Undeclared, "2026-06-01 14:30:00", Ok("2026-06-01 14:30:00")),
            (Undeclared, "2026-06-01T14:30", Ok("2026-06-01 14:30:00")),
            (
                Undeclared,
                "2026-06-01T14:30:00.123Z",
                Ok("2026-06-01 14:30:00 0"),
            ),
            (
                Undeclared,
                "2026-06-01 14:30:00 +0200",
                Ok("2026-06-01 14:30:00 7200"),
            ),
            (
                Undeclared,
                "2026-06-01T14:30:00-05:30",
                Ok("2026-06-01 14:30:00 -19800"),
            ),
            (
                Undeclared,
                "2026-06-01 14:30:00 UTC",
                Ok("2026-06-01 14:30:00 0"),
            ),
            (Undeclared, "01/06/2026", Err(Flaw::AmbiguousDate)),
            (Undeclared, "13/06/2026", Err(Flaw::AmbiguousDate)),
            (Undeclared, "01/06/26", Err(Flaw::AmbiguousDate)),
            (DayFirst, "01/06/2026", Ok("2026-06-01 00:00:00")),
            (DayFirst, "01/06/26", Err(Flaw::AmbiguousDate)),
            (DayFirst, "1.6.2026 9:05", Ok("2026-06-01 09:05:00")),
            (MonthFirst, "01/06/2026", Ok("2026-01-06 00:00:00")),
            (
                MonthFirst,
                "1/6/2026 12:05:01 AM",
                Ok("2026-01-06 00:05:01"),
            ),
            (MonthFirst, "1/6/2026 2:05 PM", Ok("2026-01-06 14:05:00")),
            (MonthFirst, "13/06/2026", Err(Flaw::Date)),
            (Undeclared, "2026-02-30", Err(Flaw::Date)),
            (Undeclared, "2026-06-01 24:00:00", Err(Flaw::Date)),
            (Undeclared, "2026-06-01 +02:00", Err(Flaw::Date)),
            (Undeclared, "2026-06/01", Err(Flaw::Date)),
            (Undeclared, "yesterday", Err(Flaw::Date)),
            (Undeclared, "2026-06-01x", Err(Flaw::Date)),
        ] {
            assert_eq!(
                read(order, text),
                expected.map(str::to_owned),
                "{order:?} {text}"
            );
        }
    }

    #[test]
    fn seconds_since_1970_are_an_instant_where_declared() {
        let mut days = Days {
            is_unix: true,
            ..Days::default()
        };
        let written = days.read(b"1781879400").unwrap();
        assert_eq!((written.seconds, written.offset), (1_781_879_400, Some(0)));
        assert_eq!(days.read(b"2026-06-19").unwrap().offset, None);
        assert_eq!(Days::default().read(b"1781879400"), Err(Flaw::Date));
    }

    fn seconds(time: CivilTime) -> u64 {
        (0..60_000)
            .map(|day| day * 86_400)
            .find(|&start| CivilTime::from_utc_ms(start * 1_000).date() == time.date())
            .map(|start| {
                let text = time.to_string();
                let part = |from: usize| text[from..from + 2].parse::<u64>().unwrap();
                start + part(11) * 3_600 + part(14) * 60 + part(17)
            })
            .unwrap()
    }

    proptest! {
        #[test]
        fn writing_agrees_with_civil_times(seconds in 31_536_000_u32..4_260_000_000) {
            let mut text = String::new();
            write(&mut text, seconds);
            prop_assert_eq!(&text, &CivilTime::from_utc_ms(u64::from(seconds) * 1_000).to_string());
            let mut days = Days::default();
            prop_assert_eq!(days.plain(text.as_bytes()), None);
            prop_assert_eq!(days.read(text.as_bytes()).unwrap().seconds, i64::from(seconds));
            prop_assert_eq!(days.plain(text.as_bytes()), Some(seconds));
        }
    }
}
