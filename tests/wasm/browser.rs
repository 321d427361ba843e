//! The page's one buffer in a real browser: written and read as the page does.
#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use cake_edge::bindings::{buffer, decide};
use js_sys::{Uint32Array, WebAssembly::Memory};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Asks the core, and says whether it decided or refused, and what.
fn ask(parts: &[&str]) -> Result<String, String> {
    let view = |length: usize| {
        let memory: Memory = wasm_bindgen::memory().unchecked_into();
        let start = u32::try_from(buffer() as usize).unwrap();
        let length = u32::try_from(length).unwrap();
        Uint32Array::new_with_byte_offset_and_length(&memory.buffer(), start, length)
    };
    let characters: Vec<u32> = parts
        .iter()
        .flat_map(|part| part.chars().chain(['\n']))
        .map(u32::from)
        .collect();
    view(characters.len()).copy_from(&characters);
    let length = decide(characters.len());
    let answer = view(length.unsigned_abs()).to_vec();
    let answer = answer.into_iter().filter_map(char::from_u32).collect();
    if length < 0 { Err(answer) } else { Ok(answer) }
}

const LINK: [&str; 4] = ["l", "0", "1gdu", "c"];
const VISIT: [&str; 7] = ["k", "0", "u", "5", "u", "100000", ""];

#[wasm_bindgen_test]
fn a_link_is_built() {
    let parts = [&LINK[..], &["track.yournetwork.com", "k\u{e4}se & co"]].concat();
    assert_eq!(
        ask(&parts).unwrap(),
        "https://track.yournetwork.com/?a=67890&c=12&s1=k%C3%A4se%20%26%20co"
    );
}

#[wasm_bindgen_test]
fn what_breaks_a_rule_is_refused_by_number_and_parameter() {
    assert_eq!(
        ask(&["l", "0", "0", "c", "t.example.com"]).unwrap_err(),
        "1affiliateId"
    );
    let repeated = [
        &LINK[..],
        &[
            "t.example.com",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "\u{e4}b",
            "1",
            "\u{e4}B",
            "2",
        ],
    ]
    .concat();
    assert_eq!(ask(&repeated).unwrap_err(), "9%C3%A4B");
}

#[wasm_bindgen_test]
fn a_click_id_is_kept_and_known_the_next_time() {
    let first =
        ask(&[&VISIT[..], &["", "one", "", "", "", "", "reqid", "abc-1"]].concat()).unwrap();
    assert_eq!(first, "2592000\nabc-1\n1!100000*100000!reqid!abc-1!one");
    let text = first.lines().last().unwrap();
    let second = ask(&["k", "0", "u", "5", "u", "100001", text, text]).unwrap();
    assert_eq!(second, format!("0\nabc-1\n{text}"));
}

#[wasm_bindgen_test]
fn what_is_no_click_id_is_not_kept() {
    let parts = [&VISIT[..], &["", "", "", "", "", "", "reqid", "#reqid#"]].concat();
    assert_eq!(ask(&parts).unwrap(), "");
}
