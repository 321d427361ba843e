//! CAKE's older services, `/api/VERSION/SERVICE.asmx/METHOD`, as a second dialect of the same
//! calls. A GET returns XML, or `{"d":{…}}` where a gateway asks by POST. ASP.NET wants every
//! parameter present; 0 or empty stands for all.
//!
//! An answer is read row by row, in one pass and without a tree. A day of clicks has had 470,134
//! rows of 4 kB each.

pub(crate) mod clicks;
pub(crate) mod correction;
mod envelope;
pub(crate) mod event_conversions;
mod json_rows;
mod markup;
mod parameters;
mod row;
pub(crate) mod tracking_domains;

use self::envelope::check;
use self::json_rows::read_json_rows;
use self::markup::read_xml;
use self::row::{Field, Row};
use super::Answer;
use super::answer::record::Record;
use super::asked::Asked;
use super::certainty::words::{is_limit_in_words, is_no_in_words};
use super::contents::Contents;
use super::page::Page;
use super::unread::Unread;
use crate::Result;

/// The most rows of one answer that are asked for. CAKE's own limit is not documented: clients have
/// asked for 100,000.
pub(crate) const MAX_ROW_LIMIT: u64 = 10_000;

/// The most bytes of an answer that are read: 10,000 rows of some 4 kB.
pub(crate) const BODY_LIMIT: u32 = 64 << 20;

/// The names of a list and of each of its rows.
type List = (&'static str, &'static str);

/// The name of a conversion's id.
const ID: &str = "conversion_id";

/// The lists of all calls: none of them is in the answer to a write.
const LISTS: [List; 3] = [
    ("clicks", "click"),
    ("event_conversions", "event_conversion"),
    ("tracking_domains", "tracking_domain"),
];

/// Reads a page of an answer: each row as `read` reads it.
fn read_page<T: Default + PartialEq>(
    answer: &Answer<'_>,
    lists: &[List],
    fields: &'static [Field],
    mut read: impl FnMut(&Row<'_>) -> T,
) -> Result<Page<T>> {
    let mut page = Page::default();
    let (list, _) = lists.first().copied().unwrap_or_default();
    let (total_rows, unread) = read_rows(answer, lists, fields, &mut |row| {
        let read = read(row);
        page.push(read, row.unread(), list, row.entry);
    })?;
    page.unread.merge(unread);
    Ok(page.with_total(total_rows))
}

/// Reads an answer, and hands its rows to `take`, one after the other. Returns the number of rows
/// in all, where CAKE gives it, and what could not be read around the rows.
fn read_rows(
    answer: &Answer<'_>,
    lists: &[List],
    fields: &'static [Field],
    take: &mut dyn FnMut(&Row<'_>),
) -> Result<(Option<u64>, Unread)> {
    let body = body_of(answer)?;
    if body.trim_start().starts_with('{') {
        return read_json_rows(answer, lists, fields, take);
    }
    let envelope = read_xml(answer, body, lists, fields, take)?;
    check(answer, &envelope, body)?;
    if !envelope.has_list && envelope.total_rows != Some(0) {
        let (list, _) = lists.first().copied().unwrap_or_default();
        return Err(answer.lacks("has no list in ", list));
    }
    Ok((envelope.total_rows, envelope.unread))
}

/// Reads the answer to a write: CAKE's words, with its yes. Anything that takes a yes back cancels
/// it: a status, an error, words that say no, a count of nothing, the rows of another call, the name
/// of another conversion than the one that was `asked`, by its id or by other data.
fn read_message(
    answer: &Answer<'_>,
    conversion_id: Option<u64>,
    asked: Asked<'_>,
) -> Result<Option<String>> {
    let contents = answer.contents(ID);
    let read = read_yes(answer, &contents);
    let message = read.map_err(|error| answer.contradicted(error, ID))?;
    contents.check_about(answer, asked)?;
    if let Some(other) = conversion_id.and_then(|id| contents.other_record(id)) {
        return Err(answer.unexpected("is about another conversion_id: ", other));
    }
    match contents.nothing {
        Some(nothing) => {
            Err(answer.unexpected("says yes, and that nothing was changed: ", &nothing))
        }
        None => Ok(message),
    }
}

fn read_yes(answer: &Answer<'_>, contents: &Contents) -> Result<Option<String>> {
    let body = body_of(answer)?;
    let (is_yes, is_other, message) = if body.trim_start().starts_with('{') {
        let record = Record::from_fields(answer, answer.open()?);
        answer.check_yes(contents)?;
        let has_list = LISTS.iter().any(|(list, _)| record.has(list));
        let is_other = has_list || record.total_rows().is_some() || record.text("error").is_some();
        (
            record.flag("success") == Some(true),
            is_other,
            record.text("message"),
        )
    } else {
        let envelope = read_xml(answer, body, &LISTS, &[], &mut |_| {})?;
        check(answer, &envelope, body)?;
        answer.check_yes(contents)?;
        let is_other = envelope.has_list || envelope.total_rows.is_some() || envelope.has_error;
        (envelope.success == Some(true), is_other, envelope.message)
    };
    if message.as_deref().is_some_and(is_limit_in_words) {
        return Err(answer.no(None, message.as_deref()));
    }
    if !is_yes {
        return Err(answer.unexpected_markup("says neither yes nor no: ", body));
    }
    if is_other {
        return Err(answer.unexpected_markup("is another call's: ", body));
    }
    match message {
        Some(words) if is_no_in_words(&words) => {
            Err(answer.unexpected("says yes, and in words no: ", &words))
        }
        message => Ok(message),
    }
}

/// The body of a success, or of a 500 in which ASP.NET refuses a request. ASP.NET cannot read such
/// a request, and so has not carried it out. Any other error is the status's own.
fn body_of<'a>(answer: &Answer<'a>) -> Result<&'a str> {
    let error = match answer.body_of_success() {
        Ok(body) => return Ok(body),
        Err(error) => error,
    };
    let Some(body) = answer.body_of_fault() else {
        return Err(error);
    };
    if body.starts_with("Missing parameter: ") || body.starts_with("Cannot convert ") {
        return Err(answer.refused(body.lines().next().unwrap_or(body)));
    }
    let envelope = read_xml(answer, body, &[], &[], &mut |_| {}).unwrap_or_default();
    match envelope.message {
        Some(words) if envelope.is_senders_fault => Err(answer.no(Some(false), Some(&words))),
        _ => Err(error),
    }
}

/// The code of a currency for the known ids: CAKE gives only an id.
fn currency(id: u64) -> Option<&'static str> {
    Some(match id {
        1 => "USD",
        2 => "EUR",
        3 => "GBP",
        4 => "AUD",
        5 => "CAD",
        _ => return None,
    })
}
