//! `tests/vectors/errors.json` lists every error code. JavaScript reads the same file.

use cake_edge::{Barrier, Error, IdRule, UrlRule};
use serde_json::Value;

/// One error of each variant. A new variant fails to compile in the list of codes, and that list
/// reveals its absence here.
#[expect(clippy::too_many_lines, reason = "one list")]
fn every_error() -> Vec<Error> {
    let text = || "x".to_owned();
    let of_urls = |error: fn(UrlRule) -> Error| UrlRule::ALL.map(error).to_vec();
    let of_ids = |error: fn(IdRule) -> Error| IdRule::ALL.map(error).to_vec();
    let one = |error: Error| vec![error];
    [
        one(Error::InvalidDomain),
        one(Error::InvalidSandboxOrigin),
        one(Error::InvalidId { parameter: "a" }),
        one(Error::InvalidIdOrAll {
            parameter: "offerId",
        }),
        one(Error::SubIdTooLong { parameter: "s1" }),
        one(Error::SubIdTooLong { parameter: "s2" }),
        one(Error::InvalidText { parameter: "s1" }),
        one(Error::LinkTooLong),
        one(Error::InvalidLink),
        one(Error::InvalidPriceFormat),
        of_urls(|rule| Error::InvalidDeepLink { rule }),
        one(Error::DeepLinkHost),
        one(Error::ReservedParameter { parameter: "a" }),
        one(Error::RepeatedParameter { parameter: text() }),
        of_ids(|rule| Error::InvalidClickId { rule }),
        of_ids(|rule| Error::InvalidUniqueId {
            parameter: "uniqueId",
            rule,
        }),
        one(Error::InvalidMoney {
            parameter: "payout",
        }),
        one(Error::InvalidTime {
            parameter: "conversionDate",
        }),
        one(Error::InvalidDay { parameter: "first" }),
        one(Error::DaysReversed { parameter: "last" }),
        one(Error::InvalidCookie { parameter: "name" }),
        one(Error::ForeignCookieDomain),
        of_urls(|rule| Error::InvalidPostbackUrl { rule }),
        one(Error::PlaceholderText {
            parameter: "uniqueId",
        }),
        one(Error::InvalidSetting {
            parameter: "windowDays",
        }),
        one(Error::InvalidSetting {
            parameter: "journey",
        }),
        one(Error::UnknownConsent),
        one(Error::WeakSecret),
        one(Error::InvalidField {
            parameter: text(),
            rule: text(),
        }),
        one(Error::MissingApiKey),
        of_urls(|rule| Error::InvalidBaseUrl { rule }),
        one(Error::KeyInPage),
        one(Error::ReadOnly),
        one(Error::network()),
        one(Error::Timeout),
        one(Error::OutcomeUnknown {
            cause: Box::new(Error::network()),
        }),
        one(Error::Aborted),
        one(Error::HttpStatus {
            status: 500,
            retry_after_ms: None,
            message: text(),
        }),
        one(Error::RateLimited {
            status: 429,
            retry_after_ms: None,
            message: text(),
        }),
        [
            Barrier::Key,
            Barrier::Account,
            Barrier::Away,
            Barrier::Front,
        ]
        .map(|by| Error::Unauthorized {
            status: 401,
            by,
            message: String::new(),
        })
        .to_vec(),
        one(Error::Refused { message: text() }),
        one(Error::Unavailable { message: text() }),
        one(Error::UnexpectedAnswer { message: text() }),
        one(Error::ListChanged),
        one(Error::Redirected { status: 302 }),
        one(Error::AnswerTooLarge),
        one(Error::InvalidFixture { message: text() }),
        one(Error::WasmUnavailable),
        one(Error::WrongRuntime),
        one(Error::OutboxInUse),
        one(Error::OutboxFailed),
        one(Error::AmbiguousFile { message: text() }),
        one(Error::UnreadableFile { message: text() }),
        one(Error::UnmappedStatus { message: text() }),
        one(Error::ReportFull { message: text() }),
        one(Error::ClocksDiffer { message: text() }),
        one(Error::Internal),
    ]
    .concat()
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
        assert!(
            rule == "x" || seen.insert((error.code(), rule.to_owned())),
            "{rule}"
        );
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
