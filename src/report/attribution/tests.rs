//! Models against known answers, and against independent implementations.

use super::*;
use proptest::prelude::*;

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
    divide(
        journeys.payout() / CENT,
        &journeys.credit(model).unwrap().weights,
    )
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
