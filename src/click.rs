//! Click ids: found in a landing page's URL, checked, and kept as touches.
//!
//! A click id is CAKE's request session id: an opaque text, never parsed and
//! never a number, though older accounts show plain integers.

use crate::url::{self, push_encoded, push_number};
use crate::{Error, Result, sub_id};

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

/// How many touches are kept by default.
pub const DEFAULT_JOURNEY: usize = 5;

/// The most touches that are kept.
pub const MAX_JOURNEY: usize = 20;

/// The most bytes of the stored text: a cookie holds 4,096 with its name,
/// attributes and signature.
pub const MAX_STORED_BYTES: usize = 3_000;

const DAY_MS: u64 = 86_400_000;

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
pub struct FoundClick {
    /// CAKE's click id.
    pub click_id: String,
    /// The parameter that carried it, as configured.
    pub parameter: String,
    /// Did that parameter come more than once? The first one counts.
    pub is_repeated: bool,
    /// `s1` … `s5`; without those that are too long or an unexpanded macro.
    pub sub_ids: [Option<String>; 5],
    /// Who sent the click, as text.
    pub affiliate_id: Option<String>,
    /// The offer, as text.
    pub offer_id: Option<String>,
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
pub fn find_click(url: &str, parameters: &LandingParameters<'_>) -> Option<FoundClick> {
    let fragment = match url.split_once('#') {
        // A router's fragment may look like a URL of its own: #/path?reqid=1
        Some((_, fragment)) if parameters.fragment => fragment
            .split_once('?')
            .map_or(fragment, |(_, query)| query),
        _ => "",
    };
    let pairs = || url::pairs(url::query_of(url)).chain(url::pairs(fragment));
    let first = |wanted: &str| {
        pairs()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value)
    };
    let id = |names: &[&str]| {
        names
            .iter()
            .filter_map(|name| first(name))
            .find(|value| is_id(value))
            .map(std::borrow::Cow::into_owned)
    };
    let (parameter, click_id) = parameters.click_id.iter().find_map(|parameter| {
        let value = first(parameter).filter(|value| is_click_id(value))?;
        Some((*parameter, value.into_owned()))
    })?;
    let mut sub_ids = [const { None }; 5];
    for (index, (slot, name)) in sub_ids.iter_mut().zip(sub_id::NAMES).enumerate() {
        *slot = first(name)
            .filter(|value| {
                !value.is_empty() && !value.contains('#') && sub_id::check(index, value).is_ok()
            })
            .map(std::borrow::Cow::into_owned);
    }
    Some(FoundClick {
        is_repeated: pairs().filter(|(name, _)| name == parameter).count() > 1,
        click_id,
        parameter: parameter.to_owned(),
        sub_ids,
        affiliate_id: id(parameters.affiliate_id),
        offer_id: id(parameters.offer_id),
    })
}

fn is_id(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A click that reached the landing page, as it is stored.
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

impl Touch {
    /// Does the touch still count at `now_ms`?
    #[must_use]
    pub fn is_live(&self, now_ms: u64, window_days: u32) -> bool {
        now_ms.saturating_sub(self.at_ms) < u64::from(window_days) * DAY_MS
    }

    /// `*TIME!PARAMETER!CLICK_ID!s1!…!s5`, the time in seconds, base 36,
    /// texts percent-encoded, empty ends left out.
    fn push(&self, out: &mut String) {
        out.push('*');
        push_number(out, self.at_ms / 1_000, 36);
        out.push('!');
        push_encoded(out, &self.parameter);
        out.push('!');
        out.push_str(&self.click_id);
        let mut skipped = 0;
        for sub_id in &self.sub_ids {
            skipped += 1;
            if let Some(value) = sub_id {
                for _ in 0..skipped {
                    out.push('!');
                }
                skipped = 0;
                push_encoded(out, value);
            }
        }
    }

    fn read(text: &str) -> Option<Self> {
        let mut fields = text.split('!');
        let at_ms = read_time(fields.next()?)?;
        let parameter = url::decode(fields.next()?).into_owned();
        let click_id = fields.next().filter(|id| is_click_id(id))?.to_owned();
        let mut sub_ids = [const { None }; 5];
        for (slot, field) in sub_ids.iter_mut().zip(&mut fields) {
            *slot = (!field.is_empty()).then(|| url::decode(field).into_owned());
        }
        Some(Self {
            click_id,
            at_ms,
            parameter,
            sub_ids,
        })
    }
}

/// The touches of one visitor, the newest first, and when they were stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journey {
    /// When the text was written: milliseconds since 1970, in whole seconds.
    pub written_ms: u64,
    /// The touches, the newest first.
    pub touches: Vec<Touch>,
}

impl Journey {
    /// The stored text: `1!WRITTEN` and a part for each touch. Safe in a cookie
    /// as it is, and at most [`MAX_STORED_BYTES`] long: the oldest touches give
    /// way first (but for the very first one, if `keep_first`), then sub ids.
    #[must_use]
    pub fn encode(&self, keep_first: bool) -> String {
        let mut text = String::with_capacity(96);
        text.push_str("1!");
        push_number(&mut text, self.written_ms / 1_000, 36);
        let reserved = self
            .touches
            .last()
            .filter(|_| keep_first && self.touches.len() > 1);
        let reserved = reserved.map_or(String::new(), |touch| part_of(touch, MAX_STORED_BYTES / 2));
        let room = MAX_STORED_BYTES - reserved.len();
        let others = self.touches.len() - usize::from(!reserved.is_empty());
        for (index, touch) in self.touches.iter().take(others).enumerate() {
            // The newest one must fit, if need be without its sub ids.
            let left = room.saturating_sub(text.len());
            let part = part_of(touch, if index == 0 { left } else { MAX_STORED_BYTES });
            if part.len() > left {
                break;
            }
            text.push_str(&part);
        }
        text.push_str(&reserved);
        text
    }

    /// Reads a stored text. What is unreadable or of a later version is absent.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > 2 * MAX_STORED_BYTES {
            return None;
        }
        let mut parts = text.strip_prefix("1!")?.split('*');
        let written_ms = read_time(parts.next()?)?;
        let touches: Vec<Touch> = parts.take(MAX_JOURNEY).filter_map(Touch::read).collect();
        (!touches.is_empty()).then_some(Self {
            written_ms,
            touches,
        })
    }
}

/// A touch's part of the text, without its sub ids where they make it too long.
fn part_of(touch: &Touch, limit: usize) -> String {
    let mut part = String::new();
    touch.push(&mut part);
    if part.len() > limit {
        part.clear();
        Touch {
            sub_ids: [const { None }; 5],
            ..touch.clone()
        }
        .push(&mut part);
    }
    part
}

fn read_time(text: &str) -> Option<u64> {
    let is_digits = text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let seconds = u64::from_str_radix(text, 36).ok().filter(|_| is_digits)?;
    Some(seconds * 1_000)
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
        check("windowDays", (1..=400).contains(&window_days))?;
        check("journey", (1..=MAX_JOURNEY).contains(&journey))?;
        check("cookieDays", (1..=400).contains(&cookie_days))?;
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
    pub fn keep(&self, found: Option<FoundClick>, stored: &[Option<&str>], now_ms: u64) -> Kept {
        let now_ms = now_ms / 1_000 * 1_000;
        let read: Vec<Option<Journey>> = stored
            .iter()
            .map(|text| text.and_then(Journey::decode))
            .collect();
        let mut journey = read
            .iter()
            .flatten()
            .max_by_key(|journey| journey.written_ms)
            .cloned()
            .unwrap_or_default();
        let is_lacking = read.iter().any(|other| {
            other
                .as_ref()
                .is_none_or(|other| other.written_ms != journey.written_ms)
        });
        let known = journey.touches.len();
        journey
            .touches
            .retain(|touch| touch.is_live(now_ms, self.window_days));
        let mut is_due = journey.touches.len() < known;
        if let Some(found) = found
            && !journey
                .touches
                .iter()
                .any(|touch| touch.click_id == found.click_id)
        {
            let touch = Touch {
                click_id: found.click_id,
                at_ms: now_ms,
                parameter: found.parameter,
                sub_ids: found.sub_ids,
            };
            journey.touches.insert(0, touch);
            is_due = true;
        }
        if journey.touches.len() > self.journey {
            is_due = true;
            let first = journey.touches.pop();
            journey.touches.truncate(self.journey);
            if self.policy == Policy::FirstTouch {
                journey.touches.truncate(self.journey - 1);
                journey.touches.extend(first);
            }
        }
        let Some(newest) = journey.touches.first() else {
            return Kept {
                touch: None,
                journey: Vec::new(),
                write: None,
                is_expired: known > 0,
            };
        };

        let life_ms = u64::from(self.cookie_days.min(self.window_days)) * DAY_MS;
        let age_ms = now_ms.saturating_sub(journey.written_ms);
        let write = (is_due || is_lacking || age_ms >= life_ms / 2).then(|| {
            let end_ms = newest.at_ms + u64::from(self.window_days) * DAY_MS;
            Write {
                max_age_seconds: end_ms.saturating_sub(now_ms).min(life_ms).max(1_000) / 1_000,
                text: Journey {
                    written_ms: now_ms,
                    touches: journey.touches.clone(),
                }
                .encode(self.policy == Policy::FirstTouch),
            }
        });
        let touch = match self.policy {
            Policy::LastTouch => journey.touches.first(),
            Policy::FirstTouch => journey.touches.last(),
        };
        Kept {
            touch: touch.cloned(),
            journey: journey.touches,
            write,
            is_expired: false,
        }
    }
}

/// What a visit leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The touch that counts, by the policy.
    pub touch: Option<Touch>,
    /// All live touches, the newest first, for attribution.
    pub journey: Vec<Touch>,
    /// What to write into cookie and storage, if anything.
    pub write: Option<Write>,
    /// Is all that was stored past its window, so that it may be deleted?
    pub is_expired: bool,
}

/// What to write into cookie and storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The text, see [`Journey::encode`].
    pub text: String,
    /// The cookie's `Max-Age`, in seconds.
    pub max_age_seconds: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_781_879_400_000;

    fn find(url: &str) -> Option<FoundClick> {
        find_click(url, &LandingParameters::default())
    }

    fn visit(keeping: Keeping, id: &str, stored: Option<&str>, now_ms: u64) -> Kept {
        keeping.keep(find(&format!("?reqid={id}&s1=one")), &[stored], now_ms)
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
            (found.click_id.as_str(), found.parameter.as_str()),
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
        let journey = Journey {
            written_ms: NOW,
            touches: vec![
                Touch {
                    click_id: "a1b2c3d4-e5f6-7890-abcd-ef1234567890".into(),
                    at_ms: NOW,
                    parameter: "reqid".into(),
                    sub_ids: [
                        Some("spring sale!*".into()),
                        None,
                        Some("k\u{e4}se".into()),
                        None,
                        None,
                    ],
                },
                Touch {
                    click_id: "42".into(),
                    at_ms: NOW - DAY_MS,
                    parameter: "my param".into(),
                    sub_ids: [const { None }; 5],
                },
            ],
        };
        let text = journey.encode(false);
        assert_eq!(
            text,
            "1!tgvuy0*tgvuy0!reqid!a1b2c3d4-e5f6-7890-abcd-ef1234567890!spring%20sale%21%2A!!k%C3%A4se\
             *tgu0a0!my%20param!42"
        );
        assert_eq!(Journey::decode(&text), Some(journey));
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
            "2!x*x!r!abc",
            "1.abc.def",
            "%00",
        ] {
            assert_eq!(Journey::decode(text), None, "{text:?}");
        }
        // One broken part does not take the others with it.
        assert_eq!(Journey::decode("1!x*???*x!r!abc").unwrap().touches.len(), 1);
        assert_eq!(
            Journey::decode(&format!("1!x{}", "*x!r!abc".repeat(9_999))),
            None
        );
    }

    #[test]
    fn the_last_touch_counts_by_default_and_the_first_by_policy() {
        let first = Keeping::new(Policy::FirstTouch, 30, 5, 30).unwrap();
        for (keeping, counts) in [(Keeping::default(), "two"), (first, "one")] {
            let one = visit(keeping, "one", None, NOW).write.unwrap().text;
            let kept = visit(keeping, "two", Some(&one), NOW + DAY_MS);
            assert_eq!(kept.touch.unwrap().click_id, counts);
            assert_eq!(kept.journey.len(), 2);
            // Later pages carry no click id.
            let two = kept.write.unwrap().text;
            let thanks = keeping.keep(None, &[Some(&two)], NOW + 2 * DAY_MS);
            assert_eq!(thanks.touch.unwrap().click_id, counts);
            assert_eq!(thanks.write, None);
        }
    }

    #[test]
    fn the_same_click_id_does_not_move_the_clock() {
        let keeping = Keeping::default();
        let text = visit(keeping, "one", None, NOW).write.unwrap().text;
        let again = visit(keeping, "one", Some(&text), NOW + DAY_MS);
        assert_eq!(again.write, None);
        assert_eq!(again.touch.unwrap().at_ms, NOW);
    }

    #[test]
    fn a_touch_ends_with_its_window() {
        let keeping = Keeping::new(Policy::LastTouch, 7, 5, 7).unwrap();
        let text = visit(keeping, "one", None, NOW).write.unwrap().text;
        let last = keeping.keep(None, &[Some(&text)], NOW + 7 * DAY_MS - 1_000);
        assert!(last.touch.is_some());
        let over = keeping.keep(None, &[Some(&text)], NOW + 7 * DAY_MS);
        assert_eq!((over.touch, over.is_expired), (None, true));
        let never = keeping.keep(None, &[None], NOW);
        assert_eq!((never.touch, never.is_expired), (None, false));
        // A clock that went back keeps it.
        assert!(
            keeping
                .keep(None, &[Some(&text)], NOW - DAY_MS)
                .touch
                .is_some()
        );
    }

    #[test]
    fn the_cookie_is_refreshed_only_past_half_its_life() {
        // A window of 30 days in a browser that keeps cookies for 7.
        let keeping = Keeping::new(Policy::LastTouch, 30, 5, 7).unwrap();
        let write = visit(keeping, "one", None, NOW).write.unwrap();
        assert_eq!(write.max_age_seconds, 7 * 86_400);
        let half = 7 * DAY_MS / 2;
        assert_eq!(
            keeping
                .keep(None, &[Some(&write.text)], NOW + half - 1_000)
                .write,
            None
        );
        let refreshed = keeping.keep(None, &[Some(&write.text)], NOW + half);
        assert_eq!(refreshed.touch.unwrap().at_ms, NOW);
        assert_eq!(refreshed.write.unwrap().max_age_seconds, 7 * 86_400);
        // Never beyond the window.
        let late = keeping
            .keep(None, &[Some(&write.text)], NOW + 29 * DAY_MS)
            .write
            .unwrap();
        assert_eq!(late.max_age_seconds, 86_400);
    }

    #[test]
    fn a_store_that_lacks_the_text_gets_it_back() {
        let keeping = Keeping::default();
        let old = visit(keeping, "one", None, NOW).write.unwrap().text;
        let new = visit(keeping, "two", Some(&old), NOW + 1_000)
            .write
            .unwrap()
            .text;
        for stored in [
            [Some(new.as_str()), None],
            [None, Some(new.as_str())],
            [Some(old.as_str()), Some(new.as_str())],
        ] {
            let kept = keeping.keep(None, &stored, NOW + 2_000);
            assert_eq!(kept.touch.as_ref().unwrap().click_id, "two");
            assert_eq!(
                Journey::decode(&kept.write.unwrap().text).unwrap().touches,
                kept.journey
            );
        }
        assert_eq!(
            keeping
                .keep(None, &[Some(&new), Some(&new)], NOW + 2_000)
                .write,
            None
        );
    }

    #[test]
    fn a_journey_has_its_length_and_a_first_touch_is_never_pushed_out() {
        for (policy, counts, oldest) in [
            (Policy::LastTouch, "9", "7"),
            (Policy::FirstTouch, "0", "0"),
        ] {
            let keeping = Keeping::new(policy, 30, 3, 30).unwrap();
            let mut text: Option<String> = None;
            for id in 0..10 {
                text = visit(keeping, &id.to_string(), text.as_deref(), NOW + id * 1_000)
                    .write
                    .map(|write| write.text);
            }
            let kept = keeping.keep(None, &[text.as_deref()], NOW + 20_000);
            assert_eq!(kept.touch.unwrap().click_id, counts);
            assert_eq!(kept.journey.len(), 3);
            assert_eq!(kept.journey.last().unwrap().click_id, oldest);
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
            assert_eq!(
                Keeping::new(Policy::LastTouch, window, journey, cookie),
                Err(Error::InvalidSetting { parameter })
            );
        }
        assert_eq!(
            Keeping::new(Policy::LastTouch, 400, 20, 400)
                .unwrap()
                .window_days(),
            400
        );
    }

    fn any_touch() -> impl Strategy<Value = Touch> {
        let sub_id = || proptest::option::of(proptest::collection::vec(any::<char>(), 1..60));
        (
            "[A-Za-z0-9._:-]{1,128}",
            0_u64..2_000_000_000,
            "\\PC{0,20}",
            [sub_id(), sub_id(), sub_id(), sub_id(), sub_id()],
        )
            .prop_map(|(click_id, seconds, parameter, sub_ids)| Touch {
                click_id,
                at_ms: seconds * 1_000,
                parameter,
                sub_ids: sub_ids.map(|chars| chars.map(|chars| chars.into_iter().collect())),
            })
    }

    proptest! {
        #[test]
        fn a_journey_fits_and_reads_back(touches in proptest::collection::vec(any_touch(), 1..20), keep_first: bool) {
            let journey = Journey { written_ms: NOW, touches };
            let text = journey.encode(keep_first);
            prop_assert!(text.len() <= MAX_STORED_BYTES);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)));
            let read = Journey::decode(&text).unwrap();
            // What was given up: old touches, and sub ids of those that must stay.
            prop_assert_eq!(&read.touches[0].click_id, &journey.touches[0].click_id);
            if keep_first {
                prop_assert_eq!(&read.touches.last().unwrap().click_id, &journey.touches.last().unwrap().click_id);
            }
            if read.touches.len() == journey.touches.len() && !read.touches.iter().any(|touch| touch.sub_ids == [const { None }; 5]) {
                prop_assert_eq!(read, journey);
            }
        }

        #[test]
        fn no_text_makes_a_panic(text in "1![a-z0-9]{0,8}(\\*[a-z0-9!%\\PC]{0,40}){0,4}", url in "\\PC{0,60}", now in 0_u64..9_000_000_000_000) {
            let kept = Keeping::default().keep(find(&url), &[Some(&text), Some(&url)], now);
            prop_assert!(kept.journey.len() <= DEFAULT_JOURNEY);
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
