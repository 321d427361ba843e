//! The results as JSON text: how each source was understood, counts and sums, and rows page by page.

mod pairs;
mod source;

use super::judge::hints::difference;
use super::judge::{CLASSES, Class, Hint, REASONS, Sum, UNCLEAR, is_unclear};
use super::names::RowKind;
use super::out::Writer;
use super::source::{kind_name, settings};
use super::store::{CLICK_ID, IS_REFUND, IS_SAME_ID, NOBODY, ORDER_ID, OWN_ID, Store, UNIQUE_ID};
use super::{Report, flaw, refuse};
use crate::{Error, Result};
use source::{write_source, write_sum};

/// The keys by number, as callers write them.
const KEYS: [&str; 3] = ["uniqueId", "orderId", "clickId"];

/// The class of unreadable rows, after the judge's classes.
const UNREADABLE: usize = CLASSES.len();

/// The class of test orders that do not count.
const TEST_ORDER: usize = UNREADABLE + 1;

impl Report {
    /// How each file's columns and values were understood.
    pub fn understood(&mut self) {
        let mut writer = Writer::default();
        writer.open('[');
        for source in &self.sources {
            write_source(&mut writer, source);
        }
        writer.close(']');
        self.answer = writer.text;
    }

    /// Counts and sums of every class, by currency.
    ///
    /// # Errors
    /// [`Error::InvalidField`] while the reconciliation is not complete.
    pub fn result(&mut self) -> Result<()> {
        let verdicts = self.verdicts.as_ref().ok_or_else(not_yet)?;
        let mut writer = Writer::default();
        writer.open('{');
        writer.number_of("orders", u64::from(self.orders.rows()));
        writer.number_of("conversions", u64::from(self.conversions.rows()));
        let tests = self.bad.iter().filter(|bad| bad.is_test()).count();
        writer.number_of("unreadable", (self.bad.len() - tests) as u64);
        writer.number_of("hints", verdicts.hints.len() as u64);
        writer.key("lacksHints");
        writer.bool(verdicts.lacks_hints);
        writer.number_of("bytes", self.memory.used() as u64);
        writer.key("classes");
        writer.open('[');
        for (name, sums) in CLASSES.iter().zip(&verdicts.sums).skip(1) {
            for (currency, sum) in (0_u32..).zip(sums) {
                if sum.orders + sum.conversions == 0 {
                    continue;
                }
                writer.open('{');
                writer.text_of("class", name.as_bytes());
                writer.text_of("currency", self.currencies.text(currency));
                write_sum(&mut writer, sum);
                writer.close('}');
            }
        }
        if tests > 0 {
            writer.open('{');
            writer.text_of("class", b"test_order");
            let orders = tests as u64;
            write_sum(
                &mut writer,
                &Sum {
                    orders,
                    ..Sum::default()
                },
            );
            writer.close('}');
        }
        writer.close(']');
        writer.close('}');
        self.answer = writer.text;
        Ok(())
    }

    /// Rows from a cursor on, by `name=value` lines: `classes` (the wanted ones), `cursor`, `limit`. The answer
    /// has a cursor unless these rows are the last.
    ///
    /// # Errors
    /// [`Error::InvalidField`] names an unknown class.
    #[cfg_attr(small_cold, optimize(size))]
    pub fn rows(&mut self, options: &str) -> Result<()> {
        if self.verdicts.is_none() {
            return Err(not_yet());
        }
        let mut wanted = u32::MAX;
        let mut limit = 500;
        let mut cursor = (0_u8, self.orders.first(), 0_u32);
        for (name, value) in settings(options) {
            match name {
                "classes" => wanted = classes_of(value)?,
                "limit" => limit = value.parse().unwrap_or(500_usize).clamp(1, 10_000),
                "cursor" => {
                    let mut parts = value.split(':').map(|part| part.parse::<u32>().ok());
                    let side = parts.next().flatten().unwrap_or(0);
                    let place = parts.next().flatten();
                    let number = parts.next().flatten().unwrap_or(0);
                    cursor = (u8::try_from(side).unwrap_or(0), place, number);
                }
                _ => {}
            }
        }
        let mut writer = Writer::default();
        writer.open('{');
        writer.key("rows");
        writer.open('[');
        let (mut side, mut next, mut number) = cursor;
        let mut count = 0;
        // A step reads a limited number of rows, wanted or not.
        for _ in 0..65_536 {
            if count >= limit {
                break;
            }
            if side == 2 {
                let Some(bad) = self.bad.get(number as usize) else {
                    side = 3;
                    break;
                };
                number += 1;
                let class = if bad.is_test() {
                    TEST_ORDER
                } else {
                    UNREADABLE
                };
                if wanted & 1 << class != 0 {
                    count += 1;
                    self.write_bad(&mut writer, *bad);
                }
                continue;
            }
            let Some(place) = next else {
                side += 1;
                number = 0;
                next = if side == 1 {
                    self.conversions.first()
                } else {
                    None
                };
                continue;
            };
            let is_order = side == 0;
            let store = if is_order {
                &self.orders
            } else {
                &self.conversions
            };
            next = store.next(place);
            if let Some(head) = store.head(place) {
                // A pair is listed under its order.
                let is_listed = is_order || !is_pair(head.class) || head.partner == NOBODY;
                if is_listed && wanted & 1 << head.class != 0 {
                    count += 1;
                    self.write_row(&mut writer, is_order, place, number);
                }
            }
            number += 1;
        }
        writer.close(']');
        if side < 3 {
            let mut text = String::new();
            super::amount::write_digits(&mut text, u64::from(side), 1);
            for part in [next.unwrap_or(NOBODY), number] {
                text.push(':');
                if part == NOBODY {
                    text.push('-');
                } else {
                    super::amount::write_digits(&mut text, u64::from(part), 1);
                }
            }
            writer.text_of("cursor", text.as_bytes());
        }
        writer.close('}');
        self.answer = writer.text;
        Ok(())
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn write_row(&self, writer: &mut Writer, is_order: bool, place: u32, number: u32) {
        let store = if is_order {
            &self.orders
        } else {
            &self.conversions
        };
        let (Some(head), Some(verdicts)) = (store.head(place), &self.verdicts) else {
            return;
        };
        writer.open('{');
        let class = CLASSES.get(usize::from(head.class)).copied().unwrap_or("");
        writer.text_of("class", class.as_bytes());
        writer.key("reasons");
        writer.open('[');
        let mut other = None;
        if is_order && is_pair(head.class) && head.partner != NOBODY {
            other = Some(head.partner);
            if let Some(conversion) = self.conversions.head(head.partner) {
                let net = verdicts.net(place, &head);
                let reasons = self.settings.reasons(&head, net, &conversion);
                let is_torn = verdicts.is_torn(place);
                for (bit, reason) in REASONS.iter().enumerate() {
                    if reasons & 1 << bit != 0 && !(is_torn && reason.starts_with("refund")) {
                        writer.string(reason.as_bytes());
                    }
                }
            }
        } else if is_order && head.class == Class::MissingAtCake as u8 {
            if head.partner != NOBODY {
                let state = self.states.text(head.partner);
                let reason: &[u8] = if state == b"delivered" {
                    b"delivered_but_not_reported"
                } else {
                    state
                };
                writer.string(reason);
            } else if verdicts.near_events.binary_search(&place).is_ok() {
                writer.string(b"delivery_would_match");
            } else if self
                .sources
                .iter()
                .any(|source| source.kind == RowKind::Deliveries)
            {
                writer.string(b"never_handed_over");
            }
        } else if head.class == Class::OutsideWindow as u8 {
            let reasons = if is_order {
                ["order_outside_window", "missing_at_cake"]
            } else {
                ["conversion_outside_window", "unknown_to_advertiser"]
            };
            for reason in reasons {
                writer.string(reason.as_bytes());
            }
        }
        if is_order && head.class == Class::RefundUnclear as u8 && head.partner == NOBODY {
            writer.string(b"no_sale_to_correct");
        } else if is_order
            && (verdicts.is_torn(place)
                || head.class == Class::DuplicateOrder as u8 && verdicts.is_torn(head.partner))
        {
            writer.string(b"rows_contradict");
        } else if is_order && other.is_none() && is_unclear(&head, verdicts.net(place, &head)) {
            writer.string(b"refund_unclear");
        }
        if is_order && verdicts.may_be_refunded(place) {
            writer.string(b"refund_would_match");
        }
        writer.close(']');
        let name = if is_order { "order" } else { "conversion" };
        self.write_side(writer, name, is_order, place, Some(number));
        if let Some(other) = other {
            self.write_side(writer, "conversion", false, other, None);
        } else if head.partner != NOBODY
            && matches!(
                CLASSES.get(usize::from(head.class)),
                Some(&"duplicate_order" | &"duplicate_conversion" | &"refund" | &"read_twice")
            )
        {
            self.write_side(writer, "of", is_order, head.partner, None);
        }
        let may_match = [Class::MissingAtCake, Class::RefundUnclear].map(|class| class as u8);
        if is_order && other.is_none() && may_match.contains(&head.class) {
            self.write_hints(writer, place, &verdicts.hints);
        }
        writer.close('}');
    }

    /// The conversions whose keys are nearly an order's.
    #[cfg_attr(small_cold, optimize(size))]
    fn write_hints(&self, writer: &mut Writer, place: u32, hints: &[Hint]) {
        let from = hints.partition_point(|hint| hint.order < place);
        let near = hints
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|hint| hint.order == place);
        let mut is_first = true;
        for hint in near {
            if is_first {
                writer.key("wouldMatch");
                writer.open('[');
                is_first = false;
            }
            writer.open('{');
            let [ours, theirs] = hint.keys.map(usize::from);
            let key = KEYS.get(ours).copied().unwrap_or("");
            writer.text_of("key", key.as_bytes());
            let is_one_key = ours == theirs;
            if !is_one_key {
                let key = KEYS.get(theirs).copied().unwrap_or("");
                writer.text_of("conversionKey", key.as_bytes());
            }
            let ours = self.orders.text(place, ours);
            let theirs = self.conversions.text(hint.conversion, theirs);
            let is_refund = self
                .orders
                .head(place)
                .is_some_and(|head| head.flags & IS_REFUND != 0);
            let difference = match difference(ours, theirs, is_one_key) {
                "other_offer" if is_refund => "sale",
                difference => difference,
            };
            writer.text_of("without", difference.as_bytes());
            self.write_side(writer, "conversion", false, hint.conversion, None);
            writer.close('}');
        }
        if !is_first {
            writer.close(']');
        }
    }

    /// Writes a row under a name; neither where there is no such row.
    #[cfg_attr(small_cold, optimize(size))]
    fn write_side(
        &self,
        writer: &mut Writer,
        name: &str,
        is_order: bool,
        place: u32,
        number: Option<u32>,
    ) {
        let store = if is_order {
            &self.orders
        } else {
            &self.conversions
        };
        let Some(head) = store.head(place) else {
            return;
        };
        let texts = store.texts(place);
        let text = |which: usize| texts.get(which).copied().unwrap_or_default();
        writer.key(name);
        writer.open('{');
        self.write_place(
            writer,
            if is_order {
                RowKind::Orders
            } else {
                RowKind::Conversions
            },
            number.unwrap_or_else(|| store.number(place)),
        );
        writer.text_of("uniqueId", text(UNIQUE_ID));
        if head.flags & IS_SAME_ID == 0 || is_order {
            writer.text_of("orderId", text(ORDER_ID));
        }
        writer.text_of("clickId", text(CLICK_ID));
        if is_order {
            writer.text_of("offerId", text(OWN_ID));
        } else {
            let (offer, affiliate) = self.pair_texts(head.pair);
            writer.text_of("conversionId", text(OWN_ID));
            writer.text_of("offerId", offer);
            writer.text_of("affiliateId", affiliate);
        }
        writer.time_of("date", head.seconds);
        writer.amount_of("revenue", head.revenue);
        let (mut status, mut payout) = (head.status, head.payout);
        if is_order && let Some(verdicts) = &self.verdicts {
            let net = verdicts.net(place, &head);
            status = self.settings.status_after(&head, net);
            if net.revenue != head.revenue && net.revenue != UNCLEAR {
                writer.amount_of("revenueAfterRefunds", net.revenue);
            }
            payout = net.payout;
        }
        writer.amount_of("payout", head.payout);
        if payout != head.payout {
            writer.amount_of("payoutAfterRefunds", payout);
        }
        writer.text_of("currency", self.currencies.text(u32::from(head.currency)));
        writer.text_of("status", self.statuses.text(u32::from(status)));
        writer.close('}');
    }

    /// The file and line of a row, by the row's number in its store.
    fn write_place(&self, writer: &mut Writer, kind: RowKind, number: u32) {
        let source = self
            .sources
            .iter()
            .filter(|source| source.kind == kind)
            .take_while(|source| source.first_row <= number)
            .last();
        if let Some(source) = source {
            writer.text_of("file", source.name.as_bytes());
            let line = source.line_of(number - source.first_row);
            writer.number_of(
                if source.is_csv() { "line" } else { "row" },
                u64::from(line),
            );
        }
    }

    fn write_bad(&self, writer: &mut Writer, bad: super::Bad) {
        writer.open('{');
        writer.text_of(
            "class",
            if bad.is_test() {
                b"test_order"
            } else {
                b"unreadable"
            },
        );
        writer.key("reasons");
        writer.open('[');
        writer.string(
            flaw::NAMES
                .get(usize::from(bad.flaw))
                .copied()
                .unwrap_or("")
                .as_bytes(),
        );
        writer.close(']');
        writer.key("unreadable");
        writer.open('{');
        if let Some(source) = self.sources.get(bad.source as usize) {
            writer.text_of("of", kind_name(source.kind).as_bytes());
            writer.text_of("file", source.name.as_bytes());
            writer.number_of(
                if source.is_csv() { "line" } else { "row" },
                u64::from(bad.line),
            );
        }
        writer.text_of("text", self.excerpts.text(bad.excerpt));
        writer.close('}');
        writer.close('}');
    }

    /// The store of a side, for code that reads single rows.
    pub(super) fn side(&self, is_order: bool) -> &Store {
        if is_order {
            &self.orders
        } else {
            &self.conversions
        }
    }
}

/// Does the class mean an order with its conversion?
pub(super) fn is_pair(class: u8) -> bool {
    [
        Class::Matched,
        Class::RevenueDiffers,
        Class::PayoutDiffers,
        Class::StatusDiffers,
        Class::CurrencyDiffers,
        Class::RefundUnclear,
        Class::OutsideWindow,
    ]
    .into_iter()
    .any(|pair| pair as u8 == class)
}

fn classes_of(value: &str) -> Result<u32> {
    let mut wanted = 0;
    for name in value.split(',') {
        let class = CLASSES
            .iter()
            .position(|known| *known == name)
            .or((name == "unreadable").then_some(UNREADABLE))
            .or((name == "test_order").then_some(TEST_ORDER));
        let class = class.ok_or_else(|| {
            refuse(
                "classes",
                "must be some of matched, missing_at_cake, unknown_to_advertiser, duplicate_order, duplicate_conversion, revenue_differs, payout_differs, status_differs, currency_differs, outside_window, no_key, refund, refund_unclear, read_twice, unreadable and test_order",
            )
        })?;
        wanted |= 1 << class;
    }
    Ok(wanted)
}

pub(super) fn not_yet() -> Error {
    refuse(
        "report",
        "has not been reconciled since the last file was added: call reconcile() first",
    )
}
