//! Touches: clicks that reached a landing page, as cookie and storage hold them, and their update
//! after a visit. The module `click_id` finds the click ids.
//!
//! Page and edge decide by the same code, which reads bytes, writes into a `Sink` and allocates no
//! memory. Times are seconds since 1970 in 32 bits, which last until 2106.

mod time;

use crate::click_id::LandingClick;
use crate::url::{END_OF_FIELD, Sink, decode, push_escape, push_pairs, take};
use crate::{Error, Result, click_id};
use time::{MAX_TIME_BYTES, is_ahead, push_time, read_time};

/// The default window of a touch, in days.
pub const DEFAULT_WINDOW_DAYS: u32 = 30;

/// The longest window of a touch, in days: the longest that browsers keep a cookie.
pub(crate) const MAX_WINDOW_DAYS: u32 = 400;

/// The default number of touches that are kept.
pub const DEFAULT_JOURNEY: usize = 5;

/// The most touches that are kept.
pub(crate) const MAX_JOURNEY: usize = 20;

/// The most bytes of the stored text: a cookie holds 4,096 with its name,
/// attributes and signature.
pub const MAX_STORED_BYTES: usize = 3_000;

const DAY_S: u32 = 86_400;

/// The start of the stored text: the version of its form.
const VERSION: &[u8] = b"1";

/// A stored click that reached the landing page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// CAKE's click id.
    pub click_id: String,
    /// The time of arrival: milliseconds since 1970, in whole seconds.
    pub(crate) at_ms: u64,
    /// The parameter that carried the click id.
    pub(crate) parameter: String,
    /// `s1` … `s5`.
    pub(crate) sub_ids: [Option<String>; 5],
}

/// Writes the click of an address as a touch: `TIME!PARAMETER!CLICK_ID!s1!…!s5`. The time is in
/// seconds, base 36; texts are percent-encoded, and empty ends left out.
pub(crate) fn push_click(click: &LandingClick<'_>, now_s: u32, out: &mut impl Sink) {
    push_time(out, now_s);
    out.push_byte(b'!');
    push_field(out, click.parameter);
    out.push_byte(b'!');
    out.push_bytes(click.id);
    let mut end = out.length();
    for index in 0..5 {
        let value = click.sub_id(index);
        out.push_byte(b'!');
        push_field(out, value);
        if !value.is_empty() {
            end = out.length();
        }
    }
    out.truncate(end);
}

/// Writes a field, percent-encoded: the letters of click ids stay as they are.
#[inline(never)]
fn push_field(out: &mut impl Sink, value: &[u8]) {
    for byte in value {
        if click_id::is_letter(*byte) {
            out.push_byte(*byte);
        } else {
            push_escape(out, *byte);
        }
    }
}

/// Stored touches, one after the other: those within their window, the newest first. Unreadable
/// ones are skipped. [`next`](Self::next) reads each in place, which takes few bytes of code.
#[derive(Default)]
struct Touches<'a> {
    rest: &'a [u8],
    /// The text that follows `rest`.
    after: &'a [u8],
    /// The time of the touch's arrival.
    at_s: u32,
    /// `PARAMETER!CLICK_ID!s1!…!s5`.
    text: &'a [u8],
    click_id: &'a [u8],
    /// The length of the text without sub ids.
    bare: usize,
}

impl<'a> Touches<'a> {
    /// The touches of a stored text.
    fn of(text: &'a [u8]) -> Self {
        let mut touches = Self {
            rest: text,
            ..Self::default()
        };
        take(&mut touches.rest, b'*');
        touches
    }

    /// Moves to the next touch; false where there is none.
    #[inline(never)]
    fn next(&mut self, now_s: u32, window_s: u32) -> bool {
        loop {
            if self.rest.is_empty() {
                self.rest = core::mem::take(&mut self.after);
            }
            if self.rest.is_empty() {
                return false;
            }
            let mut text = take(&mut self.rest, b'*');
            self.at_s = read_time(take(&mut text, b'!'));
            self.text = text;
            self.bare = take(&mut text, b'!').len() + 1;
            self.click_id = take(&mut text, b'!');
            self.bare += self.click_id.len();
            // A wrong clock's time would never expire: the window starts now instead.
            if is_ahead(self.at_s, now_s) {
                self.at_s = now_s;
            }
            if self.at_s > 0
                && now_s.saturating_sub(self.at_s) < window_s
                && click_id::is_click_id_bytes(self.click_id)
            {
                return true;
            }
        }
    }

    /// Like [`next`](Self::next), for touches of all times.
    fn next_of_all(&mut self) -> bool {
        self.next(u32::MAX - 1, u32::MAX)
    }

    fn bare(&self) -> &'a [u8] {
        self.text.get(..self.bare).unwrap_or_default()
    }

    fn touch(&self) -> Touch {
        let mut sub_ids = self.text.get(self.bare + 1..).unwrap_or_default();
        let [mut parameter, click_id] = [self.text, self.click_id];
        Touch {
            click_id: text_of(click_id),
            at_ms: u64::from(self.at_s) * 1_000,
            parameter: text_of(take(&mut parameter, b'!')),
            sub_ids: [(); 5].map(|()| {
                Some(text_of(take(&mut sub_ids, b'!'))).filter(|value| !value.is_empty())
            }),
        }
    }
}

/// A field of a stored text, decoded.
fn text_of(field: &[u8]) -> String {
    decode(core::str::from_utf8(field).unwrap_or_default()).into_owned()
}

/// The time when a text was written; 0 for an unreadable text or a later version.
fn written_s(text: &[u8]) -> u32 {
    let mut rest = text;
    let is_readable = take(&mut rest, b'!') == VERSION
        && text.len() <= 2 * MAX_STORED_BYTES
        && Touches::of(text).next_of_all();
    if is_readable {
        read_time(take(&mut rest, b'*'))
    } else {
        0
    }
}

/// The copy in all stores that was written last, and its time; empty where there is none. A copy
/// that a wrong clock dated into the future counts as older than any other.
fn latest(mut stores: &[u8], now_s: u32) -> (&[u8], u32) {
    let mut latest: (&[u8], u32) = (b"", 0);
    while !stores.is_empty() {
        let mut copies = take(&mut stores, END_OF_FIELD);
        while !copies.is_empty() {
            let copy = take(&mut copies, b';');
            let mut at_s = written_s(copy);
            if is_ahead(at_s, now_s) {
                at_s = 1;
            }
            if at_s > latest.1 {
                latest = (copy, at_s);
            }
        }
    }
    latest
}

/// Has each of the stores a copy of the text?
fn is_in_all(text: &[u8], mut stores: &[u8]) -> bool {
    let mut is_in_all = true;
    while !stores.is_empty() {
        let mut copies = take(&mut stores, END_OF_FIELD);
        let mut is_there = false;
        while !copies.is_empty() {
            is_there |= take(&mut copies, b';') == text;
        }
        is_in_all &= is_there;
    }
    is_in_all
}

/// Reads the touches of a stored text for attribution: the newest first, expired ones too. An
/// unreadable text or a later version has none.
#[must_use]
pub fn read_journey(text: &str) -> Vec<Touch> {
    let is_readable = written_s(text.as_bytes()) > 0;
    let mut touches = Touches::of(text.as_bytes());
    let all = core::iter::from_fn(|| touches.next_of_all().then(|| touches.touch()));
    all.take(if is_readable { MAX_JOURNEY } else { 0 })
        .collect()
}

/// The touch that counts when there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attribution {
    /// The newest one.
    #[default]
    LastTouch,
    /// The oldest one within the window.
    FirstTouch,
}

/// The rules for keeping touches.
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
    /// Takes the settings. `window_days` is 1 to 400, the longest that browsers keep a cookie.
    /// `journey`, the number of touches that are kept, is 1 to 20. `cookie_days` is how long the
    /// browser keeps the cookie, where that is shorter than the window. Safari keeps cookies that a
    /// script writes for 7 days.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`].
    pub fn new(
        attribution: Attribution,
        window_days: u32,
        journey: usize,
        cookie_days: u32,
    ) -> Result<Self> {
        let days = 1..=MAX_WINDOW_DAYS;
        let parameter = if !days.contains(&window_days) {
            "windowDays"
        } else if !(1..=MAX_JOURNEY).contains(&journey) {
            "journey"
        } else if !days.contains(&cookie_days) {
            "cookieDays"
        } else {
            return Ok(Self::from_checked(
                attribution,
                window_days,
                journey,
                cookie_days,
            ));
        };
        Err(Error::InvalidSetting { parameter })
    }

    /// [`new`](Self::new) for settings that have been checked.
    pub(crate) fn from_checked(
        attribution: Attribution,
        window_days: u32,
        journey: usize,
        cookie_days: u32,
    ) -> Self {
        Self {
            attribution,
            window_days,
            journey,
            cookie_days,
        }
    }

    /// Decides the update after a visit. `address` is the visit's URL without fragment, or a bare
    /// query; empty where it is not to be read. `stores` are the texts of cookie and storage, empty
    /// where there is none; semicolons separate several copies in one. A known click id does not
    /// move the clock. The text is written anew for a new touch, where a store lacks it, and past
    /// half the cookie's life.
    #[must_use]
    pub fn keep(
        &self,
        address: &str,
        parameters: &click_id::LandingParameters<'_>,
        stores: &[&str],
        now_ms: u64,
    ) -> TouchUpdate {
        let (mut pairs, mut click) = (String::new(), Vec::new());
        let names = parameters.names();
        let seconds = u32::try_from(now_ms / 1_000).unwrap_or(u32::MAX);
        push_pairs(&mut pairs, address);
        if let Some(found) = LandingClick::find(pairs.as_bytes(), names.as_bytes()) {
            push_click(&found, seconds, &mut click);
        }
        let end = char::from(END_OF_FIELD);
        let mut kept = String::new();
        for store in stores {
            kept.push_str(store);
            kept.push(end);
        }
        let mut text = String::new();
        let decision = self.write_update(&click, kept.as_bytes(), seconds, &mut text);
        let click_id = String::from_utf8_lossy(decision.click_id);
        let max_age = u64::from(decision.max_age_s);
        TouchUpdate {
            click_id: (!click_id.is_empty()).then(|| click_id.into_owned()),
            text,
            max_age_seconds: (max_age > 0).then_some(max_age),
            is_expired: decision.is_expired,
        }
    }

    /// Decides as [`keep`](Self::keep) does, and writes the text to be stored. `click` is the
    /// output of [`push_click`] for the address's click; each store ends with [`END_OF_FIELD`].
    pub(crate) fn write_update<'a>(
        &self,
        click: &'a [u8],
        stores: &'a [u8],
        now_s: u32,
        out: &mut impl Sink,
    ) -> Decision<'a> {
        let is_first = self.attribution == Attribution::FirstTouch;
        let window_s = self.window_days * DAY_S;
        let (latest, written_s) = latest(stores, now_s);
        let earlier = Touches::of(latest).rest;
        let mut touches = Touches {
            rest: click,
            ..Touches::default()
        };
        touches.next(now_s, window_s);
        let (mut arrival, own) = (click, touches.click_id);
        touches.rest = earlier;
        let (mut live, mut newest_s, mut oldest_bytes) = (0, now_s, 0);
        while touches.next(now_s, window_s) {
            // The same click id does not move the clock.
            if touches.click_id == own {
                arrival = b"";
            }
            if live == 0 {
                newest_s = touches.at_s;
            }
            oldest_bytes = touches.bare + MAX_TIME_BYTES;
            live += 1;
        }
        if !arrival.is_empty() {
            newest_s = now_s;
            live += 1;
        }
        let mut decision = Decision {
            is_expired: live == 0 && !latest.is_empty(),
            ..Decision::default()
        };
        if live == 0 {
            return decision;
        }
        let start = out.length();
        out.push_bytes(VERSION);
        out.push_byte(b'!');
        push_time(out, now_s);
        let head = out.length();
        let mut places = self.journey;
        (touches.rest, touches.after) = (arrival, earlier);
        while touches.next(now_s, window_s) {
            live -= 1;
            if is_first || decision.click_id.is_empty() {
                decision.click_id = touches.click_id;
            }
            // The first touch is written last: its place stays free.
            let is_kept = is_first && live > 0;
            let end = start + MAX_STORED_BYTES - if is_kept { oldest_bytes } else { 0 };
            if places == usize::from(is_kept) {
                continue;
            }
            // Sub ids are removed first, then the oldest touches except for the one that counts.
            let before = out.length();
            let mut text = touches.text;
            loop {
                out.push_byte(b'*');
                push_time(out, touches.at_s);
                out.push_byte(b'!');
                out.push_bytes(text);
                if out.length() <= end {
                    places -= 1;
                    break;
                }
                out.truncate(before);
                if text.len() == touches.bare {
                    break;
                }
                text = touches.bare();
            }
        }
        let life_s = self.cookie_days.min(self.window_days) * DAY_S;
        if out.since(head + 1) == earlier
            && is_in_all(latest, stores)
            && now_s.saturating_sub(written_s) < life_s / 2
        {
            out.truncate(start);
            out.push_bytes(latest);
        } else {
            let end_s = newest_s.saturating_add(window_s);
            decision.max_age_s = end_s.saturating_sub(now_s).min(life_s).max(1);
        }
        decision
    }
}

/// The decision; the text is written already.
#[derive(Default)]
pub(crate) struct Decision<'a> {
    /// The click id that counts; empty where there is none.
    pub(crate) click_id: &'a [u8],
    /// The cookie's `Max-Age` where the text is to be written, else 0.
    pub(crate) max_age_s: u32,
    /// Are all stored touches past their window?
    pub(crate) is_expired: bool,
}

/// The update of cookie and storage after a visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TouchUpdate {
    /// The click id that counts, by the policy.
    pub click_id: Option<String>,
    /// The text to be stored, or the stored one: `1!WRITTEN` and a part for each live touch, the
    /// newest first (see [`read_journey`]). It has at most [`MAX_STORED_BYTES`], and is safe in a
    /// cookie as it is. Empty where there is none.
    pub text: String,
    /// The cookie's `Max-Age`, in seconds, where the text is to be written into cookie and storage;
    /// otherwise `None`.
    pub max_age_seconds: Option<u64>,
    /// Are all stored touches past their window, so that they may be deleted?
    pub(crate) is_expired: bool,
}

#[cfg(test)]
mod tests;
