//! JSON as CAKE writes it and as callers hand it over, read field by field.
//!
//! The reader is our own, because numbers must keep their digits and depth must not matter. Also,
//! serde's reader brings 40 kB of code that formats floating point for error messages which nobody
//! sees. The tests compare it with serde's.

use crate::link::MAX_ID;
use std::borrow::Cow;

/// A value as it was written; known to be JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a>(&'a str);

/// An object's fields, in order.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    fields: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// Reads a whole text as one object.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let mut fields = Vec::new();
        scanner.expect(b'{')?;
        if !scanner.eat(b'}') {
            loop {
                let name = scanner.string()?;
                scanner.expect(b':')?;
                fields.push((unescape(name), scanner.value()?));
                if !scanner.eat(b',') {
                    break;
                }
            }
            scanner.expect(b'}')?;
        }
        scanner.ends().then_some(Self { fields })
    }

    /// The field's value; `None` where it is missing or null. The last of several fields of one
    /// name counts, as in JavaScript.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.fields
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| *value)
            .filter(|value| value.0 != "null")
    }

    /// Keeps the fields that `keep` accepts.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str, Value<'a>) -> bool) {
        self.fields.retain(|(name, value)| keep(name, *value));
    }

    /// Every name and value, nulls among them.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, Value<'a>)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_ref(), *value))
    }
}

/// The first name that occurs twice in one object of a JSON text, at any depth. Readers differ in
/// which of the two counts. `None` also for a text that is no JSON.
#[cfg(any(test, feature = "forwarder"))]
pub(crate) fn repeated_name(json: &str) -> Option<String> {
    let mut open = vec![Scanner::new(json).value()?];
    while let Some(value) = open.pop() {
        if let Some(object) = value.object() {
            let mut names: Vec<&str> = object.entries().map(|(name, _)| name).collect();
            names.sort_unstable();
            let mut pairs = names.iter().zip(names.iter().skip(1));
            if let Some((name, _)) = pairs.find(|(one, next)| one == next) {
                return Some((*name).to_owned());
            }
            open.extend(object.entries().map(|(_, value)| value));
        } else {
            open.extend(value.array().unwrap_or_default());
        }
    }
    None
}

impl<'a> Value<'a> {
    /// Reads a whole text as one value.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.ends().then_some(value)
    }

    /// The JSON text itself.
    pub(crate) fn json(self) -> &'a str {
        self.0
    }

    /// A JSON string's text.
    pub(crate) fn string(self) -> Option<String> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        Some(unescape(inner).into_owned())
    }

    /// A JSON number's digits, as they were written.
    pub(crate) fn number(self) -> Option<&'a str> {
        self.0
            .starts_with(|first: char| first == '-' || first.is_ascii_digit())
            .then_some(self.0)
    }

    /// The text that a person would read: a string's text, a number's digits.
    pub(crate) fn text(self) -> Option<String> {
        self.number().map(str::to_owned).or_else(|| self.string())
    }

    /// Is it true? CAKE also writes `1` and `"true"`.
    pub(crate) fn is_true(self) -> bool {
        matches!(self.0, "true" | "1" | "\"true\"" | "\"True\"" | "\"1\"")
    }

    /// Is it false, in the same spellings?
    pub(crate) fn is_false(self) -> bool {
        matches!(self.0, "false" | "0" | "\"false\"" | "\"False\"" | "\"0\"")
    }

    /// A JSON boolean and nothing else.
    pub(crate) fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn object(self) -> Option<Object<'a>> {
        Object::read(self.0)
    }

    /// The name of an object's first field.
    pub(crate) fn first_name(self) -> Option<Cow<'a, str>> {
        let mut scanner = Scanner::new(self.0);
        scanner.expect(b'{')?;
        scanner.string().map(unescape)
    }

    pub(crate) fn array(self) -> Option<Vec<Value<'a>>> {
        let mut scanner = Scanner::new(self.0);
        let mut items = Vec::new();
        scanner.expect(b'[')?;
        if !scanner.eat(b']') {
            loop {
                items.push(scanner.value()?);
                if !scanner.eat(b',') {
                    break;
                }
            }
            scanner.expect(b']')?;
        }
        scanner.ends().then_some(items)
    }
}

/// Walks through a JSON text. Every method passes over white space first.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte here, white space too.
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.byte()
    }

    /// Passes over `wanted`, if it is here.
    fn eat(&mut self, wanted: u8) -> bool {
        let is_here = self.peek() == Some(wanted);
        self.at += usize::from(is_here);
        is_here
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.eat(wanted).then_some(())
    }

    fn ends(&mut self) -> bool {
        self.peek().is_none()
    }

    /// A string, without its quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.byte()? {
                b'"' => {
                    let inner = self.text.get(start..self.at);
                    self.at += 1;
                    return inner;
                }
                b'\\' => {
                    self.at += 1;
                    let digits = match self.byte()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 0,
                        b'u' => 4,
                        _ => return None,
                    };
                    self.at += 1;
                    for _ in 0..digits {
                        self.byte().filter(u8::is_ascii_hexdigit)?;
                        self.at += 1;
                    }
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
    }

    /// Passes over digits, one at least.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then_some(())?;
        self.at += word.len();
        Some(())
    }

    /// A value of any kind. Depth costs a byte each and no stack.
    fn value(&mut self) -> Option<Value<'a>> {
        self.peek()?;
        let start = self.at;
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    if !self.eat(b'}') {
                        open.push(b'}');
                        self.string()?;
                        self.expect(b':')?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if !self.eat(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => drop(self.string()?),
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            // A value has ended, and perhaps the list or object around it.
            loop {
                let Some(end) = open.last().copied() else {
                    return self.text.get(start..self.at).map(Value);
                };
                if self.eat(b',') {
                    if end == b'}' {
                        self.string()?;
                        self.expect(b':')?;
                    }
                    break;
                }
                self.expect(end)?;
                open.pop();
            }
        }
    }
}

/// A string's text, from the characters between its quotes. Half a surrogate pair becomes U+FFFD.
fn unescape(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    let mut buffer = [0; 2];
    while let Some(character) = rest.next() {
        let plain = match character {
            '\\' => match rest.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('u') => {
                    let code = rest.by_ref().take(4).fold(0, |code, digit| {
                        code << 4 | digit.to_digit(16).unwrap_or_default()
                    });
                    units.push(u16::try_from(code).unwrap_or_default());
                    continue;
                }
                Some(itself) => itself,
                None => break,
            },
            plain => plain,
        };
        units.extend_from_slice(plain.encode_utf16(&mut buffer));
    }
    Cow::Owned(String::from_utf16_lossy(&units))
}

/// A whole number from 0 to 2^53-1, written with digits alone.
pub(crate) fn parse_integer(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|number: &u64| *number <= MAX_ID)
}

/// Like [`parse_integer`] for an id, which may end in `.0`: spreadsheets and some languages write
/// whole numbers like this.
pub(crate) fn parse_id(digits: &str) -> Option<u64> {
    match digits.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            parse_integer(whole)
        }
        _ => parse_integer(digits),
    }
}

/// Is the whole text one JSON value?
pub(crate) fn is_json(text: &str) -> bool {
    Value::read(text).is_some()
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    let is_escaped = |character: char| matches!(character, '"' | '\\' | '\u{0}'..='\u{1f}');
    while let Some((plain, after)) = rest
        .find(is_escaped)
        .and_then(|at| rest.split_at_checked(at))
    {
        out.push_str(plain);
        let mut after = after.chars();
        match after.next().unwrap_or_default() {
            character @ ('"' | '\\') => {
                out.push('\\');
                out.push(character);
            }
            character => {
                out.push_str(if character < '\u{10}' {
                    "\\u000"
                } else {
                    "\\u001"
                });
                crate::url::push_number(out, u64::from(u32::from(character) & 15), 16);
            }
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests;
