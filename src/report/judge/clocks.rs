//! Do the two sides tell their times by the same clock? Two time zones lie a multiple of a quarter of an hour apart.

use core::array;

/// The most quarters of an hour that are counted, to each side of 0.
const MOST: i64 = 56;
const SLOTS: usize = 113;

/// How few pairs say nothing.
const FEW: u32 = 3;

/// How pairs with a time of day on both sides lie apart, by quarters of an hour from -14 h to 14 h.
#[derive(Debug)]
pub(super) struct Clocks {
    /// The number of all such pairs.
    pub(super) pairs: u32,
    /// Those that lie a whole number of hours apart, to the minute.
    exact: [u32; SLOTS],
    /// Those whose conversion comes up to ten minutes after its order on the other clock.
    near: [u32; SLOTS],
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            pairs: 0,
            exact: [0; SLOTS],
            near: [0; SLOTS],
        }
    }
}

impl Clocks {
    /// Notes a pair whose order is so many seconds later than its conversion: an hour or more, to either side.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn add(&mut self, apart: i64) {
        // A clock of the order that is so many quarters ahead; the conversion comes a little later.
        let quarters = (apart + 600).div_euclid(900);
        let after = quarters * 900 - apart;
        let nearest = (apart + 450).div_euclid(900);
        let count = |slots: &mut [u32; SLOTS], quarters: i64| {
            let slot = usize::try_from(quarters + MOST).ok();
            if let Some(count) = slot.and_then(|slot| slots.get_mut(slot)) {
                *count += 1;
            }
        };
        if nearest % 4 == 0 && (apart - nearest * 900).abs() <= 60 {
            count(&mut self.exact, nearest);
        }
        if quarters.abs() >= 4 && (-60..=600).contains(&after) {
            count(&mut self.near, quarters);
        }
    }

    /// By how many quarters of an hour the clocks differ, and the number of pairs that say so. To the minute, a whole
    /// number of hours is no chance in one pair of twenty; within ten minutes, it is none in most pairs.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn differ(&self) -> Option<(u32, i64)> {
        let most = |slots: &[u32; SLOTS]| (-MOST..).zip(*slots).max_by_key(|&(_, count)| count);
        let all: [_; 2] = array::from_fn(|which| match which {
            0 => most(&self.exact).filter(|&(_, count)| count * 20 >= self.pairs),
            _ => most(&self.near).filter(|&(_, count)| count * 2 > self.pairs),
        });
        let (quarters, count) = all.into_iter().flatten().find(|&(_, count)| count >= FEW)?;
        Some((count, quarters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differ(apart: impl IntoIterator<Item = i64>) -> Option<(u32, i64)> {
        let mut clocks = Clocks::default();
        for apart in apart {
            clocks.pairs += 1;
            if apart.abs() >= 3_540 {
                clocks.add(apart);
            }
        }
        clocks.differ()
    }

    #[test]
    fn clocks_differ_by_what_most_pairs_say() {
        // The order's clock is UTC, and CAKE has the sale two to eight minutes later, in New York.
        assert_eq!(
            differ((0..20).map(|pair| 14_400 - 120 - pair * 18)),
            Some((20, 16))
        );
        // The order's clock is behind, by five hours and a half.
        assert_eq!(
            differ((0..20).map(|pair| -19_800 - pair * 25)),
            Some((20, -22))
        );
        // To the minute, few of many are enough.
        let few = |count: i64| (0..60).map(move |pair| if pair < count { -3_600 } else { -5 });
        assert_eq!(differ(few(3)), Some((3, -4)));
        assert_eq!(differ(few(2)), None);
        // Conversions that were reported later by chance, and pairs of one clock.
        assert_eq!(differ((0..40).map(|pair| -pair * 1_234 - 100)), None);
        assert_eq!(differ((0..40).map(|pair| -pair * 30)), None);
        assert_eq!(differ([-14_400, -14_400]), None);
        // Two days are no clock's.
        assert_eq!(differ([-172_800; 9]), None);
    }
}
