//! Refunds with an id of their own, whose sale has found its conversion by a stronger key before the order id was
//! compared.

use super::group::{compare, is_other, net_of};
use super::{Class, Judge, is_unclear};
use crate::report::Report;
use crate::report::listing::is_pair;
use crate::report::store::{Head, IS_AMENDED, IS_REFUND, NO_AMOUNT, ORDER_ID, OWN_ID, hash_of};
use std::collections::BTreeMap;

impl Judge {
    /// Takes the remaining refunds off the sales with their order ids, and judges these again. Without such refunds no
    /// order is looked at.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn take_late_refunds(&mut self, report: &mut Report) -> Option<()> {
        if !report.settings.keys.contains(&ORDER_ID) {
            return Some(());
        }
        let seed = report.settings.seed;
        let order_id = |report: &Report, place| hash_of(report.orders.text(place, ORDER_ID), seed);
        let [left, _] = &self.left;
        let mut refunds: Vec<(u32, u32)> = Vec::new();
        for &place in left {
            let is_refund = report.orders.head(place)?.flags & IS_REFUND != 0;
            if is_refund && !report.orders.text(place, ORDER_ID).is_empty() {
                let entry = (order_id(report, place), place);
                report.memory.extend(&mut refunds, &[entry])?;
            }
        }
        if refunds.is_empty() {
            return Some(());
        }
        refunds.sort_unstable();
        let mut sales: BTreeMap<u32, u32> = BTreeMap::new();
        let mut row = report.orders.first();
        while let Some(sale) = row {
            let (view, after) = report.orders.view(sale)?;
            row = after;
            let id = view.text(ORDER_ID);
            if id.is_empty() || !is_pair(view.class()) {
                continue;
            }
            let hash = hash_of(id, seed);
            let from = refunds.partition_point(|&(other, _)| other < hash);
            let same = refunds
                .get(from..)?
                .iter()
                .take_while(|&&(other, _)| other == hash);
            for &(_, refund) in same {
                let orders = &report.orders;
                let is_its = orders.text(refund, ORDER_ID) == id
                    && !is_other(orders.text(refund, OWN_ID), orders.text(sale, OWN_ID));
                let known = sales.get(&refund).copied();
                if is_its
                    && known.is_none_or(|known| compare(orders, sale, known, (0, None)).is_lt())
                {
                    sales.insert(refund, sale);
                }
            }
        }
        let mut nets: BTreeMap<u32, i64> = BTreeMap::new();
        for (&refund, &sale) in &sales {
            let (head, of) = (report.orders.head(refund)?, report.orders.head(sale)?);
            self.settle(report, true, refund, Class::Refund, sale, &head);
            let known = nets.get(&sale).copied();
            let before = known.unwrap_or_else(|| self.net_so_far(sale, &of));
            // Refunds alone under an order id have been added up in one of them.
            let revenue = self.net_so_far(refund, &head);
            let taken = Head { revenue, ..head };
            if is_unclear(&head, revenue) {
                nets.insert(sale, NO_AMOUNT);
            } else if let Some(net) = net_of(before, &of, &taken) {
                nets.insert(sale, net);
            }
        }
        for (sale, net) in nets {
            let order = report.orders.head(sale)?;
            let Some(conversion) = report.conversions.head(order.partner) else {
                continue;
            };
            self.unsettle(report, true, &order);
            self.unsettle(report, false, &conversion);
            report.orders.add_flags(sale, IS_AMENDED);
            self.amend(sale, net);
            self.judge_pair(report, sale, order.partner, Some(net));
        }
        self.verdicts.amended.sort_unstable();
        self.sorted = self.verdicts.amended.len();
        let [left, _] = &mut self.left;
        left.retain(|place| !sales.contains_key(place));
        Some(())
    }

    /// Takes a row out of the sums of its class.
    fn unsettle(&mut self, report: &Report, is_order: bool, head: &Head) {
        let currency = match head.currency {
            0 if !is_order => report.settings.account,
            currency => currency,
        };
        let sums = self.verdicts.sums.get_mut(usize::from(head.class));
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(usize::from(currency))) {
            *sum = sum.without(is_order, head);
        }
    }
}
