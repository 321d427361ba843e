//! Refunds: which sale each takes back, and what remains of the sale. A refund that could be of two sales, or of none,
//! is never taken off; a person sees it, and nothing is written about the sales that it may be of.

use super::hints::Near;
use super::repeats::{repeats_of, standing};
use super::{Class, Judge, Verdicts};
use crate::report::Report;
use crate::report::listing::is_pair;
use crate::report::memory::hash;
use crate::report::store::{
    CLICK_ID, Head, IS_AMENDED, IS_REFUND, NO_AMOUNT, NOBODY, ORDER_ID, OWN_ID, Store, UNIQUE_ID,
};

/// In place of a sale's offer and affiliate, its row keeps how much was given back by the row itself. This one: the
/// row does not say how much.
pub(in crate::report) const UNKNOWN: u32 = u32::MAX;

/// The same of a refund that failed: nothing was given back.
pub(in crate::report) const NOTHING: u32 = 1;

/// The same of a refund whose amount is written without a sign.
pub(in crate::report) const PLUS: u32 = 2;

/// The revenue of a sale of which it is not certain what remains.
pub(in crate::report) const UNCLEAR: i64 = NO_AMOUNT + 1;

/// What remains of a sale after its refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) struct Net {
    pub(in crate::report) revenue: i64,
    pub(in crate::report) payout: i64,
}

impl Net {
    pub(in crate::report) fn of(sale: &Head) -> Self {
        Self {
            revenue: sale.revenue,
            payout: sale.payout,
        }
    }

    /// Less one more refund.
    fn less(self, sale: &Head, refund: &Head) -> Self {
        let is_same_currency =
            refund.currency == sale.currency || refund.currency == 0 || sale.currency == 0;
        let has_amounts = ![self.revenue, refund.revenue]
            .iter()
            .any(|units| [NO_AMOUNT, UNCLEAR].contains(units));
        if !is_same_currency || !has_amounts {
            return self.unclear();
        }
        let revenue = self.revenue + refund.revenue;
        let payout = match refund.payout {
            NO_AMOUNT | 0 => self.payout,
            units if units < 0 && self.payout != NO_AMOUNT => self.payout + units,
            // Nothing is paid for a sale that was given back whole.
            _ if revenue <= 0 => self.payout,
            _ => return self.unclear(),
        };
        Self { revenue, payout }
    }

    fn unclear(self) -> Self {
        Self {
            revenue: UNCLEAR,
            ..self
        }
    }
}

/// Is it not known what remains of the order?
#[inline]
pub(in crate::report) fn is_unclear(order: &Head, net: Net) -> bool {
    net.revenue == UNCLEAR || order.pair == UNKNOWN
}

/// What a sale's refunds have made of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    pub(super) net: Net,
    /// A refund lies within the days: the sale is this statement's, whenever it was sold.
    pub(super) is_due: bool,
}

fn is_refund(head: &Head) -> bool {
    head.flags & IS_REFUND != 0
}

impl Verdicts {
    /// Has an order found its conversion?
    pub(super) fn has_pairs(&self) -> bool {
        let classes = (0_u8..).zip(&self.sums);
        let mut pairs = classes.filter(|&(class, _)| is_pair(class));
        pairs.any(|(_, sums)| sums.iter().any(|sum| sum.orders > 0))
    }

    pub(in crate::report) fn net(&self, place: u32, order: &Head) -> Net {
        if order.flags & IS_AMENDED == 0 {
            return Net::of(order);
        }
        self.amended
            .binary_search_by_key(&place, |&(place, _)| place)
            .ok()
            .and_then(|index| self.amended.get(index))
            .map_or(Net::of(order), |&(_, net)| net)
    }

    /// May an unexplained refund be this order's?
    pub(in crate::report) fn may_be_refunded(&self, order: u32) -> bool {
        self.near_refunds.binary_search(&order).is_ok()
    }
}

impl Judge {
    /// What remains of an order after the refunds of earlier passes; each pass sorts the list at its end.
    pub(super) fn net_so_far(&self, order: u32, head: &Head) -> Net {
        if head.flags & IS_AMENDED == 0 {
            return Net::of(head);
        }
        let before = self.verdicts.amended.get(..self.sorted);
        let before = before.unwrap_or_default();
        let found = before.binary_search_by_key(&order, |&(place, _)| place);
        let found = found.ok().and_then(|index| before.get(index));
        found.map_or(Net::of(head), |&(_, net)| net)
    }

    /// Notes what remains of an order.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn amend(&mut self, order: u32, net: Net) {
        let before = self.verdicts.amended.get_mut(..self.sorted);
        let before = before.unwrap_or_default();
        let found = before.binary_search_by_key(&order, |&(place, _)| place);
        match found.ok().and_then(|index| before.get_mut(index)) {
            Some(known) => known.1 = net,
            None => self.verdicts.amended.push((order, net)),
        }
    }

    /// Gives refunds their class, and returns what they leave of their sale, which stands beside each; `None` where
    /// nothing was given back.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn take_refunds(
        &mut self,
        report: &mut Report,
        sale: u32,
        refunds: &[(u32, u32)],
    ) -> Option<Rest> {
        let of = report.orders.head(sale)?;
        let before = self.net_so_far(sale, &of);
        let mut rest: Option<Rest> = None;
        let mut given_back = 0_i64;
        let mut known = Vec::new();
        let (mut has_plus, mut has_minus) = (false, false);
        for &(_, refund) in refunds {
            let head = report.orders.head(refund)?;
            self.settle(report, true, refund, Class::Refund, sale, &head);
            if head.pair == NOTHING {
                continue;
            }
            let rest = rest.get_or_insert(Rest {
                net: before,
                is_due: false,
            });
            rest.net = rest.net.less(&of, &head);
            rest.is_due |= !report.settings.is_outside(&head);
            has_plus |= head.pair == PLUS;
            has_minus |= head.pair != PLUS;
            given_back = given_back.saturating_sub(head.revenue);
            let mut what = report.orders.text(refund, UNIQUE_ID).to_vec();
            what.extend(head.seconds.to_le_bytes());
            what.extend(head.revenue.to_le_bytes());
            known.push(hash(&what, 0));
        }
        known.sort_unstable();
        // The same refund in two files, or two refunds that look alike: who knows. Or one takes the other back.
        let is_repeated = !known.is_sorted_by(|one, other| one < other);
        if let Some(rest) = rest
            .as_mut()
            .filter(|_| is_repeated || has_plus && has_minus)
        {
            rest.net = rest.net.unclear();
        }
        if let Some(rest) = &mut rest
            && of.pair > 0
        {
            // The sale's own row has a sum of its refunds. These are the same, or nobody knows.
            let is_same = given_back == i64::from(of.pair) && of.flags & IS_AMENDED == 0;
            rest.net = if is_same { before } else { before.unclear() };
        }
        rest
    }

    /// Finds the sales of the refunds that were not settled with them: a sale may have found its conversion by a
    /// stronger key, and a refund may name no more than its payment. Without such refunds no order is looked at.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn take_late_refunds(&mut self, report: &mut Report) -> Option<()> {
        let [left, _] = &self.left;
        let mut refunds: Vec<u32> = Vec::new();
        for &place in left {
            if is_refund(&report.orders.head(place)?) {
                report.memory.extend(&mut refunds, &[place])?;
            }
        }
        if refunds.is_empty() {
            return Some(());
        }
        let sales = sales_of(report, &refunds)?;
        let repeats = repeats_of(report, &sales)?;
        for of_sale in sales.chunk_by(|one, other| one.0 == other.0) {
            let Some(&(sale, _)) = of_sale.first() else {
                continue;
            };
            let Some(mut rest) = self.take_refunds(report, sale, of_sale) else {
                continue;
            };
            let own = repeats.get(&sale).map(Vec::as_slice);
            let own = own.unwrap_or_default();
            self.note_sale_again(report, (sale, own), of_sale, &mut rest)?;
            let order = report.orders.head(sale)?;
            report.orders.add_flags(sale, IS_AMENDED);
            self.amend(sale, rest.net);
            let rest = Rest {
                is_due: rest.is_due || order.class != Class::OutsideWindow as u8,
                ..rest
            };
            self.judge_again(report, sale, &order, rest);
        }
        self.sort_amended();
        let [left, _] = &mut self.left;
        left.retain(|&place| {
            let head = report.orders.head(place);
            head.is_none_or(|head| head.class != Class::Refund as u8)
        });
        Some(())
    }

    /// Judges an order with its conversion once more, if it has one.
    pub(super) fn judge_again(&mut self, report: &mut Report, sale: u32, order: &Head, rest: Rest) {
        if is_pair(order.class)
            && let Some(conversion) = report.conversions.head(order.partner)
        {
            self.unsettle(report, true, order);
            self.unsettle(report, false, &conversion);
            self.judge_pair(report, sale, order.partner, Some(rest));
        }
    }

    /// Later passes look through what the earlier ones have amended.
    pub(super) fn sort_amended(&mut self) {
        self.verdicts.amended.sort_unstable();
        self.sorted = self.verdicts.amended.len();
    }

    /// Takes a row out of the sums of its class.
    pub(super) fn unsettle(&mut self, report: &Report, is_order: bool, head: &Head) {
        let currency = match head.currency {
            0 if !is_order => report.settings.account,
            currency => currency,
        };
        let sums = self.verdicts.sums.get_mut(usize::from(head.class));
        if let Some(sum) = sums.and_then(|sums| sums.get_mut(usize::from(currency))) {
            *sum = sum.without(is_order, head);
        }
    }

    /// Finds what a person must look at once every row has its class: refunds of a sale that has no conversion in these
    /// days, and sales that an unexplained refund may be of.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find_doubts(&mut self, report: &mut Report) -> Option<()> {
        let mut sources = report.sources.iter();
        self.verdicts.has_nameless_refund =
            sources.any(|source| source.elsewhere.has_nameless_refund);
        if !self.has_doubts {
            return Some(());
        }
        let mut strays = Vec::new();
        let mut alone = Vec::new();
        let [left, _] = &self.left;
        for &place in left {
            let head = report.orders.head(place)?;
            if is_refund(&head) && head.pair != NOTHING {
                if head.class == Class::NoKey as u8 {
                    self.verdicts.has_nameless_refund = true;
                } else {
                    alone.push(place);
                }
            } else if head.class == Class::OutsideWindow as u8 && head.flags & IS_AMENDED != 0 {
                strays.push(place);
            }
        }
        strays.sort_unstable();
        let mut next = report.orders.first().filter(|_| !strays.is_empty());
        while let Some(place) = next {
            next = report.orders.next(place);
            let head = report.orders.head(place)?;
            if head.class == Class::Refund as u8
                && strays.binary_search(&head.partner).is_ok()
                && head.pair != NOTHING
                && !report.settings.is_outside(&head)
            {
                self.unsettle(report, true, &head);
                self.settle(report, true, place, Class::RefundUnclear, NOBODY, &head);
            }
        }
        if alone.is_empty() {
            return Some(());
        }
        let near = Near {
            report,
            orders: &alone,
            keys: &report.keys_of_orders(),
        };
        let Some(near) = near.find(&report.orders, None) else {
            // Which sales they are is not known: any may be one of them.
            self.verdicts.has_nameless_refund = true;
            return Some(());
        };
        let sales = near.iter().map(|hint| hint.conversion);
        let sales = sales.filter(|&place| {
            let head = report.orders.head(place);
            head.is_some_and(|head| !is_refund(&head))
        });
        let mut sales: Vec<u32> = sales.collect();
        sales.sort_unstable();
        sales.dedup();
        self.verdicts.near_refunds = sales;
        Some(())
    }
}

/// Do two rows name different offers, or different ids?
pub(in crate::report) fn is_other(one: &[u8], other: &[u8]) -> bool {
    !one.is_empty() && !other.is_empty() && one != other
}

/// Does the sale have all that the refund says of it? Both have the same text under this key.
pub(super) fn is_its_sale(orders: &Store, key: usize, refund: u32, sale: u32) -> bool {
    let texts = |which| [refund, sale].map(|place| orders.text(place, which));
    let [one, other] = texts(OWN_ID);
    if is_other(one, other) {
        return false;
    }
    let mut ids = [UNIQUE_ID, ORDER_ID].map(texts).into_iter();
    // A click brings several sales: it says enough only where neither row has another id.
    key != CLICK_ID
        || ids
            .clone()
            .all(|[one, other]| one.is_empty() && other.is_empty())
        || ids.any(|[one, other]| !one.is_empty() && one == other)
}

/// The sale that a refund has found.
#[derive(Clone, Copy)]
struct Found {
    /// The rank of the key, and how many other ids agree, less those that differ.
    level: (usize, i8),
    /// Nobody where there are two.
    sale: u32,
    /// A row with this key has another click than the refund.
    is_mixed: bool,
}

/// By how many ids a refund and a sale agree, less those that differ.
#[cfg_attr(small_cold, optimize(size))]
fn agreement(orders: &Store, refund: u32, sale: u32) -> i8 {
    let keys = [UNIQUE_ID, ORDER_ID, CLICK_ID].into_iter();
    let agree = keys.map(|key| {
        let [one, other] = [refund, sale].map(|row| orders.text(row, key));
        i8::from(!one.is_empty() && one == other) - i8::from(is_other(one, other))
    });
    agree.sum()
}

/// Sales with their refunds, sorted. Each refund is looked for by the keys in their order, then by its payment; the
/// first that finds a sale decides. Of two sales the one that agrees in more ids is its, and two that agree alike are none.
#[cfg_attr(small_cold, optimize(size))]
fn sales_of(report: &Report, refunds: &[u32]) -> Option<Vec<(u32, u32)>> {
    let seed = report.settings.seed;
    let keys = &report.keys_of_orders();
    let orders = &report.orders;
    let payments = |row: u32| {
        let from = report.payments.partition_point(|&(_, other)| other < row);
        let own = report.payments.get(from..).unwrap_or_default().iter();
        own.take_while(move |&&(_, other)| other == row)
            .map(|&(payment, _)| payment)
    };
    let mut memory = report.memory;
    // The hash of a text that a sale must have, the rank of its key, and the number of the refund.
    let mut wanted: Vec<(u64, usize, usize)> = Vec::new();
    for (number, &refund) in refunds.iter().enumerate() {
        for (level, &key) in keys.iter().enumerate() {
            let text = orders.text(refund, key);
            if !text.is_empty() {
                memory.extend(&mut wanted, &[(hash(text, seed), level, number)])?;
            }
        }
        if !report.payments.is_empty() {
            let own = hash(orders.text(refund, UNIQUE_ID), seed);
            for payment in payments(orders.number(refund)).chain([own]) {
                memory.extend(&mut wanted, &[(payment, keys.len(), number)])?;
            }
        }
    }
    wanted.sort_unstable();
    let nothing = Found {
        level: (usize::MAX, 0),
        sale: NOBODY,
        is_mixed: false,
    };
    let mut found = vec![nothing; refunds.len()];
    let mut row = 0;
    let mut next = orders.first();
    while let Some(sale) = next {
        let (view, after) = orders.view(sale)?;
        next = after;
        let number = row;
        row += 1;
        let mut look = |hash: u64, level: usize, key: Option<usize>| {
            let from = wanted.partition_point(|&(other, at, _)| (other, at) < (hash, level));
            let same = wanted.get(from..).unwrap_or_default().iter();
            for &(_, _, index) in same.take_while(|&&(other, at, _)| (other, at) == (hash, level)) {
                if orders.head(sale).is_none_or(|head| is_refund(&head)) {
                    return;
                }
                let (Some(&refund), Some(known)): (_, Option<&mut Found>) =
                    (refunds.get(index), found.get_mut(index))
                else {
                    return;
                };
                let is_its = key.is_none_or(|key| {
                    orders.text(refund, key) == orders.text(sale, key)
                        && is_its_sale(orders, key, refund, sale)
                });
                if !is_its {
                    continue;
                }
                if level > known.level.0 {
                    continue;
                }
                let is_first = level < known.level.0;
                let stand = standing(orders, Class::DuplicateOrder, sale);
                let agree = agreement(orders, refund, sale);
                known.is_mixed &= !is_first;
                known.is_mixed |=
                    is_other(orders.text(refund, CLICK_ID), orders.text(sale, CLICK_ID));
                if is_first || agree > known.level.1 {
                    known.level = (level, agree);
                    known.sale = stand;
                } else if agree == known.level.1 && known.sale != stand {
                    known.sale = NOBODY;
                }
            }
        };
        for (level, &key) in keys.iter().enumerate() {
            let text = view.text(key);
            if !text.is_empty() {
                look(hash(text, seed), level, Some(key));
            }
        }
        if !report.payments.is_empty() {
            look(hash(view.text(UNIQUE_ID), seed), keys.len(), None);
            for payment in payments(number) {
                look(payment, keys.len(), None);
            }
        }
    }
    let found = found.iter().zip(refunds).filter(|(found, refund)| {
        // Rows with two clicks: where CAKE has the sale by another one than the refund's, it may be another sale.
        let sale = orders.head(found.sale);
        let conversion = sale.filter(|sale| found.is_mixed && is_pair(sale.class));
        let click = conversion.map(|sale| report.conversions.text(sale.partner, CLICK_ID));
        sale.is_some() && !is_other(click.unwrap_or_default(), orders.text(**refund, CLICK_ID))
    });
    let mut sales: Vec<(u32, u32)> = found.map(|(found, &refund)| (found.sale, refund)).collect();
    sales.sort_unstable();
    Some(sales)
}
