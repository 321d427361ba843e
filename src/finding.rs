//! Findings of lint and postback check: allowed, but probably a mistake.

use std::borrow::Cow;

/// A probable mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable, `snake_case` code.
    pub code: &'static str,
    /// The parameter, macro or text of the finding; empty where the finding is about the whole.
    pub parameter: String,
    /// The problem and the remedy, as a sentence.
    pub sentence: Cow<'static, str>,
}

impl Finding {
    pub(crate) fn new(
        code: &'static str,
        parameter: &str,
        sentence: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            parameter: parameter.to_owned(),
            sentence: sentence.into(),
        }
    }
}
