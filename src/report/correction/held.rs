//! What holds an upload back: what may already be at CAKE is never uploaded by itself. The same for the rejection of a
//! conversion whose order may be there.

use super::borders::Borders;
use super::lent::Lent;
use super::named::is_id;
use crate::report::Report;
use crate::report::judge::hints::{Twins, is_at_border};
use crate::report::judge::{Class, Rounded, Verdicts, proof, repeats_nothing};
use crate::report::memory::sort_numbers;
use crate::report::row::Span;
use crate::report::store::{CLICK_ID, Head, IS_SAME_ID, NOBODY, ORDER_ID, OWN_ID, UNIQUE_ID};

/// The kinds of keys of a row.
pub(super) type Kinds = u32;
const UNIQUE: Kinds = 1;
const ORDER: Kinds = 2;
const CLICK: Kinds = 4;
const KINDS: Kinds = UNIQUE | ORDER | CLICK;
const KIND_BITS: u32 = 3;

/// What holds the rows of a file back.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Rows that nearly match a row of the other side, sorted.
    near: Vec<u32>,
    twins: Twins,
    /// What other rows say of a missing sale.
    pub(super) lent: Lent,
    /// Rows whose key may be nearly that of a row in another part, sorted.
    near_elsewhere: Vec<u32>,
    /// The other side's rows without a partner: the number of the offer, 0 for any offer's, and the kinds of keys.
    alone: Vec<u32>,
    /// The number of the other side's rows that share no kind of key with some row.
    rows: u64,
    lacks_search: bool,
    borders: Borders,
    /// What a spreadsheet has rounded; found already.
    rounded: Rounded,
}

impl Held {
    pub(super) fn is_near(&self, place: u32) -> bool {
        let lists = [&self.near, &self.twins.at_cake];
        lists
            .iter()
            .any(|places| places.binary_search(&place).is_ok())
    }

    /// Why a row of these times that nothing else holds back is held back; empty if it is not.
    pub(super) fn why(&self, place: u32, span: Option<Span>) -> &'static str {
        if self.twins.orders.binary_search(&place).is_ok() {
            "may_be_another_order"
        } else if self.lacks_search || self.near_elsewhere.binary_search(&place).is_ok() {
            "near_misses_not_searched"
        } else {
            // Without a date it may be of any month.
            span.map_or("no_date", |span| self.borders.why(span))
        }
    }

    /// Has a spreadsheet lost, shortened or marked one of an order's ids? CAKE must not get what is left of it.
    pub(super) fn is_shortened(&self, report: &Report, order: u32, ids: [&[u8]; 2]) -> bool {
        let mut rounded = self.rounded;
        let mut rows = self.lent.rows(order).chain([order]);
        rows.any(|row| has_lost(report, row, false))
            || ids.iter().any(|id| {
                proof(id).len() < id.len() || rounded.has(report, true, id) || is_marked(id)
            })
    }

    /// Has a spreadsheet lost the offer of one of a sale's rows?
    pub(super) fn has_lost_offer(&self, report: &Report, order: u32) -> bool {
        let mut rows = self.lent.rows(order).chain([order]);
        rows.any(|row| has_lost(report, row, true))
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }
}

/// Has a spreadsheet lost an id of an order's row, or else its offer?
fn has_lost(report: &Report, row: u32, is_offer: bool) -> bool {
    report.lost.binary_search(&(row, is_offer)).is_ok()
}

/// Has a program written a mark before the id, so that a spreadsheet keeps it: `="1003"` and `'1004`? Word processors make
/// the apostrophe a quote.
#[cfg_attr(small_cold, optimize(size))]
fn is_marked(id: &[u8]) -> bool {
    let marks = ["=", "'", "\u{2018}", "\u{2019}"];
    marks.iter().any(|mark| id.starts_with(mark.as_bytes()))
}

impl Report {
    pub(super) fn held(&self, is_upload: bool) -> Option<&Held> {
        let held = self.found.held.get(usize::from(is_upload));
        held.and_then(Option::as_ref)
    }

    /// May one of the other side's rows without a partner be this row? They share no kind of key, so nothing tells
    /// them apart but their offers, by CAKE's numbers.
    pub(super) fn may_be_keyless(&self, holds: &Held, own: Kinds, offer: &[u8]) -> bool {
        holds.alone.iter().any(|alone| {
            let theirs = self.offers.text(alone >> KIND_BITS);
            alone & KINDS & own == 0 && (!is_id(theirs) || !is_id(offer) || theirs == offer)
        })
    }

    /// Finds what holds a file's rows back; once for each reconciliation.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find_held(&mut self, is_upload: bool) {
        let is_known = self.held(is_upload).is_some();
        let Some(verdicts) = self.verdicts.as_ref().filter(|_| !is_known) else {
            return;
        };
        let (wanted, kinds, lent) = self.wanted(is_upload);
        let lacks_near = !is_upload && self.found.lacks_near_orders;
        let mut held = Held {
            near: near(verdicts, is_upload),
            lacks_search: verdicts.lacks_hints || lacks_near || self.has_near_elsewhere(),
            lent,
            ..Held::default()
        };
        if is_upload {
            match self.twins_of_sales(&wanted, &held.lent) {
                Some(twins) => held.twins = twins,
                None => held.lacks_search = true,
            }
        } else {
            let near = self.found.near_orders.iter().flatten();
            held.near.extend(near.map(|&(conversion, _)| conversion));
            sort_numbers(&mut held.near);
        }
        for &place in &wanted {
            for which in [UNIQUE_ID, ORDER_ID] {
                held.rounded
                    .has(self, is_upload, self.side(is_upload).text(place, which));
            }
        }
        if self.settings.part.1 > 1 {
            let store = self.side(is_upload);
            let is_at_border = |&place: &u32| {
                let [unique, order, click, _] = store.texts(place);
                is_at_border(self.settings.first_key([unique, order, click]))
            };
            held.near_elsewhere = wanted.into_iter().filter(is_at_border).collect();
        }
        held.borders = self.borders(is_upload);
        self.add_alone(is_upload, kinds, &mut held);
        sort_numbers(&mut held.alone);
        held.alone.dedup();
        if let Some(slot) = self.found.held.get_mut(usize::from(is_upload)) {
            *slot = Some(held);
        }
    }

    /// The rows that would be written if nothing held them back, and a bit for each combination of kinds among them; and
    /// what other rows say of missing sales.
    #[cfg_attr(small_cold, optimize(size))]
    fn wanted(&self, is_upload: bool) -> (Vec<u32>, u32, Lent) {
        let class = if is_upload {
            Class::MissingAtCake
        } else {
            Class::UnknownToAdvertiser
        };
        let store = self.side(is_upload);
        let mut wanted = Vec::new();
        let mut repeats = Vec::new();
        let mut next = store.first();
        while let Some(place) = next {
            next = store.next(place);
            match store.head(place).map(|head| head.class) {
                Some(own) if own == class as u8 => wanted.push(place),
                Some(own) if own == Class::DuplicateOrder as u8 => repeats.push(place),
                _ => {}
            }
        }
        let lent = self.lent(repeats);
        let mut kinds = 0;
        wanted.retain(|&place| {
            let Some(head) = store.head(place) else {
                return false;
            };
            let own = if is_upload {
                self.kinds_of_sale(&lent, place, &head)
            } else {
                self.kinds(false, head.flags)
            };
            let has_click = |row| !store.text(row, CLICK_ID).is_empty();
            let is_wanted = !is_upload
                || self.counts(head.status)
                    && (has_click(place) || lent.rows(place).any(has_click));
            kinds |= u32::from(is_wanted) << own;
            is_wanted
        });
        (wanted, kinds, lent)
    }

    /// The twins of sales, by the ids of all of their rows.
    #[cfg_attr(small_cold, optimize(size))]
    fn twins_of_sales(&self, sales: &[u32], lent: &Lent) -> Option<Twins> {
        let mut rows = sales.to_vec();
        let lenders = |sale: u32| {
            let own = self.orders.texts(sale);
            lent.rows(sale).filter(move |&row| {
                let more = self.orders.texts(row);
                own.iter()
                    .zip(more)
                    .take(OWN_ID)
                    .any(|(own, more)| own.is_empty() && !more.is_empty())
            })
        };
        rows.extend(sales.iter().flat_map(|&sale| lenders(sale)));
        let is_lent = rows.len() > sales.len();
        sort_numbers(&mut rows);
        let mut twins = self.twins(&rows)?;
        for list in [&mut twins.at_cake, &mut twins.orders]
            .into_iter()
            .filter(|_| is_lent)
        {
            let of_rows = sales
                .iter()
                .filter(|&&sale| lenders(sale).any(|row| list.binary_search(&row).is_ok()));
            let of_rows: Vec<u32> = of_rows.copied().collect();
            list.extend(of_rows);
            sort_numbers(list);
        }
        Some(twins)
    }

    /// Adds the rows of the other side that have no partner, and events without a key.
    #[cfg_attr(small_cold, optimize(size))]
    fn add_alone(&mut self, is_upload: bool, wanted: u32, holds: &mut Held) {
        let is_order = !is_upload;
        let mut next = self.side(is_order).first();
        while let Some(place) = next {
            let store = self.side(is_order);
            next = store.next(place);
            let Some(head) = store.head(place) else { break };
            let classes = [
                Class::NoKey,
                Class::OutsideWindow,
                Class::MissingAtCake,
                Class::UnknownToAdvertiser,
            ];
            // An id of several conversions, which no order has, may be a constant.
            let is_constant = is_upload
                && head.class == Class::DuplicateConversion as u8
                && repeats_nothing(self, place, head.partner);
            let is_alone = is_constant
                || classes.iter().any(|&class| class as u8 == head.class)
                    && (head.partner == NOBODY || head.class == Class::MissingAtCake as u8);
            let mut kinds = self.kinds(is_order, head.flags);
            let ids = || [UNIQUE_ID, ORDER_ID].map(|which| store.text(place, which));
            // A spreadsheet has made the id: it is another one.
            if is_constant || is_alone && holds.rounded.has_date(self, ids()) {
                kinds &= CLICK;
            }
            let is_apart = (0..=KINDS).any(|own| wanted & 1 << own != 0 && own & kinds == 0);
            if is_alone && is_apart {
                let offer = if is_order {
                    let text = store.text(place, OWN_ID).to_vec();
                    // Without memory for its number, the offer may be any.
                    self.offers.code(&text, &mut self.memory).unwrap_or(0)
                } else {
                    self.offer(&head)
                };
                holds.rows += 1;
                holds.alone.push(offer << KIND_BITS | kinds);
            }
        }
        let is_lost = |state: &[u8]| matches!(state, b"dead" | b"refused");
        let events = if is_upload && wanted != 0 {
            let store = &self.deliveries;
            let mut count = 0;
            let mut next = store.first();
            while let Some(place) = next {
                next = store.next(place);
                let Some(head) = store.head(place) else { break };
                let ids = [UNIQUE_ID, ORDER_ID].map(|which| store.text(place, which));
                let has_no_key =
                    self.kinds(false, head.flags) == 0 || holds.rounded.has_date(self, ids);
                let state = self.states.text(u32::from(head.status));
                count += u64::from(has_no_key && !is_lost(state));
            }
            count
        } else {
            0
        };
        // In a part of a report, rows that cannot be compared may be in another one.
        let elsewhere = self.rows_elsewhere(is_order);
        holds.lacks_search |= elsewhere.is_none();
        let elsewhere = elsewhere.unwrap_or(0);
        if events + elsewhere > 0 {
            holds.rows += events + elsewhere;
            holds.alone.push(0);
        }
    }

    /// The kinds of keys by which a row of a side is compared.
    pub(super) fn kinds(&self, is_order: bool, flags: u8) -> Kinds {
        let keys = flags & self.settings.key_flags();
        let of = |flags: u8, mask, kind| if flags & mask == 0 { 0 } else { kind };
        let is_own = is_order && self.has_own_ids();
        // CAKE may have got a shop's other id as the unique id.
        let own = if is_own {
            of(flags, 2 | IS_SAME_ID, UNIQUE)
        } else {
            0
        };
        own | of(keys, 1, UNIQUE) | of(keys, 2 | IS_SAME_ID, ORDER) | of(keys, 4, CLICK)
    }

    /// The same of a missing sale, by all of its rows.
    pub(super) fn kinds_of_sale(&self, lent: &Lent, sale: u32, head: &Head) -> Kinds {
        let rows = lent.rows(sale).filter_map(|row| self.orders.head(row));
        rows.fold(self.kinds(true, head.flags), |kinds, row| {
            kinds | self.kinds(true, row.flags)
        })
    }

    /// May a row of another part be nearly the same?
    fn has_near_elsewhere(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|source| source.elsewhere.has_near)
    }
}

fn near(verdicts: &Verdicts, is_upload: bool) -> Vec<u32> {
    let hints = verdicts.hints.iter();
    let mut near: Vec<u32> = if is_upload {
        hints.map(|hint| hint.order).collect()
    } else {
        hints.map(|hint| hint.conversion).collect()
    };
    if is_upload {
        near.extend(&verdicts.near_events);
    }
    sort_numbers(&mut near);
    near
}
