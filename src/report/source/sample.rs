//! The first rows of a file as they were understood.

use super::Source;
use crate::report::names::{Fields, Kind, ROLES, Role};

impl Source {
    /// Keeps one of the first rows, to show how its columns were understood.
    #[inline]
    pub(in crate::report) fn note_sample(&mut self, fields: &Fields, input: &[u8]) {
        if self.samples.len() < 3 {
            self.add_sample(fields, input);
        }
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add_sample(&mut self, fields: &Fields, input: &[u8]) {
        let roles = (0_u8..).zip(ROLES_IN_ORDER);
        let sample = roles
            .filter(|&(_, role)| fields.kind(role) != Kind::Absent)
            .map(|(number, role)| {
                let text = self.decode(fields.text(role, input)).unwrap_or_default();
                (number, String::from_utf8_lossy(&text).into_owned())
            })
            .collect();
        self.samples.push(sample);
    }
}

const ROLES_IN_ORDER: [Role; ROLES] = [
    Role::UniqueId,
    Role::OrderId,
    Role::ClickId,
    Role::ConversionId,
    Role::Date,
    Role::Revenue,
    Role::Payout,
    Role::Status,
    Role::Currency,
    Role::OfferId,
    Role::AffiliateId,
    Role::SubId1,
    Role::SubId2,
    Role::SubId3,
    Role::SubId4,
    Role::SubId5,
    Role::Country,
    Role::Address,
    Role::State,
    Role::Kind,
    Role::Refunded,
    Role::Cancelled,
    Role::Captured,
    Role::Disputed,
    Role::Remaining,
    Role::RefundIds,
    Role::Charge,
    Role::Intent,
    Role::Test,
    Role::Parent,
    Role::LatestCharge,
    Role::Paid,
];
