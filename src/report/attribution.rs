//! Attribution: splits credit for conversions between channels, by several models side by side.

mod left_out;

use super::CENT;
use super::memory::Memory;
use super::out::Writer;
use super::share::round;
use super::words::Words;
use crate::{Error, Result};
use left_out::LeftOut;

/// Credit is counted in fractions of 2^-40 of an amount's unit: whole numbers, exact enough for any sum.
const FRACTION: i128 = 1 << 40;

/// The maximum number of channels for the Markov model.
const MAX_CHANNELS: usize = 500;

/// Journeys, and the channels of their touches.
#[derive(Debug)]
pub(crate) struct Journeys {
    channels: Words,
    /// Per touch: the channel, and the seconds before the journey's end.
    touches: Vec<(u32, u32)>,
    all: Vec<Journey>,
    /// Conversions that earn no credit: their status does not count, or they have no touch.
    pub(super) not_approved: LeftOut,
    pub(super) without: LeftOut,
    /// A journey that converted does not say when each of its touches was.
    pub(super) lack_times: bool,
    memory: Memory,
}

#[derive(Clone, Copy, Debug)]
struct Journey {
    from: usize,
    to: usize,
    payout: i64,
    converts: bool,
}

/// An attribution model: the rule that splits the credit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Model {
    /// All credit to the last touch.
    Last,
    /// All credit to the first touch.
    First,
    /// Equal credit to each touch.
    Linear,
    /// Two percentages, for the first and the last touch; the touches between share the rest.
    Position(u32, u32),
    /// Exponential decay: credit halves with every such number of seconds before the conversion.
    TimeDecay(u32),
    /// The removal effect in a Markov chain of order 1.
    Markov,
    /// The Shapley value, where a set of channels earns the journeys that touch no other channel. Each journey's
    /// credit is split equally between its distinct channels.
    Shapley,
}

/// The credit that a model gives each channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credit {
    /// The payouts by channel, in fractions of 2^-40 of an amount's unit; below zero where payouts were taken back.
    pub(crate) payouts: Vec<i128>,
    /// Fractional conversions, by channel.
    pub(crate) conversions: Vec<f64>,
    /// Removal effects, by channel; empty for all models but Markov.
    pub(crate) effects: Vec<f64>,
}

fn refuse(rule: &str) -> Error {
    Error::InvalidField {
        parameter: "models".to_owned(),
        rule: rule.to_owned(),
    }
}

impl Model {
    /// Reads a model such as `last`, `position:40:40` or `timeDecay:604800`; returns its name too.
    ///
    /// # Errors
    /// [`Error::InvalidField`]
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn parse(text: &str) -> Result<(String, Self)> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let numbers: Vec<u32> = rest
            .split(':')
            .filter_map(|part| part.parse().ok())
            .collect();
        let is_plain = rest.is_empty() || numbers.len() == rest.split(':').count();
        let model = match (name, numbers.as_slice()) {
            ("last", _) => Self::Last,
            ("first", _) => Self::First,
            ("linear", _) => Self::Linear,
            ("position", []) if rest.is_empty() => Self::Position(40, 40),
            ("position", [first, last]) if is_plain && first.saturating_add(*last) <= 100 => {
                Self::Position(*first, *last)
            }
            ("position", _) => {
                return Err(refuse(
                    "must give position whole percentages from 0, up to 100 together, such as { position: { first: 40, last: 40 } }",
                ));
            }
            ("timeDecay", [half_life]) if *half_life > 0 => Self::TimeDecay(*half_life),
            ("markov", _) => Self::Markov,
            ("shapley", _) => Self::Shapley,
            _ => {
                return Err(refuse(
                    "must be some of last, first, linear, position, { position: { first, last } } of up to 100 together, { timeDecay: { halfLifeDays } }, markov and shapley",
                ));
            }
        };
        Ok((name.to_owned(), model))
    }
}

impl Default for Journeys {
    fn default() -> Self {
        Self::new(usize::MAX, 0)
    }
}

impl Journeys {
    /// An empty list with a memory ceiling in bytes.
    #[must_use]
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn new(most: usize, seed: u64) -> Self {
        Self {
            channels: Words::new(seed),
            touches: Vec::new(),
            all: Vec::new(),
            not_approved: LeftOut::default(),
            without: LeftOut::default(),
            lack_times: false,
            memory: Memory::new(most),
        }
    }

    /// Adds a journey of `(channel, seconds before its end)`, the first touch first. A journey without touches is
    /// left out, and counted where it converted. Returns whether the memory sufficed.
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn push<'a>(
        &mut self,
        touches: impl IntoIterator<Item = (&'a [u8], u32)>,
        payout: i64,
        converts: bool,
    ) -> bool {
        let from = self.touches.len();
        for (channel, age) in touches {
            let name = if channel.is_empty() {
                b"(none)"
            } else {
                channel
            };
            let Some(code) = self.channels.code(name, &mut self.memory) else {
                self.touches.truncate(from);
                return false;
            };
            if self
                .memory
                .extend(&mut self.touches, &[(code - 1, age)])
                .is_none()
            {
                self.touches.truncate(from);
                return false;
            }
        }
        let to = self.touches.len();
        let journey = Journey {
            from,
            to,
            payout,
            converts,
        };
        if to == from && converts {
            self.without.add(payout);
        }
        to == from || self.memory.extend(&mut self.all, &[journey]).is_some()
    }

    /// The channels' names, by number.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &[u8]> {
        (1..=u32::try_from(self.channels.len()).unwrap_or(0)).map(|code| self.channels.text(code))
    }

    /// The total payout of all conversions, in ten-thousandths.
    #[must_use]
    pub(crate) fn payout(&self) -> i64 {
        self.converting().map(|journey| journey.payout).sum()
    }

    fn converting(&self) -> impl Iterator<Item = &Journey> {
        self.all.iter().filter(|journey| journey.converts)
    }

    fn touches(&self, journey: &Journey) -> &[(u32, u32)] {
        self.touches
            .get(journey.from..journey.to)
            .unwrap_or_default()
    }

    /// The credit of each channel under a model.
    ///
    /// # Errors
    /// [`Error::InvalidField`] where the model cannot be applied: Markov without a journey that did not convert,
    /// or with over 500 channels, and time decay of touches without a time.
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn credit(&self, model: Model) -> Result<Credit> {
        if model == Model::Markov {
            return self.markov();
        }
        if self.lack_times && matches!(model, Model::TimeDecay(_)) {
            return Err(Error::InvalidField {
                parameter: "secondsBefore".to_owned(),
                rule: "is missing in a touch of a journey that converted: timeDecay needs it of every touch".to_owned(),
            });
        }
        let count = self.channels.len();
        let mut credit = Credit {
            payouts: vec![0; count],
            conversions: vec![0.0; count],
            effects: Vec::new(),
        };
        let mut weights: Vec<(u32, f64)> = Vec::new();
        for journey in self.converting() {
            weights.clear();
            let touches = self.touches(journey);
            weigh(model, touches, &mut weights);
            let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
            let parts = spread(
                journey.payout,
                weights.iter().map(|(_, weight)| weight / sum),
            );
            for ((channel, weight), part) in weights.iter().zip(parts) {
                let index = *channel as usize;
                if let Some(slot) = credit.payouts.get_mut(index) {
                    *slot += part;
                }
                if let Some(slot) = credit.conversions.get_mut(index) {
                    *slot += weight / sum;
                }
            }
        }
        Ok(credit)
    }

    /// Removal effects, from the chain's fundamental matrix N. The chain reaches channel c from the start with
    /// probability N(start, c) / N(c, c), and converts from there with x(c). Removing the channel loses exactly
    /// that product.
    #[cfg_attr(small_cold, optimize(size))]
    fn markov(&self) -> Result<Credit> {
        let count = self.channels.len();
        if count > MAX_CHANNELS {
            return Err(refuse(
                "markov takes up to 500 channels: use a coarser dimension",
            ));
        }
        if self.all.iter().all(|journey| journey.converts) {
            return Err(refuse(
                "markov needs journeys that did not convert: without them every channel seems to convert always",
            ));
        }
        let size = count + 1;
        // Row 0 is the start. The columns are the channels, then one column for conversions.
        let mut counts = vec![vec![0.0_f64; size + 1]; size];
        for journey in &self.all {
            let mut state = 0;
            let mut before = None;
            for &(channel, _) in self.touches(journey) {
                // A repeated touch of one channel changes no effect.
                if before == Some(channel) {
                    continue;
                }
                before = Some(channel);
                let next = channel as usize + 1;
                bump(&mut counts, state, next);
                state = next;
            }
            bump(&mut counts, state, if journey.converts { size } else { 0 });
        }
        // I - Q beside the unit matrix. Column 0, the return to the start, stands for an end without a conversion.
        let mut matrix = vec![vec![0.0_f64; 2 * size]; size];
        let mut converts = vec![0.0_f64; size];
        for (index, (row, from)) in matrix.iter_mut().zip(&counts).enumerate() {
            let total: f64 = from.iter().sum();
            for (column, slot) in row.iter_mut().enumerate() {
                let unit = f64::from(u8::from(column % size == index));
                let moved = match from.get(column) {
                    Some(moves) if column > 0 && column < size && total > 0.0 => moves / total,
                    _ => 0.0,
                };
                *slot = if column < size { unit - moved } else { unit };
            }
            if let (Some(slot), Some(moves)) = (converts.get_mut(index), from.get(size))
                && total > 0.0
            {
                *slot = moves / total;
            }
        }
        invert(&mut matrix).ok_or(Error::Internal)?;
        let entry = |row: usize, column: usize| -> f64 {
            let row = matrix.get(row);
            row.and_then(|row| row.get(size + column))
                .copied()
                .unwrap_or(0.0)
        };
        let reach = |from: usize| -> f64 {
            converts
                .iter()
                .enumerate()
                .map(|(state, direct)| entry(from, state) * direct)
                .sum()
        };
        let whole = reach(0);
        if whole <= 0.0 {
            return Err(refuse("needs a journey that converted"));
        }
        let effects: Vec<f64> = (1..size)
            .map(|state| {
                let visits = entry(0, state) / entry(state, state);
                (visits * reach(state) / whole).clamp(0.0, 1.0)
            })
            .collect();
        let sum: f64 = effects.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "a count of journeys")]
        let sales = self.converting().count() as f64;
        Ok(Credit {
            payouts: spread(self.payout(), effects.iter().map(|effect| effect / sum)),
            conversions: effects.iter().map(|effect| effect / sum * sales).collect(),
            effects,
        })
    }

    /// The credit under each model side by side, as JSON text.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn write(&self, models: &[(String, Model)]) -> Result<String> {
        let mut credits = Vec::new();
        for (name, model) in models {
            credits.push((name, self.credit(*model)?));
        }
        // Channels sorted by name: the first one wins a tie of shares.
        let mut order: Vec<(usize, &[u8])> = self.channels().enumerate().collect();
        order.sort_by(|one, other| one.1.cmp(other.1));
        let payout = self.payout();
        let unit = if payout % CENT == 0 { CENT } else { 1 };
        let mut writer = Writer::default();
        writer.open('{');
        writer.number_of("journeys", self.all.len() as u64);
        writer.number_of("conversions", self.converting().count() as u64);
        writer.amount_of("payout", payout);
        writer.key("leftOut");
        writer.open('{');
        self.not_approved.write(&mut writer, "notApproved");
        self.without.write(&mut writer, "withoutJourney");
        writer.close('}');
        writer.key("models");
        writer.open('[');
        for (name, credit) in &credits {
            let exact: Vec<i128> = order
                .iter()
                .map(|&(index, _)| credit.payouts.get(index).copied().unwrap_or(0))
                .collect();
            let shares = round(payout / unit, &exact, FRACTION * i128::from(unit));
            writer.open('{');
            writer.text_of("model", name.as_bytes());
            writer.key("channels");
            writer.open('[');
            for (&(index, channel), share) in order.iter().zip(&shares) {
                writer.open('{');
                writer.text_of("channel", channel);
                writer.amount_of("payout", share * unit);
                writer.key("conversions");
                writer.float(credit.conversions.get(index).copied().unwrap_or(0.0));
                if let Some(effect) = credit.effects.get(index) {
                    writer.key("removalEffect");
                    writer.float(*effect);
                }
                writer.close('}');
            }
            writer.close(']');
            writer.close('}');
        }
        writer.close(']');
        writer.close('}');
        Ok(writer.text)
    }
}

/// The weights of the touches under a rule-based model.
#[cfg_attr(small_cold, optimize(size))]
fn weigh(model: Model, touches: &[(u32, u32)], weights: &mut Vec<(u32, f64)>) {
    let last = touches.len().saturating_sub(1);
    match model {
        Model::Last => weights.extend(touches.last().map(|&(channel, _)| (channel, 1.0))),
        Model::First => weights.extend(touches.first().map(|&(channel, _)| (channel, 1.0))),
        Model::Linear | Model::Markov => {
            weights.extend(touches.iter().map(|&(channel, _)| (channel, 1.0)));
        }
        Model::Position(first, end) => {
            let between = 100_u32.saturating_sub(first + end);
            for (index, &(channel, _)) in touches.iter().enumerate() {
                let weight = match (index, last) {
                    (_, 0) => 100.0,
                    // Without touches between, the first and the last share the middle's part.
                    (0, 1) => f64::from(first) + f64::from(between) / 2.0,
                    (1, 1) => f64::from(end) + f64::from(between) / 2.0,
                    (0, _) => f64::from(first),
                    (index, last) if index == last => f64::from(end),
                    #[expect(clippy::cast_precision_loss, reason = "a journey's length")]
                    _ => f64::from(between) / (last - 1) as f64,
                };
                weights.push((channel, weight));
            }
        }
        Model::TimeDecay(half_life) => {
            let half_life = f64::from(half_life.max(1));
            // Ages count from the last touch, so that the weights of an old journey do not underflow to zero.
            let newest = touches.last().map_or(0, |&(_, age)| age);
            for &(channel, age) in touches {
                let age = f64::from(age.saturating_sub(newest));
                weights.push((channel, (-age / half_life * core::f64::consts::LN_2).exp()));
            }
        }
        Model::Shapley => {
            for &(channel, _) in touches {
                if !weights.iter().any(|&(known, _)| known == channel) {
                    weights.push((channel, 1.0));
                }
            }
        }
    }
}

/// Splits an amount by shares of 1. The parts add up to the amount, even where the shares are rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a share between 0 and 1"
)]
fn spread(amount: i64, shares: impl Iterator<Item = f64>) -> Vec<i128> {
    let shares: Vec<i128> = shares
        .map(|share| (share.clamp(0.0, 1.0) * FRACTION as f64).round() as i128)
        .collect();
    let sum = shares.iter().sum::<i128>().max(1);
    // Quotient and remainder apart: the product of a large amount and a share would overflow.
    let whole = i128::from(amount) * FRACTION;
    let (each, rest) = (whole / sum, whole % sum);
    let part = |share: &i128| each * share + rest * share / sum;
    shares.iter().map(part).collect()
}

fn bump(counts: &mut [Vec<f64>], from: usize, to: usize) {
    if let Some(slot) = counts.get_mut(from).and_then(|row| row.get_mut(to)) {
        *slot += 1.0;
    }
}

/// Gauss-Jordan elimination with the largest pivot: the right half becomes the inverse of the left half.
#[cfg_attr(small_cold, optimize(size))]
fn invert(matrix: &mut [Vec<f64>]) -> Option<()> {
    for column in 0..matrix.len() {
        let size = |row: &Vec<f64>| row.get(column).map_or(0.0, |entry| entry.abs());
        let pivot = (column..matrix.len()).max_by(|&one, &other| {
            let size = |index: usize| matrix.get(index).map_or(0.0, size);
            size(one).total_cmp(&size(other))
        })?;
        matrix.swap(column, pivot);
        let row = matrix.get_mut(column)?;
        let scale = *row.get(column)?;
        if scale.abs() < 1e-12 {
            return None;
        }
        for entry in row.iter_mut() {
            *entry /= scale;
        }
        let pivot = row.clone();
        for (index, row) in matrix.iter_mut().enumerate() {
            let factor = *row.get(column)?;
            if index == column || factor == 0.0 {
                continue;
            }
            for (entry, part) in row.iter_mut().zip(&pivot) {
                *entry -= factor * part;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
