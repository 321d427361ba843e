//! Tracking links in a page. Texts cross character by character: neither glue nor a converter of
//! UTF-8 or of numbers is shipped.

use super::field_reader::{FieldReader, write_link};
use crate::host::Domain;
use crate::link::TEST_AFFILIATE;
use crate::url::{push_encoded, push_number, read_number};
use crate::{Error, Result};
use lol_alloc::{LeakingAllocator, LockedAllocator};
use std::sync::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// Allocates and never frees. The two texts are reused from link to link; only the name of a
/// repeated parameter takes more.
#[global_allocator]
static ALLOCATOR: LockedAllocator<LeakingAllocator> = LockedAllocator::new(LeakingAllocator::new());

/// The input of JavaScript and the answer to it, reused because [`ALLOCATOR`] frees nothing. There
/// is one thread, and the core never calls back: the lock is always free.
static TEXTS: Mutex<[String; 2]> = Mutex::new([String::new(), String::new()]);

/// Appends a character to the input of the next [`build`]. Half a character, as a cut through an
/// emoji leaves it, is left out.
#[wasm_bindgen]
pub fn push(character: u32) {
    if let Ok(mut texts) = TEXTS.try_lock() {
        let [input, _] = &mut *texts;
        if let Some(character) = char::from_u32(character) {
            input.push(character);
        }
    }
}

/// A byte of the answer, which is ASCII; 0 past its end.
#[must_use]
#[wasm_bindgen]
pub fn byte(at: usize) -> u8 {
    let texts = TEXTS.try_lock();
    let byte = texts.ok().and_then(|texts| {
        let [_, answer] = &*texts;
        answer.as_bytes().get(at).copied()
    });
    byte.unwrap_or_default()
}

/// Builds a link from the input, whose fields end with line feeds, and returns whether that
/// succeeded. The answer is then the link, else an error: a digit of base 36, its place in `ERRORS`
/// of js/page/link.ts, and its parameter, percent-encoded.
///
/// The fields start with the flags, the affiliate id and the creative id, all in base 36. Then come
/// the domain, and the fields of [`write_link`]. Flag 1 says that the domain is a sandbox's; the
/// other flags are those of `write_link`.
#[must_use]
#[wasm_bindgen]
pub fn build() -> bool {
    let Ok(mut texts) = TEXTS.try_lock() else {
        return false;
    };
    let [input, answer] = &mut *texts;
    answer.clear();
    let built = link(&mut FieldReader::new(input), answer);
    if let Err(error) = &built {
        let (number, parameter) = parts_of(error);
        answer.clear();
        push_number(answer, number, 36);
        push_encoded(answer, parameter);
    }
    input.clear();
    built.is_ok()
}

/// The error's place in `ERRORS` of js/page/link.ts, and its parameter where there are several.
fn parts_of(error: &Error) -> (u64, &str) {
    match error {
        Error::InvalidDomain | Error::InvalidSandboxOrigin => (0, ""),
        Error::InvalidId { parameter } => (1, parameter),
        Error::SubIdTooLong { parameter } => (2, parameter),
        Error::InvalidText { parameter } => (3, parameter),
        Error::LinkTooLong => (4, ""),
        Error::InvalidPriceFormat => (5, ""),
        Error::InvalidDeepLink { .. } => (6, ""),
        Error::DeepLinkHost => (7, ""),
        Error::ReservedParameter { parameter } => (8, parameter),
        Error::RepeatedParameter { parameter } => (9, parameter),
        _ => (10, ""),
    }
}

fn link(texts: &mut FieldReader<'_>, answer: &mut String) -> Result<()> {
    let flags = number(texts);
    let ids = [id(texts), id(texts)];
    Domain::push(answer, texts.next(), flags & 1 != 0)?;
    write_link(texts, flags, ids, answer)
}

/// A text that is no number counts as 0, for which the core has a rule.
fn number(texts: &mut FieldReader<'_>) -> u64 {
    read_number(texts.next().as_bytes(), 36).unwrap_or_default()
}

fn id(texts: &mut FieldReader<'_>) -> i64 {
    match texts.next() {
        "-1" => TEST_AFFILIATE,
        text => read_number(text.as_bytes(), 36)
            .unwrap_or_default()
            .cast_signed(),
    }
}
