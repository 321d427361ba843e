//! Why a row cannot be read, and why a whole file cannot.

/// A row that is not taken, or a file that means two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// An amount is not written as amounts are.
    Amount,
    /// An amount has more than four decimal places that are not zero.
    Decimals,
    /// An amount has more than nine digits before the decimal mark.
    TooLarge,
    /// An amount in smallest units stands without a currency, or is not whole.
    SmallestUnit,
    /// A date does not exist or is not written as dates are.
    Date,
    /// A text of the row is not in the declared encoding.
    Encoding,
    /// A quoted cell does not end, or goes on after its quote.
    Quote,
    /// The row has more or fewer cells than the header.
    Cells,
    /// The row is not JSON.
    Json,
    /// The row is JSON, but no object.
    NotAnObject,
    /// An id is over 128 bytes long, or a number that is not whole.
    Id,
    /// A field comes twice in one row.
    Repeated,
    /// The file ends in the middle.
    BrokenOff,
    /// A line item stands without its order.
    LineItem,
    /// A status or a currency is one word too many: 250 of each are told apart.
    Words,
    /// The amount reads differently in two countries, and the file's format is not declared.
    AmbiguousAmount,
    /// The date reads differently in two countries, and the file's format is not declared.
    AmbiguousDate,
    /// The file is no UTF-8, and its encoding is not declared.
    AmbiguousEncoding,
    /// A status of the advertiser's that nobody mapped to one of CAKE's.
    UnmappedStatus,
    /// A time with an offset, and the account's time zone is not declared.
    NoTimeZone,
    /// The memory ceiling is reached.
    Full,
}

/// What every reason is called, by its number.
pub(super) const NAMES: [&str; 15] = [
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
];

impl Flaw {
    pub(super) fn number(self) -> u8 {
        self as u8
    }

    /// Does it refuse the whole file, because a guess would be needed?
    #[must_use]
    pub(crate) fn is_ambiguous(self) -> bool {
        self.rule().is_some()
    }

    /// What is wrong with the whole file, and what to declare.
    pub(super) fn rule(self) -> Option<&'static str> {
        Some(match self {
            Self::AmbiguousAmount => {
                "amounts read differently in two countries: declare the file's `decimal`, \".\" or \",\", and its `group`"
            }
            Self::AmbiguousDate => {
                "dates are not year first: declare the file's `dates`, \"DD/MM/YYYY\" or \"MM/DD/YYYY\""
            }
            Self::AmbiguousEncoding => {
                "texts are not UTF-8: declare the file's `encoding`, such as \"windows-1252\""
            }
            Self::UnmappedStatus => {
                "a status is not mapped: add it to `statuses`, such as { paid: \"approved\" }"
            }
            Self::NoTimeZone => {
                "times carry an offset: declare `timeZone`, the account's, such as \"America/New_York\""
            }
            _ => return None,
        })
    }
}
