//! A conversion with a token, as a frame or worker without an origin sends it: `{"token": "…",
//! "conversion": {…}}`.

use super::event::{MAX_BYTES, field};
use crate::api::asked::is_same_click_id;
use crate::api::json::{Object, Value, push_string};
use crate::conversion_token::{Flaw, Token};
use crate::signed_cookie::SigningKeys;
use crate::url::push_number;
use crate::{Error, Result};

/// The result of opening a body with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Empty, or why the token is not accepted: `forged`, `expired`, `early`, `other_offer`,
    /// `other_click`.
    pub flaw: &'static str,
    /// The origin that the token was issued to.
    pub origin: String,
    /// The id of the token, which is used once.
    pub nonce: String,
    /// The conversion as JSON, with the token's offer and click.
    pub conversion: String,
}

impl Opened {
    fn flawed(flaw: &'static str) -> Self {
        Self {
            flaw,
            origin: String::new(),
            nonce: String::new(),
            conversion: String::new(),
        }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.conversion.len() + 128);
        for (name, value) in [
            ("{\"flaw\":", self.flaw),
            (",\"origin\":", &self.origin),
            (",\"nonce\":", &self.nonce),
            (",\"conversion\":", &self.conversion),
        ] {
            out.push_str(name);
            push_string(&mut out, value);
        }
        out.push('}');
        out
    }
}

/// Opens a body; `None` where it has no token. The conversion gets the token's offer and click, and
/// may not name others.
///
/// # Errors
/// [`Error::InvalidField`] where a good token has no conversion, or another field beside it.
pub fn open(keys: &SigningKeys, body: &str, now_ms: u64) -> Result<Option<Opened>> {
    let body = body.trim_start_matches('\u{feff}');
    if body.len() > MAX_BYTES {
        return Ok(None);
    }
    let Some(fields) = Object::read(body) else {
        return Ok(None);
    };
    if !fields.entries().any(|(name, _)| name == "token") {
        return Ok(None);
    }
    // Without a valid token the rest is not read.
    let text = fields.get("token").and_then(Value::string);
    let token = match Token::read(keys, text.as_deref().unwrap_or_default(), now_ms) {
        Ok(token) => token,
        Err(Flaw::Forged) => return Ok(Some(Opened::flawed("forged"))),
        Err(Flaw::Expired) => return Ok(Some(Opened::flawed("expired"))),
        Err(Flaw::Early) => return Ok(Some(Opened::flawed("early"))),
    };
    if let Some((other, _)) = fields
        .entries()
        .find(|(name, _)| !["token", "conversion"].contains(name))
    {
        return Err(field(
            other,
            "is unknown: beside a token stands one conversion",
        ));
    }
    if fields.entries().count() > 2 {
        return Err(field("token", "is repeated, or conversion is"));
    }
    let conversion = fields
        .get("conversion")
        .and_then(Value::object)
        .ok_or_else(missing)?;
    Ok(Some(bound(&token, &conversion)))
}

fn missing() -> Error {
    field("conversion", "is missing: an object with uniqueId")
}

/// The conversion with the token's offer and click.
fn bound(token: &Token<'_>, conversion: &Object<'_>) -> Opened {
    let mut offer_id = String::new();
    push_number(&mut offer_id, token.offer_id, 10);
    let mut json = String::from("{\"offerId\":");
    json.push_str(&offer_id);
    json.push_str(",\"clickId\":");
    push_string(&mut json, token.click_id);
    for (name, value) in conversion.entries() {
        let is_same = |own: &str| value.is_null() || value.text().is_some_and(|text| text == own);
        let is_same_click = |own: &str| {
            value.is_null()
                || value
                    .text()
                    .is_some_and(|text| is_same_click_id(&text, own))
        };
        match name {
            "offerId" if is_same(&offer_id) => {}
            "offerId" => return Opened::flawed("other_offer"),
            "clickId" if is_same_click(token.click_id) => {}
            "clickId" => return Opened::flawed("other_click"),
            _ => {
                json.push(',');
                push_string(&mut json, name);
                json.push(':');
                json.push_str(value.json());
            }
        }
    }
    json.push('}');
    Opened {
        flaw: "",
        origin: token.origin.to_owned(),
        nonce: token.nonce.to_owned(),
        conversion: json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value as Json;

    fn vectors() -> Json {
        serde_json::from_str(include_str!("../../tests/vectors/conversion_tokens.json")).unwrap()
    }

    fn keys(vectors: &Json) -> SigningKeys {
        SigningKeys::new(
            vectors["secrets"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Json::as_str),
        )
        .unwrap()
    }

    #[test]
    fn each_token_says_what_the_shared_vectors_say() {
        let all = vectors();
        let keys = keys(&all);
        let now_ms = all["nowMs"].as_u64().unwrap();
        for vector in all["bodies"].as_array().unwrap() {
            let body = vector["body"].as_str().unwrap();
            let name = vector["name"].as_str().unwrap();
            let told = match open(&keys, body, now_ms) {
                Ok(None) => Json::from("none"),
                Ok(Some(opened)) => serde_json::from_str(&opened.to_json()).unwrap(),
                Err(error) => Json::from(error.parameter()),
            };
            assert_eq!(told, vector["says"], "{name}");
        }
    }

    #[test]
    fn the_form_is_fixed() {
        let all = vectors();
        let keys = keys(&all);
        for vector in all["signed"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let token = Token {
                offer_id: vector["offerId"].as_u64().unwrap(),
                click_id: text("clickId"),
                origin: text("origin"),
                nonce: text("nonce"),
            };
            let at = vector["atMs"].as_u64().unwrap();
            assert_eq!(token.sign(&keys, at).unwrap(), text("token"));
            assert_eq!(Token::read(&keys, text("token"), at), Ok(token));
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_a_panic(body in "\\PC{0,80}", inner in "\\PC{0,40}") {
            let all = vectors();
            let keys = keys(&all);
            let _ = open(&keys, &body, 0);
            let token = all["signed"][0]["token"].as_str().unwrap();
            let wrapped = format!("{{\"token\":\"{token}\",\"conversion\":{inner}}}");
            let _ = open(&keys, &wrapped, all["signed"][0]["atMs"].as_u64().unwrap());
        }
    }
}
