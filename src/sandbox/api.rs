//! The shared code of the API's five actions: the key, the form of a failure, dates and pages.

use super::Network;
use super::plan::{Decided, HttpAnswer, IncomingRequest, Stop};
use super::query::Query;
use super::settings::{EndDate, Failures, FirstRow};
use crate::time::CivilTime;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

/// The page of rows that a call asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRange {
    pub(super) offset: u64,
    pub(super) limit: u64,
}

/// The range of civil times of a call: from the first, before the second.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) from: Option<String>,
    pub(super) before: Option<String>,
}

/// A failure as CAKE's clients have recorded it.
#[derive(Serialize)]
pub(super) struct Unsuccessful<'a> {
    pub(super) success: bool,
    pub(super) message: &'a str,
}

impl Network {
    /// A failure in the form of the settings. CAKE answers failures with status 200.
    pub(super) fn failure(&self, message: &str) -> HttpAnswer {
        match self.settings.failures {
            Failures::SuccessFalse => HttpAnswer::json(&Unsuccessful {
                success: false,
                message,
            }),
            Failures::RequestStatus => {
                HttpAnswer::json(&json!({ "request_status": "Failure", "message": message }))
            }
            Failures::Html => HttpAnswer::new(
                200,
                "text/html; charset=utf-8",
                format!(
                    "<!DOCTYPE html><html><head><title>Runtime Error</title></head><body><h1>Server Error in '/' Application.</h1><h2>{message}</h2></body></html>"
                ),
            ),
            Failures::D => {
                HttpAnswer::json(&json!({ "d": Unsuccessful { success: false, message } }))
            }
            Failures::Error => HttpAnswer::json(&json!({ "error": message })),
            Failures::Elsewhere => HttpAnswer::json(
                &json!({ "request_status": "Failure", "response": { "errors": [message] } }),
            ),
            Failures::Message => HttpAnswer {
                status: 400,
                ..HttpAnswer::json(&json!({ "Message": message }))
            },
            Failures::Xml => HttpAnswer::new(
                200,
                "text/xml; charset=utf-8",
                format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><response xmlns=\"http://cakemarketing.com/api/2/\"><success>false</success><message>{}</message></response>",
                    escaped(message)
                ),
            ),
            Failures::SoapFault => HttpAnswer::new(
                500,
                "text/xml; charset=utf-8",
                format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><soap:Fault><faultcode>soap:Server</faultcode><faultstring>{}</faultstring><detail /></soap:Fault></soap:Body></soap:Envelope>",
                    escaped(message)
                ),
            ),
        }
    }

    pub(super) fn refuse<T>(&self, message: &str) -> Decided<T> {
        Err(Stop::Say(self.failure(message)))
    }

    /// Accepts only `method`, and only with the API key.
    pub(super) fn open(
        &self,
        call: &IncomingRequest,
        method: &'static str,
        key: Option<&str>,
    ) -> Decided<()> {
        if call.method != method {
            let mut answer = HttpAnswer::text(405, "Method Not Allowed");
            answer.headers.push(("allow", method.to_owned()));
            return Err(Stop::Say(answer));
        }
        if !key.is_some_and(|key| super::access::is_equal(key, &self.api_key)) {
            return self.refuse("Invalid API key");
        }
        Ok(())
    }

    /// An optional whole number.
    pub(super) fn optional(&self, query: Query<'_>, name: &str) -> Decided<Option<u64>> {
        match query.text(name) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => self.refuse(&format!("Invalid {name}")),
            },
        }
    }

    /// `start_at_row` and `row_limit`.
    pub(super) fn page_range(&self, query: Query<'_>, most: u64) -> Decided<PageRange> {
        let start = self.optional(query, "start_at_row")?.unwrap_or(0);
        let limit = self.optional(query, "row_limit")?.unwrap_or(100);
        if limit == 0 || limit > most {
            return self.refuse(&format!("row_limit must be from 1 to {most}"));
        }
        let offset = match self.settings.first_row {
            FirstRow::Zero => start,
            FirstRow::One => start.saturating_sub(1),
        };
        Ok(PageRange { offset, limit })
    }

    /// `start_date` and `end_date`, `YYYY-MM-DD`.
    pub(super) fn range(&self, query: Query<'_>, is_required: bool) -> Decided<Range> {
        let day = |name: &'static str| -> Decided<Option<String>> {
            match query.text(name) {
                None if is_required => self.refuse(&format!("{name} is required")),
                None => Ok(None),
                Some(text) => {
                    let midnight = format!("{text} 00:00:00");
                    match CivilTime::parse(name, &midnight) {
                        Ok(_) => Ok(Some(midnight)),
                        Err(_) => self.refuse(&format!("Invalid {name}")),
                    }
                }
            }
        };
        let from = day("start_date")?;
        let end = day("end_date")?;
        if let (Some(from), Some(end)) = (&from, &end)
            && end < from
        {
            return self.refuse("end_date is before start_date");
        }
        let before = end.map(|end| match self.settings.end_date {
            EndDate::Exclusive => end,
            // Every time of that day sorts before this text: `~` comes after every digit.
            EndDate::Inclusive => end.chars().take(10).chain(['~']).collect(),
        });
        Ok(Range { from, before })
    }
}

/// Escapes a text for markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// An amount as a JSON number with its exact digits: 18.00, not 18.
pub(super) fn exact(amount: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(amount.to_owned()).ok()
}
