//! Recorded answers of CAKE's older services. The newer API's calls fail on each with its own
//! message. The older dialect reads each correctly, as XML and as `{"d":…}`.

use cake_edge::api::{
    Account, Action, Answer, Call, CallEvent, CallOutcome, CallSettings, Services, Step,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vectors {
    answers: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    name: String,
    status: u16,
    body: String,
    json: Option<String>,
    code: String,
    words: String,
    older: Older,
    #[serde(default)]
    requests: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Older {
    calls: Vec<String>,
    outcome: Option<serde_json::Value>,
    code: Option<String>,
    words: Option<String>,
}

fn vectors() -> Vec<Recorded> {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../vectors/older_services.json")).unwrap();
    vectors.answers
}

pub(crate) fn account() -> Account {
    Account::new("https://yourdomain.cakemarketing.com", "KEY-OF-A-TEST").unwrap()
}

const RANGE: &str = r#"{"startDate":"2026-06-01","endDate":"2026-06-02"}"#;
pub(crate) const CORRECTION: &str =
    r#"{"conversionId":145211,"offerId":5032,"payout":"0.75","revenue":"1.75"}"#;
/// 2026-06-19 14:30:00 in UTC.
const NOW_MS: u64 = 1_781_879_400_000;

/// A call of the older services.
pub(crate) fn older(action: &str, params: &str, retries: u32) -> Call {
    let settings = CallSettings {
        retries,
        services: Services::Older,
        now_ms: NOW_MS,
        ..CallSettings::default()
    };
    let action = Action::from_name(action).unwrap();
    action.call(&account(), params, settings).unwrap()
}

fn params_of(action: &str) -> &'static str {
    match action {
        "listConversionChanges" => r#"{"since":"2026-06-01"}"#,
        "listTrackingDomains" => "{}",
        "correctConversion" => CORRECTION,
        _ => RANGE,
    }
}

/// The step of an older service's call after one answer.
pub(crate) fn read(action: &str, status: u16, body: &str) -> Step {
    let mut call = older(action, params_of(action), 0);
    let _ = call.start();
    call.next(CallEvent::Answered(&Answer::new(status, body)), 0)
}

#[test]
fn an_older_services_answer_fails_with_its_own_words_whatever_was_asked() {
    let account = account();
    for recorded in vectors() {
        for (action, params) in [
            (Action::GetClick, r#"{"clickId":"abc"}"#),
            (Action::ListClicks, "{}"),
            (Action::ListConversions, RANGE),
            (Action::ListConversionReport, RANGE),
            (Action::ListTrackingDomains, "{}"),
            (Action::RecordConversion, r#"{"clickId":"abc","offerId":1}"#),
            (
                Action::CreatePostback,
                r#"{"affiliateId":1,"offerId":1,"postbackUrl":"https://a.example/?id=#reqsessid#"}"#,
            ),
        ] {
            let settings = CallSettings {
                retries: 0,
                ..CallSettings::default()
            };
            let mut call = action.call(&account, params, settings).unwrap();
            let _ = call.start();
            let answer = Answer::new(200, &recorded.body);
            let name = format!("{} for {action:?}", recorded.name);
            let Step::Fail(error) = call.next(CallEvent::Answered(&answer), 0) else {
                panic!("{name} passes");
            };
            // A write's outcome may be unknown: then its cause has the words.
            let cause = error.cause().unwrap_or(&error);
            assert_eq!(cause.code(), recorded.code, "{name}");
            assert!(
                cause.to_string().contains(&recorded.words),
                "{name}: {cause}"
            );
        }
    }
}

#[test]
fn the_older_dialect_reads_each_as_xml_and_as_json() {
    for recorded in vectors() {
        for call in &recorded.older.calls {
            for body in [Some(&recorded.body), recorded.json.as_ref()]
                .into_iter()
                .flatten()
            {
                let name = format!("{} for {call}", recorded.name);
                match (read(call, recorded.status, body), &recorded.older.outcome) {
                    (Step::Done(outcome), Some(expected)) => {
                        let mut outcome = serde_json::to_value(outcome).unwrap();
                        if let Some(fields) = outcome.as_object_mut() {
                            fields.remove("query");
                        }
                        assert_eq!(&outcome, expected, "{name}");
                    }
                    (Step::Fail(error), None) => {
                        assert_eq!(Some(error.code()), recorded.older.code.as_deref(), "{name}");
                        let words = recorded.older.words.as_deref().unwrap();
                        assert!(error.to_string().contains(words), "{name}: {error}");
                    }
                    (step, _) => panic!("{name}: {step:?}"),
                }
            }
        }
    }
}

#[test]
fn a_correction_asks_with_what_was_recorded_and_every_parameter() {
    let recorded = vectors()
        .into_iter()
        .find(|each| !each.requests.is_empty())
        .unwrap();
    let Step::Send(request) = older("correctConversion", CORRECTION, 0).start() else {
        panic!("nothing is sent");
    };
    assert_eq!(request.path(), "/api/6/track.asmx/UpdateConversionEvents");
    assert_eq!(
        request.query(),
        "conversion_id=145211&transaction_id=&offer_id=5032&payout=0.75&add_to_existing_payout=FALSE&received=1.75&received_option=total_revenue&disposition_type=no_change&disposition_id=0&update_revshare_payout=FALSE&effective_date_option=today&custom_date=&note_to_append=&disallow_on_billing_status=ignore"
    );
    let sent: BTreeMap<_, _> = request
        .query()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    for (name, value) in &recorded.requests {
        let ours = sent
            .get(name.as_str())
            .map(|ours| ours.to_ascii_lowercase());
        assert_eq!(ours.as_deref(), Some(value.as_str()), "{name}");
    }
}

#[test]
fn lists_ask_with_every_parameter_in_their_order() {
    for (action, params, path, query) in [
        (
            "listClicks",
            r#"{"startDate":"2026-06-01","endDate":"2026-06-01 00:30:00","offerId":7,"affiliateId":8,"startAtRow":1,"rowLimit":500}"#,
            "/api/12/reports.asmx/Clicks",
            "start_date=2026-06-01&end_date=06%2F01%2F2026%2000%3A30%3A00&affiliate_id=8&advertiser_id=0&offer_id=7&campaign_id=0&creative_id=0&price_format_id=0&include_duplicates=FALSE&include_tests=FALSE&start_at_row=1&row_limit=500",
        ),
        (
            "listConversions",
            r#"{"startDate":"2026-06-01","endDate":"2026-06-02","advertiserId":9,"conversionStatus":"reversed","sortField":"conversion_id","sortDescending":true}"#,
            "/api/17/reports.asmx/EventConversions",
            "start_date=2026-06-01&end_date=2026-06-02&event_type=all&event_id=0&source_affiliate_id=0&brand_advertiser_id=9&channel_id=0&site_offer_id=0&site_offer_contract_id=0&source_affiliate_tag_id=0&brand_advertiser_tag_id=0&site_offer_tag_id=0&campaign_id=0&creative_id=0&price_format_id=0&source_type=all&payment_percentage_filter=both&disposition_type=returned&disposition_id=0&source_affiliate_billing_status=all&brand_advertiser_billing_status=all&test_filter=non_tests&start_at_row=0&row_limit=100&sort_field=event_conversion_id&sort_descending=TRUE",
        ),
        (
            "listConversionChanges",
            r#"{"since":"2026-06-01","offerId":7}"#,
            "/api/17/reports.asmx/EventConversionChanges",
            "changes_since=2026-06-01&include_new_event_conversions=FALSE&source_affiliate_id=0&brand_advertiser_id=0&site_offer_id=7&campaign_id=0&creative_id=0&include_tests=FALSE&start_at_row=0&row_limit=100&sort_field=event_conversion_date&sort_descending=FALSE",
        ),
        (
            "listTrackingDomains",
            "{}",
            "/api/1/get.asmx/TrackingDomains",
            "domain_type=all",
        ),
    ] {
        let Step::Send(request) = older(action, params, 0).start() else {
            panic!("{action} sends nothing");
        };
        assert_eq!((request.path().as_str(), request.query()), (path, query));
        assert!(request.url_with_key().contains("?api_key=KEY-OF-A-TEST&"));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn an_option_unknown_to_the_older_services_is_refused_by_its_name() {
    for (action, params, parameter) in [
        ("listClicks", r#"{"startDate":"2026-06-01"}"#, "endDate"),
        (
            "listClicks",
            r#"{"startDate":"2026-06-01","endDate":"2026-06-01"}"#,
            "endDate",
        ),
        (
            "listClicks",
            r#"{"startDate":"2026-06-31","endDate":"2026-07-01"}"#,
            "startDate",
        ),
        (
            "listClicks",
            r#"{"startDate":"2026-06-01","endDate":"2026-06-02","rowLimit":10001}"#,
            "rowLimit",
        ),
        (
            "listConversions",
            r#"{"startDate":"2026-06-01","endDate":"2026-06-02","conversionStatus":"ignored"}"#,
            "conversionStatus",
        ),
        ("listConversionChanges", "{}", "since"),
        (
            "listConversionChanges",
            r#"{"since":"2026-06-01 00:00:00"}"#,
            "since",
        ),
        (
            "listConversionChanges",
            r#"{"sinse":"2026-06-01"}"#,
            "sinse",
        ),
        (
            "listTrackingDomains",
            r#"{"trackingDomainId":1}"#,
            "trackingDomainId",
        ),
        (
            "correctConversion",
            r#"{"offerId":1,"payout":"1.00"}"#,
            "conversionId",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"uniqueId":"A-1","offerId":1,"payout":"1.00"}"#,
            "uniqueId",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"payout":"1.00"}"#,
            "offerId",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1}"#,
            "params",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"note":"x"}"#,
            "params",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"payout":"-1.00"}"#,
            "payout",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"revenue":"-0.01"}"#,
            "revenue",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"payout":0.30000000000000004}"#,
            "payout",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"payoutAdded":"0","note":"x"}"#,
            "payoutAdded",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"payoutAdded":"--1","note":"x"}"#,
            "payoutAdded",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"payoutAdded":"-1"}"#,
            "note",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"payout":"2","payoutAdded":"-1","note":"x"}"#,
            "payoutAdded",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"status":"reversed"}"#,
            "status",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"status":"returned","effectiveDate":"2026-02-30"}"#,
            "effectiveDate",
        ),
        (
            "correctConversion",
            r#"{"conversionId":1,"offerId":1,"status":"returned","note":"a\nb"}"#,
            "note",
        ),
        (
            "correctConversion",
            r#"{"uniqueId":"TRANSACTION_ID","offerId":1,"status":"returned"}"#,
            "uniqueId",
        ),
    ] {
        let settings = CallSettings {
            services: Services::Older,
            ..CallSettings::default()
        };
        let error = Action::from_name(action)
            .unwrap()
            .call(&account(), params, settings)
            .unwrap_err();
        assert_eq!(error.parameter(), Some(parameter), "{params}: {error}");
    }
}

#[test]
fn the_message_restricted_is_a_limit_in_any_dress() {
    for body in [
        "Restricted",
        "<string xmlns=\"http://cakemarketing.com/api/12/\">Restricted</string>",
        "<r><success>false</success><message>Restricted</message></r>",
        "<r><message>Restricted</message></r>",
        r#"{"d":{"success":false,"message":"Restricted"}}"#,
    ] {
        let Step::Fail(error) = read("listClicks", 200, body) else {
            panic!("{body} passes");
        };
        assert_eq!(error.code(), "rate_limited", "{body}");
    }
}

#[test]
fn rows_are_those_of_the_list_and_nothing_of_them_is_the_envelopes() {
    let body = "<r><row_count>2</row_count><clicks>\n<click><request_session_id>1</request_session_id><success>false</success><message>no</message><creative><request_session_id>9</request_session_id></creative></click><other><request_session_id>8</request_session_id></other><click/></clicks></r>";
    let Step::Done(CallOutcome::Clicks(page)) = read("listClicks", 200, body) else {
        panic!("not read");
    };
    let ids: Vec<_> = page
        .rows
        .iter()
        .map(|row| row.click_id.as_deref())
        .collect();
    // The empty element is no row, but it has its place.
    assert_eq!(ids, [Some("1")]);
    assert_eq!(page.rows.first().unwrap().converted, None);
    for (body, code) in [
        ("<r><success>true</success></r>", "unexpected_answer"),
        ("<r></r>", "unexpected_answer"),
        (
            "<r><success>true</success><conversions/></r>",
            "unexpected_answer",
        ),
        (
            "<r><success>maybe</success><clicks/></r>",
            "unexpected_answer",
        ),
        (r#"{"d":{"success":true}}"#, "unexpected_answer"),
    ] {
        let Step::Fail(error) = read("listClicks", 200, body) else {
            panic!("{body} passes");
        };
        assert_eq!(error.code(), code, "{body}");
    }
}

#[test]
fn hostile_xml_is_an_error_with_a_code() {
    let whole = vectors()
        .into_iter()
        .find(|each| each.name == "clicks-v11")
        .unwrap()
        .body;
    for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
        let step = read("listClicks", 200, &whole[..cut]);
        assert!(
            matches!(&step, Step::Fail(error) if error.code() == "unexpected_answer"),
            "{cut}: {step:?}"
        );
    }
    let mut bomb = "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\">".to_owned();
    for letter in 'b'..='z' {
        bomb.push_str("<!ENTITY ");
        bomb.push(letter);
        bomb.push_str(" \"&a;&a;&a;\">");
    }
    bomb.push_str("]><r>&z;</r>");
    for body in [
        bomb,
        "<r>&nbsp;</r>".to_owned(),
        "<a>".repeat(10_000) + &"</a>".repeat(10_000),
        "<".repeat(100_000),
        "<r a=\"".to_owned() + &"x".repeat(100_000),
    ] {
        let Step::Fail(error) = read("listClicks", 200, &body) else {
            panic!("passes");
        };
        assert_eq!(error.code(), "unexpected_answer");
        assert!(error.to_string().len() < 600, "{error}");
    }
}
