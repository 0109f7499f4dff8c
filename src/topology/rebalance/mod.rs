//! The way back to balance: what moves when nodes join, leave or come back.
//!
//! First it is decided where the replicas of each partition are to be at last: what is held stays, as far as that leaves
//! every node with as many as any other, or one more; then, who of those that are in sync is to be the primary, again so
//! that what is stays. What is to be done next follows from both, one thing a partition at a time. Done in whatever order,
//! and asked for again after each, the moves come to an end.

mod targets;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::targets::Targets;
use super::share::share_rest;
use crate::{
    mutant::Mutant,
    types::{NodeId, PartitionId},
};

/// The nodes of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders {
    /// The primary's.
    pub primary: NodeId,
    /// Those of the replicas that have everything, the primary included, in the order in which they came.
    pub in_sync: Vec<NodeId>,
    /// Those that are being filled.
    pub learners: Vec<NodeId>,
    /// To which the primary is handing its role.
    pub successor: Option<NodeId>,
}

/// Something to be done with one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// The replica of that node is one too many.
    Drop(NodeId),
    /// The primary hands its role to that node, which has a replica in sync.
    HandOver(NodeId),
    /// A replica is to be filled at that node.
    Add(NodeId),
}

/// What is to be done next so that the replicas and the primaries of all partitions end on these nodes alone, each as even
/// as can be: no node has two more than another. Partitions have so many replicas, or as many as there are nodes.
///
/// Primaries of other nodes are handed over first. Partitions of which nothing is known are left alone, and so are those
/// with which something is being done; what that will come to counts. No partition is left with fewer replicas in sync
/// than it has, unless it has more than wanted. Those that have fewer than wanted are for others to fill.
pub fn rebalance(
    nodes: &BTreeSet<NodeId>,
    wanted: usize,
    held: &[Option<Holders>],
) -> Vec<(PartitionId, Move)> {
    if nodes.is_empty() {
        return Vec::new();
    }
    let targets = Targets::of(nodes, wanted, held).places;
    let primaries = primaries(nodes, held, &targets);
    let partitions = (0..).map(PartitionId).zip(held).zip(targets.iter().zip(primaries));
    let moves = partitions.filter_map(|((partition, held), (target, primary))| {
        let held = held.as_ref()?;
        Some((partition, next(held, wanted, target, primary?)?))
    });
    let mut moves: Vec<_> = moves.collect();
    moves.sort_by_key(|(partition, to)| {
        let held = held[usize::from(partition.0)].as_ref();
        (rank(*to, held.is_some_and(|held| !nodes.contains(&held.primary))), *partition)
    });
    moves
}

/// What is urgent comes first, and what takes long last.
fn rank(to: Move, is_primary_leaving: bool) -> u8 {
    match to {
        Move::HandOver(_) if is_primary_leaving => 0,
        Move::Drop(_) => 1,
        Move::HandOver(_) => 2,
        Move::Add(_) => 3,
    }
}

/// The next step of one partition, if nothing is being done with it.
fn next(held: &Holders, wanted: usize, target: &[NodeId], primary: NodeId) -> Option<Move> {
    if held.successor.is_some() || !held.learners.is_empty() {
        return None;
    }
    if primary != held.primary {
        return Some(Move::HandOver(primary));
    }
    let is_meant = |node: &NodeId| target.contains(node);
    if held.in_sync.len() > wanted || Mutant::DropsBeforeCopy.is_on() && held.in_sync.len() > 1 {
        let mut surplus = held.in_sync.iter().filter(|node| !is_meant(node) && **node != primary);
        return surplus.next().map(|node| Move::Drop(*node));
    }
    let missing = target.iter().find(|node| !held.in_sync.contains(node));
    missing.filter(|_| held.in_sync.len() == wanted).map(|node| Move::Add(*node))
}

/// Where the primaries are to be: at one of the nodes at which the partition is to stay and is in sync now.
fn primaries(
    nodes: &BTreeSet<NodeId>,
    held: &[Option<Holders>],
    targets: &[Vec<NodeId>],
) -> Vec<Option<NodeId>> {
    let mut loads: BTreeMap<NodeId, usize> = nodes.iter().map(|node| (*node, 0)).collect();
    let choices: Vec<Vec<NodeId>> = held
        .iter()
        .zip(targets)
        .map(|(held, target)| held.as_ref().map_or(Vec::new(), |held| heirs(held, target)))
        .collect();
    let mut given: Vec<Option<NodeId>> = held
        .iter()
        .zip(&choices)
        .map(|(held, choices)| {
            held.as_ref().map(|held| held.primary).filter(|primary| choices.contains(primary))
        })
        .collect();
    for node in given.iter().flatten() {
        *loads.entry(*node).or_default() += 1;
    }
    share_rest(&mut loads, &choices, &mut given);
    given
}

/// Who may be the primary of a partition.
fn heirs(held: &Holders, target: &[NodeId]) -> Vec<NodeId> {
    if let Some(successor) = held.successor {
        return vec![successor];
    }
    let is_heir = |node: &&NodeId| target.contains(node);
    let heirs: Vec<NodeId> = held.in_sync.iter().filter(is_heir).copied().collect();
    if heirs.is_empty() || !held.learners.is_empty() { vec![held.primary] } else { heirs }
}
