//! The promises, kept or broken under a seeded scheduler. `alone` has one partition's core by itself; `cluster` has three
//! nodes. A seed that fails fails again, in the same way.
//!
//! `cargo test --test sim` runs a few dozen seeds of each. `cargo test --release --test sim -- --seeds 5000 --from 1000
//! --json` runs others of the cluster, longer ones.
//!
//! `cargo test --release --features mutants --test sim -- --mutants [NAME..] [--rotate DAY] [--most SEEDS] [--json]` switches known
//! faults on, one at a time, and runs seeds of the cluster until one of them fails.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and reports"
)]

mod alone;
mod arguments;
mod asked;
mod cases;
mod cluster;
mod dice;
mod grid;
mod linear;
#[cfg(feature = "mutants")]
mod mutants;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.list {
        cases::ALL.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if arguments.mutants {
        return mutants(&arguments);
    }
    let failed = match arguments.seeds {
        Some(seeds) => cases::run_seeds(&arguments, seeds),
        None => cases::run(&arguments),
    };
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(feature = "mutants")]
fn mutants(arguments: &Arguments) -> ExitCode {
    mutants::run(arguments)
}

#[cfg(not(feature = "mutants"))]
fn mutants(arguments: &Arguments) -> ExitCode {
    eprintln!(
        "the mutants are not built in: --features mutants (--rotate {:?} --most {:?})",
        arguments.rotate, arguments.most
    );
    ExitCode::FAILURE
}
