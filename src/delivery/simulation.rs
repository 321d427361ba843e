//! The schedule and the breaker under an outage, on paper. A forwarder has some shards, each with
//! its five connections, and CAKE is away for some hours. Steps are seconds; only the rules run
//! here.
#![expect(
    clippy::cast_precision_loss,
    reason = "seconds and events are far below 2^52"
)]

use super::circuit_breaker::{CircuitBreaker, Lane, Signal, SignalSource};
use super::schedule;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// An outage and the forwarder that meets it.
struct Outage {
    /// Events a second from pages and backends.
    rate: u64,
    shards: usize,
    hours: u64,
    /// The time of an answer from CAKE, in milliseconds.
    latency_ms: u64,
}

/// The outcome of an outage.
#[derive(Debug)]
struct Course {
    /// The most events that waited.
    deepest: u64,
    /// Seconds from CAKE's return until the queue is as short as before.
    catch_up_s: u64,
    /// Requests a second to CAKE while it was away, on average.
    asked_per_s: f64,
    /// The most requests to CAKE within one second after its return.
    peak_per_s: u64,
    /// The most attempts of one event.
    attempts: u32,
    dead: u64,
}

#[derive(Default)]
struct Shard {
    breaker: CircuitBreaker,
    /// Tells the events apart.
    number: u64,
    /// Events not sent yet: the second of acceptance, and their number.
    fresh: VecDeque<(u64, u64)>,
    /// Events to retry: the due second, and the attempts so far.
    again: BinaryHeap<Reverse<(u64, u32)>>,
    depth: u64,
}

impl Shard {
    fn accept(&mut self, second: u64, events: u64) {
        self.fresh.push_back((second, events));
        self.depth += events;
    }

    /// Takes the event that has been due for longest, and returns its attempts so far.
    fn take(&mut self, now: u64) -> Option<u32> {
        let fresh = self.fresh.front().map(|(due, _)| *due);
        let again = self.again.peek().map(|Reverse((due, _))| *due);
        match (fresh, again) {
            (fresh, Some(due)) if due <= now && fresh.is_none_or(|other| due <= other) => {
                self.again.pop().map(|Reverse((_, attempts))| attempts)
            }
            (Some(due), _) if due <= now => {
                let (_, left) = self.fresh.front_mut()?;
                *left -= 1;
                if *left == 0 {
                    self.fresh.pop_front();
                }
                Some(0)
            }
            _ => None,
        }
    }
}

/// Marsaglia's xorshift generator: the same numbers in each run.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

fn run(outage: &Outage) -> Course {
    let begin = 600;
    let end = begin + outage.hours * 3_600;
    let mut shards: Vec<Shard> = (0..outage.shards).map(|_| Shard::default()).collect();
    let mut random = Random(2_463_534_242);
    let mut course = Course {
        deepest: 0,
        catch_up_s: 0,
        asked_per_s: 0.0,
        peak_per_s: 0,
        attempts: 0,
        dead: 0,
    };
    let (mut second, mut asked, mut before) = (0_u64, 0_u64, 0_u64);
    loop {
        // The shards divide the rate.
        let each = outage.rate / shards.len() as u64;
        for shard in &mut shards {
            shard.accept(second, each);
        }
        let is_away = (begin..end).contains(&second);
        let mut sent = 0;
        for shard in &mut shards {
            // The requests that a shard's connections can carry in one second.
            let per_shard = 5 * 1_000 / outage.latency_ms;
            let done = deliver(shard, second, per_shard, is_away, &mut random);
            sent += done.requests;
            course.attempts = course.attempts.max(done.attempts);
            course.dead += done.dead;
        }
        let depth: u64 = shards.iter().map(|shard| shard.depth).sum();
        course.deepest = course.deepest.max(depth);
        if is_away {
            asked += sent;
        } else if second >= end {
            course.peak_per_s = course.peak_per_s.max(sent);
            if depth <= before || second > end + 30 * 86_400 {
                course.catch_up_s = second - end;
                course.asked_per_s = asked as f64 / (end - begin) as f64;
                return course;
            }
        } else {
            before = before.max(depth);
        }
        second += 1;
    }
}

/// The table of docs/scale.md; `cargo test --features forwarder simulation -- --nocapture`
/// prints it.
#[test]
fn an_outage_of_three_days_is_caught_up_without_a_stampede_and_nothing_dies() {
    println!(
        "| outage | shards | deepest queue | caught up after | asked meanwhile | most after it | attempts |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (hours, shards) in [(1, 4), (12, 4), (72, 4), (72, 20)] {
        let outage = Outage {
            rate: 100,
            shards,
            hours,
            latency_ms: 100,
        };
        let course = run(&outage);
        println!(
            "| {hours} h | {shards} | {} | {:.1} h | {:.2} a second | {} a second | {} |",
            course.deepest,
            course.catch_up_s as f64 / 3_600.0,
            course.asked_per_s,
            course.peak_per_s,
            course.attempts,
        );
        assert_eq!(course.dead, 0, "{course:?}");
        // All events of the outage wait, and few more.
        let events = hours * 3_600 * 100;
        assert!(
            (events..events + 2_000).contains(&course.deepest),
            "{course:?}"
        );
        // A shard has five connections, however many events wait.
        let most = shards as u64 * 5 * 10;
        assert!(course.peak_per_s <= most, "{course:?}");
        // The catch-up runs at the rate left beside new events.
        let at_best = events / (most - 100);
        assert!(
            course.catch_up_s <= at_best + at_best / 5 + 120,
            "{course:?}"
        );
        // A shard probes CAKE about once a minute.
        assert!(
            course.asked_per_s < shards as f64 / 20.0 + 1.0,
            "{course:?}"
        );
    }
}

/// Forwarders of several regions, each with its own outbox, and their accidents.
struct Fleet {
    name: &'static str,
    /// Events a second that all regions get together.
    rate: u64,
    regions: u64,
    /// The shards of each region.
    shards: u64,
    latency_ms: u64,
    /// Hours that CAKE is away, from the first minutes on.
    outage_hours: u64,
    /// A region that is away with its rows: from this hour on, for this many hours. Its callers go
    /// to the others.
    lost: Option<(u64, u64)>,
}

/// The outcome for a fleet.
#[derive(Debug, Default)]
struct FleetCourse {
    /// The most that one shard may deliver a second, and its usual load.
    most_per_shard: f64,
    handed_per_shard: f64,
    /// The most events that waited in one shard, and in all.
    deepest_shard: u64,
    deepest: u64,
    /// The most that one shard held waiting, in bytes on disk.
    bytes_shard: u64,
    /// Hours from the end of all trouble until no region has a longer queue than before. `None`
    /// above thirty days.
    caught_up_h: Option<f64>,
    /// The most requests to CAKE in a second.
    peak_per_s: u64,
    /// Events that waited in the lost region, and were delivered after its return.
    stranded: u64,
    /// Events accepted just before the region was lost, whose answer was lost too. Callers hand
    /// them to another region.
    repeated: u64,
    /// Events refused with 503, since a shard was full.
    turned_away: u64,
    dead: u64,
}

/// Bytes on disk of a waiting event, as docs/scale.md has it.
const BYTES: u64 = 280;
/// The option `capacity`.
const CAPACITY: u64 = 10_000_000;
/// The time until a caller has its answer.
const ANSWER_MS: u64 = 50;

/// All shards of a region behave alike, so one stands for them.
struct Region {
    shard: Shard,
    /// Thousandths of an event that a shard has yet to get.
    handed: u64,
    sent: u64,
}

fn run_fleet(fleet: &Fleet) -> FleetCourse {
    let begin = 600;
    let end = begin + fleet.outage_hours * 3_600;
    let lost = fleet
        .lost
        .map(|(from, hours)| (begin + from * 3_600, begin + (from + hours) * 3_600));
    let over = lost.map_or(end, |(_, until)| until.max(end));
    let per_shard = 5 * 1_000 / fleet.latency_ms;
    let mut course = FleetCourse {
        most_per_shard: per_shard as f64,
        handed_per_shard: fleet.rate as f64 / (fleet.regions * fleet.shards) as f64,
        ..FleetCourse::default()
    };
    // The first region is the lost one.
    let mut regions: Vec<Region> = (0..fleet.regions.min(2))
        .map(|_| Region {
            shard: Shard::default(),
            handed: 0,
            sent: 0,
        })
        .collect();
    let mut random = Random(2_463_534_242);
    let mut before = 0;
    let mut second = 0;
    loop {
        let is_away = (begin..end).contains(&second);
        let is_lost = lost.is_some_and(|(from, until)| (from..until).contains(&second));
        if lost.is_some_and(|(from, _)| from == second) {
            if let Some(first) = regions.first() {
                course.stranded = first.shard.depth * fleet.shards;
            }
            course.repeated = fleet.rate / fleet.regions * ANSWER_MS / 1_000;
        }
        let there = fleet.regions - u64::from(is_lost);
        for (place, region) in regions.iter_mut().enumerate() {
            region.sent = 0;
            if is_lost && place == 0 {
                continue;
            }
            // Counts in thousandths, so that rounding loses no event.
            region.handed += fleet.rate * 1_000 / (there * fleet.shards);
            let events = region.handed / 1_000;
            region.handed %= 1_000;
            let room = CAPACITY.saturating_sub(region.shard.depth).min(events);
            let others = if place == 0 {
                1
            } else {
                there - u64::from(!is_lost)
            };
            course.turned_away += (events - room) * fleet.shards * others;
            if room > 0 {
                region.shard.accept(second, room);
            }
            let shard = &mut region.shard;
            let done = deliver(shard, second, per_shard, is_away, &mut random);
            region.sent = done.requests;
            course.dead += done.dead;
        }
        let of = |take: fn(&Region) -> u64| {
            let first = regions.first().map_or(0, take);
            let other = regions.last().map_or(0, take);
            (first + other * (fleet.regions - 1)) * fleet.shards
        };
        course.deepest = course.deepest.max(of(|region| region.shard.depth));
        course.peak_per_s = course.peak_per_s.max(of(|region| region.sent));
        let deepest = regions.iter().map(|region| region.shard.depth).max();
        let deepest = deepest.unwrap_or_default();
        course.deepest_shard = course.deepest_shard.max(deepest);
        course.bytes_shard = course.deepest_shard * BYTES;
        if second < begin {
            before = before.max(deepest);
        } else if second >= over {
            if deepest <= before {
                course.caught_up_h = Some((second - over) as f64 / 3_600.0);
                return course;
            }
            if second > over + 30 * 86_400 {
                return course;
            }
        }
        second += 1;
    }
}

/// The outcome of one second of a shard.
#[derive(Default)]
struct Done {
    requests: u64,
    /// The most attempts of one event.
    attempts: u32,
    dead: u64,
}

/// One second of a shard, which can send `most` requests in it.
fn deliver(shard: &mut Shard, second: u64, most: u64, is_away: bool, random: &mut Random) -> Done {
    let mut done = Done::default();
    let mut room = most * u64::from(shard.breaker.at_once()) / 5;
    while room > 0 && shard.breaker.lane(second * 1_000, 0, 0, 0) != Lane::Nothing {
        let Some(attempts) = shard.take(second) else {
            break;
        };
        room -= 1;
        done.requests += 1;
        let signal = if is_away {
            Signal::Failing
        } else {
            Signal::Healthy
        };
        shard.number += 1;
        let source = SignalSource {
            event: shard.number,
            offer: 1,
            refused_before_ms: None,
            started_ms: second * 1_000,
            sent: None,
            now_ms: second * 1_000,
            random: random.next(),
        };
        shard.breaker.record(signal, source);
        done.attempts = done.attempts.max(attempts + 1);
        let wait = schedule::wait_ms(attempts + 1, random.next(), None);
        if let Some(ms) = wait.filter(|_| is_away) {
            let next = second + ms.div_ceil(1_000);
            shard.again.push(Reverse((next, attempts + 1)));
        } else {
            shard.depth -= 1;
            done.dead += u64::from(is_away);
        }
    }
    done
}

/// The table of docs/scale.md; `npm run bench -- scale` prints it.
#[test]
fn ten_thousand_events_a_second_outlast_a_day_without_cake_and_the_loss_of_a_region() {
    let fleet = |name, regions, outage_hours, lost| Fleet {
        name,
        rate: 10_000,
        regions,
        shards: 64,
        latency_ms: 100,
        outage_hours,
        lost,
    };
    println!(
        "| 10,000 events a second | regions of 64 shards | handed to a shard, of at most | deepest shard | on its disk | waiting in all | caught up after | most to CAKE | stranded | repeated | turned away |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for each in [
        fleet("CAKE is away for a day", 4, 24, None),
        fleet("the same", 8, 24, None),
        fleet("a region is lost for 6 h", 4, 0, Some((0, 6))),
        fleet("the same", 8, 0, Some((0, 6))),
        fleet("both: the region after 12 h", 8, 24, Some((12, 6))),
    ] {
        let course = run_fleet(&each);
        let caught_up = course
            .caught_up_h
            .map_or_else(|| "never".to_owned(), |hours| format!("{hours:.1} h"));
        println!(
            "| {} | {} | {:.1} of {:.0} a second | {} | {} MB | {} | {caught_up} | {} a second | {} | {} | {} |",
            each.name,
            each.regions,
            course.handed_per_shard,
            course.most_per_shard,
            course.deepest_shard,
            course.bytes_shard / 1_000_000,
            course.deepest,
            course.peak_per_s,
            course.stranded,
            course.repeated,
            course.turned_away,
        );
        assert_eq!(course.dead, 0, "{course:?}");
        // No event is refused before a shard holds ten million.
        assert_eq!(course.turned_away, 0, "{course:?}");
        assert!(course.caught_up_h.is_some(), "{course:?}");
        // A shard has five connections, however many events wait.
        assert!(
            course.peak_per_s <= each.regions * each.shards * 50,
            "{course:?}"
        );
        if each.outage_hours > 0 {
            let gathered = each.outage_hours * 3_600 * each.rate;
            // While a region is lost its rows wait, and the other regions hold its callers' events.
            assert!(course.deepest >= gathered, "{course:?}");
            assert!(course.deepest <= gathered + gathered / 100, "{course:?}");
        }
    }
}
