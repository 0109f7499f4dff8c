//! The simulator is tried itself: with each known fault, some seed must fail (`embergrid::mutant`).

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use embergrid::mutant::{Mutant, switch};
use serde_json::json;

use super::arguments::Arguments;
use super::cluster::Plan;
use super::seeds::{self, storm};

/// How many seeds a mutant may survive, unless told otherwise.
const SEEDS: u64 = 2_000;
/// Without a mutant, so many of the same seeds are clean.
const CLEAN: u64 = 48;
/// How many mutants a day has.
const A_DAY: usize = 5;

/// A seed that failed.
struct Caught {
    /// From 0.
    seed: u64,
    words: String,
}

/// Runs the mutants that are asked for: whether each was caught.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let chosen = match chosen(arguments) {
        Ok(chosen) => chosen,
        Err(unknown) => {
            eprintln!("there is no mutant `{unknown}`; there are:");
            Mutant::ALL.iter().for_each(|mutant| eprintln!("  {}", mutant.name()));
            return ExitCode::FAILURE;
        }
    };
    if let Some(seeds) = arguments.seeds {
        // To look into a run.
        switch(chosen.first().copied());
        return exit(seeds::run(arguments, seeds));
    }
    // A mutant may well make the product panic: that is a way to be caught.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(Caught { seed, words }) = hunt(CLEAN) {
        eprintln!("without a mutant, seed {seed} fails: {words}");
        return ExitCode::FAILURE;
    }
    let most = arguments.most.unwrap_or(SEEDS);
    let judged = chosen.into_iter().map(|mutant| (mutant, judge(mutant, most, arguments.json)));
    let verdicts: Vec<(Mutant, Option<Caught>)> = judged.collect();
    let survivors = verdicts.iter().filter(|(_, caught)| caught.is_none()).count();
    if arguments.json {
        let mutants: Vec<_> =
            verdicts.iter().map(|(mutant, caught)| told(*mutant, most, caught.as_ref())).collect();
        println!("{}", json!({ "mutants": mutants }));
    } else {
        println!("{} passed, {survivors} failed", verdicts.len() - survivors);
    }
    exit(survivors == 0)
}

fn exit(is_well: bool) -> ExitCode {
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Those that are named, or the next few of that day, or all.
fn chosen(arguments: &Arguments) -> Result<Vec<Mutant>, String> {
    if let Some(day) = arguments.rotate {
        let first = (day as usize).wrapping_mul(A_DAY);
        return Ok((0..A_DAY).map(|at| Mutant::ALL[(first + at) % Mutant::ALL.len()]).collect());
    }
    if arguments.names().is_empty() {
        return Ok(Mutant::ALL.to_vec());
    }
    let named = |name: &String| Mutant::ALL.iter().find(|mutant| mutant.name() == *name).copied();
    arguments.names().iter().map(|name| named(name).ok_or_else(|| name.clone())).collect()
}

/// Runs seeds with a mutant until one fails, and says so.
fn judge(mutant: Mutant, most: u64, is_quiet: bool) -> Option<Caught> {
    switch(Some(mutant));
    let caught = hunt(most);
    switch(None);
    let (name, rule) = (mutant.name(), mutant.rule());
    let line = match &caught {
        Some(Caught { seed, words }) => format!("{name} ({rule}) caught after {} seeds: {words}", seed + 1),
        None => format!("{name} ({rule}) NOT CAUGHT in {most} seeds"),
    };
    if is_quiet {
        eprintln!("{line}")
    } else {
        println!("{line}")
    }
    caught
}

fn told(mutant: Mutant, most: u64, caught: Option<&Caught>) -> serde_json::Value {
    json!({
        "name": mutant.name(),
        "caught": caught.is_some(),
        "seeds": caught.map_or(most, |caught| caught.seed + 1),
        "rule": mutant.rule(),
        "words": caught.map(|caught| &caught.words),
    })
}

/// Short and long storms, and moves alone, in turn: some faults show in one of them only.
fn plan(seed: u64) -> Plan {
    match seed % 3 {
        0 => Plan::short(),
        1 => Plan::full(),
        _ => Plan { only_moves: true, ..Plan::short() },
    }
}

/// The first of the seeds that fails, whichever processor is quicker.
fn hunt(seeds: u64) -> Option<Caught> {
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(seeds));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= failed.load(Ordering::Relaxed) {
                return None;
            }
            if let Err(words) = storm(seed, &plan(seed)) {
                failed.fetch_min(seed, Ordering::Relaxed);
                return Some(Caught { seed, words: shortened(&words) });
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let caught = workers.into_iter().filter_map(|worker| worker.join().expect("panics are caught"));
        caught.min_by_key(|caught| caught.seed)
    })
}

/// The beginning of what is said.
fn shortened(words: &str) -> String {
    const MOST: usize = 140;
    let line = words.lines().next().unwrap_or_default();
    line.chars().take(MOST).collect()
}
