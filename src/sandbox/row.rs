//! The rows that a network stores. Field names are the tables' columns.

use serde::{Deserialize, Serialize};

/// A logged click.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ClickRow {
    /// The row's number: clicks are counted from 1.
    pub(crate) number: u64,
    /// The click id in the redirect.
    pub(crate) click_id: String,
    /// The time, in the account's civil time.
    pub(crate) click_date: String,
    /// The offer of the link.
    pub(crate) offer_id: u64,
    /// `a` of the link.
    pub(crate) affiliate_id: u64,
    /// `c` of the link.
    pub(crate) creative_id: u64,
    /// `s1` of the link.
    pub(crate) sub_id_1: Option<String>,
    /// `s2` of the link.
    pub(crate) sub_id_2: Option<String>,
    /// `s3` of the link.
    pub(crate) sub_id_3: Option<String>,
    /// `s4` of the link.
    pub(crate) sub_id_4: Option<String>,
    /// `s5` of the link.
    pub(crate) sub_id_5: Option<String>,
    /// The visitor's address.
    pub(crate) ip_address: Option<String>,
    /// The visitor's country, two letters.
    pub(crate) country: Option<String>,
    /// The first conversion of the click; looked up, not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_id: Option<u64>,
}

impl ClickRow {
    /// The sub ids, `s1` first.
    #[must_use]
    pub(crate) fn sub_ids(&self) -> [Option<&str>; 5] {
        [
            self.sub_id_1.as_deref(),
            self.sub_id_2.as_deref(),
            self.sub_id_3.as_deref(),
            self.sub_id_4.as_deref(),
            self.sub_id_5.as_deref(),
        ]
    }
}

/// A recorded conversion. Amounts are exact texts, with whole numbers of 1/10000 beside them for
/// sorting and adding. A page of rows may leave out columns that its answer does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct ConversionRow {
    /// Its id.
    pub(crate) conversion_id: u64,
    /// The click of the conversion.
    pub(crate) click_id: String,
    /// The offer.
    pub(crate) offer_id: u64,
    /// The affiliate.
    pub(crate) affiliate_id: u64,
    /// The affiliate's payout.
    pub(crate) payout: String,
    /// The payout in 1/10000.
    pub(crate) payout_units: u64,
    /// The advertiser's price.
    pub(crate) revenue: String,
    /// The price in 1/10000.
    pub(crate) revenue_units: u64,
    /// The advertiser's transaction id.
    pub(crate) unique_id: Option<String>,
    /// Offer and unique id, where the offer deduplicates: unique in the table.
    pub(crate) dedupe_key: Option<String>,
    /// The advertiser's order reference.
    pub(crate) order_id: Option<String>,
    /// The time, in the account's civil time.
    pub(crate) conversion_date: String,
    /// The status, such as `approved`.
    pub(crate) conversion_status: String,
    /// `adv1` of the call.
    pub(crate) adv1: Option<String>,
    /// `adv2` of the call.
    pub(crate) adv2: Option<String>,
    /// `adv3` of the call.
    pub(crate) adv3: Option<String>,
    /// `adv4` of the call.
    pub(crate) adv4: Option<String>,
    /// `adv5` of the call.
    pub(crate) adv5: Option<String>,
    /// `e` of the pixel: the event.
    pub(crate) event_id: Option<u64>,
    /// `ect` of the pixel: the customer's total.
    pub(crate) order_total: Option<String>,
    /// `eccu` of the pixel: three capital letters.
    pub(crate) currency: Option<String>,
    /// `ecc` of the pixel.
    pub(crate) coupons: Option<String>,
    /// `udid` of the pixel: the device's id.
    pub(crate) udid: Option<String>,
    /// The appended note.
    pub(crate) note: Option<String>,
    /// The time of the last change, in the account's civil time.
    pub(crate) updated_date: Option<String>,
    /// The number of moves and corrections.
    pub(crate) corrections: u32,
}

/// A postback of an affiliate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct PostbackRow {
    /// Its id.
    pub(crate) postback_id: u64,
    /// The affiliate.
    pub(crate) affiliate_id: u64,
    /// The offer; 0 for all.
    pub(crate) offer_id: u64,
    /// The URL, with macros.
    pub(crate) postback_url: String,
    /// `active` or `inactive`.
    pub(crate) postback_status: String,
    /// 1 server, 2 iframe, 3 image, 4 JavaScript.
    pub(crate) postback_type_id: u64,
}

/// A row of the postback log: one postback for one event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct FiredRow {
    /// The row's number.
    pub(crate) fired_id: u64,
    /// The postback's id.
    pub(crate) postback_id: u64,
    /// The conversion's id.
    pub(crate) conversion_id: u64,
    /// `conversion`, `approval` or `rejection`.
    pub(crate) event: String,
    /// `Server`, `iFrame`, `Image` or `JavaScript`.
    pub(crate) postback_type: String,
    /// The URL, macros expanded.
    pub(crate) url: String,
    /// `due`, `delivered`, `failed`, `refused` (not on the allow-list), `in_browser` (markup in a
    /// pixel's answer) or `undeliverable` (a browser type without a browser).
    pub(crate) state: String,
    /// The HTTP status of the last answer.
    pub(crate) status: Option<u16>,
    /// The number of attempts.
    pub(crate) attempts: u32,
    /// The time of creation: milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// The time of the last attempt's end.
    pub(crate) answered_ms: Option<u64>,
    /// The time of the next attempt, while the row is `due`.
    pub(crate) next_ms: Option<u64>,
}
