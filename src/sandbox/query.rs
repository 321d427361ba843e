//! A request's query.

use crate::url;

/// The query of a request; the first of repeated parameters counts.
#[derive(Clone, Copy)]
pub(super) struct Query<'a>(pub(super) &'a str);

impl Query<'_> {
    pub(super) fn text(self, name: &str) -> Option<String> {
        url::pairs(self.0)
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    }

    /// Reads a tracking link's own parameters, in either case: `A` and `C` are `a` and `c`.
    pub(super) fn number_in_any_case(self, name: &str) -> Option<u64> {
        self.text_in_any_case(name)?.parse().ok()
    }

    /// Reads a text parameter in either case: `S1` is `s1`.
    pub(super) fn text_in_any_case(self, name: &str) -> Option<String> {
        let capital = name.to_ascii_uppercase();
        self.text(name).or_else(|| self.text(&capital))
    }

    pub(super) fn number(self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}
