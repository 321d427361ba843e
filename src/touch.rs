//! Touches: clicks that reached a landing page, as cookie and storage hold them, and their update
//! after a visit. The module `click_id` finds the click ids.
//!
//! Page and edge decide by the same code, which reads and writes one `Tape` and allocates no
//! memory. Times are seconds since 1970 in 32 bits, which last until 2106.

mod copies;
mod time;

use crate::click_id::{LandingClick, after_letters, is_id};
use crate::tape::{Mark, NOWHERE, Tape};
use crate::url::{END_OF_FIELD, END_OF_READING, decode, push_escape};
use crate::{Error, Result, click_id};
use copies::{AHEAD, is_in_all, latest, written_s};
use time::{MAX_TIME_BYTES, push_time, read_time};

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
const VERSION: u8 = b'1';

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

/// `!` separates the fields of a touch.
const FIELD: Mark = 0x21;

/// `*` comes before each touch.
const TOUCH: Mark = 0x2a;

/// Writes the click of an address as a touch: `TIME!PARAMETER!CLICK_ID!s1!…!s5`. The time is in
/// seconds, base 36; texts are percent-encoded, and empty ends left out. `names` are those of the
/// sub ids.
fn push_click(tape: &mut impl Tape, click: &LandingClick, names: usize, came_s: u32) {
    push_time(tape, came_s);
    push_field(tape, click.parameter);
    push_field(tape, click.id);
    let mut end = tape.length();
    for index in 0..5 {
        let value = click.sub_id(tape, names, index);
        push_field(tape, value);
        if value != NOWHERE {
            end = tape.length();
        }
    }
    tape.truncate(end);
}

/// Writes a field, percent-encoded: the letters of click ids stay as they are.
#[inline(never)]
fn push_field(tape: &mut impl Tape, mut at: usize) {
    tape.push_mark(FIELD);
    loop {
        let end = after_letters(tape, at, b'-'.into(), b'-'.into());
        tape.push_copy(at, end);
        let byte = tape.byte(end);
        if byte <= END_OF_FIELD {
            return;
        }
        push_escape(tape, byte);
        at = end + 1;
    }
}

/// The place after the next mark of this touch, or its end.
#[inline(never)]
fn after(tape: &impl Tape, at: usize, mark: Mark) -> usize {
    let end = tape.find(at, mark, TOUCH);
    end + usize::from(Mark::from(tape.byte(end)) == mark)
}

/// The place of a touch's click id.
#[inline(never)]
fn id_at(tape: &impl Tape, touch: usize) -> usize {
    after(tape, after(tape, touch, FIELD), FIELD)
}

/// The place where a field ends.
#[inline(never)]
fn end_of(tape: &impl Tape, field: usize) -> usize {
    tape.find(field, FIELD, TOUCH)
}

/// The first touch from this place on that is readable and later than `oldest_s`; [`NOWHERE`] if there is none. One
/// past `limit_s` counts as of `ahead_s`.
#[inline(never)]
fn next(tape: &impl Tape, mut at: usize, limit_s: u32, ahead_s: u32, oldest_s: u32) -> usize {
    while tape.byte(at) > END_OF_FIELD {
        let at_s = read_time(tape, at, limit_s, ahead_s);
        let id = id_at(tape, at);
        // A character that is not ours would get into the cookie with the rest.
        if at_s > oldest_s
            && after_letters(tape, at, FIELD, b'%'.into()) == tape.find(at, TOUCH, TOUCH)
            && is_id(tape, id, end_of(tape, id))
        {
            return at;
        }
        at = after(tape, at, TOUCH);
    }
    NOWHERE
}

/// The limit that no touch is past.
const FOR_ALL_TIMES: u32 = u32::MAX;

/// Like [`next`], for touches of all times.
fn next_of_all(tape: &impl Tape, at: usize) -> usize {
    next(tape, at, FOR_ALL_TIMES, 0, 0)
}

/// Reads the touches of a stored text for attribution: the newest first, expired ones too. An
/// unreadable text or a later version has none.
#[must_use]
pub fn read_journey(text: &str) -> Vec<Touch> {
    let tape = text.as_bytes().to_vec();
    let is_readable = written_s(&tape, 0, FOR_ALL_TIMES) > 0;
    let mut at = 0;
    let all = core::iter::from_fn(|| {
        at = next_of_all(&tape, after(&tape, at, TOUCH));
        (at != NOWHERE).then(|| touch_at(&tape, at))
    });
    all.take(if is_readable { MAX_JOURNEY } else { 0 })
        .collect()
}

/// Stored texts, separated by semicolons, without the touches that are ids of an order; and whether there were any.
pub(crate) fn without_own_ids(texts: &str, own_ids: &[&str]) -> (String, bool) {
    let is_own = |touch: &str| {
        let id = touch.split('!').nth(2).unwrap_or_default();
        click_id::is_own_id(id, own_ids)
    };
    let has_any = texts.split([';', '*']).any(is_own);
    if !has_any {
        return (texts.to_owned(), false);
    }
    let without = |text: &str| {
        let touches: Vec<&str> = text.split('*').filter(|touch| !is_own(touch)).collect();
        touches.join("*")
    };
    let texts: Vec<String> = texts.split(';').map(without).collect();
    (texts.join(";"), true)
}

fn touch_at(tape: &Vec<u8>, at: usize) -> Touch {
    let text = tape.get(at..tape.find(at, TOUCH, TOUCH));
    let mut fields = text
        .unwrap_or_default()
        .split(|byte| Mark::from(*byte) == FIELD);
    let mut next = || fields.next().map(text_of).unwrap_or_default();
    next();
    Touch {
        parameter: next(),
        click_id: next(),
        at_ms: u64::from(read_time(tape, at, FOR_ALL_TIMES, 0)) * 1_000,
        sub_ids: [(); 5].map(|()| Some(next()).filter(|value| !value.is_empty())),
    }
}

/// A field of a stored text, decoded.
fn text_of(field: &[u8]) -> String {
    decode(core::str::from_utf8(field).unwrap_or_default()).into_owned()
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
        let mut tape = Vec::new();
        parameters.push_address(&mut tape, address);
        let stores_at = tape.len();
        for store in stores {
            let copies = store.bytes().filter(|byte| *byte > END_OF_FIELD);
            tape.extend(copies.map(|byte| if byte == b';' { END_OF_READING } else { byte }));
            tape.push(END_OF_FIELD);
        }
        // A time of 0 would be an invalid one, and the last day has none after it. No page runs then.
        let seconds = u32::try_from(now_ms / 1_000)
            .unwrap_or(u32::MAX)
            .clamp(1, u32::MAX - DAY_S);
        let decision = self.write_update(&mut tape, seconds, seconds);
        let text_of = |start: usize, end: usize| {
            let text = tape.get(start..end).unwrap_or_default();
            String::from_utf8_lossy(text).into_owned()
        };
        let click_id = text_of(decision.click_id, end_of(&tape, decision.click_id));
        let is_stored = is_in_all(&tape, decision.text, stores_at);
        let max_age = if is_stored {
            0
        } else {
            u64::from(decision.max_age_s)
        };
        TouchUpdate {
            click_id: (!click_id.is_empty()).then_some(click_id),
            text: text_of(decision.text, tape.len()),
            max_age_seconds: (max_age > 0).then_some(max_age),
            is_expired: decision.is_expired,
        }
    }

    /// Decides as [`keep`](Self::keep) does, and writes the text to be stored.
    ///
    /// The tape has these fields, each ended by [`END_OF_FIELD`]. The first has the names of the click id's parameter,
    /// separated by [`END_OF_NAME`](crate::url::END_OF_NAME). The second has the pairs of the address's query, as
    /// `push_pairs` writes them. The others are the stores; [`END_OF_READING`] separates several copies in one.
    ///
    /// `came_s` is when the click came. The page may have held it until the visitor's yes: then it goes behind the
    /// touches that came since. A touch later than `now_s` is of a wrong clock, and older than any click.
    ///
    /// A touch that is ahead of the clock says that one of two clocks is wrong, not which one. So at first its time
    /// stays: a clock that was slow for some days ends no click. It counts from when its text was written by the present
    /// clock, and gets that time with the next change of the text: a clock that was fast makes no click immortal.
    pub(crate) fn write_update(&self, tape: &mut impl Tape, came_s: u32, now_s: u32) -> Decision {
        let is_first = self.attribution == Attribution::FirstTouch;
        let window_s = self.window_days * DAY_S;
        let oldest_s = now_s.saturating_sub(window_s);
        // A text on the tape ends with 0 where no other follows.
        tape.push_byte(0);
        let pairs = tape.after_end(0, END_OF_FIELD.into());
        let stores = tape.after_end(pairs, END_OF_FIELD.into());
        // Longer than the window changes nothing: a cookie lasts as long as its newest touch.
        let life_s = self.cookie_days * DAY_S;
        // A time that is more than a day ahead of the clock is of another clock.
        let limit_s = now_s.wrapping_add(DAY_S);
        let (latest, written_s) = latest(tape, stores, limit_s);
        let is_ahead = written_s == AHEAD;
        let ahead_s = if is_ahead { now_s } else { written_s };
        let earlier = after(tape, latest, TOUCH);
        let click = LandingClick::find(tape, 0, pairs);
        // A page may have held it for longer than the window.
        let mut is_new = click.id != NOWHERE;
        let (mut live, mut oldest_bytes, mut older) = (0, 0, earlier);
        let mut at = next(tape, earlier, limit_s, ahead_s, oldest_s);
        while at != NOWHERE {
            let id = id_at(tape, at);
            let end = end_of(tape, id);
            let rest = after(tape, at, TOUCH);
            // The same click id does not move the clock.
            is_new &= !tape.is_same(id, end, click.id, end_of(tape, click.id), 0);
            if read_time(tape, at, now_s, 0) > came_s {
                older = rest;
            }
            oldest_bytes = end - after(tape, at, FIELD) + MAX_TIME_BYTES;
            live += 1;
            at = next(tape, rest, limit_s, ahead_s, oldest_s);
        }
        let is_fresh = !is_new && written_s.wrapping_add(life_s / 2) > now_s;
        // Which of the kept touches get another time.
        let kept_s = if is_ahead || is_fresh {
            FOR_ALL_TIMES
        } else {
            limit_s
        };
        // The touches to be kept, the newest first. An empty one is skipped.
        let mut touches = earlier;
        if is_new {
            let names = click_id::push_sub_id_names(tape);
            touches = tape.length();
            tape.push_copy(earlier, older);
            tape.push_mark(TOUCH);
            push_click(tape, &click, names, came_s);
            tape.push_mark(TOUCH);
            tape.push_copy(older, tape.end(earlier));
            tape.push_byte(0);
            live += 1;
        }
        let start = tape.length();
        let mut decision = Decision {
            click_id: NOWHERE,
            text: start,
            max_age_s: 0,
            is_expired: live == 0 && latest != NOWHERE,
        };
        if live == 0 {
            return decision;
        }
        tape.push_byte(VERSION);
        tape.push_mark(FIELD);
        // The stored text again, where nothing has changed.
        push_time(tape, if is_fresh { written_s } else { now_s });
        let mut places = self.journey;
        at = next(tape, touches, limit_s, ahead_s, oldest_s);
        let newest_s = read_time(tape, at, limit_s, ahead_s);
        while at != NOWHERE {
            live -= 1;
            let id = id_at(tape, at);
            let bare = end_of(tape, id);
            if is_first || decision.click_id == NOWHERE {
                decision.click_id = id;
            }
            // The first touch is written last: its place stays free.
            let is_kept = is_first && live > 0;
            let most = start + MAX_STORED_BYTES - if is_kept { oldest_bytes } else { 0 };
            if places > usize::from(is_kept) {
                // Sub ids are removed first, then the oldest touches except for the one that counts.
                let before = tape.length();
                let mut end = tape.find(at, TOUCH, TOUCH);
                loop {
                    tape.push_mark(TOUCH);
                    push_time(tape, read_time(tape, at, kept_s, ahead_s));
                    tape.push_mark(FIELD);
                    tape.push_copy(after(tape, at, FIELD), end);
                    if tape.length() <= most {
                        places -= 1;
                        break;
                    }
                    tape.truncate(before);
                    if end == bare {
                        break;
                    }
                    end = bare;
                }
            }
            at = next(tape, after(tape, at, TOUCH), limit_s, ahead_s, oldest_s);
        }
        // The newest touch is within its window: at least a second is left.
        let rest_s = newest_s.wrapping_add(window_s).wrapping_sub(now_s);
        decision.max_age_s = rest_s.min(life_s);
        decision
    }
}

/// The decision, by places; the text is the end of the tape.
pub(crate) struct Decision {
    /// The click id that counts; [`NOWHERE`] if there is none.
    pub(crate) click_id: usize,
    /// The start of the text to be stored.
    pub(crate) text: usize,
    /// The cookie's `Max-Age`; 0 if there is no text. A store that lacks the text needs it.
    pub(crate) max_age_s: u32,
    /// Are all stored touches past their window?
    is_expired: bool,
}

impl Decision {
    pub(crate) fn push_click_id(&self, tape: &mut impl Tape) {
        tape.push_copy(self.click_id, end_of(tape, self.click_id));
    }
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
