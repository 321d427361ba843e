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
        let remaining = self.amount(fields, Role::Remaining, input, currency)?;
        let remaining = self.rate(remaining);
        let mut said = GivenBack {
            revenue,
            amount: self.refunded(fields, input, currency)?,
            is_cancelled: !text(Role::Cancelled).is_empty(),
            is_only_authorised: text(Role::Captured).eq_ignore_ascii_case(b"false"),
            is_unknown: false,
        };
        let mut is_known = said.amount > 0 || remaining != NO_AMOUNT;
        if remaining != NO_AMOUNT {
            // An edited order may cost more than before.
            if revenue == NO_AMOUNT || remaining > revenue {
                said.revenue = remaining;
            }
            said.amount = said.amount.max(said.revenue - remaining);
        }
        if self.is_shopify {
            let mut name = Vec::new();
            let (_, given) = self.names.given(Role::Revenue as u8);
            normalise(given.as_bytes(), |byte| name.push(byte));
            is_known |= name.starts_with(b"current");
        }
        let has_refunds = !text(Role::RefundIds).is_empty()
            || self.is_shopify && text(Role::Status).eq_ignore_ascii_case(b"partially_refunded");
        let disputed = text(Role::Disputed);
        said.is_unknown = has_refunds && !is_known
            || disputed.eq_ignore_ascii_case(b"true")
            || disputed.iter().any(|byte| matches!(byte, b'1'..=b'9'));
        Ok(said)
    }
}
