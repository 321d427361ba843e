//! Words of a no that says nothing of its own event: a failure without its reason, or a no that any other event would
//! meet as well.

use super::{is_kept_in_words, is_negation, is_of_event, is_repeat_in_words, is_value, words};
use crate::Error;
use crate::api::said::{is_of_page, words_of};

/// The most words of CAKE's own no. A longer text is a firewall's, or data.
const MOST_WORDS: usize = 25;

/// Is it a failure to save the conversion, without a word about why: "Unable to save conversion", "Conversion was not
/// recorded"? Beside a reason it says nothing.
pub(in crate::api) fn is_unsaved_in_words(message: &str) -> bool {
    let words = words(message);
    let is_trouble = |word: &String| {
        // "No conversions updated" says that there is none.
        is_negation(word) && word != "no"
            || word.ends_with("n't")
            || matches!(word.as_str(), "unable" | "failed" | "failure" | "error")
    };
    words.iter().any(is_trouble)
        && words.iter().any(|word| is_saving(word))
        && words
            .iter()
            .all(|word| is_trouble(word) || is_saving(word) || is_padding(word))
}

fn is_saving(word: &str) -> bool {
    let verbs = "save store record insert process write add create update log register track";
    let is_verb = |verb: &str| verbs.split(' ').any(|each| each == verb);
    let others = "saving storing writing written creating updating logged logging";
    let mut stems = ["", "d", "ed", "ing"]
        .into_iter()
        .filter_map(|end| word.strip_suffix(end));
    stems.any(is_verb) || others.split(' ').any(|each| each == word)
}

fn is_padding(word: &str) -> bool {
    let fillers = "to while when the this your a an at time moment right now in database please contact support \
                   is are was were be been being has have had could can did successfully";
    is_any_event(word) || fillers.split(' ').any(|filler| filler == word)
}

/// "Conversion discarded", "Skipped by a rule". Parameters and postbacks may be ignored as well, and what a duplicate's
/// words drop is the request.
pub(super) fn is_dropped(message: &str) -> bool {
    let words = words(message);
    let is_one = |at: usize, word: &str| {
        let mut before = words.get(..at).unwrap_or_default().iter().rev();
        let subject = before.find(|word| !matches!(word.as_str(), "was" | "is" | "has" | "been"));
        let next = words.get(at + 1).map(String::as_str);
        let is_alone = matches!(next, None | Some("by" | "because" | "due"));
        matches!(
            word,
            "discarded" | "dropped" | "ignored" | "skipped" | "voided"
        ) && subject.map_or(is_alone, |word| word != "postback" && is_any_event(word))
    };
    words.iter().enumerate().any(|(at, word)| is_one(at, word))
        && !is_repeat_in_words(message)
        && !is_kept_in_words(&words)
}

/// Words that are true of every event.
fn is_any_event(word: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    matches!(
        one,
        "conversion" | "transaction" | "lead" | "sale" | "event" | "postback" | "request"
    )
}

/// What is said of a conversion without a reason.
fn is_verdict(word: &str) -> bool {
    let verdicts = "unable rejected declined denied refused failed failure error disallowed disabled enabled accepted \
                    allowed permitted supported possible unavailable available";
    is_negation(word) || word.ends_with("n't") || verdicts.split(' ').any(|verdict| verdict == word)
}

/// Do the words name the conversion, or what it belongs to? CAKE's own no is short, and says more than that a
/// conversion is rejected.
pub(in crate::api) fn names_its_event(message: &str) -> bool {
    let words = words(message);
    let is_bare = |word: &String| is_padding(word) || is_saving(word) || is_verdict(word);
    words.len() <= MOST_WORDS
        && !words.iter().all(is_bare)
        && (0..words.len()).any(|at| is_named(&words, at))
}

/// Is this word about the event? "Click here", "enable cookies" and "Support ID" are a firewall's.
fn is_named(words: &[String], at: usize) -> bool {
    let word = |at: Option<usize>| at.and_then(|at| words.get(at)).map_or("", String::as_str);
    let (before, own, after) = (word(at.checked_sub(1)), word(Some(at)), word(Some(at + 1)));
    let is_foreign = match own {
        "click" => ["here", "on", "the", "to", "below", "this", "back"].contains(&after),
        "cookie" | "cookies" => ["enable", "allow", "accept", "your", "and"].contains(&before),
        "id" | "ids" => {
            "support incident request reference ray trace correlation error case ticket rule block"
                .split(' ')
                .any(|theirs| theirs == before)
        }
        "traffic" => before == "unusual" || before == "suspicious",
        "order" => before == "in",
        _ => false,
    };
    is_of_event(own) && !is_foreign
}

/// What a no says that names nothing of its event, as a number that is the same for the same status and words. The
/// account may be the one that is refused. One without words is the same as another, and so is a page: its numbers,
/// times and addresses differ each time.
#[cfg(any(test, feature = "forwarder"))]
pub(crate) fn refused_alike(error: &Error) -> Option<u64> {
    let status = match error {
        Error::Refused { .. } => 200,
        Error::HttpStatus { status, .. } => *status,
        _ => return None,
    };
    let own = if is_of_page(error) {
        ""
    } else {
        words_of(error)
    };
    if names_its_event(own) {
        return None;
    }
    let is_said = |word: &String| {
        !is_value(word)
            && !is_hexadecimal(word)
            && !matches!(word.as_str(), "failure" | "error" | "failed")
    };
    let said = words(own).into_iter().filter(is_said);
    let bytes = said.flat_map(|word| word.into_bytes().into_iter().chain([b' ']));
    // FNV-1a.
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let all = status.to_be_bytes().into_iter().chain(bytes);
    Some(all.fold(0xcbf2_9ce4_8422_2325, hash))
}

/// Is it a piece of an id that has no digit by chance?
#[cfg(any(test, feature = "forwarder"))]
fn is_hexadecimal(word: &str) -> bool {
    word.len() >= 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
