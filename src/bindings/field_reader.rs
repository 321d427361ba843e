//! Texts from JavaScript, many in one string: each passing costs time and code.

use crate::link::LinkWriter;
use crate::url::cut;
use crate::{Result, sub_id};

/// Writes a link after its origin, which `output` holds. `texts` go on with `s1` … `s5`, the price
/// format, the deep link, and its allowed hosts separated by spaces. Then come name and value of
/// each extra parameter. `flags`: 2 allow the test affiliate, 4 let sub ids spill.
pub(super) fn write_link(
    texts: &mut FieldReader<'_>,
    flags: u64,
    [affiliate_id, creative_id]: [i64; 2],
    output: &mut String,
) -> Result<()> {
    let mut writer = LinkWriter::open(output, flags & 4 != 0);
    writer.ids(affiliate_id, creative_id, flags & 2 != 0);
    for _ in sub_id::NAMES {
        writer.sub_id(texts.next());
    }
    writer.price_format(texts.next());
    writer.deep_link(texts.next(), &[texts.next()]);
    while !texts.is_empty() {
        writer.extra(texts.next(), texts.next());
    }
    writer.close()
}

/// Reads fields of a text in order, each ended by a line feed. After the last field they are empty.
pub(super) struct FieldReader<'a> {
    rest: Option<&'a str>,
    taken: usize,
}

impl<'a> FieldReader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: Some(text),
            taken: 0,
        }
    }

    pub(super) fn next(&mut self) -> &'a str {
        let Some(text) = self.rest else { return "" };
        let (part, rest) = cut(text, b'\n');
        self.rest = rest.filter(|rest| !rest.is_empty());
        self.taken += 1;
        part
    }

    /// How many fields have been read.
    #[cfg(feature = "edge")]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_none()
    }
}
