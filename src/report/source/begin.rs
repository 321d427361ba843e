//! The beginning of a file: whether it is text, and which reader reads it.

use super::{Csv, Encoding, Json, Pull, Reader, Source};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The first bytes of files that are no text, and what to do with such a file.
const MARKS: [(&[&[u8]], &str); 3] = [
    (
        &[b"\xFF\xFE", b"\xFE\xFF"],
        "it is UTF-16: save it as UTF-8",
    ),
    (
        &[b"PK\x03", b"\xD0\xCF\x11"],
        "it is a spreadsheet or an archive: save it as CSV",
    ),
    (
        // gzip, zstd, bzip2 and xz.
        &[b"\x1F\x8B", b"\x28\xB5\x2F", b"BZh", b"\xFD7z"],
        "it is compressed: unpack it first",
    ),
];

/// Why a file that begins with these bytes is no text.
#[cfg_attr(small_cold, optimize(size))]
fn no_text(start: &[u8]) -> Option<&'static str> {
    let known = MARKS
        .iter()
        .find(|(marks, _)| marks.iter().any(|mark| start.starts_with(mark)));
    match known {
        Some((_, rule)) => Some(rule),
        // UTF-16 without a mark has such a byte in each of its first letters.
        None if start.iter().take(2).any(|&byte| byte == 0) => {
            Some("it is UTF-16 or no text: save it as UTF-8")
        }
        None => None,
    }
}

impl Source {
    /// Detects the reader by the first bytes; returns the offset of the first row.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn begin(
        &mut self,
        input: &[u8],
        from: usize,
        is_last: bool,
    ) -> Result<usize, Pull> {
        let mut at = from;
        if !self.has_begun {
            // Programs that join files leave several byte order marks.
            let rest = loop {
                let rest = input.get(at..).unwrap_or_default();
                if rest.len() < 3 && !is_last {
                    return Err(Pull::More(from));
                }
                if !rest.starts_with(BYTE_ORDER_MARK) {
                    break rest;
                }
                at += BYTE_ORDER_MARK.len();
            };
            if let Some(rule) = no_text(rest) {
                return Err(Pull::Refuse(rule.to_owned()));
            }
            if at > from && self.encoding == Encoding::Windows1252 {
                return Err(Pull::Refuse(
                    "it is declared as windows-1252 and begins with the mark of UTF-8: declare utf-8".to_owned(),
                ));
            }
            self.has_begun = true;
        }
        if matches!(self.reader, Reader::Unknown) {
            let rest = input.get(at..).unwrap_or_default();
            let Some(blank) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) else {
                return Err(if is_last {
                    // A disk that is full and a command that failed leave such files.
                    Pull::Refuse("the file is empty; a list without rows is []".to_owned())
                } else {
                    Pull::More(at)
                });
            };
            if rest.get(blank) == Some(&b'<') {
                return Err(Pull::Refuse(
                    "it is XML or HTML, such as a page that asks to sign in: give CSV or JSON"
                        .to_owned(),
                ));
            }
            let is_json = match self.declared_format.as_str() {
                "" => matches!(rest.get(blank), Some(b'{' | b'[')),
                format => format == "json",
            };
            self.reader = if is_json {
                Reader::Json(Box::new(Json::new()))
            } else {
                Reader::Csv(Csv::new(self.delimiter))
            };
        }
        Ok(at)
    }
}
