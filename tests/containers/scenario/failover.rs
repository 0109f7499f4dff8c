//! A node that leads partitions is killed, again and again: how long until every caller's writes are acknowledged again?
//!
//! A round: SIGKILL; when every caller has had a write acknowledged that began after the kill, and a second more, the node is
//! started again; when the cluster is whole, the next round begins. Every third kill hits the leader of the control group.
//! The figure of a kill is the longest time that any caller went without an acknowledged write from then until the node's
//! start: that of the slowest partition. It contains the callers' pause of 100 ms.

use std::time::Duration;

use embergrid::wire::v1::NodeStatus;
use serde_json::json;

use super::stage::{self, NODES, calm};
use super::target::choose;
use crate::Told;
use crate::arguments::Arguments;
use crate::clock::{now, wait_until};
use crate::cluster::{Cluster, HANGS, is_whole};
use crate::load::Load;
use crate::nodes::Node;
use crate::percentile;
use crate::report::Report;

/// One kill in so many is the control leader's turn: as many as chance would hit in a cluster of three.
const LEADER_EVERY: u64 = 3;

/// A wait that is told of.
const SLOW: Duration = Duration::from_secs(1);

/// What one kill did.
struct Kill {
    leads_control: bool,
    /// The longest that a caller went without an acknowledged write, from the kill on.
    wait: Duration,
    /// The same while the node came back and was filled again.
    wait_at_return: Duration,
}

/// Kills as many as were asked for.
pub(super) fn run(arguments: &Arguments, report: &mut Report) -> Told<()> {
    let runtime = stage::runtime()?;
    let (cluster, load) = stage::begin(&runtime, arguments)?;
    let mut kills = Vec::new();
    let killed: Told<()> = (0..arguments.kills).try_for_each(|turn| {
        kills.push(kill_one(&cluster, &load, turn)?);
        Ok(())
    });
    add(report, &kills);
    stage::end(&runtime, load, &NODES, report, killed)
}

fn kill_one(cluster: &Cluster<'_>, load: &Load, turn: u64) -> Told<Kill> {
    calm(1.0);
    let status = cluster.wait_for("the cluster is whole", |status| is_whole(status, NODES.len()))?;
    let target = choose(&status, turn.is_multiple_of(LEADER_EVERY))?;
    let node = Node::named(&target.name)?;
    load.waits(|waits| waits.begin(now()));
    node.kill()?;
    wait_until("all callers write again", HANGS, || match load.waits(|waits| waits.waiting()) {
        0 => Ok(()),
        waiting => Err(format!("{waiting} callers wait")),
    })?;
    calm(1.0);
    let restarted = now();
    let (wait, slow) = load.waits(|waits| {
        let found = (waits.longest(restarted), waits.longer_than(SLOW, restarted));
        waits.begin(restarted);
        found
    });
    node.start()?;
    let is_back = |found: &NodeStatus| found.name == target.name && found.incarnation > target.incarnation;
    cluster.wait_for("the killed node is back", |status| {
        is_whole(status, NODES.len()) && status.nodes.iter().any(is_back)
    })?;
    let wait_at_return = load.waits(|waits| waits.longest(now()));
    let leads_control = status.leader == target.name;
    eprintln!(
        "kill {}: {} ({}primary of {}): callers waited {wait:.0?} at most, {slow} of them over {SLOW:?}; whole {:.1?} after its start, waits of {:.0?} \
         meanwhile",
        turn + 1,
        target.name,
        if leads_control { "the control leader, " } else { "" },
        target.primaries,
        restarted.elapsed(),
        wait_at_return,
    );
    Ok(Kill { leads_control, wait, wait_at_return })
}

fn add(report: &mut Report, kills: &[Kill]) {
    let waits = |leads: bool| -> Vec<Duration> {
        kills.iter().filter(|kill| kill.leads_control == leads).map(|kill| kill.wait).collect()
    };
    let at_return: Vec<Duration> = kills.iter().map(|kill| kill.wait_at_return).collect();
    report.add("kills", kills.len());
    for (group, waits) in
        [("resume", waits(false)), ("leader_resume", waits(true)), ("return_wait", at_return)]
    {
        report.add(&format!("{group}_kills"), waits.len());
        for percent in [50, 99, 100] {
            report.add(&format!("{group}_ms_p{percent}"), json!(percentile::of(percent, &waits)));
        }
    }
}
