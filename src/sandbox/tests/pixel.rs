//! Pixels, and the affiliate's postbacks in their answers.

use super::*;

#[test]
fn pixels_record_once_and_carry_the_browsers_postbacks() {
    let network = network();
    let mut store = clicked(&network);
    for kind in [2, 3, 4] {
        let asked = format!(
            r#"{{"api_key":"key","affiliate_id":67890,"offer_id":0,"postback_url":"http://localhost/{kind}?id=#reqid#&s=#s1#","postback_type_id":{kind}}}"#
        );
        store.serve(
            &network,
            "POST",
            "/api/2/affiliate_postback.json",
            Some(&asked),
            NOW_MS,
        );
    }
    let states = |store: &Store, from: usize| {
        store.fired[from..]
            .iter()
            .map(|row| row.state.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let url = "/p.ashx?o=12345&e=1&r=id-1";
    let page = store.get(&network, &format!("{url}&t=A"), NOW_MS);
    assert_eq!(
        page.body,
        concat!(
            "<!DOCTYPE html><title>Conversion</title>",
            r#"<iframe src="http://localhost/2?id=id-1&amp;s=banner_300x250" width="1" height="1" hidden></iframe>"#,
            r#"<img src="http://localhost/3?id=id-1&amp;s=banner_300x250" width="1" height="1" alt="">"#,
            r#"<script src="http://localhost/4?id=id-1&amp;s=banner_300x250"></script>"#,
        )
    );
    assert_eq!(states(&store, 0), "due in_browser in_browser in_browser");
    let script = store.get(&network, &format!("{url}&t=B&f=js"), NOW_MS);
    assert!(script.body.contains("createContextualFragment") && !script.body.contains('<'));
    let image = store.get(&network, &format!("{url}&t=C&f=img"), NOW_MS);
    assert_eq!(
        header(&image, "location"),
        Some("http://localhost/3?id=id-1&s=banner_300x250")
    );
    let server = store.get(&network, &format!("{url}&t=D&f=pb&p=100&ap=7.5"), NOW_MS);
    assert_eq!(server.body, "SUCCESS");
    assert_eq!(
        states(&store, 12),
        "due undeliverable undeliverable undeliverable"
    );
    let last = store.conversions.last().unwrap();
    assert_eq!(
        (last.payout.as_str(), last.revenue.as_str()),
        ("7.50", "100.00")
    );

    let again = store.get(&network, &format!("{url}&t=D&f=pb"), NOW_MS);
    assert_eq!(
        (again.body.as_str(), store.conversions.len()),
        ("SUCCESS", 4)
    );
    let gif = store.get(&network, &format!("{url}&t=D&f=img"), NOW_MS);
    assert!(gif.is_base64 && header(&gif, "content-type") == Some("image/gif"));
    for bad in [
        "o=12345&r=nobody&t=E",
        "o=1&r=id-1&t=E",
        "r=id-1&t=E",
        "o=12345&r=id-1&t=TRANSACTION_ID",
        "o=12345&r=id-1&t=somebody@example.com",
        "a=8&r=id-1&t=E",
        "o=12345&t=E",
        "o=12345&r=id-1&t=E&p=free",
    ] {
        let answer = store.get(&network, &format!("/p.ashx?f=pb&{bad}"), NOW_MS);
        assert!(answer.body.starts_with("FAILURE: "), "{bad}");
    }
    assert_eq!(
        store
            .serve(&network, "HEAD", &format!("{url}&t=F"), None, NOW_MS)
            .status,
        405
    );
    assert_eq!(store.conversions.len(), 4);
    store.get(&network, "/p.ashx?a=7&r=id-1&t=G&f=pb", NOW_MS);
    assert_eq!(store.conversions.len(), 5);
}

#[test]
fn a_postback_to_a_host_off_the_list_is_logged_as_refused() {
    let network = Network::new(FIXTURE, "key", &["tracking.partner.com".into()]).unwrap();
    let mut store = clicked(&network);
    store.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345",
        NOW_MS,
    );
    let row = &store.fired[0];
    assert_eq!((row.state.as_str(), row.next_ms), ("refused", None));
    assert!(
        row.url
            .starts_with("http://127.0.0.1:8787/affiliate/?id=id-1")
    );
}
