//! Shares that add up exactly. Each share is rounded down; the rest goes to the largest remainders.

/// Remainders count as equal where they differ by less than such a part of a unit: the exact amounts are rounded too.
const NEAR: i128 = 1 << 16;

/// Whole units of exact amounts that add up to `total` units, where `unit` is the size of a unit. The first one wins a
/// tie.
#[must_use]
#[cfg_attr(small_cold, optimize(size))]
pub(crate) fn round(total: i64, exact: &[i128], unit: i128) -> Vec<i64> {
    let mut left = total;
    let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(exact.len());
    let mut shares: Vec<i64> = Vec::with_capacity(exact.len());
    for (index, amount) in exact.iter().enumerate() {
        let share = i64::try_from(amount.div_euclid(unit)).unwrap_or(0);
        left -= share;
        shares.push(share);
        let remainder = amount.rem_euclid(unit) * NEAR;
        remainders.push(((remainder + unit / 2) / unit, index));
    }
    remainders.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    for (_, index) in remainders.iter().cycle() {
        if left <= 0 {
            break;
        }
        left -= 1;
        if let Some(share) = shares.get_mut(*index) {
            *share += 1;
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
        for (total, exact, expected) in [
            (100, &[333, 333, 333][..], &[34, 33, 33][..]),
            (-100, &[-333, -333, -333], &[-33, -33, -34]),
            (10, &[20, 40, 40], &[2, 4, 4]),
            (0, &[1000, -1000], &[100, -100]),
            (5, &[0, 0], &[3, 2]),
            (5, &[], &[]),
        ] {
            assert_eq!(round(total, exact, 10), expected);
        }
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_within_one(exact in proptest::collection::vec(-(1_i128 << 70)..1 << 70, 1..20), unit in 1_i128..1 << 50) {
            // A total that the amounts come to, less what is below a unit.
            let total = i64::try_from(exact.iter().sum::<i128>().div_euclid(unit)).unwrap_or(0);
            prop_assume!(total != 0);
            prop_assume!(exact.iter().all(|amount| i64::try_from(amount / unit).is_ok()));
            let shares = round(total, &exact, unit);
            prop_assert_eq!(shares.iter().sum::<i64>(), total);
            for (share, amount) in shares.iter().zip(&exact) {
                prop_assert!((i128::from(*share) * unit - amount).abs() <= unit);
            }
        }
    }
}
