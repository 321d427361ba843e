//! What a row takes back: whether it is a refund, of which sale, and what its own sale's row leaves.

use super::kind::Meaning;
use crate::Result;
use crate::report::Report;
use crate::report::flaw::Flaw;
use crate::report::judge::{NOTHING, PLUS};
use crate::report::memory::hash;
use crate::report::names::{Fields, Role, normalise};
use crate::report::source::{GivenBack, Source};
use crate::report::store::NO_AMOUNT;
use std::borrow::Cow;

/// The roles by which a sale's own row changes what remains of it; one bit for each.
pub(super) const CHANGES: u32 = 1 << Role::Refunded as u32
    | 1 << Role::Cancelled as u32
    | 1 << Role::Captured as u32
    | 1 << Role::Disputed as u32
    | 1 << Role::Remaining as u32
    | 1 << Role::RefundIds as u32
    | 1 << Role::State as u32;

/// What a row of a kind and a status takes back, and the mark of the row. It is nothing where a refund has failed or
/// a dispute is won, and no amount where that is open.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn taken_back(
    source: &Source,
    (meaning, has_key): (Meaning, bool),
    fields: &Fields,
    input: &[u8],
    revenue: i64,
) -> (i64, u32) {
    // A payout or a fee without a key is of no sale.
    if meaning == Meaning::Apart && !has_key && (revenue >= 0 || revenue == NO_AMOUNT) {
        return (NO_AMOUNT, NOTHING);
    }
    let mut letters = Vec::new();
    let status = fields.text(Role::Status, input);
    normalise(status, |byte| letters.push(byte));
    let back = match revenue {
        NO_AMOUNT => (NO_AMOUNT, 0),
        // A file may write all of its refunds without a sign. The sign tells what one of several does.
        _ if revenue > 0 => (-revenue, PLUS),
        _ => (revenue, 0),
    };
    match (meaning, letters.as_slice()) {
        (Meaning::Dispute, b"lost") => back,
        (Meaning::Dispute, b"won" | b"warningclosed") => (NO_AMOUNT, NOTHING),
        (Meaning::Dispute | Meaning::Undone | Meaning::Apart, _) => (NO_AMOUNT, 0),
        (_, b"failed" | b"canceled" | b"cancelled") if source.dialect == "stripe" => {
            (NO_AMOUNT, NOTHING)
        }
        (_, b"failed" | b"failure" | b"error" | b"denied" | b"declined") => (NO_AMOUNT, 0),
        _ => back,
    }
}

impl Source {
    /// The order that a refund names, since its own id is no order's. `None` for a row that is an order's, and for a refund
    /// that names none. `WooCommerce`'s refunds are known by that as well.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn sale_of_refund<'a>(
        &self,
        fields: &'a Fields,
        input: &'a [u8],
        is_refund: bool,
    ) -> Result<Option<Cow<'a, [u8]>>, Flaw> {
        let has = |role| !fields.text(role, input).trim_ascii().is_empty();
        let parent = self.id(fields, Role::Parent, input)?;
        let has_parent = !matches!(&*parent, b"" | b"0");
        let is_bare = self.dialect == "woocommerce"
            && !has(Role::Status)
            && (has_parent || has(Role::RefundIds));
        Ok(match has_parent {
            true if is_refund || is_bare => Some(parent),
            false if is_bare => Some(Cow::default()),
            _ => None,
        })
    }
}

impl Report {
    /// What its own row leaves of an order's revenue and status, and the mark of what was given back.
    #[inline(never)]
    pub(super) fn remaining(
        &mut self,
        source: &Source,
        fields: &Fields,
        input: &[u8],
        currency: u8,
        (revenue, status): (i64, u8),
    ) -> Result<(i64, u8, u32), Flaw> {
        let letters = self.letters(source, currency);
        let said = source.given_back(fields, input, letters, revenue)?;
        let (revenue, status) = self.after_refunds(said.revenue, status, &said)?;
        let word = self.statuses.text(u32::from(status));
        let mark = said.mark(matches!(word, b"" | b"approved" | b"pending"));
        Ok((revenue, status, mark))
    }

    /// Notes the payments of the next order, where they are not its unique id.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn note_payments(
        &mut self,
        source: &Source,
        fields: &Fields,
        input: &[u8],
        unique_id: &[u8],
    ) -> Result<(), Flaw> {
        for role in [Role::Charge, Role::Intent, Role::LatestCharge] {
            let payment = source.id(fields, role, input)?;
            if !payment.is_empty() && *payment != *unique_id {
                let link = (hash(&payment, self.settings.seed), self.orders.rows());
                let room = self.memory.extend(&mut self.payments, &[link]);
                room.ok_or(Flaw::Full)?;
            }
        }
        Ok(())
    }

    /// What remains of an order by its own row, and its status.
    #[cfg_attr(small_cold, optimize(size))]
    fn after_refunds(
        &mut self,
        revenue: i64,
        status: u8,
        said: &GivenBack,
    ) -> Result<(i64, u8), Flaw> {
        let has_revenue = revenue != NO_AMOUNT && revenue > 0;
        let rest = if has_revenue {
            (revenue - said.amount).max(0)
        } else {
            revenue
        };
        let is_whole = said.is_cancelled || said.amount > 0 && has_revenue && rest == 0;
        let word: &[u8] = match self.statuses.text(u32::from(status)) {
            b"" | b"approved" if is_whole => b"reversed",
            b"pending" if is_whole => b"rejected",
            b"" | b"approved" if said.is_only_authorised => b"pending",
            _ => return Ok((rest, status)),
        };
        Ok((
            rest,
            Self::small(&mut self.statuses, &mut self.memory, word)?,
        ))
    }
}
