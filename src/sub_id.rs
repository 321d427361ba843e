//! Sub ids: `s1` … `s5` of a tracking link, an affiliate's own words for where
//! the traffic comes from.

use crate::{Error, Result, url};
use std::borrow::Cow;

/// The wire names, in order.
pub const NAMES: [&str; 5] = ["s1", "s2", "s3", "s4", "s5"];

/// The same within a link, after its other parameters.
const PREFIXES: [&str; 5] = ["&s1=", "&s2=", "&s3=", "&s4=", "&s5="];

/// The most characters that CAKE keeps of `s1` (KB 5000545788).
pub const S1_CHARACTERS: usize = 50;

/// The most characters that CAKE keeps of `s2` … `s5` each (KB 5000545788).
pub const OTHER_CHARACTERS: usize = 100;

fn limit(index: usize) -> usize {
    if index == 0 {
        S1_CHARACTERS
    } else {
        OTHER_CHARACTERS
    }
}

fn name(index: usize) -> &'static str {
    NAMES.get(index).copied().unwrap_or("s5")
}

/// Counts as JavaScript's `length` and .NET do: in UTF-16 units. CAKE runs on
/// .NET *(inference)*, so an emoji counts twice.
fn characters(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Checks one sub id; `index` 0 is `s1`.
///
/// # Errors
/// [`Error::SubIdTooLong`], [`Error::InvalidText`].
pub fn check(index: usize, value: &str) -> Result<()> {
    // A text of few bytes has fewer characters still.
    if value.len() > limit(index) && characters(value) > limit(index) {
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

/// Appends one sub id to a query, checked; an empty one counts as absent.
pub(crate) fn push(link: &mut String, index: usize, value: &str) -> Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    check_length(index, value)?;
    link.push_str(PREFIXES.get(index).copied().unwrap_or_default());
    if url::push_encoded(link, value) {
        Ok(())
    } else {
        Err(Error::InvalidText {
            parameter: name(index),
        })
    }
}

fn check_length(index: usize, value: &str) -> Result<()> {
    // A text of few bytes has fewer characters still.
    if value.len() > limit(index) && characters(value) > limit(index) {
        return Err(Error::SubIdTooLong {
            parameter: name(index),
        });
    }
    Ok(())
}

/// Does what CAKE does with sub ids that are too long: what does not fit into
/// one of `s2` … `s5` runs over into the next (KB 5000545788), never within a
/// character.
///
/// # Errors
/// [`Error::SubIdTooLong`] where `s1` is too long, where `s5` overflows, or
/// where the next one has a value of its own, which the overflow would garble.
pub fn spill<'a>(sub_ids: &[Option<Cow<'a, str>>; 5]) -> Result<[Option<Cow<'a, str>>; 5]> {
    let mut spilled = sub_ids.clone();
    for index in 0..spilled.len() {
        let Some(value) = spilled.get(index).and_then(Option::as_deref) else {
            continue;
        };
        let fits = fitting(value, limit(index));
        if fits == value.len() {
            continue;
        }
        let (kept, overflow) = value.split_at_checked(fits).unwrap_or((value, ""));
        let (kept, overflow) = (kept.to_owned(), overflow.to_owned());
        let next = spilled.get_mut(index + 1).filter(|_| index > 0);
        match next {
            Some(next) if next.as_deref().is_none_or(str::is_empty) => {
                *next = Some(overflow.into());
            }
            _ => {
                return Err(Error::SubIdTooLong {
                    parameter: name(index),
                });
            }
        }
        if let Some(slot) = spilled.get_mut(index) {
            *slot = Some(kept.into());
        }
    }
    Ok(spilled)
}

/// How many bytes of `text` hold at most `limit` characters.
fn fitting(text: &str, limit: usize) -> usize {
    let mut room = limit;
    for (at, character) in text.char_indices() {
        match room.checked_sub(character.len_utf16()) {
            Some(left) => room = left,
            None => return at,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        let long: Option<Cow<'_, str>> = Some("x".repeat(101).into());
        let own: Option<Cow<'_, str>> = Some("own".into());
        assert!(spill(&[None, long.clone(), own, None, None]).is_err());
        assert!(spill(&[long.clone(), None, None, None, None]).is_err());
        assert!(spill(&[None, None, None, None, long]).is_err());
    }

    proptest! {
        #[test]
        fn spilling_loses_nothing(text in "[a\u{e4}\u{1f370}]{1,420}") {
            let sub_ids = [None, Some(Cow::from(text.clone())), None, None, None];
            if let Ok(spilled) = spill(&sub_ids) {
                let joined: String = spilled.iter().flatten().map(AsRef::as_ref).collect();
                prop_assert_eq!(joined, text);
                for (index, value) in spilled.iter().enumerate() {
                    prop_assert!(value.as_deref().is_none_or(|value| check(index, value).is_ok()));
                }
            } else {
                // 400 characters fit, less one where an emoji does not fill a sub id's end.
                prop_assert!(characters(&text) > 396);
            }
        }
    }
}
