//! The names of columns and fields: in each dialect, and as a caller declares them.

mod beside;
mod columns;
mod path;
mod tables;
mod zone;

pub(super) use path::{CURRENT, normalise, path_of};
pub(super) use zone::{may_tell, zones};

use super::flag::is_test;
use super::flaw::Flaw;
use path::without_points;
use tables::{CLICKS, CONVERSIONS, DELIVERIES, SHOPIFY, SIMPLE, STRIPE, WOOCOMMERCE};

/// The role of a cell or field in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The advertiser's transaction id.
    UniqueId,
    /// The advertiser's order reference.
    OrderId,
    /// CAKE's click id.
    ClickId,
    /// CAKE's conversion id.
    ConversionId,
    /// The time of the order, conversion or click.
    Date,
    /// The amount that the advertiser owes, or the amount of which it owes a percentage.
    Revenue,
    /// The affiliate's payout.
    Payout,
    /// A status, in the advertiser's or CAKE's words.
    Status,
    /// A currency of three letters (ISO 4217).
    Currency,
    /// CAKE's offer id.
    OfferId,
    /// CAKE's affiliate id.
    AffiliateId,
    /// `s1`
    SubId1,
    /// `s2`
    SubId2,
    /// `s3`
    SubId3,
    /// `s4`
    SubId4,
    /// `s5`
    SubId5,
    /// A country.
    Country,
    /// The visitor's IP address, as far as CAKE reports it.
    Address,
    /// The forwarder's state of the event; of a charge of Stripe's, whether it was paid; of other orders a second status.
    State,
    /// The kind of the row: a payment or a refund.
    Kind,
    /// How much of the order's amount has been given back.
    Refunded,
    /// When the order was cancelled; empty for one that was not.
    Cancelled,
    /// Has the money been taken? `false` for a payment that is only authorised.
    Captured,
    /// Has the buyer's bank claimed the money back? Of an event of the forwarder's, is it in doubt?
    Disputed,
    /// What remains of the revenue's column after edits and refunds.
    Remaining,
    /// The ids of an order's refunds: it has some, whatever they amount to.
    RefundIds,
    /// The payment of a sale or a refund, by its charge.
    Charge,
    /// The same by its payment intent.
    Intent,
    /// Is the order a test?
    Test,
    /// The order that a refund takes back, by its id.
    Parent,
    /// The charge of a payment intent.
    LatestCharge,
    /// When the order was paid: CAKE may have the sale then, or when it was ordered.
    Paid,
}

/// The number of roles, at most 32: sets of them are bits of one word.
pub(super) const ROLES: usize = 32;

/// The names of the roles by number, as callers write them.
pub(super) const ROLE_NAMES: [&str; ROLES] = [
    "uniqueId",
    "orderId",
    "clickId",
    "conversionId",
    "date",
    "revenue",
    "payout",
    "status",
    "currency",
    "offerId",
    "affiliateId",
    "subId1",
    "subId2",
    "subId3",
    "subId4",
    "subId5",
    "country",
    "address",
    "state",
    "kind",
    "refunded",
    "cancelled",
    "captured",
    "disputed",
    "remaining",
    "refundIds",
    "charge",
    "intent",
    "test",
    "parent",
    "latestCharge",
    "paid",
];

/// The kind of a source's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    /// The advertiser's orders.
    Orders,
    /// CAKE's conversions.
    Conversions,
    /// The forwarder's events.
    Deliveries,
    /// CAKE's clicks.
    Clicks,
}

/// A name, its role, and the rank of the name in its role.
#[derive(Clone, Debug)]
struct Name {
    path: Vec<u8>,
    role: u8,
    rank: u8,
}

/// The names of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    known: Vec<Name>,
    /// Shopify's orders: a CSV file of them always has some columns.
    is_shopify: bool,
    /// Roles that share a column with another: from, to.
    copies: Vec<(u8, u8)>,
    declared: u32,
    /// The kind of source, as callers write it.
    kind: &'static str,
    /// The field of [`Role::Test`] says whether the order is none: Stripe's `livemode`.
    is_live_mode: bool,
    /// A second known status of a row is read as well, with the role [`Role::State`].
    has_second: bool,
    /// Role and name, as the caller has declared them.
    given: Vec<(u8, String)>,
}

impl Names {
    /// The names of a dialect; `None` for an unknown dialect.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn of(kind: RowKind, dialect: &str) -> Option<Self> {
        let table = match (kind, dialect) {
            (RowKind::Orders, "simple" | "") => SIMPLE,
            (RowKind::Orders, "shopify") => SHOPIFY,
            (RowKind::Orders, "woocommerce") => WOOCOMMERCE,
            (RowKind::Orders, "stripe") => STRIPE,
            (RowKind::Orders | RowKind::Conversions, "cake")
            | (RowKind::Conversions, "simple" | "") => CONVERSIONS,
            (RowKind::Deliveries, "") => DELIVERIES,
            (RowKind::Clicks, "cake" | "simple" | "") => CLICKS,
            _ => return None,
        };
        let mut names = Self {
            kind: match kind {
                RowKind::Orders => "orders",
                RowKind::Conversions => "conversions",
                RowKind::Deliveries => "deliveries",
                RowKind::Clicks => "clicks",
            },
            is_shopify: kind == RowKind::Orders && dialect == "shopify",
            is_live_mode: dialect == "stripe",
            has_second: kind == RowKind::Orders && !matches!(dialect, "stripe" | "cake"),
            ..Self::default()
        };
        for &(role, list) in table {
            for (rank, paths) in (0..).zip(list.split(' ')) {
                for path in paths.split('|') {
                    names.add(path.as_bytes().to_vec(), role as u8, rank);
                }
            }
        }
        names.add_zoned();
        names.known.sort_by_key(|name| name.rank);
        Some(names)
    }

    /// What a caller can do about a file that cannot be understood. The command has the options for orders alone.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn remedy(&self, options: &str) -> String {
        if self.kind == "orders" {
            return format!("declare {options}");
        }
        let writer = if self.kind == "deliveries" {
            "the forwarder"
        } else {
            "CAKE or the command"
        };
        format!(
            "give the file as {writer} wrote it, not saved by a spreadsheet; in code, declare {options}"
        )
    }

    /// A caller's name for a role replaces the dialect's names.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn declare(&mut self, role: u8, name: &str) {
        let path = path_of(name);
        self.known.retain(|name| name.role != role);
        self.is_live_mode &= role != Role::Test as u8 || path == b"livemode";
        self.has_second &= role != Role::State as u8;
        self.declared |= 1 << role;
        self.given.push((role, name.to_owned()));
        let twin = self
            .known
            .iter()
            .find(|name| name.path == path && self.declared & (1 << name.role) != 0);
        if let Some(twin) = twin {
            self.copies.push((twin.role, role));
            return;
        }
        // The dialect's meaning of a column no longer counts if the caller has named the column.
        let plain = without_points(&path);
        self.known
            .retain(|name| name.path != path && name.path != plain);
        self.add(path, role, 0);
    }

    /// A path leads into an object, or stands as one name with points: a flat file of nested rows has such columns.
    fn add(&mut self, path: Vec<u8>, role: u8, rank: u8) {
        let plain = without_points(&path);
        if plain != path {
            self.known.push(Name {
                path: plain,
                role,
                rank,
            });
        }
        self.known.push(Name { path, role, rank });
    }

    pub(super) fn copies(&self) -> &[(u8, u8)] {
        &self.copies
    }

    /// The name that the caller has given a role, and the kind of source.
    pub(super) fn given(&self, role: u8) -> (&'static str, &str) {
        let mut all = self.given.iter().rev();
        let given = all.find(|(own, _)| *own == role);
        (self.kind, given.map_or("", |(_, name)| name))
    }

    /// A name that the caller has given to a role that is not among these bits, with the role and the kind of source.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn not_among(&self, met: u32) -> Option<(&str, &'static str, &'static str)> {
        let lacks = |role: u8| {
            let from = self.copies.iter().find(|&&(_, to)| to == role);
            met & 1 << from.map_or(role, |&(from, _)| from) == 0
        };
        let (role, given) = self.given.iter().rev().find(|(role, _)| lacks(*role))?;
        let name = ROLE_NAMES.get(usize::from(*role)).copied();
        Some((given, name.unwrap_or_default(), self.kind))
    }

    /// Has the caller given the role's name?
    pub(super) fn is_declared(&self, role: u8) -> bool {
        self.declared & (1 << role) != 0
    }

    /// Does a value say that the order is a test?
    ///
    /// # Errors
    /// [`Flaw::Word`]
    pub(super) fn says_test(&self, cell: &[u8]) -> Result<bool, Flaw> {
        is_test(cell, self.is_live_mode)
    }

    /// Is this the role of a status, of which a row may have two?
    pub(super) fn may_be_second(&self, role: u8) -> bool {
        self.has_second && role == Role::Status as u8
    }

    /// The text of a row's second status; empty where it has none.
    pub(super) fn second_status<'a>(&self, fields: &'a Fields, input: &'a [u8]) -> &'a [u8] {
        if self.has_second {
            fields.text(Role::State, input).trim_ascii()
        } else {
            &[]
        }
    }

    /// The role and the rank of a normalised path.
    pub(super) fn find(&self, path: &[u8]) -> Option<(u8, u8)> {
        self.known
            .iter()
            .find(|name| name.path == path)
            .map(|name| (name.role, name.rank))
    }
}

/// The kind of a cell or value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Absent,
    Text,
    Number,
    Bool,
}

const SCRATCH: u32 = 1 << 31;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    from: u32,
    to: u32,
    pub(super) kind: Kind,
}

/// The cells or values of one row that have a role. Each is a range in the input, or in a scratch buffer if it was
/// unescaped.
#[derive(Debug, Default)]
pub(super) struct Fields {
    spans: [Span; ROLES],
    /// One bit for each role that the row has: the other spans are of earlier rows.
    present: u32,
    /// What the spans count from, and the stencil that they are of.
    base: u32,
    stencil: Option<usize>,
    pub(super) scratch: Vec<u8>,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the input buffer is below 2^31 bytes"
)]
impl Fields {
    #[inline]
    pub(super) fn clear(&mut self) {
        self.present = 0;
        self.base = 0;
        self.stencil = None;
        self.scratch.clear();
    }

    /// Are the spans those of a stencil, as its last row has left them?
    #[inline]
    pub(super) fn has_spans_of(&self, stencil: usize) -> bool {
        self.stencil == Some(stencil)
    }

    /// The spans, which are of a stencil, count from the beginning of a row.
    #[inline]
    pub(super) fn begin_at(&mut self, base: usize, stencil: usize) {
        self.base = base as u32;
        self.stencil = Some(stencil);
    }

    #[inline]
    pub(super) fn set(&mut self, role: u8, from: usize, to: usize, kind: Kind) {
        if let Some(span) = self.spans.get_mut(usize::from(role)) {
            *span = Span {
                from: from as u32,
                to: to as u32,
                kind,
            };
            self.present |= 1 << role;
        }
    }

    /// The same for the scratch buffer's end, from a place in it.
    pub(super) fn set_scratch(&mut self, role: u8, from: usize) {
        let to = self.scratch.len();
        if let Some(span) = self.spans.get_mut(usize::from(role)) {
            *span = Span {
                from: from as u32 | SCRATCH,
                to: to as u32 | SCRATCH,
                kind: Kind::Text,
            };
            self.present |= 1 << role;
        }
    }

    #[inline]
    pub(super) fn copy(&mut self, from: u8, to: u8) {
        if let Some(&span) = self.spans.get(usize::from(from))
            && let Some(slot) = self.spans.get_mut(usize::from(to))
        {
            *slot = span;
            self.present = self.present & !(1 << to) | (self.present >> from & 1) << to;
        }
    }

    #[inline]
    fn span(&self, role: Role) -> Option<Span> {
        let is_present = self.present & 1 << role as u32 != 0;
        self.spans
            .get(role as usize)
            .copied()
            .filter(|_| is_present)
    }

    /// Has the row a field of one of these roles? One bit for each.
    #[inline]
    pub(super) fn has_any(&self, roles: u32) -> bool {
        self.present & roles != 0
    }

    #[inline]
    pub(super) fn kind(&self, role: Role) -> Kind {
        self.span(role).map_or(Kind::Absent, |span| span.kind)
    }

    /// The text of a role; empty where the row has none.
    #[expect(clippy::inline_always, reason = "a slice takes two words to hand on")]
    #[inline(always)]
    pub(super) fn text<'a>(&'a self, role: Role, input: &'a [u8]) -> &'a [u8] {
        let Some(Span { from, to, .. }) = self.span(role) else {
            return &[];
        };
        let (bytes, first) = if from & SCRATCH == 0 {
            (input.get(self.base as usize..).unwrap_or_default(), 0)
        } else {
            (self.scratch.as_slice(), SCRATCH)
        };
        bytes
            .get((from - first) as usize..(to - first) as usize)
            .unwrap_or_default()
    }
}

/// The next result of a reader.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pull {
    /// A row, and the offset of the next one.
    Row(usize),
    /// An unreadable row, and the offset of the next one.
    Bad(Flaw, usize),
    /// The reader needs more bytes; it has consumed those before this offset.
    More(usize),
    /// The whole file is unreadable, for this reason.
    Refuse(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_letters_and_digits() {
        let names = Names::of(RowKind::Orders, "simple").unwrap();
        for name in [
            "Unique ID",
            "unique_id",
            "uniqueId",
            "UNIQUE-ID",
            "Unique\u{a0}ID",
        ] {
            let mut path = Vec::new();
            normalise(name.as_bytes(), |byte| path.push(byte));
            assert_eq!(names.find(&path), Some((Role::UniqueId as u8, 0)), "{name}");
        }
    }

    #[test]
    fn a_declared_name_takes_the_dialects_place() {
        let mut names = Names::of(RowKind::Orders, "simple").unwrap();
        names.declare(Role::Revenue as u8, "Order ID");
        assert_eq!(names.find(b"orderid"), Some((Role::Revenue as u8, 0)));
        assert_eq!(names.find(b"revenue"), None);
        names.declare(Role::Payout as u8, "order_id");
        assert_eq!(names.copies(), [(Role::Revenue as u8, Role::Payout as u8)]);
    }
}
