//! Corrections by CAKE's older services: how they are asked, and what settles a doubt.

use crate::older_services::{CORRECTION, account, older, read};
use cake_edge::api::{Action, Answer, CallEvent, CallOutcome, CallSettings, Step};

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
fn a_yes_about_another_conversion_or_about_none_is_in_doubt() {
    for body in [
        "<r><success>true</success><conversion_id>7</conversion_id></r>",
        "<r><success>true</success><event_conversion_id>7</event_conversion_id></r>",
        "<r><success>true</success><offer_id>9</offer_id></r>",
        "<r><success>true</success><rows_affected>0</rows_affected></r>",
        "<r><success>true</success><updated>false</updated></r>",
        "<r><success>true</success><conversions_updated>0</conversions_updated></r>",
        r#"{"d":{"success":true,"conversion":{"conversion_id":7}}}"#,
        r#"{"d":{"success":true,"affectedRows":0}}"#,
    ] {
        let step = read("correctConversion", 200, body);
        assert!(matches!(step, Step::Wait(_)), "{body}: {step:?}");
    }
}

#[test]
fn a_yes_to_a_correction_may_have_any_words_and_fields() {
    for body in [
        "<r><success>true</success></r>",
        "<r><success>true</success><message /></r>",
        "<r><success>true</success><message>Saved</message><conversion_id>145211</conversion_id></r>",
        "<r><success>true</success><conversion_id>145211</conversion_id><event_conversion_id>9</event_conversion_id></r>",
        "<r><success>true</success><rows_affected>1</rows_affected><failed_count>0</failed_count></r>",
        "<r><success>true</success><rows_affected>-1</rows_affected><conversion_id>0</conversion_id></r>",
        r#"{"d":{"success":true,"message":"Conversion Updated","error":null}}"#,
    ] {
        let step = read("correctConversion", 200, body);
        assert!(matches!(step, Step::Done(_)), "{body}: {step:?}");
    }
}
