//! What "duplicate" proves beside a no, a yes and a record.

use super::*;
use crate::api::record_conversion::Duplicate;

#[test]
fn a_duplicate_beside_a_yes_or_its_record_is_no_certain_no_and_proves_an_earlier_request() {
    const WORDS: &str = r#""message":"This transaction is a duplicate""#;
    for status in [200, 400, 409, 422] {
        for (rest, id) in [
            (
                r#""success":false,"conversion":{"conversion_id":7}"#,
                Some(7),
            ),
            (
                r#""success":false,"conversion_id":"7","unique_id":"ORD-1""#,
                Some(7),
            ),
            (r#""success":false,"data":[{"conversion_id":7}]"#, Some(7)),
            (r#""success":false,"result":"success""#, None),
        ] {
            let body = format!("{{{WORDS},{rest}}}");
            let answer = Answer::new(status, &body);
            let error = record_conversion::read_for(&answer, ASKED).unwrap_err();
            assert_eq!(
                Certainty::from_error(&error),
                Certainty::Unknown,
                "{status} {body}"
            );
            let before = record_conversion::find_duplicate(&answer, ASKED);
            assert_eq!(before, Duplicate::Before(id), "{status} {body}");
        }
    }
    // With another record, the answer is about something else.
    for rest in [
        r#""conversion":{"conversion_id":7,"unique_id":"ORD-2"}"#,
        r#""a":{"conversion_id":7},"b":{"conversion_id":8}"#,
        r#""errors":["Offer is inactive"]"#,
    ] {
        let body = format!("{{{WORDS},\"success\":false,{rest}}}");
        let answer = Answer::new(409, &body);
        let before = record_conversion::find_duplicate(&answer, ASKED);
        assert!(!matches!(before, Duplicate::Before(_)), "{body}");
    }
}

/// Fields beside a success that say nothing of a repeat.
const QUIET: &[&str] = &[
    r#""message":"Conversion recorded""#,
    r#""message":"Offer is paused""#,
    r#""message":"Conversion recorded before the daily cap was reached""#,
    r#""message":"Recorded before 2026-12-01""#,
    r#""message":"Recorded earlier than expected""#,
    r#""message":"Conversion added for a repeat customer""#,
    r#""message":"Conversion recorded for an existing lead""#,
    r#""message":"Coupon has been used""#,
    r#""message":"Transaction ID used: ORD-1""#,
    r#""message":"Transaction ID is used for reporting""#,
    r#""message":"First conversion of the click""#,
    r#""message":"Original conversion date kept""#,
    r#""note":"Never seen before""#,
    r#""message":"Please check before""#,
    r#""recorded":true"#,
    r#""recorded":"2026-06-01 10:00:00""#,
    r#""rows_affected":1"#,
    r#""rows_unaffected":0"#,
    r#""new_conversions":1"#,
    r#""new_conversions":[{"id":7}]"#,
    r#""new_conversions":[]"#,
    r#""new_conversion":true"#,
    r#""conversion_created":"2026-06-01 10:00:00""#,
    r#""rows_added":"1""#,
    r#""is_new_customer":false"#,
    r#""is_new_account":false"#,
    r#""newsletter_count":0"#,
    r#""renewed_conversions":0"#,
    r#""account_created":false"#,
    r#""discount_recorded":"no""#,
    r#""country_recorded":"NO""#,
    r#""errors_recorded_count":0"#,
    r#""failed_records_created":0"#,
    r#""conversions_not_recorded":0"#,
    r#""unrecorded_conversions":0"#,
    r#""duplicate_conversions_recorded":0"#,
    r#""duplicate_conversions":0"#,
    r#""restored_records":0"#,
    r#""postback_count":0"#,
    r#""already_existed":false"#,
    r#""already_paid":true"#,
    r#""idempotency_key":"ORD-1""#,
    r#""idempotent_replay":false"#,
    r#""newsletter":false"#,
    r#""message":"queued""#,
    r#""warnings":[]"#,
    r#""code":"0""#,
    r#""duplicate":false"#,
    r#""duplicate":null"#,
    r#""duplicate":{}"#,
    r#""duplicates":[]"#,
    r#""is_new":true"#,
    r#""created":"2026-06-01 10:00:00""#,
    r#""deduplicate":true"#,
    r#""offer_name":"Duplicate""#,
    r#""is_duplicate":0"#,
    r#""duplicate_clicks":1"#,
    r#""offer":{"offer_id":5,"description":"Only who is a customer already"}"#,
];

#[test]
fn a_yes_that_says_that_it_was_there_before_has_a_record_that_may_be_another_orders() {
    let forms = |words: &str, record: &str| {
        let said = format!(r#""message":"{words}""#);
        [
            format!(r#"{{"request_status":"Success",{said},"conversion":{{{record}}}}}"#),
            format!(r#"{{"request_status":"Success","conversion":{{{record},{said}}}}}"#),
            format!(r#"{{"success":true,{said},{record}}}"#),
            format!(r#"{{"success":true,"messages":["{words}"],"conversion":{{{record}}}}}"#),
            format!(r#"{{"d":{{"success":true,"detail":"{words}","conversion":{{{record}}}}}}}"#),
            format!(r#"{{"success":true,"status":"{words}","conversion":{{{record}}}}}"#),
            format!(r#"{{{said},"conversion":{{{record}}}}}"#),
        ]
    };
    let read = |body: &str| record_conversion::read_for(&Answer::new(200, body), ASKED);
    let before = |body: &str| record_conversion::find_duplicate(&Answer::new(200, body), ASKED);
    let click = r#""conversion_id":7,"offer_id":5,"click_id":"abc""#;
    let own = format!(r#"{click},"unique_id":"ORD-1""#);
    let others = [
        "Duplicate",
        "Duplicate conversion",
        "Duplicate Lead",
        "Already recorded",
        "Conversion already exists for this click",
        "Conversion exists",
        "Deduplicated",
        "Previously recorded",
        "Existing conversion returned",
        "Returning the existing conversion",
        "Conversion found: the original record is returned",
        "Conversion was recorded before",
        "Conversion 7 was recorded before as 54",
        "Repeat conversion",
        "REPEAT_CONVERSION",
        "Transaction ID has been used",
        "Transaction ID has been used by another conversion",
        "Unique id ORD-1 was used",
        "Transaction id used before",
        "Conversion logged earlier",
        "Success; this id was seen earlier",
        "Request replayed",
    ];
    let this = [
        "Duplicate transaction id",
        "This transaction is a duplicate",
    ];
    for words in others.iter().chain(&this) {
        for body in forms(words, click) {
            let error = read(&body).unwrap_err();
            assert_eq!(Certainty::from_error(&error), Certainty::Unknown, "{body}");
            // Beside a status it is no message.
            let is_this = this.contains(words) && !body.contains(r#""status":"#);
            let expected = if is_this {
                Duplicate::Before(Some(7))
            } else {
                Duplicate::No
            };
            assert_eq!(before(&body), expected, "{body}");
        }
        // The record itself is this order's.
        for body in forms(words, &own) {
            assert_eq!(read(&body).unwrap().conversion_id, Some(7), "{body}");
        }
    }
    // An order's id around the record may be the request's, sent back.
    let echoed = format!(
        r#"{{"success":true,"message":"Duplicate conversion","unique_id":"ORD-1","conversion":{{{click}}}}}"#
    );
    assert_eq!(read(&echoed).unwrap_err().code(), "unexpected_answer");
    for quiet in QUIET {
        let body = format!(r#"{{"success":true,{quiet},"conversion":{{{click}}}}}"#);
        assert_eq!(read(&body).unwrap().conversion_id, Some(7), "{body}");
        assert_eq!(before(&body), Duplicate::No, "{body}");
    }
    // A yes without a record, after a request of unknown outcome, is the same proof.
    let bare = r#"{"success":true,"message":"Duplicate transaction id"}"#;
    assert_eq!(before(bare), Duplicate::Before(None));
    for other in [
        r#"{"success":true,"message":"Duplicate transaction id","conversion":{"conversion_id":7,"unique_id":"ORD-2"}}"#,
        r#"{"success":true,"message":"Duplicate transaction id","error":"Offer is inactive"}"#,
        r#"{"success":true,"message":"Duplicate transaction id: ORD-2"}"#,
    ] {
        assert!(!matches!(before(other), Duplicate::Before(_)), "{other}");
    }
}

#[test]
fn a_code_or_a_flag_says_so_too() {
    let read = |body: &str| record_conversion::read_for(&Answer::new(200, body), ASKED);
    let click = r#""conversion_id":7,"offer_id":5,"click_id":"abc""#;
    let own = format!(r#"{click},"unique_id":"ORD-1""#);
    for flag in [
        r#""duplicate":true"#,
        r#""is_duplicate":"true""#,
        r#""IsDuplicate":1"#,
        r#""duplicate_of":54"#,
        r#""duplicate":{"of":54}"#,
        r#""duplicates":1"#,
        r#""duplicate_count":"1""#,
        r#""deduplicated":true"#,
        r#""is_deduped":1"#,
        r#""already_recorded":"yes""#,
        r#""is_new":false"#,
        r#""created":"no""#,
        r#""was_created":false"#,
        r#""new":false"#,
        r#""rows_affected":0"#,
        r#""RowsAffected":"0""#,
        r#""conversions_created":0"#,
        r#""new_conversions":0"#,
        r#""NewConversions":"0""#,
        r#""new_conversions":0.0"#,
        r#""new_conversion":false"#,
        r#""is_new_conversion":"no""#,
        r#""new_records":0"#,
        r#""new_rows":0"#,
        r#""new_count":0"#,
        r#""new_transaction":0"#,
        r#""conversions_new":0"#,
        r#""conversions_added":0"#,
        r#""rows_saved":0"#,
        r#""records_stored":"0""#,
        r#""conversions_registered":0"#,
        r#""added":false"#,
        r#""conversion_created":false"#,
        r#""transaction_recorded":0"#,
        r#""inserted_row":"no""#,
        r#""rows_affected":0.0"#,
        r#""duplicate_conversions":1"#,
        r#""duplicate_records":["54"]"#,
        r#""was_duplicate":true"#,
        r#""has_already_been_recorded":true"#,
        r#""alreadyExisted":true"#,
        r#""already_processed":1"#,
        r#""previously_recorded":"yes""#,
        r#""idempotent_replay":true"#,
        r#""idempotency_hit":true"#,
        r#""is_replay":true"#,
        r#""repeated":true"#,
        r#""inserted":0"#,
        r#""code":"DUPLICATE_TRANSACTION""#,
        r#""result_code":"duplicate""#,
        r#""warning":"Duplicate conversion""#,
        r#""message":"Success","warnings":["Duplicate transaction id"]"#,
        r#""notes":[{"message":"Dup"}]"#,
        r#""disposition":"Duplicate""#,
        r#""conversion_status":"duplicate""#,
    ] {
        let body = format!(r#"{{"success":true,{flag},"conversion":{{{click}}}}}"#);
        assert_eq!(
            read(&body).unwrap_err().code(),
            "unexpected_answer",
            "{body}"
        );
        let within = format!(r#"{{"success":true,"conversion":{{{click},{flag}}}}}"#);
        assert_eq!(
            read(&within).unwrap_err().code(),
            "unexpected_answer",
            "{within}"
        );
        let body = format!(r#"{{"success":true,{flag},"conversion":{{{own}}}}}"#);
        assert_eq!(read(&body).unwrap().conversion_id, Some(7), "{body}");
    }
}

#[test]
fn a_yes_that_says_that_nothing_was_kept_is_unknown_also_with_this_orders_record() {
    let read = |body: &str| record_conversion::read_for(&Answer::new(200, body), ASKED);
    let click = r#""conversion_id":7,"offer_id":5,"click_id":"abc""#;
    let own = format!(r#"{click},"unique_id":"ORD-1""#);
    let forms = |said: &str, record: &str| {
        [
            format!(r#"{{"success":true,{said},"conversion":{{{record}}}}}"#),
            format!(r#"{{"success":true,"conversion":{{{record},{said}}}}}"#),
            format!(r#"{{"request_status":"Success","x":{{{said}}},"conversion":{{{record}}}}}"#),
        ]
    };
    for said in [
        r#""recorded":false"#,
        r#""is_recorded":"no""#,
        r#""wasRecorded":0"#,
        r#""saved":"false""#,
        r#""stored":false"#,
        r#""message":"Conversion discarded""#,
        r#""message":"Conversion ignored""#,
        r#""message":"Dropped by a rule""#,
        r#""message":"Lead was skipped""#,
    ] {
        for record in [click, own.as_str()] {
            for body in forms(said, record) {
                let error = read(&body).unwrap_err();
                assert_eq!(Certainty::from_error(&error), Certainty::Unknown, "{body}");
            }
        }
    }
    // It is there from before, and this request was dropped.
    for said in [
        r#""message":"Duplicate transaction ignored","recorded":false"#,
        r#""message":"Duplicate ignored""#,
        r#""saved":false,"is_duplicate":true"#,
    ] {
        for body in forms(said, &own) {
            assert_eq!(read(&body).unwrap().conversion_id, Some(7), "{body}");
        }
        for body in forms(said, click) {
            assert!(read(&body).is_err(), "{body}");
        }
    }
    // Words about something else.
    for said in [
        r#""message":"Conversion recorded, postback suppressed""#,
        r#""message":"Postback ignored""#,
        r#""message":"Payout override ignored""#,
        r#""message":"Ignored parameters: adv9""#,
        r#""conversion_status":"ignored""#,
        r#""ignored_fields":"adv9""#,
    ] {
        for body in forms(said, click) {
            assert_eq!(read(&body).unwrap().conversion_id, Some(7), "{body}");
        }
    }
}
