//! All of it at once, for minutes, as a seed has it: what takes a node away overlaps with what disturbs the network and the
//! clocks. The nodes reach each other by way of a relay.
//!
//! One thing at a time takes a node's rows away, until every partition has all its copies again: more than that no grid in
//! memory survives. Everything else overlaps with it and with each other.

mod blow;
mod storm;

use std::time::Duration;

use serde_json::json;

use super::stage::{self, NODES};
use crate::Told;
use crate::arguments::Arguments;
use crate::clock::now;
use crate::clocks::Clocks;
use crate::cluster::is_whole;
use crate::dice::Dice;
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
    let start = now();
    let mut replaced = None;
    let mut storm = Storm::new(&relay, &clocks);
    let mut rounds = Vec::new();
    while start.elapsed() < Duration::from_secs(60 * arguments.minutes) {
        let status = cluster.wait_for("the cluster is whole", |status| is_whole(status, NODES.len()))?;
        let may_replace = replaced.is_none_or(|at| now() - at > BETWEEN_REPLACEMENTS);
        let blow = Blow::choose(&mut dice, &NODES, may_replace);
        let hits_leader = blow.node.name() == status.leader;
        if blow.is_replacement() {
            replaced = Some(now());
        }
        let began = now();
        eprintln!(
            "{:.1} s: {}{}",
            start.elapsed().as_secs_f64(),
            blow.told(),
            if hits_leader { ", the control leader" } else { "" }
        );
        storm.disturb(&mut dice)?;
        stage::calm(dice.below(3_000) as f64 / 1e3);
        blow.strike(arguments)?;
        stage::calm(dice.between(1_000, 5_000) as f64 / 1e3);
        storm.disturb(&mut dice)?;
        stage::calm(dice.between(1_000, 5_000) as f64 / 1e3);
        blow.mend(arguments)?;
        stage::calm(dice.below(4_000) as f64 / 1e3);
        storm.calm_down()?;
        let calm = now();
        blow.finish(&runtime, &cluster)?;
        cluster.wait_for("the cluster is whole again", |status| is_whole(status, NODES.len()))?;
        rounds.push((blow.name(), calm.elapsed(), began.elapsed()));
    }
    let (passed, lost) = relay.counts();
    report.add("rounds", rounds.len());
    report.add("faults", storm.counts(rounds.iter().map(|(name, ..)| *name)));
    report.add("packets_passed", passed);
    report.add("packets_lost", lost);
    let heals: Vec<Duration> = rounds.iter().map(|(_, heal, _)| *heal).collect();
    report.add("heal_ms_p50", json!(crate::percentile::of(50, &heals)));
    report.add("heal_ms_p100", json!(crate::percentile::of(100, &heals)));
    stage::end(&runtime, load, &NODES, report)
}
