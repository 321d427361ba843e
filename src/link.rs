//! Tracking links: `https://DOMAIN/?a=AFFILIATE&c=CREATIVE&s1=…` (KB 5000545920).

use crate::url::{self, is_plain_text, push_encoded, push_number};
use crate::{Error, Result, sub_id};
use std::borrow::Cow;

/// The longest link that is built or read, in bytes.
pub const MAX_BYTES: usize = 2_000;

/// The largest id: JavaScript's largest exact whole number, 2^53-1.
pub const MAX_ID: u64 = 9_007_199_254_740_991;

/// CAKE's own affiliate for tests of an offer (KB 5000540952).
pub const TEST_AFFILIATE: i64 = -1;

/// What CAKE reads itself. ASP.NET compares the names of a query without case.
const RESERVED: &str = "a c s1 s2 s3 s4 s5 p ckmrdr";

/// The parts of a tracking link.
///
/// ```
/// use cake_edge::link::{Domain, LinkRules, TrackingLink};
///
/// let mut link = TrackingLink::new(Domain::new("track.yournetwork.com")?, 67890, 12);
/// link.sub_ids[0] = Some("spring sale".into());
/// let text = "https://track.yournetwork.com/?a=67890&c=12&s1=spring%20sale";
/// assert_eq!(link.build(&LinkRules::default())?, text);
/// assert_eq!(TrackingLink::parse(text, &LinkRules::default())?, link);
/// # Ok::<(), cake_edge::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingLink<'a> {
    /// Where the link points.
    pub domain: Domain<'a>,
    /// Who sends the traffic; `a` in the link.
    pub affiliate_id: i64,
    /// The banner or text that is clicked; `c` in the link.
    pub creative_id: i64,
    /// `s1` … `s5`. An empty text counts as absent.
    pub sub_ids: [Option<Cow<'a, str>>; 5],
    /// The price format, `p`: letters and digits. CPA campaigns have none.
    pub price_format: Option<Cow<'a, str>>,
    /// The deep link, `ckmrdr`: overrides the landing page where the creative allows it.
    pub deep_link: Option<Cow<'a, str>>,
    /// More parameters, in order.
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What a caller allows beyond the ordinary.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkRules<'a> {
    /// Allow CAKE's own test affiliate, -1.
    pub allow_test_affiliate: bool,
    /// Let what is too long for one of `s2` … `s5` run over into the next, as
    /// CAKE does, rather than refuse it.
    pub spill: bool,
    /// Read links to a sandbox on loopback.
    pub allow_sandbox: bool,
    /// The hosts that a deep link may lead to: `shop.example.com`, or
    /// `*.example.com` for all below it; or several in one text, separated by
    /// spaces. None by default, so that no link becomes an open redirect by accident.
    pub deep_link_hosts: &'a [&'a str],
}

impl<'a> TrackingLink<'a> {
    /// A link with nothing but what CAKE requires.
    #[must_use]
    pub fn new(domain: Domain<'a>, affiliate_id: i64, creative_id: i64) -> Self {
        Self {
            domain,
            affiliate_id,
            creative_id,
            sub_ids: [const { None }; 5],
            price_format: None,
            deep_link: None,
            extra: Vec::new(),
        }
    }

    /// The link in its one normal form: `a`, `c`, `s1` … `s5`, `p`, `ckmrdr`,
    /// then the extra parameters in their order.
    ///
    /// # Errors
    /// [`Error::InvalidId`], [`Error::SubIdTooLong`], [`Error::InvalidText`],
    /// [`Error::InvalidPriceFormat`], [`Error::InvalidDeepLink`],
    /// [`Error::DeepLinkHost`], [`Error::ReservedParameter`],
    /// [`Error::RepeatedParameter`], [`Error::LinkTooLong`].
    pub fn build(&self, rules: &LinkRules<'_>) -> Result<String> {
        let mut link = String::with_capacity(160);
        self.build_into(rules, &mut link)?;
        Ok(link)
    }

    /// The same, into an empty text that a caller uses again and again.
    pub(crate) fn build_into(&self, rules: &LinkRules<'_>, link: &mut String) -> Result<()> {
        self.domain.push_origin(link);
        let mut writer = LinkWriter::open(link, rules.spill);
        let allow_test = rules.allow_test_affiliate;
        writer.ids(self.affiliate_id, self.creative_id, allow_test);
        for value in &self.sub_ids {
            writer.sub_id(text_of(value.as_ref()));
        }
        writer.price_format(text_of(self.price_format.as_ref()));
        writer.deep_link(text_of(self.deep_link.as_ref()), rules.deep_link_hosts);
        for (name, value) in &self.extra {
            writer.extra(name, value);
        }
        writer.close()
    }

    /// Reads an existing link. Takes http for https, white space around it and
    /// the parameters in any order; drops a fragment, which CAKE never sees.
    ///
    /// # Errors
    /// [`Error::InvalidLink`] where it is no URL of the form
    /// `https://DOMAIN/?…`, [`Error::InvalidDomain`],
    /// [`Error::RepeatedParameter`], and those of [`TrackingLink::build`].
    pub fn parse(text: &'a str, rules: &LinkRules<'_>) -> Result<Self> {
        let text = text.trim_ascii();
        if text.len() > 2 * MAX_BYTES {
            return Err(Error::LinkTooLong);
        }
        let rest = strip_scheme(text, "https://")
            .or_else(|| strip_scheme(text, "http://"))
            .filter(|rest| is_plain_text(rest))
            .ok_or(Error::InvalidLink)?;
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (before, query) = rest.split_once('?').ok_or(Error::InvalidLink)?;
        let authority = before.strip_suffix('/').unwrap_or(before);
        if authority.contains('/') {
            return Err(Error::InvalidLink);
        }
        let origin = text.get(..text.len() - rest.len() + authority.len());
        let domain = match origin {
            Some(origin) if rules.allow_sandbox && is_loopback_origin(origin) => {
                Domain::sandbox(origin)?
            }
            _ => Domain::new(authority)?,
        };

        let mut link = Self::new(domain, 0, 0);
        let mut seen: Vec<Cow<'a, str>> = Vec::new();
        for (name, value) in url::pairs(query) {
            if seen.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
                return Err(Error::RepeatedParameter {
                    parameter: name.into_owned(),
                });
            }
            seen.push(name.clone());
            match find_word(RESERVED, &name, is_alike) {
                Some("a") => link.affiliate_id = read_id("affiliateId", &value)?,
                Some("c") => link.creative_id = read_id("creativeId", &value)?,
                Some("p") => link.price_format = not_empty(value),
                Some("ckmrdr") => link.deep_link = not_empty(value),
                Some(sub_id) => {
                    let index = sub_id::NAMES.iter().position(|name| *name == sub_id);
                    if let Some(slot) = index.and_then(|index| link.sub_ids.get_mut(index)) {
                        *slot = not_empty(value);
                    }
                }
                None => link.extra.push((name, value)),
            }
        }
        // What cannot be built is no tracking link either.
        link.build(rules)?;
        Ok(link)
    }
}

/// Writes a link part by part, in the order of its methods. The first part that
/// breaks a rule decides what [`close`](Self::close) says: to pass an error on
/// from each part is code at each part, and a page counts bytes.
pub(crate) struct LinkWriter<'a> {
    link: &'a mut String,
    sub_ids: sub_id::Filling<'a>,
    error: Option<Error>,
}

impl<'a> LinkWriter<'a> {
    /// Starts after the origin, which `link` holds.
    pub(crate) fn open(link: &'a mut String, spills: bool) -> Self {
        link.push_str("/?");
        Self {
            link,
            sub_ids: sub_id::Filling::new(spills),
            error: None,
        }
    }

    #[cold]
    #[inline(never)]
    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    pub(crate) fn ids(&mut self, affiliate_id: i64, creative_id: i64, allow_test: bool) {
        if affiliate_id == TEST_AFFILIATE && allow_test {
            self.link.push_str("a=-1");
        } else {
            self.id("a=", "affiliateId", affiliate_id);
        }
        self.id("&c=", "creativeId", creative_id);
    }

    fn id(&mut self, name: &str, parameter: &'static str, id: i64) {
        if !is_id(id) {
            self.fail(Error::InvalidId { parameter });
        }
        self.link.push_str(name);
        push_number(self.link, id.unsigned_abs(), 10);
    }

    /// The next of `s1` … `s5`; an empty one counts as absent, as do all parts.
    pub(crate) fn sub_id(&mut self, own: &'a str) {
        let parameter = self.sub_ids.name();
        match self.sub_ids.next(own) {
            Ok(value) if self.push(parameter, value) => {}
            Ok(_) => self.fail(Error::InvalidText { parameter }),
            Err(parameter) => self.fail(Error::SubIdTooLong { parameter }),
        }
    }

    pub(crate) fn price_format(&mut self, value: &str) {
        if value.len() > 20 || !value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            self.fail(Error::InvalidPriceFormat);
        }
        self.push("p", value);
    }

    pub(crate) fn deep_link(&mut self, value: &str, hosts: &[&str]) {
        if !value.is_empty()
            && let Err(error) = check_deep_link(value, hosts)
        {
            self.fail(error);
        }
        self.push("ckmrdr", value);
    }

    pub(crate) fn extra(&mut self, name: &str, value: &str) {
        if let Some(parameter) = find_word(RESERVED, name, is_alike) {
            self.fail(Error::ReservedParameter { parameter });
        }
        let start = self.link.len();
        self.link.push('&');
        let is_plain = push_encoded(self.link, name);
        self.link.push('=');
        let end = self.link.len();
        if !push_encoded(self.link, value) || !is_plain || name.is_empty() {
            self.fail(Error::InvalidText { parameter: "extra" });
        }
        // `&` and `=` stand in no encoded value: what was written before tells the names.
        let written = self.link.as_bytes();
        let before = written.get(..start).unwrap_or_default();
        let own = written.get(start..end).unwrap_or_default();
        if before.windows(own.len()).any(|other| is_alike(other, own)) {
            // Grown like the link, not `to_owned`: another way to get memory is more code.
            let mut parameter = String::new();
            parameter.push_str(name);
            self.fail(Error::RepeatedParameter { parameter });
        }
    }

    /// Is the link, now written, one that may be used?
    pub(crate) fn close(self) -> Result<()> {
        match self.error {
            Some(error) => Err(error),
            None if self.link.len() > MAX_BYTES => Err(Error::LinkTooLong),
            None => Ok(()),
        }
    }

    /// Says whether the value is plain text.
    fn push(&mut self, name: &str, value: &str) -> bool {
        value.is_empty() || url::push_parameter(self.link, name, value)
    }
}

/// The first of the words, separated by spaces, that fits `text`.
fn find_word<'w>(words: &'w str, text: &str, fits: fn(&[u8], &[u8]) -> bool) -> Option<&'w str> {
    let mut rest = Some(words);
    while let Some(ahead) = rest {
        let (word, tail) = url::cut(ahead, b' ');
        if fits(word.as_bytes(), text.as_bytes()) {
            return Some(word);
        }
        rest = tail;
    }
    None
}

/// Are these the same but for the case of letters? One function for all uses.
fn is_alike(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn text_of<'b>(value: Option<&'b Cow<'_, str>>) -> &'b str {
    value.map(AsRef::as_ref).unwrap_or_default()
}

fn not_empty(value: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!value.is_empty()).then_some(value)
}

/// What follows a start that is compared without case.
fn strip_scheme<'b>(text: &'b str, scheme: &str) -> Option<&'b str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    is_alike(start.as_bytes(), scheme.as_bytes()).then_some(rest)
}

/// Checks an id of the caller's: 1 to 2^53-1.
///
/// # Errors
/// [`Error::InvalidId`].
pub fn check_id(parameter: &'static str, id: i64) -> Result<()> {
    if is_id(id) {
        Ok(())
    } else {
        Err(Error::InvalidId { parameter })
    }
}

fn is_id(id: i64) -> bool {
    id > 0 && id.unsigned_abs() <= MAX_ID
}

fn read_id(parameter: &'static str, text: &str) -> Result<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| is_number)
        .ok_or(Error::InvalidId { parameter })
}

/// Checks a deep link: https, a host of the list, nothing that one URL parser
/// reads differently from another (user names, ports, backslashes, white space).
fn check_deep_link(deep_link: &str, hosts: &[&str]) -> Result<()> {
    let rest = deep_link
        .strip_prefix("https://")
        .ok_or(Error::InvalidDeepLink)?;
    let is_clean = is_plain_text(rest) && !has_white_space(rest);
    let end = rest
        .bytes()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let host = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    if !is_clean || !is_host_name(host) {
        return Err(Error::InvalidDeepLink);
    }
    let is_listed = |words: &&str| find_word(words, host, is_allowed).is_some();
    if hosts.iter().any(is_listed) {
        Ok(())
    } else {
        Err(Error::DeepLinkHost)
    }
}

fn is_allowed(allowed: &[u8], host: &[u8]) -> bool {
    match allowed {
        [b'*', suffix @ ..] => {
            let start = host.len().saturating_sub(suffix.len());
            suffix.first() == Some(&b'.')
                && start > 0
                && is_alike(host.get(start..).unwrap_or_default(), suffix)
        }
        _ => is_alike(allowed, host),
    }
}

/// Is there white space that is no control character, or a backslash? Spelled
/// out in UTF-8: `char::is_whitespace` brings a table into the page build.
fn has_white_space(text: &str) -> bool {
    let mut ahead = 0_u32;
    text.bytes().any(|byte| {
        ahead = (ahead << 8 | u32::from(byte)) & 0x00ff_ffff;
        matches!(byte, b' ' | b'\\')
            || ahead & 0xffff == 0xc2a0
            || matches!(
                ahead,
                // U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000
                0xe1_9a80 | 0xe2_8080
                    ..=0xe2_808a | 0xe2_80a8 | 0xe2_80a9 | 0xe2_80af | 0xe2_819f | 0xe3_8080
            )
    })
}

/// A tracking domain: an ASCII host name, or the loopback origin of a sandbox.
/// Lower case, as URLs have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain<'a>(Origin<'a>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin<'a> {
    Https(Cow<'a, str>),
    Loopback(Cow<'a, str>),
}

impl<'a> Domain<'a> {
    /// A host name such as `track.yournetwork.com`; links to it are https.
    ///
    /// # Errors
    /// [`Error::InvalidDomain`] where it is empty, has a scheme, port or path,
    /// is an IP address or not ASCII (pass punycode).
    pub fn new(host: &'a str) -> Result<Self> {
        if is_host_name(host) {
            Ok(Self(Origin::Https(lower_case(host))))
        } else {
            Err(Error::InvalidDomain)
        }
    }

    /// The origin of a sandbox on this machine, such as `http://127.0.0.1:8787`:
    /// a constructor of its own, so that no live link ever points at it by accident.
    ///
    /// # Errors
    /// [`Error::InvalidDomain`] where it is not an http origin on loopback.
    pub fn sandbox(origin: &'a str) -> Result<Self> {
        if is_loopback_origin(origin) {
            Ok(Self(Origin::Loopback(lower_case(origin))))
        } else {
            Err(Error::InvalidDomain)
        }
    }

    /// The host name, or the sandbox's origin: what the constructor took.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Origin::Https(host) => host,
            Origin::Loopback(origin) => origin,
        }
    }

    /// Is this a sandbox's?
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        matches!(self.0, Origin::Loopback(_))
    }

    /// The same with a text of its own, to be kept.
    #[must_use]
    pub fn into_owned(self) -> Domain<'static> {
        Domain(match self.0 {
            Origin::Https(host) => Origin::Https(Cow::Owned(host.into_owned())),
            Origin::Loopback(origin) => Origin::Loopback(Cow::Owned(origin.into_owned())),
        })
    }

    /// The same with this one's text.
    #[must_use]
    pub fn borrow(&self) -> Domain<'_> {
        Domain(match &self.0 {
            Origin::Https(host) => Origin::Https(Cow::Borrowed(host)),
            Origin::Loopback(origin) => Origin::Loopback(Cow::Borrowed(origin)),
        })
    }

    /// Checks and appends an origin in one go, without keeping it.
    #[cfg(any(test, all(target_family = "wasm", feature = "page")))]
    pub(crate) fn push(out: &mut String, text: &str, is_sandbox: bool) -> Result<()> {
        let is_good = if is_sandbox {
            is_loopback_origin(text)
        } else {
            out.push_str("https://");
            is_host_name(text)
        };
        for byte in text.bytes() {
            out.push(char::from(byte.to_ascii_lowercase()));
        }
        if is_good {
            Ok(())
        } else {
            Err(Error::InvalidDomain)
        }
    }

    /// Appends `https://HOST`, or the sandbox's origin.
    pub(crate) fn push_origin(&self, out: &mut String) {
        if !self.is_sandbox() {
            out.push_str("https://");
        }
        out.push_str(self.as_str());
    }
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Is this `http://127.0.0.1`, `http://localhost` or `http://[::1]`, with or without a port?
#[must_use]
pub fn is_loopback_origin(origin: &str) -> bool {
    let hosts = "http://127.0.0.1 http://localhost http://[::1]";
    find_word(hosts, origin, starts_origin).is_some()
}

/// Is `origin` this host, with or without a port?
fn starts_origin(host: &[u8], origin: &[u8]) -> bool {
    let (start, port) = origin.split_at_checked(host.len()).unwrap_or_default();
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => {
            digits.first() != Some(&b'0')
                && url::read_number(digits, 10).is_some_and(|port| port <= 65_535)
        }
        _ => false,
    };
    is_port && is_alike(start, host)
}

/// Is this a host name of two labels or more that is not an IP address in any
/// of the spellings that URL parsers accept?
#[must_use]
pub fn is_host_name(host: &str) -> bool {
    // One pass: links are built by the million.
    let mut labels = 0;
    let mut length = 0;
    let mut before = b'.';
    let mut first = b'.';
    for byte in host.bytes() {
        if byte == b'.' {
            if before == b'-' || length == 0 {
                return false;
            }
            labels += 1;
            length = 0;
        } else {
            let is_letter = byte.is_ascii_alphanumeric();
            if length == 0 {
                first = byte;
            }
            length += 1;
            if !(is_letter || (byte == b'-' && length > 1)) || length > 63 {
                return false;
            }
        }
        before = byte;
    }
    // WHATWG: a host whose last label is a number, in any base, is an IPv4 address.
    labels > 0 && length > 0 && before != b'-' && !first.is_ascii_digit() && host.len() <= 253
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LARGEST: i64 = 9_007_199_254_740_991;
    const DOMAIN: &str = "track.yournetwork.com";

    fn link() -> TrackingLink<'static> {
        TrackingLink::new(Domain::new(DOMAIN).unwrap(), 67890, 12)
    }

    fn built(link: &TrackingLink<'_>) -> Result<String> {
        link.build(&LinkRules {
            deep_link_hosts: &["shop.example.com", "*.store.example"],
            ..Default::default()
        })
    }

    #[test]
    fn domains_that_are_no_host_name_are_refused() {
        for domain in [
            "",
            " ",
            "localhost",
            "https://track.example.com",
            "track.example.com/",
            "track.example.com:443",
            "track.example.com.",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0x7f.0x1",
            "2130706433",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "-a.example.com",
            "a-.example.com",
            "a..example.com",
            "k\u{e4}se.example.com",
            "a b.example.com",
            "a_b.example.com",
            "user@example.com",
        ] {
            assert_eq!(Domain::new(domain), Err(Error::InvalidDomain), "{domain:?}");
        }
        let long = format!("{}.com", "a.".repeat(130));
        assert_eq!(Domain::new(&long), Err(Error::InvalidDomain));
        assert_eq!(
            Domain::new("TRACK.Example.com").unwrap().as_str(),
            "track.example.com"
        );
        assert!(Domain::new("xn--kse-qla.example").is_ok());
    }

    #[test]
    fn a_sandbox_lives_on_loopback_only() {
        for origin in [
            "http://127.0.0.1:8787",
            "http://localhost",
            "http://[::1]:1",
        ] {
            assert!(Domain::sandbox(origin).unwrap().is_sandbox(), "{origin:?}");
        }
        for origin in [
            "",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1:8787/x",
            "http://127.0.0.1:",
            "http://127.0.0.1:0",
            "http://127.0.0.1:99999",
            "http://127.1",
            "https://track.example.com",
            "http://10.0.0.1",
        ] {
            assert!(Domain::sandbox(origin).is_err(), "{origin:?}");
        }
    }

    #[test]
    fn an_id_outside_1_to_2_to_the_53_is_refused() {
        for id in [0, -1, -2, i64::MIN, LARGEST + 1, i64::MAX] {
            let mut bad = link();
            bad.affiliate_id = id;
            assert_eq!(
                built(&bad),
                Err(Error::InvalidId {
                    parameter: "affiliateId"
                })
            );
            let mut bad = link();
            bad.creative_id = id;
            assert_eq!(
                built(&bad),
                Err(Error::InvalidId {
                    parameter: "creativeId"
                })
            );
        }
    }

    #[test]
    fn the_test_affiliate_is_allowed_only_when_asked_for() {
        let mut ours = link();
        ours.affiliate_id = TEST_AFFILIATE;
        let rules = LinkRules {
            allow_test_affiliate: true,
            ..Default::default()
        };
        let text = ours.build(&rules).unwrap();
        assert_eq!(text, "https://track.yournetwork.com/?a=-1&c=12");
        assert_eq!(TrackingLink::parse(&text, &rules), Ok(ours));
        assert!(TrackingLink::parse(&text, &LinkRules::default()).is_err());
        let mut creative = link();
        creative.creative_id = TEST_AFFILIATE;
        assert!(creative.build(&rules).is_err());
    }

    #[test]
    fn every_part_has_its_place() {
        let mut link = link();
        link.sub_ids = [
            Some("a b&c=d".into()),
            Some("".into()),
            Some("k\u{e4}se+#?%".into()),
            None,
            None,
        ];
        link.price_format = Some("c".into());
        link.deep_link = Some("https://shop.example.com/p?x=1&y=2".into());
        link.extra = vec![("utm source".into(), "x".into())];
        assert_eq!(
            built(&link).unwrap(),
            "https://track.yournetwork.com/?a=67890&c=12&s1=a%20b%26c%3Dd&s3=k%C3%A4se%2B%23%3F%25&p=c\
             &ckmrdr=https%3A%2F%2Fshop.example.com%2Fp%3Fx%3D1%26y%3D2&utm%20source=x"
        );
    }

    #[test]
    fn a_sub_id_beyond_its_limit_is_refused() {
        let long = "x".repeat(51);
        let mut bad = link();
        bad.sub_ids[0] = Some(long.clone().into());
        assert_eq!(built(&bad), Err(Error::SubIdTooLong { parameter: "s1" }));
        bad.sub_ids = [None, Some(long.into()), None, None, None];
        assert!(built(&bad).is_ok());
        let mut bad = link();
        bad.sub_ids[4] = Some("a\nb".into());
        assert_eq!(built(&bad), Err(Error::InvalidText { parameter: "s5" }));
    }

    #[test]
    fn overflow_spills_only_when_asked_to() {
        let mut long = link();
        long.sub_ids[1] = Some("x".repeat(130).into());
        assert_eq!(built(&long), Err(Error::SubIdTooLong { parameter: "s2" }));
        let rules = LinkRules {
            spill: true,
            ..Default::default()
        };
        let text = long.build(&rules).unwrap();
        assert!(text.ends_with(&format!("&s2={}&s3={}", "x".repeat(100), "x".repeat(30))));
    }

    #[test]
    fn a_link_over_2000_bytes_is_refused() {
        let long: Cow<'_, str> = "\u{e4}".repeat(100).into();
        let mut bad = link();
        bad.sub_ids = [
            None,
            Some(long.clone()),
            Some(long.clone()),
            Some(long.clone()),
            Some(long),
        ];
        assert_eq!(built(&bad), Err(Error::LinkTooLong));
        assert_eq!(
            TrackingLink::parse(&"x".repeat(9_999), &LinkRules::default()),
            Err(Error::LinkTooLong)
        );
    }

    #[test]
    fn deep_links_lead_to_allowed_hosts_only() {
        let with = |deep_link: &str| {
            let mut link = link();
            link.deep_link = Some(deep_link.to_owned().into());
            built(&link).map(drop)
        };
        for good in [
            "https://shop.example.com",
            "https://SHOP.example.com/p?x=1#y",
            "https://shop.example.com?x",
            "https://a.store.example/",
            "https://a.b.store.example/k\u{e4}se",
        ] {
            assert_eq!(with(good), Ok(()), "{good}");
        }
        for (bad, error) in [
            ("http://shop.example.com/", Error::InvalidDeepLink),
            ("//shop.example.com/", Error::InvalidDeepLink),
            ("javascript:alert(1)", Error::InvalidDeepLink),
            (" https://shop.example.com/", Error::InvalidDeepLink),
            ("https://shop.example.com:8443/", Error::InvalidDeepLink),
            (
                "https://shop.example.com@evil.example/",
                Error::InvalidDeepLink,
            ),
            (
                "https://evil.example\\@shop.example.com/",
                Error::InvalidDeepLink,
            ),
            (
                "https://shop.example.com\\.evil.example/",
                Error::InvalidDeepLink,
            ),
            ("https://shop.example.com/\\x", Error::InvalidDeepLink),
            ("https://shop.example.com/a\tb", Error::InvalidDeepLink),
            ("https://127.0.0.1/", Error::InvalidDeepLink),
            ("https:///x", Error::InvalidDeepLink),
            ("https://evil.example/", Error::DeepLinkHost),
            (
                "https://shop.example.com.evil.example/",
                Error::DeepLinkHost,
            ),
            ("https://store.example/", Error::DeepLinkHost),
            ("https://evilstore.example/", Error::DeepLinkHost),
        ] {
            assert_eq!(with(bad), Err(error), "{bad}");
        }
        let mut link = link();
        link.deep_link = Some("https://shop.example.com/".into());
        assert_eq!(link.build(&LinkRules::default()), Err(Error::DeepLinkHost));
        let rules = LinkRules {
            deep_link_hosts: &["*", "*example.com"],
            ..Default::default()
        };
        assert_eq!(link.build(&rules), Err(Error::DeepLinkHost));
    }

    #[test]
    fn an_origin_that_is_not_kept_is_the_domains() {
        for (text, is_sandbox) in [
            ("Track.YourNetwork.com", false),
            ("http://LOCALHOST:8787", true),
            ("http://127.0.0.1", true),
            ("127.0.0.1", false),
            ("http://localhost", false),
            ("track.yournetwork.com", true),
            ("", false),
        ] {
            let domain = if is_sandbox {
                Domain::sandbox(text)
            } else {
                Domain::new(text)
            };
            let kept = domain.map(|domain| {
                let mut out = String::new();
                domain.push_origin(&mut out);
                out
            });
            let mut out = String::new();
            assert_eq!(
                Domain::push(&mut out, text, is_sandbox).map(|()| out),
                kept,
                "{text}"
            );
        }
    }

    #[test]
    fn white_space_is_what_unicode_says() {
        for character in '\0'..=char::MAX {
            let text = format!("a{character}b");
            let is_space = character.is_whitespace() && !character.is_control();
            assert_eq!(
                has_white_space(&text),
                is_space || character == '\\',
                "{character:?}"
            );
        }
    }

    #[test]
    fn extra_parameters_must_not_collide() {
        let with = |extra: &[(&'static str, &'static str)]| {
            let mut link = link();
            link.extra = extra
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect();
            built(&link).map(drop)
        };
        assert_eq!(
            with(&[("S1", "x")]),
            Err(Error::ReservedParameter { parameter: "s1" })
        );
        assert_eq!(
            with(&[("CkmRdr", "x")]),
            Err(Error::ReservedParameter {
                parameter: "ckmrdr"
            })
        );
        assert_eq!(
            with(&[("x", "1"), ("X", "2")]),
            Err(Error::RepeatedParameter {
                parameter: "X".into()
            })
        );
        assert_eq!(
            with(&[("", "1")]),
            Err(Error::InvalidText { parameter: "extra" })
        );
        assert_eq!(
            with(&[("x", "\0")]),
            Err(Error::InvalidText { parameter: "extra" })
        );
        assert_eq!(with(&[("x", "1"), ("y", "")]), Ok(()));
        let mut bad = link();
        bad.price_format = Some("c&a=1".into());
        assert_eq!(built(&bad), Err(Error::InvalidPriceFormat));
    }

    #[test]
    fn links_as_people_write_them_are_read() {
        let rules = LinkRules::default();
        for text in [
            "https://track.yournetwork.com/?a=67890&c=12",
            "  http://Track.YourNetwork.com?c=12&A=67890&s1=&p=#top ",
            "HTTPS://track.yournetwork.com/?a=067890&c=12&&",
        ] {
            assert_eq!(TrackingLink::parse(text, &rules), Ok(link()), "{text}");
        }
        let parsed =
            TrackingLink::parse("https://t.example.com/?S2=a+b%20c&c=1&a=2&z=%26", &rules).unwrap();
        assert_eq!(parsed.sub_ids[1].as_deref(), Some("a b c"));
        assert_eq!(parsed.extra, [("z".into(), "&".into())]);
    }

    #[test]
    fn what_is_no_tracking_link_is_refused() {
        let rules = LinkRules::default();
        for (text, error) in [
            ("", Error::InvalidLink),
            ("track.yournetwork.com/?a=1&c=2", Error::InvalidLink),
            ("ftp://track.yournetwork.com/?a=1&c=2", Error::InvalidLink),
            ("https://track.yournetwork.com/", Error::InvalidLink),
            (
                "https://track.yournetwork.com/x?a=1&c=2",
                Error::InvalidLink,
            ),
            (
                "https://track.yournetwork.com//?a=1&c=2",
                Error::InvalidLink,
            ),
            (
                "https://track.yournetwork.com/?a=1&c=2\n3",
                Error::InvalidLink,
            ),
            (
                "https://u:p@track.yournetwork.com/?a=1&c=2",
                Error::InvalidDomain,
            ),
            (
                "https://track.yournetwork.com:1/?a=1&c=2",
                Error::InvalidDomain,
            ),
            ("http://127.0.0.1:8787/?a=1&c=2", Error::InvalidDomain),
            (
                "https://t.example.com/?c=2",
                Error::InvalidId {
                    parameter: "affiliateId",
                },
            ),
            (
                "https://t.example.com/?a=1",
                Error::InvalidId {
                    parameter: "creativeId",
                },
            ),
            (
                "https://t.example.com/?a=1x&c=2",
                Error::InvalidId {
                    parameter: "affiliateId",
                },
            ),
            (
                "https://t.example.com/?a=%2B1&c=2",
                Error::InvalidId {
                    parameter: "affiliateId",
                },
            ),
            (
                "https://t.example.com/?a=1&c=99999999999999999999",
                Error::InvalidId {
                    parameter: "creativeId",
                },
            ),
            (
                "https://t.example.com/?a=1&c=2&A=3",
                Error::RepeatedParameter {
                    parameter: "A".into(),
                },
            ),
            (
                "https://t.example.com/?a=1&c=2&s1=%00",
                Error::InvalidText { parameter: "s1" },
            ),
            (
                "https://t.example.com/?a=1&c=2&ckmrdr=https%3A%2F%2Fevil.example",
                Error::DeepLinkHost,
            ),
        ] {
            assert_eq!(TrackingLink::parse(text, &rules), Err(error), "{text}");
        }
    }

    #[test]
    fn a_sandboxs_link_is_read_when_asked_for() {
        let rules = LinkRules {
            allow_sandbox: true,
            ..Default::default()
        };
        let text = "http://127.0.0.1:8787/?a=67890&c=12";
        let parsed = TrackingLink::parse(text, &rules).unwrap();
        assert!(parsed.domain.is_sandbox());
        assert_eq!(parsed.build(&rules).unwrap(), text);
    }

    /// Any Unicode that a sub id may hold.
    fn sub_id(limit: usize) -> impl Strategy<Value = Option<Cow<'static, str>>> {
        proptest::option::of(
            proptest::collection::vec(any::<char>(), 1..limit / 2).prop_map(|chars| {
                let text: String = chars.into_iter().filter(|c| !c.is_control()).collect();
                Cow::from(if text.is_empty() {
                    "x".to_owned()
                } else {
                    text
                })
            }),
        )
    }

    prop_compose! {
        fn any_link()(
            affiliate_id in 1..=LARGEST,
            creative_id in 1..=LARGEST,
            sub_ids in (sub_id(50), sub_id(60), sub_id(60), sub_id(60), sub_id(60)),
            price_format in proptest::option::of("[a-zA-Z0-9]{1,20}"),
            path in proptest::option::of("[/?#][^\\p{C}\\p{Z}\\\\]{0,30}"),
            extra in proptest::collection::btree_map("x[a-z\u{e4} +&=%#]{1,8}", "[^\\p{C}]{0,12}", 0..3),
        ) -> TrackingLink<'static> {
            let (s1, s2, s3, s4, s5) = sub_ids;
            TrackingLink {
                sub_ids: [s1, s2, s3, s4, s5],
                price_format: price_format.map(Cow::from),
                deep_link: path.map(|path| format!("https://shop.example.com{path}").into()),
                extra: extra.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
                ..TrackingLink::new(Domain::new(DOMAIN).unwrap(), affiliate_id, creative_id)
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back_here_and_in_another_parser(link in any_link()) {
            let rules = LinkRules { deep_link_hosts: &["shop.example.com"], ..Default::default() };
            match link.build(&rules) {
                Err(error) => prop_assert_eq!(error, Error::LinkTooLong),
                Ok(text) => {
                    prop_assert!(text.is_ascii() && text.len() <= MAX_BYTES);
                    prop_assert_eq!(&TrackingLink::parse(&text, &rules)?, &link);

                    let other = ::url::Url::parse(&text)?;
                    prop_assert_eq!(other.as_str(), &text);
                    prop_assert_eq!(other.host_str(), Some(DOMAIN));
                    let mut pairs: Vec<(String, String)> =
                        vec![("a".into(), link.affiliate_id.to_string()), ("c".into(), link.creative_id.to_string())];
                    for (name, value) in sub_id::NAMES.iter().zip(&link.sub_ids) {
                        pairs.extend(value.as_ref().map(|value| ((*name).to_owned(), value.to_string())));
                    }
                    pairs.extend(link.price_format.iter().map(|value| ("p".into(), value.to_string())));
                    pairs.extend(link.deep_link.iter().map(|value| ("ckmrdr".into(), value.to_string())));
                    pairs.extend(link.extra.iter().map(|(name, value)| (name.to_string(), value.to_string())));
                    let theirs: Vec<(String, String)> = other.query_pairs().into_owned().collect();
                    prop_assert_eq!(theirs, pairs);
                }
            }
        }

        #[test]
        fn parsing_is_idempotent_and_never_panics(text in "(https?://t.example.com/?\\?)?[ac12s=&%+#\\PC]{0,60}") {
            let rules = LinkRules { allow_test_affiliate: true, deep_link_hosts: &["shop.example.com"], ..Default::default() };
            if let Ok(link) = TrackingLink::parse(&text, &rules) {
                let normal = link.build(&rules)?;
                let again = TrackingLink::parse(&normal, &rules)?;
                prop_assert_eq!(again.build(&rules)?, normal);
            }
        }

        #[test]
        fn an_allowed_deep_link_leads_there_for_another_parser_too(
            rest in "[a-z.@:/\\\\?#%\\[\\] \\t0-9]{0,24}",
            start in prop::sample::select(vec!["https://shop.example.com", "https://", "https:/", "https:\\\\", "https://evil.example"]),
        ) {
            let deep_link = format!("{start}{rest}");
            if check_deep_link(&deep_link, &["shop.example.com", "*.shop.example.com"]).is_ok() {
                let other = ::url::Url::parse(&deep_link)?;
                let host = other.host_str().unwrap_or_default();
                prop_assert!(host == "shop.example.com" || host.ends_with(".shop.example.com"), "{}", deep_link);
            }
        }

        #[test]
        fn a_host_name_is_a_domain_for_another_parser_too(host in "[a-z0-9x.-]{1,20}") {
            if is_host_name(&host) {
                let other = ::url::Url::parse(&format!("https://{host}/"));
                // Labels such as `xn--a` are punycode that the other refuses: a DNS error, not another host.
                if let Ok(other) = other {
                    prop_assert!(matches!(other.host(), Some(::url::Host::Domain(name)) if name == host));
                }
            }
        }
    }
}
