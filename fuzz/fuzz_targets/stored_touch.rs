//! Any text as a store's content and as a visit's query: the touch is read or absent, and a stored touch is valid.
#![no_main]
use cake_edge::click_id::LandingParameters;
use cake_edge::touch::{Attribution, MAX_STORED_BYTES, TouchPolicy, read_journey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, u64, bool, bool)| {
    let (cookie, storage, now_ms, is_first, is_click) = input;
    let attribution = if is_first { Attribution::FirstTouch } else { Attribution::LastTouch };
    let policy = TouchPolicy::new(attribution, 30, 5, 7).expect("in range");
    let now_ms = now_ms % 9_000_000_000_000;
    let query = if is_click { format!("reqid=abc&s5={storage}&s1={cookie}") } else { storage.to_owned() };
    // A parameter's name comes from the configuration, and is short.
    let name = if storage.is_empty() || storage.len() > 99 { "reqid" } else { storage };
    let parameters = LandingParameters { click_id: &["reqid", name], ..Default::default() };
    let kept = policy.keep(&query, &parameters, &[cookie, storage], now_ms);
    let touches = read_journey(&kept.text);
    assert!(touches.len() <= 5 && kept.text.len() <= 2 * MAX_STORED_BYTES);
    assert!(!is_click || kept.click_id.is_some());
    if let Some(max_age_seconds) = kept.max_age_seconds {
        assert!(kept.text.len() <= MAX_STORED_BYTES);
        assert!((1..=7 * 86_400).contains(&max_age_seconds));
        let counting = if is_first { touches.last() } else { touches.first() };
        assert_eq!(counting.map(|touch| &touch.click_id), kept.click_id.as_ref());
    }
});
