//! When an order was paid, where that is not when it was ordered.

use crate::Result;
use crate::report::Report;
use crate::report::flag::Flag;
use crate::report::flaw::Flaw;
use crate::report::names::{Fields, Role};
use crate::report::source::Source;
use crate::report::store::{Head, IS_DAY, LAST_OF_DAY, NO_TIME};

/// The first and the last time that a sale may have.
pub(in crate::report) type Span = (u32, u32);

impl Report {
    /// When an order was paid, where it was not at its date; [`NO_TIME`] where that cannot be read.
    ///
    /// # Errors
    /// A flaw that refuses the file, because a declaration lacks.
    #[inline]
    pub(super) fn paid(
        &self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
        ordered: u32,
    ) -> Result<Option<u32>, Flaw> {
        if fields.has_any(1 << Role::Paid as u32) {
            self.read_paid(source, fields, input, ordered)
        } else {
            Ok(None)
        }
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn read_paid(
        &self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
        ordered: u32,
    ) -> Result<Option<u32>, Flaw> {
        let text = fields.text(Role::Paid, input);
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let [_, zone] = source.days.zones;
        let paid = match self.seconds_in(source, text, true, zone) {
            // A day may mean its last second.
            Ok((day, IS_DAY)) if day.saturating_add(LAST_OF_DAY) >= ordered => day + LAST_OF_DAY,
            Ok((seconds, _)) => seconds,
            Err(flaw) if flaw.is_ambiguous() => return Err(flaw),
            Err(_) if Flag::read(text, &source.days).is_set() == Ok(false) => return Ok(None),
            Err(_) => NO_TIME,
        };
        Ok((paid != ordered).then_some(paid))
    }

    /// Notes what few orders have: a payment at another time, and an id that is lost.
    #[inline]
    pub(super) fn note_rare(
        &mut self,
        order: u32,
        paid: Option<u32>,
        lost: [bool; 2],
    ) -> Result<(), Flaw> {
        if let Some(paid) = paid {
            let room = self.memory.extend(&mut self.paid, &[(order, paid)]);
            room.ok_or(Flaw::Full)?;
        }
        for (is_lost, is_offer) in lost.into_iter().zip([false, true]) {
            if is_lost {
                let room = self.memory.extend(&mut self.lost, &[(order, is_offer)]);
                room.ok_or(Flaw::Full)?;
            }
        }
        Ok(())
    }

    /// When an order was paid, by its place; `None` where it was at its date, or nothing says it.
    pub(in crate::report) fn paid_at(&self, order: u32) -> Option<u32> {
        let found = self.paid.binary_search_by_key(&order, |&(order, _)| order);
        let entry = found.ok().and_then(|index| self.paid.get(index));
        entry.map(|&(_, paid)| paid)
    }

    /// The times of a row: a day may mean its last second, and CAKE may have an order when it was placed, paid or in
    /// between. `None` for a row without a time.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn span(&self, is_order: bool, place: u32, head: &Head) -> Option<Span> {
        if head.seconds == NO_TIME {
            return None;
        }
        let paid = if is_order { self.paid_at(place) } else { None };
        let paid = paid.unwrap_or(head.seconds);
        Some((head.seconds.min(paid), head.latest().max(paid)))
    }
}
