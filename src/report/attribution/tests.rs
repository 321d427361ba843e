//! Models against known answers, and against independent implementations.

use super::*;
use crate::report::amount::{self, NumberFormat};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn journeys(paths: &[(&str, bool)]) -> Journeys {
    let mut journeys = Journeys::default();
    for (path, converts) in paths {
        let steps: Vec<&str> = path.split('>').collect();
        let touches = steps.iter().enumerate().map(|(index, step)| {
            let age = u32::try_from(steps.len() - index).unwrap() * 86_400;
            (step.as_bytes(), age)
        });
        assert!(journeys.push(touches, if *converts { 180_000 } else { 0 }, *converts));
    }
    journeys
}

fn shares(journeys: &Journeys, model: Model) -> Vec<i64> {
    round(
        journeys.payout() / CENT,
        &journeys.credit(model).unwrap().payouts,
        FRACTION * i128::from(CENT),
    )
}

#[derive(serde::Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    journeys: Vec<Told>,
    models: BTreeMap<String, BTreeMap<String, Expected>>,
}

#[derive(serde::Deserialize)]
struct Told {
    touches: Vec<(String, u32)>,
    converted: bool,
    payout: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    payout: i64,
    conversions: f64,
    removal_effect: Option<f64>,
}

#[test]
fn credit_is_that_of_the_definitions_in_exact_fractions() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../tests/vectors/attribution.json")).unwrap();
    for (number, case) in vectors.cases.iter().enumerate() {
        let mut journeys = Journeys::default();
        for told in &case.journeys {
            let format = NumberFormat {
                decimal: b'.',
                ..NumberFormat::default()
            };
            let payout = amount::read(told.payout.as_bytes(), format, false, b"").unwrap();
            let touches = told.touches.iter();
            let touches = touches.map(|(channel, age)| (channel.as_bytes(), *age));
            assert!(journeys.push(touches, payout, told.converted));
        }
        let whole = journeys.payout();
        let unit = if whole % CENT == 0 { CENT } else { 1 };
        for (name, channels) in &case.models {
            let model = Model::parse(name).unwrap().1;
            let credit = journeys.credit(model).unwrap();
            let mut order: Vec<(&[u8], usize)> = journeys.channels().zip(0..).collect();
            order.sort_unstable();
            assert_eq!(order.len(), channels.len());
            let exact: Vec<i128> = order.iter().map(|&(_, at)| credit.payouts[at]).collect();
            let shares = round(whole / unit, &exact, FRACTION * i128::from(unit));
            assert_eq!(shares.iter().sum::<i64>() * unit, whole);
            for (&(channel, at), share) in order.iter().zip(shares) {
                let channel = core::str::from_utf8(channel).unwrap();
                let expected = &channels[channel];
                let place = format!("case {number}, {name}, {channel}");
                assert_eq!(share * unit, expected.payout, "{place}");
                let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{place}");
                near(credit.conversions[at], expected.conversions);
                if let Some(effect) = expected.removal_effect {
                    near(credit.effects[at], effect);
                }
            }
        }
    }
}

#[test]
fn the_known_example_has_its_known_answer() {
    let journeys = journeys(&[("C1>C2>C3", true), ("C1", false), ("C2>C3", false)]);
    let credit = journeys.credit(Model::Markov).unwrap();
    for (effect, expected) in credit.effects.iter().zip([0.5, 1.0, 1.0]) {
        assert!((effect - expected).abs() < 1e-12, "{effect}");
    }
    assert_eq!(shares(&journeys, Model::Markov), [360, 720, 720]);
}

#[test]
fn rules_give_credit_by_place_and_time() {
    let journeys = journeys(&[("A>B>B>C", true)]);
    for (model, expected) in [
        (Model::Last, [0, 0, 1800]),
        (Model::First, [1800, 0, 0]),
        (Model::Linear, [450, 900, 450]),
        (Model::Position(40, 40), [720, 360, 720]),
        (Model::Shapley, [600, 600, 600]),
        // Weights 1/8, 1/4 + 1/2, 1.
        (Model::TimeDecay(86_400), [120, 720, 960]),
    ] {
        assert_eq!(shares(&journeys, model), expected, "{model:?}");
    }
}

#[test]
fn markov_refuses_journeys_that_all_convert() {
    let rule = journeys(&[("A>B", true)])
        .credit(Model::Markov)
        .unwrap_err();
    assert!(rule.rule().contains("did not convert"));
}

/// The probability of a conversion with one channel removed, by simulating the chain step by step.
fn walked(paths: &[(Vec<u8>, bool)], removed: Option<u8>) -> f64 {
    use std::collections::HashMap;
    let mut moves: HashMap<Option<u8>, Vec<Option<Option<u8>>>> = HashMap::new();
    for (path, converts) in paths {
        let mut state = None;
        for &step in path {
            moves.entry(state).or_default().push(Some(Some(step)));
            state = Some(step);
        }
        moves
            .entry(state)
            .or_default()
            .push(converts.then_some(None));
    }
    let mut mass: HashMap<Option<u8>, f64> = HashMap::from([(None, 1.0)]);
    let mut sold = 0.0;
    for _ in 0..20_000 {
        let mut next: HashMap<Option<u8>, f64> = HashMap::new();
        for (state, amount) in mass {
            let Some(ways) = moves.get(&state) else {
                continue;
            };
            #[expect(clippy::cast_precision_loss)]
            let part = amount / ways.len() as f64;
            for way in ways {
                match way {
                    Some(Some(step)) if Some(*step) != removed => {
                        *next.entry(Some(*step)).or_default() += part;
                    }
                    Some(None) => sold += part,
                    _ => {}
                }
            }
        }
        mass = next;
        if mass.values().sum::<f64>() < 1e-13 {
            break;
        }
    }
    sold
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn removal_effects_are_those_of_walking_the_chain(mut paths in proptest::collection::vec((proptest::collection::vec(0_u8..4, 1..6), any::<bool>()), 2..12)) {
        paths.push((vec![0], false));
        paths.push((vec![1, 2], true));
        let mut journeys = Journeys::default();
        for (path, converts) in &paths {
            let names: Vec<[u8; 1]> = path.iter().map(|step| [b'A' + step]).collect();
            journeys.push(names.iter().map(|name| (name.as_slice(), 0)), 10_000, *converts);
        }
        let credit = journeys.credit(Model::Markov).unwrap();
        // A repeated touch collapses without changing an effect; the simulation keeps repeats.
        let whole = walked(&paths, None);
        for (channel, effect) in journeys.channels().zip(&credit.effects) {
            let without = walked(&paths, Some(channel[0] - b'A'));
            prop_assert!((effect - (1.0 - without / whole)).abs() < 1e-6, "{effect} {}", 1.0 - without / whole);
        }
        for model in [Model::Last, Model::First, Model::Linear, Model::Position(40, 40), Model::TimeDecay(1_000), Model::Shapley, Model::Markov] {
            let total: i64 = shares(&journeys, model).iter().sum();
            prop_assert_eq!(total, journeys.payout() / CENT);
        }
    }
}
