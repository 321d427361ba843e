//! The kinds of answers that say more than their top level.

use super::super::certainty::Certainty;
use super::super::get_click::{self, ClickVerdict};
use super::super::{Answer, conversion_report, list_clicks, record_conversion};
use crate::Error;
use crate::api::asked::Asked;

const ASKED: Asked<'static> = Asked {
    click_id: "abc",
    offer_id: 5,
    unique_id: Some("ORD-1"),
};

/// `recorded`, or the certainty and the error of an answer to a conversion.
fn reading(status: u16, body: &str) -> String {
    match record_conversion::read_for(&Answer::new(status, body), ASKED) {
        Ok(_) => "recorded".into(),
        Err(error) if Certainty::from_error(&error) == Certainty::Unknown => "unknown".into(),
        Err(error) => error.code().into(),
    }
}

/// Forms of a no that stand beside a yes.
const NOS: [&str; 22] = [
    r#""success":false"#,
    r#""Success":"False","message":"Timeout expired""#,
    r#""success":0"#,
    r#""success":{"code":1}"#,
    r#""request_status":"Failure""#,
    r#""RequestStatus":"Error""#,
    r#""result":false"#,
    r#""status":"failed""#,
    r#""status":500"#,
    r#""ok":false"#,
    r#""is_success":"false""#,
    r#""error":"replica down""#,
    r#""Error":{"message":"replica down"}"#,
    r#""errors":["replica down"]"#,
    r#""error":true"#,
    r#""error_code":7"#,
    r#""has_errors":true"#,
    r#""ExceptionMessage":"Timeout expired""#,
    r#""fault":{"faultstring":"Timeout expired"}"#,
    r#""message":"Restricted""#,
    r#""message":"Timeout expired""#,
    r#""Message":"Invalid API Key""#,
];

/// What accounts and gateways write beside a yes.
const QUIET: [&str; 13] = [
    r#""error":null"#,
    r#""error":"""#,
    r#""errors":[]"#,
    r#""error":{}"#,
    r#""error":false"#,
    r#""error":"None""#,
    r#""error":{"code":0,"message":""}"#,
    r#""error_code":"0""#,
    r#""success":null"#,
    r#""message":"OK""#,
    r#""description":"Not a test, no discount""#,
    r#""is_default":true"#,
    r#""status":"approved""#,
];

#[test]
fn a_no_anywhere_takes_a_conversions_yes_back() {
    let record = r#""conversion_id":7,"offer_id":5,"click_id":"abc","unique_id":"ORD-1""#;
    let forms = |beside: &str| {
        [
            format!(r#"{{"request_status":"Success","conversion":{{{record},{beside}}}}}"#),
            format!(
                r#"{{"request_status":"Success","conversion":{{{record}}},"response":{{{beside}}}}}"#
            ),
            format!(
                r#"{{"request_status":"Success","data":{{{beside},"conversion":{{{record}}}}}}}"#
            ),
            format!(r#"{{"d":{{"success":true,"response":{{"data":{{{beside},{record}}}}}}}}}"#),
            format!(
                r#"{{"request_status":"Success","conversion":{{{record}}},"steps":[{{"a":{{{beside}}}}}]}}"#
            ),
        ]
    };
    for no in NOS {
        for body in forms(no) {
            assert_eq!(reading(200, &body), "unknown", "{body}");
        }
    }
    for quiet in QUIET {
        for body in forms(quiet) {
            assert_eq!(reading(200, &body), "recorded", "{body}");
        }
    }
    for beside in [
        r#""message":"Conversion was not saved""#,
        r#""conversion":{"conversion_id":8}"#,
    ] {
        let body =
            format!(r#"{{"request_status":"Success","conversion":{{{record}}},"x":{{{beside}}}}}"#);
        assert_eq!(reading(200, &body), "unknown", "{body}");
    }
}

#[test]
fn a_no_anywhere_settles_no_look_up_and_ends_no_list() {
    let row = r#""click_id":"abc","offer_id":5,"converted":false,"conversion_id":null"#;
    for no in NOS {
        for (clicks, is_row) in [
            (
                format!(r#"{{"request_status":"Success","response":{{{no},"clicks":[]}}}}"#),
                false,
            ),
            (
                format!(r#"{{"response":{{"data":{{{no},"clicks":[],"total_rows":0}}}}}}"#),
                false,
            ),
            (
                format!(
                    r#"{{"request_status":"Success","response":{{"clicks":[]}},"info":[{{{no}}}]}}"#
                ),
                false,
            ),
            (
                format!(
                    r#"{{"request_status":"Success","response":{{"clicks":[{{{row},{no}}}]}}}}"#
                ),
                true,
            ),
            (
                format!(
                    r#"{{"request_status":"Success","response":{{"clicks":[{{{row},"x":{{{no}}}}}]}}}}"#
                ),
                true,
            ),
        ] {
            let answer = Answer::new(200, &clicks);
            assert!(get_click::read(&answer, "abc").is_err(), "{clicks}");
            // Words alone end no list of many rows.
            if !is_row && !no.contains("Timeout expired") {
                assert!(list_clicks::read(&answer).is_err(), "{clicks}");
            }
            let report = clicks
                .replace("clicks", "conversions")
                .replace("click_id", "unique_id");
            let answer = Answer::new(200, &report);
            assert!(
                conversion_report::read_for_lookup(&answer).is_err(),
                "{report}"
            );
        }
    }
    for quiet in QUIET {
        let body = format!(
            r#"{{"request_status":"Success",{quiet},"response":{{{quiet},"clicks":[{{{row},{quiet}}}]}}}}"#
        );
        let click = get_click::read(&Answer::new(200, &body), "abc")
            .unwrap()
            .unwrap();
        assert_eq!(click.verdict(5), ClickVerdict::NotConverted, "{body}");
    }
    let none = r#"{"request_status":"Success","message":"No clicks found","response":{"clicks":[],"total_rows":0}}"#;
    assert_eq!(get_click::read(&Answer::new(200, none), "abc"), Ok(None));
}

#[test]
fn a_list_that_is_refused_below_its_top_says_why() {
    for inner in [
        r#""success":false,"message":"Cap words""#,
        r#""error":"Cap words""#,
        r#""request_status":"Failure","message":"Cap words""#,
        r#""success":false,"info":[{"code":7},{"note":"Cap words"}]"#,
    ] {
        for list in [r#""clicks":[]"#, r#""clicks":[{"click_id":"a"}]"#] {
            let body = format!(r#"{{"request_status":"Success","response":{{{inner},{list}}}}}"#);
            let error = list_clicks::read(&Answer::new(200, &body)).unwrap_err();
            assert_eq!(error.to_string(), "CAKE said: Cap words", "{body}");
        }
    }
}

#[test]
fn only_a_plain_no_says_that_a_click_has_no_conversion() {
    let verdict = |contents: &str| {
        let comma = if contents.is_empty() { "" } else { "," };
        let body = format!(
            r#"{{"request_status":"Success","response":{{"clicks":[{{"click_id":"abc","offer_id":5{comma}{contents}}}]}}}}"#
        );
        get_click::read(&Answer::new(200, &body), "abc")
            .unwrap()
            .unwrap()
            .verdict(5)
    };
    for no in [
        r#""converted":false"#,
        r#""converted":false,"conversion_id":null"#,
        r#""converted":false,"conversion_id":0"#,
        r#""converted":"No","conversion_id":"0""#,
        r#""Converted":"False","ConversionId":"""#,
        r#""converted":0,"conversion_id":{"@nil":"true"}"#,
        r##""converted":{"@type":"boolean","#text":"false"},"conversion_id":[0]"##,
        r#""converted":false,"conversions":0,"conversion":null"#,
        r#""converted":false,"conversions":[],"conversion":{}"#,
        r#""conversion_id":0"#,
        r#""conversion_id":null"#,
    ] {
        assert_eq!(verdict(no), ClickVerdict::NotConverted, "{no}");
    }
    assert_eq!(verdict(""), ClickVerdict::Silent);
    for unclear in [
        r#""converted":true"#,
        r#""converted":true,"conversion_id":null"#,
        r#""converted":true,"conversion_id":0"#,
        r#""converted":true,"conversion_id":"N/A""#,
        r#""conversions":[{"conversion_id":5}]"#,
        r#""converted":null"#,
        r#""converted":null,"conversion_id":null"#,
        r#""converted":null,"conversion_id":0"#,
        r#""converted":{},"conversion_id":null"#,
        r#""converted":[],"conversion_id":null"#,
        r#""converted":"","conversion_id":null"#,
        r#""converted":"maybe","conversion_id":0"#,
        r#""converted":2"#,
        r#""converted":[false,false]"#,
        r#""converted":false,"conversion_id":"AB-998877""#,
        r#""converted":false,"conversion_id":{"id":5}"#,
        r#""converted":false,"conversion_id":{}"#,
        r#""converted":false,"conversion_id":[]"#,
        r#""converted":false,"conversion_id":5.5"#,
        r#""converted":false,"conversion_id":-1"#,
        r#""converted":false,"conversion_id":true"#,
        r#""converted":false,"conversion_id":false"#,
        r#""converted":"no","conversion_id":"No""#,
        r#""conversion_id":false"#,
        r#""converted":false,"conversion_id":99999999999999999999"#,
        r#""converted":false,"conversion_id":5"#,
        r#""converted":false,"conversion":{"conversion_id":5}"#,
        r#""converted":false,"conversions":[{"conversion_id":5}]"#,
        r#""converted":false,"conversion_count":1"#,
        r#""conversion_id":"AB-998877""#,
        r#""conversion_id":{}"#,
        r#""conversion_id":-1"#,
    ] {
        assert_eq!(verdict(unclear), ClickVerdict::Unclear, "{unclear}");
    }
    assert_eq!(
        verdict(r#""converted":true,"conversion_id":"7.0""#),
        ClickVerdict::Converted(7)
    );
}

#[test]
fn an_error_status_with_a_record_anywhere_is_unknown() {
    let record = r#"{"conversion_id":7,"offer_id":5}"#;
    for body in [
        format!(r#"{{"conversions":[{{"conversion":{record}}}]}}"#),
        format!("[{record}]"),
        format!(r#"[{{"request_status":"Success","conversion":{record}}}]"#),
        format!(r#"{{"d":[{{"conversion":{record}}}]}}"#),
        format!(r#"{{"message":"Limit","result":{{"items":[[{record}]]}}}}"#),
        format!(r#"{{"d":{record:?}}}"#),
        r#"{"conversion":{"id":7}}"#.into(),
        r#"{"conversion":{"ConversionId":"AB-998877"}}"#.into(),
        "<r><conversion><conversion_id>7</conversion_id></conversion></r>".into(),
        r#"{"response":{"success":true}}"#.into(),
        r#"{"message":"Limit","conversion":{"conversion_id":7,"click"#.into(),
        r#"[{"Conversion":{"ConversionId": "AB7"#.into(),
    ] {
        for status in [400, 401, 403, 404, 409, 422, 425, 429, 451] {
            assert_eq!(reading(status, &body), "unknown", "{status} {body}");
        }
    }
    for body in [
        r#"{"conversions":[]}"#,
        r#"{"conversion":{"conversion_id":0,"click"#,
        r#"{"conversion":{"conversion_id":null,"click"#,
        r#"{"conversions":[{"conversion_id":0}]}"#,
        r#"[{"conversion_id":null,"message":"No offer"}]"#,
        r#"{"request":{"offer_id":5,"click_id":"abc"}}"#,
    ] {
        assert_eq!(reading(400, body), "http_status", "{body}");
    }
    let refusal = |rest: &str| format!(r#"{{"success":false,"message":"No offer",{rest}}}"#);
    assert_eq!(reading(200, &refusal(r#""conversions":[]"#)), "refused");
    for rest in [
        r#""conversions":[{"conversion_id":7}]"#,
        r#""response":{"conversion":{"conversion_id":7}}"#,
    ] {
        assert_eq!(reading(200, &refusal(rest)), "unknown", "{rest}");
        let list = format!("[{}]", refusal(rest));
        assert_eq!(reading(200, &list), "unknown", "{rest}");
    }
}

#[test]
fn a_record_is_another_events_by_any_name() {
    let read = |rest: &str| {
        let body =
            format!(r#"{{"request_status":"Success","conversion":{{"conversion_id":7,{rest}}}}}"#);
        reading(200, &body)
    };
    for theirs in [
        r#""request_session_id":"zzz""#,
        r#""RequestSessionId":12"#,
        r#""reqsessid":"zzz""#,
        r#""reqid":"zzz""#,
        r#""transaction_id":"OTHER""#,
        r#""TransactionId":"OTHER""#,
        r#""site_offer_id":999"#,
        r#""site_offer":{"site_offer_id":999}"#,
        r#""site_offer":{"id":999}"#,
        r#""offer":{"id":999}"#,
        r#""unique_id":{"id":"OTHER"}"#,
        r#""unique_id":["ORD-1","OTHER"]"#,
        r#""click_id":{"id":"zzz"}"#,
        r#""click":{"id":"zzz"}"#,
        r#""event":{"unique_id":"OTHER"}"#,
        r#""offer_id":"other""#,
    ] {
        assert_eq!(read(theirs), "unknown", "{theirs}");
    }
    for ours in [
        r#""request_session_id":"ABC""#,
        r#""reqsessid":"abc","reqid":"abc""#,
        r#""transaction_id":"ORD-1""#,
        // Older services have other ids beside CAKE's own names.
        r#""unique_id":"ORD-1","transaction_id":"998""#,
        r#""click_id":"abc","request_session_id":12,"tracking_id":13,"visitor_id":14"#,
        // A site may call its click id so.
        r#""transaction_id":"abc""#,
        r#""site_offer":{"site_offer_id":5,"site_offer_name":"Five"}"#,
        r#""offer_id":5,"site_offer_id":6"#,
        r#""unique_id":{"id":"ORD-1"}"#,
        r#""unique_id":null,"transaction_id":"","reqid":0"#,
        r#""order_id":"OTHER","request_id":"trace-1""#,
    ] {
        assert_eq!(read(ours), "recorded", "{ours}");
    }
}

#[test]
fn a_duplicate_of_another_event_or_with_another_error_proves_nothing() {
    let error = |status: u16, rest: &str| {
        let body = format!(r#"{{"success":false,"message":"Duplicate transaction"{rest}}}"#);
        record_conversion::read_for(&Answer::new(status, &body), ASKED).unwrap_err()
    };
    let is_duplicate = |error: &Error| super::super::certainty::is_duplicate(error, "ORD-1");
    for status in [200, 400, 409, 422] {
        for ours in [
            "",
            r#","unique_id":"ORD-1""#,
            r#","errors":[]"#,
            r#","error_code":"DUPLICATE_TRANSACTION""#,
            r#","errors":["This transaction is a duplicate"]"#,
        ] {
            assert!(is_duplicate(&error(status, ours)), "{status} {ours}");
        }
        for theirs in [
            r#","unique_id":"OTHER""#,
            r#","transaction_id":"OTHER""#,
            r#","conversion":{"conversion_id":5,"unique_id":"OTHER"}"#,
            r#","offer_id":999"#,
            r#","click_id":"zzz""#,
            r#","data":[{"reqid":"zzz"}]"#,
            r#","a":{"conversion_id":5},"b":{"conversion_id":6}"#,
        ] {
            let error = error(status, theirs);
            assert!(!is_duplicate(&error), "{status} {theirs}");
            assert_eq!(Certainty::from_error(&error), Certainty::Unknown);
        }
        for more in [
            r#","errors":["Offer is inactive"]"#,
            r#","error":{"message":"Offer is inactive"}"#,
            r#","response":{"message":"Offer is inactive"}"#,
            r#","details":"Offer is inactive""#,
        ] {
            let error = error(status, more);
            assert!(!is_duplicate(&error), "{status} {more}");
            assert_eq!(Certainty::from_error(&error), Certainty::NotRecorded);
            assert!(error.to_string().contains("Offer is inactive"), "{error}");
        }
    }
    // Words under other names are shown, and are no proof.
    for (status, body) in [
        (
            200,
            r#"{"success":false,"rules":{"a":{"b":"Duplicate transaction"}}}"#,
        ),
        (400, r#"{"rules":{"a":{"b":"Duplicate transaction"}}}"#),
    ] {
        let error = record_conversion::read_for(&Answer::new(status, body), ASKED).unwrap_err();
        assert!(!is_duplicate(&error), "{body}");
        assert!(
            error.to_string().contains("Duplicate transaction"),
            "{error}"
        );
    }
}

#[test]
fn the_words_of_a_no_are_found_under_any_name() {
    for (status, body) in [
        (
            200,
            r#"{"request_status":"Failure","info":[{"code":7},{"note":"Offer is paused"}]}"#,
        ),
        (
            200,
            r#"{"request_status":"Failure","info":{"a":{"b":"Offer is paused"}}}"#,
        ),
        (
            200,
            r#"{"request_status":"Failure","a":[["Offer is paused"]]}"#,
        ),
        (
            200,
            r#"{"request_status":"Failure","validation":[{"field":"offer_id","reason":"Offer is paused"}]}"#,
        ),
        (
            400,
            r#"{"responseStatus":{"errorCode":"X","message":"Offer is paused"}}"#,
        ),
        (
            422,
            r#"{"checks":[{"at":"2026-01-15 09:42:11","note":"Offer is paused"}]}"#,
        ),
        (200, r#"[{"success":false,"message":"Offer is paused"}]"#),
        (
            200,
            r#"{"success":false,"details":{"text":"Offer is paused"}}"#,
        ),
        (
            200,
            r#"{"success":false,"message":"Error","a":{"b":{"c":"Offer is paused"}}}"#,
        ),
        (
            200,
            r#"{"success":false,"offer_name":"Auto Insurance Quote","code":"E-1045","at":"Thu 15 January 2026","d2":"a1b2c3d4-e5f6-7890","note":"Offer is paused https://x.example/?api_key=1"}"#,
        ),
    ] {
        let error = record_conversion::read_for(&Answer::new(status, body), ASKED).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("Offer is paused"), "{body}: {text}");
        assert!(
            !text.contains("//") && !text.contains("Insurance"),
            "{text}"
        );
    }
    let error = reading(200, r#"{"request_status":"Failure","code":42}"#);
    assert_eq!(error, "refused");
}
