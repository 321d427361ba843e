//! The page's two cores in a real browser, with the page's own calls.
#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use cake_edge::bindings::{build, byte, decide, push, put, reply};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Builds a link; returns the link, or the refusal.
fn link(fields: &[&str]) -> Result<String, String> {
    for field in fields {
        for character in field.chars().chain(['\n']) {
            push(u32::from(character));
        }
    }
    let is_built = build();
    let answer = text_of(byte);
    if is_built { Ok(answer) } else { Err(answer) }
}

/// An answer, by what gives its bytes.
fn text_of(byte_at: fn(usize) -> u8) -> String {
    let bytes = (0..usize::MAX).map(byte_at).take_while(|byte| *byte != 0);
    String::from_utf8(bytes.collect()).unwrap()
}

/// Decides about a visit: the cookie's age and the answer.
fn visit(pairs: &[(&str, &str)], stored: &str, now_s: u32) -> (u32, String) {
    let mut text = "subid\x01reqid\x04".to_owned();
    for (name, value) in pairs {
        text.extend([name, "\x01", value, "\x02"]);
    }
    text.extend(["\x03\x04\x04", stored, "\x04"]);
    for (at, byte) in text.bytes().enumerate() {
        put(byte, at);
    }
    let age = decide(false, 30, 5, 30, now_s, now_s);
    (age, text_of(reply))
}

const LINK: [&str; 3] = ["0", "1gdu", "c"];

#[wasm_bindgen_test]
fn a_link_is_built() {
    let parts = [&LINK[..], &["track.yournetwork.com", "k\u{e4}se & co"]].concat();
    assert_eq!(
        link(&parts).unwrap(),
        "https://track.yournetwork.com/?a=67890&c=12&s1=k%C3%A4se%20%26%20co"
    );
}

#[wasm_bindgen_test]
fn a_broken_rule_is_refused_by_number_and_parameter() {
    assert_eq!(
        link(&["0", "0", "c", "t.example.com"]).unwrap_err(),
        "1affiliateId"
    );
    let rest = ["t.example.com", "", "", "", "", "", "", "", ""];
    let repeated = [&LINK[..], &rest, &["\u{e4}b", "1", "\u{e4}B", "2"]].concat();
    assert_eq!(link(&repeated).unwrap_err(), "9%C3%A4B");
}

#[wasm_bindgen_test]
fn a_click_id_is_kept_and_known_the_next_time() {
    let text = "1!utn9s*utn9s!reqid!abc-1!one";
    let now_s = 51_771_664;
    let first = visit(&[("ReqId", "abc-1"), ("s1", "one")], "", now_s);
    assert_eq!(first, (2_592_000, format!("{text}\nabc-1")));
    // The cookie is missing: the core writes it again.
    assert_eq!(visit(&[], text, now_s + 1).0, 2_591_999);
}

#[wasm_bindgen_test]
fn a_value_that_is_no_click_id_is_not_kept() {
    for value in ["#reqid#", "a b", ""] {
        assert_eq!(visit(&[("reqid", value)], "", 1), (0, "\n".to_owned()));
    }
}
