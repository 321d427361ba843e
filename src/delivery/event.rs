//! A conversion as a caller hands it over: what may stand in it, what it is
//! known by, and the one text that is stored.

use super::Correction;
use crate::api::json::{Object, Value};
use crate::api::record_conversion::{Asked, Params};
use crate::money::Money;
use crate::url::push_number;
use crate::{Error, Result};

/// The most bytes of one conversion.
pub const MAX_BYTES: usize = 8_192;

/// The most conversions of one body.
pub const MAX_BATCH: usize = 100;

/// Who hands over, and what the request itself says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller<'a> {
    /// Did the caller sign? Money and dates come from those alone.
    pub is_signed: bool,
    /// The click id of the cookie that the edge has signed: it goes before one
    /// in the body.
    pub click_id: Option<&'a str>,
}

/// What a body holds.
#[derive(Debug)]
pub enum RequestBody {
    /// One conversion.
    One(Box<Event>),
    /// Several, each good or bad by itself.
    Many(Vec<Result<Event>>),
}

/// A conversion that is fit to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event(Params);

impl Event {
    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.0
    }

    /// The unique id; there is always one.
    #[must_use]
    pub fn unique_id(&self) -> &str {
        self.0.unique_id.as_deref().unwrap_or_default()
    }

    /// What an answer has to be about.
    #[must_use]
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked {
            click_id: &self.0.click_id,
            offer_id: self.0.offer_id,
            unique_id: self.0.unique_id.as_deref(),
        }
    }

    /// What it is known by: account, offer and unique id. Never the click id
    /// alone, since a click may convert more than once.
    #[must_use]
    pub(crate) fn key(&self, account: &str) -> String {
        self.key_of(account, '|', self.unique_id())
    }

    /// What a page's conversion claims: its offer and its click.
    #[must_use]
    pub(crate) fn claim(&self, account: &str) -> String {
        self.key_of(account, '/', &self.0.click_id)
    }

    /// No id holds a mark, so no two of different parts read alike.
    fn key_of(&self, account: &str, mark: char, id: &str) -> String {
        let mut key = String::with_capacity(account.len() + id.len() + 18);
        key.push_str(account);
        key.push('|');
        push_number(&mut key, self.0.offer_id, 10);
        key.push(mark);
        key.push_str(id);
        key
    }

    /// The canonical text: the fields in one order and spelling. It is what is
    /// stored, and the fingerprint: two events of one key are the same where
    /// this text is.
    ///
    /// # Errors
    /// [`Error::Internal`], which nothing of a caller's can cause.
    pub fn text(&self) -> Result<String> {
        serde_json::to_string(&self.0).map_err(|_| Error::Internal)
    }

    /// Reads a canonical text.
    ///
    /// # Errors
    /// Those of [`Params::read`].
    pub fn from_text(text: &str) -> Result<Self> {
        Params::read(text).map(Self)
    }

    fn read(text: &str, caller: Caller<'_>) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(field("body", "has a conversion of more than 8 KB"));
        }
        let mut params = Params::read_without_click_id(text)?;
        params.payout = shortest("payout", params.payout.take())?;
        params.revenue = shortest("revenue", params.revenue.take())?;
        if let Some(click_id) = caller.click_id {
            click_id.clone_into(&mut params.click_id);
        }
        crate::click_id::check(&params.click_id)?;
        let unique_id = params.unique_id.as_deref().unwrap_or_default();
        if unique_id.is_empty() {
            return Err(field(
                "uniqueId",
                "is missing: it keeps a conversion from counting twice",
            ));
        }
        if !caller.is_signed {
            for (name, value) in [
                ("payout", &params.payout),
                ("revenue", &params.revenue),
                ("conversionDate", &params.conversion_date),
            ] {
                if value.is_some() {
                    return Err(field(name, "is taken from signed callers only"));
                }
            }
        }
        Ok(Self(params))
    }
}

/// Reads a body: one conversion as a JSON object, or `{"conversions": […]}`
/// with 1 to 100 of them. Unknown and repeated fields are refused.
///
/// # Errors
/// [`Error::InvalidField`], and of a single conversion every error of
/// [`Params::read`].
pub fn read(body: &str, caller: Caller<'_>) -> Result<RequestBody> {
    Ok(match several(body, "conversions")? {
        Several::No(body) => RequestBody::One(Box::new(Event::read(body, caller)?)),
        Several::Yes(list) => RequestBody::Many(
            list.iter()
                .map(|event| Event::read(event.json(), caller))
                .collect(),
        ),
    })
}

/// A body by its form.
pub(super) enum Several<'a> {
    /// It is one thing by itself.
    No(&'a str),
    /// It is a list, of 1 to [`MAX_BATCH`].
    Yes(Vec<Value<'a>>),
}

/// Tells one thing from a list below a name.
///
/// # Errors
/// [`Error::InvalidField`] for a list that is none.
pub(super) fn several<'a>(body: &'a str, name: &str) -> Result<Several<'a>> {
    let body = body.trim_start_matches('\u{feff}');
    let list = Object::read(body).and_then(|fields| {
        let found = fields.entries().find(|(own, _)| *own == name);
        found.map(|(_, value)| (fields.entries().count(), value))
    });
    let Some((names, list)) = list else {
        return Ok(Several::No(body));
    };
    list.array()
        .filter(|list| names == 1 && (1..=MAX_BATCH).contains(&list.len()))
        .map(Several::Yes)
        .ok_or_else(|| {
            let rule = [
                "must be a list of 1 to 100 ",
                name,
                ", with nothing beside it",
            ];
            field(name, &rule.concat())
        })
}

/// One value has one spelling: `18.000` is `18.00`.
fn shortest(name: &'static str, amount: Option<String>) -> Result<Option<String>> {
    amount
        .map(|text| Ok(Money::parse(name, &text)?.shortest().to_string()))
        .transpose()
}

/// How two events of one key stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// They say the same.
    Same,
    /// The new one has money or a date beside what the stored one says, which
    /// has none: a page's event, and then its backend's.
    AddsMoney,
    /// The stored one has money or a date beside what the new one says.
    LacksMoney,
    /// They say different things.
    Conflict,
}

impl Relation {
    /// Compares the canonical texts of two events of one key.
    ///
    /// # Errors
    /// Those of [`Event::from_text`].
    pub(crate) fn from_texts(stored: &str, given: &str) -> Result<Self> {
        if let (Some(stored), Some(given)) = (Correction::find(stored), Correction::find(given)) {
            return Ok(if stored? == given? {
                Self::Same
            } else {
                Self::Conflict
            });
        }
        let [stored, given] = [stored, given].map(Event::from_text);
        let (stored, given) = (stored?.0, given?.0);
        let money = |params: &Params| -> Result<_> {
            Ok((
                shortest("payout", params.payout.clone())?,
                shortest("revenue", params.revenue.clone())?,
                params.conversion_date.clone(),
            ))
        };
        let plain = |params: &Params| Params {
            payout: None,
            revenue: None,
            conversion_date: None,
            ..params.clone()
        };
        let none = (None, None, None);
        let (before, now) = (money(&stored)?, money(&given)?);
        Ok(if plain(&stored) != plain(&given) {
            Self::Conflict
        } else if before == now {
            Self::Same
        } else if before == none {
            Self::AddsMoney
        } else if now == none {
            Self::LacksMoney
        } else {
            Self::Conflict
        })
    }

    /// Its word.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::AddsMoney => "adds_money",
            Self::LacksMoney => "lacks_money",
            Self::Conflict => "conflict",
        }
    }
}

pub(super) fn field(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIGNED: Caller<'_> = Caller {
        is_signed: true,
        click_id: None,
    };
    const PAGE: Caller<'_> = Caller {
        is_signed: false,
        click_id: None,
    };

    fn one(body: &str, caller: Caller<'_>) -> Result<Event> {
        match read(body, caller)? {
            RequestBody::One(event) => Ok(*event),
            RequestBody::Many(_) => panic!("several"),
        }
    }

    fn code(body: &str, caller: Caller<'_>) -> &'static str {
        one(body, caller).unwrap_err().code()
    }

    #[test]
    fn an_event_needs_a_unique_id_and_a_click_id() {
        assert_eq!(
            code(r#"{"clickId":"a","offerId":1}"#, PAGE),
            "invalid_field"
        );
        assert_eq!(
            code(r#"{"offerId":1,"uniqueId":"u"}"#, PAGE),
            "invalid_click_id"
        );
        assert_eq!(
            code(r#"{"clickId":"","offerId":1,"uniqueId":"u"}"#, PAGE),
            "invalid_click_id"
        );
        let event = one(r#"{"clickId":"a","offerId":1,"uniqueId":"ORD-1"}"#, PAGE).unwrap();
        assert_eq!(event.unique_id(), "ORD-1");
        assert_eq!(
            code(
                r#"{"clickId":"a","offerId":1,"uniqueId":"TRANSACTION_ID"}"#,
                PAGE
            ),
            "placeholder_text"
        );
    }

    #[test]
    fn the_cookies_click_id_goes_before_the_bodys_which_is_checked_all_the_same() {
        let caller = Caller {
            click_id: Some("cookie"),
            ..PAGE
        };
        for body in [
            r#"{"offerId":1,"uniqueId":"u"}"#,
            r#"{"clickId":"body","offerId":1,"uniqueId":"u"}"#,
        ] {
            assert_eq!(one(body, caller).unwrap().params().click_id, "cookie");
        }
        assert_eq!(
            code(
                r##"{"clickId":"#reqid#","offerId":1,"uniqueId":"u"}"##,
                caller
            ),
            "invalid_click_id"
        );
    }

    #[test]
    fn money_and_dates_come_from_signed_callers_only() {
        for field in [
            r#""payout":"18.00""#,
            r#""revenue":18"#,
            r#""conversionDate":"2026-06-19 14:30:00""#,
        ] {
            let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u",{field}}}"#);
            assert_eq!(code(&body, PAGE), "invalid_field", "{field}");
            assert!(one(&body, SIGNED).is_ok(), "{field}");
        }
    }

    #[test]
    fn unknown_repeated_and_mistyped_fields_are_refused() {
        for body in [
            "",
            "[]",
            "null",
            r#"{"clickId":"a","offerId":1,"uniqueId":"u","url":"https://evil.example"}"#,
            r#"{"clickId":"a","clickId":"b","offerId":1,"uniqueId":"u"}"#,
            r#"{"clickId":"a","offerId":"1","uniqueId":"u"}"#,
            r#"{"clickId":"a","offerId":1,"uniqueId":true}"#,
            r#"{"clickId":"a","offerId":1,"uniqueId":"u","__proto__":{}}"#,
        ] {
            assert_eq!(code(body, SIGNED), "invalid_field", "{body}");
        }
        for (field, expected) in [
            (r#""payout":"1e3""#, "invalid_money"),
            (r#""payout":-1"#, "invalid_money"),
            (r#""payout":"1.00001""#, "invalid_money"),
            (r#""payout":"1234567890""#, "invalid_money"),
            (r#""adv1":"a\u0000b""#, "invalid_text"),
            (r#""orderId":"a\u0000b""#, "invalid_unique_id"),
            (r#""conversionDate":"2026-02-30 00:00:00""#, "invalid_time"),
        ] {
            let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u",{field}}}"#);
            assert_eq!(code(&body, SIGNED), expected, "{field}");
        }
        for unique_id in ["jane@example.com", "", "a\\tb", "#tid#", &"x".repeat(129)] {
            let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"{unique_id}"}}"#);
            assert!(one(&body, SIGNED).is_err(), "{unique_id}");
        }
        let long = format!("{{{}}}", " ".repeat(MAX_BYTES));
        assert_eq!(code(&long, SIGNED), "invalid_field");
    }

    #[test]
    fn a_batch_has_1_to_100_each_good_or_bad_by_itself() {
        let event = r#"{"clickId":"a","offerId":1,"uniqueId":"u"}"#;
        let batch =
            |count: usize| format!(r#"{{"conversions":[{}]}}"#, vec![event; count].join(","));
        let Ok(RequestBody::Many(events)) =
            read(&format!(r#"{{"conversions":[{event},{{}},7]}}"#), PAGE)
        else {
            panic!("no batch");
        };
        let good: Vec<_> = events.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, false]);
        assert!(matches!(read(&batch(100), PAGE), Ok(RequestBody::Many(all)) if all.len() == 100));
        for body in [
            batch(101),
            batch(0),
            r#"{"conversions":{}}"#.to_owned(),
            format!(r#"{{"conversions":[{event}],"more":1}}"#),
            format!(r#"{{"conversions":[{event}],"conversions":[{event}]}}"#),
        ] {
            assert!(read(&body, PAGE).is_err());
        }
    }

    #[test]
    fn the_key_is_account_offer_and_unique_id_and_the_claim_offer_and_click() {
        let event = one(r#"{"clickId":"c-1","offerId":12,"uniqueId":"u.1"}"#, PAGE).unwrap();
        assert_eq!(event.key("https://a.example"), "https://a.example|12|u.1");
        assert_eq!(event.claim("https://a.example"), "https://a.example|12/c-1");
    }

    #[test]
    fn one_event_has_one_text_however_it_was_spelt() {
        let text = |body| one(body, SIGNED).unwrap().text().unwrap();
        let first = text(r#"{"clickId":"a","offerId":1,"uniqueId":"u","payout":18.5}"#);
        assert_eq!(
            first,
            text(
                r#" {"payout":"18.50", "uniqueId":"\u0075","adv1":null,"offerId":1,"clickId":"a"}"#
            )
        );
        for same in [
            r#"{"clickId":"a","offerId":1.0,"uniqueId":"u","payout":"18.500"}"#,
            r#"{"clickId":"a","offerId":1,"uniqueId":"u","payout":"18.5","orderId":"","adv2":"","revenue":"","conversionDate":""}"#,
        ] {
            assert_eq!(first, text(same));
        }
        assert_ne!(
            first,
            text(r#"{"clickId":"a","offerId":1,"uniqueId":"u","payout":"18.51"}"#)
        );
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        for body in [
            "\u{feff}{\"clickId\":\"a\",\"offerId\":1,\"uniqueId\":\"u\"}",
            "\u{feff}{\"conversions\":[{\"clickId\":\"a\",\"offerId\":1,\"uniqueId\":\"u\"}]}",
        ] {
            assert!(read(body, PAGE).is_ok(), "{body}");
        }
    }

    #[test]
    fn a_pages_event_and_its_backends_differ_in_money_alone() {
        let text = |more: &str| {
            let body = format!(r#"{{"clickId":"a","offerId":1,"uniqueId":"u"{more}}}"#);
            one(&body, SIGNED).unwrap().text().unwrap()
        };
        let relation =
            |stored: &str, given: &str| Relation::from_texts(&text(stored), &text(given)).unwrap();
        let money = r#","payout":"18.00""#;
        assert_eq!(relation("", ""), Relation::Same);
        assert_eq!(relation("", money), Relation::AddsMoney);
        assert_eq!(relation(money, ""), Relation::LacksMoney);
        assert_eq!(
            relation("", r#","conversionDate":"2026-06-19 14:30:00""#),
            Relation::AddsMoney
        );
        for (stored, given) in [
            (money, r#","payout":"19.00""#),
            (money, r#","revenue":"18.00""#),
            ("", r#","orderId":"o""#),
            (r#","orderId":"o""#, money),
            (r#","adv1":"x""#, r#","adv1":"y","payout":"1""#),
        ] {
            assert_eq!(
                relation(stored, given),
                Relation::Conflict,
                "{stored} {given}"
            );
        }
        // What an earlier version has stored.
        let old = r#"{"clickId":"a","offerId":1,"payout":"18.000","uniqueId":"u"}"#;
        assert_eq!(Relation::from_texts(old, &text(money)), Ok(Relation::Same));
    }

    proptest! {
        #[test]
        fn what_is_stored_reads_back_as_what_was_accepted(
            unique_id in "[A-Za-z0-9._:-]{1,128}", adv in "\\PC{0,40}", units in 0_u64..1_000_000_000,
        ) {
            let body = serde_json::json!({
                "clickId": "a", "offerId": 7, "uniqueId": unique_id, "adv3": adv,
                "payout": format!("{units}.5"),
            });
            if let Ok(event) = one(&body.to_string(), SIGNED) {
                prop_assert_eq!(Event::from_text(&event.text()?)?, event);
            } else {
                let is_word = crate::placeholder::is_missing_value(&unique_id);
                prop_assert!(is_word || adv.chars().any(char::is_control));
            }
        }

        #[test]
        fn what_is_read_says_what_a_second_parser_reads(
            pieces in proptest::collection::vec(prop_oneof![
                Just("\"clickId\":\"a\""), Just("\"offerId\":1"), Just("\"offerId\":1.0"), Just("\"uniqueId\":\"u\""),
                Just("\"uniqueId\":\"\\u0075\""), Just("\"adv1\":\"\\ud800\""), Just("\"payout\":18"),
                Just("\"adv2\":null"), Just("\"url\":1"), Just("\"adv5\":\"é\""),
            ], 0..8),
        ) {
            let body = format!("{{{}}}", pieces.join(","));
            let Ok(event) = one(&body, SIGNED) else { return Ok(()) };
            // serde keeps the last of a repeated field; that there is one is seen by counting.
            let Ok(theirs) = serde_json::from_str::<serde_json::Map<_, _>>(&body) else {
                prop_assert!(body.contains("\\ud800"), "{}", body);
                return Ok(());
            };
            prop_assert_eq!(theirs.len(), pieces.len());
            let ours: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&event.text()?).unwrap();
            for (name, value) in &theirs {
                let expected = match name.as_str() {
                    "payout" => serde_json::Value::from("18.00"),
                    // An id may end in `.0`.
                    "offerId" => serde_json::Value::from(1),
                    _ => value.clone(),
                };
                prop_assert_eq!(ours.get(name).cloned().unwrap_or_default(), expected);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(body in "\\PC{0,200}", is_signed in any::<bool>()) {
            let _ = read(&body, Caller { is_signed, click_id: None });
        }
    }
}
