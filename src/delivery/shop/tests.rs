//! Webhooks by the shared vectors, and any bytes at all.

use super::*;
use base64ct::Base64;
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/shop_webhooks.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A vector's shop, its secret the second of two.
fn shop(all: &Value, vector: &Value) -> Shop {
    let platform = text(vector, "shop");
    let secrets = [
        "a newer secret of the very same shop",
        text(&all["secrets"], platform),
    ];
    Shop::new(platform, secrets, &vector["settings"].to_string()).unwrap()
}

fn body(vector: &Value) -> Vec<u8> {
    match vector["bodyBase64"].as_str() {
        Some(base64) => Base64::decode_vec(base64).unwrap(),
        None => text(vector, "body").as_bytes().to_vec(),
    }
}

fn read(shop: &Shop, vector: &Value, body: &[u8], now_s: u64) -> Verdict {
    shop.read(&Webhook {
        signature: text(vector, "signature"),
        topic: text(vector, "topic"),
        body,
        now_ms: now_s * 1_000,
    })
}

#[test]
fn each_webhook_is_what_the_shared_vectors_say() {
    let all = vectors();
    let now_s = all["nowS"].as_u64().unwrap();
    for vector in all["webhooks"].as_array().unwrap() {
        let verdict = read(&shop(&all, vector), vector, &body(vector), now_s);
        let told = serde_json::to_value(&verdict).unwrap();
        let name = [text(vector, "shop"), text(vector, "name")].join(": ");
        assert_eq!(told, vector["verdict"], "{name}");
    }
}

#[test]
fn an_order_names_its_click_whatever_its_webhook_says_of_it() {
    let all = vectors();
    let now_s = all["nowS"].as_u64().unwrap();
    let mut sales = 0;
    for vector in all["webhooks"].as_array().unwrap() {
        let (shop, body) = (shop(&all, vector), body(vector));
        let click = shop.order_click(&body);
        let sale = read(&shop, vector, &body, now_s).sale;
        match sale.filter(|_| shop.platform != Platform::Stripe) {
            Some(sale) => {
                sales += 1;
                assert_eq!(click, Some(sale.conversion.click_id));
            }
            None if shop.platform == Platform::Stripe => assert_eq!(click, None),
            None => {}
        }
    }
    assert!(sales > 10);
    let secrets = ["a secret of 32 characters or more"];
    let shop = Shop::new("woocommerce", secrets, r#"{"currency":"USD"}"#).unwrap();
    let cancelled =
        br#"{"id":9,"status":"cancelled","meta_data":[{"key":"reqid","value":"a1b2c3-click"}]}"#;
    assert_eq!(shop.order_click(cancelled).as_deref(), Some("a1b2c3-click"));
    for none in [&br#"{"id":9,"status":"cancelled"}"#[..], b"[]", b"{"] {
        assert_eq!(shop.order_click(none), None);
    }
}

#[test]
fn a_shop_without_a_currency_says_so_unless_it_wants_no_revenue() {
    let new = |settings| Shop::new("stripe", ["secret"], settings).map(|_| ());
    for settings in [
        "{}",
        r#"{"currency":"US"}"#,
        r#"{"currency":"U$D","revenue":"total"}"#,
    ] {
        assert_eq!(
            new(settings).unwrap_err().parameter(),
            Some("currency"),
            "{settings}"
        );
    }
    assert_eq!(new(r#"{"revenue":"none"}"#), Ok(()));
    assert_eq!(new("[]").unwrap_err().parameter(), Some("settings"));
    assert!(Shop::new("stripe", [], r#"{"currency":"USD"}"#).is_err());
}

proptest! {
    #[test]
    fn a_changed_byte_never_verifies(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let all = vectors();
        let vectors: Vec<_> = all["webhooks"].as_array().unwrap().iter().collect();
        let signed: Vec<_> = vectors
            .into_iter()
            .filter(|vector| !matches!(text(&vector["verdict"], "outcome"), "signature_refused" | "ping") && !body(vector).is_empty())
            .collect();
        let vector = *which.get(&signed);
        let shop = shop(&all, vector);
        let now_s = all["nowS"].as_u64().unwrap();
        let mut changed = body(vector);
        *at.get_mut(&mut changed) ^= 1 << bit;
        prop_assert_eq!(read(&shop, vector, &changed, now_s).outcome, "signature_refused");
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        platform in prop::sample::select(&["shopify", "woocommerce", "stripe"][..]),
        topic in prop::sample::select(&["orders/paid", "orders/cancelled", "refunds/create", "order.updated", ""][..]),
        bytes in any::<Vec<u8>>(), signature in "(t=[0-9]{0,13},v1=[0-9a-f]{60,66})|\\PC{0,60}", now_ms in any::<u64>(),
    ) {
        let shop = Shop::new(platform, ["secret"], r#"{"offerId":1,"currency":"USD"}"#).unwrap();
        let webhook = Webhook { signature: &signature, topic, body: &bytes, now_ms };
        let outcome = shop.read(&webhook).outcome;
        prop_assert!(outcome == "signature_refused" || outcome == "ping");
    }

    /// Payloads with one changed field, read without the check of the signature.
    #[test]
    fn any_signed_payload_is_told(
        which in any::<prop::sample::Index>(), name in "[a-z_]{1,12}",
        value in prop::sample::select(&["null", "[]", "{}", "\"\"", "-1", "1e999", "99999999999999999999999", "true", "[null]", "{\"id\":{}}", "\"\\ud800\""][..]),
    ) {
        let all = vectors();
        let vectors = all["webhooks"].as_array().unwrap();
        let vector = which.get(vectors);
        let body = body(vector);
        let Ok(Value::Object(fields)) = serde_json::from_slice(&body) else { return Ok(()) };
        let shop = shop(&all, vector);
        // Each field in turn gets another value.
        for field in fields.keys().chain([&name]) {
            let mut changed = fields.clone();
            changed.insert(field.clone(), Value::String("HERE".into()));
            let text = Value::Object(changed).to_string().replace("\"HERE\"", value);
            if let Some(payload) = Payload::read(text.as_bytes()) {
                let topic = self::text(vector, "topic");
                let verdict = match shop.platform {
                    Platform::Shopify => shopify::read(&shop.settings, topic, &payload, 0, 0),
                    Platform::WooCommerce => woocommerce::read(&shop.settings, topic, &payload, 0),
                    Platform::Stripe => stripe::read(&shop.settings, &payload, 0),
                };
                prop_assert!(serde_json::to_string(&verdict).is_ok());
            }
        }
    }
}
