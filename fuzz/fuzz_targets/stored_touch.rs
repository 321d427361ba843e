//! Any text as what a store holds: read or absent, and what is kept fits.
#![no_main]
use cake_edge::click_id::FoundClick;
use cake_edge::touch::{Attribution, MAX_STORED_BYTES, TouchPolicy, read_journey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, u64, bool)| {
    let (cookie, storage, now_ms, is_first) = input;
    let attribution = if is_first { Attribution::FirstTouch } else { Attribution::LastTouch };
    let policy = TouchPolicy::new(attribution, 30, 5, 7).expect("in range");
    let now_ms = now_ms % 9_000_000_000_000;
    let found = FoundClick {
        click_id: "abc".into(),
        parameter: storage,
        is_repeated: false,
        sub_ids: [Some(cookie.into()), None, None, None, Some(storage.into())],
        affiliate_id: None,
        offer_id: None,
    };
    // A parameter's name is configured and short.
    let found = Some(&found).filter(|_| storage.len() < 100);
    let kept = policy.keep(found, &[Some(cookie), Some(storage)], now_ms);
    let touches = read_journey(&kept.text);
    assert!(touches.len() <= 5 && kept.text.len() <= 2 * MAX_STORED_BYTES);
    assert!(found.is_none() || kept.click_id.is_some());
    if let Some(max_age_seconds) = kept.max_age_seconds {
        assert!(kept.text.len() <= MAX_STORED_BYTES);
        assert!((1..=7 * 86_400).contains(&max_age_seconds));
        let counting = if is_first { touches.last() } else { touches.first() };
        assert_eq!(counting.map(|touch| &touch.click_id), kept.click_id.as_ref());
    }
});
