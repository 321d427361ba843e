//! Which kinds of events are slow: an offer's conversions, or all corrections, since those go to other services. An
//! event whose request takes long holds a connection, and a kind of such events would hold all of them.

/// How many connections the events of one slow kind may have together, and those of several.
const OF_ONE: usize = 2;
const OF_SEVERAL: usize = 3;

/// An average takes in this part of a request's time.
const PART: u64 = 4;

/// A kind is slow whose requests take a tenth of the timeout, and this many times as long as the others, or half of the
/// timeout.
const TIMES: u64 = 4;
const TENTH: u64 = 10;
const HALF: u64 = 2;

/// What is known of a kind is forgotten after this time without a request, in milliseconds.
const KEPT_MS: u64 = 600_000;

/// How many kinds are remembered.
const KINDS: usize = 64;

/// A request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The offer; for a correction [`CORRECTIONS`].
    pub(crate) kind: u64,
    /// When it was sent, by the outbox's clock in milliseconds.
    pub(crate) at_ms: u64,
}

/// The kind of all corrections. No offer has this id.
pub(crate) const CORRECTIONS: u64 = 0;

#[derive(Clone, Copy, Debug)]
struct Kind {
    kind: u64,
    /// How long its requests take, the latest counting most.
    average_ms: u64,
    /// When a request of it ended, or was seen on its way.
    last_ms: u64,
    /// Are operators told?
    is_told: bool,
}

/// The kinds that have been slow lately.
#[derive(Clone, Debug)]
pub(super) struct Slow {
    /// The time after which a request is given up.
    timeout_ms: u64,
    /// How long requests of kinds that are not slow take.
    usual_ms: u64,
    kinds: Vec<Kind>,
    /// The two kinds that were answered last, and when.
    answered: [Option<(u64, u64)>; 2],
    /// Requests on their way that take long already.
    late: Vec<Sent>,
}

impl Slow {
    pub(super) fn new(timeout_ms: u64) -> Self {
        Self {
            timeout_ms,
            usual_ms: 0,
            kinds: Vec::new(),
            answered: [None; 2],
            late: Vec::new(),
        }
    }

    /// The requests on their way, so that one that takes long counts before it ends.
    pub(super) fn see(&mut self, sent: impl Iterator<Item = Sent>, now_ms: u64) {
        let after_ms = self.after_ms();
        let is_late = |sent: &Sent| now_ms.saturating_sub(sent.at_ms) >= after_ms;
        self.late.clear();
        self.late.extend(sent.filter(is_late));
    }

    /// Records the end of a request. `is_answered` where CAKE has said what became of the event.
    pub(super) fn record(&mut self, sent: Sent, is_answered: bool, now_ms: u64) {
        self.kinds
            .retain(|kind| now_ms.saturating_sub(kind.last_ms) < KEPT_MS);
        self.late.retain(|late| *late != sent);
        let (ms, after_ms) = (now_ms.saturating_sub(sent.at_ms), self.after_ms());
        let place = self.kinds.iter().position(|kind| kind.kind == sent.kind);
        match place.and_then(|place| self.kinds.get_mut(place)) {
            Some(kind) => {
                kind.average_ms = mixed(kind.average_ms, ms, PART);
                kind.last_ms = now_ms;
            }
            None if ms >= after_ms => {
                if self.kinds.len() >= KINDS {
                    self.kinds.remove(0);
                }
                self.kinds.push(Kind {
                    kind: sent.kind,
                    average_ms: mixed(self.usual_ms, ms, PART),
                    last_ms: now_ms,
                    is_told: false,
                });
            }
            None => {}
        }
        if !is_answered || self.is_slow(sent.kind, now_ms) {
            return;
        }
        self.usual_ms = mixed(self.usual_ms, ms, 4 * PART);
        let [last, before] = &mut self.answered;
        if last.is_some_and(|(kind, _)| kind != sent.kind) {
            *before = *last;
        }
        *last = Some((sent.kind, now_ms));
    }

    /// The slow kinds, while others are answered; else none. Where everything is slow, nothing is kept from anything.
    pub(super) fn kinds(&self, now_ms: u64) -> Vec<u64> {
        if self.kinds.is_empty() && self.late.is_empty() {
            return Vec::new();
        }
        let others = self.answered.iter().flatten();
        let mut others = others.filter(|(kind, at)| {
            now_ms.saturating_sub(*at) < KEPT_MS && !self.is_slow(*kind, now_ms)
        });
        if others.next().is_none() {
            return Vec::new();
        }
        let known = self.kinds.iter().map(|kind| kind.kind);
        let mut slow: Vec<_> = known
            .chain(self.late.iter().map(|late| late.kind))
            .collect();
        slow.retain(|kind| self.is_slow(*kind, now_ms));
        slow.sort_unstable();
        slow.dedup();
        slow
    }

    /// The slow kinds of which no other event may start now, besides `under_way` and `looking_up` look-ups.
    pub(super) fn held(
        &self,
        now_ms: u64,
        under_way: &[u64],
        at_once: usize,
        looking_up: usize,
    ) -> Vec<u64> {
        let mut slow = self.kinds(now_ms);
        let most = if slow.len() > 1 { OF_SEVERAL } else { OF_ONE };
        let most = most.min(at_once.saturating_sub(1)).max(1);
        let running = under_way.iter().filter(|kind| slow.contains(kind)).count();
        let is_alone = slow.len() == 1;
        if running < most && (running == 0 || running + looking_up < OF_SEVERAL) {
            // Of several, none takes another's place.
            slow.retain(|kind| !is_alone && under_way.contains(kind));
        }
        slow
    }

    /// Is a kind found to be slow for the first time?
    pub(super) fn tell(&mut self, kind: u64, now_ms: u64) -> bool {
        if self.kinds.is_empty() || !self.kinds(now_ms).contains(&kind) {
            return false;
        }
        let known = self.kinds.iter_mut().find(|known| known.kind == kind);
        known.is_some_and(|known| !std::mem::replace(&mut known.is_told, true))
    }

    fn is_slow(&self, kind: u64, now_ms: u64) -> bool {
        let known = self
            .kinds
            .iter()
            .find(|known| known.kind == kind && now_ms.saturating_sub(known.last_ms) < KEPT_MS);
        let average_ms = known.map_or(self.usual_ms, |known| known.average_ms);
        let late = self.late.iter().filter(|late| late.kind == kind);
        let average_ms = late.fold(average_ms, |average_ms, late| {
            mixed(average_ms, now_ms.saturating_sub(late.at_ms), PART).max(average_ms)
        });
        let usual_ms = (TIMES * self.usual_ms).min(self.timeout_ms / HALF);
        average_ms >= self.after_ms().max(usual_ms)
    }

    /// Sooner than after this time no request is slow.
    fn after_ms(&self) -> u64 {
        (self.timeout_ms / TENTH).max(1)
    }
}

fn mixed(average_ms: u64, ms: u64, part: u64) -> u64 {
    (average_ms * (part - 1)).saturating_add(ms) / part
}

#[cfg(test)]
mod simulation;
