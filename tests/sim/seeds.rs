//! Many seeds of the cluster, on all processors, and what is said about them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::arguments::Arguments;
use super::caught::caught;
use super::cluster::{Plan, Seen, Trouble, World};
use super::{clock, floors};

/// Operations of definite outcome, without which a seed does not count.
pub(crate) const FEWEST_OPERATIONS: u64 = 2_000;

/// A way to run a seed.
type Run = fn(u64, &Plan) -> Result<Seen, String>;

/// What came of many seeds.
#[derive(Default)]
struct Report {
    passed: u64,
    /// Those that had enough to do, and what they saw.
    counted: u64,
    seen: Seen,
    failures: Vec<serde_json::Value>,
    traces: Vec<serde_json::Value>,
}

impl Report {
    fn add(&mut self, seed: u64, result: Result<Seen, String>) {
        match result {
            Ok(seen) => {
                self.passed += 1;
                self.traces.push(json!({ "seed": seed, "trace": format!("{:016x}", seen.trace) }));
                if seen.operations >= FEWEST_OPERATIONS {
                    self.counted += 1;
                    self.seen.add(&seen);
                }
            }
            Err(broken) => {
                self.failures.push(json!({ "seed": seed, "broken": broken }));
            }
        }
    }
}

/// Runs these seeds; true if all passed, and reached what they should.
pub(crate) fn run(arguments: &Arguments, seeds: u64) -> bool {
    let (plan, from) = (arguments.plan(), arguments.from);
    let run_one = if arguments.twice { twice } else { storm };
    let (mut report, begun) = (Report::default(), clock::now());
    for (seed, result) in (from..).zip(each(from, seeds, &plan, run_one)) {
        report.add(seed, result);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let a_minute = (report.counted as f64 * 60.0 / seconds) as u64;
    let floors = floors::reached(&report.seen, report.counted);
    let Report { passed, counted, seen, failures, traces } = report;
    let failed = failures.len();
    if arguments.json {
        let found = json!({
            "from": from, "seeds": seeds, "twice": arguments.twice, "passed": passed, "failed": failures, "counted": counted,
            "seconds": seconds, "counted_a_minute": a_minute, "seen": seen, "floors": floors, "traces": traces
        });
        println!("{found}");
    } else {
        println!("of the {counted} seeds that count, with {FEWEST_OPERATIONS} operations or more:");
        seen.clone().each().iter().for_each(|(name, count)| println!("{count:>12} {name}"));
        floors.iter().filter(|floor| floor.is_missed()).for_each(|floor| println!("{}", floor.say()));
        println!("{counted} of {seeds} seeds count, {a_minute} a minute");
        println!("{passed} passed, {failed} failed");
    }
    failed == 0 && !floors.iter().any(floors::Floor::is_missed)
}

/// Runs seeds on all processors; what came of each, in order.
pub(crate) fn storms(from: u64, seeds: u64, plan: &Plan) -> Vec<Result<Seen, String>> {
    each(from, seeds, plan, storm)
}

/// Runs seeds in that way, on all processors.
fn each(from: u64, seeds: u64, plan: &Plan, run: Run) -> Vec<Result<Seen, String>> {
    let threads = if plan.is_told { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let next = AtomicU64::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seeds {
                return done;
            }
            let result = run(from + at, plan);
            // At once: a run may be long, and cut short.
            if let Err(broken) = &result {
                eprintln!("{broken}");
            }
            done.push((at, result));
        }
    };
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("panics are caught")).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A seed that fails.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// What the oracle said, or a panic.
    pub(crate) broken: String,
    /// What had gone wrong by then.
    pub(crate) troubles: Vec<Trouble>,
}

/// One seed.
pub(crate) fn attempt(seed: u64, plan: &Plan) -> Result<Seen, Failure> {
    let mut world = World::new(seed, plan);
    let said = caught(|| world.run());
    said.map_err(|broken| Failure { broken, troubles: world.troubles().to_vec() })
}

/// One seed; a failure says how to see it again.
pub(crate) fn storm(seed: u64, plan: &Plan) -> Result<Seen, String> {
    attempt(seed, plan)
        .map_err(|failure| format!("seed {seed}: {}\nagain: {}", failure.broken, again(seed, plan)))
}

/// The same seed, twice: it must come to the same trace.
fn twice(seed: u64, plan: &Plan) -> Result<Seen, String> {
    let (first, second) = (storm(seed, plan)?, storm(seed, plan)?);
    match first == second {
        true => Ok(first),
        false => {
            Err(format!("seed {seed} comes to two traces: {:016x} and {:016x}", first.trace, second.trace))
        }
    }
}

/// The command that runs a seed again.
pub(crate) fn again(seed: u64, plan: &Plan) -> String {
    let arguments = plan.arguments();
    format!("cargo test --release --no-default-features --test sim -- --seeds 1 --from {seed}{arguments}")
}
