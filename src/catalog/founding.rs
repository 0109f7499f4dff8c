//! The birth of a cluster.

use serde::{Deserialize, Serialize};

use super::{MAX_BACKUPS, MAX_NODES, MAX_PARTITIONS, Node, check_name};
use crate::types::{Error, NodeId, Result};

/// Copies of a partition beside its primary, unless a cluster's birth says otherwise.
pub const DEFAULT_BACKUP_COUNT: u8 = 1;
/// Replicas that must have an entry before it is committed, unless a cluster's birth says otherwise.
pub const DEFAULT_MIN_IN_SYNC: u8 = 1;

/// What a cluster is founded with, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founding {
    /// The cluster's id: random, not zero.
    pub cluster: u64,
    /// Fixed for ever.
    pub partition_count: u16,
    /// Copies of a partition beside its primary; fixed for ever.
    #[serde(default = "default_backup_count")]
    pub backup_count: u8,
    /// Replicas that must have an entry before it is committed, the primary included; fixed for ever.
    #[serde(default = "default_min_in_sync")]
    pub min_in_sync: u8,
    /// The node that proposes it.
    pub node: Node,
    /// Nodes that found the cluster with it. This is recorded as the first start of each: whoever of them cannot tell
    /// that it is the process that was asked must start once more.
    #[serde(default)]
    pub others: Vec<Node>,
}

pub(super) fn default_backup_count() -> u8 {
    DEFAULT_BACKUP_COUNT
}

pub(super) fn default_min_in_sync() -> u8 {
    DEFAULT_MIN_IN_SYNC
}

impl Founding {
    /// One node founds a cluster, with the defaults.
    pub fn alone(cluster: u64, partition_count: u16, node: Node) -> Self {
        Founding {
            cluster,
            partition_count,
            backup_count: DEFAULT_BACKUP_COUNT,
            min_in_sync: DEFAULT_MIN_IN_SYNC,
            node,
            others: Vec::new(),
        }
    }

    /// Everyone who founds it.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.node).chain(&self.others)
    }

    /// Refuses what no cluster could be.
    pub(super) fn check(&self) -> Result<()> {
        if self.cluster == 0 {
            return Err(Error::invalid("a cluster's id is not zero"));
        }
        if !(1..=MAX_PARTITIONS).contains(&self.partition_count) {
            return Err(Error::invalid(format!("a cluster cannot have {} partitions", self.partition_count))
                .hint(format!("the count lies between 1 and {MAX_PARTITIONS}")));
        }
        if self.backup_count > MAX_BACKUPS {
            return Err(Error::invalid(format!("a partition cannot have {} backups", self.backup_count))
                .hint(format!("the count lies between 0 and {MAX_BACKUPS}")));
        }
        if !(1..=self.backup_count + 1).contains(&self.min_in_sync) {
            return Err(Error::invalid(format!("min_in_sync = {} is out of range", self.min_in_sync)).hint(
                format!(
                    "with backup_count = {} it lies between 1 and {}",
                    self.backup_count,
                    self.backup_count + 1
                ),
            ));
        }
        self.check_nodes()
    }

    fn check_nodes(&self) -> Result<()> {
        if self.others.len() >= MAX_NODES {
            return Err(Error::invalid(format!("{} nodes cannot found a cluster", self.others.len() + 1))
                .hint(format!("a cluster has up to {MAX_NODES}")));
        }
        let mut ids: Vec<NodeId> = self.nodes().map(|node| node.id).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid(format!("the node {:016x} cannot found a cluster twice", twice[0].0)));
        }
        self.nodes().try_for_each(|node| check_name("node", &node.name))
    }
}
