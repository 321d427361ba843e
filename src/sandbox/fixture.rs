//! The fixture: the setup that an administrator of a network would make. The JSON Schema of the
//! fixture is `js/sandbox/fixture.schema.json`.

use super::rate::Rate;
use super::settings::Settings;
use super::{address, json};
use crate::money::Money;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Offers, creatives, affiliates and their terms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    /// The address of the schema, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<String>,
    /// The settings of the network.
    #[serde(default)]
    pub(crate) settings: Settings,
    /// The hosts of tracking links.
    #[serde(default)]
    pub(crate) tracking_domains: Vec<TrackingDomain>,
    /// The offers.
    pub(crate) offers: Vec<Offer>,
    /// The creatives: the links of each offer.
    pub(crate) creatives: Vec<Creative>,
    /// The affiliates.
    pub(crate) affiliates: Vec<Affiliate>,
    /// The campaigns: an affiliate's own terms for an offer.
    #[serde(default)]
    pub(crate) campaigns: Vec<Campaign>,
    /// The postbacks of the affiliates.
    #[serde(default)]
    pub(crate) postbacks: Vec<Postback>,
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activity {
    /// On.
    #[default]
    Active,
    /// Off.
    Inactive,
}

impl Activity {
    /// The word in CAKE's answers.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

/// A tracking domain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrackingDomain {
    /// Its id.
    pub(crate) tracking_domain_id: u64,
    /// The host.
    pub(crate) domain: String,
    /// On or off.
    #[serde(default)]
    pub(crate) domain_status: Activity,
    /// Is this domain the default of new links?
    #[serde(default)]
    pub(crate) is_default: bool,
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    /// Its id.
    pub(crate) offer_id: u64,
    /// Its name.
    pub(crate) offer_name: String,
    /// The advertiser of the offer.
    #[serde(default)]
    pub(crate) advertiser_id: Option<u64>,
    /// On or off.
    #[serde(default)]
    pub(crate) offer_status: Activity,
    /// The target of clicks while the offer is inactive.
    #[serde(default)]
    pub(crate) redirect_offer_id: Option<u64>,
    /// The landing page, with tokens such as `#reqid#`. A path means a page on the sandbox's own
    /// origin.
    pub(crate) landing_page: String,
    /// The affiliate's payout: a fixed amount such as `18.00`, or a share of the revenue such as
    /// `80%`.
    pub(crate) payout: String,
    /// The advertiser's price for a conversion.
    pub(crate) revenue: String,
    /// The rule by which conversions are approved.
    #[serde(default)]
    pub(crate) approval: Approval,
    /// Does a unique id count only once?
    #[serde(default = "yes")]
    pub(crate) deduplicates: bool,
    /// The cap on paid conversions.
    #[serde(default)]
    pub(crate) cap: Option<Cap>,
}

/// The rule by which a conversion is approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Approval {
    /// Immediately.
    #[default]
    Automatic,
    /// By hand: the conversion stays pending until then.
    Manual,
}

/// The number of conversions that are paid; further ones are `ignored`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cap {
    /// The number of conversions.
    pub(crate) conversions: u64,
    /// The period of the cap, by the conversion's date.
    #[serde(default)]
    pub(crate) per: CapPeriod,
    /// Does the cap count each affiliate's conversions, or all together?
    #[serde(default)]
    pub(crate) of: CapScope,
}

/// The period of a cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapPeriod {
    /// A civil day.
    #[default]
    Day,
    /// A civil month.
    Month,
    /// Without a limit in time.
    Ever,
}

/// The conversions that a cap counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapScope {
    /// All conversions of the offer.
    #[default]
    Offer,
    /// The conversions of each affiliate separately.
    Affiliate,
}

/// A creative.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Creative {
    /// Its id: `c` in a tracking link.
    pub(crate) creative_id: u64,
    /// The offer it belongs to.
    pub(crate) offer_id: u64,
    /// Its name.
    #[serde(default)]
    pub(crate) creative_name: String,
    /// On or off.
    #[serde(default)]
    pub(crate) creative_status: Activity,
    /// May `ckmrdr` name another page on the landing page's host?
    #[serde(default)]
    pub(crate) allows_deep_links: bool,
}

/// An affiliate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Affiliate {
    /// Its id: `a` in a tracking link.
    pub(crate) affiliate_id: u64,
    /// Its name.
    pub(crate) affiliate_name: String,
    /// On or off.
    #[serde(default)]
    pub(crate) affiliate_status: Activity,
}

/// A campaign: an affiliate's own terms for an offer. An absent field has the offer's value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Campaign {
    /// Its id: `#campid#`.
    pub(crate) campaign_id: u64,
    /// The affiliate.
    pub(crate) affiliate_id: u64,
    /// The offer.
    pub(crate) offer_id: u64,
    /// This affiliate's rate: `20.00` or `85%`.
    #[serde(default)]
    pub(crate) payout: Option<String>,
    /// The rule by which this affiliate's conversions are approved.
    #[serde(default)]
    pub(crate) approval: Option<Approval>,
}

/// A postback of an affiliate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Postback {
    /// The affiliate that the postback notifies.
    pub(crate) affiliate_id: u64,
    /// The offer; 0 for all.
    #[serde(default)]
    pub(crate) offer_id: u64,
    /// The URL, with macros such as `#reqsessid#`. A path means a page on the sandbox's own origin.
    pub(crate) postback_url: String,
    /// On or off.
    #[serde(default)]
    pub(crate) postback_status: Activity,
    /// 1 server, 2 iframe, 3 image, 4 JavaScript.
    #[serde(default = "server")]
    pub(crate) postback_type_id: u64,
    /// The event that fires the postback.
    #[serde(default = "on_conversion")]
    pub(crate) fires_on: Vec<PostbackEvent>,
}

/// An event that fires a postback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PostbackEvent {
    /// A conversion was recorded, whatever its status.
    Conversion,
    /// A conversion was approved, at once or later.
    Approval,
    /// A conversion was rejected or reversed.
    Rejection,
}

impl PostbackEvent {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Conversion => "conversion",
            Self::Approval => "approval",
            Self::Rejection => "rejection",
        }
    }
}

fn yes() -> bool {
    true
}
fn server() -> u64 {
    1
}
fn on_conversion() -> Vec<PostbackEvent> {
    vec![PostbackEvent::Conversion]
}

impl Fixture {
    /// Reads a fixture's JSON.
    ///
    /// # Errors
    /// [`Error::InvalidFixture`], which names the field.
    pub(crate) fn read(json: &str) -> Result<Self> {
        // Windows editors put a byte order mark before the text.
        let json = json.trim_start_matches('\u{feff}');
        if !json.trim_start().starts_with('{') {
            return Err(Error::InvalidFixture {
                message: "the text is no JSON: expected a fixture as JSON text or as an object. Read a file first".to_owned(),
            });
        }
        let fixture: Self = json::read("", &mut serde_json::Deserializer::from_str(json))?;
        fixture.check()?;
        Ok(fixture)
    }

    /// Checks the rules beyond the types: amounts, references, repeated ids.
    fn check(&self) -> Result<()> {
        self.settings.check("settings.")?;
        let ids = |list: &str, field: &str, ids: &mut dyn Iterator<Item = u64>| {
            let mut seen = Vec::new();
            for (index, id) in ids.enumerate() {
                let path = format!("{list}[{index}].{field}");
                if id == 0 || id > crate::link::MAX_ID {
                    return Err(invalid(&path, " must be a whole number from 1"));
                }
                if seen.contains(&id) {
                    return Err(invalid(&path, &format!(" is {id} a second time")));
                }
                seen.push(id);
            }
            Ok(())
        };
        ids(
            "tracking_domains",
            "tracking_domain_id",
            &mut self.tracking_domains.iter().map(|d| d.tracking_domain_id),
        )?;
        ids(
            "offers",
            "offer_id",
            &mut self.offers.iter().map(|o| o.offer_id),
        )?;
        ids(
            "creatives",
            "creative_id",
            &mut self.creatives.iter().map(|c| c.creative_id),
        )?;
        ids(
            "affiliates",
            "affiliate_id",
            &mut self.affiliates.iter().map(|a| a.affiliate_id),
        )?;
        ids(
            "campaigns",
            "campaign_id",
            &mut self.campaigns.iter().map(|c| c.campaign_id),
        )?;
        for (index, offer) in self.offers.iter().enumerate() {
            self.check_offer(&format!("offers[{index}]."), offer)?;
        }
        for (index, creative) in self.creatives.iter().enumerate() {
            self.known_offer(&format!("creatives[{index}].offer_id"), creative.offer_id)?;
        }
        for (index, campaign) in self.campaigns.iter().enumerate() {
            let path = format!("campaigns[{index}].");
            self.known_offer(&format!("{path}offer_id"), campaign.offer_id)?;
            self.known_affiliate(&format!("{path}affiliate_id"), campaign.affiliate_id)?;
            if let Some(rate) = &campaign.payout {
                Rate::read(rate).ok_or_else(|| invalid(&path, PAYOUT_RULE))?;
            }
        }
        for (index, postback) in self.postbacks.iter().enumerate() {
            let path = format!("postbacks[{index}].");
            self.known_affiliate(&format!("{path}affiliate_id"), postback.affiliate_id)?;
            if postback.offer_id != 0 {
                self.known_offer(&format!("{path}offer_id"), postback.offer_id)?;
            }
            if !address::is_page(&postback.postback_url) {
                return Err(invalid(
                    &path,
                    "postback_url must be an http(s) URL or a path",
                ));
            }
            if !(1..=4).contains(&postback.postback_type_id) {
                return Err(invalid(
                    &path,
                    "postback_type_id must be 1 (server), 2 (iframe), 3 (image) or 4 (JavaScript)",
                ));
            }
        }
        Ok(())
    }

    fn check_offer(&self, path: &str, offer: &Offer) -> Result<()> {
        if !address::is_page(&offer.landing_page) {
            return Err(invalid(
                path,
                "landing_page must be an http(s) URL or a path",
            ));
        }
        Rate::read(&offer.payout).ok_or_else(|| invalid(path, PAYOUT_RULE))?;
        Money::parse("revenue", &offer.revenue)
            .map_err(|error| invalid(path, &error.to_string()))?;
        if let Some(redirect) = offer.redirect_offer_id {
            self.known_offer(&format!("{path}redirect_offer_id"), redirect)?;
        }
        Ok(())
    }

    /// Warnings: a sentence for each probable mistake.
    #[must_use]
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.offers
            .iter()
            .enumerate()
            .filter(|(_, offer)| offer.landing_page.matches('?').count() > 1)
            .map(|(index, _)| {
                format!(
                    "offers[{index}].landing_page has two `?`: the second one and all behind it belong to the value before; write `&`"
                )
            })
            .collect()
    }

    /// An active affiliate and an active creative with a landing page, for an example link; `None`
    /// where the fixture has none.
    #[must_use]
    pub(crate) fn sample_link(&self) -> Option<(u64, u64)> {
        let affiliate = self
            .affiliates
            .iter()
            .find(|affiliate| affiliate.affiliate_status == Activity::Active)?;
        let creative = self.creatives.iter().find(|creative| {
            creative.creative_status == Activity::Active
                && self
                    .offer(creative.offer_id)
                    .is_some_and(|offer| offer.offer_status == Activity::Active)
        })?;
        Some((affiliate.affiliate_id, creative.creative_id))
    }

    fn known_offer(&self, path: &str, offer_id: u64) -> Result<()> {
        self.offer(offer_id).map(|_| ()).ok_or_else(|| {
            invalid(
                path,
                &format!(" is {offer_id}, which is no offer's id here"),
            )
        })
    }

    fn known_affiliate(&self, path: &str, affiliate_id: u64) -> Result<()> {
        self.affiliate(affiliate_id).map(|_| ()).ok_or_else(|| {
            invalid(
                path,
                &format!(" is {affiliate_id}, which is no affiliate's id here"),
            )
        })
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

    pub(super) fn campaign(&self, affiliate_id: u64, offer_id: u64) -> Option<&Campaign> {
        self.campaigns
            .iter()
            .find(|campaign| campaign.affiliate_id == affiliate_id && campaign.offer_id == offer_id)
    }

    /// The campaign's id; a pair without a campaign gets an id from its position.
    pub(super) fn campaign_id(&self, affiliate_id: u64, offer_id: u64) -> u64 {
        if let Some(campaign) = self.campaign(affiliate_id, offer_id) {
            return campaign.campaign_id;
        }
        let affiliate = self
            .affiliates
            .iter()
            .position(|a| a.affiliate_id == affiliate_id);
        let offer = self.offers.iter().position(|o| o.offer_id == offer_id);
        let pair = affiliate.unwrap_or(0) * self.offers.len() + offer.unwrap_or(0);
        u64::try_from(pair).unwrap_or(0) + 1
    }
}

const PAYOUT_RULE: &str = "payout must be an amount such as 18.00, or a share such as 80%: up to 9 digits before the point and 4 after, no sign";

fn invalid(path: &str, rule: &str) -> Error {
    Error::InvalidFixture {
        message: format!("{path}{rule}"),
    }
}
