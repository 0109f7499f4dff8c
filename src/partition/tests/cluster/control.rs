//! A model of the control group, as far as one partition sees it: compare-and-set on the epoch, and who may be
//! promoted.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    catalog::{Configuration, Replica},
    partition::{Proposal, Timing},
    types::{Epoch, Generation, JoinId, NodeId},
};

/// The control group.
pub(crate) struct Control {
    /// All there ever were; the last one holds.
    pub(crate) configurations: Vec<Arc<Configuration>>,
    min_in_sync: usize,
    /// With so many in sync, nobody else need be filled.
    pub(crate) wanted: usize,
    next_join: u64,
    /// Until when a node may serve alone, on the control leader's clock.
    grants: BTreeMap<NodeId, u64>,
}

/// What the control group does of its own accord.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    AddLearner(NodeId),
    /// The node is silent.
    Fail(NodeId),
    /// The node has lost what it held.
    Restart(NodeId),
    /// The primary is to hand its role to the node's replica.
    Appoint(NodeId),
    /// Another replica in sync is to be the primary, though nothing is wrong with the present one.
    Promote(NodeId),
    /// Nobody in sync is left that could be asked.
    PromoteEligible,
    ResetLost(NodeId),
}

impl Control {
    /// As many replicas in sync, on as many nodes, with the node's number as their join ids; the first is the primary.
    pub(crate) fn new(in_sync: u64, min_in_sync: usize) -> Self {
        let replica = |number| Replica { join: JoinId(number), node: NodeId(number) };
        let configuration = Configuration {
            in_sync: (1..=in_sync).map(replica).collect(),
            ..Configuration::sole(Generation(1), Epoch(1), replica(1))
        };
        Control {
            configurations: vec![Arc::new(configuration)],
            min_in_sync,
            wanted: usize::MAX,
            next_join: 100,
            grants: BTreeMap::new(),
        }
    }

    pub(crate) fn latest(&self) -> &Arc<Configuration> {
        &self.configurations[self.configurations.len() - 1]
    }

    /// Applies a replica's proposal; false if it is refused.
    pub(crate) fn propose(&mut self, generation: Generation, epoch: Epoch, change: Proposal) -> bool {
        let mut next = Configuration::clone(self.latest());
        if (next.generation, next.epoch) != (generation, epoch) {
            return false;
        }
        match change {
            Proposal::Admit { join } => {
                let taken = take(&mut next.learners, join).or_else(|| take(&mut next.eligible, join));
                let Some(replica) = taken else { return false };
                next.in_sync.push(replica);
                if next.in_sync.len() >= self.min_in_sync {
                    next.eligible.clear();
                }
                if next.in_sync.len() >= self.wanted {
                    next.learners.clear();
                }
            }
            Proposal::Remove { join } => {
                assert!(next.eligible.iter().all(|replica| replica.join != join), "it is removed already");
                if join == next.primary {
                    return false;
                }
                self.remove(&mut next, join);
            }
            Proposal::Expel { join } => {
                assert!(join != next.primary);
                next.in_sync.retain(|replica| replica.join != join);
            }
            Proposal::HandOver { join } => {
                if next.successor != Some(join) {
                    return false;
                }
                next.primary = join;
                next.handed_over = true;
            }
        }
        self.publish(next);
        true
    }

    /// Does something, if it may and can; says whether.
    pub(crate) fn command(&mut self, command: Command, now_us: u64) -> bool {
        let mut next = Configuration::clone(self.latest());
        match command {
            Command::AddLearner(node) => {
                if self.is_lost() || next.replica_at(node).is_some() {
                    return false;
                }
                let learner = self.fresh(node);
                next.learners.push(learner);
            }
            Command::Fail(node) => {
                let Some(Replica { join, .. }) = next.replica_at(node) else { return false };
                if join == next.primary && !promote(&mut next, join) {
                    return false;
                }
                self.remove(&mut next, join);
            }
            Command::Restart(node) => {
                let Some(Replica { join, .. }) = next.replica_at(node) else { return false };
                if join == next.primary && !promote(&mut next, join) && !promote_eligible(&mut next, join) {
                    next.in_sync.clear();
                }
                self.remove(&mut next, join);
                next.eligible.retain(|replica| replica.join != join);
            }
            Command::Appoint(node) => {
                let Some(heir) = backup(&next, node) else { return false };
                next.successor = Some(heir);
            }
            Command::Promote(node) => {
                let Some(heir) = backup(&next, node) else { return false };
                next.primary = heir;
                next.handed_over = false;
            }
            Command::PromoteEligible => {
                let before = next.primary;
                let node = next.primary_node();
                let granted_us = node.and_then(|node| self.grants.get(&node)).copied().unwrap_or(0);
                if next.in_sync.len() != 1 || now_us < granted_us || !promote_eligible(&mut next, before) {
                    return false;
                }
                self.remove(&mut next, before);
            }
            Command::ResetLost(node) => {
                if !self.is_lost() {
                    return false;
                }
                let (generation, epoch) = (Generation(next.generation.0 + 1), Epoch(next.epoch.0 + 1));
                let replica = self.fresh(node);
                self.configurations.push(Arc::new(Configuration::sole(generation, epoch, replica)));
                return true;
            }
        }
        self.publish(next);
        true
    }

    /// Lets a node serve alone; how long, counted from its beacon on its own clock.
    pub(crate) fn grant(&mut self, node: NodeId, now_us: u64, timing: &Timing) -> u64 {
        self.grants.insert(node, now_us + timing.grant_us());
        timing.lease_us
    }

    /// Nobody has the rows.
    pub(crate) fn is_lost(&self) -> bool {
        self.latest().in_sync.is_empty()
    }

    fn publish(&mut self, mut next: Configuration) {
        next.epoch = Epoch(next.epoch.0 + 1);
        next.tenure += u64::from(next.primary != self.latest().primary);
        let primary = next.primary;
        let is_backup =
            |join: &JoinId| *join != primary && next.in_sync.iter().any(|replica| replica.join == *join);
        next.successor = next.successor.filter(is_backup);
        self.configurations.push(Arc::new(next));
    }

    fn remove(&self, next: &mut Configuration, join: JoinId) {
        let was_in_sync = next.in_sync.iter().find(|replica| replica.join == join).copied();
        next.in_sync.retain(|replica| replica.join != join);
        next.learners.retain(|replica| replica.join != join);
        if next.in_sync.len() < self.min_in_sync {
            next.eligible.extend(was_in_sync);
        }
    }

    fn fresh(&mut self, node: NodeId) -> Replica {
        self.next_join += 1;
        Replica { join: JoinId(self.next_join), node }
    }
}

fn take(role: &mut Vec<Replica>, join: JoinId) -> Option<Replica> {
    let at = role.iter().position(|replica| replica.join == join)?;
    Some(role.remove(at))
}

/// The replica of a node, if it is in sync and not the primary.
fn backup(next: &Configuration, node: NodeId) -> Option<JoinId> {
    let replica = next.in_sync.iter().find(|replica| replica.node == node)?;
    (replica.join != next.primary).then_some(replica.join)
}

/// Makes another replica in sync the primary.
fn promote(next: &mut Configuration, before: JoinId) -> bool {
    next.handed_over = false;
    // Not always the one that came first: the epoch decides.
    let others = || next.in_sync.iter().filter(|replica| replica.join != before);
    let heir = if next.epoch.0.is_multiple_of(2) { others().next() } else { others().next_back() };
    let heir = heir.copied();
    heir.map(|heir| next.primary = heir.join).is_some()
}

fn promote_eligible(next: &mut Configuration, before: JoinId) -> bool {
    let Some(at) = next.eligible.iter().position(|replica| replica.join != before) else { return false };
    let heir = next.eligible.remove(at);
    next.handed_over = false;
    next.primary = heir.join;
    next.in_sync.insert(0, heir);
    true
}
