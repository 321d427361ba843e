//! CAKE's HTTP API without I/O: a call becomes a [`Request`], an [`Answer`]
//! becomes a result. Whoever carries the request over is told nothing else.
//!
//! The contract is CAKE's API article; where it is silent, the answers seen in
//! public clients hold: failures arrive with status 200, unknown fields appear,
//! ids come as numbers or as text.

mod answer;
pub mod get_click;
pub mod record_conversion;

use crate::link::{is_host_name, is_loopback_origin};
use crate::{Error, Result};
use core::fmt;

pub use answer::Answer;

/// An API key. It cannot be printed: `Debug` says `ApiKey(…)`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key as CAKE shows it.
    ///
    /// # Errors
    /// [`Error::MissingApiKey`] where it is empty or white space.
    pub fn new(key: &str) -> Result<Self> {
        if key.trim().is_empty() {
            return Err(Error::MissingApiKey);
        }
        Ok(Self(key.to_owned()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// A CAKE account: where its API is, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    origin: String,
    key: ApiKey,
}

impl Account {
    /// `base_url` is `https://yourdomain.cakemarketing.com`, or a sandbox's
    /// origin on loopback.
    ///
    /// # Errors
    /// [`Error::InvalidBaseUrl`], [`Error::MissingApiKey`].
    pub fn new(base_url: &str, api_key: &str) -> Result<Self> {
        let origin = base_url.strip_suffix('/').unwrap_or(base_url);
        let host = origin.strip_prefix("https://").map(|authority| {
            authority
                .split_once(':')
                .filter(|(_, port)| {
                    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
                })
                .map_or(authority, |(host, _)| host)
        });
        if !host.is_some_and(is_host_name) && !is_loopback_origin(origin) {
            return Err(Error::InvalidBaseUrl);
        }
        Ok(Self {
            origin: origin.to_owned(),
            key: ApiKey::new(api_key)?,
        })
    }

    /// Starts the request of an action: `ORIGIN/api/2/PATH?api_key=KEY`.
    fn get(&self, path: &'static str) -> Request {
        let mut url = String::with_capacity(256);
        url.push_str(&self.origin);
        url.push_str("/api/2/");
        url.push_str(path);
        url.push('?');
        crate::url::push_parameter(&mut url, "api_key", &self.key.0);
        Request { path, url }
    }
}

/// A GET to send to CAKE. Its URL holds the API key: it goes to `fetch` and
/// nowhere else, and `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    path: &'static str,
    url: String,
}

impl Request {
    fn parameter(&mut self, name: &str, value: &str) {
        crate::url::push_parameter(&mut self.url, name, value);
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.parameter(name, value);
        }
    }

    /// The whole URL, with the key.
    #[must_use]
    pub fn url_with_key(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Checks an id of the caller's.
fn check_id(parameter: &'static str, id: u64) -> Result<()> {
    if id == 0 || id > crate::link::MAX_ID {
        return Err(Error::InvalidId { parameter });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_an_https_origin_or_a_sandbox() {
        for base_url in [
            "https://yourdomain.cakemarketing.com",
            "https://yourdomain.cakemarketing.com/",
            "https://yourdomain.cakemarketing.com:8443",
            "http://127.0.0.1:8787",
        ] {
            assert!(Account::new(base_url, "k").is_ok(), "{base_url}");
        }
        for base_url in [
            "",
            "yourdomain.cakemarketing.com",
            "http://yourdomain.cakemarketing.com",
            "https://yourdomain.cakemarketing.com/api",
            "https://user:pass@yourdomain.cakemarketing.com",
            "https://127.0.0.1",
            "http://127.0.0.1.evil.example",
        ] {
            assert_eq!(
                Account::new(base_url, "k"),
                Err(Error::InvalidBaseUrl),
                "{base_url}"
            );
        }
    }

    #[test]
    fn a_missing_key_is_refused() {
        for key in ["", "  "] {
            assert_eq!(
                Account::new("https://a.example", key),
                Err(Error::MissingApiKey)
            );
        }
    }

    #[test]
    fn debug_never_shows_the_key() {
        let account = Account::new("https://a.example", "CANARY").unwrap();
        let request = get_click::request(&account, "abc").unwrap();
        assert!(request.url_with_key().contains("CANARY"));
        assert!(!format!("{account:?} {request:?}").contains("CANARY"));
    }
}
