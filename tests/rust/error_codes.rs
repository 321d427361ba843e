//! `tests/vectors/errors.json` lists every error code. JavaScript reads the same file.

use cake_edge::Error;
use serde_json::Value;

/// One error of each variant. A new variant fails to compile in the list of codes, and that list
/// reveals its absence here.
fn every_error() -> Vec<Error> {
    let text = || "x".to_owned();
    vec![
        Error::InvalidDomain,
        Error::InvalidId { parameter: "a" },
        Error::SubIdTooLong { parameter: "s1" },
        Error::SubIdTooLong { parameter: "s2" },
        Error::InvalidText { parameter: "s1" },
        Error::LinkTooLong,
        Error::InvalidLink,
        Error::InvalidPriceFormat,
        Error::InvalidDeepLink,
        Error::DeepLinkHost,
        Error::ReservedParameter { parameter: "a" },
        Error::RepeatedParameter { parameter: text() },
        Error::InvalidClickId,
        Error::InvalidUniqueId {
            parameter: "uniqueId",
        },
        Error::InvalidMoney {
            parameter: "payout",
        },
        Error::InvalidTime {
            parameter: "conversionDate",
        },
        Error::InvalidDay { parameter: "first" },
        Error::DaysReversed { parameter: "last" },
        Error::InvalidCookie { parameter: "name" },
        Error::ForeignCookieDomain,
        Error::InvalidPostbackUrl,
        Error::PlaceholderText {
            parameter: "uniqueId",
        },
        Error::InvalidSetting {
            parameter: "windowDays",
        },
        Error::InvalidSetting {
            parameter: "journey",
        },
        Error::UnknownConsent,
        Error::WeakSecret,
        Error::InvalidField {
            parameter: text(),
            rule: text(),
        },
        Error::MissingApiKey,
        Error::InvalidBaseUrl,
        Error::KeyInPage,
        Error::ReadOnly,
        Error::network(),
        Error::Timeout,
        Error::OutcomeUnknown {
            cause: Box::new(Error::network()),
        },
        Error::Aborted,
        Error::HttpStatus {
            status: 500,
            retry_after_ms: None,
            message: text(),
        },
        Error::RateLimited {
            status: 429,
            retry_after_ms: None,
            message: text(),
        },
        Error::Unauthorized {
            status: 401,
            message: String::new(),
        },
        Error::Refused { message: text() },
        Error::UnexpectedAnswer { message: text() },
        Error::Redirected { status: 302 },
        Error::AnswerTooLarge,
        Error::InvalidFixture { message: text() },
        Error::WasmUnavailable,
        Error::WrongRuntime,
        Error::OutboxInUse,
        Error::OutboxFailed,
        Error::AmbiguousFile { message: text() },
        Error::UnreadableFile { message: text() },
        Error::UnmappedStatus { message: text() },
        Error::ReportFull { message: text() },
        Error::ClocksDiffer { message: text() },
        Error::Internal,
    ]
}

#[test]
fn the_vector_file_lists_every_code_and_nothing_else() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/errors.json")).unwrap();
    let listed: Vec<_> = vectors["codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["code"].as_str().unwrap().to_owned(),
                entry["retryable"].as_bool().unwrap(),
            )
        })
        .collect();
    let mut ours: Vec<_> = every_error()
        .iter()
        .map(|error| (error.code().to_owned(), error.is_retryable()))
        .collect();
    // Variants with one code are adjacent.
    ours.dedup();
    assert_eq!(listed, ours);
    let codes: Vec<_> = ours.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, Error::CODES);
}

#[test]
fn every_message_names_its_parameter_and_is_one_sentence() {
    for error in every_error() {
        let message = error.to_string();
        assert!(
            message.starts_with(error.parameter().unwrap_or_default()),
            "{message}"
        );
        assert!(message.contains(error.rule()), "{message}");
        assert!(
            !message.ends_with('.') && !message.contains('\n'),
            "{message}"
        );
        assert_eq!(
            message.contains("(status "),
            error.status().is_some(),
            "{message}"
        );
    }
}

#[test]
fn every_sentence_says_one_rule_and_no_two_the_same() {
    let mut seen = std::collections::HashSet::new();
    for error in every_error() {
        let rule = error.rule();
        // Sentences from CAKE or the caller are `x` here.
        assert!(rule == "x" || seen.insert(rule.to_owned()), "{rule}");
        assert!(rule.len() < 140, "{rule}");
    }
    let rule = |error: Error| error.rule().to_owned();
    let settings =
        ["windowDays", "cookieDays"].map(|parameter| rule(Error::InvalidSetting { parameter }));
    assert!(
        settings
            .iter()
            .all(|rule| rule.ends_with("days from 1 to 400"))
    );
}
