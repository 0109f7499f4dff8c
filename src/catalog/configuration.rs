//! Who holds a partition.

use serde::{Deserialize, Serialize};

use crate::{
    mutant::Mutant,
    types::{Epoch, Generation, JoinId, NodeId, PartitionId, Tenure},
};

/// Who holds a partition, and in which role. Changed only through the control group.
///
/// A partition whose rows are lost is held by nobody: see [`Configuration::is_lost`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Rises when what the partition held is given up.
    pub generation: Generation,
    /// Rises with every configuration.
    pub epoch: Epoch,
    /// The replica that orders and commits: one of `in_sync`; [`JoinId::NOBODY`] if the partition is lost.
    pub primary: JoinId,
    /// The replicas that have every committed entry.
    pub in_sync: Vec<Replica>,
    /// The replicas that are being filled.
    pub learners: Vec<Replica>,
    /// Removed replicas that may still be promoted or admitted again, because nothing can have committed without them.
    pub eligible: Vec<Replica>,
    /// The backup to which the primary is to hand its role, as soon as it can.
    #[serde(default)]
    pub successor: Option<JoinId>,
    /// Whether the primary was handed its role by the one before, which had released its lease: the grants that it gave
    /// need not be waited out. It holds for the whole tenure.
    #[serde(default)]
    pub handed_over: bool,
    /// Counts the tenures of primaries within the generation. Where it has not moved between two configurations, the same
    /// primary went on all the time, even if there were others in between.
    #[serde(default)]
    pub tenure: u64,
}

/// One replica of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Replica {
    /// Fresh for each addition of a replica.
    pub join: JoinId,
    /// Where it is.
    pub node: NodeId,
}

/// A step from one configuration of a partition to the next. It is taken only if the partition still stands where it
/// stood when the step was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationChange {
    /// The partition.
    pub partition: PartitionId,
    /// The generation it must have.
    pub generation: Generation,
    /// The epoch it must have; the change begins the next one.
    pub epoch: Epoch,
    /// What is changed.
    pub step: Step,
}

/// What is changed in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A node begins to be filled, under a fresh join id. Proposed by the supervisor.
    AddLearner {
        /// The node, which is up and holds no replica of the partition.
        node: NodeId,
    },
    /// A replica has every committed entry: a filled learner, or an eligible one, which never lacked any. Proposed by
    /// the primary alone.
    Admit {
        /// The replica.
        join: JoinId,
    },
    /// A replica does not keep up. Proposed by the primary.
    Remove {
        /// A backup or a learner.
        join: JoinId,
    },
    /// There is one replica more than the cluster was born to have, and nobody is being filled: this backup goes. Proposed
    /// by the supervisor.
    Retire {
        /// The backup.
        join: JoinId,
    },
    /// The primary is to hand its role to this backup. Proposed by the supervisor.
    Appoint {
        /// The backup.
        join: JoinId,
    },
    /// The primary gives its role to the backup that is appointed, and stays in sync. Proposed by the primary alone, who
    /// has released its lease and committed everything.
    HandOver {
        /// The backup.
        join: JoinId,
    },
    /// A backup holds other rows than most of the others: it goes, and is not eligible. Proposed by the primary alone.
    Expel {
        /// The backup.
        join: JoinId,
    },
    /// An eligible replica takes the place of holders that are all silent. Proposed by the supervisor, who has waited
    /// out every lease that they were granted.
    Promote {
        /// The replica.
        join: JoinId,
        /// The tenure in which that was waited out.
        tenure: Tenure,
    },
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
            successor: None,
            handed_over: false,
            tenure: 0,
        }
    }

    /// Whether nobody has the rows any more. Then nobody holds the partition until it is reset.
    pub fn is_lost(&self) -> bool {
        self.in_sync.is_empty()
    }

    /// The node of the primary.
    pub fn primary_node(&self) -> Option<NodeId> {
        self.node_in_sync(self.primary)
    }

    /// The node of the backup to which the primary is to hand its role.
    pub fn successor_node(&self) -> Option<NodeId> {
        self.successor.and_then(|join| self.node_in_sync(join))
    }

    fn node_in_sync(&self, join: JoinId) -> Option<NodeId> {
        self.in_sync.iter().find(|replica| replica.join == join).map(|replica| replica.node)
    }

    /// A step from this configuration on.
    pub(super) fn change(&self, partition: PartitionId, step: Step) -> ConfigurationChange {
        ConfigurationChange { partition, generation: self.generation, epoch: self.epoch, step }
    }

    /// The node that holds every committed entry alone.
    pub fn sole_node(&self) -> Option<NodeId> {
        match self.in_sync[..] {
            [replica] => Some(replica.node),
            _ => None,
        }
    }

    /// Every replica, whatever its role.
    pub fn replicas(&self) -> impl Iterator<Item = Replica> {
        self.in_sync.iter().chain(&self.learners).chain(&self.eligible).copied()
    }

    /// The replica that `node` holds, whatever its role.
    pub fn replica_at(&self, node: NodeId) -> Option<Replica> {
        self.replicas().find(|replica| replica.node == node)
    }

    /// Takes the partition from everybody: the rows are gone.
    pub(super) fn lose(&mut self) {
        self.primary = JoinId::NOBODY;
        for role in [&mut self.in_sync, &mut self.learners, &mut self.eligible] {
            role.clear();
        }
        self.handed_over = false;
    }

    /// Makes the replica at `node` the primary: one in sync, or else an eligible one, which then is in sync alone.
    pub(super) fn promote(&mut self, node: NodeId) {
        self.handed_over &= Mutant::StaysHandedOver.is_on();
        self.tenure += 1;
        self.successor = None;
        if let Some(heir) = self.in_sync.iter().find(|replica| replica.node == node) {
            self.primary = heir.join;
        } else if let Some(at) = self.eligible.iter().position(|replica| replica.node == node) {
            let heir = self.eligible.remove(at);
            self.primary = heir.join;
            // The others in sync have every committed entry too, and nothing commits with one fewer than there must be.
            self.eligible.append(&mut self.in_sync);
            self.in_sync.push(heir);
        }
    }

    /// Whether the replica is a backup in sync.
    pub(super) fn is_backup(&self, join: JoinId) -> bool {
        join != self.primary && self.in_sync.iter().any(|replica| replica.join == join)
    }

    /// The next epoch. Whoever is a backup in sync no longer is not the successor any more either.
    pub(super) fn begin_epoch(&mut self) {
        self.epoch = Epoch(self.epoch.0 + 1);
        self.successor = self.successor.filter(|join| self.is_backup(*join));
    }

    /// Takes a replica out of the in-sync set. It stays eligible while too few are left for anything to be committed.
    pub(super) fn take_out(&mut self, join: JoinId, min_in_sync: usize) {
        if let Some(at) = self.in_sync.iter().position(|replica| replica.join == join) {
            let replica = self.in_sync.remove(at);
            if self.in_sync.len() < min_in_sync || Mutant::MakesAllEligible.is_on() {
                self.eligible.push(replica);
            }
        }
    }
}
