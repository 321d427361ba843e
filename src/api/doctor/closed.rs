//! What a failed answer is about: CAKE is away, something in front of it has answered, or CAKE itself says no.

use crate::api::certainty::words::is_about_the_key;
use crate::api::certainty::{is_away, is_no_host};
use crate::{Barrier, Error};

const AWAY: &str =
    "CAKE serves nobody for the moment: try again later. If it stays so, ask CAKE's support.";
const FRONT: &str = "That is no answer of CAKE's API, and the key may be right. Check baseUrl, and have this machine's address let in: by the firewall, and by CAKE where it takes listed servers only.";

/// The advice where CAKE has not looked at the request: it is away for the moment, or something in front of it has
/// answered. Neither says anything of the key or the account.
pub(super) fn closed(error: &Error) -> Option<&'static str> {
    let is_front = matches!(
        error,
        Error::Unauthorized {
            by: Barrier::Front,
            ..
        }
    );
    match () {
        () if is_away(error) => Some(AWAY),
        () if is_front => Some(FRONT),
        () => None,
    }
}

/// Is the address itself wrong? A web server that does not know the host answers 400, 404, 409, 421, or 530 where it is
/// Cloudflare's. CAKE's own services answer none of the doctor's questions so.
pub(super) fn is_wrong_address(error: &Error) -> bool {
    matches!(error, Error::HttpStatus { status, .. }
        if matches!(status, 400..=499 | 530) && !matches!(status, 408 | 425))
        || is_no_host(error)
}

/// Do services answer so that are there, and say no?
pub(super) fn is_answered_no(error: &Error) -> bool {
    closed(error).is_none()
        && (matches!(error, Error::Unauthorized { .. } | Error::Refused { .. })
            || is_fault_about_the_key(error))
}

/// Is this a fault, such as one of the older services, with words about the API key?
pub(super) fn is_fault_about_the_key(error: &Error) -> bool {
    matches!(error, Error::HttpStatus { status: 500..=599, message, .. } if is_about_the_key(message))
}
