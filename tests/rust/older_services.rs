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

fn account() -> Account {
    Account::new("https://yourdomain.cakemarketing.com", "KEY-OF-A-TEST").unwrap()
}

const RANGE: &str = r#"{"startDate":"2026-06-01","endDate":"2026-06-02"}"#;
const CORRECTION: &str =
    r#"{"conversionId":145211,"offerId":5032,"payout":"0.75","revenue":"1.75"}"#;
/// 2026-06-19 14:30:00 in UTC.
const NOW_MS: u64 = 1_781_879_400_000;

/// A call of the older services.
fn older(action: &str, params: &str, retries: u32) -> Call {
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
fn read(action: &str, status: u16, body: &str) -> Step {
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
fn a_correction_is_worded_as_the_service_takes_it() {
    for (params, parts) in [
        (
            r#"{"uniqueId":"A&1","offerId":1,"status":"returned","effectiveDate":"conversion_date","note":"refund 7"}"#,
            vec![
                "conversion_id=0&transaction_id=A%261&",
                "payout=0.00&add_to_existing_payout=TRUE&received=0.00&received_option=no_change&disposition_type=returned&",
                "effective_date_option=conversion_date&custom_date=&note_to_append=refund%207&",
            ],
        ),
        (
            r#"{"conversionId":1,"offerId":1,"payoutAdded":-1.5,"revenueAdded":"-0.0725","note":"n","effectiveDate":"2026-06-19"}"#,
            vec![
                "payout=-1.50&add_to_existing_payout=TRUE&received=-0.0725&received_option=additional_revenue&",
                "effective_date_option=custom&custom_date=06%2F19%2F2026%2000%3A00%3A00&",
            ],
        ),
    ] {
        let Step::Send(request) = older("correctConversion", params, 0).start() else {
            panic!("nothing is sent");
        };
        for part in parts {
            assert!(
                request.query().contains(part),
                "{part} is not in {}",
                request.query()
            );
        }
    }
}

#[test]
fn a_dry_run_checks_and_sends_nothing() {
    let settings = CallSettings {
        is_dry_run: true,
        is_read_only: true,
        ..CallSettings::default()
    };
    let call = |params| Action::CorrectConversion.call(&account(), params, settings);
    let Step::Done(CallOutcome::Correction(correction)) = call(CORRECTION).unwrap().start() else {
        panic!("a dry run ends at once");
    };
    assert!(correction.is_dry_run && !correction.query.contains("KEY"));
    assert!(correction.query.starts_with("conversion_id=145211&"));
    assert!(call(r#"{"conversionId":1,"offerId":1,"payout":"-1"}"#).is_err());
}

/// A row in the changes of conversion 145211.
fn changes(note: &str, paid: &str) -> String {
    format!(
        "<r><success>true</success><row_count>1</row_count><event_conversions><event_conversion><event_conversion_id>145211</event_conversion_id><site_offer><site_offer_id>5032</site_offer_id></site_offer><paid><currency_id>1</currency_id><amount>{paid}</amount></paid><received><currency_id>1</currency_id><amount>1.7500000000</amount></received><note>{note}</note></event_conversion></event_conversions></r>"
    )
}

/// The step of a call whose request is lost and whose look-up is answered `found`.
fn after_a_loss(params: &str, found: &str) -> Step {
    let mut call = older("correctConversion", params, 1);
    let _ = call.start();
    let lost = call.next(CallEvent::Failed(cake_edge::Error::Timeout), 0);
    assert!(matches!(lost, Step::Wait(500..)), "{lost:?}");
    let Step::Send(lookup) = call.next(CallEvent::Waited, 0) else {
        panic!("nothing is looked up");
    };
    assert_eq!(lookup.path(), "/api/17/reports.asmx/EventConversionChanges");
    assert!(lookup.query().starts_with(
        "changes_since=2026-06-18&include_new_event_conversions=TRUE&source_affiliate_id=0&brand_advertiser_id=0&site_offer_id=5032&"
    ));
    call.next(CallEvent::Answered(&Answer::new(200, found)), 0)
}

const ADDED: &str =
    r#"{"conversionId":145211,"offerId":5032,"payoutAdded":"-0.75","note":"refund 1"}"#;

#[test]
fn an_addition_is_sent_once_and_settled_by_its_note() {
    let Step::Done(CallOutcome::Correction(found)) =
        after_a_loss(ADDED, &changes("x; refund 1", "0"))
    else {
        panic!("the note is there");
    };
    assert!(found.is_recovered && found.conversion_id == Some(145_211));
    for note in ["", "refund 12", "a refund 1-b", "prefund 1"] {
        let Step::Fail(error) = after_a_loss(ADDED, &changes(note, "0")) else {
            panic!("{note}: sent again");
        };
        assert_eq!(error.code(), "outcome_unknown", "{note}");
        assert_eq!(error.cause().map(cake_edge::Error::code), Some("timeout"));
    }
}

#[test]
fn totals_are_sent_again_unless_the_conversion_shows_them() {
    let step = after_a_loss(CORRECTION, &changes("", "0.7500"));
    assert!(
        matches!(step, Step::Done(CallOutcome::Correction(_))),
        "{step:?}"
    );
    for found in [
        changes("", "0.7600"),
        "<r><success>true</success><row_count>0</row_count><event_conversions /></r>".to_owned(),
    ] {
        let Step::Send(again) = after_a_loss(CORRECTION, &found) else {
            panic!("not sent again");
        };
        assert_eq!(again.path(), "/api/6/track.asmx/UpdateConversionEvents");
    }
}

#[test]
fn a_clear_no_to_a_correction_is_no_doubt() {
    for (status, body, code) in [
        (
            200,
            "<r><success>false</success><message>Conversion Not Found</message></r>",
            "refused",
        ),
        (
            200,
            r#"{"d":{"success":false,"message":"Conversion Not Found"}}"#,
            "refused",
        ),
        (
            200,
            "<r><success>false</success><message>Invalid API Key</message></r>",
            "unauthorized",
        ),
        (500, "Missing parameter: custom_date.\r\n", "refused"),
        (
            500,
            "Cannot convert x to System.Decimal.\r\nParameter name: type",
            "refused",
        ),
        (403, "", "unauthorized"),
        (
            500,
            "<s:Envelope xmlns:s=\"x\"><s:Fault><s:Value>s:Sender</s:Value><s:Text>Restricted</s:Text></s:Fault></s:Envelope>",
            "rate_limited",
        ),
    ] {
        let Step::Fail(error) = read("correctConversion", status, body) else {
            panic!("{body} passes");
        };
        assert_eq!(error.code(), code, "{body}");
    }
    for (status, body) in [
        (500, ""),
        (500, "<html><h1>Server Error</h1></html>"),
        (
            500,
            "<s:Envelope xmlns:s=\"x\"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>Timeout</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>",
        ),
        (200, "<r><message>Conversion Updated</message></r>"),
        // A yes that is taken back, by words, an error or a status; one of another call; one in a page.
        (
            200,
            "<r><success>true</success><message>Conversion Not Found</message></r>",
        ),
        (
            200,
            "<r><success>true</success><message>0 conversions updated</message></r>",
        ),
        (
            200,
            "<r><success>true</success><message>Restricted</message></r>",
        ),
        (429, "<r><success>true</success></r>"),
        (200, "<r><success>true</success><error>Timeout</error></r>"),
        (200, r#"{"d":{"success":true,"message":"Invalid Offer"}}"#),
        (200, r#"{"d":{"success":true,"error":"Timeout"}}"#),
        (
            400,
            "<r><success>true</success><message>Conversion Updated</message></r>",
        ),
        (403, "<r><success>true</success></r>"),
        (404, r#"{"d":{"success":true}}"#),
        (
            200,
            "<r><success>true</success><row_count>0</row_count></r>",
        ),
        (200, "<r><success>true</success><clicks/></r>"),
        (200, "<r><success>true</success><event_conversions/></r>"),
        (200, r#"{"d":{"success":true,"event_conversions":[]}}"#),
        (200, "<html><body><success>true</success></body></html>"),
        (200, "<r><success>true</success>"),
        (
            200,
            "<r><success>true</success><success>false</success></r>",
        ),
        (200, "<!DOCTYPE html><html></html>"),
        (200, ""),
        (200, "SUCCESS"),
    ] {
        let step = read("correctConversion", status, body);
        assert!(matches!(step, Step::Wait(_)), "{body}: {step:?}");
    }
}

#[test]
fn a_yes_to_a_correction_may_have_any_words_and_fields() {
    for body in [
        "<r><success>true</success></r>",
        "<r><success>true</success><message /></r>",
        "<r><success>true</success><message>Saved</message><conversion_id>7</conversion_id></r>",
        r#"{"d":{"success":true,"message":"Conversion Updated","error":null}}"#,
    ] {
        let step = read("correctConversion", 200, body);
        assert!(matches!(step, Step::Done(_)), "{body}: {step:?}");
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
    assert_eq!(ids, [Some("1"), None]);
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
