//! The conversion report: `GET /api/2/report/conversion.json` (KB 13000118753), the only documented
//! answer with a conversion's unique id.

use super::answer::record::{Record, list_holder, page, sure_list_holder};
use super::page::Page;
use super::params::Params;
use super::{Account, Answer, Request, dress};
use crate::Result;
use crate::time::CivilTime;
use serde::Serialize;

/// The most rows of a page.
pub(crate) const MAX_ROW_LIMIT: u64 = 10_000;

/// The most bytes of an answer that are read: 10,000 rows of some 300 bytes.
pub(crate) const BODY_LIMIT: u32 = 16 << 20;

const PATH: &str = "report/conversion.json";

const NAMES: [&str; 9] = [
    "startDate",
    "endDate",
    "offerId",
    "affiliateId",
    "conversionStatus",
    "startAtRow",
    "rowLimit",
    "sortField",
    "sortDescending",
];

/// A conversion in the report. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedConversion {
    /// CAKE's id of the conversion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_id: Option<u64>,
    /// The time, in the account's civil time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_date: Option<String>,
    /// The offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offer_id: Option<u64>,
    /// The affiliate who is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) affiliate_id: Option<i64>,
    /// The affiliate's payout, exactly as CAKE wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payout_text: Option<String>,
    /// The amount that the advertiser pays, exactly as CAKE wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revenue_text: Option<String>,
    /// `approved`, `pending`, `rejected` or any other word of CAKE's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_status: Option<String>,
    /// The advertiser's own transaction id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_id: Option<String>,
    /// The click, where the account gives it; the documented rows have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) click_id: Option<String>,
    /// The order reference, where the account gives it; the documented rows have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
}

/// A page of the report.
pub(crate) type ConversionReportPage = Page<ReportedConversion>;

/// The names of the list and of each of its rows.
const LIST: [&str; 2] = ["conversions", "conversion"];

/// Builds the request from the parameters' JSON. `startDate` and `endDate` are civil days of the
/// account, the end excluded. `rowLimit` is 1 to 10,000; CAKE's default is 100. The others are
/// `offerId`, `affiliateId`, `conversionStatus`, `startAtRow`, `sortField` and `sortDescending`.
///
/// # Errors
/// [`crate::Error::InvalidField`], [`crate::Error::InvalidId`].
pub(crate) fn request(account: &Account, params: &str) -> Result<Request> {
    let params = Params::read(params, &NAMES)?;
    let (start_date, end_date) = params.range()?;
    let mut request = account.get(PATH);
    request.parameter("start_date", &Params::required("startDate", start_date)?);
    request.parameter("end_date", &Params::required("endDate", end_date)?);
    request.number("offer_id", params.id("offerId")?);
    request.number("affiliate_id", params.id("affiliateId")?);
    let status = params.conversion_status()?;
    request.optional("conversion_status", status.as_deref());
    let rule = "must be a whole number from 1 to 10000";
    params.push_page(&mut request, MAX_ROW_LIMIT, rule)?;
    params.push_sort(&mut request)?;
    Ok(request)
}

/// The request for the days around a conversion, of any status; [`with_rows`] asks for its rows.
/// The account's time zone is unknown, so the range has one more day on either side.
pub(super) fn request_around(
    account: &Account,
    offer_id: u64,
    conversion_date: Option<&str>,
    now_ms: u64,
) -> Result<Request> {
    let day = match conversion_date {
        Some(date) => CivilTime::parse("conversionDate", date)?.date(),
        None => CivilTime::from_utc_ms(now_ms).date(),
    };
    let mut request = account.get(PATH);
    request.parameter("start_date", &day.minus_days(1).to_string());
    request.parameter("end_date", &day.plus_days(2).to_string());
    request.number("offer_id", Some(offer_id));
    Ok(request)
}

/// The request for `row_limit` rows from `start_at_row`.
pub(super) fn with_rows(request: &Request, start_at_row: u64, row_limit: u64) -> Request {
    let mut request = request.clone();
    request.number("start_at_row", Some(start_at_row));
    request.number("row_limit", Some(row_limit));
    request
}

/// Reads the answer: the rows under `response.data.conversions`, and `total_rows` anywhere in the
/// answer.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read(answer: &Answer<'_>) -> Result<ConversionReportPage> {
    let holder = list_holder(answer, "conversions")?;
    page(answer, &holder, LIST, read_row)
}

/// A page that is searched for one row.
#[derive(Debug)]
pub(crate) struct ReportLookup {
    pub(crate) page: ConversionReportPage,
    /// Has the list an unreadable entry that may be the row?
    pub(crate) has_unread_rows: bool,
}

/// Reads the answer to a look-up, which must not skip anything.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn read_for_lookup(answer: &Answer<'_>) -> Result<ReportLookup> {
    let holder = sure_list_holder(answer, "conversions")?;
    // An empty or contradictory row may be any conversion.
    let page = page(answer, &holder, LIST, |record| match record.two_faced() {
        Some(_) => ReportedConversion::default(),
        None => read_row(record),
    })?;
    Ok(ReportLookup {
        has_unread_rows: !page.gaps.is_empty(),
        page,
    })
}

fn read_row(row: &Record<'_, '_>) -> ReportedConversion {
    let text = |name: &str| row.text(name).filter(|text: &String| !text.is_empty());
    ReportedConversion {
        conversion_id: row.id("conversion_id"),
        conversion_date: dress::date(text("conversion_date")),
        offer_id: row.offer_id(),
        affiliate_id: row.affiliate_id("affiliate_id"),
        payout_text: row.amount("payout"),
        revenue_text: row.amount("revenue"),
        conversion_status: dress::status(text("conversion_status")),
        unique_id: text("unique_id"),
        // CAKE's other names for it.
        click_id: ["click_id", "request_session_id", "reqsessid", "reqid"]
            .into_iter()
            .find_map(text),
        order_id: text("order_id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KB 13000118753's own example.
    const SAMPLE: &str = r#"{"request_status":"Success","response":{"data":{"conversions":[{"conversion_id":998877,"conversion_date":"2026-01-15 14:30:00","offer_id":12345,"affiliate_id":67890,"payout":18.00,"revenue":22.00,"conversion_status":"approved","unique_id":"ORD-98765"}]}}}"#;

    #[test]
    fn the_documented_answer_is_read_with_its_own_digits() {
        let page = read(&Answer::new(200, SAMPLE)).unwrap();
        assert_eq!(page.total_rows, None);
        assert_eq!(
            page.rows,
            [ReportedConversion {
                conversion_id: Some(998_877),
                conversion_date: Some("2026-01-15 14:30:00".into()),
                offer_id: Some(12_345),
                affiliate_id: Some(67_890),
                payout_text: Some("18.00".into()),
                revenue_text: Some("22.00".into()),
                conversion_status: Some("approved".into()),
                unique_id: Some("ORD-98765".into()),
                click_id: None,
                order_id: None,
            }]
        );
    }

    #[test]
    fn a_status_has_the_case_of_the_article() {
        for written in ["approved", "Approved", " APPROVED "] {
            let body = SAMPLE.replace("\"approved\"", &format!("\"{written}\""));
            let page = read(&Answer::new(200, &body)).unwrap();
            let statuses: Vec<_> = page
                .rows
                .iter()
                .map(|row| row.conversion_status.as_deref())
                .collect();
            assert_eq!(statuses, [Some("approved")], "{written}");
        }
    }

    #[test]
    fn an_empty_report_is_one_and_an_answer_without_a_list_is_none() {
        for (body, total) in [
            (
                r#"{"request_status":"Success","response":{"data":{"conversions":[]}}}"#,
                None,
            ),
            (
                r#"{"request_status":"Success","response":{"data":{"conversions":null},"total_rows":0}}"#,
                Some(0),
            ),
            (
                r#"{"response":{"data":{"conversions":{}},"total_rows":0}}"#,
                Some(0),
            ),
            (
                r#"{"response":{"data":{"conversions":[],"total_rows":7}}}"#,
                Some(7),
            ),
            (
                r#"{"response":{"conversions":[]},"total_rows":"7"}"#,
                Some(7),
            ),
        ] {
            let page = read(&Answer::new(200, body)).unwrap();
            assert_eq!((page.rows.len(), page.total_rows), (0, total), "{body}");
        }
        for body in [
            r#"{"request_status":"Success"}"#,
            r#"{"request_status":"Success","response":{}}"#,
            r#"{"request_status":"Success","response":{"data":{}}}"#,
            r#"{"request_status":"Success","response":{"data":[]}}"#,
            r#"{"request_status":"Success","response":{"data":{"conversions":7}}}"#,
        ] {
            let error = read(&Answer::new(200, body)).unwrap_err();
            assert_eq!(error.code(), "unexpected_answer", "{body}");
        }
    }

    #[test]
    fn the_request_names_days_filters_and_rows() {
        let account = Account::new("https://a.example", "KEY").unwrap();
        let url = |params| request(&account, params).map(|request| request.url_with_key());
        assert_eq!(
            url(
                r#"{"startDate":"2026-01-15","endDate":"2026-01-16","offerId":12345,"conversionStatus":"approved","startAtRow":0,"rowLimit":10000,"sortField":"conversion_date","sortDescending":true}"#
            )
            .unwrap(),
            "https://a.example/api/2/report/conversion.json?api_key=KEY&start_date=2026-01-15&end_date=2026-01-16&offer_id=12345&conversion_status=approved&start_at_row=0&row_limit=10000&sort_field=conversion_date&sort_descending=true"
        );
        for params in [
            "{}",
            r#"{"startDate":"2026-01-15"}"#,
            r#"{"startDate":"2026-01-16","endDate":"2026-01-15"}"#,
            r#"{"startDate":"2026-01-15","endDate":"2026-01-16","rowLimit":10001}"#,
            r#"{"startDate":"2026-01-15","endDate":"2026-01-16","advertiserId":1}"#,
        ] {
            assert_eq!(url(params).unwrap_err().code(), "invalid_field", "{params}");
        }
    }
}
