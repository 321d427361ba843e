use super::*;
use proptest::prelude::*;

fn find(url: &str) -> Option<FoundClick<'_>> {
    find_click(url, &LandingParameters::default())
}

#[test]
fn a_word_for_a_missing_value_is_no_click_id_of_a_callers() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/vectors/missing_values.json")).unwrap();
    let texts =
        |name: &str| -> Vec<String> { serde_json::from_value(vectors[name].clone()).unwrap() };
    for text in texts("missing").into_iter().chain(texts("ids_of_orders")) {
        let code = if is_click_id(&text) {
            "placeholder_text"
        } else {
            "invalid_click_id"
        };
        assert_eq!(
            check(&text).map_err(|error| error.code()),
            Err(code),
            "{text}"
        );
    }
    for text in texts("ids").iter().filter(|text| is_click_id(text)) {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn a_value_that_is_no_click_id_is_not_found() {
    for query in [
        "",
        "?reqid=",
        "?reqid",
        "?reqid=%23reqid%23",
        "?reqid=#reqid#",
        "?reqid={click_id}",
        "?reqid=a%20b",
        "?reqid=a+b",
        "?reqid=%00",
        "?transaction_id=2784792&tranid=1&r=shop/thanks",
        "?reqid=undefined",
        "?reqid=NULL&click_id=REPLACE",
        "?reqid=YOUR_CLICK_ID",
        "?other=abc",
        "#?reqid=abc",
    ] {
        assert_eq!(find(query), None, "{query}");
    }
    assert_eq!(find(&format!("?reqid={}", "a".repeat(129))), None);
    assert!(find(&format!("?reqid={}", "a".repeat(128))).is_some());
}

#[test]
fn the_first_parameter_of_the_list_wins_and_the_first_click_id_of_a_repeated_one() {
    let found = find("https://shop.example/?clickid=late&click_id=one&click_id=two").unwrap();
    assert_eq!(
        (found.click_id.as_str(), found.parameter),
        ("one", "click_id")
    );
    assert!(found.is_repeated);
    assert!(!find("?reqid=1").unwrap().is_repeated);
    for query in [
        "?reqid=%23reqid%23&reqid=real&clickid=other",
        "?reqid=&reqid=real",
        "?reqid&REQID=null&reqid=real",
        "?reqid=undefined&clickid=real",
    ] {
        assert_eq!(find(query).unwrap().click_id, "real", "{query}");
    }
}

#[test]
fn an_address_that_was_mangled_on_its_way_is_read() {
    for query in [
        "?p=1%3Freqid=abc",
        "?p=1%253Freqid=abc",
        "?p=1%25253freqid=abc",
        "?p=1%26reqid=abc",
        "?p=1%2526reqid=abc",
        "?p=1;reqid=abc",
        "?p=1%3Breqid=abc",
        "?p=1%26amp%3Breqid=abc",
        "?p=1&AMP;reqid=abc",
        "?reqid=abc%3Futm_source=x",
        "?reqid=abc;jsessionid=x",
        "?reqid=abc?x=1",
        "/landing&reqid=abc",
        "/landing;reqid=abc",
        "/landing%3Freqid=abc",
        "https://shop.example/landing&reqid=abc#top",
        "https://shop.example/landing&reqid=abc?utm_source=x",
        "?p=1?reqid=abc",
        "?p=1&?reqid=abc",
        "??reqid=abc",
        "?p=1/?reqid=abc&s1=x",
        "?p=1&amp;reqid=abc",
        "?p=1&amp;amp;reqid=abc",
        "?REQID=abc",
        "?ReqId=abc?utm_source=x",
        "?reqid=%20abc%20",
        "?reqid=abc+",
        "?%20reqid=abc%0D%0A",
        "?r%65qid=%61bc",
    ] {
        assert_eq!(find(query).unwrap().click_id, "abc", "{query}");
    }
    // Well separated parameters come first.
    let both = find("?to=/cart?reqid=inner&click_id=own").unwrap();
    assert_eq!(both.click_id, "own");
    for query in [
        "?to=%2Fcart%3Freqid%3Dinner",
        "?to=%252Fcart%253Freqid%253Dinner",
        "/reqid=inner/x",
        "/landing#&reqid=inner",
    ] {
        assert_eq!(find(query), None, "{query}");
    }
    let found = find("?s1=x?reqid=abc").unwrap();
    assert_eq!(found.sub_ids[0].as_deref(), Some("x"));
}

#[test]
fn sub_ids_affiliate_and_offer_come_along() {
    let found =
        find("?reqid=1&s1=a%20b&s2=%23s2%23&s3=&s5=x&affid=67890&oid=12x&offer_id=12").unwrap();
    assert_eq!(
        found.sub_ids,
        [Some("a b".into()), None, None, None, Some("x".into())]
    );
    assert_eq!(found.affiliate_id.as_deref(), Some("67890"));
    assert_eq!(found.offer_id.as_deref(), Some("12"));
    let long = format!("?reqid=1&s1={}", "x".repeat(51));
    assert_eq!(find(&long).unwrap().sub_ids[0], None);
}

#[test]
fn the_fragment_is_read_only_when_asked_for() {
    let parameters = LandingParameters {
        fragment: true,
        ..Default::default()
    };
    for url in [
        "https://shop.example/#reqid=abc",
        "https://shop.example/?x=1#/thanks?reqid=abc",
    ] {
        assert_eq!(find(url), None);
        assert_eq!(find_click(url, &parameters).unwrap().click_id, "abc");
    }
    let both = find_click("?reqid=query#reqid=fragment", &parameters).unwrap();
    assert_eq!(both.click_id, "query");
    assert!(both.is_repeated);
}

#[test]
fn names_are_configurable() {
    let parameters = LandingParameters {
        click_id: &["subid", "x"],
        ..Default::default()
    };
    assert_eq!(
        find_click("?reqid=no&x=2&subid=1", &parameters)
            .unwrap()
            .click_id,
        "1"
    );
}

proptest! {
    #[test]
    fn each_found_value_is_a_click_id(query in "\\?(reqid=|ReqId=|reqid|s1|x|&amp;|&|=|\\?|;|%20|%23|%3[bFf]|%26|%25|[a-z0-9]|\\PC){0,20}") {
        if let Some(found) = find(&query) {
            prop_assert!(is_click_id(&found.click_id));
            // Another parser finds it too, in the query as it is, or with `&` for the other
            // separators.
            let mut mangled = query.split_once('?').unwrap().1.to_lowercase();
            while mangled.contains("%2525") {
                mangled = mangled.replace("%2525", "%25");
            }
            for mark in ["?", ";", "%3f", "%3b", "%26", "%253f", "%253b", "%2526"] {
                mangled = mangled.replace(mark, "&");
            }
            let queries = [query.clone(), format!("?{mangled}")];
            let is_there = queries.iter().any(|query| {
                let url = ::url::Url::parse("https://shop.example/").unwrap().join(query).unwrap();
                url.query_pairs().any(|(name, value)| {
                    let name = name.trim_start_matches("amp;").trim();
                    // Marks around it are left out; see `without_marks`.
                    let is_mark = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-');
                    let values = [value.trim(), value.trim_matches(is_mark)];
                    name.eq_ignore_ascii_case(found.parameter)
                        && values.iter().any(|value| value.eq_ignore_ascii_case(&found.click_id))
                })
            });
            prop_assert!(is_there);
        }
    }
}
