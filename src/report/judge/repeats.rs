//! Rows that repeat another one: which row stands for each, and which repeat it.

use super::Class;
use crate::report::Report;
use crate::report::store::Store;
use std::collections::BTreeMap;

/// The row that stands for this one, which may repeat one that repeats another one: once for each key at most.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn standing(store: &Store, class: Class, place: u32) -> u32 {
    let mut stand = place;
    for _ in 0..8 {
        match store.head(stand) {
            Some(head) if head.class == class as u8 => stand = head.partner,
            _ => break,
        }
    }
    stand
}

/// The rows that repeat one of these sales, by the sale.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn repeats_of(report: &Report, sales: &[(u32, u32)]) -> Option<BTreeMap<u32, Vec<u32>>> {
    let mut repeats: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut next = report.orders.first().filter(|_| !sales.is_empty());
    while let Some(place) = next {
        next = report.orders.next(place);
        if report.orders.head(place)?.class == Class::DuplicateOrder as u8 {
            let of = standing(&report.orders, Class::DuplicateOrder, place);
            if sales.binary_search_by_key(&of, |&(sale, _)| sale).is_ok() {
                repeats.entry(of).or_default().push(place);
            }
        }
    }
    Some(repeats)
}
