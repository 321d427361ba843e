//! What a page says besides its rows: a failure, how many rows its list has, whether another page follows.

use super::{Json, LISTS, MAX_ROW_BYTES, Sink, Stop, Strict};
use crate::report::names::{Fields, Names, Pull};
use crate::report::row::number_of;

/// Fields of a page, or of an object in it, that name a further page.
const FURTHER: [&str; 13] = [
    "next",
    "hasmore",
    "hasnext",
    "hasnextpage",
    "nextpage",
    "nextpageurl",
    "nextpageuri",
    "nexturl",
    "nextlink",
    "nextcursor",
    "nexttoken",
    "nextpagetoken",
    "odatanextlink",
];

/// What the pages of a file say of their list.
#[derive(Debug, Default)]
pub(in crate::report) struct Facts {
    /// The number of pages that name a further one, and of those that say that they are the last.
    pub(in crate::report) further: [u32; 2],
    /// The most rows that a page says its list has; 0 where none says it.
    pub(in crate::report) stated: u64,
    /// A page of such a list is empty: the list ends before it.
    pub(in crate::report) has_end: bool,
    /// The same of the present document, and the number of rows when it began.
    total: u64,
    began: u32,
}

impl Json {
    /// Gateways write an empty list as `null` or as an object without fields.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn note_no_list(&mut self) {
        let is_list = LISTS.iter().any(|name| name.as_bytes() == self.key);
        self.lists += u32::from(is_list);
    }

    pub(super) fn begin_document(&mut self) {
        self.began = self.lists + self.rows;
        self.page_facts.total = 0;
        self.page_facts.began = self.rows;
    }

    /// Why a document that has just ended is no page of rows.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn end_document(&mut self) -> Option<String> {
        let facts = &mut self.page_facts;
        facts.stated = facts.stated.max(facts.total);
        facts.has_end |= facts.total > 0 && facts.began == self.rows;
        if self.failed {
            let message = String::from_utf8_lossy(&self.message);
            return Some(format!("it is no page of rows but a failure: {message}"));
        }
        (self.lists + self.rows == self.began).then(|| {
            let names = LISTS.join(", ");
            format!("it has no list of rows by one of these names: {names}; give the list alone")
        })
    }

    /// Refuses a page where a list beside that of the rows has rows as well, seen by its first one.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn list_beside(
        &mut self,
        input: &[u8],
        at: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Option<Pull> {
        let mut reader = Strict::new(input, at);
        let mut sink = Sink::new(names, fields, &mut self.values);
        sink.can_be_page = true;
        match reader.value(&mut sink, 0) {
            Err(Stop::More) if !is_last && input.len() - at < MAX_ROW_BYTES => Some(Pull::More(at)),
            Ok(()) if sink.is_sale() => Some(Pull::Refuse(format!(
                "its list {} has rows as well, under none of the names {}: give each list alone",
                String::from_utf8_lossy(&self.key),
                LISTS.join(", ")
            ))),
            _ => None,
        }
    }

    /// An error answer has no rows: an empty list would be wrong.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn notice(&mut self, value: &[u8]) {
        if value == b"null" {
            self.note_no_list();
        }
        match self.key.as_slice() {
            b"totalrows" | b"rowcount" => match count_of(value) {
                // A page that says so needs no list.
                Some(0) => self.lists += 1,
                Some(total) => self.page_facts.total = self.page_facts.total.max(total),
                None => {}
            },
            key if FURTHER.iter().any(|name| name.as_bytes() == key)
                && self.levels.iter().filter(|level| !level.is_array).count() <= 2 =>
            {
                let is_last = matches!(value, b"null" | b"false" | b"\"\"" | b"0");
                if let Some(count) = self.page_facts.further.get_mut(usize::from(is_last)) {
                    *count += 1;
                }
            }
            b"success" if value == b"false" => self.failed = true,
            b"requeststatus" if !value.eq_ignore_ascii_case(b"\"success\"") => {
                self.failed = true;
                if self.message.is_empty() {
                    self.message = value.to_vec();
                }
            }
            b"message" | b"error" => {
                self.message = value.get(..200).unwrap_or(value).to_vec();
            }
            _ => {}
        }
    }
}

/// A whole number, also as text.
fn count_of(value: &[u8]) -> Option<u64> {
    let digits = value.strip_prefix(b"\"").unwrap_or(value);
    let digits = digits.strip_suffix(b"\"").unwrap_or(digits);
    if digits == b"0" {
        return Some(0);
    }
    number_of(digits)
}
