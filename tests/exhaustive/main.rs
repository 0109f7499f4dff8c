//! The protocol of configuration change, lease and migration as a small model, of which every state is looked at:
//!
//! `cargo test --release --no-default-features --features exhaustive --test exhaustive [-- NAME] [--json] [--tell]`
//!
//! Three nodes hold one partition. The simulator runs the product itself, along as many paths as there is time for; this
//! model is of the rules alone (`protocol` 1 to 5, 8, 13 to 15, 17, 18, 22), and takes every path there is within its bounds.
//! Each wrong variant of the rules gives a counterexample; `--tell` shows its steps.
//!
//! Bounded, by [`scope::Scope`]: nodes (3), partitions (1), entries that are prepared (1 or 2), faults (2), learners that are
//! added (1), successors that are appointed (0 or 1), copies of one proposal (2). Nothing else is: epochs, repetitions, reads
//! and the age of what is under way have no bound but these.
//!
//! A fault is a crash with an empty restart (at once, later or never), or that the control group or the primary takes a living node
//! to be silent. A pause beyond the lease and a cut are the latter: in every state each node may do nothing for as long as others
//! like, and frames may be lost, late, overtaken or repeated without being counted as faults.
//!
//! Abstracted:
//! - Time. A lease lasts for as long as its holder could wish, and ends when somebody waits for its end; that a grant lasts longer
//!   for its grantor than for its holder (rule 15) is taken for granted, and with it that of two leases the one granted later ends
//!   later at its grantor than the other at its holder. Grants take no time: a later one only keeps others waiting longer.
//! - Entries are their positions. A frame with entries has the whole log, not what follows a position; the copy for a learner is one
//!   such frame. The simulator and the chaos tests have the parts.
//! - The control group is a register that is changed by compare-and-set: proposals wait for any time, are applied, refused, or
//!   forgotten with their outcome unknown. Its leaders, tenures and quorums are not in the model; that it grants a sole holder no lease while
//!   it promotes another (rule 14) is.
//! - A replica that joins is proposed as soon as it has everything; what only keeps it waiting is left out, as are hints to repeat.
//! - A read is two steps, with anything between them: it reads in a tenure that has had its leases, and returns if the tenure has them
//!   then. One that has read all that was known when it began cannot be stale, and is not followed.
//! - Resets of lost partitions, scores, sessions, feeds.
//!
//! Two states count as one if their 64-bit fingerprints are equal.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a test may panic, and reports"
)]

mod check;
mod configuration;
mod grid;
mod log;
mod properties;
mod replica;
mod scope;
mod state;
mod variants;

use std::process::ExitCode;

use serde_json::json;

/// What is told on the command line.
#[derive(Default)]
struct Arguments {
    wanted: Vec<String>,
    json: bool,
    list: bool,
    tells: bool,
}

impl Arguments {
    /// Flags of Rust's own test harness are passed over.
    fn read() -> Self {
        let mut read = Self::default();
        for word in std::env::args().skip(1) {
            match word.as_str() {
                "--json" => read.json = true,
                "--list" => read.list = true,
                "--tell" => read.tells = true,
                flag if flag.starts_with('-') => {}
                _ => read.wanted.push(word),
            }
        }
        read
    }

    fn wants(&self, check: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|name| check.contains(name))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut passed, mut failed, mut unique, mut told) = (0, 0, 0, Vec::new());
    for check in check::all().iter().filter(|check| arguments.wants(&check.name)) {
        if arguments.list {
            println!("{}: test", check.name);
            continue;
        }
        let outcome = check.run(threads);
        *(if outcome.is_as_expected { &mut passed } else { &mut failed }) += 1;
        unique += check.unique_of_rules(&outcome);
        if arguments.json {
            told.push(check.json(&outcome));
        } else {
            check.print(&outcome, arguments.tells);
        }
    }
    if arguments.json {
        println!(
            "{}",
            json!({ "checks": told, "unique_states": unique, "passed": passed, "failed": failed })
        );
    } else if !arguments.list {
        println!(
            "{unique} unique states of the rules, all of them looked at\n{passed} passed, {failed} failed"
        );
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
