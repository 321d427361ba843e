//! One call from its first request to its outcome: what to send, how long to wait, when to give up.
//! It does no I/O: its caller reports each event, and carries out the step that follows.
//!
//! The rule of this module: a conversion of unknown outcome is never sent a second time without a
//! unique id. A look-up must also have said that it was not recorded, and late enough for CAKE to be
//! no more at work, unless the caller trusts CAKE's deduplication.

mod subject;

use super::certainty::{Certainty, is_duplicate, of_read};
use super::conversion_report::{self, ConversionReportPage, ReportLookup};
use super::list_conversions;
use super::older;
use super::older::correction::{Correction, Shown};
use super::older::event_conversions::{self, ChangesPage};
use super::record_conversion::{self, Conversion, Duplicate};
use super::report_scan::{Found, ReportScan, Scanned};
use super::{
    Action, Answer, CallSettings, Request, Services,
    create_postback::Postback,
    get_click,
    get_click::{Click, ClickVerdict},
    list_clicks,
    list_tracking_domains::TrackingDomain,
    retry::{settled_ms, wait_ms},
};
use crate::Error;
use serde::Serialize;

pub(super) use subject::{Idempotency, Lookup, Subject};

/// The event since the last step.
#[derive(Debug)]
pub enum CallEvent<'a> {
    /// CAKE answered.
    Answered(&'a Answer<'a>),
    /// No answer came, or one that could not be read.
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

/// The next step.
#[derive(Debug)]
pub enum Step {
    /// Send this and report [`CallEvent::Answered`] or [`CallEvent::Failed`].
    Send(Request),
    /// Wait this many milliseconds and report [`CallEvent::Waited`].
    Wait(u64),
    /// The call is over, and well.
    Done(CallOutcome),
    /// The call is over.
    Fail(Error),
}

/// The outcome of a call. Serializes as its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CallOutcome {
    /// Get Click: the click, or `None`.
    Click(Option<Click>),
    /// Get Click with filters.
    Clicks(list_clicks::ClickPage),
    /// Record Conversion.
    Conversion(Conversion),
    /// Get Conversions.
    Conversions(list_conversions::ConversionPage),
    /// The conversion report.
    Report(ConversionReportPage),
    /// Create Postback.
    Postback(Postback),
    /// Get Tracking Domains.
    TrackingDomains(super::page::Page<TrackingDomain>),
    /// A correction.
    Correction(Correction),
}

/// The most pages of a report that are searched for one row.
const MAX_REPORT_PAGES: u32 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The request is on its way.
    Sending,
    /// A wait, after which Get Click is asked or the request sent again.
    Waiting {
        then_verify: bool,
    },
    /// Get Click is on its way.
    Verifying,
    Over,
}

/// A call in progress; see [`Action::call`].
#[expect(clippy::struct_excessive_bools, reason = "what is known of a write")]
#[derive(Clone, Debug)]
pub struct Call {
    action: Action,
    services: Services,
    request: Request,
    subject: Subject,
    idempotency: Idempotency,
    phase: Phase,
    retries_left: u32,
    failures: u32,
    /// The last failure.
    last: Option<Error>,
    /// Was a write sent, and is its outcome unknown?
    is_in_doubt: bool,
    /// Was there ever such a write? A look-up may have settled it too early.
    was_in_doubt: bool,
    /// How long the call has waited since the last write of unknown outcome, in milliseconds.
    waited_ms: u64,
    /// How long after that write a look-up is believed that does not find it, in milliseconds.
    settled_ms: u64,
    /// Is the look-up the last request of the call?
    is_final_lookup: bool,
    /// Has CAKE said that it has this conversion already? Only its id is still open.
    is_recorded: bool,
    /// Is nothing sent?
    is_dry_run: bool,
    /// The progress of the search in the report, while there is one.
    report: Option<ReportScan>,
}

impl Call {
    pub(super) fn new(
        action: Action,
        request: Request,
        subject: Subject,
        idempotency: Idempotency,
        settings: CallSettings,
    ) -> Self {
        Self {
            action,
            services: action.services(settings.services),
            request,
            subject,
            idempotency,
            phase: Phase::Sending,
            retries_left: settings.retries,
            failures: 0,
            last: None,
            is_in_doubt: false,
            was_in_doubt: false,
            waited_ms: 0,
            settled_ms: settled_ms(settings.timeout_ms),
            is_final_lookup: false,
            is_recorded: false,
            is_dry_run: settings.is_dry_run,
            report: None,
        }
    }

    /// The most bytes of the next answer that are read.
    #[must_use]
    pub(crate) fn body_limit(&self) -> u32 {
        match self.idempotency.lookup() {
            Some(Lookup::Report(_)) if self.phase == Phase::Verifying => {
                conversion_report::BODY_LIMIT
            }
            Some(Lookup::Changes(_)) if self.phase == Phase::Verifying => older::BODY_LIMIT,
            _ => self.action.body_limit(self.services),
        }
    }

    /// The services that the call goes to.
    #[must_use]
    pub(crate) fn services(&self) -> Services {
        self.services
    }

    /// The call's action.
    #[must_use]
    pub(crate) fn action(&self) -> Action {
        self.action
    }

    /// The first step.
    #[must_use]
    pub fn start(&mut self) -> Step {
        match &self.subject.correction {
            Some(correction) if self.is_dry_run => {
                let outcome = CallOutcome::Correction(correction.dry_run());
                self.finish(Step::Done(outcome))
            }
            _ => self.send(),
        }
    }

    /// The step after `event`. `random` is a random number over the whole of
    /// `u32`.
    #[must_use]
    pub fn next(&mut self, event: CallEvent<'_>, random: u32) -> Step {
        match (self.phase, event) {
            (Phase::Sending, CallEvent::Answered(answer)) => {
                match self.action.read(answer, &self.subject, self.services) {
                    Ok(outcome) => self.finish(Step::Done(outcome)),
                    Err(error) => match self.find_before(answer) {
                        Duplicate::Before(Some(id)) => {
                            let conversion = Conversion::named(id);
                            self.finish(Step::Done(CallOutcome::Conversion(conversion)))
                        }
                        Duplicate::Before(None) => {
                            self.is_recorded = true;
                            self.look_up_finally(error)
                        }
                        _ => self.failed(error, random),
                    },
                }
            }
            (Phase::Sending, CallEvent::Failed(error)) => self.failed(error, random),
            (Phase::Verifying, CallEvent::Answered(answer)) => self.on_lookup(answer, random),
            (Phase::Verifying, CallEvent::Failed(error)) => self.on_lookup_failed(error, random),
            (Phase::Waiting { then_verify }, CallEvent::Waited) => {
                if then_verify {
                    self.verify()
                } else {
                    self.send()
                }
            }
            (Phase::Over, _) => Step::Fail(Error::Internal),
            (phase, CallEvent::Aborted { is_sent }) => {
                self.is_in_doubt |= phase == Phase::Sending && is_sent && self.is_write();
                self.give_up(Error::Aborted)
            }
            // A step that was not asked for: nothing more is sent.
            _ => self.give_up(Error::Internal),
        }
    }

    /// Does the answer name the conversion as one of an earlier request of the call?
    fn find_before(&self, answer: &Answer<'_>) -> Duplicate {
        if self.action != Action::RecordConversion || !self.was_in_doubt {
            return Duplicate::No;
        }
        record_conversion::find_duplicate(answer, self.subject.asked())
    }

    fn is_write(&self) -> bool {
        !matches!(self.idempotency, Idempotency::Safe)
    }

    fn finish(&mut self, step: Step) -> Step {
        self.phase = Phase::Over;
        step
    }

    /// Ends the call, with [`Error::OutcomeUnknown`] after a write whose outcome is unknown. A conversion that CAKE has
    /// is one without an id.
    fn give_up(&mut self, error: Error) -> Step {
        if self.is_recorded {
            let conversion = Conversion::known(self.subject.unique_id.take());
            return self.finish(Step::Done(CallOutcome::Conversion(conversion)));
        }
        let error = if self.is_in_doubt {
            Error::OutcomeUnknown {
                cause: Box::new(error),
            }
        } else {
            error
        };
        self.finish(Step::Fail(error))
    }

    fn send(&mut self) -> Step {
        self.phase = Phase::Sending;
        Step::Send(self.request.clone())
    }

    fn verify(&mut self) -> Step {
        let Some(lookup) = self.idempotency.lookup() else {
            return self.give_up(Error::Internal);
        };
        let mut rows = |row_limit| {
            let scan = self
                .report
                .get_or_insert_with(|| ReportScan::new(row_limit, MAX_REPORT_PAGES));
            (scan.start_at_row(), scan.row_limit())
        };
        let request = match lookup {
            Lookup::Click(request) => request.clone(),
            Lookup::Report(request) => {
                let (start, limit) = rows(conversion_report::MAX_ROW_LIMIT);
                conversion_report::with_rows(request, start, limit)
            }
            Lookup::Changes(request) => {
                let (start, limit) = rows(event_conversions::CHANGES_ROW_LIMIT);
                event_conversions::with_rows(request, start, limit, false)
            }
        };
        self.phase = Phase::Verifying;
        Step::Send(request)
    }

    /// The request failed.
    fn failed(&mut self, error: Error, random: u32) -> Step {
        let is_certain = Certainty::from_error(&error) == Certainty::NotRecorded;
        if self.is_write() && !is_certain {
            (self.is_in_doubt, self.waited_ms) = (true, 0);
        }
        self.was_in_doubt |= self.is_in_doubt;
        if is_certain && !error.is_retryable() {
            // CAKE took a correction that an earlier look-up has not found.
            let unique_id = self.subject.unique_id.as_deref();
            if self.was_in_doubt && is_duplicate(&error, unique_id.unwrap_or_default()) {
                self.is_in_doubt = true;
                return self.look_up_finally(error);
            }
            // A refusal of this request says nothing about those before it.
            return self.give_up(error);
        }
        let may_repeat = match self.idempotency {
            Idempotency::Safe => error.is_retryable(),
            Idempotency::None => false,
            // A request that CAKE did not look at has added nothing.
            Idempotency::Keyed { is_sent_once, .. } => !is_sent_once || !self.is_in_doubt,
        };
        let verify_first = self.idempotency.lookup().is_some();
        if may_repeat && self.retries_left > 0 {
            self.retries_left -= 1;
            // What CAKE has not looked at needs no look-up, which might find another order of the click.
            return self.wait(error, verify_first && self.is_in_doubt, random);
        }
        if verify_first && self.is_in_doubt {
            // Nothing more is sent, but the outcome can still be asked for.
            self.is_final_lookup = true;
            return self.wait(error, true, random);
        }
        self.give_up(error)
    }

    /// Nothing more is sent. A look-up, where there is one, may tell what became of the write.
    fn look_up_finally(&mut self, error: Error) -> Step {
        if self.idempotency.lookup().is_none() {
            return self.give_up(error);
        }
        self.last = Some(error);
        self.is_final_lookup = true;
        self.verify()
    }

    fn wait(&mut self, error: Error, then_verify: bool, random: u32) -> Step {
        self.failures += 1;
        let asked = error.retry_after_ms();
        match wait_ms(self.failures, random, asked, self.is_in_doubt) {
            Some(ms) => {
                self.last = Some(error);
                self.waited_ms = self.waited_ms.saturating_add(ms);
                self.phase = Phase::Waiting { then_verify };
                Step::Wait(ms)
            }
            None => self.give_up(error),
        }
    }

    /// The look-up was answered.
    fn on_lookup(&mut self, answer: &Answer<'_>, random: u32) -> Step {
        let Some(lookup) = self.idempotency.lookup() else {
            return self.give_up(Error::Internal);
        };
        let step = match lookup {
            Lookup::Click(_) => get_click::read(answer, &self.subject.click_id)
                .map(|click| self.on_click_found(click)),
            Lookup::Report(_) => {
                conversion_report::read_for_lookup(answer).map(|page| self.on_report_page(&page))
            }
            Lookup::Changes(_) => event_conversions::read_for_lookup(answer)
                .map(|changes| self.on_changes_page(&changes)),
        };
        step.unwrap_or_else(|error| self.on_lookup_failed(of_read(error), random))
    }

    /// Takes a page of changes. The conversion shows the correction, or does not, or may be on the
    /// next page.
    fn on_changes_page(&mut self, changes: &ChangesPage) -> Step {
        let Some(correction) = &self.subject.correction else {
            return self.give_up(Error::Internal);
        };
        if changes.is_two_faced {
            return self.on_report_read(false);
        }
        let rows = &changes.page.rows;
        let is_absent = match correction.find_in(rows, 0) {
            Shown::There(found) => {
                return self.finish(Step::Done(CallOutcome::Correction(found)));
            }
            // What is unclear: what adds is not sent again, and a total may be.
            other => matches!(other, Shown::Absent),
        };
        let is_missing = match &mut self.report {
            Some(scan) => {
                let is_full = rows.len() as u64 >= scan.row_limit();
                let ids = rows.iter().map(|row| row.conversion_id);
                match scan.take(ids, changes.page.total_rows) {
                    Scanned::NotYet if is_absent && is_full => true,
                    Scanned::NotYet => return self.verify(),
                    Scanned::Whole => true,
                    Scanned::Nothing(_) => false,
                }
            }
            None => is_absent,
        };
        self.on_report_read(is_missing)
    }

    /// Takes a page of the report: it has our unique id, or does not, or the next page may have it.
    fn on_report_page(&mut self, lookup: &ReportLookup) -> Step {
        let found = match &mut self.report {
            Some(scan) => scan.find(lookup, self.subject.asked(), &[]),
            None => Found::Nothing("no report was asked for"),
        };
        let is_missing = match found {
            Found::Recorded(row) => match Conversion::reported(row.clone()) {
                Some(conversion) => {
                    return self.finish(Step::Done(CallOutcome::Conversion(conversion)));
                }
                // It is recorded, but the row does not identify the conversion.
                None => false,
            },
            Found::NotYet => return self.verify(),
            Found::Missing => true,
            Found::Nothing(_) => false,
        };
        self.on_report_read(is_missing)
    }

    /// Takes the end of a report: only what it certainly lacks is sent again.
    fn on_report_read(&mut self, is_missing: bool) -> Step {
        self.report = None;
        if is_missing && !self.is_final_lookup {
            return self.send_what_is_missing();
        }
        self.is_in_doubt = true;
        let last = self.last.take().unwrap_or(Error::Internal);
        self.give_up(last)
    }

    /// The look-up has not found the write: it is sent again, unless it may still appear. Then the
    /// look-up is repeated.
    fn send_what_is_missing(&mut self) -> Step {
        let may_appear = match (self.idempotency.lookup(), &self.last) {
            (Some(lookup), Some(last)) => lookup.may_be_behind(last),
            _ => false,
        };
        let rest_ms = self.settled_ms.saturating_sub(self.waited_ms);
        if may_appear && rest_ms > 0 {
            self.waited_ms = self.settled_ms;
            self.phase = Phase::Waiting { then_verify: true };
            return Step::Wait(rest_ms);
        }
        self.is_in_doubt = false;
        self.send()
    }

    /// Get Click answered.
    fn on_click_found(&mut self, click: Option<Click>) -> Step {
        // A click that is not shown may be one that is not shown yet, or no longer.
        let verdict = click.as_ref().map_or(ClickVerdict::Silent, |click| {
            click.verdict(self.subject.offer_id)
        });
        match verdict {
            ClickVerdict::Converted(_) => {
                if let Some(conversion) = click.and_then(Conversion::recovered) {
                    return self.finish(Step::Done(CallOutcome::Conversion(conversion)));
                }
            }
            ClickVerdict::NotConverted if !self.is_final_lookup => {
                return self.send_what_is_missing();
            }
            // Converted, but into an unknown conversion; or a click of another offer.
            _ => self.is_in_doubt = true,
        }
        let last = self.last.take().unwrap_or(Error::Internal);
        self.give_up(last)
    }

    /// Takes a failed look-up: nothing may be sent. The final error is about the write, not about
    /// the look-up.
    fn on_lookup_failed(&mut self, error: Error, random: u32) -> Step {
        let last = self.last.take();
        if error.is_retryable() && self.retries_left > 0 {
            self.retries_left -= 1;
            let step = self.wait(error, true, random);
            self.last = last.or(self.last.take());
            return step;
        }
        self.give_up(last.unwrap_or(error))
    }
}

#[cfg(test)]
mod tests;
