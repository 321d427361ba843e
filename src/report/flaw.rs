//! The reasons why a row or a whole file cannot be read.

/// Why a row is not accepted, or why a file is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Flaw {
    /// The amount is not a number in the declared format.
    Amount,
    /// An amount has more than four decimal places that are not zero.
    Decimals,
    /// An amount has more than nine digits before the decimal mark.
    TooLarge,
    /// An amount in smallest units has no currency, or is not whole.
    SmallestUnit,
    /// The date does not exist or has an unknown format.
    Date,
    /// A text of the row is not valid in the declared encoding.
    Encoding,
    /// A quoted cell is not closed, or has bytes after its closing quote.
    Quote,
    /// The row has more or fewer cells than the header.
    Cells,
    /// The row is not JSON.
    Json,
    /// The row is JSON, but not an object.
    NotAnObject,
    /// An id is over 128 bytes long, has a control character, or is a number that is not whole.
    Id,
    /// A field occurs twice in one row.
    Repeated,
    /// The file ends in the middle of a row.
    BrokenOff,
    /// A line item has no order before it, or the row is a refund, a draft or another thing than an order.
    LineItem,
    /// The report has over 250 different statuses or currencies, and this row adds another one.
    Words,
    /// A value is an object or a list.
    Nested,
    /// The row is a test order, which is not counted.
    TestOrder,
    /// The amount has the symbol of another currency than the row's, or of none that is known.
    Symbol,
    /// A flag, or the date of something that may not have happened, has a word that is not known.
    Word,
    /// The amount has two readings, and the file's number format is not declared.
    AmbiguousAmount,
    /// A CSV file of Stripe's says nowhere whether its amounts are in smallest units.
    AmbiguousUnits,
    /// The date has two readings, and the file's date format is not declared.
    AmbiguousDate,
    /// The file is not UTF-8, and its encoding is not declared.
    AmbiguousEncoding,
    /// The advertiser's status has no mapping to one of CAKE's.
    UnmappedStatus,
    /// A time has an offset, and the account's time zone is not declared.
    NoTimeZone,
    /// The memory ceiling is reached.
    Full,
}

/// The code of every reason, by its number.
pub(super) const NAMES: [&str; 19] = [
    "amount",
    "decimals",
    "too_large",
    "smallest_unit",
    "date",
    "encoding",
    "quote",
    "cells",
    "json",
    "not_an_object",
    "id",
    "repeated",
    "broken_off",
    "line_item",
    "words",
    "nested",
    "test_order",
    "symbol",
    "word",
];

impl Flaw {
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn number(self) -> u8 {
        self as u8
    }

    /// Does the flaw refuse the whole file, because the report would have to guess?
    #[must_use]
    pub(crate) fn is_ambiguous(self) -> bool {
        self.rule().is_some()
    }

    /// The error of the whole file, and the option to declare.
    pub(super) fn rule(self) -> Option<&'static str> {
        Some(match self {
            Self::AmbiguousAmount => {
                "amounts read differently in two countries: declare the file's `decimal`, \".\" or \",\", and its `group`"
            }
            Self::AmbiguousUnits => {
                "amounts of a CSV file may be in dollars or in cents: declare the file's `units`, \"major\" or \"smallest\""
            }
            Self::AmbiguousDate => {
                "dates are not year first: declare the file's `dates`, \"DD/MM/YYYY\" or \"MM/DD/YYYY\"; with years of two digits, \"DD/MM/YY\" or \"MM/DD/YY\""
            }
            Self::AmbiguousEncoding => {
                "texts are not UTF-8: declare the file's `encoding`, such as \"windows-1252\""
            }
            Self::UnmappedStatus => {
                "a status is not mapped: map it by `statuses`, such as paid to approved"
            }
            Self::NoTimeZone => {
                "times carry an offset: declare `timeZone`, the account's, such as \"America/New_York\""
            }
            _ => return None,
        })
    }
}
