//! A request's query.

use crate::url;

/// The query of a request; of a repeated parameter the first counts.
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

    pub(super) fn number(self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}
