//! The one error type. Every variant has a stable code, the same in Rust, in
//! JavaScript (`js/error.ts`, which says what each means) and in `tests/vectors/errors.json`.

use core::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Everything that can go wrong, by who produces it.
///
/// Names a parameter and a rule; never holds a secret or a whole URL. What only
/// the API client can meet is left out of builds without it (size).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The caller's tracking domain is empty or not a plain ASCII host name.
    InvalidDomain,
    /// An id of the caller's is not a whole number from 1 to 2^53-1.
    InvalidId {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// A sub id of the caller's has more characters than CAKE keeps.
    SubIdTooLong {
        /// `s1` … `s5`.
        parameter: &'static str,
    },
    /// A text of the caller's has control characters.
    InvalidText {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// The link that was asked for is longer than 2,000 bytes.
    LinkTooLong,
    /// A text that should be a tracking link is none: not `https://DOMAIN/?…`.
    InvalidLink,
    /// A price format of the caller's is not 1 to 20 letters and digits.
    InvalidPriceFormat,
    /// A deep link of the caller's is not a plain https URL.
    InvalidDeepLink,
    /// A deep link of the caller's leads to a host that is not on the list.
    DeepLinkHost,
    /// An extra parameter of the caller's has a name that CAKE reads itself.
    ReservedParameter {
        /// The reserved name.
        parameter: &'static str,
    },
    /// A parameter comes more than once, and two readers would differ on which counts.
    RepeatedParameter {
        /// Its name.
        parameter: String,
    },
    /// Not a click id: empty, over 128 characters, outside `[A-Za-z0-9._:-]`,
    /// or a macro that nobody expanded.
    InvalidClickId,
    /// Not a unique id or order id: empty, over 128 characters, with control
    /// characters, or an e-mail address.
    InvalidUniqueId {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// Not an amount such as `18.00`.
    InvalidMoney {
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
    InvalidPostbackUrl,
    /// A placeholder such as `TRANSACTION_ID` was never replaced, or a program
    /// wrote `undefined` where it had no value.
    PlaceholderText {
        /// The parameter's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// What the visitor has said is none of the words that are known.
    UnknownConsent,
    /// A setting of the caller's is out of its range.
    InvalidSetting {
        /// The setting's name, in the caller's spelling.
        parameter: &'static str,
    },
    /// A signing secret is shorter than 32 bytes, or none was given.
    WeakSecret,
    /// A field that must be there is not, or it has the wrong type.
    InvalidField {
        /// The field's name, in the caller's spelling.
        parameter: String,
        /// The rule, as a sentence without its subject.
        rule: String,
    },
    /// No API key was given.
    MissingApiKey,
    /// The API's base URL is neither https nor loopback http.
    InvalidBaseUrl,
    /// A client was opened in a page, where everybody could read its key.
    #[cfg(feature = "api")]
    KeyInPage,
    /// A write was asked of a client that only reads.
    #[cfg(feature = "api")]
    ReadOnly,
    /// No answer, and a read, so that nothing is lost by asking again.
    Network {
        /// What the platform says of it, without the URL and the key; empty where it says nothing.
        cause: String,
    },
    /// No complete answer within the time allowed, to a read.
    Timeout,
    /// No clear answer to a write: it may or may not have been recorded.
    #[cfg(feature = "api")]
    OutcomeUnknown {
        /// Why not: what came instead of an answer.
        cause: Box<Error>,
    },
    /// The caller's signal ended the call, and nothing was recorded by it.
    #[cfg(feature = "api")]
    Aborted,
    /// CAKE answered with an HTTP status that is not 200.
    HttpStatus {
        /// The HTTP status code.
        status: u16,
        /// How long CAKE asks to wait, in milliseconds, where it said so.
        retry_after_ms: Option<u64>,
        /// What the answer's body says, shortened and redacted, after a sentence of ours; or empty.
        message: String,
    },
    /// CAKE is rate-limiting: status 429, or its message `Restricted`.
    RateLimited {
        /// The HTTP status code.
        status: u16,
        /// How long CAKE asks to wait, in milliseconds, where it said so.
        retry_after_ms: Option<u64>,
    },
    /// CAKE refused the API key.
    Unauthorized {
        /// The HTTP status code.
        status: u16,
        /// What the answer's body says, shortened and redacted, after a sentence of ours; or empty.
        message: String,
    },
    /// CAKE answered JSON that says no.
    Refused {
        /// CAKE's own message, shortened and redacted.
        message: String,
    },
    /// CAKE answered something that is not the documented shape.
    UnexpectedAnswer {
        /// What was received or is missing, shortened and redacted.
        message: String,
    },
    /// CAKE answered with a redirect. It was not followed: its target would see the key.
    #[cfg(feature = "api")]
    Redirected {
        /// The HTTP status code; 0 where the platform hides it.
        status: u16,
    },
    /// CAKE's answer is larger than any of its answers is; reading stopped there.
    #[cfg(feature = "api")]
    AnswerTooLarge,
    /// A sandbox network's fixture breaks a rule.
    InvalidFixture {
        /// Where, and which rule.
        message: String,
    },
    /// The wasm cannot be compiled or found in this runtime.
    #[cfg(feature = "api")]
    WasmUnavailable,
    /// An entry for Workers was called elsewhere.
    #[cfg(feature = "api")]
    WrongRuntime,
    /// A forwarder's folder is another process's, which keeps its outbox there.
    #[cfg(feature = "api")]
    OutboxInUse,
    /// A forwarder's disk does not store what it is given.
    #[cfg(feature = "api")]
    OutboxFailed,
    /// A file of a report means two things: which rows, and what to declare.
    #[cfg(feature = "report")]
    AmbiguousFile {
        /// The file, the rule and the rows.
        message: String,
    },
    /// A file of a report is not what it is said to be.
    #[cfg(feature = "report")]
    UnreadableFile {
        /// The file, and what is wrong with it.
        message: String,
    },
    /// A status of the advertiser's is mapped to none of CAKE's.
    #[cfg(feature = "report")]
    UnmappedStatus {
        /// The file, the words and their rows.
        message: String,
    },
    /// A report's memory ceiling is reached.
    #[cfg(feature = "report")]
    ReportFull {
        /// How many rows it holds, in how many bytes, and what to do.
        message: String,
    },
    /// Orders and conversions lie a whole number of hours apart.
    #[cfg(feature = "report")]
    ClocksDiffer {
        /// By how many hours, in how many pairs, and what to declare.
        message: String,
    },
    /// A bug in cake-edge itself.
    Internal,
}

/// Writes [`Error::code`] and [`Error::CODES`] from one list, which the compiler keeps complete.
/// Variants that a caller treats alike share a code; each has a sentence of its own.
macro_rules! codes {
    ($($(#[$feature:meta])? $($variant:ident)|+ => $code:literal,)*) => {
        impl Error {
            /// Every code of this build, in the order of `js/error.ts`.
            pub const CODES: &[&str] = &[$($(#[$feature])? $code),*];

            /// The stable, `snake_case` code.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    $($(#[$feature])? $(Self::$variant { .. })|+ => $code,)*
                }
            }
        }
    };
}

codes! {
    InvalidDomain => "invalid_domain",
    InvalidId => "invalid_id",
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
    UnexpectedAnswer => "unexpected_answer",
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
    /// The caller's parameter that is at fault, where there is one.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::InvalidDomain | Self::ForeignCookieDomain => Some("domain"),
            Self::InvalidLink => Some("link"),
            Self::InvalidPriceFormat => Some("priceFormat"),
            Self::InvalidDeepLink | Self::DeepLinkHost => Some("deepLink"),
            Self::InvalidClickId => Some("clickId"),
            Self::UnknownConsent => Some("consent"),
            Self::InvalidPostbackUrl => Some("postbackUrl"),
            Self::WeakSecret => Some("secret"),
            Self::MissingApiKey => Some("apiKey"),
            Self::InvalidBaseUrl => Some("baseUrl"),
            Self::InvalidId { parameter }
            | Self::SubIdTooLong { parameter }
            | Self::InvalidText { parameter }
            | Self::InvalidUniqueId { parameter }
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

    /// What happened or which rule was broken, as a sentence; where there is a
    /// [`parameter`](Self::parameter), it is the sentence's subject.
    #[must_use]
    pub fn rule(&self) -> &str {
        match self {
            Self::InvalidDomain => {
                "must be a host name such as track.yournetwork.com: ASCII or valid punycode, no scheme, port, path or IP address"
            }
            Self::InvalidId { .. } => "must be a whole number from 1 to 9007199254740991",
            Self::SubIdTooLong { parameter: "s1" } => "is longer than 50 characters",
            Self::SubIdTooLong { .. } => "is longer than 100 characters",
            Self::InvalidText { .. } => "must not contain control characters",
            Self::LinkTooLong => "the tracking link is longer than 2,000 bytes",
            Self::InvalidLink => "must be a tracking link such as https://DOMAIN/?a=1&c=2",
            Self::InvalidPriceFormat => "must be 1 to 20 letters and digits",
            Self::InvalidDeepLink => {
                "must be a plain https URL on a host name, without user name, port, backslash or white space"
            }
            Self::DeepLinkHost => "leads to a host that is not on the list of allowed hosts",
            Self::ReservedParameter { .. } => {
                "is a parameter of CAKE's own and cannot be an extra one"
            }
            Self::RepeatedParameter { .. } => "comes more than once",
            Self::InvalidClickId => {
                "must be 1 to 128 characters of A-Z a-z 0-9 . _ : - and no placeholder such as #reqid# or undefined"
            }
            Self::InvalidUniqueId { .. } => {
                "must be a text of 1 to 128 characters without control characters, and no e-mail address"
            }
            Self::InvalidMoney { .. } => {
                "must be an amount such as 18.00: up to 9 digits before the point and 4 after, no sign"
            }
            Self::InvalidTime { .. } => "must be a time that exists, written YYYY-MM-DD HH:MM:SS",
            Self::InvalidDay { .. } => "must be a day that exists, written YYYY-MM-DD",
            Self::DaysReversed { .. } => "must not be before the first day",
            Self::ForeignCookieDomain => {
                "must be the host of the request, or a domain above it: no browser takes a cookie of another"
            }
            Self::InvalidCookie { .. } => "does not fit into a cookie",
            Self::InvalidPostbackUrl => {
                "must be an https URL on a host name, without user name or white space, of at most 2,000 bytes"
            }
            Self::PlaceholderText { .. } => {
                "is a placeholder that was never replaced, or stands for a missing value: give the value itself"
            }
            Self::UnknownConsent => "must be granted, denied or pending",
            Self::InvalidSetting {
                parameter: "journey",
            } => "must be a whole number from 1 to 20",
            Self::InvalidSetting { .. } => "must be a whole number of days from 1 to 400",
            Self::WeakSecret => "must be at least 32 bytes of randomness",
            Self::InvalidField { rule, .. } => rule,
            Self::MissingApiKey => {
                "is missing: find yours in CAKE under Setup, System Access, API Keys"
            }
            Self::InvalidBaseUrl => {
                "must be an https URL without a path, or http on loopback for the sandbox"
            }
            Self::Network { .. } => "CAKE could not be reached",
            Self::Timeout => "CAKE did not answer in time",
            #[cfg(feature = "api")]
            Self::OutcomeUnknown { .. } => {
                "no clear answer came: CAKE may or may not have recorded it, so it was not sent again"
            }
            #[cfg(feature = "api")]
            Self::Aborted => "the call was aborted by its signal",
            Self::HttpStatus { message, .. } | Self::Unauthorized { message, .. }
                if !message.is_empty() =>
            {
                message
            }
            Self::HttpStatus { .. } => "CAKE answered with an error status",
            Self::RateLimited { .. } => "CAKE is limiting the rate of requests",
            Self::Unauthorized { .. } => "CAKE refused the API key",
            #[cfg(feature = "api")]
            Self::KeyInPage => {
                "an API key must never be in a page: call CAKE from a server or a worker, or post to cake-edge/forwarder"
            }
            #[cfg(feature = "api")]
            Self::ReadOnly => {
                "this client was opened with readOnly: it records and creates nothing"
            }
            #[cfg(feature = "api")]
            Self::Redirected { .. } => {
                "CAKE answered with a redirect, which is not followed: check baseUrl"
            }
            #[cfg(feature = "api")]
            Self::AnswerTooLarge => "CAKE's answer is larger than any of its answers should be",
            Self::Refused { message }
            | Self::UnexpectedAnswer { message }
            | Self::InvalidFixture { message } => message,
            #[cfg(feature = "api")]
            Self::WasmUnavailable => "the core's WebAssembly cannot be started here",
            #[cfg(feature = "api")]
            Self::WrongRuntime => "this entry needs Cloudflare's Durable Objects",
            #[cfg(feature = "api")]
            Self::OutboxInUse => "another process has this outbox open",
            #[cfg(feature = "api")]
            Self::OutboxFailed => "the outbox's disk does not store what it is given",
            #[cfg(feature = "report")]
            Self::AmbiguousFile { message }
            | Self::UnreadableFile { message }
            | Self::UnmappedStatus { message }
            | Self::ReportFull { message }
            | Self::ClocksDiffer { message } => message,
            Self::Internal => "a bug in cake-edge",
        }
    }

    /// CAKE's HTTP status, where it answered with one that matters.
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

    /// How long CAKE asks to wait before the next call, in milliseconds.
    #[must_use]
    pub(crate) fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::HttpStatus { retry_after_ms, .. } | Self::RateLimited { retry_after_ms, .. } => {
                *retry_after_ms
            }
            _ => None,
        }
    }

    /// What an unknown outcome came from.
    #[must_use]
    pub fn cause(&self) -> Option<&Self> {
        match self {
            #[cfg(feature = "api")]
            Self::OutcomeUnknown { cause } => Some(cause),
            _ => None,
        }
    }

    /// Is the same call worth another try, and safe to repeat?
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Network { .. } | Self::Timeout | Self::RateLimited { .. } => true,
            Self::HttpStatus { status, .. } => matches!(status, 408 | 425 | 500..=599),
            _ => false,
        }
    }
}

impl Error {
    /// No answer, and nothing known of why.
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
