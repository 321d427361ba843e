//! Clicks: logged, redirected, truncated, refused.

use super::*;

#[test]
fn the_names_of_a_tracking_link_are_read_in_capitals_too() {
    let mut store = Store::default();
    let small = store.get(&network(), "/?a=2&c=12&s1=x", NOW_MS);
    let capital = store.get(&network(), "/?A=2&C=12&S1=x", NOW_MS);
    assert_eq!(store.clicks[0].sub_id_1, store.clicks[1].sub_id_1);
    assert_eq!(small.status, capital.status);
}

#[test]
fn a_click_is_logged_and_redirected_with_its_tokens() {
    let mut store = Store::default();
    let answer = store.get(&network(), "/?a=2&c=12&s1=spring%20sale&s2=x%26y", NOW_MS);
    assert_eq!(answer.status, 302);
    assert_eq!(
        header(&answer, "location"),
        Some("https://shop.example/?reqid=id-1&a=2&o=12345&k=501&c=12&s1=spring%20sale&s2=x%26y")
    );
    let row = &store.clicks[0];
    assert_eq!(row.click_date, "2026-06-19 14:30:00");
    assert_eq!(
        (row.sub_id_1.as_deref(), row.sub_id_3.as_deref()),
        (Some("spring sale"), None)
    );
}

#[test]
fn s1_is_cut_and_what_exceeds_s2_to_s5_spills_into_the_next() {
    let mut store = Store::default();
    let url = format!(
        "/?a=2&c=12&s1={}&s2={}&s4=four&s5={}",
        "a".repeat(60),
        "b".repeat(250),
        "e".repeat(200)
    );
    store.get(&network(), &url, NOW_MS);
    let lengths = store.clicks[0].sub_ids().map(|id| id.unwrap_or("").len());
    assert_eq!(lengths, [50, 100, 100, 54, 100]);
    assert_eq!(
        store.clicks[0].sub_id_4.as_deref().unwrap(),
        "b".repeat(50) + "four"
    );
}

#[test]
fn a_click_that_leads_nowhere_is_sent_elsewhere_and_not_logged() {
    let mut store = Store::default();
    for (url, reason) in [
        ("/?a=1&c=12", "unknown_affiliate"),
        ("/?a=x&c=12", "unknown_affiliate"),
        ("/", "unknown_affiliate"),
        ("/?a=3&c=12", "inactive_affiliate"),
        ("/?a=2&c=99", "unknown_creative"),
        ("/?a=2&c=6", "inactive_creative"),
        ("/?a=2&c=5", "inactive_offer"),
    ] {
        let answer = store.get(&network(), url, NOW_MS);
        assert_eq!(answer.status, 302);
        let elsewhere = format!("/__sandbox/elsewhere?reason={reason}");
        assert_eq!(
            header(&answer, "location"),
            Some(elsewhere.as_str()),
            "{url}"
        );
    }
    assert!(store.clicks.is_empty());
    let answer = store.get(&network(), "/?a=2&c=4", NOW_MS);
    assert_eq!(header(&answer, "location"), Some("/shop/?r=id-1"));
    assert_eq!(store.clicks[0].offer_id, 2);
}

#[test]
fn a_deep_link_needs_a_creative_that_allows_it_and_stays_on_the_host() {
    let mut store = Store::default();
    let mut location = |query: &str| {
        let answer = store.get(&network(), query, NOW_MS);
        header(&answer, "location").unwrap().to_owned()
    };
    let deep = "https%3A%2F%2Fshop.example%2Fdeep%3Fid%3D%23reqid%23%26x%3D1";
    assert_eq!(
        location(&format!("/?a=2&c=12&ckmrdr={deep}")),
        "https://shop.example/deep?id=id-1&x=1"
    );
    for refused in [
        "https%3A%2F%2Fevil.example%2F",
        "%2F%2Fevil.example%2F",
        "javascript%3Aalert(1)",
        "https%3A%2F%2Fshop.example%40evil.example%2F",
        "https%3A%2F%2Fshop.example%5C.evil.example%2F",
    ] {
        let landed = location(&format!("/?a=2&c=12&ckmrdr={refused}"));
        assert!(
            landed.starts_with("https://shop.example/?reqid="),
            "{refused}"
        );
    }
    assert!(location("/?a=2&c=2&ckmrdr=%2Fdeep").starts_with("/shop/"));
}

#[test]
fn head_and_prefetch_leave_no_click() {
    let network = network();
    let mut store = Store::default();
    let answer = store.serve(&network, "HEAD", "/?a=2&c=2", None, NOW_MS);
    assert_eq!(header(&answer, "location"), Some("/shop/?r="));
    let call = IncomingRequest {
        method: "GET".into(),
        url: "http://127.0.0.1/?a=2&c=2".into(),
        purposes: vec!["prefetch;prerender".into()],
        ..IncomingRequest::default()
    };
    let Step::Plan(plan) = network.decide(&call, &Rows::default()) else {
        panic!("a prefetch needs no rows");
    };
    assert_eq!((plan.answer.status, plan.writes.len()), (204, 0));
    assert!(store.clicks.is_empty());
}

#[test]
fn click_ids_can_be_integers_and_repeat_from_a_seed() {
    let integers = with_settings(r#"{"click_ids":"integer"}"#);
    assert_eq!(clicked(&integers).clicks[0].click_id, "500000001");
    let seeded = || {
        clicked(&with_settings(r#"{"id_seed":7}"#)).clicks[0]
            .click_id
            .clone()
    };
    assert_eq!(seeded(), seeded());
    assert_ne!(
        seeded(),
        clicked(&with_settings(r#"{"id_seed":8}"#)).clicks[0].click_id
    );
    assert!(seeded().len() == 36 && seeded().chars().nth(14) == Some('4'));
}
