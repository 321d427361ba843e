//! The API's actions by name: from parameters to a call, from an answer to its
//! outcome.

use super::call::{Call, CallOutcome, Idempotency, Subject};
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
pub struct CallSettings {
    /// How often a request may be sent again. 2 by default.
    pub retries: u32,
    /// Is Get Click asked before a conversion is sent again? By default, yes.
    /// Where not, CAKE's own deduplication is trusted.
    pub verifies: bool,
    /// Are writes refused? By default, no.
    pub is_read_only: bool,
}

impl Default for CallSettings {
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
    pub fn from_name(name: &str) -> Option<Self> {
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
    pub fn call(self, account: &Account, params: &str, settings: CallSettings) -> Result<Call> {
        let is_write = matches!(self, Self::RecordConversion | Self::CreatePostback);
        if is_write && settings.is_read_only {
            return Err(Error::ReadOnly);
        }
        let mut subject = Subject::default();
        let mut idempotency = Idempotency::Safe;
        let request = match self {
            Self::GetClick => {
                subject.click_id = get_click::click_id_of(params)?;
                get_click::request(account, &subject.click_id)?
            }
            Self::ListClicks => list_clicks::request(account, params)?,
            Self::RecordConversion => {
                let params = record_conversion::Params::read(params)?;
                let request = record_conversion::request(account, &params);
                idempotency = match &params.unique_id {
                    None => Idempotency::None,
                    Some(_) => Idempotency::Keyed {
                        get_click: get_click::request(account, &params.click_id)?,
                        verify_first: settings.verifies,
                    },
                };
                subject = Subject {
                    click_id: params.click_id,
                    offer_id: params.offer_id,
                    unique_id: params.unique_id,
                };
                request
            }
            Self::ListConversions => list_conversions::request(account, params)?,
            Self::CreatePostback => {
                idempotency = Idempotency::None;
                create_postback::request(account, params)?
            }
            Self::ListTrackingDomains => list_tracking_domains::request(account, params)?,
        };
        Ok(Call::new(
            self,
            request,
            subject,
            idempotency,
            settings.retries,
        ))
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

    pub(super) fn read(self, answer: &Answer<'_>, subject: &Subject) -> Result<CallOutcome> {
        Ok(match self {
            Self::GetClick => CallOutcome::Click(get_click::read(answer, &subject.click_id)?),
            Self::ListClicks => CallOutcome::Clicks(list_clicks::read(answer)?),
            Self::RecordConversion => CallOutcome::Conversion(record_conversion::read_for(
                answer,
                subject.unique_id.as_deref(),
            )?),
            Self::ListConversions => CallOutcome::Conversions(list_conversions::read(answer)?),
            Self::CreatePostback => CallOutcome::Postback(create_postback::read(answer)?),
            Self::ListTrackingDomains => {
                CallOutcome::TrackingDomains(list_tracking_domains::read(answer)?)
            }
        })
    }
}
