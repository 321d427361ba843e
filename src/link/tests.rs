use super::*;
use crate::error::UrlRule;
use proptest::prelude::*;

const LARGEST: i64 = 9_007_199_254_740_991;
const DOMAIN: &str = "track.yournetwork.com";

fn link() -> TrackingLink<'static> {
    TrackingLink::new(Domain::new(DOMAIN).unwrap(), 67890, 12)
}

fn built(link: &TrackingLink<'_>) -> Result<String> {
    link.build(&LinkRules {
        deep_link_hosts: &["shop.example.com", "*.store.example"],
        ..Default::default()
    })
}

#[test]
fn an_id_outside_1_to_2_to_the_53_is_refused() {
    for id in [0, -1, -2, i64::MIN, LARGEST + 1, i64::MAX] {
        let mut bad = link();
        bad.affiliate_id = id;
        assert_eq!(
            built(&bad),
            Err(Error::InvalidId {
                parameter: "affiliateId"
            })
        );
        let mut bad = link();
        bad.creative_id = id;
        assert_eq!(
            built(&bad),
            Err(Error::InvalidId {
                parameter: "creativeId"
            })
        );
    }
}

#[test]
fn the_test_affiliate_is_allowed_only_when_asked_for() {
    let mut ours = link();
    ours.affiliate_id = TEST_AFFILIATE;
    let rules = LinkRules {
        allow_test_affiliate: true,
        ..Default::default()
    };
    let text = ours.build(&rules).unwrap();
    assert_eq!(text, "https://track.yournetwork.com/?a=-1&c=12");
    assert_eq!(TrackingLink::parse(&text, &rules), Ok(ours));
    assert!(TrackingLink::parse(&text, &LinkRules::default()).is_err());
    let mut creative = link();
    creative.creative_id = TEST_AFFILIATE;
    assert!(creative.build(&rules).is_err());
}

#[test]
fn every_part_has_its_place() {
    let mut link = link();
    link.sub_ids = [
        Some("a b&c=d".into()),
        Some("".into()),
        Some("k\u{e4}se+#?%".into()),
        None,
        None,
    ];
    link.price_format = Some("c".into());
    link.deep_link = Some("https://shop.example.com/p?x=1&y=2".into());
    link.extra = vec![("utm source".into(), "x".into())];
    assert_eq!(
        built(&link).unwrap(),
        "https://track.yournetwork.com/?a=67890&c=12&s1=a%20b%26c%3Dd&s3=k%C3%A4se%2B%23%3F%25&p=c\
         &ckmrdr=https%3A%2F%2Fshop.example.com%2Fp%3Fx%3D1%26y%3D2&utm%20source=x"
    );
}

#[test]
fn a_sub_id_beyond_its_limit_is_refused() {
    let long = "x".repeat(51);
    let mut bad = link();
    bad.sub_ids[0] = Some(long.clone().into());
    assert_eq!(built(&bad), Err(Error::SubIdTooLong { parameter: "s1" }));
    bad.sub_ids = [None, Some(long.into()), None, None, None];
    assert!(built(&bad).is_ok());
    let mut bad = link();
    bad.sub_ids[4] = Some("a\nb".into());
    assert_eq!(built(&bad), Err(Error::InvalidText { parameter: "s5" }));
}

#[test]
fn overflow_spills_only_when_asked_to() {
    let mut long = link();
    long.sub_ids[1] = Some("x".repeat(130).into());
    assert_eq!(built(&long), Err(Error::SubIdTooLong { parameter: "s2" }));
    let rules = LinkRules {
        spill: true,
        ..Default::default()
    };
    let text = long.build(&rules).unwrap();
    assert!(text.ends_with(&format!("&s2={}&s3={}", "x".repeat(100), "x".repeat(30))));
}

#[test]
fn a_link_over_2000_bytes_is_refused() {
    let long: Cow<'_, str> = "\u{e4}".repeat(100).into();
    let mut bad = link();
    bad.sub_ids = [
        None,
        Some(long.clone()),
        Some(long.clone()),
        Some(long.clone()),
        Some(long),
    ];
    assert_eq!(built(&bad), Err(Error::LinkTooLong));
    assert_eq!(
        TrackingLink::parse(&"x".repeat(9_999), &LinkRules::default()),
        Err(Error::LinkTooLong)
    );
}

#[test]
fn deep_links_lead_to_allowed_hosts_only() {
    let with = |deep_link: &str| {
        let mut link = link();
        link.deep_link = Some(deep_link.to_owned().into());
        built(&link).map(drop)
    };
    for good in [
        "https://shop.example.com",
        "https://SHOP.example.com/p?x=1#y",
        "https://shop.example.com?x",
        "https://a.store.example/",
        "https://a.b.store.example/k\u{e4}se",
    ] {
        assert_eq!(with(good), Ok(()), "{good}");
    }
    let broken = |rule| Error::InvalidDeepLink { rule };
    for (bad, error) in [
        ("http://shop.example.com/", broken(UrlRule::Scheme)),
        ("//shop.example.com/", broken(UrlRule::Scheme)),
        ("javascript:alert(1)", broken(UrlRule::Scheme)),
        (" https://shop.example.com/", broken(UrlRule::Scheme)),
        ("https://shop.example.com:8443/", broken(UrlRule::NoPort)),
        ("https://[::1]/", broken(UrlRule::Host)),
        ("https://[::1]:8443/", broken(UrlRule::Host)),
        ("https://m\u{fc}nchen.example/", broken(UrlRule::Letters)),
        (
            "https://shop.example.com@evil.example/",
            broken(UrlRule::Credentials),
        ),
        (
            "https://evil.example\\@shop.example.com/",
            broken(UrlRule::Backslash),
        ),
        (
            "https://shop.example.com\\.evil.example/",
            broken(UrlRule::Backslash),
        ),
        ("https://shop.example.com/\\x", broken(UrlRule::Backslash)),
        ("https://shop.example.com/a\tb", broken(UrlRule::Space)),
        ("https://127.0.0.1/", broken(UrlRule::Host)),
        ("https:///x", broken(UrlRule::Host)),
        ("https://evil.example/", Error::DeepLinkHost),
        (
            "https://shop.example.com.evil.example/",
            Error::DeepLinkHost,
        ),
        ("https://store.example/", Error::DeepLinkHost),
        ("https://evilstore.example/", Error::DeepLinkHost),
    ] {
        assert_eq!(with(bad), Err(error), "{bad}");
    }
    let mut link = link();
    link.deep_link = Some("https://shop.example.com/".into());
    assert_eq!(link.build(&LinkRules::default()), Err(Error::DeepLinkHost));
    let rules = LinkRules {
        deep_link_hosts: &["*", "*example.com"],
        ..Default::default()
    };
    assert_eq!(link.build(&rules), Err(Error::DeepLinkHost));
}

#[test]
fn white_space_is_what_unicode_says() {
    for character in '\0'..=char::MAX {
        let text = format!("a{character}b");
        let is_space = character.is_whitespace() && !character.is_control();
        assert_eq!(
            has_white_space(&text),
            is_space || character == '\\',
            "{character:?}"
        );
    }
}

#[test]
fn extra_parameters_must_not_collide() {
    let with = |extra: &[(&'static str, &'static str)]| {
        let mut link = link();
        link.extra = extra
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        built(&link).map(drop)
    };
    assert_eq!(
        with(&[("S1", "x")]),
        Err(Error::ReservedParameter { parameter: "s1" })
    );
    assert_eq!(
        with(&[("CkmRdr", "x")]),
        Err(Error::ReservedParameter {
            parameter: "ckmrdr"
        })
    );
    assert_eq!(
        with(&[("x", "1"), ("X", "2")]),
        Err(Error::RepeatedParameter {
            parameter: "X".into()
        })
    );
    assert_eq!(
        with(&[("", "1")]),
        Err(Error::InvalidText { parameter: "extra" })
    );
    assert_eq!(
        with(&[("x", "\0")]),
        Err(Error::InvalidText { parameter: "extra" })
    );
    assert_eq!(with(&[("x", "1"), ("y", "")]), Ok(()));
    let mut bad = link();
    bad.price_format = Some("c&a=1".into());
    assert_eq!(built(&bad), Err(Error::InvalidPriceFormat));
}

#[test]
fn links_as_people_write_them_are_read() {
    let rules = LinkRules::default();
    for text in [
        "https://track.yournetwork.com/?a=67890&c=12",
        "  http://Track.YourNetwork.com?c=12&A=67890&s1=&p=#top ",
        "HTTPS://track.yournetwork.com/?a=067890&c=12&&",
    ] {
        assert_eq!(TrackingLink::parse(text, &rules), Ok(link()), "{text}");
    }
    let parsed =
        TrackingLink::parse("https://t.example.com/?S2=a+b%20c&c=1&a=2&z=%26", &rules).unwrap();
    assert_eq!(parsed.sub_ids[1].as_deref(), Some("a b c"));
    assert_eq!(parsed.extra, [("z".into(), "&".into())]);
}

#[test]
fn a_url_that_is_no_tracking_link_is_refused() {
    let rules = LinkRules::default();
    for (text, error) in [
        ("", Error::InvalidLink),
        ("track.yournetwork.com/?a=1&c=2", Error::InvalidLink),
        ("ftp://track.yournetwork.com/?a=1&c=2", Error::InvalidLink),
        ("https://track.yournetwork.com/", Error::InvalidLink),
        (
            "https://track.yournetwork.com/x?a=1&c=2",
            Error::InvalidLink,
        ),
        (
            "https://track.yournetwork.com//?a=1&c=2",
            Error::InvalidLink,
        ),
        (
            "https://track.yournetwork.com/?a=1&c=2\n3",
            Error::InvalidLink,
        ),
        (
            "https://u:p@track.yournetwork.com/?a=1&c=2",
            Error::InvalidDomain,
        ),
        (
            "https://track.yournetwork.com:1/?a=1&c=2",
            Error::InvalidDomain,
        ),
        ("http://127.0.0.1:8787/?a=1&c=2", Error::InvalidDomain),
        (
            "https://t.example.com/?c=2",
            Error::MissingId {
                parameter: "affiliateId",
            },
        ),
        (
            "https://t.example.com/?a=1",
            Error::MissingId {
                parameter: "creativeId",
            },
        ),
        (
            "https://t.example.com/?a=1x&c=2",
            Error::InvalidId {
                parameter: "affiliateId",
            },
        ),
        (
            "https://t.example.com/?a=%2B1&c=2",
            Error::InvalidId {
                parameter: "affiliateId",
            },
        ),
        (
            "https://t.example.com/?a=1&c=99999999999999999999",
            Error::InvalidId {
                parameter: "creativeId",
            },
        ),
        (
            "https://t.example.com/?a=1&c=2&A=3",
            Error::RepeatedParameter {
                parameter: "A".into(),
            },
        ),
        (
            "https://t.example.com/?a=1&c=2&s1=%00",
            Error::InvalidText { parameter: "s1" },
        ),
        (
            "https://t.example.com/?a=1&c=2&ckmrdr=https%3A%2F%2Fevil.example",
            Error::DeepLinkHost,
        ),
    ] {
        assert_eq!(TrackingLink::parse(text, &rules), Err(error), "{text}");
    }
}

#[test]
fn a_sandboxs_link_is_read_when_asked_for() {
    let rules = LinkRules {
        allow_sandbox: true,
        ..Default::default()
    };
    let text = "http://127.0.0.1:8787/?a=67890&c=12";
    let parsed = TrackingLink::parse(text, &rules).unwrap();
    assert!(parsed.domain.is_sandbox());
    assert_eq!(parsed.build(&rules).unwrap(), text);
}

/// Any Unicode that a sub id may hold.
fn sub_id(limit: usize) -> impl Strategy<Value = Option<Cow<'static, str>>> {
    proptest::option::of(
        proptest::collection::vec(any::<char>(), 1..limit / 2).prop_map(|chars| {
            let text: String = chars.into_iter().filter(|c| !c.is_control()).collect();
            Cow::from(if text.is_empty() {
                "x".to_owned()
            } else {
                text
            })
        }),
    )
}

prop_compose! {
    fn any_link()(
        affiliate_id in 1..=LARGEST,
        creative_id in 1..=LARGEST,
        sub_ids in (sub_id(50), sub_id(60), sub_id(60), sub_id(60), sub_id(60)),
        price_format in proptest::option::of("[a-zA-Z0-9]{1,20}"),
        path in proptest::option::of("[/?#][^\\p{C}\\p{Z}\\\\]{0,30}"),
        extra in proptest::collection::btree_map("x[a-z\u{e4} +&=%#]{1,8}", "[^\\p{C}]{0,12}", 0..3),
    ) -> TrackingLink<'static> {
        let (s1, s2, s3, s4, s5) = sub_ids;
        TrackingLink {
            sub_ids: [s1, s2, s3, s4, s5],
            price_format: price_format.map(Cow::from),
            deep_link: path.map(|path| format!("https://shop.example.com{path}").into()),
            extra: extra.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ..TrackingLink::new(Domain::new(DOMAIN).unwrap(), affiliate_id, creative_id)
        }
    }
}

proptest! {
    #[test]
    fn a_built_link_reads_back_here_and_in_another_parser(link in any_link()) {
        let rules = LinkRules { deep_link_hosts: &["shop.example.com"], ..Default::default() };
        match link.build(&rules) {
            Err(error) => prop_assert_eq!(error, Error::LinkTooLong),
            Ok(text) => {
                prop_assert!(text.is_ascii() && text.len() <= MAX_BYTES);
                prop_assert_eq!(&TrackingLink::parse(&text, &rules)?, &link);

                let other = ::url::Url::parse(&text)?;
                prop_assert_eq!(other.as_str(), &text);
                prop_assert_eq!(other.host_str(), Some(DOMAIN));
                let mut pairs: Vec<(String, String)> =
                    vec![("a".into(), link.affiliate_id.to_string()), ("c".into(), link.creative_id.to_string())];
                for (name, value) in sub_id::NAMES.iter().zip(&link.sub_ids) {
                    pairs.extend(value.as_ref().map(|value| ((*name).to_owned(), value.to_string())));
                }
                pairs.extend(link.price_format.iter().map(|value| ("p".into(), value.to_string())));
                pairs.extend(link.deep_link.iter().map(|value| ("ckmrdr".into(), value.to_string())));
                pairs.extend(link.extra.iter().map(|(name, value)| (name.to_string(), value.to_string())));
                let theirs: Vec<(String, String)> = other.query_pairs().into_owned().collect();
                prop_assert_eq!(theirs, pairs);
            }
        }
    }

    #[test]
    fn parsing_never_panics(text in "(https?://t.example.com/?\\?)?[ac12s=&%+#\\PC]{0,60}") {
        let _ = TrackingLink::parse(&text, &LinkRules::default());
    }

    /// Links as people write them: the parts in any order and case, with too much encoding or too
    /// little.
    #[test]
    fn parsing_is_idempotent(
        start in "( |\t)?(http|https|HTTPS)://[Tt]\\.example\\.com/?",
        ids in prop::sample::select(vec!["a=1&c=2", "c=2&A=01", "a=-1&C=%32", "a=7&&c=9007199254740991"]),
        rest in prop::collection::vec(
            prop_oneof![
                "[sS][1-5]=[^&#\\p{C}]{0,20}",
                "s[1-5]=(%C3%A4|\\+|%20|%26|[a-z]){0,9}",
                "[pP]=[a-z0-9]{0,5}",
                "ckmrdr=https%3A%2F%2Fshop\\.example\\.com%2F[a-z]{0,5}",
                "x[a-z]{1,3}=[^&#\\p{C}]{0,9}",
                "",
            ],
            0..6,
        ),
        end in "(#[a-z?&=]{0,5})? ?",
    ) {
        let rules = LinkRules { allow_test_affiliate: true, deep_link_hosts: &["shop.example.com"], ..Default::default() };
        let text = format!("{start}?{ids}&{}{end}", rest.join("&"));
        match TrackingLink::parse(&text, &rules) {
            Ok(link) => {
                let normal = link.build(&rules)?;
                let again = TrackingLink::parse(&normal, &rules)?;
                prop_assert_eq!(&again, &link);
                prop_assert_eq!(again.build(&rules)?, normal);
            }
            // The random parts may repeat a name, or decode to a control character.
            Err(Error::RepeatedParameter { .. } | Error::InvalidText { .. }) => {}
            Err(error) => prop_assert!(false, "{text}: {error}"),
        }
    }

    #[test]
    fn an_allowed_deep_link_leads_there_for_another_parser_too(
        rest in "[a-z.@:/\\\\?#%\\[\\] \\t0-9]{0,24}",
        start in prop::sample::select(vec!["https://shop.example.com", "https://", "https:/", "https:\\\\", "https://evil.example"]),
    ) {
        let deep_link = format!("{start}{rest}");
        if check_deep_link(&deep_link, &["shop.example.com", "*.shop.example.com"]).is_ok() {
            let other = ::url::Url::parse(&deep_link)?;
            let host = other.host_str().unwrap_or_default();
            prop_assert!(host == "shop.example.com" || host.ends_with(".shop.example.com"), "{}", deep_link);
        }
    }
}
