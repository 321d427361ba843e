//! Reads an answer in XML: its envelope, and its rows one by one.

use super::List;
use super::envelope::Envelope;
use super::row::{Field, Row};
use crate::Result;
use crate::api::Answer;
use crate::xml::{Event, Reader};
use std::borrow::Cow;

fn is_html(body: &str) -> bool {
    let start = body.trim_start_matches('\u{feff}').trim_start();
    let kind = start.get(.."<!doctype html".len());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("<!doctype html"))
}

pub(super) fn read_xml<'a>(
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
            Err(_) if is_html(body) => {
                return Err(answer.unexpected_markup("is a page of HTML: ", body));
            }
            Err(flaw) => return Err(answer.unexpected_markup(flaw.rule(), body)),
        };
        match event {
            Event::Start {
                name: started,
                is_nil,
            } => {
                if let Some(at) = row_depth
                    && is_leaf
                    && depth > at
                {
                    let content = ["<", started, ">…"].concat();
                    row.note_element(if depth == at + 1 { "" } else { parent }, name, &content);
                }
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
                        row.entry = reader.rest();
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
                        let length = row.entry.len() - reader.rest().len();
                        row.entry = row.entry.get(..length).unwrap_or_default();
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
