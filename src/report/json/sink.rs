//! The values that the strict reader records, and whether they are of a row or of a page.

use super::{MAX_PATH_BYTES, NO_ROLE, Value};
use crate::report::names::{Fields, Names, ROLES, Role, may_tell, normalise};

/// The rank of a name that also stands for other things: an object named `order` or `_id`, a card named `source`.
const WEAK: u8 = u8::MAX - 1;

/// Where older payment intents of Stripe's have what their charges gave back.
pub(super) const REFUNDED_CHARGES: &[u8] = b"charges.data.amountrefunded";

/// Where a row says when each part of it was paid: Shopify's payment terms, and older payment intents of Stripe's.
pub(super) const PAID_SCHEDULES: &[u8] = b"paymentterms.paymentschedules.completedat";
const PAID_CHARGES: &[u8] = b"charges.data.created";

/// Why the strict reader stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes ended.
    More,
    /// Not JSON.
    Bad,
    /// A field occurred twice.
    Repeated,
    /// A page that holds rows, not a row.
    Page,
}

/// The values that the strict reader records.
#[expect(clippy::struct_excessive_bools, reason = "marks of one row")]
pub(super) struct Sink<'a> {
    pub(super) names: &'a Names,
    pub(super) fields: &'a mut Fields,
    pub(super) values: &'a mut Vec<Value>,
    /// The rank of each role's name, and the index of its value.
    pub(super) best: [(u8, usize); ROLES],
    pub(super) path: [u8; MAX_PATH_BYTES],
    pub(super) path_length: usize,
    /// The path was too long: no field below it has a role.
    pub(super) is_lost: bool,
    pub(super) can_be_page: bool,
    /// The object lies in the file's outermost list.
    pub(super) is_listed: bool,
    /// It holds a list, or another mark of a page; and the list's rows have ids.
    pub(super) has_list: bool,
    pub(super) has_rows: bool,
    /// The name of its first list of objects that is no list of rows.
    pub(super) other_list: Vec<u8>,
    /// The object begins the file; it holds a list of sales by a name that is not known; it has a field that only pages
    /// have.
    pub(super) is_first: bool,
    pub(super) has_sales: bool,
    pub(super) has_word_of_page: bool,
    /// It has a field of an error.
    pub(super) has_error: bool,
    /// The path of the row's revenue; why another one beside it is ambiguous.
    revenue: Vec<u8>,
    pub(super) ambiguous: String,
    /// This row cannot become a shape.
    pub(super) has_odd: bool,
    /// One bit for each role that the row has had a value for, or `null`.
    pub(super) met: u32,
    /// The number of its values but `null`.
    pub(super) said: usize,
    /// The row's own times that are known by a name with a zone: role, rank, path and name.
    zoned: Vec<(u8, u8, Vec<u8>, Vec<u8>)>,
    /// The rank of each role's name whose value is an object or a list that says nothing known of it.
    nested: [u8; ROLES],
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        names: &'a Names,
        fields: &'a mut Fields,
        values: &'a mut Vec<Value>,
    ) -> Self {
        values.clear();
        Self {
            names,
            fields,
            values,
            best: [(u8::MAX, usize::MAX); ROLES],
            path: [0; MAX_PATH_BYTES],
            path_length: 0,
            is_lost: false,
            can_be_page: false,
            is_listed: false,
            has_list: false,
            has_rows: false,
            other_list: Vec::new(),
            is_first: false,
            has_sales: false,
            has_word_of_page: false,
            has_error: false,
            revenue: Vec::new(),
            ambiguous: String::new(),
            has_odd: false,
            met: 0,
            said: 0,
            zoned: Vec::new(),
            nested: [u8::MAX; ROLES],
        }
    }

    /// Leaves an object or a list that may stand where a role's value should; `before` is what was met before it.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn leave_nested(&mut self, (role, rank): (u8, u8), before: u32, has_values: bool) {
        // An empty one is a program's word for nothing, and one with a known field only holds it.
        // The currency beside an amount is not the amount.
        let amounts = [Role::Revenue, Role::Payout, Role::Refunded, Role::Remaining];
        let beside = if amounts.iter().any(|&own| own as u8 == role) {
            1 << Role::Currency as u32
        } else {
            0
        };
        if has_values && self.met & !beside == 0 {
            let names_more =
                role == Role::Charge as u8 || matches!(self.path(), b"order" | b"number" | b"id");
            let rank = if names_more && !self.names.is_declared(role) {
                WEAK
            } else {
                rank
            };
            if let Some(slot) = self.nested.get_mut(usize::from(role)) {
                *slot = rank.min(*slot);
            }
        }
        self.met |= before | 1 << role;
    }

    /// Is a value an object or a list, where no name of a higher rank has another one?
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn has_nested(&self) -> bool {
        let has_unique_id = self.has_any(&[Role::UniqueId]);
        let mut roles = (0_u8..).zip(self.nested.iter().zip(&self.best));
        roles.any(|(role, (&nested, best))| {
            let is_idle = nested == WEAK && role == Role::OrderId as u8 && has_unique_id;
            nested < best.0 && !is_idle
        })
    }

    fn has_any(&self, roles: &[Role]) -> bool {
        let known = |role: &Role| {
            self.best
                .get(*role as usize)
                .is_some_and(|best| best.0 != u8::MAX)
        };
        roles.iter().any(known)
    }

    pub(super) fn has_id(&self) -> bool {
        self.has_any(&[
            Role::UniqueId,
            Role::OrderId,
            Role::ClickId,
            Role::ConversionId,
            Role::Charge,
            Role::Intent,
        ])
    }

    /// Is the object a sale of a list that the reader does not know? It has an id and an amount, or a date and a status.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn is_sale(&self) -> bool {
        self.has_id()
            && (self.has_any(&[Role::Revenue, Role::Payout])
                || self.has_any(&[Role::Date]) && self.has_any(&[Role::Status, Role::State]))
    }

    /// Is the object a page, whose list holds the rows? A row has an id of its own. An object that is in no list may
    /// be a page with an id; a row with a list has an amount as well, and no field that only pages have.
    pub(super) fn is_page(&self) -> bool {
        let is_row = self.is_listed
            || !self.has_word_of_page
                && (!self.has_rows || self.has_any(&[Role::Revenue, Role::Payout]));
        self.has_list && !(self.has_id() && is_row)
    }

    /// Is the object no row, but a page whose list has a name that is not known? A row has an id of its own.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn hides_rows(&self) -> bool {
        self.has_sales && !self.is_sale() && (!self.has_id() || self.has_word_of_page)
    }

    pub(super) fn push_path(&mut self, name: &[u8]) -> (usize, bool) {
        let before = (self.path_length, self.is_lost);
        // CAKE wraps each of its conversions, and GraphQL each row of `edges`.
        if before.0 == 0 && matches!(name, b"conversion" | b"node") {
            return before;
        }
        let mut length = self.path_length;
        let mut is_lost = self.is_lost;
        let path = &mut self.path;
        let mut push = |byte| match path.get_mut(length) {
            Some(slot) => {
                *slot = byte;
                length += 1;
            }
            None => is_lost = true,
        };
        if before.0 > 0 {
            push(b'.');
        }
        normalise(name, push);
        self.path_length = length;
        self.is_lost = is_lost;
        if before.0 == 0 && may_tell(name) {
            self.note_zoned(name);
        }
        before
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn note_zoned(&mut self, name: &[u8]) {
        if self.names.find(self.path()).is_none()
            && let Some((role, rank)) = self.names.find_column(name)
        {
            let path = self.path().to_vec();
            self.zoned.push((role, rank, path, name.to_vec()));
        }
    }

    /// The name of a role's value, for its zone.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn name(&self, role: Role) -> Option<&[u8]> {
        let (best, _) = *self.best.get(role as usize)?;
        let mut zoned = self.zoned.iter();
        let own = zoned.find(|(own, rank, ..)| (*own, *rank) == (role as u8, best));
        own.map_or_else(
            || self.names.name(role, best),
            |(_, _, _, name)| Some(name.as_slice()),
        )
    }

    pub(super) fn path(&self) -> &[u8] {
        if self.is_lost {
            return &[];
        }
        self.path.get(..self.path_length).unwrap_or_default()
    }

    pub(super) fn role(&self) -> Option<(u8, u8)> {
        let found = self.names.find(self.path()).or_else(|| {
            let mut zoned = self.zoned.iter();
            let own = zoned.find(|(_, _, path, _)| path == self.path());
            own.map(|&(role, rank, ..)| (role, rank))
        });
        match found {
            // A second status counts as well.
            Some((role, rank))
                if self.names.may_be_second(role)
                    && self
                        .best
                        .get(usize::from(role))
                        .is_some_and(|own| own.0 < rank) =>
            {
                Some((Role::State as u8, rank))
            }
            _ => found,
        }
    }

    /// A status of a lower rank becomes the second one; of a third one nobody would hear.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn make_second(&mut self) -> Result<(), Stop> {
        let (status, state) = (Role::Status as u8, Role::State as u8);
        if self.has_any(&[Role::State]) {
            return Err(Stop::Repeated);
        }
        let before = self.best.get(usize::from(status)).copied();
        let before = before.unwrap_or((u8::MAX, usize::MAX));
        if let Some(slot) = self.best.get_mut(usize::from(state)) {
            *slot = before;
        }
        if let Some(value) = self.values.get_mut(before.1) {
            value.role = state;
        }
        self.fields.copy(status, state);
        if let Some(slot) = self.best.get_mut(usize::from(status)) {
            *slot = (u8::MAX, usize::MAX);
        }
        Ok(())
    }

    /// Adds a further refund of a row's list to the one before it.
    #[inline]
    pub(super) fn adds_up(
        &mut self,
        input: &[u8],
        role: u8,
        rank: u8,
        (from, to): (usize, usize),
    ) -> bool {
        if role == Role::RefundIds as u8 {
            // One of them says it all.
            return self.has_any(&[Role::RefundIds]);
        }
        if role == Role::Paid as u8 {
            return self.was_paid_before(input, rank, input.get(from..to).unwrap_or_default());
        }
        if role != Role::Refunded as u8 {
            return false;
        }
        let slot = self.best.get(usize::from(role));
        let is_listed = self.path() == b"refunds.total" || self.path() == REFUNDED_CHARGES;
        if !is_listed || slot.is_none_or(|slot| slot.0 != rank) {
            return false;
        }
        let mut sum = self.fields.text(Role::Refunded, input).to_vec();
        sum.push(b'+');
        sum.extend(input.get(from..to).unwrap_or_default());
        let start = self.fields.scratch.len();
        self.fields.scratch.extend(sum);
        self.fields.set_scratch(role, start);
        true
    }

    /// Of a row that was paid in parts the last payment counts; its times are written alike. Is it known already?
    #[cfg_attr(small_cold, optimize(size))]
    fn was_paid_before(&mut self, input: &[u8], rank: u8, paid: &[u8]) -> bool {
        let known = self.best.get(Role::Paid as usize);
        if ![PAID_SCHEDULES, PAID_CHARGES].contains(&self.path())
            || known.is_none_or(|known| known.0 != rank)
        {
            return false;
        }
        if self.fields.text(Role::Paid, input) < paid {
            let start = self.fields.scratch.len();
            self.fields.scratch.extend(paid);
            self.fields.set_scratch(Role::Paid as u8, start);
        }
        true
    }

    /// Records the value if its name ranks higher than the role's present one. Two names of
    /// equal rank are an error.
    pub(super) fn record(&mut self, role: u8, rank: u8, value: usize) -> Result<bool, Stop> {
        let Some(slot) = self.best.get_mut(usize::from(role)) else {
            return Ok(false);
        };
        let is_revenue = role == Role::Revenue as u8;
        if slot.0 == rank {
            if is_revenue && self.revenue != self.path() {
                self.ambiguous = self.names.why_ambiguous(role, &self.revenue, self.path());
                return Ok(false);
            }
            return Err(Stop::Repeated);
        }
        if slot.0 < rank {
            let is_third =
                role == Role::State as u8 && self.names.may_be_second(Role::Status as u8);
            return if is_third {
                Err(Stop::Repeated)
            } else {
                Ok(false)
            };
        }
        if slot.0 != u8::MAX
            && role == Role::State as u8
            && self.names.may_be_second(Role::Status as u8)
        {
            return Err(Stop::Repeated);
        }
        if slot.0 != u8::MAX && self.names.may_be_second(role) {
            self.make_second()?;
        }
        let Some(slot) = self.best.get_mut(usize::from(role)) else {
            return Ok(false);
        };
        if let Some(before) = self.values.get_mut(slot.1) {
            before.role = NO_ROLE;
        }
        *slot = (rank, value);
        if is_revenue {
            self.revenue = self.path().to_vec();
            self.ambiguous.clear();
        }
        Ok(true)
    }
}
