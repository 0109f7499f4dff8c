//! How far the replicas of a partition are, as its primary sees it.

use serde::{Deserialize, Serialize};

use super::{
    Core,
    replication::{Role, Standing},
};
use crate::types::{NodeId, PartitionId, Position};

/// What a primary knows of its partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The partition.
    pub partition: PartitionId,
    /// The last committed entry.
    pub position: Position,
    /// How many rows there are, in all maps.
    pub rows: u64,
    /// Its backups hold other rows, and nobody can say which are right.
    pub differs: bool,
    /// The other replicas.
    pub others: Vec<Progress>,
}

/// How far another replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Where it is.
    pub node: NodeId,
    /// Entries that it has not acknowledged.
    pub lag: u64,
    /// How many rows were copied to it, while it is being filled.
    pub copied: Option<u64>,
}

impl Core {
    /// What is known of the partition here; none where it is not led.
    pub fn account(&self) -> Option<Account> {
        let Role::Primary(tenure) = &self.role else { return None };
        let store = &self.ledger.store;
        let end = self.end().seq;
        let others = tenure.peers.all.iter().map(|peer| Progress {
            node: peer.replica.node,
            lag: end.0.saturating_sub(peer.acked.0),
            copied: match &peer.standing {
                Standing::Filling(sender) => Some(sender.copied()),
                _ => None,
            },
        });
        Some(Account {
            partition: self.partition(),
            position: self.position(),
            rows: store.maps().map(|map| store.len(map) as u64).sum(),
            differs: self.differs(),
            others: others.collect(),
        })
    }
}
