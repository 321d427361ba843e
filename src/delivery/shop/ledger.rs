//! The ledger of an order: all facts that shops' webhooks have told of it. The order's state follows
//! from the facts alone, not from the order in which they came.
//!
//! A correction is made of the difference between that state and the state that was told to CAKE
//! last. So a correction of the site's own stays until the shop itself says something else.

use super::fact::{Fact, lines};
use super::settings::from_units;
use crate::api::json::{Object, Value, parse_integer};
use crate::api::older::correction::Params;
use crate::delivery::Event;
use crate::money::Money;
use crate::{Error, Result};
use serde::Serialize;

/// The most facts, and the most other orders, that a ledger keeps. An order has a handful.
const MAX_LINES: usize = 100;

/// The longest unique id that is part of a correction's id, in bytes.
const MAX_ID: usize = 64;

/// What a webhook tells of one order here. Crosses from JavaScript as JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tidings {
    /// Empty where the conversion itself has come.
    pub(crate) platform: String,
    pub(crate) offer_id: u64,
    pub(crate) unique_id: String,
    pub(crate) facts: Vec<Fact>,
    /// The other orders that this one is here: an invoice, or what a mapping has made of it.
    pub(crate) links: Vec<Link>,
    /// May a mapping have made anything of it?
    pub(crate) is_mapped: bool,
    /// Has the shop's own webhook made the conversion, or its money?
    pub(crate) is_ours: bool,
    /// Does a correction wait for the conversion?
    pub(crate) is_waiting: bool,
    /// What to do where no such conversion is known: send a correction (`sent`), keep it for the
    /// conversion (`kept`), remember the facts (`quiet`), or nothing (`known`).
    pub(crate) if_unknown: String,
}

/// Another order, by the key of its conversion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Link {
    pub(crate) offer_id: u64,
    pub(crate) unique_id: String,
}

/// What became of the tidings. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settled {
    /// `refund`: a correction is made. `money`: one that has the sale's money alone. `same`: something is taken
    /// back, and told already. `whole`: nothing is. `map`: a part of another money. `unknown`: there is no such
    /// conversion. `full`: the ledger has no room.
    pub(crate) outcome: &'static str,
    /// The ledger, for the next time; empty where there is nothing to keep.
    pub(crate) ledger: String,
    /// The correction, as a canonical text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correction: Option<String>,
    /// Does the correction wait for its conversion?
    pub(crate) is_kept: bool,
    /// Is the conversion known here?
    pub(crate) is_known: bool,
    /// Has CAKE the shop's money, by the conversion or by a correction?
    pub(crate) is_money_used: bool,
    /// The other orders that this one is here.
    pub(crate) links: Vec<Link>,
    /// The facts for them.
    pub(crate) facts: String,
}

/// The state of a conversion. Amounts are in ten-thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    is_returned: bool,
    revenue: Option<u64>,
    /// What is taken off a revenue that nobody here knows.
    taken: u64,
    payout: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ledger {
    platform: String,
    is_mapped: bool,
    is_ours: bool,
    /// Stood a correction of the site's own before the shop's money, which gave way to it?
    has_yielded: bool,
    /// The number of the last correction.
    number: u64,
    /// The state that CAKE was told last.
    told: Option<State>,
    links: Vec<Link>,
    facts: Vec<Fact>,
}

impl Tidings {
    /// Reads what JavaScript hands over. `sale` is the conversion that the webhook makes, with its
    /// time and the revenue that the built-in mapping has found.
    ///
    /// # Errors
    /// [`Error::Internal`], which no webhook can cause.
    pub(crate) fn read(json: &str) -> Result<Self> {
        let fields = Object::read(json).ok_or(Error::Internal)?;
        let text = |of: &Object<'_>, name| of.get(name).and_then(Value::string);
        let number =
            |of: &Object<'_>, name| of.get(name).and_then(Value::number).and_then(parse_integer);
        let flag = |of: &Object<'_>, name| of.get(name).is_some_and(Value::is_true);
        let told = text(&fields, "facts").unwrap_or_default();
        let mut facts = told
            .lines()
            .map(|line| Fact::read(line).ok_or(Error::Internal))
            .collect::<Result<Vec<_>>>()?;
        let is_mapped = flag(&fields, "isMapped");
        if is_mapped {
            // The mapping says what its sale is.
            facts.retain(|fact| !matches!(fact, Fact::Sale { .. }));
        }
        if let Some(sale) = fields.get("sale").and_then(Value::object) {
            facts.retain(|fact| !matches!(fact, Fact::Sale { .. }));
            let event = Event::from_text(&text(&sale, "text").ok_or(Error::Internal)?)?;
            let revenue = event.params().revenue.as_deref().and_then(units);
            facts.push(Fact::Sale {
                at_ms: number(&sale, "atMs").ok_or(Error::Internal)?,
                revenue,
                payout: event.params().payout.as_deref().and_then(units),
                // A mapping may have chosen another one.
                is_shops_money: revenue == text(&sale, "found").as_deref().and_then(units),
            });
        }
        let links = fields
            .get("links")
            .and_then(Value::array)
            .unwrap_or_default();
        let link = |link: &Value<'_>| {
            let link = link.object()?;
            Some(Link {
                offer_id: number(&link, "offerId")?,
                unique_id: text(&link, "uniqueId")?,
            })
        };
        Ok(Self {
            platform: text(&fields, "platform").unwrap_or_default(),
            offer_id: number(&fields, "offerId").ok_or(Error::Internal)?,
            unique_id: text(&fields, "uniqueId").ok_or(Error::Internal)?,
            facts,
            links: links.iter().filter_map(link).collect(),
            is_mapped,
            is_ours: flag(&fields, "isOurs"),
            is_waiting: flag(&fields, "isWaiting"),
            if_unknown: text(&fields, "ifUnknown").unwrap_or_default(),
        })
    }

    /// Adds the tidings to an order's ledger, and says what is to be told to CAKE.
    ///
    /// `ledger` is the text of the last time, or empty. `conversion` is the conversion's canonical
    /// text, or empty where it is not known. `corrections` are the canonical texts of those that
    /// CAKE has or gets, in the order of their acceptance.
    ///
    /// # Errors
    /// [`Error::Internal`] for a text that is none.
    pub(crate) fn settle(
        &self,
        ledger: &str,
        conversion: &str,
        corrections: &[String],
        now_ms: u64,
    ) -> Result<Settled> {
        let mut own = Ledger::read(ledger).ok_or(Error::Internal)?;
        let is_known = !conversion.is_empty();
        let mut settled = Settled {
            is_known,
            ledger: ledger.to_owned(),
            ..Settled::default()
        };
        if !is_known && ledger.is_empty() && self.if_unknown == "known" {
            settled.outcome = "unknown";
            return Ok(settled);
        }
        if !own.add(self) {
            settled.outcome = "full";
            return Ok(settled);
        }
        settled.links.clone_from(&own.links);
        settled.facts = own.facts_for_links();
        let sold = if is_known {
            let event = Event::from_text(conversion)?;
            let amount = |text: &Option<String>| text.as_deref().and_then(units);
            State {
                revenue: amount(&event.params().revenue),
                payout: amount(&event.params().payout),
                ..State::default()
            }
        } else {
            State::default()
        };
        let corrections: Vec<Params> = corrections
            .iter()
            .map(|text| Params::read_with_id(text))
            .collect::<Result<_>>()?;
        let wanted = own.state(&sold);
        let is_taken_back = wanted.is_returned || own.takes();
        let told = own.told.clone().unwrap_or_else(|| sold.clone());
        let mark = [&*own.platform, "-", &self.offer_id.to_string(), "-"].concat();
        let is_own = |each: &&Params| {
            !each
                .correction_id
                .as_deref()
                .is_some_and(|id| id.starts_with(&mark))
        };
        // Money that comes after a correction of the site's own gives way to it, once.
        let yields = |was: Option<u64>, has: fn(&Params) -> bool| {
            was.is_none() && !is_taken_back && corrections.iter().filter(is_own).any(has)
        };
        let is_yielding = yields(told.revenue, |each| {
            each.revenue.is_some() || each.revenue_added.is_some()
        });
        let now = State::after(sold, &corrections);
        let mut correction = Params {
            offer_id: self.offer_id,
            unique_id: Some(self.unique_id.clone()),
            ..Params::default()
        };
        if wanted.is_returned != told.is_returned && wanted.is_returned != now.is_returned {
            let word = if wanted.is_returned {
                "returned"
            } else {
                "approved"
            };
            correction.status = Some(word.to_owned());
        }
        if let Some(revenue) = wanted.revenue {
            if wanted.revenue != told.revenue && wanted.revenue != now.revenue && !is_yielding {
                correction.revenue = from_units(revenue);
            }
        } else if !wanted.is_returned && wanted.taken != told.taken {
            correction.revenue_added = difference(told.taken, wanted.taken);
        }
        if wanted.payout != told.payout
            && wanted.payout != now.payout
            && !yields(told.payout, |each| {
                each.payout.is_some() || each.payout_added.is_some()
            })
        {
            correction.payout = wanted.payout.and_then(from_units);
        }
        let has_status = correction.status.is_some();
        let has_change = has_status
            || [
                &correction.revenue,
                &correction.revenue_added,
                &correction.payout,
            ]
            .iter()
            .any(|it| it.is_some());
        let is_sent = is_known || self.if_unknown == "sent";
        settled.is_kept = !is_sent;
        // One that may be another order here is not kept: its facts are.
        let may_wait = (self.is_waiting || self.if_unknown == "kept") && own.links.is_empty();
        let is_made = has_change && (is_sent || may_wait);
        if is_made {
            // A kept one keeps its id: it was never sent.
            if is_sent || own.number == 0 {
                own.number = now_ms.max(own.number + 1);
            }
            let id =
                Some(&*self.unique_id).filter(|id| id.len() <= MAX_ID && !id.contains(['[', ']']));
            let id = id.map(|id| [id, "-"].concat()).unwrap_or_default();
            correction.correction_id = Some([&*mark, &id, &own.number.to_string()].concat());
            settled.correction =
                Some(serde_json::to_string(&correction).map_err(|_| Error::Internal)?);
        }
        settled.outcome = if !is_known && !(is_sent && is_made) {
            "unknown"
        } else if is_made && !has_status && !is_taken_back && told.revenue.is_none() {
            "money"
        } else if is_made {
            "refund"
        } else if own.has_untold_part() {
            "map"
        } else if is_taken_back {
            "same"
        } else {
            "whole"
        };
        if is_sent {
            own.has_yielded = is_yielding || own.has_yielded && correction.revenue.is_none();
            // A conversion that is returned keeps its last revenue.
            let keeps = wanted.is_returned;
            own.told = Some(State {
                revenue: wanted.revenue.or(told.revenue.filter(|_| keeps)),
                taken: if keeps { told.taken } else { wanted.taken },
                ..wanted
            });
            settled.is_money_used =
                !own.has_yielded && own.told.as_ref().is_some_and(|told| told.revenue.is_some());
        }
        settled.ledger = own.text();
        Ok(settled)
    }
}

impl State {
    /// The state after corrections, those of others too.
    fn after(mut self, corrections: &[Params]) -> Self {
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

    fn text(&self) -> String {
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
    fn read(text: &str) -> Option<Self> {
        let mut ledger = Self::default();
        let amount = |text: &str| match text {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        };
        for line in text.lines() {
            match *line.split('\t').collect::<Vec<_>>().as_slice() {
                ["O", platform, mapped, ours, yielded, number] => {
                    ledger.platform = platform.to_owned();
                    ledger.is_mapped = mapped == "1";
                    ledger.is_ours = ours == "1";
                    ledger.has_yielded = yielded == "1";
                    ledger.number = number.parse().ok()?;
                }
                ["T", returned, revenue, taken, payout] => {
                    ledger.told = Some(State {
                        is_returned: returned == "1",
                        revenue: amount(revenue)?,
                        taken: taken.parse().ok()?,
                        payout: amount(payout)?,
                    });
                }
                ["L", offer_id, unique_id] => ledger.links.push(Link {
                    offer_id: offer_id.parse().ok()?,
                    unique_id: unique_id.to_owned(),
                }),
                _ => ledger.facts.push(Fact::read(line)?),
            }
        }
        Some(ledger)
    }

    fn text(&self) -> String {
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
            self.told
                .as_ref()
                .map(|told| ["T\t", &told.text()].concat()),
        );
        all.extend(
            self.links
                .iter()
                .map(|link| ["L", &link.offer_id.to_string(), &link.unique_id].join("\t")),
        );
        all.extend(self.facts.iter().map(Fact::line));
        all.join("\n")
    }

    /// Adds what a webhook tells; `false` where there is no room for it.
    fn add(&mut self, told: &Tidings) -> bool {
        if self.platform.is_empty() {
            self.platform.clone_from(&told.platform);
        }
        self.is_mapped |= told.is_mapped;
        self.is_ours |= told.is_ours;
        for link in &told.links {
            let is_self = link.offer_id == told.offer_id && link.unique_id == told.unique_id;
            if !is_self && !self.links.contains(link) {
                self.links.push(link.clone());
            }
        }
        for fact in &told.facts {
            match self.facts.iter().position(|own| own.key() == fact.key()) {
                Some(at) => {
                    let own = self.facts.swap_remove(at);
                    self.facts.push(own.merge(fact.clone()));
                }
                None => self.facts.push(fact.clone()),
            }
        }
        self.facts.sort_unstable();
        self.facts.len() <= MAX_LINES && self.links.len() <= MAX_LINES
    }

    /// The facts for the orders that this one is here: all but the sale, which each has by itself.
    fn facts_for_links(&self) -> String {
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

    /// What a refund has taken back for good: what it took, less what has failed of it since.
    fn taken_of(&self, charge: &str, since_ms: u64, taken: u64) -> u64 {
        let failed = |fact: &Fact| match fact {
            // A sum that is newer than a failure is without it.
            Fact::Failed {
                of, at_ms, amount, ..
            } if of == charge && *at_ms >= since_ms => *amount,
            _ => 0,
        };
        self.facts
            .iter()
            .map(failed)
            .fold(taken, u64::saturating_sub)
    }

    /// The state of the order. `sold` is the conversion as it was accepted.
    fn state(&self, sold: &State) -> State {
        let sale = self.facts.iter().find_map(|fact| match fact {
            Fact::Sale {
                revenue, payout, ..
            } => Some((*revenue, *payout)),
            _ => None,
        });
        // Another caller's money for the conversion stands: the first one counts.
        let first = |sold: Option<u64>, told: Option<u64>| {
            if self.is_ours {
                told.or(sold)
            } else {
                sold.or(told)
            }
        };
        let (revenue, payout) = sale.unwrap_or_default();
        let is_shops = self.has_shops_money();
        let totals = self.facts.iter().filter_map(|fact| match fact {
            Fact::Refunded {
                total,
                is_told: true,
                ..
            } if is_shops => Some(*total),
            _ => None,
        });
        let base = first(sold.revenue, revenue).or_else(|| totals.reduce(u64::saturating_add));
        let mut taken: u64 = 0;
        let mut is_returned = false;
        for fact in &self.facts {
            match fact {
                Fact::All { .. } | Fact::Refunded { is_all: true, .. } => is_returned = true,
                Fact::Refunded {
                    of,
                    at_ms,
                    taken: all,
                    total,
                    is_told,
                    ..
                } => {
                    let left = self.taken_of(of, *at_ms, *all);
                    if is_shops && *is_told && base.is_some() {
                        taken = taken.saturating_add(left);
                    } else {
                        is_returned |= left > 0 && left >= *total;
                    }
                }
                Fact::Part {
                    is_over: false,
                    amount,
                    is_told,
                    is_dispute,
                    ..
                } => {
                    if is_shops && *is_told && (base.is_some() || !is_dispute) {
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

    /// Is anything taken back?
    fn takes(&self) -> bool {
        self.facts.iter().any(|fact| match fact {
            Fact::Refunded {
                of,
                at_ms,
                taken,
                is_all,
                ..
            } => *is_all || self.taken_of(of, *at_ms, *taken) > 0,
            fact => fact.takes(),
        })
    }

    /// Is a part taken back whose amount says nothing of the revenue?
    fn has_untold_part(&self) -> bool {
        !self.has_shops_money() && self.takes() && !self.state(&State::default()).is_returned
    }
}

fn units(amount: &str) -> Option<u64> {
    Money::parse("revenue", amount).ok().map(Money::units)
}

/// What is added to a revenue: a minus takes it off.
fn difference(before: u64, taken: u64) -> Option<String> {
    match before.checked_sub(taken) {
        Some(given) => from_units(given),
        None => from_units(taken.saturating_sub(before)).map(|amount| ["-", &amount].concat()),
    }
}

#[cfg(test)]
mod tests;
