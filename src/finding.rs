//! What is allowed but probably a mistake, as lint and postback check say it.

use std::borrow::Cow;

/// Something that is probably a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable, `snake_case` code.
    pub code: &'static str,
    /// The parameter, macro or text that it is about; empty where it is the whole.
    pub parameter: String,
    /// What is odd and what to do, as a sentence.
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
