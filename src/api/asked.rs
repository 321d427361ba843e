//! The conversion that a call asks about, which its answer has to name, and the ids that name nothing.

use super::spelling;

/// The conversion that an answer has to be about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// The click id that was sent.
    pub(crate) click_id: &'a str,
    /// The offer that was sent.
    pub(crate) offer_id: u64,
    /// The unique id that was sent, where one was.
    pub(crate) unique_id: Option<&'a str>,
}

/// Is CAKE's unique id the same as ours? Surrounding white space and escapes do not count; the case of
/// letters does.
pub(crate) fn is_same_unique_id(told: &str, ours: &str) -> bool {
    spelling::is_same(told, ours)
}

/// Is CAKE's click id the same as ours? A click id is often a GUID, whose letters have no case.
/// Surrounding white space does not count.
pub(crate) fn is_same_click_id(told: &str, ours: &str) -> bool {
    told.trim().eq_ignore_ascii_case(ours.trim())
}

/// The one spelling of a click id in keys. A request has the caller's own spelling.
#[cfg(any(test, feature = "forwarder"))]
pub(crate) fn click_key(click_id: &str) -> String {
    click_id.trim().to_ascii_lowercase()
}

/// Words of answers for "none". Other placeholders, such as `TRANSACTION_ID`, are ids that
/// somebody has sent: no row of ours has them.
const NONE: [&str; 10] = [
    "null",
    "none",
    "nil",
    "nan",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "not set",
    "false",
];

/// The text of an id in an answer; absent where it stands for none, as marks, zeros and some words do.
pub(crate) fn named(id: &str) -> Option<&str> {
    let id = id.trim();
    let is_mark = |letter: char| !letter.is_alphanumeric();
    let is_empty = id.chars().all(|letter| is_mark(letter) || letter == '0');
    let word = id.trim_matches(is_mark);
    let is_none = NONE.iter().any(|none| word.eq_ignore_ascii_case(none));
    (!is_empty && !is_none).then_some(id)
}
