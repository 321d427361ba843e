//! Whose money a breakdown and an attribution add up: two currencies are never added.

use crate::Result;
use crate::report::store::NO_AMOUNT;
use crate::report::{Report, refuse};

/// The conversions that count: all of them, or those of one currency.
#[derive(Clone, Copy, Debug)]
pub(super) struct Money {
    only: Option<u8>,
    /// The currency of rows that name none.
    account: u8,
}

impl Money {
    #[inline]
    pub(super) fn counts(self, currency: u8) -> bool {
        self.only.is_none_or(|only| only == self.of(currency))
    }

    fn of(self, currency: u8) -> u8 {
        if currency == 0 {
            self.account
        } else {
            currency
        }
    }
}

impl Report {
    /// The conversions that count, by the currency that the caller wants; an empty one where all have the same.
    ///
    /// # Errors
    /// [`crate::Error::InvalidField`] where there are several, and the caller names none.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn money(&self, wanted: &str) -> Result<Money> {
        let code = |letters: &str| {
            let code = self.currencies.known(letters.as_bytes());
            code.and_then(|code| u8::try_from(code).ok())
        };
        let account = &self.settings.currency.to_ascii_uppercase();
        let mut money = Money {
            only: None,
            account: code(account).unwrap_or(0),
        };
        if !wanted.is_empty() {
            let letters = wanted.to_ascii_uppercase();
            if letters.len() != 3 || !letters.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(refuse("currency", "must be three letters, such as USD"));
            }
            let unnamed = if letters == *account { 0 } else { u8::MAX };
            money.only = Some(code(&letters).unwrap_or(unnamed));
            return Ok(money);
        }
        let mut seen = [false; 256];
        let mut next = self.conversions.first();
        while let Some(place) = next.filter(|_| self.currencies.len() > 0) {
            next = self.conversions.next(place);
            if let Some(head) = self.conversions.head(place)
                && [head.payout, head.revenue]
                    .iter()
                    .any(|units| ![0, NO_AMOUNT].contains(units))
                && let Some(slot) = seen.get_mut(usize::from(money.of(head.currency)))
            {
                *slot = true;
            }
        }
        let names: Vec<_> = (0_u32..)
            .zip(seen)
            .filter(|&(_, seen)| seen)
            .map(|(code, _)| match self.currencies.text(code) {
                b"" => "one that no row names".into(),
                text => String::from_utf8_lossy(text),
            })
            .collect();
        if names.len() > 1 {
            let names = names.join(", ");
            return Err(refuse(
                "currency",
                &format!("must say which one counts: the conversions are in {names}"),
            ));
        }
        Ok(money)
    }
}
