//! Tracking domains: `GET /api/1/get.asmx/TrackingDomains`, for
//! `listTrackingDomains`. No answer is recorded: the names of its elements are
//! *(inference)*, and several are read.

use super::read_page;
use super::row::{Field, Row};
use crate::Result;
use crate::api::list_tracking_domains::{NAMES, TrackingDomain};
use crate::api::page::Page;
use crate::api::params::{Params, field};
use crate::api::{Account, Answer, Request};

const PATH: &str = "1/get.asmx/TrackingDomains";

const LISTS: [(&str, &str); 2] = [
    ("tracking_domains", "tracking_domain"),
    ("domains", "domain"),
];

const FIELDS: &[Field] = &[
    ("", "tracking_domain_id"),
    ("", "domain_id"),
    ("", "domain"),
    ("", "domain_name"),
    ("", "tracking_domain_name"),
    ("", "domain_status"),
    ("", "is_default"),
    ("", "default"),
];

/// Builds the request. The service has no filters: all domains come.
///
/// # Errors
/// [`crate::Error::InvalidField`] for a parameter.
pub(crate) fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let rule = "is no filter of the older services, which list all domains: leave it out";
    if let Some(name) = NAMES.into_iter().find(|name| params.has(name)) {
        return Err(field(name, rule));
    }
    let mut request = account.get_older(PATH);
    request.parameter("domain_type", "all");
    Ok(request)
}

/// Reads the answer.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read(answer: &Answer<'_>) -> Result<Page<TrackingDomain>> {
    read_page(answer, &LISTS, FIELDS, domain)
}

fn domain(row: &Row<'_>) -> TrackingDomain {
    let text = |names: &[&str]| names.iter().find_map(|name| row.text("", name));
    TrackingDomain {
        tracking_domain_id: row
            .id("", "tracking_domain_id")
            .or_else(|| row.id("", "domain_id")),
        domain: text(&["domain", "domain_name", "tracking_domain_name"]),
        domain_status: text(&["domain_status"]),
        is_default: ["is_default", "default"]
            .iter()
            .find_map(|name| row.flag(name)),
    }
}
