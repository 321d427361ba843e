//! Which ids name one row of CAKE's, and no other.

use crate::report::Report;
use crate::report::judge::{Class, Verdicts, proof};
use crate::report::memory::hash;
use crate::report::row::number_of;
use crate::report::store::{OWN_ID, UNIQUE_ID};
use crate::{Result, link, transaction_id};

impl Report {
    /// Lists the conversions by their unique ids, where some have no conversion id: a correction may then name one row
    /// and mean another.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find_names(&mut self) -> Result<()> {
        let mut memory = self.memory;
        let mut named = Vec::new();
        let mut lacks_ids = false;
        if self
            .verdicts
            .as_ref()
            .is_some_and(|verdicts| verdicts.named.is_some())
        {
            return Ok(());
        }
        // Numbers that only rise are known to be numbers.
        let mut next = self.conversions.first();
        next = next.filter(|_| !self.ids_rise || self.last_id > link::MAX_ID);
        while let Some(place) = next {
            lacks_ids |= !is_id(self.conversions.text(place, OWN_ID));
            next = self.conversions.next(place);
        }
        next = self.conversions.first().filter(|_| lacks_ids);
        while let Some(place) = next {
            next = self.conversions.next(place);
            let Some(head) = self.conversions.head(place) else {
                continue;
            };
            let unique = self.conversions.text(place, UNIQUE_ID);
            if unique.is_empty() || head.class == Class::ReadTwice as u8 {
                continue;
            }
            let entry = (hash(unique, 1), self.offer(&head));
            if memory.extend(&mut named, &[entry]).is_none() {
                return Err(self.full());
            }
        }
        named.sort_unstable();
        if let Some(verdicts) = &mut self.verdicts {
            verdicts.named = Some(named);
        }
        Ok(())
    }
}

impl Verdicts {
    /// Does the unique id, with the offer, name one conversion and no other? A row without an offer may be any offer's.
    pub(super) fn is_named_alone(&self, unique: &[u8], offer: u32) -> bool {
        if !is_reference(unique) || proof(unique).is_empty() {
            return false;
        }
        let named = self.named.as_deref().unwrap_or_default();
        let hash = hash(unique, 1);
        let from = named.partition_point(|&(other, _)| other < hash);
        let same = named.get(from..).unwrap_or_default().iter();
        let same = same.take_while(|&&(other, _)| other == hash);
        same.filter(|&&(_, other)| other == offer || other == 0 || offer == 0)
            .count()
            == 1
    }
}

/// Is it one of CAKE's own numbers for an offer or a conversion? Another spelling of a number may name another row.
pub(super) fn is_id(text: &[u8]) -> bool {
    number_of(text).is_some_and(|number| number <= link::MAX_ID)
}

/// Is it an id of the advertiser's that CAKE takes?
pub(super) fn is_reference(text: &[u8]) -> bool {
    core::str::from_utf8(text).is_ok_and(|id| transaction_id::check("uniqueId", id).is_ok())
}
