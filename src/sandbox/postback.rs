//! Which postbacks a conversion fires, and with what in them.

use super::{ClickRow, ConversionRow, Network};
use crate::macros::expand;

impl Network {
    /// The URLs to fetch now that `conversion` is recorded.
    pub(super) fn postbacks(&self, click: &ClickRow, conversion: &ConversionRow) -> Vec<String> {
        self.fixture
            .postbacks
            .iter()
            .filter(|postback| {
                postback.affiliate_id == conversion.affiliate_id
                    && (postback.offer_id == 0 || postback.offer_id == conversion.offer_id)
            })
            .map(|postback| {
                expand(&postback.postback_url, |name| match name {
                    "price" => Some(conversion.payout.clone()),
                    "status" => Some(conversion.conversion_status.clone()),
                    "tid" => Some(conversion.unique_id.clone().unwrap_or_default()),
                    other => click.token(other),
                })
            })
            .collect()
    }
}
