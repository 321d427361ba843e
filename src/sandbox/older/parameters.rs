//! A call's parameters as ASP.NET reads them. A query and JSON must have every parameter; SOAP may
//! leave one out. A value that is not of the parameter's type (number, date, enumeration) never
//! reaches the service.

use super::Method;
use super::answer::{Form, fault};
use crate::sandbox::HttpAnswer;
use crate::sandbox::plan::{Decided, IncomingRequest, Stop};
use crate::time::CivilTime;
use crate::url;
use crate::xml::{Event, Reader};
use serde_json::json;

/// A parameter's name and type.
pub(super) type Parameter = (&'static str, Kind);

/// The types of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Decimal,
    Boolean,
    Date,
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The values of a call, each of its type.
#[derive(Debug)]
pub(super) struct Asked(Vec<(&'static str, String)>);

impl Asked {
    /// A text; empty where the call left it out.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(each, _)| *each == name);
        found.map_or("", |(_, value)| value)
    }

    /// An id; `None` where it is 0 or less, which means all.
    pub(super) fn id(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok().filter(|id| *id > 0)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).eq_ignore_ascii_case("true")
    }

    /// A date as a civil time.
    pub(super) fn time(&self, name: &str) -> Option<String> {
        read_date(self.text(name))
    }
}

impl Kind {
    /// The type's name in .NET, and whether `text` is a value of the type.
    fn check(self, text: &str) -> Result<(), &'static str> {
        let (is_right, name) = match self {
            Self::Integer => (text.parse::<i32>().is_ok(), "System.Int32"),
            Self::Decimal => (is_decimal(text), "System.Decimal"),
            Self::Boolean => (
                ["true", "false"]
                    .iter()
                    .any(|word| text.eq_ignore_ascii_case(word)),
                "System.Boolean",
            ),
            Self::Date => (read_date(text).is_some(), "System.DateTime"),
            Self::Text => (true, ""),
            Self::Word(words) => (words.contains(&text), "an enumeration"),
        };
        if is_right { Ok(()) } else { Err(name) }
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `2026-06-19`, `06/19/2026`, either with a time, as `YYYY-MM-DD HH:MM:SS` (KB 13000105067).
fn read_date(text: &str) -> Option<String> {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let time = if time.len() == 5 {
        [time, ":00"].concat()
    } else {
        time.to_owned()
    };
    let numbers: Vec<&str> = day.split(['-', '/']).collect();
    let [first, second, third] = numbers.as_slice() else {
        return None;
    };
    let (year, month, day) = match (first.len(), day.contains('/')) {
        (4, false) => (*first, *second, *third),
        (_, true) => (*third, *first, *second),
        (_, false) => (*third, *second, *first),
    };
    let spelt = format!("{year}-{month:0>2}-{day:0>2} {time}");
    CivilTime::parse("date", &spelt).ok().map(|_| spelt)
}

/// Reads a call's parameters, including the key.
pub(super) fn read(request: &IncomingRequest, method: Method) -> Decided<(Form, Asked)> {
    let say = |answer: HttpAnswer| Err(Stop::Say(answer));
    let parameters = || {
        let key = ("api_key", Kind::Text);
        std::iter::once(key).chain(method.parameters().iter().copied())
    };
    let body = request
        .body
        .as_deref()
        .unwrap_or("")
        .trim_start_matches('\u{feff}')
        .trim();
    let mut asked = Vec::new();
    if request.method == "GET" {
        let given: Vec<_> = url::pairs(url::query_of(&request.url)).collect();
        for (name, kind) in parameters() {
            // ASP.NET ignores the case of names.
            let found = given
                .iter()
                .find(|(each, _)| each.eq_ignore_ascii_case(name));
            let Some((_, value)) = found else {
                return say(HttpAnswer::text(
                    500,
                    &format!("Missing parameter: {name}.\r\n"),
                ));
            };
            // An empty date is accepted where the option needs no date.
            let is_empty_date = kind == Kind::Date && value.is_empty();
            if let Err(type_name) = kind.check(value)
                && !is_empty_date
            {
                return say(HttpAnswer::text(
                    500,
                    &format!(
                        "Cannot convert {value} to {type_name}.\r\nParameter name: type --> Input string was not in a correct format.\r\n"
                    ),
                ));
            }
            asked.push((name, value.to_string()));
        }
        return Ok((Form::Query, Asked(asked)));
    }
    if request.method != "POST" {
        return say(HttpAnswer::text(405, "Method Not Allowed"));
    }
    if body.starts_with('{') {
        let given: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(body).unwrap_or_default();
        for (name, kind) in parameters() {
            let value = match given.get(name) {
                None => {
                    return say(invalid_call(&format!(
                        "missing value for parameter: '{name}'."
                    )));
                }
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(serde_json::Value::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            let is_empty_date = kind == Kind::Date && value.is_empty();
            if kind.check(&value).is_err() && !is_empty_date {
                return say(invalid_call(&format!(
                    "{value} is not a valid value for '{name}'."
                )));
            }
            asked.push((name, value));
        }
        return Ok((Form::Json, Asked(asked)));
    }
    let Some(given) = soap_parameters(body) else {
        return say(fault(
            "Server was unable to read request. ---> There is an error in XML document.",
        ));
    };
    for (name, kind) in parameters() {
        let found = given.iter().find(|(each, _)| *each == name);
        let Some((_, value)) = found.filter(|(_, value)| !value.is_empty()) else {
            asked.push((name, String::new()));
            continue;
        };
        if kind.check(value).is_err() {
            let (line, column) = place_behind(body, name);
            return say(fault(&format!(
                "Server was unable to read request. ---> There is an error in XML document ({line}, {column}). ---> Input string was not in a correct format."
            )));
        }
        asked.push((name, value.clone()));
    }
    Ok((Form::Soap, Asked(asked)))
}

/// The answer of a .NET service to JSON that it cannot read.
fn invalid_call(what: &str) -> HttpAnswer {
    let mut answer = HttpAnswer::json(&json!({
        "Message": format!("Invalid web service call, {what}"),
        "StackTrace": "",
        "ExceptionType": "System.InvalidOperationException",
    }));
    answer.status = 500;
    answer
}

/// The leaves of an envelope, by their names.
fn soap_parameters(body: &str) -> Option<Vec<(&str, String)>> {
    let mut reader = Reader::new(body);
    let mut given = Vec::new();
    let mut leaf: Option<(&str, String)> = None;
    while let Some(event) = reader.next().ok()? {
        match event {
            Event::Start { name, .. } => leaf = Some((name, String::new())),
            Event::Text(text) => {
                if let Some((_, value)) = &mut leaf {
                    value.push_str(&text);
                }
            }
            Event::End => given.extend(leaf.take()),
        }
    }
    Some(given)
}

/// The line and column after an element, counted from 1, as .NET reports them.
fn place_behind(body: &str, name: &str) -> (usize, usize) {
    let closing = [&[":", name, ">"].concat(), &["</", name, ">"].concat()]
        .into_iter()
        .filter_map(|tag| Some(body.rfind(tag.as_str())? + tag.len()))
        .max();
    let before = body.get(..closing.unwrap_or(0)).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
