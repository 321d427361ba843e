//! CSV by RFC 4180 and as programs write it: four delimiters, quotes, line feeds in quotes, byte order marks. A
//! row that does not fit is a flaw of its own line, never of the lines after it.

use super::flaw::Flaw;
use super::names::{Fields, Kind, Names, Pull, ROLE_NAMES, ROLES, find, find_either, normalise};
use crate::nearest::nearest;

/// The maximum size of a quoted cell: a longer one has lost its closing quote.
const MAX_ROW_BYTES: usize = 1 << 20;
const NO_ROLE: u8 = u8::MAX;

/// Reads one CSV file.
#[derive(Debug)]
pub(super) struct Csv {
    /// The delimiter; 0 until the header is read.
    delimiter: u8,
    newline: u8,
    /// The role of each column.
    roles: Vec<u8>,
    header: Vec<Vec<u8>>,
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
            header: Vec::new(),
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

    pub(super) fn has_role(&self, role: u8) -> bool {
        self.roles.contains(&role)
    }

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
                Some(b'\r') if input.get(at + 1) == Some(&self.newline) => {
                    at += 2;
                    self.line += 1;
                }
                Some(_) => break,
            }
        }
        self.read_row(input, at, is_last, fields)
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
                    let is_end = input.get(end) != Some(&self.delimiter);
                    let has_return = is_end
                        && end > at
                        && self.newline == b'\n'
                        && input.get(end - 1) == Some(&b'\r');
                    fields.set(role, at, end - usize::from(has_return), Kind::Text);
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
                        return Pull::Bad(Flaw::Cells, after);
                    }
                    return Pull::Row(after);
                }
            }
        }
    }

    fn skip_line(&mut self, input: &[u8], start: usize, flaw: Flaw) -> Pull {
        let end = find_either(input, start, self.newline, self.newline);
        self.line += 1;
        Pull::Bad(flaw, (end + 1).min(input.len()))
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
            let after = match input.get(end + 1) {
                Some(b'\r')
                    if self.newline == b'\n'
                        && matches!(input.get(end + 2), Some(b'\n') | None) =>
                {
                    end + 2
                }
                _ => end + 1,
            };
            let is_proper = input
                .get(after)
                .is_none_or(|&byte| byte == self.delimiter || byte == self.newline);
            return Some((after, is_proper));
        }
    }

    /// Detects newline, delimiter and roles; returns the offset of the first row.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn read_header(
        &mut self,
        input: &[u8],
        from: usize,
        is_last: bool,
        names: &Names,
    ) -> Result<Option<usize>, String> {
        let mut at = from;
        let mut line_number = self.line;
        let mut declared = self.delimiter;
        // Lines before the header: `sep=;`, as Excel writes and reads it, and empty ones.
        loop {
            let end = find_either(input, at, b'\n', b'\r');
            if end == input.len() && (!is_last || end == at) {
                if is_last {
                    return Err("the file is empty".to_owned());
                }
                return if input.len() < MAX_ROW_BYTES {
                    Ok(None)
                } else {
                    Err("its first line does not end".to_owned())
                };
            }
            if end + 1 == input.len() && !is_last {
                return Ok(None);
            }
            let is_return = input.get(end) == Some(&b'\r');
            let is_pair = is_return && input.get(end + 1) == Some(&b'\n');
            self.newline = if is_return && !is_pair { b'\r' } else { b'\n' };
            let after = (end + 1 + usize::from(is_pair)).min(input.len());
            let line = input.get(at..end).unwrap_or_default();
            if line.is_empty() {
                at = after;
                line_number += 1;
                continue;
            }
            if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark] = line
                && line_number == 1
            {
                if declared == 0 {
                    declared = *mark;
                }
                at = after;
                line_number += 1;
                continue;
            }
            break;
        }
        let delimiter = if declared == 0 {
            self.find_delimiter(input, at, is_last, names)?
        } else {
            Some(declared)
        };
        let Some(delimiter) = delimiter else {
            return Ok(None);
        };
        let Some((header, breaks, after)) = self.cells(input, at, delimiter, is_last) else {
            return if is_last || input.len() >= MAX_ROW_BYTES {
                Err("a quote of its header does not end".to_owned())
            } else {
                Ok(None)
            };
        };
        self.roles = roles_of(&header, names)?;
        // Under a declared delimiter that the file does not have, its header is one unknown column.
        if self.roles.iter().all(|&role| role == NO_ROLE) {
            return Err(no_column(input, at));
        }
        self.header = header;
        self.delimiter = delimiter;
        self.line = line_number + 1 + breaks;
        self.has_header = true;
        Ok(Some(after))
    }

    /// The only delimiter with which the header has known columns.
    #[cfg_attr(small_cold, optimize(size))]
    fn find_delimiter(
        &self,
        input: &[u8],
        at: usize,
        is_last: bool,
        names: &Names,
    ) -> Result<Option<u8>, String> {
        let mut found = Vec::new();
        for delimiter in [b',', b';', b'\t', b'|'] {
            let Some((cells, ..)) = self.cells(input, at, delimiter, is_last) else {
                continue;
            };
            let known = cells
                .iter()
                .filter(|cell| names.find(&normalised(cell)).is_some())
                .count();
            if known > 0 {
                found.push((cells.len(), delimiter));
            }
        }
        // A header with one column is the same for each delimiter.
        if found.iter().any(|&(cells, _)| cells > 1) {
            found.retain(|&(cells, _)| cells > 1);
        } else {
            found.truncate(1);
        }
        match found.as_slice() {
            [(_, delimiter)] => Ok(Some(*delimiter)),
            [] => {
                let end = find_either(input, at, b'\n', b'\r');
                if end == input.len() && !is_last {
                    return Ok(None);
                }
                Err(no_column(input, at))
            }
            _ => Err("its header reads under several delimiters: declare `delimiter`".to_owned()),
        }
    }

    /// Reads the cells of the row at an offset, with line feeds in quotes; returns the offset of the next row.
    #[cfg_attr(small_cold, optimize(size))]
    fn cells(
        &self,
        input: &[u8],
        from: usize,
        delimiter: u8,
        is_last: bool,
    ) -> Option<(Vec<Vec<u8>>, u32, usize)> {
        let mut cells = Vec::new();
        let mut cell = Vec::new();
        let mut breaks = 0;
        let mut is_quoted = false;
        let mut at = from;
        loop {
            let Some(&byte) = input.get(at) else {
                if is_quoted || !is_last {
                    return None;
                }
                cells.push(cell);
                return Some((cells, breaks, at));
            };
            at += 1;
            if is_quoted {
                match (byte, input.get(at)) {
                    (b'"', Some(b'"')) => {
                        cell.push(b'"');
                        at += 1;
                    }
                    (b'"', _) => is_quoted = false,
                    _ => {
                        breaks += u32::from(byte == self.newline);
                        cell.push(byte);
                    }
                }
            } else if byte == b'"' && cell.is_empty() {
                is_quoted = true;
            } else if byte == delimiter {
                cells.push(core::mem::take(&mut cell));
            } else if byte == self.newline {
                if self.newline == b'\n' && cell.last() == Some(&b'\r') {
                    cell.pop();
                }
                cells.push(cell);
                return Some((cells, breaks, at));
            } else {
                cell.push(byte);
            }
        }
    }
}

fn no_column(input: &[u8], at: usize) -> String {
    let end = find_either(input, at, b'\n', b'\r');
    let line = input.get(at..end.min(at + 120)).unwrap_or_default();
    format!(
        "no column of its header is known: declare `columns`, or another `delimiter`; its first line is {}",
        String::from_utf8_lossy(line)
    )
}

fn normalised(name: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    normalise(name, |byte| path.push(byte));
    path
}

/// The role of each column. If the header has several names of one role, the highest-ranked name wins.
#[cfg_attr(small_cold, optimize(size))]
fn roles_of(header: &[Vec<u8>], names: &Names) -> Result<Vec<u8>, String> {
    let mut best = [(u8::MAX, usize::MAX); ROLES];
    let mut twice = None;
    for (column, name) in header.iter().enumerate() {
        let Some((role, rank)) = names.find(&normalised(name)) else {
            continue;
        };
        if let Some(slot) = best.get_mut(usize::from(role)) {
            if slot.0 == rank {
                twice = Some((role, rank, name));
            }
            if rank < slot.0 {
                *slot = (rank, column);
            }
        }
    }
    if let Some((role, rank, name)) = twice
        && best
            .get(usize::from(role))
            .is_some_and(|slot| slot.0 == rank)
    {
        return Err(format!(
            "its header has the column {} twice: rename one",
            String::from_utf8_lossy(name)
        ));
    }
    let mut roles = vec![NO_ROLE; header.len()];
    for (role, (&(_, column), role_name)) in (0_u8..).zip(best.iter().zip(ROLE_NAMES)) {
        if let Some(slot) = roles.get_mut(column) {
            *slot = role;
        } else if names.is_declared(role) && !names.copies().iter().any(|&(_, to)| to == role) {
            let columns: Vec<_> = header
                .iter()
                .map(|name| String::from_utf8_lossy(name))
                .collect();
            let (kind, given) = names.given(role);
            let meant = nearest(given, columns.iter().map(AsRef::as_ref));
            let meant = meant.map_or_else(String::new, |meant| format!(". Did you mean {meant}?"));
            return Err(format!(
                "the column {given}, declared for {role_name} of the {kind}, is not in its header: {}{meant}",
                columns.join(", ")
            ));
        }
    }
    Ok(roles)
}

#[cfg(test)]
mod tests;
