//! The generated history.

use super::{NOW_MS, network};
use crate::sandbox::Numbers;
use crate::sandbox::history::{Batch, HistoryRequest};
use std::collections::{BTreeMap, BTreeSet};

fn past(seed: u64) -> (Vec<Batch>, Vec<usize>) {
    let network = network();
    let request = HistoryRequest {
        days: 14,
        clicks: 20_000,
        seed,
        conversions_per_million: 40_000,
    };
    let next = Numbers {
        click: 1,
        conversion: 998_877,
        postback: 8_801,
        fired: 1,
    };
    let mut history = network.begin_history(&request, NOW_MS, next).unwrap();
    let mut batches = Vec::new();
    loop {
        let batch = network.continue_history(&mut history, 1_000);
        let is_last = batch.is_last;
        batches.push(batch);
        if is_last {
            let sizes = batches.iter().map(|batch| batch.clicks.len()).collect();
            return (batches, sizes);
        }
    }
}

#[test]
fn a_past_has_exactly_its_clicks_in_order_and_repeats_from_its_seed() {
    let (batches, sizes) = past(1);
    assert_eq!(sizes.iter().sum::<usize>(), 20_000);
    assert!(sizes.iter().all(|size| *size < 1_500), "{sizes:?}");
    let clicks: Vec<_> = batches.iter().flat_map(|batch| &batch.clicks).collect();
    assert!(clicks.windows(2).all(
        |pair| pair[0].click_date <= pair[1].click_date && pair[0].number + 1 == pair[1].number
    ));
    let ids: BTreeSet<_> = clicks.iter().map(|click| &click.click_id).collect();
    assert_eq!(ids.len(), clicks.len());
    let text = |batches: &[Batch]| serde_json::to_string(batches).unwrap();
    assert_eq!(text(&batches), text(&past(1).0));
    assert_ne!(text(&batches), text(&past(2).0));
}

#[test]
fn a_past_looks_like_one() {
    let (batches, _) = past(1);
    let clicks: Vec<_> = batches.iter().flat_map(|batch| &batch.clicks).collect();
    let conversions: Vec<_> = batches
        .iter()
        .flat_map(|batch| &batch.conversions)
        .collect();
    let totals = batches.last().unwrap().totals;
    assert_eq!(totals.conversions, conversions.len() as u64);
    assert!(
        (600..1_000).contains(&conversions.len()),
        "{}",
        conversions.len()
    );
    assert!((600..1_000).contains(&totals.bots), "{}", totals.bots);
    assert!(totals.duplicates > 0);

    let at_hour = |hour: &str| {
        clicks
            .iter()
            .filter(|click| &click.click_date[11..13] == hour)
            .count()
    };
    assert!(at_hour("20") > 5 * at_hour("04"));

    // Sub ids differ in quality, bots never convert, and only clicks of the history convert.
    let by_id: BTreeMap<_, _> = clicks
        .iter()
        .map(|click| (click.click_id.as_str(), click))
        .collect();
    let rate = |place: &str| {
        let of = |click: &crate::sandbox::ClickRow| {
            click.affiliate_id == 67_890 && click.sub_id_1.as_deref() == Some(place)
        };
        let all = clicks.iter().filter(|click| of(click)).count();
        let converted = conversions
            .iter()
            .filter(|row| of(by_id[row.click_id.as_str()]))
            .count();
        converted * 1_000 / all.max(1)
    };
    assert!(
        rate("search_brand") > 4 * rate("toolbar"),
        "{} {}",
        rate("search_brand"),
        rate("toolbar")
    );
    for row in &conversions {
        let click = by_id[row.click_id.as_str()];
        assert!(!click.ip_address.as_ref().unwrap().starts_with("203."));
        assert!(row.conversion_date >= click.click_date);
        assert!(row.conversion_date.as_str() <= "2026-06-19 14:30:00");
    }
    let statuses: BTreeSet<_> = conversions
        .iter()
        .map(|row| row.conversion_status.as_str())
        .collect();
    assert_eq!(
        statuses.into_iter().collect::<Vec<_>>(),
        ["approved", "ignored", "pending", "rejected", "reversed"]
    );
    let keys: Vec<_> = conversions
        .iter()
        .filter_map(|row| row.dedupe_key.as_ref())
        .collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    let repeated: BTreeSet<_> = conversions
        .iter()
        .filter_map(|row| row.unique_id.as_ref())
        .collect();
    let named = conversions
        .iter()
        .filter(|row| row.unique_id.is_some())
        .count();
    assert!(
        repeated.len() < named,
        "an offer that does not deduplicate counts twice"
    );
}

#[test]
fn a_past_that_cannot_be_is_refused() {
    let request = |days, clicks| HistoryRequest {
        days,
        clicks,
        seed: 1,
        conversions_per_million: 0,
    };
    for (days, clicks) in [(0, 1), (3_651, 1), (1, 0), (1, 10_000_001)] {
        let error = network().begin_history(&request(days, clicks), NOW_MS, Numbers::default());
        assert_eq!(error.unwrap_err().code(), "invalid_field");
    }
}
