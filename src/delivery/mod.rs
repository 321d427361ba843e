//! The forwarder's decisions: which events are accepted and sent, the meaning of an answer, and
//! when to retry. Storing, sending and the clock are js/forwarder's.
//!
//! | module | owns |
//! | --- | --- |
//! | [`event`] | a conversion as it is handed over, its key and its canonical text |
//! | [`correction`] | a correction as it is handed over, which waits for its conversion |
//! | [`id`] | hashes: an event's id |
//! | [`route`] | the way to CAKE: the API, or `p.ashx` |
//! | [`attempt`] | one attempt: what to send, to look up, to store |
//! | [`outcome`] | what an answer means for one event, by one table |
//! | [`schedule`] | the waits between attempts |
//! | [`shop`], [`postback`] | what shops' webhooks and networks' postbacks say of a conversion |
//! | [`tokened`] | a conversion with a token, of a frame without an origin |
//! | `secrets`, `session` | the secrets of shops, postbacks and operators; an operator's session |
//! | [`shards`] | which shard keeps what, also while their number changes |
//! | [`circuit_breaker`] | how many attempts run at once, and who caused a failure |

pub(crate) mod attempt;
pub(crate) mod circuit_breaker;
pub(crate) mod clock;
pub mod correction;
pub mod event;
pub(crate) mod id;
pub(crate) mod outcome;
pub mod postback;
pub(crate) mod route;
pub(crate) mod schedule;
mod secrets;
#[cfg_attr(not(feature = "bindings"), allow(dead_code))]
pub(crate) mod session;
pub(crate) mod shards;
pub mod shop;
#[cfg(test)]
mod simulation;
pub mod tokened;

pub(crate) use circuit_breaker::CircuitBreaker;
pub use correction::Correction;
pub use event::Event;
pub(crate) use event::Relation;
pub(crate) use outcome::State;
pub use route::Route;
pub(crate) use shards::ShardMap;
