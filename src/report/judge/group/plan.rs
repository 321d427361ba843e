//! What becomes of the rows with one key: which pair off, which repeat another one, and which wait for the next key.
//! Its parts are functions of their own: the platform would compile a large one for good after a few hundred groups,
//! which takes longer than to run it.

use super::pairs::{Links, Partners, pair_off, unsure};
use crate::report::Report;
use crate::report::judge::refunds::{is_its_sale, is_other};
use crate::report::judge::{Judge, LOOK, Pass, is_first, which};
use crate::report::store::{CLICK_ID, IS_REFUND, ORDER_ID, OWN_ID, Store, UNIQUE_ID};
use std::collections::BTreeMap;

/// What becomes of the rows with one key.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) pairs: Vec<(u32, u32)>,
    /// Sales with their refunds.
    pub(super) refunds: Vec<(u32, u32)>,
    /// Rows of each side that repeat another one. Is a conversion spared from being rejected?
    pub(super) orders: Vec<(u32, u32)>,
    pub(super) conversions: Vec<(u32, u32, bool)>,
    /// Rows of each side for the next key, and those that repeat another one unless they find a partner by a key of
    /// their own.
    pub(super) left: [Vec<u32>; 2],
    pub(super) chances: [Vec<(u32, u32)>; 2],
    /// Orders of which either may be the one that a conversion is of.
    pub(super) unsure: Vec<(u32, u32)>,
}

/// Rows that differ by an id that is stronger than their common key, or by their offers.
#[derive(Default)]
struct Stands<'a> {
    all: Vec<Stand<'a>>,
    by_ids: BTreeMap<[&'a [u8]; 2], Vec<Stand<'a>>>,
}

/// A row's place and offer.
type Stand<'a> = (u32, &'a [u8]);

impl<'a> Stands<'a> {
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add(&mut self, ids: [&'a [u8]; 2], offer: &'a [u8], place: u32) {
        self.all.push((place, offer));
        self.by_ids.entry(ids).or_default().push((place, offer));
    }

    /// The row that this one repeats. A row that repeats none is added.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn repeated(&mut self, ids: [&'a [u8]; 2], offer: &'a [u8], place: u32) -> Option<u32> {
        let rows = if ids.iter().all(|id| id.is_empty()) {
            Some(&self.all)
        } else {
            self.by_ids.get(&ids)
        };
        let mut rows = rows.into_iter().flatten().take(LOOK);
        let found = rows.find(|&&(_, own)| !is_other(own, offer)).copied();
        if found.is_none() {
            self.add(ids, offer, place);
        }
        found.map(|(place, _)| place)
    }
}

/// The ids that tell rows with a common key apart: one click has many sales, one order has several transactions.
pub(super) fn stronger(store: &Store, key: usize, place: u32) -> [&[u8]; 2] {
    let [unique, order, ..] = store.texts(place);
    match key {
        UNIQUE_ID => [&[], &[]],
        ORDER_ID => [unique, &[]],
        _ => [unique, order],
    }
}

/// The one sale that a refund takes back; none where it could be two.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn sale_of(
    orders: &Store,
    key: usize,
    refund: u32,
    (sales, repeats): (&[u32], &Links),
) -> Option<u32> {
    let mut found = None;
    for &sale in sales.get(..LOOK.min(sales.len())).unwrap_or_default() {
        if !is_its_sale(orders, key, refund, sale) {
            continue;
        }
        let stand = repeats.get(&sale).copied().unwrap_or(sale);
        if found.is_some_and(|known| known != stand) {
            return None;
        }
        found = Some(stand);
    }
    found.filter(|_| sales.len() <= LOOK)
}

impl Report {
    /// The offer of a conversion.
    pub(super) fn offer_of(&self, conversion: u32) -> &[u8] {
        let head = self.conversions.head(conversion);
        self.pair_texts(head.map_or(0, |head| head.pair)).0
    }
}

/// What may find a partner for a row that repeats another one.
struct Chance<'a> {
    store: &'a Store,
    /// The keys of later passes.
    later: Vec<usize>,
}

impl<'a> Chance<'a> {
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn of(report: &'a Report, key: usize, is_order: bool) -> Self {
        let keys = if is_order {
            report.keys_of_orders()
        } else {
            report.settings.keys.clone()
        };
        let at = keys.iter().position(|&other| other == key);
        let later = keys.get(at.map_or(keys.len(), |at| at + 1)..);
        Self {
            store: report.side(is_order),
            later: later.unwrap_or_default().to_vec(),
        }
    }

    /// Is the row's click another one than that of the row that it repeats by an id? An id that is a constant repeats,
    /// too: the click may be another row's.
    fn is_apart(&self, place: u32, of: u32) -> bool {
        let [one, other] = [place, of].map(|place| self.store.text(place, CLICK_ID));
        self.later.contains(&CLICK_ID) && is_other(one, other)
    }

    /// Has the row a key that the row that it repeats has not? The two are one sale with the ids of both.
    fn has_more(&self, place: u32, of: u32) -> bool {
        self.later.iter().any(|&key| {
            let own = self.store.text(place, key);
            !own.is_empty() && own != self.store.text(of, key)
        })
    }
}

/// Plans rows with one key, which are sorted.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn plan(
    judge: &Judge,
    report: &Report,
    pass: Pass,
    left: &[u32],
    right: &[u32],
) -> Plan {
    let mut plan = Plan::default();
    let orders = &report.orders;
    let key = which(pass, 0);
    let is_sale = |&place: &u32| {
        let head = orders.head(place);
        head.is_some_and(|head| head.flags & IS_REFUND == 0)
    };
    let (sales, refunds): (Vec<u32>, Vec<u32>) = left.iter().copied().partition(is_sale);
    let sales = sales.as_slice();
    let repeats = repeats_of(orders, key, sales);
    let mut is_taken = vec![false; right.len()];
    let partners = pair_off(
        (judge, report, pass),
        (sales, &repeats),
        right,
        &mut is_taken,
    );
    plan.unsure = unsure(orders, key, (sales, &repeats), &partners);
    let chance = Chance::of(report, key, true);
    for &place in sales {
        match (partners.get(&place), repeats.get(&place)) {
            (Some(&(partner, _)), _) => plan.pairs.push((place, partner)),
            (None, Some(&of)) => {
                let is_open = !partners.contains_key(&of);
                let may_find = chance.is_apart(place, of) || is_open && chance.has_more(place, of);
                if judge.has_chance(0, place) && (may_find || is_open) {
                    plan.left[0].push(place);
                } else if may_find {
                    plan.chances[0].push((place, of));
                } else {
                    plan.orders.push((place, of));
                }
            }
            (None, None) => plan.left[0].push(place),
        }
    }
    if !refunds.is_empty() {
        plan.add_refunds(report, pass, &refunds, sales, (&repeats, &partners));
    }
    plan.add_conversions(judge, report, key, (sales, &repeats), (right, &is_taken));
    plan
}

/// The sales that repeat another one.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn repeats_of(orders: &Store, key: usize, sales: &[u32]) -> Links {
    let mut stands = Stands::default();
    let mut repeats = Links::new();
    for &place in sales {
        let ids = stronger(orders, key, place);
        if let Some(of) = stands.repeated(ids, orders.text(place, OWN_ID), place) {
            repeats.insert(place, of);
        }
    }
    repeats
}

impl Plan {
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add_refunds(
        &mut self,
        report: &Report,
        pass: Pass,
        refunds: &[u32],
        sales: &[u32],
        (repeats, partners): (&Links, &Partners),
    ) {
        let orders = &report.orders;
        let key = which(pass, 0);
        // A refund's sale may have found its conversion by a stronger key, or its rows may be two sales.
        let [chances, _] = &self.chances;
        let is_first = is_first(&report.settings, pass) && chances.is_empty();
        let alone: Links = repeats
            .iter()
            .filter(|(sale, _)| !partners.contains_key(sale))
            .map(|(&sale, &of)| (sale, of))
            .collect();
        for &refund in refunds {
            let sale = sale_of(orders, key, refund, (sales, &alone));
            match sale.filter(|_| is_first) {
                Some(sale) => self.refunds.push((sale, refund)),
                None => self.left[0].push(refund),
            }
        }
        self.refunds.sort_unstable();
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add_conversions(
        &mut self,
        judge: &Judge,
        report: &Report,
        key: usize,
        (sales, repeats): (&[u32], &Links),
        (right, is_taken): (&[u32], &[bool]),
    ) {
        let (orders, conversions) = (&report.orders, &report.conversions);
        let is_below = |place| {
            let head = conversions.head(place);
            head.is_some_and(|head| head.is_below_zero())
        };
        // Where orders name their offers, conversions of two offers are no repetition.
        let has_offers = sales
            .iter()
            .any(|&place| !orders.text(place, OWN_ID).is_empty());
        let offer_in = |place| {
            if has_offers {
                report.offer_of(place)
            } else {
                &[]
            }
        };
        let chance = Chance::of(report, key, false);
        let mut stands = Stands::default();
        let taken = right.iter().zip(is_taken);
        for (&place, _) in taken.clone().filter(|(_, is_taken)| **is_taken) {
            stands.add(stronger(conversions, key, place), offer_in(place), place);
        }
        let is_partner = |of| {
            let mut taken = taken.clone();
            taken.any(|(&place, &is_taken)| place == of && is_taken)
        };
        // Orders that repeat as often may be sales, by this key or by one before it.
        let mut spared = repeats.len();
        if is_taken.contains(&false) {
            let before = sales.iter().map(|&sale| judge.count_repeats(sale));
            spared += before.sum::<usize>();
        }
        for (&place, _) in taken.clone().filter(|(_, is_taken)| !**is_taken) {
            let ids = stronger(conversions, key, place);
            let Some(of) = stands.repeated(ids, offer_in(place), place) else {
                self.left[1].push(place);
                continue;
            };
            let may_find =
                chance.is_apart(place, of) || chance.has_more(place, of) && !is_partner(of);
            if judge.has_chance(1, place) {
                self.left[1].push(place);
            } else if may_find && !is_below(place) {
                self.chances[1].push((place, of));
            } else {
                let is_spared = key == CLICK_ID || spared > 0 || sales.is_empty();
                self.conversions.push((place, of, is_spared));
                spared = spared.saturating_sub(1);
            }
        }
    }
}
