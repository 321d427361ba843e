//! Reads `Cookie` and writes `Set-Cookie`. A value can never break out of its field.

use crate::host::is_host_name;
use crate::url::{cut, push_number};
use crate::{Error, Result};
#[cfg(feature = "signed")]
use crate::{
    click_id::is_letter,
    url::{Sink, decode, push_escape},
};

/// The maximum size of a cookie in every browser: bytes, attributes included.
pub(crate) const MAX_BYTES: usize = 4_096;

/// The requests from other sites in which a browser sends the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// When a visitor follows a link: landing pages need this.
    #[default]
    Lax,
    /// Never.
    Strict,
    /// Always; needs `Secure`.
    None,
}

/// A cookie to set.
///
/// ```
/// use cake_edge::cookie::SetCookie;
///
/// let cookie = SetCookie { max_age_seconds: Some(60), ..SetCookie::new("cake_click", "abc") };
/// assert_eq!(cookie.build()?, "cake_click=abc; Path=/; Max-Age=60; SameSite=Lax; Secure");
/// # Ok::<(), cake_edge::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// The cookie's name: a token of RFC 6265.
    pub name: &'a str,
    /// The value: no quotes, commas, semicolons, backslashes or white space.
    pub value: &'a str,
    /// The domain whose hosts all receive the cookie; `None` for this host only.
    pub domain: Option<&'a str>,
    /// The path: `/…`.
    pub path: &'a str,
    /// The lifetime; 0 deletes the cookie, `None` makes it a session cookie.
    pub max_age_seconds: Option<u64>,
    /// `Secure`: needed everywhere except on http loopback.
    pub is_secure: bool,
    /// `HttpOnly`: scripts cannot read the cookie.
    pub is_http_only: bool,
    /// `SameSite`.
    pub same_site: SameSite,
    /// `Partitioned` by the top-level site; needs `Secure`.
    pub is_partitioned: bool,
}

impl<'a> SetCookie<'a> {
    /// A cookie of this host, for all paths, `Secure`, `SameSite=Lax`, for the session.
    #[must_use]
    pub fn new(name: &'a str, value: &'a str) -> Self {
        Self {
            name,
            value,
            domain: None,
            path: "/",
            max_age_seconds: None,
            is_secure: true,
            is_http_only: false,
            same_site: SameSite::Lax,
            is_partitioned: false,
        }
    }

    /// The text for `document.cookie` or a `Set-Cookie` header.
    ///
    /// # Errors
    /// [`Error::InvalidCookie`], also where the attributes break a rule for which browsers silently
    /// drop the cookie: `__Host-` and `__Secure-` names, `SameSite=None`, `Partitioned`, more than
    /// 4,096 bytes.
    pub fn build(&self) -> Result<String> {
        let check = |parameter, holds: bool| {
            if holds {
                Ok(())
            } else {
                Err(Error::InvalidCookie { parameter })
            }
        };
        let is_host_only = starts_with(self.name, "__Host-");
        let is_prefixed = is_host_only || starts_with(self.name, "__Secure-");
        let needs_secure = is_prefixed || self.is_partitioned || self.same_site == SameSite::None;
        check(
            "name",
            !self.name.is_empty() && self.name.bytes().all(is_token_byte),
        )?;
        check("value", self.value.bytes().all(is_value_byte))?;
        check(
            "domain",
            self.domain
                .is_none_or(|domain| !is_host_only && is_host_name(domain)),
        )?;
        check(
            "path",
            self.path.starts_with('/') && self.path.bytes().all(is_path_byte),
        )?;
        check("path", !is_host_only || self.path == "/")?;
        check("secure", self.is_secure || !needs_secure)?;

        let mut out = String::with_capacity(self.name.len() + self.value.len() + 80);
        out.push_str(self.name);
        out.push('=');
        out.push_str(self.value);
        if let Some(domain) = self.domain {
            out.push_str("; Domain=");
            out.push_str(domain);
        }
        out.push_str("; Path=");
        out.push_str(self.path);
        if let Some(seconds) = self.max_age_seconds {
            out.push_str("; Max-Age=");
            push_number(&mut out, seconds, 10);
        }
        out.push_str("; SameSite=");
        out.push_str(match self.same_site {
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
            SameSite::None => "None",
        });
        for (is_set, attribute) in [
            (self.is_secure, "; Secure"),
            (self.is_http_only, "; HttpOnly"),
            (self.is_partitioned, "; Partitioned"),
        ] {
            if is_set {
                out.push_str(attribute);
            }
        }
        check("value", out.len() <= MAX_BYTES)?;
        Ok(out)
    }
}

/// Browsers compare the prefixes case-insensitively.
fn starts_with(name: &str, prefix: &str) -> bool {
    name.split_at_checked(prefix.len())
        .is_some_and(|(start, _)| start.eq_ignore_ascii_case(prefix))
}

/// The values of all cookies called `name` in a `Cookie` header or in `document.cookie`. A browser
/// sends one cookie for each path and domain, the longest path first.
///
/// A request may have several `Cookie` fields, which some platforms join by commas (Cloudflare's
/// workerd). Our own values have no comma, see [`SetCookie::value`].
pub(crate) fn find_cookies<'a>(header: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    header.split([';', ',']).filter_map(move |pair| {
        let (key, value) = cut(pair, b'=');
        value
            .filter(|_| key.trim_ascii() == name)
            .map(str::trim_ascii)
    })
}

/// The first value that `find_cookies` finds.
#[must_use]
pub fn find_cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    find_cookies(header, name).next()
}

/// How our value may have read before a site's server set its visitors' cookies again: such code decodes a value, encodes
/// it, or does both, and PHP encodes `!` and `*` as well.
#[cfg(feature = "signed")]
pub(crate) fn former_values(value: &str) -> [String; 2] {
    let plain = decode(value);
    let mut ours = String::with_capacity(value.len());
    for byte in plain.bytes() {
        if is_letter(byte) || b"!*".contains(&byte) {
            ours.push_byte(byte);
        } else {
            push_escape(&mut ours, byte);
        }
    }
    [ours, plain.into_owned()]
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

fn is_path_byte(byte: u8) -> bool {
    (byte.is_ascii_graphic() || byte == b' ') && byte != b';'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cookie() -> SetCookie<'static> {
        SetCookie::new("cake_click", "1!x")
    }

    #[test]
    fn every_attribute_is_written() {
        let cookie = SetCookie {
            domain: Some("example.com"),
            path: "/shop",
            max_age_seconds: Some(2_592_000),
            is_http_only: true,
            same_site: SameSite::None,
            is_partitioned: true,
            ..cookie()
        };
        assert_eq!(
            cookie.build().unwrap(),
            "cake_click=1!x; Domain=example.com; Path=/shop; Max-Age=2592000; SameSite=None; Secure; HttpOnly; Partitioned"
        );
        let strict = SetCookie {
            same_site: SameSite::Strict,
            is_secure: false,
            ..self::cookie()
        };
        assert_eq!(
            strict.build().unwrap(),
            "cake_click=1!x; Path=/; SameSite=Strict"
        );
    }

    #[test]
    fn nothing_breaks_out_of_its_field() {
        for (cookie, parameter) in [
            (SetCookie::new("", "x"), "name"),
            (SetCookie::new("a b", "x"), "name"),
            (SetCookie::new("a=b", "x"), "name"),
            (SetCookie::new("\u{e4}", "x"), "name"),
            (SetCookie::new("a", "x; Domain=evil.example"), "value"),
            (SetCookie::new("a", "x\r\nSet-Cookie: b=c"), "value"),
            (SetCookie::new("a", "\u{e4}"), "value"),
            (
                SetCookie {
                    domain: Some("x.com; Secure"),
                    ..cookie()
                },
                "domain",
            ),
            (
                SetCookie {
                    domain: Some(".example.com"),
                    ..cookie()
                },
                "domain",
            ),
            (
                SetCookie {
                    domain: Some("127.0.0.1"),
                    ..cookie()
                },
                "domain",
            ),
            (
                SetCookie {
                    path: "shop",
                    ..cookie()
                },
                "path",
            ),
            (
                SetCookie {
                    path: "/;x",
                    ..cookie()
                },
                "path",
            ),
            (
                SetCookie {
                    path: "/\n",
                    ..cookie()
                },
                "path",
            ),
        ] {
            assert_eq!(
                cookie.build(),
                Err(Error::InvalidCookie { parameter }),
                "{cookie:?}"
            );
        }
        let long = "x".repeat(4_096);
        assert!(SetCookie::new("a", &long).build().is_err());
    }

    #[test]
    fn prefixes_and_attributes_that_browsers_drop_are_refused() {
        let host = SetCookie::new("__Host-click", "x");
        assert!(host.build().is_ok());
        for (cookie, parameter) in [
            (
                SetCookie {
                    domain: Some("example.com"),
                    ..host
                },
                "domain",
            ),
            (
                SetCookie {
                    path: "/shop",
                    ..host
                },
                "path",
            ),
            (
                SetCookie {
                    is_secure: false,
                    ..host
                },
                "secure",
            ),
            (
                SetCookie {
                    is_secure: false,
                    name: "__host-click",
                    ..host
                },
                "secure",
            ),
            (
                SetCookie {
                    is_secure: false,
                    ..SetCookie::new("__Secure-click", "x")
                },
                "secure",
            ),
            (
                SetCookie {
                    is_secure: false,
                    same_site: SameSite::None,
                    ..cookie()
                },
                "secure",
            ),
            (
                SetCookie {
                    is_secure: false,
                    is_partitioned: true,
                    ..cookie()
                },
                "secure",
            ),
        ] {
            assert_eq!(
                cookie.build(),
                Err(Error::InvalidCookie { parameter }),
                "{cookie:?}"
            );
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let header = "xcake_click=1; cake_click=2;cake_click=3; empty=; flag; q=\"x\"; y=a=b";
        assert_eq!(find_cookie(header, "cake_click"), Some("2"));
        assert_eq!(find_cookie(header, "empty"), Some(""));
        assert_eq!(find_cookie(header, "flag"), None);
        assert_eq!(find_cookie(header, "q"), Some("\"x\""));
        assert_eq!(find_cookie(header, "y"), Some("a=b"));
        assert_eq!(find_cookie("", ""), None);
    }

    #[test]
    fn a_cookie_is_found_in_whatever_way_several_fields_were_joined() {
        let ours = "__Host-cake_click";
        for header in [
            "__Host-cake_click=1!x",
            "a=b; __Host-cake_click=1!x",
            "a=b, __Host-cake_click=1!x",
            "a=b,__Host-cake_click=1!x",
            "__Host-cake_click=1!x, a=b",
            "a=1,2, __Host-cake_click=1!x, c=d; e=f",
            "flag, __Host-cake_click=1!x;, e",
            "q=\"1, 2\", __Host-cake_click=1!x ,a=b",
        ] {
            assert_eq!(find_cookie(header, ours), Some("1!x"), "{header}");
        }
        let several = "a=b, __Host-cake_click=1, __Host-cake_click=2; __Host-cake_click=3";
        let values: Vec<_> = find_cookies(several, ours).collect();
        assert_eq!(values, ["1", "2", "3"]);
    }

    proptest! {
        #[test]
        fn each_set_name_is_found_and_no_other(name in "[a-z_]{1,9}|\\PC{0,9}", value in "[!-~]{0,20}|\\PC{0,20}", other in "\\PC{0,20}") {
            let cookie = SetCookie { name: &name, value: &value, max_age_seconds: Some(1), ..SetCookie::new("", "") };
            if let Ok(text) = cookie.build() {
                let (pair, attributes) = text.split_once("; ").unwrap();
                prop_assert_eq!(attributes, "Path=/; Max-Age=1; SameSite=Lax; Secure");
                prop_assert_eq!(find_cookie(pair, &name), Some(value.as_str()));
            }
            let _ = find_cookie(&other, &name);
        }
    }
}
