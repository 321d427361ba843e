//! Money: exact decimals, never binary floating point.

use crate::{Error, Result};
use core::fmt;

const SCALE: u64 = 10_000;

/// An amount without sign or currency: up to 9 digits before the point, 4 after. Prints as it was
/// given, with at least two places: `18.5` prints as `18.50`. `1e3` is refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Money {
    units: u64,
    places: u8,
}

/// Amounts are equal when their values are: `18.5` equals `18.50`.
impl PartialEq for Money {
    fn eq(&self, other: &Self) -> bool {
        self.units == other.units
    }
}
impl Eq for Money {}

impl Money {
    /// Reads an amount; `parameter` names it in the error.
    ///
    /// # Errors
    /// [`Error::InvalidMoney`] for anything but `^\d{1,9}(\.\d{1,4})?$`.
    pub(crate) fn parse(parameter: &'static str, text: &str) -> Result<Self> {
        Self::read(text).ok_or(Error::InvalidMoney { parameter })
    }

    fn read(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 9) || !fraction.is_none_or(|fraction| digits(fraction, 4)) {
            return None;
        }
        let fraction = fraction.unwrap_or("");
        let places = u8::try_from(fraction.len()).ok()?;
        let mut units = whole.parse::<u64>().ok()? * SCALE;
        let mut unit = SCALE;
        for digit in fraction.bytes() {
            unit /= 10;
            units += u64::from(digit - b'0') * unit;
        }
        Some(Self {
            units,
            places: places.max(2),
        })
    }

    /// The text without the zeros after its fourth decimal place: shops and networks write `1.50000`.
    pub(crate) fn without_zeros(text: &str) -> &str {
        match text.split_at_checked(text.find('.').map_or(text.len(), |at| at + 5)) {
            Some((plain, zeros)) if zeros.bytes().all(|byte| byte == b'0') => plain,
            _ => text,
        }
    }

    /// The same value in its shortest spelling: `18.000` as `18.00`.
    #[must_use]
    pub(crate) fn shortest(self) -> Self {
        let places = match self.units {
            units if units % 100 == 0 => 2,
            units if units % 10 == 0 => 3,
            _ => 4,
        };
        Self { places, ..self }
    }

    /// The amount in ten-thousandths.
    #[must_use]
    pub(crate) fn units(self) -> u64 {
        self.units
    }

    /// `percent` per cent of the amount, rounded half up to two places.
    #[must_use]
    pub(crate) fn percent(self, percent: Self) -> Self {
        let exact = u128::from(self.units) * u128::from(percent.units);
        let hundred = u128::from(SCALE) * 100;
        let cent = u128::from(SCALE / 100);
        let cents = (exact + hundred * cent / 2) / (hundred * cent);
        let units = u64::try_from(cents * cent).unwrap_or(u64::MAX);
        Self { units, places: 2 }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.places.max(2);
        let unit = 10_u64.pow(4 - u32::from(places.min(4)));
        let fraction = self.units % SCALE / unit;
        write!(
            f,
            "{}.{fraction:0width$}",
            self.units / SCALE,
            width = usize::from(places)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Money {
        Money::parse("payout", text).unwrap()
    }

    #[test]
    fn amounts_print_as_given_with_at_least_two_places() {
        for (given, printed) in [
            ("18", "18.00"),
            ("18.0", "18.00"),
            ("18.00", "18.00"),
            ("0.1", "0.10"),
            ("0.0001", "0.0001"),
            ("18.500", "18.500"),
            ("999999999.9999", "999999999.9999"),
        ] {
            assert_eq!(money(given).to_string(), printed);
        }
    }

    #[test]
    fn a_text_that_is_no_plain_amount_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "NaN",
            "1,000",
            "1.00000",
            "1234567890",
            " 1",
            "٣",
        ] {
            assert!(Money::parse("payout", text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_cent_is_lost(whole in 0_u64..1_000_000_000, cents in 0_u64..100) {
            let text = format!("{whole}.{cents:02}");
            let amount = money(&text);
            prop_assert_eq!(amount.to_string(), text);
            prop_assert_eq!(amount.units(), whole * 10_000 + cents * 100);
        }

        #[test]
        fn amounts_are_read_by_the_rule(text in "[0-9.,e+-]{0,16}|\\PC{0,8}") {
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
            let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            prop_assert_eq!(Money::parse("payout", &text).is_ok(), digits(whole, 9) && digits(fraction, 4));
        }
    }

    #[test]
    fn per_cents_are_exact_and_round_half_up() {
        assert_eq!(money("22.00").percent(money("10")).to_string(), "2.20");
        assert_eq!(money("0.05").percent(money("10")).to_string(), "0.01");
        assert_eq!(money("0.04").percent(money("10")).to_string(), "0.00");
        assert_eq!(
            money("999999999.9999").percent(money("100")).to_string(),
            "1000000000.00"
        );
    }
}
