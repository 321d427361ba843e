//! `tests/vectors/capture.json`, which JavaScript also reads, in tests/node/capture.test.ts. An
//! independent implementation (Node's crypto) computed the signatures.

use cake_edge::Result;
use cake_edge::capture::{Capture, Captured, Reason, Visit, signed_click_ids};
use cake_edge::click_id::LandingParameters;
use cake_edge::consent::Consent;
use cake_edge::signed_cookie::SigningKeys;
use cake_edge::touch::{Attribution, DEFAULT_JOURNEY, DEFAULT_WINDOW_DAYS, TouchPolicy};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/capture.json")).unwrap()
}

fn decide(vector: &Value, secrets: &Value) -> Result<Captured> {
    let options = &vector["options"];
    let header = |name: &str| vector["headers"][name].as_str();
    let visit = Visit {
        method: vector["method"].as_str().unwrap_or("GET"),
        url: vector["url"].as_str().unwrap(),
        cookies: header("cookie"),
        privacy_control: header("sec-gpc"),
        upgrade: header("upgrade"),
        purposes: ["sec-purpose", "purpose", "x-purpose", "x-moz"].map(header),
        fetch_mode: header("sec-fetch-mode"),
        fetch_dest: header("sec-fetch-dest"),
        accept: header("accept"),
        upgrade_insecure: header("upgrade-insecure-requests"),
        forwarded: header("forwarded"),
        forwarded_proto: header("x-forwarded-proto"),
        forwarded_host: header("x-forwarded-host"),
    };
    let secrets = secrets.as_array().unwrap().iter();
    let keys = SigningKeys::new(secrets.filter_map(Value::as_str))?;
    let names: Vec<&str> = options["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut parameters = LandingParameters::default();
    if !names.is_empty() {
        parameters.click_id = &names;
    }
    let days = options["windowDays"].as_u64();
    let days = days.map_or(DEFAULT_WINDOW_DAYS, |days| days.try_into().unwrap());
    let journey = options["journey"].as_u64();
    let journey = journey.map_or(DEFAULT_JOURNEY, |journey| journey.try_into().unwrap());
    let attribution = match options["touch"].as_str() {
        Some("first") => Attribution::FirstTouch,
        _ => Attribution::LastTouch,
    };
    let consent = Consent::parse(options["consent"].as_str().unwrap_or("granted"));
    let capture = Capture {
        keys: &keys,
        touch_policy: TouchPolicy::new(attribution, days, journey, days)?,
        parameters,
        domain: options["domain"].as_str(),
        consent: consent.ok_or(cake_edge::Error::InvalidSetting {
            parameter: "consent",
        })?,
        ignores_privacy_control: options["ignoreGlobalPrivacyControl"] == true,
        trusts_proxy: options["trustProxy"] == true,
    };
    capture.decide(&visit, vector["at"].as_u64().unwrap_or_default())
}

#[test]
fn every_request_has_its_decision() {
    let vectors = vectors();
    for vector in vectors["decide"].as_array().unwrap() {
        let captured = decide(vector, &vectors["secrets"]).unwrap();
        let (name, want) = (&vector["name"], &vector["want"]);
        let text = |field: &str| want[field].as_str();
        assert_eq!(captured.click_id.as_deref(), text("clickId"), "{name}");
        let set_cookie = captured.set_cookies.first().map(String::as_str);
        assert_eq!(set_cookie, text("setCookie"), "{name}");
        if let Some(all) = want["setCookies"].as_array() {
            assert_eq!(&captured.set_cookies, all, "{name}");
        }
        assert_eq!(captured.reason.map(Reason::code), text("reason"), "{name}");
    }
}

#[test]
fn the_cookie_is_read_back_where_the_conversion_is_recorded() {
    let vectors = vectors();
    let secrets = vectors["secrets"].as_array().unwrap().iter();
    let keys = SigningKeys::new(secrets.filter_map(Value::as_str)).unwrap();
    for vector in vectors["decide"].as_array().unwrap() {
        let Some(cookie) = vector["want"]["setCookie"].as_str() else {
            continue;
        };
        let attribution = match vector["options"]["touch"].as_str() {
            Some("first") => Attribution::FirstTouch,
            _ => Attribution::LastTouch,
        };
        let touch_policy = TouchPolicy::new(attribution, 400, 20, 400).unwrap();
        let (cookie, _) = cookie.split_once(';').unwrap();
        let read = signed_click_ids(cookie, &keys, touch_policy, vector["at"].as_u64().unwrap());
        assert_eq!(
            read.first().map(String::as_str),
            vector["want"]["clickId"].as_str(),
            "{}",
            vector["name"]
        );
    }
    // In whatever way a request brings it.
    for vector in vectors["decide"].as_array().unwrap() {
        if vector["want"]["reason"] != "known" {
            continue;
        }
        let cookies = vector["headers"]["cookie"].as_str().unwrap();
        let policy = TouchPolicy::default();
        let read = signed_click_ids(cookies, &keys, policy, vector["at"].as_u64().unwrap());
        let (name, want) = (&vector["name"], vector["want"]["clickId"].as_str());
        assert_eq!(read.first().map(String::as_str), want, "{name}");
    }
}

#[test]
fn bad_settings_are_refused_with_their_code() {
    let vectors = vectors();
    for vector in vectors["refuse"].as_array().unwrap() {
        let secrets = vector.get("secrets").unwrap_or(&vectors["secrets"]);
        let refused = decide(vector, secrets).map_err(|error| error.code());
        assert_eq!(
            refused,
            Err(vector["code"].as_str().unwrap()),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn the_orders_own_id_is_neither_captured_nor_kept() {
    let keys = SigningKeys::new(["a secret of thirty-two bytes or more"]).unwrap();
    let capture = |url: &str, cookies: Option<&str>, own_ids: &[&str], at: u64| {
        let capture = Capture {
            keys: &keys,
            touch_policy: TouchPolicy::default(),
            parameters: LandingParameters {
                own_ids,
                ..LandingParameters::default()
            },
            domain: None,
            consent: Consent::Granted,
            ignores_privacy_control: false,
            trusts_proxy: false,
        };
        let visit = Visit {
            method: "GET",
            url,
            cookies,
            fetch_mode: Some("navigate"),
            ..Visit::default()
        };
        capture.decide(&visit, at).unwrap()
    };
    let cookie_of = |captured: &Captured| {
        let cookie = captured.set_cookies.first().unwrap();
        cookie.split_once(';').unwrap().0.to_owned()
    };
    let at = 1_781_879_400_000;
    let landing = cookie_of(&capture("https://a.example/?reqid=paid-1", None, &[], at));
    let thanks = "https://a.example/thanks?click_id=ORD-77";
    let known = capture(thanks, Some(&landing), &["ord-77"], at);
    assert_eq!(known.click_id.as_deref(), Some("paid-1"));
    assert_eq!(known.reason, Some(Reason::Known));

    // Without the order's ids it was captured. The next page that knows them takes it out of the cookie.
    let wrong = cookie_of(&capture(thanks, Some(&landing), &[], at));
    let mended = capture("https://a.example/next", Some(&wrong), &["ord-77"], at);
    assert_eq!(mended.click_id.as_deref(), Some("paid-1"));
    assert_eq!(mended.reason, None);
    let policy = TouchPolicy::default();
    assert_eq!(
        signed_click_ids(&wrong, &keys, policy, at),
        ["ORD-77", "paid-1"]
    );
    assert_eq!(
        signed_click_ids(&cookie_of(&mended), &keys, policy, at),
        ["paid-1"]
    );

    // The order's id alone: nothing is left.
    let only = cookie_of(&capture(thanks, None, &[], at));
    let emptied = capture("https://a.example/next", Some(&only), &["ord-77"], at);
    assert_eq!(emptied.click_id, None);
    assert!(emptied.set_cookies[0].contains("Max-Age=0"));

    // By the first touch, the oldest one that is none counts.
    let first = TouchPolicy::new(Attribution::FirstTouch, 30, 5, 30).unwrap();
    assert_eq!(
        signed_click_ids(&wrong, &keys, first, at),
        ["paid-1", "ORD-77"]
    );
}
