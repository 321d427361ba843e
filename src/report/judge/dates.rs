//! Ids that a spreadsheet has turned into dates: `Jan-01` of 5001-1, `03/04/2026` of 3-4-26. Several ids become one.

/// The short names of months as spreadsheets write them, in lower case. English and German ones begin with a capital.
const MONTHS: &str = "jan feb mar apr may jun jul aug sep sept oct nov dec mrz mai okt dez \
    janv févr mars avr juin juil août déc ene abr ago dic mrt mei";

/// Is it a date with a month's name, such as `Jan-01`, `5-Mar`, `05-Mar-26` or `01. Jan`? Nobody numbers orders so.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn is_named(key: &[u8]) -> bool {
    if !(5..=12).contains(&key.len()) {
        return false;
    }
    let mut parts = parts(key);
    let (Some(one), Some(two)) = (parts.next(), parts.next()) else {
        return false;
    };
    let is_short = |part: &[u8]| matches!(part, [b'0'..=b'9', b'0'..=b'9']);
    let is_date = |day, month| is_day_of_month(day) && is_month(month);
    match (parts.next(), parts.next()) {
        (None, _) => is_short(two) && is_month(one) || is_date(one, two),
        (Some(year), None) => (is_short(year) || is_year(year)) && is_date(one, two),
        _ => false,
    }
}

/// May it be a date of three numbers? Nearly no key is.
#[inline]
pub(super) fn may_be_day(key: &[u8]) -> bool {
    matches!(key, [_, sign, _, ..] | [_, _, sign, ..] if is_sign(*sign)) && key.len() <= 10
}

/// Is it a date of three numbers, such as `03/04/2026`, `3.4.2026` or `03/04/26`? Some shops number their orders so:
/// `45/06/2026` is none.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn is_day(key: &[u8]) -> bool {
    let is_short = |year: &[u8]| year.len() == 2 && key.contains(&b'/');
    of_three(key).is_some_and(|[one, other, year]| {
        let [a, b] = [one, other].map(number);
        let is_date = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
        one.len() <= 2 && (is_year(year) || is_short(year)) && (is_date(a, b) || is_date(b, a))
    })
}

/// Three numbers of which the last one is a year, or its last two digits.
#[cfg_attr(small_cold, optimize(size))]
fn of_three(key: &[u8]) -> Option<[&[u8]; 3]> {
    let mut signs = key.iter().filter(|&&byte| is_sign(byte));
    let is_one = signs.next() == signs.next() && signs.next().is_none();
    let mut parts = parts(key);
    let all = [parts.next()?, parts.next()?, parts.next()?];
    let are_numbers = all.iter().all(|part| part.iter().all(u8::is_ascii_digit));
    let [one, other, year] = all.map(<[u8]>::len);
    let fits = one <= 5 && other <= 2 && matches!(year, 2 | 4);
    (is_one && parts.next().is_none() && are_numbers && fits).then_some(all)
}

/// How three numbers with a year are written, as a bit: the sign between them, and one or two digits of the middle one.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn style(key: &[u8]) -> u8 {
    let sign = key.iter().find(|&&byte| is_sign(byte));
    let sign = match sign {
        Some(b'/') => 0,
        Some(b'.') => 2,
        _ => 4,
    };
    of_three(key).map_or(0, |[_, middle, _]| 1 << (sign + middle.len() - 1))
}

fn parts(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.split(|&byte| is_sign(byte))
        .filter(|part| !part.is_empty())
}

fn is_sign(byte: u8) -> bool {
    matches!(byte, b'-' | b'/' | b'.' | b' ')
}

fn number(digits: &[u8]) -> u32 {
    let digits = digits.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
}

fn is_day_of_month(part: &[u8]) -> bool {
    part.len() <= 2 && part.iter().all(u8::is_ascii_digit) && (1..=31).contains(&number(part))
}

fn is_year(part: &[u8]) -> bool {
    part.len() == 4 && part.iter().all(u8::is_ascii_digit) && (1900..2100).contains(&number(part))
}

fn is_month(part: &[u8]) -> bool {
    let Some((first, rest)) = part
        .split_first()
        .filter(|(first, _)| first.is_ascii_alphabetic())
    else {
        return false;
    };
    let is_name = |name: &str| {
        let name = name.as_bytes().split_first();
        name.is_some_and(|(initial, tail)| first.eq_ignore_ascii_case(initial) && rest == tail)
    };
    MONTHS.split_ascii_whitespace().any(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::judge::proof;

    #[test]
    fn dates_with_a_month_are_known() {
        for key in [
            "Jan-01",
            "Jun-26",
            "12-Jan",
            "5-Mar",
            "05-Mar",
            "5-Mar-26",
            "05-Mar-2026",
            "01. Jan",
            "Jan 01",
            "05. Mrz",
            "mars-05",
            "févr-01",
            "05/mar",
            "sept-12",
            "1-Sept",
            " Jan-01",
            "-5-Mar",
            "01. Jan.",
            "Jan-01 ",
        ] {
            assert!(is_named(key.as_bytes()), "{key}");
            // The look at a few bytes misses none.
            assert!(proof(key.as_bytes()).is_empty(), "{key}");
        }
        for key in [
            "MAR-05",
            "Jan-1",
            "Jan-001",
            "32-Jan",
            "0-Jan",
            "Jane-01",
            "JAN01",
            "Jan01",
            "100-Mar",
            "5-Marx",
            "Mar-A5",
            "ORD-1001",
            "1001-1",
            "100.1",
            "2026-06-01",
            "5-Mar-126",
            "Jan-01-A",
            "",
        ] {
            assert!(!is_named(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn dates_of_three_numbers_are_known() {
        for key in [
            "03/04/2026",
            "3/4/2026",
            "31/12/2026",
            "12/31/2026",
            "3.4.2026",
            "5-1-2026",
            "03/04/26",
        ] {
            assert!(
                may_be_day(key.as_bytes()) && is_day(key.as_bytes()),
                "{key}"
            );
        }
        for key in [
            "45/06/2026",
            "13/13/2026",
            "0/4/2026",
            "3/4/126",
            "3/4/1026",
            "3.4.26",
            "100.1",
            "1001-1",
            "2026-06-01",
            "3/4-2026",
            "3/4/2026/1",
            "3//4/2026",
            "a/4/2026",
            "001/06/2026",
        ] {
            assert!(!is_day(key.as_bytes()), "{key}");
        }
        assert_eq!(style(b"45/06/2026"), style(b"3/06/2026"));
        assert_ne!(style(b"45/06/2026"), style(b"3/6/2026"));
        assert_ne!(style(b"45/06/2026"), style(b"3.06.2026"));
        assert_eq!(style(b"1001-1"), 0);
    }
}
