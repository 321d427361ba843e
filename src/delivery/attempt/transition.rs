//! How an attempt changes its row.

use crate::api::json::push_string;
use crate::delivery::State;
use crate::url::push_number;

/// How a row changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    /// The event's state from now on.
    pub(crate) state: State,
    /// The attempts so far, with this one where it counts.
    pub(crate) attempts: u32,
    /// May it be recorded all the same?
    pub(crate) is_in_doubt: bool,
    /// When it is due again, by the outbox's clock; `None` where it is over.
    pub(crate) next_ms: Option<u64>,
    /// Why, as an error's code; empty where it is delivered.
    pub(crate) code: String,
    /// What CAKE said, shortened and redacted; empty where it said nothing.
    pub(crate) upstream_message: String,
    /// CAKE's id of the conversion, where it told one.
    pub(crate) conversion_id: Option<u64>,
    /// Is a person needed?
    pub(crate) is_alert: bool,
    /// What is counted by the hour; empty where nothing was tried.
    pub(crate) counted: &'static str,
    /// Is it certain that it was never sent, by this object or one that is gone?
    pub(crate) is_unsent: bool,
}

impl Transition {
    /// As JSON: `{ state, attempts, isInDoubt, nextMs, code, upstreamMessage,
    /// conversionId, isAlert, counted, isUnsent, isPaused }`; `is_paused` says that the
    /// shard's key is refused.
    #[must_use]
    pub(crate) fn to_json(&self, is_paused: bool) -> String {
        let mut out = String::with_capacity(200);
        for (name, text) in [
            ("{\"state\":", self.state.word()),
            (",\"code\":", &self.code),
            (",\"upstreamMessage\":", &self.upstream_message),
            (",\"counted\":", self.counted),
        ] {
            out.push_str(name);
            push_string(&mut out, text);
        }
        for (name, number) in [
            (",\"attempts\":", Some(u64::from(self.attempts))),
            (",\"nextMs\":", self.next_ms),
            (",\"conversionId\":", self.conversion_id),
        ] {
            out.push_str(name);
            match number {
                Some(number) => push_number(&mut out, number, 10),
                None => out.push_str("null"),
            }
        }
        for (name, flag) in [
            (",\"isInDoubt\":", self.is_in_doubt),
            (",\"isAlert\":", self.is_alert),
            (",\"isUnsent\":", self.is_unsent),
            (",\"isPaused\":", is_paused),
        ] {
            out.push_str(name);
            out.push_str(if flag { "true" } else { "false" });
        }
        out.push('}');
        out
    }
}
