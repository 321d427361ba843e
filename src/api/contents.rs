//! What the whole of an answer says, at any depth: yes, no, whose it is, which records it has. Each
//! reader of an answer that proves something asks here.

mod repeat;

use super::asked::{Asked, is_same_click_id, is_same_unique_id};
use super::certainty::words::{
    is_about_the_account, is_limit_in_words, is_no_refusal_in_words, is_outage_code,
    is_passing_in_words,
};
use super::json::{Object, Value, parse_id};
use super::{Answer, dress, message};
use crate::Result;
use crate::xml::{Event, Reader};

/// The most levels that are read.
const MAX_DEPTH: u8 = 12;

/// The content of an answer.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The name of a record's id, without `_`.
    record: &'static str,
    /// The list that is passed over: its rows say nothing of the answer.
    list: &'static str,
    /// Does the answer, or a wrapper in it, say yes?
    pub(super) is_yes: bool,
    /// Does the status say that the work goes on, or has been done?
    pub(super) is_at_work: bool,
    /// Does a code or a status in it say that CAKE is out of order: 503, `SERVICE_UNAVAILABLE`?
    pub(super) is_out: bool,
    /// The words of the first no.
    pub(super) no: Option<String>,
    /// The words that it was there before.
    pub(super) repeat: Option<String>,
    /// The flag that says that it is not kept.
    pub(super) unkept: Option<String>,
    /// All messages.
    messages: Vec<String>,
    /// The words of errors and reasons.
    reasons: Vec<String>,
    /// The different ids of records.
    pub(super) records: Vec<String>,
    /// The ids that older services give a conversion besides.
    event_ids: Vec<String>,
    /// The name of a count that says that nothing was changed, and its value.
    pub(super) nothing: Option<String>,
    ids: [Ids; 3],
}

/// The values of an identity.
#[derive(Debug, Default)]
struct Ids {
    own: Vec<String>,
    /// Those of CAKE's other names for it. They count where it does not have its own name: older
    /// services put other ids beside it.
    other: Vec<String>,
}

/// The identities of a conversion.
const IDENTITIES: [&str; 3] = ["click_id", "offer_id", "unique_id"];

impl Contents {
    /// Reads a whole body, whose records have an id of this name.
    pub(super) fn of_body(body: &str, record: &'static str) -> Self {
        let mut contents = Self {
            record,
            ..Self::default()
        };
        let is_json = contents.read_text(body, MAX_DEPTH, true);
        // XML, or JSON that breaks off, may have a record too.
        let is_markup = body.trim_start().starts_with('<');
        if is_markup {
            contents.read_markup(body);
        }
        let id = if is_markup {
            message::element(body, record).filter(|_| contents.records.is_empty())
        } else if contents.records.is_empty() {
            broken_value(body, record)
        } else {
            None
        };
        contents.records.extend(id.filter(|id| !is_none(id)));
        // So may a yes stand before the break, or be the whole text.
        contents.is_yes |= !is_json
            && (is_yes_word(body.trim())
                || ["success", "request_status"].iter().any(|name| {
                    broken_value(body, name)
                        .is_some_and(|word| is_yes_word(&word) || word == "true" || word == "1")
                }));
        contents
    }

    /// Reads an envelope without the rows of this list.
    pub(super) fn around(envelope: &Object<'_>, list: &'static str) -> Self {
        let mut contents = Self {
            list,
            ..Self::default()
        };
        contents.read_object(envelope, MAX_DEPTH, true);
        contents
    }

    /// The first message that meets a condition.
    pub(super) fn message(&self, is_meant: fn(&str) -> bool) -> Option<&str> {
        let mut messages = self.messages.iter().map(String::as_str);
        messages.find(|message| is_meant(message))
    }

    /// All messages, errors and reasons.
    pub(super) fn words(&self) -> impl Iterator<Item = &String> {
        self.messages.iter().chain(&self.reasons)
    }

    /// The identity that is another one than `asked`, and its value.
    pub(super) fn another(&self, asked: Asked<'_>) -> Option<(&'static str, &str)> {
        IDENTITIES.iter().zip(&self.ids).find_map(|(name, ids)| {
            let is_own = |told: &&String| match *name {
                // A correction knows no click.
                "click_id" => asked.click_id.is_empty() || is_same_click_id(told, asked.click_id),
                "offer_id" => parse_id(told) == Some(asked.offer_id),
                _ => asked
                    .unique_id
                    .is_none_or(|ours| is_same_unique_id(told, ours)),
            };
            let other = if ids.own.is_empty() {
                // A site may keep the click id under the name `transaction_id`.
                let mut others = ids.other.iter();
                others.find(|told| !is_own(told) && !is_same_click_id(told, asked.click_id))
            } else {
                ids.own.iter().find(|told| !is_own(told))
            };
            other.map(|value| (*name, value.as_str()))
        })
    }

    /// Checks that all that an answer names is of the conversion that was sent.
    pub(super) fn check_about(&self, answer: &Answer<'_>, asked: Asked<'_>) -> Result<()> {
        match self.another(asked) {
            Some((name, value)) => {
                Err(answer.unexpected(&["is about another ", name, ": "].concat(), value))
            }
            None => Ok(()),
        }
    }

    /// The id of another conversion than this one, where the answer names no id of it.
    pub(super) fn other_record(&self, conversion_id: u64) -> Option<&str> {
        let told = || self.records.iter().chain(&self.event_ids);
        let is_own = |id: &String| parse_id(id) == Some(conversion_id);
        let other = told().next().map(String::as_str);
        other.filter(|_| !told().any(is_own))
    }

    /// Reads the elements of XML that hold text alone, as far as they can be read.
    fn read_markup(&mut self, body: &str) {
        let mut reader = Reader::new(body.trim_start());
        let (mut name, mut text) = ("", String::new());
        while let Ok(Some(event)) = reader.next() {
            match event {
                Event::Start { name: started, .. } => {
                    name = started;
                    text.clear();
                }
                Event::Text(part) => text.push_str(&part),
                Event::End => {
                    self.read_element(&plain_name(name), text.trim());
                    name = "";
                }
            }
        }
    }

    fn read_element(&mut self, name: &str, text: &str) {
        self.note_count(name, text);
        if is_none(text) {
            return;
        }
        if dress::is_same_name(name, self.record) {
            self.note_record(text.to_owned());
        } else if let Some(ids) = self.ids_of(name) {
            ids.push(text.to_owned());
        }
    }

    /// Reads JSON, also where it is the text of JSON; another text says nothing. Returns whether it
    /// is JSON.
    fn read_text(&mut self, text: &str, depth: u8, is_main: bool) -> bool {
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.starts_with(['{', '[', '"']) {
            return false;
        }
        let Some(value) = Value::read(text) else {
            return false;
        };
        // A text is JSON by what it holds.
        if let Some(inner) = value.string().filter(|_| depth > 0) {
            return self.read_text(&inner, depth - 1, is_main);
        }
        self.read_value(value, depth, is_main);
        true
    }

    fn read_value(&mut self, value: Value<'_>, depth: u8, is_main: bool) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if let Some(object) = value.object() {
            self.read_object(&object, depth, is_main);
        } else if let Some(items) = value.array() {
            for item in items {
                self.read_value(item, depth, is_main);
            }
        } else if let Some(text) = value.string() {
            let _ = self.read_text(&text, depth, is_main);
        }
    }

    fn read_object(&mut self, object: &Object<'_>, depth: u8, is_main: bool) {
        for (name, value) in object.entries() {
            let name = plain_name(name);
            if dress::is_same_name(&name, self.list) {
                continue;
            }
            if let Some(plain) = dress::plain(value) {
                self.read_field(object, &name, plain, is_main);
            }
            let is_wrapper = matches!(name.as_str(), "response" | "result" | "data" | "d" | "body");
            self.read_value(value, depth, is_main && is_wrapper);
        }
    }

    fn read_field(&mut self, object: &Object<'_>, name: &str, value: Value<'_>, is_main: bool) {
        let text = value.text();
        let word = text.as_deref().map(str::trim).unwrap_or_default();
        let is_empty = text.is_some() && word.is_empty();
        self.note_count(name, text.as_deref().unwrap_or(value.json()));
        let is_code = name.ends_with("code") || matches!(name, "status" | "httpstatus");
        let coded = text.as_deref().unwrap_or(value.json());
        self.is_out |= is_main && is_code && (is_outage_code(coded) || is_passing_in_words(coded));
        let is_word = |words: &[&str]| words.iter().any(|each| word.eq_ignore_ascii_case(each));
        let fails = ["error", "fail", "failed", "failure"];
        let is_no = match name {
            "success" => {
                self.is_yes |= is_main && (dress::is_yes(value) || is_yes_word(word));
                !dress::is_yes(value) && !is_empty
            }
            "requeststatus" => {
                self.is_yes |= is_main && is_yes_word(word);
                self.is_at_work |= is_main && is_no_refusal_in_words(word);
                !word.eq_ignore_ascii_case("success") && !is_empty
            }
            "ok" | "issuccess" | "successful" | "issuccessful" | "succeeded" => {
                self.is_yes |= is_main && (dress::is_yes(value) || is_yes_word(word));
                dress::is_no(value)
            }
            "result" | "status" | "statuscode" | "httpstatus" => {
                self.is_yes |= is_main && (value.is_true() || is_yes_word(word));
                let code = value.number().and_then(parse_id);
                value.boolean() == Some(false)
                    || is_word(&fails)
                    || is_word(&["false"])
                    || name != "result" && code.is_some_and(|code| (400..600).contains(&code))
            }
            _ if is_error(name) => !is_quiet(value, MAX_DEPTH),
            _ if is_message(name) => is_limit_in_words(word) || is_about_the_account(word),
            _ => false,
        };
        let is_told = is_error(name) && !name.ends_with("code") && !name.ends_with("type");
        let is_reason = matches!(name, "reason" | "detail" | "details" | "description");
        if is_told || is_message(name) || is_reason {
            let words = message::message_of(value, MAX_DEPTH);
            let words = words.filter(|words| !is_quiet_word(words));
            if is_message(name) {
                self.messages.extend(words);
            } else {
                self.reasons.extend(words);
            }
        }
        if repeat::is_unkept(name, value) {
            let told = || [name, ": ", value.json()].concat();
            self.unkept.get_or_insert_with(told);
        } else if self.repeat.is_none() {
            self.repeat = repeat::find(name, value);
        }
        if is_no && self.no.is_none() {
            let own = message::message_of(value, MAX_DEPTH)
                .filter(|words| is_error(name) && !message::is_generic(words));
            let words = own
                .or_else(|| message::find_message(object))
                .or_else(|| message::find_sentence(object))
                .or(text.clone())
                .filter(|words| !words.trim().is_empty());
            self.no = Some(words.unwrap_or_else(|| [name, ": ", value.json()].concat()));
        }
        self.read_identity(name, value);
    }

    /// Notes the ids of a conversion or a postback.
    fn read_identity(&mut self, name: &str, value: Value<'_>) {
        let part = self.record.strip_suffix("_id").unwrap_or_default();
        if !part.is_empty() && dress::is_same_name(name, self.record) {
            return self.note_value(value);
        }
        let id = value.object().filter(|inner| dress::has(inner, "id"));
        let id = id.and_then(|inner| dress::find(&inner, "id"));
        if let Some(id) = id
            && name == part
            && value
                .object()
                .is_some_and(|inner| !dress::has(&inner, self.record))
        {
            return self.note_value(id);
        }
        let (name, value) = match (name, id) {
            ("click", Some(id)) => ("reqid", id),
            ("offer" | "siteoffer", Some(id)) => ("siteofferid", id),
            _ => (name, value),
        };
        if let Some(ids) = self.ids_of(name) {
            ids.extend(told(value));
        }
    }

    /// The ids among which an id of this name belongs.
    fn ids_of(&mut self, name: &str) -> Option<&mut Vec<String>> {
        let (at, is_own) = match name {
            "clickid" => (0, true),
            "offerid" => (1, true),
            "uniqueid" => (2, true),
            "requestsessionid" | "reqsessid" | "reqid" | "ckmrequestid" => (0, false),
            "siteofferid" => (1, false),
            "transactionid" => (2, false),
            "eventconversionid" => return Some(&mut self.event_ids),
            _ => return None,
        };
        let ids = self.ids.get_mut(at)?;
        Some(if is_own { &mut ids.own } else { &mut ids.other })
    }

    fn note_value(&mut self, value: Value<'_>) {
        if let Some(told) = told(value) {
            self.note_record(told);
        }
    }

    fn note_record(&mut self, told: String) {
        let is_same = |before: &String| {
            *before == told || parse_id(before).is_some_and(|id| parse_id(&told) == Some(id))
        };
        if !self.records.iter().any(is_same) {
            self.records.push(told);
        }
    }

    fn note_count(&mut self, name: &str, text: &str) {
        if is_count(name) && is_nothing(text) {
            self.nothing
                .get_or_insert_with(|| [name, ": ", text].concat());
        }
    }
}

/// A field's name in small letters, without its joints.
fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, '_' | '-'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Does a field of this name tell how much was changed: `rows_affected`, `conversions_updated`?
fn is_count(name: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is_named = has(&[
        "affected",
        "updated",
        "changed",
        "modified",
        "matched",
        "applied",
        "corrected",
    ]);
    let ends = ["count", "rows", "records"];
    !is_of_others(name) && (is_named || ends.iter().any(|end| name.ends_with(end)))
}

/// Does a field of this name tell of something else: of what has failed or was left alone, or of an account?
fn is_of_others(name: &str) -> bool {
    let others = "error fail skip reject invalid warn ignored discount account country not unaffected unchanged \
                  unmatched unmodified unrecorded duplicate restored";
    others.split(' ').any(|word| name.contains(word))
}

fn is_nothing(text: &str) -> bool {
    let text = text.trim().trim_matches('"');
    let is_zero = text.contains('0') && text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    is_zero
        || ["false", "no", "none"]
            .iter()
            .any(|no| text.eq_ignore_ascii_case(no))
}

/// Is this a word for success?
fn is_yes_word(word: &str) -> bool {
    let word = word.trim_matches(['"', '.', '!']);
    ["success", "successful", "succeeded", "ok"]
        .iter()
        .any(|each| word.eq_ignore_ascii_case(each))
}

/// The digits or letters behind a field's name, in JSON that may break off.
fn broken_value(body: &str, name: &str) -> Option<String> {
    // A text inside of a text has its quotation marks escaped.
    let body = body.to_ascii_lowercase().replace(['_', '\\'], "");
    let name = [&name.replace('_', ""), "\""].concat();
    let (_, rest) = body
        .trim_start()
        .trim_start_matches('"')
        .strip_prefix(['{', '['])?
        .split_once(&name)?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    let id: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    (id != "null").then_some(id)
}

/// The text of an id; absent where it says nothing, such as .NET's 0. What cannot be read is told
/// as it is: it is no known id.
fn told(value: Value<'_>) -> Option<String> {
    if value.boolean() == Some(false) {
        return None;
    }
    let inner = value.object().and_then(|inner| {
        let of_name = |name: &&str| dress::find(&inner, name)?.text();
        ["id", "value", "text"].iter().find_map(of_name)
    });
    let text = value.text().or(inner);
    let text = text.unwrap_or_else(|| value.json().to_owned());
    (!is_none(&text)).then(|| text.trim().to_owned())
}

fn is_none(text: &str) -> bool {
    text.trim().is_empty() || parse_id(text.trim()) == Some(0)
}

/// Does a field of this name tell an error by being there?
fn is_error(name: &str) -> bool {
    name.starts_with("error")
        || name.starts_with("exception")
        || name.starts_with("fault")
        || ["error", "errors", "exception"]
            .iter()
            .any(|end| name.ends_with(end))
        || name == "modelstate"
}

fn is_message(name: &str) -> bool {
    name.ends_with("message") || matches!(name, "messages" | "msg")
}

/// Does the value of an error say that there is none?
fn is_quiet(value: Value<'_>, depth: u8) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let Some(value) = dress::plain(value) else {
        return true;
    };
    if let Some(object) = value.object() {
        return object.entries().all(|(_, inner)| is_quiet(inner, depth));
    }
    if let Some(items) = value.array() {
        return items.into_iter().all(|inner| is_quiet(inner, depth));
    }
    dress::is_no(value) || value.text().is_some_and(|text| is_quiet_word(&text))
}

pub(super) fn is_quiet_word(text: &str) -> bool {
    let text = text.trim().trim_end_matches('.');
    let words = ["", "none", "null", "ok", "success", "no error", "no errors"];
    parse_id(text) == Some(0) || words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
