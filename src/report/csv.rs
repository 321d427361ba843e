//! CSV by RFC 4180 and as programs write it: four delimiters, quotes, line feeds in quotes, byte order marks. A
//! row that does not fit is a flaw of its own line, never of the lines after it.

mod header;
mod hidden;
mod plain;

use super::day::Zones;
use super::digits::{find, find_either};
use super::flaw::Flaw;
use super::names::{Fields, Kind, Names, Pull, Role};

/// The maximum size of a quoted cell: a longer one has lost its closing quote.
const MAX_ROW_BYTES: usize = 1 << 20;
const NO_ROLE: u8 = u8::MAX;

/// Reads one CSV file.
#[derive(Debug)]
pub(super) struct Csv {
    /// The delimiter; 0 until the header is read.
    delimiter: u8,
    newline: u8,
    /// The role of each column, and one bit for each role that a column has.
    roles: Vec<u8>,
    all_roles: u32,
    header: Vec<Vec<u8>>,
    /// The zones that the header tells.
    pub(super) zones: Zones,
    has_header: bool,
    /// The number of the next line, from 1.
    line: u32,
    /// The line of the last row, and the offset where the row began.
    row_line: u32,
    row_start: usize,
}

impl Csv {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            newline: b'\n',
            roles: Vec::new(),
            all_roles: 0,
            header: Vec::new(),
            zones: Zones::default(),
            has_header: false,
            line: 1,
            row_line: 1,
            row_start: 0,
        }
    }

    pub(super) fn row_line(&self) -> u32 {
        self.row_line
    }

    pub(super) fn row_start(&self) -> usize {
        self.row_start
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The header's cells with their roles; `None` for a column that the report ignores.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&[u8], Option<u8>)> {
        self.header
            .iter()
            .zip(&self.roles)
            .map(|(name, &role)| (name.as_slice(), (role != NO_ROLE).then_some(role)))
    }

    #[inline]
    pub(super) fn has_role(&self, role: Role) -> bool {
        self.all_roles & 1 << role as u32 != 0
    }

    /// Reads on where [`next_plain`](Self::next_plain) has read nothing.
    pub(super) fn next(
        &mut self,
        input: &[u8],
        from: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Pull {
        let mut at = from;
        if !self.has_header {
            match self.read_header(input, at, is_last, names) {
                Ok(Some(after)) => at = after,
                Ok(None) => return Pull::More(from),
                Err(rule) => return Pull::Refuse(rule),
            }
        }
        loop {
            match input.get(at) {
                None => return Pull::More(at),
                Some(&byte) if byte == self.newline => {
                    at += 1;
                    self.line += 1;
                }
                Some(b'\r') => {
                    let after = returns_at(input, at);
                    match input.get(after) {
                        Some(b'\n') => at = after + 1,
                        None if is_last => at = after,
                        _ => break,
                    }
                    self.line += 1;
                }
                // A spreadsheet's empty row.
                Some(&byte) if byte == self.delimiter => {
                    let end = self.end_of_blanks(input, at);
                    match input.get(end) {
                        Some(&byte) if byte == self.newline => at = end + 1,
                        None if is_last => at = end,
                        None => return Pull::More(at),
                        Some(_) => break,
                    }
                    self.line += 1;
                }
                Some(_) => break,
            }
        }
        self.read_row(input, at, is_last, fields)
    }

    /// The offset after delimiters and blanks.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn end_of_blanks(&self, input: &[u8], start: usize) -> usize {
        let rest = input.get(start..).unwrap_or_default();
        let is_blank = |&byte: &u8| {
            byte == self.delimiter || byte != self.newline && matches!(byte, b' ' | b'\t' | b'\r')
        };
        start + rest.iter().take_while(|byte| is_blank(byte)).count()
    }

    #[inline(never)]
    fn read_row(&mut self, input: &[u8], start: usize, is_last: bool, fields: &mut Fields) -> Pull {
        fields.clear();
        self.row_line = self.line;
        self.row_start = start;
        let mut at = start;
        let mut column = 0;
        let mut breaks = 0;
        loop {
            let role = self.roles.get(column).copied().unwrap_or(NO_ROLE);
            let end = if input.get(at) == Some(&b'"') {
                match self.read_quoted(input, at, role, fields, &mut breaks) {
                    Some((end, true)) => end,
                    // The quoted cell has not ended, or has bytes after its closing quote.
                    found => {
                        let is_open = found.is_none();
                        if is_open && !is_last && input.len() - start < MAX_ROW_BYTES {
                            return Pull::More(start);
                        }
                        if !is_open
                            && !is_last
                            && find_either(input, start, self.newline, self.newline) == input.len()
                        {
                            return Pull::More(start);
                        }
                        return self.skip_line(input, start, Flaw::Quote);
                    }
                }
            } else {
                let end = find(input, at, self.delimiter, self.newline);
                if role != NO_ROLE {
                    let to = self.end_of_cell(input, at, end);
                    fields.set(role, at, to, Kind::Text);
                }
                end
            };
            column += 1;
            match input.get(end) {
                Some(&byte) if byte == self.delimiter => at = end + 1,
                None if !is_last => return Pull::More(start),
                found => {
                    let after = end + usize::from(found.is_some());
                    self.line += 1 + breaks;
                    if column != self.roles.len() {
                        return self.flawed(input, start, after, Flaw::Cells);
                    }
                    if breaks > 0
                        && let Some(rule) = self.hidden_rows(input, start, end)
                    {
                        return Pull::Refuse(rule);
                    }
                    return Pull::Row(after);
                }
            }
        }
    }

    /// The end of a cell's text: carriage returns before a line feed are no part of it.
    #[inline]
    fn end_of_cell(&self, input: &[u8], from: usize, end: usize) -> usize {
        let mut to = end;
        if self.newline == b'\n' && input.get(end) != Some(&self.delimiter) {
            while to > from && input.get(to - 1) == Some(&b'\r') {
                to -= 1;
            }
        }
        to
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn skip_line(&mut self, input: &[u8], start: usize, flaw: Flaw) -> Pull {
        let end = find_either(input, start, self.newline, self.newline);
        self.line += 1;
        self.flawed(input, start, (end + 1).min(input.len()), flaw)
    }

    /// A row that does not fit: it may be several, whose lines end in another way than the header.
    #[cfg_attr(small_cold, optimize(size))]
    fn flawed(&self, input: &[u8], start: usize, after: usize, flaw: Flaw) -> Pull {
        let row = input.get(start..after).unwrap_or_default();
        let other = if self.newline == b'\n' { b'\r' } else { b'\n' };
        let lines = row.split(|&byte| byte == other);
        let cells: Vec<_> = lines
            .filter(|line| !line.trim_ascii().is_empty())
            .map(|line| line.split(|&byte| byte == self.delimiter).count())
            .collect();
        if cells.len() > 1 && cells.iter().all(|&cells| cells == self.roles.len()) {
            return Pull::Refuse(
                "its lines end in two ways, with line feeds and with carriage returns: save it again".to_owned(),
            );
        }
        Pull::Bad(flaw, after)
    }

    /// The end of the cell, and whether its quoting is correct; `None` where the quote is not closed.
    #[inline(never)]
    fn read_quoted(
        &self,
        input: &[u8],
        at: usize,
        role: u8,
        fields: &mut Fields,
        breaks: &mut u32,
    ) -> Option<(usize, bool)> {
        let mut from = at + 1;
        let scratch = fields.scratch.len();
        let mut is_escaped = false;
        loop {
            let end = find_either(input, from, b'"', self.newline);
            match input.get(end) {
                None => return None,
                Some(b'"') => {}
                Some(_) => {
                    *breaks += 1;
                    let part = input.get(from..=end)?;
                    // Only an escaped cell must be unescaped into the scratch buffer; a plain cell is a slice of
                    // the input.
                    if role != NO_ROLE {
                        fields.scratch.extend_from_slice(part);
                    }
                    from = end + 1;
                    continue;
                }
            }
            if input.get(end + 1) == Some(&b'"') {
                if role != NO_ROLE {
                    fields.scratch.extend_from_slice(input.get(from..=end)?);
                }
                is_escaped = true;
                from = end + 2;
                continue;
            }
            if role != NO_ROLE {
                if is_escaped {
                    fields.scratch.extend_from_slice(input.get(from..end)?);
                    fields.set_scratch(role, scratch);
                } else {
                    fields.scratch.truncate(scratch);
                    fields.set(role, at + 1, end, Kind::Text);
                }
            }
            let returns = returns_at(input, end + 1);
            let after = match input.get(returns) {
                Some(b'\n') | None if self.newline == b'\n' => returns,
                _ => end + 1,
            };
            let is_proper = input
                .get(after)
                .is_none_or(|&byte| byte == self.delimiter || byte == self.newline);
            return Some((after, is_proper));
        }
    }
}

/// The offset after the carriage returns at an offset.
#[inline]
fn returns_at(input: &[u8], at: usize) -> usize {
    let mut at = at;
    while input.get(at) == Some(&b'\r') {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests;
