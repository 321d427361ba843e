//! What a pair's order says that its conversion does not.

use super::DISPOSITIONS;
use crate::report::Report;
use crate::report::judge::{Verdicts, is_unclear};
use crate::report::store::{Head, NO_AMOUNT};

/// A disposition with its status, a payout, and why a person must look.
pub(super) type Change = (Vec<u8>, u8, i64, &'static str);

impl Report {
    /// What an order says that its conversion does not: the disposition with its status, the payout, and why a person
    /// must look. `None` where there is nothing to say.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn change(&self, verdicts: &Verdicts, head: &Head, order: &Head) -> Option<Change> {
        let net = verdicts.net(head.partner, order);
        let mut status = head.status;
        let mut disposition = Vec::new();
        let wanted = self.settings.status_after(order, net);
        if wanted != 0 && !self.settings.is_same_status(wanted, status) {
            disposition = self.statuses.text(u32::from(wanted)).to_vec();
            status = wanted;
        }
        let is_same_currency = self.settings.is_same_currency(order, head);
        let mut payout = NO_AMOUNT;
        // Some accounts keep the payout of a conversion that was taken back: it never goes up, be it in a row that says
        // no payout after the refund.
        let is_not_owed = self.settings.rank(status) > 1 && net.payout > head.payout;
        if net.payout != head.payout && is_same_currency && !is_not_owed {
            payout = net.payout;
        }
        let to_be = if payout == NO_AMOUNT {
            head.payout
        } else {
            payout
        };
        let pays_more = self.owed(status, to_be) > self.owed(head.status, head.payout);
        let lacks = if verdicts.is_torn(head.partner) {
            "rows_contradict"
        } else if is_unclear(order, net)
            || verdicts.may_be_refunded(head.partner)
            // A refund without a key may be of any sale: nothing more is paid.
            || verdicts.has_nameless_refund && pays_more
        {
            "refund_unclear"
        } else if payout != NO_AMOUNT && payout < 0 {
            "below_zero"
        } else if disposition.is_empty() && payout == NO_AMOUNT {
            if is_not_owed && is_same_currency {
                return Some((disposition, status, payout, "not_approved"));
            }
            // The reconciliation tool has no revenue column: a person must correct such a difference.
            if net.revenue == NO_AMOUNT {
                return None;
            }
            if is_same_currency {
                "only_revenue_differs"
            } else {
                "currency_differs"
            }
        } else if self.is_taken_back(head) {
            "below_zero"
        } else if !disposition.is_empty() && !DISPOSITIONS.contains(&disposition.as_slice()) {
            "no_disposition"
        } else {
            ""
        };
        Some((disposition, status, payout, lacks))
    }
}
