//! The doctor's findings.

use super::super::page::Page;
use super::*;

fn domains_of(rows: Vec<TrackingDomain>) -> CallOutcome {
    CallOutcome::TrackingDomains(Page {
        rows,
        ..Page::default()
    })
}

fn domain(is_default: bool, status: &str) -> TrackingDomain {
    TrackingDomain {
        tracking_domain_id: Some(1),
        domain: Some("track.yournetwork.com".into()),
        domain_status: Some(status.into()),
        is_default: Some(is_default),
    }
}

fn statuses(report: &Report) -> Vec<(&'static str, Status)> {
    report
        .checks
        .iter()
        .map(|check| (check.name, check.status))
        .collect()
}

#[test]
fn the_domains_are_asked_for_and_then_the_click() {
    assert_eq!(
        Examination::new(Some("a b")).unwrap_err().code(),
        "invalid_click_id"
    );
    assert_eq!(
        Examination::new(Some("YOUR_CLICK_ID")).unwrap_err().code(),
        "placeholder_text"
    );
    let mut examination = Examination::new(Some("abc")).unwrap();
    assert_eq!(
        examination.next(),
        Some((
            Action::ListTrackingDomains,
            Services::Young,
            "{}".to_owned()
        ))
    );
    let domains = vec![domain(true, "active")];
    examination.record(Ok(domains_of(domains.clone())), Some(1_000), 2_000);
    assert_eq!(
        examination.next(),
        Some((
            Action::ListTrackingDomains,
            Services::Older,
            "{}".to_owned()
        ))
    );
    examination.record(Ok(domains_of(domains)), Some(90_000), 91_000);
    assert_eq!(
        examination.next(),
        Some((
            Action::GetClick,
            Services::Young,
            r#"{"clickId":"abc"}"#.to_owned()
        ))
    );
    examination.record(Err(Error::Timeout), None, 9_000);
    for (action, result, _) in [
        (Action::ListClicks, Ok(CallOutcome::Click(None)), Well),
        (Action::ListConversions, Err(Error::Timeout), Failed),
        (Action::ListConversionReport, Err(Error::Timeout), Skipped),
    ] {
        let params = r#"{"startDate":"1970-01-01","endDate":"1970-01-02","rowLimit":1}"#;
        assert_eq!(
            examination.next(),
            Some((action, Services::Young, params.to_owned()))
        );
        examination.record(result, None, 9_000);
    }
    assert_eq!(examination.next(), None);
    let report = examination.report();
    assert_eq!(
        statuses(&report),
        [
            ("reachable", Well),
            ("key", Well),
            ("domains", Well),
            ("default_domain", Well),
            ("clock", Well),
            ("click", Failed),
            ("services", Well),
            ("get_click", Well),
            ("get_conversions", Failed),
            ("conversion_report", Skipped),
        ]
    );
}

#[test]
fn an_account_may_have_either_generation_alone() {
    let not_found = || Error::HttpStatus {
        status: 404,
        retry_after_ms: None,
        message: String::new(),
    };
    let unauthorized = || Error::Unauthorized {
        status: 200,
        message: String::new(),
    };
    let well = || Ok(domains_of(vec![domain(true, "active")]));
    for (young, older, is_ok, found) in [
        (
            well(),
            Err(not_found()),
            true,
            "only the young services answer",
        ),
        (
            Err(not_found()),
            well(),
            true,
            "only the older services answer",
        ),
        (
            Err(unauthorized()),
            Err(not_found()),
            false,
            "only the young services answer",
        ),
        // Both refuse the key.
        (Err(unauthorized()), Err(unauthorized()), false, "not known"),
        (
            Err(not_found()),
            Err(not_found()),
            false,
            "neither generation answers",
        ),
    ] {
        let mut examination = Examination::new(None).unwrap();
        examination.record(young, None, 0);
        examination.record(older, None, 0);
        let report = examination.report();
        assert_eq!(report.ok, is_ok);
        let services = report
            .checks
            .iter()
            .find(|check| check.name == "services")
            .unwrap();
        assert_eq!(services.status, Skipped);
        assert_eq!(services.found, found);
    }
    let mut examination = Examination::new(None).unwrap();
    examination.record(Err(Error::Timeout), None, 0);
    assert_eq!(examination.next(), None);
}

use Status::{Failed, Ok as Well, Skipped};

#[test]
fn a_healthy_account_is_well() {
    let domains = [domain(true, "active")];
    let report = diagnose(&Findings {
        domains: Ok(&domains),
        is_young: true,
        older: Some(Ok(&domains)),
        server_ms: Some(1_000_000),
        now_ms: 1_020_000,
        click: None,
        reads: &[Ok(()), Ok(()), Ok(())],
    });
    assert!(report.ok);
    assert_eq!(
        statuses(&report),
        [
            ("reachable", Well),
            ("key", Well),
            ("domains", Well),
            ("default_domain", Well),
            ("clock", Well),
            ("click", Skipped),
            ("services", Well),
            ("get_click", Well),
            ("get_conversions", Well),
            ("conversion_report", Well),
        ]
    );
}

#[test]
fn each_fault_fails_its_own_check_and_says_what_to_do() {
    let unauthorized = Error::Unauthorized {
        status: 200,
        message: String::new(),
    };
    let html = Error::UnexpectedAnswer {
        message: "CAKE's answer is not JSON: <html>".into(),
    };
    let fault = |words: &str| Error::HttpStatus {
        status: 500,
        retry_after_ms: None,
        message: ["CAKE answered with an error status: ", words].concat(),
    };
    let (fault_of_key, fault_of_all) = (fault("Invalid API Key"), fault("Server Error"));
    let inactive = [domain(true, "inactive")];
    let well = [domain(true, "active")];
    for (domains, server_ms, click, failed) in [
        (Err(&Error::network()), None, None, vec!["reachable"]),
        (Err(&html), None, None, vec!["reachable"]),
        (Err(&unauthorized), None, None, vec!["key"]),
        (Err(&fault_of_key), None, None, vec!["key"]),
        (Err(&fault_of_all), None, None, vec!["reachable"]),
        (
            Ok(&inactive[..]),
            None,
            None,
            vec!["domains", "default_domain"],
        ),
        (Ok(&[]), None, None, vec!["domains", "default_domain"]),
        (Ok(&well[..]), Some(60_000), None, vec!["clock"]),
        (Ok(&well[..]), None, Some(Ok(None)), vec!["click"]),
        (
            Ok(&well[..]),
            None,
            Some(Err(&Error::Timeout)),
            vec!["click"],
        ),
    ] {
        let report = diagnose(&Findings {
            domains,
            is_young: true,
            older: None,
            server_ms,
            now_ms: 0,
            click,
            reads: &[],
        });
        let found: Vec<_> = report
            .checks
            .iter()
            .filter(|check| check.status == Failed)
            .map(|check| check.name)
            .collect();
        assert_eq!(found, failed);
        assert!(!report.ok);
        for check in &report.checks {
            assert_eq!(check.advice.is_none(), check.status == Well, "{check:?}");
        }
    }
}

#[test]
fn a_default_that_no_row_tells_is_not_called_missing() {
    let silent = TrackingDomain {
        is_default: None,
        ..domain(true, "active")
    };
    let no = domain(false, "active");
    for (domains, expected) in [
        (vec![silent.clone(), silent.clone()], Skipped),
        (vec![silent.clone(), no.clone()], Failed),
        (vec![no], Failed),
        (vec![silent, domain(true, "active")], Well),
    ] {
        let report = diagnose(&Findings {
            domains: Ok(&domains[..]),
            is_young: true,
            older: None,
            server_ms: None,
            now_ms: 0,
            click: None,
            reads: &[],
        });
        let found = statuses(&report);
        assert!(found.contains(&("default_domain", expected)), "{found:?}");
    }
}
