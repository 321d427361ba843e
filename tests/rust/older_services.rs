//! Recorded answers of CAKE's older services: each fails with its own words, for
//! every action, and none passes as a success.

use cake_edge::api::{Account, Action, Answer, CallEvent, CallSettings, Step};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    answers: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    name: String,
    body: String,
    code: String,
    words: String,
}

#[test]
fn an_older_services_answer_fails_with_its_own_words_whatever_was_asked() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../vectors/older_services.json")).unwrap();
    let account = Account::new("https://yourdomain.cakemarketing.com", "KEY-OF-A-TEST").unwrap();
    let range = r#"{"startDate":"2026-06-01","endDate":"2026-06-02"}"#;
    for recorded in &vectors.answers {
        for (action, params) in [
            (Action::GetClick, r#"{"clickId":"abc"}"#),
            (Action::ListClicks, "{}"),
            (Action::ListConversions, range),
            (Action::ListConversionReport, range),
            (Action::ListTrackingDomains, "{}"),
            (Action::RecordConversion, r#"{"clickId":"abc","offerId":1}"#),
            (
                Action::CreatePostback,
                r#"{"affiliateId":1,"offerId":1,"postbackUrl":"https://a.example/?id=#reqsessid#"}"#,
            ),
        ] {
            let settings = CallSettings {
                retries: 0,
                ..CallSettings::default()
            };
            let mut call = action.call(&account, params, settings).unwrap();
            let _ = call.start();
            let answer = Answer::new(200, &recorded.body);
            let name = format!("{} for {action:?}", recorded.name);
            let Step::Fail(error) = call.next(CallEvent::Answered(&answer), 0) else {
                panic!("{name} passes");
            };
            // A write's outcome may be unknown: then the words are its cause's.
            let cause = error.cause().unwrap_or(&error);
            assert_eq!(cause.code(), recorded.code, "{name}");
            assert!(
                cause.to_string().contains(&recorded.words),
                "{name}: {cause}"
            );
        }
    }
}
