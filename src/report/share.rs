//! Shares that add up exactly. Each share is rounded down; the rest goes to the largest remainders.

/// Divides `total` units by weights. The first one wins a tie, and gets everything where all weights are 0.
#[must_use]
#[cfg_attr(small_cold, optimize(size))]
pub(crate) fn divide(total: i64, weights: &[u128]) -> Vec<i64> {
    let sum: u128 = weights.iter().sum();
    let mut shares = vec![0_i64; weights.len()];
    if sum == 0 {
        if let Some(first) = shares.first_mut() {
            *first = total;
        }
        return shares;
    }
    // A weight is scaled down until the product fits; the remainders correct the lost precision.
    let mut shift = 0;
    while (sum >> shift) > u128::from(u64::MAX) {
        shift += 1;
    }
    let weights: Vec<u128> = weights.iter().map(|weight| weight >> shift).collect();
    let sum: u128 = weights.iter().sum();
    let whole = u128::from(total.unsigned_abs());
    let mut left = whole;
    let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
    for (index, (share, weight)) in shares.iter_mut().zip(&weights).enumerate() {
        let product = whole * weight;
        let floor = product / sum.max(1);
        left = left.saturating_sub(floor);
        *share = i64::try_from(floor).unwrap_or(i64::MAX);
        remainders.push((product % sum.max(1), index));
    }
    remainders.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    for (_, index) in remainders.iter().cycle() {
        if left == 0 {
            break;
        }
        left -= 1;
        if let Some(share) = shares.get_mut(*index) {
            *share += 1;
        }
    }
    if total < 0 {
        for share in &mut shares {
            *share = -*share;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_rest_goes_to_the_largest_remainders() {
        assert_eq!(divide(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(divide(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(divide(10, &[1, 2, 2]), [2, 4, 4]);
        assert_eq!(divide(5, &[0, 0]), [5, 0]);
        assert_eq!(divide(5, &[]), [0_i64; 0]);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_within_one(total in -1_000_000_000_i64..1_000_000_000, weights in proptest::collection::vec(0_u128..1 << 90, 1..20)) {
            let shares = divide(total, &weights);
            prop_assert_eq!(shares.iter().sum::<i64>(), total);
            let sum: u128 = weights.iter().sum();
            if sum > 0 {
                for (share, weight) in shares.iter().zip(&weights) {
                    #[expect(clippy::cast_precision_loss)]
                    let exact = total as f64 * (*weight as f64 / sum as f64);
                    #[expect(clippy::cast_precision_loss)]
                    let apart = (*share as f64 - exact).abs();
                    prop_assert!(apart <= 1.01, "{share} {exact}");
                }
            }
        }
    }
}
