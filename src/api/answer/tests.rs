//! Answers that accounts give.

use super::super::asked::Asked;
use super::super::get_click;
use super::super::record_conversion;
use super::*;

#[test]
fn json_of_another_shape_is_called_json() {
    for (body, rule) in [
        (r#"[{"click_id":"abc"}]"#, "is JSON of another shape"),
        (
            r#"[{"success":false,"message":"No"},{"success":false}]"#,
            "is JSON of another shape",
        ),
        (r#"[{"error":"No"}]"#, "is JSON of another shape: [{"),
        ("[]", "is JSON of another shape"),
        ("null", "is JSON of another shape"),
        (" true\n", "is JSON of another shape"),
        ("[broken", "is not JSON"),
        ("nothing", "is not JSON"),
    ] {
        let error = Answer::new(200, body).open().map(drop).unwrap_err();
        assert!(error.to_string().contains(rule), "{body}: {error}");
    }
}

#[test]
fn an_answer_in_a_list_of_its_own_says_what_it_says() {
    for (body, code, words) in [
        (
            r#"[{"success":false,"message":"No offer"}]"#,
            "refused",
            "No offer",
        ),
        (
            r#" [ {"request_status":"Failure","message":"No offer"} ] "#,
            "refused",
            "No offer",
        ),
        (
            r#"{"d":[{"success":false,"message":"No offer"}]}"#,
            "refused",
            "No offer",
        ),
        (
            r#"[{"success":false,"message":"Restricted"}]"#,
            "rate_limited",
            "limiting",
        ),
        (
            r#"[{"success":false,"message":"Invalid API Key"}]"#,
            "unauthorized",
            "Invalid API Key",
        ),
    ] {
        let error = Answer::new(200, body).open().map(drop).unwrap_err();
        assert_eq!(error.code(), code, "{body}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let yes = r#"[{"success":true,"conversion":{"conversion_id":5}}]"#;
    let error = Answer::new(200, yes).open().map(drop).unwrap_err();
    assert_eq!(error.code(), "unexpected_answer");
}

#[test]
fn words_beside_a_list_that_is_not_there_reach_the_caller() {
    for body in [
        r#"{"d":"No offer"}"#,
        r#"{"result":{"success":false,"message":"No offer"}}"#,
        r#"{"data":{"Success":false,"Message":"No offer"}}"#,
        r#"{"success":true,"error":"No offer"}"#,
        r#"{"Message":"The request is invalid.","ModelState":{"offer_id":["No offer"]}}"#,
        r#"{"error":"invalid_request","error_description":"No offer"}"#,
        r#"{"request_status":"Failed","request_message":"No offer"}"#,
        r#"{"request_status":"Failure","ResultMessage":"No offer"}"#,
    ] {
        let answer = Answer::new(200, body);
        for error in [
            get_click::read(&answer, "abc").unwrap_err(),
            record_conversion::read_for(&answer, Asked::default()).unwrap_err(),
        ] {
            assert!(error.to_string().contains("No offer"), "{body}: {error}");
        }
    }
}

#[test]
fn the_words_of_an_error_status_reach_the_caller() {
    let fault = r#"<?xml version="1.0"?><soap:Envelope><soap:Body><soap:Fault><faultcode>soap:Server</faultcode><faultstring>No such offer &amp; more</faultstring></soap:Fault></soap:Body></soap:Envelope>"#;
    for (status, body, code, words) in [
        (500, fault, "http_status", "No such offer & more"),
        (
            400,
            r#"{"Message":"Bad range"}"#,
            "http_status",
            "Bad range",
        ),
        (
            422,
            r#"{"d":{"message":"Bad range"}}"#,
            "http_status",
            "Bad range",
        ),
        (
            400,
            r#"{"d":"{\"message\":\"Bad range\"}"}"#,
            "http_status",
            "Bad range",
        ),
        (
            400,
            r#"{"errors":{"offer_id":["is needed"]}}"#,
            "http_status",
            "is needed",
        ),
        (
            503,
            "<html><head><title>Service Unavailable</title></head>",
            "http_status",
            "Service Unavailable",
        ),
        (404, "No such route", "http_status", "No such route"),
        (
            429,
            r#"{"Message":"Daily quota reached"}"#,
            "rate_limited",
            "Daily quota reached",
        ),
        (
            429,
            r#"[{"success":false,"message":"Daily quota reached"}]"#,
            "rate_limited",
            "Daily quota reached",
        ),
        (
            429,
            "Daily quota reached",
            "rate_limited",
            "Daily quota reached",
        ),
        (
            429,
            "<h1>Daily quota reached</h1>",
            "rate_limited",
            "Daily quota reached",
        ),
        (429, "Restricted", "rate_limited", "requests (status 429)"),
        (429, "", "rate_limited", "requests (status 429)"),
        (
            400,
            r#"[{"Message":"Bad range"}]"#,
            "http_status",
            "error status: Bad range",
        ),
        (500, "", "http_status", "error status (status 500)"),
        (500, "{}", "http_status", "error status (status 500)"),
        (
            403,
            "<h1>Blocked by the firewall</h1>",
            "unauthorized",
            "Blocked by the firewall",
        ),
        (
            400,
            r#"{"Message":"Invalid API Key"}"#,
            "unauthorized",
            "Invalid API Key",
        ),
        (
            500,
            r#"{"Message":"Invalid API Key"}"#,
            "http_status",
            "Invalid API Key",
        ),
    ] {
        let account = Account::new("https://a.example", "CANARY").unwrap();
        let answer = Answer::new(status, body).with_account(&account);
        for error in [
            get_click::read(&answer, "abc").unwrap_err(),
            record_conversion::read_for(&answer, Asked::default()).unwrap_err(),
        ] {
            assert_eq!(error.code(), code, "{body}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}

#[test]
fn the_words_of_an_error_are_short_and_without_the_key() {
    let account = Account::new("https://a.example", "CANARY").unwrap();
    let body = format!("the key CANARY is {}", "wrong ".repeat(1_000));
    for status in [400, 401, 404, 500] {
        let answer = Answer::new(status, &body).with_account(&account);
        let error = get_click::read(&answer, "abc").unwrap_err().to_string();
        assert!(!error.contains("CANARY") && error.len() < 300, "{error}");
    }
}
