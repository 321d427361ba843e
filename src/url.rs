//! Percent-encoding, numbers and query strings, as far as tracking URLs need them. The platform's `URL` implements
//! the rest of the URL standard.

use std::borrow::Cow;

/// `A-Z a-z 0-9 - . _ ~`, by byte: a table takes a third of the time of comparisons.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    while let [byte, tail @ ..] = rest {
        if let Some((_, [slot, ..])) = table.split_at_mut_checked(*byte as usize) {
            *slot = true;
        }
        rest = tail;
    }
    table
};

/// A target for text, byte by byte. Everything written is ASCII, because the core encodes its texts. The page's
/// sink is a fixed buffer without an allocator.
pub(crate) trait Sink {
    fn push_byte(&mut self, byte: u8);

    fn push_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push_byte(*byte);
        }
    }
}

impl Sink for String {
    /// The mask tells the compiler that only one byte is written.
    #[inline]
    fn push_byte(&mut self, byte: u8) {
        self.push(char::from(byte & 0x7f));
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn push_byte(&mut self, byte: u8) {
        self.push(byte);
    }

    #[inline]
    fn push_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Appends `value`, UTF-8, to `out`, with every byte outside `A-Z a-z 0-9 - . _ ~` as `%XX`. WHATWG parsers, form
/// decoders and ASP.NET all decode this spelling alike (a space is `%20`, never `+`). Returns whether the value
/// was plain text, without control characters, as [`is_plain_text`] does.
pub(crate) fn push_encoded(out: &mut impl Sink, value: &(impl AsRef<[u8]> + ?Sized)) -> bool {
    let value = value.as_ref();
    let mut is_plain = true;
    let mut before = 0;
    let mut start = 0;
    for (at, byte) in value.iter().copied().enumerate() {
        if !UNRESERVED.get(usize::from(byte)).copied().unwrap_or(false) {
            is_plain &= !is_control(before, byte);
            // In runs: the greater part of most values needs no encoding.
            out.push_bytes(value.get(start..at).unwrap_or_default());
            start = at + 1;
            push_escape(out, byte);
        }
        before = byte;
    }
    out.push_bytes(value.get(start..).unwrap_or_default());
    is_plain
}

/// Appends `%XX`.
pub(crate) fn push_escape(out: &mut impl Sink, byte: u8) {
    out.push_byte(b'%');
    push_digit(out, byte >> 4, b'A');
    push_digit(out, byte & 15, b'A');
}

/// Appends a digit in a base up to 36; digits from 10 on are letters.
pub(crate) fn push_digit(out: &mut impl Sink, digit: u8, ten: u8) {
    let zero = if digit < 10 { b'0' } else { ten - 10 };
    out.push_byte(zero + digit);
}

/// Appends `name=value` to a query, after `&` unless `out` ends in `?`. `name` must be a plain word. Returns
/// whether the value was plain text.
pub(crate) fn push_parameter(out: &mut String, name: &str, value: &str) -> bool {
    if !matches!(out.as_bytes().last(), None | Some(b'?')) {
        out.push('&');
    }
    out.push_str(name);
    out.push('=');
    push_encoded(out, value)
}

/// Is this free of control characters (C0, DEL, C1)?
#[must_use]
pub(crate) fn is_plain_text(text: &str) -> bool {
    let mut before = 0;
    text.bytes().all(|byte| {
        let is_plain = !is_control(before, byte);
        before = byte;
        is_plain
    })
}

/// By bytes: C1 is U+0080 to U+009F, 0xC2 0x80 to 0xC2 0x9F in UTF-8.
pub(crate) fn is_control(before: u8, byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte < 0xa0)
}

/// Appends a number in the given base (2 to 36). The code is our own, because `Display` of numbers adds 1 kB of
/// formatting to the page build.
pub(crate) fn push_number(out: &mut impl Sink, number: u64, base: u64) {
    // One division for quotient and remainder: divisions dominate the time here.
    let rest = number / base;
    if rest > 0 {
        push_number(out, rest, base);
    }
    push_digit(out, u8::try_from(number - rest * base).unwrap_or(0), b'a');
}

/// Reads a number of 1 to 11 digits in the given base (2 to 36), in lower case.
#[must_use]
pub(crate) fn read_number(digits: &[u8], base: u64) -> Option<u64> {
    let mut number = 0;
    for byte in digits {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            _ => return None,
        };
        let digit = Some(u64::from(digit)).filter(|digit| *digit < base)?;
        number = digit.wrapping_add(base.wrapping_mul(number));
    }
    (1..=11).contains(&digits.len()).then_some(number)
}

/// Decodes `%XX` and `+` as WHATWG form parsing does. Malformed escapes stay as
/// they are; bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match *first {
            b'+' => b' ',
            b'%' => match unescape(rest) {
                Some((byte, after)) => {
                    rest = after;
                    byte
                }
                None => b'%',
            },
            other => other,
        });
    }
    Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|error| lossy(error.as_bytes())))
}

/// The byte of a `%XX` whose `%` is already removed, and the rest.
pub(crate) fn unescape(text: &[u8]) -> Option<(u8, &[u8])> {
    if let [high, low, rest @ ..] = text {
        Some((hex_value(*high)? << 4 | hex_value(*low)?, rest))
    } else {
        None
    }
}

/// The end marks of a name, a pair and a reading in the output of [`push_pairs`].
pub(crate) const END_OF_NAME: u8 = 1;
pub(crate) const END_OF_PAIR: u8 = 2;
pub(crate) const END_OF_READING: u8 = 3;

/// The end mark of a field around such pairs, in the page's input and in the texts of stores.
pub(crate) const END_OF_FIELD: u8 = 4;

/// Appends the pairs of an address, decoded as by [`decode`], in two readings. The first reading is the query itself;
/// the second is the whole address [`mended`], which may be a bare query. White space around a name
/// or a value is removed, and so is the rest of an `&amp;` before a name.
///
/// A pair is `NAME 1 VALUE 2`, and a reading ends with 3. These bytes in a text become another control character.
/// `value_of` takes a name and a value, and returns the part of the value that counts.
/// A page has the pairs from the platform's parser (js/page/query.ts).
pub(crate) fn push_pairs(
    out: &mut Vec<u8>,
    address: &str,
    value_of: impl for<'v> Fn(&str, &'v str) -> &'v str,
) {
    let query = cut(address, b'?').1.unwrap_or_default();
    for reading in [query, &mended(address)] {
        each_pair(reading, &mut |name, value| {
            let name = trim(name.trim_start_matches("amp;"));
            push_field(out, name, END_OF_NAME);
            push_field(out, value_of(name, trim(&value)), END_OF_PAIR);
        });
        out.push(END_OF_READING);
    }
}

/// An address with `&` in place of other separators: `/landing&reqid=1`, `?p=1?reqid=1`,
/// `?p=1;reqid=1`. Networks append parameters like this, or the address changes on its way. `?`,
/// `&` and `;` may also be encoded, once or more often: `?p=1%3Freqid=1`. An encoded `=` stays
/// encoded: it marks an address that is a parameter's value, `?to=%2Fcart%3Freqid%3D1`.
fn mended(mut address: &str) -> String {
    let mut mended = String::with_capacity(address.len());
    while let Some(character) = address.chars().next() {
        if let Some(rest) = after_separator(address) {
            mended.push('&');
            address = rest;
        } else {
            mended.push(character);
            address = address.get(character.len_utf8()..).unwrap_or_default();
        }
    }
    mended
}

/// The text after such a separator at the text's start.
fn after_separator(text: &str) -> Option<&str> {
    let written = text.strip_prefix(['?', ';']);
    written.or_else(|| {
        let mut escape = text.strip_prefix('%')?;
        while let Some(rest) = escape.strip_prefix("25") {
            escape = rest;
        }
        let codes = ["3F", "3f", "3B", "3b", "26"];
        codes.iter().find_map(|code| escape.strip_prefix(code))
    })
}

/// The text without the white space around it, as JavaScript's `trim` does, so that page and edge agree.
fn trim(text: &str) -> &str {
    text.trim_matches(is_white)
}

/// Is this white space in JavaScript?
pub(crate) fn is_white(character: char) -> bool {
    character == '\u{feff}' || character.is_whitespace() && character != '\u{85}'
}

fn push_field(out: &mut Vec<u8>, text: &str, end: u8) {
    let is_end = |byte| byte <= END_OF_FIELD;
    out.extend(
        text.bytes()
            .map(|byte| if is_end(byte) { 0x7f } else { byte }),
    );
    out.push(end);
}

/// Decodes each broken sequence as one U+FFFD, as WHATWG does. The code is our own, because `from_utf8_lossy` adds
/// 1 kB of iterators to the page build.
#[cold]
fn lossy(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match core::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (good, bad) = bytes
                    .split_at_checked(error.valid_up_to())
                    .unwrap_or_default();
                text.push_str(core::str::from_utf8(good).unwrap_or_default());
                text.push('\u{fffd}');
                // If the error has no length, the text ends within a sequence.
                bytes = bad
                    .get(error.error_len().unwrap_or(bad.len())..)
                    .unwrap_or_default();
            }
        }
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The text before the first `mark`, and the text after it, where the mark occurs. All code that splits uses this
/// one small function: the standard library's searches are made for long texts, and each use compiles anew.
#[must_use]
pub(crate) fn cut(text: &str, mark: u8) -> (&str, Option<&str>) {
    let end = text.bytes().position(|byte| byte == mark);
    match end.and_then(|end| text.split_at_checked(end)) {
        // The mark is ASCII: the text after it starts at a character.
        Some((before, after)) => (before, Some(after.get(1..).unwrap_or_default())),
        None => (text, None),
    }
}

/// The first of the words, separated by spaces, that matches `text`.
pub(crate) fn find_word<'w>(
    words: &'w str,
    text: &str,
    fits: fn(&[u8], &[u8]) -> bool,
) -> Option<&'w str> {
    let mut rest = Some(words);
    while let Some(ahead) = rest {
        let (word, tail) = cut(ahead, b' ');
        if fits(word.as_bytes(), text.as_bytes()) {
            return Some(word);
        }
        rest = tail;
    }
    None
}

/// Are these texts equal, ignoring the case of letters? One function for all uses.
#[inline(never)]
pub(crate) fn is_alike(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Removes the text before the first `mark` from the start of `rest`, and the mark. One small function for all
/// code that splits bytes.
#[inline(never)]
pub(crate) fn take<'a>(rest: &mut &'a [u8], mark: u8) -> &'a [u8] {
    let text = *rest;
    let end = text.iter().position(|byte| *byte == mark);
    let end = end.unwrap_or(text.len());
    *rest = text.get(end + 1..).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

/// Is this a port that every URL parser takes?
pub(crate) fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

/// The query of a URL, without its `?`; empty where the URL has none. Also accepts a bare `?a=1` or `/path?a=1`.
#[must_use]
pub(crate) fn query_of(url: &str) -> &str {
    cut(cut(url, b'#').0, b'?').1.unwrap_or_default()
}

/// Calls `visit` with each decoded `(name, value)` of a query, in order; skips empty ones.
pub(crate) fn each_pair<'a>(query: &'a str, visit: &mut dyn FnMut(Cow<'a, str>, Cow<'a, str>)) {
    let mut rest = Some(query);
    while let Some(text) = rest {
        let (pair, tail) = cut(text, b'&');
        if !pair.is_empty() {
            let (name, value) = cut(pair, b'=');
            visit(decode(name), decode(value.unwrap_or_default()));
        }
        rest = tail;
    }
}

/// The decoded `(name, value)` pairs of a query, in order, without empty ones.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let mut pairs = Vec::new();
    each_pair(query, &mut |name, value| pairs.push((name, value)));
    pairs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn encoded_text_decodes_to_itself(text in any::<String>()) {
            let mut out = String::new();
            prop_assert_eq!(push_encoded(&mut out, &text), is_plain_text(&text));
            prop_assert!(out.is_ascii());
            prop_assert_eq!(decode(&out), text);
        }

        #[test]
        fn another_parser_decodes_the_same(text in "(%[0-9A-F]{2}|%[CEF][0-9A-F]%[89AB][0-9A-F]|[a-zA-Z0-9%+&=\\PC]){0,40}") {
            let theirs: Vec<_> = ::url::form_urlencoded::parse(text.as_bytes()).collect();
            prop_assert_eq!(pairs(&text).collect::<Vec<_>>(), theirs);
        }

        #[test]
        fn plain_text_has_no_control_character(text in any::<String>()) {
            prop_assert_eq!(is_plain_text(&text), !text.chars().any(char::is_control));
        }

        #[test]
        fn decoding_never_panics(text in any::<String>()) {
            let _ = decode(&text);
            prop_assert!(pairs(query_of(&text)).count() <= text.len() + 1);
        }
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_display_writes_them(number in any::<u64>()) {
            let mut out = String::new();
            push_number(&mut out, number, 10);
            prop_assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn a_malformed_escape_stays_as_it_is() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("a+b%20c%2B"), "a b c+");
    }

    #[test]
    fn the_query_ends_at_the_fragment() {
        assert_eq!(query_of("https://shop.example/p?a=1&b=2#x?y"), "a=1&b=2");
        assert_eq!(query_of("https://shop.example/#?a=1"), "");
    }
}
