//! What earns no credit.

use crate::report::out::Writer;

/// Conversions that are left out, and their payouts.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::report) struct LeftOut {
    count: u64,
    payout: i64,
}

impl LeftOut {
    pub(in crate::report) fn add(&mut self, payout: i64) {
        self.count += 1;
        self.payout += payout;
    }

    pub(super) fn write(self, writer: &mut Writer, name: &str) {
        writer.key(name);
        writer.open('{');
        writer.number_of("conversions", self.count);
        writer.amount_of("payout", self.payout);
        writer.close('}');
    }
}
