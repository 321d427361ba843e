//! JSON rows without an object for any of them: in a page of CAKE's, an array, or one a line.
//!
//! Rows of one program have one shape. The first row of a shape is read by the strict reader and remembered as
//! the literals between its values; the rows after it are only compared with those, eight bytes at a time. A
//! row that fits a shape has the structure of a row that was validated; what fits none is read strictly.

use super::flaw::Flaw;
use super::names::{Fields, Kind, Names, Pull, ROLES, normalise};

const SHAPES: usize = 8;
const DEEPEST: usize = 48;
const LONGEST_PATH: usize = 96;
/// A row that goes on for longer has lost its end.
const LONGEST: usize = 1 << 20;
const NO_ROLE: u8 = u8::MAX;

/// Arrays of rows, by the name that they have in a page.
const LISTS: [&str; 9] = [
    "conversions",
    "clicks",
    "orders",
    "rows",
    "data",
    "deliveries",
    "events",
    "results",
    "refunds",
];

/// What only the envelope of an answer has.
const ENVELOPE: [&str; 4] = ["requeststatus", "success", "response", "totalrows"];

/// A literal of a shape, as words to be compared under a mask, and the value after it.
#[derive(Debug)]
struct Slot {
    words: (u32, u32),
    length: u32,
    is_text: bool,
    role: u8,
}

#[derive(Debug, Default)]
struct Shape {
    words: Vec<(u64, u64)>,
    slots: Vec<Slot>,
    /// The literal after the last value.
    tail: (u32, u32),
    tail_length: u32,
}

/// A value of a row that is being read strictly.
#[derive(Clone, Copy, Debug)]
struct Value {
    from: usize,
    to: usize,
    is_text: bool,
    role: u8,
}

/// Why the strict reader stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The bytes ended.
    More,
    /// Not JSON.
    Bad,
    /// A field came twice.
    Repeated,
    /// Not a row: a page that holds rows.
    Page,
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
}

/// Reads one file, or pages one after the other.
#[derive(Debug)]
pub(super) struct Json {
    shapes: Vec<Shape>,
    /// The shape that fitted last, and the one to be replaced next.
    last: usize,
    oldest: usize,
    levels: Vec<Level>,
    expect: Expect,
    key: Vec<u8>,
    rows: u32,
    failed: bool,
    message: Vec<u8>,
    has_started: bool,
    values: Vec<Value>,
    /// The name of the list of rows that was opened last.
    pub(super) list: &'static str,
    /// Only strictly: for the property tests.
    #[cfg(test)]
    is_strict: bool,
}

impl Json {
    pub(super) fn new() -> Self {
        Self {
            shapes: Vec::new(),
            last: 0,
            oldest: 0,
            levels: Vec::new(),
            expect: Expect::Value,
            key: Vec::new(),
            rows: 0,
            failed: false,
            message: Vec::new(),
            has_started: false,
            values: Vec::new(),
            list: "",
            #[cfg(test)]
            is_strict: false,
        }
    }

    /// The number of the last row, from 1.
    pub(super) fn row(&self) -> u32 {
        self.rows
    }

    /// Is something still open?
    pub(super) fn is_open(&self) -> bool {
        !self.levels.is_empty() || self.expect != Expect::Value
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each state of the document"
    )]
    pub(super) fn next(
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
                    self.levels.push(Level {
                        is_array: false,
                        is_list: false,
                    });
                    self.expect = Expect::FirstKeyOrEnd;
                    at += 1;
                }
                (Expect::Value | Expect::FirstOrEnd, b'{' | b'[') => {
                    if self.levels.len() >= DEEPEST {
                        return self.broken(input, at, is_last);
                    }
                    let is_array = byte == b'[';
                    let list = match level {
                        None => Some(""),
                        Some(level) if level.is_array => None,
                        Some(_) => LISTS.into_iter().find(|name| name.as_bytes() == self.key),
                    };
                    let list = list.filter(|_| is_array);
                    let holds_rows = list.is_some();
                    self.list = list.unwrap_or(self.list);
                    self.levels.push(Level {
                        is_array,
                        is_list: holds_rows,
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
                    self.close();
                    at += 1;
                    if self.failed && self.levels.is_empty() {
                        return Pull::Refuse(format!(
                            "it is no page of rows but a failure: {}",
                            String::from_utf8_lossy(&self.message)
                        ));
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
                        Err(Stop::More) if !is_last && input.len() - at < LONGEST => {
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

    /// A value has ended.
    fn close_value(&mut self) {
        self.expect = if self.levels.is_empty() {
            Expect::Value
        } else {
            Expect::CommaOrEnd
        };
    }

    fn close(&mut self) {
        self.levels.pop();
        self.close_value();
    }

    /// An answer that says no has no rows, and an empty list would be a lie.
    fn notice(&mut self, value: &[u8]) {
        match self.key.as_slice() {
            b"success" if value == b"false" => self.failed = true,
            b"requeststatus" if !value.eq_ignore_ascii_case(b"\"success\"") => {
                self.failed = true;
                if self.message.is_empty() {
                    self.message = value.to_vec();
                }
            }
            b"message" | b"error" => {
                self.message = value.get(..200).unwrap_or(value).to_vec();
            }
            _ => {}
        }
    }

    /// The object at a place as a row; `None` where it is a page.
    fn row_or_page(
        &mut self,
        input: &[u8],
        at: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Option<Pull> {
        fields.clear();
        #[cfg(test)]
        let is_predicted = !self.is_strict;
        #[cfg(not(test))]
        let is_predicted = true;
        if is_predicted && let Some(after) = self.predict(input, at, fields) {
            self.rows += 1;
            self.has_started = true;
            self.close_value();
            return Some(Pull::Row(after));
        }
        let can_be_page = self.levels.len() <= 1;
        let mut reader = Strict::new(input, at);
        let mut sink = Sink {
            names,
            fields,
            values: &mut self.values,
            best: [(u8::MAX, usize::MAX); ROLES],
            path: [0; LONGEST_PATH],
            path_length: 0,
            is_lost: false,
            can_be_page,
            has_odd: false,
        };
        sink.values.clear();
        match reader.value(&mut sink, 0) {
            Ok(()) => {
                let can_learn = !sink.has_odd;
                if can_learn {
                    self.learn(input, at, reader.at);
                }
                self.rows += 1;
                self.has_started = true;
                self.close_value();
                Some(Pull::Row(reader.at))
            }
            Err(Stop::Page) => None,
            Err(Stop::More) if !is_last && input.len() - at < LONGEST => Some(Pull::More(at)),
            Err(Stop::Repeated) => Some(self.skip(input, at, is_last, Flaw::Repeated)),
            Err(Stop::More | Stop::Bad) => Some(self.skip(input, at, is_last, Flaw::Json)),
        }
    }

    /// Goes on after a row that cannot be read: at its closing brace, or on the next line.
    fn skip(&mut self, input: &[u8], at: usize, is_last: bool, flaw: Flaw) -> Pull {
        let rest = input.get(at..).unwrap_or_default();
        let can_wait = !is_last && rest.len() < LONGEST;
        let line = rest.iter().position(|&byte| byte == b'\n');
        let brace = match_brace(rest);
        let next = brace.and_then(|end| {
            let next = rest.get(end..).unwrap_or_default().iter();
            next.copied()
                .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
        });
        // What comes next decides: it must not depend on where a piece of the file ends.
        if can_wait && (brace.is_none() || next.is_none() && self.levels.is_empty()) {
            return Pull::More(at);
        }
        let brace = brace.filter(|&end| {
            // A row without its brace would take the next one along, and one with a brace too many
            // would leave its rest behind.
            !self.levels.is_empty()
                || (line.is_none_or(|line| end <= line)
                    && next.is_none_or(|byte| matches!(byte, b'\n' | b'{')))
        });
        let end = match (brace, line) {
            (Some(end), _) => end,
            (None, Some(line)) => line + 1,
            (None, None) if can_wait => return Pull::More(at),
            (None, None) => {
                self.rows += 1;
                self.levels.clear();
                self.expect = Expect::Value;
                return Pull::Bad(Flaw::BrokenOff, input.len());
            }
        };
        self.rows += 1;
        self.has_started = true;
        self.close_value();
        Pull::Bad(flaw, at + end)
    }

    /// Goes on after something that has no place in JSON: at the next line, or the next row.
    fn broken(&mut self, input: &[u8], at: usize, is_last: bool) -> Pull {
        let rest = input.get(at..).unwrap_or_default();
        let next = if self.levels.is_empty() {
            rest.iter()
                .position(|&byte| byte == b'\n')
                .map(|line| line + 1)
        } else {
            let after = rest.get(1..).unwrap_or_default();
            after
                .iter()
                .position(|&byte| byte == b'{' || byte == b'\n')
                .map(|next| next + 1)
        };
        let Some(next) = next else {
            if !is_last && rest.len() < LONGEST {
                return Pull::More(at);
            }
            self.rows += 1;
            self.levels.clear();
            self.expect = Expect::Value;
            return Pull::Bad(Flaw::BrokenOff, input.len());
        };
        self.rows += 1;
        self.expect =
            if self.levels.last().is_some_and(|level| level.is_array) || self.levels.is_empty() {
                Expect::Value
            } else {
                Expect::CommaOrEnd
            };
        Pull::Bad(Flaw::Json, at + next)
    }

    fn learn(&mut self, input: &[u8], from: usize, to: usize) {
        let mut shape = Shape::default();
        let mut at = from;
        for value in &self.values {
            let Some(literal) = input.get(at..value.from) else {
                return;
            };
            let words = shape.push(literal);
            shape.slots.push(Slot {
                words,
                length: u32::try_from(literal.len()).unwrap_or(0),
                is_text: value.is_text,
                role: value.role,
            });
            at = value.to;
        }
        let Some(literal) = input.get(at..to) else {
            return;
        };
        shape.tail = shape.push(literal);
        shape.tail_length = u32::try_from(literal.len()).unwrap_or(0);
        if shape.words.len() > 1_000 {
            return;
        }
        if self.shapes.len() < SHAPES {
            self.last = self.shapes.len();
            self.shapes.push(shape);
        } else if let Some(slot) = self.shapes.get_mut(self.oldest) {
            *slot = shape;
            self.last = self.oldest;
            self.oldest = (self.oldest + 1) % SHAPES;
        }
    }

    fn predict(&mut self, input: &[u8], at: usize, fields: &mut Fields) -> Option<usize> {
        if let Some(shape) = self.shapes.get(self.last)
            && let Some(after) = shape.read(input, at, fields)
        {
            return Some(after);
        }
        for (index, shape) in self.shapes.iter().enumerate() {
            if index == self.last {
                continue;
            }
            fields.clear();
            if let Some(after) = shape.read(input, at, fields) {
                self.last = index;
                return Some(after);
            }
        }
        fields.clear();
        None
    }
}

impl Shape {
    fn push(&mut self, literal: &[u8]) -> (u32, u32) {
        let from = self.words.len();
        for chunk in literal.chunks(8) {
            let mut word = [0; 8];
            let mut mask = [0; 8];
            for ((slot, bits), &byte) in word.iter_mut().zip(&mut mask).zip(chunk) {
                *slot = byte;
                *bits = 0xFF;
            }
            self.words
                .push((u64::from_le_bytes(word), u64::from_le_bytes(mask)));
        }
        let place = |index: usize| u32::try_from(index).unwrap_or(0);
        (place(from), place(self.words.len()))
    }

    /// Does the literal stand there? Near the end of the input it is never found: the strict reader looks.
    fn fits(&self, input: &[u8], at: usize, (from, to): (u32, u32)) -> Option<()> {
        let words = self.words.get(from as usize..to as usize)?;
        let mut at = at;
        for &(word, mask) in words {
            let found = input.get(at..)?.first_chunk::<8>()?;
            if u64::from_le_bytes(*found) & mask != word {
                return None;
            }
            at += 8;
        }
        Some(())
    }

    fn read(&self, input: &[u8], at: usize, fields: &mut Fields) -> Option<usize> {
        let mut at = at;
        for slot in &self.slots {
            self.fits(input, at, slot.words)?;
            at += slot.length as usize;
            let end = if slot.is_text {
                plain_text(input, at)?
            } else {
                plain_number(input, at)?
            };
            if slot.role != NO_ROLE {
                let kind = if slot.is_text {
                    Kind::Text
                } else {
                    Kind::Number
                };
                fields.set(slot.role, at, end, kind);
            }
            at = end;
        }
        self.fits(input, at, self.tail)?;
        Some(at + self.tail_length as usize)
    }
}

/// The end of a text that has nothing but printable ASCII, without escapes.
fn plain_text(input: &[u8], from: usize) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    loop {
        let word = u64::from_le_bytes(*input.get(at..)?.first_chunk::<8>()?);
        let quote = word ^ (LOW * u64::from(b'"'));
        let escape = word ^ (LOW * u64::from(b'\\'));
        let quotes = quote.wrapping_sub(LOW) & !quote;
        let others =
            (escape.wrapping_sub(LOW) & !escape) | (word.wrapping_sub(LOW * 0x20) & !word) | word;
        let found = (quotes | others) & HIGH;
        if found != 0 {
            let place = found.trailing_zeros();
            at += (place / 8) as usize;
            // A borrow can only mark bytes behind a true one: the first is always true.
            return (input.get(at) == Some(&b'"')).then_some(at);
        }
        at += 8;
    }
}

/// The end of a number without an exponent.
fn plain_number(input: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    if input.get(at) == Some(&b'-') {
        at += 1;
    }
    let first = *input.get(at)?;
    if !first.is_ascii_digit() {
        return None;
    }
    at += 1;
    let mut next = *input.get(at)?;
    if first == b'0' && next.is_ascii_digit() {
        return None;
    }
    while next.is_ascii_digit() {
        at += 1;
        next = *input.get(at)?;
    }
    if next == b'.' {
        at += 1;
        next = *input.get(at)?;
        if !next.is_ascii_digit() {
            return None;
        }
        while next.is_ascii_digit() {
            at += 1;
            next = *input.get(at)?;
        }
    }
    (next != b'e' && next != b'E').then_some(at)
}

/// Where the object that begins there ends, by braces alone.
fn match_brace(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_u32;
    let mut is_text = false;
    let mut is_escaped = false;
    for (at, &byte) in bytes.iter().enumerate().take(LONGEST) {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the strict reader leaves what it found.
struct Sink<'a> {
    names: &'a Names,
    fields: &'a mut Fields,
    values: &'a mut Vec<Value>,
    /// Rank, and place among the values, of what each role has.
    best: [(u8, usize); ROLES],
    path: [u8; LONGEST_PATH],
    path_length: usize,
    /// The path was too long: nothing below has a role.
    is_lost: bool,
    can_be_page: bool,
    /// No shape can be made of this row.
    has_odd: bool,
}

impl Sink<'_> {
    fn push_path(&mut self, name: &[u8]) -> (usize, bool) {
        let before = (self.path_length, self.is_lost);
        // CAKE wraps each of its conversions.
        if before.0 == 0 && name == b"conversion" {
            return before;
        }
        let mut length = self.path_length;
        let mut is_lost = self.is_lost;
        let path = &mut self.path;
        let mut push = |byte| match path.get_mut(length) {
            Some(slot) => {
                *slot = byte;
                length += 1;
            }
            None => is_lost = true,
        };
        if before.0 > 0 {
            push(b'.');
        }
        normalise(name, push);
        self.path_length = length;
        self.is_lost = is_lost;
        before
    }

    fn path(&self) -> &[u8] {
        if self.is_lost {
            return &[];
        }
        self.path.get(..self.path_length).unwrap_or_default()
    }

    fn role(&self) -> Option<(u8, u8)> {
        self.names.find(self.path())
    }

    /// Does the role take this value, being of a better name? Of two equal names neither counts.
    fn takes(&mut self, role: u8, rank: u8, value: usize) -> Result<bool, Stop> {
        let Some(slot) = self.best.get_mut(usize::from(role)) else {
            return Ok(false);
        };
        if slot.0 == rank {
            return Err(Stop::Repeated);
        }
        if slot.0 < rank {
            return Ok(false);
        }
        if let Some(before) = self.values.get_mut(slot.1) {
            before.role = NO_ROLE;
        }
        *slot = (rank, value);
        Ok(true)
    }
}

#[derive(Clone, Copy)]
struct Text {
    from: usize,
    to: usize,
    has_escape: bool,
    is_ascii: bool,
}

/// A strict reader of JSON (RFC 8259).
struct Strict<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Strict<'a> {
    fn new(input: &'a [u8], at: usize) -> Self {
        Self { input, at }
    }

    fn peek(&mut self) -> Result<u8, Stop> {
        loop {
            match self.input.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(Stop::More),
            }
        }
    }

    fn value(&mut self, sink: &mut Sink<'_>, depth: usize) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::Bad);
        }
        match self.peek()? {
            b'{' => self.object(sink, depth),
            b'[' => self.array(sink, depth),
            b'"' => {
                let found = sink.role();
                let scratch = sink.fields.scratch.len();
                let text = self.text(found.map(|_| &mut sink.fields.scratch))?;
                let index = sink.values.len();
                if text.has_escape || !text.is_ascii {
                    sink.has_odd = true;
                }
                let mut role = NO_ROLE;
                if let Some((wanted, rank)) = found
                    && sink.takes(wanted, rank, index)?
                {
                    role = wanted;
                    if text.has_escape {
                        sink.fields.set_scratch(wanted, scratch);
                    } else {
                        sink.fields.set(wanted, text.from, text.to, Kind::Text);
                    }
                }
                sink.values.push(Value {
                    from: text.from,
                    to: text.to,
                    is_text: true,
                    role,
                });
                Ok(())
            }
            b't' => self.bool(b"true", sink),
            b'f' => self.bool(b"false", sink),
            b'n' => self.word(b"null"),
            _ => {
                let from = self.at;
                self.number(false)?;
                let index = sink.values.len();
                let mut role = NO_ROLE;
                if let Some((wanted, rank)) = sink.role()
                    && sink.takes(wanted, rank, index)?
                {
                    role = wanted;
                    sink.fields.set(wanted, from, self.at, Kind::Number);
                }
                sink.values.push(Value {
                    from,
                    to: self.at,
                    is_text: false,
                    role,
                });
                Ok(())
            }
        }
    }

    fn bool(&mut self, word: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        let from = self.at;
        self.word(word)?;
        if let Some((role, rank)) = sink.role()
            && sink.takes(role, rank, usize::MAX)?
        {
            sink.fields.set(role, from, self.at, Kind::Bool);
            sink.has_odd = true;
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Stop> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(if word.starts_with(rest) {
            Stop::More
        } else {
            Stop::Bad
        })
    }

    fn object(&mut self, sink: &mut Sink<'_>, depth: usize) -> Result<(), Stop> {
        self.at += 1;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return Err(Stop::Bad);
            }
            let scratch = sink.fields.scratch.len();
            let text = self.text(Some(&mut sink.fields.scratch))?;
            if text.has_escape || !text.is_ascii {
                sink.has_odd |= text.has_escape;
            }
            let mut name = [0; LONGEST_PATH];
            let raw = if text.has_escape {
                sink.fields.scratch.get(scratch..).unwrap_or_default()
            } else {
                self.input.get(text.from..text.to).unwrap_or_default()
            };
            // A name that is too long for any role.
            let length = raw.len().min(LONGEST_PATH);
            if let (Some(slot), Some(raw)) = (name.get_mut(..length), raw.get(..length)) {
                slot.copy_from_slice(raw);
            }
            let before = sink.push_path(name.get(..length).unwrap_or_default());
            if self.peek()? != b':' {
                return Err(Stop::Bad);
            }
            self.at += 1;
            if sink.can_be_page && depth < 3 {
                let byte = self.peek()?;
                let name = sink.path().rsplit(|&byte| byte == b'.').next();
                let is = |list: &[&str]| {
                    name.is_some_and(|name| list.iter().any(|word| word.as_bytes() == name))
                };
                if (byte == b'[' && is(&LISTS)) || (depth == 0 && is(&ENVELOPE)) {
                    return Err(Stop::Page);
                }
            }
            self.value(sink, depth + 1)?;
            (sink.path_length, sink.is_lost) = before;
            match self.peek()? {
                b',' => {
                    self.at += 1;
                }
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Stop::Bad),
            }
        }
    }

    fn array(&mut self, sink: &mut Sink<'_>, depth: usize) -> Result<(), Stop> {
        self.at += 1;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        // What is in an array has no role.
        let before = (sink.path_length, sink.is_lost);
        sink.is_lost = true;
        loop {
            self.value(sink, depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    (sink.path_length, sink.is_lost) = before;
                    return Ok(());
                }
                _ => return Err(Stop::Bad),
            }
        }
    }

    /// Neither object nor array.
    fn scalar(&mut self, is_last: bool) -> Result<(), Stop> {
        match self.peek()? {
            b'"' => self.text(None).map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(is_last),
        }
    }

    /// A number. One that the bytes end with may go on, unless they are the last.
    fn number(&mut self, is_last: bool) -> Result<(), Stop> {
        let end = if is_last {
            Err(Stop::Bad)
        } else {
            Err(Stop::More)
        };
        let byte = |at: usize| self.input.get(at).copied();
        let digits = |mut at: usize| {
            while byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
                at += 1;
            }
            at
        };
        let mut at = self.at;
        if byte(at) == Some(b'-') {
            at += 1;
        }
        let after = match byte(at) {
            Some(b'0') => at + 1,
            Some(b'1'..=b'9') => digits(at),
            Some(_) => return Err(Stop::Bad),
            None => return end,
        };
        at = after;
        if byte(at) == Some(b'.') {
            at = digits(at + 1);
            if at == after + 1 {
                return if byte(at).is_some() {
                    Err(Stop::Bad)
                } else {
                    end
                };
            }
        }
        if let Some(b'e' | b'E') = byte(at) {
            at += 1;
            if let Some(b'+' | b'-') = byte(at) {
                at += 1;
            }
            let from = at;
            at = digits(at);
            if at == from {
                return if byte(at).is_some() {
                    Err(Stop::Bad)
                } else {
                    end
                };
            }
        }
        if byte(at).is_none() && !is_last {
            return Err(Stop::More);
        }
        self.at = at;
        Ok(())
    }

    /// A text in quotes; unescaped into `output` where it has escapes.
    fn text(&mut self, mut output: Option<&mut Vec<u8>>) -> Result<Text, Stop> {
        let from = self.at + 1;
        let mut at = from;
        let mut has_escape = false;
        let mut is_ascii = true;
        let mut plain = from;
        let copy = |output: &mut Option<&mut Vec<u8>>, input: &[u8], from: usize, to: usize| {
            if let Some(output) = output {
                output.extend_from_slice(input.get(from..to).unwrap_or_default());
            }
        };
        loop {
            let Some(&byte) = self.input.get(at) else {
                return Err(Stop::More);
            };
            match byte {
                b'"' => break,
                b'\\' => {
                    copy(&mut output, self.input, plain, at);
                    has_escape = true;
                    at = self.escape(at + 1, &mut output)?;
                    plain = at;
                }
                0..0x20 => return Err(Stop::Bad),
                _ => {
                    is_ascii &= byte.is_ascii();
                    at += 1;
                }
            }
        }
        if has_escape {
            copy(&mut output, self.input, plain, at);
        }
        let raw = self.input.get(from..at).unwrap_or_default();
        if !is_ascii && core::str::from_utf8(raw).is_err() {
            return Err(Stop::Bad);
        }
        self.at = at + 1;
        Ok(Text {
            from,
            to: at,
            has_escape,
            is_ascii,
        })
    }

    fn escape(&self, at: usize, output: &mut Option<&mut Vec<u8>>) -> Result<usize, Stop> {
        let Some(&byte) = self.input.get(at) else {
            return Err(Stop::More);
        };
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (high, mut at) = self.hex(at + 1)?;
                let mut code = high;
                if (0xD800..0xDC00).contains(&high) {
                    for expected in [b'\\', b'u'] {
                        match self.input.get(at) {
                            Some(&byte) if byte == expected => at += 1,
                            Some(_) => return Err(Stop::Bad),
                            None => return Err(Stop::More),
                        }
                    }
                    let (low, after) = self.hex(at)?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(Stop::Bad);
                    }
                    code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    at = after;
                }
                let character = char::from_u32(code).ok_or(Stop::Bad)?;
                if let Some(output) = output {
                    let mut bytes = [0; 4];
                    output.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
                }
                return Ok(at);
            }
            _ => return Err(Stop::Bad),
        };
        if let Some(output) = output {
            output.push(plain);
        }
        Ok(at + 1)
    }

    fn hex(&self, at: usize) -> Result<(u32, usize), Stop> {
        let mut code = 0;
        for index in 0..4 {
            let Some(&byte) = self.input.get(at + index) else {
                return Err(Stop::More);
            };
            code = code * 16 + char::from(byte).to_digit(16).ok_or(Stop::Bad)?;
        }
        Ok((code, at + 4))
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::{Role, RowKind};
    use super::*;
    use proptest::prelude::*;

    type Row = Result<Vec<Option<String>>, Flaw>;

    const SHOWN: [Role; 6] = [
        Role::ConversionId,
        Role::UniqueId,
        Role::OfferId,
        Role::Payout,
        Role::Date,
        Role::Status,
    ];

    fn read(text: &[u8], piece: usize, is_strict: bool) -> Result<Vec<Row>, String> {
        let names = Names::of(RowKind::Conversions, "").unwrap();
        let mut json = Json {
            is_strict,
            ..Json::new()
        };
        let mut fields = Fields::default();
        let mut rows = Vec::new();
        let mut at = 0;
        let mut end = 0;
        loop {
            let is_last = end == text.len();
            let input = &text[..end];
            loop {
                match json.next(input, at, is_last, &names, &mut fields) {
                    Pull::Row(after) => {
                        rows.push(Ok(SHOWN
                            .map(|role| {
                                (fields.kind(role) != Kind::Absent).then(|| {
                                    String::from_utf8_lossy(fields.text(role, input)).into_owned()
                                })
                            })
                            .to_vec()));
                        at = after;
                    }
                    Pull::Bad(flaw, after) => {
                        rows.push(Err(flaw));
                        at = after;
                    }
                    Pull::More(after) => {
                        at = after;
                        break;
                    }
                    Pull::Refuse(rule) => return Err(rule),
                }
            }
            if is_last {
                if json.is_open() {
                    rows.push(Err(Flaw::BrokenOff));
                }
                return Ok(rows);
            }
            end = (end + piece).min(text.len());
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the readers answer")]
    fn row(values: [&str; 6]) -> Row {
        Ok(values
            .map(|value| (value != "-").then(|| value.to_owned()))
            .to_vec())
    }

    #[test]
    fn rows_are_found_in_every_shape_that_cake_answers() {
        let report = r#"{"request_status":"Success","response":{"data":{"conversions":[{"conversion_id":998877,"conversion_date":"2026-01-15 14:30:00","offer_id":12345,"affiliate_id":67890,"payout":18.00,"revenue":22.00,"conversion_status":"approved","unique_id":"ORD-98765"},{"conversion_id":998878,"conversion_date":"2026-01-15 14:31:00","offer_id":12345,"affiliate_id":67890,"payout":18.00,"revenue":22.00,"conversion_status":"pending","unique_id":"ORD-98766"}]}}}"#;
        let list = r#"{"request_status":"Success","total_rows":1,"conversions":[{"conversion":{"conversion_id":998877,"offer":{"offer_id":12345,"offer_name":"Auto"},"payout":18.00,"conversion_status":"approved","conversion_date":"2026-06-19 14:30:00"}}]}"#;
        let first = row([
            "998877",
            "ORD-98765",
            "12345",
            "18.00",
            "2026-01-15 14:30:00",
            "approved",
        ]);
        let second = row([
            "998878",
            "ORD-98766",
            "12345",
            "18.00",
            "2026-01-15 14:31:00",
            "pending",
        ]);
        let wrapped = row([
            "998877",
            "-",
            "12345",
            "18.00",
            "2026-06-19 14:30:00",
            "approved",
        ]);
        let plain = r#"{"conversionId":1,"uniqueId":"A","payoutText":"1.50","payout":1.5}"#;
        let simple = row(["1", "A", "-", "1.50", "-", "-"]);
        for (text, expected) in [
            (report.to_owned(), vec![first.clone(), second.clone()]),
            (list.to_owned(), vec![wrapped.clone()]),
            (
                format!("{report}\n{list}"),
                vec![first.clone(), second.clone(), wrapped.clone()],
            ),
            (
                format!("[{report},\n {list}]"),
                vec![first, second, wrapped],
            ),
            (
                format!("{plain}\n{plain}\n"),
                vec![simple.clone(), simple.clone()],
            ),
            (
                format!(" [ {plain} , {plain} ] "),
                vec![simple.clone(), simple.clone()],
            ),
            (
                format!("{{\"shop\":\"x\",\"orders\":[{plain}]}}"),
                vec![simple],
            ),
            (
                "{\"request_status\":\"Success\",\"response\":{\"total_rows\":0}}".to_owned(),
                vec![],
            ),
            (
                "{\"request_status\":\"Success\",\"conversions\":[]}".to_owned(),
                vec![],
            ),
            ("[]".to_owned(), vec![]),
        ] {
            for piece in [1, 7, 10_000] {
                assert_eq!(
                    read(text.as_bytes(), piece, false).as_ref(),
                    Ok(&expected),
                    "{text} by {piece}"
                );
            }
        }
    }

    #[test]
    fn an_answer_that_says_no_is_no_empty_list() {
        for (text, part) in [
            (
                "{\"success\":false,\"message\":\"Invalid API Key\"}",
                "Invalid API Key",
            ),
            (
                "{\"request_status\":\"Failed\",\"conversions\":[]}",
                "Failed",
            ),
            ("<html>502</html>", "<html>"),
        ] {
            let rule = read(text.as_bytes(), 1_000, false).unwrap_err();
            assert!(rule.contains(part), "{rule}");
        }
    }

    #[test]
    fn what_is_no_row_is_listed_and_the_next_one_read() {
        let good = r#"{"conversion_id":1,"unique_id":"A"}"#;
        let read_good = row(["1", "A", "-", "-", "-", "-"]);
        for (text, expected) in [
            (
                format!("[{good},{{\"conversion_id\":01}},{good}]"),
                vec![read_good.clone(), Err(Flaw::Json), read_good.clone()],
            ),
            (
                format!("{good}\n{{\"unique_id\":\n{good}\n"),
                vec![read_good.clone(), Err(Flaw::Json), read_good.clone()],
            ),
            (
                format!("[{good},null,7,{good}]"),
                vec![
                    read_good.clone(),
                    Err(Flaw::NotAnObject),
                    Err(Flaw::NotAnObject),
                    read_good.clone(),
                ],
            ),
            (
                format!("[{{\"unique_id\":\"A\",\"unique_id\":\"B\"}},{good}]"),
                vec![Err(Flaw::Repeated), read_good.clone()],
            ),
            (
                format!("[{good},{{\"unique_id\":\"A"),
                vec![read_good.clone(), Err(Flaw::BrokenOff)],
            ),
            (
                format!("[{good},"),
                vec![read_good.clone(), Err(Flaw::BrokenOff)],
            ),
            (
                format!("{{\"conversions\":[{good}"),
                vec![read_good.clone(), Err(Flaw::BrokenOff)],
            ),
            (
                format!("{good}\n{{\"unique_id\":\"\\ud800\"}}\n{good}"),
                vec![read_good.clone(), Err(Flaw::Json), read_good.clone()],
            ),
        ] {
            for piece in [1, 7, 10_000] {
                assert_eq!(
                    read(text.as_bytes(), piece, false).as_ref(),
                    Ok(&expected),
                    "{text} by {piece}"
                );
            }
        }
    }

    /// The same by serde, for rows one a line.
    fn by_serde(line: &str) -> Row {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|_| Flaw::Json)?;
        let Some(object) = value.as_object() else {
            return Err(Flaw::NotAnObject);
        };
        let raw: std::collections::HashMap<String, &serde_json::value::RawValue> =
            serde_json::from_str(line).map_err(|_| Flaw::Json)?;
        // Case, blanks and punctuation of a name do not matter.
        let find = |name: &str| {
            object.keys().find(|key| {
                let mut letters = Vec::new();
                normalise(key.as_bytes(), |byte| letters.push(byte));
                letters == name.replace('_', "").as_bytes()
            })
        };
        let text = |name: &str| match &object[find(name)?] {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(_) => Some(raw[find(name)?].get().to_owned()),
            serde_json::Value::Bool(bool) => Some(bool.to_string()),
            _ => None,
        };
        Ok([
            "conversion_id",
            "unique_id",
            "offer_id",
            "payout",
            "conversion_date",
            "conversion_status",
        ]
        .map(text)
        .to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Rows that a program might write, mutated: both readers and serde agree.
        #[test]
        fn predicted_strict_and_serde_agree(
            ids in proptest::collection::vec((0_u32..2_000_000, "[A-Za-z0-9 é\"\\\\/.-]{0,20}", 0_u32..40_000), 1..12),
            mutations in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0_u8), Just(1), Just(2)], "[ \\{\\}\\[\\]\",:0-9.+\\-a-df-z\\\\\n]"), 0..4),
            piece in 1_usize..400,
        ) {
            let mut lines: Vec<String> = ids.iter().map(|(id, unique, payout)| {
                let unique = serde_json::to_string(unique).unwrap();
                format!("{{\"conversion_id\":{id},\"conversion_date\":\"2026-01-15 14:30:00\",\"is_test\":false,\"offer_id\":{},\"payout\":{}.{:02},\"conversion_status\":\"approved\",\"unique_id\":{unique}}}", id % 40, payout / 100, payout % 100)
            }).collect();
            for (place, what, with) in &mutations {
                let count = lines.len();
                let line = &mut lines[place.index(count)];
                let chars: Vec<char> = line.chars().collect();
                let at = place.index(chars.len());
                let with = with.chars().next().unwrap();
                // Rows stay one a line, so that serde can be asked about each.
                if with == '\n' || chars.len() < 2 { continue; }
                *line = match what {
                    0 => chars.iter().enumerate().map(|(i, &c)| if i == at { with } else { c }).collect(),
                    1 => chars.iter().enumerate().filter(|&(i, _)| i != at).map(|(_, &c)| c).collect(),
                    _ => chars.iter().enumerate().flat_map(|(i, &c)| if i == at { vec![with, c] } else { vec![c] }).collect(),
                };
            }
            // What is no object, or more than one, is another test's.
            prop_assume!(lines.iter().all(|line| line.starts_with('{')));
            let expected: Vec<Row> = lines.iter().map(|line| by_serde(line)).collect();
            // A key that comes twice: serde takes the last one, we refuse. A key of an envelope makes a page.
            prop_assume!(lines.iter().zip(&expected).all(|(line, row)| row.is_err() || ["conversion_id", "unique_id", "payout", "offer_id", "conversion_date", "conversion_status"].iter().all(|key| line.matches(&format!("\"{key}\"")).count() <= 1)));
            let text = lines.join("\n");
            let strict = read(text.as_bytes(), piece, true).unwrap();
            let predicted = read(text.as_bytes(), piece, false).unwrap();
            prop_assert_eq!(&predicted, &strict, "{}", text);
            // Two values on one line are two rows to us.
            if lines.iter().zip(&expected).all(|(line, row)| row.is_ok() || serde_json::Deserializer::from_str(line).into_iter::<serde_json::Value>().next().is_some_and(|first| first.is_err())) {
                let normal = |rows: &[Row]| rows.iter().map(|row| row.clone().map_err(|_| ())).collect::<Vec<_>>();
                prop_assert_eq!(normal(&strict), normal(&expected), "{}", text);
            }
        }
    }
}
