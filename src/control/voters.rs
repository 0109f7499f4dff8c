//! PURE: who votes in the control group.
//!
//! Up to five nodes vote, an odd number of them where there are enough: a fourth voter would bear no more failures than
//! three do. A voter that was silent for long is replaced by a node that is heard, never just taken out, unless those
//! left are a smaller odd number and all heard.

use std::collections::{BTreeMap, BTreeSet};

use crate::types::NodeId;

/// The most voters.
pub(super) const MOST_VOTERS: usize = 5;

/// A node as the leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is heard, and has nearly all of the log.
    Ready,
    /// It is a member and not known to be silent, but has not much of the log yet.
    Behind,
    /// It has been silent for a while.
    Silent,
    /// It has been silent for so long that it is given up as a voter.
    Dead,
}

/// What to do about the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// These vote from now on.
    Voters(BTreeSet<NodeId>),
    /// The log is no longer replicated to this node: the cluster has forgotten it.
    Forget(NodeId),
}

/// Decides the next change. `voters` are two sets where a change was begun and not finished; `nodes` are all that the
/// log is replicated to; `members` are those of the catalogue.
pub(super) fn next(
    voters: &[BTreeSet<NodeId>],
    nodes: &BTreeSet<NodeId>,
    members: &BTreeMap<NodeId, Standing>,
) -> Option<Change> {
    let present = voters.last()?;
    if voters.len() > 1 {
        return Some(Change::Voters(present.clone()));
    }
    let is = |node: &NodeId, standing| members.get(node) == Some(&standing);
    let mut spare = nodes.iter().copied().filter(|node| !present.contains(node) && is(node, Standing::Ready));
    let dead: Vec<NodeId> = present
        .iter()
        .copied()
        .filter(|node| is(node, Standing::Dead) || !members.contains_key(node))
        .collect();

    let mut after = present.clone();
    let mut unreplaced = Vec::new();
    for node in dead {
        match spare.next() {
            Some(spare) => {
                after.remove(&node);
                after.insert(spare);
            }
            None => unreplaced.push(node),
        }
    }
    // Two of five that are dead and cannot be replaced: the other three bear one more failure alone than with them.
    if let [one, two, ..] = unreplaced[..]
        && after.len() == MOST_VOTERS
        && after.iter().all(|node| *node == one || *node == two || is(node, Standing::Ready))
    {
        after.remove(&one);
        after.remove(&two);
    }
    if after == *present {
        let wanted = wanted(members);
        let more: Vec<NodeId> = spare.collect();
        let reachable = size(after.len() + more.len()).min(wanted);
        let reachable = if reachable == 2 && wanted > 2 { 1 } else { reachable };
        let missing = reachable.saturating_sub(after.len());
        after.extend(more.into_iter().take(missing));
    }
    if after != *present {
        return Some(Change::Voters(after));
    }
    let is_forgotten = |node: &&NodeId| !members.contains_key(node) && !present.contains(node);
    nodes.iter().find(is_forgotten).copied().map(Change::Forget)
}

/// How many voters there should be for the members that are there.
fn wanted(members: &BTreeMap<NodeId, Standing>) -> usize {
    let there = members.values().filter(|standing| matches!(standing, Standing::Ready | Standing::Behind));
    size(there.count())
}

/// How many of so many nodes vote.
fn size(nodes: usize) -> usize {
    match nodes {
        0..=3 => nodes,
        4 => 3,
        _ => MOST_VOTERS,
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing::*, *};

    fn ids(ids: &[u64]) -> BTreeSet<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    /// Decides for voters and for members with their standing, all of which the log is replicated to.
    fn after(voters: &[u64], members: &[(u64, Standing)]) -> Option<Vec<u64>> {
        let members: BTreeMap<_, _> = members.iter().map(|(id, standing)| (NodeId(*id), *standing)).collect();
        let nodes = members.keys().copied().chain(ids(voters)).collect();
        match next(&[ids(voters)], &nodes, &members) {
            Some(Change::Voters(voters)) => Some(voters.into_iter().map(|node| node.0).collect()),
            Some(Change::Forget(node)) => panic!("{node} is forgotten"),
            None => None,
        }
    }

    #[test]
    fn the_group_grows_by_odd_numbers() {
        assert_eq!(after(&[1], &[(1, Ready)]), None);
        assert_eq!(after(&[1], &[(1, Ready), (2, Ready)]), Some(vec![1, 2]));
        assert_eq!(after(&[1], &[(1, Ready), (2, Ready), (3, Ready)]), Some(vec![1, 2, 3]));
        // The third is on its way.
        assert_eq!(after(&[1], &[(1, Ready), (2, Ready), (3, Behind)]), None);
        // The third is silent: two keep the log at least.
        assert_eq!(after(&[1], &[(1, Ready), (2, Ready), (3, Silent)]), Some(vec![1, 2]));
        assert_eq!(after(&[1, 2], &[(1, Ready), (2, Ready), (3, Ready)]), Some(vec![1, 2, 3]));
        let four = [(1, Ready), (2, Ready), (3, Ready), (4, Ready)];
        assert_eq!(after(&[1, 2, 3], &four), None);
        let five = [(1, Ready), (2, Ready), (3, Ready), (4, Ready), (5, Behind)];
        assert_eq!(after(&[1, 2, 3], &five), None);
        let six = [(1, Ready), (2, Ready), (3, Ready), (4, Ready), (5, Ready), (6, Ready)];
        assert_eq!(after(&[1, 2, 3], &six), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(after(&[1, 2, 3, 4, 5], &six), None);
    }

    #[test]
    fn a_dead_voter_is_replaced_and_not_merely_taken_out() {
        assert_eq!(after(&[1, 2, 3], &[(1, Ready), (2, Ready), (3, Dead)]), None);
        let spare = |third| after(&[1, 2, 3], &[(1, Ready), (2, Ready), (3, third), (4, Ready)]);
        assert_eq!(spare(Silent), None);
        assert_eq!(spare(Dead), Some(vec![1, 2, 4]));
        assert_eq!(after(&[1, 2, 3], &[(1, Ready), (2, Ready), (3, Dead), (4, Behind)]), None);
        assert_eq!(after(&[1, 2], &[(1, Ready), (2, Dead)]), None);
    }

    #[test]
    fn a_voter_that_the_cluster_has_forgotten_is_dead() {
        assert_eq!(after(&[1, 2, 3], &[(1, Ready), (2, Ready), (4, Ready)]), Some(vec![1, 2, 4]));
    }

    #[test]
    fn five_shrink_to_three_that_are_heard() {
        let with =
            |third| after(&[1, 2, 3, 4, 5], &[(1, Ready), (2, Ready), (3, third), (4, Dead), (5, Dead)]);
        assert_eq!(with(Ready), Some(vec![1, 2, 3]));
        assert_eq!(with(Silent), None);
        let one = [(1, Ready), (2, Ready), (3, Ready), (4, Ready), (5, Dead)];
        assert_eq!(after(&[1, 2, 3, 4, 5], &one), None);
        let spare = [(1, Ready), (2, Ready), (3, Ready), (4, Dead), (5, Dead), (6, Ready)];
        assert_eq!(after(&[1, 2, 3, 4, 5], &spare), Some(vec![1, 2, 3, 5, 6]));
    }

    #[test]
    fn what_was_begun_is_finished_first() {
        let voters = [ids(&[1, 2, 3]), ids(&[1, 2, 4])];
        let members = [1, 2, 3, 4].map(|id| (NodeId(id), Ready)).into();
        assert_eq!(next(&voters, &ids(&[1, 2, 3, 4]), &members), Some(Change::Voters(ids(&[1, 2, 4]))));
    }

    #[test]
    fn the_log_goes_no_more_to_whom_the_cluster_has_forgotten() {
        let members = [1, 2].map(|id| (NodeId(id), Ready)).into();
        assert_eq!(next(&[ids(&[1, 2])], &ids(&[1, 2, 9]), &members), Some(Change::Forget(NodeId(9))));
        assert_eq!(next(&[ids(&[1, 2])], &ids(&[1, 2]), &members), None);
    }
}
