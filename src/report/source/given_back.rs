//! What a sale's own row says of its refunds.

use super::Source;
use crate::report::flaw::Flaw;
use crate::report::judge::UNKNOWN;
use crate::report::names::{Fields, Role, normalise};
use crate::report::store::NO_AMOUNT;

/// What the row says was given back.
pub(in crate::report) struct GivenBack {
    /// The revenue before it.
    pub(in crate::report) revenue: i64,
    /// 0 or more.
    pub(in crate::report) amount: i64,
    pub(in crate::report) is_cancelled: bool,
    /// The payment is authorised, and nothing was taken yet.
    pub(in crate::report) is_only_authorised: bool,
    /// Something was given back, or is claimed back, and the row does not say how much.
    is_unknown: bool,
}

impl GivenBack {
    /// The amount as its row keeps it. Of a sale that counts for nothing, nothing remains, whatever was given back.
    pub(in crate::report) fn mark(&self, counts: bool) -> u32 {
        match u32::try_from(self.amount) {
            _ if self.is_unknown && counts => UNKNOWN,
            Ok(amount) => amount.min(UNKNOWN - 1),
            Err(_) => UNKNOWN - 1,
        }
    }
}

impl Source {
    /// Reads the fields by which a sale's own row changes what remains of it.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn given_back(
        &self,
        fields: &Fields,
        input: &[u8],
        currency: &[u8],
        revenue: i64,
    ) -> Result<GivenBack, Flaw> {
        let text = |role| fields.text(role, input).trim_ascii();
        let status = text(Role::Status);
        let mut remaining = self.amount(fields, Role::Remaining, input, currency)?;
        // A payment intent has received nothing before it has succeeded.
        if self.dialect == "stripe"
            && !self.names.is_declared(Role::Remaining as u8)
            && !status.eq_ignore_ascii_case(b"succeeded")
        {
            remaining = NO_AMOUNT;
        }
        let remaining = self.rate(remaining);
        let mut said = GivenBack {
            revenue,
            amount: self.refunded(fields, input, currency)?,
            is_cancelled: !text(Role::Cancelled).is_empty(),
            is_only_authorised: text(Role::Captured).eq_ignore_ascii_case(b"false"),
            is_unknown: false,
        };
        let is_after = self.is_shopify && self.is_revenue_after_refunds();
        let is_known = said.amount > 0 || remaining != NO_AMOUNT || is_after;
        // What remains is the whole amount.
        let mut is_whole = said.amount == 0 && !is_after;
        if is_after {
            is_whole = remaining != NO_AMOUNT && remaining == revenue;
        } else if remaining != NO_AMOUNT {
            // An edited order may cost more than before.
            if revenue == NO_AMOUNT || remaining > revenue {
                said.revenue = remaining;
            }
            said.amount = said.amount.max(said.revenue - remaining);
            is_whole &= said.amount == 0;
        }
        let has_refunds = !text(Role::RefundIds).is_empty();
        // Shopify leaves the lines of an order, and what remains of it, where only money goes back.
        let says_less = says_partly_refunded(status) && is_whole;
        let disputed = text(Role::Disputed);
        said.is_unknown = has_refunds && !is_known
            || says_less
            || disputed.eq_ignore_ascii_case(b"true")
            || disputed.iter().any(|byte| matches!(byte, b'1'..=b'9'));
        Ok(said)
    }

    /// Has the caller declared as revenue what remains after refunds? Then the amount before them is read in its place.
    #[cfg_attr(small_cold, optimize(size))]
    fn is_revenue_after_refunds(&self) -> bool {
        let mut name = Vec::new();
        let (_, given) = self.names.given(Role::Revenue as u8);
        normalise(given.as_bytes(), |byte| name.push(byte));
        name.starts_with(b"current")
    }
}

/// Does a status say that a part was given back, such as `partially_refunded`?
#[cfg_attr(small_cold, optimize(size))]
fn says_partly_refunded(status: &[u8]) -> bool {
    let mut letters = Vec::new();
    normalise(status, |byte| letters.push(byte));
    letters.starts_with(b"partial") && letters.windows(6).any(|part| part == b"refund")
}
