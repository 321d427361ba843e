//! The rate limit of a client: the least time between the starts of two requests.

/// Spaces requests. It holds one time and no queue: each request reserves the
/// next free moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateLimiter {
    interval_ms: u64,
    next_free_ms: u64,
}

impl RateLimiter {
    /// At most one request every `interval_ms`; 0 sets no limit.
    #[must_use]
    pub(crate) fn new(interval_ms: u64) -> Self {
        Self {
            interval_ms,
            next_free_ms: 0,
        }
    }

    /// Reserves a moment for a request, and returns the wait from `now_ms` until then, in
    /// milliseconds.
    pub(crate) fn reserve(&mut self, now_ms: u64) -> u64 {
        if self.interval_ms == 0 {
            return 0;
        }
        let mut start = self.next_free_ms.max(now_ms);
        // A clock that was set back must not leave us waiting for the old time.
        if start - now_ms > self.interval_ms.saturating_mul(100_000) {
            start = now_ms;
        }
        self.next_free_ms = start.saturating_add(self.interval_ms);
        start - now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spaced_and_a_pause_is_not_saved_up() {
        let mut pace = RateLimiter::new(200);
        assert_eq!(
            [1_000, 1_000, 1_050, 9_000, 9_000].map(|now| pace.reserve(now)),
            [0, 200, 350, 0, 200]
        );
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let mut pace = RateLimiter::default();
        assert_eq!([5, 5, 5].map(|now| pace.reserve(now)), [0, 0, 0]);
    }
}
