//! A click on a tracking link: logged, and redirected with a fresh click id.

use super::{ClickRow, Network, Query};
use crate::macros::expand;
use crate::time::CivilTime;
use crate::url;
use serde::Serialize;

/// What to do with a click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClickPlan {
    /// Where to redirect to (302). A path is on the sandbox's own origin.
    pub location: Option<String>,
    /// The row to store.
    pub row: Option<ClickRow>,
}

impl Network {
    /// Decides on a click at `url`. `click_id` is a fresh id, `now_ms` the time
    /// in milliseconds since 1970. Where affiliate or creative are unknown,
    /// nothing is logged and there is no location.
    #[must_use]
    pub fn click(&self, url: &str, click_id: &str, now_ms: u64) -> ClickPlan {
        let query = Query(url::query_of(url));
        let known = query
            .number("a")
            .and_then(|id| self.fixture.affiliate(id))
            .zip(query.number("c").and_then(|id| self.fixture.creative(id)));
        let offer = known.and_then(|(_, creative)| self.fixture.offer(creative.offer_id));
        let (Some((affiliate, creative)), Some(offer)) = (known, offer) else {
            return ClickPlan {
                location: None,
                row: None,
            };
        };
        let row = ClickRow {
            click_id: click_id.to_owned(),
            click_date: CivilTime::from_utc_ms(now_ms).to_string(),
            offer_id: offer.offer_id,
            affiliate_id: affiliate.affiliate_id,
            creative_id: creative.creative_id,
            sub_id_1: query.text("s1"),
            sub_id_2: query.text("s2"),
            sub_id_3: query.text("s3"),
            sub_id_4: query.text("s4"),
            sub_id_5: query.text("s5"),
            conversion_id: None,
        };
        let location = expand(&offer.landing_page, |token| row.token(token));
        ClickPlan {
            location: Some(location),
            row: Some(row),
        }
    }
}

impl ClickRow {
    /// The value of a token such as `reqid` or `s1`, empty where it has none.
    pub(super) fn token(&self, name: &str) -> Option<String> {
        let sub_id = |index: usize| {
            let value = self.sub_ids().into_iter().nth(index).flatten();
            Some(value.unwrap_or_default().to_owned())
        };
        match name {
            "reqid" | "oreqid" | "reqsessid" => Some(self.click_id.clone()),
            "affid" => Some(self.affiliate_id.to_string()),
            "oid" => Some(self.offer_id.to_string()),
            "cid" => Some(self.creative_id.to_string()),
            "s1" => sub_id(0),
            "s2" => sub_id(1),
            "s3" => sub_id(2),
            "s4" => sub_id(3),
            "s5" => sub_id(4),
            _ => None,
        }
    }
}
