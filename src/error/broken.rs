//! The rules that a URL or an id may break. One code covers several rules, and each has a sentence.

/// A rule for the caller's URLs: deep links, postback URLs, the API's base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlRule {
    /// It does not begin with `https://`.
    Scheme,
    /// Its host is no host name.
    Host,
    /// Its host has letters beyond ASCII.
    Letters,
    /// It is https on this machine.
    Loopback,
    /// It has a user name or a password.
    Credentials,
    /// Its port is no port.
    Port,
    /// It has a port where none is allowed.
    NoPort,
    /// It has white space or control characters.
    Space,
    /// It has a backslash.
    Backslash,
    /// It has a path, a query or a fragment where none is allowed.
    Path,
    /// It is longer than 2,000 bytes.
    Length,
}

impl UrlRule {
    /// Every rule.
    pub const ALL: [Self; 11] = [
        Self::Scheme,
        Self::Host,
        Self::Letters,
        Self::Loopback,
        Self::Credentials,
        Self::Port,
        Self::NoPort,
        Self::Space,
        Self::Backslash,
        Self::Path,
        Self::Length,
    ];

    /// The rule that a text breaks which is no host name.
    pub(crate) fn of_host(host: &str) -> Self {
        if host.is_ascii() {
            Self::Host
        } else {
            Self::Letters
        }
    }

    /// The rule as a sentence about the URL.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Scheme => "must begin with https://",
            Self::Host => {
                "must be on a host name such as shop.example: no IP address, no single word, no macro"
            }
            Self::Letters => {
                "must have its host in ASCII, such as xn--mnchen-3ya.example for m\u{fc}nchen.example"
            }
            Self::Loopback => {
                "must begin with http:// on this machine, such as http://localhost:8787"
            }
            Self::Credentials => "must not have a user name before its host",
            Self::Port => "has a port that is no number up to 65535",
            Self::NoPort => "must not have a port",
            Self::Space => "must not contain white space or control characters",
            Self::Backslash => "must not contain a backslash",
            Self::Path => "must be an origin alone, without a path or query",
            Self::Length => "is longer than 2,000 bytes",
        }
    }
}

/// A rule for the caller's ids: click ids, unique ids, order ids, transaction ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdRule {
    /// It is empty.
    Empty,
    /// A server's postback has no click id.
    Missing,
    /// A conversion has no click id.
    Absent,
    /// It is longer than 128 characters.
    Length,
    /// A click id has other characters than click ids have.
    Alphabet,
    /// It has control characters.
    Control,
    /// A character of it was lost on the way.
    Lost,
    /// It is an e-mail address.
    Email,
    /// It is a number that is not whole, or that JavaScript has rounded.
    Digits,
    /// It is a negative number.
    Negative,
    /// A conversion's click id is the conversion's own order id or unique id.
    Own,
}

impl IdRule {
    /// Every rule.
    pub const ALL: [Self; 11] = [
        Self::Empty,
        Self::Missing,
        Self::Absent,
        Self::Length,
        Self::Alphabet,
        Self::Control,
        Self::Lost,
        Self::Email,
        Self::Digits,
        Self::Negative,
        Self::Own,
    ];

    /// The rule as a sentence about the id.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::Missing => "is missing: a server's postback has no cookie to know the click by",
            Self::Absent => "is missing: pass what CAKE appended to the landing page's address",
            Self::Length => "is longer than 128 characters",
            Self::Alphabet => {
                "must consist of A-Z a-z 0-9 . _ : - alone, and be no placeholder such as #reqid#"
            }
            Self::Control => "must not contain line feeds, tabs or other control characters",
            Self::Lost => {
                "must not hold half a character or U+FFFD: a character was lost, and two ids may have become one"
            }
            Self::Email => "must be no e-mail address: give the shop's own order number",
            Self::Own => {
                "is the conversion's own orderId or uniqueId: pass what CAKE appended to the landing page's address"
            }
            Self::Negative => "is a negative number: give it as text where the shop has such ids",
            Self::Digits => "is a number that is not whole or has lost digits: give it as text",
        }
    }
}

/// What refuses a request before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// CAKE does not take the API key.
    Key,
    /// The account is not served, its user may not do this, or the caller's address is not let in.
    Account,
    /// CAKE is not there for the moment, whatever else its words name.
    Away,
    /// It is no answer of CAKE's API, but a page or a text of something in front of it: a firewall, a proxy.
    Front,
}

impl Barrier {
    /// What has happened, as a sentence.
    #[must_use]
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Key => "CAKE refused the API key",
            Self::Account => "CAKE refused the account, or this machine's address",
            Self::Away => "CAKE serves nobody for the moment",
            Self::Front => "a firewall or a proxy in front of CAKE refused the request",
        }
    }
}
