//! Secrets as files, forms and environments hand them over.

/// A secret without what may stand around it: the line end of a file, white
/// space of a form, a byte order mark. The same for API keys, cookies' secrets
/// and all others, so that two parts that share one agree on it.
#[must_use]
pub(crate) fn trimmed(secret: &str) -> &str {
    secret.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}
