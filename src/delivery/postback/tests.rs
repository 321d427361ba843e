use super::*;
use crate::delivery::event::{Caller, RequestBody, read};
use proptest::prelude::*;

const SECRET: &str = "a network's secret of 32 bytes or more";
const MAP: &str = r#""map":{"clickId":"sub1","uniqueId":"txid","payout":"sum","adv1":"geo"}"#;

fn postback(more: &str) -> Postback {
    Postback::new([SECRET], &["{", MAP, ",", more, "}"].concat()).unwrap()
}

fn get(query: &str) -> Request<'_> {
    Request {
        path_secret: "",
        query,
        form: "",
    }
}

#[test]
fn their_names_become_ours_and_what_is_not_mapped_is_passed_over() {
    let postback = postback(r#""offerId":7"#);
    let json = postback
        .read(&get(
            "sub1=a1b2-c3&txid=T%2F1&sum=18.5&geo=%C3%A9+x&other=1&payout=99",
        ))
        .unwrap();
    assert_eq!(
        json,
        r#"{"offerId":7,"clickId":"a1b2-c3","uniqueId":"T/1","payout":"18.5","adv1":"é x"}"#
    );
    let caller = Caller {
        is_signed: true,
        click_ids: "",
        is_pixel: true,
        latest: None,
    };
    assert!(matches!(read(&json, caller), Ok(RequestBody::One(_))));
    // An empty value is absent, and a required field is then missing.
    let json = postback.read(&get("sub1=a&txid=&geo=")).unwrap();
    assert_eq!(json, r#"{"offerId":7,"clickId":"a"}"#);
    assert!(read(&json, caller).is_err());
    let form = Request {
        form: "txid=2&sum=1",
        ..get("sub1=a")
    };
    assert_eq!(
        postback.read(&form).unwrap(),
        r#"{"offerId":7,"clickId":"a","uniqueId":"2","payout":"1"}"#
    );
}

#[test]
fn a_word_for_a_missing_value_is_refused_by_its_name() {
    let postback = Postback::new(
        [SECRET],
        r#"{"map":{"clickId":"c","uniqueId":"u","offerId":"o","payout":"p","adv1":"a"}}"#,
    )
    .unwrap();
    for (query, parameter, code) in [
        ("c={clickid}", "clickId", "placeholder_text"),
        ("c=%7Bclickid%7D", "clickId", "placeholder_text"),
        ("c=[click_id]", "clickId", "placeholder_text"),
        ("c=%23reqid%23", "clickId", "placeholder_text"),
        ("c=undefined", "clickId", "placeholder_text"),
        ("c=a%20b", "clickId", "invalid_click_id"),
        ("u={{order.id}}", "uniqueId", "placeholder_text"),
        ("u=null", "uniqueId", "placeholder_text"),
        ("u=buyer%40shop.example", "uniqueId", "invalid_unique_id"),
        ("o={offer_id}", "offerId", "placeholder_text"),
        ("o=null", "offerId", "placeholder_text"),
        ("o=1.5", "offerId", "invalid_id"),
        ("o=0", "offerId", "placeholder_text"),
        ("p={payout}", "payout", "placeholder_text"),
        ("p=NaN", "payout", "placeholder_text"),
        ("p=", "payout", "invalid_field"),
        ("p=%20", "payout", "invalid_field"),
        ("p=-1", "payout", "invalid_money"),
        ("p=1,50", "payout", "invalid_money"),
        ("c=c", "clickId", "placeholder_text"),
        ("c=C", "clickId", "placeholder_text"),
        ("c=:c", "clickId", "placeholder_text"),
        ("u=u", "uniqueId", "placeholder_text"),
        ("u=ORD-", "uniqueId", "placeholder_text"),
        ("o=o", "offerId", "placeholder_text"),
        ("p=P", "payout", "placeholder_text"),
        ("a={aff_sub}", "adv1", "placeholder_text"),
        ("a=undefined", "adv1", "placeholder_text"),
        ("c=a&c=a", "clickId", "invalid_field"),
        ("P=5.00", "payout", "invalid_field"),
        ("p[]=5.00", "payout", "invalid_field"),
        ("p%5B%5D=5.00", "payout", "invalid_field"),
        ("C=a", "clickId", "invalid_field"),
        ("u=M%FCller", "uniqueId", "invalid_field"),
        ("u=%FF%FE", "uniqueId", "invalid_field"),
        ("a=caf%E9", "adv1", "invalid_field"),
    ] {
        let error = postback.read(&get(query)).unwrap_err();
        assert_eq!(
            (error.parameter(), error.code()),
            (Some(parameter), code),
            "{query}"
        );
    }
    assert!(postback.read(&get("c=u&p=0&a=no&a2=x&o=12")).is_ok());
}

#[test]
fn the_senders_own_id_is_no_click_id() {
    let map = |own: &str| format!(r#"{{"offerId":7,"map":{{"clickId":"sub1",{own}}}}}"#);
    let of = |own: &str| Postback::new([SECRET], &map(own)).unwrap();
    let apart = of(r#""uniqueId":"txid","orderId":"order""#);
    for query in [
        "sub1=1077&txid=1077",
        "sub1=1077&txid=%231077",
        "sub1=1077&txid=001077",
        "sub1=shop:1077&txid=1077",
        "sub1=T-1&txid=t-1",
        "sub1=1077&txid=T-1&order=1077",
        "txid=T-1&order=1077&sub1=1077",
    ] {
        let error = apart.read(&get(query)).unwrap_err();
        let told = (error.parameter(), error.code());
        assert_eq!(told, (Some("clickId"), "invalid_click_id"), "{query}");
    }
    for query in [
        "sub1=1078&txid=1077",
        "sub1=1077&txid=ORD-1077",
        "sub1=1077",
        "txid=1077&order=1077",
    ] {
        assert!(apart.read(&get(query)).is_ok(), "{query}");
    }
    // One parameter for both: the site has said that it is the click's.
    let both = of(r#""uniqueId":"sub1","orderId":"order""#);
    assert!(both.read(&get("sub1=1077")).is_ok());
    assert!(both.read(&get("sub1=1077&order=1077")).is_err());
}

#[test]
fn a_mangled_address_loses_no_parameter() {
    let postback = postback(r#""offerId":7,"secretParameter":"key""#);
    let whole = r#"{"offerId":7,"clickId":"a","uniqueId":"T8","payout":"1"}"#;
    for mangled in [
        "sub1=a&txid=T8&amp;sum=1",
        "sub1=a&amp;txid=T8&amp;amp;sum=1",
        "sub1=a&txid=T8&amp%3Bsum=1",
        "sub1=a&txid=T8&%20sum=1",
        "sub1=a&txid=T8&sum%20=1",
        "sub1=a&txid=T8&sum+=1",
        "sub1=a&txid=T8&%EF%BB%BFsum=1",
        "sub1=a&txid=T8&?sum=1",
        "?sub1=a&txid=T8&sum=1",
        "sub1=a&txid=T8;sum=1",
        "sub1=a&txid=T8?sum=1",
        "sub1=a;txid=T8;amp;sum=1",
        "sub1=a&txid=T8%3Bsum=1",
        "sub1=a&txid=T8%3Fsum%3D1",
        "sub1=a&txid=T8%26sum%3D1",
        "sub1=a&txid=T8&other=x?sum=1",
        "sub1=a&txid=T8&other=?sum=1",
        "sub1=a?txid=T8?sum=1",
    ] {
        let read = postback.read(&get(mangled));
        assert_eq!(read.as_deref(), Ok(whole), "{mangled}");
    }
    let keyed = format!("sub1=a&txid=T8?key={}", SECRET.replace(' ', "+"));
    assert!(postback.is_admitted(&get(&keyed)));
    // Twice is twice, however it is written; what cannot be read is told by its name.
    for (query, parameter) in [
        ("sub1=a&txid=T8;sum=1&sum=2", "payout"),
        ("sub1=a&txid=T8&sum=1&amp;sum=1", "payout"),
        ("sub1=a&txid=T8&txid=T9", "uniqueId"),
        ("sub1=a&txid=T8&Sum=1", "payout"),
        ("sub1=a&txid=T8&amp;Sum=1", "payout"),
        ("sub1=a&txid=T8&sum[]=1", "payout"),
        ("sub1=a&txid=T8&sum%5B0%5D=1", "payout"),
        ("sub1=a&txid=T8&{sum}=1", "payout"),
        ("sub1=a&txid=T8&%22sum=1", "payout"),
        ("sub1=a&txid=T8&%E2%80%8Bsum=1", "payout"),
    ] {
        let error = postback.read(&get(query)).unwrap_err();
        assert_eq!(error.parameter(), Some(parameter), "{query}");
    }
    // Another address has parameters of its own, and an id may have any sign.
    for (query, json) in [
        (
            "sub1=a&txid=T8&geo=https%3A%2F%2Fx.example%2F%3Fsum%3D9",
            r#"{"offerId":7,"clickId":"a","uniqueId":"T8","adv1":"https://x.example/?sum=9"}"#,
        ),
        (
            "sub1=a&txid=T8&referrer=/cart?sum=9",
            r#"{"offerId":7,"clickId":"a","uniqueId":"T8"}"#,
        ),
        (
            "sub1=a&txid=T8;total=9&summe=1",
            r#"{"offerId":7,"clickId":"a","uniqueId":"T8;total=9"}"#,
        ),
    ] {
        assert_eq!(postback.read(&get(query)).as_deref(), Ok(json), "{query}");
    }
}

#[test]
fn a_parameter_of_an_address_within_a_value_is_its_own_with_and_without_a_scheme() {
    let postback = postback(r#""offerId":7,"secretParameter":"key""#);
    let bare = r#"{"offerId":7,"clickId":"a","uniqueId":"T8"}"#;
    let paid = r#"{"offerId":7,"clickId":"a","uniqueId":"T8","payout":"1"}"#;
    for address in [
        "https://shop.example/a",
        "android-app://shop.example/a",
        "http%3A//shop.example/a",
        "//shop.example/a",
        "/a",
        "www.shop.example/a",
        "WWW.Shop.Example/a",
        "shop.example/",
        "shop.example",
        "shop.example:8443/a",
        "xn--bcher-kva.example/a",
        "localhost:8787/a",
        "127.0.0.1/a",
        "index.php",
        "%20www.shop.example/a",
        "www.shop.example/a?b=1",
        "www.shop.example/a%3Fb=1%26c",
    ] {
        for own in ["sum=9", "sum%3D9", "txid=OTHER", "sub1=other", "key=guess"] {
            let value = format!("{address}?{own}");
            for (query, json) in [
                (format!("ref={value}&sub1=a&txid=T8"), bare),
                (format!("sub1=a&txid=T8&ref={value}"), bare),
                (format!("sub1=a&txid=T8&sum=1&ref={value}"), paid),
                (format!("sub1=a&txid=T8&other=x;ref={value}"), bare),
                // The value of a name that counts ends where the next such name begins.
                (format!("sub1=a&txid=T8?sum=1&ref={value}"), paid),
            ] {
                assert_eq!(postback.read(&get(&query)).as_deref(), Ok(json), "{query}");
            }
        }
    }
    let told = postback.read(&get("sub1=a&txid=T8&geo=shop.example/a?sum=9"));
    let of_advertiser =
        r#"{"offerId":7,"clickId":"a","uniqueId":"T8","adv1":"shop.example/a?sum=9"}"#;
    assert_eq!(told.as_deref(), Ok(of_advertiser));
    // No address: a number, a sentence, a name alone; and an id is none, whatever letters it has.
    for (query, unique_id) in [
        ("sub1=a&txid=T8&other=1?sum=1", "T8"),
        ("sub1=a&txid=T8&other=9.50?sum=1", "T8"),
        ("sub1=a&txid=T8&other=1/2?sum=1", "T8"),
        ("sub1=a&txid=T8&other=Mr.+Smith?sum=1", "T8"),
        ("sub1=a&txid=T8&other=J.Smith;sum=1", "T8"),
        ("sub1=a&txid=T8&other=a@shop.example?sum=1", "T8"),
        ("sub1=a&txid=ORD.AB?sum=1", "ORD.AB"),
        ("sub1=a&txid=shop.order/8?sum=1", "shop.order/8"),
        ("other=x?sub1=a;txid=T8?sum=1", "T8"),
    ] {
        let json = paid.replace("T8", unique_id);
        assert_eq!(postback.read(&get(query)), Ok(json), "{query}");
    }
    // An address that comes behind a swallowed parameter leaves the parameter as it is.
    let error = postback.read(&get("sub1=a&txid=T8?sum=1;to=https://x.example/"));
    assert_eq!(error.unwrap_err().parameter(), Some("payout"));
}

#[test]
fn values_are_read_as_networks_write_them() {
    let map = r#"{"map":{"clickId":"c","uniqueId":"u","offerId":"o","payout":"p","revenue":"r"}}"#;
    let postback = Postback::new([SECRET], map).unwrap();
    for (query, json) in [
        ("o=012345", r#"{"offerId":12345}"#),
        ("p=1.50000", r#"{"payout":"1.5000"}"#),
        ("r=1.000000", r#"{"revenue":"1.0000"}"#),
    ] {
        assert_eq!(postback.read(&get(query)).as_deref(), Ok(json), "{query}");
    }
    for query in ["p=1.50001", "p=1.5000.", "p=1.", "r=.5"] {
        let error = postback.read(&get(query)).unwrap_err();
        assert_eq!(error.code(), "invalid_money", "{query}");
    }
}

#[test]
fn a_secret_of_base64_is_read_as_it_stands() {
    let secret = "q7Zt+3x/Lk9uYw2mR5vB8nC1dF4gH6jK0pSxTz+/aE/";
    let settings = ["{", MAP, r#","offerId":7}"#].concat();
    let postback = Postback::new([secret], &settings).unwrap();
    for path in [secret, &[secret, "/"].concat()] {
        assert!(postback.is_admitted(&Request {
            path_secret: path,
            ..get("")
        }));
    }
    for encoded in [secret.replace('+', "%2B"), secret.to_owned()] {
        assert!(postback.is_admitted(&get(&format!("secret={encoded}"))));
    }
    let other = secret.replace('/', "");
    assert!(!postback.is_admitted(&get(&format!("secret={other}"))));
}

#[test]
fn a_secret_is_shown_once_in_the_path_or_as_a_parameter() {
    let postback = postback(r#""offerId":7,"secretParameter":"key""#);
    let encoded = "a+network%27s%20secret+of+32+bytes+or+more";
    for (request, is_admitted) in [
        (
            Request {
                path_secret: SECRET,
                ..get("")
            },
            true,
        ),
        (
            Request {
                path_secret: "wrong",
                query: encoded,
                form: "",
            },
            false,
        ),
        (get(&format!("sub1=a&key={encoded}")), true),
        (
            Request {
                form: &format!("key={encoded}"),
                ..get("")
            },
            true,
        ),
        (get(&format!("key={encoded}&key={encoded}")), false),
        (get(&format!("secret={encoded}")), false),
        (get("key="), false),
        (get(""), false),
    ] {
        assert_eq!(postback.is_admitted(&request), is_admitted, "{request:?}");
    }
}

/// Computed by Python's hmac, with [`SECRET`] as the key.
const SIGNED: &str =
    "sub1=a&txid=1&signature=5c4e8fa0f1194190bb198a2dd36e7a54816fe37e2d8d7f281f9c4ed1c892fb5b";

#[test]
fn a_signature_is_over_all_that_stands_before_it() {
    let postback = postback(r#""offerId":7,"signed":true"#);
    assert!(postback.is_admitted(&get(SIGNED)));
    let form = Request {
        form: SIGNED,
        ..get("sum=99&txid=2")
    };
    assert!(postback.is_admitted(&form));
    // A parameter that was not signed is not read.
    let json = r#"{"offerId":7,"clickId":"a","uniqueId":"1"}"#;
    assert_eq!(postback.read(&form).unwrap(), json);
    for changed in [
        SIGNED.replace("txid=1", "txid=2"),
        format!("{SIGNED}&sum=99"),
        format!("sum=99&{SIGNED}"),
        SIGNED.replace("&signature", "&signatur"),
        SIGNED.replace('&', "%26"),
        format!("secret={SECRET}"),
        String::new(),
    ] {
        assert!(!postback.is_admitted(&get(&changed)), "{changed}");
    }
    assert!(!postback.is_admitted(&Request {
        path_secret: SECRET,
        ..get("sub1=a&txid=1")
    }));
}

#[test]
fn a_map_without_what_must_be_there_is_refused() {
    for (settings, parameter) in [
        ("[]", "settings"),
        ("{}", "map.clickId"),
        (r#"{"map":{"clickId":"c"},"offerId":1}"#, "map.uniqueId"),
        (
            r#"{"map":{"clickId":"c","uniqueId":""},"offerId":1}"#,
            "map.uniqueId",
        ),
        (r#"{"map":{"clickId":"c","uniqueId":"u"}}"#, "offerId"),
        (
            r#"{"map":{"clickId":"c","uniqueId":"u","offerId":"o"},"offerId":1}"#,
            "offerId",
        ),
    ] {
        let error = Postback::new([SECRET], settings).unwrap_err();
        assert_eq!(error.parameter(), Some(parameter), "{settings}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        query in "((sub1|txid|sum|geo|key)=)?[a-z0-9{}#%&=+]{0,20}|\\PC{0,60}", form in "\\PC{0,30}",
    ) {
        let postback = postback(r#""offerId":7"#);
        let request = Request { path_secret: "", query: &query, form: &form };
        prop_assert!(!postback.is_admitted(&request));
        if let Ok(json) = postback.read(&request) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        }
    }
}
