//! Spoiled links: damage that editors, mailers, templates and people do to a URL on its way.
//! [`mend`] names each damage and undoes it where that is certain, so that the rest of a link can
//! be read.

mod entities;
mod escapes;
mod lists;
mod readings;

use crate::finding::Finding;
use crate::url;
pub(crate) use entities::html_entity;
use entities::{decode_entities, separate_signs};
pub(crate) use escapes::{unescaped, without_entities};
use lists::WRAPPERS;
pub(crate) use readings::{narrow, plain, readings};
use std::borrow::Cow;

/// Undoes certain damage, and adds a finding for each.
pub(crate) fn mend<'a>(link: &'a str, findings: &mut Vec<Finding>) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(link);
    for step in [
        decode_whole,
        take_link_out,
        join_lines,
        decode_entities,
        decode_json,
        decode_quoted_printable,
        separate_signs,
        straighten,
        drop_invisible,
        cut_tail,
    ] {
        if let Some((mended, finding)) = step(&text) {
            text = Cow::Owned(mended);
            findings.push(finding);
        }
    }
    find_wrapper(&text, findings);
    text
}

type Step = Option<(String, Finding)>;

/// Decodes a link whose own signs are percent-encoded: `https%3A%2F%2F…`,
/// `https://…/?a%3D1%26c%3D2`.
fn decode_whole(text: &str) -> Step {
    let text = text.trim();
    let is_whole = ["http%3a", "https%3a"].iter().any(|start| {
        text.get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    });
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let is_query = !query.contains('=') && find_ignoring_case(query, "%3d").is_some();
    (is_whole || is_query).then(|| {
        let finding = Finding::new(
            "double_encoded",
            "",
            "The link's own signs are percent-encoded, as for a value in another link. Decode it once.",
        );
        (url::decode(text).into_owned(), finding)
    })
}

/// Extracts the link from `<a href="https://…">`, `[Buy](https://…)`, `<https://…>`, `"https://…"`.
fn take_link_out(text: &str) -> Step {
    let text = text.trim();
    let start = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| find_ignoring_case(text, scheme))
        .min()
        .filter(|start| *start > 0)?;
    let (around, link) = text.split_at_checked(start)?;
    // A scheme after a host belongs to a parameter's value.
    if around.contains(['?', '/']) && !around.contains(['<', '[', '(', '"']) {
        return None;
    }
    let end = match around.chars().next_back() {
        Some('(') => ')',
        Some('[') => ']',
        Some('<') => '>',
        Some('\u{201c}' | '\u{201e}') => '\u{201d}',
        Some('\u{ab}') => '\u{bb}',
        Some(quote @ ('"' | '\'' | '`' | '*' | '|')) => quote,
        _ => ' ',
    };
    let link = link.split_once(end).map_or(link, |(link, _)| link);
    Some((
        link.to_owned(),
        Finding::new(
            "text_around_link",
            around.trim(),
            "Text or markup of a page, a mail or an editor stands around the link. Copy the link alone.",
        ),
    ))
}

/// Joins lines. Mails break long lines with `=` at the end; people break others when they copy the
/// link.
fn join_lines(text: &str) -> Step {
    if !text.contains(['\n', '\r', '\t']) {
        return None;
    }
    let is_soft = text.contains("=\n") || text.contains("=\r\n");
    let mut joined = text.replace("=\r\n", "").replace("=\n", "");
    joined.retain(|c| !matches!(c, '\n' | '\r' | '\t'));
    let finding = if is_soft {
        quoted_printable("")
    } else {
        Finding::new(
            "line_break",
            "",
            "The link is broken into lines. Write it on one line, without spaces at the breaks.",
        )
    };
    Some((joined, finding))
}

fn quoted_printable(parameter: &str) -> Finding {
    Finding::new(
        "quoted_printable",
        parameter,
        "The link was copied from a mail's source, where = is written =3D and lines end in =. Copy it from the mail as it is shown.",
    )
}

/// Decodes a link from JSON or a script: `\u0026`, `\x26`, `\/`.
fn decode_json(text: &str) -> Step {
    if !text.contains('\\') {
        return None;
    }
    let mut mended = String::with_capacity(text.len());
    let mut is_escaped = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escape = rest.strip_prefix('\\').and_then(|escape| {
            let (hex, length) = match escape.chars().next()? {
                'u' | 'U' => (escape.get(1..5)?, 6),
                'x' | 'X' => (escape.get(1..3)?, 4),
                c @ ('/' | '"' | '&' | '=' | '?' | '#' | '_' | '*' | '[' | ']' | '{' | '}') => {
                    return Some((c, 2));
                }
                _ => return None,
            };
            let code = u32::from_str_radix(hex, 16).ok()?;
            Some((char::from_u32(code)?, length))
        });
        let (c, length) = escape.unwrap_or((first, first.len_utf8()));
        is_escaped |= escape.is_some();
        mended.push(c);
        rest = rest.get(length..).unwrap_or_default();
    }
    is_escaped.then(|| {
        let finding = Finding::new(
            "escaped_text",
            "\\",
            "The link was copied out of JSON or a script, where & is written \\u0026 or / is written \\/. Write the plain sign.",
        );
        (mended, finding)
    })
}

/// Decodes `?a=3D1&c=3D2`. A `3D` at the start of one value may be a 3D printer's.
fn decode_quoted_printable(text: &str) -> Step {
    let (before, query) = text.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let is_coded = |value: &str| value.starts_with("3D");
    let is_number = |value: &str| {
        value
            .get(2..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let (first, value) = pairs.clone().next()?;
    let is_certain = is_coded(value)
        && (pairs.clone().count() > 1 && pairs.clone().all(|(_, value)| is_coded(value)))
        || pairs.any(|(name, value)| {
            matches!(name, "a" | "c" | "A" | "C") && is_coded(value) && is_number(value)
        })
        || query
            .split('=')
            .skip(1)
            .any(|value| value.starts_with("3D#") || value.starts_with("3D{"));
    if !is_certain {
        return None;
    }
    let mut mended = [before, "?"].concat();
    for (index, part) in query.split('=').enumerate() {
        let code = part
            .get(..2)
            .filter(|code| {
                index > 0
                    && code
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            })
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(code) = code {
            mended.push(char::from(code));
            mended.push_str(part.get(2..).unwrap_or_default());
        } else {
            if index > 0 {
                mended.push('=');
            }
            mended.push_str(part);
        }
    }
    Some((mended, quoted_printable(first)))
}

/// Replaces full-width signs and typographic quotes where a URL's own signs belong.
fn straighten(text: &str) -> Step {
    let mut spoiled = None;
    let mut before = '&';
    let mut mended = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    // Names are plain, and so are ids; other values may be in any script.
    let mut is_name = false;
    let mut name = String::new();
    while let Some(c) = rest.next() {
        match c {
            '?' | '&' if mended.contains("://") => {
                is_name = true;
                name.clear();
            }
            '=' => is_name = false,
            '#' => {
                is_name = false;
                name.clear();
            }
            _ => {}
        }
        let is_at_edge =
            matches!(before, '=' | '?' | '&') || matches!(rest.peek(), None | Some('&' | '#'));
        let is_id = !is_name && matches!(name.as_str(), "a" | "c" | "A" | "C");
        let straight = match c {
            '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}'
                if is_name || is_id =>
            {
                narrow(c)
            }
            '\u{ff03}' | '\u{fe5f}' => '#',
            '\u{ff05}' | '\u{fe6a}' => '%',
            '\u{ff06}' | '\u{fe60}' => '&',
            '\u{ff1d}' | '\u{fe66}' | '\u{2550}' => '=',
            '\u{ff1f}' | '\u{fe56}' if mended.contains("://") && !mended.contains('?') => '?',
            '\u{ff1a}' if mended.len() < 6 => ':',
            '\u{ff0f}' | '\u{2044}' | '\u{2215}' if !mended.contains('?') => '/',
            '\u{ff0e}' | '\u{3002}' if !mended.contains('?') => '.',
            '\u{ff5b}' => '{',
            '\u{ff5d}' => '}',
            '\u{ff3b}' => '[',
            '\u{ff3d}' => ']',
            '\u{ff04}' => '$',
            '\u{ff3f}' => '_',
            '\u{ff20}' => '@',
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201c}' | '\u{201d}' | '\u{201e}'
            | '\u{ab}' | '\u{bb}'
                if is_at_edge =>
            {
                '"'
            }
            _ => c,
        };
        before = c;
        // `＆` and `＝` are signs between names too.
        match straight {
            '&' | '?' => {
                is_name = mended.contains("://");
                name.clear();
            }
            '=' => is_name = false,
            _ if is_name => name.push(straight),
            _ => {}
        }
        if straight == c {
            mended.push(c);
        } else {
            spoiled.get_or_insert(c);
            if straight != '"' {
                mended.push(straight);
            }
        }
    }
    let mut buffer = [0; 4];
    let sign = spoiled?.encode_utf8(&mut buffer);
    Some((
        mended,
        Finding::new(
            "typographic_character",
            sign,
            "An editor has put a typographic sign in place of a plain one. Write the plain sign, or none where it is a quote around a value.",
        ),
    ))
}

/// Removes characters without width, and spaces other than the plain one.
fn drop_invisible(text: &str) -> Step {
    let invisible = find_invisible(text)?;
    let mended = text.chars().filter(|c| *c != invisible).collect();
    Some((mended, invisible_character("")))
}

pub(crate) fn invisible_character(parameter: &str) -> Finding {
    Finding::new(
        "invisible_character",
        parameter,
        "It holds a character that nobody sees, such as a no-break or zero-width space: it makes another value of it. Type it anew.",
    )
}

/// The first invisible character. Joiners between letters of other scripts and within emoji belong
/// to the spelling.
pub(crate) fn find_invisible(text: &str) -> Option<char> {
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_spelling = matches!(c, '\u{200c}'..='\u{200f}')
            && !before.is_ascii()
            && rest.peek().is_some_and(|after| !after.is_ascii());
        before = c;
        if is_invisible(c) && !is_spelling {
            return Some(c);
        }
    }
    None
}

/// Is it another dash than the hyphen of a keyboard, as editors and fonts put it there?
pub(crate) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}'
    )
}

/// Does nobody see the character, or take it for another one?
pub(crate) fn is_invisible(c: char) -> bool {
    match c {
        '\u{ad}'
        | '\u{a0}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{1680}'
        | '\u{180e}'
        | '\u{2000}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}'
        | '\u{3000}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{e0000}'..='\u{e007f}' => true,
        _ => c.is_control(),
    }
}

/// Removes the rest of a sentence or an editor's text at the end: `…&s1=spring.`, `…">`.
fn cut_tail(text: &str) -> Step {
    let text = text.trim_end();
    let is_shortened = text.ends_with('\u{2026}') || text.ends_with("...");
    if is_shortened {
        let mended = text.trim_end_matches(['\u{2026}', '.']).to_owned();
        let finding = Finding::new(
            "shortened_link",
            "",
            "The link ends in dots: whoever showed it has cut it. Copy the whole link.",
        );
        return Some((mended, finding));
    }
    // `…&s1=50%`, `…&s1=caf%C`: cut in the middle of an escape.
    let bytes = text.as_bytes();
    if let Some(from) = bytes.len().checked_sub(2)
        && let Some([before, last]) = bytes.get(from..)
        && (*last == b'%' && before.is_ascii_digit() || *before == b'%' && last.is_ascii_hexdigit())
    {
        let end = if *last == b'%' { from + 1 } else { from };
        let finding = Finding::new(
            "shortened_link",
            "",
            "The link ends in the middle of a percent-escape. Copy the whole link; a % of its own is written %25.",
        );
        return Some((text.get(..end)?.to_owned(), finding));
    }
    // `s1='spring'` is the value's own; the rest of a link's quotes has no beginning in it.
    let value = text
        .rsplit(['&', '?'])
        .next()
        .and_then(|pair| pair.split_once('='));
    let quote = value.and_then(|(_, value)| value.chars().next());
    let is_whole = quote.is_some_and(|quote| {
        matches!(quote, '"' | '\'' | '`')
            && text.ends_with(quote)
            && text.matches(quote).count() % 2 == 0
    });
    if is_whole {
        return None;
    }
    let tail = text.trim_end_matches(|c| {
        let opened = match c {
            ')' => '(',
            ']' => '[',
            '}' => '{',
            '>' => '<',
            '.' | ',' | ';' | ':' | '"' | '\'' | '`' | '\u{201d}' | '\u{2019}' | '\u{bb}'
            | '\u{3002}' => return true,
            _ => return false,
        };
        text.matches(opened).count() < text.matches(c).count()
    });
    let cut = text.get(tail.len()..).filter(|cut| !cut.is_empty())?;
    Some((
        tail.to_owned(),
        Finding::new(
            "trailing_punctuation",
            cut,
            "The link ends in a sign of the sentence or the markup around it, which becomes part of the last value. Leave it out.",
        ),
    ))
}

/// Finds Outlook's Safe Links and similar wrappers.
fn find_wrapper(text: &str, findings: &mut Vec<Finding>) {
    let Some((_, rest)) = text.split_once("://") else {
        return;
    };
    let host = rest
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_google =
        matches!(host.as_str(), "www.google.com" | "google.com") && rest.contains("/url?");
    let is_wrapper = WRAPPERS.iter().any(|end| {
        host.strip_suffix(end)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    });
    if is_wrapper || is_google {
        findings.push(wrapped_link(&host));
    }
}

pub(crate) fn wrapped_link(host: &str) -> Finding {
    Finding::new(
        "wrapped_link",
        host,
        "A mail filter or an app has wrapped the link in one of its own. Use the link inside, as it was sent.",
    )
}

fn find_ignoring_case(text: &str, part: &str) -> Option<usize> {
    text.as_bytes()
        .windows(part.len())
        .position(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}
