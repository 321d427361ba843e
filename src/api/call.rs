//! One call from its first request to its outcome: what to send, how long to
//! wait, when to give up. It does no I/O: whoever carries it out tells it what
//! happened and does what it says.
//!
//! The rule that everything here serves: a conversion is never sent a second
//! time unless it carries a unique id; and, unless the caller trusts CAKE's
//! deduplication, not before Get Click has said that it was not recorded.

use super::list_conversions;
use super::record_conversion::Conversion;
use super::{
    Action, Answer, Request, create_postback::Postback, get_click, get_click::Click, list_clicks,
    list_tracking_domains::TrackingDomain, retry::wait_ms,
};
use crate::Error;
use serde::Serialize;

/// What happened since the last step.
#[derive(Debug)]
pub enum Event<'a> {
    /// CAKE answered.
    Answered(&'a Answer<'a>),
    /// No answer came, or none that could be read.
    Failed(Error),
    /// The wait is over.
    Waited,
    /// The caller gave up. `is_sent` says whether the request of the last
    /// [`Step::Send`] may have left.
    Aborted {
        /// May the request have left?
        is_sent: bool,
    },
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this and report [`Event::Answered`] or [`Event::Failed`].
    Send(Request),
    /// Wait so many milliseconds and report [`Event::Waited`].
    Wait(u64),
    /// The call is over, and well.
    Done(Outcome),
    /// The call is over.
    Fail(Error),
}

/// What a call brought. Serializes as what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Of Get Click: the click, or `None`.
    Click(Option<Click>),
    /// Of Get Click with filters.
    Clicks(list_clicks::Page),
    /// Of Record Conversion.
    Conversion(Conversion),
    /// Of Get Conversions.
    Conversions(list_conversions::Page),
    /// Of Create Postback.
    Postback(Postback),
    /// Of Get Tracking Domains.
    TrackingDomains(Vec<TrackingDomain>),
}

/// May the request be sent again?
#[derive(Clone, Debug)]
pub(super) enum Repeat {
    /// It reads.
    Freely,
    /// It writes, and nothing tells two of it apart.
    Never,
    /// It writes with a unique id. What became of it can be asked.
    KnownById {
        get_click: Request,
        asks_first: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The request is on its way.
    Sending,
    /// A wait, after which Get Click is asked or the request sent again.
    Waiting {
        then_asks: bool,
    },
    /// Get Click is on its way.
    Asking,
    Over,
}

/// A call in progress; see [`Action::call`].
#[derive(Clone, Debug)]
pub struct Call {
    action: Action,
    request: Request,
    click_id: String,
    repeat: Repeat,
    phase: Phase,
    retries_left: u32,
    failures: u32,
    /// The last failure.
    last: Option<Error>,
    /// Was a write sent whose outcome is not known?
    is_in_doubt: bool,
    /// Is Get Click the last word, and nothing sent after it?
    is_last_word: bool,
}

impl Call {
    pub(super) fn new(
        action: Action,
        request: Request,
        click_id: String,
        repeat: Repeat,
        retries: u32,
    ) -> Self {
        Self {
            action,
            request,
            click_id,
            repeat,
            phase: Phase::Sending,
            retries_left: retries,
            failures: 0,
            last: None,
            is_in_doubt: false,
            is_last_word: false,
        }
    }

    /// What is called.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// The first step.
    #[must_use]
    pub fn start(&mut self) -> Step {
        self.send()
    }

    /// The step after `event`. `chance` is a random number over the whole of
    /// `u32`.
    #[must_use]
    pub fn next(&mut self, event: Event<'_>, chance: u32) -> Step {
        match (self.phase, event) {
            (Phase::Sending, Event::Answered(answer)) => {
                match self.action.read(answer, &self.click_id) {
                    Ok(outcome) => self.over(Step::Done(outcome)),
                    Err(error) => {
                        let is_certain = is_certain(&error) && !answer.is_cut_off();
                        self.failed(error, is_certain, chance)
                    }
                }
            }
            (Phase::Sending, Event::Failed(error)) => self.failed(error, false, chance),
            (Phase::Asking, Event::Answered(answer)) => {
                match get_click::read(answer, &self.click_id) {
                    Ok(click) => self.heard(click),
                    Err(error) => self.not_heard(error, chance),
                }
            }
            (Phase::Asking, Event::Failed(error)) => self.not_heard(error, chance),
            (Phase::Waiting { then_asks }, Event::Waited) => {
                if then_asks {
                    self.ask()
                } else {
                    self.send()
                }
            }
            (Phase::Over, _) => Step::Fail(Error::Internal),
            (phase, Event::Aborted { is_sent }) => {
                self.is_in_doubt |= phase == Phase::Sending && is_sent && self.is_write();
                self.give_up(Error::Aborted)
            }
            // A step that was not asked for: nothing more is sent.
            _ => self.give_up(Error::Internal),
        }
    }

    fn is_write(&self) -> bool {
        !matches!(self.repeat, Repeat::Freely)
    }

    fn over(&mut self, step: Step) -> Step {
        self.phase = Phase::Over;
        step
    }

    /// Ends the call; a write whose outcome is unknown says so.
    fn give_up(&mut self, error: Error) -> Step {
        let error = if self.is_in_doubt {
            Error::OutcomeUnknown {
                cause: Box::new(error),
            }
        } else {
            error
        };
        self.over(Step::Fail(error))
    }

    fn send(&mut self) -> Step {
        self.phase = Phase::Sending;
        Step::Send(self.request.clone())
    }

    fn ask(&mut self) -> Step {
        let Repeat::KnownById { get_click, .. } = &self.repeat else {
            return self.give_up(Error::Internal);
        };
        let request = get_click.clone();
        self.phase = Phase::Asking;
        Step::Send(request)
    }

    /// The request failed. `is_certain` says that it recorded nothing.
    fn failed(&mut self, error: Error, is_certain: bool, chance: u32) -> Step {
        let is_known_by_id = matches!(self.repeat, Repeat::KnownById { .. });
        let was_in_doubt = self.is_in_doubt;
        self.is_in_doubt |= self.is_write() && !is_certain;
        if is_certain && !error.is_retryable() {
            // "Duplicate", after a try that was never answered: that one counted.
            if was_in_doubt && is_known_by_id && is_duplicate(&error) {
                self.last = Some(error);
                self.is_last_word = true;
                return self.ask();
            }
            // A clear no to this try: it settles the doubt about those before,
            // which had the same parameters.
            self.is_in_doubt &= !matches!(error, Error::Refused { .. });
            return self.give_up(error);
        }
        let may_repeat = match self.repeat {
            Repeat::Freely => error.is_retryable(),
            Repeat::Never => false,
            Repeat::KnownById { .. } => true,
        };
        let asks_first = matches!(
            self.repeat,
            Repeat::KnownById {
                asks_first: true,
                ..
            }
        );
        if may_repeat && self.retries_left > 0 {
            self.retries_left -= 1;
            return self.wait(error, asks_first, chance);
        }
        if asks_first && self.is_in_doubt {
            // Nothing more is sent; but what became of it can still be asked.
            self.is_last_word = true;
            return self.wait(error, true, chance);
        }
        self.give_up(error)
    }

    fn wait(&mut self, error: Error, then_asks: bool, chance: u32) -> Step {
        self.failures += 1;
        let asked = error.retry_after_ms();
        match wait_ms(self.failures, chance, asked, self.is_in_doubt) {
            Some(ms) => {
                self.last = Some(error);
                self.phase = Phase::Waiting { then_asks };
                Step::Wait(ms)
            }
            None => self.give_up(error),
        }
    }

    /// Get Click answered.
    fn heard(&mut self, click: Option<Click>) -> Step {
        let has_converted = click
            .as_ref()
            .is_some_and(|click| click.converted || click.conversion_id.is_some());
        if has_converted {
            if let Some(conversion) = click.and_then(Conversion::recovered) {
                return self.over(Step::Done(Outcome::Conversion(conversion)));
            }
            // Converted, but CAKE does not say as what.
            self.is_in_doubt = true;
            self.is_last_word = true;
        }
        if self.is_last_word {
            let last = self.last.take().unwrap_or(Error::Internal);
            return self.give_up(last);
        }
        self.send()
    }

    /// Get Click did not answer, so nothing may be sent. What is reported in
    /// the end is what became of the write, not of the question.
    fn not_heard(&mut self, error: Error, chance: u32) -> Step {
        let last = self.last.take();
        if error.is_retryable() && self.retries_left > 0 {
            self.retries_left -= 1;
            let step = self.wait(error, true, chance);
            self.last = last.or(self.last.take());
            return step;
        }
        self.give_up(last.unwrap_or(error))
    }
}

/// Does this answer to a write say for certain that nothing was recorded?
fn is_certain(error: &Error) -> bool {
    match error {
        Error::HttpStatus { status, .. } => *status != 408 && (400..500).contains(status),
        Error::RateLimited { .. }
        | Error::Unauthorized { .. }
        | Error::Refused { .. }
        | Error::UnexpectedAnswer { .. }
        | Error::Redirected { .. } => true,
        _ => false,
    }
}

/// Does CAKE say that it has this conversion already?
#[must_use]
pub fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::Refused { message } if {
        let words = message.to_ascii_lowercase();
        words.contains("duplicate") || words.contains("already")
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Account, Settings};
    use super::*;
    use proptest::prelude::*;

    const WITH: &str = r#"{"clickId":"abc","offerId":1,"uniqueId":"ORD-1"}"#;
    const WITHOUT: &str = r#"{"clickId":"abc","offerId":1}"#;
    const RECORDED: &str = r#"{"request_status":"Success","conversion":{"conversion_id":7}}"#;
    const CONVERTED: &str = r#"{"request_status":"Success","response":{"clicks":[{"click_id":"abc","offer_id":1,"affiliate_id":2,"converted":true,"conversion_id":7}]}}"#;
    const NOT_CONVERTED: &str = r#"{"request_status":"Success","response":{"clicks":[{"click_id":"abc","offer_id":1,"affiliate_id":2,"converted":false,"conversion_id":null}]}}"#;
    const DUPLICATE: &str = r#"{"success":false,"message":"Duplicate transaction"}"#;

    /// What the server does with a request.
    #[derive(Clone, Debug)]
    enum Fate {
        Answer(u16, &'static str),
        RetryAfter(u64),
        Fail(Error),
        Abort,
    }

    use Fate::{Abort, Answer as Says, Fail as Fails, RetryAfter};

    /// Everything that was sent, as `GET click` or `GET conversion`, and how it ended.
    fn run(
        action: Action,
        params: &str,
        settings: Settings,
        fates: &[Fate],
    ) -> (Vec<String>, Step) {
        let account = Account::new("https://a.example", "CANARY").unwrap();
        let mut call = action.call(&account, params, settings).unwrap();
        let mut fates = fates.iter();
        let mut sent = Vec::new();
        let mut step = call.start();
        for _ in 0..1_000 {
            step = match step {
                Step::Send(request) => {
                    let name = request.path.trim_end_matches(".json");
                    sent.push(format!("{} {name}", request.method()));
                    match fates.next().unwrap_or(&Fails(Error::Network)).clone() {
                        Says(status, body) => {
                            call.next(Event::Answered(&Answer::new(status, body)), 7)
                        }
                        RetryAfter(ms) => {
                            let answer = Answer::new(429, "").with_retry_after_ms(Some(ms));
                            call.next(Event::Answered(&answer), 7)
                        }
                        Fails(error) => call.next(Event::Failed(error), 7),
                        Abort => call.next(Event::Aborted { is_sent: true }, 7),
                    }
                }
                Step::Wait(_) => call.next(Event::Waited, 7),
                over => return (sent, over),
            };
        }
        panic!("the call never ends");
    }

    fn record(params: &str, fates: &[Fate]) -> (Vec<String>, Step) {
        run(Action::RecordConversion, params, Settings::default(), fates)
    }

    fn code(step: &Step) -> &'static str {
        match step {
            Step::Fail(error) => error.code(),
            Step::Done(Outcome::Conversion(conversion)) if conversion.is_recovered => "recovered",
            Step::Done(_) => "done",
            _ => "not over",
        }
    }

    fn times(sent: &[String], what: &str) -> usize {
        sent.iter().filter(|name| *name == what).count()
    }

    #[test]
    fn without_a_unique_id_a_conversion_is_sent_once_and_an_unknown_outcome_is_named() {
        for (fate, expected) in [
            (Says(200, RECORDED), "done"),
            (Fails(Error::Network), "outcome_unknown"),
            (Fails(Error::Timeout), "outcome_unknown"),
            (Fails(Error::AnswerTooLarge), "outcome_unknown"),
            (Says(500, ""), "outcome_unknown"),
            (Says(502, "<html>"), "outcome_unknown"),
            (Says(408, ""), "outcome_unknown"),
            (Says(200, ""), "outcome_unknown"),
            (Says(204, ""), "outcome_unknown"),
            (Says(200, r#"{"request_status":"Succ"#), "outcome_unknown"),
            (Abort, "outcome_unknown"),
            (Says(429, ""), "rate_limited"),
            (Says(200, "Restricted"), "rate_limited"),
            (Says(403, ""), "unauthorized"),
            (Says(404, ""), "http_status"),
            (Says(302, ""), "redirected"),
            (Says(200, "<html>Sign in</html>"), "unexpected_answer"),
            (Says(200, DUPLICATE), "refused"),
        ] {
            let (sent, end) = record(WITHOUT, std::slice::from_ref(&fate));
            assert_eq!(code(&end), expected, "{fate:?}");
            assert_eq!(sent, ["GET conversion"], "{fate:?}");
        }
    }

    #[test]
    fn an_unknown_outcome_says_what_it_came_from() {
        let (_, end) = record(WITHOUT, &[Says(503, "")]);
        let Step::Fail(error) = end else {
            panic!("{end:?}")
        };
        assert_eq!(error.cause().map(Error::code), Some("http_status"));
        assert!(!error.is_retryable());
    }

    #[test]
    fn with_a_unique_id_get_click_is_asked_before_every_repeat() {
        let lost = Fails(Error::Network);
        for (fates, expected, path) in [
            (
                vec![lost.clone(), Says(200, CONVERTED)],
                "recovered",
                vec!["GET conversion", "GET click"],
            ),
            (
                vec![lost.clone(), Says(200, NOT_CONVERTED), Says(200, RECORDED)],
                "done",
                vec!["GET conversion", "GET click", "GET conversion"],
            ),
            // Get Click cannot be reached: nothing is sent again.
            (
                vec![lost.clone(), lost.clone(), lost.clone()],
                "outcome_unknown",
                vec!["GET conversion", "GET click", "GET click"],
            ),
            (
                vec![lost.clone(), Says(200, "<html>")],
                "outcome_unknown",
                vec!["GET conversion", "GET click"],
            ),
            // The tries are used up: the last word is Get Click's.
            (
                vec![
                    lost.clone(),
                    Says(200, NOT_CONVERTED),
                    lost.clone(),
                    Says(200, NOT_CONVERTED),
                    lost.clone(),
                    Says(200, CONVERTED),
                ],
                "recovered",
                vec![
                    "GET conversion",
                    "GET click",
                    "GET conversion",
                    "GET click",
                    "GET conversion",
                    "GET click",
                ],
            ),
            (
                vec![
                    lost.clone(),
                    Says(200, NOT_CONVERTED),
                    Says(200, DUPLICATE),
                    Says(200, CONVERTED),
                ],
                "recovered",
                vec!["GET conversion", "GET click", "GET conversion", "GET click"],
            ),
            (
                vec![
                    lost.clone(),
                    Says(200, NOT_CONVERTED),
                    Says(200, r#"{"success":false,"message":"Offer is closed"}"#),
                ],
                "refused",
                vec!["GET conversion", "GET click", "GET conversion"],
            ),
            (
                vec![Says(429, ""), Says(200, NOT_CONVERTED), Says(200, RECORDED)],
                "done",
                vec!["GET conversion", "GET click", "GET conversion"],
            ),
        ] {
            let (sent, end) = record(WITH, &fates);
            assert_eq!(code(&end), expected, "{fates:?}");
            assert_eq!(sent, path, "{fates:?}");
        }
    }

    #[test]
    fn who_trusts_cakes_deduplication_sends_again_without_asking() {
        let settings = Settings {
            verifies: false,
            ..Settings::default()
        };
        let fates = [Fails(Error::Timeout), Says(500, ""), Says(200, RECORDED)];
        let (sent, end) = run(Action::RecordConversion, WITH, settings, &fates);
        assert_eq!(code(&end), "done");
        assert_eq!(sent, ["GET conversion"; 3]);
    }

    #[test]
    fn reads_are_repeated_for_what_passes_and_for_nothing_else() {
        let read = |fate: &Fate| {
            let (sent, end) = run(
                Action::GetClick,
                r#"{"clickId":"abc"}"#,
                Settings::default(),
                &[fate.clone(), fate.clone(), Says(200, NOT_CONVERTED)],
            );
            (sent.len(), code(&end))
        };
        for fate in [
            Fails(Error::Network),
            Fails(Error::Timeout),
            Says(408, ""),
            Says(425, ""),
            Says(429, ""),
            Says(500, ""),
            Says(503, ""),
            Says(200, "Restricted"),
            Says(200, r#"{"success":false,"message":"Restricted"}"#),
            RetryAfter(60_000),
        ] {
            assert_eq!(read(&fate), (3, "done"), "{fate:?}");
        }
        for (fate, expected) in [
            (Says(400, ""), "http_status"),
            (Says(401, ""), "unauthorized"),
            (Says(302, ""), "redirected"),
            (Says(200, "<html>"), "unexpected_answer"),
            (Says(200, r#"{"success":false}"#), "refused"),
            (Fails(Error::AnswerTooLarge), "answer_too_large"),
            (RetryAfter(60_001), "rate_limited"),
            (Abort, "aborted"),
        ] {
            assert_eq!(read(&fate), (1, expected), "{fate:?}");
        }
    }

    #[test]
    fn create_postback_is_sent_once_whatever_happens() {
        let params = r#"{"affiliateId":1,"offerId":0,"postbackUrl":"https://p.example/"}"#;
        for (fate, expected) in [
            (Fails(Error::Network), "outcome_unknown"),
            (Says(500, ""), "outcome_unknown"),
            (Says(429, ""), "rate_limited"),
            (Says(200, "{}"), "unexpected_answer"),
        ] {
            let (sent, end) = run(
                Action::CreatePostback,
                params,
                Settings::default(),
                std::slice::from_ref(&fate),
            );
            assert_eq!(code(&end), expected, "{fate:?}");
            assert_eq!(sent, ["POST affiliate_postback"], "{fate:?}");
        }
    }

    #[test]
    fn an_abort_before_anything_was_sent_leaves_no_doubt() {
        let account = Account::new("https://a.example", "CANARY").unwrap();
        let mut call = Action::RecordConversion
            .call(&account, WITHOUT, Settings::default())
            .unwrap();
        let _ = call.start();
        let end = call.next(Event::Aborted { is_sent: false }, 0);
        assert_eq!(code(&end), "aborted");
    }

    #[test]
    fn a_read_only_client_writes_nothing() {
        let account = Account::new("https://a.example", "CANARY").unwrap();
        let settings = Settings {
            is_read_only: true,
            ..Settings::default()
        };
        let error = Action::RecordConversion
            .call(&account, WITH, settings)
            .unwrap_err();
        assert_eq!(error, Error::ReadOnly);
        assert!(
            Action::GetClick
                .call(&account, r#"{"clickId":"a"}"#, settings)
                .is_ok()
        );
    }

    fn any_fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            Just(Fails(Error::Network)),
            Just(Fails(Error::Timeout)),
            Just(Fails(Error::AnswerTooLarge)),
            Just(Says(200, RECORDED)),
            Just(Says(200, CONVERTED)),
            Just(Says(200, NOT_CONVERTED)),
            Just(Says(200, DUPLICATE)),
            Just(Says(200, "Restricted")),
            Just(Says(200, "<html>")),
            Just(Says(200, "{\"a")),
            Just(Says(200, "")),
            Just(Says(200, "{}")),
            (0_u16..700).prop_map(|status| Says(status, "")),
            any::<u64>().prop_map(RetryAfter),
            Just(Abort),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_sequence_of_answers_sends_a_conversion_twice_without_a_unique_id(
            fates in proptest::collection::vec(any_fate(), 0..12),
            retries in 0_u32..10, verifies in any::<bool>(),
        ) {
            let settings = Settings { retries, verifies, is_read_only: false };
            let (sent, _) = run(Action::RecordConversion, WITHOUT, settings, &fates);
            prop_assert_eq!(sent, ["GET conversion"]);
        }

        #[test]
        fn no_sequence_of_answers_repeats_a_conversion_before_get_click_said_not_converted(
            fates in proptest::collection::vec(any_fate(), 0..12), retries in 0_u32..10,
        ) {
            let settings = Settings { retries, ..Settings::default() };
            let (sent, _) = run(Action::RecordConversion, WITH, settings, &fates);
            for (at, name) in sent.iter().enumerate().skip(1) {
                if name == "GET conversion" {
                    prop_assert_eq!(&sent[at - 1], "GET click");
                    let is_clear = matches!(
                        fates.get(at - 1),
                        Some(Says(200, NOT_CONVERTED))
                    );
                    prop_assert!(is_clear, "{:?} after {:?}", sent, fates);
                }
            }
            prop_assert!(times(&sent, "GET conversion") <= retries as usize + 1);
        }

        #[test]
        fn no_call_sends_more_than_its_budget(
            fates in proptest::collection::vec(any_fate(), 0..12),
            retries in 0_u32..10, verifies in any::<bool>(),
        ) {
            let settings = Settings { retries, verifies, is_read_only: false };
            let (sent, _) = run(Action::RecordConversion, WITH, settings, &fates);
            prop_assert!(times(&sent, "GET conversion") <= retries as usize + 1);
            prop_assert!(times(&sent, "GET click") <= retries as usize + 1);
            let (sent, _) = run(Action::GetClick, r#"{"clickId":"abc"}"#, settings, &fates);
            prop_assert!(sent.len() <= retries as usize + 1);
        }
    }
}
