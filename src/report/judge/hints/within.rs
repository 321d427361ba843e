//! Ids that stand in a longer text: in an address, or several in one cell.

use super::forms::{plain_form, without_groups};
use crate::spoiled::{narrow, unescaped};

/// What stands between the ids of a cell; the first of these that it has. A comma may also stand between thousands.
const SEPARATORS: [&str; 9] = [
    ";", "|", "\u{3001}", "\u{60c}", "\u{61b}", " / ", " & ", " + ", ",",
];

/// The fewest letters and digits of an id between signs that also stand within one, such as `1001/1002` and
/// `1001 and 1002`; and how far the lengths of such ids differ at most.
const SHORTEST: usize = 3;
const MOST_LONGER: usize = 1;

/// How a text stands in a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In an address: two shops may have its number.
    Address,
    /// In a cell of several ids.
    List,
    /// The same, where it may be the year of the ids.
    Year,
}

/// May a text have others in it? Nearly no id may.
#[inline]
pub(super) fn may_have_others(text: &[u8]) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b';' | b'|' | b',' | b'/' | b'&' | b'+' | 0x80..);
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'#');
    text.iter().any(is_mark)
        || (text.iter().skip_while(|byte| !byte.is_ascii_digit()))
            .skip_while(|byte| !is_blank(byte))
            .any(u8::is_ascii_digit)
}

/// Visits the texts that may be ids, each with how it stands in the longer one.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn each_within(
    text: &[u8],
    visit: &mut dyn FnMut(&str, Place) -> Option<()>,
) -> Option<()> {
    if !may_have_others(text) {
        return Some(());
    }
    let text = String::from_utf8_lossy(text);
    let text: String = unescaped(&text).chars().map(narrow).collect();
    if let Some(path) = path_in(&text) {
        // A formula has quotes around the address, and an id may have an ending such as `.html`.
        let is_within = |c: char| c.is_alphanumeric() || "-_.:~%+".contains(c);
        return path.split(|c| !is_within(c)).try_for_each(|id| {
            visit(id, Place::Address)?;
            let stem = id.split_once('.');
            stem.map_or(Some(()), |(stem, _)| visit(stem, Place::Address))
        });
    }
    let ids: Vec<&str> = match separator(&text) {
        Some(separator) => text.split(separator).collect(),
        None => ids_between_signs(&text),
    };
    let years = ids.iter().filter(|id| is_year(id)).count();
    ids.iter().try_for_each(|id| {
        // Numbers such as 2026 are years beside others alone.
        let may_be_year = years < ids.len() && is_year(id);
        visit(
            id,
            if may_be_year {
                Place::Year
            } else {
                Place::List
            },
        )
    })
}

fn is_year(id: &str) -> bool {
    let id = id.trim();
    let is_century = id.starts_with("19") || id.starts_with("20");
    is_century && id.len() == 4 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ids of a cell between signs that also stand within an id: all are alike, and none is a year or a part.
#[cfg_attr(small_cold, optimize(size))]
fn ids_between_signs(text: &str) -> Vec<&str> {
    let is_sign = |c: char| c.is_whitespace() || matches!(c, '/' | '+' | '&' | '#');
    let mut ids: Vec<&str> = text.split(is_sign).collect();
    ids.retain(|id| id.chars().any(char::is_numeric));
    let mut form = Vec::new();
    let lengths = ids.iter().map(|id| {
        plain_form(id.as_bytes(), &mut form);
        form.len()
    });
    let (shortest, longest) = lengths.fold((usize::MAX, 0), |(shortest, longest), length| {
        (shortest.min(length), longest.max(length))
    });
    let years = ids.iter().filter(|id| is_year(id)).count();
    let is_list = ids.len() > 1
        && shortest >= SHORTEST
        && longest - shortest <= MOST_LONGER
        && (years == 0 || years == ids.len())
        && without_groups(text) == text;
    if is_list { ids } else { Vec::new() }
}

/// What only the longer text has, where it is one.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn longer(text: &[u8]) -> Option<&'static str> {
    let mut found = None;
    let _ = each_within(text, &mut |_, place| {
        found = Some(match place {
            Place::Address => "address",
            Place::List | Place::Year => "other_ids",
        });
        None
    });
    found
}

/// What follows the host of an address.
fn path_in(text: &str) -> Option<&str> {
    let (host, path) = match text.split_once("://") {
        Some((_, rest)) => return Some(rest.split_once('/')?.1),
        None => text.split_once('/')?,
    };
    let is_host = host.contains('.')
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'-'));
    is_host.then_some(path)
}

/// The separator of a cell that has several ids.
fn separator(text: &str) -> Option<&'static str> {
    let mut separators = SEPARATORS.into_iter();
    let found = separators.find(|separator| text.contains(separator))?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let ids = text.split(found).filter(|id| id.bytes().any(is_letter));
    let is_list = ids.count() > 1 && (found != "," || without_groups(text) == text);
    is_list.then_some(found)
}
