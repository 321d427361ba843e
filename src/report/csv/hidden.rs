//! Rows that a quoted cell hides: an export that does not double the quotes in its cells.

use super::Csv;
use crate::report::day::Days;
use crate::report::flaw::Flaw;
use crate::report::names::Role;

impl Csv {
    /// Why a row of several lines is no row: each of its lines, read alone, is one. Two stray quotes make one cell of
    /// all that is between them.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn hidden_rows(&self, input: &[u8], start: usize, end: usize) -> Option<String> {
        let rows = input.get(start..end)?;
        let mut lines = rows.split(|&byte| byte == self.newline);
        let is_row = lines.all(|line| line.trim_ascii().is_empty() || self.looks_like_row(line));
        is_row.then(|| {
            let (from, to) = (self.row_line, self.line - 1);
            format!(
                "its lines {from} to {to} are rows, and two quotes make one cell of them: export it again with the quotes in its cells written twice, or without"
            )
        })
    }

    /// Has a line, whatever its quotes, as many cells as the header, and numbers where amounts and dates are?
    #[cfg_attr(small_cold, optimize(size))]
    fn looks_like_row(&self, line: &[u8]) -> bool {
        let cells: Vec<_> = line.split(|&byte| byte == self.delimiter).collect();
        if cells.len() != self.roles.len() {
            return false;
        }
        let mut numbers = 0;
        let mut days = Days {
            is_unix: true,
            ..Days::default()
        };
        for (cell, &role) in cells.into_iter().zip(&self.roles) {
            let is_date = role == Role::Date as u8;
            if !is_date && role != Role::Revenue as u8 && role != Role::Payout as u8 {
                continue;
            }
            let cell = cell.trim_ascii();
            let cell = cell.strip_prefix(b"\"").unwrap_or(cell);
            let cell = cell.strip_suffix(b"\"").unwrap_or(cell);
            if cell.is_empty() {
                continue;
            }
            let is_number = if is_date {
                matches!(days.read(cell), Ok(_) | Err(Flaw::AmbiguousDate))
            } else {
                let has_letters = cell.iter().any(u8::is_ascii_alphabetic);
                cell.iter().any(u8::is_ascii_digit) && !has_letters
            };
            if !is_number {
                return false;
            }
            numbers += 1;
        }
        numbers > 0
    }
}
