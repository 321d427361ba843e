//! Does an answer say that the conversion was there before? It may be a sentence, a code or a flag.

use super::{MAX_DEPTH, is_error, is_message, is_nothing, is_of_others, is_quiet};
use crate::api::certainty::words::{DONE, is_repeat_in_words};
use crate::api::json::Value;
use crate::api::{dress, message};

/// Does a field say that the conversion is not kept: `recorded: false`? It may be there from before, where another
/// field says so.
pub(super) fn is_unkept(name: &str, value: Value<'_>) -> bool {
    let is_kept = ["recorded", "saved", "stored"].contains(&plain_of(name));
    is_kept && (dress::is_no(value) || is_nothing(value.json()))
}

/// A flag's name without its "is" and "was".
fn plain_of(name: &str) -> &str {
    ["is", "was", "has", "been"]
        .iter()
        .fold(name, |name, start| name.strip_prefix(start).unwrap_or(name))
}

/// What a field says of it; absent where it says nothing.
pub(super) fn find(name: &str, value: Value<'_>) -> Option<String> {
    let plain = plain_of(name);
    let is_told = if is_making(plain) || is_count_made(plain) {
        dress::is_no(value) || is_nothing(value.json())
    } else {
        is_flag(plain) && !is_quiet(value, MAX_DEPTH)
    };
    if is_told {
        return Some([name, ": ", value.json()].concat());
    }
    may_tell(name)
        .then(|| message::message_of(value, MAX_DEPTH))?
        .filter(|words| is_repeat_in_words(words))
}

/// Does a field of this name say whether the conversion was made by this request?
fn is_making(name: &str) -> bool {
    name == "new" || MADE.contains(&name)
}

/// Does a field of this name count what this request has made: `rows_affected`, `conversions_created`,
/// `new_conversions`?
fn is_count_made(name: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is_made = has(&MADE) && (has(&THINGS) || has(&["count"]));
    let is_named = |made: &str| {
        let rest = name.strip_prefix(made).or_else(|| name.strip_suffix(made));
        rest.is_some_and(|rest| rest == "count" || is_thing(rest))
    };
    let is_one = is_named("new") || MADE.into_iter().any(is_named);
    is_one || !is_of_others(name) && (is_made || has(&["affected"]))
}

/// What a request does that makes a conversion.
const MADE: [&str; 7] = [
    "created",
    "inserted",
    "recorded",
    "added",
    "saved",
    "stored",
    "registered",
];

/// What it makes.
const THINGS: [&str; 4] = ["rows", "records", "conversions", "transactions"];

/// Is it one of these, or several?
fn is_thing(name: &str) -> bool {
    let is_one = |things: &&str| things.strip_suffix('s') == Some(name);
    THINGS
        .iter()
        .any(|things| *things == name || is_one(things))
}

/// Only what is about this conversion: not `duplicate_clicks`, nor an account's setting such as `deduplicate`.
fn is_flag(name: &str) -> bool {
    let starts = |starts: &[&str]| {
        let mut rests = starts.iter().filter_map(|start| name.strip_prefix(start));
        rests
            .next()
            .map(|rest| rest.strip_prefix("been").unwrap_or(rest))
    };
    let is_replay = |rest: &str| {
        ["replay", "replayed", "hit", "match", "matched", "reused"]
            .iter()
            .any(|end| rest.ends_with(end))
    };
    matches!(
        name,
        "duplicate"
            | "duplicates"
            | "duplicated"
            | "duplicateof"
            | "duplicatecount"
            | "deduped"
            | "deduplicated"
            | "existing"
            | "existed"
            | "preexisting"
            | "preexisted"
            | "repeat"
            | "repeated"
            | "replay"
            | "replayed"
    ) || name.strip_prefix("duplicate").is_some_and(is_thing)
        || starts(&["already", "previously"]).is_some_and(|rest| {
            rest.starts_with("exist") || DONE.iter().any(|done| rest.starts_with(done))
        })
        || starts(&["idempoten"]).is_some_and(is_replay)
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
