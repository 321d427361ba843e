//! Two statistics: an interval for a rate and a quantile for times.

/// Wilson's 95 % confidence interval of a rate, valid also for few clicks.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn wilson(successes: u64, trials: u64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let z = 1.959_963_984_540_054_f64;
    let n = trials as f64;
    let rate = successes.min(trials) as f64 / n;
    let z2 = z * z;
    let centre = rate + z2 / (2.0 * n);
    let spread = z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z2 / n;
    let low = ((centre - spread) / whole).max(0.0);
    let high = ((centre + spread) / whole).min(1.0);
    (
        if successes == 0 { 0.0 } else { low },
        if successes >= trials { 1.0 } else { high },
    )
}

/// The percentile by nearest rank: the smallest sorted value that at least `percent` of the values
/// do not exceed.
#[must_use]
pub(crate) fn quantile(sorted: &[u32], percent: usize) -> Option<u32> {
    let rank = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
    sorted.get(rank).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe 1998: 81 of 263 is 0.2553 to 0.3662, 0 of 10 up to 0.2775.
        for (successes, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (0, 10, 0.0, 0.2775),
            (10, 10, 0.7225, 1.0),
            (0, 0, 0.0, 1.0),
        ] {
            let found = wilson(successes, trials);
            assert!(
                (found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5,
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<u32> = (1..=10).collect();
        assert_eq!(quantile(&values, 50), Some(5));
        assert_eq!(quantile(&values, 90), Some(9));
        assert_eq!(quantile(&[7], 90), Some(7));
        assert_eq!(quantile(&[], 50), None);
    }
}
