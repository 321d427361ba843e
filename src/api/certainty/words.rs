//! What the words of a message say: yes, no, not now, or a key that is not taken. They are read word by word.

use crate::api::message::is_restricted;

/// Do the words beside a yes take it back? "Conversion Updated" and any other sentence do not.
pub(in crate::api) fn is_no_in_words(message: &str) -> bool {
    is_trouble_in_words(message)
        || words(message)
            .iter()
            .any(|word| is_negation(word) || is_nothing(word))
}

/// Do the words say that something failed? "No clicks found" says that all went well.
pub(in crate::api) fn is_trouble_in_words(message: &str) -> bool {
    let is_trouble = |word: &String| {
        matches!(
            word.as_str(),
            "error"
                | "errors"
                | "exception"
                | "failed"
                | "failure"
                | "invalid"
                | "unable"
                | "cannot"
                | "denied"
                | "refused"
                | "rejected"
                | "restricted"
                | "missing"
                | "unknown"
                | "timeout"
                | "timed"
                | "expired"
                | "unavailable"
                | "overloaded"
                | "busy"
                | "partial"
                | "incomplete"
        )
    };
    words(message).iter().any(is_trouble)
}

pub(super) fn is_negation(word: &str) -> bool {
    matches!(
        word,
        "not" | "no" | "never" | "cannot" | "isn't" | "wasn't" | "non" | "without"
    )
}

fn is_nothing(word: &str) -> bool {
    matches!(word, "0" | "zero" | "none" | "nothing")
}

/// Is this word of a sentence an id or a number?
fn is_value(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The words of a text, in lower case. The joints of ids (`-`, `_`) separate words that have no
/// digit.
pub(super) fn words(text: &str) -> Vec<String> {
    let is_inside = |character: char| {
        character.is_ascii_alphanumeric() || !character.is_ascii() || "'-_".contains(character)
    };
    text.split(|character| !is_inside(character))
        .flat_map(|word| {
            let word = word.trim_matches('\'').to_ascii_lowercase();
            if is_value(&word) {
                vec![word]
            } else {
                word.split(['-', '_']).map(str::to_owned).collect()
            }
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Does CAKE's message say that it does not take the key? "Authorized" in a
/// sentence is no statement about the key ("Affiliate Not Authorized for
/// Campaign").
pub(in crate::api) fn is_about_the_key(message: &str) -> bool {
    let words = words(message);
    let text = words.join(" ");
    matches!(
        text.as_str(),
        "unauthorized" | "unauthorised" | "not authorized" | "invalid key" | "invalid credentials"
    ) || words.iter().any(|word| word == "apikey")
        || words.windows(2).any(|pair| pair == ["api", "key"])
}

/// Do the words of a no say that it is none, or none for good? A service at work says so, or one that is not there
/// for the moment.
pub(in crate::api) fn is_no_refusal_in_words(message: &str) -> bool {
    is_yes_in_words(message) || is_passing_in_words(message)
}

/// Do the words of a no say yes? "Conversion Updated", "Success", "Conversion was successful but its postback failed".
pub(in crate::api) fn is_yes_in_words(message: &str) -> bool {
    let words = words(message);
    let is_other = |word: &String| {
        is_negation(word)
            || is_nothing(word)
            || matches!(
                word.as_str(),
                "already"
                    | "before"
                    | "duplicate"
                    | "duplicated"
                    | "only"
                    | "must"
                    | "should"
                    | "can"
                    | "could"
                    | "if"
                    | "unless"
                    | "until"
                    | "when"
            )
    };
    if words.iter().any(is_other) {
        return false;
    }
    let is_whole = |word: &&String| matches!(word.as_str(), "success" | "ok" | "okay" | "done");
    let sayings: Vec<&String> = words.iter().filter(|word| !is_value(word)).collect();
    let is_success =
        |word: &String| matches!(word.as_str(), "successful" | "successfully" | "succeeded");
    !sayings.is_empty() && sayings.iter().all(is_whole)
        || words.iter().any(is_success)
        || is_kept(sayings.first().copied()) && sayings.get(1).is_none_or(|next| *next == "with")
        || (0..words.len()).any(|at| is_kept_from(words.get(at..).unwrap_or_default()))
}

/// Do these words begin with a record that is kept: "conversion was recorded"?
fn is_kept_from(words: &[String]) -> bool {
    let mut words = words.iter();
    let is_subject = words.next().is_some_and(|word| {
        matches!(
            word.as_str(),
            "conversion" | "transaction" | "lead" | "sale" | "event" | "postback" | "correction"
        )
    });
    let mut rest = words.filter(|word| {
        !is_value(word)
            && !matches!(
                word.as_str(),
                "id" | "is" | "was" | "has" | "have" | "been" | "now"
            )
    });
    is_subject && is_kept(rest.next())
}

fn is_kept(word: Option<&String>) -> bool {
    word.is_some_and(|word| {
        matches!(
            word.as_str(),
            "recorded"
                | "updated"
                | "saved"
                | "stored"
                | "created"
                | "added"
                | "inserted"
                | "accepted"
                | "processed"
                | "registered"
                | "tracked"
                | "counted"
                | "credited"
                | "posted"
                | "completed"
                | "submitted"
                | "queued"
                | "scheduled"
                | "pending"
                | "processing"
        )
    })
}

/// Do the words of a no speak of trouble that passes, or of work that goes on? What was done until then, nobody knows.
fn is_passing_in_words(message: &str) -> bool {
    let words = words(message);
    let has = |sayings: &[&[&str]]| {
        sayings.iter().any(|saying| {
            words
                .windows(saying.len())
                .any(|part| part.iter().zip(*saying).all(|(word, said)| word == said))
        })
    };
    let is_service = |word: &String| {
        matches!(
            word.as_str(),
            "service" | "server" | "system" | "database" | "api" | "site"
        )
    };
    let is_away = |word: &String| {
        matches!(
            word.as_str(),
            "busy" | "overloaded" | "unavailable" | "down"
        )
    };
    has(&[
        &["try", "again"],
        &["try", "later"],
        &["again", "later"],
        &["retry", "later"],
        &["please", "retry"],
        &["temporarily"],
        &["temporary"],
        &["deadlock"],
        &["deadlocked"],
        &["rerun"],
        &["timed", "out"],
        &["timeout", "expired"],
        &["timeout", "exceeded"],
        &["request", "timeout"],
        &["connection", "timeout"],
        &["execution", "timeout"],
        &["maintenance"],
        &["in", "progress"],
        &["being", "processed"],
        &["internal", "server", "error"],
    ]) || words.iter().any(is_service) && words.iter().any(is_away)
        || matches!(words.as_slice(), [word] if matches!(word.as_str(), "timeout" | "busy" | "retry" | "deferred" | "received"))
}

/// Do the words demand to call less often? CAKE has not looked at the request then. A cap of an affiliate or an offer
/// is a refusal.
pub(in crate::api) fn is_limit_in_words(message: &str) -> bool {
    if is_restricted(message) {
        return true;
    }
    // Nobody says this in a page, or in data.
    if message.len() > 300 || message.trim_start().starts_with(['{', '[', '<']) {
        return false;
    }
    let words = words(message);
    let has = |one: &[&str], other: &[&str]| {
        words.windows(2).any(|pair| match pair {
            [first, second] => one.contains(&first.as_str()) && other.contains(&second.as_str()),
            _ => false,
        })
    };
    let limits = ["limit", "limits", "limited", "limiting", "exceeded"];
    has(&["rate", "request", "requests"], &limits)
        || has(&["many"], &["request", "requests"])
        || has(&["requests"], &["per"])
        || has(&["slow"], &["down"])
        || words
            .iter()
            .any(|word| matches!(word.as_str(), "throttled" | "throttling" | "ratelimited"))
}

#[cfg(test)]
mod tests;
