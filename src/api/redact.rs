//! Finds a secret in a text in any spelling, and removes it.
//!
//! CAKE, its web server or a firewall may echo the key escaped for a URL, HTML or a script, several
//! times over. The echo may also be encoded in base64 or in hexadecimal, at any offset. The text is
//! therefore decoded step by step. Each decoded byte remembers its place in the original text, and
//! that part is removed.

/// The text in place of a secret.
pub(super) const REDACTED: &str = "[api_key]";

/// The most layers of escapes.
const ROUNDS: u32 = 8;

/// The most layers of encodings, such as base64.
const DEPTH: u32 = 2;

/// The fewest digits of an encoding that are decoded.
const MIN_DIGITS: usize = 6;

/// A byte of a decoded text, and the part of the original that it came from.
#[derive(Clone, Copy, Debug)]
struct Piece {
    byte: u8,
    from: usize,
    to: usize,
}

/// `text` without `secret`, which has at least 4 bytes.
pub(super) fn redact(text: &str, secret: &str) -> String {
    let mut search = Search {
        // A secret that itself looks escaped is looked for both as it is and decoded.
        secrets: [secret.as_bytes().to_vec(), plain(secret)],
        is_hidden: vec![false; text.len()],
    };
    search.look(pieces(text), DEPTH);
    let mut out = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (at, character) in text.char_indices() {
        let is_hidden = search.is_hidden.get(at).copied().unwrap_or_default();
        if !is_hidden {
            out.push(character);
        } else if !was_hidden {
            out.push_str(REDACTED);
        }
        was_hidden = is_hidden;
    }
    out
}

fn pieces(text: &str) -> Vec<Piece> {
    let piece = |(at, byte)| Piece {
        byte,
        from: at,
        to: at + 1,
    };
    text.bytes().enumerate().map(piece).collect()
}

/// A text with every escape decoded.
fn plain(text: &str) -> Vec<u8> {
    let mut level = pieces(text);
    for _ in 0..ROUNDS {
        match unescaped(&level, escape) {
            Some(next) => level = next,
            None => break,
        }
    }
    level.into_iter().map(|piece| piece.byte).collect()
}

struct Search {
    secrets: [Vec<u8>; 2],
    /// The bytes of the original that belong to a secret.
    is_hidden: Vec<bool>,
}

impl Search {
    fn look(&mut self, pieces: Vec<Piece>, depth: u32) {
        let mut level = pieces;
        for _ in 0..ROUNDS {
            self.note(&level);
            // Separately: `=` is a query's mark more often than an escape's.
            if let Some(quoted) = unescaped(&level, quoted_printable) {
                self.note(&quoted);
            }
            if depth > 0 {
                for encoding in [&BASE64, &HEX] {
                    self.look_into(encoding, &level, depth - 1);
                }
            }
            match unescaped(&level, escape) {
                Some(next) => level = next,
                None => break,
            }
        }
    }

    /// Decodes every run of an encoding's digits, from each offset.
    fn look_into(&mut self, encoding: &Encoding, level: &[Piece], depth: u32) {
        let mut run = Vec::new();
        // White space may fold a run and does not end it; any other character ends it.
        let end = Piece {
            byte: b'.',
            from: 0,
            to: 0,
        };
        for piece in level.iter().chain([&end]) {
            if (encoding.value)(piece.byte).is_some() {
                run.push(*piece);
            } else if !piece.byte.is_ascii_whitespace() {
                if run.len() >= MIN_DIGITS {
                    for offset in 0..encoding.digits {
                        let digits = run.get(offset..).unwrap_or_default();
                        self.look(encoding.decoded(digits), depth);
                    }
                }
                run.clear();
            }
        }
    }

    /// Half of a secret is too much too: an echo may be cut off.
    fn note(&mut self, level: &[Piece]) {
        let Self { secrets, is_hidden } = self;
        for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
            let length = (secret.len() / 2).max(8).min(secret.len());
            for window in level.windows(length) {
                let is_part = secret.windows(length).any(|part| {
                    let mut pairs = window.iter().zip(part);
                    pairs.all(|(piece, byte)| is_same(piece.byte, *byte))
                });
                if let (true, Some(first), Some(last)) = (is_part, window.first(), window.last())
                    && let Some(bytes) = is_hidden.get_mut(first.from..last.to)
                {
                    bytes.fill(true);
                }
            }
        }
    }
}

/// Compares without case; a form's `+` may have become a space.
fn is_same(byte: u8, expected: u8) -> bool {
    let folded = |byte: u8| {
        if byte == b'+' {
            b' '
        } else {
            byte.to_ascii_lowercase()
        }
    };
    folded(byte) == folded(expected)
}

/// The escape that a text starts with, and how long it is.
type Escape = fn(&[Piece]) -> Option<(Code, usize)>;

/// One layer of escapes decoded; `None` where there is none.
fn unescaped(level: &[Piece], escape: Escape) -> Option<Vec<Piece>> {
    let mut out = Vec::with_capacity(level.len());
    let mut rest = level;
    while let Some((first, others)) = rest.split_first() {
        let Some((code, length)) = escape(rest) else {
            out.push(*first);
            rest = others;
            continue;
        };
        let (escaped, others) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let part = |byte| Piece {
            byte,
            from: first.from,
            to: escaped.last().map_or(first.to, |last| last.to),
        };
        match code {
            Code::Byte(byte) => out.push(part(byte)),
            Code::Character(character) => {
                out.extend(character.encode_utf8(&mut [0; 4]).bytes().map(part));
            }
        }
        rest = others;
    }
    (out.len() < level.len()).then_some(out)
}

enum Code {
    Byte(u8),
    Character(char),
}

/// The escape of a URL, a script or HTML.
fn escape(rest: &[Piece]) -> Option<(Code, usize)> {
    let at = |place: usize| rest.get(place).map(|piece| piece.byte);
    let code_at = |place, count| {
        hex(rest, place, count)
            .and_then(char::from_u32)
            .map(Code::Character)
    };
    match (at(0)?, at(1)?) {
        (b'%', b'u' | b'U') => Some((code_at(2, 4)?, 6)),
        (b'%', _) => Some((Code::Byte(u8::try_from(hex(rest, 1, 2)?).ok()?), 3)),
        (b'\\', b'u') if at(2) == Some(b'{') => {
            let digits = rest
                .iter()
                .skip(3)
                .take_while(|piece| piece.byte != b'}')
                .count();
            Some((code_at(3, digits)?, digits + 4))
        }
        (b'\\', b'u') => Some((code_at(2, 4)?, 6)),
        (b'\\', b'x') => Some((code_at(2, 2)?, 4)),
        (b'\\', mark) if mark.is_ascii_punctuation() => Some((Code::Byte(mark), 2)),
        (b'&', _) => entity(rest),
        _ => None,
    }
}

/// The escape of a mail: `=2F`. Only readable characters count: `=CA` is the start of
/// `api_key=CANARY`.
fn quoted_printable(rest: &[Piece]) -> Option<(Code, usize)> {
    let code = hex(rest, 1, 2).filter(|_| rest.first().is_some_and(|piece| piece.byte == b'='))?;
    let byte = u8::try_from(code).ok().filter(u8::is_ascii_graphic)?;
    Some((Code::Byte(byte), 3))
}

/// HTML's escape that `rest` starts with: `&#47;`, `&#x2f;` or `&sol;`.
fn entity(rest: &[Piece]) -> Option<(Code, usize)> {
    let at = |place: usize| rest.get(place).map(|piece| piece.byte.to_ascii_lowercase());
    let (code, length) = if at(1) == Some(b'#') {
        let (radix, before) = if at(2) == Some(b'x') {
            (16, 3)
        } else {
            (10, 2)
        };
        let mut code = 0_u32;
        let mut length = before;
        while let Some(digit) = at(length).and_then(|byte| char::from(byte).to_digit(radix)) {
            code = code.checked_mul(radix)?.checked_add(digit)?;
            length += 1;
        }
        if length == before {
            return None;
        }
        (char::from_u32(code)?, length)
    } else {
        let is_here = |name: &str| {
            name.bytes()
                .enumerate()
                .all(|(place, byte)| at(place + 1) == Some(byte))
        };
        let (name, mark) = ENTITIES.iter().find(|(name, _)| is_here(name))?;
        (char::from(*mark), 1 + name.len())
    };
    // A browser does not insist on the semicolon.
    let is_closed = rest.get(length).is_some_and(|piece| piece.byte == b';');
    Some((Code::Character(code), length + usize::from(is_closed)))
}

/// HTML's names of ASCII's marks.
const ENTITIES: [(&str, u8); 31] = [
    ("amp", b'&'),
    ("apos", b'\''),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("hat", b'^'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lt", b'<'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("rbrace", b'}'),
    ("rbrack", b']'),
    ("rpar", b')'),
    ("semi", b';'),
    ("sol", b'/'),
    ("tilde", b'~'),
    ("vert", b'|'),
];

/// The number that `count` hexadecimal digits from `place` on write.
fn hex(rest: &[Piece], place: usize, count: usize) -> Option<u32> {
    if !(1..=6).contains(&count) {
        return None;
    }
    rest.get(place..place + count)?
        .iter()
        .try_fold(0, |number, piece| {
            Some(number << 4 | char::from(piece.byte).to_digit(16)?)
        })
}

/// Digits that stand for bytes.
struct Encoding {
    /// The number of digits that encode whole bytes.
    digits: usize,
    /// The number of bits in a digit.
    bits: u32,
    value: fn(u8) -> Option<u32>,
}

const BASE64: Encoding = Encoding {
    digits: 4,
    bits: 6,
    value: |digit| {
        Some(match digit {
            b'A'..=b'Z' => u32::from(digit - b'A'),
            b'a'..=b'z' => u32::from(digit - b'a') + 26,
            b'0'..=b'9' => u32::from(digit - b'0') + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    },
};

const HEX: Encoding = Encoding {
    digits: 2,
    bits: 4,
    value: |digit| char::from(digit).to_digit(16),
};

impl Encoding {
    /// The bytes of a run from its start, except for the zeros of a wider encoding.
    fn decoded(&self, run: &[Piece]) -> Vec<Piece> {
        let mut out = Vec::with_capacity(run.len());
        let (mut word, mut bits, mut from) = (0_u32, 0, 0);
        for piece in run {
            if bits == 0 {
                from = piece.from;
            }
            word = word << self.bits | (self.value)(piece.byte).unwrap_or_default();
            bits += self.bits;
            if bits < 8 {
                continue;
            }
            bits -= 8;
            // The bits that are left belong to the next byte, which this digit is a part of too.
            let [.., byte] = (word >> bits).to_be_bytes();
            if byte != 0 {
                out.push(Piece {
                    byte,
                    from,
                    to: piece.to,
                });
            }
            word &= (1 << bits) - 1;
            from = piece.from;
        }
        out
    }
}

#[cfg(test)]
mod tests;
