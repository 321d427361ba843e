//! The page bindings in a real browser.
#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use cake_edge::bindings::capture;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::HtmlDocument;

wasm_bindgen_test_configure!(run_in_browser);

const DAY_MS: f64 = 86_400_000.0;

fn document() -> HtmlDocument {
    web_sys::window()
        .unwrap()
        .document()
        .unwrap()
        .unchecked_into()
}

fn storage() -> web_sys::Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

fn forget() {
    document()
        .set_cookie("cake_click=; Path=/; Max-Age=0")
        .unwrap();
    storage().clear().unwrap();
}

#[wasm_bindgen_test]
fn a_click_id_is_kept_in_cookie_and_storage() {
    forget();
    let url = "https://shop.example/?utm=1&reqid=abc-1";
    assert_eq!(capture(url, DAY_MS, false).as_deref(), Some("abc-1"));
    assert!(document().cookie().unwrap().contains("cake_click=1!"));
    assert!(
        storage()
            .get_item("cake_click")
            .unwrap()
            .unwrap()
            .ends_with("!reqid!abc-1")
    );
    assert_eq!(capture("/thanks", DAY_MS, false).as_deref(), Some("abc-1"));
}

#[wasm_bindgen_test]
fn either_store_alone_is_enough() {
    forget();
    assert!(capture("?reqid=abc-2", DAY_MS, false).is_some());
    storage().clear().unwrap();
    assert_eq!(capture("/", DAY_MS, false).as_deref(), Some("abc-2"));
    assert!(capture("?reqid=abc-3", DAY_MS, false).is_some());
    document()
        .set_cookie("cake_click=; Path=/; Max-Age=0")
        .unwrap();
    assert_eq!(capture("/", DAY_MS, false).as_deref(), Some("abc-3"));
}

#[wasm_bindgen_test]
fn what_is_no_click_id_is_not_kept() {
    forget();
    assert_eq!(capture("?reqid=%23reqid%23", DAY_MS, false), None);
    assert_eq!(document().cookie().unwrap(), "");
}
