//! What a no in words is.

use super::refused_alike;
use crate::Error;
use crate::api::Answer;
use crate::api::asked::Asked;
use crate::api::certainty::Certainty;
use crate::api::record_conversion;

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
fn a_no_with_words_of_success_or_of_work_that_goes_on_is_unknown() {
    let meaning = |status: u16, body: &str| {
        let read = record_conversion::read_for(&Answer::new(status, body), ASKED);
        Certainty::from_result(&read)
    };
    let no = |message: &str| format!(r#"{{"success":false,"message":"{message}"}}"#);
    for message in [
        "Success",
        "OK",
        "Conversion recorded successfully",
        "Conversion was successful but postback failed",
        "Conversion Updated",
        "Conversion 998877 recorded",
        "Transaction id ORD-1 was saved",
        "Recorded",
        "Recorded with warnings",
        "Conversion is queued for processing",
        "Conversion queued",
        "Lead accepted",
        "Service temporarily unavailable, please try again later",
        "The server is busy",
        "Timeout expired. The timeout period elapsed prior to completion of the operation or the server is not responding.",
        "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.",
        "System under maintenance",
        "Connection timed out",
        "An error occurred",
        "An error has occurred.",
        "An unexpected error occurred while processing your request",
        "Cannot open database \\\"cake\\\" requested by the login. The login failed.",
        "A network-related or instance-specific error occurred while establishing a connection to SQL Server",
        "System.NullReferenceException: Object reference not set to an instance of an object.",
        "The transaction log for database 'cake' is full",
        "The underlying connection was closed",
        "Unable to connect to the remote server",
        "502 Bad Gateway",
        "Conversion failed: Internal Server Error",
        "Conversion failed: timeout",
        "Could not connect to the click database",
        "Could not connect to the database",
        "Too many concurrent conversions",
        "Too many concurrent requests",
        "Too many connections",
        "Too busy",
        "Unable to save conversion",
        "Failed to record the conversion",
        "Error recording conversion",
        "Conversion was not recorded",
        "Conversion not recorded.",
        "Conversion could not be saved.",
        "Your conversion couldn't be processed",
        "Conversion could not be recorded successfully",
        "The lead cannot be stored at this moment",
        "Event has not been tracked",
        "Request was not processed",
        "Internal Server Error",
        "500 Internal Server Error",
        "Server error",
        "Runtime Error",
        "DB error",
        "Database unreachable",
        "Unable to process your request at this time",
        "read-only mode",
        "Please try after some time",
        "Transient error",
        "502",
        "Error 503",
    ] {
        for status in [200, 400, 409, 422] {
            assert_eq!(
                meaning(status, &no(message)),
                Certainty::Unknown,
                "{status} {message}"
            );
        }
    }
    for word in [
        "Queued",
        "Pending",
        "Processing",
        "In Progress",
        "Accepted",
        "Timeout",
        "OK",
        "Submitted",
    ] {
        for body in [
            format!(r#"{{"request_status":"{word}"}}"#),
            format!(r#"{{"request_status":"{word}","message":"Thank you","conversion":{{}}}}"#),
        ] {
            assert_eq!(meaning(200, &body), Certainty::Unknown, "{body}");
        }
    }
}

#[test]
fn a_no_with_words_about_its_conversion_is_for_good() {
    let meaning = |body: &str| {
        let read = record_conversion::read_for(&Answer::new(200, body), ASKED);
        Certainty::from_result(&read)
    };
    let no = |message: &str| format!(r#"{{"success":false,"message":"{message}"}}"#);
    for message in [
        "Offer is closed",
        "Request was not successful",
        "UNSUCCESSFUL",
        "0 conversions updated",
        "No conversions updated",
        "Nothing was updated",
        "Conversion already exists for this click",
        "Conversion has already been recorded",
        "Affiliate is pending approval",
        "Offer is pending",
        "Offer is no longer available",
        "Conversion rejected",
        "Success rate too low",
        "Cookie expired",
        "Invalid Disposition ID",
        "Conversion Not Found",
        "Error: offer is closed",
        "Unable to record conversion: offer is closed",
        "Error recording conversion: invalid click",
        "Failed to save conversion, already converted",
        "Conversion was not recorded: offer is closed",
        "Conversion could not be saved. Invalid click",
        "Offer is no longer available",
        "Offer not available",
        "Conversion already recorded",
        "Click expired",
        "Click not found in database",
        "Offer 502",
        "Campaign: offline",
    ] {
        assert_eq!(meaning(&no(message)), Certainty::NotRecorded, "{message}");
    }
    for word in ["Failure", "Error", "Failed", "Rejected", "Not Found"] {
        let body = format!(r#"{{"request_status":"{word}"}}"#);
        assert_eq!(meaning(&body), Certainty::NotRecorded, "{word}");
    }
}

#[test]
fn a_service_that_is_away_refuses_nothing_and_an_offer_that_is_away_is_refused() {
    let certainty = |message: &str| Certainty::from_error(&refused(message));
    for message in [
        "The system is down for maintenance. Please come back later.",
        "CAKE is offline",
        "We'll be back soon!",
        "The application is currently unavailable",
        "The API is not available at this time",
        "Scheduled downtime",
        "Out of service",
        "Try your request in a few minutes",
        "CAKE is offline. Conversion not recorded.",
        "CAKE is offline. Offer not loaded.",
        "Conversions are not available at this time",
        "The conversion API is not available at this time",
        "We'll be back soon! Your conversion was not recorded",
        "We'll be back soon. Conversions are queued",
        "The system is offline. Conversions will not be recorded",
        "Conversion service is offline",
        "Click tracking is offline",
        "Click database is offline",
        "Offer service is down",
        "Under maintenence",
        "Service not available",
        "Currently not available",
        "API offline",
        "offline",
        "off-line",
        "Unavailable",
        "shutting down",
        "Restarting",
    ] {
        assert_eq!(certainty(message), Certainty::Unknown, "{message}");
    }
    for message in [
        "Offer is currently unavailable",
        "Campaign is offline",
        "Creative is not available at this time",
        "This feature is not available",
        "Offer is not available via API",
        "Offer is currently not available",
        "Offer: unavailable",
    ] {
        assert_eq!(certainty(message), Certainty::NotRecorded, "{message}");
    }
}

#[test]
fn a_limit_in_words_is_no_refusal_and_a_cap_is_one() {
    for message in [
        "Rate limit exceeded",
        "API rate limit exceeded, please try again later",
        "You are being rate-limited",
        "Too many requests",
        "Request limit exceeded",
        "Requests per minute exceeded",
        "Throttled",
        "API call limit exceeded",
        "Monthly API quota exceeded",
        "Your quota is used up",
        "Restricted",
    ] {
        assert_eq!(refused(message).code(), "rate_limited", "{message}");
        let answer = Answer::new(400, message);
        let error = record_conversion::read_for(&answer, ASKED).unwrap_err();
        assert_eq!(error.code(), "rate_limited", "{message}");
    }
    for message in [
        "Affiliate has already reached its daily cap",
        "Daily limit exceeded",
        "Too many conversions for this click",
        "Daily call limit reached",
        "Payout limit exceeded",
        "Affiliate quota exceeded",
    ] {
        assert_eq!(refused(message).code(), "refused", "{message}");
    }
    // What has been recorded all the same is unknown.
    let body =
        r#"{"success":false,"message":"Rate limit exceeded","conversion":{"conversion_id":7}}"#;
    let error = record_conversion::read_for(&Answer::new(200, body), ASKED).unwrap_err();
    assert_eq!(Certainty::from_error(&error), Certainty::Unknown);
}

#[test]
fn a_no_to_the_account_or_its_address_is_no_refusal_of_the_conversion() {
    for message in [
        "IP address not allowed",
        "IP 203.0.113.9 is not whitelisted",
        "Your IP has been blocked",
        "Conversions are accepted only from the whitelist",
        "Account suspended",
        "This account is no longer active",
        "Access denied",
        "Forbidden",
        "Invalid API Key",
        "Subscription expired",
        "Account past due",
        "You do not have permission to access this resource",
        "Login failed for user 'x'",
        "Tracking of conversions is switched off for this account",
    ] {
        assert_eq!(refused(message).code(), "unauthorized", "{message}");
        let answer = Answer::new(400, message);
        let error = record_conversion::read_for(&answer, ASKED).unwrap_err();
        assert_eq!(error.code(), "unauthorized", "{message}");
    }
    for message in [
        "Affiliate account is suspended",
        "Affiliate is not whitelisted for this offer",
        "IP address of the click is blacklisted",
        "Access to this offer is denied",
        "Affiliate Not Authorized for Campaign",
        "Offer is closed",
        "Account manager will be informed",
        "You do not have permission to access this offer",
        "Affiliate's account is past due",
        "Access past due date",
    ] {
        assert_eq!(refused(message).code(), "refused", "{message}");
    }
}

#[test]
fn a_no_that_names_nothing_of_its_conversion_may_be_the_accounts() {
    let alike = |status: u16, message: &str| {
        let answer = Answer::new(status, message);
        refused_alike(&match status {
            200 if message.is_empty() => answer.no(Some(false), None),
            200 => answer.refused(message),
            _ => answer.body_of_success().unwrap_err(),
        })
    };
    for status in [200, 400, 409, 418, 423] {
        for message in [
            "",
            "FAILURE",
            "Failure: 17",
            "Not available",
            "Invalid request",
            "Kein Zugriff",
            "<html><title>Something Broken</title></html>",
            // Every event is a conversion.
            "Conversion rejected",
            "Conversion was declined.",
            "Conversions are disabled",
            // A firewall's words, in a page and without one.
            "The request was rejected. Your support ID is 4711",
            "Unusual traffic from your network",
            "Please enable cookies and click here",
        ] {
            assert!(alike(status, message).is_some(), "{status} {message}");
        }
        assert_eq!(alike(status, ""), alike(status, "Failure: 17"));
        assert_eq!(
            alike(status, "Rule 17 is on"),
            alike(status, "rule 18 is on")
        );
        assert_eq!(
            alike(status, "Blocked. Reference deadbeef-cafeba"),
            alike(status, "Blocked. Reference abcdef-faceb00c")
        );
        assert_ne!(
            alike(status, "Not available"),
            alike(status, "Not permitted")
        );
        for message in [
            "Offer is closed",
            "Invalid click_id",
            "Invalid ClickID",
            "Unknown id",
            "Conversion Not Found",
            "Invalid Disposition ID",
            "Duplicate Lead",
            "Caps reached",
            "Conversion rejected: country not allowed",
            "Click 4711 not found",
            "Cookie expired",
            "Conversion has already been recorded",
        ] {
            assert_eq!(alike(status, message), None, "{status} {message}");
        }
    }
    assert_ne!(alike(400, "Not available"), alike(422, "Not available"));
    // A page is like any other, whatever its words are.
    for page in [
        "<html><title>Blocked, incident zyx</title><body>Click here</body></html>",
        "<!DOCTYPE html><html><h1>Please enable cookies</h1><h2>Click here</h2></html>",
        "<h1>Invalid click, order 17</h1>",
    ] {
        assert_eq!(alike(418, page), alike(418, "<html></html>"), "{page}");
        assert!(alike(418, page).is_some(), "{page}");
    }
}

#[test]
fn a_failure_to_save_beside_its_reason_is_for_good() {
    for reason in [
        r#""errors":["Offer is closed"]"#,
        r#""details":"Invalid click""#,
        r#""reason":"Cookie expired""#,
    ] {
        let body =
            format!(r#"{{"success":false,"message":"Conversion was not recorded",{reason}}}"#);
        for status in [200, 400, 409, 422] {
            let read = record_conversion::read_for(&Answer::new(status, &body), ASKED);
            let certainty = Certainty::from_result(&read);
            assert_eq!(certainty, Certainty::NotRecorded, "{status} {body}");
        }
    }
}

#[test]
fn a_page_of_an_error_status_is_no_word_of_cakes() {
    for title in ["Duplicate transaction", "Transaction already exists"] {
        let page = format!("<html><title>{title}</title></html>");
        for status in [400, 409, 422] {
            let answer = Answer::new(status, &page);
            let before = record_conversion::find_duplicate(&answer, ASKED);
            assert_eq!(before, record_conversion::Duplicate::No, "{status} {title}");
        }
    }
}

#[test]
fn a_body_that_says_an_outage_itself_is_unknown() {
    let certainty = |body: &str| {
        let read = record_conversion::read_for(&Answer::new(200, body), ASKED);
        Certainty::from_result(&read)
    };
    for more in [
        r#""code":503,"message":"Error""#,
        r#""error_code":"503""#,
        r#""error_code":"SERVICE_UNAVAILABLE""#,
        r#""status":500,"message":null"#,
        r#""message":"502""#,
    ] {
        let body = format!(r#"{{"success":false,{more}}}"#);
        assert_eq!(certainty(&body), Certainty::Unknown, "{body}");
    }
    for more in [
        r#""code":503,"message":"Invalid offer""#,
        r#""error_code":"17","message":"Error""#,
        r#""error_code":"OFFER_UNAVAILABLE""#,
    ] {
        let body = format!(r#"{{"success":false,{more}}}"#);
        assert_eq!(certainty(&body), Certainty::NotRecorded, "{body}");
    }
}
