//! What few files have: test orders, line items, units that are not certain, lists of refunds, fields that lack.

use super::field::{is_order, shopify_id};
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
            return Some(format!(
                "no field of its rows is known: {}",
                self.names.remedy("`columns`")
            ));
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

    /// Refuses a test order that does not count, a part of an order, and amounts whose units are not certain.
    #[inline]
    pub(in crate::report) fn admit(&mut self, fields: &Fields, input: &[u8]) -> Result<(), Flaw> {
        if fields.has_any(1 << Role::Test as u32 | 1 << Role::Parent as u32) {
            self.admit_rare(fields, input)?;
        }
        if self.format.is_smallest && !self.has_units {
            self.settle_units()?;
        }
        Ok(())
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn admit_rare(&self, fields: &Fields, input: &[u8]) -> Result<(), Flaw> {
        if !self.counts_tests
            && self
                .names
                .says_test(fields.text(Role::Test, input).trim_ascii())?
        {
            return Err(Flaw::TestOrder);
        }
        // In Shopify's bulk operations a row names the one that it is a part of. An order is only its customer's.
        let is_part = shopify_id(fields.text(Role::Parent, input)).is_some_and(|(kind, _)| {
            !kind.starts_with(b"Customer") && !kind.starts_with(b"Company")
        });
        if is_part && !kinds_of_ids(fields, input).any(is_order) {
            return Err(Flaw::LineItem);
        }
        Ok(())
    }

    /// Is a row that is no order's a part of an order that says nothing of money, such as a line item? A refund says
    /// something, and nobody can know whether its order's row says the same.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn can_leave_out(&self, fields: &Fields, input: &[u8]) -> bool {
        !self.is_csv()
            && shopify_id(fields.text(Role::Parent, input)).is_some()
            && !kinds_of_ids(fields, input).any(|kind| kind == b"Refund")
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

/// The kinds of the row's ids, where they are Shopify's.
fn kinds_of_ids<'a>(fields: &'a Fields, input: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let roles = [Role::UniqueId, Role::OrderId].into_iter();
    roles.filter_map(|role| Some(shopify_id(fields.text(role, input))?.0))
}
