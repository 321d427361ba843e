//! Any text as a postback URL: an accepted URL leads to a host name, with any values.
#![no_main]
use cake_edge::macros::{check, expand};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (template, value) = input;
    assert_eq!(expand(template, |_| None), template);
    let expanded = expand(template, |_| Some(value.to_owned()));
    let Ok(checked) = check(template) else {
        return;
    };
    assert!(checked.uses.len() <= cake_edge::macros::KNOWN.len());
    if let (Ok(before), Ok(after)) = (url::Url::parse(template), url::Url::parse(&expanded)) {
        assert_eq!(before.host(), after.host());
        assert!(matches!(after.host(), Some(url::Host::Domain(_))));
        assert!(after.username().is_empty() && after.password().is_none());
    }
});
