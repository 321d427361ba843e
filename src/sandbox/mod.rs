//! The rules of a CAKE network: the effects of a click, an API call, a pixel and a status change by
//! hand. The module has no clock, no randomness, no storage and no network.
//!
//! A decision is made in steps. [`Network::decide`] may return the rows that it needs; the caller
//! loads them and repeats the same request with them. Otherwise it returns the plan: the rows to
//! store, the answer, the postbacks to send.

#![allow(
    clippy::struct_field_names,
    reason = "fields are the wire's names and the tables' columns"
)]

pub(crate) mod access;
mod action;
pub(crate) mod address;
mod api;
mod click;
mod conversion_report;
mod create_postback;
mod dress;
pub(crate) mod fault;
pub(crate) mod fixture;
mod get_click;
mod get_conversions;
pub(crate) mod history;
mod json;
mod older;
mod payout;
mod pixel;
mod plan;
mod postback;
mod query;
mod random;
mod rate;
mod record_conversion;
mod row;
pub(crate) mod settings;
pub(crate) mod status;
#[cfg(test)]
mod tests;
mod tracking_domains;

pub(crate) use action::Action;
pub(crate) use fixture::Fixture;
pub(crate) use payout::{Balance, Sum, owed};
pub(crate) use plan::{HttpAnswer, IncomingRequest, Numbers, Rows, Step};
pub(crate) use row::{ClickRow, ConversionRow, FiredRow};
pub(crate) use settings::Settings;

use crate::{Error, Result};
use fault::{Fault, FaultRule, Faults};
use plan::Stop;

/// A network: its fixture, its settings, its API key and its fault rules.
#[derive(Debug)]
pub(crate) struct Network {
    fixture: Fixture,
    settings: Settings,
    api_key: String,
    allowed_hosts: Vec<String>,
    faults: Faults,
}

/// The path for status changes by hand.
const MOVES: &str = "/__sandbox/conversions/";

impl Network {
    /// Opens a network from its fixture's JSON. `allowed_hosts` is the allow-list for postbacks; an
    /// empty one means [`address::LOOPBACK`].
    ///
    /// # Errors
    /// [`Error::InvalidFixture`], [`Error::MissingApiKey`].
    pub(crate) fn new(fixture: &str, api_key: &str, allowed_hosts: &[String]) -> Result<Self> {
        let api_key = crate::secret::trimmed(api_key);
        if api_key.is_empty() {
            return Err(Error::MissingApiKey);
        }
        let fixture = Fixture::read(fixture)?;
        Ok(Self {
            settings: fixture.settings.clone(),
            fixture,
            api_key: api_key.to_owned(),
            allowed_hosts: if allowed_hosts.is_empty() {
                address::LOOPBACK.map(str::to_owned).to_vec()
            } else {
                allowed_hosts.to_vec()
            },
            faults: Faults::default(),
        })
    }

    /// Decides on a request, with the rows that are loaded so far.
    #[must_use]
    pub(crate) fn decide(&self, call: &IncomingRequest, rows: &Rows) -> Step {
        let path = address::origin_of(&call.url)
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
            Some(Action::ConversionReport) => self.conversion_report(call, rows),
            Some(Action::CreatePostback) => self.create_postback(call),
            Some(Action::GetTrackingDomains) => self.get_tracking_domains(call),
            Some(_) => match older::Method::at(path) {
                Some(method) => self.older(call, method, rows),
                None => Ok(HttpAnswer::text(404, "Not found").into()),
            },
            None => match path.strip_prefix(MOVES) {
                Some(rest) => self.move_status(call, rest, rows),
                None => Ok(HttpAnswer::text(404, "Not found").into()),
            },
        };
        match decided {
            Ok(mut plan) => {
                let settings = &self.settings;
                if path.starts_with("/api/") {
                    dress::put_on(&mut plan.answer, &settings.dress, settings.offset());
                }
                Step::Plan(plan)
            }
            Err(Stop::Need(need)) => Step::Need(*need),
            Err(Stop::Say(answer)) => Step::Plan(answer.into()),
        }
    }

    /// The fault of the next call of `action`, if any. `random` is from 0 to below 1.
    pub(crate) fn next_fault(&mut self, action: Action, random: f64) -> Option<Fault> {
        self.faults.next_fault(action, random)
    }

    /// Are any fault rules active?
    #[must_use]
    pub(crate) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The active fault rules.
    #[must_use]
    pub(crate) fn faults(&self) -> Vec<FaultRule> {
        self.faults.rules()
    }

    /// Replaces the fault rules with a JSON array of rules.
    ///
    /// # Errors
    /// [`Error::InvalidFixture`].
    pub(crate) fn set_faults(&mut self, json: &str) -> Result<()> {
        self.faults = Faults::read(json)?;
        Ok(())
    }

    /// The fixture of the network.
    #[must_use]
    pub(crate) fn fixture(&self) -> &Fixture {
        &self.fixture
    }

    /// The current settings.
    #[must_use]
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the settings that a JSON object has; the others stay.
    ///
    /// # Errors
    /// [`Error::InvalidFixture`].
    pub(crate) fn set_settings(&mut self, json: &str) -> Result<()> {
        self.settings = self.settings.patched(json)?;
        Ok(())
    }
}
