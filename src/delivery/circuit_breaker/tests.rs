//! A circuit breaker, signal by signal.

use super::*;

struct Shard {
    breaker: CircuitBreaker,
    now_ms: u64,
}

impl Shard {
    fn new() -> Self {
        Self {
            breaker: CircuitBreaker::default(),
            now_ms: 1_000_000,
        }
    }

    fn record(&mut self, signal: Signal, event: u64) -> RefusalScope {
        self.again(signal, event, None)
    }

    fn again(&mut self, signal: Signal, event: u64, before: Option<u64>) -> RefusalScope {
        let source = SignalSource {
            event,
            offer: event % 3,
            refused_before_ms: before,
            started_ms: self.now_ms,
            sent: None,
            now_ms: self.now_ms,
            random: u32::MAX,
        };
        self.breaker.record(signal, source)
    }

    /// Returns how long it pauses, in milliseconds, and lets that time pass.
    fn rest(&mut self) -> u64 {
        let until = self.breaker.stalled_until_ms(self.now_ms);
        let ms = until.saturating_sub(self.now_ms);
        self.now_ms += ms;
        ms
    }
}

#[test]
fn ten_events_in_a_row_open_it_for_a_second_to_a_minute() {
    let mut shard = Shard::new();
    for event in 0..9 {
        shard.record(Signal::Failing, event);
        assert_eq!((shard.breaker.at_once(), shard.rest()), (5, 0));
    }
    let stalls: Vec<_> = (9..17)
        .map(|event| {
            shard.record(Signal::Failing, event);
            // An attempt that was under way adds nothing.
            shard.record(Signal::Failing, event + 100);
            assert_eq!(shard.breaker.at_once(), 1);
            shard.rest()
        })
        .collect();
    assert_eq!(
        stalls,
        [999, 1_999, 3_999, 7_999, 15_999, 31_999, 59_999, 59_999]
    );
}

#[test]
fn one_success_opens_up_for_more_than_one() {
    let mut shard = Shard::new();
    for event in 0..20 {
        shard.record(Signal::Failing, event);
        shard.rest();
    }
    let steps: Vec<_> = (0..3)
        .map(|event| {
            shard.record(Signal::Healthy, event);
            assert_eq!(shard.rest(), 0);
            shard.breaker.at_once()
        })
        .collect();
    assert_eq!(steps, [2, 4, 5]);
}

#[test]
fn one_event_that_fails_again_and_again_is_no_outage() {
    let mut shard = Shard::new();
    for _ in 0..100 {
        shard.record(Signal::Failing, 7);
        assert_eq!((shard.breaker.at_once(), shard.rest()), (5, 0));
    }
}

#[test]
fn while_others_are_answered_failures_are_their_own_and_the_newest_have_room() {
    let mut shard = Shard::new();
    shard.record(Signal::Healthy, 1_000);
    for event in 0..400 {
        shard.record(Signal::Failing, event);
        assert_eq!(shard.rest(), 0);
    }
    assert_eq!(shard.breaker.lane(shard.now_ms, 3, 3, 0), Lane::Newest);
    assert_eq!(shard.breaker.lane(shard.now_ms, 3, 2, 0), Lane::Oldest);
    assert_eq!(shard.breaker.lane(shard.now_ms, 5, 3, 0), Lane::Nothing);
    let later = shard.now_ms + WARY_MS;
    assert_eq!(shard.breaker.lane(later, 4, 4, 0), Lane::Oldest);
}

#[test]
fn look_ups_leave_connections_for_events_that_need_none() {
    let shard = Shard::new();
    assert_eq!(shard.breaker.lane(shard.now_ms, 4, 4, 2), Lane::Oldest);
    assert_eq!(shard.breaker.lane(shard.now_ms, 3, 3, 3), Lane::Free);
    assert_eq!(shard.breaker.lane(shard.now_ms, 4, 3, 3), Lane::Free);
    assert_eq!(shard.breaker.lane(shard.now_ms, 5, 3, 3), Lane::Nothing);
    let held = shard.breaker.held(shard.now_ms, &[], 3);
    assert_eq!((held.look_ups, held.kinds), (true, Vec::new()));
}

#[test]
fn a_probe_is_another_event_the_newest_or_any() {
    let mut shard = Shard::new();
    let mut lanes = Vec::new();
    for event in 0..14 {
        shard.record(Signal::Failing, event);
        shard.rest();
        lanes.push(shard.breaker.lane(shard.now_ms, 0, 0, 0));
    }
    assert_eq!(
        lanes[8..],
        [
            Lane::Oldest,
            Lane::Newest,
            Lane::Anywhere,
            Lane::Anywhere,
            Lane::Newest,
            Lane::Anywhere,
        ]
    );
}

#[test]
fn a_limit_stops_all_for_longer_with_each_probe_that_meets_it() {
    const HOUR: Signal = Signal::Limited(Some(3_600_000));
    let mut shard = Shard::new();
    let rests: Vec<_> = (1..15)
        .map(|event| {
            shard.record(HOUR, event);
            // One that was under way with it adds nothing.
            shard.record(HOUR, event + 100);
            assert_eq!(shard.breaker.at_once(), 1);
            shard.rest()
        })
        .collect();
    assert_eq!(
        rests,
        [
            250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000,
            300_000, 300_000, 300_000
        ]
    );
    // An answer to a probe ends the pause, and the next limit begins anew.
    shard.record(Signal::Healthy, 8);
    assert_eq!(shard.rest(), 0);
    shard.record(HOUR, 9);
    assert_eq!(shard.rest(), 250);
}

#[test]
fn a_limit_lasts_no_longer_than_the_asked_time_and_a_minute_without_one() {
    for (asked_ms, most_ms) in [(Some(100), 100), (Some(7_000), 7_000), (None, 60_000)] {
        let mut shard = Shard::new();
        let rests = (1..30).map(|event| {
            shard.record(Signal::Limited(asked_ms), event);
            shard.rest()
        });
        assert_eq!(rests.max(), Some(most_ms), "{asked_ms:?}");
    }
}

#[test]
fn a_probe_avoids_the_offers_in_trouble_until_an_answer_comes() {
    let mut shard = Shard::new();
    shard.record(Signal::Limited(None), 1);
    shard.record(Signal::Failing, 4);
    shard.record(Signal::KeyRefused, 5);
    assert_eq!(shard.breaker.offers_in_trouble(), [1, 2]);
    for event in 0..100 {
        shard.record(Signal::Failing, event);
    }
    assert_eq!(shard.breaker.offers_in_trouble(), [1, 2, 0]);
    shard.rest();
    shard.record(Signal::Healthy, 6);
    assert!(shard.breaker.offers_in_trouble().is_empty());
}

#[test]
fn a_limit_of_the_older_services_stops_corrections_alone() {
    let mut shard = Shard::new();
    shard.record(Signal::OlderLimited(Some(3_600_000)), 1);
    let now_ms = shard.now_ms;
    assert_eq!(shard.rest(), 0);
    let until_ms = |ms| shard.breaker.corrections_rest_until_ms(ms);
    assert_eq!(until_ms(now_ms), now_ms + 300_000);
    assert_eq!((until_ms(now_ms - 1), until_ms(now_ms + 300_000)), (0, 0));
    assert_eq!(shard.breaker.lookups_rest_until_ms(now_ms), 0);
}

#[test]
fn an_answer_to_an_earlier_attempt_does_not_end_a_limit() {
    let mut shard = Shard::new();
    shard.record(Signal::Limited(Some(7_000)), 1);
    let source = SignalSource {
        event: 2,
        offer: 1,
        refused_before_ms: None,
        started_ms: shard.now_ms - 1,
        sent: None,
        now_ms: shard.now_ms + 1,
        random: 0,
    };
    shard.breaker.record(Signal::Healthy, source);
    assert_eq!(shard.rest(), 250);
}

#[test]
fn a_refused_key_is_asked_about_sooner_and_then_once_in_five_minutes() {
    let mut shard = Shard::new();
    let mut rests = Vec::new();
    for event in 0..6 {
        assert_eq!(
            shard.record(Signal::KeyRefused, event),
            RefusalScope::Account
        );
        // Another attempt that was under way.
        assert_eq!(
            shard.record(Signal::KeyRefused, event + 100),
            RefusalScope::Account
        );
        assert!(shard.breaker.is_paused());
        assert_eq!(shard.breaker.at_once(), 1);
        rests.push(shard.rest());
    }
    assert_eq!(rests, [1_000, 3_000, 10_000, 30_000, 300_000, 300_000]);
    shard.record(Signal::Healthy, 9);
    assert!(!shard.breaker.is_paused());
    assert_eq!((shard.breaker.at_once(), shard.rest()), (2, 0));
}

#[test]
fn a_refusal_is_the_events_own_while_others_are_answered() {
    let mut shard = Shard::new();
    shard.record(Signal::Healthy, 1);
    for _ in 0..12 {
        assert_eq!(
            shard.record(Signal::KeyRefused, 7),
            RefusalScope::EventSoFar
        );
        let before = shard.now_ms;
        shard.now_ms += 5_000;
        shard.record(Signal::Healthy, 1);
        assert_eq!(
            shard.again(Signal::KeyRefused, 7, Some(before)),
            RefusalScope::Event
        );
        assert_eq!(shard.rest(), 0);
        shard.record(Signal::Healthy, 1);
    }
    // Nothing else is answered in between, so the key may be wrong.
    assert_eq!(
        shard.record(Signal::KeyRefused, 7),
        RefusalScope::EventSoFar
    );
    shard.now_ms += 5_000;
    assert_eq!(shard.record(Signal::KeyRefused, 7), RefusalScope::Account);
}

#[test]
fn one_that_is_not_found_is_refused_and_of_two_the_address_is_wrong() {
    let mut shard = Shard::new();
    assert_eq!(shard.record(Signal::NotFound, 1), RefusalScope::Event);
    assert_eq!(shard.record(Signal::NotFound, 2), RefusalScope::Account);
    assert!(!shard.breaker.is_paused());
    assert_eq!(shard.rest(), 1_000);
    assert_eq!(shard.record(Signal::NotFound, 3), RefusalScope::Account);
    let before = shard.now_ms;
    shard.record(Signal::Healthy, 4);
    assert_eq!(
        shard.again(Signal::NotFound, 3, Some(before)),
        RefusalScope::Event
    );
}

#[test]
fn a_clock_that_is_put_back_ends_a_rest() {
    let mut shard = Shard::new();
    shard.record(Signal::Limited(Some(7_000)), 1);
    assert_eq!(shard.breaker.stalled_until_ms(shard.now_ms - 1), 0);
}

#[test]
fn the_same_no_to_a_second_event_is_the_accounts_unless_others_are_answered_in_between() {
    let (words, other) = (Signal::RefusedAlike(1), Signal::RefusedAlike(2));
    let mut shard = Shard::new();
    assert_eq!(shard.record(words, 1), RefusalScope::Event);
    // The same event again, and other words, are no second event.
    assert_eq!(shard.record(words, 1), RefusalScope::Event);
    assert_eq!(shard.record(other, 2), RefusalScope::Event);
    assert!(!shard.breaker.is_paused());
    // Other words in between change nothing.
    assert_eq!(shard.record(words, 4), RefusalScope::Account);
    assert_eq!(
        (shard.breaker.rest_reason(shard.now_ms), shard.rest()),
        ("key_refused", 1_000)
    );
    // While the account is refused, such words are about it, whichever they are.
    assert_eq!(shard.record(other, 5), RefusalScope::Account);
    assert_eq!(shard.rest(), 3_000);
    let refused_ms = shard.now_ms;
    shard.now_ms += 1;
    shard.record(Signal::Healthy, 6);
    assert_eq!((shard.breaker.is_paused(), shard.rest()), (false, 0));
    // Others were answered: the refusal is the event's own.
    assert_eq!(shard.again(words, 4, Some(refused_ms)), RefusalScope::Event);
    shard.record(Signal::Healthy, 7);
    assert_eq!(shard.record(words, 8), RefusalScope::Event);
    // An account that was refused when the object ended is asked as before.
    shard.breaker = CircuitBreaker::default().paused();
    assert_eq!(shard.record(words, 9), RefusalScope::Account);
}

#[test]
fn ten_different_words_in_a_row_are_the_accounts_too() {
    let mut shard = Shard::new();
    for event in 1..=10 {
        let scope = shard.record(Signal::RefusedAlike(event), event);
        assert_eq!(scope, RefusalScope::Event, "{event}");
    }
    assert_eq!(
        shard.record(Signal::RefusedAlike(11), 11),
        RefusalScope::Account
    );
}

#[test]
fn corrections_that_meet_the_same_no_pause_alone_whatever_conversions_meet() {
    let words = Signal::OlderRefusedAlike(1);
    let mut shard = Shard::new();
    assert_eq!(shard.record(words, 1), RefusalScope::Event);
    shard.record(Signal::Healthy, 100);
    assert_eq!(shard.record(words, 2), RefusalScope::Account);
    let rest_ms = |shard: &Shard| {
        let until_ms = shard.breaker.corrections_rest_until_ms(shard.now_ms);
        until_ms.saturating_sub(shard.now_ms)
    };
    assert_eq!((rest_ms(&shard), shard.rest()), (1_000, 0));
    assert!(!shard.breaker.is_paused());
    let refused_ms = shard.now_ms;
    shard.now_ms += 1_000;
    // A probe that meets another wording.
    let other = Signal::OlderRefusedAlike(2);
    assert_eq!(shard.record(other, 3), RefusalScope::Account);
    assert_eq!(rest_ms(&shard), 3_000);
    shard.now_ms += 3_000;
    // Answers to conversions do not make it the correction's own; one to a correction does.
    shard.record(Signal::Healthy, 100);
    assert_eq!(
        shard.again(words, 2, Some(refused_ms)),
        RefusalScope::Account
    );
    shard.record(Signal::OlderHealthy, 4);
    assert_eq!(shard.again(words, 2, Some(refused_ms)), RefusalScope::Event);
}
