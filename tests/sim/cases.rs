//! What a run of the tests tries, case by case.

use super::alone;
use super::arguments::Arguments;
use super::caught::caught;
use super::cluster::{Plan, Seen};
use super::floors;
use super::linear;
use super::seeds::{attempt, storm, storms};
use super::shrink::{Shrunk, shrink};

/// Seeds that a run of the tests tries.
const SEEDS: u64 = 50;
/// Among so many, one at least sees what is wrong with every seed.
const HUNTED: u64 = 100;

type Verdict = Result<(), String>;
type Case = fn() -> Verdict;

/// By name.
pub(crate) const ALL: [(&str, Case); 14] = [
    ("the_search_for_an_order_refuses_what_cannot_be", the_search_for_an_order_refuses_what_cannot_be),
    ("the_search_for_an_order_finds_one_where_one_is", the_search_for_an_order_finds_one_where_one_is),
    ("the_promises_hold", the_promises_hold),
    ("a_seed_replays_to_the_same_trace", a_seed_replays_to_the_same_trace),
    ("the_oracle_sees_a_wrong_score", the_oracle_sees_a_wrong_score),
    ("the_oracle_sees_a_request_that_takes_effect_twice", the_oracle_sees_a_request_that_takes_effect_twice),
    ("clients_see_a_stale_read", clients_see_a_stale_read),
    ("a_seed_that_fails_is_cut_down", a_seed_that_fails_is_cut_down),
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

fn outcome(seed: u64, plan: &alone::Plan) -> Result<alone::Summary, String> {
    caught(|| alone::World::new(seed, plan).run()).map_err(|broken| format!("seed {seed}: {broken}"))
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
    let common: Vec<&str> = floors::common().collect();
    let missing = sum.each().into_iter().find(|(name, count)| **count == 0 && common.contains(name));
    let missing = missing.map(|(name, _)| name);
    ensure(missing.is_none(), || format!("there was no {}: {sum:?}", missing.unwrap_or_default()))
}

fn moves_refuse_no_write() -> Verdict {
    let mut sum = Seen::default();
    for result in storms(0, SEEDS / 2, &Plan { only_moves: true, ..Plan::short() }) {
        sum.add(&result?);
    }
    let rare = [sum.handed_over, sum.forwarded, sum.retired, sum.joined, sum.drained];
    ensure(rare.iter().all(|count| *count > 10), || format!("{sum:?}"))
}

fn a_seed_of_three_nodes_replays_to_the_same_trace() -> Verdict {
    let trace = |seed| storm(seed, &Plan::short()).map(|seen| seen.trace);
    let mut traces = Vec::new();
    for seed in 0..3 {
        let (first, second) = (trace(seed)?, trace(seed)?);
        ensure(first == second, || format!("seed {seed}: {first:x}, then {second:x}"))?;
        traces.push(first);
    }
    traces.dedup();
    ensure(traces.len() == 3, || format!("two seeds, one trace: {traces:x?}"))
}

/// The plan breaks something; one of a few runs must say so in these words.
fn is_caught(plan: &Plan, words: &str) -> Verdict {
    let mut others = Vec::new();
    for seed in 0..HUNTED {
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

fn the_search_for_an_order_refuses_what_cannot_be() -> Verdict {
    let explained = linear::known::wrongly_explained();
    ensure(explained.is_empty(), || format!("an order is found for {explained:?}"))
}

fn the_search_for_an_order_finds_one_where_one_is() -> Verdict {
    let refused = linear::known::wrongly_refused();
    ensure(refused.is_empty(), || format!("no order is found for {refused:?}"))
}

/// Nodes that do not look at the lease fail after some trouble or other: most of what there was has nothing to do with it.
fn a_seed_that_fails_is_cut_down() -> Verdict {
    let plan = Plan { unchecked_reads: true, ..Plan::short() };
    let failing =
        (0..HUNTED).filter(|seed| attempt(*seed, &plan).is_err_and(|failure| failure.troubles.len() >= 4));
    // A failure may take most of its troubles to come about: of a few, one does not.
    let is_small = |small: &Shrunk| small.failure.troubles.len() * 2 <= small.before;
    let cut_down = |seed| shrink(seed, &plan, 2).filter(|small| is_small(small)).map(|small| (seed, small));
    let (seed, small) = failing
        .take(5)
        .find_map(cut_down)
        .ok_or("no seed fails after a few troubles and is cut down to half of them")?;
    let once_more = attempt(seed, &small.plan).err();
    let is_same = once_more.as_ref().is_some_and(|failure| failure.broken == small.failure.broken);
    ensure(is_same, || format!("seed {seed} does not fail as {small:?}, but {once_more:?}"))
}
