//! What a cell says that holds a flag or a date: nothing, no, yes, a date, or a word that is not known. Spreadsheets
//! write `TRUE` and `FALSE` in their user's language, and programs write words and days of their own for nothing.

use super::day::Days;
use super::encoding::from_windows;
use super::flaw::Flaw;
use std::borrow::Cow;

/// What a flag or a date says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    /// No value, or a word, a mark or a day of programs for none: `NULL`, `0000-00-00`, `1970-01-01`.
    Nothing,
    No,
    Yes,
    /// A day or a time.
    Date,
    /// None of these.
    Unclear,
}

/// Words for no value, as letters and digits.
const NOTHING: &str = "null nil none nan na nv nd undefined unset empty blank missing never nothing keine kein aucun aucune \
    ninguno ninguna nessuno nessuna nenhum brak geen ingen";

/// Marks that programs and people write for no value, and between the parts of a date that is none.
const MARKS: &str = " -\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{FE58}\u{FE63}\u{FF0D}\u{30FC}._/\\|,;:~()[]{}<>'\"=\
    \u{2018}\u{2019}\u{201C}\u{201D}\u{2026}\u{A0}\u{AD}\u{200B}\u{200C}\u{200D}\u{2060}\u{FEFF}";

/// Letters and words of spreadsheets, databases and people, in many languages; `NEIN`, `FAUX`, `\N`.
const NO: &str = "false no n f off falsch nein faux non falso não nao onwaar nee falsk falskt usann usant nej nei fałsz falsz nie \
    ложь нет хибність ні nepravda ne yanlış yanliş hayır hayir hamis nem epätosi ei fals nu ψευδής ψευδης όχι οχι 否 假 \
    不是 無 无 いいえ 偽 아니요 아니오 거짓 sai không tidak salah לא שקר لا خطأ ไม่ เท็จ unchecked ✗ ✘ ❌ ☐";

const YES: &str = "true yes y t x on wahr ja j vrai oui verdadero sí si s vero sì verdadeiro sim waar sann sant sand prawda tak истина \
    да істина так pravda ano áno doğru evet igaz igen tosi kyllä adevărat da αληθής αληθης ναι 是 真 はい 예 네 참 đúng có ya \
    benar כן אמת نعم صحيح ใช่ จริง checked ✓ ✔ ✅ ☑ √";

/// How shops and payment providers name a test, and the opposite.
const TEST: &str =
    "test testmode testing testorder testtransaction sandbox sandboxmode demo bogus staging";
const LIVE: &str = "live livemode production productionmode prod real";

/// A cell's text in UTF-8. Bytes that are none are the letters of Windows.
pub(super) fn text_of(cell: &[u8]) -> Cow<'_, str> {
    match core::str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(cell.iter().map(|&byte| from_windows(byte)).collect()),
    }
}

/// Is a word in a list?
pub(super) fn is_among(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|own| own == word)
}

/// A text's letters and digits in lower case; the whole text where it has none.
#[cfg_attr(small_cold, optimize(size))]
fn word_of(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let letters: String = lower
        .chars()
        .filter(|mark| mark.is_alphanumeric())
        .collect();
    if letters.is_empty() { lower } else { letters }
}

/// Is it a word or a mark for nothing? `########` is a date that was wider than its column; others may be a tick.
fn is_nothing(word: &str) -> bool {
    is_among(NOTHING, word) || word.chars().all(|mark| MARKS.contains(mark))
}

impl Flag {
    /// Reads a cell. Nearly all have one of a few words.
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn read(cell: &[u8], days: &Days) -> Self {
        match cell {
            b"" | b"null" => return Self::Nothing,
            b"false" | b"FALSE" | b"False" | b"0" => return Self::No,
            b"true" | b"TRUE" | b"True" | b"1" => return Self::Yes,
            _ => {}
        }
        let text = text_of(cell);
        let word = word_of(&text);
        if is_among(NO, &word) {
            Self::No
        } else if is_among(YES, &word) {
            Self::Yes
        } else if is_nothing(&word) && !text.contains(['!', '?']) {
            Self::Nothing
        } else {
            number(text.trim()).unwrap_or_else(|| date(text.trim(), days))
        }
    }

    /// Is there something, or is it said that there is? Nobody knows of an unknown word.
    ///
    /// # Errors
    /// [`Flaw::Word`]
    pub(super) fn is_set(self) -> Result<bool, Flaw> {
        match self {
            Self::Nothing | Self::No => Ok(false),
            Self::Yes | Self::Date => Ok(true),
            Self::Unclear => Err(Flaw::Word),
        }
    }
}

/// Does a cell say that the order is a test? A file of Stripe's says whether it is none.
///
/// # Errors
/// [`Flaw::Word`]
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn is_test(cell: &[u8], is_live_mode: bool) -> Result<bool, Flaw> {
    match Flag::read(cell, &Days::default()) {
        Flag::Nothing => Ok(false),
        Flag::No => Ok(is_live_mode),
        Flag::Yes => Ok(!is_live_mode),
        Flag::Date | Flag::Unclear => {
            let word = word_of(&text_of(cell));
            if is_among(TEST, &word) {
                Ok(true)
            } else if is_among(LIVE, &word) {
                Ok(false)
            } else {
                Err(Flaw::Word)
            }
        }
    }
}

/// What a plain number says: a flag, a day as `20260604` or as a spreadsheet counts days, or seconds since 1970.
fn number(text: &str) -> Option<Flag> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) {
        return None;
    }
    Some(match whole.trim_start_matches('0') {
        "" => Flag::No,
        "1" if part.trim_end_matches('0').is_empty() => Flag::Yes,
        days if days.len() > 4 => Flag::Date,
        _ => Flag::Unclear,
    })
}

/// A date in any order of its parts, since the day does not matter here. Programs write the first or the last day that
/// they know for none: `0001-01-01`, `30/12/1899`, `1970-01-01`, `9999-12-31`.
#[cfg_attr(small_cold, optimize(size))]
fn date(text: &str, days: &Days) -> Flag {
    let mut parts = text.splitn(3, ['-', '/', '.']);
    let [Some(first), Some(_), Some(rest)] = [parts.next(), parts.next(), parts.next()] else {
        return Flag::Unclear;
    };
    let end = rest
        .find(|mark: char| !mark.is_ascii_digit())
        .unwrap_or(rest.len());
    let last = rest.get(..end).unwrap_or_default();
    let year = match [first.len(), last.len()] {
        [4, _] => first.parse().ok(),
        [_, 4] => last.parse().ok(),
        // `31.12.99` and `01/01/70` are such days, too.
        [_, 2] => last.parse().ok().map(|year: u32| match year {
            1..69 => 2_000 + year,
            _ => 0,
        }),
        _ => None,
    };
    match year {
        None => Flag::Unclear,
        Some(1971..=2105) => match days.clone().read(text.as_bytes()) {
            Ok(_) | Err(Flaw::AmbiguousDate) => Flag::Date,
            Err(_) => Flag::Unclear,
        },
        Some(_) => Flag::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_nothing_no_yes_or_a_date_in_many_languages() {
        let of = |cell: &[u8]| Flag::read(cell, &Days::default());
        for cell in [
            "",
            " ",
            "NULL",
            "null",
            "(null)",
            "-",
            "\u{2014}",
            "N/A",
            "#N/A",
            "#NV",
            "None",
            "NaN",
            "0000-00-00",
            "0000-00-00 00:00:00",
            "0001-01-01T00:00:00Z",
            "1970-01-01 00:00:00",
            "1970-01-01T00:00:00.000Z",
            "1969-12-31",
            "01/01/1970",
            "30/12/1899",
            "1900-01-00",
            "9999-12-31",
            "31.12.99",
            "keine",
            "\u{2212}",
            "__/__/____",
            "//",
            "[]",
            "{}",
            "=\"\"",
            "\u{200B}",
        ] {
            assert_eq!(of(cell.as_bytes()), Flag::Nothing, "{cell}");
        }
        for cell in [
            "0",
            "0.0",
            "0,00",
            "false",
            "FALSE",
            "FALSCH",
            "FAUX",
            "no",
            "No",
            "n",
            "N",
            "\\N",
            "f",
            "off",
            "=FALSE()",
            "'FALSE",
            "НЕТ",
            "ЛОЖЬ",
            "não",
            "NEE",
            "YANLIŞ",
            "否",
            "いいえ",
        ] {
            assert_eq!(of(cell.as_bytes()), Flag::No, "{cell}");
        }
        for cell in [
            "1",
            "1.0",
            "true",
            "WAHR",
            "VRAI",
            "WAAR",
            "VERDADERO",
            "VERO",
            "Y",
            "x",
            "X",
            "t",
            "on",
            "ja",
            "Sí",
            "ИСТИНА",
            "DOĞRU",
            "はい",
            "✓",
            "=TRUE()",
        ] {
            assert_eq!(of(cell.as_bytes()), Flag::Yes, "{cell}");
        }
        assert_eq!(of(b"s\xED"), Flag::Yes);
    }

    #[test]
    fn a_date_is_read_in_any_order_and_other_texts_are_unclear() {
        let of = |cell: &[u8]| Flag::read(cell, &Days::default());
        for cell in [
            "2026-06-04",
            "2026-06-04 10:00:00 -0400",
            "2026-06-04T10:00:00.000Z",
            "04/06/2026",
            "06/04/2026 10:00",
            "4.6.2026",
            "04/06/26",
            "1780567200",
            "20260604",
            "46177",
            "46177.41667",
        ] {
            assert_eq!(of(cell.as_bytes()), Flag::Date, "{cell}");
        }
        for cell in [
            "customer",
            "7",
            "-1",
            "2026",
            "2026-06-31",
            "not cancelled",
            "until 2026-06-04",
            "a-b-c",
            "unknown",
            "?",
            "#",
            "########",
            "+",
            "*",
            "●",
            "#NULL!",
            "#REF!",
        ] {
            assert_eq!(of(cell.as_bytes()), Flag::Unclear, "{cell}");
        }
    }

    #[test]
    fn a_test_is_named_in_several_ways() {
        for (cell, is_live_mode, expected) in [
            ("WAHR", false, Ok(true)),
            ("on", false, Ok(true)),
            ("Test", false, Ok(true)),
            ("live", false, Ok(false)),
            ("nein", false, Ok(false)),
            ("", false, Ok(false)),
            ("maybe", false, Err(Flaw::Word)),
            ("2026-06-04", false, Err(Flaw::Word)),
            ("TEST MODE", true, Ok(true)),
            ("Sandbox", true, Ok(true)),
            ("FALSCH", true, Ok(true)),
            ("0", true, Ok(true)),
            ("Live mode", true, Ok(false)),
            ("true", true, Ok(false)),
            ("", true, Ok(false)),
            ("other", true, Err(Flaw::Word)),
        ] {
            assert_eq!(is_test(cell.as_bytes(), is_live_mode), expected, "{cell}");
        }
    }
}
