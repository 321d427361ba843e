//! Any bytes as CAKE's answers to a call: the call ends, shows no key, and a certain outcome of a
//! write is one that an answer could prove.
#![no_main]
use cake_edge::Error;
use cake_edge::api::{
    Account, Action, Answer, CallEvent, CallOutcome, CallSettings, Services, Step,
};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "k3y/+of=an account";
const LIST: &str = r#"{"startDate":"2026-06-01","endDate":"2026-06-02"}"#;
const CALLS: [(Action, &str); 9] = [
    (Action::GetClick, r#"{"clickId":"abc"}"#),
    (Action::ListClicks, LIST),
    (
        Action::RecordConversion,
        r#"{"clickId":"abc","offerId":12345,"uniqueId":"ORD-1"}"#,
    ),
    (Action::ListConversions, LIST),
    (Action::ListConversionReport, LIST),
    (
        Action::CreatePostback,
        r#"{"offerId":1,"affiliateId":2,"postbackUrl":"https://a.example/?id=#s1#"}"#,
    ),
    (Action::ListTrackingDomains, "{}"),
    (Action::ListConversionChanges, r#"{"since":"2026-06-01"}"#),
    (
        Action::CorrectConversion,
        r#"{"offerId":12345,"uniqueId":"ORD-1","revenue":"5.00"}"#,
    ),
];
const STATUSES: [u16; 8] = [200, 200, 200, 400, 401, 429, 500, 503];
/// More steps than two retries, their look-ups and a long search in a report take.
const MAX_STEPS: usize = 500;

fuzz_target!(|input: &[u8]| {
    let [which, how, rest @ ..] = input else {
        return;
    };
    let (action, params) = CALLS[usize::from(*which) % CALLS.len()];
    let account = Account::new("https://a.cakemarketing.com", KEY).expect("an account");
    let settings = CallSettings {
        services: if how & 1 == 0 {
            Services::Young
        } else {
            Services::Older
        },
        report_at_ms: (how & 2 != 0).then_some(1_780_000_000_000),
        now_ms: 1_780_000_000_000,
        ..CallSettings::default()
    };
    let text = String::from_utf8_lossy(rest).replace("KEY", KEY);
    // A null byte ends an answer; the first character of each chooses its status.
    let answers: Vec<&str> = text.split('\0').collect();
    let mut call = action
        .call(&account, params, settings)
        .expect("valid parameters");
    let mut step = call.start();
    let mut sent = 0;
    for _ in 0..MAX_STEPS {
        step = match step {
            Step::Wait(ms) => {
                assert!(ms <= 3_600_000, "{ms}");
                call.next(CallEvent::Waited, 7)
            }
            Step::Send(request) => {
                assert!(!request.path().contains(KEY) && !request.query().contains(KEY));
                let answer = answers[sent % answers.len()];
                sent += 1;
                if answer.is_empty() {
                    call.next(CallEvent::Failed(Error::Timeout), 7)
                } else {
                    let (status, body) =
                        answer.split_at(answer.chars().next().map_or(0, char::len_utf8));
                    let status = STATUSES[usize::from(status.as_bytes()[0]) % STATUSES.len()];
                    call.next(
                        CallEvent::Answered(&Answer::new(status, body).with_account(&account)),
                        7,
                    )
                }
            }
            Step::Done(outcome) => {
                if let CallOutcome::Conversion(conversion) = &outcome {
                    let json = serde_json::to_value(conversion).expect("JSON");
                    assert!(json["conversionId"].as_u64() != Some(0), "{json}");
                    assert!(text.contains("conversion"), "{json}");
                }
                return;
            }
            Step::Fail(error) => {
                assert!(!error.code().is_empty());
                assert!(!error.to_string().contains(KEY), "{error}");
                return;
            }
        };
    }
    panic!("the call does not end");
});
