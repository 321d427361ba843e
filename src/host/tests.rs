use super::*;
use proptest::prelude::*;

#[test]
fn domains_that_are_no_host_name_are_refused() {
    for domain in [
        "",
        " ",
        "localhost",
        "https://track.example.com",
        "track.example.com/",
        "track.example.com:443",
        "track.example.com.",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f.0x1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "-a.example.com",
        "a-.example.com",
        "a..example.com",
        "k\u{e4}se.example.com",
        "a b.example.com",
        "a_b.example.com",
        "user@example.com",
    ] {
        assert_eq!(Domain::new(domain), Err(Error::InvalidDomain), "{domain:?}");
    }
    let long = format!("{}.com", "a.".repeat(130));
    assert_eq!(Domain::new(&long), Err(Error::InvalidDomain));
    assert_eq!(
        Domain::new("TRACK.Example.com").unwrap().as_str(),
        "track.example.com"
    );
    assert!(Domain::new("xn--kse-qla.example").is_ok());
}

#[test]
fn a_sandbox_lives_on_loopback_only() {
    for origin in [
        "http://127.0.0.1:8787",
        "http://localhost",
        "http://[::1]:1",
        "http://[::1]",
        "http://app.localhost:3000",
        "http://a.my_app.LocalHost",
        "http://127.1.2.3:3000",
        "http://127.255.255.255",
    ] {
        assert!(Domain::sandbox(origin).unwrap().is_sandbox(), "{origin:?}");
    }
    for origin in [
        "",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1:8787/x",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://127.1",
        "http://127.0.0.256",
        "http://127.0.0.01",
        "http://127.0.0.1.1",
        "http://127.0.0",
        "http://127.0.0.x",
        "http://128.0.0.1",
        "http://mylocalhost",
        "http://app-localhost:3000",
        "http://localhost.example.com",
        "http://.localhost",
        "http://a..localhost",
        "http://user@localhost",
        "http://a b.localhost",
        "http://xn--a.localhost",
        "http://[::2]",
        "http://[::1",
        "http://[::1]x",
        "http://[::1]:",
        "https://localhost",
        "https://track.example.com",
        "http://10.0.0.1",
    ] {
        assert!(Domain::sandbox(origin).is_err(), "{origin:?}");
    }
}

#[test]
fn an_origin_that_is_not_kept_is_the_domains() {
    for (text, is_sandbox) in [
        ("Track.YourNetwork.com", false),
        ("http://LOCALHOST:8787", true),
        ("http://127.0.0.1", true),
        ("127.0.0.1", false),
        ("http://localhost", false),
        ("track.yournetwork.com", true),
        ("", false),
    ] {
        let domain = if is_sandbox {
            Domain::sandbox(text)
        } else {
            Domain::new(text)
        };
        let kept = domain.map(|domain| {
            let mut out = String::new();
            domain.push_origin(&mut out);
            out
        });
        let mut out = String::new();
        assert_eq!(
            Domain::push(&mut out, text, is_sandbox).map(|()| out),
            kept,
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn a_host_name_is_a_domain_for_another_parser_too(host in "[a-z0-9x.-]{1,20}") {
        if is_host_name(&host) {
            let other = ::url::Url::parse(&format!("https://{host}/"));
            // Labels such as `xn--a` are punycode that the other refuses: a DNS error, not another host.
            if let Ok(other) = other {
                prop_assert!(matches!(other.host(), Some(::url::Host::Domain(name)) if name == host));
            }
        }
    }
}
