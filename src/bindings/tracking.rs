//! Links and landing pages read, and pixels built, for JavaScript, as plain objects.
#![expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over owned values"
)]

use super::fields::Fields;
use super::id;
use crate::api::commerce;
use crate::click_id::{LandingParameters, find_click as find};
use crate::host::Domain;
use crate::link::{LinkRules, TEST_AFFILIATE, TrackingLink};
use crate::money::Money;
use crate::pixel::{Format, Pixel, Scope};
use crate::sub_id;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads a tracking link; see [`TrackingLink::parse`]. `hosts` are those of
/// deep links, `flags` those of `LinkBuilder::build`. Returns the parts, with the flags that the link
/// needs.
///
/// # Errors
/// Those of [`TrackingLink::parse`].
#[wasm_bindgen(js_name = parseTrackingLink)]
pub fn parse_tracking_link(text: &str, hosts: Vec<String>, flags: u32) -> Result<JsValue, JsValue> {
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let rules = LinkRules {
        allow_sandbox: flags & 1 != 0,
        allow_test_affiliate: flags & 2 != 0,
        spill: flags & 4 != 0,
        deep_link_hosts: &hosts,
    };
    let link = TrackingLink::parse(text, &rules)?;
    let mut fields = Fields::new()
        .set("domain", link.domain.as_str())
        .set("affiliateId", number(link.affiliate_id))
        .set("creativeId", number(link.creative_id));
    for (name, is_needed) in [
        ("sandbox", link.domain.is_sandbox()),
        ("testAffiliate", link.affiliate_id == TEST_AFFILIATE),
        ("spill", link.needs_spill()),
    ] {
        if is_needed {
            fields = fields.set(name, true);
        }
    }
    for (name, value) in sub_id::NAMES.iter().zip(&link.sub_ids) {
        fields = fields.optional(name, value.as_deref());
    }
    if !link.extra.is_empty() {
        let extra = link
            .extra
            .iter()
            .fold(Fields::new(), |extra, (name, value)| {
                extra.set(name, value.as_ref())
            });
        fields = fields.set("extra", extra);
    }
    Ok(fields
        .optional("priceFormat", link.price_format.as_deref())
        .optional("deepLink", link.deep_link.as_deref())
        .into())
}

/// Finds the click of a landing page's URL; see [`find`]. `names` are those of the click id's
/// parameter; an empty list stands for the default.
#[must_use]
#[wasm_bindgen(js_name = findClick)]
pub fn find_click(url: &str, names: Vec<String>, fragment: bool) -> Option<JsValue> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut parameters = LandingParameters {
        fragment,
        ..Default::default()
    };
    if !names.is_empty() {
        parameters.click_id = &names;
    }
    let found = find(url, &parameters)?;
    let mut fields = Fields::new()
        .set("clickId", found.click_id.as_str())
        .set("parameter", found.parameter)
        .set("isRepeated", found.is_repeated);
    for (name, value) in sub_id::NAMES.iter().zip(&found.sub_ids) {
        fields = fields.optional(name, value.as_deref());
    }
    Some(
        fields
            .optional("affiliateId", found.affiliate_id.as_deref())
            .optional("offerId", found.offer_id.as_deref())
            .into(),
    )
}

/// A pixel's or postback's URL and tag; see [`Pixel`]. `format` is `pb`, `img`, `js` or `iframe`.
/// The first given of `offer_id` and `advertiser_id` counts. `order` is the shop's order, as JSON.
///
/// # Errors
/// Those of [`Pixel::build`], [`commerce::query`] and [`Money::parse`].
#[expect(clippy::too_many_arguments, reason = "one for each part of the URL")]
#[wasm_bindgen(js_name = pixel)]
pub fn pixel(
    domain: &str,
    is_sandbox: bool,
    offer_id: Option<f64>,
    advertiser_id: Option<f64>,
    event_id: Option<f64>,
    click_id: Option<String>,
    transaction_id: Option<String>,
    price: Option<String>,
    payout: Option<String>,
    order: &str,
    format: &str,
) -> Result<JsValue, JsValue> {
    let domain = if is_sandbox {
        Domain::sandbox(domain)?
    } else {
        Domain::new(domain)?
    };
    let scope = match (offer_id, advertiser_id) {
        (None, Some(number)) => Scope::Advertiser(id(number)),
        (number, _) => Scope::Offer(number.map_or(0, id)),
    };
    let amount = |name, text: &Option<String>| {
        text.as_deref()
            .map(|text| Money::parse(name, text))
            .transpose()
    };
    let order = commerce::query(order)?;
    let pixel = Pixel {
        order: Some(&order),
        event_id: event_id.map(id),
        click_id: click_id.as_deref(),
        transaction_id: transaction_id.as_deref(),
        price: amount("price", &price)?,
        payout: amount("payout", &payout)?,
        format: match format {
            "img" => Format::Image,
            "js" => Format::JavaScript,
            "iframe" => Format::Iframe,
            _ => Format::Postback,
        },
        ..Pixel::new(domain, scope)
    };
    Ok(Fields::new()
        .set("url", pixel.build()?)
        .optional("tag", pixel.tag()?)
        .into())
}

#[expect(clippy::cast_precision_loss, reason = "ids end at 2^53-1")]
fn number(id: i64) -> f64 {
    id as f64
}
