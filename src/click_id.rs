//! Click ids: found in a landing page's address and checked. The module `touch` stores them.
//!
//! A click id is CAKE's request session id: an opaque text, never parsed and
//! never a number, though older accounts show plain integers.
//!
//! Page and edge find it by the same code, which takes the decoded pairs of the query and allocates
//! no memory.

use crate::error::IdRule;
use crate::placeholder::{has_only_missing_words, is_missing_value, is_missing_word, is_plain_id};
use crate::tape::{self, Mark, NOWHERE, Tape};
use crate::url::{self, END_OF_FIELD, END_OF_NAME, END_OF_READING, is_control, push_pairs};
use crate::{Error, Result, sub_id};

/// The parameter names under which click ids arrive, in order of preference. `transaction_id`,
/// `tranid` and `r` are in use as well, but are not defaults. Payment providers and frameworks use
/// those names for something else on the page that converts. They count where a site names them.
pub(crate) const DEFAULT_PARAMETERS: [&str; 4] = ["reqid", "ckm_request_id", "click_id", "clickid"];

/// The most characters of a click id.
const MAX_CHARACTERS: usize = 128;

/// Is this 1 to 128 characters of `[A-Za-z0-9._:-]`? Macros that nobody
/// expanded (`#reqid#`, `{click_id}`) fall outside that alphabet.
#[must_use]
pub fn is_click_id(text: &str) -> bool {
    (1..=MAX_CHARACTERS).contains(&text.len()) && text.bytes().all(is_letter)
}

/// Is the text between these places a click id?
#[inline(never)]
pub(crate) fn is_id(tape: &impl Tape, start: usize, end: usize) -> bool {
    after_letters(tape, start, b'-'.into(), b'-'.into()) == end
        && end.wrapping_sub(start + 1) < MAX_CHARACTERS
}

/// The place of the first byte from `at` on that is no letter of a click id, and none of these marks.
#[inline(never)]
pub(crate) fn after_letters(tape: &impl Tape, mut at: usize, mark: Mark, other: Mark) -> usize {
    loop {
        let byte = tape.byte(at);
        if !is_letter(byte) && Mark::from(byte) != mark && Mark::from(byte) != other {
            return at;
        }
        at += 1;
    }
}

pub(crate) fn is_letter(byte: u8) -> bool {
    // In the order of their codes, `-` comes before `.`, and `:` after `9`. As wide as a register, see `Mark`.
    let code = Mark::from(byte);
    tape::is_letter(code) || matches!(code, 0x2d | 0x2e | 0x5f) || code.wrapping_sub(0x30) < 11
}

/// Checks a click id from the caller.
///
/// # Errors
/// [`Error::InvalidClickId`]; [`Error::PlaceholderText`] for a text that stands
/// for a missing value, such as `undefined`, see [`crate::placeholder`].
pub(crate) fn check(text: &str) -> Result<()> {
    if !is_click_id(text) {
        let rule = match text.len() {
            0 => IdRule::Empty,
            1..=MAX_CHARACTERS => IdRule::Alphabet,
            _ => IdRule::Length,
        };
        Err(Error::InvalidClickId { rule })
    } else if !is_plain_id(text.as_bytes())
        && (is_missing_word(text.as_bytes())
            || has_only_missing_words(text.as_bytes())
            || is_missing_value(text))
    {
        let parameter = "clickId";
        Err(Error::PlaceholderText { parameter })
    } else {
        Ok(())
    }
}

/// The parameter names in a landing page's URL, by the advertiser's offer link. Names are compared
/// case-insensitively, as ASP.NET does.
#[derive(Clone, Copy, Debug)]
pub struct LandingParameters<'a> {
    /// The names of the click id's parameter, the preferred one first.
    pub click_id: &'a [&'a str],
    /// The names of the affiliate id's parameter.
    pub affiliate_id: &'a [&'a str],
    /// The names of the offer id's parameter.
    pub offer_id: &'a [&'a str],
    /// Look into the fragment too, after the query.
    pub fragment: bool,
    /// The ids of the order that is reported here: none of them is a click id, see [`is_own_id`].
    pub own_ids: &'a [&'a str],
}

impl Default for LandingParameters<'_> {
    fn default() -> Self {
        Self {
            click_id: &DEFAULT_PARAMETERS,
            affiliate_id: &["affid", "affiliate_id"],
            offer_id: &["oid", "offer_id"],
            fragment: false,
            own_ids: &[],
        }
    }
}

impl LandingParameters<'_> {
    /// Writes the names of the click id's parameter and the pairs of an address, as [`LandingClick::find`] takes them.
    /// Returns the place of the pairs.
    pub(crate) fn push_address(&self, out: &mut Vec<u8>, address: &str) -> usize {
        for (index, name) in self.click_id.iter().enumerate() {
            if index > 0 {
                out.push(END_OF_NAME);
            }
            out.extend(name.bytes().filter(|byte| *byte > END_OF_FIELD));
        }
        out.push(END_OF_FIELD);
        let pairs = out.len();
        push_pairs(out, address, |name, value| {
            let is_named = |own: &&str| own.eq_ignore_ascii_case(name);
            if !self.click_id.iter().any(is_named) {
                return value;
            }
            let id = without_marks(value);
            if is_own_id(id, self.own_ids) { "" } else { id }
        });
        out.push(END_OF_FIELD);
        pairs
    }
}

/// The value without the marks that got around it on its way: `"ID"`, `{ID}`, `ID/`. That is done for an id with three
/// digits or more: a name in marks is a placeholder.
///
/// Right before an id, the mark of an escape stays, so that the value is no click id. The rest of the escape looks like
/// the id's own letters, or the escape has eaten some of them: `%20ID`, `\x22ID`, `%bID` for `%` and `bbID`. Only `%ID%`
/// as the whole is a kind of quotes.
fn without_marks(value: &str) -> &str {
    if value.bytes().filter(u8::is_ascii_digit).count() < 3 {
        return value;
    }
    let is_mark = |mark: char| !mark.is_ascii_alphanumeric() && !matches!(mark, '_' | '-');
    let id = value.trim_start_matches(is_mark);
    let marks = value.strip_suffix(id).unwrap_or_default();
    let inner = value.strip_prefix('%').filter(|rest| {
        rest.find('%')
            .is_some_and(|at| at > 0 && at + 1 == rest.len())
    });
    let rest = match marks.trim_end_matches(is_escape).len() {
        0 => inner.unwrap_or(value),
        start => value.get(start..).unwrap_or_default(),
    };
    rest.trim_end_matches(is_mark)
}

/// Does this mark begin an escape, or stand for one that was none? A percent sign before letters of an id mostly becomes
/// bytes with them that are no UTF-8.
fn is_escape(mark: char) -> bool {
    matches!(mark, '%' | '\\' | '\u{fffd}')
}

/// The most characters of an id that is compared by its plain form. No click is lost for a long id, such as a UUID, that
/// has the click id only as its part.
pub(crate) const MAX_PLAIN: usize = 30;

/// Is the click id in truth one of these ids of an order? A site's address may carry them under a click id's name. Shops
/// write `#1077`, `001077`, `shop:1077` and `Ord-79` for the same order, so the plain forms are compared.
///
/// A page has a second form of it, which takes fewer bytes (js/page/conversion.ts). Both are held by
/// `tests/vectors/own_ids.json`.
#[must_use]
pub fn is_own_id(click_id: &str, own_ids: &[&str]) -> bool {
    !click_id.is_empty()
        && own_ids
            .iter()
            .any(|own| !own.is_empty() && plain(own) == plain(click_id))
}

fn plain(id: &str) -> String {
    if id.encode_utf16().count() > MAX_PLAIN {
        return id.to_owned();
    }
    let small = id.to_ascii_lowercase();
    let (prefix, rest) = url::cut(&small, b':');
    let is_prefix = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
    let rest = rest.filter(|_| is_prefix).unwrap_or(&small);
    rest.trim_start_matches(|mark: char| !mark.is_ascii_alphanumeric())
        .trim_start_matches('0')
        .replace(url::is_white, "")
}

/// The click that a landing page's URL carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundClick<'a> {
    /// CAKE's click id.
    pub click_id: String,
    /// The parameter that carried it, as configured.
    pub parameter: &'a str,
    /// Did that parameter occur more than once? The first value that is a click id counts.
    pub(crate) is_repeated: bool,
    /// `s1` … `s5`, without those that are too long or an unexpanded macro.
    pub sub_ids: [Option<String>; 5],
    /// The affiliate who sent the click, as text.
    pub(crate) affiliate_id: Option<String>,
    /// The offer, as text.
    pub(crate) offer_id: Option<String>,
}

/// Finds the click id in a landing page's URL (or its bare `?query`). It is the first value that is
/// a click id, under the first configured parameter that has one. Words for a missing value do not
/// count, see [`crate::placeholder`]. If there is no click id, the address is read once more, in
/// the forms into which networks mangle it. These have `?`, `;` or an encoded separator for `&`, or
/// no query of their own (`/landing&reqid=1`).
///
/// ```
/// use cake_edge::click_id::{LandingParameters, find_click};
///
/// let parameters = LandingParameters::default();
/// let found = find_click("https://shop.example/?p=1?ReqId=a1b2-c3&s1=spring", &parameters).unwrap();
/// assert_eq!(found.click_id, "a1b2-c3");
/// assert_eq!(found.sub_ids[0].as_deref(), Some("spring"));
/// assert_eq!(find_click("https://shop.example/?reqid=%23reqid%23", &parameters), None);
/// assert_eq!(find_click("https://shop.example/?reqid=undefined", &parameters), None);
/// ```
#[must_use]
pub fn find_click<'a>(url: &str, parameters: &LandingParameters<'a>) -> Option<FoundClick<'a>> {
    let (address, fragment) = url::cut(url, b'#');
    let mut address = address.to_owned();
    if let Some(fragment) = fragment.filter(|_| parameters.fragment) {
        // A router's fragment may look like a URL of its own: #/path?reqid=1
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(url::cut(fragment, b'?').1.unwrap_or(fragment));
    }
    let mut tape = Vec::new();
    let pairs = parameters.push_address(&mut tape, &address);
    let found = Some(LandingClick::find(&tape, 0, pairs)).filter(|found| found.id != NOWHERE)?;
    let sub_ids = push_sub_id_names(&mut tape);
    let text_of = |at: usize| {
        let text = tape.get(at..tape.end(at)).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    };
    let values = |name: &str| -> Vec<String> {
        let pairs = each_pair(&tape, found.reading);
        let named = pairs.filter(|(own, _)| text_of(*own).eq_ignore_ascii_case(name));
        named.map(|(_, value)| text_of(value)).collect()
    };
    let id_of = |names: &[&str]| {
        let is_id = |id: &String| {
            (1..=16).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && !is_missing_word(id.as_bytes())
        };
        names.iter().flat_map(|name| values(name)).find(is_id)
    };
    let parameter = text_of(found.parameter);
    Some(FoundClick {
        click_id: text_of(found.id),
        parameter: parameters
            .click_id
            .iter()
            .find(|name| **name == parameter)?,
        is_repeated: values(&parameter).len() > 1,
        sub_ids: core::array::from_fn(|index| {
            Some(text_of(found.sub_id(&tape, sub_ids, index))).filter(|value| !value.is_empty())
        }),
        affiliate_id: id_of(parameters.affiliate_id),
        offer_id: id_of(parameters.offer_id),
    })
}

/// A click that the landing page's address carries, by places.
pub(crate) struct LandingClick {
    /// [`NOWHERE`] if there is none.
    pub(crate) id: usize,
    /// The name that carried it, as configured.
    pub(crate) parameter: usize,
    /// The pairs of the reading that has the click id.
    reading: usize,
}

impl LandingClick {
    /// The first value that is a click id, under the first name that has one, in the first reading that has one.
    /// [`END_OF_NAME`] separates the names, and [`END_OF_FIELD`] ends them.
    pub(crate) fn find(tape: &impl Tape, names: usize, mut reading: usize) -> Self {
        loop {
            let mut parameter = names;
            loop {
                let id = value_of(tape, reading, parameter, CLICK_ID);
                let end = tape.end(parameter);
                let is_last = tape.byte(end) != END_OF_NAME;
                let next = tape.after_end(reading, END_OF_READING.into());
                if id != NOWHERE || is_last && tape.byte(next - 1) != END_OF_READING {
                    return Self {
                        id,
                        parameter,
                        reading,
                    };
                }
                if is_last {
                    reading = next;
                    break;
                }
                parameter = end + 1;
            }
        }
    }

    /// `s1` … `s5` by index, from 0 on; [`NOWHERE`] if absent or invalid. `names` are those of
    /// [`push_sub_id_names`].
    pub(crate) fn sub_id(&self, tape: &impl Tape, names: usize, index: usize) -> usize {
        value_of(tape, self.reading, names + 3 * index, sub_id::limit(index))
    }
}

/// Writes the names of the sub ids, and returns the first one's place.
pub(crate) fn push_sub_id_names(tape: &mut impl Tape) -> usize {
    let names = tape.length();
    for digit in 0x31..0x36 {
        tape.push_byte(b's');
        tape.push_mark(digit);
        tape.push_byte(END_OF_NAME);
    }
    names
}

/// The pairs of a reading: the places of name and value.
fn each_pair(tape: &impl Tape, mut at: usize) -> impl Iterator<Item = (usize, usize)> {
    core::iter::from_fn(move || {
        let name = at;
        if is_end_of_reading(tape.byte(name)) {
            return None;
        }
        let value = tape.end(name) + 1;
        at = tape.end(value) + 1;
        Some((name, value))
    })
}

/// Does no pair start with this byte?
fn is_end_of_reading(byte: u8) -> bool {
    byte <= END_OF_FIELD && byte != END_OF_NAME
}

/// In place of a sub id's limit: the value must be a click id.
const CLICK_ID: usize = 0;

/// The first value under this name that fits; [`NOWHERE`] if there is none.
#[inline(never)]
fn value_of(tape: &impl Tape, reading: usize, name: usize, limit: usize) -> usize {
    let mut at = reading;
    while !is_end_of_reading(tape.byte(at)) {
        let end = tape.end(at);
        let (value, value_end) = (end + 1, tape.end(end + 1));
        if tape.is_same(at, end, name, tape.end(name), 32) && fits(tape, value, value_end, limit) {
            return value;
        }
        at = value_end + 1;
    }
    NOWHERE
}

/// Is the value a click id, or a sub id of at most `limit` characters? CAKE takes no sub id that is empty, an unexpanded
/// macro or too long, or has control characters.
fn fits(tape: &impl Tape, value: usize, end: usize, limit: usize) -> bool {
    if limit == CLICK_ID {
        return is_id(tape, value, end) && !tape.is_missing(value, end);
    }
    let (mut characters, mut before) = (0, 0);
    for at in value..end {
        let byte = tape.byte(at);
        if byte == b'#' || is_control(before, byte) {
            return false;
        }
        before = byte;
        characters += sub_id::characters_of(byte);
    }
    (1..=limit).contains(&characters)
}

#[cfg(test)]
mod tests;
