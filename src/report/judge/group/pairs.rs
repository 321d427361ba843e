//! Which orders and conversions with one key are pairs: those that agree in more ids find each other first.

use crate::report::Report;
use crate::report::judge::refunds::is_other;
use crate::report::judge::{Judge, LOOK, Pass, which};
use crate::report::store::{CLICK_ID, ORDER_ID, OWN_ID, Store, UNIQUE_ID};
use std::collections::BTreeMap;

/// Orders by their places, each with another row's.
pub(super) type Links = BTreeMap<u32, u32>;

/// Orders by their places, each with its conversion and how much the two agree in.
pub(super) type Partners = BTreeMap<u32, (u32, u8)>;

/// How much a pair agrees in, besides its key: this, and one more for each equal id. By the ids of a row that repeats the
/// order, it is [`LENT`]. With no equal id it is [`SILENT`], and one less for each id that differs.
const EQUAL: u8 = 3;
const LENT: u8 = 3;
const SILENT: u8 = 2;
/// The same for all pairs.
const ANY: u8 = 0;

/// Up to so many possible pairs are compared by all of their ids.
const MOST: usize = 1 << 20;

/// Compares the other ids of rows with one key.
struct Others<'a> {
    report: &'a Report,
    which: Vec<usize>,
    /// Orders with the rows that repeat them.
    repeated: BTreeMap<u32, Vec<u32>>,
}

impl<'a> Others<'a> {
    /// What tells the rows apart; and whether anything does.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn of(
        report: &'a Report,
        pass: Pass,
        (sales, repeats): (&[u32], &Links),
        right: &[u32],
    ) -> (Self, bool) {
        let key = which(pass, 0);
        // The other of an order's own ids is never CAKE's id of that name.
        let tells = |&which: &usize| which != key && (pass != Pass::Own || which == CLICK_ID);
        let which = [UNIQUE_ID, ORDER_ID, CLICK_ID].into_iter().filter(tells);
        let mut others = Self {
            report,
            which: which.collect(),
            repeated: BTreeMap::new(),
        };
        let has_others = |&conversion: &u32| {
            let mut which = others.which.iter();
            which.any(|&which| !report.conversions.text(conversion, which).is_empty())
        };
        let is_told =
            sales.len().saturating_mul(right.len()) <= MOST && right.iter().any(has_others);
        if is_told {
            others.note(repeats);
        }
        (others, is_told)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn note(&mut self, repeats: &Links) {
        for (&row, &of) in repeats {
            let rows = self.repeated.entry(of).or_default();
            if rows.len() < LOOK {
                rows.push(row);
            }
        }
    }

    /// The number of ids that are equal, and of those that differ.
    fn compare(&self, order: u32, conversion: u32) -> (u8, u8) {
        let (mut equal, mut differ) = (0, 0);
        for &which in &self.which {
            let own = self.report.orders.text(order, which);
            let theirs = self.report.conversions.text(conversion, which);
            equal += u8::from(!own.is_empty() && own == theirs);
            differ += u8::from(is_other(own, theirs));
        }
        (equal, differ)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn agreement(&self, order: u32, conversion: u32) -> u8 {
        let (equal, differ) = self.compare(order, conversion);
        let mut rows = self.repeated.get(&order).into_iter().flatten();
        if equal > 0 {
            EQUAL + equal
        } else if rows.any(|&row| self.compare(row, conversion).0 > 0) {
            LENT
        } else {
            SILENT - differ.min(SILENT)
        }
    }
}

/// Pairs orders and conversions with one key as far as they go; marks the conversions.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn pair_off(
    (judge, report, pass): (&Judge, &Report, Pass),
    sales: (&[u32], &Links),
    right: &[u32],
    is_taken: &mut [bool],
) -> Partners {
    let mut partners = Partners::new();
    if right.is_empty() {
        return partners;
    }
    // A click alone says little: rows that nothing else tells apart may be two sales.
    let is_weak = which(pass, 0) == CLICK_ID;
    let (others, is_told) = Others::of(report, pass, sales, right);
    let judge = Some(judge).filter(|_| is_weak);
    for stage in stages(is_weak, is_told) {
        pair_stage(
            (judge, &others),
            stage,
            sales,
            (right, is_taken),
            &mut partners,
        );
    }
    if partners.is_empty()
        && let (Some(&order), Some(&conversion), Some(is_taken)) =
            (sales.0.first(), right.first(), is_taken.first_mut())
    {
        *is_taken = true;
        add(&mut partners, order, (conversion, ANY));
    }
    partners
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn add(partners: &mut Partners, order: u32, partner: (u32, u8)) {
    partners.insert(order, partner);
}

/// Pairs those that agree in so much. The judge is that of a click.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn pair_stage(
    (judge, others): (Option<&Judge>, &Others<'_>),
    (least, needs_offer, needs_revenue): Stage,
    (sales, repeats): (&[u32], &Links),
    (right, is_taken): (&[u32], &mut [bool]),
    partners: &mut Partners,
) {
    let report = others.report;
    let (orders, conversions) = (&report.orders, &report.conversions);
    let has_revenue = |order: u32, conversion: u32| {
        let (one, other) = (orders.head(order), conversions.head(conversion));
        one.map(|head| head.revenue) == other.map(|head| head.revenue)
    };
    let mut from = 0;
    for &order in sales {
        // A row that has repeated another one by an id is no sale of its own under the click of a third one.
        let is_repeat =
            repeats.contains_key(&order) && judge.is_none_or(|judge| judge.has_chance(0, order));
        if is_repeat || partners.contains_key(&order) {
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
                && (least == ANY || others.agreement(order, **conversion) >= least)
        });
        if let Some((&conversion, is_taken)) = found {
            *is_taken = true;
            add(partners, order, (conversion, least));
        }
    }
}

/// How much pairs must agree in, and whether in their offer, and in their revenue.
type Stage = (u8, bool, bool);

/// What pairs must agree in: those that agree most find each other first, by ids, by offer, then under a click by revenue.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn stages(is_weak: bool, is_told: bool) -> Vec<Stage> {
    let least: &[u8] = match (is_told, is_weak) {
        (false, _) => &[ANY],
        // A click brings several sales: ids of other systems say nothing.
        (true, true) => &[EQUAL + 1, ANY],
        (true, false) => &[EQUAL + 2, EQUAL + 1, LENT, SILENT, SILENT - 1, ANY],
    };
    let mut stages = Vec::new();
    for &least in least {
        for needs_offer in [true, false] {
            if is_weak && least == ANY {
                stages.push((least, needs_offer, true));
            }
            stages.push((least, needs_offer, false));
        }
    }
    stages
}

/// Sales with two clicks under one order id, where a conversion does not say which of them it is.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn unsure(
    orders: &Store,
    key: usize,
    (sales, repeats): (&[u32], &Links),
    partners: &Partners,
) -> Vec<(u32, u32)> {
    let mut unsure = Vec::new();
    if key == CLICK_ID || sales.len() < 2 || partners.is_empty() {
        return unsure;
    }
    let level = |sale: &u32| partners.get(sale).map(|&(_, level)| level);
    let is_doubtful = |sale: &&u32| {
        !repeats.contains_key(*sale) && level(sale).is_none_or(|level| level <= SILENT)
    };
    let differ =
        |one: u32, other: u32, which| is_other(orders.text(one, which), orders.text(other, which));
    for &sale in sales.iter().filter(is_doubtful) {
        let mut paired = sales.iter().filter(is_doubtful).take(LOOK);
        let other = paired.find(|&other| {
            level(other).is_some()
                && differ(sale, *other, CLICK_ID)
                && !differ(sale, *other, OWN_ID)
        });
        if let Some(&other) = other {
            unsure.push((sale, other));
        }
    }
    unsure
}
