//! What is read beside a declared amount: its currency, and in Shopify's files what remains of it.

use super::{CURRENT, Name, Names, Role, path_of};

/// The names of a currency beside its amount, and of the money that Shopify shows the buyer.
const BESIDE: [&[u8]; 2] = [b"currencycode", b"currency"];
const PRESENTED: &[u8] = b"presentmentmoney";

impl Names {
    /// The caller has declared the column of an order's revenue.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn declare_revenue(&mut self, revenue: &str, is_shopify: bool) {
        self.declare_beside(revenue);
        if is_shopify {
            self.declare_remaining(revenue);
        }
    }

    /// The revenue is another column: what remains of it stands in Shopify's column of the same name with `current`,
    /// also where the column is in an object or is one. Where the caller has declared that one, the amount before refunds
    /// is read in its place.
    #[cfg_attr(small_cold, optimize(size))]
    fn declare_remaining(&mut self, revenue: &str) {
        let path = path_of(revenue);
        self.known.retain(|name| name.role != Role::Remaining as u8);
        let points = (1..).zip(&path).filter(|&(_, &byte)| byte == b'.');
        let starts = core::iter::once(0).chain(points.map(|(after, _)| after));
        for (rank, start) in (0..).zip(starts) {
            let (before, name) = path.split_at_checked(start).unwrap_or_default();
            let twin = match name.strip_prefix(CURRENT) {
                Some(name) => [before, name].concat(),
                None => [before, CURRENT, name].concat(),
            };
            self.known.retain(|name| name.path != twin);
            self.add(twin, Role::Remaining as u8, rank);
        }
    }

    /// The currency that stands beside a declared amount is the amount's, whatever the row names elsewhere.
    #[cfg_attr(small_cold, optimize(size))]
    fn declare_beside(&mut self, amount: &str) {
        let path = path_of(amount);
        let end = path.iter().rposition(|&byte| byte == b'.');
        let Some((object, _)) = end.and_then(|end| path.split_at_checked(end + 1)) else {
            return;
        };
        if !self.is_declared(Role::Currency as u8) {
            let beside = BESIDE.map(|name| [object, name].concat());
            self.known.retain(|name| !beside.contains(&name.path));
            let others = self.known.iter_mut();
            for name in others.filter(|name| name.role == Role::Currency as u8) {
                name.rank += 2;
            }
            for (rank, path) in (0..).zip(beside) {
                self.add(path, Role::Currency as u8, rank);
            }
        }
        // What was given back is read in the same money.
        if path.windows(PRESENTED.len()).any(|name| name == PRESENTED) {
            let shown = b"totalrefundedset.presentmentmoney.amount".to_vec();
            let is_shops = |name: &Name| {
                name.role == Role::Refunded as u8 && name.path.starts_with(b"totalrefundedset")
            };
            if let Some(rank) = self
                .known
                .iter()
                .find(|name| is_shops(name))
                .map(|name| name.rank)
            {
                self.known.retain(|name| !is_shops(name));
                self.add(shown, Role::Refunded as u8, rank);
            }
        }
    }
}
