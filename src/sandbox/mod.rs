//! A CAKE network's rules: what a click, a call of the API and a conversion do.
//!
//! The rules hold no rows. [`Lookup`] says which rows a request needs; the
//! caller loads them, asks for the decision, stores the rows it names and sends
//! the answer and the postbacks.

mod api;
mod click;
mod fixture;
mod postback;
mod row;
#[cfg(test)]
mod tests;

pub use api::{ApiAnswer, RecordPlan, Rows};
pub use click::ClickPlan;
pub use fixture::{Affiliate, Creative, Fixture, Offer, Postback};
pub use row::{ClickRow, ConversionRow};

use crate::url;
use crate::{Error, Result};
use serde::Serialize;

/// A network: its fixture and its API key.
#[derive(Debug)]
pub struct Network {
    fixture: Fixture,
    api_key: String,
}

/// Which rows a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lookup {
    /// `click_id` of the query.
    pub click_id: Option<String>,
    /// `unique_id` of the query.
    pub unique_id: Option<String>,
    /// `offer_id` of the query.
    pub offer_id: Option<u64>,
}

impl Network {
    /// Opens a network from its fixture's JSON.
    ///
    /// # Errors
    /// [`Error::InvalidFixture`], [`Error::MissingApiKey`].
    pub fn new(fixture: &str, api_key: &str) -> Result<Self> {
        if api_key.trim().is_empty() {
            return Err(Error::MissingApiKey);
        }
        Ok(Self {
            fixture: Fixture::read(fixture)?,
            api_key: api_key.to_owned(),
        })
    }

    /// Reads which rows the request at `url` needs.
    #[must_use]
    pub fn lookup(url: &str) -> Lookup {
        let query = Query(url::query_of(url));
        Lookup {
            click_id: query.text("click_id"),
            unique_id: query.text("unique_id"),
            offer_id: query.number("offer_id"),
        }
    }
}

/// The query of a request; of a repeated parameter the first counts.
#[derive(Clone, Copy)]
struct Query<'a>(&'a str);

impl Query<'_> {
    fn text(self, name: &str) -> Option<String> {
        url::pairs(self.0)
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    }

    fn number(self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}
