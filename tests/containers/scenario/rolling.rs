//! Every node is restarted in turn as an operator would do it (SIGTERM: it gives away what it holds), and at last one is
//! replaced: its volume is removed, and somebody else starts in its place. No operation is refused.

use serde_json::{Value, json};

use super::stage::{self, NODES, calm};
use crate::Told;
use crate::arguments::Arguments;
use crate::clock::now;
use crate::cluster::{Cluster, is_whole};
use crate::load::Load;
use crate::nodes::Node;
use crate::report::Report;

/// Once around, and a replacement.
pub(super) fn run(arguments: &Arguments, report: &mut Report) -> Told<()> {
    let runtime = stage::runtime()?;
    let (cluster, load) = stage::begin(&runtime, arguments)?;
    let mut rounds = Vec::new();
    let turned = turn(arguments, &cluster, &load, &mut rounds);
    report.add("rounds", rounds);
    let refused = load.book().refused();
    let happened = turned.and_then(|()| match refused {
        0 => Ok(()),
        many => Err(format!("{many} operations were refused")),
    });
    stage::end(&runtime, load, &NODES, report, happened)
}

fn turn(arguments: &Arguments, cluster: &Cluster<'_>, load: &Load, rounds: &mut Vec<Value>) -> Told<()> {
    for node in NODES {
        rounds.push(round("restarted", cluster, load, node, || node.start())?);
    }
    let replaced = Node(1 + arguments.seed as usize % NODES.len());
    let back = || {
        replaced.remove()?;
        replaced.create(&arguments.compose)
    };
    rounds.push(round("replaced", cluster, load, replaced, back)?);
    Ok(())
}

/// The node stops; what it takes to have it, or another, back.
fn round(
    what: &str,
    cluster: &Cluster<'_>,
    load: &Load,
    node: Node,
    back: impl FnOnce() -> Told<()>,
) -> Told<Value> {
    calm(1.0);
    cluster.wait_for("the cluster is whole", |status| is_whole(status, NODES.len()))?;
    let refused = load.book().refused();
    load.waits(|waits| waits.begin(now()));
    let start = now();
    node.stop()?;
    let stopped_ms = start.elapsed().as_millis() as u64;
    calm(1.0);
    let start = now();
    back()?;
    let name = node.name();
    cluster.wait_for("the node is back", |status| {
        let is_up = status.nodes.iter().any(|node| node.name == name && node.state == "up");
        is_up && is_whole(status, NODES.len())
    })?;
    let wait = load.waits(|waits| waits.longest(now()));
    let round = json!({
        "node": name, "what": what, "stop_ms": stopped_ms, "back_ms": start.elapsed().as_millis() as u64,
        "wait_ms": wait.as_millis() as u64, "refused": load.book().refused() - refused,
    });
    eprintln!("{round}");
    Ok(round)
}
