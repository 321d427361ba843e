//! CAKE's HTTP API without I/O. An [`Action`] and its parameters become a [`Call`]. The call gives
//! the next [`Request`], the wait before it, and the outcome; its caller decides nothing.
//!
//! The contract is CAKE's API article. Where the article is silent, the answers seen in public
//! clients count. Failures arrive with status 200, unknown fields appear, ids come as numbers or as
//! text.
//!
//! ```
//! use cake_edge::api::{Account, Action, Answer, CallEvent, CallSettings, Step};
//!
//! let account = Account::new("https://yourdomain.cakemarketing.com", "YOUR_API_KEY")?;
//! let mut call = Action::GetClick.call(&account, r#"{"clickId":"abc"}"#, CallSettings::default())?;
//! let mut step = call.start();
//! loop {
//!     step = match step {
//!         Step::Send(request) => {
//!             assert!(request.url_with_key().ends_with("&click_id=abc"));
//!             let answer = Answer::new(200, r#"{"request_status":"Success","response":{"clicks":[]}}"#);
//!             call.next(CallEvent::Answered(&answer), 0)
//!         }
//!         Step::Wait(_ms) => call.next(CallEvent::Waited, 0),
//!         Step::Done(_) => break,
//!         Step::Fail(error) => return Err(error),
//!     };
//! }
//! # Ok::<(), cake_edge::Error>(())
//! ```

mod action;
mod answer;
pub(crate) mod asked;
mod call;
mod certainty;
pub(crate) mod commerce;
mod contents;
pub(crate) mod conversion_report;
pub(crate) mod create_postback;
pub(crate) mod doctor;
pub(crate) mod dress;
pub(crate) mod get_click;
pub(crate) mod json;
mod key;
pub(crate) mod list_clicks;
pub(crate) mod list_conversions;
pub(crate) mod list_tracking_domains;
mod message;
pub(crate) mod older;
mod page;
mod pager;
mod params;
mod rate_limiter;
pub(crate) mod record_conversion;
mod redact;
pub(crate) mod report_scan;
mod retry;
mod said;
pub(crate) mod spelling;
pub(crate) mod unread;

use crate::error::UrlRule;
use crate::host::{is_host_name, is_loopback_origin};
use crate::link::strip_scheme;
use crate::url::{self, push_parameter};
use crate::{Error, Result};
use core::fmt;

pub use action::Action;
pub use action::CallSettings;
pub use action::Services;
pub use answer::Answer;
pub(crate) use answer::{MAX_ERROR_BODY_BYTES, has_body, has_message};
pub(crate) use asked::named;
pub use call::Call;
pub use call::CallEvent;
pub use call::CallOutcome;
pub use call::Step;
#[cfg(any(test, feature = "forwarder"))]
pub(crate) use certainty::is_no_host;
#[cfg(any(test, feature = "forwarder"))]
pub(crate) use certainty::words::refused_alike;
pub(crate) use certainty::{Certainty, is_limit};
pub(crate) use dress::plain_body;
pub(crate) use key::{ApiKey, redact_failure};
pub(crate) use pager::{DEFAULT_ROW_LIMIT, PageRead, Pager};
pub(crate) use rate_limiter::RateLimiter;
pub(crate) use retry::{SETTLED_MS, retry_after_ms};

/// A CAKE account: the origin of its API, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    origin: String,
    key: ApiKey,
}

impl Account {
    /// `base_url` is `https://yourdomain.cakemarketing.com`, or a sandbox's
    /// origin on loopback. Letters of the host in upper case, the scheme's own port and a slash at
    /// the end name the same account.
    ///
    /// # Errors
    /// [`Error::InvalidBaseUrl`], [`Error::MissingApiKey`].
    pub fn new(base_url: &str, api_key: &str) -> Result<Self> {
        let origin = base_url.strip_suffix('/').unwrap_or(base_url);
        if !is_loopback_origin(origin) {
            // On this machine http is allowed, so that the path is at fault.
            let rest = origin.strip_prefix("http://").filter(|rest| {
                let host = rest.split('/').next().unwrap_or_default();
                is_loopback_origin(&format!("http://{host}"))
            });
            let checked = rest.map_or_else(|| origin.to_owned(), |rest| format!("https://{rest}"));
            check_origin(&checked).map_err(|rule| Error::InvalidBaseUrl { rule })?;
        }
        Ok(Self {
            origin: plain_origin(origin),
            key: ApiKey::new(api_key)?,
        })
    }

    /// The origin of its API: scheme, host and port.
    #[must_use]
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// A text of CAKE's as it may be shown: without the key, on one line, at most 200 characters.
    #[must_use]
    pub(crate) fn shown(&self, text: &str) -> String {
        key::redact_and_truncate(text, Some(&self.key))
    }

    /// The account's key, which cannot be printed.
    #[must_use]
    pub(crate) fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Is this a sandbox on the caller's own machine?
    pub(crate) fn is_sandbox(&self) -> bool {
        !self.origin.starts_with("https:")
    }

    /// Starts the GET of an action.
    fn get(&self, path: &'static str) -> Request {
        Request {
            base: "/api/2/",
            path,
            origin: self.origin.clone(),
            key: self.key.clone(),
            query: String::new(),
            body: None,
        }
    }

    /// Starts the GET of an older service, whose path begins with its version.
    fn get_older(&self, path: &'static str) -> Request {
        Request {
            base: "/api/",
            ..self.get(path)
        }
    }

    /// The POST of an action: a body that starts with the key.
    fn post(&self, path: &'static str, body: &[(&str, Field<'_>)]) -> Request {
        // Spaced like the article's sample.
        let mut text = String::from("{\n  \"api_key\": ");
        json::push_string(&mut text, self.key.reveal());
        for (name, field) in body {
            text.push_str(",\n  \"");
            text.push_str(name);
            text.push_str("\": ");
            match field {
                Field::Number(number) => crate::url::push_number(&mut text, *number, 10),
                Field::Text(value) => json::push_string(&mut text, value),
            }
        }
        text.push_str("\n}");
        Request {
            body: Some(text),
            ..self.get(path)
        }
    }
}

/// A field of a POST's body.
enum Field<'a> {
    Number(u64),
    Text(&'a str),
}

/// A request to send to CAKE. Its URL or body holds the API key: pass it to `fetch` and nowhere
/// else. `Debug` leaves the key out.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    base: &'static str,
    path: &'static str,
    origin: String,
    key: ApiKey,
    query: String,
    body: Option<String>,
}

impl Request {
    fn parameter(&mut self, name: &str, value: &str) {
        push_parameter(&mut self.query, name, value);
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.parameter(name, value);
        }
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            let mut digits = String::new();
            crate::url::push_number(&mut digits, value, 10);
            self.parameter(name, &digits);
        }
    }

    /// The HTTP method: `GET`, or `POST` for Create Postback.
    #[must_use]
    pub fn method(&self) -> &'static str {
        if self.body.is_some() { "POST" } else { "GET" }
    }

    /// The path, such as `/api/2/click.json` or `/api/12/reports.asmx/Clicks`.
    #[must_use]
    pub fn path(&self) -> String {
        [self.base, self.path].concat()
    }

    /// The query without the key: it may be shown.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The whole URL, with the key where it is a GET.
    #[must_use]
    pub fn url_with_key(&self) -> String {
        let mut url = [&self.origin, self.base, self.path].concat();
        if self.body.is_none() {
            url.push('?');
            push_parameter(&mut url, "api_key", self.key.reveal());
            if !self.query.is_empty() {
                url.push('&');
                url.push_str(&self.query);
            }
        }
        url
    }

    /// The JSON body of a POST, with the key.
    #[must_use]
    pub fn body_with_key(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("path", &self.path)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

/// The one spelling of an origin: in lower case, without the scheme's own port.
fn plain_origin(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let port = if origin.starts_with("https:") {
        ":443"
    } else {
        ":80"
    };
    origin.strip_suffix(port).unwrap_or(&origin).to_owned()
}

/// Checks an origin of https: a host name, and perhaps a port.
fn check_origin(origin: &str) -> Result<(), UrlRule> {
    let authority = strip_scheme(origin, "https://").ok_or(UrlRule::Scheme)?;
    if authority.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(UrlRule::Space);
    }
    if authority.contains(['/', '?', '#', '\\']) {
        return Err(UrlRule::Path);
    }
    if authority.contains('@') {
        return Err(UrlRule::Credentials);
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    if is_loopback_origin(&["http://", authority].concat()) {
        return Err(UrlRule::Loopback);
    }
    if !is_host_name(host) {
        return Err(UrlRule::of_host(host));
    }
    if !url::is_port(port) {
        return Err(UrlRule::Port);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_account_is_the_same_account() {
        for base_url in [
            "https://acme.cakemarketing.com/",
            "https://ACME.CakeMarketing.com",
            "HTTPS://acme.cakemarketing.com",
            "https://acme.cakemarketing.com:443",
            "https://Acme.cakemarketing.com:443/",
        ] {
            let account = Account::new(base_url, "KEY").unwrap();
            assert_eq!(
                account.origin(),
                "https://acme.cakemarketing.com",
                "{base_url}"
            );
        }
        for (base_url, origin) in [
            ("https://a.example:8443", "https://a.example:8443"),
            ("http://LOCALHOST:80/", "http://localhost"),
            ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ] {
            assert_eq!(Account::new(base_url, "KEY").unwrap().origin(), origin);
        }
    }

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
            let code = Account::new(base_url, "k").map_err(|error| error.code());
            assert_eq!(code.map(drop), Err("invalid_base_url"), "{base_url}");
        }
        // On this machine http is right: the path is at fault.
        for base_url in [
            "http://127.0.0.1:8787/api/2",
            "http://localhost/api",
            "http://[::1]:1/x",
        ] {
            let rule = Account::new(base_url, "k").map_err(|error| match error {
                Error::InvalidBaseUrl { rule } => rule,
                _ => UrlRule::Scheme,
            });
            assert_eq!(rule.map(drop), Err(UrlRule::Path), "{base_url}");
        }
    }

    #[test]
    fn a_host_that_is_refused_is_told_what_it_must_be() {
        for (base_url, expected) in [
            ("https://localhost:8443", UrlRule::Loopback),
            ("https://shop.localhost", UrlRule::Loopback),
            ("https://127.0.0.1:8443/", UrlRule::Loopback),
            ("https://[::1]", UrlRule::Loopback),
            ("https://[::1]:8443", UrlRule::Loopback),
            ("https://m\u{fc}nchen.de", UrlRule::Letters),
            ("https://m\u{fc}nchen.de:8443", UrlRule::Letters),
            ("https://10.0.0.1", UrlRule::Host),
            ("https://[::2]", UrlRule::Host),
            ("https://intranet", UrlRule::Host),
            ("https://a.example:x", UrlRule::Port),
        ] {
            let Err(Error::InvalidBaseUrl { rule }) = Account::new(base_url, "k") else {
                panic!("{base_url}")
            };
            assert_eq!(rule, expected, "{base_url}");
        }
    }

    #[test]
    fn debug_never_shows_the_key() {
        let account = Account::new("https://a.example", "CANARY").unwrap();
        let get = Action::GetClick
            .call(&account, r#"{"clickId":"abc"}"#, CallSettings::default())
            .unwrap();
        let post = Action::CreatePostback
            .call(
                &account,
                r#"{"affiliateId":1,"offerId":0,"postbackUrl":"https://p.example/"}"#,
                CallSettings::default(),
            )
            .unwrap();
        for mut call in [get, post] {
            let Step::Send(request) = call.start() else {
                panic!("nothing to send");
            };
            let sent = [
                request.url_with_key(),
                request.body_with_key().unwrap_or_default().to_owned(),
            ];
            assert!(sent.concat().contains("CANARY"));
            assert!(!format!("{account:?} {request:?} {call:?}").contains("CANARY"));
        }
    }
}
