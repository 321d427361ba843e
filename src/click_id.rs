//! Click ids: found in a landing page's address and checked. The module `touch` stores them.
//!
//! A click id is CAKE's request session id: an opaque text, never parsed and
//! never a number, though older accounts show plain integers.
//!
//! Page and edge find it by the same code, which takes the decoded pairs of the query and allocates
//! no memory.

use crate::error::IdRule;
use crate::placeholder::{is_missing_value, is_missing_word};
use crate::url::{
    self, END_OF_NAME, END_OF_PAIR, END_OF_READING, is_alike, is_control, push_pairs, take,
};
use crate::{Error, Result, sub_id};

/// The parameter names under which click ids arrive, in order of preference. `transaction_id`,
/// `tranid` and `r` are in use as well, but are not defaults. Payment providers and frameworks use
/// those names for something else on the page that converts. They count where a site names them.
pub(crate) const DEFAULT_PARAMETERS: [&str; 4] = ["reqid", "ckm_request_id", "click_id", "clickid"];

/// The most characters of a click id.
const MAX_CHARACTERS: usize = 128;

/// Is this 1 to 128 characters of `[A-Za-z0-9._:-]`? Macros that nobody
/// expanded (`#reqid#`, `{click_id}`) fall outside that alphabet.
#[must_use]
pub fn is_click_id(text: &str) -> bool {
    is_click_id_bytes(text.as_bytes())
}

/// [`is_click_id`], by bytes.
pub(crate) fn is_click_id_bytes(text: &[u8]) -> bool {
    (1..=MAX_CHARACTERS).contains(&text.len()) && text.iter().copied().all(is_letter)
}

pub(crate) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-')
}

/// Checks a click id from the caller.
///
/// # Errors
/// [`Error::InvalidClickId`]; [`Error::PlaceholderText`] for a text that stands
/// for a missing value, such as `undefined`, see [`crate::placeholder`].
pub(crate) fn check(text: &str) -> Result<()> {
    if !is_click_id(text) {
        let rule = match text.len() {
            0 => IdRule::Empty,
            1..=MAX_CHARACTERS => IdRule::Alphabet,
            _ => IdRule::Length,
        };
        Err(Error::InvalidClickId { rule })
    } else if is_missing_value(text) {
        let parameter = "clickId";
        Err(Error::PlaceholderText { parameter })
    } else {
        Ok(())
    }
}

/// The parameter names in a landing page's URL, by the advertiser's offer link. Names are compared
/// case-insensitively, as ASP.NET does.
#[derive(Clone, Copy, Debug)]
pub struct LandingParameters<'a> {
    /// The names of the click id's parameter, the preferred one first.
    pub click_id: &'a [&'a str],
    /// The names of the affiliate id's parameter.
    pub affiliate_id: &'a [&'a str],
    /// The names of the offer id's parameter.
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

/// Separates the names of the click id's parameter.
const END_OF_PARAMETER: u8 = b'\n';

impl LandingParameters<'_> {
    /// The names of the click id's parameter in one text, as [`LandingClick::find`] takes them.
    pub(crate) fn names(&self) -> String {
        self.click_id.join("\n")
    }
}

/// The click that a landing page's URL carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundClick<'a> {
    /// CAKE's click id.
    pub click_id: String,
    /// The parameter that carried it, as configured.
    pub parameter: &'a str,
    /// Did that parameter occur more than once? The first value that is a click id counts.
    pub(crate) is_repeated: bool,
    /// `s1` … `s5`, without those that are too long or an unexpanded macro.
    pub sub_ids: [Option<String>; 5],
    /// The affiliate who sent the click, as text.
    pub(crate) affiliate_id: Option<String>,
    /// The offer, as text.
    pub(crate) offer_id: Option<String>,
}

/// Finds the click id in a landing page's URL (or its bare `?query`). It is the first value that is
/// a click id, under the first configured parameter that has one. Words for a missing value do not
/// count, see [`crate::placeholder`]. If there is no click id, the address is read once more, in
/// the forms into which networks mangle it. These have `?`, `;` or an encoded separator for `&`, or
/// no query of their own (`/landing&reqid=1`).
///
/// ```
/// use cake_edge::click_id::{LandingParameters, find_click};
///
/// let parameters = LandingParameters::default();
/// let found = find_click("https://shop.example/?p=1?ReqId=a1b2-c3&s1=spring", &parameters).unwrap();
/// assert_eq!(found.click_id, "a1b2-c3");
/// assert_eq!(found.sub_ids[0].as_deref(), Some("spring"));
/// assert_eq!(find_click("https://shop.example/?reqid=%23reqid%23", &parameters), None);
/// assert_eq!(find_click("https://shop.example/?reqid=undefined", &parameters), None);
/// ```
#[must_use]
pub fn find_click<'a>(url: &str, parameters: &LandingParameters<'a>) -> Option<FoundClick<'a>> {
    let (address, fragment) = url::cut(url, b'#');
    let mut address = address.to_owned();
    if let Some(fragment) = fragment.filter(|_| parameters.fragment) {
        // A router's fragment may look like a URL of its own: #/path?reqid=1
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(url::cut(fragment, b'?').1.unwrap_or(fragment));
    }
    let (mut pairs, names) = (String::new(), parameters.names());
    push_pairs(&mut pairs, &address);
    let found = LandingClick::find(pairs.as_bytes(), names.as_bytes())?;
    let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let id_of = |names: &[&str]| {
        let is_id = |id: &[u8]| id.len() <= 16 && id.iter().all(u8::is_ascii_digit);
        let values = names.iter().flat_map(|name| found.values(name));
        let ids = values.filter(|value| fits(value, CLICK_ID) && is_id(value));
        ids.map(text_of).next()
    };
    Some(FoundClick {
        click_id: text_of(found.id),
        parameter: parameters
            .click_id
            .iter()
            .find(|name| name.as_bytes() == found.parameter)?,
        is_repeated: found.values(str::from_utf8(found.parameter).ok()?).count() > 1,
        sub_ids: core::array::from_fn(|index| {
            Some(text_of(found.sub_id(index))).filter(|value| !value.is_empty())
        }),
        affiliate_id: id_of(parameters.affiliate_id),
        offer_id: id_of(parameters.offer_id),
    })
}

/// A click that the landing page's address carries.
pub(crate) struct LandingClick<'a> {
    pub(crate) id: &'a [u8],
    /// The name that carried it, as configured.
    pub(crate) parameter: &'a [u8],
    /// The pairs of the reading that has the click id.
    pairs: &'a [u8],
}

impl<'a> LandingClick<'a> {
    /// The first value that is a click id, under the first name that has one, in the first reading
    /// that has one. The names are separated by line feeds.
    pub(crate) fn find(mut readings: &'a [u8], names: &'a [u8]) -> Option<Self> {
        while !readings.is_empty() {
            let pairs = take(&mut readings, END_OF_READING);
            let mut names = names;
            while !names.is_empty() {
                let parameter = take(&mut names, END_OF_PARAMETER);
                let id = value_of(pairs, parameter, CLICK_ID);
                if !id.is_empty() {
                    return Some(Self {
                        id,
                        parameter,
                        pairs,
                    });
                }
            }
        }
        None
    }

    /// `s1` … `s5` by index, from 0 on; empty where absent or invalid.
    pub(crate) fn sub_id(&self, index: usize) -> &'a [u8] {
        let digit = b'1' + u8::try_from(index).unwrap_or_default();
        value_of(self.pairs, &[b's', digit], sub_id::limit(index))
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = each_pair(self.pairs).filter(|(own, _)| is_alike(own, name.as_bytes()));
        named.map(|(_, value)| value)
    }
}

/// The pairs of a query, decoded: name and value.
fn each_pair(mut pairs: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    core::iter::from_fn(move || {
        let is_there = !pairs.is_empty();
        is_there.then(|| (take(&mut pairs, END_OF_NAME), take(&mut pairs, END_OF_PAIR)))
    })
}

/// In place of a sub id's limit: the value must be a click id.
const CLICK_ID: usize = 0;

/// The first value under this name that fits; empty where there is none.
#[inline(never)]
fn value_of<'a>(pairs: &'a [u8], name: &[u8], limit: usize) -> &'a [u8] {
    let fitting = each_pair(pairs).find(|(own, value)| is_alike(own, name) && fits(value, limit));
    fitting.unwrap_or_default().1
}

/// Is the value a click id, or a sub id of at most `limit` characters?
fn fits(value: &[u8], limit: usize) -> bool {
    if limit == CLICK_ID {
        is_click_id_bytes(value) && !is_missing_word(value)
    } else {
        is_sub_id(value, limit)
    }
}

/// Would CAKE take this sub id? It is not empty, no unexpanded macro, not too long, and has no
/// control characters.
fn is_sub_id(value: &[u8], max_characters: usize) -> bool {
    let mut characters = 0;
    let mut before = 0;
    for byte in value.iter().copied() {
        if byte == b'#' || is_control(before, byte) {
            return false;
        }
        before = byte;
        characters += sub_id::characters_of(byte);
    }
    (1..=max_characters).contains(&characters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(url: &str) -> Option<FoundClick<'_>> {
        find_click(url, &LandingParameters::default())
    }

    #[test]
    fn a_word_for_a_missing_value_is_no_click_id_of_a_callers() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/vectors/missing_values.json")).unwrap();
        let texts =
            |name: &str| -> Vec<String> { serde_json::from_value(vectors[name].clone()).unwrap() };
        for text in texts("missing") {
            let code = if is_click_id(&text) {
                "placeholder_text"
            } else {
                "invalid_click_id"
            };
            assert_eq!(
                check(&text).map_err(|error| error.code()),
                Err(code),
                "{text}"
            );
        }
        for text in texts("ids").iter().filter(|text| is_click_id(text)) {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_value_that_is_no_click_id_is_not_found() {
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
            "?transaction_id=2784792&tranid=1&r=shop/thanks",
            "?reqid=undefined",
            "?reqid=NULL&click_id=REPLACE",
            "?reqid=YOUR_CLICK_ID",
            "?other=abc",
            "#?reqid=abc",
        ] {
            assert_eq!(find(query), None, "{query}");
        }
        assert_eq!(find(&format!("?reqid={}", "a".repeat(129))), None);
        assert!(find(&format!("?reqid={}", "a".repeat(128))).is_some());
    }

    #[test]
    fn the_first_parameter_of_the_list_wins_and_the_first_click_id_of_a_repeated_one() {
        let found = find("https://shop.example/?clickid=late&click_id=one&click_id=two").unwrap();
        assert_eq!(
            (found.click_id.as_str(), found.parameter),
            ("one", "click_id")
        );
        assert!(found.is_repeated);
        assert!(!find("?reqid=1").unwrap().is_repeated);
        for query in [
            "?reqid=%23reqid%23&reqid=real&clickid=other",
            "?reqid=&reqid=real",
            "?reqid&REQID=null&reqid=real",
            "?reqid=undefined&clickid=real",
        ] {
            assert_eq!(find(query).unwrap().click_id, "real", "{query}");
        }
    }

    #[test]
    fn an_address_that_was_mangled_on_its_way_is_read() {
        for query in [
            "?p=1%3Freqid=abc",
            "?p=1%253Freqid=abc",
            "?p=1%25253freqid=abc",
            "?p=1%26reqid=abc",
            "?p=1%2526reqid=abc",
            "?p=1;reqid=abc",
            "?p=1%3Breqid=abc",
            "?p=1%26amp%3Breqid=abc",
            "?p=1&AMP;reqid=abc",
            "?reqid=abc%3Futm_source=x",
            "?reqid=abc;jsessionid=x",
            "?reqid=abc?x=1",
            "/landing&reqid=abc",
            "/landing;reqid=abc",
            "/landing%3Freqid=abc",
            "https://shop.example/landing&reqid=abc#top",
            "https://shop.example/landing&reqid=abc?utm_source=x",
            "?p=1?reqid=abc",
            "?p=1&?reqid=abc",
            "??reqid=abc",
            "?p=1/?reqid=abc&s1=x",
            "?p=1&amp;reqid=abc",
            "?p=1&amp;amp;reqid=abc",
            "?REQID=abc",
            "?ReqId=abc?utm_source=x",
            "?reqid=%20abc%20",
            "?reqid=abc+",
            "?%20reqid=abc%0D%0A",
            "?r%65qid=%61bc",
        ] {
            assert_eq!(find(query).unwrap().click_id, "abc", "{query}");
        }
        // Well separated parameters come first.
        let both = find("?to=/cart?reqid=inner&click_id=own").unwrap();
        assert_eq!(both.click_id, "own");
        for query in [
            "?to=%2Fcart%3Freqid%3Dinner",
            "?to=%252Fcart%253Freqid%253Dinner",
            "/reqid=inner/x",
            "/landing#&reqid=inner",
        ] {
            assert_eq!(find(query), None, "{query}");
        }
        let found = find("?s1=x?reqid=abc").unwrap();
        assert_eq!(found.sub_ids[0].as_deref(), Some("x"));
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
        fn each_found_value_is_a_click_id(query in "\\?(reqid=|ReqId=|reqid|s1|x|&amp;|&|=|\\?|;|%20|%23|%3[bFf]|%26|%25|[a-z0-9]|\\PC){0,20}") {
            if let Some(found) = find(&query) {
                prop_assert!(is_click_id(&found.click_id));
                // Another parser finds it too, in the query as it is, or with `&` for the other
                // separators.
                let mut mangled = query.split_once('?').unwrap().1.to_lowercase();
                while mangled.contains("%2525") {
                    mangled = mangled.replace("%2525", "%25");
                }
                for mark in ["?", ";", "%3f", "%3b", "%26", "%253f", "%253b", "%2526"] {
                    mangled = mangled.replace(mark, "&");
                }
                let queries = [query.clone(), format!("?{mangled}")];
                let is_there = queries.iter().any(|query| {
                    let url = ::url::Url::parse("https://shop.example/").unwrap().join(query).unwrap();
                    url.query_pairs().any(|(name, value)| {
                        let name = name.trim_start_matches("amp;").trim();
                        name.eq_ignore_ascii_case(found.parameter)
                            && value.trim().eq_ignore_ascii_case(&found.click_id)
                    })
                });
                prop_assert!(is_there);
            }
        }
    }
}
