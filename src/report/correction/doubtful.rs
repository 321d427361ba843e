//! Conversions of one sale of which the order does not say which one stands: the order agrees with another one than
//! the one that was kept, or only with their sum. To reject or correct one of them may take the wrong money. And why
//! other repetitions are left alone.

use crate::Result;
use crate::report::Report;
use crate::report::judge::{Class, Net, is_unclear, repeats_nothing, standing};
use crate::report::listing::is_pair;
use crate::report::memory::sort_numbers;
use crate::report::store::{Head, NO_AMOUNT, NOBODY, ORDER_ID, UNIQUE_ID};

/// Do amounts agree with the order's, as far as both are known? `None` where none are.
#[cfg_attr(small_cold, optimize(size))]
fn agrees(net: Net, other: Net, tolerance: i64) -> Option<bool> {
    let pairs = [(net.revenue, other.revenue), (net.payout, other.payout)];
    let known = pairs
        .into_iter()
        .filter(|&(one, other)| one != NO_AMOUNT && other != NO_AMOUNT);
    let agree = known.map(|(one, other)| (one - other).abs() <= tolerance);
    agree.reduce(|all, one| all && one)
}

fn add(one: Net, other: Net) -> Net {
    let sum = |one: i64, other: i64| {
        if one == NO_AMOUNT || other == NO_AMOUNT {
            NO_AMOUNT
        } else {
            one + other
        }
    };
    Net {
        revenue: sum(one.revenue, other.revenue),
        payout: sum(one.payout, other.payout),
    }
}

impl Report {
    /// Finds the unknown conversions whose id is nearly that of an order, be it matched; once for each reconciliation. Where
    /// they are not to be rejected, they matter beside a pair whose money differs.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find_near_orders(&mut self, are_rejected: bool) {
        let class = Class::UnknownToAdvertiser;
        let differing = [
            Class::RevenueDiffers,
            Class::PayoutDiffers,
            Class::CurrencyDiffers,
        ];
        let matter = are_rejected || differing.iter().any(|&class| self.has_conversions(class));
        if self.found.near_orders.is_some() || !matter || !self.has_conversions(class) {
            return;
        }
        let mut unknown = Vec::new();
        let mut next = self.conversions.first();
        while let Some(place) = next {
            next = self.conversions.next(place);
            let head = self.conversions.head(place);
            if head.is_some_and(|head| head.class == class as u8) {
                unknown.push(place);
            }
        }
        let near = self.near_orders(&unknown);
        self.found.lacks_near_orders = near.is_none();
        self.found.near_orders = Some(near.unwrap_or_default());
    }

    /// Has a class conversions?
    fn has_conversions(&self, class: Class) -> bool {
        let sums = self
            .verdicts
            .iter()
            .filter_map(|verdicts| verdicts.sums.get(class as usize));
        sums.flatten().any(|sum| sum.conversions > 0)
    }

    /// The conversions of orders whose money is another one's, where an unknown conversion has nearly their id. Both may
    /// be the sale.
    #[cfg_attr(small_cold, optimize(size))]
    fn doubtful_near(&self) -> Vec<u32> {
        let near = self.found.near_orders.iter().flatten();
        let orders = near.filter_map(|&(_, order)| {
            let order = standing(&self.orders, Class::DuplicateOrder, order);
            self.orders.head(order)
        });
        let stands = orders.filter(|order| is_pair(order.class));
        let is_doubtful = |&stand: &u32| {
            self.pair_of(stand).is_some_and(|(kept, _, net)| {
                agrees(net, Net::of(&kept), self.settings.tolerance) == Some(false)
            })
        };
        stands
            .map(|order| order.partner)
            .filter(is_doubtful)
            .collect()
    }

    /// Finds these conversions; once for each reconciliation.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find_doubtful(&mut self) -> Result<()> {
        let class = Class::DuplicateConversion;
        if self.found.doubtful.is_some() {
            return Ok(());
        }
        let mut doubtful = self.doubtful_near();
        let mut memory = self.memory;
        let mut rows = Vec::new();
        let mut next = self
            .conversions
            .first()
            .filter(|_| self.has_conversions(class));
        while let Some(place) = next {
            next = self.conversions.next(place);
            let head = self.conversions.head(place);
            let counts =
                |head: &Head| head.class == class as u8 && self.settings.rank(head.status) <= 1;
            if head.is_some_and(|head| counts(&head)) {
                let stand = standing(&self.conversions, class, place);
                if memory.extend(&mut rows, &[(stand, place)]).is_none() {
                    return Err(self.full());
                }
            }
        }
        rows.sort_unstable();
        for of_sale in rows.chunk_by(|one, other| one.0 == other.0) {
            let places = of_sale.iter().map(|&(_, place)| place);
            let stand = of_sale.first().map_or(NOBODY, |&(stand, _)| stand);
            if self.is_doubtful(stand, places.clone()) {
                doubtful.push(stand);
                doubtful.extend(places);
            }
        }
        sort_numbers(&mut doubtful);
        self.found.doubtful = Some(doubtful);
        Ok(())
    }

    /// Does the order say nothing for the conversion that stands, or contradict it, and agree with another one or with a
    /// sum? Of two currencies, the order's own is as good as an amount.
    #[cfg_attr(small_cold, optimize(size))]
    fn is_doubtful(&self, stand: u32, others: impl Iterator<Item = u32>) -> bool {
        let Some((kept, order, net)) = self.pair_of(stand) else {
            return false;
        };
        let mut others: Vec<Head> = others
            .filter_map(|place| self.conversions.head(place))
            .collect();
        // The order of files says nothing.
        others.sort_by_key(|other| (other.revenue, other.payout));
        // Rows without a currency are in the account's. Where nothing names the order's, it may be any row's.
        let currency = |head: &Head| match head.currency {
            0 => self.settings.account,
            named => named,
        };
        let differ = |one: u8, other: u8| one != 0 && other != 0 && one != other;
        let own = currency(&order);
        let is_nearer = |other: &Head| match own {
            0 => differ(currency(&kept), currency(other)),
            own => differ(own, currency(&kept)) && !differ(own, currency(other)),
        };
        if others.iter().any(is_nearer) {
            return true;
        }
        let tolerance = self.settings.tolerance;
        let agrees_with = |one: Net| agrees(net, one, tolerance) == Some(true);
        let mut sum = Net::of(&kept);
        if !self.settings.is_same_currency(&order, &kept)
            || is_unclear(&order, net)
            || agrees_with(sum)
        {
            return false;
        }
        others.iter().any(|other| {
            let own = Net::of(other);
            sum = add(sum, own);
            [own, add(Net::of(&kept), own), sum]
                .into_iter()
                .any(agrees_with)
        })
    }

    /// A conversion with its order, and what remains of that.
    fn pair_of(&self, conversion: u32) -> Option<(Head, Head, Net)> {
        let head = self.conversions.head(conversion)?;
        let order = self
            .orders
            .head(head.partner)
            .filter(|_| is_pair(head.class) && head.partner != NOBODY)?;
        let verdicts = self.verdicts.as_ref()?;
        Some((head, order, verdicts.net(head.partner, &order)))
    }

    /// Is it one of these conversions?
    pub(super) fn is_in_doubt(&self, conversion: u32) -> bool {
        let places = self.found.doubtful.as_deref().unwrap_or_default();
        places.binary_search(&conversion).is_ok()
    }

    /// Why a repetition is no reason to reject: rows share only their click, orders repeat as well, or the id is no order's.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn why_spared(&self, place: u32, head: &Head) -> &'static str {
        if repeats_nothing(self, place, head.partner) {
            return "no_order_has_its_id";
        }
        let is_shared = [UNIQUE_ID, ORDER_ID].into_iter().any(|which| {
            let own = self.conversions.text(place, which);
            !own.is_empty() && own == self.conversions.text(head.partner, which)
        });
        if is_shared {
            "orders_repeat_too"
        } else {
            "shares_only_its_click"
        }
    }
}
