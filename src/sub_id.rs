//! Sub ids: `s1` … `s5` of a tracking link, an affiliate's own labels for traffic sources.

use crate::{Error, Result, url};

/// The wire names, in order.
pub(crate) const NAMES: [&str; 5] = ["s1", "s2", "s3", "s4", "s5"];

/// The maximum number of characters that CAKE keeps of `s1` (KB 5000545788).
pub(crate) const S1_CHARACTERS: usize = 50;

/// The maximum number of characters that CAKE keeps of each of `s2` … `s5` (KB 5000545788).
pub(crate) const OTHER_CHARACTERS: usize = 100;

/// The maximum number of characters that CAKE keeps; `index` 0 is `s1`.
pub(crate) fn limit(index: usize) -> usize {
    if index == 0 {
        S1_CHARACTERS
    } else {
        OTHER_CHARACTERS
    }
}

fn name(index: usize) -> &'static str {
    NAMES.get(index).copied().unwrap_or("s5")
}

/// Checks one sub id; `index` 0 is `s1`.
///
/// # Errors
/// [`Error::SubIdTooLong`], [`Error::InvalidText`].
pub fn check(index: usize, value: &str) -> Result<()> {
    if fitting(value, limit(index)) < value.len() {
        return Err(Error::SubIdTooLong {
            parameter: name(index),
        });
    }
    if !url::is_plain_text(value) {
        return Err(Error::InvalidText {
            parameter: name(index),
        });
    }
    Ok(())
}

/// The part of a sub id that CAKE keeps, and the excess; `index` 0 is `s1`.
pub(crate) fn split(index: usize, text: &str) -> (&str, &str) {
    text.split_at_checked(fitting(text, limit(index)))
        .unwrap_or((text, ""))
}

/// Takes `s1` … `s5` in order, and returns the value of each. The excess of one of `s2` … `s5`
/// overflows into the next one, as in CAKE (KB 5000545788), and never splits a character.
pub(crate) struct Filling<'a> {
    spills: bool,
    overflow: &'a str,
    index: usize,
}

impl<'a> Filling<'a> {
    /// `spills` allows the overflow into the next sub id.
    pub(crate) fn new(spills: bool) -> Self {
        Self {
            spills,
            overflow: "",
            index: 0,
        }
    }

    /// The next sub id's wire name.
    pub(crate) fn name(&self) -> &'static str {
        name(self.index)
    }

    /// The value of the next sub id. `own` is its own value; where `own` is empty, the overflow of
    /// the sub id before takes its place. The error is the name of the sub id that is too long.
    pub(crate) fn next(&mut self, own: &'a str) -> Result<&'a str, &'static str> {
        let index = self.index;
        self.index += 1;
        let value = if self.overflow.is_empty() {
            own
        } else if own.is_empty() {
            self.overflow
        } else {
            return Err(name(index - 1));
        };
        let (kept, overflow) = split(index, value);
        let may_spill = self.spills && (1..4).contains(&index);
        if !overflow.is_empty() && !may_spill {
            return Err(name(index));
        }
        self.overflow = overflow;
        Ok(kept)
    }
}

/// The number of characters that begin with this byte of UTF-8. JavaScript's `length` and .NET
/// count UTF-16 units. CAKE runs on .NET *(inference)*, so that an emoji counts twice.
pub(crate) fn characters_of(byte: u8) -> usize {
    // A four-byte sequence is a surrogate pair.
    usize::from(byte & 0xc0 != 0x80) + usize::from(byte > 0xef)
}

/// The number of bytes of `text` that hold at most `limit` characters.
fn fitting(text: &str, limit: usize) -> usize {
    // A text never has more characters than bytes.
    if text.len() <= limit {
        return text.len();
    }
    let mut room = limit;
    for (at, byte) in text.bytes().enumerate() {
        let units = characters_of(byte);
        if units > room {
            return at;
        }
        room -= units;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All five in order; the error names the sub id that is too long.
    fn spill(sub_ids: [&str; 5]) -> Result<[&str; 5], &'static str> {
        let mut filling = Filling::new(true);
        let mut spilled = [""; 5];
        for (own, slot) in sub_ids.into_iter().zip(&mut spilled) {
            *slot = filling.next(own)?;
        }
        Ok(spilled)
    }

    #[test]
    fn characters_count_as_in_javascript() {
        assert!(check(0, &"\u{e4}".repeat(50)).is_ok());
        assert!(check(0, &"\u{1f370}".repeat(25)).is_ok());
        assert!(check(0, &"\u{1f370}".repeat(26)).is_err());
        assert!(check(4, &"x".repeat(100)).is_ok());
        assert_eq!(
            check(9, &"x".repeat(101)),
            Err(Error::SubIdTooLong { parameter: "s5" })
        );
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\0", "\r\n", "\u{7f}", "\u{85}"] {
            assert_eq!(check(1, text), Err(Error::InvalidText { parameter: "s2" }));
        }
    }

    #[test]
    fn an_overflow_never_garbles_a_value_of_the_callers() {
        let long = "x".repeat(101);
        assert_eq!(spill(["", &long, "own", "", ""]), Err("s2"));
        assert_eq!(spill([&long, "", "", "", ""]), Err("s1"));
        assert_eq!(spill(["", "", "", "", &long]), Err("s5"));
    }

    proptest! {
        #[test]
        fn spilling_loses_nothing(text in "[a\u{e4}\u{1f370}]{1,420}") {
            if let Ok(spilled) = spill(["", &text, "", "", ""]) {
                prop_assert_eq!(spilled.concat(), &*text);
                for (index, value) in spilled.iter().enumerate() {
                    prop_assert!(value.is_empty() || check(index, value).is_ok());
                }
            } else {
                // 400 characters fit, less one where an emoji does not fit into the end of a sub
                // id.
                prop_assert!(text.encode_utf16().count() > 396);
            }
        }
    }
}
