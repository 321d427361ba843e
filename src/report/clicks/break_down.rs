//! Breaks clicks and conversions down by dimensions.

use super::ADDRESS;
use super::groups::{Figures, Grouping, Own, Question, Row, distinct, question};
use super::journeys::no_dimension;
use crate::Result;
use crate::report::Report;
use crate::report::judge::Class;
use crate::report::memory::Memory;
use crate::report::out::Writer;
use crate::report::store::{NO_AMOUNT, NO_TIME, OWN_ID};
use crate::report::words::Words;
use core::ops::Range;

/// The rows of one call: a call that runs for long stays in the platform's slow first translation.
const ROWS_A_CALL: u32 = 8_192;

impl Report {
    pub(super) fn is_inside(&self, seconds: u32) -> bool {
        let (from, to) = self.settings.window;
        seconds == NO_TIME || (from..to).contains(&seconds)
    }

    /// The distinct values of some dimensions, in the order in which [`break_down`](Self::break_down) takes the
    /// labels of a custom dimension.
    ///
    /// # Errors
    /// [`crate::Error::InvalidField`]; [`crate::Error::ReportFull`].
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn values(&mut self, options: &str) -> Result<()> {
        let question = question(options)?;
        let mut memory = self.memory;
        let mut grouping = Grouping::new(question.by);
        let mut own = no_dimension();
        for row in 0..self.clicks.rows {
            if grouping
                .number(&self.clicks, &mut own, Row::Click(row), &mut memory)
                .is_none()
            {
                return Err(self.full());
            }
        }
        let alone = self.conversions_alone();
        for row in alone {
            if grouping
                .number(&self.clicks, &mut own, row, &mut memory)
                .is_none()
            {
                return Err(self.full());
            }
        }
        let mut writer = Writer::default();
        writer.open('[');
        for number in (0..).take(grouping.len()) {
            writer.open('{');
            self.write_values(&mut writer, &grouping, &own, number);
            writer.close('}');
        }
        writer.close(']');
        self.answer = writer.text;
        Ok(())
    }

    /// All conversions without a click in this report, in every store.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn conversions_alone(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut next = self.conversions.first();
        while let Some(place) = next {
            next = self.conversions.next(place);
            let id = self.conversions.text(place, OWN_ID);
            if self.clicks.conversion_ids.known(id).is_none()
                && let Some(head) = self.conversions.head(place)
            {
                let (offer, affiliate) = self.pair_codes(head.pair);
                rows.push(Row::Alone(offer, affiliate, head.seconds));
            }
        }
        rows
    }

    /// Breaks clicks and conversions down. A conversion counts in its click's group. A conversion without a click
    /// counts by its own fields.
    ///
    /// # Errors
    /// [`crate::Error::InvalidField`]; [`crate::Error::ReportFull`].
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn break_down(&mut self, options: &str) -> Result<()> {
        let mut question = question(options)?;
        let mut memory = self.memory;
        let answer = self.break_down_in(&mut question, &mut memory);
        match answer {
            Some(text) => {
                self.answer = text;
                Ok(())
            }
            None => Err(self.full()),
        }
    }

    /// The groups of some clicks; returns how many of them lie outside the window.
    #[inline(never)]
    fn group_clicks(
        &self,
        rows: Range<u32>,
        grouping: &mut Grouping,
        own: &mut Own,
        groups: &mut Vec<u32>,
        memory: &mut Memory,
    ) -> Option<u64> {
        let mut outside = 0;
        for row in rows {
            // Every row gets a number, so that the labels keep their places.
            let number = grouping.number(&self.clicks, own, Row::Click(row), memory)?;
            if self.is_inside(self.clicks.seconds(row)) {
                groups.push(number);
            } else {
                outside += 1;
                groups.push(u32::MAX);
            }
        }
        Some(outside)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one pass after the other over the same columns"
    )]
    pub(super) fn break_down_in(
        &self,
        question: &mut Question,
        memory: &mut Memory,
    ) -> Option<String> {
        let clicks = &self.clicks;
        let mut own = no_dimension();
        if !question.own_of.is_empty() {
            own.grouping = Some(Box::new(Grouping::new(core::mem::take(
                &mut question.own_of,
            ))));
            for label in &question.labels {
                let code = own.words.code(label.as_bytes(), memory)?;
                own.labels.push(code);
            }
        }
        let mut grouping = Grouping::new(core::mem::take(&mut question.by));
        // The group of each click; none for a click outside the window.
        let mut groups: Vec<u32> = Vec::new();
        memory.reserve(&mut groups, clicks.rows as usize)?;
        let mut outside = 0_u64;
        let mut from = 0;
        while from < clicks.rows {
            let to = clicks.rows.min(from + ROWS_A_CALL);
            outside += self.group_clicks(from..to, &mut grouping, &mut own, &mut groups, memory)?;
            from = to;
        }
        // Conversions by the number of their id, with the first click of each.
        let mut click_of: Vec<u32> = Vec::new();
        memory.reserve(&mut click_of, clicks.conversion_ids.len() + 1)?;
        click_of.resize(clicks.conversion_ids.len() + 1, u32::MAX);
        for &(row, code) in &clicks.converted {
            if let Some(slot) = click_of.get_mut(code as usize)
                && *slot == u32::MAX
            {
                *slot = row;
            }
        }
        let mut alone = Vec::new();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        let mut is_known = vec![false; click_of.len()];
        let mut seen = Words::new(self.settings.seed);
        let mut next = self.conversions.first();
        while let Some(place) = next {
            next = self.conversions.next(place);
            let head = self.conversions.head(place)?;
            if head.class == Class::ReadTwice as u8 {
                continue;
            }
            let id = self.conversions.text(place, OWN_ID);
            let code = clicks.conversion_ids.known(id).filter(|_| !id.is_empty());
            if let Some(code) = code {
                let slot = is_known.get_mut(code as usize)?;
                // The same conversion id twice is one conversion that was read twice.
                if *slot {
                    continue;
                }
                *slot = true;
                memory.extend(&mut joined, &[(*click_of.get(code as usize)?, place)])?;
                continue;
            }
            if !self.ids_rise && !id.is_empty() {
                let before = seen.len();
                if usize::try_from(seen.code(id, memory)?).ok()? <= before {
                    continue;
                }
            }
            let (offer, affiliate) = self.pair_codes(head.pair);
            let row = Row::Alone(offer, affiliate, head.seconds);
            let number = grouping.number(clicks, &mut own, row, memory)?;
            if self.is_inside(head.seconds) {
                memory.extend(&mut alone, &[(number, place)])?;
            }
        }
        let count = grouping.len();
        let mut figures = vec![Figures::default(); count];
        for &number in &groups {
            if let Some(figures) = figures.get_mut(number as usize) {
                figures.clicks += 1;
            }
        }
        self.count_unique(&groups, question.unique_by_day, &mut figures, memory)?;
        let approved = self.statuses.known(b"approved").unwrap_or(u32::MAX);
        let pending = self.statuses.known(b"pending").unwrap_or(u32::MAX);
        let mut times: Vec<(u32, u32)> = Vec::new();
        let joined_rows = joined.iter().map(|&(row, place)| {
            (
                groups.get(row as usize).copied().unwrap_or(u32::MAX),
                row,
                place,
            )
        });
        let alone_rows = alone
            .iter()
            .map(|&(number, place)| (number, u32::MAX, place));
        for (number, row, place) in joined_rows.chain(alone_rows) {
            let Some(figures) = figures.get_mut(number as usize) else {
                continue;
            };
            let head = self.conversions.head(place)?;
            figures.convert(head.status, true);
            let units = |units: i64| {
                if units == NO_AMOUNT {
                    0
                } else {
                    i128::from(units)
                }
            };
            let status = u32::from(head.status);
            if status == approved || status == 0 {
                figures.payout += units(head.payout);
                figures.revenue += units(head.revenue);
            } else if status == pending {
                figures.pending += units(head.payout);
            }
            let click = if row == u32::MAX {
                NO_TIME
            } else {
                clicks.seconds(row)
            };
            if click != NO_TIME && head.seconds != NO_TIME && head.seconds >= click {
                memory.extend(&mut times, &[(number, head.seconds - click)])?;
            }
        }
        // Conversions that only the clicks report: they have no status and no amount.
        for (code, (&row, &is_known)) in click_of.iter().zip(&is_known).enumerate() {
            if code > 0 && !is_known && row != u32::MAX {
                let number = groups.get(row as usize).copied().unwrap_or(u32::MAX);
                if let Some(figures) = figures.get_mut(number as usize) {
                    figures.convert(0, false);
                }
            }
        }
        times.sort_unstable();
        let mut rest = 0;
        while let Some(&(number, _)) = times.get(rest) {
            let from = rest;
            while times.get(rest).is_some_and(|&(other, _)| other == number) {
                rest += 1;
            }
            if let Some(figures) = figures.get_mut(number as usize) {
                figures.times = (from, rest);
            }
        }
        let times: Vec<u32> = times.into_iter().map(|(_, time)| time).collect();
        Some(self.write_breakdown(question, &grouping, &own, &figures, &times, outside))
    }

    /// Puts the addresses of some clicks where their groups have room: with their day into `days` if it has any.
    #[inline(never)]
    fn place_addresses(
        &self,
        from: u32,
        groups: &[u32],
        starts: &mut [usize],
        addresses: &mut [u32],
        days: &mut [u64],
    ) -> Option<()> {
        let column = self.clicks.columns.get(ADDRESS)?;
        for (row, &number) in (from..).zip(groups) {
            let Some(start) = starts.get_mut(number as usize) else {
                continue;
            };
            let address = column.get(row);
            if days.is_empty() {
                *addresses.get_mut(*start)? = address;
            } else if address != 0 {
                // A click without an address is 0, whatever its day.
                let day = self.clicks.seconds(row) / 86_400;
                *days.get_mut(*start)? = u64::from(address) << 32 | u64::from(day);
            }
            *start += 1;
        }
        Some(())
    }

    /// Exact, not estimated: the addresses of a group are collected, sorted and counted.
    pub(super) fn count_unique(
        &self,
        groups: &[u32],
        by_day: bool,
        figures: &mut [Figures],
        memory: &mut Memory,
    ) -> Option<()> {
        let mut from = 0_usize;
        let mut starts: Vec<usize> = Vec::new();
        memory.reserve(&mut starts, figures.len())?;
        for figures in figures.iter() {
            starts.push(from);
            from += usize::try_from(figures.clicks).ok()?;
        }
        let mut addresses: Vec<u32> = Vec::new();
        let mut days: Vec<u64> = Vec::new();
        if by_day {
            memory.reserve(&mut days, from)?;
            days.resize(from, 0);
        } else {
            memory.reserve(&mut addresses, from)?;
            addresses.resize(from, 0);
        }
        let step = ROWS_A_CALL as usize;
        for (from, groups) in (0..).step_by(step).zip(groups.chunks(step)) {
            self.place_addresses(from, groups, &mut starts, &mut addresses, &mut days)?;
        }
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for (figures, end) in figures.iter_mut().zip(starts) {
            let start = end - usize::try_from(figures.clicks).ok()?;
            figures.unique = if by_day {
                distinct(days.get(start..end)?, &mut many, memory)?
            } else {
                distinct(addresses.get(start..end)?, &mut few, memory)?
            };
        }
        memory.free(&mut few);
        memory.free(&mut many);
        memory.free(&mut addresses);
        memory.free(&mut days);
        Some(())
    }
}
