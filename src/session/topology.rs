//! Where the primaries are, as a node told.

use super::{
    calling::Operation,
    link::{Link, LinkId},
    machine::{Session, State},
};
use crate::types::{NodeId, PlacementVersion};

/// The nodes of a cluster, and which of them is the primary of each partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// The cluster.
    pub cluster: u64,
    /// Of two, the higher is later.
    pub version: PlacementVersion,
    /// The nodes that take operations.
    pub nodes: Vec<Node>,
    /// By partition: the primary's index in `nodes`; none if nobody is.
    pub primaries: Vec<Option<u16>>,
}

/// A node, and where clients reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The node.
    pub id: NodeId,
    /// `host:port`.
    pub address: String,
}

impl Topology {
    /// The node of this id.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// Whether it says the same as another, whatever the versions.
    pub(super) fn agrees_with(&self, other: &Topology) -> bool {
        self.cluster == other.cluster && self.nodes == other.nodes && self.primaries == other.primaries
    }
}

impl<O: Operation> Session<O> {
    /// The latest topology.
    pub fn topology(&self) -> Option<&Topology> {
        self.topology.as_ref()
    }

    /// Whether the latest topology names a node.
    pub fn is_listed(&self, node: NodeId) -> bool {
        self.topology.as_ref().is_some_and(|topology| topology.node(node).is_some())
    }

    /// A node has told where the primaries are. What is not under way is led there; true if that is news.
    pub fn handle_topology(&mut self, topology: Topology, now_us: u64) -> bool {
        let is_ours = self.identity.is_some_and(|identity| identity.cluster == topology.cluster);
        let is_later = self.topology.as_ref().is_none_or(|before| before.version < topology.version);
        if !is_ours || !is_later || topology.primaries.is_empty() {
            return false;
        }
        let is_news = self.topology.as_ref().is_none_or(|before| !before.agrees_with(&topology));
        let links: Vec<LinkId> = topology.nodes.iter().map(|node| self.link_to(node.id)).collect();
        let link = |node: &Option<u16>| node.and_then(|node| links.get(usize::from(node)).copied());
        self.primaries = topology.primaries.iter().map(link).collect();
        self.topology = Some(topology);
        if is_news {
            self.reroute();
            self.doubt(now_us);
        }
        is_news
    }

    /// Leads what waits, for room or for news, to where it belongs now.
    fn reroute(&mut self) {
        let mut tags = self.unqueue();
        let gone = |link: &Link| !link.is_open && !self.is_listed(link.node);
        let gone: Vec<usize> = self.links.iter().filter(|(_, link)| gone(link)).map(|(at, _)| at).collect();
        for at in gone {
            self.links.remove(at);
        }
        let astray = self.tags(|pending| matches!(pending.state, State::Parked { is_astray: true, .. }));
        for tag in &astray {
            if let Some(pending) = self.pending.get_mut(*tag as usize) {
                pending.attempts = 0;
            }
        }
        tags.extend(astray);
        self.enqueue(&tags);
    }

    /// Notes which nodes owe answers that are another's to give now. A node that is stopped or cut off never gives them.
    fn doubt(&mut self, now_us: u64) {
        let doubted: Vec<LinkId> = self.owed_elsewhere().collect();
        for link in doubted {
            if let Some(link) = self.links.get_mut(link.0) {
                link.doubted_us.get_or_insert(now_us);
            }
        }
    }
}
