//! Which node is killed next.

use embergrid::wire::v1::{NodeStatus, StatusReply};

/// One kill in so many is the control leader's turn: as many as chance would hit in a cluster of three.
const LEADER_EVERY: u64 = 3;

/// A node that is about to be killed.
pub(crate) struct Target {
    pub(crate) name: String,
    /// Where clients reach it.
    pub(crate) address: String,
    /// Whether it leads the control group.
    pub(crate) leads_control: bool,
    /// Partitions that it leads.
    pub(crate) primaries: u32,
    /// Which start of it is killed.
    pub(crate) incarnation: u64,
}

impl Target {
    /// Of the nodes that lead partitions: the control leader where it is its turn, or else of the others the one that leads
    /// most. Where all partitions have come to one of the two, it is that one's turn.
    pub(crate) fn choose(status: &StatusReply, kill: u64) -> Self {
        let leads = |node: &&NodeStatus| node.name == status.leader;
        let primaries = || status.nodes.iter().filter(|node| node.primaries > 0);
        let leader = primaries().find(leads);
        let other = primaries().filter(|node| !leads(node)).max_by_key(|node| node.primaries);
        let is_leaders_turn = kill.is_multiple_of(LEADER_EVERY);
        let chosen = if is_leaders_turn { leader.or(other) } else { other.or(leader) };
        let node = chosen.expect("every partition has a primary");
        Self {
            name: node.name.clone(),
            address: node.addr.clone(),
            leads_control: leads(&node),
            primaries: node.primaries,
            incarnation: node.incarnation,
        }
    }

    /// Whether the node is back, and everything as it was before the kill.
    pub(crate) fn has_healed(&self, status: &StatusReply) -> bool {
        let is_back = |node: &NodeStatus| node.name == self.name && node.incarnation > self.incarnation;
        status.nodes.iter().any(is_back) && is_healthy(status)
    }
}

/// Whether a control leader is known, every node is up, and every partition has all its copies.
pub(crate) fn is_healthy(status: &StatusReply) -> bool {
    let whole = status.totals.is_some_and(|totals| totals.total > 0 && totals.healthy == totals.total);
    whole && !status.leader.is_empty() && status.nodes.iter().all(|node| node.state == "up")
}
