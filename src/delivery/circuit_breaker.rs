//! How many attempts at once, and when none: so that an outage is asked about
//! rather than stormed, and its end is no stampede.

/// Workers may hold six connections at once; one is left for others.
pub const AT_ONCE: u32 = 5;

/// So many failures in a row, of whatever events, are an outage.
const OUTAGE: u32 = 10;

/// How long to leave CAKE alone in an outage: from a second to a minute.
const FIRST_STALL_MS: u64 = 1_000;
const MAX_STALL_MS: u64 = 60_000;

/// The longest that a Retry-After stops all: an hour.
const MAX_LIMIT_MS: u64 = 3_600_000;

/// While CAKE does not take the key, one attempt in five minutes asks again.
pub const PAUSE_MS: u64 = 300_000;

/// What an attempt tells of CAKE as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// An answer that says what became of the event.
    Healthy,
    /// None, or one that says nothing.
    Failing,
    /// CAKE limits; it may have said for how long, in milliseconds.
    Limited(Option<u64>),
    /// CAKE does not take the key.
    KeyRefused,
}

/// The shard's own restraint. It forgets with the object that holds it.
#[derive(Clone, Copy, Debug)]
pub struct CircuitBreaker {
    at_once: u32,
    failures: u32,
    stall_ms: u64,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            at_once: AT_ONCE,
            failures: 0,
            stall_ms: 0,
        }
    }
}

impl CircuitBreaker {
    /// How many attempts may be under way together.
    #[must_use]
    pub fn at_once(&self) -> u32 {
        self.at_once
    }

    /// How long none may be started from now on, in milliseconds.
    #[must_use]
    pub fn stall_ms(&self) -> u64 {
        self.stall_ms
    }

    /// Takes note of what came of an attempt. `random` is a random number over
    /// the whole of `u32`.
    pub fn record(&mut self, signal: Signal, random: u32) {
        self.stall_ms = 0;
        match signal {
            Signal::Healthy => {
                self.failures = 0;
                self.at_once = (self.at_once + 1).min(AT_ONCE);
            }
            Signal::Failing => {
                self.failures = self.failures.saturating_add(1);
                if let Some(beyond) = self.failures.checked_sub(OUTAGE) {
                    self.at_once = 1;
                    let stall = (FIRST_STALL_MS << beyond.min(6)).min(MAX_STALL_MS);
                    // Half of it by random: shards that failed together do not ask together.
                    self.stall_ms = stall / 2 + ((stall / 2 * u64::from(random)) >> 32);
                }
            }
            Signal::Limited(asked) => {
                self.at_once = 1;
                self.stall_ms = asked.unwrap_or(FIRST_STALL_MS).min(MAX_LIMIT_MS);
            }
            Signal::KeyRefused => {
                self.at_once = 1;
                self.stall_ms = PAUSE_MS;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_in_a_row_open_it_for_a_second_to_a_minute() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..9 {
            breaker.record(Signal::Failing, u32::MAX);
            assert_eq!((breaker.at_once(), breaker.stall_ms()), (5, 0));
        }
        let stalls: Vec<_> = (0..8)
            .map(|_| {
                breaker.record(Signal::Failing, u32::MAX);
                assert_eq!(breaker.at_once(), 1);
                breaker.stall_ms()
            })
            .collect();
        assert_eq!(
            stalls,
            [999, 1_999, 3_999, 7_999, 15_999, 31_999, 59_999, 59_999]
        );
    }

    #[test]
    fn it_closes_step_by_step() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..20 {
            breaker.record(Signal::Failing, 0);
        }
        let steps: Vec<_> = (0..5)
            .map(|_| {
                breaker.record(Signal::Healthy, 0);
                assert_eq!(breaker.stall_ms(), 0);
                breaker.at_once()
            })
            .collect();
        assert_eq!(steps, [2, 3, 4, 5, 5]);
    }

    #[test]
    fn single_failures_change_nothing() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..100 {
            breaker.record(Signal::Failing, 7);
            breaker.record(Signal::Healthy, 7);
        }
        assert_eq!((breaker.at_once(), breaker.stall_ms()), (5, 0));
    }

    #[test]
    fn a_limit_stops_all_for_as_long_as_cake_asks_and_a_refused_key_for_five_minutes() {
        let mut breaker = CircuitBreaker::default();
        breaker.record(Signal::Limited(Some(7_000)), 0);
        assert_eq!((breaker.at_once(), breaker.stall_ms()), (1, 7_000));
        breaker.record(Signal::Limited(None), 0);
        assert_eq!(breaker.stall_ms(), 1_000);
        breaker.record(Signal::Limited(Some(u64::MAX)), 0);
        assert_eq!(breaker.stall_ms(), 3_600_000);
        breaker.record(Signal::KeyRefused, 0);
        assert_eq!((breaker.at_once(), breaker.stall_ms()), (1, 300_000));
    }
}
