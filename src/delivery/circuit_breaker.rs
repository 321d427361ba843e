//! A shard's circuit breaker: how many attempts run at once, who caused a failure, and which event
//! is tried next. An outage is probed rather than stormed, and neither one bad event nor a slow kind of events blocks
//! the others.

mod signal;
mod slow;

pub(crate) use signal::{RefusalScope, Signal, SignalSource};
use slow::Slow;
pub(crate) use slow::{CORRECTIONS, Sent};

/// Workers may hold six connections at once; one is left for others.
pub(crate) const AT_ONCE: u32 = 5;

/// An outage is this many different events in a row without an answer.
const OUTAGE: usize = 10;

/// A failure is the event's own while others are answered. The last answer may be as old as the attempt, or this old,
/// in milliseconds.
const RECENT_MS: u64 = 2_000;

/// For this long after trouble, in milliseconds, some connections are kept for the newest events.
/// The oldest events may be the bad ones.
const WARY_MS: u64 = 60_000;

/// How many connections are kept for the newest events in trouble.
const FOR_NEWEST: u32 = 2;

/// How many connections look-ups may have together: a long report takes its time, and others do not wait for it.
const LOOK_UPS: u32 = 3;

/// How long an outage pauses all attempts: from a second to a minute.
const FIRST_STALL_MS: u64 = 1_000;
const MAX_STALL_MS: u64 = 60_000;

/// How long a limit pauses all attempts: a quarter of a second at first, since it may be one
/// event's or one offer's own, twice as long with each probe that meets it too, five minutes at
/// most. Never longer than the Retry-After; a minute at most without one.
///
/// Any other answer ends that. So good events among limited ones go on, and an account that really
/// limits gets some twelve requests in the first hour's quarter, and then one in five minutes.
const FIRST_LIMIT_MS: u64 = 250;
const MAX_LIMIT_MS: u64 = 300_000;
const MAX_UNASKED_LIMIT_MS: u64 = 60_000;

/// How many offers of events in trouble are remembered.
const OFFERS: usize = 10;

/// While CAKE refuses the key, or the address is wrong, one probe is sent in five minutes. The
/// first probes come sooner, each with another event.
pub(crate) const PAUSE_MS: u64 = 300_000;
const PROBES_MS: [u64; 4] = [1_000, 3_000, 10_000, 30_000];

/// Which event is tried next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// No event.
    Nothing,
    /// The one that has been due for longest.
    Oldest,
    /// The newest that has not failed yet.
    Newest,
    /// Any that has not failed yet, at random.
    Anywhere,
    /// The oldest of which nothing is held, see [`CircuitBreaker::held`]; else none.
    Free,
}

/// Why attempts pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Outage,
    Limit,
    Key,
    Address,
}

/// A span without new attempts. A clock that is put back ends it.
#[derive(Clone, Copy, Debug)]
struct Stall {
    reason: Reason,
    from_ms: u64,
    to_ms: u64,
}

/// The circuit breaker of one shard. Its state ends with the object that holds it.
#[derive(Clone, Debug)]
pub(crate) struct CircuitBreaker {
    at_once: u32,
    stall: Option<Stall>,
    /// The time span in which look-ups alone pause.
    lookup_rest: Option<(u64, u64)>,
    /// The time span in which corrections alone pause.
    older_rest: Option<(u64, u64)>,
    /// Stalls of the same reason in a row.
    steps: u32,
    last_healthy_ms: Option<u64>,
    last_trouble_ms: Option<u64>,
    /// Different events without an answer since the last healthy one.
    failed: Vec<u64>,
    /// Different events refused by key or address since then.
    refused: Vec<u64>,
    /// Different offers of events in trouble since then.
    offers: Vec<u64>,
    /// The words of the refusals in a row that named nothing of their events, and the first event of each.
    alike: Vec<(u64, u64)>,
    /// The same of the corrections, and when one was answered otherwise.
    older_alike: Vec<(u64, u64)>,
    last_older_healthy_ms: Option<u64>,
    /// Rests in a row of the corrections that are refused alike.
    older_steps: u32,
    slow: Slow,
}

/// What must not be started now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// What needs a look-up first.
    pub(crate) look_ups: bool,
    /// Events of these kinds; see [`Sent::kind`].
    pub(crate) kinds: Vec<u64>,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        // The default of `timeoutMs`.
        Self::new(15_000)
    }
}

impl CircuitBreaker {
    /// A breaker of requests that are given up after that many milliseconds of the outbox's clock.
    #[must_use]
    pub(crate) fn new(timeout_ms: u64) -> Self {
        Self {
            at_once: AT_ONCE,
            stall: None,
            lookup_rest: None,
            older_rest: None,
            steps: 0,
            last_healthy_ms: None,
            last_trouble_ms: None,
            failed: Vec::new(),
            refused: Vec::new(),
            offers: Vec::new(),
            alike: Vec::new(),
            older_alike: Vec::new(),
            last_older_healthy_ms: None,
            older_steps: 0,
            slow: Slow::new(timeout_ms),
        }
    }

    /// The breaker of an account whose key was refused when the previous object ended. One attempt
    /// probes again.
    #[must_use]
    pub(crate) fn paused(self) -> Self {
        let stall = Stall {
            reason: Reason::Key,
            from_ms: 0,
            to_ms: 0,
        };
        Self {
            at_once: 1,
            stall: Some(stall),
            ..self
        }
    }

    /// How many attempts may be under way together.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn at_once(&self) -> u32 {
        self.at_once
    }

    /// When the next attempt may start; 0 for now.
    #[must_use]
    pub(crate) fn stalled_until_ms(&self, now_ms: u64) -> u64 {
        self.stall
            .filter(|stall| (stall.from_ms..stall.to_ms).contains(&now_ms))
            .map_or(0, |stall| stall.to_ms)
    }

    /// When the next look-up may start, where sends go on; 0 for now.
    #[must_use]
    pub(crate) fn lookups_rest_until_ms(&self, now_ms: u64) -> u64 {
        end_of(self.lookup_rest, now_ms)
    }

    /// When the next correction may be sent or looked for, where conversions go on; 0 for now.
    #[must_use]
    pub(crate) fn corrections_rest_until_ms(&self, now_ms: u64) -> u64 {
        end_of(self.older_rest, now_ms)
    }

    /// Does CAKE refuse the key?
    #[must_use]
    pub(crate) fn is_paused(&self) -> bool {
        self.stall.is_some_and(|stall| stall.reason == Reason::Key)
    }

    /// Why attempts pause. `key_refused` and `wrong_address` last until an answer says otherwise,
    /// `outage` and `limited` for their time. Empty where nothing pauses.
    #[must_use]
    pub(crate) fn rest_reason(&self, now_ms: u64) -> &'static str {
        let is_stalled = self.stalled_until_ms(now_ms) > 0;
        match self.stall.map(|stall| stall.reason) {
            Some(Reason::Key) => "key_refused",
            Some(Reason::Address) => "wrong_address",
            Some(Reason::Outage) if is_stalled => "outage",
            Some(Reason::Limit) if is_stalled => "limited",
            _ => "",
        }
    }

    /// The offers of the events in trouble since the last healthy answer. A probe prefers an event
    /// of another offer, since the trouble may be one offer's own.
    #[must_use]
    pub(crate) fn offers_in_trouble(&self) -> &[u64] {
        &self.offers
    }

    /// Which event is tried next. `under_way` attempts are running; `oldest_under_way` of them are
    /// in the lane [`Lane::Oldest`], and `looking_up` ask CAKE before they send.
    #[must_use]
    pub(crate) fn lane(
        &self,
        now_ms: u64,
        under_way: u32,
        oldest_under_way: u32,
        looking_up: u32,
    ) -> Lane {
        if under_way >= self.at_once || self.stalled_until_ms(now_ms) > 0 {
            return Lane::Nothing;
        }
        if self.stall.is_some() {
            // A probe uses another event than those that failed. Bad ones may stand at both ends of
            // the queue.
            return if self.steps % 3 == 1 {
                Lane::Newest
            } else {
                Lane::Anywhere
            };
        }
        if looking_up >= LOOK_UPS || !self.slow.kinds(now_ms).is_empty() {
            return Lane::Free;
        }
        let is_wary = self
            .last_trouble_ms
            .is_some_and(|at| now_ms.saturating_sub(at) < WARY_MS);
        let most_oldest = self.at_once.saturating_sub(FOR_NEWEST).max(1);
        if is_wary && oldest_under_way >= most_oldest {
            Lane::Newest
        } else {
            Lane::Oldest
        }
    }

    /// What must not be started in the lane [`Lane::Free`], besides attempts at these kinds, of which `looking_up`
    /// more ask CAKE before they send.
    #[must_use]
    pub(crate) fn held(&self, now_ms: u64, under_way: &[u64], looking_up: u32) -> Held {
        let at_once = usize::try_from(self.at_once).unwrap_or(usize::MAX);
        let looks = usize::try_from(looking_up).unwrap_or(usize::MAX);
        let slow = self.slow.kinds(now_ms);
        let sending = under_way.iter().filter(|kind| slow.contains(kind)).count();
        Held {
            look_ups: looking_up > 0 && count(sending).saturating_add(looking_up) >= LOOK_UPS,
            kinds: self.slow.held(now_ms, under_way, at_once, looks),
        }
    }

    /// The kinds of events whose requests take long while others are answered; see [`Sent::kind`].
    #[must_use]
    pub(crate) fn slow_kinds(&self, now_ms: u64) -> Vec<u64> {
        self.slow.kinds(now_ms)
    }

    /// Has nothing been answered so far? Then one event in its third attempt is enough for an outage.
    pub(crate) fn is_never_answered(&self, attempts: u32) -> bool {
        self.last_healthy_ms.is_none() && (attempts >= 3 || self.failed.len() >= OUTAGE)
    }

    /// Takes the requests on their way: one that takes long counts as slow before it ends.
    pub(crate) fn see(&mut self, sent: impl Iterator<Item = Sent>, now_ms: u64) {
        self.slow.see(sent, now_ms);
    }

    /// Is a kind found to be slow for the first time, while others are answered? Operators are told then.
    pub(crate) fn tell_slow(&mut self, sent: Option<Sent>, now_ms: u64) -> bool {
        sent.is_some_and(|sent| self.slow.tell(sent.kind, now_ms))
    }

    /// Records an attempt's signal, and returns whom a refusal concerns.
    pub(crate) fn record(&mut self, signal: Signal, source: SignalSource) -> RefusalScope {
        if let Some(sent) = source.sent {
            self.slow.record(sent, signal.is_answer(), source.now_ms);
        }
        if !signal.is_answer() {
            self.last_trouble_ms = Some(source.now_ms);
            push_distinct(&mut self.offers, source.offer, OFFERS);
        }
        match signal {
            Signal::Healthy => self.recover(source),
            Signal::Failing => self.fail(source),
            Signal::Limited(asked_ms) => self.limit(asked_ms, source),
            Signal::LookupLimited(asked_ms) => {
                self.lookup_rest = Some(rest_of(asked_ms, source.now_ms));
            }
            Signal::OlderLimited(asked_ms) => {
                self.older_rest = Some(rest_of(asked_ms, source.now_ms));
            }
            Signal::KeyRefused => return self.refuse(Reason::Key, source),
            Signal::NotFound => return self.refuse(Reason::Address, source),
            Signal::RefusedAlike(words) => return self.refuse_alike(words, source),
            Signal::OlderRefusedAlike(words) => return self.refuse_older_alike(words, source),
            Signal::OlderHealthy => {
                self.last_older_healthy_ms = Some(source.now_ms);
                self.older_alike.clear();
                self.older_steps = 0;
                self.recover(source);
            }
        }
        RefusalScope::Event
    }

    fn recover(&mut self, source: SignalSource) {
        self.last_healthy_ms = Some(source.now_ms);
        self.failed.clear();
        self.refused.clear();
        self.alike.clear();
        let is_limit_of_later = self.stall.is_some_and(|stall| {
            stall.reason == Reason::Limit && source.started_ms < stall.from_ms
        });
        if is_limit_of_later {
            return;
        }
        self.offers.clear();
        self.stall = None;
        self.steps = 0;
        self.at_once = (self.at_once * 2).min(AT_ONCE);
    }

    fn fail(&mut self, source: SignalSource) {
        push_distinct(&mut self.failed, source.event, OUTAGE);
        let are_others_answered = self.last_healthy_ms.is_some_and(|at| {
            at > source.started_ms || source.now_ms.saturating_sub(at) < RECENT_MS
        });
        if self.failed.len() < OUTAGE || are_others_answered {
            return;
        }
        let ceiling = (FIRST_STALL_MS << self.steps.min(6)).min(MAX_STALL_MS);
        // Half of the pause is random: shards that failed together do not probe together.
        let ms = ceiling / 2 + ((ceiling / 2 * u64::from(source.random)) >> 32);
        self.rest(Reason::Outage, source.now_ms, ms);
    }

    fn limit(&mut self, asked_ms: Option<u64>, source: SignalSource) {
        // An attempt from before a pause tells nothing new of the time after it.
        let is_old = self
            .stall
            .is_some_and(|stall| stall.reason == Reason::Limit && source.started_ms < stall.to_ms);
        if is_old {
            return;
        }
        let most_ms = (FIRST_LIMIT_MS << self.steps.min(11)).min(MAX_LIMIT_MS);
        let ms = asked_ms.unwrap_or(MAX_UNASKED_LIMIT_MS).min(most_ms);
        self.rest(Reason::Limit, source.now_ms, ms);
    }

    fn refuse(&mut self, reason: Reason, source: SignalSource) -> RefusalScope {
        if self.were_others_answered(source) {
            return RefusalScope::Event;
        }
        let is_known = self.refused.contains(&source.event);
        push_distinct(&mut self.refused, source.event, OUTAGE);
        if self.refused.len() == 1 && !is_known {
            // An address counts as right until two events miss it. A key counts as wrong until an
            // answer comes.
            if reason == Reason::Address {
                return RefusalScope::Event;
            }
            if self.last_healthy_ms.is_some() {
                return RefusalScope::EventSoFar;
            }
        }
        self.pause(reason, source)
    }

    /// A second event that meets the same words in a row is refused for the account's sake, as is any that meets such
    /// words while the account is refused. Else the words are an answer like another.
    fn refuse_alike(&mut self, words: u64, source: SignalSource) -> RefusalScope {
        let is_second = is_met_again(&self.alike, words, source.event);
        if (is_second || self.is_paused()) && !self.were_others_answered(source) {
            push_distinct(&mut self.offers, source.offer, OFFERS);
            self.last_trouble_ms = Some(source.now_ms);
            return self.pause(Reason::Key, source);
        }
        let mut alike = core::mem::take(&mut self.alike);
        self.recover(source);
        note_words(&mut alike, words, source.event);
        self.alike = alike;
        RefusalScope::Event
    }

    /// The same for a correction. The corrections alone pause: conversions go to another service, and an answer to one
    /// tells nothing of corrections.
    fn refuse_older_alike(&mut self, words: u64, source: SignalSource) -> RefusalScope {
        let is_second = is_met_again(&self.older_alike, words, source.event);
        let healthy_ms = self.last_older_healthy_ms;
        let were_others_answered = source
            .refused_before_ms
            .is_some_and(|before| healthy_ms.is_some_and(|at| at >= before));
        if (is_second || self.older_steps > 0) && !were_others_answered {
            if self.corrections_rest_until_ms(source.now_ms) == 0 {
                let ms = probe_wait_ms(self.older_steps);
                self.older_steps = self.older_steps.saturating_add(1);
                self.older_rest = Some((source.now_ms, source.now_ms.saturating_add(ms)));
            }
            return RefusalScope::Account;
        }
        self.recover(source);
        note_words(&mut self.older_alike, words, source.event);
        RefusalScope::Event
    }

    /// Were other events answered since this one met the same refusal before?
    fn were_others_answered(&self, source: SignalSource) -> bool {
        let healthy_ms = self.last_healthy_ms;
        source
            .refused_before_ms
            .is_some_and(|before| healthy_ms.is_some_and(|at| at >= before))
    }

    /// Nothing is sent but probes, until one is answered.
    fn pause(&mut self, reason: Reason, source: SignalSource) -> RefusalScope {
        self.rest(reason, source.now_ms, probe_wait_ms(self.steps));
        RefusalScope::Account
    }

    /// Pauses for a while, unless a pause is running: attempts from before it tell nothing new.
    fn rest(&mut self, reason: Reason, now_ms: u64, ms: u64) {
        self.at_once = 1;
        if self.stalled_until_ms(now_ms) > 0 {
            return;
        }
        self.steps = self.steps.saturating_add(1);
        self.stall = Some(Stall {
            reason,
            from_ms: now_ms,
            to_ms: now_ms.saturating_add(ms),
        });
    }
}

/// How long a pause lasts after so many probes.
fn probe_wait_ms(steps: u32) -> u64 {
    let step = usize::try_from(steps).unwrap_or(usize::MAX);
    PROBES_MS.get(step).copied().unwrap_or(PAUSE_MS)
}

/// Has another event met these words? After many different words the next event counts as well, whatever it meets.
fn is_met_again(alike: &[(u64, u64)], words: u64, event: u64) -> bool {
    let is_again = |(met, by): &(u64, u64)| *met == words && *by != event;
    alike.iter().any(is_again) || alike.len() >= OUTAGE && alike.iter().all(|(_, by)| *by != event)
}

fn note_words(alike: &mut Vec<(u64, u64)>, words: u64, event: u64) {
    if alike.len() < OUTAGE && alike.iter().all(|(met, _)| *met != words) {
        alike.push((words, event));
    }
}

/// A pause of the look-ups or of the corrections alone.
fn rest_of(asked_ms: Option<u64>, now_ms: u64) -> (u64, u64) {
    let ms = asked_ms.unwrap_or(FIRST_STALL_MS).min(MAX_LIMIT_MS);
    (now_ms, now_ms.saturating_add(ms))
}

fn end_of(rest: Option<(u64, u64)>, now_ms: u64) -> u64 {
    rest.filter(|(from_ms, to_ms)| (*from_ms..*to_ms).contains(&now_ms))
        .map_or(0, |(_, to_ms)| to_ms)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn push_distinct(events: &mut Vec<u64>, event: u64, most: usize) {
    if events.len() < most && !events.contains(&event) {
        events.push(event);
    }
}

#[cfg(test)]
mod limited;
#[cfg(test)]
mod tests;
