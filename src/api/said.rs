//! The sentences of an answer's error: what in them is ours, and what CAKE has said.

use crate::Error;

/// What our sentence about an error status says: whether CAKE's API has answered, or a page of a web server's or a
/// firewall's.
pub(in crate::api) const OF_CAKE: &str = "CAKE answered with an error status";
pub(in crate::api) const OF_PAGE: &str =
    "a page came with an error status, and no answer of CAKE's API";

/// Is it an error status with a page? A page is no answer of CAKE's API.
pub(in crate::api) fn is_of_page(error: &Error) -> bool {
    matches!(error, Error::HttpStatus { message, .. } if message.starts_with(OF_PAGE))
}

/// CAKE's words in an error: those behind ours. Empty where CAKE has said nothing.
pub(in crate::api) fn words_of(error: &Error) -> &str {
    let message = match error {
        Error::Refused { message }
        | Error::UnexpectedAnswer { message }
        | Error::HttpStatus { message, .. }
        | Error::Unauthorized { message, .. }
        | Error::RateLimited { message, .. } => message.as_str(),
        _ => "",
    };
    message.split_once(": ").map_or("", |(_, words)| words)
}
