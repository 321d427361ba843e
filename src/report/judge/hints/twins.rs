//! Orders whose sale may have another row as well: with nearly the same key, or with nothing but the same click. All
//! orders and all of CAKE's rows are searched, and only for what would be uploaded. The same of conversions that no order
//! has: one that has found its conversion may be theirs, too.

use super::rule::{LIST, MADE, PART, SHORT, are_lists, each_near, fits, needs_click};
use super::{KEY, MOST_CELLS, is_part_of_other, shown_digits};
use crate::report::Report;
use crate::report::judge::Class;
use crate::report::judge::LOOK;
use crate::report::judge::refunds::is_other;
use crate::report::memory::{Memory, sort_numbers};
use crate::report::store::{CLICK_ID, NOBODY, ORDER_ID, OWN_ID, Store, UNIQUE_ID};

/// The places of orders with a twin, sorted.
#[derive(Debug, Default)]
pub(in crate::report) struct Twins {
    /// The twin is a row of CAKE's.
    pub(in crate::report) at_cake: Vec<u32>,
    /// The twin is another order.
    pub(in crate::report) orders: Vec<u32>,
}

/// The sides of an entry: a row that is searched for, another order, a conversion.
const WANTED: u8 = 0;
const ORDER: u8 = 1;
const CONVERSION: u8 = 2;

/// A form of a key: its hash, the row's side and place, and the key.
type Entry = (u64, u8, u32, u8);

/// Marks the click of a row that has no other id.
const BARE: u8 = 16;

/// The most rows of one form that differ.
const MOST: usize = 4 * LOOK;

/// Which forms there may be: nearly every row has none of them. It tells so from a bit.
#[derive(Debug)]
struct Filter {
    bits: Vec<u64>,
    /// Has a wanted order nothing but its click?
    has_bare: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            bits: vec![0; 1 << 14],
            has_bare: false,
        }
    }
}

impl Filter {
    fn add(&mut self, form: u64) {
        let (word, bit) = Self::place(form);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    #[inline]
    fn may_have(&self, form: u64) -> bool {
        let (word, bit) = Self::place(form);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    #[inline]
    fn place(form: u64) -> (usize, u64) {
        ((form >> 50) as usize, 1 << (form >> 44 & 63))
    }
}

/// A row under one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row<'a> {
    key: u8,
    text: &'a [u8],
    offer: &'a [u8],
    click: &'a [u8],
    side: u8,
    /// It has one id: no other tells whether that is the unique id or the order's.
    is_single: bool,
    /// CAKE had it under this key, and then under another one: no order has found it.
    is_former: bool,
    place: u32,
}

impl Report {
    /// The orders, of these sorted ones, that have a twin; `None` where the memory does not suffice.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn twins(&self, wanted: &[u32]) -> Option<Twins> {
        let mut twins = Twins::default();
        self.each_twin(true, wanted, &mut |place, twin| {
            let list = if twin.side == CONVERSION {
                &mut twins.at_cake
            } else {
                &mut twins.orders
            };
            list.push(place);
        })?;
        for list in [&mut twins.at_cake, &mut twins.orders] {
            sort_numbers(list);
        }
        Some(twins)
    }

    /// The conversions, of these sorted ones, whose id is nearly that of an order, with such orders; sorted.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn near_orders(&self, wanted: &[u32]) -> Option<Vec<(u32, u32)>> {
        let mut near = Vec::new();
        self.each_twin(false, wanted, &mut |place, twin| {
            near.push((place, twin.place));
        })?;
        near.sort_unstable();
        Some(near)
    }

    /// Visits rows of a side with their twins, by each of their forms.
    #[cfg_attr(small_cold, optimize(size))]
    fn each_twin(
        &self,
        is_order: bool,
        wanted: &[u32],
        visit: &mut dyn FnMut(u32, &Row<'_>),
    ) -> Option<()> {
        if wanted.is_empty() {
            return Some(());
        }
        let mut memory = self.memory;
        let mut scratch = Vec::new();
        let lengths = self.lengths();
        let mut entries: Vec<Entry> = Vec::new();
        for &place in wanted {
            each_entry(
                self.side(is_order),
                place,
                (lengths, is_order),
                &mut scratch,
                &mut |form, key| {
                    // A conversion of the same click is another sale.
                    if !is_order && key & BARE != 0 {
                        return Some(());
                    }
                    memory.extend(&mut entries, &[(form, WANTED, place, key)])
                },
            )?;
        }
        entries.sort_unstable();
        drop_common(&mut entries);
        let mut filter = Filter::default();
        for &(form, _, _, key) in &entries {
            filter.add(form);
            filter.has_bare |= key & BARE != 0;
        }
        let count = entries.len();
        // Orders that are searched for are there already.
        let own = if is_order { wanted } else { &[] };
        let searched = self.searched();
        let searched = searched.iter().take(if is_order { 2 } else { 1 });
        for &other in searched {
            add_others(
                own,
                other,
                (lengths, &filter),
                (&mut entries, count),
                &mut memory,
            )?;
        }
        entries.sort_unstable();
        entries.dedup_by_key(|&mut (form, side, place, _)| (form, side, place));
        for group in entries.chunk_by(|one, other| one.0 == other.0) {
            if group.len() > 1 && group.iter().any(|&(_, side, ..)| side == WANTED) {
                self.judge_form(is_order, group, visit);
            }
        }
        Some(())
    }

    fn searched(&self) -> [(&Store, u8); 2] {
        [(&self.orders, ORDER), (&self.conversions, CONVERSION)]
    }

    /// The digits that remain of keys that a spreadsheet has shortened.
    #[inline(never)]
    fn lengths(&self) -> u32 {
        let mut lengths = 0;
        for (store, _) in self.searched() {
            let mut next = store.first();
            while let Some((view, after)) = next.and_then(|place| store.view(place)) {
                next = after;
                for key in [UNIQUE_ID, ORDER_ID] {
                    let text = view.text(key);
                    if !text.first().is_none_or(u8::is_ascii_alphabetic) {
                        lengths |= 1 << shown_digits(text);
                    }
                }
            }
        }
        lengths
    }

    /// Visits the wanted rows among rows of one form that have a twin there.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn judge_form(&self, is_order: bool, group: &[Entry], visit: &mut dyn FnMut(u32, &Row<'_>)) {
        let is_click = |row: &Row<'_>| usize::from(row.key & !BARE) == CLICK_ID;
        // Few rows of one form differ. CAKE's come first.
        let mut others: Vec<Row<'_>> = Vec::new();
        let theirs = group.iter().rev();
        for entry in theirs.filter(|&&(_, side, ..)| is_order || side != WANTED) {
            if others.len() >= MOST {
                break;
            }
            let row = self.row_of(is_order, entry);
            let is_known = |other: &Row<'_>| {
                Row {
                    place: row.place,
                    ..*other
                } == row
            };
            let is_new = if is_click(&row) {
                row.key & BARE != 0 || others.len() < LOOK
            } else {
                !others.iter().any(is_known)
            };
            if is_new {
                others.push(row);
            }
        }
        let cells = group.iter().filter(|&&(.., key)| key & LIST != 0).count();
        let is_common = |row: &Row<'_>, other: &Row<'_>| {
            let is_itself = other.side == WANTED && (other.place, is_order) == (row.place, true);
            are_lists(row.key, other.key) && (is_itself || cells > MOST_CELLS)
        };
        for entry in group.iter().filter(|&&(_, side, ..)| side == WANTED) {
            let row = self.row_of(is_order, entry);
            let twins = others.iter().filter(|other| {
                if is_click(&row) {
                    is_click_twin(&row, other)
                } else if (row.key | other.key) & MADE == 0 {
                    is_twin(&row, other)
                } else {
                    let is_one_click = !row.click.is_empty() && row.click == other.click;
                    fits(row.key, other.key)
                        && !is_common(&row, other)
                        && !is_other(row.offer, other.offer)
                        && (is_one_click || !needs_click(row.key, other.key))
                        && ((row.key | other.key) & PART == 0
                            || self.is_part_of(is_order, &row, other))
                }
            });
            // One says enough of an order. A conversion may be any one's.
            for twin in twins.take(if is_order { 1 } else { MOST }) {
                visit(row.place, twin);
            }
        }
    }

    /// Is an order a part of another row's order, or the other way round? An order that is taken back has given way to
    /// its parts; a conversion of one may be its refund's.
    #[cfg_attr(small_cold, optimize(size))]
    fn is_part_of(&self, is_order: bool, row: &Row<'_>, other: &Row<'_>) -> bool {
        if !is_order {
            return is_part_of_other(&self.orders, other.place, &self.conversions, row.place);
        }
        let store = self.side(other.side != CONVERSION);
        let head = store.head(other.place);
        let is_taken_back = other.side != CONVERSION
            && head.is_some_and(|head| self.settings.rank(head.status) > 1);
        !is_taken_back && is_part_of_other(&self.orders, row.place, store, other.place)
    }

    /// The row of an entry, where orders are searched for or conversions.
    fn row_of(&self, is_order: bool, &(_, side, place, key): &Entry) -> Row<'_> {
        let side = if side == WANTED && !is_order {
            CONVERSION
        } else {
            side
        };
        let store = if side == CONVERSION {
            &self.conversions
        } else {
            &self.orders
        };
        let texts = store.texts(place);
        let [unique, order, click, own] = texts;
        let head = store.head(place).filter(|_| side == CONVERSION);
        let offer = head.map_or(own, |head| self.pair_texts(head.pair).0);
        Row {
            key,
            text: texts
                .get(usize::from(key & KEY))
                .copied()
                .unwrap_or_default(),
            offer,
            click,
            side,
            is_single: unique.is_empty() || order.is_empty() || unique == order,
            is_former: head.is_some_and(|head| head.class == Class::ReadTwice as u8),
            place,
        }
    }
}

/// Drops the ids that too many cells of several have: they tell no order.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn drop_common(entries: &mut Vec<Entry>) {
    let is_cell = |entry: &&Entry| entry.3 & LIST != 0;
    let groups = entries.chunk_by(|one, other| one.0 == other.0);
    let common = groups.filter(|group| group.iter().filter(is_cell).count() > MOST_CELLS);
    let common: Vec<u64> = common.filter_map(|group| Some(group.first()?.0)).collect();
    entries.retain(|entry| !is_cell(&entry) || common.binary_search(&entry.0).is_err());
}

/// Adds the rows of a side that have a form of one of the first entries, which are sorted; those of the own ones are
/// there already.
#[inline(never)]
fn add_others(
    own: &[u32],
    (store, side): (&Store, u8),
    (lengths, filter): (u32, &Filter),
    (entries, count): (&mut Vec<Entry>, usize),
    memory: &mut Memory,
) -> Option<()> {
    let mut scratch = Vec::new();
    let mut next = store.first();
    while let Some(place) = next {
        next = store.next(place);
        each_entry(
            store,
            place,
            (lengths, filter.has_bare),
            &mut scratch,
            &mut |form, key| {
                if !filter.may_have(form) {
                    return Some(());
                }
                let ours = entries.get(..count).unwrap_or_default();
                let from = ours.partition_point(|&(other, ..)| other < form);
                if ours.get(from).is_none_or(|&(other, ..)| other != form) {
                    return Some(());
                }
                // A click brings several sales: it says something of a row that has nothing else.
                let is_bare = |key: u8| key & BARE != 0;
                let same = ours.get(from..).unwrap_or_default().iter();
                let mut same = same.take_while(|&&(other, ..)| other == form);
                let is_said = usize::from(key & !BARE) != CLICK_ID
                    || side == ORDER && is_bare(key)
                    || same.any(|&(.., key)| is_bare(key));
                let is_own = side == ORDER && own.binary_search(&place).is_ok();
                if is_own || !is_said {
                    return Some(());
                }
                memory.extend(entries, &[(form, side, place, key)])
            },
        )?;
    }
    Some(())
}

/// Visits the forms of a row's ids, and of its click: of every row's, or of those that have no id.
#[inline(never)]
fn each_entry(
    store: &Store,
    place: u32,
    (lengths, needs_click): (u32, bool),
    scratch: &mut Vec<u8>,
    add: &mut dyn FnMut(u64, u8) -> Option<()>,
) -> Option<()> {
    let texts = store.texts(place);
    let [unique, order, ..] = texts;
    let bare = if unique.is_empty() && order.is_empty() {
        BARE
    } else {
        0
    };
    let head = store.head(place)?;
    // A refund that has found its sale is that sale's.
    if head.class == Class::Refund as u8 && head.partner != NOBODY {
        return Some(());
    }
    for (key, text) in (0_u8..).zip(texts).take(OWN_ID) {
        let which = usize::from(key);
        if text.is_empty() || which == ORDER_ID && text == unique {
            continue;
        }
        let (lengths, mark) = if which == CLICK_ID {
            if bare == 0 && !needs_click {
                continue;
            }
            (0, bare)
        } else {
            (lengths, 0)
        };
        each_near(text, key, lengths, scratch, &mut |form, key| {
            add(form, key | mark)
        })?;
    }
    Some(())
}

/// May these rows with one form be one sale? With one key written alike they are told apart already: one unique id has
/// a sale of each offer, one order several transactions.
fn is_twin(row: &Row<'_>, other: &Row<'_>) -> bool {
    if is_other(row.offer, other.offer) {
        return false;
    }
    let is_order = other.side != CONVERSION;
    let is_short = (row.key | other.key) & SHORT != 0;
    if is_short {
        // Long numbers that follow each other become one: only the click says that they are one.
        let is_shortened = shown_digits(row.text) > 0 || shown_digits(other.text) > 0;
        return is_order && is_shortened && row.text != other.text && row.click == other.click;
    }
    if row.key == other.key {
        return row.text != other.text || other.is_former;
    }
    is_order && (row.is_single || other.is_single)
}

/// May these rows of one click be one sale? One of them has no other id.
fn is_click_twin(row: &Row<'_>, other: &Row<'_>) -> bool {
    let is_itself = other.side == WANTED && other.place == row.place;
    let is_one_bare = row.key & BARE != 0 || other.key & BARE != 0 && other.side != CONVERSION;
    !is_itself && is_one_bare && !is_other(row.offer, other.offer)
}
