//! How far the cluster is from balance, and whether a node can be stopped.

use super::{Catalogue, Configuration, Member, Step};
use crate::{
    topology::{Holders, Move, rebalance},
    types::{NodeId, PartitionId},
};

impl Catalogue {
    /// What is to be done next so that replicas and primaries are spread evenly over the nodes that stay.
    pub fn moves(&self) -> Vec<(PartitionId, Move)> {
        let held: Vec<Option<Holders>> = self.configurations.iter().map(|held| self.holders(held)).collect();
        rebalance(&self.staying(), self.replicas_wanted(), &held)
    }

    /// Whether a draining node has nothing left that anybody needs: the primary is elsewhere in every partition, and of each
    /// that it holds there are as many replicas without those at draining nodes as there can be, and as a commit needs.
    pub fn is_safe_to_stop(&self, node: NodeId) -> bool {
        if !self.member(node).is_some_and(|member| member.draining) {
            return false;
        }
        let staying = self.staying();
        let enough = self.replicas_wanted().min(staying.len()).max(usize::from(self.min_in_sync));
        let is_free = |held: &Configuration| {
            let is_held = held.in_sync.iter().chain(&held.eligible).any(|replica| replica.node == node);
            let left = held.in_sync.iter().filter(|replica| staying.contains(&replica.node)).count();
            !is_held || (held.primary_node() != Some(node) && left >= enough)
        };
        self.configurations.iter().all(is_free)
    }

    /// Whether a node has ended in good order: it was drained, and is out of all partitions.
    pub fn has_left(&self, member: &Member) -> bool {
        let is_held = |held: &Configuration| held.replica_at(member.node.id).is_some();
        !member.is_up() && member.draining && !self.configurations.iter().any(is_held)
    }

    /// The nodes of a partition, unless nothing can be moved there now: it takes no writes.
    fn holders(&self, held: &Configuration) -> Option<Holders> {
        let primary = held.primary_node().filter(|node| self.is_up(*node))?;
        if held.in_sync.len() < usize::from(self.min_in_sync) {
            return None;
        }
        Some(Holders {
            primary,
            in_sync: held.in_sync.iter().map(|replica| replica.node).collect(),
            learners: held.learners.iter().map(|learner| learner.node).collect(),
            successor: held.successor_node(),
        })
    }
}

impl Configuration {
    /// The step by which the supervisor begins a move.
    pub(super) fn step(&self, to: Move) -> Option<Step> {
        let join = |node| self.replica_at(node).map(|replica| replica.join);
        match to {
            Move::Add(node) => Some(Step::AddLearner { node }),
            Move::HandOver(node) => Some(Step::Appoint { join: join(node)? }),
            Move::Drop(node) => Some(Step::Retire { join: join(node)? }),
        }
    }

    /// Whether something is being moved: a role is to be handed over, a learner filled beside as many as are wanted, or
    /// one too many has yet to go.
    pub(super) fn is_moving(&self, wanted: usize) -> bool {
        self.successor.is_some() || self.in_sync.len() + self.learners.len() > wanted
    }
}
