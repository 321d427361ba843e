//! The requested fields of one row.

use crate::api::json::parse_id;
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
}

impl<'a> Row<'a> {
    pub(super) fn new(fields: &'static [Field]) -> Self {
        Self {
            fields,
            values: vec![None; fields.len()],
            notes: Notes::default(),
            two_faced: Vec::new(),
        }
    }

    /// Keeps the first value of a name, if it was asked for.
    pub(super) fn keep(&mut self, parent: &str, name: &str, value: Cow<'a, str>) {
        let at = self
            .fields
            .iter()
            .position(|field| *field == (parent, name));
        let Some((at, slot)) = at.and_then(|at| Some((at, self.values.get_mut(at)?))) else {
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

    /// Is there such a field, even an empty one?
    pub(super) fn has(&self, parent: &str, name: &str) -> bool {
        self.written(parent, name).is_some()
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
            self.notes.note(name, text);
        }
        found
    }

    /// The values that could not be read so far, each field once.
    pub(super) fn unread(&self) -> Unread {
        self.notes.take()
    }
}
