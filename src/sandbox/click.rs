//! A click on a tracking link: logged, and redirected with a new click id.

use super::fixture::{Activity, Affiliate, Creative, Offer};
use super::plan::{HttpAnswer, IncomingRequest, Plan, Write};
use super::query::Query;
use super::row::ClickRow;
use super::settings::ClickIds;
use super::{Network, address};
use crate::macros::expand;
use crate::purpose::Purpose;
use crate::{sub_id, url};

/// The first integer click id of older accounts *(inference)*.
const FIRST_INTEGER_ID: u64 = 500_000_000;

impl Network {
    /// Decides on a click: a row and a redirect. A click without a landing page is redirected to
    /// the fallback and leaves no row. HEAD and prefetch leave no row either.
    pub(super) fn click(&self, call: &IncomingRequest) -> Plan {
        let query = Query(url::query_of(&call.url));
        if Purpose::of(call.purposes.iter().map(String::as_str)) != Purpose::Visit {
            // A browser discards an empty answer to a prefetch, and asks again on the real visit.
            // The browser would keep a redirect, and the click would be missing.
            // visitor really goes; a redirect it would keep, without a click.
            return HttpAnswer {
                status: 204,
                headers: vec![("cache-control", "no-store".into())],
                ..HttpAnswer::default()
            }
            .into();
        }
        let (affiliate, creative, offer) = match self.target(query) {
            Ok(target) => target,
            Err(reason) => {
                let fallback = &self.settings.fallback_url;
                let mark = if fallback.contains('?') { '&' } else { '?' };
                return HttpAnswer::redirect(format!("{fallback}{mark}reason={reason}")).into();
            }
        };
        let is_logged = call.method == "GET";
        let row = ClickRow {
            number: call.next.click,
            click_id: if is_logged {
                self.click_id(call)
            } else {
                String::new()
            },
            click_date: self.settings.civil(call.now_ms),
            offer_id: offer.offer_id,
            affiliate_id: affiliate.affiliate_id,
            creative_id: creative.creative_id,
            ip_address: call.ip_address.clone(),
            country: Some(
                call.country
                    .clone()
                    .unwrap_or_else(|| self.settings.country.clone()),
            ),
            ..with_sub_ids(query)
        };
        let page = deep_link(query, creative, offer, &call.url);
        let location = expand(page.as_deref().unwrap_or(&offer.landing_page), |token| {
            self.token(&row, token)
        });
        Plan {
            writes: if is_logged {
                vec![Write::Click(row)]
            } else {
                Vec::new()
            },
            answer: HttpAnswer::redirect(location),
        }
    }

    /// The affiliate, creative and offer of a click, or the reason why the click has no landing
    /// page.
    fn target(&self, query: Query<'_>) -> Result<(&Affiliate, &Creative, &Offer), &'static str> {
        let fixture = &self.fixture;
        let affiliate = query
            .number_in_any_case("a")
            .and_then(|id| fixture.affiliate(id))
            .ok_or("unknown_affiliate")?;
        if affiliate.affiliate_status == Activity::Inactive {
            return Err("inactive_affiliate");
        }
        let creative = query
            .number_in_any_case("c")
            .and_then(|id| fixture.creative(id))
            .ok_or("unknown_creative")?;
        if creative.creative_status == Activity::Inactive {
            return Err("inactive_creative");
        }
        let offer = fixture.offer(creative.offer_id).ok_or("unknown_offer")?;
        if offer.offer_status == Activity::Active {
            return Ok((affiliate, creative, offer));
        }
        offer
            .redirect_offer_id
            .and_then(|id| fixture.offer(id))
            .filter(|other| other.offer_status == Activity::Active)
            .map(|other| (affiliate, creative, other))
            .ok_or("inactive_offer")
    }

    fn click_id(&self, call: &IncomingRequest) -> String {
        match (self.settings.click_ids, self.settings.id_seed) {
            (ClickIds::Integer, _) => (FIRST_INTEGER_ID + call.next.click).to_string(),
            (ClickIds::Uuid, Some(seed)) => super::random::uuid(seed, call.next.click),
            (ClickIds::Uuid, None) => call.fresh_id.clone(),
        }
    }

    /// The value of a token such as `reqid` or `s1`; empty where the token has none.
    pub(super) fn token(&self, click: &ClickRow, name: &str) -> Option<String> {
        let sub_id = |index: usize| {
            let value = click.sub_ids().into_iter().nth(index).flatten();
            Some(value.unwrap_or_default().to_owned())
        };
        match name {
            "reqid" | "oreqid" | "reqsessid" => Some(click.click_id.clone()),
            "affid" => Some(click.affiliate_id.to_string()),
            "oid" => Some(click.offer_id.to_string()),
            "cid" => Some(click.creative_id.to_string()),
            "campid" => Some(
                self.fixture
                    .campaign_id(click.affiliate_id, click.offer_id)
                    .to_string(),
            ),
            "s1" => sub_id(0),
            "s2" => sub_id(1),
            "s3" => sub_id(2),
            "s4" => sub_id(3),
            "s5" => sub_id(4),
            // The sandbox does not distinguish visitors and devices.
            "vstid" | "udid" => Some(String::new()),
            _ => None,
        }
    }
}

/// The sub ids as CAKE stores them. `s1` is cut at 50 UTF-16 units. In `s2` … `s5`, the characters
/// beyond 100 move to the front of the next sub id (KB 5000545788). The characters beyond `s5` are
/// lost *(inference)*.
fn with_sub_ids(query: Query<'_>) -> ClickRow {
    let mut spilled = String::new();
    let mut kept = sub_id::NAMES.iter().enumerate().map(|(index, name)| {
        let value =
            std::mem::take(&mut spilled) + &query.text_in_any_case(name).unwrap_or_default();
        let (kept, overflow) = sub_id::split(index, &value);
        if index > 0 {
            overflow.clone_into(&mut spilled);
        }
        (!kept.is_empty()).then(|| kept.to_owned())
    });
    let mut next = || kept.next().flatten();
    ClickRow {
        sub_id_1: next(),
        sub_id_2: next(),
        sub_id_3: next(),
        sub_id_4: next(),
        sub_id_5: next(),
        ..ClickRow::default()
    }
}

/// The page of `ckmrdr`, where the creative allows one. The page must be on the landing page's
/// host, otherwise the sandbox would be an open redirect *(inference: CAKE leaves this check to the
/// advertiser)*.
fn deep_link(query: Query<'_>, creative: &Creative, offer: &Offer, url: &str) -> Option<String> {
    let page = query
        .text("ckmrdr")
        .filter(|_| creative.allows_deep_links)?;
    let host = |page: &str| {
        if page.starts_with('/') {
            address::origin_of(url).and_then(address::host_of)
        } else {
            address::host_of(page)
        }
        .map(str::to_owned)
    };
    (address::is_page(&page) && host(&page).is_some() && host(&page) == host(&offer.landing_page))
        .then_some(page)
}
