//! The end of an attempt: the transition that an answer's meaning brings.

use super::super::circuit_breaker::{
    CORRECTIONS, CircuitBreaker, PAUSE_MS, RefusalScope, Sent, Signal, SignalSource,
};
use super::super::outcome::{Meaning, State};
use super::super::{Correction, schedule};
use super::{ALONE_MS, Attempt, Knowledge, Moment, Step, Transition};
use crate::Error;
use crate::api::{Certainty, SETTLED_MS};

impl Attempt {
    /// Was there a doubt before this attempt? A look-up that has settled it may have been behind, and
    /// CAKE's word that the event is a duplicate takes it back.
    pub(super) fn was_in_doubt(&self) -> bool {
        self.row.is_in_doubt || self.facts.knowledge != Knowledge::NotRecorded
    }

    /// Nobody can tell whether the event is recorded. It is not sent, and is looked up again later.
    pub(super) fn stay_in_doubt(
        &mut self,
        why: &str,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let mut transition = self.retry(moment, None);
        "outcome_unknown".clone_into(&mut transition.code);
        why.clone_into(&mut transition.upstream_message);
        transition.is_in_doubt = true;
        transition.is_alert = true;
        let _ = self.record_signal(breaker, Signal::Healthy, moment);
        Step::Store(transition)
    }

    /// The report may be behind: it is asked again before the event counts as in doubt.
    pub(super) fn wait_or_doubt(
        &mut self,
        why: &str,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        match self.too_early(breaker, moment) {
            Some(step) => step,
            None => self.stay_in_doubt(why, breaker, moment),
        }
    }

    /// Puts the event off while a look-up without it is not believed yet.
    pub(super) fn too_early(
        &mut self,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Option<Step> {
        let last_ms = match self.facts.knowledge {
            Knowledge::Unknown | Knowledge::Copied => {
                self.row.changed_ms.max(self.facts.quiet_from_ms)
            }
            _ => self.row.changed_ms,
        };
        let believed_ms = last_ms.saturating_add(SETTLED_MS);
        if last_ms > moment.now_ms || moment.now_ms >= believed_ms {
            return None;
        }
        let _ = self.record_signal(breaker, Signal::Healthy, moment);
        Some(self.put_off(believed_ms))
    }

    /// The end of an event that was accepted, and that the present options cannot send: a person is needed.
    pub(super) fn refuse_unsendable(
        &mut self,
        error: Error,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let why = error.to_string();
        let mut step = self.settle(Meaning::Refused(error), breaker, moment);
        if let Step::Store(end) = &mut step {
            end.is_alert = true;
            end.upstream_message = why;
        }
        step
    }

    /// Waits without an attempt, and uses none up.
    pub(super) fn put_off(&mut self, until_ms: u64) -> Step {
        Step::Store(Transition {
            state: State::Pending,
            attempts: self.row.attempts,
            is_in_doubt: self.row.is_in_doubt,
            next_ms: Some(until_ms),
            code: self.row.code.clone(),
            upstream_message: String::new(),
            conversion_id: None,
            is_alert: false,
            counted: "",
        })
    }

    /// The transition that `meaning` brings, and `signal` for the circuit breaker.
    pub(super) fn settle_as(
        &mut self,
        meaning: Meaning,
        signal: Signal,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let signal = match signal {
            // The limit is that of another service, so conversions go on.
            Signal::Limited(asked_ms) if self.correction.is_some() => {
                Signal::OlderLimited(asked_ms)
            }
            // A correction's no is that of another service, too.
            Signal::RefusedAlike(words) if self.correction.is_some() => {
                Signal::OlderRefusedAlike(words)
            }
            Signal::Healthy if self.correction.is_some() => Signal::OlderHealthy,
            signal => signal,
        };
        let scope = self.record_signal(breaker, signal, moment);
        let is_unreached = meaning.is_unreached()
            && breaker.is_never_answered(self.row.attempts.saturating_add(1));
        let is_alert = meaning.is_alert() || is_unreached;
        let mut transition = match (&meaning, scope) {
            (Meaning::Recorded(_), _) => self.transition_to(State::Delivered),
            (Meaning::Refused(_) | Meaning::NotFound(_), RefusalScope::Event) => {
                self.transition_to(State::Refused)
            }
            (Meaning::Again(error), _) => self.retry(moment, error.retry_after_ms()),
            (Meaning::KeyRefused(_), RefusalScope::Event) => self.retry(moment, None),
            (_, RefusalScope::EventSoFar) => self.wait_until(moment.now_ms + ALONE_MS, "retried"),
            (_, RefusalScope::Account) => {
                let mut transition = self.wait_until(moment.now_ms + PAUSE_MS, "paused");
                transition.is_alert = true;
                transition
            }
        };
        transition.is_alert |= is_alert || breaker.tell_slow(self.sent(), moment.now_ms);
        match meaning {
            Meaning::Recorded(id) => {
                let own = self.correction.as_ref();
                transition.conversion_id = id.or_else(|| own.and_then(Correction::conversion_id));
            }
            Meaning::Refused(error)
            | Meaning::Again(error)
            | Meaning::KeyRefused(error)
            | Meaning::NotFound(error) => {
                error.code().clone_into(&mut transition.code);
                let is_unknown = Certainty::from_error(&error) == Certainty::Unknown;
                transition.is_in_doubt |= is_unknown;
                if let Error::Refused { message }
                | Error::UnexpectedAnswer { message }
                | Error::Network { cause: message }
                | Error::HttpStatus { message, .. }
                | Error::Unauthorized { message, .. } = error
                {
                    transition.upstream_message = message;
                }
            }
        }
        Step::Store(transition)
    }

    /// The request with the event, if that was sent.
    #[must_use]
    pub(crate) fn sent(&self) -> Option<Sent> {
        let kind = match &self.event {
            Some(event) => event.params().offer_id,
            None => CORRECTIONS,
        };
        self.sent_ms.map(|at_ms| Sent { kind, at_ms })
    }

    pub(super) fn record_signal(
        &self,
        breaker: &mut CircuitBreaker,
        signal: Signal,
        moment: Moment,
    ) -> RefusalScope {
        let codes: &[&str] = match signal {
            Signal::KeyRefused => &["unauthorized"],
            Signal::RefusedAlike(_) | Signal::OlderRefusedAlike(_) => &["refused", "http_status"],
            Signal::NotFound => &["http_status"],
            _ => &[],
        };
        let of_event = self.event.as_ref().map(|event| event.params().offer_id);
        let of_correction = self.correction.as_ref().map(Correction::offer_id);
        let source = SignalSource {
            event: self.row.number,
            offer: of_event.or(of_correction).unwrap_or_default(),
            refused_before_ms: codes
                .contains(&self.row.code.as_str())
                .then_some(self.row.changed_ms),
            started_ms: self.started_ms,
            sent: self.sent(),
            now_ms: moment.now_ms,
            random: moment.random,
        };
        breaker.record(signal, source)
    }

    pub(super) fn transition_to(&self, state: State) -> Transition {
        Transition {
            state,
            attempts: self.row.attempts.saturating_add(1),
            is_in_doubt: self.is_in_doubt && state != State::Delivered,
            next_ms: None,
            code: String::new(),
            upstream_message: String::new(),
            conversion_id: None,
            is_alert: false,
            counted: state.word(),
        }
    }

    /// A retry by the schedule, or the end where the schedule is used up.
    pub(super) fn retry(&self, moment: Moment, asked_ms: Option<u64>) -> Transition {
        let attempts = self.row.attempts.saturating_add(1);
        match schedule::wait_ms(attempts, moment.random, asked_ms) {
            Some(ms) => Transition {
                attempts,
                ..self.wait_until(moment.now_ms.saturating_add(ms), "retried")
            },
            None => self.transition_to(State::Dead),
        }
    }

    /// A retry at a given time, without an attempt used up.
    pub(super) fn wait_until(&self, next_ms: u64, counted: &'static str) -> Transition {
        Transition {
            attempts: self.row.attempts,
            next_ms: Some(next_ms),
            counted,
            ..self.transition_to(State::Pending)
        }
    }
}
