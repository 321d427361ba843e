//! Corrections for CAKE: rows for its reconciliation tool (KB 13000040426) and for its bulk upload of conversions
//! (KB 13000118837). A machine reads these files: ids and amounts are not formatted for people.

use super::judge::Class;
use super::listing::{is_pair, not_yet};
use super::out::Writer;
use super::source::settings;
use super::store::{
    CLICK_ID, Head, IS_DAY, IS_SPARED, NO_AMOUNT, NO_TIME, NOBODY, ORDER_ID, OWN_ID, UNIQUE_ID,
};
use super::{Report, amount, day, refuse};
use crate::Result;

/// The reconciliation tool's columns. A payout replaces the old one and is never added: importing a file twice is
/// idempotent.
pub(super) const RECONCILIATION: [&str; 6] = [
    "Conversion ID",
    "Transaction ID",
    "Disposition",
    "Offer ID",
    "Payout",
    "Add to Existing Payout",
];

/// The bulk upload's columns: three required ones, then the optional ones.
pub(super) const UPLOAD: [&str; 7] = [
    "click_id",
    "offer_id",
    "conversion_date",
    "payout",
    "revenue",
    "unique_id",
    "order_id",
];

impl Report {
    /// Corrections from a cursor on, by `name=value` lines:
    ///
    /// - `file`: `reconciliation` or `upload`
    /// - `offer`, for orders without one
    /// - `reject`: classes whose conversions are to be rejected
    /// - `cursor`
    ///
    /// Each correction has the cells of its line, the amount that changes, and a key for the journal. A row that
    /// cannot be corrected has the reason instead. `unreadable` is the number of rows that could not be read: any
    /// correction may be wrong because of one.
    ///
    /// # Errors
    /// [`crate::Error::InvalidField`].
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn corrections(&mut self, options: &str) -> Result<()> {
        if self.verdicts.is_none() {
            return Err(not_yet());
        }
        let mut is_upload = false;
        let mut offer = "";
        let mut reject = "duplicate_conversion";
        let mut cursor = None;
        for (name, value) in settings(options) {
            match name {
                "file" => {
                    is_upload = match value {
                        "upload" => true,
                        "reconciliation" => false,
                        _ => return Err(refuse("file", "must be reconciliation or upload")),
                    }
                }
                "offer" => offer = value,
                "reject" => reject = value,
                "cursor" => cursor = value.parse().ok(),
                _ => {}
            }
        }
        // Rows that nearly match: the sale is there, under a key that is spelt in another way.
        let hints = self.verdicts.iter().flat_map(|verdicts| &verdicts.hints);
        let mut near: Vec<u32> = hints
            .map(|hint| {
                if is_upload {
                    hint.order
                } else {
                    hint.conversion
                }
            })
            .collect();
        near.sort_unstable();
        let store = self.side(is_upload);
        let mut next = match cursor {
            Some(place) => Some(place),
            None => store.first(),
        };
        let mut writer = Writer::default();
        writer.open('{');
        writer.key("columns");
        writer.open('[');
        let columns: &[&str] = if is_upload { &UPLOAD } else { &RECONCILIATION };
        for column in columns {
            writer.string(column.as_bytes());
        }
        writer.close(']');
        writer.key("corrections");
        writer.open('[');
        for _ in 0..16_384 {
            let Some(place) = next else { break };
            next = store.next(place);
            let Some(head) = store.head(place) else { break };
            if is_upload {
                self.write_upload(&mut writer, place, &head, (offer, &near));
            } else {
                self.write_correction(&mut writer, place, &head, (reject, &near));
            }
        }
        writer.close(']');
        writer.number_of("unreadable", self.unreadable_rows());
        if let Some(place) = next {
            writer.number_of("cursor", u64::from(place));
        }
        writer.close('}');
        self.answer = writer.text;
        Ok(())
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn write_upload(
        &self,
        writer: &mut Writer,
        place: u32,
        head: &Head,
        (offer, near): (&str, &[u32]),
    ) {
        if head.class != Class::MissingAtCake as u8 {
            return;
        }
        // An order that the forwarder has queued or delivered would count twice.
        let state = self.states.text(if head.partner == NOBODY {
            0
        } else {
            head.partner
        });
        let texts = self.orders.texts(place);
        let text = |which: usize| texts.get(which).copied().unwrap_or_default();
        let own_offer = match text(OWN_ID) {
            [] => offer.as_bytes(),
            own => own,
        };
        let date = time(head);
        let net = self
            .verdicts
            .as_ref()
            .map_or(head.revenue, |verdicts| verdicts.net(place, head));
        let account = self.settings.account;
        let lacks = if matches!(state, b"pending" | b"delivered") {
            "the_forwarder_has_it"
        } else if !matches!(state, b"" | b"dead" | b"refused") {
            "the_forwarder_holds_it"
        } else if near.binary_search(&place).is_ok() {
            "would_match"
        } else if !self.counts(head.status) {
            "not_approved"
        } else if net != NO_AMOUNT && net <= 0 && net != head.revenue {
            "refunded"
        } else if head.currency != 0 && account != 0 && head.currency != account {
            "currency_differs"
        } else if text(CLICK_ID).is_empty() {
            "no_click_id"
        } else if own_offer.is_empty() {
            "no_offer_id"
        } else if date.is_empty() {
            "no_date"
        } else {
            ""
        };
        let cells = [
            text(CLICK_ID).to_vec(),
            own_offer.to_vec(),
            date,
            written(head.payout),
            written(net),
            text(UNIQUE_ID).to_vec(),
            text(ORDER_ID).to_vec(),
        ];
        let moved = if head.payout == NO_AMOUNT {
            net
        } else {
            head.payout
        };
        write_line(writer, "upload", &cells, moved, lacks);
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn write_correction(
        &self,
        writer: &mut Writer,
        place: u32,
        head: &Head,
        (reject, near): (&str, &[u32]),
    ) {
        let Some(verdicts) = &self.verdicts else {
            return;
        };
        let texts = self.conversions.texts(place);
        let text = |which: usize| texts.get(which).copied().unwrap_or_default();
        let (offer, _) = self.pair_texts(head.pair);
        let name = super::judge::CLASSES
            .get(usize::from(head.class))
            .copied()
            .unwrap_or("");
        let is_rejected = reject.split(',').any(|class| class == name);
        let mut status = head.status;
        let mut disposition: Vec<u8> = Vec::new();
        let mut payout = NO_AMOUNT;
        let mut lacks = "";
        if is_rejected && !is_pair(head.class) {
            if !self.counts(status) && self.settings.rank(status) > 1 {
                // It is rejected or taken back already.
                return;
            }
            disposition = b"rejected".to_vec();
            status = u8::MAX;
            if head.flags & IS_SPARED != 0 {
                lacks = self.why_spared(place, head);
            } else if near.binary_search(&place).is_ok() {
                lacks = "would_match";
            }
        } else if is_pair(head.class)
            && head.class != Class::Matched as u8
            && head.class != Class::OutsideWindow as u8
            && head.partner != NOBODY
            && let Some(order) = self.orders.head(head.partner)
        {
            if order.status != 0 && !self.settings.is_same_status(order.status, status) {
                disposition = self.statuses.text(u32::from(order.status)).to_vec();
                status = order.status;
            }
            if order.payout != NO_AMOUNT
                && order.payout != head.payout
                && self.settings.is_same_currency(&order, head)
            {
                payout = order.payout;
            }
            // The reconciliation tool has no revenue column: a person must correct such a difference.
            if disposition.is_empty() && payout == NO_AMOUNT {
                if verdicts.net(head.partner, &order) == NO_AMOUNT {
                    return;
                }
                lacks = if self.settings.is_same_currency(&order, head) {
                    "only_revenue_differs"
                } else {
                    "currency_differs"
                };
            }
        } else {
            return;
        }
        let cells = [
            text(OWN_ID).to_vec(),
            // The tool takes one of the two ids; the conversion id identifies the row more precisely.
            if text(OWN_ID).is_empty() {
                text(UNIQUE_ID).to_vec()
            } else {
                Vec::new()
            },
            disposition,
            offer.to_vec(),
            written(payout),
            b"FALSE".to_vec(),
        ];
        // What counted before, and what will: a payout of a status that does not count is nothing.
        let owed = |status, payout: i64| {
            if self.counts(status) && payout != NO_AMOUNT {
                payout
            } else {
                0
            }
        };
        let to_be = if payout == NO_AMOUNT {
            head.payout
        } else {
            payout
        };
        let moved = owed(status, to_be) - owed(head.status, head.payout);
        if lacks.is_empty() && text(OWN_ID).is_empty() && text(UNIQUE_ID).is_empty() {
            lacks = "no_conversion_id";
        }
        write_line(writer, "reconciliation", &cells, moved, lacks);
    }

    /// Why a repetition is no reason to reject: rows share only their click, or orders repeat as well.
    #[cfg_attr(small_cold, optimize(size))]
    fn why_spared(&self, place: u32, head: &Head) -> &'static str {
        let is_shared = [UNIQUE_ID, ORDER_ID].into_iter().any(|which| {
            let own = self.conversions.text(place, which);
            !own.is_empty() && own == self.conversions.text(head.partner, which)
        });
        if is_shared {
            "orders_repeat_too"
        } else {
            "shares_only_its_click"
        }
    }

    /// Does a status count? Money of the others is not owed.
    pub(super) fn counts(&self, status: u8) -> bool {
        status == 0 || self.statuses.known(b"approved") == Some(u32::from(status))
    }
}

fn time(head: &Head) -> Vec<u8> {
    let mut text = String::new();
    if head.seconds != NO_TIME {
        day::write(&mut text, head.seconds);
        // A day without a time becomes its first second: bulk uploads require a time.
        debug_assert!(head.flags & IS_DAY == 0 || text.ends_with("00:00:00"));
    }
    text.into_bytes()
}

fn written(units: i64) -> Vec<u8> {
    let mut text = String::new();
    if units != NO_AMOUNT {
        amount::write(&mut text, units);
    }
    text.into_bytes()
}

#[cfg_attr(small_cold, optimize(size))]
fn write_line(writer: &mut Writer, file: &str, cells: &[Vec<u8>], moved: i64, lacks: &str) {
    writer.open('{');
    if lacks.is_empty() {
        writer.key("journal");
        let mut key = file.as_bytes().to_vec();
        for cell in cells {
            key.push(b' ');
            key.extend(
                cell.iter()
                    .map(|&byte| if byte == b' ' { b'_' } else { byte }),
            );
        }
        writer.string(&key);
    } else {
        writer.text_of("skipped", lacks.as_bytes());
    }
    writer.key("cells");
    writer.open('[');
    for cell in cells {
        writer.string(cell);
    }
    writer.close(']');
    writer.amount_of("amount", if moved == NO_AMOUNT { 0 } else { moved.abs() });
    writer.close('}');
}
