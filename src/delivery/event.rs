//! A conversion as a caller hands it over: its fields, its key, and the one text that is stored.

use super::{Correction, clock};
use crate::api::asked::{Asked, click_key};
use crate::api::commerce;
use crate::api::json::{Object, Value};
use crate::api::record_conversion::Params;
use crate::click_id::is_own_id;
use crate::error::IdRule;
use crate::money::Money;
use crate::url::push_number;
use crate::{Error, Result};
use serde::Serialize;

/// The most bytes of one conversion.
pub const MAX_BYTES: usize = 8_192;

/// The most conversions of one body.
pub const MAX_BATCH: usize = 100;

/// The caller, and the facts of its request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller<'a> {
    /// Is the request signed? Money and dates are taken from signed callers alone.
    pub is_signed: bool,
    /// The click ids of the cookie that the edge has signed, the one that counts first, separated by
    /// spaces. They take precedence over one in the body.
    pub click_ids: &'a str,
    /// Does the forwarder deliver to `p.ashx`? It alone takes an event's id and an order.
    pub is_pixel: bool,
    /// The latest civil time that a conversion may have; `None` where nobody knows the time.
    pub latest: Option<&'a str>,
}

/// The content of a body.
#[derive(Debug)]
pub enum RequestBody {
    /// One conversion.
    One(Box<Event>),
    /// Several, each valid or refused by itself.
    Many(Vec<Result<Event>>),
}

/// A conversion that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(flatten)]
    params: Params,
    /// The event's id within the offer; `p.ashx` alone takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<u64>,
    /// The order, as a query; `p.ashx` alone takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
}

impl Event {
    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The event's id within the offer.
    #[must_use]
    pub(crate) fn event_id(&self) -> Option<u64> {
        self.event_id
    }

    /// The order, as a query.
    #[must_use]
    pub(crate) fn order(&self) -> Option<&str> {
        self.order.as_deref()
    }

    /// Reads a conversion. Refuses fields that the forwarder's route does not take.
    fn read_for(body: &str, caller: Caller<'_>) -> Result<Self> {
        let event = Self::read(body, caller)?;
        let date = event.params.conversion_date.as_deref();
        // CAKE would take it, and no report of today or of the month would show it. A clock that
        // is ahead, or a day and month in the wrong order, writes such a date.
        if date
            .zip(caller.latest.filter(|latest| clock::is_told_by_set(latest)))
            .is_some_and(|(date, latest)| date > latest)
        {
            return Err(field(
                "conversionDate",
                "must not lie in the future of the account's time zone",
            ));
        }
        if !caller.is_pixel {
            event.check_for_api()?;
        }
        Ok(event)
    }

    /// Refuses the fields that CAKE's API does not take.
    ///
    /// # Errors
    /// [`Error::InvalidField`].
    pub(super) fn check_for_api(&self) -> Result<()> {
        let rule = "is taken where the forwarder delivers to p.ashx (pixelDomain): CAKE's API has no such field";
        match (self.event_id, &self.order) {
            (Some(_), _) => Err(field("eventId", rule)),
            (None, Some(order)) => Err(field(commerce::first_field(order), rule)),
            (None, None) => Ok(()),
        }
    }

    /// The unique id; there is always one.
    #[must_use]
    pub fn unique_id(&self) -> &str {
        self.params.unique_id.as_deref().unwrap_or_default()
    }

    /// The ids that an answer has to match.
    #[must_use]
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked {
            click_id: &self.params.click_id,
            offer_id: self.params.offer_id,
            unique_id: self.params.unique_id.as_deref(),
        }
    }

    /// The key: account, offer and unique id. The click id alone is no key, since a click may
    /// convert more than once.
    #[must_use]
    pub(crate) fn key(&self, account: &str) -> String {
        key_of(account, self.params.offer_id, self.unique_id())
    }

    /// The claim of a page's conversion: its offer and its click, in whichever case of letters.
    #[must_use]
    pub(crate) fn claim(&self, account: &str) -> String {
        let click = click_key(&self.params.click_id);
        join_key(account, self.params.offer_id, '/', &click)
    }

    /// The canonical text: the fields in one order and spelling. It is stored, and is the
    /// fingerprint: two events of one key are the same where their texts are.
    ///
    /// # Errors
    /// [`Error::Internal`], which no caller's input can cause.
    pub fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|_| Error::Internal)
    }

    /// Reads a canonical text.
    ///
    /// # Errors
    /// Those of [`Params::read`].
    pub fn from_text(text: &str) -> Result<Self> {
        let (params, event_id, order) = Params::read_stored(text)?;
        Ok(Self {
            params,
            event_id,
            order,
        })
    }

    fn read(text: &str, caller: Caller<'_>) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(field("body", "has a conversion of more than 8 KB"));
        }
        let (mut params, event_id, order) = Params::read_with_order(text)?;
        params.payout = shortest("payout", params.payout.take())?;
        params.revenue = shortest("revenue", params.revenue.take())?;
        if !caller.is_signed {
            // A backend names the click itself. A page's address may have had the order's id under a click id's name.
            let own_ids = [&params.unique_id, &params.order_id].map(Option::as_deref);
            let own_ids = own_ids.map(Option::unwrap_or_default);
            let mut signed = caller.click_ids.split_ascii_whitespace();
            if let Some(click_id) = signed.find(|id| !is_own_id(id, &own_ids)) {
                click_id.clone_into(&mut params.click_id);
            } else if is_own_id(&params.click_id, &own_ids) {
                let rule = IdRule::Own;
                return Err(Error::InvalidClickId { rule });
            }
        }
        if params.click_id.is_empty() {
            let rule = IdRule::Absent;
            return Err(Error::InvalidClickId { rule });
        }
        crate::click_id::check(&params.click_id)?;
        let unique_id = params.unique_id.as_deref().unwrap_or_default();
        if unique_id.is_empty() {
            return Err(field(
                "uniqueId",
                "is missing: it keeps a conversion from counting twice",
            ));
        }
        if !caller.is_signed {
            for (name, is_there) in [
                ("payout", params.payout.is_some()),
                ("revenue", params.revenue.is_some()),
                ("conversionDate", params.conversion_date.is_some()),
                ("eventId", event_id.is_some()),
                (
                    order.as_deref().map_or("order", commerce::first_field),
                    order.is_some(),
                ),
            ] {
                if is_there {
                    return Err(field(name, "is taken from signed callers only"));
                }
            }
        }
        Ok(Self {
            params,
            event_id,
            order,
        })
    }
}

/// The key of a conversion: account, offer and unique id.
pub(crate) fn key_of(account: &str, offer_id: u64, unique_id: &str) -> String {
    join_key(account, offer_id, '|', unique_id)
}

/// Joins the parts by marks, which no id holds, so that no two keys read alike.
fn join_key(account: &str, offer_id: u64, mark: char, id: &str) -> String {
    let mut key = String::with_capacity(account.len() + id.len() + 18);
    key.push_str(account);
    key.push('|');
    push_number(&mut key, offer_id, 10);
    key.push(mark);
    key.push_str(id);
    key
}

/// Reads a body: one conversion as a JSON object, or `{"conversions": […]}` with 1 to 100
/// conversions. Unknown and repeated fields are refused.
///
/// # Errors
/// [`Error::InvalidField`]; for a single conversion, every error of [`Params::read`].
pub fn read(body: &str, caller: Caller<'_>) -> Result<RequestBody> {
    Ok(match several(body, "conversions")? {
        Several::No(body) => RequestBody::One(Box::new(Event::read_for(body, caller)?)),
        Several::Yes(list) => RequestBody::Many(
            list.iter()
                .map(|event| Event::read_for(event.json(), caller))
                .collect(),
        ),
    })
}

/// The form of a body.
pub(super) enum Several<'a> {
    /// A single object.
    No(&'a str),
    /// A list of 1 to [`MAX_BATCH`] objects.
    Yes(Vec<Value<'a>>),
}

/// Tells a single object from a list under a name.
///
/// # Errors
/// [`Error::InvalidField`] for a list that is not valid.
pub(super) fn several<'a>(body: &'a str, name: &str) -> Result<Several<'a>> {
    let body = body.trim_start_matches('\u{feff}');
    let list = Object::read(body).and_then(|fields| {
        let found = fields.entries().find(|(own, _)| *own == name);
        found.map(|(_, value)| (fields.entries().count(), value))
    });
    let Some((names, list)) = list else {
        return Ok(Several::No(body));
    };
    list.array()
        .filter(|list| names == 1 && (1..=MAX_BATCH).contains(&list.len()))
        .map(Several::Yes)
        .ok_or_else(|| {
            let rule = [
                "must be a list of 1 to 100 ",
                name,
                ", with nothing beside it",
            ];
            field(name, &rule.concat())
        })
}

/// Writes a value in its one spelling: `18.000` is `18.00`.
fn shortest(name: &'static str, amount: Option<String>) -> Result<Option<String>> {
    amount
        .map(|text| Ok(Money::parse(name, &text)?.shortest().to_string()))
        .transpose()
}

/// The order id in its one spelling, as `orderOf` of js/page/send.ts: shops print `#1001`, `1001` and `001001` for the
/// same order. `tests/vectors/order_ids.json` holds both.
fn order_key(order_id: &str) -> String {
    order_id
        .trim_start_matches(|mark: char| matches!(mark, '#' | '0') || mark.is_whitespace())
        .to_owned()
}

/// How two events of one key compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// They have the same content.
    Same,
    /// The new one adds money or a date to the stored one, which has none. A page's event may come
    /// before its backend's.
    AddsMoney,
    /// The stored one has money or a date that the new one lacks.
    LacksMoney,
    /// They have different content.
    Conflict,
}

impl Relation {
    /// Compares the canonical texts of two events of one key.
    ///
    /// # Errors
    /// Those of [`Event::from_text`].
    pub(crate) fn from_texts(stored: &str, given: &str) -> Result<Self> {
        if let (Some(stored), Some(given)) = (Correction::find(stored), Correction::find(given)) {
            return Ok(if stored? == given? {
                Self::Same
            } else {
                Self::Conflict
            });
        }
        let [stored, given] = [stored, given].map(Event::from_text);
        let (stored, given) = (stored?, given?);
        let money = |event: &Event| -> Result<_> {
            Ok((
                shortest("payout", event.params.payout.clone())?,
                shortest("revenue", event.params.revenue.clone())?,
                event.params.conversion_date.clone(),
                event.event_id,
                event.order.clone(),
            ))
        };
        let plain = |event: &Event| Params {
            click_id: click_key(&event.params.click_id),
            order_id: event.params.order_id.as_deref().map(order_key),
            payout: None,
            revenue: None,
            conversion_date: None,
            ..event.params.clone()
        };
        let none = (None, None, None, None, None);
        let (before, now) = (money(&stored)?, money(&given)?);
        Ok(if plain(&stored) != plain(&given) {
            Self::Conflict
        } else if before == now {
            Self::Same
        } else if before == none {
            Self::AddsMoney
        } else if now == none {
            Self::LacksMoney
        } else {
            Self::Conflict
        })
    }

    /// The word of the relation.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::AddsMoney => "adds_money",
            Self::LacksMoney => "lacks_money",
            Self::Conflict => "conflict",
        }
    }
}

pub(super) fn field(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests;
