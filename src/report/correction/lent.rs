//! What the other rows of a missing sale say: its ids and its offer may stand in several rows.

use crate::report::Report;
use crate::report::judge::{Class, standing};
use crate::report::row::Span;
use crate::report::store::{Head, TEXTS};

/// The rows that repeat sales which are missing at CAKE, each after its sale; sorted.
#[derive(Debug, Default)]
pub(super) struct Lent {
    rows: Vec<(u32, u32)>,
}

impl Lent {
    /// The rows that repeat a sale.
    pub(super) fn rows(&self, sale: u32) -> impl Iterator<Item = u32> + Clone {
        let from = self.rows.partition_point(|&(other, _)| other < sale);
        let rest = self.rows.get(from..).unwrap_or_default().iter();
        let own = rest.take_while(move |&&(other, _)| other == sale);
        own.map(|&(_, row)| row)
    }
}

impl Report {
    /// Finds the sales of rows that repeat one.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn lent(&self, repeats: Vec<u32>) -> Lent {
        let class = Class::MissingAtCake as u8;
        let rows = repeats.into_iter().map(|row| {
            let sale = standing(&self.orders, Class::DuplicateOrder, row);
            (sale, row)
        });
        let is_missing = |sale| {
            self.orders
                .head(sale)
                .is_some_and(|head| head.class == class)
        };
        let mut rows: Vec<_> = rows.filter(|&(sale, _)| is_missing(sale)).collect();
        rows.sort_unstable();
        Lent { rows }
    }

    /// The times of a sale, of all of its rows.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn span_of_sale(&self, lent: &Lent, sale: u32, head: &Head) -> Option<Span> {
        let rows = lent.rows(sale).filter_map(|row| {
            let head = self.orders.head(row)?;
            self.span(true, row, &head)
        });
        let spans = self.span(true, sale, head).into_iter().chain(rows);
        spans.reduce(|(first, last), (one, other)| (first.min(one), last.max(other)))
    }

    /// The texts of a sale, of whichever of its rows; and whether two of them differ in one.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn texts_of_sale(&self, lent: &Lent, sale: u32) -> ([&[u8]; TEXTS], bool) {
        let mut texts = self.orders.texts(sale);
        let own = texts;
        let mut differs = false;
        for row in lent.rows(sale) {
            for ((text, own), more) in texts.iter_mut().zip(own).zip(self.orders.texts(row)) {
                if more.is_empty() || *text == more {
                    continue;
                }
                differs |= !text.is_empty();
                // Whatever the order of rows.
                if own.is_empty() && (text.is_empty() || more < *text) {
                    *text = more;
                }
            }
        }
        (texts, differs)
    }
}
