//! JSON rows, parsed without an object per row: in a page of CAKE's, in an array, or one a line.
//!
//! Rows of one program have one shape. The strict reader reads the first row of a shape and stores the literals
//! between its values. Later rows are only compared with these literals, eight bytes at a time. A row that fits a
//! shape has the structure of a validated row; any other row goes to the strict reader.

mod page;
mod shape;
mod sink;
mod skip;
mod stencil;
mod strict;

use super::day::Zones;
use super::flaw::Flaw;
use super::names::{Fields, Names, Pull, normalise, zones};
pub(super) use page::Facts;
use page::Part;
use shape::Shape;
use sink::{Sink, Stop};
use stencil::{PATIENCE, Stencil};
use strict::Strict;

const SHAPES: usize = 8;
const MAX_DEPTH: usize = 48;
const MAX_PATH_BYTES: usize = 96;
/// A longer row has lost its end.
const MAX_ROW_BYTES: usize = 1 << 20;
const NO_ROLE: u8 = u8::MAX;

/// The field names under which a page holds its array of rows.
const LISTS: [&str; 10] = [
    "conversions",
    "clicks",
    "orders",
    "rows",
    "data",
    "deliveries",
    "events",
    "results",
    "refunds",
    "returns",
];

/// The same of GraphQL, where only a page's objects are around it. A row's own lists have these names, too.
const CONNECTIONS: [&str; 2] = ["edges", "nodes"];

/// Of these, those of refunds.
const REFUNDS: [&[u8]; 2] = [b"refunds", b"returns"];

/// Fields that only an answer's envelope has.
const ENVELOPE: [&str; 4] = ["requeststatus", "success", "response", "totalrows"];

/// A value of a row in the strict reader.
#[derive(Clone, Copy, Debug)]
struct Value {
    from: usize,
    to: usize,
    is_text: bool,
    role: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    FirstOrEnd,
    CommaOrEnd,
    FirstKeyOrEnd,
    Key,
    Colon,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    is_array: bool,
    is_list: bool,
    /// It is an object that holds a list of refunds: GraphQL's connection.
    is_of_refunds: bool,
    part: Part,
}

/// Reads one file, or consecutive pages.
#[derive(Debug)]
pub(super) struct Json {
    shapes: Vec<Shape>,
    /// The shape that fitted last, and the index of the next shape to replace.
    last: usize,
    oldest: usize,
    stencils: Vec<Stencil>,
    /// The stencil that fitted last, and the index of the next one to replace.
    stencil: usize,
    next_stencil: usize,
    patience: u32,
    levels: Vec<Level>,
    expect: Expect,
    key: Vec<u8>,
    rows: u32,
    failed: bool,
    message: Vec<u8>,
    has_started: bool,
    values: Vec<Value>,
    /// The first bytes of a page, up to its first value, which no row has.
    page: Vec<u8>,
    /// The name of the array of rows that was opened last.
    pub(super) list: &'static str,
    /// The number of lists of rows.
    pub(super) lists: u32,
    /// The number of lists and rows when the present page began.
    began: u32,
    pub(super) page_facts: Facts,
    /// One bit for each role that a row has had a value for, or `null`; nothing before the first row.
    pub(super) met: Option<u32>,
    /// The zones that the names of its fields tell.
    pub(super) zones: Zones,
    /// The name of a row's list of objects, where no field of the row is known.
    pub(super) other_list: Vec<u8>,
    /// Disables the shapes: only for the property tests.
    #[cfg(test)]
    is_strict: bool,
}

impl Json {
    pub(super) fn new() -> Self {
        Self {
            shapes: Vec::new(),
            last: 0,
            oldest: 0,
            stencils: Vec::new(),
            stencil: 0,
            next_stencil: 0,
            patience: PATIENCE,
            levels: Vec::new(),
            expect: Expect::Value,
            key: Vec::new(),
            rows: 0,
            failed: false,
            message: Vec::new(),
            has_started: false,
            values: Vec::new(),
            page: Vec::new(),
            list: "",
            lists: 0,
            began: 0,
            page_facts: Facts::default(),
            zones: Zones::default(),
            met: None,
            other_list: Vec::new(),
            #[cfg(test)]
            is_strict: false,
        }
    }

    /// The number of the last row, from 1.
    pub(super) fn row(&self) -> u32 {
        self.rows
    }

    /// Does the list that was opened last hold refunds?
    #[inline]
    pub(super) fn is_of_refunds(&self) -> bool {
        REFUNDS.contains(&self.list.as_bytes())
    }

    /// Is an object or array still open?
    pub(super) fn is_open(&self) -> bool {
        !self.levels.is_empty() || self.expect != Expect::Value
    }

    /// Does a row follow another in a list, as nearly every row does?
    #[inline]
    fn is_next(&self, input: &[u8], from: usize) -> bool {
        self.expect == Expect::CommaOrEnd
            && self.levels.last().is_some_and(|level| level.is_list)
            && matches!(input.get(from..), Some([b',', b'{', ..]))
    }

    /// Reads the next row of a list, if it fits a shape; returns the offset after it.
    #[inline]
    pub(super) fn next_plain(
        &mut self,
        input: &[u8],
        from: usize,
        fields: &mut Fields,
    ) -> Option<usize> {
        if !self.is_next(input, from) {
            return None;
        }
        let after = self.predict(input, from + 1, fields)?;
        self.rows += 1;
        Some(after)
    }

    /// Reads on where [`next_plain`](Self::next_plain) has read nothing.
    pub(super) fn next(
        &mut self,
        input: &[u8],
        from: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Pull {
        if self.is_next(input, from) {
            // The row's end is still to come: the strict reader would ask for more as well, but slowly.
            let rest = input.get(from + 1..).unwrap_or_default();
            let can_wait = !is_last && self.levels.len() > 1 && rest.len() < MAX_ROW_BYTES;
            if can_wait && !rest.contains(&b'}') {
                return Pull::More(from);
            }
        }
        self.any(input, from, is_last, names, fields)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each state of the document"
    )]
    #[inline(never)]
    fn any(
        &mut self,
        input: &[u8],
        from: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Pull {
        let mut at = from;
        loop {
            while let Some(b' ' | b'\n' | b'\r' | b'\t') = input.get(at) {
                at += 1;
            }
            let Some(&byte) = input.get(at) else {
                return Pull::More(at);
            };
            let level = self.levels.last().copied();
            let is_element = level.is_none_or(|level| level.is_list);
            match (self.expect, byte) {
                (Expect::Value | Expect::FirstOrEnd, b'{') if is_element => {
                    if let Some(pull) = self.row_or_page(input, at, is_last, names, fields) {
                        return pull;
                    }
                    self.begin_page();
                    self.levels.push(Level {
                        is_array: false,
                        is_list: false,
                        is_of_refunds: false,
                        part: Part::Page,
                    });
                    self.expect = Expect::FirstKeyOrEnd;
                    at += 1;
                }
                (Expect::Value | Expect::FirstOrEnd, b'{' | b'[') => {
                    if self.levels.len() >= MAX_DEPTH {
                        return self.broken(input, at, is_last);
                    }
                    let is_first = self.expect == Expect::FirstOrEnd && byte == b'{';
                    if is_first
                        && let Some(pull) = self.list_beside(input, at, is_last, names, fields)
                    {
                        return pull;
                    }
                    let is_array = byte == b'[';
                    let is_in_list = level.is_some_and(|level| level.is_list);
                    if is_in_list {
                        // A list of pages holds lists of rows. Any other list in a list is a row that is no object.
                        let mut inner = input.get(at + 1..).unwrap_or_default().iter();
                        match inner.find(|byte| !byte.is_ascii_whitespace()) {
                            Some(b'{' | b'[') => {}
                            None if !is_last => return Pull::More(at),
                            _ => return self.skip(input, at, is_last, Flaw::NotAnObject),
                        }
                    }
                    let list = match level {
                        None => Some(""),
                        Some(_) if is_in_list => Some(self.list),
                        Some(level) if level.is_array => None,
                        Some(level) => {
                            let connections = CONNECTIONS.into_iter();
                            let connections = connections
                                .filter(|_| level.part == Part::Page || level.is_of_refunds);
                            let mut names = LISTS.into_iter().chain(connections);
                            let list = names.find(|name| name.as_bytes() == self.key);
                            list.map(|list| if level.is_of_refunds { "refunds" } else { list })
                        }
                    };
                    let list = list.filter(|_| is_array);
                    let holds_rows = list.is_some();
                    self.list = list.unwrap_or(self.list);
                    self.lists += u32::from(holds_rows);
                    let part = self.part_of(level, is_array);
                    self.levels.push(Level {
                        is_array,
                        is_list: holds_rows,
                        is_of_refunds: !is_array && REFUNDS.contains(&self.key.as_slice()),
                        part,
                    });
                    self.expect = if is_array {
                        Expect::FirstOrEnd
                    } else {
                        Expect::FirstKeyOrEnd
                    };
                    at += 1;
                }
                (Expect::FirstOrEnd | Expect::CommaOrEnd, b']')
                    if level.is_some_and(|level| level.is_array) =>
                {
                    self.close();
                    at += 1;
                }
                (Expect::FirstKeyOrEnd | Expect::CommaOrEnd, b'}')
                    if level.is_some_and(|level| !level.is_array) =>
                {
                    if self.expect == Expect::FirstKeyOrEnd {
                        self.note_no_list();
                    }
                    self.close();
                    at += 1;
                    if self.levels.last().is_none_or(|level| level.is_list)
                        && let Some(rule) = self.end_page()
                    {
                        return Pull::Refuse(rule);
                    }
                }
                (Expect::CommaOrEnd, b',') => {
                    self.expect = match level {
                        Some(Level {
                            is_array: false, ..
                        }) => Expect::Key,
                        _ => Expect::Value,
                    };
                    at += 1;
                }
                (Expect::Colon, b':') => {
                    self.expect = Expect::Value;
                    at += 1;
                }
                (Expect::FirstKeyOrEnd | Expect::Key, b'"') => {
                    let mut reader = Strict::new(input, at);
                    match reader.text(None) {
                        Ok(text) => {
                            self.key.clear();
                            let name = input.get(text.from..text.to).unwrap_or_default();
                            let key = &mut self.key;
                            normalise(name, |byte| key.push(byte));
                            self.expect = Expect::Colon;
                            at = reader.at;
                        }
                        Err(Stop::More) if !is_last => return Pull::More(at),
                        Err(_) => return self.broken(input, at, is_last),
                    }
                }
                (Expect::Value | Expect::FirstOrEnd, _) => {
                    if self.levels.is_empty() && !self.has_started {
                        let line = input.get(at..).unwrap_or_default();
                        let line = line.get(..120).unwrap_or(line);
                        return Pull::Refuse(format!(
                            "it is not JSON; it begins with {}",
                            String::from_utf8_lossy(line)
                        ));
                    }
                    let mut reader = Strict::new(input, at);
                    match reader.scalar(is_last) {
                        Ok(()) => {
                            let value = input.get(at..reader.at).unwrap_or_default();
                            self.notice(value);
                            let after = reader.at;
                            self.close_value();
                            if is_element {
                                self.rows += 1;
                                return Pull::Bad(Flaw::NotAnObject, after);
                            }
                            at = after;
                        }
                        Err(Stop::More) if !is_last && input.len() - at < MAX_ROW_BYTES => {
                            return Pull::More(at);
                        }
                        Err(_) => return self.broken(input, at, is_last),
                    }
                }
                _ => return self.broken(input, at, is_last),
            }
            self.has_started = true;
        }
    }

    /// Handles the end of a value.
    fn close_value(&mut self) {
        self.expect = if self.levels.is_empty() {
            Expect::Value
        } else {
            Expect::CommaOrEnd
        };
    }

    fn close(&mut self) {
        let part = self.levels.pop().map(|level| level.part);
        let is_outer = self
            .levels
            .last()
            .is_none_or(|level| level.part != Part::Error);
        if part == Some(Part::Error) && is_outer {
            self.end_error();
        }
        self.close_value();
    }

    /// Reads the object at an offset as a row; `None` where the object is a page.
    fn row_or_page(
        &mut self,
        input: &[u8],
        at: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Option<Pull> {
        if let Some(after) = self.predict(input, at, fields) {
            self.rows += 1;
            self.has_started = true;
            self.close_value();
            return Some(Pull::Row(after));
        }
        self.new_row_or_page(input, at, is_last, names, fields)
    }

    /// The same for an object that fits no shape.
    #[inline(never)]
    fn new_row_or_page(
        &mut self,
        input: &[u8],
        at: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Option<Pull> {
        // A page that begins as the one before it: no part of it is read twice.
        let rest = input.get(at..).unwrap_or_default();
        if self.levels.is_empty() && !self.page.is_empty() && rest.starts_with(&self.page) {
            return None;
        }
        let mut reader = Strict::new(input, at);
        let mut sink = Sink::new(names, fields, &mut self.values);
        sink.can_be_page = self.levels.len() <= 1;
        sink.is_listed = self.levels.len() == 1;
        sink.is_first = self.levels.is_empty() && !self.has_started;
        match reader.value(&mut sink, 0) {
            Err(Stop::More) if !is_last && input.len() - at < MAX_ROW_BYTES => Some(Pull::More(at)),
            // The outermost list of rows has the rows.
            _ if sink.is_page() => None,
            // An answer that only says what failed.
            Ok(()) if sink.is_first && sink.has_error && sink.met == 0 => None,
            Ok(()) if sink.hides_rows() => Some(Pull::Refuse(format!(
                "its list {} has rows, under none of the names {}: give that list alone",
                String::from_utf8_lossy(&sink.other_list),
                LISTS.join(", ")
            ))),
            Ok(()) if !sink.ambiguous.is_empty() => Some(Pull::Refuse(sink.ambiguous)),
            Ok(()) => {
                let (can_learn, has_nested) = (!sink.has_odd, sink.has_nested());
                self.met = Some(self.met.unwrap_or(0) | sink.met);
                let met = match zones(|role| sink.name(role)) {
                    Ok(met) => met,
                    Err(why) => return Some(Pull::Refuse(why)),
                };
                for (known, zone) in self.zones.iter_mut().zip(met) {
                    if known.is_some() && zone.is_some() && *known != zone {
                        return Some(Pull::Refuse(
                            "the names of its times tell two offsets from UTC: give two files"
                                .to_owned(),
                        ));
                    }
                    *known = known.or(zone);
                }
                if sink.met == 0 && !sink.other_list.is_empty() {
                    self.other_list = core::mem::take(&mut sink.other_list);
                }
                if can_learn && !has_nested {
                    self.learn(input, at, reader.at);
                }
                self.rows += 1;
                self.has_started = true;
                self.close_value();
                Some(if has_nested {
                    Pull::Bad(Flaw::Nested, reader.at)
                } else {
                    Pull::Row(reader.at)
                })
            }
            Err(Stop::Page) => {
                if self.levels.is_empty() && !sink.has_list {
                    self.page = input.get(at..reader.at).unwrap_or_default().to_vec();
                }
                None
            }
            Err(Stop::Repeated) => Some(self.skip(input, at, is_last, Flaw::Repeated)),
            Err(Stop::More | Stop::Bad) => Some(self.skip(input, at, is_last, Flaw::Json)),
        }
    }
}

#[cfg(test)]
mod tests;
