//! The part of an attempt that is special to corrections. A correction waits for its conversion and
//! for earlier corrections. A look-up finds it by its note.

use super::changes::{self, Changes};
use super::report::SLOW;
use super::{Attempt, Knowledge, Meaning, Moment, Phase, State, Step, Transition};
use crate::api::older::correction::Checked;
use crate::api::{Answer, Request};
use crate::delivery::{CircuitBreaker, Correction};
use crate::{Error, Result};

/// The longest wait after the awaited event is due. Usually a message ends the wait sooner; this
/// limit is for a sender that died.
const FAMILY_MS: u64 = 60_000;

/// The state of a correction's conversion, as this forwarder has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    /// The word of its state.
    pub(crate) state: String,
    /// Why it is not delivered.
    pub(crate) code: String,
    /// CAKE's words, or an operator's reason.
    pub(crate) message: String,
    /// When it is due.
    pub(crate) next_ms: Option<u64>,
    /// CAKE's id of it.
    pub(crate) conversion_id: Option<u64>,
    /// How long before the correction it was accepted here; `None` where it was accepted later.
    pub(crate) age_ms: Option<u64>,
}

/// A correction's conversion, and the other corrections of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Family {
    /// Its conversion; `None` where this forwarder does not have it.
    pub(crate) conversion: Option<Parent>,
    /// When an unfinished earlier correction of the same conversion is due.
    pub(crate) earlier_ms: Option<u64>,
    /// May a later correction of the same conversion be recorded?
    pub(crate) has_later: bool,
    /// The texts of the earlier corrections that are delivered.
    pub(crate) delivered: Vec<String>,
}

impl Attempt {
    pub(super) fn correction_request(&self) -> Result<(Request, Checked)> {
        match (&self.correction, self.route.older()) {
            (Some(correction), Some(account)) => {
                let (request, checked) = correction.request(account, &self.row.accepted_at)?;
                Ok((request, checked.known_as(self.parent_id)))
            }
            (Some(_), None) => Err(Error::MissingApiKey),
            (None, _) => Err(Error::Internal),
        }
    }

    /// Waits for the conversion and for earlier corrections. Ends where nothing can be corrected.
    pub(super) fn check_family(
        &mut self,
        family: Option<Family>,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let wait = |until_ms: u64| until_ms.max(moment.now_ms).saturating_add(FAMILY_MS);
        let Some(family) = family else {
            return self.put_off(wait(0));
        };
        match &family.conversion {
            Some(parent) if parent.state == "pending" => {
                return self.put_off(wait(parent.next_ms.unwrap_or_default()));
            }
            Some(parent) if parent.state != "delivered" => {
                let (code, why) = (
                    ["conversion_", &parent.state].concat(),
                    [&parent.code, ": ", &parent.message].concat(),
                );
                return self.end(&code, why.trim_end_matches([':', ' ']));
            }
            _ => {}
        }
        if let Some(due_ms) = family.earlier_ms {
            return self.put_off(wait(due_ms));
        }
        let rest_ms = breaker.corrections_rest_until_ms(moment.now_ms);
        if rest_ms > 0 {
            return self.put_off(rest_ms);
        }
        self.is_overtaken = family.has_later;
        self.parent_id = (family.conversion.as_ref()).and_then(|parent| parent.conversion_id);
        if !self.is_in_doubt {
            return self.send(breaker, moment);
        }
        if self.facts.knowledge.is_of_another() && moment.now_ms < self.facts.quiet_from_ms {
            return self.put_off(self.facts.quiet_from_ms);
        }
        let age_ms = family.conversion.and_then(|parent| parent.age_ms);
        let mut changes = Changes::new(age_ms);
        if self.facts.knowledge == Knowledge::Copied {
            let marks = family.delivered.iter().filter_map(|text| {
                let correction = Correction::find(text)?.ok()?;
                correction.mark()
            });
            changes.known = Some(marks.collect());
        }
        self.ask_changes(changes, breaker, moment)
    }

    /// Asks for the offer's changes, which show the correction by its note.
    fn ask_changes(
        &mut self,
        changes: Changes,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let url = match (self.route.older(), self.correction_request()) {
            (Some(account), Ok((_, checked))) => changes.url(account, &checked, &self.row),
            _ => return self.stay_in_doubt("there is no API to ask", breaker, moment),
        };
        if self.is_slow(moment) {
            return self.stay_in_doubt(SLOW, breaker, moment);
        }
        self.phase = Phase::AskingChanges(changes);
        Step::Fetch {
            url,
            limit: changes::BODY_LIMIT,
        }
    }

    pub(super) fn read_changes(
        &mut self,
        mut changes: Changes,
        answer: &Answer<'_>,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let found = match self.correction_request() {
            Ok((_, checked)) => {
                let may_repeat = !checked.adds() && !self.is_overtaken;
                changes.read(answer, &checked, may_repeat)
            }
            Err(error) => Err(error),
        };
        match found {
            Ok(changes::Found::Recorded(id)) => self.settle(Meaning::Recorded(id), breaker, moment),
            Ok(changes::Found::NotYet) => self.ask_changes(changes, breaker, moment),
            Ok(changes::Found::Missing) => {
                // A repetition that does no harm leaves the doubt as it is.
                self.facts.is_deduplicated |= changes.may_be_there;
                self.send_what_is_missing(breaker, moment)
            }
            Ok(changes::Found::Nothing(why)) => self.stay_in_doubt(why, breaker, moment),
            Err(error) => self.fail_lookup(error, breaker, moment),
        }
    }

    /// Nothing is sent, now or later.
    pub(super) fn end(&self, code: &str, why: &str) -> Step {
        Step::Store(Transition {
            attempts: self.row.attempts,
            // A correction that was never sent is in no doubt, whatever this instance knows.
            is_in_doubt: self.row.is_in_doubt && !self.is_overtaken,
            code: code.to_owned(),
            upstream_message: why.to_owned(),
            ..self.transition_to(State::Refused)
        })
    }
}
