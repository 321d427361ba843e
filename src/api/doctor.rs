//! The doctor: checks of an account for a settings page or a deploy script, each with its remedy.

mod closed;

use super::get_click::Click;
use super::list_tracking_domains::TrackingDomain;
use super::{Action, CallOutcome, Services};
use crate::time::CivilTime;
use crate::{Barrier, Error, click_id};
use closed::{closed, is_answered_no, is_fault_about_the_key, is_wrong_address};

type Result<T, E = Error> = core::result::Result<T, E>;
use serde::Serialize;

/// The tolerated difference between the clocks, in milliseconds. An answer's time is in whole
/// seconds, and some time passes on the way.
const CLOCK_TOLERANCE_MS: u64 = 30_000;

/// An examination of an account, step by step. Its caller makes the calls and reports the results.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    click_id: Option<String>,
    domains: Option<Result<Vec<TrackingDomain>>>,
    older: Option<Result<Vec<TrackingDomain>>>,
    server_ms: Option<u64>,
    now_ms: u64,
    click: Option<Result<Option<Click>>>,
    /// The results of the reads of [`READS`] so far.
    reads: Vec<Result<()>>,
}

/// The reads that not every account answers, by the names of their checks. Each asks for one row.
const READS: [(&str, Action); 3] = [
    ("get_click", Action::ListClicks),
    ("get_conversions", Action::ListConversions),
    ("conversion_report", Action::ListConversionReport),
];

impl Examination {
    /// An examination of an account, and of a click where its id is given.
    ///
    /// # Errors
    /// [`Error::InvalidClickId`], [`Error::PlaceholderText`].
    pub(crate) fn new(click_id: Option<&str>) -> Result<Self> {
        if let Some(click_id) = click_id {
            click_id::check(click_id)?;
        }
        Ok(Self {
            click_id: click_id.map(str::to_owned),
            ..Self::default()
        })
    }

    /// The next call: an action, its services, and its parameters as JSON. `None` at the end.
    #[must_use]
    pub(crate) fn next(&self) -> Option<(Action, Services, String)> {
        let list = |services| Some((Action::ListTrackingDomains, services, "{}".to_owned()));
        match (&self.domains, &self.older) {
            (None, _) => return list(Services::Young),
            // If nobody answers one call, nobody answers the others.
            (Some(Err(Error::Network { .. } | Error::Timeout | Error::Aborted)), _)
            | (_, Some(_)) => {}
            (Some(_), None) => return list(Services::Older),
        }
        if let Some(click_id) = self.click_id.as_deref().filter(|_| self.click.is_none()) {
            // A click id has no character that JSON would escape.
            let params = ["{\"clickId\":\"", click_id, "\"}"].concat();
            return Some((Action::GetClick, Services::Young, params));
        }
        // If the first call failed, these calls would fail too.
        let is_known = matches!(self.domains, Some(Ok(_)));
        let (_, action) = READS.get(self.reads.len()).filter(|_| is_known)?;
        let today = CivilTime::from_utc_ms(self.now_ms).date();
        let params = [
            "{\"startDate\":\"",
            &today.to_string(),
            "\",\"endDate\":\"",
            &today.next().to_string(),
            "\",\"rowLimit\":1}",
        ]
        .concat();
        Some((*action, Services::Young, params))
    }

    /// Records the result of the call. `server_ms` is the time in its answer's `Date` header and
    /// `now_ms` our own, in milliseconds since 1970.
    pub(crate) fn record(
        &mut self,
        result: Result<CallOutcome>,
        server_ms: Option<u64>,
        now_ms: u64,
    ) {
        let is_older = matches!(self.next(), Some((_, Services::Older, _)));
        if self.domains.is_none() || is_older {
            let domains = match result {
                Ok(CallOutcome::TrackingDomains(page)) => Ok(page.rows),
                Ok(_) => Err(Error::Internal),
                Err(error) => Err(error),
            };
            if is_older {
                self.older = Some(domains);
            } else {
                self.domains = Some(domains);
            }
            if self.server_ms.is_none() {
                self.server_ms = server_ms;
                self.now_ms = now_ms;
            }
        } else if self.click_id.is_some() && self.click.is_none() {
            self.click = Some(match result {
                Ok(CallOutcome::Click(click)) => Ok(click),
                Ok(_) => Err(Error::Internal),
                Err(error) => Err(error),
            });
        } else {
            self.reads.push(result.map(drop));
        }
    }

    /// The report on the findings.
    #[must_use]
    pub(crate) fn report(&self) -> Report {
        let click = self.click.as_ref();
        let domains = match &self.domains {
            Some(domains) => domains.as_deref(),
            None => Err(&Error::Aborted),
        };
        let older = self.older.as_ref().map(Result::as_deref);
        diagnose(&Findings {
            // An account may have the older services alone.
            domains: match (domains, older) {
                (
                    Err(
                        error @ (Error::UnexpectedAnswer { .. }
                        | Error::HttpStatus { status: 404, .. }),
                    ),
                    Some(Ok(older)),
                ) if closed(error).is_none() => Ok(older),
                (domains, _) => domains,
            },
            is_young: match domains {
                Ok(_) => true,
                Err(error) => is_answered_no(error),
            },
            older,
            server_ms: self.server_ms,
            now_ms: self.now_ms,
            click: click.map(|click| click.as_ref().map(Option::as_ref)),
            reads: &self.reads,
        })
    }
}

/// The findings of the calls.
struct Findings<'a> {
    domains: Result<&'a [TrackingDomain], &'a Error>,
    /// Do the young services answer, even with a no?
    is_young: bool,
    /// The answer of the older services, where they were asked.
    older: Option<Result<&'a [TrackingDomain], &'a Error>>,
    server_ms: Option<u64>,
    now_ms: u64,
    click: Option<Result<Option<&'a Click>, &'a Error>>,
    reads: &'a [Result<()>],
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// All is well.
    Ok,
    /// Something has to be done.
    Failed,
    /// It could not be checked, or was not asked for.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// `reachable`, `key`, `domains`, `default_domain`, `clock`, `click`, `services`, `get_click`,
    /// `get_conversions` or `conversion_report`.
    pub(crate) name: &'static str,
    /// The result.
    pub(crate) status: Status,
    /// The finding.
    pub(crate) found: String,
    /// The remedy, unless all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<&'static str>,
}

/// All checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Has no check failed?
    pub(crate) ok: bool,
    /// The checks, in the order in which they build on each other.
    pub(crate) checks: Vec<Check>,
}

fn check(name: &'static str, is_ok: bool, found: impl Into<String>, advice: &'static str) -> Check {
    Check {
        name,
        status: if is_ok { Status::Ok } else { Status::Failed },
        found: found.into(),
        advice: (!is_ok).then_some(advice),
    }
}

fn skipped(name: &'static str, found: &str, advice: &'static str) -> Check {
    Check {
        name,
        status: Status::Skipped,
        found: found.to_owned(),
        advice: Some(advice),
    }
}

/// Makes the report of the findings.
#[expect(clippy::too_many_lines, reason = "one check after the other")]
fn diagnose(findings: &Findings<'_>) -> Report {
    let mut checks = Vec::with_capacity(10);
    let failure = findings.domains.err();
    checks.push(match failure {
        Some(error) if let Some(advice) = closed(error) => {
            check("reachable", false, error.to_string(), advice)
        }
        Some(error @ (Error::Network { .. } | Error::Timeout)) => check(
            "reachable",
            false,
            error.rule(),
            "Check baseUrl, and that this machine may reach it. Where CAKE lets only listed servers in, have this one's address listed.",
        ),
        Some(Error::Redirected { .. }) => check(
            "reachable",
            false,
            "baseUrl answers with a redirect",
            "Use the domain that the redirect leads to, if it is your CAKE domain.",
        ),
        Some(error @ (Error::UnexpectedAnswer { .. } | Error::AnswerTooLarge)) => check(
            "reachable",
            false,
            error.rule(),
            "Check baseUrl: what answers there is not CAKE's API. A firewall, or a page while CAKE is away, may answer in its place.",
        ),
        Some(error) if is_fault_about_the_key(error) => {
            check("reachable", true, "CAKE's API answers", "")
        }
        Some(error) if is_wrong_address(error) => check(
            "reachable",
            false,
            ["there is no CAKE API at baseUrl: ", &error.to_string()].concat(),
            "Check baseUrl: it is your CAKE domain, such as https://yourdomain.cakemarketing.com, and no tracking domain.",
        ),
        Some(error @ (Error::HttpStatus { .. } | Error::RateLimited { .. })) => check(
            "reachable",
            false,
            error.to_string(),
            "Try again later; if it stays so, check baseUrl, and ask CAKE's support.",
        ),
        Some(Error::Aborted) => skipped("reachable", "aborted", "Run the check again."),
        _ => check("reachable", true, "CAKE's API answers", ""),
    });
    let is_reachable = checks
        .first()
        .is_some_and(|reachable| reachable.status == Status::Ok);
    let unreached = "Make CAKE reachable first.";
    checks.push(match failure {
        Some(_) if !is_reachable => skipped("key", "not known", unreached),
        Some(
            error @ Error::Unauthorized {
                by: Barrier::Account,
                ..
            },
        ) => check(
            "key",
            false,
            error.to_string(),
            "The key may be right. Do what the words say: have this machine's address listed in CAKE, see that the account is active and that the key's user may use the API.",
        ),
        Some(error) if matches!(error, Error::Unauthorized { .. }) || is_fault_about_the_key(error) => check(
            "key",
            false,
            error.to_string(),
            "Take the key from CAKE: Setup, System Access, API Keys. A new key ends the old one at once.",
        ),
        Some(error @ Error::Refused { .. }) => check(
            "key",
            false,
            error.rule(),
            "See that the key's user may use the API.",
        ),
        Some(error) => check("key", false, error.rule(), "Run the check again."),
        None => check("key", true, "CAKE takes the key", ""),
    });
    domains(&mut checks, findings.domains.ok(), is_reachable);
    checks.push(clock(findings, is_reachable));
    checks.push(match &findings.click {
        None => skipped(
            "click",
            "no click id was given",
            "Follow one of your tracking links, and check again with its click id.",
        ),
        Some(Ok(Some(click))) => check(
            "click",
            true,
            [
                "CAKE knows the click",
                if click.converted == Some(true) {
                    ", and it has converted"
                } else {
                    ", and it has not converted"
                },
            ]
            .concat(),
            "",
        ),
        Some(Ok(None)) => check(
            "click",
            false,
            "CAKE does not know the click",
            "See that the offer's link passes #reqid# on, and that the click belongs to this account.",
        ),
        Some(Err(error)) => check(
            "click",
            false,
            error.to_string(),
            closed(error).unwrap_or("Mend what failed above, then check again."),
        ),
    });
    checks.push(services(findings));
    for (index, (name, _)) in READS.into_iter().enumerate() {
        checks.push(read(name, findings.reads.get(index)));
    }
    Report {
        ok: checks.iter().all(|check| check.status != Status::Failed),
        checks,
    }
}

/// Checks whether the account answers this call. An account may do without the conversion report.
fn read(name: &'static str, result: Option<&Result<()>>) -> Check {
    let is_report = name == "conversion_report";
    match result {
        None => skipped(
            name,
            "not known",
            "Mend what failed above, then check again.",
        ),
        Some(Ok(())) => check(name, true, "the account answers it", ""),
        Some(Err(Error::Aborted)) => skipped(name, "aborted", "Run the check again."),
        Some(Err(error)) if let Some(advice) = closed(error) => {
            check(name, false, error.to_string(), advice)
        }
        Some(Err(error)) if is_report => skipped(
            name,
            &["the account does not answer it: ", &error.to_string()].concat(),
            "Use listConversions, and no verify: \"report\"; or ask CAKE's support for the report.",
        ),
        Some(Err(error)) => check(
            name,
            false,
            ["the account does not answer it: ", &error.to_string()].concat(),
            "Ask CAKE's support for it: lists and look-ups need it.",
        ),
    }
}

fn domains(checks: &mut Vec<Check>, domains: Option<&[TrackingDomain]>, is_reachable: bool) {
    let Some(domains) = domains else {
        let advice = if is_reachable {
            "Make CAKE take the key first."
        } else {
            "Make CAKE reachable first."
        };
        checks.push(skipped("domains", "not known", advice));
        checks.push(skipped("default_domain", "not known", advice));
        return;
    };
    let mut active = domains.iter().filter(|domain| domain.is_active());
    let first = active.next();
    checks.push(check(
        "domains",
        first.is_some(),
        match first {
            None => "no tracking domain is active".to_owned(),
            Some(first) => {
                let mut found = [first.shown(), " is active"].concat();
                let more = active.count() as u64;
                if more > 0 {
                    found.push_str(", and more: ");
                    crate::url::push_number(&mut found, more, 10);
                }
                found
            }
        },
        "Add a tracking domain in CAKE: Admin, Tracking Domains.",
    ));
    if !domains.is_empty() && domains.iter().all(|domain| domain.is_default.is_none()) {
        let found = "CAKE does not say which tracking domain is the default";
        checks.push(skipped(
            "default_domain",
            found,
            "Look in CAKE: Admin, Tracking Domains.",
        ));
        return;
    }
    let default = domains
        .iter()
        .find(|domain| domain.is_default == Some(true));
    checks.push(check(
        "default_domain",
        default.is_some_and(TrackingDomain::is_active),
        match default {
            None => "no tracking domain is the default".to_owned(),
            Some(default) if default.is_active() => [default.shown(), " is the default"].concat(),
            Some(default) => [default.shown(), " is the default, and not active"].concat(),
        },
        "Choose an active default domain in CAKE: Admin, Tracking Domains.",
    ));
}

/// Checks which services answer. An account needs only one generation, so nothing fails here.
fn services(findings: &Findings<'_>) -> Check {
    match findings.older {
        None => skipped("services", "not known", "Make CAKE reachable first."),
        Some(Ok(_)) if findings.is_young => check(
            "services",
            true,
            "the young and the older services answer",
            "",
        ),
        Some(_)
            if findings
                .domains
                .err()
                .is_some_and(|error| closed(error).is_some()) =>
        {
            skipped("services", "not known", "Make CAKE reachable first.")
        }
        Some(Err(error)) if let Some(advice) = closed(error) => {
            skipped("services", "not known", advice)
        }
        Some(Ok(_)) => skipped(
            "services",
            "only the older services answer",
            "Open the client with services: \"older\"; conversions go by p.ashx.",
        ),
        Some(Err(_)) if !findings.is_young => skipped(
            "services",
            "neither generation answers",
            "Make CAKE reachable first.",
        ),
        // A wrong key is refused by both.
        Some(Err(error)) if is_answered_no(error) => skipped(
            "services",
            "not known",
            "Mend what failed above, then check again.",
        ),
        Some(Err(_)) => skipped(
            "services",
            "only the young services answer",
            "Nothing, unless conversions are corrected: that needs the older services, /api/6/track.asmx.",
        ),
    }
}

fn clock(findings: &Findings<'_>, is_reachable: bool) -> Check {
    let Some(server_ms) = findings.server_ms.filter(|_| is_reachable) else {
        return skipped(
            "clock",
            "CAKE told no time",
            "Nothing, if all else is well.",
        );
    };
    let apart_ms = server_ms.abs_diff(findings.now_ms);
    let mut found = String::from("the clocks are ");
    crate::url::push_number(&mut found, apart_ms / 1_000, 10);
    found.push_str(" s apart");
    check(
        "clock",
        apart_ms <= CLOCK_TOLERANCE_MS,
        found,
        "Set this machine's clock by NTP: conversion dates and attribution windows depend on it.",
    )
}

#[cfg(test)]
mod tests;
