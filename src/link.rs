//! Tracking links: `https://DOMAIN/?a=AFFILIATE&c=CREATIVE&s1=…` (KB 5000545920).

use crate::url::{push_number, push_parameter};
use crate::{Error, Result, sub_id};

/// The longest link that is built, in bytes.
pub const MAX_BYTES: usize = 2_000;

/// The largest id: JavaScript's largest exact whole number.
pub const MAX_ID: u64 = 9_007_199_254_740_991;

/// The parts of a tracking link.
///
/// ```
/// use cake_edge::link::{Domain, TrackingLink};
///
/// let link = TrackingLink {
///     domain: Domain::new("track.yournetwork.com")?,
///     affiliate_id: 67890,
///     creative_id: 12,
///     sub_ids: [Some("spring sale"), None, None, None, None],
/// };
/// assert_eq!(
///     link.build()?,
///     "https://track.yournetwork.com/?a=67890&c=12&s1=spring%20sale"
/// );
/// # Ok::<(), cake_edge::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingLink<'a> {
    /// Where the link points.
    pub domain: Domain<'a>,
    /// Who sends the traffic; `a` in the link.
    pub affiliate_id: u64,
    /// The banner or text that is clicked; `c` in the link.
    pub creative_id: u64,
    /// `s1` … `s5`.
    pub sub_ids: [Option<&'a str>; 5],
}

impl TrackingLink<'_> {
    /// The link in its one normal form.
    ///
    /// # Errors
    /// [`Error::InvalidId`], [`Error::SubIdTooLong`], [`Error::InvalidText`],
    /// [`Error::LinkTooLong`].
    pub fn build(&self) -> Result<String> {
        let mut link = String::with_capacity(128);
        self.domain.push_origin(&mut link);
        link.push_str("/?");
        push_id(&mut link, "a", "affiliateId", self.affiliate_id)?;
        push_id(&mut link, "c", "creativeId", self.creative_id)?;
        for (index, value) in self.sub_ids.iter().enumerate() {
            if let (Some(value), Some(name)) = (value, sub_id::NAMES.get(index)) {
                sub_id::check(index, value)?;
                push_parameter(&mut link, name, value);
            }
        }
        if link.len() > MAX_BYTES {
            return Err(Error::LinkTooLong);
        }
        Ok(link)
    }
}

fn push_id(link: &mut String, name: &str, parameter: &'static str, id: u64) -> Result<()> {
    if id == 0 || id > MAX_ID {
        return Err(Error::InvalidId { parameter });
    }
    push_parameter(link, name, "");
    push_number(link, id, 10);
    Ok(())
}

/// A tracking domain: an ASCII host name, or the loopback origin of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain<'a>(Origin<'a>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin<'a> {
    Https(&'a str),
    Loopback(&'a str),
}

impl<'a> Domain<'a> {
    /// A host name such as `track.yournetwork.com`; links to it are https.
    ///
    /// # Errors
    /// [`Error::InvalidDomain`] where it is empty, has a scheme, port or path,
    /// is an IP address or not ASCII (pass punycode).
    pub fn new(host: &'a str) -> Result<Self> {
        if is_host_name(host) {
            Ok(Self(Origin::Https(host)))
        } else {
            Err(Error::InvalidDomain)
        }
    }

    /// The origin of a sandbox on this machine, such as `http://127.0.0.1:8787`:
    /// a type of its own, so that no live link ever points at it by accident.
    ///
    /// # Errors
    /// [`Error::InvalidDomain`] where it is not an http origin on loopback.
    pub fn sandbox(origin: &'a str) -> Result<Self> {
        if is_loopback_origin(origin) {
            Ok(Self(Origin::Loopback(origin)))
        } else {
            Err(Error::InvalidDomain)
        }
    }

    fn push_origin(&self, out: &mut String) {
        match self.0 {
            Origin::Https(host) => {
                out.push_str("https://");
                out.push_str(host);
            }
            Origin::Loopback(origin) => out.push_str(origin),
        }
    }
}

/// Is this `http://127.0.0.1`, `http://localhost` or `http://[::1]`, with or without a port?
#[must_use]
pub fn is_loopback_origin(origin: &str) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else {
        return false;
    };
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
        authority.strip_prefix(host).is_some_and(|port| {
            port.is_empty()
                || port.strip_prefix(':').is_some_and(|digits| {
                    (1..=5).contains(&digits.len())
                        && digits.bytes().all(|digit| digit.is_ascii_digit())
                })
        })
    })
}

/// Is this a host name of two labels or more that is not an IP address in any
/// of the spellings that URL parsers accept?
#[must_use]
pub fn is_host_name(host: &str) -> bool {
    if host.len() > 253 || !host.contains('.') {
        return false;
    }
    let labels_hold = host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    // WHATWG: a host whose last label is a number, in any base, is an IPv4 address.
    let last_is_number = host.rsplit('.').next().is_some_and(|last| {
        last.bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
    });
    labels_hold && !last_is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> TrackingLink<'static> {
        TrackingLink {
            domain: Domain::new("track.yournetwork.com").unwrap(),
            affiliate_id: 67890,
            creative_id: 12,
            sub_ids: [None; 5],
        }
    }

    #[test]
    fn domains_that_are_no_host_name_are_refused() {
        for domain in [
            "",
            " ",
            "localhost",
            "https://track.example.com",
            "track.example.com/",
            "track.example.com:443",
            "127.0.0.1",
            "0x7f.1",
            "2130706433",
            "[::1]",
            "-a.example.com",
            "a..example.com",
            "käse.example.com",
            "a b.example.com",
            "user@example.com",
        ] {
            assert_eq!(Domain::new(domain), Err(Error::InvalidDomain), "{domain:?}");
        }
    }

    #[test]
    fn a_sandbox_lives_on_loopback_only() {
        assert!(Domain::sandbox("http://127.0.0.1:8787").is_ok());
        assert!(Domain::sandbox("http://localhost").is_ok());
        for origin in [
            "http://127.0.0.1.example.com",
            "http://127.0.0.1:8787/x",
            "http://127.0.0.1:",
            "https://track.example.com",
            "http://10.0.0.1",
        ] {
            assert!(Domain::sandbox(origin).is_err(), "{origin:?}");
        }
    }

    #[test]
    fn an_id_of_zero_or_beyond_2_to_the_53_is_refused() {
        let mut bad = link();
        bad.affiliate_id = 0;
        assert_eq!(
            bad.build(),
            Err(Error::InvalidId {
                parameter: "affiliateId"
            })
        );
        let mut bad = link();
        bad.creative_id = MAX_ID + 1;
        assert_eq!(
            bad.build(),
            Err(Error::InvalidId {
                parameter: "creativeId"
            })
        );
    }

    #[test]
    fn sub_ids_are_encoded_for_every_reader() {
        let mut link = link();
        link.sub_ids = [Some("a b&c=d"), None, Some("käse+#?%"), None, None];
        assert_eq!(
            link.build().unwrap(),
            "https://track.yournetwork.com/?a=67890&c=12&s1=a%20b%26c%3Dd&s3=k%C3%A4se%2B%23%3F%25"
        );
    }

    #[test]
    fn a_sub_id_beyond_its_limit_is_refused() {
        let long = "x".repeat(51);
        let mut bad = link();
        bad.sub_ids = [Some(&long), None, None, None, None];
        assert_eq!(bad.build(), Err(Error::SubIdTooLong { parameter: "s1" }));
        bad.sub_ids = [None, Some(&long), None, None, None];
        assert!(bad.build().is_ok());
        let mut bad = link();
        bad.sub_ids = [Some("a\nb"), None, None, None, None];
        assert_eq!(bad.build(), Err(Error::InvalidText { parameter: "s1" }));
    }

    #[test]
    fn a_link_over_2000_bytes_is_refused() {
        let long = "ä".repeat(100);
        let mut bad = link();
        bad.sub_ids = [None, Some(&long), Some(&long), Some(&long), Some(&long)];
        assert_eq!(bad.build(), Err(Error::LinkTooLong));
    }
}
