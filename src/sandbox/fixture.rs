//! The fixture: the offers, creatives, affiliates and postbacks of a network.

use crate::{Error, Result};
use serde::Deserialize;

/// Everything that an administrator would have set up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// What is advertised.
    pub offers: Vec<Offer>,
    /// The links of each offer.
    pub creatives: Vec<Creative>,
    /// Who sends traffic.
    pub affiliates: Vec<Affiliate>,
    /// Whom to tell of conversions.
    #[serde(default)]
    pub postbacks: Vec<Postback>,
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Its id.
    pub offer_id: u64,
    /// Its name.
    pub offer_name: String,
    /// The landing page, with tokens such as `#reqid#`. A path stands for one
    /// on the sandbox's own origin.
    pub landing_page: String,
    /// What an affiliate gets for a conversion: a fixed amount such as `18.00`.
    pub payout: String,
    /// What the advertiser pays for one.
    pub revenue: String,
}

/// A creative.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creative {
    /// Its id: `c` in a tracking link.
    pub creative_id: u64,
    /// The offer it belongs to.
    pub offer_id: u64,
}

/// An affiliate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affiliate {
    /// Its id: `a` in a tracking link.
    pub affiliate_id: u64,
    /// Its name.
    pub affiliate_name: String,
}

/// A server postback, fired when a conversion is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postback {
    /// Whom to tell.
    pub affiliate_id: u64,
    /// Of which offer; 0 for all.
    pub offer_id: u64,
    /// Where, with macros such as `#reqsessid#`. A path stands for one on the
    /// sandbox's own origin.
    pub postback_url: String,
}

impl Fixture {
    pub(super) fn read(json: &str) -> Result<Self> {
        let invalid = |message: String| Error::InvalidFixture { message };
        let fixture: Self = serde_json::from_str(json)
            .map_err(|error| invalid(format!("the fixture is not readable: {error}")))?;
        for offer in &fixture.offers {
            for (name, amount) in [("payout", &offer.payout), ("revenue", &offer.revenue)] {
                crate::money::Money::parse(name, amount)
                    .map_err(|error| invalid(format!("offer {}: {error}", offer.offer_id)))?;
            }
        }
        for creative in &fixture.creatives {
            if fixture.offer(creative.offer_id).is_none() {
                return Err(invalid(format!(
                    "creative {} belongs to offer {}, which is not in the fixture",
                    creative.creative_id, creative.offer_id
                )));
            }
        }
        Ok(fixture)
    }

    pub(super) fn offer(&self, offer_id: u64) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.offer_id == offer_id)
    }

    pub(super) fn creative(&self, creative_id: u64) -> Option<&Creative> {
        self.creatives
            .iter()
            .find(|creative| creative.creative_id == creative_id)
    }

    pub(super) fn affiliate(&self, affiliate_id: u64) -> Option<&Affiliate> {
        self.affiliates
            .iter()
            .find(|affiliate| affiliate.affiliate_id == affiliate_id)
    }
}
