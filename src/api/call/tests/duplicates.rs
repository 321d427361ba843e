//! A duplicate in answer to a request that was sent again: the earlier request counted.

use super::*;

const REPORT_FAILS: &str = r#"{"success":false,"message":"The report is closed"}"#;

/// A report with the row of another order: it is read to its end and lacks ours.
const REPORT_OF_ANOTHER: &str = r#"{"request_status":"Success","response":{"data":{"conversions":[{"conversion_id":8,"offer_id":1,"unique_id":"ORD-0"}],"total_rows":1}}}"#;

const NAMED: &str =
    r#"{"success":false,"message":"Duplicate transaction","conversion":{"conversion_id":9}}"#;
const BARE: &str = r#"{"success":true,"message":"Duplicate transaction"}"#;

/// The id of a conversion that CAKE has, where it has told one.
fn id_of(end: &Step) -> Option<u64> {
    match end {
        Step::Done(CallOutcome::Conversion(conversion)) if conversion.is_recovered => {
            assert!(conversion.conversion_id.is_some() || conversion.unique_id.is_some());
            conversion.conversion_id
        }
        _ => panic!("{end:?}"),
    }
}

#[test]
fn where_nothing_is_asked_the_clicks_conversion_is_not_taken_for_the_lost_one() {
    let settings = CallSettings {
        verifies: false,
        ..CallSettings::default()
    };
    for (again, id) in [
        (Says(200, DUPLICATE), None),
        (Says(409, DUPLICATE), None),
        (Says(200, BARE), None),
        (Says(200, NAMED), Some(9)),
    ] {
        for lost in [Says(500, ""), Fails(Error::Timeout), Says(200, "<html>")] {
            // Get Click would name the first order of the click.
            let fates = [lost, again.clone(), Says(200, CONVERTED)];
            let (sent, end) = run(Action::RecordConversion, WITH, settings, &fates);
            assert_eq!(sent, ["GET conversion"; 2], "{fates:?}");
            assert_eq!(id_of(&end), id, "{fates:?}");
        }
    }
    // Nothing shows that an earlier request counted.
    for (fates, expected) in [
        (vec![Says(200, DUPLICATE)], "refused"),
        (
            vec![
                Says(500, ""),
                Says(200, r#"{"success":false,"message":"Duplicate Lead"}"#),
            ],
            "outcome_unknown",
        ),
        (vec![Says(429, ""), Says(200, DUPLICATE)], "refused"),
    ] {
        let (_, end) = run(Action::RecordConversion, WITH, settings, &fates);
        assert_eq!(code(&end), expected, "{fates:?}");
    }
}

#[test]
fn a_proven_conversion_is_recorded_whatever_the_closing_look_up_says() {
    let duplicates = [
        Says(200, DUPLICATE),
        Says(409, DUPLICATE),
        Says(422, DUPLICATE),
    ];
    let closing = |missing| {
        [
            vec![Says(500, "")],
            vec![Says(500, ""), Says(200, missing)],
            vec![Fails(Error::network())],
            vec![Fails(Error::Timeout), Says(200, missing)],
            vec![Fails(Error::AnswerTooLarge)],
            vec![Says(200, "<html>")],
            vec![Says(200, "")],
            vec![Says(200, REPORT_FAILS)],
            vec![Says(200, "Restricted")],
            vec![Says(401, "")],
            vec![Says(404, "")],
            vec![RetryAfter(5)],
            vec![RetryAfter(120_000)],
            vec![Says(200, missing)],
            vec![Says(200, NO_CLICK)],
            vec![Abort],
            vec![Fails(Error::network()), Abort],
        ]
    };
    for (report_at_ms, missing) in [(None, NOT_CONVERTED), (Some(0), REPORT_OF_ANOTHER)] {
        for retries in [1, 2, 5] {
            let settings = CallSettings {
                retries,
                report_at_ms,
                ..CallSettings::default()
            };
            for duplicate in &duplicates {
                for last in closing(missing) {
                    // The report may be behind, and is asked again before the conversion is sent again.
                    let asked = if report_at_ms.is_some() { 2 } else { 1 };
                    let mut fates = vec![Says(500, "")];
                    fates.extend(std::iter::repeat_n(Says(200, missing), asked));
                    fates.push(duplicate.clone());
                    fates.extend(last);
                    let (sent, end) = run(Action::RecordConversion, WITH, settings, &fates);
                    assert_eq!(times(&sent, "GET conversion"), 2, "{fates:?} {sent:?}");
                    assert_eq!(id_of(&end), None, "{fates:?}");
                }
            }
        }
    }
}

#[test]
fn a_yes_that_says_duplicate_is_looked_up_and_names_the_conversion_of_an_earlier_request() {
    const OF_THIS: &str =
        r#"{"success":true,"message":"Duplicate transaction","conversion":{"conversion_id":7}}"#;
    const OF_ANOTHER: &str =
        r#"{"success":true,"message":"Duplicate conversion","conversion":{"conversion_id":7}}"#;
    for (params, fates, expected) in [
        (WITHOUT, vec![Says(200, OF_THIS)], "outcome_unknown"),
        (WITHOUT, vec![Says(200, OF_ANOTHER)], "outcome_unknown"),
        (
            WITH,
            vec![Says(200, OF_ANOTHER), Says(200, NO_CLICK)],
            "outcome_unknown",
        ),
        (
            WITH,
            vec![Says(200, OF_ANOTHER), Says(200, CONVERTED)],
            "recovered",
        ),
        (
            WITH,
            vec![Says(500, ""), Says(200, NOT_CONVERTED), Says(200, OF_THIS)],
            "recovered",
        ),
        (
            WITH,
            vec![
                Says(500, ""),
                Says(200, NOT_CONVERTED),
                Says(200, OF_ANOTHER),
                Says(200, "<html>"),
            ],
            "outcome_unknown",
        ),
    ] {
        let (_, end) = record(params, &fates);
        assert_eq!(code(&end), expected, "{fates:?}");
    }
}
