//! The waits before another try: our own, and those that CAKE asks for.

/// The longest wait between two tries. A caller that has to wait longer is told so at once, and
/// waits in a queue.
pub(crate) const MAX_WAIT_MS: u64 = 60_000;

/// The least time before CAKE is asked about a write with an unknown outcome: CAKE may still be at
/// work.
const SETTLING_MS: u64 = 500;

/// How long CAKE may still be at work on a write whose answer nobody has, and how far its report may
/// be behind. Only this long after the write is it believed that the write is not recorded. .NET's
/// commands of a database end after 30 s, and load balancers end a request after 60 s.
pub(crate) const SETTLED_MS: u64 = 60_000;

/// The same for a caller who waits `timeout_ms` for a request, since nobody waits long for one that
/// is usually quick: four times that time, and [`SETTLED_MS`] by default.
pub(super) fn settled_ms(timeout_ms: u32) -> u64 {
    (u64::from(timeout_ms) * 4).min(SETTLED_MS)
}

/// The wait in milliseconds before the try after `failures` failed ones (from 1). It is a random
/// part of 500 ms, 1 s, 2 s … 8 s, or the wait that CAKE asked for. This "full jitter" keeps
/// clients that failed together from coming back together.
///
/// `random` is a random number over the whole of `u32`. Returns `None` where CAKE asks for more
/// than [`MAX_WAIT_MS`].
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
        // Longer than the requested wait, so that not all clients come back in the same moment.
        Some(asked) => Some(asked + jitter.min(500)),
        None => Some(wait),
    }
}

/// The longest wait that is returned, in milliseconds: a year.
const MAX_ASKED_MS: u64 = 31_536_000_000;

/// Reads a `Retry-After` header: seconds, also with a fraction, or an HTTP date. A date is compared with the answer's own
/// `Date` header, since the two clocks may differ; with the caller's clock, `now_ms`, only where there is none. `as_ms` is
/// the platform's reading of a date, in milliseconds since 1970. Several values arrive as one list, and the longest
/// counts. A fraction is rounded up, and a past date is no wait.
#[must_use]
pub(crate) fn retry_after_ms(
    header: &str,
    date: Option<&str>,
    as_ms: impl Fn(&str) -> Option<u64>,
    now_ms: u64,
) -> Option<u64> {
    let header = header.trim();
    let asked_ms = if is_http_date(header) {
        let sent_ms = date.filter(|date| is_http_date(date)).and_then(&as_ms);
        as_ms(header).map(|until| until.saturating_sub(sent_ms.unwrap_or(now_ms)))
    } else {
        let waits = header.split(',').map(seconds_ms);
        waits.collect::<Option<Vec<_>>>()?.into_iter().max()
    };
    asked_ms.map(|ms| ms.min(MAX_ASKED_MS))
}

/// Does a text start with a weekday's name, as HTTP's dates do? Platforms read `1.5` and `-5` as dates.
fn is_http_date(text: &str) -> bool {
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let day = text.trim_start().get(..3);
    day.is_some_and(|day| DAYS.contains(&day.to_ascii_lowercase().as_str()))
}

/// `2` or `1.5` seconds in milliseconds; the maximum for a number that is too large.
fn seconds_ms(text: &str) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let seconds: u64 = whole.parse().unwrap_or(u64::MAX);
    let mut thousandths = 0;
    let mut digits = fraction.bytes().map(|digit| u64::from(digit - b'0'));
    for _ in 0..3 {
        thousandths = thousandths * 10 + digits.next().unwrap_or_default();
    }
    let is_more = digits.any(|digit| digit > 0);
    Some(
        seconds
            .saturating_mul(1_000)
            .saturating_add(thousandths + u64::from(is_more)),
    )
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
        const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        const DAY_MS: u64 = 86_400_000;
        for (header, as_date_ms, expected) in [
            ("2", None, Some(2_000)),
            (" 120 ", Some(5), Some(120_000)),
            ("0", Some(5), Some(0)),
            // Texts that V8 reads as dates of the year 2001.
            ("1.5", Some(978_620_400_000), Some(1_500)),
            ("0.0001", Some(978_620_400_000), Some(1)),
            ("2.", Some(978_620_400_000), None),
            (".5", Some(978_620_400_000), None),
            ("-5", Some(988_657_200_000), None),
            ("-1.5", Some(988_657_200_000), None),
            ("+5", Some(988_657_200_000), None),
            ("5 s", Some(988_657_200_000), None),
            ("1e3", Some(988_657_200_000), None),
            ("2592000", None, Some(30 * DAY_MS)),
            ("99999999999999999999", None, Some(MAX_ASKED_MS)),
            ("120, 5", Some(9_000), Some(120_000)),
            ("120, soon", Some(9_000), None),
            (DATE, Some(9_000), Some(5_000)),
            (DATE, None, None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(9_000), Some(5_000)),
            ("sun nov  6 08:49:37 1994", Some(9_000), Some(5_000)),
            (DATE, Some(3_000), Some(0)),
            (DATE, Some(u64::MAX), Some(MAX_ASKED_MS)),
            ("2026-06-19", Some(9_000), None),
            ("soon", None, None),
            ("", None, None),
            ("NaN", None, None),
            ("Infinity", None, None),
        ] {
            let read = retry_after_ms(header, None, |_| as_date_ms, 4_000);
            assert_eq!(read, expected, "{header}");
        }
    }

    #[test]
    fn a_date_is_measured_by_the_clock_that_wrote_it() {
        const HOUR_MS: u64 = 3_600_000;
        let now_ms = 10 * HOUR_MS;
        for ahead_ms in [0, 1_000, HOUR_MS, 9 * HOUR_MS] {
            for server_ms in [now_ms + ahead_ms, now_ms - ahead_ms] {
                let as_ms =
                    |text: &str| Some(server_ms + if text.starts_with("Sun") { 3_000 } else { 0 });
                let until = "Sun, 06 Nov 1994 08:49:40 GMT";
                let read = |date| retry_after_ms(until, date, as_ms, now_ms);
                assert_eq!(read(Some("Mon, 06 Nov 1994 08:49:37 GMT")), Some(3_000));
                // Without a date of the answer's, our clock is all there is.
                for none in [None, Some(""), Some("7"), Some("-1.5"), Some("soon")] {
                    let expected = (server_ms + 3_000).saturating_sub(now_ms);
                    assert_eq!(read(none), Some(expected), "{none:?}");
                }
                assert_eq!(
                    retry_after_ms("5", Some("Mon, x"), as_ms, now_ms),
                    Some(5_000)
                );
            }
        }
        let unread = |text: &str| text.starts_with("Sun").then_some(9_000);
        assert_eq!(
            retry_after_ms("Sun, x", Some("Mon, y"), unread, 4_000),
            Some(5_000)
        );
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
