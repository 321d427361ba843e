//! Rows with one key: finds the pairs among them, and the duplicates.

use super::refunds::{Rest, UNCLEAR, is_its_sale, is_other};
use super::{Class, Judge, Pass, is_first, which};
use crate::report::store::{
    CLICK_ID, Head, IS_AMENDED, IS_REFUND, IS_SPARED, ORDER_ID, OWN_ID, Store, UNIQUE_ID,
};
use crate::report::{Report, Settings};
use core::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

/// Judges rows with one key: they pair off, and the rest repeat a row or wait for the next key.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn judge_group(
    judge: &mut Judge,
    report: &mut Report,
    pass: Pass,
    left: &mut [u32],
    right: &mut [u32],
) -> Option<()> {
    match pass {
        Pass::Twice => {
            // The last reading counts: a page may overlap the page before it.
            left.sort_unstable();
            let (&mut kept, rest) = left.split_last_mut()?;
            let mut has_changed = false;
            for &mut place in rest {
                has_changed |= !is_same_row(&report.conversions, place, kept);
                let head = report.conversions.head(place)?;
                judge.settle(report, false, place, Class::ReadTwice, kept, &head);
                judge.has_twice = true;
            }
            if has_changed {
                report.conversions.add_flags(kept, IS_AMENDED);
            }
        }
        Pass::Deliver(_) => {
            // An event of the same click may be another order's. Of a million rows, any event will do.
            let key = which(pass, 0);
            let is_exact = key == CLICK_ID && left.len() * right.len() <= 1 << 20;
            for &place in left.iter() {
                let (orders, events) = (&report.orders, &report.deliveries);
                let own = stronger(orders, key, place);
                let is_its = |event: u32| {
                    let ids = stronger(events, key, event);
                    !own.iter().zip(ids).any(|(own, id)| is_other(own, id))
                };
                let state = right
                    .iter()
                    .filter(|&&event| !is_exact || is_its(event))
                    .filter_map(|&event| events.head(event))
                    .map(|head| head.status)
                    .max_by_key(|&state| Reverse(rank(report.states.text(u32::from(state)))));
                if let Some(state) = state {
                    let class = Class::Delivered as u8;
                    report.orders.judge(place, class, u32::from(state));
                }
                judge.leave(report, pass, 0, place)?;
            }
        }
        Pass::Match(_) | Pass::Own => match_group(judge, report, pass, left, right)?,
    }
    Some(())
}

/// The rank of a forwarder's state: delivered before pending, pending before failed.
pub(super) fn rank(state: &[u8]) -> usize {
    let states: [&[u8]; 4] = [b"delivered", b"pending", b"dead", b"refused"];
    let found = states.iter().position(|known| *known == state);
    found.unwrap_or(states.len())
}

/// The most rows that are looked through for one row's partner: a group may have a million rows.
pub(super) const LOOK: usize = 64;

/// What becomes of the rows with one key.
#[derive(Default)]
struct Plan {
    pairs: Vec<(u32, u32)>,
    /// Sales with their refunds.
    refunds: Vec<(u32, u32)>,
    /// Rows of each side that repeat another one. Is a conversion spared from being rejected?
    orders: Vec<(u32, u32)>,
    conversions: Vec<(u32, u32, bool)>,
    /// Rows of each side for the next key, and those that repeat another one unless they find a partner by their click.
    left: [Vec<u32>; 2],
    chances: [Vec<(u32, u32)>; 2],
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
fn stronger(store: &Store, key: usize, place: u32) -> [&[u8]; 2] {
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

/// Plans rows with one key, which are sorted.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn plan(judge: &Judge, report: &Report, pass: Pass, left: &[u32], right: &[u32]) -> Plan {
    let mut plan = Plan::default();
    let (orders, conversions) = (&report.orders, &report.conversions);
    let key = which(pass, 0);
    // An id that is a constant repeats, too: the click may be another row's.
    let has_clicks = key != CLICK_ID && report.settings.keys.contains(&CLICK_ID);
    let is_below = |place| {
        let head = conversions.head(place);
        head.is_some_and(|head| head.is_below_zero())
    };
    let is_torn = |store: &Store, place, of| {
        has_clicks && is_other(store.text(place, CLICK_ID), store.text(of, CLICK_ID))
    };
    let is_sale = |&place: &u32| {
        let head = orders.head(place);
        head.is_some_and(|head| head.flags & IS_REFUND == 0)
    };
    let (sales, refunds): (Vec<u32>, Vec<u32>) = left.iter().copied().partition(is_sale);
    let sales = sales.as_slice();
    let mut stands = Stands::default();
    let mut repeats = Links::new();
    for &place in sales {
        let ids = stronger(orders, key, place);
        if let Some(of) = stands.repeated(ids, orders.text(place, OWN_ID), place) {
            repeats.insert(place, of);
        }
    }
    let mut is_taken = vec![false; right.len()];
    let partners = pair_off(report, key, (sales, &repeats), right, &mut is_taken);
    // A refund's sale may have found its conversion by a stronger key.
    let is_first = is_first(&report.settings, pass);
    let alone: Links = repeats
        .iter()
        .filter(|(sale, _)| !partners.contains_key(sale))
        .map(|(&sale, &of)| (sale, of))
        .collect();
    for refund in refunds {
        let sale = sale_of(orders, key, refund, (sales, &alone));
        match sale.filter(|_| is_first) {
            Some(sale) => plan.refunds.push((sale, refund)),
            None => plan.left[0].push(refund),
        }
    }
    plan.refunds.sort_unstable();
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
        .zip(&is_taken)
        .filter(|(_, is_taken)| **is_taken)
    {
        stands.add(stronger(conversions, key, place), offer_in(place), place);
    }
    // Orders that repeat as often may be sales.
    let mut spared = repeats.len();
    for (&place, _) in right
        .iter()
        .zip(&is_taken)
        .filter(|(_, is_taken)| !**is_taken)
    {
        let ids = stronger(conversions, key, place);
        match stands.repeated(ids, offer_in(place), place) {
            Some(_) if judge.has_chance(1, place) => plan.left[1].push(place),
            Some(of) if is_torn(conversions, place, of) && !is_below(place) => {
                plan.chances[1].push((place, of));
            }
            Some(of) => {
                let is_spared = key == CLICK_ID || spared > 0 || sales.is_empty();
                plan.conversions.push((place, of, is_spared));
                spared = spared.saturating_sub(1);
            }
            None => plan.left[1].push(place),
        }
    }
    for &place in sales {
        match (partners.get(&place), repeats.get(&place)) {
            (Some(&partner), _) => plan.pairs.push((place, partner)),
            (None, Some(_)) if judge.has_chance(0, place) => plan.left[0].push(place),
            (None, Some(&of)) if is_torn(orders, place, of) => plan.chances[0].push((place, of)),
            (None, Some(&of)) => plan.orders.push((place, of)),
            (None, None) => plan.left[0].push(place),
        }
    }
    plan
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn match_group(
    judge: &mut Judge,
    report: &mut Report,
    pass: Pass,
    left: &mut [u32],
    right: &mut [u32],
) -> Option<()> {
    let settings = &report.settings;
    let orders = &report.orders;
    // Sales before refunds, those that count before the others, then the earliest first, then by the row's content,
    // never by its position.
    left.sort_by(|&one, &other| compare(orders, one, other, (IS_REFUND, Some(settings))));
    let conversions = &report.conversions;
    let prefers = Some(settings).filter(|settings| settings.prefers_approved);
    let pair_of = |place| {
        let head = conversions.head(place);
        report.pair_texts(head.map_or(0, |head| head.pair))
    };
    right.sort_by(|&one, &other| {
        let by_row = compare(conversions, one, other, (0, prefers));
        by_row.then_with(|| pair_of(one).cmp(&pair_of(other)))
    });
    let plan = plan(judge, report, pass, left, right);
    let mut rests: BTreeMap<u32, Rest> = BTreeMap::new();
    for refunds in plan.refunds.chunk_by(|one, other| one.0 == other.0) {
        if let Some(&(sale, _)) = refunds.first()
            && let Some(rest) = judge.take_refunds(report, sale, refunds)
        {
            rests.insert(sale, rest);
        }
    }
    for &(order, of) in &plan.orders {
        let (one, other) = (report.orders.head(order)?, report.orders.head(of)?);
        if report.settings.tells_other_refund(&one, &other) {
            let net = judge.net_so_far(of, &other);
            let rest = rests.entry(of).or_insert(Rest { net, is_due: false });
            rest.net.revenue = UNCLEAR;
        }
    }
    // A click alone says little: the rows may be two sales.
    if which(pass, 0) != CLICK_ID {
        judge.note_contradictions(report, &plan.orders, &mut rests)?;
    }
    for (&sale, rest) in &rests {
        report.orders.add_flags(sale, IS_AMENDED);
        judge.amend(sale, rest.net);
    }
    for (order, of) in plan.orders {
        let head = report.orders.head(order)?;
        judge.settle(report, true, order, Class::DuplicateOrder, of, &head);
    }
    // One row takes money back from the others: which of them is left is for a person to say.
    for &(conversion, of, _) in &plan.conversions {
        if report.conversions.head(conversion)?.is_below_zero() {
            report.conversions.add_flags(of, IS_SPARED);
        }
    }
    for (conversion, of, is_spared) in plan.conversions {
        if is_spared {
            report.conversions.add_flags(conversion, IS_SPARED);
        }
        let head = report.conversions.head(conversion)?;
        let class = Class::DuplicateConversion;
        judge.settle(report, false, conversion, class, of, &head);
    }
    for (order, conversion) in plan.pairs {
        judge.judge_pair(report, order, conversion, rests.get(&order).copied());
    }
    for (side, rows) in plan.chances.into_iter().enumerate() {
        for &(place, _) in &rows {
            judge.leave(report, pass, side, place)?;
        }
        report.memory.extend(judge.chances.get_mut(side)?, &rows)?;
    }
    for (side, places) in plan.left.into_iter().enumerate() {
        for place in places {
            judge.leave(report, pass, side, place)?;
        }
    }
    Some(())
}

impl Settings {
    /// Are these two exports of one sale, of which one does not know a refund yet? Which of them is the newer, they do
    /// not say. At another time, it is another try.
    fn tells_other_refund(&self, one: &Head, other: &Head) -> bool {
        let [_, _, _, taken @ ..] = self.codes;
        let what = |head: &Head| (taken.contains(&head.status), head.pair);
        one.seconds == other.seconds && what(one) != what(other)
    }
}

/// The order of two rows with one key. Rows that take money back come last: those below zero, and those with this flag.
/// With settings, rows whose status counts come first, then pending ones.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn compare(
    store: &Store,
    one: u32,
    other: u32,
    (back, prefers): (u8, Option<&Settings>),
) -> Ordering {
    let (Some(a), Some(b)) = (store.head(one), store.head(other)) else {
        return Ordering::Equal;
    };
    let class = |head: &Head| {
        let rank = prefers.map_or(0, |settings| settings.rank(head.status));
        let takes_back = head.flags & back != 0 || head.is_below_zero();
        (takes_back, rank, head.seconds)
    };
    class(&a)
        .cmp(&class(&b))
        .then_with(|| {
            let texts = |place| {
                let [unique, order, click, own] = store.texts(place);
                // A conversion with an id comes before one without: CAKE writes 0 for none. If two ids differ in
                // length, the shorter one is the smaller number.
                (own.is_empty(), own.len(), own, unique, order, click)
            };
            texts(one).cmp(&texts(other))
        })
        .then_with(|| {
            let rest = |head: &Head| (head.revenue, head.payout, head.status, head.currency);
            rest(&a).cmp(&rest(&b))
        })
}

pub(super) fn is_same_row(store: &Store, one: u32, other: u32) -> bool {
    let what = |place| {
        store.head(place).map(|head| {
            (
                head.seconds,
                head.revenue,
                head.payout,
                head.status,
                head.pair,
            )
        })
    };
    what(one) == what(other) && store.texts(one) == store.texts(other)
}

pub(super) fn lower(one: Option<&u64>, other: Option<&u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one >> 32).min(other >> 32)),
        (Some(entry), None) | (None, Some(entry)) => Some(entry >> 32),
        (None, None) => None,
    }
}
