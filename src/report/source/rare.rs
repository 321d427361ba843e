//! What few files have: test orders, line items, units that are not certain, lists of refunds, fields that lack.

use super::{Reader, Source};
use crate::report::flaw::Flaw;
use crate::report::names::{Fields, Role, normalise};

impl Source {
    /// What the file lacks at its end, so that it cannot be what it was declared as.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn lack(&self) -> Option<String> {
        let Reader::Json(json) = &self.reader else {
            return None;
        };
        let met = json.met?;
        if met == 0 && !json.other_list.is_empty() {
            let list = String::from_utf8_lossy(&json.other_list);
            return Some(format!(
                "no field of its rows is known: if its list {list} has the rows, give that list alone"
            ));
        }
        if met == 0 && self.names.not_among(0).is_none() {
            return Some("no field of its rows is known: declare `columns`".to_owned());
        }
        let (given, role, kind) = self.names.not_among(met)?;
        Some(format!(
            "the field {given}, declared for {role} of the {kind}, is in none of its rows"
        ))
    }

    #[inline(never)]
    pub(super) fn note_order(
        &mut self,
        order: &[u8],
        fields: &Fields,
        input: &[u8],
    ) -> Result<bool, Flaw> {
        let is_blank = |role| fields.text(role, input).iter().all(u8::is_ascii_whitespace);
        if is_blank(Role::Revenue) && is_blank(Role::Status) {
            if !order.is_empty() && order == self.last_order {
                self.line_items += 1;
                return Ok(true);
            }
            return Err(Flaw::LineItem);
        }
        self.last_order.clear();
        self.last_order.extend_from_slice(order);
        Ok(false)
    }

    /// Refuses a test order that does not count, and amounts whose units are not certain.
    #[inline]
    pub(in crate::report) fn admit(&mut self, fields: &Fields, input: &[u8]) -> Result<(), Flaw> {
        if fields.has_any(1 << Role::Test as u32) && self.is_test(fields, input) {
            return Err(Flaw::TestOrder);
        }
        if self.format.is_smallest && !self.has_units {
            self.settle_units()?;
        }
        Ok(())
    }

    /// Is the row a test order that does not count?
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn is_test(&self, fields: &Fields, input: &[u8]) -> bool {
        !self.counts_tests && self.names.says_test(fields.text(Role::Test, input))
    }

    /// Does the list that the row lies in hold refunds?
    #[inline]
    pub(in crate::report) fn is_of_refunds(&self) -> bool {
        matches!(&self.reader, Reader::Json(json) if json.is_of_refunds())
    }

    /// Stripe's API answers in smallest units, and its dashboard exports whole amounts: such a file names the zone of
    /// its times, or has converted amounts. Any other CSV file may be either.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn settle_units(&mut self) -> Result<(), Flaw> {
        if let Reader::Csv(csv) = &self.reader {
            let is_exported = csv.columns().any(|(name, _)| {
                let mut letters = Vec::new();
                normalise(name, |byte| letters.push(byte));
                letters.ends_with(b"utc") || letters.starts_with(b"converted")
            });
            if !is_exported {
                return Err(Flaw::AmbiguousUnits);
            }
            self.format.is_smallest = false;
        }
        self.has_units = true;
        Ok(())
    }
}
