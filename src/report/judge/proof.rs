//! Which equal keys prove that two rows are one sale. A number that a spreadsheet has shortened, or an id that it has
//! turned into a date, is another one's as well; an id that several conversions have and no order may be a constant.
use super::dates::{is_day, is_named, may_be_day, style};
use super::hints::{is_exponent, shown_digits};
use super::{Judge, Pass, which};
use crate::Result;
use crate::report::elsewhere::Long;
use crate::report::listing::is_pair;
use crate::report::names::RowKind;
use crate::report::store::{CLICK_ID, NOBODY, ORDER_ID, Store, UNIQUE_ID};
use crate::report::{Report, refuse};

/// The keys that a caller names, in their order.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn keys_of(value: &str) -> Result<Vec<usize>> {
    let mut keys = Vec::new();
    for name in value.split(',') {
        let key = match name {
            "uniqueId" => UNIQUE_ID,
            "orderId" => ORDER_ID,
            "clickId" => CLICK_ID,
            _ => {
                return Err(refuse(
                    "keys",
                    "must be some of uniqueId, orderId and clickId",
                ));
            }
        };
        if keys.contains(&key) {
            return Err(refuse("keys", "must not name one key twice"));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The key as far as it proves anything: nothing of `1.79536E+12` and `Jan-01`.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn proof(key: &[u8]) -> &[u8] {
    // Spreadsheets write two digits. Databases write no sign, and `2e12` may be an id.
    let is_written = || matches!(key, [.., b'+', _, _] | [_, b'.' | b',', ..]);
    let is_number = || is_written() && is_exponent(key);
    if may_be_spoilt(key) && (is_number() || is_named(key)) {
        &[]
    } else {
        key
    }
}

/// May a spreadsheet have written the key so? Nearly every key begins with no day or year, and ends with no two digits
/// after a sign, nor with a letter outside ASCII. In ASCII, signs and blanks stand before the digits.
#[expect(clippy::inline_always, reason = "six bytes of every row's key")]
#[inline(always)]
pub(in crate::report) fn may_be_spoilt(key: &[u8]) -> bool {
    let ([first, second, third, _, fifth, ..], [.., sign, _, last]) = (key, key) else {
        return false;
    };
    *sign.min(last) < b'0'
        || !last.is_ascii()
        || matches!(first, b' ' | b'-'..=b'9') && *first.min(second).min(third).min(fifth) < b'0'
}

/// The most digits of which a spreadsheet rounds none.
const EXACT: usize = 15;

/// How many zeros must stand after those digits, in a file's ids that differ, to be no chance.
const FEW: usize = 2;

/// Has a spreadsheet or JavaScript rounded the ids of orders, and those of CAKE's rows? Has it turned some into dates?
/// Found once a key makes a difference.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::report) struct Rounded {
    known: [Option<bool>; 2],
    own_styles: Option<u16>,
}

impl Rounded {
    /// May this id of a side be rounded, or a date?
    #[inline]
    pub(in crate::report) fn has(&mut self, report: &Report, is_order: bool, id: &[u8]) -> bool {
        id.len() > EXACT && id.ends_with(b"0") && self.has_long(report, is_order, id)
            || may_be_day(id) && self.has_day(report, id)
    }

    /// Is it a date of three numbers, and no number that the shop itself has written so?
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn has_day(&mut self, report: &Report, id: &[u8]) -> bool {
        is_day(id) && {
            let own = self.own_styles.get_or_insert_with(|| report.own_styles());
            *own & style(id) == 0
        }
    }

    /// Has a spreadsheet made one of a row's ids a date?
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn has_date(&mut self, report: &Report, ids: [&[u8]; 2]) -> bool {
        ids.iter()
            .any(|id| is_named(id) || may_be_day(id) && self.has_day(report, id))
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn has_long(&mut self, report: &Report, is_order: bool, id: &[u8]) -> bool {
        if shown_digits(id) == 0 {
            return false;
        }
        let slot = self.known.get_mut(usize::from(is_order));
        slot.is_some_and(|slot| *slot.get_or_insert_with(|| report.has_rounded(is_order)))
    }
}

impl Long {
    #[inline]
    pub(in crate::report) fn add(&mut self, id: &[u8]) {
        if id.len() > EXACT && !self.is_exact && id.iter().all(u8::is_ascii_digit) {
            self.add_number(id);
        }
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn add_number(&mut self, id: &[u8]) {
        let shown = shown_digits(id);
        if shown == 0 {
            self.is_exact = true;
        } else if self.zeros < FEW && !self.seen.iter().any(|seen| seen == id) {
            self.zeros += id.len().saturating_sub(shown);
            self.seen.push(id.to_vec());
        }
    }

    /// Are they all rounded?
    pub(in crate::report) fn is_rounded(&self) -> bool {
        self.zeros >= FEW && !self.is_exact
    }
}

/// Is a key certainly none that a spreadsheet has rounded or turned into a date?
#[inline]
pub(super) fn is_exact(key: &[u8]) -> bool {
    key.len() <= EXACT && !may_be_day(key)
}

impl Report {
    /// How the ids of both sides are written that have three numbers with a year and are no dates, in bits: a shop that
    /// numbers its orders so goes on after the last day, with 45/06/2026.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn own_styles(&self) -> u16 {
        // What a part of a report knows of all rows.
        let known = self.sources.iter().map(|source| source.elsewhere.styles);
        let mut styles = known.fold(0, |all, own| all | own);
        for store in [&self.orders, &self.conversions] {
            let mut next = store.first();
            while let Some((view, after)) = next.and_then(|place| store.view(place)) {
                next = after;
                for id in [UNIQUE_ID, ORDER_ID].map(|which| view.text(which)) {
                    if !is_day(id) {
                        styles |= style(id);
                    }
                }
            }
        }
        styles
    }

    /// Has one of a side's files long numbers, and only rounded ones? A tenth of all numbers end in a zero by chance.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn has_rounded(&self, is_order: bool) -> bool {
        let kind = if is_order {
            RowKind::Orders
        } else {
            RowKind::Conversions
        };
        let store: &Store = self.side(is_order);
        let mut next = store.first();
        for source in self.sources.iter().filter(|source| source.kind == kind) {
            // What a part of a report knows of all rows.
            if self.settings.part.1 > 1 {
                if source.elsewhere.long.is_rounded() {
                    return true;
                }
                continue;
            }
            let mut long = Long::default();
            for _ in 0..source.rows {
                let Some((view, after)) = next.and_then(|place| store.view(place)) else {
                    break;
                };
                next = after;
                for id in [UNIQUE_ID, ORDER_ID].map(|which| view.text(which)) {
                    long.add(id);
                }
            }
            if long.is_rounded() {
                return true;
            }
        }
        false
    }
}

impl Judge {
    /// Do rows with this key prove to be one sale?
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn is_proof(&mut self, report: &Report, pass: Pass, key: &[u8]) -> bool {
        which(pass, 0) >= CLICK_ID
            || ![true, false]
                .into_iter()
                .any(|is_order| self.rounded.has(report, is_order, key))
    }

    /// Later passes look through what the earlier ones have found.
    pub(super) fn sort_chances(&mut self) {
        for chances in &mut self.chances {
            chances.sort_unstable();
        }
        self.sorted_chances = self.chances.each_ref().map(Vec::len);
        self.repeats.sort_unstable();
        self.sorted_repeats = self.repeats.len();
    }

    /// How many rows have earlier passes found that repeat this order?
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn count_repeats(&self, order: u32) -> usize {
        let known = self.repeats.get(..self.sorted_repeats).unwrap_or_default();
        let from = known.partition_point(|&other| other < order);
        let rest = known.get(from..).unwrap_or_default();
        rest.partition_point(|&other| other == order)
    }

    /// Has an earlier pass found that the row repeats another one by an id, with a key of its own?
    pub(super) fn has_chance(&self, side: usize, place: u32) -> bool {
        let count = self.sorted_chances.get(side).copied().unwrap_or(0);
        let rows = self.chances.get(side).and_then(|rows| rows.get(..count));
        let rows = rows.unwrap_or_default();
        rows.binary_search_by_key(&place, |&(place, _)| place)
            .is_ok()
    }
}

/// Is the conversion a repetition of one that no order has by their id? Then nothing says that they are one sale.
pub(in crate::report) fn repeats_nothing(report: &Report, conversion: u32, of: u32) -> bool {
    let Some(stand) = report.conversions.head(of) else {
        return false;
    };
    let id =
        |store: &Store, place| [UNIQUE_ID, ORDER_ID].map(|which| store.text(place, which).to_vec());
    let ids = id(&report.conversions, conversion);
    let shares = |others: [Vec<u8>; 2]| {
        let mut others = others.iter();
        others.any(|own| !own.is_empty() && ids.contains(own))
    };
    let is_paired = is_pair(stand.class) && stand.partner != NOBODY;
    shares(id(&report.conversions, of)) && !(is_paired && shares(id(&report.orders, stand.partner)))
}
