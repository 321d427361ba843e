//! How the reader continues after bytes that are no row.

use super::{Expect, Json, MAX_ROW_BYTES};
use crate::report::flaw::Flaw;
use crate::report::names::Pull;

impl Json {
    /// Continues after an unreadable row: at its closing brace, or on the next line.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn skip(&mut self, input: &[u8], at: usize, is_last: bool, flaw: Flaw) -> Pull {
        let rest = input.get(at..).unwrap_or_default();
        let can_wait = !is_last && rest.len() < MAX_ROW_BYTES;
        let line = rest.iter().position(|&byte| byte == b'\n');
        let brace = match_brace(rest);
        let next = brace.and_then(|end| {
            let next = rest.get(end..).unwrap_or_default().iter();
            next.copied()
                .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
        });
        // The next byte decides, so that the result does not depend on where the input is cut.
        if can_wait && (brace.is_none() || next.is_none() && self.levels.is_empty()) {
            return Pull::More(at);
        }
        let brace = brace.filter(|&end| {
            // A row without its closing brace would swallow the next row. A row with an extra brace would leave
            // its rest behind.
            !self.levels.is_empty()
                || (line.is_none_or(|line| end <= line)
                    && next.is_none_or(|byte| matches!(byte, b'\n' | b'{')))
        });
        let end = match (brace, line) {
            (Some(end), _) => end,
            (None, Some(line)) => line + 1,
            (None, None) if can_wait => return Pull::More(at),
            (None, None) => {
                self.rows += 1;
                self.levels.clear();
                self.expect = Expect::Value;
                return Pull::Bad(Flaw::BrokenOff, input.len());
            }
        };
        self.rows += 1;
        self.has_started = true;
        self.close_value();
        Pull::Bad(flaw, at + end)
    }

    /// Continues after bytes that are not JSON: at the next line, or the next row.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn broken(&mut self, input: &[u8], at: usize, is_last: bool) -> Pull {
        let rest = input.get(at..).unwrap_or_default();
        let next = if self.levels.is_empty() {
            rest.iter()
                .position(|&byte| byte == b'\n')
                .map(|line| line + 1)
        } else {
            let after = rest.get(1..).unwrap_or_default();
            after
                .iter()
                .position(|&byte| byte == b'{' || byte == b'\n')
                .map(|next| next + 1)
        };
        let Some(next) = next else {
            if !is_last && rest.len() < MAX_ROW_BYTES {
                return Pull::More(at);
            }
            self.rows += 1;
            self.levels.clear();
            self.expect = Expect::Value;
            return Pull::Bad(Flaw::BrokenOff, input.len());
        };
        self.rows += 1;
        self.expect =
            if self.levels.last().is_some_and(|level| level.is_array) || self.levels.is_empty() {
                Expect::Value
            } else {
                Expect::CommaOrEnd
            };
        Pull::Bad(Flaw::Json, at + next)
    }
}

/// The end of the object at an offset, found by counting braces.
#[cfg_attr(small_cold, optimize(size))]
fn match_brace(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_u32;
    let mut is_text = false;
    let mut is_escaped = false;
    for (at, &byte) in bytes.iter().enumerate().take(MAX_ROW_BYTES) {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
