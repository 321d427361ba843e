//! The older services: against recorded answers, over the same rows, and through the package's own
//! client.

use super::*;
use crate::api::{self, Account, Answer, CallEvent, CallOutcome, CallSettings, Services};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";

/// A client's call, answered by the sandbox.
fn call(
    network: &Network,
    store: &mut Store,
    action: &str,
    params: &str,
) -> crate::Result<CallOutcome> {
    let account = Account::new("http://127.0.0.1:8787", "key").unwrap();
    let settings = CallSettings {
        retries: 0,
        services: Services::Older,
        now_ms: NOW_MS,
        ..CallSettings::default()
    };
    let action = api::Action::from_name(action).unwrap();
    let mut call = action.call(&account, params, settings)?;
    let mut step = call.start();
    loop {
        step = match step {
            api::Step::Send(request) => {
                let path = format!("{}?api_key=key&{}", request.path(), request.query());
                let answer = store.get(network, &path, NOW_MS);
                let answer = Answer::new(answer.status, &answer.body);
                call.next(CallEvent::Answered(&answer), 0)
            }
            api::Step::Wait(_) => call.next(CallEvent::Waited, 0),
            api::Step::Done(outcome) => return Ok(outcome),
            api::Step::Fail(error) => return Err(error),
        };
    }
}

/// A click with a conversion of 18.00 and 22.00, `ORD-1`, 998877.
fn converted(network: &Network) -> Store {
    let mut store = clicked(network);
    store.get(
        network,
        "/api/2/conversion.json?api_key=key&click_id=id-1&offer_id=12345&unique_id=ORD-1",
        NOW_MS,
    );
    assert_eq!(store.conversions.len(), 1);
    store
}

#[test]
fn the_clients_lists_read_what_the_sandbox_writes() {
    let network = network();
    let mut store = converted(&network);
    let range = r#"{"startDate":"2026-06-19","endDate":"2026-06-20"}"#;
    let Ok(CallOutcome::Clicks(clicks)) = call(&network, &mut store, "listClicks", range) else {
        panic!("no clicks");
    };
    let click = clicks.rows.first().unwrap();
    assert_eq!(clicks.total_rows, Some(1));
    assert_eq!(
        (
            click.click_id.as_deref(),
            click.affiliate_id,
            click.offer_id
        ),
        (Some("id-1"), Some(67_890), Some(12_345))
    );
    assert_eq!(
        (
            click.sub_id_1.as_deref(),
            click.sub_id_2.as_deref(),
            click.country.as_deref()
        ),
        (Some("banner_300x250"), None, Some("US"))
    );
    let Ok(CallOutcome::Conversions(page)) = call(&network, &mut store, "listConversions", range)
    else {
        panic!("no conversions");
    };
    let row = page.rows.first().unwrap();
    assert_eq!(
        (
            row.click_id.as_deref(),
            row.unique_id.as_deref(),
            row.payout_text.as_deref()
        ),
        (Some("id-1"), Some("ORD-1"), Some("18.0000"))
    );
    assert_eq!(
        (
            row.conversion_status.as_deref(),
            row.currency.as_deref(),
            row.conversion_date.as_deref()
        ),
        (Some("approved"), Some("USD"), Some("2026-06-19T14:30:00"))
    );
    let Ok(CallOutcome::TrackingDomains(domains)) =
        call(&network, &mut store, "listTrackingDomains", "{}")
    else {
        panic!("no domains");
    };
    assert_eq!(domains.rows.len(), 2);
    assert!(
        domains
            .rows
            .first()
            .is_some_and(|domain| domain.is_default == Some(true) && domain.is_active())
    );
}

#[test]
fn ranges_take_times_and_leave_their_end_out() {
    let network = network();
    let mut store = converted(&network);
    for (start, end, rows) in [
        ("2026-06-19 14:00:00", "2026-06-19 14:30:00", 0),
        ("2026-06-19 14:30:00", "2026-06-19 15:00:00", 1),
        ("2026-06-18", "2026-06-19", 0),
        ("2026-06-19", "2026-06-20", 1),
    ] {
        let params = format!(r#"{{"startDate":"{start}","endDate":"{end}"}}"#);
        for action in ["listClicks", "listConversions"] {
            let found = match call(&network, &mut store, action, &params).unwrap() {
                CallOutcome::Clicks(page) => page.rows.len(),
                CallOutcome::Conversions(page) => page.rows.len(),
                other => panic!("{other:?}"),
            };
            assert_eq!(found, rows, "{action} {start}");
        }
    }
}

#[test]
fn a_refund_is_applied_told_and_no_longer_owed() {
    let network = network();
    let mut store = converted(&network);
    assert_eq!(owed(&store.sums()), "18.00");
    let changes = r#"{"since":"2026-06-19"}"#;
    let count = |store: &mut Store| match call(&network, store, "listConversionChanges", changes)
        .unwrap()
    {
        CallOutcome::Conversions(page) => page.rows.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(&mut store), 0);
    let fired = store.fired.len();
    let params = r#"{"uniqueId":"ORD-1","offerId":12345,"status":"returned","payout":"0","revenue":"0.00","note":"refund 7"}"#;
    let Ok(CallOutcome::Correction(correction)) =
        call(&network, &mut store, "correctConversion", params)
    else {
        panic!("not corrected");
    };
    assert_eq!(correction.message.as_deref(), Some("Conversion Updated"));
    let row = store.conversions.first().unwrap();
    assert_eq!(
        (
            row.conversion_status.as_str(),
            row.payout.as_str(),
            row.note.as_deref(),
            row.corrections
        ),
        ("returned", "0.00", Some("refund 7"), 1)
    );
    assert_eq!(owed(&store.sums()), "0.00");
    assert_eq!(count(&mut store), 1);
    assert_eq!(
        store.fired.len(),
        fired
            + usize::from(network.fixture().postbacks.iter().any(|postback| {
                postback.affiliate_id == 67_890
                    && postback
                        .fires_on
                        .contains(&crate::sandbox::fixture::PostbackEvent::Rejection)
            }))
    );
    // The newer services report it too.
    let listed = store.get(
        &network,
        "/api/2/conversions.json?api_key=key&start_date=2026-06-19&end_date=2026-06-20&conversion_status=returned",
        NOW_MS,
    );
    assert_eq!(body(&listed)["total_rows"], 1);
}

#[test]
fn additions_add_each_time_and_totals_do_not() {
    let network = network();
    let mut store = converted(&network);
    let mut payout = |params: &str| {
        for _ in 0..2 {
            call(&network, &mut store, "correctConversion", params).unwrap();
        }
        let row = store.conversions.first().unwrap();
        (row.payout.clone(), row.revenue.clone())
    };
    let total = r#"{"conversionId":998877,"offerId":12345,"payout":"9.5","revenue":"11.0001"}"#;
    assert_eq!(payout(total), ("9.50".into(), "11.0001".into()));
    let added = r#"{"conversionId":998877,"offerId":12345,"payoutAdded":"-4.00","revenueAdded":"-0.5001","note":"n"}"#;
    assert_eq!(payout(added), ("1.50".into(), "9.9999".into()));
    let error = call(&network, &mut store, "correctConversion", added).unwrap_err();
    assert_eq!(error.code(), "refused");
    assert!(error.to_string().contains("negative"), "{error}");
}

#[test]
fn every_parameter_is_demanded_as_asp_net_does() {
    let network = network();
    let mut store = converted(&network);
    let whole = "start_date=2026-06-19&end_date=2026-06-20&affiliate_id=0&advertiser_id=0&offer_id=0&campaign_id=0&creative_id=0&price_format_id=0&include_duplicates=FALSE&include_tests=FALSE&start_at_row=0&row_limit=0";
    let get = |store: &mut Store, query: &str| {
        store.get(
            &network,
            &format!("/api/12/reports.asmx/Clicks?{query}"),
            NOW_MS,
        )
    };
    let full = format!("api_key=key&{whole}");
    assert_eq!(get(&mut store, &full).status, 200);
    assert!(get(&mut store, &full.replace("key&", "no&")).body.contains(
        "<success>false</success><message>Invalid API Key</message><row_count>0</row_count>"
    ));
    for pair in full.split('&') {
        let name = pair.split('=').next().unwrap();
        let rest: Vec<_> = full.split('&').filter(|each| *each != pair).collect();
        let answer = get(&mut store, &rest.join("&"));
        assert_eq!(
            (answer.status, answer.body),
            (500, format!("Missing parameter: {name}.\r\n"))
        );
    }
    for (right, wrong) in [
        ("affiliate_id=0", "affiliate_id=bloops"),
        ("start_date=2026-06-19", "start_date=2026-06-31"),
        ("include_tests=FALSE", "include_tests=no"),
        ("row_limit=0", "row_limit="),
    ] {
        let answer = get(&mut store, &full.replace(right, wrong));
        assert_eq!(answer.status, 500, "{wrong}");
        assert!(
            answer.body.starts_with("Cannot convert "),
            "{}",
            answer.body
        );
    }
}

/// A recorded answer.
fn recorded(name: &str) -> String {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/older_services.json")).unwrap();
    let answers = vectors["answers"].as_array().unwrap();
    let found = answers
        .iter()
        .find(|answer| answer["name"] == name)
        .unwrap();
    found["body"].as_str().unwrap().to_owned()
}

fn envelope(version: u8, method: &str, parameters: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<env:Envelope xmlns:env=\"{SOAP}\" xmlns:cake=\"http://cakemarketing.com/api/{version}/\">\n  <env:Header/>\n  <env:Body>\n    <cake:{method}>\n      <cake:api_key>key</cake:api_key>\n{parameters}    </cake:{method}>\n  </env:Body>\n</env:Envelope>\n"
    )
}

#[test]
fn a_correction_by_soap_is_answered_byte_for_byte_as_recorded() {
    let network = network();
    let mut store = converted(&network);
    let body = envelope(
        6,
        "UpdateConversionEvents",
        "<cake:received_option>total_revenue</cake:received_option><cake:received>1.75</cake:received><cake:conversion_id>998877</cake:conversion_id><cake:offer_id>12345</cake:offer_id><cake:payout>0.75</cake:payout><cake:notes_to_append/>",
    );
    let path = "/api/6/track.asmx/UpdateConversionEvents";
    let answer = store.serve(&network, "POST", path, Some(&body), NOW_MS);
    assert_eq!(answer.body, recorded("update-conversion-events-v6"));
    let row = store.conversions.first().unwrap();
    assert_eq!(
        (row.payout.as_str(), row.revenue.as_str()),
        ("0.75", "1.75")
    );
}

#[test]
fn an_unreadable_request_is_a_fault_byte_for_byte_as_recorded() {
    let network = network();
    let mut store = converted(&network);
    let body = envelope(
        12,
        "Clicks",
        "      <cake:affiliate_id>bloops</cake:affiliate_id>\n",
    );
    let answer = store.serve(
        &network,
        "POST",
        "/api/12/reports.asmx/Clicks",
        Some(&body),
        NOW_MS,
    );
    assert_eq!((answer.status, answer.body), (500, recorded("fault")));
}

#[test]
fn a_rows_elements_come_in_the_recorded_order() {
    fn names(body: &str, row: &str) -> Vec<String> {
        let (_, rest) = body.split_once(&format!("<{row}>")).unwrap();
        let (inner, _) = rest.split_once(&format!("</{row}>")).unwrap();
        let mut depth = 0;
        let mut names = Vec::new();
        for tag in inner.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            if tag.starts_with('/') {
                depth -= 1;
                continue;
            }
            if depth == 0 {
                names.push(tag.split([' ', '/']).next().unwrap().to_owned());
            }
            if !tag.ends_with('/') {
                depth += 1;
            }
        }
        names
    }
    let network = network();
    let mut store = converted(&network);
    for (method, version, name, row) in [
        ("Clicks", 11, "clicks-v11", "click"),
        (
            "EventConversions",
            17,
            "event-conversions-v17",
            "event_conversion",
        ),
    ] {
        let dates = "<cake:start_date>2026-06-19T00:00:00</cake:start_date><cake:end_date>2026-06-20T00:00:00</cake:end_date>";
        let body = envelope(version, method, dates);
        let path = format!("/api/{version}/reports.asmx/{method}");
        let ours = store
            .serve(&network, "POST", &path, Some(&body), NOW_MS)
            .body;
        let theirs = names(&recorded(name), row);
        let ours = names(&ours, row);
        let mut rest = theirs.iter();
        for name in ours.iter().filter(|name| *name != "current_disposition") {
            assert!(
                rest.any(|each| each == name),
                "{name} is not where it was recorded: {ours:?}"
            );
        }
    }
}

#[test]
fn json_is_answered_inside_of_d() {
    let network = network();
    let mut store = converted(&network);
    let body = r#"{"api_key":"key","changes_since":"2026-06-19","include_new_event_conversions":true,"source_affiliate_id":0,"brand_advertiser_id":0,"site_offer_id":0,"campaign_id":0,"creative_id":0,"include_tests":false,"start_at_row":0,"row_limit":10,"sort_field":"event_conversion_date","sort_descending":false}"#;
    let path = "/api/17/reports.asmx/EventConversionChanges";
    let answer = store.serve(&network, "POST", path, Some(body), NOW_MS);
    let read =
        api::older::event_conversions::read(&Answer::new(answer.status, &answer.body)).unwrap();
    assert_eq!(
        read.rows.first().and_then(|row| row.click_id.as_deref()),
        Some("id-1")
    );
    let missing = store.serve(&network, "POST", path, Some(r#"{"api_key":"key"}"#), NOW_MS);
    assert_eq!(missing.status, 500);
    assert!(
        missing
            .body
            .contains("missing value for parameter: 'changes_since'")
    );
}

#[test]
fn faults_on_demand_strike_them_in_their_own_form() {
    let mut network = network();
    network
        .set_faults(r#"[{"script":["restricted","html"],"actions":["update_conversion_events"]}]"#)
        .unwrap();
    let path = "/api/6/track.asmx/UpdateConversionEvents";
    let action = Action::at(path).unwrap();
    assert!(network.next_fault(Action::Clicks, 0.5).is_none());
    let fault = network.next_fault(action, 0.5).unwrap().answer.unwrap();
    let read = api::older::clicks::read(&Answer::new(fault.status, &fault.body)).unwrap_err();
    assert_eq!(read.code(), "rate_limited");
    let fault = network.next_fault(action, 0.5).unwrap().answer.unwrap();
    let read = api::older::clicks::read(&Answer::new(fault.status, &fault.body)).unwrap_err();
    assert_eq!(read.code(), "unexpected_answer");
}

/// The fate of a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    LostBefore,
    LostAfter,
    Page,
    Restricted,
}

/// Sends a correction while its requests meet faults.
fn corrected(
    network: &Network,
    store: &mut Store,
    params: &str,
    fates: &mut impl Iterator<Item = Fate>,
) -> crate::Result<CallOutcome> {
    let account = Account::new("http://127.0.0.1:8787", "key").unwrap();
    let settings = CallSettings {
        now_ms: NOW_MS,
        ..CallSettings::default()
    };
    let mut call = api::Action::CorrectConversion.call(&account, params, settings)?;
    let mut step = call.start();
    loop {
        step = match step {
            api::Step::Send(request) => {
                let path = format!("{}?api_key=key&{}", request.path(), request.query());
                let mut truth = || store.get(network, &path, NOW_MS);
                let answer = match fates.next().unwrap_or(Fate::Answered) {
                    Fate::Answered => truth(),
                    Fate::LostBefore => HttpAnswer::default(),
                    Fate::LostAfter => {
                        truth();
                        HttpAnswer::default()
                    }
                    Fate::Page => HttpAnswer::text(200, "<html><h1>Log In</h1></html>"),
                    Fate::Restricted => HttpAnswer::text(200, "Restricted"),
                };
                if answer.status == 0 {
                    call.next(CallEvent::Failed(crate::Error::Timeout), 0)
                } else {
                    call.next(
                        CallEvent::Answered(&Answer::new(answer.status, &answer.body)),
                        0,
                    )
                }
            }
            api::Step::Wait(_) => call.next(CallEvent::Waited, 0),
            api::Step::Done(outcome) => return Ok(outcome),
            api::Step::Fail(error) => return Err(error),
        };
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn no_correction_is_lost_or_applied_twice_whatever_its_requests_meet(
        fates in proptest::collection::vec(proptest::prop_oneof![
            3 => proptest::strategy::Just(Fate::Answered),
            1 => proptest::strategy::Just(Fate::LostBefore),
            1 => proptest::strategy::Just(Fate::LostAfter),
            1 => proptest::strategy::Just(Fate::Page),
            1 => proptest::strategy::Just(Fate::Restricted),
        ], 0..40),
        adding in proptest::collection::vec(proptest::bool::ANY, 1..8),
    ) {
        let network = network();
        let mut store = converted(&network);
        let mut fates = fates.into_iter();
        for (number, adds) in adding.iter().enumerate() {
            let what = if *adds { "\"payoutAdded\":\"-0.25\"".to_owned() } else { format!("\"payout\":\"{}.00\"", 10 + number) };
            let params = format!(r#"{{"uniqueId":"ORD-1","offerId":12345,{what},"note":"n{number}"}}"#);
            let outcome = corrected(&network, &mut store, &params, &mut fates);
            let note = store.conversions[0].note.clone().unwrap_or_default();
            let applied = note.split(' ').filter(|each| *each == format!("n{number}")).count();
            match outcome {
                Ok(_) => proptest::prop_assert_eq!(applied, 1, "{}", params),
                Err(error) if error.code() == "outcome_unknown" => proptest::prop_assert!(applied <= 1, "{}", params),
                Err(error) => proptest::prop_assert_eq!(applied, 0, "{}: {}", params, error),
            }
        }
        // The notes, in their order, add up to the payout.
        let mut units = 180_000_i64;
        let note = store.conversions[0].note.clone().unwrap_or_default();
        for each in note.split(' ').filter(|each| !each.is_empty()) {
            let number: usize = each[1..].parse().unwrap();
            units = if adding[number] { units - 2_500 } else { (10 + i64::try_from(number).unwrap()) * 10_000 };
        }
        proptest::prop_assert_eq!(i64::try_from(store.conversions[0].payout_units).unwrap(), units);
    }
}
