//! A correction as a backend hands it over: its key, its conversion, and the one text that is
//! stored.

use super::Event;
use super::event::{MAX_BYTES, Several, field, key_of, several};
use crate::api::older::correction::{Checked, Params, request_of};
use crate::api::{Account, Request};
use crate::{Error, Result};

/// The content of a body.
#[derive(Debug)]
pub enum CorrectionBody {
    /// One correction.
    One(Box<Correction>),
    /// Several, each valid or refused by itself.
    Many(Vec<Result<Correction>>),
}

/// A correction that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction(Params);

impl Correction {
    fn read(text: &str) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(field("body", "has a correction of more than 8 KB"));
        }
        Params::read_with_id(text).map(Self)
    }

    /// Reads the canonical text of a correction; `None` where it is a conversion's.
    pub(crate) fn find(text: &str) -> Option<Result<Self>> {
        // A canonical text begins with its first field.
        text.starts_with("{\"correctionId\":")
            .then(|| Params::read_with_id(text).map(Self))
    }

    /// The canonical text, which is also its fingerprint.
    ///
    /// # Errors
    /// [`Error::Internal`], which no caller's input can cause.
    pub fn text(&self) -> Result<String> {
        serde_json::to_string(&self.0).map_err(|_| Error::Internal)
    }

    /// The offer.
    pub(crate) fn offer_id(&self) -> u64 {
        self.0.offer_id
    }

    /// What its note shows it by in the conversion's row.
    pub(crate) fn mark(&self) -> Option<String> {
        self.0.mark()
    }

    /// CAKE's id of the conversion, where the caller has given it.
    pub(crate) fn conversion_id(&self) -> Option<u64> {
        self.0.conversion_id
    }

    /// The key of its conversion: [`super::Event::key`] of the same offer and unique id. No event
    /// has the key of a correction by CAKE's id.
    pub(crate) fn conversion_key(&self, account: &str) -> String {
        match (&self.0.unique_id, self.0.conversion_id) {
            (Some(id), _) => key_of(account, self.0.offer_id, id),
            (None, id) => {
                let [offer_id, id] =
                    [self.0.offer_id, id.unwrap_or_default()].map(|it| it.to_string());
                [account, "|", &offer_id, "#", &id].concat()
            }
        }
    }

    /// The claim of its own id: one id belongs to one correction of one conversion.
    pub(crate) fn claim(&self, account: &str) -> String {
        let id = self.0.correction_id.as_deref().unwrap_or_default();
        [account, "|correction|", id].concat()
    }

    /// The key: its own id and its conversion.
    pub(crate) fn key(&self, account: &str) -> String {
        let conversion = self.conversion_key(account);
        // No id holds a line feed.
        [&self.claim(account), "\n", &conversion].concat()
    }

    /// The request. `accepted_at` is the civil time of acceptance, whose day the correction counts
    /// for, even after a late retry. It is empty where the account's zone is unknown; the
    /// correction then counts for the day on which it arrives.
    pub(crate) fn request(
        &self,
        account: &Account,
        accepted_at: &str,
    ) -> Result<(Request, Checked)> {
        let is_today = matches!(self.0.effective_date.as_deref(), None | Some("today"));
        match accepted_at.get(..10).filter(|_| is_today) {
            None => request_of(account, &self.0),
            Some(day) => {
                let dated = Params {
                    effective_date: Some(day.to_owned()),
                    ..self.0.clone()
                };
                request_of(account, &dated)
            }
        }
    }
}

/// Reads a body: one correction as a JSON object, or `{"corrections": […]}` with 1 to 100
/// corrections. Unknown and repeated fields are refused.
///
/// # Errors
/// [`Error::InvalidField`]; for a single correction, every error of its fields.
pub fn read_corrections(body: &str) -> Result<CorrectionBody> {
    Ok(match several(body, "corrections")? {
        Several::No(body) => CorrectionBody::One(Box::new(Correction::read(body)?)),
        Several::Yes(list) => CorrectionBody::Many(
            list.iter()
                .map(|correction| Correction::read(correction.json()))
                .collect(),
        ),
    })
}

/// Does an event have this claim, by its canonical text? The claim is the click of a conversion, the own id of a
/// correction. The account in front of it does not matter: an outbox has one.
///
/// # Errors
/// Those of [`Event::from_text`].
pub(crate) fn is_claim_of(text: &str, claim: &str) -> Result<bool> {
    let own = match Correction::find(text) {
        Some(correction) => correction?.claim(""),
        None => Event::from_text(text)?.claim(""),
    };
    // No account's text holds the mark.
    Ok(claim.find('|').and_then(|at| claim.get(at..)) == Some(&own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(body: &str) -> Result<Correction> {
        match read_corrections(body)? {
            CorrectionBody::One(correction) => Ok(*correction),
            CorrectionBody::Many(_) => panic!("several"),
        }
    }

    #[test]
    fn one_correction_has_one_text_however_it_was_spelt() {
        let text = |body| one(body).unwrap().text().unwrap();
        let first = text(
            r#"{"correctionId":"r-1","offerId":1,"uniqueId":"u","payout":18.5,"revenueAdded":"-2.5"}"#,
        );
        for same in [
            r#" {"revenueAdded":-2.50,"payout":"18.500","uniqueId":"\u0075","offerId":1.0,"correctionId":"r-1","note":""} "#,
            r#"{"correctionId":" r-1 ","offerId":1,"uniqueId":"u ","payout":"18.50","revenueAdded":"-2.500","conversionId":null,"status":"","payoutAdded":"","effectiveDate":null}"#,
        ] {
            assert_eq!(text(same), first);
        }
        for other in [
            r#"{"correctionId":"r-1","offerId":1,"uniqueId":"u","payout":"18.51","revenueAdded":"-2.5"}"#,
            r#"{"correctionId":"r-1","offerId":1,"uniqueId":"u","payout":"18.5","revenueAdded":"2.5"}"#,
            r#"{"correctionId":"r-1","offerId":1,"uniqueId":"u","payout":"18.5","revenueAdded":"-2.5","note":"n"}"#,
        ] {
            assert_ne!(text(other), first);
        }
        assert_eq!(
            Correction::find(&first).unwrap().unwrap().text().unwrap(),
            first
        );
        assert!(Correction::find(r#"{"clickId":"a","offerId":1,"uniqueId":"u"}"#).is_none());
    }

    #[test]
    fn a_correction_that_is_none_is_refused_by_its_field() {
        for (body, parameter) in [
            (
                r#"{"offerId":1,"uniqueId":"u","payout":"1"}"#,
                "correctionId",
            ),
            (
                r#"{"correctionId":null,"offerId":1,"uniqueId":"u","payout":"1"}"#,
                "correctionId",
            ),
            (
                r#"{"correctionId":"","offerId":1,"uniqueId":"u","payout":"1"}"#,
                "correctionId",
            ),
            (
                r#"{"correctionId":"[r]","offerId":1,"uniqueId":"u","payout":"1"}"#,
                "correctionId",
            ),
            (
                r#"{"correctionId":"r","uniqueId":"u","payout":"1"}"#,
                "offerId",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"payout":"1"}"#,
                "conversionId",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","conversionId":7,"payout":"1"}"#,
                "uniqueId",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u"}"#,
                "params",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","note":"n"}"#,
                "params",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","payout":"-1"}"#,
                "payout",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","payoutAdded":"0.00"}"#,
                "payoutAdded",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","payoutAdded":"--1"}"#,
                "payoutAdded",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","payout":"1","payoutAdded":"1"}"#,
                "payoutAdded",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","status":"refunded"}"#,
                "status",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","payout":"1","effectiveDate":"2026-02-30"}"#,
                "effectiveDate",
            ),
            (
                r#"{"correctionId":"r","offerId":1,"uniqueId":"u","payout":"1","clickId":"a"}"#,
                "clickId",
            ),
            (
                r#"{"correctionId":"r","correctionId":"s","offerId":1,"uniqueId":"u","payout":"1"}"#,
                "correctionId",
            ),
            (r#"{"corrections":[]}"#, "corrections"),
            (r#"{"corrections":[{}],"more":1}"#, "corrections"),
        ] {
            let error = read_corrections(body).unwrap_err();
            assert_eq!(error.parameter(), Some(parameter), "{body}: {error}");
        }
        let long = format!(
            r#"{{"correctionId":"r","offerId":1,"uniqueId":"u","payout":"1","note":"{}"}}"#,
            "x".repeat(498)
        );
        assert_eq!(one(&long).unwrap_err().parameter(), Some("note"));
    }

    #[test]
    fn a_batch_has_each_good_or_bad_by_itself() {
        let body = r#"{"corrections":[{"correctionId":"r","offerId":1,"uniqueId":"u","payout":"1"},{},7]}"#;
        let Ok(CorrectionBody::Many(all)) = read_corrections(body) else {
            panic!("no batch");
        };
        let good: Vec<_> = all.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, false]);
    }

    #[test]
    fn it_is_known_by_its_id_and_its_conversion_by_the_conversions_key() {
        let of = |id: &str| {
            let body = format!(r#"{{"correctionId":"r-1","offerId":12,{id},"status":"returned"}}"#);
            one(&body).unwrap()
        };
        let by_unique_id = of(r#""uniqueId":"u.1""#);
        let account = "https://a.example";
        assert_eq!(
            by_unique_id.conversion_key(account),
            "https://a.example|12|u.1"
        );
        assert_eq!(
            of(r#""conversionId":7"#).conversion_key(account),
            "https://a.example|12#7"
        );
        assert_eq!(
            by_unique_id.claim(account),
            "https://a.example|correction|r-1"
        );
        assert_eq!(
            by_unique_id.key(account),
            "https://a.example|correction|r-1\nhttps://a.example|12|u.1"
        );
    }

    #[test]
    fn its_id_stands_in_the_note_and_it_counts_for_the_day_of_its_acceptance() {
        let account = Account::new("https://a.example", "KEY").unwrap();
        let query = |more: &str, accepted_at: &str| {
            let body = format!(
                r#"{{"correctionId":"r 1","offerId":1,"uniqueId":"u","payout":"1"{more}}}"#
            );
            let (request, _) = one(&body).unwrap().request(&account, accepted_at).unwrap();
            request.query().to_owned()
        };
        let plain = query("", "");
        assert!(plain.contains("note_to_append=%5Br%201%5D"), "{plain}");
        assert!(
            plain.contains("effective_date_option=today&custom_date=&"),
            "{plain}"
        );
        let noted = query(
            r#","note":"see [r 2]","effectiveDate":"today""#,
            "2026-06-20 00:00:01",
        );
        assert!(
            noted.contains("note_to_append=see%20%28r%202%29%20%5Br%201%5D"),
            "{noted}"
        );
        assert!(
            noted
                .contains("effective_date_option=custom&custom_date=06%2F20%2F2026%2000%3A00%3A00"),
            "{noted}"
        );
        let own = query(
            r#","effectiveDate":"conversion_date""#,
            "2026-06-20 00:00:01",
        );
        assert!(
            own.contains("effective_date_option=conversion_date"),
            "{own}"
        );
    }

    proptest! {
        #[test]
        fn stored_events_read_back_as_they_were_accepted(
            id in "[A-Za-z0-9._:#-]{1,128}", units in 0_u32..1_000_000, note in "\\PC{0,40}",
            is_taken_back in any::<bool>(), status in proptest::sample::select(vec!["returned", "approved"]),
        ) {
            let sign = if is_taken_back { "-" } else { "" };
            let body = serde_json::json!({
                "correctionId": id, "offerId": 7, "conversionId": 9, "status": status,
                "payoutAdded": format!("{sign}{units}.5"), "note": note,
            });
            if let Ok(correction) = one(&body.to_string()) {
                let again = Correction::find(&correction.text()?).unwrap()?;
                prop_assert_eq!(again, correction);
            } else {
                let is_word = crate::placeholder::is_missing_value(&id)
                    || crate::placeholder::lost::is_prefix(&id);
                prop_assert!(is_word || note.chars().any(char::is_control));
            }
        }

        #[test]
        fn no_text_breaks_the_reader(body in "\\PC{0,200}") {
            let _ = read_corrections(&body);
        }
    }

    #[test]
    fn a_claim_is_an_event_s_own_whatever_its_account_is_called() {
        let conversion = r#"{"clickId":"c-1","offerId":12,"uniqueId":"u.1"}"#;
        let correction =
            r#"{"correctionId":"refund-1","conversionId":7,"offerId":12,"payout":"1.00"}"#;
        for (text, claim, is_own) in [
            (conversion, "https://a.example|12/c-1", true),
            (conversion, "track.example|12/c-1", true),
            (conversion, "|12/c-1", true),
            (conversion, "https://a.example|13/c-1", false),
            (conversion, "https://a.example|12/c-10", false),
            (conversion, "12/c-1", false),
            (correction, "https://b.example|correction|refund-1", true),
            (correction, "https://b.example|correction|refund-2", false),
            (correction, "https://b.example|12/c-1", false),
        ] {
            assert_eq!(is_claim_of(text, claim), Ok(is_own), "{text} {claim}");
        }
        assert!(is_claim_of("{", "|12/c-1").is_err());
    }
}
