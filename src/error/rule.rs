//! The sentence of each error: the event or the broken rule.

use super::Error;

impl Error {
    /// The event or the broken rule, as a sentence. Where the error has a
    /// [`parameter`](Self::parameter), the parameter is the sentence's subject.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a sentence for each error")]
    pub fn rule(&self) -> &str {
        match self {
            Self::InvalidDomain => {
                "must be a host name such as track.yournetwork.com: ASCII or valid punycode, no scheme, port, path or IP address"
            }
            Self::InvalidId {
                parameter: "affiliateId",
            } => {
                "must be a whole number from 1 to 9007199254740991; a link takes CAKE's test affiliate, -1, with testAffiliate: true"
            }
            Self::InvalidId { .. } => "must be a whole number from 1 to 9007199254740991",
            #[cfg(feature = "api")]
            Self::InvalidIdOrAll { .. } => {
                "must be a whole number from 1 to 9007199254740991, or 0 for all"
            }
            Self::MissingId {
                parameter: "affiliateId",
            } => "is missing: the link has no a, such as a=67890",
            Self::MissingId { .. } => "is missing: the link has no c, such as c=12",
            Self::SubIdTooLong { parameter: "s1" } => "is longer than 50 characters",
            Self::SubIdTooLong { .. } => "is longer than 100 characters",
            Self::InvalidText { .. } => "must not contain control characters",
            Self::LinkTooLong => "the tracking link is longer than 2,000 bytes",
            Self::InvalidLink => "must be a tracking link such as https://DOMAIN/?a=1&c=2",
            Self::InvalidPriceFormat => "must be 1 to 20 letters and digits",
            Self::InvalidSandboxOrigin => {
                "must be the origin of a sandbox on this machine, such as http://127.0.0.1:8787"
            }
            Self::InvalidDeepLink { rule }
            | Self::InvalidPostbackUrl { rule }
            | Self::InvalidBaseUrl { rule } => rule.sentence(),
            Self::DeepLinkHost => "leads to a host that is not in deepLinkHosts",
            Self::ReservedParameter { .. } => {
                "is a parameter of CAKE's own and cannot be an extra one"
            }
            Self::RepeatedParameter { .. } => "comes more than once",
            Self::InvalidClickId { rule } | Self::InvalidUniqueId { rule, .. } => rule.sentence(),
            #[cfg(any(feature = "api", feature = "report"))]
            Self::InvalidSignedMoney { .. } => {
                "must be an amount such as 18.00 or -18.00: up to 9 digits before the point and 4 after"
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
            Self::InvalidCookie { .. } => {
                "breaks a rule of cookies: browsers would drop the cookie"
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
            Self::Network { .. } => "CAKE could not be reached",
            Self::Timeout => "CAKE did not answer in time",
            #[cfg(feature = "api")]
            Self::OutcomeUnknown { .. } => {
                "CAKE gave no clear answer, and may or may not have recorded the write: look it up before you repeat it"
            }
            #[cfg(feature = "api")]
            Self::Aborted => "the call was aborted by its signal",
            Self::HttpStatus { message, .. } | Self::Unauthorized { message, .. }
                if !message.is_empty() =>
            {
                message
            }
            Self::HttpStatus { .. } => "CAKE answered with an error status",
            Self::Unauthorized { by, .. } => by.sentence(),
            #[cfg(feature = "api")]
            Self::KeyInPage => {
                "an API key must never be in a page: call CAKE from a server or a worker, or post to cake-edge/forwarder"
            }
            #[cfg(feature = "api")]
            Self::ReadOnly => {
                "this client was opened with readOnly: it records and creates nothing"
            }
            #[cfg(feature = "api")]
            Self::ListChanged => "the list changes faster than it can be read: rows may be missing",
            #[cfg(feature = "api")]
            Self::Redirected { .. } => {
                "CAKE answered with a redirect, which is not followed: check baseUrl"
            }
            #[cfg(feature = "api")]
            Self::AnswerTooLarge => {
                "CAKE's answer is larger than the limit: check baseUrl, or ask for fewer rows"
            }
            #[cfg(feature = "api")]
            Self::Unavailable { message } => message,
            Self::Refused { message }
            | Self::RateLimited { message, .. }
            | Self::UnexpectedAnswer { message }
            | Self::InvalidFixture { message } => message,
            #[cfg(feature = "api")]
            Self::WasmUnavailable => "the core's WebAssembly cannot be started here",
            #[cfg(feature = "api")]
            Self::WrongRuntime => "this entry needs Cloudflare's Durable Objects",
            #[cfg(feature = "api")]
            Self::OutboxInUse => "another process has this outbox open",
            #[cfg(feature = "api")]
            Self::OutboxFailed => {
                "the outbox's disk does not store a write: make room, or mend the disk"
            }
            #[cfg(feature = "report")]
            Self::AmbiguousFile { message }
            | Self::UnreadableFile { message }
            | Self::UnmappedStatus { message }
            | Self::ReportFull { message }
            | Self::ClocksDiffer { message } => message,
            Self::Internal => "a bug in cake-edge",
        }
    }
}
