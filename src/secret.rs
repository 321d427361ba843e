//! Secrets as files, forms and environments deliver them.

/// A secret without its surroundings: the line end of a file, white space of a form, a byte order
/// mark. All secrets are trimmed alike, API keys and cookie secrets too. Two parts that share a
/// secret then agree on its bytes.
#[must_use]
pub(crate) fn trimmed(secret: &str) -> &str {
    secret.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}
