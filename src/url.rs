//! Percent-encoding, numbers and query strings, as far as tracking URLs need
//! them. It leaves the rest of the URL standard to the platform's `URL`.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `value` to `out`, every byte outside `A-Z a-z 0-9 - . _ ~` as `%XX`
/// of its UTF-8: the one spelling that WHATWG parsers, form decoders and
/// ASP.NET all read back alike (a space is `%20`, never `+`).
pub fn push_encoded(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                if let Some(digit) = HEX.get(usize::from(nibble)) {
                    out.push(char::from(*digit));
                }
            }
        }
    }
}

/// Appends `name=value` to a query, after `&` unless `out` ends in `?`.
/// `name` must be a plain word.
pub fn push_parameter(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() && !out.ends_with('?') {
        out.push('&');
    }
    out.push_str(name);
    out.push('=');
    push_encoded(out, value);
}

/// Appends a number in the given base (2 to 36). By hand, because `Display` of
/// numbers brings 1 kB of formatting into the page build.
pub fn push_number(out: &mut String, mut number: u64, base: u64) {
    let mut digits = [b'0'; 64];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        let digit = u8::try_from(number % base).unwrap_or(0);
        *slot = if digit < 10 {
            b'0' + digit
        } else {
            b'a' + (digit - 10)
        };
        number /= base;
        used += 1;
        if number == 0 {
            break;
        }
    }
    for digit in digits.iter().skip(digits.len() - used) {
        out.push(char::from(*digit));
    }
}

/// Decodes `%XX` and `+` as WHATWG form parsing does. Malformed escapes stay as
/// they are; bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                if let (Some(high), Some(low)) = (
                    ahead.next().and_then(hex_value),
                    ahead.next().and_then(hex_value),
                ) {
                    bytes.push(high << 4 | low);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            other => bytes.push(other),
        }
    }
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The query of a URL, without its `?`; empty where it has none. Also takes a
/// bare `?a=1` or `/path?a=1`.
#[must_use]
pub fn query_of(url: &str) -> &str {
    let before_fragment = url.split_once('#').map_or(url, |(before, _)| before);
    before_fragment
        .split_once('?')
        .map_or("", |(_, query)| query)
}

/// The decoded `(name, value)` pairs of a query, in order, empty ones left out.
pub fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(text in any::<String>()) {
            let mut out = String::new();
            push_encoded(&mut out, &text);
            prop_assert!(out.is_ascii());
            prop_assert_eq!(decode(&out), text);
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
