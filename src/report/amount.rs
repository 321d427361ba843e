//! Reads and writes amounts in whole ten-thousandths of a currency unit. The module uses no floating point and
//! never guesses.

use super::digits::{number, padded};
use super::flaw::Flaw;
use super::symbol::{Bare, bare};

/// One unit of a currency in ten-thousandths.
pub(super) const SCALE: i64 = 10_000;

/// The declared number format of a file.
#[expect(clippy::struct_excessive_bools, reason = "facts of one format")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumberFormat {
    /// The decimal mark, `.` or `,`; 0 where the format is not declared.
    pub(crate) decimal: u8,
    /// The thousands separator; 0 for none.
    pub(crate) group: u8,
    /// May a currency's symbol or letters stand before or behind, or parentheses around it?
    pub(crate) has_symbol: bool,
    /// Are amounts in the currency's smallest unit?
    pub(crate) is_smallest: bool,
    /// Does a thousands separator count only where a decimal mark follows? CAKE writes both; a spreadsheet may have
    /// written a comma for the point.
    pub(crate) needs_point: bool,
    /// Are more than four decimal places rounded to four?
    pub(crate) rounds: bool,
}

/// Currencies without a smaller unit, and those of a thousand smaller units (ISO 4217). ISK and UGX have hundredths:
/// Stripe's amounts in them end with two zeros.
const WHOLE: &str = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// Reads an amount. `is_number` says that it was a JSON number, whose decimal mark is always a point.
///
/// # Errors
/// The flaws of amounts. An amount such as `1.234` or `1,5` is ambiguous where no decimal mark was declared.
pub(crate) fn read(
    text: &[u8],
    format: NumberFormat,
    is_number: bool,
    currency: &[u8],
) -> Result<i64, Flaw> {
    let Bare {
        digits: text,
        is_negative,
        ..
    } = bare(text, format.has_symbol && !is_number);
    if format.is_smallest {
        return smallest(text, currency).map(|units| signed(units, is_negative));
    }
    let decimal = if is_number || format.decimal == 0 {
        b'.'
    } else {
        format.decimal
    };
    let group = if is_number { 0 } else { format.group };
    let mut whole: i64 = 0;
    let mut whole_digits = 0_u32;
    let mut fraction: i64 = 0;
    let mut places: Option<u32> = None;
    let mut group_at: Option<u32> = None;
    let mut digits = 0_u32;
    let mut exponent = 0_i32;
    let (mut is_up, mut is_rounded) = (false, false);
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'0'..=b'9' => {
                let digit = i64::from(byte - b'0');
                digits += 1;
                match &mut places {
                    None => {
                        if whole_digits > 0 || digit > 0 {
                            whole_digits += 1;
                        }
                        if whole_digits > 9 {
                            return Err(Flaw::TooLarge);
                        }
                        whole = whole * 10 + digit;
                    }
                    Some(places) => {
                        *places += 1;
                        if *places <= 4 {
                            fraction = fraction * 10 + digit;
                        } else if format.rounds {
                            is_up |= *places == 5 && digit >= 5;
                            is_rounded |= digit > 0;
                        } else if digit > 0 {
                            return Err(Flaw::Decimals);
                        }
                    }
                }
            }
            _ if byte == decimal && places.is_none() && digits > 0 => {
                if group_at.is_some_and(|at| digits - at != 3) {
                    return Err(Flaw::Amount);
                }
                places = Some(0);
            }
            _ if byte == group && group != 0 && places.is_none() => {
                // Thousands come in threes, and the first part has one to three digits, the first of them no 0.
                let fits = match group_at {
                    None => (1..=3).contains(&digits) && whole_digits == digits,
                    Some(at) => digits - at == 3,
                };
                if !fits {
                    return Err(if format.needs_point {
                        Flaw::AmbiguousAmount
                    } else {
                        Flaw::Amount
                    });
                }
                group_at = Some(digits);
            }
            b'e' | b'E' if is_number && digits > 0 => {
                exponent = read_exponent(rest).ok_or(Flaw::Amount)?;
                rest = &[];
            }
            b',' | b'.' if (format.decimal == 0 || format.needs_point) && digits > 0 => {
                return Err(Flaw::AmbiguousAmount);
            }
            _ => return Err(Flaw::Amount),
        }
    }
    if digits == 0 || places == Some(0) {
        return Err(Flaw::Amount);
    }
    match places {
        // `1.234` is 1.234 or 1,234: only the country's format decides.
        Some(3) if format.decimal == 0 && !is_number => return Err(Flaw::AmbiguousAmount),
        None if group_at.is_some() && format.needs_point => return Err(Flaw::AmbiguousAmount),
        None if group_at.is_some_and(|at| digits - at != 3) => return Err(Flaw::Amount),
        _ => {}
    }
    for _ in places.unwrap_or(0).min(4)..4 {
        fraction *= 10;
    }
    if is_rounded && exponent != 0 {
        return Err(Flaw::Decimals);
    }
    let units = whole * SCALE + fraction + i64::from(is_up);
    let units = shift(units, exponent, format.rounds)?;
    Ok(signed(units, is_negative))
}

/// An amount of a caller's option, always with a point: `-18.00`.
pub(crate) fn of_option(text: &str) -> Option<i64> {
    let format = NumberFormat {
        decimal: b'.',
        ..NumberFormat::default()
    };
    read(text.as_bytes(), format, false, b"").ok()
}

/// Nearly every amount: one to five digits, a point, two digits. All number formats with a point read it alike.
#[inline]
pub(super) fn plain(text: &[u8], format: NumberFormat, is_number: bool) -> Option<i64> {
    if format.is_smallest || !is_number && !matches!(format.decimal, 0 | b'.') {
        return None;
    }
    let word = padded(text)?;
    if word >> 40 & 0xFF != u64::from(b'.') {
        return None;
    }
    // The whole part takes the point's place.
    let digits = word << 8 & 0xFFFF_FFFF_FF00 | word >> 48 << 48 | u64::from(b'0');
    let cents = i64::try_from(number(digits)?).ok()?;
    Some(cents * (SCALE / 100))
}

fn signed(units: i64, is_negative: bool) -> i64 {
    if is_negative { -units } else { units }
}

/// The exponent of an amount, such as `+2` or `-1`, of at most three digits.
fn read_exponent(text: &[u8]) -> Option<i32> {
    let (is_negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let exponent = digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    Some(if is_negative { -exponent } else { exponent })
}

fn shift(units: i64, exponent: i32, rounds: bool) -> Result<i64, Flaw> {
    let mut units = units;
    if units == 0 {
        return Ok(0);
    }
    if rounds && exponent < 0 {
        // Where the power is too large for the type, nothing is left.
        let power = 10_i64.checked_pow(exponent.unsigned_abs());
        return Ok(power.map_or(0, |power| (units + power / 2) / power));
    }
    for _ in 0..exponent.unsigned_abs() {
        if exponent > 0 {
            units = units.checked_mul(10).ok_or(Flaw::TooLarge)?;
        } else if units % 10 == 0 {
            units /= 10;
        } else {
            return Err(Flaw::Decimals);
        }
    }
    if units < 1_000_000_000 * SCALE {
        Ok(units)
    } else {
        Err(Flaw::TooLarge)
    }
}

/// Whole numbers of the currency's smallest unit.
fn smallest(text: &[u8], currency: &[u8]) -> Result<i64, Flaw> {
    let is_whole = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if !is_whole || currency.len() != 3 {
        return Err(Flaw::SmallestUnit);
    }
    let among = |list: &str| {
        list.split(' ')
            .any(|code| code.as_bytes().eq_ignore_ascii_case(currency))
    };
    let unit = if among(WHOLE) {
        SCALE
    } else if among(THOUSANDTHS) {
        SCALE / 1_000
    } else {
        SCALE / 100
    };
    let mut units: i64 = 0;
    for digit in text {
        units = units * 10 + i64::from(digit - b'0');
        if units > 1_000_000_000_000 {
            return Err(Flaw::TooLarge);
        }
    }
    if units * unit < 1_000_000_000 * SCALE {
        Ok(units * unit)
    } else {
        Err(Flaw::TooLarge)
    }
}

/// `percent` (in ten-thousandths of a per cent) of an amount, rounded half away from zero to the cent.
#[must_use]
pub(crate) fn percent_of(units: i64, percent: i64) -> i64 {
    let cents = i128::from(SCALE) * 100 * 100;
    let exact = i128::from(units) * i128::from(percent);
    let half = if exact < 0 { -cents / 2 } else { cents / 2 };
    i64::try_from((exact + half) / cents).map_or(0, |whole| whole * 100)
}

/// Writes an amount with at least two decimal places.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn write(output: &mut String, units: i64) {
    if units < 0 {
        output.push('-');
    }
    let units = units.unsigned_abs();
    let scale = SCALE.unsigned_abs();
    write_digits(output, units / scale, 1);
    output.push('.');
    let fraction = units % scale;
    match fraction {
        _ if fraction.is_multiple_of(100) => write_digits(output, fraction / 100, 2),
        _ if fraction.is_multiple_of(10) => write_digits(output, fraction / 10, 3),
        _ => write_digits(output, fraction, 4),
    }
}

/// Writes a whole number, padded with zeros to at least `digits` digits.
pub(super) fn write_digits(output: &mut String, number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut count = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    let from = digits.len() - count.max(least);
    let digits = digits.get(from..).unwrap_or_default();
    output.push_str(core::str::from_utf8(digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNDECLARED: NumberFormat = NumberFormat {
        decimal: 0,
        group: 0,
        has_symbol: false,
        is_smallest: false,
        needs_point: false,
        rounds: false,
    };
    const GERMAN: NumberFormat = NumberFormat {
        decimal: b',',
        group: b'.',
        ..UNDECLARED
    };
    const CAKE: NumberFormat = NumberFormat {
        needs_point: true,
        rounds: true,
        ..ENGLISH
    };
    const ENGLISH: NumberFormat = NumberFormat {
        decimal: b'.',
        group: b',',
        ..UNDECLARED
    };

    fn plain(text: &str, format: NumberFormat) -> Result<i64, Flaw> {
        read(text.as_bytes(), format, false, b"")
    }

    #[test]
    fn amounts_are_read_by_the_declared_format_alone() {
        for (text, format, expected) in [
            ("18.00", UNDECLARED, Ok(180_000)),
            ("18", UNDECLARED, Ok(180_000)),
            ("-18.5", UNDECLARED, Ok(-185_000)),
            ("0.0000", UNDECLARED, Ok(0)),
            ("22.0000000000", UNDECLARED, Ok(220_000)),
            ("22.00005", UNDECLARED, Err(Flaw::Decimals)),
            ("1.234", UNDECLARED, Err(Flaw::AmbiguousAmount)),
            ("18,50", UNDECLARED, Err(Flaw::AmbiguousAmount)),
            ("1,234.56", UNDECLARED, Err(Flaw::AmbiguousAmount)),
            ("1.234,56", UNDECLARED, Err(Flaw::AmbiguousAmount)),
            ("1.234", ENGLISH, Ok(12_340)),
            ("1,234.56", ENGLISH, Ok(12_345_600)),
            ("1,234,567", ENGLISH, Ok(12_345_670_000)),
            ("12,34.56", ENGLISH, Err(Flaw::Amount)),
            ("1,2345", ENGLISH, Err(Flaw::Amount)),
            ("1.234,56", GERMAN, Ok(12_345_600)),
            ("18,5", GERMAN, Ok(185_000)),
            ("18.5", GERMAN, Err(Flaw::Amount)),
            // A number of thousands never begins with 0: the mark is a decimal one.
            ("0.500", GERMAN, Err(Flaw::Amount)),
            ("-0.001", GERMAN, Err(Flaw::Amount)),
            ("00.125", GERMAN, Err(Flaw::Amount)),
            ("012.345,00", GERMAN, Err(Flaw::Amount)),
            ("0,125", ENGLISH, Err(Flaw::Amount)),
            ("0,50", GERMAN, Ok(5_000)),
            ("007,50", GERMAN, Ok(75_000)),
            ("1.234", GERMAN, Ok(12_340_000)),
            ("1234567890", UNDECLARED, Err(Flaw::TooLarge)),
            ("999999999.9999", UNDECLARED, Ok(9_999_999_999_999)),
            ("1e3", UNDECLARED, Err(Flaw::Amount)),
            ("NaN", UNDECLARED, Err(Flaw::Amount)),
            (".5", UNDECLARED, Err(Flaw::Amount)),
            // As CAKE writes amounts. A comma alone may be a spreadsheet's decimal mark.
            ("1.125", CAKE, Ok(11_250)),
            ("1,018.00", CAKE, Ok(10_180_000)),
            ("1,018.125", CAKE, Ok(10_181_250)),
            ("1,234,567.8", CAKE, Ok(12_345_678_000)),
            ("1,234", CAKE, Err(Flaw::AmbiguousAmount)),
            ("18,50", CAKE, Err(Flaw::AmbiguousAmount)),
            ("1234,50", CAKE, Err(Flaw::AmbiguousAmount)),
            ("1.234,50", CAKE, Err(Flaw::AmbiguousAmount)),
            ("7.33333", CAKE, Ok(73_333)),
            ("7.33335", CAKE, Ok(73_334)),
            ("-7.33335", CAKE, Ok(-73_334)),
            ("7.3333500000", CAKE, Ok(73_334)),
            ("7.3333499999", CAKE, Ok(73_333)),
            ("0.00001", CAKE, Ok(0)),
            ("0.99999", CAKE, Ok(10_000)),
            ("999999999.99995", CAKE, Err(Flaw::TooLarge)),
            ("5.", UNDECLARED, Err(Flaw::Amount)),
            ("$5.00", UNDECLARED, Err(Flaw::Amount)),
            ("--5", UNDECLARED, Err(Flaw::Amount)),
        ] {
            assert_eq!(plain(text, format), expected, "{text}");
        }
        let cake = NumberFormat {
            has_symbol: true,
            ..ENGLISH
        };
        for (text, format, expected) in [
            ("$1,018.00", cake, Ok(10_180_000)),
            ("-€18.00", cake, Ok(-180_000)),
            ("€-18.00", cake, Ok(-180_000)),
            ("- € 18.00", cake, Ok(-180_000)),
            ("($1,018.00)", cake, Ok(-10_180_000)),
            ("$(18.00)", cake, Err(Flaw::Amount)),
            ("(18.00)", cake, Ok(-180_000)),
            ("(-18.00)", cake, Err(Flaw::Amount)),
            ("18.00-", cake, Ok(-180_000)),
            ("-18.00-", cake, Err(Flaw::Amount)),
            ("18.00 USD", cake, Ok(180_000)),
            ("USD 18.00", cake, Ok(180_000)),
            ("US$ 18.00", cake, Ok(180_000)),
            ("$18.00 USD", cake, Err(Flaw::Amount)),
            ("$", cake, Err(Flaw::Amount)),
            ("()", cake, Err(Flaw::Amount)),
            ("NaN", cake, Err(Flaw::Amount)),
            ("1e3", cake, Err(Flaw::Amount)),
            ("(18.00)", ENGLISH, Err(Flaw::Amount)),
        ] {
            assert_eq!(plain(text, format), expected, "{text}");
        }
    }

    #[test]
    fn json_numbers_may_have_exponents() {
        for (text, expected) in [
            ("1.8e1", Ok(180_000)),
            ("18E0", Ok(180_000)),
            ("1.234", Ok(12_340)),
            ("25e-1", Ok(25_000)),
            ("1e-5", Err(Flaw::Decimals)),
            ("1e20", Err(Flaw::TooLarge)),
            ("0e999", Ok(0)),
        ] {
            assert_eq!(
                read(text.as_bytes(), UNDECLARED, true, b""),
                expected,
                "{text}"
            );
        }
        for (text, expected) in [
            ("1e-5", Ok(0)),
            ("5e-5", Ok(1)),
            ("73333.35e-4", Ok(73_333)),
            ("73333.5e-4", Ok(73_334)),
            ("1e-99", Ok(0)),
            ("7.33333e0", Ok(73_333)),
            // What was cut off may count again.
            ("7.33333e1", Err(Flaw::Decimals)),
            ("7.33333", Ok(73_333)),
        ] {
            assert_eq!(read(text.as_bytes(), CAKE, true, b""), expected, "{text}");
        }
    }

    #[test]
    fn smallest_units_depend_on_the_currency() {
        let stripe = NumberFormat {
            is_smallest: true,
            ..UNDECLARED
        };
        for (text, currency, expected) in [
            ("1800", "usd", Ok(180_000)),
            ("1800", "jpy", Ok(18_000_000)),
            ("1800", "kwd", Ok(18_000)),
            ("1800", "isk", Ok(180_000)),
            ("1800", "ugx", Ok(180_000)),
            ("-1800", "eur", Ok(-180_000)),
            ("18.00", "usd", Err(Flaw::SmallestUnit)),
            ("1800", "", Err(Flaw::SmallestUnit)),
        ] {
            assert_eq!(
                read(text.as_bytes(), stripe, true, currency.as_bytes()),
                expected
            );
        }
    }

    #[test]
    fn a_percentage_is_rounded_half_away_from_zero() {
        for (units, percent, expected) in [
            (2_200_000, 100_000, 220_000),
            (1_000_500, 100_000, 100_100),
            (-1_000_500, 100_000, -100_100),
            (333_300, 33_333, 11_100),
        ] {
            assert_eq!(percent_of(units, percent), expected);
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_agree(units in -9_999_999_999_999_i64..9_999_999_999_999) {
            let mut text = String::new();
            write(&mut text, units);
            let format = NumberFormat { decimal: b'.', ..UNDECLARED };
            prop_assert_eq!(plain(&text, format), Ok(units));
        }

        #[test]
        fn plain_amounts_are_read_as_all_are(text in " ?-?[0-9]{0,10}[.,]?[0-9]{0,3}", is_number: bool, decimal in prop_oneof![Just(0), Just(b'.'), Just(b',')], is_smallest: bool) {
            let format = NumberFormat { decimal, is_smallest, ..UNDECLARED };
            if let Some(units) = super::plain(text.as_bytes(), format, is_number) {
                prop_assert_eq!(read(text.as_bytes(), format, is_number, b"USD"), Ok(units));
            }
        }
    }
}
