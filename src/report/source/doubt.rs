//! The ambiguous rows of a file: the file is refused with some of them.

use super::Source;
use crate::Error;
use crate::report::amount::read as read_amount;
use crate::report::flaw::Flaw;
use crate::report::names::{Fields, Role, RowKind};

impl Source {
    /// Records an ambiguous row; returns whether there are enough examples.
    pub(in crate::report) fn doubt(&mut self, flaw: Flaw, fields: &Fields, input: &[u8]) -> bool {
        let role = match flaw {
            Flaw::AmbiguousDate | Flaw::NoTimeZone => Role::Date,
            Flaw::UnmappedStatus => Role::Status,
            Flaw::AmbiguousEncoding => Role::UniqueId,
            _ => Role::Revenue,
        };
        let mut text = fields.text(role, input);
        if flaw == Flaw::AmbiguousAmount
            && (text.is_empty() || read_amount(text, self.format, false, b"").is_ok())
        {
            text = fields.text(Role::Payout, input);
        }
        if role == Role::Date && self.days.read(text).is_ok_and(|read| read.offset.is_none()) {
            // It is the other time that cannot be read.
            text = fields.text(Role::Paid, input);
        }
        let mut text = String::from_utf8_lossy(text.get(..60).unwrap_or(text)).into_owned();
        let second = self.names.second_status(fields, input);
        if role == Role::Status && !second.is_empty() {
            let second = String::from_utf8_lossy(second.get(..60).unwrap_or(second));
            text = format!("{text} and {second}");
        }
        let is_new =
            flaw != Flaw::UnmappedStatus || self.doubts.iter().all(|(_, _, known)| *known != text);
        if is_new {
            self.doubts.push((self.line(), flaw, text));
        }
        self.doubts.len() >= 3 && flaw != Flaw::UnmappedStatus || self.doubts.len() >= 20
    }

    /// The error for the ambiguous rows, if there are any.
    pub(in crate::report) fn objection(&self) -> Option<Error> {
        let (_, first, _) = self.doubts.first()?;
        let foreign = |what: &str, options: &str| format!("{what}: {}", self.names.remedy(options));
        let rule = match first {
            Flaw::AmbiguousAmount if self.kind != RowKind::Orders => foreign(
                "amounts are not as CAKE writes them, such as 1,234.50",
                "its `decimal` and `group`",
            ),
            Flaw::AmbiguousEncoding if self.kind != RowKind::Orders => {
                foreign("texts are not UTF-8", "its `encoding`")
            }
            Flaw::AmbiguousDate if self.kind == RowKind::Deliveries => {
                foreign("dates are not year first", "its `dates`")
            }
            _ => first.rule().unwrap_or("").to_owned(),
        };
        let mut message = format!("{}: {rule}", self.title());
        let place = if self.is_csv() { "line" } else { "row" };
        for (line, flaw, text) in &self.doubts {
            if flaw == first {
                message = format!("{message}; {place} {line}: {text}");
            }
        }
        Some(if *first == Flaw::UnmappedStatus {
            Error::UnmappedStatus { message }
        } else {
            Error::AmbiguousFile { message }
        })
    }
}
