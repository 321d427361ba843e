//! Near misses: keys that differ only in their spelling.

use super::{Class, Hint, Judge};
use crate::report::Report;
use crate::report::memory::hash;

impl Judge {
    /// Unmatched keys that are nearly the same: a hint, never a match.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn find_hints(&mut self, report: &mut Report) {
        let mut memory = report.memory;
        let mut entries: Vec<(u64, u32, u8)> = Vec::new();
        // The digits that remain of keys that a spreadsheet has shortened.
        let mut mantissas = 0_u32;
        let mut shown = Vec::new();
        for collect in [false, true] {
            for is_order in [true, false] {
                let [orders, conversions] = &self.left;
                let (store, places, class) = if is_order {
                    (&report.orders, orders, Class::MissingAtCake)
                } else {
                    (&report.conversions, conversions, Class::UnknownToAdvertiser)
                };
                for &place in places {
                    if store
                        .head(place)
                        .is_none_or(|head| head.class != class as u8)
                    {
                        continue;
                    }
                    for &key in &report.settings.keys {
                        let text = store.text(place, key);
                        if text.is_empty() {
                            continue;
                        }
                        let tag = u8::from(!is_order) << 7 | u8::try_from(key).unwrap_or(0);
                        let exponent = exponent_form(text);
                        if !collect {
                            if let Some((digits, _)) = &exponent {
                                mantissas |= 1 << digits.len().min(31);
                            }
                            continue;
                        }
                        let mut add = |form: &[u8]| {
                            memory
                                .extend(&mut entries, &[(hash(form, 1), place, tag)])
                                .is_some()
                        };
                        let mut is_kept = true;
                        if let Some((digits, power)) = exponent {
                            short_form(&digits, power, &mut shown);
                            is_kept &= add(&shown);
                        } else {
                            plain_form(text, &mut shown);
                            is_kept &= add(&shown);
                            let plain = shown.clone();
                            if plain.len() > 6 && plain.iter().all(u8::is_ascii_digit) {
                                for length in (2..16).filter(|length| mantissas & 1 << length != 0)
                                {
                                    if let Some((digits, power)) = rounded(&plain, length) {
                                        short_form(&digits, power, &mut shown);
                                        is_kept &= add(&shown);
                                    }
                                }
                            }
                        }
                        if !is_kept {
                            self.verdicts.lacks_hints = true;
                            return;
                        }
                    }
                }
            }
        }
        entries.sort_unstable_by_key(|&(hash, place, tag)| (hash, tag & 127, tag >> 7, place));
        let mut rest = entries.as_slice();
        while let Some(&(form, _, first)) = rest.first() {
            let length = rest
                .iter()
                .take_while(|&&(hash, _, tag)| hash == form && tag & 127 == first & 127)
                .count();
            let (group, tail) = rest.split_at(length.max(1));
            rest = tail;
            let split = group.partition_point(|&(_, _, tag)| tag < 128);
            let (orders, conversions) = group.split_at(split);
            // Each row of the longer side has a neighbour, too: the last row of the shorter side.
            let (Some(last_order), Some(last_conversion)) = (orders.last(), conversions.last())
            else {
                continue;
            };
            for index in 0..orders.len().max(conversions.len()) {
                let order = orders.get(index).unwrap_or(last_order);
                let conversion = conversions.get(index).unwrap_or(last_conversion);
                self.verdicts.hints.push(Hint {
                    order: order.1,
                    conversion: conversion.1,
                    key: order.2,
                });
            }
        }
        self.verdicts
            .hints
            .sort_unstable_by_key(|hint| (hint.order, hint.conversion, hint.key));
        self.verdicts
            .hints
            .dedup_by_key(|hint| (hint.order, hint.conversion));
    }
}

/// The key without case, blanks, `#`, apostrophes and leading zeros.
#[cfg_attr(small_cold, optimize(size))]
pub(crate) fn plain_form(text: &[u8], form: &mut Vec<u8>) {
    form.clear();
    for &byte in text {
        let is_passed = byte.is_ascii_whitespace()
            || matches!(byte, b'#' | b'\'' | b'"')
            || (byte == b'0' && form.is_empty());
        if !is_passed {
            form.push(byte.to_ascii_lowercase());
        }
    }
    // A no-break space is a blank as well.
    if let Some(at) = form.windows(2).position(|pair| pair == "\u{A0}".as_bytes()) {
        form.drain(at..at + 2);
    }
}

/// The digits and the exponent of `1,79536E+12`.
#[cfg_attr(small_cold, optimize(size))]
pub(crate) fn exponent_form(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let text = text.trim_ascii();
    let at = text.iter().position(|byte| matches!(byte, b'E' | b'e'))?;
    let (mantissa, power) = text.split_at(at);
    let power = power.get(1..)?;
    let power = power.strip_prefix(b"+").unwrap_or(power);
    let power: usize = core::str::from_utf8(power).ok()?.parse().ok()?;
    let (&first, rest) = mantissa.split_first()?;
    let rest = match rest {
        [] => rest,
        [b'.' | b',', digits @ ..] => digits,
        _ => return None,
    };
    if !first.is_ascii_digit() || !rest.iter().all(u8::is_ascii_digit) || power > 30 {
        return None;
    }
    let mut digits = vec![first];
    digits.extend(rest);
    Some((digits, power))
}

/// The first digits of a long number, rounded as a spreadsheet rounds, and its exponent.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn rounded(number: &[u8], length: usize) -> Option<(Vec<u8>, usize)> {
    let mut power = number.len() - 1;
    let mut digits = number.get(..length)?.to_vec();
    if *number.get(length)? >= b'5' {
        let mut carries = true;
        for digit in digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                carries = false;
                break;
            }
            *digit = b'0';
        }
        if carries {
            digits.insert(0, b'1');
            digits.pop();
            power += 1;
        }
    }
    Some((digits, power))
}

pub(super) fn short_form(digits: &[u8], power: usize, form: &mut Vec<u8>) {
    form.clear();
    form.extend_from_slice(b"\0E");
    form.push(u8::try_from(power).unwrap_or(0));
    form.extend_from_slice(digits);
}
