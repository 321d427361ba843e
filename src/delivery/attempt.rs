//! One attempt at a stored event. It decides what to send, what to look up and how long to wait,
//! and ends with a change of the row. It does no I/O: its caller carries out each step and reports
//! the result.
//!
//! Three rules hold here. An event that may be recorded is not sent again to an offer without
//! deduplication, unless a look-up has said that it is not recorded. An event is delivered only by
//! an answer about this very event. Every event ends or has a next time.

mod changes;
mod correction;
mod report;
mod settle;
mod step;
mod transition;
pub(crate) mod wire;

use super::circuit_breaker::{CircuitBreaker, Signal};
use super::outcome::{Meaning, State};
use super::route::Route;
use super::{Correction, Event, clock};
use crate::Error;
use crate::api::asked::is_same_click_id;
use crate::api::get_click::ClickVerdict;
use crate::api::report_scan::Found;
use crate::api::{conversion_report, get_click};
use crate::time::CivilDate;
use std::rc::Rc;

use changes::Changes;
use report::{Known, LOOK_UP_MS, Reading, SLOW};

pub(crate) use correction::{Family, Parent};
pub(crate) use step::{Facts, Input, Knowledge, Moment, Row, Sibling, Step};
pub(crate) use transition::Transition;

/// The most bytes read of an answer about one event.
const BODY_LIMIT: u32 = 65_536;

/// How long an event waits when the key was refused for this event alone.
const ALONE_MS: u64 = 5_000;

#[derive(Debug)]
enum Phase {
    Sending,
    AskingClick,
    AskingSiblings(Claim),
    AskingReport(Reading),
    AskingFamily,
    Noting,
    AskingChanges(Changes),
    Over,
}

/// A statement by CAKE, which the known other events of the click may contradict.
#[derive(Clone, Copy, Debug)]
enum Claim {
    /// The answer to the event itself names this conversion.
    Answered(u64),
    /// Get Click names this one, of several that the click may have.
    Converted(u64),
    /// Get Click names this one, and it may be another offer's.
    Named(u64),
    /// The click has no conversion.
    NotConverted,
    /// Get Click names none, and does not say that there is none.
    Nothing,
    /// The report lists the event as this conversion.
    Reported(u64),
}

/// An attempt in progress.
#[expect(clippy::struct_excessive_bools, reason = "what is known of an event")]
#[derive(Debug)]
pub(crate) struct Attempt {
    route: Rc<Route>,
    row: Row,
    facts: Facts,
    event: Option<Event>,
    /// Set for a correction, in place of `event`.
    correction: Option<Correction>,
    /// CAKE's id of its conversion.
    parent_id: Option<u64>,
    /// Has a later correction been sent first?
    is_overtaken: bool,
    /// Has the row stored that a correction is about to be sent?
    is_noted: bool,
    phase: Phase,
    is_in_doubt: bool,
    /// The day of the click, as Get Click tells it.
    clicked_on: Option<CivilDate>,
    /// Does Get Click say, or half say, that the click has a conversion, without a name for it? A report that lacks
    /// the event may be behind then.
    may_be_converted: bool,
    /// Are the click's other events unknown? They are for an event that was accepted while its offer deduplicated.
    lacks_siblings: bool,
    /// Conversions of the click's other events that the report has, unless it is behind.
    reported: Vec<u64>,
    /// What the report has to be compared with.
    known: Known,
    started_ms: u64,
    started_utc_ms: u64,
    sent_ms: Option<u64>,
}

impl Attempt {
    /// An attempt at a row's event.
    #[must_use]
    pub(crate) fn new(route: &Rc<Route>, mut row: Row, facts: Facts, now_ms: u64) -> Self {
        if !clock::is_told_by_set(&row.accepted_at) {
            // Without a date CAKE dates the event when it comes.
            row.accepted_at.clear();
        }
        Self {
            is_in_doubt: row.is_in_doubt || facts.knowledge != Knowledge::NotRecorded,
            route: Rc::clone(route),
            row,
            facts,
            event: None,
            correction: None,
            parent_id: None,
            is_overtaken: false,
            is_noted: false,
            phase: Phase::Over,
            clicked_on: None,
            may_be_converted: false,
            lacks_siblings: false,
            reported: Vec::new(),
            known: Known::default(),
            started_ms: now_ms,
            started_utc_ms: 0,
            sent_ms: None,
        }
    }

    /// Has the look-up taken its time?
    fn is_slow(&self, moment: Moment) -> bool {
        moment.utc_ms.saturating_sub(self.started_utc_ms) > LOOK_UP_MS
    }

    /// The first step.
    pub(crate) fn start(&mut self, breaker: &mut CircuitBreaker, moment: Moment) -> Step {
        self.started_utc_ms = moment.utc_ms;
        match Correction::find(&self.row.text) {
            Some(Ok(correction)) => {
                self.correction = Some(correction);
                // CAKE does not recognise a repeated correction.
                self.facts.is_deduplicated = false;
                self.is_in_doubt =
                    (self.facts.knowledge).looks_up(true, self.row.is_in_doubt, false);
                self.phase = Phase::AskingFamily;
                return Step::AskFamily;
            }
            Some(Err(error)) => return self.settle(Meaning::Refused(error), breaker, moment),
            None => {}
        }
        match Event::from_text(&self.row.text) {
            Ok(event) => self.event = Some(event),
            Err(error) => return self.settle(Meaning::Refused(error), breaker, moment),
        }
        let facts = self.facts;
        if !(facts.knowledge).looks_up(false, self.row.is_in_doubt, facts.is_deduplicated) {
            return self.send(breaker, moment);
        }
        if facts.knowledge.is_of_another() && moment.now_ms < facts.quiet_from_ms {
            return self.put_off(self.facts.quiet_from_ms);
        }
        let rest_ms = breaker.lookups_rest_until_ms(moment.now_ms);
        if rest_ms > 0 {
            return self.put_off(rest_ms);
        }
        let url = self
            .event
            .as_ref()
            .and_then(|event| self.route.lookup_url(event));
        match url {
            Some(url) => {
                self.phase = Phase::AskingClick;
                Step::Fetch {
                    url,
                    limit: BODY_LIMIT,
                }
            }
            None => self.stay_in_doubt("there is no API to ask", breaker, moment),
        }
    }

    /// The step after `input`.
    pub(crate) fn next(
        &mut self,
        input: Input<'_>,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let phase = std::mem::replace(&mut self.phase, Phase::Over);
        match (phase, input) {
            (Phase::Sending, Input::Answered(answer)) if self.correction.is_some() => {
                let meaning = match self.correction_request() {
                    Ok((_, checked)) => Meaning::from_correction_answer(answer, &checked),
                    Err(error) => Meaning::Refused(error),
                };
                self.settle(meaning, breaker, moment)
            }
            (Phase::Sending, Input::Answered(answer)) => {
                let asked = self.event.as_ref().map(Event::asked).unwrap_or_default();
                let meaning = Meaning::from_answer(&self.route, answer, asked, self.was_in_doubt());
                match meaning {
                    Meaning::Recorded(Some(id)) => self.ask_siblings(Claim::Answered(id)),
                    _ => self.settle(meaning, breaker, moment),
                }
            }
            (Phase::Sending, Input::Failed(error)) => {
                self.settle(Meaning::from_error(error), breaker, moment)
            }
            (Phase::AskingClick, Input::Answered(answer)) => {
                let event = self.event.as_ref().map(Event::params);
                let (click_id, offer_id) =
                    event.map_or(("", 0), |params| (&params.click_id, params.offer_id));
                match get_click::read(answer, click_id) {
                    // A click that is not shown may be one that is not shown yet, or no longer.
                    Ok(None) => self.ask_siblings(Claim::Nothing),
                    Ok(Some(click)) => {
                        self.clicked_on = report::day_of(click.click_date.as_deref());
                        match (click.verdict(offer_id), click.conversion_id) {
                            (ClickVerdict::NotConverted, _) => {
                                self.ask_siblings(Claim::NotConverted)
                            }
                            (ClickVerdict::Converted(id), _) => {
                                self.ask_siblings(Claim::Converted(id))
                            }
                            (ClickVerdict::Unclear, Some(id)) => {
                                self.ask_siblings(Claim::Named(id))
                            }
                            (verdict, _) => {
                                self.may_be_converted = verdict == ClickVerdict::Unclear;
                                self.ask_siblings(Claim::Nothing)
                            }
                        }
                    }
                    Err(error) => self.fail_lookup(error, breaker, moment),
                }
            }
            (Phase::AskingSiblings(claim), Input::Siblings(siblings)) => {
                self.weigh(claim, siblings, breaker, moment)
            }
            (Phase::AskingReport(reading), Input::Answered(answer)) => {
                match conversion_report::read_for_lookup(answer) {
                    Ok(lookup) => self.read_report(&lookup, reading, breaker, moment),
                    Err(error) => self.fail_report(error, breaker, moment),
                }
            }
            (Phase::AskingFamily, Input::Family(family)) => {
                self.check_family(family, breaker, moment)
            }
            (Phase::Noting, Input::Noted(true)) => {
                self.is_noted = true;
                self.send(breaker, moment)
            }
            (Phase::Noting, Input::Noted(false)) => self.put_off(moment.now_ms + ALONE_MS),
            (Phase::AskingChanges(changes), Input::Answered(answer)) => {
                self.read_changes(changes, answer, breaker, moment)
            }
            (
                Phase::AskingClick | Phase::AskingReport(_) | Phase::AskingChanges(_),
                Input::Failed(error),
            ) => self.fail_lookup(error, breaker, moment),
            // This input answers no step: nothing more is sent.
            _ => self.settle(Meaning::Again(Error::Internal), breaker, moment),
        }
    }

    fn send(&mut self, breaker: &mut CircuitBreaker, moment: Moment) -> Step {
        // With deduplication a doubt stays. Without it, a look-up has settled the doubt.
        self.is_in_doubt &= self.facts.is_deduplicated;
        if self.is_overtaken {
            let why = "a later correction of this conversion went ahead: hand it over anew";
            return self.end("overtaken", why);
        }
        let url = match &self.event {
            Some(event) => self.route.url(event, &self.row.accepted_at),
            None => self
                .correction_request()
                .map(|(request, _)| request.url_with_key()),
        };
        let is_noted = self.correction.is_none() || self.row.is_in_doubt || self.is_noted;
        match url {
            Ok(_) if !is_noted => {
                self.phase = Phase::Noting;
                Step::NoteSending
            }
            Ok(url) => {
                self.phase = Phase::Sending;
                self.sent_ms = Some(moment.now_ms);
                Step::Fetch {
                    url,
                    limit: BODY_LIMIT,
                }
            }
            Err(error) => self.refuse_unsendable(error, breaker, moment),
        }
    }

    fn ask_siblings(&mut self, claim: Claim) -> Step {
        self.phase = Phase::AskingSiblings(claim);
        match claim {
            Claim::Answered(conversion_id) | Claim::Reported(conversion_id) => {
                Step::AskOthers { conversion_id }
            }
            Claim::Converted(id) | Claim::Named(id) => Step::AskSiblings {
                conversion_id: Some(id),
            },
            Claim::NotConverted | Claim::Nothing => Step::AskSiblings {
                conversion_id: None,
            },
        }
    }

    /// Compares CAKE's statement with the known other events of the click.
    fn weigh(
        &mut self,
        claim: Claim,
        siblings: Option<&[Sibling]>,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        self.lacks_siblings = siblings.is_none();
        let known = siblings.unwrap_or_default();
        self.reported = Reading::expected(&self.row, known);
        self.known.others = known.iter().filter_map(|it| it.conversion_id).collect();
        self.known.other_ids = known.iter().filter_map(|it| it.unique_id.clone()).collect();
        // Where the siblings are unknown, an answer about this event stands.
        let is_theirs = |id| {
            let mut theirs = known.iter().filter(|it| it.conversion_id == Some(id));
            // Where CAKE deduplicates, only a click can make two events one. The numbers of a sandbox begin anew.
            theirs.any(|it| !self.facts.is_deduplicated || self.is_of_click(&it.click_id))
        };
        match claim {
            Claim::Answered(id) if is_theirs(id) => {
                let message = "CAKE's answer names the conversion of another event".to_owned();
                let meaning = Meaning::Again(Error::UnexpectedAnswer { message });
                self.settle(meaning, breaker, moment)
            }
            Claim::Reported(id) if is_theirs(id) => {
                let why = "the report has it as the conversion of another event";
                self.stay_in_doubt(why, breaker, moment)
            }
            Claim::Answered(id) | Claim::Reported(id) => {
                self.settle(Meaning::Recorded(Some(id)), breaker, moment)
            }
            Claim::Named(id) | Claim::Converted(id) => {
                self.known.named = (!is_theirs(id)).then_some(id);
                // Another offer's conversion is not in this offer's report.
                if matches!(claim, Claim::Named(_)) {
                    self.reported.retain(|&known| known != id);
                }
                self.ask_report(Reading::new(), breaker, moment)
            }
            // Get Click is out of date where a conversion of the click is known.
            Claim::NotConverted
                if siblings.is_none_or(|all| all.iter().any(|it| it.is_delivered)) =>
            {
                self.ask_report(Reading::new(), breaker, moment)
            }
            Claim::NotConverted => self.send_what_is_missing(breaker, moment),
            Claim::Nothing => self.ask_report(Reading::new(), breaker, moment),
        }
    }

    fn is_of_click(&self, click_id: &str) -> bool {
        let own = self.event.as_ref().map(Event::params);
        own.is_some_and(|own| is_same_click_id(&own.click_id, click_id))
    }

    /// Asks the report, which knows unique ids, where Get Click cannot tell.
    fn ask_report(
        &mut self,
        reading: Reading,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let url = match (&*self.route, &self.event) {
            (Route::Api(account), Some(event)) => {
                reading.url(account, &self.row, event, moment.utc_ms)
            }
            _ => None,
        };
        let Some(url) = url else {
            return self.stay_in_doubt("there is no report to ask", breaker, moment);
        };
        if self.is_slow(moment) {
            return self.stay_in_doubt(SLOW, breaker, moment);
        }
        self.phase = Phase::AskingReport(reading);
        Step::Fetch {
            url,
            limit: conversion_report::BODY_LIMIT,
        }
    }

    fn read_report(
        &mut self,
        lookup: &conversion_report::ReportLookup,
        mut reading: Reading,
        breaker: &mut CircuitBreaker,
        moment: Moment,
    ) -> Step {
        let found = match &self.event {
            Some(event) => reading.read(lookup, &self.row, event, &self.known),
            None => Found::Nothing("there is no event"),
        };
        match found {
            Found::Recorded(row) => {
                if let Some(id) = row.conversion_id {
                    return self.ask_siblings(Claim::Reported(id));
                }
                let why = "the report has the event without a conversion id";
                return self.stay_in_doubt(why, breaker, moment);
            }
            Found::NotYet => return self.ask_report(reading, breaker, moment),
            Found::Nothing(why) => return self.stay_in_doubt(why, breaker, moment),
            Found::Missing if reading.has_nobodys() => {
                let why = "the report has a conversion of the click that no other event here has";
                return self.stay_in_doubt(why, breaker, moment);
            }
            Found::Missing => {}
        }
        let lacks_named = self.known.named.is_some_and(|id| !reading.has(id));
        // It may be an order of another day.
        if let Some(wider) = reading.since(self.clicked_on).filter(|_| lacks_named) {
            return self.ask_report(wider, breaker, moment);
        }
        let why = if lacks_named {
            "Get Click names a conversion that the report lacks"
        } else if !self.reported.iter().all(|id| reading.has(*id)) {
            "the report lacks a known conversion of the click: it is behind"
        } else if self.may_be_converted {
            "Get Click may name a conversion that the report lacks"
        } else if self.lacks_siblings && self.row.is_in_doubt {
            "the report lacks it, and may be behind: the click's other events are not known here"
        } else {
            return self.send_what_is_missing(breaker, moment);
        };
        self.wait_or_doubt(why, breaker, moment)
    }

    /// The look-up lacks the event: it is sent, or put off while CAKE may still be at work on the last
    /// attempt, or its report behind.
    fn send_what_is_missing(&mut self, breaker: &mut CircuitBreaker, moment: Moment) -> Step {
        match self.too_early(breaker, moment) {
            Some(step) => step,
            None => self.send(breaker, moment),
        }
    }

    fn fail_lookup(&mut self, error: Error, breaker: &mut CircuitBreaker, moment: Moment) -> Step {
        let meaning = Meaning::from_failed_lookup(error);
        let signal = match meaning.signal() {
            Signal::Limited(asked_ms) if self.correction.is_none() => {
                Signal::LookupLimited(asked_ms)
            }
            signal => signal,
        };
        self.settle_as(meaning, signal, breaker, moment)
    }

    /// Get Click answered just before, so CAKE accepts the key but has no report to give. This is
    /// not the account's trouble.
    fn fail_report(&mut self, error: Error, breaker: &mut CircuitBreaker, moment: Moment) -> Step {
        let error = match Meaning::from_failed_lookup(error) {
            Meaning::KeyRefused(error) => Error::UnexpectedAnswer {
                message: error.to_string(),
            },
            Meaning::Again(error @ Error::UnexpectedAnswer { .. }) => error,
            Meaning::Again(error) | Meaning::Refused(error) | Meaning::NotFound(error) => {
                return self.fail_lookup(error, breaker, moment);
            }
            meaning @ Meaning::Recorded(_) => return self.settle(meaning, breaker, moment),
        };
        self.settle_as(Meaning::Again(error), Signal::Healthy, breaker, moment)
    }

    /// The transition that `meaning` brings.
    fn settle(&mut self, meaning: Meaning, breaker: &mut CircuitBreaker, moment: Moment) -> Step {
        let signal = meaning.signal();
        self.settle_as(meaning, signal, breaker, moment)
    }
}

#[cfg(test)]
mod correction_courses;
#[cfg(test)]
mod correction_tests;
#[cfg(test)]
mod courses;
#[cfg(test)]
mod look_up_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whose_tests;
