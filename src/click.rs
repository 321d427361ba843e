//! Click ids: found in a landing page's URL, checked, and kept as a touch.
//!
//! A click id is CAKE's request session id: an opaque text, never parsed and
//! never a number, though older accounts show plain integers.

use crate::cookie::SetCookie;
use crate::{Error, Result, url};
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

/// The cookie and localStorage key that hold the touch by default.
pub const DEFAULT_KEY: &str = "cake_click";

/// How long a touch counts by default, in days.
pub const DEFAULT_WINDOW_DAYS: u32 = 30;

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

/// Finds the click id in a landing page's URL (or its bare `?query`): the first
/// of `parameters` that carries one.
///
/// ```
/// use cake_edge::click::{DEFAULT_PARAMETERS, find_click_id};
///
/// let url = "https://shop.example/?utm_source=x&reqid=a1b2-c3";
/// assert_eq!(find_click_id(url, &DEFAULT_PARAMETERS).as_deref(), Some("a1b2-c3"));
/// assert_eq!(find_click_id("https://shop.example/?reqid=%23reqid%23", &DEFAULT_PARAMETERS), None);
/// ```
#[must_use]
pub fn find_click_id<'a>(url: &'a str, parameters: &[&str]) -> Option<Cow<'a, str>> {
    let query = url::query_of(url);
    parameters.iter().find_map(|parameter| {
        url::pairs(query)
            .find(|(name, _)| name == parameter)
            .map(|(_, value)| value)
            .filter(|value| is_click_id(value))
    })
}

/// A click that reached the landing page, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// CAKE's click id.
    pub click_id: String,
    /// When it arrived: milliseconds since 1970.
    pub at_ms: u64,
}

impl Touch {
    /// The stored text: `1.TIME.CLICK_ID`, the time in seconds, base 36. Safe in
    /// a cookie as it is.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(self.click_id.len() + 12);
        out.push_str("1.");
        url::push_number(&mut out, self.at_ms / 1_000, 36);
        out.push('.');
        out.push_str(&self.click_id);
        out
    }

    /// Reads a stored text. What is unreadable or of a later version is absent.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (time, click_id) = text.strip_prefix("1.")?.split_once('.')?;
        let seconds = u64::from_str_radix(time, 36).ok()?;
        is_click_id(click_id).then(|| Self {
            click_id: click_id.to_owned(),
            at_ms: seconds.saturating_mul(1_000),
        })
    }

    /// The cookie that keeps the touch, for `document.cookie` or `Set-Cookie`.
    ///
    /// # Errors
    /// [`Error::InvalidCookie`], which a touch read from a URL never causes.
    pub fn set_cookie(&self, is_secure: bool) -> Result<String> {
        SetCookie {
            name: DEFAULT_KEY,
            value: &self.encode(),
            max_age_days: DEFAULT_WINDOW_DAYS,
            is_secure,
        }
        .build()
    }

    /// Does the touch still count at `now_ms`?
    #[must_use]
    pub fn is_live(&self, now_ms: u64, window_days: u32) -> bool {
        now_ms.saturating_sub(self.at_ms) < u64::from(window_days) * 86_400_000
    }
}

/// What a landing page knows after its capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The touch that counts now.
    pub touch: Option<Touch>,
    /// Is it new, so that it has to be stored?
    pub is_new: bool,
}

/// Decides what a landing page keeps: the last touch. `stored` are the texts
/// found in cookie and storage, the preferred one first. A click id that is
/// stored already does not move the clock.
pub fn capture<'a>(
    url: &str,
    parameters: &[&str],
    stored: impl IntoIterator<Item = &'a str>,
    now_ms: u64,
    window_days: u32,
) -> Capture {
    let kept = stored
        .into_iter()
        .filter_map(Touch::decode)
        .find(|touch| touch.is_live(now_ms, window_days));
    match find_click_id(url, parameters) {
        Some(found) if kept.as_ref().is_none_or(|touch| touch.click_id != found) => Capture {
            touch: Some(Touch {
                click_id: found.into_owned(),
                at_ms: now_ms,
            }),
            is_new: true,
        },
        _ => Capture {
            touch: kept,
            is_new: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_click_id_is_not_found() {
        for query in [
            "?reqid=",
            "?reqid=%23reqid%23",
            "?reqid={click_id}",
            "?reqid=a%20b",
            "?other=abc",
            "#?reqid=abc",
        ] {
            assert_eq!(find_click_id(query, &DEFAULT_PARAMETERS), None, "{query}");
        }
        let long = format!("?reqid={}", "a".repeat(129));
        assert_eq!(find_click_id(&long, &DEFAULT_PARAMETERS), None);
    }

    #[test]
    fn the_first_parameter_of_the_list_wins_and_the_first_of_a_repeated_one() {
        let url = "https://shop.example/?r=late&click_id=one&click_id=two";
        assert_eq!(find_click_id(url, &DEFAULT_PARAMETERS).unwrap(), "one");
    }

    #[test]
    fn a_touch_reads_back() {
        let touch = Touch {
            click_id: "a1b2c3d4-e5f6-7890-abcd-ef1234567890".into(),
            at_ms: 1_768_470_131_000,
        };
        assert_eq!(
            touch.encode(),
            "1.t8wgab.a1b2c3d4-e5f6-7890-abcd-ef1234567890"
        );
        assert_eq!(Touch::decode(&touch.encode()), Some(touch));
    }

    #[test]
    fn an_unreadable_or_future_touch_is_absent() {
        for text in [
            "",
            "1",
            "1.",
            "1.x",
            "1.!.abc",
            "2.abc.def",
            "1.abc.a b",
            "1.abc.",
        ] {
            assert_eq!(Touch::decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_touch_ends_with_its_window() {
        let touch = Touch {
            click_id: "a".into(),
            at_ms: 1_000,
        };
        assert!(touch.is_live(1_000 + 30 * 86_400_000 - 1, 30));
        assert!(!touch.is_live(1_000 + 30 * 86_400_000, 30));
    }

    #[test]
    fn the_last_touch_is_kept_and_the_same_click_does_not_move_the_clock() {
        let first = capture("?reqid=one", &DEFAULT_PARAMETERS, [], 1_000, 30);
        assert!(first.is_new);
        let stored = first.touch.unwrap().encode();

        let again = capture(
            "?reqid=one",
            &DEFAULT_PARAMETERS,
            [stored.as_str()],
            9_000,
            30,
        );
        assert!(!again.is_new);
        assert_eq!(again.touch.unwrap().at_ms, 1_000);

        let later = capture("/thanks", &DEFAULT_PARAMETERS, ["junk", &stored], 9_000, 30);
        assert_eq!(later.touch.unwrap().click_id, "one");

        let other = capture(
            "?reqid=two",
            &DEFAULT_PARAMETERS,
            [stored.as_str()],
            9_000,
            30,
        );
        assert!(other.is_new);
        assert_eq!(other.touch.unwrap().click_id, "two");

        let expired = capture(
            "/",
            &DEFAULT_PARAMETERS,
            [stored.as_str()],
            31 * 86_400_000,
            30,
        );
        assert_eq!(expired.touch, None);
    }
}
