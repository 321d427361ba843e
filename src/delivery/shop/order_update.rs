//! What a webhook tells of an order, added to the order's [`Ledger`], and the correction that follows.
//!
//! A correction is made of the difference between the order's state and the state that was sent to
//! CAKE last. So a correction of the site's own stays until the shop itself says something else.

use super::fact::Fact;
pub(crate) use super::ledger::Moment;
use super::ledger::{Ledger, Link, MAX_LINES, State, units};
use super::settings::from_units;
use crate::api::json::{Object, Value, parse_integer};
use crate::api::older::correction::Params;
use crate::delivery::Event;
use crate::{Error, Result};
use serde::Serialize;

/// The longest unique id that is part of a correction's id, in bytes.
const MAX_ID: usize = 64;

/// What a webhook tells of one order here. Crosses from JavaScript as JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderUpdate {
    /// Empty where the conversion itself has come.
    pub(crate) platform: String,
    pub(crate) offer_id: u64,
    pub(crate) unique_id: String,
    pub(crate) facts: Vec<Fact>,
    /// The unique id that the order's sale gets, unless it is decided already. Empty where this update is no matter
    /// of it.
    pub(crate) sold_as: String,
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

/// What became of the update. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settled {
    /// `refund`: a correction is made. `money`: one that has the sale's money alone. `total`: one that has the sale's
    /// new money alone. `same`: something is taken back, and told already. `whole`: nothing is. `map`: a part of
    /// another money, which a mapping has chosen. `currency`: a part of an order that was told without revenue.
    /// `unknown`: there is no such conversion. `full`: the ledger has no room.
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
    /// The unique id of the order's sale, where it is decided; else empty.
    pub(crate) sold_as: String,
    /// The other orders that this one is here.
    pub(crate) links: Vec<Link>,
    /// The facts for them.
    pub(crate) facts: String,
}

impl OrderUpdate {
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
        let facts = text(&fields, "facts").unwrap_or_default();
        let mut facts = facts
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
            sold_as: text(&fields, "soldAs").unwrap_or_default(),
            links: links.iter().filter_map(link).collect(),
            is_mapped,
            is_ours: flag(&fields, "isOurs"),
            is_waiting: flag(&fields, "isWaiting"),
            if_unknown: text(&fields, "ifUnknown").unwrap_or_default(),
        })
    }

    /// Does it tell nothing, and only ask whether the conversion is known? That leaves nothing behind.
    fn is_question(&self) -> bool {
        self.facts.is_empty() && self.links.is_empty() && self.sold_as.is_empty()
    }

    /// Adds all of it to a ledger; `false` where there is no room for it.
    fn add_to(&self, ledger: &mut Ledger, is_known: bool, at: Moment) -> bool {
        if ledger.platform.is_empty() {
            ledger.platform.clone_from(&self.platform);
        }
        ledger.is_mapped |= self.is_mapped;
        ledger.is_ours |= self.is_ours;
        if ledger.sold_as.is_none() && !self.sold_as.is_empty() {
            // What is a conversion here under this very id is sold as it.
            let id = if is_known {
                &self.unique_id
            } else {
                &self.sold_as
            };
            ledger.sold_as = Some(id.clone());
        }
        let sold = ledger.sold_as.clone().map(|unique_id| Link {
            offer_id: self.offer_id,
            unique_id,
        });
        for link in self.links.iter().chain(&sold) {
            let is_self = link.offer_id == self.offer_id && link.unique_id == self.unique_id;
            if !is_self && !ledger.links.contains(link) {
                ledger.links.push(link.clone());
            }
        }
        ledger.add(&self.facts, at);
        ledger.facts.len() <= MAX_LINES && ledger.links.len() <= MAX_LINES
    }

    /// Adds the update to an order's ledger, and says what is to be sent to CAKE.
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
        at: Moment,
    ) -> Result<Settled> {
        let mut own = Ledger::read(ledger).ok_or(Error::Internal)?;
        let is_known = !conversion.is_empty();
        let mut settled = Settled {
            is_known,
            ledger: ledger.to_owned(),
            ..Settled::default()
        };
        if ledger.is_empty() && self.if_unknown == "known" && (!is_known || self.is_question()) {
            settled.outcome = if is_known { "whole" } else { "unknown" };
            return Ok(settled);
        }
        if !self.add_to(&mut own, is_known, at) {
            settled.outcome = "full";
            return Ok(settled);
        }
        settled.sold_as = own.sold_as.clone().unwrap_or_default();
        settled.links.clone_from(&own.links);
        settled.facts = own.facts_for_links();
        let sold = sold_state(conversion)?;
        let corrections: Vec<Params> = corrections
            .iter()
            .map(|text| Params::read_with_id(text))
            .collect::<Result<_>>()?;
        let wanted = own.state(&sold);
        let sent = own.sent.clone().unwrap_or_else(|| sold.clone());
        let is_taken_back = wanted.is_returned || own.takes();
        let mark = [&*own.platform, "-", &self.offer_id.to_string(), "-"].concat();
        let change = Change {
            now: sold.after(&corrections),
            sent: &sent,
            wanted: &wanted,
            // Money that comes after a correction of the site's own gives way to it, once.
            own: corrections
                .iter()
                .filter(|_| !is_taken_back)
                .filter(|each| {
                    !each
                        .correction_id
                        .as_ref()
                        .is_some_and(|id| id.starts_with(&mark))
                })
                .collect(),
        };
        let is_sent = is_known || self.if_unknown == "sent";
        // One that may be another order here is not kept: its facts are.
        let may_wait = (self.is_waiting || self.if_unknown == "kept") && own.links.is_empty();
        let mut correction = change.correction();
        let has_status = correction.status.is_some();
        let has_revenue = correction.revenue.is_some();
        let is_made = correction != Params::default() && (is_sent || may_wait);
        if is_made {
            // A kept one keeps its id: it was never sent.
            if is_sent || own.number == 0 {
                own.number = at.now_ms.max(own.number + 1);
            }
            let is_short = self.unique_id.len() <= MAX_ID && !self.unique_id.contains(['[', ']']);
            let id = if is_short {
                [&*self.unique_id, "-"].concat()
            } else {
                String::new()
            };
            correction.correction_id = Some([&*mark, &id, &own.number.to_string()].concat());
            correction.offer_id = self.offer_id;
            correction.unique_id = Some(self.unique_id.clone());
            let text = serde_json::to_string(&correction).map_err(|_| Error::Internal)?;
            settled.correction = Some(text);
        }
        settled.is_kept = !is_sent;
        settled.outcome = if !(is_known || is_sent && is_made) {
            "unknown"
        } else if is_made && !has_status && wanted.taken == sent.taken {
            if sent.revenue.is_none() {
                "money"
            } else {
                "total"
            }
        } else if is_made {
            "refund"
        } else if let Some(why) = own.find_unknown_part(&wanted) {
            why
        } else if is_taken_back {
            "same"
        } else {
            "whole"
        };
        if is_sent {
            own.has_yielded = change.yields_revenue() || own.has_yielded && !has_revenue;
            // A conversion that is returned keeps its last revenue.
            let keeps = wanted.is_returned;
            let sent = State {
                revenue: wanted.revenue.or(sent.revenue.filter(|_| keeps)),
                taken: if keeps { sent.taken } else { wanted.taken },
                ..wanted
            };
            settled.is_money_used = !own.has_yielded && sent.revenue.is_some();
            own.sent = Some(sent);
        }
        settled.ledger = own.text();
        Ok(settled)
    }
}

/// A conversion as it was accepted; the default where it is not known.
fn sold_state(conversion: &str) -> Result<State> {
    if conversion.is_empty() {
        return Ok(State::default());
    }
    let event = Event::from_text(conversion)?;
    let amount = |text: &Option<String>| text.as_deref().and_then(units);
    Ok(State {
        revenue: amount(&event.params().revenue),
        payout: amount(&event.params().payout),
        ..State::default()
    })
}

/// What an order's state makes of what CAKE was sent.
struct Change<'a> {
    /// The conversion after all corrections, those of others too.
    now: State,
    /// As CAKE was sent it last.
    sent: &'a State,
    wanted: &'a State,
    /// The corrections of the site's own that money gives way to.
    own: Vec<&'a Params>,
}

impl Change<'_> {
    /// The fields that change; the default where none does.
    fn correction(&self) -> Params {
        let (now, sent, wanted) = (&self.now, self.sent, self.wanted);
        let mut correction = Params::default();
        if wanted.is_returned != sent.is_returned && wanted.is_returned != now.is_returned {
            let word = if wanted.is_returned {
                "returned"
            } else {
                "approved"
            };
            correction.status = Some(word.to_owned());
        }
        let is_new = |wanted, sent, now| wanted != sent && wanted != now;
        if wanted.revenue.is_some() {
            if is_new(wanted.revenue, sent.revenue, now.revenue) && !self.yields_revenue() {
                correction.revenue = wanted.revenue.and_then(from_units);
            }
        } else if !wanted.is_returned && wanted.taken != sent.taken {
            correction.revenue_added = difference(sent.taken, wanted.taken);
        }
        let has_payout = |each: &&Params| each.payout.is_some() || each.payout_added.is_some();
        let yields = sent.payout.is_none() && self.own.iter().any(has_payout);
        if is_new(wanted.payout, sent.payout, now.payout) && !yields {
            correction.payout = wanted.payout.and_then(from_units);
        }
        correction
    }

    fn yields_revenue(&self) -> bool {
        let has = |each: &&Params| each.revenue.is_some() || each.revenue_added.is_some();
        self.sent.revenue.is_none() && self.own.iter().any(has)
    }
}

/// What is added to a revenue: a minus takes it off.
fn difference(before: u64, taken: u64) -> Option<String> {
    match before.checked_sub(taken) {
        Some(given) => from_units(given),
        None => from_units(taken.saturating_sub(before)).map(|amount| ["-", &amount].concat()),
    }
}

#[cfg(test)]
mod amounts;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
