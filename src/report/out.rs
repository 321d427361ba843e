//! Writes answers for JavaScript as JSON text: the platform parses text faster than it converts values.

use super::amount;
use super::store::{NO_AMOUNT, NO_TIME};
use crate::Error;

/// Writes one JSON text.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) text: String,
    needs_comma: bool,
}

impl Writer {
    fn comma(&mut self) {
        if self.needs_comma {
            self.text.push(',');
        }
        self.needs_comma = true;
    }

    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn open(&mut self, bracket: char) {
        self.comma();
        self.text.push(bracket);
        self.needs_comma = false;
    }

    pub(super) fn close(&mut self, bracket: char) {
        self.text.push(bracket);
        self.needs_comma = true;
    }

    pub(super) fn key(&mut self, name: &str) {
        self.comma();
        quote(&mut self.text, name.as_bytes());
        self.text.push(':');
        self.needs_comma = false;
    }

    pub(super) fn string(&mut self, text: &[u8]) {
        self.comma();
        quote(&mut self.text, text);
    }

    /// A whole number.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn number(&mut self, number: u64) {
        self.comma();
        amount::write_digits(&mut self.text, number, 1);
    }

    /// A number for display, with nine decimal places.
    pub(super) fn float(&mut self, number: f64) {
        self.comma();
        if !number.is_finite() {
            self.text.push_str("null");
            return;
        }
        if number < 0.0 {
            self.text.push('-');
        }
        let billionths = (number.abs() * 1e9).round();
        let whole = to_u64(billionths);
        amount::write_digits(&mut self.text, whole / 1_000_000_000, 1);
        self.text.push('.');
        amount::write_digits(&mut self.text, whole % 1_000_000_000, 9);
    }

    /// An exact amount, as text.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn amount(&mut self, units: i128) {
        self.comma();
        self.text.push('"');
        write_sum(&mut self.text, units);
        self.text.push('"');
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.comma();
        self.text.push_str(if value { "true" } else { "false" });
    }

    pub(super) fn text_of(&mut self, name: &str, text: &[u8]) {
        if !text.is_empty() {
            self.key(name);
            self.string(text);
        }
    }

    pub(super) fn number_of(&mut self, name: &str, number: u64) {
        self.key(name);
        self.number(number);
    }

    pub(super) fn amount_of(&mut self, name: &str, units: i64) {
        if units != NO_AMOUNT {
            self.key(name);
            self.amount(i128::from(units));
        }
    }

    pub(super) fn time_of(&mut self, name: &str, seconds: u32) {
        if seconds != NO_TIME {
            self.key(name);
            self.comma();
            self.text.push('"');
            super::day::write(&mut self.text, seconds);
            self.text.push('"');
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large becomes the largest number"
)]
fn to_u64(number: f64) -> u64 {
    number as u64
}

/// A sum may have more digits than one amount.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn write_sum(output: &mut String, units: i128) {
    let limit = i128::from(i64::MAX);
    if units.abs() <= limit {
        amount::write(output, i64::try_from(units).unwrap_or(0));
        return;
    }
    // Fifteen digits at a time.
    if units < 0 {
        output.push('-');
    }
    let units = units.unsigned_abs();
    let group = 10_u128.pow(15);
    let low = i64::try_from(units % group).unwrap_or(0);
    let high = u64::try_from(units / group).unwrap_or(u64::MAX);
    amount::write_digits(output, high, 1);
    let mut rest = String::new();
    amount::write(&mut rest, low);
    // Eleven of the fifteen digits stand before the decimal point.
    for _ in rest.find('.').unwrap_or(0)..11 {
        output.push('0');
    }
    output.push_str(&rest);
}

/// A text as JSON; bytes that are not UTF-8 are replaced.
pub(super) fn quote(output: &mut String, text: &[u8]) {
    output.push('"');
    // Nearly every text has nothing to escape.
    let is_plain = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    match core::str::from_utf8(text) {
        Ok(text) if text.bytes().all(is_plain) => output.push_str(text),
        _ => escape(output, text),
    }
    output.push('"');
}

#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn escape(output: &mut String, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' => output.push_str("\\\""),
                '\\' => output.push_str("\\\\"),
                '\n' => output.push_str("\\n"),
                '\u{0}'..'\u{20}' => {
                    output.push_str("\\u00");
                    for digit in [u32::from(character) >> 4, u32::from(character) & 15] {
                        output.push(char::from_digit(digit, 16).unwrap_or('0'));
                    }
                }
                _ => output.push(character),
            }
        }
        if !chunk.invalid().is_empty() {
            output.push('\u{FFFD}');
        }
    }
}

/// An error as JSON text: its code, rule and parameter.
#[must_use]
pub(crate) fn of_error(error: &Error) -> String {
    let mut writer = Writer::default();
    writer.open('{');
    writer.text_of("code", error.code().as_bytes());
    writer.text_of("rule", error.rule().as_bytes());
    writer.text_of("parameter", error.parameter().unwrap_or("").as_bytes());
    writer.close('}');
    writer.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_json() {
        let mut writer = Writer::default();
        writer.open('{');
        writer.text_of("a\"b", "line\n\u{1}\\ é".as_bytes());
        writer.number_of("n", 7);
        writer.amount_of("m", -15_000);
        writer.time_of("t", 86_400 * 365);
        writer.key("f");
        writer.float(0.25);
        writer.key("l");
        writer.open('[');
        writer.number(1);
        writer.bool(true);
        writer.close(']');
        writer.key("s");
        writer.amount(123_456_789_012_345_678_901_234_i128);
        writer.close('}');
        let value: serde_json::Value = serde_json::from_str(&writer.text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a\"b": "line\n\u{1}\\ é", "n": 7, "m": "-1.50", "t": "1971-01-01 00:00:00", "f": 0.25, "l": [1, true], "s": "12345678901234567890.1234"})
        );
        let mut text = String::new();
        write_sum(&mut text, 10_i128.pow(20));
        assert_eq!(text, "10000000000000000.00");
    }
}
