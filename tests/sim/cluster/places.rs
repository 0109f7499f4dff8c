//! What a node tells its clients of where the primaries are (`server::topology`).

use std::collections::BTreeSet;

use embergrid::catalog::Catalogue;
use embergrid::session::{Node, Topology};
use embergrid::types::NodeId;

/// The nodes that are heard, and those that are primaries whether heard or not.
pub(crate) fn places(catalogue: &Catalogue) -> Topology {
    let primaries: Vec<Option<NodeId>> =
        catalogue.configurations().iter().map(|held| held.primary_node()).collect();
    let leading: BTreeSet<NodeId> = primaries.iter().flatten().copied().collect();
    let named = catalogue.members().filter(|member| member.is_up() || leading.contains(&member.node.id));
    let node = |node: &embergrid::catalog::Node| Node { id: node.id, address: node.address.clone() };
    let nodes: Vec<Node> = named.map(|member| node(&member.node)).collect();
    let place = |id: NodeId| nodes.iter().position(|node| node.id == id).map(|at| at as u16);
    let primaries = primaries.into_iter().map(|node| node.and_then(place)).collect();
    Topology { cluster: catalogue.cluster, version: catalogue.placement, nodes, primaries }
}

/// Whether there is news in what follows, whatever the versions.
pub(crate) fn is_news(next: &Topology, last: &Topology) -> bool {
    next.cluster != last.cluster || next.nodes != last.nodes || next.primaries != last.primaries
}
