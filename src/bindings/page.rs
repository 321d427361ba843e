//! The landing page's clicks. Only numbers cross, and texts byte by byte. So neither glue, nor an
//! allocator, nor a converter of UTF-8 is shipped (docs/decisions.md has the bytes).

use crate::tape::Tape;
use crate::touch::{Attribution, TouchPolicy};
use crate::url::Sink;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use wasm_bindgen::prelude::wasm_bindgen;

/// The most bytes of the input; the other half is for the answer and for the work between. An address takes at most
/// three bytes for each character that js/page/query.ts reads of it; the stores take some thousands.
const BYTES: usize = 0x2_0000;

/// The tape, and where it ends. There is one thread: an atomic compiles to a plain number, and needs no lock.
static TAPE: [AtomicU8; 2 * BYTES] = [const { AtomicU8::new(0) }; 2 * BYTES];
static LENGTH: AtomicUsize = AtomicUsize::new(0);

struct Page;

/// The byte at a place. One function for all readers keeps the module small. A caller of one that returns a `u8` would
/// clear the upper bits once more.
#[inline(never)]
fn number_at(at: usize) -> u32 {
    TAPE.get(at)
        .map(|byte| u32::from(byte.load(Relaxed)))
        .unwrap_or_default()
}

impl Sink for Page {
    #[inline(never)]
    fn push_byte(&mut self, byte: u8) {
        let at = LENGTH.load(Relaxed);
        if let Some(slot) = TAPE.get(at) {
            slot.store(byte, Relaxed);
            LENGTH.store(at + 1, Relaxed);
        }
    }
}

impl Tape for Page {
    fn byte(&self, at: usize) -> u8 {
        u8::try_from(number_at(at)).unwrap_or_default()
    }

    fn length(&self) -> usize {
        LENGTH.load(Relaxed)
    }

    fn truncate(&mut self, length: usize) {
        LENGTH.store(length, Relaxed);
    }

    fn is_missing(&self, _start: usize, _end: usize) -> bool {
        false
    }
}

/// Sets a byte of the input of the next [`decide`], in the order of their places. Bytes that do not fit are dropped.
#[wasm_bindgen]
pub fn put(byte: u8, at: usize) {
    if at < BYTES {
        LENGTH.store(at, Relaxed);
        Page.push_byte(byte);
    }
}

/// A byte of the answer; 0 past its end.
#[must_use]
#[wasm_bindgen]
pub fn reply(at: usize) -> u8 {
    Page.byte(Page.length() + at)
}

/// Decides which touches a visit stores, as [`TouchPolicy::write_update`] does. The settings are
/// those of [`TouchPolicy::new`], checked by js/page/settings.ts. `came_s` is when the visit came, `now_s` the present
/// time, both in seconds since 1970.
///
/// The input has the fields of [`TouchPolicy::write_update`]. The stores are the cookie's copies and storage's text.
///
/// The answer has two fields, separated by a line feed: the text to be stored, and the click id
/// that counts. The click id is empty where there is none.
///
/// Returns the cookie's `Max-Age`; 0 where the text is empty. The script writes the text where a store lacks it.
#[must_use]
#[wasm_bindgen]
pub fn decide(
    is_first_touch: bool,
    window_days: u32,
    journey: usize,
    cookie_days: u32,
    came_s: u32,
    now_s: u32,
) -> u32 {
    let attribution = if is_first_touch {
        Attribution::FirstTouch
    } else {
        Attribution::LastTouch
    };
    let policy = TouchPolicy::from_checked(attribution, window_days, journey, cookie_days);
    // The box of a type without size takes no memory. A place on the stack would bring the stack into the module.
    let tape = Box::leak(Box::new(Page));
    let decision = policy.write_update(tape, came_s, now_s);
    tape.push_byte(b'\n');
    decision.push_click_id(tape);
    tape.push_byte(0);
    // The place of the answer.
    tape.truncate(decision.text);
    decision.max_age_s
}
