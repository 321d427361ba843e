//! A CAKE network's rules: what a click, a call of the API, a pixel and a move
//! by hand do. No clock, no randomness, no storage, no network.
//!
//! A decision is made in steps: [`Network::decide`] either names the rows that
//! it needs, which the caller loads and hands in with the same request, or
//! returns the plan: the rows to store, the answer, the postbacks to send.

#![allow(
    clippy::struct_field_names,
    reason = "fields are the wire's names and the tables' columns"
)]

pub mod access;
mod api;
mod click;
mod create_postback;
pub mod fault;
pub mod fixture;
mod get_click;
mod get_conversions;
pub mod history;
pub mod outbound;
mod payout;
mod pixel;
mod plan;
mod postback;
mod random;
mod record_conversion;
mod row;
pub mod settings;
mod status;
#[cfg(test)]
mod tests;
mod tracking_domains;

pub use fixture::Fixture;
pub use payout::{Balance, Sum};
pub use plan::{
    Answer, Call, ClickFilter, ConversionFilter, Need, Numbers, Page, Plan, Rows, Step, Write,
};
pub use row::{ClickRow, ConversionRow, FiredRow, PostbackRow};
pub use settings::Settings;

use crate::url;
use crate::{Error, Result};
use fault::{Fault, FaultRule, Faults};
use plan::Stop;
use serde::{Deserialize, Serialize};

/// A network: its fixture, its settings, its API key and the faults in force.
#[derive(Debug)]
pub struct Network {
    fixture: Fixture,
    settings: Settings,
    api_key: String,
    allowed_hosts: Vec<String>,
    faults: Faults,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A tracking link: `/`.
    Click,
    /// A pixel: `/p.ashx`.
    Pixel,
    /// `/api/2/click.json`.
    GetClick,
    /// `/api/2/conversion.json`.
    RecordConversion,
    /// `/api/2/conversions.json`.
    GetConversions,
    /// `/api/2/affiliate_postback.json`.
    CreatePostback,
    /// `/api/2/tracking_domains.json`.
    GetTrackingDomains,
}

impl Action {
    /// The action at a path.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Click),
            "/p.ashx" => Some(Self::Pixel),
            "/api/2/click.json" => Some(Self::GetClick),
            "/api/2/conversion.json" => Some(Self::RecordConversion),
            "/api/2/conversions.json" => Some(Self::GetConversions),
            "/api/2/affiliate_postback.json" => Some(Self::CreatePostback),
            "/api/2/tracking_domains.json" => Some(Self::GetTrackingDomains),
            _ => None,
        }
    }

    fn is_of_api(self) -> bool {
        !matches!(self, Self::Click | Self::Pixel)
    }
}

/// Where conversions are moved by hand.
const MOVES: &str = "/__sandbox/conversions/";

impl Network {
    /// Opens a network from its fixture's JSON. `allowed_hosts` are the hosts
    /// that postbacks may go to; none: [`outbound::LOOPBACK`].
    ///
    /// # Errors
    /// [`Error::InvalidFixture`], [`Error::MissingApiKey`].
    pub fn new(fixture: &str, api_key: &str, allowed_hosts: &[String]) -> Result<Self> {
        if api_key.trim().is_empty() {
            return Err(Error::MissingApiKey);
        }
        let fixture = Fixture::read(fixture)?;
        Ok(Self {
            settings: fixture.settings.clone(),
            fixture,
            api_key: api_key.to_owned(),
            allowed_hosts: if allowed_hosts.is_empty() {
                outbound::LOOPBACK.map(str::to_owned).to_vec()
            } else {
                allowed_hosts.to_vec()
            },
            faults: Faults::default(),
        })
    }

    /// Decides on a request, with the rows that were loaded for it so far.
    #[must_use]
    pub fn decide(&self, call: &Call, rows: &Rows) -> Step {
        let path = outbound::origin_of(&call.url)
            .and_then(|origin| call.url.strip_prefix(origin))
            .unwrap_or(&call.url);
        let path = path
            .find(['?', '#'])
            .and_then(|end| path.get(..end))
            .unwrap_or(path);
        let decided = match Action::at(if path.is_empty() { "/" } else { path }) {
            Some(Action::Click) => Ok(self.click(call)),
            Some(Action::Pixel) => self.pixel(call, rows),
            Some(Action::GetClick) => self.get_click(call, rows),
            Some(Action::RecordConversion) => self.record_conversion(call, rows),
            Some(Action::GetConversions) => self.get_conversions(call, rows),
            Some(Action::CreatePostback) => self.create_postback(call),
            Some(Action::GetTrackingDomains) => self.get_tracking_domains(call),
            None => match path.strip_prefix(MOVES) {
                Some(rest) => self.move_status(call, rest, rows),
                None => Ok(Answer::text(404, "Not found").into()),
            },
        };
        match decided {
            Ok(plan) => Step::Plan(plan),
            Err(Stop::Need(need)) => Step::Need(*need),
            Err(Stop::Say(answer)) => Step::Plan(answer.into()),
        }
    }

    /// What goes wrong with the next call of `action`, if anything does. `roll`
    /// is random, from 0 to below 1.
    pub fn strike(&mut self, action: Action, roll: f64) -> Option<Fault> {
        self.faults.strike(action, roll)
    }

    /// Are there any rules for faults?
    #[must_use]
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The rules for faults that are in force.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultRule> {
        self.faults.rules()
    }

    /// Puts rules for faults, a JSON array, in place of those in force.
    ///
    /// # Errors
    /// [`Error::InvalidFixture`].
    pub fn set_faults(&mut self, json: &str) -> Result<()> {
        self.faults = Faults::read(json)?;
        Ok(())
    }

    /// The fixture that the network was opened with.
    #[must_use]
    pub fn fixture(&self) -> &Fixture {
        &self.fixture
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes settings: those of a JSON object, the others stay.
    ///
    /// # Errors
    /// [`Error::InvalidFixture`].
    pub fn set_settings(&mut self, json: &str) -> Result<()> {
        self.settings = self.settings.patched(json)?;
        Ok(())
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
