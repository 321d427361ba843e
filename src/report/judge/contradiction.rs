//! Two rows of one sale that contradict each other, such as one export before its cancellation and one after it. Which
//! of them is the newer they do not say, so a person must look.

use super::refunds::{Rest, UNCLEAR};
use super::{Class, Judge, Verdicts};
use crate::report::store::{Head, IS_AMENDED, IS_DAY, NO_AMOUNT, NO_TIME};
use crate::report::{Report, Settings};
use std::collections::BTreeMap;

impl Settings {
    /// Does a row contradict the row of its sale that stands? An earlier try that failed does not.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn contradict(&self, row: &Head, stand: &Head) -> bool {
        let is_taken_back = |head: &Head| self.rank(head.status) > 1;
        if is_taken_back(stand) {
            return false;
        }
        if is_taken_back(row) {
            let is_day = (row.flags | stand.flags) & IS_DAY != 0;
            let day = |head: &Head| {
                if is_day {
                    head.seconds / 86_400
                } else {
                    head.seconds
                }
            };
            return row.seconds == NO_TIME || stand.seconds == NO_TIME || day(row) >= day(stand);
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
