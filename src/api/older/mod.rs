//! CAKE's older services, `/api/VERSION/SERVICE.asmx/METHOD`, as a second dialect of the same
//! calls. A GET returns XML, or `{"d":{…}}` where a gateway asks by POST. ASP.NET wants every
//! parameter present; 0 or empty stands for all.
//!
//! An answer is read row by row, in one pass and without a tree. A day of clicks has had 470,134
//! rows of 4 kB each.

pub(crate) mod clicks;
pub(crate) mod correction;
pub(crate) mod event_conversions;
pub(crate) mod tracking_domains;

use super::answer::is_restricted;
use super::answer::record::{Record, list_holder, records};
use super::certainty::is_no_in_words;
use super::json::{Value, parse_id};
use super::params::Params;
use super::unread::{Notes, Unread};
use super::{Answer, DEFAULT_ROW_LIMIT, Request};
use crate::time::{CivilDate, CivilTime};
use crate::xml::{Event, Reader};
use crate::{Error, Result};
use std::borrow::Cow;

/// The most rows of one answer that are asked for. CAKE's own limit is not documented: clients have
/// asked for 100,000.
pub(crate) const MAX_ROW_LIMIT: u64 = 10_000;

/// The most bytes of an answer that are read: 10,000 rows of some 4 kB.
pub(crate) const BODY_LIMIT: u32 = 64 << 20;

/// A field of a row: the name of the element around it (empty for the row itself), and its own
/// name.
type Field = (&'static str, &'static str);

/// The requested fields of a row, as far as they were read, in the order of the request.
struct Row<'a> {
    fields: &'static [Field],
    values: Vec<Option<Cow<'a, str>>>,
    /// The values that its readers could not read.
    notes: Notes,
    /// The fields that came twice, with different values.
    two_faced: Vec<Field>,
}

impl<'a> Row<'a> {
    fn new(fields: &'static [Field]) -> Self {
        Self {
            fields,
            values: vec![None; fields.len()],
            notes: Notes::default(),
            two_faced: Vec::new(),
        }
    }

    /// Keeps the first value of a name, if it was asked for.
    fn keep(&mut self, parent: &str, name: &str, value: Cow<'a, str>) {
        let at = self
            .fields
            .iter()
            .position(|field| *field == (parent, name));
        let Some((at, slot)) = at.and_then(|at| Some((at, self.values.get_mut(at)?))) else {
            return;
        };
        match slot {
            None => *slot = Some(value),
            Some(first) if *first != value => {
                self.two_faced.extend(self.fields.get(at).copied());
            }
            Some(_) => {}
        }
    }

    fn clear(&mut self) {
        self.values.fill(None);
        self.two_faced.clear();
    }

    /// Has one of these fields two different values? A reader that took one of them would choose
    /// the row's meaning.
    fn is_two_faced(&self, fields: &[Field]) -> bool {
        self.two_faced.iter().any(|field| fields.contains(field))
    }

    fn get(&self, parent: &str, name: &str) -> Option<&str> {
        self.written(parent, name)
            .filter(|text| !text.trim().is_empty())
    }

    /// Is there such a field, even an empty one?
    fn has(&self, parent: &str, name: &str) -> bool {
        self.written(parent, name).is_some()
    }

    fn written(&self, parent: &str, name: &str) -> Option<&str> {
        let at = self
            .fields
            .iter()
            .position(|field| *field == (parent, name))?;
        self.values.get(at)?.as_deref()
    }

    /// A text; absent where the element is empty or `xsi:nil`.
    fn text(&self, parent: &str, name: &str) -> Option<String> {
        self.get(parent, name).map(str::to_owned)
    }

    /// An id; absent where it is 0, as .NET writes "none".
    fn id(&self, parent: &str, name: &str) -> Option<u64> {
        self.read(parent, name, parse_id).filter(|id| *id > 0)
    }

    /// An affiliate's id: CAKE's own test affiliate is -1.
    fn affiliate_id(&self) -> Option<i64> {
        let id = self.read(
            "source_affiliate",
            "source_affiliate_id",
            |text| match text {
                "-1" => Some(-1),
                digits => i64::try_from(parse_id(digits)?).ok(),
            },
        );
        id.filter(|id| *id != 0)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.read("", name, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })
    }

    /// Reads a field with `read`. A value that cannot be read is noted.
    fn read<T>(&self, parent: &str, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.get(parent, name)?.trim();
        let found = read(text);
        if found.is_none() {
            self.notes.note(name, text);
        }
        found
    }

    /// The values that could not be read so far, each field once.
    fn unread(&self) -> Unread {
        self.notes.take()
    }
}

/// The names of a list and of each of its rows.
type List = (&'static str, &'static str);

/// The lists of all calls: none of them is in the answer to a write.
const LISTS: [List; 3] = [
    ("clicks", "click"),
    ("event_conversions", "event_conversion"),
    ("tracking_domains", "tracking_domain"),
];

/// The content of an answer around its rows.
#[expect(clippy::struct_excessive_bools, reason = "what was met in it")]
#[derive(Debug, Default)]
struct Envelope {
    success: Option<bool>,
    message: Option<String>,
    total_rows: Option<u64>,
    has_list: bool,
    /// An `error` that is not empty.
    has_error: bool,
    /// The root of a page.
    is_page: bool,
    is_fault: bool,
    /// `soap:Sender`, or `Client` before SOAP 1.2: the request is at fault, and nothing was done.
    is_senders_fault: bool,
    is_contradicted: bool,
}

impl Envelope {
    fn note(&mut self, name: &str, text: &str) {
        let text = text.trim();
        match name {
            "success" => {
                let said = match text.to_ascii_lowercase().as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => {
                        self.is_contradicted = true;
                        return;
                    }
                };
                self.is_contradicted |= self.success.is_some_and(|before| before != said);
                self.success = Some(said);
            }
            // The larger of two values counts: a list that may lack rows is not whole.
            "row_count" => self.total_rows = self.total_rows.max(parse_id(text)),
            "error" | "error_message" if !text.is_empty() => self.has_error = true,
            "message" | "faultstring" | "Text" | "string" if !text.is_empty() => {
                self.message.get_or_insert_with(|| text.to_owned());
            }
            "Value" | "faultcode" if self.is_fault => {
                let word = text.rsplit(':').next().unwrap_or(text);
                self.is_senders_fault |= matches!(word, "Sender" | "Client");
            }
            _ => {}
        }
    }
}

/// Reads an answer, and hands its rows to `take`, one after the other. Returns the number of rows
/// in all, where CAKE gives it.
fn read_rows(
    answer: &Answer<'_>,
    lists: &[List],
    fields: &'static [Field],
    take: &mut dyn FnMut(&Row<'_>),
) -> Result<Option<u64>> {
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
    Ok(envelope.total_rows)
}

/// Reads the answer to a write: CAKE's words, with its yes. Anything that takes a yes back cancels
/// it: a status, an error, words that say no, the rows of another call.
fn read_message(answer: &Answer<'_>) -> Result<Option<String>> {
    read_yes(answer).map_err(|error| answer.contradicted(error))
}

fn read_yes(answer: &Answer<'_>) -> Result<Option<String>> {
    let body = body_of(answer)?;
    let (is_yes, is_other, message) = if body.trim_start().starts_with('{') {
        let record = Record::from_fields(answer, answer.open()?);
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
        let is_other = envelope.has_list || envelope.total_rows.is_some() || envelope.has_error;
        (envelope.success == Some(true), is_other, envelope.message)
    };
    if message.as_deref().is_some_and(is_restricted) {
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

fn read_xml<'a>(
    answer: &Answer<'a>,
    body: &'a str,
    lists: &[List],
    fields: &'static [Field],
    take: &mut dyn FnMut(&Row<'_>),
) -> Result<Envelope> {
    if !body.trim_start().starts_with('<') {
        return Err(answer.not_markup(body));
    }
    let mut reader = Reader::new(body);
    let mut envelope = Envelope::default();
    let mut row = Row::new(fields);
    let mut list: Option<(usize, &str)> = None;
    let mut row_depth: Option<usize> = None;
    let mut name = "";
    let mut is_leaf = false;
    let mut is_absent = false;
    let mut text: Cow<'_, str> = Cow::Borrowed("");
    loop {
        let depth = reader.depth();
        let parent = reader.parent();
        let event = match reader.next() {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(envelope),
            Err(flaw) => return Err(answer.unexpected_markup(flaw.rule(), body)),
        };
        match event {
            Event::Start {
                name: started,
                is_nil,
            } => {
                let depth = depth + 1;
                name = started;
                is_leaf = true;
                is_absent = is_nil;
                text = Cow::Borrowed("");
                match list {
                    None => {
                        if let Some((_, of)) = lists.iter().find(|(each, _)| *each == name) {
                            list = Some((depth, of));
                            envelope.has_list = true;
                        }
                        envelope.is_fault |= name == "Fault";
                        envelope.is_page |= depth == 1 && name.eq_ignore_ascii_case("html");
                    }
                    Some((at, of)) if row_depth.is_none() && depth == at + 1 && name == of => {
                        row_depth = Some(depth);
                        row.clear();
                    }
                    Some(_) => {}
                }
            }
            Event::Text(part) => {
                if is_leaf {
                    if text.is_empty() {
                        text = part;
                    } else {
                        text.to_mut().push_str(&part);
                    }
                }
            }
            Event::End => {
                let value = core::mem::take(&mut text);
                match row_depth {
                    Some(at) if at == depth => {
                        row_depth = None;
                        take(&row);
                    }
                    Some(at) if is_leaf && !is_absent => {
                        row.keep(if depth == at + 1 { "" } else { parent }, name, value);
                    }
                    None if is_leaf && list.is_none() => envelope.note(name, &value),
                    _ => {}
                }
                if list.is_some_and(|(at, _)| at == depth) {
                    list = None;
                }
                is_leaf = false;
            }
        }
    }
}

/// Is it a yes? One of the services leaves `success` out: its list then counts as a yes.
fn check(answer: &Answer<'_>, envelope: &Envelope, body: &str) -> Result<()> {
    if envelope.is_contradicted || envelope.is_page {
        return Err(answer.unexpected_markup("says neither yes nor no: ", body));
    }
    if envelope.is_fault {
        let words = envelope.message.as_deref().unwrap_or(body);
        return Err(if envelope.is_senders_fault {
            answer.no(Some(false), Some(words))
        } else {
            answer.unexpected("is a fault: ", words)
        });
    }
    match (envelope.success, &envelope.message) {
        (Some(true), _) => Ok(()),
        (None, None) if envelope.has_list || envelope.total_rows.is_some() => Ok(()),
        (None, None) => Err(answer.unexpected_markup("says neither yes nor no: ", body)),
        (success, message) => Err(answer.no(success, message.as_deref())),
    }
}

/// Reads the same rows as JSON: `{"d":{"clicks":[…]}}`.
fn read_json_rows(
    answer: &Answer<'_>,
    lists: &[List],
    fields: &'static [Field],
    take: &mut dyn FnMut(&Row<'_>),
) -> Result<Option<u64>> {
    let mut missing = Error::Internal;
    for (list, name) in lists {
        let (holder, total_rows) = match list_holder(answer, list) {
            Ok(found) => found,
            Err(error) => {
                missing = error;
                continue;
            }
        };
        let mut passed_over = Unread::default();
        let records = records(answer, holder.fields(), list, name, &mut passed_over)?;
        for (record, _) in records {
            let mut row = Row::new(fields);
            row.notes.merge(std::mem::take(&mut passed_over));
            for (parent, field) in fields {
                let found = if parent.is_empty() {
                    let value = record.get(field);
                    let text = value.and_then(plain_text);
                    if let (Some(value), None) = (value, &text) {
                        row.notes.note(field, value.json());
                    }
                    text
                } else {
                    inner_text(&record, parent, field, answer, 3)
                };
                if let Some(text) = found {
                    row.keep(parent, field, Cow::Owned(text));
                }
                if parent.is_empty() && record.contradicts_itself(field) {
                    row.two_faced.push((parent, field));
                }
            }
            take(&row);
        }
        return Ok(total_rows);
    }
    Err(missing)
}

/// A field of the record `parent`, which may be a few levels down.
fn inner_text<'a>(
    record: &Record<'a, '_>,
    parent: &str,
    field: &str,
    answer: &Answer<'a>,
    depth: u8,
) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if let Some(inner) = record.get(parent).and_then(Value::object) {
        return Record::from_fields(answer, inner)
            .get(field)
            .and_then(plain_text);
    }
    record.fields().entries().find_map(|(_, value)| {
        let inner = Record::from_fields(answer, value.object()?);
        inner_text(&inner, parent, field, answer, depth)
    })
}

fn plain_text(value: Value<'_>) -> Option<String> {
    match value.boolean() {
        Some(said) => Some(if said { "true" } else { "false" }.to_owned()),
        None => value.text(),
    }
}

/// A moment as a caller gives it: a day, or a day and a time.
pub(super) struct Moment {
    text: String,
}

impl Moment {
    /// Reads `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`: callers read the days of large accounts by the
    /// half-hour.
    fn read(params: &Params<'_>, name: &'static str) -> Result<Option<Self>> {
        let Some(text) = params.text(name)? else {
            return Ok(None);
        };
        if CivilDate::parse(name, &text).is_err() && CivilTime::parse(name, &text).is_err() {
            return Err(Error::InvalidField {
                parameter: name.to_owned(),
                rule: "must be a date that exists, written YYYY-MM-DD, or a time, written YYYY-MM-DD HH:MM:SS"
                    .to_owned(),
            });
        }
        Ok(Some(Self { text }))
    }

    /// The spelling of the services (KB 13000105067): `YYYY-MM-DD`, or `MM/DD/YYYY HH:MM:SS`.
    fn wire(&self) -> String {
        match self.text.split_once(' ') {
            None => self.text.clone(),
            Some((day, time)) => [&us_day(day), " ", time].concat(),
        }
    }
}

/// `MM/DD/YYYY` of `YYYY-MM-DD`.
fn us_day(day: &str) -> String {
    match (day.get(..4), day.get(5..7), day.get(8..10)) {
        (Some(year), Some(month), Some(day)) => [month, "/", day, "/", year].concat(),
        _ => day.to_owned(),
    }
}

/// `startDate` and `endDate`, both required; the end is excluded.
fn push_range(request: &mut Request, params: &Params<'_>) -> Result<()> {
    let start = Params::required("startDate", Moment::read(params, "startDate")?)?;
    let end = Params::required("endDate", Moment::read(params, "endDate")?)?;
    // A day is a prefix of its own times.
    if end.text <= start.text {
        return Err(Error::InvalidField {
            parameter: "endDate".to_owned(),
            rule: "must be after startDate: CAKE leaves the end itself out. dayRange(first, last) names whole days"
                .to_owned(),
        });
    }
    request.parameter("start_date", &start.wire());
    request.parameter("end_date", &end.wire());
    Ok(())
}

/// An id that is given, or 0 for all.
fn push_filter(request: &mut Request, name: &str, id: Option<u64>) {
    request.number(name, Some(id.unwrap_or(0)));
}

/// Filters that are not offered: 0 for all.
fn push_all(request: &mut Request, names: &[&str]) {
    for name in names {
        request.number(name, Some(0));
    }
}

/// `startAtRow` and `rowLimit`. The services return all rows for 0. The default here is therefore
/// the number of rows that the young API sends by default.
fn push_page(request: &mut Request, params: &Params<'_>) -> Result<()> {
    let rule = "must be a whole number from 1 to 10000";
    let limit = params.number("rowLimit", 1, MAX_ROW_LIMIT, rule)?;
    request.number("start_at_row", Some(params.start_at_row()?.unwrap_or(0)));
    request.number("row_limit", Some(limit.unwrap_or(DEFAULT_ROW_LIMIT)));
    Ok(())
}

/// The code of a currency for the known ids: CAKE gives only an id.
fn currency(id: &str) -> Option<&'static str> {
    Some(match id.trim() {
        "1" => "USD",
        "2" => "EUR",
        "3" => "GBP",
        "4" => "AUD",
        "5" => "CAD",
        _ => return None,
    })
}
