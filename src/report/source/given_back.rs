//! What a sale's own row says of its refunds.

use super::Source;
use crate::report::day::Days;
use crate::report::flag::Flag;
use crate::report::flaw::Flaw;
use crate::report::judge::UNKNOWN;
use crate::report::names::{CURRENT, Fields, Role, normalise, path_of};
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
        // What Stripe has taken of a payment intent or a charge: nothing before it has succeeded, or was captured.
        let is_taken = self.dialect == "stripe" && !self.names.is_declared(Role::Remaining as u8);
        let has_taken_nothing = is_taken && remaining == 0;
        if has_taken_nothing {
            remaining = NO_AMOUNT;
        }
        let remaining = self.rate(remaining);
        let flag = |role| Flag::read(text(role), &self.days);
        let captured = flag(Role::Captured);
        if captured == Flag::Unclear {
            return Err(Flaw::Word);
        }
        let is_open = captured == Flag::No || flag(Role::State) == Flag::No;
        let mut said = GivenBack {
            revenue,
            amount: self.refunded(fields, input, currency)?,
            is_cancelled: is_cancelled(text(Role::Cancelled), &self.days)?,
            is_only_authorised: is_open || has_taken_nothing,
            is_unknown: false,
        };
        let is_current = self.is_revenue_after_refunds();
        let is_after = is_current && self.is_shopify;
        if is_current && !is_after || is_after && remaining == NO_AMOUNT {
            // The revenue is what remains. Nobody knows whether these refunds are off it: money alone goes back as well.
            said.is_unknown = said.amount > 0;
            said.amount = 0;
        }
        let is_known = said.amount > 0 || remaining != NO_AMOUNT && !is_taken || is_after;
        // What remains is the whole amount.
        let mut is_whole = said.amount == 0 && !is_after;
        if is_after {
            is_whole = remaining != NO_AMOUNT && remaining == revenue;
            if remaining != NO_AMOUNT && revenue != NO_AMOUNT {
                // The amount before refunds is known: some of them are off the revenue already.
                let off = (remaining - revenue).max(0);
                said.amount = (said.amount - off).max(0);
            }
        } else if remaining != NO_AMOUNT {
            // An edited order may cost more than before.
            if revenue == NO_AMOUNT || remaining > revenue {
                said.revenue = remaining;
                if !is_taken && said.amount > 0 {
                    // The same: what remains is the only amount that counts.
                    said.is_unknown = true;
                    said.amount = 0;
                }
            }
            let left = said.revenue - remaining;
            // Stripe may count what was never captured among the refunds, or not.
            let is_apart = (said.amount - left).abs() > 1;
            if is_taken && left > 0 && said.amount > 0 && is_apart {
                said.is_unknown = said.amount > left && said.amount < said.revenue;
                said.amount += if said.amount < left { left } else { 0 };
            } else {
                said.amount = said.amount.max(left);
            }
            is_whole &= said.amount == 0;
        }
        let has_refunds = !matches!(flag(Role::RefundIds), Flag::Nothing | Flag::No);
        // Shopify leaves the lines of an order, and what remains of it, where only money goes back.
        let says_less = [status, self.names.second_status(fields, input)]
            .map(says_partly_refunded)
            .contains(&true)
            && is_whole;
        // An amount is as good as a yes.
        let is_disputed = !matches!(flag(Role::Disputed), Flag::Nothing | Flag::No);
        said.is_unknown |= has_refunds && !is_known || says_less || is_disputed;
        Ok(said)
    }

    /// Has the caller declared as revenue what remains after refunds? Then the amount before them is read in its place.
    #[cfg_attr(small_cold, optimize(size))]
    fn is_revenue_after_refunds(&self) -> bool {
        let (_, given) = self.names.given(Role::Revenue as u8);
        let path = path_of(given);
        let mut names = path.split(|&byte| byte == b'.');
        names.any(|name| name.starts_with(CURRENT) || name.starts_with(b"netpayment"))
    }
}

/// Does a cell say that the order was cancelled, or when?
#[cfg_attr(small_cold, optimize(size))]
fn is_cancelled(cell: &[u8], days: &Days) -> Result<bool, Flaw> {
    let is_named = |word: &&[u8]| word.eq_ignore_ascii_case(cell);
    let words: [&[u8]; 2] = [b"cancelled", b"canceled"];
    Ok(words.iter().any(is_named) || Flag::read(cell, days).is_set()?)
}

/// Does a status say that a part was given back, such as `partially_refunded`?
#[cfg_attr(small_cold, optimize(size))]
fn says_partly_refunded(status: &[u8]) -> bool {
    let mut letters = Vec::new();
    normalise(status, |byte| letters.push(byte));
    letters.starts_with(b"partial") && letters.windows(6).any(|part| part == b"refund")
}
