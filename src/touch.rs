//! Touches: clicks that reached a landing page, as cookie and storage hold them, and what a visit
//! leaves behind. How a click id is found is `click_id`'s.
//!
//! Page and edge decide by the same code, which reads bytes, writes into a
//! `Sink` and asks for no memory. Times are seconds since 1970 in 32 bits,
//! which last until 2106.

use crate::click_id::LandingClick;
use crate::url::{Sink, cut_bytes, decode, push_encoded_bytes, push_pairs};
use crate::{Error, Result, click_id};

/// How long a touch counts by default, in days.
pub const DEFAULT_WINDOW_DAYS: u32 = 30;

/// How long a touch counts at most: the longest that browsers keep a cookie.
pub const MAX_WINDOW_DAYS: u32 = 400;

/// How many touches are kept by default.
pub const DEFAULT_JOURNEY: usize = 5;

/// The most touches that are kept.
pub const MAX_JOURNEY: usize = 20;

/// The most bytes of the stored text: a cookie holds 4,096 with its name,
/// attributes and signature.
pub const MAX_STORED_BYTES: usize = 3_000;

const DAY_S: u32 = 86_400;

/// How the stored text starts: the version of its form.
const VERSION: &[u8] = b"1!";

/// A click that reached the landing page, as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// CAKE's click id.
    pub click_id: String,
    /// When it arrived: milliseconds since 1970, in whole seconds.
    pub at_ms: u64,
    /// The parameter that carried it.
    pub parameter: String,
    /// `s1` … `s5`.
    pub sub_ids: [Option<String>; 5],
}

/// One touch of the stored text: `TIME!PARAMETER!CLICK_ID!s1!…!s5`, the time in
/// seconds, base 36, texts percent-encoded, empty ends left out.
#[derive(Clone, Copy)]
struct StoredTouch<'a> {
    at_s: u32,
    click_id: &'a [u8],
    /// `PARAMETER!CLICK_ID`.
    bare: &'a [u8],
    /// `s1!…!s5`; nothing where there are none.
    sub_ids: Option<&'a [u8]>,
}

impl<'a> StoredTouch<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let (time, rest) = cut_bytes(text, b'!');
        Self::new(read_time(time)?, rest?)
    }

    /// `text` is what follows the time.
    fn new(at_s: u32, text: &'a [u8]) -> Option<Self> {
        let (parameter, after) = cut_bytes(text, b'!');
        let (click_id, sub_ids) = cut_bytes(after?, b'!');
        let bare = text.get(..=parameter.len() + click_id.len())?;
        click_id::is_click_id_bytes(click_id).then_some(Self {
            at_s,
            click_id,
            bare,
            sub_ids,
        })
    }

    #[inline(never)]
    fn write(&self, at_s: u32, has_sub_ids: bool, out: &mut impl Sink) {
        out.push_byte(b'*');
        push_time(out, at_s);
        out.push_byte(b'!');
        out.push_bytes(self.bare);
        if let Some(sub_ids) = self.sub_ids.filter(|_| has_sub_ids) {
            out.push_byte(b'!');
            out.push_bytes(sub_ids);
        }
    }

    fn touch(self) -> Touch {
        let mut rest = self.sub_ids;
        let sub_ids = [(); 5].map(|()| {
            let (field, tail) = cut_bytes(rest?, b'!');
            rest = tail;
            Some(text_of(field)).filter(|value| !value.is_empty())
        });
        Touch {
            click_id: text_of(self.click_id),
            at_ms: u64::from(self.at_s) * 1_000,
            parameter: text_of(cut_bytes(self.bare, b'!').0),
            sub_ids,
        }
    }
}

/// A field of a stored text, decoded.
fn text_of(field: &[u8]) -> String {
    decode(core::str::from_utf8(field).unwrap_or_default()).into_owned()
}

/// Writes a click of an address as a touch without its time: `PARAMETER!CLICK_ID!s1!…`.
pub(crate) fn push_click(click: &LandingClick<'_>, out: &mut impl Sink) {
    push_encoded_bytes(out, click.parameter);
    out.push_byte(b'!');
    out.push_bytes(click.id);
    let mut skipped = 0;
    for value in click.sub_ids {
        skipped += 1;
        if !value.is_empty() {
            for _ in 0..skipped {
                out.push_byte(b'!');
            }
            skipped = 0;
            push_encoded_bytes(out, value);
        }
    }
}

/// The touches of a stored text, at most [`MAX_JOURNEY`]; unreadable ones left out.
#[derive(Clone, Default)]
struct StoredTouches<'a> {
    rest: Option<&'a [u8]>,
    left: usize,
}

impl<'a> Iterator for StoredTouches<'a> {
    type Item = StoredTouch<'a>;

    #[inline(never)]
    fn next(&mut self) -> Option<StoredTouch<'a>> {
        while self.left > 0 {
            let (text, tail) = cut_bytes(self.rest?, b'*');
            self.rest = tail;
            if let Some(touch) = StoredTouch::read(text) {
                self.left -= 1;
                return Some(touch);
            }
        }
        None
    }
}

/// A stored text that is readable; empty where there is none.
#[derive(Default)]
struct StoredText<'a> {
    text: &'a [u8],
    written_s: u32,
    touches: StoredTouches<'a>,
}

impl<'a> StoredText<'a> {
    /// Nothing where the text is unreadable as a whole, or of a later version.
    fn read(text: &'a [u8]) -> Option<Self> {
        let rest = text
            .strip_prefix(VERSION)
            .filter(|_| text.len() <= 2 * MAX_STORED_BYTES)?;
        let (time, rest) = cut_bytes(rest, b'*');
        let touches = StoredTouches {
            rest,
            left: MAX_JOURNEY,
        };
        touches.clone().next()?;
        Some(Self {
            text,
            written_s: read_time(time)?,
            touches,
        })
    }

    /// Of all copies in all stores the one that was written last. A copy that a
    /// wrong clock dated into the future is older than any other.
    #[inline(never)]
    fn latest(stores: &[&'a [u8]], now_s: u32) -> Self {
        let mut latest = Self::default();
        for store in stores {
            for copy in copies(store) {
                if let Some(mut other) = Self::read(copy) {
                    if is_ahead(other.written_s, now_s) {
                        other.written_s = 0;
                    }
                    if latest.text.is_empty() || other.written_s > latest.written_s {
                        latest = other;
                    }
                }
            }
        }
        latest
    }
}

/// The copies of the text that a store holds, separated by semicolons: a browser
/// may send several cookies of one name.
fn copies(store: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(store);
    core::iter::from_fn(move || {
        let (copy, tail) = cut_bytes(rest?, b';');
        rest = tail;
        Some(copy)
    })
}

/// Is this time more than a day ahead of the clock? Then one of both clocks was
/// wrong, and the time says nothing.
fn is_ahead(at_s: u32, now_s: u32) -> bool {
    at_s > now_s.saturating_add(DAY_S)
}

/// Reads the touches of a stored text, the newest first, expired ones too; for
/// attribution. What is unreadable or of a later version has none.
#[must_use]
pub fn read_journey(text: &str) -> Vec<Touch> {
    let touches = StoredText::read(text.as_bytes()).map(|stored| stored.touches);
    let touches = touches.into_iter().flatten();
    touches.map(StoredTouch::touch).collect()
}

/// Reads a time of 1 to 7 digits in base 36, small letters.
#[inline(never)]
fn read_time(digits: &[u8]) -> Option<u32> {
    let mut time = 0_u32;
    for byte in digits {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            _ => return None,
        };
        time = time.wrapping_mul(36).wrapping_add(u32::from(digit));
    }
    // What is longer does not fit into 32 bits, and not all of seven digits does.
    (matches!(digits.len(), 1..=6) || digits.len() == 7 && digits.first() == Some(&b'1'))
        .then_some(time)
}

/// Writes a time as [`read_time`] reads it.
#[inline(never)]
fn push_time(out: &mut impl Sink, time: u32) {
    let rest = time / 36;
    if rest > 0 {
        push_time(out, rest);
    }
    let digit = u8::try_from(time - rest * 36).unwrap_or(0);
    let zero = if digit < 10 { b'0' } else { b'a' - 10 };
    out.push_byte(zero + digit);
}

/// Which touch counts when there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attribution {
    /// The newest one.
    #[default]
    LastTouch,
    /// The oldest one within the window.
    FirstTouch,
}

/// A setting that is out of its range, by the number that the page has for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting {
    WindowDays = -1,
    Journey = -2,
    CookieDays = -3,
}

/// How touches are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TouchPolicy {
    attribution: Attribution,
    window_days: u32,
    journey: usize,
    cookie_days: u32,
}

impl Default for TouchPolicy {
    fn default() -> Self {
        Self {
            attribution: Attribution::LastTouch,
            window_days: DEFAULT_WINDOW_DAYS,
            journey: DEFAULT_JOURNEY,
            cookie_days: DEFAULT_WINDOW_DAYS,
        }
    }
}

impl TouchPolicy {
    /// Takes the settings: the window in days (1 to 400, the longest that
    /// browsers keep a cookie), how many touches are kept (1 to 20), and how
    /// long the browser keeps the cookie, in days, where that is shorter than
    /// the window (Safari: 7 for cookies that a script writes).
    ///
    /// # Errors
    /// [`Error::InvalidSetting`].
    pub fn new(
        attribution: Attribution,
        window_days: u32,
        journey: usize,
        cookie_days: u32,
    ) -> Result<Self> {
        Self::from_settings(attribution, window_days, journey, cookie_days).map_err(|setting| {
            Error::InvalidSetting {
                parameter: match setting {
                    Setting::WindowDays => "windowDays",
                    Setting::Journey => "journey",
                    Setting::CookieDays => "cookieDays",
                },
            }
        })
    }

    /// [`new`](Self::new) without a name in its error, for the page.
    pub(crate) fn from_settings(
        attribution: Attribution,
        window_days: u32,
        journey: usize,
        cookie_days: u32,
    ) -> Result<Self, Setting> {
        let days = 1..=MAX_WINDOW_DAYS;
        if !days.contains(&window_days) {
            return Err(Setting::WindowDays);
        }
        if !(1..=MAX_JOURNEY).contains(&journey) {
            return Err(Setting::Journey);
        }
        if !days.contains(&cookie_days) {
            return Err(Setting::CookieDays);
        }
        Ok(Self {
            attribution,
            window_days,
            journey,
            cookie_days,
        })
    }

    /// The window, in days.
    #[must_use]
    pub fn window_days(&self) -> u32 {
        self.window_days
    }

    /// Decides what a visit leaves behind whose address has this query. `stores`
    /// are the texts of cookie and storage, empty where there is none; several
    /// copies in one are separated by semicolons. A click id that is known
    /// already does not move the clock. The text is written anew for a new
    /// touch, where a store lacks it, and past half the cookie's life.
    #[must_use]
    pub fn keep(
        &self,
        query: &str,
        parameters: &click_id::LandingParameters<'_>,
        stores: &[&str],
        now_ms: u64,
    ) -> TouchUpdate {
        let (mut pairs, mut click) = (String::new(), Vec::new());
        push_pairs(&mut pairs, query);
        if let Some(found) = parameters.find_in(&pairs) {
            push_click(&found, &mut click);
        }
        let stores: Vec<&[u8]> = stores.iter().map(|store| store.as_bytes()).collect();
        let seconds = u32::try_from(now_ms / 1_000).unwrap_or(u32::MAX);
        let mut text = String::new();
        let decision = self.write_update(&click, &stores, seconds, &mut text);
        let click_id = String::from_utf8_lossy(decision.click_id);
        TouchUpdate {
            click_id: (!click_id.is_empty()).then(|| click_id.into_owned()),
            text,
            max_age_seconds: decision.max_age_s.map(u64::from),
            is_expired: decision.is_expired,
        }
    }

    /// Decides as [`keep`](Self::keep) does, and writes the text to be stored.
    /// `click` is what [`push_click`] has written of the address's click.
    pub(crate) fn write_update<'a>(
        &self,
        click: &'a [u8],
        stores: &[&'a [u8]],
        now_s: u32,
        out: &mut impl Sink,
    ) -> Decision<'a> {
        let latest = StoredText::latest(stores, now_s);
        let mut tally = self.tally(&latest, StoredTouch::new(now_s, click), now_s);
        if tally.live == 0 {
            tally.decision.is_expired = !latest.text.is_empty();
            return tally.decision;
        }
        let life_s = self.cookie_days.min(self.window_days) * DAY_S;
        let has_every_store = stores
            .iter()
            .all(|store| copies(store).any(|copy| copy == latest.text));
        if tally.has_changed
            || !has_every_store
            || now_s.saturating_sub(latest.written_s) >= life_s / 2
        {
            let end_s = tally.newest_s.saturating_add(self.window_days * DAY_S);
            tally.decision.max_age_s = Some(end_s.saturating_sub(now_s).min(life_s).max(1));
            self.write(&latest, &tally, now_s, out);
        } else {
            out.push_bytes(latest.text);
        }
        tally.decision
    }

    /// When a touch has arrived, where it is within its window. A wrong clock's
    /// time would never end: then the window starts now.
    fn time_of(&self, touch: &StoredTouch<'_>, now_s: u32) -> Option<u32> {
        if is_ahead(touch.at_s, now_s) {
            return Some(now_s);
        }
        let is_live = now_s.saturating_sub(touch.at_s) < self.window_days * DAY_S;
        is_live.then_some(touch.at_s)
    }

    /// Counts the touches, and finds the one that counts.
    #[inline(never)]
    fn tally<'a>(
        &self,
        latest: &StoredText<'a>,
        arrival: Option<StoredTouch<'a>>,
        now_s: u32,
    ) -> Tally<'a> {
        let mut tally = Tally {
            arrival,
            ..Tally::default()
        };
        for touch in latest.touches.clone() {
            let at_s = self.time_of(&touch, now_s);
            tally.has_changed |= at_s != Some(touch.at_s);
            if let Some(at_s) = at_s {
                // The same click id does not move the clock.
                tally.arrival = tally.arrival.filter(|own| own.click_id != touch.click_id);
                if tally.live == 0 {
                    tally.newest_s = at_s;
                }
                if tally.live == 0 || self.is_first_touch() {
                    tally.decision.click_id = touch.click_id;
                    tally.counting_bytes = touch.bare.len() + MAX_TIME_BYTES;
                }
                tally.live += 1;
            }
        }
        if let Some(arrival) = tally.arrival {
            tally.has_changed = true;
            tally.newest_s = now_s;
            if tally.live == 0 || !self.is_first_touch() {
                tally.decision.click_id = arrival.click_id;
            }
            tally.live += 1;
        }
        tally.has_changed |= tally.live > self.journey;
        tally
    }

    fn is_first_touch(&self) -> bool {
        self.attribution == Attribution::FirstTouch
    }

    /// Writes the touches. Sub ids give way first, then the oldest touches, but
    /// for the one that counts.
    fn write(&self, latest: &StoredText<'_>, tally: &Tally<'_>, now_s: u32, out: &mut impl Sink) {
        let end = out.length() + MAX_STORED_BYTES;
        out.push_bytes(VERSION);
        push_time(out, now_s);
        let is_first = self.is_first_touch();
        let mut places = self.journey;
        let mut left = tally.live;
        let mut arrival = tally.arrival;
        let mut stored = latest.touches.clone();
        while let Some(touch) = arrival.take().or_else(|| stored.next()) {
            let Some(at_s) = self.time_of(&touch, now_s) else {
                continue;
            };
            left -= 1;
            // The first touch is written last: its place is kept free.
            let (reserved, reserved_places) = if is_first && left > 0 {
                (tally.counting_bytes, 1)
            } else {
                (0, 0)
            };
            if places == reserved_places {
                continue;
            }
            let start = out.length();
            for has_sub_ids in [true, false] {
                touch.write(at_s, has_sub_ids, out);
                if out.length() + reserved <= end {
                    places -= 1;
                    break;
                }
                out.truncate(start);
            }
        }
    }
}

/// A separator and the digits of a time, at most.
const MAX_TIME_BYTES: usize = 8;

/// What is decided; the text is written already.
#[derive(Default)]
pub(crate) struct Decision<'a> {
    /// The click id that counts; empty where there is none.
    pub(crate) click_id: &'a [u8],
    /// The cookie's `Max-Age` where the text is to be written.
    pub(crate) max_age_s: Option<u32>,
    /// Is all that was stored past its window?
    pub(crate) is_expired: bool,
}

/// What the touches within their window come to.
#[derive(Default)]
struct Tally<'a> {
    live: usize,
    /// The new one, unless it is known.
    arrival: Option<StoredTouch<'a>>,
    /// When the newest one arrived.
    newest_s: u32,
    /// How many bytes the one that counts takes without its sub ids.
    counting_bytes: usize,
    /// Is the stored text not what is to be stored?
    has_changed: bool,
    decision: Decision<'a>,
}

/// What a visit leaves in cookie and storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TouchUpdate {
    /// The click id that counts, by the policy.
    pub click_id: Option<String>,
    /// The text to be stored, or that is: `1!WRITTEN` and a part for each live
    /// touch, the newest first (see [`read_journey`]); at most
    /// [`MAX_STORED_BYTES`], safe in a cookie as it is. Empty where there is none.
    pub text: String,
    /// Is the text to be written into cookie and storage? If so, the cookie's
    /// `Max-Age`, in seconds.
    pub max_age_seconds: Option<u64>,
    /// Is all that was stored past its window, so that it may be deleted?
    pub is_expired: bool,
}

#[cfg(test)]
mod tests;
