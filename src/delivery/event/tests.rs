//! Bodies of conversions as callers write them.

use super::*;
use proptest::prelude::*;

const SIGNED: Caller<'_> = Caller {
    is_signed: true,
    click_ids: "",
    is_pixel: true,
    latest: None,
};
const PAGE: Caller<'_> = Caller {
    is_signed: false,
    click_ids: "",
    is_pixel: true,
    latest: None,
};

fn one(body: &str, caller: Caller<'_>) -> Result<Event> {
    match read(body, caller)? {
        RequestBody::One(event) => Ok(*event),
        RequestBody::Many(_) => panic!("several"),
    }
}

fn code(body: &str, caller: Caller<'_>) -> &'static str {
    one(body, caller).unwrap_err().code()
}

#[test]
fn a_body_that_is_no_object_is_told_by_what_it_is() {
    for (body, parameter, words) in [
        ("", "body", "is empty"),
        (" \n", "body", "is empty"),
        ("offerId=1&uniqueId=A-1", "body", "is a form"),
        (r#"{"offerId":1,}"#, "body", "is not JSON"),
        ("{offerId:1}", "body", "is not JSON"),
        ("{'offerId':1}", "body", "is not JSON"),
        ("<a b='c'/>", "body", "is not JSON"),
        (r#"{"offerId":1"#, "body", "is not JSON"),
        (
            "[]",
            "params",
            r#"must be an object; several go as {"conversions": […]}"#,
        ),
        ("null", "params", "must be an object"),
        ("\"a=b\"", "params", "must be an object"),
        (r#"{"offerId":1,"uniqueId":"A-1"}"#, "clickId", "is missing"),
        (
            r#"{"clickId":"a","offerId":1,"uniqueId":-5}"#,
            "uniqueId",
            "is a negative number",
        ),
        (
            r#"{"clickId":"a","offerId":1,"uniqueId":1.5}"#,
            "uniqueId",
            "not whole",
        ),
    ] {
        let error = one(body, PAGE).unwrap_err();
        assert_eq!(error.parameter(), Some(parameter), "{body}: {error:?}");
        assert!(error.rule().contains(words), "{body}: {}", error.rule());
    }
}

#[test]
fn a_number_is_an_id_by_its_value() {
    for (number, id) in [("1001.0", "1001"), ("1001", "1001"), ("1.001e3", "1001")] {
        let event = one(
            &format!(r#"{{"clickId":"a","offerId":1.2e1,"uniqueId":{number}}}"#),
            PAGE,
        )
        .unwrap();
        assert_eq!(event.unique_id(), id);
    }
}

#[test]
fn an_event_needs_a_unique_id_and_a_click_id() {
    assert_eq!(
        code(r#"{"clickId":"a","offerId":1}"#, PAGE),
        "invalid_field"
    );
    assert_eq!(
        code(r#"{"offerId":1,"uniqueId":"u"}"#, PAGE),
        "invalid_click_id"
    );
    assert_eq!(
        code(r#"{"clickId":"","offerId":1,"uniqueId":"u"}"#, PAGE),
        "invalid_click_id"
    );
    let event = one(r#"{"clickId":"a","offerId":1,"uniqueId":"ORD-1"}"#, PAGE).unwrap();
    assert_eq!(event.unique_id(), "ORD-1");
    assert_eq!(
        code(
            r#"{"clickId":"a","offerId":1,"uniqueId":"TRANSACTION_ID"}"#,
            PAGE
        ),
        "placeholder_text"
    );
}

#[test]
fn the_cookies_click_id_goes_before_the_bodys_which_is_checked_all_the_same() {
    let caller = Caller {
        click_ids: "cookie",
        ..PAGE
    };
    for body in [
        r#"{"offerId":1,"uniqueId":"u"}"#,
        r#"{"clickId":"body","offerId":1,"uniqueId":"u"}"#,
    ] {
        assert_eq!(one(body, caller).unwrap().params().click_id, "cookie");
    }
    assert_eq!(
        code(
            r##"{"clickId":"#reqid#","offerId":1,"uniqueId":"u"}"##,
            caller
        ),
        "invalid_click_id"
    );
}

#[test]
fn the_orders_own_id_is_no_click_id_of_a_page() {
    let caller = Caller {
        click_ids: "ORD-78 1077 paid-1 paid-0",
        ..PAGE
    };
    for (body, click_id) in [
        (
            r##"{"offerId":1,"uniqueId":"u","orderId":"#1077"}"##,
            "ORD-78",
        ),
        (r#"{"offerId":1,"uniqueId":"ord-78"}"#, "1077"),
        (
            r#"{"offerId":1,"uniqueId":"shop:1077","orderId":"ORD-78"}"#,
            "paid-1",
        ),
    ] {
        assert_eq!(one(body, caller).unwrap().params().click_id, click_id);
    }
    let own = r#"{"clickId":"1077","offerId":1,"uniqueId":"u","orderId":1077}"#;
    assert_eq!(code(own, PAGE), "invalid_click_id");
    let only = Caller {
        click_ids: "1077",
        ..PAGE
    };
    assert_eq!(code(own, only), "invalid_click_id");
    let given = r#"{"clickId":"paid-2","offerId":1,"uniqueId":"u","orderId":1077}"#;
    assert_eq!(one(given, only).unwrap().params().click_id, "paid-2");
    // A backend may use the click id as the unique id.
    assert_eq!(one(own, SIGNED).unwrap().params().click_id, "1077");
}

#[test]
fn money_and_dates_come_from_signed_callers_only() {
    for field in [
        r#""payout":"18.00""#,
        r#""revenue":18"#,
        r#""conversionDate":"2026-06-19 14:30:00""#,
    ] {
        let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u",{field}}}"#);
        assert_eq!(code(&body, PAGE), "invalid_field", "{field}");
        assert!(one(&body, SIGNED).is_ok(), "{field}");
    }
}

#[test]
fn unknown_repeated_and_mistyped_fields_are_refused() {
    for body in [
        "",
        "[]",
        "null",
        r#"{"clickId":"a","offerId":1,"uniqueId":"u","url":"https://evil.example"}"#,
        r#"{"clickId":"a","clickId":"b","offerId":1,"uniqueId":"u"}"#,
        r#"{"clickId":"a","offerId":"1","uniqueId":"u"}"#,
        r#"{"clickId":"a","offerId":1,"uniqueId":true}"#,
        r#"{"clickId":"a","offerId":1,"uniqueId":"u","__proto__":{}}"#,
    ] {
        assert_eq!(code(body, SIGNED), "invalid_field", "{body}");
    }
    for (field, expected) in [
        (r#""payout":"1e3""#, "invalid_money"),
        (r#""payout":-1"#, "invalid_money"),
        (r#""payout":"1.00001""#, "invalid_money"),
        (r#""payout":"1234567890""#, "invalid_money"),
        (r#""adv1":"a\u0000b""#, "invalid_text"),
        (r#""orderId":"a\u0000b""#, "invalid_unique_id"),
        (r#""conversionDate":"2026-02-30 00:00:00""#, "invalid_time"),
    ] {
        let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u",{field}}}"#);
        assert_eq!(code(&body, SIGNED), expected, "{field}");
    }
    for unique_id in ["jane@example.com", "", "a\\tb", "#tid#", &"x".repeat(129)] {
        let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"{unique_id}"}}"#);
        assert!(one(&body, SIGNED).is_err(), "{unique_id}");
    }
    let long = format!("{{{}}}", " ".repeat(MAX_BYTES));
    assert_eq!(code(&long, SIGNED), "invalid_field");
}

#[test]
fn a_batch_has_1_to_100_each_good_or_bad_by_itself() {
    let event = r#"{"clickId":"a","offerId":1,"uniqueId":"u"}"#;
    let batch = |count: usize| format!(r#"{{"conversions":[{}]}}"#, vec![event; count].join(","));
    let Ok(RequestBody::Many(events)) =
        read(&format!(r#"{{"conversions":[{event},{{}},7]}}"#), PAGE)
    else {
        panic!("no batch");
    };
    let good: Vec<_> = events.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, false]);
    assert!(matches!(read(&batch(100), PAGE), Ok(RequestBody::Many(all)) if all.len() == 100));
    for body in [
        batch(101),
        batch(0),
        r#"{"conversions":{}}"#.to_owned(),
        format!(r#"{{"conversions":[{event}],"more":1}}"#),
        format!(r#"{{"conversions":[{event}],"conversions":[{event}]}}"#),
    ] {
        assert!(read(&body, PAGE).is_err());
    }
}

#[test]
fn the_key_is_account_offer_and_unique_id_and_the_claim_offer_and_click() {
    let event = one(r#"{"clickId":"c-1","offerId":12,"uniqueId":"u.1"}"#, PAGE).unwrap();
    assert_eq!(event.key("https://a.example"), "https://a.example|12|u.1");
    assert_eq!(event.claim("https://a.example"), "https://a.example|12/c-1");
}

#[test]
fn one_event_has_one_text_however_it_was_spelt() {
    let text = |body| one(body, SIGNED).unwrap().text().unwrap();
    let first = text(r#"{"clickId":"a","offerId":1,"uniqueId":"u","payout":18.5}"#);
    assert_eq!(
        first,
        text(r#" {"payout":"18.50", "uniqueId":"\u0075","adv1":null,"offerId":1,"clickId":"a"}"#)
    );
    for same in [
        r#"{"clickId":"a","offerId":1.0,"uniqueId":"u","payout":"18.500"}"#,
        r#"{"clickId":"a","offerId":1,"uniqueId":"u","payout":"18.5","orderId":"","adv2":"","revenue":"","conversionDate":""}"#,
    ] {
        assert_eq!(first, text(same));
    }
    assert_ne!(
        first,
        text(r#"{"clickId":"a","offerId":1,"uniqueId":"u","payout":"18.51"}"#)
    );
}

#[test]
fn an_order_is_taken_for_p_ashx_from_those_who_sign() {
    let order = |more: &str| format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u",{more}}}"#);
    let text = |more: &str| one(&order(more), SIGNED).unwrap().text().unwrap();
    let first = text(
        r#""eventId":7,"orderTotal":"5","currency":"EUR","coupons":["A"],"voucher":"V","udid":"d""#,
    );
    assert_eq!(
        first,
        r#"{"clickId":"a","offerId":1,"uniqueId":"u","eventId":7,"order":"ect=5.00&eccu=EUR&ecv=V&ecc=A&udid=d"}"#
    );
    assert_eq!(
        first,
        text(
            r#""udid":"d","voucher":"V","coupons":["A"],"currency":"EUR","orderTotal":5.000,"eventId":7.0,"items":[],"tax":null"#
        )
    );
    assert_eq!(Event::from_text(&first).unwrap().text().unwrap(), first);
    for (more, parameter) in [
        (r#""eventId":0"#, "eventId"),
        (r#""orderTotal":"5""#, "currency"),
        (r#""orderTotal":"-5","currency":"EUR""#, "orderTotal"),
        (r#""coupons":["a^b"]"#, "coupons"),
        (
            r#""orderTotal":"5","subtotal":"4","currency":"EUR""#,
            "orderTotal",
        ),
        (r#""order":"ect=5""#, "order"),
    ] {
        let error = one(&order(more), SIGNED).unwrap_err();
        assert_eq!(error.parameter(), Some(parameter), "{more}");
    }
    for (more, parameter) in [
        (r#""eventId":7"#, "eventId"),
        (r#""voucher":"V""#, "voucher"),
        (r#""currency":"EUR""#, "currency"),
    ] {
        let by_page = one(&order(more), PAGE).unwrap_err();
        assert_eq!(by_page.parameter(), Some(parameter));
        let by_api = one(&order(more), SIGNED)
            .unwrap()
            .check_for_api()
            .unwrap_err();
        assert_eq!(by_api.parameter(), Some(parameter));
    }
    let plain = text(r#""adv1":"x""#);
    let relation = |stored: &str, given: &str| Relation::from_texts(stored, given).unwrap();
    assert_eq!(
        relation(&plain, &text(r#""adv1":"x","voucher":"V""#)),
        Relation::AddsMoney
    );
    assert_eq!(
        relation(&first, &text(r#""eventId":8"#)),
        Relation::Conflict
    );
}

#[test]
fn a_byte_order_mark_is_skipped() {
    for body in [
        "\u{feff}{\"clickId\":\"a\",\"offerId\":1,\"uniqueId\":\"u\"}",
        "\u{feff}{\"conversions\":[{\"clickId\":\"a\",\"offerId\":1,\"uniqueId\":\"u\"}]}",
    ] {
        assert!(read(body, PAGE).is_ok(), "{body}");
    }
}

#[test]
fn spellings_of_one_order_are_no_conflict() {
    let text = |order: &str| {
        let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u","orderId":"{order}"}}"#);
        one(&body, SIGNED).unwrap().text().unwrap()
    };
    let relation =
        |stored: &str, given: &str| Relation::from_texts(&text(stored), &text(given)).unwrap();
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/order_ids.json")).unwrap();
    let lists =
        |name: &str| -> Vec<Vec<String>> { serde_json::from_value(vectors[name].clone()).unwrap() };
    for order in lists("same") {
        for (stored, given) in order
            .iter()
            .flat_map(|one| order.iter().map(move |other| (one, other)))
        {
            assert_eq!(relation(stored, given), Relation::Same, "{stored} {given}");
        }
    }
    for pair in lists("different") {
        let (stored, given) = (&pair[0], &pair[1]);
        assert_eq!(
            relation(stored, given),
            Relation::Conflict,
            "{stored} {given}"
        );
    }
}

#[test]
fn a_pages_event_and_its_backends_differ_in_money_alone() {
    let text = |more: &str| {
        let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u"{more}}}"#);
        one(&body, SIGNED).unwrap().text().unwrap()
    };
    let relation =
        |stored: &str, given: &str| Relation::from_texts(&text(stored), &text(given)).unwrap();
    let money = r#","payout":"18.00""#;
    assert_eq!(relation("", ""), Relation::Same);
    assert_eq!(relation("", money), Relation::AddsMoney);
    assert_eq!(relation(money, ""), Relation::LacksMoney);
    assert_eq!(
        relation("", r#","conversionDate":"2026-06-19 14:30:00""#),
        Relation::AddsMoney
    );
    for (stored, given) in [
        (money, r#","payout":"19.00""#),
        (money, r#","revenue":"18.00""#),
        ("", r#","orderId":"o""#),
        (r#","orderId":"o""#, money),
        (r#","adv1":"x""#, r#","adv1":"y","payout":"1""#),
    ] {
        assert_eq!(
            relation(stored, given),
            Relation::Conflict,
            "{stored} {given}"
        );
    }
    // A text that an earlier version has stored.
    let old = r#"{"clickId":"a","offerId":1,"payout":"18.000","uniqueId":"u"}"#;
    assert_eq!(Relation::from_texts(old, &text(money)), Ok(Relation::Same));
}

proptest! {
    #[test]
    fn stored_events_read_back_as_they_were_accepted(
        unique_id in "[A-Za-z0-9._:-]{1,128}", adv in "\\PC{0,40}", units in 0_u64..1_000_000_000,
    ) {
        let body = serde_json::json!({
            "clickId": "a", "offerId": 7, "uniqueId": unique_id, "adv3": adv,
            "payout": format!("{units}.5"),
        });
        if let Ok(event) = one(&body.to_string(), SIGNED) {
            prop_assert_eq!(Event::from_text(&event.text()?)?, event);
        } else {
            let is_word = crate::placeholder::is_missing_value(&unique_id)
                || crate::placeholder::lost::is_prefix(&unique_id);
            prop_assert!(is_word || adv.chars().any(char::is_control));
        }
    }

    #[test]
    fn a_second_parser_reads_the_same(
        pieces in proptest::collection::vec(prop_oneof![
            Just("\"clickId\":\"a\""), Just("\"offerId\":1"), Just("\"offerId\":1.0"), Just("\"uniqueId\":\"u\""),
            Just("\"uniqueId\":\"\\u0075\""), Just("\"adv1\":\"\\ud800\""), Just("\"payout\":18"),
            Just("\"adv2\":null"), Just("\"url\":1"), Just("\"adv5\":\"é\""),
        ], 0..8),
    ) {
        let body = format!("{{{}}}", pieces.join(","));
        let Ok(event) = one(&body, SIGNED) else { return Ok(()) };
        // serde keeps the last of a repeated field, so the fields are counted to find a repetition.
        let Ok(theirs) = serde_json::from_str::<serde_json::Map<_, _>>(&body) else {
            prop_assert!(body.contains("\\ud800"), "{}", body);
            return Ok(());
        };
        prop_assert_eq!(theirs.len(), pieces.len());
        let ours: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&event.text()?).unwrap();
        for (name, value) in &theirs {
            let expected = match name.as_str() {
                "payout" => serde_json::Value::from("18.00"),
                // An id may end in `.0`.
                "offerId" => serde_json::Value::from(1),
                _ => value.clone(),
            };
            prop_assert_eq!(ours.get(name).cloned().unwrap_or_default(), expected);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(body in "\\PC{0,200}", is_signed in any::<bool>()) {
        let _ = read(&body, Caller { is_signed, click_ids: "", is_pixel: true, latest: None });
    }
}
