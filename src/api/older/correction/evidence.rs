//! Whether a conversion's row shows each correction of it. CAKE appends a correction's note to the row's, and a
//! column may cut it, or an account hide it.

use crate::api::list_conversions::ListedConversion;
use crate::api::spelling;
use crate::time::CivilTime;

/// The usual lengths of a column of text. A note of such a length, or of one less and a space, may have been cut.
const COLUMNS: [usize; 16] = [
    50, 64, 100, 128, 150, 200, 250, 254, 255, 256, 500, 512, 1_000, 1_024, 2_000, 4_000,
];

/// Would the row show a correction of this note? Either nothing has changed the row since its conversion, or its
/// note is whole.
pub(super) fn shows_all(row: &ListedConversion, ours: &str, quiet_ms: u64) -> bool {
    is_untouched(row, quiet_ms) || row.note.as_deref().is_some_and(|note| is_whole(note, ours))
}

/// Has the row not been changed later than `quiet_ms` after its conversion?
fn is_untouched(row: &ListedConversion, quiet_ms: u64) -> bool {
    let [made, updated] = [&row.conversion_date, &row.updated_date].map(|text| {
        let text = text.as_deref()?.trim().get(..19)?.replacen('T', " ", 1);
        CivilTime::parse("date", &text)
            .ok()
            .map(CivilTime::as_utc_ms)
    });
    let after_ms = updated
        .zip(made)
        .and_then(|(updated, made)| updated.checked_sub(made));
    after_ms.is_some_and(|after_ms| after_ms <= quiet_ms)
}

/// Is a note whole, and without ours in any spelling? An empty one may be hidden.
fn is_whole(note: &str, ours: &str) -> bool {
    let mark = ours
        .rfind('[')
        .and_then(|at| ours.get(at..))
        .unwrap_or(ours);
    let length = note.chars().count();
    let is_open = note.rfind('[') > note.rfind(']');
    let starts = note.char_indices().filter(|(at, _)| {
        let before = note
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        !before.is_some_and(char::is_alphanumeric)
    });
    let mut ends = starts.filter_map(|(at, _)| note.get(at..));
    !note.trim().is_empty()
        && !spelling::may_hold(note, mark)
        && !COLUMNS
            .iter()
            .any(|column| length == *column || length + 1 == *column)
        && !is_open
        && !ends.any(|end| spelling::is_start(end, ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_is_hidden_or_may_be_cut_shows_nothing() {
        let ours = "customer returned two of three items [r-1]";
        let row = |note: &str| ListedConversion {
            note: Some(note.to_owned()),
            ..ListedConversion::default()
        };
        let long = "x".repeat(250);
        for whole in [
            "by telephone",
            "refund [r-2]",
            "[r-12] [r-2]",
            "customers returned two of three items [r-2]",
            "customer returned two of three items [r-2]",
            "the customer called",
        ] {
            assert!(shows_all(&row(whole), ours, 0), "{whole}");
        }
        for unclear in [
            "",
            " ",
            "CUSTOMER RETURNED TWO OF THREE ITEMS [R-1]",
            "customer returned two of three items [r-",
            "customer returned two of",
            "by telephone customer retur",
            "by telephone; Customer returned",
            "old &amp; customer returned two of",
            "refund [r-2] refund [r",
            "customer returned two of three items &#91;R-1&#93;",
            &long,
            &[&long, " refu"].concat(),
        ] {
            assert!(!shows_all(&row(unclear), ours, 0), "{unclear}");
        }
        assert!(!shows_all(&ListedConversion::default(), ours, 0));
    }

    #[test]
    fn a_row_that_nothing_has_changed_shows_that_nothing_was_added() {
        let row = |made: &str, updated: &str| ListedConversion {
            note: Some(String::new()),
            conversion_date: Some(made.to_owned()),
            updated_date: Some(updated.to_owned()),
            ..ListedConversion::default()
        };
        let made = "2026-06-19T14:30:00";
        for (updated, quiet_ms, expected) in [
            (made, 0, true),
            ("2026-06-19 14:30:00.493", 0, true),
            ("2026-06-19T14:30:02.493", 0, false),
            ("2026-06-19T14:30:02.493", 2_000, true),
            ("2026-06-19T14:29:59", 60_000, false),
            ("2026-06-20T14:30:00", 60_000, false),
            ("6/19/2026", 60_000, false),
        ] {
            assert_eq!(
                shows_all(&row(made, updated), "[r]", quiet_ms),
                expected,
                "{updated}"
            );
        }
    }
}
