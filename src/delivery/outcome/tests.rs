//! The table of meanings.

use super::*;
use crate::api::Account;

const ASKED: Asked<'static> = Asked {
    click_id: "c",
    offer_id: 5,
    unique_id: Some("u"),
};

fn api() -> Route {
    Route::Api(Account::new("https://a.example", "CANARY-KEY").unwrap())
}

fn meaning(status: u16, body: &str, is_in_doubt: bool) -> (&'static str, Signal, bool) {
    let meaning = Meaning::from_answer(&api(), &Answer::new(status, body), ASKED, is_in_doubt);
    (word(&meaning), meaning.signal(), meaning.is_alert())
}

fn word(meaning: &Meaning) -> &'static str {
    match meaning {
        Meaning::Recorded(_) => "recorded",
        Meaning::Refused(_) => "refused",
        Meaning::Again(_) => "again",
        Meaning::KeyRefused(_) => "key",
        Meaning::NotFound(_) => "not found",
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn the_table_of_meanings() {
    use Signal::{Failing, Healthy, KeyRefused, Limited, NotFound};
    for (status, body, expected) in [
        (
            200,
            r#"{"request_status":"Success","conversion":{"conversion_id":7}}"#,
            ("recorded", Healthy, false),
        ),
        (200, r#"{"conversion_id":7}"#, ("recorded", Healthy, false)),
        (
            200,
            r#"{"conversion_id":7,"unique_id":"u ","click_id":"C","offer_id":"5"}"#,
            ("recorded", Healthy, false),
        ),
        (
            200,
            r#"{"conversion_id":7,"unique_id":null,"click_id":"","offer_id":0}"#,
            ("recorded", Healthy, false),
        ),
        // A record of another transaction, from a cache.
        (
            200,
            r#"{"conversion_id":7,"unique_id":"other"}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"conversion_id":7,"unique_id":"U"}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"conversion_id":7,"unique_id":"u","click_id":"d"}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"conversion_id":7,"unique_id":"u","offer_id":6}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"conversion_id":7,"offer_id":6}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"success":false,"message":"Offer is closed"}"#,
            ("refused", Healthy, false),
        ),
        (
            200,
            r#"{"success":false,"message":"Unauthorized affiliate for this offer"}"#,
            ("refused", Healthy, false),
        ),
        (
            200,
            r#"{"request_status":"Failure"}"#,
            ("refused", Healthy, false),
        ),
        (400, "", ("refused", Healthy, false)),
        (409, "", ("refused", Healthy, false)),
        (422, "", ("refused", Healthy, false)),
        (
            200,
            r#"{"request_status":"Restricted"}"#,
            ("again", Limited(None), false),
        ),
        (
            200,
            r#"{"success":false,"message":"Too many requests"}"#,
            ("again", Limited(None), false),
        ),
        (
            200,
            r#"{"success":false,"message":"Conversion recorded"}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"request_status":"Queued"}"#,
            ("again", Failing, true),
        ),
        (402, "", ("not found", NotFound, false)),
        (404, "", ("not found", NotFound, false)),
        (405, "", ("not found", NotFound, false)),
        (410, "", ("not found", NotFound, false)),
        (421, "", ("not found", NotFound, false)),
        (451, "", ("not found", NotFound, false)),
        (413, "", ("refused", Healthy, false)),
        (401, "", ("key", KeyRefused, false)),
        (403, "", ("key", KeyRefused, false)),
        (
            200,
            r#"{"success":false,"message":"Invalid API key"}"#,
            ("key", KeyRefused, false),
        ),
        // A firewall, a proxy, a page while CAKE is away: nothing is said of the event.
        (
            403,
            "<html><title>Attention Required! | Cloudflare</title></html>",
            ("key", KeyRefused, false),
        ),
        (403, "error code: 1020", ("key", KeyRefused, false)),
        (
            200,
            "<html><title>Down for maintenance</title></html>",
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"success":false,"message":"The system is down for maintenance"}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"success":false,"message":"CAKE will be back soon"}"#,
            ("again", Failing, true),
        ),
        (408, "", ("again", Failing, false)),
        (425, "", ("again", Limited(None), false)),
        (429, "", ("again", Limited(None), false)),
        (500, "", ("again", Failing, false)),
        (503, "", ("again", Failing, false)),
        (200, "Restricted", ("again", Limited(None), false)),
        (400, "Restricted", ("again", Limited(None), false)),
        (
            422,
            r#"{"success":false,"message":"restricted."}"#,
            ("again", Limited(None), false),
        ),
        (403, "Restricted", ("key", KeyRefused, false)),
        (500, "Restricted", ("again", Failing, false)),
        (
            200,
            r#"{"success":false,"message":"Restricted"}"#,
            ("again", Limited(None), false),
        ),
        (302, "", ("again", Failing, true)),
        (0, "", ("again", Failing, true)),
        (200, "<html>Log in</html>", ("again", Failing, true)),
        (200, r#"{"request_status":"Succ"#, ("again", Failing, true)),
        (
            200,
            r#"{"request_status":"Success"}"#,
            ("again", Failing, true),
        ),
        (
            200,
            r#"{"conversion":{"conversion_id":0}}"#,
            ("again", Failing, true),
        ),
        (200, "", ("again", Failing, true)),
        (200, r#"{"d":null}"#, ("again", Failing, true)),
    ] {
        let (word, signal, is_alert) = meaning(status, body, false);
        // The first event that meets such words is answered like another.
        let signal = match signal {
            Signal::RefusedAlike(_) => Healthy,
            signal => signal,
        };
        assert_eq!((word, signal, is_alert), expected, "{status} {body}");
    }
    for error in [Error::network(), Error::Timeout, Error::AnswerTooLarge] {
        let meaning = Meaning::from_error(error);
        assert_eq!((word(&meaning), meaning.signal()), ("again", Failing));
    }
}

#[test]
fn a_duplicate_after_a_doubt_is_recorded_and_without_one_refused() {
    let body = r#"{"success":false,"message":"Duplicate transaction"}"#;
    assert_eq!(meaning(200, body, false).0, "refused");
    assert_eq!(meaning(200, body, true).0, "recorded");
    let other = r#"{"success":false,"message":"Affiliate has already reached its daily cap"}"#;
    assert_eq!(meaning(200, other, true).0, "refused");
    // Beside a yes and a record it may be another order's; of this transaction it is its own, after a doubt.
    let beside = |words: &str| {
        format!(
            r#"{{"request_status":"Success","message":"{words}","conversion":{{"conversion_id":7}}}}"#
        )
    };
    for (words, in_doubt) in [
        ("Duplicate transaction", "recorded"),
        ("Duplicate conversion", "again"),
    ] {
        assert_eq!(meaning(200, &beside(words), false).0, "again", "{words}");
        assert_eq!(meaning(200, &beside(words), true).0, in_doubt, "{words}");
    }
}

#[test]
fn a_pixels_word_is_read_and_not_searched() {
    let route = Route::pixel("track.yournetwork.com").unwrap();
    for (status, body, expected) in [
        (200, "SUCCESS", "recorded"),
        (200, "\u{feff}SUCCESS\r\n", "recorded"),
        (200, " SUCCESS. ", "recorded"),
        (200, "SUCCESS: 998877", "recorded"),
        (200, "SUCCESS: not reached", "again"),
        (200, "SUCCESS is near", "again"),
        (200, "SUCCESS: 2026-06-19 00:00:00", "recorded"),
        (200, "SUCCESS:0", "again"),
        (200, "SUCCESS: 0.00", "again"),
        (200, "SUCCESS=0", "again"),
        (200, "SUCCESS=1", "again"),
        (200, "SUCCESS?", "again"),
        (200, "SUCCESS: -1", "again"),
        (200, "SUCCESS: err0r", "again"),
        (200, "SUCCESS/FAILURE", "again"),
        (200, "SUCCESS 998877", "recorded"),
        (200, "SUCCESS\n998877\n", "recorded"),
        (200, "SUCCESS - 998877", "recorded"),
        (200, "SUCCESS-998877", "recorded"),
        (200, "SUCCESS;998877", "recorded"),
        (200, "SUCCESS, 998877.", "recorded"),
        (200, "Success", "recorded"),
        (200, "success: 998877", "recorded"),
        (200, "SUCCESS 0", "again"),
        (200, "SUCCESS -1", "again"),
        (200, "SUCCESS -", "again"),
        (200, "SUCCESS 1 error", "again"),
        (200, "SUCCESS\nFAILURE", "again"),
        (200, "Success rate too low", "again"),
        (200, "Failure: 998877", "refused"),
        (400, "Success", "again"),
        (425, "SUCCESS", "again"),
        (429, "SUCCESS", "again"),
        (403, "SUCCESS=0", "again"),
        (200, "UNSUCCESSFUL", "again"),
        (200, "SUCCESSFULLY REFUSED", "again"),
        (200, "NO SUCCESS", "again"),
        (200, "SUCCESS_URL", "again"),
        (200, "FAILURE: Invalid r", "refused"),
        (200, "FAILURE: not SUCCESS", "refused"),
        (200, "FAILURE\r\nSUCCESS is near", "refused"),
        (
            200,
            r#"{"success":false,"message":"SUCCESS is not for you"}"#,
            "refused",
        ),
        (200, r#"{"success":true,"message":"SUCCESS"}"#, "again"),
        (200, "<html>SUCCESS_URL SUCCESS</html>", "again"),
        (200, "<!-- SUCCESS -->", "again"),
        (200, "", "again"),
        (302, "", "again"),
        (500, "SUCCESS", "again"),
        (404, "", "not found"),
        (400, "SUCCESS", "again"),
        (404, "SUCCESS: 998877", "again"),
        (400, "UNSUCCESSFUL", "refused"),
        (200, "FAILURE: Restricted", "again"),
        (200, "FAILURE: too many requests", "again"),
        (200, "FAILURE: conversion recorded", "again"),
        (200, "FAILURE: this transaction is a duplicate", "refused"),
    ] {
        let meaning = Meaning::from_answer(&route, &Answer::new(status, body), ASKED, false);
        assert_eq!(word(&meaning), expected, "{status} {body}");
    }
    for status in [400, 403, 404, 409, 422, 425, 429] {
        let answer = Answer::new(status, "SUCCESS");
        let Meaning::Again(error) = Meaning::from_answer(&route, &answer, ASKED, false) else {
            panic!("{status} is a certain no");
        };
        assert_eq!(
            Certainty::from_error(&error),
            Certainty::Unknown,
            "{status}"
        );
    }
    for (body, expected) in [
        ("FAILURE: this transaction is a duplicate", "recorded"),
        (
            r#"{"success":false,"message":"Duplicate transaction","unique_id":"u"}"#,
            "recorded",
        ),
        (
            r#"{"success":false,"message":"Duplicate transaction","unique_id":"v"}"#,
            "again",
        ),
        (
            r#"{"success":false,"message":"Duplicate transaction","errors":["No offer"]}"#,
            "refused",
        ),
    ] {
        let meaning = Meaning::from_answer(&route, &Answer::new(200, body), ASKED, true);
        assert_eq!(word(&meaning), expected, "{body}");
    }
}
