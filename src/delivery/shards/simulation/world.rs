//! Workers, shards, callers and messages of a simulated release.

use super::{Course, Outcome, Rule};
use crate::delivery::shards::{Reply, ShardMap, Step};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

const CHANGE_MS: u64 = 60_000;
const END_MS: u64 = 150_000;
const COMMIT_MS: u64 = 3;
const MAX_HOPS: u32 = 4;
const MAX_ROUNDS: u32 = 6;
const KEYS: usize = 2_000;
const SHARDS: usize = 64;

/// Marsaglia's xorshift generator: the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    /// A message's travel time; some messages are late.
    fn way(&mut self) -> u64 {
        if self.below(40) == 0 {
            1 + self.below(3_000)
        } else {
            1 + self.below(15)
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Offer {
        key: usize,
        tries: u32,
    },
    Arrive(usize),
    Seek {
        operation: usize,
        site: u32,
    },
    Replied {
        operation: usize,
        site: u32,
        reply: Reply,
    },
    Commit(usize),
}

/// One request to one shard.
#[derive(Debug)]
struct Operation {
    key: usize,
    tries: u32,
    at: u32,
    life: usize,
    hops: u32,
    rounds: u32,
    waiting: usize,
    replies: Vec<(u32, Reply)>,
}

/// A shard's rows survive a restart, and its held keys do not.
#[derive(Default)]
struct Shard {
    /// When it restarts, and with which release.
    starts: Vec<(u64, usize)>,
    rows: HashSet<usize>,
    held: HashMap<usize, usize>,
}

impl Shard {
    fn life(&self, now: u64) -> usize {
        self.starts.iter().filter(|(at, _)| *at <= now).count()
    }

    fn release(&self, now: u64) -> usize {
        let started = self.starts.iter().filter(|(at, _)| *at <= now);
        started
            .map(|(_, release)| *release)
            .next_back()
            .unwrap_or(0)
    }
}

pub(super) struct World {
    rule: Rule,
    maps: Vec<ShardMap>,
    begins: &'static [u64],
    random: Random,
    shards: Vec<Shard>,
    hashes: Vec<u32>,
    accepted: HashSet<usize>,
    operations: Vec<Operation>,
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    events: Vec<Event>,
    outcome: Outcome,
}

impl World {
    pub(super) fn new(course: &Course, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let maps = course
            .releases
            .iter()
            .map(|(shards, former)| ShardMap::new(*shards, former.to_vec()).unwrap())
            .collect::<Vec<_>>();
        let shards = (0..SHARDS)
            .map(|_| {
                let mut changes = vec![(0, 0)];
                for (release, begin) in course.begins.iter().enumerate().skip(1) {
                    changes.push((begin + random.below(CHANGE_MS), release));
                }
                // A shard that changes late may miss a release.
                let mut starts = Vec::new();
                for (place, (at, release)) in changes.iter().enumerate() {
                    if changes.iter().skip(place + 1).all(|(later, _)| later > at) {
                        starts.push((*at, *release));
                    }
                }
                for _ in 0..4 {
                    let at = random.below(END_MS);
                    let release = starts.iter().rfind(|(then, _)| *then <= at);
                    let release = release.map_or(0, |(_, release)| *release);
                    starts.push((at, release));
                    starts.sort_unstable();
                }
                Shard {
                    starts,
                    ..Shard::default()
                }
            })
            .collect();
        let hashes = (0..KEYS).map(|_| (random.next() >> 32) as u32).collect();
        Self {
            rule: course.rule,
            maps,
            begins: course.begins,
            random,
            shards,
            hashes,
            accepted: HashSet::new(),
            operations: Vec::new(),
            queue: BinaryHeap::new(),
            events: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    fn later(&mut self, at: u64, event: Event) {
        self.queue.push(Reverse((at, self.events.len())));
        self.events.push(event);
    }

    pub(super) fn run(mut self) -> Outcome {
        for key in 0..KEYS {
            let at = self.random.below(END_MS - 20_000);
            self.later(at, Event::Offer { key, tries: 0 });
            // The caller repeats it, at once or later.
            for more in [self.random.below(60), self.random.below(60_000)] {
                if self.random.below(3) == 0 {
                    self.later(at + more, Event::Offer { key, tries: 0 });
                }
            }
        }
        while let Some(Reverse((now, event))) = self.queue.pop() {
            self.happen(now, self.events[event]);
        }
        for key in 0..KEYS {
            let times = self.shards.iter().filter(|shard| shard.rows.contains(&key));
            let times = times.count();
            let is_accepted = self.accepted.contains(&key);
            self.outcome.keys += 1;
            self.outcome.twice += usize::from(times > 1);
            self.outcome.lost += usize::from(is_accepted && times == 0);
            self.outcome.unanswered += usize::from(!is_accepted);
        }
        self.outcome
    }

    /// The release that a Worker runs.
    fn release_of_worker(&mut self, now: u64) -> usize {
        let mut release = 0;
        for (next, begin) in self.begins.iter().enumerate().skip(1) {
            if now > begin + self.random.below(CHANGE_MS) {
                release = next;
            }
        }
        release
    }

    fn send(&mut self, now: u64, key: usize, tries: u32, at: u32, hops: u32) {
        self.outcome.calls += 1;
        self.operations.push(Operation {
            key,
            tries,
            at,
            life: 0,
            hops,
            rounds: 0,
            waiting: 0,
            replies: Vec::new(),
        });
        let way = self.random.way();
        self.later(now + way, Event::Arrive(self.operations.len() - 1));
    }

    /// The caller gets no answer, and repeats.
    fn fail(&mut self, now: u64, operation: usize) {
        self.outcome.failed += 1;
        let Operation { key, tries, .. } = self.operations[operation];
        if tries < 20 {
            let tries = tries + 1;
            let wait = 200 + self.random.below(2_000);
            self.later(now + wait, Event::Offer { key, tries });
        }
    }

    fn is_held(&self, now: u64, at: u32, key: usize) -> bool {
        let shard = &self.shards[at as usize];
        shard
            .held
            .get(&key)
            .is_some_and(|by| self.operations[*by].life == shard.life(now))
    }

    fn let_go(&mut self, operation: usize) {
        let Operation { at, key, .. } = self.operations[operation];
        let held = &mut self.shards[at as usize].held;
        if held.get(&key) == Some(&operation) {
            held.remove(&key);
        }
    }

    fn again(&mut self, now: u64, operation: usize) {
        self.operations[operation].rounds += 1;
        if self.operations[operation].rounds > MAX_ROUNDS {
            return self.fail(now, operation);
        }
        let wait = 5 + self.random.below(60);
        self.later(now + wait, Event::Arrive(operation));
    }

    fn happen(&mut self, now: u64, event: Event) {
        match event {
            Event::Offer { key, tries } => {
                self.outcome.requests += usize::from(tries == 0);
                let release = self.release_of_worker(now);
                let home = self.maps[release].home(self.hashes[key]);
                self.send(now, key, tries, home, 0);
            }
            Event::Arrive(operation) => self.arrive(now, operation),
            Event::Seek { operation, site } => {
                let Operation { at, key, .. } = self.operations[operation];
                let shard = &self.shards[site as usize];
                let is_here = shard.rows.contains(&key);
                let reply = match self.rule {
                    Rule::Gate => self.maps[shard.release(now)].reply(
                        at,
                        self.hashes[key],
                        is_here,
                        self.is_held(now, site, key),
                    ),
                    _ if is_here => Reply::Known,
                    _ => Reply::Unknown,
                };
                let way = self.random.way();
                self.later(
                    now + way,
                    Event::Replied {
                        operation,
                        site,
                        reply,
                    },
                );
            }
            Event::Replied {
                operation,
                site,
                reply,
            } => {
                let is_over = self.is_over(now, operation);
                let current = &mut self.operations[operation];
                current.replies.push((site, reply));
                current.waiting -= 1;
                if current.waiting > 0 {
                    return;
                }
                let step = ShardMap::next(&current.replies);
                if is_over {
                    self.fail(now, operation);
                } else {
                    self.take(now, operation, &step);
                }
            }
            Event::Commit(operation) => {
                if self.is_over(now, operation) {
                    return self.fail(now, operation);
                }
                let Operation { at, key, .. } = self.operations[operation];
                self.shards[at as usize].rows.insert(key);
                self.accepted.insert(key);
                self.let_go(operation);
            }
        }
    }

    /// Has the object ended in which the operation began?
    fn is_over(&self, now: u64, operation: usize) -> bool {
        let Operation { at, life, .. } = self.operations[operation];
        self.shards[at as usize].life(now) != life
    }

    fn arrive(&mut self, now: u64, operation: usize) {
        let Operation { at, key, hops, .. } = self.operations[operation];
        let shard = &self.shards[at as usize];
        let (life, release) = (shard.life(now), shard.release(now));
        let is_here = shard.rows.contains(&key);
        if self.operations[operation].rounds > 0 && self.is_over(now, operation) {
            return self.fail(now, operation);
        }
        self.operations[operation].life = life;
        // Any request may get lost.
        if hops > MAX_HOPS || self.random.below(200) == 0 {
            return self.fail(now, operation);
        }
        let map = &self.maps[release];
        let step = match self.rule {
            Rule::Gate => map.first(at, self.hashes[key], is_here, hops > 0),
            Rule::AskOnly => map.first(at, self.hashes[key], is_here, true),
            Rule::Nothing => Step::Here,
        };
        self.take(now, operation, &step);
    }

    fn take(&mut self, now: u64, operation: usize, step: &Step) {
        let Operation {
            at,
            key,
            tries,
            hops,
            ..
        } = self.operations[operation];
        match step {
            Step::Here => self.later(now + COMMIT_MS, Event::Commit(operation)),
            Step::Hand(site) => {
                self.let_go(operation);
                self.send(now, key, tries, *site, hops + 1);
            }
            Step::Again => {
                self.let_go(operation);
                self.again(now, operation);
            }
            Step::Ask(sites) => {
                if self.rule == Rule::Gate {
                    if self.is_held(now, at, key) {
                        return self.again(now, operation);
                    }
                    self.shards[at as usize].held.insert(key, operation);
                }
                let current = &mut self.operations[operation];
                current.replies.clear();
                current.waiting = sites.len();
                for site in sites {
                    self.outcome.calls += 1;
                    let way = self.random.way();
                    let site = *site;
                    self.later(now + way, Event::Seek { operation, site });
                }
            }
        }
    }
}
