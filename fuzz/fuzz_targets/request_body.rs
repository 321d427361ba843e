//! Any text as a body for the forwarder: an accepted body fits every rule, and a second parser
//! reads the same in it.
#![no_main]
use cake_edge::click_id::is_click_id;
use cake_edge::delivery::event::{Caller, RequestBody, MAX_BATCH, MAX_BYTES, read};
use cake_edge::delivery::{Event, Route};
use libfuzzer_sys::fuzz_target;
use oracle::is_unique_id;

#[path = "../oracle.rs"]
mod oracle;

const MONEY: [&str; 3] = ["payout", "revenue", "conversionDate"];

fuzz_target!(|input: (&str, bool)| {
    let (body, is_signed) = input;
    let caller = Caller { is_signed, click_ids: "", is_pixel: true, latest: None };
    let theirs: Option<serde_json::Value> = serde_json::from_str(body).ok();
    match read(body, caller) {
        Err(error) => assert!(!error.code().is_empty()),
        Ok(RequestBody::One(event)) => {
            assert!(body.len() <= MAX_BYTES);
            check(&event, theirs.as_ref(), is_signed);
        }
        Ok(RequestBody::Many(events)) => {
            assert!((1..=MAX_BATCH).contains(&events.len()));
            let list = theirs.as_ref().and_then(|value| value["conversions"].as_array());
            for (index, event) in events.iter().enumerate() {
                if let Ok(event) = event {
                    check(event, list.and_then(|list| list.get(index)), is_signed);
                }
            }
        }
    }
});

fn check(event: &Event, theirs: Option<&serde_json::Value>, is_signed: bool) {
    let params = event.params();
    assert!(is_click_id(&params.click_id) && is_unique_id(event.unique_id()));
    assert!(is_signed || params.payout.is_none() && params.revenue.is_none() && params.conversion_date.is_none());
    let text = event.text().expect("it is text");
    assert_eq!(&Event::from_text(&text).expect("it reads back"), event);
    let url = Route::pixel("track.yournetwork.com").expect("a domain").url(event, "").expect("a URL");
    let url = url::Url::parse(&url).expect("a URL");
    assert_eq!(url.host_str(), Some("track.yournetwork.com"));
    let sent: Vec<_> = url.query_pairs().filter(|(name, _)| name == "r" || name == "t").map(|(_, value)| value).collect();
    assert_eq!(sent, [params.click_id.as_str(), event.unique_id()]);
    // serde refuses two kinds of valid JSON: numbers out of its range, and lone surrogates.
    if let Some(theirs) = theirs.and_then(serde_json::Value::as_object) {
        assert_eq!(theirs["clickId"].as_str(), Some(params.click_id.as_str()));
        assert_eq!(theirs["uniqueId"].as_str(), Some(event.unique_id()));
        let ours: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for (name, value) in theirs {
            assert!(value.is_null() || MONEY.contains(&name.as_str()) || ours.get(name) == Some(value), "{name}");
        }
    }
}
