//! What the words of a message say: yes, no, not now, or an account that is not served. They are read word by word.

mod away;
mod bare;
mod repeat;

use crate::api::message::is_restricted;

pub(in crate::api) use away::is_away_in_words;
use away::{clauses, has_owner};
use bare::is_dropped;
#[cfg(any(test, feature = "forwarder"))]
pub(crate) use bare::refused_alike;
pub(in crate::api) use bare::{is_unsaved_in_words, names_its_event};
pub(in crate::api) use repeat::{DONE, is_repeat_in_words};

/// Do the words beside a yes take it back? "Conversion Updated" and any other sentence do not.
pub(in crate::api) fn is_no_in_words(message: &str) -> bool {
    let is_no = |word: &String| is_negation(word) || is_nothing(word);
    is_trouble_in_words(message) || words(message).iter().any(is_no) || is_dropped(message)
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

/// Does CAKE's message say that it serves this account, or takes requests from this address, not at all? An affiliate
/// may be suspended, an offer may be closed, and a click's address may be blocked: that is another no.
pub(in crate::api) fn is_about_the_account(message: &str) -> bool {
    if is_about_the_key(message) {
        return true;
    }
    let words = words(message);
    // A page, or data.
    if words.len() > MOST_WORDS
        || words
            .iter()
            .any(|word| is_of_event(word) && !word.starts_with("conversion"))
    {
        return false;
    }
    let has = |said: &[&str]| words.iter().any(|word| said.contains(&word.as_str()));
    let is_no = || {
        has(&BARRED) || words.iter().any(|word| is_negation(word)) || is_trouble_in_words(message)
    };
    let is_listed = |word: &String| {
        ["whitelist", "allowlist"]
            .iter()
            .any(|list| word.starts_with(list))
    };
    let says = |sayings: &[&[&str]]| has_saying(&words, sayings);
    let is_off = || {
        says(&[
            &["switched", "off"],
            &["turned", "off"],
            &["past", "due"],
            &["on", "hold"],
        ])
    };
    has(&["account", "ip", "subscription"]) && (is_no() || is_off())
        || has(&["permission", "permissions"]) && has(&["access", "resource"]) && is_no()
        || says(&[&["login", "failed"]]) && !has(&["database"])
        || words.iter().any(is_listed)
        || matches!(
            words.join(" ").as_str(),
            "access denied"
                | "access is denied"
                | "permission denied"
                | "forbidden"
                | "access forbidden"
                | "authentication failed"
                | "authorization failed"
        )
}

/// The most words of a message: a longer text is a page, or data.
const MOST_WORDS: usize = 50;

/// Words about who is not let in any more.
const BARRED: [&str; 16] = [
    "suspended",
    "disabled",
    "closed",
    "inactive",
    "locked",
    "terminated",
    "deactivated",
    "blocked",
    "banned",
    "blacklisted",
    "forbidden",
    "unauthorized",
    "unpaid",
    "overdue",
    "expired",
    "cancelled",
];

/// Is it a word about one conversion, or about what it belongs to?
fn is_of_event(word: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    let one = one.trim_end_matches('\'');
    let one = one.strip_suffix("id").unwrap_or(one);
    // "id" alone, and a number: a message that names them is about the one that it names.
    one.is_empty()
        || matches!(
            one,
            "click"
                | "session"
                | "offer"
                | "affiliate"
                | "campaign"
                | "creative"
                | "advertiser"
                | "publisher"
                | "partner"
                | "conversion"
                | "transaction"
                | "unique"
                | "duplicate"
                | "lead"
                | "sale"
                | "order"
                | "event"
                | "pixel"
                | "postback"
                | "payout"
                | "price"
                | "revenue"
                | "amount"
                | "currency"
                | "cap"
                | "cookie"
                | "visitor"
                | "traffic"
                | "country"
                | "region"
                | "date"
                | "parameter"
                | "field"
                | "value"
                | "fraud"
                | "disposition"
        )
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
        || is_kept_in_words(&words)
}

fn is_kept_in_words(words: &[String]) -> bool {
    (0..words.len()).any(|at| is_kept_from(words.get(at..).unwrap_or_default()))
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

/// Does any of these sayings stand among the words?
fn has_saying(words: &[String], sayings: &[&[&str]]) -> bool {
    sayings.iter().any(|saying| {
        words
            .windows(saying.len())
            .any(|part| part.iter().zip(*saying).all(|(word, said)| word == said))
    })
}

/// Is it a status of an outage, as one word of a text: "502", "Error 503"?
pub(in crate::api) fn is_outage_code(text: &str) -> bool {
    let words = words(text);
    let mut said = words.iter().filter(|word| {
        !matches!(
            word.as_str(),
            "error" | "failure" | "failed" | "http" | "status" | "code"
        )
    });
    let code = said.next().and_then(|word| word.parse::<u16>().ok());
    code.is_some_and(|code| matches!(code, 500..=504 | 520..=530)) && said.next().is_none()
}

/// Do the words of a no speak of trouble that passes, of a fault of CAKE's own, or of work that goes on? What was done
/// until then, nobody knows.
pub(in crate::api) fn is_passing_in_words(message: &str) -> bool {
    let words = words(message);
    let has = |sayings: &[&[&str]]| has_saying(&words, sayings);
    let is_fault = |word: &String| {
        matches!(
            word.as_str(),
            "closed" | "lost" | "reset" | "aborted" | "forcibly" | "full" | "unreachable"
        )
    };
    let is_connection = |word: &String| {
        matches!(
            word.as_str(),
            "connection" | "connect" | "database" | "db" | "network"
        )
    };
    let is_thrown = |word: &String| {
        word == "sql" || word.len() > "exception".len() && word.ends_with("exception")
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
        &["back", "later"],
        &["in", "a", "few"],
        &["in", "progress"],
        &["being", "processed"],
        &["error", "occurred"],
        &["error", "has", "occurred"],
        &["internal", "error"],
        &["system", "error"],
        &["application", "error"],
        &["unexpected", "error"],
        &["unhandled"],
        &["object", "reference"],
        &["server", "error"],
        &["runtime", "error"],
        &["fatal", "error"],
        &["transient"],
        &["try", "after"],
        &["not", "connect"],
        &["too", "busy"],
        &["many", "concurrent"],
        &["many", "simultaneous"],
        &["many", "connections"],
        &["read", "only", "mode"],
        &["bad", "gateway"],
        &["gateway", "timeout"],
        &["of", "memory"],
        &["not", "enough", "space"],
    ]) || words.iter().any(is_thrown)
        || words.iter().any(is_connection)
            && (words.iter().any(is_fault) || is_trouble_in_words(message))
        || is_away_in_words(message)
        || is_outage_code(message)
        || is_one_word(message, &["retry", "deferred", "received"])
        || !has_owner(&words) && clauses(message).any(|clause| is_one_word(clause, &OUT))
}

/// Does a web server say that it does not serve the host of this address?
pub(in crate::api) fn is_no_host_in_words(message: &str) -> bool {
    let sayings: [&[&str]; 6] = [
        &["invalid", "hostname"],
        &["hostname", "is", "invalid"],
        &["unknown", "host"],
        &["unknown", "domain"],
        &["no", "such", "app"],
        &["misdirected", "request"],
    ];
    has_saying(&words(message), &sayings)
}

/// Words of an outage that stand alone in their sentence.
const OUT: [&str; 6] = [
    "timeout",
    "busy",
    "offline",
    "unavailable",
    "down",
    "unreachable",
];

fn is_one_word(text: &str, said: &[&str]) -> bool {
    let words = words(text);
    match words.as_slice() {
        [word] => said.contains(&word.as_str()),
        [first, second] => first == "off" && second == "line" && said.contains(&"offline"),
        _ => false,
    }
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
    let is_any = |said: &[&str]| words.iter().any(|word| said.contains(&word.as_str()));
    is_any(&["api"]) && (is_any(&limits) || is_any(&["quota"]))
        || is_any(&["quota"]) && !words.iter().any(|word| is_of_event(word))
        || has(&["rate", "request", "requests"], &limits)
        || has(&["many"], &["request", "requests"])
        || has(&["requests"], &["per"])
        || has(&["slow"], &["down"])
        || words
            .iter()
            .any(|word| matches!(word.as_str(), "throttled" | "throttling" | "ratelimited"))
}

#[cfg(test)]
mod tests;
