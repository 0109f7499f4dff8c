//! What is run, and what is said about it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use super::arguments::Arguments;
use super::world::{Plan, Summary, World};

/// Seeds that a run of the tests tries.
const SEEDS: u64 = 50;

type Verdict = Result<(), String>;
type Case = fn() -> Verdict;

/// By name.
pub(crate) const ALL: [(&str, Case); 5] = [
    ("the_promises_hold", the_promises_hold),
    ("a_seed_replays_to_the_same_trace", a_seed_replays_to_the_same_trace),
    ("the_oracle_sees_a_wrong_score", the_oracle_sees_a_wrong_score),
    ("the_oracle_sees_a_request_that_takes_effect_twice", the_oracle_sees_a_request_that_takes_effect_twice),
    ("clients_see_a_stale_read", clients_see_a_stale_read),
];

/// Runs the cases that are wanted; how many failed.
pub(crate) fn run(arguments: &Arguments) -> usize {
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in ALL.iter().filter(|(name, _)| arguments.wants(name)) {
        match caught(case) {
            Ok(()) => {
                passed += 1;
                println!("test {name} ... ok");
            }
            Err(broken) => {
                failed += 1;
                println!("test {name} ... FAILED\n{broken}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    failed
}

/// Runs these seeds; how many failed.
pub(crate) fn run_seeds(from: u64, seeds: u64, as_json: bool) -> usize {
    let mut sum = Summary::default();
    let mut failures = Vec::new();
    for seed in from..from.saturating_add(seeds) {
        match caught(|| outcome(seed, &Plan::default())) {
            Ok(summary) => sum.add(&summary),
            Err(broken) => {
                eprintln!("{broken}");
                failures.push(json!({ "seed": seed, "broken": broken }));
            }
        }
    }
    let (passed, failed) = (seeds as usize - failures.len(), failures.len());
    if as_json {
        println!(
            "{}",
            json!({ "from": from, "seeds": seeds, "passed": passed, "failed": failures, "seen": sum })
        );
    } else {
        println!("{sum:?}\n{passed} passed, {failed} failed");
    }
    failed
}

/// A panic is a failure like any other.
fn caught<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()))
            .unwrap_or("it panicked".into()))
    })
}

fn outcome(seed: u64, plan: &Plan) -> Result<Summary, String> {
    caught(|| World::new(seed, plan).run()).map_err(|broken| format!("seed {seed}: {broken}"))
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn the_promises_hold() -> Verdict {
    let mut sum = Summary::default();
    for seed in 0..SEEDS {
        sum.add(&outcome(seed, &Plan::default())?);
    }
    // A run in which nothing went wrong proves nothing.
    let rare =
        [sum.repeated, sum.refused, sum.scored_late, sum.expired, sum.unserved, sum.overloaded, sum.overruns];
    ensure(rare.iter().all(|count| *count > 10), || format!("{sum:?}"))
}

fn a_seed_replays_to_the_same_trace() -> Verdict {
    let trace = |seed| outcome(seed, &Plan::default()).map(|summary| summary.trace);
    for seed in [3, 4] {
        let (first, second) = (trace(seed)?, trace(seed)?);
        ensure(first == second, || format!("seed {seed}: {first}, then {second}"))?;
    }
    ensure(trace(3)? != trace(4)?, || "two seeds, one trace".into())
}

/// The plan breaks something; the run must say so in these words.
fn is_seen(plan: &Plan, words: &str) -> Verdict {
    match outcome(1, plan) {
        Err(broken) if broken.contains(words) => Ok(()),
        other => Err(format!("nobody says `{words}`: {other:?}")),
    }
}

fn the_oracle_sees_a_wrong_score() -> Verdict {
    is_seen(&Plan { wrong_scores: true, ..Plan::default() }, "score")
}

fn the_oracle_sees_a_request_that_takes_effect_twice() -> Verdict {
    is_seen(&Plan { retries_with_new_numbers: true, ..Plan::default() }, "twice")
}

fn clients_see_a_stale_read() -> Verdict {
    is_seen(&Plan { stale_reads: true, ..Plan::default() }, "no order explains")
}
