//! A pull parser for the XML of the older services. It builds no tree, copies no text without
//! references, and its memory does not grow with the document.
//!
//! The parser is our own, for its size. The services write elements, text and `xsi:nil`, and a
//! general parser costs many times the bytes for features that this module refuses. It refuses
//! document types, and so every entity but the five predefined ones. It also refuses a depth beyond
//! [`MAX_DEPTH`].

use std::borrow::Cow;

/// The maximum depth of elements. The recorded answers go to 10.
const MAX_DEPTH: usize = 32;

/// The next event of a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The start of an element: its name without a prefix, and whether it is `xsi:nil`.
    Start { name: &'a str, is_nil: bool },
    /// Text of the open element: unchanged, or with its references replaced.
    Text(Cow<'a, str>),
    /// The end of the open element.
    End,
}

/// The reason why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The text is truncated, or not XML.
    Malformed,
    /// The text has a document type, or an entity that is not predefined.
    Entity,
    /// The elements nest too deep.
    Depth,
}

impl Flaw {
    /// The flaw as the end of a sentence about an answer.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Malformed => "is not whole XML: ",
            Self::Entity => "is XML with a document type or an entity of its own: ",
            Self::Depth => "is XML that nests too deep: ",
        }
    }
}

type Read<T> = Result<T, Flaw>;

/// Reads a document, event by event.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    /// The names of the open elements, with their prefixes.
    open: Vec<&'a str>,
    /// After `<name/>`: the next event is its end.
    ends_at_once: bool,
    has_root: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text: text.trim_start_matches('\u{feff}'),
            open: Vec::new(),
            ends_at_once: false,
            has_root: false,
        }
    }

    /// The text behind the last event.
    pub(crate) fn rest(&self) -> &'a str {
        self.text
    }

    /// The number of open elements.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The name, without a prefix, of the parent of the open element.
    pub(crate) fn parent(&self) -> &'a str {
        let at = self.open.len().checked_sub(2);
        at.and_then(|at| self.open.get(at))
            .map_or("", |name| local(name))
    }

    /// The next event; `None` after the root's end.
    pub(crate) fn next(&mut self) -> Read<Option<Event<'a>>> {
        if core::mem::take(&mut self.ends_at_once) {
            self.open.pop();
            return Ok(Some(Event::End));
        }
        loop {
            if self.text.is_empty() {
                let is_whole = self.open.is_empty() && self.has_root;
                return if is_whole {
                    Ok(None)
                } else {
                    Err(Flaw::Malformed)
                };
            }
            let Some(rest) = self.text.strip_prefix('<') else {
                let end = self.text.find('<').unwrap_or(self.text.len());
                let text = self.take(end)?;
                if self.open.is_empty() {
                    if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
                        continue;
                    }
                    return Err(Flaw::Malformed);
                }
                return Ok(Some(Event::Text(unescaped(text)?)));
            };
            if let Some(rest) = rest.strip_prefix('/') {
                self.text = rest;
                return self.end().map(Some);
            }
            if let Some(rest) = rest.strip_prefix('?') {
                self.text = behind(rest, "?>")?.1;
            } else if let Some(rest) = rest.strip_prefix("!--") {
                self.text = behind(rest, "-->")?.1;
            } else if let Some(rest) = rest.strip_prefix("![CDATA[") {
                let (data, rest) = behind(rest, "]]>")?;
                self.text = rest;
                if self.open.is_empty() {
                    return Err(Flaw::Malformed);
                }
                return Ok(Some(Event::Text(Cow::Borrowed(data))));
            } else if rest.starts_with('!') {
                return Err(Flaw::Entity);
            } else {
                self.text = rest;
                return self.start().map(Some);
            }
        }
    }

    /// Consumes `length` bytes.
    fn take(&mut self, length: usize) -> Read<&'a str> {
        let (taken, rest) = self.text.split_at_checked(length).ok_or(Flaw::Malformed)?;
        self.text = rest;
        Ok(taken)
    }

    fn skip_space(&mut self) -> bool {
        let is_other = |byte: u8| !byte.is_ascii_whitespace();
        let space = self.text.bytes().position(is_other);
        let space = space.unwrap_or(self.text.len());
        self.text = self.text.get(space..).unwrap_or("");
        space > 0
    }

    fn name(&mut self) -> Read<&'a str> {
        let is_end = |byte: u8| {
            byte.is_ascii_whitespace()
                || matches!(byte, b'/' | b'>' | b'=' | b'<' | b'"' | b'\'' | b'&')
        };
        let end = self.text.bytes().position(is_end);
        let name = self.take(end.ok_or(Flaw::Malformed)?)?;
        match name.as_bytes().first() {
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80..) => Ok(name),
            _ => Err(Flaw::Malformed),
        }
    }

    /// Reads after `<`: a name, attributes, and `>` or `/>`.
    fn start(&mut self) -> Read<Event<'a>> {
        let name = self.name()?;
        if self.open.is_empty() && self.has_root {
            return Err(Flaw::Malformed);
        }
        let mut is_nil = false;
        loop {
            let has_space = self.skip_space();
            if let Some(rest) = self.text.strip_prefix('>') {
                self.text = rest;
                break;
            }
            if let Some(rest) = self.text.strip_prefix("/>") {
                self.text = rest;
                self.ends_at_once = true;
                break;
            }
            if !has_space {
                return Err(Flaw::Malformed);
            }
            let attribute = self.name()?;
            self.skip_space();
            self.text = self.text.strip_prefix('=').ok_or(Flaw::Malformed)?;
            self.skip_space();
            let quote = if self.text.starts_with('\'') {
                "'"
            } else {
                "\""
            };
            let value = self.text.strip_prefix(quote).ok_or(Flaw::Malformed)?;
            let (value, rest) = behind(value, quote)?;
            if value.contains('<') {
                return Err(Flaw::Malformed);
            }
            let value = unescaped(value)?;
            is_nil |= attribute.ends_with(":nil") && matches!(value.as_ref(), "true" | "1");
            self.text = rest;
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Flaw::Depth);
        }
        self.has_root = true;
        self.open.push(name);
        Ok(Event::Start {
            name: local(name),
            is_nil,
        })
    }

    /// Reads after `</`.
    fn end(&mut self) -> Read<Event<'a>> {
        let name = self.name()?;
        self.skip_space();
        self.text = self.text.strip_prefix('>').ok_or(Flaw::Malformed)?;
        if self.open.pop() == Some(name) {
            Ok(Event::End)
        } else {
            Err(Flaw::Malformed)
        }
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The text before and after the first `end`.
fn behind<'a>(text: &'a str, end: &str) -> Read<(&'a str, &'a str)> {
    text.split_once(end).ok_or(Flaw::Malformed)
}

/// A text with its references replaced: the five predefined entities and numbers.
fn unescaped(text: &str) -> Read<Cow<'_, str>> {
    if !text.contains('&') {
        return Ok(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (name, behind) = after.split_once(';').ok_or(Flaw::Malformed)?;
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let digits = name.strip_prefix('#').ok_or(Flaw::Entity)?;
                let code = match digits.strip_prefix('x') {
                    Some(hex) => number(hex, 16),
                    None => number(digits, 10),
                };
                // .NET writes control characters as references, although XML has no place for them.
                char::from_u32(code?).unwrap_or('\u{fffd}')
            }
        });
        rest = behind;
    }
    plain.push_str(rest);
    Ok(Cow::Owned(plain))
}

fn number(digits: &str, radix: u32) -> Read<u32> {
    let mut code = 0_u32;
    for digit in digits.chars() {
        let digit = digit.to_digit(radix).ok_or(Flaw::Malformed)?;
        code = code.saturating_mul(radix).saturating_add(digit);
    }
    if digits.is_empty() {
        Err(Flaw::Malformed)
    } else {
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All events in one line: `a(` for a start, the text, `)` for an end.
    fn read(text: &str) -> Read<String> {
        let mut reader = Reader::new(text);
        let mut line = String::new();
        while let Some(event) = reader.next()? {
            match event {
                Event::Start { name, is_nil } => {
                    line += name;
                    line += if is_nil { "?(" } else { "(" };
                }
                Event::Text(text) => line += &text,
                Event::End => line.push(')'),
            }
        }
        Ok(line)
    }

    #[test]
    fn elements_texts_and_nil_come_in_order() {
        for (text, events) in [
            ("<a/>", "a()"),
            ("<a />", "a()"),
            ("<a></a >", "a()"),
            ("\u{feff}<?xml version=\"1.0\"?>\r\n<a>x</a>\n", "a(x)"),
            ("<s:a xmlns:s='u>v'><s:b>1</s:b></s:a>", "a(b(1))"),
            ("<a xsi:nil=\"true\" /> ", "a?()"),
            ("<a xsi:nil=\"false\"/>", "a()"),
            (
                "<a>x&amp;y&#65;&#x42;&lt;&gt;&quot;&apos;</a>",
                "a(x&yAB<>\"')",
            ),
            ("<a>&#x1F;&#xD800;</a>", "a(\u{1f}\u{fffd})"),
            ("<a><![CDATA[<b>&amp;]]></a>", "a(<b>&amp;)"),
            ("<!-- x --><a>1<!-- <b> -->2</a><!-- y -->", "a(12)"),
            ("<größe>ü</größe>", "größe(ü)"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(events), "{text}");
        }
    }

    #[test]
    fn a_document_that_is_not_whole_is_malformed() {
        for text in [
            "",
            " ",
            "x",
            "<",
            "<a",
            "<a>",
            "<a></b>",
            "<a></a",
            "</a>",
            "<a></a></a>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<a b></a>",
            "<a b=c></a>",
            "<a b=\"<\"/>",
            "<a b=\"1\"c=\"2\"/>",
            "<1/>",
            "<a>&amp</a>",
            "<a>&#;</a>",
            "<a>&#x;</a>",
            "<a>&#-1;</a>",
            "<a><![CDATA[x</a>",
            "<!-- <a/>",
            "<?xml <a/>",
            "<![CDATA[x]]><a/>",
            "< a/>",
        ] {
            assert_eq!(read(text), Err(Flaw::Malformed), "{text}");
        }
    }

    #[test]
    fn entities_of_a_documents_own_are_refused_before_they_are_read() {
        let bomb = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><lolz>&lol2;</lolz>";
        for text in [
            bomb,
            "<!DOCTYPE html><html></html>",
            "<!doctype a><a/>",
            "<a>&nbsp;</a>",
            "<a>&lol;</a>",
            "<a b=\"&lol;\"/>",
            "<a>&AMP;</a>",
            "<a><!ENTITY x \"y\"></a>",
        ] {
            assert_eq!(read(text), Err(Flaw::Entity), "{text}");
        }
    }

    #[test]
    fn ten_thousand_levels_are_too_many() {
        let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(read(&deep(MAX_DEPTH + 1)), Err(Flaw::Depth));
        assert_eq!(read(&"<a>".repeat(10_000)), Err(Flaw::Depth));
    }

    proptest! {
        #[test]
        fn a_document_cut_anywhere_is_malformed(cut in 0_usize..72) {
            let whole = "<?xml version=\"1.0\"?><a x=\"1\"><b>ü&amp;</b><c xsi:nil=\"true\"/><![CDATA[d]]></a>";
            prop_assert!(read(whole).is_ok());
            if let Some(part) = whole.get(..cut) {
                prop_assert!(read(part).is_err(), "{}", part);
            }
        }

        #[test]
        fn no_text_makes_it_panic_or_go_on_for_ever(
            pieces in proptest::collection::vec(prop_oneof![
                Just("<"), Just(">"), Just("/"), Just("</a>"), Just("<a>"), Just("<a/>"), Just("&"), Just(";"),
                Just("&amp;"), Just("&#"), Just("\""), Just("="), Just(" b=\"1\""), Just("<!--"), Just("-->"),
                Just("<![CDATA["), Just("]]>"), Just("<?"), Just("?>"), Just("<!DOCTYPE"), Just("ü"), Just(" "),
            ], 0..20),
        ) {
            let text = pieces.concat();
            let mut reader = Reader::new(&text);
            let mut events = 0;
            while let Ok(Some(_)) = reader.next() {
                events += 1;
                prop_assert!(events <= 2 * text.len());
                prop_assert!(reader.depth() <= MAX_DEPTH);
            }
        }
    }
}
