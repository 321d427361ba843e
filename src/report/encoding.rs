//! Windows-1252, as spreadsheets of Windows write files.

/// Windows-1252's 0x80 to 0x9F (WHATWG); the other bytes are Latin-1.
pub(super) fn from_windows(byte: u8) -> char {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ";
    match byte {
        0x80..=0x9F => HIGH.chars().nth(usize::from(byte - 0x80)).unwrap_or('?'),
        _ => char::from(byte),
    }
}
