//! The rows that a network keeps. Field names are the tables' columns.

use serde::{Deserialize, Serialize};

/// A logged click.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ClickRow {
    /// The row's number: clicks are counted from 1.
    pub number: u64,
    /// The click id that the redirect carried.
    pub click_id: String,
    /// When, in the account's civil time.
    pub click_date: String,
    /// The offer that was shown.
    pub offer_id: u64,
    /// `a` of the link.
    pub affiliate_id: u64,
    /// `c` of the link.
    pub creative_id: u64,
    /// `s1` of the link.
    pub sub_id_1: Option<String>,
    /// `s2` of the link.
    pub sub_id_2: Option<String>,
    /// `s3` of the link.
    pub sub_id_3: Option<String>,
    /// `s4` of the link.
    pub sub_id_4: Option<String>,
    /// `s5` of the link.
    pub sub_id_5: Option<String>,
    /// The visitor's address.
    pub ip_address: Option<String>,
    /// The visitor's country, two letters.
    pub country: Option<String>,
    /// The first conversion that it became; looked up, not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_id: Option<u64>,
}

impl ClickRow {
    /// The sub ids, `s1` first.
    #[must_use]
    pub fn sub_ids(&self) -> [Option<&str>; 5] {
        [
            self.sub_id_1.as_deref(),
            self.sub_id_2.as_deref(),
            self.sub_id_3.as_deref(),
            self.sub_id_4.as_deref(),
            self.sub_id_5.as_deref(),
        ]
    }
}

/// A recorded conversion. Amounts are exact texts, and beside them whole
/// numbers of 1/10000 to sort and add by. A page of many may leave out what its
/// answer does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct ConversionRow {
    /// Its id.
    pub conversion_id: u64,
    /// The click that converted.
    pub click_id: String,
    /// The offer.
    pub offer_id: u64,
    /// Who is paid.
    pub affiliate_id: u64,
    /// What the affiliate gets.
    pub payout: String,
    /// The same in 1/10000.
    pub payout_units: u64,
    /// What the advertiser pays.
    pub revenue: String,
    /// The same in 1/10000.
    pub revenue_units: u64,
    /// The advertiser's transaction id.
    pub unique_id: Option<String>,
    /// Offer and unique id, where the offer deduplicates: never twice.
    pub dedupe_key: Option<String>,
    /// The advertiser's order reference.
    pub order_id: Option<String>,
    /// When, in the account's civil time.
    pub conversion_date: String,
    /// `approved` …
    pub conversion_status: String,
    /// `adv1` of the call.
    pub adv1: Option<String>,
    /// `adv2` of the call.
    pub adv2: Option<String>,
    /// `adv3` of the call.
    pub adv3: Option<String>,
    /// `adv4` of the call.
    pub adv4: Option<String>,
    /// `adv5` of the call.
    pub adv5: Option<String>,
    /// `e` of the pixel: the event.
    pub event_id: Option<u64>,
    /// `ect` of the pixel: what the customer paid.
    pub order_total: Option<String>,
    /// `eccu` of the pixel: three capital letters.
    pub currency: Option<String>,
    /// `ecc` of the pixel.
    pub coupons: Option<String>,
    /// `udid` of the pixel: the device's id.
    pub udid: Option<String>,
    /// What was noted on it.
    pub note: Option<String>,
    /// When it was recorded or changed last, in the account's civil time.
    pub updated_date: Option<String>,
    /// How often it has been moved or corrected.
    pub corrections: u32,
}

/// A postback that an affiliate has set up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PostbackRow {
    /// Its id.
    pub postback_id: u64,
    /// Whom to tell.
    pub affiliate_id: u64,
    /// Of which offer; 0 for all.
    pub offer_id: u64,
    /// Where, with macros.
    pub postback_url: String,
    /// `active` or `inactive`.
    pub postback_status: String,
    /// 1 server, 2 iframe, 3 image, 4 JavaScript.
    pub postback_type_id: u64,
}

/// One postback for one event: a row of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FiredRow {
    /// The row's number.
    pub fired_id: u64,
    /// The postback that was set up.
    pub postback_id: u64,
    /// The conversion that it tells of.
    pub conversion_id: u64,
    /// `conversion`, `approval` or `rejection`.
    pub event: String,
    /// `Server`, `iFrame`, `Image` or `JavaScript`.
    pub postback_type: String,
    /// The URL, macros expanded.
    pub url: String,
    /// `due`, `delivered`, `failed`, `refused` (not on the allow-list),
    /// `in_browser` (markup in a pixel's answer) or `undeliverable` (a browser
    /// type, and no browser).
    pub state: String,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was made: milliseconds since 1970.
    pub at_ms: u64,
    /// When the last answer came, or failed to.
    pub answered_ms: Option<u64>,
    /// When it is sent next, while it is `due`.
    pub next_ms: Option<u64>,
}
