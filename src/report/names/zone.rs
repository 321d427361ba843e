//! The zone that a column's name tells: `Created (UTC)`, `date_paid_gmt`, `Date (GMT+02:00)`.

use super::{Name, Names, Role, normalise};
use crate::report::day::Zones;
use crate::report::flag::is_among;
use crate::spoiled::narrow;
use std::borrow::Cow;

/// The roles that are times, in the order of [`Zones`].
const TIMES: [Role; 2] = [Role::Date, Role::Paid];

/// Added to a name's rank where it is known without its zone: the same name without one stands before it.
const NAMED: u8 = 100;

impl Names {
    /// The times' names again, as they are written with the zone at their end: `date_created_gmt`.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn add_zoned(&mut self) {
        let is_time = |name: &&Name| TIMES.iter().any(|&time| time as u8 == name.role);
        let times: Vec<_> = self.known.iter().filter(is_time).cloned().collect();
        for Name { path, role, rank } in times {
            for zone in [b"utc", b"gmt"] {
                let path = [path.as_slice(), zone].concat();
                if self.find(&path).is_none() {
                    self.add(path, role, rank + NAMED);
                }
            }
        }
    }

    /// The role and the rank of a column of a CSV file: its name may have a zone.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn find_column(&self, name: &[u8]) -> Option<(u8, u8)> {
        let find = |name: &[u8]| {
            let mut path = Vec::new();
            normalise(name, |byte| path.push(byte));
            self.find(&path)
        };
        find(name).or_else(|| {
            let (without, _) = zone_of(name)?;
            let (role, rank) = find(without.as_bytes())?;
            let is_time = TIMES.iter().any(|&time| time as u8 == role);
            (is_time && !self.is_declared(role)).then_some((role, rank % NAMED + NAMED))
        })
    }

    /// The name of a role: the caller's, or the one that has this rank.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn name(&self, role: Role, rank: u8) -> Option<&[u8]> {
        if self.is_declared(role as u8) {
            return Some(self.given(role as u8).1.as_bytes());
        }
        let mut known = self.known.iter();
        let name = known.find(|name| name.role == role as u8 && name.rank == rank)?;
        Some(&name.path)
    }
}

/// The zones that the names of these roles tell.
///
/// # Errors
/// A name tells an offset from UTC that cannot be read.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn zones<'a>(
    name_of: impl Fn(Role) -> Option<&'a [u8]>,
) -> Result<Zones, String> {
    let mut zones = Zones::default();
    for (zone, role) in zones.iter_mut().zip(TIMES) {
        let Some(name) = name_of(role) else { continue };
        let Some((_, offset)) = zone_of(name) else {
            continue;
        };
        if offset.is_none() {
            return Err(format!(
                "its column {} tells an offset from UTC that cannot be read: write it as UTC+02:00",
                String::from_utf8_lossy(name)
            ));
        }
        *zone = offset;
    }
    Ok(zones)
}

/// A name's letters and digits without its zone, and the zone's offset from UTC in seconds; no offset where it cannot be
/// read.
#[cfg_attr(small_cold, optimize(size))]
fn zone_of(name: &[u8]) -> Option<(String, Option<i32>)> {
    if !may_tell(name) {
        return None;
    }
    let written = in_letters(&String::from_utf8_lossy(name));
    let name = written.to_ascii_lowercase();
    // `utc_offset` is no time of UTC.
    if name.contains("offset") {
        return None;
    }
    let is_elsewhere = name
        .split(|mark: char| !mark.is_alphanumeric())
        .any(|word| is_among(ABBREVIATIONS, word));
    let mut found: Option<(String, Option<i32>)> = None;
    for (at, _) in name.match_indices("utc").chain(name.match_indices("gmt")) {
        let (before, zone) = name.split_at_checked(at)?;
        let (_, after) = zone.split_at_checked(3)?;
        // `outcome_date` names none.
        let is_last = !after.contains(char::is_alphanumeric);
        let is_word = is_word(&written, at);
        let offset = Offset::read(after);
        // POSIX writes the offset of `Etc/GMT+5` with the other sign.
        let is_posix = before.ends_with("etc/");
        // `GMT/BST` is one of them in winter, and the other one in summer.
        let is_beside = |mark: Option<char>| mark.is_some_and(char::is_alphabetic);
        let is_either = after
            .strip_prefix('/')
            .is_some_and(|after| is_beside(after.chars().next()))
            || !is_posix && before.ends_with('/');
        let denied = before.trim_end_matches(|mark: char| !mark.is_alphanumeric());
        if is_word && (denied.ends_with("non") || denied.ends_with("not")) {
            continue;
        }
        let (seconds, rest) = match offset {
            _ if is_word && is_either => (None, after),
            Some(offset) if is_posix => (None, offset.rest),
            Some(offset) => (offset.seconds, offset.rest),
            None if is_word && is_elsewhere => (None, after),
            None if is_last || is_word => (Some(0), after),
            None => continue,
        };
        let is_other = |(_, known): &(String, Option<i32>)| *known != seconds;
        let has_more = tells_more(rest);
        let is_one = !has_more && !found.as_ref().is_some_and(is_other);
        let (seconds, rest) = (seconds.filter(|_| is_one), if has_more { "" } else { rest });
        found = Some((letters(before, rest), seconds));
    }
    // `Date Z`, and not `date_z`.
    let last = written.rsplit([' ', '_', '-']).next().unwrap_or_default();
    let is_zulu = last.len() < written.len() && (last == "Z" || last.eq_ignore_ascii_case("zulu"));
    let before = || name.get(..name.len() - last.len());
    found.or_else(|| match before().filter(|_| is_zulu) {
        Some(before) => Some((letters(before, ""), Some(0))),
        None => alone(&name),
    })
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn letters(before: &str, rest: &str) -> String {
    let marks = before.chars().chain(rest.chars());
    marks.filter(|letter| letter.is_alphanumeric()).collect()
}

/// Short names of zones. Beside `UTC` without an offset, nobody knows which of the two it is.
const ABBREVIATIONS: &str = "est edt cst cdt mst mdt pst pdt cet cest eet eest bst jst aest aedt";

/// May a name tell a zone? Nearly none does.
pub(in crate::report) fn may_tell(name: &[u8]) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b'(' | b'[' | b'+' | b'-') || !byte.is_ascii();
    // Those of Greenwich, Universal and Zulu, too.
    let is_word = |part: &[u8]| {
        [b"utc", b"gmt", b"gre", b"uni", b"zul"]
            .iter()
            .any(|word| part.eq_ignore_ascii_case(*word))
    };
    name.iter().any(is_mark) || name.ends_with(b"Z") || name.windows(3).any(is_word)
}

/// Does a second offset follow, such as `/+2` for the summer?
#[cfg_attr(small_cold, optimize(size))]
fn tells_more(rest: &str) -> bool {
    let is_digit = |mark: Option<char>| mark.is_some_and(char::is_numeric);
    let mut before = None;
    let mut marks = rest.chars().peekable();
    while let Some(mark) = marks.next() {
        let is_sign = mark == '+' || SIGNS.contains(&mark) && !is_digit(before);
        let is_or = matches!(mark, '/' | '|') && before.is_none();
        if (is_sign || is_or) && is_digit(marks.peek().copied()) {
            return true;
        }
        before = Some(mark);
    }
    false
}

/// The signs of a minus: those of word processors and spreadsheets, too.
const SIGNS: [char; 8] = [
    '-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}', '\u{fe63}', '\u{ff0d}',
];

/// A name with the letters of the zone in place of its words, such as `Coordinated Universal Time`, and without wide marks.
#[cfg_attr(small_cold, optimize(size))]
fn in_letters(name: &str) -> String {
    let mut name: String = name.chars().map(narrow).collect();
    for words in [
        "coordinated universal time",
        "universal time",
        "greenwich mean time",
    ] {
        let at = name.to_ascii_lowercase().find(words);
        if let Some(at) = at {
            name.replace_range(at..at + words.len(), "UTC");
        }
    }
    name
}

/// Stand the three letters at this place alone, or by their case: `UTCDate`, `dateUtcPaid`?
#[cfg_attr(small_cold, optimize(size))]
fn is_word(name: &str, at: usize) -> bool {
    let (before, zone) = name.split_at_checked(at).unwrap_or_default();
    let (zone, after) = zone.split_at_checked(3).unwrap_or_default();
    let is = |mark: Option<char>, kind: fn(char) -> bool| mark.is_some_and(kind);
    let (last, mut next) = (before.chars().next_back(), after.chars());
    let (first, second) = (next.next(), next.next());
    let begins = !is(last, char::is_alphabetic)
        || is(last, char::is_lowercase) && zone.starts_with(char::is_uppercase);
    let ends = !is(first, char::is_alphabetic)
        || is(first, char::is_uppercase)
            && (zone.ends_with(char::is_lowercase) || is(second, char::is_lowercase))
        // `utcdate`, where no capitals tell.
        || before.is_empty() && ["date", "time"].iter().any(|time| after.starts_with(time));
    begins && ends
}

/// The zone of a name that says no more than its offset, such as `Date (+02:00)`, `Date +02:00` and `Date (Z)`.
#[cfg_attr(small_cold, optimize(size))]
fn alone(name: &str) -> Option<(String, Option<i32>)> {
    let is_digit = |mark: &char| mark.is_ascii_digit();
    for (open, mark) in name.match_indices(['(', '[', '\u{ff08}']) {
        let (before, inner) = name.split_at_checked(open)?;
        let inner = inner.get(mark.len()..)?;
        let end = inner.find([')', ']', '\u{ff09}']).unwrap_or(inner.len());
        let (inner, rest) = inner.split_at_checked(end)?;
        if matches!(inner.trim(), "z" | "zulu") {
            return Some((letters(before, rest), Some(0)));
        }
        let Some(offset) = Offset::read(inner).filter(|offset| offset.is_signed) else {
            continue;
        };
        // `Date (-5)` may be the fifth column, or five hours.
        let is_whole = inner.chars().filter(is_digit).count() == 4;
        if tells_more(offset.rest) {
            return Some((letters(before, rest), None));
        }
        if is_whole || offset.rest.trim().is_empty() {
            return Some((
                letters(before, &[offset.rest, rest].concat()),
                offset.seconds.filter(|_| is_whole),
            ));
        }
    }
    let is_sign = |mark: char| mark == '+' || SIGNS.contains(&mark);
    let (before, zone) = name.split_at_checked(name.rfind(is_sign)?)?;
    let offset = Offset::read(zone).filter(|offset| offset.rest.trim().is_empty())?;
    // `date-2026` tells a year.
    let is_whole = zone.chars().filter(is_digit).count() == 4;
    let seconds = offset.seconds.filter(|_| is_whole);
    let is_plain = seconds.is_some_and(|seconds| seconds % 900 == 0);
    // `date-0500` may be a day.
    let is_certain = zone.starts_with('+') || zone.contains(':') || before.ends_with([' ', '_']);
    (zone.starts_with('+') || is_plain)
        .then(|| (letters(before, ""), seconds.filter(|_| is_certain)))
}

/// What stands after `UTC`, where it looks like an offset.
struct Offset<'a> {
    /// `None` where it cannot be read.
    seconds: Option<i32>,
    /// Does it begin with a sign, whichever?
    is_signed: bool,
    rest: &'a str,
}

impl<'a> Offset<'a> {
    /// Reads `+2`, ` -05:30`, ` (+0200)` and the like. Word processors and spreadsheets write other signs for a minus.
    #[cfg_attr(small_cold, optimize(size))]
    fn read(text: &'a str) -> Option<Self> {
        let is_mark =
            |mark: char| mark.is_whitespace() || matches!(mark, '(' | '[' | ':' | '\u{ff08}');
        let text = text.trim_start_matches(is_mark);
        // `date_utc_plus_2`
        let words = text.trim_start_matches(['_', '-']);
        let sign_of = |word, sign| Some((sign, words.strip_prefix(word)?));
        let in_words = sign_of("plus", '+').or_else(|| sign_of("minus", '-'));
        let (sign, digits) = match (in_words, text.chars().next()?) {
            (Some((sign, digits)), _) => (sign, digits.trim_start_matches([' ', '_', '-'])),
            (None, first) if first.is_numeric() => (first, text),
            (None, first) => (first, text.strip_prefix(first)?.trim_start()),
        };
        let is_digit = |digit: char| digit.is_numeric() || matches!(digit, ':' | '.' | ',');
        let end = digits
            .find(|digit| !is_digit(digit))
            .unwrap_or(digits.len());
        let (digits, rest) = digits.split_at_checked(end)?;
        // `5h30` and `5'30`. Other digits in the same brackets are a part of the offset that nobody can read.
        let minutes = rest
            .strip_prefix(['h', '\'', '\u{2019}'])
            .and_then(|after| {
                let (minutes, rest) = after.split_at_checked(2)?;
                let is_pair = minutes.bytes().all(|byte| byte.is_ascii_digit());
                (is_pair && !digits.contains(':')).then_some((minutes, rest))
            });
        let (digits, rest) = match minutes {
            Some((minutes, rest)) => (Cow::Owned([digits, minutes].join(":")), rest),
            None => (Cow::Borrowed(digits), rest),
        };
        let own = rest.split(['(', ')', '[', ']']).next().unwrap_or_default();
        let is_whole = !own.contains(char::is_numeric);
        let is_offset = !sign.is_alphabetic() && !matches!(sign, ')' | ']' | '_' | '/' | '.');
        (is_offset && digits.starts_with(char::is_numeric)).then(|| Self {
            seconds: Self::seconds(sign, &digits).filter(|_| is_whole),
            is_signed: !sign.is_numeric(),
            rest,
        })
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn seconds(sign: char, digits: &str) -> Option<i32> {
        let (hours, minutes) = match digits.split_once(':') {
            Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
            Some(_) => return None,
            None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
            None => (digits, "0"),
        };
        // Any digits may stand after a sign: what is no byte is no hour.
        let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
        let seconds = i32::from(hours) * 3_600 + i32::from(minutes) * 60;
        let is_minute = hours <= 14 && minutes < 60;
        match sign {
            '+' | '\u{ff0b}' if is_minute && seconds <= 14 * 3_600 => Some(seconds),
            sign if SIGNS.contains(&sign) && is_minute && seconds <= 12 * 3_600 => Some(-seconds),
            '\u{b1}' if seconds == 0 => Some(0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
