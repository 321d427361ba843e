//! The ledger of an order: all facts that shops' webhooks have told of it. The order's state follows
//! from the facts alone, not from the order in which they came.

use super::fact::{Fact, lines};
use crate::api::older::correction::Params;
use crate::delivery::clock;
use crate::money::Money;
use serde::Serialize;

/// The most facts, and the most other orders, that a ledger keeps. An order has a handful.
pub(super) const MAX_LINES: usize = 100;

/// A clock that is right is at most so far from ours, in milliseconds. As late may its webhook be: some shops send
/// from a queue that runs once a minute.
const RIGHT_MS: u64 = 60_000;

/// Another order, by the key of its conversion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Link {
    pub(crate) offer_id: u64,
    pub(crate) unique_id: String,
}

/// The state of a conversion. Amounts are in ten-thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) is_returned: bool,
    pub(super) revenue: Option<u64>,
    /// What is taken off a revenue that nobody here knows.
    pub(super) taken: u64,
    pub(super) payout: Option<u64>,
}

/// When a ledger is told something, by our own clock, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment {
    pub(crate) now_ms: u64,
    /// When the ledger was last written; 0 where it is new.
    pub(crate) told_ms: u64,
}

/// What is known of one order, and what CAKE was sent of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    pub(super) platform: String,
    pub(super) is_mapped: bool,
    pub(super) is_ours: bool,
    /// Stood a correction of the site's own before the shop's money, which gave way to it?
    pub(super) has_yielded: bool,
    /// The number of the last correction.
    pub(super) number: u64,
    /// The state that CAKE was sent last.
    pub(super) sent: Option<State>,
    /// The unique id that the order's sale has, be it this one or another: the first webhook decides.
    pub(super) sold_as: Option<String>,
    pub(super) links: Vec<Link>,
    pub(super) facts: Vec<Fact>,
}

impl State {
    /// The state after corrections, those of others too.
    pub(super) fn after(mut self, corrections: &[Params]) -> Self {
        for each in corrections {
            if let Some(status) = &each.status {
                self.is_returned = matches!(status.as_str(), "returned" | "rejected");
            }
            for (own, total, added) in [
                (&mut self.revenue, &each.revenue, &each.revenue_added),
                (&mut self.payout, &each.payout, &each.payout_added),
            ] {
                if let Some(total) = total {
                    *own = units(total);
                } else if let Some(added) = added {
                    *own = own.and_then(|own| match added.strip_prefix('-') {
                        Some(taken) => own.checked_sub(units(taken)?),
                        None => own.checked_add(units(added)?),
                    });
                }
            }
        }
        self
    }

    pub(super) fn text(&self) -> String {
        let amount = |amount: Option<u64>| amount.map_or_else(String::new, |it| it.to_string());
        [
            if self.is_returned { "1" } else { "" }.to_owned(),
            amount(self.revenue),
            self.taken.to_string(),
            amount(self.payout),
        ]
        .join("\t")
    }
}

impl Ledger {
    /// Reads a ledger's text, which may be empty; `None` where it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut ledger = Self::default();
        let amount = |text: &str| match text {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        };
        for line in text.lines() {
            match *line.split('\t').collect::<Vec<_>>().as_slice() {
                ["O", platform, mapped, ours, yielded, number] => {
                    platform.clone_into(&mut ledger.platform);
                    ledger.is_mapped = mapped == "1";
                    ledger.is_ours = ours == "1";
                    ledger.has_yielded = yielded == "1";
                    ledger.number = number.parse().ok()?;
                }
                ["T", returned, revenue, taken, payout] => {
                    ledger.sent = Some(State {
                        is_returned: returned == "1",
                        revenue: amount(revenue)?,
                        taken: taken.parse().ok()?,
                        payout: amount(payout)?,
                    });
                }
                ["U", unique_id] => ledger.sold_as = Some(unique_id.to_owned()),
                ["L", offer_id, unique_id] => ledger.links.push(Link {
                    offer_id: offer_id.parse().ok()?,
                    unique_id: unique_id.to_owned(),
                }),
                _ => ledger.facts.push(Fact::read(line)?),
            }
        }
        Some(ledger)
    }

    pub(super) fn text(&self) -> String {
        let flag = |is: bool| if is { "1" } else { "" };
        let number = self.number.to_string();
        let first = [
            "O",
            &*self.platform,
            flag(self.is_mapped),
            flag(self.is_ours),
            flag(self.has_yielded),
            &number,
        ];
        let mut all = vec![first.join("\t")];
        all.extend(
            self.sent
                .as_ref()
                .map(|sent| ["T\t", &sent.text()].concat()),
        );
        all.extend(self.sold_as.as_ref().map(|id| ["U\t", id].concat()));
        all.extend(
            self.links
                .iter()
                .map(|link| ["L", &link.offer_id.to_string(), &link.unique_id].join("\t")),
        );
        all.extend(self.facts.iter().map(Fact::line));
        all.join("\n")
    }

    /// Adds what a platform says now.
    ///
    /// A platform's times are compared with each other alone, so an error of its clock, or of ours, is no matter. The
    /// exception: the clock was far ahead, and was set right since. Then a time is still in the future when the platform
    /// says something new at a time that is not. Nothing would count against it until then, so both have one time.
    pub(super) fn add(&mut self, facts: &[Fact], Moment { now_ms, told_ms }: Moment) {
        let far_ms = now_ms.saturating_add(clock::ERROR_MS);
        let right_ms = now_ms.saturating_add(RIGHT_MS);
        let said_ms = facts.iter().filter_map(Fact::at_ms).max();
        // An arrival says nothing of the platform's clock.
        let is_right =
            |ms: &u64| ms.saturating_add(RIGHT_MS) > told_ms && *ms <= right_ms && !is_arrival(*ms);
        if let Some(said_ms) = said_ms.filter(is_right) {
            for own in &mut self.facts {
                let is_failure = matches!(own, Fact::Failed { .. });
                if own.at_ms().is_some_and(|at_ms| at_ms > far_ms) {
                    // Of a refund that has failed the earlier time takes more back: a newer sum is without it.
                    let failed_ms = told_ms.min(said_ms.saturating_sub(1));
                    own.set_at_ms(if is_failure { failed_ms } else { said_ms });
                }
            }
        }
        for fact in facts {
            let key = fact.key();
            let merged = match self.facts.iter().position(|own| own.key() == key) {
                Some(at) => merged(self.facts.swap_remove(at), fact, far_ms),
                None => fact.clone(),
            };
            self.facts.push(merged);
        }
        self.facts.sort_unstable();
    }

    /// The facts for the orders that this one is here: all but the sale, which each has by itself.
    pub(super) fn facts_for_links(&self) -> String {
        let own = |fact: &&Fact| !matches!(fact, Fact::Sale { .. });
        let facts: Vec<_> = self.facts.iter().filter(own).cloned().collect();
        if self.links.is_empty() {
            String::new()
        } else {
            lines(&facts)
        }
    }

    /// Do the shop's amounts say anything of the conversion's revenue?
    fn has_shops_money(&self) -> bool {
        self.facts
            .iter()
            .find_map(Fact::shops_money)
            .unwrap_or(!self.is_mapped)
    }

    /// What refunds have taken back for good: what they took, less what has failed of it since.
    fn left_of(&self, refunded: &Fact) -> u64 {
        let Fact::Refunded {
            of: charge,
            at_ms: since_ms,
            taken,
            payment,
            ..
        } = refunded
        else {
            return 0;
        };
        let failed = |fact: &Fact| match fact {
            // A sum that is newer than a failure is without it.
            Fact::Failed {
                of, at_ms, amount, ..
            } if (of == charge || of == payment) && at_ms >= since_ms => *amount,
            _ => 0,
        };
        self.facts
            .iter()
            .map(failed)
            .fold(*taken, u64::saturating_sub)
    }

    /// The state of the order. `sold` is the conversion as it was accepted.
    pub(super) fn state(&self, sold: &State) -> State {
        let sale = self.facts.iter().find_map(|fact| match fact {
            Fact::Sale {
                revenue, payout, ..
            } => Some((*revenue, *payout)),
            _ => None,
        });
        // Another caller's money for the conversion stands: the first one counts.
        let first = |sold: Option<u64>, other: Option<u64>| {
            if self.is_ours {
                other.or(sold)
            } else {
                sold.or(other)
            }
        };
        let (revenue, payout) = sale.unwrap_or_default();
        let is_shops = self.has_shops_money();
        let is_told_without = sale.is_some() && revenue.is_none();
        let totals = self.facts.iter().filter_map(|fact| match fact {
            Fact::Refunded {
                total,
                is_amount_known: true,
                ..
            } if is_shops && !is_told_without => Some(*total),
            _ => None,
        });
        let base = first(sold.revenue, revenue).or_else(|| totals.reduce(u64::saturating_add));
        // CAKE's own rules have made the revenue of an order that was told in another currency.
        let is_comparable = base.is_some() || !is_told_without;
        let mut taken: u64 = 0;
        let is_over = self.is_over();
        let mut is_returned = is_over || self.has_taken_total();
        for fact in &self.facts {
            match fact {
                Fact::All { .. } => is_returned = true,
                Fact::Refunded { .. } if is_over => {}
                Fact::Refunded {
                    total,
                    is_amount_known,
                    ..
                } => {
                    let left = self.left_of(fact);
                    if is_shops && *is_amount_known && base.is_some() {
                        taken = taken.saturating_add(left);
                    } else {
                        is_returned |= left > 0 && left >= *total;
                    }
                }
                Fact::Part {
                    is_over: false,
                    amount,
                    is_amount_known,
                    is_dispute,
                    ..
                } => {
                    if is_shops
                        && *is_amount_known
                        && is_comparable
                        && (base.is_some() || !is_dispute)
                    {
                        taken = taken.saturating_add(*amount);
                    } else {
                        is_returned |= *is_dispute;
                    }
                }
                _ => {}
            }
        }
        is_returned |= taken > 0 && base.is_some_and(|base| taken >= base);
        State {
            is_returned,
            revenue: base
                .filter(|_| !is_returned)
                .map(|base| base.saturating_sub(taken)),
            taken,
            payout: first(sold.payout, payout),
        }
    }

    /// Is all taken back by the latest state of the order, whatever the amounts? A state whose
    /// amounts cannot be read is a fact of its own, so that the amounts before it stay.
    fn is_over(&self) -> bool {
        let states = self.facts.iter().filter_map(|fact| match fact {
            Fact::Refunded { at_ms, is_all, .. } => Some((*at_ms, *is_all)),
            _ => None,
        });
        states.max().is_some_and(|(_, is_all)| is_all)
    }

    /// Do parts amount to the order's total, in a currency that both are told in?
    fn has_taken_total(&self) -> bool {
        let parts_in = |currency: &str| -> u64 {
            let amount = |fact: &Fact| match fact {
                Fact::Part {
                    is_over: false,
                    amount,
                    currency: own,
                    ..
                } if own == currency => *amount,
                _ => 0,
            };
            self.facts.iter().map(amount).fold(0, u64::saturating_add)
        };
        self.facts.iter().any(|fact| match fact {
            Fact::Total {
                currency, amount, ..
            } => parts_in(currency) >= (*amount).max(1),
            _ => false,
        })
    }

    /// Is anything taken back?
    pub(super) fn takes(&self) -> bool {
        self.is_over()
            || self.facts.iter().any(|fact| match fact {
                Fact::Refunded { .. } => self.left_of(fact) > 0,
                fact => fact.takes(),
            })
    }

    /// Why a part that is taken back says nothing of the revenue, where it does not: `map` or
    /// `currency`. `state` is the order's.
    pub(super) fn find_unknown_part(&self, state: &State) -> Option<&'static str> {
        let is_told_without = |fact: &Fact| matches!(fact, Fact::Sale { revenue: None, .. });
        match () {
            () if state.is_returned || !self.takes() => None,
            () if !self.has_shops_money() => Some("map"),
            () if state.revenue.is_none() && self.facts.iter().any(is_told_without) => {
                Some("currency")
            }
            () => None,
        }
    }
}

/// Is it the time of a webhook's arrival? An earlier version has written that in place of a platform's time that was
/// later. It has milliseconds, which no platform tells.
fn is_arrival(at_ms: u64) -> bool {
    !at_ms.is_multiple_of(1_000)
}

/// The one of two facts of one thing that counts. A time after `far_ms` is of a clock that is far ahead.
fn merged(mut own: Fact, fact: &Fact, far_ms: u64) -> Fact {
    let (Some(own_ms), Some(said_ms)) = (own.at_ms(), fact.at_ms()) else {
        return own.merge(fact.clone());
    };
    // The platform's own time may be the later one.
    let is_unsure = is_arrival(own_ms) && !is_arrival(said_ms) && own_ms < said_ms;
    let is_near = said_ms <= own_ms.saturating_add(clock::ERROR_MS) || said_ms > far_ms;
    if !(is_unsure && is_near) {
        return own.merge(fact.clone());
    }
    own.set_at_ms(said_ms);
    let mut counts = own.merge(fact.clone());
    if counts != *fact {
        // Its own time is still not known.
        counts.set_at_ms(said_ms + 1);
    }
    counts
}

/// An amount in ten-thousandths.
pub(super) fn units(amount: &str) -> Option<u64> {
    Money::parse("revenue", amount).ok().map(Money::units)
}
