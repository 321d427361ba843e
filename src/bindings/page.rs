//! The landing page's clicks. All that crosses is bytes, one at a time, and
//! numbers: neither glue, nor an allocator, nor a converter of UTF-8 is shipped
//! (docs/decisions.md has the bytes).

use crate::click_id::LandingClick;
use crate::touch::{Attribution, TouchPolicy};
use crate::url::{Sink, cut_bytes};
use std::sync::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// The most bytes of a text that crosses.
const BYTES: usize = 16_384;

/// A text in a place of its own. What does not fit in is left out.
struct Text {
    bytes: [u8; BYTES],
    length: usize,
}

impl Text {
    const EMPTY: Self = Self {
        bytes: [0; BYTES],
        length: 0,
    };

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Sink for Text {
    fn push_byte(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }

    fn length(&self) -> usize {
        self.length
    }

    fn truncate(&mut self, length: usize) {
        self.length = length;
    }
}

/// What JavaScript has put, and what it may get. There is one thread, and the
/// core never calls back: the lock is always free, and compiles to a flag.
static TEXTS: Mutex<[Text; 2]> = Mutex::new([Text::EMPTY, Text::EMPTY]);

/// Appends a byte to the input of the next [`decide`].
#[wasm_bindgen]
pub fn put(byte: u8) {
    if let Ok(mut texts) = TEXTS.try_lock() {
        let [input, _] = &mut *texts;
        input.push_byte(byte);
    }
}

/// A byte of the answer; 0 past its end.
#[must_use]
#[wasm_bindgen]
pub fn get(at: usize) -> u8 {
    let texts = TEXTS.try_lock();
    let byte = texts.ok().and_then(|texts| {
        let [_, answer] = &*texts;
        answer.as_bytes().get(at).copied()
    });
    byte.unwrap_or_default()
}

/// Decides what a visit leaves behind, as [`TouchPolicy::write_update`] does. The
/// settings are those of [`TouchPolicy::new`]; `now_s` is the time in seconds
/// since 1970.
///
/// The input has four fields, separated by line feeds: the address's query as it
/// stands; the names of the click id's parameter, the preferred one first,
/// separated by `&`; the cookie's copies, separated by `;`; and storage's text. The
/// answer has two: the text to be stored, and the click id that counts; none
/// where there is no click id.
///
/// Returns the cookie's `Max-Age` where the text is to be written, else 0; below
/// zero a setting is out of its range: -1 the window, -2 the journey, -3 the cookie's days.
#[must_use]
#[wasm_bindgen]
pub fn decide(
    is_first_touch: bool,
    window_days: u32,
    journey: usize,
    cookie_days: u32,
    now_s: u32,
) -> i32 {
    let Ok(mut texts) = TEXTS.try_lock() else {
        return 0;
    };
    let [input, answer] = &mut *texts;
    answer.length = 0;
    let attribution = if is_first_touch {
        Attribution::FirstTouch
    } else {
        Attribution::LastTouch
    };
    let policy = match TouchPolicy::from_settings(attribution, window_days, journey, cookie_days) {
        Ok(policy) => policy,
        Err(setting) => {
            input.length = 0;
            return setting as i32;
        }
    };
    let (query, rest) = cut_bytes(input.as_bytes(), b'\n');
    let (names, rest) = cut_bytes(rest.unwrap_or_default(), b'\n');
    let (cookies, storage) = cut_bytes(rest.unwrap_or_default(), b'\n');
    let arrival = LandingClick::find(query, &names.split(|byte| *byte == b'&'));
    let stores = [cookies, storage.unwrap_or_default()];
    let decision = policy.write_update(arrival.as_ref(), &stores, now_s, answer);
    if !decision.click_id.is_empty() {
        answer.push_byte(b'\n');
        answer.push_bytes(decision.click_id);
    }
    let age = decision.max_age_s.unwrap_or_default();
    input.length = 0;
    age.cast_signed()
}
