//! When to try again: how long to wait, and how long CAKE asked to wait.

/// The longest wait between two tries. Who is asked to wait longer is told so
/// at once, and waits in a queue.
pub const MAX_WAIT_MS: u64 = 60_000;

/// After a write whose outcome is unknown, the least time before CAKE is asked
/// what became of it: it may still be at work.
const SETTLING_MS: u64 = 500;

/// How long to wait before the try after `failures` failed ones (from 1): a
/// random part of 500 ms, 1 s, 2 s … 8 s ("full jitter", so that clients that
/// failed together do not come back together), or what CAKE asked for.
///
/// `random` is a random number over the whole of `u32`. `None` where CAKE asks
/// for more than [`MAX_WAIT_MS`].
#[must_use]
pub(super) fn wait_ms(
    failures: u32,
    random: u32,
    retry_after_ms: Option<u64>,
    is_in_doubt: bool,
) -> Option<u64> {
    let ceiling = 500_u64 << failures.saturating_sub(1).min(4);
    let jitter = (ceiling * u64::from(random)) >> 32;
    let wait = jitter + if is_in_doubt { SETTLING_MS } else { 0 };
    match retry_after_ms {
        Some(asked) if asked > MAX_WAIT_MS => None,
        // On top of what was asked, so that not all come back in the same moment.
        Some(asked) => Some(asked + jitter.min(500)),
        None => Some(wait),
    }
}

/// Reads a `Retry-After` header, whose text is a number of seconds or a date.
/// `as_date_ms` is that text as a date, in milliseconds since 1970, where the
/// platform could read it as one.
#[must_use]
pub fn retry_after_ms(header: &str, as_date_ms: Option<u64>, now_ms: u64) -> Option<u64> {
    match super::json::parse_integer(header.trim()) {
        Some(seconds) => Some(seconds.saturating_mul(1_000)),
        None => as_date_ms.map(|date| date.saturating_sub(now_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_wait_grows_up_to_eight_seconds_and_keeps_to_what_cake_asked() {
        let most: Vec<_> = (1..=7)
            .map(|failures| wait_ms(failures, u32::MAX, None, false).unwrap())
            .collect();
        assert_eq!(most, [499, 999, 1_999, 3_999, 7_999, 7_999, 7_999]);
        assert_eq!(wait_ms(1, 0, None, false), Some(0));
        assert_eq!(wait_ms(1, 0, None, true), Some(500));
        assert_eq!(wait_ms(1, 0, Some(2_000), false), Some(2_000));
        assert_eq!(wait_ms(1, 0, Some(60_001), false), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after_ms("2", None, 0), Some(2_000));
        assert_eq!(retry_after_ms(" 120 ", Some(5), 0), Some(120_000));
        assert_eq!(
            retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", Some(9_000), 4_000),
            Some(5_000)
        );
        assert_eq!(retry_after_ms("Sun …", Some(4_000), 9_000), Some(0));
        assert_eq!(retry_after_ms("soon", None, 0), None);
        assert_eq!(retry_after_ms("-1", None, 0), None);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_promised(
            failures in any::<u32>(), random in any::<u32>(),
            asked in proptest::option::of(any::<u64>()), is_in_doubt in any::<bool>(),
        ) {
            let wait = wait_ms(failures, random, asked, is_in_doubt);
            prop_assert!(wait.is_none_or(|ms| ms <= MAX_WAIT_MS + 500));
            if let (Some(wait), Some(asked)) = (wait, asked) {
                prop_assert!(wait >= asked);
            }
        }
    }
}
