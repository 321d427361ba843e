//! Does an answer say that the conversion was there before? It may be a sentence, a code or a flag.

use super::{MAX_DEPTH, is_error, is_message, is_quiet};
use crate::api::certainty::words::is_repeat_in_words;
use crate::api::json::Value;
use crate::api::{dress, message};

/// What a field says of it; absent where it says nothing.
pub(super) fn find(name: &str, value: Value<'_>) -> Option<String> {
    let is_told = match name {
        "isnew" | "created" | "inserted" => dress::is_no(value),
        _ => is_flag(name) && !is_quiet(value, MAX_DEPTH),
    };
    if is_told {
        return Some([name, ": ", value.json()].concat());
    }
    may_tell(name)
        .then(|| message::message_of(value, MAX_DEPTH))?
        .filter(|words| is_repeat_in_words(words))
}

/// Only what is about this conversion: not `duplicate_clicks`, nor an account's setting such as `deduplicate`.
fn is_flag(name: &str) -> bool {
    matches!(
        name.strip_prefix("is").unwrap_or(name),
        "duplicate"
            | "duplicates"
            | "duplicated"
            | "duplicateof"
            | "duplicatecount"
            | "deduped"
            | "deduplicated"
            | "alreadyrecorded"
            | "alreadyexists"
            | "alreadyconverted"
            | "existing"
    )
}

/// May the field have words about it? A description is an offer's, too.
fn may_tell(name: &str) -> bool {
    let ends = ["code", "status", "warning", "warnings"];
    is_message(name)
        || is_error(name)
        || ends.iter().any(|end| name.ends_with(end))
        || matches!(
            name,
            "reason" | "detail" | "details" | "result" | "disposition" | "note" | "notes" | "info"
        )
}
