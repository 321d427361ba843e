//! The conversion that a call asks about, which its answer has to name.

/// The conversion that an answer has to be about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// The click id that was sent.
    pub(crate) click_id: &'a str,
    /// The offer that was sent.
    pub(crate) offer_id: u64,
    /// The unique id that was sent, where one was.
    pub(crate) unique_id: Option<&'a str>,
}

/// Is CAKE's unique id the same as ours? Surrounding white space does not count; the case of
/// letters does.
pub(crate) fn is_same_unique_id(told: &str, ours: &str) -> bool {
    told.trim() == ours.trim()
}
