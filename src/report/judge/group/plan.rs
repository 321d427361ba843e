//! What becomes of the rows with one key: which pair off, which repeat another one, and which wait for the next key.
//! Its parts are functions of their own: the platform would compile a large one for good after a few hundred groups,
//! which takes longer than to run it.

use super::LOOK;
use crate::report::Report;
use crate::report::judge::refunds::{is_its_sale, is_other};
use crate::report::judge::{Judge, Pass, is_first, which};
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
    /// Rows of each side for the next key, and those that repeat another one unless they find a partner by their click.
    pub(super) left: [Vec<u32>; 2],
    pub(super) chances: [Vec<(u32, u32)>; 2],
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

/// Orders by their places, each with another row's.
type Links = BTreeMap<u32, u32>;

/// Pairs orders and conversions with one key as far as they go; marks the conversions.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn pair_off(
    report: &Report,
    key: usize,
    (sales, repeats): (&[u32], &Links),
    right: &[u32],
    is_taken: &mut [bool],
) -> Links {
    let (orders, conversions) = (&report.orders, &report.conversions);
    // A click alone says little: rows that nothing else tells apart may be two sales.
    let is_weak = key == CLICK_ID;
    let has_revenue = |order: u32, conversion: u32| {
        let (one, other) = (orders.head(order), conversions.head(conversion));
        one.map(|head| head.revenue) == other.map(|head| head.revenue)
    };
    let mut partners = Links::new();
    // Pairs that agree most find each other first: by offer, then under a click by revenue.
    for (needs_offer, needs_revenue) in [(true, true), (true, false), (false, true), (false, false)]
    {
        if needs_revenue && !is_weak {
            continue;
        }
        let mut from = 0;
        for &order in sales {
            if partners.contains_key(&order) || !is_weak && repeats.contains_key(&order) {
                continue;
            }
            while is_taken.get(from) == Some(&true) {
                from += 1;
            }
            let offer = orders.text(order, OWN_ID);
            let mut near = right.iter().zip(&mut *is_taken).skip(from).take(LOOK);
            let found = near.find(|(conversion, is_taken)| {
                let theirs = report.offer_of(**conversion);
                !**is_taken
                    && !is_other(offer, theirs)
                    && (!needs_offer || !offer.is_empty() && offer == theirs)
                    && (!needs_revenue || has_revenue(order, **conversion))
            });
            if let Some((&conversion, is_taken)) = found {
                *is_taken = true;
                partners.insert(order, conversion);
            }
        }
    }
    if partners.is_empty()
        && let (Some(&order), Some(&conversion), Some(is_taken)) =
            (sales.first(), right.first(), is_taken.first_mut())
    {
        *is_taken = true;
        partners.insert(order, conversion);
    }
    partners
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
    fn offer_of(&self, conversion: u32) -> &[u8] {
        let head = self.conversions.head(conversion);
        self.pair_texts(head.map_or(0, |head| head.pair)).0
    }
}

/// Is a row's click another one than that of the row that it repeats by an id? An id that is a constant repeats, too:
/// the click may be another row's.
fn is_torn(report: &Report, key: usize, store: &Store, (place, of): (u32, u32)) -> bool {
    key != CLICK_ID
        && report.settings.keys.contains(&CLICK_ID)
        && is_other(store.text(place, CLICK_ID), store.text(of, CLICK_ID))
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
    let partners = pair_off(report, key, (sales, &repeats), right, &mut is_taken);
    let links = (&repeats, &partners);
    if !refunds.is_empty() {
        plan.add_refunds(report, pass, &refunds, sales, links);
    }
    plan.add_conversions(judge, report, key, (sales, &repeats), (right, &is_taken));
    for &place in sales {
        match (partners.get(&place), repeats.get(&place)) {
            (Some(&partner), _) => plan.pairs.push((place, partner)),
            (None, Some(_)) if judge.has_chance(0, place) => plan.left[0].push(place),
            (None, Some(&of)) if is_torn(report, key, orders, (place, of)) => {
                plan.chances[0].push((place, of));
            }
            (None, Some(&of)) => plan.orders.push((place, of)),
            (None, None) => plan.left[0].push(place),
        }
    }
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
        (repeats, partners): (&Links, &Links),
    ) {
        let orders = &report.orders;
        let key = which(pass, 0);
        // A refund's sale may have found its conversion by a stronger key.
        let is_first = is_first(&report.settings, pass);
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
        let mut stands = Stands::default();
        for (&place, _) in right
            .iter()
            .zip(is_taken)
            .filter(|(_, is_taken)| **is_taken)
        {
            stands.add(stronger(conversions, key, place), offer_in(place), place);
        }
        // Orders that repeat as often may be sales.
        let mut spared = repeats.len();
        for (&place, _) in right
            .iter()
            .zip(is_taken)
            .filter(|(_, is_taken)| !**is_taken)
        {
            let ids = stronger(conversions, key, place);
            match stands.repeated(ids, offer_in(place), place) {
                Some(_) if judge.has_chance(1, place) => self.left[1].push(place),
                Some(of) if is_torn(report, key, conversions, (place, of)) && !is_below(place) => {
                    self.chances[1].push((place, of));
                }
                Some(of) => {
                    let is_spared = key == CLICK_ID || spared > 0 || sales.is_empty();
                    self.conversions.push((place, of, is_spared));
                    spared = spared.saturating_sub(1);
                }
                None => self.left[1].push(place),
            }
        }
    }
}
