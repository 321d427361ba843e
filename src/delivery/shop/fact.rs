//! What a platform says of an order's money and state: facts, each with the platform's own time.
//! Two facts of one key are one after [`Fact::merge`], in any order and with any repetitions.

use std::cmp::Ordering;

/// A fact. Amounts are in ten-thousandths, times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    /// What the sale makes of the order. The latest one that has a revenue counts.
    Sale {
        at_ms: u64,
        revenue: Option<u64>,
        payout: Option<u64>,
        /// Is the revenue the shop's own amount? Otherwise its refunds say nothing of it.
        is_shops_money: bool,
    },
    /// How much of an order or a charge is taken back so far. The latest one counts; of two at the
    /// same time the one that takes more.
    Refunded {
        of: String,
        at_ms: u64,
        /// Is all of it taken back, whatever the amounts?
        is_all: bool,
        taken: u64,
        total: u64,
        /// Are the amounts of the kind that the revenue is?
        is_amount_known: bool,
        /// Of a charge: its payment intent, as far as that is told.
        payment: String,
    },
    /// A refund that failed, or was cancelled. The first time counts: it stays failed.
    Failed {
        id: String,
        /// Its charge; or the payment intent where no charge is told.
        of: String,
        at_ms: u64,
        amount: u64,
    },
    /// A part that is taken back: a refund, or a dispute as long as it is not won. The latest one
    /// counts; of two at the same time the one that is over.
    Part {
        id: String,
        at_ms: u64,
        is_over: bool,
        amount: u64,
        is_amount_known: bool,
        /// Does it take all where its amount cannot be compared?
        is_dispute: bool,
        /// The amount's currency, where the order tells its total in it; see `Total`.
        currency: String,
    },
    /// The order's total in a currency: parts that amount to it take all back. The largest one
    /// counts, since an edited order may tell what remains.
    Total { currency: String, amount: u64 },
    /// All is taken back, for good.
    All { id: String },
}

impl Fact {
    /// Does it take anything back?
    pub(crate) fn takes(&self) -> bool {
        match self {
            Self::Sale { .. } | Self::Failed { .. } | Self::Total { .. } => false,
            Self::Refunded { is_all, taken, .. } => *is_all || *taken > 0,
            Self::Part {
                is_over, amount, ..
            } => !is_over && *amount > 0,
            Self::All { .. } => true,
        }
    }

    /// The key that the facts of one thing share.
    pub(crate) fn key(&self) -> (char, &str) {
        match self {
            Self::Sale { .. } => ('S', ""),
            Self::Refunded { of, .. } => ('R', of),
            Self::Failed { id, .. } => ('F', id),
            Self::Part { id, .. } => ('P', id),
            Self::Total { currency, .. } => ('C', currency),
            Self::All { id } => ('A', id),
        }
    }

    /// When the platform said so, by its own clock.
    pub(crate) fn at_ms(&self) -> Option<u64> {
        match self {
            Self::Sale { at_ms, .. }
            | Self::Refunded { at_ms, .. }
            | Self::Failed { at_ms, .. }
            | Self::Part { at_ms, .. } => Some(*at_ms),
            Self::Total { .. } | Self::All { .. } => None,
        }
    }

    /// Gives a fact that has a time another one.
    pub(super) fn set_at_ms(&mut self, to_ms: u64) {
        match self {
            Self::Sale { at_ms, .. }
            | Self::Refunded { at_ms, .. }
            | Self::Failed { at_ms, .. }
            | Self::Part { at_ms, .. } => *at_ms = to_ms,
            Self::Total { .. } | Self::All { .. } => {}
        }
    }

    /// The one of two facts of one thing that counts.
    pub(crate) fn merge(self, other: Self) -> Self {
        // The fields stand in the order of their weight, the time before the amounts.
        let order = match (&self, &other) {
            (Self::Failed { at_ms: own, .. }, Self::Failed { at_ms, .. }) => at_ms.cmp(own),
            (Self::Sale { revenue: own, .. }, Self::Sale { revenue, .. }) => {
                own.is_some().cmp(&revenue.is_some())
            }
            _ => Ordering::Equal,
        };
        match order.then_with(|| self.cmp(&other)) {
            Ordering::Less => other,
            _ => self,
        }
    }

    /// Is the sale's revenue the shop's own amount? `None` where the fact is no sale.
    pub(crate) fn shops_money(&self) -> Option<bool> {
        match self {
            Self::Sale { is_shops_money, .. } => Some(*is_shops_money),
            _ => None,
        }
    }

    /// One line, without its end.
    pub(crate) fn line(&self) -> String {
        let flag = |is: bool| if is { "1" } else { "" }.to_owned();
        let amount = |amount: &Option<u64>| amount.map_or_else(String::new, |it| it.to_string());
        let (mark, id) = self.key();
        let rest = match self {
            Self::Sale {
                at_ms,
                revenue,
                payout,
                is_shops_money,
            } => vec![
                at_ms.to_string(),
                amount(revenue),
                amount(payout),
                flag(*is_shops_money),
            ],
            Self::Refunded {
                at_ms,
                is_all,
                taken,
                total,
                is_amount_known,
                payment,
                ..
            } => {
                let mut rest = vec![
                    at_ms.to_string(),
                    flag(*is_all),
                    taken.to_string(),
                    total.to_string(),
                    flag(*is_amount_known),
                ];
                rest.extend(Some(payment).filter(|id| !id.is_empty()).cloned());
                rest
            }
            Self::Failed {
                of, at_ms, amount, ..
            } => vec![of.clone(), at_ms.to_string(), amount.to_string()],
            Self::Part {
                at_ms,
                is_over,
                amount,
                is_amount_known,
                is_dispute,
                currency,
                ..
            } => vec![
                at_ms.to_string(),
                flag(*is_over),
                amount.to_string(),
                flag(*is_amount_known),
                flag(*is_dispute),
                currency.clone(),
            ],
            Self::Total { amount, .. } => vec![amount.to_string()],
            Self::All { .. } => Vec::new(),
        };
        // No id holds a control character.
        [vec![mark.to_string(), id.to_owned()], rest]
            .concat()
            .join("\t")
    }

    /// Reads a line; `None` where it is none.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |text: &str| text.parse::<u64>().ok();
        let amount = |text: &str| match text {
            "" => Some(None),
            text => number(text).map(Some),
        };
        let is = |text: &str| text == "1";
        Some(match *fields.as_slice() {
            ["S", "", at, revenue, payout, shops] => Self::Sale {
                at_ms: number(at)?,
                revenue: amount(revenue)?,
                payout: amount(payout)?,
                is_shops_money: is(shops),
            },
            ["R", of, at, all, taken, total, known, ref payment @ ..] => Self::Refunded {
                of: of.to_owned(),
                at_ms: number(at)?,
                is_all: is(all),
                taken: number(taken)?,
                total: number(total)?,
                is_amount_known: is(known),
                payment: payment.concat(),
            },
            ["F", id, of, at, amount] => Self::Failed {
                id: id.to_owned(),
                of: of.to_owned(),
                at_ms: number(at)?,
                amount: number(amount)?,
            },
            ["P", id, at, over, amount, known, dispute, ref currency @ ..] => Self::Part {
                id: id.to_owned(),
                at_ms: number(at)?,
                is_over: is(over),
                amount: number(amount)?,
                is_amount_known: is(known),
                is_dispute: is(dispute),
                // Earlier versions wrote none.
                currency: currency.concat(),
            },
            ["C", currency, amount] => Self::Total {
                currency: currency.to_owned(),
                amount: number(amount)?,
            },
            ["A", id] => Self::All { id: id.to_owned() },
            _ => return None,
        })
    }
}

/// Several facts as lines.
pub(crate) fn lines(facts: &[Fact]) -> String {
    let lines: Vec<_> = facts.iter().map(Fact::line).collect();
    lines.join("\n")
}
