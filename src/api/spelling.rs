//! The spellings of one text in CAKE's answers. A page, a database's column or a spreadsheet on the
//! way may have written it otherwise.
//!
//! | the spelling | it is |
//! | --- | --- |
//! | escaped: `&amp;`, `&#39;`, `%20`, `\u00d6`, `\'`; also twice | the same text |
//! | in other letters' case, with other quotation marks, dashes or spaces; `+` for a space | maybe the same |
//! | an accent as a sign of its own, a letter that was lost: `?` | maybe the same |
//! | a number without its zeros, or rounded | maybe the same |
//! | the beginning alone, cut where a column ends | maybe the same |
//!
//! What is the same settles a doubt. What may be the same settles nothing, and nothing is sent again.

use crate::spoiled::{is_dash, is_invisible, unescaped};

/// The fewest characters of a beginning: columns of ids are not shorter. One order's number often begins with
/// another's.
const MIN_CUT: usize = 10;

/// The digits that a number keeps in a spreadsheet, but for the last, which is rounded.
const KEPT_DIGITS: usize = 14;

/// A letter that nobody can read any more.
const LOST: char = '\u{fffd}';

/// Is it the same text, however it was escaped? Surrounding white space does not count.
pub(crate) fn is_same(told: &str, ours: &str) -> bool {
    let (told, ours) = (told.trim(), ours.trim());
    told == ours || unescaped(told).trim() == unescaped(ours).trim()
}

/// May it be the same text?
pub(crate) fn may_be_same(told: &str, ours: &str) -> bool {
    let (told, ours) = (folded(told), folded(ours));
    compare(&told, &ours) == Likeness::Whole || is_same_number(&told, &ours)
}

/// May it be our text that was cut at its end? It is none where a column holds a longer text.
pub(crate) fn may_be_cut(told: &str, ours: &str) -> bool {
    let told = told.trim();
    told.chars().count() >= MIN_CUT && is_start(told, ours)
}

/// Is it how our text begins, and not the whole?
pub(crate) fn is_start(told: &str, ours: &str) -> bool {
    // An escape may have been cut, too.
    let last = told
        .rfind(['&', '%', '\\'])
        .filter(|at| told.len() - at <= 8);
    let whole = last.and_then(|at| told.get(..at)).unwrap_or(told);
    let ours = folded(ours);
    [told, whole]
        .into_iter()
        .map(folded)
        .any(|told| !told.is_empty() && compare(&told, &ours) == Likeness::Start)
}

/// May a text hold ours?
pub(crate) fn may_hold(told: &str, ours: &str) -> bool {
    let (told, ours): (String, String) = (
        folded(told).into_iter().collect(),
        folded(ours).into_iter().collect(),
    );
    told.contains(&ours)
}

/// A text without what is lost on some ways: the case of letters, quotation marks, spaces around, kinds of spaces
/// and dashes.
fn folded(text: &str) -> Vec<char> {
    let text = without_named_entities(&unescaped(text));
    let mut folded: Vec<char> = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            // Some ways take an address's fragment away.
            '#' if folded.is_empty() => {}
            '\'' | '"' | '`' | '\u{b4}' | '\\' | '\u{2018}'..='\u{201f}' => {}
            '+' => push_space(&mut folded),
            _ if letter.is_whitespace() => push_space(&mut folded),
            // A control character may be half of a letter that was read wrongly.
            _ if is_invisible(letter) && !letter.is_control() => {}
            _ if is_dash(letter) => folded.push('-'),
            _ if letter.is_ascii() => folded.push(letter.to_ascii_lowercase()),
            _ => folded.extend(letter.to_lowercase()),
        }
    }
    while folded.last() == Some(&' ') {
        folded.pop();
    }
    folded
}

/// Several spaces are one, and none stands first.
fn push_space(folded: &mut Vec<char>) {
    if folded.last().is_some_and(|last| *last != ' ') {
        folded.push(' ');
    }
}

/// Replaces `&ouml;` and its like by a lost letter: the names of letters are many.
fn without_named_entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let name = after.split_once(';').filter(|(name, _)| {
            (2..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if let Some((_, behind)) = name {
            plain.push(LOST);
            rest = behind;
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

/// How a text is like ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    Whole,
    /// Ours goes on.
    Start,
    None,
}

fn compare(told: &[char], ours: &[char]) -> Likeness {
    let (mut told, mut ours) = (told, ours);
    loop {
        let (first, rest) = match (told.split_first(), ours.split_first()) {
            (None, None) => return Likeness::Whole,
            (None, Some(_)) => return Likeness::Start,
            (Some(_), None) => return Likeness::None,
            (Some(told), Some(ours)) => (told, ours),
        };
        if first.0 == rest.0 {
            (told, ours) = (first.1, rest.1);
            continue;
        }
        let (lost, meant) = (run(told), run(ours));
        if may_be_lost(lost, meant) {
            told = told.get(lost.len()..).unwrap_or_default();
            ours = ours.get(meant.len()..).unwrap_or_default();
        } else if is_latin(*rest.0) && first.0.is_ascii_alphabetic() {
            // A letter without its accent.
            (told, ours) = (first.1, rest.1);
        } else {
            return Likeness::None;
        }
    }
}

/// The letters at a text's beginning that some ways lose.
fn run(text: &[char]) -> &[char] {
    let mut length = 0;
    while let Some(letter) = text.get(length) {
        let has_accent = text.get(length + 1).is_some_and(|next| is_accent(*next));
        if letter.is_ascii() && *letter != '?' && !has_accent {
            break;
        }
        length += 1;
    }
    text.get(..length).unwrap_or_default()
}

/// May these letters be what is left of ours?
fn may_be_lost(told: &[char], ours: &[char]) -> bool {
    let is_sign = |letter: &char| matches!(letter, '?' | &LOST) || is_accent(*letter);
    // UTF-8 that was read as Latin letters has a letter for each byte.
    let bytes: usize = ours.iter().map(|letter| letter.len_utf8()).sum();
    !ours.is_empty()
        && (told.iter().chain(ours).any(is_sign)
            || told.len() == bytes && told.iter().all(|letter| is_latin_or_mark(*letter)))
}

/// An accent, or part of a letter, that stands behind its letter.
fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{1100}'..='\u{11ff}' | '\u{3099}' | '\u{309a}')
}

fn is_latin(letter: char) -> bool {
    matches!(letter, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

fn is_latin_or_mark(letter: char) -> bool {
    matches!(letter, '\u{80}'..='\u{24f}' | '\u{2c6}'..='\u{2dc}' | '\u{2010}'..='\u{2122}' | '-')
}

/// Is it the number of our digits, without zeros, or rounded?
fn is_same_number(told: &[char], ours: &[char]) -> bool {
    let is_digits = ours.iter().all(char::is_ascii_digit);
    let (Some((told, told_places)), Some((ours, our_places))) = (number(told), number(ours)) else {
        return false;
    };
    let is_rounded = told.len() <= KEPT_DIGITS + 3
        && told.len() < ours.len()
        && told
            .get(..KEPT_DIGITS)
            .is_some_and(|kept| ours.starts_with(kept));
    is_digits && told_places == our_places && (told == ours || is_rounded)
}

/// The digits of a number from its first to its last that is no 0, and the place of its point behind the first.
fn number(text: &[char]) -> Option<(String, i64)> {
    let text: String = text.iter().collect();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.trim_start_matches([' ', '+']).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = digits.trim_start_matches('0');
    let zeros = i64::try_from(digits.len() - kept.len()).ok()?;
    let places = i64::try_from(whole.len()).ok()?.saturating_add(exponent) - zeros;
    Some((kept.trim_end_matches('0').to_owned(), places))
}

#[cfg(test)]
mod tests;
