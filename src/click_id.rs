//! Click ids: found in a landing page's URL and checked. How they are stored is `touch`'s.
//!
//! A click id is CAKE's request session id: an opaque text, never parsed and
//! never a number, though older accounts show plain integers.

use crate::{Error, Result, sub_id, url};
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
/// use cake_edge::click_id::{LandingParameters, find_click};
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

fn is_id(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Not empty, and no unexpanded macro.
pub(crate) fn is_sub_id(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| byte == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(url: &str) -> Option<FoundClick<'_>> {
        find_click(url, &LandingParameters::default())
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

    proptest! {
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
