//! Who holds a partition.

use serde::{Deserialize, Serialize};

use crate::types::{Epoch, Generation, JoinId, NodeId};

/// Who holds a partition, and in which role. Changed only through the control group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Rises when what the partition held is given up.
    pub generation: Generation,
    /// Rises with every configuration.
    pub epoch: Epoch,
    /// The replica that orders and commits: one of `in_sync`.
    pub primary: JoinId,
    /// The replicas that have every committed entry.
    pub in_sync: Vec<Replica>,
    /// The replicas that are being filled.
    pub learners: Vec<Replica>,
    /// Removed replicas that may still be promoted, because nothing can have committed without them.
    pub eligible: Vec<Replica>,
}

/// One replica of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Replica {
    /// Fresh for each addition of a replica.
    pub join: JoinId,
    /// Where it is.
    pub node: NodeId,
}

impl Configuration {
    /// A partition held by one replica alone.
    pub fn sole(generation: Generation, epoch: Epoch, replica: Replica) -> Self {
        Configuration {
            generation,
            epoch,
            primary: replica.join,
            in_sync: vec![replica],
            learners: Vec::new(),
            eligible: Vec::new(),
        }
    }

    /// The node of the primary.
    pub fn primary_node(&self) -> Option<NodeId> {
        self.in_sync.iter().find(|replica| replica.join == self.primary).map(|replica| replica.node)
    }

    /// The replica that `node` holds, whatever its role.
    pub fn replica_at(&self, node: NodeId) -> Option<Replica> {
        self.in_sync
            .iter()
            .chain(&self.learners)
            .chain(&self.eligible)
            .find(|replica| replica.node == node)
            .copied()
    }
}
