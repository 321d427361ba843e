mod api;
mod click;
mod fixture;
mod history;
mod money;
mod older;
mod pixel;
mod properties;
mod store;

use super::*;
use serde_json::{Value, json};
use store::Store;

/// 2026-06-19 14:30:00 UTC, the time of the article's conversion.
pub(super) const NOW_MS: u64 = 1_781_879_400_000;

pub(super) const FIXTURE: &str = r#"{
  "tracking_domains": [
    { "tracking_domain_id": 1, "domain": "track.yournetwork.com", "is_default": true },
    { "tracking_domain_id": 2, "domain": "old.yournetwork.com", "domain_status": "inactive" }
  ],
  "offers": [
    { "offer_id": 12345, "offer_name": "Auto Insurance Quote", "advertiser_id": 7,
      "landing_page": "https://shop.example/?reqid=#reqid#&a=#affid#&o=#oid#&k=#campid#&c=#cid#&s1=#s1#&s2=#s2#",
      "payout": "18.00", "revenue": "22.00" },
    { "offer_id": 2, "offer_name": "By hand, a share", "landing_page": "/shop/?r=#reqid#",
      "payout": "12.5%", "revenue": "40.00", "approval": "manual" },
    { "offer_id": 3, "offer_name": "Capped, every one counts", "landing_page": "/shop/?r=#reqid#",
      "payout": "5", "revenue": "6", "deduplicates": false,
      "cap": { "conversions": 2, "per": "day", "of": "affiliate" } },
    { "offer_id": 4, "offer_name": "Off, leads to 2", "landing_page": "/x", "payout": "1", "revenue": "1",
      "offer_status": "inactive", "redirect_offer_id": 2 },
    { "offer_id": 5, "offer_name": "Off", "landing_page": "/x", "payout": "1", "revenue": "1",
      "offer_status": "inactive" }
  ],
  "creatives": [
    { "creative_id": 12, "offer_id": 12345, "allows_deep_links": true },
    { "creative_id": 2, "offer_id": 2 }, { "creative_id": 3, "offer_id": 3 },
    { "creative_id": 4, "offer_id": 4 }, { "creative_id": 5, "offer_id": 5 },
    { "creative_id": 6, "offer_id": 2, "creative_status": "inactive" }
  ],
  "affiliates": [
    { "affiliate_id": 67890, "affiliate_name": "MediaBridge Partners" },
    { "affiliate_id": 2, "affiliate_name": "With a rate" },
    { "affiliate_id": 3, "affiliate_name": "Off", "affiliate_status": "inactive" }
  ],
  "campaigns": [
    { "campaign_id": 501, "affiliate_id": 2, "offer_id": 12345, "payout": "20.00", "approval": "manual" }
  ],
  "postbacks": [
    { "affiliate_id": 67890, "postback_url": "/affiliate/?id=#reqsessid#&payout=#price#&status=#status#&s1=#s1#" },
    { "affiliate_id": 2, "offer_id": 12345, "fires_on": ["approval", "rejection"],
      "postback_url": "https://127.0.0.1/p?t=#tid#&l=#leadid#&status=#status#" }
  ]
}"#;

pub(super) fn network() -> Network {
    Network::new(FIXTURE, "key", &[]).unwrap()
}

fn with_settings(json: &str) -> Network {
    let mut network = network();
    network.set_settings(json).unwrap();
    network
}

fn body(answer: &HttpAnswer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

fn header<'a>(answer: &'a HttpAnswer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(key, _)| *key == name);
    found.map(|(_, value)| value.as_str())
}

/// A store with one click of the article's affiliate on its offer: `id-1`.
fn clicked(network: &Network) -> Store {
    let mut store = Store::default();
    store.get(network, "/?a=67890&c=12&s1=banner_300x250", NOW_MS);
    assert_eq!(store.clicks.len(), 1);
    store
}
