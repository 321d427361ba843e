//! Signs that HTML has written or read: entities, and letters that became one sign.

use super::Step;
use super::lists::{ENTITIES, SIGNS};
use crate::finding::Finding;
use crate::url;

/// Decodes `&amp;`, `&#38;`, `&#x26;`, `%26amp%3B`, once or several times over.
pub(super) fn decode_entities(text: &str) -> Step {
    let mut mended = String::with_capacity(text.len());
    let mut parameter = None;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((decoded, length)) = entity(rest) {
            // `&amp;amp;` is one & too.
            let mut tail = rest.get(length..).unwrap_or_default();
            while decoded == '&'
                && let Some(more) = strip_again(tail)
            {
                tail = more;
            }
            parameter.get_or_insert_with(|| {
                let name = tail.split(['=', '&']).next().unwrap_or_default();
                let is_name = !name.is_empty()
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if is_name {
                    name
                } else {
                    rest.get(..length).unwrap_or_default()
                }
            });
            mended.push(decoded);
            rest = tail;
        } else {
            mended.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    let finding = html_entity(parameter?);
    Some((mended, finding))
}

pub(crate) fn html_entity(parameter: &str) -> Finding {
    Finding::new(
        "html_entity",
        parameter,
        "A sign is written as in HTML, such as &amp; for &: outside of HTML the parameter behind it gets another name. Write the plain sign.",
    )
}

fn strip_again(tail: &str) -> Option<&str> {
    tail.strip_prefix("amp;")
        .or_else(|| tail.strip_prefix("amp%3B"))
}

/// The character of an entity at the start of `text`, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let rest = text
        .strip_prefix('&')
        .or_else(|| text.strip_prefix("%26"))?;
    let (name, tail) = [";", "%3B", "%3b"]
        .iter()
        .filter_map(|end| rest.split_once(end))
        .min_by_key(|(name, _)| name.len())?;
    let number = name.strip_prefix('#').or_else(|| name.strip_prefix("%23"));
    let decoded = if let Some(number) = number {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        code.ok()
            .and_then(char::from_u32)
            .filter(|_| number.len() <= 7)?
    } else {
        let is_named =
            |known: &str| known == name || known == "amp" && known.eq_ignore_ascii_case(name);
        ENTITIES.iter().find(|(known, _)| is_named(known))?.1
    };
    Some((decoded, text.len() - tail.len()))
}

/// Restores `&currency=USD` from `¤cy=USD`; an address bar writes `%C2%A4cy=USD`.
pub(super) fn separate_signs(text: &str) -> Step {
    let mut spoiled = None;
    let (before, query) = text.split_once('?')?;
    let mut mended = [before, "?"].concat();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        if let Some((letters, tail)) = SIGNS.iter().find_map(|sign| sign_at(rest, sign)) {
            let name = tail.split('=').next().unwrap_or_default();
            mended.push('&');
            mended.push_str(letters);
            spoiled.get_or_insert([letters, name].concat());
            rest = tail;
        } else {
            mended.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    let name = spoiled?;
    Some((
        mended,
        Finding::new(
            "html_entity",
            &name,
            "An HTML parser has made one sign of & and the start of this parameter's name. In HTML write &amp; for &.",
        ),
    ))
}

/// The letters of a sign at the start of `text`, and the text after it: the rest of a parameter's
/// name and `=`.
fn sign_at<'a>(
    text: &'a str,
    (sign, letters): &(char, &'static str),
) -> Option<(&'static str, &'a str)> {
    let tail = text.strip_prefix(*sign).or_else(|| {
        let mut code = String::new();
        url::push_encoded(&mut code, sign.encode_utf8(&mut [0; 4]));
        let (start, tail) = text.split_at_checked(code.len())?;
        let is_named = tail.starts_with(|c: char| c.is_ascii_alphanumeric());
        (is_named && start.eq_ignore_ascii_case(&code)).then_some(tail)
    })?;
    let (name, _) = tail.split_once('=')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_name).then_some((*letters, tail))
}
