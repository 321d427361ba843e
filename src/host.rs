//! Host names: tracking domains, the loopback of a sandbox, and lists of allowed hosts.

#[cfg(not(all(target_family = "wasm", feature = "bindings")))]
use crate::punycode;
use crate::url::{self, find_word, is_alike};
use crate::{Error, Result};
use std::borrow::Cow;

/// A tracking domain: an ASCII host name, or the loopback origin of a sandbox, in lower case.
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
    /// [`Error::InvalidDomain`] where the name is empty, has a scheme, port or path, is an IP
    /// address or not ASCII (pass punycode).
    pub fn new(host: &'a str) -> Result<Self> {
        if is_host_name(host) {
            Ok(Self(Origin::Https(lower_case(host))))
        } else {
            Err(Error::InvalidDomain)
        }
    }

    /// The origin of a sandbox on this machine, such as `http://127.0.0.1:8787`. It has its own
    /// constructor, so that no live link points at a sandbox by accident.
    ///
    /// # Errors
    /// [`Error::InvalidSandboxOrigin`] where the text is not an http origin on loopback.
    pub fn sandbox(origin: &'a str) -> Result<Self> {
        if is_loopback_origin(origin) {
            Ok(Self(Origin::Loopback(lower_case(origin))))
        } else {
            Err(Error::InvalidSandboxOrigin)
        }
    }

    /// The host name, or the sandbox's origin, as the constructor received it.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            Origin::Https(host) => host,
            Origin::Loopback(origin) => origin,
        }
    }

    /// Is this the origin of a sandbox?
    #[must_use]
    pub(crate) fn is_sandbox(&self) -> bool {
        matches!(self.0, Origin::Loopback(_))
    }

    /// The same domain with an owned text.
    #[must_use]
    pub(crate) fn into_owned(self) -> Domain<'static> {
        Domain(match self.0 {
            Origin::Https(host) => Origin::Https(Cow::Owned(host.into_owned())),
            Origin::Loopback(origin) => Origin::Loopback(Cow::Owned(origin.into_owned())),
        })
    }

    /// Checks and appends an origin in one step, without storing it.
    #[cfg(any(test, all(target_family = "wasm", feature = "link")))]
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
        match (is_good, is_sandbox) {
            (true, _) => Ok(()),
            (false, false) => Err(Error::InvalidDomain),
            (false, true) => Err(Error::InvalidSandboxOrigin),
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

/// In a page, js/page/link.ts has checked each host, and left out a wrong one: half a kilobyte less.
const IS_CHECKED: bool = cfg!(all(target_family = "wasm", feature = "link"));

/// Is this `http://` and a loopback host ([`is_loopback_host`]), with or without a port?
#[must_use]
pub(crate) fn is_loopback_origin(origin: &str) -> bool {
    if IS_CHECKED {
        return !origin.is_empty();
    }
    let (scheme, rest) = origin.split_at_checked(7).unwrap_or_default();
    // The colons of `[::1]` are no port's.
    let name = rest.bytes().take_while(|byte| *byte != b']').count();
    let start = if name == rest.len() { 0 } else { name };
    let colon = rest.bytes().skip(start).position(|byte| byte == b':');
    let (host, port) = rest.split_at(colon.map_or(rest.len(), |at| start + at));
    let is_port = match port.as_bytes() {
        [] => true,
        [_, digits @ ..] => {
            digits.first() != Some(&b'0')
                && url::read_number(digits, 10).is_some_and(|port| port <= 65_535)
        }
    };
    is_port && is_alike(scheme.as_bytes(), b"http://") && is_loopback_host(host)
}

/// Is this a host that every browser takes for this machine, also without TLS: `localhost`, a name below it,
/// `127.0.0.0/8` or `[::1]`? An address counts in its one spelling.
#[must_use]
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let octet = |text: &str| {
        let is_plain = text.len() == 1 || !text.starts_with('0');
        url::read_number(text.as_bytes(), 10).is_some_and(|number| is_plain && number <= 255)
    };
    if let Some(rest) = host.strip_prefix("127.") {
        return rest.split('.').count() == 3 && rest.split('.').all(octet);
    }
    let is_name = |label: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(is_letter)
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_named = is_alike(last.as_bytes(), b"localhost") && host.split('.').all(is_name);
    host == "[::1]" || (is_named && are_labels_valid(host))
}

/// Is this a host name of two labels or more that every URL parser accepts? An IP address is not
/// one, in any spelling that URL parsers accept.
#[must_use]
pub(crate) fn is_host_name(host: &str) -> bool {
    if IS_CHECKED {
        return !host.is_empty();
    }
    // One pass, because links are built by the million.
    let mut labels = 0;
    let mut length = 0;
    let mut before = b'.';
    let mut first = b'.';
    let mut may_be_coded = false;
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
            may_be_coded |= byte == b'-' && before == b'-';
            if !(is_letter || (byte == b'-' && length > 1)) || length > 63 {
                return false;
            }
        }
        before = byte;
    }
    if may_be_coded && !are_labels_valid(host) {
        return false;
    }
    // WHATWG: a host whose last label is a number, in any base, is an IPv4 address.
    labels > 0 && length > 0 && before != b'-' && !first.is_ascii_digit() && host.len() <= 253
}

/// Do URL parsers accept every label that starts with `xn--`?
#[cold]
fn are_labels_valid(host: &str) -> bool {
    let mut rest = Some(host);
    while let Some(ahead) = rest {
        let (label, tail) = url::cut(ahead, b'.');
        let (start, coded) = label.as_bytes().split_at_checked(4).unwrap_or_default();
        if is_alike(start, b"xn--") && !is_label_valid(coded) {
            return false;
        }
        rest = tail;
    }
    is_parsable(host)
}

/// The platform's own parser has the whole table of allowed characters, and the rules of
/// right-to-left scripts.
#[cfg(all(target_family = "wasm", feature = "bindings"))]
mod platform {
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = URL)]
        pub(super) type Url;

        #[wasm_bindgen(constructor, js_class = "URL", catch)]
        pub(super) fn new(url: &str) -> Result<Url, JsValue>;
    }

    pub(super) fn is_parsable(host: &str) -> bool {
        Url::new(&["https://", host].concat()).is_ok()
    }
}

#[cfg(all(target_family = "wasm", feature = "bindings"))]
use crate::punycode::is_decodable as is_label_valid;
#[cfg(all(target_family = "wasm", feature = "bindings"))]
use platform::is_parsable;

/// Without a platform, the common scripts are known.
#[cfg(not(all(target_family = "wasm", feature = "bindings")))]
use crate::punycode::is_valid as is_label_valid;

#[cfg(not(all(target_family = "wasm", feature = "bindings")))]
fn is_parsable(_: &str) -> bool {
    true
}

/// Is the host on a list of words, separated by spaces? `shop.example.com` allows one host,
/// `*.example.com` all hosts below it.
pub(crate) fn is_listed(words: &str, host: &str) -> bool {
    find_word(words, host, is_allowed).is_some()
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

#[cfg(test)]
mod tests;
