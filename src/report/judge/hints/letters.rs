//! Plain digits and letters: of other scripts, small ones, and those below accents. Tables of their own, since those of the
//! standard library are many times as large.

/// The zeros of other scripts; the digits from 1 to 9 follow each.
const ZEROS: &str = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀០᠐";

/// `1` of `١`, `۱` and `१`.
pub(super) fn plain_digit(c: char) -> char {
    let number = |zero: char| {
        let number = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(number, 10)
    };
    if c.is_ascii() {
        c
    } else {
        ZEROS.chars().find_map(number).unwrap_or(c)
    }
}

/// A small letter of a Latin, Greek or Cyrillic one.
pub(super) fn small(c: char) -> char {
    let further = match c {
        '\u{391}'..='\u{3a9}' | '\u{410}'..='\u{42f}' => 0x20,
        '\u{400}'..='\u{40f}' => 0x50,
        _ => return c.to_ascii_lowercase(),
    };
    char::from_u32(u32::from(c) + further).unwrap_or(c)
}

/// The letters below the accents of Latin ones: where they begin, and how often each comes. `.` is none.
const LATIN: [(u32, &str); 3] = [
    (
        0xc0,
        "a6.1c1e4i4d1n1o5.1o1u4y1t1.1a6.1c1e4i4d1n1o5.1o1u4y1t1y1\
        a6c8d4e9e1g8h4i9i1.2j2k3l9l1n9o6.2r6s8t6u9u3w2y3z6s1",
    ),
    (
        0x1cd,
        "a2i2o2u9u1.1a4.2g4k2o4.2j1.3g2.2n2a2.2o2a4e4i4o4r4u4s2t2.2h2.6a2e2o8y2",
    ),
    (
        0x1e00,
        "a2b6c2d9d1e9e1f2g2h9h1i4k6l8m6n8o8p4r8s9s1t8u9u1v4w9w1x4y2z6h1t1w1y1a1s1.4\
        a9a9a6e9e7i4o9o9o6u9u5y8",
    ),
];

/// Letters with an accent, each before the one without.
const OTHERS: &str = "ЙИйиЁЕёеЇІїіЎУўуΆΑάαΈΕέεΉΗήηΊΙίιΌΟόοΎΥύυΏΩώω";

/// `Cafe` of `Café`, whether the letter is one character or two, and `Strasse` of `Straße`.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn without_accents(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            _ if c.is_ascii() => plain.push(c),
            '\u{300}'..='\u{36f}' => {}
            'Æ' | 'æ' => plain.push_str("ae"),
            'Œ' | 'œ' => plain.push_str("oe"),
            'Ĳ' | 'ĳ' => plain.push_str("ij"),
            'ß' | 'ẞ' => plain.push_str("ss"),
            c => plain.push(bare_letter(c)),
        }
    }
    plain
}

#[cfg_attr(small_cold, optimize(size))]
fn bare_letter(c: char) -> char {
    let mut others = OTHERS.chars();
    while let (Some(accented), Some(bare)) = (others.next(), others.next()) {
        if accented == c {
            return bare;
        }
    }
    let latin = LATIN.iter().find_map(|(start, runs)| {
        let mut index = u32::from(c).checked_sub(*start)?;
        let mut runs = runs.chars();
        loop {
            let (letter, count) = (runs.next()?, runs.next()?.to_digit(10)?);
            if index < count {
                return Some(letter).filter(|letter| *letter != '.');
            }
            index -= count;
        }
    });
    latin.unwrap_or(c)
}
