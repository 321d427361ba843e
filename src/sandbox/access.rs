//! Who may use `/__sandbox/`: whoever has the token, or, on loopback without
//! one, whoever is on this machine and no web page from elsewhere.

use super::address;
use crate::cookie::find_cookie;
use crate::url;
use serde::{Deserialize, Serialize};

/// The cookie that the live view gets for its token.
pub(crate) const COOKIE: &str = "cake_sandbox";

/// The least characters of a token.
const TOKEN_CHARACTERS: usize = 16;

/// What a request shows of itself.
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
    /// Was the sandbox told that it listens on loopback alone?
    pub(crate) is_loopback: bool,
    /// The token that is asked for.
    pub(crate) token: Option<String>,
}

/// What a visitor gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    /// In.
    Granted,
    /// In, by the token in the URL: set the cookie and take it out of the URL.
    GrantedByUrl,
    /// A page of another site, or a name that only leads here.
    Foreign,
    /// No token or a wrong one.
    Refused,
    /// Not on loopback, and no token was set up, or a short one.
    NotSetUp,
}

impl Visitor {
    /// Decides.
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
        // A cookie comes along with whatever a browser is talked into.
        if self.is_own_origin() {
            Access::Granted
        } else {
            Access::Foreign
        }
    }

    /// Without a token: the name must be loopback's own, or any site could point
    /// a name of its at this machine, and no other page may ask.
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

/// Are two secrets equal? Takes the same time wherever they differ; their
/// length is no secret.
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
