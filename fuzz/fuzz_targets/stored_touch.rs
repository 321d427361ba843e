//! Any text as what a store holds: read or absent, and what is kept fits.
#![no_main]
use cake_edge::click::{FoundClick, Journey, Keeping, MAX_STORED_BYTES, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, u64, bool)| {
    let (cookie, storage, now_ms, is_first) = input;
    let policy = if is_first { Policy::FirstTouch } else { Policy::LastTouch };
    let keeping = Keeping::new(policy, 30, 5, 7).expect("in range");
    let now_ms = now_ms % 9_000_000_000_000;
    let found = FoundClick {
        click_id: "abc".into(),
        parameter: storage.into(),
        is_repeated: false,
        sub_ids: [Some(cookie.into()), None, None, None, Some(storage.into())],
        affiliate_id: None,
        offer_id: None,
    };
    // A parameter's name is configured and short.
    let found = (storage.len() < 100).then_some(found);
    let is_found = found.is_some();
    let kept = keeping.keep(found, &[Some(cookie), Some(storage)], now_ms);
    assert!(kept.journey.len() <= 5);
    assert!(!is_found || kept.touch.is_some());
    if let Some(write) = kept.write {
        assert!(write.text.len() <= MAX_STORED_BYTES);
        let read = Journey::decode(&write.text).expect("what is written reads back");
        assert_eq!(read.touches[0].click_id, kept.journey[0].click_id);
        assert!((1..=7 * 86_400).contains(&write.max_age_seconds));
    }
});
