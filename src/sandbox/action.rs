//! The route of a network that a request asks for.

use super::older::Method;
use serde::{Deserialize, Serialize};

/// The action that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
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
    /// `/api/2/report/conversion.json`.
    ConversionReport,
    /// `/api/2/affiliate_postback.json`.
    CreatePostback,
    /// `/api/2/tracking_domains.json`.
    GetTrackingDomains,
    /// `/api/12/reports.asmx/Clicks`; the actions from here on belong to the older services.
    Clicks,
    /// `/api/17/reports.asmx/EventConversions`.
    EventConversions,
    /// `/api/17/reports.asmx/EventConversionChanges`.
    EventConversionChanges,
    /// `/api/6/track.asmx/UpdateConversionEvents`.
    UpdateConversionEvents,
    /// `/api/1/get.asmx/TrackingDomains`.
    TrackingDomains,
}

impl Action {
    /// The action at a path.
    #[must_use]
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Click),
            "/p.ashx" => Some(Self::Pixel),
            "/api/2/click.json" => Some(Self::GetClick),
            "/api/2/conversion.json" => Some(Self::RecordConversion),
            "/api/2/conversions.json" => Some(Self::GetConversions),
            "/api/2/report/conversion.json" => Some(Self::ConversionReport),
            "/api/2/affiliate_postback.json" => Some(Self::CreatePostback),
            "/api/2/tracking_domains.json" => Some(Self::GetTrackingDomains),
            path => Method::at(path).map(|method| method.action),
        }
    }

    /// Does the action belong to an older service?
    pub(super) fn is_older(self) -> bool {
        matches!(
            self,
            Self::Clicks
                | Self::EventConversions
                | Self::EventConversionChanges
                | Self::UpdateConversionEvents
                | Self::TrackingDomains
        )
    }

    pub(super) fn is_of_api(self) -> bool {
        !matches!(self, Self::Click | Self::Pixel)
    }
}
