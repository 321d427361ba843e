//! One file while it is read: its declaration, how it was understood, and its unreadable rows.

mod begin;
mod doubt;
mod field;
mod given_back;
mod rare;
mod sample;

pub(super) use field::is_lost;
pub(super) use given_back::GivenBack;

use super::amount::{NumberFormat, SCALE, of_option};
use super::csv::Csv;
use super::day::{DayOrder, Days, days};
use super::elsewhere::Elsewhere;
use super::flaw::Flaw;
use super::json::{Facts, Json};
use super::names::{Fields, Names, Pull, ROLE_NAMES, Role, RowKind};
use super::refuse;
use super::words::Spellings;
use crate::Result;
use core::cell::Cell;

/// The encoding of a file's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Not declared: UTF-8, or the file is ambiguous.
    Undeclared,
    Utf8,
    Windows1252,
}

#[derive(Debug)]
pub(super) enum Reader {
    /// The kind of reader is open until the first byte that is not blank.
    Unknown,
    Csv(Csv),
    Json(Box<Json>),
}

/// A file, or consecutive pages, read as one source.
#[expect(clippy::struct_excessive_bools, reason = "facts of one file")]
#[derive(Debug)]
pub(super) struct Source {
    pub(super) kind: RowKind,
    pub(super) name: String,
    pub(super) dialect: String,
    /// Shopify's export writes one row per line item, and an apostrophe before some ids.
    pub(super) is_shopify: bool,
    /// Its rows have two ids of their own, and CAKE may have got either as the unique id.
    pub(super) has_own_ids: bool,
    pub(super) names: Names,
    pub(super) reader: Reader,
    pub(super) days: Days,
    pub(super) format: NumberFormat,
    /// Is it certain in which units the amounts are?
    pub(super) has_units: bool,
    /// Do test orders count? And how many did not?
    counts_tests: bool,
    pub(super) test_orders: u32,
    encoding: Encoding,
    delimiter: u8,
    declared_format: String,
    /// The revenue's percentage, in ten-thousandths of a per cent.
    percent: i64,
    /// The prefix that ids have in the file and not at CAKE, and the one that they have at CAKE and not in the file.
    prefix: String,
    cake_prefix: String,
    /// When the file was read from CAKE, in seconds since 1970.
    pub(super) read_at: Option<i64>,
    /// The days that it has, where it says so: their first second, and the first second after them.
    pub(super) covers: Option<(u32, u32)>,
    /// The state of all events in a file without a state column.
    pub(super) state: String,
    /// The number of the file's first row in its store, and a place that none of its rows lies before.
    pub(super) first_row: u32,
    pub(super) first_place: u32,
    pub(super) rows: u32,
    pub(super) unreadable: u32,
    pub(super) line_items: u32,
    /// Amounts of CAKE's that were rounded.
    pub(super) rounded: Cell<u32>,
    /// Clicks that the page before has had.
    pub(super) repeated: u32,
    /// What this part of a report knows of the others' rows.
    pub(super) elsewhere: Elsewhere,
    /// Pairs of row and line, where rows do not follow line by line.
    pub(super) lines: Vec<(u32, u32)>,
    next_line: u32,
    /// Ambiguous rows, with the reason and the text.
    pub(super) doubts: Vec<(u32, Flaw, String)>,
    /// The first rows, with their values as understood.
    pub(super) samples: Vec<Vec<(u8, String)>>,
    last_order: Vec<u8>,
    /// The spellings of the rows' kinds.
    pub(super) kinds: Spellings,
    has_begun: bool,
}

/// The options as `name=value` lines.
pub(super) fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once('='))
}

impl Source {
    /// Reads the options from `name=value` lines.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn new(options: &str) -> Result<Self> {
        let mut kind = RowKind::Orders;
        let mut dialect = "";
        for (name, value) in settings(options) {
            match name {
                "kind" => {
                    kind = match value {
                        "conversions" => RowKind::Conversions,
                        "deliveries" => RowKind::Deliveries,
                        "clicks" => RowKind::Clicks,
                        _ => RowKind::Orders,
                    }
                }
                "dialect" => dialect = value,
                _ => {}
            }
        }
        let names = Names::of(kind, dialect).ok_or_else(|| {
            refuse(
                "dialect",
                "must be simple, shopify, woocommerce, stripe or cake for orders, simple or cake for what CAKE reports",
            )
        })?;
        let is_cakes = dialect == "cake" || dialect.is_empty() && kind != RowKind::Orders;
        let format = NumberFormat {
            decimal: if is_cakes || dialect == "shopify" {
                b'.'
            } else {
                0
            },
            group: if is_cakes { b',' } else { 0 },
            has_symbol: true,
            is_smallest: dialect == "stripe",
            needs_point: is_cakes,
            rounds: false,
        };
        let mut source = Self {
            kind,
            name: String::new(),
            dialect: dialect.to_owned(),
            is_shopify: dialect == "shopify",
            has_own_ids: kind == RowKind::Orders
                && matches!(dialect, "shopify" | "woocommerce" | "stripe"),
            names,
            reader: Reader::Unknown,
            days: Days {
                is_unix: dialect == "stripe",
                ..Days::default()
            },
            format,
            has_units: false,
            counts_tests: false,
            test_orders: 0,
            encoding: Encoding::Undeclared,
            delimiter: 0,
            declared_format: String::new(),
            percent: 100 * SCALE,
            prefix: String::new(),
            cake_prefix: String::new(),
            read_at: None,
            covers: None,
            state: String::new(),
            first_row: 0,
            first_place: 0,
            rows: 0,
            unreadable: 0,
            line_items: 0,
            rounded: Cell::new(0),
            repeated: 0,
            elsewhere: Elsewhere::default(),
            lines: Vec::new(),
            next_line: 0,
            doubts: Vec::new(),
            samples: Vec::new(),
            last_order: Vec::new(),
            kinds: Spellings::default(),
            has_begun: false,
        };
        for (name, value) in settings(options) {
            source.set(name, value)?;
        }
        if source.format.group != 0 && source.format.group == source.format.decimal {
            return Err(refuse("group", "must differ from decimal"));
        }
        Ok(source)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let one = |value: &str| value.bytes().next().unwrap_or(0);
        match name {
            "name" => value.clone_into(&mut self.name),
            "format" => match value {
                "csv" | "json" => value.clone_into(&mut self.declared_format),
                _ => return Err(refuse("format", "must be csv or json")),
            },
            "delimiter" => match value {
                "," | ";" | "|" => self.delimiter = one(value),
                "tab" => self.delimiter = b'\t',
                _ => return Err(refuse("delimiter", "must be \",\", \";\", \"|\" or a tab")),
            },
            "decimal" => match value {
                "." | "," => {
                    self.format.decimal = one(value);
                    if self.format.needs_point {
                        (self.format.needs_point, self.format.group) = (false, 0);
                    }
                }
                _ => return Err(refuse("decimal", "must be \".\" or \",\"")),
            },
            "group" => match value {
                "." | "," | " " | "'" | "" => {
                    self.format.needs_point = false;
                    self.format.group = one(value);
                }
                _ => {
                    return Err(refuse(
                        "group",
                        "must be \".\", \",\", \" \", \"'\" or \"\"",
                    ));
                }
            },
            "units" => match value {
                "major" | "smallest" => {
                    self.format.is_smallest = value == "smallest";
                    self.has_units = true;
                }
                _ => return Err(refuse("units", "must be major or smallest")),
            },
            "dates" => {
                self.days.has_short_years = value.len() == 8;
                self.days.order = match value {
                    "YYYY-MM-DD" => DayOrder::Undeclared,
                    "DD/MM/YYYY" | "DD/MM/YY" => DayOrder::DayFirst,
                    "MM/DD/YYYY" | "MM/DD/YY" => DayOrder::MonthFirst,
                    "unix" => {
                        self.days.is_unix = true;
                        DayOrder::Undeclared
                    }
                    _ => {
                        return Err(refuse(
                            "dates",
                            "must be YYYY-MM-DD, DD/MM/YYYY, MM/DD/YYYY, DD/MM/YY, MM/DD/YY or unix",
                        ));
                    }
                }
            }
            "encoding" => {
                self.encoding = match value {
                    "utf-8" => Encoding::Utf8,
                    "windows-1252" => Encoding::Windows1252,
                    _ => return Err(refuse("encoding", "must be utf-8 or windows-1252")),
                }
            }
            "percent" => {
                self.percent = of_option(value)
                    .filter(|percent| (0..=1_000 * SCALE).contains(percent))
                    .ok_or_else(|| {
                        refuse(
                            "revenue.percent",
                            "must be a text from \"0\" to \"1000\" such as \"7.5\", with at most 4 digits after the point",
                        )
                    })?;
            }
            "prefix" => value.clone_into(&mut self.prefix),
            "cakePrefix" => value.clone_into(&mut self.cake_prefix),
            "readAt" => self.read_at = value.parse().ok(),
            "covers" => self.covers = Some(days("covers", value)?),
            "state" => value.clone_into(&mut self.state),
            "testOrders" => self.counts_tests = value == "true",
            _ => {
                if let Some(role) = name.strip_prefix("column.") {
                    let known = ROLE_NAMES.iter().position(|known| *known == role);
                    let Some(role) = known.and_then(|role| u8::try_from(role).ok()) else {
                        return Err(refuse(
                            "columns",
                            "has a name that is none of uniqueId, orderId, clickId, date, revenue, payout, status and the others",
                        ));
                    };
                    self.names.declare(role, value);
                    if self.kind == RowKind::Orders && role == Role::Revenue as u8 {
                        self.names.declare_revenue(value, self.is_shopify);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn is_csv(&self) -> bool {
        matches!(self.reader, Reader::Csv(_))
    }

    pub(super) fn format_name(&self) -> &'static str {
        match self.reader {
            Reader::Unknown => "empty",
            Reader::Csv(_) => "csv",
            Reader::Json(_) => "json",
        }
    }

    pub(super) fn encoding_name(&self) -> &'static str {
        match self.encoding {
            Encoding::Windows1252 => "windows-1252",
            _ => "utf-8",
        }
    }

    /// Reads the next row as nearly all rows are read; returns the offset after it. Every other row is for
    /// [`pull`](Self::pull). (Its answer takes several words, which cost more to hand on than a row costs to read.)
    #[inline]
    pub(super) fn pull_plain(
        &mut self,
        input: &[u8],
        from: usize,
        fields: &mut Fields,
    ) -> Option<usize> {
        let after = match &mut self.reader {
            Reader::Csv(csv) => csv.next_plain(input, from, fields),
            Reader::Json(json) => json.next_plain(input, from, fields),
            Reader::Unknown => None,
        }?;
        self.copy_fields(fields);
        Some(after)
    }

    /// Roles that share a column have one value.
    #[inline]
    fn copy_fields(&self, fields: &mut Fields) {
        for &(from, to) in self.names.copies() {
            fields.copy(from, to);
        }
    }

    /// The next row that [`pull_plain`](Self::pull_plain) has not read, or the reason why there is none.
    #[inline(never)]
    pub(super) fn pull(
        &mut self,
        input: &[u8],
        from: usize,
        is_last: bool,
        fields: &mut Fields,
    ) -> Pull {
        let mut at = from;
        if !self.has_begun || matches!(self.reader, Reader::Unknown) {
            match self.begin(input, from, is_last) {
                Ok(after) => at = after,
                Err(pull) => return pull,
            }
        }
        let pull = match &mut self.reader {
            Reader::Csv(csv) => {
                let pull = csv.next(input, at, is_last, &self.names, fields);
                self.days.zones = csv.zones;
                pull
            }
            Reader::Json(json) => {
                let pull = json.next(input, at, is_last, &self.names, fields);
                self.days.zones = json.zones;
                if (self.kind == RowKind::Clicks && json.list == "conversions")
                    || (self.kind != RowKind::Clicks && json.list == "clicks")
                    || (self.kind != RowKind::Orders && json.is_of_refunds())
                {
                    return Pull::Refuse(["it is a page of ", json.list].concat());
                }
                // Byte order marks also occur between pages.
                match pull {
                    Pull::More(after) if is_last && json.is_open() => {
                        **json = Json::new();
                        Pull::Bad(Flaw::BrokenOff, after)
                    }
                    pull => pull,
                }
            }
            Reader::Unknown => return Pull::More(at),
        };
        if matches!(pull, Pull::Row(_)) {
            self.copy_fields(fields);
        }
        pull
    }

    /// The number of the page in the file.
    #[inline]
    pub(super) fn page(&self) -> u32 {
        match &self.reader {
            Reader::Json(json) => json.lists,
            _ => 0,
        }
    }

    /// What the pages say of their list; nothing in a file without pages.
    pub(super) fn facts(&self) -> Option<&Facts> {
        match &self.reader {
            Reader::Json(json) => Some(&json.page_facts),
            _ => None,
        }
    }

    /// The line of the last row; in JSON the row's number.
    #[inline]
    pub(super) fn line(&self) -> u32 {
        match &self.reader {
            Reader::Csv(csv) => csv.row_line(),
            Reader::Json(json) => json.row(),
            Reader::Unknown => 0,
        }
    }

    /// The text of the last row, from the bytes between two offsets.
    pub(super) fn row_text<'a>(&self, input: &'a [u8], from: usize, to: usize) -> &'a [u8] {
        let from = match &self.reader {
            Reader::Csv(csv) => csv.row_start().clamp(from, to),
            _ => from,
        };
        let text = input.get(from..to).unwrap_or_default();
        text.strip_prefix(b",").unwrap_or(text).trim_ascii()
    }

    /// Records the line of the next row in the store.
    #[inline]
    pub(super) fn note_line(&mut self) {
        let line = self.line();
        if self.rows == 0 || line != self.next_line {
            self.lines.push((self.rows, line));
        }
        self.next_line = line + 1;
        self.rows += 1;
    }

    /// The line of one of the source's rows.
    pub(super) fn line_of(&self, row: u32) -> u32 {
        let after = self.lines.partition_point(|&(from, _)| from <= row);
        self.lines
            .get(after.saturating_sub(1))
            .map_or(0, |&(from, line)| line + (row - from))
    }

    /// Does the line only add an item to the order before it? (Shopify writes one row per line
    /// item.)
    #[inline]
    pub(super) fn is_line_item(
        &mut self,
        order: &[u8],
        fields: &Fields,
        input: &[u8],
    ) -> Result<bool, Flaw> {
        if !self.is_shopify || !self.is_csv() {
            return Ok(false);
        }
        self.note_order(order, fields, input)
    }

    /// The file's name, or the kind of its rows.
    pub(super) fn title(&self) -> &str {
        if self.name.is_empty() {
            kind_name(self.kind)
        } else {
            &self.name
        }
    }
}

pub(super) fn kind_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Orders => "orders",
        RowKind::Conversions => "conversions",
        RowKind::Deliveries => "deliveries",
        RowKind::Clicks => "clicks",
    }
}

impl Source {
    /// Do the file's orders have a unique id besides the order id?
    #[inline]
    pub(super) fn can_have_unique(&self) -> bool {
        match &self.reader {
            Reader::Csv(csv) => csv.has_role(Role::UniqueId),
            // In JSON, each row decides this for itself.
            _ => false,
        }
    }
}
