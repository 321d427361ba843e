//! What differs in a pair, and the class that follows.

use super::refunds::UNCLEAR;
use super::{Class, Net, is_unclear};
use crate::report::Settings;
use crate::report::store::{
    CLICK_ID, Head, IS_AMENDED, IS_SAME_ID, NO_AMOUNT, NO_TIME, ORDER_ID, UNIQUE_ID,
};

pub(in crate::report) const REASONS: [&str; 9] = [
    "order_outside_window",
    "conversion_outside_window",
    "currency_differs",
    "revenue_differs",
    "payout_differs",
    "status_differs",
    "changed_while_reading",
    "refunded",
    "refund_unclear",
];

const ORDER_OUTSIDE: u16 = 1;
const CONVERSION_OUTSIDE: u16 = 2;
const CURRENCY: u16 = 4;
const REVENUE: u16 = 8;
const PAYOUT: u16 = 16;
const STATUS: u16 = 32;
const CHANGED: u16 = 64;
const REFUNDED: u16 = 128;
const REFUND_UNCLEAR: u16 = 256;

impl Settings {
    /// The flags of rows that have one of the keys.
    pub(in crate::report) fn key_flags(&self) -> u8 {
        let flags = self.keys.iter().map(|&key| match key {
            UNIQUE_ID => 1,
            ORDER_ID => 2 | IS_SAME_ID,
            CLICK_ID => 4,
            _ => 0,
        });
        flags.fold(0, |all, flags| all | flags)
    }

    #[inline]
    pub(in crate::report) fn is_outside(&self, head: &Head) -> bool {
        let (from, to) = self.window;
        head.seconds != NO_TIME && !(from..to).contains(&head.seconds)
    }

    /// The rank of a status: those that count, then pending, then those that take a sale back.
    pub(in crate::report) fn rank(&self, status: u8) -> u8 {
        let [approved, pending, ..] = self.codes;
        match status {
            0 => 0,
            _ if status == approved => 0,
            _ if status == pending => 1,
            _ => 2,
        }
    }

    /// Are both in the account's currency, as far as they name one? CAKE's rows are in the account's.
    #[inline]
    pub(in crate::report) fn is_same_currency(&self, order: &Head, conversion: &Head) -> bool {
        let theirs = match conversion.currency {
            0 => self.account,
            currency => currency,
        };
        order.currency == 0 || theirs == 0 || order.currency == theirs
    }

    /// The same status? The older services have one word for a sale that is taken back: returned.
    #[inline]
    pub(in crate::report) fn is_same_status(&self, order: u8, conversion: u8) -> bool {
        let [_, _, _, taken @ ..] = self.codes;
        order == conversion || taken.contains(&order) && taken.contains(&conversion)
    }

    /// The status of an order that keeps so much after its refunds: one that was given back whole is reversed, as where
    /// its own row says so.
    #[inline]
    pub(in crate::report) fn status_after(&self, order: &Head, net: Net) -> u8 {
        let is_given_back = order.flags & IS_AMENDED != 0
            && net.revenue <= 0
            && net.revenue > UNCLEAR
            && order.revenue > 0;
        let [approved, pending, rejected, reversed, _] = self.codes;
        match order.status {
            status if !is_given_back => status,
            0 => reversed,
            status if status == approved => reversed,
            status if status == pending => rejected,
            status => status,
        }
    }

    /// Everything that differs in a pair; `net` is what remains of the order after its refunds.
    #[inline]
    pub(in crate::report) fn reasons(&self, order: &Head, net: Net, conversion: &Head) -> u16 {
        let mut reasons = 0;
        if self.is_outside(order) {
            reasons |= ORDER_OUTSIDE;
        }
        if self.is_outside(conversion) {
            reasons |= CONVERSION_OUTSIDE;
        }
        let differ = |one: i64, other: i64| {
            one != NO_AMOUNT && other != NO_AMOUNT && (one - other).abs() > self.tolerance
        };
        if !self.is_same_currency(order, conversion) {
            reasons |= CURRENCY;
        } else if is_unclear(order, net) {
            reasons |= REFUND_UNCLEAR;
        } else {
            if differ(net.revenue, conversion.revenue) {
                reasons |= REVENUE;
            }
            if differ(net.payout, conversion.payout) {
                reasons |= PAYOUT;
            }
        }
        let status = self.status_after(order, net);
        if status != 0 && conversion.status != 0 && !self.is_same_status(status, conversion.status)
        {
            reasons |= STATUS;
        }
        if conversion.flags & IS_AMENDED != 0 {
            reasons |= CHANGED;
        }
        if order.flags & IS_AMENDED != 0 {
            reasons |= REFUNDED;
        }
        reasons
    }
}

/// The most important reason of a pair. A sale that was refunded within the days is due in them, whenever it was sold.
#[inline]
pub(super) fn class_of(reasons: u16, is_due: bool) -> Class {
    let outside = if is_due {
        0
    } else {
        ORDER_OUTSIDE | CONVERSION_OUTSIDE
    };
    for (reason, class) in [
        (outside, Class::OutsideWindow),
        (REFUND_UNCLEAR, Class::RefundUnclear),
        (CURRENCY, Class::CurrencyDiffers),
        (REVENUE, Class::RevenueDiffers),
        (PAYOUT, Class::PayoutDiffers),
        (STATUS, Class::StatusDiffers),
    ] {
        if reasons & reason != 0 {
            return class;
        }
    }
    Class::Matched
}
