//! Payouts, caps, duplicates, statuses.

use super::*;

#[test]
fn payouts_follow_call_campaign_and_offer_in_this_order() {
    let network = network();
    for (link, offer, more, payout, status) in [
        ("a=67890&c=12", 12345, "", "18.00", "approved"),
        ("a=2&c=12", 12345, "", "20.00", "pending"),
        ("a=2&c=12", 12345, "&payout=1.2345", "1.2345", "pending"),
        ("a=67890&c=2", 2, "", "5.00", "pending"),
        ("a=67890&c=2", 2, "&revenue=19.99", "2.50", "pending"),
    ] {
        let mut store = Store::default();
        store.get(&network, &format!("/?{link}"), NOW_MS);
        let url =
            format!("/api/2/conversion.json?api_key=key&click_id=id-1&offer_id={offer}{more}");
        let answer = store.get(&network, &url, NOW_MS);
        assert!(
            answer.body.contains(&format!(r#""payout":{payout},"#)),
            "{}",
            answer.body
        );
        assert_eq!(store.conversions[0].conversion_status, status);
    }
}

#[test]
fn a_conversion_beyond_a_cap_is_ignored_and_a_rejection_makes_room() {
    let network = network();
    let mut store = Store::default();
    store.get(&network, "/?a=67890&c=3", NOW_MS);
    store.get(&network, "/?a=2&c=3", NOW_MS);
    let record = |store: &mut Store, click: &str, now: u64| {
        let url = format!(
            "/api/2/conversion.json?api_key=key&click_id={click}&offer_id=3&unique_id=same"
        );
        let answer = store.get(&network, &url, now);
        body(&answer)["conversion"]["conversion_status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let words: Vec<_> = (0..3).map(|_| record(&mut store, "id-1", NOW_MS)).collect();
    assert_eq!(words, ["approved", "approved", "ignored"]);
    assert_eq!(
        record(&mut store, "id-2", NOW_MS),
        "approved",
        "each affiliate has its own"
    );
    assert_eq!(
        record(&mut store, "id-1", NOW_MS + 86_400_000),
        "approved",
        "each day too"
    );
    store.serve(
        &network,
        "POST",
        "/__sandbox/conversions/998877/reverse",
        None,
        NOW_MS,
    );
    assert_eq!(record(&mut store, "id-1", NOW_MS), "approved");
}

#[test]
fn a_repeated_unique_id_answers_the_first_conversion_or_a_refusal() {
    let url = "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345&unique_id=ORD-1";
    let network = network();
    let mut store = clicked(&network);
    let first = store.get(&network, url, NOW_MS);
    assert_eq!(
        store.get(&network, &format!("{url}&payout=99"), NOW_MS),
        first
    );
    assert_eq!((store.conversions.len(), store.fired.len()), (1, 1));
    let strict = with_settings(r#"{"duplicates":"refuse"}"#);
    assert_eq!(
        body(&store.get(&strict, url, NOW_MS))["message"],
        "Duplicate unique_id"
    );
    assert_eq!(store.conversions.len(), 1);
}

#[test]
fn statuses_move_only_where_they_may_and_only_approved_is_owed() {
    let network = network();
    let mut store = Store::default();
    store.get(&network, "/?a=2&c=12", NOW_MS);
    store.get(
        &network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345&unique_id=T1",
        NOW_MS,
    );
    let owed = |store: &Store| {
        let balance = network.balances(&store.sums()).swap_remove(1);
        (balance.owed, balance.pending)
    };
    assert_eq!(owed(&store), ("0.00".into(), "20.00".into()));
    let go = |store: &mut Store, word: &str| {
        let url = format!("/__sandbox/conversions/998877/{word}");
        store.serve(&network, "POST", &url, None, NOW_MS).status
    };
    assert_eq!(go(&mut store, "reverse"), 409);
    assert_eq!(go(&mut store, "approve"), 200);
    assert_eq!(owed(&store), ("20.00".into(), "0.00".into()));
    assert_eq!(go(&mut store, "approve"), 409);
    assert_eq!(go(&mut store, "reject"), 409);
    assert_eq!(go(&mut store, "reverse"), 200);
    assert_eq!(owed(&store), ("0.00".into(), "0.00".into()));
    assert_eq!(go(&mut store, "explode"), 404);
    let told: Vec<_> = store
        .fired
        .iter()
        .map(|row| (row.event.as_str(), row.url.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "approval",
                "https://127.0.0.1/p?t=T1&l=998877&status=approved"
            ),
            (
                "rejection",
                "https://127.0.0.1/p?t=T1&l=998877&status=reversed"
            ),
        ]
    );
}
