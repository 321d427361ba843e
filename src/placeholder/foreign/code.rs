//! What programs, templates and mailers write as a whole value, or at its end: an expression, a
//! variable, a tag.

use super::{is_compound_of_macros, is_macro_name, is_name, is_word};

/// A mailer's marks around its own name for a field: `-email-`. Others may be plain: `-sale-`.
pub(super) fn is_tag_of_mailers(value: &str) -> bool {
    let name = value
        .strip_prefix('-')
        .and_then(|rest| rest.strip_suffix('-'));
    name.is_some_and(|name| {
        ["email", "name", "firstname", "lastname", "fullname", "user"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Ends the value in a variable of a template or a route: `sub_$clickid`, `fb-:clickid`, `$!x`,
/// `@Model.ClickId`?
pub(super) fn is_variable_at_end(value: &str) -> bool {
    let is_quiet = value.strip_prefix("$!").is_some_and(is_name);
    let is_of_model = value
        .strip_prefix('@')
        .and_then(|path| path.rsplit_once('.'))
        .is_some_and(|(path, last)| is_name(path) && is_macro_name(last));
    let is_behind_text = value.rfind(['$', ':']).is_some_and(|at| {
        let (before, name) = value.split_at_checked(at).unwrap_or_default();
        before.ends_with(|c: char| !is_word(c)) && name.get(1..).is_some_and(is_compound_of_macros)
    });
    is_quiet || is_of_model || is_behind_text
}

/// `acf field="x"`, between the brackets of a shortcode.
pub(super) fn is_shortcode(name: &str) -> bool {
    name.split_once(' ').is_some_and(|(tag, rest)| {
        let value = rest.split_once('=').map(|(_, value)| value);
        is_name(tag) && value.is_some_and(|value| value.starts_with(['"', '\'']))
    })
}

/// Is the whole value a program's expression: `$_GET["x"]`, `$order->id`, `params[:x]`, `this.x`?
/// `price[10]` is plain.
pub(super) fn is_code(value: &str) -> bool {
    let is_path = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text
                .chars()
                .all(|c| is_word(c) || matches!(c, '_' | '.' | '(' | ')'))
    };
    let is_index = || {
        let (start, key) = value.split_once('[')?;
        let name = start.strip_prefix(['$', '@']).unwrap_or(start);
        let key = key.strip_suffix(']')?;
        let is_key = key.starts_with([':', '"', '\'']) || start.starts_with("$_");
        Some(is_key && is_path(name) && key.contains(is_word))
    };
    let is_member = || {
        let (object, member) = value.split_once("->")?;
        Some(is_path(object.strip_prefix('$')?) && is_path(member))
    };
    let is_property = || {
        let (object, member) = value.split_once('.')?;
        let objects = [
            "this", "self", "params", "props", "req", "request", "window", "document",
        ];
        Some(objects.contains(&object) && is_path(member))
    };
    let is_call = || {
        let name = value.strip_suffix("()")?;
        Some(is_path(name) && name.is_ascii())
    };
    // `location.berlin` is a place.
    let is_address = [
        "location.search",
        "location.href",
        "location.hash",
        "location.pathname",
        "navigator.userAgent",
    ]
    .contains(&value);
    // `"+price+"`: the text around it was a script's.
    let is_joined = || {
        let ends = [("'+", "+'"), ("\"+", "+\"")];
        let inner = |(start, end): &(&str, &str)| value.strip_prefix(start)?.strip_suffix(end);
        Some(ends.iter().find_map(inner)?.contains(is_word))
    };
    let kinds = [
        is_index(),
        is_member(),
        is_property(),
        is_call(),
        is_joined(),
    ];
    is_address || kinds.contains(&Some(true))
}
