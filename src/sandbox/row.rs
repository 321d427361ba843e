//! The rows that a network keeps. Field names are the table's columns.

use serde::{Deserialize, Serialize};

/// A logged click.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ClickRow {
    /// The click id that the redirect carried.
    pub click_id: String,
    /// When, in the account's civil time.
    pub click_date: String,
    /// The creative's offer.
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
    /// The conversion that it became, where it did.
    #[serde(default)]
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

/// A recorded conversion. Amounts are exact texts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
    /// What the advertiser pays.
    pub revenue: String,
    /// The advertiser's transaction id.
    pub unique_id: Option<String>,
    /// The advertiser's order reference.
    pub order_id: Option<String>,
    /// When, in the account's civil time.
    pub conversion_date: String,
    /// `approved` …
    pub conversion_status: String,
}
