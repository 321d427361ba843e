//! Get Tracking Domains: `GET /api/2/tracking_domains.json`.

use super::answer::record::{list_holder, page};
use super::page::Page;
use super::params::Params;
use super::{Account, Answer, Request};
use crate::Result;
use serde::Serialize;

/// The filters.
pub(super) const NAMES: [&str; 2] = ["trackingDomainId", "domainStatus"];

/// A branded domain of the network. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackingDomain {
    /// CAKE's id of the domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_domain_id: Option<u64>,
    /// The host name, such as `track.yournetwork.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    /// `active`, `inactive` or a word that CAKE adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_status: Option<String>,
    /// Is it the default domain of links? Absent where the account does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_default: Option<bool>,
}

impl TrackingDomain {
    /// The domain's name for a sentence.
    pub(super) fn shown(&self) -> &str {
        self.domain.as_deref().unwrap_or("a domain without a name")
    }

    /// Does CAKE say that it is in use?
    #[must_use]
    pub(crate) fn is_active(&self) -> bool {
        self.domain_status
            .as_deref()
            .is_none_or(|status| status.eq_ignore_ascii_case("active"))
    }
}

/// Builds the request from the parameters' JSON, in the order of CAKE's article.
///
/// # Errors
/// [`crate::Error::InvalidField`], [`crate::Error::InvalidId`].
pub(crate) fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let mut request = account.get("tracking_domains.json");
    request.number("tracking_domain_id", params.id("trackingDomainId")?);
    let status = params.word(
        "domainStatus",
        &["active", "inactive"],
        "must be active or inactive",
    )?;
    request.optional("domain_status", status.as_deref());
    Ok(request)
}

/// Reads the answer.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read(answer: &Answer<'_>) -> Result<Page<TrackingDomain>> {
    let holder = list_holder(answer, "tracking_domains")?;
    let names = ["tracking_domains", "tracking_domain"];
    page(answer, &holder, names, |row| TrackingDomain {
        tracking_domain_id: row.id("tracking_domain_id"),
        domain: row.text("domain").filter(|domain| !domain.is_empty()),
        domain_status: row.text("domain_status"),
        is_default: row.flag("is_default"),
    })
}
