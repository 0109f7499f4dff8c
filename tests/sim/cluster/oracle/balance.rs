//! "Partitions move to where there is room": at rest, no node that stays has two replicas, or two primaries, more than
//! another, and one that is to be stopped is nobody's primary.

use embergrid::catalog::{Catalogue, Configuration};
use embergrid::types::NodeId;

use super::{Verdict, ensure};

/// What is not even, if anything is not.
pub(crate) fn uneven(catalogue: &Catalogue) -> Option<String> {
    let lists = [("primaries", counts(catalogue, is_primary)), ("replicas", counts(catalogue, is_holder))];
    if let Some((what, counts)) = lists.into_iter().find(|(_, counts)| !is_even(counts)) {
        return Some(format!("the {what} are not even: {counts:?}"));
    }
    let draining = catalogue.members().filter(|member| member.draining).map(|member| member.node.id);
    let mut primaries = draining.filter(|node| count(catalogue, *node, is_primary) > 0);
    primaries.next().map(|node| format!("node {node} drains, and is a primary"))
}

/// Whether a partition has as many replicas as it should, and nothing is being done with it.
pub(crate) fn is_whole(catalogue: &Catalogue, held: &Configuration) -> bool {
    let wanted = catalogue.replicas_wanted();
    let fewest = wanted.min(catalogue.staying().len());
    (fewest..=wanted).contains(&held.in_sync.len()) && held.learners.is_empty() && held.successor.is_none()
}

/// A replica that was one too many has gone: "no partition is left with fewer replicas in sync than it has, unless it has more
/// than wanted".
pub(crate) fn retired(catalogue: &Catalogue, held: &Configuration) -> Verdict {
    ensure(held.in_sync.len() >= catalogue.replicas_wanted(), || {
        format!("a move takes a copy that is needed: {held:?}")
    })
}

fn counts(catalogue: &Catalogue, is: fn(&Configuration, NodeId) -> bool) -> Vec<(NodeId, usize)> {
    catalogue.staying().into_iter().map(|node| (node, count(catalogue, node, is))).collect()
}

fn count(catalogue: &Catalogue, node: NodeId, is: fn(&Configuration, NodeId) -> bool) -> usize {
    catalogue.configurations().iter().filter(|held| is(held, node)).count()
}

fn is_even(counts: &[(NodeId, usize)]) -> bool {
    let counts = || counts.iter().map(|(_, count)| *count);
    counts().max().unwrap_or(0) <= counts().min().unwrap_or(0) + 1
}

fn is_primary(held: &Configuration, node: NodeId) -> bool {
    held.primary_node() == Some(node)
}

fn is_holder(held: &Configuration, node: NodeId) -> bool {
    held.in_sync.iter().any(|replica| replica.node == node)
}
