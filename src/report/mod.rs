//! Reports over what an advertiser and CAKE have written down: reconcile, break down, attribute.
//!
//! Bytes go in, rows are kept compactly, plain answers come out as JSON text. JavaScript reads files and pages
//! into the report's input buffer and asks; nothing of a row crosses before somebody looks at it.
//!
//! | module | owns |
//! | --- | --- |
//! | [`amount`], [`day`], [`flaw`] | amounts, days and zones; why a row or a file cannot be read |
//! | `names`, `source` | columns and fields of each dialect; one file on its way in |
//! | `csv`, `json` | the readers |
//! | `memory`, `store`, `words` | the ceiling; rows in blocks; dictionaries |
//! | `judge`, `listing` | matching and classes; counts, sums and rows |
//! | `clicks`, `stats` | breaking down clicks; Wilson intervals and quantiles |
//! | [`attribution`], [`share`] | models over journeys; shares that add up to the cent |
//! | `correction` | which row of which file of CAKE's a difference becomes |

pub(crate) mod amount;
pub(crate) mod attribution;
mod clicks;
mod correction;
mod csv;
pub(crate) mod day;
pub(crate) mod flaw;
mod json;
mod judge;
mod listing;
mod memory;
mod names;
mod out;
mod partition;
pub(crate) mod share;
mod source;
pub(crate) mod stats;
mod store;
#[cfg(test)]
#[expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "tests may be slow"
)]
mod tests;
mod words;

use crate::{Error, Result};
use amount::{NumberFormat, SCALE};
use clicks::Clicks;
use day::{Written, Zone};
use flaw::Flaw;
use judge::{Judge, Verdicts};
use memory::{Memory, hash};
use names::{Fields, Kind, Pull, Role, RowKind};
use source::{Source, settings};
use store::{
    CLICK_ID, Head, IS_DAY, IS_REFUND, IS_SAME_ID, Mark, NO_TIME, NOBODY, ORDER_ID, Store,
    UNIQUE_ID,
};
use words::Words;

/// What applies to the whole report.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The first second that belongs to it, and the first that no longer does.
    window: (u32, u32),
    zone: Zone,
    orders_zone: Zone,
    has_orders_zone: bool,
    tolerance: i64,
    keys: Vec<usize>,
    statuses: Vec<(String, String)>,
    currency: String,
    prefers_approved: bool,
    /// Which of how many parts, from 0.
    part: (u64, u64),
    seed: u64,
}

impl Settings {
    /// Of a row's ids the one that is matched by first.
    fn first_key<'a>(&self, ids: [&'a [u8]; 3]) -> &'a [u8] {
        let key = self.keys.first().and_then(|&key| ids.get(key));
        key.copied().unwrap_or_default()
    }
}

/// A row that could not be read.
#[derive(Clone, Copy, Debug)]
struct Bad {
    source: u32,
    line: u32,
    flaw: u8,
    excerpt: u32,
}

/// A report: rows, and what was made of them.
#[derive(Debug)]
pub struct Report {
    settings: Settings,
    memory: Memory,
    input: Vec<u8>,
    filled: usize,
    fields: Fields,
    sources: Vec<Source>,
    current: Option<Current>,
    orders: Store,
    conversions: Store,
    deliveries: Store,
    clicks: Clicks,
    statuses: Words,
    currencies: Words,
    states: Words,
    offers: Words,
    affiliates: Words,
    /// Pairs of offer and affiliate by number, from 1.
    pairs: Words,
    bad: Vec<Bad>,
    excerpts: Words,
    /// Have the conversions' ids only risen so far? Then none came twice.
    ids_rise: bool,
    last_id: u64,
    /// Words of the current file's statuses, and what they were mapped to.
    mapped: Vec<(Vec<u8>, u8)>,
    judge: Option<Judge>,
    verdicts: Option<Verdicts>,
    answer: String,
}

/// The source that is being read, and where everything was before it.
#[derive(Debug)]
struct Current {
    source: Source,
    mark: Mark,
    clicks: clicks::Mark,
    bad: usize,
    ids: (bool, u64),
}

fn refuse(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

impl Report {
    /// Opens a report by `name=value` lines.
    ///
    /// # Errors
    /// [`Error::InvalidField`], [`Error::InvalidTime`] and [`Error::InvalidMoney`] name the setting.
    #[expect(clippy::too_many_lines, reason = "one arm for each setting")]
    pub fn open(options: &str) -> Result<Self> {
        let mut from = None;
        let mut to = None;
        let mut most = usize::MAX;
        let mut settings_ = Settings {
            window: (0, NO_TIME),
            zone: Zone::default(),
            orders_zone: Zone::default(),
            has_orders_zone: false,
            tolerance: 0,
            keys: vec![UNIQUE_ID, ORDER_ID, CLICK_ID],
            statuses: Vec::new(),
            currency: String::new(),
            prefers_approved: true,
            part: (0, 1),
            seed: 0,
        };
        let day = |parameter: &'static str, value: &str| {
            crate::time::CivilDate::parse(parameter, value)?;
            let written = day::Days::default().read(value.as_bytes());
            written
                .ok()
                .and_then(|written| u32::try_from(written.seconds).ok())
                .ok_or(Error::InvalidTime { parameter })
        };
        for (name, value) in settings(options) {
            match name {
                "from" => from = Some(day("from", value)?),
                "to" => to = Some(day("to", value)?),
                "zone" => settings_.zone = Zone::parse(value),
                "ordersZone" => {
                    settings_.orders_zone = Zone::parse(value);
                    settings_.has_orders_zone = true;
                }
                "tolerance" => {
                    let format = NumberFormat {
                        decimal: b'.',
                        ..NumberFormat::default()
                    };
                    settings_.tolerance = amount::read(value.as_bytes(), format, false, b"")
                        .ok()
                        .filter(|tolerance| *tolerance >= 0)
                        .ok_or(Error::InvalidMoney {
                            parameter: "tolerance",
                        })?;
                }
                "keys" => settings_.keys = keys_of(value)?,
                "currency" => value.clone_into(&mut settings_.currency),
                "prefer" => settings_.prefers_approved = value != "first",
                "part" => {
                    let part = value.split_once('/').and_then(|(index, count)| {
                        Some((index.parse::<u64>().ok()?, count.parse::<u64>().ok()?))
                    });
                    settings_.part = part
                        .filter(|&(index, count)| {
                            (1..=256).contains(&count) && (1..=count).contains(&index)
                        })
                        .map(|(index, count)| (index - 1, count))
                        .ok_or_else(|| {
                            refuse("part", "must be such as [1, 4]: one of 1 to 256 parts")
                        })?;
                }
                "memory" => {
                    most = value.parse().unwrap_or(usize::MAX);
                }
                "seed" => settings_.seed = value.parse().unwrap_or(0),
                _ => {
                    if let Some(word) = name.strip_prefix("status.") {
                        settings_.statuses.push((word.to_owned(), value.to_owned()));
                    }
                }
            }
        }
        if let Some(from) = from {
            settings_.window.0 = from;
        }
        if let Some(to) = to {
            settings_.window.1 = to + 86_400;
        }
        if settings_.window.1 <= settings_.window.0 {
            return Err(Error::InvalidTime { parameter: "to" });
        }
        if settings_.part.1 > 1 && settings_.keys.len() > 1 {
            return Err(refuse(
                "part",
                "goes with one key: rows that match by another may lie in another part",
            ));
        }
        let seed = settings_.seed;
        Ok(Self {
            settings: settings_,
            memory: Memory::new(most),
            input: Vec::new(),
            filled: 0,
            fields: Fields::default(),
            sources: Vec::new(),
            current: None,
            orders: Store::default(),
            conversions: Store::default(),
            deliveries: Store::default(),
            clicks: Clicks::new(seed),
            statuses: Words::new(seed),
            currencies: Words::new(seed),
            states: Words::new(seed),
            offers: Words::new(seed),
            affiliates: Words::new(seed),
            pairs: Words::new(seed),
            bad: Vec::new(),
            excerpts: Words::new(seed),
            ids_rise: true,
            last_id: 0,
            mapped: Vec::new(),
            judge: None,
            verdicts: None,
            answer: String::new(),
        })
    }

    /// Room for so many bytes more of the current file: where they go in [`input`](Self::input).
    ///
    /// # Errors
    /// [`Error::ReportFull`]; a row of more than 64 MB.
    pub fn room(&mut self, bytes: usize) -> Result<usize> {
        let wanted = self.filled + bytes + 8;
        if wanted > 64 << 20 {
            return Err(self.unreadable("a row of it is longer than 64 MB"));
        }
        if self.input.len() < wanted {
            let more = wanted - self.input.len();
            if self.memory.reserve(&mut self.input, more).is_none() {
                return Err(self.full());
            }
            self.input.resize(wanted, 0);
        }
        Ok(self.filled)
    }

    /// The buffer that a file is read into.
    pub fn input(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// Begins a file, declared by `name=value` lines.
    ///
    /// # Errors
    /// [`Error::InvalidField`] names the option.
    pub fn begin(&mut self, options: &str) -> Result<()> {
        self.cancel();
        let mut source = Source::new(options)?;
        let store = self.store(source.kind);
        source.first_row = store.rows();
        self.current = Some(Current {
            mark: store.mark(),
            clicks: self.clicks.mark(),
            source,
            bad: self.bad.len(),
            ids: (self.ids_rise, self.last_id),
        });
        self.filled = 0;
        self.mapped.clear();
        self.judge = None;
        self.verdicts = None;
        Ok(())
    }

    /// The last answer, JSON text; it is handed out once.
    pub fn take_answer(&mut self) -> String {
        core::mem::take(&mut self.answer)
    }

    fn store(&self, kind: RowKind) -> &Store {
        match kind {
            RowKind::Orders | RowKind::Clicks => &self.orders,
            RowKind::Conversions => &self.conversions,
            RowKind::Deliveries => &self.deliveries,
        }
    }

    /// Takes the rows of so many bytes more in the buffer.
    ///
    /// # Errors
    /// What refuses the whole file, which is then as if it had never begun; [`Error::ReportFull`].
    pub fn read(&mut self, bytes: usize) -> Result<()> {
        self.filled = (self.filled + bytes).min(self.input.len());
        let outcome = self.take_rows(false);
        if outcome.is_err() {
            self.cancel();
        }
        outcome
    }

    /// Ends the file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn end(&mut self) -> Result<()> {
        let outcome = self.take_rows(true).and_then(|()| {
            match self
                .current
                .as_ref()
                .and_then(|current| current.source.objection())
            {
                Some(error) => Err(error),
                None => Ok(()),
            }
        });
        if outcome.is_err() {
            self.cancel();
            return outcome;
        }
        if let Some(current) = self.current.take() {
            self.sources.push(current.source);
        }
        self.filled = 0;
        Ok(())
    }

    /// Forgets the file that is being read.
    pub(crate) fn cancel(&mut self) {
        let Some(current) = self.current.take() else {
            return;
        };
        match current.source.kind {
            RowKind::Orders => self.orders.go_back(current.mark, &mut self.memory),
            RowKind::Conversions => self.conversions.go_back(current.mark, &mut self.memory),
            RowKind::Deliveries => self.deliveries.go_back(current.mark, &mut self.memory),
            RowKind::Clicks => self.clicks.go_back(current.clicks),
        }
        self.bad.truncate(current.bad);
        (self.ids_rise, self.last_id) = current.ids;
        self.filled = 0;
    }

    fn take_rows(&mut self, is_last: bool) -> Result<()> {
        let Some(mut current) = self.current.take() else {
            return Ok(());
        };
        let outcome = self.take_rows_of(&mut current, is_last);
        self.current = Some(current);
        outcome
    }

    fn take_rows_of(&mut self, current: &mut Current, is_last: bool) -> Result<()> {
        let mut fields = core::mem::take(&mut self.fields);
        let input = core::mem::take(&mut self.input);
        let source = &mut current.source;
        let filled = input.get(..self.filled).unwrap_or_default();
        let mut at = 0;
        let mut outcome = Ok(());
        loop {
            match source.pull(filled, at, is_last, &mut fields) {
                Pull::Row(after) => {
                    let taken = self.take_row(source, &fields, filled);
                    match taken {
                        Ok(()) => {}
                        Err(Flaw::Full) => {
                            outcome = Err(self.full());
                            break;
                        }
                        Err(flaw) if flaw.is_ambiguous() => {
                            if source.doubt(flaw, &fields, filled)
                                && let Some(error) = source.objection()
                            {
                                outcome = Err(error);
                                break;
                            }
                        }
                        Err(flaw) => {
                            let row = source.row_text(filled, at, after);
                            if let Err(error) = self.take_bad(source, flaw, row) {
                                outcome = Err(error);
                                break;
                            }
                        }
                    }
                    at = after;
                }
                Pull::Bad(flaw, after) => {
                    let row = source.row_text(filled, at, after);
                    if let Err(error) = self.take_bad(source, flaw, row) {
                        outcome = Err(error);
                        break;
                    }
                    at = after;
                }
                Pull::More(after) => {
                    at = after;
                    break;
                }
                Pull::Refuse(rule) => {
                    outcome = Err(Error::UnreadableFile {
                        message: format!("{}: {rule}", source.title()),
                    });
                    break;
                }
            }
        }
        self.fields = fields;
        self.input = input;
        let filled = self.filled;
        self.input.copy_within(at.min(filled)..filled, 0);
        self.filled -= at.min(filled);
        outcome
    }

    #[inline(never)]
    fn take_bad(&mut self, source: &mut Source, flaw: Flaw, row: &[u8]) -> Result<()> {
        source.unreadable += 1;
        // What is counted once of all must not be counted in each part.
        if self.settings.part.0 != 0 {
            return Ok(());
        }
        let row = row.trim_ascii();
        let excerpt = if self.excerpts.len() < 1_000 {
            self.excerpts
                .code(row.get(..100).unwrap_or(row), &mut self.memory)
                .unwrap_or(0)
        } else {
            0
        };
        let bad = Bad {
            source: u32::try_from(self.sources.len()).unwrap_or(0),
            line: source.line(),
            flaw: flaw.number(),
            excerpt,
        };
        let room = self.memory.extend(&mut self.bad, &[bad]);
        room.ok_or_else(|| self.full())
    }

    fn take_row(&mut self, source: &mut Source, fields: &Fields, input: &[u8]) -> Result<(), Flaw> {
        match source.kind {
            RowKind::Orders => self.take_order(source, fields, input),
            RowKind::Conversions => self.take_conversion(source, fields, input),
            RowKind::Deliveries => self.take_delivery(source, fields, input),
            RowKind::Clicks => self.take_click(source, fields, input),
        }
    }

    /// A word's number that fits into a byte; 0 for none.
    fn small(words: &mut Words, memory: &mut Memory, text: &[u8]) -> Result<u8, Flaw> {
        let code = words.code(text, memory).ok_or(Flaw::Full)?;
        u8::try_from(code)
            .ok()
            .filter(|code| *code <= 250)
            .ok_or(Flaw::Words)
    }

    fn currency(&mut self, text: &[u8]) -> Result<u8, Flaw> {
        let text = text.trim_ascii();
        let mut upper = [0; 8];
        let Some(slot) = upper.get_mut(..text.len()) else {
            return Err(Flaw::Words);
        };
        for (slot, byte) in slot.iter_mut().zip(text) {
            *slot = byte.to_ascii_uppercase();
        }
        Self::small(&mut self.currencies, &mut self.memory, slot)
    }

    /// Civil seconds of the account's time zone, and the row's flag for a mere day.
    #[inline(never)]
    fn seconds(
        &self,
        source: &mut Source,
        text: &[u8],
        is_advertisers: bool,
    ) -> Result<(u32, u8), Flaw> {
        if text.trim_ascii().is_empty() {
            return Ok((NO_TIME, 0));
        }
        let Written {
            seconds,
            offset,
            has_time,
        } = source.days.read(text)?;
        let civil = match offset {
            Some(offset) => {
                if !self.settings.zone.is_known() {
                    return Err(Flaw::NoTimeZone);
                }
                self.settings.zone.civil(seconds - i64::from(offset))
            }
            // Two zones were declared: what was written is the advertiser's own clock.
            None if is_advertisers && has_time && self.settings.has_orders_zone => {
                let instant = self.settings.orders_zone.instant(seconds);
                self.settings.zone.civil(instant)
            }
            None => seconds,
        };
        let seconds = u32::try_from(civil).map_err(|_| Flaw::Date)?;
        Ok((seconds, if has_time { 0 } else { IS_DAY }))
    }

    /// Does the row belong to the part that this report keeps?
    fn is_ours(&self, ids: [&[u8]; 3]) -> bool {
        let (index, count) = self.settings.part;
        if count == 1 {
            return true;
        }
        match self.settings.first_key(ids) {
            [] => index == 0,
            key => (hash(key, 0) >> 32) % count == index,
        }
    }

    #[inline(never)]
    fn take_order(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        let is_blank = |role| fields.text(role, input).trim_ascii().is_empty();
        let mut unique_id = source.id(fields, Role::UniqueId, input)?;
        let order_id = source.id(fields, Role::OrderId, input)?;
        let click_id = source.id(fields, Role::ClickId, input)?;
        let is_bare = is_blank(Role::Revenue) && is_blank(Role::Status);
        if source.is_line_item(&order_id, is_bare)? {
            return Ok(());
        }
        let currency = self.currency(fields.text(Role::Currency, input))?;
        let letters = self.currencies.text(u32::from(currency));
        let mut revenue = source.amount(fields, Role::Revenue, input, letters)?;
        let payout = source.amount(fields, Role::Payout, input, letters)?;
        let date = fields.text(Role::Date, input);
        let (seconds, day) = self.seconds(source, date, true)?;
        let kind = fields.text(Role::Kind, input);
        let is_refund = contains_refund(kind);
        if is_refund && revenue > 0 {
            revenue = -revenue;
        }
        let is_refund = is_refund || (revenue < 0 && revenue != store::NO_AMOUNT);
        let status = if is_refund {
            0
        } else {
            let word = fields.text(Role::Status, input);
            self.mapped_status(source, word)?
        };
        let mut flags = day;
        if is_refund {
            flags |= IS_REFUND;
        }
        let mut stored_order: &[u8] = &order_id;
        // A file with one reference of the order: CAKE got it as whichever of the two.
        if unique_id.is_empty() && !source.can_have_unique() && !order_id.is_empty() {
            unique_id = order_id.clone();
            stored_order = &[];
            flags |= IS_SAME_ID;
        }
        source.note_sample(fields, input);
        if !self.is_ours([&unique_id, &order_id, &click_id]) {
            return Ok(());
        }
        let offer = source.id(fields, Role::OfferId, input)?;
        let head = Head {
            seconds,
            partner: NOBODY,
            revenue,
            payout,
            status,
            class: 0,
            currency,
            flags,
            pair: 0,
        };
        self.orders
            .push(
                &head,
                [&unique_id, stored_order, &click_id, &offer],
                self.settings.first_key([&unique_id, &order_id, &click_id]),
                self.settings.seed,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        source.note_line();
        Ok(())
    }

    /// One of CAKE's words for one of the advertiser's.
    #[inline(never)]
    fn mapped_status(&mut self, source: &Source, word: &[u8]) -> Result<u8, Flaw> {
        let word = word.trim_ascii();
        if word.is_empty() {
            return Ok(0);
        }
        if let Some((_, code)) = self.mapped.iter().find(|(known, _)| known == word) {
            return Ok(*code);
        }
        let declared = self
            .settings
            .statuses
            .iter()
            .find(|(theirs, _)| theirs.as_bytes().eq_ignore_ascii_case(word));
        let mapped = if let Some((_, ours)) = declared {
            ours.clone()
        } else {
            // The dialect's own words count unless the caller has listed what counts.
            let dialect = if self.settings.statuses.is_empty() {
                source.dialect.as_str()
            } else {
                ""
            };
            known_status(dialect, word)
                .ok_or(Flaw::UnmappedStatus)?
                .to_owned()
        };
        let code = Self::small(
            &mut self.statuses,
            &mut self.memory,
            mapped.to_ascii_lowercase().as_bytes(),
        )?;
        if self.mapped.len() < 32 {
            self.mapped.push((word.to_vec(), code));
        }
        Ok(code)
    }

    #[inline(never)]
    fn take_conversion(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        let unique_id = source.id(fields, Role::UniqueId, input)?;
        let order_id = source.id(fields, Role::OrderId, input)?;
        let click_id = source.id(fields, Role::ClickId, input)?;
        let own_id = source.id(fields, Role::ConversionId, input)?;
        let currency = self.currency(fields.text(Role::Currency, input))?;
        let letters = self.currencies.text(u32::from(currency));
        let revenue = source.amount(fields, Role::Revenue, input, letters)?;
        let payout = source.amount(fields, Role::Payout, input, letters)?;
        let date = fields.text(Role::Date, input);
        let (seconds, flags) = self.seconds(source, date, false)?;
        let mut lower = [0; 64];
        let word = fields.text(Role::Status, input).trim_ascii();
        let Some(lower) = lower.get_mut(..word.len()) else {
            return Err(Flaw::Words);
        };
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        let status = Self::small(&mut self.statuses, &mut self.memory, lower)?;
        let offer = fields.text(Role::OfferId, input).trim_ascii();
        let affiliate = fields.text(Role::AffiliateId, input).trim_ascii();
        source.note_sample(fields, input);
        if !self.is_ours([&unique_id, &order_id, &click_id]) {
            return Ok(());
        }
        let pair = self.pair(offer, affiliate)?;
        let number = number_of(&own_id);
        self.ids_rise &= number.is_some_and(|number| number > self.last_id);
        self.last_id = number.unwrap_or(self.last_id);
        let head = Head {
            seconds,
            partner: NOBODY,
            revenue,
            payout,
            status,
            class: 0,
            currency,
            flags,
            pair,
        };
        // A click id that nobody matches by is left where it was: 37 bytes a row.
        let click_id: &[u8] = if self.settings.keys.contains(&CLICK_ID) {
            &click_id
        } else {
            &[]
        };
        self.conversions
            .push(
                &head,
                [&unique_id, &order_id, click_id, &own_id],
                self.settings.first_key([&unique_id, &order_id, click_id]),
                self.settings.seed,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        source.note_line();
        Ok(())
    }

    /// Offer and affiliate as one number, 0 where there is neither.
    fn pair(&mut self, offer: &[u8], affiliate: &[u8]) -> Result<u32, Flaw> {
        let length = offer.len() + affiliate.len();
        if length == 0 {
            return Ok(0);
        }
        let mut both = [0; 1 + 2 * LONGEST_NUMBER];
        let Some(both) = both.get_mut(..=length) else {
            return Err(Flaw::Id);
        };
        if let Some((first, rest)) = both.split_first_mut()
            && let Some((one, other)) = rest.split_at_mut_checked(offer.len())
        {
            *first = u8::try_from(offer.len()).map_err(|_| Flaw::Id)?;
            one.copy_from_slice(offer);
            other.copy_from_slice(affiliate);
        }
        let before = self.pairs.len();
        let pair = self.pairs.code(both, &mut self.memory).ok_or(Flaw::Full)?;
        if self.pairs.len() > before {
            // Clicks know both by numbers of their own.
            self.offers
                .code(offer, &mut self.memory)
                .and_then(|_| self.affiliates.code(affiliate, &mut self.memory))
                .ok_or(Flaw::Full)?;
        }
        Ok(pair)
    }

    /// Offer and affiliate of a pair.
    fn pair_texts(&self, pair: u32) -> (&[u8], &[u8]) {
        let text = self.pairs.text(pair);
        let both = text
            .split_first()
            .and_then(|(&length, rest)| rest.split_at_checked(usize::from(length)));
        both.unwrap_or_default()
    }

    #[inline(never)]
    fn take_delivery(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        let unique_id = source.id(fields, Role::UniqueId, input)?;
        let order_id = source.id(fields, Role::OrderId, input)?;
        let click_id = source.id(fields, Role::ClickId, input)?;
        let date = fields.text(Role::Date, input);
        let (seconds, flags) = self.seconds(source, date, false).or_else(|flaw| {
            // A forwarder's own clock is UTC; without a zone the day decides nothing here.
            if flaw == Flaw::NoTimeZone {
                Ok((NO_TIME, 0))
            } else {
                Err(flaw)
            }
        })?;
        let state = match fields.text(Role::State, input).trim_ascii() {
            [] => source.state.as_bytes(),
            state => state,
        };
        let state = Self::small(&mut self.states, &mut self.memory, state)?;
        source.note_sample(fields, input);
        if !self.is_ours([&unique_id, &order_id, &click_id]) {
            return Ok(());
        }
        let head = Head {
            seconds,
            partner: NOBODY,
            revenue: store::NO_AMOUNT,
            payout: store::NO_AMOUNT,
            status: state,
            class: 0,
            currency: 0,
            flags,
            pair: 0,
        };
        self.deliveries
            .push(
                &head,
                [&unique_id, &order_id, &click_id, &[]],
                self.settings.first_key([&unique_id, &order_id, &click_id]),
                self.settings.seed,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        source.note_line();
        Ok(())
    }

    #[inline(never)]
    fn take_click(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        let date = fields.text(Role::Date, input);
        let (seconds, _) = self.seconds(source, date, false)?;
        source.note_sample(fields, input);
        let conversion = match fields.kind(Role::ConversionId) {
            Kind::Absent => std::borrow::Cow::default(),
            _ => source.id(fields, Role::ConversionId, input)?,
        };
        let mut texts: [&[u8]; clicks::TEXTS] = [&[]; clicks::TEXTS];
        for (slot, role) in texts.iter_mut().zip(clicks::ROLES) {
            *slot = fields.text(role, input);
        }
        self.clicks
            .push(
                seconds,
                texts,
                &conversion,
                &mut self.offers,
                &mut self.affiliates,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        source.rows += 1;
        Ok(())
    }

    fn unreadable(&self, rule: &str) -> Error {
        let title = self
            .current
            .as_ref()
            .map_or("the file", |current| current.source.title());
        Error::UnreadableFile {
            message: format!("{title}: {rule}"),
        }
    }

    fn full(&self) -> Error {
        Error::ReportFull {
            message: format!(
                "the memory ceiling is reached with {} orders, {} conversions and {} clicks in {} bytes: raise `memory` (4 GB at most), take fewer days, or read the same files once for each `part`, such as [1, 4]",
                self.orders.rows(),
                self.conversions.rows(),
                self.clicks.rows(),
                self.memory.used()
            ),
        }
    }
}

fn keys_of(value: &str) -> Result<Vec<usize>> {
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

fn contains_refund(kind: &[u8]) -> bool {
    kind.windows(6)
        .any(|part| part.eq_ignore_ascii_case(b"refund"))
}

/// A whole number without a leading zero.
fn number_of(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 || text.first() == Some(&b'0') {
        return None;
    }
    text.iter().try_fold(0, |sum: u64, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

/// CAKE's own words stand for themselves; of the dialects' words those that leave no doubt.
fn known_status(dialect: &str, word: &[u8]) -> Option<&'static str> {
    const CAKE: &str = "approved pending rejected ignored reversed returned scrubbed";
    let among = |list: &'static str| {
        list.split(' ')
            .find(|known| known.as_bytes().eq_ignore_ascii_case(word))
    };
    let lists: [(&str, &str); 4] = match dialect {
        "shopify" => [
            ("approved", "paid partially_refunded"),
            ("pending", "pending authorized partially_paid"),
            ("reversed", "refunded voided"),
            ("rejected", "expired"),
        ],
        "woocommerce" => [
            (
                "approved",
                "completed wc-completed processing wc-processing",
            ),
            (
                "pending",
                "pending wc-pending on-hold wc-on-hold checkout-draft",
            ),
            ("reversed", "refunded wc-refunded"),
            ("rejected", "cancelled wc-cancelled failed wc-failed"),
        ],
        "stripe" => [
            ("approved", "succeeded paid available"),
            (
                "pending",
                "pending processing requires_capture requires_action requires_confirmation requires_payment_method",
            ),
            ("reversed", "refunded"),
            ("rejected", "failed canceled"),
        ],
        _ => [("", ""); 4],
    };
    among(CAKE).or_else(|| {
        let found = lists.iter().find(|(_, words)| among(words).is_some())?;
        Some(found.0)
    })
}

/// The longest id of an offer or an affiliate.
const LONGEST_NUMBER: usize = 64;

/// The smallest unit of an amount that is paid: a cent, in ten-thousandths.
pub(crate) const CENT: i64 = SCALE / 100;

/// An error as JSON text: its code, rule and parameter.
#[must_use]
pub(crate) fn out_of_error(error: &Error) -> String {
    let mut writer = out::Writer::default();
    writer.open('{');
    writer.text_of("code", error.code().as_bytes());
    writer.text_of("rule", error.rule().as_bytes());
    writer.text_of("parameter", error.parameter().unwrap_or("").as_bytes());
    writer.close('}');
    writer.text
}
