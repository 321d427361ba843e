//! What marks say in a postback's URL, whose values are macros: in a link they may be a plain text's.

use super::own;
use crate::finding::Finding;
use crate::placeholder::foreign::Foreign;

/// The marks of scripts, templates and routes around a name.
const MARKS: [char; 13] = [
    '\'', '"', '`', '+', ' ', '$', '%', '^', ':', '(', ')', '\u{2039}', '\u{203a}',
];

/// A name that tools have for a macro of CAKE's, in such marks: `$(price)`, `^price^`, `:price`.
pub(super) fn find(value: &str) -> Option<Foreign<'_>> {
    let name = value.trim_matches(MARKS);
    let is_name = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let is_marked = value.starts_with(MARKS) && is_name && own(name).is_some();
    is_marked.then_some(Foreign { text: value, name })
}

/// Quotes around a macro, out of a script: others, such as `'broad'`, may be meant.
pub(super) fn quotes(name: &str, value: &str) -> Option<Finding> {
    let is_quoted = ['"', '\'', '`']
        .iter()
        .any(|quote| value.len() > 2 && value.starts_with(*quote) && value.ends_with(*quote));
    is_quoted.then(|| {
        Finding::new(
            "escaped_text",
            name,
            "Quotes stand around the value, and the partner gets them too. Leave them out.",
        )
    })
}
