//! Reads one field's text: its encoding, ids and amounts.

use super::{Encoding, Source};
use crate::Result;
use crate::placeholder::is_missing_value;
use crate::placeholder::lost::is_error_of_sheet;
use crate::report::amount::{NumberFormat, SCALE, percent_of, plain, read as read_amount};
use crate::report::encoding::from_windows;
use crate::report::flag::Flag;
use crate::report::flaw::Flaw;
use crate::report::names::{Fields, Kind, Role, RowKind};
use crate::report::store::NO_AMOUNT;
use crate::report::symbol::bare;
use std::borrow::Cow;

/// No amount is so large.
const NOT_PLAIN: i64 = i64::MAX;

impl Source {
    /// A text in UTF-8.
    #[inline]
    pub(crate) fn decode<'a>(&self, text: &'a [u8]) -> Result<Cow<'a, [u8]>, Flaw> {
        if text.is_ascii() {
            return Ok(Cow::Borrowed(text));
        }
        match self.encoding {
            _ if !self.is_csv() => Ok(Cow::Borrowed(text)),
            Encoding::Windows1252 => {
                let mut decoded = String::new();
                decoded.extend(text.iter().map(|&byte| from_windows(byte)));
                Ok(Cow::Owned(decoded.into_bytes()))
            }
            _ if core::str::from_utf8(text).is_ok() => Ok(Cow::Borrowed(text)),
            Encoding::Utf8 => Err(Flaw::Encoding),
            Encoding::Undeclared => Err(Flaw::AmbiguousEncoding),
        }
    }

    /// An id for comparison: trimmed, and without the declared prefix. Empty where the field is missing or has a
    /// word that means a missing id.
    #[expect(clippy::inline_always, reason = "an absent id is no call")]
    #[inline(always)]
    pub(crate) fn id<'a>(
        &self,
        fields: &'a Fields,
        role: Role,
        input: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, Flaw> {
        let text = fields.text(role, input);
        if text.is_empty() || self.is_plain_id(text, fields.kind(role)) {
            return Ok(Cow::Borrowed(text));
        }
        self.any_id(fields, role, input)
    }

    /// Is it an id that needs no change? Nearly every id has a digit that is not 0. No word for a missing value has
    /// one, and every encoding reads such an id alike.
    #[inline(never)]
    fn is_plain_id(&self, text: &[u8], kind: Kind) -> bool {
        let kinds = kinds_of(text);
        let is_plain = kinds == DIGIT || kinds == DIGIT | LETTER && kind == Kind::Text;
        is_plain && self.prefix.is_empty() && self.cake_prefix.is_empty() && text.len() <= 128
    }

    /// The payment of the row, which is a unique id where it has no other.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn payment<'a>(
        &self,
        fields: &'a Fields,
        input: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, Flaw> {
        let intent = self.id(fields, Role::Intent, input)?;
        if intent.is_empty() {
            self.id(fields, Role::Charge, input)
        } else {
            Ok(intent)
        }
    }

    /// Has a spreadsheet lost an order's id? Has it lost the offer, or is there a mark or a word that tells none?
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn lost(
        &self,
        fields: &Fields,
        input: &[u8],
        offer: &[u8],
    ) -> Result<[bool; 2], Flaw> {
        let mut has_lost_id = false;
        for role in [Role::UniqueId, Role::OrderId] {
            let text = fields.text(role, input);
            let is_none = !text.is_empty() && self.id(fields, role, input)?.is_empty();
            has_lost_id |= is_none && is_lost(&self.decode(text)?);
        }
        let text = fields.text(Role::OfferId, input);
        // The caller's offer is that of the rows that say none.
        let says_none = || {
            let flag = Flag::read(text.trim_ascii(), &self.days);
            matches!(flag, Flag::Nothing | Flag::No)
        };
        let has_lost_offer =
            !text.is_empty() && offer.is_empty() && (is_lost(&self.decode(text)?) || !says_none());
        Ok([has_lost_id, has_lost_offer])
    }

    #[inline(never)]
    fn any_id<'a>(
        &self,
        fields: &'a Fields,
        role: Role,
        input: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, Flaw> {
        let mut text = fields.text(role, input);
        if fields.kind(role) == Kind::Number && !text.iter().all(u8::is_ascii_digit) {
            return Err(Flaw::Id);
        }
        if self.is_shopify {
            text = text.strip_prefix(b"'").unwrap_or(text);
        }
        if !self.prefix.is_empty() && names_order(role) {
            text = text.strip_prefix(self.prefix.as_bytes()).unwrap_or(text);
        }
        // No id of CAKE's has a line feed or its like: it is a trace of how the file was written.
        if text.len() > 128 || text.iter().any(u8::is_ascii_control) {
            return Err(Flaw::Id);
        }
        let trimmed = text.trim_ascii();
        let is_key = matches!(role, Role::UniqueId | Role::OrderId);
        if trimmed.is_empty() || stands_for_none(trimmed) || is_key && is_of_totals(trimmed) {
            return Ok(Cow::Borrowed(&[]));
        }
        let mut text = self.decode(text)?;
        if names_order(role) {
            if let Some((kind, digits)) = shopify_id(&text) {
                // A line item, a refund or a draft is no order.
                if !is_order(kind) && self.kind == RowKind::Orders {
                    return Err(Flaw::LineItem);
                }
                text = Cow::Owned(digits.to_vec());
            }
            if !self.cake_prefix.is_empty() {
                text = Cow::Owned([self.cake_prefix.as_bytes(), &text].concat());
            }
        }
        // The control characters U+0080 to U+009F are traces of another encoding.
        let is_spoiled = |pair: &[u8]| matches!(pair, [0xC2, 0x80..=0x9F]);
        if !text.is_ascii() && text.windows(2).any(is_spoiled) {
            return Err(Flaw::Id);
        }
        Ok(text)
    }

    /// An amount; [`NO_AMOUNT`] where the field is empty.
    #[inline]
    pub(crate) fn amount(
        &self,
        fields: &Fields,
        role: Role,
        input: &[u8],
        currency: &[u8],
    ) -> Result<i64, Flaw> {
        if !fields.has_any(1 << role as u32) {
            return Ok(NO_AMOUNT);
        }
        match self.plain_amount(fields, role, input) {
            NOT_PLAIN => self.any_amount(fields, role, input, currency),
            units => Ok(units),
        }
    }

    /// An amount as nearly all are written, or [`NOT_PLAIN`]: one number is handed on faster than an option.
    #[inline(never)]
    fn plain_amount(&self, fields: &Fields, role: Role, input: &[u8]) -> i64 {
        if role == Role::Revenue && self.percent != 100 * SCALE {
            return NOT_PLAIN;
        }
        let is_number = fields.kind(role) == Kind::Number;
        plain(fields.text(role, input), self.format, is_number).unwrap_or(NOT_PLAIN)
    }

    /// How much of an order has been given back, 0 or more: the sum of its refunds, at the rate of its revenue.
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn refunded(
        &self,
        fields: &Fields,
        input: &[u8],
        currency: &[u8],
    ) -> Result<i64, Flaw> {
        let is_number = fields.kind(Role::Refunded) == Kind::Number;
        let mut sum = 0_i64;
        let parts = fields
            .text(Role::Refunded, input)
            .split(|&byte| byte == b'+');
        for part in parts.filter(|part| !is_nothing(part)) {
            sum += read_amount(part, self.format, is_number, currency)?.abs();
        }
        Ok(self.rate(sum))
    }

    /// An amount at the rate of the revenue.
    pub(super) fn rate(&self, units: i64) -> i64 {
        if self.percent == 100 * SCALE || units == NO_AMOUNT {
            units
        } else {
            percent_of(units, self.percent)
        }
    }

    /// An amount or a time with plain blanks and apostrophes, whatever blanks and apostrophes were written: between
    /// thousands, or before `PM`.
    #[cfg_attr(small_cold, optimize(size))]
    pub(crate) fn plain_marks<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        if text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let decoded = self.decode(text).unwrap_or(Cow::Borrowed(text));
        let Ok(decoded) = core::str::from_utf8(&decoded) else {
            // A lone no-break space of an undeclared encoding.
            let blanks = |&byte: &u8| if byte == 0xA0 { b' ' } else { byte };
            return Cow::Owned(text.iter().map(blanks).collect());
        };
        let plain = decoded.chars().map(|mark| match mark {
            '\u{A0}' | '\u{2009}' | '\u{202F}' => ' ',
            '\u{2019}' => '\'',
            other => other,
        });
        Cow::Owned(plain.collect::<String>().into_bytes())
    }

    /// The currency of a row: its own, or else that of the symbol beside its amount. Empty where there is none.
    #[expect(clippy::inline_always, reason = "a slice takes two words to hand on")]
    #[inline(always)]
    pub(crate) fn currency<'a>(&self, fields: &'a Fields, input: &'a [u8]) -> &'a [u8] {
        let own = fields.text(Role::Currency, input);
        if own.is_empty() && !is_bare(fields, input) {
            self.currency_beside(fields, input)
        } else {
            own
        }
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn currency_beside(&self, fields: &Fields, input: &[u8]) -> &'static [u8] {
        let codes = [Role::Revenue, Role::Payout].map(|role| {
            if fields.kind(role) == Kind::Number {
                return "";
            }
            bare(&self.plain_marks(fields.text(role, input)), true).currency()
        });
        codes
            .into_iter()
            .find(|code| !code.is_empty())
            .unwrap_or("")
            .as_bytes()
    }

    #[inline(never)]
    fn any_amount(
        &self,
        fields: &Fields,
        role: Role,
        input: &[u8],
        currency: &[u8],
    ) -> Result<i64, Flaw> {
        let text = fields.text(role, input);
        if is_nothing(text) {
            return Ok(NO_AMOUNT);
        }
        let is_number = fields.kind(role) == Kind::Number;
        let text = self.plain_marks(text);
        let read = |format| read_amount(&text, format, is_number, currency);
        let units = match read(self.format) {
            // CAKE divides: 22.00 in three parts. Nothing that is written to CAKE is such an amount.
            Err(Flaw::Decimals) if self.kind == RowKind::Conversions => {
                let rounds = true;
                let rounded = read(NumberFormat {
                    rounds,
                    ..self.format
                })?;
                self.rounded.set(self.rounded.get() + 1);
                rounded
            }
            units => units?,
        };
        if !is_number && !bare(&text, true).fits(fields.text(Role::Currency, input).trim_ascii()) {
            return Err(Flaw::Symbol);
        }
        Ok(if role == Role::Revenue {
            self.rate(units)
        } else {
            units
        })
    }
}

/// Does the role name an order by its id?
fn names_order(role: Role) -> bool {
    matches!(role, Role::UniqueId | Role::OrderId | Role::Parent)
}

/// Is there no amount, in a database's word? A `-` may be zero, and CAKE pays its own amount where an upload has none.
#[cfg_attr(small_cold, optimize(size))]
fn is_nothing(amount: &[u8]) -> bool {
    let words: [&[u8]; 3] = [b"", b"null", b"\\n"];
    words
        .iter()
        .any(|word| word.eq_ignore_ascii_case(amount.trim_ascii()))
}

/// The kind and the digits of `gid://shopify/Order/5001234567890`, as Shopify's newer interfaces write ids.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn shopify_id(id: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = id.trim_ascii().strip_prefix(b"gid://shopify/")?;
    let at = rest.iter().rposition(|&byte| byte == b'/')?;
    let (kind, digits) = (rest.get(..at)?, rest.get(at + 1..)?);
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some((kind, digits))
}

/// Is the kind of one of Shopify's ids an order? Its checkout names the order so as well.
pub(super) fn is_order(kind: &[u8]) -> bool {
    matches!(kind, b"Order" | b"OrderIdentity")
}

/// Has a spreadsheet an error, or its mark for a narrow column, in place of a value: `#REF!`, `########`, `Err:502`?
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn is_lost(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    // `#1001` has not lost its number.
    cell.starts_with(b"#") && kinds_of(cell) & DIGIT == 0
        || core::str::from_utf8(cell).is_ok_and(is_error_of_sheet)
}

/// Begins and ends the revenue with a digit, as nearly all do? Then no symbol stands beside it.
#[inline(never)]
fn is_bare(fields: &Fields, input: &[u8]) -> bool {
    let revenue = fields.text(Role::Revenue, input);
    matches!(revenue, [b'0'..=b'9', .., b'0'..=b'9'])
}

const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const OTHER: u8 = 4;

/// The kinds of an id's bytes: digits but 0; letters, `-`, `_` and `.`; others. 0 is of no kind.
#[inline]
fn kinds_of(id: &[u8]) -> u8 {
    const KINDS: [u8; 256] = {
        let mut kinds = [OTHER; 256];
        let (mut byte, mut rest) = (0_u8, kinds.as_mut_slice());
        while let Some((kind, tail)) = rest.split_first_mut() {
            rest = tail;
            *kind = match byte {
                b'0' => 0,
                b'1'..=b'9' => DIGIT,
                b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' => LETTER,
                _ => OTHER,
            };
            byte = byte.wrapping_add(1);
        }
        kinds
    };
    id.iter().fold(0, |kinds, &byte| {
        kinds | KINDS.get(usize::from(byte)).copied().unwrap_or(OTHER)
    })
}

/// Is it the word before the sums of a file's last row, in place of an order's id?
#[cfg_attr(small_cold, optimize(size))]
fn is_of_totals(id: &[u8]) -> bool {
    const WORDS: [&str; 10] = [
        "total",
        "totals",
        "grand total",
        "subtotal",
        "sum",
        "summe",
        "gesamt",
        "totale",
        "totaal",
        "somme",
    ];
    let word = id.strip_suffix(b":").unwrap_or(id);
    word.len() < 12
        && WORDS
            .iter()
            .any(|own| own.as_bytes().eq_ignore_ascii_case(word))
}

/// Does an id stand for a missing value? As an id, such a word would match all its copies.
fn stands_for_none(id: &[u8]) -> bool {
    // Nearly every id has a digit, no such word has one but 0, and a template or an error has its marks.
    let is_plain = id.iter().rev().any(|byte| matches!(byte, b'1'..=b'9'))
        && !id.iter().any(|byte| {
            matches!(
                byte,
                b'{' | b'[' | b'<' | b'%' | b'$' | b'@' | b'=' | b'(' | b':'
            )
        })
        && id.last() != Some(&b'#');
    !is_plain && core::str::from_utf8(id).is_ok_and(is_missing_value)
}
