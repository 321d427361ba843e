//! Get Tracking Domains: `GET /api/2/tracking_domains.json`.

use super::Network;
use super::plan::{Decided, HttpAnswer, IncomingRequest, Plan};
use super::query::Query;
use crate::url;
use serde::Serialize;

#[derive(Serialize)]
struct Envelope<'a> {
    request_status: &'static str,
    tracking_domains: Vec<Domain<'a>>,
}

#[derive(Serialize)]
struct Domain<'a> {
    tracking_domain_id: u64,
    domain: &'a str,
    domain_status: &'static str,
    is_default: bool,
}

impl Network {
    pub(super) fn get_tracking_domains(&self, call: &IncomingRequest) -> Decided<Plan> {
        let query = Query(url::query_of(&call.url));
        self.open(call, "GET", query.text("api_key").as_deref())?;
        let id = self.optional(query, "tracking_domain_id")?;
        let status = query.text("domain_status");
        if status
            .as_deref()
            .is_some_and(|word| !["active", "inactive"].contains(&word))
        {
            return self.refuse("Invalid domain_status");
        }
        let tracking_domains = self
            .fixture
            .tracking_domains
            .iter()
            .filter(|domain| id.is_none_or(|id| id == domain.tracking_domain_id))
            .filter(|domain| {
                status
                    .as_deref()
                    .is_none_or(|word| word == domain.domain_status.word())
            })
            .map(|domain| Domain {
                tracking_domain_id: domain.tracking_domain_id,
                domain: &domain.domain,
                domain_status: domain.domain_status.word(),
                is_default: domain.is_default,
            })
            .collect();
        Ok(HttpAnswer::json(&Envelope {
            request_status: "Success",
            tracking_domains,
        })
        .into())
    }
}
