//! The strict reader of JSON (RFC 8259).

use super::page::{is_connected, is_error, is_list_of_rows, is_word_of_page};
use super::sink::{PAID_SCHEDULES, REFUNDED_CHARGES, Sink, Stop};
use super::{ENVELOPE, MAX_DEPTH, MAX_PATH_BYTES, NO_ROLE, Value};
use crate::report::names::{Fields, Kind, Role};

#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) has_escape: bool,
    pub(super) is_ascii: bool,
}

/// A strict reader of JSON (RFC 8259).
pub(super) struct Strict<'a> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Strict<'a> {
    pub(super) fn new(input: &'a [u8], at: usize) -> Self {
        Self { input, at }
    }

    pub(super) fn peek(&mut self) -> Result<u8, Stop> {
        loop {
            match self.input.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(Stop::More),
            }
        }
    }

    pub(super) fn value(&mut self, sink: &mut Sink<'_>, depth: usize) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Bad);
        }
        let first = self.peek()?;
        let found = sink.role();
        if let b'{' | b'[' = first {
            let said = sink.said;
            let before = if found.is_some() {
                core::mem::take(&mut sink.met)
            } else {
                0
            };
            if first == b'{' {
                self.object(sink, depth)?;
            } else {
                self.array(sink, depth)?;
            }
            if let Some(found) = found {
                sink.leave_nested(found, before, sink.said > said);
            }
            return Ok(());
        }
        sink.met |= found.map_or(0, |(role, _)| 1 << role);
        sink.said += usize::from(first != b'n');
        match first {
            b'"' => {
                let scratch = sink.fields.scratch.len();
                let text = self.text(found.map(|_| &mut sink.fields.scratch))?;
                let index = sink.values.len();
                if text.has_escape || !text.is_ascii {
                    sink.has_odd = true;
                }
                let mut role = NO_ROLE;
                if let Some((wanted, rank)) = found
                    && !sink.adds_up(self.input, wanted, rank, (text.from, text.to))
                    && sink.record(wanted, rank, index)?
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
            b't' => self.bool(b"true", sink, found),
            b'f' => self.bool(b"false", sink, found),
            b'n' => self.word(b"null"),
            _ => {
                let from = self.at;
                self.number(false)?;
                let index = sink.values.len();
                let mut role = NO_ROLE;
                if let Some((wanted, rank)) = found
                    && !sink.adds_up(self.input, wanted, rank, (from, self.at))
                    && sink.record(wanted, rank, index)?
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

    fn bool(
        &mut self,
        word: &[u8],
        sink: &mut Sink<'_>,
        found: Option<(u8, u8)>,
    ) -> Result<(), Stop> {
        let from = self.at;
        self.word(word)?;
        // Nearly every row is no test, not disputed, not refunded and paid: such a word stays a part of its shape.
        let says_more = |role| match role {
            _ if role == Role::Test as u8 => sink.names.says_test(word) == Ok(true),
            _ if role == Role::Disputed as u8 || role == Role::RefundIds as u8 => word == b"true",
            _ => role != Role::State as u8 || word == b"false",
        };
        if let Some((role, rank)) = found
            && says_more(role)
            && sink.record(role, rank, usize::MAX)?
        {
            sink.fields.set(role, from, self.at, Kind::Bool);
            sink.has_odd = true;
        }
        Ok(())
    }

    pub(super) fn word(&mut self, word: &[u8]) -> Result<(), Stop> {
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

    pub(super) fn object(&mut self, sink: &mut Sink<'_>, depth: usize) -> Result<(), Stop> {
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
            let mut name = [0; MAX_PATH_BYTES];
            let raw = if text.has_escape {
                sink.fields.scratch.get(scratch..).unwrap_or_default()
            } else {
                self.input.get(text.from..text.to).unwrap_or_default()
            };
            // The name is too long for any role.
            let length = raw.len().min(MAX_PATH_BYTES);
            if let (Some(slot), Some(raw)) = (name.get_mut(..length), raw.get(..length)) {
                slot.copy_from_slice(raw);
            }
            let name = name.get(..length).unwrap_or_default();
            let before = sink.push_path(name);
            if self.peek()? != b':' {
                return Err(Stop::Bad);
            }
            self.at += 1;
            if sink.can_be_page && depth < 3 {
                let byte = self.peek()?;
                let last = sink.path().rsplit(|&byte| byte == b'.').next();
                let is = |list: &[&str]| {
                    last.is_some_and(|name| list.iter().any(|word| word.as_bytes() == name))
                };
                // The older services wrap their answers in `d`.
                let is_outer = depth == 0 || depth == 1 && sink.path().starts_with(b"d.");
                let is_mark = is_outer && is(&ENVELOPE) && !sink.has_id();
                let is_list = byte == b'[' && is_list_of_rows(sink.path());
                let is_word = !sink.is_listed && depth == 0 && last.is_some_and(is_word_of_page);
                let names_error = depth == 0 && last.is_some_and(is_error);
                if is_mark && !(sink.is_listed && is(&["success"])) {
                    return Err(Stop::Page);
                }
                sink.has_list |= is_mark;
                sink.has_word_of_page |= is_word;
                sink.has_error |= names_error;
                if is_list {
                    self.meet_list(sink)?;
                } else if byte == b'[' && (sink.other_list.is_empty() || sink.is_first) {
                    self.meet_other_list(sink, name)?;
                }
            } else if sink.can_be_page && is_connected(sink.path()) && self.peek()? == b'[' {
                self.meet_list(sink)?;
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

    /// Meets a list in an object that may be a page. A page of rows need not be read to its end.
    #[cfg_attr(small_cold, optimize(size))]
    fn meet_list(&self, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let mut reader = Strict::new(self.input, self.at + 1);
        sink.has_list = true;
        let mut has_rows = false;
        if reader.peek()? == b'{' {
            let (mut fields, mut values) = (Fields::default(), Vec::new());
            let mut first = Sink::new(sink.names, &mut fields, &mut values);
            has_rows = match reader.value(&mut first, 0) {
                Err(Stop::More) => return Err(Stop::More),
                Err(_) => true,
                Ok(()) => first.has_id(),
            };
        }
        sink.has_rows |= has_rows;
        if has_rows && !sink.is_listed && !sink.has_id() {
            return Err(Stop::Page);
        }
        Ok(())
    }

    /// Meets a list by another name. A file that begins with a page may have its rows there.
    #[cfg_attr(small_cold, optimize(size))]
    fn meet_other_list(&self, sink: &mut Sink<'_>, name: &[u8]) -> Result<(), Stop> {
        let mut reader = Strict::new(self.input, self.at + 1);
        if reader.peek()? != b'{' {
            return Ok(());
        }
        let mut has_sales = false;
        if sink.is_first && !sink.has_sales {
            let (mut fields, mut values) = (Fields::default(), Vec::new());
            let mut first = Sink::new(sink.names, &mut fields, &mut values);
            match reader.value(&mut first, 0) {
                Err(Stop::More) => return Err(Stop::More),
                outcome => has_sales = outcome.is_ok() && first.is_sale(),
            }
        }
        sink.has_sales |= has_sales;
        if sink.other_list.is_empty() || has_sales {
            sink.other_list = name.to_vec();
        }
        Ok(())
    }

    pub(super) fn array(&mut self, sink: &mut Sink<'_>, depth: usize) -> Result<(), Stop> {
        self.at += 1;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        // Values in an array have no role, but for the refunds that an order lists, which are added up, and its payments.
        // Older payment intents of Stripe's list their charges.
        let before = (sink.path_length, sink.is_lost);
        let listed: &[u8] = match sink.path() {
            b"refunds" => b"refunds.id",
            b"charges.data" => REFUNDED_CHARGES,
            b"paymentterms.paymentschedules" => PAID_SCHEDULES,
            _ => &[],
        };
        let has_roles = !listed.is_empty() && sink.names.find(listed).is_some();
        sink.is_lost = !has_roles;
        sink.has_odd |= has_roles;
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

    /// A value that is neither object nor array.
    pub(super) fn scalar(&mut self, is_last: bool) -> Result<(), Stop> {
        match self.peek()? {
            b'"' => self.text(None).map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(is_last),
        }
    }

    /// Reads a number. A number at the end of the bytes may continue, unless these bytes are the
    /// last.
    pub(super) fn number(&mut self, is_last: bool) -> Result<(), Stop> {
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

    /// Reads a text in quotes; unescapes it into `output` where it has escapes.
    pub(super) fn text(&mut self, mut output: Option<&mut Vec<u8>>) -> Result<Text, Stop> {
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

    pub(super) fn escape(
        &self,
        at: usize,
        output: &mut Option<&mut Vec<u8>>,
    ) -> Result<usize, Stop> {
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

    pub(super) fn hex(&self, at: usize) -> Result<(u32, usize), Stop> {
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
