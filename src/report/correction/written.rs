//! The sales of the journal, and which of them a sale may be: a program may have written its id otherwise since, or
//! with other columns.

use super::word;
use crate::Result;
use crate::report::Report;
use crate::report::judge::hints::{plain_form, shown_digits};
use crate::report::memory::hash;
use crate::report::store::{CLICK_ID, ORDER_ID, UNIQUE_ID};

/// The lines of the journal, by the hashes of their ids.
#[derive(Debug)]
pub(super) struct Written {
    lines: Vec<Ids>,
    /// By a hash of an id, of a click and the kinds of ids beside it, or of a click, its time and money; sorted.
    index: Vec<(u64, u32)>,
}

/// A hash of the columns of [`UPLOAD`](super::UPLOAD) that say what was sold, when and by which click: with these a
/// sale is the same, whatever its ids are; 0 without a click.
#[cfg_attr(small_cold, optimize(size))]
fn sale_in([click, date, payout, revenue]: [&[u8]; 4]) -> u64 {
    if click.is_empty() {
        return 0;
    }
    let parts = [click, date, payout, revenue].map(word);
    hash(&parts.join(&b' '), 2) | 1
}

/// Hashes of a sale's ids, without what programs add to them; 0 for none. An order id that is the unique id as well
/// is no unique id.
#[derive(Clone, Copy, Debug)]
struct Ids {
    unique: u64,
    order: u64,
    click: u64,
    /// Which of the two it has, by bits; none where a spreadsheet has shortened one.
    kinds: u64,
}

/// The most lines that one sale may be.
const MOST: usize = 64;

impl Ids {
    #[cfg_attr(small_cold, optimize(size))]
    fn of(texts: [&[u8]; 3]) -> Self {
        let mut form = Vec::new();
        let mut is_short = false;
        let [unique, order, click] = [UNIQUE_ID, ORDER_ID, CLICK_ID].map(|which| {
            let mut text = word(texts.get(which).copied().unwrap_or_default());
            // The journal has one for each blank.
            text.retain(|&byte| byte != b'_');
            is_short |= which != CLICK_ID && shown_digits(&text) > 0;
            plain_form(&text, &mut form);
            if form.is_empty() {
                0
            } else {
                hash(&form, 1) & !1 | 2
            }
        });
        let unique = if unique == order { 0 } else { unique };
        let kinds = u64::from(unique != 0) | u64::from(order != 0) << 1;
        Self {
            unique,
            order,
            click,
            kinds: if is_short { 0 } else { kinds },
        }
    }

    /// Do the ids of the two say that they are one sale? Two unique ids are two transactions of an order.
    fn is_same(&self, other: &Self) -> bool {
        let is_one = |one: u64, other: u64| one != 0 && one == other;
        is_one(self.unique, other.unique)
            || is_one(self.unique, other.order)
            || is_one(self.order, other.unique)
            || is_one(self.order, other.order) && (self.unique == 0 || other.unique == 0)
    }

    /// The place in the index of the click beside ids of these kinds.
    fn of_click(&self, kinds: u64) -> u64 {
        self.click.wrapping_add(kinds << 1) | 1
    }
}

impl Written {
    /// The numbers of the lines that may be the sale with these ids.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn like(&self, texts: [&[u8]; 3], cells: &[Vec<u8>; 7]) -> Vec<u32> {
        let mut like = Vec::new();
        if self.lines.is_empty() {
            return like;
        }
        let own = Ids::of(texts);
        let mut add = |key: u64, fits: &dyn Fn(&Ids) -> bool| {
            let from = self.index.partition_point(|&(other, _)| other < key);
            let rest = self.index.get(from..).unwrap_or_default();
            let rest = rest.iter().take_while(|&&(other, _)| other == key);
            let lines = rest.filter(|&&(_, line)| self.lines.get(line as usize).is_some_and(fits));
            like.extend(lines.take(MOST).map(|&(_, line)| line));
        };
        for id in [own.unique, own.order] {
            if id != 0 {
                add(id, &|line| own.is_same(line));
            }
        }
        // Without a common kind of id, only the click says that they are one.
        for kinds in (0..4).filter(|kinds| own.click != 0 && kinds & own.kinds == 0) {
            add(own.of_click(kinds), &|_| true);
        }
        let [click, _, date, payout, revenue, ..] = cells;
        let sale = sale_in([click, date, payout, revenue]);
        if sale != 0 {
            add(sale, &|_| true);
        }
        like.sort_unstable();
        like.dedup();
        like
    }
}

impl Report {
    /// Reads the lines of a journal's uploads.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn read_written(&mut self, journal: &[&str]) -> Result<()> {
        let mut memory = self.memory;
        let (mut lines, mut index) = (Vec::new(), Vec::new());
        for (number, line) in (0_u32..).zip(journal) {
            let words: Vec<&str> = line.split(' ').collect();
            let cell = |column: usize| words.get(2 + column).copied().unwrap_or("").as_bytes();
            // The columns of UPLOAD.
            let ids = Ids::of([cell(5), cell(6), cell(0)]);
            let sale = sale_in([cell(0), cell(2), cell(3), cell(4)]);
            let mut keys = vec![ids.unique, ids.order, sale];
            if ids.click != 0 {
                keys.push(ids.of_click(ids.kinds));
            }
            for key in keys.into_iter().filter(|&key| key != 0) {
                if memory.extend(&mut index, &[(key, number)]).is_none() {
                    return Err(self.full());
                }
            }
            if memory.extend(&mut lines, &[ids]).is_none() {
                return Err(self.full());
            }
        }
        index.sort_unstable();
        self.found.written = Some(Written { lines, index });
        Ok(())
    }
}
