//! Which node it hits.

use embergrid::wire::v1::{NodeStatus, StatusReply};

use crate::Told;

/// Of the nodes that lead partitions: the leader of the control group if asked, or else of the others the one that leads
/// most. Where all partitions have come to one of the two, that one.
pub(super) fn choose(status: &StatusReply, leads: bool) -> Told<NodeStatus> {
    let is_leader = |node: &&NodeStatus| node.name == status.leader;
    let primaries = || status.nodes.iter().filter(|node| node.primaries > 0 && node.state == "up");
    let leader = primaries().find(is_leader);
    let other = primaries().filter(|node| !is_leader(node)).max_by_key(|node| node.primaries);
    let chosen = if leads { leader.or(other) } else { other.or(leader) };
    chosen.cloned().ok_or_else(|| "nobody leads a partition".into())
}
