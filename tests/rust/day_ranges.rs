//! `tests/vectors/day_ranges.json`, which JavaScript also reads, in `tests/node/day-range.test.ts`.

use cake_edge::Result;
use cake_edge::time::{CivilDate, CivilTime, DayRange};
use serde_json::Value;

fn vectors(list: &str) -> Vec<Value> {
    let mut vectors: Value =
        serde_json::from_str(include_str!("../vectors/day_ranges.json")).unwrap();
    serde_json::from_value(vectors[list].take()).unwrap()
}

fn inclusive(vector: &Value) -> Result<DayRange> {
    let first = CivilDate::parse("first", vector["first"].as_str().unwrap())?;
    let last = CivilDate::parse("last", vector["last"].as_str().unwrap())?;
    DayRange::inclusive("last", first, last)
}

fn assert_dates(range: DayRange, vector: &Value) {
    assert_eq!(vector["startDate"], range.start.to_string(), "{vector}");
    assert_eq!(vector["endDate"], range.end.to_string(), "{vector}");
}

#[test]
fn both_days_belong_and_the_end_is_the_day_after() {
    for vector in vectors("inclusive") {
        assert_dates(inclusive(&vector).unwrap(), &vector);
    }
}

#[test]
fn names_are_days_of_the_accounts_calendar() {
    for vector in vectors("named") {
        let now = CivilTime::parse("now", vector["now"].as_str().unwrap()).unwrap();
        let range = DayRange::named(vector["name"].as_str().unwrap(), now);
        assert_dates(range.unwrap(), &vector);
    }
    let now = CivilTime::from_utc_ms(0);
    assert_eq!(DayRange::named("tomorrow", now), None);
}

#[test]
fn days_that_do_not_exist_or_run_backwards_are_refused() {
    for vector in vectors("refuse") {
        let error = inclusive(&vector).unwrap_err();
        assert_eq!(vector["code"], error.code(), "{vector}");
        assert_eq!(vector["parameter"].as_str(), error.parameter(), "{vector}");
    }
}
