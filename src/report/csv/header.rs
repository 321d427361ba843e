//! The header of a CSV file: its line end, its delimiter, and the role of each column.

use super::{Csv, MAX_ROW_BYTES, NO_ROLE, returns_at};
use crate::nearest::nearest;
use crate::report::digits::find_either;
use crate::report::names::{Names, ROLE_NAMES, ROLES, Role, path_of, zones};

impl Csv {
    /// Detects newline, delimiter and roles; returns the offset of the first row.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn read_header(
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
            let returns = returns_at(input, end);
            if returns == input.len() && !is_last {
                return Ok(None);
            }
            // One line feed ends a line, whatever number of carriage returns a text mode has put before it.
            let is_feed = input.get(returns) == Some(&b'\n');
            self.newline = if is_feed || returns == end {
                b'\n'
            } else {
                b'\r'
            };
            let after = if is_feed { returns + 1 } else { end + 1 };
            let after = after.min(input.len());
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
        let known = self.roles.iter().filter(|&&role| role != NO_ROLE);
        self.all_roles = known.fold(0, |all, role| all | 1 << role);
        if self.all_roles == 0 {
            return Err(no_column(input, at, names));
        }
        self.zones = zones(|role| {
            let column = self.roles.iter().position(|&own| own == role as u8)?;
            header.get(column).map(Vec::as_slice)
        })?;
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
                .filter(|cell| names.find_column(cell).is_some())
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
                Err(no_column(input, at, names))
            }
            _ => Err(format!(
                "its header reads under several delimiters: {}",
                names.remedy("`delimiter`")
            )),
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
                while self.newline == b'\n' && cell.last() == Some(&b'\r') {
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

/// No column is known: the first line shows why.
#[cfg_attr(small_cold, optimize(size))]
fn no_column(input: &[u8], at: usize, names: &Names) -> String {
    let end = find_either(input, at, b'\n', b'\r');
    let line = input.get(at..end.min(at + 120)).unwrap_or_default();
    format!(
        "no column of its header is known: {}; its first line is {}",
        names.remedy("`columns`, or the `delimiter`"),
        String::from_utf8_lossy(line)
    )
}

/// The role of each column. If the header has several names of one role, the highest-ranked name wins.
#[cfg_attr(small_cold, optimize(size))]
fn roles_of(header: &[Vec<u8>], names: &Names) -> Result<Vec<u8>, String> {
    let mut best = [(u8::MAX, usize::MAX); ROLES];
    let mut twice = None;
    for (column, name) in header.iter().enumerate() {
        let Some((role, rank)) = names.find_column(name) else {
            continue;
        };
        if let Some(slot) = best.get_mut(usize::from(role)) {
            if slot.0 == rank {
                twice = Some((role, rank, slot.1, name));
            }
            if rank < slot.0 {
                *slot = (rank, column);
            }
        }
    }
    if let Some((role, rank, first, name)) = twice
        && best
            .get(usize::from(role))
            .is_some_and(|slot| slot.0 == rank)
    {
        let other = header.get(first).unwrap_or(name);
        let path = |name: &[u8]| path_of(&String::from_utf8_lossy(name));
        if path(other) != path(name) {
            return Err(names.why_ambiguous(role, other, name));
        }
        return Err(format!(
            "its header has the column {} twice: rename one",
            String::from_utf8_lossy(name)
        ));
    }
    let has = |role: Role| {
        best.get(role as usize)
            .is_some_and(|best| best.0 != u8::MAX)
    };
    if let Some(why) = names.why_other_export(has) {
        return Err(format!(
            "its header is not that of Shopify's export of orders: {why}"
        ));
    }
    let mut roles = vec![NO_ROLE; header.len()];
    read_second(header, names, &best, &mut roles)?;
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

/// An order whose payment was given back is not owed, whatever another column says: a second status is read as well.
#[cfg_attr(small_cold, optimize(size))]
fn read_second(
    header: &[Vec<u8>],
    names: &Names,
    best: &[(u8, usize); ROLES],
    roles: &mut [u8],
) -> Result<(), String> {
    let others = header.iter().enumerate().filter(|&(column, name)| {
        let role = names.find_column(name).map(|(role, _)| role);
        role.is_some_and(|role| {
            let chosen = best.get(usize::from(role));
            names.may_be_second(role) && chosen.is_some_and(|chosen| chosen.1 != column)
        })
    });
    let others: Vec<usize> = others.map(|(column, _)| column).collect();
    match others.as_slice() {
        [] => Ok(()),
        [one] => {
            if let Some(slot) = roles.get_mut(*one) {
                *slot = Role::State as u8;
            }
            Ok(())
        }
        _ => Err(format!(
            "its header has more than two columns of a status: {}",
            names.remedy("`columns.status`")
        )),
    }
}
