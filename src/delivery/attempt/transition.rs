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
    /// May it be recorded although it is not delivered?
    pub(crate) is_in_doubt: bool,
    /// When it is due again, by the outbox's clock; `None` where it is over.
    pub(crate) next_ms: Option<u64>,
    /// The error's code; empty where it is delivered.
    pub(crate) code: String,
    /// CAKE's message, shortened and redacted; empty where there is none.
    pub(crate) upstream_message: String,
    /// CAKE's id of the conversion, where CAKE gave one.
    pub(crate) conversion_id: Option<u64>,
    /// Is a person needed?
    pub(crate) is_alert: bool,
    /// The name of the hourly counter; empty where nothing was tried.
    pub(crate) counted: &'static str,
}

impl Transition {
    /// As JSON: `{ state, attempts, isInDoubt, nextMs, code, upstreamMessage, conversionId,
    /// isAlert, counted, isPaused }`. `is_paused` says that the shard's key is refused.
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
            (",\"isPaused\":", is_paused),
        ] {
            out.push_str(name);
            out.push_str(if flag { "true" } else { "false" });
        }
        out.push('}');
        out
    }
}
