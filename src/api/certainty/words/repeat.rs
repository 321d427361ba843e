//! Do the words beside a yes say that the conversion was there before? Whose record the answer has is open then.

use super::{is_negation, is_nothing, is_value, words};

/// Do the words say so: a duplicate, already recorded, recorded before, an existing conversion?
pub(in crate::api) fn is_repeat_in_words(message: &str) -> bool {
    let clauses = message.split(|mark: char| mark.is_control() || ".,;:!?()[]".contains(mark));
    clauses.map(words).any(|clause| is_repeat(&clause))
}

fn is_repeat(clause: &[String]) -> bool {
    clause.iter().any(|word| is_repeat_word(word))
        || (0..clause.len()).any(|at| {
            let (before, from) = clause.split_at(at);
            is_earlier_thing(before, from) || is_used(before, from) || is_before(before, from)
        })
}

/// Words that say so whatever stands around them.
fn is_repeat_word(word: &str) -> bool {
    matches!(
        word,
        "already"
            | "previously"
            | "exists"
            | "existed"
            | "preexisting"
            | "dup"
            | "dupe"
            | "deduped"
            | "repeated"
            | "replayed"
    ) || word.contains("duplicat")
}

/// "Existing conversion returned", "repeat conversion", "returning the original record". A lead may be an existing
/// one, and a customer a repeat one.
fn is_earlier_thing(before: &[String], from: &[String]) -> bool {
    let [kind, thing, rest @ ..] = from else {
        return false;
    };
    let is_thing = matches!(
        thing.as_str(),
        "conversion" | "transaction" | "record" | "entry" | "request" | "submission"
    );
    // "Existing conversion returned", and no "existing conversion rate".
    let is_whole = rest.first().is_none_or(|next| {
        is_given_back(next)
            || is_value(next)
            || matches!(next.as_str(), "is" | "was" | "has" | "id")
    });
    let is_given = || before.iter().chain(from).any(|word| is_given_back(word));
    is_thing
        && is_whole
        && match kind.as_str() {
            "existing" | "repeat" => true,
            "earlier" | "previous" | "prior" | "original" | "first" => is_given(),
            _ => false,
        }
}

fn is_given_back(word: &str) -> bool {
    matches!(
        word,
        "return" | "returns" | "returned" | "returning" | "found" | "kept" | "reused" | "matched"
    )
}

/// "Transaction ID has been used". A coupon may have been used as well.
fn is_used(before: &[String], from: &[String]) -> bool {
    let [used, rest @ ..] = from else {
        return false;
    };
    let is_id = |word: &String| {
        matches!(
            word.as_str(),
            "transaction" | "unique" | "uniqueid" | "transactionid"
        )
    };
    let is_done = |word: &String| matches!(word.as_str(), "been" | "was" | "is");
    used == "used"
        && before.iter().any(is_id)
        && before.last().is_some_and(is_done)
        && !before.iter().any(|word| is_negation(word))
        && rest.first().is_none_or(|next| next == "by" || next == "on")
}

/// "Recorded before", "logged earlier". "Recorded before the cap was reached" is another sentence.
fn is_before(before: &[String], from: &[String]) -> bool {
    let [when, rest @ ..] = from else {
        return false;
    };
    let is_last = rest
        .iter()
        .all(|word| is_value(word) || matches!(word.as_str(), "on" | "at" | "as" | "by" | "id"));
    let is_place = rest.first().is_none_or(|next| !is_value(next));
    matches!(when.as_str(), "before" | "earlier")
        && is_last
        && is_place
        && before.iter().any(|word| DONE.contains(&word.as_str()))
        && !before
            .iter()
            .any(|word| is_negation(word) || is_nothing(word))
}

/// What may be done to a conversion, and has been "already" or "before".
pub(in crate::api) const DONE: [&str; 22] = [
    "recorded",
    "logged",
    "used",
    "seen",
    "received",
    "reported",
    "registered",
    "submitted",
    "processed",
    "tracked",
    "converted",
    "counted",
    "saved",
    "stored",
    "created",
    "added",
    "accepted",
    "posted",
    "sent",
    "known",
    "found",
    "there",
];
