//! Answers that say nothing of the key, the account or the event: CAKE is away, or something in front of it has answered.

use crate::api::answer::words_of;
use crate::api::certainty::words::{is_away_in_words, is_passing_in_words};
use crate::{Barrier, Error};

const AWAY: &str =
    "CAKE serves nobody for the moment: try again later. If it stays so, ask CAKE's support.";
const FRONT: &str = "That is no answer of CAKE's API, and the key may be right. Check baseUrl, and have this machine's address let in: by the firewall, and by CAKE where it takes listed servers only.";

/// The advice where CAKE has not looked at the request: it is away for the moment, or something in front of it has
/// answered. Neither says anything of the key or the account.
pub(super) fn closed(error: &Error) -> Option<&'static str> {
    let words = words_of(error);
    let is_away = match error {
        Error::Refused { .. } => is_passing_in_words(words),
        Error::Unauthorized { .. } | Error::UnexpectedAnswer { .. } | Error::HttpStatus { .. } => {
            is_away_in_words(words)
        }
        _ => false,
    };
    let is_front = matches!(
        error,
        Error::Unauthorized {
            by: Barrier::Front,
            ..
        }
    );
    match () {
        () if is_away => Some(AWAY),
        () if is_front => Some(FRONT),
        () => None,
    }
}
