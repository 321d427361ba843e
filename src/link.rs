//! Tracking links: `https://DOMAIN/?a=AFFILIATE&c=CREATIVE&s1=…` (KB 5000545920).

use crate::error::UrlRule;
use crate::host::{Domain, is_host_name, is_listed, is_loopback_origin};
use crate::url::{self, find_word, is_alike, is_plain_text, push_encoded, push_number};
use crate::{Error, Result, sub_id};
use std::borrow::Cow;

/// The maximum length of a link, built or parsed, in bytes.
pub(crate) const MAX_BYTES: usize = 2_000;

/// The largest id: JavaScript's largest exact whole number, 2^53-1.
pub(crate) const MAX_ID: u64 = 9_007_199_254_740_991;

/// CAKE's own affiliate for testing an offer (KB 5000540952).
pub(crate) const TEST_AFFILIATE: i64 = -1;

/// The parameters that CAKE reads itself. ASP.NET compares query names case-insensitively.
const RESERVED: &str = "a c s1 s2 s3 s4 s5 p ckmrdr";

/// The parts of a tracking link.
///
/// ```
/// use cake_edge::host::Domain;
/// use cake_edge::link::{LinkRules, TrackingLink};
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
    /// The tracking domain of the link.
    pub domain: Domain<'a>,
    /// The affiliate: `a` in the link.
    pub affiliate_id: i64,
    /// The creative, a banner or text: `c` in the link.
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

/// Options that a caller can allow.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkRules<'a> {
    /// Allow CAKE's own test affiliate, -1.
    pub allow_test_affiliate: bool,
    /// Let the excess of one of `s2` … `s5` overflow into the next sub id, as CAKE does, rather
    /// than refuse it.
    pub spill: bool,
    /// Parse links to a sandbox on loopback.
    pub allow_sandbox: bool,
    /// The allow-list of hosts for a deep link: `shop.example.com`, or `*.example.com` for all
    /// hosts below it. Several are separated by spaces. None by default, so that no link becomes an
    /// open redirect by accident.
    pub deep_link_hosts: &'a [&'a str],
}

impl<'a> TrackingLink<'a> {
    /// A link with only the parameters that CAKE requires.
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

    /// The link in its canonical form: `a`, `c`, `s1` … `s5`, `p`, `ckmrdr`, then the extra
    /// parameters in their order.
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

    /// Builds the link into an empty text that the caller reuses.
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

    /// Parses an existing link. Accepts http for https, surrounding white space and the parameters
    /// in any order. Drops a fragment, which CAKE never receives.
    ///
    /// # Errors
    /// [`Error::InvalidLink`] where the text is not a URL of the form `https://DOMAIN/?…`,
    /// [`Error::InvalidDomain`], [`Error::RepeatedParameter`], [`Error::MissingId`], and those of
    /// [`TrackingLink::build`].
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
        for (name, parameter) in [("a", "affiliateId"), ("c", "creativeId")] {
            if !seen.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                return Err(Error::MissingId { parameter });
            }
        }
        // A link that cannot be built is not a tracking link either.
        link.build(rules)?;
        Ok(link)
    }

    /// Can the link be built only where a long sub id may continue in the next one?
    #[must_use]
    pub fn needs_spill(&self) -> bool {
        let mut sub_ids = self.sub_ids.iter().enumerate();
        sub_ids.any(|(index, value)| !sub_id::split(index, text_of(value.as_ref())).1.is_empty())
    }
}

/// Writes a link part by part, in the order of its methods. The first part that breaks a rule
/// decides the error of [`close`](Self::close). An error return in each method would cost code at
/// each call, and a page counts bytes.
pub(crate) struct LinkWriter<'a> {
    link: &'a mut String,
    sub_ids: sub_id::Filling<'a>,
    error: Option<Error>,
}

impl<'a> LinkWriter<'a> {
    /// Starts after the origin, which `link` already holds.
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

    /// Appends the next of `s1` … `s5`. An empty sub id counts as absent, and so do all empty
    /// parts.
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
        // An encoded value has no `&` and `=`: the names can be found in the text that is already
        // written.
        let written = self.link.as_bytes();
        let before = written.get(..start).unwrap_or_default();
        let own = written.get(start..end).unwrap_or_default();
        if before.windows(own.len()).any(|other| is_alike(other, own)) {
            // Grown like the link, not by `to_owned`: a second way to allocate is more code.
            let mut parameter = String::new();
            parameter.push_str(name);
            self.fail(Error::RepeatedParameter { parameter });
        }
    }

    /// Is the finished link valid?
    pub(crate) fn close(self) -> Result<()> {
        match self.error {
            Some(error) => Err(error),
            None if self.link.len() > MAX_BYTES => Err(Error::LinkTooLong),
            None => Ok(()),
        }
    }

    /// Appends a parameter; returns whether the value is plain text.
    fn push(&mut self, name: &str, value: &str) -> bool {
        value.is_empty() || url::push_parameter(self.link, name, value)
    }
}

fn text_of<'b>(value: Option<&'b Cow<'_, str>>) -> &'b str {
    value.map(AsRef::as_ref).unwrap_or_default()
}

fn not_empty(value: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!value.is_empty()).then_some(value)
}

/// The rest of a text after a scheme, compared case-insensitively.
pub(crate) fn strip_scheme<'b>(text: &'b str, scheme: &str) -> Option<&'b str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    is_alike(start.as_bytes(), scheme.as_bytes()).then_some(rest)
}

/// Checks an id from the caller: 1 to 2^53-1.
///
/// # Errors
/// [`Error::InvalidId`].
pub(crate) fn check_id(parameter: &'static str, id: i64) -> Result<()> {
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

/// Checks a deep link: https, and a host of the list. Parts that URL parsers read differently are
/// refused: user names, ports, backslashes, white space.
fn check_deep_link(deep_link: &str, hosts: &[&str]) -> Result<()> {
    let broken = |rule| Err(Error::InvalidDeepLink { rule });
    let Some(rest) = strip_scheme(deep_link, "https://") else {
        return broken(UrlRule::Scheme);
    };
    let is_clean = is_plain_text(rest) && !has_white_space(rest);
    let end = rest
        .bytes()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let host = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    if !is_clean || !is_host_name(host) {
        // A page has a sentence for them all, and counts bytes.
        let is_page = cfg!(all(target_family = "wasm", feature = "link"));
        return broken(if is_page {
            UrlRule::Host
        } else if rest.contains('\\') {
            UrlRule::Backslash
        } else if !is_clean {
            UrlRule::Space
        } else if host.contains('@') {
            UrlRule::Credentials
        } else if host.contains(':') && !host.starts_with('[') {
            UrlRule::NoPort
        } else {
            UrlRule::of_host(host)
        });
    }
    if hosts.iter().any(|words| is_listed(words, host)) {
        Ok(())
    } else {
        Err(Error::DeepLinkHost)
    }
}

/// Does the text have a backslash, or white space that is not a control character? The code
/// compares UTF-8 bytes, because `char::is_whitespace` adds a table to the page build.
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

#[cfg(test)]
mod tests;
