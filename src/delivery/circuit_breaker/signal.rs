//! What an attempt tells its shard.

use super::Sent;

/// The effect of an attempt's answer on the whole shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// An answer that tells whether the event is recorded.
    Healthy,
    /// No answer, or an unclear one.
    Failing,
    /// CAKE limits, maybe with a Retry-After, in milliseconds.
    Limited(Option<u64>),
    /// A limit on look-ups, which does not concern conversions.
    LookupLimited(Option<u64>),
    /// A limit of the older services, which corrections alone use.
    OlderLimited(Option<u64>),
    /// CAKE, or something in front of it, refuses the key.
    KeyRefused,
    /// There is nothing at the address.
    NotFound,
    /// CAKE refuses the event in these words, which name nothing of it; see
    /// [`crate::api::refused_alike`].
    RefusedAlike(u64),
    /// The older services, which corrections alone use, refuse a correction so.
    OlderRefusedAlike(u64),
    /// An answer of the older services that tells whether the correction is recorded.
    OlderHealthy,
}

impl Signal {
    /// Does the answer tell whether the event is recorded?
    pub(super) fn is_answer(self) -> bool {
        matches!(
            self,
            Self::Healthy | Self::RefusedAlike(_) | Self::OlderRefusedAlike(_) | Self::OlderHealthy
        )
    }
}

/// The attempt that a signal comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignalSource {
    /// The event's number.
    pub(crate) event: u64,
    /// Its offer.
    pub(crate) offer: u64,
    /// When the same signal refused the event before.
    pub(crate) refused_before_ms: Option<u64>,
    /// When the attempt began.
    pub(crate) started_ms: u64,
    /// Its request, unless nothing was sent, or a look-up alone.
    pub(crate) sent: Option<Sent>,
    /// When it ended.
    pub(crate) now_ms: u64,
    /// A random number over the whole of `u32`.
    pub(crate) random: u32,
}

/// Whom a refusal of the key or the address concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalScope {
    /// This event: others were answered since the same refusal before.
    Event,
    /// This event, until others meet the refusal too.
    EventSoFar,
    /// The account: other events meet the refusal too.
    Account,
}
