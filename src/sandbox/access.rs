//! Access control of `/__sandbox/`. With a token, a request must carry the token. Without one, only
//! requests on loopback are accepted, and none from a foreign web page.

use super::address;
use crate::cookie::find_cookie;
use crate::url;
use serde::{Deserialize, Serialize};

/// The cookie that holds the live view's token.
pub(crate) const COOKIE: &str = "cake_sandbox";

/// The minimum length of a token, in characters.
const TOKEN_CHARACTERS: usize = 16;

/// The parts of a request that decide about access.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Visitor {
    /// The whole URL.
    pub(crate) url: String,
    /// `Authorization`.
    pub(crate) authorization: Option<String>,
    /// `Cookie`.
    pub(crate) cookie: Option<String>,
    /// `Origin`.
    pub(crate) origin: Option<String>,
    /// Does the sandbox listen on loopback only, by its configuration?
    pub(crate) is_loopback: bool,
    /// The token that requests must carry.
    pub(crate) token: Option<String>,
}

/// The decision about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    /// Access.
    Granted,
    /// Access by the token in the URL: set the cookie and remove the token from the URL.
    GrantedByUrl,
    /// A page of another site, or a foreign host name that resolves to this machine.
    Foreign,
    /// No token or a wrong one.
    Refused,
    /// Not on loopback, and the configured token is missing or too short.
    NotSetUp,
}

impl Visitor {
    /// Decides about the request.
    #[must_use]
    pub(crate) fn access(&self) -> Access {
        let token = self.token.as_deref().map(crate::secret::trimmed);
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return if self.is_loopback {
                self.on_loopback()
            } else {
                Access::NotSetUp
            };
        };
        if token.chars().count() < TOKEN_CHARACTERS {
            return Access::NotSetUp;
        }
        let bearer = self
            .authorization
            .as_deref()
            .and_then(|header| header.strip_prefix("Bearer "));
        if bearer.is_some_and(|given| is_equal(given.trim(), token)) {
            return Access::Granted;
        }
        let in_url = url::pairs(url::query_of(&self.url))
            .find(|(name, _)| name == "token")
            .is_some_and(|(_, given)| is_equal(&given, token));
        if in_url {
            return Access::GrantedByUrl;
        }
        let kept = self
            .cookie
            .as_deref()
            .and_then(|header| find_cookie(header, COOKIE));
        if !kept.is_some_and(|given| is_equal(given, token)) {
            return Access::Refused;
        }
        // A browser also sends the cookie with requests that a foreign page triggers (CSRF).
        if self.is_own_origin() {
            Access::Granted
        } else {
            Access::Foreign
        }
    }

    /// Without a token, the host name must be loopback's own and no foreign page may ask. Otherwise
    /// any site could point a host name at this machine (DNS rebinding).
    fn on_loopback(&self) -> Access {
        if address::is_allowed(&address::LOOPBACK, &self.url_without_query())
            && self.is_own_origin()
        {
            Access::Granted
        } else {
            Access::Foreign
        }
    }

    fn is_own_origin(&self) -> bool {
        self.origin
            .as_deref()
            .is_none_or(|origin| Some(origin) == address::origin_of(&self.url))
    }

    fn url_without_query(&self) -> String {
        address::origin_of(&self.url).unwrap_or_default().to_owned()
    }
}

/// Compares two secrets in constant time; the length of a secret is not secret.
pub(super) fn is_equal(given: &str, wanted: &str) -> bool {
    let (given, wanted) = (given.as_bytes(), wanted.as_bytes());
    let difference = given
        .iter()
        .zip(wanted)
        .fold(given.len() ^ wanted.len(), |sum, (a, b)| {
            core::hint::black_box(sum | usize::from(a ^ b))
        });
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a-token-of-some-length";

    fn visitor(url: &str) -> Visitor {
        Visitor {
            url: url.into(),
            token: Some(TOKEN.into()),
            ..Visitor::default()
        }
    }

    #[test]
    fn the_token_is_taken_from_header_url_and_cookie() {
        let url = "https://sandbox.example/__sandbox/";
        assert_eq!(visitor(url).access(), Access::Refused);
        let by_header = |header: &str| Visitor {
            authorization: Some(header.into()),
            ..visitor(url)
        };
        assert_eq!(
            by_header(&format!("Bearer {TOKEN}")).access(),
            Access::Granted
        );
        assert_eq!(
            by_header("Bearer a-token-of-some-lengtH").access(),
            Access::Refused
        );
        assert_eq!(by_header("Bearer ").access(), Access::Refused);
        let by_url = visitor(&format!("{url}?token={TOKEN}"));
        assert_eq!(by_url.access(), Access::GrantedByUrl);
        let by_cookie = |origin: Option<&str>| Visitor {
            cookie: Some(format!("x=1; {COOKIE}={TOKEN}")),
            origin: origin.map(str::to_owned),
            ..visitor(url)
        };
        assert_eq!(by_cookie(None).access(), Access::Granted);
        assert_eq!(
            by_cookie(Some("https://sandbox.example")).access(),
            Access::Granted
        );
        assert_eq!(
            by_cookie(Some("https://evil.example")).access(),
            Access::Foreign
        );
    }

    #[test]
    fn without_a_token_only_loopback_gets_in_and_no_foreign_page() {
        let open = |url: &str, origin: Option<&str>, is_loopback| {
            Visitor {
                url: url.into(),
                origin: origin.map(str::to_owned),
                is_loopback,
                ..Visitor::default()
            }
            .access()
        };
        let home = "http://127.0.0.1:8787/__sandbox/";
        assert_eq!(open(home, None, true), Access::Granted);
        assert_eq!(
            open(home, Some("http://127.0.0.1:8787"), true),
            Access::Granted
        );
        assert_eq!(
            open(home, Some("https://evil.example"), true),
            Access::Foreign
        );
        assert_eq!(open(home, Some("null"), true), Access::Foreign);
        assert_eq!(
            open("http://rebound.evil.example:8787/", None, true),
            Access::Foreign
        );
        assert_eq!(open(home, None, false), Access::NotSetUp);
    }

    #[test]
    fn a_short_token_is_none() {
        let short = Visitor {
            token: Some("short".into()),
            is_loopback: true,
            ..visitor("http://127.0.0.1/")
        };
        assert_eq!(short.access(), Access::NotSetUp);
    }
}
