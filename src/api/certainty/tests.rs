//! The table of certainty, and the rules for every answer.

use super::super::asked::Asked;
use super::super::record_conversion;
use super::super::{Account, Answer};
use super::words::*;
use super::*;
use proptest::prelude::*;

mod duplicates;

const ASKED: Asked<'static> = Asked {
    click_id: "abc",
    offer_id: 5,
    unique_id: Some("ORD-1"),
};

fn refused(message: &str) -> Error {
    let body = format!(r#"{{"success":false,"message":"{message}"}}"#);
    record_conversion::read_for(&Answer::new(200, &body), ASKED).unwrap_err()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn the_table_of_certainty() {
    use Certainty::{NotRecorded, Recorded, Unknown};
    for (status, body, expected) in [
        (200, r#"{"conversion":{"conversion_id":7}}"#, Recorded),
        (201, r#"{"conversion_id":"7.0"}"#, Recorded),
        (200, "\u{feff}{\"conversion_id\":7}", Recorded),
        (
            200,
            r#"{"success":false,"message":"Offer is closed"}"#,
            NotRecorded,
        ),
        (200, r#"{"request_status":"Failure"}"#, NotRecorded),
        (200, r#"{"success":"False"}"#, NotRecorded),
        (200, r#"{"SUCCESS":"FALSE"}"#, NotRecorded),
        (200, r#"{"Success":"no"}"#, NotRecorded),
        (
            200,
            r#"{"Success":"True","Conversion":{"ConversionId":"7"}}"#,
            Recorded,
        ),
        (
            200,
            r#"{"d":{"REQUEST_STATUS":"SUCCESS","CONVERSION_ID":7}}"#,
            Recorded,
        ),
        (
            200,
            r#"{"d":{"Success":false,"Conversion":{"ConversionId":7}}}"#,
            Unknown,
        ),
        (200, "Restricted", NotRecorded),
        (
            200,
            r#"{"success":false,"message":"Invalid API Key"}"#,
            NotRecorded,
        ),
        (400, "", NotRecorded),
        (400, "Restricted", NotRecorded),
        (401, "", NotRecorded),
        (403, "", NotRecorded),
        (404, "", NotRecorded),
        (409, "", NotRecorded),
        (422, "", NotRecorded),
        (425, "", NotRecorded),
        (429, "", NotRecorded),
        (408, "", Unknown),
        (500, "", Unknown),
        (503, r#"{"conversion_id":7}"#, Unknown),
        (0, "", Unknown),
        (302, "", Unknown),
        (204, "", Unknown),
        (600, "", Unknown),
        (200, "", Unknown),
        (200, "\u{feff}", Unknown),
        (200, "<html>success</html>", Unknown),
        (200, r#"{"request_status":"Success","conv"#, Unknown),
        (200, r#"{"request_status":"Success"}"#, Unknown),
        (
            200,
            r#"{"success":true,"conversion":{"conversion_id":0}}"#,
            Unknown,
        ),
        (
            200,
            r#"{"success":true,"conversion":{"conversion_id":-1}}"#,
            Unknown,
        ),
        (
            200,
            r#"{"success":true,"conversion":{"conversion_id":7.5}}"#,
            Unknown,
        ),
        (200, r#"{"success":true,"conversion":[]}"#, Unknown),
        (
            200,
            r#"{"success":false,"conversion":{"conversion_id":7}}"#,
            Unknown,
        ),
        (
            200,
            r#"{"success":true,"request_status":"Failure"}"#,
            Unknown,
        ),
        (200, r#"{"success":"perhaps"}"#, Unknown),
        (200, r#"{"request_status":7}"#, Unknown),
        (
            200,
            r#"{"request_status":"Failure","request_status":"Success","conversion":{"conversion_id":7}}"#,
            Unknown,
        ),
        (200, r#"{"success":true,"success":false}"#, Unknown),
        (200, r#"{"success":false,"Success":"true"}"#, Unknown),
        (
            200,
            r#"{"success":true,"conversion":{"conversion_id":0,"conversion_id":7}}"#,
            Unknown,
        ),
        (
            200,
            r#"{"success":true,"conversion":{"conversion_id":7,"ConversionId":8}}"#,
            Unknown,
        ),
        (
            200,
            r#"{"success":true,"conversion":{"conversion_id":7},"conversion":{"conversion_id":8}}"#,
            Unknown,
        ),
        (
            200,
            r#"{"success":true,"conversion_id":8,"conversion":{"conversion_id":7}}"#,
            Unknown,
        ),
        (
            200,
            r#"{"success":true,"success":"True","conversion":{"conversion_id":7,"conversion_id":"7"}}"#,
            Recorded,
        ),
        (400, r#"{"request_status":"Success"}"#, Unknown),
        (403, r#"{"success":"True"}"#, Unknown),
        (404, r#"{"conversion_id":7}"#, Unknown),
        (409, r#"{"d":{"Conversion":{"ConversionId":"7"}}}"#, Unknown),
        (
            422,
            r#"{"success":false,"conversion":{"conversion_id":7}}"#,
            Unknown,
        ),
        (429, r#"{"conversion":{"conversion_id":7}}"#, Unknown),
        (425, r#"{"conversion":{"conversion_id":7}}"#, Unknown),
        (429, r#"{"success":true}"#, Unknown),
        (
            200,
            r#"{"success":false,"message":"Restricted","conversion":{"conversion_id":7}}"#,
            Unknown,
        ),
        (429, r#"{"conversion":{"conversion_id":0}}"#, NotRecorded),
        (
            429,
            r#"{"success":false,"message":"Restricted"}"#,
            NotRecorded,
        ),
        (
            409,
            r#"{"success":false,"conversion":{"conversion_id":0}}"#,
            NotRecorded,
        ),
        (200, r#"{"d":null}"#, Unknown),
        (200, "{}", Unknown),
        (200, "null", Unknown),
    ] {
        let result = record_conversion::read_for(&Answer::new(status, body), ASKED);
        assert_eq!(
            Certainty::from_result(&result),
            expected,
            "{status} {body} {result:?}"
        );
    }
}

#[test]
fn a_record_is_this_conversions_wherever_it_says_whose_it_is() {
    let read = |rest: &str| {
        let body = format!(r#"{{"request_status":"Success",{rest}}}"#);
        record_conversion::read_for(&Answer::new(200, &body), ASKED)
    };
    for ours in [
        r#""conversion":{"conversion_id":7,"offer":{"offer_id":5,"offer_name":"Five"}}"#,
        r#""conversion":{"conversion_id":7,"Offer":{"OfferId":"5"},"offer_id":5.0}"#,
        r#""conversion":{"conversion_id":7},"offer_id":5,"unique_id":"ORD-1 ","click_id":"ABC""#,
        r#""conversion":{"conversion_id":7,"click":{"click_id":"abc"}}"#,
        r#""conversion":{"conversion_id":7,"unique_id":0,"click_id":"0","offer":{"offer_id":0}}"#,
        r#""conversion":{"conversion_id":7,"offer":"Five"}"#,
    ] {
        assert_eq!(read(ours).unwrap().conversion_id, Some(7), "{ours}");
    }
    for theirs in [
        r#""conversion":{"conversion_id":7,"offer":{"offer_id":6}}"#,
        r#""conversion":{"conversion_id":7,"Offer":{"OfferId":"6"}}"#,
        r#""conversion":{"conversion_id":7,"click":{"click_id":"zzz"}}"#,
        r#""conversion":{"conversion_id":7},"offer_id":6"#,
        r#""conversion":{"conversion_id":7},"unique_id":"ORD-2""#,
        r#""conversion":{"conversion_id":7},"click_id":"zzz""#,
        r#""conversion":{"conversion_id":7,"offer_id":5,"offer":{"offer_id":6}}"#,
        r#""conversion":{"conversion_id":7,"unique_id":"ORD-1"},"unique_id":"ORD-2""#,
        r#""response":{"conversion":{"conversion_id":7},"unique_id":"ORD-2"}"#,
        r#""conversion":{"conversion_id":7},"unique_id":"ORD-1","Unique_Id":"ORD-2""#,
    ] {
        let error = read(theirs).unwrap_err();
        assert_eq!(error.code(), "unexpected_answer", "{theirs}");
    }
}

#[test]
fn an_error_status_beside_a_yes_in_any_words_is_unknown() {
    let text = |inner: &str| serde_json::to_string(inner).unwrap();
    let record = r#"{"request_status":"Success","conversion":{"conversion_id":7}}"#;
    let bodies = [
        r#"{"success":true}"#.to_owned(),
        r#"{"success":"Success"}"#.to_owned(),
        r#"{"status":"success"}"#.to_owned(),
        r#"{"Status":"OK"}"#.to_owned(),
        r#"{"result":"Success"}"#.to_owned(),
        r#"{"result":true}"#.to_owned(),
        r#"{"ok":true}"#.to_owned(),
        r#"{"isSuccess":1}"#.to_owned(),
        r#"{"succeeded":"yes"}"#.to_owned(),
        r#"{"d":{"status":"success"}}"#.to_owned(),
        text(record),
        text(&text(record)),
        text(r#"{"status":"success"}"#),
        r#"{"request_status":"Success","conv"#.to_owned(),
        r#"{ "Request_Status" : "Success" , "conversion":{"#.to_owned(),
        r#"{"success":true,"conv"#.to_owned(),
        text(record).get(..40).unwrap().to_owned(),
        "Success".to_owned(),
        r#""SUCCESS""#.to_owned(),
        "<result><success>true</success></result>".to_owned(),
    ];
    for status in [400, 401, 403, 404, 409, 422, 425, 429] {
        for body in &bodies {
            let error = record_conversion::read_for(&Answer::new(status, body), ASKED).unwrap_err();
            assert_eq!(
                Certainty::from_error(&error),
                Certainty::Unknown,
                "{status} {body}"
            );
        }
        for body in [
            "",
            r#"{"success":false}"#,
            r#"{"status":"error","result":"declined"}"#,
            r#"{"status":400,"message":"Success is not for you"}"#,
            r#"{"success":false,"conv"#,
            "Unsuccessful",
            r#""Bad request""#,
        ] {
            let error = record_conversion::read_for(&Answer::new(status, body), ASKED).unwrap_err();
            assert_eq!(
                Certainty::from_error(&error),
                Certainty::NotRecorded,
                "{status} {body}"
            );
        }
    }
}

#[test]
fn a_duplicate_is_this_very_transaction() {
    for message in [
        "Duplicate unique_id",
        "Duplicate transaction",
        "A duplicate transaction was received",
        "Duplicate transaction id",
        "Duplicate Transaction ID: ORD-1",
        "Duplicate transaction id 'ORD-1' found.",
        "duplicate_transaction",
        "Error: duplicate transaction",
        "FAILURE: this transaction is a duplicate",
        "This transaction is a duplicate",
        "Transaction ORD-1 is a duplicate",
        "Transaction ID already exists",
        "Transaction already exists in the system",
        "Unique ID ORD-1 already used",
        "Transaction id has already been recorded",
        "The unique id has already been processed",
    ] {
        assert!(is_duplicate(&refused(message), "ORD-1"), "{message}");
        for status in [400, 409, 422] {
            let body = format!(r#"{{"success":false,"message":"{message}"}}"#);
            let error =
                record_conversion::read_for(&Answer::new(status, &body), ASKED).unwrap_err();
            assert!(is_duplicate(&error, "ORD-1"), "{status} {message}");
            assert_eq!(Certainty::from_error(&error), Certainty::NotRecorded);
        }
        for status in [401, 404, 408, 429, 500, 503] {
            let body = format!(r#"{{"success":false,"message":"{message}"}}"#);
            let error =
                record_conversion::read_for(&Answer::new(status, &body), ASKED).unwrap_err();
            assert!(!is_duplicate(&error, "ORD-1"), "{status} {message}");
        }
    }
    for message in [
        "Affiliate has already reached its daily cap",
        "Offer has already expired",
        "Campaign is already paused",
        "Advertiser already exists under another name",
        "Duplicate payout rule on offer 12345",
        "Duplicate Lead",
        "Duplicate",
        "Conversions are recorded for active offers only",
        "Transaction was not recorded",
        "Transaction is not a duplicate",
        "No duplicate transaction was found",
        "Conversion already reached the cap",
        "Unique visitors already exist",
        "This click is not a duplicate but has no offer",
        "Offer is closed",
        "",
        // A click, an order or a period may have another conversion.
        "Conversion already exists for this click",
        "A conversion already exists for this click and offer",
        "Conversion already exists in this period; cap reached",
        "Duplicate conversion",
        "This conversion is a duplicate.",
        "Conversion already recorded",
        "Duplicate click",
        "Click id already used",
        "Duplicate order id",
        "The order id has already been processed",
        "A transaction already exists",
        "Another transaction already exists",
        "Duplicate transaction for this click",
        "Transaction already exists for another offer",
        "Transaction ID already exists in this period; cap reached",
        "Transaction already recorded for this click",
        // Another id, and an id that contains ours.
        "Duplicate transaction: ORD-2",
        "Duplicate transaction id ord-1",
        "Duplicate transaction id ORD-12",
        "Duplicate transaction id XORD-1",
        "Duplicate transaction id ORD-1-ORD-1",
        "Duplicate transaction: OTHER",
        "Transaction ORD-2 is a duplicate",
        "Transaction ORD-2 is a duplicate of ORD-1",
        "Unique ID ABC already used",
    ] {
        assert!(!is_duplicate(&refused(message), "ORD-1"), "{message}");
    }
    assert!(!is_duplicate(&Error::network(), "ORD-1"));
    let named = refused("Duplicate transaction id: one/two three");
    assert!(is_duplicate(&named, "one/two three"));
    assert!(!is_duplicate(&named, ""));
    assert!(is_duplicate(&refused("Duplicate transaction id"), ""));
}

#[test]
fn a_message_is_about_the_key_where_it_names_it() {
    for message in [
        "Invalid API Key",
        "Invalid API key.",
        "invalid_api_key",
        "API key is invalid",
        "Invalid ApiKey",
        "api-key missing",
        "Unauthorized",
    ] {
        assert!(is_about_the_key(message), "{message}");
    }
    for message in [
        "Unauthorized affiliate for this offer",
        "Affiliate Not Authorized for Campaign",
        "Affiliate unauthorized",
        "Invalid Disposition ID",
        "Key offer is closed",
    ] {
        assert!(!is_about_the_key(message), "{message}");
    }
}

proptest! {
    #[test]
    fn a_recorded_conversion_has_a_conversion_id(status in 0_u16..700, body in "\\PC{0,80}") {
        let account = Account::new("https://a.example", "CANARY-KEY").unwrap();
        let answer = Answer::new(status, &body).with_account(&account);
        let result = record_conversion::read_for(&answer, ASKED);
        if Certainty::from_result(&result) == Certainty::Recorded {
            prop_assert!(result.unwrap().conversion_id >= Some(1));
        }
    }
}
