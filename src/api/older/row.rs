//! The requested fields of one row.

use crate::api::json::{Value, parse_id};
use crate::api::unread::{Notes, Unread};
use std::borrow::Cow;

/// A field of a row: the name of the element around it (empty for the row itself), and its own
/// name.
pub(super) type Field = (&'static str, &'static str);

/// The requested fields of a row, as far as they were read, in the order of the request.
pub(super) struct Row<'a> {
    fields: &'static [Field],
    values: Vec<Option<Cow<'a, str>>>,
    /// The values that its readers could not read.
    pub(super) notes: Notes,
    /// The fields that came twice, with different values.
    pub(super) two_faced: Vec<Field>,
    /// The row as it came.
    pub(super) entry: &'a str,
}

/// The fields that are yes or no: in any other, JSON's `true` is no text.
const FLAGS: [&str; 3] = ["returned", "is_default", "default"];

/// A field's name for a warning: each amount has the same.
fn label(parent: &str, name: &str) -> String {
    match name {
        "amount" | "currency_id" => [parent, "_", name].concat(),
        _ => name.to_owned(),
    }
}

impl<'a> Row<'a> {
    pub(super) fn new(fields: &'static [Field]) -> Self {
        Self {
            fields,
            values: vec![None; fields.len()],
            notes: Notes::default(),
            two_faced: Vec::new(),
            entry: "",
        }
    }

    /// Keeps the first value of a name, if it was asked for.
    pub(super) fn keep(&mut self, parent: &str, name: &str, value: Cow<'a, str>) {
        let at = self
            .fields
            .iter()
            .position(|field| *field == (parent, name));
        let Some((at, slot)) = at.and_then(|at| Some((at, self.values.get_mut(at)?))) else {
            // A text where a record belongs.
            if parent.is_empty() && self.is_record(name) && !value.trim().is_empty() {
                self.notes.note(name, &value);
            }
            return;
        };
        match slot {
            None => *slot = Some(value),
            Some(first) if *first != value => {
                self.two_faced.extend(self.fields.get(at).copied());
            }
            Some(_) => {}
        }
    }

    /// Keeps a value of JSON as the text of its element. Notes any other value.
    pub(super) fn keep_value(&mut self, parent: &str, name: &str, value: Value<'_>) {
        let flag = value.boolean().filter(|_| FLAGS.contains(&name));
        let text = flag.map(|flag| flag.to_string()).or_else(|| value.text());
        match text {
            Some(text) => self.keep(parent, name, Cow::Owned(text)),
            None => self.note_element(parent, name, value.json()),
        }
    }

    /// Notes an element that has elements where a text belongs.
    pub(super) fn note_element(&self, parent: &str, name: &str, content: &str) {
        let is_field = self.fields.contains(&(parent, name));
        // A record may lie in another one, such as a disposition's type.
        let is_record = (parent.is_empty() || is_field) && self.is_record(name);
        // A list is neither.
        if is_record && content.starts_with('[') || is_field && !is_record {
            self.notes.note(&label(parent, name), content);
        }
    }

    /// Are fields in an element of this name asked for?
    fn is_record(&self, name: &str) -> bool {
        self.fields.iter().any(|(record, _)| *record == name)
    }

    pub(super) fn clear(&mut self) {
        self.values.fill(None);
        self.two_faced.clear();
    }

    /// Has one of these fields two different values? A reader that took one of them would choose
    /// the row's meaning.
    pub(super) fn is_two_faced(&self, fields: &[Field]) -> bool {
        self.two_faced.iter().any(|field| fields.contains(field))
    }

    pub(super) fn get(&self, parent: &str, name: &str) -> Option<&str> {
        self.written(parent, name)
            .filter(|text| !text.trim().is_empty())
    }

    fn written(&self, parent: &str, name: &str) -> Option<&str> {
        let at = self
            .fields
            .iter()
            .position(|field| *field == (parent, name))?;
        self.values.get(at)?.as_deref()
    }

    /// A text; absent where the element is empty or `xsi:nil`.
    pub(super) fn text(&self, parent: &str, name: &str) -> Option<String> {
        self.get(parent, name).map(str::to_owned)
    }

    /// An id; absent where it is 0, as .NET writes "none".
    pub(super) fn id(&self, parent: &str, name: &str) -> Option<u64> {
        self.read(parent, name, parse_id).filter(|id| *id > 0)
    }

    /// An affiliate's id: CAKE's own test affiliate is -1.
    pub(super) fn affiliate_id(&self) -> Option<i64> {
        let id = self.read(
            "source_affiliate",
            "source_affiliate_id",
            |text| match text {
                "-1" => Some(-1),
                digits => i64::try_from(parse_id(digits)?).ok(),
            },
        );
        id.filter(|id| *id != 0)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.read("", name, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })
    }

    /// Reads a field with `read`. A value that cannot be read is noted.
    pub(super) fn read<T>(
        &self,
        parent: &str,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.get(parent, name)?.trim();
        let found = read(text);
        if found.is_none() {
            self.notes.note(&label(parent, name), text);
        }
        found
    }

    /// The values that could not be read so far, each field once.
    pub(super) fn unread(&self) -> Unread {
        self.notes.take()
    }
}
