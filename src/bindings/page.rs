//! The landing page's clicks. Only numbers cross, and texts byte by byte. So neither glue, nor an
//! allocator, nor a converter of UTF-8 is shipped (docs/decisions.md has the bytes).

use crate::click_id::LandingClick;
use crate::touch::{Attribution, TouchPolicy, push_click};
use crate::url::{END_OF_FIELD, Sink, take};
use std::sync::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// The most bytes of a text that crosses.
const BYTES: usize = 65_536;

/// A text in a buffer of its own. Bytes that do not fit are dropped.
struct Text {
    bytes: [u8; BYTES],
    length: usize,
}

impl Text {
    #[expect(clippy::large_stack_arrays, reason = "statics alone are made of it")]
    const EMPTY: Self = Self {
        bytes: [0; BYTES],
        length: 0,
    };
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Sink for Text {
    // One function for all writers keeps the module small.
    #[inline(never)]
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

    fn since(&self, length: usize) -> &[u8] {
        self.as_ref().get(length..).unwrap_or_default()
    }
}

/// The input of JavaScript, the answer to it, and a buffer for the work between. There is one
/// thread, and the core never calls back: the lock is always free, and compiles to a flag.
static TEXTS: Mutex<[Text; 3]> = Mutex::new([const { Text::EMPTY }; 3]);

/// Appends a byte to the input of the next [`decide`].
#[wasm_bindgen]
pub fn put(byte: u8) {
    if let Ok(mut texts) = TEXTS.try_lock() {
        let [input, ..] = &mut *texts;
        input.push_byte(byte);
    }
}

/// A byte of the answer; 0 past its end.
#[must_use]
#[wasm_bindgen]
pub fn get(at: usize) -> u8 {
    let texts = TEXTS.try_lock();
    let byte = texts.ok().and_then(|texts| {
        let [_, answer, ..] = &*texts;
        answer.as_ref().get(at).copied()
    });
    byte.unwrap_or_default()
}

/// Decides which touches a visit stores, as [`TouchPolicy::write_update`] does. The settings are
/// those of [`TouchPolicy::new`], checked by js/page/settings.ts; `now_s` is the time in seconds
/// since 1970.
///
/// The input has four fields, each ended by [`END_OF_FIELD`]. The first has the names of the click
/// id's parameter, separated by line feeds, the preferred one first. The second has the pairs of
/// the address's query, as `push_pairs` of `src/url.rs` writes them. The third has the cookie's
/// copies, separated by `;`. The fourth is storage's text.
///
/// The answer has two fields, separated by a line feed: the text to be stored, and the click id
/// that counts. The click id is empty where there is none.
///
/// Returns the cookie's `Max-Age` where the text is to be written, else 0.
#[must_use]
#[wasm_bindgen]
pub fn decide(
    is_first_touch: bool,
    window_days: u32,
    journey: usize,
    cookie_days: u32,
    now_s: u32,
) -> u32 {
    let Ok(mut texts) = TEXTS.try_lock() else {
        return 0;
    };
    let [input, answer, click] = &mut *texts;
    answer.length = 0;
    click.length = 0;
    let attribution = if is_first_touch {
        Attribution::FirstTouch
    } else {
        Attribution::LastTouch
    };
    let policy = TouchPolicy::from_checked(attribution, window_days, journey, cookie_days);
    let mut fields = input.as_ref();
    let names = take(&mut fields, END_OF_FIELD);
    let pairs = take(&mut fields, END_OF_FIELD);
    if let Some(found) = LandingClick::find(pairs, names) {
        push_click(&found, now_s, click);
    }
    let decision = policy.write_update(click.as_ref(), fields, now_s, answer);
    answer.push_byte(b'\n');
    answer.push_bytes(decision.click_id);
    let age = decision.max_age_s;
    input.length = 0;
    age
}
