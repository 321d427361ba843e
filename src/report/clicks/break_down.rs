//! Breaks clicks and conversions down by dimensions.

use super::groups::{Figures, Grouping, Own, Question, Row, distinct, question};
use super::journeys::no_dimension;
use super::money::Money;
use super::{ADDRESS, Clicks};
use crate::Result;
use crate::report::Report;
use crate::report::memory::{Memory, sort_numbers};
use crate::report::names::RowKind;
use crate::report::out::Writer;
use crate::report::readings::Readings;
use crate::report::row::number_of;
use crate::report::store::{Head, NO_AMOUNT, NO_TIME, OWN_ID};
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
        let Some(alone) = self.conversions_alone(&mut memory) else {
            return Err(self.full());
        };
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

    /// All conversions without a click in this report, as they were read last.
    #[cfg_attr(small_cold, optimize(size))]
    fn conversions_alone(&self, memory: &mut Memory) -> Option<Vec<Row>> {
        let earlier = self.earlier_readings(memory)?;
        let mut rows = Vec::new();
        let mut next = self.conversions.first();
        while let Some(place) = next {
            next = self.conversions.next(place);
            let id = self.conversions.text(place, OWN_ID);
            if self.clicks.conversion_ids.known(id).is_none()
                && earlier.binary_search(&place).is_err()
                && let Some(head) = self.conversions.head(place)
            {
                let (offer, affiliate) = self.pair_codes(head.pair);
                rows.push(Row::Alone(offer, affiliate, head.seconds));
            }
        }
        Some(rows)
    }

    /// The places of conversions that were read again later, in order: the last reading counts.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn earlier_readings(&self, memory: &mut Memory) -> Option<Vec<u32>> {
        let mut earlier = Vec::new();
        if self.ids_rise {
            return Some(earlier);
        }
        // The second reading of an id does not rise above all ids before it.
        let mut low = Words::new(self.settings.seed);
        let mut highest = 0;
        let mut next = self.conversions.first();
        while let Some(place) = next {
            let (view, after) = self.conversions.view(place)?;
            next = after;
            let id = view.text(OWN_ID);
            match number_of(id) {
                Some(number) if number > highest => highest = number,
                _ if id.is_empty() => {}
                _ => _ = low.code(id, memory)?,
            }
        }
        let readings = Readings::of(self);
        let mut last = vec![None; low.len() + 1];
        next = self.conversions.first();
        while let Some(place) = next {
            let (view, after) = self.conversions.view(place)?;
            next = after;
            let code = low.known(view.text(OWN_ID));
            if let Some(slot) = code.and_then(|code| last.get_mut(code as usize)) {
                let kept = slot.map_or(place, |other| readings.newer(other, place));
                let both = [slot.replace(kept), Some(place)].into_iter().flatten();
                earlier.extend(both.filter(|&other| other != kept));
            }
        }
        earlier.sort_unstable();
        Some(earlier)
    }

    /// Breaks clicks and conversions down. A conversion counts in its click's group. A conversion without a click
    /// counts by its own fields.
    ///
    /// # Errors
    /// [`crate::Error::InvalidField`]; [`crate::Error::ReportFull`]; [`crate::Error::UnreadableFile`] where pages are not
    /// all of their list.
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn break_down(&mut self, options: &str) -> Result<()> {
        let mut question = question(options)?;
        self.check_pages(&[RowKind::Clicks, RowKind::Conversions])?;
        let money = self.money(&question.currency)?;
        let mut memory = self.memory;
        let answer = self.break_down_in(&mut question, money, &mut memory);
        match answer {
            Some(text) => {
                self.answer = text;
                Ok(())
            }
            None => Err(self.full()),
        }
    }

    /// Groups and counts some clicks.
    #[inline(never)]
    fn count_clicks(&self, rows: Range<u32>, count: &mut Count, memory: &mut Memory) -> Option<()> {
        for row in rows {
            // Every row gets a number, so that the labels keep their places.
            let number = count.number(self, Row::Click(row), memory)?;
            if !self.is_inside(self.clicks.seconds(row)) {
                count.outside.clicks += 1;
                count.groups.push(u32::MAX);
                continue;
            }
            count.groups.push(number);
            if let Some(clicks) = count.clicks.get_mut(number as usize) {
                *clicks += 1;
            } else {
                count.clicks.resize(number as usize, 0);
                count.clicks.push(1);
            }
        }
        Some(())
    }

    /// Adds some conversions to the figures of their groups, and moves on to the place after them.
    #[inline(never)]
    fn count_conversions(
        &self,
        next: &mut Option<u32>,
        count: &mut Count,
        memory: &mut Memory,
    ) -> Option<()> {
        for _ in 0..ROWS_A_CALL {
            let Some(place) = *next else { break };
            *next = self.conversions.next(place);
            let head = self.conversions.head(place)?;
            if count.earlier.binary_search(&place).is_ok() {
                continue;
            }
            let id = self.conversions.text(place, OWN_ID);
            let code = self.clicks.conversion_ids.known(id);
            let (number, click) = if let Some(code) = code.filter(|_| !id.is_empty()) {
                *count.is_known.get_mut(code as usize)? = true;
                let row = *count.click_of.get(code as usize)?;
                let number = count.groups.get(row as usize).copied();
                (number.unwrap_or(u32::MAX), self.clicks.seconds(row))
            } else {
                let (offer, affiliate) = self.pair_codes(head.pair);
                let row = Row::Alone(offer, affiliate, head.seconds);
                // Every row gets a number, so that the labels keep their places.
                let number = count.number(self, row, memory)?;
                let is_inside = self.is_inside(head.seconds);
                (if is_inside { number } else { u32::MAX }, NO_TIME)
            };
            if !count.money.counts(head.currency) {
                continue;
            }
            if number == u32::MAX {
                count.add_outside(&head);
                continue;
            }
            count.add(number, &head);
            if click != NO_TIME && head.seconds != NO_TIME && head.seconds >= click {
                let seconds = self.settings.zone.between(click, head.seconds);
                memory.extend(&mut count.times, &[(number, seconds)])?;
            }
        }
        Some(())
    }

    fn break_down_in(
        &self,
        question: &mut Question,
        money: Money,
        memory: &mut Memory,
    ) -> Option<String> {
        let clicks = &self.clicks;
        let mut count = Count::new(self, question, money, memory)?;
        memory.reserve(&mut count.groups, clicks.rows as usize)?;
        let mut from = 0;
        while from < clicks.rows {
            let to = clicks.rows.min(from + ROWS_A_CALL);
            self.count_clicks(from..to, &mut count, memory)?;
            from = to;
        }
        count.figures = vec![Figures::default(); count.grouping.len()];
        for (figures, &clicks) in count.figures.iter_mut().zip(&count.clicks) {
            figures.clicks = u64::from(clicks);
        }
        self.count_unique(&mut count, question.unique_by_day, memory)?;
        memory.reserve(&mut count.click_of, clicks.conversion_ids.len() + 1)?;
        count.find_clicks(clicks);
        let mut next = self.conversions.first();
        while next.is_some() {
            self.count_conversions(&mut next, &mut count, memory)?;
        }
        count.add_reported();
        let times = count.sort_times();
        let Count {
            grouping,
            own,
            figures,
            outside,
            ..
        } = &count;
        Some(self.write_breakdown(question, grouping, own, figures, &times, outside))
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

    /// Exact, not estimated: the addresses of a group are collected and counted.
    #[inline(never)]
    fn count_unique(&self, count: &mut Count, by_day: bool, memory: &mut Memory) -> Option<()> {
        let mut from = 0_usize;
        let mut starts: Vec<usize> = Vec::new();
        memory.reserve(&mut starts, count.figures.len())?;
        for figures in &count.figures {
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
        for (from, groups) in (0..).step_by(step).zip(count.groups.chunks(step)) {
            self.place_addresses(from, groups, &mut starts, &mut addresses, &mut days)?;
        }
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for (figures, end) in count.figures.iter_mut().zip(starts) {
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

/// A breakdown while it is counted.
struct Count {
    own: Own,
    grouping: Grouping,
    /// The group of each click; none for a click outside the window.
    groups: Vec<u32>,
    /// The clicks and conversions outside the window.
    outside: Figures,
    /// The number of clicks of each group, then all its figures.
    clicks: Vec<u32>,
    figures: Vec<Figures>,
    /// The first click of each conversion id, by the id's number; is the conversion itself known?
    click_of: Vec<u32>,
    is_known: Vec<bool>,
    /// Conversions that were read again later.
    earlier: Vec<u32>,
    /// The seconds from click to conversion, with the group.
    times: Vec<(u32, u32)>,
    money: Money,
    approved: u32,
    pending: u32,
}

impl Count {
    #[cfg_attr(small_cold, optimize(size))]
    fn new(
        report: &Report,
        question: &mut Question,
        money: Money,
        memory: &mut Memory,
    ) -> Option<Self> {
        let mut own = no_dimension();
        if !question.own_of.is_empty() {
            let of = core::mem::take(&mut question.own_of);
            own.grouping = Some(Box::new(Grouping::new(of)));
            for label in &question.labels {
                let code = own.words.code(label.as_bytes(), memory)?;
                own.labels.push(code);
            }
        }
        let status = |word| report.statuses.known(word).unwrap_or(u32::MAX);
        Some(Self {
            own,
            grouping: Grouping::new(core::mem::take(&mut question.by)),
            groups: Vec::new(),
            outside: Figures::default(),
            clicks: Vec::new(),
            figures: Vec::new(),
            click_of: Vec::new(),
            is_known: Vec::new(),
            earlier: report.earlier_readings(memory)?,
            times: Vec::new(),
            money,
            approved: status(b"approved"),
            pending: status(b"pending"),
        })
    }

    #[inline]
    fn number(&mut self, report: &Report, row: Row, memory: &mut Memory) -> Option<u32> {
        self.grouping
            .number(&report.clicks, &mut self.own, row, memory)
    }

    #[inline(never)]
    fn find_clicks(&mut self, clicks: &Clicks) {
        let count = clicks.conversion_ids.len() + 1;
        self.click_of.resize(count, u32::MAX);
        self.is_known.resize(count, false);
        for &(row, code) in &clicks.converted {
            if let Some(slot) = self.click_of.get_mut(code as usize)
                && *slot == u32::MAX
            {
                *slot = row;
            }
        }
    }

    /// The figures of a group, which a conversion without a click may have begun.
    #[inline]
    fn figures(&mut self, number: u32) -> Option<&mut Figures> {
        let index = number as usize;
        if index >= self.figures.len() {
            self.figures.resize_with(index + 1, Figures::default);
        }
        self.figures.get_mut(index)
    }

    /// Adds a conversion to a group.
    #[inline]
    fn add(&mut self, number: u32, head: &Head) {
        let words = (self.approved, self.pending);
        if let Some(figures) = self.figures(number) {
            Self::add_to(figures, head, words);
        }
    }

    /// Adds a conversion whose click, or without a click its own time, lies outside the window.
    #[cold]
    fn add_outside(&mut self, head: &Head) {
        Self::add_to(&mut self.outside, head, (self.approved, self.pending));
    }

    #[inline]
    fn add_to(figures: &mut Figures, head: &Head, (approved, pending): (u32, u32)) {
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
    }

    /// Adds conversions that only the clicks report: they have no status and no amount.
    #[inline(never)]
    fn add_reported(&mut self) {
        for (code, (&row, &is_known)) in self.click_of.iter().zip(&self.is_known).enumerate() {
            if code > 0 && !is_known && row != u32::MAX {
                let number = self.groups.get(row as usize).copied().unwrap_or(u32::MAX);
                let figures = self.figures.get_mut(number as usize);
                figures.unwrap_or(&mut self.outside).convert(0, false);
            }
        }
    }

    /// The times of each group, in order; the groups get their places.
    #[inline(never)]
    fn sort_times(&mut self) -> Vec<u32> {
        for &(number, _) in &self.times {
            if let Some(figures) = self.figures.get_mut(number as usize) {
                figures.times.1 += 1;
            }
        }
        let mut from = 0;
        for figures in &mut self.figures {
            let length = figures.times.1;
            figures.times = (from, from);
            from += length;
        }
        let mut sorted = vec![0; self.times.len()];
        for &(number, time) in &self.times {
            if let Some(figures) = self.figures.get_mut(number as usize) {
                if let Some(slot) = sorted.get_mut(figures.times.1) {
                    *slot = time;
                }
                figures.times.1 += 1;
            }
        }
        for figures in &self.figures {
            let (from, to) = figures.times;
            if let Some(times) = sorted.get_mut(from..to) {
                sort_numbers(times);
            }
        }
        sorted
    }
}
