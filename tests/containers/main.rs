//! The witness of the tests with containers: it does to the nodes what happens to nodes, while clients of its own read and
//! write through the SDK and record what they asked, when, and what they were answered; in the end it judges.
//!
//! `docker/test` starts the cluster, runs this, and removes the cluster again: a run is named there. It prints one JSON
//! object. `harness = false`, and no part of `cargo test`: without containers there is nothing to see.
//!
//! - [`scenario`]: what happens in each test, and its figures;
//! - [`load`]: the clients, each kind with the promise that it watches over;
//! - [`nodes`], [`cuts`]: what can be done to the containers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and reports"
)]

mod arguments;
mod clock;
mod clocks;
mod cluster;
mod cuts;
#[allow(dead_code, reason = "the simulator throws them in another way, too")]
#[path = "../sim/dice.rs"]
mod dice;
#[path = "../../benches/failover/keys.rs"]
mod keys;
#[allow(dead_code, reason = "the search is tried where it is at home")]
#[path = "../sim/linear.rs"]
mod linear;
mod load;
mod nodes;
mod percentile;
mod relay;
mod report;
mod scenario;
#[path = "../../benches/failover/waits.rs"]
mod waits;

use std::process::ExitCode;

use arguments::Arguments;
use report::Report;

/// What can fail says why.
type Told<T> = Result<T, String>;

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::new(&arguments);
    let told = scenario::run(&arguments, &mut report);
    let is_well = report.conclude(told);
    println!("{report}");
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
