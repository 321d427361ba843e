//! Dimensions, groups, and the counts of each group.

use super::{ADDRESS, AFFILIATE, Clicks, OFFER};
use crate::Result;
use crate::report::memory::Memory;
use crate::report::refuse;
use crate::report::source::settings;
use crate::report::store::NO_TIME;
use crate::report::words::Words;

/// A dimension by which rows are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Column(usize),
    Day,
    Hour,
    Weekday,
    /// A custom dimension of the caller: a label for each group of its source dimensions.
    Own,
}

pub(super) const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

#[cfg_attr(small_cold, optimize(size))]
pub(super) fn dimension(parameter: &str, name: &str) -> Result<Dimension> {
    Ok(match name {
        "offer" => Dimension::Column(OFFER),
        "affiliate" => Dimension::Column(AFFILIATE),
        "subId1" => Dimension::Column(2),
        "subId2" => Dimension::Column(3),
        "subId3" => Dimension::Column(4),
        "subId4" => Dimension::Column(5),
        "subId5" => Dimension::Column(6),
        "country" => Dimension::Column(7),
        "address" if parameter == "key" => Dimension::Column(ADDRESS),
        "day" => Dimension::Day,
        "hour" => Dimension::Hour,
        "weekday" => Dimension::Weekday,
        "own" if parameter == "by" => Dimension::Own,
        _ => {
            let rule = match parameter {
                "by" => {
                    "must be some of affiliate, offer, subId1 to subId5, country, day, hour, weekday, or a dimension of your own"
                }
                "channel" => {
                    "must be affiliate, offer, subId1 to subId5, country, day, hour or weekday"
                }
                _ => {
                    "must be address, affiliate, offer, subId1 to subId5, country, day, hour or weekday"
                }
            };
            return Err(refuse(parameter, rule));
        }
    })
}

pub(super) fn dimensions(value: &str) -> Result<Vec<Dimension>> {
    if value.is_empty() {
        return Ok(Vec::new());
    }
    value.split(',').map(|name| dimension("by", name)).collect()
}

/// Groups by number. A group is a pair: the group of the dimensions before, and a value of the next one.
#[derive(Debug)]
pub(in crate::report) struct Groups {
    pub(super) table: Vec<u32>,
    pub(super) keys: Vec<u64>,
    pub(super) last: (u64, u32),
}

impl Groups {
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn new() -> Self {
        Self {
            table: vec![u32::MAX; 1_024],
            keys: Vec::new(),
            last: (u64::MAX, 0),
        }
    }

    #[inline]
    pub(super) fn slot(table: &[u32], keys: &[u64], key: u64) -> usize {
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

    #[inline]
    pub(in crate::report) fn number(
        &mut self,
        before: u32,
        value: u32,
        memory: &mut Memory,
    ) -> Option<u32> {
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

    pub(in crate::report) fn parts(&self, number: u32) -> (u32, u32) {
        let key = self.keys.get(number as usize).copied().unwrap_or(0);
        (
            u32::try_from(key >> 32).unwrap_or(0),
            u32::try_from(key & 0xFFFF_FFFF).unwrap_or(0),
        )
    }
}

/// A grouping by several dimensions, one table for each.
pub(super) struct Grouping {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) tables: Vec<Groups>,
}

/// The fields of a row that decide its group.
#[derive(Clone, Copy)]
pub(super) enum Row {
    Click(u32),
    /// A conversion without a click: offer, affiliate, time in seconds.
    Alone(u32, u32, u32),
}

impl Grouping {
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn new(dimensions: Vec<Dimension>) -> Self {
        let tables = dimensions.iter().map(|_| Groups::new()).collect();
        Self { dimensions, tables }
    }

    pub(super) fn len(&self) -> usize {
        self.tables.last().map_or(1, |table| table.keys.len())
    }

    #[inline]
    pub(super) fn number(
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

    /// The values of a group, one for each dimension.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn values(&self, number: u32) -> Vec<u32> {
        let mut values = vec![0; self.tables.len()];
        let mut number = number;
        for (value, table) in values.iter_mut().zip(&self.tables).rev() {
            (number, *value) = table.parts(number);
        }
        values
    }
}

#[inline]
pub(super) fn value_of(clicks: &Clicks, dimension: Dimension, row: Row) -> u32 {
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

/// A custom dimension of the caller: the grouping of its source dimensions, with a label for each group.
pub(super) struct Own {
    pub(super) grouping: Option<Box<Grouping>>,
    pub(super) labels: Vec<u32>,
    pub(super) words: Words,
}

impl Own {
    pub(super) fn value(&mut self, clicks: &Clicks, row: Row, memory: &mut Memory) -> Option<u32> {
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

/// The counts and sums of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) clicks: u64,
    pub(super) unique: u64,
    pub(super) conversions: u64,
    /// Conversions by the number of their status.
    pub(super) statuses: Vec<(u8, u64)>,
    pub(super) payout: i128,
    pub(super) revenue: i128,
    pub(super) pending: i128,
    pub(super) times: (usize, usize),
}

impl Figures {
    pub(super) fn convert(&mut self, status: u8, counts: bool) {
        self.conversions += 1;
        if !counts {
            return;
        }
        match self.statuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count += 1,
            None => self.statuses.push((status, 1)),
        }
    }

    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn add(&mut self, other: &Self) {
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

    /// Approved payout per click, in 2^-20 of ten-thousandths: only for sorting.
    pub(super) fn epc(&self) -> i128 {
        (self.payout << 20) / i128::from(self.clicks.max(1))
    }
}

/// The options of a breakdown.
pub(super) struct Question {
    pub(super) by: Vec<Dimension>,
    pub(super) own_of: Vec<Dimension>,
    pub(super) labels: Vec<String>,
    pub(super) unique_by_day: bool,
    pub(super) sort: String,
    pub(super) top: usize,
    /// The currency of the conversions that count; empty where all have the same.
    pub(super) currency: String,
}

#[cfg_attr(small_cold, optimize(size))]
pub(super) fn question(options: &str) -> Result<Question> {
    let mut question = Question {
        by: Vec::new(),
        own_of: Vec::new(),
        labels: Vec::new(),
        unique_by_day: false,
        sort: "clicks".to_owned(),
        top: usize::MAX,
        currency: String::new(),
    };
    for (name, value) in settings(options) {
        match name {
            "by" => question.by = dimensions(value)?,
            "own" => question.own_of = dimensions(value)?,
            "label" => question.labels.push(value.to_owned()),
            "currency" => value.clone_into(&mut question.currency),
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

/// The number of distinct entries. Each entry 0, without an address, counts as one. `table` is scratch memory.
/// Groups are small: their table stays in the cache, where sorting would compare each entry many times.
#[inline(never)]
pub(super) fn distinct<T: Copy + Default + PartialEq + Into<u64>>(
    entries: &[T],
    table: &mut Vec<T>,
    memory: &mut Memory,
) -> Option<u64> {
    let none = T::default();
    let size = (entries.len() * 2).next_power_of_two();
    if table.len() < size {
        memory.reserve(table, size - table.len())?;
        table.resize(size, none);
    }
    let table = table.get_mut(..size)?;
    table.fill(none);
    let mut count = 0;
    for &entry in entries {
        if entry == none {
            count += 1;
            continue;
        }
        let spread = entry.into().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut slot = usize::try_from(spread).ok()? & (size - 1);
        loop {
            let place = table.get_mut(slot)?;
            if *place == none {
                *place = entry;
                count += 1;
                break;
            }
            if *place == entry {
                break;
            }
            slot = (slot + 1) & (size - 1);
        }
    }
    Some(count)
}
