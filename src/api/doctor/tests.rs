//! The doctor's findings.

use super::super::Answer;
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
        by: Barrier::Key,
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
        by: Barrier::Key,
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

/// The report on an account whose services both answer so.
fn report_on(status: u16, body: &str) -> Report {
    let mut examination = Examination::new(None).unwrap();
    for _ in 0..2 {
        let answer = Answer::new(status, body);
        let read = super::super::list_tracking_domains::read(&answer);
        examination.record(read.map(CallOutcome::TrackingDomains), None, 0);
    }
    examination.report()
}

fn failed(report: &Report) -> Vec<(&'static str, &'static str)> {
    let all = report.checks.iter();
    let failed = all.filter(|check| check.status == Failed);
    failed
        .map(|check| (check.name, check.advice.unwrap_or_default()))
        .collect()
}

fn no(message: &str) -> String {
    format!(r#"{{"success":false,"message":"{message}"}}"#)
}

#[test]
fn a_cake_that_is_away_says_nothing_of_the_key() {
    for message in [
        "The system is down for maintenance. Please try again later.",
        "The system is down for maintenance. Your account is not affected.",
        "Scheduled maintenance: your API key stays valid",
        "Service temporarily unavailable",
        "The API key service is temporarily unavailable",
        "Temporarily unavailable",
        "Please try again later",
        "CAKE is offline",
        "We'll be back soon!",
        "The application is currently unavailable",
        "The API is not available at this time",
        "Timeout expired",
    ] {
        let report = report_on(200, &no(message));
        let [("reachable", advice)] = failed(&report)[..] else {
            panic!("{message}: {report:?}");
        };
        assert!(advice.contains("try again later"), "{message}: {advice}");
        let found = &report.checks[0].found;
        assert!(
            found.contains(message) && !found.contains("refused"),
            "{found}"
        );
    }
    let page = |title: &str| format!("<!DOCTYPE html><html><title>{title}</title><body/></html>");
    for (status, body) in [
        (200, page("Down for maintenance")),
        (403, page("Site maintenance")),
        (404, page("Scheduled downtime")),
        (503, page("503 Service Unavailable")),
        (503, String::new()),
        (500, no("Server error")),
        (429, page("Too Many Requests")),
    ] {
        let report = report_on(status, &body);
        let [("reachable", advice)] = failed(&report)[..] else {
            panic!("{status} {body}: {report:?}");
        };
        let says_later = advice.to_ascii_lowercase().contains("try again later");
        assert!(says_later, "{status} {body}: {advice}");
    }
}

#[test]
fn a_web_server_that_does_not_know_the_host_means_a_wrong_address() {
    let page = |title: &str| format!("<html><head><title>{title}</title></head></html>");
    for (status, body) in [
        (400, "<HTML><HEAD><TITLE>Bad Request</TITLE></HEAD><BODY><h2>Bad Request - Invalid Hostname</h2></BODY></HTML>".to_owned()),
        (404, page("Site not found &middot; GitHub Pages")),
        (404, page("404 Web Site not found.")),
        (404, page("No such app")),
        (404, String::new()),
        (405, page("405 Not Allowed")),
        (409, "error code: 1001".to_owned()),
        (410, page("Gone")),
        (421, page("421 Misdirected Request")),
        (500, page("Fastly error: unknown domain example.test")),
        (530, "error code: 1016".to_owned()),
    ] {
        let report = report_on(status, &body);
        let [("reachable", advice)] = failed(&report)[..] else {
            panic!("{status} {body}: {report:?}");
        };
        assert!(advice.contains("Check baseUrl"), "{status} {body}: {advice}");
    }
}

#[test]
fn what_stands_before_cake_says_nothing_of_the_key() {
    for (status, body) in [
        (
            403,
            "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1></body></html>",
        ),
        (
            403,
            "<html style=\"height:100%\"><head><META NAME=\"ROBOTS\"></head><body>Request unsuccessful. Incapsula incident ID: 1-2</body></html>",
        ),
        (
            403,
            "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>",
        ),
        (
            403,
            "<?xml version=\"1.0\"?>\n<!-- a page -->\n<!DOCTYPE html><html><title>Access Denied</title></html>",
        ),
        (403, "<h1>Web application firewall</h1>"),
        (403, "error code: 1020"),
        (403, "Forbidden"),
        (403, ""),
        (
            401,
            "<html><title>401 - Unauthorized: Access is denied due to invalid credentials.</title></html>",
        ),
        (400, "<html><title>Access Denied</title></html>"),
    ] {
        let report = report_on(status, body);
        let [("reachable", advice)] = failed(&report)[..] else {
            panic!("{status} {body}: {report:?}");
        };
        assert!(
            advice.contains("address") && !advice.contains("new key"),
            "{body}: {advice}"
        );
        let found = &report.checks[0].found;
        assert!(found.contains("firewall or a proxy"), "{found}");
    }
    for (status, body) in [
        (200, "<html><title>Log in</title></html>"),
        (
            200,
            "<html><body>Request unsuccessful. Incapsula incident ID: 1-2</body></html>",
        ),
        (200, ""),
        (302, ""),
    ] {
        let report = report_on(status, body);
        assert!(
            matches!(failed(&report)[..], [("reachable", _)]),
            "{status} {body}: {report:?}"
        );
    }
    for check in &report_on(403, "").checks {
        assert!(
            !check.advice.unwrap_or_default().contains("take the key"),
            "{check:?}"
        );
    }
}

#[test]
fn only_words_about_the_key_ask_for_another_key() {
    for (status, body, is_key) in [
        (200, no("Invalid API Key"), true),
        (200, no("Invalid API key, please try again"), true),
        (403, no("Invalid API Key"), true),
        (403, "Invalid API Key".to_owned(), true),
        (500, no("Invalid API Key"), true),
        (401, String::new(), true),
        (
            401,
            r#"{"Message":"Authorization has been denied for this request."}"#.to_owned(),
            true,
        ),
        (200, no("IP address not allowed"), false),
        (200, no("Account suspended"), false),
        (403, no("Forbidden"), false),
        (200, no("User may not use the API"), false),
    ] {
        let report = report_on(status, &body);
        let [("key", advice)] = failed(&report)[..] else {
            panic!("{status} {body}: {report:?}");
        };
        assert_eq!(advice.contains("new key"), is_key, "{body}: {advice}");
    }
}
