//! What marks say in a postback's URL, whose values are macros: in a link they may be a plain text's.

use super::{KNOWN, Piece, own};
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

/// What the `#` at this place means, which belongs to no macro: one mark of a macro's two, or a fragment.
pub(super) fn lone(at: usize, pieces: &[Piece<'_>]) -> Finding {
    let text = |at: Option<usize>| match at.and_then(|at| pieces.get(at)) {
        Some(Piece::Text(text)) => *text,
        _ => "",
    };
    let (before, after) = (text(at.checked_sub(1)), text(at.checked_add(1)));
    let is_other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let opened = after.split(is_other).next().and_then(known);
    let is_value_done = after.is_empty() || after.starts_with(['&', '/', ';']);
    let closed = before.rsplit(is_other).next().and_then(known);
    match opened.or(closed.filter(|_| is_value_done)) {
        Some(name) => unclosed(name),
        None => Finding::new(
            "raw_fragment",
            "#",
            "What follows a lone # is a fragment, which no server ever sees. Write it as %23.",
        ),
    }
}

/// The macro of a value that has only one of its two marks: `#price`, `price#`.
pub(super) fn half(value: &str) -> Option<&'static str> {
    let name = value.strip_prefix('#').or(value.strip_suffix('#'))?;
    known(name)
}

/// `#price`: CAKE leaves it as it stands.
pub(super) fn unclosed(name: &str) -> Finding {
    let sentence = format!(
        "Only one # marks this macro, so CAKE does not see it: a macro needs both. Write #{name}#."
    );
    Finding::new("unclosed_macro", name, sentence)
}

/// An unclosed macro, such as `#reqid`, also looks like a macro of other tools.
pub(super) fn drop_told_twice(findings: &mut Vec<Finding>) {
    let unclosed: Vec<String> = findings
        .iter()
        .filter(|finding| finding.code == "unclosed_macro")
        .map(|finding| finding.parameter.clone())
        .collect();
    findings.retain(|finding| {
        finding.code != "foreign_macro" || !unclosed.contains(&finding.parameter)
    });
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| *known == name)
}
