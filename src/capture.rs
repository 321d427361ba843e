//! Edge capture: decides how a site's Worker handles the click of a request. The module reads the
//! request and decides; the caller sets the cookie.

use crate::click_id::LandingParameters;
use crate::consent::{Consent, Storing};
use crate::cookie::{SetCookie, find_cookies};
use crate::host::{is_host_name, is_loopback_origin};
use crate::purpose::Purpose;
use crate::signed_cookie::SigningKeys;
use crate::touch::{TouchPolicy, TouchUpdate, read_journey, without_own_ids};
use crate::url::cut;
use crate::{Error, Result};

/// The name of the signed cookie for one host only.
pub(crate) const HOST_COOKIE: &str = "__Host-cake_click";

/// The name of the signed cookie for a domain and all hosts below it.
pub(crate) const DOMAIN_COOKIE: &str = "__Secure-cake_click";

/// The name of the signed cookie on http loopback, where browsers refuse the prefixes. It differs
/// from the name of the page's own cookie: no script can write a name that an `HttpOnly` cookie
/// has.
pub(crate) const LOOPBACK_COOKIE: &str = "cake_click_signed";

/// The page's own cookie, which js/page/store.ts writes. The edge never reads its value, and
/// deletes the cookie where the visitor denies consent.
pub(crate) const PAGE_COOKIE: &str = "cake_click";

/// A request, as the platform received it. A missing header is `None`.
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
    /// `Sec-Purpose`, and its former names `Purpose`, `X-Purpose` and `X-Moz`.
    pub purposes: [Option<&'a str>; 4],
    /// `Sec-Fetch-Mode`.
    pub fetch_mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub fetch_dest: Option<&'a str>,
    /// `Accept`.
    pub accept: Option<&'a str>,
    /// `Upgrade-Insecure-Requests`.
    pub upgrade_insecure: Option<&'a str>,
    /// `Forwarded`.
    pub forwarded: Option<&'a str>,
    /// `X-Forwarded-Proto`.
    pub forwarded_proto: Option<&'a str>,
    /// `X-Forwarded-Host`.
    pub forwarded_host: Option<&'a str>,
}

/// The options of edge capture.
#[derive(Debug)]
pub struct Capture<'a> {
    /// The keys that sign and verify the cookie.
    pub keys: &'a SigningKeys,
    /// Which touch counts, and for how long.
    pub touch_policy: TouchPolicy,
    /// The names of the parameters in the landing page's URL.
    pub parameters: LandingParameters<'a>,
    /// The domain whose hosts all receive the cookie; `None` for the request's host only.
    pub domain: Option<&'a str>,
    /// The visitor's consent.
    pub consent: Consent,
    /// Keep clicks in spite of `Sec-GPC: 1`.
    pub ignores_privacy_control: bool,
    /// Trust a proxy's headers about the visitor's own request. Behind a proxy that ends TLS, all
    /// requests are plain http.
    pub trusts_proxy: bool,
}

/// The reason why no click was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not a GET: link scanners send HEAD.
    NotGet,
    /// The request asks for another protocol, such as a WebSocket.
    Upgrade,
    /// A prefetch, before a visit that may never come.
    Prefetch,
    /// A prerender, before a visit that may never come.
    Prerender,
    /// Not a page that the visitor opens: an image, a frame, a script's fetch.
    NotNavigation,
    /// Plain http, but not on loopback.
    Insecure,
    /// The browser's privacy signal.
    GlobalPrivacyControl,
    /// The visitor has denied or withdrawn consent.
    ConsentDenied,
    /// The visitor has not decided about consent yet.
    ConsentPending,
    /// Neither the URL nor the cookie has a click id.
    NoClick,
    /// The cookie has the click id already, and need not be renewed yet.
    Known,
    /// The touch in the cookie is past its window.
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

/// The result of edge capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The click id that counts now: from this request, or stored earlier.
    pub click_id: Option<String>,
    /// The values of `Set-Cookie`. One value stores the click; several values delete every cookie
    /// that the site's present or former settings may have set.
    pub set_cookies: Vec<String>,
    /// The reason why no click was stored.
    pub reason: Option<Reason>,
}

impl Captured {
    fn nothing(reason: Reason, click_id: Option<String>) -> Self {
        Self {
            click_id,
            set_cookies: Vec::new(),
            reason: Some(reason),
        }
    }
}

impl Capture<'_> {
    /// Decides about one request at `now_ms`, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::ForeignCookieDomain`] where the request's host is not one of `domain`.
    pub fn decide(&self, visit: &Visit<'_>, now_ms: u64) -> Result<Captured> {
        let (is_secure, host) = self.origin(visit);
        let name = match (is_secure, self.domain) {
            (false, _) => LOOPBACK_COOKIE,
            (true, None) => HOST_COOKIE,
            (true, Some(_)) => DOMAIN_COOKIE,
        };
        let domain = self.domain.filter(|_| is_secure).map(|domain| {
            let domain = domain.trim_ascii().trim_matches('.');
            domain.to_ascii_lowercase()
        });
        let domain = domain.as_deref();
        if domain.is_some_and(|domain| !is_within(&host, domain)) {
            return Err(Error::ForeignCookieDomain);
        }
        let cookie = SetCookie {
            domain,
            is_secure,
            is_http_only: true,
            ..SetCookie::new(name, "")
        };
        let cookies = visit.cookies.unwrap_or_default();
        let has = |name: &str| find_cookies(cookies, name).next().is_some();
        // Cookies of the site's former settings are read as well. The present settings' cookie must
        // hold the touch that counts.
        let texts = self.stores(cookies, name, now_ms);
        let stores: Vec<&str> = texts.iter().map(String::as_str).collect();
        let stores = stores.as_slice();
        let is_private = visit.privacy_control.is_some_and(is_signal);
        let storing = self
            .consent
            .storing(is_private, self.ignores_privacy_control);

        if let Some(reason) = ignored(visit, is_secure) {
            let update = self.touch_policy.keep("", &self.parameters, stores, now_ms);
            let click_id = update.click_id.filter(|_| storing != Storing::Delete);
            return Ok(Captured::nothing(reason, click_id));
        }
        if storing == Storing::Delete {
            let reason = match self.consent {
                Consent::Denied => Reason::ConsentDenied,
                _ => Reason::GlobalPrivacyControl,
            };
            let mut captured = Captured::nothing(reason, None);
            for name in [
                name,
                HOST_COOKIE,
                DOMAIN_COOKIE,
                LOOPBACK_COOKIE,
                PAGE_COOKIE,
            ] {
                if has(name) {
                    push_deletions(&mut captured.set_cookies, &cookie, name, &host)?;
                }
            }
            return Ok(captured);
        }
        let (address, _) = cut(visit.url, b'#');
        let update = self
            .touch_policy
            .keep(address, &self.parameters, stores, now_ms);
        let TouchUpdate {
            click_id: Some(click_id),
            text,
            max_age_seconds,
            ..
        } = update
        else {
            let reason = if has(name) {
                Reason::Expired
            } else {
                Reason::NoClick
            };
            let mut captured = Captured::nothing(reason, None);
            if has(name) {
                // A cookie that none of our secrets has signed is deleted too: it is useless.
                captured.set_cookies.push(deletion(&cookie).build()?);
            }
            return Ok(captured);
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
            set_cookies: vec![cookie.build()?],
            reason: None,
        })
    }

    /// The texts of the signed cookie of this name, and of those of all settings. An order's own ids are removed; an empty
    /// store then has the changed text written.
    fn stores(&self, cookies: &str, name: &str, now_ms: u64) -> Vec<String> {
        let texts = [&[name][..], &NAMES].map(|names| {
            let texts = self.keys.verify_all(cookies, names, now_ms);
            without_own_ids(&texts, self.parameters.own_ids)
        });
        let is_changed = texts.iter().any(|(_, is_changed)| *is_changed);
        let texts = texts.into_iter().map(|(text, _)| text);
        texts.chain(is_changed.then(String::new)).collect()
    }

    /// Was the visitor's request https, and to which host?
    fn origin(&self, visit: &Visit<'_>) -> (bool, String) {
        let (mut is_secure, host) = origin(visit.url);
        if self.trusts_proxy {
            let forwarded = visit.forwarded.map_or("", |list| cut(list, b',').0);
            let of = |name: &str| {
                let mut pairs = forwarded.split(';').map(|pair| cut(pair, b'='));
                let found = pairs.find(|(key, _)| key.trim_ascii().eq_ignore_ascii_case(name));
                found.and_then(|(_, value)| value)
            };
            let first = |header: Option<&'_ str>, own: Option<&'_ str>| {
                let text = header.map(|list| cut(list, b',').0).or(own)?;
                Some(text.trim_ascii().trim_matches('"').to_ascii_lowercase())
            };
            if let Some(scheme) = first(visit.forwarded_proto, of("proto")) {
                is_secure = scheme == "https";
            }
            if let Some(named) = first(visit.forwarded_host, of("host")) {
                let named = cut(&named, b':').0.trim_end_matches('.');
                return (is_secure, named.to_owned());
            }
        }
        (is_secure, host.trim_end_matches('.').to_ascii_lowercase())
    }
}

/// The names of the signed cookie under all settings that a site can have had.
const NAMES: [&str; 3] = [HOST_COOKIE, DOMAIN_COOKIE, LOOPBACK_COOKIE];

fn deletion<'a>(cookie: &SetCookie<'a>) -> SetCookie<'a> {
    SetCookie {
        max_age_seconds: Some(0),
        ..*cookie
    }
}

/// Deletes the cookie of this name for every domain that the host can set: a `Cookie` header does
/// not give the domain of a cookie.
fn push_deletions(
    out: &mut Vec<String>,
    cookie: &SetCookie<'_>,
    name: &str,
    host: &str,
) -> Result<()> {
    let mut push = |domain: Option<&str>| {
        let cookie = SetCookie {
            name,
            domain,
            is_secure: cookie.is_secure || name.starts_with("__"),
            ..deletion(cookie)
        };
        let text = cookie.build()?;
        if !out.contains(&text) {
            out.push(text);
        }
        Ok::<(), Error>(())
    };
    let is_of_a_domain = name == DOMAIN_COOKIE || name == PAGE_COOKIE;
    if !is_of_a_domain {
        return push(None);
    }
    if cookie.domain.is_some() {
        push(cookie.domain)?;
    }
    let mut domain = host;
    while is_host_name(domain) {
        push(Some(domain))?;
        domain = cut(domain, b'.').1.unwrap_or_default();
    }
    push(None)
}

/// Is a `Sec-GPC` that a browser, an extension or a proxy has written the signal? Set twice it comes as `1, 1`; in doubt,
/// such as `1, 0`, the visitor's no counts.
fn is_signal(header: &str) -> bool {
    header
        .split(',')
        .any(|item| matches!(cut(item, b';').0.trim_ascii().trim_matches('"'), "1" | "?1"))
}

/// The reason why a request is not a visit, if there is one.
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
    // Browsers before 2023 lack these headers; in a navigation they accept HTML.
    let is_navigation = match (visit.fetch_mode, visit.fetch_dest) {
        (None, None) => visit.accept.is_some_and(|types| {
            types
                .split(',')
                .any(|kind| is(Some(cut(kind, b';').0), "text/html"))
        }),
        // A site's service worker may fetch the visitor's request anew. That request has the
        // destination `empty`, and the mode `navigate` in Chromium or `same-origin` in Firefox. The
        // headers that browsers only send in navigations remain.
        (mode, Some(dest)) if is(Some(dest), "empty") => {
            is(mode, "navigate") || is(visit.upgrade_insecure, "1")
        }
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

/// Is the URL's scheme https, and what is its host?
fn origin(url: &str) -> (bool, &str) {
    let origin = origin_text(url);
    let authority = cut(origin, b'/').1.and_then(|rest| rest.strip_prefix('/'));
    let host = cut(authority.unwrap_or_default(), b':').0;
    (
        crate::link::strip_scheme(origin, "https://").is_some(),
        host,
    )
}

fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

/// The click ids of the signed cookie in a `Cookie` header, for code that records a conversion: the one that counts
/// first, and then those that count where it is the order's own id (see
/// [`is_own_id`](crate::click_id::is_own_id)). Empty where no secret has signed a cookie that is still valid.
#[must_use]
pub fn signed_click_ids(
    cookies: &str,
    keys: &SigningKeys,
    touch_policy: TouchPolicy,
    now_ms: u64,
) -> Vec<String> {
    let stored = keys.verify_all(cookies, &NAMES, now_ms);
    let kept = touch_policy.keep("", &LandingParameters::default(), &[&stored], now_ms);
    let touches = read_journey(&kept.text).into_iter();
    let mut ids: Vec<String> = touches.map(|touch| touch.click_id).collect();
    if ids.first() != kept.click_id.as_ref() {
        ids.reverse();
    }
    ids
}
