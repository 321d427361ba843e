//! Attribution over journeys: those that the page recorded, or clicks grouped by a key.

use super::groups::{Dimension, Own, Row, dimension, value_of};
use super::money::Money;
use super::{AFFILIATE, OFFER};
use crate::report::attribution::{Journeys, Model};
use crate::report::names::RowKind;
use crate::report::row::CAKE;
use crate::report::source::settings;
use crate::report::store::{NO_AMOUNT, NO_TIME, OWN_ID};
use crate::report::words::Words;
use crate::report::{Report, amount, refuse};
use crate::{Error, Result};

impl Report {
    /// Attribution by `name=value` lines. `model` may stand several times. The journeys are `journey` lines, or
    /// clicks grouped by two dimensions, `key` and `channel`. A `journey` line has these fields, separated by
    /// tabs: `1` or `0` (converted or not), payout, channels and seconds, which may be empty.
    ///
    /// # Errors
    /// [`Error::InvalidField`]; [`Error::ReportFull`].
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn attribute(&mut self, options: &str) -> Result<()> {
        let mut journeys = Journeys::new(self.memory.left(), self.settings.seed);
        let mut models = Vec::new();
        let mut key = None;
        let mut channel = None;
        let mut include = Vec::new();
        let mut currency = "";
        for (name, value) in settings(options) {
            match name {
                "model" => models.push(Model::parse(value)?),
                "key" => key = Some(dimension(name, value)?),
                "channel" => channel = Some(dimension(name, value)?),
                "currency" => currency = value,
                "include" => include.push(self.status_to_include(value)?),
                "journey" if !read_journey(&mut journeys, value)? => return Err(self.full()),
                _ => {}
            }
        }
        if let (Some(key), Some(channel)) = (key, channel) {
            self.check_pages(&[RowKind::Clicks, RowKind::Conversions])?;
            let money = self.money(currency)?;
            let made = self.journeys_of_clicks(&mut journeys, (key, channel), &include, money);
            made.ok_or_else(|| self.full())?;
        }
        self.answer = journeys.write(&models)?;
        Ok(())
    }

    /// A status that earns credit: one of CAKE's words, or one that a row has.
    #[cfg_attr(small_cold, optimize(size))]
    fn status_to_include(&self, word: &str) -> Result<String> {
        let word = word.to_ascii_lowercase();
        let is_known = self.statuses.known(word.as_bytes()).is_some();
        if is_known || CAKE.split(' ').any(|known| known == word) {
            return Ok(word);
        }
        Err(refuse(
            "include",
            "must have CAKE's words: approved, pending, rejected, ignored, reversed, returned or scrubbed",
        ))
    }

    /// The clicks with one key are consecutive journeys. Each conversion ends a journey. Clicks after the last
    /// conversion are a journey that did not convert.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn journeys_of_clicks(
        &self,
        journeys: &mut Journeys,
        (key, channel): (Dimension, Dimension),
        include: &[String],
        money: Money,
    ) -> Option<()> {
        let clicks = &self.clicks;
        let mut memory = self.memory;
        let mut rows: Vec<(u32, u32, u32)> = Vec::new();
        memory.reserve(&mut rows, clicks.rows as usize)?;
        for row in 0..clicks.rows {
            let value = value_of(clicks, key, Row::Click(row));
            let seconds = clicks.seconds(row);
            // A click without the key belongs to no journey.
            if value != 0 && self.is_inside(seconds) {
                rows.push((value, seconds, row));
            }
        }
        rows.sort_unstable();
        let earlier = self.earlier_readings(&mut memory)?;
        let includes = |status: u8| {
            let word = self.statuses.text(u32::from(status));
            self.counts(status) || include.iter().any(|own| own.as_bytes() == word)
        };
        // Per conversion id: payout and time; none where the conversion does not count, or counts already.
        let mut sales: Vec<(u32, Option<(i64, u32)>)> = Vec::new();
        let mut next = self.conversions.first();
        while let Some(place) = next {
            next = self.conversions.next(place);
            if earlier.binary_search(&place).is_ok() {
                continue;
            }
            let head = self.conversions.head(place)?;
            let payout = match head.payout {
                NO_AMOUNT => 0,
                payout => payout,
            };
            let code = clicks
                .conversion_ids
                .known(self.conversions.text(place, OWN_ID));
            let counts = money.counts(head.currency);
            let sale = (counts && includes(head.status)).then_some((payout, head.seconds));
            let is_inside = counts && self.is_inside(head.seconds);
            match (code, sale) {
                (_, None) if is_inside => journeys.not_approved.add(payout),
                (None, Some(_)) if is_inside => journeys.without.add(payout),
                _ => {}
            }
            if let Some(code) = code.filter(|&code| code > 0) {
                memory.extend(&mut sales, &[(code, sale)])?;
            }
        }
        sales.sort_unstable();
        let mut sale_of = |row: u32| {
            let at = clicks.converted.binary_search_by_key(&row, |&(row, _)| row);
            let code = clicks.converted.get(at.ok()?)?.1;
            match sales.binary_search_by_key(&code, |&(code, _)| code) {
                Ok(at) => sales.get_mut(at)?.1.take(),
                // Only the click says that it converted.
                Err(_) => Some((0, NO_TIME)),
            }
        };
        let mut from = 0;
        for (at, &(value, seconds, row)) in rows.iter().enumerate() {
            let sale = sale_of(row);
            let is_over = rows.get(at + 1).is_none_or(|next| next.0 != value);
            if sale.is_none() && !is_over {
                continue;
            }
            let (payout, end) = sale.unwrap_or((0, seconds));
            let end = if end == NO_TIME { seconds } else { end };
            let touches: Vec<(String, u32)> = rows
                .get(from..=at)?
                .iter()
                .map(|&(_, seconds, row)| {
                    let name = self.channel_text(channel, row);
                    (name, self.settings.zone.between(seconds, end))
                })
                .collect();
            let touches = touches.iter().map(|(name, age)| (name.as_bytes(), *age));
            if !journeys.push(touches, payout, sale.is_some()) {
                return None;
            }
            from = at + 1;
        }
        // What is left has a click that is in no journey.
        for (payout, seconds) in sales.into_iter().filter_map(|(_, sale)| sale) {
            if self.is_inside(seconds) {
                journeys.without.add(payout);
            }
        }
        Some(())
    }

    pub(super) fn channel_text(&self, channel: Dimension, row: u32) -> String {
        let value = value_of(&self.clicks, channel, Row::Click(row));
        let bytes = match channel {
            Dimension::Column(OFFER) => self.offers.text(value),
            Dimension::Column(AFFILIATE) => self.affiliates.text(value),
            Dimension::Column(column) => self
                .clicks
                .words
                .get(column)
                .map_or(&[][..], |words| words.text(value)),
            _ => &[],
        };
        String::from_utf8_lossy(bytes).into_owned()
    }
}

pub(super) fn no_dimension() -> Own {
    Own {
        grouping: None,
        labels: Vec::new(),
        words: Words::default(),
    }
}

#[cfg_attr(small_cold, optimize(size))]
pub(super) fn read_journey(journeys: &mut Journeys, value: &str) -> Result<bool> {
    let mut parts = value.split('\t');
    let converts = parts.next() == Some("1");
    let payout = match parts.next().unwrap_or("") {
        "" => 0,
        text => amount::of_option(text).ok_or(Error::InvalidSignedMoney {
            parameter: "payout",
        })?,
    };
    let mut touches = Vec::new();
    let mut lacks_time = false;
    while let (Some(channel), Some(age)) = (parts.next(), parts.next()) {
        lacks_time |= age.is_empty();
        let age = age.parse().unwrap_or(0_u64);
        touches.push((channel.as_bytes(), u32::try_from(age).unwrap_or(u32::MAX)));
    }
    // One touch has all the credit at any time.
    journeys.lack_times |= converts && lacks_time && touches.len() > 1;
    Ok(journeys.push(touches, payout, converts))
}
