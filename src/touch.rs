//! Touches: clicks that reached a landing page, as cookie and storage hold them, and what a visit
//! leaves behind. How a click id is found is `click_id`'s.

use crate::click_id::{FoundClick, is_click_id};
use crate::url::{self, push_encoded, push_number, read_number};
use crate::{Error, Result};

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

const DAY_S: u64 = 86_400;

/// A click that the landing page's address carries, as much of it as is stored.
#[derive(Clone, Copy)]
pub(crate) struct LandingClick<'a> {
    click_id: &'a str,
    parameter: &'a str,
    sub_ids: [&'a str; 5],
}

impl<'a> LandingClick<'a> {
    fn from_found(found: &'a FoundClick<'_>) -> Self {
        let mut sub_ids = [""; 5];
        for (slot, sub_id) in sub_ids.iter_mut().zip(&found.sub_ids) {
            *slot = sub_id.as_deref().unwrap_or_default();
        }
        Self {
            click_id: &found.click_id,
            parameter: found.parameter,
            sub_ids,
        }
    }

    /// From the decoded first values of a landing page's parameters: names and
    /// values of the click id's, the preferred one first, after `s1` … `s5`.
    #[cfg(any(test, all(target_family = "wasm", feature = "page")))]
    pub(crate) fn from_params(mut next: impl FnMut() -> Option<&'a str>) -> Option<Self> {
        let mut sub_ids = [""; 5];
        for (index, slot) in sub_ids.iter_mut().enumerate() {
            *slot = next()?;
            if !crate::click_id::is_sub_id(slot) || crate::sub_id::check(index, slot).is_err() {
                *slot = "";
            }
        }
        loop {
            let parameter = next()?;
            let click_id = next()?;
            if is_click_id(click_id) {
                return Some(Self {
                    click_id,
                    parameter,
                    sub_ids,
                });
            }
        }
    }
}

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

/// One touch's part of the stored text: `TIME!PARAMETER!CLICK_ID!s1!…!s5`, the
/// time in seconds, base 36, texts percent-encoded, empty ends left out.
#[derive(Clone, Copy)]
struct StoredTouch<'a> {
    text: &'a str,
    /// The same without its sub ids.
    bare: &'a str,
    at_s: u64,
    click_id: &'a str,
}

impl<'a> StoredTouch<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (time, rest) = url::cut(text, b'!');
        let (click_id, sub_ids) = url::cut(url::cut(rest?, b'!').1?, b'!');
        is_click_id(click_id).then_some(())?;
        let end = sub_ids.map_or(0, |sub_ids| sub_ids.len() + 1);
        Some(Self {
            text,
            bare: text.get(..text.len() - end)?,
            at_s: read_number(time.as_bytes(), 36)?,
            click_id,
        })
    }

    fn touch(self) -> Touch {
        let mut rest = url::cut(self.text, b'!').1;
        let mut next = || {
            let (field, tail) = url::cut(rest?, b'!');
            rest = tail;
            Some(url::decode(field).into_owned())
        };
        let parameter = next().unwrap_or_default();
        let click_id = next().unwrap_or_default();
        let sub_ids = [(); 5].map(|()| next().filter(|value| !value.is_empty()));
        Touch {
            click_id,
            at_ms: self.at_s.saturating_mul(1_000),
            parameter,
            sub_ids,
        }
    }
}

fn push_touch(out: &mut String, arrival: &LandingClick<'_>, at_s: u64) {
    push_number(out, at_s, 36);
    out.push('!');
    push_encoded(out, arrival.parameter);
    out.push('!');
    out.push_str(arrival.click_id);
    let mut skipped = 0;
    for value in &arrival.sub_ids {
        skipped += 1;
        if !value.is_empty() {
            for _ in 0..skipped {
                out.push('!');
            }
            skipped = 0;
            push_encoded(out, value);
        }
    }
}

/// The touches of a stored text, at most [`MAX_JOURNEY`]; unreadable ones left out.
#[derive(Clone)]
struct StoredTouches<'a> {
    rest: Option<&'a str>,
    left: usize,
}

impl StoredTouches<'_> {
    /// These after a new one; `all` holds their text.
    fn preceded_by<'b>(
        self,
        arrival: &LandingClick<'_>,
        now_s: u64,
        all: &'b mut String,
    ) -> StoredTouches<'b> {
        push_touch(all, arrival, now_s);
        if let Some(rest) = self.rest {
            all.push('*');
            all.push_str(rest);
        }
        StoredTouches {
            rest: Some(all),
            left: MAX_JOURNEY + 1,
        }
    }
}

impl<'a> Iterator for StoredTouches<'a> {
    type Item = StoredTouch<'a>;

    fn next(&mut self) -> Option<StoredTouch<'a>> {
        while self.left > 0 {
            let (text, tail) = url::cut(self.rest?, b'*');
            self.rest = tail;
            if let Some(touch) = StoredTouch::read(text) {
                self.left -= 1;
                return Some(touch);
            }
        }
        None
    }
}

/// How the stored text starts: the version of its form.
const VERSION: &str = "1!";

/// A stored text that is readable; empty where there is none.
struct StoredText<'a> {
    text: &'a str,
    written_s: u64,
    touches: StoredTouches<'a>,
}

impl<'a> StoredText<'a> {
    /// Nothing where the text is unreadable as a whole, or of a later version.
    fn read(text: &'a str) -> Option<Self> {
        let rest = text
            .strip_prefix(VERSION)
            .filter(|_| text.len() <= 2 * MAX_STORED_BYTES)?;
        let (time, rest) = url::cut(rest, b'*');
        let touches = StoredTouches {
            rest,
            left: MAX_JOURNEY,
        };
        touches.clone().next()?;
        Some(Self {
            text,
            written_s: read_number(time.as_bytes(), 36)?,
            touches,
        })
    }

    /// Of several texts the one that was written last.
    fn latest(stored: &[Option<&'a str>]) -> Self {
        let mut latest = Self {
            text: "",
            written_s: 0,
            touches: StoredTouches {
                rest: None,
                left: 0,
            },
        };
        for text in stored.iter().copied().flatten() {
            if let Some(other) = Self::read(text)
                && (latest.text.is_empty() || other.written_s > latest.written_s)
            {
                latest = other;
            }
        }
        latest
    }
}

/// Reads the touches of a stored text, the newest first, expired ones too; for
/// attribution. What is unreadable or of a later version has none.
#[must_use]
pub fn read_journey(text: &str) -> Vec<Touch> {
    let touches = StoredText::read(text).map(|stored| stored.touches);
    touches
        .into_iter()
        .flatten()
        .map(StoredTouch::touch)
        .collect()
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
        let check = |parameter, holds: bool| {
            if holds {
                Ok(())
            } else {
                Err(Error::InvalidSetting { parameter })
            }
        };
        check("windowDays", (1..=MAX_WINDOW_DAYS).contains(&window_days))?;
        check("journey", (1..=MAX_JOURNEY).contains(&journey))?;
        check("cookieDays", (1..=MAX_WINDOW_DAYS).contains(&cookie_days))?;
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

    /// Decides what a visit leaves behind. `stored` are the texts of cookie and
    /// storage, `None` where there is none. A click id that is known already
    /// does not move the clock. The text is written anew for a new touch, where
    /// a store lacks it, and past half the cookie's life.
    #[must_use]
    pub fn keep(
        &self,
        found: Option<&FoundClick<'_>>,
        stored: &[Option<&str>],
        now_ms: u64,
    ) -> TouchUpdate {
        let arrival = found.map(LandingClick::from_found);
        let mut kept = TouchUpdate::default();
        let mut click_id = None;
        kept.is_expired = self.write_update(
            arrival.as_ref(),
            stored,
            now_ms / 1_000,
            &mut kept.text,
            |_, counting, max_age_seconds| {
                click_id = Some((counting.to_owned(), max_age_seconds));
            },
        );
        if let Some((click_id, max_age_seconds)) = click_id {
            kept.click_id = Some(click_id);
            kept.max_age_seconds = max_age_seconds;
        }
        kept
    }

    /// Decides as [`keep`](Self::keep) does, and writes the text to be stored
    /// after what `head` writes of the click id that counts and of the cookie's
    /// age. Says, where there is no click id, whether all was expired.
    pub(crate) fn write_update(
        &self,
        arrival: Option<&LandingClick<'_>>,
        stored: &[Option<&str>],
        now_s: u64,
        out: &mut String,
        head: impl FnOnce(&mut String, &str, Option<u64>),
    ) -> bool {
        let latest = StoredText::latest(stored);
        let mut is_due = stored.iter().any(|other| *other != Some(latest.text));
        let mut with_arrival = String::new();
        let touches = match arrival {
            Some(arrival) if self.is_new(arrival, &latest.touches, now_s) => {
                is_due = true;
                latest
                    .touches
                    .preceded_by(arrival, now_s, &mut with_arrival)
            }
            _ => latest.touches,
        };
        let tally = self.tally(touches.clone(), now_s);
        if tally.live == 0 {
            return !latest.text.is_empty();
        }
        let life_s = u64::from(self.cookie_days.min(self.window_days)) * DAY_S;
        is_due |= tally.has_expired || tally.live > self.journey;
        is_due |= now_s.saturating_sub(latest.written_s) >= life_s / 2;
        let left_s = (tally.newest_s + self.window_s()).saturating_sub(now_s);
        let max_age_s = is_due.then(|| left_s.min(life_s).max(1));
        head(out, tally.counting, max_age_s);
        if is_due {
            self.write(touches, &tally, now_s, out);
        } else {
            out.push_str(latest.text);
        }
        false
    }

    fn window_s(&self) -> u64 {
        u64::from(self.window_days) * DAY_S
    }

    fn is_live(&self, touch: &StoredTouch<'_>, now_s: u64) -> bool {
        now_s.saturating_sub(touch.at_s) < self.window_s()
    }

    /// Is no live touch of this click known? The same click id does not move the clock.
    fn is_new(&self, arrival: &LandingClick<'_>, known: &StoredTouches<'_>, now_s: u64) -> bool {
        !known
            .clone()
            .any(|touch| self.is_live(&touch, now_s) && touch.click_id == arrival.click_id)
    }

    /// Counts the live touches, and finds the one that counts.
    fn tally<'a>(&self, touches: StoredTouches<'a>, now_s: u64) -> Tally<'a> {
        let mut tally = Tally::default();
        for touch in touches {
            if !self.is_live(&touch, now_s) {
                tally.has_expired = true;
                continue;
            }
            if tally.live == 0 {
                tally.newest_s = touch.at_s;
            }
            if tally.live == 0 || self.is_first_touch() {
                tally.counting = touch.click_id;
                tally.counting_bytes = touch.bare.len() + 1;
            }
            tally.live += 1;
        }
        tally
    }

    fn is_first_touch(&self) -> bool {
        self.attribution == Attribution::FirstTouch
    }

    /// Writes the live touches. Sub ids give way first, then the oldest touches,
    /// but for the one that counts.
    fn write(&self, touches: StoredTouches<'_>, tally: &Tally<'_>, now_s: u64, out: &mut String) {
        let start = out.len();
        out.push_str(VERSION);
        push_number(out, now_s, 36);
        let is_first = self.is_first_touch();
        // The first touch is written last: its place is kept free.
        let mut reserved = if is_first { tally.counting_bytes } else { 0 };
        let mut places = self.journey - usize::from(is_first);
        let mut left = tally.live;
        for touch in touches {
            if !self.is_live(&touch, now_s) {
                continue;
            }
            left -= 1;
            if is_first && left == 0 {
                (reserved, places) = (0, 1);
            }
            let room = MAX_STORED_BYTES + start - out.len() - reserved;
            let text = if touch.text.len() < room {
                touch.text
            } else {
                touch.bare
            };
            if text.len() < room && places > 0 {
                out.push('*');
                out.push_str(text);
                places -= 1;
            }
        }
    }
}

/// What the live touches come to.
#[derive(Default)]
struct Tally<'a> {
    live: usize,
    has_expired: bool,
    /// When the newest one arrived.
    newest_s: u64,
    /// The click id that counts, and how many bytes its touch takes without sub ids.
    counting: &'a str,
    counting_bytes: usize,
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
