//! Consent: which data may be stored, and when. Every decision evaluates it anew.

/// The visitor's consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Consent is given.
    Granted,
    /// Consent is denied or withdrawn.
    Denied,
    /// The visitor has not decided yet.
    #[default]
    Pending,
}

/// The permitted handling of a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storing {
    /// Store it.
    Store,
    /// Keep it in memory, store nothing.
    Hold,
    /// Keep nothing, and delete the stored touches.
    Delete,
}

impl Consent {
    /// Reads `granted`, `denied` or `pending` in any case, and the `true` and `false` of consent
    /// platforms.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim_ascii().to_ascii_lowercase().as_str() {
            "granted" | "true" => Some(Self::Granted),
            "denied" | "false" => Some(Self::Denied),
            "pending" => Some(Self::Pending),
            _ => None,
        }
    }

    /// The handling that is permitted now. `has_global_privacy_control` is the browser's signal
    /// (`Sec-GPC: 1`, `navigator.globalPrivacyControl`). The signal counts as denied consent,
    /// unless `ignores_global_privacy_control` is set. That option is for sites with other legal
    /// advice.
    #[must_use]
    pub(crate) fn storing(
        self,
        has_global_privacy_control: bool,
        ignores_global_privacy_control: bool,
    ) -> Storing {
        if has_global_privacy_control && !ignores_global_privacy_control {
            return Storing::Delete;
        }
        match self {
            Self::Granted => Storing::Store,
            Self::Pending => Storing::Hold,
            Self::Denied => Storing::Delete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_its_answer() {
        use Consent::{Denied, Granted, Pending};
        use Storing::{Delete, Hold, Store};
        for (consent, signal, ignored, storing) in [
            (Granted, false, false, Store),
            (Granted, true, false, Delete),
            (Granted, true, true, Store),
            (Pending, false, false, Hold),
            (Pending, true, false, Delete),
            (Pending, true, true, Hold),
            (Denied, false, false, Delete),
            (Denied, true, false, Delete),
            (Denied, true, true, Delete),
        ] {
            assert_eq!(
                consent.storing(signal, ignored),
                storing,
                "{consent:?} {signal} {ignored}"
            );
        }
    }

    #[test]
    fn unknown_words_are_no_consent() {
        assert_eq!(Consent::parse("granted"), Some(Granted));
        assert_eq!(Consent::parse("denied"), Some(Consent::Denied));
        assert_eq!(Consent::parse("pending"), Some(Consent::default()));
        assert_eq!(Consent::parse(" Granted"), Some(Granted));
        assert_eq!(Consent::parse("true"), Some(Granted));
        assert_eq!(Consent::parse("False"), Some(Consent::Denied));
        assert_eq!(Consent::parse("yes"), None);
    }

    use Consent::Granted;
}
