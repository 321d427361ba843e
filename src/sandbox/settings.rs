//! A network's settings, for rules in which CAKE's accounts differ or CAKE's documents are silent.
//! The fixture sets them, and `/__sandbox/settings` changes them at run time.

use super::dress::Dress;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The format of click ids.
    pub(crate) click_ids: ClickIds,
    /// The seed with which click ids and faults repeat from run to run.
    pub(crate) id_seed: Option<u64>,
    /// The account's offset from UTC, such as `-05:00`.
    pub(crate) utc_offset: String,
    /// Does a range of dates contain its last day? CAKE's reports have excluded that day
    /// (KB 13000034150).
    pub(crate) end_date: EndDate,
    /// The `start_at_row` of the first row. 1 is CAKE's observed behaviour: 0 and 1 are the same
    /// row.
    pub(crate) first_row: FirstRow,
    /// The form of a failure.
    pub(crate) failures: Failures,
    /// The differences between answers and the article; none by default.
    pub(crate) dress: Vec<Dress>,
    /// The answer to a repeated unique id.
    pub(crate) duplicates: Duplicates,
    /// The fallback URL for a click on an unknown or inactive link.
    pub(crate) fallback_url: String,
    /// The waits between the attempts of a postback, in milliseconds.
    pub(crate) retry_ms: Vec<u64>,
    /// The country of visitors without a known one.
    pub(crate) country: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            click_ids: ClickIds::Uuid,
            id_seed: None,
            utc_offset: "+00:00".to_owned(),
            end_date: EndDate::Exclusive,
            first_row: FirstRow::Zero,
            failures: Failures::SuccessFalse,
            dress: Vec::new(),
            duplicates: Duplicates::Repeat,
            fallback_url: "/__sandbox/elsewhere".to_owned(),
            retry_ms: vec![1_000, 5_000, 30_000, 300_000],
            country: "US".to_owned(),
        }
    }
}

/// The format of click ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClickIds {
    /// A UUID, as the article shows it.
    Uuid,
    /// An integer, as in older accounts.
    Integer,
}

/// Does a range of dates contain its last day?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndDate {
    /// No.
    Exclusive,
    /// Yes.
    Inclusive,
}

/// The number of the first row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FirstRow {
    /// 0.
    Zero,
    /// 1; 0 means the same row.
    One,
}

/// The form of a failure. Forms without a mention of the status come with status 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failures {
    /// `{"success":false,"message":"…"}`.
    SuccessFalse,
    /// `{"request_status":"Failure","message":"…"}`.
    RequestStatus,
    /// An HTML page from the web server.
    Html,
    /// `{"d":{"success":false,"message":"…"}}`.
    D,
    /// `{"error":"…"}`.
    Error,
    /// `{"request_status":"Failure","response":{"errors":["…"]}}`.
    Elsewhere,
    /// `{"Message":"…"}` with status 400.
    Message,
    /// `<success>false</success><message>…</message>` of the older services.
    Xml,
    /// A SOAP fault with status 500.
    SoapFault,
}

/// The answer to a repeated unique id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Duplicates {
    /// The conversion of the first call.
    Repeat,
    /// A failure with a message about the duplicate.
    Refuse,
}

impl Settings {
    /// Checks the rules beyond the types; `path` is the path to the settings.
    pub(super) fn check(&self, path: &str) -> Result<()> {
        let rule = |field: &str, rule: &str| {
            Err(Error::InvalidFixture {
                message: format!("{path}{field} {rule}"),
            })
        };
        if self.offset_minutes().is_none() {
            return rule("utc_offset", "must be an offset such as +00:00 or -05:00");
        }
        if !super::address::is_page(&self.fallback_url) {
            return rule("fallback_url", "must be an http(s) URL or a path");
        }
        if self.retry_ms.len() > 20 || self.retry_ms.iter().any(|wait| *wait > 86_400_000) {
            return rule("retry_ms", "must be at most 20 waits of at most a day");
        }
        if self.dress.len() > Dress::ALL.len() {
            return rule("dress", "must name each dress once");
        }
        if self.country.len() != 2 || !self.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return rule("country", "must be two capital letters");
        }
        if self.id_seed.is_some_and(|seed| seed > crate::link::MAX_ID) {
            return rule("id_seed", "must be at most 9007199254740991");
        }
        Ok(())
    }

    /// The settings, changed by `patch`, a JSON object.
    pub(super) fn patched(&self, patch: &str) -> Result<Self> {
        let invalid = |message: String| Error::InvalidFixture { message };
        let mut merged =
            serde_json::to_value(self).map_err(|error| invalid(format!("settings: {error}")))?;
        let patch: serde_json::Map<String, serde_json::Value> = serde_json::from_str(patch)
            .map_err(|error| invalid(format!("settings must be a JSON object: {error}")))?;
        if let Some(fields) = merged.as_object_mut() {
            fields.extend(patch);
        }
        let settings: Self = super::json::read("settings", merged)?;
        settings.check("settings.")?;
        Ok(settings)
    }

    /// The account's offset from UTC in minutes.
    pub(super) fn offset(&self) -> i64 {
        self.offset_minutes().unwrap_or(0)
    }

    fn offset_minutes(&self) -> Option<i64> {
        let (sign, rest) = match self.utc_offset.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let number = |text: &str, most: i64| {
            (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| text.parse::<i64>().ok())
                .flatten()
                .filter(|number| *number <= most)
        };
        Some(sign * (number(hours, 14)? * 60 + number(minutes, 59)?))
    }

    /// The account's civil time at `now_ms`, `YYYY-MM-DD HH:MM:SS`.
    pub(super) fn civil(&self, now_ms: u64) -> String {
        let offset = self.offset() * 60_000;
        let local = now_ms.saturating_add_signed(offset);
        crate::time::CivilTime::from_utc_ms(local).to_string()
    }
}
