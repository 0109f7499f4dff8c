//! What is run, and what is said about it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::alone;
use super::arguments::Arguments;
use super::cluster::{Plan, Seen, World};

/// Seeds that a run of the tests tries.
const SEEDS: u64 = 50;

type Verdict = Result<(), String>;
type Case = fn() -> Verdict;

/// By name.
pub(crate) const ALL: [(&str, Case); 11] = [
    ("the_promises_hold", the_promises_hold),
    ("a_seed_replays_to_the_same_trace", a_seed_replays_to_the_same_trace),
    ("the_oracle_sees_a_wrong_score", the_oracle_sees_a_wrong_score),
    ("the_oracle_sees_a_request_that_takes_effect_twice", the_oracle_sees_a_request_that_takes_effect_twice),
    ("clients_see_a_stale_read", clients_see_a_stale_read),
    ("three_nodes_keep_the_promises", three_nodes_keep_the_promises),
    ("moves_refuse_no_write", moves_refuse_no_write),
    ("a_seed_of_three_nodes_replays_to_the_same_trace", a_seed_of_three_nodes_replays_to_the_same_trace),
    (
        "three_nodes_that_do_not_look_at_the_lease_are_caught",
        three_nodes_that_do_not_look_at_the_lease_are_caught,
    ),
    ("clients_of_three_nodes_that_renumber_are_caught", clients_of_three_nodes_that_renumber_are_caught),
    ("three_nodes_with_a_wrong_model_are_caught", three_nodes_with_a_wrong_model_are_caught),
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

/// Runs these seeds of the cluster; how many failed.
pub(crate) fn run_seeds(arguments: &Arguments, seeds: u64) -> usize {
    let plan = if arguments.short { Plan::short() } else { Plan::full() };
    let plan = Plan { is_told: arguments.tell, ..plan };
    let from = arguments.from;
    let (mut sum, mut failures, mut traces) = (Seen::default(), Vec::new(), Vec::new());
    for (seed, result) in (from..).zip(storms(from, seeds, &plan)) {
        match result {
            Ok(seen) => {
                traces.push(json!({ "seed": seed, "trace": format!("{:016x}", seen.trace) }));
                sum.add(&seen);
            }
            Err(broken) => {
                eprintln!("{broken}");
                failures.push(json!({ "seed": seed, "broken": broken }));
            }
        }
    }
    let (passed, failed) = (seeds as usize - failures.len(), failures.len());
    if arguments.json {
        let found = json!({
            "from": from, "seeds": seeds, "passed": passed, "failed": failures, "seen": sum, "traces": traces
        });
        println!("{found}");
    } else {
        println!("{sum:?}\n{passed} passed, {failed} failed");
    }
    failed
}

/// Runs seeds on all processors; what came of each, in order.
fn storms(from: u64, seeds: u64, plan: &Plan) -> Vec<Result<Seen, String>> {
    let threads = if plan.is_told { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let next = AtomicU64::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seeds {
                return done;
            }
            done.push((at, storm(from + at, plan)));
        }
    };
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("panics are caught")).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
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

fn outcome(seed: u64, plan: &alone::Plan) -> Result<alone::Summary, String> {
    caught(|| alone::World::new(seed, plan).run()).map_err(|broken| format!("seed {seed}: {broken}"))
}

/// Three nodes in a storm; a failure says how to see it again.
pub(crate) fn storm(seed: u64, plan: &Plan) -> Result<Seen, String> {
    let short = if plan.storm_us < Plan::full().storm_us { " --short" } else { "" };
    caught(|| World::new(seed, plan).run()).map_err(|broken| {
        format!("{broken}\nagain: cargo test --release --test sim -- --seeds 1 --from {seed}{short}")
    })
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn the_promises_hold() -> Verdict {
    let mut sum = alone::Summary::default();
    for seed in 0..SEEDS {
        sum.add(&outcome(seed, &alone::Plan::default())?);
    }
    // A run in which nothing went wrong proves nothing.
    let rare =
        [sum.repeated, sum.refused, sum.scored_late, sum.expired, sum.unserved, sum.overloaded, sum.overruns];
    ensure(rare.iter().all(|count| *count > 10), || format!("{sum:?}"))
}

fn a_seed_replays_to_the_same_trace() -> Verdict {
    let trace = |seed| outcome(seed, &alone::Plan::default()).map(|summary| summary.trace);
    for seed in [3, 4] {
        let (first, second) = (trace(seed)?, trace(seed)?);
        ensure(first == second, || format!("seed {seed}: {first}, then {second}"))?;
    }
    ensure(trace(3)? != trace(4)?, || "two seeds, one trace".into())
}

/// The plan breaks something; the run must say so in these words.
fn is_seen(plan: &alone::Plan, words: &str) -> Verdict {
    match outcome(1, plan) {
        Err(broken) if broken.contains(words) => Ok(()),
        other => Err(format!("nobody says `{words}`: {other:?}")),
    }
}

fn the_oracle_sees_a_wrong_score() -> Verdict {
    is_seen(&alone::Plan { wrong_scores: true, ..alone::Plan::default() }, "score")
}

fn the_oracle_sees_a_request_that_takes_effect_twice() -> Verdict {
    is_seen(&alone::Plan { retries_with_new_numbers: true, ..alone::Plan::default() }, "twice")
}

fn clients_see_a_stale_read() -> Verdict {
    is_seen(&alone::Plan { stale_reads: true, ..alone::Plan::default() }, "no order explains")
}

fn three_nodes_keep_the_promises() -> Verdict {
    let mut sum = Seen::default();
    for result in storms(0, SEEDS, &Plan::short()) {
        sum.add(&result?);
    }
    // What each of these counts is sure to be seen in so many seeds.
    let rare = sum.each().into_iter().find(|(_, count)| **count == 0).map(|(name, _)| name);
    ensure(rare.is_none(), || format!("there was no {}: {sum:?}", rare.unwrap_or_default()))
}

fn moves_refuse_no_write() -> Verdict {
    let mut sum = Seen::default();
    for result in storms(0, SEEDS, &Plan { only_moves: true, ..Plan::short() }) {
        sum.add(&result?);
    }
    let rare = [sum.handed_over, sum.forwarded, sum.retired, sum.joined, sum.drained];
    ensure(rare.iter().all(|count| *count > 10), || format!("{sum:?}"))
}

fn a_seed_of_three_nodes_replays_to_the_same_trace() -> Verdict {
    let trace = |seed| storm(seed, &Plan::short()).map(|seen| seen.trace);
    let mut traces = Vec::new();
    for seed in 0..5 {
        let (first, second) = (trace(seed)?, trace(seed)?);
        ensure(first == second, || format!("seed {seed}: {first:x}, then {second:x}"))?;
        traces.push(first);
    }
    traces.dedup();
    ensure(traces.len() == 5, || format!("two seeds, one trace: {traces:x?}"))
}

/// The plan breaks something; one of a few runs must say so in these words.
fn is_caught(plan: &Plan, words: &str) -> Verdict {
    let mut others = Vec::new();
    for seed in 0..20 {
        match storm(seed, plan) {
            Err(broken) if broken.contains(words) => return Ok(()),
            other => others.extend(other.err()),
        }
    }
    Err(format!("nobody says `{words}`: {others:?}"))
}

fn three_nodes_that_do_not_look_at_the_lease_are_caught() -> Verdict {
    is_caught(&Plan { unchecked_reads: true, ..Plan::short() }, "an old read")
}

fn clients_of_three_nodes_that_renumber_are_caught() -> Verdict {
    is_caught(&Plan { new_numbers: true, ..Plan::short() }, "takes effect twice")
}

fn three_nodes_with_a_wrong_model_are_caught() -> Verdict {
    is_caught(&Plan { wrong_scores: true, ..Plan::short() }, "is wrong")
}
