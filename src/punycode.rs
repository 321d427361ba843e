//! Punycode (RFC 3492), as far as host names need it: do URL parsers accept the text after `xn--`?
//! They refuse a label that decodes to nothing, to ASCII only, or to characters that no domain may
//! have.

/// The maximum length of a label, in characters.
const MAX_CHARACTERS: usize = 63;

/// Is this the text after `xn--` in a label that every URL parser accepts? Labels in right-to-left
/// scripts are refused: their validity depends on the labels around them.
#[cfg(any(test, not(all(target_family = "wasm", feature = "bindings"))))]
pub(crate) fn is_valid(label: &[u8]) -> bool {
    read(label, is_letter, |_| ())
}

/// Does the text after `xn--` decode to characters at all? Some parsers take what decodes to
/// control characters; which others a domain may have is the platform's table.
#[cfg(any(test, all(target_family = "wasm", feature = "bindings")))]
pub(crate) fn is_decodable(label: &[u8]) -> bool {
    read(
        label,
        |code| code > 0xa0 && char::from_u32(code).is_some(),
        |_| (),
    )
}

/// Does the label look Latin while it has other letters? Either it mixes Cyrillic or Greek with
/// Latin, or it is all Cyrillic and each letter looks like a Latin one.
pub(crate) fn is_lookalike(label: &[u8]) -> bool {
    let is_latin = label
        .iter()
        .rposition(|byte| *byte == b'-')
        .is_some_and(|end| label.iter().take(end).any(u8::is_ascii_alphabetic));
    let mut others = 0;
    let mut doubles = 0;
    let is_valid = read(label, is_letter, |code| {
        others += u32::from(matches!(code, 0x370..=0x52f));
        doubles += u32::from(matches!(
            code,
            0x430
                | 0x435
                | 0x43e
                | 0x440
                | 0x441
                | 0x443
                | 0x445
                | 0x455
                | 0x456
                | 0x458
                | 0x4cf
                | 0x501
                | 0x51b
                | 0x51d
        ));
    });
    is_valid && others > 0 && (is_latin || others == doubles)
}

fn read(label: &[u8], is_allowed: fn(u32) -> bool, see: impl FnMut(u32)) -> bool {
    let basic = label.iter().rposition(|byte| *byte == b'-');
    let (basic, coded) = label.split_at(basic.unwrap_or_default());
    let coded = match coded {
        [b'-', rest @ ..] => rest,
        all => all,
    };
    // `xn--abc-` is ASCII only, and `xn---x` has a hyphen with nothing before it.
    if coded.is_empty() || basic.is_empty() == label.contains(&b'-') {
        return false;
    }
    decode(basic.len(), coded, is_allowed, see).is_some()
}

/// Decodes the deltas; stops at a character that no domain may have.
fn decode(
    basic: usize,
    coded: &[u8],
    is_allowed: fn(u32) -> bool,
    mut see: impl FnMut(u32),
) -> Option<()> {
    let mut characters = u32::try_from(basic).ok()?;
    let mut code = 128_u32;
    let mut place = 0_u32;
    let mut bias = 72_u32;
    let mut is_first_delta = true;
    let mut rest = coded.iter();
    while !rest.as_slice().is_empty() {
        let before = place;
        let mut weight = 1_u32;
        let mut step = 36_u32;
        loop {
            let digit = u32::from(match rest.next()? {
                byte @ b'a'..=b'z' => byte - b'a',
                byte @ b'A'..=b'Z' => byte - b'A',
                byte @ b'0'..=b'9' => byte - b'0' + 26,
                _ => return None,
            });
            place = place.checked_add(digit.checked_mul(weight)?)?;
            let least = step.saturating_sub(bias).clamp(1, 26);
            if digit < least {
                break;
            }
            weight = weight.checked_mul(36 - least)?;
            step += 36;
        }
        characters += 1;
        // Adapt the bias, by section 6.1.
        let mut delta = (place - before) / if is_first_delta { 700 } else { 2 };
        is_first_delta = false;
        delta += delta / characters;
        bias = 0;
        while delta > 455 {
            delta /= 35;
            bias += 36;
        }
        bias += 36 * delta / (delta + 38);
        code = code.checked_add(place / characters)?;
        place %= characters;
        if !is_allowed(code) || is_mark(code) && place == 0 || characters as usize > MAX_CHARACTERS
        {
            return None;
        }
        see(code);
        place += 1;
    }
    Some(())
}

/// Letters of domains in canonical form: lower case, composed, of left-to-right scripts.
#[expect(clippy::match_same_arms, reason = "a script each")]
fn is_letter(code: u32) -> bool {
    let is_odd = code & 1 == 1;
    match code {
        // Latin, with Vietnamese
        0xdf..=0xf6 | 0xf8..=0xff | 0x17a | 0x17c | 0x17e | 0x1a1 | 0x1b0 => true,
        0x133 | 0x140 => false,
        0x101..=0x137 | 0x14b..=0x177 | 0x1ea1..=0x1ef9 => is_odd,
        0x13a..=0x148 => !is_odd,
        // Greek, Cyrillic, Armenian, Georgian
        0x390 | 0x3ac..=0x3ce | 0x430..=0x45f | 0x4cf | 0x561..=0x586 | 0x10d0..=0x10f0 => true,
        0x4c2..=0x4ce => !is_odd,
        0x48b..=0x4bf | 0x4d1..=0x52f => is_odd,
        // Thai, kana, Han, Hangul
        0xe01..=0xe32
        | 0xe34..=0xe3a
        | 0xe40..=0xe4e
        | 0x3041..=0x3096
        | 0x30a1..=0x30fa
        | 0x30fc => true,
        0x3005 | 0x3007 | 0x3400..=0x4db5 | 0x4e00..=0x9fd5 | 0xac00..=0xd7a3 => true,
        _ => false,
    }
}

/// Thai marks above and below letters, which cannot start a label.
fn is_mark(code: u32) -> bool {
    matches!(code, 0xe31 | 0xe34..=0xe3a | 0xe47..=0xe4e)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The label after `xn--`, written by an independent encoder.
    fn encoded(label: &str) -> Option<String> {
        let url = ::url::Url::parse(&format!("https://{label}.example/")).ok()?;
        let host = url.host_str()?.strip_suffix(".example")?;
        host.strip_prefix("xn--").map(str::to_owned)
    }

    #[test]
    fn every_letter_is_one_of_another_parser_too_which_writes_it_as_we_read_it() {
        for code in 0..0x1_0000 {
            let Some(letter) = char::from_u32(code).filter(|_| is_letter(code)) else {
                continue;
            };
            let label = encoded(&format!("a{letter}b"));
            assert!(
                label.is_some_and(|label| is_valid(label.as_bytes())),
                "{code:x}"
            );
            assert_eq!(
                encoded(&letter.to_string()).is_some(),
                !is_mark(code),
                "{code:x}"
            );
        }
    }

    #[test]
    fn domains_of_the_world_are_taken() {
        for label in [
            "k\u{e4}se",
            "m\u{fc}nchen",
            "stra\u{df}e",
            "caf\u{e9}",
            "\u{e5}ngstr\u{f6}m",
            "\u{142}\u{f3}d\u{17a}",
            "kosice-ko\u{161}ice",
            "\u{131}\u{15f}\u{131}k",
            "ti\u{1ebf}ng-vi\u{1ec7}t",
            "\u{3b5}\u{3bb}\u{3bb}\u{3ac}\u{3c2}",
            "\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}",
            "\u{457}\u{436}\u{430}\u{43a}",
            "\u{10d2}\u{10d4}",
            "\u{4f8b}\u{5b50}",
            "\u{3072}\u{3089}\u{30ab}\u{30bf}\u{30fc}",
            "\u{c608}\u{c2dc}",
            "\u{e44}\u{e17}\u{e22}",
            "1\u{e4}2",
        ] {
            let coded = encoded(label).unwrap();
            assert!(is_valid(coded.as_bytes()), "{label} {coded}");
        }
    }

    #[test]
    fn labels_that_no_domain_has_are_none() {
        for coded in [
            "", "-", "--", "a-", "abc-", "-a", "0", "a", "zzzzzz", "99999999", "55qw42g-", "ls8h",
            "\u{e4}",
        ] {
            assert!(!is_valid(coded.as_bytes()), "{coded}");
        }
    }

    #[test]
    fn letters_that_look_like_latin_ones_are_seen() {
        for label in [
            "p\u{430}ypal",
            "\u{430}\u{440}\u{440}",
            "\u{441}\u{43e}\u{440}\u{435}",
            "tr\u{3b1}ck",
        ] {
            assert!(is_lookalike(encoded(label).unwrap().as_bytes()), "{label}");
        }
        for label in [
            "k\u{e4}se",
            "\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}",
            "\u{4f8b}a",
        ] {
            assert!(!is_lookalike(encoded(label).unwrap().as_bytes()), "{label}");
        }
    }

    proptest! {
        #[test]
        fn another_parser_takes_each_label_that_is_taken(coded in "[a-z0-9-]{1,12}|[a-z0-9]{1,4}-[a-z0-9]{2,5}") {
            if is_valid(coded.as_bytes()) && !coded.starts_with('-') {
                let host = format!("xn--{coded}.example");
                let url = ::url::Url::parse(&format!("https://{host}/"));
                prop_assert_eq!(url.ok().and_then(|url| url.host_str().map(str::to_owned)), Some(host));
            }
        }

        #[test]
        fn labels_made_of_letters_are_taken(label in "[a-z0-9\u{e4}\u{f6}\u{fc}\u{df}\u{430}-\u{44f}\u{3b1}-\u{3c9}\u{4e00}-\u{4e80}]{1,12}") {
            if let Some(coded) = encoded(&label) {
                prop_assert!(is_valid(coded.as_bytes()), "{}", coded);
            }
        }
    }
}
