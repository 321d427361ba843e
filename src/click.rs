//! Click ids: found in a landing page's URL, checked, and kept as touches.
//!
//! A click id is CAKE's request session id: an opaque text, never parsed and
//! never a number, though older accounts show plain integers.

use crate::url::{self, push_encoded, push_number, read_number};
use crate::{Error, Result, sub_id};
use core::slice;
use std::borrow::Cow;

/// The parameter names under which click ids arrive, in order of preference.
/// The advertiser's offer link decides the name; these were seen in use.
pub const DEFAULT_PARAMETERS: [&str; 7] = [
    "reqid",
    "ckm_request_id",
    "click_id",
    "clickid",
    "transaction_id",
    "tranid",
    "r",
];

/// The cookie and the localStorage key that hold the touches by default.
pub const DEFAULT_KEY: &str = "cake_click";

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

/// Is this 1 to 128 characters of `[A-Za-z0-9._:-]`? Macros that nobody
/// expanded (`#reqid#`, `{click_id}`) fall outside that alphabet.
#[must_use]
pub fn is_click_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-'))
}

/// Checks a click id of the caller's.
///
/// # Errors
/// [`Error::InvalidClickId`].
pub fn check(text: &str) -> Result<()> {
    if is_click_id(text) {
        Ok(())
    } else {
        Err(Error::InvalidClickId)
    }
}

/// Where a landing page's URL carries what, by the advertiser's offer link.
#[derive(Clone, Copy, Debug)]
pub struct LandingParameters<'a> {
    /// The names of the click id's parameter, the preferred one first.
    pub click_id: &'a [&'a str],
    /// The names of the affiliate id's.
    pub affiliate_id: &'a [&'a str],
    /// The names of the offer id's.
    pub offer_id: &'a [&'a str],
    /// Look into the fragment too, after the query.
    pub fragment: bool,
}

impl Default for LandingParameters<'_> {
    fn default() -> Self {
        Self {
            click_id: &DEFAULT_PARAMETERS,
            affiliate_id: &["affid", "affiliate_id"],
            offer_id: &["oid", "offer_id"],
            fragment: false,
        }
    }
}

/// What a landing page's URL says of the click that led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundClick<'a> {
    /// CAKE's click id.
    pub click_id: Cow<'a, str>,
    /// The parameter that carried it, as configured.
    pub parameter: &'a str,
    /// Did that parameter come more than once? The first one counts.
    pub is_repeated: bool,
    /// `s1` … `s5`; without those that are too long or an unexpanded macro.
    pub sub_ids: [Option<Cow<'a, str>>; 5],
    /// Who sent the click, as text.
    pub affiliate_id: Option<Cow<'a, str>>,
    /// The offer, as text.
    pub offer_id: Option<Cow<'a, str>>,
}

/// Finds the click id in a landing page's URL (or its bare `?query`): the first
/// of the configured parameters whose first value is a click id.
///
/// ```
/// use cake_edge::click::{LandingParameters, find_click};
///
/// let parameters = LandingParameters::default();
/// let found = find_click("https://shop.example/?utm_source=x&reqid=a1b2-c3&s1=spring", &parameters).unwrap();
/// assert_eq!(found.click_id, "a1b2-c3");
/// assert_eq!(found.sub_ids[0].as_deref(), Some("spring"));
/// assert_eq!(find_click("https://shop.example/?reqid=%23reqid%23", &parameters), None);
/// ```
#[must_use]
pub fn find_click<'a>(url: &'a str, parameters: &LandingParameters<'a>) -> Option<FoundClick<'a>> {
    let fragment = url::cut(url, b'#').1.filter(|_| parameters.fragment);
    // A router's fragment may look like a URL of its own: #/path?reqid=1
    let fragment = fragment.map_or("", |text| url::cut(text, b'?').1.unwrap_or(text));
    let place = [url::query_of(url), fragment];

    let (click_id, parameter, is_repeated) = find(place, parameters.click_id, is_click_id)?;
    let affiliate_id = find(place, parameters.affiliate_id, is_id).map(|(value, ..)| value);
    let offer_id = find(place, parameters.offer_id, is_id).map(|(value, ..)| value);
    let mut sub_ids = [const { None }; 5];
    for (index, (slot, name)) in sub_ids.iter_mut().zip(&sub_id::NAMES).enumerate() {
        *slot = find(place, slice::from_ref(name), is_sub_id)
            .map(|(value, ..)| value)
            .filter(|value| sub_id::check(index, value).is_ok());
    }
    Some(FoundClick {
        click_id,
        parameter,
        is_repeated,
        sub_ids,
        affiliate_id,
        offer_id,
    })
}

/// The first of `names` whose first value fits: the value, the name, and
/// whether it came more than once.
fn find<'a>(
    place: [&'a str; 2],
    names: &[&'a str],
    fits: fn(&str) -> bool,
) -> Option<(Cow<'a, str>, &'a str, bool)> {
    for name in names {
        let mut found = None;
        let mut is_repeated = false;
        for query in place {
            let mut rest = Some(query);
            while let Some(text) = rest {
                let (pair, tail) = url::cut(text, b'&');
                let (key, value) = url::cut(pair, b'=');
                rest = tail;
                if url::decode(key) == *name {
                    is_repeated = found.is_some();
                    found = found.or(value.or(Some("")));
                }
            }
        }
        let value = url::decode(found.unwrap_or_default());
        if fits(&value) {
            return Some((value, name, is_repeated));
        }
    }
    None
}

/// What is kept of a click that was found.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    click_id: &'a str,
    parameter: &'a str,
    sub_ids: [&'a str; 5],
}

impl<'a> Arrival<'a> {
    fn of(found: &'a FoundClick<'_>) -> Self {
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
    pub(crate) fn among(mut next: impl FnMut() -> Option<&'a str>) -> Option<Self> {
        let mut sub_ids = [""; 5];
        for (index, slot) in sub_ids.iter_mut().enumerate() {
            *slot = next()?;
            if !is_sub_id(slot) || sub_id::check(index, slot).is_err() {
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

fn is_id(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Not empty, and no unexpanded macro.
fn is_sub_id(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| byte == b'#')
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
struct Part<'a> {
    text: &'a str,
    /// The same without its sub ids.
    bare: &'a str,
    at_s: u64,
    click_id: &'a str,
}

impl<'a> Part<'a> {
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

fn push_part(out: &mut String, arrival: &Arrival<'_>, at_s: u64) {
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

/// The parts of a stored text, at most [`MAX_JOURNEY`]; unreadable ones left out.
#[derive(Clone)]
struct Parts<'a> {
    rest: Option<&'a str>,
    left: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        while self.left > 0 {
            let (text, tail) = url::cut(self.rest?, b'*');
            self.rest = tail;
            if let Some(part) = Part::read(text) {
                self.left -= 1;
                return Some(part);
            }
        }
        None
    }
}

/// When the text was written, in seconds, and its parts. What is unreadable as
/// a whole or of a later version is absent.
fn read_text(text: &str) -> Option<(u64, Parts<'_>)> {
    let rest = text
        .strip_prefix("1!")
        .filter(|_| text.len() <= 2 * MAX_STORED_BYTES)?;
    let (time, rest) = url::cut(rest, b'*');
    let parts = Parts {
        rest,
        left: MAX_JOURNEY,
    };
    parts.clone().next()?;
    Some((read_number(time.as_bytes(), 36)?, parts))
}

/// Reads the touches of a stored text, the newest first, expired ones too; for
/// attribution. What is unreadable or of a later version has none.
#[must_use]
pub fn read_journey(text: &str) -> Vec<Touch> {
    let parts = read_text(text).map(|(_, parts)| parts);
    parts.into_iter().flatten().map(Part::touch).collect()
}

/// Which touch counts when there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The newest one.
    #[default]
    LastTouch,
    /// The oldest one within the window.
    FirstTouch,
}

/// How touches are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    policy: Policy,
    window_days: u32,
    journey: usize,
    cookie_days: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            policy: Policy::LastTouch,
            window_days: DEFAULT_WINDOW_DAYS,
            journey: DEFAULT_JOURNEY,
            cookie_days: DEFAULT_WINDOW_DAYS,
        }
    }
}

impl Keeping {
    /// Takes the settings: the window in days (1 to 400, the longest that
    /// browsers keep a cookie), how many touches are kept (1 to 20), and how
    /// long the browser keeps the cookie, in days, where that is shorter than
    /// the window (Safari: 7 for cookies that a script writes).
    ///
    /// # Errors
    /// [`Error::InvalidSetting`].
    pub fn new(policy: Policy, window_days: u32, journey: usize, cookie_days: u32) -> Result<Self> {
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
            policy,
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
    ) -> Kept {
        let arrival = found.map(Arrival::of);
        let mut kept = Kept::default();
        let mut click_id = None;
        kept.is_expired = self.keep_arrival(
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
    pub(crate) fn keep_arrival(
        &self,
        arrival: Option<&Arrival<'_>>,
        stored: &[Option<&str>],
        now: u64,
        out: &mut String,
        head: impl FnOnce(&mut String, &str, Option<u64>),
    ) -> bool {
        let window_s = u64::from(self.window_days) * DAY_S;
        let is_live = |part: &Part<'_>| now.saturating_sub(part.at_s) < window_s;
        // Of several texts the one that was written last.
        let mut text = "";
        let mut written_s = 0;
        let mut known = Parts {
            rest: None,
            left: 0,
        };
        for other in stored.iter().copied().flatten() {
            if let Some((other_s, others)) = read_text(other)
                && (text.is_empty() || other_s > written_s)
            {
                (text, written_s, known) = (other, other_s, others);
            }
        }
        let mut is_due = stored.iter().any(|other| *other != Some(text));

        let mut all = String::new();
        if let Some(arrival) = arrival
            && !known
                .clone()
                .any(|part| is_live(&part) && part.click_id == arrival.click_id)
        {
            push_part(&mut all, arrival, now);
            if let Some(rest) = known.rest {
                all.push('*');
                all.push_str(rest);
            }
            known = Parts {
                rest: Some(&all),
                left: MAX_JOURNEY + 1,
            };
            is_due = true;
        }
        let is_first_touch = self.policy == Policy::FirstTouch;
        let mut counting = "";
        let mut newest_s = 0;
        let mut reserved = 0;
        let mut count = 0;
        for part in known.clone() {
            if is_live(&part) {
                if count == 0 {
                    newest_s = part.at_s;
                }
                if count == 0 || is_first_touch {
                    counting = part.click_id;
                }
                if is_first_touch {
                    reserved = part.bare.len() + 1;
                }
                count += 1;
            } else {
                is_due = true;
            }
        }
        if count == 0 {
            return !text.is_empty();
        }
        is_due |= count > self.journey;

        let life_s = u64::from(self.cookie_days.min(self.window_days)) * DAY_S;
        is_due |= now.saturating_sub(written_s) >= life_s / 2;
        let left_s = (newest_s + window_s).saturating_sub(now);
        head(out, counting, is_due.then(|| left_s.min(life_s).max(1)));
        if !is_due {
            out.push_str(text);
            return false;
        }
        let start = out.len();
        out.push_str("1!");
        push_number(out, now, 36);
        // Sub ids give way first, then the oldest touches, but for the one that counts.
        let mut places = self.journey - usize::from(is_first_touch);
        for part in known {
            if !is_live(&part) {
                continue;
            }
            count -= 1;
            if is_first_touch && count == 0 {
                (reserved, places) = (0, 1);
            }
            let room = MAX_STORED_BYTES + start - out.len() - reserved;
            let whole = if part.text.len() < room {
                part.text
            } else {
                part.bare
            };
            if whole.len() < room && places > 0 {
                out.push('*');
                out.push_str(whole);
                places -= 1;
            }
        }
        false
    }
}

/// What a visit leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_781_879_400_000;
    const DAY_MS: u64 = 86_400_000;

    fn find(url: &str) -> Option<FoundClick<'_>> {
        find_click(url, &LandingParameters::default())
    }

    fn visit(keeping: Keeping, id: &str, stored: Option<&str>, now_ms: u64) -> Kept {
        let url = format!("?reqid={id}&s1=one");
        keeping.keep(find(&url).as_ref(), &[stored], now_ms)
    }

    #[test]
    fn what_is_not_a_click_id_is_not_found() {
        for query in [
            "",
            "?reqid=",
            "?reqid",
            "?reqid=%23reqid%23",
            "?reqid=#reqid#",
            "?reqid={click_id}",
            "?reqid=a%20b",
            "?reqid=a+b",
            "?reqid=%00",
            "?REQID=abc",
            "?other=abc",
            "#?reqid=abc",
        ] {
            assert_eq!(find(query), None, "{query}");
        }
        assert_eq!(find(&format!("?reqid={}", "a".repeat(129))), None);
        assert!(find(&format!("?reqid={}", "a".repeat(128))).is_some());
    }

    #[test]
    fn the_first_parameter_of_the_list_wins_and_the_first_of_a_repeated_one() {
        let found = find("https://shop.example/?r=late&click_id=one&click_id=two").unwrap();
        assert_eq!(
            (found.click_id.as_ref(), found.parameter),
            ("one", "click_id")
        );
        assert!(found.is_repeated);
        assert!(!find("?reqid=1").unwrap().is_repeated);
        // The first value of a parameter counts, and the next parameter where it is none.
        assert_eq!(
            find("?reqid=%23reqid%23&reqid=real&r=other")
                .unwrap()
                .click_id,
            "other"
        );
    }

    #[test]
    fn sub_ids_affiliate_and_offer_come_along() {
        let found =
            find("?reqid=1&s1=a%20b&s2=%23s2%23&s3=&s5=x&affid=67890&oid=12x&offer_id=12").unwrap();
        assert_eq!(
            found.sub_ids,
            [Some("a b".into()), None, None, None, Some("x".into())]
        );
        assert_eq!(found.affiliate_id.as_deref(), Some("67890"));
        assert_eq!(found.offer_id.as_deref(), Some("12"));
        let long = format!("?reqid=1&s1={}", "x".repeat(51));
        assert_eq!(find(&long).unwrap().sub_ids[0], None);
    }

    #[test]
    fn the_fragment_is_read_only_when_asked_for() {
        let parameters = LandingParameters {
            fragment: true,
            ..Default::default()
        };
        for url in [
            "https://shop.example/#reqid=abc",
            "https://shop.example/?x=1#/thanks?reqid=abc",
        ] {
            assert_eq!(find(url), None);
            assert_eq!(find_click(url, &parameters).unwrap().click_id, "abc");
        }
        let both = find_click("?reqid=query#reqid=fragment", &parameters).unwrap();
        assert_eq!(both.click_id, "query");
        assert!(both.is_repeated);
    }

    #[test]
    fn what_a_page_finds_is_what_its_address_says() {
        let long = "x".repeat(51);
        let texts = [
            &long, "two", "", "#s4#", "", "r", "#r#", "reqid", "abc", "click_id", "no",
        ];
        let mut rest = texts.iter().copied();
        let arrival = Arrival::among(|| rest.next()).unwrap();
        assert_eq!(arrival.sub_ids, ["", "two", "", "", ""]);
        assert_eq!((arrival.parameter, arrival.click_id), ("reqid", "abc"));
        let mut rest = texts.iter().copied().take(7);
        assert!(Arrival::among(|| rest.next()).is_none());
    }

    #[test]
    fn names_are_configurable() {
        let parameters = LandingParameters {
            click_id: &["subid", "x"],
            ..Default::default()
        };
        assert_eq!(
            find_click("?reqid=no&x=2&subid=1", &parameters)
                .unwrap()
                .click_id,
            "1"
        );
    }

    #[test]
    fn the_stored_text_is_compact_and_reads_back() {
        let parameters = LandingParameters {
            click_id: &["my param"],
            ..Default::default()
        };
        let keeping = Keeping::default();
        let first = find_click("?my%20param=42", &parameters);
        let old = keeping.keep(first.as_ref(), &[None], NOW - DAY_MS).text;
        assert_eq!(old, "1!tgu0a0*tgu0a0!my%20param!42");
        let second =
            find("?reqid=a1b2c3d4-e5f6-7890-abcd-ef1234567890&s1=spring+sale!*&s3=k%C3%A4se");
        let text = keeping.keep(second.as_ref(), &[Some(&old)], NOW + 999).text;
        assert_eq!(
            text,
            "1!tgvuy0*tgvuy0!reqid!a1b2c3d4-e5f6-7890-abcd-ef1234567890!spring%20sale%21%2A!!k%C3%A4se\
             *tgu0a0!my%20param!42"
        );
        assert_eq!(
            read_journey(&text),
            [
                Touch {
                    click_id: "a1b2c3d4-e5f6-7890-abcd-ef1234567890".into(),
                    at_ms: NOW,
                    parameter: "reqid".into(),
                    sub_ids: [
                        Some("spring sale!*".into()),
                        None,
                        Some("k\u{e4}se".into()),
                        None,
                        None
                    ],
                },
                Touch {
                    click_id: "42".into(),
                    at_ms: NOW - DAY_MS,
                    parameter: "my param".into(),
                    sub_ids: [const { None }; 5],
                },
            ]
        );
    }

    #[test]
    fn an_unreadable_or_future_text_is_absent() {
        for text in [
            "",
            "1",
            "1!",
            "1!x",
            "1!x*",
            "1!x*!r!abc",
            "1!x*x!r",
            "1!x*x!r!a b",
            "1!x*x!r!",
            "1!-1*x!r!abc",
            "1!+x*+x!r!abc",
            "1!zzzzzzzzzzzzzzz*x!r!abc",
            "1!X*X!r!abc",
            "2!x*x!r!abc",
            "1.abc.def",
            "%00",
        ] {
            assert_eq!(read_journey(text), [], "{text:?}");
            assert_eq!(
                Keeping::default().keep(None, &[Some(text)], NOW),
                Kept::default()
            );
        }
        // One broken part does not take the others with it.
        assert_eq!(read_journey("1!x*???*x!r!abc").len(), 1);
        assert_eq!(
            read_journey(&format!("1!x{}", "*x!r!abc".repeat(9_999))),
            []
        );
        assert_eq!(
            read_journey(&format!("1!x{}", "*x!r!abc".repeat(99))).len(),
            MAX_JOURNEY
        );
    }

    #[test]
    fn the_last_touch_counts_by_default_and_the_first_by_policy() {
        let first = Keeping::new(Policy::FirstTouch, 30, 5, 30).unwrap();
        for (keeping, counts) in [(Keeping::default(), "two"), (first, "one")] {
            let one = visit(keeping, "one", None, NOW).text;
            let two = visit(keeping, "two", Some(&one), NOW + DAY_MS);
            assert_eq!(two.click_id.as_deref(), Some(counts));
            assert_eq!(read_journey(&two.text).len(), 2);
            // Later pages carry no click id.
            let thanks = keeping.keep(None, &[Some(&two.text)], NOW + 2 * DAY_MS);
            assert_eq!(thanks.click_id.as_deref(), Some(counts));
            assert_eq!((thanks.max_age_seconds, thanks.text), (None, two.text));
        }
    }

    #[test]
    fn the_same_click_id_does_not_move_the_clock() {
        let keeping = Keeping::default();
        let text = visit(keeping, "one", None, NOW).text;
        let again = visit(keeping, "one", Some(&text), NOW + DAY_MS);
        assert_eq!((again.max_age_seconds, again.text), (None, text));
    }

    #[test]
    fn a_touch_ends_with_its_window() {
        let keeping = Keeping::new(Policy::LastTouch, 7, 5, 7).unwrap();
        let text = visit(keeping, "one", None, NOW).text;
        let at = |now_ms| keeping.keep(None, &[Some(&text)], now_ms);
        assert!(at(NOW + 7 * DAY_MS - 1_000).click_id.is_some());
        assert_eq!(
            at(NOW + 7 * DAY_MS),
            Kept {
                is_expired: true,
                ..Kept::default()
            }
        );
        assert_eq!(keeping.keep(None, &[None], NOW), Kept::default());
        // A clock that went back keeps it.
        assert!(at(NOW - DAY_MS).click_id.is_some());
    }

    #[test]
    fn the_cookie_is_refreshed_only_past_half_its_life() {
        // A window of 30 days in a browser that keeps cookies for 7.
        let keeping = Keeping::new(Policy::LastTouch, 30, 5, 7).unwrap();
        let first = visit(keeping, "one", None, NOW);
        assert_eq!(first.max_age_seconds, Some(7 * 86_400));
        let at = |now_ms| keeping.keep(None, &[Some(&first.text)], now_ms);
        let half = 7 * DAY_MS / 2;
        assert_eq!(at(NOW + half - 1_000).max_age_seconds, None);
        let refreshed = at(NOW + half);
        assert_eq!(refreshed.max_age_seconds, Some(7 * 86_400));
        assert_eq!(read_journey(&refreshed.text)[0].at_ms, NOW);
        // Never beyond the window.
        assert_eq!(at(NOW + 29 * DAY_MS).max_age_seconds, Some(86_400));
    }

    #[test]
    fn a_store_that_lacks_the_text_gets_it_back() {
        let keeping = Keeping::default();
        let old = visit(keeping, "one", None, NOW).text;
        let new = visit(keeping, "two", Some(&old), NOW + 1_000).text;
        for stored in [
            [Some(new.as_str()), None],
            [None, Some(new.as_str())],
            [Some(old.as_str()), Some(new.as_str())],
            [Some(new.as_str()), Some("junk")],
        ] {
            let kept = keeping.keep(None, &stored, NOW + 2_000);
            assert_eq!(kept.click_id.as_deref(), Some("two"));
            assert!(kept.max_age_seconds.is_some());
            assert_eq!(read_journey(&kept.text), read_journey(&new));
        }
        let both = keeping.keep(None, &[Some(&new), Some(&new)], NOW + 2_000);
        assert_eq!(both.max_age_seconds, None);
    }

    #[test]
    fn a_journey_has_its_length_and_a_first_touch_is_never_pushed_out() {
        for (policy, counts, kept) in [
            (Policy::LastTouch, "9", ["9", "8", "7"]),
            (Policy::FirstTouch, "0", ["9", "8", "0"]),
        ] {
            let keeping = Keeping::new(policy, 30, 3, 30).unwrap();
            let mut last = Kept::default();
            for id in 0..10 {
                last = visit(keeping, &id.to_string(), Some(&last.text), NOW + id * 1_000);
            }
            assert_eq!(last.click_id.as_deref(), Some(counts));
            let ids: Vec<_> = read_journey(&last.text)
                .into_iter()
                .map(|touch| touch.click_id)
                .collect();
            assert_eq!(ids, kept);
        }
    }

    #[test]
    fn settings_have_their_ranges() {
        for (window, journey, cookie, parameter) in [
            (0, 5, 30, "windowDays"),
            (401, 5, 30, "windowDays"),
            (30, 0, 30, "journey"),
            (30, 21, 30, "journey"),
            (30, 5, 0, "cookieDays"),
        ] {
            let refused = Keeping::new(Policy::LastTouch, window, journey, cookie);
            assert_eq!(refused, Err(Error::InvalidSetting { parameter }));
        }
        let widest = Keeping::new(Policy::LastTouch, 400, 20, 400).unwrap();
        assert_eq!(widest.window_days(), 400);
    }

    proptest! {
        #[test]
        fn what_is_kept_fits_and_reads_back(
            visits in proptest::collection::vec(("[A-Za-z0-9._:-]{1,128}", proptest::collection::vec(any::<char>(), 0..40)), 1..25),
            is_first: bool,
            journey in 1_usize..=20,
        ) {
            let policy = if is_first { Policy::FirstTouch } else { Policy::LastTouch };
            let keeping = Keeping::new(policy, 30, journey, 30).unwrap();
            let first_id = visits[0].0.clone();
            let mut kept = Kept::default();
            for (index, (click_id, sub_id)) in visits.iter().enumerate() {
                let sub_id: String = sub_id.iter().collect();
                let found = FoundClick {
                    click_id: click_id.as_str().into(),
                    parameter: "reqid",
                    is_repeated: false,
                    sub_ids: [const { None }; 5].map(|_: Option<Cow<'_, str>>| Some(sub_id.clone().into()).filter(|_| !sub_id.is_empty())),
                    affiliate_id: None,
                    offer_id: None,
                };
                let was_known = read_journey(&kept.text).iter().any(|touch| touch.click_id == *click_id);
                kept = keeping.keep(Some(&found), &[Some(&kept.text)], NOW + index as u64 * 1_000);
                prop_assert!(kept.text.len() <= MAX_STORED_BYTES);
                prop_assert!(kept.text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)));
                let touches = read_journey(&kept.text);
                prop_assert!((1..=journey).contains(&touches.len()));
                // A new touch is there, whole unless it is too long; the one that counts always is.
                if !was_known {
                    let newest = if is_first && journey == 1 { None } else { Some(click_id) };
                    prop_assert!(newest.is_none_or(|id| touches[0].click_id == *id));
                    let is_whole = touches[0].sub_ids[4].as_deref().unwrap_or_default() == sub_id;
                    let is_bare = touches[0].sub_ids.iter().all(Option::is_none);
                    prop_assert!(is_whole || is_bare || newest.is_none());
                }
                let counting = if is_first { touches.last() } else { touches.first() };
                prop_assert_eq!(counting.map(|touch| &touch.click_id), kept.click_id.as_ref());
                prop_assert!(!is_first || kept.click_id.as_deref() == Some(&first_id));
            }
        }

        #[test]
        fn no_text_makes_a_panic(text in "1![a-z0-9]{0,8}(\\*[a-z0-9!%\\PC]{0,40}){0,4}", url in "\\PC{0,60}", now in 0_u64..9_000_000_000_000) {
            let kept = Keeping::default().keep(find(&url).as_ref(), &[Some(&text), Some(&url)], now);
            prop_assert!(read_journey(&kept.text).len() <= DEFAULT_JOURNEY);
        }

        #[test]
        fn what_is_found_is_a_click_id(query in "\\?(reqid|r|s1|x|&|=|%23|[a-z0-9]|\\PC){0,20}") {
            if let Some(found) = find(&query) {
                prop_assert!(is_click_id(&found.click_id));
                // Another parser finds it too.
                let url = ::url::Url::parse("https://shop.example/").unwrap().join(&query).unwrap();
                prop_assert!(url.query_pairs().any(|(name, value)| name == found.parameter && value == found.click_id));
            }
        }
    }
}
