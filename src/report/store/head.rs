//! A row's fields besides its texts, and how they lie in memory: 18 bytes, and 10 more where the row has a payout or a
//! pair. An order has none of them, mostly.

use super::{IS_DAY, IS_SAME_ID, LAST_OF_DAY, NO_AMOUNT, ORDER_ID, TEXTS, UNIQUE_ID};
use crate::report::digits::word_at;

/// The bytes that every row has: time, partner, revenue, status, class, currency, flags.
pub(super) const HEAD: usize = 18;
/// The bytes of payout and pair.
pub(super) const MORE: usize = 10;

/// The offsets of what is changed in its place.
pub(super) const PARTNER: usize = 4;
pub(super) const CLASS: usize = 15;
pub(super) const FLAGS: usize = 17;

/// Beside the class: payout and pair follow.
pub(super) const HAS_MORE: u8 = 128;

/// The fields of a row besides its texts.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Head {
    /// Civil seconds since 1970 in the account's time zone.
    pub(in crate::report) seconds: u32,
    /// The place of the partner row; before matching, a hash.
    pub(in crate::report) partner: u32,
    pub(in crate::report) revenue: i64,
    pub(in crate::report) payout: i64,
    pub(in crate::report) status: u8,
    pub(in crate::report) class: u8,
    pub(in crate::report) currency: u8,
    pub(in crate::report) flags: u8,
    /// Offer and affiliate, as one number.
    pub(in crate::report) pair: u32,
}

/// The last second that a time with these flags may mean.
#[inline]
pub(in crate::report) fn latest(seconds: u32, flags: u8) -> u32 {
    let more = if flags & IS_DAY == 0 { 0 } else { LAST_OF_DAY };
    seconds.saturating_add(more)
}

impl Head {
    /// Does the row take money back?
    pub(in crate::report) fn is_below_zero(&self) -> bool {
        [self.revenue, self.payout]
            .iter()
            .any(|&units| units < 0 && units != NO_AMOUNT)
    }

    /// The last second that its time may mean, where it has one: a day is all of its seconds.
    pub(in crate::report) fn latest(&self) -> u32 {
        latest(self.seconds, self.flags)
    }

    #[inline]
    pub(super) fn has_more(&self) -> bool {
        self.payout != NO_AMOUNT || self.pair != 0
    }

    #[inline]
    pub(super) fn encode(&self) -> [u8; HEAD] {
        let mark = if self.has_more() { HAS_MORE } else { 0 };
        let first = u64::from(self.seconds) | u64::from(self.partner) << 32;
        let second = narrow(self.revenue)
            | u64::from(self.status) << 48
            | u64::from(self.class | mark) << 56;
        let mut bytes = [0; HEAD];
        for (slot, word) in bytes.as_chunks_mut().0.iter_mut().zip([first, second]) {
            *slot = word.to_le_bytes();
        }
        let [.., currency, flags] = &mut bytes;
        (*currency, *flags) = (self.currency, self.flags);
        bytes
    }

    #[inline]
    pub(super) fn encode_more(&self) -> [u8; MORE] {
        let [a, b, c, d] = self.pair.to_le_bytes();
        let [one, two, three, four, five, six, ..] = narrow(self.payout).to_le_bytes();
        [one, two, three, four, five, six, a, b, c, d]
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "each field is cut out of its word"
    )]
    #[inline]
    pub(super) fn decode(head: &[u8; HEAD], rest: &[u8]) -> Self {
        let word = |at: usize| word_at(head, at).unwrap_or(0);
        let (first, second) = (word(0), word(8));
        let [.., currency, flags] = *head;
        let class = (second >> 56) as u8;
        let (mut payout, mut pair) = (NO_AMOUNT, 0);
        if class & HAS_MORE != 0
            && let (Some(low), Some(high)) = (word_at(rest, 0), word_at(rest, MORE - 8))
        {
            payout = widen(low << 16);
            pair = (high >> 32) as u32;
        }
        Self {
            seconds: first as u32,
            partner: (first >> 32) as u32,
            revenue: widen(second << 16),
            payout,
            status: (second >> 48) as u8,
            class: class & !HAS_MORE,
            currency,
            flags,
            pair,
        }
    }
}

/// A row as it lies in its block: a reader of one field need not decode all.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct View<'a> {
    head: &'a [u8; HEAD],
    rest: &'a [u8],
    texts: &'a [u8],
}

impl<'a> View<'a> {
    /// The row that the bytes begin with.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let [.., class, _, _] = *head;
        let texts = if class & HAS_MORE == 0 {
            rest
        } else {
            rest.get(MORE..)?
        };
        Some(Self { head, rest, texts })
    }

    #[inline]
    pub(in crate::report) fn head(&self) -> Head {
        Head::decode(self.head, self.rest)
    }

    #[inline]
    pub(in crate::report) fn class(&self) -> u8 {
        let [.., class, _, _] = *self.head;
        class & !HAS_MORE
    }

    #[inline]
    fn flags(&self) -> u8 {
        let [.., flags] = *self.head;
        flags
    }

    /// The bytes of the row.
    #[inline]
    pub(super) fn length(&self) -> usize {
        let mut length = 0;
        for _ in 0..(self.flags() & 15).count_ones() {
            length += 1 + usize::from(self.texts.get(length).copied().unwrap_or(0));
        }
        HEAD + self.rest.len() - self.texts.len() + length
    }

    /// All texts. The order id is also returned where it equals the unique id.
    pub(super) fn all_texts(&self) -> [&'a [u8]; TEXTS] {
        let mut texts: [&[u8]; TEXTS] = [&[]; TEXTS];
        let (flags, mut rest) = (self.flags(), self.texts);
        for (index, text) in texts.iter_mut().enumerate() {
            if flags & (1 << index) != 0 {
                let Some((&length, tail)) = rest.split_first() else {
                    break;
                };
                let Some((this, tail)) = tail.split_at_checked(usize::from(length)) else {
                    break;
                };
                *text = this;
                rest = tail;
            }
        }
        if flags & IS_SAME_ID != 0 {
            let [unique, order, ..] = &mut texts;
            *order = unique;
        }
        texts
    }

    /// One text. The order id is also returned where it equals the unique id.
    #[inline]
    pub(in crate::report) fn text(&self, which: usize) -> &'a [u8] {
        let flags = self.flags();
        let which = if which == ORDER_ID && flags & IS_SAME_ID != 0 {
            UNIQUE_ID
        } else {
            which
        };
        if flags & 1 << which == 0 {
            return &[];
        }
        let mut at = 0;
        for _ in 0..(flags & ((1 << which) - 1)).count_ones() {
            at += 1 + usize::from(self.texts.get(at).copied().unwrap_or(0));
        }
        let length = usize::from(self.texts.get(at).copied().unwrap_or(0));
        self.texts.get(at + 1..at + 1 + length).unwrap_or_default()
    }
}

/// 48 bits hold nine digits before the point, four after it, and a value for none.
const NONE_48: i64 = -(1 << 47);

/// The low 48 bits.
#[inline]
fn narrow(units: i64) -> u64 {
    let units = if units == NO_AMOUNT { NONE_48 } else { units };
    units.cast_unsigned() & 0xFFFF_FFFF_FFFF
}

/// From the high 48 bits.
#[inline]
fn widen(high: u64) -> i64 {
    let units = high.cast_signed() >> 16;
    if units == NONE_48 { NO_AMOUNT } else { units }
}
