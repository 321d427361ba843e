//! Postbacks of networks and form tools: a GET or a form, with their own parameter names. Decides
//! whether a request is admitted, and makes a conversion of it.

use super::secrets::{Secrets, from_hex};
use crate::api::json::{Object, Value, parse_integer, push_string};
use crate::link::MAX_ID;
use crate::money::Money;
use crate::placeholder::{foreign, is_lost_word, is_missing_value};
use crate::time::CivilTime;
use crate::{Error, Result, click_id, transaction_id, url};
use std::borrow::Cow;

/// The fields of a conversion that a postback may carry.
const FIELDS: [&str; 12] = [
    "clickId",
    "uniqueId",
    "offerId",
    "payout",
    "revenue",
    "conversionDate",
    "orderId",
    "adv1",
    "adv2",
    "adv3",
    "adv4",
    "adv5",
];

/// The signature's parameter, which comes last.
const SIGNATURE: &str = "signature";

/// A source of postbacks: its secrets, and the meaning of its parameters. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Postback {
    secrets: Secrets,
    /// Pairs of our name and theirs.
    map: Vec<(&'static str, String)>,
    /// The offer, where no parameter gives it.
    offer_id: Option<u64>,
    secret_parameter: String,
    is_signed: bool,
}

/// A request. Nothing in it is trusted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The path behind the postback's name, decoded; or empty.
    pub path_secret: &'a str,
    /// The query, raw.
    pub query: &'a str,
    /// The form, raw; empty for a GET.
    pub form: &'a str,
}

impl<'a> Request<'a> {
    /// The text that a signature covers, and whose parameters count.
    fn signed_text(&self) -> &'a str {
        if self.form.is_empty() {
            self.query
        } else {
            self.form
        }
    }
}

impl Postback {
    /// Takes the secrets, the newest first, and the settings as JSON: `map` of our names to theirs,
    /// `offerId`, `secretParameter`, `signed`.
    ///
    /// # Errors
    /// [`Error::WeakSecret`]; [`Error::InvalidField`] where the map has no click id, no unique id
    /// or no offer.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>, settings: &str) -> Result<Self> {
        let fields =
            Object::read(settings).ok_or_else(|| field("settings", "must be an object"))?;
        let given = fields.get("map").and_then(Value::object);
        let map: Vec<_> = FIELDS
            .into_iter()
            .filter_map(|name| Some((name, given.as_ref()?.get(name)?.string()?)))
            .collect();
        let has = |name| {
            map.iter()
                .any(|(own, theirs)| *own == name && !theirs.is_empty())
        };
        let offer_id = fields
            .get("offerId")
            .and_then(Value::number)
            .and_then(parse_integer);
        for name in ["clickId", "uniqueId"] {
            if !has(name) {
                return Err(field(
                    &["map.", name].concat(),
                    "is missing: name their parameter",
                ));
            }
        }
        if has("offerId") == offer_id.is_some() {
            let rule = "must be given once: as a number here, or as a parameter in map";
            return Err(field("offerId", rule));
        }
        let secret_parameter = fields.get("secretParameter").and_then(Value::string);
        let secret_parameter = secret_parameter.unwrap_or_else(|| "secret".to_owned());
        // The secret would be stored as an id, and shown by every report.
        if map.iter().any(|(_, theirs)| *theirs == secret_parameter) {
            return Err(field(
                "secretParameter",
                "must be another name than those in map",
            ));
        }
        Ok(Self {
            secrets: Secrets::new(secrets)?,
            map,
            offer_id,
            secret_parameter,
            is_signed: fields.get("signed").is_some_and(Value::is_true),
        })
    }

    /// The conversion of a request with a secret or a signature; `None` without one. See
    /// [`Self::read`].
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub(crate) fn open(&self, request: &Request<'_>) -> Result<Option<String>> {
        self.is_admitted(request)
            .then(|| self.read(request))
            .transpose()
    }

    /// Does the request have one of the secrets, or a signature by one?
    #[must_use]
    pub fn is_admitted(&self, request: &Request<'_>) -> bool {
        if self.is_signed {
            let Some((text, signature)) = split_signature(request.signed_text()) else {
                return false;
            };
            let signature = from_hex(signature);
            return signature.is_some_and(|it| self.secrets.verify(&[text.as_bytes()], &it));
        }
        if !request.path_secret.is_empty() {
            return self.secrets.contains(request.path_secret);
        }
        let mut given = values(&[request.query, request.form], &self.secret_parameter);
        given.len() == 1
            && given
                .pop()
                .is_some_and(|secret| self.secrets.contains(&secret))
    }

    /// The conversion as JSON, for [`super::event::read`]. Parameters outside the map are skipped:
    /// networks send many.
    ///
    /// # Errors
    /// [`Error::PlaceholderText`] for an unexpanded macro, or a word in place of a missing value.
    /// [`Error::InvalidField`] for a repeated parameter, and the errors of the fields themselves.
    pub fn read(&self, request: &Request<'_>) -> Result<String> {
        let texts = if self.is_signed {
            let signed = split_signature(request.signed_text());
            [signed.map_or("", |(text, _)| text), ""]
        } else {
            [request.query, request.form]
        };
        let mut json = String::from("{");
        if let Some(offer_id) = self.offer_id {
            push(&mut json, "offerId", &offer_id.to_string(), false);
        }
        for (name, theirs) in &self.map {
            let mut given = values(&texts, theirs);
            if given.len() > 1 {
                return Err(field(name, "is given twice"));
            }
            if given.is_empty()
                && let Some(near) = self.near(&texts, theirs)
            {
                let rule = ["must be `", theirs, "`: it came as `", &near, "`"].concat();
                return Err(field(name, &rule));
            }
            let is_sent = !given.is_empty();
            let value = given.pop().unwrap_or_default();
            let value = value.trim();
            // An empty macro is the commonest missing value. Without the money, CAKE would pay by
            // its own rules, and a repetition with the money would change nothing.
            if is_sent && value.is_empty() && matches!(*name, "payout" | "revenue") {
                return Err(field(
                    name,
                    "is empty: it must have an amount, or be left out",
                ));
            }
            // Two ids could become one where letters are lost.
            if value.contains('\u{fffd}') {
                return Err(field(name, "must be percent-encoded as UTF-8"));
            }
            if !value.is_empty() {
                // `sub1=sub1`: the network has not expanded the name.
                let bare = value.trim_matches(|c: char| c.is_ascii_punctuation());
                if bare.eq_ignore_ascii_case(theirs) && !name.starts_with("adv") {
                    return Err(Error::PlaceholderText { parameter: name });
                }
                check(name, value)?;
                push(&mut json, name, value, *name != "offerId");
            }
        }
        json.push('}');
        Ok(json)
    }

    /// A parameter of this name in other case, or as a list (`sum[]`), that has no other meaning
    /// here.
    fn near(&self, texts: &[&str], theirs: &str) -> Option<String> {
        let is_known = |name: &str| {
            name == self.secret_parameter || self.map.iter().any(|(_, known)| known == name)
        };
        texts
            .iter()
            .flat_map(|text| url::pairs(text))
            .map(|(name, _)| name)
            .find(|name| {
                let plain = name.strip_suffix("[]").unwrap_or(name);
                plain.eq_ignore_ascii_case(theirs) && !is_known(name)
            })
            .map(Cow::into_owned)
    }
}

/// Splits a text into the signed part and the signature, which comes last.
fn split_signature(text: &str) -> Option<(&str, &str)> {
    let (signed, last) = text.rsplit_once('&')?;
    Some((signed, last.strip_prefix(SIGNATURE)?.strip_prefix('=')?))
}

fn values(texts: &[&str], name: &str) -> Vec<String> {
    let pairs = texts.iter().flat_map(|text| url::pairs(text));
    let named = pairs.filter(|(own, _)| own == name);
    named.map(|(_, value)| value.into_owned()).collect()
}

/// Checks a value's text. It tells words for a missing value from values that are merely wrong.
fn check(parameter: &'static str, value: &str) -> Result<()> {
    let placeholder = Err(Error::PlaceholderText { parameter });
    if is_macro(value) {
        return placeholder;
    }
    let checked = match parameter {
        "clickId" => click_id::check(value),
        "uniqueId" | "orderId" => transaction_id::check(parameter, value).map(drop),
        "offerId" => parse_integer(value)
            .filter(|id| (1..=MAX_ID).contains(id))
            .map(drop)
            .ok_or(Error::InvalidId { parameter }),
        "payout" | "revenue" => Money::parse(parameter, value).map(drop),
        "conversionDate" => CivilTime::parse(parameter, value).map(drop),
        // Free text: `no` and `0` may be meant.
        _ if is_lost_word(value) => return placeholder,
        _ => Ok(()),
    };
    if checked.is_err() && is_missing_value(value) {
        return placeholder;
    }
    checked
}

/// Is the whole value an unexpanded macro?
fn is_macro(value: &str) -> bool {
    // .NET writes ids as `{8fca1b5e-…}`.
    let is_short = value.len() < 36 || value.starts_with("{{");
    is_short && foreign::find(value).iter().any(|found| found.text == value)
}

fn push(json: &mut String, name: &str, value: &str, is_text: bool) {
    if json.len() > 1 {
        json.push(',');
    }
    push_string(json, name);
    json.push(':');
    if is_text {
        push_string(json, value);
    } else {
        json.push_str(value);
    }
}

fn field(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::event::{Caller, RequestBody, read};
    use proptest::prelude::*;

    const SECRET: &str = "a network's secret of 32 bytes or more";
    const MAP: &str = r#""map":{"clickId":"sub1","uniqueId":"txid","payout":"sum","adv1":"geo"}"#;

    fn postback(more: &str) -> Postback {
        Postback::new([SECRET], &["{", MAP, ",", more, "}"].concat()).unwrap()
    }

    fn get(query: &str) -> Request<'_> {
        Request {
            path_secret: "",
            query,
            form: "",
        }
    }

    #[test]
    fn their_names_become_ours_and_what_is_not_mapped_is_passed_over() {
        let postback = postback(r#""offerId":7"#);
        let json = postback
            .read(&get(
                "sub1=a1b2-c3&txid=T%2F1&sum=18.5&geo=%C3%A9+x&other=1&payout=99",
            ))
            .unwrap();
        assert_eq!(
            json,
            r#"{"offerId":7,"clickId":"a1b2-c3","uniqueId":"T/1","payout":"18.5","adv1":"é x"}"#
        );
        let caller = Caller {
            is_signed: true,
            click_id: None,
            is_pixel: true,
            latest: None,
        };
        assert!(matches!(read(&json, caller), Ok(RequestBody::One(_))));
        // An empty value is absent, and a required field is then missing.
        let json = postback.read(&get("sub1=a&txid=&geo=")).unwrap();
        assert_eq!(json, r#"{"offerId":7,"clickId":"a"}"#);
        assert!(read(&json, caller).is_err());
        let form = Request {
            form: "txid=2&sum=1",
            ..get("sub1=a")
        };
        assert_eq!(
            postback.read(&form).unwrap(),
            r#"{"offerId":7,"clickId":"a","uniqueId":"2","payout":"1"}"#
        );
    }

    #[test]
    fn a_word_for_a_missing_value_is_refused_by_its_name() {
        let postback = Postback::new(
            [SECRET],
            r#"{"map":{"clickId":"c","uniqueId":"u","offerId":"o","payout":"p","adv1":"a"}}"#,
        )
        .unwrap();
        for (query, parameter, code) in [
            ("c={clickid}", "clickId", "placeholder_text"),
            ("c=%7Bclickid%7D", "clickId", "placeholder_text"),
            ("c=[click_id]", "clickId", "placeholder_text"),
            ("c=%23reqid%23", "clickId", "placeholder_text"),
            ("c=undefined", "clickId", "placeholder_text"),
            ("c=a%20b", "clickId", "invalid_click_id"),
            ("u={{order.id}}", "uniqueId", "placeholder_text"),
            ("u=null", "uniqueId", "placeholder_text"),
            ("u=buyer%40shop.example", "uniqueId", "invalid_unique_id"),
            ("o={offer_id}", "offerId", "placeholder_text"),
            ("o=null", "offerId", "placeholder_text"),
            ("o=1.5", "offerId", "invalid_id"),
            ("o=0", "offerId", "placeholder_text"),
            ("p={payout}", "payout", "placeholder_text"),
            ("p=NaN", "payout", "placeholder_text"),
            ("p=", "payout", "invalid_field"),
            ("p=%20", "payout", "invalid_field"),
            ("p=-1", "payout", "invalid_money"),
            ("p=1,50", "payout", "invalid_money"),
            ("c=c", "clickId", "placeholder_text"),
            ("c=C", "clickId", "placeholder_text"),
            ("c=:c", "clickId", "placeholder_text"),
            ("u=u", "uniqueId", "placeholder_text"),
            ("u=ORD-", "uniqueId", "placeholder_text"),
            ("o=o", "offerId", "placeholder_text"),
            ("p=P", "payout", "placeholder_text"),
            ("a={aff_sub}", "adv1", "placeholder_text"),
            ("a=undefined", "adv1", "placeholder_text"),
            ("c=a&c=a", "clickId", "invalid_field"),
            ("P=5.00", "payout", "invalid_field"),
            ("p[]=5.00", "payout", "invalid_field"),
            ("p%5B%5D=5.00", "payout", "invalid_field"),
            ("C=a", "clickId", "invalid_field"),
            ("u=M%FCller", "uniqueId", "invalid_field"),
            ("u=%FF%FE", "uniqueId", "invalid_field"),
            ("a=caf%E9", "adv1", "invalid_field"),
        ] {
            let error = postback.read(&get(query)).unwrap_err();
            assert_eq!(
                (error.parameter(), error.code()),
                (Some(parameter), code),
                "{query}"
            );
        }
        assert!(postback.read(&get("c=u&p=0&a=no&a2=x&o=12")).is_ok());
    }

    #[test]
    fn a_secret_is_shown_once_in_the_path_or_as_a_parameter() {
        let postback = postback(r#""offerId":7,"secretParameter":"key""#);
        let encoded = "a+network%27s%20secret+of+32+bytes+or+more";
        for (request, is_admitted) in [
            (
                Request {
                    path_secret: SECRET,
                    ..get("")
                },
                true,
            ),
            (
                Request {
                    path_secret: "wrong",
                    query: encoded,
                    form: "",
                },
                false,
            ),
            (get(&format!("sub1=a&key={encoded}")), true),
            (
                Request {
                    form: &format!("key={encoded}"),
                    ..get("")
                },
                true,
            ),
            (get(&format!("key={encoded}&key={encoded}")), false),
            (get(&format!("secret={encoded}")), false),
            (get("key="), false),
            (get(""), false),
        ] {
            assert_eq!(postback.is_admitted(&request), is_admitted, "{request:?}");
        }
    }

    /// Computed by Python's hmac, with [`SECRET`] as the key.
    const SIGNED: &str =
        "sub1=a&txid=1&signature=5c4e8fa0f1194190bb198a2dd36e7a54816fe37e2d8d7f281f9c4ed1c892fb5b";

    #[test]
    fn a_signature_is_over_all_that_stands_before_it() {
        let postback = postback(r#""offerId":7,"signed":true"#);
        assert!(postback.is_admitted(&get(SIGNED)));
        let form = Request {
            form: SIGNED,
            ..get("sum=99&txid=2")
        };
        assert!(postback.is_admitted(&form));
        // A parameter that was not signed is not read.
        let json = r#"{"offerId":7,"clickId":"a","uniqueId":"1"}"#;
        assert_eq!(postback.read(&form).unwrap(), json);
        for changed in [
            SIGNED.replace("txid=1", "txid=2"),
            format!("{SIGNED}&sum=99"),
            format!("sum=99&{SIGNED}"),
            SIGNED.replace("&signature", "&signatur"),
            SIGNED.replace('&', "%26"),
            format!("secret={SECRET}"),
            String::new(),
        ] {
            assert!(!postback.is_admitted(&get(&changed)), "{changed}");
        }
        assert!(!postback.is_admitted(&Request {
            path_secret: SECRET,
            ..get("sub1=a&txid=1")
        }));
    }

    #[test]
    fn a_map_without_what_must_be_there_is_refused() {
        for (settings, parameter) in [
            ("[]", "settings"),
            ("{}", "map.clickId"),
            (r#"{"map":{"clickId":"c"},"offerId":1}"#, "map.uniqueId"),
            (
                r#"{"map":{"clickId":"c","uniqueId":""},"offerId":1}"#,
                "map.uniqueId",
            ),
            (r#"{"map":{"clickId":"c","uniqueId":"u"}}"#, "offerId"),
            (
                r#"{"map":{"clickId":"c","uniqueId":"u","offerId":"o"},"offerId":1}"#,
                "offerId",
            ),
        ] {
            let error = Postback::new([SECRET], settings).unwrap_err();
            assert_eq!(error.parameter(), Some(parameter), "{settings}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            query in "((sub1|txid|sum|geo|key)=)?[a-z0-9{}#%&=+]{0,20}|\\PC{0,60}", form in "\\PC{0,30}",
        ) {
            let postback = postback(r#""offerId":7"#);
            let request = Request { path_secret: "", query: &query, form: &form };
            prop_assert!(!postback.is_admitted(&request));
            if let Ok(json) = postback.read(&request) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
            }
        }
    }
}
