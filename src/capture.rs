//! Edge capture: what a site's Worker does about the click of a request. It
//! reads the request's own words and decides; whoever calls it sets the cookie.

use crate::click_id::LandingParameters;
use crate::consent::{Consent, Storing};
use crate::cookie::{SetCookie, find_cookie};
use crate::host::is_loopback_origin;
use crate::purpose::Purpose;
use crate::signed_cookie::SigningKeys;
use crate::touch::{TouchPolicy, TouchUpdate};
use crate::url::{cut, query_of};
use crate::{Error, Result};

/// The signed cookie of one host alone.
pub const HOST_COOKIE: &str = "__Host-cake_click";

/// The signed cookie of a domain and all hosts below it.
pub const DOMAIN_COOKIE: &str = "__Secure-cake_click";

/// The signed cookie on http loopback, where browsers take no prefix. Not the
/// name of the page's own cookie, which no script could write any more then.
pub const LOOPBACK_COOKIE: &str = "cake_click_signed";

/// A request, in its own words. Headers that it lacks are `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visit<'a> {
    /// `GET`, …
    pub method: &'a str,
    /// The whole URL.
    pub url: &'a str,
    /// `Cookie`.
    pub cookies: Option<&'a str>,
    /// `Sec-GPC`.
    pub privacy_control: Option<&'a str>,
    /// `Upgrade`.
    pub upgrade: Option<&'a str>,
    /// `Sec-Purpose`, and before it had that name `Purpose`, `X-Purpose` and `X-Moz`.
    pub purposes: [Option<&'a str>; 4],
    /// `Sec-Fetch-Mode`.
    pub fetch_mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub fetch_dest: Option<&'a str>,
    /// `Accept`.
    pub accept: Option<&'a str>,
}

/// How clicks are captured.
#[derive(Debug)]
pub struct Capture<'a> {
    /// Sign and verify the cookie.
    pub keys: &'a SigningKeys,
    /// Which touch counts, and how long.
    pub touch_policy: TouchPolicy,
    /// Where the landing page's URL carries what.
    pub parameters: LandingParameters<'a>,
    /// The domain whose hosts all see the cookie; else the request's host alone.
    pub domain: Option<&'a str>,
    /// What the visitor has said.
    pub consent: Consent,
    /// Keep clicks in spite of `Sec-GPC: 1`.
    pub ignores_privacy_control: bool,
}

/// Why no click was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not a GET: link scanners send HEAD.
    NotGet,
    /// The request asks for another protocol, such as a WebSocket.
    Upgrade,
    /// Fetched ahead of a visit that may never come.
    Prefetch,
    /// Rendered ahead of one.
    Prerender,
    /// No page that the visitor opens: an image, a frame, a script's fetch.
    NotNavigation,
    /// Plain http, but not on loopback.
    Insecure,
    /// The browser's privacy signal.
    GlobalPrivacyControl,
    /// The visitor has refused, or withdrawn.
    ConsentDenied,
    /// The visitor has not answered yet.
    ConsentPending,
    /// Neither the URL nor the cookie has a click id.
    NoClick,
    /// The cookie has it already, and is fresh enough.
    Known,
    /// What the cookie had is past its window.
    Expired,
}

impl Reason {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotGet => "not_get",
            Self::Upgrade => "upgrade",
            Self::Prefetch => "prefetch",
            Self::Prerender => "prerender",
            Self::NotNavigation => "not_navigation",
            Self::Insecure => "insecure",
            Self::GlobalPrivacyControl => "global_privacy_control",
            Self::ConsentDenied => "consent_denied",
            Self::ConsentPending => "consent_pending",
            Self::NoClick => "no_click",
            Self::Known => "known",
            Self::Expired => "expired",
        }
    }
}

/// What to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The click id that counts now: this request's, or one kept earlier.
    pub click_id: Option<String>,
    /// The text of `Set-Cookie`: keeps the click, or deletes the cookie.
    pub set_cookie: Option<String>,
    /// Why no click was kept.
    pub reason: Option<Reason>,
}

impl Captured {
    fn nothing(reason: Reason, click_id: Option<String>) -> Self {
        Self {
            click_id,
            set_cookie: None,
            reason: Some(reason),
        }
    }
}

impl Capture<'_> {
    /// Decides about one request at `now_ms`, milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::InvalidCookie`] where the request's host is not one of `domain`.
    pub fn decide(&self, visit: &Visit<'_>, now_ms: u64) -> Result<Captured> {
        let (is_secure, host) = origin(visit.url);
        let name = match (is_secure, self.domain) {
            (false, _) => LOOPBACK_COOKIE,
            (true, None) => HOST_COOKIE,
            (true, Some(_)) => DOMAIN_COOKIE,
        };
        let domain = self.domain.filter(|_| is_secure);
        if domain.is_some_and(|domain| !is_within(host, domain)) {
            return Err(Error::InvalidCookie {
                parameter: "domain",
            });
        }
        let cookie = SetCookie {
            domain,
            is_secure,
            is_http_only: true,
            ..SetCookie::new(name, "")
        };
        let sent = visit.cookies.and_then(|cookies| find_cookie(cookies, name));
        let stored = sent
            .and_then(|text| self.keys.verify(name, text, now_ms))
            .unwrap_or_default();
        let is_private = visit.privacy_control == Some("1");
        let storing = self
            .consent
            .storing(is_private, self.ignores_privacy_control);

        if let Some(reason) = ignored(visit, is_secure) {
            let update = self
                .touch_policy
                .keep("", &self.parameters, &[stored], now_ms);
            let click_id = update.click_id.filter(|_| storing != Storing::Delete);
            return Ok(Captured::nothing(reason, click_id));
        }
        let delete = |reason| {
            let cookie = SetCookie {
                max_age_seconds: Some(0),
                ..cookie
            };
            Ok(Captured {
                set_cookie: sent.map(|_| cookie.build()).transpose()?,
                ..Captured::nothing(reason, None)
            })
        };
        if storing == Storing::Delete {
            return delete(match self.consent {
                Consent::Denied => Reason::ConsentDenied,
                _ => Reason::GlobalPrivacyControl,
            });
        }
        let query = query_of(visit.url);
        let update = self
            .touch_policy
            .keep(query, &self.parameters, &[stored], now_ms);
        let TouchUpdate {
            click_id: Some(click_id),
            text,
            max_age_seconds,
            ..
        } = update
        else {
            // What no secret of ours has signed goes as well: it is of no use.
            return delete(if sent.is_some() {
                Reason::Expired
            } else {
                Reason::NoClick
            });
        };
        if storing == Storing::Hold {
            return Ok(Captured::nothing(Reason::ConsentPending, Some(click_id)));
        }
        let Some(seconds) = max_age_seconds else {
            return Ok(Captured::nothing(Reason::Known, Some(click_id)));
        };
        let value = self.keys.sign(name, &text, now_ms + seconds * 1_000);
        let cookie = SetCookie {
            value: &value,
            max_age_seconds,
            ..cookie
        };
        Ok(Captured {
            click_id: Some(click_id),
            set_cookie: Some(cookie.build()?),
            reason: None,
        })
    }
}

/// Why a request is no visit, whatever it carries.
fn ignored(visit: &Visit<'_>, is_secure: bool) -> Option<Reason> {
    let is = |header: Option<&str>, word: &str| {
        header.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(word))
    };
    if visit.method != "GET" {
        return Some(Reason::NotGet);
    }
    if visit.upgrade.is_some() {
        return Some(Reason::Upgrade);
    }
    match Purpose::of(visit.purposes.into_iter().flatten()) {
        Purpose::Prerender => return Some(Reason::Prerender),
        Purpose::Prefetch => return Some(Reason::Prefetch),
        Purpose::Visit => {}
    }
    // Browsers before 2023 do not say; they ask for HTML where they navigate.
    let is_navigation = match (visit.fetch_mode, visit.fetch_dest) {
        (None, None) => visit.accept.is_some_and(|types| {
            types
                .split(',')
                .any(|kind| is(Some(cut(kind, b';').0), "text/html"))
        }),
        (mode, dest) => is(mode, "navigate") && (dest.is_none() || is(dest, "document")),
    };
    if !is_navigation {
        return Some(Reason::NotNavigation);
    }
    (!is_secure && !is_loopback_origin(origin_text(visit.url))).then_some(Reason::Insecure)
}

/// `https://host:port` of a URL as the platform writes it.
fn origin_text(url: &str) -> &str {
    let scheme = url.len() - url.split_once("://").map_or(url, |(_, rest)| rest).len();
    let rest = url.get(scheme..).unwrap_or_default();
    let end = rest.bytes().position(|byte| b"/?#".contains(&byte));
    url.get(..scheme + end.unwrap_or(rest.len()))
        .unwrap_or_default()
}

/// Is the URL's scheme https, and which host has it?
fn origin(url: &str) -> (bool, &str) {
    let origin = origin_text(url);
    let authority = cut(origin, b'/').1.and_then(|rest| rest.strip_prefix('/'));
    let host = cut(authority.unwrap_or_default(), b':').0;
    (origin.starts_with("https://"), host)
}

fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

/// The click id that counts by the signed cookie of a `Cookie` header, for
/// whoever records the conversion; `None` where none of the secrets has signed
/// one that is within its time.
#[must_use]
pub fn signed_click_id(
    cookies: &str,
    keys: &SigningKeys,
    touch_policy: TouchPolicy,
    now_ms: u64,
) -> Option<String> {
    [HOST_COOKIE, DOMAIN_COOKIE, LOOPBACK_COOKIE]
        .into_iter()
        .filter_map(|name| keys.verify(name, find_cookie(cookies, name)?, now_ms))
        .find_map(|text| {
            touch_policy
                .keep("", &LandingParameters::default(), &[text], now_ms)
                .click_id
        })
}
