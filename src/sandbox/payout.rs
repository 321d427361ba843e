//! Payout rules: the revenue and payout of a conversion, and the balance of each affiliate. All
//! decimals are exact.

use super::Network;
use super::fixture::{Approval, CapPeriod, CapScope, Offer};
use super::plan::ConversionFilter;
use super::rate::Rate;
use crate::Result;
use crate::money::Money;
use serde::{Deserialize, Serialize};

/// The amounts of a conversion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth {
    pub(super) payout: Money,
    pub(super) revenue: Money,
}

/// The sum of one affiliate's conversions in one status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Sum {
    /// The affiliate.
    pub(crate) affiliate_id: u64,
    /// The status.
    pub(crate) conversion_status: String,
    /// The number of conversions.
    pub(crate) conversions: u64,
    /// Their payouts, in 1/10000.
    pub(crate) payout_units: u64,
}

/// The balance of an affiliate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Balance {
    /// The affiliate.
    pub(crate) affiliate_id: u64,
    /// Its name.
    pub(crate) affiliate_name: String,
    /// The number of conversions, in any status.
    pub(crate) conversions: u64,
    /// The number of approved conversions.
    pub(crate) approved: u64,
    /// The amount owed: the sum of the approved payouts only.
    pub(crate) owed: String,
    /// The sum of the pending payouts.
    pub(crate) pending: String,
}

impl Network {
    /// The amounts of a conversion: those of the call, else the campaign's rate, else the offer's.
    pub(super) fn worth(
        &self,
        offer: &Offer,
        affiliate_id: u64,
        payout: Option<&str>,
        revenue: Option<&str>,
    ) -> Result<Worth> {
        let revenue = Money::parse("revenue", revenue.unwrap_or(&offer.revenue))?;
        let payout = match payout {
            Some(amount) => Money::parse("payout", amount)?,
            None => self
                .fixture
                .campaign(affiliate_id, offer.offer_id)
                .and_then(|campaign| campaign.payout.as_deref())
                .and_then(Rate::read)
                .or_else(|| Rate::read(&offer.payout))
                .map(|rate| rate.of(revenue))
                .unwrap_or_default(),
        };
        Ok(Worth { payout, revenue })
    }

    /// The status of a conversion under the offer's or the campaign's terms.
    pub(super) fn first_status(&self, offer: &Offer, affiliate_id: u64) -> &'static str {
        let approval = self
            .fixture
            .campaign(affiliate_id, offer.offer_id)
            .and_then(|campaign| campaign.approval)
            .unwrap_or(offer.approval);
        match approval {
            Approval::Automatic => "approved",
            Approval::Manual => "pending",
        }
    }

    /// The balances of the affiliates, in the fixture's order.
    #[must_use]
    pub(crate) fn balances(&self, sums: &[Sum]) -> Vec<Balance> {
        self.fixture
            .affiliates
            .iter()
            .map(|affiliate| {
                let own = || {
                    sums.iter()
                        .filter(|sum| sum.affiliate_id == affiliate.affiliate_id)
                };
                let units = |status: &str| {
                    own()
                        .filter(|sum| sum.conversion_status == status)
                        .map(|sum| sum.payout_units)
                        .sum()
                };
                Balance {
                    affiliate_id: affiliate.affiliate_id,
                    affiliate_name: affiliate.affiliate_name.clone(),
                    conversions: own().map(|sum| sum.conversions).sum(),
                    approved: own()
                        .filter(|sum| sum.conversion_status == "approved")
                        .map(|sum| sum.conversions)
                        .sum(),
                    owed: amount(units("approved")),
                    pending: amount(units("pending")),
                }
            })
            .collect()
    }
}

/// The conversions that count against an offer's cap, for a conversion at `date`.
pub(super) fn capped(
    offer: &Offer,
    affiliate_id: u64,
    date: &str,
) -> Option<(u64, ConversionFilter)> {
    let cap = offer.cap?;
    // Civil times compare as text: a day is a common prefix.
    let period = match cap.per {
        CapPeriod::Day => date.get(..10),
        CapPeriod::Month => date.get(..7),
        CapPeriod::Ever => None,
    };
    let filter = ConversionFilter {
        from: period.map(str::to_owned),
        before: period.map(|period| format!("{period}~")),
        offer_ids: Some(vec![offer.offer_id]),
        affiliate_id: (cap.of == CapScope::Affiliate).then_some(affiliate_id),
        statuses: Some(vec!["approved".to_owned(), "pending".to_owned()]),
        sort: "conversion_date",
        ..ConversionFilter::default()
    };
    Some((cap.conversions, filter))
}

/// The exact sum that is owed to all affiliates.
#[must_use]
pub(crate) fn owed(sums: &[Sum]) -> String {
    amount(
        sums.iter()
            .filter(|sum| sum.conversion_status == "approved")
            .map(|sum| sum.payout_units)
            .sum(),
    )
}

/// Units of 1/10000 as an amount with at least two places.
pub(super) fn amount(units: u64) -> String {
    let (whole, fraction) = (units / 10_000, units % 10_000);
    if fraction.is_multiple_of(100) {
        format!("{whole}.{:02}", fraction / 100)
    } else {
        format!("{whole}.{fraction:04}")
    }
}
