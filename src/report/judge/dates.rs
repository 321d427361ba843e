//! Ids that a spreadsheet has turned into dates: `Jan-01` of 5001-1, `03/04/2026` of 3-4-26. Several ids become one.

/// The short names of months in some thirty languages (CLDR, and as spreadsheets write them), in lower case. Some
/// languages begin them with a capital.
const MONTHS: &str = "abr ago agu août apr ara aug avg avr ağu bře cze dec des dets dez dic dub déc eki elo ene eyl feb \
    febr fev févr gen giu gru haz heinä helmi huhti ian iul iun jaan jan janv joulu juil juin jul juli \
    jun juni juny juuli juuni jän júl jún kas kesä kol kvě kwi led lip lis loka lug lut maalis mag mai \
    maig maj mar marras mars març may mei mrt mrz máj márc mär märts märz nis nov oca oct okt ott out \
    ožu paź ruj sep sept set sie sij srp stu sty svi syys szept tammi tem touko tra veebr velj wrz zář \
    ápr úno čvc čvn říj şub απρ αυγ δεκ ιαν ιουλ ιουν μαΐ μαρ νοε οκτ σεπ φεβ авг апр бер вер груд дек \
    дец жовт июл июль июн июнь квіт лип лист лют май мар март мая мај нов нояб окт сент сеп серп січ \
    трав феб февр черв янв јан јул јун";

/// The signs after year, month and day in Chinese, Japanese and Korean.
const MARKS: [[&str; 3]; 2] = [["年", "月", "日"], ["년", "월", "일"]];

/// Is it a date with a month's name, such as `Jan-01`, `5-Mar`, `05-Mar-26`, `01. Jan` or `3月4日`? Nobody numbers orders
/// so.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn is_named(key: &[u8]) -> bool {
    if !(5..=20).contains(&key.len()) {
        return false;
    }
    let mut parts = parts(key);
    let all = [parts.next(), parts.next(), parts.next()];
    if parts.next().is_some() {
        return false;
    }
    let is_short = |year: &[u8]| matches!(year, [b'0'..=b'9', b'0'..=b'9']);
    let is_date = match all {
        [Some(one), Some(other), None] => {
            is_short(other) && is_month(one) || is_day_of_month(one) && is_month(other)
        }
        [Some(one), Some(month), Some(other)] => {
            (is_day_of_month(one) && (is_short(other) || is_year(other))
                || is_year(one) && is_day_of_month(other))
                && is_month(month)
        }
        _ => false,
    };
    is_date || !key.is_ascii() && is_marked(key)
}

/// Is it a date such as `3月4日`, `2026年3月` or `3월 4일`?
#[cfg_attr(small_cold, optimize(size))]
fn is_marked(key: &[u8]) -> bool {
    let Ok(mut rest) = core::str::from_utf8(key) else {
        return false;
    };
    let Some(marks) = MARKS.iter().find(|[_, month, _]| rest.contains(month)) else {
        return false;
    };
    for mark in marks {
        if let Some((number, after)) = rest.split_once(mark) {
            let number = number.trim().as_bytes();
            if !(is_day_of_month(number) || is_year(number)) {
                return false;
            }
            rest = after;
        }
    }
    rest.trim().is_empty()
}

/// May it be a date of three numbers? Nearly no key is.
#[inline]
pub(super) fn may_be_day(key: &[u8]) -> bool {
    let sign = match key {
        [_, sign, _, ..] | [_, _, sign, ..] if is_sign(*sign) => sign,
        [_, _, _, _, sign, ..] => sign,
        _ => return false,
    };
    is_sign(*sign) && key.len() <= 32 && key.first().is_some_and(u8::is_ascii_digit)
}

/// Is it a date of three numbers, such as `03/04/2026`, `3.4.2026`, `03/04/26`, `2026-03-04` or `2026-03-04 00:00:00`?
/// Some shops number their orders so: `45/06/2026` is none.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn is_day(key: &[u8]) -> bool {
    let is_date = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    of_three(key).is_some_and(|(all, is_year_first)| {
        let [first, middle, last] = all;
        if is_year_first {
            return last.len() <= 2 && is_date(number(last), number(middle));
        }
        let [a, b] = [first, middle].map(number);
        // `3.4.26` may be a version of something.
        let is_padded = first.len() == 2 && middle.len() == 2;
        let is_short = last.len() == 2 && (is_padded || key.contains(&b'/'));
        first.len() <= 2 && (is_year(last) || is_short) && (is_date(a, b) || is_date(b, a))
    })
}

/// Three numbers of which the first one is a year; or the last one is one, or its last two digits.
#[cfg_attr(small_cold, optimize(size))]
fn of_three(key: &[u8]) -> Option<([&[u8]; 3], bool)> {
    let key = without_midnight(key);
    // Korean writes `2026. 3. 4.`
    let key = key.strip_suffix(b".").unwrap_or(key);
    let is_pair = |pair: &[u8]| pair == b". ";
    let has_pairs = key.windows(2).any(is_pair);
    let mut signs = key
        .iter()
        .filter(|&&byte| is_sign(byte) && !(has_pairs && byte == b' '));
    let is_one = signs.next() == signs.next() && signs.next().is_none();
    let mut parts = parts(key);
    let all = [parts.next()?, parts.next()?, parts.next()?];
    let are_numbers = all.iter().all(|part| part.iter().all(u8::is_ascii_digit));
    let [first, middle, last] = all.map(<[u8]>::len);
    let [year, ..] = all;
    let is_year_first = is_year(year);
    let fits = middle <= 2
        && if is_year_first {
            last <= 5
        } else {
            first <= 5 && matches!(last, 2 | 4)
        };
    (is_one && parts.next().is_none() && are_numbers && fits).then_some((all, is_year_first))
}

/// The key without the time that a spreadsheet or a program shows beside a day: `00:00`, `00:00:00.000Z` or
/// `12:00:00 AM`.
#[cfg_attr(small_cold, optimize(size))]
fn without_midnight(key: &[u8]) -> &[u8] {
    let is_start = |&byte: &u8| matches!(byte, b' ' | b'T');
    let before = key.split(|&byte| byte == b':').next().unwrap_or_default();
    let Some(at) = before.iter().rposition(is_start) else {
        return key;
    };
    let (day, time) = key.split_at_checked(at).unwrap_or((key, &[]));
    let time = time.get(1..).unwrap_or_default().trim_ascii();
    let time = [b"Z".as_slice(), b" UTC", b"+00:00", b" +0000"]
        .into_iter()
        .find_map(|zone| time.strip_suffix(zone))
        .unwrap_or(time);
    let is_none = |time: &[u8]| time.iter().all(|byte| matches!(byte, b'0' | b':' | b'.'));
    let half = time
        .strip_suffix(b" AM")
        .and_then(|time| time.strip_prefix(b"12"));
    if time.contains(&b':') && (is_none(time) || half.is_some_and(is_none)) {
        day
    } else {
        key
    }
}

/// How three numbers with a year are written, as a bit: where the year stands, the sign between them, and one or two
/// digits of the middle one.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn style(key: &[u8]) -> u16 {
    let sign = key.iter().find(|&&byte| is_sign(byte));
    let sign = match sign {
        Some(b'/') => 0,
        Some(b'.') => 2,
        _ => 4,
    };
    of_three(key).map_or(0, |([_, middle, _], is_year_first)| {
        1 << (sign + middle.len() - 1 + 6 * usize::from(is_year_first))
    })
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
    let Some(part) = core::str::from_utf8(part)
        .ok()
        .filter(|part| part.len() > 2)
    else {
        return false;
    };
    let mut letters = part.chars();
    let Some(first) = letters.next() else {
        return false;
    };
    let rest = letters.as_str();
    let is_name = |name: &str| {
        let mut name = name.chars();
        let initial = name.next();
        name.as_str() == rest && first.to_lowercase().next() == initial
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
            "04. Mär",
            "04.Mär",
            "Mär 26",
            "4-мар",
            "Янв-26",
            "05-мар-2026",
            "4 мар 26",
            "2026-Mar-04",
            "12-gen",
            "3月4日",
            "2026年3月4日",
            "2026年3月",
            "3월 4일",
            "2026년 3월 4일",
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
            "ORD-26",
            "A-26",
            "Nº 26",
            "заказ-12",
            "订单-12",
            "1月店-26",
            "45月4日",
            "月",
            "Jan-01-02-03",
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
            "04.03.26",
            "04-03-26",
            "2026-03-04",
            "2026/3/4",
            "2026.03.04",
            "2026-03-04 00:00:00",
            "2026-03-04T00:00:00.000",
            "04/03/2026 00:00",
            "3/4/2026 12:00:00 AM",
            "2026-03-04T00:00:00Z",
            "2026-03-04T00:00:00.000Z",
            "2026-03-04T00:00:00+00:00",
            "2026-03-04 00:00:00 UTC",
            "2026. 3. 4",
            "2026. 3. 4.",
            "2026. 03. 04. 00:00",
            "4. 3. 2026",
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
            "2026-06-45",
            "2026-13-01",
            "2026-06-0012",
            "2026-06-01 12",
            "2026-06-01 10:30:00",
            "2026-06-01T10:30:00Z",
            "2026-03. 4",
            "1001-06-01",
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
        assert_eq!(style(b"2026-06-45"), style(b"2026-06-01"));
        assert_ne!(style(b"2026-06-45"), style(b"01-06-2026"));
        assert_eq!(style(b"1001-1"), 0);
    }
}
