//! What came of an attempt: one table, from an answer or its absence to the
//! event's state.

use super::circuit_breaker::Signal;
use super::route::Route;
use super::schedule;
use crate::api::json::{Object, push_string};
use crate::api::{Answer, get_click, is_duplicate, record_conversion};
use crate::url::push_number;
use crate::{Error, Result};

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be sent, for the first time or again.
    Pending,
    /// CAKE does not take the key: kept, and no attempt is used up.
    Paused,
    /// CAKE has recorded it.
    Delivered,
    /// CAKE says no: kept, and can be replayed.
    Refused,
    /// The schedule is used up: kept, and can be replayed.
    Dead,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Dead => "dead",
        }
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The event's state from now on.
    pub state: State,
    /// Why, as an error's code; empty where it is delivered.
    pub code: &'static str,
    /// CAKE's own words, shortened and redacted; empty where there are none.
    pub upstream_message: String,
    /// CAKE's id of the conversion, where it told one.
    pub conversion_id: Option<u64>,
    /// How long to wait before the next attempt, in milliseconds.
    pub wait_ms: u64,
    /// May it be recorded all the same?
    pub is_in_doubt: bool,
    /// Is a person needed? The key is refused, or the domain is wrong.
    pub is_alert: bool,
    /// What it tells of CAKE as a whole.
    pub signal: Signal,
}

/// What an attempt starts from.
#[derive(Clone, Copy, Debug)]
pub struct AttemptState {
    /// The attempts so far, without this one.
    pub attempts: u32,
    /// May an earlier attempt have been recorded?
    pub is_in_doubt: bool,
    /// A random number over the whole of `u32`.
    pub random: u32,
}

impl Outcome {
    /// Reads the answer to an attempt.
    #[must_use]
    pub fn from_answer(route: &Route, answer: &Answer<'_>, before: AttemptState) -> Self {
        let read = match route {
            Route::Api(_) => record_conversion::read(answer).map(|done| Some(done.conversion_id)),
            Route::Pixel(_) => read_pixel(answer),
        };
        match read {
            Ok(conversion_id) => Self::delivered(conversion_id),
            Err(error) if before.is_in_doubt && is_duplicate(&error) => Self::delivered(None),
            Err(error) => Self::from_failure(&error, before),
        }
    }

    /// Names what went wrong with an attempt.
    #[must_use]
    pub fn from_failure(error: &Error, before: AttemptState) -> Self {
        let (state, doubt, is_alert, signal) = match error {
            Error::Unauthorized { .. } => (State::Paused, false, true, Signal::KeyRefused),
            Error::RateLimited { retry_after_ms, .. } => (
                State::Pending,
                false,
                false,
                Signal::Limited(*retry_after_ms),
            ),
            Error::HttpStatus {
                status,
                retry_after_ms,
            } => match *status {
                425 => (
                    State::Pending,
                    false,
                    false,
                    Signal::Limited(*retry_after_ms),
                ),
                408 => (State::Pending, true, false, Signal::Failing),
                400..=499 => (State::Refused, false, false, Signal::Healthy),
                _ => (State::Pending, true, false, Signal::Failing),
            },
            Error::Redirected { .. } => (State::Pending, false, true, Signal::Failing),
            // A page, or JSON that says neither yes nor no: nobody knows.
            Error::UnexpectedAnswer { .. } => (State::Pending, true, true, Signal::Failing),
            Error::Network | Error::Timeout | Error::AnswerTooLarge => {
                (State::Pending, true, false, Signal::Failing)
            }
            // CAKE's no; or what cannot even be sent. No repetition changes that.
            _ => (State::Refused, false, false, Signal::Healthy),
        };
        let mut outcome = Self {
            state,
            code: error.code(),
            upstream_message: match error {
                Error::Refused { message } | Error::UnexpectedAnswer { message } => message.clone(),
                _ => String::new(),
            },
            conversion_id: None,
            wait_ms: 0,
            is_in_doubt: before.is_in_doubt || doubt,
            is_alert,
            signal,
        };
        if state == State::Pending {
            let attempts = before.attempts.saturating_add(1);
            match schedule::wait_ms(attempts, before.random, error.retry_after_ms()) {
                Some(wait_ms) => outcome.wait_ms = wait_ms,
                None => outcome.state = State::Dead,
            }
        }
        outcome
    }

    /// Reads Get Click's answer, before an attempt is repeated whose outcome is
    /// not known: `None` where the click has not converted, so that it may be.
    #[must_use]
    pub fn from_lookup(answer: &Answer<'_>, click_id: &str, before: AttemptState) -> Option<Self> {
        match get_click::read(answer, click_id) {
            Ok(Some(click)) if click.converted || click.conversion_id.is_some() => {
                Some(Self::delivered(click.conversion_id))
            }
            Ok(_) => None,
            Err(error) => Some(Self::from_failed_lookup(&error, before)),
        }
    }

    /// Get Click gave no answer, so nothing may be sent.
    #[must_use]
    pub fn from_failed_lookup(error: &Error, before: AttemptState) -> Self {
        let outcome = Self::from_failure(error, before);
        match outcome.state {
            // That Get Click says no does not settle what became of the event.
            State::Refused => Self::from_failure(
                &Error::UnexpectedAnswer {
                    message: outcome.upstream_message,
                },
                before,
            ),
            _ => outcome,
        }
    }

    fn delivered(conversion_id: Option<u64>) -> Self {
        Self {
            state: State::Delivered,
            code: "",
            upstream_message: String::new(),
            conversion_id,
            wait_ms: 0,
            is_in_doubt: false,
            is_alert: false,
            signal: Signal::Healthy,
        }
    }

    /// As JSON, with what the breaker makes of it: `{ state, code, upstreamMessage,
    /// conversionId, waitMs, isInDoubt, isAlert, atOnce, stallMs }`.
    #[must_use]
    pub fn to_json(&self, at_once: u32, stall_ms: u64) -> String {
        let mut out = String::with_capacity(160);
        for (name, text) in [
            ("{\"state\":", self.state.word()),
            (",\"code\":", self.code),
            (",\"upstreamMessage\":", &self.upstream_message),
        ] {
            out.push_str(name);
            push_string(&mut out, text);
        }
        for (name, number) in [
            (",\"waitMs\":", Some(self.wait_ms)),
            (",\"atOnce\":", Some(u64::from(at_once))),
            (",\"stallMs\":", Some(stall_ms)),
            (",\"conversionId\":", self.conversion_id),
        ] {
            out.push_str(name);
            match number {
                Some(number) => push_number(&mut out, number, 10),
                None => out.push_str("null"),
            }
        }
        for (name, flag) in [
            (",\"isInDoubt\":", self.is_in_doubt),
            (",\"isAlert\":", self.is_alert),
        ] {
            out.push_str(name);
            out.push_str(if flag { "true" } else { "false" });
        }
        out.push('}');
        out
    }
}

/// `p.ashx` says SUCCESS or FAILURE, and its web server anything.
fn read_pixel(answer: &Answer<'_>) -> Result<Option<u64>> {
    let body = answer.body_of_success()?;
    if body.contains("SUCCESS") {
        return Ok(None);
    }
    if body.contains("FAILURE") || Object::read(body).is_some() {
        return Err(answer.refused(body));
    }
    Err(answer.unexpected("is neither SUCCESS nor FAILURE: ", body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Account;
    use proptest::prelude::*;

    const RECORDED: &str = r#"{"request_status":"Success","conversion":{"conversion_id":7}}"#;
    const FRESH: AttemptState = AttemptState {
        attempts: 0,
        is_in_doubt: false,
        random: 1 << 31,
    };

    fn api() -> Route {
        Route::Api(Account::new("https://a.example", "CANARY-KEY").unwrap())
    }

    /// State, code, doubt, alert.
    fn row(outcome: &Outcome) -> (&'static str, &'static str, bool, bool) {
        (
            outcome.state.word(),
            outcome.code,
            outcome.is_in_doubt,
            outcome.is_alert,
        )
    }

    fn answered(status: u16, body: &str) -> Outcome {
        Outcome::from_answer(&api(), &Answer::new(status, body), FRESH)
    }

    #[test]
    fn the_table_of_outcomes() {
        for (status, body, expected) in [
            (200, RECORDED, ("delivered", "", false, false)),
            (
                200,
                r#"{"conversion_id":7}"#,
                ("delivered", "", false, false),
            ),
            (
                200,
                r#"{"success":false,"message":"Offer is closed"}"#,
                ("refused", "refused", false, false),
            ),
            (
                200,
                r#"{"request_status":"Failure"}"#,
                ("refused", "refused", false, false),
            ),
            (400, "", ("refused", "http_status", false, false)),
            (404, "", ("refused", "http_status", false, false)),
            (422, "", ("refused", "http_status", false, false)),
            (401, "", ("paused", "unauthorized", false, true)),
            (403, "", ("paused", "unauthorized", false, true)),
            (
                200,
                r#"{"success":false,"message":"Invalid API key"}"#,
                ("paused", "unauthorized", false, true),
            ),
            (408, "", ("pending", "http_status", true, false)),
            (425, "", ("pending", "http_status", false, false)),
            (429, "", ("pending", "rate_limited", false, false)),
            (500, "", ("pending", "http_status", true, false)),
            (503, "", ("pending", "http_status", true, false)),
            (200, "Restricted", ("pending", "rate_limited", false, false)),
            (
                200,
                r#"{"success":false,"message":"Restricted"}"#,
                ("pending", "rate_limited", false, false),
            ),
            (302, "", ("pending", "redirected", false, true)),
            (0, "", ("pending", "redirected", false, true)),
            (
                200,
                "<html>Log in</html>",
                ("pending", "unexpected_answer", true, true),
            ),
            (
                200,
                r#"{"request_status":"Succ"#,
                ("pending", "unexpected_answer", true, true),
            ),
            (200, "", ("pending", "unexpected_answer", true, true)),
            (
                200,
                r#"{"d":null}"#,
                ("pending", "unexpected_answer", true, true),
            ),
        ] {
            assert_eq!(row(&answered(status, body)), expected, "{status} {body}");
        }
        for error in [Error::Network, Error::Timeout, Error::AnswerTooLarge] {
            let outcome = Outcome::from_failure(&error, FRESH);
            assert_eq!(row(&outcome), ("pending", error.code(), true, false));
        }
    }

    #[test]
    fn a_duplicate_after_a_doubt_is_delivered_and_without_one_refused() {
        let body = r#"{"success":false,"message":"Duplicate transaction"}"#;
        assert_eq!(answered(200, body).state, State::Refused);
        let doubted = AttemptState {
            is_in_doubt: true,
            ..FRESH
        };
        let outcome = Outcome::from_answer(&api(), &Answer::new(200, body), doubted);
        assert_eq!(outcome.state, State::Delivered);
    }

    #[test]
    fn doubt_stays_until_cake_has_said_what_became_of_it() {
        let doubted = AttemptState {
            is_in_doubt: true,
            ..FRESH
        };
        let outcome = Outcome::from_answer(&api(), &Answer::new(429, ""), doubted);
        assert!(outcome.is_in_doubt);
    }

    #[test]
    fn the_schedule_used_up_is_dead_and_a_refused_key_uses_nothing_up() {
        let last = AttemptState {
            attempts: 11,
            ..FRESH
        };
        let fails = |status| Outcome::from_answer(&api(), &Answer::new(status, ""), last);
        assert_eq!(fails(503).state, State::Dead);
        assert_eq!(fails(401).state, State::Paused);
        assert_eq!(
            Outcome::from_failure(
                &Error::Network,
                AttemptState {
                    attempts: 10,
                    ..FRESH
                }
            )
            .wait_ms,
            86_400_000
        );
    }

    #[test]
    fn a_retry_after_puts_the_event_and_the_shard_off() {
        let answer = Answer::new(429, "").with_retry_after_ms(Some(90_000));
        let outcome = Outcome::from_answer(&api(), &answer, FRESH);
        assert_eq!(outcome.wait_ms, 90_000);
        assert_eq!(outcome.signal, Signal::Limited(Some(90_000)));
    }

    #[test]
    fn get_click_says_recorded_or_not_or_nothing() {
        let click = |converted: &str| {
            format!(
                r#"{{"request_status":"Success","response":{{"clicks":[{{"click_id":"abc","offer_id":1,"affiliate_id":2,{converted}}}]}}}}"#
            )
        };
        let asked =
            |status, body: &str| Outcome::from_lookup(&Answer::new(status, body), "abc", FRESH);
        let recorded = asked(200, &click(r#""converted":true,"conversion_id":7"#)).unwrap();
        assert_eq!(
            (recorded.state, recorded.conversion_id),
            (State::Delivered, Some(7))
        );
        assert_eq!(
            asked(200, &click(r#""converted":false,"conversion_id":null"#)),
            None
        );
        for (status, body, state) in [
            (503, "", State::Pending),
            (404, "", State::Pending),
            (200, "<html>", State::Pending),
            (200, r#"{"success":false,"message":"no"}"#, State::Pending),
            (401, "", State::Paused),
        ] {
            assert_eq!(
                asked(status, body).map(|outcome| outcome.state),
                Some(state),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_pixel_is_recorded_where_the_body_says_success() {
        let route = Route::pixel("track.yournetwork.com").unwrap();
        let answered =
            |status, body| Outcome::from_answer(&route, &Answer::new(status, body), FRESH);
        for (status, body, state) in [
            (200, "SUCCESS", State::Delivered),
            (200, "FAILURE: Invalid r", State::Refused),
            (200, "<html>", State::Pending),
            (200, "", State::Pending),
            (302, "", State::Pending),
            (500, "SUCCESS", State::Pending),
            (404, "", State::Refused),
        ] {
            assert_eq!(answered(status, body).state, state, "{status} {body}");
        }
    }

    #[test]
    fn no_key_is_in_what_is_told() {
        let account = Account::new("https://a.example", "CANARY-KEY").unwrap();
        for body in [
            r#"{"success":false,"message":"no ?api_key=CANARY-KEY"}"#,
            "<html>/api/2/conversion.json?api_key=CANARY-KEY</html>",
        ] {
            let answer = Answer::new(200, body).with_account(&account);
            let text = Outcome::from_answer(&api(), &answer, FRESH).to_json(5, 0);
            assert!(!text.contains("CANARY"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_answer_has_an_outcome_that_is_json(
            status in 0_u16..700, body in "\\PC{0,80}", attempts in 0_u32..20, is_in_doubt in any::<bool>(),
        ) {
            let before = AttemptState { attempts, is_in_doubt, random: 3 };
            let outcome = Outcome::from_answer(&api(), &Answer::new(status, &body), before);
            let json: serde_json::Value = serde_json::from_str(&outcome.to_json(5, 0)).unwrap();
            prop_assert_eq!(json["state"].as_str(), Some(outcome.state.word()));
            // What waits has a time, and what is over has none.
            prop_assert_eq!(outcome.wait_ms > 0, outcome.state == State::Pending);
        }
    }
}
