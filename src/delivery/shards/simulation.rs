//! A rolling release on paper. Workers and shards change over at random within a minute, one by
//! one, and restart in between. Messages are late, lost, or arrive after their sender has ended.
//! Callers repeat events, at once and later. The simulation counts the keys that two shards keep.
#![expect(
    clippy::cast_precision_loss,
    reason = "requests and milliseconds are far below 2^52"
)]

mod world;

use self::world::World;

/// How a shard decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The gate of this module.
    Gate,
    /// Sites are asked, without a promise or a held key.
    AskOnly,
    /// A shard keeps every key that it is asked to keep.
    Nothing,
}

/// A course of releases.
struct Course {
    name: &'static str,
    /// Each release has the numbers of its deployment: today's, and the former ones.
    releases: &'static [(u32, &'static [u32])],
    /// When the change to each release begins, in milliseconds. The first is there from the start.
    begins: &'static [u64],
    rule: Rule,
}

/// The outcome of a course.
#[derive(Debug, Default)]
struct Outcome {
    keys: usize,
    twice: usize,
    /// Accepted, and kept nowhere.
    lost: usize,
    /// Never accepted, although its caller repeated it.
    unanswered: usize,
    requests: usize,
    /// Requests to shards, also those from other shards.
    calls: usize,
    /// Requests that ended without an answer, or with 503.
    failed: usize,
}

fn course(
    name: &'static str,
    rule: Rule,
    releases: &'static [(u32, &'static [u32])],
    begins: &'static [u64],
) -> Course {
    Course {
        name,
        releases,
        begins,
        rule,
    }
}

fn outcome(course: &Course) -> Outcome {
    let mut sum = Outcome::default();
    for seed in 1..=5 {
        let one = World::new(course, seed).run();
        sum.keys += one.keys;
        sum.twice += one.twice;
        sum.lost += one.lost;
        sum.unanswered += one.unanswered;
        sum.requests += one.requests;
        sum.calls += one.calls;
        sum.failed += one.failed;
    }
    sum
}

/// The table of docs/scale.md; `cargo test --features forwarder shards::simulation -- --nocapture` prints it.
#[test]
fn no_event_is_kept_twice_in_a_rolling_release_and_none_is_lost() {
    use Rule::{AskOnly, Gate, Nothing};
    let safe = [
        course("4 to 16", Gate, &[(4, &[]), (16, &[4])], &[0, 20_000]),
        course("4 to 6", Gate, &[(4, &[]), (6, &[4])], &[0, 20_000]),
        course("16 to 4", Gate, &[(16, &[]), (4, &[16])], &[0, 20_000]),
        course(
            "4 to 16, back after 30 s to 4 with formerShards: [16]",
            Gate,
            &[(4, &[]), (16, &[4]), (4, &[16])],
            &[0, 10_000, 40_000],
        ),
        course(
            "the same, and forth again after 30 s",
            Gate,
            &[(4, &[]), (16, &[4]), (4, &[16]), (16, &[4])],
            &[0, 5_000, 35_000, 65_000],
        ),
        course(
            "4 to 6 to 16 with formerShards: [6, 4], 30 s apart",
            Gate,
            &[(4, &[]), (6, &[4]), (16, &[6, 4])],
            &[0, 10_000, 40_000],
        ),
        course(
            "64 to 63 to 5 with formerShards: [63, 64], 30 s apart",
            Gate,
            &[(64, &[]), (63, &[64]), (5, &[63, 64])],
            &[0, 10_000, 40_000],
        ),
    ];
    let unsafe_ones = [
        course(
            "4 to 16, nobody asked",
            Nothing,
            &[(4, &[]), (16, &[])],
            &[0, 20_000],
        ),
        course(
            "4 to 16, asked without promise",
            AskOnly,
            &[(4, &[]), (16, &[4])],
            &[0, 20_000],
        ),
        course(
            "4 to 16, back to 4 without formerShards",
            Gate,
            &[(4, &[]), (16, &[4]), (4, &[])],
            &[0, 10_000, 40_000],
        ),
    ];
    println!("| change | kept by two shards | lost | calls a request | requests answered 503 |");
    println!("| --- | --- | --- | --- | --- |");
    let told = |course: &Course| {
        let told = outcome(course);
        println!(
            "| {} | {} of {} | {} | {:.2} | {:.1} % |",
            course.name,
            told.twice,
            told.keys,
            told.lost,
            told.calls as f64 / told.requests as f64,
            100.0 * told.failed as f64 / told.requests as f64,
        );
        told
    };
    for each in &safe {
        let told = told(each);
        assert_eq!((told.twice, told.lost), (0, 0), "{}: {told:?}", each.name);
        assert_eq!(told.unanswered, 0, "{}: {told:?}", each.name);
    }
    // Failures are visible where the rule is another, or the deployment forgets a number.
    for each in &unsafe_ones {
        assert!(told(each).twice > 0, "{}", each.name);
    }
}
