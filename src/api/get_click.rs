//! Get Click: `GET /api/2/click.json`.

use super::answer::{self, Parts};
use super::{Account, Answer, Request};
use crate::{Result, click};
use serde::{Deserialize, Serialize};

/// A click as CAKE reports it. Serializes in camelCase.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct Click {
    /// CAKE's click id.
    pub click_id: String,
    /// When, in the account's civil time: `YYYY-MM-DD HH:MM:SS`.
    pub click_date: Option<String>,
    /// The offer that was clicked.
    #[serde(deserialize_with = "answer::id")]
    pub offer_id: u64,
    /// Who sent the click.
    #[serde(deserialize_with = "answer::id")]
    pub affiliate_id: u64,
    /// `s1` of the link.
    pub sub_id_1: Option<String>,
    /// `s2` of the link.
    pub sub_id_2: Option<String>,
    /// `s3` of the link.
    pub sub_id_3: Option<String>,
    /// `s4` of the link.
    pub sub_id_4: Option<String>,
    /// `s5` of the link.
    pub sub_id_5: Option<String>,
    /// The visitor's address.
    pub ip_address: Option<String>,
    /// The visitor's country, two letters.
    pub country: Option<String>,
    /// Has the click become a conversion?
    #[serde(default)]
    pub converted: bool,
    /// The conversion's id, where there is one.
    #[serde(default, deserialize_with = "answer::optional_id")]
    pub conversion_id: Option<u64>,
}

/// Asks for one click.
///
/// # Errors
/// [`crate::Error::InvalidClickId`].
pub fn request(account: &Account, click_id: &str) -> Result<Request> {
    click::check(click_id)?;
    let mut request = account.get("click.json");
    request.parameter("click_id", click_id);
    Ok(request)
}

/// Reads the answer: the click, or `None` where CAKE knows none of that id.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub fn read(answer: Answer<'_>) -> Result<Option<Click>> {
    #[derive(Deserialize)]
    struct Response {
        #[serde(default)]
        clicks: Vec<Click>,
    }
    let response: Response = Parts::read(answer.open()?.response, "response")?;
    Ok(response.clicks.into_iter().next())
}
