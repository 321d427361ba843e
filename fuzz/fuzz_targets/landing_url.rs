//! Any text as a landing page's URL: a found click id is valid.
#![no_main]
use cake_edge::click_id::{LandingParameters, find_click, is_click_id};
use cake_edge::sub_id;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|url: &str| {
    for fragment in [false, true] {
        let parameters = LandingParameters { fragment, ..Default::default() };
        if let Some(found) = find_click(url, &parameters) {
            assert!(is_click_id(&found.click_id));
            assert!(parameters.click_id.contains(&found.parameter));
            for (index, value) in found.sub_ids.iter().enumerate() {
                assert!(value.as_deref().is_none_or(|value| sub_id::check(index, value).is_ok()));
            }
        }
    }
});
