//! Corrections by table.

use super::tests::{START_MS, api, text_of};
use super::*;
use crate::api::Answer;
use crate::delivery::correction::{CorrectionBody, read_corrections};
use std::fmt::Write;

pub(super) fn correction_text(id: &str, unique: &str, more: &str) -> String {
    let body = format!(r#"{{"correctionId":"{id}","offerId":1,"uniqueId":"{unique}",{more}}}"#);
    match read_corrections(&body).unwrap() {
        CorrectionBody::One(correction) => correction.text().unwrap(),
        CorrectionBody::Many(_) => panic!("several"),
    }
}

fn row_of(more: &str) -> Row {
    Row {
        number: 2,
        text: correction_text("r", "u", more),
        accepted_utc_ms: START_MS,
        changed_ms: START_MS,
        ..Row::default()
    }
}

const FRESH: Facts = Facts {
    is_deduplicated: true,
    knowledge: Knowledge::NotRecorded,
    quiet_from_ms: 0,
};

const IN_DOUBT: Facts = Facts {
    knowledge: Knowledge::InDoubt,
    ..FRESH
};

fn parent(state: &str) -> Family {
    let of =
        |pending: &str, other: &str| (if state == "pending" { pending } else { other }).to_owned();
    Family {
        conversion: Some(Parent {
            state: state.to_owned(),
            code: of("", "refused"),
            message: of("", "CAKE said: Offer is closed"),
            next_ms: (state == "pending").then_some(START_MS + 500_000),
            conversion_id: None,
            age_ms: Some(1_000),
        }),
        ..Family::default()
    }
}

/// Returns the names of the called services, and the transition. `answers` are given in turn.
fn run(
    row: &Row,
    facts: Facts,
    family: &Family,
    answers: &[(u16, &str)],
) -> (Vec<String>, Transition) {
    let route = api();
    let now_ms = START_MS + 100_000;
    let now = Moment {
        now_ms,
        utc_ms: now_ms,
        random: 1 << 31,
    };
    let mut breaker = CircuitBreaker::default();
    let mut attempt = Attempt::new(&route, row.clone(), facts, now_ms);
    let mut answers = answers.iter();
    let mut asked = Vec::new();
    let mut step = attempt.start(&mut breaker, now);
    for _ in 0..100 {
        step = match step {
            Step::Store(transition) => return (asked, transition),
            Step::AskSiblings { .. } | Step::AskOthers { .. } => panic!("no conversion"),
            Step::NoteSending => attempt.next(Input::Noted(true), &mut breaker, now),
            Step::AskFamily => attempt.next(Input::Family(Some(family.clone())), &mut breaker, now),
            Step::Fetch { url, .. } => {
                let path = url.split('?').next().unwrap_or_default();
                asked.push(path.rsplit('/').next().unwrap_or_default().to_owned());
                match answers.next() {
                    None => attempt.next(Input::Failed(Error::network()), &mut breaker, now),
                    Some((status, body)) => {
                        let answer = Answer::new(*status, body);
                        attempt.next(Input::Answered(&answer), &mut breaker, now)
                    }
                }
            }
        };
    }
    panic!("the attempt never ends");
}

pub(super) const YES: &str = "<r><success>true</success><message>Conversion Updated</message></r>";

pub(super) fn no(message: &str) -> String {
    format!("<r><success>false</success><message>{message}</message></r>")
}

/// The list of changes, from rows of conversion id, unique id and note.
pub(super) fn changes(rows: &[(u64, &str, Option<&str>)]) -> String {
    let mut xml = format!(
        "<r><success>true</success><row_count>{}</row_count><event_conversions>",
        rows.len()
    );
    for (id, unique, note) in rows {
        let note = note.map_or(String::new(), |note| format!("<note>{note}</note>"));
        let _ = write!(
            xml,
            "<event_conversion><event_conversion_id>{id}</event_conversion_id><site_offer><site_offer_id>1</site_offer_id></site_offer><transaction_id>{unique}</transaction_id>{note}</event_conversion>"
        );
    }
    xml.push_str("</event_conversions></r>");
    xml
}

/// The list of rows that nothing has changed since their conversions.
pub(super) fn as_it_was_made(changes: &str) -> String {
    let dates = "<event_conversion_date>2026-01-15T12:00:00</event_conversion_date><last_updated>2026-01-15T12:00:00.493</last_updated><note></note>";
    changes.replace("<note></note>", dates)
}

/// One list of several.
pub(super) fn joined(lists: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = lists
        .map(|list| {
            let (_, rows) = list.split_once("<event_conversions>").unwrap();
            rows.split_once("</event_conversions>")
                .unwrap()
                .0
                .to_owned()
        })
        .collect();
    format!(
        "<r><success>true</success><row_count>{}</row_count><event_conversions>{}</event_conversions></r>",
        rows.len(),
        rows.concat()
    )
}

#[test]
fn a_correction_waits_for_its_conversion_and_ends_with_it() {
    let row = row_of(r#""payout":"9""#);
    let (asked, waits) = run(&row, FRESH, &parent("pending"), &[]);
    assert!(asked.is_empty());
    assert_eq!(
        (waits.state, waits.attempts, waits.next_ms, waits.counted),
        (State::Pending, 0, Some(START_MS + 560_000), "")
    );
    for (state, code) in [
        ("refused", "conversion_refused"),
        ("dead", "conversion_dead"),
        ("cancelled", "conversion_cancelled"),
    ] {
        let (asked, over) = run(&row, FRESH, &parent(state), &[]);
        assert!(asked.is_empty());
        assert_eq!((over.state, over.code.as_str()), (State::Refused, code));
        assert_eq!(over.upstream_message, "refused: CAKE said: Offer is closed");
        assert!(!over.is_in_doubt);
    }
    for family in [parent("delivered"), Family::default()] {
        let (asked, done) = run(&row, FRESH, &family, &[(200, YES)]);
        assert_eq!(asked, ["UpdateConversionEvents"]);
        assert_eq!((done.state, done.attempts), (State::Delivered, 1));
    }
}

#[test]
fn corrections_of_one_conversion_keep_their_order() {
    let row = row_of(r#""payout":"9""#);
    let behind = Family {
        earlier_ms: Some(START_MS + 700_000),
        ..parent("delivered")
    };
    let (asked, waits) = run(&row, FRESH, &behind, &[]);
    assert!(asked.is_empty());
    assert_eq!(waits.next_ms, Some(START_MS + 760_000));
    let overtaken = Family {
        has_later: true,
        ..parent("delivered")
    };
    let (asked, over) = run(&row, FRESH, &overtaken, &[]);
    assert!(asked.is_empty());
    assert_eq!(
        (over.state, over.code.as_str()),
        (State::Refused, "overtaken")
    );
    // A correction that may have been sent before it was overtaken is still looked up.
    let there = changes(&[(7, "u", Some("[r]"))]);
    let (asked, done) = run(&row, IN_DOUBT, &overtaken, &[(200, &there)]);
    assert_eq!(asked, ["EventConversionChanges"]);
    assert_eq!(
        (done.state, done.conversion_id),
        (State::Delivered, Some(7))
    );
    let missing = changes(&[(7, "u", Some("[s]"))]);
    let (_, over) = run(&row, IN_DOUBT, &overtaken, &[(200, &missing)]);
    assert_eq!((over.code.as_str(), over.is_in_doubt), ("overtaken", false));
}

#[test]
fn the_answers_to_a_correction() {
    let row = row_of(r#""payoutAdded":"-9.00""#);
    let (missing, negative, limited) = (
        no("Conversion Not Found"),
        no("Payout must not be negative"),
        no("Restricted"),
    );
    let (updated, too_late) = (no("Conversion Updated"), no("Timeout expired"));
    let many = no("Too many requests");
    for (status, body, expected) in [
        (200, YES, ("delivered", "", false)),
        // A no that says yes, or that is none for good.
        (200, &updated, ("pending", "unexpected_answer", true)),
        (400, &updated, ("pending", "unexpected_answer", true)),
        (200, &too_late, ("pending", "unexpected_answer", true)),
        (200, &many, ("pending", "rate_limited", false)),
        (200, missing.as_str(), ("refused", "refused", false)),
        (200, negative.as_str(), ("refused", "refused", false)),
        (200, limited.as_str(), ("pending", "rate_limited", false)),
        (429, "", ("pending", "rate_limited", false)),
        (404, "", ("refused", "http_status", false)),
        (401, "", ("pending", "unauthorized", false)),
        (500, "", ("pending", "http_status", true)),
        (200, "<html>", ("pending", "unexpected_answer", true)),
        (200, "", ("pending", "unexpected_answer", true)),
        (302, "", ("pending", "redirected", true)),
        (400, YES, ("pending", "unexpected_answer", true)),
        (403, YES, ("pending", "unexpected_answer", true)),
        (404, YES, ("pending", "unexpected_answer", true)),
        (200, &changes(&[]), ("pending", "unexpected_answer", true)),
    ] {
        let (_, over) = run(&row, FRESH, &parent("delivered"), &[(status, body)]);
        let seen = (over.state.word(), over.code.as_str(), over.is_in_doubt);
        assert_eq!(seen, expected, "{status} {body}");
    }
    let (_, lost) = run(&row, FRESH, &parent("delivered"), &[]);
    assert_eq!((lost.state, lost.is_in_doubt), (State::Pending, true));
}

#[test]
fn a_doubt_is_settled_by_reading_the_conversion() {
    let there = changes(&[(6, "v", Some("[r]")), (7, "u", Some("refund [r]"))]);
    let other = changes(&[(7, "u", Some("[r-2]"))]);
    let empty = changes(&[(7, "u", Some(""))]);
    // Nothing has changed this row since its conversion.
    let untouched = as_it_was_made(&empty);
    let changed = untouched.replace("<last_updated>2026-01-15", "<last_updated>2026-01-16");
    let lower = changes(&[(7, "u", Some("refund [R]"))]);
    let cut = changes(&[(7, "u", Some("old [s] re"))]);
    let escaped = changes(&[(7, "u", Some("refund &amp;#91;r&amp;#93;"))]);
    // The unique id in another spelling, and the note of another correction.
    let like_ours = changes(&[(7, "U", Some(""))]);
    let like_ours_noted = changes(&[(7, "U", Some("[s]"))]);
    let all_nameless = changes(&[(7, "", Some("")), (8, "", Some(""))]);
    let some_nameless = changes(&[(7, "", Some("")), (8, "v", Some(""))]);
    let nothing = changes(&[]);
    let unnoted = changes(&[(7, "u", None)]);
    // A correction's id stands in one note alone, so a row counts even where it names no unique id.
    let nameless = changes(&[(6, "v", Some("[r]")), (7, "", Some("[r]"))]);
    let other_case = changes(&[(7, "U ", Some("[r]"))]);
    let foreign = changes(&[(6, "v", Some("[r]"))]);
    // Lists with a row that says two things, or with a row too few.
    let two_notes = there.replace("<note>refund [r]", "<note>refund</note><note>[r]");
    let two_ids = changes(&[(7, "v</transaction_id><transaction_id>u", Some("[s]"))]);
    let short = other.replace("<row_count>1", "<row_count>2");
    for (more, list, expected) in [
        (r#""payoutAdded":"-9""#, &nameless, (1, "delivered")),
        (r#""payoutAdded":"-9""#, &other_case, (1, "delivered")),
        (r#""payoutAdded":"-9""#, &foreign, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &two_notes, (1, "pending")),
        (r#""payoutAdded":"-9""#, &two_ids, (1, "pending")),
        (r#""payout":"9""#, &two_ids, (1, "pending")),
        (r#""payout":"9""#, &there, (1, "delivered")),
        (r#""payoutAdded":"-9""#, &there, (1, "delivered")),
        (r#""payout":"9""#, &other, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &other, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &empty, (1, "pending")),
        (r#""payout":"9""#, &empty, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &untouched, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &changed, (1, "pending")),
        (
            r#""payoutAdded":"-9","note":"refund""#,
            &lower,
            (1, "pending"),
        ),
        (
            r#""payoutAdded":"-9","note":"refund""#,
            &cut,
            (1, "pending"),
        ),
        (
            r#""payoutAdded":"-9","note":"ticket""#,
            &cut,
            (2, "delivered"),
        ),
        (r#""payoutAdded":"-9""#, &escaped, (1, "delivered")),
        (r#""payoutAdded":"-9""#, &like_ours, (1, "pending")),
        (r#""payoutAdded":"-9""#, &like_ours_noted, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &all_nameless, (1, "pending")),
        (r#""payoutAdded":"-9""#, &some_nameless, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &nothing, (2, "delivered")),
        // The service shows no notes: a total may be set twice, but nothing may be added twice.
        (r#""payout":"9""#, &unnoted, (2, "delivered")),
        (r#""payoutAdded":"-9""#, &unnoted, (1, "pending")),
    ] {
        let answers = [(200, list.as_str()), (200, YES)];
        let (asked, over) = run(&row_of(more), IN_DOUBT, &parent("delivered"), &answers);
        assert_eq!((asked.len(), over.state.word()), expected, "{more} {list}");
        assert_eq!(over.is_in_doubt, over.state == State::Pending);
    }
    // A row is missing. The next page has to show it, and is empty.
    let row = row_of(r#""payoutAdded":"-9""#);
    let answers = [(200, short.as_str()), (200, &nothing.replace(">0<", ">2<"))];
    let (asked, over) = run(&row, IN_DOUBT, &parent("delivered"), &answers);
    assert_eq!(asked, ["EventConversionChanges", "EventConversionChanges"]);
    assert_eq!((over.state, over.is_in_doubt), (State::Pending, true));
    // It is too early to tell.
    let young = Row {
        changed_ms: START_MS + 99_000,
        ..row_of(r#""payoutAdded":"-9""#)
    };
    let (asked, waits) = run(&young, IN_DOUBT, &parent("delivered"), &[(200, &nothing)]);
    assert_eq!((asked.len(), waits.next_ms), (1, Some(START_MS + 159_000)));
    // An object that is gone may have an attempt on its way.
    let unknown = Facts {
        knowledge: Knowledge::Unknown,
        quiet_from_ms: START_MS + 110_000,
        ..FRESH
    };
    let sent = Row {
        is_in_doubt: true,
        ..young.clone()
    };
    let (asked, waits) = run(&sent, unknown, &parent("delivered"), &[]);
    assert_eq!((asked.len(), waits.next_ms), (0, Some(START_MS + 110_000)));
    // That object would have noted its send first: without a note nothing was sent.
    let (asked, done) = run(&young, unknown, &parent("delivered"), &[(200, YES)]);
    assert_eq!((asked.len(), done.state), (1, State::Delivered));
    for (status, body) in [(200, "<html>"), (404, ""), (500, ""), (200, "{}")] {
        let row = row_of(r#""payoutAdded":"-9""#);
        let (asked, over) = run(&row, IN_DOUBT, &parent("delivered"), &[(status, body)]);
        assert_eq!(
            (asked.len(), over.state, over.is_in_doubt),
            (1, State::Pending, true),
            "{status}"
        );
    }
}

#[test]
fn corrections_that_are_limited_rest_and_conversions_go_on() {
    let row = row_of(r#""payout":"9""#);
    let now = Moment {
        now_ms: START_MS,
        utc_ms: START_MS,
        random: 0,
    };
    let route = api();
    let mut breaker = CircuitBreaker::default();
    let mut first = Attempt::new(&route, row.clone(), FRESH, START_MS);
    first.start(&mut breaker, now);
    first.next(Input::Family(Some(parent("delivered"))), &mut breaker, now);
    first.next(Input::Noted(true), &mut breaker, now);
    let answer = Answer::new(429, "").with_retry_after_ms(Some(200_000));
    first.next(Input::Answered(&answer), &mut breaker, now);
    assert_eq!(breaker.stalled_until_ms(START_MS), 0);
    // The next correction is not sent, in doubt or not.
    for facts in [FRESH, IN_DOUBT] {
        let mut next = Attempt::new(&route, row.clone(), facts, START_MS);
        next.start(&mut breaker, now);
        let step = next.next(Input::Family(Some(parent("delivered"))), &mut breaker, now);
        let Step::Store(waits) = step else {
            panic!("{step:?}");
        };
        assert_eq!(
            (waits.attempts, waits.next_ms),
            (0, Some(START_MS + 200_000))
        );
    }
}

#[test]
fn without_an_account_a_correction_is_refused() {
    let route = Rc::new(Route::pixel("track.yournetwork.com").unwrap());
    let row = row_of(r#""payout":"9""#);
    let now = Moment {
        now_ms: START_MS,
        utc_ms: START_MS,
        random: 0,
    };
    let mut breaker = CircuitBreaker::default();
    let mut attempt = Attempt::new(&route, row.clone(), FRESH, START_MS);
    assert_eq!(attempt.start(&mut breaker, now), Step::AskFamily);
    let step = attempt.next(Input::Family(Some(parent("delivered"))), &mut breaker, now);
    let Step::Store(over) = step else {
        panic!("{step:?}");
    };
    assert_eq!(
        (over.state, over.code.as_str()),
        (State::Refused, "missing_api_key")
    );
}

#[test]
fn a_correction_of_a_copy_is_looked_up_and_never_undoes_what_came_after_the_copy() {
    const COPIED: Facts = Facts {
        knowledge: Knowledge::Copied,
        ..FRESH
    };
    let added = r#""payoutAdded":"-5""#;
    let total = r#""payout":"10""#;
    let (look, send) = ("EventConversionChanges", "UpdateConversionEvents");
    for (given, note, is_sent, state, code) in [
        (added, Some("[r]"), false, State::Delivered, ""),
        (total, Some("[r]"), false, State::Delivered, ""),
        (total, Some("[r] [later]"), false, State::Delivered, ""),
        (added, Some("[later]"), true, State::Delivered, ""),
        (
            total,
            Some("[later]"),
            false,
            State::Pending,
            "outcome_unknown",
        ),
        (
            total,
            Some("[q] [later]"),
            false,
            State::Pending,
            "outcome_unknown",
        ),
        (total, Some("[q]"), true, State::Delivered, ""),
        (total, Some("by telephone"), true, State::Delivered, ""),
        (added, None, false, State::Pending, "outcome_unknown"),
        (total, None, false, State::Pending, "outcome_unknown"),
    ] {
        let family = Family {
            delivered: vec![correction_text("q", "u", total)],
            ..parent("delivered")
        };
        let listed = changes(&[(7, "u", note)]);
        let (asked, end) = run(
            &row_of(given),
            COPIED,
            &family,
            &[(200, &listed), (200, YES)],
        );
        let expected: &[&str] = if is_sent { &[look, send] } else { &[look] };
        assert_eq!(asked, expected, "{given} {note:?}");
        assert_eq!(
            (end.state, end.code.as_str()),
            (state, code),
            "{given} {note:?}"
        );
    }
    // Without a copy nothing later can be recorded, and a total may be set twice.
    let (asked, _) = run(
        &row_of(total),
        IN_DOUBT,
        &parent("delivered"),
        &[(200, &changes(&[(7, "u", None)])), (200, YES)],
    );
    assert_eq!(asked, [look, send]);
    // The list has no row of the conversion: nothing has changed it.
    let elsewhere = changes(&[(8, "other", Some("[x]"))]);
    for given in [added, total] {
        let (asked, _) = run(
            &row_of(given),
            COPIED,
            &parent("delivered"),
            &[(200, &elsewhere), (200, YES)],
        );
        assert_eq!(asked, [look, send], "{given}");
    }
}

#[test]
fn a_yes_that_names_another_conversion_is_in_doubt() {
    let row = row_of(r#""payoutAdded":"-9.00""#);
    let mut family = parent("delivered");
    if let Some(parent) = &mut family.conversion {
        parent.conversion_id = Some(998_877);
    }
    for (field, is_in_doubt) in [
        ("<conversion_id>5</conversion_id>", true),
        ("<transaction_id>V</transaction_id>", true),
        ("<conversion_id>998877</conversion_id>", false),
        ("<transaction_id> u </transaction_id>", false),
    ] {
        let body = format!("<r><success>true</success>{field}</r>");
        let (_, over) = run(&row, FRESH, &family, &[(200, &body)]);
        assert_eq!(over.is_in_doubt, is_in_doubt, "{field}");
    }
}
