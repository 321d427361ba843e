//! Any text as a body of corrections: an accepted correction fits every rule, and its canonical text
//! reads back as the same correction.
#![no_main]
use cake_edge::delivery::correction::{Correction, CorrectionBody, read_corrections};
use libfuzzer_sys::fuzz_target;
use oracle::is_unique_id;
use serde_json::Value;

#[path = "../oracle.rs"]
mod oracle;

fuzz_target!(|body: &str| {
    match read_corrections(body) {
        Err(error) => assert!(!error.code().is_empty()),
        Ok(CorrectionBody::One(correction)) => {
            check(&correction, serde_json::from_str(body).ok().as_ref())
        }
        Ok(CorrectionBody::Many(list)) => {
            assert!((1..=100).contains(&list.len()));
            let theirs: Option<Value> = serde_json::from_str(body).ok();
            for (index, correction) in list.iter().enumerate() {
                if let Ok(correction) = correction {
                    check(
                        correction,
                        theirs.as_ref().and_then(|it| it["corrections"].get(index)),
                    );
                }
            }
        }
    }
});

fn check(correction: &Correction, theirs: Option<&Value>) {
    let text = correction.text().expect("it is text");
    let ours: Value = serde_json::from_str(&text).expect("JSON");
    match read_corrections(&text).expect("it reads back") {
        CorrectionBody::One(again) => assert_eq!(&*again, correction),
        CorrectionBody::Many(_) => panic!("one became several"),
    }
    assert!(ours["offerId"].as_u64().is_some_and(|id| id > 0));
    assert!(
        ours["correctionId"]
            .as_str()
            .is_some_and(|id| !id.is_empty())
    );
    match (ours["uniqueId"].as_str(), ours["conversionId"].as_u64()) {
        (Some(id), _) => assert!(is_unique_id(id)),
        (None, id) => assert!(id.is_some_and(|id| id > 0)),
    }
    for money in ["payout", "revenue"] {
        assert!(
            !ours[money].as_str().is_some_and(|it| it.starts_with('-')),
            "a negative total"
        );
    }
    // serde refuses two kinds of valid JSON: numbers out of its range, and lone surrogates.
    for name in theirs
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|it| {
            it.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, _)| name)
        })
    {
        let is_kept = !ours[name].is_null() || theirs.is_some_and(|it| it[name] == "");
        assert!(is_kept, "{name} was dropped");
    }
}
