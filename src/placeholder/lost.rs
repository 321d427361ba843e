//! Lost values and template leftovers among the ids of orders: behind a shop's prefix, and as
//! languages write an object's address.
//!
//! Only servers and the edge have these rules. A page leaves such ids to them: CAKE makes the click
//! ids that a page reads, and no CAKE writes `ORD-` before one.

use super::{
    BESIDE, MAX_BYTES, MISSING, ORDERS, RARE, has_no_other_word, has_only_words, is_variable,
};

/// The last words of an id that has lost its value: `ORD-None`. Behind a prefix, `na`, `no` and `id`
/// may be Namibia, Norway and Idaho.
const LAST: &[u8] =
    b"undefined null nan nil none nul undef nat n/a unset unknown missing tbd todo fixme xxx placeholder";

/// Is a part of the text a lost value or a template's leftover: `ORD-None`, `ORDnull`,
/// `ORD-YOUR_ID`, `ORD-$id`, `ORD-%s`, `&nbsp;`, `com.shop.Order@1b2c3d`?
///
/// With a number beside a word, the text may still tell two orders apart: `ORD-98765-null`.
#[inline(never)]
pub(super) fn has_leftover(text: &str) -> bool {
    if text.len() > MAX_BYTES {
        return false;
    }
    if is_address_of_object(text) || has_printf(text.as_bytes()) || is_entity(text) {
        return true;
    }
    if text.contains(|c: char| c.is_numeric()) {
        return false;
    }
    let small = text.to_ascii_lowercase();
    small.contains("undefined") || small.ends_with("null") || ends(text).any(is_end_of_lost)
}

/// What follows each mark in the text, with the mark.
fn ends(text: &str) -> impl Iterator<Item = (char, &str)> {
    let is_mark = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
    let marks = text.char_indices().filter(move |(_, c)| is_mark(*c));
    marks.filter_map(|(at, mark)| Some((mark, text.get(at + mark.len_utf8()..)?)))
}

#[inline(never)]
fn is_end_of_lost((mark, end): (char, &str)) -> bool {
    if !end.contains(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let bytes = end.as_bytes();
    let is_word = |list: &[u8]| {
        list.split(|byte| *byte == b' ')
            .any(|word| word.eq_ignore_ascii_case(bytes))
    };
    // `el-cid` and `brand-name` may be meant; `YOUR_ID` and `orderId` are two words.
    let is_asked_for = || {
        has_only_words(bytes, &[MISSING, RARE], &[BESIDE, ORDERS])
            && (mark == '$' || !is_word(MISSING) && !is_word(RARE))
    };
    has_no_other_word(bytes, LAST, b"") || is_asked_for() || is_variable(bytes) || is_entity(end)
}

/// `&nbsp;`, `&#160;`: a character of HTML, and nothing else.
#[inline(never)]
fn is_entity(text: &str) -> bool {
    text.strip_prefix('&')
        .and_then(|rest| rest.strip_suffix(';'))
        .is_some_and(|name| {
            let digits = name.strip_prefix('#').unwrap_or(name);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// `com.shop.Order@1b2c3d`, `[Lcom.shop.Order;@1b2c3d`: another one for the same order each time.
#[inline(never)]
fn is_address_of_object(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(class, address)| {
        let is_class = class.matches('.').count() > 1 || class.starts_with('[');
        let is_address = (1..=8).contains(&address.len())
            && address.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_class && is_address && !class.contains(' ')
    })
}

/// `%s`, `ORD-%d`, `%05d`, `%1$s`: what a program's format had no value for. `50%` and `%20` are none.
#[inline(never)]
fn has_printf(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, byte)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let is_share = at > 0 && text.get(at - 1).is_some_and(u8::is_ascii_digit);
        // No id has an encoded control character: `%05d` is a width.
        let is_escape = matches!(rest, [first, second, ..] if first.is_ascii_hexdigit()
            && second.is_ascii_hexdigit() && !matches!(first, b'0' | b'1'));
        let is_width = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'$' | b'.');
        let end = rest.iter().position(|byte| !is_width(byte));
        let kind = end.and_then(|end| rest.get(end..)).unwrap_or_default();
        *byte == b'%'
            && !is_share
            && !is_escape
            && matches!(
                kind.first(),
                Some(b's' | b'd' | b'i' | b'u' | b'@' | b'S' | b'D' | b'I' | b'U')
            )
            && !kind.get(1).is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// The bytes of a padded base64 text, as Magento's and GraphQL's ids are: `MQ==` is `1`. The last
/// letter has no bits too many, so that `ord=` is none.
#[inline(never)]
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let body = text.strip_suffix('=')?;
    let body = body.strip_suffix('=').unwrap_or(body);
    if !text.len().is_multiple_of(4) || text.len() > MAX_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u16, 0);
    for letter in body.bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u16::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend((bits >> count).to_le_bytes().first());
            bits &= (1 << count) - 1;
        }
    }
    (bits == 0 && !bytes.is_empty()).then_some(bytes)
}

/// The text that a base64 text holds, where it is a plain one.
#[inline(never)]
pub(super) fn text_in_base64(text: &str) -> Option<String> {
    let text = String::from_utf8(base64(text)?).ok()?;
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    is_plain.then_some(text)
}
