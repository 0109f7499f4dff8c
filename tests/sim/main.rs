//! A partition's core under a seeded scheduler: virtual time, a network that delays, drops, repeats and reorders, models that
//! are late or fail, a lease that lapses, a model that is replaced. What must hold is in `oracle.rs`, `follower.rs` and
//! `linear.rs`.
//!
//! `cargo test --test sim` runs a few dozen seeds. `cargo test --test sim -- --seeds 5000 --from 1000 --json` runs others; a
//! seed that fails fails again.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and reports"
)]

mod arguments;
mod cases;
mod client;
mod dice;
mod follower;
mod grid;
mod linear;
mod oracle;
mod world;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if arguments.list {
        cases::ALL.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let failed = match arguments.seeds {
        Some(seeds) => cases::run_seeds(arguments.from, seeds, arguments.json),
        None => cases::run(&arguments),
    };
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
