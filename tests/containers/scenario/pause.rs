//! A node that leads partitions is stopped for longer than any lease (SIGSTOP for 10 s) and goes on as if nothing had been;
//! then a node's time of day is moved by an hour, forward and back, while it serves.
//!
//! What the stopped node answers afterwards must fit into the order that everybody saw: clients of its own ask it all the
//! time, and have questions waiting in it when it goes on.

use serde_json::{Value, json};

use super::stage::{self, NODES, calm};
use super::target::choose;
use crate::Told;
use crate::arguments::Arguments;
use crate::clock::now;
use crate::clocks::Clocks;
use crate::cluster::{Cluster, is_whole};
use crate::dice::Dice;
use crate::load::Load;
use crate::nodes::Node;
use crate::report::Report;

/// How long a node is stopped.
const STOPPED: f64 = 10.0;
/// How long a clock is off.
const OFF: f64 = 5.0;
const HOUR: i64 = 3_600;
/// What it takes to look at a clock at most.
const MINUTE: i64 = 60;

/// Both, with each role.
pub(super) fn run(arguments: &Arguments, report: &mut Report) -> Told<()> {
    let clocks = Clocks::of(arguments.clocks.as_deref())?;
    let runtime = stage::runtime()?;
    let (cluster, mut load) = stage::begin(&runtime, arguments)?;
    load.pin(&runtime, &NODES, &mut Dice::new(arguments.seed ^ 0x70_696e));
    let (mut pauses, mut jumps) = (Vec::new(), Vec::new());
    let happened = [true, false].into_iter().try_for_each(|leads| {
        pauses.push(pause_one(&cluster, &load, leads)?);
        [HOUR, -HOUR].into_iter().try_for_each(|seconds| {
            jumps.push(move_clock(&cluster, &load, &clocks, seconds, leads)?);
            Ok(())
        })
    });
    report.add("pauses", pauses);
    report.add("clock_jumps", jumps);
    stage::end(&runtime, load, &NODES, report, happened)
}

fn pause_one(cluster: &Cluster<'_>, load: &Load, leads: bool) -> Told<Value> {
    calm(1.0);
    let status = cluster.wait_for("the cluster is whole", |status| is_whole(status, NODES.len()))?;
    let target = choose(&status, leads)?;
    let node = Node::named(&target.name)?;
    load.waits(|waits| waits.begin(now()));
    node.pause()?;
    calm(STOPPED);
    let goes_on = now();
    let wait = load.waits(|waits| {
        let wait = waits.longest(goes_on);
        waits.begin(goes_on);
        wait
    });
    node.go_on()?;
    cluster.wait_for("the cluster is whole again", |status| is_whole(status, NODES.len()))?;
    let wait_at_return = load.waits(|waits| waits.longest(now()));
    let round = json!({
        "node": target.name, "leader": status.leader == target.name, "primaries": target.primaries,
        "wait_ms": wait.as_millis() as u64, "return_wait_ms": wait_at_return.as_millis() as u64,
        "heal_ms": goes_on.elapsed().as_millis() as u64,
    });
    eprintln!("stopped: {round}");
    Ok(round)
}

fn move_clock(cluster: &Cluster<'_>, load: &Load, clocks: &Clocks, seconds: i64, leads: bool) -> Told<Value> {
    calm(1.0);
    let status = cluster.wait_for("the cluster is whole", |status| is_whole(status, NODES.len()))?;
    let target = choose(&status, leads)?;
    let node = Node::named(&target.name)?;
    let refused = load.book().refused();
    load.waits(|waits| waits.begin(now()));
    let before = node.time_of_day_s()?;
    clocks.set(node, seconds)?;
    let moved = node.time_of_day_s()? - before;
    calm(OFF);
    clocks.set(node, 0)?;
    if (moved - seconds).abs() > MINUTE {
        return Err(format!(
            "the clock of {} was to move by {seconds} s, and moved by {moved} s",
            target.name
        ));
    }
    calm(1.0);
    let wait = load.waits(|waits| waits.longest(now()));
    let round = json!({
        "node": target.name, "leader": status.leader == target.name, "seconds": seconds,
        "wait_ms": wait.as_millis() as u64, "refused": load.book().refused() - refused,
    });
    eprintln!("clock moved: {round}");
    Ok(round)
}
