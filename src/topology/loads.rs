//! Who is to hold what is placed anew.

use std::collections::BTreeMap;

use crate::types::NodeId;

/// How much each of the nodes that may be given something holds.
#[derive(Clone, Debug, Default)]
pub struct Loads {
    nodes: BTreeMap<NodeId, Load>,
    /// How many partitions of a primary's node have a replica at another: what that one takes over, if they have no
    /// third, when the first fails.
    pairs: BTreeMap<(NodeId, NodeId), usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    replicas: usize,
    primaries: usize,
}

impl Loads {
    /// These nodes, holding nothing yet. Others are never chosen.
    pub fn new(nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let nodes = nodes.into_iter().map(|node| (node, Load::default())).collect();
        Loads { nodes, pairs: BTreeMap::new() }
    }

    /// Counts a partition's primary.
    pub fn add_primary(&mut self, node: NodeId) {
        if let Some(load) = self.nodes.get_mut(&node) {
            load.replicas += 1;
            load.primaries += 1;
        }
    }

    /// Counts another replica of a partition whose primary is at `primary`.
    pub fn add_replica(&mut self, primary: NodeId, node: NodeId) {
        if let Some(load) = self.nodes.get_mut(&node) {
            load.replicas += 1;
            *self.pairs.entry((primary, node)).or_default() += 1;
        }
    }

    /// Who gets a partition that nobody holds: the node with the fewest primaries.
    pub fn next_primary(&self) -> Option<NodeId> {
        let least = |(node, load): &(&NodeId, &Load)| (load.primaries, load.replicas, **node);
        self.nodes.iter().min_by_key(least).map(|(node, _)| *node)
    }

    /// Who gets one more replica of a partition: of the nodes that hold none of it the one with the fewest replicas,
    /// and among these the one that has the least to take over from that primary.
    pub fn next_replica(&self, primary: NodeId, is_holder: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let shared = |node| self.pairs.get(&(primary, node)).copied().unwrap_or_default();
        let least = |(node, load): &(&NodeId, &Load)| (load.replicas, shared(**node), **node);
        self.nodes.iter().filter(|(node, _)| !is_holder(**node)).min_by_key(least).map(|(node, _)| *node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_with_the_fewest_replicas_is_next() {
        let [a, b, c] = [1, 2, 3].map(NodeId);
        let mut loads = Loads::new([a, b, c]);
        assert_eq!(loads.next_primary(), Some(a));
        loads.add_primary(a);
        loads.add_replica(a, b);
        assert_eq!(loads.next_primary(), Some(c), "b holds more than c");
        assert_eq!(loads.next_replica(a, |node| node == a), Some(c));
        assert_eq!(loads.next_replica(a, |_| true), None);
        loads.add_primary(c);
        assert_eq!(loads.next_replica(a, |node| node == a), Some(c), "c has nothing of a's to take over yet");
        loads.add_primary(NodeId(9));
        assert_eq!(Loads::new([]).next_primary(), None);
    }
}
