//! Any bytes as a signed webhook of a shop: what it becomes is a conversion or correction that the
//! forwarder's rules take, or refuse by a code; and nothing counts without a signature.
#![no_main]
use base64ct::{Base64, Encoding};
use cake_edge::delivery::correction::read_corrections;
use cake_edge::delivery::event::{Caller, read};
use cake_edge::delivery::shop::{Shop, Webhook};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432";
const NOW_MS: u64 = 1_780_000_000_000;
const WEBHOOKS: [(&str, &str); 9] = [
    ("shopify", "orders/paid"),
    ("shopify", "orders/create"),
    ("shopify", "refunds/create"),
    ("shopify", "orders/cancelled"),
    ("woocommerce", "order.created"),
    ("woocommerce", "order.updated"),
    ("woocommerce", "order.deleted"),
    ("stripe", ""),
    ("stripe", ""),
];
const SETTINGS: [&str; 3] = [
    r#"{"offerId":12345,"currency":"USD"}"#,
    r#"{"offerId":12345,"currency":"USD","revenue":"subtotal","uniqueId":"name","testOrders":true,"recurring":true}"#,
    r#"{"offerId":12345,"revenue":"none","saleTopic":"orders/create","statuses":["on-hold","refunded"]}"#,
];

fn signature(platform: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    if platform == "stripe" {
        mac.update(format!("{}.", NOW_MS / 1_000).as_bytes());
    }
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    if platform == "stripe" {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={},v1={hex}", NOW_MS / 1_000)
    } else {
        Base64::encode_string(&bytes)
    }
}

fuzz_target!(|input: &[u8]| {
    let [which, how, body @ ..] = input else {
        return;
    };
    let (platform, topic) = WEBHOOKS[usize::from(*which) % WEBHOOKS.len()];
    let settings = SETTINGS[usize::from(*how) % SETTINGS.len()];
    let shop = Shop::new(platform, [SECRET], settings).expect("a shop");
    let signature = signature(platform, body);
    let webhook = Webhook {
        signature: &signature,
        topic,
        body,
        now_ms: NOW_MS,
    };
    let told: Value = serde_json::to_value(shop.read(&webhook)).expect("JSON");
    let unsigned: Value = serde_json::to_value(shop.read(&Webhook {
        signature: "",
        ..webhook
    }))
    .expect("JSON");
    assert!(
        matches!(
            unsigned["outcome"].as_str(),
            Some("signature_refused" | "ping")
        ),
        "{unsigned}"
    );
    assert_ne!(told["outcome"], "signature_refused");
    if let Some(conversion) = told["sale"].get("conversion") {
        let caller = Caller {
            is_signed: true,
            click_ids: "",
            is_pixel: false,
            latest: None,
        };
        if let Err(error) = read(&conversion.to_string(), caller) {
            assert!(!error.code().is_empty());
        }
    }
    if let Some(order) = told.get("order") {
        let ids = order["uniqueIds"].as_array().expect("unique ids");
        assert!(!ids.is_empty(), "an order without an id: {told}");
        for id in ids {
            let mut correction = json!({ "correctionId": "x", "offerId": 12345, "status": "returned" });
            correction["uniqueId"] = id.clone();
            if let Err(error) = read_corrections(&correction.to_string()) {
                assert!(!error.code().is_empty());
            }
        }
        for line in order["facts"].as_str().unwrap_or_default().lines() {
            assert!(line.contains('\t'), "a fact without a key: {told}");
        }
    }
});
