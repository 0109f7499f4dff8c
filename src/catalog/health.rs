//! How well a partition is kept.

use std::collections::BTreeSet;

use super::{Catalogue, Configuration};
use crate::{topology::Loads, types::NodeId};

/// How well a partition is kept, as far as the control group knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// It has all its replicas.
    Healthy,
    /// It takes writes, and has fewer replicas than it should: fewer than asked for at the cluster's birth, or than
    /// the cluster has nodes, if these are fewer.
    UnderReplicated,
    /// It takes no writes until nodes come back: those that have the rows are silent, or too few are in sync.
    Unavailable,
    /// Everyone who had the rows has restarted.
    Lost,
}

impl Health {
    /// The name used in JSON and messages.
    pub fn name(self) -> &'static str {
        match self {
            Health::Healthy => "healthy",
            Health::UnderReplicated => "under_replicated",
            Health::Unavailable => "unavailable",
            Health::Lost => "lost",
        }
    }
}

impl Catalogue {
    /// How well a partition of this configuration is kept.
    pub fn health(&self, configuration: &Configuration) -> Health {
        let in_sync = configuration.in_sync.len();
        if configuration.is_lost() {
            Health::Lost
        } else if in_sync < usize::from(self.min_in_sync) || !self.has_primary_up(configuration) {
            Health::Unavailable
        } else if in_sync < self.replicas_wanted().min(self.members.len()) {
            Health::UnderReplicated
        } else {
            Health::Healthy
        }
    }

    /// Replicas that a partition should have, its primary included.
    pub fn replicas_wanted(&self) -> usize {
        usize::from(self.backup_count) + 1
    }

    /// Whether a node is a member and heard.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.members.get(&node).is_some_and(|member| member.is_up())
    }

    /// The nodes that are heard.
    pub fn up(&self) -> BTreeSet<NodeId> {
        self.members.values().filter(|member| member.is_up()).map(|member| member.node.id).collect()
    }

    /// The nodes that are heard and not draining: they may be given something.
    pub fn staying(&self) -> BTreeSet<NodeId> {
        let staying = self.members.values().filter(|member| member.is_up() && !member.draining);
        staying.map(|member| member.node.id).collect()
    }

    pub(super) fn has_primary_up(&self, configuration: &Configuration) -> bool {
        configuration.primary_node().is_some_and(|node| self.is_up(node))
    }

    /// What these nodes hold; an eligible replica counts for nothing, since it is to go or to be admitted again.
    pub(super) fn loads(&self, nodes: impl IntoIterator<Item = NodeId>) -> Loads {
        let mut loads = Loads::new(nodes);
        for configuration in self.configurations.iter() {
            let Some(primary) = configuration.primary_node() else { continue };
            loads.add_primary(primary);
            let others = configuration.in_sync.iter().chain(&configuration.learners);
            others
                .filter(|other| other.node != primary)
                .for_each(|other| loads.add_replica(primary, other.node));
        }
        loads
    }
}
