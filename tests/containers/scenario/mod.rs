//! The tests: what happens to the nodes in each, one a file, and what is measured meanwhile.

mod failover;
mod partition;
mod pause;
mod rolling;
mod scale;
mod soak;
mod stage;
mod target;

use crate::Told;
use crate::arguments::Arguments;
use crate::report::Report;

/// Runs the test that was asked for.
pub(crate) fn run(arguments: &Arguments, report: &mut Report) -> Told<()> {
    match arguments.test.as_str() {
        "failover" => failover::run(arguments, report),
        "oracles" => crate::load::known_bad::run(),
        "partition" => partition::run(arguments, report),
        "pause" => pause::run(arguments, report),
        "rolling" => rolling::run(arguments, report),
        "scale" => scale::run(arguments, report),
        "soak" => soak::run(arguments, report),
        other => Err(format!("there is no test {other}")),
    }
}
