//! Addresses: which URL may be a page, and which hosts the sandbox may send to. The allow-list of
//! hosts is compared letter by letter.

use crate::host::is_loopback_host;

/// The default allow-list of hosts. `localhost` stands for all of loopback.
pub(crate) const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Is this text an http(s) URL, or a path on the own origin?
pub(super) fn is_page(text: &str) -> bool {
    let is_plain = !text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\');
    // `//host` would leave the origin.
    let is_path = text.starts_with('/') && !text.starts_with("//");
    is_plain && (is_path || host_of(text).is_some())
}

/// The `host[:port]` of an http(s) URL in its own spelling. `None` where the URL has a user name,
/// or any character that another parser might read differently.
pub(super) fn host_of(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end)?;
    let is_plain = !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
        });
    is_plain.then_some(host)
}

/// `http://127.0.0.1:8787` of `http://127.0.0.1:8787/path`.
pub(super) fn origin_of(url: &str) -> Option<&str> {
    let host = host_of(url)?;
    let end = url.find(host)? + host.len();
    url.get(..end)
}

/// May the sandbox send to `url`? The list must have the host in the URL's own spelling: `127.1`,
/// `2130706433` or `[::ffff:127.0.0.1]` are not `127.0.0.1`. An entry without a port allows every
/// port; `localhost` allows all of loopback.
#[must_use]
pub(crate) fn is_allowed<S: AsRef<str>>(hosts: &[S], url: &str) -> bool {
    let has_plain_rest = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let Some(host) = host_of(url).filter(|_| has_plain_rest) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        // The last colon of `[::1]` belongs to the address.
        Some((name, port)) if !port.contains(']') => {
            if port.is_empty() || port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
                return false;
            }
            name
        }
        _ => host,
    };
    hosts.iter().map(AsRef::as_ref).any(|entry| {
        entry == name || entry == host || (entry == "localhost" && is_loopback_host(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_off_the_list_is_refused_however_it_is_spelled() {
        for url in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://evil.example\\@127.0.0.1/",
            "http://evil.example#@127.0.0.1/",
            "http://evil.example?127.0.0.1",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://loc%61lhost/",
            "http:127.0.0.1/",
            "http:///127.0.0.1/",
            "//127.0.0.1/",
            " http://127.0.0.1/",
            "http://127.0.0.1:80:80/",
            "http://127.0.0.1:/",
            "http://127.0.0.1\t/",
            "http://127.0.0.1/a b",
            "https://ⓛocalhost/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!is_allowed(&LOOPBACK, url), "{url}");
        }
    }

    #[test]
    fn a_host_on_the_list_is_allowed_with_any_port() {
        for url in [
            "http://127.0.0.1/x?y=1#z",
            "http://127.0.0.1:8787",
            "https://localhost:1/",
            "http://[::1]:9000/",
            "http://[::1]",
            "http://app.localhost:3000/",
            "http://127.1.2.3/",
        ] {
            assert!(is_allowed(&LOOPBACK, url), "{url}");
        }
        assert!(is_allowed(&["a.example:81"], "http://a.example:81/"));
        assert!(!is_allowed(&["a.example:81"], "http://a.example/"));
    }
}
