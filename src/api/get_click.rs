//! Get Click by click id: `GET /api/2/click.json?click_id=…`.

use super::answer::record::{Record, has_unread_rows, records, sure_list_holder};
use super::asked::is_same_click_id;
use super::json::{Value, parse_id};
use super::params::Params;
use super::unread::Unread;
use super::{Account, Answer, Request, dress};
use crate::{Result, click_id};
use serde::Serialize;

pub(super) const PATH: &str = "click.json";

/// A click as CAKE reports it; a field that its row lacks is absent. Serializes in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Click {
    /// CAKE's click id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_id: Option<String>,
    /// The time, as CAKE wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) click_date: Option<String>,
    /// The offer that was clicked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offer_id: Option<u64>,
    /// The affiliate who sent the click.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) affiliate_id: Option<i64>,
    /// `s1` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sub_id_1: Option<String>,
    /// `s2` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sub_id_2: Option<String>,
    /// `s3` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sub_id_3: Option<String>,
    /// `s4` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sub_id_4: Option<String>,
    /// `s5` of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sub_id_5: Option<String>,
    /// The visitor's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip_address: Option<String>,
    /// The visitor's country, two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    /// Has the click become a conversion? Absent where the service does not say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converted: Option<bool>,
    /// The conversion's id, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_id: Option<u64>,
    /// The values that could not be read. A list gathers them for its page.
    #[serde(skip_serializing_if = "Unread::is_empty")]
    pub(crate) unread: Unread,
    /// Is the answer about a conversion free of contradictions?
    #[serde(skip)]
    pub(crate) has_said: bool,
    /// Is there any word of a conversion?
    #[serde(skip)]
    pub(crate) has_a_word: bool,
}

/// The verdict of a click about a conversion for one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClickVerdict {
    /// The click has this conversion; with several conversions, it names one.
    Converted(u64),
    /// The click has no conversion.
    NotConverted,
    /// It has a conversion, or may have one: it names none, belongs to another offer, or contradicts itself. Nothing
    /// is certainly missing then.
    Unclear,
    /// It says nothing of a conversion for this offer.
    Silent,
}

impl Click {
    /// The verdict about a conversion for `offer_id`.
    #[must_use]
    pub(crate) fn verdict(&self, offer_id: u64) -> ClickVerdict {
        let is_ours = self.click_id.is_some() && self.offer_id == Some(offer_id);
        match (is_ours, self.conversion_id) {
            (true, Some(id)) if self.has_said => ClickVerdict::Converted(id),
            (true, None) if self.has_said && self.converted == Some(false) => {
                ClickVerdict::NotConverted
            }
            (_, None) if !self.has_a_word => ClickVerdict::Silent,
            // Another offer's click.
            (_, None)
                if self.click_id.is_some() && self.has_said && self.converted == Some(false) =>
            {
                ClickVerdict::Silent
            }
            _ => ClickVerdict::Unclear,
        }
    }

    pub(super) fn from_record(record: &Record<'_, '_>) -> Self {
        let conversion_id = record.id("conversion_id");
        let read = Self {
            click_id: record.text("click_id").filter(|id| !id.is_empty()),
            offer_id: record.offer_id(),
            affiliate_id: record.affiliate_id("affiliate_id"),
            click_date: dress::date(record.text("click_date")),
            sub_id_1: record.text("sub_id_1"),
            sub_id_2: record.text("sub_id_2"),
            sub_id_3: record.text("sub_id_3"),
            sub_id_4: record.text("sub_id_4"),
            sub_id_5: record.text("sub_id_5"),
            ip_address: record.text("ip_address"),
            country: record.text("country"),
            // A row that names its conversion needs no `converted`.
            converted: match record.get("converted") {
                Some(_) => record.flag("converted"),
                // A row that has no conversion says so by its empty id; one without either field
                // says nothing.
                None if conversion_id.is_some() => Some(true),
                None => record.has("conversion_id").then_some(false),
            },
            conversion_id,
            unread: Unread::default(),
            has_said: has_said(record, conversion_id),
            has_a_word: false,
        };
        // A row without any field stays without: it is no row.
        let has_a_word = read != Self::default()
            && (record.two_faced().is_some()
                || record.has("converted")
                || record.has("conversion_id")
                || has_conversion(record));
        Self { has_a_word, ..read }
    }
}

/// Is what a row says about its conversion plain, and without a contradiction? "Not converted"
/// beside anything of a conversion is one.
fn has_said(record: &Record<'_, '_>, conversion_id: Option<u64>) -> bool {
    if record.two_faced().is_some() || record.contradicts_itself("converted") {
        return false;
    }
    // Null is a word that was not said.
    let is_no = match record.get("converted") {
        None if record.has("converted") => return false,
        None if record.has("conversion_id") => conversion_id.is_none(),
        Some(word) if dress::is_no(word) => true,
        Some(word) if dress::is_yes(word) => false,
        None | Some(_) => return false,
    };
    !is_no || !has_conversion(record)
}

/// Has a row anything of a conversion but null, 0, .NET's first date and other words for "none"? Any field that is
/// named after conversions counts, and so does a transaction's id: clicks have none.
fn has_conversion(record: &Record<'_, '_>) -> bool {
    let is_none = |name: &str, value: Value<'_>| match dress::plain(value) {
        // An empty element may be no conversion, but it is no id.
        None => {
            value.is_null()
                || !dress::is_same_name(name, "conversion_id")
                || value
                    .object()
                    .is_some_and(|nil| nil.entries().next().is_some())
        }
        // "No" is a word about a conversion, and no id.
        Some(plain) => {
            dress::is_no(plain) && !dress::is_same_name(name, "conversion_id")
                || plain.text().is_some_and(|text| {
                    let text = text.trim();
                    text.is_empty() || parse_id(text) == Some(0) || dress::is_no_date(text)
                })
        }
    };
    let is_of_conversion = |name: &str| {
        name.to_ascii_lowercase().contains("conversion")
            || dress::is_same_name(name, "unique_id")
            || dress::is_same_name(name, "transaction_id")
    };
    record
        .fields()
        .entries()
        .any(|(name, value)| is_of_conversion(name) && !is_none(name, value))
}

/// Asks for one click.
///
/// # Errors
/// [`crate::Error::InvalidClickId`], [`crate::Error::PlaceholderText`].
pub(crate) fn request(account: &Account, click_id: &str) -> Result<Request> {
    click_id::check(click_id)?;
    let mut request = account.get(PATH);
    request.parameter("click_id", click_id);
    Ok(request)
}

/// The click id in the parameters' JSON.
pub(super) fn click_id_of(params: &str) -> Result<String> {
    Params::read(params, &["clickId"])?.required_text("clickId")
}

/// Reads the answer: the click, or `None` where CAKE has no click of that id.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`];
/// [`crate::Error::UnexpectedAnswer`] where it is about other clicks.
pub(crate) fn read(answer: &Answer<'_>, click_id: &str) -> Result<Option<Click>> {
    let (holder, total_rows) = sure_list_holder(answer, "clicks")?;
    let (mut clicks, has_unread_clicks) = clicks_of(answer, &holder)?;
    let at = clicks.iter().position(|click| {
        let own = click.click_id.as_deref();
        own.is_some_and(|own| is_same_click_id(own, click_id))
    });
    let is_part = total_rows.is_some_and(|total| total > clicks.len() as u64);
    if let Some(at) = at {
        let mut click = taken(clicks, at, click_id);
        // A row that did not come may contradict this one.
        click.has_said &= !is_part;
        click.has_a_word |= is_part;
        return Ok(Some(click));
    }
    // An unreadable row may be the click, so no click is known to be missing.
    if has_unread_clicks {
        return Err(answer.unexpected("to Get Click has a click that cannot be read", ""));
    }
    match (clicks.pop(), clicks.is_empty()) {
        // A single click without an id is the one that was asked for.
        (Some(click), true) if click.click_id.is_none() => Ok(Some(click)),
        (Some(_), _) => Err(answer.unexpected("to Get Click has other clicks", "")),
        (None, _) if is_part => {
            Err(answer.unexpected("to Get Click has fewer clicks than it says", ""))
        }
        (None, _) => Ok(None),
    }
}

/// The click at a place. Rows of the same click that disagree prove nothing about a conversion, and
/// the caller is told.
fn taken(mut clicks: Vec<Click>, at: usize, click_id: &str) -> Click {
    let mut click = clicks.swap_remove(at);
    let says = |click: &Click| (click.offer_id, click.converted, click.conversion_id);
    let other = clicks.into_iter().find(|other| {
        let own = other.click_id.as_deref().unwrap_or_default();
        is_same_click_id(own, click_id) && says(other) != says(&click)
    });
    if let Some(other) = other {
        click
            .unread
            .note_two("offer_id", click.offer_id, other.offer_id);
        click
            .unread
            .note_two("converted", click.converted, other.converted);
        click
            .unread
            .note_two("conversion_id", click.conversion_id, other.conversion_id);
        if click.conversion_id != other.conversion_id {
            click.conversion_id = None;
        }
        click.has_said = false;
        click.has_a_word = true;
        click.converted = None;
    }
    click
}

/// Every click of the record that has the list, each with what could not be read of it. Also: has the
/// list an entry that may be a click? One without any value is none.
fn clicks_of(answer: &Answer<'_>, holder: &Record<'_, '_>) -> Result<(Vec<Click>, bool)> {
    let mut has_unread = has_unread_rows(answer, holder.fields(), "clicks", "click")?;
    let mut clicks = Vec::new();
    let entries = records(answer, holder.fields(), "clicks", "click")?;
    for record in entries.into_iter().filter_map(|(_, record)| record) {
        let click = Click::from_record(&record);
        if click == Click::default() {
            has_unread = true;
        } else {
            let unread = record.unread();
            clicks.push(Click { unread, ..click });
        }
    }
    Ok((clicks, has_unread))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(response: &str) -> Result<Option<Click>> {
        let body = format!(r#"{{"request_status":"Success","response":{response}}}"#);
        read(&Answer::new(200, &body), "abc")
    }

    #[test]
    fn an_answer_about_other_clicks_or_about_nothing_does_not_say_that_there_is_none() {
        let other = r#"{"click_id":"zzz","offer_id":5,"converted":false}"#;
        for response in [
            format!(r#"{{"clicks":[{other}]}}"#),
            format!(r#"{{"clicks":[{other},{other}]}}"#),
            format!(r#"{{"clicks":[{other},null]}}"#),
            r#"{"clicks":[null]}"#.to_owned(),
            r#"{"clicks":[null],"total_rows":1}"#.to_owned(),
            r#"{"clicks":["abc"]}"#.to_owned(),
            r#"{"clicks":[7]}"#.to_owned(),
            r#"{"clicks":[],"total_rows":1}"#.to_owned(),
            r#"{"clicks":null,"total_rows":"5"}"#.to_owned(),
            r#"{"clicks":[{"offer_id":5,"converted":false},{"offer_id":5,"converted":false}]}"#
                .to_owned(),
        ] {
            let error = read_of(&response).unwrap_err();
            assert_eq!(error.code(), "unexpected_answer", "{response}");
        }
        for response in [
            r#"{"clicks":[]}"#,
            r#"{"clicks":[],"total_rows":0}"#,
            r#"{"clicks":null}"#,
            r#"{"clicks":{"click":null},"total_rows":0}"#,
            r#"{"clicks":[{"click":null}]}"#,
            r#"{"clicks":[{"click":[""]}]}"#,
            r#"{"clicks":[""]}"#,
            r#"{"clicks":[{}]}"#,
            r#"{"clicks":{},"total_rows":0}"#,
            r#"{"clicks":[{"click_id":null,"offer_id":"","converted":null}]}"#,
        ] {
            assert_eq!(read_of(response), Ok(None), "{response}");
        }
    }

    #[test]
    fn a_click_that_says_two_things_or_came_in_part_settles_nothing() {
        for (row, rest) in [
            (r#""offer_id":5,"converted":true,"converted":false"#, ""),
            (r#""offer_id":5,"converted":false,"Converted":"yes""#, ""),
            (r#""offer_id":5,"conversion_id":9,"conversion_id":0"#, ""),
            (
                r#""offer_id":5,"converted":true,"conversion_id":9,"ConversionId":8"#,
                "",
            ),
            (r#""offer_id":5,"offer_id":6,"converted":false"#, ""),
            (
                r#""offer_id":5,"offer":{"offer_id":6},"converted":false"#,
                "",
            ),
            (r#""offer_id":5,"converted":false"#, r#","total_rows":2"#),
            (
                r#""offer_id":5,"converted":true,"conversion_id":9"#,
                r#","total_rows":"2""#,
            ),
        ] {
            let response = format!(r#"{{"clicks":[{{"click_id":"abc",{row}}}]{rest}}}"#);
            let click = read_of(&response).unwrap().unwrap();
            assert_eq!(click.verdict(5), ClickVerdict::Unclear, "{response}");
        }
        for row in [
            r#""conversion_date":"2026-11-27 12:00:00""#,
            r#""total_conversions":1"#,
            r#""Conversions":"1""#,
            r#""ConversionStatus":"approved""#,
            r#""unique_id":"ORD-1""#,
            r#""TransactionId":"ORD-1""#,
            r#""conversion":{"conversion_id":7}"#,
        ] {
            for no in [r#""converted":false"#, r#""conversion_id":0"#] {
                let response =
                    format!(r#"{{"clicks":[{{"click_id":"abc","offer_id":5,{no},{row}}}]}}"#);
                let click = read_of(&response).unwrap().unwrap();
                assert_eq!(click.verdict(5), ClickVerdict::Unclear, "{response}");
            }
        }
        let none = r#"{"clicks":[{"click_id":"abc","offer_id":5,"converted":false,"conversion_id":0,"conversion_date":"0001-01-01T00:00:00","total_conversions":0,"unique_id":"","ConversionStatus":null}]}"#;
        let click = read_of(none).unwrap().unwrap();
        assert_eq!(click.verdict(5), ClickVerdict::NotConverted);
        for other in [r#""clicks":[{"click_id":"z"}]"#, r#""Clicks":[]"#] {
            for response in [
                format!(r#"{{"clicks":[{{"click_id":"abc","converted":false}}],{other}}}"#),
                format!(r#"{{{other},"clicks":[{{"click_id":"abc","converted":false}}]}}"#),
            ] {
                let error = read_of(&response).unwrap_err();
                assert_eq!(error.code(), "unexpected_answer", "{response}");
            }
        }
        let nested = r#"{"clicks":[{"click_id":"abc","Offer":{"OfferId":5},"converted":false}],"total_rows":1}"#;
        let click = read_of(nested).unwrap().unwrap();
        assert_eq!(click.verdict(5), ClickVerdict::NotConverted);
    }

    #[test]
    fn the_click_that_was_asked_for_is_found_and_one_without_id_settles_nothing() {
        for id in ["abc", "ABC", " abc "] {
            let response = format!(
                r#"{{"clicks":[null,{{"click_id":"z"}},{{"click_id":"{id}","offer_id":5,"converted":false}}]}}"#
            );
            let click = read_of(&response).unwrap().unwrap();
            assert_eq!(click.verdict(5), ClickVerdict::NotConverted);
            assert_eq!(click.verdict(6), ClickVerdict::Silent);
        }
        for id in [r#""click_id":null,"#, r#""click_id":"","#, ""] {
            for converted in ["false", "true"] {
                let response =
                    format!(r#"{{"clicks":[{{{id}"offer_id":5,"converted":{converted}}}]}}"#);
                let click = read_of(&response).unwrap().unwrap();
                assert_eq!(click.verdict(5), ClickVerdict::Unclear, "{response}");
            }
        }
    }
}
