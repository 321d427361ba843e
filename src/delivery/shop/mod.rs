//! Webhooks of shops. Checks whether a platform has signed a webhook, and finds its sale or refund.
//! The raw bytes are verified before anything is read.
//!
//! | module | owns |
//! | --- | --- |
//! | `fact` | what a platform says of an order's money and state, with its time |
//! | `ledger` | all facts of one order, and the state that follows from them |
//! | `order_update` | what one webhook adds to a ledger, and the correction that follows |
//! | `payload` | fields of a payload that may be anything |
//! | `settings` | a site's choices |
//! | `shopify`, `woocommerce`, `stripe` | one platform each: its signature, its fields |

mod fact;
mod ledger;
pub(crate) mod order_update;
mod payload;
mod settings;
mod shopify;
mod stripe;
#[cfg(test)]
mod tests;
mod woocommerce;

use super::clock;
use super::secrets::Secrets;
use crate::{Error, Result};
use base64ct::{Base64, Encoding};
use fact::Fact;
use payload::Payload;
use serde::Serialize;
use settings::Settings;

/// A platform that shops run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Platform {
    Shopify,
    WooCommerce,
    Stripe,
}

/// A webhook as it comes in. Nothing in it is trusted.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'a> {
    /// The header that signs it; empty where there is none.
    pub signature: &'a str,
    /// The header that names its topic; empty where there is none. It is not signed.
    pub topic: &'a str,
    /// The raw body.
    pub body: &'a [u8],
    /// The time in milliseconds since 1970.
    pub now_ms: u64,
}

/// The result of reading a webhook. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// `sale`, `refund`, `no_click_id`, `test`, `ignored`, `ping` or `signature_refused`.
    pub(crate) outcome: &'static str,
    /// Why it is ignored; of a refund, why it is where no such sale is known; of a sale without a click, `own_id` where
    /// it names its own id for one. Otherwise empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) reason: &'static str,
    /// The sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sale: Option<Sale>,
    /// What it says of an order, beside the sale or without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<Order>,
}

/// A sale that a click led to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sale {
    /// The conversion, as a signed caller hands it over.
    pub(crate) conversion: Conversion,
    /// When it was paid, in milliseconds since 1970. Absent where that is not known, or lies more than five minutes in
    /// the future: then the sale counts when it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paid_at_ms: Option<u64>,
    /// When it became a sale, where that is later.
    #[serde(skip)]
    pub(crate) sold_at_ms: Option<u64>,
    /// Why there is no revenue: `currency` for a foreign currency; `amount` for an invalid amount.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) revenue_left_out: &'static str,
}

/// The conversion that a webhook tells of. Its fields are checked where every conversion is; see
/// [`super::event`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conversion {
    pub(crate) click_id: String,
    pub(crate) offer_id: u64,
    pub(crate) unique_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revenue: Option<String>,
}

/// What a webhook says of an order that is known here, or will be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    /// The unique ids that the order may be told by, the one for its sale first. The rest of them may tie it to
    /// what was told before; see [`order_update::OrderUpdate::sold_as`].
    pub(crate) unique_ids: Vec<String>,
    /// May another webhook of the order lack some of its ids, or tell others?
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_tied: bool,
    /// The time of what is said, in milliseconds since 1970.
    pub(crate) as_of_ms: u64,
    #[serde(serialize_with = "as_lines", skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<Fact>,
    /// Do the facts take anything back?
    pub(crate) takes: bool,
    /// What to do where no such sale is known; see [`order_update::OrderUpdate::if_unknown`].
    pub(crate) if_unknown: &'static str,
    /// Why it is ignored where the conversion is that already; empty for a repetition.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) unchanged: &'static str,
    /// The unique id that the order has besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
    /// Another id of the same payment, which other webhooks may tell alone. They lead to the first unique id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alias: Option<String>,
}

fn as_lines<S: serde::Serializer>(
    facts: &[Fact],
    serializer: S,
) -> core::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&fact::lines(facts))
}

impl Order {
    fn new(
        unique_ids: Vec<String>,
        as_of_ms: u64,
        if_unknown: &'static str,
        facts: Vec<Fact>,
    ) -> Self {
        Self {
            is_tied: unique_ids.len() > 1,
            unique_ids,
            as_of_ms,
            takes: facts.iter().any(Fact::takes),
            facts,
            if_unknown,
            unchanged: "",
            link: None,
            alias: None,
        }
    }

    /// Adds what the order makes of a sale that is known here, or of none.
    fn add_sale(&mut self, revenue: Option<&str>) {
        self.if_unknown = "known";
        self.facts.push(Fact::Sale {
            at_ms: self.as_of_ms,
            revenue: revenue.and_then(ledger::units),
            payout: None,
            is_shops_money: true,
        });
    }
}

impl Verdict {
    fn of(outcome: &'static str) -> Self {
        Self {
            outcome,
            ..Self::default()
        }
    }

    fn ignored(reason: &'static str) -> Self {
        Self {
            reason,
            ..Self::of("ignored")
        }
    }

    fn sale(sale: Sale) -> Self {
        Self {
            sale: Some(sale),
            ..Self::of("sale")
        }
    }

    fn refund(order: Order) -> Self {
        Self {
            order: Some(order),
            ..Self::of("refund")
        }
    }

    /// The same of an order that is no sale: what it says counts where it is a conversion here all
    /// the same, by its page or by the site's own mapping.
    fn without_sale(mut self, reason: &'static str) -> Self {
        if self.outcome != "refund" {
            self.outcome = "ignored";
        }
        (self.sale, self.reason) = (None, reason);
        if let Some(order) = &mut self.order {
            order.if_unknown = "known";
            order
                .facts
                .retain(|fact| !matches!(fact, Fact::Sale { .. }));
        }
        self
    }
}

/// A shop whose webhooks are accepted. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Shop {
    platform: Platform,
    secrets: Secrets,
    settings: Settings,
}

impl Shop {
    /// A shop on `shopify`, `woocommerce` or `stripe`, with its secrets, the newest first. The
    /// settings are JSON; see `Settings::read`.
    ///
    /// # Errors
    /// [`Error::WeakSecret`]; [`Error::InvalidField`] for a setting that is missing.
    pub fn new<'a>(
        platform: &str,
        secrets: impl IntoIterator<Item = &'a str>,
        settings: &str,
    ) -> Result<Self> {
        Ok(Self {
            platform: match platform {
                "shopify" => Platform::Shopify,
                "woocommerce" => Platform::WooCommerce,
                "stripe" => Platform::Stripe,
                _ => return Err(Error::Internal),
            },
            secrets: Secrets::new(secrets)?,
            settings: Settings::read(settings)?,
        })
    }

    /// Reads a webhook, which may be any bytes.
    #[must_use]
    pub fn read(&self, webhook: &Webhook<'_>) -> Verdict {
        if !self.is_signed(webhook) {
            let is_ping = self.platform == Platform::WooCommerce && woocommerce::is_ping(webhook);
            return Verdict::of(if is_ping { "ping" } else { "signature_refused" });
        }
        let Some(payload) = Payload::read(webhook.body) else {
            return Verdict::ignored("unreadable");
        };
        let topic = webhook.topic.trim();
        let as_of_ms = self.said_at_ms(&payload).unwrap_or(webhook.now_ms);
        let mut verdict = match self.platform {
            Platform::Shopify => {
                shopify::read(&self.settings, topic, &payload, as_of_ms, webhook.now_ms)
            }
            Platform::WooCommerce => woocommerce::read(&self.settings, topic, &payload, as_of_ms),
            Platform::Stripe => stripe::read(&self.settings, &payload, as_of_ms),
        };
        // By a clock that is not set, everything would be in the future.
        if let Some(sale) = verdict
            .sale
            .as_mut()
            .filter(|_| clock::is_set(webhook.now_ms))
        {
            // A gateway may write local time as UTC.
            let is_future = |paid_ms: &mut u64| *paid_ms > webhook.now_ms + clock::ERROR_MS;
            sale.paid_at_ms.take_if(is_future);
        }
        let is_too_old = |sale: &mut Sale| self.settings.is_too_old(sale, webhook.now_ms);
        if let Some(sale) = verdict.sale.take_if(is_too_old) {
            // No new sale, but its conversion may still be known here.
            (verdict.outcome, verdict.reason) = ("ignored", "too_old");
            if let Some(order) = &mut verdict.order {
                order.add_sale(sale.conversion.revenue.as_deref());
            }
        }
        self.settings.prefix(&mut verdict);
        verdict
    }

    /// When the platform has said what a webhook says, by its own clock, in milliseconds since 1970; the body is
    /// signed. All times of one order are told by that clock, so they are compared with each other and never with ours.
    #[must_use]
    pub fn as_of_ms(&self, body: &[u8]) -> Option<u64> {
        self.said_at_ms(&Payload::read(body)?)
    }

    fn said_at_ms(&self, payload: &Payload<'_>) -> Option<u64> {
        match self.platform {
            Platform::Shopify => payload.instant(&["updated_at"]),
            Platform::WooCommerce => payload.instant(&["date_modified_gmt"]),
            Platform::Stripe => stripe::created_ms(payload),
        }
    }

    /// The ids by which the webhooks of an order's refunds may know it; the body is signed.
    #[must_use]
    pub fn order_ids(&self, body: &[u8]) -> Vec<String> {
        let Some(payload) = Payload::read(body) else {
            return Vec::new();
        };
        let ids = match self.platform {
            Platform::Shopify => shopify::order_ids(&self.settings, &payload),
            Platform::WooCommerce => woocommerce::order_ids(&self.settings, &payload),
            Platform::Stripe => stripe::order_ids(&payload),
        };
        ids.iter().map(|id| self.settings.prefixed(id)).collect()
    }

    /// The click that an order itself names, whatever its webhook says of it; the body is signed. Only an
    /// order has one that may share its id with another shop's: none of Stripe's does.
    #[must_use]
    pub fn order_click(&self, body: &[u8]) -> Option<String> {
        let payload = Payload::read(body)?;
        match self.platform {
            Platform::Shopify => shopify::click_id(&self.settings, &payload).ok(),
            Platform::WooCommerce => woocommerce::click_id(&self.settings, &payload).ok(),
            Platform::Stripe => None,
        }
    }

    fn is_signed(&self, webhook: &Webhook<'_>) -> bool {
        match self.platform {
            Platform::Shopify | Platform::WooCommerce => {
                let mut bytes = [0; 32];
                Base64::decode(webhook.signature.trim(), &mut bytes)
                    .is_ok_and(|signature| self.secrets.verify(&[webhook.body], signature))
            }
            Platform::Stripe => stripe::is_signed(&self.secrets, webhook),
        }
    }
}
