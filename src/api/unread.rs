//! Values in an answer that could not be read. The field is absent in its row. Each such field is
//! listed once, with the first value that was met.

use serde::Serialize;
use std::cell::Cell;
use std::fmt::Display;

/// The longest value that is listed, in characters. More than is shown: the key is looked for before
/// the text is cut, so that no part of it stays.
const MAX_CHARACTERS: usize = super::key::LOOKED_INTO;

/// The fields that could not be read, each once. Serializes as a list of `{ field, value }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Unread(Vec<UnreadField>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct UnreadField {
    /// The field in JavaScript's spelling, such as `clickDate`.
    field: String,
    /// The value in the answer, as it came: whoever shows it removes the key first.
    value: String,
}

impl Unread {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a field by its name in the answer, such as `click_date`.
    pub(crate) fn note(&mut self, name: &str, value: &str) {
        self.add(UnreadField {
            field: camel_case(name),
            value: value.chars().take(MAX_CHARACTERS).collect(),
        });
    }

    /// Notes a field of which two rows of one record say different things.
    pub(crate) fn note_two<T: PartialEq + Display>(
        &mut self,
        name: &str,
        one: Option<T>,
        other: Option<T>,
    ) {
        if one != other {
            let said = [one, other]
                .map(|said| said.map_or_else(|| "nothing".to_owned(), |said| said.to_string()));
            self.note(name, &format!("two rows: {}", said.join(" and ")));
        }
    }

    /// Adds the notes of another row.
    pub(crate) fn merge(&mut self, other: Self) {
        for field in other.0 {
            self.add(field);
        }
    }

    fn add(&mut self, unread: UnreadField) {
        if !self.0.iter().any(|before| before.field == unread.field) {
            self.0.push(unread);
        }
    }
}

/// The notes of a row that is read by name: its readers add them.
#[derive(Default)]
pub(super) struct Notes(Cell<Unread>);

impl Notes {
    pub(super) fn note(&self, name: &str, value: &str) {
        let mut unread = self.0.take();
        unread.note(name, value);
        self.0.set(unread);
    }

    /// The notes so far.
    pub(super) fn take(&self) -> Unread {
        self.0.take()
    }

    pub(super) fn merge(&self, other: Unread) {
        let mut unread = self.0.take();
        unread.merge(other);
        self.0.set(unread);
    }
}

/// `click_date` as JavaScript has it: `clickDate`.
fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut is_next = false;
    for character in name.chars() {
        match character {
            '_' | '-' => is_next = true,
            _ if is_next => {
                out.push(character.to_ascii_uppercase());
                is_next = false;
            }
            _ => out.push(character),
        }
    }
    out
}
