//! Create Postback: `POST /api/2/affiliate_postback.json`.

use super::answer::Record;
use super::params::Params;
use super::{Account, Answer, Field, Request};
use crate::link::{is_host_name, is_loopback_origin};
use crate::{Error, Result};
use serde::Serialize;

const NAMES: [&str; 5] = [
    "affiliateId",
    "offerId",
    "postbackUrl",
    "postbackStatus",
    "postbackTypeId",
];

/// The most bytes of a postback URL; what is longer is cut by servers on the way.
const MAX_URL_BYTES: usize = 2_048;

/// A postback that CAKE will fire. Serializes in camelCase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Postback {
    /// CAKE's id of the postback.
    pub postback_id: u64,
    /// The affiliate who is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affiliate_id: Option<i64>,
    /// The offer; 0 for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_id: Option<u64>,
    /// The URL with its macros.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postback_url: Option<String>,
    /// `Server`, or another word of CAKE's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postback_type: Option<String>,
    /// `active`, `inactive` or a word that CAKE adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postback_status: Option<String>,
}

/// Builds the request from the parameters' JSON, in the order of CAKE's article.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::InvalidId`].
pub fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let affiliate_id = Params::required("affiliateId", params.id("affiliateId")?)?;
    let offer_id = Params::required("offerId", params.id_from("offerId", 0)?)?;
    let url = params.required_text("postbackUrl")?;
    check_url(&url, account.is_sandbox()).map_err(|rule| Error::InvalidField {
        parameter: "postbackUrl".to_owned(),
        rule: rule.to_owned(),
    })?;
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
    let mut fields = vec![
        ("affiliate_id", Field::Number(affiliate_id)),
        ("offer_id", Field::Number(offer_id)),
        ("postback_url", Field::Text(&url)),
    ];
    if let Some(status) = &status {
        fields.push(("postback_status", Field::Text(status)));
    }
    if let Some(type_id) = type_id {
        fields.push(("postback_type_id", Field::Number(type_id)));
    }
    Ok(account.post("affiliate_postback.json", &fields))
}

/// Checks where CAKE is told to send conversions to: https and a host by name.
/// A sandbox may also be told to call its own machine.
fn check_url(url: &str, is_sandbox: bool) -> Result<(), &'static str> {
    if url.len() > MAX_URL_BYTES {
        return Err("is longer than 2,048 bytes");
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("must not contain spaces or control characters");
    }
    let end = url
        .find("://")
        .map(|at| at + 3)
        .and_then(|start| {
            let authority = url.get(start..)?;
            Some(start + authority.find(['/', '?', '#']).unwrap_or(authority.len()))
        })
        .unwrap_or(url.len());
    let origin = url.get(..end).unwrap_or(url);
    if is_sandbox && is_loopback_origin(origin) {
        return Ok(());
    }
    let Some(authority) = origin.strip_prefix("https://") else {
        return Err("must be a whole https URL");
    };
    if authority.contains('@') {
        return Err("must not contain a user name or password");
    }
    let host = match authority.split_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return Err("has a port that is none"),
        None => authority,
    };
    if is_host_name(host) {
        Ok(())
    } else {
        Err("must name its host, ASCII and no IP address")
    }
}

/// Reads the answer.
///
/// # Errors
/// Every error of an answer, see [`Error`].
pub fn read(answer: &Answer<'_>) -> Result<Postback> {
    let envelope = answer.open()?;
    let record = Record::of(answer, envelope.get("postback"), "postback")?;
    Ok(Postback {
        postback_id: record.required_id("postback_id")?,
        affiliate_id: record.affiliate_id("affiliate_id")?,
        offer_id: record.id("offer_id")?,
        postback_url: record.text("postback_url"),
        postback_type: record.text("postback_type"),
        postback_status: record.text("postback_status"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postback_goes_to_an_https_host_by_name() {
        for url in [
            "https://tracking.partner.com/postback?click_id=#reqsessid#&payout=#price#",
            "https://tracking.partner.com",
            "https://tracking.partner.com:8443/p",
            "https://tracking.partner.com?c=#reqsessid#",
        ] {
            assert_eq!(check_url(url, false), Ok(()), "{url}");
        }
        for url in [
            "",
            "tracking.partner.com/p",
            "//tracking.partner.com/p",
            "http://tracking.partner.com/p",
            "ftp://tracking.partner.com/p",
            "javascript://x.com/%0aalert(1)",
            "https://user:pass@tracking.partner.com/p",
            "https://127.0.0.1/p",
            "https://[::1]/p",
            "https://0x7f.1/p",
            "https://2130706433/p",
            "https://tracking.partner.com:x/p",
            "https://tracking.partner.com/a b",
            "https://tracking.partner.com/a\nb",
            "http://127.0.0.1:8787/p",
        ] {
            assert!(check_url(url, false).is_err(), "{url}");
        }
        assert!(check_url(&format!("https://a.example/{}", "x".repeat(2_048)), false).is_err());
        assert_eq!(
            check_url("http://127.0.0.1:8787/p?c=#reqsessid#", true),
            Ok(())
        );
        assert!(check_url("http://127.0.0.1.evil.example/p", true).is_err());
    }
}
