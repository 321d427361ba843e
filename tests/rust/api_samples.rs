//! CAKE's own samples, request and answer, byte for byte, and every other shape that was observed.
//! JavaScript reads the same file.

use cake_edge::api::{Account, Action, Answer, CallEvent, CallOutcome, CallSettings, Step};
use cake_edge::{Error, Result};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/api_samples.json")).unwrap()
}

fn account() -> Account {
    Account::new("https://yourdomain.cakemarketing.com", "YOUR_API_KEY").unwrap()
}

fn action(vector: &Value) -> Action {
    Action::from_name(vector["action"].as_str().unwrap()).unwrap()
}

/// The outcome of a call without retries, for one answer.
fn outcome(action: Action, params: &Value, status: u16, body: &str) -> Result<Value> {
    let account = account();
    let settings = CallSettings {
        retries: 0,
        ..CallSettings::default()
    };
    let mut call = action.call(&account, &params.to_string(), settings)?;
    let _ = call.start();
    let answer = Answer::new(status, body).with_account(&account);
    let mut step = call.next(CallEvent::Answered(&answer), 0);
    if let Step::Wait(_) = step {
        // With a unique id, the look-up by Get Click is final; here it gets no answer.
        let _ = call.next(CallEvent::Waited, 0);
        step = call.next(CallEvent::Failed(Error::Internal), 0);
    }
    match step {
        // A caller gets the domains as a list: they have one page.
        Step::Done(CallOutcome::TrackingDomains(page)) => {
            Ok(serde_json::to_value(page.rows).unwrap())
        }
        Step::Done(outcome) => Ok(serde_json::to_value(outcome).unwrap()),
        Step::Fail(error) => Err(error),
        Step::Send(_) | Step::Wait(_) => panic!("{step:?}"),
    }
}

#[test]
fn requests_are_sent_as_the_article_shows() {
    let vectors = vectors();
    for vector in vectors["calls"].as_array().unwrap() {
        let params = vector["params"].to_string();
        let mut call = action(vector)
            .call(&account(), &params, CallSettings::default())
            .unwrap();
        let Step::Send(request) = call.start() else {
            panic!("nothing to send")
        };
        assert_eq!(request.url_with_key(), vector["url"].as_str().unwrap());
        assert_eq!(request.method(), vector["method"].as_str().unwrap());
        assert_eq!(request.body_with_key(), vector["body"].as_str());
    }
}

#[test]
fn every_parameter_reaches_the_query_in_the_articles_order() {
    for vector in vectors()["every_parameter"].as_array().unwrap() {
        let params = vector["params"].to_string();
        let mut call = action(vector)
            .call(&account(), &params, CallSettings::default())
            .unwrap();
        let Step::Send(request) = call.start() else {
            panic!("nothing to send")
        };
        assert_eq!(request.query(), vector["query"].as_str().unwrap());
    }
}

#[test]
fn a_broken_rule_is_refused_with_code_and_parameter() {
    for vector in vectors()["refused_params"].as_array().unwrap() {
        let params = vector["params"].to_string();
        let error = action(vector)
            .call(&account(), &params, CallSettings::default())
            .unwrap_err();
        assert_eq!(error.code(), vector["code"].as_str().unwrap(), "{vector}");
        assert_eq!(error.parameter(), vector["parameter"].as_str(), "{vector}");
    }
}

#[test]
fn answers_are_read_in_every_shape_that_was_seen() {
    let vectors = vectors();
    for vector in ["calls", "other_answers"]
        .iter()
        .flat_map(|name| vectors[name].as_array().unwrap())
    {
        let body = vector["answer"].as_str().unwrap();
        let read = outcome(action(vector), &vector["params"], 200, body);
        assert_eq!(read, Ok(vector["outcome"].clone()), "{}", vector["about"]);
    }
}

#[test]
fn any_other_shape_than_success_is_a_failure_of_every_action() {
    let vectors = vectors();
    for failure in vectors["failures"].as_array().unwrap() {
        let status = u16::try_from(failure["status"].as_u64().unwrap()).unwrap();
        let body = failure["body"].as_str().unwrap();
        for call in vectors["calls"].as_array().unwrap() {
            let error = outcome(action(call), &call["params"], status, body);
            let mut error = error.expect_err(body);
            // A failed write has the error in place of a clear answer as its cause.
            if let Error::OutcomeUnknown { cause } = error {
                error = *cause;
            }
            let context = format!("{} {status} {body}", call["action"]);
            assert_eq!(error.code(), failure["code"].as_str().unwrap(), "{context}");
            if let Some(message) = failure["message"].as_str() {
                assert_eq!(error.to_string(), message, "{context}");
            }
        }
    }
}
