//! Counts and sums by offer, affiliate and class.

use super::source::write_sum;
use super::{is_pair, not_yet};
use crate::Result;
use crate::report::Report;
use crate::report::judge::{CLASSES, Sum};
use crate::report::out::Writer;
use crate::report::store::{Head, NOBODY, OWN_ID};

impl Report {
    /// All rows by offer, affiliate and class: the sums of a class add up to those of [`result`](Self::result). An
    /// order with a conversion counts under the conversion's offer, any other order under its own.
    ///
    /// # Errors
    /// [`crate::Error::InvalidField`] while the reconciliation is not complete; [`crate::Error::ReportFull`].
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn by_pair(&mut self) -> Result<()> {
        if self.verdicts.is_none() {
            return Err(not_yet());
        }
        // Pair, class and currency are packed into one number; sorting the numbers counts them.
        let mut keys: Vec<(u64, u32, bool)> = Vec::new();
        let mut memory = self.memory;
        let key = |pair: u32, head: &Head, currency: u8| {
            u64::from(pair) << 16 | u64::from(head.class) << 8 | u64::from(currency)
        };
        for is_order in [true, false] {
            let mut next = self.side(is_order).first();
            while let Some(place) = next {
                next = self.side(is_order).next(place);
                let Some(head) = self.side(is_order).head(place) else {
                    continue;
                };
                let (pair, currency) = if !is_order {
                    (head.pair, head.currency)
                } else if is_pair(head.class)
                    && head.partner != NOBODY
                    && let Some(other) = self.conversions.head(head.partner)
                {
                    (other.pair, head.currency)
                } else {
                    let offer = self.orders.text(place, OWN_ID).to_vec();
                    let pair = self.pair(&offer, b"").map_err(|_| self.full())?;
                    (pair, head.currency)
                };
                let currency = match currency {
                    0 if !is_order => self.settings.account,
                    currency => currency,
                };
                let entry = (key(pair, &head, currency), place, is_order);
                if memory.extend(&mut keys, &[entry]).is_none() {
                    return Err(self.full());
                }
            }
        }
        keys.sort_unstable();
        let mut writer = Writer::default();
        writer.open('[');
        for group in keys.chunk_by(|one, other| one.0 == other.0) {
            let mut sum = Sum::default();
            for &(_, place, is_order) in group {
                if let Some(head) = self.side(is_order).head(place) {
                    sum.add(is_order, &head);
                }
            }
            let Some(&(key, ..)) = group.first() else {
                continue;
            };
            let (offer, affiliate) = self.pair_texts(u32::try_from(key >> 16).unwrap_or(0));
            writer.open('{');
            writer.text_of("offerId", offer);
            writer.text_of("affiliateId", affiliate);
            let class = usize::try_from(key >> 8 & 255).unwrap_or(0);
            let class = CLASSES.get(class).copied().unwrap_or("");
            writer.text_of("class", class.as_bytes());
            let currency = u32::try_from(key & 255).unwrap_or(0);
            writer.text_of("currency", self.currencies.text(currency));
            write_sum(&mut writer, &sum);
            writer.close('}');
        }
        writer.close(']');
        self.answer = writer.text;
        Ok(())
    }
}
