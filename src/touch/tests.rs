use super::*;
use crate::click_id::LandingParameters;
use crate::url;
use proptest::prelude::*;

const NOW: u64 = 1_781_879_400_000;
const DAY_MS: u64 = 86_400_000;

/// The update after a visit whose address has this query.
fn keep(policy: TouchPolicy, query: &str, stores: &[&str], now_ms: u64) -> TouchUpdate {
    policy.keep(query, &LandingParameters::default(), stores, now_ms)
}

fn visit(policy: TouchPolicy, id: &str, stored: &str, now_ms: u64) -> TouchUpdate {
    keep(policy, &format!("reqid={id}&s1=one"), &[stored], now_ms)
}

#[test]
fn the_stored_text_is_compact_and_reads_back() {
    let parameters = LandingParameters {
        click_id: &["my param"],
        ..Default::default()
    };
    let policy = TouchPolicy::default();
    let old = policy.keep("my%20param=42", &parameters, &[""], NOW - DAY_MS);
    let old = old.text;
    assert_eq!(old, "1!tgu0a0*tgu0a0!my%20param!42");
    let query = "reqid=a1b2c3d4-e5f6-7890-abcd-ef1234567890&s1=spring+sale!*&s3=k%C3%A4se";
    let text = keep(policy, query, &[&old], NOW + 999).text;
    assert_eq!(
        text,
        "1!tgvuy0*tgvuy0!reqid!a1b2c3d4-e5f6-7890-abcd-ef1234567890!spring%20sale%21%2A!!k%C3%A4se\
         *tgu0a0!my%20param!42"
    );
    assert_eq!(
        read_journey(&text),
        [
            Touch {
                click_id: "a1b2c3d4-e5f6-7890-abcd-ef1234567890".into(),
                at_ms: NOW,
                parameter: "reqid".into(),
                sub_ids: [
                    Some("spring sale!*".into()),
                    None,
                    Some("k\u{e4}se".into()),
                    None,
                    None
                ],
            },
            Touch {
                click_id: "42".into(),
                at_ms: NOW - DAY_MS,
                parameter: "my param".into(),
                sub_ids: [const { None }; 5],
            },
        ]
    );
}

#[test]
fn a_click_is_kept_whatever_time_the_clock_shows() {
    for now_ms in [
        0,
        999,
        NOW,
        4_294_967_294_000,
        4_294_967_295_000,
        7_498_604_811_809,
        u64::MAX,
    ] {
        for attribution in [Attribution::LastTouch, Attribution::FirstTouch] {
            let policy = TouchPolicy::new(attribution, 30, 5, 7).expect("in range");
            let kept = visit(policy, "abc", "", now_ms);
            assert_eq!(kept.click_id.as_deref(), Some("abc"), "{now_ms}");
            assert!(kept.max_age_seconds.is_some(), "{now_ms}");
            let next = keep(policy, "", &[&kept.text], now_ms);
            assert_eq!(next.click_id.as_deref(), Some("abc"), "{now_ms}");
        }
    }
}

#[test]
fn an_unreadable_or_future_text_is_absent() {
    for text in [
        "",
        "1",
        "1!",
        "1!x",
        "1!x*",
        "1!x*!r!abc",
        "1!x*x!r",
        "1!x*x!r!a b",
        "1!x*x!r!",
        "1!-1*x!r!abc",
        "1!+x*+x!r!abc",
        "1!zzzzzzzzzzzzzzz*x!r!abc",
        "1!x*zzzzzzz!r!abc",
        "1!X*X!r!abc",
        "2!x*x!r!abc",
        "1.abc.def",
        "%00",
    ] {
        assert_eq!(read_journey(text), [], "{text:?}");
        assert_eq!(
            keep(TouchPolicy::default(), "", &[text], NOW),
            TouchUpdate::default()
        );
    }
    // One broken part does not damage the others.
    assert_eq!(read_journey("1!x*???*x!r!abc").len(), 1);
    assert_eq!(
        read_journey(&format!("1!x{}", "*x!r!abc".repeat(9_999))),
        []
    );
    assert_eq!(
        read_journey(&format!("1!x{}", "*x!r!abc".repeat(99))).len(),
        MAX_JOURNEY
    );
}

#[test]
fn the_last_touch_counts_by_default_and_the_first_by_policy() {
    let first = TouchPolicy::new(Attribution::FirstTouch, 30, 5, 30).unwrap();
    for (policy, counts) in [(TouchPolicy::default(), "two"), (first, "one")] {
        let one = visit(policy, "one", "", NOW).text;
        let two = visit(policy, "two", &one, NOW + DAY_MS);
        assert_eq!(two.click_id.as_deref(), Some(counts));
        assert_eq!(read_journey(&two.text).len(), 2);
        // Later pages carry no click id.
        let thanks = keep(policy, "", &[&two.text], NOW + 2 * DAY_MS);
        assert_eq!(thanks.click_id.as_deref(), Some(counts));
        assert_eq!((thanks.max_age_seconds, thanks.text), (None, two.text));
    }
}

#[test]
fn the_same_click_id_does_not_move_the_clock() {
    let policy = TouchPolicy::default();
    let text = visit(policy, "one", "", NOW).text;
    let again = visit(policy, "one", &text, NOW + DAY_MS);
    assert_eq!((again.max_age_seconds, again.text), (None, text));
}

#[test]
fn a_touch_ends_with_its_window() {
    let policy = TouchPolicy::new(Attribution::LastTouch, 7, 5, 7).unwrap();
    let text = visit(policy, "one", "", NOW).text;
    let at = |now_ms| keep(policy, "", &[&text], now_ms);
    assert!(at(NOW + 7 * DAY_MS - 1_000).click_id.is_some());
    assert_eq!(
        at(NOW + 7 * DAY_MS),
        TouchUpdate {
            is_expired: true,
            ..TouchUpdate::default()
        }
    );
    assert_eq!(keep(policy, "", &[""], NOW), TouchUpdate::default());
    // A clock that went back keeps it.
    assert!(at(NOW - DAY_MS).click_id.is_some());
}

#[test]
fn the_cookie_is_refreshed_only_past_half_its_life() {
    // A window of 30 days in a browser that keeps cookies for 7.
    let policy = TouchPolicy::new(Attribution::LastTouch, 30, 5, 7).unwrap();
    let first = visit(policy, "one", "", NOW);
    assert_eq!(first.max_age_seconds, Some(7 * 86_400));
    let at = |now_ms| keep(policy, "", &[&first.text], now_ms);
    let half = 7 * DAY_MS / 2;
    assert_eq!(at(NOW + half - 1_000).max_age_seconds, None);
    let refreshed = at(NOW + half);
    assert_eq!(refreshed.max_age_seconds, Some(7 * 86_400));
    assert_eq!(read_journey(&refreshed.text)[0].at_ms, NOW);
    // Never beyond the window.
    assert_eq!(at(NOW + 29 * DAY_MS).max_age_seconds, Some(86_400));
}

#[test]
fn a_store_that_lacks_the_text_gets_it_back() {
    let policy = TouchPolicy::default();
    let old = visit(policy, "one", "", NOW).text;
    let new = visit(policy, "two", &old, NOW + 1_000).text;
    for stores in [
        [new.as_str(), ""],
        ["", new.as_str()],
        [old.as_str(), new.as_str()],
        [new.as_str(), "junk"],
    ] {
        let update = keep(policy, "", &stores, NOW + 2_000);
        assert_eq!(update.click_id.as_deref(), Some("two"));
        assert!(update.max_age_seconds.is_some());
        assert_eq!(read_journey(&update.text), read_journey(&new));
    }
    let both = keep(policy, "", &[&new, &new], NOW + 2_000);
    assert_eq!(both.max_age_seconds, None);
}

#[test]
fn a_journey_has_its_length_and_a_first_touch_is_never_pushed_out() {
    for (attribution, counts, kept) in [
        (Attribution::LastTouch, "c-9", ["c-9", "c-8", "c-7"]),
        (Attribution::FirstTouch, "c-0", ["c-9", "c-8", "c-0"]),
    ] {
        let policy = TouchPolicy::new(attribution, 30, 3, 30).unwrap();
        let mut last = TouchUpdate::default();
        for id in 0..10 {
            last = visit(policy, &format!("c-{id}"), &last.text, NOW + id * 1_000);
        }
        assert_eq!(last.click_id.as_deref(), Some(counts));
        let ids: Vec<_> = read_journey(&last.text)
            .into_iter()
            .map(|touch| touch.click_id)
            .collect();
        assert_eq!(ids, kept);
    }
}

#[test]
fn settings_have_their_ranges() {
    for (window, journey, cookie, parameter) in [
        (0, 5, 30, "windowDays"),
        (401, 5, 30, "windowDays"),
        (30, 0, 30, "journey"),
        (30, 21, 30, "journey"),
        (30, 5, 0, "cookieDays"),
    ] {
        let refused = TouchPolicy::new(Attribution::LastTouch, window, journey, cookie);
        assert_eq!(refused, Err(Error::InvalidSetting { parameter }));
    }
    assert!(TouchPolicy::new(Attribution::LastTouch, 400, 20, 400).is_ok());
}

proptest! {
    #[test]
    fn kept_touches_fit_and_read_back(
        visits in proptest::collection::vec(("7[A-Za-z0-9._:-]{0,126}[A-Za-z0-9_-]", proptest::collection::vec(any::<char>(), 0..40)), 1..25),
        is_first: bool,
        journey in 1_usize..=20,
    ) {
        let attribution = if is_first { Attribution::FirstTouch } else { Attribution::LastTouch };
        let policy = TouchPolicy::new(attribution, 30, journey, 30).unwrap();
        let first_id = visits[0].0.clone();
        let mut update = TouchUpdate::default();
        for (index, (click_id, sub_id)) in visits.iter().enumerate() {
            let sub_id: String = sub_id.iter().filter(|c| !c.is_control() && **c != '#').collect();
            // The surrounding white space is no part of a value.
            let sub_id = sub_id.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            let mut query = format!("?reqid={click_id}");
            for name in ["s1", "s2", "s3", "s4", "s5"] {
                url::push_parameter(&mut query, name, sub_id);
            }
            let was_known = read_journey(&update.text).iter().any(|touch| touch.click_id == *click_id);
            update = keep(policy, &query, &[&update.text], NOW + index as u64 * 1_000);
            prop_assert!(update.text.len() <= MAX_STORED_BYTES);
            prop_assert!(update.text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)));
            let touches = read_journey(&update.text);
            prop_assert!((1..=journey).contains(&touches.len()));
            // A new touch is there, whole unless it is too long; the touch that counts is always
            // there.
            if !was_known {
                let newest = if is_first && journey == 1 { None } else { Some(click_id) };
                prop_assert!(newest.is_none_or(|id| touches[0].click_id == *id));
                let is_whole = touches[0].sub_ids[4].as_deref().unwrap_or_default() == sub_id;
                let is_bare = touches[0].sub_ids.iter().all(Option::is_none);
                prop_assert!(is_whole || is_bare || newest.is_none());
            }
            let counting = if is_first { touches.last() } else { touches.first() };
            prop_assert_eq!(counting.map(|touch| &touch.click_id), update.click_id.as_ref());
            prop_assert!(!is_first || update.click_id.as_deref() == Some(&first_id));
        }
    }

    #[test]
    fn no_text_makes_a_panic(text in "1![a-z0-9]{0,8}(\\*[a-z0-9!%\\PC]{0,40}){0,4}", url in "\\PC{0,60}", now in 0_u64..9_000_000_000_000) {
        let update = keep(TouchPolicy::default(), &url, &[&text, &url], now);
        prop_assert!(read_journey(&update.text).len() <= DEFAULT_JOURNEY);
    }
}

#[test]
fn of_several_copies_the_newest_readable_one_counts() {
    let policy = TouchPolicy::default();
    let old = visit(policy, "c-1", "", NOW).text;
    let new = visit(policy, "c-2", &old, NOW + 1_000).text;
    for cookies in [
        format!("{old};{new}"),
        format!("{new};{old}"),
        format!("junk;{new};2!x*x!r!later"),
        format!(";{new}"),
    ] {
        // The stale copy does not cause another write.
        let update = keep(policy, "", &[&cookies, &new], NOW + 2_000);
        assert_eq!(update.click_id.as_deref(), Some("c-2"), "{cookies}");
        assert_eq!(update.max_age_seconds, None, "{cookies}");
    }
}

#[test]
fn a_clock_that_was_wrong_once_makes_no_click_immortal() {
    let policy = TouchPolicy::default();
    let ahead = visit(policy, "c-1", "", NOW + 3_650 * DAY_MS).text;
    let update = keep(policy, "", &[&ahead], NOW);
    assert_eq!(update.click_id.as_deref(), Some("c-1"));
    assert_eq!(update.max_age_seconds, Some(30 * 86_400));
    // It ends with its window, however often it is looked at, and whatever else makes the text change.
    for (day, changes) in [(0, false), (1, true), (10, false), (20, true)] {
        let mut text = update.text.clone();
        for hour in 0..24 * 40 {
            let now = NOW + 1_000 + hour * 3_600_000;
            let looked = if changes && hour == 24 * day {
                keep(policy, "", &[&text, ""], now)
            } else {
                keep(policy, "", &[&text, &text], now)
            };
            let end = if changes && day > 1 { 30 } else { 31 };
            assert!(looked.click_id.is_none() || hour < 24 * end, "{day} {hour}");
            assert!(looked.click_id.is_some() || hour > 24 * 29, "{day} {hour}");
            // Not at each look.
            assert!(looked.max_age_seconds.is_none() || hour % 360 == 0 || changes);
            text = looked.text;
        }
    }
    let later = keep(policy, "", &[&update.text], NOW + 30 * DAY_MS);
    assert_eq!((later.click_id, later.is_expired), (None, true));
    // Its copy does not stay the newest for ever.
    let fresh = visit(policy, "c-2", "", NOW).text;
    let both = keep(policy, "", &[&ahead, &fresh], NOW + 1_000);
    assert_eq!(both.click_id.as_deref(), Some("c-2"));
}

#[test]
fn a_clock_that_was_slow_for_some_days_ends_no_click() {
    for attribution in [Attribution::LastTouch, Attribution::FirstTouch] {
        for slow in [2, 29, 31, 40, 4_000] {
            let policy = TouchPolicy::new(attribution, 30, 5, 7).unwrap();
            let one = visit(policy, "c-1", "", NOW - DAY_MS).text;
            let mut text = visit(policy, "c-2", &one, NOW).text;
            let kept = read_journey(&text);
            for hour in 0..48 {
                let now = NOW + hour * 3_600_000 - slow * DAY_MS;
                let looked = keep(policy, "", &[&text, &text], now);
                assert!(looked.click_id.is_some(), "{slow}");
                text = looked.text;
            }
            let mended = keep(policy, "", &[&text, &text], NOW + 3 * DAY_MS);
            assert!(mended.click_id.is_some(), "{slow}");
            assert_eq!(read_journey(&mended.text), kept, "{slow}");
            let at_last = keep(policy, "", &[&mended.text], NOW + 30 * DAY_MS);
            assert!(at_last.is_expired, "{slow}");
        }
    }
}

#[test]
fn a_held_click_goes_where_its_own_time_is() {
    let vectors = include_str!("../../tests/vectors/held_clicks.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let now_s = u32::try_from(NOW / 1_000).unwrap();
    let at = |before: &serde_json::Value| {
        u32::try_from(i64::from(now_s) - before.as_i64().unwrap()).unwrap()
    };
    for row in vectors["rows"].as_array().unwrap() {
        let mut tape = Vec::new();
        LandingParameters::default().push_address(&mut tape, "?reqid=held-1");
        let stored = row["stored"].as_array().unwrap();
        if let Some(newest) = stored.first() {
            tape.extend(b"1!");
            push_time(&mut tape, at(&newest[0]).min(now_s));
        }
        for touch in stored {
            tape.push_mark(TOUCH);
            push_time(&mut tape, at(&touch[0]));
            tape.extend(format!("!reqid!{}", touch[1].as_str().unwrap()).bytes());
        }
        tape.push(END_OF_FIELD);
        let decision = TouchPolicy::default().write_update(&mut tape, at(&row["held"]), now_s);
        let text = String::from_utf8(tape[decision.text..].to_vec()).unwrap();
        let ids: Vec<_> = read_journey(&text)
            .into_iter()
            .map(|touch| touch.click_id)
            .collect();
        assert_eq!(serde_json::json!(ids), row["want"], "{row}");
        assert_eq!(text.is_empty(), ids.is_empty(), "{row}");
    }
}
