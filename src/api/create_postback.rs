//! Create Postback: `POST /api/2/affiliate_postback.json`.

use super::answer::record::Record;
use super::dress;
use super::json::{Value, parse_id};
use super::params::Params;
use super::{Account, Answer, Field, Request};
use crate::host::is_loopback_origin;
use crate::link::strip_scheme;
use crate::{Result, macros};
use serde::Serialize;

const NAMES: [&str; 5] = [
    "affiliateId",
    "offerId",
    "postbackUrl",
    "postbackStatus",
    "postbackTypeId",
];

/// A postback that CAKE will fire. Serializes in camelCase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Postback {
    /// CAKE's id of the postback.
    pub(crate) postback_id: u64,
    /// The affiliate who receives the postback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) affiliate_id: Option<i64>,
    /// The offer; 0 for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offer_id: Option<u64>,
    /// The URL with its macros.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postback_url: Option<String>,
    /// `Server`, or another word of CAKE's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postback_type: Option<String>,
    /// The type's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postback_type_id: Option<u64>,
    /// `active`, `inactive` or a word that CAKE adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postback_status: Option<String>,
}

/// Builds the request from the parameters' JSON, in the order of CAKE's article; also returns what
/// it asks for.
///
/// The rules of a postback's URL are 20 kB gzip. In the wasm they are in the audience `checks`:
/// js/edge/client.ts calls [`check`] there before this function.
///
/// # Errors
/// [`crate::Error::InvalidField`], [`crate::Error::InvalidId`],
/// [`crate::Error::InvalidPostbackUrl`].
pub(crate) fn request(account: &Account, params: &str) -> Result<(Request, Checked)> {
    let checked = Checked::read(params)?;
    #[cfg(any(feature = "checks", not(target_family = "wasm")))]
    check_url(&checked.url, account.is_sandbox())?;
    let mut fields = vec![
        ("affiliate_id", Field::Number(checked.affiliate_id)),
        ("offer_id", Field::Number(checked.offer_id)),
        ("postback_url", Field::Text(&checked.url)),
    ];
    if let Some(status) = &checked.status {
        fields.push(("postback_status", Field::Text(status)));
    }
    if let Some(type_id) = checked.type_id {
        fields.push(("postback_type_id", Field::Number(type_id)));
    }
    let request = account.post("affiliate_postback.json", &fields);
    Ok((request, checked))
}

/// Checks the parameters' JSON as [`request`] does, and returns probable mistakes in the URL.
///
/// # Errors
/// Those of [`request`].
pub(crate) fn check(params: &str, is_sandbox: bool) -> Result<macros::Checked> {
    let checked = Checked::read(params)?;
    check_url(&checked.url, is_sandbox)
}

/// Parameters that keep every rule except those of the URL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    affiliate_id: u64,
    offer_id: u64,
    url: String,
    status: Option<String>,
    type_id: Option<u64>,
}

impl Checked {
    fn read(params: &str) -> Result<Self> {
        let params = Params::read(params, &NAMES)?;
        let affiliate_id = Params::required("affiliateId", params.id("affiliateId")?)?;
        let offer_id = Params::required("offerId", params.id_from("offerId", 0)?)?;
        let url = params.required_text("postbackUrl")?;
        let status = params.word(
            "postbackStatus",
            &["active", "inactive"],
            "must be active or inactive",
        )?;
        let type_id = params.number(
            "postbackTypeId",
            1,
            4,
            "must be 1 (server to server), 2 (iframe), 3 (image) or 4 (JavaScript)",
        )?;
        Ok(Self {
            affiliate_id,
            offer_id,
            url,
            status,
            type_id,
        })
    }
}

/// Checks the URL to which CAKE is told to send conversions. A sandbox may also call its own
/// machine.
fn check_url(url: &str, is_sandbox: bool) -> Result<macros::Checked> {
    let host = strip_scheme(url, "http://").unwrap_or_default();
    let origin = url.len() - host.find(['/', '?', '#']).map_or(0, |at| host.len() - at);
    if let Some((own, rest)) = url.split_at_checked(origin)
        && is_sandbox
        && is_loopback_origin(own)
    {
        // The part after the origin has the same rules on every host.
        return macros::check(&["https://sandbox.example", rest].concat());
    }
    macros::check(url)
}

/// Reads the answer to the postback that was sent. A record with another affiliate, offer or URL is
/// another postback's. A field that is absent or empty contradicts nothing.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read_for(answer: &Answer<'_>, asked: &Checked) -> Result<Postback> {
    let envelope = answer
        .open()
        .map_err(|error| answer.contradicted(error, ID))?;
    let record = Record::of_answer(answer, envelope, "postback", ID)?;
    let names = [ID, "affiliate_id", "offer_id", "postback_url"];
    if let Some(name) = names
        .into_iter()
        .find(|name| record.contradicts_itself(name))
    {
        return Err(answer.unexpected("says two things of its ", name));
    }
    let (postback_type, postback_type_id) = type_of(&record, asked.type_id);
    let postback = Postback {
        postback_id: record.required_id(ID)?,
        affiliate_id: record.affiliate_id("affiliate_id"),
        offer_id: record.count("offer_id"),
        postback_url: record.text("postback_url"),
        postback_type,
        postback_type_id,
        postback_status: record
            .text("postback_status")
            .filter(|word| !word.trim().is_empty()),
    };
    // What stands there and cannot be read is not what was sent.
    let told = |name: &str| {
        let value = record.get(name)?;
        let text = value.text().unwrap_or_else(|| value.json().to_owned());
        Some(text).filter(|text| !text.trim().is_empty())
    };
    let is_id = |told: &String, id: u64| parse_id(told.trim()) == Some(id);
    let is_affiliate = |told: &String| is_id(told, asked.affiliate_id) || is_id(told, 0);
    let checks = [
        (
            "affiliate_id",
            told("affiliate_id").is_none_or(|told| is_affiliate(&told)),
        ),
        (
            "offer_id",
            told("offer_id").is_none_or(|told| is_id(&told, asked.offer_id)),
        ),
        (
            "postback_url",
            told("postback_url").is_none_or(|told| is_same_url(&told, &asked.url)),
        ),
    ];
    if let Some((name, _)) = checks.into_iter().find(|(_, is_ours)| !is_ours) {
        return Err(answer.unexpected("is about another ", name));
    }
    answer.check_yes(&answer.contents(ID))?;
    Ok(postback)
}

/// The name of a record's id.
const ID: &str = "postback_id";

/// A postback's type, as its word and as its number. Either field may have either of them, or an object with both. Of
/// two numbers the one that was not asked for counts.
fn type_of(record: &Record<'_, '_>, asked: Option<u64>) -> (Option<String>, Option<u64>) {
    let texts_of = |name| {
        let value = record.get(name);
        let fields = value.and_then(Value::object);
        let parts = ["id", "name", "postback_type_id", "postback_type_name"]
            .map(|part| dress::find(fields.as_ref()?, part)?.text());
        parts.into_iter().chain([value.and_then(Value::text)])
    };
    let told: Vec<String> = ["postback_type", "postback_type_id"]
        .into_iter()
        .flat_map(texts_of)
        .flatten()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    let ids: Vec<u64> = told.iter().filter_map(|text| parse_id(text)).collect();
    let is_other = |id: &&u64| **id > 0 && Some(**id) != asked;
    let id = ids.iter().find(is_other).or_else(|| ids.iter().max());
    let word = told.into_iter().find(|text| parse_id(text).is_none());
    (word, id.copied().filter(|id| *id > 0))
}

/// Are these one URL, however an answer encodes it? The host alone has no case: a macro in other capitals stays unfilled.
fn is_same_url(one: &str, other: &str) -> bool {
    let plain = |url: &str| {
        let url = url.trim().replace("&amp;", "&");
        let host = url.find("://").map_or(0, |at| at + 3);
        let rest = url.get(host..).unwrap_or_default();
        let end = host + rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (origin, rest) = url.split_at_checked(end).unwrap_or_default();
        let rest = rest.trim_end_matches('/');
        [&origin.to_ascii_lowercase(), &*crate::url::decode(rest)].concat()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sandbox_is_told_to_call_its_own_machine() {
        let url = "https://tracking.partner.com/postback?click_id=#reqsessid#";
        let own = "http://127.0.0.1:8787/p?c=#reqsessid#";
        for (url, is_sandbox, is_fine) in [
            (url, false, true),
            (url, true, true),
            (own, false, false),
            (own, true, true),
            ("http://127.0.0.1:8787", true, true),
            ("http://127.0.0.1.evil.example/p", true, false),
            ("http://tracking.partner.com/p", true, false),
            ("", true, false),
        ] {
            assert_eq!(check_url(url, is_sandbox).is_ok(), is_fine, "{url}");
        }
    }
}
