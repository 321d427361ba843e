//! A value in each spelling of its signs.

use super::{decode_entities, decode_json};
use crate::url;
use std::borrow::Cow;

/// A percent-encoded value in each of its readings, from the written one to the intended one: at
/// most four. The readings end when decoding changes nothing.
pub(crate) fn readings(value: &str) -> Vec<Cow<'_, str>> {
    let mut readings = vec![Cow::Borrowed(value)];
    for _ in 0..3 {
        let last = readings.last().map(AsRef::as_ref).unwrap_or_default();
        let decoded = url::decode(last).into_owned();
        if decoded == last {
            break;
        }
        readings.push(Cow::Owned(decoded));
    }
    readings
}

/// The last reading of a value without the other ways of writing a sign: `&#123;`, `\u007b`,
/// `%u007B`, `=7B`, full-width signs. `None` where it has none of them. Only a search for macros and
/// placeholders may read it: in a value, `=7B` may also be meant.
pub(crate) fn plain(readings: &[Cow<'_, str>]) -> Option<String> {
    let last = readings.last()?.as_ref();
    let mut text = Cow::Borrowed(last);
    for step in [decode_entities, decode_json] {
        if let Some((mended, _)) = step(&text) {
            text = Cow::Owned(mended);
        }
    }
    let any = |byte: &u8| byte.is_ascii_punctuation();
    let mut mended = decode_signs(&text, "%u", 4, any);
    mended = decode_signs(&mended, "%U", 4, any);
    // `payout=40` is a name and its value, and no `payout@`.
    mended = decode_signs(&mended, "=", 2, |byte| b"{}[]<>#%$".contains(byte));
    // Text in another script has its own full-width signs.
    let straight: String = mended.chars().map(narrow).collect();
    if straight.is_ascii() {
        mended = straight;
    }
    (mended != last).then_some(mended)
}

/// Decodes each `mark` with the hexadecimal code of one of these signs in ASCII.
fn decode_signs(text: &str, mark: &str, digits: usize, is_sign: fn(&u8) -> bool) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let sign = rest
            .strip_prefix(mark)
            .and_then(|after| after.get(..digits))
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .filter(is_sign);
        let length = sign.map_or(first.len_utf8(), |_| mark.len() + digits);
        decoded.push(sign.map_or(first, char::from));
        rest = rest.get(length..).unwrap_or_default();
    }
    decoded
}

/// The plain form of a full-width character.
pub(crate) fn narrow(c: char) -> char {
    let plain = u32::from(c).checked_sub(0xfee0).and_then(char::from_u32);
    match c {
        '\u{ff01}'..='\u{ff5e}' => plain.unwrap_or(c),
        '\u{fe5b}' => '{',
        '\u{fe5c}' => '}',
        '\u{fe5f}' => '#',
        '\u{fe69}' => '$',
        '\u{fe6a}' => '%',
        '\u{fe6b}' => '@',
        _ => c,
    }
}
