//! Words of a service that is not there for the moment.

use super::{has_saying, is_of_event, words};

/// Do the words say that the service is not there for the moment? It has looked at nothing then: neither at the key nor
/// at the account, whatever else the words name.
pub(in crate::api) fn is_away_in_words(message: &str) -> bool {
    // A sentence of its own counts, whatever the next one is about.
    is_away(&words(message)) || clauses(message).any(|clause| is_away(&words(clause)))
}

fn is_away(words: &[String]) -> bool {
    let has = |said: &[&str]| words.iter().any(|word| said.contains(&word.as_str()));
    let has_sayings = |sayings: &[&[&str]]| has_saying(words, sayings);
    let is_offline = has(&["offline"]) || has_sayings(&[&["off", "line"]]);
    let is_down = has(&["busy", "overloaded", "unavailable", "down"]);
    let is_maintained = |word: &String| word.starts_with("mainten");
    let service = ["service", "server", "system", "database", "api", "site"];
    let is_named = words.windows(2).any(|pair| {
        matches!(pair, [noun, absent] if service.contains(&noun.as_str()) && absent == "not")
    });
    let is_absent = is_named && has_sayings(&[&["not", "available"]]);
    if words.iter().any(is_maintained) || (is_down || is_offline) && has(&service) || is_absent {
        return true;
    }
    // An offer that is not there is a no for good.
    let is_gone = (is_down || is_offline)
        && has(&[
            "cake",
            "services",
            "servers",
            "systems",
            "website",
            "platform",
            "application",
            "currently",
            "temporarily",
        ])
        || has_sayings(&[
            &["downtime"],
            &["outage"],
            &["system", "offline"],
            &["is", "offline"],
            &["we", "are", "down"],
            &["out", "of", "service"],
            &["back", "soon"],
            &["back", "shortly"],
            &["right", "back"],
            &["back", "online"],
            &["shutting", "down"],
            &["restarting"],
            &["currently", "not", "available"],
            &["not", "currently", "available"],
            &["not", "available", "at", "this", "time"],
            &["not", "available", "at", "the", "moment"],
        ]);
    is_gone && !has_owner(words)
}

/// The sentences of a message, and the parts before and behind a colon.
pub(super) fn clauses(message: &str) -> impl Iterator<Item = &str> {
    message.split(['.', '!', '?', ';', ':'])
}

/// Do the words name what may be away by itself, such as an offer? A click, a conversion and the like are never away:
/// their service is.
pub(super) fn has_owner(words: &[String]) -> bool {
    let is_served = |word: &str| {
        [
            "click",
            "conversion",
            "transaction",
            "event",
            "lead",
            "sale",
            "order",
            "session",
        ]
        .iter()
        .any(|start| {
            word.strip_prefix(start)
                .is_some_and(|end| matches!(end, "" | "s"))
        })
    };
    words
        .iter()
        .any(|word| is_of_event(word) && !is_served(word))
}
