//! Notes what rows say, and finds what those of other parts say of this one.

use super::{Elsewhere, Facts};
use crate::report::Report;
use crate::report::flaw::Flaw;
use crate::report::judge::hints::{is_exponent, longer, part_form};
use crate::report::judge::{is_day, is_named, is_other, proof, style};
use crate::report::memory::{Memory, hash};
use crate::report::names::RowKind;
use crate::report::source::Source;
use crate::report::store::{NO_TIME, ORDER_ID, UNIQUE_ID};

/// The bits of a key's hash beside those of a conversion's own id.
const OWN_BITS: u64 = 0xFFFF;

impl Elsewhere {
    #[cfg_attr(small_cold, optimize(size))]
    fn note(&mut self, facts: &Facts<'_>) {
        let [unique, order, _] = facts.ids;
        for id in [unique, order] {
            self.long.add(id);
            if id.first().is_some_and(u8::is_ascii_digit) && !is_day(id) {
                self.styles |= style(id);
            }
        }
        let word = self.currencies.get_mut(usize::from(facts.currency >> 6));
        if let Some(word) = word {
            *word |= 1 << (facts.currency & 63);
        }
        let (latest, paid) = facts.times;
        let paid = paid.filter(|&paid| paid != NO_TIME && latest != NO_TIME);
        let late = paid.map_or(0, |paid| paid.saturating_sub(latest));
        self.late = self.late.max(late);
    }

    /// Notes a row of another part whose key is this one.
    #[cfg_attr(small_cold, optimize(size))]
    fn note_other(
        &mut self,
        facts: &Facts<'_>,
        (key, keeps, kind): (&[u8], bool, RowKind),
        memory: &mut Memory,
    ) -> Option<()> {
        let [unique, order, _] = facts.ids;
        let ids = [unique, order].into_iter();
        // By the click alone, the ids decide nothing.
        if keeps && ids.clone().any(is_named) {
            self.keyless += 1;
        } else if keeps && let Some(day) = ids.clone().find(|id| is_day(id)) {
            let count = self.days.get_mut(style(day).trailing_zeros() as usize);
            if let Some(count) = count {
                *count += 1;
            }
        }
        let is_kept = keeps && !facts.is_refund && kind != RowKind::Deliveries;
        if !is_kept || proof(key).is_empty() {
            return Some(());
        }
        let own = if facts.own.is_empty() {
            // Without one, each row is a conversion.
            self.keys.len() as u64
        } else {
            hash(facts.own, 3)
        };
        let own = if kind == RowKind::Orders { 0 } else { own };
        let entry = hash(key, 2) & !OWN_BITS | own & OWN_BITS;
        memory.extend(&mut self.keys, &[entry])
    }

    /// The number of rows that cannot be compared, where the shops write numbers in these ways.
    fn rows(&self, own_styles: u16) -> u64 {
        let days = (0_u32..16).zip(&self.days);
        let days = days.filter(|&(style, _)| own_styles >> style & 1 == 0);
        u64::from(self.keyless) + days.map(|(_, &count)| u64::from(count)).sum::<u64>()
    }
}

impl Report {
    /// Does the row belong to this part of the report?
    #[inline]
    pub(in crate::report) fn is_ours(
        &mut self,
        source: &mut Source,
        facts: &Facts<'_>,
    ) -> Result<bool, Flaw> {
        if self.settings.part.1 == 1 {
            return Ok(true);
        }
        self.is_of_part(source, facts).ok_or(Flaw::Full)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn is_of_part(&mut self, source: &mut Source, facts: &Facts<'_>) -> Option<bool> {
        let (index, count) = self.settings.part;
        let [unique, order, _] = facts.ids;
        let elsewhere = &mut source.elsewhere;
        elsewhere.note(facts);
        elsewhere.has_near |= source.has_own_ids && is_other(unique, order);
        let key = self.settings.first_key(facts.ids);
        if key.is_empty() {
            // What cannot be compared says something of every part.
            elsewhere.keyless += u32::from(index != 0);
            elsewhere.has_nameless_refund |= facts.is_refund;
            return Some(index == 0);
        }
        elsewhere.has_near |= is_exponent(key) || longer(key).is_some();
        let mut form = Vec::new();
        part_form(key, &mut form);
        let is_ours = (hash(&form, 0) >> 32) % count == index;
        if !is_ours {
            let keys = &self.settings.keys;
            let keeps = keys.iter().any(|key| [UNIQUE_ID, ORDER_ID].contains(key));
            elsewhere.note_other(facts, (key, keeps, source.kind), &mut self.memory)?;
        }
        Some(is_ours)
    }

    /// The rows of other parts that share no kind of key with some row of this one: those of orders, or those of CAKE
    /// and the forwarder. `None` where the memory does not suffice.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn rows_elsewhere(&mut self, is_order: bool) -> Option<u64> {
        if self.settings.part.1 == 1 {
            return Some(0);
        }
        let styles = self.own_styles();
        let sources = self.sources.iter().filter(|source| match source.kind {
            RowKind::Orders => is_order,
            RowKind::Conversions | RowKind::Deliveries => !is_order,
            RowKind::Clicks => false,
        });
        let rows: u64 = sources.map(|source| source.elsewhere.rows(styles)).sum();
        Some(
            rows + if is_order {
                0
            } else {
                self.constants_elsewhere()?
            },
        )
    }

    /// The conversions of other parts that share an id which no order has: it may be a constant.
    #[cfg_attr(small_cold, optimize(size))]
    fn constants_elsewhere(&mut self) -> Option<u64> {
        self.gather(RowKind::Orders)?;
        self.gather(RowKind::Conversions)?;
        let keys = |kind| {
            let mut sources = self.sources.iter().filter(|source| source.kind == kind);
            let keys = sources.find(|source| !source.elsewhere.keys.is_empty());
            keys.map_or(&[][..], |source| &source.elsewhere.keys)
        };
        let orders = keys(RowKind::Orders);
        let mut constants = 0;
        let key = |entry: u64| entry & !OWN_BITS;
        for same in keys(RowKind::Conversions).chunk_by(|&one, &other| key(one) == key(other)) {
            if let &[first, _, ..] = same
                && orders.binary_search(&key(first)).is_err()
            {
                constants += same.len() as u64 - 1;
            }
        }
        Some(constants)
    }

    /// Brings the keys of a kind's files together, sorted; a conversion that was read twice counts once.
    #[cfg_attr(small_cold, optimize(size))]
    fn gather(&mut self, kind: RowKind) -> Option<()> {
        let mut all = Vec::new();
        let sources = self.sources.iter_mut();
        let mut sources: Vec<&mut Source> = sources.filter(|source| source.kind == kind).collect();
        for source in &mut sources {
            let keys = &mut source.elsewhere.keys;
            self.memory.extend(&mut all, keys)?;
            self.memory.free(keys);
        }
        all.sort_unstable();
        all.dedup();
        if let Some(source) = sources.first_mut() {
            source.elsewhere.keys = all;
        }
        Some(())
    }
}
