//! Any text as a Cookie header and as a cookie's parts: no value breaks out of its field.
#![no_main]
use cake_edge::cookie::{SetCookie, find_cookie};
use cake_edge::signed_cookie::SigningKeys;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (header, name) = input;
    let keys = SigningKeys::new(["a secret of 32 bytes or more, fuzzed"]).expect("long enough");
    if let Some(value) = find_cookie(header, name) {
        assert_eq!(keys.verify(name, value, 0), None);
        let cookie = SetCookie { path: header, domain: Some(name), ..SetCookie::new(name, value) };
        if let Ok(text) = cookie.build() {
            assert!(!text.contains(['\r', '\n']));
            assert_eq!(find_cookie(&text, name), Some(value));
            assert_eq!(text.matches(';').count(), 4);
        }
    }
});
