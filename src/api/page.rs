//! A page of a list: its rows, and the places of its entries that are none.

use super::unread::Unread;
use serde::Serialize;

/// A page of a list. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<Row> {
    /// The rows, in CAKE's order.
    pub rows: Vec<Row>,
    /// The number of rows in all, where CAKE gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_rows: Option<u64>,
    /// The places, from 0, of entries that are no row: null, or without a field. They count where
    /// the next page is asked for by its position.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gaps: Vec<usize>,
    /// The values in the rows that could not be read.
    #[serde(skip_serializing_if = "Unread::is_empty")]
    pub(crate) unread: Unread,
}

impl<Row: Default + PartialEq> Page<Row> {
    /// Adds an entry of a list, with what could not be read of it. A row without any field that is
    /// known is no row: where nothing else is told of it, the entry itself is.
    pub(super) fn push(&mut self, row: Row, unread: Unread, list: &str, entry: &str) {
        if row == Row::default() {
            self.gaps.push(self.rows.len() + self.gaps.len());
            if unread.is_empty() {
                self.unread.note(list, entry);
            }
        } else {
            self.rows.push(row);
        }
        self.unread.merge(unread);
    }

    /// The page with the list's length. An empty list has no entries, whatever a gateway writes for
    /// it.
    pub(super) fn with_total(mut self, total_rows: Option<u64>) -> Self {
        self.total_rows = total_rows;
        if total_rows == Some(0) && self.rows.is_empty() {
            self.gaps.clear();
            self.unread = Unread::default();
        }
        self
    }
}
