//! A key is removed in every spelling.

use super::*;
use proptest::prelude::*;

const KEY: &str = "CANARY/k7+of=pie";

fn percent(text: &str, which: impl Fn(u8) -> bool) -> String {
    text.bytes()
        .map(|byte| {
            if which(byte) {
                format!("%{byte:02x}")
            } else {
                char::from(byte).into()
            }
        })
        .collect()
}

fn escaped(text: &str, each: impl Fn(char) -> String) -> String {
    text.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.into()
            } else {
                each(character)
            }
        })
        .collect()
}

const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn base64(bytes: &[u8], marks: [u8; 2]) -> String {
    let digit = |value: u32| match value {
        62 => marks[0],
        63 => marks[1],
        _ => DIGITS[value as usize],
    };
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let word = (0..3).fold(0, |word, at| {
                word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
            });
            (0..=chunk.len())
                .map(move |at| digit(word >> (18 - 6 * at) & 63))
                .collect::<Vec<_>>()
        })
        .map(char::from)
        .collect()
}

fn joined(text: &str, each: impl Fn(u8) -> String) -> String {
    text.bytes().map(each).collect::<Vec<_>>().concat()
}

/// The observed spellings, and related ones.
fn spellings(key: &str) -> Vec<String> {
    let marks = |byte: u8| !byte.is_ascii_alphanumeric();
    let once = percent(key, marks);
    let mut all = vec![
        key.to_owned(),
        key.to_lowercase(),
        key.replace('+', " "),
        once.clone(),
        once.to_uppercase(),
        percent(key, |_| true),
        percent(&once, |byte| byte == b'%'),
        percent(&percent(&once, |byte| byte == b'%'), |byte| byte == b'%'),
        escaped(key, |character| format!("&#{};", u32::from(character))),
        escaped(key, |character| format!("&#{}", u32::from(character)))
            .replace("&#43of", "&#43;of"),
        escaped(key, |character| format!("&#x{:X};", u32::from(character))),
        escaped(key, |character| format!("&amp;#{};", u32::from(character))),
        key.replace('/', "&sol;")
            .replace('+', "&plus;")
            .replace('=', "&equals;"),
        escaped(key, |character| format!("\\{character}")),
        escaped(key, |character| format!("\\\\\\{character}")),
        escaped(key, |character| format!("\\u{:04x}", u32::from(character))),
        escaped(key, |character| {
            format!("\\u{{{:x}}}", u32::from(character))
        }),
        escaped(key, |character| format!("\\x{:02x}", u32::from(character))),
        escaped(key, |character| format!("%u{:04X}", u32::from(character))),
        escaped(key, |character| format!("={:02X}", u32::from(character))),
        joined(key, |byte| format!("&#{byte};")),
        joined(key, |byte| format!("{byte:02x}")),
        key.bytes()
            .map(|byte| format!("{byte:02X}"))
            .collect::<Vec<_>>()
            .join(" "),
    ];
    for around in ["", "x", "xy", "xyz", "GET /api/2/conversion.json?api_key="] {
        let text = format!("{around}{key}{around}");
        for marks in [*b"+/", *b"-_"] {
            let digits = base64(text.as_bytes(), marks);
            all.push(percent(&digits, |byte| !byte.is_ascii_alphanumeric()));
            all.push(format!("{}\n {}", &digits[..8], &digits[8..]));
            all.push(base64(digits.as_bytes(), marks));
            all.push(digits);
        }
        all.push(base64(
            percent(&text, |byte| !byte.is_ascii_alphanumeric()).as_bytes(),
            *b"+/",
        ));
        let wide: Vec<u8> = text.bytes().flat_map(|byte| [byte, 0]).collect();
        all.push(base64(&wide, *b"+/"));
    }
    all
}

/// Each spelling is removed from a sentence.
#[test]
fn the_key_is_left_out_however_it_is_spelt() {
    for spelling in spellings(KEY) {
        for (before, after) in [
            ("Invalid key: ", ", sorry"),
            ("?api_key=", "&x=1"),
            ("\"", "\"}"),
            ("(", ")"),
        ] {
            let shown = redact(&format!("{before}{spelling}{after}"), KEY);
            assert!(shown.contains(REDACTED), "{spelling}: {shown}");
            // An encoding's first and last digits also hold bits of the text around the key.
            let middle = &spelling[spelling.len() * 2 / 5..spelling.len() * 3 / 5];
            assert!(!shown.contains(middle), "{spelling}: {shown}");
        }
    }
}

#[test]
fn text_around_a_secret_stays() {
    assert_eq!(
        redact(
            "at /api?api_key=CANARY%252Fk7%252Bof%253Dpie&click_id=7 &lt;x&gt;",
            KEY
        ),
        "at /api?api_key=[api_key]&click_id=7 &lt;x&gt;"
    );
    assert_eq!(
        redact("a 100% \\n =C3 &amp; text", KEY),
        "a 100% \\n =C3 &amp; text"
    );
    assert_eq!(
        redact(&format!("{KEY}{KEY} ü {KEY}"), KEY),
        "[api_key] ü [api_key]"
    );
    assert_eq!(redact("", KEY), "");
}

#[test]
fn half_of_a_key_is_left_out_too() {
    for text in ["key CANARY/k7+", "?api_key=k7%2Bof%3Dpie", "CANARY%252Fk7"] {
        assert!(redact(text, KEY).ends_with(REDACTED), "{text}");
    }
    assert_eq!(redact("the CANARY sings", KEY), "the CANARY sings");
}

#[test]
fn a_key_that_looks_escaped_is_found_too() {
    for key in ["a%2Fb%41c", "x=3Dy&#47;z", "back\\u0041slash"] {
        for text in [
            key.to_owned(),
            percent(key, |byte| byte == b'%' || byte == b'\\'),
            plain_text(key),
        ] {
            assert!(redact(&text, key).contains(REDACTED), "{key} in {text}");
        }
    }
}

fn plain_text(text: &str) -> String {
    String::from_utf8(plain(text)).unwrap()
}

proptest! {
    #[test]
    fn no_text_around_it_and_no_encoding_brings_the_key_through(
        before in "\\PC{0,60}", after in "\\PC{0,60}", key in "[!-~]{6,40}", layers in proptest::collection::vec(0_u8..6, 0..3),
    ) {
        let mut spelling = key.clone();
        let mut encodings = 0;
        for layer in layers {
            spelling = match layer {
                0 => percent(&spelling, |byte| !byte.is_ascii_alphanumeric()),
                1 => escaped(&spelling, |character| format!("&#{};", u32::from(character))),
                2 => escaped(&spelling, |character| format!("\\{character}")),
                3 => escaped(&spelling, |character| format!("\\u{:04x}", u32::from(character))),
                _ if encodings == DEPTH => spelling,
                4 => { encodings += 1; base64(spelling.as_bytes(), *b"+/") }
                _ => { encodings += 1; joined(&spelling, |byte| format!("{byte:02x}")) }
            };
        }
        let shown = redact(&format!("{before} {spelling} {after}"), &key);
        prop_assert!(shown.contains(REDACTED), "{}", spelling);
        prop_assert!(!shown.contains(&spelling) || REDACTED.contains(&spelling));
    }

    #[test]
    fn a_text_without_it_stays_as_it_is(text in "[a-z0-9%&;#\\\\/+= ]{0,200}") {
        prop_assert_eq!(redact(&text, "QZ!QZ!QZ!"), text);
    }
}
