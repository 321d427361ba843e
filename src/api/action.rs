//! The API's actions by name: from parameters to a call, from an answer to its
//! outcome.

use super::call::{Call, CallOutcome, Idempotency, Lookup, Subject};
use super::certainty::of_read;
use super::older::{self, clicks, correction, event_conversions};
use super::{
    Account, Answer, conversion_report, create_postback, get_click, list_clicks, list_conversions,
    list_tracking_domains, record_conversion,
};
use crate::{Error, Result};

/// The requests that CAKE takes. Get Click has two variants, because its `click_id` takes priority
/// over every filter.
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
    /// The conversion report.
    ListConversionReport,
    /// Create Postback, a write.
    CreatePostback,
    /// Get Tracking Domains.
    ListTrackingDomains,
    /// The changes of conversions, by the older services.
    ListConversionChanges,
    /// A correction of a conversion by the older services, a write.
    CorrectConversion,
}

/// The generation of CAKE's services, for a call that both have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Services {
    /// `/api/2/….json`, the article's.
    #[default]
    Young,
    /// `/api/VERSION/….asmx`, which most accounts use.
    Older,
}

/// The settings of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSettings {
    /// The most retries of a request. 2 by default.
    pub retries: u32,
    /// Is Get Click asked before a conversion is sent again? By default, yes. If not, CAKE's own
    /// deduplication is trusted.
    pub verifies: bool,
    /// The time in UTC, in milliseconds since 1970, if the conversion report is asked for the
    /// unique id in place of Get Click. A conversion without a date is looked for in the days
    /// around this time.
    pub report_at_ms: Option<u64>,
    /// Are writes refused? By default, no.
    pub is_read_only: bool,
    /// The services for lists that both generations have. The young ones by default.
    pub services: Services,
    /// The time in UTC, in milliseconds since 1970. The outcome of a correction is looked for in
    /// the changes since the day before.
    pub now_ms: u64,
    /// How long one request may take, in milliseconds. By default, 15,000.
    pub timeout_ms: u32,
    /// Is a correction only checked, and nothing sent? By default, no.
    pub is_dry_run: bool,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            retries: 2,
            verifies: true,
            report_at_ms: None,
            is_read_only: false,
            services: Services::Young,
            now_ms: 0,
            timeout_ms: 15_000,
            is_dry_run: false,
        }
    }
}

impl Action {
    /// The action of this name: `getClick`, `listClicks`, `recordConversion`,
    /// `listConversions`, `listConversionReport`, `createPostback`, `listTrackingDomains`,
    /// `listConversionChanges` or `correctConversion`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "getClick" => Self::GetClick,
            "listClicks" => Self::ListClicks,
            "recordConversion" => Self::RecordConversion,
            "listConversions" => Self::ListConversions,
            "listConversionReport" => Self::ListConversionReport,
            "createPostback" => Self::CreatePostback,
            "listTrackingDomains" => Self::ListTrackingDomains,
            "listConversionChanges" => Self::ListConversionChanges,
            "correctConversion" => Self::CorrectConversion,
            _ => return None,
        })
    }

    /// Checks `params`, a JSON object in camelCase, and plans the call.
    ///
    /// # Errors
    /// Those of the action's `request`; [`Error::ReadOnly`].
    pub fn call(self, account: &Account, params: &str, settings: CallSettings) -> Result<Call> {
        if self.is_write() && settings.is_read_only && !settings.is_dry_run {
            return Err(Error::ReadOnly);
        }
        let mut subject = Subject::default();
        let mut idempotency = Idempotency::Safe;
        let services = self.services(settings.services);
        let is_older = services == Services::Older;
        let request = match self {
            Self::ListClicks if is_older => clicks::request(account, params)?,
            Self::ListConversions if is_older => event_conversions::request(account, params)?,
            Self::ListTrackingDomains if is_older => {
                older::tracking_domains::request(account, params)?
            }
            Self::ListConversionChanges => event_conversions::changes_request(account, params)?,
            Self::CorrectConversion => {
                let (request, checked) = correction::request(account, params)?;
                idempotency = Idempotency::Keyed {
                    lookup: Some(Lookup::Changes(checked.changes(account, settings.now_ms))),
                    is_sent_once: checked.adds(),
                };
                subject.correction = Some(checked);
                request
            }
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
                        lookup: match settings.report_at_ms {
                            _ if !settings.verifies => None,
                            None => {
                                let request = get_click::request(account, &params.click_id)?;
                                Some(Lookup::Click(request))
                            }
                            Some(now_ms) => {
                                Some(Lookup::Report(conversion_report::request_around(
                                    account,
                                    params.offer_id,
                                    params.conversion_date.as_deref(),
                                    now_ms,
                                )?))
                            }
                        },
                        is_sent_once: false,
                    },
                };
                subject = Subject {
                    click_id: params.click_id,
                    offer_id: params.offer_id,
                    unique_id: params.unique_id,
                    ..Subject::default()
                };
                request
            }
            Self::ListConversions => list_conversions::request(account, params)?,
            Self::ListConversionReport => conversion_report::request(account, params)?,
            Self::CreatePostback => {
                idempotency = Idempotency::None;
                let (request, checked) = create_postback::request(account, params)?;
                subject.postback = checked;
                request
            }
            Self::ListTrackingDomains => list_tracking_domains::request(account, params)?,
        };
        Ok(Call::new(self, request, subject, idempotency, settings))
    }

    /// The services that the call goes to, where the account's option is `chosen`. Some calls exist
    /// in one generation only.
    #[must_use]
    pub(crate) fn services(self, chosen: Services) -> Services {
        match self {
            Self::ListConversionChanges | Self::CorrectConversion => Services::Older,
            Self::ListClicks | Self::ListConversions | Self::ListTrackingDomains => chosen,
            Self::GetClick
            | Self::RecordConversion
            | Self::ListConversionReport
            | Self::CreatePostback => Services::Young,
        }
    }

    /// The most bytes of an answer that are read: lists hold up to 10,000 rows.
    #[must_use]
    pub(crate) fn body_limit(self, services: Services) -> u32 {
        match self {
            Self::ListClicks | Self::ListConversions | Self::ListConversionChanges
                if services == Services::Older =>
            {
                older::BODY_LIMIT
            }
            Self::ListClicks | Self::ListConversions => 16 << 20,
            Self::ListConversionReport => conversion_report::BODY_LIMIT,
            Self::ListConversionChanges => older::BODY_LIMIT,
            Self::ListTrackingDomains => 1 << 20,
            Self::GetClick
            | Self::RecordConversion
            | Self::CreatePostback
            | Self::CorrectConversion => 64 << 10,
        }
    }

    pub(super) fn read(
        self,
        answer: &Answer<'_>,
        subject: &Subject,
        services: Services,
    ) -> Result<CallOutcome> {
        let read = self.read_answer(answer, subject, services);
        if self.is_write() {
            read
        } else {
            read.map_err(of_read)
        }
    }

    fn is_write(self) -> bool {
        matches!(
            self,
            Self::RecordConversion | Self::CreatePostback | Self::CorrectConversion
        )
    }

    fn read_answer(
        self,
        answer: &Answer<'_>,
        subject: &Subject,
        services: Services,
    ) -> Result<CallOutcome> {
        let is_older = services == Services::Older;
        Ok(match self {
            Self::ListClicks if is_older => CallOutcome::Clicks(clicks::read(answer)?),
            Self::ListConversions if is_older => {
                CallOutcome::Conversions(event_conversions::read(answer)?)
            }
            Self::ListTrackingDomains if is_older => {
                CallOutcome::TrackingDomains(older::tracking_domains::read(answer)?)
            }
            Self::ListConversionChanges => {
                CallOutcome::Conversions(event_conversions::read(answer)?)
            }
            Self::CorrectConversion => {
                let checked = subject.correction.as_ref().ok_or(Error::Internal)?;
                CallOutcome::Correction(correction::read(answer, checked)?)
            }
            Self::GetClick => CallOutcome::Click(get_click::read(answer, &subject.click_id)?),
            Self::ListClicks => CallOutcome::Clicks(list_clicks::read(answer)?),
            Self::RecordConversion => {
                CallOutcome::Conversion(record_conversion::read_for(answer, subject.asked())?)
            }
            Self::ListConversions => CallOutcome::Conversions(list_conversions::read(answer)?),
            Self::ListConversionReport => CallOutcome::Report(conversion_report::read(answer)?),
            Self::CreatePostback => {
                CallOutcome::Postback(create_postback::read_for(answer, &subject.postback)?)
            }
            Self::ListTrackingDomains => {
                CallOutcome::TrackingDomains(list_tracking_domains::read(answer)?)
            }
        })
    }
}
