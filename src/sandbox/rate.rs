//! A payout's rate.

use crate::money::Money;

/// A rate: a fixed amount, or a share of the revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rate {
    /// An amount.
    Fixed(Money),
    /// Per cent.
    Share(Money),
}

impl Rate {
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => Money::parse("payout", percent).ok().map(Self::Share),
            None => Money::parse("payout", text).ok().map(Self::Fixed),
        }
    }

    pub(super) fn of(self, revenue: Money) -> Money {
        match self {
            Self::Fixed(amount) => amount,
            Self::Share(percent) => revenue.percent(percent),
        }
    }
}
