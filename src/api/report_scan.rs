//! A report that the client and the forwarder read page by page for one row: its progress, and
//! whether it was read whole. Only a report that was read whole can say that a row is missing. A
//! missing row is sent again, so any doubt about the report means no answer.

use super::asked::{Asked, is_same_click_id, is_same_unique_id, named};
use super::conversion_report::{ReportLookup, ReportedConversion};
use super::pager::{PageRead, Pager};
use super::spelling;
use std::collections::BTreeSet;

/// The progress of reading a report.
#[derive(Clone, Debug)]
pub(crate) struct ReportScan {
    pager: Box<Pager>,
    pages: u32,
    max_pages: u32,
    /// The ids of the rows that were read, and the number of these rows.
    known: BTreeSet<u64>,
    read: u64,
    /// The most rows that a page has had.
    page_rows: u64,
    /// The most rows in all that a page has announced.
    total_rows: Option<u64>,
    /// Has a row been read that may be the conversion without naming it?
    has_nameless: bool,
    /// Has a row been read that has our unique id and our click under another offer?
    has_other_offer: bool,
    /// The most characters of a unique id, and of one that may be the beginning of ours.
    longest: usize,
    longest_cut: usize,
}

/// The state of the search after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// There is another page to read.
    NotYet,
    /// All rows have been read.
    Whole,
    /// The report cannot say.
    Nothing(&'static str),
}

/// The result for a conversion in a page of the conversion report.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// It is recorded, by this row.
    Recorded(&'a ReportedConversion),
    /// The next page must decide.
    NotYet,
    /// It is in no page.
    Missing,
    /// The report cannot say.
    #[cfg_attr(
        not(any(test, feature = "forwarder")),
        expect(dead_code, reason = "the client says what became of the write")
    )]
    Nothing(&'static str),
}

impl ReportScan {
    /// Reads from the first row on, `row_limit` rows at once, and at most `max_pages` pages.
    pub(crate) fn new(row_limit: u64, max_pages: u32) -> Self {
        Self {
            pager: Box::new(Pager::new(0, row_limit, None)),
            pages: 0,
            max_pages,
            known: BTreeSet::new(),
            read: 0,
            page_rows: 0,
            total_rows: None,
            has_nameless: false,
            has_other_offer: false,
            longest: 0,
            longest_cut: 0,
        }
    }

    /// The next page's `start_at_row`.
    pub(crate) fn start_at_row(&self) -> u64 {
        self.pager.start_at_row()
    }

    /// The next page's `row_limit`.
    pub(crate) fn row_limit(&self) -> u64 {
        self.pager.row_limit()
    }

    /// Has a row of this id been read?
    #[cfg(any(test, feature = "forwarder"))]
    pub(crate) fn has(&self, id: u64) -> bool {
        self.known.contains(&id)
    }

    /// Records a page without the wanted row.
    pub(crate) fn take(
        &mut self,
        ids: impl ExactSizeIterator<Item = Option<u64>> + DoubleEndedIterator + Clone,
        total_rows: Option<u64>,
    ) -> Scanned {
        let is_known = |id: Option<u64>| id.is_some_and(|id| self.known.contains(&id));
        let rows = ids.len() as u64;
        let last_known = ids.clone().rposition(is_known);
        let new_rows = ids.clone().filter(|id| !is_known(*id)).count() as u64;
        let is_taken = self.pager.read(PageRead {
            rows,
            new_rows,
            last_known: last_known.map(|at| at as u64),
            total_rows,
            ..PageRead::default()
        });
        if is_taken {
            self.known.extend(ids.flatten());
            self.read += new_rows;
        }
        self.pages += 1;
        self.page_rows = self.page_rows.max(rows);
        self.total_rows = self.total_rows.max(total_rows);
        let has_fewer = self.total_rows.is_some_and(|total| total > self.read);
        let is_repeated = rows > 0 && new_rows == 0 && rows >= self.page_rows;
        if self.pager.is_over() && self.total_rows.is_none() && is_repeated {
            return Scanned::Nothing("the report repeats its rows");
        }
        if self.pager.is_short() && (rows > 0 || !has_fewer) {
            return Scanned::Nothing("the report changes faster than it can be read");
        }
        if !self.pager.is_over() {
            return if self.pages < self.max_pages {
                Scanned::NotYet
            } else {
                Scanned::Nothing("the report is too long")
            };
        }
        if has_fewer {
            return Scanned::Nothing("the report has fewer rows than it says");
        }
        Scanned::Whole
    }

    /// Searches a page of the conversion report for a unique id. `others` are conversions that certainly belong to
    /// others: they are not taken for a misspelt one.
    pub(crate) fn find<'a>(
        &mut self,
        lookup: &'a ReportLookup,
        asked: Asked<'_>,
        others: &[u64],
    ) -> Found<'a> {
        let unique_id = asked.unique_id.unwrap_or_default();
        let page = &lookup.page;
        let has_our_id = |row: &ReportedConversion| {
            let own = row.unique_id.as_deref();
            own.is_some_and(|own| is_same_unique_id(own, unique_id))
        };
        let is_of_offer =
            |row: &ReportedConversion| row.offer_id.is_none_or(|id| id == asked.offer_id);
        let ours = page
            .rows
            .iter()
            .find(|row| has_our_id(row) && is_of_offer(row));
        if lookup.has_unread_rows && ours.is_none_or(|row| !is_of_click(row, asked)) {
            return Found::Nothing("the report has a row that cannot be read");
        }
        match ours {
            Some(row) if is_of_click(row, asked) => return Found::Recorded(row),
            Some(_) => return Found::Nothing("the report has the transaction for another click"),
            None => {}
        }
        // A report that shows no unique ids cannot say that one is missing.
        if !page.rows.is_empty() && page.rows.iter().all(|row| name_of(row).is_none()) {
            return Found::Nothing("the report shows no unique ids");
        }
        let is_free =
            |row: &ReportedConversion| row.conversion_id.is_none_or(|id| !others.contains(&id));
        for row in &page.rows {
            let length = name_of(row).map_or(0, |name| name.chars().count());
            self.longest = self.longest.max(length);
            if is_free(row) {
                self.has_nameless |= may_be(row, asked);
                self.has_other_offer |=
                    has_our_id(row) && !is_of_offer(row) && names_click(row, asked);
                if may_be_cut(row, asked) {
                    self.longest_cut = self.longest_cut.max(length);
                }
            }
        }
        // A column that cuts ids has none that is longer.
        let has_cut = self.longest_cut > 0 && self.longest_cut == self.longest;
        match self.take(
            page.rows.iter().map(|row| row.conversion_id),
            page.total_rows,
        ) {
            Scanned::NotYet => Found::NotYet,
            Scanned::Whole if self.has_other_offer => {
                Found::Nothing("the report has the transaction for another offer")
            }
            Scanned::Whole if self.has_nameless || has_cut => {
                Found::Nothing("the report has a row that does not plainly name its transaction")
            }
            Scanned::Whole => Found::Missing,
            Scanned::Nothing(why) => Found::Nothing(why),
        }
    }
}

/// May a row be the conversion, though it does not plainly name it? Its unique id is missing, or may be another
/// spelling of ours, and no other field contradicts.
fn may_be(row: &ReportedConversion, asked: Asked<'_>) -> bool {
    let ours = asked.unique_id.unwrap_or_default();
    name_of(row).is_none_or(|own| spelling::may_be_same(own, ours)) && is_of_event(row, asked)
}

/// May a row's unique id be the beginning of ours?
fn may_be_cut(row: &ReportedConversion, asked: Asked<'_>) -> bool {
    let ours = asked.unique_id.unwrap_or_default();
    name_of(row).is_some_and(|own| spelling::may_be_cut(own, ours)) && is_of_event(row, asked)
}

/// Does a row name no other offer and no other click?
fn is_of_event(row: &ReportedConversion, asked: Asked<'_>) -> bool {
    row.offer_id.is_none_or(|id| id == asked.offer_id) && is_of_click(row, asked)
}

/// Does a row name the click, or none?
fn is_of_click(row: &ReportedConversion, asked: Asked<'_>) -> bool {
    let click_id = row.click_id.as_deref().and_then(named);
    click_id.is_none_or(|click_id| is_same_click_id(click_id, asked.click_id))
}

/// Does a row name the click?
fn names_click(row: &ReportedConversion, asked: Asked<'_>) -> bool {
    row.click_id.as_deref().and_then(named).is_some() && is_of_click(row, asked)
}

/// The unique id of a row, unless it has none.
fn name_of(row: &ReportedConversion) -> Option<&str> {
    row.unique_id.as_deref().and_then(named)
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, conversion_report};
    use super::*;

    const ASKED: Asked<'static> = Asked {
        click_id: "abc",
        offer_id: 5,
        unique_id: Some("U1"),
    };

    fn find(bodies: &[&str]) -> String {
        let mut scan = ReportScan::new(100, 40);
        for body in bodies {
            let body = format!(r#"{{"request_status":"Success","response":{body}}}"#);
            let answer = Answer::new(200, &body);
            let Ok(lookup) = conversion_report::read_for_lookup(&answer) else {
                return "unreadable".into();
            };
            match scan.find(&lookup, ASKED, &[]) {
                Found::NotYet => {}
                Found::Recorded(_) => return "recorded".into(),
                Found::Missing => return "missing".into(),
                Found::Nothing(why) => return why.into(),
            }
        }
        "not yet".into()
    }

    const OTHER: &str = r#"{"conversion_id":9,"offer_id":5,"unique_id":"OTHER"}"#;

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn only_a_report_that_was_read_whole_says_that_a_row_is_missing() {
        let rows = |rows: &str| format!(r#"{{"data":{{"conversions":[{rows}]}}}}"#);
        let total = |list: &str, total: u64| {
            format!(r#"{{"data":{{"conversions":[{list}]}},"total_rows":{total}}}"#)
        };
        let none = rows("");
        let nameless = |id: &str| {
            rows(&format!(
                r#"{{"conversion_id":8,"offer_id":5,"unique_id":{id}}}"#
            ))
        };
        for (bodies, expected) in [
            (vec![none.clone()], "missing"),
            (vec![total("", 0)], "missing"),
            (vec![rows(OTHER), none.clone()], "missing"),
            // Words for a missing unique id name no transaction.
            (vec![nameless("0")], "the report shows no unique ids"),
            (vec![nameless("\"0\"")], "the report shows no unique ids"),
            (vec![nameless("\"null\"")], "the report shows no unique ids"),
            (vec![nameless("\"N/A\"")], "the report shows no unique ids"),
            (
                vec![nameless("\"undefined\"")],
                "the report shows no unique ids",
            ),
            (vec![nameless("\"-\"")], "the report shows no unique ids"),
            (vec![nameless("\" \"")], "the report shows no unique ids"),
            (
                vec![total(
                    &[r#"{"conversion_id":8,"unique_id":"(not set)"}"#, OTHER].join(","),
                    2,
                )],
                "the report has a row that does not plainly name its transaction",
            ),
            (vec![total(OTHER, 1)], "missing"),
            (vec![total("", 5)], "the report has fewer rows than it says"),
            (
                vec![total(OTHER, 5), total("", 5)],
                "the report has fewer rows than it says",
            ),
            (
                vec![total("null", 1)],
                "the report has a row that cannot be read",
            ),
            (
                vec![rows(&format!("{OTHER},null"))],
                "the report has a row that cannot be read",
            ),
            (
                vec![rows(&format!("{OTHER},{{}}"))],
                "the report has a row that cannot be read",
            ),
            (vec![rows("7")], "the report has a row that cannot be read"),
            (
                vec![rows(r#"{"conversion_id":9}"#)],
                "the report shows no unique ids",
            ),
            (
                vec![total(
                    &format!(r#"{OTHER},{{"conversion_id":8,"offer_id":5}}"#),
                    2,
                )],
                "the report has a row that does not plainly name its transaction",
            ),
            (
                vec![total(
                    &format!(r#"{OTHER},{{"conversion_id":8,"unique_id":"u1"}}"#),
                    2,
                )],
                "the report has a row that does not plainly name its transaction",
            ),
            (
                vec![total(
                    &format!(
                        r#"{OTHER},{{"conversion_id":8,"click_id":"zzz"}},{{"conversion_id":7,"offer_id":6}}"#
                    ),
                    3,
                )],
                "missing",
            ),
            (vec![rows(OTHER); 20], "the report repeats its rows"),
            // The last page need not repeat the number that an earlier page announced.
            (
                vec![total(OTHER, 2), none.clone()],
                "the report has fewer rows than it says",
            ),
            (
                vec![format!(
                    r#"{{"data":{{"conversions":[{OTHER}],"conversions":[{OTHER}]}}}}"#
                )],
                "unreadable",
            ),
            (
                vec![rows(
                    r#"{"conversion_id":9,"unique_id":"OTHER","unique_id":"U1"}"#,
                )],
                "the report has a row that cannot be read",
            ),
            (
                vec![
                    rows(r#"{"conversion_id":9,"unique_id":"U1","offer":{"offer_id":6}}"#),
                    none.clone(),
                ],
                "missing",
            ),
            (
                vec![
                    rows(r#"{"conversion_id":9,"unique_id":"U1","offer_id":6,"click_id":"abc"}"#),
                    none.clone(),
                ],
                "the report has the transaction for another offer",
            ),
            // Two shops count from 1: an order of another offer is another one, unless it names our click.
            (
                vec![
                    rows(r#"{"conversion_id":9,"unique_id":"U1","offer_id":6,"click_id":"zzz"}"#),
                    none.clone(),
                ],
                "missing",
            ),
            (
                vec![rows(
                    r#"{"conversion_id":9,"unique_id":"U1","offer_id":6},{"conversion_id":8,"unique_id":"U1","offer_id":5}"#,
                )],
                "recorded",
            ),
            (
                vec![rows(
                    r#"{"conversion_id":9,"unique_id":"U1","click_id":"zzz"}"#,
                )],
                "the report has the transaction for another click",
            ),
            (
                vec![rows(
                    r#"{"conversion_id":9,"unique_id":"U1","offer":{"offer_id":5},"click_id":"ABC"}"#,
                )],
                "recorded",
            ),
        ] {
            let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
            assert_eq!(find(&bodies), expected, "{bodies:?}");
        }
    }

    #[test]
    fn a_unique_id_is_the_same_as_record_conversion_has_it() {
        for told in ["U1", "U1 ", "\tU1\n"] {
            let told = serde_json::to_string(told).unwrap();
            let row = format!(r#"{{"conversion_id":9,"offer_id":5,"unique_id":{told}}}"#);
            let body = format!(r#"{{"data":{{"conversions":[{OTHER},null,{row}]}}}}"#);
            assert_eq!(find(&[&body]), "recorded", "{told}");
        }
    }
}
