//! Ids that stand in a longer text: in an address, or several in one cell.

use super::forms::without_groups;
use crate::spoiled::{narrow, unescaped};

/// What stands between the ids of a cell; the first of these that it has. A comma may also stand between thousands.
const SEPARATORS: [&str; 9] = [
    ";", "|", "\u{3001}", "\u{60c}", "\u{61b}", " / ", " & ", " + ", ",",
];

/// Visits the texts that may be ids, each with whether the text is an address.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn each_within(
    text: &[u8],
    visit: &mut dyn FnMut(&str, bool) -> Option<()>,
) -> Option<()> {
    let is_mark = |byte: &u8| matches!(byte, b';' | b'|' | b',' | b'/' | b'&' | b'+' | 0x80..);
    if !text.iter().any(is_mark) {
        return Some(());
    }
    let text = String::from_utf8_lossy(text);
    let text: String = unescaped(&text).chars().map(narrow).collect();
    if let Some(path) = path_in(&text) {
        let mut ids = path.split(['/', '?', '&', '=', '#']);
        return ids.try_for_each(|id| visit(id, true));
    }
    match separator(&text) {
        Some(separator) => text.split(separator).try_for_each(|id| visit(id, false)),
        None => Some(()),
    }
}

/// What only the longer text has, where it is one.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn longer(text: &[u8]) -> Option<&'static str> {
    let mut found = None;
    let _ = each_within(text, &mut |_, is_address| {
        found = Some(if is_address { "address" } else { "other_ids" });
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
