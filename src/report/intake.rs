//! The intake of rows: reads and checks each row, and records the flaws.

use super::day::Written;
use super::flaw::Flaw;
use super::judge::Verdicts;
use super::memory::Memory;
use super::names::{Fields, Pull, RowKind};
use super::source::Source;
use super::store::{IS_DAY, NO_TIME};
use super::words::{Spellings, Words};
use super::{Bad, Current, Report};
use crate::{Error, Result};

/// The most bytes of a word, and how it is written in one case.
type OneCase = (usize, fn(&[u8]) -> Vec<u8>);

impl Report {
    pub(super) fn take_rows(&mut self, is_last: bool) -> Result<()> {
        let Some(mut current) = self.current.take() else {
            return Ok(());
        };
        let outcome = self.take_rows_of(&mut current, is_last);
        self.current = Some(current);
        outcome
    }

    pub(super) fn take_rows_of(&mut self, current: &mut Current, is_last: bool) -> Result<()> {
        let mut fields = core::mem::take(&mut self.fields);
        let input = core::mem::take(&mut self.input);
        let source = &mut current.source;
        let filled = input.get(..self.filled).unwrap_or_default();
        let mut at = 0;
        let mut outcome = Ok(());
        loop {
            let (after, flaw) = match source.pull_plain(filled, at, &mut fields) {
                Some(after) => (after, None),
                None => match source.pull(filled, at, is_last, &mut fields) {
                    Pull::Row(after) => (after, None),
                    Pull::Bad(flaw, after) => (after, Some(flaw)),
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
                },
            };
            let taken = match flaw {
                None => self.take_row(source, &fields, filled),
                Some(flaw) => Err(flaw),
            };
            if let Err(flaw) = taken {
                let row = source.row_text(filled, at, after);
                outcome = self.take_flaw(source, flaw, row, (&fields, filled));
                if outcome.is_err() {
                    break;
                }
            }
            at = after;
        }
        self.fields = fields;
        self.input = input;
        let filled = self.filled;
        self.input.copy_within(at.min(filled)..filled, 0);
        self.filled -= at.min(filled);
        outcome
    }

    /// Takes a row with a flaw. An ambiguous one is an error of the whole file, once there are enough examples.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn take_flaw(
        &mut self,
        source: &mut Source,
        flaw: Flaw,
        row: &[u8],
        (fields, input): (&Fields, &[u8]),
    ) -> Result<()> {
        if flaw == Flaw::Full {
            return Err(self.full());
        }
        if flaw == Flaw::LineItem && source.can_leave_out(fields, input) {
            source.line_items += 1;
            return Ok(());
        }
        if !flaw.is_ambiguous() {
            return self.take_bad(source, flaw, row);
        }
        let objection = if source.doubt(flaw, fields, input) {
            source.objection()
        } else {
            None
        };
        objection.map_or(Ok(()), Err)
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn take_bad(&mut self, source: &mut Source, flaw: Flaw, row: &[u8]) -> Result<()> {
        if flaw == Flaw::TestOrder {
            source.test_orders += 1;
        } else {
            source.unreadable += 1;
        }
        // An unreadable row counts once: only the first part of a report counts it.
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

    /// Refuses pages of some kinds of rows that are not all of their list: a row that is missing may be on another one.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn check_pages(&self, kinds: &[RowKind]) -> Result<()> {
        for source in &self.sources {
            let Some(facts) = source.facts().filter(|_| kinds.contains(&source.kind)) else {
                continue;
            };
            let same = self.sources.iter().filter(|one| one.kind == source.kind);
            let all = same.clone().filter_map(Source::facts);
            let ends: u32 = all.clone().map(|one| one.ends).sum();
            let starts: u32 = all.clone().map(|one| one.starts).sum();
            let pages: u64 = all.clone().map(|one| u64::from(one.pages)).sum();
            let rows = self.different_rows(source.kind);
            // A list may count rows that it does not show: then an empty page is its end.
            let has_end = rows > 0 && all.clone().any(|one| one.has_end);
            let (what, stated, read) = if facts.further > 0 && ends == 0 {
                return Err(Error::UnreadableFile {
                    message: format!(
                        "{}: its last page names a further one: add all pages of the list",
                        source.title()
                    ),
                });
            } else if facts.later > 0 && starts == 0 {
                return Err(Error::UnreadableFile {
                    message: format!(
                        "{}: its first page says that there is one before it: add all pages of the list",
                        source.title()
                    ),
                });
            } else if rows < facts.stated && !has_end {
                ("rows", facts.stated, rows)
            } else if pages < facts.stated_pages && !has_end {
                ("pages", facts.stated_pages, pages)
            } else {
                continue;
            };
            return Err(Error::UnreadableFile {
                message: format!(
                    "{}: it says that its list has {stated} {what}, and {read} were read, each counted once: add all pages of the list, read it again, or give the list alone if that number is of something else",
                    source.title()
                ),
            });
        }
        Ok(())
    }

    /// The number of rows of a kind, without those that are known to be read again: conversions once they are matched.
    #[cfg_attr(small_cold, optimize(size))]
    fn different_rows(&self, kind: RowKind) -> u64 {
        let sources = self.sources.iter().filter(|source| source.kind == kind);
        let rows: u64 = sources
            .map(|source| u64::from(source.line().saturating_sub(source.repeated)))
            .sum();
        let verdicts = self.verdicts.as_ref();
        let again = verdicts.filter(|_| kind == RowKind::Conversions);
        rows.saturating_sub(again.map_or(0, Verdicts::read_twice))
    }

    /// The number of unreadable rows in the files that are matched, in every part of a report alike.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn unreadable_rows(&self) -> u64 {
        let sources = self.sources.iter();
        sources
            .filter(|source| source.kind != RowKind::Clicks)
            .map(|source| u64::from(source.unreadable))
            .sum()
    }

    pub(super) fn take_row(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        match source.kind {
            RowKind::Orders => self.take_order(source, fields, input),
            RowKind::Conversions => self.take_conversion(source, fields, input),
            RowKind::Deliveries => self.take_delivery(source, fields, input),
            RowKind::Clicks => self.take_click(source, fields, input),
        }
    }

    /// A word's number, limited to one byte; 0 for no word.
    #[inline]
    pub(super) fn small(words: &mut Words, memory: &mut Memory, text: &[u8]) -> Result<u8, Flaw> {
        let code = words.code(text, memory).ok_or(Flaw::Full)?;
        u8::try_from(code)
            .ok()
            .filter(|code| *code <= 250)
            .ok_or(Flaw::Words)
    }

    /// The number of a currency, in any case.
    #[inline]
    pub(super) fn currency(&mut self, text: &[u8]) -> Result<u8, Flaw> {
        match self.written_currencies.code(text) {
            Some(code) => Ok(code),
            None => Self::add_spelling(
                &mut self.written_currencies,
                (&mut self.currencies, &mut self.memory),
                text,
                (8, <[u8]>::to_ascii_uppercase),
            ),
        }
    }

    /// The number of a word that is spelt so for the first time: of at most so many bytes, in one case.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn add_spelling(
        spellings: &mut Spellings,
        (words, memory): (&mut Words, &mut Memory),
        text: &[u8],
        (most, in_one_case): OneCase,
    ) -> Result<u8, Flaw> {
        let word = text.trim_ascii();
        if word.len() > most {
            return Err(Flaw::Words);
        }
        let code = Self::small(words, memory, &in_one_case(word))?;
        spellings.add(text, code);
        Ok(code)
    }

    /// Civil seconds of the account's time zone, and the row's flag for a mere day.
    #[inline]
    pub(super) fn seconds(
        &self,
        source: &mut Source,
        text: &[u8],
        is_advertisers: bool,
    ) -> Result<(u32, u8), Flaw> {
        let [zone, _] = source.days.zones;
        self.seconds_in(source, text, is_advertisers, zone)
    }

    /// The same of a column whose name tells a zone, such as UTC. It says more than `ordersTimeZone`, as an offset does.
    #[inline]
    pub(super) fn seconds_in(
        &self,
        source: &mut Source,
        text: &[u8],
        is_advertisers: bool,
        zone: Option<i32>,
    ) -> Result<(u32, u8), Flaw> {
        if let Some(seconds) = source.days.plain(text)
            && !(is_advertisers && self.settings.has_orders_zone)
        {
            return Ok((seconds, 0));
        }
        self.any_seconds(source, text, is_advertisers, zone)
    }

    #[inline(never)]
    fn any_seconds(
        &self,
        source: &mut Source,
        text: &[u8],
        is_advertisers: bool,
        zone: Option<i32>,
    ) -> Result<(u32, u8), Flaw> {
        if text.trim_ascii().is_empty() {
            return Ok((NO_TIME, 0));
        }
        let Written {
            seconds,
            offset,
            has_time,
        } = source.days.read(&source.plain_marks(text))?;
        let civil = match offset.or(zone.filter(|_| has_time)) {
            Some(offset) => {
                if !self.settings.zone.is_known() {
                    return Err(Flaw::NoTimeZone);
                }
                self.settings.zone.civil(seconds - i64::from(offset))
            }
            // With two declared zones, the text is the time on the advertiser's clock.
            None if is_advertisers && has_time && self.settings.has_orders_zone => {
                let instant = self.settings.orders_zone.instant(seconds);
                self.settings.zone.civil(instant)
            }
            None => seconds,
        };
        let seconds = u32::try_from(civil).map_err(|_| Flaw::Date)?;
        Ok((seconds, if has_time { 0 } else { IS_DAY }))
    }
}
