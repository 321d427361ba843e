//! The waits between attempts: 75.7 hours in all.

/// The waits after each attempt, in seconds. The first five are 5 s, 30 s, 2 min, 10 min and 30
/// min; then come 2, 5, 10, 14, 20 and 24 h.
pub(crate) const WAITS_S: [u64; 11] = [
    5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
];

/// The longest delay that a Retry-After may cause.
pub(crate) const MAX_ASKED_MS: u64 = 86_400_000;

/// The longest wait of an event: the schedule's last and its fifth. An event that is due later got
/// its time from a clock that was wrong.
pub(crate) const LONGEST_WAIT_MS: u64 = 86_400_000 * 6 / 5;

/// The wait after `attempts` attempts (from 1), in milliseconds. It is the schedule's ± 20 %, and
/// at least the time that CAKE asked for. `random` is a random number over the whole of `u32`.
/// `None` where the schedule is used up.
#[must_use]
pub(crate) fn wait_ms(attempts: u32, random: u32, asked_ms: Option<u64>) -> Option<u64> {
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let base_ms = WAITS_S.get(place)? * 1_000;
    let spread = (base_ms * 2 / 5 * u64::from(random)) >> 32;
    let wait = base_ms * 4 / 5 + spread;
    Some(wait.max(asked_ms.unwrap_or_default().min(MAX_ASKED_MS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_schedule_is_this_table() {
        let waits: Vec<_> = (1..=11)
            .map(|attempts| wait_ms(attempts, 1 << 31, None))
            .collect();
        let table = [
            5_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000,
            50_400_000, 72_000_000, 86_400_000,
        ];
        assert_eq!(waits, table.map(Some));
        assert_eq!(table.iter().sum::<u64>(), 272_555_000); // 75.7 h
        assert_eq!(wait_ms(12, 0, None), None);
        assert_eq!(wait_ms(0, 0, None), None);
    }

    #[test]
    fn each_wait_varies_by_a_fifth() {
        assert_eq!(wait_ms(1, 0, None), Some(4_000));
        assert_eq!(wait_ms(1, u32::MAX, None), Some(5_999));
        assert_eq!(wait_ms(11, 0, None), Some(69_120_000));
        assert_eq!(wait_ms(11, u32::MAX, None), Some(103_679_999));
    }

    #[test]
    fn a_retry_after_is_honoured_up_to_a_day_and_shortens_nothing() {
        assert_eq!(wait_ms(1, 0, Some(60_000)), Some(60_000));
        assert_eq!(wait_ms(6, 0, Some(60_000)), Some(5_760_000));
        assert_eq!(wait_ms(1, 0, Some(u64::MAX)), Some(MAX_ASKED_MS));
        assert_eq!(wait_ms(12, 0, Some(1)), None);
    }

    proptest! {
        #[test]
        fn no_wait_leaves_its_fifth(attempts in 1_u32..=11, random in any::<u32>()) {
            let base = WAITS_S[attempts as usize - 1] * 1_000;
            let wait = wait_ms(attempts, random, None).unwrap();
            prop_assert!(wait >= base * 4 / 5 && wait < base * 6 / 5);
        }
    }
}
