//! The forwarder for JavaScript: reads what callers hand over, hashes keys, finds their shards.

use super::to_integer;
use crate::api::json::{push_string, repeated_name as repeated_name_of};
use crate::delivery::correction::{self, CorrectionBody};
use crate::delivery::event::{Caller, RequestBody, key_of, read};
use crate::delivery::id;
use crate::delivery::shards::{Reply, number_of};
use crate::delivery::shop::order_update::{Moment, OrderUpdate};
use crate::delivery::{Correction, Event, Relation, ShardMap};
use crate::{Error, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads a body that a caller handed over; see [`read`]. Returns JSON: for one conversion `{ key,
/// claim, offerId, text }`, for several a list. A bad item of a list is `{ error: { code, rule,
/// parameter, retryable } }`. A single bad conversion is thrown.
///
/// `click_ids` are the signed cookie's, separated by spaces. `is_pixel` says that the conversions go
/// to `p.ashx`, which takes an event's id and an order. `latest` is the latest civil time that a
/// conversion may have, or empty.
///
/// # Errors
/// Those of [`read`].
#[wasm_bindgen(js_name = readConversions)]
pub fn read_conversions(
    body: &str,
    account: &str,
    is_signed: bool,
    click_ids: &str,
    is_pixel: bool,
    latest: &str,
) -> Result<String, JsValue> {
    let caller = Caller {
        is_signed,
        click_ids,
        is_pixel,
        latest: Some(latest).filter(|latest| !latest.is_empty()),
    };
    let mut out = String::with_capacity(2 * body.len() + 256);
    match read(body, caller)? {
        RequestBody::One(event) => push_event(&mut out, &event, account)?,
        RequestBody::Many(events) => {
            push_list(&mut out, events, |out, event| {
                push_event(out, &event, account)
            })?;
        }
    }
    Ok(out)
}

/// Reads a body of corrections; see [`crate::delivery::correction::read_corrections`]. Returns
/// JSON: for one `{ key, claim, conversionKey, offerId, text }`, for several a list, as in
/// [`read_conversions`].
///
/// # Errors
/// Those of [`crate::delivery::correction::read_corrections`].
#[wasm_bindgen(js_name = readCorrections)]
pub fn read_corrections(body: &str, account: &str) -> Result<String, JsValue> {
    let mut out = String::with_capacity(2 * body.len() + 256);
    match crate::delivery::correction::read_corrections(body)? {
        CorrectionBody::One(correction) => push_correction(&mut out, &correction, account)?,
        CorrectionBody::Many(corrections) => {
            push_list(&mut out, corrections, |out, correction| {
                push_correction(out, &correction, account)
            })?;
        }
    }
    Ok(out)
}

/// Writes a list in which a bad item is its error.
fn push_list<Item>(
    out: &mut String,
    items: Vec<Result<Item>>,
    push: impl Fn(&mut String, Item) -> Result<()>,
) -> Result<()> {
    let mut mark = '[';
    for item in items {
        out.push(mark);
        mark = ',';
        match item {
            Ok(item) => push(out, item)?,
            Err(error) => push_error(out, &error),
        }
    }
    out.push(']');
    Ok(())
}

fn push_correction(out: &mut String, correction: &Correction, account: &str) -> Result<()> {
    for (name, value) in [
        ("{\"key\":", correction.key(account)),
        (",\"claim\":", correction.claim(account)),
        (",\"conversionKey\":", correction.conversion_key(account)),
        (",\"text\":", correction.text()?),
    ] {
        out.push_str(name);
        push_string(out, &value);
    }
    out.push_str(",\"offerId\":");
    crate::url::push_number(out, correction.offer_id(), 10);
    out.push('}');
    Ok(())
}

fn push_event(out: &mut String, event: &Event, account: &str) -> Result<()> {
    let text = event.text()?;
    for (name, value) in [
        ("{\"key\":", event.key(account).as_str()),
        (",\"claim\":", &event.claim(account)),
        (",\"text\":", &text),
    ] {
        out.push_str(name);
        push_string(out, value);
    }
    out.push_str(",\"offerId\":");
    crate::url::push_number(out, event.params().offer_id, 10);
    out.push('}');
    Ok(())
}

fn push_error(out: &mut String, error: &Error) {
    for (name, value) in [
        ("{\"error\":{\"code\":", error.code()),
        (",\"rule\":", error.rule()),
        (",\"parameter\":", error.parameter().unwrap_or_default()),
    ] {
        out.push_str(name);
        push_string(out, value);
    }
    out.push_str(",\"retryable\":false}}");
}

/// Adds what a shop's webhook tells to the ledger of an order, and says which correction follows;
/// see [`OrderUpdate::settle`]. Everything is JSON but `ledger`, a text of the core's own, which was last written at
/// `told_ms`.
///
/// # Errors
/// Those of [`OrderUpdate::read`] and [`OrderUpdate::settle`].
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands lists over by value"
)]
#[wasm_bindgen(js_name = settleOrder)]
pub fn settle_order(
    update: &str,
    ledger: &str,
    conversion: &str,
    corrections: Vec<String>,
    now_ms: f64,
    told_ms: f64,
) -> Result<String, JsValue> {
    let update = OrderUpdate::read(update)?;
    let at = Moment {
        now_ms: to_integer(now_ms),
        told_ms: to_integer(told_ms),
    };
    let settled = update.settle(ledger, conversion, &corrections, at)?;
    Ok(serde_json::to_string(&settled).map_err(|_| Error::Internal)?)
}

/// The key of a shop's order: that of its conversion.
#[must_use]
#[wasm_bindgen(js_name = orderKey)]
pub fn order_key(account: &str, offer_id: f64, unique_id: &str) -> String {
    key_of(account, to_integer(offer_id), unique_id)
}

/// Does a stored event have this claim, whatever the account's text in front of it?
///
/// # Errors
/// Those of [`Event::from_text`].
#[wasm_bindgen(js_name = isClaimOf)]
pub fn is_claim_of(text: &str, claim: &str) -> Result<bool, JsValue> {
    Ok(correction::is_claim_of(text, claim)?)
}

/// The first name that a JSON text gives twice within one object, at any depth; empty without one.
#[must_use]
#[wasm_bindgen(js_name = repeatedName)]
pub fn repeated_name(json: &str) -> String {
    repeated_name_of(json).unwrap_or_default()
}

/// Compares two events of one key by their canonical texts: `same`, `adds_money`, `lacks_money` or
/// `conflict`; see [`Relation`].
///
/// # Errors
/// Those of [`Relation::from_texts`].
#[wasm_bindgen(js_name = compareEvents)]
pub fn compare_events(stored: &str, given: &str) -> Result<String, JsValue> {
    Ok(Relation::from_texts(stored, given)?.word().to_owned())
}

/// The hash of a text; see [`id::hash`].
#[must_use]
#[wasm_bindgen]
pub fn hash(text: &str) -> String {
    id::hash(text)
}

/// A hasher with a key; see [`id::IdKey`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct IdKey(id::IdKey);

#[wasm_bindgen]
impl IdKey {
    /// Takes the key, which may be any text.
    ///
    /// # Errors
    /// Those of [`id::IdKey::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(key: &str) -> Result<Self, JsValue> {
        Ok(Self(id::IdKey::new(key)?))
    }

    /// The hash of a text.
    #[must_use]
    pub fn hash(&self, text: &str) -> String {
        self.0.hash(text)
    }
}

/// The shards of each key; see [`ShardMap`]. Hashes are hexadecimal.
#[wasm_bindgen(js_name = ShardMap)]
#[derive(Debug)]
pub struct Shards(ShardMap);

#[wasm_bindgen(js_class = ShardMap)]
impl Shards {
    /// The map of `shards` shards, and of the former numbers, the latest first.
    ///
    /// # Errors
    /// Those of [`ShardMap::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(shards: u32, former: Vec<u32>) -> Result<Self, JsValue> {
        Ok(Self(ShardMap::new(shards, former)?))
    }

    /// The number of shards in all, also those of the former numbers.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.0.size()
    }

    /// The shard that a key belongs to, by its hash.
    ///
    /// # Errors
    /// Those of [`number_of`].
    pub fn home(&self, hash: &str) -> Result<u32, JsValue> {
        Ok(self.0.home(number_of(hash)?))
    }

    /// Where a key may be; see [`ShardMap::sites`].
    ///
    /// # Errors
    /// Those of [`number_of`].
    pub fn sites(&self, hash: &str) -> Result<Vec<u32>, JsValue> {
        Ok(self.0.sites(number_of(hash)?))
    }

    /// A shard's first step with a key, in the words of [`ShardMap::first`].
    ///
    /// # Errors
    /// Those of [`number_of`].
    pub fn first(
        &self,
        own: u32,
        hash: &str,
        is_here: bool,
        is_handed_on: bool,
    ) -> Result<String, JsValue> {
        let hash = number_of(hash)?;
        Ok(self.0.first(own, hash, is_here, is_handed_on).words())
    }

    /// A shard's step after the replies of these shards, in the words of [`ShardMap::next`].
    #[must_use]
    pub fn next(sites: Vec<u32>, replies: Vec<String>) -> String {
        let replies: Vec<_> = sites
            .into_iter()
            .zip(replies.into_iter().map(|word| Reply::from_word(&word)))
            .collect();
        ShardMap::next(&replies).words()
    }

    /// A shard's reply to another that wants to keep a key: the word of [`ShardMap::reply`].
    ///
    /// # Errors
    /// Those of [`number_of`].
    pub fn reply(
        &self,
        keeper: u32,
        hash: &str,
        is_here: bool,
        is_held: bool,
    ) -> Result<String, JsValue> {
        let reply = self.0.reply(keeper, number_of(hash)?, is_here, is_held);
        Ok(reply.word().to_owned())
    }
}
