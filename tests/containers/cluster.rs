//! The cluster as it tells of itself.

use std::time::Duration;

use embergrid::client::Client;
use embergrid::wire::v1::{NodeStatus, StatusReply};
use tokio::runtime::Runtime;

use crate::Told;
use crate::clock::wait_until;
use crate::nodes::Node;

/// A cluster that needs longer than this for anything hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(300);

/// Somebody who asks for the cluster's status.
pub(crate) struct Cluster<'a> {
    runtime: &'a Runtime,
    client: Client,
}

impl<'a> Cluster<'a> {
    /// Asks through a client of its own.
    pub(crate) fn reach(runtime: &'a Runtime, nodes: &[Node]) -> Told<Self> {
        let client = runtime.block_on(connect(nodes))?;
        Ok(Self { runtime, client })
    }

    /// What the cluster says now.
    pub(crate) fn status(&self) -> Told<StatusReply> {
        self.runtime.block_on(self.client.status(false)).map_err(|error| error.to_string())
    }

    /// The first status of which `is_so` is true.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&StatusReply) -> bool) -> Told<StatusReply> {
        wait_until(what, HANGS, || match self.status() {
            Ok(status) if is_so(&status) => Ok(status),
            Ok(status) => Err(told(&status)),
            Err(refusal) => Err(refusal),
        })
    }
}

/// Connects to all of them.
pub(crate) async fn connect(nodes: &[Node]) -> Told<Client> {
    let addresses: Vec<String> = nodes.iter().map(|node| node.address()).collect();
    Client::connect(addresses.join(",")).await.map_err(|error| error.to_string())
}

/// Whether a control leader is known, so many nodes are up and filled, and every partition has all its copies. One that is
/// down for good is still told of for a while.
pub(crate) fn is_whole(status: &StatusReply, nodes: usize) -> bool {
    let healthy = status.totals.is_some_and(|totals| totals.total > 0 && totals.healthy == totals.total);
    let mut present = status.nodes.iter().filter(|node| node.state != "down");
    let at_rest = |node: &NodeStatus| node.state == "up" && node.learners == 0;
    healthy && !status.leader.is_empty() && present.clone().count() == nodes && present.all(at_rest)
}

/// Whether no node has two primaries, or two replicas, more than another.
pub(crate) fn is_even(status: &StatusReply) -> bool {
    let up = || status.nodes.iter().filter(|node| node.state == "up");
    let spread = |count: fn(&NodeStatus) -> u32| {
        up().map(count).max().unwrap_or(0) - up().map(count).min().unwrap_or(0)
    };
    spread(|node| node.primaries) <= 1 && spread(|node| node.primaries + node.backups) <= 1
}

/// A status in a line.
pub(crate) fn told(status: &StatusReply) -> String {
    let node = |node: &NodeStatus| {
        let NodeStatus { name, state, incarnation, primaries, backups, learners, .. } = node;
        format!(
            "{name} ({state}, start {incarnation}: {primaries} primaries, {backups} backups, {learners} learners)"
        )
    };
    let nodes: Vec<String> = status.nodes.iter().map(node).collect();
    format!("{:?}, led by {:?}: {}", status.totals.unwrap_or_default(), status.leader, nodes.join(", "))
}
