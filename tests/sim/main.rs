//! A partition's core under a seeded scheduler: virtual time, a network that delays, drops, repeats and reorders, models that
//! are late or fail, a lease that lapses, a model that is replaced. What must hold is in `oracle.rs`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod client;
mod dice;
mod follower;
mod grid;
mod oracle;
mod world;

use world::{Plan, World};

/// Seeds a run of the tests tries.
const SEEDS: u64 = 40;

fn outcome(seed: u64, plan: &Plan) -> Result<world::Summary, String> {
    World::new(seed, plan).run().map_err(|broken| format!("seed {seed}: {broken}"))
}

#[test]
fn the_promises_hold() {
    let mut sum = world::Summary::default();
    for seed in 0..SEEDS {
        sum.add(&outcome(seed, &Plan::default()).unwrap());
    }
    // A run in which nothing went wrong proves nothing.
    let rare =
        [sum.repeated, sum.refused, sum.scored_late, sum.expired, sum.unserved, sum.overloaded, sum.overruns];
    assert!(rare.iter().all(|count| *count > 10), "{sum:?}");
}

#[test]
fn a_seed_replays_to_the_same_trace() {
    for seed in [3, 4] {
        let [first, second] = [0, 1].map(|_| outcome(seed, &Plan::default()).unwrap());
        assert_eq!(first, second, "seed {seed}");
    }
    assert_ne!(outcome(3, &Plan::default()).unwrap().trace, outcome(4, &Plan::default()).unwrap().trace);
}

#[test]
fn the_oracle_sees_a_wrong_score() {
    let plan = Plan { wrong_scores: true, ..Plan::default() };
    let broken = outcome(1, &plan).unwrap_err();
    assert!(broken.contains("score"), "{broken}");
}

#[test]
fn the_oracle_sees_a_request_that_takes_effect_twice() {
    let plan = Plan { retries_with_new_numbers: true, ..Plan::default() };
    let broken = outcome(1, &plan).unwrap_err();
    assert!(broken.contains("twice"), "{broken}");
}
