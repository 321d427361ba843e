//! Clicks in columns of numbers, and what they break down into.

use super::attribution::{Journeys, Model};
use super::judge::Class;
use super::memory::{Memory, sort_numbers};
use super::names::Role;
use super::out::Writer;
use super::source::settings;
use super::stats::{quantile, wilson};
use super::store::{NO_AMOUNT, NO_TIME, OWN_ID};
use super::words::Words;
use super::{Report, amount, day, refuse};
use crate::{Error, Result};

/// What a click is told apart by, in the order of its columns.
pub(super) const ROLES: [Role; TEXTS] = [
    Role::OfferId,
    Role::AffiliateId,
    Role::SubId1,
    Role::SubId2,
    Role::SubId3,
    Role::SubId4,
    Role::SubId5,
    Role::Country,
    Role::Address,
];
pub(super) const TEXTS: usize = 9;
const OFFER: usize = 0;
const AFFILIATE: usize = 1;
const ADDRESS: usize = 8;
const BLOCK: usize = 65_536;
/// Addresses below are numbers of texts; from here on they are IPv4 themselves.
const FIRST_IPV4: u32 = 1 << 24;

/// A column that takes memory only where it has values.
#[derive(Debug, Default)]
struct Column {
    blocks: Vec<Vec<u32>>,
}

impl Column {
    fn set(&mut self, row: u32, value: u32, memory: &mut Memory) -> Option<()> {
        if value == 0 {
            return Some(());
        }
        let index = row as usize / BLOCK;
        while self.blocks.len() <= index {
            self.blocks.push(Vec::new());
        }
        let block = self.blocks.get_mut(index)?;
        if block.is_empty() {
            memory.reserve(block, BLOCK)?;
            block.resize(BLOCK, 0);
        }
        *block.get_mut(row as usize % BLOCK)? = value;
        Some(())
    }

    fn get(&self, row: u32) -> u32 {
        let block = self.blocks.get(row as usize / BLOCK);
        block
            .and_then(|block| block.get(row as usize % BLOCK))
            .copied()
            .unwrap_or(0)
    }

    /// Forgets the values from a row on.
    fn clear_from(&mut self, row: u32) {
        for (index, block) in self
            .blocks
            .iter_mut()
            .enumerate()
            .skip(row as usize / BLOCK)
        {
            let from = if index == row as usize / BLOCK {
                row as usize % BLOCK
            } else {
                0
            };
            if let Some(rest) = block.get_mut(from..) {
                rest.fill(0);
            }
        }
    }
}

/// All clicks.
#[derive(Debug)]
pub(super) struct Clicks {
    rows: u32,
    seconds: Column,
    columns: [Column; TEXTS],
    /// Texts of sub ids, countries and addresses; offers and affiliates are the report's.
    words: [Words; TEXTS],
    /// Clicks that converted: row, and the number of the conversion's id.
    converted: Vec<(u32, u32)>,
    conversion_ids: Words,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    rows: u32,
    converted: usize,
}

impl Clicks {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rows: 0,
            seconds: Column::default(),
            columns: Default::default(),
            words: core::array::from_fn(|_| Words::new(seed)),
            converted: Vec::new(),
            conversion_ids: Words::new(seed),
        }
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            rows: self.rows,
            converted: self.converted.len(),
        }
    }

    pub(super) fn go_back(&mut self, mark: Mark) {
        if self.rows != mark.rows {
            self.seconds.clear_from(mark.rows);
            for column in &mut self.columns {
                column.clear_from(mark.rows);
            }
        }
        self.rows = mark.rows;
        self.converted.truncate(mark.converted);
    }

    pub(super) fn push(
        &mut self,
        seconds: u32,
        texts: [&[u8]; TEXTS],
        conversion: &[u8],
        offers: &mut Words,
        affiliates: &mut Words,
        memory: &mut Memory,
    ) -> Option<()> {
        let row = self.rows;
        // A click without a time has none of 0 seconds either: 1970 is not read.
        let time = if seconds == NO_TIME { 0 } else { seconds };
        self.seconds.set(row, time, memory)?;
        let columns = self.columns.iter_mut().zip(&mut self.words);
        for (index, ((column, words), text)) in columns.zip(texts).enumerate() {
            let words = match index {
                OFFER => &mut *offers,
                AFFILIATE => &mut *affiliates,
                _ => words,
            };
            let value = match ipv4(text).filter(|_| index == ADDRESS) {
                Some(address) => address,
                None => words.code(text, memory)?,
            };
            if index == ADDRESS && value < FIRST_IPV4 && words.len() >= FIRST_IPV4 as usize {
                return None;
            }
            column.set(row, value, memory)?;
        }
        if !conversion.is_empty() {
            let code = self.conversion_ids.code(conversion, memory)?;
            memory.extend(&mut self.converted, &[(row, code)])?;
        }
        self.rows += 1;
        Some(())
    }

    fn seconds(&self, row: u32) -> u32 {
        match self.seconds.get(row) {
            0 => NO_TIME,
            seconds => seconds,
        }
    }
}

/// An IPv4 address as a number, unless it would be taken for a text's.
fn ipv4(text: &[u8]) -> Option<u32> {
    let mut address = 0_u32;
    let mut parts = 0;
    let mut part: Option<u32> = None;
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                // Only as it is written by everybody: another spelling is another text.
                if part == Some(0) {
                    return None;
                }
                let value = part.unwrap_or(0) * 10 + u32::from(byte - b'0');
                if value > 255 {
                    return None;
                }
                part = Some(value);
            }
            b'.' if parts < 3 => {
                address = address << 8 | part?;
                part = None;
                parts += 1;
            }
            _ => return None,
        }
    }
    let address = address << 8 | part?;
    (parts == 3 && address >= FIRST_IPV4).then_some(address)
}

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimension {
    Column(usize),
    Day,
    Hour,
    Weekday,
    /// One of the caller's own: a label for each group of its parts.
    Own,
}

const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

fn dimension(name: &str) -> Result<Dimension> {
    Ok(match name {
        "offer" => Dimension::Column(OFFER),
        "affiliate" => Dimension::Column(AFFILIATE),
        "subId1" => Dimension::Column(2),
        "subId2" => Dimension::Column(3),
        "subId3" => Dimension::Column(4),
        "subId4" => Dimension::Column(5),
        "subId5" => Dimension::Column(6),
        "country" => Dimension::Column(7),
        "address" => Dimension::Column(ADDRESS),
        "day" => Dimension::Day,
        "hour" => Dimension::Hour,
        "weekday" => Dimension::Weekday,
        "own" => Dimension::Own,
        _ => {
            return Err(refuse(
                "by",
                "must be some of affiliate, offer, subId1 to subId5, country, day, hour, weekday, or a dimension of your own",
            ));
        }
    })
}

fn dimensions(value: &str) -> Result<Vec<Dimension>> {
    if value.is_empty() {
        return Ok(Vec::new());
    }
    value.split(',').map(dimension).collect()
}

/// Groups by number: pairs of a group so far and a further value.
#[derive(Debug)]
struct Groups {
    table: Vec<u32>,
    keys: Vec<u64>,
    last: (u64, u32),
}

impl Groups {
    fn new() -> Self {
        Self {
            table: vec![u32::MAX; 1_024],
            keys: Vec::new(),
            last: (u64::MAX, 0),
        }
    }

    fn slot(table: &[u32], keys: &[u64], key: u64) -> usize {
        let mask = table.len() - 1;
        let spread = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut slot = usize::try_from(spread).unwrap_or(0) & mask;
        while let Some(&index) = table.get(slot) {
            if index == u32::MAX || keys.get(index as usize) == Some(&key) {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn number(&mut self, before: u32, value: u32, memory: &mut Memory) -> Option<u32> {
        let key = u64::from(before) << 32 | u64::from(value);
        if self.last.0 == key {
            return Some(self.last.1);
        }
        let slot = Self::slot(&self.table, &self.keys, key);
        let found = self.table.get(slot).copied().unwrap_or(u32::MAX);
        if found != u32::MAX {
            self.last = (key, found);
            return Some(found);
        }
        let number = u32::try_from(self.keys.len()).ok()?;
        memory.extend(&mut self.keys, &[key])?;
        if let Some(place) = self.table.get_mut(slot) {
            *place = number;
        }
        if self.keys.len() * 2 > self.table.len() {
            let size = self.table.len() * 2;
            let mut table = Vec::new();
            memory.reserve(&mut table, size)?;
            table.resize(size, u32::MAX);
            for (index, &key) in (0..).zip(&self.keys) {
                let slot = Self::slot(&table, &self.keys, key);
                if let Some(place) = table.get_mut(slot) {
                    *place = index;
                }
            }
            memory.give_back(self.table.len() * 4);
            self.table = table;
        }
        self.last = (key, number);
        Some(number)
    }

    fn parts(&self, number: u32) -> (u32, u32) {
        let key = self.keys.get(number as usize).copied().unwrap_or(0);
        (
            u32::try_from(key >> 32).unwrap_or(0),
            u32::try_from(key & 0xFFFF_FFFF).unwrap_or(0),
        )
    }
}

/// A grouping by several dimensions, one table for each.
struct Grouping {
    dimensions: Vec<Dimension>,
    tables: Vec<Groups>,
}

/// A row as far as grouping goes.
#[derive(Clone, Copy)]
enum Row {
    Click(u32),
    /// A conversion without a click: offer, affiliate, seconds.
    Alone(u32, u32, u32),
}

impl Grouping {
    fn new(dimensions: Vec<Dimension>) -> Self {
        let tables = dimensions.iter().map(|_| Groups::new()).collect();
        Self { dimensions, tables }
    }

    fn len(&self) -> usize {
        self.tables.last().map_or(1, |table| table.keys.len())
    }

    fn number(
        &mut self,
        clicks: &Clicks,
        own: &mut Own,
        row: Row,
        memory: &mut Memory,
    ) -> Option<u32> {
        let mut number = 0;
        for (dimension, table) in self.dimensions.iter().zip(&mut self.tables) {
            let value = match dimension {
                Dimension::Own => own.value(clicks, row, memory)?,
                dimension => value_of(clicks, *dimension, row),
            };
            number = table.number(number, value, memory)?;
        }
        Some(number)
    }

    /// The values of a group, one of each dimension.
    fn values(&self, number: u32) -> Vec<u32> {
        let mut values = vec![0; self.tables.len()];
        let mut number = number;
        for (value, table) in values.iter_mut().zip(&self.tables).rev() {
            (number, *value) = table.parts(number);
        }
        values
    }
}

fn value_of(clicks: &Clicks, dimension: Dimension, row: Row) -> u32 {
    let seconds = match row {
        Row::Click(row) => clicks.seconds(row),
        Row::Alone(_, _, seconds) => seconds,
    };
    let of_time = |value: u32| if seconds == NO_TIME { 0 } else { value + 1 };
    match (dimension, row) {
        (Dimension::Column(column), Row::Click(row)) => clicks
            .columns
            .get(column)
            .map_or(0, |column| column.get(row)),
        (Dimension::Column(OFFER), Row::Alone(offer, ..)) => offer,
        (Dimension::Column(AFFILIATE), Row::Alone(_, affiliate, _)) => affiliate,
        (Dimension::Day, _) => of_time(seconds / 86_400),
        (Dimension::Hour, _) => of_time(seconds / 3_600 % 24),
        (Dimension::Weekday, _) => of_time(seconds / 86_400 % 7),
        _ => 0,
    }
}

/// A dimension of the caller's own: the grouping of its parts, and a label for each of these groups.
struct Own {
    grouping: Option<Box<Grouping>>,
    labels: Vec<u32>,
    words: Words,
}

impl Own {
    fn value(&mut self, clicks: &Clicks, row: Row, memory: &mut Memory) -> Option<u32> {
        let grouping = self.grouping.as_mut()?;
        let mut nobody = Own {
            grouping: None,
            labels: Vec::new(),
            words: Words::default(),
        };
        let number = grouping.number(clicks, &mut nobody, row, memory)?;
        Some(self.labels.get(number as usize).copied().unwrap_or(0))
    }
}

/// What is counted of a group.
#[derive(Clone, Debug, Default)]
struct Figures {
    clicks: u64,
    unique: u64,
    conversions: u64,
    /// By the number of the status.
    statuses: Vec<(u8, u64)>,
    payout: i128,
    revenue: i128,
    pending: i128,
    times: (usize, usize),
}

impl Figures {
    fn convert(&mut self, status: u8, counts: bool) {
        self.conversions += 1;
        if !counts {
            return;
        }
        match self.statuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count += 1,
            None => self.statuses.push((status, 1)),
        }
    }

    fn add(&mut self, other: &Self) {
        self.clicks += other.clicks;
        self.unique += other.unique;
        self.conversions += other.conversions;
        self.payout += other.payout;
        self.revenue += other.revenue;
        self.pending += other.pending;
        for &(status, count) in &other.statuses {
            match self.statuses.iter_mut().find(|(known, _)| *known == status) {
                Some((_, sum)) => *sum += count,
                None => self.statuses.push((status, count)),
            }
        }
    }

    /// Approved payout a click, in 2^-20 of ten-thousandths: only for sorting.
    fn epc(&self) -> i128 {
        (self.payout << 20) / i128::from(self.clicks.max(1))
    }
}

/// What a breakdown is asked for.
struct Question {
    by: Vec<Dimension>,
    own_of: Vec<Dimension>,
    labels: Vec<String>,
    unique_by_day: bool,
    sort: String,
    top: usize,
}

fn question(options: &str) -> Result<Question> {
    let mut question = Question {
        by: Vec::new(),
        own_of: Vec::new(),
        labels: Vec::new(),
        unique_by_day: false,
        sort: "clicks".to_owned(),
        top: usize::MAX,
    };
    for (name, value) in settings(options) {
        match name {
            "by" => question.by = dimensions(value)?,
            "own" => question.own_of = dimensions(value)?,
            "label" => question.labels.push(value.to_owned()),
            "unique" => {
                question.unique_by_day = match value {
                    "address" => false,
                    "addressAndDay" => true,
                    _ => return Err(refuse("unique", "must be address or addressAndDay")),
                }
            }
            "sort" => {
                const SORTS: [&str; 9] = [
                    "clicks",
                    "uniqueClicks",
                    "conversions",
                    "rate",
                    "payout",
                    "revenue",
                    "margin",
                    "epc",
                    "key",
                ];
                if !SORTS.contains(&value) {
                    return Err(refuse(
                        "sort",
                        "must be clicks, uniqueClicks, conversions, rate, payout, revenue, margin, epc or key",
                    ));
                }
                value.clone_into(&mut question.sort);
            }
            "top" => {
                question.top = value
                    .parse()
                    .ok()
                    .filter(|top| *top > 0)
                    .ok_or_else(|| refuse("top", "must be a whole number from 1"))?;
            }
            _ => {}
        }
    }
    Ok(question)
}

impl Report {
    fn is_inside(&self, seconds: u32) -> bool {
        let (from, to) = self.settings.window;
        seconds == NO_TIME || (from..to).contains(&seconds)
    }

    /// The distinct values of some dimensions, in the order in which [`break_down`](Self::break_down) takes
    /// labels for a dimension of the caller's own.
    ///
    /// # Errors
    /// [`Error::InvalidField`]; [`Error::ReportFull`].
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

    /// All conversions without a click here, wherever they lie.
    fn conversions_alone(&self) -> Vec<Row> {
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

    fn pair_codes(&self, pair: u32) -> (u32, u32) {
        let (offer, affiliate) = self.pair_texts(pair);
        (
            self.offers.known(offer).unwrap_or(0),
            self.affiliates.known(affiliate).unwrap_or(0),
        )
    }

    fn write_values(&self, writer: &mut Writer, grouping: &Grouping, own: &Own, number: u32) {
        let mut own_dimension = "own".to_owned();
        for (dimension, value) in grouping.dimensions.iter().zip(grouping.values(number)) {
            let mut text = String::new();
            let bytes: &[u8] = match dimension {
                Dimension::Column(OFFER) => self.offers.text(value),
                Dimension::Column(AFFILIATE) => self.affiliates.text(value),
                Dimension::Column(ADDRESS) if value >= FIRST_IPV4 => {
                    for (index, byte) in value.to_be_bytes().into_iter().enumerate() {
                        if index > 0 {
                            text.push('.');
                        }
                        amount::write_digits(&mut text, u64::from(byte), 1);
                    }
                    text.as_bytes()
                }
                Dimension::Column(column) => self
                    .clicks
                    .words
                    .get(*column)
                    .map_or(&[][..], |words| words.text(value)),
                Dimension::Own => own.words.text(value),
                _ if value == 0 => b"",
                Dimension::Day => {
                    day::write_day(&mut text, u64::from(value - 1));
                    text.as_bytes()
                }
                Dimension::Hour => {
                    amount::write_digits(&mut text, u64::from(value - 1), 2);
                    text.as_bytes()
                }
                Dimension::Weekday => WEEKDAYS
                    .get(value as usize - 1)
                    .map_or(&[][..], |day| day.as_bytes()),
            };
            let name = match dimension {
                Dimension::Column(OFFER) => "offer",
                Dimension::Column(AFFILIATE) => "affiliate",
                Dimension::Column(2) => "subId1",
                Dimension::Column(3) => "subId2",
                Dimension::Column(4) => "subId3",
                Dimension::Column(5) => "subId4",
                Dimension::Column(6) => "subId5",
                Dimension::Column(7) => "country",
                Dimension::Column(_) => "address",
                Dimension::Day => "day",
                Dimension::Hour => "hour",
                Dimension::Weekday => "weekday",
                Dimension::Own => own_dimension.as_str(),
            };
            writer.key(name);
            writer.string(bytes);
        }
        own_dimension.clear();
    }

    /// Breaks clicks and conversions down. A conversion counts where its click does; one without a click by
    /// what it says itself.
    ///
    /// # Errors
    /// [`Error::InvalidField`]; [`Error::ReportFull`].
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

    #[expect(
        clippy::too_many_lines,
        reason = "one pass after the other over the same columns"
    )]
    fn break_down_in(&self, question: &mut Question, memory: &mut Memory) -> Option<String> {
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
        // Of each click its group; of a click outside the window none.
        let mut groups: Vec<u32> = Vec::new();
        memory.reserve(&mut groups, clicks.rows as usize)?;
        let mut outside = 0_u64;
        for row in 0..clicks.rows {
            // Every row is numbered, so that labels keep their places.
            let number = grouping.number(clicks, &mut own, Row::Click(row), memory)?;
            if self.is_inside(clicks.seconds(row)) {
                groups.push(number);
            } else {
                outside += 1;
                groups.push(u32::MAX);
            }
        }
        // Conversions by the number of their id, and the first click of each.
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
                // The same conversion id twice is one row read twice.
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
        // What only clicks tell of: no status, no money.
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

    /// Exactly: a group's addresses are brought together, sorted and counted.
    fn count_unique(
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
        let column = self.clicks.columns.get(ADDRESS)?;
        for (row, &number) in (0..).zip(groups) {
            let Some(start) = starts.get_mut(number as usize) else {
                continue;
            };
            let address = column.get(row);
            if by_day {
                let day = self.clicks.seconds(row) / 86_400;
                *days.get_mut(*start)? = u64::from(address) << 32 | u64::from(day);
            } else {
                *addresses.get_mut(*start)? = address;
            }
            *start += 1;
        }
        for (figures, end) in figures.iter_mut().zip(starts) {
            let start = end - usize::try_from(figures.clicks).ok()?;
            figures.unique = if by_day {
                distinct(days.get_mut(start..end)?, |entry| entry >> 32 == 0)
            } else {
                distinct(addresses.get_mut(start..end)?, |entry| *entry == 0)
            };
        }
        memory.free(&mut addresses);
        memory.free(&mut days);
        Some(())
    }

    fn write_breakdown(
        &self,
        question: &Question,
        grouping: &Grouping,
        own: &Own,
        figures: &[Figures],
        times: &[u32],
        outside: u64,
    ) -> String {
        let mut total = Figures::default();
        for figures in figures {
            total.add(figures);
        }
        // Groups without anything inside of the window are none.
        let mut order: Vec<u32> = (0_u32..)
            .zip(figures)
            .filter(|(_, figures)| figures.clicks + figures.conversions > 0)
            .map(|(number, _)| number)
            .collect();
        let label = |number: u32| {
            let mut writer = Writer::default();
            self.write_values(&mut writer, grouping, own, number);
            writer.text
        };
        let rank = |number: u32| -> (i128, u64) {
            let Some(figures) = figures.get(number as usize) else {
                return (0, 0);
            };
            let first = match question.sort.as_str() {
                "key" => 0,
                "uniqueClicks" => i128::from(figures.unique),
                "conversions" => i128::from(figures.conversions),
                "rate" => {
                    (i128::from(figures.conversions) << 40) / i128::from(figures.clicks.max(1))
                }
                "payout" => figures.payout,
                "revenue" => figures.revenue,
                "margin" => figures.revenue - figures.payout,
                "epc" => figures.epc(),
                _ => i128::from(figures.clicks),
            };
            let second = if question.sort == "key" {
                0
            } else {
                figures.clicks
            };
            (first, second)
        };
        order.sort_by_cached_key(|&number| {
            let (first, second) = rank(number);
            (-first, u64::MAX - second, label(number))
        });
        let mut writer = Writer::default();
        writer.open('{');
        writer.number_of("clicksOutside", outside);
        writer.number_of("groupsInAll", order.len() as u64);
        writer.key("total");
        writer.open('{');
        let mut all = times.to_vec();
        sort_numbers(&mut all);
        self.write_figures(&mut writer, &total, &all);
        writer.close('}');
        writer.key("groups");
        writer.open('[');
        let top = question.top.min(order.len());
        let (shown, others) = order.split_at_checked(top).unwrap_or_default();
        for &number in shown {
            let Some(figures) = figures.get(number as usize) else {
                continue;
            };
            writer.open('{');
            writer.key("key");
            writer.open('{');
            self.write_values(&mut writer, grouping, own, number);
            writer.close('}');
            let (from, to) = figures.times;
            let own_times = times.get(from..to).unwrap_or_default();
            self.write_figures(&mut writer, figures, own_times);
            writer.close('}');
        }
        writer.close(']');
        if !others.is_empty() {
            let mut rest = Figures::default();
            let mut rest_times = Vec::new();
            for &number in others {
                if let Some(figures) = figures.get(number as usize) {
                    rest.add(figures);
                    let (from, to) = figures.times;
                    rest_times.extend_from_slice(times.get(from..to).unwrap_or_default());
                }
            }
            writer.key("rest");
            writer.open('{');
            sort_numbers(&mut rest_times);
            self.write_figures(&mut writer, &rest, &rest_times);
            writer.close('}');
        }
        writer.close('}');
        writer.text
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is for display; the counts beside it are exact"
    )]
    fn write_figures(&self, writer: &mut Writer, figures: &Figures, times: &[u32]) {
        writer.number_of("clicks", figures.clicks);
        writer.number_of("uniqueClicks", figures.unique);
        writer.number_of("conversions", figures.conversions);
        writer.key("statuses");
        writer.open('{');
        for &(status, count) in &figures.statuses {
            let word = self.statuses.text(u32::from(status));
            writer.key(&String::from_utf8_lossy(word));
            writer.number(count);
        }
        writer.close('}');
        if figures.clicks > 0 {
            writer.key("rate");
            writer.float(figures.conversions as f64 / figures.clicks as f64);
            let (low, high) = wilson(figures.conversions.min(figures.clicks), figures.clicks);
            writer.key("rateLow");
            writer.float(low);
            writer.key("rateHigh");
            writer.float(high);
        }
        for (name, units) in [
            ("payout", figures.payout),
            ("revenue", figures.revenue),
            ("margin", figures.revenue - figures.payout),
            ("pendingPayout", figures.pending),
        ] {
            writer.key(name);
            writer.amount(units);
        }
        if figures.clicks > 0 {
            // Rounded half up to four places.
            let clicks = i128::from(figures.clicks);
            let twice = 2 * figures.payout + clicks;
            writer.key("epc");
            writer.amount(twice.div_euclid(2 * clicks));
        }
        for (name, percent) in [("medianSeconds", 50), ("p90Seconds", 90)] {
            if let Some(time) = quantile(times, percent) {
                writer.number_of(name, u64::from(time));
            }
        }
    }

    /// Attribution over journeys that were handed in, or over clicks grouped by a key, by `name=value` lines:
    /// `model`s, then either `journey` lines (`1` or `0`, payout, channels and seconds, separated by tabs) or
    /// `key` and `channel`, two dimensions.
    ///
    /// # Errors
    /// [`Error::InvalidField`]; [`Error::ReportFull`].
    pub(crate) fn attribute(&mut self, options: &str) -> Result<()> {
        let mut journeys = Journeys::new(self.memory.left(), self.settings.seed);
        let mut models = Vec::new();
        let mut key = None;
        let mut channel = None;
        for (name, value) in settings(options) {
            match name {
                "model" => models.push(model(value)?),
                "key" => key = Some(dimension(value)?),
                "channel" => channel = Some(dimension(value)?),
                "journey" if !read_journey(&mut journeys, value)? => return Err(self.full()),
                _ => {}
            }
        }
        if let (Some(key), Some(channel)) = (key, channel)
            && self
                .journeys_of_clicks(&mut journeys, key, channel)
                .is_none()
        {
            return Err(self.full());
        }
        self.answer = journeys.write(&models)?;
        Ok(())
    }

    /// Clicks with one key are one journey after another: each ends with a conversion, and what comes after the
    /// last one is a journey that did not convert.
    fn journeys_of_clicks(
        &self,
        journeys: &mut Journeys,
        key: Dimension,
        channel: Dimension,
    ) -> Option<()> {
        let clicks = &self.clicks;
        let mut memory = self.memory;
        let mut rows: Vec<(u32, u32, u32)> = Vec::new();
        memory.reserve(&mut rows, clicks.rows as usize)?;
        for row in 0..clicks.rows {
            let value = value_of(clicks, key, Row::Click(row));
            let seconds = clicks.seconds(row);
            // Without its key a click is nobody's.
            if value != 0 && self.is_inside(seconds) {
                rows.push((value, seconds, row));
            }
        }
        rows.sort_unstable();
        let mut payouts: Vec<(u32, i64, u32)> = Vec::new();
        let mut next = self.conversions.first();
        while let Some(place) = next {
            next = self.conversions.next(place);
            let head = self.conversions.head(place)?;
            if let Some(code) = clicks
                .conversion_ids
                .known(self.conversions.text(place, OWN_ID))
            {
                let payout = if head.payout == NO_AMOUNT {
                    0
                } else {
                    head.payout
                };
                memory.extend(&mut payouts, &[(code, payout, head.seconds)])?;
            }
        }
        payouts.sort_unstable();
        payouts.dedup_by_key(|(code, ..)| *code);
        let conversion = |row: u32| {
            let at = clicks.converted.binary_search_by_key(&row, |&(row, _)| row);
            let code = clicks.converted.get(at.ok()?)?.1;
            let found = payouts.binary_search_by_key(&code, |&(code, ..)| code);
            Some(
                found
                    .ok()
                    .and_then(|at| payouts.get(at))
                    .map_or((0, NO_TIME), |&(_, payout, seconds)| (payout, seconds)),
            )
        };
        let mut from = 0;
        for (at, &(value, seconds, row)) in rows.iter().enumerate() {
            let sale = conversion(row);
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
                    (name, end.saturating_sub(seconds))
                })
                .collect();
            let touches = touches.iter().map(|(name, age)| (name.as_bytes(), *age));
            if !journeys.push(touches, payout, sale.is_some()) {
                return None;
            }
            from = at + 1;
        }
        Some(())
    }

    fn channel_text(&self, channel: Dimension, row: u32) -> String {
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

fn no_dimension() -> Own {
    Own {
        grouping: None,
        labels: Vec::new(),
        words: Words::default(),
    }
}

/// Distinct entries; of those without an address each is one.
fn distinct<T: Ord + Copy>(entries: &mut [T], is_none: impl Fn(&T) -> bool) -> u64 {
    entries.sort_unstable();
    let mut count = 0;
    let mut before = None;
    for entry in entries.iter() {
        if is_none(entry) || before != Some(*entry) {
            count += 1;
        }
        before = Some(*entry);
    }
    count
}

fn model(value: &str) -> Result<(String, Model)> {
    let (name, rest) = value.split_once(':').unwrap_or((value, ""));
    let numbers: Vec<u32> = rest
        .split(':')
        .filter_map(|part| part.parse().ok())
        .collect();
    let model = match (name, numbers.as_slice()) {
        ("last", _) => Model::Last,
        ("first", _) => Model::First,
        ("linear", _) => Model::Linear,
        ("position", []) => Model::Position(40, 40),
        ("position", [first, last]) if first + last <= 100 => Model::Position(*first, *last),
        ("timeDecay", [half_life]) if *half_life > 0 => Model::TimeDecay(*half_life),
        ("markov", _) => Model::Markov,
        ("shapley", _) => Model::Shapley,
        _ => {
            return Err(refuse(
                "models",
                "must be some of last, first, linear, position, { position: { first, last } }, { timeDecay: { halfLifeDays } }, markov and shapley",
            ));
        }
    };
    Ok((name.to_owned(), model))
}

fn read_journey(journeys: &mut Journeys, value: &str) -> Result<bool> {
    let mut parts = value.split('\t');
    let converts = parts.next() == Some("1");
    let format = amount::NumberFormat {
        decimal: b'.',
        ..amount::NumberFormat::default()
    };
    let payout = match parts.next().unwrap_or("") {
        "" => 0,
        text => {
            amount::read(text.as_bytes(), format, false, b"").map_err(|_| Error::InvalidMoney {
                parameter: "payout",
            })?
        }
    };
    let mut touches = Vec::new();
    while let (Some(channel), Some(age)) = (parts.next(), parts.next()) {
        touches.push((channel.as_bytes(), age.parse().unwrap_or(0)));
    }
    Ok(journeys.push(touches, payout, converts))
}
