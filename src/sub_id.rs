//! Sub ids: `s1` … `s5` of a tracking link, an affiliate's own words for where
//! the traffic comes from.

use crate::{Error, Result};

/// The wire names, in order.
pub const NAMES: [&str; 5] = ["s1", "s2", "s3", "s4", "s5"];

/// The most characters that CAKE keeps of `s1`; longer values are refused (KB 5000545788).
pub const S1_CHARACTERS: usize = 50;

/// The most characters that CAKE keeps of `s2` … `s5` each (KB 5000545788).
pub const OTHER_CHARACTERS: usize = 100;

/// Checks one sub id; `index` 0 is `s1`.
///
/// # Errors
/// [`Error::SubIdTooLong`], [`Error::InvalidText`].
pub fn check(index: usize, value: &str) -> Result<()> {
    let parameter = NAMES.get(index).copied().unwrap_or("s5");
    let limit = if index == 0 {
        S1_CHARACTERS
    } else {
        OTHER_CHARACTERS
    };
    if value.chars().count() > limit {
        return Err(Error::SubIdTooLong { parameter });
    }
    if value.chars().any(char::is_control) {
        return Err(Error::InvalidText { parameter });
    }
    Ok(())
}
