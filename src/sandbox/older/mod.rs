//! The older services, `/api/VERSION/SERVICE.asmx/METHOD`, over the same rows as the newer API. They answer as
//! ASP.NET does: GET requires every parameter, SOAP allows missing ones, JSON comes in `{"d":…}`.
//!
//! Recorded answers give the elements and their order. Names without a recording (the root of a plain GET, a
//! disposition, a tracking domain) are *(inference)*.

mod answer;
mod clicks;
mod event_conversions;
mod parameters;
mod update;

use super::plan::{Decided, HttpAnswer, IncomingRequest, Plan, Rows, Stop};
use super::{Action, Network};
use answer::{Form, Node, group, named, raw, rows, text};
use parameters::{Asked, Kind, Parameter};

/// A method of a service, in one of its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) action: Action,
    version: u16,
}

impl Method {
    /// The method at a path, if the version has the parameters of the documented one.
    pub(super) fn at(path: &str) -> Option<Self> {
        let (version, method) = path.strip_prefix("/api/")?.split_once('/')?;
        let version = version.parse().ok()?;
        let (action, versions): (_, &[u16]) = match method {
            "reports.asmx/Clicks" => (Action::Clicks, &[11, 12]),
            "reports.asmx/EventConversions" => (Action::EventConversions, &[17, 18]),
            "reports.asmx/EventConversionChanges" => (Action::EventConversionChanges, &[17, 18]),
            "track.asmx/UpdateConversionEvents" => (Action::UpdateConversionEvents, &[6]),
            "get.asmx/TrackingDomains" => (Action::TrackingDomains, &[1]),
            _ => return None,
        };
        versions
            .contains(&version)
            .then_some(Self { action, version })
    }

    /// Its name in SOAP.
    fn name(self) -> &'static str {
        match self.action {
            Action::Clicks => "Clicks",
            Action::EventConversions => "EventConversions",
            Action::EventConversionChanges => "EventConversionChanges",
            Action::UpdateConversionEvents => "UpdateConversionEvents",
            _ => "TrackingDomains",
        }
    }

    fn parameters(self) -> &'static [Parameter] {
        match self.action {
            Action::Clicks => clicks::PARAMETERS,
            Action::EventConversions => event_conversions::PARAMETERS,
            Action::EventConversionChanges => event_conversions::CHANGES_PARAMETERS,
            Action::UpdateConversionEvents => update::PARAMETERS,
            _ => TRACKING_DOMAINS,
        }
    }
}

const TRACKING_DOMAINS: &[Parameter] = &[("domain_type", Kind::Text)];

/// A call of a service: its parameters, and the form of its answer.
struct Call<'a> {
    method: Method,
    form: Form,
    asked: Asked,
    request: &'a IncomingRequest,
}

impl Call<'_> {
    /// The answer of a successful call.
    fn answer(&self, nodes: Vec<Node>) -> HttpAnswer {
        let mut all = vec![raw("success", true)];
        all.extend(nodes);
        answer::render(self.method, self.form, &all)
    }

    /// A failure, with status 200, as recorded.
    fn refuse<T>(&self, message: &str, has_rows: bool) -> Decided<T> {
        let mut nodes = vec![raw("success", false), text("message", message)];
        if has_rows {
            nodes.push(raw("row_count", 0));
        }
        Err(Stop::Say(answer::render(self.method, self.form, &nodes)))
    }

    /// The page of rows, as offset and limit. In `start_at_row`, 0 and 1 are the first row; in `row_limit`, 0 is all rows.
    fn page_range(&self) -> (u64, u64) {
        let limit = self.asked.id("row_limit").unwrap_or(100_000);
        let start = self.asked.id("start_at_row").unwrap_or(0);
        (start.saturating_sub(1), limit)
    }
}

impl Network {
    /// Answers a call of an older service.
    pub(super) fn older(
        &self,
        request: &IncomingRequest,
        method: Method,
        loaded: &Rows,
    ) -> Decided<Plan> {
        let (form, asked) = parameters::read(request, method)?;
        let call = Call {
            method,
            form,
            asked,
            request,
        };
        let has_rows = method.action != Action::UpdateConversionEvents;
        if !super::access::is_equal(call.asked.text("api_key"), &self.api_key) {
            return call.refuse("Invalid API Key", has_rows);
        }
        match method.action {
            Action::Clicks => self.older_clicks(&call, loaded),
            Action::EventConversions | Action::EventConversionChanges => {
                self.event_conversions(&call, loaded)
            }
            Action::UpdateConversionEvents => self.update_conversion_events(&call, loaded),
            _ => Ok(self.older_tracking_domains(&call).into()),
        }
    }

    fn older_tracking_domains(&self, call: &Call<'_>) -> HttpAnswer {
        let domains: Vec<_> = self
            .fixture
            .tracking_domains
            .iter()
            .map(|domain| {
                vec![
                    raw("tracking_domain_id", domain.tracking_domain_id),
                    text("domain", &domain.domain),
                    text("domain_status", domain.domain_status.word()),
                    raw("is_default", domain.is_default),
                ]
            })
            .collect();
        call.answer(vec![
            raw("row_count", domains.len()),
            rows("tracking_domains", "tracking_domain", domains),
        ])
    }

    /// The elements of a row's affiliate and offer, and of those between the two, as the answers write them.
    fn parties(&self, affiliate_id: u64, offer_id: u64) -> Vec<Node> {
        let affiliate = self.fixture.affiliate(affiliate_id);
        let offer = self.fixture.offer(offer_id);
        let advertiser_id = offer.and_then(|offer| offer.advertiser_id).unwrap_or(0);
        let campaign = self.fixture.campaign(affiliate_id, offer_id);
        let offer_name = offer.map_or("", |offer| &offer.offer_name);
        vec![
            named(
                "source_affiliate",
                affiliate_id,
                affiliate.map_or("", |affiliate| &affiliate.affiliate_name),
            ),
            named("brand_advertiser", advertiser_id, ""),
            named("site_offer", offer_id, offer_name),
            named("site_offer_contract", offer_id, "Direct"),
            group(
                "campaign",
                vec![
                    raw(
                        "campaign_id",
                        campaign.map_or(0, |campaign| campaign.campaign_id),
                    ),
                    group(
                        "campaign_type",
                        vec![
                            raw("campaign_type_id", 1),
                            text("campaign_type_name", "Standard"),
                        ],
                    ),
                ],
            ),
        ]
    }
}

/// A civil time in the services' format: `2026-06-19T14:30:00`.
fn iso(time: &str) -> String {
    time.replacen(' ', "T", 1)
}
