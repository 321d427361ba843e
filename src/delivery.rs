//! The forwarder's decisions: what a caller may hand over, and what is sent.

use crate::api::record_conversion::Params;
use crate::{Error, Result};

/// The most bytes of a body that a caller may send.
pub const MAX_BODY_BYTES: usize = 8_192;

/// Reads one conversion as a caller's JSON. Unknown and repeated fields are
/// refused, and `uniqueId` is mandatory: without it CAKE could count twice.
///
/// # Errors
/// [`Error::InvalidField`], and those of [`Params::read`].
pub fn read_event(body: &str) -> Result<Params> {
    let field = |parameter: &str, rule: &str| Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    };
    if body.len() > MAX_BODY_BYTES {
        return Err(field("body", "is larger than 8 KB"));
    }
    let event = Params::read(body)?;
    if event.unique_id.as_deref().is_none_or(str::is_empty) {
        return Err(field(
            "uniqueId",
            "is missing: it keeps a conversion from counting twice",
        ));
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_needs_a_unique_id() {
        let without = r#"{"clickId":"a","offerId":1}"#;
        assert_eq!(read_event(without).unwrap_err().code(), "invalid_field");
        let with = r#"{"clickId":"a","offerId":1,"uniqueId":"ORD-1"}"#;
        assert_eq!(
            read_event(with).unwrap().unique_id.as_deref(),
            Some("ORD-1")
        );
    }

    #[test]
    fn unknown_repeated_and_mistyped_fields_are_refused() {
        for body in [
            "",
            "[]",
            r#"{"clickId":"a","offerId":1,"uniqueId":"u","url":"https://evil.example"}"#,
            r#"{"clickId":"a","clickId":"b","offerId":1,"uniqueId":"u"}"#,
            r#"{"clickId":"a","offerId":"1","uniqueId":"u"}"#,
            r#"{"clickId":"a","offerId":1,"uniqueId":7}"#,
        ] {
            assert_eq!(
                read_event(body).unwrap_err().code(),
                "invalid_field",
                "{body}"
            );
        }
        let long = format!("{{{}}}", " ".repeat(MAX_BODY_BYTES));
        assert!(read_event(&long).is_err());
    }
}
