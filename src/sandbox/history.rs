//! A plausible history from a seed. The clicks follow weekdays and hours, with sub ids of differing
//! quality and with bots. The conversions have late approvals, reversals and duplicates. The same
//! seed makes the same history.

use super::fixture::{CapPeriod, CapScope, Offer};
use super::plan::Numbers;
use super::random::{self, Random};
use super::row::{ClickRow, ConversionRow};
use super::{Network, fixture::Activity};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The relative traffic of each hour of the day.
const HOURS: [u64; 24] = [
    18, 12, 9, 7, 7, 10, 18, 32, 48, 60, 66, 70, 74, 72, 68, 66, 68, 74, 84, 96, 100, 90, 62, 34,
];

/// The relative traffic of each weekday, from Thursday on, because 1970 began on one.
const DAYS: [u64; 7] = [100, 96, 78, 84, 102, 104, 103];

/// The sub ids: the placements of a link.
const PLACES: [&str; 12] = [
    "banner_300x250",
    "newsletter",
    "search_brand",
    "search_generic",
    "social_feed",
    "coupon_list",
    "native_story",
    "video_outro",
    "toolbar",
    "popunder",
    "review_page",
    "app_wall",
];

/// The conversion rate of each placement, in per cent of the average. The order is that of
/// [`PLACES`], shifted by one for each affiliate.
const QUALITIES: [u64; 12] = [70, 210, 330, 120, 60, 260, 110, 90, 20, 5, 240, 12];

const COUNTRIES: [&str; 10] = ["US", "US", "US", "US", "US", "GB", "GB", "CA", "DE", "AU"];

/// The options of a history.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryRequest {
    /// The number of days.
    pub(crate) days: u64,
    /// The number of clicks.
    pub(crate) clicks: u64,
    /// The seed.
    #[serde(default = "one")]
    pub(crate) seed: u64,
    /// The average number of conversions per 1,000,000 human clicks.
    #[serde(default = "four_per_cent")]
    pub(crate) conversions_per_million: u64,
}

fn one() -> u64 {
    1
}
fn four_per_cent() -> u64 {
    40_000
}

/// A history while it is generated.
#[derive(Clone, Debug)]
pub(crate) struct History {
    random: Random,
    id_seed: u64,
    conversions_per_million: u64,
    end_ms: u64,
    next: Numbers,
    sources: Vec<Source>,
    /// The remaining clicks of each hour.
    hours: Vec<(u64, u64)>,
    hour: usize,
    waiting: BTreeMap<(u64, u64), Waiting>,
    counted: BTreeMap<String, u64>,
    totals: Totals,
}

/// One placement of an affiliate with one creative.
#[derive(Clone, Debug)]
struct Source {
    affiliate_id: u64,
    creative_id: u64,
    offer_id: u64,
    place: String,
    quality: u64,
    weight: u64,
}

/// A conversion that is due later.
#[derive(Clone, Debug)]
struct Waiting {
    click_id: String,
    affiliate_id: u64,
    offer_id: u64,
    unique_id: Option<String>,
}

/// A part of the history.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Batch {
    /// Clicks, in order.
    pub(crate) clicks: Vec<ClickRow>,
    /// Conversions, in order.
    pub(crate) conversions: Vec<ConversionRow>,
    /// The totals so far, with this batch.
    pub(crate) totals: Totals,
    /// Is this the last batch?
    pub(crate) is_last: bool,
}

/// The totals of a history.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// Clicks.
    pub(crate) clicks: u64,
    /// The clicks by bots.
    pub(crate) bots: u64,
    /// Conversions.
    pub(crate) conversions: u64,
    /// Duplicate conversions, which were not counted again.
    pub(crate) duplicates: u64,
}

impl Network {
    /// Begins a history that ends at `now_ms`.
    ///
    /// # Errors
    /// [`Error::InvalidField`] for more than 3,650 days or 10,000,000 clicks;
    /// [`Error::InvalidFixture`] where the fixture has no link to click on.
    pub(crate) fn begin_history(
        &self,
        request: &HistoryRequest,
        now_ms: u64,
        next: Numbers,
    ) -> Result<History> {
        let field = |parameter: &str, rule: &str| Error::InvalidField {
            parameter: parameter.to_owned(),
            rule: rule.to_owned(),
        };
        if !(1..=3_650).contains(&request.days) {
            return Err(field("days", "must be from 1 to 3650"));
        }
        if !(1..=10_000_000).contains(&request.clicks) {
            return Err(field("clicks", "must be from 1 to 10000000"));
        }
        let sources = self.sources();
        if sources.is_empty() {
            return Err(Error::InvalidFixture {
                message: "a history needs an active affiliate, creative and offer".to_owned(),
            });
        }
        let mut random = Random::new(request.seed);
        let id_seed = random.next();
        let begin = now_ms.saturating_sub(request.days * DAY_MS);
        let hours = hours(&mut random, begin, request);
        Ok(History {
            random,
            id_seed,
            conversions_per_million: request.conversions_per_million.min(1_000_000),
            end_ms: now_ms,
            next,
            sources,
            hours,
            hour: 0,
            waiting: BTreeMap::new(),
            counted: BTreeMap::new(),
            totals: Totals::default(),
        })
    }

    fn sources(&self) -> Vec<Source> {
        let fixture = &self.fixture;
        let affiliates = fixture
            .affiliates
            .iter()
            .filter(|affiliate| affiliate.affiliate_status == Activity::Active)
            .enumerate();
        let mut sources = Vec::new();
        for (shift, affiliate) in affiliates {
            let creatives = fixture.creatives.iter().filter(|creative| {
                creative.creative_status == Activity::Active
                    && fixture
                        .offer(creative.offer_id)
                        .is_some_and(|offer| offer.offer_status == Activity::Active)
            });
            for creative in creatives {
                let qualities = QUALITIES.iter().cycle().skip(shift * 5);
                for ((place, quality), weight) in PLACES.iter().zip(qualities).zip(1..) {
                    sources.push(Source {
                        affiliate_id: affiliate.affiliate_id,
                        creative_id: creative.creative_id,
                        offer_id: creative.offer_id,
                        place: (*place).to_owned(),
                        quality: *quality,
                        // A few placements bring most of the traffic.
                        weight: 120 / weight,
                    });
                }
            }
        }
        sources
    }

    /// The next part of a history: about `clicks` clicks.
    pub(crate) fn continue_history(&self, history: &mut History, clicks: u64) -> Batch {
        let mut batch = Batch::default();
        let end = history.totals.clicks + clicks.max(1);
        let weights: u64 = history.sources.iter().map(|source| source.weight).sum();
        while history.totals.clicks < end {
            let Some((begin, left)) = history.hours.get(history.hour).copied() else {
                break;
            };
            let mut times = history.times(begin, left);
            times.sort_unstable();
            for (at, is_bot) in times {
                self.settle(history, at, &mut batch);
                self.history_click(history, at, is_bot, weights, &mut batch);
            }
            history.hour += 1;
        }
        batch.is_last = history.hour >= history.hours.len();
        if batch.is_last {
            self.settle(history, history.end_ms, &mut batch);
        }
        batch.totals = history.totals;
        batch
    }

    fn history_click(
        &self,
        history: &mut History,
        at: u64,
        is_bot: bool,
        weights: u64,
        batch: &mut Batch,
    ) {
        let mut place = history.random.below(weights);
        let source = history.sources.iter().find(|source| {
            let is_it = place < source.weight;
            place = place.saturating_sub(source.weight);
            is_it
        });
        let Some(source) = source.cloned() else {
            return;
        };
        let random = &mut history.random;
        let click = ClickRow {
            number: history.next.click,
            click_id: random::uuid(history.id_seed, history.next.click),
            click_date: self.settings.civil(at),
            offer_id: source.offer_id,
            affiliate_id: source.affiliate_id,
            creative_id: source.creative_id,
            sub_id_1: Some(source.place.clone()),
            // A partner's own click id belongs in s2.
            sub_id_2: random
                .happens(300_000)
                .then(|| format!("{:016x}", random.next())),
            ip_address: Some(if is_bot {
                format!("203.0.113.{}", at / DAY_MS % 5 + 1)
            } else {
                format!(
                    "2001:db8:{:x}:{:x}::1",
                    random.below(0xFFFF),
                    random.below(0xFFFF)
                )
            }),
            country: random.pick(&COUNTRIES).map(|country| (*country).to_owned()),
            ..ClickRow::default()
        };
        history.next.click += 1;
        history.totals.clicks += 1;
        if is_bot {
            history.totals.bots += 1;
        } else {
            // The qualities' weighted mean is about 118 per cent.
            let per_million = history.conversions_per_million * source.quality / 118;
            let everyone = history.conversions_per_million >= 1_000_000;
            if everyone || history.random.happens(per_million) {
                history.wait(at, &click);
            }
        }
        batch.clicks.push(click);
    }

    /// Records the conversions that are due.
    fn settle(&self, history: &mut History, now: u64, batch: &mut Batch) {
        while let Some(entry) = history.waiting.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                break;
            }
            let waiting = entry.remove();
            let Some(offer) = self.fixture.offer(waiting.offer_id) else {
                continue;
            };
            let row = self.history_conversion(history, at, offer, &waiting);
            // The visitor reloads the shop's thank-you page, and the page sends the conversion
            // again.
            let is_repeated = history.random.happens(20_000);
            let again = (is_repeated && !offer.deduplicates).then(|| ConversionRow {
                conversion_id: history.next.conversion,
                ..row.clone()
            });
            if is_repeated && offer.deduplicates {
                history.totals.duplicates += 1;
            }
            batch.conversions.push(row);
            history.totals.conversions += 1;
            if let Some(again) = again {
                history.next.conversion += 1;
                history.totals.conversions += 1;
                batch.conversions.push(again);
            }
        }
    }

    fn history_conversion(
        &self,
        history: &mut History,
        at: u64,
        offer: &Offer,
        waiting: &Waiting,
    ) -> ConversionRow {
        let random = &mut history.random;
        // One order in five has another value.
        let revenue = random.happens(200_000).then(|| {
            super::payout::amount((10 + random.below(190)) * 10_000 + random.below(100) * 100)
        });
        let worth = self
            .worth(offer, waiting.affiliate_id, None, revenue.as_deref())
            .or_else(|_| self.worth(offer, waiting.affiliate_id, None, None));
        let (payout, revenue) = worth.map_or_else(
            |_| Default::default(),
            |worth| (worth.payout, worth.revenue),
        );
        let age = history.end_ms.saturating_sub(at);
        let mut status = match self.first_status(offer, waiting.affiliate_id) {
            // Approved or rejected by hand, one to six days later.
            "pending" if age > DAY_MS + random.below(5 * DAY_MS) => {
                if random.happens(850_000) {
                    "approved"
                } else {
                    "rejected"
                }
            }
            "pending" => "pending",
            _ if age > 3 * DAY_MS && random.happens(20_000) => "reversed",
            other => other,
        };
        let conversion_date = self.settings.civil(at);
        if let Some(cap) = offer.cap {
            let period = match cap.per {
                CapPeriod::Day => conversion_date.get(..10),
                CapPeriod::Month => conversion_date.get(..7),
                CapPeriod::Ever => None,
            };
            let whose = match cap.of {
                CapScope::Offer => 0,
                CapScope::Affiliate => waiting.affiliate_id,
            };
            let key = format!("{}:{whose}:{}", offer.offer_id, period.unwrap_or_default());
            let counted = history.counted.entry(key).or_default();
            if *counted >= cap.conversions {
                status = "ignored";
            } else if matches!(status, "approved" | "pending") {
                *counted += 1;
            }
        }
        let conversion_id = history.next.conversion;
        history.next.conversion += 1;
        let unique_id = waiting
            .unique_id
            .as_ref()
            .map(|prefix| format!("{prefix}{conversion_id}"));
        ConversionRow {
            conversion_id,
            click_id: waiting.click_id.clone(),
            offer_id: offer.offer_id,
            affiliate_id: waiting.affiliate_id,
            payout: payout.to_string(),
            payout_units: payout.units(),
            revenue: revenue.to_string(),
            revenue_units: revenue.units(),
            dedupe_key: unique_id
                .as_ref()
                .filter(|_| offer.deduplicates)
                .map(|unique_id| format!("{}:{unique_id}", offer.offer_id)),
            order_id: unique_id.clone(),
            unique_id,
            conversion_date,
            conversion_status: status.to_owned(),
            ..ConversionRow::default()
        }
    }
}

impl History {
    /// The times of the clicks in one hour. Bots come in bursts of seconds.
    fn times(&mut self, begin: u64, clicks: u64) -> Vec<(u64, bool)> {
        let burst = begin + self.random.below(HOUR_MS - 10_000);
        let last = self.end_ms.saturating_sub(1);
        (0..clicks)
            .map(|_| {
                let is_bot = self.random.happens(40_000);
                let at = if is_bot {
                    burst + self.random.below(10_000)
                } else {
                    begin + self.random.below(HOUR_MS)
                };
                (at.min(last), is_bot)
            })
            .collect()
    }

    /// A click converts: most conversions are immediate, some within a day, a few within a week.
    fn wait(&mut self, at: u64, click: &ClickRow) {
        let random = &mut self.random;
        let delay = match random.below(100) {
            0..=69 => 60_000 + random.below(HOUR_MS),
            70..=94 => random.below(DAY_MS),
            _ => random.below(7 * DAY_MS),
        };
        // One shop in ten sends no order number.
        let unique_id = (!random.happens(100_000)).then(|| "ORD-H".to_owned());
        self.waiting.insert(
            (at + delay, click.number),
            Waiting {
                click_id: click.click_id.clone(),
                affiliate_id: click.affiliate_id,
                offer_id: click.offer_id,
                unique_id,
            },
        );
    }
}

/// The hours of the history, each with its number of clicks.
fn hours(random: &mut Random, begin: u64, request: &HistoryRequest) -> Vec<(u64, u64)> {
    let weights: Vec<(u64, u64)> = (0..request.days * 24)
        .map(|hour| {
            let at = begin + hour * HOUR_MS;
            let of = |list: &[u64], index: u64| {
                usize::try_from(index)
                    .ok()
                    .and_then(|index| list.get(index))
                    .copied()
                    .unwrap_or(1)
            };
            let busy = of(&HOURS, at / HOUR_MS % 24) * of(&DAYS, at / DAY_MS % 7);
            // No two hours have the same traffic.
            (at, busy * (80 + random.below(40)))
        })
        .collect();
    let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
    let share = |sum: u64| {
        let clicks = u128::from(sum) * u128::from(request.clicks) / u128::from(total.max(1));
        u64::try_from(clicks).unwrap_or(0)
    };
    let mut sum = 0;
    weights
        .into_iter()
        .map(|(at, weight)| {
            let before = share(sum);
            sum += weight;
            (at, share(sum) - before)
        })
        .collect()
}
