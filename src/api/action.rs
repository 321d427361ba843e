//! The API's actions by name: from parameters to a call, from an answer to its
//! outcome.

use super::call::{Call, Outcome, Repeat};
use super::{
    Account, Answer, create_postback, get_click, list_clicks, list_conversions,
    list_tracking_domains, record_conversion,
};
use crate::{Error, Result};

/// What may be asked of CAKE. Get Click is two, because its `click_id` takes
/// priority over every filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Get Click by click id: `{ clickId }`.
    GetClick,
    /// Get Click by filters.
    ListClicks,
    /// Record Conversion, a write.
    RecordConversion,
    /// Get Conversions.
    ListConversions,
    /// Create Postback, a write.
    CreatePostback,
    /// Get Tracking Domains.
    ListTrackingDomains,
}

/// How a call may go about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often a request may be sent again. 2 by default.
    pub retries: u32,
    /// Is Get Click asked before a conversion is sent again? By default, yes.
    /// Where not, CAKE's own deduplication is trusted.
    pub verifies: bool,
    /// Are writes refused? By default, no.
    pub is_read_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retries: 2,
            verifies: true,
            is_read_only: false,
        }
    }
}

impl Action {
    /// The action of this name: `getClick`, `listClicks`, `recordConversion`,
    /// `listConversions`, `createPostback` or `listTrackingDomains`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "getClick" => Self::GetClick,
            "listClicks" => Self::ListClicks,
            "recordConversion" => Self::RecordConversion,
            "listConversions" => Self::ListConversions,
            "createPostback" => Self::CreatePostback,
            "listTrackingDomains" => Self::ListTrackingDomains,
            _ => return None,
        })
    }

    /// Checks `params`, a JSON object in camelCase, and plans the call.
    ///
    /// # Errors
    /// Those of the action's `request`; [`Error::ReadOnly`].
    pub fn call(self, account: &Account, params: &str, settings: Settings) -> Result<Call> {
        let is_write = matches!(self, Self::RecordConversion | Self::CreatePostback);
        if is_write && settings.is_read_only {
            return Err(Error::ReadOnly);
        }
        let mut click_id = String::new();
        let mut repeat = Repeat::Freely;
        let request = match self {
            Self::GetClick => {
                click_id = get_click::click_id_of(params)?;
                get_click::request(account, &click_id)?
            }
            Self::ListClicks => list_clicks::request(account, params)?,
            Self::RecordConversion => {
                let params = record_conversion::Params::read(params)?;
                let request = record_conversion::request(account, &params);
                repeat = match params.unique_id {
                    None => Repeat::Never,
                    Some(_) => Repeat::KnownById {
                        get_click: get_click::request(account, &params.click_id)?,
                        asks_first: settings.verifies,
                    },
                };
                click_id = params.click_id;
                request
            }
            Self::ListConversions => list_conversions::request(account, params)?,
            Self::CreatePostback => {
                repeat = Repeat::Never;
                create_postback::request(account, params)?
            }
            Self::ListTrackingDomains => list_tracking_domains::request(account, params)?,
        };
        Ok(Call::new(self, request, click_id, repeat, settings.retries))
    }

    /// The most bytes of an answer that are read: lists hold up to 10,000 rows.
    #[must_use]
    pub fn body_limit(self) -> u32 {
        match self {
            Self::ListClicks | Self::ListConversions => 16 << 20,
            Self::ListTrackingDomains => 1 << 20,
            Self::GetClick | Self::RecordConversion | Self::CreatePostback => 64 << 10,
        }
    }

    pub(super) fn read(self, answer: &Answer<'_>, click_id: &str) -> Result<Outcome> {
        Ok(match self {
            Self::GetClick => Outcome::Click(get_click::read(answer, click_id)?),
            Self::ListClicks => Outcome::Clicks(list_clicks::read(answer)?),
            Self::RecordConversion => Outcome::Conversion(record_conversion::read(answer)?),
            Self::ListConversions => Outcome::Conversions(list_conversions::read(answer)?),
            Self::CreatePostback => Outcome::Postback(create_postback::read(answer)?),
            Self::ListTrackingDomains => {
                Outcome::TrackingDomains(list_tracking_domains::read(answer)?)
            }
        })
    }
}
