//! Stores one row of each kind in the columns: order, conversion, delivery, click.

mod kind;
mod paid;
mod refund;
mod status;

use super::clicks::{ROLES, TEXTS};
use super::digits::{number, padded};
use super::elsewhere::Facts;
use super::flag::Flag;
use super::flaw::Flaw;
use super::judge::NOTHING;
use super::names::{Fields, Kind, Role};
use super::source::Source;
use super::store::{CLICK_ID, Head, IS_REFUND, IS_SAME_ID, NO_AMOUNT, NO_TIME, NOBODY, latest};
use super::words::ShortPair;
use super::{MAX_NUMBER_BYTES, Report};
use crate::Result;
use kind::Meaning;
pub(super) use paid::Span;
pub(super) use status::{CAKE, known_status};
use std::borrow::Cow;

/// The roles of which a refund that names its sale has one; one bit for each.
const OF_REFUND: u32 = 1 << Role::Parent as u32 | 1 << Role::RefundIds as u32;

/// The same for those that name a payment.
const PAYMENT: u32 = 1 << Role::Charge as u32 | 1 << Role::Intent as u32;

impl Report {
    #[inline(never)]
    pub(super) fn take_order(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        source.admit(fields, input)?;
        let unique_id = source.id(fields, Role::UniqueId, input)?;
        let order_id = source.id(fields, Role::OrderId, input)?;
        let click_id = source.id(fields, Role::ClickId, input)?;
        let has_payment = fields.has_any(PAYMENT);
        let payment;
        let (mut unique_id, mut order_id, click_id) = (&*unique_id, &*order_id, &*click_id);
        if has_payment {
            payment = source.payment(fields, input)?;
            if !unique_id.is_empty() {
                // The forwarder tells CAKE the payment.
                if order_id.is_empty() && *payment != *unique_id {
                    order_id = &payment;
                }
            } else if !source.names.is_declared(Role::UniqueId as u8) {
                unique_id = &payment;
            }
        }
        if source.is_line_item(order_id, fields, input)? {
            return Ok(());
        }
        let currency = self.currency(source.currency(fields, input))?;
        let letters = self.letters(source, currency);
        let mut revenue = source.amount(fields, Role::Revenue, input, letters)?;
        let payout = source.amount(fields, Role::Payout, input, letters)?;
        let (seconds, day) = self.seconds(source, fields.text(Role::Date, input), true)?;
        let paid = self.paid(source, fields, input, seconds)?;
        let meaning = source.meaning(fields.text(Role::Kind, input));
        let mut is_refund = source.is_of_refunds()
            || meaning != Meaning::Sale
            || (revenue < 0 && revenue != NO_AMOUNT);
        let of_sale;
        if fields.has_any(OF_REFUND) && (is_refund || source.dialect == "woocommerce") {
            of_sale = source.sale_of_refund(fields, input, is_refund)?;
            is_refund |= of_sale.is_some();
            if let Some(order) = of_sale.as_deref() {
                // An export names it by its number, the API by its id.
                (unique_id, order_id) = (order, order);
            }
        }
        let (status, given_back);
        (revenue, status, given_back) = if is_refund {
            let kind = (meaning, [unique_id, order_id, click_id] != [b""; 3]);
            let (back, mark) = refund::taken_back(source, kind, fields, input, revenue);
            (back, 0, mark)
        } else {
            self.counted(source, fields, input, currency, revenue)?
        };
        let mut flags = if is_refund { day | IS_REFUND } else { day };
        // A file with only one reference per order: CAKE has received it as the transaction id or
        // the order id.
        let mut stored_order = order_id;
        let is_single = if source.has_own_ids {
            !has_payment && (unique_id.is_empty() || order_id.is_empty() || unique_id == order_id)
        } else {
            unique_id.is_empty() && !source.can_have_unique()
        };
        if is_single && !(unique_id.is_empty() && order_id.is_empty()) {
            if unique_id.is_empty() {
                unique_id = order_id;
            }
            order_id = unique_id;
            stored_order = &[];
            flags |= IS_SAME_ID;
        }
        source.note_sample(fields, input);
        let facts = Facts {
            ids: [unique_id, order_id, click_id],
            own: &[],
            currency,
            is_refund: is_refund && given_back != NOTHING,
            times: (latest(seconds, day), paid),
        };
        if !self.is_ours(source, &facts)? {
            return Ok(());
        }
        let offer = source.id(fields, Role::OfferId, input)?;
        let head = Head {
            seconds,
            partner: NOBODY,
            revenue,
            payout,
            status,
            class: 0,
            currency,
            flags,
            pair: given_back,
        };
        if has_payment {
            self.note_payments(source, fields, input, unique_id)?;
        }
        let place = self
            .orders
            .push(
                &head,
                [unique_id, stored_order, click_id, &offer],
                self.settings.first_proof([unique_id, order_id, click_id]),
                self.settings.seed,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        self.note_rare(place, paid, source.lost(fields, input, &offer)?)?;
        source.note_line();
        Ok(())
    }

    /// An order's revenue and status as its own row leaves them, and the mark of what was given back.
    #[inline]
    fn counted(
        &mut self,
        source: &Source,
        fields: &Fields,
        input: &[u8],
        currency: u8,
        revenue: i64,
    ) -> Result<(i64, u8, u32), Flaw> {
        let mut own = self.mapped_status(source, fields.text(Role::Status, input))?;
        let second = source.names.second_status(fields, input);
        if !second.is_empty() {
            let other = self.mapped_status(source, second)?;
            own = self.worse(own, other);
        }
        if fields.has_any(refund::CHANGES) || source.is_shopify {
            self.remaining(source, fields, input, currency, (revenue, own))
        } else {
            Ok((revenue, own, 0))
        }
    }

    /// The one of two statuses by which less is owed.
    #[cfg_attr(small_cold, optimize(size))]
    fn worse(&self, one: u8, other: u8) -> u8 {
        let rank = |code: u8| match self.statuses.text(u32::from(code)) {
            b"" => 0,
            b"approved" => 1,
            b"pending" => 2,
            _ => 3,
        };
        if rank(other) > rank(one) { other } else { one }
    }

    /// Maps the advertiser's status to one of CAKE's.
    #[inline]
    pub(super) fn mapped_status(&mut self, source: &Source, text: &[u8]) -> Result<u8, Flaw> {
        match self.mapped.code(text) {
            Some(code) => Ok(code),
            None => self.map_status(source, text),
        }
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn map_status(&mut self, source: &Source, text: &[u8]) -> Result<u8, Flaw> {
        let word = text.trim_ascii();
        let declared = self.settings.statuses.iter().find(|(theirs, _)| {
            let theirs = theirs.trim_ascii().as_bytes();
            theirs.eq_ignore_ascii_case(word)
        });
        if word.is_empty() && declared.is_none() {
            return Ok(0);
        }
        let mapped = if let Some((_, ours)) = declared {
            ours.clone()
        } else {
            // The dialect's own words count unless the caller has declared the words that count.
            let dialect = if self.settings.statuses.is_empty() {
                source.dialect.as_str()
            } else {
                ""
            };
            known_status(dialect, word)
                .ok_or(Flaw::UnmappedStatus)?
                .to_owned()
        };
        let code = Self::small(
            &mut self.statuses,
            &mut self.memory,
            mapped.to_ascii_lowercase().as_bytes(),
        )?;
        self.mapped.add(text, code);
        Ok(code)
    }

    #[inline(never)]
    pub(super) fn take_conversion(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        let unique_id = source.id(fields, Role::UniqueId, input)?;
        let order_id = source.id(fields, Role::OrderId, input)?;
        let click_id = source.id(fields, Role::ClickId, input)?;
        // A whole number needs no change as an id.
        let own_id = fields.text(Role::ConversionId, input);
        let (own_id, number) = if let Some(number) = number_of(own_id) {
            (Cow::Borrowed(own_id), Some(number))
        } else {
            let id = source.id(fields, Role::ConversionId, input)?;
            let number = number_of(&id);
            (id, number)
        };
        let currency = self.currency(source.currency(fields, input))?;
        let letters = self.letters(source, currency);
        let revenue = source.amount(fields, Role::Revenue, input, letters)?;
        let payout = source.amount(fields, Role::Payout, input, letters)?;
        let date = fields.text(Role::Date, input);
        let (seconds, flags) = self.seconds(source, date, false)?;
        let status = self.own_status(fields.text(Role::Status, input))?;
        let offer = trim(fields.text(Role::OfferId, input));
        let affiliate = trim(fields.text(Role::AffiliateId, input));
        source.note_sample(fields, input);
        let facts = Facts {
            ids: [&unique_id, &order_id, &click_id],
            own: &own_id,
            currency,
            is_refund: false,
            times: (seconds, None),
        };
        if !self.is_ours(source, &facts)? {
            return Ok(());
        }
        let pair = self.pair(offer, affiliate)?;
        self.ids_rise &= number.is_some_and(|number| number > self.last_id);
        self.last_id = number.unwrap_or(self.last_id);
        let head = Head {
            seconds,
            partner: NOBODY,
            revenue,
            payout,
            status,
            class: 0,
            currency,
            flags,
            pair,
        };
        // A click id that is not a key stays out of the store: it would cost 37 bytes a row.
        let click_id: &[u8] = if !click_id.is_empty() && self.settings.keys.contains(&CLICK_ID) {
            &click_id
        } else {
            &[]
        };
        self.conversions
            .push(
                &head,
                [&unique_id, &order_id, click_id, &own_id],
                self.settings.first_proof([&unique_id, &order_id, click_id]),
                self.settings.seed,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        source.note_line();
        Ok(())
    }

    /// The number of one of CAKE's statuses, in any case.
    #[inline]
    fn own_status(&mut self, text: &[u8]) -> Result<u8, Flaw> {
        match self.own_statuses.code(text) {
            Some(code) => Ok(code),
            None => Self::add_spelling(
                &mut self.own_statuses,
                (&mut self.statuses, &mut self.memory),
                text,
                (64, <[u8]>::to_ascii_lowercase),
            ),
        }
    }

    /// The letters of a currency, where an amount in its smallest unit needs them.
    #[inline]
    fn letters(&self, source: &Source, currency: u8) -> &[u8] {
        if source.format.is_smallest {
            self.currencies.text(u32::from(currency))
        } else {
            &[]
        }
    }

    /// Offer and affiliate as one number; 0 where the row has neither.
    #[inline]
    pub(super) fn pair(&mut self, offer: &[u8], affiliate: &[u8]) -> Result<u32, Flaw> {
        if offer.is_empty() && affiliate.is_empty() {
            return Ok(0);
        }
        if offer.len() > MAX_NUMBER_BYTES || affiliate.len() > MAX_NUMBER_BYTES {
            return Err(Flaw::Id);
        }
        let short = ShortPair::of(offer, affiliate);
        match short.and_then(|short| self.recent_pairs.number(short)) {
            Some(number) => Ok(number),
            None => self.look_up_pair(offer, affiliate).ok_or(Flaw::Full),
        }
    }

    #[inline(never)]
    fn look_up_pair(&mut self, offer: &[u8], affiliate: &[u8]) -> Option<u32> {
        let memory = &mut self.memory;
        let codes = (
            self.offers.code(offer, memory)?,
            self.affiliates.code(affiliate, memory)?,
        );
        let number = self.pairs.number(codes.0, codes.1, memory)? + 1;
        if let Some(short) = ShortPair::of(offer, affiliate) {
            self.recent_pairs.add(short, number, memory)?;
        }
        Some(number)
    }

    /// Offer and affiliate of a pair, by their numbers.
    pub(super) fn pair_codes(&self, pair: u32) -> (u32, u32) {
        pair.checked_sub(1)
            .map_or((0, 0), |number| self.pairs.parts(number))
    }

    /// Offer and affiliate of a pair.
    pub(super) fn pair_texts(&self, pair: u32) -> (&[u8], &[u8]) {
        let (offer, affiliate) = self.pair_codes(pair);
        (self.offers.text(offer), self.affiliates.text(affiliate))
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn take_delivery(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        let unique_id = source.id(fields, Role::UniqueId, input)?;
        let order_id = source.id(fields, Role::OrderId, input)?;
        let click_id = source.id(fields, Role::ClickId, input)?;
        let date = fields.text(Role::Date, input);
        let (seconds, flags) = self.seconds(source, date, false).or_else(|flaw| {
            // The forwarder's own clock is UTC; without a zone, its day decides nothing here.
            if flaw == Flaw::NoTimeZone {
                Ok((NO_TIME, 0))
            } else {
                Err(flaw)
            }
        })?;
        // An event without a state may have been sent.
        let state = match fields.text(Role::State, input).trim_ascii() {
            [] if source.state.is_empty() => b"unknown",
            [] => source.state.as_bytes(),
            state => state,
        };
        let mut state = state.to_ascii_lowercase();
        let doubt = Flag::read(
            fields.text(Role::Disputed, input).trim_ascii(),
            &source.days,
        );
        let is_in_doubt = !matches!(doubt, Flag::Nothing | Flag::No);
        if is_in_doubt && !matches!(state.as_slice(), b"delivered" | b"pending") {
            // CAKE may have recorded it, however it ended.
            state = b"in_doubt".to_vec();
        }
        let state = Self::small(&mut self.states, &mut self.memory, &state)?;
        source.note_sample(fields, input);
        let facts = Facts {
            ids: [&unique_id, &order_id, &click_id],
            own: &[],
            currency: 0,
            is_refund: false,
            times: (seconds, None),
        };
        if !self.is_ours(source, &facts)? {
            return Ok(());
        }
        let head = Head {
            seconds,
            partner: NOBODY,
            revenue: NO_AMOUNT,
            payout: NO_AMOUNT,
            status: state,
            class: 0,
            currency: 0,
            flags,
            pair: 0,
        };
        self.deliveries
            .push(
                &head,
                [&unique_id, &order_id, &click_id, &[]],
                self.settings
                    .first_proof([&unique_id, &order_id, &click_id]),
                self.settings.seed,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        source.note_line();
        Ok(())
    }

    #[inline(never)]
    pub(super) fn take_click(
        &mut self,
        source: &mut Source,
        fields: &Fields,
        input: &[u8],
    ) -> Result<(), Flaw> {
        let date = fields.text(Role::Date, input);
        let (seconds, _) = self.seconds(source, date, false)?;
        source.note_sample(fields, input);
        let conversion = match fields.kind(Role::ConversionId) {
            Kind::Absent => Cow::default(),
            _ => source.id(fields, Role::ConversionId, input)?,
        };
        let id = fields.text(Role::ClickId, input);
        let overlap = &mut self.clicks.overlap;
        let is_repeated = overlap.has(source.page(), id, seconds, &mut self.memory);
        if is_repeated.ok_or(Flaw::Full)? {
            source.repeated += 1;
            return Ok(());
        }
        let mut texts: [&[u8]; TEXTS] = [&[]; TEXTS];
        for (slot, role) in texts.iter_mut().zip(ROLES) {
            *slot = fields.text(role, input);
        }
        self.clicks
            .push(
                seconds,
                texts,
                &conversion,
                &mut self.offers,
                &mut self.affiliates,
                &mut self.memory,
            )
            .ok_or(Flaw::Full)?;
        source.rows += 1;
        Ok(())
    }
}

/// Nearly no text has blanks around it.
#[inline]
fn trim(text: &[u8]) -> &[u8] {
    match text {
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim_ascii(),
    }
}

/// A whole number without a leading zero.
#[inline]
pub(super) fn number_of(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 || text.first() == Some(&b'0') {
        return None;
    }
    if let Some(word) = padded(text) {
        return number(word);
    }
    text.iter().try_fold(0, |sum: u64, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u64::from(byte - b'0'))
    })
}
