//! The one error type. Every variant has a stable code, the same in Rust, in JavaScript
//! (`js/error.ts`, with the meaning of each) and in `tests/vectors/errors.json`.

mod broken;
mod rule;

pub use broken::{Barrier, IdRule, UrlRule};

use core::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// All errors, by the code that produces them.
///
/// An error names a parameter and a rule; it never holds a secret or a whole URL. Builds without
/// the API client omit its variants (size).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The caller's tracking domain is empty or not a plain ASCII host name.
    InvalidDomain,
    /// The caller's sandbox is not an http origin on this machine.
    InvalidSandboxOrigin,
    /// An id from the caller is not a whole number from 1 to 2^53-1.
    InvalidId {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// An id from the caller is neither such a number nor 0, which stands for all.
    #[cfg(feature = "api")]
    InvalidIdOrAll {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// A tracking link has no `a`, or no `c`.
    MissingId {
        /// `affiliateId` or `creativeId`.
        parameter: &'static str,
    },
    /// A sub id from the caller has more characters than CAKE keeps.
    SubIdTooLong {
        /// `s1` … `s5`.
        parameter: &'static str,
    },
    /// A text from the caller has control characters.
    InvalidText {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// The link to build is longer than 2,000 bytes.
    LinkTooLong,
    /// The text is not a tracking link: not `https://DOMAIN/?…`.
    InvalidLink,
    /// A price format from the caller is not 1 to 20 letters and digits.
    InvalidPriceFormat,
    /// A deep link from the caller is not a plain https URL.
    InvalidDeepLink {
        /// The broken rule.
        rule: UrlRule,
    },
    /// The host of a deep link from the caller is not on the list.
    DeepLinkHost,
    /// An extra parameter from the caller has a name that CAKE reads itself.
    ReservedParameter {
        /// The reserved name.
        parameter: &'static str,
    },
    /// A parameter occurs more than once, and two readers would choose different values.
    RepeatedParameter {
        /// Its name.
        parameter: String,
    },
    /// Not a click id: empty, over 128 characters, outside `[A-Za-z0-9._:-]`, or an unexpanded
    /// macro.
    InvalidClickId {
        /// The broken rule.
        rule: IdRule,
    },
    /// Not a unique id or order id: empty, over 128 characters, with control
    /// characters, or an e-mail address.
    InvalidUniqueId {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
        /// The broken rule.
        rule: IdRule,
    },
    /// Not an amount such as `18.00`.
    InvalidMoney {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// The same of an amount that may be below zero, such as `-18.00`.
    #[cfg(any(feature = "api", feature = "report"))]
    InvalidSignedMoney {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// Not a civil time `YYYY-MM-DD HH:MM:SS` that exists.
    InvalidTime {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// Not a civil day `YYYY-MM-DD` that exists.
    InvalidDay {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// The last day of a range comes before its first.
    DaysReversed {
        /// The last day's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// The host of a request is not one of the cookie's domain.
    ForeignCookieDomain,
    /// A cookie's name, value or attribute would break out of its field.
    InvalidCookie {
        /// The field: `name`, `value`, `domain` or `path`.
        parameter: &'static str,
    },
    /// A postback URL is not a plain https URL on a host name.
    InvalidPostbackUrl {
        /// The broken rule.
        rule: UrlRule,
    },
    /// A placeholder such as `TRANSACTION_ID` was never replaced, or a program wrote `undefined`
    /// for a missing value.
    PlaceholderText {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// The consent is not one of the known words.
    UnknownConsent,
    /// A setting from the caller is out of its range.
    InvalidSetting {
        /// The setting's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// A signing secret is shorter than 32 bytes, or none was given.
    WeakSecret,
    /// A required field is missing, or has the wrong type.
    InvalidField {
        /// The field's name, in the caller's spelling.
        parameter: String,
        /// The rule, as a sentence without its subject.
        rule: String,
    },
    /// No API key was given.
    MissingApiKey,
    /// The API's base URL is neither https nor loopback http.
    InvalidBaseUrl {
        /// The broken rule.
        rule: UrlRule,
    },
    /// A client was opened in a page, where every visitor could read its key.
    #[cfg(feature = "api")]
    KeyInPage,
    /// A write was requested from a read-only client.
    #[cfg(feature = "api")]
    ReadOnly,
    /// A read got no answer. Nothing is lost by a retry.
    Network {
        /// The platform's message, without the URL and the key; empty where it has none.
        cause: String,
    },
    /// A read got no complete answer within the time limit.
    Timeout,
    /// A write got no clear answer: CAKE may or may not have recorded it.
    #[cfg(feature = "api")]
    OutcomeUnknown {
        /// The error in place of a clear answer.
        cause: Box<Error>,
    },
    /// The caller's signal aborted the call before it recorded anything.
    #[cfg(feature = "api")]
    Aborted,
    /// CAKE answered with an HTTP status that is not 200.
    HttpStatus {
        /// The HTTP status code.
        status: u16,
        /// The wait that CAKE asks for, in milliseconds, where the answer has one.
        retry_after_ms: Option<u64>,
        /// An explanation and the answer's body, shortened and redacted; or empty.
        message: String,
    },
    /// CAKE is rate-limiting: status 429, or its message `Restricted`.
    RateLimited {
        /// The HTTP status code.
        status: u16,
        /// The wait that CAKE asks for, in milliseconds, where the answer has one.
        retry_after_ms: Option<u64>,
        /// A sentence of ours, and the answer's body, shortened and redacted.
        message: String,
    },
    /// CAKE refused the API key, or something refused the request before CAKE looked at the key.
    Unauthorized {
        /// The HTTP status code.
        status: u16,
        /// What has refused the request.
        by: Barrier,
        /// An explanation and the answer's body, shortened and redacted; or empty.
        message: String,
    },
    /// CAKE answered JSON that reports a failure.
    Refused {
        /// CAKE's own message, shortened and redacted.
        message: String,
    },
    /// CAKE answered a read that it serves nobody for the moment. Nothing is lost by a retry.
    #[cfg(feature = "api")]
    Unavailable {
        /// CAKE's own message, shortened and redacted.
        message: String,
    },
    /// CAKE's answer does not have the documented shape.
    UnexpectedAnswer {
        /// The received text or the missing part, shortened and redacted.
        message: String,
    },
    /// A list changed faster than it could be read, or has no end.
    #[cfg(feature = "api")]
    ListChanged,
    /// CAKE answered with a redirect. The client does not follow it: the target would see the key.
    #[cfg(feature = "api")]
    Redirected {
        /// The HTTP status code; 0 where the platform hides it.
        status: u16,
    },
    /// CAKE's answer exceeds the size limit; reading stopped there.
    #[cfg(feature = "api")]
    AnswerTooLarge,
    /// A sandbox network's fixture breaks a rule.
    InvalidFixture {
        /// The field, and the rule that it breaks.
        message: String,
    },
    /// The wasm cannot be found or compiled in this runtime.
    #[cfg(feature = "api")]
    WasmUnavailable,
    /// A Workers-only entry was called in another runtime.
    #[cfg(feature = "api")]
    WrongRuntime,
    /// Another process has the forwarder's outbox open.
    #[cfg(feature = "api")]
    OutboxInUse,
    /// The forwarder's disk does not store a write.
    #[cfg(feature = "api")]
    OutboxFailed,
    /// A file of a report is ambiguous: the error names the rows, and the option to declare.
    #[cfg(feature = "report")]
    AmbiguousFile {
        /// The file, the rule and the rows.
        message: String,
    },
    /// A file of a report is not of the declared kind.
    #[cfg(feature = "report")]
    UnreadableFile {
        /// The file, and the reason.
        message: String,
    },
    /// A status of the advertiser's has no mapping to one of CAKE's.
    #[cfg(feature = "report")]
    UnmappedStatus {
        /// The file, the words and their rows.
        message: String,
    },
    /// A report's memory ceiling is reached.
    #[cfg(feature = "report")]
    ReportFull {
        /// The number of rows and bytes in the report, and the remedy.
        message: String,
    },
    /// The times of orders and conversions are of two clocks.
    #[cfg(feature = "report")]
    ClocksDiffer {
        /// The hours, the number of pairs, and the option to declare.
        message: String,
    },
    /// A bug in cake-edge itself.
    Internal,
}

/// Writes [`Error::code`] and [`Error::CODES`] from one list; the compiler checks that the list is
/// complete. Variants that a caller treats alike share a code; each has its own sentence.
macro_rules! codes {
    ($($(#[$feature:meta])? $($variant:ident)|+ => $code:literal,)*) => {
        impl Error {
            /// Every code of this build, in the order of `js/error.ts`.
            pub const CODES: &[&str] = &[$($(#[$feature])? $code),*];

            /// The stable, `snake_case` code.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    // Variants of some features among variants of all.
                    #[cfg(feature = "api")]
                    Self::InvalidIdOrAll { .. } => "invalid_id",
                    #[cfg(any(feature = "api", feature = "report"))]
                    Self::InvalidSignedMoney { .. } => "invalid_money",
                    $($(#[$feature])? $(Self::$variant { .. })|+ => $code,)*
                }
            }
        }
    };
}

codes! {
    InvalidDomain | InvalidSandboxOrigin => "invalid_domain",
    InvalidId | MissingId => "invalid_id",
    SubIdTooLong => "sub_id_too_long",
    InvalidText => "invalid_text",
    LinkTooLong => "link_too_long",
    InvalidLink => "invalid_link",
    InvalidPriceFormat => "invalid_price_format",
    InvalidDeepLink => "invalid_deep_link",
    DeepLinkHost => "deep_link_host",
    ReservedParameter => "reserved_parameter",
    RepeatedParameter => "repeated_parameter",
    InvalidClickId => "invalid_click_id",
    InvalidUniqueId => "invalid_unique_id",
    InvalidMoney => "invalid_money",
    InvalidTime | InvalidDay | DaysReversed => "invalid_time",
    InvalidCookie | ForeignCookieDomain => "invalid_cookie",
    InvalidPostbackUrl => "invalid_postback_url",
    PlaceholderText => "placeholder_text",
    InvalidSetting | UnknownConsent => "invalid_setting",
    WeakSecret => "weak_secret",
    InvalidField => "invalid_field",
    MissingApiKey => "missing_api_key",
    InvalidBaseUrl => "invalid_base_url",
    #[cfg(feature = "api")]
    KeyInPage => "key_in_page",
    #[cfg(feature = "api")]
    ReadOnly => "read_only",
    Network => "network",
    Timeout => "timeout",
    #[cfg(feature = "api")]
    OutcomeUnknown => "outcome_unknown",
    #[cfg(feature = "api")]
    Aborted => "aborted",
    HttpStatus => "http_status",
    RateLimited => "rate_limited",
    Unauthorized => "unauthorized",
    Refused => "refused",
    #[cfg(feature = "api")]
    Unavailable => "unavailable",
    UnexpectedAnswer => "unexpected_answer",
    #[cfg(feature = "api")]
    ListChanged => "list_changed",
    #[cfg(feature = "api")]
    Redirected => "redirected",
    #[cfg(feature = "api")]
    AnswerTooLarge => "answer_too_large",
    InvalidFixture => "invalid_fixture",
    #[cfg(feature = "api")] WasmUnavailable => "wasm_unavailable",
    #[cfg(feature = "api")] WrongRuntime => "wrong_runtime",
    #[cfg(feature = "api")] OutboxInUse => "outbox_in_use",
    #[cfg(feature = "api")] OutboxFailed => "outbox_failed",
    #[cfg(feature = "report")]
    AmbiguousFile => "ambiguous_file",
    #[cfg(feature = "report")]
    UnreadableFile => "unreadable_file",
    #[cfg(feature = "report")]
    UnmappedStatus => "unmapped_status",
    #[cfg(feature = "report")]
    ReportFull => "report_full",
    #[cfg(feature = "report")]
    ClocksDiffer => "clocks_differ",
    Internal => "internal",
}

impl Error {
    /// The caller's parameter with the error, where there is one.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::InvalidDomain | Self::InvalidSandboxOrigin | Self::ForeignCookieDomain => {
                Some("domain")
            }
            Self::InvalidLink => Some("link"),
            Self::InvalidPriceFormat => Some("priceFormat"),
            Self::InvalidDeepLink { .. } | Self::DeepLinkHost => Some("deepLink"),
            Self::InvalidClickId { .. } => Some("clickId"),
            Self::UnknownConsent => Some("consent"),
            Self::InvalidPostbackUrl { .. } => Some("postbackUrl"),
            Self::WeakSecret => Some("secret"),
            Self::MissingApiKey => Some("apiKey"),
            Self::InvalidBaseUrl { .. } => Some("baseUrl"),
            #[cfg(feature = "api")]
            Self::InvalidIdOrAll { parameter } => Some(parameter),
            #[cfg(any(feature = "api", feature = "report"))]
            Self::InvalidSignedMoney { parameter } => Some(parameter),
            Self::InvalidId { parameter }
            | Self::MissingId { parameter }
            | Self::SubIdTooLong { parameter }
            | Self::InvalidText { parameter }
            | Self::InvalidUniqueId { parameter, .. }
            | Self::InvalidMoney { parameter }
            | Self::InvalidTime { parameter }
            | Self::InvalidDay { parameter }
            | Self::DaysReversed { parameter }
            | Self::InvalidCookie { parameter }
            | Self::ReservedParameter { parameter }
            | Self::PlaceholderText { parameter }
            | Self::InvalidSetting { parameter } => Some(parameter),
            Self::RepeatedParameter { parameter } | Self::InvalidField { parameter, .. } => {
                Some(parameter)
            }
            _ => None,
        }
    }

    /// CAKE's HTTP status, in the errors that have one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::HttpStatus { status, .. }
            | Self::RateLimited { status, .. }
            | Self::Unauthorized { status, .. } => Some(*status),
            #[cfg(feature = "api")]
            Self::Redirected { status } => Some(*status),
            _ => None,
        }
    }

    /// The wait that CAKE asks for before the next call, in milliseconds.
    #[must_use]
    pub(crate) fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::HttpStatus { retry_after_ms, .. } | Self::RateLimited { retry_after_ms, .. } => {
                *retry_after_ms
            }
            _ => None,
        }
    }

    /// The cause of an unknown outcome.
    #[must_use]
    pub fn cause(&self) -> Option<&Self> {
        match self {
            #[cfg(feature = "api")]
            Self::OutcomeUnknown { cause } => Some(cause),
            _ => None,
        }
    }

    /// Is a retry of the same call useful and safe?
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Network { .. } | Self::Timeout | Self::RateLimited { .. } => true,
            Self::HttpStatus { status, .. } => matches!(status, 408 | 425 | 500..=599),
            #[cfg(feature = "api")]
            Self::Unavailable { .. } => true,
            _ => false,
        }
    }
}

impl Error {
    /// No answer, for an unknown reason.
    #[must_use]
    pub const fn network() -> Self {
        Self::Network {
            cause: String::new(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parameter) = self.parameter() {
            f.write_str(parameter)?;
            f.write_str(" ")?;
        }
        f.write_str(self.rule())?;
        if let Some(status) = self.status() {
            write!(f, " (status {status})")?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}
