//! Texts without the escapes of HTML, URLs and scripts.

use crate::url::unescape;
use std::borrow::Cow;

/// How often a text may have been escaped.
const ESCAPED: usize = 3;

/// The text without escapes.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..ESCAPED {
        if !text.contains(['&', '%', '\\']) {
            break;
        }
        let plain = without_percent(&without_backslashes(&without_entities(&text)));
        if plain == text {
            break;
        }
        text = Cow::Owned(plain);
    }
    text
}

/// Replaces `%20`, where all of these are UTF-8 together. A `+` stays.
fn without_percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = if first == b'%' {
            unescape(behind)
        } else {
            None
        };
        let (byte, after) = escaped.unwrap_or((first, behind));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Replaces `\u00d6`, and takes the backslash from `\'`, `\"` and `\/`.
fn without_backslashes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = after.strip_prefix('u').and_then(|code| code.get(..4));
        let letter = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(letter) = letter.and_then(char::from_u32) {
            plain.push(letter);
            rest = after.get(5..).unwrap_or_default();
        } else {
            if !after.starts_with(['\'', '"', '/', '\\']) {
                plain.push('\\');
            }
            let next = after.chars().next();
            plain.extend(next);
            rest = after
                .get(next.map_or(0, char::len_utf8)..)
                .unwrap_or_default();
        }
    }
    plain.push_str(rest);
    plain
}

/// Replaces the entities of XML, `&nbsp;` and those with a number.
pub(crate) fn without_entities(text: &str) -> String {
    without_numeric_entities(text)
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

/// Replaces `&#233;` and `&#xE9;` with their characters; `&` itself stays for later.
fn without_numeric_entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("&#") {
        plain.push_str(before);
        let read = after.split_once(';').and_then(|(digits, behind)| {
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            Some((char::from_u32(code)?, behind))
        });
        match read {
            Some(('&', behind)) => {
                plain.push_str("&amp;");
                rest = behind;
            }
            Some((character, behind)) => {
                plain.push(character);
                rest = behind;
            }
            None => {
                plain.push_str("&#");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}
