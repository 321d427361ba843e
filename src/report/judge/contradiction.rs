//! Two rows of one sale that contradict each other, such as one export before its cancellation and one after it. Which
//! of them is the newer they do not say, so a person must look.

use super::refunds::{NOTHING, Rest, UNCLEAR, UNKNOWN};
use super::{Class, Judge, Verdicts};
use crate::report::store::{Head, IS_AMENDED, IS_DAY, NO_AMOUNT, NO_TIME};
use crate::report::{Report, Settings};
use core::cmp::Ordering;
use std::collections::BTreeMap;

/// Which of two rows is the earlier one, by their days where one of them has no more; `None` where one has no time.
fn compare(one: &Head, other: &Head) -> Option<Ordering> {
    let is_day = (one.flags | other.flags) & IS_DAY != 0;
    let [one, other] = [one, other].map(|head| match head.seconds {
        NO_TIME => None,
        seconds if is_day => Some(seconds / 86_400),
        seconds => Some(seconds),
    });
    Some(one?.cmp(&other?))
}

impl Settings {
    /// Does a row contradict the row of its sale that stands? An earlier try that failed does not. One that was paid and
    /// given back does: what came after it may be another sale.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn contradict(&self, row: &Head, stand: &Head) -> bool {
        let is_taken_back = |head: &Head| self.rank(head.status) > 1;
        if is_taken_back(stand) {
            return false;
        }
        let [_, _, _, given_back @ ..] = self.codes;
        if is_taken_back(row) {
            return given_back.contains(&row.status)
                || compare(row, stand).is_none_or(Ordering::is_ge);
        }
        // How much it gave back it does not say.
        if row.pair == UNKNOWN {
            return true;
        }
        let differ = |one: i64, other: i64| {
            one != NO_AMOUNT && other != NO_AMOUNT && (one - other).abs() > self.tolerance
        };
        differ(row.revenue, stand.revenue)
            || differ(row.payout, stand.payout)
            || row.currency != stand.currency && row.currency > 0 && stand.currency > 0
    }
}

impl Judge {
    /// Takes the sales whose repetitions contradict them out of what is certain.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn note_contradictions(
        &mut self,
        report: &mut Report,
        repeats: &[(u32, u32)],
        rests: &mut BTreeMap<u32, Rest>,
    ) -> Option<()> {
        for &(order, of) in repeats {
            let (one, other) = (report.orders.head(order)?, report.orders.head(of)?);
            // The two may tell different refunds.
            let is_unclear = rests
                .get(&of)
                .is_some_and(|rest| rest.net.revenue == UNCLEAR);
            if !is_unclear && report.settings.contradict(&one, &other) {
                let net = self.net_so_far(of, &other);
                let rest = rests.entry(of).or_insert(Rest { net, is_due: false });
                rest.net.revenue = UNCLEAR;
                report.memory.extend(&mut self.verdicts.torn, &[of])?;
            }
        }
        Some(())
    }

    /// Takes a sale out of what is certain that was sold again after a refund, by one of its rows: what remains of a sale,
    /// a refund and a sale again, the rows do not say. A row of the sale that is earlier than the refund is the same row in
    /// another export.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn note_sale_again(
        &mut self,
        report: &mut Report,
        (sale, repeats): (u32, &[u32]),
        refunds: &[(u32, u32)],
        rest: &mut Rest,
    ) -> Option<()> {
        let stand = report.orders.head(sale)?;
        let mut is_again = false;
        for &(_, refund) in refunds {
            let refund = report.orders.head(refund)?;
            if refund.pair == NOTHING {
                continue;
            }
            is_again |= compare(&stand, &refund).is_some_and(Ordering::is_gt);
            for &repeat in repeats {
                let repeat = report.orders.head(repeat)?;
                let is_before = compare(&repeat, &refund).is_some_and(Ordering::is_lt);
                is_again |= !is_before;
            }
        }
        if is_again && rest.net.revenue != UNCLEAR {
            rest.net.revenue = UNCLEAR;
            report.memory.extend(&mut self.verdicts.torn, &[sale])?;
        }
        Some(())
    }

    /// Takes an order that has been judged out of what is certain.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn tear(&mut self, report: &mut Report, order: u32) -> Option<()> {
        let head = report.orders.head(order)?;
        let mut net = self.net_so_far(order, &head);
        net.revenue = UNCLEAR;
        report.orders.add_flags(order, IS_AMENDED);
        self.amend(order, net);
        report.memory.extend(&mut self.verdicts.torn, &[order])?;
        let is_due = head.class != Class::OutsideWindow as u8;
        self.judge_again(report, order, &head, Rest { net, is_due });
        Some(())
    }
}

impl Verdicts {
    /// Do two rows of the sale contradict each other?
    pub(in crate::report) fn is_torn(&self, order: u32) -> bool {
        self.torn.binary_search(&order).is_ok()
    }

    pub(super) fn sort_torn(&mut self) {
        self.torn.sort_unstable();
        self.torn.dedup();
    }
}
