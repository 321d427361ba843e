//! Reports over the records of an advertiser and of CAKE: reconcile, break down, attribute.
//!
//! Bytes go in, rows are stored compactly, and results come out as JSON text. JavaScript reads files and pages
//! into the report's input buffer. A row crosses the boundary only when the caller lists it.
//!
//! | module | owns |
//! | --- | --- |
//! | [`amount`], [`day`], `flag`, [`flaw`] | amounts; days and zones; yes, no and nothing; why a row or a file cannot be read |
//! | `names`, `source` | columns and fields of each dialect; the state of one file while it is read |
//! | `intake`, `row`, `elsewhere` | reads and checks rows; stores a row of each kind; what a part knows of the others |
//! | `csv`, `json`, `digits`, `encoding` | the readers; digits, eight at once; Windows-1252 |
//! | `memory`, `store`, `words` | the ceiling; rows in blocks; dictionaries |
//! | `judge`, `listing` | matching and classes; counts, sums and rows |
//! | `clicks`, `stats` | breaking down clicks; Wilson intervals and quantiles |
//! | [`attribution`], [`share`] | models over journeys; shares that add up to the cent |
//! | `correction` | the rows of CAKE's files that correct a difference |

pub(crate) mod amount;
pub(crate) mod attribution;
mod clicks;
mod correction;
mod csv;
pub(crate) mod day;
mod digits;
mod elsewhere;
mod encoding;
mod flag;
pub(crate) mod flaw;
mod intake;
mod json;
mod judge;
mod listing;
mod memory;
mod names;
pub(crate) mod out;
mod partition;
mod readings;
mod row;
pub(crate) mod share;
mod source;
pub(crate) mod stats;
mod store;
mod symbol;
#[cfg(test)]
#[expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "tests may be slow"
)]
mod tests;
mod words;

use crate::{Error, Result};
use amount::SCALE;
use clicks::{Clicks, Groups};
use correction::Found;
use day::Zone;
use judge::{Judge, Verdicts, keys_of, may_be_spoilt, proof};
use memory::Memory;
use names::{Fields, RowKind};
use source::{Source, settings};
use store::{CLICK_ID, Mark, NO_TIME, ORDER_ID, Store, UNIQUE_ID};
use words::{RecentPairs, Spellings, Words};

/// The options of the whole report.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The first second of the window, and the first second after it.
    window: (u32, u32),
    zone: Zone,
    orders_zone: Zone,
    has_orders_zone: bool,
    tolerance: i64,
    keys: Vec<usize>,
    statuses: Vec<(String, String)>,
    currency: String,
    /// Known when matching begins: the number of that currency, 0 for none, and the numbers of `approved`, `pending`,
    /// `rejected`, `reversed` and `returned`.
    account: u8,
    /// The currency of uploads: the account's, or the only one of CAKE's rows; 255 where there are several.
    owed_in: u8,
    codes: [u8; 5],
    prefers_approved: bool,
    /// The index of this part, from 0, and the number of parts.
    part: (u64, u64),
    seed: u64,
}

impl Settings {
    /// The id of a row by which it is matched first.
    #[inline]
    fn first_key<'a>(&self, ids: [&'a [u8]; 3]) -> &'a [u8] {
        let key = self.keys.first().and_then(|&key| ids.get(key));
        key.copied().unwrap_or_default()
    }

    /// The same, where it can prove anything.
    #[expect(clippy::inline_always, reason = "every row's key is asked")]
    #[inline(always)]
    fn first_proof<'a>(&self, ids: [&'a [u8]; 3]) -> &'a [u8] {
        let key = self.first_key(ids);
        if may_be_spoilt(key) { proof(key) } else { key }
    }
}

/// An unreadable row.
#[derive(Clone, Copy, Debug)]
struct Bad {
    source: u32,
    line: u32,
    flaw: u8,
    excerpt: u32,
}

impl Bad {
    /// Is it a test order, which was read and does not count?
    fn is_test(&self) -> bool {
        self.flaw == flaw::Flaw::TestOrder.number()
    }
}

/// A report: the rows that were read, and the results.
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
    /// The payments of orders, as hashes, by the order's number: refunds that name nothing else.
    payments: Vec<(u64, u32)>,
    /// When orders were paid, by the order's place, where that was at another time than their date.
    paid: Vec<(u32, u32)>,
    /// The places of orders of which a spreadsheet has lost an id, or else (`true`) the offer.
    lost: Vec<(u32, bool)>,
    /// Pairs of offer and affiliate by number, from 1.
    pairs: Groups,
    recent_pairs: RecentPairs,
    bad: Vec<Bad>,
    excerpts: Words,
    /// Have the conversion ids only risen until now? If so, none occurred twice.
    ids_rise: bool,
    last_id: u64,
    /// The words of the current file's statuses, with the mapped status of each.
    mapped: Spellings,
    /// CAKE's statuses and currencies, as rows have written them.
    own_statuses: Spellings,
    written_currencies: Spellings,
    judge: Option<Judge>,
    verdicts: Option<Verdicts>,
    found: Found,
    answer: String,
}

/// The source that is being read, and the positions to return to if it fails.
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
    #[cfg_attr(small_cold, optimize(size))]
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
            account: 0,
            owed_in: 0,
            codes: [u8::MAX; 5],
            prefers_approved: true,
            part: (0, 1),
            seed: 0,
        };
        for (name, value) in settings(options) {
            match name {
                "from" => from = Some(day::first_second("from", value)?),
                "to" => to = Some(day::first_second("to", value)?),
                "zone" => settings_.zone = Zone::parse(value),
                "ordersZone" => {
                    settings_.orders_zone = Zone::parse(value);
                    settings_.has_orders_zone = true;
                }
                "tolerance" => {
                    settings_.tolerance = amount::of_option(value)
                        .filter(|tolerance| *tolerance >= 0)
                        .ok_or(Error::InvalidMoney {
                            parameter: "tolerance",
                        })?;
                }
                "keys" => settings_.keys = keys_of(value)?,
                "currency"
                    if value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
                {
                    value.clone_into(&mut settings_.currency);
                }
                "currency" => return Err(refuse("currency", "must be three letters, such as USD")),
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
                            refuse(
                                "part",
                                "must be a part from 1 to the number of parts, at most 256",
                            )
                        })?;
                }
                "memory" => {
                    most = value.parse().unwrap_or(usize::MAX);
                }
                "seed" => settings_.seed = value.parse().unwrap_or(0),
                _ => {
                    if let Some(word) = name.strip_prefix("status.") {
                        let mut words = row::CAKE.split(' ');
                        if !words.any(|own| own.eq_ignore_ascii_case(value)) {
                            return Err(refuse(
                                "statuses",
                                "must map to one of CAKE's words: approved, pending, rejected, ignored, reversed, returned or scrubbed",
                            ));
                        }
                        let is_other = |(known, mapped): &(String, String)| {
                            known.eq_ignore_ascii_case(word) && !mapped.eq_ignore_ascii_case(value)
                        };
                        if settings_.statuses.iter().any(is_other) {
                            return Err(refuse("statuses", "must not map one word to two"));
                        }
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
            return Err(refuse("to", "must not be a day before `from`"));
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
            payments: Vec::new(),
            paid: Vec::new(),
            lost: Vec::new(),
            pairs: Groups::new(),
            recent_pairs: RecentPairs::default(),
            bad: Vec::new(),
            excerpts: Words::new(seed),
            ids_rise: true,
            last_id: 0,
            mapped: Spellings::default(),
            own_statuses: Spellings::default(),
            written_currencies: Spellings::default(),
            judge: None,
            verdicts: None,
            found: Found::default(),
            answer: String::new(),
        })
    }

    /// Reserves room for that number of further bytes of the current file; they go into [`input`](Self::input).
    ///
    /// # Errors
    /// [`Error::ReportFull`], also for a row of more than 64 MB.
    #[cfg_attr(small_cold, optimize(size))]
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

    /// The buffer for a file's bytes.
    pub fn input(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// Begins a file, declared by `name=value` lines.
    ///
    /// # Errors
    /// [`Error::InvalidField`] names the option.
    #[cfg_attr(small_cold, optimize(size))]
    pub fn begin(&mut self, options: &str) -> Result<()> {
        self.cancel();
        let mut source = Source::new(options)?;
        self.mapped = Spellings::default();
        // What is declared for orders without a status is known before the first of them.
        if self.map_status(&source, b"").is_err() {
            return Err(self.full());
        }
        let store = self.store(source.kind);
        source.first_row = store.rows();
        let mark = store.mark();
        source.first_place = mark.place();
        self.clicks.overlap.begin();
        self.current = Some(Current {
            mark,
            clicks: self.clicks.mark(),
            source,
            bad: self.bad.len(),
            ids: (self.ids_rise, self.last_id),
        });
        self.filled = 0;
        self.memory.begin_file();
        self.judge = None;
        self.verdicts = None;
        Ok(())
    }

    /// Announces that many further bytes of the current file, so that the memory grows once for all its rows.
    pub fn announce(&mut self, bytes: u64) {
        self.memory.announce(bytes);
    }

    /// Takes the last answer, JSON text; a second call returns an empty text.
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

    /// Reads the rows in that number of further bytes of the buffer.
    ///
    /// # Errors
    /// Any reason to refuse the whole file, which is then removed from the report; [`Error::ReportFull`].
    #[cfg_attr(small_cold, optimize(size))]
    pub fn read(&mut self, bytes: usize) -> Result<()> {
        self.filled = (self.filled + bytes).min(self.input.len());
        self.memory.note_read(bytes);
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
    #[cfg_attr(small_cold, optimize(size))]
    pub fn end(&mut self) -> Result<()> {
        let outcome = self.take_rows(true).and_then(|()| {
            let source = self.current.as_ref().map(|current| &current.source);
            match source.and_then(Source::objection) {
                Some(error) => Err(error),
                None => match source.and_then(Source::lack) {
                    Some(rule) => Err(self.unreadable(&rule)),
                    None => Ok(()),
                },
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

    /// Removes the file that is being read.
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn cancel(&mut self) {
        let Some(mut current) = self.current.take() else {
            return;
        };
        self.memory.free(&mut current.source.elsewhere.keys);
        match current.source.kind {
            RowKind::Orders => {
                self.orders.go_back(current.mark, &mut self.memory);
                self.paid.retain(|&(order, _)| order < current.mark.place());
                self.lost.retain(|&(order, _)| order < current.mark.place());
            }
            RowKind::Conversions => self.conversions.go_back(current.mark, &mut self.memory),
            RowKind::Deliveries => self.deliveries.go_back(current.mark, &mut self.memory),
            RowKind::Clicks => self.clicks.go_back(current.clicks, &mut self.memory),
        }
        self.payments.retain(|&(_, row)| row < self.orders.rows());
        self.bad.truncate(current.bad);
        (self.ids_rise, self.last_id) = current.ids;
        self.filled = 0;
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
                "the memory ceiling is reached with {} orders, {} conversions and {} clicks in {} bytes: raise `memory` (4 GB at most), take fewer days, or read the same files once for each `part`",
                self.orders.rows(),
                self.conversions.rows(),
                self.clicks.rows(),
                self.memory.used()
            ),
        }
    }
}

/// The maximum length of an offer or affiliate id, in bytes.
const MAX_NUMBER_BYTES: usize = 64;

/// The smallest unit of a payment: a cent, in ten-thousandths.
pub(crate) const CENT: i64 = SCALE / 100;
