//! The parameters of a call as callers write them: one JSON object in
//! camelCase, read strictly. A misspelt `uniqueId` must not count twice.

use super::Request;
use super::json::{Object, Value, is_json, parse_integer};
use crate::link::MAX_ID;
use crate::money::Money;
use crate::nearest::nearest;
use crate::time::CivilTime;
use crate::{Error, Result, transaction_id};

/// A caller's object, in which every field must be known.
pub(super) struct Params<'a> {
    fields: Object<'a>,
}

/// The statuses that CAKE's pages name.
const CONVERSION_STATUSES: [&str; 7] = [
    "approved", "pending", "rejected", "reversed", "returned", "ignored", "scrubbed",
];

/// The error for a wrong parameter.
pub(super) fn field(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}

/// The error for a text that is no JSON object: a request's body may be anything.
fn no_object(text: &str) -> Error {
    let text = text.trim();
    let is_form = text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "{[\"'<:".contains(c))
    });
    if text.is_empty() {
        field("body", "is empty: send a JSON object")
    } else if is_json(text) {
        let rule = if text.starts_with('[') {
            "must be an object; several go as {\"conversions\": […]} or {\"corrections\": […]}"
        } else {
            "must be an object"
        };
        field("params", rule)
    } else if is_form {
        field("body", "is a form: send a JSON object")
    } else {
        field(
            "body",
            "is not JSON: send a JSON object, with double quotes around names and no comma behind the last one",
        )
    }
}

impl<'a> Params<'a> {
    /// Reads `text`; `names` are all fields that may be in it, once each.
    pub(super) fn read(text: &'a str, names: &[&'static str]) -> Result<Self> {
        let fields = Object::read(text).ok_or_else(|| no_object(text))?;
        Self::of(fields, names)
    }

    /// Like `read`, for fields that have been read.
    fn of(fields: Object<'a>, names: &[&'static str]) -> Result<Self> {
        for (index, (name, _)) in fields.entries().enumerate() {
            if !names.contains(&name) {
                // The name is the caller's own text: only its start is shown.
                let shown: String = name.chars().take(64).collect();
                let meant = match nearest(&shown, names.iter().copied()) {
                    Some(right) => ["did you mean ", right, "?"].concat(),
                    None => ["there are ", &names.join(", ")].concat(),
                };
                let rule = ["is not a parameter here: ", &meant].concat();
                return Err(field(&shown, &rule));
            }
            if fields
                .entries()
                .skip(index + 1)
                .any(|(other, _)| other == name)
            {
                return Err(field(name, "is given twice"));
            }
        }
        Ok(Self { fields })
    }

    /// Removes fields that are empty or null, except those of these names. A template may have left
    /// an optional field empty: it counts as absent.
    pub(super) fn without_empty(mut self, but: &[&str]) -> Self {
        self.fields.retain(|name, value| {
            let is_empty = value.is_null() || value.string().as_deref() == Some("");
            but.contains(&name) || !is_empty
        });
        self
    }

    fn get(&self, name: &str) -> Option<Value<'a>> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Is this one given?
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A text that must be there.
    pub(super) fn required_text(&self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| field(name, "is missing"))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        self.get(name)
            .map(|value| value.string().ok_or_else(|| field(name, "must be text")))
            .transpose()
    }

    /// A text of the caller's own, without control characters.
    pub(super) fn free_text(&self, name: &'static str) -> Result<Option<String>> {
        let text = self.text(name)?;
        if text
            .as_ref()
            .is_some_and(|text| text.chars().any(char::is_control))
        {
            return Err(Error::InvalidText { parameter: name });
        }
        Ok(text)
    }

    /// A list of texts; empty where it is missing.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>> {
        self.list(name)?
            .into_iter()
            .map(|value| {
                value
                    .string()
                    .ok_or_else(|| field(name, "must be a list of texts"))
            })
            .collect()
    }

    /// A list of objects; `names` are all fields that may be in one.
    pub(super) fn objects(&self, name: &str, names: &[&'static str]) -> Result<Vec<Self>> {
        self.list(name)?
            .into_iter()
            .map(|value| {
                let fields = value.object();
                Self::of(
                    fields.ok_or_else(|| field(name, "must be a list of objects"))?,
                    names,
                )
            })
            .collect()
    }

    fn list(&self, name: &str) -> Result<Vec<Value<'a>>> {
        let values = self
            .get(name)
            .map(|value| value.array().ok_or_else(|| field(name, "must be a list")));
        Ok(values.transpose()?.unwrap_or_default())
    }

    /// One of a few words.
    pub(super) fn word(&self, name: &str, words: &[&str], rule: &str) -> Result<Option<String>> {
        match self.text(name)? {
            Some(word) if !words.contains(&word.as_str()) => Err(field(name, rule)),
            word => Ok(word),
        }
    }

    /// The status to filter by, as rows tell it, in any case. Accounts have words of their own. CAKE answers one that it
    /// does not know with no row, so that a misspelt word is refused.
    pub(super) fn conversion_status(&self) -> Result<Option<String>> {
        let Some(status) = self.free_text("conversionStatus")? else {
            return Ok(None);
        };
        let word = status.trim().to_ascii_lowercase();
        if word.is_empty() || word.chars().count() > 64 {
            return Err(field(
                "conversionStatus",
                "must be a status of 1 to 64 characters",
            ));
        }
        if CONVERSION_STATUSES.contains(&word.as_str()) {
            return Ok(Some(word));
        }
        let letters = word.replace(|c: char| !c.is_ascii_alphabetic(), "");
        match nearest(&word, CONVERSION_STATUSES) {
            // "app roved", and no "pending review".
            Some(right) if letters == word || letters == right => {
                let rule = ["must be a status: did you mean ", right, "?"].concat();
                Err(field("conversionStatus", &rule))
            }
            _ => Ok(Some(status)),
        }
    }

    /// A lower-case word of an open set.
    pub(super) fn open_word(&self, name: &str) -> Result<Option<String>> {
        match self.text(name)? {
            Some(word)
                if !(1..=64).contains(&word.len())
                    || !word
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
            {
                Err(field(name, "must be one word of A-Z a-z 0-9 _"))
            }
            word => Ok(word),
        }
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>> {
        self.get(name)
            .map(|value| {
                value
                    .boolean()
                    .ok_or_else(|| field(name, "must be true or false"))
            })
            .transpose()
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(
        &self,
        name: &str,
        least: u64,
        most: u64,
        rule: &str,
    ) -> Result<Option<u64>> {
        self.get(name)
            .map(|value| {
                value
                    .number()
                    .and_then(parse_integer)
                    .filter(|number| (least..=most).contains(number))
                    .ok_or_else(|| field(name, rule))
            })
            .transpose()
    }

    /// An id: a number, not a text, so that a mix-up of fields is noticed.
    pub(super) fn id(&self, name: &'static str) -> Result<Option<u64>> {
        self.id_from(name, 1)
    }

    /// An id where 0 stands for all.
    pub(super) fn id_from(&self, name: &'static str, least: u64) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let digits = value
            .number()
            .ok_or_else(|| field(name, "must be a whole number"))?;
        transaction_id::read_whole(digits)
            .filter(|id| (least..=MAX_ID).contains(id))
            .map(Some)
            .ok_or(if least == 0 {
                Error::InvalidIdOrAll { parameter: name }
            } else {
                Error::InvalidId { parameter: name }
            })
    }

    /// Adds the page of rows to a request: `rowLimit` is 1 to `most`, as `rule` says.
    pub(super) fn push_page(&self, request: &mut Request, most: u64, rule: &str) -> Result<()> {
        request.number("start_at_row", self.start_at_row()?);
        request.number("row_limit", self.number("rowLimit", 1, most, rule)?);
        Ok(())
    }

    /// Adds the order of the rows to a request.
    pub(super) fn push_sort(&self, request: &mut Request) -> Result<()> {
        request.optional("sort_field", self.open_word("sortField")?.as_deref());
        let descending = self
            .boolean("sortDescending")?
            .map(|is_descending| if is_descending { "true" } else { "false" });
        request.optional("sort_descending", descending);
        Ok(())
    }

    /// A value that must be there.
    pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| field(name, "is missing"))
    }

    /// The value as written: a text, or a number's digits.
    pub(super) fn written(&self, name: &'static str) -> Result<Option<String>> {
        self.get(name)
            .map(|value| value.text().ok_or(Error::InvalidMoney { parameter: name }))
            .transpose()
    }

    /// An amount: text, or a number whose own digits are exact.
    pub(super) fn amount(&self, name: &'static str) -> Result<Option<String>> {
        self.written(name)?
            .map(|text| Ok(Money::parse(name, &text)?.to_string()))
            .transpose()
    }

    /// A unique id or order id: text, or a number as its digits. Null is refused: the value got
    /// lost on its way, and without it nothing is deduplicated.
    pub(super) fn reference(&self, name: &'static str) -> Result<Option<String>> {
        let mut entries = self.fields.entries();
        let Some((_, value)) = entries.find(|(own, _)| *own == name) else {
            return Ok(None);
        };
        if value.is_null() {
            return Err(field(
                name,
                "must be text or a whole number, and is null: leave it out where there is none",
            ));
        }
        let id = if let Some(text) = value.string() {
            transaction_id::check(name, &text)?.to_owned()
        } else {
            let digits = value
                .text()
                .ok_or_else(|| field(name, "must be text or a whole number"))?;
            transaction_id::check_number(name, &digits)?
        };
        Ok(Some(id))
    }

    /// The text of a date; `rule` says how it is written.
    fn dated(&self, name: &str, rule: &str) -> Result<Option<String>> {
        self.get(name)
            .map(|value| value.string().ok_or_else(|| field(name, rule)))
            .transpose()
    }

    /// A civil time, `YYYY-MM-DD HH:MM:SS`.
    pub(super) fn time(&self, name: &'static str) -> Result<Option<String>> {
        let text = self.dated(name, "must be text, written YYYY-MM-DD HH:MM:SS")?;
        if let Some(text) = &text {
            CivilTime::parse(name, text)?;
        }
        Ok(text)
    }

    /// A date, `YYYY-MM-DD`.
    pub(super) fn date(&self, name: &'static str) -> Result<Option<String>> {
        let text = self.dated(name, "must be text, written YYYY-MM-DD")?;
        if let Some(text) = &text
            && CivilTime::parse(name, &[text, " 00:00:00"].concat()).is_err()
        {
            return Err(field(
                name,
                "must be a date that exists, written YYYY-MM-DD",
            ));
        }
        Ok(text)
    }

    /// `startDate` and `endDate`.
    pub(super) fn range(&self) -> Result<(Option<String>, Option<String>)> {
        let start = self.date("startDate")?;
        let end = self.date("endDate")?;
        if let (Some(start), Some(end)) = (&start, &end)
            && end < start
        {
            return Err(field("endDate", "must not be before startDate"));
        }
        // CAKE's reports exclude the last day (KB 13000034150).
        if start.is_some() && start == end {
            return Err(field(
                "endDate",
                "must be after startDate: CAKE leaves the last day out, so equal days are an empty range. dayRange(first, last) names whole days",
            ));
        }
        Ok((start, end))
    }

    /// `startAtRow`.
    pub(super) fn start_at_row(&self) -> Result<Option<u64>> {
        self.number("startAtRow", 0, MAX_ID, "must be a whole number from 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Account, Action, CallSettings, Services, Step};

    fn query_of(
        action: Action,
        services: Services,
        params: &str,
    ) -> core::result::Result<String, String> {
        let account = Account::new("https://a.example", "KEY").unwrap();
        let settings = CallSettings {
            services,
            ..CallSettings::default()
        };
        let mut call =
            (action.call(&account, params, settings)).map_err(|error| error.to_string())?;
        match call.start() {
            Step::Send(request) => Ok(request.query().to_owned()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_status_that_a_row_tells_is_a_filter_and_a_misspelt_one_is_refused() {
        for action in [Action::ListConversions, Action::ListConversionReport] {
            let query = |status: &str| {
                let params = format!(
                    r#"{{"startDate":"2026-01-01","endDate":"2026-01-02","conversionStatus":"{status}"}}"#
                );
                query_of(action, Services::Young, &params)
            };
            for (status, sent) in [
                ("approved", "approved"),
                ("Scrubbed", "scrubbed"),
                ("scrubbed", "scrubbed"),
                ("RETURNED", "returned"),
                ("duplicate", "duplicate"),
                ("on hold", "on%20hold"),
                ("pending review", "pending%20review"),
                ("gepr\u{fc}ft", "gepr%C3%BCft"),
            ] {
                let query = query(status).unwrap();
                let expected = ["&conversion_status=", sent].concat();
                assert!(query.contains(&expected), "{status} {query}");
            }
            for (status, meant) in [
                ("aproved", "did you mean approved?"),
                ("reject", "did you mean rejected?"),
                ("Scrubed", "did you mean scrubbed?"),
                ("app roved", "did you mean approved?"),
                ("", "1 to 64 characters"),
                (" ", "1 to 64 characters"),
                ("a\\nb", "conversionStatus"),
            ] {
                let error = query(status).unwrap_err();
                assert!(error.contains(meant), "{status} {error}");
            }
        }
    }

    #[test]
    fn an_older_list_without_filters_says_so() {
        let older = |params: &str| query_of(Action::ListTrackingDomains, Services::Older, params);
        for name in ["domainStatus", "trackingDomainId"] {
            let error = older(&format!(r#"{{"{name}":"active"}}"#)).unwrap_err();
            let said = [name, " is no filter of the older services"].concat();
            assert!(error.contains(&said), "{error}");
        }
        assert!(older(r#"{"domainStatus":null}"#).is_ok());
        let misspelt = older(r#"{"domainstatus":"active"}"#).unwrap_err();
        assert!(
            misspelt.contains("did you mean domainStatus?"),
            "{misspelt}"
        );
    }
}
