//! Corrections for CAKE: rows for its reconciliation tool (KB 13000040426) and for its bulk upload of conversions
//! (KB 13000118837). A machine reads these files: ids and amounts are not formatted for people.

mod borders;
mod change;
mod doubtful;
mod held;
mod lent;
mod named;
mod written;

use super::judge::{Class, Net, UNCLEAR, is_unclear};
use super::listing::{is_pair, not_yet};
use super::out::Writer;
use super::source::settings;
use super::store::{
    CLICK_ID, Head, IS_DAY, IS_SPARED, NO_AMOUNT, NO_TIME, NOBODY, ORDER_ID, OWN_ID, UNIQUE_ID,
};
use super::{Report, amount, day, refuse};
use crate::{Error, Result, click_id};
use change::Change;
use held::Held;
use named::{is_id, is_reference};
use written::Written;

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

/// The statuses that CAKE's files and its older services have.
const DISPOSITIONS: [&[u8]; 5] = [
    b"approved",
    b"pending",
    b"rejected",
    b"reversed",
    b"returned",
];

/// What the files of one reconciliation need besides its verdicts, once one of them needs it.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What holds rejections, and uploads, back.
    held: [Option<Held>; 2],
    /// Conversions of which the order does not say which one stands, sorted; once a correction needs them.
    doubtful: Option<Vec<u32>>,
    /// Unknown conversions whose id is nearly that of an order, each with the order; once a correction needs them.
    near_orders: Option<Vec<(u32, u32)>>,
    /// The memory did not suffice for their search.
    lacks_near_orders: bool,
    /// The sales of the journal.
    written: Option<Written>,
}

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
    /// - `journal`, without a cursor: a line of an earlier upload; one for each, in their order
    /// - `cursor`
    ///
    /// Each correction has the cells of its line, the amount that changes, and a line for the journal: file, row, the
    /// cells, and what CAKE says now. `like` has the numbers of the journal's lines that may be the same sale. A row
    /// that cannot be corrected has the reason instead. `unreadable` is the number of rows that could not be read: any
    /// correction may be wrong because of one. `unknown` marks a correction of which nobody knows the amount. `keyless` is the number of rows that cannot be compared, and marks the
    /// corrections that one of them may mean.
    ///
    /// # Errors
    /// [`Error::InvalidField`]; [`Error::InvalidId`] for the offer; [`Error::ReportFull`].
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn corrections(&mut self, options: &str) -> Result<()> {
        if self.verdicts.is_none() {
            return Err(not_yet());
        }
        let mut is_upload = false;
        let mut offer = "";
        let mut reject = "duplicate_conversion";
        let mut cursor = None;
        let mut journal = Vec::new();
        for (name, value) in settings(options) {
            match name {
                "journal" => journal.push(value),
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
        if !offer.is_empty() && !is_id(offer.as_bytes()) {
            let parameter = "offerId";
            return Err(Error::InvalidId { parameter });
        }
        if !is_upload {
            self.find_names()?;
            self.find_near_orders(reject.contains("unknown"));
            self.find_doubtful()?;
        }
        if is_upload || reject.contains("unknown") {
            self.find_held(is_upload);
        }
        if is_upload && cursor.is_none() {
            self.read_written(&journal)?;
        }
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
                self.write_upload(&mut writer, place, &head, offer);
            } else {
                self.write_correction(&mut writer, place, &head, reject);
            }
        }
        writer.close(']');
        writer.number_of("unreadable", self.unreadable_rows());
        writer.number_of("keyless", self.held(is_upload).map_or(0, Held::rows));
        if let Some(place) = next {
            writer.number_of("cursor", u64::from(place));
        }
        writer.close('}');
        self.answer = writer.text;
        Ok(())
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn write_upload(&self, writer: &mut Writer, place: u32, head: &Head, offer: &str) {
        if head.class != Class::MissingAtCake as u8 {
            return;
        }
        // An order that the forwarder has queued or delivered would count twice.
        let state = self.states.text(if head.partner == NOBODY {
            0
        } else {
            head.partner
        });
        let Some(holds) = self.held(true) else { return };
        let (texts, differs) = self.texts_of_sale(&holds.lent, place);
        let text = |which: usize| texts.get(which).copied().unwrap_or_default();
        let own_offer = match text(OWN_ID) {
            [] if !holds.has_lost_offer(self, place) => offer.as_bytes(),
            own => own,
        };
        let date = time(head);
        let net = self
            .verdicts
            .as_ref()
            .map_or(Net::of(head), |verdicts| verdicts.net(place, head));
        let lacks = if matches!(state, b"pending" | b"delivered") {
            "the_forwarder_has_it"
        } else if !matches!(state, b"" | b"dead" | b"refused") {
            "the_forwarder_holds_it"
        } else if holds.is_near(place) {
            "would_match"
        } else if !self.counts(head.status) {
            "not_approved"
        } else if differs
            || self
                .verdicts
                .as_ref()
                .is_some_and(|verdicts| verdicts.is_torn(place))
        {
            "rows_contradict"
        } else if self.is_refund_unclear(place, head, net) {
            "refund_unclear"
        } else if net.revenue > UNCLEAR && net.revenue <= 0 && net.revenue != head.revenue {
            "refunded"
        } else if net.payout != NO_AMOUNT && net.payout < 0 {
            "below_zero"
        } else if !self.is_owed_in(head.currency) {
            "currency_differs"
        } else if !core::str::from_utf8(text(CLICK_ID)).is_ok_and(|id| click_id::check(id).is_ok())
        {
            "no_click_id"
        } else if !is_id(own_offer) {
            "no_offer_id"
        } else if date.is_empty() {
            "no_date"
        } else if [UNIQUE_ID, ORDER_ID]
            .into_iter()
            .any(|which| !text(which).is_empty() && !is_reference(text(which)))
        {
            "invalid_unique_id"
        } else {
            match holds.why(place, self.span_of_sale(&holds.lent, place, head)) {
                "" if holds.is_shortened(self, place, [text(UNIQUE_ID), text(ORDER_ID)]) => {
                    "shortened_id"
                }
                why => why,
            }
        };
        let cells = [
            text(CLICK_ID).to_vec(),
            own_offer.to_vec(),
            date,
            written(net.payout),
            written(net.revenue),
            text(UNIQUE_ID).to_vec(),
            text(ORDER_ID).to_vec(),
        ];
        let moved = if net.payout == NO_AMOUNT {
            net.revenue
        } else {
            net.payout
        };
        // A sale is uploaded once, whatever has changed in it since.
        let row = [UNIQUE_ID, ORDER_ID, CLICK_ID].map(text);
        let row = row.into_iter().find(|id| !id.is_empty());
        let key = ["upload".as_bytes(), row.unwrap_or_default()];
        let kinds = self.kinds_of_sale(&holds.lent, place, head);
        let is_keyless = self.may_be_keyless(holds, kinds, own_offer);
        let alike = self.found.written.as_ref();
        let ids = [UNIQUE_ID, ORDER_ID, CLICK_ID].map(text);
        let alike = alike.map(|written| written.like(ids, &cells));
        let what = (lacks, is_keyless, alike.unwrap_or_default());
        write_line(writer, &key, &cells, &[], moved, what);
    }

    #[cfg_attr(small_cold, optimize(size))]
    fn write_correction(&self, writer: &mut Writer, place: u32, head: &Head, reject: &str) {
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
        let mut is_keyless = false;
        let (disposition, status, payout, mut lacks): Change =
            if is_rejected && !is_pair(head.class) {
                if !self.counts(head.status) && self.settings.rank(head.status) > 1 {
                    // It is rejected or taken back already.
                    return;
                }
                let (lacks, has_keyless) = self.why_not_rejected(place, head, offer);
                is_keyless = has_keyless;
                (b"rejected".to_vec(), u8::MAX, NO_AMOUNT, lacks)
            } else if is_pair(head.class)
                && head.class != Class::Matched as u8
                && head.class != Class::OutsideWindow as u8
                && head.partner != NOBODY
                && let Some(order) = self.orders.head(head.partner)
                && let Some(change) = self.change(verdicts, head, &order)
            {
                change
            } else if is_pair(head.class) && verdicts.may_be_refunded(head.partner) {
                (Vec::new(), head.status, NO_AMOUNT, "refund_unclear")
            } else {
                return;
            };
        // The tool takes one of the two ids; the conversion id identifies the row more precisely.
        let (own, unique) = if is_id(text(OWN_ID)) {
            (text(OWN_ID), &[][..])
        } else {
            (&[][..], text(UNIQUE_ID))
        };
        let cells = [
            own.to_vec(),
            unique.to_vec(),
            disposition,
            offer.to_vec(),
            written(payout),
            b"FALSE".to_vec(),
        ];
        let to_be = if payout == NO_AMOUNT {
            head.payout
        } else {
            payout
        };
        // A payout that changes may be paid later, also where its status does not count now.
        let changed = or_nothing(to_be) - or_nothing(head.payout);
        let moved = self.owed(status, to_be) - self.owed(head.status, head.payout);
        // Nobody knows what a status moves where the payout is not known.
        let is_unknown = to_be == NO_AMOUNT && self.counts(status) != self.counts(head.status);
        let moved = if is_unknown {
            NO_AMOUNT
        } else {
            moved.abs().max(changed.abs())
        };
        if matches!(lacks, "" | "only_revenue_differs") && self.is_in_doubt(place) {
            lacks = "rows_contradict";
        } else if lacks.is_empty()
            && own.is_empty()
            && !verdicts.is_named_alone(unique, self.offer(head))
        {
            lacks = "no_conversion_id";
        } else if lacks.is_empty() && !is_id(offer) {
            lacks = "no_offer_id";
        }
        let key: [&[u8]; 3] = [
            b"reconciliation",
            if own.is_empty() { offer } else { own },
            unique,
        ];
        // The same change is needed again where CAKE's row has changed in between.
        let before = [
            self.statuses.text(u32::from(head.status)).to_vec(),
            written(head.payout),
        ];
        let what = (lacks, is_keyless, Vec::new());
        write_line(writer, &key, &cells, &before, moved, what);
    }

    /// Why a conversion is not rejected; and whether an order without a common key may be its order.
    #[cfg_attr(small_cold, optimize(size))]
    fn why_not_rejected(&self, place: u32, head: &Head, offer: &[u8]) -> (&'static str, bool) {
        if head.is_below_zero() || self.is_taken_back(head) {
            return ("below_zero", false);
        }
        if head.flags & IS_SPARED != 0 {
            return (self.why_spared(place, head), false);
        }
        let is_unknown = head.class == Class::UnknownToAdvertiser as u8;
        let Some(holds) = self.held(false).filter(|_| is_unknown) else {
            return ("", false);
        };
        let lacks = if holds.is_near(place) {
            "would_match"
        } else {
            holds.why(place, self.span(false, place, head))
        };
        let kinds = self.kinds(false, head.flags);
        (lacks, self.may_be_keyless(holds, kinds, offer))
    }

    /// Is it not certain what remains of a sale that is missing at CAKE, or may another refund be this one's?
    fn is_refund_unclear(&self, place: u32, head: &Head, net: Net) -> bool {
        let may_be = self.verdicts.as_ref().is_some_and(|verdicts| {
            verdicts.has_nameless_refund || verdicts.may_be_refunded(place)
        });
        may_be || is_unclear(head, net)
    }

    /// Is a sale in this currency owed in the account's? The upload names none.
    fn is_owed_in(&self, currency: u8) -> bool {
        let owed = self.settings.owed_in;
        currency == 0 || owed == 0 || currency == owed
    }

    /// Does another row with the conversion's id take money back?
    fn is_taken_back(&self, head: &Head) -> bool {
        let standing = if head.class == Class::DuplicateConversion as u8 {
            self.conversions.head(head.partner)
        } else {
            Some(*head)
        };
        standing.is_some_and(|head| head.flags & IS_SPARED != 0)
    }

    /// The part of a payout that counts: with a status that does not count it is nothing.
    fn owed(&self, status: u8, payout: i64) -> i64 {
        if self.counts(status) {
            or_nothing(payout)
        } else {
            0
        }
    }

    /// The number of a conversion's offer.
    fn offer(&self, head: &Head) -> u32 {
        self.pair_codes(head.pair).0
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

fn or_nothing(units: i64) -> i64 {
    if units == NO_AMOUNT { 0 } else { units }
}

fn written(units: i64) -> Vec<u8> {
    let mut text = String::new();
    if units != NO_AMOUNT {
        amount::write(&mut text, units);
    }
    text.into_bytes()
}

/// A text as one word of the journal.
fn word(text: &[u8]) -> Vec<u8> {
    let bytes = text.iter().copied();
    bytes
        .map(|byte| if byte == b' ' { b'_' } else { byte })
        .collect()
}

/// Writes a line, with its words in the journal: `row` tells file and row, `before` what CAKE says now. `what` is why
/// it is left out, whether a row without a key may be it, and the journal's lines that may be the same sale.
#[cfg_attr(small_cold, optimize(size))]
fn write_line(
    writer: &mut Writer,
    row: &[&[u8]],
    cells: &[Vec<u8>],
    before: &[Vec<u8>],
    moved: i64,
    (lacks, is_keyless, alike): (&str, bool, Vec<u32>),
) {
    writer.open('{');
    if lacks.is_empty() {
        writer.key("journal");
        let [file, names @ ..] = row else { return };
        let name: Vec<_> = names
            .iter()
            .map(|text| word(text))
            .filter(|name| !name.is_empty())
            .collect();
        let mut line = vec![file.to_vec(), name.join(&b'/')];
        line.extend(cells.iter().chain(before).map(|text| word(text)));
        // The end shows that the line is whole.
        line.push(b".".to_vec());
        writer.string(&line.join(&b' '));
        if is_keyless {
            writer.key("keyless");
            writer.bool(true);
        }
        if !alike.is_empty() {
            writer.key("like");
            writer.open('[');
            for number in alike {
                writer.number(u64::from(number));
            }
            writer.close(']');
        }
    } else {
        writer.text_of("skipped", lacks.as_bytes());
    }
    writer.key("cells");
    writer.open('[');
    for cell in cells {
        writer.string(cell);
    }
    writer.close(']');
    writer.amount_of("amount", or_nothing(moved).abs());
    if moved == NO_AMOUNT {
        writer.key("unknown");
        writer.bool(true);
    }
    writer.close('}');
}
