//! A machine's clock that nobody has set: one without a battery begins in 1970 until it is told the
//! time. Nothing is dated by such a clock, and no date is called late by it.

/// 2025-01-01 UTC, in milliseconds since 1970 and as a civil time. A clock that is earlier is not
/// set: this package is younger.
pub(crate) const SET_FROM_MS: u64 = 1_735_689_600_000;
const SET_FROM: &str = "2025-01-01 00:00:00";

/// The error of a clock that counts as right, in milliseconds: as much as a signature's time may have.
pub(crate) const ERROR_MS: u64 = 300_000;

/// Is the clock set?
pub(crate) fn is_set(now_ms: u64) -> bool {
    now_ms >= SET_FROM_MS
}

/// Has a clock that is set told this civil time?
pub(crate) fn is_told_by_set(civil: &str) -> bool {
    civil >= SET_FROM
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::CivilTime;

    #[test]
    fn both_spellings_are_one_time() {
        let civil = CivilTime::parse("date", SET_FROM).unwrap();
        assert_eq!(civil.as_utc_ms(), SET_FROM_MS);
    }
}
