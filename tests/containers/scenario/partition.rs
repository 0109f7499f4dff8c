//! A node that leads partitions is cut off from its peers, one way, both ways, and from one of them alone, while its clients
//! still reach it.
//!
//! A round: the cut; after `SETTLE` whatever the node leased has ended; until the cut is lifted it answers nobody. Every
//! other round hits the leader of the control group.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::stage::{self, NODES, calm};
use super::target::choose;
use crate::Told;
use crate::arguments::Arguments;
use crate::clock::now;
use crate::cluster::{Cluster, is_whole};
use crate::cuts::{self, Way};
use crate::dice::Dice;
use crate::load::Load;
use crate::nodes::Node;
use crate::report::Report;

/// From the cut on: the longest lease (well below a second), and room for a busy machine.
const SETTLE: f64 = 2.0;
/// Then the cut stays for so long.
const STAYS: f64 = 6.0;

/// Every way, with each role.
pub(super) fn run(arguments: &Arguments, report: &mut Report) -> Told<()> {
    let runtime = stage::runtime()?;
    let (cluster, mut load) = stage::begin(&runtime, arguments)?;
    load.pin(&runtime, &NODES, &mut Dice::new(arguments.seed ^ 0x70_696e));
    let mut rounds = Vec::new();
    let cut = cut_all(&cluster, &load, &mut rounds);
    report.add("rounds", rounds);
    report.add("answered_after_fencing", *cut.as_ref().unwrap_or(&0));
    let fenced = cut.and_then(|answered| match answered {
        0 => Ok(()),
        many => Err(format!("{many} answers of a node that was cut off for longer than its leases")),
    });
    stage::end(&runtime, load, &NODES, report, fenced)
}

/// How many answers there were that must not be.
fn cut_all(cluster: &Cluster<'_>, load: &Load, rounds: &mut Vec<Value>) -> Told<u64> {
    let ways = [(Way::Both, false), (Way::Deaf, false), (Way::Mute, false), (Way::Both, true)];
    let mut after_fencing = 0;
    for leads in [true, false] {
        for (way, from_one) in ways {
            let (round, answered) = cut_one(cluster, load, way, from_one, leads)?;
            eprintln!("{round}");
            rounds.push(round);
            after_fencing += answered;
        }
    }
    Ok(after_fencing)
}

fn cut_one(cluster: &Cluster<'_>, load: &Load, way: Way, from_one: bool, leads: bool) -> Told<(Value, u64)> {
    calm(1.0);
    let status = cluster.wait_for("the cluster is whole", |status| is_whole(status, NODES.len()))?;
    let target = choose(&status, leads)?;
    let node = Node::named(&target.name)?;
    let peer = NODES.into_iter().find(|peer| from_one && *peer != node);
    load.waits(|waits| waits.begin(now()));
    cuts::cut(node, way, peer)?;
    calm(SETTLE);
    let from = now();
    calm(STAYS);
    let until = now();
    let wait = load.waits(|waits| waits.longest(until));
    let healing = now();
    cuts::heal(node)?;
    cluster.wait_for("the cluster is whole again", |status| is_whole(status, NODES.len()))?;
    let served = load.served(node, from, until);
    // Cut off from one peer alone it may well go on, by way of the other.
    let answered = if from_one { 0 } else { served.reads + served.writes };
    let round = json!({
        "node": target.name, "way": way.name(), "from": peer.map(Node::name), "leader": status.leader == target.name,
        "primaries": target.primaries, "wait_ms": ms(wait), "heal_ms": ms(since(healing)),
        "acknowledged_while_cut": served.writes, "read_while_cut": served.reads,
    });
    Ok((round, answered))
}

fn since(start: Instant) -> Duration {
    now() - start
}

fn ms(time: Duration) -> u64 {
    time.as_millis() as u64
}
