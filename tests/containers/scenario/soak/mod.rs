//! All of it at once, for minutes, as a seed has it: what takes a node away overlaps with what disturbs the network and the
//! clocks. The nodes reach each other by way of a relay.
//!
//! One thing at a time takes a node's rows away, until every partition has all its copies again: more than that no grid in
//! memory survives. Everything else overlaps with it and with each other.

mod blow;
mod storm;

use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;

use super::stage::{self, NODES, calm};
use crate::Told;
use crate::arguments::Arguments;
use crate::clock::now;
use crate::clocks::Clocks;
use crate::cluster::{Cluster, is_whole};
use crate::dice::Dice;
use crate::percentile;
use crate::relay::Relay;
use crate::report::Report;
use blow::Blow;
use storm::Storm;

/// A voter that is gone for good is replaced after a minute; another one must not go before.
const BETWEEN_REPLACEMENTS: Duration = Duration::from_secs(120);

/// The relay and up to five nodes share this machine with the clients.
const LEISURE: u32 = 3;

/// For as many minutes as were asked for.
pub(super) fn run(arguments: &Arguments, report: &mut Report) -> Told<()> {
    let relay = Relay::open(arguments.seed)?;
    let clocks = Clocks::of(arguments.clocks.as_deref())?;
    let runtime = stage::runtime()?;
    let (cluster, mut load) = stage::begin_at(&runtime, arguments, LEISURE)?;
    let mut dice = Dice::new(arguments.seed ^ 0x736f_616b);
    load.pin(&runtime, &NODES, &mut dice);
    let mut storm = Storm::new(&relay, &clocks);
    let (start, mut replaced) = (now(), None);
    let (mut blows, mut heals) = (Vec::new(), Vec::new());
    let mut happened = Ok(());
    while happened.is_ok() && start.elapsed() < Duration::from_secs(60 * arguments.minutes) {
        let may_replace = replaced.is_none_or(|at| now() - at > BETWEEN_REPLACEMENTS);
        let blow = Blow::choose(&mut dice, &NODES, may_replace);
        if blow.is_replacement() {
            replaced = Some(now());
        }
        eprintln!("{:.1} s: {}", start.elapsed().as_secs_f64(), blow.told());
        blows.push(blow.name());
        happened = round(arguments, &runtime, &cluster, &blow, &mut storm, &mut dice)
            .map(|heal| heals.push(heal))
            .map_err(|failure| format!("{}: {failure}", blow.told()));
    }
    let (passed, lost) = relay.counts();
    report.add("rounds", heals.len());
    report.add("faults", storm.counts(&blows));
    report.add("packets_passed", passed);
    report.add("packets_lost", lost);
    report.add("heal_ms_p50", json!(percentile::of(50, &heals)));
    report.add("heal_ms_p100", json!(percentile::of(100, &heals)));
    stage::end(&runtime, load, &NODES, report, happened)
}

/// One blow within the storm; how long it took until all was whole again, from the end of the storm on.
fn round(
    arguments: &Arguments,
    runtime: &Runtime,
    cluster: &Cluster<'_>,
    blow: &Blow,
    storm: &mut Storm<'_>,
    dice: &mut Dice,
) -> Told<Duration> {
    storm.disturb(dice)?;
    calm(dice.below(3_000) as f64 / 1e3);
    blow.strike(arguments)?;
    calm(dice.between(1_000, 5_000) as f64 / 1e3);
    storm.disturb(dice)?;
    calm(dice.between(1_000, 5_000) as f64 / 1e3);
    blow.mend(arguments)?;
    calm(dice.below(4_000) as f64 / 1e3);
    storm.calm_down()?;
    let calmed = now();
    blow.finish(runtime, cluster)?;
    cluster.wait_for("the cluster is whole again", |status| is_whole(status, NODES.len()))?;
    Ok(calmed.elapsed())
}
