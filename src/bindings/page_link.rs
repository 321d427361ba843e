//! Tracking links in a page. All that crosses is a text in one buffer of
//! characters: neither glue nor a converter of UTF-8 or of numbers is shipped.

use super::field_reader::{FieldReader, write_link};
use crate::host::Domain;
use crate::link::TEST_AFFILIATE;
use crate::url::{push_encoded, push_number, read_number};
use crate::{Error, Result};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use lol_alloc::{LeakingAllocator, LockedAllocator};
use std::sync::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes memory and never gives it back: the two texts are kept from link to
/// link, and only the name of a repeated parameter takes more.
#[global_allocator]
static ALLOCATOR: LockedAllocator<LeakingAllocator> = LockedAllocator::new(LeakingAllocator::new());

/// The most characters of a text that crosses.
const CHARACTERS: usize = 16_384;

/// Atomic, so that sharing it with JavaScript is safe; it compiles to plain memory.
static BUFFER: [AtomicU32; CHARACTERS] = [const { AtomicU32::new(0) }; CHARACTERS];

/// The text of the buffer, and the answer: kept, because [`ALLOCATOR`] frees nothing.
static TEXTS: Mutex<[String; 2]> = Mutex::new([String::new(), String::new()]);

/// Where the buffer is in the module's memory.
#[must_use]
#[wasm_bindgen]
pub fn buffer() -> *const u32 {
    BUFFER.as_ptr().cast()
}

/// Builds a link from the first `length` characters of the buffer, whose fields
/// end with line feeds, and leaves it there, in ASCII: says how long it is.
/// Below zero there is an error instead: a digit of base 36, its place in `ERRORS`
/// of js/page/link.ts, and its parameter, percent-encoded.
///
/// The fields: flags (1 the domain is a sandbox's, and those of [`write_link`]),
/// affiliate id, creative id, all in base 36, the domain, and what `write_link`
/// takes.
#[must_use]
#[wasm_bindgen]
pub fn build(length: usize) -> isize {
    // Nobody else decides meanwhile: there is one thread, and the core never calls back.
    let Ok(mut texts) = TEXTS.try_lock() else {
        return 0;
    };
    let [text, answer] = &mut *texts;
    text.clear();
    answer.clear();
    for slot in BUFFER.iter().take(length) {
        let character = char::from_u32(slot.load(Relaxed));
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    let mut sign = 1;
    if let Err(error) = link(&mut FieldReader::new(text), answer) {
        sign = -1;
        let (number, parameter) = parts_of(&error);
        answer.clear();
        push_number(answer, number, 36);
        push_encoded(answer, parameter);
    }
    let mut length = 0;
    for (slot, byte) in BUFFER.iter().zip(answer.bytes()) {
        slot.store(u32::from(byte), Relaxed);
        length += sign;
    }
    length
}

/// Its place in `ERRORS` of js/page/link.ts, and its parameter where it has more than one.
fn parts_of(error: &Error) -> (u64, &str) {
    match error {
        Error::InvalidDomain => (0, ""),
        Error::InvalidId { parameter } => (1, parameter),
        Error::SubIdTooLong { parameter } => (2, parameter),
        Error::InvalidText { parameter } => (3, parameter),
        Error::LinkTooLong => (4, ""),
        Error::InvalidPriceFormat => (5, ""),
        Error::InvalidDeepLink => (6, ""),
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

/// What is no number counts as 0, for which the core has a rule.
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
