//! CAKE's own message in an answer that is no success. It stands in the envelope, an error's object,
//! a list of errors, XML or a page.

use super::dress;
use super::json::{Object, Value};
use crate::spoiled::without_entities;

/// The names of fields with a message, the most telling first.
const NAMES: [&str; 24] = [
    "message",
    "messages",
    "status_message",
    "error_message",
    "error_description",
    "faultstring",
    "exception_message",
    "error",
    "errors",
    "validation_errors",
    "model_state",
    "message_detail",
    "reason",
    "detail",
    "details",
    "description",
    "title",
    "exception",
    "msg",
    "text",
    "info",
    "status_description",
    "status_text",
    "response_message",
];

/// The most levels that are searched for a message.
const MAX_DEPTH: u8 = 7;

/// The names of objects around the message.
const WRAPPERS: [&str; 7] = ["response", "result", "data", "d", "fault", "status", "body"];

/// Messages that give way to any others.
const GENERIC: [&str; 10] = [
    "error",
    "failure",
    "failed",
    "fail",
    "bad request",
    "an error occurred",
    "an error has occurred",
    "the request is invalid",
    "validation failed",
    "one or more validation errors occurred",
];

/// Does a message say nothing of its own? An id, a date or a number says nothing either.
pub(super) fn is_generic(message: &str) -> bool {
    let message = message.trim().trim_end_matches(['.', '!', ':']);
    let has_letters = message.chars().any(char::is_alphabetic);
    let is_code =
        !message.contains(char::is_whitespace) && message.bytes().any(|byte| byte.is_ascii_digit());
    !has_letters
        || is_code
        || GENERIC
            .iter()
            .any(|generic| message.eq_ignore_ascii_case(generic))
}

/// The message of an envelope, if it has one.
pub(super) fn find_message(envelope: &Object<'_>) -> Option<String> {
    let found = find_in(envelope, MAX_DEPTH);
    if found.as_deref().is_some_and(|message| !is_generic(message)) {
        return found;
    }
    // `request_message`, `ResultMessage`: a name that no list has.
    let is_named = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["message", "error", "reason"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let mut others = envelope.entries().filter(|(name, _)| is_named(name));
    others
        .find_map(|(_, value)| message_of(value, MAX_DEPTH).filter(|message| !is_generic(message)))
        .or(found)
}

/// The message of any object in an answer, below parts of any name.
pub(super) fn find_below(object: &Object<'_>) -> Option<String> {
    find_deep(object, MAX_DEPTH)
}

/// The first sentence of an answer, under any name: the words of a no without a message.
pub(super) fn find_sentence(object: &Object<'_>) -> Option<String> {
    let mut fields = object.entries();
    fields.find_map(|(name, value)| sentence(value, name, MAX_DEPTH))
}

fn find_deep(object: &Object<'_>, depth: u8) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let mut inner = object
        .entries()
        .flat_map(|(_, value)| value.array().unwrap_or_else(|| vec![value]));
    find_in(object, MAX_DEPTH)
        .filter(|text| !is_generic(text))
        .or_else(|| inner.find_map(|value| find_deep(&value.object()?, depth)))
}

/// The first sentence of a value. Names, addresses and the like are data.
fn sentence(value: Value<'_>, name: &str, depth: u8) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let name = name.to_ascii_lowercase();
    let is_data = [
        "name", "agent", "trace", "url", "id", "date", "time", "address",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    if is_data {
        return None;
    }
    if let Some(object) = value.object() {
        let mut fields = object.entries();
        return fields.find_map(|(name, value)| sentence(value, name, depth));
    }
    if let Some(items) = value.array() {
        return items
            .into_iter()
            .find_map(|item| sentence(item, &name, depth));
    }
    let text = value.string()?;
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !word.contains("//"))
        .collect();
    let is_word = |word: &&&str| word.chars().filter(|letter| letter.is_alphabetic()).count() > 1;
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let is_sentence = words.iter().filter(is_word).count() > 1
        && letters * 5 > text.chars().count() * 3
        // Some scripts have no spaces.
        || letters > 3 && !text.bytes().any(|byte| byte.is_ascii_alphanumeric());
    is_sentence.then(|| words.join(" "))
}

/// The message that reports an error by its place alone.
pub(super) fn find_error(envelope: &Object<'_>) -> Option<String> {
    let says_error = ["status", "result"].iter().any(|name| {
        let word = dress::find(envelope, name).and_then(Value::string);
        word.is_some_and(|word| {
            ["error", "fail", "failed", "failure"]
                .iter()
                .any(|no| word.trim().eq_ignore_ascii_case(no))
        })
    });
    let is_error =
        |name: &str| dress::find(envelope, name).and_then(|value| message_of(value, MAX_DEPTH));
    let named = [
        "error",
        "errors",
        "error_message",
        "exception_message",
        "faultstring",
        "fault",
        "exception",
    ];
    let has_payload = envelope
        .entries()
        .any(|(_, value)| match (value.object(), value.array()) {
            (Some(object), _) => object.entries().next().is_some(),
            (_, Some(items)) => !items.is_empty(),
            _ => false,
        });
    named
        .iter()
        .find_map(|name| is_error(name))
        // `error_description` says more than `error`.
        .map(|named| find_in(envelope, MAX_DEPTH).unwrap_or(named))
        .or_else(|| find_in(envelope, MAX_DEPTH).filter(|_| says_error || !has_payload))
}

fn find_in(object: &Object<'_>, depth: u8) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let in_names = NAMES
        .iter()
        .filter_map(|name| message_of(dress::find(object, name)?, depth));
    let in_wrappers = WRAPPERS.iter().filter_map(|name| {
        let value = dress::find(object, name)?;
        match value.object() {
            Some(inner) => find_in(&inner, depth),
            // The message itself, in the place of an answer's part.
            None if matches!(*name, "response" | "result" | "data" | "d") => {
                value.string().and_then(|_| message_of(value, depth))
            }
            None => None,
        }
    });
    let mut generic = None;
    for message in in_names.chain(in_wrappers) {
        if !is_generic(&message) {
            return Some(message);
        }
        generic.get_or_insert(message);
    }
    generic
}

/// The message of a value, if it has one: a text, the message of an object, the first messages of a
/// list.
pub(super) fn message_of(value: Value<'_>, depth: u8) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if let Some(text) = value.string() {
        let text = text.trim();
        // An answer inside of a text.
        if let Some(inner) = Object::read(text) {
            return find_in(&inner, depth);
        }
        return (!text.is_empty()).then(|| text.to_owned());
    }
    if let Some(object) = value.object() {
        return find_in(&object, depth).or_else(|| {
            // `{"affiliate_id":["is required"]}`.
            object.entries().find_map(|(_, value)| match value.array() {
                Some(_) => message_of(value, depth),
                None => None,
            })
        });
    }
    let said: Vec<String> = value
        .array()?
        .into_iter()
        .take(5)
        .filter_map(|item| message_of(item, depth))
        .collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// The content of a markup text: an XML answer of the older services, a fault, a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Markup {
    /// Is it markup whose elements say nothing?
    pub(super) is_plain: bool,
    /// `success` of a service's answer.
    pub(super) success: Option<bool>,
    /// The message.
    pub(super) message: String,
}

/// Reads markup; `None` where the text is none.
pub(super) fn read_markup(text: &str) -> Option<Markup> {
    let text = text.trim_start();
    if !text.starts_with('<') {
        return None;
    }
    let top = below_prolog(text);
    let is_page = ["<!doctype html", "<html"].iter().any(|start| {
        top.get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    });
    let said: Vec<String> = if is_page {
        ["title", "h1", "h2"]
            .iter()
            .filter_map(|name| element(text, name))
            .collect()
    } else {
        ["message", "faultstring", "text", "reason", "string"]
            .iter()
            .find_map(|name| element(text, name))
            .into_iter()
            .collect()
    };
    // A page is shown as it came.
    let is_plain = is_page || said.is_empty() && !text.starts_with("<?xml");
    let mut message = said.join(": ");
    if message.is_empty() {
        message = text_of(text);
    }
    let success =
        element(text, "success").and_then(|word| match word.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        });
    Some(Markup {
        is_plain,
        success: success.filter(|_| !is_page),
        message,
    })
}

/// Markup without the declaration and the comments before it.
fn below_prolog(text: &str) -> &str {
    let mut rest = text;
    for (start, end) in [("<?xml", "?>"), ("<!--", "-->"), ("<!--", "-->")] {
        let below = rest.strip_prefix(start).and_then(|all| all.split_once(end));
        rest = below.map_or(rest, |(_, below)| below.trim_start());
    }
    rest
}

/// The text of the first element of this name, whatever its prefix.
pub(super) fn element(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let end = after.find(|c: char| c == '>' || c == '/' || c.is_whitespace())?;
        let tag = after.get(..end)?;
        let (_, body) = after.split_once('>')?;
        let local = tag.rsplit_once(':').map_or(tag, |(_, local)| local);
        let is_empty = after
            .split('>')
            .next()
            .is_some_and(|tag| tag.ends_with('/'));
        if local.eq_ignore_ascii_case(name) && !is_empty {
            let close = ["</", tag].concat();
            let inner = body.split(close.as_str()).next()?;
            return Some(text_of(inner)).filter(|text| !text.is_empty());
        }
        rest = body;
    }
    None
}

/// The text of markup, without tags, scripts and styles, on one line.
fn text_of(markup: &str) -> String {
    let mut text = String::new();
    let mut rest = markup;
    // Nobody reads more than this.
    while text.len() < 1_000 {
        let Some((before, after)) = rest.split_once('<') else {
            text.push_str(rest);
            break;
        };
        text.push_str(before);
        text.push(' ');
        let hidden = ["script", "style"].iter().find(|name| {
            after
                .get(..name.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        });
        if let Some(data) = after.strip_prefix("![CDATA[") {
            let (inner, behind) = data.split_once("]]>").unwrap_or((data, ""));
            text.push_str(inner);
            rest = behind;
            continue;
        }
        let after = match hidden {
            Some(name) => after
                .split_once(["</", name].concat().as_str())
                .map_or("", |(_, behind)| behind),
            None => after,
        };
        rest = after.split_once('>').map_or("", |(_, behind)| behind);
    }
    let text = without_entities(&text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The older generation's one word for "too many requests".
pub(super) fn is_restricted(text: &str) -> bool {
    text.trim()
        .trim_matches(['"', '.', '!'])
        .eq_ignore_ascii_case("restricted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_wherever_it_stands() {
        for text in [
            r#"{"message":"No offer"}"#,
            r#"{"Message":"No offer"}"#,
            r#"{"error":"No offer"}"#,
            r#"{"error":{"code":7,"message":"No offer"}}"#,
            r#"{"errors":["No offer"]}"#,
            r#"{"errors":[{"detail":"No offer"}]}"#,
            r#"{"Errors":{"offer_id":["No offer"]}}"#,
            r#"{"response":{"message":"No offer"}}"#,
            r#"{"request_status":"Failure","data":{"error":"No offer"}}"#,
            r#"{"fault":{"faultstring":"No offer"}}"#,
            r#"{"ExceptionMessage":"No offer","StackTrace":"at X"}"#,
            r#"{"d":"{\"success\":false,\"message\":\"No offer\"}"}"#,
            r#"{"type":"about:blank","title":"No offer","status":400}"#,
            r##"{"message":{"#text":"No offer"}}"##,
            r#"{"request_status":"Failure","response":"No offer"}"#,
            r#"{"success":false,"result":"No offer"}"#,
            r#"{"success":false,"messages":["No offer"]}"#,
            r#"{"request_status":"Failure","status_message":"No offer"}"#,
            r#"{"success":false,"validation_errors":{"offer_id":["No offer"]}}"#,
            r#"{"Message":"The request is invalid.","ModelState":{"offer_id":["No offer"]}}"#,
            r#"{"Message":"No offer","Data":{}}"#,
            r#"{"success":false,"message":"Error","errors":["No offer"]}"#,
            r#"{"request_status":"Failure","response":{"data":{"error":{"text":"No offer"}}}}"#,
        ] {
            let envelope = dress::unwrapped(Object::read(text).unwrap());
            assert_eq!(
                find_message(&envelope)
                    .or_else(|| message_of(envelope.get("d")?, 5))
                    .as_deref(),
                Some("No offer"),
                "{text}"
            );
        }
        let generic = Object::read(r#"{"message":"Error"}"#).unwrap();
        assert_eq!(find_message(&generic).as_deref(), Some("Error"));
        for text in [
            "{}",
            r#"{"message":""}"#,
            r#"{"error":null}"#,
            r#"{"error":false}"#,
            r#"{"errors":[]}"#,
        ] {
            assert_eq!(find_message(&Object::read(text).unwrap()), None, "{text}");
        }
    }

    #[test]
    fn a_page_and_an_answer_in_xml_say_what_they_say() {
        let page = "<!DOCTYPE html><html><head><title>Runtime Error</title><style>h1{}</style></head><body><h1>Server Error in '/' Application.</h1><script>x</script></body></html>";
        assert_eq!(
            read_markup(page).unwrap(),
            Markup {
                is_plain: true,
                success: None,
                message: "Runtime Error: Server Error in '/' Application.".into()
            }
        );
        let xml = r#"<?xml version="1.0"?><R xmlns="x"><success>false</success><message>Restricted &amp; more</message></R>"#;
        assert_eq!(
            read_markup(xml).unwrap(),
            Markup {
                is_plain: false,
                success: Some(false),
                message: "Restricted & more".into()
            }
        );
        assert_eq!(
            read_markup(r#"<string xmlns="http://x">Invalid API Key</string>"#)
                .unwrap()
                .message,
            "Invalid API Key"
        );
        assert_eq!(
            read_markup(
                "<R><Success>False</Success><Message>Caf&#233; &#x26; caf&#xE9;</Message></R>"
            ),
            Some(Markup {
                is_plain: false,
                success: Some(false),
                message: "Café & café".into()
            })
        );
        assert_eq!(read_markup("plain"), None);
    }
}
