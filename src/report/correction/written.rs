//! The sales of the journal, and which of them a sale may be: a program may have written its id otherwise since, with
//! other columns, or in parts.

use super::word;
use crate::Result;
use crate::report::Report;
use crate::report::judge::hints::{
    MADE, PART, each_near, fits, is_part, needs_click, plain_form, shown_digits,
};
use crate::report::memory::{Memory, hash};
use crate::report::store::{CLICK_ID, ORDER_ID, UNIQUE_ID};

/// The lines of the journal, by the hashes of their ids.
#[derive(Debug)]
pub(super) struct Written {
    lines: Vec<Ids>,
    /// By a form of an id and how it was made; sorted.
    forms: Vec<(u64, u8, u32)>,
    /// By a hash of a click and the kinds of ids beside it, or of a click, its time and money; sorted.
    index: Vec<(u64, u32)>,
    /// The ids of the lines, one after the other.
    texts: Vec<u8>,
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
    /// Where the texts of the two begin, and where they end.
    at: [u32; 3],
}

/// The most lines that one sale may be.
const MOST: usize = 64;

/// The ids as the journal has them: with a mark for each blank.
fn words(texts: [&[u8]; 3]) -> [Vec<u8>; 3] {
    [UNIQUE_ID, ORDER_ID, CLICK_ID].map(|which| word(texts.get(which).copied().unwrap_or_default()))
}

/// Visits the forms of two ids. A mark of the journal may have been a blank.
#[cfg_attr(small_cold, optimize(size))]
fn each_form_of(ids: [&[u8]; 2], add: &mut dyn FnMut(u64, u8) -> Option<()>) -> Option<()> {
    let mut scratch = Vec::new();
    for (key, id) in (0_u8..).zip(ids) {
        let without: Vec<u8> = id.iter().copied().filter(|&byte| byte != b'_').collect();
        each_near(id, key, 0, &mut scratch, add)?;
        if without.len() < id.len() {
            each_near(&without, key, 0, &mut scratch, add)?;
        }
    }
    Some(())
}

/// How a form was made, whichever key it is of.
fn made(key: u8) -> u8 {
    key & MADE
}

impl Ids {
    #[cfg_attr(small_cold, optimize(size))]
    fn of(words: [&[u8]; 3], at: [u32; 3]) -> Self {
        let mut form = Vec::new();
        let mut is_short = false;
        let [unique, order, click] = [UNIQUE_ID, ORDER_ID, CLICK_ID].map(|which| {
            let mut text = words.get(which).copied().unwrap_or_default().to_vec();
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
            at,
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
        let words = words(texts);
        let [unique, order, click] = words.each_ref().map(Vec::as_slice);
        let own = Ids::of([unique, order, click], [0; 3]);
        // Nothing here runs out of memory.
        let _ = each_form_of([unique, order], &mut |form, key| {
            self.add_near((form, made(key)), &own, [unique, order], &mut like);
            Some(())
        });
        let mut add = |key: u64| {
            let from = self.index.partition_point(|&(other, _)| other < key);
            let rest = self.index.get(from..).unwrap_or_default();
            let rest = rest.iter().take_while(|&&(other, _)| other == key);
            like.extend(rest.take(MOST).map(|&(_, line)| line));
        };
        // Without a common kind of id, only the click says that they are one.
        for kinds in (0..4).filter(|kinds| own.click != 0 && kinds & own.kinds == 0) {
            add(own.of_click(kinds));
        }
        let [click, _, date, payout, revenue, ..] = cells;
        let sale = sale_in([click, date, payout, revenue]);
        if sale != 0 {
            add(sale);
        }
        like.sort_unstable();
        like.dedup();
        like
    }

    /// Adds the lines of which an id has this form, where the two may be one sale.
    #[cfg_attr(small_cold, optimize(size))]
    fn add_near(
        &self,
        (form, made): (u64, u8),
        own: &Ids,
        texts: [&[u8]; 2],
        found: &mut Vec<u32>,
    ) {
        let from = self.forms.partition_point(|&(other, ..)| other < form);
        let rest = self.forms.get(from..).unwrap_or_default();
        let rest = rest.iter().take_while(|&&(other, ..)| other == form);
        let lines = rest.filter(|&&(_, theirs, number)| {
            let Some(line) = self.lines.get(number as usize) else {
                return false;
            };
            if made | theirs == 0 {
                return own.is_same(line);
            }
            let is_one_click = own.click != 0 && own.click == line.click;
            let is_parted = || {
                let other = self.texts_of(line);
                is_part(texts, other) || is_part(other, texts)
            };
            fits(made, theirs)
                && (is_one_click || !needs_click(made, theirs))
                && ((made | theirs) & PART == 0 || is_parted())
        });
        found.extend(lines.take(MOST).map(|&(.., number)| number));
    }

    fn texts_of(&self, line: &Ids) -> [&[u8]; 2] {
        let [unique, order, end] = line.at.map(|at| at as usize);
        [unique..order, order..end].map(|range| self.texts.get(range).unwrap_or_default())
    }

    /// Adds a line of the journal; `None` where the memory does not suffice.
    #[cfg_attr(small_cold, optimize(size))]
    fn add(&mut self, line: &str, number: u32, memory: &mut Memory) -> Option<()> {
        let words: Vec<&str> = line.split(' ').collect();
        let cell = |column: usize| words.get(2 + column).copied().unwrap_or("").as_bytes();
        // The columns of UPLOAD.
        let [unique, order] = [cell(5), cell(6)];
        let at = [0, unique.len(), unique.len() + order.len()];
        let start = self.texts.len();
        let at = at.map(|offset| u32::try_from(start + offset).unwrap_or(u32::MAX));
        memory.extend(&mut self.texts, unique)?;
        memory.extend(&mut self.texts, order)?;
        let ids = Ids::of([unique, order, cell(0)], at);
        each_form_of([unique, order], &mut |form, key| {
            memory.extend(&mut self.forms, &[(form, made(key), number)])
        })?;
        let sale = sale_in([cell(0), cell(2), cell(3), cell(4)]);
        if sale != 0 {
            memory.extend(&mut self.index, &[(sale, number)])?;
        }
        if ids.click != 0 {
            memory.extend(&mut self.index, &[(ids.of_click(ids.kinds), number)])?;
        }
        memory.extend(&mut self.lines, &[ids])
    }
}

impl Report {
    /// Reads the lines of a journal's uploads.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn read_written(&mut self, journal: &[&str]) -> Result<()> {
        let mut memory = self.memory;
        let mut written = Written {
            lines: Vec::new(),
            forms: Vec::new(),
            index: Vec::new(),
            texts: Vec::new(),
        };
        for (number, line) in (0_u32..).zip(journal) {
            if written.add(line, number, &mut memory).is_none() {
                return Err(self.full());
            }
        }
        written.forms.sort_unstable();
        written.forms.dedup();
        written.index.sort_unstable();
        self.found.written = Some(written);
        Ok(())
    }
}
